//! Rows, read and written within the writer's transaction.

use rusqlite::{OptionalExtension, Row, params};
use smol_str::SmolStr;

use super::{Error, Result, Store, schema};
use crate::{
    base::{ContactId, Instant, SendKey},
    engine::{forget::Person, work::Standing},
    kinds::runtime::{Outcome, Reason},
};

/// What sort of input a row of the journal holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i64)]
pub enum JournalKind {
    /// An event: the history of the contact.
    Event = 0,
    /// A change of the profile.
    Profile = 1,
    /// Time.
    Wake = 2,
    /// What became of a send.
    Delivered = 3,
    /// A word.
    Control = 4,
    /// The first row: the contact as it was made. What it heard at once stands in the rows after it.
    Born = 5,
}

/// A contact as stored.
#[derive(Clone, Debug)]
pub struct ContactRow {
    /// Its number.
    pub n: i64,
    /// The last word to everybody that it heard.
    pub seen: i64,
    /// When it wants to be woken.
    pub due: Option<i64>,
    /// Its address, for searches.
    pub email: Option<String>,
    /// The state.
    pub state: String,
    /// What retention dropped of its history, as JSON.
    pub forgotten: Option<String>,
}

/// A send as stored.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    /// Its number.
    pub n: i64,
    /// Its key.
    pub key: SendKey,
    /// Whose.
    pub contact: i64,
    /// The flow.
    pub flow: SmolStr,
    /// What, as JSON of `IntentWhat`.
    pub what: String,
    /// Where it stands.
    pub standing: Standing,
    /// Attempts so far.
    pub attempt: u32,
    /// Since when it is due by the flow's own rules: its intent, or the end of a pause or deferral, or a person's word.
    pub made: Instant,
    /// Not before.
    pub not_before: Instant,
    /// Since when it stands there; of one that is unknown, when it was handed over.
    pub at: Instant,
}

/// What changed at a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeDelta {
    /// People who stand there.
    pub here: i64,
    /// Of these, held.
    pub held: i64,
    /// Arrivals.
    pub entered: i64,
    /// Departures.
    pub left: i64,
    /// Messages sent.
    pub sent: i64,
    /// Messages skipped or refused.
    pub not_sent: i64,
    /// Sends that are held.
    pub held_sends: i64,
    /// Sends that may have left.
    pub unknown_sends: i64,
}

/// A held step, as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldDelta {
    /// The journey.
    pub journey: SmolStr,
    /// The flow.
    pub flow: SmolStr,
    /// The node.
    pub node: SmolStr,
    /// Any send key of the journey, for `retry`.
    pub key: String,
    /// Why.
    pub reason: Reason,
}

/// The word of a standing in the store, in status and in the tables.
pub(super) fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Due => "due",
        Standing::Claimed => "claimed",
        Standing::HandingOver => "handing_over",
        Standing::Settled(outcome) => outcome.name(),
    }
}

/// The standing of a word.
pub(super) fn standing_of(word: &str) -> Result<Standing> {
    Ok(match word {
        "due" => Standing::Due,
        "claimed" => Standing::Claimed,
        "handing_over" => Standing::HandingOver,
        "sent" => Standing::Settled(Outcome::Sent),
        "skipped" => Standing::Settled(Outcome::Skipped),
        "refused" => Standing::Settled(Outcome::Refused),
        "held" => Standing::Settled(Outcome::Held),
        "unknown" => Standing::Settled(Outcome::Unknown),
        other => return Err(Error::damaged(format!("the standing `{other}` of a send"))),
    })
}

/// The reason of a word.
pub(super) fn reason_of(word: &str) -> Result<Reason> {
    serde_json::from_value(word.into()).map_err(|_| Error::damaged(format!("the reason `{word}`")))
}

/// What the partial index of open sends is about.
pub(super) const OPEN: &str = "standing in ('claimed', 'handing_over', 'held', 'unknown')";

/// What the partial index of sends in no known standing is about: as a rule it is empty.
const STRANGE: &str =
    "standing not in ('due', 'claimed', 'handing_over', 'sent', 'skipped', 'refused', 'held', 'unknown')";

const OUTBOX: &str = "n, key, contact, flow, what, standing, attempt, made, not_before, at";

