//! One input, from the due timers to the triggers (SEMANTICS R1), and the walk of a journey from step to step.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    flowset::{FlowSet, Version},
    gate,
    state::{ContactState, End, Status, TimerWhat, Waiting},
    trace::{Decision, Effects, Intent, IntentWhat, What},
};
use crate::{
    base::{FlowId, Instant, JourneyId, SendKey},
    kinds::{
        logic::delay::Past,
        prepared::{Prepared, StepContext},
        runtime::{Reason, StepResult},
    },
};

/// Later than this after its due a step counts as late and catches up (SEMANTICS R26); below it a driver was merely
/// busy, and the due instant stands. Source: assumption; an engine under load is seconds late, a closed laptop minutes.
pub const LATE_MILLIS: i64 = 60_000;
/// Steps of all journeys in one input. Source: assumption; only a fault in the core could need more, since loops need
/// a wait (SEMANTICS R20).
pub(super) const MOST_STEPS: u32 = 100_000;
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
    pub(super) steps: u32,
    /// Writes of steps that flows have not seen yet.
    pub(super) writes: Vec<Write>,
}

/// What a step wrote.
pub(super) struct Write {
    pub joined: Vec<SmolStr>,
    /// Watched conditions that it turned true: of which flow, which alternative.
    pub turned: Vec<(FlowId, usize)>,
    /// The flow that wrote, and its hops.
    pub flow: FlowId,
    pub hops: u32,
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
    pub fn tell_at(&mut self, j: usize, version: &Version, what: What) {
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

    pub fn tell_journey(&mut self, j: usize, what: What) {
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
            Waiting::Until(at) if !is_local => {
                journey.moved_millis += millis;
                Some(Waiting::Until(at.plus_millis(millis)))
            }
            Waiting::Event(at) => {
                journey.moved_millis += millis;
                Some(Waiting::Event(at.plus_millis(millis)))
            }
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

    pub fn is_frozen(&self, flow: &FlowId) -> bool {
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
            journey.moved_millis = 0;
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

    pub fn hold(&mut self, j: usize, version: &Version, reason: Reason, detail: &str) {
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
