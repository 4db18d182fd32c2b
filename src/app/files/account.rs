//! Accounts in the window: whose key and which address; and the page that fetches a flow from one.
//!
//! The one idea: the page opens by listing the account's flows; the chosen one is fetched with its mails and names and
//! opened as every import is. Closing the page stops what is under way, and nothing of it comes later. Deliberately not
//! here: keys (one passes through on its way to the keyring, and is not kept), sockets, what an import makes of it.

use std::sync::Arc;

use super::{Page, Task};
use crate::{
    app::{
        App, Home, Request, import,
        jobs::{Kind, Progress, Running},
    },
    base::Instant,
    flow::Target,
    platforms::push::{self, Fetched, Key, KeyPlace, Listed, account_label},
};

/// The name of an account's key where nobody gives one.
const KEY_NAME: &str = "default";

/// Which account, and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// Whose API.
    pub target: Target,
    /// Which account's key of the keyring.
    pub key_name: String,
    /// Another address than the platform's own; empty for that.
    pub address: String,
}

impl Login {
    /// The first account of a platform.
    pub fn new(target: Target) -> Self {
        Self { target, key_name: KEY_NAME.to_owned(), address: String::new() }
    }

    /// The same with what a user typed; a name left empty is the first account's.
    #[must_use]
    pub fn with(&self, key_name: &str, address: &str) -> Self {
        let key_name = Some(key_name.trim()).filter(|name| !name.is_empty()).unwrap_or(KEY_NAME);
        Self { target: self.target, key_name: key_name.to_owned(), address: address.trim().to_owned() }
    }

    /// The address, where it is not the platform's own.
    pub fn base_url(&self) -> Option<&str> {
        Some(self.address.as_str()).filter(|address| !address.is_empty())
    }

    /// What the record of pushes calls the account.
    pub fn label(&self) -> String {
        account_label(&self.key_name, self.base_url())
    }
}

/// The account of a platform that was used last in this run.
pub(super) fn known(app: &App, target: Target) -> Login {
    app.files.logins.get(&target).cloned().unwrap_or_else(|| Login::new(target))
}

/// Remembers an account for the next page that needs one.
pub(super) fn remember(app: &mut App, login: &Login) {
    app.files.logins.insert(login.target, login.clone());
}

/// The state of the page.
#[derive(Debug)]
pub struct Import {
    /// The account.
    pub login: Login,
    /// Where its key was found.
    pub key_place: Option<KeyPlace>,
    /// How far it is.
    pub stage: Stage,
    /// The account's flows, once they are listed.
    pub flows: Vec<Listed>,
    /// The flow that was chosen.
    pub chosen: Option<Listed>,
    under_way: Option<Running>,
    num_jobs: u64,
}

/// How far an import is.
#[derive(Debug)]
pub enum Stage {
    /// The account's flows are listed.
    Listing,
    /// One is to be chosen.
    Choosing,
    /// The chosen one is fetched.
    Fetching,
    /// Something went wrong, with the list or with the chosen flow.
    Failed(push::Error),
}

/// What the page asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum ImportAct {
    /// Open the page for a platform, and list.
    Open(Target),
    /// Use another account.
    Login(Login),
    /// Keep this key in the keyring, and list.
    Keep(Key),
    /// Fetch the flow of this id.
    Fetch(String),
    /// What went wrong once more.
    Again,
    /// Stop fetching, or leave a fault behind: back to the list.
    Back,
}

/// What is asked of the account, and of the keyring.
#[derive(Debug)]
pub enum AccountTask {
    /// List the flows.
    List(AccountJob),
    /// Fetch one of them.
    Fetch {
        /// What is asked, and by whom.
        job: AccountJob,
        /// Its id.
        flow: String,
    },
    /// Keep a key in the keyring.
    Keep {
        /// For which account.
        login: Login,
        /// The key.
        key: Key,
    },
}

/// What every job with an account needs to know.
#[derive(Clone, Debug)]
pub struct AccountJob {
    /// Tells it from those before.
    pub id: u64,
    /// The account.
    pub login: Login,
    /// What stands around the flow that is open; its workspace says for which version of the API.
    pub home: Arc<Home>,
    /// How far it is, and whether to stop.
    pub progress: Arc<Progress>,
}

/// What an account answers.
#[derive(Debug)]
pub enum AccountTold {
    /// Its flows, and where the key was.
    Listed {
        /// The job's number.
        id: u64,
        /// What came of it.
        result: Result<(Vec<Listed>, KeyPlace), push::Error>,
    },
    /// The flow.
    Fetched {
        /// The job's number.
        id: u64,
        /// What came of it.
        result: Result<Box<Fetched>, push::Error>,
    },
    /// A key is in the keyring.
    Kept(Result<(), push::Error>),
}

impl Import {
    /// The job that is under way.
    pub fn running(&self) -> Option<&Running> {
        self.under_way.as_ref()
    }

