//! The page for setting a flow up in an account: what was found there, what would be done, what came of it.
//!
//! The one idea: the page opens by looking, which changes nothing; the list that comes of it is decided anew with every
//! answer, and only a click on its button changes the account. Work goes on when the page is closed; the tray shows it
//! and stops it. Deliberately not here: keys (one passes through on its way to the keyring, and is not kept), sockets.

use std::{path::PathBuf, sync::Arc};

use super::{Page, Publish, Task, account, account::Login, publish};
use crate::{
    app::{
        App, Document, DocumentId, Home, Request,
        jobs::{Kind, Progress, Running},
    },
    base::Instant,
    flow::Flow,
    platforms::push::{self, Account, Answers, Done, Draft, Key, KeyPlace, Plan, Pushed},
};

/// The state of the page.
#[derive(Debug)]
pub struct Push {
    /// What is pushed.
    pub document: DocumentId,
    /// Where to.
    pub login: Login,
    /// Where its key was found.
    pub key_place: Option<KeyPlace>,
    /// How far it is.
    pub stage: Stage,
    /// What the user said.
    pub answers: Answers,
    /// Where the brand says that the mails' pictures lie, if they show any of it; then uploading them is a choice.
    pub pictures_at: Option<String>,
    /// Whether they are uploaded all the same.
    pub uploads: bool,
    flow: Arc<Flow>,
    draft: Draft,
    /// The same with pictures that are uploaded, once it was made.
    uploading: Option<Draft>,
    looked: Option<(Account, Pushed)>,
    under_way: Option<Running>,
    num_jobs: u64,
}

/// How far a push is.
#[derive(Debug)]
pub enum Stage {
    /// The account is looked at.
    Looking,
    /// Something went wrong.
    Failed(push::Error),
    /// This would be done.
    Planned(Box<Plan>),
    /// It is being done.
    Pushing,
    /// It is done.
    Done(Done),
}

/// What the page asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum PushAct {
    /// Open the page for the export that is ready.
    Open,
    /// Look at the account again.
    Look,
    /// Use another account, and look.
    Login(Login),
    /// Keep this key in the keyring, and look.
    Keep(Key),
    /// This id for a name.
    Choose {
        /// The item's key.
        key: String,
        /// The id.
        id: String,
    },
    /// Ask again which id a name stands for.
    ChooseAgain(String),
    /// Whether a new flow is made where the old one cannot be changed.
    NewFlow(bool),
    /// Whether the pictures are uploaded although they lie on the web.
    Upload(bool),
    /// Do what the list says.
    Confirm,
}

