//! `message/wrong-channel`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    audience::Channel,
    base::{Place, Severity},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "message/wrong-channel",
        severity: Severity::Error,
        title: "A message of the other channel",
        what: "An e-mail step sends a text message, or an SMS step an e-mail.",
        why: "An e-mail without subject and body is empty, and a text message cannot carry blocks.",
        example: "(id: \"sms-1\", kind: \"sms\", settings: (message: \"mail-1\"))",
        fix: "Name a message of the step's channel, or change the step's kind.",
        source: "DESIGN 3 (actions)",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let name = |channel| if channel == Channel::Email { "an e-mail" } else { "a text message" };
    let channels: std::collections::BTreeMap<&str, Channel> =
        cx.flow.messages.iter().filter_map(|m| Some((m.id.as_str(), m.section.value()?.channel))).collect();
    for sending in cx.sendings() {
        let Some(channel) = channels.get(sending.message.as_str()).filter(|channel| **channel != sending.channel)
        else {
            continue;
        };
        let message =
            format!("`{}` is {}, but the step sends {}", sending.message, name(*channel), name(sending.channel));
        let place = Place::node(&sending.node.id).with_field("message");
        out.push(CHECK.spec.at(place, message).hint("Name a message of the step's channel, or change the step's kind"));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let messages = r#"messages: [(id: "m"), (id: "s", channel: sms)]"#;
        let nodes = |mail: &str, sms: &str| {
            on(&format!(
                r#"{messages}, nodes: [(id: "a", kind: "email", settings: (message: "{mail}")), (id: "b", kind: "sms", settings: (message: "{sms}"))]"#
            ))
        };
        nodes("s", "m").check(&CHECK, &["step a, message", "step b, message"]);
        nodes("m", "s").silent(&CHECK);
        nodes("x", "y").silent(&CHECK);
    }
}
