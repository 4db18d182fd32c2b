//! What stands still and goes on: steps and sends that are held, frozen flows, waits whose wall has changed.
//!
//! Deliberately not here: who says so (words from outside are taken in `mod.rs`), and the walk itself (`run.rs`).

use std::sync::Arc;

use super::{
    flowset::{PreparedTrigger, Version},
    run::Run,
    state::{End, Send, Status, TimerWhat, Waiting},
    trace::{Intent, IntentWhat, What},
};
use crate::{
    base::{Instant, NodeId, Zone},
    kinds::{
        logic::delay::{Delay, Due, Wait},
        prepared::{Prepared, StepContext, delay_due},
        runtime::Reason,
    },
};

/// Another wall moves the end of a span of days by less than this, in milliseconds. Source: clocks are set by two hours
/// at most (Antarctica/Troll).
const MOST_CHANGED_MILLIS: i64 = 4 * 3_600_000;
/// The same time of day on two walls is less than so far apart, in milliseconds. Source: zones lie between UTC-12 and
/// UTC+14.
const MOST_APART_MILLIS: i64 = 48 * 3_600_000;

impl Run<'_> {
    /// Wall-time waits keep the wall time, not the instant, when the zone changes (SEMANTICS R17).
    pub fn recompute_local_waits(&mut self, before: &Zone) {
        self.recompute_armed(before);
        for j in 0..self.state.journeys.len() {
            let journey = &self.state.journeys[j];
            let Some(version) = self.version_of(j) else { continue };
            let moved = match (journey.waiting, &version.nodes[journey.node].prepared) {
                (Waiting::Until(old), Prepared::Delay(delay)) if delay.is_local() || is_calendar(delay) => {
                    self.delay_end(j, delay).filter(|due| *due != old).map(Waiting::Until)
                }
                (Waiting::Event(old), Prepared::WaitForEvent { timeout, .. }) if !timeout.is_exact() => {
                    let end = timeout.after(journey.arrived, self.state.zone(self.flows));
                    Some(end.plus_millis(journey.moved_millis)).filter(|end| *end != old).map(Waiting::Event)
                }
                // Quiet hours are others now: asked again, unless it catches up and is not due yet.
                (Waiting::Retry(_), _) if journey.since.is_some_and(|since| since <= self.now) => {
                    Some(Waiting::Retry(self.now))
                }
                _ => None,
            };
            let Some(moved) = moved else { continue };
            let is_local = matches!(&version.nodes[journey.node].prepared, Prepared::Delay(delay) if delay.is_local());
            if let (Waiting::Until(old), Waiting::Until(new)) | (Waiting::Event(old), Waiting::Event(new)) =
                (journey.waiting, moved)
                && (!is_local && journey.moved_millis == 0 && old.since(new) > MOST_CHANGED_MILLIS)
            {
                // Stored by a build that moved it and did not note by how much: no wall explains so late an end.
                self.state.journeys[j].moved_millis = old.since(new);
                continue;
            }
            let moved = match moved {
                Waiting::Until(at) => Waiting::Until(at.max(self.now)),
                Waiting::Event(at) => Waiting::Event(at.max(self.now)),
                other => other,
            };
            let id = journey.id.clone();
            self.state.disarm(&TimerWhat::Step(id));
            self.wait(j, version, moved);
        }
    }

    /// Armed clocks of calendar days run on the new wall too (SEMANTICS R17): a day of it may be shorter. A date whose
    /// day is past on the new wall is due at once, late as it is (SEMANTICS R11).
    fn recompute_armed(&mut self, before: &Zone) {
        let armed = self.state.timers.iter().rev();
        let armed = armed.filter_map(|timer| match &timer.what {
            TimerWhat::Trigger(key) => Some((key.clone(), timer.due)),
            _ => None,
        });
        for (key, due) in armed.collect::<Vec<_>>() {
            let live = self.state.live_of(&key.flow).and_then(|live| self.flows.versions.get(&live.version));
            let Some(version) = live else { continue };
            let span = match version.alternatives.get(key.alternative) {
                Some(PreparedTrigger::Abandonment { settings, .. }) => settings.after,
                Some(PreparedTrigger::Inactivity(settings)) => settings.after,
                Some(PreparedTrigger::Date(_)) => {
                    // The same day of the new wall: two walls are never further apart, and a date comes once a year.
                    let before_it = due.plus_millis(-MOST_APART_MILLIS).min(self.now);
                    self.arm_date(version, key.alternative, before_it);
                    continue;
                }
                _ => continue,
            };
            if span.is_exact() {
                continue;
            }
            // From where it counts, on the wall that was.
            let from = before.plus_calendar(due.plus_millis(-span.millis), -span.months, -span.days);
            let moved = span.after(from, self.state.zone(self.flows)).max(self.now);
            if moved != due {
                let what = TimerWhat::Trigger(key);
                self.state.disarm(&what);
                self.state.arm(moved, what);
            }
        }
    }

    /// A place has come free before its time: who waits for one is asked again, in the order of waiting (SEMANTICS
    /// R23). Who waits for something else is told the same as before; who catches up is not asked before their time.
    pub fn wake_waiters(&mut self) {
        let waiting = self.state.timers.iter().rev().filter_map(|timer| match &timer.what {
            TimerWhat::Step(id) => self.active(id),
            _ => None,
        });
        let waits = |j: &usize| {
            let journey = &self.state.journeys[*j];
            matches!(journey.waiting, Waiting::Retry(until) if until > self.now)
                && journey.since.is_some_and(|since| since <= self.now)
        };
        for j in waiting.filter(waits).collect::<Vec<_>>() {
            let journey = &mut self.state.journeys[j];
            journey.waiting = Waiting::Retry(self.now);
            let what = TimerWhat::Step(journey.id.clone());
            self.state.disarm(&what);
            self.state.arm(self.now, what);
        }
    }

    /// Gives a frozen wait back the time it stood still since the pause or its own beginning; an event that it stands
    /// for and that came meanwhile ends it (SEMANTICS R30).
    pub fn thaw(&mut self, j: usize, since: Instant) {
        let Some(version) = self.version_of(j) else { return };
        let now = self.now;
        let stood = |from: Instant| now.since(since.max(from));
        let journey = &mut self.state.journeys[j];
        journey.shift_millis += stood(journey.entered);
        let by = stood(journey.arrived);
        let prepared = &version.nodes[journey.node].prepared;
        let moved = match (journey.waiting, prepared) {
            (Waiting::Until(at), Prepared::Delay(delay)) if delay.is_local() => {
                journey.arrived = journey.arrived.plus_millis(by);
                // A wall time that passed in the pause comes again; what is left of a span is not over yet.
                if self.delay_end(j, delay).is_some_and(|due| due < now) {
                    self.state.journeys[j].arrived = now;
                }
                Waiting::Until(self.delay_end(j, delay).unwrap_or(at).max(now))
            }
            (Waiting::Until(at), _) => {
                journey.arrived = journey.arrived.plus_millis(by);
                Waiting::Until(at.plus_millis(by))
            }
            (Waiting::Event(at), _) => {
                journey.moved_millis += by;
                Waiting::Event(at.plus_millis(by))
            }
            (Waiting::Retry(at), _) => Waiting::Retry(at.plus_millis(by)),
            (other, _) => other,
        };
        if let Some(due) = moved.due() {
            let journey = &mut self.state.journeys[j];
            journey.waiting = moved;
            let id = journey.id.clone();
            self.state.disarm(&TimerWhat::Step(id.clone()));
            self.state.arm(due, TimerWhat::Step(id));
        }
        let (Waiting::Event(_), Prepared::WaitForEvent { wanted, .. }) = (moved, prepared) else { return };
        let came = self.state.log.of(&wanted.event).iter().filter(|event| event.accepted >= since);
        for event in came.cloned().collect::<Vec<_>>() {
            self.test_wait(j, &event);
            if self.state.journeys[j].waiting != moved {
                return;
            }
        }
    }

    /// When the delay that a journey stands at ends by itself; `None` where its date is past or missing.
    fn delay_end(&self, j: usize, delay: &Delay) -> Option<Instant> {
        let journey = &self.state.journeys[j];
        // A wall time is computed anew, whatever was late (SEMANTICS R26).
        let moved = if delay.is_local() { 0 } else { journey.moved_millis };
        let cx = StepContext {
            facts: self.state.facts(self.flows, self.now, Some(journey.entry())),
            arrived: journey.arrived.plus_millis(moved),
            entry_at: journey.entered.plus_millis(journey.shift_millis),
            previous_message: None,
            stored_arm: None,
            winner: None,
            has_room: true,
        };
        match delay_due(delay, &cx) {
            Due::At(due) => Some(due),
            Due::Past(_) => None,
        }
    }

    /// Tries again what is held (SEMANTICS R30).
    pub fn retry(&mut self, j: usize) {
        let Some(version) = self.version_of(j) else { return };
        let journey = &mut self.state.journeys[j];
        if !matches!(journey.waiting, Waiting::Held(_)) {
            return;
        }
        let node = journey.node;
        // What was too late moves the later dues when it is tried after all (SEMANTICS R26).
        if let (Waiting::Held(Reason::TooLate), Some(due)) = (journey.waiting, journey.since.take()) {
            let late = self.now.since(due);
            self.shift(j, late);
        }
        if version.nodes[node].message.is_some()
            || matches!(version.nodes[node].prepared, Prepared::Email(_) | Prepared::Sms(_))
        {
            if let Some(port) = self.try_message(j, version, node) {
                self.leave(j, version, node, port);
            }
        } else {
            self.state.journeys[j].waiting = Waiting::No;
            self.walk(j, version, Some(node));
        }
    }

    /// Intends again what was held at the hand-over; it takes a new place, after what was intended meanwhile.
    pub fn intend_again(&mut self, is_meant: impl Fn(&Send) -> bool) {
        let keys = self.state.sends.iter().filter(|send| is_meant(send)).map(|send| send.key.clone());
        for key in keys.collect::<Vec<_>>() {
            let Some(n) = self.state.sends.iter().rposition(|send| send.key == key) else { continue };
            let mut send = self.state.sends.remove(n);
            let late = self.now.since(send.at);
            let journey = self.state.journeys.iter().position(|journey| journey.id == key.journey);
            if let (Status::Held(Reason::TooLate), Some(j)) = (send.status, journey) {
                self.shift(j, late);
            }
            send.late_millis = 0;
            (send.status, send.at, send.since) = (Status::Pending, self.now, self.now);
            let (flow, (message, variant)) = (send.flow.clone(), send.message.clone());
            let what =
                IntentWhat::Message { channel: send.channel, message: message.clone(), variant: variant.clone() };
            self.state.sends.push(send);
            self.tell_send(&key, &flow, What::Go { message, variant });
            self.effects.intents.push(Intent { key, flow, at: self.now, what });
        }
    }

    /// Puts a journey at a node of its version.
    pub fn move_to(&mut self, j: usize, version: &Arc<Version>, node: &NodeId) {
        let id = self.state.journeys[j].id.clone();
        self.state.disarm(&TimerWhat::Step(id));
        match version.place_of(node) {
            Some(place) => {
                self.state.journeys[j].waiting = Waiting::No;
                self.walk(j, version, Some(place));
            }
            None => self.end(j, End::Removed),
        }
    }
}

fn is_calendar(delay: &Delay) -> bool {
    matches!(&delay.wait, Wait::For(span) if !span.is_exact())
}
