//! The walk from step to step, waits and delays (R13 to R20).

use super::*;

impl<'w> Oracle<'w> {
    /// Leaves a node by a port and goes on until the journey rests.
    pub(super) fn leave(&mut self, journey: usize, node: &str, port: &str) {
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
    pub(super) fn step(&mut self, journey: usize, node: &str) -> Option<String> {
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
            // Only its platform knows what it does; here contacts pass.
            Settings::Foreign(step) => left(self, step.ports.first()?),
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
                let open = self.not_holding();
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
                self.written(journey, Vec::new(), &open)
            }
            Settings::ListUpdate(update) => {
                let open = self.not_holding();
                let joined = update.add.iter().filter(|list| !self.contact.lists.contains(*list)).cloned().collect();
                self.contact.lists.extend(update.add.iter().cloned());
                self.contact.lists.retain(|list| !update.remove.contains(list));
                self.written(journey, joined, &open)
            }
            Settings::Trigger(_) | Settings::Note(_) => None,
        }
    }

    /// After a flow's own write: exits at once (R15), other flows may begin (R11), the journey goes on if it still can.
    /// What `open` watches and the write has turned is by this flow, whatever else comes in the same input.
    pub(super) fn written(&mut self, journey: usize, joined: Vec<SmolStr>, open: &[(usize, usize)]) -> Option<String> {
        let mut turned = Vec::new();
        let still = self.not_holding();
        for watched in open.iter().filter(|watched| !still.contains(watched)) {
            if !self.watched.insert(*watched, true).unwrap_or(false) {
                turned.push(*watched);
            }
        }
        self.settle();
        self.arm_dates();
        let Journey { flow, num_hops, .. } = self.journeys[journey];
        self.writers.push(Written { flow, num_hops, joined, turned });
        self.inside(journey).then(|| "next".to_owned())
    }

    pub(super) fn end(&mut self, journey: usize, how: &str) {
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
    pub(super) fn recompute_delays(&mut self) {
        let zone = self.zone();
        for timer in 0..self.timers.len() {
            let due = match &self.timers[timer].what {
                Due::Armed { flow, alternative, event, .. } => match &self.flows[*flow].alternatives[*alternative] {
                    // Where another A keeps the clock, the event that it counts from is not known here any more.
                    Alternative::Abandonment(trigger) if trigger.again != Again::Keep => {
                        trigger.due(event.happened, event.accepted, &zone)
                    }
                    _ => continue,
                },
                Due::Silence { flow, alternative } => match &self.flows[*flow].alternatives[*alternative] {
                    Alternative::Inactivity(silence) => {
                        let of_kind = self.log.iter().filter(|e| silence.events.contains(&e.name));
                        let last = of_kind.map(|e| e.happened).max().or(self.contact.created_at);
                        let Some(last) = last else { continue };
                        silence.after.after(last, &zone)
                    }
                    _ => continue,
                },
                _ => continue,
            };
            self.timers[timer].due = due.max(self.now);
        }
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
    pub(super) fn counts_since(&self, journey: usize, wait: &WaitForEvent, arrived: Instant) -> Instant {
        let journey = &self.journeys[journey];
        let entry = journey.event.as_ref().map_or(journey.entered, |event| event.happened);
        match wait.look_back {
            LookBack::Entry => entry,
            LookBack::PreviousMessage => journey.last_sent.unwrap_or(entry),
            LookBack::Now => arrived,
        }
    }

    pub(super) fn wait_counts(&self, journey: usize, wait: &WaitForEvent, event: &Event) -> bool {
        let matched = EventMatch { event: wait.event.clone(), filter: wait.filter.clone() };
        let entry = self.journeys[journey].event.as_ref();
        let known = self.known_by(journey);
        entry.is_none_or(|entry| entry.id != event.id)
            && matched.event == event.name
            && matched.filter.is_none_or(|f| known.with_event(event).holds(f.condition()))
    }
}
