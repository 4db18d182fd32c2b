//! MJML to responsive HTML, with merge tags kept out of the compiler's sight.
//!
//! Includes are refused: nothing here reads a file or asks a server. A source is bounded in size and depth before
//! the compiler, which descends without a bound of its own, sees it.

use std::cell::RefCell;

use mrml::prelude::parser::{Error, Span, Warning, WarningKind};

use super::{markup::Tokens, template::tree::MAX_SOURCE};
use crate::base::{OffsetMap, TextRange, text};

/// Deepest nesting of elements. Source: assumption; real mails stay below 40.
const MAX_DEPTH: usize = 120;

/// Longest message in characters.
const MAX_MESSAGE: usize = 200;

/// What the compiler refuses or warns of.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Fault {
    /// One sentence.
    pub message: String,
    /// Bytes of the source that was handed over; nothing where the compiler does not know.
    pub range: Option<TextRange>,
}

impl Fault {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), range: None }
    }

    fn at(message: impl Into<String>, range: TextRange) -> Self {
        Self { message: message.into(), range: Some(range) }
    }
}

/// Compiles a whole document in the long tag form. Warnings of the compiler come back beside the HTML.
///
/// Errors: one sentence, with the position in the source where the compiler knows it.
pub(super) fn compile(source: &str) -> Drawn {
    // The compiler fails on carriage returns. Source: references, mail rendering, section 4.
    let lines = source.replace("\r\n", "\n");
    let mut tokens = Tokens::default();
    let drawn = compile_bare(&tokens.take_tags(&lines));
    let placed = |fault: Fault| {
        let range = fault.range.map(|range| in_source(source, &lines, range));
        // A message repeats a part of the source, however long.
        Fault { message: tokens.restore(&fault.message).chars().take(MAX_MESSAGE).collect(), range }
    };
    match drawn {
        Ok((html, warnings)) => Ok((tokens.restore(&html), warnings.into_iter().map(placed).collect())),
        Err(fault) => Err(placed(fault)),
    }
}

/// What is wrong with a part of a document: what stands in its body. `None` where nothing is.
pub(super) fn fault_of_part(part: &str) -> Option<Fault> {
    let before = if begins_section(part) { BODY.to_owned() } else { format!("{BODY}{COLUMN}") };
    let after = if begins_section(part) { BODY_END.to_owned() } else { format!("{COLUMN_END}{BODY_END}") };
    let fault = compile(&format!("{before}{part}{after}")).err()?;
    let within = |at: usize| at.saturating_sub(before.len()).min(part.len());
    Some(Fault { range: fault.range.map(|range| TextRange::new(within(range.start), within(range.end))), ..fault })
}

const BODY: &str = "<mjml><mj-body>";
const BODY_END: &str = "</mj-body></mjml>";
const COLUMN: &str = "<mj-section><mj-column>";
const COLUMN_END: &str = "</mj-column></mj-section>";

/// Whether a part of a document brings its own sections, so that it stands in the body and not in a column.
pub(super) fn begins_section(part: &str) -> bool {
    ["<mj-section", "<mj-wrapper", "<mj-hero"].iter().any(|tag| part.contains(tag))
}

/// The range in the source of a range in what the compiler saw: `lines` is the source with plain line ends.
fn in_source(source: &str, lines: &str, range: TextRange) -> TextRange {
    let mut tags = OffsetMap::default();
    Tokens::default().take_tags_noting(lines, &mut tags);
    let mut ends = OffsetMap::default();
    let (mut from, mut dropped) = (0, 0);
    for (at, _) in source.match_indices("\r\n") {
        ends.push(from - dropped, from);
        (from, dropped) = (at + 1, dropped + 1);
    }
    ends.push(from - dropped, from);
    let back = |at: usize| ends.source_offset(tags.source_offset(at)).min(source.len());
    TextRange::new(back(range.start), back(range.end))
}

/// How many drawn documents are kept for the next mail of the same build, and how long each may be. Source: assumption;
/// a flow has few builds, and a mail's MJML has some 5 KB.
const KEPT: usize = 16;
const KEPT_BYTES: usize = 64 << 10;

thread_local! {
    /// Sources and what came of them, the last used at the end. What was drawn depends on the source alone.
    static DRAWN: RefCell<Vec<(String, Drawn)>> = const { RefCell::new(Vec::new()) };
}

