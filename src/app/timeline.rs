//! What happens to one contact, and when: rows, marks and ticks ready to draw, and the clock that walks along them.
//!
//! The one idea: the replay's decisions, the contact's events and their responses become one list in the order of time,
//! said in words and in the contact's zone. Deliberately not here: drawing, and deciding anything a replay decides.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    card::{self, Family},
    document::Document,
    overlay, stage,
    when::{self, Wall},
};
use crate::{
    audience::{Contact, Event, ResponseKind},
    base::{Instant, JourneyId, NodeId},
    flow::{Flow, Moment, Node},
    journey::{Decision, What},
    kinds::runtime::{Outcome, Reason},
};

/// What sort of row it is; gives mark and colour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sort {
    /// Something the contact did.
    Event,
    /// What they did with a message.
    Response,
    /// A trigger's clock began or was stopped.
    Trigger,
    /// They came in.
    Entered,
    /// They did not come in.
    NotEntered,
    /// A message left.
    Sent,
    /// A message did not leave.
    NotSent,
    /// They wait.
    Waits,
    /// They went on, one way or the other.
    Passed,
    /// The goal was reached.
    Converted,
    /// The journey ended.
    Ended,
}

impl Sort {
    /// The icon of its rows and marks.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Event => "cursor",
            Self::Response => "envelope-open",
            Self::Trigger => "timer",
            Self::Entered => "sign-out",
            Self::NotEntered => "prohibit",
            Self::Sent => "paper-plane-tilt",
            Self::NotSent => "x-circle",
            Self::Waits => "hourglass",
            Self::Passed => "git-branch",
            Self::Converted => "target",
            Self::Ended => "flag",
        }
    }

    /// What people read in the legend.
    pub fn title(self) -> &'static str {
        match self {
            Self::Event => "Event",
            Self::Response => "Response",
            Self::Trigger => "Trigger",
            Self::Entered => "Enters",
            Self::NotEntered => "Does not enter",
            Self::Sent => "Sent",
            Self::NotSent => "Not sent",
            Self::Waits => "Waits",
            Self::Passed => "Step",
            Self::Converted => "Goal",
            Self::Ended => "End",
        }
    }
}

/// One row of the list, one mark on the axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// When.
    pub at: Instant,
    /// The same in words, in the contact's zone.
    pub when: String,
    /// What sort.
    pub sort: Sort,
    /// Its icon; of an event by what kind of moment it is.
    pub icon: &'static str,
    /// What happened.
    pub text: String,
    /// More, in less weight; may be empty.
    pub detail: String,
    /// The step, where there is one.
    pub node: Option<NodeId>,
    /// Of a wait: until when it lasted.
    pub until: Option<Instant>,
}

/// A line on the axis with a word.
#[derive(Clone, PartialEq, Debug)]
pub struct Tick {
    /// Where.
    pub at: Instant,
    /// "06:00" or "Sun 4 Oct".
    pub label: String,
    /// A new day begins there.
    pub is_day: bool,
}

/// Which part of a contact's history the axis shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Scope {
    /// Everything.
    All,
    /// One journey, from 0; the first where there is no such one.
    Journey(usize),
    /// The first journey; everything where there is none.
    #[default]
    First,
}

/// What happens to a contact.
#[derive(Clone, PartialEq, Debug)]
pub struct Timeline {
    /// The contact's zone.
    pub zone: Wall,
    /// Journeys to choose from: "1 · Sat 3 Oct 05:10".
    pub journeys: Vec<String>,
    /// The chosen one.
    pub journey: Option<usize>,
    /// Where the axis begins.
    pub from: Instant,
    /// Where it ends.
    pub until: Instant,
    /// Rows of that span, in order.
    pub rows: Vec<Row>,
    /// Lines of the axis.
    pub ticks: Vec<Tick>,
    /// Why the contact never enters.
    pub never: Option<String>,
}

impl Timeline {
    /// Where an instant stands on the axis: 0 at its beginning, 1 at its end.
    pub fn share_of(&self, at: Instant) -> f32 {
        let whole = self.until.since(self.from).max(1) as f64;
        (at.since(self.from) as f64 / whole) as f32
    }

