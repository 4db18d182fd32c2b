//! What can go wrong with a rendered mail in inboxes and mail programs.
//!
//! The one idea: the mail is looked at as it arrives, after rendering, and what is found is said of the place in the
//! message that it came from, as far as that can be found again. Deliberately not here: sending, and fetching anything.

mod css;
mod html;
mod support;
mod walk;

use super::{Block, Body, Completeness, Message, RenderedMail, TagState, Variant, plain};
use crate::{
    audience::Channel,
    base::{ContactId, Diagnostic, Place, Severity, TextRange},
};
use html::unescaped;
pub(crate) use html::{Piece, Pieces};
pub use support::SUPPORT_DATE;
use walk::{Image, Link, Seen};

/// Bytes of HTML from which Gmail cuts a mail off. Source: references, mail rendering, section 6.
pub const CLIP_BYTES: usize = 102 * 1024;
/// Bytes from which to warn that little room is left.
const CLIP_WARN_BYTES: usize = 90 * 1024;
/// Longest subject that phones show. Source: references, mail rendering, section 6.
const SUBJECT_CHARS: usize = 60;
/// Longest preheader that any client shows. Source: references, mail rendering, section 6.
const PREHEADER_CHARS: usize = 100;
/// Characters of one SMS in the GSM alphabet, and of the largest that phones put together well (3 parts).
/// Source: 3GPP TS 23.038 and 23.040: 160 septets alone, 153 in each part of several.
const SMS_CHARS: usize = 459;
/// Findings of one code that are worth reading at once.
const MOST_OF_A_CODE: usize = 5;

/// The findings about one rendered mail; places name the message, and the block where it is known.
pub fn lint(message: &Message, variant: &Variant, mail: &RenderedMail) -> Vec<Diagnostic> {
    examine(message, variant, mail).0
}

/// The same, and whether the mail may leave: what both need is worked out once.
pub fn examine(message: &Message, variant: &Variant, mail: &RenderedMail) -> (Vec<Diagnostic>, Completeness) {
    let mut lint =
        Lint { place: Place::message(&message.id), prefix: prefix(message, variant), variant, found: Vec::new() };
    let completeness = match message.channel {
        Channel::Sms => {
            let completeness = mail.completeness();
            lint.sms(mail);
            lint.leftovers(mail, &completeness, None);
            completeness
        }
        Channel::Email => {
            lint.subject(&mail.subject);
            lint.preheader(mail);
            lint.html(mail)
        }
    };
    (lint.found, completeness)
}

/// What a length of so many bytes of HTML means for a variant; `who` gets it, where it is not of the sample values.
pub(super) fn clipping(
    message: &Message,
    variant: &Variant,
    size: usize,
    who: Option<&ContactId>,
) -> Option<Diagnostic> {
    let lint =
        Lint { place: Place::message(&message.id), prefix: prefix(message, variant), variant, found: Vec::new() };
    too_long(lint.at("body"), size, who)
}

fn too_long(place: Place, size: usize, who: Option<&ContactId>) -> Option<Diagnostic> {
    let whose = who.map(|who| format!(" for contact `{who}`")).unwrap_or_default();
    let has = format!("The HTML{whose} has {} KB", size / 1024);
    let found = if size > CLIP_BYTES {
        Diagnostic::error("mail/too-large", place, format!("{has}; Gmail cuts mails off at 102 KB"))
    } else if size > CLIP_WARN_BYTES {
        Diagnostic::warning("mail/large", place, format!("{has}, close to the 102 KB at which Gmail cuts mails off"))
    } else {
        return None;
    };
    Some(found.hint("Take out blocks, or shorten product lists and styles"))
}

/// Before a part of a variant in a place; nothing where there is one only.
fn prefix(message: &Message, variant: &Variant) -> String {
    if message.variants.len() > 1 { format!("variants.{}.", variant.id) } else { String::new() }
}

struct Lint<'a> {
    place: Place,
    prefix: String,
    variant: &'a Variant,
    found: Vec<Diagnostic>,
}