/// The HTML and what the compiler warns of.
type Drawn = Result<(String, Vec<Fault>), Fault>;

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
        return Err(Fault::new("This MJML is longer than 1 MB"));
    }
    if let Some(at) = too_deep(source) {
        return Err(Fault::at(format!("This MJML is nested deeper than {MAX_DEPTH} elements"), tag_at(source, at)));
    }
    if let Some(at) = source.to_ascii_lowercase().find("<mj-include") {
        let why = "`mj-include` is not supported: put the part into the source itself";
        return Err(Fault::at(why, tag_at(source, at)));
    }
    let compiled = std::panic::catch_unwind(|| {
        let parsed = mrml::parse(source).map_err(|error| fault(source, &error))?;
        let mut warnings: Vec<Fault> = parsed.warnings.iter().map(|found| warning(source, found)).collect();
        warnings.extend(unsaid(source));
        // No web fonts from servers of others: the fonts are the brand's.
        let options = mrml::prelude::render::RenderOptions { fonts: Default::default(), ..Default::default() };
        let html = parsed.element.render(&options);
        let html = html.map_err(|error| Fault::new(format!("This MJML cannot be drawn: {error}")))?;
        Ok((html, warnings))
    });
    compiled
        .unwrap_or_else(|_| Err(Fault::new("This MJML cannot be drawn: its columns or sizes contradict each other")))
}

/// What the compiler says, in our words and with its place.
fn fault(source: &str, error: &Error) -> Fault {
    let part = |span: &Span| clipped(source, span.start, span.end);
    let shown = |range: TextRange| range.slice(source).lines().next().unwrap_or("");
    match error {
        Error::UnexpectedElement { position, .. } => {
            let range = part(position);
            Fault::at(format!("`{}` cannot stand here", shown(range).trim_start_matches('<')), range)
        }
        Error::UnexpectedToken { position, .. } => {
            let range = part(position);
            misnested(source, |_| true)
                .unwrap_or_else(|| Fault::at(format!("`{}` cannot stand here", shown(range)), range))
        }
        Error::MissingAttribute { name, position, .. } => {
            Fault::at(format!("The attribute `{name}` is missing here"), part(position))
        }
        Error::InvalidAttribute { position, .. } => {
            let range = part(position);
            Fault::at(format!("`{}` is no value for this attribute", shown(range)), range)
        }
        Error::InvalidFormat { position, .. } => {
            let range = part(position);
            Fault::at(format!("`{}` cannot be read", shown(range)), range)
        }
        Error::EndOfStream { .. } => misnested(source, |_| true)
            .unwrap_or_else(|| Fault::at("This MJML ends too early", clipped(source, source.len(), source.len()))),
        Error::ParserError { source: found, .. } => {
            let at = text::offset_of(source, found.pos().row as usize, found.pos().col as usize);
            let rest = source.get(at..).unwrap_or("");
            // The parser stops before the white space in front of an attribute.
            let start = at + rest.find(|c: char| !c.is_whitespace()).unwrap_or(0);
            let end = at
                + rest.trim_start().find(['\n', '>']).map_or(rest.len(), |n| rest.len() - rest.trim_start().len() + n);
            let range = clipped(source, start, end);
            let text = range.slice(source);
            let why = match text.as_bytes().first() {
                Some(b'<') if text.starts_with("<!--") => "this comment is not closed",
                Some(b'<') => "a `<` that begins no tag is written `&lt;`",
                _ => "the value of an attribute stands in quotes",
            };
            Fault::at(format!("`{}` cannot be read: {why}", shown(range)), range)
        }
        Error::NoRootNode => Fault::at("There is no `mjml` element", clipped(source, 0, 0)),
        Error::SizeLimit { .. } => Fault::new("This MJML is too long"),
        Error::IncludeLoaderError { position, .. } => Fault::at("Nothing is included from elsewhere", part(position)),
    }
}

fn warning(source: &str, found: &Warning) -> Fault {
    let range = clipped(source, found.span.start, found.span.end);
    let message = match found.kind {
        WarningKind::UnexpectedAttribute => {
            let name = range.slice(source).split('=').next().unwrap_or("").trim().to_owned();
            format!("The attribute `{name}` means nothing here")
        }
        WarningKind::InlineStyleUnsupported => "`inline` means nothing here: this style stays in the head".to_owned(),
    };
    Fault::at(message, range)
}

/// A range within the source, at characters.
fn clipped(source: &str, start: usize, end: usize) -> TextRange {
    let fit = |mut at: usize| {
        at = at.min(source.len());
        while !source.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    TextRange::new(fit(start), fit(end))
}

/// The tag that begins at `at`, as far as its name.
fn tag_at(source: &str, at: usize) -> TextRange {
    TextRange::new(at, at + 1 + name_at(source, at).len())
}

/// The name of the tag that begins at `at`.
fn name_at(source: &str, at: usize) -> &str {
    let rest = source.get(at + 1..).unwrap_or("");
    &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len())]
}