    /// The instant at a share of the axis, held inside it.
    pub fn at_share(&self, share: f32) -> Instant {
        let whole = self.until.since(self.from).max(1) as f64;
        self.from.plus_millis((f64::from(share.clamp(0.0, 1.0)) * whole) as i64)
    }

    /// The clock after it was moved by a share of the axis, held inside it; a clock that stands nowhere begins at the
    /// end that it is moved away from.
    pub fn moved(&self, clock: Option<Instant>, share: f32) -> Instant {
        let at = clock.unwrap_or(if share > 0.0 { self.from } else { self.until });
        let whole = self.until.since(self.from).max(1) as f64;
        at.plus_millis((f64::from(share) * whole) as i64).clamp(self.from, self.until.max(self.from))
    }

    /// The last row at or before an instant.
    pub fn row_at(&self, at: Instant) -> Option<usize> {
        self.rows.partition_point(|row| row.at <= at).checked_sub(1)
    }

    /// The next instant at which something happens after the clock, or the one before it.
    pub fn stop(&self, clock: Option<Instant>, forward: bool) -> Option<Instant> {
        let mut stops = self.rows.iter().map(|row| row.at);
        match (clock, forward) {
            (None, true) => stops.next(),
            (None, false) => stops.next_back(),
            (Some(at), true) => stops.find(|stop| *stop > at),
            (Some(at), false) => stops.rfind(|stop| *stop < at),
        }
    }
}

/// The time line of the chosen contact; `None` where none is chosen or nothing was replayed yet.
pub fn timeline(document: &Document) -> Option<Timeline> {
    let contact = stage::contact(&document.home, document.view.contact.as_ref()?)?;
    let report = &document.derived.replay.as_ref()?.value;
    let trace: Vec<&Decision> = overlay::trace(document).collect();
    Some(of_trace(document, contact, &trace, report.until))
}

fn of_trace(document: &Document, contact: &Contact, trace: &[&Decision], end: Instant) -> Timeline {
    let flow = document.flow();
    let zone = when::zone(&document.home, Some(contact));
    let mut all = Teller { flow, zone: &zone, contact, rows: Vec::new() };
    all.tell(document, trace, end);
    let rows = all.sorted();
    let spans = journeys(trace, end);
    let chosen = match document.view.scope {
        Scope::All => None,
        Scope::Journey(n) => Some(n.min(spans.len().saturating_sub(1))).filter(|_| !spans.is_empty()),
        Scope::First => (!spans.is_empty()).then_some(0),
    };
    let (from, until) = match chosen {
        Some(n) => spans[n],
        None => {
            let ends = |row: &Row| row.until.unwrap_or(row.at).max(row.at);
            let first = rows.first().map_or(end, |row| row.at);
            (first, rows.iter().map(ends).max().unwrap_or(end).max(first))
        }
    };
    let pad = (until.since(from) / 25).max(10 * 60_000);
    let (from, until) = (from.plus_millis(-pad), until.plus_millis(pad));
    let rows: Vec<Row> = rows.into_iter().filter(|row| row.at >= from && row.at <= until).collect();
    let label =
        |(n, (from, _)): (usize, &(Instant, Instant))| format!("{} \u{b7} {}", n + 1, when::day_time(*from, &zone));
    let entered = trace.iter().filter(|d| matches!(d.what, What::Entered { .. })).map(|d| (d.at, d.at));
    let entered: Vec<(Instant, Instant)> = entered.collect();
    Timeline {
        journeys: entered.iter().enumerate().map(label).collect(),
        journey: chosen,
        ticks: ticks(from, until, &zone),
        never: entered.is_empty().then(|| never(document, contact, trace)),
        from,
        until,
        rows,
        zone,
    }
}

