//! `workspace/cap-never-used`

use super::{CheckSpec, Finding, Workspace, WorkspaceCheck};
use crate::{
    base::{Place, Severity},
    kinds::{CapRule, Limit},
};

pub(super) const CHECK: WorkspaceCheck = WorkspaceCheck {
    spec: CheckSpec {
        code: "workspace/cap-never-used",
        severity: Severity::Warning,
        title: "A cap that does not do what it says",
        what: "A row of the caps comes after one that takes everybody on the same channel, or lets nothing through, or \
               has no window.",
        why: "The first row that matches counts; a row for a segment belongs before the one for all.",
        example: "caps: [(limit: at_most(3)), (limit: at_most(5), segment: \"VIP\")]",
        fix: "Put the rows for segments first.",
        source: "SEMANTICS R23",
    },
    run,
};

fn run(workspace: &Workspace, out: &mut Vec<Finding>) {
    for (n, rule) in workspace.caps.iter().enumerate() {
        let place = || Place::default().with_field(format!("caps.{n}"));
        let takes_all = |before: &&CapRule| {
            before.channel == rule.channel
                && before.scope == rule.scope
                && (before.segment.is_none() || before.segment == rule.segment)
        };
        if workspace.caps[..n].iter().any(|before| takes_all(&before)) {
            let finding = CHECK.spec.at(place(), "A row before this one takes the same contacts, so it never counts");
            out.push(finding.hint("Put the rows for segments first"));
        }
        if rule.limit == Limit::AtMost(0) {
            let finding = CHECK.spec.at(place(), "The cap lets no message through");
            out.push(finding.hint("Give it a limit of 1 or more; consent is what keeps messages from people"));
        }
        if rule.within.about_millis() <= 0 {
            out.push(CHECK.spec.at(place(), "The cap has no window").hint("Give it a span such as \"48 h\""));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::check_places, *};

    #[test]
    fn fixtures() {
        check_places(&CHECK, r#"caps: [(limit: at_most(3)), (limit: at_most(5), segment: "VIP")]"#, &["caps.1"]);
        check_places(
            &CHECK,
            r#"caps: [(limit: at_most(0)), (limit: at_most(1), channel: sms, within: "0 h")]"#,
            &["caps.0", "caps.1"],
        );
        check_places(
            &CHECK,
            r#"caps: [(limit: at_most(5), segment: "VIP"), (limit: at_most(3)), (limit: at_most(1), channel: sms), (limit: none, scope: flow)]"#,
            &[],
        );
    }
}
