//! Words from outside: to flows, to contacts, to the store. Each leaves an audit line.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::{Driver, Result, Tallied, Word, json, pinned, shown};
use crate::{
    audience::{Event, ResponseKind},
    base::{ContactId, FlowId, Instant, SendKey},
    engine::{
        forget::Person,
        store::{Error, Kind},
        work::{Done, Order, Refusal, Standing},
    },
    flow::{Flow, Workspace},
    journey::{Forgotten, IntentWhat, Status, Waiting, is_suppressible, suppression_key},
    kinds::runtime::{Change, Control, Input, Outcome},
};

/// Rows of the journal that are looked at in one go when old ones are dropped. Source: assumption.
const ROWS_PER_PRUNE: usize = 2_000;
/// Such goes for one order. Source: assumption; a second's work.
const PAGES_PER_ORDER: usize = 20;

/// Bytes of an address at most: 64 before the `@`, 255 after it. Source: RFC 5321, 4.5.3.1.
const MOST_ADDRESS: usize = 320;
/// Contacts of one address that are let go with it. Source: assumption.
const MOST_OF_ADDRESS: usize = 1_000;
/// Ids of events are known so long (SEMANTICS R2), so their rows stay so long.
const LEAST_DAYS: u32 = 30;

type Said = Result<Done>;

fn no(error: impl Into<String>, hint: impl Into<String>) -> Said {
    Ok(Err(Refusal::new(error, hint)))
}

fn yes(text: impl Into<String>) -> Said {
    Ok(Ok(text.into()))
}

impl Driver {
    /// Carries out an order; who gave it stands in the audit.
    ///
    /// Errors: the store's. What cannot be done is refused in words.
    pub fn order(&mut self, now: Instant, who: &str, order: &Order) -> Said {
        match order {
            Order::Publish { flow, workspace } => self.publish(now, who, flow, workspace),
            Order::Pause { flow, freeze } => {
                let (flow, freeze) = (flow.clone(), *freeze);
                let holds = |said: &&Control| match said {
                    Control::Pause { flow: of, freeze: is_frozen } => *of == flow && *is_frozen != freeze,
                    Control::Breaker { flow: of, .. } => *of == flow,
                    _ => false,
                };
                if self.baseline.iter().any(|said| holds(&said)) {
                    return no(format!("{flow} is paused already, in another way"), "Resume it first");
                }
                self.tell_flow(now, who, flow.clone(), Control::Pause { flow, freeze }, "is paused")
            }
            Order::Resume { flow } => {
                let control = Control::Resume { flow: flow.clone() };
                self.tell_flow(now, who, flow.clone(), control, "goes on")
            }
            Order::Drain { flow } => {
                let control = Control::Drain { flow: flow.clone() };
                self.tell_flow(now, who, flow.clone(), control, "lets nobody in any more")
            }
            Order::Migrate { flow, mapping } => {
                let Some(version) = self.flows.live_version(flow).cloned() else { return self.no_flow(flow) };
                if let Some((_, to)) = mapping.iter().find(|(_, to)| version.place_of(to).is_none()) {
                    return no(format!("The live version of {flow} has no step `{to}`"), "Name one of its steps");
                }
                let (version, mapping) = (version.hash, mapping.clone());
                let control = Control::Migrate { flow: flow.clone(), version, mapping };
                self.tell_flow(now, who, flow.clone(), control, "moves its journeys to the live version")
            }
            Order::Move { contact, journey, node } => {
                let (n, control) = match self.known(contact)? {
                    Some(n) => (n, Control::Move { journey: journey.clone(), node: node.clone() }),
                    None => return self.no_contact(contact),
                };
                let found = self.cache.get(n).and_then(|loaded| loaded.state.journey(journey));
                let Some(found) = found.filter(|journey| journey.is_active()) else {
                    return no(
                        format!("{contact} has no journey `{journey}` under way"),
                        "Look at the contact's journeys",
                    );
                };
                let place = self.flows.version(&found.version).and_then(|version| version.place_of(node));
                if place.is_none() {
                    return no(format!("The journey's version has no step `{node}`"), "Name one of its steps");
                }
                self.tell_contact(now, who, n, control, format!("moved {journey} to {node}"))
            }
            Order::End { contact, journey } => {
                let Some(n) = self.known(contact)? else { return self.no_contact(contact) };
                let found = self.cache.get(n).and_then(|loaded| loaded.state.journey(journey));
                if !found.is_some_and(crate::journey::Journey::is_active) {
                    return no(
                        format!("{contact} has no journey `{journey}` under way"),
                        "Look at the contact's journeys",
                    );
                }
                self.tell_contact(now, who, n, Control::End { journey: journey.clone() }, format!("ended {journey}"))
            }
            Order::Retry { key, resend } => self.retry(now, who, key, *resend),
            Order::MarkSent { key } => self.mark_sent(now, who, key),
            Order::Forget { contact } => self.forget(now, who, contact),
            Order::Erased { contact } => {
                self.store.drop_meta(&Person::meta(contact))?;
                yes("done")
            }
            Order::Suppress { addresses, lift } => self.suppress(now, who, addresses, *lift),
            Order::Prune { days } => self.prune(now, who, *days),
        }
    }

