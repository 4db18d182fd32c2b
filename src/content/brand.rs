//! What all mails of a workspace share: name, logo, colours, fonts, postal address.

use serde::{Deserialize, Serialize};

use crate::audience::Currency;

/// The look and the legal data of the sender. Everything may be left out; the defaults give a plain, readable mail.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brand {
    /// Name of the shop, shown in the header where there is no logo, and in the footer.
    pub name: String,
    /// Address of the logo picture; empty for the name as text.
    pub logo: String,
    /// Width of the logo in pixels, 16..=600.
    pub logo_width: u32,
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
    /// Font stack of text, as in CSS.
    pub font: String,
    /// Font stack of headings; empty for the same as text.
    pub heading_font: String,
    /// Radius of buttons and pictures in pixels, 0..=40.
    pub radius: u32,
    /// Currency of amounts that do not say theirs: an ISO 4217 code.
    pub currency: String,
    /// Language of the mails, a BCP 47 tag.
    pub language: String,
}

impl Brand {
    /// The currency of amounts that do not say theirs; euro where the code is not one.
    pub fn default_currency(&self) -> Option<Currency> {
        Currency::parse(&self.currency).or_else(|| Currency::parse("EUR"))
    }
}

impl Default for Brand {
    fn default() -> Self {
        Self {
            name: String::new(),
            logo: String::new(),
            logo_width: 140,
            website: String::new(),
            address: String::new(),
            images: String::new(),
            primary: "#1f4e79".into(),
            on_primary: "#ffffff".into(),
            text: "#1f2933".into(),
            muted: "#5b6570".into(),
            surface: "#ffffff".into(),
            background: "#f2f4f6".into(),
            font: "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif".into(),
            heading_font: String::new(),
            radius: 6,
            currency: "EUR".into(),
            language: "en".into(),
        }
    }
}