/// The first place where tags do not close each other in turn, of the elements whose names are meant.
fn misnested(source: &str, is_meant: impl Fn(&str) -> bool) -> Option<Fault> {
    let not_closed =
        |at: usize| Fault::at(format!("`{}` is opened here and not closed", name_at(source, at)), tag_at(source, at));
    let comments = comments(source);
    let mut open: Vec<usize> = Vec::new();
    for tag in tags(source) {
        let (Tag::Open(at) | Tag::Close(at)) = tag;
        let after_last = comments.partition_point(|range| range.start <= at);
        if after_last.checked_sub(1).and_then(|n| comments.get(n)).is_some_and(|range| at < range.end) {
            continue;
        }
        match tag {
            Tag::Open(at) if is_meant(name_at(source, at)) => open.push(at),
            Tag::Close(at) if is_meant(name_at(source, at + 1)) => {
                let name = name_at(source, at + 1);
                let is_open = |at: usize| name_at(source, at).eq_ignore_ascii_case(name);
                match open.pop() {
                    Some(last) if is_open(last) => {}
                    Some(last) if open.iter().any(|at| is_open(*at)) => return Some(not_closed(last)),
                    last => {
                        let range = clipped(source, at, at + name.len() + 3);
                        let what = last.map_or_else(
                            || "nothing is open".to_owned(),
                            |last| format!("`{}` is open", name_at(source, last)),
                        );
                        return Some(Fault::at(format!("`</{name}>` closes nothing here: {what}"), range));
                    }
                }
            }
            Tag::Open(_) | Tag::Close(_) => {}
        }
    }
    open.last().map(|at| not_closed(*at))
}

/// What the compiler draws all the same, but never as meant: an element that MJML does not have, a wrong end tag.
fn unsaid(source: &str) -> Vec<Fault> {
    let is_of_mjml = |name: &str| name.get(..3).is_some_and(|begin| begin.eq_ignore_ascii_case("mj-"));
    let comments = comments(source);
    let mut out = Vec::new();
    for tag in tags(source) {
        let Tag::Open(at) = tag else { continue };
        let name = name_at(source, at);
        let is_known = ELEMENTS.iter().any(|known| name.strip_prefix("mj-") == Some(known));
        if is_of_mjml(name) && !is_known && !comments.iter().any(|range| (range.start..range.end).contains(&at)) {
            out.push(Fault::at(
                format!("MJML has no element `{name}`: mail programs leave it out"),
                tag_at(source, at),
            ));
        }
    }
    out.truncate(MAX_UNSAID);
    out.extend(misnested(source, is_of_mjml));
    out
}

/// Most unknown elements that are named.
const MAX_UNSAID: usize = 20;

/// What may stand behind `mj-`. Source: the modules of mrml 6.0.1.
const ELEMENTS: [&str; 33] = [
    "accordion",
    "accordion-element",
    "accordion-text",
    "accordion-title",
    "all",
    "attributes",
    "body",
    "breakpoint",
    "button",
    "carousel",
    "carousel-image",
    "class",
    "column",
    "divider",
    "font",
    "group",
    "head",
    "hero",
    "image",
    "navbar",
    "navbar-link",
    "preview",
    "raw",
    "section",
    "social",
    "social-element",
    "spacer",
    "style",
    "table",
    "text",
    "title",
    "wrapper",
    "html-attributes",
];

/// Where comments stand; those that are conditions for Outlook hold what counts.
fn comments(source: &str) -> Vec<TextRange> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(start) = source[at..].find("<!--").map(|n| at + n) {
        let end = source[start..].find("-->").map_or(source.len(), |n| start + n + 3);
        if !source[start..].starts_with("<!--[") {
            out.push(TextRange::new(start, end));
        }
        at = end;
    }
    out
}

/// Where an element begins that is deeper than [`MAX_DEPTH`].
fn too_deep(source: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for tag in tags(source) {
        match tag {
            Tag::Open(at) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            Tag::Close(_) => depth = depth.saturating_sub(1),
        }
    }
    None
}

/// A tag by where its `<` stands.
enum Tag {
    Open(usize),
    Close(usize),
}

/// The tags of elements that are not empty, by a rough reading that never misses one of a well-formed source.
fn tags(source: &str) -> impl Iterator<Item = Tag> {
    let bytes = source.as_bytes();
    source.match_indices('<').filter_map(move |(start, _)| {
        let at = start + 1;
        match bytes.get(at) {
            Some(b'/') => Some(Tag::Close(start)),
            Some(b) if b.is_ascii_alphabetic() => {
                let end = source[at..].find(['>', '<']).map_or(source.len(), |n| at + n);
                let is_void = VOID.iter().any(|void| void.eq_ignore_ascii_case(name_at(source, start)));
                (!is_void && !source[at..end].ends_with('/')).then_some(Tag::Open(start))
            }
            _ => None,
        }
    })
}