    /// Makes a flow live in a version named by its content.
    fn publish(&mut self, now: Instant, who: &str, flow: &Flow, workspace: &Workspace) -> Said {
        let text = json(workspace)?;
        let changed = self.store.meta("workspace")?.as_deref() != Some(text.as_str());
        let mut probe = crate::journey::FlowSet::new(workspace, &[]);
        let hash = probe.remember(workspace, flow);
        let live = self.flows.live().find(|(id, _)| **id == flow.id).map(|(_, hash)| *hash);
        if live == Some(hash) && !changed {
            return yes(format!("{} is live already, in version {hash}", flow.id));
        }
        self.store.add_version(&hash.to_string(), flow.id.as_str(), &pinned(flow, workspace)?, now)?;
        if changed {
            let (zone, may_wait) = (self.flows.default_zone().clone(), self.flows.live().next().is_some());
            self.store.set_meta("workspace", &text)?;
            self.set_workspace(workspace.clone())?;
            self.pool_at.clear();
            // Whoever has no zone of their own waits on another wall now (SEMANTICS R17).
            if may_wait && *self.flows.default_zone() != zone {
                self.say(now, Control::Zones, who)?;
            }
        } else {
            self.flows.remember(workspace, flow);
            self.names.insert(flow.id.clone(), flow.name.clone());
        }
        self.store.audit(now, None, who, &format!("published {} in version {hash}", flow.id))?;
        if live == Some(hash) {
            return yes(format!("{} is live already, in version {hash}; the workspace is the new one", flow.id));
        }
        // A drained flow lets people in again with its new version; one that is paused, or paused itself, waits for
        // somebody to resume it.
        self.say(now, Control::Adopt { flow: flow.id.clone(), version: hash }, who)?;
        yes(format!("{} is live in version {hash}", flow.id))
    }

    /// A word about a flow, to everybody.
    fn tell_flow(&mut self, now: Instant, who: &str, flow: FlowId, control: Control, what: &str) -> Said {
        if self.flows.live_version(&flow).is_none() {
            return self.no_flow(&flow);
        }
        self.store.audit(now, None, who, &format!("{flow} {what}"))?;
        if let Control::Resume { flow } = &control {
            self.counts.resumed(flow);
            self.tallied.push(Tallied::Resumed(flow.clone()));
        }
        self.say(now, control, who)?;
        yes(format!("{flow} {what}"))
    }

    fn tell_contact(&mut self, now: Instant, who: &str, n: i64, control: Control, what: String) -> Said {
        self.store.audit(now, Some(n), who, &what)?;
        self.feed(n, &Input::Control { at: now, control })?;
        yes(what)
    }

    fn no_flow(&self, flow: &FlowId) -> Said {
        let live: Vec<&str> = self.flows.live().map(|(id, _)| id.as_str()).collect();
        no(format!("No flow `{flow}` is live here"), crate::base::nearest::hint(flow.as_str(), live))
    }

    fn no_contact(&self, contact: &ContactId) -> Said {
        no(format!("There is no contact {}", shown(contact)), "Search for it by its address")
    }

    /// The number of a contact that there is, loaded.
    fn known(&mut self, id: &ContactId) -> Result<Option<i64>> {
        let Some(n) = self.store.contact_number(id.as_str())? else { return Ok(None) };
        self.load(n)?;
        Ok(Some(n))
    }

