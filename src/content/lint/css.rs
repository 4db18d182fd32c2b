//! Style attributes and style sheets, as far as lints need them: colours, sizes, widths, and what is used at all.
//!
//! The one idea: what is not understood counts as unknown, and nothing is claimed of what is unknown. Selectors of one
//! element (`td`, `.note`, `td.note`, `#top`) are followed; others only say that they were there.

use std::sync::LazyLock;

/// A colour without transparency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// As CSS and attributes write it: `#rgb`, `#rrggbb`, `rgb()`, and the names that mails use.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(hex) = text.strip_prefix('#') {
            let digit = |at: usize| hex.get(at..=at).and_then(|d| u8::from_str_radix(d, 16).ok());
            let pair = |at: usize| hex.get(at..at + 2).and_then(|d| u8::from_str_radix(d, 16).ok());
            return match hex.len() {
                3 => Some(Self(digit(0)? * 17, digit(1)? * 17, digit(2)? * 17)),
                6 => Some(Self(pair(0)?, pair(2)?, pair(4)?)),
                _ => None,
            };
        }
        let lower = text.to_ascii_lowercase();
        if let Some(inside) = lower.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) {
            let mut parts =
                inside.split([',', ' ']).filter(|part| !part.is_empty()).map(|part| part.parse::<u8>().ok());
            let colour = Self(parts.next()??, parts.next()??, parts.next()??);
            return parts.next().is_none().then_some(colour);
        }
        Some(match lower.as_str() {
            "black" => Self(0, 0, 0),
            "white" => Self(255, 255, 255),
            "red" => Self(255, 0, 0),
            "green" => Self(0, 128, 0),
            "blue" => Self(0, 0, 255),
            "yellow" => Self(255, 255, 0),
            "orange" => Self(255, 165, 0),
            "gray" | "grey" => Self(128, 128, 128),
            "silver" => Self(192, 192, 192),
            "navy" => Self(0, 0, 128),
            "maroon" => Self(128, 0, 0),
            "purple" => Self(128, 0, 128),
            "teal" => Self(0, 128, 128),
            _ => return None,
        })
    }

    /// Relative luminance. Source: WCAG 2.2, definition of relative luminance.
    fn luminance(self) -> f64 {
        let part = |byte: u8| LINEAR[usize::from(byte)];
        0.2126 * part(self.0) + 0.7152 * part(self.1) + 0.0722 * part(self.2)
    }

    /// Contrast of two colours, 1.0..=21.0. Source: WCAG 2.2, definition of contrast ratio.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// The light of each value of a channel. A table, since every text of a mail asks for it, and worked out without a
/// power function, which differs between platforms.
static LINEAR: LazyLock<[f64; 256]> = LazyLock::new(|| {
    let mut table = [0.0; 256];
    for (byte, light) in (0_u8..=255).zip(&mut table) {
        let c = f64::from(byte) / 255.0;
        *light = if c <= 0.04045 { c / 12.92 } else { power_2_4((c + 0.055) / 1.055) };
    }
    table
});

/// x to the 2.4 for x in 0..=1, as x² times the fifth root of x², which Newton's rule finds.
fn power_2_4(x: f64) -> f64 {
    let square = x * x;
    if square == 0.0 {
        return 0.0;
    }
    let mut root = 1.0;
    for _ in 0..40 {
        let fourth = root * root * root * root;
        root -= (fourth * root - square) / (5.0 * fourth);
    }
    square * root
}

/// What a style says of what lints look at.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Style {
    /// Colour of words; inner `None` where it is said in a way we do not follow.
    pub colour: Option<Option<Rgb>>,
    /// Colour behind them.
    pub background: Option<Option<Rgb>>,
    pub font: Option<Size>,
    pub bold: Option<bool>,
    /// Width in pixels.
    pub width: Option<f64>,
    /// Whether `max-width` bounds it.
    pub bounded: bool,
    pub hidden: Option<bool>,
}

/// A size of letters.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Size {
    Px(f64),
    /// Times the size around it.
    Times(f64),
}

impl Style {
    /// What `other` says takes the place of what this says.
    pub fn over(&mut self, other: &Self) {
        self.colour = other.colour.or(self.colour);
        self.background = other.background.or(self.background);
        self.font = other.font.or(self.font);
        self.bold = other.bold.or(self.bold);
        self.width = other.width.or(self.width);
        self.bounded |= other.bounded;
        self.hidden = other.hidden.or(self.hidden);
    }

