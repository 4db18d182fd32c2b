//! Moves the log into the file, beside the writer.
//!
//! The one idea: what the writer would do now and then inside a commit, with everybody waiting for it, a thread with a
//! connection of its own does a little at a time. Passes go on until the log holds little that is not in the file, so
//! that a writer that pauses starts the log anew by itself. One that never pauses does the short rest when the log has
//! grown long: then it waits for the pass that runs, and makes one itself.
//!
//! Deliberately not here: a file whose disk breaks in tests. That has one connection, and SQLite's own way.

use std::{
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;

use super::Result;

/// Frames (pages of 4 KB) in the log that are not in the file yet, after which they are moved. Source: `cargo bench
/// --bench engine`.
const FRAMES: u32 = 1_000;
/// What a pass may leave: the writer has gone on meanwhile. Source: assumption; a pass of so many takes one sync.
const LITTLE: u32 = 100;
/// Passes in a row at most. Source: assumption: each leaves what was written during it, which is less each time.
const MOST_PASSES: u32 = 4;
/// Frames after which the writer does the rest itself, so that the log starts anew: 33 MB. Source: assumption.
const MOST_FRAMES: u32 = 8_000;
/// So long the writer waits for the pass that runs. Source: assumption; a slow disk is slow for both.
const PATIENCE: Duration = Duration::from_secs(5);

/// What both threads look at.
#[derive(Debug, Default)]
struct Shared {
    /// Frames in the log, after the last commit.
    frames: AtomicU32,
    /// How many of them are in the file, after the last pass.
    moved: AtomicU32,
    /// Whether there is something to do.
    turn: Mutex<Turn>,
    changed: Condvar,
    /// Where the last pass ended badly, the writer does not wait for more of them.
    is_failing: AtomicBool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    #[default]
    Rest,
    Move,
    End,
}

impl Shared {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread, and what the writer's commits tell it.
#[derive(Debug)]
pub(super) struct Mover {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Frames at the last pass of the writer's own: where it did not help, it is not tried again at once.
    tried_at: u32,
}

impl Mover {
    /// Takes the work over from the writer's connection.
    ///
    /// Errors: no connection, or no thread: then SQLite goes on doing it inside the commits.
    pub(super) fn start(writer: &mut Connection, path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "pragma busy_timeout = 0; pragma synchronous = full; pragma fullfsync = on; \
             pragma checkpoint_fullfsync = on; pragma wal_autocheckpoint = 0; pragma cache_size = -256; \
             pragma trusted_schema = off;",
        )?;
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        let thread = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || run(&connection, &own))
            .map_err(|error| super::Error::new(super::Kind::Io, error.to_string(), "Close other programs"))?;
        let own = shared.clone();
        // It replaces SQLite's own.
        let hooked = writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            own.frames.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }));
        let mover = Self { shared, thread: Some(thread), tried_at: 0 };
        hooked?;
        Ok(mover)
    }

    /// After a commit: is it time to move?
    pub(super) fn committed(&mut self) {
        let frames = self.shared.frames.load(Ordering::Relaxed);
        // The log began anew.
        self.tried_at = self.tried_at.min(frames);
        // Each pass syncs the file: not one for every commit while the log cannot begin anew.
        let moved = self.shared.moved.load(Ordering::Relaxed);
        if frames.saturating_sub(if moved > frames { 0 } else { moved }) < FRAMES {
            return;
        }
        let mut turn = self.shared.turn();
        if *turn == Turn::Rest {
            *turn = Turn::Move;
            self.shared.changed.notify_all();
        }
    }

    /// Waits for the pass that runs, if one does.
    pub(super) fn wait(&self) {
        if !self.shared.is_failing.load(Ordering::Relaxed) {
            let busy = |turn: &mut Turn| *turn == Turn::Move;
            let _ = self.shared.changed.wait_timeout_while(self.shared.turn(), PATIENCE, busy);
        }
    }

    /// Whether the writer is to make a pass before it goes on; waits for the one that runs.
    pub(super) fn is_long(&mut self) -> bool {
        let frames = self.shared.frames.load(Ordering::Relaxed);
        if frames < self.tried_at.saturating_add(MOST_FRAMES) {
            return false;
        }
        self.tried_at = frames;
        self.wait();
        true
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        *self.shared.turn() = Turn::End;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, shared: &Shared) {
    loop {
        {
            let rests = |turn: &mut Turn| *turn == Turn::Rest;
            let turn = shared.changed.wait_while(shared.turn(), rests).unwrap_or_else(PoisonError::into_inner);
            if *turn == Turn::End {
                return;
            }
        }
        let mut is_failing = false;
        for _ in 0..MOST_PASSES {
            let passed = pass(connection);
            if let Ok(Some((_, moved))) = passed {
                shared.moved.store(moved, Ordering::Relaxed);
            }
            match passed {
                // Another program does it.
                Ok(None) => break,
                // A reader keeps the rest where it is: it is soon gone.
                Ok(Some((in_log, moved))) if moved < in_log => break,
                Ok(Some((in_log, _))) if shared.frames.load(Ordering::Relaxed).saturating_sub(in_log) > LITTLE => {}
                Ok(Some(_)) => break,
                // A full or failing disk: the writer meets it too, and says so.
                Err(_) => {
                    is_failing = true;
                    break;
                }
            }
        }
        shared.is_failing.store(is_failing, Ordering::Relaxed);
        let mut turn = shared.turn();
        if *turn == Turn::Move {
            *turn = Turn::Rest;
        }
        drop(turn);
        shared.changed.notify_all();
    }
}