    /// Adds a word to everybody; contacts hear it before anything else that is said to them.
    pub(super) fn say(&mut self, at: Instant, control: Control, who: &str) -> Result<()> {
        let n = self.store.add_control(at, &json(&control)?, who)?;
        self.take_word(Word { n, at, control });
        self.walk = Some((n, 0));
        self.store.set_meta("walked_contact", "0")
    }

    /// Takes a word into what is in memory: what is live, and what new contacts hear.
    pub(super) fn take_word(&mut self, word: Word) {
        if let Control::Adopt { version, .. } = &word.control {
            self.flows.make_live(version);
        }
        let flow_of = |control: &Control| match control {
            Control::Adopt { flow, .. }
            | Control::Pause { flow, .. }
            | Control::Breaker { flow, .. }
            | Control::Drain { flow }
            | Control::Winner { flow, .. } => Some(flow.clone()),
            _ => None,
        };
        match &word.control {
            Control::Adopt { flow, .. } => {
                let ends = |said: &Control| matches!(said, Control::Adopt { flow: of, .. } | Control::Drain { flow: of } if of == flow);
                self.baseline.retain(|said| !ends(said));
                // In flow order, as at the start of a replay.
                let at = self
                    .baseline
                    .iter()
                    .position(|said| !matches!(said, Control::Adopt { flow: of, .. } if of < flow))
                    .unwrap_or(self.baseline.len());
                self.baseline.insert(at, word.control.clone());
            }
            Control::Resume { flow } => {
                let ends = |said: &Control| matches!(said, Control::Pause { .. } | Control::Breaker { .. });
                self.baseline.retain(|said| !(ends(said) && flow_of(said).as_ref() == Some(flow)));
            }
            Control::Pause { .. } | Control::Breaker { .. } | Control::Drain { .. } | Control::Winner { .. } => {
                self.baseline.push(word.control.clone());
            }
            _ => {}
        }
        self.words.push(word);
    }

    /// After a start: whether this build's zone data are others than those the waits were reckoned with; then everybody
    /// hears of it (SEMANTICS R17).
    ///
    /// Errors: the store's.
    pub fn look_at_zones(&mut self, now: Instant, zones: &str) -> Result<bool> {
        let before = self.store.meta("zones")?;
        if before.as_deref() == Some(zones) {
            return Ok(false);
        }
        self.store.set_meta("zones", zones)?;
        // A new store has nobody who waits.
        if before.is_none() {
            return Ok(false);
        }
        self.say(now, Control::Zones, "engine")?;
        Ok(true)
    }

    fn retry(&mut self, now: Instant, who: &str, key: &SendKey, resend: bool) -> Said {
        let row = self.store.send(key)?;
        let contact = match &row {
            Some(row) if row.contact > 0 => Some(row.contact),
            _ => self.store.held_contact(key.journey.as_str())?,
        };
        let Some(n) = contact else {
            return no(format!("Nothing is held under `{key}`"), "flowloom held lists what is");
        };
        match self.load(n) {
            // What it waits for is that somebody mends that; a refusal of the store would say: come back later.
            Err(error) if error.kind == Kind::Corrupt => {
                return no(format!("`{key}` cannot be tried again: {}", error.message), error.hint);
            }
            loaded => loaded?,
        }
        // What is held at its step has no row of its own; one under this key is of another time that it stood there.
        let is_open = |standing| matches!(standing, Standing::Settled(Outcome::Held | Outcome::Unknown));
        let standing = row.as_ref().map(|row| row.standing);
        let standing = standing.filter(|standing| is_open(*standing) || !self.is_held_at(n, key));
        match standing {
            Some(Standing::Settled(Outcome::Unknown)) if !resend => {
                return no(
                    format!("`{key}` may have left: nobody knows"),
                    "Look at the mail server's log; retry with --resend where it did not leave, with --sent where it did",
                );
            }
            Some(Standing::Settled(outcome @ (Outcome::Unknown | Outcome::Held))) => {
                let row = row.as_ref().ok_or_else(|| Error::damaged("a send is gone"))?;
                let what: IntentWhat = serde_json::from_str(&row.what).map_err(Error::damaged)?;
                if what == IntentWhat::Webhook && !self.awaits_answer(n, key) {
                    return no(
                        format!("Nobody waits for the answer of `{key}` any more: its journey has gone on"),
                        "Move the journey back to the step where the call is to be made after all",
                    );
                }
                let is_held = outcome == Outcome::Held;
                let said = if is_held { format!("tries {key} again") } else { format!("sends {key} once more") };
                self.store.audit(now, Some(n), who, &said)?;
                if is_held {
                    self.mean(n, key, now)?;
                }
                // The core knows of messages only, and of those that it was told are held or unknown.
                if matches!(what, IntentWhat::Message { .. }) && !self.is_pending(n, key) {
                    let control = match is_held {
                        true => Control::Retry { journey: key.journey.clone(), key: Some(key.clone()) },
                        false => Control::Resend { key: key.clone() },
                    };
                    self.feed(n, &Input::Control { at: now, control })?;
                } else {
                    self.due_again(row, now)?;
                }
            }
            Some(_) => return no(format!("`{key}` is not held"), "flowloom held lists what is"),
            None => {
                self.store.audit(now, Some(n), who, &format!("tries {} again", key.journey))?;
                let held = self.held_key(n, &key.journey);
                if let Some(held) = &held {
                    self.mean(n, held, now)?;
                }
                let control = Control::Retry { journey: key.journey.clone(), key: held };
                self.feed(n, &Input::Control { at: now, control })?;
            }
        }
        yes(format!("{key} is tried again"))
    }

