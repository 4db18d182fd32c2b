//! A variant's body as one source of HTML or MJML that draws the same mail, with the merge tags still in it.

use super::{
    Brand, Field, Message, Reader, Sources, Variant,
    canvas::{Canvas, split_lines},
    lay_out,
};
use crate::{
    base::{Diagnostic, Place},
    content::Body,
};

/// In what language a whole source is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// HTML.
    Html,
    /// MJML; of blocks only, for no way leads back from HTML.
    Mjml,
}

/// The body of a mail as one source, without the preheader, which stays in its own field. `None` of a body that has no
/// such source: MJML of HTML.
///
/// Errors: what is wrong with the mail as it is.
pub fn whole_source(
    message: &Message,
    variant: &Variant,
    fields: &[Field],
    brand: &Brand,
    language: Language,
) -> Result<Option<String>, Vec<Diagnostic>> {
    let variant = Variant { preheader: String::new(), ..variant.clone() };
    let mut found = Vec::new();
    let Some(sources) = lay_out(message, &variant, fields, brand, &mut found) else { return Err(found) };
    match (&variant.body, language) {
        (_, Language::Html) => Ok(Some(split_lines(&sources.html, HTML_LINES))),
        (Body::Blocks(blocks), Language::Mjml) => {
            let spoken = variant.language.as_ref().map(|tag| Brand { language: tag.clone(), ..brand.clone() });
            let place = Place::message(&message.id);
            let mut reader = Reader { fields, place: &place, prefix: "", found: &mut found };
            let sources = Sources { subject: sources.subject, ..Sources::default() };
            Ok(Some(Canvas::new(spoken.as_ref().unwrap_or(brand)).draw_mjml(blocks, &mut reader, &sources)))
        }
        (Body::Mjml(source), Language::Mjml) => Ok(Some(source.clone())),
        (Body::Html(_), Language::Mjml) => Ok(None),
    }
}

/// What begins a line of HTML where it follows a tag at once: white space means nothing there.
const HTML_LINES: &[&str] =
    &["<tr", "</tr>", "<tbody", "</tbody>", "<head>", "</head>", "<meta", "<title", "<style", "<body"];
