//! The settings of a flow as a whole: who may enter again, what ends a journey, what all its messages share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::{Channel, ConditionText, Path, Value},
    base::{NodeId, Span, Window},
    content::Origin,
    kinds::CapRule,
};

/// The settings. Every one has a default, so that an empty `settings: ()` is a flow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct FlowSettings {
    /// Who may enter again, and when (SEMANTICS R8).
    pub reentry: Reentry,
    /// What tells two entries apart, such as `event.cart_id`; one key for all alternatives (SEMANTICS R7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reentry_key: Option<Path>,
    /// Ends the journey as soon as it holds (SEMANTICS R15).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_when: Option<ConditionText>,
    /// Ends the journey as converted from anywhere (SEMANTICS R15).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal_when: Option<ConditionText>,
    /// A conversion is credited to the last message handed over within this long before it. Default 48 h.
    pub conversion_window: Span,
    /// A trigger that is later than this lets nobody in. Default 4 h (SEMANTICS R11).
    pub trigger_latest_age: Span,
    /// What a contact must have allowed to enter and stay. Default: e-mail `subscribed`.
    pub consent: Vec<RequiredConsent>,
    /// Sender of the workspace, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<SmolStr>,
    /// Parameters added to links, such as `utm_source`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tracking: BTreeMap<String, String>,
    /// Named values for conditions and templates: `threshold`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub constants: BTreeMap<SmolStr, Value>,
    /// Caps of this flow besides the workspace's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caps: Vec<CapRule>,
    /// Instead of the workspace's quiet hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<Window>,
    /// Most arrivals of a journey at one node. Default 10 (SEMANTICS R20).
    pub pass_limit: u32,
    /// Enrol contacts for whom the trigger holds already when the flow is published (SEMANTICS R0).
    pub enrol_current: bool,
    /// Where the flow is going, so that losses show while it is drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// What an import could not say otherwise, by platform: JSON objects that are merged into what is exported there
    /// (RFC 7396), one for the flow and one for each step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<KeptJson>,
}

impl Default for FlowSettings {
    fn default() -> Self {
        Self {
            reentry: Reentry::default(),
            reentry_key: None,
            exit_when: None,
            goal_when: None,
            conversion_window: Span::hours(48),
            trigger_latest_age: Span::hours(4),
            consent: vec![RequiredConsent::Subscribed(Channel::Email)],
            sender: None,
            tracking: BTreeMap::new(),
            constants: BTreeMap::new(),
            caps: Vec::new(),
            quiet_hours: None,
            pass_limit: 10,
            enrol_current: false,
            target: None,
            kept: Vec::new(),
        }
    }
}

impl FlowSettings {
    /// Names of the settings, for hints on misspelt ones.
    pub const NAMES: &'static [&'static str] = &[
        "reentry",
        "reentry_key",
        "exit_when",
        "goal_when",
        "conversion_window",
        "trigger_latest_age",
        "consent",
        "sender",
        "tracking",
        "constants",
        "caps",
        "quiet_hours",
        "pass_limit",
        "enrol_current",
        "target",
        "kept",
    ];

    /// Its conditions with the names of their settings.
    pub fn conditions(&self) -> Vec<(&'static str, &ConditionText)> {
        let exit = self.exit_when.as_ref().map(|c| ("exit_when", c));
        exit.into_iter().chain(self.goal_when.as_ref().map(|c| ("goal_when", c))).collect()
    }
}

/// A piece of a platform's JSON that the flow has no words for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeptJson {
    /// The platform it came from, and the only one it goes back to.
    pub origin: Origin,
    /// The step whose exported action it is merged into; the whole definition where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// A JSON object, merged as RFC 7396 says.
    pub patch: String,
}

/// Who may enter again.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reentry {
    /// Whenever the contact is not inside.
    #[default]
    AfterExit,
    /// Never again.
    Once,
    /// When the contact is not inside and the last entry is at least this long ago.
    Cooldown(Span),
    /// Once for each value of the re-entry key; several journeys may run side by side.
    PerKey,
    /// At once: the running journey ends, a new one begins.
    Restart,
}

/// Something a contact must have allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequiredConsent {
    /// Subscribed on the channel.
    Subscribed(Channel),
    /// Not unsubscribed on the channel; never asked is enough. Legal in few places.
    NotUnsubscribed(Channel),
}

impl RequiredConsent {
    /// The channel it is about.
    pub fn channel(self) -> Channel {
        match self {
            Self::Subscribed(channel) | Self::NotUnsubscribed(channel) => channel,
        }
    }

    /// Whether a status satisfies it.
    pub fn allows(self, status: crate::audience::ConsentStatus) -> bool {
        use crate::audience::ConsentStatus;
        match self {
            Self::Subscribed(_) => status == ConsentStatus::Subscribed,
            Self::NotUnsubscribed(_) => status != ConsentStatus::Unsubscribed,
        }
    }
}

/// Where a flow can be handed to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Klaviyo.
    Klaviyo,
    /// HubSpot.
    Hubspot,
    /// The engine that ships with Flowloom.
    Engine,
}

impl Target {
    /// As written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Klaviyo => "klaviyo",
            Self::Hubspot => "hubspot",
            Self::Engine => "engine",
        }
    }

    /// What people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::Klaviyo => "Klaviyo",
            Self::Hubspot => "HubSpot",
            Self::Engine => "Engine",
        }
    }
}
