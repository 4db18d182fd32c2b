//! Copies of the store while the engine runs, and back.

use std::{fs, path::Path};

use rusqlite::{Connection, OpenFlags, backup::Backup};

use super::{Error, FILE, Kind, Result, Store, own, schema};

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
    // What an interrupted copy left.
    let _ = fs::remove_file(part);
    let _ = fs::remove_file(to.with_file_name(format!("{}-journal", part.file_name().unwrap_or_default().display())));
    let copied = (|| {
        let mut into = Connection::open(part)?;
        // One read transaction for the whole: a writer that goes on does not make it begin again.
        from.execute_batch("begin; select count(*) from sqlite_schema")?;
        Backup::new(&from, &mut into)?.run_to_completion(PAGES_PER_STEP, std::time::Duration::from_millis(1), None)?;
        into.execute_batch("pragma journal_mode = delete")?;
        Ok::<_, Error>(())
    })();
    let written = copied.and_then(|()| {
        let file = fs::File::open(part).map_err(|error| cannot("read", part, &error))?;
        file.sync_all().map_err(|error| cannot("written", part, &error))?;
        fs::rename(part, to).map_err(|error| cannot("written", to, &error))
    });
    if written.is_err() {
        let _ = fs::remove_file(part);
    }
    written
}

/// Puts a copy in the place of a folder's store, which is kept beside it. The next start holds every send that is
/// overdue by then, and shows it (SEMANTICS R26).
///
/// Errors: an engine runs there; the file is no copy of ours, or damaged; the folder cannot be written.
pub fn restore(dir: &Path, from: &Path, now: crate::base::Instant) -> Result<()> {
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
    let (path, part) = (dir.join(FILE), dir.join(format!("{FILE}.part")));
    let _ = fs::remove_file(&part);
    {
        let mut into = Connection::open(&part)?;
        Backup::new(&copy, &mut into)?.run_to_completion(PAGES_PER_STEP, std::time::Duration::ZERO, None)?;
        into.execute(
            "insert into meta(name, value) values ('restored', ?) on conflict do update set value = excluded.value",
            [now.as_millis().to_string()],
        )?;
    }
    let version: i32 = copy.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > schema::VERSION {
        return Err(Error::new(
            Kind::Unfit,
            format!("{} was written by a newer build", from.display()),
            "Restore it with that build",
        ));
    }
    // What was kept before stays.
    let name = |n: u32| dir.join(format!("{FILE}.before-restore-{n}"));
    let before = (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0));
    if path.exists() {
        // What is in the log beside it goes into the file first, so that the kept one is whole.
        let old = Connection::open(&path)?;
        let _ = old.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()));
        drop(old);
        fs::rename(&path, &before).map_err(|error| cannot("moved", &path, &error))?;
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(dir.join(format!("{FILE}{end}")));
        }
    }
    fs::rename(&part, &path).map_err(|error| cannot("written", &path, &error))?;
    drop(lock);
    Ok(())
}

impl Store {
    /// Whether it was brought back from a copy since the last start, and when.
    pub fn restored(&self) -> Result<Option<crate::base::Instant>> {
        let at = self.meta("restored")?;
        Ok(at.and_then(|at| at.parse().ok()).map(crate::base::Instant::from_millis))
    }
}
