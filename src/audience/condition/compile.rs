//! Compiled conditions: names resolved once, evaluation to three values, and the next instant at which time alone
//! may change it.
//!
//! The one idea: segments, score models and constants are folded into one tree of nodes, and evaluating it copies
//! nothing and asks for no memory. When time alone changes the value is worked out in `next_change.rs` beside it.
//! Deliberately not here: what checks want to know of a condition (`analyse.rs`).

use std::collections::BTreeSet;

use smol_str::SmolStr;

use super::{
    Book, CompareOp, Condition, ConditionText, EventWindow, Facts, Measure, Operand, Path, Root, Truth,
    compare::{View, compare, compare_numbers},
    next_change,
};
use crate::{
    audience::{Channel, ConsentStatus, Currency, Event, ResponseKind, Value, score::CompiledScore},
    base::{Instant, NodeId, Span, Window, hash},
};

/// How many segments and scores may lie inside one another. Source: assumption.
const MAX_LEVELS: usize = 16;
/// How many nodes a condition may have once everything is folded in, so that segments that name each other many
/// times cannot fill the memory. What lies beyond is unknown. Source: assumption.
const MAX_NODES: usize = 100_000;

/// A condition ready to be evaluated: segments and scores unfolded, constants put in.
#[derive(Clone, Debug)]
pub struct Compiled {
    node: Node,
}

impl Compiled {
    /// Resolves the names of a condition. Unknown names evaluate to [`Truth::Unknown`]; checks report them.
    /// A segment or score inside itself is cut (unknown), and so is the 17th level of them.
    pub fn new(condition: &Condition, book: &Book<'_>) -> Self {
        Self { node: Compiler::new(book).condition(condition) }
    }

    /// Resolves a condition as a file holds it; one with mistakes is unknown as a whole, and so never true, not even
    /// under a `not`.
    pub fn of_text(text: &ConditionText, book: &Book<'_>) -> Self {
        Self { node: Compiler::new(book).text(text) }
    }

    /// Evaluates it.
    pub fn eval(&self, facts: &Facts<'_>) -> Truth {
        self.node.eval(facts)
    }

    /// The next instant strictly after `facts.now` at which the value may change with nothing but time passing;
    /// `None` if it cannot. It may be too early (nothing changes), never too late.
    pub fn next_change(&self, facts: &Facts<'_>) -> Option<Instant> {
        next_change::of(&self.node, facts)
    }

    /// Whether time alone never changes it, whatever the facts.
    pub fn is_timeless(&self) -> bool {
        self.node.is_timeless()
    }

    /// The metrics whose events it looks at, those of responses, segments and scores included.
    pub fn metrics(&self) -> BTreeSet<SmolStr> {
        let mut metrics = BTreeSet::new();
        self.node.metrics(&mut metrics);
        metrics
    }
}

/// One node of a compiled condition.
#[derive(Clone, Debug)]
pub(in crate::audience) enum Node {
    Always(bool),
    Unknown,
    All(Box<[Self]>),
    Any(Box<[Self]>),
    Not(Box<Self>),
    Compare(Source, CompareOp, Right),
    IsSet(Source),
    Events(Box<Query>),
    InList(SmolStr),
    Consent(Channel, ConsentStatus),
    Response(Box<ResponseQuery>),
    Score(Box<CompiledScore>, CompareOp, f64),
    LocalTime(Window),
    Share(u32, SmolStr),
}

/// Where a value is fetched.
#[derive(Clone, Debug)]
pub(in crate::audience) enum Source {
    Missing,
    Fixed(Value),
    Id,
    Email,
    Phone,
    Zone,
    Language,
    CreatedAt,
    Contact(Box<[SmolStr]>),
    Trigger(Box<[SmolStr]>),
    Event(Box<[SmolStr]>),
}

#[derive(Clone, Debug)]
pub(in crate::audience) enum Right {
    Source(Source),
    Now(Span),
}

/// A compiled question about events.
#[derive(Clone, Debug)]
pub(in crate::audience) struct Query {
    pub metric: SmolStr,
    pub filter: Option<Node>,
    /// Whether the filter gives the same whenever it is asked.
    pub timeless_filter: bool,
    pub measure: CompiledMeasure,
    pub window: EventWindow,
    pub op: CompareOp,
    pub value: f64,
}

#[derive(Clone, Debug)]
pub(in crate::audience) enum CompiledMeasure {
    Count,
    Sum(Source),
    Max(Source),
}

#[derive(Clone, Debug)]
pub(in crate::audience) struct ResponseQuery {
    pub response: ResponseKind,
    pub node: Option<NodeId>,
    pub link: Option<SmolStr>,
    pub window: EventWindow,
}

