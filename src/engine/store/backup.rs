//! Copies of the store while the engine runs, and back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, backup::Backup, params};
use serde::{Deserialize, Serialize};

use super::{Error, FILE, Kind, OutboxRow, Result, Store, own, schema};
use crate::{
    audience::{Channel, EventLog},
    base::ContactId,
    journey::ContactState,
};

/// Pages copied at once; between two such steps the writer may go on. Source: assumption, 4 MB.
const PAGES_PER_STEP: i32 = 1_000;

fn cannot(what: &str, path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::Io, format!("{} cannot be {what}: {error}", path.display()), "Name another file, or make room")
}

/// Writes a copy of a folder's store into a file, whole or not at all; the engine may run meanwhile.
///
/// Errors: there is no store; the file is there already, or cannot be written.
pub fn backup(dir: &Path, to: &Path) -> Result<()> {
    let path = dir.join(FILE);
    if !path.is_file() {
        return Err(Error::new(
            Kind::Io,
            format!("There is no engine's data in {}", dir.display()),
            "Name its folder with --data",
        ));
    }
    if to.exists() {
        return Err(Error::new(Kind::Io, format!("{} is there already", to.display()), "Name another file"));
    }
    let from = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    from.busy_timeout(std::time::Duration::from_secs(5))?;
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    let part = Path::new(&name);
    let copied = (|| {
        make_file(part).map_err(|error| cannot("written", part, &error))?;
        let mut into = Connection::open(part)?;
        // One read transaction for the whole: a writer that goes on does not make it begin again.
        from.execute_batch("begin; select count(*) from sqlite_schema")?;
        Backup::new(&from, &mut into)?.run_to_completion(PAGES_PER_STEP, std::time::Duration::from_millis(1), None)?;
        into.execute_batch("pragma journal_mode = delete")?;
        Ok::<_, Error>(())
    })();
    let written = copied.and_then(|()| {
        sync(part).map_err(|error| cannot("written", part, &error))?;
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Without it the name may be gone after a power cut, though whoever asked was told that the copy is there.
        fs::rename(part, to).and_then(|()| sync_folder(folder)).map_err(|error| cannot("written", to, &error))
    });
    if written.is_err() {
        let _ = fs::remove_file(part);
    }
    written
}

/// Somebody who said no, or was forgotten, since a copy was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Who.
    pub id: ContactId,
    /// Whether all that was known of them is to go again.
    pub is_forgotten: bool,
    /// Whether they are never to be written to.
    pub is_suppressed: bool,
    /// Whether they complained: then nobody lifts it.
    #[serde(default)]
    pub has_complained: bool,
    /// Addresses of theirs that take no mail.
    #[serde(default)]
    pub bounced: Vec<smol_str::SmolStr>,
    /// Where they unsubscribed.
    pub no: Vec<Channel>,
}

impl Carried {
    /// Under which name they wait in `meta` for the first batch.
    pub const META: &str = "carried";
}

/// What a restore did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Where the former data are.
    pub before: Option<PathBuf>,
    /// People who said no or were forgotten since the copy, and addresses that were suppressed: they stay so.
    pub carried: usize,
    /// Sends that left since the copy, or may have: where they come up once more they are held.
    pub left: usize,
    /// Why it is not known who did since then, nor what left.
    pub lost: Option<String>,
}

