//! A disk in memory below the real SQLite: what is synced stays, what is only written may be lost, and it fails when
//! it is told to.
//!
//! The one idea: each file keeps what is durable beside what the running process sees. A crash makes every call fail;
//! at the reboot each write that was not synced is kept, dropped or torn at sectors, as the seed says. A sync that
//! fails leaves durable some of what it was for, and nobody may rely on the rest (what Linux does since 2018).

use std::{
    collections::BTreeMap,
    fs,
    io::{Error, ErrorKind, Result},
    mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, atomic::AtomicU64, atomic::Ordering},
    time::Duration,
};

use flowloom::{engine::store::FILE, testing::Rng};
use sqlite_vfs::{DatabaseHandle, LockKind, OpenAccess, OpenOptions, Vfs, WalDisabled};

/// Its name among SQLite's file systems.
pub const VFS: &str = "flowloom-disk";
/// What a disk writes whole or not at all. Source: the smallest sector in use.
const SECTOR: usize = 512;

/// What goes wrong, by the number of the operation (writes, syncs, changes of length, deletions) since the last boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The machine stops in the middle of this operation.
    Crash(u64),
    /// So many operations from there on fail.
    Fails(u64, u64),
    /// No file grows during so many operations from there on.
    Full(u64, u64),
    /// Syncs fail among so many operations from there on.
    SyncFails(u64, u64),
    /// So many reads from there on fail.
    ReadFails(u64, u64),
}

/// What becomes of writes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Only the process was killed: the system has them.
    Nothing,
    /// The power went off: each is kept, dropped or torn.
    Power,
}

#[derive(Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Default)]
struct File {
    durable: Vec<u8>,
    seen: Vec<u8>,
    pending: Vec<Change>,
    /// Its name is durable, too.
    is_named: bool,
}

fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    if bytes.len() < offset + data.len() {
        bytes.resize(offset + data.len(), 0);
    }
    bytes[offset..offset + data.len()].copy_from_slice(data);
}

/// Writes the sectors of a write that the dice keep.
fn tear(bytes: &mut Vec<u8>, offset: usize, data: &[u8], rng: &mut Rng) {
    let mut at = 0;
    while at < data.len() {
        let end = (at + SECTOR - (offset + at) % SECTOR).min(data.len());
        if rng.percent(50) {
            put(bytes, offset + at, &data[at..end]);
        }
        at = end;
    }
}

impl File {
    /// Makes durable what was written: all of it.
    fn settle(&mut self) {
        for change in mem::take(&mut self.pending) {
            match change {
                Change::Write(offset, data) => put(&mut self.durable, offset, &data),
                Change::Length(len) => self.durable.resize(len, 0),
            }
        }
    }

    /// Makes durable some of what was written.
    fn settle_some(&mut self, rng: &mut Rng) {
        // In order up to some write, or whatever the disk's queue came to.
        let is_in_order = rng.percent(50);
        let pending = mem::take(&mut self.pending);
        let kept = rng.below(pending.len() + 1);
        for (n, change) in pending.into_iter().enumerate() {
            match change {
                Change::Write(offset, data) if is_in_order && n < kept => put(&mut self.durable, offset, &data),
                Change::Write(offset, data) if !is_in_order || n == kept => {
                    tear(&mut self.durable, offset, &data, rng);
                }
                Change::Length(len) if is_in_order && n < kept || !is_in_order && rng.percent(50) => {
                    self.durable.resize(len, 0);
                }
                _ => {}
            }
        }
    }
}

#[derive(Debug)]
struct State {
    files: BTreeMap<String, File>,
    /// What was deleted, and may be there again after the power went off.
    deleted: BTreeMap<String, Vec<u8>>,
    faults: Vec<Fault>,
    ops: u64,
    reads: u64,
    boots: u64,
    is_down: bool,
    rng: Rng,
}

impl State {
    fn down() -> Error {
        Error::other("the machine is down")
    }

    fn is_in(from: u64, count: u64, op: u64) -> bool {
        (from..from.saturating_add(count)).contains(&op)
    }

    /// Counts an operation. What it is for is done even where it says that it crashes: half of it may have happened.
    fn op(&mut self, grows: bool, is_sync: bool) -> Result<bool> {
        if self.is_down {
            return Err(Self::down());
        }
        self.ops += 1;
        let op = self.ops;
        for fault in self.faults.clone() {
            match fault {
                Fault::Crash(at) if at <= op => {
                    self.is_down = true;
                    return Ok(true);
                }
                Fault::Fails(from, count) if Self::is_in(from, count, op) => {
                    return Err(Error::other("the disk says no"));
                }
                Fault::Full(from, count) if grows && Self::is_in(from, count, op) => {
                    return Err(ErrorKind::WriteZero.into());
                }
                Fault::SyncFails(from, count) if is_sync && Self::is_in(from, count, op) => {
                    return Err(Error::other("the sync failed"));
                }
                _ => {}
            }
        }
        Ok(false)
    }