/// Turns conditions into nodes; remembers what it is inside of.
pub(in crate::audience) struct Compiler<'b> {
    book: &'b Book<'b>,
    inside: Vec<(bool, SmolStr)>,
    budget: usize,
}

impl<'b> Compiler<'b> {
    pub fn new(book: &'b Book<'b>) -> Self {
        Self { book, inside: Vec::new(), budget: MAX_NODES }
    }

    pub fn text(&mut self, text: &ConditionText) -> Node {
        if text.parsed().errors.is_empty() { self.condition(text.condition()) } else { Node::Unknown }
    }

    /// Compiles what lies inside a segment or score, once.
    fn within(&mut self, is_score: bool, name: &SmolStr, inner: impl FnOnce(&mut Self) -> Node) -> Node {
        let key = (is_score, name.clone());
        if self.inside.len() >= MAX_LEVELS || self.inside.contains(&key) {
            return Node::Unknown;
        }
        self.inside.push(key);
        let node = inner(self);
        self.inside.pop();
        node
    }

    pub fn condition(&mut self, condition: &Condition) -> Node {
        if self.budget == 0 {
            return Node::Unknown;
        }
        self.budget -= 1;
        match condition {
            Condition::Always(yes) => Node::Always(*yes),
            Condition::All(parts) => Node::All(parts.iter().map(|part| self.condition(part)).collect()),
            Condition::Any(parts) => Node::Any(parts.iter().map(|part| self.condition(part)).collect()),
            Condition::Not(inner) => Node::Not(Box::new(self.condition(inner))),
            Condition::Compare { left, op, right } => {
                let right = match right {
                    Operand::Value(value) => Right::Source(Source::Fixed(match (op, value) {
                        (CompareOp::In | CompareOp::NotIn, Value::List(_)) => value.clone(),
                        (CompareOp::In | CompareOp::NotIn, value) => Value::List(vec![value.clone()]),
                        _ => value.clone(),
                    })),
                    Operand::Path(path) => Right::Source(self.source(path)),
                    Operand::Now(span) => Right::Now(*span),
                };
                Node::Compare(self.source(left), *op, right)
            }
            Condition::IsSet(path) => Node::IsSet(self.source(path)),
            Condition::Events(query) => {
                let filter = query.filter.as_ref().map(|filter| self.condition(filter));
                Node::Events(Box::new(Query {
                    metric: query.metric.clone(),
                    timeless_filter: filter.as_ref().is_none_or(Node::is_timeless),
                    filter,
                    measure: match &query.measure {
                        Measure::Count => CompiledMeasure::Count,
                        Measure::Sum(path) => CompiledMeasure::Sum(self.source(path)),
                        Measure::Max(path) => CompiledMeasure::Max(self.source(path)),
                    },
                    window: query.window,
                    op: query.op,
                    value: query.value,
                }))
            }
            Condition::InList(name) => Node::InList(name.clone()),
            Condition::InSegment(name) => match self.book.segments.get(name) {
                Some(text) => self.within(false, name, |c| c.text(text)),
                None => Node::Unknown,
            },
            Condition::Consent { channel, status } => Node::Consent(*channel, *status),
            Condition::Response { response, node, link, window } => Node::Response(Box::new(ResponseQuery {
                response: *response,
                node: node.clone(),
                link: link.clone(),
                window: *window,
            })),
            Condition::Score { model, op, points } => match self.book.scores.get(model) {
                Some(found) => self.within(true, model, |c| {
                    Node::Score(Box::new(CompiledScore::with_compiler(found, c)), *op, *points)
                }),
                None => Node::Unknown,
            },
            Condition::LocalTime(window) => Node::LocalTime(*window),
            Condition::Share { share, salt } => Node::Share(*share, salt.clone()),
        }
    }

    fn source(&self, path: &Path) -> Source {
        let steps: Box<[SmolStr]> = path.steps.as_slice().into();
        match path.root {
            Root::Contact => match path.steps.as_slice() {
                [one] => match one.as_str() {
                    "id" => Source::Id,
                    "email" => Source::Email,
                    "phone" => Source::Phone,
                    "zone" => Source::Zone,
                    "language" => Source::Language,
                    "created_at" => Source::CreatedAt,
                    _ => Source::Contact(steps),
                },
                _ => Source::Contact(steps),
            },
            Root::Trigger => Source::Trigger(steps),
            Root::Event => Source::Event(steps),
            Root::Constant => {
                let value = path
                    .steps
                    .split_first()
                    .and_then(|(name, rest)| self.book.constants.get(name).and_then(|value| value.at(rest)));
                value.cloned().map_or(Source::Missing, Source::Fixed)
            }
        }
    }
}

