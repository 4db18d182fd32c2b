//! What is seen: a connection of its own, read-only, with short transactions, so that the log can shrink.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    path::Path,
};

use flate2::read::GzDecoder;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params, types::ValueRef};
use smol_str::SmolStr;

use super::{
    Error, FILE, Kind, Result, WAYS,
    rows::{DAMAGED, JournalKind, reason_of, standing_of},
};
use crate::{
    audience::EventLog,
    base::{ContactId, FlowId, Instant, NodeId},
    engine::{
        driver::ENTRIES,
        forget::{self, Person, Places},
        status::{
            AuditRow, CodeView, ContactView, DamagedContact, Export, FlowStatus, Found, HeldRow, JourneyView, MailView,
            NodeStatus, ProfileView, SendView, Status,
        },
        work::Standing,
    },
    journey::{ContactState, Decision, Waiting},
    kinds::runtime::{Control, Outcome, Reason},
};

/// Journeys of an older version: from which node, to which (`None`: they would end), how many.
pub type MoveRow = (NodeId, Option<NodeId>, u64);

/// A look at an engine's data, whether it runs or not.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    /// Names of flows by version.
    names: RefCell<BTreeMap<String, String>>,
}

/// So many names of flows are kept. Source: assumption.
const MOST_NAMES: usize = 1_000;
/// So many contacts that cannot be read stand in a status. Source: assumption; `held` lists all.
const MOST_DAMAGED: usize = 20;
/// Contacts that cannot be read, with the notes about them, by what the names of notes begin with, and its length.
const DAMAGED_CONTACTS: &str =
    "from meta join contact on contact.n = cast(substr(name, ?2) as integer) where name >= ?1 and name < ?1 || '~'";
const DAMAGED_NAMES: (&str, i64) = (DAMAGED, DAMAGED.len() as i64 + 1);
/// So many rows of a contact's journal are shown, the newest ones. Source: assumption; nobody reads more.
const MOST_SHOWN_ROWS: i64 = 2_000;

