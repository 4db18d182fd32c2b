//! Events in files: a watched folder, and the reader that `flowloom ingest` uses.
//!
//! The one idea: a file is picked up when it is complete (size and time of change stood still for some seconds), read
//! from the front in batches, and moved away after its last batch is durable, where it is still what was read: one
//! that grew meanwhile stays and is read again, and one that grows where it was moved to (its writer only paused) is
//! read there. That, and a crash in between, does no harm, since events have ids. A bad line is written down and passed
//! over.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread::JoinHandle,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{
    item::{self, Around},
    layout::{InLines, MOST_ITEMS, Piece, in_json},
    pulse::{Pulse, Way},
};
use crate::{
    base::Instant,
    engine::{
        clock::Clock,
        handle::Handle,
        redact,
        work::{Answer, Busy, NewEvent, Refusal},
    },
};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// A file is complete when so many looks found it as the one before. Source: assumption; programs that write in pieces
/// pause for less than three seconds.
const STILL_LOOKS: u32 = 3;
/// A file that was moved is looked at so many more times, in case its writer only paused: 10 minutes after it last
/// changed. Source: assumption; exports wait for a slow query for minutes.
const LATER_LOOKS: u32 = 600;
/// Where these are kept for the next start.
const MOVED: &str = "done/.moved.json";
/// At the start files are looked at again that changed so long ago at most: as long as after they were moved.
const LATER: Duration = Duration::from_secs(600);
/// Most files that were moved and are still looked at.
const MOST_MOVED: usize = 1_000;
/// Largest file that is read as one JSON text, in bytes; JSON Lines may be of any size. Source: assumption.
pub const MOST_JSON_BYTES: u64 = 64 << 20;
/// Most reasons that are written down for one file.
const MOST_REASONS: usize = 1_000;

/// Some events of a file, to be taken in one commit.
#[derive(Debug, Default)]
pub struct Batch {
    /// The events, with what names their place: `line 3`, `item 2`.
    pub events: Vec<(String, NewEvent)>,
    /// What cannot be taken, with its place.
    pub refused: Vec<(String, Refusal)>,
}

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Durable and decided.
    pub accepted: u64,
    /// Known already.
    pub duplicate: u64,
    /// Not taken.
    pub refused: u64,
    /// Places and reasons of the first 1,000 that were not taken.
    pub reasons: Vec<String>,
}

impl Count {
    fn refuse(&mut self, place: &str, error: &str, hint: &str) {
        self.refused += 1;
        if self.reasons.len() < MOST_REASONS {
            self.reasons.push(format!("{place}: {error}. {hint}"));
        }
    }

    /// Adds what the writer said of a batch.
    pub fn add(&mut self, batch: &Batch, answers: &[Answer]) {
        for (place, Refusal { error, hint }) in &batch.refused {
            self.refuse(place, error, hint);
        }
        for ((place, _), answer) in batch.events.iter().zip(answers) {
            match answer {
                Answer::Accepted => self.accepted += 1,
                Answer::Duplicate => self.duplicate += 1,
                Answer::Refused { error, hint } => self.refuse(place, error, hint),
            }
        }
    }
}

/// Why reading a file ended early.
#[derive(Debug)]
pub enum Stopped<E> {
    /// It cannot be read (further).
    Unreadable(Refusal),
    /// Whoever takes the batches had enough.
    Taker(E),
}

