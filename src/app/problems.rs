//! Rows of the problems panel, the mark of each card, and mending many at once.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::{
    Command,
    document::Document,
    pages::{self, PageKind},
    rename,
};
use crate::{
    base::{NodeId, Place, Severity},
    flow::{Edit, Finding, Flow, check, edit},
};

/// One row.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The step it is about, directly or through its message.
    pub node: Option<NodeId>,
    /// What that step is called.
    pub title: String,
}

/// What is called the place of what reading the file noticed.
const FILE: &str = "File";

/// What the checks found, and what reading the file noticed and they do not say.
fn findings(document: &Document) -> impl Iterator<Item = &Finding> {
    let found = || document.derived.findings.iter().flat_map(|stamped| stamped.value.iter());
    let is_new = move |note: &&Finding| {
        !found().any(|f| f.diagnostic.code == note.diagnostic.code && f.diagnostic.place == note.diagnostic.place)
    };
    found().chain(document.noticed().filter(is_new))
}

/// The rows of a document, worst first; none until the checks have run for the first time.
pub fn rows(document: &Document) -> Vec<Row<'_>> {
    if document.derived.findings.is_none() {
        return Vec::new();
    }
    let flow = document.flow();
    let mut rows: Vec<Row<'_>> = findings(document)
        .map(|finding| {
            let place = &finding.diagnostic.place;
            let node = step_of(flow, place);
            let title = node.as_ref().and_then(|id| flow.node(id.as_str())).map(|n| n.title().to_owned());
            let is_of_file = finding.diagnostic.code.starts_with("file/") || place.file.is_some();
            let title = title.unwrap_or_else(|| if is_of_file { FILE.to_owned() } else { elsewhere(flow, place) });
            Row { finding, node, title }
        })
        .collect();
    rows.sort_by_key(|row| row.finding.diagnostic.severity);
    rows
}

/// The step that a place belongs to: the one it names, the one its edge begins at, the one that sends its message.
pub(super) fn step_of(flow: &Flow, place: &Place) -> Option<NodeId> {
    let of_edge = place.edge.as_deref().and_then(|edge| edge.split('.').next());
    let sends = |id: &str, message: &str| {
        flow.node(id).and_then(|n| n.settings()?.message()).is_some_and(|m| m.0.as_str() == message)
    };
    let sender = |message: &str| flow.nodes.iter().find(|n| sends(n.id.as_str(), message)).map(|n| n.id.clone());
    let named = place.node.as_deref().or(of_edge).map(NodeId::new);
    named.or_else(|| place.message.as_deref().and_then(sender))
}

/// Where a click on a row leads: to its step, else to the page on which it is mended; nowhere for what only the file
/// has.
pub fn goes_to(document: &Document, row: &Row<'_>) -> Vec<Command> {
    if let Some(node) = &row.node {
        return vec![Command::GoTo(node.clone())];
    }
    let place = &row.finding.diagnostic.place;
    let Some(field) = place.field.as_deref().filter(|_| place.message.is_none()) else { return Vec::new() };
    let (first, rest) = field.split_once('.').unwrap_or((field, ""));
    let page = match first {
        "fields" => PageKind::Tags,
        "segments" => PageKind::Segments,
        "scores" => PageKind::Scores,
        "events" => PageKind::Events,
        "lists" => PageKind::Lists,
        "senders" => PageKind::Senders,
        "code_pools" => PageKind::Pools,
        _ => PageKind::Flow,
    };
    let mut out = vec![pages::Act::Show(Some(page)).into()];
    // The place names the row, or counts to it.
    let names = page.thing().map(|thing| rename::names(document.flow(), &document.home, thing)).unwrap_or_default();
    let is_named =
        |name: &&SmolStr| rest.strip_prefix(name.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('.'));
    let counted = || rest.split('.').next()?.parse::<usize>().ok().and_then(|at| names.get(at));
    if let Some(name) = names.iter().find(is_named).or_else(counted) {
        out.push(pages::Act::Choose(page, Some(name.clone())).into());
    }
    out
}

