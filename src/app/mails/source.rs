//! The body of a mail in another form: blocks, one source of HTML, one of MJML.
//!
//! The one idea: what becomes of the mail is made and tried before anything changes; where a part of it would be lost
//! the switch is refused with the reason. Deliberately not here: editing a source (see `app::inspector::message`).

use crate::{
    app::{Document, inspector::Ready},
    base::{Diagnostic, MessageId, Severity},
    content::{Block, Body, Brand, Field, Language, Message, OnPhone, PreparedMessage, Variant, whole_source},
    flow::{Edit, Flow},
};

/// How a body is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// As blocks.
    Blocks,
    /// As one HTML source.
    Html,
    /// As one MJML source.
    Mjml,
}

impl Form {
    /// All, as a menu lists them.
    pub const ALL: [Self; 3] = [Self::Blocks, Self::Html, Self::Mjml];

    /// The form of a body.
    pub fn of(body: &Body) -> Self {
        match body {
            Body::Blocks(_) => Self::Blocks,
            Body::Html(_) => Self::Html,
            Body::Mjml(_) => Self::Mjml,
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Blocks => "Blocks",
            Self::Html => "HTML",
            Self::Mjml => "MJML",
        }
    }
}

/// A switch that is ready.
#[derive(Debug)]
pub struct Switched {
    /// The edit.
    pub ready: Ready,
    /// What becomes of the mail, as a sentence.
    pub said: &'static str,
}

/// The switch of a variant's body to another form.
///
/// Errors: a sentence that says what would be lost, or what is wrong with the mail.
pub fn switch(flow: &Flow, brand: &Brand, id: &MessageId, variant_idx: usize, to: Form) -> Result<Switched, String> {
    let message = flow.message(id.as_str()).ok_or("The message is gone")?;
    let variant = message.variants.get(variant_idx).ok_or("This variant is gone")?;
    let fields: Vec<Field> = flow.fields().cloned().collect();
    let whole = |language| {
        let found = whole_source(message, variant, &fields, brand, language).map_err(|found| first_error(&found))?;
        found.ok_or_else(|| "There is no such source of this mail".to_owned())
    };
    let (body, said) = match (&variant.body, to) {
        (Body::Blocks(blocks), Form::Html | Form::Mjml) if blocks.is_empty() => {
            let begun =
                if to == Form::Html { Body::Html(NEW_HTML.to_owned()) } else { Body::Mjml(NEW_MJML.to_owned()) };
            return changed(message, variant_idx, begun, to, "The body is a new source now: go on in the editor");
        }
        (Body::Blocks(_), Form::Html) => (
            Body::Html(whole(Language::Html)?),
            "The blocks are one HTML source now, and the plain text is made from it. Undo brings the blocks back",
        ),
        (Body::Blocks(_), Form::Mjml) => (
            Body::Mjml(whole(Language::Mjml)?),
            "The blocks are one MJML source now, and the plain text is made from it. Undo brings the blocks back",
        ),
        (Body::Mjml(_), Form::Html) => (
            Body::Html(whole(Language::Html)?),
            "The MJML is the HTML now that it was drawn as. Undo brings the MJML back",
        ),
        (Body::Html(source), Form::Mjml) => {
            (Body::Mjml(html_in_mjml(source)?), "The HTML stands as it is in an mj-raw of an MJML source now")
        }
        (Body::Html(source), Form::Blocks) => (
            Body::Blocks(vec![Block::Html { html: html_for_block(source)?, on_phone: OnPhone::Same, show_if: None }]),
            "The HTML stands in one HTML block now, on the brand's sheet",
        ),
        (Body::Mjml(source), Form::Blocks) => (
            Body::Blocks(vec![Block::Mjml { mjml: mjml_for_block(source)?, on_phone: OnPhone::Same, show_if: None }]),
            "The MJML stands in one MJML block now, below the brand's header",
        ),
        (Body::Blocks(_), Form::Blocks) | (Body::Html(_), Form::Html) | (Body::Mjml(_), Form::Mjml) => {
            return Err(format!("The body is {} already", to.title()));
        }
    };
    let new = Variant { body: body.clone(), ..variant.clone() };
    if PreparedMessage::new(message, variant, &fields, brand).is_ok() {
        // What was right stays right: else something in it has no place in the other form.
        PreparedMessage::new(message, &new, &fields, brand)
            .map_err(|found| format!("As {} this mail could not be drawn: {}", to.title(), first_error(&found)))?;
    }
    changed(message, variant_idx, body, to, said)
}

