//! What keeps an engine from starting, and what a start makes of what the one before left.

use super::*;
use crate::{
    audience::{ConsentStatus, Contact, Properties},
    engine::{
        client::{Client, Line},
        store::Carried,
        work::{Begin, History, NewContact, NewEvent, Standing},
    },
    flow::file,
    kinds::runtime::Change,
};

const FLOW: &str = r#"(version: 2, id: "demo", name: "Demo", nodes: [
    (id: "start", kind: "trigger", settings: (any: [event(event: "Started Checkout")])),
    (id: "mail", kind: "email", settings: (message: "m")),
], edges: [(from: "start", to: "mail")], messages: [(id: "m", subject: "Hello", body: html("Hello"))])"#;

fn flow() -> Flow {
    file::read(FLOW).expect("reads").flow
}

/// Whoever cannot listen makes nothing live, holds nothing, and leaves the folder to the next.
#[test]
fn an_engine_that_cannot_listen_changes_nothing() {
    let data = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("listens");
    let settings = Settings { listen: taken.local_addr().expect("an address"), ..Settings::new(data.path()) };
    let error = Engine::start(settings, vec![flow()], &Workspace::default()).expect_err("the port is taken");
    assert!(error.hint.contains("Another program"), "{error:?}");
    let watched = data.path().join("a file");
    fs::write(&watched, "").expect("writes");
    let settings = Settings { watch: Some(watched), ..Settings::new(data.path()) };
    let error = Engine::start(settings, vec![flow()], &Workspace::default()).expect_err("it is no folder");
    assert!(error.hint.contains("--watch"), "{error:?}");
    let settings = Settings { public: Some("mail.shop.example".to_owned()), ..Settings::new(data.path()) };
    let error = Engine::start(settings, vec![flow()], &Workspace::default()).expect_err("it is no address");
    assert!(error.hint.contains("--public-url"), "{error:?}");
    let driver = Driver::open(data.path()).expect("nobody holds the folder");
    assert_eq!(driver.flows().live().count(), 0);
    assert!(!data.path().join("engine.json").exists());
}

/// Somebody who tries it with a mail server on this machine is told where the links of the mails lead.
#[test]
fn links_to_this_machine_are_spoken_of() {
    let data = tempfile::tempdir().expect("a folder");
    let ways = ways::Settings { mail: "smtp://127.0.0.1:1".into(), ..Default::default() };
    let settings = Settings { ways, ..Settings::new(data.path()) };
    let (engine, said) = Engine::start(settings, vec![flow()], &Workspace::default()).expect("starts");
    engine.stop().expect("stops");
    assert!(said.iter().any(|line| line.starts_with("warning: links in mails lead to http://127.0.0.1:")), "{said:?}");
}

/// A crash in the middle of a hand-over into a folder, and a start with mails into this one: how many are unknown, and
/// where the send stands.
fn after_a_crash(next: &str) -> (bool, Standing) {
    let data = tempfile::tempdir().expect("a folder");
    let to = |name: &str| ways::Settings { mail: data.path().join(name).display().to_string(), ..Default::default() };
    let (before, _) = Ways::open(&to("a")).expect("opens");
    let clock = Clock::fake(Instant::from_millis(1_795_424_400_000));
    let now = clock.now();
    let mut driver = Driver::open(data.path()).expect("opens");
    begin(&mut driver, &clock, &before, vec![flow()], &Workspace::default()).expect("begins");
    let mut contact = Contact::new("ada");
    contact.email = Some("ada@example.com".into());
    contact.consent.email = ConsentStatus::Subscribed;
    let event = NewEvent {
        id: "e1".into(),
        contact: "ada".into(),
        name: "Started Checkout".into(),
        happened: None,
        properties: Properties::new(),
        change: None,
    };
    let history = History { contact, events: Vec::new(), suppressed: false };
    driver.batch(now, |driver| driver.history(now, &history)).expect("is written");
    driver.batch(now, |driver| driver.event(now, &event)).expect("is written");
    let jobs = driver.batch(now, |driver| driver.claim_due(now, 9)).expect("is written").0;
    let job = jobs.first().expect("a mail");
    let begun = driver.batch(now, |driver| driver.begin(now, &job.key, job.attempt, None)).expect("is written").0;
    assert_eq!(begun, Begin::Go);
    drop(driver);

    let mut driver = Driver::open(data.path()).expect("opens again");
    let (after, _) = Ways::open(&to(next)).expect("opens");
    let said = begin(&mut driver, &clock, &after, Vec::new(), &Workspace::default()).expect("begins").0;
    let standing = driver.store().send(&job.key).expect("reads").expect("is there").standing;
    (said.iter().any(|line| line.contains("nobody knows")), standing)
}

