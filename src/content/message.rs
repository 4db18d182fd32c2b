//! A message as saved: variants, body, blocks.
//!
//! The one idea: what this version does not understand is kept. A block of an unknown kind (or a known one with
//! settings it does not know) becomes [`Block::Unknown`] with its text as written, and is written back verbatim.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{audience::Channel, base::MessageId};

/// How flow files write values: RON in which an optional value is written bare (`fallback: "there"`).
pub fn ron_options() -> ron::Options {
    ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
}

/// An e-mail or SMS of a flow.
///
/// A message with one content needs no list of variants: `(id: "mail-1", subject: "Hi", body: blocks([...]))`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "SavedMessage", into = "SavedMessage")]
pub struct Message {
    /// Unique in its flow.
    pub id: MessageId,
    /// What people read in lists; the id where left out.
    pub name: Option<String>,
    /// E-mail or SMS.
    pub channel: Channel,
    /// Its versions; at least one.
    pub variants: Vec<Variant>,
}

impl Message {
    /// A message with one empty variant.
    pub fn new(id: impl Into<MessageId>, channel: Channel) -> Self {
        Self { id: id.into(), name: None, channel, variants: vec![Variant::default()] }
    }

    /// Reads one element of a flow file's messages.
    ///
    /// Errors: what is wrong, with line and column inside `ron`.
    pub fn from_ron(ron: &str) -> Result<Self, ron::error::SpannedError> {
        ron_options().from_str(ron)
    }

    /// Writes it as an element of a flow file; [`Self::from_ron`] reads it back.
    ///
    /// Errors: none for messages that were read or built here; the writer's own otherwise.
    pub fn to_ron(&self) -> Result<String, ron::Error> {
        let pretty = ron::ser::PrettyConfig::new().indentor("    ").depth_limit(8).escape_strings(false);
        ron_options().to_string_pretty(self, pretty)
    }

    /// The variant of an id.
    pub fn variant(&self, id: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.id == id)
    }

    /// What people read in lists.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(self.id.as_str())
    }
}

/// One version of a message.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Unique in its message: `a`, `b`.
    pub id: String,
    /// Share among the variants, 0..=10,000; 1 each where left out.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// Subject line (e-mail).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The line after the subject in an inbox (e-mail).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub preheader: String,
    /// What the mail shows (e-mail).
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
    /// The plain-text part, made from the body where left out; of an SMS the whole message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Default for Variant {
    fn default() -> Self {
        Self {
            id: "a".into(),
            weight: 1,
            subject: String::new(),
            preheader: String::new(),
            body: Body::default(),
            text: None,
        }
    }
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(n: &u32) -> bool {
    *n == 1
}

/// What a mail shows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Blocks from top to bottom, laid out with the brand.
    Blocks(Vec<Block>),
    /// A whole HTML document (or a part of one) with merge tags.
    Html(String),
    /// A whole MJML document with merge tags.
    Mjml(String),
}

impl Default for Body {
    fn default() -> Self {
        Self::Blocks(Vec::new())
    }
}

impl Body {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Blocks(blocks) => blocks.is_empty(),
            Self::Html(source) | Self::Mjml(source) => source.trim().is_empty(),
        }
    }
}

/// Where the words of a block stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// At the left edge.
    #[default]
    Left,
    /// In the middle.
    Center,
    /// At the right edge.
    Right,
}

impl Align {
    /// As CSS and MJML write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Center => "center",
            Self::Right => "right",
        }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn center() -> Self {
        Self::Center
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_center(&self) -> bool {
        *self == Self::Center
    }
}

