//! What the page for pushing asks of the machine: the keyring, the account, the record beside the flow.

use std::path::PathBuf;

use crate::{
    app::{
        files::push::{PushJob, PushTask, PushTold},
        jobs::Progress,
    },
    disk::{self, Lock, NoLock},
    platforms::push::{self, Account, Client, Error, Key, KeyPlace, Kind, Patience, Pushed, Record, Watch, variable},
};

/// Does it; blocks as long as the account takes.
pub fn perform(task: PushTask) -> PushTold {
    match task {
        PushTask::Look { job, draft } => {
            let looked = || {
                let (mut client, place) = connect(&job)?;
                let mut shelf = Shelf::open(&job)?;
                let pushed = shelf.record.account(&job.key_name);
                let pictures = disk::pictures(job.home.folder.as_deref(), &job.path);
                let stop = job.progress.stop();
                let account = Account::look(&draft, &mut client, &pushed, &pictures, &mut shelf, stop)?;
                Ok(Box::new((account, pushed, place)))
            };
            PushTold::Looked { id: job.id, result: looked() }
        }
        PushTask::Run { job, plan, mut pushed } => {
            let mut ran = || {
                let (mut client, _) = connect(&job)?;
                let _lock = lock(&job)?;
                let mut shelf = Shelf::open(&job)?;
                push::run(&plan, &mut client, &mut pushed, &mut shelf, job.progress.stop())
            };
            PushTold::Pushed { id: job.id, result: ran() }
        }
        PushTask::Keep { target, key_name, key } => PushTold::Kept(key.store(target, &key_name)),
    }
}

fn connect(job: &PushJob) -> Result<(Client, KeyPlace), Error> {
    let from_variable = std::env::var(variable(job.target)).ok();
    let (key, place) = Key::find(job.target, &job.key_name, from_variable.as_deref())?;
    let client = push::connect(job.target, &job.home.workspace, None, key, Patience::default())?;
    Ok((client, place))
}

fn record_path(job: &PushJob) -> PathBuf {
    let name = job.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    job.path.with_file_name(Record::file_name(job.target, &name))
}

/// Nobody else pushes this flow meanwhile.
fn lock(job: &PushJob) -> Result<Lock, Error> {
    Lock::take(&disk::lock_path(&record_path(job))).map_err(|no| match no {
        NoLock::Held => Error::new(Kind::Record, "Another push of this flow is under way", "Wait until it is done"),
        NoLock::Io(error) => Error::new(
            Kind::Record,
            format!("What is done cannot be written down beside the flow: {error}"),
            "Give the right to write there, or save the flow elsewhere",
        ),
    })
}

/// The record, and the way to the window.
struct Shelf<'a> {
    path: PathBuf,
    record: Record,
    label: &'a str,
    progress: &'a Progress,
}

impl<'a> Shelf<'a> {
    fn open(job: &'a PushJob) -> Result<Self, Error> {
        let path = record_path(job);
        let record = if path.exists() {
            let text = disk::text(&path).map_err(|unreadable| {
                Error::new(
                    Kind::Record,
                    format!("{}: {}", unreadable.shown, unreadable.diagnostic.message),
                    unreadable.diagnostic.hint,
                )
            })?;
            Record::read(&text.text, job.target, &job.flow)?
        } else {
            Record::new(job.target, &job.flow)
        };
        Ok(Self { path, record, label: &job.key_name, progress: &job.progress })
    }
}

impl Watch for Shelf<'_> {
    fn at(&mut self, done: usize, of: usize, _: &str) {
        // Whether to stop is asked by whoever works, more often than this.
        let _ = self.progress.keeps_on(done as f32 / of.max(1) as f32);
    }

    fn keep(&mut self, pushed: &Pushed) -> Result<(), String> {
        self.record.set(self.label, pushed.clone());
        disk::file(&self.path, &self.record.bytes(), true).map_err(|error| error.to_string())
    }
}