impl Source {
    /// The value; `None` where it is missing.
    pub(super) fn get<'v>(&'v self, facts: &Facts<'v>) -> Option<View<'v>> {
        let contact = facts.contact;
        match self {
            Self::Missing => None,
            Self::Fixed(value) => Some(value.into()),
            Self::Id => Some(View::Text(contact.id.as_str())),
            Self::Email => contact.email.as_deref().map(View::Text),
            Self::Phone => contact.phone.as_deref().map(View::Text),
            Self::Zone => contact.zone.as_deref().map(View::Text),
            Self::Language => contact.language.as_deref().map(View::Text),
            Self::CreatedAt => contact.created_at.map(View::Instant),
            Self::Contact(steps) => contact.property(steps).map(View::from),
            Self::Trigger(steps) => event_value(facts.entry?.event?, steps),
            Self::Event(steps) => event_value(facts.event?, steps),
        }
    }

    /// The value in an event that is being measured.
    fn of_event<'v>(&'v self, event: &'v Event) -> Option<View<'v>> {
        match self {
            Self::Event(steps) => event_value(event, steps),
            _ => None,
        }
    }
}

/// As [`Event::value`]: the built-in names where no property has that name.
fn event_value<'v>(event: &'v Event, steps: &[SmolStr]) -> Option<View<'v>> {
    if let Some(value) = event.property(steps) {
        return Some(value.into());
    }
    match steps {
        [one] => match one.as_str() {
            "id" => Some(View::Text(event.id.as_str())),
            "name" => Some(View::Text(&event.name)),
            "happened" => Some(View::Instant(event.happened)),
            _ => None,
        },
        _ => None,
    }
}

impl Node {
    pub fn eval(&self, facts: &Facts<'_>) -> Truth {
        match self {
            Self::Always(yes) => (*yes).into(),
            Self::Unknown => Truth::Unknown,
            Self::All(parts) => {
                let mut truth = Truth::Yes;
                for part in parts {
                    truth = truth.and(part.eval(facts));
                    if truth == Truth::No {
                        break;
                    }
                }
                truth
            }
            Self::Any(parts) => {
                let mut truth = Truth::No;
                for part in parts {
                    truth = truth.or(part.eval(facts));
                    if truth == Truth::Yes {
                        break;
                    }
                }
                truth
            }
            Self::Not(inner) => inner.eval(facts).not(),
            Self::Compare(left, op, right) => {
                let Some(left) = left.get(facts) else { return Truth::Unknown };
                let right = match right {
                    Right::Source(source) => source.get(facts),
                    Right::Now(span) => Some(View::Instant(span.after(facts.now, facts.zone))),
                };
                right.map_or(Truth::Unknown, |right| compare(left, *op, right, facts.zone))
            }
            Self::IsSet(source) => source.get(facts).is_some_and(View::is_set).into(),
            Self::Events(query) => query.eval(facts),
            Self::InList(name) => facts.contact.lists.contains(name).into(),
            Self::Consent(channel, status) => (facts.contact.consent.on(*channel) == *status).into(),
            Self::Response(query) => query.eval(facts),
            Self::Score(score, op, points) => score.compare(facts, *op, *points),
            Self::LocalTime(window) => window.contains(facts.now, facts.zone).into(),
            Self::Share(share, salt) => (hash::slot(salt, facts.contact.id.as_str()) < *share).into(),
        }
    }

    /// Whether time alone never changes it.
    pub fn is_timeless(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_timeless),
            Self::Not(inner) => inner.is_timeless(),
            Self::Compare(_, _, right) => matches!(right, Right::Source(_)),
            Self::Events(_) | Self::Response(_) | Self::Score(..) | Self::LocalTime(_) => false,
            Self::Always(_)
            | Self::Unknown
            | Self::IsSet(_)
            | Self::InList(_)
            | Self::Consent(..)
            | Self::Share(..) => true,
        }
    }

    pub fn metrics(&self, metrics: &mut BTreeSet<SmolStr>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.metrics(metrics)),
            Self::Not(inner) => inner.metrics(metrics),
            Self::Events(query) => {
                metrics.insert(query.metric.clone());
                if let Some(filter) = &query.filter {
                    filter.metrics(metrics);
                }
            }
            Self::Response(query) => {
                metrics.insert(SmolStr::new_static(query.response.event_name()));
            }
            Self::Score(score, ..) => score.metrics_into(metrics),
            _ => {}
        }
    }
}

