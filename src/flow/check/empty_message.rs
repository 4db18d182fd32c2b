//! `message/empty`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    audience::Channel,
    base::{Place, Severity},
    content::{Block, Body, Message, Origin, Variant},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "message/empty",
        severity: Severity::Error,
        title: "An empty message",
        what: "A mail has no subject or nothing to read in it, or a text message has no text. A mail of which an import \
               knows only the platform's own template is a warning: it goes back there as it is, and nowhere else.",
        why: "An empty mail never leaves: everybody who comes to the step is held there.",
        example: "(id: \"mail-1\", subject: \"\", body: blocks([footer()]))",
        fix: "Write the subject and at least one block besides the footer.",
        source: "SEMANTICS R27",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for message in cx.flow.messages.iter().filter_map(|m| m.section.value()) {
        for variant in &message.variants {
            if let Some(origin) = variant.only_at().filter(|_| message.channel == Channel::Email) {
                let (of, at) = (of(message, variant), origin.title());
                let text = format!(
                    "Only {at} has the template of the message `{}`{of}: it goes back there as it is, and can neither be \
                     previewed nor sent from elsewhere",
                    message.id
                );
                let finding = CHECK.spec.at(place(message, variant, "body"), text).severity(Severity::Warning);
                out.push(finding.hint("Import the flow again with its templates, or write the mail here"));
            }
            for (field, what) in missing(message, variant) {
                let text = format!("The message `{}`{} has {what}", message.id, of(message, variant));
                out.push(CHECK.spec.at(place(message, variant, field), text).hint("Write it, or delete it"));
            }
        }
    }
}

/// What a version lacks: the field, and what is said of it.
fn missing(message: &Message, variant: &Variant) -> Vec<(&'static str, &'static str)> {
    if message.channel == Channel::Sms {
        let is_empty = variant.text.as_deref().is_none_or(|text| text.trim().is_empty());
        return if is_empty { vec![("text", "no text")] } else { Vec::new() };
    }
    let mut out = Vec::new();
    let only_at = variant.only_at();
    // HubSpot keeps the subject with the e-mail.
    if variant.subject.trim().is_empty() && only_at != Some(Origin::Hubspot) {
        out.push(("subject", "no subject"));
    }
    let is_readable = match &variant.body {
        Body::Blocks(blocks) => blocks.iter().any(says_something),
        body => !body.is_empty(),
    };
    if !is_readable && only_at.is_none() {
        out.push(("body", "nothing to read in its body"));
    }
    out
}

/// Which version it is, where there are several.
fn of(message: &Message, variant: &Variant) -> String {
    if message.variants.len() > 1 { format!(", variant `{}`", variant.id) } else { String::new() }
}

fn place(message: &Message, variant: &Variant, field: &str) -> Place {
    let several = message.variants.len() > 1;
    let field = if several { format!("variants.{}.{field}", variant.id) } else { field.to_owned() };
    Place::message(&message.id).with_field(field)
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
    use crate::content::MailPart;

    #[test]
    fn fixtures() {
        on(r#"messages: [(id: "m"), (id: "s", channel: sms), (id: "f", subject: " ", body: blocks([text(text: " "), divider(), footer()]))]"#)
            .check(&CHECK, &["message f, body", "message f, subject", "message m, body", "message m, subject", "message s, text"]);
        on(r#"messages: [(id: "m", variants: [(id: "a", subject: "A", body: html("x")), (id: "b", subject: "B")])]"#)
            .check(&CHECK, &["message m, variants.b.body"]);
        on(r#"messages: [(id: "m", subject: "A", body: blocks([countdown(to: 1)])), (id: "s", channel: sms, text: "Hi")]"#)
            .silent(&CHECK);
    }

    /// Of an import whose templates were not given.
    #[test]
    fn a_template_that_only_its_platform_has_is_a_warning() {
        let mut variant = Variant { subject: "A".into(), ..Variant::default() };
        variant.keep(Origin::Klaviyo, MailPart::Template, "TmPl01");
        let kept = crate::content::ron_options().to_string(&variant.kept).expect("writes");
        let all = format!(
            r#"messages: [(id: "m", variants: [(id: "a", subject: "A", kept: {kept})]),
                (id: "n", variants: [(id: "a", kept: {kept})]), (id: "h", variants: [(id: "a", kept: {})]),
                (id: "w", variants: [(id: "a", subject: "A", text: "Hi", kept: {kept})])]"#,
            kept.replace("klaviyo", "hubspot")
        );
        on(&all).check(&CHECK, &["message n, subject", "message w, body", "message h, body", "message m, body", "message n, body"]);
        assert_eq!(on(&all).num_errors(&CHECK), 2, "a missing subject, and one whose text was written");
    }
}
