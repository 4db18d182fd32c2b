//! A naive evaluation of conditions, written from the tree's documentation: no compiling, every question scans all
//! events.

#![expect(clippy::disallowed_methods, reason = "the naive way on purpose: the core's table is what is tested")]

use std::collections::BTreeMap;

use flowloom::{
    audience::{
        Channel, Condition, ConsentStatus, Contact, Event, Value,
        condition::{CompareOp, EventQuery, EventWindow, Measure, Operand, Path, Root},
    },
    base::{Instant, Span, Zone, hash},
    flow::{FlowSettings, Workspace},
};
use smol_str::SmolStr;

/// The journey that asks, or would begin.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    pub journey: &'a str,
    pub at: Instant,
    pub event: Option<&'a Event>,
}

impl Entry<'_> {
    /// What "since entry" means.
    pub fn since(&self) -> Instant {
        self.event.map_or(self.at, |event| event.happened)
    }
}

/// Everything a condition may look at.
#[derive(Clone)]
pub struct Known<'a> {
    pub now: Instant,
    pub zone: Zone,
    pub workspace: &'a Workspace,
    pub contact: &'a Contact,
    pub log: &'a [Event],
    pub constants: &'a BTreeMap<SmolStr, Value>,
    pub entry: Option<Entry<'a>>,
    pub event: Option<&'a Event>,
}

impl<'a> Known<'a> {
    pub fn with_entry(&self, entry: Option<Entry<'a>>) -> Self {
        Self { entry, ..self.clone() }
    }

    pub fn with_event<'b>(&self, event: &'b Event) -> Known<'b>
    where
        'a: 'b,
    {
        Known { event: Some(event), ..self.clone() }
    }

    /// Whether it certainly holds.
    pub fn holds(&self, condition: &Condition) -> bool {
        self.truth(condition) == Some(true)
    }

    /// Yes, no, or `None` where something is missing.
    pub fn truth(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::Always(yes) => Some(*yes),
            Condition::All(parts) => {
                let truths: Vec<Option<bool>> = parts.iter().map(|part| self.truth(part)).collect();
                if truths.contains(&Some(false)) {
                    Some(false)
                } else if truths.contains(&None) {
                    None
                } else {
                    Some(true)
                }
            }
            Condition::Any(parts) => {
                let truths: Vec<Option<bool>> = parts.iter().map(|part| self.truth(part)).collect();
                if truths.contains(&Some(true)) {
                    Some(true)
                } else if truths.contains(&None) {
                    None
                } else {
                    Some(false)
                }
            }
            Condition::Not(part) => self.truth(part).map(|yes| !yes),
            Condition::Compare { left, op, right } => {
                let left = self.value(left)?;
                let right = match right {
                    Operand::Value(value) => value.clone(),
                    Operand::Path(path) => self.value(path)?,
                    Operand::Now(span) => {
                        let then = span.after(self.now, &self.zone);
                        match left {
                            Value::Date(_) => Value::Date(self.zone.local(then).date()),
                            _ => Value::Instant(then),
                        }
                    }
                };
                compare(&left, *op, &right)
            }
            Condition::IsSet(path) => Some(match self.value(path) {
                None => false,
                Some(Value::Text(text)) => !text.is_empty(),
                Some(Value::List(list)) => !list.is_empty(),
                Some(_) => true,
            }),
            Condition::Events(query) => self.events(query),
            Condition::InList(list) => Some(self.contact.lists.contains(list)),
            Condition::InSegment(name) => {
                let segment = self.workspace.segments.get(name)?;
                self.with_entry(None).truth(segment.condition())
            }
            Condition::Consent { channel, status } => Some(self.contact.consent.on(*channel) == *status),
            Condition::Response { response, node, link, window } => {
                let entry = self.entry?;
                let text = |event: &Event, name: &str| match event.properties.get(name) {
                    Some(Value::Text(text)) => text.to_string(),
                    _ => String::new(),
                };
                Some(self.log.iter().any(|event| {
                    event.name == response.event_name()
                        && text(event, "journey") == entry.journey
                        && node.as_ref().is_none_or(|node| text(event, "node") == node.as_str())
                        && link.as_ref().is_none_or(|link| text(event, "link").contains(link.as_str()))
                        && self.in_window(event, *window) == Some(true)
                }))
            }
            Condition::Score { model, op, points } => number(self.score(model)?, *op, *points),
            Condition::LocalTime(window) => Some(window.contains(self.now, &self.zone)),
            Condition::Share { share, salt } => Some(hash::slot(salt, self.contact.id.as_str()) < *share),
        }
    }

    fn events(&self, query: &EventQuery) -> Option<bool> {
        let mut counted: Vec<&Event> = Vec::new();
        for event in self.log.iter().filter(|event| event.name == query.metric) {
            if self.in_window(event, query.window)?
                && query.filter.as_ref().is_none_or(|filter| self.with_event(event).holds(filter))
            {
                counted.push(event);
            }
        }
        if query.window == EventWindow::SinceEntry && self.entry.is_none() {
            return None;
        }
        let numbers = |path: &Path| -> Vec<f64> {
            counted.iter().filter_map(|event| event.value(&path.steps)).filter_map(|value| value.as_number()).collect()
        };
        let measure = match &query.measure {
            Measure::Count => counted.len() as f64,
            Measure::Sum(path) => numbers(path).iter().sum(),
            Measure::Max(path) => numbers(path).into_iter().reduce(f64::max)?,
        };
        number(measure, query.op, query.value)
    }

    fn in_window(&self, event: &Event, window: EventWindow) -> Option<bool> {
        Some(match window {
            EventWindow::Ever => true,
            EventWindow::Last(span) => event.happened > span.before(self.now, &self.zone) && event.happened <= self.now,
            EventWindow::SinceEntry => {
                let entry = self.entry?;
                event.happened >= entry.since() && entry.event.is_none_or(|e| e.id != event.id)
            }
        })
    }

    /// Points of a score model, each event worth half after each half-life.
    pub fn score(&self, model: &str) -> Option<f64> {
        let model = self.workspace.scores.iter().find(|m| m.name == model)?;
        let mut total = 0.0;
        for signal in &model.signals {
            let mut points = 0.0;
            for event in self.log.iter().filter(|event| event.name == signal.event) {
                if signal.filter.as_ref().is_some_and(|f| !self.with_event(event).holds(f.condition())) {
                    continue;
                }
                points += match signal.half_life {
                    None => signal.points,
                    Some(span) => {
                        let age = self.now.since(event.happened).max(0) as f64;
                        signal.points * 0.5_f64.powf(age / span.about_millis() as f64)
                    }
                };
            }
            total += signal.at_most.map_or(points, |most| points.min(most));
        }
        Some(total)
    }

    pub fn value(&self, path: &Path) -> Option<Value> {
        match path.root {
            Root::Contact => self.contact.value(&path.steps),
            Root::Trigger => self.entry?.event?.value(&path.steps),
            Root::Event => self.event?.value(&path.steps),
            Root::Constant => {
                let (first, rest) = path.steps.split_first()?;
                self.constants.get(first)?.at(rest).cloned()
            }
        }
    }

    /// The first of a segment's rows that counts here, as R23 has it.
    pub fn in_segment(&self, name: Option<&SmolStr>) -> bool {
        name.is_none_or(|name| self.with_entry(None).holds(&Condition::InSegment(name.clone())))
    }
}