/// Moves what no reader holds; frames in the log when it began, and how many of them are in the file. `None` where
/// somebody else is at it: SQLite says -1 then.
pub(super) fn pass(connection: &Connection) -> rusqlite::Result<Option<(u32, u32)>> {
    connection.query_row("pragma wal_checkpoint(passive)", [], |row| {
        let frames = |column| row.get::<_, i64>(column).map(|frames| u32::try_from(frames).ok());
        Ok(frames(1)?.zip(frames(2)?))
    })
}

#[cfg(test)]
mod tests {
    use super::{super::Store, *};

    fn size(path: &Path) -> u64 {
        std::fs::metadata(path).map_or(0, |data| data.len())
    }

    /// 40 KB each; others than before, or SQLite would write nothing.
    fn value(n: usize) -> String {
        format!("{n:010}").repeat(4_000)
    }

    fn write(store: &Store, numbers: std::ops::Range<usize>) {
        for n in numbers {
            store.begin().expect("begins");
            store.set_meta(&format!("name-{}", n % 50), &value(n)).expect("writes");
            store.commit().expect("commits");
        }
    }

    #[test]
    fn the_log_stays_short_while_much_is_written() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("opens");
        let (log, file) = (dir.path().join("flowloom.db-wal"), dir.path().join("flowloom.db"));
        // 48 MB through the log, without a pause.
        write(&store, 0..1_200);
        assert!(size(&log) < 40_000_000, "{} bytes of log", size(&log));
        assert!(size(&file) > 1_500_000, "{} bytes of file", size(&file));
        drop(store);
        assert_eq!(size(&log), 0, "the last one closes the log");
        let store = Store::open(dir.path()).expect("opens");
        assert_eq!(store.integrity(), Ok(Ok(())));
        assert_eq!(store.meta("name-7"), Ok(Some(value(1_157))));
    }

    /// Whoever comes while another moves has nothing to do, and nothing to complain of.
    #[test]
    fn two_may_move_at_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("opens");
        let other = Connection::open(dir.path().join("flowloom.db")).expect("opens");
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let over = &is_over;
            let passes = scope.spawn(move || {
                let mut num_busy = 0;
                while !over.load(Ordering::Relaxed) {
                    num_busy += usize::from(pass(&other).expect("is no fault").is_none());
                }
                num_busy
            });
            let mut num_busy = 0;
            for n in 0..2_000 {
                write(&store, n..n + 1);
                num_busy += usize::from(pass(&store.connection).expect("is no fault").is_none());
                if n >= 200 && num_busy > 0 {
                    break;
                }
            }
            store.checkpoint().expect("is no fault");
            is_over.store(true, Ordering::Relaxed);
            assert!(num_busy + passes.join().expect("no panic") > 0, "they never met");
        });
    }

    #[test]
    fn a_reader_that_stays_stops_nobody() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("opens");
        let log = dir.path().join("flowloom.db-wal");
        let reader = Connection::open(dir.path().join("flowloom.db")).expect("opens");
        reader.execute_batch("begin; select count(*) from meta").expect("reads");
        write(&store, 0..1_000);
        let long = size(&log);
        assert!(long > 40_000_000, "a log that is read is not begun anew: {long} bytes");
        reader.execute_batch("commit").expect("ends");
        write(&store, 1_000..2_400);
        // Without a new beginning it were 56 MB longer.
        assert!(size(&log) < long + 45_000_000, "{} bytes after {long}", size(&log));
        assert_eq!(store.integrity(), Ok(Ok(())));
        assert_eq!(store.meta("name-49"), Ok(Some(value(2_399))));
    }
}
