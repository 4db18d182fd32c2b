//! One part of a mail.
//!
//! The one idea: what this version does not understand is kept. A block of an unknown kind, or a known one with
//! settings it does not know, becomes [`Block::Unknown`] with its text as written, and is written back verbatim.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Align,
    parts::{Column, OnPhone, SocialLink, SocialStyle, StockLevel, Until, Valign},
    ron_options,
};
use crate::base::TimeOfDay;

/// A part of a mail. Every text may have merge tags; `show_if` is a condition over fields in the template language
/// (`cart_value > threshold and item_count > 1`), and a block without one is always shown. `on_phone` says what is
/// different on a narrow screen; what does not fit a block changes nothing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields)]
pub enum Block {
    /// A heading.
    Heading {
        /// The words.
        text: String,
        /// 1 (largest) to 3.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        level: u8,
        /// Where they stand.
        #[serde(default, skip_serializing_if = "is_default")]
        align: Align,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// Paragraphs: an empty line parts them, lines that begin with `- ` make a list, `**bold**`, `*italic*` and
    /// `[words](https://…)` work, everything else is literal.
    Text {
        /// The words.
        text: String,
        /// Where they stand.
        #[serde(default, skip_serializing_if = "is_default")]
        align: Align,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// A picture.
    Image {
        /// Address; relative ones lie below the brand's `images`.
        src: String,
        /// What it shows, for those who do not see it; `""` for decoration.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alt: Option<String>,
        /// Where a click leads.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        href: Option<String>,
        /// Width in pixels, 1..=600; the whole column where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        width: Option<u32>,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// A link that looks like a button.
    Button {
        /// The words on it.
        text: String,
        /// Where it leads.
        href: String,
        /// Where it stands.
        #[serde(default = "Align::center", skip_serializing_if = "Align::is_center")]
        align: Align,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// A list of products from a field of the kind list, one row each.
    Products {
        /// Name of the list field.
        items: String,
        /// At most so many rows, 1..=50.
        #[serde(default = "three", skip_serializing_if = "is_three")]
        limit: u32,
        /// The item property with its name.
        #[serde(default = "name_property")]
        title: String,
        /// With its price, a number or amount.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<String>,
        /// With the address of its picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image: Option<String>,
        /// With the address of its page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// With how many of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quantity: Option<String>,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// A discount code in a box of its own.
    Code {
        /// The code, as a rule a tag: `{discount_code}`.
        code: String,
        /// Words above it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        /// Small print below it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// Two or three columns of blocks side by side. Footers, columns and whole MJML sections have no place in them.
    Columns {
        /// From left to right, 2..=3.
        columns: Vec<Column>,
        /// Whether they stand below each other on a narrow screen; else they stay side by side.
        #[serde(default = "yes", skip_serializing_if = "is_true")]
        stack: bool,
        /// Room between them in pixels, 0..=80.
        #[serde(default = "gap", skip_serializing_if = "is_gap")]
        gap: u32,
        /// Where the shorter ones stand.
        #[serde(default, skip_serializing_if = "is_default")]
        valign: Valign,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// When an offer ends, as a date and time that stays true whenever the mail is read: "Friday, 27 November, 18:00" on
    /// the contact's wall. Nothing in a mail can run by itself; a picture service can be named that draws the time left.
    Countdown {
        /// When it ends.
        until: Until,
        /// Words above it.
        #[serde(default = "countdown_label")]
        label: String,
        /// What stands there once it is over; nothing at all where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended: Option<String>,
        /// Address of a picture that shows the time left when it is opened; its words are the fixed date, which stays below
        /// it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        picture: Option<String>,
        /// Whether it is shown. Switched off it keeps its settings.
        #[serde(default = "yes", skip_serializing_if = "is_true")]
        on: bool,
        /// Where it stands.
        #[serde(default = "Align::center", skip_serializing_if = "Align::is_center")]
        align: Align,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// How many pieces are left, in words by level. Above the highest level nothing is shown.
    Stock {
        /// Name of the number field with the pieces left.
        field: String,
        /// From few to many; the first that fits is shown.
        levels: Vec<StockLevel>,
        /// What stands there at none left; nothing where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sold_out: Option<String>,
        /// Where it stands.
        #[serde(default, skip_serializing_if = "is_default")]
        align: Align,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// When something ordered now arrives: working days (Monday to Friday) from the contact's today, from the next working
    /// day on where it is later than the cut-off.
    Delivery {
        /// Least working days, 0..=60.
        #[serde(default = "two")]
        from: u32,
        /// Most working days, `from`..=60.
        #[serde(default = "four")]
        to: u32,
        /// Orders after this time of day count from the next working day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut_off: Option<TimeOfDay>,
        /// The zone of the cut-off, as `Europe/Berlin`; the contact's where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
        /// The words. `{first}` and `{last}` stand for the two days, the first without its month where both have the same:
        /// `Tue 1`, `Thu 3 December`.
        #[serde(default = "delivery_words")]
        text: String,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// A film's picture with a play button drawn on it; nothing plays inside a mail. A link in words stands below it.
    Video {
        /// Address of the picture; relative ones lie below the brand's `images`.
        poster: String,
        /// Where the film is.
        href: String,
        /// What it shows, for those who do not see the picture.
        alt: String,
        /// Words of the link below it.
        #[serde(default = "video_words")]
        text: String,
        /// Height of the picture at full width in pixels, 1..=600.
        #[serde(default = "video_height", skip_serializing_if = "is_video_height")]
        height: u32,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// A way to somebody who answers.
    Chat {
        /// The words of the link.
        #[serde(default = "chat_words")]
        text: String,
        /// Where it leads: a page with the chat, `https://wa.me/…`, `tel:`.
        href: String,
        /// Who answers and when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// An invitation to text messages: a tap writes the keyword to the number. The terms are printed below, since consent to
    /// texts is only valid where they are known.
    SmsOptIn {
        /// The words above the button.
        #[serde(default = "sms_words")]
        text: String,
        /// What the reader's telephone sends.
        #[serde(default = "sms_keyword")]
        keyword: String,
        /// Number that it is sent to, with `+` and country.
        number: String,
        /// Words on the button.
        #[serde(default = "sms_button")]
        button: String,
        /// Small print below it.
        #[serde(default = "sms_terms")]
        terms: String,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// A row of links to networks. The signs are letters, so that nothing has to be fetched.
    Social {
        /// From left to right.
        links: Vec<SocialLink>,
        /// How they look.
        #[serde(default, skip_serializing_if = "is_default")]
        style: SocialStyle,
        /// Where they stand.
        #[serde(default = "Align::center", skip_serializing_if = "Align::is_center")]
        align: Align,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// A thin line.
    Divider {
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// Empty room.
    Spacer {
        /// Height in pixels, 1..=200.
        #[serde(default = "spacer_height")]
        height: u32,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// Postal address and the recipient's links, in small print below the mail.
    Footer {
        /// Why the reader gets this mail, or what else must be said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Postal address; the brand's where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// Words of the link that unsubscribes.
        #[serde(default = "unsubscribe_words")]
        unsubscribe: String,
        /// Words of the link to the preferences; no such link where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        preferences: Option<String>,
        /// Words of the link to the mail in a browser; no such link where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        view: Option<String>,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// HTML as it is.
    Html {
        /// The source.
        html: String,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// MJML as it is: one or more `mj-section`, or what may stand in a column.
    Mjml {
        /// The source.
        mjml: String,
        /// On a narrow screen.
        #[serde(default, skip_serializing_if = "is_default")]
        on_phone: OnPhone,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// A block that this version cannot read; not drawn, kept verbatim, reported by [`Block::kind_name`].
    #[serde(skip)]
    Unknown(UnknownBlock),
}

/// A block kept as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownBlock {
    /// Its text in the file.
    pub raw: String,
    /// Why it could not be read.
    pub reason: String,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn one() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(n: &u8) -> bool {
    *n == 1
}

fn two() -> u32 {
    2
}

fn three() -> u32 {
    3
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_three(n: &u32) -> bool {
    *n == 3
}

fn four() -> u32 {
    4
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_true(yes: &bool) -> bool {
    *yes
}

fn gap() -> u32 {
    24
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_gap(n: &u32) -> bool {
    *n == 24
}

fn video_height() -> u32 {
    292
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_video_height(n: &u32) -> bool {
    *n == 292
}

fn spacer_height() -> u32 {
    24
}

macro_rules! words {
    ($($name:ident $words:literal;)*) => {
        $(fn $name() -> String {
            $words.into()
        })*
    };
}

words! {
    name_property "name";
    unsubscribe_words "Unsubscribe";
    countdown_label "The offer ends";
    delivery_words "Order now and it arrives between {first} and {last}";
    video_words "Watch the video";
    chat_words "Chat with us";
    sms_words "Be the first to know: offers and order updates by text message";
    sms_keyword "JOIN";
    sms_button "Text JOIN to sign up";
    // What a sign-up must say. Source: 47 CFR 64.1200(f)(9) and the CTIA Messaging Principles, call to action.
    sms_terms "By texting JOIN you agree to recurring marketing text messages. Consent is not a condition of any purchase. Message and data rates may apply. Reply STOP to end, HELP for help.";
}

impl Block {
    /// The condition under which it is shown.
    pub fn show_if(&self) -> Option<&str> {
        match self {
            Self::Heading { show_if, .. }
            | Self::Text { show_if, .. }
            | Self::Image { show_if, .. }
            | Self::Button { show_if, .. }
            | Self::Products { show_if, .. }
            | Self::Code { show_if, .. }
            | Self::Columns { show_if, .. }
            | Self::Countdown { show_if, .. }
            | Self::Stock { show_if, .. }
            | Self::Delivery { show_if, .. }
            | Self::Video { show_if, .. }
            | Self::Chat { show_if, .. }
            | Self::SmsOptIn { show_if, .. }
            | Self::Social { show_if, .. }
            | Self::Divider { show_if, .. }
            | Self::Spacer { show_if, .. }
            | Self::Footer { show_if, .. }
            | Self::Html { show_if, .. }
            | Self::Mjml { show_if, .. } => show_if.as_deref(),
            Self::Unknown(_) => None,
        }
    }

    /// What is different on a narrow screen.
    pub fn on_phone(&self) -> OnPhone {
        match self {
            Self::Heading { on_phone, .. }
            | Self::Text { on_phone, .. }
            | Self::Image { on_phone, .. }
            | Self::Button { on_phone, .. }
            | Self::Products { on_phone, .. }
            | Self::Code { on_phone, .. }
            | Self::Columns { on_phone, .. }
            | Self::Countdown { on_phone, .. }
            | Self::Stock { on_phone, .. }
            | Self::Delivery { on_phone, .. }
            | Self::Video { on_phone, .. }
            | Self::Chat { on_phone, .. }
            | Self::SmsOptIn { on_phone, .. }
            | Self::Social { on_phone, .. }
            | Self::Divider { on_phone, .. }
            | Self::Spacer { on_phone, .. }
            | Self::Footer { on_phone, .. }
            | Self::Html { on_phone, .. }
            | Self::Mjml { on_phone, .. } => *on_phone,
            Self::Unknown(_) => OnPhone::Same,
        }
    }

    /// The word in files: `heading`; of an unknown one the word it begins with.
    pub fn kind_name(&self) -> &str {
        match self {
            Self::Heading { .. } => "heading",
            Self::Text { .. } => "text",
            Self::Image { .. } => "image",
            Self::Button { .. } => "button",
            Self::Products { .. } => "products",
            Self::Code { .. } => "code",
            Self::Columns { .. } => "columns",
            Self::Countdown { .. } => "countdown",
            Self::Stock { .. } => "stock",
            Self::Delivery { .. } => "delivery",
            Self::Video { .. } => "video",
            Self::Chat { .. } => "chat",
            Self::SmsOptIn { .. } => "sms_opt_in",
            Self::Social { .. } => "social",
            Self::Divider { .. } => "divider",
            Self::Spacer { .. } => "spacer",
            Self::Footer { .. } => "footer",
            Self::Html { .. } => "html",
            Self::Mjml { .. } => "mjml",
            Self::Unknown(unknown) => {
                let raw = unknown.raw.trim_start();
                let end = raw.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(raw.len());
                &raw[..end]
            }
        }
    }

    /// The blocks inside it, column by column.
    pub fn inner(&self) -> impl Iterator<Item = &Self> {
        let columns = match self {
            Self::Columns { columns, .. } => columns.as_slice(),
            _ => &[],
        };
        columns.iter().flat_map(|column| &column.blocks)
    }
}

/// The name by which RON hands over a value's text unread. Not public there; a test holds us to it.
const RAW_RON: &str = "$ron::private::RawValue";

/// A block's text: RON as written, or a JSON value.
enum Raw {
    Ron(String),
    Json(serde_json::Value),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Raw;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a block")
            }

            fn visit_str<E>(self, ron: &str) -> Result<Raw, E> {
                Ok(Raw::Ron(ron.to_owned()))
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
                Ok(match serde_json::Value::deserialize(deserializer)? {
                    serde_json::Value::String(ron) => Raw::Ron(ron),
                    json => Raw::Json(json),
                })
            }
        }
        deserializer.deserialize_newtype_struct(RAW_RON, Visitor)
    }
}

impl<'de> Deserialize<'de> for Block {
    /// Never fails where the file itself can be read: what is not understood becomes [`Block::Unknown`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Raw::deserialize(deserializer)? {
            Raw::Ron(raw) => Self::from_ron(&raw),
            Raw::Json(json) => match Self::deserialize(&json) {
                Ok(block) => block,
                Err(error) => Self::Unknown(UnknownBlock { raw: json.to_string(), reason: error.to_string() }),
            },
        })
    }
}

impl Block {
    /// Reads a block; what is not understood becomes [`Block::Unknown`].
    pub fn from_ron(raw: &str) -> Self {
        let options = ron_options();
        let read =
            ron::Deserializer::from_str_with_options(raw, &options).map_err(|e| e.to_string()).and_then(|mut from| {
                let block = Self::deserialize(&mut from).map_err(|e| from.span_error(e).to_string())?;
                from.end().map_err(|e| e.to_string())?;
                Ok(block)
            });
        read.unwrap_or_else(|reason| Self::Unknown(UnknownBlock { raw: raw.to_owned(), reason }))
    }
}

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unknown(unknown) => match ron::value::RawValue::from_ron(&unknown.raw) {
                Ok(raw) => raw.serialize(serializer),
                Err(error) => Err(serde::ser::Error::custom(error)),
            },
            known => Self::serialize(known, serializer),
        }
    }
}