fn number(left: f64, op: CompareOp, right: f64) -> Option<bool> {
    Some(match op {
        CompareOp::Eq => left == right,
        CompareOp::Ne => left != right,
        CompareOp::Lt => left < right,
        CompareOp::Le => left <= right,
        CompareOp::Gt => left > right,
        CompareOp::Ge => left >= right,
        _ => return None,
    })
}

fn compare(left: &Value, op: CompareOp, right: &Value) -> Option<bool> {
    match (op, left, right) {
        (CompareOp::In, _, Value::List(list)) => return Some(list.iter().any(|v| same(left, v))),
        (CompareOp::NotIn, _, Value::List(list)) => return Some(!list.iter().any(|v| same(left, v))),
        (CompareOp::Contains, Value::Text(a), Value::Text(b)) => return Some(a.contains(b.as_str())),
        (CompareOp::Contains, Value::List(list), _) => return Some(list.iter().any(|v| same(v, right))),
        (CompareOp::StartsWith, Value::Text(a), Value::Text(b)) => return Some(a.starts_with(b.as_str())),
        (CompareOp::EndsWith, Value::Text(a), Value::Text(b)) => return Some(a.ends_with(b.as_str())),
        _ => {}
    }
    let ordering = match (left, right) {
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
        _ => return number(left.as_number()?, op, right.as_number()?),
    };
    Some(match op {
        CompareOp::Eq => ordering.is_eq(),
        CompareOp::Ne => ordering.is_ne(),
        CompareOp::Lt => ordering.is_lt(),
        CompareOp::Le => ordering.is_le(),
        CompareOp::Gt => ordering.is_gt(),
        CompareOp::Ge => ordering.is_ge(),
        _ => return None,
    })
}

fn same(a: &Value, b: &Value) -> bool {
    compare(a, CompareOp::Eq, b) == Some(true)
}

/// Spans over which events age in a condition, for the instants at which time alone may turn it.
pub fn spans_of(condition: &Condition, spans: &mut Vec<Span>, windows: &mut Vec<flowloom::base::Window>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| spans_of(part, spans, windows)),
        Condition::Not(part) => spans_of(part, spans, windows),
        Condition::Events(EventQuery { window: EventWindow::Last(span), .. })
        | Condition::Response { window: EventWindow::Last(span), .. } => spans.push(*span),
        Condition::LocalTime(window) => windows.push(*window),
        _ => {}
    }
}

/// Whether a status is enough for a message of a channel, R15 and the documents of the kinds.
pub fn may_be_sent(contact: &Contact, settings: &FlowSettings, channel: Channel, transactional: bool) -> bool {
    let address = match channel {
        Channel::Email => contact.email.is_some(),
        Channel::Sms => contact.phone.is_some(),
    };
    let status = contact.consent.on(channel);
    let subscribed = status == ConsentStatus::Subscribed;
    let allowed = match channel {
        Channel::Sms => subscribed,
        Channel::Email if transactional => true,
        Channel::Email => {
            let asked = settings.consent.iter().find(|required| required.channel() == channel);
            asked.map_or(subscribed, |required| required.allows(status))
        }
    };
    address && allowed
}
