//! What the page asks for, what comes back, and what follows from both.

use std::{path::Path, sync::Arc};

use super::{
    super::{App, DocumentId, Home, Panel, Request, document::Document, pages::PageKind},
    Answered, Ask, Fault, Form, LISTEN, MOST_LINES, Part, Question, Run, SentMail, Standing, StartJob, Task, Told,
    can_start, errors, folder_of, is_shown, words,
};
use crate::{
    base::{ContactId, FlowId, Instant, SendKey},
    engine::work::Order,
    flow::{Workspace, file},
    journey::FlowSet,
};

/// What the page asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// The form is this.
    Form(Form),
    /// Start an engine.
    Start,
    /// Show a part of the page.
    Show(Part),
    /// Look for contacts.
    Search(String),
    /// Look at a contact, or at none.
    Contact(Option<ContactId>),
    /// Look at a mail of theirs by its key, or at none.
    Mail(Option<String>),
    /// Ask before something is done, or ask with other choices.
    Ask(Question),
    /// Do what is asked about.
    Confirm,
    /// Leave everything as it is.
    Cancel,
    /// Try what is held again, by its key.
    Retry(String),
    /// Speak no more of what went wrong.
    Dismiss,
    /// Copy how an event is posted.
    CopyExample,
    /// Show what the checks found.
    ShowProblems,
}

fn engine(task: Task) -> Request {
    Request::Engine(Box::new(task))
}

/// Does it; called by [`App::apply`] alone.
pub fn apply(app: &mut App, act: Act, now: Instant) -> Vec<Request> {
    match act {
        Act::Form(form) => app.run.form = form,
        Act::Start => return start(app),
        Act::Show(part) => {
            app.run.part = part;
            if part == Part::Held {
                return ask_held(&mut app.run);
            }
            if part == Part::People && app.run.people.found.is_none() {
                return search(&mut app.run, String::new());
            }
        }
        Act::Search(text) => return search(&mut app.run, text),
        Act::Contact(id) => {
            let people = &mut app.run.people;
            (people.view, people.mail) = (None, None);
            people.chosen = id;
            app.run.asks_contact = false;
            app.run.part = Part::People;
            return ask_contact(&mut app.run);
        }
        Act::Mail(None) => app.run.people.mail = None,
        Act::Mail(Some(key)) => {
            app.run.people.mail = Some((key.clone(), None));
            return ask(&mut app.run, Ask::Mail(key));
        }
        Act::Ask(question) => return ask_about(app, question),
        Act::Confirm => return confirm(app, now),
        Act::Cancel => app.run.question = None,
        Act::Retry(key) => return of_send(&mut app.run, &key, |key| Order::Retry { key, resend: false }),
        Act::Dismiss => (app.run.fault, app.run.said) = (None, None),
        Act::CopyExample => {
            let line = app.document().and_then(|document| words::example(document, &app.run.address));
            return line.map(Request::CopyText).into_iter().collect();
        }
        Act::ShowProblems => {
            app.run.fault = None;
            if let Some(document) = app.document_mut() {
                document.view.page = None;
                document.view.panel = Some(Panel::Problems);
            }
        }
    }
    Vec::new()
}

/// Asks the engine that is looked at.
fn ask(run: &mut Run, ask: Ask) -> Vec<Request> {
    let Some(data) = run.data() else { return Vec::new() };
    run.num_asked += 1;
    vec![engine(Task::Ask { data, id: run.num_asked, ask })]
}

fn ask_held(run: &mut Run) -> Vec<Request> {
    if std::mem::replace(&mut run.asks_held, true) { Vec::new() } else { ask(run, Ask::Held) }
}

fn ask_contact(run: &mut Run) -> Vec<Request> {
    let Some(id) = run.people.chosen.clone() else { return Vec::new() };
    if std::mem::replace(&mut run.asks_contact, true) { Vec::new() } else { ask(run, Ask::Contact(id)) }
}

