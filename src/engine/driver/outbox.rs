//! From an intent to its outcome: made, claimed, begun, settled (SEMANTICS R21, R22, R29).

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use smol_str::SmolStr;

use super::{Driver, Result, json, millis, own_event, seen::Places};
use crate::{
    audience::{Event, Properties, ResponseKind, Value},
    base::{Instant, JourneyId, SendKey},
    engine::{
        delivery::pace::back_off_millis,
        redact,
        store::{DamagedRow, Error, Kind, OutboxRow, Store},
        work::{Begin, Handed, Job, Source, Standing},
    },
    journey::{self, HandOver, Intent, IntentWhat},
    kinds::runtime::{Control, Delivery, Input, Outcome, Reason},
};

/// Nothing is put off for longer at once, in milliseconds. Source: assumption, `send_latest_age` by default.
const MOST_PUT_OFF_MILLIS: i64 = 24 * 3_600_000;

impl Driver {
    /// Makes a send of an intent; one whose key is there becomes due again (a retry of what was held).
    pub(super) fn intend(&mut self, n: i64, at: Instant, intent: Intent, resends: bool) -> Result<()> {
        let what = json(&intent.what)?;
        match self.store.send_or_damaged(&intent.key)? {
            // Nobody knows what became of it.
            Some(Err(damaged)) => self.set_aside(&damaged, None, Outcome::Unknown, at),
            Some(Ok(mut row)) => {
                // It left before a restore, after the copy was made: once more only by a person's word for it.
                if self.is_left_before(&row)? {
                    (row.contact, row.flow, row.what) = (n, SmolStr::new(intent.flow.as_str()), what);
                    self.store.take_send(&row)?;
                    return self.finish(&row, Delivery::Held(Reason::TooLate), at, Store::LEFT_BEFORE);
                }
                match row.standing {
                    Standing::Due | Standing::Claimed | Standing::HandingOver => return Ok(()),
                    // What was held is tried again; what may have left only where a person says so (SEMANTICS R21).
                    Standing::Settled(Outcome::Held) => {}
                    Standing::Settled(Outcome::Unknown) if resends => {}
                    // A key that was used before (a step that went and came back by migrations) is not used again.
                    Standing::Settled(_) => {
                        let result = Delivery::Skipped(Reason::NotInFlow);
                        return self.feed(n, &Input::Delivered { at, key: intent.key, result });
                    }
                }
                self.store.set_send_what(row.n, &what)?;
                self.due_from(&row, intent.at, at, Some((None, "")))
            }
            None => {
                let row = OutboxRow {
                    n: 0,
                    key: intent.key,
                    contact: n,
                    flow: SmolStr::new(intent.flow.as_str()),
                    what,
                    standing: Standing::Due,
                    attempt: 0,
                    made: at,
                    not_before: intent.at,
                    at,
                };
                self.store.add_send(&row)?;
                self.deltas.standing("due", 1);
                Ok(())
            }
        }
    }

    /// Whether all that is known of a send is that it left after the copy was made that was put back, or may have.
    fn is_left_before(&self, row: &OutboxRow) -> Result<bool> {
        let may_be = matches!(row.standing, Standing::Settled(Outcome::Sent | Outcome::Held));
        Ok(may_be && self.store.left_before(row.n)?)
    }

    /// A person says of a send, though it may have left before a restore: once more.
    pub(super) fn mean(&mut self, n: i64, key: &SendKey, at: Instant) -> Result<()> {
        let Some(mut row) = self.store.send(key)? else { return Ok(()) };
        if self.is_left_before(&row)? {
            row.contact = n;
            self.store.take_send(&row)?;
            let why = Some((Some(Reason::TooLate), ""));
            self.stand(&row, Standing::Settled(Outcome::Held), row.attempt, None, at, why)?;
        }
        Ok(())
    }

    /// The key of what is held at its step in a journey.
    pub(super) fn held_key(&self, n: i64, journey: &JourneyId) -> Option<SendKey> {
        let held = Places::of(&self.flows, &self.cache.get(n)?.state).held_rows();
        held.iter().find(|row| row.journey == journey.as_str()).and_then(|row| SendKey::parse(&row.key))
    }

    /// A held call or alert is due again.
    pub(super) fn due_again(&mut self, row: &OutboxRow, at: Instant) -> Result<()> {
        self.due_from(row, at, at, Some((None, "")))
    }

