//! Messages: fields, template language, blocks, HTML and text, lints; with the feature `picture`, mails drawn.
//!
//! The one idea: a message is data ([`Message`], its [`Variant`]s and [`Block`]s) with merge tags that stand for
//! [`Field`]s. A message is prepared once (parsed, checked, laid out) and rendered for many contacts.
//! Deliberately not here: flows, clocks, files, and sending; the caller hands over instants, values and links.
//!
//! A block's "show if" is a condition over fields in the template language (`cart_value > threshold and item_count
//! > 1`), not the text of a flow's condition: only what is written over fields can be carried into a platform's
//! template as `{% if %}`. What a flow's condition can say more (history, segments) belongs into a field or a branch.

mod brand;
mod drawn;
mod eml;
mod field;
mod filled;
mod filters;
#[cfg(test)]
mod fuzz;
pub mod highlight;
mod judge;
mod layout;
mod links;
mod lint;
mod markup;
mod message;
mod mjml;
#[cfg(feature = "picture")]
pub mod picture;
mod plain;
mod preview;
mod render;
mod starter;
mod template;
mod tracking;
mod values;

pub use brand::{Brand, Dark, LogoPlace, THEMES, Theme, theme};
pub use drawn::{Link, Picture};
pub use eml::{Envelope, compose};
pub use field::{Computed, Field, FieldSource, Format, RESERVED_LINKS};
pub use filled::{Escape, Filled, FilledText};
pub use filters::{format_date, format_money, format_number};
pub use judge::{Readers, check_message};
pub use layout::{Language, PREHEADER_OPENS, whole_source};
pub use links::{MailLink, links};
pub use lint::{CLIP_BYTES, SUPPORT_DATE, examine, lint};
pub(crate) use lint::{Piece, Pieces};
#[cfg(feature = "engine")]
pub(crate) use markup::escape;
pub use message::{
    Align, Block, BlockPlace, Body, Column, InColumn, Kept, MailPart, Message, Network, OnPhone, Origin, SocialLink,
    SocialStyle, StockLevel, UnknownBlock, Until, Valign, Variant, ron_options,
};
pub use preview::Preview;
pub use render::{Completeness, PreparedMessage, RenderedMail, TagState, TagUse};
pub use starter::{STARTER_SMS, STARTER_SUBJECT, starter};
pub use template::foreign::{Book, FoundField, Read, from_hubl, from_klaviyo, hubspot_contact_name};
pub use template::names::{NameUse, names_in_condition, names_in_template};
pub use template::transpile::{
    Dialect, ExportedMail, Part, Scope, Transpiled, export_variant, is_prepared, platform_property, transpile,
};
pub use tracking::{OF_THE_MAIL, with_links};
pub use values::{FieldValue, FieldValues, Links, ResolveContext};