    fn set(&mut self, name: &str, value: &str) {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("color") {
            self.colour = Some(Rgb::parse(value));
        } else if is("background-color") {
            self.background = match value.trim() {
                "transparent" | "none" => return,
                value => Some(Rgb::parse(value)),
            };
        } else if is("background") {
            let pictured = value.contains("url(") || value.contains("gradient(");
            let colour = value.split_whitespace().find_map(Rgb::parse).filter(|_| !pictured);
            if pictured || colour.is_some() {
                self.background = Some(colour);
            }
        } else if is("background-image") {
            if value.trim() != "none" {
                self.background = Some(None);
            }
        } else if is("font-size") {
            self.font = size(value);
        } else if is("font") {
            let sized = value.split_whitespace().find_map(|part| size(part.split('/').next().unwrap_or(part)));
            self.font = sized.or(self.font);
        } else if is("font-weight") {
            let value = value.trim();
            self.bold = Some(value == "bold" || value == "bolder" || value.parse::<u32>().is_ok_and(|n| n >= 700));
        } else if is("width") || is("min-width") {
            self.width = pixels(value).or(self.width);
        } else if is("max-width") {
            self.bounded |= !value.trim().eq_ignore_ascii_case("none");
        } else if is("display") {
            self.hidden = Some(value.trim().eq_ignore_ascii_case("none"));
        }
    }

    fn says_colours(&self) -> bool {
        self.colour.is_some() || self.background.is_some()
    }
}

fn pixels(value: &str) -> Option<f64> {
    value.trim().strip_suffix("px")?.trim().parse().ok()
}

fn size(value: &str) -> Option<Size> {
    let value = value.trim();
    let number = |unit: &str| value.strip_suffix(unit).and_then(|n| n.trim().parse::<f64>().ok());
    if let Some(px) = number("px") {
        return Some(Size::Px(px));
    }
    if let Some(pt) = number("pt") {
        return Some(Size::Px(pt * 4.0 / 3.0));
    }
    if let Some(rem) = number("rem") {
        return Some(Size::Px(rem * 16.0));
    }
    if let Some(em) = number("em") {
        return Some(Size::Times(em));
    }
    number("%").map(|percent| Size::Times(percent / 100.0))
}

/// The declarations in a style: name, value, whether important.
pub(super) fn declarations(css: &str) -> impl Iterator<Item = (&str, &str, bool)> {
    split_outside(css, b';').filter_map(|declaration| {
        let (name, value) = declaration.split_once(':')?;
        let value = value.trim();
        let (value, important) = match value.rfind('!') {
            Some(at) if value[at + 1..].trim().eq_ignore_ascii_case("important") => (value[..at].trim(), true),
            _ => (value, false),
        };
        (!value.is_empty()).then(|| (name.trim(), value, important))
    })
}

/// A style attribute: what it says, and what of it is important.
pub(super) fn style(css: &str) -> Style {
    let mut out = Style::default();
    for (name, value, _) in declarations(css) {
        out.set(name, value);
    }
    out
}

/// Splits where a byte stands outside of quotes and parentheses.
fn split_outside(text: &str, at: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut quote, mut depth) = (None, 0_usize);
        for (n, byte) in text.bytes().enumerate() {
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), close) if open == close => quote = None,
                (None, b'(') => depth += 1,
                (None, b')') => depth = depth.saturating_sub(1),
                (None, byte) if byte == at && depth == 0 => {
                    rest = Some(&text[n + 1..]);
                    return Some(&text[..n]);
                }
                _ => {}
            }
        }
        rest = None;
        Some(text)
    })
}

/// A rule for one kind of element.
#[derive(Clone, Debug)]
pub(super) struct Rule<'a> {
    tag: &'a str,
    class: &'a str,
    id: &'a str,
    normal: Style,
    important: Style,
}

impl Rule<'_> {
    fn applies(&self, tag: &str, class: &str, id: &str) -> bool {
        (self.tag.is_empty() || self.tag.eq_ignore_ascii_case(tag))
            && (self.class.is_empty() || class.split_ascii_whitespace().any(|class| class == self.class))
            && (self.id.is_empty() || self.id == id)
    }

    fn weight(&self) -> (bool, bool, bool) {
        (!self.id.is_empty(), !self.class.is_empty(), !self.tag.is_empty())
    }
}

