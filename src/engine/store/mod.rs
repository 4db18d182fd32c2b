//! The engine's file: one SQLite database in a folder that one process owns.
//!
//! The one idea: WAL, `synchronous=FULL`, one writer; readers have connections of their own and short transactions.
//! All SQL stands in this room. Deliberately not here: what is to be written ([`super::driver`]).

mod backup;
mod log;
mod read;
mod rows;
mod schema;

use std::{
    cell::RefCell,
    fmt,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

pub use self::{
    backup::{Carried, Restored, backup, may_know, restore},
    read::{MoveRow, Reader},
    rows::{ContactRow, DamagedRow, HeldDelta, JournalKind, NodeDelta, OutboxRow},
};

/// The file in the data folder.
pub const FILE: &str = "flowloom.db";
/// The value that says by which ways things left.
pub const WAYS: &str = "ways";
/// Held while a process owns the folder.
pub const LOCK: &str = "flowloom.lock";
/// Frames after which SQLite moves the log into the file inside a commit, where nobody does it beside ([`log`]).
/// Source: `cargo bench --bench engine`: at half load the slowest of 100 single events waits 414 ms with 4,000 of them,
/// 35 to 48 ms with 1,000.
const CHECKPOINT_FRAMES: u32 = 1_000;
/// Kibibytes of pages in memory. Source: references, engine 2.
const CACHE_KIB: i32 = 65_536;

/// What can be wrong with the store; every text names the reason and a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What sort.
    pub kind: Kind,
    /// Why.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Sorts of faults, for those who act on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Another process owns the folder, or holds the file.
    Locked,
    /// Another program's file, or a newer build's.
    Unfit,
    /// No room on the disk.
    Full,
    /// Damaged.
    Corrupt,
    /// Anything else: it may go away.
    Io,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// What store functions give.
pub type Result<T> = std::result::Result<T, Error>;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        let (kind, hint) = match code {
            Some(ErrorCode::DiskFull) => (Kind::Full, "Make room on the disk; the engine goes on by itself"),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                (Kind::Locked, "Close the other program that has the file open")
            }
            Some(ErrorCode::NotADatabase) => (Kind::Unfit, "Name another folder with --data"),
            Some(ErrorCode::DatabaseCorrupt) => {
                (Kind::Corrupt, "Stop the engine and bring back the last backup (flowloom restore FILE --data DIR)")
            }
            _ => (Kind::Io, "Look at the disk and at the rights of the folder"),
        };
        Self { kind, message: format!("The store cannot be used: {error}"), hint: hint.to_owned() }
    }
}

impl Error {
    fn new(kind: Kind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: hint.into() }
    }

    /// A file that this build does not open.
    fn unfit(path: &Path, unfit: &schema::Unfit) -> Self {
        let path = path.display();
        match unfit {
            schema::Unfit::Foreign => Self::new(
                Kind::Unfit,
                format!("{path} is another program's database"),
                "Name another folder with --data",
            ),
            schema::Unfit::Newer(version) => Self::new(
                Kind::Unfit,
                format!("{path} was written by a newer build (schema {version}, this one knows {})", schema::VERSION),
                "Run it with that build, or name another folder with --data",
            ),
        }
    }

    /// Something that is in the file cannot be read.
    pub(super) fn damaged(what: impl fmt::Display) -> Self {
        Self::new(
            Kind::Corrupt,
            format!("The store holds something that cannot be read: {what}"),
            "Was it written by a newer build? Else bring back the last backup (flowloom restore)",
        )
    }
}

/// The store, open for writing. One per process and folder.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// Ends before the connection does, so that the last one closes the log.
    mover: Option<RefCell<log::Mover>>,
    /// Unlocked when it is dropped, or the process dies.
    _lock: Option<File>,
    path: PathBuf,
}

impl Store {
    /// Opens the store in a folder, which is made where it is not there, and takes the folder for this process.
    ///
    /// Errors: another engine has it; the file is another program's, a newer build's, damaged, or out of reach.
    pub fn open(dir: &Path) -> Result<Self> {
        make_private(dir).map_err(|error| {
            Error::new(
                Kind::Io,
                format!("The folder {} cannot be made: {error}", dir.display()),
                "Name another with --data",
            )
        })?;
        let lock = own(dir)?;
        let path = dir.join(FILE);
        let connection = Connection::open(&path)?;
        let mut store = Self::with(connection, Some(lock), path)?;
        match log::Mover::start(&mut store.connection, &store.path) {
            Ok(mover) => store.mover = Some(RefCell::new(mover)),
            // It works without, with longer pauses.
            Err(error) => tracing::warn!(error = %error, "the log is moved inside the commits"),
        }
        Ok(store)
    }

    /// Opens a store on a file system of SQLite's kind by its name: for tests that break disks.
    ///
    /// Errors: as [`Self::open`], but nobody is asked whether the folder is free.
    pub fn open_on(path: &Path, vfs: &str) -> Result<Self> {
        let connection = Connection::open_with_flags_and_vfs(path, OpenFlags::default(), vfs)?;
        // Without shared memory: the world of a test has one connection.
        connection.execute_batch("pragma locking_mode = exclusive")?;
        Self::with(connection, None, path.to_owned())
    }

