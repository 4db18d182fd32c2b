//! What blocks are made of: where they stand, what a phone does with them, the rows inside them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Block;

/// What is different on a narrow screen (up to 480 px).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnPhone {
    /// Nothing.
    #[default]
    Same,
    /// The block is not shown.
    Hide,
    /// A button or picture takes the whole width.
    Wide,
    /// Words are smaller.
    Small,
    /// Words are larger.
    Large,
    /// Words stand in the middle.
    Center,
}

impl OnPhone {
    /// The class in the mail's style sheet that says it.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Hide => "fl-hide",
            Self::Wide => "fl-wide",
            Self::Small => "fl-small",
            Self::Large => "fl-large",
            Self::Center => "fl-center",
        }
    }
}

/// Where a block stands in a body.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct BlockPlace {
    /// Of the block, or of the columns it stands in, from 0.
    pub block: usize,
    /// Where it stands in columns; `None` outside of them.
    pub inside: Option<InColumn>,
}

/// Where a block stands in columns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct InColumn {
    /// Of the column, from 0.
    pub column: usize,
    /// Of the block in it, from 0.
    pub block: usize,
}

impl fmt::Display for BlockPlace {
    /// As places of findings say it: `3`, `3.columns.0.blocks.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.block)?;
        match self.inside {
            Some(InColumn { column, block }) => write!(f, ".columns.{column}.blocks.{block}"),
            None => Ok(()),
        }
    }
}

impl BlockPlace {
    /// What people read, counted from 1: "block 4", "block 4, column 1, block 2".
    pub fn words(&self) -> String {
        let own = format!("block {}", self.block + 1);
        match self.inside {
            Some(InColumn { column, block }) => format!("{own}, column {}, block {}", column + 1, block + 1),
            None => own,
        }
    }
}

/// One of several columns.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Share of the width in percent, 10..=80; what is left over is shared by those without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// From top to bottom.
    #[serde(default)]
    pub blocks: Vec<Block>,
}

/// Where the shorter of several columns stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Valign {
    /// At the top.
    #[default]
    Top,
    /// In the middle.
    Middle,
    /// At the bottom.
    Bottom,
}

impl Valign {
    /// As MJML writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::Middle => "middle",
            Self::Bottom => "bottom",
        }
    }
}

/// When an offer ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// With the contact's day.
    Midnight,
    /// At a date and time: `2026-11-27 18:00` on everybody's own wall, `2026-11-27T18:00+01:00` at one instant.
    At(String),
    /// At what a date field says.
    Field(String),
}

/// Words from a number of pieces downwards.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StockLevel {
    /// Shown at so many pieces or fewer.
    pub at_most: u32,
    /// The words.
    pub text: String,
}

/// A link of a row of networks.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SocialLink {
    /// Which network; its name and sign come from this.
    pub network: Network,
    /// Where it leads.
    pub href: String,
    /// Words instead of the network's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// Where people follow a shop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are names")]
pub enum Network {
    #[default]
    Website,
    Facebook,
    Instagram,
    X,
    Threads,
    Tiktok,
    Youtube,
    Pinterest,
    Linkedin,
    Whatsapp,
    Mastodon,
    Bluesky,
}

impl Network {
    /// What it is called.
    pub fn title(self) -> &'static str {
        self.words().0
    }

    /// Name and sign, both words that need no picture.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Website => ("Website", "www"),
            Self::Facebook => ("Facebook", "f"),
            Self::Instagram => ("Instagram", "ig"),
            Self::X => ("X", "X"),
            Self::Threads => ("Threads", "@"),
            Self::Tiktok => ("TikTok", "tt"),
            Self::Youtube => ("YouTube", "yt"),
            Self::Pinterest => ("Pinterest", "p"),
            Self::Linkedin => ("LinkedIn", "in"),
            Self::Whatsapp => ("WhatsApp", "wa"),
            Self::Mastodon => ("Mastodon", "m"),
            Self::Bluesky => ("Bluesky", "bs"),
        }
    }
}

/// How a row of networks looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SocialStyle {
    /// Round signs with letters.
    #[default]
    Signs,
    /// Their names.
    Words,
}
