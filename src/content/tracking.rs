//! Parameters that a flow adds to the links of its mails, such as `utm_source`.
//!
//! The one idea: they are put on when the mail is made, so that a preview shows the address that is clicked. Templates
//! for Klaviyo and HubSpot are made without them: those add their own.

use std::{borrow::Cow, collections::BTreeMap};

use minijinja::{Environment, Value as EngineValue, context};

use super::{
    Field, FieldSource, FieldValues,
    template::{
        self,
        lower::{MISSING_OPEN, shown_name},
    },
};
use crate::{audience::ValueType, base::Place};

/// What a parameter can say of the mail it stands in, without a field of that name.
pub const OF_THE_MAIL: [&str; 4] = ["flow", "node", "message", "variant"];

/// The parameters of a message, compiled into its engine.
#[derive(Debug, Default)]
pub(super) struct Tracking {
    /// Names with the names of their templates.
    parameters: Vec<(String, String)>,
    /// What [`OF_THE_MAIL`] stands for.
    of_the_mail: EngineValue,
}

impl Tracking {
    /// Parameters that cannot be read are left out; the check of that name tells of them.
    pub fn new(
        env: &mut Environment<'static>,
        parameters: &BTreeMap<String, String>,
        fields: &[Field],
        of_the_mail: [&str; 4],
    ) -> Self {
        let of_the_mail = OF_THE_MAIL.into_iter().zip(of_the_mail);
        let of_the_mail: Vec<(&str, &str)> =
            of_the_mail.filter(|(name, _)| fields.iter().all(|field| field.name != *name)).collect();
        let own = of_the_mail.iter();
        let own = own.map(|(name, _)| Field::new(name, ValueType::Text, FieldSource::Constant((*name).into())));
        let known: Vec<Field> = fields.iter().cloned().chain(own).collect();
        let mut out = Self::default();
        for (n, (name, text)) in parameters.iter().enumerate() {
            let read = template::read(text, &known, &[], &Place::default(), &mut Vec::new());
            let Some(read) = read else { continue };
            let lowered = template::lower::lower(&read.nodes, &known, &mut Vec::new());
            let part = format!("tracking.{n}");
            if env.add_template_owned(part.clone(), lowered).is_ok() {
                out.parameters.push((name.clone(), part));
            }
        }
        let named = of_the_mail.iter().flat_map(|(name, text)| {
            [((*name).to_owned(), EngineValue::from(*text)), (shown_name(name), EngineValue::from(*text))]
        });
        out.of_the_mail = EngineValue::from(named.collect::<BTreeMap<_, _>>());
        out
    }

    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }

    /// The parameters of one mail, ready to stand in an address. One without a value is left out: a mail is not held
    /// for its statistics.
    pub fn values(&self, env: &Environment<'_>, values: &FieldValues) -> Vec<(String, String)> {
        let context = context! { ..self.of_the_mail.clone(), ..values.context.clone() };
        let value = |part: &str| env.get_template(part).ok()?.render(&context).ok();
        let with_value = self.parameters.iter().filter_map(|(name, part)| {
            let value = value(part).filter(|value| !value.trim().is_empty() && !value.contains(MISSING_OPEN))?;
            Some((encoded(name), encoded(value.trim())))
        });
        with_value.collect()
    }
}

/// The recipient's own links: what they lead to is not the flow's to count.
pub(super) fn own_links(values: &FieldValues) -> Vec<String> {
    let links = super::RESERVED_LINKS.into_iter().filter_map(|name| values.context.get_attr(name).ok());
    links.filter_map(|link| link.as_str().map(str::to_owned)).filter(|link| !link.is_empty()).collect()
}

/// An HTML source with the parameters on the addresses of its links.
pub(super) fn in_html(html: &str, parameters: &[(String, String)], own: &[String]) -> String {
    with_links(html, |address| tracked(address, parameters, own))
}