/// A send whose row cannot be read.
#[derive(Clone, Debug)]
pub struct DamagedRow {
    /// Its number.
    pub n: i64,
    /// What is wrong.
    pub error: Error,
}

/// Sends, and beside them those that cannot be read: one of these stops no other (SEMANTICS R29).
pub type Sends = (Vec<OutboxRow>, Vec<DamagedRow>);

fn outbox_row(row: &Row<'_>) -> rusqlite::Result<std::result::Result<OutboxRow, DamagedRow>> {
    let n = row.get(0)?;
    Ok(read_outbox(n, row).map_err(|error| DamagedRow { n, error }))
}

/// A text that is in the row; whatever else stands there is damage.
fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str> {
    row.get_ref(column).map_err(Error::damaged)?.as_str().map_err(Error::damaged)
}

fn number<T: rusqlite::types::FromSql>(row: &Row<'_>, column: usize) -> Result<T> {
    row.get(column).map_err(Error::damaged)
}

fn read_outbox(n: i64, row: &Row<'_>) -> Result<OutboxRow> {
    let key = text(row, 1)?;
    Ok(OutboxRow {
        n,
        key: SendKey::parse(key).ok_or_else(|| Error::damaged(format!("the send key `{key}`")))?,
        contact: number(row, 2)?,
        flow: SmolStr::new(text(row, 3)?),
        what: text(row, 4)?.to_owned(),
        standing: standing_of(text(row, 5)?)?,
        attempt: number(row, 6)?,
        made: Instant::from_millis(number(row, 7)?),
        not_before: Instant::from_millis(number(row, 8)?),
        at: Instant::from_millis(number(row, 9)?),
    })
}

fn apart(rows: impl Iterator<Item = rusqlite::Result<std::result::Result<OutboxRow, DamagedRow>>>) -> Result<Sends> {
    let mut out = Sends::default();
    for row in rows {
        match row? {
            Ok(row) => out.0.push(row),
            Err(damaged) => out.1.push(damaged),
        }
    }
    Ok(out)
}

/// What the names of notes about contacts that cannot be read begin with; the number of the contact follows.
pub(super) const DAMAGED: &str = "damaged:";

fn damaged_name(contact: i64) -> String {
    format!("{DAMAGED}{contact}")
}

impl Store {
    // ---- contacts --------------------------------------------------------------------------------------------------

    /// The number of a contact.
    pub fn contact_number(&self, id: &str) -> Result<Option<i64>> {
        let mut statement = self.connection.prepare_cached("select n from contact where id = ?")?;
        Ok(statement.query_row([id], |row| row.get(0)).optional()?)
    }