/// What a body without blocks begins as.
const NEW_HTML: &str = "<p>Hello</p>\n";
const NEW_MJML: &str = "<mjml>\n<mj-body>\n<mj-section>\n<mj-column>\n<mj-text>Hello</mj-text>\n</mj-column>\n\
                        </mj-section>\n</mj-body>\n</mjml>\n";

fn changed(
    message: &Message,
    variant_idx: usize,
    body: Body,
    to: Form,
    said: &'static str,
) -> Result<Switched, String> {
    let mut message = message.clone();
    message.variants.get_mut(variant_idx).ok_or("This variant is gone")?.body = body;
    let edits = vec![Edit::SetMessage(Box::new(message))];
    Ok(Switched {
        ready: Ready { label: format!("Change to {}", to.title()), edits, merge: None, workspace: None },
        said,
    })
}

/// Switches the body in a document, as one step of its history; gives the sentence for people.
pub(super) fn perform(
    document: &mut Document,
    id: &MessageId,
    variant_idx: usize,
    to: Form,
) -> Result<&'static str, String> {
    let home = std::sync::Arc::clone(&document.home);
    let Switched { ready, said } = switch(document.flow(), &home.workspace.brand, id, variant_idx, to)?;
    document.edit(&ready.label, &ready.edits, None).map_err(|error| error.to_string())?;
    Ok(said)
}

fn first_error(found: &[Diagnostic]) -> String {
    let error = found.iter().find(|found| found.severity == Severity::Error).or(found.first());
    error.map_or_else(|| "This mail cannot be drawn".to_owned(), |error| error.message.clone())
}

/// An element of a source: its attributes, and what stands in it.
struct Element<'a> {
    attributes: &'a str,
    inside: &'a str,
}

/// The first element of a name; `None` where there is none. Names are found whatever their case.
fn element<'a>(source: &'a str, lower: &str, name: &str) -> Option<Element<'a>> {
    let opens = format!("<{name}");
    let ends_name = |at: usize| {
        let next = lower.as_bytes().get(at + opens.len());
        next.is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
    };
    let start = lower.match_indices(&opens).map(|(at, _)| at).find(|at| ends_name(*at))?;
    let end = start + lower.get(start..)?.find('>')?;
    let attributes = source.get(start + opens.len()..end)?;
    if let Some(attributes) = attributes.strip_suffix('/') {
        return Some(Element { attributes: attributes.trim(), inside: "" });
    }
    let close = lower.get(end..)?.rfind(&format!("</{name}")).map_or(source.len(), |at| end + at);
    Some(Element { attributes: attributes.trim(), inside: source.get(end + 1..close)? })
}

/// The body of an HTML source that may be a whole document.
///
/// Errors: what of it has no place outside of a document of its own.
fn html_for_block(source: &str) -> Result<String, String> {
    let lower = source.to_ascii_lowercase();
    if let Some(head) = element(source, &lower, "head") {
        let head = head.inside.to_ascii_lowercase();
        if head.contains("<style") || head.contains("<link") {
            return Err(
                "Its head has a style sheet, which would be lost in a block: write the styles at the elements \
                        and remove the sheet first"
                    .to_owned(),
            );
        }
    }
    match element(source, &lower, "body") {
        None if lower.contains("<html") => Err("This document has no body to put into a block".to_owned()),
        None => Ok(source.to_owned()),
        Some(body) if body.attributes.is_empty() => Ok(body.inside.trim().to_owned()),
        Some(body) => Ok(format!("<div {}>\n{}\n</div>", plain_attributes(&body)?, body.inside.trim())),
    }
}

/// Attributes of a body that a `div` may have, too.
fn plain_attributes<'a>(body: &Element<'a>) -> Result<&'a str, String> {
    let lower = body.attributes.to_ascii_lowercase();
    for lost in ["bgcolor", "background=", "onload", "link=", "text="] {
        if lower.contains(lost) {
            let lost = lost.trim_end_matches('=');
            return Err(format!("The body's `{lost}` would be lost: write it as a style first"));
        }
    }
    Ok(body.attributes)
}