fn search(run: &mut Run, text: String) -> Vec<Request> {
    run.people.typed = text;
    let requests = ask(run, Ask::Search(run.people.typed.trim().to_owned()));
    run.search_id = run.num_asked;
    requests
}

fn order(run: &mut Run, order: Order) -> Vec<Request> {
    run.is_ordering = true;
    (run.fault, run.said) = (None, None);
    ask(run, Ask::Order(Box::new(order)))
}

/// An order about a send.
fn of_send(run: &mut Run, key: &str, what: impl FnOnce(SendKey) -> Order) -> Vec<Request> {
    match SendKey::parse(key) {
        Some(key) => order(run, what(key)),
        None => {
            let error = format!("`{key}` is no key of a message");
            let hint = "Try it from a terminal: flowloom held shows the keys".to_owned();
            run.fault = Some(Fault { error, hint, is_of_flow: false });
            Vec::new()
        }
    }
}

/// A flow with errors is not run: its problems are the way out.
fn of_flow(document: &Document) -> Option<Fault> {
    let errors = errors(document).filter(|errors| *errors > 0)?;
    let count = words::count(&document.home.manner, errors as u64, "error", "errors");
    Some(Fault {
        error: format!("{} has {count}", document.title()),
        hint: "Mend the flow first; its problems say how".to_owned(),
        is_of_flow: true,
    })
}

fn start(app: &mut App) -> Vec<Request> {
    if matches!(app.run.standing, Standing::Starting | Standing::Running | Standing::Stopping) {
        return Vec::new();
    }
    let Some(document) = app.document() else { return Vec::new() };
    let ready = can_start(document).map_err(|why| Fault {
        error: why.to_owned(),
        hint: "Ctrl+S saves it".to_owned(),
        is_of_flow: false,
    });
    let scale = words::checked(&app.run.form);
    let scale = scale.map_err(|error| Fault { error, hint: String::new(), is_of_flow: false });
    let checked = ready.and(scale).and_then(|scale| of_flow(document).map_or(Ok(scale), Err));
    let (scale, path) = match (checked, document.path.clone()) {
        (Ok(scale), Some(path)) => (scale, path),
        (Ok(_), None) => return Vec::new(),
        (Err(fault), _) => {
            app.run.fault = Some(fault);
            return Vec::new();
        }
    };
    let whole = document.home.folder.clone().filter(|_| app.run.form.all_flows);
    let run = &mut app.run;
    let Some(data) = run.data() else { return Vec::new() };
    (run.standing, run.fault, run.said) = (Standing::Starting, None, None);
    run.started.insert(data.clone());
    let mail = run.form.mail.trim();
    let public = run.form.public.trim();
    app.preferences.run_mail = mail.to_owned();
    app.preferences.run_public = public.to_owned();
    app.preferences.run_listen = run.form.listen.trim().to_owned();
    app.preferences.remember_options(&run.form.data, &run.form.options);
    vec![engine(Task::Start(StartJob {
        data,
        flow: whole.unwrap_or(path),
        mail: (!mail.is_empty()).then(|| mail.to_owned()),
        public: (!public.is_empty()).then(|| public.to_owned()),
        listen: run.form.listen.trim().to_owned(),
        time_scale: scale,
        options: run.form.options.clone(),
    }))]
}

fn flow_id(app: &App) -> Option<FlowId> {
    app.document().map(|document| document.flow().id.clone())
}

