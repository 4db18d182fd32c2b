//! From a variant to the four template sources of a mail: subject, preheader, HTML, text.
//!
//! The one idea: blocks are laid out once, by MJML, with words in place of everything a user wrote; afterwards the
//! tags are put back. What is rendered per contact, and what is carried into a platform, is this one HTML source.

mod blocks;
mod canvas;
mod extras;
mod source;
mod style;
#[cfg(test)]
mod tests;

use super::{
    Body, Brand, Field, Message, Variant,
    markup::{Tokens, escape, escape_around_tags},
    mjml, plain,
    template::{self, Template},
};
use crate::{
    audience::Channel,
    base::{Diagnostic, Place, Severity, TextRange},
};
use canvas::Canvas;
pub use source::{Language, whole_source};

/// The sources of a variant, every tag in the long form.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Sources {
    pub subject: String,
    pub preheader: String,
    /// Empty for an SMS.
    pub html: String,
    pub text: String,
}

/// Lays a variant out. `None` where an error among `found` prevents it.
pub(crate) fn lay_out(
    message: &Message,
    variant: &Variant,
    fields: &[Field],
    brand: &Brand,
    found: &mut Vec<Diagnostic>,
) -> Option<Sources> {
    let place = Place::message(&message.id);
    let prefix = if message.variants.len() > 1 { format!("variants.{}.", variant.id) } else { String::new() };
    let start = found.len();
    // A mail says in which language it is, for readers and for screen readers.
    let spoken = variant.language.as_ref().map(|language| Brand { language: language.clone(), ..brand.clone() });
    let brand = spoken.as_ref().unwrap_or(brand);
    let mut reader = Reader { fields, place: &place, prefix: &prefix, found };
    let mut sources = Sources::default();
    if message.channel == Channel::Sms {
        sources.text = reader.read("text", variant.text.as_deref().unwrap_or(""), &[]);
    } else {
        sources.subject = reader.read("subject", &variant.subject, &[]);
        sources.preheader = reader.read("preheader", &variant.preheader, &[]);
        match &variant.body {
            Body::Blocks(blocks) => {
                let (html, text) = Canvas::new(brand).draw(blocks, &mut reader, &sources);
                sources.html = html;
                sources.text = text;
            }
            Body::Html(source) => {
                let expanded = reader.read("body", source, &[]);
                sources.html = document(&expanded, &sources, brand);
                sources.text = text_from_html(&sources.html);
            }
            Body::Mjml(source) => {
                let expanded = reader.read("body", source, &[]);
                if !expanded.is_empty() {
                    match mjml::compile(&expanded) {
                        Ok((html, warnings)) => {
                            for warning in warnings {
                                let at = reader.within("body", source, warning.range);
                                reader.found.push(Diagnostic::warning("mail/mjml", at, warning.message));
                            }
                            sources.html = with_preheader(&html, &sources.preheader);
                            sources.text = text_from_html(&sources.html);
                        }
                        Err(fault) => {
                            let at = reader.within("body", source, fault.range);
                            let error = Diagnostic::error("mail/mjml", at, fault.message);
                            reader.found.push(error.hint("Correct the MJML source"));
                        }
                    }
                }
            }
        }
        if let Some(text) = &variant.text {
            sources.text = reader.read("text", text, &[]);
        }
    }
    let failed = found[start..].iter().any(|d| d.severity == Severity::Error);
    (!failed).then_some(sources)
}

/// Reads the texts of a variant one by one, so that every finding has its place.
struct Reader<'a> {
    fields: &'a [Field],
    place: &'a Place,
    prefix: &'a str,
    found: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn at(&self, part: &str) -> Place {
        self.place.clone().with_field(format!("{}{part}", self.prefix))
    }

    /// The same, with a range of the text in the long form as one of the source.
    fn within(&self, part: &str, source: &str, range: Option<TextRange>) -> Place {
        let long = range.map(|range| template::long_form(source, self.fields).source_range(range));
        Place { range: long, ..self.at(part) }
    }

    /// The text in the long form; empty where it cannot be read.
    fn read(&mut self, part: &str, source: &str, present: &[String]) -> String {
        let place = self.at(part);
        let read = template::read(source, self.fields, present, &place, self.found);
        read.map(|Template { expanded, .. }| expanded).unwrap_or_default()
    }

    /// A "show if" as text for an `if`, and the fields that are there where it holds.
    fn condition(&mut self, part: &str, source: &str) -> (String, Vec<String>) {
        let place = self.at(part);
        match template::read_condition(source, self.fields, &place, self.found) {
            Some((expr, text)) => {
                let mut present = Vec::new();
                template::proves_present(&expr, &mut present);
                (text, present)
            }
            None => ("false".into(), Vec::new()),
        }
    }
}

/// An HTML document around what may be a part of one, with the preheader in it.
fn document(html: &str, sources: &Sources, brand: &Brand) -> String {
    let lower = html.get(..html.len().min(4_096)).unwrap_or(html).to_ascii_lowercase();
    if lower.contains("<html") || lower.contains("<body") || html.trim().is_empty() {
        return with_preheader(html, &sources.preheader);
    }
    let title = escape_around_tags(&sources.subject);
    let whole = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n</head>\n\
         <body>\n{html}\n</body>\n</html>\n",
        escape(&brand.language)
    );
    with_preheader(&whole, &sources.preheader)
}

/// Spaces that keep a mail client from showing the first words of the body after a short preheader.
const PREHEADER_FILL: usize = 60;

/// How the hidden preheader of a mail begins; it ends at the next `</div>`.
pub const PREHEADER_OPENS: &str =
    "<div style=\"display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;\">";

fn preheader_html(preheader: &str) -> String {
    format!("{PREHEADER_OPENS}{}{}</div>", escape_around_tags(preheader), "&#847;&zwnj;&nbsp;".repeat(PREHEADER_FILL))
}

/// Puts the hidden preheader behind `<body …>`.
fn with_preheader(html: &str, preheader: &str) -> String {
    if preheader.trim().is_empty() {
        return html.to_owned();
    }
    let at = html
        .to_ascii_lowercase()
        .find("<body")
        .and_then(|body| html[body..].find('>').map(|end| body + end + 1))
        .unwrap_or(0);
    format!("{}{}{}", &html[..at], preheader_html(preheader), &html[at..])
}

/// The text part of an HTML source, tags kept.
fn text_from_html(html: &str) -> String {
    let mut tokens = Tokens::default();
    let bare = tokens.take_tags(html);
    let text = plain::text_of(&bare);
    tidy_statements(&tokens.restore(&text))
}

/// Statements alone on a line take that line with them, so that they leave no gaps in the text.
fn tidy_statements(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let bare = line.trim();
        if bare.starts_with("{%") && bare.ends_with("%}") && !bare[2..bare.len() - 2].contains("%}") {
            out.push_str(bare);
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}