/// From what armed the trigger to the end, for each journey in the order of entry.
fn journeys(trace: &[&Decision], end: Instant) -> Vec<(Instant, Instant)> {
    let mut out = Vec::new();
    for (n, entered) in trace.iter().enumerate().filter(|(_, d)| matches!(d.what, What::Entered { .. })) {
        let armed = trace[..n].iter().rev().find(|d| matches!(d.what, What::Armed { due, .. } if due == entered.at));
        let own = trace.iter().filter(|d| d.journey == entered.journey);
        let ended = own.clone().find(|d| matches!(d.what, What::Ended { .. })).map(|d| d.at);
        let last = own.map(|d| if let What::Waiting { until } = d.what { until.min(end) } else { d.at }).max();
        out.push((armed.map_or(entered.at, |d| d.at), ended.or(last).unwrap_or(entered.at)));
    }
    out
}

/// Why a contact never came in.
fn never(document: &Document, contact: &Contact, trace: &[&Decision]) -> String {
    let mut whys: BTreeMap<&str, usize> = BTreeMap::new();
    for decision in trace {
        match &decision.what {
            What::NotEntered { why, .. } | What::Disarmed { why, .. } => *whys.entry(why).or_default() += 1,
            _ => {}
        }
    }
    if !whys.is_empty() {
        let said: Vec<String> =
            whys.iter().map(|(why, n)| if *n > 1 { format!("{why} ({n} times)") } else { (*why).to_owned() }).collect();
        return format!("Never enters: {}", said.join("; "));
    }
    let metrics = stage::metrics(document.flow(), &document.home.workspace, None);
    if metrics.is_empty() {
        return "Never enters: the trigger did not fire for this contact".to_owned();
    }
    let names = metrics.iter().map(|name| format!("\u{201c}{name}\u{201d}")).collect::<BTreeSet<_>>();
    let names = names.into_iter().collect::<Vec<_>>().join(" or ");
    let own = document.home.audience.events.iter().filter(|e| e.contact == contact.id && metrics.contains(&e.name));
    match own.count() {
        0 => format!("Never enters: no event of this contact is {names}"),
        n => format!("Never enters: {n} of their events are {names}, and none passed the trigger's filter"),
    }
}

/// Turns decisions into rows.
struct Teller<'a> {
    flow: &'a Flow,
    zone: &'a Wall,
    contact: &'a Contact,
    /// With the place in the trace that orders rows of one instant.
    rows: Vec<(i64, Row)>,
}

