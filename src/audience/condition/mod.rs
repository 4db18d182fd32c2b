//! Conditions: trees of and, or, not over what is known of a contact (DESIGN 3).
//!
//! One tree, three faces: a text form ([`parse()`] and `Display`, which agree), an English sentence
//! ([`Condition::sentence`]), and a compiled form that is evaluated to three values ([`Compiled::eval`]).
//! Deliberately not here: clocks, zones of the machine, random generators; all come in by [`Facts`].

mod analyse;
mod compare;
mod compile;
#[cfg(test)]
pub(crate) mod generate;
pub(in crate::audience) mod next_change;
mod parse;
mod print;
mod sentence;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

pub use analyse::{always, negation, to_cnf, to_dnf, uses_local_time_or_share, uses_trigger_event, walk, walk_paths};
pub use compile::Compiled;
pub(in crate::audience) use compile::{Compiler, Node};
pub use parse::{MAX_DEPTH, MAX_TEXT_LEN, parse};

use super::{
    contact::{Channel, ConsentStatus, Contact, Event, ResponseKind},
    log::EventLog,
    score::ScoreModel,
    value::Value,
};
use crate::base::{Instant, JourneyId, NodeId, Span, TextRange, Window, Zone};

/// A condition as written.
#[derive(Clone, PartialEq, Debug)]
pub enum Condition {
    /// `true` or `false`.
    Always(bool),
    /// All hold.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A value compared with another: `contact.lifetime_value > 500`.
    Compare {
        /// Left side.
        left: Path,
        /// How.
        op: CompareOp,
        /// Right side.
        right: Operand,
    },
    /// A value is there (and is not an empty text or list).
    IsSet(Path),
    /// How often, how much or at most what, over events: `did "Placed Order" at least 2 times in the last 30 days`.
    Events(EventQuery),
    /// On a list.
    InList(SmolStr),
    /// In a segment.
    InSegment(SmolStr),
    /// Has a consent status on a channel.
    Consent {
        /// The channel.
        channel: Channel,
        /// The status.
        status: ConsentStatus,
    },
    /// Responded to a message of this journey (of a node, or of any).
    Response {
        /// What they did.
        response: ResponseKind,
        /// To this message node; any of the journey where left out.
        node: Option<NodeId>,
        /// By this link (clicks only): equal to, or contained in, the link's address.
        link: Option<SmolStr>,
        /// Within.
        window: EventWindow,
    },
    /// The score of a model.
    Score {
        /// Name of the score model.
        model: SmolStr,
        /// How.
        op: CompareOp,
        /// Points.
        points: f64,
    },
    /// The wall time of the contact lies in a window.
    LocalTime(Window),
    /// A fixed share of contacts, by hash (SEMANTICS R3).
    Share {
        /// Hundredths of a percent, 0..=10,000.
        share: u32,
        /// Two shares with one salt nest, with two salts are independent.
        salt: SmolStr,
    },
}

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Root {
    /// `contact.…`
    Contact,
    /// `trigger.…`: the event that let the contact in.
    Trigger,
    /// `event.…`: the event under test, inside `where (…)` and in event filters.
    Event,
    /// `constant.…`: a constant of the flow.
    Constant,
}

/// A root and a dotted path of names and list indices; in files the text of it: `contact.address.city`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Path {
    /// Where it starts.
    pub root: Root,
    /// Names and indices; never empty.
    pub steps: Vec<SmolStr>,
}

/// How two values are compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in ["a", "b"]`
    In,
    /// `not in ["a", "b"]`
    NotIn,
    /// `contains`: a text in a text, or a value in a list.
    Contains,
    /// `starts with`
    StartsWith,
    /// `ends with`
    EndsWith,
}

/// Right side of a comparison.
#[derive(Clone, PartialEq, Debug)]
pub enum Operand {
    /// A literal.
    Value(Value),
    /// Another value: `trigger.cart_id`.
    Path(Path),
    /// The instant of evaluation, moved: `now - 7 days`. Compared with a date, it is the date in the contact's zone.
    Now(Span),
}

/// A question about events of one metric.
#[derive(Clone, PartialEq, Debug)]
pub struct EventQuery {
    /// The metric.
    pub metric: SmolStr,
    /// Which of them count; `event.…` is the event, `trigger.…` the entry's.
    pub filter: Option<Box<Condition>>,
    /// What is measured over them.
    pub measure: Measure,
    /// Since when.
    pub window: EventWindow,
    /// One of `=`, `!=`, `<`, `<=`, `>`, `>=`.
    pub op: CompareOp,
    /// Compared with.
    pub value: f64,
}

/// What is measured over the events that count.
#[derive(Clone, PartialEq, Debug)]
pub enum Measure {
    /// How many.
    Count,
    /// The sum of a number in them (a path below `event.`); missing counts as nothing.
    Sum(Path),
    /// The largest of a number in them; with no event the measure is missing, and the condition unknown.
    Max(Path),
}

/// Since when events count, by when they happened (SEMANTICS R2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventWindow {
    /// As far back as is known.
    Ever,
    /// `in the last 7 days`: later than now minus the span, up to now.
    Last(Span),
    /// `since entry`: from the instant the entry event happened (or the entry, without one), that event itself not
    /// counted.
    SinceEntry,
}

/// A condition as a file holds it: the text, and the tree if the text can be read.
///
/// A text with mistakes is kept letter by letter; it counts as never true until mended, and checks point at it.
#[derive(Clone, Debug)]
pub struct ConditionText {
    text: SmolStr,
    parsed: Arc<Parsed>,
}

