//! `message/unknown-block`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity, nearest},
    content::{Block, Body},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "message/unknown-block",
        severity: Severity::Warning,
        title: "A block that cannot be read",
        what: "A block of a mail is of a kind that this version does not know, or has settings that it does not know. It \
               is kept as written and not shown.",
        why: "A part of the mail is missing in every mailbox.",
        example: "heading(txt: \"Hello\")",
        fix: "Correct the name, or get the version that knows the block.",
        source: "DESIGN 6",
    },
    run,
};

const KINDS: [&str; 11] =
    ["heading", "text", "image", "button", "products", "code", "divider", "spacer", "footer", "html", "mjml"];

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for message in cx.flow.messages.iter().filter_map(|m| m.section.value()) {
        let several = message.variants.len() > 1;
        for variant in &message.variants {
            let Body::Blocks(blocks) = &variant.body else { continue };
            for (n, block) in blocks.iter().enumerate() {
                let Block::Unknown(unknown) = block else { continue };
                let kind = block.kind_name();
                let field = if several { format!("variants.{}.body.{n}", variant.id) } else { format!("body.{n}") };
                let place = Place::message(&message.id).with_field(field);
                let finding = CHECK.spec.at(place, format!("The block `{kind}` cannot be read and is not shown"));
                out.push(finding.hint(if KINDS.contains(&kind) {
                    unknown.reason.clone()
                } else {
                    nearest::hint(kind, KINDS)
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on(r#"messages: [(id: "m", body: blocks([text(text: "x"), heding(text: "x"), heading(txt: "x")]))]"#)
            .check(&CHECK, &["message m, body.1", "message m, body.2"]);
        on(r#"messages: [(id: "m", body: blocks([text(text: "x"), heading(text: "x")]))]"#).silent(&CHECK);
    }
}