/// The events of a metric in a window up to now, oldest first, the entry's own event not yet taken out. `None`
/// where the window has no meaning: since entry, outside a journey.
pub(super) fn in_window<'f>(
    facts: &Facts<'f>,
    metric: &str,
    window: EventWindow,
) -> Option<&'f [std::sync::Arc<Event>]> {
    let from = match window {
        EventWindow::Ever => Instant::MIN,
        EventWindow::Last(span) => span.before(facts.now, facts.zone).plus_millis(1),
        EventWindow::SinceEntry => facts.entry?.since(),
    };
    if from > facts.now {
        return Some(&[]);
    }
    Some(facts.log.between(metric, from, facts.now))
}

/// Whether an event is the one of the entry, which "since entry" does not count.
pub(super) fn is_entry_event(facts: &Facts<'_>, window: EventWindow, event: &Event) -> bool {
    window == EventWindow::SinceEntry
        && facts.entry.and_then(|entry| entry.event).is_some_and(|entry| entry.id == event.id)
}

impl Query {
    /// Whether an event counts, wherever it lies in time.
    pub(super) fn counts(&self, facts: &Facts<'_>, event: &Event) -> bool {
        !is_entry_event(facts, self.window, event)
            && self.filter.as_ref().is_none_or(|filter| filter.eval(&Facts { event: Some(event), ..*facts }).is_yes())
    }

    /// The number that is measured in an event.
    pub(super) fn number(&self, event: &Event) -> Option<(f64, Option<Currency>)> {
        let source = match &self.measure {
            CompiledMeasure::Count => return None,
            CompiledMeasure::Sum(source) | CompiledMeasure::Max(source) => source,
        };
        match source.of_event(event)? {
            View::Number(n) => Some((n, None)),
            View::Money(money) => Some((money.to_number(), Some(money.currency))),
            _ => None,
        }
    }

    pub(super) fn eval(&self, facts: &Facts<'_>) -> Truth {
        let Some(events) = in_window(facts, &self.metric, self.window) else { return Truth::Unknown };
        let counting = events.iter().filter(|event| self.counts(facts, event));
        match &self.measure {
            CompiledMeasure::Count => {
                let count = if self.filter.is_some() {
                    counting.count() as u64
                } else {
                    let own = match self.window {
                        // The entry's event lies at the very start of its window.
                        EventWindow::SinceEntry => {
                            let at = facts.entry.map(|entry| entry.since());
                            let first = events.iter().take_while(|event| Some(event.happened) == at);
                            first.filter(|event| is_entry_event(facts, self.window, event)).count()
                        }
                        _ => 0,
                    };
                    let forgotten =
                        if self.window == EventWindow::Ever { facts.log.forgotten(&self.metric) } else { 0 };
                    (events.len() - own) as u64 + forgotten
                };
                compare_numbers(count as f64, self.op, self.value)
            }
            CompiledMeasure::Sum(source) => {
                // Money is added in minor units, so that ten times 0.10 is 1.00.
                let (mut sum, mut minor, mut currency) = (0.0, 0_i64, None);
                for event in counting {
                    match source.of_event(event) {
                        Some(View::Number(n)) => sum += n,
                        Some(View::Money(money)) => {
                            if currency.is_some_and(|known| known != money.currency) {
                                return Truth::Unknown;
                            }
                            currency = Some(money.currency);
                            minor = minor.saturating_add(money.minor);
                        }
                        _ => {}
                    }
                }
                if let Some(currency) = currency {
                    sum += crate::audience::Money { minor, currency }.to_number();
                }
                compare_numbers(sum, self.op, self.value)
            }
            CompiledMeasure::Max(_) => {
                let (mut max, mut currency) = (None::<f64>, None);
                for (number, of) in counting.filter_map(|event| self.number(event)) {
                    if of.is_some() && currency.is_some() && currency != of {
                        return Truth::Unknown;
                    }
                    currency = currency.or(of);
                    max = Some(max.map_or(number, |max| if number > max { number } else { max }));
                }
                max.map_or(Truth::Unknown, |max| compare_numbers(max, self.op, self.value))
            }
        }
    }
}

impl ResponseQuery {
    /// Whether an event is such a response, wherever it lies in time.
    pub(super) fn counts(&self, facts: &Facts<'_>, event: &Event) -> bool {
        let text = |name: &str| event.property(&[name]).and_then(Value::as_text);
        facts.entry.is_some_and(|entry| text("journey") == Some(entry.journey.as_str()))
            && self.node.as_ref().is_none_or(|node| text("node") == Some(node.as_str()))
            && self.link.as_ref().is_none_or(|link| text("link").is_some_and(|clicked| clicked.contains(link.as_str())))
    }

    pub(super) fn eval(&self, facts: &Facts<'_>) -> Truth {
        if facts.entry.is_none() {
            return Truth::Unknown;
        }
        match in_window(facts, self.response.event_name(), self.window) {
            Some(events) => events.iter().any(|event| self.counts(facts, event)).into(),
            None => Truth::Unknown,
        }
    }
}
