//! What lets the contact in: triggers seen by events, armed clocks, watched conditions, entries (R7 to R12).

use super::*;

impl<'w> Oracle<'w> {
    pub(super) fn triggers_see(&mut self, flow: usize, event: &Event) {
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
                Alternative::Foreign(_) => false,
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

    pub(super) fn fire(&mut self, due: Instant, what: Due) {
        match what {
            Due::Armed { flow, alternative, event, .. } => self.enter(flow, alternative, Some(event), 0),
            Due::Date { flow, alternative } => {
                self.dates.remove(&(flow, alternative));
                self.fired.insert((flow, alternative), self.zone().local(due).date());
                self.arm_dates();
                // Over it there is no entry (R11).
                if self.flows[flow].settings.trigger_latest_age.after(due, &self.zone()) >= self.now {
                    self.enter(flow, alternative, None, 0);
                }
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
    pub(super) fn watch(&mut self, fire: bool, by: Option<&Written>, joined: &[SmolStr]) {
        for flow in 0..self.flows.len() {
            let mut fired = false;
            for alternative in 0..self.flows[flow].alternatives.len() {
                let (holds, held) = match &self.flows[flow].alternatives[alternative] {
                    Alternative::List(trigger) => (joined.contains(&trigger.list), false),
                    other => {
                        let Some(condition) = self.watched_condition(other) else { continue };
                        let holds = self.known(flow, None).holds(&condition);
                        let held = self.watched.insert((flow, alternative), holds).unwrap_or(false);
                        // What the write turned was noted when it was made.
                        (holds, held && !by.is_some_and(|by| by.turned.contains(&(flow, alternative))))
                    }
                };
                let own_write = by.is_some_and(|by| by.flow == flow);
                if fire && holds && !held && !fired && !own_write {
                    fired = true;
                    self.enter(flow, alternative, None, by.map_or(0, |by| by.num_hops + 1));
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

    /// Watched conditions that do not hold.
    pub(super) fn not_holding(&self) -> Vec<(usize, usize)> {
        let holds = |(flow, alternative): (usize, usize)| {
            let condition = self.watched_condition(&self.flows[flow].alternatives[alternative])?;
            Some(self.known(flow, None).holds(&condition))
        };
        self.all_alternatives().into_iter().filter(|at| holds(*at) == Some(false)).collect()
    }

    /// Scores fade below their thresholds in silence.
    pub(super) fn fade(&mut self) {
        for (flow, alternative) in self.all_alternatives() {
            if let Alternative::Score(trigger) = &self.flows[flow].alternatives[alternative] {
                let holds = self.known(flow, None).holds(&trigger.condition());
                self.watched.insert((flow, alternative), holds);
            }
        }
    }

    /// A date's timer stands for its value; another value re-arms (R10).
    pub(super) fn arm_dates(&mut self) {
        for (flow, alternative) in self.all_alternatives() {
            let Alternative::Date(trigger) = self.flows[flow].alternatives[alternative].clone() else { continue };
            let value = self.known(flow, None).value(&trigger.property);
            let armed_for = (value.clone(), self.zone().name().to_owned());
            if self.dates.get(&(flow, alternative)) == Some(&armed_for) {
                continue;
            }
            let is_its =
                |t: &Timer| matches!(t.what, Due::Date { flow: f, alternative: a } if (f, a) == (flow, alternative));
            // Another wall moves the day that was armed, into the past, too (R17); another value begins from now.
            let was = self.timers.iter().find(|t| is_its(t)).map(|t| t.due);
            let same_value = self.dates.get(&(flow, alternative)).is_some_and(|(old, _)| *old == value);
            let after = match was.filter(|_| same_value) {
                Some(was) => self.now.min(was.plus_millis(-48 * 3_600_000)),
                None => self.now,
            };
            self.dates.insert((flow, alternative), armed_for);
            self.timers.retain(|t| !is_its(t));
            let zone = self.zone();
            let mut due = value.as_ref().and_then(|value| trigger.next_due(value, after, &zone));
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
}