/// Puts a copy in the place of a folder's store, which is kept beside it. The next start holds every send that is
/// overdue by then, and shows it (SEMANTICS R26). Who unsubscribed, complained or was forgotten since, and which
/// addresses were suppressed, which sends left and which codes were given is taken from the former data where they can
/// be read.
///
/// At each instant the folder holds the former store or the restored one, whole.
///
/// Errors: an engine runs there; the file is no copy of ours, or damaged; another program reads the former data; the
/// folder cannot be written.
pub fn restore(dir: &Path, from: &Path, now: crate::base::Instant) -> Result<Restored> {
    super::make_private(dir).map_err(|error| cannot("made", dir, &error))?;
    let lock = own(dir)?;
    let copy = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let application: i32 = copy.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let whole: String = copy.query_row("pragma integrity_check(1)", [], |row| row.get(0))?;
    if application != schema::APPLICATION_ID || whole != "ok" {
        return Err(Error::new(
            Kind::Unfit,
            format!("{} is no whole copy of an engine's data", from.display()),
            "Name a file that `flowloom backup` wrote",
        ));
    }
    let version: i32 = copy.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > schema::VERSION {
        return Err(Error::new(
            Kind::Unfit,
            format!("{} was written by a newer build", from.display()),
            "Restore it with that build",
        ));
    }
    let (path, part) = (dir.join(FILE), dir.join(format!("{FILE}.part")));
    let mut done = Restored::default();
    let has_former = path.exists();
    let settled = if has_former { settle(&path)? } else { Ok(()) };
    let written = (|| {
        make_file(&part).map_err(|error| cannot("written", &part, &error))?;
        let mut into = Connection::open(&part)?;
        Backup::new(&copy, &mut into)?.run_to_completion(PAGES_PER_STEP, std::time::Duration::ZERO, None)?;
        into.execute_batch("pragma journal_mode = delete")?;
        into.execute(SET_META, ["restored", &now.as_millis().to_string()])?;
        // A copy that was made during an earlier restore's care begins its own.
        into.execute("delete from meta where name = 'restored_said'", [])?;
        if has_former {
            into.execute_batch("begin")?;
            if let Err(error) = settled.and_then(|()| carry(&path, &into, &mut done)) {
                done.lost = Some(error.message);
            }
            // What could be read is kept all the same.
            into.execute_batch("commit")?;
        }
        drop(into);
        sync(&part).map_err(|error| cannot("written", &part, &error))
    })();
    if let Err(error) = written {
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    if has_former {
        // What was kept before stays.
        let name = |n: u32| dir.join(format!("{FILE}.before-restore-{n}"));
        let before = (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0));
        fs::hard_link(&path, &before)
            .or_else(|_| fs::copy(&path, &before).and_then(|_| sync(&before)))
            .map_err(|error| cannot("kept", &path, &error))?;
        // As a rule the log is empty by now; that of a damaged file is kept with it, and never meets the new one.
        for end in ["-wal", "-shm"] {
            let log = dir.join(format!("{FILE}{end}"));
            let mut kept = before.clone().into_os_string();
            kept.push(end);
            if fs::metadata(&log).is_ok_and(|data| data.len() > 0) && end == "-wal" {
                fs::rename(&log, PathBuf::from(kept)).map_err(|error| cannot("kept", &log, &error))?;
            } else {
                let _ = fs::remove_file(&log);
            }
        }
        done.before = Some(before);
    }
    fs::rename(&part, &path).and_then(|()| sync_folder(dir)).map_err(|error| cannot("written", &path, &error))?;
    drop(lock);
    Ok(done)
}

const SET_META: &str = "insert into meta(name, value) values (?, ?) on conflict do update set value = excluded.value";

/// Brings what is in the log beside a file into it, so that the file is whole by itself. The inner error says that it
/// is damaged.
///
/// Errors: another program reads it, so that the log cannot be emptied.
fn settle(path: &Path) -> Result<Result<()>> {
    let emptied = Connection::open(path).and_then(|former| {
        former.busy_timeout(PATIENCE)?;
        former.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get::<_, i64>(0))
    });
    match emptied.map_err(Error::from) {
        Ok(0) => Ok(Ok(())),
        Err(error) if error.kind != Kind::Locked => Ok(Err(error)),
        _ => Err(Error::new(
            Kind::Locked,
            format!("Another program reads {}, so nothing was restored", path.display()),
            "Close it (a window with the Run page, a database tool), and restore again",
        )),
    }
}

