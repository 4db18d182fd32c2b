//! A few readers of the store for many that look: whoever looks slowly (a search, a large contact, where journeys would
//! move to) keeps nobody else waiting.
//!
//! The one idea: a reader is lent for one look. The first one is opened with the engine, the others when they are
//! needed for the first time; who finds all of them lent waits.

use std::{
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use super::store::{Reader, Result};

/// Readers at most. Source: assumption; each has its own pages in memory, some megabytes.
const MOST: usize = 4;

/// The readers.
#[derive(Debug)]
pub struct Readers {
    data: PathBuf,
    shelf: Mutex<Shelf>,
    is_back: Condvar,
}

#[derive(Debug, Default)]
struct Shelf {
    idle: Vec<Reader>,
    /// Those that are lent included.
    num: usize,
}

/// Where a reader that is lent comes back to. Where none does, its look has broken off, and another takes its place.
struct Lent<'a> {
    from: &'a Readers,
    reader: Option<Reader>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut shelf = self.from.shelf();
        match self.reader.take() {
            Some(reader) => shelf.idle.push(reader),
            None => shelf.num = shelf.num.saturating_sub(1),
        }
        drop(shelf);
        self.from.is_back.notify_one();
    }
}

impl Readers {
    /// Of a data folder.
    ///
    /// Errors: the store's.
    pub fn open(data: &Path) -> Result<Self> {
        let first = Reader::open(data)?;
        let shelf = Mutex::new(Shelf { idle: vec![first], num: 1 });
        Ok(Self { data: data.to_owned(), shelf, is_back: Condvar::new() })
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks with one of them; waits where all are lent.
    ///
    /// Errors: those of the look; the store's, where another one is opened.
    pub fn look<T>(&self, look: impl FnOnce(&Reader) -> Result<T>) -> Result<T> {
        let mut shelf = self.shelf();
        while shelf.idle.is_empty() && shelf.num == MOST {
            shelf = self.is_back.wait(shelf).unwrap_or_else(PoisonError::into_inner);
        }
        let idle = shelf.idle.pop();
        shelf.num += usize::from(idle.is_none());
        // Nobody waits while one is opened.
        drop(shelf);
        let mut lent = Lent { from: self, reader: None };
        let reader = match idle {
            Some(reader) => reader,
            None => Reader::open(&self.data)?,
        };
        let seen = look(&reader);
        lent.reader = Some(reader);
        seen
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::Barrier,
        thread,
    };

    use super::*;
    use crate::{base::Instant, engine::store::Store};

    fn readers() -> (tempfile::TempDir, Readers) {
        let dir = tempfile::tempdir().expect("a folder");
        drop(Store::open(dir.path()).expect("opens"));
        let readers = Readers::open(dir.path()).expect("opens");
        (dir, readers)
    }

    fn num(readers: &Readers) -> (usize, usize) {
        let shelf = readers.shelf();
        (shelf.num, shelf.idle.len())
    }

    fn status(readers: &Readers) {
        readers.look(|reader| reader.status(Instant::from_millis(0))).expect("reads");
    }

    #[test]
    fn one_that_is_slow_keeps_nobody_waiting() {
        let (_dir, readers) = readers();
        status(&readers);
        status(&readers);
        assert_eq!(num(&readers), (1, 1), "one after the other needs one");
        let (all_look, may_end) = (Barrier::new(MOST), Barrier::new(MOST));
        thread::scope(|scope| {
            let slow = || {
                let looked = readers.look(|_| {
                    all_look.wait();
                    may_end.wait();
                    Ok(())
                });
                looked.expect("looks");
            };
            (1..MOST).for_each(|_| drop(scope.spawn(slow)));
            all_look.wait();
            status(&readers);
            assert_eq!(num(&readers), (MOST, 1));
            may_end.wait();
        });
        assert_eq!(num(&readers), (MOST, MOST));
    }

    #[test]
    fn no_more_are_opened_than_there_may_be() {
        let (_dir, readers) = readers();
        thread::scope(|scope| {
            for _ in 0..5 * MOST {
                scope.spawn(|| (0..20).for_each(|_| status(&readers)));
            }
        });
        let (all, idle) = num(&readers);
        assert!(all <= MOST && all == idle, "{all} {idle}");
    }

    #[test]
    fn what_breaks_off_or_cannot_be_opened_takes_no_place() {
        let (dir, readers) = readers();
        for _ in 0..2 * MOST {
            let broke = catch_unwind(AssertUnwindSafe(|| readers.look(|_| -> Result<()> { panic!("a bug") })));
            assert!(broke.is_err());
        }
        assert_eq!(num(&readers), (0, 0));
        std::fs::remove_file(dir.path().join(crate::engine::store::FILE)).expect("is gone");
        assert!((0..2 * MOST).all(|_| readers.look(|_| Ok(())).is_err()));
        assert_eq!(num(&readers), (0, 0));
    }
}
