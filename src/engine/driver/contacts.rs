//! Contacts in memory: loaded when they are needed, written back at the end of the batch.

use std::collections::{BTreeMap, HashMap};

use smol_str::SmolStr;

use super::{Driver, Result, json, seen, shown};
use crate::{
    audience::{Contact, Event},
    base::{ContactId, Instant},
    engine::{
        store::{ContactRow, Error, JournalKind},
        work::{Answer, History},
    },
    journey::{self, ContactState, Forgotten},
    kinds::runtime::{Change, Control, Input},
};

/// So many contacts stay in memory. Source: assumption; a few kilobytes each.
const MOST_CACHED: usize = 2_048;
/// So many events of their histories. Source: assumption; about 1.3 KB each, as `cargo bench --bench engine soak`
/// shows.
const MOST_CACHED_EVENTS: usize = 20_000;

/// So many bytes of them as JSON, of however few contacts. Source: assumption.
const MOST_CACHED_BYTES: usize = 128 << 20;

/// So many contacts of one address are looked at for the one whose id it is. Source: assumption.
const MOST_NAMESAKES: usize = 1_000;

/// A contact in memory.
#[derive(Debug)]
pub(super) struct Loaded {
    pub state: ContactState,
    /// The last word it heard.
    pub seen: i64,
    /// As in the file.
    pub due: Option<Instant>,
    pub email: Option<String>,
    pub places: seen::Places,
    pub dirty: bool,
    /// Rows of its events, of which the log in memory may hold fewer.
    pub events: usize,
    /// Bytes of its events as JSON; in memory they take some times as much.
    pub bytes: usize,
    used: u64,
}

/// Contacts in memory, by number.
#[derive(Debug, Default)]
pub(super) struct Cache {
    contacts: BTreeMap<i64, Loaded>,
    numbers: HashMap<ContactId, i64>,
    clock: u64,
}

impl Cache {
    pub fn get(&self, n: i64) -> Option<&Loaded> {
        self.contacts.get(&n)
    }

    pub fn get_mut(&mut self, n: i64) -> Option<&mut Loaded> {
        self.clock += 1;
        let loaded = self.contacts.get_mut(&n)?;
        loaded.used = self.clock;
        Some(loaded)
    }

    pub fn clear(&mut self) {
        self.contacts.clear();
        self.numbers.clear();
    }

    fn put(&mut self, n: i64, loaded: Loaded) {
        self.numbers.insert(loaded.state.contact.id.clone(), n);
        self.contacts.insert(n, loaded);
    }

    pub fn remove(&mut self, n: i64) {
        if let Some(loaded) = self.contacts.remove(&n) {
            self.numbers.remove(&loaded.state.contact.id);
        }
    }

    /// Lets go of those that were not used for the longest time.
    pub fn trim(&mut self) {
        let events = |cache: &Self| cache.contacts.values().map(|loaded| loaded.state.log.len()).sum::<usize>();
        let bytes = self.contacts.values().map(|loaded| loaded.bytes).sum::<usize>();
        let is_small = self.contacts.len() < 64 || events(self) <= MOST_CACHED_EVENTS;
        if self.contacts.len() <= MOST_CACHED && is_small && bytes <= MOST_CACHED_BYTES {
            return;
        }
        let mut used: Vec<u64> = self.contacts.values().map(|loaded| loaded.used).collect();
        let half = used.len() / 2;
        let (_, median, _) = used.select_nth_unstable(half);
        let median = *median;
        self.contacts.retain(|_, loaded| loaded.used >= median);
        let contacts = &self.contacts;
        self.numbers.retain(|_, n| contacts.contains_key(n));
    }
}

impl Driver {
    /// Who is meant by an id, where its item says an address, too. Where the address stands in for an id it does so in
    /// small letters; former builds took it as it was written, and whoever is known so is no second person.
    pub(super) fn known_as(&self, id: &ContactId, email: Option<&SmolStr>) -> Result<ContactId> {
        let is_known = |id: &ContactId| -> Result<bool> {
            Ok(self.cache.numbers.contains_key(id) || self.store.contact_number(id.as_str())?.is_some())
        };
        let Some(email) = email.filter(|email| email.to_lowercase() == id.as_str()) else { return Ok(id.clone()) };
        if is_known(id)? {
            return Ok(id.clone());
        }
        let written = ContactId::new(email.clone());
        if is_known(&written)? {
            return Ok(written);
        }
        // It may be written in yet another way now.
        let ids = self.store.ids_at(id.as_str(), MOST_NAMESAKES)?;
        let known = ids.into_iter().find(|known| known.to_lowercase() == id.as_str());
        Ok(known.map_or_else(|| id.clone(), ContactId::new))
    }