/// How long a reader of the former data is waited for. Source: assumption; looks are short.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// Takes over who said no since the copy, and what left since then.
fn carry(former: &Path, into: &Connection, done: &mut Restored) -> Result<()> {
    let former = Connection::open_with_flags(former, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let application: i32 = former.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != schema::APPLICATION_ID {
        return Err(Error::new(Kind::Unfit, "The former file is another program's", ""));
    }
    let mut statement = former.prepare("select address, at from suppression")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (address, at): (String, i64) = (row.get(0)?, row.get(1)?);
        done.carried +=
            into.execute("insert or ignore into suppression(address, at) values (?, ?)", params![address, at])?;
    }
    // Texts that a state has wherever somebody said no, and perhaps elsewhere: then it is read in vain.
    let forgotten = "(select max(at) from audit where contact = contact.n and what = 'forgotten')";
    // By an event that is kept, by one that was dropped with age, or before an earlier restore. What is no JSON says
    // nothing, and keeps nobody else from being heard.
    let complained = format!(
        "(exists(select 1 from journal where contact = contact.n and kind = 0 and instr(input, '\"$complained\"') \
         and iif(json_valid(input), input ->> 'name', '') = '$complained') \
         or coalesce(instr(forgotten, '\"$complained\"'), 0) > 0 \
         or exists(select 1 from audit where contact = contact.n and what = '{}'))",
        Store::COMPLAINED_BEFORE
    );
    let mut statement = former.prepare(&format!(
        "select id, state, {forgotten}, {complained} from contact where instr(state, 'unsubscribed') or instr(state, 'suppressed') \
         or instr(state, 'bounced')"
    ))?;
    let mut copied = into.prepare(&format!("select state, {forgotten}, {complained} from contact where id = ?"))?;
    let mut rows = statement.query([])?;
    let mut people: Vec<Carried> = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, text): (String, String) = (row.get(0)?, row.get(1)?);
        // One that cannot be read keeps nobody else from being heard.
        let Ok(state) = ContactState::from_stored(&text, EventLog::default()) else { continue };
        let was: Option<(String, Option<i64>, bool)> =
            copied.query_row([&id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let forgotten_before = was.as_ref().and_then(|(_, at, _)| *at);
        let had_complained = was.as_ref().is_some_and(|(_, _, complained)| *complained);
        let was = was.and_then(|(text, _, _)| ContactState::from_stored(&text, EventLog::default()).ok());
        let says_no = |state: &ContactState, channel| {
            state.contact.consent.on(channel) == crate::audience::ConsentStatus::Unsubscribed
        };
        let no = [Channel::Email, Channel::Sms].into_iter();
        let no =
            no.filter(|channel| says_no(&state, *channel) && !was.as_ref().is_some_and(|was| says_no(was, *channel)));
        let is_suppressed = state.suppressed && !was.as_ref().is_some_and(|was| was.suppressed);
        let is_new = |email: &&smol_str::SmolStr| !was.as_ref().is_some_and(|was| was.bounced.contains(email));
        let bounced = state.bounced.iter().filter(is_new).cloned().collect();
        // Also of whoever was suppressed, or forgotten once, before the copy.
        let forgotten: Option<i64> = row.get(2)?;
        let is_forgotten = state.suppressed && forgotten.is_some() && forgotten != forgotten_before;
        // Also of whoever was suppressed before the copy: that could be lifted, this cannot.
        let has_complained = row.get::<_, bool>(3)? && !had_complained;
        let (id, no) = (ContactId::new(id), no.collect());
        let one = Carried { id, is_forgotten, is_suppressed, has_complained, bounced, no };
        if is_forgotten || is_suppressed || has_complained || !one.bounced.is_empty() || !one.no.is_empty() {
            people.push(one);
        }
    }
    // Brought back twice, and nobody has looked in between: what waits there waits on.
    let waits: Option<String> =
        former.query_row("select value from meta where name = ?", [Carried::META], |row| row.get(0)).optional()?;
    let waits: Vec<Carried> = waits.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    people.extend(waits);
    let text = serde_json::to_string(&people).map_err(Error::damaged)?;
    into.execute(SET_META, [Carried::META, &text])?;
    done.carried += people.len();
    done.left = carry_sends(&former, into)?;
    carry_codes(&former, into)
}

/// Marks the keys of sends that left since the copy, or may have, so that they do not leave once more by themselves:
/// where the events that led to them are handed in again (journeys are counted, so their keys are the same then), or
/// where a flow goes on that had held them; how many. What the copy is to send counts as overdue since ever, be it due
/// later, and whatever the clock says (it may have been set back). Rows of people whom the copy does not know are
/// nobody's (0) until they come.
fn carry_sends(former: &Connection, into: &Connection) -> Result<usize> {
    let mut num = 0;
    let sql = "select key, id, flow, node, what, not_before, made, at from outbox left join contact \
               on contact.n = outbox.contact where standing in ('sent', 'unknown', 'handing_over') or detail = ?";
    let mut statement = former.prepare(sql)?;
    let mut mark = into.prepare(
        "update outbox set detail = ?2, not_before = 0 \
         where key = ?1 and standing in ('due', 'claimed', 'held')",
    )?;
    let mut add = into.prepare(
        "insert or ignore into outbox(key, contact, flow, node, what, standing, detail, not_before, made, at) \
         values (?1, coalesce((select n from contact where id = ?2), 0), ?3, ?4, ?5, 'sent', ?6, ?7, ?8, ?9)",
    )?;
    let mut num_added = 0;
    // What an earlier restore marked, and was held since, is still to be known.
    let mut rows = statement.query([Store::LEFT_BEFORE])?;
    while let Some(row) = rows.next()? {
        let text = |n: usize| row.get::<_, Option<String>>(n);
        let number = |n: usize| row.get::<_, i64>(n);
        let (key, flow, node, what, why) = (text(0)?, text(2)?, text(3)?, text(4)?, Store::LEFT_BEFORE);
        num += mark.execute(params![key, why])?;
        num_added += add.execute(params![key, text(1)?, flow, node, what, why, number(5)?, number(6)?, number(7)?])?;
    }
    let count = "insert into standing(name, n) values ('sent', ?) on conflict do update set n = n + excluded.n";
    into.execute(count, [num_added as i64])?;
    Ok(num + num_added)
}

