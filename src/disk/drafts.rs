//! The folder of drafts: one journal per document and run of the studio.
//!
//! The one idea: a run holds the lock of its own name while it lives, so that journals whose run is dead are known to
//! be left over; only those are offered back. What stands in a journal is the caller's.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

use super::{
    lock::{Lock, NoLock},
    write,
};

const ENDING: &str = ".journal";

/// The drafts of this run, and those of earlier ones.
#[derive(Debug)]
pub struct Drafts {
    folder: PathBuf,
    run: String,
    _alive: Lock,
}

impl Drafts {
    /// Opens the folder for a run. `stamp` tells runs of one process id apart, such as the time of its start.
    ///
    /// Errors: what the operating system says; then there are no drafts, and the user should know.
    pub fn open(folder: PathBuf, stamp: i64) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let run = format!("{stamp}-{}", std::process::id());
        match Lock::take(&folder.join(format!("{run}.lock"))) {
            Ok(alive) => Ok(Self { folder, run, _alive: alive }),
            Err(NoLock::Io(error)) => Err(error),
            Err(NoLock::Held) => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }

    /// Names of the journals whose run is dead.
    pub fn left_over(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(ENDING) && self.is_left_over(name)).collect();
        names.sort();
        names
    }

    fn is_left_over(&self, name: &str) -> bool {
        let Some((run, _)) = name.split_once('.') else { return false };
        if run == self.run {
            return false;
        }
        let lock = self.folder.join(format!("{run}.lock"));
        // Taking the lock of a dead run removes the file that it left.
        !lock.exists() || Lock::take(&lock).is_ok()
    }

    /// The bytes of a journal.
    pub fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(name)?)
    }

    /// Removes a journal of an earlier run.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name)?)
    }

    /// Appends to the journal of a document and syncs it; begins it anew from `most_bytes` on, which is right since of
    /// a document only the last record counts. `label` stands in its name.
    pub fn append(&self, document: u64, label: &str, bytes: &[u8], most_bytes: u64) -> io::Result<()> {
        let path = self.path(&self.name(document, label))?;
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() + bytes.len() as u64 > most_bytes) {
            return write::file(&path, bytes, true).map_err(|error| io::Error::other(error.to_string()));
        }
        let mut file = fs::OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_data()
    }

    /// Removes the journal of a document of this run.
    pub fn forget(&self, document: u64) {
        let begins = format!("{}.{document}.", self.run);
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&begins) {
                // One that stays is offered back once more, which loses nothing.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The label in a journal's name; empty where there is none.
    pub fn label(name: &str) -> &str {
        name.strip_suffix(ENDING).and_then(|name| name.splitn(3, '.').nth(2)).unwrap_or("")
    }

    fn name(&self, document: u64, label: &str) -> String {
        format!("{}.{document}.{label}{ENDING}", self.run)
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let is_plain = name.ends_with(ENDING) && !name.contains(['/', '\\']);
        if is_plain { Ok(self.folder.join(name)) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_dead_run_left_is_offered() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Drafts::open(folder.path().to_owned(), 1).expect("opens");
        first.append(7, "watch-shop", b"one", 100).expect("appends");
        first.append(7, "watch-shop", b"two", 100).expect("appends");
        first.append(8, "", b"other", 100).expect("appends");
        let second = Drafts::open(folder.path().to_owned(), 2).expect("opens");
        assert!(second.left_over().is_empty(), "the first run lives");
        first.forget(8);
        drop(first);
        let left = second.left_over();
        assert_eq!(left.len(), 1);
        assert_eq!(
            (second.read(&left[0]).expect("reads"), Drafts::label(&left[0])),
            (b"onetwo".to_vec(), "watch-shop")
        );
        second.remove(&left[0]).expect("removes");
        assert!(second.left_over().is_empty());
        assert!(second.read("../x.journal").is_err());
    }

    #[test]
    fn a_long_journal_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let drafts = Drafts::open(folder.path().to_owned(), 1).expect("opens");
        for _ in 0..10 {
            drafts.append(1, "", b"0123456789", 25).expect("appends");
        }
        let name = drafts.name(1, "");
        assert!(drafts.read(&name).expect("reads").len() <= 25);
    }
}
