//! `message/unused`

use std::collections::BTreeSet;

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "message/unused",
        severity: Severity::Hint,
        title: "A message that no step sends",
        what: "The flow has a message that none of its steps names.",
        why: "Either a step was forgotten, or the file carries a draft that nobody will read.",
        example: "messages: [(id: \"mail-4\", …)] and no step with message: \"mail-4\"",
        fix: "Add a step that sends it, or delete it.",
        source: "DESIGN 3 (messages)",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let sent: BTreeSet<&str> = cx.sendings().map(|sending| sending.message.as_str()).collect();
    for message in cx.flow.messages.iter().filter(|m| !sent.contains(m.id.as_str())) {
        out.push(
            CHECK
                .spec
                .at(Place::message(&message.id), format!("No step sends the message `{}`", message.id))
                .hint("Add a step that sends it, or delete it")
                .fix("Delete the message", vec![Edit::RemoveMessage(message.id.clone())]),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let parts = r#"messages: [(id: "m"), (id: "n")], nodes: [(id: "a", kind: "email", settings: (message: "m"))"#;
        on(&format!("{parts}]")).mends(&CHECK, &["message n"]);
        on(&format!(r#"{parts}, (id: "b", kind: "sms", settings: (message: "n"))]"#)).silent(&CHECK);
    }
}
