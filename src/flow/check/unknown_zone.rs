//! `workspace/unknown-zone`

use super::{CheckSpec, Finding, Workspace, WorkspaceCheck};
use crate::base::{Place, Severity, Zone};

pub(super) const CHECK: WorkspaceCheck = WorkspaceCheck {
    spec: CheckSpec {
        code: "workspace/unknown-zone",
        severity: Severity::Error,
        title: "A time zone that does not exist",
        what: "The workspace's zone is not a name of the IANA time zone data.",
        why: "Contacts without a zone of their own would get their mails by UTC, hours early or late.",
        example: "zone: \"Berlin\"",
        fix: "Write region and city: zone: \"Europe/Berlin\".",
        source: "SEMANTICS R17",
    },
    run,
};

fn run(workspace: &Workspace, out: &mut Vec<Finding>) {
    if Zone::named(&workspace.zone).is_err() {
        let message = format!("There is no time zone `{}`", workspace.zone);
        out.push(
            CHECK.spec.at(Place::default().with_field("zone"), message).hint("Write region and city: Europe/Berlin"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::check_places, *};

    #[test]
    fn fixtures() {
        check_places(&CHECK, r#"zone: "Berlin""#, &["zone"]);
        check_places(&CHECK, r#"zone: """#, &["zone"]);
        check_places(&CHECK, r#"zone: "Europe/Berlin""#, &[]);
    }
}
