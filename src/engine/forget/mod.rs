//! What of a forgotten person lies in files, outside of the store: mails in a folder, webhooks kept aside, files that
//! the watched folder has read.
//!
//! The one idea: the store notes in the commit that forgets somebody by what their files are known (addresses, send
//! keys), and drops the note when the files are gone. Whoever dies in between finds the note at the next start, and
//! doing all of it twice does no harm. Nothing here runs in the writer's thread: files may be many.
//!
//! What cannot be taken apart is named instead: copies of the store, texts that are no JSON, files that still wait to
//! be read. Deliberately not here: the rows of the store ([`super::driver`]).

mod lines;
mod names;

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use self::{lines::Shortened, names::Names};
use super::{delivery::folder::Folder, handle::Handle, intake::aside, store, work::Order};
use crate::base::{ContactId, SendKey};

/// By what the files of a forgotten person are known. Kept in the store until they are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub id: ContactId,
    /// Every e-mail address and phone number that was ever said of them and is still known.
    pub addresses: BTreeSet<String>,
    /// Send keys of their messages.
    pub keys: BTreeSet<String>,
    /// Whether a message was on its way at that very moment: its file may appear a little later.
    pub is_under_way: bool,
}

impl Person {
    /// Somebody of whom only the id is known.
    pub fn new(id: ContactId) -> Self {
        Self { id, addresses: BTreeSet::new(), keys: BTreeSet::new(), is_under_way: false }
    }

    /// Under which name the note of somebody stands in the store's single values.
    pub fn meta(id: &ContactId) -> String {
        format!("{META}{id}")
    }

    /// Takes an older note of the same person in: one that a crash has left.
    pub fn join(&mut self, older: Self) {
        self.addresses.extend(older.addresses);
        self.keys.extend(older.keys);
        self.is_under_way |= older.is_under_way;
    }
}

/// What the names of notes begin with.
pub const META: &str = "erase:";

/// Where files of people may lie.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// Folders that mails were written into.
    #[serde(default)]
    pub mails: Vec<PathBuf>,
    /// Folders whose files were taken in.
    #[serde(default)]
    pub watched: Vec<PathBuf>,
}

impl Places {
    /// Under which name they stand in the store's single values.
    pub const META: &str = "folders";

    /// Adds the folders of an engine that starts; whether one is new. Older ones stay: files lie there still.
    pub fn add(&mut self, mails: Option<&Path>, watched: Option<&Path>) -> bool {
        let mut is_new = false;
        for (folder, known) in [(mails, &mut self.mails), (watched, &mut self.watched)] {
            let Some(folder) = folder else { continue };
            let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
            if !known.contains(&folder) {
                known.push(folder);
                is_new = true;
                if known.len() > MOST_FOLDERS {
                    known.remove(0);
                }
            }
        }
        is_new
    }
}

/// Folders of each sort that are remembered. Source: assumption; who tries out many names a new one each time.
const MOST_FOLDERS: usize = 100;
/// So long a message that was on its way may take to become a file. Source: assumption; files are written in
/// milliseconds.
const LAST_FILE: Duration = Duration::from_secs(1);
/// Files that an answer names. Source: assumption.
const MOST_NAMED: usize = 20;

/// What was deleted, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Mails, text messages and calls in folders.
    pub mails: usize,
    /// Requests that were kept aside.
    pub aside: usize,
    /// Items of files that were taken in.
    pub items: usize,
    /// Files that still hold something of them, or may.
    pub left: Vec<PathBuf>,
    /// What could not be done, and why.
    pub faults: Vec<String>,
}

