//! Forms of browsers and queries of addresses: names and values, percent-encoded.

/// Names and values of `a=b&c=d`; at most 500, and what is not UTF-8 becomes the replacement character.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .take(500)
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

/// The value of a name in a query.
pub(super) fn value(query: &str, name: &str) -> Option<String> {
    pairs(query).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let byte = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
                match byte.and_then(|two| u8::from_str_radix(two, 16).ok()) {
                    Some(byte) => {
                        out.push(byte);
                        rest = &after[2..];
                    }
                    None => out.push(b'%'),
                }
            }
            other => out.push(*other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read() {
        let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        for (text, expected) in [
            ("", &[][..]),
            ("List-Unsubscribe=One-Click", &[("List-Unsubscribe", "One-Click")]),
            ("a=1+2&b=%C3%A4%2&&c", &[("a", "1 2"), ("b", "ä%2"), ("c", "")]),
            ("%=%zz%", &[("%", "%zz%")]),
        ] {
            assert_eq!(pairs(text), own(expected), "{text}");
        }
        assert_eq!(value("search=ada%40example.com&limit=3", "limit").as_deref(), Some("3"));
    }
}