    fn read(&mut self) -> Result<()> {
        if self.is_down {
            return Err(Self::down());
        }
        self.reads += 1;
        let read = self.reads;
        let fails = |fault: &Fault| matches!(fault, Fault::ReadFails(from, count) if Self::is_in(*from, *count, read));
        if self.faults.iter().any(fails) { Err(Error::other("the disk cannot be read")) } else { Ok(()) }
    }
}

type Shared = Arc<Mutex<State>>;

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    // A test that failed elsewhere says so itself.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn disks() -> MutexGuard<'static, BTreeMap<u64, Shared>> {
    static DISKS: OnceLock<Mutex<BTreeMap<u64, Shared>>> = OnceLock::new();
    let disks = DISKS.get_or_init(|| {
        sqlite_vfs::register(VFS, Files, false).expect("SQLite takes another file system");
        Mutex::default()
    });
    disks.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A disk. What is on it goes with it.
#[derive(Debug)]
pub struct Disk {
    id: u64,
    state: Shared,
}

impl Disk {
    /// An empty one.
    pub fn new(seed: u64) -> Self {
        Self::with(BTreeMap::new(), seed)
    }

    fn with(files: BTreeMap<String, File>, seed: u64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let state = State {
            files,
            deleted: BTreeMap::new(),
            faults: Vec::new(),
            ops: 0,
            reads: 0,
            boots: 0,
            is_down: false,
            rng: Rng::new(seed),
        };
        let state = Arc::new(Mutex::new(state));
        disks().insert(id, state.clone());
        Self { id, state }
    }

    /// Where the database lies for SQLite.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/{}/flowloom.db", self.id))
    }

    /// What will go wrong until the next boot, counted from now.
    pub fn plan(&self, faults: &[Fault]) {
        let mut state = lock(&self.state);
        let (now, reads) = (state.ops, state.reads);
        state.faults = faults
            .iter()
            .map(|fault| match *fault {
                Fault::Crash(at) => Fault::Crash(now + at),
                Fault::Fails(from, count) => Fault::Fails(now + from, count),
                Fault::Full(from, count) => Fault::Full(now + from, count),
                Fault::SyncFails(from, count) => Fault::SyncFails(now + from, count),
                Fault::ReadFails(from, count) => Fault::ReadFails(reads + from, count),
            })
            .collect();
    }

    /// Nothing goes wrong while `work` looks at it.
    pub fn unharmed<T>(&self, work: impl FnOnce() -> T) -> T {
        let faults = mem::take(&mut lock(&self.state).faults);
        let out = work();
        lock(&self.state).faults = faults;
        out
    }

    /// Whether something is planned, or is going wrong.
    pub fn is_faulty(&self) -> bool {
        let state = lock(&self.state);
        state.is_down || !state.faults.is_empty()
    }

    /// Whether it has crashed.
    pub fn is_down(&self) -> bool {
        lock(&self.state).is_down
    }

    /// Operations since it was made.
    pub fn ops(&self) -> u64 {
        lock(&self.state).ops
    }

    /// Stops at once.
    pub fn stop(&self) {
        lock(&self.state).is_down = true;
    }

    /// Starts again, without faults; whoever has files open from before gets nothing of them any more.
    pub fn boot(&self, loss: Loss) {
        let mut state = lock(&self.state);
        let State { files, deleted, rng, .. } = &mut *state;
        match loss {
            Loss::Nothing => files.values_mut().for_each(|file| {
                file.settle();
                file.is_named = true;
            }),
            Loss::Power => {
                for file in files.values_mut() {
                    file.settle_some(rng);
                }
                files.retain(|_, file| {
                    file.is_named |= rng.percent(50);
                    file.is_named
                });
                for (name, durable) in mem::take(deleted) {
                    if rng.percent(50) {
                        let file = File { durable, is_named: true, ..File::default() };
                        files.entry(name).or_insert(file);
                    }
                }
            }
        }
        files.values_mut().for_each(|file| file.seen.clone_from(&file.durable));
        deleted.clear();
        state.faults.clear();
        state.is_down = false;
        state.boots += 1;
    }

    /// Writes what a process sees into a real folder, where another program finds it.
    pub fn save(&self, dir: &Path) {
        for (name, file) in &lock(&self.state).files {
            fs::write(dir.join(name), &file.seen).expect("is written");
        }
    }

    /// Takes the files of a real folder instead of its own, all of them durable.
    pub fn load(&self, dir: &Path) {
        let mut state = lock(&self.state);
        state.deleted.clear();
        let names: Vec<String> = ["", "-wal", "-journal"].iter().map(|end| format!("{FILE}{end}")).collect();
        let read = |name: String| Some((dir.join(&name), name)).filter(|(path, _)| path.exists());
        let files = names.into_iter().filter_map(read).map(|(path, name)| {
            let bytes = fs::read(path).expect("is read");
            (name, File { durable: bytes.clone(), seen: bytes, pending: Vec::new(), is_named: true })
        });
        state.files = files.collect();
    }

    /// Another disk with what a process sees on this one.
    pub fn copy(&self) -> Self {
        let state = lock(&self.state);
        let copy = |file: &File| {
            let bytes = file.seen.clone();
            File { durable: bytes.clone(), seen: bytes, pending: Vec::new(), is_named: true }
        };
        let files = state.files.iter().map(|(name, file)| (name.clone(), copy(file))).collect();
        Self::with(files, 0)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        disks().remove(&self.id);
    }
}