/// Another folder, where nothing lies, does not say that nothing has left.
#[test]
fn only_the_same_way_knows_what_has_left() {
    assert_eq!(after_a_crash("a"), (false, Standing::Due));
    assert_eq!(after_a_crash("b"), (true, Standing::Settled(Outcome::Unknown)));
}

/// A crash between the commit that forgets somebody and the deletion of their files: the next start does the rest.
#[test]
fn files_of_forgotten_people_go_with_the_next_start() {
    let data = tempfile::tempdir().expect("a folder");
    let mails = data.path().join("elsewhere");
    let settings = || {
        let ways = ways::Settings { mail: mails.display().to_string(), ..ways::Settings::default() };
        Settings { ways, ..Settings::new(data.path()) }
    };
    let engine = Engine::start(settings(), vec![flow()], &Workspace::default()).expect("starts").0;
    engine.stop().expect("stops");
    let now = Clock::Real.now();
    let mut driver = Driver::open(data.path()).expect("opens");
    let mut contact = Contact::new("ada");
    contact.email = Some("ada@example.com".into());
    let history = History { contact, events: Vec::new(), suppressed: false };
    driver.batch(now, |driver| driver.history(now, &history)).expect("is written");
    let forget = Order::Forget { contact: "ada".into() };
    driver.batch(now, |driver| driver.order(now, "test", &forget)).expect("is written").0.expect("is forgotten");
    drop(driver);
    let kept = data.path().join("aside/1.json");
    fs::create_dir_all(kept.parent().expect("a folder")).expect("is made");
    fs::write(&kept, "{\"email\": \"ada@example.com\"}").expect("writes");
    let places = Reader::open(data.path()).expect("opens").places().expect("reads");
    assert_eq!(places.mails, std::slice::from_ref(&mails));
    let engine = Engine::start(settings(), Vec::new(), &Workspace::default()).expect("starts again").0;
    let is_done = || !kept.exists() && Reader::open(data.path()).expect("opens").erasing().expect("reads").is_empty();
    for _ in 0..200 {
        if is_done() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(is_done(), "the file and the note are gone");
    engine.stop().expect("stops");
}

/// Flows that nobody named are not started in silence.
#[test]
fn flows_from_before_are_named() {
    let data = tempfile::tempdir().expect("a folder");
    let clock = Clock::fake(Instant::from_millis(1_795_424_400_000));
    let (ways, _) = Ways::open(&Settings::new(data.path()).ways).expect("opens");
    let mut driver = Driver::open(data.path()).expect("opens");
    let mut check = |flows: &[&str], expected: Option<&str>| {
        let flows = flows.iter().map(|id| Flow { id: (*id).into(), ..flow() }).collect();
        let said = begin(&mut driver, &clock, &ways, flows, &Workspace::default()).expect("begins").0;
        let found = said.iter().find_map(|line| line.strip_prefix("Live from before, and going on: "));
        assert_eq!(found.and_then(|rest| rest.split(" (").next()), expected, "{said:?}");
    };
    check(&["b"], None);
    check(&["b"], None);
    check(&["a"], Some("b"));
    check(&[], Some("a, b"));
}

/// What goes wrong while an engine starts, or while an order is given where none runs, is said.
#[test]
fn warnings_of_a_start_are_heard() {
    let data = tempfile::tempdir().expect("a folder");
    let spoil = || {
        let driver = Driver::open(data.path()).expect("opens");
        driver.store().set_meta("restored", "1").expect("writes");
        driver.store().set_meta(Carried::META, "no list").expect("writes");
    };
    let is_it = |line: &String| line.contains("Who said no since the copy cannot be read");
    spoil();
    let (engine, said) =
        Engine::start(Settings::new(data.path()), vec![flow()], &Workspace::default()).expect("starts");
    assert!(said.iter().any(|line| line.starts_with("warning: ") && is_it(line)), "{said:?}");
    let status = Client::of(data.path()).expect("a client").expect("it runs").status().expect("answers");
    assert!(status.warnings.iter().any(is_it), "{:?}", status.warnings);
    engine.stop().expect("stops");
    spoil();
    let mut line = Line::to(data.path()).expect("the folder is free");
    let said = line.order("test", &Order::Pause { flow: "demo".into(), freeze: false }).expect("is paused");
    assert!(said.lines().any(|line| line.starts_with("warning: ") && is_it(&line.to_owned())), "{said}");
}

/// One fault of a relay is one warning, whatever number its answers have; others stay.
#[test]
fn one_fault_of_a_relay_is_one_warning() {
    let live = Live::default();
    let check = |warnings: &[&str], expected: &[&str]| {
        let told = Told { warnings: warnings.iter().map(|text| (*text).to_owned()).collect(), ..Told::default() };
        live.hear(&told, 0, &Pulse::default(), Instant::from_millis(1_795_424_400_000));
        assert_eq!(live.seen().warnings, expected, "{warnings:?}");
    };
    check(&["demo paused itself: too many complaints"], &["demo paused itself: too many complaints"]);
    let relay =
        |n: usize| format!("mx.example:587 said: 554 5.7.1 Relay Access Denied [AM0PR0{n} 08DE{n:04}]; check --mail");
    let many: Vec<String> = (0..2 * MOST_WARNINGS).map(relay).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let newest = many[many.len() - 1];
    check(&many, &["demo paused itself: too many complaints", newest]);
    // Another code, another server, and one that is no answer with a code are each their own.
    let others = [
        "mx.example:587 said: 550 5.7.60 SMTP; Client does not have permissions [1]",
        "two.example:587 said: 554 5.7.1 Relay Access Denied [1]",
        "two.example:587 said: nothing",
        "two.example:587 said: something",
    ];
    let mut all = vec!["demo paused itself: too many complaints", newest];
    all.extend(others);
    check(&others, &all);
}

/// Who asks what is known of a person gets all of it, however much is shown at once.
#[test]
fn an_export_has_the_whole_trace() {
    let data = tempfile::tempdir().expect("a folder");
    let mut driver = Driver::open(data.path()).expect("opens");
    let now = Instant::from_millis(1_795_424_400_000);
    let event = |n: usize| NewEvent {
        id: format!("e{n}").as_str().into(),
        contact: "ada".into(),
        name: "Viewed".into(),
        happened: None,
        properties: Properties::new(),
        change: None,
    };
    let change = NewContact { id: "ada".into(), change: Change { set: vec![("n".into(), None)], ..Change::default() } };
    let all = driver.batch(now, |driver| {
        driver.event(now, &event(1))?;
        (0..2_100).try_for_each(|_| driver.change(now, &change).map(drop))?;
        driver.event(now, &event(2))
    });
    all.expect("is written");
    let reader = Reader::open(data.path()).expect("opens");
    let viewed = |trace: &[String]| trace.iter().filter(|line| line.ends_with("event Viewed")).count();
    let shown = reader.contact("ada").expect("reads").expect("is there");
    assert!(shown.trace[0].contains("Only the newest 2000 rows"), "{}", shown.trace[0]);
    assert_eq!(viewed(&shown.trace), 1);
    let export = reader.export("ada").expect("reads").expect("is there");
    assert_eq!((viewed(&export.contact.trace), export.events.len(), export.profile.len()), (2, 2, 2_101));
    assert!(reader.export("eve").expect("reads").is_none());
}
