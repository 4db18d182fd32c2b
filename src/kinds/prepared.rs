//! Kinds made ready to run: conditions compiled, shares summed up; and what each does with one contact.

use smol_str::SmolStr;

use super::{
    Settings,
    actions::{update_contact::To, webhook::Webhook},
    logic::{
        delay::{Delay, Due, Wait},
        split::Split,
        wait_for_event::LookBack,
    },
    runtime::{Change, StepResult},
    triggers::EventMatch,
};
use crate::{
    audience::{
        Compiled, Condition, ConditionText, Event, Facts, Path, Value,
        condition::{Book, Root},
    },
    base::{Instant, Span},
    kinds::{CapRule, Email, InternalAlert, Sms, UpdateContact},
};

/// A node ready to run.
#[derive(Clone, Debug)]
pub enum Prepared {
    /// The trigger node, and steps that only a platform knows: passed by, through the first port.
    Trigger,
    /// Delay.
    Delay(Delay),
    /// Wait for event.
    WaitForEvent {
        /// Which events end it.
        wanted: PreparedMatch,
        /// At most so long.
        timeout: Span,
        /// From when events count.
        look_back: LookBack,
    },
    /// Condition.
    Condition(Compiled),
    /// Branch, by arms.
    Branch(Vec<Compiled>),
    /// Split, with the cumulative ends of its arms' slots.
    Split(Split, Vec<u32>),
    /// Cap, with its segment; contacts outside it have room.
    Cap(CapRule, Option<Compiled>),
    /// Goal.
    Goal(SmolStr),
    /// Exit.
    Exit(SmolStr),
    /// E-mail.
    Email(Email),
    /// SMS.
    Sms(Sms),
    /// Webhook.
    Webhook(Webhook),
    /// Update contact.
    UpdateContact(UpdateContact),
    /// Lists.
    ListUpdate(Change),
    /// Internal alert.
    InternalAlert(InternalAlert),
    /// Cannot run: unknown kind or unreadable settings. The journey is held there.
    Fault,
}

/// An event and its compiled filter.
#[derive(Clone, Debug)]
pub struct PreparedMatch {
    /// The metric.
    pub event: SmolStr,
    /// Which of them count.
    pub filter: Option<Compiled>,
}

impl PreparedMatch {
    /// Compiles a match.
    pub fn new(event: &SmolStr, filter: Option<&ConditionText>, book: &Book<'_>) -> Self {
        Self { event: event.clone(), filter: filter.map(|f| Compiled::of_text(f, book)) }
    }

    /// Compiles a list of matches.
    pub fn list(matches: &[EventMatch], book: &Book<'_>) -> Vec<Self> {
        matches.iter().map(|m| Self::new(&m.event, m.filter.as_ref(), book)).collect()
    }

    /// Whether an event is one of those meant.
    pub fn is(&self, event: &Event, facts: &Facts<'_>) -> bool {
        self.event == event.name
            && self.filter.as_ref().is_none_or(|filter| filter.eval(&Facts { event: Some(event), ..*facts }).is_yes())
    }
}

impl Prepared {
    /// Compiles settings.
    pub fn new(settings: &Settings, book: &Book<'_>) -> Self {
        match settings {
            Settings::Trigger(_) | Settings::Note(_) | Settings::Foreign(_) => Self::Trigger,
            Settings::Delay(s) => Self::Delay(s.clone()),
            Settings::WaitForEvent(s) => Self::WaitForEvent {
                wanted: PreparedMatch::new(&s.event, s.filter.as_ref(), book),
                timeout: s.timeout,
                look_back: s.look_back,
            },
            Settings::Condition(s) => Self::Condition(Compiled::of_text(&s.condition, book)),
            Settings::Branch(s) => Self::Branch(s.arms.iter().map(|a| Compiled::of_text(&a.condition, book)).collect()),
            Settings::Split(s) => Self::Split(s.clone(), s.cumulative()),
            Settings::Cap(s) => {
                let segment = s.segment.as_ref().map(|name| Compiled::new(&Condition::InSegment(name.clone()), book));
                Self::Cap(s.clone(), segment)
            }
            Settings::Goal(s) => Self::Goal(s.name.clone()),
            Settings::Exit(s) => Self::Exit(s.reason.clone()),
            Settings::Email(s) => Self::Email(s.clone()),
            Settings::Sms(s) => Self::Sms(s.clone()),
            Settings::Webhook(s) => Self::Webhook(s.clone()),
            Settings::UpdateContact(s) => Self::UpdateContact(s.clone()),
            Settings::ListUpdate(s) => Self::ListUpdate(Change {
                lists_add: s.add.clone(),
                lists_remove: s.remove.clone(),
                ..Change::default()
            }),
            Settings::InternalAlert(s) => Self::InternalAlert(s.clone()),
        }
    }
}

