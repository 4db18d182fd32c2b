//! Fixtures of checks: short flow texts, and what one check says of them.
//!
//! Every finding with a fix has it applied: the flow must stay valid and the same finding must be gone.

use super::{Check, Finding, Surroundings, WorkspaceCheck, check, check_workspace};
use crate::{
    audience::Audience,
    flow::{Flow, Workspace, edit::apply_all, file},
};

/// A flow text with its surroundings.
pub(super) struct Fixture {
    flow: Flow,
    workspace: Workspace,
    other_flows: Vec<Flow>,
    audience: Option<Audience>,
}

/// A flow from its parts: `nodes: […], edges: […]`, without the head of the file.
pub(super) fn on(parts: &str) -> Fixture {
    Fixture { flow: flow("f", parts), workspace: Workspace::default(), other_flows: Vec::new(), audience: None }
}

fn flow(id: &str, parts: &str) -> Flow {
    let source = format!("(version: 2, id: \"{id}\", name: \"{id}\", {parts})");
    file::read(&source).unwrap_or_else(|d| panic!("{}\n{source}", d.message)).flow
}

pub(super) fn workspace(parts: &str) -> Workspace {
    let source = format!("(version: 1, {parts})");
    file::read_workspace(&source).unwrap_or_else(|d| panic!("{}\n{source}", d.message)).0
}

impl Fixture {
    pub fn within(mut self, parts: &str) -> Self {
        self.workspace = workspace(parts);
        self
    }

    pub fn beside(mut self, id: &str, parts: &str) -> Self {
        self.other_flows.push(flow(id, parts));
        self
    }

    pub fn with(mut self, audience: Audience) -> Self {
        self.audience = Some(audience);
        self
    }

    pub fn findings(&self, flow: &Flow) -> Vec<Finding> {
        let around = Surroundings {
            workspace: &self.workspace,
            other_flows: &self.other_flows,
            audience: self.audience.as_ref(),
        };
        check(flow, &around)
    }

    /// The check finds exactly these places, in order. Fixes are applied.
    #[track_caller]
    pub fn check(&self, check: &Check, expected: &[&str]) {
        let code = check.spec.code;
        let all = self.findings(&self.flow);
        assert_eq!(all, self.findings(&self.flow), "a check says the same twice");
        let found: Vec<&Finding> = all.iter().filter(|f| f.diagnostic.code == code).collect();
        let places: Vec<String> = found.iter().map(|f| f.diagnostic.place.to_string()).collect();
        assert_eq!(places, expected, "{code}: {}", print(&all));
        for finding in found {
            assert!(!finding.diagnostic.message.ends_with('.'), "{}", finding.diagnostic.message);
            let Some(fix) = &finding.fix else { continue };
            let mended = apply_all(&self.flow, &fix.edits)
                .unwrap_or_else(|(n, e)| panic!("{code}: {} is refused: {e}: {:?}", fix.label, fix.edits[n]));
            assert!(mended.invariants().is_empty(), "{code}: {:?}", mended.invariants());
            let left = self.findings(&mended);
            let same =
                left.iter().find(|f| f.diagnostic.code == code && f.diagnostic.place == finding.diagnostic.place);
            assert_eq!(same, None, "{code}: {} does not mend it: {:?}", fix.label, fix.edits);
        }
    }

    /// The same, and each finding has a fix.
    #[track_caller]
    pub fn mends(&self, check: &Check, expected: &[&str]) {
        self.check(check, expected);
        let all = self.findings(&self.flow);
        let unmended = all.iter().find(|f| f.diagnostic.code == check.spec.code && f.fix.is_none());
        assert_eq!(unmended, None, "a fix is expected");
    }

    /// A finding of another room is there with a fix of this label, and the fix mends it.
    #[track_caller]
    pub fn mended(&self, code: &str, label: &str) {
        let all = self.findings(&self.flow);
        let found = all.iter().find(|f| f.diagnostic.code == code).unwrap_or_else(|| panic!("{code}: {}", print(&all)));
        let fix = found.fix.as_ref().unwrap_or_else(|| panic!("{code} has no fix: {:?}", found.diagnostic));
        assert_eq!(fix.label, label);
        let mended = apply_all(&self.flow, &fix.edits).unwrap_or_else(|(_, e)| panic!("{code}: refused: {e}"));
        let left = self.findings(&mended);
        assert!(left.iter().all(|f| f.diagnostic.code != code), "{code}: {}", print(&left));
    }

    /// How many errors the check finds.
    pub fn num_errors(&self, check: &Check) -> usize {
        let all = self.findings(&self.flow);
        let of_check = all.iter().filter(|f| f.diagnostic.code == check.spec.code);
        of_check.filter(|f| f.diagnostic.severity == crate::base::Severity::Error).count()
    }

    #[track_caller]
    pub fn silent(&self, check: &Check) {
        self.check(check, &[]);
    }
}

fn print(findings: &[Finding]) -> String {
    let line = |f: &Finding| format!("\n  {} ({}) {}", f.diagnostic.code, f.diagnostic.place, f.diagnostic.message);
    findings.iter().map(line).collect()
}

/// A workspace from its parts, and the places that a check of it finds.
#[track_caller]
pub(super) fn check_places(check: &WorkspaceCheck, parts: &str, expected: &[&str]) {
    let all = check_workspace(&workspace(parts));
    let found = all.iter().filter(|f| f.diagnostic.code == check.spec.code);
    let places: Vec<String> = found.map(|f| f.diagnostic.place.to_string()).collect();
    assert_eq!(places, expected, "{}: {}", check.spec.code, print(&all));
}
