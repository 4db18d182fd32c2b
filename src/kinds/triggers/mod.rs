//! Trigger kinds: what lets a contact in. A flow has one trigger node with one or more of these as alternatives;
//! the first to fire enters (SEMANTICS R7).

pub mod abandonment;
pub mod date;
pub mod engagement;
pub mod event;
pub mod foreign;
pub mod inactivity;
pub mod list;
pub mod score;
pub mod segment;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::ConditionText,
    kinds::spec::{Case, Editor, FieldSpec, ListSpec, case, field},
};

/// How a list of events with filters is edited.
pub const EVENT_MATCHES: ListSpec = ListSpec {
    one: "event",
    item: field(
        "event",
        "Event",
        "An event, and which ones of it count.",
        Editor::Group(&[
            field("event", "Event", "The event's name in the catalogue.", Editor::Event),
            field("filter", "Only if", "Which of them count; all where empty.", Editor::Condition).or(""),
        ]),
    ),
    new: "(event: \"Placed Order\")",
    ordered: false,
    percent: None,
};

const fn alternative(spec: &crate::kinds::Spec) -> Case {
    case(spec.name, spec.title, spec.fields, spec.example)
}

/// How the alternatives of a trigger are edited.
pub const ALTERNATIVES: ListSpec =
    ListSpec { one: "alternative", item: ALTERNATIVE, new: "", ordered: true, percent: None };

const ALTERNATIVE: FieldSpec = field(
    "alternative",
    "When",
    "What lets a contact in.",
    Editor::OneOf(&[
        alternative(&event::SPEC),
        alternative(&abandonment::SPEC),
        alternative(&engagement::SPEC),
        alternative(&score::SPEC),
        alternative(&segment::SPEC),
        alternative(&list::SPEC),
        alternative(&date::SPEC),
        alternative(&inactivity::SPEC),
    ]),
);

/// An event and which ones of it count.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EventMatch {
    /// The metric.
    pub event: SmolStr,
    /// `event.…` is the event under test, `trigger.…` the event that armed or entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<ConditionText>,
}

/// The settings of the trigger node.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Trigger {
    /// The alternatives, at least one.
    #[serde(default)]
    pub any: Vec<Alternative>,
}

/// One alternative.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alternative {
    /// An event.
    Event(event::EventTrigger),
    /// An event, then not another.
    Abandonment(abandonment::Abandonment),
    /// Enough events in a window.
    Engagement(engagement::Engagement),
    /// A score that crosses a threshold.
    Score(score::ScoreTrigger),
    /// A segment entered or left.
    Segment(segment::SegmentTrigger),
    /// Added to a list.
    List(list::ListTrigger),
    /// A date of the contact.
    Date(date::DateTrigger),
    /// Nothing of a kind for a time.
    Inactivity(inactivity::Inactivity),
    /// What only the platform it was imported from can start by; never fires here.
    Foreign(foreign::ForeignTrigger),
}

impl Alternative {
    /// The name of its kind in the catalogue.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => event::SPEC.name,
            Self::Abandonment(_) => abandonment::SPEC.name,
            Self::Engagement(_) => engagement::SPEC.name,
            Self::Score(_) => score::SPEC.name,
            Self::Segment(_) => segment::SPEC.name,
            Self::List(_) => list::SPEC.name,
            Self::Date(_) => date::SPEC.name,
            Self::Inactivity(_) => inactivity::SPEC.name,
            Self::Foreign(_) => foreign::NAME,
        }
    }

    /// Whether an entry by it carries an event, so that `trigger.…` has values (SEMANTICS R12).
    pub fn has_event(&self) -> bool {
        matches!(self, Self::Event(_) | Self::Abandonment(_) | Self::Engagement(_) | Self::Score(_))
    }

    /// Metrics it listens to, with the event that enters first.
    pub fn metrics(&self) -> Vec<&SmolStr> {
        match self {
            Self::Event(t) => vec![&t.event],
            Self::Abandonment(t) => std::iter::once(&t.start).chain(t.unless.iter().map(|m| &m.event)).collect(),
            Self::Engagement(t) => std::iter::once(&t.event).chain(t.unless.iter().map(|m| &m.event)).collect(),
            Self::Inactivity(t) => t.events.iter().collect(),
            Self::Score(_) | Self::Segment(_) | Self::List(_) | Self::Date(_) | Self::Foreign(_) => Vec::new(),
        }
    }

    /// One line for a card.
    pub fn summary(&self) -> String {
        match self {
            Self::Event(t) => format!("\u{201c}{}\u{201d}", t.event),
            Self::Abandonment(t) => {
                let unless: Vec<String> = t.unless.iter().map(|m| format!("\u{201c}{}\u{201d}", m.event)).collect();
                let unless =
                    if unless.is_empty() { "nothing more".to_owned() } else { format!("no {}", unless.join(" or ")) };
                format!("\u{201c}{}\u{201d}, then {unless} for {}", t.start, t.after)
            }
            Self::Engagement(t) => format!("\u{201c}{}\u{201d} reaches {} within {}", t.event, t.at_least, t.within),
            Self::Score(t) => format!("score {} reaches {}", t.model, t.threshold),
            Self::Segment(t) if t.leaves => format!("leaves segment {}", t.segment),
            Self::Segment(t) => format!("enters segment {}", t.segment),
            Self::List(t) => format!("added to list {}", t.list),
            Self::Date(t) => format!("date {} {}", t.property, t.offset),
            Self::Inactivity(t) => format!("nothing for {}", t.after),
            Self::Foreign(t) => format!("{} only: {}", t.origin.title(), t.trigger),
        }
    }
}