const VOID: [&str; 12] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"];

/// How deep elements are nested at most, by a rough count that never undercounts well-formed sources.
pub(super) fn depth(source: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for tag in tags(source) {
        match tag {
            Tag::Open(_) => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            Tag::Close(_) => depth = depth.saturating_sub(1),
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

    /// What is said about a source, and the part of it that is marked.
    #[track_caller]
    fn check(source: &str, place: &str, message: &str) {
        let fault = compile(source).expect_err("refused");
        let range = fault.range.expect("a place");
        assert_eq!((&source[range.start..range.end], fault.message.as_str()), (place, message), "{source:?}");
    }

    #[test]
    fn a_fault_has_its_place_in_the_source() {
        check(
            &document("<mj-text>Hi</mj-text></mj-column>"),
            "</mj-column>",
            "`</mj-column>` closes nothing here: `mj-section` is open",
        );
        check(
            &document(
                "<mj-text>{{ a|default('<>', true) }} ä\r\n{{ b }}</mj-text>\r\n<mj-divider>{% if b %}</mj-divider>",
            ),
            "{% if b %}",
            "`{% if b %}` cannot stand here",
        );
        check(
            &document("<mj-text>{{ a }}\r\n\r\nä</mj-text>\r\n<mj-social><mj-text>x</mj-text></mj-social>"),
            "<mj-text",
            "`mj-text` cannot stand here",
        );
        check(&document("<mj-text>{{ a }}<p>ä</mj-text>"), "<p", "`p` is opened here and not closed");
        check(&document("<mj-text>ä"), "<mj-text", "`mj-text` is opened here and not closed");
        check(&document("<mj-text>ä</p></mj-text>"), "</p>", "`</p>` closes nothing here: `mj-text` is open");
        check(
            &document("{{ a }}<mj-image\r\n src={{ a }}>"),
            "src={{ a }}",
            "`src={{ a }}` cannot be read: the value of an attribute stands in quotes",
        );
        check(
            &document("<mj-text>1 < 2</mj-text>"),
            "< 2</mj-text",
            "`< 2</mj-text` cannot be read: a `<` that begins no tag is written `&lt;`",
        );
        check(
            "<mjml><mj-body><mj-include path='x' /></mj-body></mjml>",
            "<mj-include",
            "`mj-include` is not supported: put the part into the source itself",
        );
        check("<mjml><mj-body><mj-section>", "<mj-section", "`mj-section` is opened here and not closed");
        check("<p>x</p>", "<p", "`<p` cannot stand here");
        check("", "", "There is no `mjml` element");
        let deep = format!("<mjml><mj-body>{}", "<div>".repeat(200));
        check(&deep, "<div", "This MJML is nested deeper than 120 elements");
    }

    #[test]
    fn a_warning_has_its_place_in_the_source() {
        #[track_caller]
        fn check(inside: &str, places: &[&str]) {
            let source = document(inside);
            let (_, warnings) = compile(&source).expect("compiles");
            let found: Vec<&str> =
                warnings.iter().map(|fault| fault.range.map_or("", |range| range.slice(&source))).collect();
            assert_eq!(found, places, "{warnings:?}");
        }
        check("{{ a }}<mj-text><b>ä</b><br></mj-text><!-- <mj-nope> --><mj-social />", &[]);
        check("{{ a }}<mj-txt>ä</mj-txt>", &["<mj-txt"]);
        check("{{ a }}<mj-text>ä</mj-txt>", &["</mj-txt>"]);
        let source = "<mjml wide='{{ b }}'><mj-body></mj-body></mjml>";
        let (_, warnings) = compile(source).expect("compiles");
        let said: Vec<_> = warnings.iter().map(|fault| (fault.message.as_str(), fault.range)).collect();
        assert_eq!(said, [("The attribute `wide` means nothing here", Some(TextRange::new(6, 20)))]);
    }

    #[test]
    fn a_fault_of_a_part_has_its_place_in_the_part() {
        #[track_caller]
        fn check(part: &str, place: Option<&str>) {
            let found = fault_of_part(part).map(|fault| fault.range.map_or("", |range| range.slice(part)));
            assert_eq!(found, place, "{part}");
        }
        check("<mj-text>{{ a }}</mj-text>", None);
        check("<mj-text>{{ a }}</mj-text><mj-divider>x</mj-divider>", Some("x"));
        check("<mj-section><mj-column><mj-social>x</mj-social></mj-column></mj-section>", Some("x"));
        check("<mj-text>", Some("<mj-text"));
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