/// What people call a place that is no step.
pub(super) fn elsewhere(flow: &Flow, place: &Place) -> String {
    if let Some(id) = &place.message {
        let name = flow.message(id).and_then(|message| message.name.clone()).filter(|name| !name.is_empty());
        return format!("Message {}", name.unwrap_or_else(|| id.clone()));
    }
    match place.field.as_deref() {
        Some(field) if field.starts_with("settings") => "Flow settings".to_owned(),
        Some(field) if field.starts_with("fields.") => format!("Field {}", &field["fields.".len()..]),
        Some(field) => field.to_owned(),
        None if *place == Place::default() => "The flow".to_owned(),
        None => place.to_string(),
    }
}

/// How rows are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Grouping {
    /// Not at all: worst first.
    #[default]
    None,
    /// By step.
    Step,
    /// By kind of problem.
    Kind,
}

/// What is shown of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// Words that all stand in message, step, hint or code.
    pub text: String,
    /// Errors, warnings, hints.
    pub severities: [bool; 3],
    /// How they are put together.
    pub grouping: Grouping,
}

impl Default for Filter {
    fn default() -> Self {
        Self { text: String::new(), severities: [true; 3], grouping: Grouping::None }
    }
}

/// A line of the panel.
#[derive(Clone, Debug)]
pub enum Line<'a> {
    /// Begins a group.
    Group {
        /// The step or the kind.
        title: String,
        /// How many follow.
        count: usize,
        /// The worst of them.
        worst: Severity,
        /// The code, where all have one.
        code: Option<String>,
        /// How many of them a fix can mend; together where it is more than one.
        fixable: usize,
    },
    /// A problem.
    Row(Row<'a>),
}

/// The lines that a filter leaves.
pub fn lines<'a>(document: &'a Document, filter: &Filter) -> Vec<Line<'a>> {
    let words: Vec<String> = filter.text.split_whitespace().map(str::to_lowercase).collect();
    let fits = |row: &Row<'_>| {
        let found = &row.finding.diagnostic;
        let all = format!("{} {} {} {}", found.message, row.title, found.hint, found.code).to_lowercase();
        filter.severities[found.severity as usize] && words.iter().all(|word| all.contains(word.as_str()))
    };
    let rows: Vec<Row<'a>> = rows(document).into_iter().filter(fits).collect();
    let key = |row: &Row<'_>| match filter.grouping {
        Grouping::None => String::new(),
        Grouping::Step => row.title.clone(),
        Grouping::Kind => row.finding.diagnostic.code.to_string(),
    };
    if filter.grouping == Grouping::None {
        return rows.into_iter().map(Line::Row).collect();
    }
    // Groups in the order of their first row, which is the order of the worst.
    let mut groups: Vec<(String, Vec<Row<'a>>)> = Vec::new();
    for row in rows {
        let key = key(&row);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((key, vec![row])),
        }
    }
    let mut out = Vec::new();
    for (key, rows) in groups {
        let by_kind = filter.grouping == Grouping::Kind;
        let title =
            if by_kind { check::explain(&key).map_or(key.as_str(), |page| page.title).to_owned() } else { key.clone() };
        out.push(Line::Group {
            title,
            count: rows.len(),
            worst: rows.iter().map(|row| row.finding.diagnostic.severity).min().unwrap_or(Severity::Hint),
            code: by_kind.then_some(key),
            fixable: rows.iter().filter(|row| row.finding.fix.is_some()).count(),
        });
        out.extend(rows.into_iter().map(Line::Row));
    }
    out
}

/// How many findings of a code have a fix.
pub fn fixable(document: &Document, code: &str) -> usize {
    let findings = document.derived.findings.iter().flat_map(|stamped| stamped.value.iter());
    findings.filter(|f| f.diagnostic.code == code && f.fix.is_some()).count()
}

