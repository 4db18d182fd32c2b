//! CSS as text: addresses, imports, fonts, animations, fixed widths found and replaced without understanding the rest.
//!
//! The one idea: one pass over the characters that knows comments, strings, parentheses and which property a value
//! belongs to; everything else is copied. Broken CSS stays as broken as it was. Deliberately not here: selectors and
//! the cascade, which the renderer does.

/// What the pass may do.
pub(super) struct Pass<'a> {
    /// Gets every address in `url(…)`; gives what stands there instead, or nothing for `none`.
    pub on_url: &'a mut dyn FnMut(&str) -> Option<String>,
    /// Widths above this many pixels become 100 %.
    pub width_limit_px: Option<f32>,
    /// How many `@import` and `@font-face` rules were taken out.
    pub taken_out: usize,
}

impl Pass<'_> {
    /// Rewrites a style sheet or the text of a `style` attribute.
    pub fn rewrite(&mut self, css: &str) -> String {
        let plain = unescaped(css);
        let css = plain.as_str();
        let mut out = String::with_capacity(css.len());
        let (mut rest, mut parens) = (css, 0_usize);
        // The word before the last colon, and the last word.
        let (mut property, mut word) = (String::new(), String::new());
        while let Some(c) = rest.chars().next() {
            if let Some(behind) = rest.strip_prefix("/*") {
                rest = behind.split_once("*/").map_or("", |(_, behind)| behind);
                // A comment parts two words.
                out.push(' ');
            } else if let Some(behind) = rest.strip_prefix("<!--").or_else(|| rest.strip_prefix("-->")) {
                rest = behind;
                out.push(' ');
            } else if c == '"' || c == '\'' {
                let (text, behind) = string(rest, c);
                let repeats = property == "content" || property.starts_with("--");
                out.push_str(if repeats && text.len() > MOST_CONTENT { "\"\"" } else { text });
                rest = behind;
                word.clear();
            } else if c == '@' {
                let name: String = rest[1..].chars().take_while(|c| c.is_ascii_alphabetic() || *c == '-').collect();
                let behind = &rest[1 + name.len()..];
                match name.to_ascii_lowercase().as_str() {
                    "import" | "charset" | "namespace" => {
                        self.taken_out += usize::from(name.eq_ignore_ascii_case("import"));
                        rest = skip_statement(behind);
                    }
                    "font-face" => {
                        self.taken_out += 1;
                        rest = skip_block(behind);
                    }
                    // Nothing moves in a picture, and 5,000 steps for 1,000 elements never came to an end.
                    "keyframes" | "-webkit-keyframes" | "-moz-keyframes" => rest = skip_block(behind),
                    _ => {
                        out.push('@');
                        out.push_str(&name);
                        rest = behind;
                    }
                }
                word.clear();
            } else if is_word(c) {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let (found, behind) = rest.split_at(end);
                if found.eq_ignore_ascii_case("url") && behind.starts_with('(') {
                    let (address, behind) = address(&behind[1..]);
                    match (self.on_url)(&address) {
                        Some(new) => {
                            out.push_str("url(\"");
                            out.push_str(&new.replace(['"', '\\', '\n'], ""));
                            out.push_str("\")");
                        }
                        None => out.push_str("none"),
                    }
                    rest = behind;
                } else {
                    match self.clamped(found, &property, parens).or_else(|| calmed(found, &property)) {
                        Some(fitting) => out.push_str(fitting),
                        None => {
                            out.push_str(&bounded(found, &property, parens > 0).unwrap_or_else(|| found.to_owned()))
                        }
                    }
                    rest = behind;
                }
                word.clear();
                word.push_str(found);
            } else {
                match c {
                    '(' => parens += 1,
                    ')' => parens = parens.saturating_sub(1),
                    ':' if parens == 0 => property = word.to_ascii_lowercase(),
                    ';' | '{' | '}' => {
                        property.clear();
                        parens = 0;
                    }
                    _ => {}
                }
                if !c.is_whitespace() {
                    word.clear();
                }
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        out
    }

    fn clamped(&self, found: &str, property: &str, parens: usize) -> Option<&'static str> {
        let limit = self.width_limit_px?;
        if parens > 0 || !matches!(property, "width" | "min-width") {
            return None;
        }
        let lower = found.to_ascii_lowercase();
        let px: f32 = lower.strip_suffix("px")?.parse().ok()?;
        (px > limit).then_some(if property == "width" { "100%" } else { "0" })
    }
}