fn ask_about(app: &mut App, question: Question) -> Vec<Request> {
    let mut requests = Vec::new();
    let before = app.run.question.take();
    let question = match question {
        Question::Publish => {
            let fault = app.document().and_then(of_flow);
            if fault.is_some() {
                app.run.fault = fault;
                return Vec::new();
            }
            Question::Publish
        }
        Question::Resume { .. } => {
            let Some(flow) = flow_id(app) else { return Vec::new() };
            requests = ask(&mut app.run, Ask::HeldOf(flow));
            Question::Resume { held: None }
        }
        Question::Migrate { mapping, .. } => {
            // What was known stays in sight while the new plan is made.
            let known = match before {
                Some(Question::Migrate { plan, .. }) => plan,
                _ => None,
            };
            let Some(flow) = flow_id(app) else { return Vec::new() };
            let pairs = mapping.iter().map(|(from, to)| (from.clone(), to.clone())).collect();
            requests = ask(&mut app.run, Ask::Plan { flow, mapping: pairs });
            app.run.plan_id = app.run.num_asked;
            Question::Migrate { mapping, plan: known }
        }
        other => other,
    };
    app.run.question = Some(question);
    requests
}

/// The workspace as its file says: what the user's settings fill in for the window is none of the engine's business.
fn as_written(home: &Home) -> Workspace {
    file::read_workspace(&home.source).map_or_else(|_| home.workspace.clone(), |(workspace, _)| workspace)
}

fn confirm(app: &mut App, now: Instant) -> Vec<Request> {
    let Some(question) = app.run.question.take() else { return Vec::new() };
    let Some(document) = app.document() else { return Vec::new() };
    let flow = document.flow().id.clone();
    let what = match question {
        Question::Publish => {
            let workspace = Box::new(as_written(&document.home));
            Order::Publish { flow: Box::new(document.flow().clone()), workspace }
        }
        Question::Pause { freeze } => Order::Pause { flow, freeze },
        Question::Resume { .. } => Order::Resume { flow },
        Question::Drain => Order::Drain { flow },
        Question::Migrate { mapping, .. } => Order::Migrate { flow, mapping: mapping.into_iter().collect() },
        Question::Move { contact, journey, to: Some(node) } => Order::Move { contact, journey, node },
        Question::Move { to: None, .. } => {
            app.tell("Choose a step to move to", true, now);
            app.run.question = Some(question);
            return Vec::new();
        }
        Question::End { contact, journey } => Order::End { contact, journey },
        Question::Resend { key, .. } => {
            return of_send(&mut app.run, &key, |key| Order::Retry { key, resend: true });
        }
        Question::MarkSent { key, .. } => return of_send(&mut app.run, &key, |key| Order::MarkSent { key }),
        Question::Forget { contact } => Order::Forget { contact },
        Question::Stop => {
            let Some(data) = app.run.data() else { return Vec::new() };
            (app.run.standing, app.run.fault, app.run.said) = (Standing::Stopping, None, None);
            return vec![engine(Task::Stop(data))];
        }
    };
    order(&mut app.run, what)
}

/// Takes what came back.
pub fn take(app: &mut App, told: Told, now: Instant) -> Vec<Request> {
    let of_data = |run: &Run, data: &Path| run.data().as_deref() == Some(data);
    match told {
        Told::Running { data, address, has_process, status } => {
            if !of_data(&app.run, &data) {
                return Vec::new();
            }
            let run = &mut app.run;
            // One that was told to stop answers for as long as it finishes what it has.
            if run.standing != Standing::Stopping {
                run.standing = Standing::Running;
            }
            (run.address, run.can_stop) = (address, has_process);
            run.status = Some(Arc::new(*status));
            let mut requests = Vec::new();
            if run.part == Part::Held {
                requests.extend(ask_held(run));
            }
            if run.part == Part::People {
                requests.extend(ask_contact(run));
            }
            return requests;
        }
        Told::Resting { data, status } if of_data(&app.run, &data) => {
            let run = &mut app.run;
            if run.standing != Standing::Starting {
                run.standing = Standing::Resting;
            }
            run.status = status.map(|status| Arc::new(*status));
            run.address.clear();
            if matches!(run.question, Some(Question::Stop)) {
                run.question = None;
            }
        }
        Told::Log { data, lines } if of_data(&app.run, &data) => {
            app.run.log.extend(lines);
            let too_many = app.run.log.len().saturating_sub(MOST_LINES);
            app.run.log.drain(..too_many);
        }
        Told::NotStarted { data, refusal } => {
            app.run.started.remove(&data);
            if of_data(&app.run, &data) {
                (app.run.standing, app.run.fault) = (Standing::Resting, Some(refusal.into()));
            } else {
                app.tell(format!("The engine did not start: {}", refusal.error), true, now);
            }
            return closes(app);
        }
        Told::Ended { data, fault } => return ended(app, &data, fault, now),
        Told::NotStopped { data, refusal } => {
            app.run.closing = false;
            app.tell(refusal.error.clone(), true, now);
            if of_data(&app.run, &data) {
                (app.run.standing, app.run.fault) = (Standing::Running, Some(refusal.into()));
            }
        }
        Told::Answered { data, id, answer } if of_data(&app.run, &data) => return answered(app, id, answer, now),
        Told::Resting { .. } | Told::Log { .. } | Told::Answered { .. } => {}
    }
    Vec::new()
}

