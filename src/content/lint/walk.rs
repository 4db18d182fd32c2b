//! One walk through the HTML of a mail: what its words, pictures and links look like where they stand.
//!
//! The one idea: colours, sizes and what is hidden are handed down from element to element, in both looks (light and
//! dark) at once; what a style says in a way that is not followed counts as unknown, and of that nothing is claimed.

use std::collections::HashMap;

use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use super::{
    css::{self, Rgb, Ruled, Sheets, Size, Style, Used},
    html::{Piece, Pieces, Tag, has_words, unescaped},
    support::{self, Feature},
};

/// Deepest nesting that is followed. Source: assumption; real mails stay below 60.
const MAX_DEPTH: usize = 1_000;
/// Most kinds of elements whose rules are kept at hand.
const MOST_RULED: usize = 64;
/// How far up an end tag is matched, so that broken sources cost no more than whole ones.
const MAX_CLOSE: usize = 60;
/// Widest mail that phones and preview panes show whole. Source: references, mail rendering, section 6.
pub(super) const MAX_WIDTH: f64 = 600.0;
/// Smallest letters that are read on a phone. Source: references, mail rendering, section 6.
pub(super) const MIN_FONT: f64 = 13.0;

/// What was seen.
#[derive(Default)]
pub(super) struct Seen<'a> {
    pub links: Vec<Link<'a>>,
    pub images: Vec<Image<'a>>,
    /// Whether there are words that are shown.
    pub words: bool,
    pub viewport: bool,
    /// Colour of words, colour behind them, words: each pair once.
    pub faint: Vec<Faint<'a>>,
    /// The same in dark mode.
    pub faint_dark: Vec<Faint<'a>>,
    /// Sizes of letters below [`MIN_FONT`], with words.
    pub small: Vec<(f64, &'a str)>,
    /// Widths above [`MAX_WIDTH`], with the element's name and its style.
    pub wide: Vec<(f64, &'a str, &'a str)>,
    /// Features that many programs lack.
    pub poor: Vec<&'static Feature>,
    /// The first text with a word that says "no value" in some programming language.
    pub nothing: Option<(&'static str, &'a str)>,
}

/// Words that are hard to read.
#[derive(Clone, Copy)]
pub(super) struct Faint<'a> {
    pub colour: Rgb,
    pub background: Rgb,
    pub contrast: f64,
    pub words: &'a str,
}

/// A link.
#[derive(Default)]
pub(super) struct Link<'a> {
    /// As written; `None` for an anchor.
    pub href: Option<&'a str>,
    /// Its words.
    pub words: String,
    pub has_picture: bool,
}

/// A picture.
pub(super) struct Image<'a> {
    pub src: Option<&'a str>,
    pub alt: Option<&'a str>,
}

#[derive(Clone, Copy)]
struct Look {
    colour: Option<Rgb>,
    background: Option<Rgb>,
}

struct Open<'a> {
    name: &'a str,
    light: Look,
    dark: Look,
    font: f64,
    bold: bool,
    hidden: bool,
    link: Option<usize>,
}

/// What dark mode looks like without a style. Source: assumption; the greys of Apple Mail and Gmail lie around it.
const DARK: Look = Look { colour: Some(Rgb(255, 255, 255)), background: Some(Rgb(18, 18, 18)) };
const LIGHT: Look = Look { colour: Some(Rgb(0, 0, 0)), background: Some(Rgb(255, 255, 255)) };
const LINK: Rgb = Rgb(0, 0, 238);
const LINK_IN_DARK: Rgb = Rgb(158, 158, 255);

/// Walks through a mail.
pub(super) fn walk(html: &str) -> Seen<'_> {
    let pieces: Vec<Piece<'_>> = Pieces::of(html).collect();
    let mut seen = Seen::default();
    let mut sheets = Sheets::default();
    for piece in &pieces {
        match piece {
            Piece::Sheet(sheet) => sheets.read(sheet, &mut |used| note(&mut seen.poor, &used)),
            Piece::Open(tag) if tag.is("meta") => meta(tag, &mut seen, &mut sheets),
            _ => {}
        }
    }
    sheets.finish();
    let base = if sheets.scheme_dark { DARK } else { LIGHT };
    let root = Open { name: "", light: LIGHT, dark: base, font: 16.0, bold: false, hidden: false, link: None };
    let mut walker = Walker {
        checks_dark: sheets.has_dark || sheets.scheme_dark,
        sheets: &sheets,
        stack: vec![root],
        styles: HashMap::default(),
        ruled: Vec::new(),
        elements: Vec::new(),
        seen,
    };
    for piece in &pieces {
        match piece {
            Piece::Open(tag) => walker.open(tag),
            Piece::Close(name) => walker.close(name),
            Piece::Text(text) => walker.text(text),
            Piece::Sheet(_) => {}
        }
    }
    walker.seen
}

