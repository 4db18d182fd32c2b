//! `message/missing`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity, nearest},
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "message/missing",
        severity: Severity::Error,
        title: "A message that does not exist",
        what: "The step sends a message that the flow does not have.",
        why: "There is nothing to send; the step holds every contact who comes to it.",
        example: "(id: \"mail-1\", kind: \"email\", settings: (message: \"mial-1\"))",
        fix: "Name one of the flow's messages, or write it.",
        source: "SEMANTICS R27",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let known: std::collections::BTreeSet<&str> = cx.flow.messages.iter().map(|m| m.id.as_str()).collect();
    for sending in cx.sendings() {
        if known.contains(sending.message.as_str()) {
            continue;
        }
        let place = Place::node(&sending.node.id).with_field("message");
        let finding = CHECK.spec.at(place, format!("There is no message `{}`", sending.message));
        let finding = finding.hint(nearest::hint(sending.message.as_str(), known.iter().copied()));
        let near = nearest::nearest(sending.message.as_str(), known.iter().copied());
        out.push(match near.and_then(|near| Some((near, ron::to_string(near).ok()?))) {
            Some((near, value)) => finding.fix(
                format!("Send `{near}`"),
                vec![Edit::SetField { id: sending.node.id.clone(), field: "message".into(), value: Some(value) }],
            ),
            None => finding,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let mails = r#"messages: [(id: "mail-1"), (id: "mail-2", subjet: "cannot be read")]"#;
        on(&format!(r#"{mails}, nodes: [(id: "a", kind: "email", settings: (message: "mial-1"))]"#))
            .mends(&CHECK, &["step a, message"]);
        on(&format!(r#"{mails}, nodes: [(id: "a", kind: "sms", settings: (message: "welcome"))]"#))
            .check(&CHECK, &["step a, message"]);
        on(&format!(r#"{mails}, nodes: [(id: "a", kind: "email", settings: (message: "mail-2"))]"#)).silent(&CHECK);
    }
}