impl Reader {
    /// Opens the data of a folder for reading.
    ///
    /// Errors: there is none, or it is not ours.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let none = || {
            Error::new(
                Kind::Io,
                format!("There is no engine's data in {}", dir.display()),
                "Name the folder of `flowloom run` with --data",
            )
        };
        if !path.is_file() {
            return Err(none());
        }
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        super::steady(&connection)?;
        let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let tables: i64 = connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
        // An engine that died in its first moment has left a file without anything in it.
        if application == 0 && version == 0 && tables == 0 {
            return Err(none());
        }
        if let Some(unfit) = super::schema::unfit(application, version, false) {
            return Err(Error::unfit(&path, &unfit));
        }
        Ok(Self { connection, names: RefCell::default() })
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_map(params, read)?.collect::<rusqlite::Result<_>>()?)
    }

    /// The whole engine, as its file says; rates and latency are the running engine's to add.
    ///
    /// Errors: the store's.
    pub fn status(&self, now: Instant) -> Result<Status> {
        // One moment for all of it.
        let moment = self.connection.unchecked_transaction()?;
        let mut status = Status { schema: "flowloom/status/1".into(), now, ..Status::default() };
        for (name, count) in self.rows("select name, n from standing order by name", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })? {
            let count = u64::try_from(count).unwrap_or(0);
            match name.as_str() {
                "contacts" => status.contacts = count,
                "waiting" => status.waiting = count,
                _ => {
                    status.outbox.insert(SmolStr::new(name), count);
                }
            }
        }
        let next = "select due from contact where due is not null order by due limit 1";
        let next: Option<i64> = self.connection.query_row(next, [], |row| row.get(0)).optional()?;
        status.next_wake = next.map(Instant::from_millis);
        status.flows = self.flows()?;
        let damaged = format!("select count(*) {DAMAGED_CONTACTS}");
        let damaged: i64 = self.connection.prepare_cached(&damaged)?.query_row(DAMAGED_NAMES, |row| row.get(0))?;
        status.damaged = u64::try_from(damaged).unwrap_or(0);
        if status.damaged > 0 {
            status.damaged_contacts = self.damaged(MOST_DAMAGED)?;
        }
        drop(moment);
        Ok(status)
    }

    fn flows(&self) -> Result<Vec<FlowStatus>> {
        let mut flows: BTreeMap<SmolStr, FlowStatus> = BTreeMap::new();
        // A flow may let nobody in and be paused at the same time: resuming ends the pause alone.
        let mut paused: BTreeMap<SmolStr, (&str, String)> = BTreeMap::new();
        let mut draining: BTreeSet<SmolStr> = BTreeSet::new();
        for body in self.rows("select body from control order by n", [], |row| row.get::<_, String>(0))? {
            let control: Control = serde_json::from_str(&body).map_err(Error::damaged)?;
            let flow = |id: &FlowId| SmolStr::new(id.as_str());
            match control {
                Control::Adopt { flow: id, version } => {
                    let status = flows.entry(flow(&id)).or_default();
                    (status.id, status.version) = (flow(&id), version.to_string());
                    draining.remove(id.as_str());
                }
                // A second pause changes nothing, as in the core.
                Control::Pause { flow: id, freeze } => {
                    let word = if freeze { "frozen" } else { "paused" };
                    paused.entry(flow(&id)).or_insert((word, String::new()));
                }
                Control::Breaker { flow: id, why } => {
                    paused.entry(flow(&id)).or_insert(("breaker", why));
                }
                Control::Resume { flow: id } => drop(paused.remove(id.as_str())),
                Control::Drain { flow: id } => drop(draining.insert(flow(&id))),
                _ => {}
            }
        }
        for (id, status) in &mut flows {
            let usual = if draining.contains(id) { "draining" } else { "live" };
            let (state, why) = paused.remove(id).unwrap_or((usual, String::new()));
            (status.state, status.why) = (state.into(), why);
        }
        for status in flows.values_mut() {
            status.name = self.name_of(&status.version)?;
        }
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        for (flow, version, n) in self.rows("select flow, version, n from under_way where n > 0", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        })? {
            let Some(status) = flows.get_mut(flow.as_str()) else { continue };
            status.under_way += count(n);
            if version != status.version {
                status.older.insert(version, count(n));
            }
        }
        // A folder at rest is looked at as it is: former builds have not counted these. Asked each time, since an
        // engine that starts meanwhile begins to.
        let version: i32 = self.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let open = if version < super::schema::OPEN_IS_COUNTED { "0, 0" } else { "held_sends, unknown_sends" };
        let nodes = format!("select flow, node, here, held, entered, left_by, sent, not_sent, {open} from node");
        for (flow, node, seen) in self.rows(&nodes, [], |row| {
            let seen = NodeStatus {
                here: row.get(2)?,
                held: row.get(3)?,
                entered: count(row.get(4)?),
                left: count(row.get(5)?),
                per_minute: 0,
                sent: count(row.get(6)?),
                not_sent: count(row.get(7)?),
                held_sends: row.get(8)?,
                unknown_sends: row.get(9)?,
            };
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, seen))
        })? {
            let Some(status) = flows.get_mut(flow.as_str()) else { continue };
            if node == ENTRIES {
                status.entered = seen.entered;
            } else {
                status.nodes.insert(NodeId::new(node), seen);
            }
        }
        Ok(flows.into_values().collect())
    }

    /// The name of the flow in a version; empty where it cannot be read. Flows are big, and versions never change.
    fn name_of(&self, hash: &str) -> Result<String> {
        if let Some(name) = self.names.borrow().get(hash) {
            return Ok(name.clone());
        }
        let mut statement =
            self.connection.prepare_cached("select json_extract(body, '$.flow') from version where hash = ?")?;
        let text: Option<String> = statement.query_row([hash], |row| row.get(0)).optional()?;
        let name = text.and_then(|text| crate::flow::file::read(&text).ok()).map(|loaded| loaded.flow.name);
        let Some(name) = name else { return Ok(String::new()) };
        let mut names = self.names.borrow_mut();
        // As many as are live at once, as a rule; who publishes all day begins anew.
        if names.len() >= MOST_NAMES {
            names.clear();
        }
        names.insert(hash.to_owned(), name.clone());
        Ok(name)
    }

    /// Contacts whose id or address begins with a text, at most `limit`: who is called exactly so first, then in the
    /// order of their ids; all of them where there is no text.
    ///
    /// Errors: the store's.
    pub fn search(&self, text: &str, limit: usize) -> Result<Vec<Found>> {
        if text.trim().is_empty() {
            // Everybody, a page of them by the index.
            let sql = "select id, email from contact order by id limit ?";
            return self.rows(sql, [limit as i64], found);
        }
        let low = text.trim().to_lowercase();
        let (id, id_end) = (text.trim().to_owned(), format!("{}\u{10ffff}", text.trim()));
        let end = format!("{low}\u{10ffff}");
        let limit = limit as i64;
        // The first of each by its index, then the first of both: a beginning that half of all have is no reason to
        // look at them. Who is called exactly so comes before those who are not.
        let sql = "select id, email from ( \
                   select * from (select id, email from contact where id >= ?1 and id < ?2 order by id limit ?5) \
                   union select * from (select id, email from contact where email is not null and email >= ?3 \
                   and email < ?4 order by email limit ?5)) \
                   order by id <> ?1 and coalesce(email, '') <> ?3, id limit ?5";
        self.rows(sql, params![id, id_end, low, end, limit], found)
    }

    /// Whether there is a contact of that id.
    ///
    /// Errors: the store's.
    pub fn knows(&self, id: &str) -> Result<bool> {
        Ok(self.connection.prepare_cached("select 1 from contact where id = ?")?.exists([id])?)
    }

    /// One contact with all that is kept of it. `None` where there is none.
    ///
    /// Errors: the store's; a row that cannot be read.
    pub fn contact(&self, id: &str) -> Result<Option<ContactView>> {
        let moment = self.connection.unchecked_transaction()?;
        let view = self.view(id, Some(MOST_SHOWN_ROWS))?;
        drop(moment);
        Ok(view)
    }

    /// Everything that is kept of a contact. `None` where there is none.
    ///
    /// Errors: the store's; a row that cannot be read.
    pub fn export(&self, id: &str) -> Result<Option<Export>> {
        let moment = self.connection.unchecked_transaction()?;
        let Some(contact) = self.view(id, None)? else { return Ok(None) };
        let mut mails = Vec::new();
        for send in contact.sends.iter().filter(|send| send.has_mail) {
            if let Some(bytes) = self.mail(&send.key)? {
                mails.push(MailView { key: send.key.clone(), eml: String::from_utf8_lossy(&bytes).into_owned() });
            }
        }
        let export = Export {
            schema: "flowloom/export/1".into(),
            profile: self.profile(id)?,
            codes: self.codes(id)?,
            events: self.events(id)?,
            mails,
            contact,
        };
        drop(moment);
        Ok(Some(export))
    }

    /// A contact with the newest rows of its trace, or with all of them.
    fn view(&self, id: &str, most_rows: Option<i64>) -> Result<Option<ContactView>> {
        let row = self
            .connection
            .prepare_cached("select n, state, due from contact where id = ?")?
            .query_row([id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<i64>>(2)?)))
            .optional()?;
        let Some((n, state, due)) = row else { return Ok(None) };
        let state = ContactState::from_stored(&state, EventLog::default()).map_err(Error::damaged)?;
        let mut nodes: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
        for journey in &state.journeys {
            if let Entry::Vacant(place) = nodes.entry(journey.version.to_string()) {
                let ids = self.nodes_of(place.key())?;
                place.insert(ids);
            }
        }
        let journeys = state.journeys.iter().map(|journey| {
            let ids = nodes.get(&journey.version.to_string());
            JourneyView {
                id: journey.id.clone(),
                flow: journey.flow.clone(),
                version: journey.version.to_string(),
                entered: journey.entered,
                node: journey.is_active().then(|| ids.and_then(|ids| ids.get(journey.node)).cloned()).flatten(),
                waiting: if journey.is_active() { waits(journey.waiting) } else { String::new() },
                ended: journey.ended.as_ref().map(|(at, how)| (*at, how.name().to_owned())),
            }
        });
        let mut trace = Vec::new();
        let newest = "select at, kind, input, trace from journal where n in \
                      (select n from journal where contact = ? order by n desc limit ?) order by n";
        // Below nought there is no limit.
        let rows = self.rows(newest, [n, most_rows.unwrap_or(-1)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
        })?;
        if let Some(most) = most_rows.filter(|most| rows.len() as i64 == *most) {
            trace.push(format!("Only the newest {most} rows are shown (all: flowloom contact ID --format json)"));
        }
        for (at, kind, input, decisions) in rows {
            if kind == 0
                && let Ok(event) = serde_json::from_str::<crate::audience::Event>(&input)
            {
                trace.push(format!("{}  event {}", Instant::from_millis(at), event.name));
            }
            if !decisions.is_empty() {
                let decisions: Vec<Decision> = serde_json::from_str(&decisions).map_err(Error::damaged)?;
                trace.extend(decisions.iter().map(ToString::to_string));
            }
        }
        let audit = self.rows("select at, who, what from audit where contact = ? order by n", [n], |row| {
            Ok((Instant::from_millis(row.get(0)?), row.get(1)?, row.get(2)?))
        })?;
        let view = ContactView {
            schema: "flowloom/contact/1".into(),
            suppressed: state.suppressed,
            bounced: state.is_bounced(),
            journeys: journeys.collect(),
            sends: self.sends(n)?,
            trace,
            audit,
            next_wake: due.map(Instant::from_millis),
            contact: state.contact,
        };
        Ok(Some(view))
    }

    /// Ids of a version's nodes, in the order in which states name them.
    fn nodes_of(&self, hash: &str) -> Result<Vec<NodeId>> {
        let mut statement =
            self.connection.prepare_cached("select json_extract(body, '$.flow') from version where hash = ?")?;
        let text: Option<String> = statement.query_row([hash], |row| row.get(0)).optional()?;
        let Some(Ok(loaded)) = text.as_deref().map(crate::flow::file::read) else { return Ok(Vec::new()) };
        let mut ids: Vec<NodeId> =
            loaded.flow.nodes.iter().filter(|node| node.kind != "note").map(|node| node.id.clone()).collect();
        ids.sort();
        Ok(ids)
    }

    fn sends(&self, n: i64) -> Result<Vec<SendView>> {
        let sql = "select key, flow, node, standing, reason, detail, at, not_before, \
                   exists(select 1 from mail where outbox = outbox.n) from outbox where contact = ? order by n";
        self.rows(sql, [n], |row| {
            // A row that cannot be read does not hide the others.
            let standing = standing_of(&lossy(row, 3)?).unwrap_or(Standing::Settled(Outcome::Unknown));
            let at = if standing == Standing::Due { 7 } else { 6 };
            Ok(SendView {
                key: lossy(row, 0)?,
                flow: FlowId::new(lossy(row, 1)?),
                node: NodeId::new(lossy(row, 2)?),
                standing,
                reason: reason_of(&lossy(row, 4)?).ok(),
                detail: lossy(row, 5)?,
                at: Instant::from_millis(row.get(at).unwrap_or_default()),
                has_mail: row.get(8)?,
            })
        })
    }

    /// What waits for a person to look at it, of one flow or of all, oldest first, at most `limit`.
    ///
    /// Errors: the store's.
    pub fn held(&self, flow: Option<&FlowId>, limit: usize) -> Result<Vec<HeldRow>> {
        // The oldest of each sort by its index, in the words of the partial one, then the oldest of both.
        let sql = "select contact.id, flow, node, what, key, reason, detail, since from ( \
                   select * from (select contact, flow, node, 'held' as what, key, reason, detail, since from held \
                   where ?2 is null or flow = ?2 order by since limit ?1) union all \
                   select * from (select contact, flow, node, standing, key, coalesce(reason, 'fault'), detail, at \
                   from outbox where standing in ('held', 'unknown') and (?2 is null or flow = ?2) \
                   order by at limit ?1)) as rows left join contact on contact.n = rows.contact \
                   order by since limit ?1";
        self.rows(sql, params![limit as i64, flow.map(FlowId::as_str)], |row| {
            // A row that cannot be read is shown above all: what is wrong with it stands in its detail.
            Ok(HeldRow {
                contact: ContactId::new(lossy(row, 0)?),
                flow: FlowId::new(lossy(row, 1)?),
                node: NodeId::new(lossy(row, 2)?),
                what: SmolStr::new(lossy(row, 3)?),
                key: lossy(row, 4)?,
                reason: reason_of(&lossy(row, 5)?).unwrap_or(Reason::Fault),
                detail: lossy(row, 6)?,
                since: Instant::from_millis(row.get(7).unwrap_or_default()),
            })
        })
    }

    /// Contacts that cannot be read, the first ones first, at most `limit`.
    ///
    /// Errors: the store's.
    pub fn damaged(&self, limit: usize) -> Result<Vec<DamagedContact>> {
        let sql = format!(
            "select contact.id, iif(json_valid(value), value ->> 'why', value), \
             iif(json_valid(value), value ->> 'since', 0) {DAMAGED_CONTACTS} order by 3, 1 limit ?3"
        );
        self.rows(&sql, params![DAMAGED_NAMES.0, DAMAGED_NAMES.1, limit as i64], |row| {
            let (contact, why, since) = (lossy(row, 0)?, lossy(row, 1)?, row.get(2).unwrap_or_default());
            Ok(DamagedContact { contact: ContactId::new(contact), why, since: Instant::from_millis(since) })
        })
    }

    /// A mail as it left. `None` where it is not kept.
    ///
    /// Errors: the store's; a mail that cannot be unpacked.
    pub fn mail(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let sql = "select bytes from mail join outbox on outbox.n = mail.outbox where outbox.key = ?";
        let bytes: Option<Vec<u8>> =
            self.connection.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()?;
        let Some(bytes) = bytes else { return Ok(None) };
        let mut out = Vec::new();
        std::io::Read::read_to_end(&mut GzDecoder::new(bytes.as_slice()), &mut out).map_err(Error::damaged)?;
        Ok(Some(out))
    }

    /// What people did by hand, newest first, at most `limit`.
    ///
    /// Errors: the store's.
    pub fn audit(&self, limit: usize) -> Result<Vec<AuditRow>> {
        let sql = "select at, contact.id, who, what from audit left join contact on contact.n = audit.contact \
                   order by audit.n desc limit ?";
        self.rows(sql, [i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            let contact: Option<String> = row.get(1)?;
            let (who, what) = (lossy(row, 2)?, lossy(row, 3)?);
            Ok(AuditRow { at: Instant::from_millis(row.get(0)?), contact: contact.map(ContactId::new), who, what })
        })
    }

    /// Addresses that never get anything, in order.
    ///
    /// Errors: the store's.
    pub fn suppressed(&self) -> Result<Vec<String>> {
        self.rows("select address from suppression order by address", [], |row| row.get(0))
    }

    /// Where the journeys of a flow's older versions would go if they were moved to the live one: from which node, to
    /// which (`None`: they would end), and how many. `None` where the flow is not live. Looks at every contact.
    ///
    /// Errors: the store's.
    pub fn migration(&self, flow: &FlowId, mapping: &[(NodeId, NodeId)]) -> Result<Option<Vec<MoveRow>>> {
        let moment = self.connection.unchecked_transaction()?;
        let Some(live) = self.flows()?.into_iter().find(|status| status.id == flow.as_str()) else { return Ok(None) };
        let to = self.nodes_of(&live.version)?;
        let sql = "select j.value ->> 'version', j.value ->> 'node', count(*) from contact, \
                   json_each(contact.state, '$.journeys') as j where j.value ->> 'flow' = ?1 \
                   and j.value ->> 'ended' is null and j.value ->> 'version' <> ?2 group by 1, 2 order by 1, 2";
        let rows = self.rows(sql, [flow.as_str(), live.version.as_str()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?, row.get::<_, i64>(2)?))
        })?;
        let mut out = Vec::new();
        for (version, place, count) in rows {
            let Some(from) = self.nodes_of(&version)?.into_iter().nth(place as usize) else { continue };
            let wanted = mapping.iter().find(|(old, _)| *old == from).map_or(&from, |(_, new)| new);
            let found = to.contains(wanted).then(|| wanted.clone());
            out.push((from, found, u64::try_from(count).unwrap_or(0)));
        }
        drop(moment);
        Ok(Some(out))
    }

    /// Events of a contact that are kept, in the order of acceptance.
    fn events(&self, id: &str) -> Result<Vec<crate::audience::Event>> {
        let sql =
            "select input from journal where kind = 0 and contact = (select n from contact where id = ?) order by n";
        let rows = self.rows(sql, [id], |row| row.get::<_, String>(0))?;
        rows.iter().map(|text| serde_json::from_str(text).map_err(Error::damaged)).collect()
    }

    fn codes(&self, id: &str) -> Result<Vec<CodeView>> {
        let sql = "select pool, code from code where contact = (select n from contact where id = ?) order by pool";
        self.rows(sql, [id], |row| Ok(CodeView { pool: row.get(0)?, code: row.get(1)? }))
    }

    fn profile(&self, id: &str) -> Result<Vec<ProfileView>> {
        let sql = "select at, input from journal where kind in (?2, ?3) \
                   and contact = (select n from contact where id = ?1) order by n";
        let kinds = (JournalKind::Born as i64, JournalKind::Profile as i64);
        let rows = self.rows(sql, params![id, kinds.0, kinds.1], |row| {
            Ok((Instant::from_millis(row.get(0)?), row.get::<_, String>(1)?))
        })?;
        rows.into_iter()
            .map(|(at, text)| Ok(ProfileView { at, profile: serde_json::from_str(&text).map_err(Error::damaged)? }))
            .collect()
    }

    /// Forgotten people of whom something may lie in files still.
    ///
    /// Errors: the store's. A note that cannot be read is passed over.
    pub fn erasing(&self) -> Result<Vec<Person>> {
        let sql = "select value from meta where name >= ?1 and name < ?1 || char(1114111) order by name";
        let notes = self.rows(sql, [forget::META], |row| row.get::<_, String>(0))?;
        Ok(notes.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
    }

    /// Where files of people may lie.
    ///
    /// Errors: the store's.
    pub fn places(&self) -> Result<Places> {
        let mut statement = self.connection.prepare_cached("select value from meta where name = ?")?;
        let mut meta = |name: &str| statement.query_row([name], |row| row.get::<_, String>(0)).optional();
        let mut places: Places =
            meta(Places::META)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        // An engine of an earlier build has said only by which ways it sends.
        let ways = meta(WAYS)?.unwrap_or_default();
        let folder = ways.strip_prefix("folder:").and_then(|rest| rest.rsplit_once("; texts ")).map(|(path, _)| path);
        places.add(folder.map(Path::new), None);
        Ok(places)
    }

    /// The workspace as it was published last.
    ///
    /// Errors: the store's; a workspace that cannot be read.
    pub fn workspace(&self) -> Result<crate::flow::Workspace> {
        let mut statement = self.connection.prepare_cached("select value from meta where name = 'workspace'")?;
        let text: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
        text.map_or_else(
            || Ok(crate::flow::Workspace::default()),
            |text| serde_json::from_str(&text).map_err(Error::damaged),
        )
    }
}