fn meta<'a>(tag: &Tag<'a>, seen: &mut Seen<'a>, sheets: &mut Sheets<'a>) {
    let name = tag.get("name").unwrap_or_default();
    seen.viewport |= name.eq_ignore_ascii_case("viewport");
    if ["color-scheme", "supported-color-schemes"].iter().any(|scheme| name.eq_ignore_ascii_case(scheme)) {
        sheets.scheme_dark |= tag.get("content").unwrap_or_default().contains("dark");
    }
}

fn note(poor: &mut Vec<&'static Feature>, used: &Used<'_>) {
    let feature = match used {
        Used::AtRule(name) => support::at_rule(name),
        Used::Declaration(name, value) => support::declaration(name, value),
    };
    keep(poor, feature);
}

fn keep(poor: &mut Vec<&'static Feature>, feature: Option<&'static Feature>) {
    if let Some(feature) = feature
        && !poor.iter().any(|other| std::ptr::eq(*other, feature))
    {
        poor.push(feature);
    }
}

/// Tag, class and id of an element.
type Asked<'a> = (&'a str, &'a str, &'a str);

struct Walker<'a, 's> {
    sheets: &'s Sheets<'a>,
    checks_dark: bool,
    stack: Vec<Open<'a>>,
    /// Style attributes that were read already; a mail has few different ones.
    styles: HashMap<&'a str, Style, Xxh3DefaultBuilder>,
    /// What the rules say of tag, class and id, for those asked already.
    ruled: Vec<(Asked<'a>, (Ruled, Ruled))>,
    /// Names of elements that were looked up already.
    elements: Vec<&'a str>,
    seen: Seen<'a>,
}

impl<'a> Walker<'a, '_> {
    fn open(&mut self, tag: &Tag<'a>) {
        if !self.elements.contains(&tag.name) {
            self.elements.push(tag.name);
            keep(&mut self.seen.poor, support::element(tag.name));
        }
        let repeats = ["p", "li", "td", "th", "tr"].iter().any(|name| tag.is(name));
        if repeats && self.stack.last().is_some_and(|top| tag.is(top.name)) {
            self.stack.pop();
        }
        let written = tag.get("style").unwrap_or_default();
        let mut own = match self.styles.get(written) {
            Some(style) => *style,
            None => {
                let style = css::style(written);
                self.styles.insert(written, style);
                css::declarations(written)
                    .for_each(|(name, value, _)| note(&mut self.seen.poor, &Used::Declaration(name, value)));
                style
            }
        };
        let from_attributes = Style {
            background: tag.get("bgcolor").map(Rgb::parse),
            colour: tag.get("color").filter(|_| tag.is("font")).map(Rgb::parse),
            width: tag.get("width").and_then(|width| width.trim().trim_end_matches("px").parse().ok()),
            bold: ["b", "strong", "th", "h1", "h2", "h3", "h4"].iter().any(|name| tag.is(name)).then_some(true),
            hidden: tag.get("hidden").map(|_| true),
            ..Style::default()
        };
        let mut all = from_attributes;
        all.over(&own);
        own = all;
        if tag.is("td") && tag.get("background").is_some_and(|picture| !picture.is_empty()) {
            own.background = Some(None);
        }
        let (class, id) = (tag.get("class").unwrap_or_default(), tag.get("id").unwrap_or_default());
        let (by_light, by_dark) = self.ruled(tag.name, class, id);
        let light = by_light.with(&own);
        let dark = if self.checks_dark { by_dark.with(&own) } else { light };
        let Some(above) = self.stack.last() else { return };
        let is_link = tag.is("a") && tag.get("href").is_some();
        let look = |style: &Style, above: Look, link: Rgb| Look {
            colour: style.colour.unwrap_or(if is_link { Some(link) } else { above.colour }),
            background: style.background.unwrap_or(above.background),
        };
        let font = match light.font {
            Some(Size::Px(px)) => px,
            Some(Size::Times(times)) => above.font * times,
            None => above.font,
        };
        let hidden = above.hidden || light.hidden.unwrap_or(false);
        let next = Open {
            name: tag.name,
            light: look(&light, above.light, LINK),
            dark: look(&dark, above.dark, if self.sheets.scheme_dark { LINK_IN_DARK } else { LINK }),
            font,
            bold: light.bold.unwrap_or(above.bold),
            hidden,
            link: above.link,
        };
        self.element(tag, &light, next);
    }

