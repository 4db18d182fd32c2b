//! `workspace/sender-address`

use super::{CheckSpec, Finding, Workspace, WorkspaceCheck};
use crate::base::{Place, Severity};

pub(super) const CHECK: WorkspaceCheck = WorkspaceCheck {
    spec: CheckSpec {
        code: "workspace/sender-address",
        severity: Severity::Error,
        title: "A sender without an address",
        what: "The address of a sender, or the one for answers, is not an e-mail address.",
        why: "Mail cannot leave from it, or answers are lost.",
        example: "(id: \"shop\", name: \"Shop\", email: \"shop\")",
        fix: "Write it as name@example.com.",
        source: "RFC 5321, section 4.1.2",
    },
    run,
};

/// A coarse rule: one @ with something on both sides, a dot in the domain, nothing that could end a header.
pub(super) fn is_address(text: &str) -> bool {
    let clean = text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"<>,;()\"".contains(c));
    let halves = text.split_once('@').filter(|(local, domain)| !local.is_empty() && is_domain(domain));
    clean && halves.is_some() && text.len() <= 254
}

/// A host name with at least one dot.
fn is_domain(text: &str) -> bool {
    let label = |part: &str| !part.is_empty() && !part.contains('@') && !part.starts_with('-') && !part.ends_with('-');
    text.contains('.') && text.split('.').all(label)
}

fn run(workspace: &Workspace, out: &mut Vec<Finding>) {
    for sender in &workspace.senders {
        for (field, address) in [("email", Some(&sender.email)), ("reply_to", sender.reply_to.as_ref())] {
            let Some(address) = address.filter(|address| !is_address(address)) else { continue };
            let place = Place::default().with_field(format!("senders.{}.{field}", sender.id));
            let shown: String = address.chars().take(60).collect();
            let finding = CHECK.spec.at(place, format!("`{}` is not an e-mail address", shown.escape_debug()));
            out.push(finding.hint("Write it as name@example.com"));
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
            r#"senders: [(id: "a", name: "A", email: "a"), (id: "b", name: "B", email: "b@example.com", reply_to: "b@example.com\r\nBcc: x@y.z"), (id: "c", name: "C", email: "c@@d.e")]"#,
            &["senders.a.email", "senders.b.reply_to", "senders.c.email"],
        );
        check_places(&CHECK, r#"senders: [(id: "a", name: "A", email: "a.b+c@mail.example.com")]"#, &[]);
    }
}
