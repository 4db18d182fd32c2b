//! The workspace: what several flows share (`flowloom.ron`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::{ConditionText, ScoreModel, ValueType, condition::Book},
    base::{Window, Zone},
    content::Brand,
    kinds::CapRule,
};

/// A workspace. Every part has a default; a lone flow file gets [`Workspace::default`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Workspace {
    /// Version of the file format.
    pub version: u32,
    /// What people read.
    pub name: String,
    /// Zone of contacts without one, and of the business. Default UTC.
    pub zone: SmolStr,
    /// Segments: name and condition.
    pub segments: BTreeMap<SmolStr, ConditionText>,
    /// Score models.
    pub scores: Vec<ScoreModel>,
    /// Catalogue of events.
    pub events: Vec<EventType>,
    /// Lists that exist.
    pub lists: Vec<SmolStr>,
    /// Contact properties that exist, with their types; those of the audience are known besides.
    pub properties: BTreeMap<SmolStr, ValueType>,
    /// Caps: for each channel and scope the first row whose segment matches counts. Default 3 e-mails in 48 h.
    pub caps: Vec<CapRule>,
    /// When nothing leaves, on the contact's wall. Default never.
    pub quiet_hours: Option<Window>,
    /// Senders.
    pub senders: Vec<Sender>,
    /// Look and legal data of mails.
    pub brand: Brand,
    /// Addresses that never get anything.
    pub suppression: Vec<String>,
    /// Pools of codes.
    pub code_pools: Vec<CodePool>,
    /// What Klaviyo needs to know.
    pub klaviyo: KlaviyoSettings,
    /// What HubSpot needs to know.
    pub hubspot: HubspotSettings,
}

/// The version of the workspace file that this build writes.
pub const WORKSPACE_VERSION: u32 = 1;

impl Default for Workspace {
    fn default() -> Self {
        Self {
            version: WORKSPACE_VERSION,
            name: String::new(),
            zone: "UTC".into(),
            segments: BTreeMap::new(),
            scores: Vec::new(),
            events: Vec::new(),
            lists: Vec::new(),
            properties: BTreeMap::new(),
            caps: vec![CapRule::default()],
            quiet_hours: None,
            senders: Vec::new(),
            brand: Brand::default(),
            suppression: Vec::new(),
            code_pools: Vec::new(),
            klaviyo: KlaviyoSettings::default(),
            hubspot: HubspotSettings::default(),
        }
    }
}

impl Workspace {
    /// Names of the parts, for hints on misspelt ones.
    pub const NAMES: &'static [&'static str] = &[
        "version",
        "name",
        "zone",
        "segments",
        "scores",
        "events",
        "lists",
        "properties",
        "caps",
        "quiet_hours",
        "senders",
        "brand",
        "suppression",
        "code_pools",
        "klaviyo",
        "hubspot",
    ];

    /// Its zone; UTC where the name is none (which `check` reports).
    pub fn default_zone(&self) -> Zone {
        Zone::named(&self.zone).unwrap_or_else(|_| Zone::utc())
    }

    /// The event of that name in the catalogue.
    pub fn event(&self, name: &str) -> Option<&EventType> {
        self.events.iter().find(|event| event.name == name)
    }

    /// The sender of that id.
    pub fn sender(&self, id: &str) -> Option<&Sender> {
        self.senders.iter().find(|sender| sender.id == id)
    }

    /// Score models by name, for [`Book`].
    pub fn scores_by_name(&self) -> BTreeMap<SmolStr, ScoreModel> {
        self.scores.iter().map(|model| (model.name.clone(), model.clone())).collect()
    }

    /// What names in conditions stand for.
    pub fn book<'a>(
        &'a self,
        scores: &'a BTreeMap<SmolStr, ScoreModel>,
        constants: &'a BTreeMap<SmolStr, crate::audience::Value>,
    ) -> Book<'a> {
        Book { segments: &self.segments, scores, constants }
    }
}

/// A metric of the catalogue.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EventType {
    /// Its name in flows and events.
    pub name: SmolStr,
    /// The micro-moment it is.
    #[serde(default)]
    pub moment: Moment,
    /// Its properties with their types.
    #[serde(default)]
    pub properties: BTreeMap<SmolStr, ValueType>,
    /// The metric's name in Klaviyo; the same where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klaviyo: Option<String>,
    /// The event's name (`pe…`) or type id (`4-…`) in HubSpot; to be resolved where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hubspot: Option<String>,
}

/// The taxonomy of micro-moments.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Item added, removed; cart untouched.
    Cart,
    /// Checkout begun, expired.
    Checkout,
    /// Page seen deep, video played, click on content.
    Content,
    /// Product seen.
    Product,
    /// Page left with high intent.
    Exit,
    /// Bought.
    Purchase,
    /// Came by.
    Visit,
    /// None of these.
    #[default]
    Other,
}

impl Moment {
    /// Whether it shows an intent to buy, which fades within hours.
    pub fn is_intent(self) -> bool {
        matches!(self, Self::Cart | Self::Checkout | Self::Exit)
    }
}

/// Who mails are from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sender {
    /// Named by flows.
    pub id: SmolStr,
    /// Name in the inbox.
    pub name: String,
    /// Address.
    pub email: String,
    /// Where answers go; the address where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
}

/// Unique codes to give away.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CodePool {
    /// Named by fields.
    pub name: SmolStr,
    /// The codes, each given once, in order.
    #[serde(default)]
    pub codes: Vec<SmolStr>,
    /// One code for everybody instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<SmolStr>,
    /// Name of the coupon in Klaviyo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klaviyo: Option<String>,
}

/// What Klaviyo needs to know.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct KlaviyoSettings {
    /// Revision of its API that exports are made for.
    pub revision: String,
    /// Known ids: `"metric:Started Checkout": "AbCd12"`.
    pub ids: BTreeMap<String, String>,
}

impl Default for KlaviyoSettings {
    fn default() -> Self {
        Self { revision: "2026-07-15".into(), ids: BTreeMap::new() }
    }
}

/// What HubSpot needs to know.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct HubspotSettings {
    /// Where its API has workflows. Default `/automation/v4/flows`, supported until 2027-03-30; the bodies of the betas
    /// after it are the same (references, HubSpot 1).
    pub base_path: String,
    /// Known ids: `"list:VIP": "42"`.
    pub ids: BTreeMap<String, String>,
}

impl Default for HubspotSettings {
    fn default() -> Self {
        Self { base_path: "/automation/v4/flows".into(), ids: BTreeMap::new() }
    }
}
