//! The oracle: a second, naive interpreter of SEMANTICS, written from the page and not from the code.
//!
//! The one idea: clarity over speed. One contact, everything in plain lists, every question answered by scanning. Here
//! stand the state, the loop and what inputs do; triggers, the walk and sending have files of their own.
//! Deliberately not here: what a replay cannot show (versions R4, population rules R6, drivers R29 and R31, rendering
//! R27), and lateness (R26): wakes come exactly when they are due.

mod moving;
mod sending;
mod triggers;
mod truth;

use std::collections::BTreeMap;

use flowloom::{
    audience::{Channel, Condition, ConsentStatus, Contact, Event, Properties, Value, condition::Path},
    base::{Instant, SendKey, Span, Zone, hash},
    flow::{Flow, FlowSettings, Reentry, Workspace},
    kinds::{
        Alternative, CapRule, CooldownFrom, EventMatch, Limit, OnCap, OnCooldown, Settings,
        actions::{Cooldown, update_contact::To},
        logic::{
            cap::Scope,
            delay::{Anchor, Delay, Past, Wait},
            wait_for_event::{LookBack, WaitForEvent},
        },
        triggers::{abandonment::Abandonment, abandonment::Again, engagement::MeasureBy},
    },
};
use smol_str::SmolStr;
use truth::{Entry, Known, may_be_sent, spans_of};

use crate::world::{Change, Input, Row, World};

/// Plays a world and tells what happened, in order. `adopted` is when the flows were published to the contact.
pub fn play(world: &World, adopted: Instant) -> Vec<Row> {
    let mut oracle = Oracle::new(world, adopted);
    oracle.run(world.until);
    oracle.rows
}

struct Oracle<'w> {
    workspace: &'w Workspace,
    /// In order of their ids (R1).
    flows: Vec<Plan<'w>>,
    responses: &'w [flowloom::audience::Response],
    contact: Contact,
    /// In order of acceptance.
    log: Vec<Event>,
    seen: Vec<(String, Instant)>,
    /// Still to come, in order of acceptance, equals by (happened, id) (R2).
    inputs: Vec<Input>,
    timers: Vec<Timer>,
    next_sequence: u64,
    /// In order of entry.
    journeys: Vec<Journey>,
    sends: Vec<Send>,
    /// Intents of the input at hand: journey, node, pass, variant. Handed over when it is through.
    intents: Vec<(usize, String, u32, String)>,
    /// What is watched for edges: (flow, alternative) with the value it had.
    watched: BTreeMap<(usize, usize), bool>,
    /// Values of date properties for which a timer is armed, and the zone in which.
    dates: BTreeMap<(usize, usize), (Option<Value>, String)>,
    /// The day on the wall on which a date last fired.
    fired: BTreeMap<(usize, usize), jiff::civil::Date>,
    /// What flows wrote while the input at hand was worked through.
    writers: Vec<Written>,
    now: Instant,
    rows: Vec<Row>,
}

/// What a flow's step wrote: the flow, its hops, lists joined, and what it turned of what is watched.
struct Written {
    flow: usize,
    num_hops: u32,
    joined: Vec<SmolStr>,
    turned: Vec<(usize, usize)>,
}

struct Plan<'w> {
    flow: &'w Flow,
    settings: FlowSettings,
    alternatives: Vec<Alternative>,
}

struct Journey {
    id: String,
    flow: usize,
    /// The alternative that let the contact in.
    by: usize,
    key: Option<Value>,
    entered: Instant,
    event: Option<Event>,
    passes: BTreeMap<String, u32>,
    place: Place,
    /// Messages are skipped up to the next delay or wait (R18).
    skipping: bool,
    last_sent: Option<Instant>,
    num_hops: u32,
    /// How it ended; empty before.
    ended: String,
}

/// Where a journey rests.
#[derive(Clone)]
enum Place {
    Moving,
    Delay { node: String, arrived: Instant },
    Wait { node: String, pass: u32, arrived: Instant },
    Message { node: String, pass: u32, reached: Instant, capped_since: Option<Instant> },
    Ended,
}

struct Timer {
    due: Instant,
    sequence: u64,
    what: Due,
}

#[derive(Clone)]
enum Due {
    Journey(usize),
    Armed { flow: usize, alternative: usize, key: Option<Value>, event: Event },
    Date { flow: usize, alternative: usize },
    Silence { flow: usize, alternative: usize },
}

struct Send {
    by: (usize, String, u32),
    at: Instant,
    flow: usize,
    channel: Channel,
    transactional: bool,
    cooldown: Option<Cooldown>,
}