impl Teller<'_> {
    fn push(&mut self, order: i64, at: Instant, sort: Sort, text: String, detail: String, node: Option<&NodeId>) {
        let when = when::day_time(at, self.zone);
        let icon = sort.icon();
        self.rows.push((order, Row { at, when, sort, icon, text, detail, node: node.cloned(), until: None }));
    }

    fn sorted(self) -> Vec<Row> {
        let mut rows = self.rows;
        rows.sort_by_key(|(order, row)| (row.at, *order));
        rows.into_iter().map(|(_, row)| row).collect()
    }

    fn title(&self, node: &NodeId) -> String {
        self.flow.node(node.as_str()).map_or_else(|| node.to_string(), |node| node.title().to_owned())
    }

    fn tell(&mut self, document: &Document, trace: &[&Decision], end: Instant) {
        self.events(document);
        // A hand-over is told last of its instant, and belongs where the message stands.
        let mut goes: BTreeMap<(Option<&JourneyId>, &NodeId, u32), i64> = BTreeMap::new();
        for (n, decision) in trace.iter().enumerate() {
            let mut order = n as i64;
            if let Some(node) = &decision.node {
                let key = (decision.journey.as_ref(), node, decision.pass);
                match decision.what {
                    What::Go { .. } => _ = goes.insert(key, order),
                    What::Outcome { .. } => order = goes.get(&key).copied().unwrap_or(order),
                    _ => {}
                }
            }
            let left = |d: &&&Decision| {
                d.journey == decision.journey
                    && (matches!(d.what, What::Ended { .. })
                        || d.node == decision.node && matches!(d.what, What::Left { .. }))
            };
            let left = trace[n..].iter().find(left).map(|d| d.at);
            self.decision(document, order, decision, left.unwrap_or(end));
        }
    }

    fn events(&mut self, document: &Document) {
        let mut seen = BTreeSet::new();
        for event in document.home.audience.events.iter().filter(|event| event.contact == self.contact.id) {
            if seen.insert(&event.id) {
                let known = document.home.workspace.events.iter().find(|known| known.name == event.name);
                self.event(event, known.map_or(Moment::Other, |known| known.moment));
            }
        }
    }

    fn event(&mut self, event: &Event, moment: Moment) {
        let mut detail = stage::key_values(event, None);
        if event.accepted.since(event.happened) >= 60_000 {
            let late = when::length(event.accepted.since(event.happened));
            detail = format!("{detail}{}arrived {late} late", if detail.is_empty() { "" } else { " \u{b7} " });
        }
        self.push(-1, event.accepted, Sort::Event, event.name.to_string(), detail, None);
        if let Some((_, row)) = self.rows.last_mut() {
            row.icon = match moment {
                Moment::Cart => "shopping-cart-simple",
                Moment::Checkout => "storefront",
                Moment::Content => "book-open",
                Moment::Product => "eye",
                Moment::Exit => "arrow-right",
                Moment::Purchase => "handbag",
                Moment::Visit => "user",
                Moment::Other => Sort::Event.icon(),
            };
        }
    }

    fn decision(&mut self, document: &Document, order: i64, decision: &Decision, left: Instant) {
        let at = decision.at;
        let node = decision.node.as_ref();
        let step = node.and_then(|id| self.flow.node(id.as_str()));
        let title = node.map(|id| self.title(id)).unwrap_or_default();
        let later = |until: Instant| when::time_after(at, until, self.zone);
        let (sort, text, detail) = match &decision.what {
            What::Late { decided, .. } => (
                Sort::Event,
                "An event came too late to count".to_owned(),
                format!("decided without it at {}", when::time_after(at, *decided, self.zone)),
            ),
            What::Armed { alternative, due } => (
                Sort::Trigger,
                format!("{} starts the clock", trigger(self.flow, *alternative)),
                format!("until {}", later(*due)),
            ),
            What::Disarmed { alternative, why } => {
                (Sort::Trigger, format!("The clock of {} stops", trigger(self.flow, *alternative)), why.to_string())
            }
            What::Entered { alternative, key } => {
                let by = trigger(self.flow, *alternative);
                let detail = if key.is_empty() { format!("by {by}") } else { format!("by {by}, {key}") };
                (Sort::Entered, "Enters the flow".to_owned(), detail)
            }
            What::NotEntered { alternative, why } => {
                (Sort::NotEntered, format!("Does not enter: {why}"), format!("by {}", trigger(self.flow, *alternative)))
            }
            What::Waiting { until } => {
                let text = format!("Waits {} until {}", when::length(until.since(at)), later(*until));
                let detail = if left < *until { format!("{title}; goes on at {}", later(left)) } else { title };
                self.push(order, at, Sort::Waits, text, detail, node);
                if let Some((_, row)) = self.rows.last_mut() {
                    row.until = Some(left.min(*until).max(at));
                }
                return;
            }
            What::Deferred { until, reason } => (
                Sort::NotSent,
                format!("{} waits: {}", sends(step, &title), said(*reason)),
                format!("tried again {}", later(*until)),
            ),
            What::Outcome { outcome, reason, variant, detail } => {
                let what = sends(step, &title);
                let message = step.and_then(|step| stage::message_of(self.flow, step));
                let several = message.is_some_and(|message| message.variants.len() > 1);
                let mut more = if several { format!("variant {variant}") } else { String::new() };
                if !detail.is_empty() {
                    more = if more.is_empty() { detail.clone() } else { format!("{more}, {detail}") };
                }
                if *outcome == Outcome::Sent {
                    self.push(order, at, Sort::Sent, format!("{what} sent"), more, node);
                    self.responses(document, at, decision, &title);
                    return;
                }
                (Sort::NotSent, format!("{what} {}: {}", became(*outcome), said(*reason)), more)
            }
            What::Held { reason, detail } => {
                (Sort::NotSent, format!("Held at \u{201c}{title}\u{201d}: {}", said(*reason)), detail.clone())
            }
            What::Moved { millis } => {
                (Sort::Passed, format!("What comes later moves by {}", when::length(*millis)), String::new())
            }
            What::Left { port } => match step {
                Some(step) if step.ports().len() > 1 => {
                    let ports = step.ports();
                    let word = ports.iter().find(|p| p.name == *port).map_or(port.to_string(), |p| p.title.to_string());
                    (Sort::Passed, format!("{title}: {word}"), String::new())
                }
                Some(step) if card::family(&step.kind) == Family::Action => (Sort::Passed, title, String::new()),
                _ => return,
            },
            What::Wrote { names } => (Sort::Passed, format!("Writes {}", names.join(", ")), title),
            What::Goal { name } => (Sort::Passed, format!("Passes the goal \u{201c}{name}\u{201d}"), String::new()),
            What::Converted { credited_to, .. } => {
                let credit = credited_to.as_ref().map_or("credited to no message".to_owned(), |key| {
                    format!("credited to \u{201c}{}\u{201d}", self.title(&key.node))
                });
                (Sort::Converted, "Reaches the goal".to_owned(), credit)
            }
            What::Ended { how } => (Sort::Ended, format!("Leaves the flow: {how}"), String::new()),
            What::Ignored { why, event } => {
                (Sort::Trigger, format!("An event changes nothing: {why}"), event.to_string())
            }
            What::Arrived | What::Go { .. } | What::Controlled { .. } => return,
        };
        self.push(order, at, sort, text, detail, node);
    }

    /// What the contact does with a message that was sent at an instant.
    fn responses(&mut self, document: &Document, sent: Instant, decision: &Decision, title: &str) {
        let node = decision.node.as_ref();
        for response in &document.home.audience.responses {
            let other_flow = response.flow.as_ref().is_some_and(|flow| decision.flow.as_ref() != Some(flow));
            if response.contact != self.contact.id || Some(&response.node) != node || other_flow {
                continue;
            }
            let verb = match response.response {
                ResponseKind::Opened => "Opens",
                ResponseKind::Clicked => "Clicks in",
                ResponseKind::Replied => "Answers",
                ResponseKind::Bounced => "Bounces:",
                ResponseKind::Unsubscribed => "Unsubscribes in",
                ResponseKind::Complained => "Reports as spam:",
            };
            let at = response.after.after(sent, self.zone);
            let detail = response.link.as_deref().unwrap_or("").to_owned();
            self.push(-1, at, Sort::Response, format!("{verb} \u{201c}{title}\u{201d}"), detail, node);
        }
    }
}

