//! One writer per file: a lock file beside it that the operating system lets go of when the program dies.
//!
//! The one idea: the lock is the system's, not the file's existence, so that a crash leaves nothing that must be
//! cleaned up; the process id in it is for words only.

use std::{
    fs,
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

/// A file that nobody else writes while this is there.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: fs::File,
}

/// Why there is no lock.
#[derive(Debug)]
pub enum NoLock {
    /// Another program holds it.
    Held,
    /// The lock file cannot be made.
    Io(io::Error),
}

/// Where the lock of a file lies.
pub fn lock_path(path: &Path) -> PathBuf {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    real.with_file_name(format!(".{name}.lock"))
}

impl Lock {
    /// Takes a lock file, which is made where it is not there.
    ///
    /// Errors: somebody else holds it; it cannot be made. A file system that knows no locks counts as held by nobody.
    pub fn take(path: &Path) -> Result<Self, NoLock> {
        // Whoever lets go removes the file; one that was opened just before that is no lock any more.
        for _ in 0..10 {
            let open = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
            let mut file = open.map_err(NoLock::Io)?;
            match file.try_lock() {
                Ok(()) | Err(fs::TryLockError::Error(_)) => {}
                Err(fs::TryLockError::WouldBlock) => return Err(NoLock::Held),
            }
            let word = format!("{}\n", std::process::id());
            let wrote = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(word.as_bytes()));
            wrote.map_err(NoLock::Io)?;
            let mut there = String::new();
            let seen = fs::File::open(path).and_then(|mut file| file.read_to_string(&mut there));
            if seen.is_ok() && there == word {
                return Ok(Self { path: path.to_owned(), file });
            }
        }
        Err(NoLock::Held)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while it is still held, so that nobody takes a file that is about to go.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = lock_path(&folder.path().join("a.flow.ron"));
        let first = Lock::take(&path).expect("free");
        assert!(matches!(Lock::take(&path), Err(NoLock::Held)));
        drop(first);
        assert!(!path.exists(), "nothing is left");
        // A crash leaves the file, but not the lock.
        fs::write(&path, "4711\n").expect("writes");
        drop(Lock::take(&path).expect("free"));
        let nowhere = folder.path().join("nowhere").join("x.lock");
        assert!(matches!(Lock::take(&nowhere), Err(NoLock::Io(_))));
    }
}