/// An HTML source with other addresses for its links (`<a>` and `<area>`; pictures and styles are not clicked).
/// `change` sees an address with its entities read, and says the new one, or `None` where it stays; all else stays byte
/// for byte.
pub fn with_links(html: &str, mut change: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 8);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at..];
        let is_link = ["<a", "<area"].iter().any(|name| {
            let (head, tail) = tag.split_at_checked(name.len()).unwrap_or((tag, ""));
            head.eq_ignore_ascii_case(name) && tail.starts_with(|c: char| c.is_ascii_whitespace())
        });
        let Some(address) = is_link.then(|| href(tag)).flatten() else {
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        };
        out.push_str(&rest[..at + address.start]);
        let written = &tag[address.clone()];
        match change(&unescaped(written)) {
            Some(address) => out.push_str(&super::markup::escape(&address)),
            None => out.push_str(written),
        }
        rest = &tag[address.end..];
    }
    out.push_str(rest);
    out
}

/// Where the value of `href` stands in a tag.
fn href(tag: &str) -> Option<std::ops::Range<usize>> {
    let bytes = tag.as_bytes();
    let mut at = 1;
    loop {
        // To the next name.
        while bytes.get(at).is_some_and(|b| !b.is_ascii_whitespace() && *b != b'>' && *b != b'=') {
            at += 1;
        }
        while bytes.get(at)?.is_ascii_whitespace() {
            at += 1;
        }
        if bytes[at] == b'>' {
            return None;
        }
        let name = at;
        while bytes.get(at).is_some_and(|b| !b.is_ascii_whitespace() && *b != b'>' && *b != b'=') {
            at += 1;
        }
        let is_href = tag[name..at].eq_ignore_ascii_case("href");
        while bytes.get(at)?.is_ascii_whitespace() {
            at += 1;
        }
        if bytes[at] != b'=' {
            continue;
        }
        at += 1;
        while bytes.get(at)?.is_ascii_whitespace() {
            at += 1;
        }
        let (start, end) = match bytes[at] {
            quote @ (b'"' | b'\'') => {
                let length = bytes[at + 1..].iter().position(|b| *b == quote)?;
                (at + 1, at + 1 + length)
            }
            _ => {
                let length = bytes[at..].iter().position(|b| b.is_ascii_whitespace() || *b == b'>')?;
                (at, at + length)
            }
        };
        if is_href {
            return Some(start..end);
        }
        at = end.max(at + 1);
    }
}

/// A plain text with the parameters on the addresses in it.
pub(super) fn in_text(text: &str, parameters: &[(String, String)], own: &[String]) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some(at) = rest.find("http") {
        let address = address_at(&rest[at..]);
        let starts_word = !rest[..at].ends_with(|c: char| c.is_alphanumeric());
        out.push_str(&rest[..at]);
        match starts_word.then(|| tracked(address, parameters, own)).flatten() {
            Some(tracked) => out.push_str(&tracked),
            None => out.push_str(address),
        }
        rest = &rest[at + address.len()..];
    }
    out.push_str(rest);
    out
}