/// What is asked of the account, and of the keyring.
#[derive(Debug)]
pub enum PushTask {
    /// Look at the account.
    Look {
        /// What is asked, and by whom.
        job: PushJob,
        /// What the flow needs.
        draft: Box<Draft>,
        /// The flow, where its pictures are to be uploaded although they lie on the web: then the draft is made anew.
        upload: Option<Arc<Flow>>,
    },
    /// Carry a plan out.
    Run {
        /// What is asked, and by whom.
        job: PushJob,
        /// The plan.
        plan: Box<Plan>,
        /// What the account has of the flow.
        pushed: Pushed,
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
pub struct PushJob {
    /// Of which document.
    pub document: DocumentId,
    /// Tells it from those before.
    pub id: u64,
    /// Where to.
    pub login: Login,
    /// Id of the flow.
    pub flow: String,
    /// The flow's file; the record lies beside it.
    pub path: PathBuf,
    /// What stands around the flow.
    pub home: Arc<Home>,
    /// How far it is, and whether to stop.
    pub progress: Arc<Progress>,
}

/// What an account answers.
#[derive(Debug)]
pub enum PushTold {
    /// It was looked at: what was found, what the record knows, where the key was.
    Looked {
        /// The job's number.
        id: u64,
        /// What came of it.
        result: Result<Box<(Account, Pushed, KeyPlace)>, push::Error>,
        /// What the flow needs, where that was made anew.
        draft: Option<Box<Draft>>,
    },
    /// A plan was carried out.
    Pushed {
        /// The job's number.
        id: u64,
        /// What came of it.
        result: Result<Done, push::Error>,
    },
    /// A key is in the keyring.
    Kept(Result<(), push::Error>),
}

impl Push {
    /// The job that is under way.
    pub fn running(&self) -> Option<&Running> {
        self.under_way.as_ref()
    }

    /// The plan, where there is one.
    pub fn plan(&self) -> Option<&Plan> {
        match &self.stage {
            Stage::Planned(plan) => Some(plan),
            _ => None,
        }
    }

    fn decide(&mut self) {
        if let Some((account, pushed)) = &self.looked {
            let draft = self.uploading.as_ref().filter(|_| self.uploads).unwrap_or(&self.draft);
            let plan = Plan::new(draft.clone(), account, pushed, &self.answers);
            self.stage = Stage::Planned(Box::new(plan));
        }
    }
}

/// Why the flow cannot be pushed now, in words for a tooltip.
///
/// Errors: what is missing.
pub fn ready(document: &Document, publish: &Publish) -> Result<(), &'static str> {
    publish::ready(document, publish)?;
    if document.path.is_none() {
        return Err("Save the flow first; what was pushed is written down beside it");
    }
    Ok(())
}

/// Does what the page asks for.
pub fn act(app: &mut App, act: PushAct, now: Instant) -> Vec<Request> {
    if act == PushAct::Open {
        return open(app, now);
    }
    let Some(push) = &mut app.files.push else { return Vec::new() };
    let is_pushing = matches!(push.stage, Stage::Pushing);
    match act {
        PushAct::Look if !is_pushing => return look(app, now),
        PushAct::Login(login) if !is_pushing => {
            push.login = login.clone();
            push.key_place = None;
            push.answers = Answers::default();
            account::remember(app, &login);
            return look(app, now);
        }
        PushAct::Keep(key) if !is_pushing => {
            let login = push.login.clone();
            return vec![Request::Files(Task::Push(Box::new(PushTask::Keep { login, key })))];
        }
        PushAct::Choose { key, id } if !is_pushing => {
            push.answers.ids.insert(key, id);
            push.decide();
        }
        PushAct::ChooseAgain(key) if !is_pushing => {
            push.answers.ids.remove(&key);
            push.decide();
        }
        PushAct::NewFlow(new_flow) if !is_pushing => {
            push.answers.new_flow = new_flow;
            push.decide();
        }
        PushAct::Upload(uploads) if !is_pushing && push.pictures_at.is_some() => {
            push.uploads = uploads;
            return look(app, now);
        }
        PushAct::Confirm => return confirm(app, now),
        PushAct::Open
        | PushAct::Look
        | PushAct::Login(_)
        | PushAct::Keep(_)
        | PushAct::Choose { .. }
        | PushAct::ChooseAgain(_)
        | PushAct::NewFlow(_)
        | PushAct::Upload(_) => {}
    }
    Vec::new()
}

/// Opens the page with the export of the page for handing over, and looks.
fn open(app: &mut App, now: Instant) -> Vec<Request> {
    if app.files.push.as_ref().is_some_and(|push| matches!(push.stage, Stage::Pushing)) {
        // One at a time; the page shows the one that is under way.
        app.files.page = Some(Page::Push);
        return Vec::new();
    }
    let Some(publish) = &app.files.publish else { return Vec::new() };
    let Some(document) = app.documents.iter().find(|document| document.id == publish.document) else {
        return Vec::new();
    };
    let drafted = ready(document, publish).map_err(str::to_owned).and_then(|()| {
        let export = publish::ready(document, publish)?;
        let drafted = Draft::new(publish.target, export, document.flow(), &document.home.workspace);
        drafted.map_err(|error| error.to_string())
    });
    let draft = match drafted {
        Ok(draft) => draft,
        Err(why) => {
            app.tell(why, true, now);
            return Vec::new();
        }
    };
    let document_id = document.id;
    let flow = Arc::new(document.flow().clone());
    let pictures_at = pictures_at(document, publish);
    let num_jobs = app.files.push.as_ref().map_or(0, |push| push.num_jobs);
    let login = account::known(app, publish.target);
    app.files.push = Some(Push {
        document: document_id,
        login,
        key_place: None,
        stage: Stage::Looking,
        answers: Answers::default(),
        pictures_at,
        uploads: false,
        flow,
        draft,
        uploading: None,
        looked: None,
        under_way: None,
        num_jobs,
    });
    app.files.page = Some(Page::Push);
    look(app, now)
}

/// A job for the account of the page.
fn job(app: &mut App, now: Instant) -> Option<PushJob> {
    let push = app.files.push.as_mut()?;
    let id = push.document;
    let document = app.documents.iter().find(|document| document.id == id)?;
    push.num_jobs += 1;
    let running = Running::new(push.num_jobs, Kind::Push, document.history.revision(), now);
    let progress = Arc::clone(&running.progress);
    if let Some(before) = push.under_way.replace(running) {
        before.progress.cancel();
    }
    Some(PushJob {
        document: id,
        id: push.num_jobs,
        login: push.login.clone(),
        flow: document.flow().id.to_string(),
        path: document.path.clone()?,
        home: Arc::clone(&document.home),
        progress,
    })
}

fn look(app: &mut App, now: Instant) -> Vec<Request> {
    let Some(job) = job(app, now) else { return Vec::new() };
    let Some(push) = &mut app.files.push else { return Vec::new() };
    push.stage = Stage::Looking;
    push.looked = None;
    let draft = Box::new(push.draft.clone());
    let upload = push.uploads.then(|| Arc::clone(&push.flow));
    vec![Request::Files(Task::Push(Box::new(PushTask::Look { job, draft, upload })))]
}

/// Where the brand says that pictures lie, if the mails of an export show one from there.
fn pictures_at(document: &Document, publish: &Publish) -> Option<String> {
    let base = document.home.workspace.brand.images.trim();
    let export = publish::ready(document, publish).ok().filter(|_| !base.is_empty())?;
    let shows = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(base);
    let is_mail = |path: &str| path.ends_with(".html") && !path.starts_with("sample/");
    export.files.iter().any(|(path, bytes)| is_mail(path) && shows(bytes)).then(|| base.to_owned())
}

fn confirm(app: &mut App, now: Instant) -> Vec<Request> {
    let is_ready = app.files.push.as_ref().and_then(Push::plan).is_some_and(Plan::is_ready);
    if !is_ready {
        return Vec::new();
    }
    let Some(job) = job(app, now) else { return Vec::new() };
    let Some(push) = &mut app.files.push else { return Vec::new() };
    let Stage::Planned(plan) = std::mem::replace(&mut push.stage, Stage::Pushing) else { return Vec::new() };
    let pushed = push.looked.as_ref().map(|(_, pushed)| pushed.clone()).unwrap_or_default();
    vec![Request::Files(Task::Push(Box::new(PushTask::Run { job, plan, pushed })))]
}

/// Takes what came back.
pub fn take(app: &mut App, told: PushTold, now: Instant) -> Vec<Request> {
    let is_open = app.files.page == Some(Page::Push);
    let Some(push) = &mut app.files.push else { return Vec::new() };
    let is_wanted = |id: u64| push.under_way.as_ref().is_some_and(|running| running.id == id);
    match told {
        PushTold::Looked { id, result, draft } if is_wanted(id) => {
            push.under_way = None;
            push.uploading = draft.map(|draft| *draft);
            match result {
                Ok(found) => {
                    let (account, pushed, place) = *found;
                    push.key_place = Some(place);
                    push.looked = Some((account, pushed));
                    push.decide();
                }
                Err(error) => push.stage = Stage::Failed(error),
            }
        }
        PushTold::Pushed { id, result } if is_wanted(id) => {
            push.under_way = None;
            let title = push.login.target.title();
            let (words, is_bad) = match &result {
                Ok(_) => (format!("The flow is in {title}, as a draft"), false),
                Err(error) => (format!("The push to {title} stopped: {}", error.message), true),
            };
            push.stage = match result {
                Ok(done) => Stage::Done(done),
                Err(error) => Stage::Failed(error),
            };
            if !is_open {
                app.tell(words, is_bad, now);
            }
        }
        PushTold::Kept(Ok(())) => return look(app, now),
        PushTold::Kept(Err(error)) => push.stage = Stage::Failed(error),
        PushTold::Looked { .. } | PushTold::Pushed { .. } => {}
    }
    Vec::new()
}

/// The user does not want what is under way; what was done so far is written down.
pub(in crate::app) fn give_up(app: &mut App) {
    if let Some(running) = app.files.push.as_ref().and_then(Push::running) {
        running.progress.cancel();
    }
}