    /// Contacts with an address (in lower case), at most so many.
    pub fn contacts_at(&self, address: &str, limit: usize) -> Result<Vec<i64>> {
        let mut statement = self.connection.prepare_cached("select n from contact where email = ? limit ?")?;
        let rows = statement.query_map(params![address, i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Ids of contacts with an address (in lower case), the oldest first, at most so many.
    pub fn ids_at(&self, address: &str, limit: usize) -> Result<Vec<String>> {
        let mut statement =
            self.connection.prepare_cached("select id from contact where email = ? order by n limit ?")?;
        let rows = statement.query_map(params![address, i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether somebody asked to be forgotten once.
    pub fn is_forgotten(&self, n: i64) -> Result<bool> {
        let sql = "select exists (select 1 from audit where contact = ? and what = 'forgotten')";
        Ok(self.connection.prepare_cached(sql)?.query_row([n], |row| row.get(0))?)
    }

    /// A contact by its number.
    pub fn contact(&self, n: i64) -> Result<Option<ContactRow>> {
        let mut statement =
            self.connection.prepare_cached("select seen, due, email, state, forgotten from contact where n = ?")?;
        let read = |row: &Row<'_>| {
            Ok(ContactRow {
                n,
                seen: row.get(0)?,
                due: row.get(1)?,
                email: row.get(2)?,
                state: row.get(3)?,
                forgotten: row.get(4)?,
            })
        };
        Ok(statement.query_row([n], read).optional()?)
    }

    /// Makes a contact; its number.
    pub fn add_contact(&self, id: &str, row: &ContactRow) -> Result<i64> {
        let mut statement = self
            .connection
            .prepare_cached("insert into contact(id, email, seen, due, state, forgotten) values (?, ?, ?, ?, ?, ?)")?;
        let n = statement.insert(params![id, row.email, row.seen, row.due, row.state, row.forgotten])?;
        // What left before a restore to whom the copy did not know is theirs: it is forgotten with them. Keys are ids
        // with four parts more; `0` comes after `/`.
        let mut statement = self.connection.prepare_cached(
            "update outbox set contact = ?1 where contact = 0 and key >= ?2 || '/' and key < ?2 || '0' and \
             length(key) - length(replace(key, '/', '')) = length(?2) - length(replace(?2, '/', '')) + 4",
        )?;
        statement.execute(params![n, id])?;
        Ok(n)
    }

    /// Writes a contact's state; the address only where it is another one, so that its index is left alone.
    pub fn set_contact(&self, row: &ContactRow, with_email: bool) -> Result<()> {
        if with_email {
            let mut statement = self.connection.prepare_cached("update contact set email = ? where n = ?")?;
            statement.execute(params![row.email, row.n])?;
        }
        let mut statement =
            self.connection.prepare_cached("update contact set seen = ?, due = ?, state = ? where n = ?")?;
        statement.execute(params![row.seen, row.due, row.state, row.n])?;
        Ok(())
    }

    /// Contacts that are due, soonest first.
    pub fn due_contacts(&self, now: Instant, limit: usize) -> Result<Vec<(i64, Instant)>> {
        let mut statement = self
            .connection
            .prepare_cached("select n, due from contact where due is not null and due <= ? order by due limit ?")?;
        let rows = statement.query_map(params![now.as_millis(), limit as i64], |row| {
            Ok((row.get(0)?, Instant::from_millis(row.get(1)?)))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The soonest instant at which something is due: a contact or a send.
    pub fn next_due(&self) -> Result<Option<Instant>> {
        Ok([self.next_wake()?, self.next_send()?].into_iter().flatten().min())
    }

    /// The soonest instant at which a contact is due.
    pub fn next_wake(&self) -> Result<Option<Instant>> {
        let mut contact =
            self.connection.prepare_cached("select due from contact where due is not null order by due limit 1")?;
        let contact: Option<i64> = contact.query_row([], |row| row.get(0)).optional()?;
        Ok(contact.map(Instant::from_millis))
    }

    /// The soonest instant at which a send is due.
    pub fn next_send(&self) -> Result<Option<Instant>> {
        let mut send = self
            .connection
            .prepare_cached("select not_before from outbox where standing = 'due' order by not_before limit 1")?;
        let send: Option<i64> = send.query_row([], |row| row.get(0)).optional()?;
        Ok(send.map(Instant::from_millis))
    }

    /// Every row about a contact, in order: instant, kind, input.
    pub fn inputs(&self, id: &str) -> Result<Vec<(Instant, i64, String)>> {
        let mut statement = self.connection.prepare_cached(
            "select at, kind, input from journal where contact = (select n from contact where id = ?) order by n",
        )?;
        let rows =
            statement.query_map([id], |row| Ok((Instant::from_millis(row.get(0)?), row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every decision about a contact, in order.
    pub fn decisions(&self, id: &str) -> Result<Vec<crate::journey::Decision>> {
        let mut statement = self.connection.prepare_cached(
            "select trace from journal where trace <> '' and contact = (select n from contact where id = ?) order by n",
        )?;
        let rows = statement.query_map([id], |row| row.get::<_, String>(0))?;
        let mut out = Vec::new();
        for row in rows {
            out.extend(serde_json::from_str::<Vec<_>>(&row?).map_err(Error::damaged)?);
        }
        Ok(out)
    }

    /// Contacts that have not heard a word yet, among the next `limit` after a contact; and the last one looked at,
    /// `None` where there are no more.
    pub fn behind(&self, word: i64, after: i64, limit: usize) -> Result<(Vec<i64>, Option<i64>)> {
        let mut statement =
            self.connection.prepare_cached("select n, seen from contact where n > ? order by n limit ?")?;
        let rows = statement
            .query_map(params![after, limit as i64], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let last = if rows.len() == limit { rows.last().map(|(n, _)| *n) } else { None };
        Ok((rows.into_iter().filter(|(_, seen)| *seen < word).map(|(n, _)| n).collect(), last))
    }

    // ---- journal ---------------------------------------------------------------------------------------------------

    /// Adds a row.
    pub fn journal(&self, contact: i64, at: Instant, kind: JournalKind, input: &str, trace: &str) -> Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("insert into journal(contact, at, kind, input, trace) values (?, ?, ?, ?, ?)")?;
        statement.execute(params![contact, at.as_millis(), kind as i64, input, trace])?;
        Ok(())
    }

    /// When the last thing was fed to anybody.
    pub fn last_fed(&self) -> Result<Option<Instant>> {
        let mut statement = self.connection.prepare_cached("select at from journal order by n desc limit 1")?;
        let at: Option<i64> = statement.query_row([], |row| row.get(0)).optional()?;
        Ok(at.map(Instant::from_millis))
    }

    /// The events of a contact, in the order of acceptance.
    pub fn history(&self, contact: i64, mut each: impl FnMut(&str) -> Result<()>) -> Result<()> {
        let mut statement =
            self.connection.prepare_cached("select input from journal where contact = ? and kind = 0 order by n")?;
        let mut rows = statement.query([contact])?;
        while let Some(row) = rows.next()? {
            each(row.get_ref(0)?.as_str().map_err(Error::damaged)?)?;
        }
        Ok(())
    }

    // ---- outbox ----------------------------------------------------------------------------------------------------

    /// The send of a key.
    ///
    /// Errors: the store's; a row that cannot be read.
    pub fn send(&self, key: &SendKey) -> Result<Option<OutboxRow>> {
        self.send_or_damaged(key)?.transpose().map_err(|damaged| damaged.error)
    }

    /// The send of a key, or that its row cannot be read.
    pub fn send_or_damaged(&self, key: &SendKey) -> Result<Option<std::result::Result<OutboxRow, DamagedRow>>> {
        let mut statement = self.connection.prepare_cached(&format!("select {OUTBOX} from outbox where key = ?"))?;
        Ok(statement.query_row([key.to_string()], outbox_row).optional()?)
    }

    /// Sends in a standing that can be read, in the order of making.
    pub fn sends_in(&self, standing: Standing) -> Result<Vec<OutboxRow>> {
        Ok(self.all_in(standing)?.0)
    }

    /// Sends in a standing, in the order of making. Where the partial index is about it, its words stand in the query
    /// as they do in the schema: else SQLite looks at every row.
    pub fn all_in(&self, standing: Standing) -> Result<Sends> {
        let name = standing_name(standing);
        let open = if OPEN.contains(&format!("'{name}'")) { OPEN } else { "true" };
        let mut statement = self
            .connection
            .prepare_cached(&format!("select {OUTBOX} from outbox where standing = '{name}' and {open} order by n"))?;
        apart(statement.query_map([], outbox_row)?)
    }

    /// Sends whose standing is a word that there is not.
    pub fn strange_sends(&self) -> Result<Vec<DamagedRow>> {
        let mut statement =
            self.connection.prepare_cached(&format!("select {OUTBOX} from outbox where {STRANGE} order by n"))?;
        Ok(apart(statement.query_map([], outbox_row)?)?.1)
    }

    /// Sends that are due and can be read, soonest first.
    pub fn due_sends(&self, now: Instant, limit: usize) -> Result<Vec<OutboxRow>> {
        Ok(self.all_due(now, limit)?.0)
    }

    /// Sends that are due, soonest first.
    pub fn all_due(&self, now: Instant, limit: usize) -> Result<Sends> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {OUTBOX} from outbox where standing = 'due' and not_before <= ? order by not_before, n limit ?"
        ))?;
        apart(statement.query_map(params![now.as_millis(), limit as i64], outbox_row)?)
    }

    /// Counts the sends anew by their standings, those in none left out: after damage nobody knows what was counted.
    pub fn recount_sends(&self) -> Result<()> {
        self.connection.execute_batch(&format!(
            "delete from standing where name not in ('contacts', 'waiting'); \
             insert into standing(name, n) \
             select standing, count(*) from outbox where not ({STRANGE}) group by standing; {}",
            schema::RECOUNT_OPEN
        ))?;
        Ok(())
    }

    /// Flow and node of a send, as far as they can be read.
    pub fn place_of_send(&self, n: i64) -> Result<Option<(String, String)>> {
        let sql = "select cast(flow as text), cast(node as text) from outbox where n = ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let read = |row: &Row<'_>| Ok((text(row, 0).map(str::to_owned).ok(), text(row, 1).map(str::to_owned).ok()));
        Ok(statement.query_row([n], read).optional()?.and_then(|(flow, node)| flow.zip(node)))
    }

    /// Makes a send that is due. The key is unique.
    pub fn add_send(&self, row: &OutboxRow) -> Result<i64> {
        let mut statement = self.connection.prepare_cached(
            "insert into outbox(key, contact, flow, node, what, standing, not_before, made, at) \
             values (?, ?, ?, ?, ?, 'due', ?, ?, ?)",
        )?;
        Ok(statement.insert(params![
            row.key.to_string(),
            row.contact,
            row.flow.as_str(),
            row.key.node.as_str(),
            row.what,
            row.not_before.as_millis(),
            row.made.as_millis(),
            row.made.as_millis(),
        ])?)
    }

    /// Moves a send to a standing. `not_before` is kept where it is `None`.
    pub fn set_send(
        &self,
        n: i64,
        standing: Standing,
        attempt: u32,
        not_before: Option<Instant>,
        at: Instant,
        why: Option<(Option<Reason>, &str)>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "update outbox set standing = ?2, attempt = ?3, not_before = coalesce(?4, not_before), at = ?5, \
             reason = case when ?6 then ?7 else reason end, detail = case when ?6 then ?8 else detail end where n = ?1",
        )?;
        let (reason, detail) = why.unwrap_or((None, ""));
        statement.execute(params![
            n,
            standing_name(standing),
            attempt,
            not_before.map(Instant::as_millis),
            at.as_millis(),
            why.is_some(),
            reason.map(Reason::name),
            detail,
        ])?;
        Ok(())
    }

    /// What was said of a send when it was put off last, where that was by the other side.
    pub fn put_off_by(&self, n: i64) -> Result<Option<String>> {
        let sql = "select detail from outbox where n = ? and reason in ('rejected', 'no_answer')";
        Ok(self.connection.prepare_cached(sql)?.query_row([n], |row| row.get(0)).optional()?)
    }

    /// Says anew since when a send has been due by the flow's own rules.
    pub fn set_send_made(&self, n: i64, made: Instant) -> Result<()> {
        let mut statement = self.connection.prepare_cached("update outbox set made = ? where n = ?")?;
        statement.execute(params![made.as_millis(), n])?;
        Ok(())
    }

    /// Says anew what a send is: a retry may choose another variant.
    pub fn set_send_what(&self, n: i64, what: &str) -> Result<()> {
        self.connection.prepare_cached("update outbox set what = ? where n = ?")?.execute(params![what, n])?;
        Ok(())
    }

    /// Keeps a mail as it leaves.
    pub fn keep_mail(&self, n: i64, bytes: &[u8]) -> Result<()> {
        // A second try of the same send may look different: the last one is what left.
        self.connection
            .prepare_cached(
                "insert into mail(outbox, bytes) values (?, ?) on conflict do update set bytes = excluded.bytes",
            )?
            .execute(params![n, bytes])?;
        Ok(())
    }

    // ---- codes -----------------------------------------------------------------------------------------------------

    /// The code of a pool that a contact has.
    pub fn code_of(&self, pool: &str, contact: i64) -> Result<Option<String>> {
        let mut statement = self.connection.prepare_cached("select code from code where pool = ? and contact = ?")?;
        Ok(statement.query_row(params![pool, contact], |row| row.get(0)).optional()?)
    }

    /// Whether somebody has a code.
    pub fn is_given(&self, pool: &str, code: &str) -> Result<bool> {
        let mut statement = self.connection.prepare_cached("select 1 from code where pool = ? and code = ?")?;
        Ok(statement.exists([pool, code])?)
    }

    /// Gives a code to a contact; `false` where somebody has it.
    pub fn give_code(&self, pool: &str, code: &str, contact: i64, key: &SendKey) -> Result<bool> {
        let mut statement = self
            .connection
            .prepare_cached("insert or ignore into code(pool, code, contact, key) values (?, ?, ?, ?)")?;
        Ok(statement.execute(params![pool, code, contact, key.to_string()])? == 1)
    }

    // ---- words and versions ----------------------------------------------------------------------------------------

    /// Adds a word to everybody; its number.
    pub fn add_control(&self, at: Instant, body: &str, who: &str) -> Result<i64> {
        let mut statement = self.connection.prepare_cached("insert into control(at, body, who) values (?, ?, ?)")?;
        Ok(statement.insert(params![at.as_millis(), body, who])?)
    }

    /// All words to everybody, in order: number, instant, body.
    pub fn controls(&self) -> Result<Vec<(i64, Instant, String)>> {
        let mut statement = self.connection.prepare_cached("select n, at, body from control order by n")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, Instant::from_millis(row.get(1)?), row.get(2)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps a version with what it pins; one that is there stays.
    pub fn add_version(&self, hash: &str, flow: &str, body: &str, at: Instant) -> Result<()> {
        self.connection
            .prepare_cached("insert or ignore into version(hash, flow, body, at) values (?, ?, ?, ?)")?
            .execute(params![hash, flow, body, at.as_millis()])?;
        Ok(())
    }

    /// All versions: hash and body.
    pub fn versions(&self) -> Result<Vec<(String, String)>> {
        let mut statement = self.connection.prepare_cached("select hash, body from version order by at, hash")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Leaves an audit line.
    pub fn audit(&self, at: Instant, contact: Option<i64>, who: &str, what: &str) -> Result<()> {
        self.connection
            .prepare_cached("insert into audit(at, contact, who, what) values (?, ?, ?, ?)")?
            .execute(params![at.as_millis(), contact, who, what])?;
        Ok(())
    }

    // ---- single values ---------------------------------------------------------------------------------------------

    /// A value by its name.
    pub fn meta(&self, name: &str) -> Result<Option<String>> {
        let mut statement = self.connection.prepare_cached("select value from meta where name = ?")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }

    /// Sets a value.
    pub fn set_meta(&self, name: &str, value: &str) -> Result<()> {
        self.connection
            .prepare_cached(
                "insert into meta(name, value) values (?, ?) on conflict do update set value = excluded.value",
            )?
            .execute([name, value])?;
        Ok(())
    }

    /// Takes a value away.
    pub fn drop_meta(&self, name: &str) -> Result<()> {
        self.connection.prepare_cached("delete from meta where name = ?")?.execute([name])?;
        Ok(())
    }

    // ---- contacts that cannot be read ------------------------------------------------------------------------------

    /// Notes that a contact cannot be read, and why.
    pub fn note_damaged(&self, contact: i64, since: Instant, why: &str) -> Result<()> {
        let note = serde_json::json!({"since": since.as_millis(), "why": why});
        self.set_meta(&damaged_name(contact), &note.to_string())
    }

    /// A contact can be read again.
    pub fn drop_damaged(&self, contact: i64) -> Result<()> {
        self.drop_meta(&damaged_name(contact))
    }

    /// Contacts that could not be read when they were last looked at.
    pub fn damaged(&self) -> Result<Vec<i64>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select cast(substr(name, {}) as integer) from meta where name >= '{DAMAGED}' and name < '{DAMAGED}~'",
            DAMAGED.len() + 1
        ))?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    // ---- what is seen ----------------------------------------------------------------------------------------------

    /// Adds to the counts of a node.
    pub fn add_node(&self, flow: &str, node: &str, delta: &NodeDelta) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "insert into node(flow, node, here, held, entered, left_by, sent, not_sent, held_sends, unknown_sends) \
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set here = here + excluded.here, \
             held = held + excluded.held, entered = entered + excluded.entered, \
             left_by = left_by + excluded.left_by, sent = sent + excluded.sent, \
             not_sent = not_sent + excluded.not_sent, held_sends = held_sends + excluded.held_sends, \
             unknown_sends = unknown_sends + excluded.unknown_sends",
        )?;
        statement.execute(params![
            flow,
            node,
            delta.here,
            delta.held,
            delta.entered,
            delta.left,
            delta.sent,
            delta.not_sent,
            delta.held_sends,
            delta.unknown_sends
        ])?;
        Ok(())
    }

    /// Adds to how many journeys walk a version.
    pub fn add_under_way(&self, flow: &str, version: &str, delta: i64) -> Result<()> {
        self.connection
            .prepare_cached(
                "insert into under_way(flow, version, n) values (?, ?, ?) on conflict do update set n = n + excluded.n",
            )?
            .execute(params![flow, version, delta])?;
        Ok(())
    }

    /// Adds to a count by its name.
    pub fn add_standing(&self, name: &str, delta: i64) -> Result<()> {
        self.connection
            .prepare_cached("insert into standing(name, n) values (?, ?) on conflict do update set n = n + excluded.n")?
            .execute(params![name, delta])?;
        Ok(())
    }

    /// Who has a held step in a journey.
    pub fn held_contact(&self, journey: &str) -> Result<Option<i64>> {
        let mut statement = self.connection.prepare_cached("select contact from held where journey = ? limit 1")?;
        Ok(statement.query_row([journey], |row| row.get(0)).optional()?)
    }

    /// The keys of all held steps, in order.
    #[cfg(test)]
    pub fn held_keys(&self) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare("select key from held order by key")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Replaces the held steps of a contact.
    pub fn set_held(&self, contact: i64, rows: &[HeldDelta], since: Instant) -> Result<()> {
        self.connection.prepare_cached("delete from held where contact = ?")?.execute([contact])?;
        let mut statement = self.connection.prepare_cached(
            "insert into held(contact, journey, flow, node, key, reason, detail, since) values (?, ?, ?, ?, ?, ?, '', ?)",
        )?;
        for row in rows {
            statement.execute(params![
                contact,
                row.journey.as_str(),
                row.flow.as_str(),
                row.node.as_str(),
                row.key,
                row.reason.name(),
                since.as_millis()
            ])?;
        }
        Ok(())
    }

    // ---- population ------------------------------------------------------------------------------------------------

    /// Adds what the population rules must not forget.
    pub fn add_tally(&self, body: &str) -> Result<()> {
        self.connection.prepare_cached("insert into tally(body) values (?)")?.execute([body])?;
        Ok(())
    }

    /// What was added since the last snapshot, in order.
    pub fn tally(&self) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached("select body from tally order by n")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Forgets what a snapshot is to hold; whether there was something.
    pub fn clear_tally(&self) -> Result<bool> {
        Ok(self.connection.prepare_cached("delete from tally")?.execute([])? > 0)
    }

    // ---- suppression, retention, people who ask to be forgotten ----------------------------------------------------

    /// Addresses that never get anything.
    pub fn suppressed(&self) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached("select address from suppression order by address")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Adds an address, or takes it off; whether that changed anything.
    pub fn suppress(&self, address: &str, lift: bool, at: Instant) -> Result<bool> {
        let changed = if lift {
            self.connection.prepare_cached("delete from suppression where address = ?")?.execute([address])?
        } else {
            self.connection
                .prepare_cached("insert or ignore into suppression(address, at) values (?, ?)")?
                .execute(params![address, at.as_millis()])?
        };
        Ok(changed > 0)
    }

    /// By what a contact is known outside of the store: every address that was said of it, and the keys of its sends.
    /// What cannot be read says nothing.
    pub fn traces(&self, contact: i64, id: &ContactId) -> Result<Person> {
        let mut person = Person::new(id.clone());
        let mut said = |text: &str| {
            let json: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            for of in [&json, &json["contact"]] {
                let address = ["email", "phone"].into_iter().filter_map(|key| of[key].as_str());
                person.addresses.extend(address.map(str::to_owned));
            }
            let bounced = json["bounced"].as_array().into_iter().flatten();
            person.addresses.extend(bounced.filter_map(|one| one.as_str()).map(str::to_owned));
        };
        let mut row = self
            .connection
            .prepare_cached("select coalesce(email, ''), coalesce(state, '') from contact where n = ?")?;
        let row: Option<(String, String)> =
            row.query_row([contact], |row| Ok((row.get(0)?, row.get(1)?))).optional().unwrap_or_default();
        let (email, state) = row.unwrap_or_default();
        said(&state);
        let mut rows =
            self.connection.prepare_cached("select input from journal where contact = ?1 and kind in (?2, ?3)")?;
        let mut rows = rows.query(params![contact, JournalKind::Born as i64, JournalKind::Profile as i64])?;
        while let Some(row) = rows.next()? {
            said(row.get_ref(0)?.as_str().unwrap_or_default());
        }
        person.addresses.insert(email);
        person.addresses.retain(|address| !address.trim().is_empty());
        let mut rows = self.connection.prepare_cached("select key, standing from outbox where contact = ?")?;
        let mut rows = rows.query([contact])?;
        while let Some(row) = rows.next()? {
            let text = |column| row.get_ref(column).ok().and_then(|value| value.as_str().ok()).unwrap_or_default();
            person.keys.insert(text(0).to_owned());
            person.is_under_way |= text(1) == standing_name(Standing::HandingOver);
        }
        Ok(person)
    }

    /// Drops all rows about a contact but the contact itself; how many sends it had, by flow, node and standing.
    pub fn forget(&self, contact: i64) -> Result<Vec<([String; 3], i64)>> {
        // Pages that become free keep nothing of what they held.
        self.connection.execute_batch("pragma secure_delete = on")?;
        let gone = self.drop_rows(contact);
        self.connection.execute_batch("pragma secure_delete = fast")?;
        gone
    }

    fn drop_rows(&self, contact: i64) -> Result<Vec<([String; 3], i64)>> {
        let mut counts = self.connection.prepare_cached(
            "select cast(flow as text), cast(node as text), standing, count(*) from outbox where contact = ? \
             group by 1, 2, 3",
        )?;
        let read = |row: &Row<'_>| Ok(([row.get(0)?, row.get(1)?, row.get(2)?], row.get(3)?));
        let counts: Vec<([String; 3], i64)> = counts.query_map([contact], read)?.collect::<rusqlite::Result<_>>()?;
        for sql in [
            "delete from mail where outbox in (select n from outbox where contact = ?)",
            "delete from outbox where contact = ?",
            "delete from journal where contact = ?",
            "delete from held where contact = ?",
            // The code stays given; to whom is forgotten, also where somebody of that number was forgotten before.
            "update code set contact = (select min(coalesce(min(other.contact), 0), 0) - 1 from code as other \
             where other.pool = code.pool), key = '' where contact = ?",
            "update contact set forgotten = null, email = null where n = ?",
            "update audit set what = 'forgotten' where contact = ?",
        ] {
            self.connection.prepare_cached(sql)?.execute([contact])?;
        }
        Ok(counts)
    }

    /// Contacts of the `limit` oldest rows of the journal that are older than `before`.
    pub fn with_old_rows(&self, before: Instant, limit: usize) -> Result<Vec<i64>> {
        let mut statement = self.connection.prepare_cached(
            "select distinct contact from (select contact from journal where at < ? order by at limit ?)",
        )?;
        let rows = statement.query_map(params![before.as_millis(), limit as i64], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Events of a contact accepted before, as JSON.
    pub fn old_events(&self, contact: i64, before: Instant) -> Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare_cached("select input from journal where contact = ? and kind = 0 and at < ? order by n")?;
        let rows = statement.query_map(params![contact, before.as_millis()], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Drops the rows of a contact older than `before`, and keeps what is to be remembered of them; how many.
    pub fn prune(&self, contact: i64, before: Instant, forgotten: Option<&str>) -> Result<usize> {
        if let Some(forgotten) = forgotten {
            self.connection
                .prepare_cached("update contact set forgotten = ? where n = ?")?
                .execute(params![forgotten, contact])?;
        }
        let mut statement = self.connection.prepare_cached("delete from journal where contact = ? and at < ?")?;
        Ok(statement.execute(params![contact, before.as_millis()])?)
    }

    /// Drops mails and settled sends older than `before`, at most `limit`, oldest first; how many, by their standing.
    /// What is held or unknown waits for a person, however long.
    pub fn prune_sends(&self, before: Instant, limit: usize) -> Result<Vec<(String, i64)>> {
        // In the words of the partial index; `n` is asked for last, since nothing else tells apart what is as old.
        const OLD: &str = "select n from outbox where standing in ('sent', 'skipped', 'refused') and at < ?1 \
                           order by at, n limit ?2";
        let old = params![before.as_millis(), limit as i64];
        let mut counts = self
            .connection
            .prepare_cached(&format!("select standing, count(*) from outbox where n in ({OLD}) group by standing"))?;
        let counts: Vec<(String, i64)> =
            counts.query_map(old, |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        if !counts.is_empty() {
            self.connection.prepare_cached(&format!("delete from mail where outbox in ({OLD})"))?.execute(old)?;
            self.connection.prepare_cached(&format!("delete from outbox where n in ({OLD})"))?.execute(old)?;
        }
        Ok(counts)
    }
}