/// The address at the start of a text: to the next space or quote, without the full stop or bracket that ends the
/// sentence around it.
fn address_at(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>')).unwrap_or(text.len());
    let mut address = &text[..end];
    while let Some(last) = address.chars().next_back() {
        let is_around = match last {
            ')' => address.matches(')').count() > address.matches('(').count(),
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' => true,
            _ => false,
        };
        if !is_around || address.len() <= "http".len() {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}

/// An address with the parameters; `None` where it stays as it is. What is in its query already stays; the fragment
/// stays at the end.
fn tracked(address: &str, parameters: &[(String, String)], own: &[String]) -> Option<String> {
    let address = address.trim();
    let is_web = ["https://", "http://"]
        .iter()
        .any(|scheme| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    if !is_web || own.iter().any(|own| own == address) {
        return None;
    }
    let (before, fragment) = address.find('#').map_or((address, ""), |at| address.split_at(at));
    let query = before.split_once('?').map(|(_, query)| query);
    let has = |name: &str| query.is_some_and(|query| query.split('&').any(|p| p.split('=').next() == Some(name)));
    let mut out = before.to_owned();
    let mut separator = match query {
        None => "?",
        Some(query) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    for (name, value) in parameters.iter().filter(|(name, _)| !has(name)) {
        out.push_str(separator);
        out.push_str(name);
        out.push('=');
        out.push_str(value);
        separator = "&";
    }
    out.push_str(fragment);
    (out != address).then_some(out)
}

/// For a query: letters, digits and `-._~` as they are, all else as bytes in `%XX`.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The entities that addresses have in HTML.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    const ENTITIES: [(&str, &str); 6] =
        [("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    Cow::Owned(ENTITIES.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> Vec<(String, String)> {
        vec![("utm_source".into(), "loom".into()), ("utm_term".into(), "a%26b".into())]
    }

    #[track_caller]
    fn check(address: &str, expected: &str) {
        let own = ["https://example.com/unsubscribe?u=1".to_owned()];
        let found = tracked(address, &parameters(), &own);
        assert_eq!(found.as_deref().unwrap_or("as it is"), expected, "{address}");
    }

    #[test]
    fn addresses() {
        check("https://shop.example", "https://shop.example?utm_source=loom&utm_term=a%26b");
        check("HTTPS://shop.example/a?b=c", "HTTPS://shop.example/a?b=c&utm_source=loom&utm_term=a%26b");
        check("https://shop.example/?", "https://shop.example/?utm_source=loom&utm_term=a%26b");
        check("https://shop.example/a#top?x", "https://shop.example/a?utm_source=loom&utm_term=a%26b#top?x");
        check("https://shop.example/a?utm_source=own#top", "https://shop.example/a?utm_source=own&utm_term=a%26b#top");
        check("https://shop.example/a?utm_source=own&utm_term=", "as it is");
        check("mailto:shop@shop.example", "as it is");
        check("tel:+49170", "as it is");
        check("#top", "as it is");
        check("/cart", "as it is");
        check("", "as it is");
        check("https://example.com/unsubscribe?u=1", "as it is");
    }

    #[test]
    fn links_in_html() {
        let one = [("s".to_owned(), "1".to_owned())];
        for (html, expected) in [
            (
                "<a href=\"https://x.example/?a=1&amp;b=2\">x</a>",
                "<a href=\"https://x.example/?a=1&amp;b=2&amp;s=1\">x</a>",
            ),
            ("<A class='c' HREF = 'https://x.example'>x", "<A class='c' HREF = 'https://x.example?s=1'>x"),
            ("<a href=https://x.example>x</a>", "<a href=https://x.example?s=1>x</a>"),
            ("<a data-href=\"https://x.example\" disabled>x</a>", "<a data-href=\"https://x.example\" disabled>x</a>"),
            ("<area href=\"https://x.example\">", "<area href=\"https://x.example?s=1\">"),
            // Pictures and styles are not clicked.
            (
                "<img src=\"https://x.example\"><link href=\"https://x.example\">",
                "<img src=\"https://x.example\"><link href=\"https://x.example\">",
            ),
            ("<a title=\"a > b\" href=\"https://ö.example\">", "<a title=\"a > b\" href=\"https://ö.example?s=1\">"),
            ("a < b <a", "a < b <a"),
            ("<a href=\"https://x.example", "<a href=\"https://x.example"),
        ] {
            assert_eq!(in_html(html, &one, &[]), expected, "{html}");
        }
    }

    #[test]
    fn links_in_text() {
        let one = [("s".to_owned(), "1".to_owned())];
        for (text, expected) in [
            ("To the shop (https://x.example/a).", "To the shop (https://x.example/a?s=1)."),
            ("See https://x.example/a_(b), or not", "See https://x.example/a_(b)?s=1, or not"),
            ("http is a word, xhttps://x.example is none", "http is a word, xhttps://x.example is none"),
            ("http", "http"),
            ("mailto:a@https.example", "mailto:a@https.example"),
        ] {
            assert_eq!(in_text(text, &one, &[]), expected, "{text}");
        }
    }
}
