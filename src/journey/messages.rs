//! A message of a step: tried, put off, intended, and what became of it (SEMANTICS R21, R22, R25, R26).

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    flowset::Version,
    gate::{self, Gate, Sending},
    run::{LATE_MILLIS, Run},
    state::{End, Journey, Send, Status, TimerWhat, Waiting},
    trace::{Intent, IntentWhat, What},
};
use crate::{
    audience::Channel,
    base::{Instant, SendKey},
    kinds::prepared::Prepared,
    kinds::runtime::{Delivery, Outcome, Reason},
};

impl Run<'_> {
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
}
