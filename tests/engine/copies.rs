//! Copies of an engine's data, and what a restore keeps.

use std::{fs, path::Path};

use flowloom::{
    base::SendKey,
    engine::{
        driver::Driver,
        store::{self, FILE, Kind, Store},
        work::{Handed, NewContact, Order, Standing},
    },
    kinds::runtime::{Change, Outcome},
    testing::engine::check_replay,
};

use super::broken::{at, begin_with, event, person};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn take(dir: &Path, millis: i64, id: &str, contact: &str, name: &str) {
    let mut driver = Driver::open(dir).expect("opens");
    let item = event(id, contact, name);
    driver.batch(at(millis), |driver| driver.event(at(millis), &item)).expect("is written");
}

fn held(dir: &Path, millis: i64) -> usize {
    let mut driver = Driver::open(dir).expect("opens");
    let now = at(millis);
    driver.batch(now, |driver| driver.begin_restore(now)).expect("is written");
    while driver.batch(now, |driver| driver.walk(10)).expect("is written").0 {}
    driver.batch(now, |driver| driver.wake_due(now, 100)).expect("is written");
    let jobs = driver.batch(now, |driver| driver.claim_due(now, 100)).expect("is written").0;
    assert!(jobs.is_empty(), "what was overdue leaves: {jobs:?}");
    let reader = store::Reader::open(dir).expect("opens");
    reader.held(None, 100).expect("reads").len()
}

/// The engine's data with people whose second mail is due after a day.
fn folder(people: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let mut driver = Driver::open(dir.path()).expect("opens");
    begin_with(&mut driver, people);
    for id in people {
        driver.batch(at(1), |driver| driver.event(at(1), &event("e1", id, "Started Checkout"))).expect("is written");
    }
    for job in driver.batch(at(2), |driver| driver.claim_due(at(2), 10)).expect("claims").0 {
        driver.batch(at(2), |driver| driver.begin(at(2), &job.key, job.attempt, None)).expect("begins");
        let done = driver.batch(at(3), |driver| driver.settle(at(3), &job.key, job.attempt, &Handed::Done));
        done.expect("is written");
    }
    dir
}

/// R26: an event that is handed in before the next start, and a copy that was made during an earlier restore's care,
/// change nothing of it: every overdue send is held.
#[test]
fn overdue_sends_are_held_whatever_comes_before_the_start() {
    let dir = folder(&["ada", "ben"]);
    let dir = dir.path();
    store::backup(dir, &dir.join("one.db")).expect("is copied");
    store::restore(dir, &dir.join("one.db"), at(DAY + HOUR)).expect("is restored");
    take(dir, DAY + 2 * HOUR, "e2", "ada", "Viewed Product");
    assert_eq!(check_replay(&Driver::open(dir).expect("opens"), "ada"), Ok(()));
    // Within the care: the word is said, and nobody has looked yet.
    store::backup(dir, &dir.join("two.db")).expect("is copied");
    assert_eq!(held(dir, DAY + 3 * HOUR), 2);
    store::restore(dir, &dir.join("two.db"), at(2 * DAY)).expect("is restored");
    assert_eq!(held(dir, 2 * DAY + HOUR), 2);
}

