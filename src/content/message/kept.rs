//! What a message was before it was imported: the platform's own template, which goes back unchanged for as long as
//! nobody edits what was made of it.

use serde::{Deserialize, Serialize};

use super::{Body, Variant};

/// A platform that something came from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Klaviyo.
    Klaviyo,
    /// HubSpot.
    Hubspot,
}

impl Origin {
    /// What people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::Klaviyo => "Klaviyo",
            Self::Hubspot => "HubSpot",
        }
    }
}

/// A part of a variant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailPart {
    /// The subject line.
    Subject,
    /// The line after it.
    Preheader,
    /// The HTML.
    Body,
    /// The plain text.
    Text,
    /// Body and plain text together, by their id at the platform: known to be there, but not what is in them.
    Template,
}

/// A template source that is not within the language of Flowloom. What stands in the variant is the nearest thing, for
/// preview and for other targets.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Whose language it is in.
    pub origin: Origin,
    /// Which part of the variant it stands for.
    pub part: MailPart,
    /// The platform's template, byte for byte; of [`MailPart::Template`] its id.
    pub source: String,
    /// Fingerprint of what was made of it ([`Variant::fingerprint`]). Another one means that somebody edited the part,
    /// and then the edit counts and not the source.
    pub stands_for: String,
}

impl Variant {
    /// Names the present content of a part: 16 hexadecimal digits of XXH3-64 over its text, or over its blocks as JSON.
    pub fn fingerprint(&self, part: MailPart) -> String {
        let of = |text: &str| format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()));
        match part {
            MailPart::Subject => of(&self.subject),
            MailPart::Preheader => of(&self.preheader),
            MailPart::Body => match &self.body {
                Body::Html(source) | Body::Mjml(source) => of(source),
                // Blocks are plain values, which JSON can always write.
                Body::Blocks(blocks) => of(&serde_json::to_string(blocks).unwrap_or_default()),
            },
            MailPart::Text => of(self.text.as_deref().unwrap_or_default()),
            MailPart::Template => {
                of(&format!("{} {}", self.fingerprint(MailPart::Body), self.fingerprint(MailPart::Text)))
            }
        }
    }

    /// Keeps the template that the present content of a part was made of, instead of one kept before.
    pub fn keep(&mut self, origin: Origin, part: MailPart, source: impl Into<String>) {
        self.kept.retain(|kept| kept.part != part);
        let stands_for = self.fingerprint(part);
        self.kept.push(Kept { origin, part, source: source.into(), stands_for });
    }

    /// The platform's own template of a part, as long as nobody edited the part.
    pub fn kept(&self, origin: Origin, part: MailPart) -> Option<&str> {
        self.kept_by_anyone(part).filter(|kept| kept.origin == origin).map(|kept| kept.source.as_str())
    }

    /// The template that a part stands for, whichever platform it came from, as long as nobody edited the part.
    pub fn kept_by_anyone(&self, part: MailPart) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.part == part && kept.stands_for == self.fingerprint(part))
    }

    /// The id of the platform's template that is all there is of this mail, as long as nobody wrote anything.
    pub fn only_there(&self, origin: Origin) -> Option<&str> {
        self.kept(origin, MailPart::Template).filter(|_| self.body.is_empty())
    }

    /// The platform that has all there is of this mail ([`only_there`](Self::only_there)).
    pub fn only_at(&self) -> Option<Origin> {
        [Origin::Klaviyo, Origin::Hubspot].into_iter().find(|origin| self.only_there(*origin).is_some())
    }

    /// Whether a template was kept for a part that somebody edited since.
    pub fn is_edited_since_import(&self, part: MailPart) -> bool {
        self.kept.iter().any(|kept| kept.part == part) && self.kept_by_anyone(part).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_is_only_there_stands_until_something_is_written() {
        let mut variant = Variant { subject: "Hi".into(), ..Variant::default() };
        assert_eq!(variant.only_at(), None, "an empty mail of ours is empty");
        variant.keep(Origin::Klaviyo, MailPart::Template, "TmPl01");
        assert_eq!(variant.only_there(Origin::Klaviyo), Some("TmPl01"));
        assert_eq!((variant.only_there(Origin::Hubspot), variant.only_at()), (None, Some(Origin::Klaviyo)));
        variant.subject = "Hello".into();
        assert_eq!(variant.only_at(), Some(Origin::Klaviyo), "the subject is not in the template");
        let mut with_text = variant.clone();
        with_text.text = Some("Hello".into());
        assert_eq!(with_text.only_at(), None);
        variant.body = Body::Html("<p>x</p>".into());
        assert_eq!(variant.only_at(), None);
    }

    #[test]
    fn a_kept_source_stands_until_the_part_is_edited() {
        let mut variant = Variant { subject: "Hi \u{27e8}catalog\u{27e9}".into(), ..Variant::default() };
        variant.body = Body::Html("<p>x</p>".into());
        variant.keep(Origin::Klaviyo, MailPart::Subject, "Hi {% catalog x %}");
        variant.keep(Origin::Klaviyo, MailPart::Body, "<p>{% weird %}</p>");
        assert_eq!(variant.kept(Origin::Klaviyo, MailPart::Subject), Some("Hi {% catalog x %}"));
        assert_eq!(variant.kept(Origin::Hubspot, MailPart::Subject), None);
        variant.subject.push('!');
        assert_eq!(variant.kept(Origin::Klaviyo, MailPart::Subject), None);
        assert!(variant.is_edited_since_import(MailPart::Subject));
        assert!(!variant.is_edited_since_import(MailPart::Body));
        assert!(!variant.is_edited_since_import(MailPart::Text));
        let ron = crate::content::message::ron_options().to_string(&variant).expect("writes");
        assert_eq!(crate::content::message::ron_options().from_str::<Variant>(&ron), Ok(variant));
    }
}
