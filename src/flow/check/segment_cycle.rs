//! `workspace/segment-cycle`

use super::{CheckSpec, Finding, Workspace, WorkspaceCheck, context::parts};
use crate::{
    audience::Condition,
    base::{Place, Severity},
};

pub(super) const CHECK: WorkspaceCheck = WorkspaceCheck {
    spec: CheckSpec {
        code: "workspace/segment-cycle",
        severity: Severity::Error,
        title: "A segment that stands on itself",
        what: "The condition of a segment asks whether the contact is in that segment, itself or through others.",
        why: "The question has no answer, which counts as no.",
        example: "segments: {\"VIP\": \"in segment \\\"VIP\\\" or contact.lifetime_value > 500\"}",
        fix: "Write the condition out.",
        source: "SEMANTICS R5",
    },
    run,
};

fn run(workspace: &Workspace, out: &mut Vec<Finding>) {
    let names: Vec<&str> = workspace.segments.keys().map(|name| name.as_str()).collect();
    let inside: Vec<Vec<usize>> = workspace
        .segments
        .values()
        .map(|condition| {
            let used = parts(condition.condition()).into_iter().filter_map(|part| match part {
                Condition::InSegment(name) => names.binary_search(&name.as_str()).ok(),
                _ => None,
            });
            used.collect()
        })
        .collect();
    // Segments that stand on nothing are taken away until none is left to take; what remains is or holds a cycle.
    let mut open: Vec<usize> = inside.iter().map(Vec::len).collect();
    let mut users = vec![Vec::new(); names.len()];
    for (user, used) in inside.iter().enumerate() {
        used.iter().for_each(|segment| users[*segment].push(user));
    }
    let mut ready: Vec<usize> = (0..names.len()).filter(|n| open[*n] == 0).collect();
    while let Some(n) = ready.pop() {
        for user in &users[n] {
            open[*user] -= 1;
            if open[*user] == 0 {
                ready.push(*user);
            }
        }
    }
    for (name, _) in names.iter().zip(&open).filter(|(_, open)| **open > 0) {
        let place = Place::default().with_field(format!("segments.{name}"));
        let message = format!("The segment \u{201c}{name}\u{201d} stands on itself, or on one that does");
        out.push(CHECK.spec.at(place, message).hint("Write the condition out"));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::check_places, *};

    #[test]
    fn fixtures() {
        check_places(
            &CHECK,
            r#"segments: {"A": "in segment \"B\"", "B": "contact.x > 3 or not (in segment \"A\")", "C": "in segment \"C\"", "D": "contact.x > 3"}"#,
            &["segments.A", "segments.B", "segments.C"],
        );
        check_places(&CHECK, r#"segments: {"A": "in segment \"B\" and in segment \"B\"", "B": "contact.x > 3"}"#, &[]);
    }
}