/// All disks, as SQLite asks for their files: `/7/flowloom.db` is on the seventh.
struct Files;

fn find(path: &str) -> Result<(Shared, String)> {
    let (id, name) = path.trim_start_matches('/').split_once('/').ok_or(ErrorKind::NotFound)?;
    let id: u64 = id.parse().map_err(|_| ErrorKind::NotFound)?;
    let disk = disks().get(&id).cloned().ok_or(ErrorKind::NotFound)?;
    Ok((disk, name.to_owned()))
}

impl Vfs for Files {
    type Handle = Handle;

    fn open(&self, path: &str, options: OpenOptions) -> Result<Handle> {
        let (disk, name) = find(path)?;
        let boot = {
            let mut state = lock(&disk);
            state.read()?;
            let may_make = matches!(options.access, OpenAccess::Create | OpenAccess::CreateNew);
            if !state.files.contains_key(&name) {
                if !may_make {
                    return Err(ErrorKind::NotFound.into());
                }
                state.op(true, false)?;
                state.files.insert(name.clone(), File::default());
            }
            state.boots
        };
        Ok(Handle { disk, name, boot, lock: LockKind::None })
    }

    fn delete(&self, path: &str) -> Result<()> {
        let (disk, name) = find(path)?;
        let mut state = lock(&disk);
        if !state.is_down && !state.files.contains_key(&name) {
            return Err(ErrorKind::NotFound.into());
        }
        let crashes = state.op(false, false)?;
        if let Some(file) = state.files.remove(&name)
            && file.is_named
        {
            state.deleted.insert(name, file.durable);
        }
        if crashes { Err(State::down()) } else { Ok(()) }
    }

    fn exists(&self, path: &str) -> Result<bool> {
        let (disk, name) = find(path)?;
        let mut state = lock(&disk);
        state.read()?;
        Ok(state.files.contains_key(&name))
    }

    fn temporary_name(&self) -> String {
        "/0/temporary".to_owned()
    }

    fn random(&self, buffer: &mut [i8]) {
        buffer.fill(7);
    }

    fn sleep(&self, duration: Duration) -> Duration {
        duration
    }
}

/// An open file.
pub struct Handle {
    disk: Shared,
    name: String,
    boot: u64,
    lock: LockKind,
}

impl Handle {
    /// The disk, where it is still the one that this was opened on.
    fn state(&self) -> Result<MutexGuard<'_, State>> {
        let state = lock(&self.disk);
        if state.boots == self.boot { Ok(state) } else { Err(State::down()) }
    }

    fn changed(&self, change: Change) -> Result<()> {
        let mut state = self.state()?;
        let len = state.files.get(&self.name).ok_or(ErrorKind::NotFound)?.seen.len();
        let end = match &change {
            Change::Write(offset, data) => offset + data.len(),
            Change::Length(len) => *len,
        };
        let crashes = state.op(end > len, false)?;
        let file = state.files.get_mut(&self.name).ok_or(ErrorKind::NotFound)?;
        match &change {
            Change::Write(offset, data) => put(&mut file.seen, *offset, data),
            Change::Length(len) => file.seen.resize(*len, 0),
        }
        file.pending.push(change);
        if crashes { Err(State::down()) } else { Ok(()) }
    }
}

fn place(offset: u64) -> Result<usize> {
    usize::try_from(offset).map_err(|_| ErrorKind::InvalidInput.into())
}

impl DatabaseHandle for Handle {
    type WalIndex = WalDisabled;

    fn size(&self) -> Result<u64> {
        let mut state = self.state()?;
        state.read()?;
        Ok(state.files.get(&self.name).ok_or(ErrorKind::NotFound)?.seen.len() as u64)
    }

