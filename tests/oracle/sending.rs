//! Messages: the tests at the step, the hand-over, responses (R21 to R25).

use super::*;

impl<'w> Oracle<'w> {
    pub(super) fn try_message(
        &mut self,
        journey: usize,
        node: &str,
        pass: u32,
        reached: Instant,
        capped_since: Option<Instant>,
    ) {
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
    pub(super) fn hand_over(&mut self) {
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
                    self.wake_waiters();
                    self.row(journey, &node, pass, format!("skipped {reason}"));
                }
            }
        }
    }

    /// A place has come free: messages that wait are tested again, in the order of waiting (R23).
    fn wake_waiters(&mut self) {
        let mut waiting: Vec<(Instant, u64, usize)> = Vec::new();
        for timer in &self.timers {
            if let Due::Journey(journey) = timer.what
                && matches!(self.journeys[journey].place, Place::Message { .. })
                && timer.due > self.now
            {
                waiting.push((timer.due, timer.sequence, journey));
            }
        }
        waiting.sort_unstable();
        for (_, _, journey) in waiting {
            self.unarm(journey);
            self.arm(self.now, Due::Journey(journey));
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
    pub(super) fn rules(&self, flow: usize, channel: Channel) -> Vec<&CapRule> {
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
    pub(super) fn room_at(&self, flow: usize, rule: &CapRule) -> Option<Instant> {
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

    pub(super) fn variant(&self, flow: usize, node: &str, wanted: &Wanted<'_>) -> String {
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
                id: format!("{}:{}/{node}/{pass}:{n}", response.response.event_name(), self.journeys[journey].id)
                    .as_str()
                    .into(),
                contact: self.contact.id.clone(),
                name: response.response.event_name().into(),
                happened: at,
                accepted: at,
                properties,
            }));
        }
        sort(&mut self.inputs);
    }
}