/// What an alternative of the trigger is called: its event, or its kind.
fn trigger(flow: &Flow, alternative: usize) -> String {
    let Some(crate::kinds::Settings::Trigger(trigger)) = flow.trigger().and_then(|node| node.settings()) else {
        return "the trigger".to_owned();
    };
    use crate::kinds::Alternative as A;
    match trigger.any.get(alternative) {
        Some(A::Event(t)) => format!("\u{201c}{}\u{201d}", t.event),
        Some(A::Abandonment(t)) => format!("\u{201c}{}\u{201d} and then nothing", t.start),
        Some(A::Engagement(t)) => format!("enough \u{201c}{}\u{201d}", t.event),
        Some(other) => card::spec(other.kind()).map_or("the trigger", |spec| spec.title).to_lowercase(),
        None => "the trigger".to_owned(),
    }
}

/// "E-mail ‘Half-price shipping’".
fn sends(step: Option<&std::sync::Arc<Node>>, title: &str) -> String {
    let word = match step.map(|step| step.kind.as_str()) {
        Some("sms") => "SMS",
        Some("webhook") => "Webhook",
        _ => "E-mail",
    };
    format!("{word} \u{201c}{title}\u{201d}")
}

/// What became of a message, for people.
pub fn became(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Sent => "sent",
        Outcome::Skipped => "not sent",
        Outcome::Refused => "refused",
        Outcome::Held => "held",
        Outcome::Unknown => "without an answer",
    }
}