/// The edits that mend every finding of a code that can be mended: label and edits for one undo step.
///
/// A fix that no longer applies after the ones before it is left out; checks find it again where it is still needed.
/// Errors: there is nothing to mend.
pub fn fix_all(document: &Document, code: &str) -> Result<(String, Vec<Edit>), String> {
    let findings = document.derived.findings.iter().flat_map(|stamped| stamped.value.iter());
    let fixes = findings.filter(|finding| finding.diagnostic.code == code).filter_map(|finding| finding.fix.as_ref());
    let mut flow = document.flow().clone();
    let mut edits: Vec<Edit> = Vec::new();
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut count = 0_usize;
    for fix in fixes {
        // Two findings may ask for the same edits.
        if !done.insert(format!("{:?}", fix.edits)) {
            continue;
        }
        if let Ok(mended) = edit::apply_all(&flow, &fix.edits) {
            flow = mended;
            edits.extend(fix.edits.iter().cloned());
            count += 1;
        }
    }
    if edits.is_empty() {
        return Err("Nothing of this kind can be mended any more".to_owned());
    }
    let title = check::explain(code).map_or(code, |page| page.title);
    let times = if count == 1 { String::new() } else { format!(" ({count} times)") };
    Ok((format!("Mend: {title}{times}"), edits))
}

/// Whether the findings are of an older revision than what is drawn.
pub fn is_stale(document: &Document) -> bool {
    let revision = document.derived.findings.as_ref().map(|stamped| stamped.revision);
    revision != Some(document.history.revision())
}

/// The worst finding of each step.
pub fn marks(document: &Document) -> BTreeMap<NodeId, Severity> {
    let mut out: BTreeMap<NodeId, Severity> = BTreeMap::new();
    for row in rows(document) {
        if let Some(node) = row.node {
            let worst = out.entry(node).or_insert(Severity::Hint);
            *worst = (*worst).min(row.finding.diagnostic.severity);
        }
    }
    out
}

