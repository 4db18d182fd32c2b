//! The schema of the file, and how older ones become it.
//!
//! Tables:
//!
//! - `contact`: one row each, with the state as text (`journey`'s own form) and when it wants to be woken (`due`): one
//!   wake per contact, in the row that the wake will change anyway. `seen` is the last word to everybody (`control`)
//!   that it has heard.
//! - `journal`: what was fed to whom, in the order of acceptance, with what was decided. Append-only; the history of a
//!   contact is its rows of kind 0. Replayed, it gives the same states.
//! - `outbox`: one row per send key, unique (SEMANTICS R21); `mail` the mails as they left, compressed.
//! - `control`: words to everybody (publish, pause, …), in order; `version` the flows that they name, with all they
//!   pin.
//! - `node`, `standing`, `under_way`, `held`: what is seen, kept up in the same transactions.
//! - `tally`: what the population rules have not snapshotted yet (SEMANTICS R6); `meta` single values.

use rusqlite::Connection;

/// Says that the file is one of ours: "FLWM".
pub const APPLICATION_ID: i32 = 0x464c_574d;
/// The version of the schema that this build writes.
pub const VERSION: i32 = 3;

/// The first version that counts, for each node, the sends that wait for somebody.
pub const OPEN_IS_COUNTED: i32 = 3;

/// Counts anew, for each node, the sends that wait for somebody.
macro_rules! recount_open {
    () => {
        "
update node set held_sends = 0, unknown_sends = 0;
insert into node(flow, node, held_sends, unknown_sends)
    select flow, node, sum(standing = 'held'), sum(standing = 'unknown') from outbox
    where standing in ('held', 'unknown') group by flow, node
    on conflict do update set held_sends = excluded.held_sends, unknown_sends = excluded.unknown_sends;
"
    };
}

/// The same, for whoever has lost the count.
pub const RECOUNT_OPEN: &str = recount_open!();

/// Steps from version n (from 0, an empty file) to n + 1; never changed once released.
const STEPS: &[&str] = &[
    "
create table meta(name text primary key, value text not null) without rowid;
create table contact(
    n integer primary key, id text not null unique, email text, seen integer not null, due integer,
    state text not null, forgotten text);
create index contact_due on contact(due) where due is not null;
create index contact_email on contact(email) where email is not null;
create table journal(
    n integer primary key, contact integer not null, at integer not null, kind integer not null, input text not null,
    trace text not null);
create index journal_contact on journal(contact, kind);
create table outbox(
    n integer primary key, key text not null unique, contact integer not null, flow text not null, node text not null,
    what text not null, standing text not null, reason text, detail text not null default '',
    attempt integer not null default 0, not_before integer not null, made integer not null, at integer not null,
    codes text);
create index outbox_due on outbox(not_before, n) where standing = 'due';
create index outbox_open on outbox(standing, n) where standing in ('claimed', 'handing_over', 'held', 'unknown');
create index outbox_contact on outbox(contact);
create table mail(outbox integer primary key, bytes blob not null);
create table code(pool text not null, code text not null, contact integer not null, key text not null,
    primary key (pool, code)) without rowid;
create unique index code_contact on code(pool, contact);
create table version(hash text primary key, flow text not null, body text not null, at integer not null) without rowid;
create table control(n integer primary key, at integer not null, body text not null, who text not null);
create table audit(n integer primary key, at integer not null, contact integer, who text not null, what text not null);
create index audit_contact on audit(contact) where contact is not null;
create table node(
    flow text not null, node text not null, here integer not null default 0, held integer not null default 0,
    entered integer not null default 0, left_by integer not null default 0, sent integer not null default 0,
    not_sent integer not null default 0, primary key (flow, node)) without rowid;
create table under_way(flow text not null, version text not null, n integer not null,
    primary key (flow, version)) without rowid;
create table standing(name text primary key, n integer not null) without rowid;
create table held(
    contact integer not null, journey text not null, flow text not null, node text not null, key text not null,
    reason text not null, detail text not null, since integer not null, primary key (contact, journey)) without rowid;
create table tally(n integer primary key, body text not null);
create table suppression(address text primary key, at integer not null) without rowid;
",
    "
create index outbox_past on outbox(at) where standing in ('sent', 'skipped', 'refused');
create index outbox_shown on outbox(at) where standing in ('held', 'unknown');
create index outbox_strange on outbox(n) where standing not in
    ('due', 'claimed', 'handing_over', 'sent', 'skipped', 'refused', 'held', 'unknown');
create index journal_at on journal(at, contact);
create index held_journey on held(journey);
create index held_since on held(since);
create index code_whose on code(contact);
",
    concat!(
        "
alter table node add column held_sends integer not null default 0;
alter table node add column unknown_sends integer not null default 0;
",
        recount_open!(),
        // Until then what is unknown counted as sent, too.
        "update node set sent = max(sent - unknown_sends, 0);
"
    ),
];

/// What is wrong with a file that is there.
pub enum Unfit {
    /// Another program's.
    Foreign,
    /// A newer build's; its version.
    Newer(i32),
}

/// What is wrong with a file that says it is `application`'s in `version`; an empty one may become ours.
pub fn unfit(application: i32, version: i32, is_empty: bool) -> Option<Unfit> {
    if application != APPLICATION_ID && !(is_empty && application == 0) {
        return Some(Unfit::Foreign);
    }
    (version > VERSION).then_some(Unfit::Newer(version))
}

/// Brings the file to the newest version, each step in a transaction of its own.
pub fn migrate(connection: &Connection) -> rusqlite::Result<Result<(), Unfit>> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let (application, mut version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    if let Some(unfit) = unfit(application, version, tables == 0) {
        return Ok(Err(unfit));
    }
    while version < VERSION {
        let step = STEPS[usize::try_from(version).unwrap_or(0)];
        let next = version + 1;
        connection.execute_batch(&format!(
            "begin immediate; {step} pragma application_id = {APPLICATION_ID}; pragma user_version = {next}; commit;"
        ))?;
        version = next;
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_becomes_the_newest() {
        let connection = Connection::open_in_memory().expect("opens");
        assert!(migrate(&connection).expect("migrates").is_ok());
        assert!(migrate(&connection).expect("a second time does nothing").is_ok());
        connection.execute_batch("pragma user_version = 99").expect("writes");
        assert!(matches!(migrate(&connection), Ok(Err(Unfit::Newer(99)))));
        let other = Connection::open_in_memory().expect("opens");
        other.execute_batch("create table customers(n)").expect("writes");
        assert!(matches!(migrate(&other), Ok(Err(Unfit::Foreign))));
    }
}
