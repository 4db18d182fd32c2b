//! Checks: what can be seen to be wrong with a flow before anybody gets a mail.
//!
//! The one idea: a check is one file with its code, its page, its test over a `Context`, and where possible a fix
//! made of edits. All share one index and one set of least-time bounds, so that a check is linear in the flow.
//! Deliberately not here: faults of the file as a whole (`flow::file`), and what templates and conditions say of
//! their own language (`content`, `audience::condition`), which is passed on with its place.

mod context;
mod elsewhere;
#[cfg(test)]
mod fixture;
mod mail_fixes;
mod texts;
mod times;

macro_rules! checks {
    (flow: [$($flow:ident),* $(,)?], workspace: [$($workspace:ident),* $(,)?], both: [$($both:ident),* $(,)?] $(,)?) => {
        $(mod $flow;)*
        $(mod $workspace;)*
        $(mod $both;)*

        /// Checks of a flow, one file each.
        const CHECKS: &[Check] = &[$($flow::CHECK,)* $($both::CHECK,)*];
        /// Checks of a workspace, one file each; some see flows too and have one page for both.
        const WORKSPACE_CHECKS: &[WorkspaceCheck] = &[$($workspace::CHECK,)* $($both::WORKSPACE,)*];
    };
}

checks! {
    flow: [
        already_over, beyond_conversion, bad_field_name, branch_repeats, cap_constant, cap_on_path, cooldown_blocks_own,
        cycle_without_wait, date_trigger, duplicate_flow, empty_message, empty_pool, event_field, foreign_step, hold_out_sends, late_first_mail,
        list_both_ways, local_time_segment, missing_message, muted_branch, never_fires, no_consent, no_exit, no_key,
        no_purchase_exit, no_steps, no_trigger, no_unsubscribe, open_port, pass_limit, quiet_deadline, several_triggers,
        short_grace, short_window, sms_consent, split_salt, split_weights, transactional_marketing,
        unknown_constant, unknown_key, unknown_kind, unknown_node, unknown_pool, unknown_property, unknown_sender,
        unknown_variable, unreachable_node, unreadable_settings, unused_field, unused_message, variants, wait_happened,
        starter_text, writes_trigger, wrong_channel, zero_weight, past_date,
    ],
    workspace: [cap_rows, duplicate_name, no_postal_address, segment_cycle, sender_address, suppression, unknown_theme, unknown_zone],
    both: [condition_constant, condition_syntax, empty_window, unknown_event, unknown_list, unknown_score, unknown_segment],
}

use serde::Serialize;

use super::{Edit, Flow, Workspace};
use crate::{
    audience::Audience,
    base::{Diagnostic, Place, Severity},
};
use context::Context;

/// A diagnostic, and what would mend it.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// What is wrong, and where.
    pub diagnostic: Diagnostic,
    /// Edits after which this is not found any more.
    pub fix: Option<Fix>,
}

/// Edits that mend a finding, applied as one step of the history.
#[derive(Clone, PartialEq, Debug)]
pub struct Fix {
    /// What it does, as a menu would say it: "Scale the weights to 100".
    pub label: String,
    /// The edits, in order, all or nothing.
    pub edits: Vec<Edit>,
}

impl Finding {
    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.diagnostic.hint = hint.into();
        self
    }

    fn severity(mut self, severity: Severity) -> Self {
        self.diagnostic.severity = severity;
        self
    }

    fn fix(mut self, label: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix { label: label.into(), edits });
        self
    }
}

impl From<Diagnostic> for Finding {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, fix: None }
    }
}

/// What a flow stands in.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Its workspace; [`Workspace::default`] for a lone file.
    pub workspace: &'a Workspace,
    /// The other flows of the workspace.
    pub other_flows: &'a [Flow],
    /// The sample contacts, if there are any. They stand in for a clock and for a list of properties.
    pub audience: Option<&'a Audience>,
}

/// The page of a code, for `flowloom explain`, the reference and the window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct CheckSpec {
    /// Area and name: `graph/open-port`. Keeps its meaning for good.
    pub code: &'static str,
    /// How bad it is as a rule; a finding may be milder.
    pub severity: Severity,
    /// What people read.
    pub title: &'static str,
    /// What it finds.
    pub what: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What it looks like.
    pub example: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// The rule or page it follows.
    pub source: &'static str,
}

impl CheckSpec {
    fn at(&self, place: Place, message: impl Into<String>) -> Finding {
        Diagnostic::new(self.severity, self.code, place, message).into()
    }
}

