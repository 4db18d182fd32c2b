//! `workspace/duplicate-name`

use std::collections::BTreeSet;

use super::{CheckSpec, Finding, Workspace, WorkspaceCheck};
use crate::base::{Place, Severity};

pub(super) const CHECK: WorkspaceCheck = WorkspaceCheck {
    spec: CheckSpec {
        code: "workspace/duplicate-name",
        severity: Severity::Error,
        title: "Two things of one name",
        what: "Two events, score models, senders, code pools or lists of the workspace have the same name.",
        why: "Flows name them; the first is taken and the second does nothing.",
        example: "senders: [(id: \"shop\", …), (id: \"shop\", …)]",
        fix: "Rename or delete one of them.",
        source: "DESIGN 3 (workspace)",
    },
    run,
};

fn run(workspace: &Workspace, out: &mut Vec<Finding>) {
    let mut check = |part: &str, names: Vec<&str>| {
        let mut seen = BTreeSet::new();
        for (n, name) in names.into_iter().enumerate() {
            if !seen.insert(name) {
                let place = Place::default().with_field(format!("{part}.{n}"));
                out.push(
                    CHECK.spec.at(place, format!("The name `{name}` is taken")).hint("Rename or delete one of them"),
                );
            }
        }
    };
    check("events", workspace.events.iter().map(|event| event.name.as_str()).collect());
    check("scores", workspace.scores.iter().map(|model| model.name.as_str()).collect());
    check("senders", workspace.senders.iter().map(|sender| sender.id.as_str()).collect());
    check("code_pools", workspace.code_pools.iter().map(|pool| pool.name.as_str()).collect());
    check("lists", workspace.lists.iter().map(|list| list.as_str()).collect());
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::check_places, *};

    #[test]
    fn fixtures() {
        check_places(
            &CHECK,
            r#"events: [(name: "A"), (name: "A")], lists: ["L", "M", "L"], code_pools: [(name: "p"), (name: "p")]"#,
            &["code_pools.1", "events.1", "lists.2"],
        );
        check_places(&CHECK, r#"events: [(name: "A"), (name: "B")], lists: ["A"]"#, &[]);
    }
}
