//! `message/no-unsubscribe`

use std::collections::BTreeSet;

use super::{
    Check, CheckSpec, Context, Finding,
    texts::{Text, variant_texts},
};
use crate::{
    audience::Channel,
    base::{Place, Severity},
    content::{Block, Body, Message, Variant},
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "message/no-unsubscribe",
        severity: Severity::Error,
        title: "A marketing mail without a way out",
        what: "A mail that is not transactional has neither a footer that is always shown nor a link to \
               {unsubscribe_url}.",
        why: "The law asks for it in most places, and mailbox providers send mail without it to the junk folder.",
        example: "body: blocks([heading(text: \"Still interested?\"), button(…)])",
        fix: "Add a footer block, or a link to {unsubscribe_url}.",
        source: "15 U.S.C. 7704(a)(3); Directive 2002/58/EC, article 13(4); RFC 8058",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let marketing: BTreeSet<&str> = cx
        .sendings()
        .filter(|sending| sending.channel == Channel::Email && !sending.is_transactional())
        .map(|sending| sending.message.as_str())
        .collect();
    for message in cx.flow.messages.iter().filter_map(|m| m.section.value()) {
        if message.channel != Channel::Email || !marketing.contains(message.id.as_str()) {
            continue;
        }
        for (idx, variant) in message.variants.iter().enumerate() {
            if variant.body.is_empty() || can_leave(variant) {
                continue;
            }
            let several = message.variants.len() > 1;
            let of = if several { format!(", variant `{}`,", variant.id) } else { String::new() };
            let field = if several { format!("variants.{}.body", variant.id) } else { "body".to_owned() };
            let text = format!("The message `{}`{of} has no link to unsubscribe", message.id);
            let finding = CHECK.spec.at(Place::message(&message.id).with_field(field), text);
            let finding = finding.hint("Add a footer block, or a link to {unsubscribe_url}");
            out.push(match with_footer(message, idx) {
                Some(mended) => finding.fix("Add a footer", vec![Edit::SetMessage(Box::new(mended))]),
                None => finding,
            });
        }
    }
}

fn can_leave(variant: &Variant) -> bool {
    let footer = match &variant.body {
        Body::Blocks(blocks) => blocks.iter().any(|block| matches!(block, Block::Footer { show_if: None, .. })),
        Body::Html(_) | Body::Mjml(_) => false,
    };
    let in_body = |text: &Text<'_>| match text {
        Text::Template(text) | Text::Expression(text) | Text::Name(text) => text.contains("unsubscribe_url"),
    };
    footer || variant_texts(variant).iter().any(in_body)
}

fn with_footer(message: &Message, idx: usize) -> Option<Message> {
    let mut mended = message.clone();
    match &mut mended.variants.get_mut(idx)?.body {
        Body::Blocks(blocks) => blocks.push(Block::from_ron("footer()")),
        Body::Html(_) | Body::Mjml(_) => return None,
    }
    Some(mended)
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixture::{Fixture, on},
        *,
    };

    fn mail(settings: &str, content: &str) -> Fixture {
        on(&format!(
            r#"nodes: [(id: "a", kind: "email", settings: (message: "m" {settings}))], messages: [(id: "m", {content})]"#
        ))
    }

    #[test]
    fn fixtures() {
        mail("", r#"body: blocks([text(text: "x")])"#).mends(&CHECK, &["message m, body"]);
        mail("", r#"body: blocks([text(text: "x"), footer(show_if: "vip")])"#).mends(&CHECK, &["message m, body"]);
        mail("", r#"body: html("<p>x</p>")"#).check(&CHECK, &["message m, body"]);
        mail("", r#"variants: [(id: "a", body: blocks([footer()])), (id: "b", body: blocks([text(text: "x")]))]"#)
            .mends(&CHECK, &["message m, variants.b.body"]);
        mail("", r#"body: blocks([text(text: "x"), footer()])"#).silent(&CHECK);
        mail("", r#"body: html("<a href='{unsubscribe_url}'>x</a>")"#).silent(&CHECK);
        mail(", transactional: true", r#"body: blocks([text(text: "x")])"#).silent(&CHECK);
        mail("", "").silent(&CHECK);
    }
}