/// A code that was given since the copy is not given to somebody else.
fn carry_codes(former: &Connection, into: &Connection) -> Result<()> {
    let sql = "select pool, code, id, key from code left join contact on contact.n = code.contact";
    let mut statement = former.prepare(sql)?;
    // Whoever is not in the copy has it under a number of nobody's.
    let mut add = into.prepare(
        "insert or ignore into code(pool, code, contact, key) values (?1, ?2, coalesce( \
         (select n from contact where id = ?3), \
         (select min(coalesce(min(other.contact), 0), 0) - 1 from code as other where other.pool = ?1)), ?4)",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text = |n: usize| row.get::<_, Option<String>>(n);
        add.execute(params![text(0)?, text(1)?, text(2)?, text(3)?])?;
    }
    Ok(())
}

/// Whether a file is a store or a copy of one, and knows a person by more than the id that stays of whoever was
/// forgotten; one that cannot be read may.
pub fn may_know(path: &Path, id: &str) -> bool {
    let mut head = [0; MAGIC.len()];
    let is_database = fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut head));
    if is_database.is_err() || head != *MAGIC {
        return false;
    }
    let known = || {
        // Nothing is written beside it, and no log is looked for.
        let uri = format!("file:{}?immutable=1", escaped(path));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let copy = Connection::open_with_flags(uri, flags)?;
        let application: i32 = copy.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if application != schema::APPLICATION_ID {
            return Ok(false);
        }
        let sql = "select exists(select 1 from contact where id = ?1 and (email is not null or \
                   exists(select 1 from journal where journal.contact = contact.n)))";
        copy.query_row(sql, [id], |row| row.get::<_, bool>(0))
    };
    known().unwrap_or(true)
}

/// What a file of SQLite begins with. Source: sqlite.org/fileformat.html, 1.3.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// A path as SQLite reads it in a URI.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

/// Makes an empty file that only its owner reads: it is to hold what people did. One that is there goes.
fn make_file(path: &Path) -> std::io::Result<()> {
    // What an interrupted copy left, its journal included.
    let _ = fs::remove_file(path);
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    let _ = fs::remove_file(Path::new(&journal));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn sync(path: &Path) -> std::io::Result<()> {
    fs::OpenOptions::new().write(true).open(path)?.sync_all()
}

/// Makes the names in a folder durable, where the system knows how.
fn sync_folder(dir: &Path) -> std::io::Result<()> {
    if cfg!(unix) { fs::File::open(dir)?.sync_all() } else { Ok(()) }
}

impl Store {
    /// What a send is marked with that left after the copy was made that was put back, or may have.
    pub const LEFT_BEFORE: &str = "left before the restore, after the copy was made";

    /// What the audit says of somebody who complained after the copy was made that was put back: the complaint itself
    /// is not in it.
    pub const COMPLAINED_BEFORE: &str = "complained before the restore, after the copy was made";

    /// Whether the audit says so of a contact.
    pub fn has_complained_before(&self, n: i64) -> Result<bool> {
        let sql = "select 1 from audit where contact = ? and what = ?";
        Ok(self.connection.prepare_cached(sql)?.exists(params![n, Self::COMPLAINED_BEFORE])?)
    }

    /// Whether a send is marked so.
    pub fn left_before(&self, n: i64) -> Result<bool> {
        let mut statement = self.connection.prepare_cached("select 1 from outbox where n = ? and detail = ?")?;
        Ok(statement.exists(params![n, Self::LEFT_BEFORE])?)
    }

    /// A send that is marked so comes up: it is what is intended now.
    pub fn take_send(&self, row: &OutboxRow) -> Result<()> {
        let sql = "update outbox set contact = ?, flow = ?, what = ? where n = ?";
        self.connection.prepare_cached(sql)?.execute(params![row.contact, row.flow.as_str(), row.what, row.n])?;
        Ok(())
    }

    /// Whether it was brought back from a copy since the last start, and when.
    pub fn restored(&self) -> Result<Option<crate::base::Instant>> {
        let at = self.meta("restored")?;
        Ok(at.and_then(|at| at.parse().ok()).map(crate::base::Instant::from_millis))
    }
}
