//! The oracle: a second, naive interpreter of SEMANTICS, written from the page and not from the code.
//!
//! The one idea: clarity over speed. One contact, everything in plain lists, every question answered by scanning.
//! Deliberately not here: what a replay cannot show (versions R4, population rules R6, drivers R29 and R31, rendering
//! R27), and lateness (R26): wakes come exactly when they are due.

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
    /// Flows that wrote while the input at hand was worked through, with their hops and the lists they joined.
    writers: Vec<(usize, u32, Vec<SmolStr>)>,
    now: Instant,
    rows: Vec<Row>,
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
                self.fire(timer.what);
            } else {
                match self.inputs.remove(0) {
                    Input::Event(event) => self.take_event(event),
                    Input::Change(_, change) => self.take_change(&change),
                    Input::Wake(_) | Input::Control(..) => {}
                }
            }
            // What steps wrote lets others in when all have come to rest: triggers come last (R1, R11).
            while !self.writers.is_empty() {
                let (writer, num_hops, joined) = self.writers.remove(0);
                self.watch(true, Some((writer, num_hops)), &joined);
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

    // ---- triggers --------------------------------------------------------------------------------------------

    fn triggers_see(&mut self, flow: usize, event: &Event) {
        // The first alternative to fire enters (R7).
        let mut fired = false;
        for alternative in 0..self.flows[flow].alternatives.len() {
            let fires = match self.flows[flow].alternatives[alternative].clone() {
                Alternative::Event(trigger) => {
                    let matched = EventMatch { event: trigger.event, filter: trigger.filter };
                    self.matches(flow, &matched, event, Some(event))
                }
                Alternative::Abandonment(trigger) => {
                    self.observe_abandonment(flow, alternative, &trigger, event);
                    false
                }
                Alternative::Engagement(trigger) => {
                    let counted = EventMatch { event: trigger.event.clone(), filter: trigger.filter.clone() };
                    self.matches(flow, &counted, event, Some(event)) && {
                        let from = trigger.within.before(self.now, &self.zone());
                        let value = |e: &Event, path: &Path| e.value(&path.steps);
                        let group = |e: &Event| trigger.same.as_ref().map(|path| value(e, path));
                        let (mut before, mut after) = (0.0_f64, 0.0_f64);
                        for other in &self.log {
                            // What has been accepted has happened, whatever a fast clock says (R2).
                            let inside = other.happened > from;
                            let alike = group(other) == group(event);
                            if !inside || !alike || !self.matches(flow, &counted, other, Some(event)) {
                                continue;
                            }
                            let of = |path: &Path| value(other, path).and_then(|v| v.as_number()).unwrap_or(0.0);
                            let add = |total: f64| match &trigger.measure {
                                MeasureBy::Count => total + 1.0,
                                MeasureBy::Sum(path) => total + of(path),
                                MeasureBy::Max(path) => total.max(of(path)),
                            };
                            after = add(after);
                            if other.id != event.id {
                                before = add(before);
                            }
                        }
                        let unless = self.log.iter().any(|other| {
                            other.happened > from
                                && trigger.unless.iter().any(|m| self.matches(flow, m, other, Some(event)))
                        });
                        before < trigger.at_least && trigger.at_least <= after && !unless
                    }
                }
                ref watched @ (Alternative::Score(_) | Alternative::Segment(_)) => {
                    let after = self.watched_condition(watched).is_some_and(|c| self.known(flow, None).holds(&c));
                    !self.watched.insert((flow, alternative), after).unwrap_or(false) && after
                }
                Alternative::Inactivity(silence) => {
                    if silence.events.contains(&event.name) {
                        let last =
                            self.log.iter().filter(|e| silence.events.contains(&e.name)).map(|e| e.happened).max();
                        let due = silence.after.after(last.unwrap_or(self.now), &self.zone());
                        self.timers.retain(|t| !matches!(t.what, Due::Silence { flow: f, alternative: a } if (f, a) == (flow, alternative)));
                        self.arm(due, Due::Silence { flow, alternative });
                    }
                    false
                }
                Alternative::Date(_) | Alternative::List(_) => false,
            };
            if fires && !fired {
                fired = true;
                let has_event = self.flows[flow].alternatives[alternative].has_event();
                if !has_event {
                    self.enter(flow, alternative, None, 0);
                    continue;
                }
                let latest = self.flows[flow].settings.trigger_latest_age.after(event.happened, &self.zone());
                if event.accepted <= latest {
                    self.enter(flow, alternative, Some(event.clone()), 0);
                }
            }
        }
    }

    fn observe_abandonment(&mut self, flow: usize, alternative: usize, trigger: &Abandonment, event: &Event) {
        let starts = EventMatch { event: trigger.start.clone(), filter: trigger.filter.clone() };
        if !self.matches(flow, &starts, event, Some(event)) {
            return;
        }
        // A B that happened after this A, and came before it, has followed already (R9).
        let followed = self.log.iter().any(|other| {
            other.happened > event.happened && trigger.unless.iter().any(|m| self.matches(flow, m, other, Some(event)))
        });
        if followed || !self.consents(flow) {
            return;
        }
        let key = self.key_of(flow, Some(event));
        let due = trigger.due(event.happened, event.accepted, &self.zone());
        let what = Due::Armed { flow, alternative, key: key.clone(), event: event.clone() };
        // The clock never goes back: an A that happened before the one that armed is not the last (R9).
        let later = |by: &Event| (by.happened, &by.id) > (event.happened, &event.id);
        let same_key = |t: &Timer| matches!(&t.what, Due::Armed { flow: f, alternative: a, key: k, .. } if (*f, *a) == (flow, alternative) && *k == key);
        match trigger.again {
            Again::Add => self.arm(due, what),
            Again::Restart => {
                let by_later = |t: &Timer| same_key(t) && matches!(&t.what, Due::Armed { event: by, .. } if later(by));
                if !self.timers.iter().any(by_later) {
                    self.timers.retain(|t| !same_key(t));
                    self.arm(due, what);
                }
            }
            Again::Keep => match self.timers.iter_mut().find(|t| same_key(t)) {
                // The clock stays; the entry's event is the last A (R9).
                Some(timer) => {
                    if !matches!(&timer.what, Due::Armed { event: by, .. } if later(by)) {
                        timer.what = what;
                    }
                }
                None => self.arm(due, what),
            },
        }
    }

    fn fire(&mut self, what: Due) {
        match what {
            Due::Armed { flow, alternative, event, .. } => self.enter(flow, alternative, Some(event), 0),
            Due::Date { flow, alternative } => {
                self.dates.remove(&(flow, alternative));
                self.fired.insert((flow, alternative), self.zone().local(self.now).date());
                self.arm_dates();
                self.enter(flow, alternative, None, 0);
            }
            Due::Silence { flow, alternative } => self.enter(flow, alternative, None, 0),
            Due::Journey(journey) => match self.journeys[journey].place.clone() {
                Place::Delay { node, .. } => self.leave(journey, &node, "next"),
                Place::Wait { node, pass, .. } => {
                    self.row(journey, &node, pass, "left timed_out".to_owned());
                    self.leave(journey, &node, "timed_out");
                }
                Place::Message { node, pass, reached, capped_since } => {
                    self.try_message(journey, &node, pass, reached, capped_since);
                }
                Place::Moving | Place::Ended => {}
            },
        }
    }

    /// Segments and scores as they are now, and lists just joined; an edge enters if `fire` (R10). `by` is the flow
    /// whose write this is.
    fn watch(&mut self, fire: bool, by: Option<(usize, u32)>, joined: &[SmolStr]) {
        for flow in 0..self.flows.len() {
            let mut fired = false;
            for alternative in 0..self.flows[flow].alternatives.len() {
                let (holds, held) = match &self.flows[flow].alternatives[alternative] {
                    Alternative::List(trigger) => (joined.contains(&trigger.list), false),
                    other => {
                        let Some(condition) = self.watched_condition(other) else { continue };
                        let holds = self.known(flow, None).holds(&condition);
                        (holds, self.watched.insert((flow, alternative), holds).unwrap_or(false))
                    }
                };
                let own_write = by.is_some_and(|(writer, _)| writer == flow);
                if fire && holds && !held && !fired && !own_write {
                    fired = true;
                    self.enter(flow, alternative, None, by.map_or(0, |(_, num_hops)| num_hops + 1));
                }
            }
        }
    }

    /// What is watched for its edge.
    fn watched_condition(&self, alternative: &Alternative) -> Option<Condition> {
        match alternative {
            Alternative::Segment(trigger) => Some(trigger.condition()),
            Alternative::Score(trigger) => Some(trigger.condition()),
            _ => None,
        }
    }

    /// Scores fade below their thresholds in silence.
    fn fade(&mut self) {
        for (flow, alternative) in self.all_alternatives() {
            if let Alternative::Score(trigger) = &self.flows[flow].alternatives[alternative] {
                let holds = self.known(flow, None).holds(&trigger.condition());
                self.watched.insert((flow, alternative), holds);
            }
        }
    }

    /// A date's timer stands for its value; another value re-arms (R10).
    fn arm_dates(&mut self) {
        for (flow, alternative) in self.all_alternatives() {
            let Alternative::Date(trigger) = self.flows[flow].alternatives[alternative].clone() else { continue };
            let value = self.known(flow, None).value(&trigger.property);
            let armed_for = (value.clone(), self.zone().name().to_owned());
            if self.dates.get(&(flow, alternative)) == Some(&armed_for) {
                continue;
            }
            self.dates.insert((flow, alternative), armed_for);
            self.timers
                .retain(|t| !matches!(t.what, Due::Date { flow: f, alternative: a } if (f, a) == (flow, alternative)));
            let zone = self.zone();
            let mut due = value.as_ref().and_then(|value| trigger.next_due(value, self.now, &zone));
            // Never twice (R17): the day has fired, in another zone.
            if let (Some(at), Some(fired)) = (due, self.fired.get(&(flow, alternative)))
                && zone.local(at).date() == *fired
            {
                due = value.and_then(|value| trigger.next_due(&value, at, &zone));
            }
            if let Some(due) = due {
                self.arm(due, Due::Date { flow, alternative });
            }
        }
    }

    fn enter(&mut self, flow: usize, alternative: usize, event: Option<Event>, num_hops: u32) {
        if !self.consents(flow) {
            return;
        }
        let key = self.key_of(flow, event.as_ref());
        let earlier: Vec<usize> = (0..self.journeys.len()).filter(|j| self.journeys[*j].flow == flow).collect();
        let inside = earlier.iter().copied().find(|j| self.inside(*j));
        let entry = Entry { journey: "", at: self.now, event: event.as_ref() };
        let known = self.known(flow, Some(entry));
        let settings = &self.flows[flow].settings;
        let held_already = |when: &Option<flowloom::audience::ConditionText>| {
            when.as_ref().is_some_and(|when| known.holds(when.condition()))
        };
        if held_already(&settings.exit_when) || held_already(&settings.goal_when) {
            return;
        }
        let may = match &settings.reentry {
            Reentry::AfterExit => inside.is_none(),
            Reentry::Once => earlier.is_empty(),
            Reentry::Cooldown(span) => {
                let last = earlier.last().map(|j| self.journeys[*j].entered);
                inside.is_none() && last.is_none_or(|last| self.now >= span.after(last, &self.zone()))
            }
            Reentry::PerKey => !earlier.iter().any(|j| self.journeys[*j].key == key),
            Reentry::Restart => {
                if let Some(running) = inside {
                    self.end(running, "exit restarted");
                }
                true
            }
        };
        if !may {
            return;
        }
        let id = format!("{}/{}/{}", self.contact.id, self.flows[flow].flow.id, earlier.len() + 1);
        let journey = self.journeys.len();
        self.journeys.push(Journey {
            id,
            flow,
            by: alternative,
            key,
            entered: self.now,
            event,
            passes: BTreeMap::new(),
            place: Place::Moving,
            skipping: false,
            last_sent: None,
            num_hops,
            ended: String::new(),
        });
        self.row(journey, "-", 0, "entered".to_owned());
        // Over 5 hops it is held where it came in (R11).
        if let Some(trigger) = self.flows[flow].flow.trigger().filter(|_| num_hops <= 5) {
            self.leave(journey, trigger.id.as_str(), "next");
        }
    }

    // ---- moving ----------------------------------------------------------------------------------------------

    /// Leaves a node by a port and goes on until the journey rests.
    fn leave(&mut self, journey: usize, node: &str, port: &str) {
        let (mut node, mut port) = (node.to_owned(), port.to_owned());
        loop {
            self.journeys[journey].place = Place::Moving;
            let plan = &self.flows[self.journeys[journey].flow];
            let Some(next) = plan.flow.target(&node, &port).map(ToString::to_string) else {
                self.end(journey, "completed");
                return;
            };
            match self.step(journey, &next) {
                Some(left_by) => (node, port) = (next, left_by),
                None => return,
            }
        }
    }

    /// Arrives at a node; the port it leaves by at once, or nothing where it rests or ends there.
    fn step(&mut self, journey: usize, node: &str) -> Option<String> {
        let flow = self.journeys[journey].flow;
        let pass = {
            let passes = self.journeys[journey].passes.entry(node.to_owned()).or_insert(0);
            *passes += 1;
            *passes
        };
        if pass > self.flows[flow].settings.pass_limit {
            self.end(journey, "exit pass_limit");
            return None;
        }
        let document: &'w Flow = self.flows[flow].flow;
        let drawn = document.node(node)?;
        let settings = drawn.settings()?;
        if drawn.muted {
            return Some("next".to_owned());
        }
        let left = |oracle: &mut Self, port: &str| {
            oracle.row(journey, node, pass, format!("left {port}"));
            Some(port.to_owned())
        };
        match settings {
            Settings::Delay(delay) => {
                self.journeys[journey].skipping = false;
                match self.delay_due(journey, delay, self.now) {
                    Ok(due) if due <= self.now => return Some("next".to_owned()),
                    Ok(due) => {
                        self.journeys[journey].place = Place::Delay { node: node.to_owned(), arrived: self.now };
                        self.arm(due, Due::Journey(journey));
                    }
                    Err(Past::Go) => return Some("next".to_owned()),
                    Err(Past::Leave) => self.end(journey, "exit too_late"),
                    Err(Past::Skip) => {
                        self.journeys[journey].skipping = true;
                        return Some("next".to_owned());
                    }
                }
                None
            }
            Settings::WaitForEvent(wait) => {
                self.journeys[journey].skipping = false;
                let since = self.counts_since(journey, wait, self.now);
                let seen = wait.look_back != LookBack::Now
                    && self.log.iter().any(|e| e.happened >= since && self.wait_counts(journey, wait, e));
                if seen {
                    return left(self, "happened");
                }
                self.journeys[journey].place = Place::Wait { node: node.to_owned(), pass, arrived: self.now };
                self.arm(wait.timeout.after(self.now, &self.zone()), Due::Journey(journey));
                None
            }
            Settings::Condition(asked) => {
                let yes = self.known_by(journey).holds(asked.condition.condition());
                left(self, if yes { "yes" } else { "no" })
            }
            Settings::Branch(branch) => {
                let known = self.known_by(journey);
                let arm = branch.arms.iter().find(|arm| known.holds(arm.condition.condition()));
                let port = arm.map_or("else".to_owned(), |arm| arm.name.to_string());
                left(self, &port)
            }
            Settings::Split(split) => {
                let slot = hash::slot(&split.salt, self.contact.id.as_str());
                let arm = split.cumulative().iter().position(|end| slot < *end).unwrap_or(0);
                left(self, &split.arms[arm].name)
            }
            Settings::Cap(rule) => {
                let known = self.known(flow, None);
                let room = !known.in_segment(rule.segment.as_ref()) || self.room_at(flow, rule).is_none();
                left(self, if room { "under" } else { "capped" })
            }
            Settings::Goal(_) | Settings::InternalAlert(_) => Some("next".to_owned()),
            Settings::Webhook(_) => left(self, "done"),
            Settings::Exit(exit) => {
                let reason = if exit.reason.is_empty() { "exit_node" } else { exit.reason.as_str() };
                self.end(journey, &format!("exit {reason}"));
                None
            }
            Settings::Email(_) | Settings::Sms(_) => {
                let here = Place::Message { node: node.to_owned(), pass, reached: self.now, capped_since: None };
                self.journeys[journey].place = here;
                self.try_message(journey, node, pass, self.now, None);
                None
            }
            Settings::UpdateContact(update) => {
                for assignment in &update.set {
                    let name = assignment.property.clone();
                    let value = match &assignment.to {
                        To::Value(value) => Some(value.clone()),
                        To::Copy(path) => match self.known_by(journey).value(path) {
                            Some(value) => Some(value),
                            None => continue,
                        },
                        To::Now => Some(Value::Instant(self.now)),
                        To::Add(more) => {
                            let number = self.contact.properties.get(&name).and_then(Value::as_number).unwrap_or(0.0);
                            Some(Value::Number(number + more))
                        }
                        To::Nothing => None,
                    };
                    match value {
                        Some(value) => drop(self.contact.properties.insert(name, value)),
                        None => drop(self.contact.properties.remove(&name)),
                    }
                }
                self.written(journey, Vec::new())
            }
            Settings::ListUpdate(update) => {
                let joined = update.add.iter().filter(|list| !self.contact.lists.contains(*list)).cloned().collect();
                self.contact.lists.extend(update.add.iter().cloned());
                self.contact.lists.retain(|list| !update.remove.contains(list));
                self.written(journey, joined)
            }
            Settings::Trigger(_) | Settings::Note(_) => None,
        }
    }

    /// After a flow's own write: exits at once (R15), other flows may begin (R11), the journey goes on if it still can.
    fn written(&mut self, journey: usize, joined: Vec<SmolStr>) -> Option<String> {
        self.settle();
        self.arm_dates();
        let writer = (self.journeys[journey].flow, self.journeys[journey].num_hops, joined);
        self.writers.push(writer);
        self.inside(journey).then(|| "next".to_owned())
    }

    fn end(&mut self, journey: usize, how: &str) {
        self.unarm(journey);
        self.journeys[journey].place = Place::Ended;
        self.journeys[journey].ended = how.to_owned();
        self.row(journey, "-", 0, how.to_owned());
    }

    /// When a delay ends, never before its arrival; or what is done about a past or missing date (R16 to R18).
    fn delay_due(&self, journey: usize, delay: &Delay, arrived: Instant) -> Result<Instant, Past> {
        let zone = self.zone();
        let due = match &delay.wait {
            Wait::For(span) => {
                let anchor = if delay.after == Anchor::Entry { self.journeys[journey].entered } else { arrived };
                span.after(anchor, &zone)
            }
            Wait::Until { time, weekdays } => zone.next_time(arrived, *time, *weekdays),
            Wait::Date { property, offset, at, past, latest_age } => {
                let value = self.known_by(journey).value(property).ok_or(*past)?;
                let nine = jiff::civil::Time::constant(9, 0, 0, 0);
                let date = match (&value, at) {
                    (Value::Date(date), _) => zone.instant_of(date.to_datetime(at.map_or(nine, |at| at.0))),
                    (Value::Instant(instant), Some(at)) => {
                        zone.instant_of(zone.local(*instant).date().to_datetime(at.0))
                    }
                    (Value::Instant(instant), None) => *instant,
                    _ => return Err(*past),
                };
                let due = offset.after(date, &zone);
                if latest_age.after(due, &zone) < arrived {
                    return Err(*past);
                }
                due
            }
        };
        let due = due.max(arrived);
        Ok(delay.window.and_then(|window| window.next_open(due, &zone)).unwrap_or(due))
    }

    /// The instant is computed again when the zone changes (R17).
    fn recompute_delays(&mut self) {
        for journey in 0..self.journeys.len() {
            // Quiet hours are others now.
            if matches!(self.journeys[journey].place, Place::Message { .. }) {
                self.unarm(journey);
                self.arm(self.now, Due::Journey(journey));
            }
            if let Place::Wait { node, arrived, .. } = self.journeys[journey].place.clone()
                && let Some(Settings::WaitForEvent(wait)) = self.settings_of(journey, &node)
            {
                let due = wait.timeout.after(arrived, &self.zone());
                self.unarm(journey);
                self.arm(due.max(self.now), Due::Journey(journey));
            }
            let Place::Delay { node, arrived } = self.journeys[journey].place.clone() else { continue };
            let Some(Settings::Delay(delay)) = self.settings_of(journey, &node) else { continue };
            if delay.window.is_none() && matches!(delay.wait, Wait::For(span) if span.is_exact()) {
                continue;
            }
            if let Ok(due) = self.delay_due(journey, delay, arrived) {
                self.unarm(journey);
                self.arm(due.max(self.now), Due::Journey(journey));
            }
        }
    }

    /// From when events count for a wait (R14).
    fn counts_since(&self, journey: usize, wait: &WaitForEvent, arrived: Instant) -> Instant {
        let journey = &self.journeys[journey];
        let entry = journey.event.as_ref().map_or(journey.entered, |event| event.happened);
        match wait.look_back {
            LookBack::Entry => entry,
            LookBack::PreviousMessage => journey.last_sent.unwrap_or(entry),
            LookBack::Now => arrived,
        }
    }

    fn wait_counts(&self, journey: usize, wait: &WaitForEvent, event: &Event) -> bool {
        let matched = EventMatch { event: wait.event.clone(), filter: wait.filter.clone() };
        let entry = self.journeys[journey].event.as_ref();
        let known = self.known_by(journey);
        entry.is_none_or(|entry| entry.id != event.id)
            && matched.event == event.name
            && matched.filter.is_none_or(|f| known.with_event(event).holds(f.condition()))
    }

    // ---- sending ---------------------------------------------------------------------------------------------

    fn try_message(&mut self, journey: usize, node: &str, pass: u32, reached: Instant, capped_since: Option<Instant>) {
        let flow = self.journeys[journey].flow;
        let document: &'w Flow = self.flows[flow].flow;
        let wanted = match document.node(node).and_then(|node| node.settings()) {
            Some(Settings::Email(email)) => Wanted {
                message: email.message.as_str(),
                channel: Channel::Email,
                transactional: email.transactional,
                cooldown: email.cooldown.clone(),
                on_cap: email.on_cap,
                latest_age: email.send_latest_age,
                salt: email.salt.as_ref(),
            },
            Some(Settings::Sms(sms)) => Wanted {
                message: sms.message.as_str(),
                channel: Channel::Sms,
                transactional: false,
                cooldown: sms.cooldown.clone(),
                on_cap: sms.on_cap,
                latest_age: sms.send_latest_age,
                salt: sms.salt.as_ref(),
            },
            _ => return,
        };
        let mut capped_since = capped_since;
        match self.verdict(journey, node, pass, reached, &wanted, &mut capped_since) {
            Verdict::Defer(until) => {
                self.journeys[journey].place = Place::Message { node: node.to_owned(), pass, reached, capped_since };
                self.arm(until, Due::Journey(journey));
            }
            Verdict::Skip(reason) => {
                self.row(journey, node, pass, format!("skipped {reason}"));
                self.leave(journey, node, "next");
            }
            Verdict::End(reason, how) => {
                self.row(journey, node, pass, format!("skipped {reason}"));
                self.end(journey, how);
            }
            Verdict::Go => {
                let variant = self.variant(flow, node, &wanted);
                self.intents.push((journey, node.to_owned(), pass, variant));
                self.sends.push(Send {
                    by: (journey, node.to_owned(), pass),
                    at: self.now,
                    flow,
                    channel: wanted.channel,
                    transactional: wanted.transactional,
                    cooldown: wanted.cooldown.clone(),
                });
                self.journeys[journey].last_sent = Some(self.now);
                self.leave(journey, node, "next");
            }
        }
    }

    /// The second test, just before the transport (R22): what ended the journey since the step stops its message, and
    /// its place is free again (R23).
    fn hand_over(&mut self) {
        for (journey, node, pass, variant) in std::mem::take(&mut self.intents) {
            let stopped = match self.journeys[journey].ended.as_str() {
                "goal" => Some("goal"),
                "exit exit" => Some("exit"),
                "exit no_consent" => Some("no_consent"),
                "exit restarted" => Some("not_in_flow"),
                // What has been turned since the step, also of a journey that came to its end by it.
                _ if self.goal_holds(journey) => Some("goal"),
                _ if self.exit_holds(journey) => Some("exit"),
                _ if !self.consents(self.journeys[journey].flow) => Some("no_consent"),
                _ => None,
            };
            match stopped {
                None => {
                    self.row(journey, &node, pass, format!("sent ok {variant}"));
                    self.respond(journey, &node, pass);
                }
                Some(reason) => {
                    let by = (journey, node.clone(), pass);
                    self.sends.retain(|send| send.by != by);
                    self.row(journey, &node, pass, format!("skipped {reason}"));
                }
            }
        }
    }

    /// The tests in their order (R22).
    fn verdict(
        &self,
        journey: usize,
        node: &str,
        pass: u32,
        reached: Instant,
        wanted: &Wanted<'_>,
        capped_since: &mut Option<Instant>,
    ) -> Verdict {
        let flow = self.journeys[journey].flow;
        let settings = &self.flows[flow].settings;
        let zone = self.zone();
        if self.journeys[journey].skipping {
            return Verdict::Skip("too_late");
        }
        // R28
        let day_ago = self.now.plus_millis(-24 * 3_600_000);
        if self.sends.iter().filter(|send| send.at > day_ago).count() >= 10 {
            return Verdict::Skip("breaker");
        }
        if self.goal_holds(journey) {
            return Verdict::End("goal", "goal");
        }
        if self.exit_holds(journey) {
            return Verdict::End("exit", "exit exit");
        }
        if !may_be_sent(&self.contact, settings, wanted.channel, wanted.transactional) {
            return Verdict::Skip("no_consent");
        }
        if [&self.contact.email, &self.contact.phone].into_iter().flatten().any(|address| self.suppressed(address)) {
            return Verdict::Skip("suppressed");
        }
        // R25
        if let Some(quiet) = settings.quiet_hours.or(self.workspace.quiet_hours)
            && quiet.contains(self.now, &zone)
            && let Some(end) = quiet.next_close(self.now, &zone)
        {
            let key = SendKey { journey: self.journeys[journey].id.as_str().into(), node: node.into(), pass };
            let jitter = hash::jitter_millis(self.flows[flow].flow.id.as_str(), &key.to_string());
            return Verdict::Defer(end.plus_millis(jitter));
        }
        if !wanted.transactional {
            // R23
            let full = self.rules(flow, wanted.channel).into_iter().filter_map(|rule| self.room_at(flow, rule)).min();
            if let Some(room_at) = full {
                match wanted.on_cap {
                    OnCap::Skip => return Verdict::Skip("capped"),
                    OnCap::Leave => return Verdict::End("capped", "exit capped"),
                    OnCap::Wait(most) => {
                        let last = most.after(*capped_since.get_or_insert(self.now), &zone);
                        if self.now >= last {
                            return Verdict::Skip("capped");
                        }
                        return Verdict::Defer(room_at.min(last));
                    }
                }
            }
            // R24
            let mut wait_until = None;
            for send in self.sends.iter().filter(|send| send.channel == wanted.channel) {
                let Some(cooldown) = &send.cooldown else { continue };
                let end = cooldown.lasts.after(send.at, &zone);
                let concerns = cooldown.from == CooldownFrom::All || send.flow != flow;
                if !concerns || self.now >= end {
                    continue;
                }
                match cooldown.on_conflict {
                    OnCooldown::Wait => wait_until = wait_until.max(Some(end)),
                    OnCooldown::Skip => return Verdict::Skip("cooldown"),
                    OnCooldown::Leave => return Verdict::End("cooldown", "exit cooldown"),
                }
            }
            if let Some(end) = wait_until {
                return Verdict::Defer(end);
            }
        }
        if self.now > wanted.latest_age.after(reached, &zone) {
            return Verdict::Skip("too_late");
        }
        Verdict::Go
    }

    /// Of each (channel, scope) the first row whose segment matches, of the workspace and of the flow (R23).
    fn rules(&self, flow: usize, channel: Channel) -> Vec<&CapRule> {
        let known = self.known(flow, None);
        let mut out = Vec::new();
        for rows in [&self.workspace.caps, &self.flows[flow].settings.caps] {
            for scope in [Scope::Workspace, Scope::Flow] {
                let mut rows = rows.iter().filter(|row| row.channel == channel && row.scope == scope);
                out.extend(rows.find(|row| known.in_segment(row.segment.as_ref())));
            }
        }
        out
    }

    /// Nothing where a rule has room for one more; else when the oldest place leaves its window.
    fn room_at(&self, flow: usize, rule: &CapRule) -> Option<Instant> {
        let Limit::AtMost(most) = rule.limit else { return None };
        let zone = self.zone();
        let places: Vec<Instant> = self
            .sends
            .iter()
            .filter(|send| send.channel == rule.channel && !send.transactional)
            .filter(|send| rule.scope == Scope::Workspace || send.flow == flow)
            // At most so long ago; said from the place forwards, so that on a day of 25 hours a place that counts has
            // an instant at which it leaves.
            .filter(|send| rule.within.after(send.at, &zone) > self.now)
            .map(|send| send.at)
            .collect();
        if places.len() < most as usize {
            return None;
        }
        Some(places.into_iter().min().map_or(Instant::MAX, |oldest| rule.within.after(oldest, &zone)))
    }

    fn variant(&self, flow: usize, node: &str, wanted: &Wanted<'_>) -> String {
        let Some(message) = self.flows[flow].flow.message(wanted.message) else { return String::new() };
        let total: u64 = message.variants.iter().map(|variant| u64::from(variant.weight)).sum();
        let salt = wanted.salt.map_or(node, SmolStr::as_str);
        let mut draw = hash::chance(salt, self.contact.id.as_str()).checked_rem(total).unwrap_or(0);
        for variant in &message.variants {
            if draw < u64::from(variant.weight) {
                return variant.id.clone();
            }
            draw -= u64::from(variant.weight);
        }
        message.variants.first().map_or(String::new(), |variant| variant.id.clone())
    }

    /// Fixed responses become events after the hand-over.
    fn respond(&mut self, journey: usize, node: &str, pass: u32) {
        let flow = self.flows[self.journeys[journey].flow].flow;
        for (n, response) in self.responses.iter().enumerate() {
            if response.node.as_str() != node || response.flow.as_ref().is_some_and(|f| *f != flow.id) {
                continue;
            }
            let at = response.after.after(self.now, &self.zone());
            let text = |text: &str| Value::text(text);
            let mut properties = Properties::new();
            properties.insert("journey".into(), text(&self.journeys[journey].id));
            properties.insert("flow".into(), text(flow.id.as_str()));
            properties.insert("node".into(), text(node));
            if let Some(link) = &response.link {
                properties.insert("link".into(), text(link));
            }
            self.inputs.push(Input::Event(Event {
                id: format!("response/{}/{node}/{pass}/{n}", self.journeys[journey].id).as_str().into(),
                contact: self.contact.id.clone(),
                name: response.response.event_name().into(),
                happened: at,
                accepted: at,
                properties,
            }));
        }
        sort(&mut self.inputs);
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
