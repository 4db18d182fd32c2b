//! Ids as newtypes: never reused, stable in files, short enough to say aloud.
//!
//! All are cheap to clone: up to 23 bytes are kept inline.

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(SmolStr);

        impl $name {
            /// Wraps the text as it is; files are checked by [`is_wellformed`] where they are read.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(SmolStr::new(text))
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0.as_str())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }
    };
}

id! {
    /// A flow, unique in its workspace.
    FlowId
}
id! {
    /// A node, unique in its flow.
    NodeId
}
id! {
    /// A message (an e-mail or SMS), unique in its flow.
    MessageId
}
id! {
    /// A contact, unique in its workspace. Any text of 1 to 256 bytes without control characters.
    ContactId
}
id! {
    /// An event, unique for a contact; a second one with the same id is ignored (SEMANTICS R2).
    EventId
}
id! {
    /// One contact's way through one flow; fixed at entry (SEMANTICS R21).
    JourneyId
}
/// Names an immutable flow version by its content; written as 32 hexadecimal digits (SEMANTICS R4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionHash(pub u128);

impl fmt::Display for VersionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for VersionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for VersionHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VersionHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Names one send: the nth arrival (pass, from 1) of a journey at a node (SEMANTICS R21).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct SendKey {
    /// The journey.
    pub journey: JourneyId,
    /// The message node.
    pub node: NodeId,
    /// Nth arrival of the journey at the node, from 1.
    pub pass: u32,
}

impl fmt::Display for SendKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.journey, self.node, self.pass)
    }
}

impl SendKey {
    /// Reads what [`fmt::Display`] wrote; journeys may contain `/`, nodes may not.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, '/');
        let pass = parts.next()?.parse().ok()?;
        let node = NodeId::new(parts.next()?);
        Some(Self { journey: JourneyId::new(parts.next()?), node, pass })
    }
}

/// Whether a text may name a flow, node, message, field or arm in a file: 1 to 64 letters, digits, `-`, `_`
/// or `.`, beginning with a letter or digit. Source: assumption; short enough to say aloud, safe as a file name.
pub fn is_wellformed(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn send_key_survives_printing() {
        let key = SendKey { journey: "shop/ada/1".into(), node: "mail-1".into(), pass: 2 };
        assert_eq!(SendKey::parse(&key.to_string()), Some(key));
        assert_eq!(SendKey::parse("only/two"), None);
    }

    #[test]
    fn wellformed_ids() {
        for (text, expected) in
            [("mail-1", true), ("a.b_c", true), ("", false), ("-a", false), ("a b", false), ("ä", false)]
        {
            assert_eq!(is_wellformed(text), expected, "{text:?}");
        }
    }
}