    /// The number of a contact, loaded; one that is not known is made, without consent. A refusal where the id is none.
    pub(super) fn contact(
        &mut self,
        id: &ContactId,
        now: Instant,
    ) -> Result<std::result::Result<i64, (String, String)>> {
        if let Some(n) = self.cache.numbers.get(id).filter(|n| !self.broken.contains(n)) {
            return Ok(Ok(*n));
        }
        if !super::is_id(id.as_str()) {
            return Ok(Err((
                format!("{} is no id of a contact", shown(id)),
                "An id has 1 to 256 bytes, without control characters".to_owned(),
            )));
        }
        if let Some(n) = self.store.contact_number(id.as_str())? {
            return match self.load(n) {
                Ok(()) => Ok(Ok(n)),
                Err(error) if error.kind == crate::engine::store::Kind::Corrupt => Ok(Err((error.message, error.hint))),
                Err(error) => Err(error),
            };
        }
        let mut contact = Contact::new(id.clone());
        contact.created_at = Some(now);
        self.bear(contact, &[], now).map(Ok)
    }

    /// Makes a contact whose past lets nobody in, then tells it the words that hold.
    fn bear(&mut self, contact: Contact, past: &[Event], now: Instant) -> Result<i64> {
        let id = contact.id.clone();
        let born = json(&contact)?;
        let seen = self.words.last().map_or(0, |word| word.n);
        let email = contact.email.as_ref().map(|email| email.to_lowercase());
        let row = ContactRow { n: 0, seen, due: None, email: email.clone(), state: String::new(), forgotten: None };
        let n = self.store.add_contact(id.as_str(), &row)?;
        self.store.journal(n, now, JournalKind::Born, &born, "")?;
        let state = ContactState::new(contact);
        let places = seen::Places::default();
        self.cache.put(n, Loaded { state, seen, due: None, email, places, dirty: false, events: 0, bytes: 0, used: 0 });
        self.deltas.standing("contacts", 1);
        for event in past {
            self.advance(n, &Input::Event(std::sync::Arc::new(event.clone())))?;
        }
        for control in self.baseline.clone() {
            self.advance(n, &Input::Control { at: now, control })?;
        }
        if let Some(loaded) = self.cache.get_mut(n)
            && !loaded.dirty
        {
            loaded.dirty = true;
            self.dirty.push(n);
        }
        Ok(n)
    }

    /// A contact whose row cannot be read begins anew, with nothing but its id, never to be written to.
    pub(super) fn begin_anew(&mut self, n: i64, id: &ContactId, now: Instant) -> Result<()> {
        self.broken.remove(&n);
        let state = ContactState::new(Contact::new(id.clone()));
        let row = self.store.contact(n)?;
        let due = row.as_ref().and_then(|row| row.due).map(Instant::from_millis);
        let seen = self.words.last().map_or(0, |word| word.n);
        let email = row.and_then(|row| row.email);
        let places = seen::Places::default();
        self.cache.put(n, Loaded { state, seen, due, email, places, dirty: true, events: 0, bytes: 0, used: 0 });
        self.dirty.push(n);
        for control in self.baseline.clone() {
            self.advance(n, &Input::Control { at: now, control })?;
        }
        self.advance(n, &Input::Control { at: now, control: Control::Forget })
    }

    /// Takes over a contact with its past.
    ///
    /// Errors: the store's.
    pub fn history(&mut self, now: Instant, item: &History) -> Result<Answer> {
        let id = &item.contact.id;
        if !super::is_id(id.as_str()) {
            return Ok(self.refuse((
                format!("{} is no id of a contact", shown(id)),
                "An id has 1 to 256 bytes, without control characters".to_owned(),
            )));
        }
        let known = self.known_as(id, item.contact.email.as_ref())?;
        if self.store.contact_number(known.as_str())?.is_some() {
            self.told.duplicates += 1;
            return Ok(Answer::Duplicate);
        }
        let mut past = item.events.clone();
        past.sort_by(|a, b| (a.accepted, a.happened, &a.id).cmp(&(b.accepted, b.happened, &b.id)));
        // What is said to lie in the future cannot be history.
        past.retain(|event| event.accepted <= now);
        let n = self.bear(item.contact.clone(), &past, now)?;
        if item.suppressed {
            let change = Change { suppressed: Some(true), ..Change::default() };
            self.feed(n, &Input::Profile { at: now, change })?;
        }
        self.told.accepted += 1;
        Ok(Answer::Accepted)
    }

