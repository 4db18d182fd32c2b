//! What an engine's file says of itself, counted again from its states, its outbox and its journal.

use std::collections::{BTreeMap, BTreeSet};

use flowloom::{
    audience::{Channel, ConsentStatus, EventLog},
    base::{Instant, SendKey},
    journey::{ContactState, Decision, FlowSet, Waiting, What},
    kinds::runtime::Outcome,
};
use rusqlite::{Connection, OpenFlags, Params, Row};

use super::disk::{Disk, VFS};

/// A look at a copy of a disk, so that the engine is not disturbed.
pub struct Look {
    connection: Connection,
    _disk: Option<Disk>,
}

type Counts<K> = BTreeMap<K, Vec<i64>>;

impl Look {
    /// At what the running process sees.
    pub fn of(disk: &Disk) -> Self {
        let disk = disk.copy();
        let connection =
            Connection::open_with_flags_and_vfs(disk.path(), OpenFlags::default(), VFS).expect("a copy opens");
        connection.execute_batch("pragma locking_mode = exclusive").expect("is ours");
        Self { connection, _disk: Some(disk) }
    }

    /// At a file that no engine has open.
    pub fn at(path: &std::path::Path) -> Self {
        Self { connection: Connection::open(path).expect("opens"), _disk: None }
    }

    fn rows<T>(&self, sql: &str, params: impl Params, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let mut statement = self.connection.prepare(sql).expect("is SQL");
        let rows = statement.query_map(params, read).expect("reads");
        rows.collect::<rusqlite::Result<_>>().expect("reads")
    }