/// Reads events from JSON Lines, or from one JSON text (an object, a list, `{"events": […]}`), and hands them out as
/// they lie there, one by one: the place (`line 3`, `item 2`), and the object or why it is none. Which of the two it
/// is, the first line says. `file` names this file (`name_of`): events with neither id nor time get an id by file and
/// place, so that they are the same ones when they are read once more.
///
/// Errors: the file cannot be read on, or `take` gave up. What was handed out before counts.
pub fn read_items<E>(
    mut input: impl BufRead,
    file: &str,
    mut take: impl FnMut(String, Result<Map<String, Json>, Refusal>) -> Result<(), E>,
) -> Result<(), Stopped<E>> {
    let broken = |error: io::Error| {
        let hint = "Check the disk, or copy the file again; what was read up to here is taken";
        Stopped::Unreadable(Refusal::new(format!("the file could not be read on: {error}"), hint))
    };
    let mut add = |place: String, piece: Piece| {
        let object = piece.object.map(|map| item::with_id(map, "f", file, &place));
        take(place, object).map_err(Stopped::Taker)
    };
    let first = input.fill_buf().map_err(broken)?;
    if is_one_text(first) {
        let mut bytes = Vec::new();
        (&mut input).take(MOST_JSON_BYTES + 1).read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() as u64 > MOST_JSON_BYTES {
            let error = format!("the file is one JSON text of more than {} MB", MOST_JSON_BYTES >> 20);
            return Err(Stopped::Unreadable(Refusal::new(
                error,
                "Write one object per line; such files may be of any size",
            )));
        }
        for (idx, piece) in in_json(&bytes, "events").map_err(Stopped::Unreadable)?.into_iter().enumerate() {
            add(format!("item {}", idx + 1), piece)?;
        }
    } else {
        let mut lines = InLines::new(input);
        while let Some(piece) = lines.next_piece().map_err(broken)? {
            add(format!("line {}", piece.line.unwrap_or(0)), piece)?;
        }
    }
    Ok(())
}

/// Reads events as [`read_items`] does, and hands them out in batches of at most 1,000. Files of one's own may hold
/// responses.
///
/// Errors: as [`read_items`].
pub fn read_events<E>(
    input: impl BufRead,
    file: &str,
    now: Instant,
    mut take: impl FnMut(Batch) -> Result<(), E>,
) -> Result<(), Stopped<E>> {
    let around = Around { now, responses: true };
    let mut batch = Batch::default();
    read_items(input, file, |place, object| {
        match object.and_then(|map| item::event(&map, around)) {
            Ok(taken) => batch.events.push((place, taken.what)),
            Err(refusal) => batch.refused.push((place, refusal)),
        }
        let is_full = batch.events.len() + batch.refused.len() == MOST_ITEMS;
        if is_full { take(std::mem::take(&mut batch)) } else { Ok(()) }
    })?;
    if !batch.events.is_empty() || !batch.refused.is_empty() {
        take(batch).map_err(Stopped::Taker)?;
    }
    Ok(())
}

/// Whether a file is one JSON text rather than lines, by its beginning: a list, or an object whose first line is not
/// whole, or that has `events` in it.
pub fn is_one_text(first: &[u8]) -> bool {
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start();
    if first.first() == Some(&b'[') {
        return true;
    }
    let Some(end) = first.iter().position(|b| *b == b'\n') else {
        // One line, or one that is longer than the buffer: only a line of events begins so.
        return first.starts_with(b"{\"events\"");
    };
    match serde_json::from_slice::<Json>(&first[..end]) {
        Ok(json) => json.get("events").is_some_and(Json::is_array) && json.get("contact").is_none(),
        Err(error) => error.is_eof() && first.first() == Some(&b'{'),
    }
}