    /// Reads a contact into memory where it is not there yet.
    ///
    /// Errors: the store's; damaged, where the row says what this build cannot read.
    pub(super) fn load(&mut self, n: i64) -> Result<()> {
        let loaded = self.read_contact(n);
        match &loaded {
            Ok(()) => self.is_readable(n)?,
            // Whoever looks is to see it, however long ago it was found out.
            Err(error) if error.kind == crate::engine::store::Kind::Corrupt => {
                if self.damaged.insert(n) {
                    self.store.note_damaged(n, self.at, &error.message)?;
                }
            }
            Err(_) => {}
        }
        loaded
    }

    /// A contact can be read, again perhaps.
    pub(super) fn is_readable(&mut self, n: i64) -> Result<()> {
        if self.damaged.remove(&n) { self.store.drop_damaged(n) } else { Ok(()) }
    }

    fn read_contact(&mut self, n: i64) -> Result<()> {
        if self.broken.contains(&n) {
            return Err(Error::damaged(format!(
                "an input of contact {n} could not be worked out; it is left in peace"
            )));
        }
        if self.cache.get(n).is_some() {
            return Ok(());
        }
        let row = self.store.contact(n)?.ok_or_else(|| Error::damaged(format!("there is no contact {n}")))?;
        let forgotten: Forgotten = match &row.forgotten {
            Some(text) => serde_json::from_str(text).map_err(Error::damaged)?,
            None => Vec::new(),
        };
        let (mut events, mut bytes) = (Vec::new(), 0);
        self.store.history(n, |text| {
            bytes += text.len();
            events.push(std::sync::Arc::new(serde_json::from_str::<Event>(text).map_err(Error::damaged)?));
            Ok(())
        })?;
        let num_events = events.len();
        let state = ContactState::from_stored(&row.state, journey::recall(forgotten, events))
            .map_err(|error| Error::damaged(format!("contact {n}: {error}")))?;
        let places = seen::Places::of(&self.flows, &state);
        let due = row.due.map(Instant::from_millis);
        let (seen, email) = (row.seen, row.email);
        self.cache.put(n, Loaded { state, seen, due, email, places, dirty: false, events: num_events, bytes, used: 0 });
        Ok(())
    }

    /// A contact that cannot be read is left in peace for an hour, and shown (SEMANTICS R29).
    pub(super) fn put_aside(&mut self, n: i64, now: Instant, error: &Error) -> Result<()> {
        self.told.warnings.push(error.message.clone());
        if let Some(mut row) = self.store.contact(n)? {
            row.due = Some(now.plus_millis(super::HOUR_MILLIS).as_millis());
            self.store.set_contact(&row, false)?;
        }
        Ok(())
    }

    /// Writes a contact back, and what is seen of it.
    pub(super) fn write_contact(&mut self, n: i64, now: Instant) -> Result<()> {
        let Some(loaded) = self.cache.get_mut(n) else { return Ok(()) };
        loaded.dirty = false;
        let due = loaded.state.next_wake();
        let email = loaded.state.contact.email.as_ref().map(|email| email.to_lowercase());
        let row = ContactRow {
            n,
            seen: loaded.seen,
            due: due.map(Instant::as_millis),
            email,
            state: loaded.state.to_stored().map_err(Error::damaged)?,
            forgotten: None,
        };
        let with_email = row.email != loaded.email;
        self.store.set_contact(&row, with_email)?;
        self.deltas.standing("waiting", i64::from(due.is_some()) - i64::from(loaded.due.is_some()));
        loaded.due = due;
        loaded.email = row.email;
        let places = seen::Places::of(&self.flows, &loaded.state);
        if places != loaded.places {
            self.deltas.moved(&loaded.places, &places);
            let held = places.held_rows();
            if held != loaded.places.held_rows() {
                self.store.set_held(n, &held, now)?;
            }
            loaded.places = places;
        }
        Ok(())
    }
}
