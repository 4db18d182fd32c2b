//! `workspace/no-postal-address`

use super::{CheckSpec, Finding, Workspace, WorkspaceCheck};
use crate::base::{Place, Severity};

pub(super) const CHECK: WorkspaceCheck = WorkspaceCheck {
    spec: CheckSpec {
        code: "workspace/no-postal-address",
        severity: Severity::Warning,
        title: "No postal address",
        what: "The workspace has a sender, but its brand has no postal address for the footer.",
        why: "Commercial mail must show where its sender can be reached by post.",
        example: "brand: (name: \"Meridian Watches\")",
        fix: "Write it in one line: brand: (address: \"Meridian Watches, 12 Harbour Lane, 20457 Hamburg\").",
        source: "15 U.S.C. 7704(a)(5)(A)(iii)",
    },
    run,
};

fn run(workspace: &Workspace, out: &mut Vec<Finding>) {
    if !workspace.senders.is_empty() && workspace.brand.address.trim().is_empty() {
        let place = Place::default().with_field("brand.address");
        let finding = CHECK.spec.at(place, "The footer of mails has no postal address to show");
        out.push(finding.hint("Write name, street and town in one line"));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::check_places, *};

    #[test]
    fn fixtures() {
        let sender = r#"senders: [(id: "s", name: "S", email: "s@example.com")]"#;
        check_places(&CHECK, sender, &["brand.address"]);
        check_places(&CHECK, &format!(r#"{sender}, brand: (address: "1 Street")"#), &[]);
        check_places(&CHECK, "", &[]);
    }
}
