//! What goes on beside the walk: goals, exits, waits for events, changes of the profile (SEMANTICS R13, R15).

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    run::{MOST_STEPS, Run},
    state::{End, Journey, Send, Status, TimerWhat, Waiting},
    trace::What,
};
use crate::{
    audience::{ConsentStatus, Event},
    base::{FlowId, Instant},
    kinds::prepared::Prepared,
    kinds::runtime::Change,
};

impl Run<'_> {
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
    pub fn convert(&mut self, j: usize, happened: Instant) {
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

    pub fn test_conditions(&mut self, j: usize, happened: Instant) {
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
    pub fn profile_changed(&mut self, joined: &[SmolStr], turned: &[(FlowId, usize)], writer: Option<(&FlowId, u32)>) {
        self.settle_journeys(None);
        self.profile_triggers(joined, turned, writer);
        self.schedule_rechecks();
    }

    /// Applies a change to the profile; the lists that were joined.
    pub fn apply_change(&mut self, change: &Change) -> Vec<SmolStr> {
        let contact = &mut self.state.contact;
        for (name, value) in &change.set {
            match value {
                Some(value) => contact.properties.insert(name.clone(), value.clone()),
                None => contact.properties.remove(name),
            };
        }
        for (channel, status) in &change.consent {
            // Setting a no again changes nothing, so only what would lift one stays out.
            if !(change.keeps_no && contact.consent.on(*channel) == ConsentStatus::Unsubscribed) {
                contact.consent.set(*channel, *status);
            }
        }
        let joined: Vec<SmolStr> =
            change.lists_add.iter().filter(|list| contact.lists.insert((*list).clone())).cloned().collect();
        for list in &change.lists_remove {
            contact.lists.remove(list);
        }
        contact.email = change.email.clone().or(contact.email.take());
        contact.phone = change.phone.clone().or(contact.phone.take());
        contact.language = change.language.clone().or(contact.language.take());
        change.bounced.iter().for_each(|email| self.state.bounce(email));
        match change.suppressed {
            Some(true) => self.state.suppressed = true,
            Some(false) => self.state.lift(),
            None => {}
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
}