    /// It is due by the flow's own rules, or by a person's word: what it waited for before is no lateness.
    fn due_from(
        &mut self,
        row: &OutboxRow,
        due: Instant,
        at: Instant,
        why: Option<(Option<Reason>, &str)>,
    ) -> Result<()> {
        self.stand(row, Standing::Due, row.attempt, Some(due), at, why)?;
        self.store.set_send_made(row.n, due)
    }

    /// Somebody knows that a send has left of which it was unknown.
    pub(super) fn has_left(&mut self, row: &OutboxRow, at: Instant) -> Result<()> {
        let why = Some((Some(Reason::Ok), "it was found to have left"));
        self.stand(row, Standing::Settled(Outcome::Sent), row.attempt, None, at, why)?;
        match self.load(row.contact) {
            Ok(()) => {
                let control = Control::MarkSent { key: row.key.clone(), at: row.at };
                self.feed(row.contact, &Input::Control { at, control })
            }
            // Nobody can be told; what is known of the send is kept all the same.
            Err(error) if error.kind == Kind::Corrupt => {
                self.told.warnings.push(error.message);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Moves a row, and keeps the counts.
    fn stand(
        &mut self,
        row: &OutboxRow,
        to: Standing,
        attempt: u32,
        not_before: Option<Instant>,
        at: Instant,
        why: Option<(Option<Reason>, &str)>,
    ) -> Result<()> {
        // Whoever looks for it in a mail server's log needs to know when it was handed over.
        let is_lost = row.standing == Standing::HandingOver && to == Standing::Settled(Outcome::Unknown);
        self.store.set_send(row.n, to, attempt, not_before, if is_lost { row.at } else { at }, why)?;
        if !matches!(to, Standing::Claimed | Standing::HandingOver) {
            self.recipients.remove(&row.key);
        }
        let place = (row.flow.as_str(), row.key.node.as_str());
        self.deltas.send(place, Some(name(row.standing)), Some(name(to)));
        if let Standing::Settled(outcome) = to {
            *self.told.outcomes.entry(outcome.name()).or_default() += 1;
        }
        Ok(())
    }

    /// Settles a send, and tells its contact.
    fn finish(&mut self, row: &OutboxRow, result: Delivery, at: Instant, detail: &str) -> Result<()> {
        let (outcome, reason) = match &result {
            Delivery::Sent => (Outcome::Sent, Reason::Ok),
            Delivery::Skipped(reason) => (Outcome::Skipped, *reason),
            Delivery::Refused(reason) => (Outcome::Refused, *reason),
            Delivery::Held(reason) => (Outcome::Held, *reason),
            Delivery::Unknown => (Outcome::Unknown, Reason::NoAnswer),
            Delivery::Deferred { until } => {
                self.due_from(row, *until, at, None)?;
                return self.feed(row.contact, &Input::Delivered { at, key: row.key.clone(), result });
            }
        };
        self.stand(row, Standing::Settled(outcome), row.attempt, None, at, Some((Some(reason), detail)))?;
        let tells = match self.what_of(row) {
            Ok(IntentWhat::Message { .. }) => true,
            // A call that is held waits for somebody; its step waits for the answer, as long as it may.
            Ok(IntentWhat::Webhook) => outcome != Outcome::Held,
            Ok(IntentWhat::Alert) => false,
            // Whatever it was: what became of it is known.
            Err(error) => {
                self.told.warnings.push(error.message);
                true
            }
        };
        if tells {
            self.feed(row.contact, &Input::Delivered { at, key: row.key.clone(), result })?;
        }
        Ok(())
    }

    fn what_of(&self, row: &OutboxRow) -> Result<IntentWhat> {
        serde_json::from_str(&row.what).map_err(|error| Error::damaged(format!("send `{}`: {error}", row.key)))
    }

    /// Claims sends that are due, soonest first, for senders to render.
    ///
    /// Errors: the store's.
    pub fn claim_due(&mut self, now: Instant, limit: usize) -> Result<Vec<Job>> {
        let (rows, damaged) = self.store.all_due(now, limit)?;
        for damaged in &damaged {
            self.set_aside(damaged, Some(Standing::Due), Outcome::Held, now)?;
        }
        self.claim_rows(now, rows)
    }

    /// Claims one send, where it is due.
    ///
    /// Errors: the store's.
    pub fn claim(&mut self, now: Instant, key: &SendKey) -> Result<Option<Job>> {
        let rows = self.store.send(key)?.filter(|row| row.standing == Standing::Due).into_iter().collect();
        Ok(self.claim_rows(now, rows)?.pop())
    }

    fn claim_rows(&mut self, now: Instant, rows: Vec<OutboxRow>) -> Result<Vec<Job>> {
        let mut jobs = Vec::new();
        for row in rows {
            if !self.load_or_hold(&row, now)? {
                continue;
            }
            if let Some(until) = self.restored
                && row.not_before <= until
            {
                let has_left = self.store.left_before(row.n)?;
                let why = if has_left { Store::LEFT_BEFORE } else { "overdue after a restore" };
                self.finish(&row, Delivery::Held(Reason::TooLate), now, why)?;
                continue;
            }
            let Some((what, codes)) = self.may_go(&row, now)? else { continue };
            let Some(loaded) = self.cache.get(row.contact) else { continue };
            let journey = loaded.state.journey(&row.key.journey);
            let sent = loaded.state.send(&row.key).map(|send| send.version);
            let Some(version) =
                sent.or(journey.map(|journey| journey.version)).and_then(|hash| self.flows.version(&hash)).cloned()
            else {
                self.finish(&row, Delivery::Held(Reason::Fault), now, "its version is not there")?;
                continue;
            };
            let job = Job {
                key: row.key.clone(),
                flow: crate::base::FlowId::new(&row.flow),
                attempt: row.attempt + 1,
                what,
                contact: std::sync::Arc::new(loaded.state.clone()),
                version,
                workspace: self.workspace.clone(),
                codes,
                now,
            };
            let contact = &job.contact.contact;
            self.recipients.insert(row.key.clone(), (contact.email.clone(), contact.phone.clone()));
            self.stand(&row, Standing::Claimed, row.attempt + 1, None, now, None)?;
            jobs.push(job);
        }
        Ok(jobs)
    }

    /// The second test (SEMANTICS R22), and what else must hold; what it stops is settled here. Codes are given with
    /// it.
    fn may_go(&mut self, row: &OutboxRow, now: Instant) -> Result<Option<(IntentWhat, BTreeMap<SmolStr, SmolStr>)>> {
        // Words come before the question, and due timers before both.
        self.hear(row.contact)?;
        if self.cache.get(row.contact).and_then(|loaded| loaded.state.next_wake()).is_some_and(|due| due <= now) {
            self.feed(row.contact, &Input::Wake { at: now })?;
        }
        let what = self.what_of(row)?;
        let Some(loaded) = self.cache.get(row.contact) else { return Ok(None) };
        match &what {
            IntentWhat::Message { .. } => {
                // A fault in the core is this contact's alone (SEMANTICS R29).
                let (flows, state) = (&self.flows, &loaded.state);
                let asked = || journey::may_hand_over(flows, state, &row.key, now);
                let Ok(answer) = catch_unwind(AssertUnwindSafe(asked)) else {
                    self.broken.insert(row.contact);
                    let why = "the last test before the hand-over broke off";
                    self.stand(
                        row,
                        Standing::Settled(Outcome::Held),
                        row.attempt,
                        None,
                        now,
                        Some((Some(Reason::Fault), why)),
                    )?;
                    return Ok(None);
                };
                if answer != HandOver::Go {
                    if let Some(result) = Option::<Delivery>::from(answer) {
                        // Where the other side is why it is too late now, what it said stays.
                        let is_too_late =
                            matches!(result, Delivery::Held(Reason::TooLate) | Delivery::Skipped(Reason::TooLate));
                        let why = if is_too_late { self.store.put_off_by(row.n)? } else { None };
                        self.finish(row, result, now, &why.unwrap_or_default())?;
                    }
                    return Ok(None);
                }
                match self.codes(row)? {
                    Some(codes) => Ok(Some((what, codes))),
                    None => {
                        self.finish(row, Delivery::Held(Reason::Incomplete), now, "a pool of codes is empty")?;
                        Ok(None)
                    }
                }
            }
            IntentWhat::Webhook if !journey::awaits_answer(&self.flows, &loaded.state, &row.key) => {
                let to = Standing::Settled(Outcome::Skipped);
                self.stand(row, to, row.attempt, None, now, Some((Some(Reason::NotInFlow), "nobody waits for it")))?;
                Ok(None)
            }
            IntentWhat::Webhook | IntentWhat::Alert => Ok(Some((what, BTreeMap::new()))),
        }
    }

    /// A code of each pool that the mail shows, all or none: what the contact has, else the next (SEMANTICS R27).
    fn codes(&mut self, row: &OutboxRow) -> Result<Option<BTreeMap<SmolStr, SmolStr>>> {
        let Some(loaded) = self.cache.get(row.contact) else { return Ok(None) };
        let wanted = journey::pools_of(&self.flows, &loaded.state, &row.key).to_vec();
        let workspace = self.workspace.clone();
        let mut out = BTreeMap::new();
        let mut new: Vec<(SmolStr, usize)> = Vec::new();
        for name in wanted {
            // A pool that there is not is found by the checks, and by rendering.
            let Some(pool) = workspace.code_pools.iter().find(|pool| pool.name == name) else { continue };
            if let Some(shared) = &pool.shared {
                out.insert(name, shared.clone());
                continue;
            }
            if let Some(code) = self.store.code_of(&name, row.contact)? {
                out.insert(name, SmolStr::new(code));
                continue;
            }
            let mut at = self.pool_at.get(&name).copied().unwrap_or(0);
            while let Some(code) = pool.codes.get(at)
                && self.store.is_given(&name, code)?
            {
                at += 1;
            }
            self.pool_at.insert(name.clone(), at);
            if at >= pool.codes.len() {
                return Ok(None);
            }
            new.push((name, at));
        }
        for (name, at) in new {
            let pool = workspace.code_pools.iter().find(|pool| pool.name == name);
            let Some(code) = pool.and_then(|pool| pool.codes.get(at)) else { continue };
            if self.store.give_code(&name, code, row.contact, &row.key)? {
                self.pool_at.insert(name.clone(), at + 1);
                out.insert(name, code.clone());
            }
        }
        Ok(Some(out))
    }

    /// May a claimed send go to its transport now? Tests once more, and says *handing over*; `mail` is kept.
    ///
    /// Errors: the store's; then nothing may be handed over.
    pub fn begin(&mut self, now: Instant, key: &SendKey, attempt: u32, mail: Option<&[u8]>) -> Result<Begin> {
        let Some(row) = self.claimed(key, attempt, Standing::Claimed)? else { return Ok(Begin::No) };
        if !self.load_or_hold(&row, now)? || self.may_go(&row, now)?.is_none() {
            return Ok(Begin::No);
        }
        // The test may have moved the row itself.
        let Some(row) = self.claimed(key, attempt, Standing::Claimed)? else { return Ok(Begin::No) };
        // Rendered for another address than the one that was tested: it is claimed and rendered anew.
        let rendered_for = self.recipients.get(key);
        let present = self.cache.get(row.contact).map(|loaded| &loaded.state.contact);
        if let (Some((email, phone)), Some(contact)) = (rendered_for, present)
            && (contact.email != *email || contact.phone != *phone)
        {
            self.stand(&row, Standing::Due, attempt, Some(now), now, None)?;
            return Ok(Begin::No);
        }
        if let Some(mail) = mail {
            self.store.keep_mail(row.n, mail)?;
        }
        self.told.latencies.push((Source::HandOver, millis(now.since(row.made))));
        self.stand(&row, Standing::HandingOver, attempt, None, now, None)?;
        Ok(Begin::Go)
    }

    /// Loads the contact of a send; where it or the send itself cannot be read the send is held, and `false` said.
    fn load_or_hold(&mut self, row: &OutboxRow, now: Instant) -> Result<bool> {
        match self.load(row.contact).and_then(|()| self.what_of(row)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == Kind::Corrupt => {
                self.told.warnings.push(error.message.clone());
                let why = Some((Some(Reason::Fault), error.message.as_str()));
                self.stand(row, Standing::Settled(Outcome::Held), row.attempt, None, now, why)?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// A send whose row cannot be read is named by its number, settled and shown, and stops no other (SEMANTICS R29).
    /// `from` is where it stood, as far as that is known.
    fn set_aside(&mut self, row: &DamagedRow, from: Option<Standing>, to: Outcome, now: Instant) -> Result<()> {
        let message = format!("Send {}: {}", row.n, row.error.message);
        self.store.set_send(row.n, Standing::Settled(to), 0, None, now, Some((Some(Reason::Fault), &message)))?;
        let (flow, node) = self.store.place_of_send(row.n)?.unwrap_or_default();
        self.deltas.send((&flow, &node), from.map(name), Some(to.name()));
        *self.told.outcomes.entry(to.name()).or_default() += 1;
        self.told.warnings.push(message);
        Ok(())
    }

    fn claimed(&self, key: &SendKey, attempt: u32, standing: Standing) -> Result<Option<OutboxRow>> {
        Ok(self.store.send(key)?.filter(|row| row.attempt == attempt && row.standing == standing))
    }

    /// What became of a claim: of one that never began, or of a hand-over. What is known already stays.
    ///
    /// Errors: the store's; then the row stays as it was, and the next start makes it *unknown*.
    pub fn settle(&mut self, now: Instant, key: &SendKey, attempt: u32, handed: &Handed) -> Result<()> {
        // What went back for want of a place never began, and its attempt's number is used again: a late word of it is
        // not about a hand-over that began meanwhile.
        let begun = match handed {
            Handed::NotYet { .. } => None,
            _ => self.claimed(key, attempt, Standing::HandingOver)?,
        };
        let Some(row) = begun.map_or_else(|| self.claimed(key, attempt, Standing::Claimed), |row| Ok(Some(row)))?
        else {
            return Ok(());
        };
        match self.load(row.contact) {
            Ok(()) => {}
            // Nobody can be told; what is known of the send is kept all the same.
            Err(error) if error.kind == Kind::Corrupt => {
                self.told.warnings.push(error.message);
                let (outcome, reason) = match handed {
                    Handed::Done => (Outcome::Sent, Reason::Ok),
                    Handed::No { .. } => (Outcome::Refused, Reason::Rejected),
                    Handed::Unknown { .. } => (Outcome::Unknown, Reason::NoAnswer),
                    _ => (Outcome::Held, Reason::Fault),
                };
                let why = Some((Some(reason), "its contact cannot be read"));
                return self.stand(&row, Standing::Settled(outcome), attempt, None, now, why);
            }
            Err(error) => return Err(error),
        }
        // Whoever looks at the engine is to mend it; one word of it is enough, whoever the mails are for.
        let is_ours = matches!(handed, Handed::Ours { .. });
        if let Handed::Ours { detail, .. } | Handed::Held { reason: Reason::Rejected, detail } = handed {
            self.told.warnings.push(redact::text(detail));
        }
        match handed {
            Handed::Done => self.finish(&row, Delivery::Sent, now, ""),
            Handed::Later { detail, after_millis } | Handed::Ours { detail, after_millis } => {
                // Who hands over knows when to try again, and when to give up; this is for who says nothing.
                let asked = after_millis.map(|millis| i64::try_from(millis).unwrap_or(i64::MAX));
                let pause = asked.unwrap_or_else(|| back_off_millis(key, attempt)).min(MOST_PUT_OFF_MILLIS);
                let reason = if is_ours { Reason::Rejected } else { Reason::NoAnswer };
                let why = Some((Some(reason), detail.as_str()));
                self.stand(&row, Standing::Due, attempt, Some(now.plus_millis(pause)), now, why)
            }
            Handed::NotYet { detail, after_millis } => {
                let pause = i64::try_from(*after_millis).unwrap_or(i64::MAX).min(MOST_PUT_OFF_MILLIS);
                let why = Some((None, detail.as_str()));
                self.stand(&row, Standing::Due, attempt.saturating_sub(1), Some(now.plus_millis(pause)), now, why)
            }
            Handed::No { detail, bad_address } => {
                // To whom it went is known as long as it is under way.
                let email = self.recipients.get(key).and_then(|(email, _)| email.clone());
                self.finish(&row, Delivery::Refused(Reason::Rejected), now, detail)?;
                if *bad_address { self.bounce(&row, email, now) } else { Ok(()) }
            }
            Handed::Unknown { detail } => self.finish(&row, Delivery::Unknown, now, detail),
            Handed::Held { reason, detail } => self.finish(&row, Delivery::Held(*reason), now, detail),
        }
    }

    /// The address is none: nothing goes there any more (SEMANTICS R0, R22). That of a team's alert is not the
    /// contact's. The present one is meant where nobody knows to which it went.
    fn bounce(&mut self, row: &OutboxRow, email: Option<SmolStr>, now: Instant) -> Result<()> {
        let Ok(IntentWhat::Message { message, variant, .. }) = self.what_of(row) else { return Ok(()) };
        let Some(loaded) = self.cache.get(row.contact) else { return Ok(()) };
        let mut properties = Properties::new();
        let mut set =
            |name: &'static str, value: &str| properties.insert(SmolStr::new_static(name), Value::text(value));
        set("flow", &row.flow);
        set("node", row.key.node.as_str());
        set("journey", row.key.journey.as_str());
        set("send_key", &row.key.to_string());
        set("message", message.as_str());
        set("variant", &variant);
        if let Some(email) = &email {
            set("email", email);
        }
        properties.insert(SmolStr::new_static("hard"), Value::Bool(true));
        let event = Event {
            id: own_event("bounce", &row.key),
            contact: loaded.state.contact.id.clone(),
            name: SmolStr::new_static(ResponseKind::Bounced.event_name()),
            happened: now,
            accepted: now,
            properties,
        };
        self.take_event(row.contact, event)
    }

    /// After a start: claims are free again; what was *handing over* has left where its transport knows so, is due
    /// again where it knows that it has not, and is *unknown* else (SEMANTICS R21). How many became unknown.
    ///
    /// Errors: the store's.
    pub fn recover(&mut self, now: Instant, has_left: &dyn Fn(&SendKey) -> Option<bool>) -> Result<usize> {
        // Who could not be read may have been brought back meanwhile.
        for n in self.damaged.clone() {
            match self.load(n) {
                Err(error) if error.kind != Kind::Corrupt => return Err(error),
                _ => {}
            }
        }
        let strange = self.store.strange_sends()?;
        if !strange.is_empty() {
            // Under what it was counted is not known. Whatever else this batch moves is counted after that.
            self.store.recount_sends()?;
        }
        for row in strange {
            // It may have left.
            self.set_aside(&row, None, Outcome::Unknown, now)?;
        }
        let (claimed, damaged) = self.store.all_in(Standing::Claimed)?;
        for row in damaged {
            self.set_aside(&row, Some(Standing::Claimed), Outcome::Held, now)?;
        }
        for row in claimed {
            self.stand(&row, Standing::Due, row.attempt, None, now, None)?;
        }
        let mut unknown = 0;
        let (begun, damaged) = self.store.all_in(Standing::HandingOver)?;
        for row in damaged {
            unknown += 1;
            self.set_aside(&row, Some(Standing::HandingOver), Outcome::Unknown, now)?;
        }
        for row in begun {
            match self.load(row.contact) {
                Ok(()) => {}
                // Nobody can be told; that nobody knows is shown all the same.
                Err(error) if error.kind == Kind::Corrupt => {
                    self.told.warnings.push(error.message);
                    unknown += 1;
                    let why = Some((Some(Reason::NoAnswer), "its contact cannot be read"));
                    self.stand(&row, Standing::Settled(Outcome::Unknown), row.attempt, None, now, why)?;
                    continue;
                }
                Err(error) => return Err(error),
            }
            match has_left(&row.key) {
                Some(true) => self.finish(&row, Delivery::Sent, now, "")?,
                Some(false) => self.stand(&row, Standing::Due, row.attempt, None, now, None)?,
                None => {
                    unknown += 1;
                    self.finish(&row, Delivery::Unknown, now, "the engine stopped while it was handed over")?;
                }
            }
        }
        Ok(unknown)
    }
}

/// The name under which a standing is counted.
pub(super) fn word(standing: &str) -> &'static str {
    const ALL: [&str; 8] = ["due", "claimed", "handing_over", "sent", "skipped", "refused", "held", "unknown"];
    ALL.into_iter().find(|word| *word == standing).unwrap_or("due")
}

fn name(standing: Standing) -> &'static str {
    match standing {
        Standing::Due => "due",
        Standing::Claimed => "claimed",
        Standing::HandingOver => "handing_over",
        Standing::Settled(outcome) => outcome.name(),
    }
}