impl Lint<'_> {
    fn at(&self, part: &str) -> Place {
        self.place.clone().with_field(format!("{}{part}", self.prefix))
    }

    fn push(&mut self, severity: Severity, code: &'static str, part: &str, message: impl Into<String>, hint: &str) {
        let place = self.at(part);
        self.push_at(severity, code, place, message, hint);
    }

    fn push_at(
        &mut self,
        severity: Severity,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        if self.found.iter().filter(|found| found.code == code).count() < MOST_OF_A_CODE {
            self.found.push(Diagnostic::new(severity, code, place, message).hint(hint));
        }
    }

    /// Where in the body a piece of it was written: the block and its setting, or the range in a whole source.
    /// `is_it` finds a block by its kind where the piece itself came from data.
    fn origin(&self, piece: &str, is_it: impl Fn(&Block) -> bool) -> Place {
        let plain = unescaped(piece);
        let wanted = [piece, &*plain].into_iter().map(str::trim).filter(|piece| !piece.is_empty());
        match &self.variant.body {
            Body::Html(source) | Body::Mjml(source) => {
                for piece in wanted {
                    if let Some(at) = source.find(piece) {
                        return self.at("body").with_range(TextRange::new(at, at + piece.len()));
                    }
                }
                self.at("body")
            }
            Body::Blocks(blocks) => {
                for piece in wanted {
                    for (n, block) in blocks.iter().enumerate() {
                        let json = serde_json::to_value(block).unwrap_or_default();
                        let inside = json.as_object().and_then(|kinds| kinds.values().next()).unwrap_or(&json);
                        if let Some(path) = path_to(inside, piece) {
                            return self.at(&format!("body.{n}{path}"));
                        }
                    }
                }
                match blocks.iter().position(is_it) {
                    Some(n) => self.at(&format!("body.{n}")),
                    None => self.at("body"),
                }
            }
        }
    }

    fn sms(&mut self, mail: &RenderedMail) {
        let length = mail.text.chars().count();
        if mail.text.trim().is_empty() {
            self.push(Severity::Error, "mail/empty", "text", "This SMS has no text", "Write its text");
        } else if length > SMS_CHARS {
            let message = format!("This SMS has {length} characters and is sent as more than three parts");
            self.push(
                Severity::Warning,
                "mail/sms-length",
                "text",
                message,
                "Keep it below 160 characters, at most 459",
            );
        }
    }

    fn subject(&mut self, subject: &str) {
        let length = subject.chars().count();
        let letters: Vec<char> = subject.chars().filter(|c| c.is_alphabetic()).collect();
        if subject.trim().is_empty() {
            self.push(
                Severity::Error,
                "mail/no-subject",
                "subject",
                "This mail has no subject",
                "Write a subject of 20 to 60 characters",
            );
        } else if length > SUBJECT_CHARS {
            let message = format!("The subject has {length} characters; phones show about {SUBJECT_CHARS}");
            self.push(
                Severity::Hint,
                "mail/subject-length",
                "subject",
                message,
                "Put what matters first, or make it shorter",
            );
        }
        if letters.len() >= 8 && letters.iter().all(|c| c.is_uppercase()) {
            self.push(
                Severity::Warning,
                "mail/subject-capitals",
                "subject",
                "The subject is all capitals",
                "Write it as a sentence",
            );
        }
        if subject.matches('!').count() > 1 {
            self.push(
                Severity::Warning,
                "mail/subject-exclamation",
                "subject",
                "The subject has more than one exclamation mark",
                "Keep at most one",
            );
        }
        if let Some(phrase) = loud_phrase(subject) {
            self.push(
                Severity::Hint,
                "mail/subject-wording",
                "subject",
                format!("\u{201c}{phrase}\u{201d} in a subject sounds like an advertisement to readers and filters"),
                "Say what the reader gets in plain words; a single such word does no harm to a good sender",
            );
        }
    }

    fn preheader(&mut self, mail: &RenderedMail) {
        let length = mail.preheader.chars().count();
        if mail.preheader.trim().is_empty() {
            self.push(
                Severity::Hint,
                "mail/no-preheader",
                "preheader",
                "This mail has no preheader, so inboxes show the first words of the body",
                "Write 40 to 90 characters that go on from the subject",
            );
        } else if length > PREHEADER_CHARS {
            let message = format!("The preheader has {length} characters; at most {PREHEADER_CHARS} are shown");
            self.push(
                Severity::Hint,
                "mail/preheader-length",
                "preheader",
                message,
                "Keep it between 40 and 90 characters",
            );
        } else if mail.preheader.trim().to_lowercase() == mail.subject.trim().to_lowercase() {
            self.push(
                Severity::Warning,
                "mail/preheader-repeats",
                "preheader",
                "The preheader repeats the subject",
                "Let it go on from the subject",
            );
        }
    }

    fn html(&mut self, mail: &RenderedMail) -> Completeness {
        let html = &mail.html;
        self.found.extend(too_long(self.at("body"), html.len(), None));
        let completeness = mail.completeness_as_shown(&plain::visible(html));
        let seen = walk::walk(html);
        let pictured = seen.images.iter().any(|image| image.alt.is_some_and(html::has_words));
        if (!seen.words && seen.images.is_empty()) || completeness == Completeness::Empty {
            self.push(Severity::Error, "mail/empty", "body", "This mail shows nothing", "Add a text or a picture");
            return completeness;
        }
        if !seen.words && !pictured {
            self.push(
                Severity::Warning,
                "mail/image-only",
                "body",
                "This mail is only pictures: readers and filters see nothing in it",
                "Add the offer as text, and a button",
            );
        }
        seen.images.iter().for_each(|image| self.image(image));
        self.links(&seen.links);
        self.looks(&seen);
        self.leftovers(mail, &completeness, seen.nothing);
        completeness
    }

    fn image(&mut self, image: &Image<'_>) {
        let src = image.src.map(unescaped).unwrap_or_default();
        let src = src.trim();
        let is_it = |block: &Block| matches!(block, Block::Image { alt: None, .. });
        match image.alt {
            None => {
                let place = self.origin(src, is_it);
                self.push_at(
                    Severity::Warning,
                    "mail/no-alt",
                    place,
                    "A picture has no alternative text",
                    "Say what it shows, or write an empty text for decoration",
                );
            }
            Some(alt) if is_file_name(alt) => {
                let place = self.origin(alt, |_| false);
                self.push_at(
                    Severity::Hint,
                    "mail/alt-file-name",
                    place,
                    format!("The alternative text `{}` is the name of a file", short(alt)),
                    "Say what the picture shows, or write an empty text for decoration",
                );
            }
            Some(_) => {}
        }
        let any_image = |block: &Block| matches!(block, Block::Image { .. });
        let lower = src.to_ascii_lowercase();
        if src.is_empty() {
            let place = self.origin("", any_image);
            self.push_at(
                Severity::Error,
                "mail/image-address",
                place,
                "A picture has no address",
                "Give it an address",
            );
        } else if has_tag(src) {
            let place = self.origin(src, any_image);
            let message = format!("The address `{}` of a picture still has a tag in it", short(src));
            self.push_at(Severity::Error, "mail/image-address", place, message, "Use the name of a declared field");
        } else if lower.starts_with("cid:") || lower.starts_with("file:") {
            let place = self.origin(src, any_image);
            let message = format!("The picture `{}` is nowhere that a mail program could fetch it from", short(src));
            self.push_at(Severity::Error, "mail/image-address", place, message, "Give it an address with https");
        } else if lower.starts_with("http://") {
            let place = self.origin(src, any_image);
            let message = format!("The picture `{}` is not fetched over an encrypted connection", short(src));
            self.push_at(Severity::Warning, "mail/image-not-https", place, message, "Use https");
        } else if !src.contains("://") && !lower.starts_with("data:") {
            let place = self.origin(src, any_image);
            let message =
                format!("The picture `{}` has a relative address, which a mail program cannot follow", short(src));
            self.push_at(
                Severity::Warning,
                "mail/image-address",
                place,
                message,
                "Set the brand's image base address, or write the whole address",
            );
        }
    }

    fn links(&mut self, links: &[Link<'_>]) {
        let mut unsubscribe = false;
        for link in links {
            let Some(written) = link.href else { continue };
            let href = unescaped(written);
            let href = href.trim();
            let lower = href.to_ascii_lowercase();
            unsubscribe |= lower.contains("unsubscribe");
            let scheme = ["https://", "http://", "mailto:", "tel:", "sms:"].into_iter().find(|s| lower.starts_with(s));
            let (severity, code, message, hint) = if href.is_empty() || href == "#" {
                let words = short(link.words.trim());
                let message = match (words.is_empty(), link.has_picture) {
                    (false, _) => format!("The link \u{201c}{words}\u{201d} has no address"),
                    (true, true) => "A picture is a link without an address".to_owned(),
                    (true, false) => "A link has no address".to_owned(),
                };
                (Severity::Error, "mail/link-empty", message, "Give every button and link an address")
            } else if has_tag(href) {
                let message = format!("The link `{}` still has a tag in it", short(href));
                (Severity::Error, "mail/link-tag", message, "Use the name of a declared field")
            } else if scheme == Some("http://") {
                let message = format!("The link `{}` is not encrypted", short(href));
                (Severity::Warning, "mail/link-not-https", message, "Use https")
            } else if (scheme.is_none() && !href.starts_with('#'))
                || (scheme == Some("https://") && host(href).is_none_or(str::is_empty))
            {
                let message = format!("The link `{}` leads nowhere from a mail program", short(href));
                (Severity::Error, "mail/link-address", message, "Write the whole address with https")
            } else if let Some((said, real)) = other_host(link.words.trim(), href) {
                let message = format!("A link reads `{}` and leads to `{}`", short(said), short(real));
                let hint = "Let the words say what is there instead of an address; filters take this for a fraud";
                (Severity::Warning, "mail/link-mismatch", message, hint)
            } else {
                continue;
            };
            let place = self.origin(written, |block| matches!(block, Block::Button { .. }));
            self.push_at(severity, code, place, message, hint);
        }
        if !unsubscribe {
            self.push(
                Severity::Error,
                "mail/no-unsubscribe",
                "body",
                "This mail has no unsubscribe link, which the law asks for",
                "Add a footer block, or a link to `{unsubscribe_url}`",
            );
        }
    }

    /// What is seen of colours, sizes and widths, and of features that programs lack.
    fn looks(&mut self, seen: &Seen<'_>) {
        for (faint, code, when) in
            [(&seen.faint, "mail/contrast", ""), (&seen.faint_dark, "mail/contrast-dark", " in dark mode")]
        {
            for one in faint {
                let place = self.origin(one.words, |_| false);
                let message = format!(
                    "\u{201c}{}\u{201d} is hard to read{when}: {} on {} has a contrast of {:.1} to 1",
                    short(&unescaped(one.words)),
                    one.colour.hex(),
                    one.background.hex(),
                    one.contrast
                );
                let hint = if when.is_empty() {
                    "Take a darker or lighter colour: 4.5 to 1 for text, 3 to 1 for large letters"
                } else {
                    "Give words and background a colour for dark mode, too, or both none"
                };
                self.push_at(Severity::Warning, code, place, message, hint);
            }
        }
        for (width, name, style) in &seen.wide {
            let place = self.origin(style, |_| false);
            let message = format!("A `{name}` is {width} px wide; phones and preview panes show about 600");
            let hint = "Make it 600 px at most, or write `max-width:600px;width:100%`";
            self.push_at(Severity::Warning, "mail/fixed-width", place, message, hint);
        }
        for (size, words) in &seen.small {
            let place = self.origin(words, |_| false);
            let message = format!(
                "\u{201c}{}\u{201d} is written in {size:.0} px, too small for a phone",
                short(&unescaped(words))
            );
            self.push_at(
                Severity::Warning,
                "mail/small-font",
                place,
                message,
                "Use 13 px or more, 16 for running text",
            );
        }
        if !seen.viewport {
            self.push(
                Severity::Hint,
                "mail/no-viewport",
                "body",
                "Without a viewport, phones show this mail small",
                "Add `<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">` to the head",
            );
        }
        for feature in &seen.poor {
            let place = self.origin(feature.title, |_| false);
            let message = format!(
                "`{}` is not known to {} (state of {SUPPORT_DATE})",
                feature.title,
                feature.missing_in().join(", ")
            );
            let hint = format!("See that the mail reads well without it: {}", feature.address());
            self.push_at(Severity::Hint, "mail/client-support", place, message, hint);
        }
    }

    /// What should have been replaced; and words that say "no value" and do not come from the writer.
    fn leftovers(&mut self, mail: &RenderedMail, completeness: &Completeness, in_html: Option<(&'static str, &str)>) {
        let hint = "Declare the field, or correct the data";
        if let Completeness::Leftover(found) = completeness {
            let value = mail.tags.iter().find(|tag| tag.state == TagState::Value && tag.value.contains(found.as_str()));
            let message = match value {
                Some(tag) => format!("The value of `{}` contains `{}`", tag.name, short(found)),
                None => format!("`{}` is left in the mail", short(found)),
            };
            let part = [("subject", &mail.subject), ("preheader", &mail.preheader)];
            let part = part.into_iter().find(|(_, text)| text.contains(found.as_str())).map(|(part, _)| part);
            let place = match part {
                Some(part) => self.at(part),
                None => self.origin(found, |_| false),
            };
            self.push_at(Severity::Error, "mail/leftover", place, message, hint);
            return;
        }
        let texts = [("subject", &mail.subject), ("preheader", &mail.preheader), ("text", &mail.text)];
        let in_texts = texts.into_iter().find_map(|(part, text)| Some((part, nothing_word(text)?)));
        let Some((part, word)) = in_html.map(|(word, _)| ("body", word)).or(in_texts) else { return };
        // The writer may mean it: "None of these".
        let written = serde_json::to_string(self.variant).unwrap_or_default();
        if nothing_word(&written).is_none() {
            let message = format!("The mail says `{word}`, as programs do where a value is missing");
            self.push(Severity::Error, "mail/leftover", part, message, hint);
        }
    }
}

/// The path to the first text in a value that holds a piece: `.href`, `.columns.0.text`.
fn path_to(value: &serde_json::Value, piece: &str) -> Option<String> {
    match value {
        serde_json::Value::String(text) => text.contains(piece).then(String::new),
        serde_json::Value::Array(items) => {
            items.iter().enumerate().find_map(|(n, item)| Some(format!(".{n}{}", path_to(item, piece)?)))
        }
        serde_json::Value::Object(map) => {
            map.iter().find_map(|(name, item)| Some(format!(".{name}{}", path_to(item, piece)?)))
        }
        _ => None,
    }
}

/// A word that says "no value" in some programming language.
fn nothing_word(text: &str) -> Option<&'static str> {
    const WORDS: [&str; 4] = ["None", "null", "NaN", "undefined"];
    WORDS.into_iter().find(|word| {
        text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        })
    })
}

/// Whether a tag stands in an address, as written or percent-encoded.
fn has_tag(address: &str) -> bool {
    let named = address.split('{').skip(1).any(|rest| {
        let name = &rest[..rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count()];
        !name.is_empty() && rest[name.len()..].starts_with('}')
    });
    named || ["{{", "{%", "%7B%7B", "%7b%7b"].iter().any(|tag| address.contains(tag))
}

/// Whether words are the name of a picture's file.
fn is_file_name(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    !lower.contains(' ') && [".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"].iter().any(|end| lower.ends_with(end))
}

/// The host in an address with a scheme.
fn host(address: &str) -> Option<&str> {
    let rest = &address[address.find("://")? + 3..];
    let rest = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let rest = rest.rsplit('@').next().unwrap_or(rest);
    Some(rest.split(':').next().unwrap_or(rest))
}

/// The host that the words of a link name, and the one it leads to, where they are two.
fn other_host<'a>(words: &'a str, href: &'a str) -> Option<(&'a str, &'a str)> {
    if words.contains(char::is_whitespace) || words.contains('@') {
        return None;
    }
    let said = match host(words) {
        Some(host) => host,
        None => {
            let host = &words[..words.find(['/', '?', '#']).unwrap_or(words.len())];
            let last = host.rsplit('.').next()?;
            let like_a_host = host.contains('.')
                && last.len() >= 2
                && last.bytes().all(|b| b.is_ascii_lowercase())
                && host.split('.').all(|part| !part.is_empty());
            like_a_host.then_some(host)?
        }
    };
    let real = host(href)?;
    let bare = |host: &str| host.to_ascii_lowercase().trim_start_matches("www.").to_owned();
    let (a, b) = (bare(said), bare(real));
    let same = a == b || a.ends_with(&format!(".{b}")) || b.ends_with(&format!(".{a}"));
    (!same && !a.is_empty()).then_some((said, real))
}

/// A phrase in a subject that advertisements use. Source: references, mail rendering, section 6, as a hint only.
fn loud_phrase(subject: &str) -> Option<&'static str> {
    const PHRASES: [&str; 14] = [
        "100 %",
        "100%",
        "100\u{a0}%",
        "act now",
        "buy now",
        "click here",
        "order now",
        "for free",
        "risk-free",
        "no obligation",
        "once in a lifetime",
        "you have won",
        "make money",
        "satisfaction guaranteed",
    ];
    if subject.split(|c: char| !c.is_alphanumeric()).any(|word| word == "FREE") {
        return Some("FREE");
    }
    let lower = subject.to_lowercase();
    PHRASES.into_iter().find(|phrase| lower.contains(phrase))
}

fn short(text: &str) -> String {
    let mut out: String = text.chars().take(60).collect();
    if text.chars().count() > 60 {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "<html><head><meta name=\"viewport\" content=\"x\"></head><body>Words <a href=\"https://x.example/unsubscribe\">Unsubscribe</a>";

    #[track_caller]
    fn check_mail(subject: &str, preheader: &str, html: &str, expected: &[&str]) {
        let message = Message::new("m", Channel::Email);
        let mail = RenderedMail {
            subject: subject.into(),
            preheader: preheader.into(),
            html: html.into(),
            text: "x".into(),
            ..RenderedMail::default()
        };
        let codes: Vec<String> =
            lint(&message, &message.variants[0], &mail).iter().map(|d| d.code.to_string()).collect();
        assert_eq!(codes, expected, "{subject} {html}");
    }

    #[track_caller]
    fn check(inside: &str, expected: &[&str]) {
        check_mail("Your watch", "It is still waiting", &format!("{BASE}{inside}</body></html>"), expected);
    }

    #[test]
    fn bodies() {
        check("", &[]);
        check("<img src='https://x.example/a.png'>", &["mail/no-alt"]);
        check("<img src='https://x.example/a.png' alt=''>", &[]);
        check("<img src='a.png' alt=\"x\">", &["mail/image-address"]);
        check("<img src='http://x.example/a.png' alt='a.png'>", &["mail/alt-file-name", "mail/image-not-https"]);
        check("<img src='' alt=''><img src='cid:1' alt=''>", &["mail/image-address", "mail/image-address"]);
        check("<img src='https://x.example/{pic}' alt=''>", &["mail/image-address", "mail/leftover"]);
        check("<a href=''>x</a><a href='#'>y</a>", &["mail/link-empty", "mail/link-empty"]);
        check("<a href='https://'>x</a>", &["mail/link-address"]);
        check("<a href='https://x.example/%7B%7Ba%7D%7D'>x</a>", &["mail/link-tag"]);
        check("<a href='https://a.example/1'>www.b.example</a>", &["mail/link-mismatch"]);
        check("<a href='https://a.example/1'>https://b.example/x</a>", &["mail/link-mismatch"]);
        for fine in ["www.a.example", "https://shop.a.example/", "Read more", "v2.0", "a@b.example", "Mr.Smith", ""] {
            check(&format!("<a href='https://a.example/1?x=y'>{fine}</a>"), &[]);
        }
        check("<a href='http://x.example'>x</a>", &["mail/link-not-https"]);
        check("<a href='shop'>x</a>", &["mail/link-address"]);
        check("<a href='https://x.example/{{ a }}'>x</a>", &["mail/link-tag", "mail/leftover"]);
        check("{frist_name}", &["mail/leftover"]);
        check(&"x ".repeat(48_000), &["mail/large"]);
        check(&"x ".repeat(60_000), &["mail/too-large"]);
        check_mail(
            "S",
            "P",
            "<html><body><img src=\"https://x.example/a\" alt=\"\"></body></html>",
            &["mail/image-only", "mail/no-unsubscribe", "mail/no-viewport"],
        );
        check_mail("S", "P", "", &["mail/empty"]);
    }

    #[test]
    fn colours() {
        check("<p style='color:#999'>x</p>", &["mail/contrast"]);
        check("<p style='color:#999'>&nbsp; - </p><p style='color:#999;display:none'>x</p>", &[]);
        check("<td bgcolor='#12355b'><p style='color:white'>x</p></td>", &[]);
        check("<td bgcolor='#12355b'><p>x</p></td>", &["mail/contrast"]);
        check("<td bgcolor='#12355b'><a href='https://x.example'>x</a></td>", &["mail/contrast"]);
        check("<h1 style='color:#888;font-size:28px'>x</h1>", &[]);
        check("<td style='background:url(a.png)'><p style='color:#fff'>x</p></td>", &[]);
        check("<p style='color:var(--x)'>x</p>", &["mail/client-support"]);
        let styled = |css: &str| format!("<style>{css}</style><p class='n'>x</p>");
        check(&styled(".n{color:#bbb}"), &["mail/contrast"]);
        check(&styled("div .n{color:#bbb}"), &[]);
        let dark = "@media (prefers-color-scheme:dark){body{background:#111!important;color:#eee!important}\
            a{color:#9cf!important}.n{color:#ddd!important}}";
        check(&styled(dark), &[]);
        check(&styled(&dark.replace("#ddd", "#222")), &["mail/contrast-dark"]);
        let html = format!("{BASE}<style>{}</style>", dark.replace("#9cf", "#024"));
        check_mail("S", "P", &html, &["mail/contrast-dark"]);
        let html = BASE.replace("<head>", "<head><meta name='color-scheme' content='light dark'>");
        check_mail("S", "P", &format!("{html}<p style='color:#222'>x</p>"), &["mail/contrast-dark"]);
        check_mail("S", "P", &format!("{html}<p style='color:#222;background:#fff'>x</p>"), &[]);
    }

    #[test]
    fn phones_and_programs() {
        check("<table width='720'><tr><td>x</td></tr></table>", &["mail/fixed-width"]);
        check(
            "<div style='width:640px;max-width:100%'>x</div><table width=600></table><table width='100%'></table>",
            &[],
        );
        check("<p style='font-size:11px'>x</p><p style='font-size:1px'>y</p>", &["mail/small-font"]);
        check("<div style='font-size:10px'><p style='font-size:120%'>x</p></div>", &["mail/small-font"]);
        check("<div style='font-size:10px'>&nbsp;</div>", &[]);
        check("<video src='x'></video><div style='display:grid;gap:4px'>x</div>", &["mail/client-support"; 3]);
        check("<!--[if mso]><table width=720><p style='font-size:9px'>x</p><![endif]-->", &[]);
    }

    /// What a finding says of its place: the block and its setting, or the range in a source.
    #[test]
    fn places() {
        let mut message = Message::new("m", Channel::Email);
        message.variants[0].body = Body::Blocks(
            [
                "text(text: \"Hi\")",
                "image(src: \"{pic}\")",
                "html(html: \"<p style='font-size:9px'>Small</p>\")",
                "button(text: \"Go\", href: \"http://x.example/a?b=1&c=2\")",
            ]
            .map(Block::from_ron)
            .to_vec(),
        );
        let html = format!(
            "{BASE}<img src='https://x.example/1.png'><p style='font-size:9px'>Small</p><a href='http://x.example/a?b=1&amp;c=2'>Go</a>"
        );
        let places = |message: &Message| -> Vec<String> {
            let mail = RenderedMail {
                subject: "S".into(),
                preheader: "P".into(),
                html: html.clone(),
                text: "x".into(),
                ..RenderedMail::default()
            };
            let found = lint(message, &message.variants[0], &mail);
            found.iter().map(|d| format!("{} {}", d.code, d.place.field.clone().unwrap_or_default())).collect()
        };
        assert_eq!(
            places(&message),
            ["mail/no-alt body.1", "mail/link-not-https body.3.href", "mail/small-font body.2.html"]
        );
        let source = "<p>ü</p><p style='font-size:9px'>Small</p>";
        message.variants[0].body = Body::Html(source.into());
        let mail = RenderedMail {
            html: format!("{BASE}{source}"),
            text: "x".into(),
            subject: "S".into(),
            preheader: "P".into(),
            ..RenderedMail::default()
        };
        let found = lint(&message, &message.variants[0], &mail);
        let range = found[0].place.range.expect("a range");
        assert_eq!((&*found[0].code, range.slice(source)), ("mail/small-font", "Small"));
    }

    #[test]
    fn words_for_no_value() {
        check("<p>Hello None,</p>", &["mail/leftover"]);
        check("<p>undefined</p>", &["mail/leftover"]);
        check("<p>Nonetheless nullify it, none</p>", &[]);
        let mut message = Message::new("m", Channel::Email);
        message.variants[0].body = Body::Html("<p>None of these</p>".into());
        let html = format!("{BASE}<p>None of these</p>");
        let mail = RenderedMail {
            html,
            text: "None of these".into(),
            subject: "S".into(),
            preheader: "P".into(),
            ..RenderedMail::default()
        };
        assert_eq!(lint(&message, &message.variants[0], &mail), []);
        check_mail("Hi NaN", "P", &format!("{BASE}</body></html>"), &["mail/leftover"]);
    }

    /// Whatever a source is, it is read to its end, and soon.
    #[test]
    fn hostile_sources_are_read() {
        for source in [
            "<td>".repeat(50_000),
            "</p>".repeat(50_000),
            "<".repeat(100_000),
            "<style>{".repeat(20_000),
            format!("<p style='{}'>", "a:b;(".repeat(50_000)),
            "<a href='".repeat(10_000),
            format!("<style>{}", "@media (".repeat(20_000)),
            "ü<ü ü='ü".repeat(5_000),
        ] {
            let message = Message::new("m", Channel::Email);
            let mail = RenderedMail { html: source, text: "x".into(), ..RenderedMail::default() };
            assert!(!lint(&message, &message.variants[0], &mail).is_empty());
        }
    }

    #[test]
    fn subjects_and_preheaders() {
        let html = format!("{BASE}</body></html>");
        check_mail("", "P", &html, &["mail/no-subject"]);
        check_mail(&"a".repeat(61), "P", &html, &["mail/subject-length"]);
        check_mail("BUY IT NOW", "P", &html, &["mail/subject-capitals"]);
        check_mail("Now!!", "P", &html, &["mail/subject-exclamation"]);
        check_mail("S", "", &html, &["mail/no-preheader"]);
        check_mail("Act now", "P", &html, &["mail/subject-wording"]);
        check_mail("Get one FREE", "P", &html, &["mail/subject-wording"]);
        check_mail("The next one ships free", "P", &html, &[]);
        check_mail("S", "s ", &html, &["mail/preheader-repeats"]);
        check_mail("S", &"a".repeat(101), &html, &["mail/preheader-length"]);
    }

    #[test]
    fn sms() {
        let message = Message::new("m", Channel::Sms);
        for (text, expected) in
            [("Hi".to_owned(), None), (String::new(), Some("mail/empty")), ("x".repeat(460), Some("mail/sms-length"))]
        {
            let mail = RenderedMail { text, ..RenderedMail::default() };
            let found = lint(&message, &message.variants[0], &mail);
            assert_eq!(found.first().map(|d| &*d.code), expected);
        }
    }
}