    fn read_exact_at(&mut self, buf: &mut [u8], offset: u64) -> Result<()> {
        let mut state = self.state()?;
        state.read()?;
        let seen = &state.files.get(&self.name).ok_or(ErrorKind::NotFound)?.seen;
        let from = place(offset)?.min(seen.len());
        let there = buf.len().min(seen.len() - from);
        buf[..there].copy_from_slice(&seen[from..from + there]);
        // SQLite asks for zeros where the file ends.
        buf[there..].fill(0);
        if there < buf.len() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn write_all_at(&mut self, buf: &[u8], offset: u64) -> Result<()> {
        self.changed(Change::Write(place(offset)?, buf.to_vec()))
    }

    fn sync(&mut self, _data_only: bool) -> Result<()> {
        let mut state = self.state()?;
        let done = state.op(false, true);
        let State { files, rng, deleted, .. } = &mut *state;
        let Some(file) = files.get_mut(&self.name) else { return Err(ErrorKind::NotFound.into()) };
        match done {
            Ok(false) => {
                file.settle();
                // With a journal's first sync SQLite syncs the folder, and with it what was made and deleted before.
                if !file.is_named && self.name.contains('-') {
                    deleted.clear();
                    files.values_mut().for_each(|file| file.is_named = true);
                } else {
                    file.is_named = true;
                }
                Ok(())
            }
            // In the middle of it: the reboot says what was kept.
            Ok(true) => Err(State::down()),
            Err(error) => {
                file.settle_some(rng);
                Err(error)
            }
        }
    }

    fn set_len(&mut self, size: u64) -> Result<()> {
        self.changed(Change::Length(place(size)?))
    }

    fn lock(&mut self, lock: LockKind) -> Result<bool> {
        self.lock = lock;
        Ok(true)
    }

    fn reserved(&mut self) -> Result<bool> {
        Ok(false)
    }

    fn current_lock(&self) -> Result<LockKind> {
        Ok(self.lock)
    }

    fn wal_index(&self, _readonly: bool) -> Result<WalDisabled> {
        Ok(WalDisabled)
    }
}

/// The disk itself: what is synced is there after a crash, what is not may not be.
#[test]
fn a_disk_keeps_what_is_synced() {
    let open = |disk: &Disk| {
        let flags = rusqlite::OpenFlags::default();
        let connection = rusqlite::Connection::open_with_flags_and_vfs(disk.path(), flags, VFS).expect("opens");
        connection
            .execute_batch("pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full")
            .expect("is ours");
        connection
    };
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..200 {
        let disk = Disk::new(seed);
        let connection = open(&disk);
        connection.execute_batch("create table t(n integer primary key, b blob)").expect("writes");
        // Every commit that was acknowledged, and of the one that was not either all or nothing.
        disk.plan(&[Fault::Crash(1 + seed % 40)]);
        let mut acknowledged = 0;
        for n in 1..1_000 {
            let sql = format!("begin; insert into t values ({n}, randomblob(3000)); commit");
            if connection.execute_batch(&sql).is_err() {
                break;
            }
            acknowledged = n;
            if n % 5 == 0 {
                let _ = connection.execute_batch("pragma wal_checkpoint");
            }
        }
        assert!(disk.is_down());
        drop(connection);
        disk.boot(Loss::Power);
        let connection = open(&disk);
        let found: i64 = connection.query_row("select count(*) from t", [], |row| row.get(0)).expect("reads");
        assert!(found == acknowledged || found == acknowledged + 1, "seed {seed}: {found} of {acknowledged}");
        let whole: String = connection.query_row("pragma integrity_check", [], |row| row.get(0)).expect("reads");
        assert_eq!(whole, "ok", "seed {seed}");
        if found == acknowledged { lost += 1 } else { kept += 1 }
    }
    // With NORMAL commits are lost: the disk does lose what is not synced.
    assert!(kept > 5 && lost > 50, "{kept} kept, {lost} lost");
}

#[test]
fn a_disk_loses_what_is_not_synced() {
    let lost = (0..50).any(|seed| {
        let disk = Disk::new(seed);
        let flags = rusqlite::OpenFlags::default();
        let connection = rusqlite::Connection::open_with_flags_and_vfs(disk.path(), flags, VFS).expect("opens");
        let sql = "pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = normal; \
                   create table t(n); pragma wal_checkpoint(truncate); insert into t values (1)";
        connection.execute_batch(sql).expect("writes");
        disk.stop();
        drop(connection);
        disk.boot(Loss::Power);
        let connection = rusqlite::Connection::open_with_flags_and_vfs(disk.path(), flags, VFS).expect("opens");
        connection.execute_batch("pragma locking_mode = exclusive").expect("is ours");
        connection.query_row("select count(*) from t", [], |row| row.get::<_, i64>(0)).expect("reads") == 0
    });
    assert!(lost, "a commit without a sync survives everything");
}