/// A part of a mail. Every text may have merge tags; `show_if` is a condition over fields in the template language
/// (`cart_value > threshold and item_count > 1`), and a block without one is always shown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields)]
pub enum Block {
    /// A heading.
    Heading {
        /// The words.
        text: String,
        /// 1 (largest) to 3.
        #[serde(default = "one_u8", skip_serializing_if = "is_one_u8")]
        level: u8,
        /// Where they stand.
        #[serde(default, skip_serializing_if = "Align::is_default")]
        align: Align,
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
        #[serde(default, skip_serializing_if = "Align::is_default")]
        align: Align,
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
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// A thin line.
    Divider {
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// Empty room.
    Spacer {
        /// Height in pixels, 1..=200.
        #[serde(default = "spacer_height")]
        height: u32,
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
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// HTML as it is.
    Html {
        /// The source.
        html: String,
        /// Shown where this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        show_if: Option<String>,
    },
    /// MJML as it is: one or more `mj-section`, or what may stand in a column.
    Mjml {
        /// The source.
        mjml: String,
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

fn one_u8() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one_u8(n: &u8) -> bool {
    *n == 1
}

fn three() -> u32 {
    3
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_three(n: &u32) -> bool {
    *n == 3
}

fn spacer_height() -> u32 {
    24
}

fn name_property() -> String {
    "name".into()
}

fn unsubscribe_words() -> String {
    "Unsubscribe".into()
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
            | Self::Divider { show_if }
            | Self::Spacer { show_if, .. }
            | Self::Footer { show_if, .. }
            | Self::Html { show_if, .. }
            | Self::Mjml { show_if, .. } => show_if.as_deref(),
            Self::Unknown(_) => None,
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

/// A message as written, in the long or the short form.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedMessage {
    id: MessageId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default)]
    channel: Channel,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    variants: Vec<Variant>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    subject: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    preheader: String,
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    body: Body,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl TryFrom<SavedMessage> for Message {
    type Error = String;

    fn try_from(saved: SavedMessage) -> Result<Self, String> {
        let SavedMessage { id, name, channel, variants, subject, preheader, body, text } = saved;
        let short = Variant { subject, preheader, body, text, ..Variant::default() };
        let variants = if variants.is_empty() {
            vec![short]
        } else if short == Variant::default() {
            variants
        } else {
            return Err(format!(
                "message `{id}` has variants and a content of its own; move the content into a variant"
            ));
        };
        Ok(Self { id, name, channel, variants })
    }
}

impl From<Message> for SavedMessage {
    fn from(message: Message) -> Self {
        let Message { id, name, channel, mut variants } = message;
        let empty = Variant::default();
        let short = variants.len() == 1 && variants[0].id == empty.id && variants[0].weight == 1;
        let Variant { subject, preheader, body, text, .. } = if short { variants.remove(0) } else { empty };
        Self { id, name, channel, variants, subject, preheader, body, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ron: &str) -> Message {
        Message::from_ron(ron).unwrap_or_else(|e| panic!("{e}\n{ron}"))
    }

    #[track_caller]
    fn check_survives(message: &Message) {
        let ron = message.to_ron().expect("writes");
        assert_eq!(&read(&ron), message, "{ron}");
        let json = serde_json::to_string(message).expect("writes JSON");
        let again: Message = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e}\n{json}"));
        assert_eq!(&again, message, "{json}");
    }

    #[test]
    fn short_form() {
        let message = read(r#"(id: "mail-1", subject: "Hi {first_name}", body: blocks([text(text: "Hello")]))"#);
        assert_eq!(message.variants.len(), 1);
        assert_eq!(message.variants[0].subject, "Hi {first_name}");
        assert!(!message.to_ron().expect("writes").contains("variants"));
        check_survives(&message);
    }

    #[test]
    fn long_form_with_every_block() {
        let message = read(
            r##"(id: "mail-1", name: "First", channel: email, variants: [
                (id: "a", weight: 3, subject: "A", preheader: "P", text: "own text", body: blocks([
                    heading(text: "Hi"), heading(text: "Hi", level: 2, align: center),
                    text(text: "a\n\nb", show_if: "cart_value > 3"),
                    image(src: "watch.png", alt: "A watch", href: "https://x.example", width: 300), image(src: "x.png", alt: ""),
                    button(text: "Go", href: "{cart_url}"),
                    products(items: "cart_items", limit: 2, title: "title", price: "price", image: "image", url: "url"),
                    code(code: "{discount_code}", label: "Your code", note: "Until midnight"),
                    divider(), spacer(height: 12), spacer(),
                    footer(), footer(address: "1 Street", preferences: "Preferences", view: "View"),
                    html(html: "<b>x</b>"), mjml(mjml: "<mj-text>x</mj-text>"),
                ])),
                (id: "b", subject: "B", body: html(r#"<p class="x">Hi</p>"#)),
                (id: "c", subject: "C", body: mjml("<mjml></mjml>")),
            ])"##,
        );
        let Body::Blocks(blocks) = &message.variants[0].body else { panic!("blocks") };
        assert!(blocks.iter().all(|b| !matches!(b, Block::Unknown(_))), "{blocks:#?}");
        assert_eq!(blocks.len(), 15);
        check_survives(&message);
    }

    #[test]
    fn unknown_blocks_are_kept_as_written() {
        let raw = r#"countdown(until: midnight, style: (a: 1, /* kept */ b: ["x"]))"#;
        let typo = r#"heading(txt: "Hi")"#;
        let message = read(&format!(r#"(id: "m", body: blocks([{raw}, {typo}, text(text: "x")]))"#));
        let Body::Blocks(blocks) = &message.variants[0].body else { panic!("blocks") };
        let Block::Unknown(unknown) = &blocks[0] else { panic!("{blocks:?}") };
        assert_eq!(unknown.raw, raw);
        assert_eq!(blocks[0].kind_name(), "countdown");
        assert!(matches!(&blocks[1], Block::Unknown(u) if u.reason.contains("txt")), "{blocks:?}");
        assert!(matches!(&blocks[2], Block::Text { .. }));
        let written = message.to_ron().expect("writes");
        assert!(written.contains(raw) && written.contains(typo), "{written}");
        let json = serde_json::to_string(&message).expect("writes JSON");
        assert_eq!(serde_json::from_str::<Message>(&json).expect("reads JSON"), message, "{json}");
    }

    #[test]
    fn json_blocks_are_read() {
        let block: Block = serde_json::from_str(r#"{"heading":{"text":"Hi","show_if":null}}"#).expect("reads");
        assert!(matches!(block, Block::Heading { level: 1, .. }), "{block:?}");
        let block: Block = serde_json::from_str(r#"{"badge":{"left":2}}"#).expect("reads");
        assert!(matches!(block, Block::Unknown(_)), "{block:?}");
    }

    #[test]
    fn faults_are_named() {
        for (ron, expected) in [
            (r#"(id: "m", subjet: "x")"#, "subjet"),
            (r#"(id: "m", subject: "x", variants: [(id: "a")])"#, "variants and a content of its own"),
            (r#"(id: "m", subject: "#, "1:"),
        ] {
            let error = Message::from_ron(ron).expect_err(ron).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn sms() {
        let message = read(r#"(id: "s", channel: sms, text: "Hi {first_name}")"#);
        assert_eq!(message.channel, Channel::Sms);
        check_survives(&message);
    }
}