/// One check of a flow.
struct Check {
    spec: CheckSpec,
    run: fn(&Context<'_>, &mut Vec<Finding>),
}

/// One check of a workspace.
struct WorkspaceCheck {
    spec: CheckSpec,
    run: fn(&Workspace, &mut Vec<Finding>),
}

/// Everything that can be said about a flow, worst first, then by place and code.
///
/// Deterministic; reads no clock. What loading said (`Loaded::notes`) is the caller's to add.
pub fn check(flow: &Flow, around: &Surroundings<'_>) -> Vec<Finding> {
    // Nobody ends it early.
    check_while(flow, around, &mut |_| true).unwrap_or_default()
}

/// As [`check`]; `keeps_on` is told between two checks how much is done (0..=1) and ends it by saying no.
pub fn check_while(
    flow: &Flow,
    around: &Surroundings<'_>,
    keeps_on: &mut dyn FnMut(f32) -> bool,
) -> Option<Vec<Finding>> {
    let mut out: Vec<Finding> = flow.invariants().into_iter().map(Finding::from).collect();
    let context = Context::new(flow, around);
    let num_parts = CHECKS.len() + 2;
    for (n, check) in CHECKS.iter().enumerate() {
        if !keeps_on(n as f32 / num_parts as f32) {
            return None;
        }
        (check.run)(&context, &mut out);
    }
    if !keeps_on((num_parts - 2) as f32 / num_parts as f32) {
        return None;
    }
    context.settings_alone(&mut out);
    if !keeps_on((num_parts - 1) as f32 / num_parts as f32) {
        return None;
    }
    context.messages_alone(&mut out);
    Some(sorted(out))
}

/// Everything that can be said about a workspace without its flows, worst first.
pub fn check_workspace(workspace: &Workspace) -> Vec<Finding> {
    let mut out = Vec::new();
    for check in WORKSPACE_CHECKS {
        (check.run)(workspace, &mut out);
    }
    sorted(out)
}

/// A value as RON, for edits; what is built here can always be written.
fn ron_of<T: Serialize + ?Sized>(value: &T) -> Option<String> {
    crate::kinds::ron_options().to_string(value).ok()
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| {
        let (a, b) = (&a.diagnostic, &b.diagnostic);
        (a.severity, &a.place, &a.code, &a.message).cmp(&(b.severity, &b.place, &b.code, &b.message))
    });
    findings
}

/// The page of every code, in order of the code: checks of flows and workspaces, and what other rooms report.
pub fn catalogue() -> Vec<CheckSpec> {
    let flow = CHECKS.iter().map(|check| check.spec);
    let workspace = WORKSPACE_CHECKS.iter().map(|check| check.spec);
    let mut all: Vec<CheckSpec> = flow.chain(workspace).chain(elsewhere::pages()).collect();
    all.sort_by_key(|spec| spec.code);
    all.dedup_by_key(|spec| spec.code);
    all
}

