//! One input, from the due timers to the triggers (SEMANTICS R1), and the walk of a journey from step to step.

use std::{fmt::Write as _, sync::Arc};

use smol_str::{SmolStr, SmolStrBuilder};

use super::{
    flowset::{FlowSet, Version},
    gate::{self, Gate, Sending},
    state::{ContactState, End, Journey, Send, Status, TimerWhat, Waiting},
    trace::{Decision, Effects, Intent, IntentWhat, What},
};
use crate::{
    audience::{Channel, Event, Value},
    base::{FlowId, Instant, JourneyId, SendKey},
    kinds::{
        logic::delay::Past,
        prepared::{Prepared, StepContext},
        runtime::{Change, Delivery, Entry, Outcome, Reason, StepResult},
    },
};

/// Later than this after its due a step counts as late and catches up (SEMANTICS R26); below it a driver was merely
/// busy, and the due instant stands. Source: assumption; an engine under load is seconds late, a closed laptop minutes.
pub const LATE_MILLIS: i64 = 60_000;
/// Steps of all journeys in one input. Source: assumption; only a fault in the core could need more, since loops need
/// a wait (SEMANTICS R20).
const MOST_STEPS: u32 = 100_000;
/// Flows that may trigger each other in a row; the next entry is held at its trigger (SEMANTICS R11).
pub(super) const MOST_HOPS: u32 = 5;

/// The work on one input.
pub(super) struct Run<'a> {
    pub flows: &'a FlowSet,
    pub state: &'a mut ContactState,
    /// The input's instant.
    pub at: Instant,
    /// The instant inside: a timer's due, then the input's.
    pub now: Instant,
    pub effects: &'a mut Effects,
    steps: u32,
    /// Writes of steps that flows have not seen yet.
    writes: Vec<Write>,
}

/// What a step wrote.
struct Write {
    joined: Vec<SmolStr>,
    /// Watched conditions that it turned true: of which flow, which alternative.
    turned: Vec<(FlowId, usize)>,
    /// The flow that wrote, and its hops.
    flow: FlowId,
    hops: u32,
}

impl<'a> Run<'a> {
    pub fn new(flows: &'a FlowSet, state: &'a mut ContactState, at: Instant, effects: &'a mut Effects) -> Self {
        Self { flows, state, at, now: at, effects, steps: 0, writes: Vec::new() }
    }

    // ---- trace -----------------------------------------------------------------------------------------------------

    pub fn tell(&mut self, flow: Option<&FlowId>, what: What) {
        self.effects.trace.push(Decision {
            at: self.now,
            flow: flow.cloned(),
            journey: None,
            node: None,
            pass: 0,
            what,
        });
    }

    #[inline]
    fn tell_at(&mut self, j: usize, version: &Version, what: What) {
        let journey = &self.state.journeys[j];
        let node = journey.node;
        self.effects.trace.push(Decision {
            at: self.now,
            flow: Some(journey.flow.clone()),
            journey: Some(journey.id.clone()),
            node: version.nodes.get(node).map(|n| n.id.clone()),
            pass: journey.pass(node),
            what,
        });
    }

    fn tell_journey(&mut self, j: usize, what: What) {
        let journey = &self.state.journeys[j];
        self.effects.trace.push(Decision {
            at: self.now,
            flow: Some(journey.flow.clone()),
            journey: Some(journey.id.clone()),
            node: None,
            pass: 0,
            what,
        });
    }

    pub fn tell_send(&mut self, key: &SendKey, flow: &FlowId, what: What) {
        self.effects.trace.push(Decision {
            at: self.now,
            flow: Some(flow.clone()),
            journey: Some(key.journey.clone()),
            node: Some(key.node.clone()),
            pass: key.pass,
            what,
        });
    }

    // ---- timers ----------------------------------------------------------------------------------------------------

    /// Intents that nobody handed over while time passed: their journeys' later dues move with them (SEMANTICS R26).
    /// What is `answered` just now has been handed over, late as it was.
    pub fn move_the_late(&mut self, answered: Option<&SendKey>) {
        for n in 0..self.state.sends.len() {
            let send = &self.state.sends[n];
            let late = self.at.since(send.at);
            if send.status != Status::Pending || late <= LATE_MILLIS {
                continue;
            }
            let key = send.key.clone();
            let mut millis = late;
            if answered != Some(&key) {
                // Spread once; a driver that is late again does not push it on for ever.
                millis += if send.late_millis == 0 { gate::jitter(&send.flow, &key) } else { 0 };
                self.state.sends[n].at = self.state.sends[n].at.plus_millis(millis);
            }
            self.state.sends[n].late_millis += millis;
            if let Some(j) = self.state.journeys.iter().position(|journey| journey.id == key.journey) {
                self.shift(j, millis);
            }
        }
    }