/// A message node's settings, e-mail and SMS alike.
struct Wanted<'a> {
    message: &'a str,
    channel: Channel,
    transactional: bool,
    cooldown: Option<Cooldown>,
    on_cap: OnCap,
    latest_age: Span,
    salt: Option<&'a SmolStr>,
}

/// What the tests before a message say (R22).
enum Verdict {
    Go,
    Defer(Instant),
    Skip(&'static str),
    /// Skipped, and the journey ends with it.
    End(&'static str, &'static str),
}

impl<'w> Oracle<'w> {
    fn new(world: &'w World, adopted: Instant) -> Self {
        let mut flows: Vec<Plan<'w>> = Vec::new();
        for flow in &world.flows {
            let alternatives = match flow.trigger().and_then(|node| node.settings()) {
                Some(Settings::Trigger(trigger)) => trigger.any.clone(),
                _ => Vec::new(),
            };
            flows.push(Plan { flow, settings: flow.settings(), alternatives });
        }
        flows.sort_by(|a, b| a.flow.id.cmp(&b.flow.id));
        let mut inputs = world.inputs.clone();
        sort(&mut inputs);
        let mut oracle = Self {
            workspace: &world.workspace,
            flows,
            responses: &world.responses,
            contact: world.contact.clone(),
            log: Vec::new(),
            seen: Vec::new(),
            inputs,
            timers: Vec::new(),
            next_sequence: 0,
            journeys: Vec::new(),
            sends: Vec::new(),
            intents: Vec::new(),
            watched: BTreeMap::new(),
            dates: BTreeMap::new(),
            fired: BTreeMap::new(),
            writers: Vec::new(),
            now: adopted,
            rows: Vec::new(),
        };
        // Adopting arms timers and records baselines without firing (R0).
        oracle.watch(false, None, &[]);
        oracle.arm_dates();
        for (flow, alternative) in oracle.all_alternatives() {
            if let Alternative::Inactivity(silence) = &oracle.flows[flow].alternatives[alternative] {
                let due = silence.after.after(oracle.contact.created_at.unwrap_or(adopted), &oracle.zone());
                if due > adopted {
                    oracle.arm(due, Due::Silence { flow, alternative });
                }
            }
        }
        oracle
    }

    fn run(&mut self, until: Instant) {
        loop {
            let input = self.inputs.first().map(Input::at);
            let timer = self.timers.iter().map(|timer| (timer.due, timer.sequence)).min();
            let turn = self.next_turn();
            // Time alone may turn a condition; then timers; then inputs (R1).
            let next = [turn, timer.map(|(due, _)| due), input].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else { return };
            self.now = next.max(self.now);
            if turn == Some(next) {
                self.settle();
                self.watch(true, None, &[]);
            } else if let Some((due, sequence)) = timer.filter(|(due, _)| *due == next) {
                let found = self.timers.iter().position(|t| (t.due, t.sequence) == (due, sequence)).unwrap();
                let timer = self.timers.remove(found);
                self.fire(due, timer.what);
            } else {
                match self.inputs.remove(0) {
                    Input::Event(event) => self.take_event(event),
                    Input::Change(_, change) => self.take_change(&change),
                    Input::Wake(_) | Input::Control(..) => {}
                }
            }
            // What steps wrote lets others in when all have come to rest: triggers come last (R1, R11).
            while !self.writers.is_empty() {
                let written = self.writers.remove(0);
                self.watch(true, Some(&written), &written.joined);
            }
            // The simulator hands over at the intent's instant (R2), when all timers of that instant have fired (R1).
            let was_timer = turn == Some(next) || timer.is_some_and(|(due, _)| due == next);
            if !was_timer || self.timers.iter().all(|timer| timer.due > self.now) {
                self.hand_over();
            }
        }
    }

    // ---- inputs ----------------------------------------------------------------------------------------------

    fn take_event(&mut self, mut event: Event) {
        // Over 5 min in the future counts as accepted now (R2).
        if event.happened > event.accepted.plus_millis(5 * 60_000) {
            event.happened = event.accepted;
        }
        // A known event id, kept 30 days, is ignored (R2).
        let month = 30 * 24 * 3_600_000;
        if self.seen.iter().any(|(id, at)| id == event.id.as_str() && self.now.since(*at) <= month) {
            return;
        }
        self.seen.push((event.id.to_string(), self.now));
        self.fade();
        self.log.push(event.clone());
        if event.name == "$unsubscribed" {
            let answered = |name: &str| event.properties.get(name).and_then(Value::as_text);
            let plan = self.flows.iter().find(|plan| Some(plan.flow.id.as_str()) == answered("flow"));
            let node = plan.and_then(|plan| plan.flow.node(answered("node")?));
            let is_sms = matches!(node.and_then(|node| node.settings()), Some(Settings::Sms(_)));
            let channel = if is_sms { Channel::Sms } else { Channel::Email };
            self.contact.consent.set(channel, ConsentStatus::Unsubscribed);
        }
        self.settle_by(Some(&event));
        self.waits_see(&event);
        self.disarm_by(&event);
        for flow in 0..self.flows.len() {
            self.triggers_see(flow, &event);
        }
    }

