//! The style sheet of a mail made of blocks: narrow screens and the dark.
//!
//! Everything that must hold everywhere stands in the elements themselves; what is here is only understood by the mail
//! programs that have narrow screens or a dark mode, and is allowed to be ignored by all others.

use std::fmt::Write as _;

use super::canvas::css_value;
use crate::content::Brand;

/// Classes of a block: words, small print, buttons, boxes with the ground of the mail, lines.
pub(super) const TEXT: &str = "fl-t";
pub(super) const MUTED: &str = "fl-m";
pub(super) const BUTTON: &str = "fl-b";
pub(super) const BOX: &str = "fl-box";
pub(super) const LINE: &str = "fl-line";
pub(super) const SURFACE: &str = "fl-surface";
pub(super) const BODY: &str = "fl-body";
/// The logo, and the one that takes its place in the dark.
pub(super) const LOGO: &str = "fl-logo";
pub(super) const LOGO_DARK: &str = "fl-logo-dark";

const PHONE: &str = "\
.fl-pad>table>tbody>tr>td{padding-left:24px!important;padding-right:24px!important;} \
.fl-stack>table>tbody>tr>td{padding-left:0!important;padding-right:0!important;} \
.fl-hide{display:none!important;max-height:0!important;overflow:hidden!important;} \
.fl-wide table,.fl-wide img{width:100%!important;} .fl-wide img{height:auto!important;} \
.fl-wide a{display:block!important;} \
.fl-small div,.fl-small p,.fl-small li,.fl-small a,.fl-small td{font-size:14px!important;} \
.fl-small h1{font-size:22px!important;} .fl-small h2{font-size:18px!important;} .fl-small h3{font-size:16px!important;} \
.fl-large div,.fl-large p,.fl-large li,.fl-large a,.fl-large td{font-size:18px!important;} \
.fl-large h1{font-size:34px!important;} .fl-large h2{font-size:26px!important;} .fl-large h3{font-size:21px!important;} \
.fl-center,.fl-center div,.fl-center h1,.fl-center h2,.fl-center h3,.fl-center p,.fl-center td{text-align:center!important;} \
.fl-center table{margin:0 auto!important;}";

/// The sheet.
pub(super) fn sheet(brand: &Brand) -> String {
    let heading = css_value(if brand.heading_font.is_empty() { &brand.font } else { &brand.heading_font });
    let mut out = format!(
        ":root{{color-scheme:light dark;supported-color-schemes:light dark;}} a{{color:{};}} \
         h1,h2,h3{{font-family:{heading};}} @media only screen and (max-width:480px){{ {PHONE} }} ",
        css_value(&brand.primary)
    );
    let rules = dark(brand);
    out.push_str("@media (prefers-color-scheme:dark){ ");
    for rule in &rules {
        rule.write(None, &mut out);
    }
    out.push_str("} ");
    // Outlook.com and the Outlook apps mark what they turned dark: `sc` where they changed ink, `sb` the ground.
    for rule in &rules {
        rule.write(Some(if rule.is_ground { "[data-ogsb]" } else { "[data-ogsc]" }), &mut out);
    }
    out.truncate(out.trim_end().len());
    out
}

struct Rule<'a> {
    selectors: &'static [&'static str],
    property: &'static str,
    value: &'a str,
    is_ground: bool,
}

impl Rule<'_> {
    fn write(&self, within: Option<&str>, out: &mut String) {
        for (n, selector) in self.selectors.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            let _ = match within {
                Some(within) => write!(out, "{comma}{within} {selector}"),
                None => write!(out, "{comma}{selector}"),
            };
        }
        let _ = write!(out, "{{{}:{}!important;}} ", self.property, css_value(self.value));
    }
}

fn dark(brand: &Brand) -> Vec<Rule<'_>> {
    let dark = &brand.dark;
    let ink = |selectors, value| Rule { selectors, property: "color", value, is_ground: false };
    let ground = |selectors, value| Rule { selectors, property: "background", value, is_ground: true };
    let mut rules = vec![
        ground(&["body", ".fl-body"], &dark.background),
        ground(&[".fl-surface", ".fl-surface>table"], &dark.surface),
        ink(
            &[
                ".fl-t",
                ".fl-t div",
                ".fl-t p",
                ".fl-t li",
                ".fl-t h1",
                ".fl-t h2",
                ".fl-t h3",
                ".fl-t strong",
                ".fl-t span",
                ".fl-t td",
            ],
            &dark.text,
        ),
        ink(&[".fl-t a"], &dark.primary),
        ink(&[".fl-m", ".fl-m div", ".fl-m p", ".fl-m a", ".fl-t .fl-m"], &dark.muted),
        ground(&[".fl-b td", ".fl-b a", ".fl-t .fl-b"], &dark.primary),
        ink(&[".fl-b a", ".fl-t .fl-b", ".fl-t .fl-b a"], &dark.on_primary),
        ground(&[".fl-box"], &dark.background),
        Rule {
            selectors: &[".fl-line p", ".fl-t .fl-line", ".fl-box"],
            property: "border-color",
            value: &dark.line,
            is_ground: false,
        },
        Rule { selectors: &[".fl-edge"], property: "border-color", value: &dark.primary, is_ground: false },
    ];
    if !brand.logo.is_empty() && !brand.logo_dark.trim().is_empty() {
        let shown = |selectors, value| Rule { selectors, property: "display", value, is_ground: false };
        rules.extend([shown(&[".fl-logo"], "none"), shown(&[".fl-logo-dark"], "table-cell")]);
    }
    rules
}