/// HTML in a document of MJML.
fn html_in_mjml(source: &str) -> Result<String, String> {
    let lower = source.to_ascii_lowercase();
    let raw_head = match element(source, &lower, "head") {
        Some(head) if !head.inside.trim().is_empty() => {
            format!("<mj-head>\n<mj-raw>\n{}\n</mj-raw>\n</mj-head>\n", head.inside.trim())
        }
        _ => String::new(),
    };
    let body = match element(source, &lower, "body") {
        None if lower.contains("<html") => return Err("This document has no body to put into MJML".to_owned()),
        None => source.trim().to_owned(),
        Some(body) if body.attributes.is_empty() => body.inside.trim().to_owned(),
        Some(body) => format!("<div {}>\n{}\n</div>", plain_attributes(&body)?, body.inside.trim()),
    };
    Ok(format!("<mjml>\n{raw_head}<mj-body>\n<mj-raw>\n{body}\n</mj-raw>\n</mj-body>\n</mjml>\n"))
}

/// The sections of an MJML source.
///
/// Errors: what of its head or body has no place in a block.
fn mjml_for_block(source: &str) -> Result<String, String> {
    let lower = source.to_ascii_lowercase();
    if let Some(head) = element(source, &lower, "mj-head") {
        let head = head.inside.to_ascii_lowercase();
        for (tag, what) in [
            ("<mj-style", "styles"),
            ("<mj-attributes", "attributes for all elements"),
            ("<mj-font", "fonts"),
            ("<mj-breakpoint", "a width for phones"),
            ("<mj-raw", "HTML"),
            ("<mj-preview", "a preview line"),
            ("<mj-html-attributes", "HTML attributes"),
        ] {
            if head.contains(tag) {
                return Err(format!(
                    "Its mj-head has {what}, which would be lost in a block: move them to the elements, or remove \
                     `{tag}>` first"
                ));
            }
        }
    }
    let body = element(source, &lower, "mj-body").ok_or("This MJML has no mj-body to put into a block")?;
    if !matches!(body.attributes, "" | "width=\"600px\"") {
        return Err(format!(
            "The settings of its mj-body would be lost in a block: remove `{}` first",
            body.attributes
        ));
    }
    Ok(body.inside.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{CommandId, fixture, mails::Act, stage},
        content::RenderedMail,
    };

    fn messages(flow: &Flow) -> impl Iterator<Item = &Message> {
        flow.messages.iter().filter_map(|section| flow.message(section.id.as_str()))
    }

    /// Every mail of the sample for every contact, in this form.
    fn mails(flow: &Flow, brand: &Brand, home: &crate::app::Home) -> Vec<RenderedMail> {
        let fields: Vec<Field> = flow.fields().cloned().collect();
        let mut out = Vec::new();
        for message in messages(flow) {
            for variant in &message.variants {
                let prepared = match PreparedMessage::new(message, variant, &fields, brand) {
                    Ok(prepared) => prepared,
                    Err(found) => panic!("{}: {found:?}", message.id),
                };
                for contact in &home.audience.contacts {
                    let values = stage::values(flow, home, &contact.id).expect("values");
                    out.push(prepared.render(&values).expect("a mail"));
                }
            }
        }
        out
    }

    /// The HTML without its preheader and without the space between tags.
    fn bare(html: &str) -> String {
        let html = match html.split_once(crate::content::PREHEADER_OPENS) {
            Some((before, rest)) => format!("{before}{}", rest.split_once("</div>").map_or("", |(_, after)| after)),
            None => html.to_owned(),
        };
        let mut out = String::new();
        for part in html.split('<') {
            out.push_str(part.trim_end_matches(['\n', ' ']));
            out.push('<');
        }
        out.replace(">\n", ">")
    }

    fn switched(flow: &Flow, brand: &Brand, to: Form) -> Flow {
        let mut flow = flow.clone();
        let emails: Vec<(MessageId, usize)> = messages(&flow)
            .filter(|message| message.channel == crate::audience::Channel::Email)
            .map(|message| (message.id.clone(), message.variants.len()))
            .collect();
        for (id, count) in emails {
            for at in 0..count {
                let switched = switch(&flow, brand, &id, at, to).expect("switches");
                flow = crate::flow::edit::apply_all(&flow, &switched.ready.edits).expect("applies");
            }
        }
        flow
    }

    #[test]
    fn a_source_made_from_blocks_is_the_same_mail() {
        let app = fixture::studio();
        let document = fixture::document(&app);
        let brand = &document.home.workspace.brand;
        let before = mails(document.flow(), brand, &document.home);
        assert!(before.iter().any(|mail| !mail.preheader.is_empty() && !mail.html.is_empty()));
        for to in [Form::Html, Form::Mjml] {
            let flow = switched(document.flow(), brand, to);
            let after = mails(&flow, brand, &document.home);
            assert_eq!(before.len(), after.len());
            for (before, after) in before.iter().zip(&after) {
                assert_eq!((&before.subject, &before.preheader), (&after.subject, &after.preheader));
                assert_eq!(before.missing, after.missing);
                assert_eq!(
                    after.html.matches(crate::content::PREHEADER_OPENS).count(),
                    usize::from(!after.preheader.is_empty() && !after.html.is_empty())
                );
                pretty(&bare(&before.html), &bare(&after.html), to);
            }
        }
    }

    #[track_caller]
    fn pretty(before: &str, after: &str, to: Form) {
        let at = before.bytes().zip(after.bytes()).position(|(a, b)| a != b);
        let at = at.unwrap_or_else(|| before.len().min(after.len()));
        let near = |text: &str| {
            String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(80)..(at + 120).min(text.len())]).into_owned()
        };
        assert!(before == after, "{to:?} at {at}:\n{}\n--\n{}", near(before), near(after));
    }

    #[track_caller]
    fn check(body: &str, to: Form, expected: Result<&str, &str>) {
        let text = format!(
            r#"(version: 1, id: "f", name: "F", messages: [(id: "m", variants: [(id: "a", subject: "Hi", body: {body})])])"#
        );
        let flow = crate::flow::file::read(&text).expect("a flow").flow;
        let made = switch(&flow, &Brand::default(), &"m".into(), 0, to).map(|switched| {
            let flow = crate::flow::edit::apply_all(&flow, &switched.ready.edits).expect("applies");
            let message = flow.message("m").expect("a message").clone();
            format!("{:?}", message.variants[0].body)
        });
        match (made, expected) {
            (Ok(made), Ok(part)) => assert!(made.contains(part), "{body}: {made}"),
            (Err(why), Err(part)) => assert!(why.contains(part), "{body}: {why}"),
            (made, expected) => panic!("{body}: {made:?}, not {expected:?}"),
        }
    }

    #[test]
    fn what_is_kept_and_what_is_refused() {
        check(r#"html("<p>Hi</p>")"#, Form::Blocks, Ok(r#"Html { html: "<p>Hi</p>""#));
        check(r##"html("<html><body><p>Hi</p></body></html>")"##, Form::Blocks, Ok(r#"html: "<p>Hi</p>""#));
        check(
            r##"html("<html><head><style>p{}</style></head><body><p>Hi</p></body></html>")"##,
            Form::Blocks,
            Err("style sheet"),
        );
        check(r##"html("<html><body bgcolor='red'><p>Hi</p></body></html>")"##, Form::Blocks, Err("`bgcolor`"));
        check(r#"html("<p>Hi</p>")"#, Form::Mjml, Ok("<mj-raw>\\n<p>Hi</p>\\n</mj-raw>"));
        check(r#"html("<p>Hi</p>")"#, Form::Html, Err("already"));
        let mjml = |head: &str| {
            format!(
                "mjml(\"<mjml>{head}<mj-body><mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section></mj-body></mjml>\")"
            )
        };
        check(&mjml(""), Form::Blocks, Ok("mjml: \"<mj-section>"));
        check(&mjml(""), Form::Html, Ok("<!doctype html>"));
        check(&mjml("<mj-head><mj-style>p{}</mj-style></mj-head>"), Form::Blocks, Err("mj-head has styles"));
        check(&mjml("<mj-head><mj-preview>x</mj-preview></mj-head>"), Form::Blocks, Err("preview line"));
        check(r#"mjml("<mjml></mjml>")"#, Form::Blocks, Err("no mj-body"));
        check("blocks([])", Form::Mjml, Ok("<mj-text>Hello"));
        check(r#"blocks([text(text: "{nothing")])"#, Form::Html, Ok("{nothing"));
    }

    #[test]
    fn a_switch_is_one_step_of_the_history() {
        let mut app = fixture::studio();
        let before = fixture::document(&app).flow().clone();
        let switch = |to| Act::SwitchBody { message: "mail-2".into(), variant_idx: 0, to };
        fixture::run(&mut app, switch(Form::Html));
        assert!(matches!(
            fixture::document(&app).flow().message("mail-2").expect("a message").variants[0].body,
            Body::Html(_)
        ));
        assert!(app.toasts.last().is_some_and(|toast| !toast.is_error && toast.text.contains("HTML source now")));
        fixture::run(&mut app, switch(Form::Blocks));
        assert!(app.toasts.last().is_some_and(|toast| toast.is_error && toast.text.contains("style sheet")));
        fixture::run(&mut app, CommandId::Undo);
        assert_eq!(*fixture::document(&app).flow(), before);
    }
}
