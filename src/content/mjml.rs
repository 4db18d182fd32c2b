//! MJML to responsive HTML, with merge tags kept out of the compiler's sight.
//!
//! Includes are refused: nothing here reads a file or asks a server. A source is bounded in size and depth before
//! the compiler, which descends without a bound of its own, sees it.

use std::cell::RefCell;

use super::{markup::Tokens, template::tree::MAX_SOURCE};

/// Deepest nesting of elements. Source: assumption; real mails stay below 40.
const MAX_DEPTH: usize = 120;

/// Compiles a whole document in the long tag form. Warnings of the compiler come back beside the HTML.
///
/// Errors: one sentence, with the position in the source where the compiler knows it.
pub(super) fn compile(source: &str) -> Result<(String, Vec<String>), String> {
    // The compiler fails on carriage returns. Source: references, mail rendering, section 4.
    let source = source.replace("\r\n", "\n");
    let mut tokens = Tokens::default();
    let (html, warnings) = compile_bare(&tokens.take_tags(&source))?;
    Ok((tokens.restore(&html), warnings))
}

/// How many drawn documents are kept for the next mail of the same build, and how long each may be. Source: assumption;
/// a flow has few builds, and a mail's MJML has some 5 KB.
const KEPT: usize = 16;
const KEPT_BYTES: usize = 64 << 10;

thread_local! {
    /// Sources and what came of them, the last used at the end. What was drawn depends on the source alone.
    static DRAWN: RefCell<Vec<(String, Drawn)>> = const { RefCell::new(Vec::new()) };
}

type Drawn = Result<(String, Vec<String>), String>;

/// Compiles a document without tags. Words stand in it for all that a user wrote, so mails of the same blocks have the
/// same document, which is drawn once.
pub(super) fn compile_bare(source: &str) -> Drawn {
    if source.len() > KEPT_BYTES {
        return draw(source);
    }
    let known = DRAWN.with_borrow_mut(|drawn| {
        let at = drawn.iter().rposition(|(of, _)| of == source)?;
        let entry = drawn.remove(at);
        let known = entry.1.clone();
        drawn.push(entry);
        Some(known)
    });
    known.unwrap_or_else(|| {
        let new = draw(source);
        DRAWN.with_borrow_mut(|drawn| {
            if drawn.len() >= KEPT {
                drop(drawn.remove(0));
            }
            drawn.push((source.to_owned(), new.clone()));
        });
        new
    })
}

fn draw(source: &str) -> Drawn {
    if source.len() > MAX_SOURCE {
        return Err("This MJML is longer than 1 MB".into());
    }
    if depth(source) > MAX_DEPTH {
        return Err(format!("This MJML is nested deeper than {MAX_DEPTH} elements"));
    }
    if source.to_ascii_lowercase().contains("<mj-include") {
        return Err("`mj-include` is not supported: put the part into the source itself".into());
    }
    let compiled = std::panic::catch_unwind(|| {
        let parsed = mrml::parse(source).map_err(|error| format!("This MJML cannot be read: {error}"))?;
        let warnings: Vec<String> = parsed.warnings.iter().map(ToString::to_string).collect();
        // No web fonts from servers of others: the fonts are the brand's.
        let options = mrml::prelude::render::RenderOptions { fonts: Default::default(), ..Default::default() };
        let html = parsed.element.render(&options).map_err(|error| format!("This MJML cannot be drawn: {error}"))?;
        Ok((html, warnings))
    });
    compiled.unwrap_or_else(|_| Err("This MJML cannot be drawn: its columns or sizes contradict each other".into()))
}

/// How deep elements are nested at most, by a rough count that never undercounts well-formed sources.
pub(super) fn depth(source: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let bytes = source.as_bytes();
    let mut at = 0;
    while let Some(step) = source[at..].find('<') {
        at += step + 1;
        match bytes.get(at) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b) if b.is_ascii_alphabetic() => {
                let end = source[at..].find('>').map_or(source.len(), |n| at + n);
                let name_end =
                    source[at..end].find(|c: char| !c.is_ascii_alphanumeric() && c != '-').map_or(end, |n| at + n);
                let name = source[at..name_end].to_ascii_lowercase();
                let void = matches!(
                    name.as_str(),
                    "area"
                        | "base"
                        | "br"
                        | "col"
                        | "embed"
                        | "hr"
                        | "img"
                        | "input"
                        | "link"
                        | "meta"
                        | "source"
                        | "wbr"
                );
                if !void && !source[at..end].ends_with('/') {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
            }
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(inside: &str) -> String {
        format!("<mjml><mj-body><mj-section><mj-column>{inside}</mj-column></mj-section></mj-body></mjml>")
    }

    #[test]
    fn tags_survive() {
        let source = document(
            "<mj-text>Hi {{ a|default(\"<you> & 'me'\", true) }}</mj-text>\r\n\
             <mj-raw>{% if x < 3 and y > 2 %}</mj-raw>\r\n\
             <mj-button href=\"{{ url }}?a=1&amp;b={{ b }}\">{{ word }}</mj-button>\r\n\
             <mj-raw>{% endif %}</mj-raw>\
             <mj-image src=\"{{ image }}\" alt=\"{{ name }}\" />",
        );
        let (html, _) = compile(&source).expect("compiles");
        for tag in [
            "Hi {{ a|default(\"<you> & 'me'\", true) }}",
            "{% if x < 3 and y > 2 %}",
            "href=\"{{ url }}?a=1&amp;b={{ b }}\"",
            "{{ word }}",
            "{% endif %}",
            "src=\"{{ image }}\"",
            "alt=\"{{ name }}\"",
        ] {
            assert!(html.contains(tag), "{tag}\n{html}");
        }
        let (open, close) = (html.find("{% if"), html.find("{% endif"));
        assert!(open < html.find("{{ word }}") && html.find("{{ word }}") < close, "{html}");
    }

    #[test]
    fn hostile_sources_are_refused() {
        for source in [
            "<mjml".to_owned(),
            String::new(),
            "<mjml><mj-body><mj-include path=\"/etc/passwd\" /></mj-body></mjml>".to_owned(),
            format!("<mjml><mj-body>{}", "<div>".repeat(100_000)),
            "x".repeat(2 << 20),
        ] {
            assert!(compile(&source).is_err(), "{:.80}", source);
        }
    }

    #[test]
    fn same_source_same_bytes() {
        let source = document("<mj-text>x</mj-text><mj-divider /><mj-button href=\"https://x.example\">y</mj-button>");
        assert_eq!(compile(&source), compile(&source));
    }
}