/// An engine that was started here has ended.
fn ended(app: &mut App, data: &Path, fault: Option<String>, now: Instant) -> Vec<Request> {
    app.run.started.remove(data);
    let is_shown = app.run.data().as_deref() == Some(data);
    if is_shown && app.run.standing != Standing::Unknown {
        app.run.standing = Standing::Resting;
    }
    match fault {
        Some(said) if is_shown => {
            let hint = "What it had acknowledged is there; start it again".to_owned();
            let error = format!("The engine ended by itself. {said}");
            app.run.fault = Some(Fault { error: error.trim_end().to_owned(), hint, is_of_flow: false });
        }
        Some(said) => app.tell(format!("An engine ended by itself. {said}"), true, now),
        None => {}
    }
    closes(app)
}

/// The window closes with the last engine that it waited for.
fn closes(app: &mut App) -> Vec<Request> {
    if !app.run.closing || !app.run.started.is_empty() {
        return Vec::new();
    }
    app.run.closing = false;
    app.files.leaving = true;
    vec![Request::Quit]
}

fn answered(app: &mut App, id: u64, answer: Answered, now: Instant) -> Vec<Request> {
    let run = &mut app.run;
    match answer {
        Answered::Order(done) => {
            run.is_ordering = false;
            match done {
                Ok(said) => {
                    run.said = Some(said.clone());
                    // Whoever looks at the canvas sees no page.
                    if app.document().is_some_and(|document| document.view.page != Some(PageKind::Run)) {
                        app.tell(said, false, now);
                    }
                }
                Err(refusal) => {
                    let is_on_page = app.document().is_some_and(|d| d.view.page == Some(PageKind::Run));
                    if !is_on_page {
                        app.tell(format!("{}. {}", refusal.error, refusal.hint), true, now);
                    }
                    app.run.fault = Some(refusal.into());
                }
            }
            let run = &mut app.run;
            (run.asks_held, run.asks_contact) = (false, false);
            let mut requests = ask_contact(run);
            if run.held.is_some() {
                requests.extend(ask_held(run));
            }
            return requests;
        }
        Answered::Search(found) if id == run.search_id => run.people.found = Some(found),
        Answered::Contact(view) => {
            run.asks_contact = false;
            let chosen = run.people.chosen.clone();
            run.people.view = match view {
                Ok(Some(view)) if Some(&view.contact.id) == chosen.as_ref() => Some(Ok(view)),
                // Of somebody who was looked at before.
                Ok(Some(_)) => return Vec::new(),
                Ok(None) => Some(Err(crate::engine::work::Refusal::new(
                    "The engine does not know this contact any more",
                    "Search for somebody else",
                ))),
                Err(refusal) => Some(Err(refusal)),
            };
        }
        Answered::Mail(key, bytes) => {
            let is_wanted = run.people.mail.as_ref().is_some_and(|(wanted, _)| *wanted == key);
            if is_wanted {
                let opened = match bytes {
                    Ok(Some(bytes)) => SentMail::open(&bytes).map(Arc::new),
                    Ok(None) => Err("The mail is not kept any more".to_owned()),
                    Err(refusal) => Err(format!("{}. {}", refusal.error, refusal.hint)),
                };
                run.people.mail = Some((key, Some(opened)));
            }
        }
        Answered::Held(rows) => {
            run.asks_held = false;
            run.held = Some(rows);
        }
        Answered::HeldOf(flow, rows) => {
            let is_shown = flow_id(app) == Some(flow);
            if let Some(Question::Resume { held }) = app.run.question.as_mut().filter(|_| is_shown) {
                *held = Some(rows);
            }
        }
        Answered::Plan(made) if id == run.plan_id => {
            if let Some(Question::Migrate { plan, .. }) = &mut run.question {
                *plan = Some(made);
            }
        }
        Answered::Search(_) | Answered::Plan(_) => {}
    }
    Vec::new()
}