    /// A send of which nobody knew whether it left has left: somebody says so.
    fn mark_sent(&mut self, now: Instant, who: &str, key: &SendKey) -> Said {
        let lists = "flowloom held lists those of which nobody knows whether they left";
        let Some(row) = self.store.send(key)? else { return no(format!("There is no send `{key}`"), lists) };
        let stands = match row.standing {
            Standing::Settled(Outcome::Unknown) => {
                self.store.audit(now, Some(row.contact), who, &format!("takes {key} as sent"))?;
                self.has_left(&row, now)?;
                return yes(format!("{key} is taken as sent"));
            }
            Standing::Settled(Outcome::Sent) => return no(format!("`{key}` is sent already"), lists),
            Standing::Settled(Outcome::Held) => {
                let hint = "Try it again with flowloom retry KEY, once what holds it is mended";
                return no(format!("`{key}` is held: it has not left"), hint);
            }
            Standing::Settled(Outcome::Skipped) => "was skipped",
            Standing::Settled(Outcome::Refused) => "was refused",
            Standing::Due | Standing::Claimed => "has not left yet",
            Standing::HandingOver => "is on its way",
        };
        no(format!("`{key}` {stands}: only what nobody knows of can be taken as sent"), lists)
    }

    fn awaits_answer(&self, n: i64, key: &SendKey) -> bool {
        self.cache.get(n).is_some_and(|loaded| crate::journey::awaits_answer(&self.flows, &loaded.state, key))
    }

    /// Whether a send is still to be handed over as far as its contact knows: a row that was held or became unknown
    /// since its contact could not be read, or was held since its last test broke off, was never told.
    fn is_pending(&self, n: i64, key: &SendKey) -> bool {
        let send = self.cache.get(n).and_then(|loaded| loaded.state.send(key));
        send.is_some_and(|send| send.status == Status::Pending)
    }

    /// Whether the journey of a key stands at its step, held.
    fn is_held_at(&self, n: i64, key: &SendKey) -> bool {
        let Some(journey) = self.cache.get(n).and_then(|loaded| loaded.state.journey(&key.journey)) else {
            return false;
        };
        let version = self.flows.version(&journey.version);
        journey.is_active()
            && matches!(journey.waiting, Waiting::Held(_))
            && version.and_then(|version| journey.node_id(version)) == Some(&key.node)
    }