/// How many findings of each severity there are: errors, warnings, hints.
pub fn counts(document: &Document) -> [usize; 3] {
    let mut out = [0; 3];
    if document.derived.findings.is_some() {
        findings(document).for_each(|finding| out[finding.diagnostic.severity as usize] += 1);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{CommandId, act::Act, fixture};

    /// The sample with messages that nobody sends, on its way to a target that cannot do everything.
    fn faulty() -> crate::app::App {
        let unused = r#"(id: "old-1", subject: "Old", body: html("Old")), (id: "old-2", subject: "Older", body: html("Older")),
            (id: "mail-3", name"#;
        let text = fixture::text().replacen(r#"(id: "mail-3", name"#, unused, 1);
        fixture::open(&text.replacen("sender: \"shop\",", "sender: \"shop\", target: klaviyo,", 1))
    }

    fn codes(lines: &[Line<'_>]) -> Vec<String> {
        let code = |line: &Line<'_>| match line {
            Line::Row(row) => Some(row.finding.diagnostic.code.to_string()),
            Line::Group { .. } => None,
        };
        lines.iter().filter_map(code).collect()
    }

    #[test]
    fn losses_of_the_chosen_target_are_among_the_problems() {
        let app = faulty();
        let lines = lines(fixture::document(&app), &Filter::default());
        let codes = codes(&lines);
        assert!(codes.iter().any(|code| code.starts_with("klaviyo/")), "{codes:?}");
        let severities: Vec<Severity> =
            rows(fixture::document(&app)).iter().map(|row| row.finding.diagnostic.severity).collect();
        assert!(severities.is_sorted(), "worst first: {severities:?}");
        assert!(!is_stale(fixture::document(&app)));
    }

    #[test]
    fn a_problem_that_is_no_step_leads_to_its_page() {
        let text = fixture::text().replacen("sender: \"shop\",", "sender: \"nobody\",", 1);
        let text = text.replacen("constant(\"threshold\")", "constant(\"nothing\")", 1);
        let mut app = fixture::open(&text);
        let mut go = |code: &str| {
            let document = fixture::document(&app);
            let all = rows(document);
            let row = all.iter().find(|row| row.finding.diagnostic.code == code).unwrap_or_else(|| panic!("{code}"));
            let commands = goes_to(document, row);
            assert!(!commands.is_empty(), "{code}: {:?}", row.finding.diagnostic.place);
            commands.into_iter().for_each(|command| _ = fixture::run(&mut app, command));
            let view = &fixture::document(&app).view;
            (view.page, view.page.and_then(|page| view.page_rows.get(&page).cloned()))
        };
        assert_eq!(go("names/unknown-sender"), (Some(PageKind::Flow), None));
        assert_eq!(go("names/unknown-constant"), (Some(PageKind::Tags), Some("threshold".into())));
    }

    #[test]
    fn rows_are_filtered_and_grouped() {
        let app = faulty();
        let document = fixture::document(&app);
        let all = lines(document, &Filter::default()).len();
        let only = lines(document, &Filter { text: "klaviyo".to_owned(), ..Filter::default() });
        assert!(!only.is_empty() && only.len() < all);
        assert!(lines(document, &Filter { severities: [false; 3], ..Filter::default() }).is_empty());
        for grouping in [Grouping::Step, Grouping::Kind] {
            let lines = lines(document, &Filter { grouping, ..Filter::default() });
            let counted: usize =
                lines.iter().map(|line| if let Line::Group { count, .. } = line { *count } else { 0 }).sum();
            assert_eq!((counted, codes(&lines).len()), (all, all));
        }
    }

    #[test]
    fn what_reading_the_file_noticed_is_among_the_problems() {
        let text = fixture::text().replacen("    edges: [", "    // by hand\n    edges: [", 1);
        let text = text.replacen("(wait: for(\"4 h\")", "(later: 3, wait: for(\"4 h\")", 1);
        let mut app = fixture::open(&text);
        let document = fixture::document(&app);
        let all = rows(document);
        let of = |code: &str| all.iter().find(|row| row.finding.diagnostic.code == code);
        assert_eq!(of("file/comments").map(|row| (row.title.as_str(), &row.node)), Some(("File", &None)));
        let unknown = of("settings/unknown").expect("it is not known");
        assert_eq!(unknown.node, Some("wait-4h".into()));
        assert_eq!(all.len(), counts(document).iter().sum::<usize>());
        let grouped = lines(document, &Filter { grouping: Grouping::Step, ..Filter::default() });
        let is_group = |line: &Line<'_>| matches!(line, Line::Group { title, .. } if title == FILE);
        assert!(grouped.iter().any(is_group));
        // What is taken out is no longer noticed.
        let edit = Edit::SetField { id: "wait-4h".into(), field: "later".into(), value: None };
        let edits = vec![edit];
        fixture::run(&mut app, crate::app::Command::Edit { label: "Change".into(), edits, merge: None });
        let codes: Vec<_> =
            rows(fixture::document(&app)).iter().map(|row| row.finding.diagnostic.code.clone()).collect();
        assert!(!codes.contains(&"settings/unknown".into()) && codes.contains(&"file/comments".into()), "{codes:?}");
    }

    #[test]
    fn all_of_a_kind_are_mended_in_one_step() {
        let mut app = faulty();
        let before = fixture::document(&app).flow().clone();
        let of = |app: &crate::app::App| {
            let lines = lines(fixture::document(app), &Filter::default());
            codes(&lines).into_iter().find(|code| code == "message/unused")
        };
        let code = of(&app).expect("a message that nobody sends");
        assert_eq!(fixable(fixture::document(&app), &code), 2);
        fixture::run(&mut app, Act::FixAll(code.clone()));
        assert_eq!(of(&app), None);
        assert_eq!(fixture::document(&app).history.undo_labels().count(), 1);
        fixture::run(&mut app, CommandId::Undo);
        assert_eq!(fixture::document(&app).flow().messages.len(), before.messages.len());
        assert_eq!(of(&app), Some(code));
        fixture::run(&mut app, Act::FixAll("graph/nothing-like-that".to_owned()));
        assert!(app.toasts.iter().any(|toast| toast.is_error));
    }
}