/// After every command: the folder of the shown flow is the one that is looked at, for as long as anything of it is
/// shown.
pub fn settle(app: &mut App) -> Vec<Request> {
    let shown = app.document().map(|document| (folder_of(document), is_shown(document, app.run.standing)));
    let (base, is_shown) = shown.unwrap_or((None, false));
    // In the gallery the engine that was looked at stays known.
    if app.document().is_some() && base != app.run.base {
        let kept = std::mem::take(&mut app.run);
        let data = base.as_ref().map(|base| base.display().to_string()).unwrap_or_default();
        // Most people start every engine the same way.
        let preferences = &app.preferences;
        let (mail, public) = (preferences.run_mail.clone(), preferences.run_public.clone());
        let listen = preferences.run_listen.clone();
        let listen = if listen.is_empty() { LISTEN.to_owned() } else { listen };
        app.run = Run {
            form: Form { options: preferences.options_of(&data), data, mail, public, listen, ..Form::default() },
            base,
            watched: kept.watched,
            started: kept.started,
            closing: kept.closing,
            num_asked: kept.num_asked,
            ..Run::default()
        };
    }
    let wanted = app.run.data().filter(|_| is_shown);
    let mut requests = Vec::new();
    if wanted != app.run.watched {
        let run = &mut app.run;
        if wanted.is_some() && run.watched.is_some() {
            // Another folder: nothing of the old one is true of it.
            (run.standing, run.status, run.held) = (Standing::Unknown, None, None);
            run.people = super::People::default();
        }
        // Its tail comes again with every look that begins.
        run.log.clear();
        (run.asks_held, run.asks_contact) = (false, false);
        run.watched.clone_from(&wanted);
        requests.push(engine(Task::Watch(wanted)));
    }
    note_own(app);
    requests
}

/// Works out the name of the version on the screen, where an engine runs to compare it with.
fn note_own(app: &mut App) {
    if app.run.watched.is_none() || app.run.status.is_none() {
        return;
    }
    let Some(document) = app.document() else { return };
    let (id, revision, home): (DocumentId, u64, &Arc<Home>) =
        (document.id, document.history.revision(), &document.home);
    let is_known = app
        .run
        .own
        .as_ref()
        .is_some_and(|(of, at, around, _)| (*of, *at) == (id, revision) && around.ptr_eq(&Arc::downgrade(home)));
    if is_known {
        return;
    }
    let workspace = as_written(home);
    let hash = FlowSet::new(&workspace, &[]).remember(&workspace, document.flow());
    app.run.own = Some((id, revision, Arc::downgrade(home), hash.to_string()));
}

/// Whether engines that were started here are to be asked about before the window closes, and what ends them.
///
/// With `stop`, they are told to end, and the window closes once they have.
pub fn quits(app: &mut App, stop: bool) -> Vec<Request> {
    if !stop {
        app.run.started.clear();
        return Vec::new();
    }
    app.run.closing = true;
    app.run.standing = Standing::Stopping;
    app.run.started.iter().map(|data| engine(Task::Stop(data.clone()))).collect()
}