/// A watched folder; stops when dropped.
pub struct Watch {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Watcher {
    folder: PathBuf,
    handle: Handle,
    pulse: Arc<Pulse>,
    clock: Clock,
    stop: mpsc::Receiver<()>,
    /// Files at the last look, and how many looks found them so.
    seen: BTreeMap<PathBuf, (Look, u32)>,
    /// Files that were moved, oldest first.
    moved: Vec<Moved>,
}

/// A file that was read and moved: whoever has it open still writes to it.
#[derive(Clone)]
struct Moved {
    /// Its name for [`read_events`], so that what was read keeps its ids.
    name: String,
    lies: PathBuf,
    /// As it was read.
    read: Look,
    /// How many of its lines were counted as refused: read once more they are no others.
    refused: u64,
    /// As it was found last, and how many looks found it so.
    found: Look,
    looks: u32,
}

/// The same, for the next run of the engine: a list, of which `forget` takes items with people's names.
#[derive(Serialize, Deserialize)]
struct Kept {
    name: String,
    lies: PathBuf,
    /// Bytes that were read.
    size: u64,
    refused: u64,
}

impl Kept {
    fn of(moved: &Moved) -> Self {
        let Moved { name, lies, read, refused, .. } = moved;
        Self { name: name.clone(), lies: lies.clone(), size: read.0, refused: *refused }
    }
}

/// What tells that a file is still the same: size, and time of change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Look(u64, Option<SystemTime>);

impl Look {
    fn of(found: &fs::Metadata) -> Self {
        Self(found.len(), found.modified().ok())
    }
}

/// The watcher was told to stop.
struct Told;

impl Watch {
    /// Watches a folder, in a thread of its own.
    ///
    /// Errors: it is no folder that can be written to, or there is no thread to be had.
    pub fn start(folder: &Path, handle: Handle, pulse: Arc<Pulse>, clock: Clock) -> Result<Self, Refusal> {
        Self::prepare(folder)?;
        let (stop, stopped) = mpsc::channel();
        let mut watcher = Watcher::new(folder, handle, pulse, clock, stopped);
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                watcher.recall();
                while watcher.look().is_ok() && watcher.sleep(LOOK).is_ok() {}
            })
            .map_err(|error| unwatchable(folder, &error))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Makes what a watched folder needs: `done/` and `failed/` in it.
    ///
    /// Errors: it is no folder that can be written to.
    pub fn prepare(folder: &Path) -> Result<(), Refusal> {
        for name in ["done", "failed"] {
            fs::create_dir_all(folder.join(name)).map_err(|error| unwatchable(folder, &error))?;
        }
        Ok(())
    }

    /// Finishes the batch under way and stops.
    pub fn stop(mut self) {
        self.close();
    }

    fn close(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic in it was printed there.
            let _ = thread.join();
        }
    }
}

fn unwatchable(folder: &Path, error: &io::Error) -> Refusal {
    let hint = "Give --watch a folder that this user may write to: files move to done/ or failed/ in it";
    Refusal::new(format!("{} cannot be watched: {error}", folder.display()), hint)
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.close();
    }
}

impl Watcher {
    fn new(folder: &Path, handle: Handle, pulse: Arc<Pulse>, clock: Clock, stop: mpsc::Receiver<()>) -> Self {
        let (seen, moved) = (BTreeMap::new(), Vec::new());
        Self { folder: folder.to_owned(), handle, pulse, clock, stop, seen, moved }
    }