/// One arrival at a node, or one more try.
#[derive(Clone, Copy, Debug)]
pub struct StepContext<'a> {
    /// What is known, with the journey's entry.
    pub facts: Facts<'a>,
    /// When the journey came here, which is when the previous step was left.
    pub arrived: Instant,
    /// The entry, moved by what the journey was late (SEMANTICS R26).
    pub entry_at: Instant,
    /// When the journey's previous message was intended.
    pub previous_message: Option<Instant>,
    /// The arm the contact got here before, by place.
    pub stored_arm: Option<usize>,
    /// The arm that won, by place.
    pub winner: Option<usize>,
    /// Whether the node's cap has room; true for all but cap nodes.
    pub has_room: bool,
}

impl Prepared {
    /// What the step asks for, on arrival.
    pub fn step(&self, cx: &StepContext<'_>) -> StepResult {
        let facts = &cx.facts;
        match self {
            Self::Trigger | Self::Fault => StepResult::Leave(0),
            Self::Delay(delay) => match delay_due(delay, cx) {
                Due::At(at) => StepResult::Sleep(at),
                Due::Past(past) => StepResult::Past(past),
            },
            Self::WaitForEvent { wanted, timeout, look_back } => {
                let since = match (look_back, facts.entry) {
                    (LookBack::Entry, Some(entry)) => Some(entry.since()),
                    (LookBack::PreviousMessage, Some(entry)) => Some(cx.previous_message.unwrap_or(entry.since())),
                    _ => None,
                };
                let own = facts.entry.and_then(|entry| entry.event).map(|event| &event.id);
                let seen = since.is_some_and(|since| {
                    let events = facts.log.between(&wanted.event, since, Instant::MAX);
                    events.iter().any(|event| Some(&event.id) != own && wanted.is(event, facts))
                });
                if seen { StepResult::Leave(0) } else { StepResult::Listen(timeout.after(facts.now, facts.zone)) }
            }
            Self::Condition(condition) => StepResult::Leave(usize::from(!condition.eval(facts).is_yes())),
            Self::Branch(arms) => {
                StepResult::Leave(arms.iter().position(|arm| arm.eval(facts).is_yes()).unwrap_or(arms.len()))
            }
            Self::Split(split, cumulative) => {
                let arm = cx.stored_arm.or(cx.winner).unwrap_or_else(|| split.arm_of(cumulative, &facts.contact.id));
                StepResult::Leave(arm)
            }
            Self::Cap(..) => StepResult::Leave(usize::from(!cx.has_room)),
            Self::Goal(name) => StepResult::Goal(name.clone()),
            Self::Exit(reason) => StepResult::End(reason.clone()),
            Self::Email(_) | Self::Sms(_) => StepResult::Send,
            Self::Webhook(webhook) => StepResult::Call(webhook.timeout.after(facts.now, facts.zone)),
            Self::UpdateContact(update) => StepResult::Write(change_of(update, facts)),
            Self::ListUpdate(change) => StepResult::Write(change.clone()),
            Self::InternalAlert(_) => StepResult::Alert,
        }
    }
}

/// When a delay ends, with the date it may wait for.
pub fn delay_due(delay: &Delay, cx: &StepContext<'_>) -> Due {
    let value = match &delay.wait {
        Wait::Date { property, .. } => value_of(property, &cx.facts),
        _ => None,
    };
    delay.due(cx.arrived, cx.entry_at, cx.facts.zone, value.as_ref())
}

/// The value under a path, constants left out (they are compiled away where they may stand).
pub fn value_of(path: &Path, facts: &Facts<'_>) -> Option<Value> {
    match path.root {
        Root::Contact => facts.contact.value(&path.steps),
        Root::Trigger => facts.entry?.event?.value(&path.steps),
        Root::Event => facts.event?.value(&path.steps),
        Root::Constant => None,
    }
}

fn change_of(update: &UpdateContact, facts: &Facts<'_>) -> Change {
    let mut change = Change::default();
    for assignment in &update.set {
        let value = match &assignment.to {
            To::Value(value) => Some(value.clone()),
            To::Now => Some(Value::Instant(facts.now)),
            To::Add(n) => {
                let old = facts.contact.property(&[&assignment.property]).and_then(Value::as_number).unwrap_or(0.0);
                Some(Value::Number(old + n))
            }
            To::Nothing => None,
            To::Copy(path) => match value_of(path, facts) {
                Some(value) => Some(value),
                // Nothing to copy: the property stays as it is.
                None => continue,
            },
        };
        change.set.push((assignment.property.clone(), value));
    }
    change
}