    /// What the rules of both looks say of an element.
    fn ruled(&mut self, tag: &'a str, class: &'a str, id: &'a str) -> (Ruled, Ruled) {
        let key = (tag, class, id);
        if let Some((_, ruled)) = self.ruled.iter().find(|(known, _)| *known == key) {
            return *ruled;
        }
        let Sheets { light, dark, .. } = self.sheets;
        let ruled = (light.of(tag, class, id), dark.of(tag, class, id));
        // A mail has few different elements; a hostile one is not to make the list long.
        if self.ruled.len() < MOST_RULED {
            self.ruled.push((key, ruled));
        }
        ruled
    }

    fn element(&mut self, tag: &Tag<'a>, style: &Style, mut next: Open<'a>) {
        if !next.hidden {
            if tag.is("a") {
                next.link = Some(self.seen.links.len());
                self.seen.links.push(Link { href: tag.get("href"), ..Link::default() });
            } else if tag.is("img") {
                self.seen.images.push(Image { src: tag.get("src"), alt: tag.get("alt") });
                if let Some(link) = next.link.and_then(|link| self.seen.links.get_mut(link)) {
                    link.has_picture = true;
                    link.words.push_str(tag.get("alt").unwrap_or_default());
                }
            }
            let sized = ["table", "td", "th", "div", "img"].iter().any(|name| tag.is(name));
            if let Some(width) = style.width.filter(|width| *width > MAX_WIDTH && sized && !style.bounded) {
                self.seen.wide.push((width, tag.name, tag.get("style").unwrap_or_default()));
            }
        }
        const VOID: [&str; 11] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"];
        if !VOID.iter().any(|name| tag.is(name)) && self.stack.len() < MAX_DEPTH {
            self.stack.push(next);
        }
    }

    fn close(&mut self, name: &str) {
        let found =
            self.stack.iter().skip(1).rev().take(MAX_CLOSE).position(|open| open.name.eq_ignore_ascii_case(name));
        if let Some(above) = found {
            self.stack.truncate(self.stack.len() - above - 1);
        }
    }

    fn text(&mut self, text: &'a str) {
        let Some(here) = self.stack.last() else { return };
        if here.hidden || ["head", "title"].iter().any(|name| here.name.eq_ignore_ascii_case(name)) {
            return;
        }
        if let Some(link) = here.link.and_then(|link| self.seen.links.get_mut(link)) {
            link.words.push_str(&unescaped(text));
        }
        if here.font < 2.0 || !has_words(text) {
            return;
        }
        self.seen.words = true;
        let words = text.trim();
        if here.font < MIN_FONT && !self.seen.small.iter().any(|(size, _)| *size == here.font) {
            self.seen.small.push((here.font, words));
        }
        let large = here.font >= 24.0 || (here.bold && here.font >= 18.66);
        // Source: WCAG 2.2, success criterion 1.4.3: 4.5 to 1, large letters 3 to 1.
        let least = if large { 3.0 } else { 4.5 };
        if !self.sheets.light.unclear {
            faint(here.light, least, words, &mut self.seen.faint);
        }
        if self.checks_dark && !self.sheets.dark.unclear {
            faint(here.dark, least, words, &mut self.seen.faint_dark);
        }
        if self.seen.nothing.is_none() {
            self.seen.nothing = super::nothing_word(text).map(|word| (word, words));
        }
    }
}

fn faint<'a>(look: Look, least: f64, words: &'a str, out: &mut Vec<Faint<'a>>) {
    let (Some(colour), Some(background)) = (look.colour, look.background) else { return };
    if out.iter().any(|other| other.colour == colour && other.background == background) {
        return;
    }
    let contrast = colour.contrast(background);
    if contrast < least {
        out.push(Faint { colour, background, contrast, words });
    }
}
