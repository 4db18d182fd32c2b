//! What may stand in the log: no person. Logs are kept, copied and sent to others; the store and the screen are not.
//!
//! The one idea: texts for people quote what they speak of, so quoted parts are taken out, and so are addresses and
//! send keys wherever they stand. A key leaves a short hash, by which lines of one message are found again. (It is not
//! called `log`: inside of tracing's macros that is another crate.)

use crate::base::{SendKey, hash};

/// A text without quoted parts, addresses, and send keys.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in outside_quotes(text).split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let inner = bare.trim_matches(|c: char| matches!(c, ':' | ',' | '.' | ';' | '(' | ')'));
        if inner.contains('@') {
            out.push('…');
        } else if SendKey::parse(inner).is_some() {
            out += &key(inner);
        } else {
            out += bare;
        }
        out += &word[bare.len()..];
    }
    out
}

/// A send key for the log.
pub fn key(text: &str) -> String {
    let hash = hash::version_hash(text.as_bytes()).to_string();
    format!("send-{}", &hash[..8])
}

/// Quoted parts become dots; what is not closed is taken out to its end.
fn outside_quotes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['`', '"']) {
        let (before, quoted) = rest.split_at(at);
        let quote = &quoted[..1];
        let inner = &quoted[1..];
        let end = inner.find(quote);
        let inside = &inner[..end.unwrap_or(inner.len())];
        out += before;
        out += quote;
        out += &if SendKey::parse(inside).is_some() { key(inside) } else { "…".to_owned() };
        out += quote;
        rest = end.map_or("", |end| &inner[end + 1..]);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(super::text(text), expected);
    }

    #[test]
    fn nobody_stands_in_the_log() {
        check("the disk is full", "the disk is full");
        check(
            "contact 5: invalid type: string \"ada\", expected i64",
            "contact 5: invalid type: string \"…\", expected i64",
        );
        check("ada@example.com: gone, Bob <bob@x.example>.", "… gone, Bob …");
        check("/var/lib/loom/flowloom.db cannot be written", "/var/lib/loom/flowloom.db cannot be written");
        let hash = key("cart/ada/1/mail/1");
        check("send cart/ada/1/mail/1: no", &format!("send {hash} no"));
        check("the send key `cart/ada/1/mail/1` and `x", &format!("the send key `{hash}` and `…`"));
        assert!(!hash.contains("ada") && hash.len() == 13);
    }
}
