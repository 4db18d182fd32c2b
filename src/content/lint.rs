//! What can go wrong with a rendered mail in inboxes and mail programs.

use super::{Message, RenderedMail, TagState, Variant, plain};
use crate::{
    audience::Channel,
    base::{Diagnostic, Place, Severity},
};

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

/// The findings about one rendered mail; places name the message.
pub fn lint(message: &Message, variant: &Variant, mail: &RenderedMail) -> Vec<Diagnostic> {
    let prefix = if message.variants.len() > 1 { format!("variants.{}.", variant.id) } else { String::new() };
    let mut lint = Lint { place: Place::message(&message.id), prefix, found: Vec::new() };
    match message.channel {
        Channel::Sms => lint.sms(mail),
        Channel::Email => {
            lint.subject(&mail.subject);
            lint.preheader(mail);
            lint.html(mail);
        }
    }
    lint.found
}

struct Lint {
    place: Place,
    prefix: String,
    found: Vec<Diagnostic>,
}

impl Lint {
    fn push(&mut self, severity: Severity, code: &'static str, part: &str, message: impl Into<String>, hint: &str) {
        let place = self.place.clone().with_field(format!("{}{part}", self.prefix));
        self.found.push(Diagnostic::new(severity, code, place, message).hint(hint));
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
        } else if mail.preheader.trim() == mail.subject.trim() {
            self.push(
                Severity::Warning,
                "mail/preheader-repeats",
                "preheader",
                "The preheader repeats the subject",
                "Let it go on from the subject",
            );
        }
    }

    fn html(&mut self, mail: &RenderedMail) {
        let html = &mail.html;
        let size = html.len();
        if size > CLIP_BYTES {
            let message = format!("The HTML has {} KB; Gmail cuts mails off at 102 KB", size / 1024);
            self.push(
                Severity::Error,
                "mail/too-large",
                "body",
                message,
                "Take out blocks, or shorten product lists and styles",
            );
        } else if size > CLIP_WARN_BYTES {
            let message = format!("The HTML has {} KB, close to the 102 KB at which Gmail cuts mails off", size / 1024);
            self.push(
                Severity::Warning,
                "mail/large",
                "body",
                message,
                "Take out blocks, or shorten product lists and styles",
            );
        }
        let visible = plain::visible(html);
        let has_words = plain::has_words(&visible);
        let completeness = mail.completeness_as_shown(&visible);
        let tags = elements(&visible);
        let images: Vec<&Element> = tags.iter().filter(|tag| tag.name == "img").collect();
        if (!has_words && images.is_empty()) || completeness == super::Completeness::Empty {
            self.push(Severity::Error, "mail/empty", "body", "This mail shows nothing", "Add a text or a picture");
            return;
        }
        if !has_words {
            self.push(
                Severity::Warning,
                "mail/image-only",
                "body",
                "This mail is only pictures: readers and filters see nothing in it",
                "Add the offer as text, and a button",
            );
        }
        if images.iter().any(|tag| tag.attribute("alt").is_none()) {
            self.push(
                Severity::Warning,
                "mail/no-alt",
                "body",
                "A picture has no alternative text",
                "Say what it shows, or write an empty text for decoration",
            );
        }
        for tag in images {
            match tag.attribute("src") {
                Some(src) if src.trim().is_empty() => {
                    self.push(
                        Severity::Error,
                        "mail/image-address",
                        "body",
                        "A picture has no address",
                        "Give it an address",
                    );
                }
                Some(src) if !src.contains("://") && !src.starts_with("data:") && !src.starts_with("cid:") => {
                    let message = format!(
                        "The picture `{}` has a relative address, which a mail program cannot follow",
                        short(src)
                    );
                    self.push(
                        Severity::Warning,
                        "mail/image-address",
                        "body",
                        message,
                        "Set the brand's image base address, or write the whole address",
                    );
                }
                _ => {}
            }
        }
        self.links(&tags);
        if !html.to_ascii_lowercase().contains("name=\"viewport\"") {
            self.push(
                Severity::Hint,
                "mail/no-viewport",
                "body",
                "Without a viewport, phones show this mail small",
                "Add `<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">` to the head",
            );
        }
        if let super::Completeness::Leftover(found) = completeness {
            let from = mail
                .tags
                .iter()
                .find(|tag| tag.state == TagState::Value && tag.value.contains(&found))
                .map(|tag| tag.name.clone());
            let message = match from {
                Some(name) => format!("The value of `{name}` contains `{}`", short(&found)),
                None => format!("`{}` is left in the mail", short(&found)),
            };
            self.push(Severity::Warning, "mail/leftover", "body", message, "Declare the field, or correct the data");
        }
    }

    fn links(&mut self, tags: &[Element]) {
        let mut unsubscribe = false;
        let mut empty = 0;
        for tag in tags.iter().filter(|tag| tag.name == "a") {
            let Some(href) = tag.attribute("href").map(|href| href.trim().to_owned()) else { continue };
            let lower = href.to_ascii_lowercase();
            unsubscribe |= lower.contains("unsubscribe");
            if href.is_empty() || href == "#" {
                empty += 1;
            } else if href.contains("{{") || href.contains("{%") {
                let message = format!("The link `{}` still has a tag in it", short(&href));
                self.push(Severity::Error, "mail/link-tag", "body", message, "Use the name of a declared field");
            } else if lower.starts_with("http://") {
                let message = format!("The link `{}` is not encrypted", short(&href));
                self.push(Severity::Warning, "mail/link-not-https", "body", message, "Use https");
            } else if !["https://", "mailto:", "tel:", "sms:"].iter().any(|scheme| lower.starts_with(scheme))
                && !href.starts_with('#')
            {
                let message = format!("The link `{}` leads nowhere from a mail program", short(&href));
                self.push(Severity::Error, "mail/link-address", "body", message, "Write the whole address with https");
            }
        }
        if empty > 0 {
            self.push(
                Severity::Error,
                "mail/link-empty",
                "body",
                "A link has no address",
                "Give every button and link an address",
            );
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
}

fn short(text: &str) -> String {
    let mut out: String = text.chars().take(60).collect();
    if text.chars().count() > 60 {
        out.push('…');
    }
    out
}

/// A start tag.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The start tags of `a` and `img`, read roughly: enough for lints.
fn elements(html: &str) -> Vec<Element> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(step) = html[at..].find('<') {
        at += step + 1;
        let rest = &html[at..];
        let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let name = rest[..length].to_ascii_lowercase();
        if name != "a" && name != "img" {
            continue;
        }
        let (attributes, used) = attributes(&rest[length..]);
        found.push(Element { name, attributes });
        at += length + used;
    }
    found
}

fn attributes(text: &str) -> (Vec<(String, String)>, usize) {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != b'>' {
        if bytes[at].is_ascii_whitespace() || bytes[at] == b'/' {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && !bytes[at].is_ascii_whitespace() && !matches!(bytes[at], b'=' | b'>' | b'/') {
            at += 1;
        }
        let key = text[start..at].to_ascii_lowercase();
        while at < bytes.len() && bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        let mut value = String::new();
        if bytes.get(at) == Some(&b'=') {
            at += 1;
            while at < bytes.len() && bytes[at].is_ascii_whitespace() {
                at += 1;
            }
            match bytes.get(at) {
                Some(quote @ (b'"' | b'\'')) => {
                    let inside = &text[at + 1..];
                    let end = inside.find(char::from(*quote)).unwrap_or(inside.len());
                    value = inside[..end].to_owned();
                    at = (at + end + 2).min(bytes.len());
                }
                _ => {
                    let begin = at;
                    while at < bytes.len() && !bytes[at].is_ascii_whitespace() && bytes[at] != b'>' {
                        at += 1;
                    }
                    value = text[begin..at].to_owned();
                }
            }
        } else if start == at {
            at += 1;
        }
        out.push((key, value));
    }
    (out, at.min(text.len()))
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
        check("<a href=''>x</a><a href='#'>y</a>", &["mail/link-empty"]);
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
    fn subjects_and_preheaders() {
        let html = format!("{BASE}</body></html>");
        check_mail("", "P", &html, &["mail/no-subject"]);
        check_mail(&"a".repeat(61), "P", &html, &["mail/subject-length"]);
        check_mail("BUY IT NOW", "P", &html, &["mail/subject-capitals"]);
        check_mail("Now!!", "P", &html, &["mail/subject-exclamation"]);
        check_mail("S", "", &html, &["mail/no-preheader"]);
        check_mail("S", "S", &html, &["mail/preheader-repeats"]);
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
