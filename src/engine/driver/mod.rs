//! A batch: load contacts, advance them, store what follows, all in one transaction.
//!
//! The one idea: instants are arguments and nothing here starts a thread, so that a test drives it through years in a
//! second and breaks its disk at every write. Whatever fails, the transaction is taken back, what was in memory is read
//! anew from the file, and the callers are told that nothing happened. What a flow means is not decided here.

mod contacts;
mod orders;
mod outbox;
mod restored;
mod seen;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use self::seen::ENTRIES;
use self::{contacts::Cache, seen::Deltas};
use super::{
    store::{Error, JournalKind, Result, Store},
    work::{Answer, NewContact, NewEvent, Source, Way},
};
use crate::{
    audience::{ConditionText, Event, ResponseKind, ScoreModel},
    base::{ContactId, EventId, FlowId, Instant, JourneyId, SendKey, VersionHash},
    flow::{Flow, Workspace, file},
    journey::{self, Counts, Decision, Effects, FlowSet},
    kinds::runtime::{Control, Input},
};

/// A word to everybody.
#[derive(Clone, Debug)]
struct Word {
    n: i64,
    at: Instant,
    control: Control,
}

/// What a version pins (SEMANTICS R4), as stored.
#[derive(Serialize, Deserialize)]
struct Pinned {
    flow: String,
    segments: BTreeMap<SmolStr, ConditionText>,
    scores: Vec<ScoreModel>,
}

/// What the population rules count, kept until the next snapshot.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tallied {
    /// A decision.
    Decision(Decision),
    /// A response to a message.
    Response(FlowId, JourneyId, ResponseKind),
    /// A flow that paused itself goes on.
    Resumed(FlowId),
}

/// What a batch did, for those who count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Items accepted.
    pub accepted: u64,
    /// Items that were known.
    pub duplicates: u64,
    /// Items refused.
    pub refused: u64,
    /// Contacts woken.
    pub woken: u64,
    /// Sends by what became of them.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// How late decisions were, in milliseconds.
    pub latencies: Vec<(Source, u64)>,
    /// Arrivals at nodes, for rates.
    pub arrivals: BTreeMap<(SmolStr, SmolStr), u64>,
    /// What people should hear of, in words.
    pub warnings: Vec<String>,
}

/// The engine without a clock and without threads.
#[derive(Debug)]
pub struct Driver {
    store: Store,
    flows: FlowSet,
    workspace: Arc<Workspace>,
    /// Names of flows, for people.
    names: BTreeMap<FlowId, String>,
    words: Vec<Word>,
    /// What a new contact hears: of all words those that still say something.
    baseline: Vec<Control>,
    counts: Counts,
    tallied: Vec<Tallied>,
    /// The end of the hour that is to be closed next.
    hour: Option<Instant>,
    /// How far the walk to tell everybody the last word has come: word and contact; `None` where all have heard it.
    walk: Option<(i64, i64)>,
    /// After a restore: what was due until then is held, not sent.
    restored: Option<Instant>,
    /// Whether everybody was told so in this life of the driver, or by an engine's start.
    has_told_restored: bool,
    /// To whom claimed sends are rendered: address and number at the claim.
    recipients: BTreeMap<SendKey, (Option<SmolStr>, Option<SmolStr>)>,
    /// Contacts over whose input the core broke off: left in peace until the next start.
    broken: BTreeSet<i64>,
    /// Contacts that are noted as not to be read.
    damaged: BTreeSet<i64>,
    /// The instant of the batch under way.
    at: Instant,
    cache: Cache,
    dirty: Vec<i64>,
    deltas: Deltas,
    told: Told,
    effects: Effects,
    /// How far into each pool codes are known to be given.
    pool_at: BTreeMap<SmolStr, usize>,
    /// What is in memory is not what is in the file: a batch failed, and so did reading anew after it.
    is_stale: bool,
}

/// Events that are kept of one contact: each work on it reads them all. Source: assumption, one a minute for a month.
const MOST_EVENTS: usize = if cfg!(test) { 11_000 } else { 50_000 };
/// Bytes of them as JSON: one event may have 256 KB. Source: assumption, as many events as may be kept of the usual
/// size.
const MOST_EVENT_BYTES: usize = if cfg!(test) { 4 << 20 } else { 64 << 20 };

impl Driver {
    /// Opens the store in a folder.
    ///
    /// Errors: see [`Store::open`]; a store whose flows cannot be read.
    pub fn open(dir: &Path) -> Result<Self> {
        Self::on(Store::open(dir)?)
    }

