//! What mends findings of the mail room: each fix sets the message anew.
//!
//! The one idea: a fix is offered only where one answer is right for every mail; words are the writer's.

use super::Fix;
use crate::{
    base::Diagnostic,
    content::{Block, Body, Message, Variant},
    flow::Edit,
};

/// The edits that mend a finding about a mail, if one answer is right.
pub(super) fn fix(message: &Message, found: &Diagnostic) -> Option<Fix> {
    let field = found.place.field.as_deref()?;
    let (idx, part) = match field.strip_prefix("variants.") {
        Some(rest) => {
            let (id, part) = rest.split_once('.')?;
            (message.variants.iter().position(|variant| variant.id == id)?, part)
        }
        None => (0, field),
    };
    let mut mended = message.clone();
    let variant = mended.variants.get_mut(idx)?;
    let label = match found.code.as_ref() {
        "mail/no-alt" => {
            decoration(variant, part)?;
            "Say that the picture is decoration"
        }
        "mail/link-not-https" | "mail/image-not-https" => {
            encrypt(variant, part, found)?;
            "Use https"
        }
        "mail/subject-exclamation" => {
            let first = variant.subject.find('!')?;
            let rest = variant.subject.split_off(first + 1).replace('!', "");
            variant.subject.push_str(rest.trim_end());
            "Keep one exclamation mark"
        }
        "mail/no-viewport" => {
            let Body::Html(source) = &mut variant.body else { return None };
            let head = source.to_ascii_lowercase().find("<head>")? + "<head>".len();
            source.insert_str(head, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
            "Add a viewport"
        }
        _ => return None,
    };
    (mended != *message).then(|| Fix { label: label.to_owned(), edits: vec![Edit::SetMessage(Box::new(mended))] })
}

fn decoration(variant: &mut Variant, part: &str) -> Option<()> {
    let n: usize = part.strip_prefix("body.")?.split('.').next()?.parse().ok()?;
    let Body::Blocks(blocks) = &mut variant.body else { return None };
    match blocks.get_mut(n)? {
        Block::Image { alt: alt @ None, .. } => {
            *alt = Some(String::new());
            Some(())
        }
        _ => None,
    }
}

/// Makes `http://` at the place of a finding `https://`.
fn encrypt(variant: &mut Variant, part: &str, found: &Diagnostic) -> Option<()> {
    match &mut variant.body {
        Body::Html(source) | Body::Mjml(source) => {
            let range = found.place.range?;
            let at = range.start + source.get(range.start..range.end)?.find("http://")?;
            source.replace_range(at..at + "http://".len(), "https://");
        }
        Body::Blocks(blocks) => {
            let mut steps = part.strip_prefix("body.")?.split('.');
            let block = blocks.get_mut(steps.next()?.parse::<usize>().ok()?)?;
            let mut json = serde_json::to_value(&*block).ok()?;
            let mut inside = json.as_object_mut()?.values_mut().next()?;
            for step in steps {
                inside = match inside {
                    serde_json::Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?)?,
                    other => other.get_mut(step)?,
                };
            }
            let text = inside.as_str()?.replace("http://", "https://");
            *inside = text.into();
            *block = serde_json::from_value(json).ok()?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::on;

    /// The finding is there with this fix, and gone when it is applied.
    #[track_caller]
    fn check(content: &str, code: &str, label: &str) {
        let fixture = on(&format!(
            r#"nodes: [(id: "a", kind: "email", settings: (message: "m"))], messages: [(id: "m", preheader: "P", {content})]"#
        ));
        fixture.mended(code, label);
    }

    #[test]
    fn fixtures() {
        check(
            r#"subject: "S", body: blocks([text(text: "x"), image(src: "https://x.example/a.png"), footer()])"#,
            "mail/no-alt",
            "Say that the picture is decoration",
        );
        check(
            r#"subject: "S", body: blocks([button(text: "x", href: "http://x.example"), footer()])"#,
            "mail/link-not-https",
            "Use https",
        );
        check(
            r#"subject: "S", body: html("<html><head></head><body>x<img alt='' src='http://x.example/a.png'><a href='{unsubscribe_url}'>x</a></body></html>")"#,
            "mail/image-not-https",
            "Use https",
        );
        check(
            r#"subject: "S", body: html("<html><head></head><body>x<a href='{unsubscribe_url}'>x</a></body></html>")"#,
            "mail/no-viewport",
            "Add a viewport",
        );
        check(
            r#"variants: [(id: "a", subject: "Now! Today!!", preheader: "P", body: blocks([text(text: "x"), footer()])), (id: "b", subject: "S", preheader: "P", body: blocks([text(text: "x"), footer()]))]"#,
            "mail/subject-exclamation",
            "Keep one exclamation mark",
        );
    }
}