/// What rules say of one element.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ruled {
    normal: Style,
    important: Style,
}

impl Ruled {
    /// The style of the element: rules, then its own style, then what is important.
    pub fn with(&self, own: &Style) -> Style {
        let mut out = self.normal;
        out.over(own);
        out.over(&self.important);
        out
    }
}

/// All rules of a mail for one of its two looks.
#[derive(Debug, Default)]
pub(super) struct Rules<'a> {
    rules: Vec<Rule<'a>>,
    /// A selector that is not followed sets colours, so that nothing can be said of colours.
    pub unclear: bool,
}

impl Rules<'_> {
    /// What the rules say of an element.
    pub fn of(&self, tag: &str, class: &str, id: &str) -> Ruled {
        let mut out = Ruled::default();
        for rule in self.rules.iter().filter(|rule| rule.applies(tag, class, id)) {
            out.normal.over(&rule.normal);
            out.important.over(&rule.important);
        }
        out
    }

    fn sort(&mut self) {
        self.rules.sort_by_key(Rule::weight);
    }
}

/// The style sheets of a mail.
#[derive(Debug, Default)]
pub(super) struct Sheets<'a> {
    /// What holds always.
    pub light: Rules<'a>,
    /// The same with what holds in dark mode.
    pub dark: Rules<'a>,
    /// Whether anything is said for dark mode.
    pub has_dark: bool,
    /// Whether it says that its colours are made for dark mode, too.
    pub scheme_dark: bool,
}

impl<'a> Sheets<'a> {
    /// Reads one `<style>`; `used` hears of every at-rule and declaration.
    pub fn read(&mut self, css: &'a str, used: &mut dyn FnMut(Used<'a>)) {
        self.block(css, false, false, used, 0);
    }

    /// To be called when all are read.
    pub fn finish(&mut self) {
        self.light.sort();
        self.dark.sort();
    }

    fn block(&mut self, css: &'a str, dark: bool, narrow: bool, used: &mut dyn FnMut(Used<'a>), depth: usize) {
        let mut rest = css;
        loop {
            rest = rest.trim_start();
            if let Some(comment) = rest.strip_prefix("/*") {
                rest = comment.split_once("*/").map_or("", |(_, after)| after);
                continue;
            }
            let Some(open) = rest.find(['{', ';']) else { return };
            let head = rest[..open].trim();
            if rest.as_bytes()[open] == b';' {
                if let Some(name) = at_name(head) {
                    used(Used::AtRule(name));
                }
                rest = &rest[open + 1..];
                continue;
            }
            let end = block_end(&rest[open + 1..]);
            let inside = &rest[open + 1..open + 1 + end];
            rest = rest.get(open + 2 + end..).unwrap_or("");
            match at_name(head) {
                Some(name) => {
                    used(Used::AtRule(name));
                    if name.eq_ignore_ascii_case("media") && depth < 4 {
                        let lower = head.to_ascii_lowercase();
                        let is_dark = lower.contains("prefers-color-scheme") && lower.contains("dark");
                        self.has_dark |= is_dark;
                        // Rules for small screens and printers say nothing of the mail as such.
                        let other = lower.contains("width") || lower.contains("print") || lower.contains(": light");
                        self.block(inside, dark || is_dark, narrow || (other && !is_dark), used, depth + 1);
                    } else if name.eq_ignore_ascii_case("font-face") {
                        declarations(inside).for_each(|(name, value, _)| used(Used::Declaration(name, value)));
                    }
                }
                None => self.rule(head, inside, dark, narrow, used),
            }
        }
    }

    fn rule(&mut self, head: &'a str, inside: &'a str, dark: bool, narrow: bool, used: &mut dyn FnMut(Used<'a>)) {
        let (mut normal, mut important) = (Style::default(), Style::default());
        for (name, value, is_important) in declarations(inside) {
            used(Used::Declaration(name, value));
            if is_important { &mut important } else { &mut normal }.set(name, value);
            self.scheme_dark |= name.eq_ignore_ascii_case("color-scheme") && value.contains("dark");
        }
        if narrow {
            return;
        }
        for selector in head.split(',').map(str::trim) {
            match simple(selector) {
                Some((tag, class, id)) => {
                    let rule = Rule { tag, class, id, normal, important };
                    if !dark {
                        self.light.rules.push(rule.clone());
                    }
                    self.dark.rules.push(rule);
                }
                // States of links, and marks that one program adds in its own dark mode, are looks of their own.
                None if selector.contains(':') || selector.contains('[') => {}
                None if normal.says_colours() || important.says_colours() => {
                    self.light.unclear |= !dark;
                    self.dark.unclear = true;
                }
                None => {}
            }
        }
    }
}

