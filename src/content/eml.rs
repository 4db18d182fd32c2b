//! A rendered mail as a mail program opens it: RFC 5322, multipart/alternative, text first.
//!
//! The one idea: the same mail for the same send gives the same bytes, so nothing in it comes from a clock or from
//! chance; the date is handed over, the Message-ID follows from the send key (SEMANTICS R21). Not here: sending.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::{
    Mailbox, Message, MultiPart, SinglePart,
    header::{ContentType, HeaderName, HeaderValue},
};

use super::RenderedMail;
use crate::base::{Instant, hash};

/// Who writes to whom, when, and for which send.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Envelope {
    /// The sender's name; may be empty.
    pub from_name: String,
    /// The sender's address.
    pub from: String,
    /// Where answers go; to the sender where left out.
    pub reply_to: Option<String>,
    /// The recipient's name; may be empty.
    pub to_name: String,
    /// The recipient's address.
    pub to: String,
    /// The instant in the date line.
    pub date: Instant,
    /// What names the send; two mails of one send have one Message-ID.
    pub send_key: String,
    /// The recipient's link that unsubscribes; empty for none.
    pub unsubscribe: String,
    /// More headers: names and values, in this order.
    pub more: Vec<(&'static str, String)>,
}

impl Envelope {
    /// The Message-ID of the send, in angle brackets, at the sender's domain.
    pub fn message_id(&self) -> String {
        let domain = self.from.rsplit_once('@').map_or("flowloom.invalid", |(_, domain)| domain);
        let clean: String = domain.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect();
        let domain = if clean.is_empty() { "flowloom.invalid" } else { clean.as_str() };
        format!("<{}@{domain}>", hash::version_hash(self.send_key.as_bytes()))
    }
}

/// The mail as bytes.
///
/// Errors: a sentence with the address that is none, or with what keeps the parts from being put together.
pub fn compose(mail: &RenderedMail, envelope: &Envelope) -> Result<Vec<u8>, String> {
    let millis = u64::try_from(envelope.date.as_millis()).unwrap_or(0);
    let mut builder = Message::builder()
        .from(mailbox(&envelope.from_name, &envelope.from)?)
        .to(mailbox(&envelope.to_name, &envelope.to)?)
        .subject(&mail.subject)
        // Whole seconds: the header has no smaller ones.
        .date(UNIX_EPOCH + Duration::from_secs(millis / 1_000))
        .message_id(Some(envelope.message_id()));
    if let Some(reply_to) = &envelope.reply_to {
        builder = builder.reply_to(mailbox("", reply_to)?);
    }
    let part = |kind: ContentType, text: &str| SinglePart::builder().header(kind).body(text.to_owned());
    let built = if mail.html.is_empty() {
        builder.singlepart(part(ContentType::TEXT_PLAIN, &mail.text))
    } else {
        let mark = hash::version_hash(format!("boundary {}", envelope.send_key).as_bytes());
        let parts = MultiPart::alternative().boundary(format!("flowloom-{mark}"));
        builder.multipart(
            parts
                .singlepart(part(ContentType::TEXT_PLAIN, &mail.text))
                .singlepart(part(ContentType::TEXT_HTML, &mail.html)),
        )
    };
    let mut built = built.map_err(|error| format!("The mail cannot be put together: {error}"))?;
    let link: String =
        envelope.unsubscribe.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>' | ' ')).collect();
    if !link.is_empty() {
        raw(&mut built, "List-Unsubscribe", format!("<{link}>"));
        // One click without a page in between. Source: RFC 8058, section 3.1: only with an https address.
        if link.starts_with("https://") {
            raw(&mut built, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned());
        }
    }
    for (name, value) in &envelope.more {
        raw(&mut built, name, value.chars().filter(|c| !c.is_control()).collect());
    }
    Ok(built.formatted())
}

fn raw(mail: &mut Message, name: &'static str, value: String) {
    mail.headers_mut().insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
}

fn mailbox(name: &str, address: &str) -> Result<Mailbox, String> {
    let parsed = address.trim().parse().map_err(|_| format!("`{address}` is not an e-mail address"))?;
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    Ok(Mailbox::new((!name.is_empty()).then_some(name), parsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            from_name: "Grüße & Söhne".into(),
            from: "hello@shop.example".into(),
            to_name: "Ada \"O'Neil\"\r\nBcc: x@y.example".into(),
            to: "ada@example.com".into(),
            date: Instant::parse("2026-11-23T09:00:00.500Z").expect("instant"),
            send_key: "shop/ada/1/mail-1/1".into(),
            unsubscribe: "https://shop.example/u?c=ada".into(),
            more: vec![("Precedence", "bulk\r\nBcc: x@y.example".into())],
            ..Envelope::default()
        }
    }

    fn mail() -> RenderedMail {
        RenderedMail {
            subject: "⌚ Ihre Uhr wartet, Ada".into(),
            html: format!("<p>ü</p>{}", "x".repeat(3_000)),
            text: "ü\n.\nFrom here".into(),
            ..RenderedMail::default()
        }
    }

    #[test]
    fn headers_and_parts() {
        let bytes = compose(&mail(), &envelope()).expect("composes");
        let text = String::from_utf8(bytes.clone()).expect("ASCII");
        assert!(text.is_ascii());
        for part in [
            "Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n",
            "Subject: =?utf-8?b?",
            "List-Unsubscribe: <https://shop.example/u?c=ada>\r\n",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
            "@shop.example>\r\n",
            "Precedence: bulkBcc: x@y.example\r\n",
            "Content-Type: multipart/alternative;",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("\r\nBcc:"), "{text}");
        assert!(text.find("text/plain") < text.find("text/html"), "text comes first");
        assert!(text.lines().all(|line| line.len() <= 998), "no line is longer than RFC 5322 allows");
        assert_eq!(compose(&mail(), &envelope()).expect("again"), bytes, "same send, same bytes");
    }

    #[test]
    fn the_message_id_follows_the_send() {
        let other = Envelope { send_key: "shop/ada/1/mail-1/2".into(), ..envelope() };
        assert_eq!(envelope().message_id(), envelope().message_id());
        assert_ne!(envelope().message_id(), other.message_id());
    }

    #[test]
    fn wrong_addresses_are_named() {
        let wrong = Envelope { to: "not an address".into(), ..envelope() };
        assert_eq!(compose(&mail(), &wrong), Err("`not an address` is not an e-mail address".into()));
    }
}