/// Largest length in pixels; what is larger is not seen, and the renderer works it out all the same.
const MOST_PX: f32 = 20_000.0;
/// Largest length in any other unit (`em`, `%`, `vw`), and largest factor in `calc(…)`. Source: tricks with widths that
/// change at a breakpoint multiply by 480.
const MOST_OTHER: f32 = 1_000.0;
/// Largest distance between letters and softness of a shadow, in pixels: they multiply with letters and with area.
const MOST_SPREAD_PX: f32 = 200.0;
/// Longest text that a rule puts before or after elements, in bytes: it may be there once for each of them.
const MOST_CONTENT: usize = 100;

/// A length or a factor within bounds, where it is not.
fn bounded(found: &str, property: &str, in_parens: bool) -> Option<String> {
    let number = found.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let unit = &found[number.len()..];
    let spreads = matches!(property, "letter-spacing" | "word-spacing" | "box-shadow" | "text-shadow");
    let most = match unit.to_ascii_lowercase().as_str() {
        "px" if spreads => MOST_SPREAD_PX,
        "px" => MOST_PX,
        "" if !in_parens => return None,
        _ => MOST_OTHER,
    };
    let value: f32 = number.parse().ok()?;
    (value.abs() > most).then(|| format!("{}{unit}", most.copysign(value)))
}

/// A word in place of one that the renderer draws piece by piece: `space` sets every tile of a background by itself,
/// and there may be as many as pixels. And of one that makes `content` longer than it is written, for each element
/// anew: a variable may stand for a megabyte.
fn calmed(found: &str, property: &str) -> Option<&'static str> {
    if property == "content" && (found.eq_ignore_ascii_case("var") || found.eq_ignore_ascii_case("attr")) {
        // No such function: the declaration means nothing then.
        return Some("none");
    }
    (found.eq_ignore_ascii_case("space") && matches!(property, "background" | "background-repeat")).then_some("repeat")
}

/// CSS in which no letter is written as an escape, so that a word reads as what it means.
fn unescaped(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.find('\\') {
        let behind = &rest[at + 1..];
        let digits = behind.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        let (letter, length) = if digits > 0 {
            let code = u32::from_str_radix(&behind[..digits], 16).ok().and_then(char::from_u32);
            // One blank after the digits belongs to them.
            let blank = usize::from(behind[digits..].starts_with([' ', '\t', '\n']));
            (code, digits + blank)
        } else {
            (behind.chars().next(), 1)
        };
        out.push_str(&rest[..at]);
        match letter.filter(|c| c.is_ascii_alphabetic() || *c == '-') {
            Some(letter) => {
                out.push(letter);
                rest = &behind[length..];
            }
            None => {
                // As it is, together with what is escaped: it may be another backslash.
                let length = behind.chars().next().map_or(0, char::len_utf8);
                out.push('\\');
                out.push_str(&behind[..length]);
                rest = &behind[length..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '%' | '#')
}

/// A string with its quotes, and what is behind it. An unclosed one ends with its line.
fn string(text: &str, quote: char) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return text.split_at(at + 1);
        } else if c == '\n' {
            return text.split_at(at);
        }
    }
    (text, "")
}

/// The address after `url(`, without quotes, and what is behind the parenthesis.
fn address(text: &str) -> (String, &str) {
    let text = text.trim_start();
    if let Some(quote) = text.chars().next().filter(|c| *c == '"' || *c == '\'') {
        let (quoted, behind) = string(text, quote);
        let inside = quoted.trim_matches(quote).to_owned();
        return (inside, behind.split_once(')').map_or("", |(_, behind)| behind));
    }
    match text.split_once(')') {
        Some((inside, behind)) => (inside.trim().to_owned(), behind),
        None => (text.trim().to_owned(), ""),
    }
}

/// What is behind the next semicolon outside strings and parentheses.
fn skip_statement(mut text: &str) -> &str {
    let mut parens = 0_usize;
    while let Some(c) = text.chars().next() {
        match c {
            '"' | '\'' => text = string(text, c).1,
            _ => {
                text = &text[c.len_utf8()..];
                match c {
                    '(' => parens += 1,
                    ')' => parens = parens.saturating_sub(1),
                    ';' if parens == 0 => return text,
                    // It was broken; do not eat the rest of the sheet.
                    '{' | '}' => return text,
                    _ => {}
                }
            }
        }
    }
    ""
}

