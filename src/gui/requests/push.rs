//! What the pages for accounts ask of the machine: the keyring, the account, the record beside the flow.

use std::path::PathBuf;

use crate::{
    app::{
        Home,
        files::{
            account::{AccountTask, AccountTold, Login},
            push::{PushJob, PushTask, PushTold},
        },
        jobs::Progress,
    },
    base::Severity,
    disk::{self, Lock, NoLock},
    flow::{Flow, Target},
    platforms::{
        self,
        push::{self, Account, Client, Draft, Error, Key, KeyPlace, Kind, Patience, Pushed, Record, Watch, variable},
    },
};

/// Does it; blocks as long as the account takes.
pub fn perform(task: PushTask) -> PushTold {
    match task {
        PushTask::Look { job, draft, upload } => {
            let mut anew = None;
            let looked = || {
                let draft = match upload {
                    Some(flow) => &**anew.insert(Box::new(uploading(&job, &flow)?)),
                    None => &*draft,
                };
                let (mut client, place) = connect(&job.login, &job.home, Patience::default(), &find)?;
                let mut shelf = Shelf::open(&job)?;
                let pushed = shelf.record.account(&shelf.label);
                let pictures = disk::pictures(job.home.folder.as_deref(), &job.path);
                let stop = job.progress.stop();
                let account = Account::look(draft, &mut client, &pushed, &pictures, &mut shelf, stop);
                let account = account.map_err(|error| of_key(error, job.login.target, place))?;
                Ok(Box::new((account, pushed, place)))
            };
            let result = looked();
            PushTold::Looked { id: job.id, result, draft: anew }
        }
        PushTask::Run { job, plan, mut pushed } => {
            let mut ran = || {
                let (mut client, _) = connect(&job.login, &job.home, Patience::default(), &find)?;
                let _lock = lock(&job)?;
                let mut shelf = Shelf::open(&job)?;
                push::run(&plan, &mut client, &mut pushed, &mut shelf, job.progress.stop())
            };
            PushTold::Pushed { id: job.id, result: ran() }
        }
        PushTask::Keep { login, key } => PushTold::Kept(key.store(login.target, &login.key_name)),
    }
}

/// What a flow needs whose pictures are uploaded wherever they lie.
fn uploading(job: &PushJob, flow: &Flow) -> Result<Draft, Error> {
    let mut workspace = job.home.workspace.clone();
    // Without an address of its own, each picture asks for one of the account's.
    workspace.brand.images.clear();
    let target = job.login.target;
    let export = platforms::export(target, flow, &workspace).map_err(|found| {
        let first = found.into_iter().find(|found| found.severity == Severity::Error);
        let (message, hint) = first.map(|found| (found.message, found.hint)).unwrap_or_default();
        Error::new(Kind::Record, message, hint)
    })?;
    Draft::new(target, &export, flow, &workspace)
}

/// Lists the flows of an account, or fetches one; blocks as long as the account takes.
pub fn account(task: AccountTask) -> AccountTold {
    account_with(task, Patience::default(), &find)
}

/// The same with keys from elsewhere than this machine.
pub fn account_with(task: AccountTask, patience: Patience, find: Find<'_>) -> AccountTold {
    match task {
        AccountTask::List(job) => {
            let listed = || {
                let (mut client, place) = connect(&job.login, &job.home, patience, find)?;
                let flows = push::flows(job.login.target, &mut client, job.progress.stop());
                Ok((flows.map_err(|error| of_key(error, job.login.target, place))?, place))
            };
            AccountTold::Listed { id: job.id, result: listed() }
        }
        AccountTask::Fetch { job, flow } => {
            let fetched = || {
                let (mut client, _) = connect(&job.login, &job.home, patience, find)?;
                // Whether to stop is asked by whoever works, more often than this.
                let mut at = |done: usize, of: usize| _ = job.progress.keeps_on(done as f32 / of.max(1) as f32);
                push::fetch(job.login.target, &mut client, &flow, &mut at, job.progress.stop()).map(Box::new)
            };
            AccountTold::Fetched { id: job.id, result: fetched() }
        }
        AccountTask::Keep { login, key } => AccountTold::Kept(key.store(login.target, &login.key_name)),
    }
}

/// Where keys come from.
type Find<'a> = &'a dyn Fn(&Login) -> Result<(Key, KeyPlace), Error>;

/// A key from the environment or the system's keyring.
fn find(login: &Login) -> Result<(Key, KeyPlace), Error> {
    let from_variable = std::env::var(variable(login.target)).ok();
    Key::find(login.target, &login.key_name, from_variable.as_deref())
}

/// A refused key out of the environment: typing another would not help.
fn of_key(mut error: Error, target: Target, place: KeyPlace) -> Error {
    if error.kind == Kind::Key && place == KeyPlace::Variable {
        let name = variable(target);
        error.hint = format!("The key is that of the variable {name}, which goes before the keyring: mend or unset it");
    }
    error
}

fn connect(login: &Login, home: &Home, patience: Patience, find: Find<'_>) -> Result<(Client, KeyPlace), Error> {
    let (key, place) = find(login)?;
    let client = push::connect(login.target, &home.workspace, login.base_url(), key, patience)?;
    Ok((client, place))
}

fn record_path(job: &PushJob) -> PathBuf {
    let name = job.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    job.path.with_file_name(Record::file_name(job.login.target, &name))
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
    label: String,
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
            Record::read(&text.text, job.login.target, &job.flow)?
        } else {
            Record::new(job.login.target, &job.flow)
        };
        Ok(Self { path, record, label: job.login.label(), progress: &job.progress })
    }
}

impl Watch for Shelf<'_> {
    fn at(&mut self, done: usize, of: usize, _: &str) {
        // Whether to stop is asked by whoever works, more often than this.
        let _ = self.progress.keeps_on(done as f32 / of.max(1) as f32);
    }

    fn keep(&mut self, pushed: &Pushed) -> Result<(), String> {
        self.record.set(&self.label, pushed.clone());
        disk::file(&self.path, &self.record.bytes(), true).map_err(|error| error.to_string())
    }
}