/// Whoever said no since the copy stays unwritten to.
#[test]
fn who_said_no_since_the_copy_stays_so() {
    let dir = folder(&["ada", "ben", "cem", "dora", "eva"]);
    let dir = dir.path();
    let copy = dir.join("copy.db");
    store::backup(dir, &copy).expect("is copied");
    {
        let mut driver = Driver::open(dir).expect("opens");
        let now = at(HOUR);
        driver
            .batch(now, |driver| {
                driver.event(now, &event("u1", "ada", "$unsubscribed"))?;
                driver.event(now, &event("u2", "ben", "$complained"))?;
                driver.order(now, "test", &Order::Forget { contact: "cem".into() })?.expect("is forgotten");
                let addresses = vec!["dora@example.com".to_owned()];
                driver.order(now, "test", &Order::Suppress { addresses, lift: false })?.expect("is suppressed");
                // And one whom the copy does not know.
                driver.history(
                    now,
                    &flowloom::engine::work::History { contact: person("finn"), events: Vec::new(), suppressed: false },
                )?;
                driver.event(now, &event("u3", "finn", "$unsubscribed"))
            })
            .expect("is written");
    }
    let restored = store::restore(dir, &copy, at(2 * HOUR)).expect("is restored");
    assert_eq!((restored.carried, restored.lost), (5, None));
    let before = restored.before.expect("is kept");
    assert!(before.is_file() && before.file_name().is_some_and(|name| name != FILE));
    assert_eq!(store::restore(dir, &copy, at(2 * HOUR)).expect("a second time").carried, 5, "before anybody looked");
    take(dir, 3 * HOUR, "e2", "eva", "Viewed Product");
    let reader = store::Reader::open(dir).expect("opens");
    let state = |id: &str| reader.contact(id).expect("reads").expect("is there");
    assert_eq!(state("ada").contact.consent.email.name(), "unsubscribed");
    assert_eq!(state("finn").contact.consent.email.name(), "unsubscribed");
    assert!(state("ben").suppressed);
    assert!(state("cem").suppressed && state("cem").contact.email.is_none() && state("cem").trace.is_empty());
    assert_eq!(reader.suppressed().expect("reads"), ["dora@example.com"]);
    assert!(!state("eva").suppressed);
    let driver = Driver::open(dir).expect("opens");
    let sent = driver.store().sends_in(Standing::Settled(Outcome::Sent)).expect("reads");
    assert_eq!(sent.len(), 4, "cem's is gone");
}

/// Whoever complained since the copy cannot be lifted after the restore, nor after one more; whoever was only
/// suppressed can.
#[test]
fn a_complaint_since_the_copy_is_not_lifted() {
    let dir = folder(&["ada", "ben", "cem"]);
    let dir = dir.path();
    let suppress = |millis: i64, lift: bool| {
        let mut driver = Driver::open(dir).expect("opens");
        let now = at(millis);
        let change = Change { suppressed: Some(true), ..Change::default() };
        if !lift {
            for id in ["ben", "cem"] {
                let item = NewContact { id: id.into(), change: change.clone() };
                driver.batch(now, |driver| driver.change(now, &item)).expect("is written");
            }
            return String::new();
        }
        let addresses = ["ada", "ben", "cem"].map(|id| format!("{id}@example.com")).to_vec();
        let done = driver.batch(now, |driver| driver.order(now, "test", &Order::Suppress { addresses, lift: true }));
        done.expect("is written").0.expect("is done")
    };
    // ben is suppressed before the copy, and complains after it, too.
    suppress(1_000, false);
    let (copy, second) = (dir.join("copy.db"), dir.join("second.db"));
    store::backup(dir, &copy).expect("is copied");
    take(dir, HOUR, "u1", "ada", "$complained");
    take(dir, HOUR, "u2", "ben", "$complained");
    assert_eq!(store::restore(dir, &copy, at(2 * HOUR)).expect("is restored").carried, 2);
    let is_suppressed =
        |id: &str| store::Reader::open(dir).expect("opens").contact(id).expect("reads").expect("is there").suppressed;
    let said = suppress(3 * HOUR, true);
    assert!(said.contains("1 person may be written to again; 2 people not"), "{said}");
    assert_eq!(["ada", "ben", "cem"].map(is_suppressed), [true, true, false]);
    // The copy is older than the word of it.
    store::backup(dir, &second).expect("is copied");
    store::restore(dir, &copy, at(4 * HOUR)).expect("is restored");
    let said = suppress(5 * HOUR, true);
    assert!(said.contains("1 person may be written to again; 2 people not"), "{said}");
    assert_eq!(store::restore(dir, &second, at(6 * HOUR)).expect("is restored").carried, 0, "nothing is new");
    assert!(suppress(7 * HOUR, true).contains("2 people not"));
}

