//! `message/empty`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    audience::Channel,
    base::{Place, Severity},
    content::{Block, Body},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "message/empty",
        severity: Severity::Error,
        title: "An empty message",
        what: "A mail has no subject or nothing to read in it, or a text message has no text.",
        why: "An empty mail never leaves: everybody who comes to the step is held there.",
        example: "(id: \"mail-1\", subject: \"\", body: blocks([footer()]))",
        fix: "Write the subject and at least one block besides the footer.",
        source: "SEMANTICS R27",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for message in cx.flow.messages.iter().filter_map(|m| m.section.value()) {
        let several = message.variants.len() > 1;
        for variant in &message.variants {
            let mut push = |field: &str, what: &str| {
                let of = if several { format!(", variant `{}`", variant.id) } else { String::new() };
                let field = if several { format!("variants.{}.{field}", variant.id) } else { field.to_owned() };
                let text = format!("The message `{}`{of} has {what}", message.id);
                out.push(
                    CHECK.spec.at(Place::message(&message.id).with_field(field), text).hint("Write it, or delete it"),
                );
            };
            if message.channel == Channel::Sms {
                if variant.text.as_deref().is_none_or(|text| text.trim().is_empty()) {
                    push("text", "no text");
                }
                continue;
            }
            if variant.subject.trim().is_empty() {
                push("subject", "no subject");
            }
            let readable = match &variant.body {
                Body::Blocks(blocks) => blocks.iter().any(says_something),
                body => !body.is_empty(),
            };
            if !readable {
                push("body", "nothing to read in its body");
            }
        }
    }
}

/// A block that is not only furniture. One that cannot be read may say something.
fn says_something(block: &Block) -> bool {
    match block {
        Block::Divider { .. } | Block::Spacer { .. } | Block::Footer { .. } => false,
        Block::Columns { .. } => block.inner().any(says_something),
        Block::Countdown { on, .. } => *on,
        Block::Heading { text, .. } | Block::Text { text, .. } => !text.trim().is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on(r#"messages: [(id: "m"), (id: "s", channel: sms), (id: "f", subject: " ", body: blocks([text(text: " "), divider(), footer()]))]"#)
            .check(&CHECK, &["message f, body", "message f, subject", "message m, body", "message m, subject", "message s, text"]);
        on(r#"messages: [(id: "m", variants: [(id: "a", subject: "A", body: html("x")), (id: "b", subject: "B")])]"#)
            .check(&CHECK, &["message m, variants.b.body"]);
        on(r#"messages: [(id: "m", subject: "A", body: blocks([countdown(to: 1)])), (id: "s", channel: sms, text: "Hi")]"#)
            .silent(&CHECK);
    }
}
