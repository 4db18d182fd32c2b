//! Who may enter, and when again (SEMANTICS R9 to R11).

use std::{fmt::Write as _, sync::Arc};

use smol_str::{SmolStr, SmolStrBuilder};

use super::{
    flowset::Version,
    run::{MOST_HOPS, Run},
    state::{End, Journey, Status, Waiting},
    trace::What,
};
use crate::{
    audience::{Event, Value},
    base::JourneyId,
    kinds::runtime::{Entry, Reason},
};

impl Run<'_> {
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
            moved_millis: 0,
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
