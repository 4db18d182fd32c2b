//! Triggers: armed and fired whether or not the contact is in a journey; re-entry is judged when they fire (R0, R8).

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    flowset::{PreparedTrigger, Version},
    run::Run,
    state::{Live, TimerWhat, TriggerKey, TriggerState},
    trace::What,
};
use crate::{
    audience::{Compiled, Event, condition::EntryFacts},
    base::{FlowId, Instant, JourneyId, VersionHash, Zone},
    kinds::{
        prepared::{PreparedMatch, value_of},
        runtime::Entry,
        triggers::{abandonment::Again, inactivity::Inactivity},
    },
};

impl<'a> Run<'a> {
    /// The version of the nth live flow; they stand in flow order.
    fn live_version(&self, n: usize) -> Option<&'a Arc<Version>> {
        self.flows.versions.get(&self.state.live.get(n)?.version)
    }

    /// The version of a flow that is live for this contact.
    fn live_version_of(&self, flow: &FlowId) -> Option<&'a Arc<Version>> {
        self.flows.versions.get(&self.state.live_of(flow)?.version)
    }

    fn zone(&self) -> &Zone {
        self.state.zone(self.flows)
    }

    /// Whether an event is meant, with `trigger.…` standing for `entry` (which is the event itself for triggers).
    fn is_meant(&self, wanted: &PreparedMatch, event: &Event, entry: Option<&Event>) -> bool {
        if wanted.event != event.name {
            return false;
        }
        let id = JourneyId::new("");
        let at = entry.map_or(self.now, |entry| entry.happened);
        let facts = self.state.facts(self.flows, self.now, Some(EntryFacts { journey: &id, at, event: entry }));
        wanted.is(event, &facts)
    }

    /// First what an event disarms, then what it fires, by flow.
    pub fn event_triggers(&mut self, event: &Arc<Event>) {
        let num_live = self.state.live.len();
        if !self.state.triggers.is_empty() {
            for n in 0..num_live {
                if let Some(version) = self.live_version(n) {
                    self.disarm_by(version, event);
                }
            }
        }
        for n in 0..num_live {
            if let Some(version) = self.live_version(n) {
                self.fire_by(version, event);
            }
        }
        self.disarm_lost();
    }

    fn armed_keys(&self, flow: &FlowId, alternative: usize) -> Vec<(TriggerKey, Option<Arc<Event>>)> {
        let of_it = self.state.triggers.iter().filter(|(key, _)| key.flow == *flow && key.alternative == alternative);
        of_it
            .filter_map(|(key, state)| match state {
                TriggerState::Armed(event) => Some((key.clone(), event.clone())),
                TriggerState::Was(_) => None,
            })
            .collect()
    }

    fn take_down(&mut self, key: &TriggerKey, why: &'static str) {
        self.state.triggers.remove(key);
        self.state.disarm(&TimerWhat::Trigger(key.clone()));
        self.tell(Some(&key.flow), What::Disarmed { alternative: key.alternative, why: SmolStr::new_static(why) });
    }

    fn disarm_by(&mut self, version: &Arc<Version>, event: &Arc<Event>) {
        for (alternative, trigger) in version.alternatives.iter().enumerate() {
            let PreparedTrigger::Abandonment { unless, .. } = trigger else { continue };
            if !unless.iter().any(|m| m.event == event.name) {
                continue;
            }
            for (key, armed_by) in self.armed_keys(&version.flow, alternative) {
                let Some(armed_by) = armed_by else { continue };
                // What happened before A says nothing about what came after it.
                let after = event.happened >= armed_by.happened;
                if after && unless.iter().any(|m| self.is_meant(m, event, Some(&armed_by))) {
                    self.take_down(&key, "the other event came");
                }
            }
        }
    }

    /// Clocks that cannot lead to an entry any more: consent is lost, or the exit condition holds (SEMANTICS R9).
    pub fn disarm_lost(&mut self) {
        if self.state.triggers.is_empty() {
            return;
        }
        for n in 0..self.state.live.len() {
            let Some(version) = self.live_version(n) else { continue };
            for (alternative, trigger) in version.alternatives.iter().enumerate() {
                if !matches!(trigger, PreparedTrigger::Abandonment { .. }) {
                    continue;
                }
                for (key, armed_by) in self.armed_keys(&version.flow, alternative) {
                    let consent = &self.state.contact.consent;
                    if !version.settings.consent.iter().all(|required| required.allows(consent.on(required.channel())))
                    {
                        self.take_down(&key, "no consent");
                    } else if let (Some(exit), Some(event)) = (&version.exit, &armed_by) {
                        let id = JourneyId::new("");
                        let entry = EntryFacts { journey: &id, at: event.happened, event: Some(event) };
                        if exit.eval(&self.state.facts(self.flows, self.now, Some(entry))).is_yes() {
                            self.take_down(&key, "the exit condition holds");
                        }
                    }
                }
            }
        }
    }

    fn fire_by(&mut self, version: &Arc<Version>, event: &Arc<Event>) {
        let mut entered = false;
        for (alternative, trigger) in version.alternatives.iter().enumerate() {
            match trigger {
                PreparedTrigger::Event(wanted) => {
                    if self.is_meant(wanted, event, Some(event)) && !entered {
                        entered = self.enter_by_event(version, alternative, event);
                    }
                }
                PreparedTrigger::Abandonment { start, .. } => {
                    if self.is_meant(start, event, Some(event)) {
                        self.arm_abandonment(version, alternative, event);
                    }
                }
                PreparedTrigger::Engagement { wanted, unless, settings } => {
                    if !self.is_meant(wanted, event, Some(event)) {
                        continue;
                    }
                    let zone = self.zone();
                    let counts = |other: &Event| self.is_meant(wanted, other, Some(other));
                    let (before, after) = settings.measure(&self.state.log, event, self.now, zone, counts);
                    if !(before < settings.at_least && settings.at_least <= after) {
                        continue;
                    }
                    let from = settings.within.before(self.now, zone).plus_millis(1);
                    let spoilt = unless.iter().any(|m| {
                        let events = self.state.log.between(&m.event, from, Instant::MAX);
                        events.iter().any(|other| self.is_meant(m, other, Some(event)))
                    });
                    if spoilt {
                        self.tell(
                            Some(&version.flow),
                            What::NotEntered {
                                alternative,
                                why: SmolStr::new_static("the other event happened in the window"),
                            },
                        );
                    } else if !entered {
                        entered = self.enter_by_event(version, alternative, event);
                    }
                }
                PreparedTrigger::Watch { .. } => {
                    entered |= self.test_watch(&version.flow, alternative, Some(event), 0, !entered);
                }
                PreparedTrigger::Inactivity(settings) => {
                    if settings.events.contains(&event.name) {
                        self.arm_inactivity(version, alternative, settings);
                    }
                }
                PreparedTrigger::List(_) | PreparedTrigger::Date(_) | PreparedTrigger::Never => {}
            }
        }
    }

    fn enter_by_event(&mut self, version: &Arc<Version>, alternative: usize, event: &Arc<Event>) -> bool {
        if version.settings.trigger_latest_age.after(event.happened, self.state.zone(self.flows)) < event.accepted {
            self.tell(
                Some(&version.flow),
                What::NotEntered { alternative, why: SmolStr::new_static("the event came too late") },
            );
            return false;
        }
        let key = self.key_of(version, Some(event));
        self.enter(version, Entry { alternative, event: Some(event.clone()), key, hops: 0 })
    }

    fn arm_abandonment(&mut self, version: &Arc<Version>, alternative: usize, event: &Arc<Event>) {
        let PreparedTrigger::Abandonment { unless, settings, .. } = &version.alternatives[alternative] else { return };
        let spoilt = unless.iter().any(|m| {
            let events = self.state.log.between(&m.event, event.happened.plus_millis(1), Instant::MAX);
            events.iter().any(|other| self.is_meant(m, other, Some(event)))
        });
        if spoilt {
            self.tell(
                Some(&version.flow),
                What::Disarmed { alternative, why: SmolStr::new_static("the other event had come already") },
            );
            return;
        }
        let key = self.key_of(version, Some(event));
        let due = settings.due(event.happened, event.accepted, self.zone());
        let mut key = TriggerKey { flow: version.flow.clone(), alternative, key, nth: 0 };
        if settings.again != Again::Add
            && let Some(TriggerState::Armed(Some(armed_by))) = self.state.triggers.get(&key)
            && (armed_by.happened, &armed_by.id) > (event.happened, &event.id)
        {
            // An older A that arrives late is not the last one.
            return;
        }
        match settings.again {
            Again::Restart => self.state.disarm(&TimerWhat::Trigger(key.clone())),
            Again::Keep => {
                if let Some(TriggerState::Armed(armed_by)) = self.state.triggers.get_mut(&key) {
                    // The clock stays, but the entry's event is the last A.
                    *armed_by = Some(event.clone());
                    return;
                }
            }
            Again::Add => {
                let last = self
                    .state
                    .triggers
                    .keys()
                    .filter(|k| k.flow == key.flow && k.alternative == alternative && k.key == key.key);
                key.nth = last.map(|k| k.nth + 1).max().unwrap_or(0);
            }
        }
        self.state.triggers.insert(key.clone(), TriggerState::Armed(Some(event.clone())));
        self.state.arm(due, TimerWhat::Trigger(key));
        self.tell(Some(&version.flow), What::Armed { alternative, due });
    }

    fn arm_inactivity(&mut self, version: &Arc<Version>, alternative: usize, settings: &Inactivity) {
        let last = settings.events.iter().filter_map(|name| self.state.log.last(name)).max();
        let Some(since) = last.or(self.state.contact.created_at).or(Some(self.now)) else { return };
        let due = settings.after.after(since, self.zone());
        let key = TriggerKey { flow: version.flow.clone(), alternative, key: SmolStr::default(), nth: 0 };
        self.state.disarm(&TimerWhat::Trigger(key.clone()));
        self.state.triggers.remove(&key);
        // A spell that is over its time already was missed before anybody watched; the next one counts.
        if due > self.now {
            self.state.triggers.insert(key.clone(), TriggerState::Armed(None));
            self.state.arm(due, TimerWhat::Trigger(key));
        }
    }

    /// Arms a date for its next due instant strictly after `after`.
    pub fn arm_date(&mut self, version: &Version, alternative: usize, after: Instant) {
        let Some(PreparedTrigger::Date(settings)) = version.alternatives.get(alternative) else { return };
        let key = TriggerKey { flow: version.flow.clone(), alternative, key: SmolStr::default(), nth: 0 };
        // A date that is due by now (at this very instant, or since its wall is another one) and has not fired stays
        // armed, unless it was changed.
        if let Some(due) = self.state.due_of(&TimerWhat::Trigger(key.clone())).filter(|due| *due <= self.now) {
            let facts = self.state.facts(self.flows, self.now, None);
            let just_before = due.plus_millis(-1);
            let value = value_of(&settings.property, &facts);
            if value.and_then(|value| settings.next_due(&value, just_before, facts.zone)) == Some(due) {
                return;
            }
        }
        self.state.disarm(&TimerWhat::Trigger(key.clone()));
        self.state.triggers.remove(&key);
        let facts = self.state.facts(self.flows, self.now, None);
        let fired = self.state.fired.get(&key).copied();
        let due = value_of(&settings.property, &facts).and_then(|value| {
            let due = settings.next_due(&value, after, facts.zone)?;
            // A day that fired in another zone does not come twice (SEMANTICS R17).
            if fired == Some(facts.zone.local(due).date()) {
                return settings.next_due(&value, due, facts.zone);
            }
            Some(due)
        });
        if let Some(due) = due {
            self.state.triggers.insert(key.clone(), TriggerState::Armed(None));
            self.state.arm(due, TimerWhat::Trigger(key));
        }
    }

    /// An armed clock ran out.
    pub fn fire_armed(&mut self, key: TriggerKey, due: Instant) {
        let Some(TriggerState::Armed(event)) = self.state.triggers.remove(&key) else { return };
        let Some(version) = self.live_version_of(&key.flow) else { return };
        if let Some(PreparedTrigger::Date(settings)) = version.alternatives.get(key.alternative) {
            let day = self.state.zone(self.flows).local(due).date();
            self.state.fired.insert(key.clone(), day);
            if settings.yearly {
                self.arm_date(version, key.alternative, due);
            }
        }
        self.fire_late_or_enter(version, key.alternative, due, event, key.key, 0);
    }

    fn fire_late_or_enter(
        &mut self,
        version: &Arc<Version>,
        alternative: usize,
        due: Instant,
        event: Option<Arc<Event>>,
        key: SmolStr,
        hops: u32,
    ) -> bool {
        if version.settings.trigger_latest_age.after(due, self.state.zone(self.flows)) < self.at {
            self.tell(
                Some(&version.flow),
                What::NotEntered { alternative, why: SmolStr::new_static("the wake came too late") },
            );
            return false;
        }
        let key = if key.is_empty() { self.key_of(version, event.as_deref()) } else { key };
        self.enter(version, Entry { alternative, event, key, hops })
    }

    /// Fires on the edge from false to true (SEMANTICS R10), and arms the instant at which time may turn it.
    pub fn test_watch(
        &mut self,
        flow: &FlowId,
        alternative: usize,
        event: Option<&Arc<Event>>,
        hops: u32,
        may_enter: bool,
    ) -> bool {
        let Some(version) = self.live_version_of(flow) else { return false };
        let Some(PreparedTrigger::Watch { condition, with_event }) = version.alternatives.get(alternative) else {
            return false;
        };
        let turns = self.note_watch(flow, alternative, condition);
        // Of several alternatives that one input turns, the first enters (SEMANTICS R7); the others are noted.
        if turns && may_enter {
            let event = event.filter(|_| *with_event).cloned();
            if let Some(event) = &event {
                return self.enter_by_event(version, alternative, event);
            }
            return self.fire_late_or_enter(version, alternative, self.now, event, SmolStr::default(), hops);
        }
        false
    }

    /// Notes what a watched condition is, and when time may turn it; whether it has just turned true.
    fn note_watch(&mut self, flow: &FlowId, alternative: usize, condition: &Compiled) -> bool {
        let key = TriggerKey { flow: flow.clone(), alternative, key: SmolStr::default(), nth: 0 };
        let facts = self.state.facts(self.flows, self.now, None);
        let (is, next) = (condition.eval(&facts).is_yes(), condition.next_change(&facts));
        let was = matches!(self.state.triggers.insert(key, TriggerState::Was(is)), Some(TriggerState::Was(true)));
        let what = TimerWhat::Watch(flow.clone(), alternative);
        self.state.disarm(&what);
        if let Some(next) = next {
            self.state.arm(next, what);
        }
        is && !was
    }

    /// Watched conditions that do not hold, for [`Self::turned_since`].
    pub fn watched(&self) -> Vec<(&'a Version, usize)> {
        let mut out = Vec::new();
        for version in (0..self.state.live.len()).filter_map(|n| self.live_version(n)) {
            for (alternative, trigger) in version.alternatives.iter().enumerate() {
                let PreparedTrigger::Watch { condition, .. } = trigger else { continue };
                if !condition.eval(&self.state.facts(self.flows, self.now, None)).is_yes() {
                    out.push((&**version, alternative));
                }
            }
        }
        out
    }

    /// Which of them a step's write has turned. Noted at once, so that nothing else of the same input passes for what
    /// turned them; who enters is decided when flows see the write (SEMANTICS R1, R11).
    pub fn turned_since(&mut self, before: Vec<(&'a Version, usize)>) -> Vec<(FlowId, usize)> {
        let mut out = Vec::new();
        for (version, alternative) in before {
            let PreparedTrigger::Watch { condition, .. } = &version.alternatives[alternative] else { continue };
            let holds = condition.eval(&self.state.facts(self.flows, self.now, None)).is_yes();
            if holds && self.note_watch(&version.flow, alternative, condition) {
                out.push((version.flow.clone(), alternative));
            }
        }
        out
    }

    /// What a change of the profile fires; `writer` is the flow whose step made it, with its hops (SEMANTICS R11), and
    /// `turned` the watched conditions that it turned then.
    pub fn profile_triggers(&mut self, joined: &[SmolStr], turned: &[(FlowId, usize)], writer: Option<(&FlowId, u32)>) {
        for n in 0..self.state.live.len() {
            let Some(version) = self.live_version(n) else { continue };
            let own = writer.is_some_and(|(flow, _)| *flow == version.flow);
            let hops = writer.map_or(0, |(_, hops)| hops + 1);
            let mut entered = false;
            for (alternative, trigger) in version.alternatives.iter().enumerate() {
                match trigger {
                    PreparedTrigger::List(list) if joined.contains(list) => {
                        if own {
                            self.tell(
                                Some(&version.flow),
                                What::NotEntered { alternative, why: SmolStr::new_static("the flow's own write") },
                            );
                        } else if !entered {
                            let key = self.key_of(version, None);
                            entered = self.enter(version, Entry { alternative, event: None, key, hops });
                        }
                    }
                    PreparedTrigger::Watch { condition, .. } => {
                        // The same flow never enters by its own write; it is noted, so that it is no edge later.
                        let may_enter = !entered && !own;
                        let had_turned = turned.iter().any(|(flow, n)| (flow, *n) == (&version.flow, alternative));
                        entered |= self.test_watch(&version.flow, alternative, None, hops, may_enter);
                        let facts = self.state.facts(self.flows, self.now, None);
                        if had_turned && may_enter && !entered && condition.eval(&facts).is_yes() {
                            let key = SmolStr::default();
                            entered = self.fire_late_or_enter(version, alternative, self.now, None, key, hops);
                        }
                    }
                    PreparedTrigger::Date(_) => self.arm_date(version, alternative, self.now),
                    _ => {}
                }
            }
        }
        self.disarm_lost();
    }

    /// A version goes live: baselines are recorded and timers armed, nobody enters unless the flow says so (R0).
    pub fn adopt(&mut self, flow: &FlowId, hash: &VersionHash) {
        let Some(version) = self.flows.versions.get(hash) else { return };
        match self.state.live.iter_mut().find(|live| live.flow == *flow) {
            Some(live) => {
                live.version = *hash;
                live.draining = false;
            }
            None => {
                self.state.live.push(Live { flow: flow.clone(), version: *hash, paused: None, draining: false });
                self.state.live.sort_by(|a, b| a.flow.cmp(&b.flow));
            }
        }
        let stale: Vec<TriggerKey> = self
            .state
            .triggers
            .keys()
            .filter(|key| {
                key.flow == *flow
                    && !matches!(version.alternatives.get(key.alternative), Some(PreparedTrigger::Abandonment { .. }))
            })
            .cloned()
            .collect();
        for key in stale {
            self.state.triggers.remove(&key);
            self.state.disarm(&TimerWhat::Trigger(key));
        }
        let mut entered = !version.settings.enrol_current;
        for (alternative, trigger) in version.alternatives.iter().enumerate() {
            match trigger {
                PreparedTrigger::Watch { condition, .. } => {
                    let facts = self.state.facts(self.flows, self.now, None);
                    let (is, next) = (condition.eval(&facts).is_yes(), condition.next_change(&facts));
                    let key = TriggerKey { flow: flow.clone(), alternative, key: SmolStr::default(), nth: 0 };
                    self.state.triggers.insert(key, TriggerState::Was(is));
                    let what = TimerWhat::Watch(flow.clone(), alternative);
                    self.state.disarm(&what);
                    if let Some(next) = next {
                        self.state.arm(next, what);
                    }
                    if is && !entered {
                        let key = self.key_of(version, None);
                        entered = self.enter(version, Entry { alternative, event: None, key, hops: 0 });
                    }
                }
                PreparedTrigger::List(list) => {
                    if !entered && self.state.contact.lists.contains(list) {
                        let key = self.key_of(version, None);
                        entered = self.enter(version, Entry { alternative, event: None, key, hops: 0 });
                    }
                }
                PreparedTrigger::Date(_) => self.arm_date(version, alternative, self.now),
                PreparedTrigger::Inactivity(settings) => self.arm_inactivity(version, alternative, settings),
                PreparedTrigger::Event(_)
                | PreparedTrigger::Abandonment { .. }
                | PreparedTrigger::Engagement { .. }
                | PreparedTrigger::Never => {}
            }
        }
    }
}