    /// The flows whose name, id or state have all words of a search.
    pub fn found(&self, search: &str) -> Vec<&Listed> {
        let words: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
        let fits = |flow: &&Listed| {
            let text = format!("{} {} {}", flow.name, flow.id, flow.status).to_lowercase();
            words.iter().all(|word| text.contains(word.as_str()))
        };
        self.flows.iter().filter(fits).collect()
    }
}

/// Does what the page asks for.
pub fn act(app: &mut App, act: ImportAct, now: Instant) -> Vec<Request> {
    if let ImportAct::Open(target) = act {
        let login = known(app, target);
        // Answers to an earlier page find another number.
        let num_jobs = app.files.num_account_jobs;
        app.files.import = Some(Import {
            login,
            key_place: None,
            stage: Stage::Listing,
            flows: Vec::new(),
            chosen: None,
            under_way: None,
            num_jobs,
        });
        app.files.page = Some(Page::Account);
        return list(app, now);
    }
    let Some(import) = &mut app.files.import else { return Vec::new() };
    match act {
        ImportAct::Open(_) => {}
        ImportAct::Login(login) => {
            import.login = login.clone();
            remember(app, &login);
            return list(app, now);
        }
        ImportAct::Keep(key) => {
            let login = import.login.clone();
            return vec![Request::Files(Task::Account(Box::new(AccountTask::Keep { login, key })))];
        }
        ImportAct::Fetch(id) => {
            import.chosen = import.flows.iter().find(|flow| flow.id == id).cloned();
            return fetch(app, now);
        }
        ImportAct::Again if import.chosen.is_some() => return fetch(app, now),
        ImportAct::Again => return list(app, now),
        ImportAct::Back => {
            import.under_way = None;
            import.chosen = None;
            import.stage = Stage::Choosing;
        }
    }
    Vec::new()
}

/// A job for the account of the page; one that is under way is stopped.
fn job(app: &mut App, now: Instant) -> Option<AccountJob> {
    let home = app.document().map(|document| Arc::clone(&document.home)).unwrap_or_default();
    let import = app.files.import.as_mut()?;
    import.num_jobs += 1;
    app.files.num_account_jobs = import.num_jobs;
    let running = Running::new(import.num_jobs, Kind::Push, 0, now);
    let progress = Arc::clone(&running.progress);
    import.under_way = Some(running);
    Some(AccountJob { id: import.num_jobs, login: import.login.clone(), home, progress })
}

fn list(app: &mut App, now: Instant) -> Vec<Request> {
    let Some(job) = job(app, now) else { return Vec::new() };
    if let Some(import) = &mut app.files.import {
        import.stage = Stage::Listing;
        import.flows.clear();
        import.chosen = None;
        import.key_place = None;
    }
    vec![Request::Files(Task::Account(Box::new(AccountTask::List(job))))]
}

fn fetch(app: &mut App, now: Instant) -> Vec<Request> {
    let chosen = app.files.import.as_ref().and_then(|import| import.chosen.as_ref());
    let Some(flow) = chosen.map(|flow| flow.id.clone()) else { return Vec::new() };
    let Some(job) = job(app, now) else { return Vec::new() };
    if let Some(import) = &mut app.files.import {
        import.stage = Stage::Fetching;
    }
    vec![Request::Files(Task::Account(Box::new(AccountTask::Fetch { job, flow })))]
}

/// Takes what came back.
pub fn take(app: &mut App, told: AccountTold, now: Instant) -> Vec<Request> {
    let Some(import) = &mut app.files.import else { return Vec::new() };
    let is_wanted = |id: u64| import.under_way.as_ref().is_some_and(|running| running.id == id);
    match told {
        AccountTold::Listed { id, result } if is_wanted(id) => {
            import.under_way = None;
            match result {
                Ok((flows, place)) => {
                    import.key_place = Some(place);
                    import.flows = flows;
                    import.stage = Stage::Choosing;
                }
                Err(error) => import.stage = Stage::Failed(error),
            }
        }
        AccountTold::Fetched { id, result } if is_wanted(id) => {
            import.under_way = None;
            let target = import.login.target;
            match result.map(|fetched| import::open_fetched(app, target, *fetched, now)) {
                Ok(Ok(requests)) => {
                    app.files.page = None;
                    return requests;
                }
                Ok(Err(why)) => failed(app, push::Error::new(push::Kind::Strange, why, "Choose another flow")),
                Err(error) => failed(app, error),
            }
        }
        AccountTold::Kept(Ok(())) => return list(app, now),
        AccountTold::Kept(Err(error)) => import.stage = Stage::Failed(error),
        AccountTold::Listed { .. } | AccountTold::Fetched { .. } => {}
    }
    Vec::new()
}

fn failed(app: &mut App, error: push::Error) {
    if let Some(import) = &mut app.files.import {
        import.stage = Stage::Failed(error);
    }
}

/// After every command: what a page that was closed waited for is stopped.
pub(super) fn settle(app: &mut App) {
    if app.files.page != Some(Page::Account) {
        app.files.import = None;
    }
}