    pub(super) fn forget(&mut self, now: Instant, who: &str, contact: &ContactId) -> Said {
        let Some(n) = self.store.contact_number(contact.as_str())? else { return self.no_contact(contact) };
        self.note_files(n, contact)?;
        match self.load(n) {
            Ok(()) => self.feed(n, &Input::Control { at: now, control: Control::Forget })?,
            // Whoever cannot be read can be forgotten: the row begins anew, and is told what holds.
            Err(error) if error.kind == Kind::Corrupt => self.begin_anew(n, contact, now)?,
            Err(error) => return Err(error),
        }
        self.is_readable(n)?;
        // What is seen of it goes first, so that the differences are right; then all rows.
        self.write_contact(n, now)?;
        self.dirty.retain(|dirty| *dirty != n);
        for ([flow, node, standing], count) in self.store.forget(n)? {
            self.deltas.sends((&flow, &node), Some(super::outbox::word(&standing)), -count);
        }
        self.cache.remove(n);
        self.store.audit(now, Some(n), who, "forgotten")?;
        yes(format!(
            "{contact} is forgotten: history, journeys and kept mails are gone from the store, the id stays suppressed"
        ))
    }

    /// By what the files of somebody who is to be forgotten are known, in the same commit: whoever deletes them finds
    /// it, also after a crash.
    fn note_files(&mut self, n: i64, contact: &ContactId) -> Result<()> {
        let mut person = self.store.traces(n, contact)?;
        // A note that cannot be read any more says nothing.
        let older = self.store.meta(&Person::meta(contact))?.and_then(|text| serde_json::from_str(&text).ok());
        if let Some(older) = older {
            person.join(older);
        }
        self.store.set_meta(&Person::meta(contact), &json(&person)?)
    }

    fn suppress(&mut self, now: Instant, who: &str, addresses: &[String], lift: bool) -> Said {
        // What the workspace says is said again at every start.
        let own: BTreeSet<String> = self.workspace.suppression.iter().map(|own| suppression_key(own)).collect();
        let is_own = |address: &&str| lift && own.contains(&suppression_key(address));
        if let Some(address) = addresses.iter().map(|address| address.trim()).find(is_own) {
            return no(
                format!("{address} stands in the workspace's own suppression list; nothing was taken off"),
                "Take it out of flowloom.ron and publish a flow of the workspace, then lift it here",
            );
        }
        // All of them before the first is written: a refusal leaves nothing behind.
        let is_none = |address: &&str| {
            address.is_empty() || address.len() > MOST_ADDRESS || address.chars().any(char::is_control)
        };
        if let Some(address) = addresses.iter().map(|address| address.trim()).find(is_none) {
            return no(format!("`{}` is no address", address.escape_default()), "Write one address per line");
        }
        if let Some(text) = addresses.iter().find(|text| !lift && !is_suppressible(text)) {
            return no(
                format!(
                    "`{}` is neither an e-mail address nor a phone number with its country code",
                    text.escape_default()
                ),
                "Write ada@shop.example or +4915112345678; nothing was changed",
            );
        }
        let mut changed = 0_usize;
        // On no list, and nobody's by now: somebody's old address may have bounced.
        let mut nobodys = 0_usize;
        for address in addresses {
            let has_changed = self.store.suppress(&suppression_key(address), lift, now)?;
            changed += usize::from(has_changed);
            let may_bounce = lift && !has_changed && address.contains('@');
            if may_bounce && self.store.contacts_at(&address.trim().to_lowercase(), 1)?.is_empty() {
                nobodys += 1;
            }
        }
        self.flows.suppress(addresses.iter().map(String::as_str), lift);
        let what = if lift { "taken off the suppression list" } else { "added to the suppression list" };
        let mut what = format!("{changed} of {} addresses {what}", addresses.len());
        let (mut lifted, mut stay) = (0_usize, 0_usize);
        for address in addresses.iter().filter(|_| lift) {
            for n in self.store.contacts_at(&address.trim().to_lowercase(), MOST_OF_ADDRESS)? {
                match self.lift(now, who, n)? {
                    Some(true) => lifted += 1,
                    Some(false) => stay += 1,
                    None => {}
                }
            }
        }
        let people = |n: usize| if n == 1 { "1 person".to_owned() } else { format!("{n} people") };
        if lifted > 0 {
            what.push_str(&format!("; {} may be written to again", people(lifted)));
        }
        if stay > 0 {
            what.push_str(&format!("; {} not: whoever complained or was forgotten stays suppressed", people(stay)));
        }
        if nobodys > 0 {
            what.push_str(&format!(
                "; {nobodys} on no list and nobody's now: what bounced for somebody who has another address by now \
                 stays off until they have it again and it is lifted then"
            ));
        }
        self.store.audit(now, None, who, &what)?;
        yes(what)
    }