    fn sleep(&self, most: Duration) -> Result<(), Told> {
        match self.stop.recv_timeout(most) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Err(Told),
        }
    }

    /// Looks on at files that an earlier run has moved, where they changed not long ago: they may have grown meanwhile.
    fn recall(&mut self) {
        let kept = fs::read(self.folder.join(MOVED)).unwrap_or_default();
        let kept: Vec<Kept> = serde_json::from_slice(&kept).unwrap_or_default();
        // When a file changed is said by the machine's clock, whatever the engine's is.
        let since = Duration::from_millis(Clock::Real.now().as_millis().max(0).unsigned_abs()).saturating_sub(LATER);
        let since = SystemTime::UNIX_EPOCH + since;
        for Kept { name, lies, size, refused } in kept.into_iter().take(MOST_MOVED) {
            let Ok(data) = fs::metadata(&lies) else { continue };
            if data.modified().is_ok_and(|changed| changed >= since) {
                let (read, found) = (Look(size, None), Look::of(&data));
                self.moved.push(Moved { name, lies, read, refused, found, looks: 0 });
            }
        }
    }

    /// Keeps what was moved for the next run. Where that fails, what grows in between is not read, and nothing else.
    fn keep(&self) {
        let kept: Vec<Kept> = self.moved.iter().map(Kept::of).collect();
        let (path, part) = (self.folder.join(MOVED), self.folder.join(format!("{MOVED}.part")));
        let written = serde_json::to_vec(&kept)
            .map_err(io::Error::other)
            .and_then(|bytes| fs::write(&part, bytes))
            .and_then(|()| fs::rename(&part, &path));
        if let Err(error) = written {
            tracing::warn!(%error, "which files were moved cannot be kept for the next start");
        }
    }

    fn look(&mut self) -> Result<(), Told> {
        let mut seen = BTreeMap::new();
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(%error, folder = %self.folder.display(), "the watched folder cannot be read");
                return Ok(());
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(found) = entry.metadata() else { continue };
            if found.is_file() && is_of_events(&path) {
                let look = Look::of(&found);
                let looks = match self.seen.get(&path) {
                    Some((before, looks)) if *before == look => looks.saturating_add(1),
                    _ => 0,
                };
                seen.insert(path, (look, looks));
            }
        }
        // In name order, so that files with dates in their names come in the order they were written.
        let is_complete = |(_, (_, looks)): &(&PathBuf, &(Look, u32))| *looks >= STILL_LOOKS;
        let ready: Vec<PathBuf> = seen.iter().filter(is_complete).map(|(path, _)| path.clone()).collect();
        self.seen = seen;
        for path in ready {
            self.take(&path, None)?;
            self.seen.remove(&path);
        }
        self.look_again()
    }

    /// Reads what was written to files after they were moved.
    fn look_again(&mut self) -> Result<(), Told> {
        let mut grown = Vec::new();
        let before = self.moved.len();
        self.moved.retain_mut(|moved| {
            let Ok(found) = fs::metadata(&moved.lies) else { return false };
            let look = Look::of(&found);
            moved.looks = if look == moved.found { moved.looks + 1 } else { 0 };
            moved.found = look;
            let is_more = look.0 > moved.read.0 && moved.looks >= STILL_LOOKS;
            if is_more {
                grown.push(moved.clone());
            }
            !is_more && moved.looks < LATER_LOOKS
        });
        if self.moved.len() < before {
            self.keep();
        }
        for moved in grown {
            self.take(&moved.lies, Some((&moved.name, moved.refused)))?;
        }
        Ok(())
    }

    /// Reads a file and moves it; `known` is its name where it was moved before, and how many of its lines are counted
    /// as refused ([`Moved::refused`]).
    fn take(&mut self, path: &Path, known: Option<(&str, u64)>) -> Result<(), Told> {
        let mut count = Count::default();
        let file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(%error, file = shown(path), "a file cannot be opened");
                return Ok(());
            }
        };
        let name = match known {
            // Somebody put another one there, such as an edited copy: that is theirs.
            Some((known, _)) if identity_of(&file) != identity_in(known) => return Ok(()),
            Some((known, _)) => known.to_owned(),
            None => name_of(path, &file),
        };
        let opened = file.metadata().map(|found| Look::of(&found)).ok();
        let read = read_events(BufReader::new(file), &name, self.clock.now(), |batch| {
            let answers = self.send(&batch)?;
            count.add(&batch, &answers);
            Ok(())
        });
        let failed = match read {
            Ok(()) => false,
            Err(Stopped::Taker(told)) => return Err(told),
            Err(Stopped::Unreadable(refusal)) => {
                count.reasons.push(format!("{}. {}", refusal.error, refusal.hint));
                true
            }
        };
        self.pulse.items(Way::Files, count.accepted, count.duplicate, 0);
        let counted = known.map_or(0, |(_, refused)| refused);
        // What was written behind the end that was read would be moved away unread.
        let now = fs::metadata(path).map(|found| Look::of(&found)).ok();
        let (lies, read, refused) = match (now, opened) {
            (Some(now), Some(opened)) if now == opened => match self.put_away(path, &count, failed) {
                Some(lies) => {
                    // Once, however often a file is read: what was read in vain is read again.
                    self.pulse.items(Way::Files, 0, 0, count.refused.saturating_sub(counted));
                    (lies, opened, count.refused)
                }
                None => return Ok(()),
            },
            _ => {
                tracing::info!(file = shown(path), "a file changed while it was read, and is read again");
                if known.is_none() {
                    return Ok(());
                }
                // It is found again only here.
                (path.to_owned(), Look(0, None), counted)
            }
        };
        if self.moved.len() >= MOST_MOVED {
            self.moved.remove(0);
        }
        self.moved.push(Moved { name, lies, read, refused, found: read, looks: 0 });
        self.keep();
        Ok(())
    }

    /// Gives a batch to the writer, however long that takes.
    fn send(&self, batch: &Batch) -> Result<Vec<Answer>, Told> {
        loop {
            let events: Vec<NewEvent> = batch.events.iter().map(|(_, event)| event.clone()).collect();
            if events.is_empty() {
                return Ok(Vec::new());
            }
            let wait = match block_on(self.handle.events_by(Way::Files, events)) {
                Ok(answers) => return Ok(answers),
                Err(Busy::Full { retry_after }) => Duration::from_secs(u64::from(retry_after.max(1))),
                Err(Busy::Store(why)) => {
                    tracing::warn!(why = redact::text(&why), "the store cannot be written to; files wait");
                    Duration::from_secs(5)
                }
                Err(Busy::Stopping) => return Err(Told),
            };
            self.sleep(wait)?;
        }
    }

    /// Moves a file to `done/` where all of it was taken, else to `failed/`, with a `.txt` of reasons beside it; where
    /// it lies then. One that lies there already stays.
    fn put_away(&self, path: &Path, count: &Count, failed: bool) -> Option<PathBuf> {
        let place = if failed || count.refused > 0 { "failed" } else { "done" };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let into = self.folder.join(place);
        let to = if path.parent() == Some(&into) { path.to_owned() } else { free(&into, &name) };
        let moved = (|| {
            if place == "failed" {
                let mut text = format!(
                    "{name}: {} taken, {} known already, {} not taken\n",
                    count.accepted, count.duplicate, count.refused
                );
                for reason in &count.reasons {
                    text += reason;
                    text.push('\n');
                }
                let mut file = fs::File::create(reasons(&to))?;
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
            }
            if to != path {
                fs::rename(path, &to)?;
                // What was half a line is a whole one now.
                if place == "done" && path.parent() == Some(&self.folder.join("failed")) {
                    let _ = fs::remove_file(reasons(path));
                }
            }
            Ok::<(), io::Error>(())
        })();
        match moved {
            Ok(()) => {
                tracing::info!(
                    file = shown(path),
                    accepted = count.accepted,
                    duplicate = count.duplicate,
                    refused = count.refused,
                    "a file was read"
                );
                Some(to)
            }
            // It stays, and is read again at the next look; nothing is doubled by that.
            Err(error) => {
                tracing::warn!(%error, file = shown(path), "a file was read and cannot be moved");
                None
            }
        }
    }
}

