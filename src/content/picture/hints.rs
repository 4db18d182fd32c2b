//! Attributes of old HTML that mails are full of and the renderer does not know, as style rules below all others.
//!
//! The one idea: `cellpadding="8"` is not an inline style, any rule of the mail wins over it; so each attribute becomes
//! a rule in front of the mail's own and of no weight (`:where`). (A sheet of the user agent would be the other way, but
//! the renderer keeps its work for the sheets that all documents share.) Source: WHATWG HTML, section 15 (Rendering): 15.3.4, 15.3.10. Deliberately not here:
//! `align`, `bgcolor`, `width` and `height`, which the renderer knows.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{
    dom::{Data, Dom},
    widths::px,
};

/// Different values of one attribute that get a rule; no real mail has more.
const MOST: usize = 200;

/// Style rules for what this mail has.
pub(super) fn rules(dom: &Dom) -> String {
    let mut out = String::new();
    let mut seen = BTreeSet::new();
    for node in &dom.nodes {
        let Data::Element(element) = &node.data else { continue };
        for (name, value) in &element.attrs {
            if seen.len() >= MOST || value.len() > 100 {
                continue;
            }
            let rule = match (element.name.as_str(), name.as_str()) {
                ("table", "cellpadding") => px(value).map(|px| {
                    let px = px.min(200.0);
                    format!(":where(table[cellpadding=\"{}\"]>*>tr>:is(td,th)){{padding:{px}px}}", text(value))
                }),
                ("table", "cellspacing") => px(value).map(|px| {
                    format!(":where(table[cellspacing=\"{}\"]){{border-spacing:{}px}}", text(value), px.min(200.0))
                }),
                ("table", "border") => {
                    let wide = px(value).unwrap_or(1.0).min(50.0);
                    (wide > 0.0).then(|| {
                        let table = format!("table[border=\"{}\"]", text(value));
                        format!(
                            ":where({table}){{border:{wide}px outset #808080}}\
                             :where({table}>*>tr>:is(td,th)){{border:1px inset #808080}}"
                        )
                    })
                }
                ("td" | "th" | "tr" | "tbody" | "thead" | "tfoot" | "img", "valign" | "align") => {
                    let align = value.trim().to_ascii_lowercase();
                    let means = match align.as_str() {
                        "top" | "middle" | "bottom" | "baseline" => align.as_str(),
                        "center" if name == "valign" => "middle",
                        _ => "",
                    };
                    let own = if name == "valign" || element.name == "img" { means } else { "" };
                    (!own.is_empty()).then(|| {
                        format!(":where({}[{name}=\"{}\"]){{vertical-align:{own}}}", element.name, text(value))
                    })
                }
                ("font", "color") => Some(format!(":where(font[color=\"{}\"]){{color:{}}}", text(value), word(value))),
                ("font", "face") => {
                    Some(format!(":where(font[face=\"{}\"]){{font-family:{}}}", text(value), families(value)))
                }
                ("font", "size") => {
                    size(value).map(|size| format!(":where(font[size=\"{}\"]){{font-size:{size}}}", text(value)))
                }
                _ => None,
            };
            if let Some(rule) = rule
                && seen.insert(rule.clone())
            {
                let _ = writeln!(out, "{rule}");
            }
        }
    }
    out
}

/// Inside a string of CSS.
fn text(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r', '\x0c'], "\\a ")
}

/// One value that cannot end the rule it stands in.
fn word(value: &str) -> String {
    value.chars().filter(|c| c.is_alphanumeric() || matches!(c, '#' | '(' | ')' | ',' | '.' | '%' | ' ')).collect()
}

fn families(value: &str) -> String {
    value.chars().filter(|c| c.is_alphanumeric() || matches!(c, ',' | ' ' | '-' | '_')).collect()
}

/// `<font size>`: 1 to 7, or relative to 3.
fn size(value: &str) -> Option<&'static str> {
    let value = value.trim();
    let number: i32 = value.trim_start_matches('+').parse().ok()?;
    let absolute = if value.starts_with(['+', '-']) { number.saturating_add(3) } else { number };
    Some(["x-small", "small", "medium", "large", "x-large", "xx-large", "xxx-large"][absolute.clamp(1, 7) as usize - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        assert_eq!(rules(&Dom::parse(html).unwrap_or_else(|e| panic!("{e}"))).trim(), expected);
    }

    #[test]
    fn attributes_become_rules() {
        check("<table cellspacing=0><tr><td>a", ":where(table[cellspacing=\"0\"]){border-spacing:0px}");
        check("<table cellpadding=8><tr><td>a", ":where(table[cellpadding=\"8\"]>*>tr>:is(td,th)){padding:8px}");
        check("<table border=0><tr><td valign=Top>a", ":where(td[valign=\"Top\"]){vertical-align:top}");
        check(
            "<font size='+1' color='red'>a",
            ":where(font[size=\"+1\"]){font-size:large}\n:where(font[color=\"red\"]){color:red}",
        );
        check("<table><td align=left>", "");
    }

    #[test]
    fn a_value_cannot_leave_its_rule() {
        check(
            "<font color='red}body{display:none'>a",
            ":where(font[color=\"red}body{display:none\"]){color:redbodydisplaynone}",
        );
        check("<font color='\"]{}'>a", ":where(font[color=\"\\\"]{}\"]){color:}");
    }
}
