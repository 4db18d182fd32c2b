//! The links of a rendered mail: what is read, and where it leads.

/// A link of a mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailLink {
    /// Its words; of a picture what it shows; empty where there is neither.
    pub words: String,
    /// Its target as rendered, entities read.
    pub target: String,
}

/// The links of a page in the order of the page.
pub fn links(html: &str) -> Vec<MailLink> {
    // Places are those of the page: only ASCII letters change.
    let lower = html.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(step) = lower.get(at..).and_then(|rest| rest.find("<a")) {
        let begin = at + step + 2;
        at = begin;
        if !lower.as_bytes().get(begin).is_some_and(u8::is_ascii_whitespace) {
            continue;
        }
        let Some(end) = end_of_tag(html, begin) else { break };
        at = end;
        let Some(target) = attribute(html.get(begin..end).unwrap_or(""), "href") else { continue };
        let close = lower.get(end..).and_then(|rest| rest.find("</a")).map_or(html.len(), |found| end + found);
        let inside = html.get(end..close).unwrap_or("");
        let words = words(inside);
        let words = if words.is_empty() { attribute(inside, "alt").unwrap_or_default() } else { words };
        found.push(MailLink { words, target: target.trim().to_owned() });
    }
    found
}

/// What is read of a piece of a page: everything but its tags.
fn words(html: &str) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(step) = html.get(at..).and_then(|rest| rest.find('<')) {
        out.push_str(html.get(at..at + step).unwrap_or(""));
        at = end_of_tag(html, at + step).unwrap_or(html.len());
    }
    out.push_str(html.get(at..).unwrap_or(""));
    unescape(&out).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where the tag that is open here ends, behind its `>`.
fn end_of_tag(html: &str, from: usize) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in html.as_bytes().iter().enumerate().skip(from) {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
    }
    None
}

/// The value of an attribute in the first tag that has it.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let starts = lower.match_indices(name).map(|(at, _)| at);
    for at in starts {
        let before_is_blank = at == 0 || lower.as_bytes().get(at - 1).is_some_and(u8::is_ascii_whitespace);
        let Some(rest) = tag.get(at + name.len()..).map(str::trim_start).filter(|_| before_is_blank) else { continue };
        let Some(rest) = rest.strip_prefix('=').map(str::trim_start) else { continue };
        let value = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest.get(1..).and_then(|rest| rest.split(quote).next()),
            _ => rest.split(|c: char| c.is_whitespace() || c == '>').next(),
        };
        return value.map(unescape);
    }
    None
}

/// The entities that our own escaping writes, and the numbers of the ones people type.
fn unescape(text: &str) -> String {
    let mut out = text.to_owned();
    for (entity, plain) in
        [("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
    {
        out = out.replace(entity, plain);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &[(&str, &str)]) {
        let found = links(html);
        let found: Vec<_> = found.iter().map(|link| (link.words.as_str(), link.target.as_str())).collect();
        assert_eq!(found, expected, "{html}");
    }

    #[test]
    fn words_and_targets_are_read_as_a_reader_sees_them() {
        check(
            r#"<p><a href="https://a.example/?x=1&amp;y=2">Go <b>on</b></a></p>"#,
            &[("Go on", "https://a.example/?x=1&y=2")],
        );
        check(r#"<A class='x > y' HREF='b'><img src="c" alt="A &amp; B"></A>"#, &[("A & B", "b")]);
        check(r#"<a name="here">no link</a><article href="x">"#, &[]);
        check("<a href=c>one</a><a href=d>two", &[("one", "c"), ("two", "d")]);
        check("<a href=\"c", &[]);
        check("", &[]);
    }
}