/// Whether a file is one of events, by its name.
fn is_of_events(path: &Path) -> bool {
    let ends = path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    matches!(ends.as_deref(), Some("json" | "jsonl" | "ndjson")) && !is_hidden
}

/// Where the reasons of a file in `failed/` stand.
fn reasons(path: &Path) -> PathBuf {
    let mut beside = path.to_owned().into_os_string();
    beside.push(".txt");
    beside.into()
}

/// What names a file for [`read_events`], whatever is written behind its end: the path, and what tells it from the next
/// one of that name (its number on the disk, where there is one, and when it was made).
fn name_of(path: &Path, file: &fs::File) -> String {
    format!("{}\0{}", path.display(), identity_of(file))
}

/// What tells a file from others, wherever it lies.
fn identity_of(file: &fs::File) -> String {
    let found = file.metadata().ok();
    let made = found.as_ref().and_then(|found| found.created().ok()).unwrap_or(SystemTime::UNIX_EPOCH);
    let nanos = made.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    #[cfg(unix)]
    let number = found.as_ref().map_or(0, std::os::unix::fs::MetadataExt::ino);
    #[cfg(not(unix))]
    let number = 0;
    format!("{number}\0{nanos}")
}

/// The same, of a name by [`name_of`].
fn identity_in(name: &str) -> &str {
    name.split_once('\0').map_or("", |(_, identity)| identity)
}

/// The name of a file for the log: people name files after people.
fn shown(path: &Path) -> String {
    redact::text(&path.file_name().unwrap_or_default().to_string_lossy())
}

/// A name in a folder that is not taken: `a.jsonl`, `a-2.jsonl`, ….
fn free(folder: &Path, name: &str) -> PathBuf {
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    let first = folder.join(name);
    if !first.exists() {
        return first;
    }
    (2..10_000).map(|n| folder.join(format!("{stem}-{n}.{end}"))).find(|path| !path.exists()).unwrap_or(first)
}

/// Waits in this thread for what another one answers.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(found) => return found,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests;