    fn take_change(&mut self, change: &Change) {
        let zone_before = self.zone();
        let mut joined = Vec::new();
        match change {
            Change::Consent(channel, status) => self.contact.consent.set(*channel, *status),
            Change::Zone(name) => self.contact.zone = Some(name.into()),
            Change::Set(name, value) => drop(self.contact.properties.insert(name.into(), value.clone())),
            Change::Unset(name) => drop(self.contact.properties.remove(name.as_str())),
            Change::AddList(list) => {
                if self.contact.lists.insert(list.into()) {
                    joined.push(list.into());
                }
            }
            Change::RemoveList(list) => drop(self.contact.lists.remove(list.as_str())),
        }
        self.settle();
        if self.zone() != zone_before {
            self.recompute_delays();
        }
        self.arm_dates();
        self.watch(true, None, &joined);
    }

    /// Goals, then exits, then disarming (R1, R9, R15).
    fn settle(&mut self) {
        self.settle_by(None);
    }

    fn settle_by(&mut self, event: Option<&Event>) {
        for journey in 0..self.journeys.len() {
            if self.inside(journey) && self.goal_holds(journey) {
                self.end(journey, "goal");
            }
        }
        for journey in 0..self.journeys.len() {
            if !self.inside(journey) {
                continue;
            }
            if !self.consents(self.journeys[journey].flow) {
                self.end(journey, "exit no_consent");
            } else if self.exit_holds(journey) || event.is_some_and(|event| self.is_unless_of(journey, event)) {
                self.end(journey, "exit exit");
            }
        }
        let gone: Vec<u64> =
            self.timers.iter().filter(|timer| self.is_disarmed(&timer.what)).map(|t| t.sequence).collect();
        self.timers.retain(|timer| !gone.contains(&timer.sequence));
    }

    /// An exit condition or loss of consent disarms (R9).
    fn is_disarmed(&self, what: &Due) -> bool {
        let Due::Armed { flow, event, .. } = what else { return false };
        let entry = Entry { journey: "", at: self.now, event: Some(event) };
        let exits = self.flows[*flow].settings.exit_when.as_ref();
        !self.consents(*flow) || exits.is_some_and(|exit| self.known(*flow, Some(entry)).holds(exit.condition()))
    }

    /// An abandonment's B is an exit of the journeys it let in (R15).
    fn is_unless_of(&self, journey: usize, event: &Event) -> bool {
        let journey = &self.journeys[journey];
        match &self.flows[journey.flow].alternatives[journey.by] {
            Alternative::Abandonment(trigger) => {
                let follows = journey.event.as_ref().is_none_or(|a| event.happened >= a.happened);
                follows && trigger.unless.iter().any(|m| self.matches(journey.flow, m, event, journey.event.as_ref()))
            }
            _ => false,
        }
    }

    fn waits_see(&mut self, event: &Event) {
        for journey in 0..self.journeys.len() {
            let Place::Wait { node, pass, arrived } = self.journeys[journey].place.clone() else { continue };
            let Some(Settings::WaitForEvent(wait)) = self.settings_of(journey, &node) else { continue };
            let since = self.counts_since(journey, wait, arrived);
            if self.wait_counts(journey, wait, event) && event.happened >= since {
                self.unarm(journey);
                self.row(journey, &node, pass, "left happened".to_owned());
                self.leave(journey, &node, "happened");
            }
        }
    }

    fn disarm_by(&mut self, event: &Event) {
        let mut gone = Vec::new();
        for timer in &self.timers {
            let Due::Armed { flow, alternative, event: armed_by, .. } = &timer.what else { continue };
            let Alternative::Abandonment(trigger) = &self.flows[*flow].alternatives[*alternative] else { continue };
            let follows = event.happened >= armed_by.happened;
            if follows && trigger.unless.iter().any(|m| self.matches(*flow, m, event, Some(armed_by))) {
                gone.push(timer.sequence);
            }
        }
        self.timers.retain(|timer| !gone.contains(&timer.sequence));
    }

    // ---- small questions -------------------------------------------------------------------------------------