    /// How often each event stands in the journal, by contact and id.
    pub fn events(&self) -> BTreeMap<(String, String), usize> {
        let sql = "select contact.id, json_extract(input, '$.id'), count(*) from journal \
                   join contact on contact.n = journal.contact where kind = 0 group by 1, 2";
        self.rows(sql, [], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)? as usize))).into_iter().collect()
    }

    /// Send keys by standing.
    pub fn sends(&self, standing: &str) -> Vec<String> {
        self.rows("select key from outbox where standing = ? order by n", [standing], |row| row.get(0))
    }

    /// Keys of journeys that are held at a step.
    pub fn held(&self) -> Vec<SendKey> {
        let keys = self.rows("select key from held order by key", [], |row| row.get::<_, String>(0));
        keys.iter().filter_map(|key| SendKey::parse(key)).collect()
    }

    /// Who is not to be written to, and by which channel; who is forgotten; addresses that nobody writes to.
    pub fn refusals(&self) -> BTreeSet<String> {
        let mut out = BTreeSet::new();
        for text in self.rows("select state from contact", [], |row| row.get::<_, String>(0)) {
            let state = ContactState::from_stored(&text, EventLog::default()).expect("reads");
            let id = &state.contact.id;
            for channel in [Channel::Email, Channel::Sms] {
                if state.suppressed || state.contact.consent.on(channel) == ConsentStatus::Unsubscribed {
                    out.insert(format!("{id} by {channel:?}"));
                }
            }
            if state.suppressed {
                out.insert(format!("{id} in any way"));
            }
            out.extend(state.bounced.iter().map(|email| format!("{id} not at {email}")));
        }
        let forgotten = "select id from contact where exists \
                         (select 1 from audit where contact = contact.n and what = 'forgotten')";
        out.extend(
            self.rows(forgotten, [], |row| row.get::<_, String>(0)).iter().map(|id| format!("{id} is forgotten")),
        );
        out.extend(self.rows("select address from suppression", [], |row| row.get::<_, String>(0)));
        out
    }

    /// The outbox, for people who look for a reason.
    pub fn outbox(&self) -> String {
        let sql = "select format('%s %s, attempt %d, not before %d: %s', key, standing, attempt, not_before, detail) \
                   from outbox order by n";
        self.rows(sql, [], |row| row.get::<_, String>(0)).join("\n")
    }

    /// Nothing is to be done at an instant.
    ///
    /// Errors: the first thing that is.
    pub fn rest(&self, now: Instant) -> Result<(), String> {
        let sql = "select standing || ' ' || key from outbox where standing in ('claimed', 'handing_over') \
                   or standing = 'due' and not_before <= ?1 union all \
                   select 'to be woken ' || id from contact where due <= ?1 limit 1";
        match self.rows(sql, [now.as_millis()], |row| row.get::<_, String>(0)).pop() {
            Some(open) => Err(format!("left undone: {open}")),
            None => Ok(()),
        }
    }

    /// Everything that must hold; what is counted from the journal only where nothing of it was dropped.
    ///
    /// Errors: a sentence.
    pub fn check(&self, flows: &FlowSet, is_whole: bool) -> Result<(), String> {
        let whole: String = self.rows("pragma integrity_check(1)", [], |row| row.get(0)).remove(0);
        if whole != "ok" {
            return Err(whole);
        }
        let (mut places, mut under_way, mut held) = (Counts::new(), Counts::new(), Vec::new());
        let mut standing: Counts<String> = BTreeMap::new();
        let add = |counts: &mut Counts<String>, name: &str| counts.entry(name.to_owned()).or_insert(vec![0])[0] += 1;
        let contacts = self.rows("select n, due, state, email from contact order by n", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, String>(2)?, row.get(3)?))
        });
        for (n, due, text, email) in contacts {
            let state = ContactState::from_stored(&text, EventLog::default()).map_err(|why| format!("{n}: {why}"))?;
            let id = &state.contact.id;
            if due.map(Instant::from_millis) != state.next_wake() {
                return Err(format!("{id} is due at {due:?}, and wants {:?}", state.next_wake()));
            }
            let address: Option<String> = email;
            if address != state.contact.email.as_ref().map(|email| email.to_lowercase()) {
                return Err(format!("{id} is found under {address:?}"));
            }
            add(&mut standing, "contacts");
            if due.is_some() {
                add(&mut standing, "waiting");
            }
            for journey in state.journeys.iter().filter(|journey| journey.is_active()) {
                let version = flows.version(&journey.version).ok_or(format!("{} has no version", journey.id))?;
                let node = journey.node_id(version).ok_or(format!("{} has no node", journey.id))?;
                let place = places.entry((journey.flow.to_string(), node.to_string())).or_insert_with(|| vec![0; 2]);
                place[0] += 1;
                let way = (journey.flow.to_string(), journey.version.to_string());
                under_way.entry(way).or_insert_with(|| vec![0])[0] += 1;
                match journey.waiting {
                    Waiting::Held(reason) => {
                        place[1] += 1;
                        held.push((n, journey.id.to_string(), node.to_string(), reason.name().to_owned()));
                    }
                    Waiting::No => return Err(format!("{} is under way and waits for nothing", journey.id)),
                    Waiting::Until(at) | Waiting::Event(at) | Waiting::Retry(at) | Waiting::Answer(at) => {
                        // Who waits for a place waits for whoever frees it; what is frozen, for who resumes it.
                        let waits = at == Instant::MAX || text.contains("\"freeze\":true");
                        let wakes = state.next_wake().is_some_and(|due| due <= at) || waits;
                        if !wakes {
                            return Err(format!("{} waits until {at} and is not woken", journey.id));
                        }
                    }
                }
            }
        }
        let mut open: Counts<(String, String)> = BTreeMap::new();
        let sends = "select standing, cast(flow as text), cast(node as text) from outbox";
        for (name, place) in self.rows(sends, [], |row| Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?)))) {
            add(&mut standing, &name);
            let open = open.entry(place).or_insert_with(|| vec![0; 2]);
            open[0] += i64::from(name == "held");
            open[1] += i64::from(name == "unknown");
        }
        let sql = "select flow, node, held_sends, unknown_sends from node";
        self.compare("node (held, unknown sends)", sql, 2, &open)?;
        self.compare("standing", "select name, '', n from standing", 1, &keyed(standing))?;
        self.compare("node (here, held)", "select flow, node, here, held from node", 2, &places)?;
        self.compare("under_way", "select flow, version, n from under_way", 1, &under_way)?;
        held.sort();
        let mut found: Vec<(i64, String, String, String)> =
            self.rows("select contact, journey, node, reason from held", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            });
        found.sort();
        if found != held {
            return Err(format!("table held says {found:?}, the states say {held:?}"));
        }
        if is_whole {
            self.compare(
                "node (entered, left, sent, not sent)",
                "select flow, node, entered, left_by, sent, not_sent from node",
                4,
                &self.told()?,
            )?;
        }
        Ok(())
    }

    /// Counts of each node, from what was decided.
    fn told(&self) -> Result<Counts<(String, String)>, String> {
        let mut out: Counts<(String, String)> = BTreeMap::new();
        for text in self.rows("select trace from journal where trace <> ''", [], |row| row.get::<_, String>(0)) {
            let decisions: Vec<Decision> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            for decision in decisions {
                let Some(flow) = decision.flow else { continue };
                let (node, which) = match (&decision.what, decision.node) {
                    (What::Entered { .. }, _) => (String::new(), 0),
                    (What::Arrived, Some(node)) => (node.to_string(), 0),
                    (What::Left { .. }, Some(node)) => (node.to_string(), 1),
                    (What::Outcome { outcome, .. }, Some(node)) => match outcome {
                        Outcome::Sent => (node.to_string(), 2),
                        Outcome::Skipped | Outcome::Refused => (node.to_string(), 3),
                        Outcome::Held | Outcome::Unknown => continue,
                    },
                    _ => continue,
                };
                out.entry((flow.to_string(), node)).or_insert_with(|| vec![0; 4])[which] += 1;
            }
        }
        Ok(out)
    }

    /// A table of two names and counts against what it should say; rows of nothing may be there or not.
    fn compare(&self, name: &str, sql: &str, num: usize, expected: &Counts<(String, String)>) -> Result<(), String> {
        let read = |row: &Row<'_>| {
            let counts = (0..num).map(|n| row.get(n + 2)).collect::<rusqlite::Result<Vec<i64>>>()?;
            Ok(((row.get(0)?, row.get(1)?), counts))
        };
        let some = |counts: &Vec<i64>| counts.iter().any(|count| *count != 0);
        let mut found: Counts<(String, String)> = self.rows(sql, [], read).into_iter().collect();
        found.retain(|_, counts| some(counts));
        let mut expected = expected.clone();
        expected.retain(|_, counts| some(counts));
        if found == expected {
            return Ok(());
        }
        let apart: Vec<String> = found
            .keys()
            .chain(expected.keys())
            .filter(|key| found.get(*key) != expected.get(*key))
            .map(|key| format!("{key:?}: {:?}, should be {:?}", found.get(key), expected.get(key)))
            .collect();
        Err(format!("table {name} differs: {}", apart.join("; ")))
    }
}

fn keyed(counts: Counts<String>) -> Counts<(String, String)> {
    counts.into_iter().map(|(name, counts)| ((name, String::new()), counts)).collect()
}