/// Whoever was suppressed when the copy was made and is forgotten since is forgotten, not only suppressed.
#[test]
fn who_was_suppressed_already_and_is_forgotten_since_stays_so() {
    let dir = folder(&["ada"]);
    let dir = dir.path();
    let copy = dir.join("copy.db");
    take(dir, HOUR, "u1", "ada", "$complained");
    store::backup(dir, &copy).expect("is copied");
    let forget = |millis: i64| {
        let mut driver = Driver::open(dir).expect("opens");
        let now = at(millis);
        let order = Order::Forget { contact: "ada".into() };
        let done = driver.batch(now, |driver| driver.order(now, "test", &order));
        done.expect("is written").0.expect("is forgotten");
    };
    forget(2 * HOUR);
    assert_eq!(store::restore(dir, &copy, at(3 * HOUR)).expect("is restored").carried, 1);
    take(dir, 4 * HOUR, "e2", "eva", "Viewed Product");
    let state = || store::Reader::open(dir).expect("opens").contact("ada").expect("reads").expect("is there");
    assert!(state().suppressed && state().contact.email.is_none() && state().trace.is_empty());
    // And whoever was forgotten before the copy, came back with an event, and was forgotten once more.
    fs::remove_file(&copy).expect("goes");
    take(dir, 5 * HOUR, "e3", "ada", "Viewed Product");
    store::backup(dir, &copy).expect("is copied");
    forget(6 * HOUR);
    assert_eq!(store::restore(dir, &copy, at(7 * HOUR)).expect("is restored").carried, 1);
    take(dir, 8 * HOUR, "e4", "eva", "Viewed Product");
    assert_eq!(Driver::open(dir).expect("opens").store().inputs("ada").expect("reads").len(), 0);
    fs::remove_file(&copy).expect("goes");
    store::backup(dir, &copy).expect("is copied");
    assert_eq!(store::restore(dir, &copy, at(9 * HOUR)).expect("is restored").carried, 0, "nothing is new");
}

/// A reader in the midst of a look keeps a part of the former data in the log: nothing is lost for it.
#[test]
fn former_data_that_somebody_reads_are_left_alone() {
    let dir = folder(&["ada"]);
    let dir = dir.path();
    let copy = dir.join("copy.db");
    store::backup(dir, &copy).expect("is copied");
    let raw = rusqlite::Connection::open(dir.join(FILE)).expect("opens");
    raw.execute_batch("begin; select count(*) from contact").expect("looks");
    take(dir, 5, "e2", "ada", "Viewed Product");
    let error = store::restore(dir, &copy, at(6)).expect_err("is refused");
    assert_eq!(error.kind, Kind::Locked, "{error}");
    raw.execute_batch("commit").expect("has looked");
    drop(raw);
    let driver = Driver::open(dir).expect("opens");
    assert_eq!(driver.store().inputs("ada").expect("reads").iter().filter(|(_, kind, _)| *kind == 0).count(), 2);
    drop(driver);
    assert!(!dir.join(format!("{FILE}.part")).exists());
    store::restore(dir, &copy, at(6)).expect("is restored");
}

/// Former data that cannot be read are no reason to do without the copy; they are kept, and what is lost is said.
#[test]
fn damaged_former_data_are_kept_and_replaced() {
    let dir = folder(&["ada"]);
    let dir = dir.path();
    let copy = dir.join("copy.db");
    store::backup(dir, &copy).expect("is copied");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for path in [&copy, &dir.join(FILE)] {
            let mode = fs::metadata(path).expect("is there").permissions().mode() & 0o777;
            assert!(*path != copy || mode == 0o600, "{mode:o}");
        }
    }
    fs::write(dir.join(FILE), "nothing of ours".repeat(1_000)).expect("writes");
    let restored = store::restore(dir, &copy, at(6)).expect("is restored");
    assert!(restored.lost.is_some() && restored.carried == 0);
    let kept = fs::read_to_string(restored.before.expect("is kept")).expect("reads");
    assert!(kept.starts_with("nothing of ours"));
    assert!(Driver::open(dir).expect("opens").store().contact_number("ada").expect("reads").is_some());
}

