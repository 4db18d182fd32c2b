//! What all mails of a workspace share: name, logo, colours, fonts, postal address.
//!
//! The one idea: a brand is a theme with what the workspace says itself laid over it. Everything else in the program
//! sees the result; what is written back is only what differs from the theme.

mod theme;

use serde::{Deserialize, Serialize};

use crate::audience::Currency;

pub use theme::{THEMES, Theme, theme};

/// The look and the legal data of the sender. Everything may be left out; the defaults give a plain, readable mail.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(from = "SavedBrand", into = "SavedBrand")]
pub struct Brand {
    /// Name of the theme that gives what is left out; empty for the plain one. One that there is not is reported by
    /// `workspace/unknown-theme` and looks plain.
    pub theme: String,
    /// Name of the shop, shown in the header where there is no logo, and in the footer.
    pub name: String,
    /// Address of the logo picture; empty for the name as text.
    pub logo: String,
    /// Address of the logo picture where the reader's device is dark; empty for the same one.
    pub logo_dark: String,
    /// Width of the logo in pixels, 16..=600.
    pub logo_width: u32,
    /// Where logo or name stand.
    pub logo_place: LogoPlace,
    /// Home page; the header links to it.
    pub website: String,
    /// Postal address in one line, which commercial mail must show. Source: 15 U.S.C. 7704(a)(5)(A)(iii).
    pub address: String,
    /// Where pictures with a relative address lie: `https://cdn.example.com/mail/`.
    pub images: String,
    /// Colour of buttons and links, `#rrggbb`.
    pub primary: String,
    /// Colour of the words on a button.
    pub on_primary: String,
    /// Colour of text.
    pub text: String,
    /// Colour of small print.
    pub muted: String,
    /// Colour behind the text.
    pub surface: String,
    /// Colour around the mail.
    pub background: String,
    /// Colour of thin lines.
    pub line: String,
    /// Font stack of text, as in CSS.
    pub font: String,
    /// Font stack of headings; empty for the same as text.
    pub heading_font: String,
    /// Weight of headings, 100..=900.
    pub heading_weight: u32,
    /// Radius of buttons and pictures in pixels, 0..=40.
    pub radius: u32,
    /// Room between the edge of the sheet and the words in pixels, 16..=80.
    pub spacing: u32,
    /// Colours where the reader's device is dark.
    pub dark: Dark,
    /// Currency of amounts that do not say theirs: an ISO 4217 code.
    pub currency: String,
    /// Language of the mails, a BCP 47 tag.
    pub language: String,
}

/// Where logo or name stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogoPlace {
    /// At the left edge of the sheet.
    Left,
    /// In the middle.
    #[default]
    Center,
}

impl LogoPlace {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Center => "center",
        }
    }
}

/// Colours in the dark, each as its namesake in [`Brand`].
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "said at their namesakes")]
pub struct Dark {
    pub primary: String,
    pub on_primary: String,
    pub text: String,
    pub muted: String,
    pub surface: String,
    pub background: String,
    pub line: String,
}

impl Brand {
    /// The currency of amounts that do not say theirs; euro where the code is not one.
    pub fn default_currency(&self) -> Option<Currency> {
        Currency::parse(&self.currency).or_else(|| Currency::parse("EUR"))
    }

    /// A theme as it is, nothing laid over it; the plain one where there is none of that name.
    pub fn of_theme(name: &str) -> Self {
        SavedBrand { theme: name.to_owned(), ..SavedBrand::default() }.into()
    }
}

impl Default for Brand {
    fn default() -> Self {
        Self::of_theme("")
    }
}

/// A brand as written: what is left out is the theme's.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SavedBrand {
    #[serde(skip_serializing_if = "String::is_empty")]
    theme: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    logo: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    logo_dark: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_place: Option<LogoPlace>,
    #[serde(skip_serializing_if = "String::is_empty")]
    website: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    images: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_primary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    muted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    surface: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    background: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    font: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heading_font: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heading_weight: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    radius: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spacing: Option<u32>,
    #[serde(skip_serializing_if = "SavedDark::is_empty")]
    dark: SavedDark,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
}

/// Colours in the dark as written.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SavedDark {
    #[serde(skip_serializing_if = "Option::is_none")]
    primary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_primary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    muted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    surface: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    background: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<String>,
}

