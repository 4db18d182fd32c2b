//! What the studio decides about engines, without one: told what an engine would say, asked what a hand would ask.

use std::path::{Path, PathBuf};

use super::*;
use crate::{
    app::{
        Answer, CommandId, Home, Request,
        files::{self, Choice, Dialog},
        fixture,
        pages::{self, PageKind},
    },
    audience::Contact,
    base::Instant,
    engine::status::{JourneyView, NodeStatus},
    flow::file,
};

/// An editor whose flow has a file in a workspace folder, and what it asked for.
fn opened() -> (App, Vec<Task>) {
    let mut app = App::new();
    let home = Home { folder: Some("/shop".into()), ..Home::clone(&fixture::home()) };
    let path = Some(PathBuf::from("/shop/watch-shop.flow.ron"));
    let loaded = Box::new(file::read(fixture::text()).expect("a flow"));
    let asked = fixture::run(&mut app, Command::Answer(Answer::Opened { path, loaded, home: Arc::new(home) }));
    (app, tasks(asked))
}

/// With the page open.
fn page() -> (App, Vec<Task>) {
    let (mut app, mut asked) = opened();
    asked.extend(tasks(fixture::run(&mut app, pages::Act::Show(Some(PageKind::Run)))));
    (app, asked)
}

fn tasks(requests: Vec<Request>) -> Vec<Task> {
    let task = |request| if let Request::Engine(task) = request { Some(*task) } else { None };
    requests.into_iter().filter_map(task).collect()
}

fn act(app: &mut App, act: Act) -> Vec<Task> {
    tasks(fixture::run(app, act))
}

fn tell(app: &mut App, told: Told) -> Vec<Task> {
    tasks(fixture::run(app, Command::Answer(Answer::Engine(Box::new(told)))))
}

fn data() -> PathBuf {
    Path::new("/shop").join(FOLDER)
}

/// The shown flow as an engine runs it, with two people at a step, one of them held.
fn status(version: &str) -> Status {
    let seen = NodeStatus {
        here: 2,
        held: 1,
        entered: 5,
        left: 3,
        per_minute: 4,
        sent: 3,
        not_sent: 1,
        ..NodeStatus::default()
    };
    let flow = FlowStatus {
        id: "watch-shop".into(),
        name: "Watch left in the cart".into(),
        version: version.into(),
        state: "live".into(),
        under_way: 2,
        entered: 5,
        nodes: [(NodeId::new("mail-1"), seen)].into(),
        ..FlowStatus::default()
    };
    Status { contacts: 5, flows: vec![flow], ..Status::default() }
}

fn running(app: &mut App, version: &str) -> Vec<Task> {
    let status = Box::new(status(version));
    tell(app, Told::Running { data: data(), address: "http://127.0.0.1:7171".into(), has_process: true, status })
}

/// The version on the screen.
fn own(app: &App) -> String {
    app.run.own.as_ref().expect("worked out").3.clone()
}