    /// Moves the later dues of a journey; local times are computed anew instead.
    pub fn shift(&mut self, j: usize, millis: i64) {
        let journey = &mut self.state.journeys[j];
        if journey.ended.is_some() {
            return;
        }
        journey.shift_millis += millis;
        let id = journey.id.clone();
        let Some(version) = self.flows.versions.get(&journey.version) else { return };
        let is_local = matches!(
            version.nodes.get(journey.node).map(|n| &n.prepared),
            Some(Prepared::Delay(delay)) if delay.is_local()
        );
        let moved = match journey.waiting {
            Waiting::Until(at) if !is_local => Some(Waiting::Until(at.plus_millis(millis))),
            Waiting::Event(at) => Some(Waiting::Event(at.plus_millis(millis))),
            _ => None,
        };
        if let Some(waiting) = moved {
            journey.waiting = waiting;
            let due = waiting.due();
            self.state.disarm(&TimerWhat::Step(id.clone()));
            if let Some(due) = due {
                self.state.arm(due, TimerWhat::Step(id));
            }
        }
        let was = self.now;
        self.now = self.at;
        self.tell_journey(j, What::Moved { millis });
        self.now = was;
    }

    /// Fires every timer up to the input's instant, in (due, sequence) order.
    pub fn fire_timers(&mut self) {
        while self.state.timers.last().is_some_and(|timer| timer.due <= self.at) && self.steps < MOST_STEPS {
            let Some(timer) = self.state.timers.pop() else { break };
            self.steps += 1;
            self.now = timer.due.max(self.state.now);
            let told = self.effects.trace.len();
            match timer.what {
                TimerWhat::Step(id) => self.wake_step(&id),
                TimerWhat::Recheck(id) => {
                    if let Some(j) = self.active(&id) {
                        self.test_conditions(j, self.now);
                        self.schedule_recheck(j);
                    }
                }
                TimerWhat::Trigger(key) => self.fire_armed(key, timer.due),
                TimerWhat::Watch(flow, alternative) => {
                    self.test_watch(&flow, alternative, None, 0, true);
                }
            }
            self.see_writes();
            if self.effects.trace.len() > told {
                self.state.decided = self.now;
            }
        }
        self.now = self.at;
    }

    pub fn active(&self, id: &JourneyId) -> Option<usize> {
        self.state.journeys.iter().position(|journey| journey.id == *id && journey.is_active())
    }