impl Erased {
    /// In words, to follow those of the store.
    pub fn said(&self, id: &ContactId) -> String {
        let count =
            |n: usize, one: &str, many: &str| (n > 0).then(|| format!("{n} {}", if n == 1 { one } else { many }));
        let gone: Vec<String> = [
            count(self.mails, "file of a mail", "files of mails"),
            count(self.aside, "request kept aside", "requests kept aside"),
            count(self.items, "item of files that were read", "items of files that were read"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let mut said = String::new();
        if !gone.is_empty() {
            let _ = write!(said, "; deleted with them: {}", gone.join(", "));
        }
        if !self.left.is_empty() {
            let named: Vec<String> = self.left.iter().take(MOST_NAMED).map(|path| path.display().to_string()).collect();
            let more = self.left.len().saturating_sub(MOST_NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let (files, them) = if self.left.len() == 1 { ("This file", "it") } else { ("These files", "them") };
            let hold = if self.left.len() == 1 { "holds" } else { "hold" };
            let named = named.join(", ");
            let _ = write!(
                said,
                ". {files} still {hold} data of {id}: {named}{more}. Delete {them} when you need {them} no more"
            );
        }
        if !self.faults.is_empty() {
            let _ = write!(
                said,
                ". Not deleted, and tried again with the next start: {}",
                self.faults.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join("; ")
            );
        }
        said.push_str(". Copies that flowloom backup wrote elsewhere hold what they held");
        said
    }

    fn fault(&mut self, path: &Path, error: &io::Error) {
        // Somebody else deleted it.
        if error.kind() != io::ErrorKind::NotFound {
            self.faults.push(format!("{}: {error}", path.display()));
        }
    }
}

/// One at a time: two that shorten the same file would bring back each other's lines.
static ALONE: Mutex<()> = Mutex::new(());

/// Deletes what lies of a person in files, and finds what is left. Blocks, perhaps for long.
pub fn erase(person: &Person, data: &Path, places: &Places) -> Erased {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    if person.is_under_way {
        std::thread::sleep(LAST_FILE);
    }
    let names = Names::of(person);
    let mut done = Erased::default();
    for folder in with_usual(&places.mails, data) {
        mails(person, &names, &folder, &mut done);
    }
    kept_aside(&names, data, &mut done);
    for folder in &places.watched {
        watched(&names, folder, &mut done);
    }
    copies(person, data, &mut done);
    done.left.sort();
    done
}

/// Tells a running engine what became of the files: the note goes where nothing is to be tried again.
pub fn tell(handle: &Handle, person: &Person, erased: &Erased) {
    let Erased { mails, aside, items, left, faults } = erased;
    tracing::info!(
        mails,
        aside,
        items,
        left = left.len(),
        faults = faults.len(),
        "files of a forgotten person are gone"
    );
    if faults.is_empty() {
        // Where the writer cannot write it now, the next start does it all again.
        let _ = handle.order_and_wait("engine", Order::Erased { contact: person.id.clone() });
    }
}

/// The folders of mails, with the one that an engine has where nothing is said.
fn with_usual(mails: &[PathBuf], data: &Path) -> BTreeSet<PathBuf> {
    let usual = data.join("mails");
    mails.iter().cloned().chain([std::path::absolute(&usual).unwrap_or(usual)]).collect()
}

fn mails(person: &Person, names: &Names, folder: &Path, done: &mut Erased) {
    let keys: Vec<SendKey> = person.keys.iter().filter_map(|key| SendKey::parse(key)).collect();
    let is_theirs = |path: &Path| fs::read(path).is_ok_and(|bytes| names.in_bytes(&bytes));
    match Folder::new(folder).files_of(&person.id, &keys, &is_theirs) {
        Ok(files) => {
            for path in files {
                match fs::remove_file(&path) {
                    Ok(()) => done.mails += 1,
                    Err(error) => done.fault(&path, &error),
                }
            }
        }
        Err(error) => done.fault(folder, &error),
    }
}

fn kept_aside(names: &Names, data: &Path, done: &mut Erased) {
    let folder = data.join(aside::FOLDER);
    for path in files_in(&folder, done) {
        if !path.extension().is_some_and(|end| end == "json") {
            continue;
        }
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                done.fault(&path, &error);
                continue;
            }
        };
        if names.in_bytes(&bytes) || aside::body_of(&bytes).is_some_and(|body| names.in_bytes(&body)) {
            match fs::remove_file(&path) {
                Ok(()) => done.aside += 1,
                Err(error) => done.fault(&path, &error),
            }
        }
    }
}

/// Files of a watched folder: those that were read lose what is theirs, those that wait are named.
fn watched(names: &Names, folder: &Path, done: &mut Erased) {
    for place in ["done", "failed"] {
        let folder = folder.join(place);
        let files = files_in(&folder, done);
        for path in files.iter().filter(|path| lines::is_ours(path)) {
            if lines::is_left_over(path) {
                let _ = fs::remove_file(path);
                continue;
            }
            match lines::shorten(path, names) {
                Ok(Shortened::Not) => {}
                Ok(Shortened::By(items)) => done.items += items,
                Ok(Shortened::Cannot) => done.left.push(path.clone()),
                Err(error) => done.fault(path, &error),
            }
        }
    }
    for path in files_in(folder, done).into_iter().filter(|path| lines::is_events(path)) {
        match lines::holds(&path, names) {
            Ok(false) => {}
            Ok(true) => done.left.push(path),
            Err(error) => done.fault(&path, &error),
        }
    }
}

/// Copies of the store in its folder: what a restore kept, what `flowloom backup` wrote there. None is rewritten.
fn copies(person: &Person, data: &Path, done: &mut Erased) {
    for path in files_in(data, done) {
        let own = path.file_name().is_some_and(|name| name == store::FILE);
        if !own && store::may_know(&path, person.id.as_str()) {
            done.left.push(path);
        }
    }
}

/// Files of a folder, in order of their names; none where there is no folder.
fn files_in(folder: &Path, done: &mut Erased) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).and_then(|entries| {
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                files.push(entry.path());
            }
        }
        Ok(files)
    });
    match listed {
        Ok(mut files) => {
            files.sort();
            files
        }
        Err(error) => {
            done.fault(folder, &error);
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests;