/// What reading a condition gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The tree, as far as it could be understood; a part that could not is `Always(false)`.
    pub condition: Condition,
    /// Mistakes; empty where the tree is the whole text.
    pub errors: Vec<ParseError>,
    /// Names used, with their places, for checks that know what is declared.
    pub references: Vec<(Reference, TextRange)>,
}

/// One mistake in a condition's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParseError {
    /// Where, in bytes of the text.
    pub range: TextRange,
    /// What is wrong, one sentence.
    pub message: String,
    /// What to write instead; may be empty.
    pub hint: String,
}

/// A name that a condition uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A value.
    Path(Path),
    /// An event name.
    Metric(SmolStr),
    /// A list.
    List(SmolStr),
    /// A segment.
    Segment(SmolStr),
    /// A score model.
    Score(SmolStr),
    /// A message node.
    Node(NodeId),
}

impl ConditionText {
    /// Reads a text; never fails (see the type's docs).
    pub fn new(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        Self { text: SmolStr::new(text), parsed: Arc::new(parse(text)) }
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tree.
    pub fn condition(&self) -> &Condition {
        &self.parsed.condition
    }

    /// The whole result of reading.
    pub fn parsed(&self) -> &Parsed {
        &self.parsed
    }
}

impl std::str::FromStr for Path {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "; {}", self.hint) }
    }
}

impl Root {
    /// All roots.
    pub const ALL: [Self; 4] = [Self::Contact, Self::Trigger, Self::Event, Self::Constant];

    /// The word in texts: `contact`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Trigger => "trigger",
            Self::Event => "event",
            Self::Constant => "constant",
        }
    }
}

impl CompareOp {
    /// As written in conditions: `>=`, `starts with`.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::Contains => "contains",
            Self::StartsWith => "starts with",
            Self::EndsWith => "ends with",
        }
    }

    /// The operator that holds exactly where this one does not, if there is one; a missing value leaves both unknown.
    pub fn negated(self) -> Option<Self> {
        Some(match self {
            Self::Eq => Self::Ne,
            Self::Ne => Self::Eq,
            Self::Lt => Self::Ge,
            Self::Ge => Self::Lt,
            Self::Gt => Self::Le,
            Self::Le => Self::Gt,
            Self::In => Self::NotIn,
            Self::NotIn => Self::In,
            Self::Contains | Self::StartsWith | Self::EndsWith => return None,
        })
    }

    /// The operator compared with a number; `None` for operators over texts and lists.
    pub fn holds(self, ordering: std::cmp::Ordering) -> Option<bool> {
        Some(match self {
            Self::Eq => ordering.is_eq(),
            Self::Ne => ordering.is_ne(),
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
            Self::Gt => ordering.is_gt(),
            Self::Ge => ordering.is_ge(),
            Self::In | Self::NotIn | Self::Contains | Self::StartsWith | Self::EndsWith => return None,
        })
    }
}

impl PartialEq for ConditionText {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl From<&Condition> for ConditionText {
    fn from(condition: &Condition) -> Self {
        Self::new(condition.to_string())
    }
}

impl Serialize for ConditionText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ConditionText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(std::borrow::Cow::<'de, str>::deserialize(deserializer)?))
    }
}

/// Everything a compiled condition may look at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The instant of evaluation.
    pub now: Instant,
    /// The contact's zone.
    pub zone: &'a Zone,
    /// The contact.
    pub contact: &'a Contact,
    /// The contact's history, up to `now` by acceptance.
    pub log: &'a EventLog,
    /// The journey's entry; `None` outside a journey.
    pub entry: Option<EntryFacts<'a>>,
    /// The event under test; `None` outside an event filter.
    pub event: Option<&'a Event>,
}

/// What let the contact in.
#[derive(Clone, Copy, Debug)]
pub struct EntryFacts<'a> {
    /// The journey.
    pub journey: &'a JourneyId,
    /// When the journey began.
    pub at: Instant,
    /// The event of the entry; `None` for segment, list, date and inactivity triggers (SEMANTICS R12).
    pub event: Option<&'a Event>,
}

impl EntryFacts<'_> {
    /// The instant that "since entry" means: when the entry event happened, else the entry (SEMANTICS R14).
    pub fn since(&self) -> Instant {
        self.event.map_or(self.at, |event| event.happened)
    }
}

/// Three values, because data may be missing (SEMANTICS R5). Where a flow must decide, unknown counts as no.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// A value that it needs is missing.
    Unknown,
}

impl Truth {
    /// Whether it certainly holds.
    pub fn is_yes(self) -> bool {
        self == Self::Yes
    }

    /// Both: no beats unknown, unknown beats yes. Source: Kleene's strong three-valued logic.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    /// At least one: yes beats unknown, unknown beats no.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            _ => Self::Unknown,
        }
    }

    /// The other way round; unknown stays unknown.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "reads like `and` and `or` beside it")]
    pub fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// What names in conditions stand for.
#[derive(Clone, Copy, Debug)]
pub struct Book<'a> {
    /// Segments of the workspace.
    pub segments: &'a BTreeMap<SmolStr, ConditionText>,
    /// Score models of the workspace.
    pub scores: &'a BTreeMap<SmolStr, ScoreModel>,
    /// Constants of the flow.
    pub constants: &'a BTreeMap<SmolStr, Value>,
}