    fn with(connection: Connection, lock: Option<File>, path: PathBuf) -> Result<Self> {
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(128);
        steady(&connection)?;
        // A file of another sort is found out before anything is written to it.
        connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
        connection.execute_batch(&format!(
            "pragma journal_mode = wal; pragma synchronous = full; pragma fullfsync = on; \
             pragma checkpoint_fullfsync = on; pragma wal_autocheckpoint = {CHECKPOINT_FRAMES}; \
             pragma cache_size = -{CACHE_KIB}; pragma temp_store = memory; pragma trusted_schema = off; \
             pragma secure_delete = fast;"
        ))?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        schema::migrate(&connection)?.map_err(|unfit| Error::unfit(&path, &unfit))?;
        Ok(Self { connection, mover: None, _lock: lock, path })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a transaction that may write.
    pub fn begin(&self) -> Result<()> {
        if self.mover.as_ref().is_some_and(|mover| mover.borrow_mut().is_long()) {
            // Where it cannot be moved, what is written stays in the log, and whoever reads finds it there.
            let _ = log::pass(&self.connection);
        }
        Ok(self.connection.prepare_cached("begin immediate")?.execute([]).map(|_| ())?)
    }

    /// Makes what was written durable.
    pub fn commit(&self) -> Result<()> {
        self.connection.prepare_cached("commit")?.execute([])?;
        if let Some(mover) = &self.mover {
            mover.borrow_mut().committed();
        }
        Ok(())
    }

    /// Takes back what was written since [`Self::begin`].
    pub fn rollback(&self) {
        // After some faults SQLite has rolled back by itself.
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("rollback");
        }
    }

    /// Moves the log into the file as far as no reader holds it; for idle moments.
    pub fn checkpoint(&self) -> Result<()> {
        if let Some(mover) = &self.mover {
            mover.borrow().wait();
        }
        Ok(log::pass(&self.connection).map(|_| ())?)
    }

    /// Asks SQLite whether the file is whole; a sentence where it is not.
    pub fn integrity(&self) -> Result<std::result::Result<(), String>> {
        let said: String = self.connection.query_row("pragma integrity_check(1)", [], |row| row.get(0))?;
        Ok(if said == "ok" { Ok(()) } else { Err(said) })
    }
}

/// Statements are prepared once, whatever they are asked: as this library is built, SQLite plans those with a limit
/// and some others anew for each value. Source: `perf` on `cargo bench --bench engine http`, a twentieth of the
/// writer's time.
///
/// Errors: SQLite's.
fn steady(connection: &Connection) -> Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

impl Drop for Store {
    fn drop(&mut self) {
        self.mover = None;
    }
}

/// Makes a folder that only its owner looks into: it holds what people did. One that is there stays as it is.
pub(super) fn make_private(dir: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Takes a folder for this process.
pub(super) fn own(dir: &Path) -> Result<File> {
    let path = dir.join(LOCK);
    let io = |error: &dyn fmt::Display| {
        Error::new(
            Kind::Io,
            format!("{} cannot be written: {error}", path.display()),
            "Look at the rights of the folder",
        )
    };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(|error| io(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::new(
            Kind::Locked,
            format!("Another engine runs in {}", dir.display()),
            "Stop it first, talk to it (flowloom status --data DIR), or name another folder",
        )),
        Err(TryLockError::Error(error)) => Err(io(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dir: &Path, kind: Kind, said: &str) {
        let error = Store::open(dir).expect_err("is refused");
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(said), "{error}");
        assert!(!error.hint.is_empty());
        // Whoever only looks hears the same.
        if kind == Kind::Unfit {
            assert_eq!(Reader::open(dir).expect_err("is refused"), error);
        }
    }

    #[test]
    fn one_process_owns_a_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("opens");
        assert_eq!(store.integrity(), Ok(Ok(())));
        check(dir.path(), Kind::Locked, "Another engine runs in");
        drop(store);
        Store::open(dir.path()).expect("is free again");
    }

    /// What a statement is asked changes nothing of its plan.
    #[test]
    fn statements_are_prepared_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("opens");
        let check = |sql: &str| {
            let mut statement = store.connection.prepare(sql).expect("is SQL");
            for n in 1..4 {
                assert!(statement.query([n]).expect("begins").next().expect("reads").is_none(), "nothing is there");
                statement.clear_bindings();
            }
            assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0, "{sql}");
        };
        check("select input from journal where contact = ? and kind = 0 order by n");
        check("select n, due from contact where due is not null order by due limit ?");
        check("select n from outbox where standing = 'due' order by not_before, n limit ?");
    }

    #[test]
    fn other_files_are_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join(FILE);
        fs::write(&path, "name,email\nada,ada@example.com\n".repeat(300)).expect("writes");
        check(dir.path(), Kind::Unfit, "not a database");
        fs::remove_file(&path).expect("removes");
        let other = Connection::open(&path).expect("opens");
        other.execute_batch("create table customers(n); insert into customers values (1)").expect("writes");
        check(dir.path(), Kind::Unfit, "another program's database");
        let number: i64 = other.query_row("select n from customers", [], |row| row.get(0)).expect("is there");
        assert_eq!(number, 1);
        drop(other);
        fs::remove_file(&path).expect("removes");
        drop(Store::open(dir.path()).expect("opens"));
        let newer = Connection::open(&path).expect("opens");
        newer.execute_batch("pragma user_version = 1000").expect("writes");
        drop(newer);
        check(dir.path(), Kind::Unfit, "a newer build");
    }
}