/// What is behind the next block in braces.
fn skip_block(mut text: &str) -> &str {
    let mut depth = 0_usize;
    while let Some(c) = text.chars().next() {
        if c == '"' || c == '\'' {
            text = string(text, c).1;
            continue;
        }
        text = &text[c.len_utf8()..];
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return text;
                }
            }
            ';' if depth == 0 => return text,
            _ => {}
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(css: &str, limit: Option<f32>, expected: &str) {
        let mut seen = Vec::new();
        let mut on_url = |url: &str| {
            seen.push(url.to_owned());
            (!url.starts_with("http")).then(|| format!("x:{url}"))
        };
        let out = Pass { on_url: &mut on_url, width_limit_px: limit, taken_out: 0 }.rewrite(css);
        assert_eq!(out, expected);
    }

    #[test]
    fn addresses_are_asked_about_one_by_one() {
        check("background:#fff url( 'a b.png' ) no-repeat", None, "background:#fff url(\"x:a b.png\") no-repeat");
        check("background: URL(http://x/y.png)", None, "background: none");
        check("background:url(", None, "background:url(\"x:\")");
        check("content:\"url(http://x)\"", None, "content:\"url(http://x)\"");
    }

    #[test]
    fn imports_and_fonts_go() {
        check("@import url('http://x/y.css;z') screen; p{color:red}", None, " p{color:red}");
        check("@IMPORT \"a;b\";a{}", None, "a{}");
        check("@font-face { font-family: X; src: url(http://x/y.woff2) } b{}", None, " b{}");
        check(
            "@media (max-width:480px){ @import 'x'; p{color:red} }",
            None,
            "@media (max-width:480px){  p{color:red} }",
        );
        check("/* @import 'x'; */a{}", None, " a{}");
        check("@keyframes a{from{left:0}to{left:9px}}b{}@-webkit-keyframes a{x{}}", None, "b{}");
    }

    #[test]
    fn fixed_widths_that_do_not_fit_become_whole() {
        let limit = Some(262.0);
        check("width:600px", limit, "width:100%");
        check("max-width:600px;min-width: 300px", limit, "max-width:600px;min-width: 0");
        check("WIDTH : 600PX !important;height:900px", limit, "WIDTH : 100% !important;height:900px");
        check(
            "width:200px;width:50%;width:calc(600px - 10px)",
            limit,
            "width:200px;width:50%;width:calc(600px - 10px)",
        );
        check("@media (width:600px){a{width:600px}}", limit, "@media (width:600px){a{width:100%}}");
        check("a:width 600px{border-width:600px}", limit, "a:width 600px{border-width:600px}");
    }

    #[test]
    fn lengths_beyond_reason_are_bounded() {
        check("width:1e30px;top:-99999999px", None, "width:20000px;top:-20000px");
        check("font-size:99999em;width:5000%", None, "font-size:1000em;width:1000%");
        check(
            "letter-spacing:9999px;box-shadow:0 0 999px 999px red",
            None,
            "letter-spacing:200px;box-shadow:0 0 200px 200px red",
        );
        check(
            "width:calc(100% * 1e30);width:calc((480px - 100%) * 480)",
            None,
            "width:calc(100% * 1000);width:calc((480px - 100%) * 480)",
        );
        check("z-index:99999;color:#999999;margin:20px 0", None, "z-index:99999;color:#999999;margin:20px 0");
    }

    #[test]
    fn what_is_drawn_piece_by_piece_is_drawn_at_once() {
        check("background:red space;background-repeat: Space", None, "background:red repeat;background-repeat: repeat");
        check("white-space:break-spaces;--a:space", None, "white-space:break-spaces;--a:space");
        let long = format!("content:'{}'", "x".repeat(200));
        check(&long, None, "content:\"\"");
        check("content:'x'", None, "content:'x'");
        check(&format!("--a:'{}'", "x".repeat(200)), None, "--a:\"\"");
        check("content:VAR(--a);color:var(--a)", None, "content:none(--a);color:var(--a)");
        check("c\\6fntent:v\\000061 r(--a)", None, "content:none(--a)");
        check("a\\:b{width:1px\\9;content:'\\201C\\\\'}", None, "a\\:b{width:1px\\9;content:'\\201C\\\\'}");
    }

    #[test]
    fn broken_css_ends() {
        for css in ["'", "\"\\", "/*", "url", "url(\"", "@", "@import", "@font-face", "@font-face{", "<!--", "ü{:;}\\"]
        {
            let _ = Pass { on_url: &mut |_| None, width_limit_px: Some(1.0), taken_out: 0 }.rewrite(css);
        }
    }
}