    /// Goes on with a store.
    ///
    /// Errors: what is in it cannot be read.
    pub fn on(store: Store) -> Result<Self> {
        let workspace = Workspace::default();
        let mut driver = Self {
            flows: FlowSet::new(&workspace, &[]),
            workspace: Arc::new(workspace),
            names: BTreeMap::new(),
            words: Vec::new(),
            baseline: Vec::new(),
            counts: Counts::default(),
            tallied: Vec::new(),
            hour: None,
            walk: None,
            restored: None,
            has_told_restored: false,
            recipients: BTreeMap::new(),
            broken: BTreeSet::new(),
            damaged: BTreeSet::new(),
            at: Instant::MIN,
            cache: Cache::default(),
            dirty: Vec::new(),
            deltas: Deltas::default(),
            told: Told::default(),
            effects: Effects::default(),
            pool_at: BTreeMap::new(),
            is_stale: true,
            store,
        };
        driver.read()?;
        Ok(driver)
    }

    /// The store, for looking.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Lets go of what is in memory; the store may be gone on with.
    pub fn into_store(self) -> Store {
        self.store
    }

    /// Flows that are ready to run.
    pub fn flows(&self) -> &FlowSet {
        &self.flows
    }

    /// What is read live.
    pub fn workspace(&self) -> &Arc<Workspace> {
        &self.workspace
    }

    /// Reads everything that is kept in memory. Where that fails, the next batch begins with it.
    fn read(&mut self) -> Result<()> {
        self.is_stale = true;
        self.cache.clear();
        self.dirty.clear();
        self.deltas = Deltas::default();
        self.tallied.clear();
        self.pool_at.clear();
        self.damaged = self.store.damaged()?.into_iter().collect();
        self.restored = self.store.restored()?;
        self.has_told_restored = false;
        let parse_error = |what: &str, error: &dyn std::fmt::Display| Error::damaged(format!("{what}: {error}"));
        let workspace: Workspace = match self.store.meta("workspace")? {
            Some(text) => serde_json::from_str(&text).map_err(|error| parse_error("the workspace", &error))?,
            None => Workspace::default(),
        };
        self.set_workspace(workspace)?;
        self.words.clear();
        self.baseline.clear();
        for (n, at, body) in self.store.controls()? {
            let control = serde_json::from_str(&body).map_err(|error| parse_error("a word to everybody", &error))?;
            self.take_word(Word { n, at, control });
        }
        self.counts = match self.store.meta("counts")? {
            Some(text) => serde_json::from_str(&text).map_err(|error| parse_error("the counts", &error))?,
            None => Counts::default(),
        };
        for body in self.store.tally()? {
            let items: Vec<Tallied> = serde_json::from_str(&body).map_err(|error| parse_error("a tally", &error))?;
            for item in items {
                match item {
                    Tallied::Decision(decision) => self.counts.decision(&self.flows, &decision),
                    Tallied::Response(flow, journey, kind) => self.counts.response(&flow, &journey, kind),
                    Tallied::Resumed(flow) => self.counts.resumed(&flow),
                }
            }
        }
        let number = |text: Option<String>| text.and_then(|text| text.parse::<i64>().ok());
        self.hour = number(self.store.meta("hour")?).map(Instant::from_millis);
        let last = self.words.last().map_or(0, |word| word.n);
        self.walk = match number(self.store.meta("walked_word")?).unwrap_or(0) {
            walked if walked >= last => None,
            _ => Some((last, number(self.store.meta("walked_contact")?).unwrap_or(0))),
        };
        self.is_stale = false;
        Ok(())
    }

    /// Makes the flows ready anew over another workspace: versions keep the segments and scores they pin.
    fn set_workspace(&mut self, workspace: Workspace) -> Result<()> {
        let mut flows = FlowSet::new(&workspace, &[]);
        let mut names = BTreeMap::new();
        for (hash, body) in self.store.versions()? {
            let damaged = |error: &dyn std::fmt::Display| Error::damaged(format!("version {hash}: {error}"));
            let pinned: Pinned = serde_json::from_str(&body).map_err(|error| damaged(&error))?;
            let flow = file::read(&pinned.flow).map_err(|found| damaged(&found.message))?.flow;
            let own = Workspace { segments: pinned.segments, scores: pinned.scores, ..workspace.clone() };
            let name = u128::from_str_radix(&hash, 16).map(VersionHash).map_err(|error| damaged(&error))?;
            // Journeys name it so, whatever this build would call it.
            let made = flows.remember_as(name, &own, &flow);
            if made != name {
                self.told.warnings.push(format!(
                    "Version {hash} of {} was published by another build, which is called {made} here: its journeys go on",
                    flow.id
                ));
            }
            names.insert(flow.id.clone(), flow.name.clone());
        }
        for (_, version) in self.flows.live() {
            flows.make_live(version);
        }
        let suppressed = self.store.suppressed()?;
        flows.suppress(suppressed.iter().map(String::as_str), false);
        (self.flows, self.names, self.workspace) = (flows, names, Arc::new(workspace));
        Ok(())
    }