    /// Lets a contact be written to again; whether it may be, `None` where nothing spoke against it, or where it cannot
    /// be read.
    fn lift(&mut self, now: Instant, who: &str, n: i64) -> Result<Option<bool>> {
        match self.load(n) {
            Err(error) if error.kind == Kind::Corrupt => {
                self.told.warnings.push(error.message);
                return Ok(None);
            }
            loaded => loaded?,
        }
        // What everybody hears may have changed it.
        self.hear(n)?;
        let Some(state) = self.cache.get(n).map(|loaded| &loaded.state) else { return Ok(None) };
        if !state.is_suppressed() {
            return Ok(None);
        }
        let complained = ResponseKind::Complained.event_name();
        let has_complained = !state.log.of(complained).is_empty() || state.log.forgotten(complained) > 0;
        if has_complained || self.store.has_complained_before(n)? || self.store.is_forgotten(n)? {
            return Ok(Some(false));
        }
        self.store.audit(now, Some(n), who, "may be written to again")?;
        let change = Change { suppressed: Some(false), ..Change::default() };
        self.feed(n, &Input::Profile { at: now, change })?;
        Ok(Some(true))
    }

    /// Drops old rows, some pages of them; the writer drops what is left in its own time.
    fn prune(&mut self, now: Instant, who: &str, days: u32) -> Said {
        if days < LEAST_DAYS {
            return no(
                format!(
                    "Nothing younger than {LEAST_DAYS} days is dropped: so long an event that comes again is known"
                ),
                format!("Name at least {LEAST_DAYS} days"),
            );
        }
        let (mut rows, mut sends) = (0, 0);
        for _ in 0..PAGES_PER_ORDER {
            let (more_rows, more_sends) = self.prune_page(now, days)?;
            (rows, sends) = (rows + more_rows, sends + more_sends);
            if more_rows + more_sends == 0 {
                break;
            }
        }
        if rows + sends > 0 {
            self.store.audit(
                now,
                None,
                who,
                &format!("dropped {rows} rows and {sends} sends older than {days} days"),
            )?;
        }
        yes(format!("{rows} rows and {sends} sends older than {days} days are gone"))
    }

    /// Drops a page of rows that are older than so many days (at least 30); how many rows, and how many sends.
    ///
    /// Errors: the store's.
    pub fn prune_page(&mut self, now: Instant, days: u32) -> Result<(usize, usize)> {
        let before = now.plus_millis(-i64::from(days.max(LEAST_DAYS)) * 86_400_000);
        let mut dropped = 0;
        for n in self.store.with_old_rows(before, ROWS_PER_PRUNE)? {
            let old = self.store.old_events(n, before)?;
            let remembered = if old.is_empty() { None } else { Some(self.remember(n, &old)?) };
            dropped += self.store.prune(n, before, remembered.as_deref())?;
            // It is read anew, so that what is in memory is what a later start sees.
            if let Some(loaded) = self.cache.get(n)
                && !loaded.dirty
            {
                self.cache.remove(n);
            }
        }
        let mut sends = 0;
        for (standing, count) in self.store.prune_sends(before, ROWS_PER_PRUNE)? {
            self.deltas.standing(super::outbox::word(&standing), -count);
            sends += usize::try_from(count).unwrap_or(0);
        }
        Ok((dropped, sends))
    }

    /// What is to be remembered of a contact's events that are dropped now, besides what was dropped before.
    fn remember(&mut self, n: i64, old: &[String]) -> Result<String> {
        let row = self.store.contact(n)?;
        let before: Forgotten = match row.and_then(|row| row.forgotten) {
            Some(text) => serde_json::from_str(&text).map_err(Error::damaged)?,
            None => Vec::new(),
        };
        let mut by_name: BTreeMap<SmolStr, (u64, Instant)> =
            before.into_iter().map(|(name, count, last)| (name, (count, last))).collect();
        for text in old {
            let event: Event = serde_json::from_str(text).map_err(Error::damaged)?;
            let event = crate::journey::taken(event.into());
            let entry = by_name.entry(event.name.clone()).or_insert((0, event.happened));
            *entry = (entry.0 + 1, entry.1.max(event.happened));
        }
        let out: Forgotten = by_name.into_iter().map(|(name, (count, last))| (name, count, last)).collect();
        json(&out)
    }
}