impl SavedDark {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What all mails have where neither workspace nor theme say it.
const LOGO_WIDTH: u32 = 140;
const CURRENCY: &str = "EUR";
const LANGUAGE: &str = "en";

impl From<SavedBrand> for Brand {
    fn from(saved: SavedBrand) -> Self {
        let look = theme(&saved.theme).unwrap_or_else(theme::plain);
        let own = |own: Option<String>, look: &str| own.unwrap_or_else(|| look.to_owned());
        Self {
            primary: own(saved.primary, &look.primary),
            on_primary: own(saved.on_primary, &look.on_primary),
            text: own(saved.text, &look.text),
            muted: own(saved.muted, &look.muted),
            surface: own(saved.surface, &look.surface),
            background: own(saved.background, &look.background),
            line: own(saved.line, &look.line),
            font: own(saved.font, &look.font),
            heading_font: own(saved.heading_font, &look.heading_font),
            heading_weight: saved.heading_weight.unwrap_or(look.heading_weight),
            radius: saved.radius.unwrap_or(look.radius),
            spacing: saved.spacing.unwrap_or(look.spacing),
            logo_place: saved.logo_place.unwrap_or(look.logo_place),
            dark: Dark {
                primary: own(saved.dark.primary, &look.dark.primary),
                on_primary: own(saved.dark.on_primary, &look.dark.on_primary),
                text: own(saved.dark.text, &look.dark.text),
                muted: own(saved.dark.muted, &look.dark.muted),
                surface: own(saved.dark.surface, &look.dark.surface),
                background: own(saved.dark.background, &look.dark.background),
                line: own(saved.dark.line, &look.dark.line),
            },
            theme: saved.theme,
            name: saved.name,
            logo: saved.logo,
            logo_dark: saved.logo_dark,
            logo_width: saved.logo_width.unwrap_or(LOGO_WIDTH),
            website: saved.website,
            address: saved.address,
            images: saved.images,
            currency: own(saved.currency, CURRENCY),
            language: own(saved.language, LANGUAGE),
        }
    }
}

impl From<Brand> for SavedBrand {
    fn from(brand: Brand) -> Self {
        let look = theme(&brand.theme).unwrap_or_else(theme::plain);
        let own = |own: String, look: &str| Some(own).filter(|own| own != look);
        let number = |own: u32, look: u32| Some(own).filter(|own| *own != look);
        Self {
            primary: own(brand.primary, &look.primary),
            on_primary: own(brand.on_primary, &look.on_primary),
            text: own(brand.text, &look.text),
            muted: own(brand.muted, &look.muted),
            surface: own(brand.surface, &look.surface),
            background: own(brand.background, &look.background),
            line: own(brand.line, &look.line),
            font: own(brand.font, &look.font),
            heading_font: own(brand.heading_font, &look.heading_font),
            heading_weight: number(brand.heading_weight, look.heading_weight),
            radius: number(brand.radius, look.radius),
            spacing: number(brand.spacing, look.spacing),
            logo_place: Some(brand.logo_place).filter(|place| *place != look.logo_place),
            dark: SavedDark {
                primary: own(brand.dark.primary, &look.dark.primary),
                on_primary: own(brand.dark.on_primary, &look.dark.on_primary),
                text: own(brand.dark.text, &look.dark.text),
                muted: own(brand.dark.muted, &look.dark.muted),
                surface: own(brand.dark.surface, &look.dark.surface),
                background: own(brand.dark.background, &look.dark.background),
                line: own(brand.dark.line, &look.dark.line),
            },
            theme: brand.theme,
            name: brand.name,
            logo: brand.logo,
            logo_dark: brand.logo_dark,
            logo_width: number(brand.logo_width, LOGO_WIDTH),
            website: brand.website,
            address: brand.address,
            images: brand.images,
            currency: own(brand.currency, CURRENCY),
            language: own(brand.language, LANGUAGE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::ron_options;

    fn read(ron: &str) -> Brand {
        ron_options().from_str(ron).unwrap_or_else(|e| panic!("{e}\n{ron}"))
    }

    #[test]
    fn single_values_lie_over_the_theme() {
        let brand = read(r##"(theme: "soft", name: "Shop", radius: 3, dark: (surface: "#000000"))"##);
        let soft = Brand::of_theme("soft");
        assert_eq!((brand.radius, brand.primary.as_str()), (3, soft.primary.as_str()));
        assert_eq!((brand.dark.surface.as_str(), &brand.dark.text), ("#000000", &soft.dark.text));
        assert_eq!(read(r#"(theme: "nope")"#), Brand { theme: "nope".into(), ..Brand::default() });
        assert!(ron_options().from_str::<Brand>(r#"(thema: "soft")"#).is_err());
    }

    #[test]
    fn only_what_differs_is_written() {
        let brand = read(r##"(theme: "bold", name: "Shop", text: "#222222")"##);
        let written = ron_options().to_string(&brand).expect("writes");
        assert_eq!(written, r##"(theme:"bold",name:"Shop",text:"#222222")"##);
        assert_eq!(read(&written), brand);
        let json = serde_json::to_string(&brand).expect("writes JSON");
        assert_eq!(serde_json::from_str::<Brand>(&json).expect("reads JSON"), brand);
    }
}