fn only_order(tasks: impl AsRef<[Task]>) -> (u64, Order) {
    match tasks.as_ref() {
        [Task::Ask { id, ask: Ask::Order(order), .. }] => (*id, Order::clone(order)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_folder_is_looked_at_while_anything_of_it_is_shown() {
    let (mut app, asked) = opened();
    assert!(matches!(&asked[..], [Task::Watch(Some(folder))] if *folder == data()), "whether one runs: {asked:?}");
    tell(&mut app, Told::Resting { data: data(), status: None });
    let asked = tasks(fixture::run(&mut app, pages::Act::Show(Some(PageKind::Run))));
    assert!(matches!(&asked[..], [Task::Watch(Some(folder))] if *folder == data()), "{asked:?}");
    // An engine that rests is not seen on the canvas, and not looked at.
    tell(&mut app, Told::Resting { data: data(), status: None });
    let asked = tasks(fixture::run(&mut app, pages::Act::Show(None)));
    assert!(matches!(asked[..], [Task::Watch(None)]), "{asked:?}");
    fixture::run(&mut app, pages::Act::Show(Some(PageKind::Run)));
    running(&mut app, "other");
    assert!(tasks(fixture::run(&mut app, pages::Act::Show(None))).is_empty(), "the canvas shows it");
    assert!(live(&app, fixture::document(&app)).is_some());
    let overlays = crate::app::Overlays { live: false, ..fixture::document(&app).view.overlays };
    let asked = tasks(fixture::run(&mut app, Command::SetOverlays(overlays)));
    assert!(matches!(asked[..], [Task::Watch(None)]), "{asked:?}");
    assert!(live(&app, fixture::document(&app)).is_none());
}

#[test]
fn what_another_folder_says_is_not_believed() {
    let (mut app, _) = page();
    let status = Box::new(status("x"));
    tell(&mut app, Told::Running { data: "/other".into(), address: String::new(), has_process: true, status });
    assert_eq!(app.run.standing, Standing::Unknown);
    assert!(app.run.status.is_none());
}

#[test]
fn an_engine_is_started_as_the_form_says() {
    let (mut app, _) = page();
    tell(&mut app, Told::Resting { data: data(), status: None });
    let form = Form {
        all_flows: true,
        mail: " smtp://shop@mail.example:587 ".into(),
        public: "https://mail.shop.example".into(),
        time_scale: "3600".into(),
        options: Options { watch: "/in".into(), calls: true, ..Options::default() },
        ..app.run.form.clone()
    };
    act(&mut app, Act::Form(form));
    let asked = act(&mut app, Act::Start);
    let [Task::Start(job)] = &asked[..] else { panic!("{asked:?}") };
    let expected = StartJob {
        data: data(),
        flow: "/shop".into(),
        mail: Some("smtp://shop@mail.example:587".into()),
        public: Some("https://mail.shop.example".into()),
        listen: LISTEN.into(),
        time_scale: 3600.0,
        options: Options { watch: "/in".into(), calls: true, ..Options::default() },
    };
    assert_eq!(*job, expected);
    assert_eq!(app.run.standing, Standing::Starting);
    assert!(act(&mut app, Act::Start).is_empty(), "once");
    // The next one is asked for like this one.
    assert_eq!(app.preferences.run_mail, "smtp://shop@mail.example:587");
    app.run.base = None;
    settle(&mut app);
    assert_eq!((&*app.run.form.mail, &*app.run.form.listen), ("smtp://shop@mail.example:587", LISTEN));
    assert_eq!(app.run.form.public, "https://mail.shop.example");
    assert_eq!(app.run.form.options.watch, "/in", "an engine is started again as it was");
    let other = app.preferences.options_of("/another");
    assert_eq!(other, Options::default(), "another one watches another folder");
    let refusal = Refusal::new("127.0.0.1:7171 cannot be used: Address in use", "Name another with --listen");
    tell(&mut app, Told::NotStarted { data: data(), refusal });
    assert_eq!(app.run.standing, Standing::Resting);
    assert!(app.run.fault.as_ref().is_some_and(|fault| fault.error.contains("cannot be used")));
    assert!(!app.run.has_started());
}

#[test]
fn a_form_that_cannot_be_used_says_why() {
    #[track_caller]
    fn check(form: Form, expected: &str) {
        let said = words::checked(&Form { data: "/d".into(), ..form });
        let said = said.map_or_else(|why| why, |scale| scale.to_string());
        assert!(said.contains(expected), "{said}");
    }
    check(Form::default(), "1");
    check(Form { time_scale: "2,5".into(), ..Form::default() }, "2.5");
    check(Form { time_scale: "0".into(), ..Form::default() }, "1 or more");
    check(Form { time_scale: "NaN".into(), ..Form::default() }, "1 or more");
    check(Form { listen: "7171".into(), ..Form::default() }, "address and port");
    check(Form { mail: "http://x".into(), ..Form::default() }, "smtp://");
    check(Form { mail: "smtp://me:secret@host".into(), ..Form::default() }, "FLOWLOOM_SMTP_PASSWORD");
    check(Form { mail: "smtp://me@host".into(), ..Form::default() }, "1");
    check(Form { listen: "0.0.0.0:7171".into(), ..Form::default() }, "a file with the secret");
    assert!(words::checked(&Form::default()).is_err_and(|why| why.contains("folder")));
}

#[test]
fn a_flow_with_errors_is_not_run_and_leads_to_its_problems() {
    let (mut app, _) = page();
    tell(&mut app, Told::Resting { data: data(), status: None });
    let edits = vec![crate::flow::Edit::RemoveMessage("mail-1".into())];
    let document = app.document_mut().expect("open");
    if document.edit("Break it", &edits, None).is_err() {
        document.edit("Break it", &[crate::flow::Edit::RemoveNode("start".into())], None).expect("broken");
    }
    // Unsaved work is told first.
    act(&mut app, Act::Start);
    assert!(app.run.fault.as_ref().is_some_and(|fault| fault.error.starts_with("Save the changes first")));
    let (path, revision) = ("/shop/watch-shop.flow.ron".into(), fixture::document(&app).history.revision());
    let document = fixture::document(&app).id;
    fixture::run(&mut app, Command::Answer(Answer::Saved { document, path, revision }));
    assert!(act(&mut app, Act::Start).is_empty());
    let fault = app.run.fault.clone().expect("a fault");
    assert!(fault.is_of_flow && fault.error.contains("error"), "{fault:?}");
    act(&mut app, Act::ShowProblems);
    let view = &fixture::document(&app).view;
    assert_eq!((view.page, view.panel), (None, Some(crate::app::Panel::Problems)));
}

#[test]
fn another_version_is_seen_and_published() {
    let (mut app, _) = page();
    running(&mut app, "another");
    assert_eq!(app.run.differs(fixture::document(&app)), Some(true));
    let version = own(&app);
    assert_eq!(version.len(), 32, "{version}");
    assert!(act(&mut app, Act::Ask(Question::Publish)).is_empty(), "it asks first");
    let (id, order) = only_order(act(&mut app, Act::Confirm));
    let Order::Publish { flow, workspace } = order else { panic!("{order:?}") };
    let hash = crate::journey::FlowSet::new(&workspace, &[]).remember(&workspace, &flow);
    assert_eq!(hash.to_string(), version, "what is published is what is on the screen");
    assert!(app.run.is_ordering);
    tell(&mut app, Told::Answered { data: data(), id, answer: Answered::Order(Ok("live in version x".into())) });
    assert_eq!(app.run.said.as_deref(), Some("live in version x"));
    assert!(!app.run.is_ordering);
    running(&mut app, &version);
    assert_eq!(app.run.differs(fixture::document(&app)), Some(false));
}

#[test]
fn what_matters_is_asked_about() {
    let (mut app, _) = page();
    running(&mut app, "x");
    act(&mut app, Act::Ask(Question::Pause { freeze: false }));
    act(&mut app, Act::Ask(Question::Pause { freeze: true }));
    let (_, order) = only_order(act(&mut app, Act::Confirm));
    assert_eq!(order, Order::Pause { flow: "watch-shop".into(), freeze: true });
    act(&mut app, Act::Ask(Question::Drain));
    act(&mut app, Act::Cancel);
    assert!(act(&mut app, Act::Confirm).is_empty(), "nothing is asked about");
    // Where to is chosen first.
    let move_to = |to| Question::Move { contact: "ada".into(), journey: "j/1".into(), to };
    act(&mut app, Act::Ask(move_to(None)));
    assert!(act(&mut app, Act::Confirm).is_empty());
    act(&mut app, Act::Ask(move_to(Some("mail-2".into()))));
    let (_, order) = only_order(act(&mut app, Act::Confirm));
    assert_eq!(order, Order::Move { contact: "ada".into(), journey: "j/1".into(), node: "mail-2".into() });
    let key = "ada/watch-shop/1/mail-1/1".to_owned();
    act(&mut app, Act::Ask(Question::Resend { contact: "ada".into(), key: key.clone() }));
    let (_, order) = only_order(act(&mut app, Act::Confirm));
    assert!(matches!(order, Order::Retry { resend: true, .. }));
    act(&mut app, Act::Ask(Question::MarkSent { contact: "ada".into(), key: key.clone() }));
    let (_, order) = only_order(act(&mut app, Act::Confirm));
    assert_eq!(order, Order::MarkSent { key: crate::base::SendKey::parse(&key).expect("a key") });
    act(&mut app, Act::Ask(Question::Forget { contact: "ada".into() }));
    let (_, order) = only_order(act(&mut app, Act::Confirm));
    assert_eq!(order, Order::Forget { contact: "ada".into() });
    let (_, order) = only_order(act(&mut app, Act::Retry(key)));
    assert!(matches!(order, Order::Retry { resend: false, .. }), "what is held needs no question");
}

#[test]
fn resuming_shows_first_what_is_overdue() {
    let (mut app, _) = page();
    running(&mut app, "x");
    let asked = act(&mut app, Act::Ask(Question::Resume { held: None }));
    let [Task::Ask { id, ask: Ask::HeldOf(flow), .. }] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(flow.as_str(), "watch-shop", "the oldest of all flows may all be another's");
    let row = |flow: &str| HeldRow {
        contact: "ada".into(),
        flow: flow.into(),
        node: "mail-1".into(),
        what: "held".into(),
        key: "k/mail-1/1".into(),
        reason: crate::kinds::runtime::Reason::Paused,
        detail: String::new(),
        since: Instant::from_millis(0),
    };
    let other = Answered::HeldOf("another".into(), Ok(vec![row("another"), row("another")]));
    tell(&mut app, Told::Answered { data: data(), id: *id, answer: other });
    assert!(matches!(app.run.question, Some(Question::Resume { held: None })), "of a flow that was shown before");
    let answer = Answered::HeldOf("watch-shop".into(), Ok(vec![row("watch-shop")]));
    tell(&mut app, Told::Answered { data: data(), id: *id, answer });
    let Some(Question::Resume { held: Some(Ok(rows)) }) = &app.run.question else { panic!("{:?}", app.run.question) };
    assert_eq!(rows.len(), 1, "those of this flow");
    let (_, order) = only_order(act(&mut app, Act::Confirm));
    assert_eq!(order, Order::Resume { flow: "watch-shop".into() });
}

#[test]
fn moving_to_a_version_shows_who_goes_where() {
    let (mut app, _) = page();
    running(&mut app, "x");
    let ask = |mapping: &[(&str, &str)]| {
        let mapping = mapping.iter().map(|(from, to)| (NodeId::new(*from), NodeId::new(*to))).collect();
        Act::Ask(Question::Migrate { mapping, plan: None })
    };
    let first = act(&mut app, ask(&[]));
    let second = act(&mut app, ask(&[("gone", "mail-2")]));
    let id = |tasks: &[Task]| match tasks {
        [Task::Ask { id, ask: Ask::Plan { .. }, .. }] => *id,
        other => panic!("{other:?}"),
    };
    let plan: Plan = vec![("gone".into(), Some("mail-2".into()), 7)];
    let told = |id, plan| Told::Answered { data: data(), id, answer: Answered::Plan(Ok(plan)) };
    tell(&mut app, told(id(&second), plan.clone()));
    tell(&mut app, told(id(&first), Vec::new()));
    let Some(Question::Migrate { plan: Some(Ok(shown)), .. }) = &app.run.question else { panic!() };
    assert_eq!(*shown, plan, "an older answer comes too late");
    let (_, order) = only_order(act(&mut app, Act::Confirm));
    assert_eq!(order, Order::Migrate { flow: "watch-shop".into(), mapping: vec![("gone".into(), "mail-2".into())] });
}

#[test]
fn people_are_found_as_one_types() {
    let (mut app, _) = page();
    running(&mut app, "x");
    let first = act(&mut app, Act::Search("a".into()));
    let second = act(&mut app, Act::Search("ad".into()));
    let id = |tasks: &[Task]| match tasks {
        [Task::Ask { id, ask: Ask::Search(_), .. }] => *id,
        other => panic!("{other:?}"),
    };
    let found = |name: &str| Answered::Search(Ok(vec![Found { id: name.into(), email: None }]));
    tell(&mut app, Told::Answered { data: data(), id: id(&second), answer: found("ada") });
    tell(&mut app, Told::Answered { data: data(), id: id(&first), answer: found("an") });
    let Some(Ok(rows)) = &app.run.people.found else { panic!() };
    assert_eq!(rows[0].id.as_str(), "ada", "an older answer comes too late");
    let asked = act(&mut app, Act::Contact(Some("ada".into())));
    let [Task::Ask { id, ask: Ask::Contact(_), .. }] = &asked[..] else { panic!("{asked:?}") };
    let view = ContactView {
        schema: "flowloom/contact/1".into(),
        contact: Contact::new("ada"),
        suppressed: false,
        bounced: false,
        journeys: Vec::<JourneyView>::new(),
        sends: Vec::new(),
        trace: Vec::new(),
        audit: Vec::new(),
        next_wake: None,
    };
    tell(&mut app, Told::Answered { data: data(), id: *id, answer: Answered::Contact(Ok(Some(Box::new(view)))) });
    assert!(matches!(&app.run.people.view, Some(Ok(view)) if view.contact.id.as_str() == "ada"));
    // What is looked at is kept fresh.
    assert!(matches!(&running(&mut app, "x")[..], [Task::Ask { ask: Ask::Contact(_), .. }]));
    assert!(running(&mut app, "x").is_empty(), "one question at a time");
}

#[test]
fn a_sent_mail_is_opened() {
    let (mut app, _) = page();
    running(&mut app, "x");
    act(&mut app, Act::Contact(Some("ada".into())));
    let key = "ada/watch-shop/1/mail-1/1".to_owned();
    act(&mut app, Act::Mail(Some(key.clone())));
    let mail = b"From: Shop <shop@example.com>\r\nTo: ada@example.com\r\nSubject: Still yours\r\nMIME-Version: 1.0\r\n\
                 Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n\
                 --b\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n--b--\r\n";
    let answer = Answered::Mail(key.clone(), Ok(Some(mail.to_vec())));
    tell(&mut app, Told::Answered { data: data(), id: 0, answer });
    let sent = Arc::clone(app.run.shown_mail().expect("opened"));
    assert_eq!((sent.made.mail.subject.as_str(), sent.from.as_str()), ("Still yours", "Shop <shop@example.com>"));
    assert_eq!((sent.made.mail.text.trim(), sent.made.mail.html.trim()), ("Hello", "<p>Hello</p>"));
    let document = fixture::document(&app);
    let drawn = document.derived.pictures.get(&sent.picture_key(document).expect("a picture"));
    assert!(drawn.is_some(), "its picture was asked for");
    let plain = SentMail::open(b"Subject: x\r\n\r\nOnly text\r\n").expect("a mail");
    assert_eq!((plain.made.mail.html.as_str(), plain.made.mail.text.trim()), ("", "Only text"));
    assert!(plain.picture_key(document).is_none());
    tell(&mut app, Told::Answered { data: data(), id: 0, answer: Answered::Mail(key, Ok(None)) });
    assert!(app.run.shown_mail().is_none());
}

#[test]
fn an_engine_that_ends_by_itself_says_so() {
    let (mut app, _) = page();
    tell(&mut app, Told::Resting { data: data(), status: None });
    act(&mut app, Act::Start);
    running(&mut app, "x");
    tell(&mut app, Told::Ended { data: data(), fault: Some("signal: 9 (SIGKILL).".into()) });
    assert_eq!(app.run.standing, Standing::Resting);
    assert!(app.run.fault.as_ref().is_some_and(|fault| fault.error.contains("SIGKILL")));
}

#[test]
fn closing_the_window_asks_whether_the_engine_goes_on() {
    let start = || {
        let (mut app, _) = page();
        tell(&mut app, Told::Resting { data: data(), status: None });
        act(&mut app, Act::Start);
        running(&mut app, "x");
        let asked = fixture::run(&mut app, CommandId::Quit);
        assert!(!asked.iter().any(|request| matches!(request, Request::Quit)), "it asks");
        assert!(matches!(app.files.dialogs[..], [Dialog::EngineRuns]));
        app
    };
    let choose = |choice| Command::Files(files::Act::Choose(choice));
    let quits = |requests: &[Request]| requests.iter().any(|request| matches!(request, Request::Quit));
    let mut app = start();
    assert!(quits(&fixture::run(&mut app, choose(Choice::Discard))), "it goes on without the window");
    let mut app = start();
    assert!(!quits(&fixture::run(&mut app, choose(Choice::Cancel))) && !app.files.leaving);
    let mut app = start();
    let asked = fixture::run(&mut app, choose(Choice::StopEngine));
    assert!(!quits(&asked) && matches!(&tasks(asked)[..], [Task::Stop(folder)] if *folder == data()));
    let asked =
        fixture::run(&mut app, Command::Answer(Answer::Engine(Box::new(Told::Ended { data: data(), fault: None }))));
    assert!(quits(&asked), "once it has ended");
}

#[test]
fn a_card_says_what_came_of_it() {
    let manner = &fixture::home().manner;
    let seen = NodeStatus {
        here: 2,
        held: 1,
        entered: 1_240,
        left: 3,
        per_minute: 4,
        sent: 3,
        not_sent: 1,
        ..NodeStatus::default()
    };
    assert_eq!(words::card(manner, "email", &seen), "1,240 came \u{b7} 4 a minute \u{b7} 3 sent \u{b7} 1 not sent");
    assert_eq!(words::card(manner, "note", &seen), "");
    assert_eq!(words::heard(manner, &seen), "2 here, 1 held");
    let seen = NodeStatus { held_sends: 30, unknown_sends: 1, ..NodeStatus::default() };
    assert_eq!(words::heard(manner, &seen), "0 here, 30 messages held, 1 message of which nobody knows");
}

/// What is held at its hand-over waits for somebody as well.
#[test]
fn all_that_waits_for_somebody_is_counted() {
    let outbox = [("held", 30), ("unknown", 2), ("due", 5)].map(|(name, n)| (name.into(), n)).into();
    assert_eq!(words::held(&Status { outbox, damaged: 1, ..status("v") }), 34);
}

#[test]
fn a_decision_is_read_in_local_time_with_titles() {
    let (app, _) = page();
    let document = fixture::document(&app);
    let check = |line: &str, at: &str, what: &str| {
        assert_eq!(words::decision(document, line), (at.to_owned(), what.to_owned()));
    };
    check(
        "2026-11-27T15:16:04.185Z  ada/watch-shop/1  wait-4h  waits until 2026-11-27T19:16:04.185Z",
        "Fri 27 Nov 16:16",
        "Four hours after entry: waits until Fri 27 Nov 20:16",
    );
    check("2026-11-27T15:16:04.185Z  event Checkout Expired", "Fri 27 Nov 16:16", "event Checkout Expired");
    check("no time at all", "no time at all", "");
}

/// Whoever has no event yet copies one: of what the flow waits for, to where the engine listens.
#[test]
fn the_first_event_is_shown_as_it_is_posted() {
    let (mut app, _) = page();
    running(&mut app, "v");
    let copied = fixture::run(&mut app, Act::CopyExample);
    let [Request::CopyText(line)] = copied.as_slice() else { panic!("{copied:?}") };
    let (head, rest) = line.split_once(" -d '").expect("a body");
    let (body, to) = rest.split_once("' ").expect("an address");
    assert_eq!((head, to), ("curl -H 'Content-Type: application/json'", "http://127.0.0.1:7171/v1/events"));
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let document = app.document().expect("open");
    let metrics = crate::app::stage::metrics(document.flow(), &document.home.workspace, None);
    assert_eq!(body["name"].as_str(), metrics.first().map(|metric| metric.as_str()));
    assert!(body["contact"].as_str().is_some_and(|contact| !contact.is_empty()));
}