/// Something that a sheet or style uses.
pub(super) enum Used<'a> {
    /// Its name without the `@`.
    AtRule(&'a str),
    /// Name and value.
    Declaration(&'a str, &'a str),
}

fn at_name(head: &str) -> Option<&str> {
    let head = head.strip_prefix('@')?;
    Some(&head[..head.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').count()])
}

/// Where the `}` stands that closes a block whose inside begins here.
fn block_end(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return at,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// A selector of one element: tag, class, id.
fn simple(selector: &str) -> Option<(&str, &str, &str)> {
    let name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let (tag, rest) = selector.find(['.', '#']).map_or((selector, ""), |at| selector.split_at(at));
    let (class, id) = match rest.split_at_checked(1) {
        Some((".", class)) => (class, ""),
        Some(("#", id)) => ("", id),
        _ => ("", ""),
    };
    let tag = if tag == "*" { "" } else { tag };
    (name(tag) && name(class) && name(id)).then_some((tag, class, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours() {
        for (text, expected) in [
            ("#fff", Some(Rgb(255, 255, 255))),
            ("#1F4e79", Some(Rgb(31, 78, 121))),
            ("rgb(1, 2,3)", Some(Rgb(1, 2, 3))),
            ("White", Some(Rgb(255, 255, 255))),
            ("rgba(0,0,0,.5)", None),
            ("#12345", None),
            ("#ü12", None),
            ("var(--x)", None),
        ] {
            assert_eq!(Rgb::parse(text), expected, "{text}");
        }
        // Source: the examples of WebAIM's contrast checker, to two places.
        for (a, b, expected) in
            [("#000", "#fff", 21.0), ("#777777", "#fff", 4.48), ("#767676", "#fff", 4.54), ("#00f", "#fff", 8.59)]
        {
            let (a, b) = (Rgb::parse(a).expect("colour"), Rgb::parse(b).expect("colour"));
            assert!((a.contrast(b) - expected).abs() < 0.01, "{a:?} {}", a.contrast(b));
        }
    }

    #[test]
    fn styles() {
        let one =
            style("color: #fff; background:url(a;b.png) #000 ;font:italic 12px/1.5 Arial;width:640px !important;x");
        assert_eq!((one.colour, one.background), (Some(Some(Rgb(255, 255, 255))), Some(None)));
        assert_eq!((one.font, one.width, one.bounded), (Some(Size::Px(12.0)), Some(640.0), false));
        assert_eq!(style("max-width:600px;font-size:9pt").font, Some(Size::Px(12.0)));
        assert_eq!(style("display: NONE").hidden, Some(true));
    }

    #[test]
    fn sheets() {
        let mut sheets = Sheets::default();
        let mut used = Vec::new();
        let css = "/* c */ @import url(x); td, .a{color:#111} .a:hover{color:red} p.a{color:#222 !important} \
            @media (max-width:480px){.a{color:#333}} @media (prefers-color-scheme: dark){ .a{color:#eee!important} }";
        sheets.read(css, &mut |u| {
            used.push(match u {
                Used::AtRule(name) => name.to_owned(),
                Used::Declaration(name, value) => format!("{name}={value}"),
            })
        });
        sheets.finish();
        assert_eq!(used.join(" "), "import color=#111 color=red color=#222 media color=#333 media color=#eee");
        let own = style("color:#999");
        let colour = |rules: &Rules<'_>, tag: &str| rules.of(tag, "x a", "").with(&own).colour.flatten().map(Rgb::hex);
        assert_eq!(colour(&sheets.light, "p").as_deref(), Some("#222222"));
        assert_eq!(colour(&sheets.light, "td").as_deref(), Some("#999999"));
        assert_eq!(colour(&sheets.dark, "td").as_deref(), Some("#eeeeee"));
        assert!(sheets.has_dark && !sheets.light.unclear && !sheets.dark.unclear);
        sheets.read("div p{color:red", &mut |_| {});
        assert!(sheets.light.unclear);
    }
}