/// What left since the copy does not leave once more where its events are handed in again: to people whom the copy
/// knows, and to others, who are forgotten with it. A person's word sends it. Codes stay given.
#[test]
fn what_left_since_the_copy_is_held_when_it_comes_up_again() {
    let dir = folder(&["ada"]);
    let dir = dir.path();
    let copy = dir.join("copy.db");
    store::backup(dir, &copy).expect("is copied");
    let arrive = |millis: i64| {
        let mut driver = Driver::open(dir).expect("opens");
        let now = at(millis);
        let done = driver.batch(now, |driver| {
            driver.begin_restore(now)?;
            for id in ["finn", "finn/a"] {
                let past = flowloom::engine::work::History { contact: person(id), events: vec![], suppressed: false };
                driver.history(now, &past)?;
            }
            driver.wake_due(now, 10)?;
            for id in ["finn", "finn/a"] {
                driver.event(now, &event("e2", id, "Started Checkout"))?;
            }
            driver.claim_due(now, 10)
        });
        (driver, now, done.expect("is written").0)
    };
    {
        let (mut driver, now, jobs) = arrive(DAY + 10);
        let keys: Vec<String> = jobs.iter().map(|job| job.key.to_string()).collect();
        assert_eq!(keys, ["ada/demo/1/second/1", "finn/demo/1/first/1", "finn/a/demo/1/first/1"]);
        for job in &jobs {
            let done = driver.batch(now, |driver| {
                driver.begin(now, &job.key, job.attempt, None)?;
                driver.store().give_code("p", job.key.node.as_str(), 1, &job.key)?;
                // Nobody knows of one of them.
                if job.key.node.as_str() == "second" { Ok(()) } else { driver.settle(now, &job.key, 1, &Handed::Done) }
            });
            done.expect("is written");
        }
    }
    let restored = store::restore(dir, &copy, at(3 * DAY)).expect("is restored");
    assert_eq!((restored.left, restored.lost), (3, None));
    let (mut driver, now, jobs) = arrive(3 * DAY);
    assert!(jobs.is_empty(), "{jobs:?}");
    assert!(driver.store().is_given("p", "second").expect("reads"));
    let held = |driver: &Driver| {
        let rows = driver.store().sends_in(Standing::Settled(Outcome::Held)).expect("reads");
        rows.into_iter().map(|row| row.key.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(held(&driver), ["finn/demo/1/first/1", "finn/a/demo/1/first/1"]);
    let look = super::look::Look::at(&dir.join(FILE));
    assert_eq!(look.check(driver.flows(), true), Ok(()));
    let orders = [
        Order::Retry { key: SendKey::parse("ada/demo/1/second/1").expect("a key"), resend: false },
        Order::Retry { key: SendKey::parse("finn/a/demo/1/first/1").expect("a key"), resend: false },
        Order::Forget { contact: "finn".into() },
    ];
    let later = now.plus_millis(HOUR);
    let done = driver.batch(later, |driver| {
        for order in &orders {
            driver.order(later, "test", order)?.expect("is carried out");
        }
        driver.claim_due(later, 10)
    });
    let keys: Vec<String> = done.expect("is written").0.iter().map(|job| job.key.to_string()).collect();
    assert_eq!(keys, ["ada/demo/1/second/1", "finn/a/demo/1/first/1"]);
    assert_eq!(held(&driver), Vec::<String>::new(), "what was finn's is gone");
    assert_eq!(look.check(driver.flows(), false), Ok(()));
    for id in ["ada", "finn/a"] {
        assert_eq!(check_replay(&driver, id), Ok(()));
    }
}

/// What a pause held in the copy and left since, once the flow went on, does not leave again when it goes on again.
#[test]
fn what_a_pause_held_and_left_since_the_copy_is_held() {
    let dir = folder(&["ada"]);
    let dir = dir.path();
    let copy = dir.join("copy.db");
    let ask = |millis: i64, orders: &[Order]| {
        let mut driver = Driver::open(dir).expect("opens");
        let now = at(millis);
        driver.batch(now, |driver| driver.begin_restore(now)).expect("is written");
        let done = driver.batch(now, |driver| {
            driver.wake_due(now, 10)?;
            for order in orders {
                driver.order(now, "test", order)?.expect("is carried out");
            }
            while driver.walk(10)? {}
            let jobs = driver.claim_due(now, 10)?;
            for job in &jobs {
                driver.begin(now, &job.key, job.attempt, None)?;
                driver.settle(now, &job.key, job.attempt, &Handed::Done)?;
            }
            driver.end_restore()?;
            Ok(jobs.len())
        });
        done.expect("is written").0
    };
    let resume = Order::Resume { flow: "demo".into() };
    assert_eq!(ask(HOUR, &[Order::Pause { flow: "demo".into(), freeze: false }]), 0);
    assert_eq!(ask(DAY + 10, &[]), 0, "the second mail is held");
    store::backup(dir, &copy).expect("is copied");
    assert_eq!(ask(DAY + HOUR, std::slice::from_ref(&resume)), 1);
    assert_eq!(store::restore(dir, &copy, at(2 * DAY)).expect("is restored").left, 1);
    assert_eq!(ask(2 * DAY, &[]), 0);
    assert_eq!(ask(2 * DAY + HOUR, &[resume]), 0, "it has left");
    let key = SendKey::parse("ada/demo/1/second/1").expect("a key");
    assert_eq!(ask(2 * DAY + 2 * HOUR, &[Order::Retry { key, resend: false }]), 1, "a person says so");
}

/// A send that the copy puts off until after the restore, and that left sooner, is held.
#[test]
fn what_is_put_off_in_the_copy_and_left_since_is_held() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let copy = dir.join("copy.db");
    begin_with(&mut Driver::open(dir).expect("opens"), &["ada"]);
    take(dir, 1, "e1", "ada", "Started Checkout");
    let send = |millis: i64, handed: &Handed| {
        let mut driver = Driver::open(dir).expect("opens");
        let now = at(millis);
        driver.batch(now, |driver| driver.begin_restore(now)).expect("is written");
        let done = driver.batch(now, |driver| {
            let jobs = driver.claim_due(now, 10)?;
            for job in &jobs {
                driver.begin(now, &job.key, job.attempt, None)?;
                driver.settle(now, &job.key, job.attempt, handed)?;
            }
            driver.end_restore()?;
            Ok(jobs.len())
        });
        done.expect("is written").0
    };
    let later = Handed::Later { detail: "451".to_owned(), after_millis: Some(10 * HOUR.unsigned_abs()) };
    assert_eq!(send(2, &later), 1);
    store::backup(dir, &copy).expect("is copied");
    assert_eq!(send(11 * HOUR, &Handed::Done), 1);
    // Its clock was wrong; in the end it was set to before anything of it had happened.
    for millis in [HOUR, HOUR, -3 * HOUR] {
        assert_eq!(store::restore(dir, &copy, at(millis)).expect("is restored").left, 1);
        assert_eq!(send(millis + HOUR, &Handed::Done), 0);
        assert_eq!(send(12 * HOUR, &Handed::Done), 0);
    }
    let held = store::Reader::open(dir).expect("opens").held(None, 9).expect("reads");
    assert_eq!(held.iter().map(|row| row.detail.as_str()).collect::<Vec<_>>(), [Store::LEFT_BEFORE]);
}
