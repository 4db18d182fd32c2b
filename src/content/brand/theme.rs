//! The themes that ship with Flowloom, as files in `assets/themes`.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::{Dark, LogoPlace};
use crate::content::ron_options;

/// The look of mails; a brand lays its own values over it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "said at their namesakes in `Brand`")]
pub struct Theme {
    /// What it looks like, in a line for whoever chooses.
    pub about: String,
    pub primary: String,
    pub on_primary: String,
    pub text: String,
    pub muted: String,
    pub surface: String,
    pub background: String,
    pub line: String,
    pub font: String,
    pub heading_font: String,
    pub heading_weight: u32,
    pub radius: u32,
    pub spacing: u32,
    pub logo_place: LogoPlace,
    pub dark: Dark,
}

/// Names of the themes, the plain one first.
pub const THEMES: [&str; 4] = [PLAIN, "editorial", "bold", "soft"];

/// The theme of a brand that names none.
const PLAIN: &str = "plain";

const SOURCES: [&str; 4] = [
    include_str!("../../../assets/themes/plain.ron"),
    include_str!("../../../assets/themes/editorial.ron"),
    include_str!("../../../assets/themes/bold.ron"),
    include_str!("../../../assets/themes/soft.ron"),
];

fn themes() -> &'static [Theme; 4] {
    static READ: OnceLock<[Theme; 4]> = OnceLock::new();
    // They are part of the program, and a test reads each.
    READ.get_or_init(|| SOURCES.map(|source| ron_options().from_str(source).unwrap_or_default()))
}

/// The theme of a name; the plain one of the empty name.
pub fn theme(name: &str) -> Option<&'static Theme> {
    let at = if name.is_empty() { 0 } else { THEMES.iter().position(|known| *known == name)? };
    themes().get(at)
}

/// The theme of a brand that names none.
pub(super) fn plain() -> &'static Theme {
    &themes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of `#rrggbb`. Source: WCAG 2.2, definition of relative luminance.
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let n = u8::from_str_radix(&colour[at..at + 2], 16).unwrap_or_else(|_| panic!("{colour}"));
            let n = f64::from(n) / 255.0;
            #[expect(clippy::disallowed_methods, reason = "a test of colours, which no decision of a flow depends on")]
            if n <= 0.040_45 { n / 12.92 } else { ((n + 0.055) / 1.055).powf(2.4) }
        };
        assert!(colour.len() == 7 && colour.starts_with('#'), "{colour}");
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_theme_is_read_and_can_be_read_in_light_and_dark() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.01);
        for (name, source) in THEMES.iter().zip(SOURCES) {
            let theme: Theme = ron_options().from_str(source).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(!theme.about.is_empty() && theme.radius <= 40 && (16..=80).contains(&theme.spacing), "{name}");
            let dark = &theme.dark;
            for (what, ink, ground) in [
                ("text", &theme.text, &theme.surface),
                ("small print", &theme.muted, &theme.surface),
                ("footer", &theme.muted, &theme.background),
                ("name in the header", &theme.text, &theme.background),
                ("link", &theme.primary, &theme.surface),
                ("button", &theme.on_primary, &theme.primary),
                ("text in the dark", &dark.text, &dark.surface),
                ("small print in the dark", &dark.muted, &dark.surface),
                ("footer in the dark", &dark.muted, &dark.background),
                ("name in the header in the dark", &dark.text, &dark.background),
                ("link in the dark", &dark.primary, &dark.surface),
                ("button in the dark", &dark.on_primary, &dark.primary),
                ("code in its box", &theme.text, &theme.background),
                ("code in its box in the dark", &dark.text, &dark.background),
            ] {
                let found = contrast(ink, ground);
                assert!(found >= 4.5, "{name}: {what} has {found:.2}");
            }
            assert_eq!(super::theme(name), Some(&theme));
        }
        assert_eq!(super::theme(""), Some(plain()));
        assert_eq!(super::theme("nope"), None);
    }
}
