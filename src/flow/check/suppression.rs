//! `workspace/suppression`

use super::{CheckSpec, Finding, Workspace, WorkspaceCheck, sender_address::is_address};
use crate::base::{Place, Severity};

pub(super) const CHECK: WorkspaceCheck = WorkspaceCheck {
    spec: CheckSpec {
        code: "workspace/suppression",
        severity: Severity::Error,
        title: "A suppression that holds nobody back",
        what: "An entry of the suppression list is not a whole e-mail address. Domains, patterns and phone numbers are not \
               known there.",
        why: "Somebody who must never be mailed is mailed.",
        example: "suppression: [\"ada at example.com\"]",
        fix: "Write the address as it stands in the contact: ada@example.com.",
        source: "SEMANTICS R22 (suppression)",
    },
    run,
};

fn run(workspace: &Workspace, out: &mut Vec<Finding>) {
    for (n, entry) in workspace.suppression.iter().enumerate() {
        if !is_address(entry.trim()) {
            let shown: String = entry.chars().take(60).collect();
            let place = Place::default().with_field(format!("suppression.{n}"));
            let finding = CHECK.spec.at(place, format!("`{}` holds nobody back", shown.escape_debug()));
            out.push(finding.hint("Write an address such as ada@example.com"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::check_places, *};

    #[test]
    fn fixtures() {
        check_places(
            &CHECK,
            r#"suppression: ["ada at example.com", "", "a@b.c", "@example.com"]"#,
            &["suppression.0", "suppression.1", "suppression.3"],
        );
        check_places(&CHECK, r#"suppression: ["a@b.c", " Ada@Example.com "]"#, &[]);
    }
}