    fn zone(&self) -> Zone {
        let own = self.contact.zone.as_ref().and_then(|name| Zone::named(name).ok());
        own.unwrap_or_else(|| self.workspace.default_zone())
    }

    fn known<'a>(&'a self, flow: usize, entry: Option<Entry<'a>>) -> Known<'a> {
        Known {
            now: self.now,
            zone: self.zone(),
            workspace: self.workspace,
            contact: &self.contact,
            log: &self.log,
            constants: &self.flows[flow].settings.constants,
            entry,
            event: None,
        }
    }

    fn known_by(&self, journey: usize) -> Known<'_> {
        let journey = &self.journeys[journey];
        let entry = Entry { journey: &journey.id, at: journey.entered, event: journey.event.as_ref() };
        self.known(journey.flow, Some(entry))
    }

    fn inside(&self, journey: usize) -> bool {
        !matches!(self.journeys[journey].place, Place::Ended)
    }

    fn consents(&self, flow: usize) -> bool {
        let required = &self.flows[flow].settings.consent;
        required.iter().all(|required| required.allows(self.contact.consent.on(required.channel())))
    }

    fn suppressed(&self, address: &str) -> bool {
        self.workspace.suppression.iter().any(|suppressed| suppressed.eq_ignore_ascii_case(address))
    }

    fn goal_holds(&self, journey: usize) -> bool {
        let when = &self.flows[self.journeys[journey].flow].settings.goal_when;
        when.as_ref().is_some_and(|when| self.known_by(journey).holds(when.condition()))
    }

    fn exit_holds(&self, journey: usize) -> bool {
        let when = &self.flows[self.journeys[journey].flow].settings.exit_when;
        when.as_ref().is_some_and(|when| self.known_by(journey).holds(when.condition()))
    }

    fn settings_of(&self, journey: usize, node: &str) -> Option<&'w Settings> {
        let document: &'w Flow = self.flows[self.journeys[journey].flow].flow;
        document.node(node).and_then(|node| node.settings())
    }

    fn matches(&self, flow: usize, matched: &EventMatch, event: &Event, trigger: Option<&Event>) -> bool {
        let entry = trigger.map(|trigger| Entry { journey: "", at: self.now, event: Some(trigger) });
        let known = self.known(flow, entry);
        matched.event == event.name
            && matched.filter.as_ref().is_none_or(|f| known.with_event(event).holds(f.condition()))
    }

    fn key_of(&self, flow: usize, event: Option<&Event>) -> Option<Value> {
        let path = self.flows[flow].settings.reentry_key.as_ref()?;
        let entry = Entry { journey: "", at: self.now, event };
        let known = self.known(flow, Some(entry));
        event.map_or_else(|| known.value(path), |event| known.with_event(event).value(path))
    }

    fn all_alternatives(&self) -> Vec<(usize, usize)> {
        let count = |flow: usize| self.flows[flow].alternatives.len();
        (0..self.flows.len()).flat_map(|flow| (0..count(flow)).map(move |n| (flow, n))).collect()
    }

    fn arm(&mut self, due: Instant, what: Due) {
        self.next_sequence += 1;
        self.timers.push(Timer { due, sequence: self.next_sequence, what });
    }

    fn unarm(&mut self, journey: usize) {
        self.timers.retain(|timer| !matches!(timer.what, Due::Journey(j) if j == journey));
    }

    fn row(&mut self, journey: usize, node: &str, pass: u32, what: String) {
        let flow = self.flows[self.journeys[journey].flow].flow.id.to_string();
        self.rows.push(Row { at: self.now, flow, node: node.to_owned(), pass, what });
    }

    /// The next instant at which time alone may turn an exit, a goal or a segment.
    fn next_turn(&self) -> Option<Instant> {
        let (mut spans, mut windows) = (Vec::new(), Vec::new());
        for plan in &self.flows {
            for when in [&plan.settings.exit_when, &plan.settings.goal_when].into_iter().flatten() {
                spans_of(when.condition(), &mut spans, &mut windows);
            }
        }
        for segment in self.workspace.segments.values() {
            spans_of(segment.condition(), &mut spans, &mut windows);
        }
        let zone = self.zone();
        let aged = self.log.iter().flat_map(|event| spans.iter().map(|span| span.after(event.happened, &zone)));
        let turned = windows.iter().filter_map(|window| window.next_change(self.now, &zone));
        aged.filter(|at| *at > self.now).chain(turned).min()
    }
}

fn sort(inputs: &mut [Input]) {
    inputs.sort_by_key(|input| match input {
        Input::Event(event) => (event.accepted, event.happened, event.id.to_string()),
        other => (other.at(), other.at(), String::new()),
    });
}
