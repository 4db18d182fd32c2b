//! What a mail says about dark mode, and the ground behind it.

use super::{
    Scheme,
    dom::{Data, Dom},
};

/// Whether the mail says that it has colours for dark mode: `color-scheme` in a `<meta>` or in CSS.
pub(super) fn knows_dark(dom: &Dom) -> bool {
    dom.nodes.iter().enumerate().any(|(id, node)| match &node.data {
        Data::Element(meta) if meta.name == "meta" => {
            let name = meta.attr("name").unwrap_or("").to_ascii_lowercase();
            matches!(name.as_str(), "color-scheme" | "supported-color-schemes")
                && meta.attr("content").unwrap_or("").to_ascii_lowercase().contains("dark")
        }
        Data::Element(style) if style.name == "style" => {
            let css = dom.text_in(id).to_ascii_lowercase();
            css.match_indices("color-scheme").any(|(at, found)| {
                let value = css[at + found.len()..].split([';', '}']).next().unwrap_or("");
                // `(prefers-color-scheme: dark)` is a question, but whoever asks it has an answer.
                value.contains("dark")
            })
        }
        _ => false,
    })
}

/// What a client paints behind a mail: red, green, blue. Source: Chromium's dark canvas.
pub(super) fn ground(scheme: Scheme, knows_dark: bool) -> [u8; 3] {
    if scheme == Scheme::Dark && knows_dark { [0x12; 3] } else { [0xff; 3] }
}

/// Colours of text on that ground, for a mail that says none.
pub(super) fn sheet(scheme: Scheme, knows_dark: bool) -> &'static str {
    match (scheme, knows_dark) {
        (Scheme::Dark, true) => ":where(html){color:#ffffff}:where(a[href]){color:#9e9eff}\n",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: bool) {
        assert_eq!(knows_dark(&Dom::parse(html).unwrap_or_else(|e| panic!("{e}"))), expected, "{html}");
    }

    #[test]
    fn a_mail_says_whether_it_has_dark_colours() {
        check("<meta name='color-scheme' content='light dark'>", true);
        check("<meta name=Supported-Color-Schemes content=DARK>", true);
        check("<meta name=color-scheme content=light>", false);
        check("<style>:root{color-scheme: light dark}</style>", true);
        check("<style>@media (prefers-color-scheme:dark){p{color:#fff}}</style>", true);
        check("<style>p{color:#000}</style>", false);
        check("<style>a{color-scheme:light} .dark{}</style>", false);
    }
}