/// Why, for people.
pub fn said(reason: Reason) -> &'static str {
    match reason {
        Reason::Ok => "nothing spoke against it",
        Reason::NotInFlow => "the journey was over",
        Reason::Goal => "the goal is reached",
        Reason::Exit => "the exit condition holds",
        Reason::NoConsent => "no consent or no address",
        Reason::Suppressed => "on the suppression list",
        Reason::QuietHours => "quiet hours",
        Reason::Capped => "capped",
        Reason::Cooldown => "quiet time after another message",
        Reason::Incomplete => "a merge tag has no value",
        Reason::Empty => "there is nothing in it",
        Reason::TooLate => "too late",
        Reason::Paused => "the flow is paused",
        Reason::Breaker => "a breaker stopped it",
        Reason::Fault => "the step cannot be done",
        Reason::Rejected => "the transport said no",
        Reason::NoAnswer => "the transport did not say",
    }
}

/// At most so many lines on the axis.
const MOST_TICKS: i64 = 8;

/// Lines of an axis: on round times of the wall, and on midnights.
pub fn ticks(from: Instant, until: Instant, zone: &Wall) -> Vec<Tick> {
    const HOUR: i64 = 3_600_000;
    let length = until.since(from).max(1);
    let steps = [HOUR / 4, HOUR / 2, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];
    let mut out = Vec::new();
    let midnight = zone.instant_of(zone.local(from).date().at(0, 0, 0, 0));
    if let Some(step) = steps.into_iter().find(|step| length / step <= MOST_TICKS) {
        let mut day = midnight;
        while day <= until {
            let next = zone.plus_calendar(day, 0, 1).max(day.plus_millis(1));
            // The clock may change inside a day: each tick is asked what the wall shows.
            let times = (0..24 * HOUR / step).map(|n| day.plus_millis(n * step)).take_while(|at| *at < next);
            for at in times.filter(|at| *at >= from && *at <= until) {
                let is_day = at == day;
                let label = if is_day { when::day(at, zone) } else { when::time(at, zone) };
                out.push(Tick { at, label, is_day });
            }
            day = next;
        }
        return out;
    }
    let days = [1, 2, 7, 14, 28, 56, 112, 365];
    let step = days.into_iter().find(|days| length / (i64::from(*days) * 24 * HOUR) <= MOST_TICKS).unwrap_or(3650);
    let mut at = midnight;
    while at <= until {
        if at >= from {
            out.push(Tick { at, label: when::day(at, zone), is_day: true });
        }
        at = zone.plus_calendar(at, 0, step).max(at.plus_millis(1));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Command, act::Act, fixture};

    fn line_of(contact: &str, scope: Scope) -> Timeline {
        let mut app = fixture::studio();
        fixture::run(&mut app, Command::ChooseContact(Some(contact.into())));
        fixture::run(&mut app, Act::SetScope(scope));
        timeline(fixture::document(&app)).expect("a time line")
    }

    #[test]
    fn a_journey_is_told_in_words_and_in_the_contacts_zone() {
        let line = line_of("ada", Scope::First);
        let told: Vec<String> = line
            .rows
            .iter()
            .filter(|row| !matches!(row.sort, Sort::Event | Sort::Trigger | Sort::Response))
            .map(|row| format!("{} {}", row.when, row.text))
            .collect();
        assert_eq!(
            told,
            [
                "Sat 3 Oct 05:10 Enters the flow",
                "Sat 3 Oct 05:10 E-mail \u{201c}Your watch is waiting\u{201d} sent",
                "Sat 3 Oct 05:10 Waits 4 h until 09:10",
                "Sat 3 Oct 09:10 E-mail \u{201c}15 % for a quick decision\u{201d} sent",
                "Sat 3 Oct 09:10 Waits 8 h until 17:10",
                "Sat 3 Oct 17:10 E-mail \u{201c}Half-price shipping\u{201d} sent",
                "Sat 3 Oct 17:10 Leaves the flow: sequence over",
            ]
        );
        let opened = line.rows.iter().find(|row| row.sort == Sort::Response).expect("Ada opens mail-3");
        assert_eq!(opened.text, "Opens \u{201c}Half-price shipping\u{201d}");
        assert_eq!(line.never, None);
    }

    #[test]
    fn what_did_not_leave_says_why() {
        let line = line_of("ada", Scope::Journey(1));
        let not_sent = line.rows.iter().find(|row| row.sort == Sort::NotSent).expect("a capped mail");
        assert_eq!(not_sent.text, "E-mail \u{201c}Your watch is waiting\u{201d} not sent: capped");
        assert!(line.rows.iter().any(|row| row.text == "Does not enter: entered before with this key"));
        assert!(line_of("ada", Scope::All).rows.len() > line.rows.len());
    }

    #[test]
    fn whoever_never_enters_is_told_why() {
        let app = fixture::studio();
        let report = fixture::document(&app).derived.replay.clone().expect("replayed").value;
        let outside = report.traces.iter().find(|(_, t)| t.iter().all(|d| !matches!(d.what, What::Entered { .. })));
        let (contact, _) = outside.expect("somebody stays outside");
        let line = line_of(contact.as_str(), Scope::First);
        assert!(line.never.expect("a reason").starts_with("Never enters: "));
    }

    #[test]
    fn the_clock_stops_where_something_happens_and_at_the_ends() {
        let line = line_of("ada", Scope::First);
        let mut clock = None;
        let mut stops = 0;
        while let Some(next) = line.stop(clock, true) {
            assert!(clock < Some(next));
            clock = Some(next);
            stops += 1;
        }
        assert!(stops > 5);
        while let Some(before) = line.stop(clock, false) {
            clock = Some(before);
            stops -= 1;
        }
        assert_eq!(stops, 1);
        assert_eq!((line.at_share(0.0), line.at_share(1.0)), (line.from, line.until));
        assert_eq!(line.moved(None, 2.0), line.until);
        assert_eq!(line.moved(None, -0.25), line.moved(Some(line.until), -0.25));
        assert_eq!(line.moved(Some(line.moved(None, 0.3)), -0.3), line.from);
        assert!((line.share_of(line.at_share(0.25)) - 0.25).abs() < 1e-4);
    }

    #[test]
    fn playing_goes_to_the_end_and_stops() {
        let mut app = fixture::studio();
        fixture::run(&mut app, Act::Play(true));
        for _ in 0..40 {
            fixture::run(&mut app, Act::Tick(0.03));
        }
        let view = &fixture::document(&app).view;
        let line = timeline(fixture::document(&app)).expect("a time line");
        assert_eq!((view.playing, view.clock), (false, Some(line.until)));
        fixture::run(&mut app, Act::Play(true));
        assert_eq!(fixture::document(&app).view.clock, Some(line.from), "again from the beginning");
        for _ in 0..60 {
            fixture::run(&mut app, Act::Hop);
        }
        assert!(!fixture::document(&app).view.playing);
    }

    #[test]
    fn the_way_follows_the_clock() {
        let mut app = fixture::studio();
        let whole = overlay::way(fixture::document(&app));
        let at = Instant::parse("2026-10-03T04:00:00Z").expect("an instant");
        fixture::run(&mut app, Act::SetClock(Some(at)));
        let document = fixture::document(&app);
        let part = overlay::way(document);
        assert!(part.nodes.len() < whole.nodes.len() && part.nodes.contains("wait-4h"), "{part:?}");
        assert!(part.nodes.is_subset(&whole.nodes) && part.edges.is_subset(&whole.edges));
        let standing = overlay::standing_at(document, at);
        assert_eq!(standing.keys().map(|id| id.as_str()).collect::<Vec<_>>(), ["wait-4h"]);
        assert!(overlay::standing_at(document, Instant::MIN).is_empty());
    }

    #[test]
    fn ticks_stand_on_round_times_of_the_wall() {
        let zone = when::Manner::default().wall(crate::base::Zone::named("Europe/Berlin").expect("a zone"));
        let at = |text: &str| Instant::parse(text).expect("an instant");
        // The night in which the clock goes back.
        let night = ticks(at("2026-10-24T20:00:00Z"), at("2026-10-25T08:00:00Z"), &zone);
        let labels: Vec<&str> = night.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, ["22:00", "Sun 25 Oct", "02:00", "03:00", "05:00", "07:00", "09:00"]);
        let month = ticks(at("2026-10-01T00:00:00Z"), at("2026-11-15T00:00:00Z"), &zone);
        assert!(month.len() <= 9 && month.iter().all(|tick| tick.is_day), "{month:?}");
    }
}