    pub fn version_of(&self, j: usize) -> Option<&'a Arc<Version>> {
        self.flows.versions.get(&self.state.journeys[j].version)
    }

    fn wake_step(&mut self, id: &JourneyId) {
        let Some(j) = self.active(id) else { return };
        let Some(version) = self.version_of(j) else {
            self.state.journeys[j].waiting = Waiting::Held(Reason::Fault);
            let detail = "its version is not there".to_owned();
            self.tell_journey(j, What::Held { reason: Reason::Fault, detail });
            return;
        };
        let node = self.state.journeys[j].node;
        if self.is_frozen(&self.state.journeys[j].flow) {
            return;
        }
        match self.state.journeys[j].waiting {
            Waiting::Until(_) => self.leave(j, version, node, 0),
            Waiting::Event(_) | Waiting::Answer(_) => self.leave(j, version, node, 1),
            Waiting::Retry(_) => {
                if let Some(port) = self.try_message(j, version, node) {
                    self.leave(j, version, node, port);
                }
            }
            Waiting::No | Waiting::Held(_) => {}
        }
    }

    fn is_frozen(&self, flow: &FlowId) -> bool {
        self.state.live_of(flow).and_then(|live| live.paused.as_ref()).is_some_and(|pause| pause.freeze)
    }

    // ---- the walk --------------------------------------------------------------------------------------------------

    /// Leaves a node by a port and walks on until the journey waits or ends.
    pub fn leave(&mut self, j: usize, version: &Arc<Version>, node: usize, port: usize) {
        let next = self.leave_one(j, version, node, port);
        self.walk(j, version, next);
    }

    fn leave_one(&mut self, j: usize, version: &Version, node: usize, port: usize) -> Option<usize> {
        self.state.journeys[j].waiting = Waiting::No;
        let (name, to) = version.nodes[node].ports.get(port).cloned().unwrap_or((SmolStr::new_static("next"), None));
        self.tell_at(j, version, What::Left { port: name });
        to
    }

    /// Walks from a node until the journey waits or ends.
    pub fn walk(&mut self, j: usize, version: &Arc<Version>, mut next: Option<usize>) {
        while self.state.journeys[j].is_active() {
            let Some(node) = next else {
                self.end(j, End::Completed);
                return;
            };
            self.steps += 1;
            let now = self.now;
            let journey = &mut self.state.journeys[j];
            journey.node = node;
            journey.arrived = now;
            journey.since = None;
            let pass = journey.count_pass(node);
            if pass > version.settings.pass_limit || self.steps >= MOST_STEPS {
                self.end(j, End::PassLimit);
                return;
            }
            self.tell_at(j, version, What::Arrived);
            let run = &version.nodes[node];
            if run.muted && run.ports.len() == 1 {
                next = self.leave_one(j, version, node, 0);
                continue;
            }
            if matches!(run.prepared, Prepared::Fault) {
                self.hold(j, version, Reason::Fault, "the step cannot be read");
                return;
            }
            if matches!(run.prepared, Prepared::Delay(_) | Prepared::WaitForEvent { .. }) {
                self.state.journeys[j].skip_messages = false;
            }
            let result = self.ask_step(j, version, node);
            let port = match result {
                StepResult::Leave(port) => {
                    if matches!(run.prepared, Prepared::Split(..)) {
                        let arms = &mut self.state.journeys[j].arms;
                        if !arms.iter().any(|(n, _)| *n == node) {
                            arms.push((node, port));
                        }
                    }
                    port
                }
                StepResult::Sleep(until) if until <= self.now => 0,
                StepResult::Sleep(until) => return self.wait(j, version, Waiting::Until(until)),
                StepResult::Listen(until) if until <= self.now => 1,
                StepResult::Listen(until) => return self.wait(j, version, Waiting::Event(until)),
                StepResult::Call(until) => {
                    self.intend(j, version, node, IntentWhat::Webhook);
                    return self.wait(j, version, Waiting::Answer(until));
                }
                StepResult::Alert => {
                    self.intend(j, version, node, IntentWhat::Alert);
                    0
                }
                StepResult::Past(Past::Go) => 0,
                StepResult::Past(Past::Leave) => return self.end(j, End::Left(Reason::TooLate)),
                StepResult::Past(Past::Skip) => {
                    self.state.journeys[j].skip_messages = true;
                    0
                }
                StepResult::Send => match self.try_message(j, version, node) {
                    Some(port) => port,
                    None => return,
                },
                StepResult::Write(change) => {
                    let names = change.set.iter().map(|(name, _)| name.clone());
                    let lists = change.lists_add.iter().chain(&change.lists_remove).cloned();
                    self.tell_at(j, version, What::Wrote { names: names.chain(lists).collect() });
                    // The profile is current for the next step; flows see the write when the journey waits or ends.
                    let before = self.watched();
                    let joined = self.apply_change(&change);
                    let turned = self.turned_since(before);
                    let journey = &self.state.journeys[j];
                    self.writes.push(Write { joined, turned, flow: journey.flow.clone(), hops: journey.hops });
                    // Goals and exits see it at once (SEMANTICS R15), this journey's own too.
                    self.settle_journeys(None);
                    if !self.state.journeys[j].is_active() {
                        return;
                    }
                    0
                }
                StepResult::Goal(name) => {
                    self.tell_at(j, version, What::Goal { name });
                    0
                }
                StepResult::End(reason) => return self.end(j, End::ExitNode(reason)),
            };
            next = self.leave_one(j, version, node, port);
        }
    }

    fn ask_step(&self, j: usize, version: &Version, node: usize) -> StepResult {
        let journey = &self.state.journeys[j];
        let run = &version.nodes[node];
        let has_room = match &run.prepared {
            Prepared::Cap(rule, segment) => {
                let facts = self.state.facts(self.flows, self.now, Some(journey.entry()));
                segment.as_ref().is_some_and(|segment| !segment.eval(&facts).is_yes())
                    || gate::full_until(self.flows, self.state, rule, &journey.flow, None, self.now).is_none()
            }
            _ => true,
        };
        let winner = match &run.prepared {
            Prepared::Split(split, _) if !self.state.winners.is_empty() => {
                let arm = self.state.winners.get(&(journey.flow.clone(), run.id.clone()));
                arm.and_then(|arm| split.arms.iter().position(|a| a.name == *arm))
            }
            _ => None,
        };
        run.prepared.step(&StepContext {
            facts: self.state.facts(self.flows, self.now, Some(journey.entry())),
            arrived: journey.arrived,
            entry_at: journey.entered.plus_millis(journey.shift_millis),
            previous_message: journey.last_message,
            stored_arm: journey.arms.iter().find(|(n, _)| *n == node).map(|(_, arm)| *arm),
            winner,
            has_room,
        })
    }

    pub fn wait(&mut self, j: usize, version: &Version, waiting: Waiting) {
        self.state.journeys[j].waiting = waiting;
        let id = self.state.journeys[j].id.clone();
        if let Some(until) = waiting.due() {
            self.state.arm(until, TimerWhat::Step(id));
            self.tell_at(j, version, What::Waiting { until });
        }
    }

    fn hold(&mut self, j: usize, version: &Version, reason: Reason, detail: &str) {
        self.state.journeys[j].waiting = Waiting::Held(reason);
        self.tell_at(j, version, What::Held { reason, detail: detail.to_owned() });
    }

    fn intend(&mut self, j: usize, version: &Version, node: usize, what: IntentWhat) {
        let journey = &self.state.journeys[j];
        let key =
            SendKey { journey: journey.id.clone(), node: version.nodes[node].id.clone(), pass: journey.pass(node) };
        self.effects.intents.push(Intent { key, flow: journey.flow.clone(), at: self.now, what });
    }

    /// Ends a journey; what was intended stays, to be stopped at the hand-over where the end says so.
    pub fn end(&mut self, j: usize, end: End) {
        let now = self.now;
        let journey = &mut self.state.journeys[j];
        if journey.ended.is_some() {
            return;
        }
        journey.waiting = Waiting::No;
        let how = SmolStr::new(end.name());
        journey.ended = Some((now, end));
        let id = journey.id.clone();
        self.state.disarm(&TimerWhat::Step(id.clone()));
        self.state.disarm(&TimerWhat::Recheck(id));
        self.tell_journey(j, What::Ended { how });
    }

    // ---- messages --------------------------------------------------------------------------------------------------

    /// Tries the message of the node the journey stands at; the port to leave by, or `None` where it stays or ended.
    pub fn try_message(&mut self, j: usize, version: &Arc<Version>, node: usize) -> Option<usize> {
        let run = &version.nodes[node];
        let (channel, transactional, on_cap, latest_age, cooldown, salt) = match &run.prepared {
            Prepared::Email(e) => {
                (Channel::Email, e.transactional, e.on_cap, e.send_latest_age, e.cooldown.as_ref(), e.salt.as_ref())
            }
            Prepared::Sms(s) => {
                (Channel::Sms, false, s.on_cap, s.send_latest_age, s.cooldown.as_ref(), s.salt.as_ref())
            }
            _ => return Some(0),
        };
        let flow = self.state.journeys[j].flow.clone();
        let key = {
            let journey = &self.state.journeys[j];
            SendKey { journey: journey.id.clone(), node: run.id.clone(), pass: journey.pass(node) }
        };
        let message = run.message.as_deref();
        let salt = salt.map_or(run.id.as_str(), SmolStr::as_str);
        let variant = message.map_or(0, |m| m.variant_of(salt, &self.state.contact));
        let variant_id = message.and_then(|m| m.variants.get(variant)).map_or_else(SmolStr::default, |v| v.id.clone());
        if self.state.journeys[j].skip_messages {
            let detail = "a date it depends on is past".to_owned();
            self.settle(j, version, Outcome::Skipped, Reason::TooLate, variant_id, detail);
            return Some(0);
        }
        let late = self.at.since(self.now);
        // What was due when the state was brought back from a copy may have left before.
        let is_overdue = self.state.restored.is_some_and(|until| self.now <= until);
        if late > LATE_MILLIS || is_overdue {
            let zone = self.state.zone(self.flows);
            if is_overdue || latest_age.after(self.now, zone) < self.at {
                self.state.journeys[j].since = Some(self.now);
                self.now = self.at;
                self.settle(j, version, Outcome::Held, Reason::TooLate, variant_id, String::new());
                self.state.journeys[j].waiting = Waiting::Held(Reason::TooLate);
                return None;
            }
            // The jitter spreads what was due while nobody worked. Whoever waited for it already and finds the driver
            // late again is tried at this very instant, in its turn among the timers: else a driver that is always late
            // would never send it.
            let is_spread = self.state.journeys[j].since == Some(self.now);
            let millis = late + if is_spread { 0 } else { gate::jitter(&flow, &key) };
            let until = self.now.plus_millis(millis);
            self.shift(j, millis);
            self.state.journeys[j].since = Some(until);
            self.retry_at(j, version, until, Reason::TooLate);
            return None;
        }
        let now = self.now;
        let since = *self.state.journeys[j].since.get_or_insert(now);
        let sending = Sending {
            key: &key,
            flow: &flow,
            channel,
            transactional,
            on_cap,
            latest_age,
            message,
            variant,
            since,
            late: 0,
            at_hand_over: false,
        };
        match gate::ask(self.flows, version, self.state, Some(&self.state.journeys[j]), &sending, self.now) {
            Gate::Go => {
                let message_id = message.map(|m| m.message.id.clone()).unwrap_or_else(|| "".into());
                self.state.sends.push(Send {
                    key: key.clone(),
                    flow: flow.clone(),
                    channel,
                    at: now,
                    since,
                    status: Status::Pending,
                    message: (message_id.clone(), variant_id.clone()),
                    transactional,
                    cooldown: cooldown.cloned(),
                    latest_age,
                    late_millis: 0,
                    node,
                    version: version.hash,
                });
                self.state.journeys[j].last_message = Some(now);
                self.tell_at(j, version, What::Go { message: message_id.clone(), variant: variant_id.clone() });
                let what = IntentWhat::Message { channel, message: message_id, variant: variant_id };
                self.effects.intents.push(Intent { key, flow, at: now, what });
                Some(0)
            }
            Gate::Defer(until, reason) => {
                self.retry_at(j, version, until, reason);
                None
            }
            Gate::Stop(Outcome::Held, reason, detail) => {
                self.settle(j, version, Outcome::Held, reason, variant_id, detail);
                self.state.journeys[j].waiting = Waiting::Held(reason);
                None
            }
            Gate::Stop(outcome, reason, detail) => {
                self.settle(j, version, outcome, reason, variant_id, detail);
                match reason {
                    Reason::Goal => self.convert(j, self.now),
                    Reason::Exit => self.end(j, End::Exit),
                    _ => return Some(0),
                }
                None
            }
            Gate::Leave(reason) => {
                self.settle(j, version, Outcome::Skipped, reason, variant_id, String::new());
                self.end(j, End::Left(reason));
                None
            }
        }
    }

    fn settle(
        &mut self,
        j: usize,
        version: &Version,
        outcome: Outcome,
        reason: Reason,
        variant: SmolStr,
        detail: String,
    ) {
        self.tell_at(j, version, What::Outcome { outcome, reason, variant, detail });
    }

    fn retry_at(&mut self, j: usize, version: &Version, until: Instant, reason: Reason) {
        // A rule that points at this very instant would spin; a millisecond later it is asked again.
        let until = until.max(self.now.plus_millis(1));
        self.state.journeys[j].waiting = Waiting::Retry(until);
        let id = self.state.journeys[j].id.clone();
        if until < Instant::MAX {
            self.state.arm(until, TimerWhat::Step(id));
        }
        self.tell_at(j, version, What::Deferred { until, reason });
    }

    /// What became of an intent (SEMANTICS R21).
    pub fn delivered(&mut self, key: &SendKey, result: &Delivery) {
        let is_asked = |journey: &Journey| matches!(journey.waiting, Waiting::Answer(_)) && journey.id == key.journey;
        if let Some(j) = self.state.journeys.iter().position(is_asked)
            && let Some(version) = self.version_of(j)
        {
            let node = self.state.journeys[j].node;
            if version.nodes[node].id == key.node && self.state.journeys[j].pass(node) == key.pass {
                let port = usize::from(!matches!(result, Delivery::Sent));
                let id = self.state.journeys[j].id.clone();
                self.state.disarm(&TimerWhat::Step(id));
                self.leave(j, version, node, port);
                return;
            }
        }
        let Some(n) = self.state.sends.iter().rposition(|send| send.key == *key) else { return };
        let now = self.now;
        if !matches!(self.state.sends[n].status, Status::Pending | Status::Held(_)) {
            return;
        }
        // The driver hears only what to do; why, and what follows for the journey, is asked again here.
        let why = match result {
            Delivery::Deferred { .. } | Delivery::Skipped(Reason::Capped | Reason::Cooldown) => {
                super::ask_gate(self.flows, self.state, &self.state.sends[n], now)
            }
            _ => Gate::Go,
        };
        let send = &mut self.state.sends[n];
        let flow = send.flow.clone();
        let variant = send.message.1.clone();
        let told = |outcome, reason| What::Outcome { outcome, reason, variant: variant.clone(), detail: String::new() };
        let what = match result {
            Delivery::Sent => {
                send.status = Status::Sent;
                send.at = now;
                told(Outcome::Sent, Reason::Ok)
            }
            Delivery::Skipped(reason) => {
                send.status = Status::Released;
                told(Outcome::Skipped, *reason)
            }
            Delivery::Refused(reason) => {
                send.status = Status::Released;
                told(Outcome::Refused, *reason)
            }
            Delivery::Held(reason) => {
                send.status = Status::Held(*reason);
                told(Outcome::Held, *reason)
            }
            Delivery::Unknown => {
                send.status = Status::Unknown;
                // When it left nobody knows: not after now.
                send.at = now;
                told(Outcome::Unknown, Reason::NoAnswer)
            }
            Delivery::Deferred { until } => {
                send.at = *until;
                let reason = if let Gate::Defer(_, reason) = why { reason } else { Reason::TooLate };
                What::Deferred { until: *until, reason }
            }
        };
        let is_free = !self.state.sends[n].counts() && !self.state.sends[n].transactional;
        self.tell_send(key, &flow, what);
        if is_free {
            self.wake_waiters();
        }
        if let (Gate::Leave(reason), Delivery::Skipped(_)) = (why, result)
            && let Some(j) = self.active(&key.journey)
        {
            self.end(j, End::Left(reason));
        }
    }

    // ---- events and profile ----------------------------------------------------------------------------------------

    /// Goals, exits, waits, in the order of entry (SEMANTICS R1); `event` is what has just been recorded.
    pub fn settle_journeys(&mut self, event: Option<&Arc<Event>>) {
        let happened = event.map_or(self.now, |event| event.happened);
        for goals in [true, false] {
            for j in 0..self.state.journeys.len() {
                if goals { self.test_goal(j, happened) } else { self.test_exit(j, event) }
            }
        }
        let Some(event) = event else { return };
        for j in 0..self.state.journeys.len() {
            self.test_wait(j, event);
        }
    }

    fn test_goal(&mut self, j: usize, happened: Instant) {
        let journey = &self.state.journeys[j];
        let Some(version) = self.flows.versions.get(&journey.version) else { return };
        let Some(goal) = &version.goal else { return };
        if journey.converted.is_some() {
            return;
        }
        let facts = self.state.facts(self.flows, self.now, Some(journey.entry()));
        if !goal.eval(&facts).is_yes() {
            return;
        }
        // After its end it leaves a purchase to a later journey of the flow that has the same goal by it: one purchase
        // converts once, also after a restart.
        let flow = &journey.flow;
        let is_left = !journey.is_active()
            && (j + 1..self.state.journeys.len())
                .any(|later| self.state.journeys[later].flow == *flow && self.goal_holds(later));
        if !is_left {
            self.convert(j, happened);
        }
    }

    fn goal_holds(&self, j: usize) -> bool {
        let journey = &self.state.journeys[j];
        let goal = self.flows.versions.get(&journey.version).and_then(|version| version.goal.as_ref());
        goal.is_some_and(|goal| goal.eval(&self.state.facts(self.flows, self.now, Some(journey.entry()))).is_yes())
    }

    /// Credits a conversion and ends the journey (SEMANTICS R15).
    fn convert(&mut self, j: usize, happened: Instant) {
        let journey = &self.state.journeys[j];
        let Some(version) = self.flows.versions.get(&journey.version) else { return };
        let from = version.settings.conversion_window.before(happened, self.state.zone(self.flows));
        // A message of an earlier journey counts where that one leaves the purchase to this one.
        let is_meant = |send: &&Send| {
            let of = |(n, other): (usize, &Journey)| (other.id == send.key.journey).then_some(n);
            send.key.journey == journey.id
                || send.flow == journey.flow
                    && self.state.journeys[..j]
                        .iter()
                        .enumerate()
                        .find_map(of)
                        .is_some_and(|n| !self.state.journeys[n].is_active() && self.goal_holds(n))
        };
        let credited = self.state.sends.iter().rev().filter(|send| {
            matches!(send.status, Status::Sent | Status::Unknown) && send.at <= happened && send.at >= from
        });
        let credited = credited.filter(is_meant).max_by_key(|send| send.key.journey == journey.id);
        let credited_to = credited.map(|send| send.key.clone());
        let ended = journey.ended.is_some();
        // After its end a journey converts only through a message.
        if ended && credited_to.is_none() {
            return;
        }
        self.state.journeys[j].converted = Some(happened);
        self.tell_journey(j, What::Converted { credited_to, happened });
        self.end(j, End::Goal);
    }

    fn test_exit(&mut self, j: usize, event: Option<&Arc<Event>>) {
        let journey = &self.state.journeys[j];
        if !journey.is_active() {
            return;
        }
        let Some(version) = self.flows.versions.get(&journey.version) else { return };
        let facts = self.state.facts(self.flows, self.now, Some(journey.entry()));
        if version.exit.as_ref().is_some_and(|exit| exit.eval(&facts).is_yes()) {
            return self.end(j, End::Exit);
        }
        if let Some(event) = event
            && let Some(super::flowset::PreparedTrigger::Abandonment { unless, .. }) =
                version.alternatives.get(journey.alternative)
            && event.happened >= facts.entry.map_or(journey.entered, |entry| entry.since())
            && unless.iter().any(|m| m.is(event, &facts))
        {
            return self.end(j, End::Exit);
        }
        let consent = &self.state.contact.consent;
        if !version.settings.consent.iter().all(|required| required.allows(consent.on(required.channel()))) {
            self.end(j, End::Consent);
        }
    }

    pub fn test_wait(&mut self, j: usize, event: &Arc<Event>) {
        let journey = &self.state.journeys[j];
        let Waiting::Event(_) = journey.waiting else { return };
        let Some(version) = self.version_of(j) else { return };
        let node = journey.node;
        let Prepared::WaitForEvent { wanted, look_back, .. } = &version.nodes[node].prepared else { return };
        let facts = self.state.facts(self.flows, self.now, Some(journey.entry()));
        use crate::kinds::LookBack;
        let since = match look_back {
            LookBack::Entry => journey.entry().since(),
            LookBack::PreviousMessage => journey.last_message.unwrap_or_else(|| journey.entry().since()),
            LookBack::Now => journey.arrived,
        };
        let is_own = journey.event.as_ref().is_some_and(|own| own.id == event.id);
        if event.happened >= since && !is_own && wanted.is(event, &facts) && !self.is_frozen(&journey.flow) {
            let id = journey.id.clone();
            self.state.disarm(&TimerWhat::Step(id));
            self.leave(j, version, node, 0);
        }
    }

    fn test_conditions(&mut self, j: usize, happened: Instant) {
        self.test_goal(j, happened);
        self.test_exit(j, None);
    }

    /// Arms the instant at which time alone may turn the goal or exit condition (SEMANTICS R5).
    pub fn schedule_recheck(&mut self, j: usize) {
        let journey = &self.state.journeys[j];
        if !journey.is_active() {
            return;
        }
        let Some(version) = self.flows.versions.get(&journey.version) else { return };
        if version.exit.is_none() && version.goal.is_none() {
            return;
        }
        let facts = self.state.facts(self.flows, self.now, Some(journey.entry()));
        let next = [&version.goal, &version.exit].into_iter().flatten().filter_map(|c| c.next_change(&facts)).min();
        let what = TimerWhat::Recheck(journey.id.clone());
        self.state.disarm(&what);
        if let Some(at) = next {
            self.state.arm(at, what);
        }
    }

    pub fn schedule_rechecks(&mut self) {
        for j in 0..self.state.journeys.len() {
            self.schedule_recheck(j);
        }
    }

    /// A change of the profile from outside.
    pub fn change(&mut self, change: &Change) {
        let joined = self.apply_change(change);
        self.profile_changed(&joined, &[], None);
    }

    /// What follows a change of the profile; `writer` is the flow whose step made it, with its hops.
    fn profile_changed(&mut self, joined: &[SmolStr], turned: &[(FlowId, usize)], writer: Option<(&FlowId, u32)>) {
        self.settle_journeys(None);
        self.profile_triggers(joined, turned, writer);
        self.schedule_rechecks();
    }

    /// Applies a change to the profile; the lists that were joined.
    fn apply_change(&mut self, change: &Change) -> Vec<SmolStr> {
        let contact = &mut self.state.contact;
        for (name, value) in &change.set {
            match value {
                Some(value) => contact.properties.insert(name.clone(), value.clone()),
                None => contact.properties.remove(name),
            };
        }
        for (channel, status) in &change.consent {
            contact.consent.set(*channel, *status);
        }
        let joined: Vec<SmolStr> =
            change.lists_add.iter().filter(|list| contact.lists.insert((*list).clone())).cloned().collect();
        for list in &change.lists_remove {
            contact.lists.remove(list);
        }
        contact.email = change.email.clone().or(contact.email.take());
        contact.phone = change.phone.clone().or(contact.phone.take());
        contact.language = change.language.clone().or(contact.language.take());
        if let Some(suppressed) = change.suppressed {
            self.state.suppressed = suppressed;
        }
        if let Some(zone) = &change.zone {
            let before = self.state.zone(self.flows).clone();
            self.state.contact.zone = Some(zone.clone());
            self.state.zone = crate::base::Zone::named(zone).ok();
            self.recompute_local_waits(&before);
        }
        joined
    }

    /// Lets flows see what steps wrote (SEMANTICS R11).
    pub fn see_writes(&mut self) {
        while !self.writes.is_empty() {
            let write = self.writes.remove(0);
            self.steps += 1;
            if self.steps >= MOST_STEPS {
                self.writes.clear();
                return;
            }
            self.profile_changed(&write.joined, &write.turned, Some((&write.flow, write.hops)));
        }
    }

    // ---- entries ---------------------------------------------------------------------------------------------------

    /// Lets the contact in, unless a rule speaks against it; whether a journey began.
    pub fn enter(&mut self, version: &Arc<Version>, entry: Entry) -> bool {
        let alternative = entry.alternative;
        if let Some(why) = self.refusal(version, &entry) {
            self.tell(Some(&version.flow), What::NotEntered { alternative, why: SmolStr::new_static(why) });
            return false;
        }
        let past = self.state.past_of_mut(&version.flow);
        past.entries += 1;
        past.last_entry = Some(self.now);
        past.keys.insert(entry.key.clone());
        let nth = past.entries;
        let mut id = SmolStrBuilder::new();
        for part in [self.state.contact.id.as_str(), "/", version.flow.as_str(), "/"] {
            id.push_str(part);
        }
        // Into memory: never fails.
        let _ = write!(id, "{nth}");
        let id = JourneyId::new(id.finish());
        self.forget_old_journeys();
        // Most contacts are never in two.
        if self.state.journeys.capacity() == 0 {
            self.state.journeys.reserve_exact(1);
        }
        self.state.journeys.push(Journey {
            id,
            flow: version.flow.clone(),
            version: version.hash,
            alternative,
            event: entry.event,
            entered: self.now,
            key: entry.key.clone(),
            node: version.trigger.unwrap_or(0),
            waiting: Waiting::No,
            ended: None,
            converted: None,
            arrived: self.now,
            shift_millis: 0,
            passes: Vec::with_capacity(version.nodes.len().min(8)),
            arms: Vec::new(),
            skip_messages: false,
            hops: entry.hops,
            last_message: None,
            since: None,
        });
        let j = self.state.journeys.len() - 1;
        self.tell_journey(j, What::Entered { alternative, key: entry.key });
        if entry.hops > MOST_HOPS {
            self.hold(j, version, Reason::Fault, "flows trigger each other in a circle");
        } else {
            self.walk(j, version, version.start);
        }
        self.schedule_recheck(j);
        true
    }

    fn refusal(&mut self, version: &Arc<Version>, entry: &Entry) -> Option<&'static str> {
        use crate::flow::Reentry;
        if self.state.live_of(&version.flow).is_none_or(|live| live.draining) {
            return Some("the flow lets nobody in any more");
        }
        let consent = &self.state.contact.consent;
        if !version.settings.consent.iter().all(|required| required.allows(consent.on(required.channel()))) {
            return Some("no consent");
        }
        if version.exit.is_some() || version.goal.is_some() {
            let id = JourneyId::new("");
            let entry =
                crate::audience::condition::EntryFacts { journey: &id, at: self.now, event: entry.event.as_deref() };
            let facts = self.state.facts(self.flows, self.now, Some(entry));
            if version.goal.as_ref().is_some_and(|goal| goal.eval(&facts).is_yes()) {
                return Some("the goal is reached already");
            }
            if version.exit.as_ref().is_some_and(|exit| exit.eval(&facts).is_yes()) {
                return Some("the exit condition holds already");
            }
        }
        let inside: Vec<usize> = (0..self.state.journeys.len())
            .filter(|j| self.state.journeys[*j].flow == version.flow && self.state.journeys[*j].is_active())
            .collect();
        let past = self.state.past_of(&version.flow);
        match &version.settings.reentry {
            Reentry::AfterExit => (!inside.is_empty()).then_some("inside already"),
            Reentry::Once => past.is_some_and(|past| past.entries > 0).then_some("entered before"),
            Reentry::Cooldown(span) => {
                if !inside.is_empty() {
                    return Some("inside already");
                }
                let last = past.and_then(|past| past.last_entry)?;
                (span.after(last, self.state.zone(self.flows)) > self.now).then_some("entered too short a time ago")
            }
            // No key is a key of its own (SEMANTICS R9).
            Reentry::PerKey => {
                past.is_some_and(|past| past.keys.contains(&entry.key)).then_some("entered before with this key")
            }
            Reentry::Restart => {
                for j in inside {
                    self.end(j, End::Restarted);
                }
                None
            }
        }
    }

    /// Ended journeys stay while a conversion may be credited to them or an intent of theirs is on its way.
    fn forget_old_journeys(&mut self) {
        let now = self.now;
        let (state, flows) = (&mut *self.state, self.flows);
        let pending: Vec<&JourneyId> = state
            .sends
            .iter()
            .filter(|s| matches!(s.status, Status::Pending | Status::Held(_)))
            .map(|s| &s.key.journey)
            .collect();
        state.journeys.retain(|journey| match &journey.ended {
            None => true,
            Some((at, _)) => {
                let window =
                    flows.versions.get(&journey.version).map_or(0, |v| v.settings.conversion_window.about_millis());
                now.since(*at) <= window + 86_400_000 || pending.contains(&&journey.id)
            }
        });
        // Windows of caps and cooldowns are days; a year is more than any.
        let year_ago = now.plus_millis(-366 * 86_400_000);
        state.sends.retain(|send| send.at > year_ago);
    }

    /// The value of the re-entry key, from the event of the entry or the contact.
    pub fn key_of(&self, version: &Version, event: Option<&Event>) -> SmolStr {
        use crate::audience::condition::Root;
        let Some(path) = &version.settings.reentry_key else { return SmolStr::default() };
        let value = match path.root {
            Root::Event | Root::Trigger => event.and_then(|event| event.value(&path.steps)),
            Root::Contact => self.state.contact.value(&path.steps),
            Root::Constant => None,
        };
        match value {
            Some(Value::Text(text)) => text,
            Some(value) => SmolStr::new(value.to_string()),
            None => SmolStr::default(),
        }
    }
}

impl Waiting {
    /// When it ends by time.
    pub fn due(self) -> Option<Instant> {
        match self {
            Self::Until(at) | Self::Event(at) | Self::Retry(at) | Self::Answer(at) => Some(at),
            Self::No | Self::Held(_) => None,
        }
    }
}