/// The page of a code.
pub fn explain(code: &str) -> Option<CheckSpec> {
    let page = catalogue().into_iter().find(|spec| spec.code == code);
    page.or_else(|| elsewhere::loss_page(code))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    #[test]
    fn every_page_is_whole() {
        for spec in catalogue() {
            let (area, name) = spec.code.split_once('/').unwrap_or_default();
            for part in [area, name] {
                let kebab = part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
                assert!(kebab && !part.is_empty(), "{}", spec.code);
            }
            for text in [spec.title, spec.what, spec.why, spec.example, spec.fix, spec.source] {
                assert!(!text.is_empty(), "{} lacks a part", spec.code);
            }
            assert!(!spec.title.ends_with('.'), "{}", spec.code);
            assert_eq!(explain(spec.code), Some(spec));
        }
    }

    #[test]
    fn a_code_has_one_page() {
        for specs in [
            CHECKS.iter().map(|c| c.spec).chain(elsewhere::pages()).collect::<Vec<_>>(),
            WORKSPACE_CHECKS.iter().map(|c| c.spec).chain(elsewhere::pages()).collect(),
        ] {
            let mut codes = BTreeSet::new();
            for spec in specs {
                assert!(codes.insert(spec.code), "{} twice", spec.code);
            }
        }
    }

    /// Every code that stands in the sources can be explained.
    #[test]
    fn every_code_in_the_sources_has_a_page() {
        let known: BTreeSet<&str> = catalogue().iter().map(|spec| spec.code).collect();
        let areas: BTreeSet<&str> = known.iter().filter_map(|code| code.split('/').next()).collect();
        let mut sources = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut missing = BTreeSet::new();
        while let Some(path) = sources.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).expect("the sources can be read");
                sources.extend(entries.map(|entry| entry.expect("an entry").path()));
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            // Made-up codes in tests need no page.
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            for (at, _) in text.match_indices('"') {
                let Some((literal, _)) = text[at + 1..].split_once('"') else { continue };
                let Some((area, name)) = literal.split_once('/') else { continue };
                let kebab = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '-');
                let before = text[..at].trim_end();
                let of_diagnostic = ["Diagnostic::error(", "Diagnostic::warning("].iter().any(|f| before.ends_with(f));
                let reported = kebab(area) && kebab(name) && (areas.contains(area) || of_diagnostic);
                // What an import or a push says may have the page of its platform.
                let shares_page = ["import", "push", "kept"].iter().any(|part| path.to_string_lossy().contains(part))
                    && explain(literal).is_some();
                if reported && !known.contains(literal) && !shares_page {
                    missing.insert(format!("{literal} in {}", path.display()));
                }
            }
        }
        assert!(missing.is_empty(), "codes without a page; write them in flow/check/elsewhere: {missing:#?}");
    }

    fn around(workspace: &Workspace) -> Surroundings<'_> {
        Surroundings { workspace, other_flows: &[], audience: None }
    }

    fn made_up_workspace() -> Workspace {
        crate::flow::file::read_workspace(crate::testing::flow_gen::WORKSPACE).expect("written right").0
    }

    /// Over made-up flows: never a panic, twice the same, and every fix applies and removes its finding.
    #[test]
    fn fixes_mend_what_was_found() {
        let workspace = made_up_workspace();
        let around = around(&workspace);
        let mut codes = BTreeSet::new();
        for seed in 0..60 {
            let flow = crate::testing::flow_gen::flow(seed, 2 + seed as usize % 25);
            let found = check(&flow, &around);
            codes.extend(found.iter().map(|finding| finding.diagnostic.code.to_string()));
            for finding in &found {
                let Some(fix) = &finding.fix else { continue };
                let what = format!("seed {seed}, {} at {}", finding.diagnostic.code, finding.diagnostic.place);
                let mended = super::super::edit::apply_all(&flow, &fix.edits)
                    .unwrap_or_else(|(_, error)| panic!("{what}: {} is refused: {error}", fix.label));
                assert!(mended.invariants().is_empty(), "{what}: {:?}", mended.invariants());
                let again = check(&mended, &around);
                let same = |other: &&Finding| {
                    (&other.diagnostic.code, &other.diagnostic.place, &other.diagnostic.message)
                        == (&finding.diagnostic.code, &finding.diagnostic.place, &finding.diagnostic.message)
                };
                assert!(!again.iter().any(|f| same(&f)), "{what}: {} does not mend it: {:?}", fix.label, fix.edits);
            }
        }
        assert!(codes.len() > 45, "the generator meets most checks: {codes:?}");
    }

    /// Flows that break the invariants, as a text editor can write them.
    #[test]
    fn damaged_flows_are_checked_too() {
        let workspace = made_up_workspace();
        for seed in 0..60 {
            let mut flow = crate::testing::flow_gen::flow(seed, 20);
            let mut rng = crate::testing::Rng::new(seed);
            for _ in 0..5 {
                let (a, b) = (rng.below(flow.nodes.len()), rng.below(flow.nodes.len()));
                let (a, b) = (flow.nodes[a].clone(), flow.nodes[b].clone());
                match rng.below(4) {
                    0 => flow.nodes.push(a),
                    1 => flow.edges.push(crate::flow::Edge::new(a.id.clone(), "next", b.id.clone())),
                    2 => flow.edges.push(crate::flow::Edge::new(a.id.clone(), "nowhere", "nobody")),
                    _ => flow.nodes.retain(|node| node.id != b.id || node.id == a.id),
                }
            }
            assert_eq!(check(&flow, &around(&workspace)), check(&flow, &around(&workspace)));
        }
    }

    /// The figures are the bench's to tell; this keeps a quadratic walk from going unseen.
    #[test]
    fn a_large_flow_is_checked() {
        let workspace = Workspace::default();
        let found = check(&crate::testing::flow_gen::large_flow(5_000), &around(&workspace));
        let errors: Vec<&Finding> = found.iter().filter(|f| f.diagnostic.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{:?}", errors.first());
    }
}
