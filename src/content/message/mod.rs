//! A message as saved: variants, body, blocks.

mod block;
mod kept;
mod parts;

use serde::{Deserialize, Serialize};

use crate::{audience::Channel, base::MessageId};

pub use block::{Block, UnknownBlock};
pub use kept::{Kept, MailPart, Origin};
pub use parts::{BlockPlace, Column, InColumn, Network, OnPhone, SocialLink, SocialStyle, StockLevel, Until, Valign};

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

    /// The language in which a contact who reads `language` is written to: that of the variant whose tag fits best
    /// (`de-AT` takes `de-AT`, then `de`; `pt` takes `pt-BR` where there is no nearer one). `None` are the variants
    /// without a language; where each has one and none fits, that of the first stands in. Among the variants of that
    /// language shares decide, so language comes before any test. Source of the look-up: RFC 4647, section 3.4.
    pub fn language_for(&self, language: Option<&str>) -> Option<&str> {
        let spoken = || self.variants.iter().filter_map(|variant| variant.language.as_deref());
        spoken().next()?;
        let wanted = language.map(|tag| tag.trim().replace('_', "-")).filter(|tag| !tag.is_empty());
        let mut range = wanted.as_deref();
        while let Some(tag) = range {
            if let Some(found) = spoken().find(|spoken| spoken.eq_ignore_ascii_case(tag)) {
                return Some(found);
            }
            range = tag.rsplit_once('-').map(|(shorter, last)| match shorter.rsplit_once('-') {
                // `de-x-informal`: what a single letter opens goes with it.
                Some((shortest, single)) if single.len() == 1 && last.len() != 1 => shortest,
                _ => shorter,
            });
        }
        let nearer = wanted.as_deref().and_then(|tag| {
            spoken().find(|spoken| {
                spoken.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))
                    && spoken[tag.len()..].starts_with('-')
            })
        });
        if nearer.is_some() || self.variants.iter().any(|variant| variant.language.is_none()) {
            return nearer;
        }
        spoken().next()
    }

    /// Whether a variant is one of those for contacts who are written to in `language`, as [`Self::language_for`] has
    /// it.
    pub fn is_for(variant: &Variant, language: Option<&str>) -> bool {
        match (variant.language.as_deref(), language) {
            (Some(own), Some(wanted)) => own.eq_ignore_ascii_case(wanted),
            (own, wanted) => own.is_none() && wanted.is_none(),
        }
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
    /// Share among the variants of the same language, 0..=10,000; 1 each where left out.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// For contacts who read this language, a BCP 47 tag (`de`, `pt-BR`); for all others where left out. Which variant
    /// a contact gets is [`Message::language_for`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
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
    /// Templates of the platform it was imported from, where they say more than the parts above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
}

impl Default for Variant {
    fn default() -> Self {
        Self {
            id: "a".into(),
            weight: 1,
            language: None,
            subject: String::new(),
            preheader: String::new(),
            body: Body::default(),
            text: None,
            kept: Vec::new(),
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

    /// The blocks that are not shown to everybody, in the order of the body: each with a "show if" of its own, those in
    /// columns included. What stands in columns is shown only where the columns are, too.
    pub fn conditional(&self) -> Vec<(BlockPlace, &Block)> {
        let Self::Blocks(blocks) = self else { return Vec::new() };
        let mut out = Vec::new();
        for (at, block) in blocks.iter().enumerate() {
            out.push((BlockPlace { block: at, inside: None }, block));
            let Block::Columns { columns, .. } = block else { continue };
            for (column, inner) in columns.iter().enumerate() {
                let inside = |block| Some(InColumn { column, block });
                let inner = inner.blocks.iter().enumerate();
                out.extend(inner.map(|(n, block)| (BlockPlace { block: at, inside: inside(n) }, block)));
            }
        }
        out.retain(|(_, block)| block.show_if().is_some());
        out
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

    fn center() -> Self {
        Self::Center
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_center(&self) -> bool {
        *self == Self::Center
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
        let short = variants.len() == 1
            && variants[0].id == empty.id
            && variants[0].weight == 1
            && variants[0].language.is_none()
            && variants[0].kept.is_empty();
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

    /// The short form has no room for what an import kept.
    #[test]
    fn what_an_import_kept_is_saved() {
        let mut message = Message::new("m", Channel::Email);
        message.variants[0].subject = "Hi \u{27e8}catalog\u{27e9}".into();
        message.variants[0].keep(Origin::Klaviyo, MailPart::Subject, "Hi {% catalog x %}");
        message.variants[0].keep(Origin::Klaviyo, MailPart::Template, "TmPl01");
        check_survives(&message);
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
    fn language_comes_first() {
        #[track_caller]
        fn check(spoken: &[&str], wanted: &str, expected: &str) {
            let mut message = Message::new("m", Channel::Email);
            message.variants = spoken
                .iter()
                .map(|tag| Variant { language: Some((*tag).to_owned()).filter(|t| t != "-"), ..Variant::default() })
                .collect();
            let found = message.language_for(Some(wanted).filter(|tag| !tag.is_empty()));
            assert_eq!(found.unwrap_or("-"), expected, "{spoken:?} for {wanted}");
        }
        check(&["-", "de", "pt-BR"], "de", "de");
        check(&["-", "de", "pt-BR"], "de-AT", "de");
        check(&["-", "de", "de-AT"], "de-AT", "de-AT");
        check(&["-", "de"], "DE_at", "de");
        check(&["-", "de"], "de-x-informal", "de");
        check(&["-", "de"], "den", "-");
        check(&["-", "pt-BR"], "pt", "pt-BR");
        check(&["-", "pt-BR"], "pt-PT", "-");
        check(&["-", "de"], "", "-");
        check(&["-", "de"], "fr", "-");
        check(&["-"], "fr", "-");
        // Without a variant for all others the first stands in.
        check(&["en", "de"], "fr", "en");
        check(&["en", "de"], "", "en");
        check(&["en", "de"], "de-CH", "de");
    }

    #[test]
    fn a_language_is_kept() {
        let message = read(r#"(id: "m", variants: [(id: "a", language: "de", subject: "Hallo")])"#);
        assert_eq!(message.variants[0].language.as_deref(), Some("de"));
        check_survives(&message);
    }

    #[test]
    fn sms() {
        let message = read(r#"(id: "s", channel: sms, text: "Hi {first_name}")"#);
        assert_eq!(message.channel, Channel::Sms);
        check_survives(&message);
    }
}
