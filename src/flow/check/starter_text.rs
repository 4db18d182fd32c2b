//! `message/starter-text`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    audience::Channel,
    base::{Place, Severity},
    content::{STARTER_SMS, STARTER_SUBJECT},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "message/starter-text",
        severity: Severity::Warning,
        title: "The words a message begins with",
        what: "A message still has the subject or text that every new message is given.",
        why: "The words are there to be looked at while the flow is drawn; they say nothing about your offer.",
        example: "(id: \"mail-1\", subject: \"Still thinking it over?\", body: blocks([...]))",
        fix: "Write the subject and the text yourself.",
        source: "assumption: what nobody wrote should not be sent",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for message in cx.flow.messages.iter().filter_map(|m| m.section.value()) {
        let (field, is_starter) = match message.channel {
            Channel::Sms => ("text", message.variants.iter().any(|v| v.text.as_deref() == Some(STARTER_SMS))),
            Channel::Email => ("subject", message.variants.iter().any(|v| v.subject == STARTER_SUBJECT)),
        };
        if is_starter {
            let text = format!("The message `{}` still has the words it began with", message.id);
            out.push(CHECK.spec.at(Place::message(&message.id).with_field(field), text).hint("Write your own"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on(r#"messages: [(id: "m", subject: "Still thinking it over?", body: html("x")), (id: "s", channel: sms, text: "Everything is as you left it. Answer STOP to hear no more.")]"#)
            .check(&CHECK, &["message m, subject", "message s, text"]);
        on(r#"messages: [(id: "m", subject: "Still thinking it over", body: html("x")), (id: "s", channel: sms, text: "Hi")]"#)
            .silent(&CHECK);
    }
}