fn found(row: &rusqlite::Row<'_>) -> rusqlite::Result<Found> {
    let email: Option<String> = row.get(1)?;
    Ok(Found { id: ContactId::new(row.get::<_, String>(0)?), email: email.map(SmolStr::new) })
}

/// A text that is in a row, as far as it can be read.
fn lossy(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    })
}

/// What a journey waits for, in words.
fn waits(waiting: Waiting) -> String {
    match waiting {
        Waiting::No => String::new(),
        Waiting::Until(at) => format!("until {at}"),
        Waiting::Event(at) => format!("for an event, at most until {at}"),
        Waiting::Retry(at) => format!("tries again at {at}"),
        Waiting::Answer(at) => format!("for an answer, at most until {at}"),
        Waiting::Held(reason) => format!("held: {}", reason.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::store::{ContactRow, Store};

    fn check(reader: &Reader, text: &str, limit: usize, expected: &[&str]) {
        let found = reader.search(text, limit).expect("searches");
        assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), expected, "{text:?} {limit}");
    }

    #[test]
    fn people_are_found_by_the_beginning() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("opens");
        for (id, email) in [
            ("zoe", Some("ada@x.example")),
            ("ada", Some("ada@y.example")),
            ("Bob", Some("bob@x.example")),
            ("adam", None),
            ("eve", Some("adam@x.example")),
        ] {
            let email = email.map(str::to_owned);
            let row = ContactRow { n: 0, seen: 0, due: None, email, state: "{}".into(), forgotten: None };
            store.add_contact(id, &row).expect("adds");
        }
        let reader = Reader::open(dir.path()).expect("opens");
        check(&reader, "", 9, &["Bob", "ada", "adam", "eve", "zoe"]);
        check(&reader, "  ", 2, &["Bob", "ada"]);
        check(&reader, "ada", 9, &["ada", "adam", "eve", "zoe"]);
        check(&reader, "ADA@", 9, &["ada", "zoe"]);
        check(&reader, "ada", 2, &["ada", "adam"]);
        check(&reader, "adam", 9, &["adam", "eve"]);
        check(&reader, "adam@x.example", 9, &["eve"]);
        check(&reader, "ada@x.example", 1, &["zoe"]);
        check(&reader, "nobody", 9, &[]);
        assert_eq!((reader.knows("ada"), reader.knows("ad")), (Ok(true), Ok(false)));
    }

    /// A note that is itself damaged is shown as it is.
    #[test]
    fn whoever_cannot_be_read_is_listed() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("opens");
        for id in ["ada", "ben", "cem"] {
            let row = ContactRow { n: 0, seen: 0, due: None, email: None, state: "{".into(), forgotten: None };
            store.add_contact(id, &row).expect("adds");
        }
        store.note_damaged(3, Instant::from_millis(7), "why").expect("notes");
        store.note_damaged(99, Instant::from_millis(7), "nobody").expect("notes");
        store.set_meta("damaged:2", "{").expect("notes");
        store.set_meta("damagee", "another").expect("notes");
        assert_eq!(store.damaged(), Ok(vec![2, 3, 99]));
        let reader = Reader::open(dir.path()).expect("opens");
        let seen: Vec<_> = reader.damaged(9).expect("reads").into_iter().map(|one| (one.contact, one.why)).collect();
        assert_eq!(seen, [("ben".into(), "{".to_owned()), ("cem".into(), "why".to_owned())]);
        assert_eq!(reader.damaged(1).expect("reads").len(), 1);
        assert_eq!(reader.status(Instant::from_millis(9)).expect("reads").damaged, 2);
        store.drop_damaged(3).expect("drops");
        assert_eq!(reader.status(Instant::from_millis(9)).expect("reads").damaged, 1);
    }
}