    /// Runs something in one transaction. `now` is when it is accepted.
    ///
    /// Errors: nothing of it happened, and what is in memory is as in the file.
    pub fn batch<T>(&mut self, now: Instant, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<(T, Told)> {
        if self.is_stale {
            self.read()?;
        }
        self.store.begin()?;
        self.at = now;
        // After a restore nobody hears anything before that.
        let ready = self.take_care(now).and_then(|()| self.close_hours(now));
        let done = ready.and_then(|()| work(self)).and_then(|out| {
            self.write(now)?;
            self.store.commit()?;
            Ok(out)
        });
        match done {
            Ok(out) => {
                self.cache.trim();
                Ok((out, std::mem::take(&mut self.told)))
            }
            Err(error) => {
                self.store.rollback();
                self.told = Told::default();
                // Where even reading fails, the first error says more; the next batch reads first.
                let _ = self.read();
                Err(error)
            }
        }
    }

    /// Takes an event that came over the API. Only within [`Self::batch`], as all that follow.
    ///
    /// Errors: the store's.
    pub fn event(&mut self, now: Instant, item: &NewEvent) -> Result<Answer> {
        self.event_by(Way::Events, now, item)
    }

    /// Takes an event; by which way it came is said of its latency alone.
    ///
    /// Errors: the store's.
    pub fn event_by(&mut self, way: Way, now: Instant, item: &NewEvent) -> Result<Answer> {
        let email = item.change.as_ref().and_then(|change| change.email.as_ref());
        let id = self.known_as(&item.contact, email)?;
        let n = match self.contact(&id, now)? {
            Ok(n) => n,
            Err(refused) => return Ok(self.refuse(refused)),
        };
        let known = self.cache.get(n).is_some_and(|loaded| loaded.state.log.knows(&item.id, now));
        if known {
            self.told.duplicates += 1;
            return Ok(Answer::Duplicate);
        }
        // What people answer to mails, an unsubscribe above all, is always heard.
        let num_kept = self.cache.get(n).map_or(0, |loaded| loaded.events);
        if num_kept >= MOST_EVENTS && !item.name.starts_with('$') {
            return Ok(self.refuse((
                format!("{} has {num_kept} events, and nobody does so much: it is a machine", item.contact),
                "Leave it out where its events come from; what is older than --keep-days is dropped, and makes room"
                    .to_owned(),
            )));
        }
        let bytes = self.cache.get(n).map_or(0, |loaded| loaded.bytes);
        if bytes >= MOST_EVENT_BYTES && !item.name.starts_with('$') {
            return Ok(self.refuse((
                format!("{} has {} KB of events, and nobody does so much: it is a machine", item.contact, bytes >> 10),
                "Leave it out where its events come from, or hand in fewer properties; what is older than --keep-days \
                 is dropped, and makes room"
                    .to_owned(),
            )));
        }
        if let Some(change) = &item.change {
            self.feed(n, &Input::Profile { at: now, change: change.clone() })?;
        }
        let event = Event {
            id: item.id.clone(),
            contact: id,
            name: item.name.clone(),
            happened: item.happened.unwrap_or(now),
            accepted: now,
            properties: item.properties.clone(),
        };
        self.told.latencies.push((Source::Event(way), millis(now.since(event.happened))));
        self.take_event(n, event)?;
        self.told.accepted += 1;
        Ok(Answer::Accepted)
    }

    /// Feeds an event that is new, and counts it where it is an answer that counts.
    fn take_event(&mut self, n: i64, event: Event) -> Result<()> {
        let mut event = Arc::new(event);
        if let Some(loaded) = self.cache.get(n) {
            event = journey::answering(&loaded.state, event);
            if let Some((flow, journey, kind)) = journey::counted(&loaded.state, &event) {
                self.counts.response(&flow, &journey, kind);
                self.tallied.push(Tallied::Response(flow, journey, kind));
            }
        }
        self.feed(n, &Input::Event(event))
    }

    /// Makes a contact, or changes it to what is given.
    ///
    /// Errors: the store's.
    pub fn change(&mut self, now: Instant, item: &NewContact) -> Result<Answer> {
        let id = self.known_as(&item.id, item.change.email.as_ref())?;
        let n = match self.contact(&id, now)? {
            Ok(n) => n,
            Err(refused) => return Ok(self.refuse(refused)),
        };
        self.feed(n, &Input::Profile { at: now, change: item.change.clone() })?;
        self.told.accepted += 1;
        Ok(Answer::Accepted)
    }

    fn refuse(&mut self, (error, hint): (String, String)) -> Answer {
        self.told.refused += 1;
        Answer::Refused { error, hint }
    }

    /// Wakes contacts that are due, soonest first; how many.
    ///
    /// Errors: the store's.
    pub fn wake_due(&mut self, now: Instant, limit: usize) -> Result<usize> {
        let due = self.store.due_contacts(now, limit)?;
        for (n, due) in &due {
            self.told.latencies.push((Source::Timer, millis(now.since(*due))));
            self.wake(*n, now)?;
        }
        Ok(due.len())
    }

    /// Wakes one contact.
    ///
    /// Errors: the store's.
    pub fn wake(&mut self, n: i64, now: Instant) -> Result<()> {
        match self.load(n) {
            Ok(()) => {
                self.told.woken += 1;
                self.feed(n, &Input::Wake { at: now })
            }
            Err(error) if error.kind == super::store::Kind::Corrupt => self.put_aside(n, now, &error),
            Err(error) => Err(error),
        }
    }

    /// When a contact wants to be woken.
    ///
    /// Errors: the store's.
    pub fn due_of(&mut self, n: i64) -> Result<Option<Instant>> {
        match self.cache.get(n) {
            Some(loaded) => Ok(loaded.state.next_wake()),
            None => Ok(self.store.contact(n)?.and_then(|row| row.due).map(Instant::from_millis)),
        }
    }

    /// Tells the next contacts that have not heard the last word; whether there may be more.
    ///
    /// Errors: the store's.
    pub fn walk(&mut self, limit: usize) -> Result<bool> {
        let Some((word, after)) = self.walk else { return Ok(false) };
        let (behind, last) = self.store.behind(word, after, limit)?;
        for n in behind {
            match self.load(n) {
                Ok(()) => self.hear(n)?,
                // Whoever cannot be read hears nothing; waking says so.
                Err(error) if error.kind == super::store::Kind::Corrupt => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(last) = last {
            self.walk = Some((word, last));
            self.store.set_meta("walked_contact", &last.to_string())?;
        } else {
            self.walk = None;
            self.store.set_meta("walked_word", &word.to_string())?;
            self.store.set_meta("walked_contact", "0")?;
        }
        Ok(self.walk.is_some())
    }

    /// Whether somebody has not heard the last word.
    pub fn is_walking(&self) -> bool {
        self.walk.is_some()
    }

    /// When something is due next: a contact or a send; the hour where something is to be counted then.
    ///
    /// Errors: the store's.
    pub fn next_due(&self) -> Result<Option<Instant>> {
        self.store.next_due()
    }

    /// When a contact is due next.
    ///
    /// Errors: the store's.
    pub fn next_wake(&self) -> Result<Option<Instant>> {
        self.store.next_wake()
    }

    /// When a send is due next.
    ///
    /// Errors: the store's.
    pub fn next_send(&self) -> Result<Option<Instant>> {
        self.store.next_send()
    }

    /// Closes hours of flow time that are over (SEMANTICS R6).
    fn close_hours(&mut self, now: Instant) -> Result<()> {
        // A clock that was far ahead for a while must not close the hours until then.
        let Some(hour) = self.hour.filter(|hour| hour.since(now) <= 2 * HOUR_MILLIS) else {
            // An engine that never runs for a whole hour has to close it, too.
            return self.set_hour(hour_after(now));
        };
        if now < hour {
            return Ok(());
        }
        let (mut hour, mut has_decided) = (hour, false);
        while now >= hour {
            for control in journey::close_hour(&self.flows, &mut self.counts, hour) {
                if let Control::Breaker { flow, why } = &control {
                    self.told.warnings.push(format!("{flow} paused itself: {why}"));
                }
                self.say(hour, control, "engine")?;
                has_decided = true;
            }
            // Hours in which nothing happened close nothing: the last one before now stands for them.
            hour = hour_after(hour).max(hour_after(now.plus_millis(-HOUR_MILLIS)));
        }
        self.set_hour(hour)?;
        // What is decided is decided, also in an hour in which nothing was counted.
        if self.store.clear_tally()? || has_decided {
            self.store.set_meta("counts", &json(&self.counts)?)?;
        }
        Ok(())
    }

    fn set_hour(&mut self, hour: Instant) -> Result<()> {
        self.hour = Some(hour);
        self.store.set_meta("hour", &hour.as_millis().to_string())
    }

    /// Feeds an input to a contact that is loaded, after the words it has not heard.
    fn feed(&mut self, n: i64, input: &Input) -> Result<()> {
        self.hear(n)?;
        self.advance(n, input)
    }

    /// Words to everybody that a contact has not heard, at their instants.
    fn hear(&mut self, n: i64) -> Result<()> {
        loop {
            let Some(seen) = self.cache.get(n).map(|loaded| loaded.seen) else { return Ok(()) };
            let next = self.words.partition_point(|word| word.n <= seen);
            let Some(word) = self.words.get(next).cloned() else { return Ok(()) };
            if let Some(loaded) = self.cache.get_mut(n) {
                loaded.seen = word.n;
            }
            self.advance(n, &Input::Control { at: word.at, control: word.control })?;
        }
    }

    /// The only call of the core.
    fn advance(&mut self, n: i64, input: &Input) -> Result<()> {
        let Some(loaded) = self.cache.get_mut(n) else { return Ok(()) };
        let mut effects = std::mem::take(&mut self.effects);
        // One contact's fault never stops another (SEMANTICS R29): a fault in the core is one, too.
        let flows = &self.flows;
        let state = &mut loaded.state;
        let advanced = catch_unwind(AssertUnwindSafe(|| journey::advance_into(flows, state, input, &mut effects)));
        if advanced.is_err() {
            self.broken.insert(n);
            return Err(Error::damaged(format!("an input of contact {n} cannot be worked out; it is left in peace")));
        }
        let at = loaded.state.now;
        if !loaded.dirty {
            loaded.dirty = true;
            self.dirty.push(n);
        }
        let written = (|| {
            let (kind, text) = match input {
                Input::Event(event) => (JournalKind::Event, json(event)?),
                Input::Profile { change, .. } => (JournalKind::Profile, json(change)?),
                Input::Wake { at } => (JournalKind::Wake, at.as_millis().to_string()),
                Input::Delivered { key, result, .. } => (JournalKind::Delivered, json(&(key, result))?),
                Input::Control { control, .. } => (JournalKind::Control, json(control)?),
            };
            if kind == JournalKind::Event {
                loaded.events += 1;
                loaded.bytes += text.len();
            }
            let trace = if effects.trace.is_empty() { String::new() } else { json(&effects.trace)? };
            self.store.journal(n, at, kind, &text, &trace)
        })();
        self.deltas.count(&effects.trace, &mut self.told);
        for decision in effects.trace.drain(..) {
            if self.counts.counts(&self.flows, &decision) {
                self.counts.decision(&self.flows, &decision);
                self.tallied.push(Tallied::Decision(decision));
            }
        }
        let intended = written.and_then(|()| {
            let resends = matches!(input, Input::Control { control: Control::Resend { .. }, .. });
            effects.intents.drain(..).try_for_each(|intent| self.intend(n, at, intent, resends))
        });
        self.effects = effects;
        intended
    }

    /// Writes what the batch changed.
    fn write(&mut self, now: Instant) -> Result<()> {
        let dirty = std::mem::take(&mut self.dirty);
        for n in dirty {
            self.write_contact(n, now)?;
        }
        if !self.tallied.is_empty() {
            self.store.add_tally(&json(&self.tallied)?)?;
            self.tallied.clear();
        }
        self.deltas.write(&self.store)
    }
}

const HOUR_MILLIS: i64 = 3_600_000;

fn hour_after(at: Instant) -> Instant {
    Instant::from_millis((at.as_millis().div_euclid(HOUR_MILLIS) + 1) * HOUR_MILLIS)
}

fn millis(span: i64) -> u64 {
    u64::try_from(span).unwrap_or(0)
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::damaged)
}

/// Whether a text may be the id of a contact or an event: 1 to 256 bytes without control characters.
fn is_id(text: &str) -> bool {
    (1..=256).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Ids that the engine gives to events it makes itself.
fn own_event(what: &str, key: &SendKey) -> EventId {
    EventId::new(format!("{what}:{key}"))
}

/// A flow with what it pins of its workspace, as stored.
fn pinned(flow: &Flow, workspace: &Workspace) -> Result<String> {
    json(&Pinned { flow: file::write(flow), segments: workspace.segments.clone(), scores: workspace.scores.clone() })
}

/// Names of contacts in sentences.
fn shown(id: &ContactId) -> String {
    let short: String = id.as_str().chars().take(60).collect();
    format!("`{short}`")
}
