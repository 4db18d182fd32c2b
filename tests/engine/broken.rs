//! Single faults with a name: what the worlds of [`super::faults`] meet by chance, shown one at a time.

use flowloom::{
    audience::{ConsentStatus, Contact, Properties},
    base::Instant,
    engine::{
        driver::Driver,
        store::{FILE, Kind, Reader, Store},
        work::{Answer, Begin, Handed, History, NewEvent, Order, Standing},
    },
    flow::{Flow, Workspace, file},
    kinds::runtime::{Outcome, Reason},
    testing::engine::check_replay,
};

use super::disk::{Disk, Fault, Loss, VFS};

pub const FLOW: &str = r#"(version: 2, id: "demo", name: "Demo", nodes: [
    (id: "start", kind: "trigger", settings: (any: [event(event: "Started Checkout")])),
    (id: "first", kind: "email", settings: (message: "m")),
    (id: "wait", kind: "delay", settings: (wait: for("1 day"))),
    (id: "second", kind: "email", settings: (message: "m")),
], edges: [(from: "start", to: "first"), (from: "first", to: "wait"), (from: "wait", to: "second")],
messages: [(id: "m", subject: "Hello", body: html("Hello"))])"#;

const HOUR: i64 = 3_600_000;

pub fn at(millis: i64) -> Instant {
    Instant::from_millis(1_795_424_400_000 + millis)
}

pub fn event(id: &str, contact: &str, name: &str) -> NewEvent {
    NewEvent {
        id: id.into(),
        contact: contact.into(),
        name: name.into(),
        happened: None,
        properties: Properties::new(),
        change: None,
    }
}

pub fn person(id: &str) -> Contact {
    let mut contact = Contact::new(id);
    contact.email = Some(format!("{id}@example.com").into());
    contact.consent.email = ConsentStatus::Subscribed;
    contact
}

/// The flow is live, and the people are known.
pub fn begin_with(driver: &mut Driver, people: &[&str]) {
    let flow: Flow = file::read(FLOW).expect("reads").flow;
    let order = Order::Publish { flow: Box::new(flow), workspace: Box::new(Workspace::default()) };
    let made = driver.batch(at(0), |driver| {
        driver.order(at(0), "test", &order)?.expect("is published");
        for id in people {
            driver.history(at(0), &History { contact: person(id), events: Vec::new(), suppressed: false })?;
        }
        Ok(())
    });
    made.expect("is written");
}

fn on(disk: &Disk) -> Driver {
    Driver::on(Store::open_on(&disk.path(), VFS).expect("opens")).expect("reads")
}

/// A batch fails and its memory cannot be read anew either: the next batch does, before anything else.
#[test]
fn memory_that_could_not_be_read_again_is_read_before_it_is_used() {
    let disk = Disk::new(1);
    let mut driver = on(&disk);
    begin_with(&mut driver, &["ada"]);
    disk.plan(&[Fault::Fails(1, 1_000), Fault::ReadFails(1, 1_000)]);
    let pause = Order::Pause { flow: "demo".into(), freeze: false };
    let failed = driver.batch(at(1), |driver| driver.order(at(1), "test", &pause));
    assert_eq!(failed.expect_err("the disk says no").kind, Kind::Io);
    assert!(driver.batch(at(2), |_| Ok(())).is_err(), "nothing is known, so nothing is done");
    disk.plan(&[]);
    let history = History { contact: person("ben"), events: Vec::new(), suppressed: false };
    driver
        .batch(at(3), |driver| {
            driver.history(at(3), &history)?;
            assert_eq!(driver.event(at(3), &event("e1", "ben", "Started Checkout"))?, Answer::Accepted);
            Ok(())
        })
        .expect("goes on");
    let jobs = driver.batch(at(4), |driver| driver.claim_due(at(4), 10)).expect("goes on").0;
    assert_eq!(jobs.len(), 1, "who comes after the fault hears which flows are live, and that none is paused");
    assert_eq!(check_replay(&driver, "ben"), Ok(()));
}

/// A full disk: each batch says so and leaves nothing behind, what was safe stays, and with room it goes on.
#[test]
fn a_full_disk_is_told_and_nothing_is_lost() {
    let disk = Disk::new(2);
    let mut driver = on(&disk);
    begin_with(&mut driver, &["ada"]);
    driver.batch(at(1), |driver| driver.event(at(1), &event("e1", "ada", "Started Checkout"))).expect("is written");
    disk.plan(&[Fault::Full(1, u64::MAX)]);
    for n in 0..20 {
        let item = event(&format!("f{n}"), "ada", "Viewed Product");
        let error = driver.batch(at(2), |driver| driver.event(at(2), &item)).expect_err("there is no room");
        assert_eq!(error.kind, Kind::Full, "{error}");
        assert!(error.hint.contains("Make room"), "{}", error.hint);
    }
    assert!(!disk.is_down());
    disk.plan(&[]);
    let answer = driver.batch(at(3), |driver| driver.event(at(3), &event("f1", "ada", "Viewed Product")));
    assert_eq!(answer.expect("there is room").0, Answer::Accepted);
    let again = driver.batch(at(4), |driver| driver.event(at(4), &event("e1", "ada", "Started Checkout")));
    assert_eq!(again.expect("there is room").0, Answer::Duplicate);
    drop(driver);
    disk.boot(Loss::Power);
    let driver = on(&disk);
    assert_eq!(driver.store().inputs("ada").expect("reads").iter().filter(|(_, kind, _)| *kind == 0).count(), 2);
    assert_eq!(check_replay(&driver, "ada"), Ok(()));
}

/// A crash at every single write between "claimed" and "settled": never twice, and never forgotten.
#[test]
fn a_crash_at_every_write_of_a_hand_over() {
    let mut seen = std::collections::BTreeSet::new();
    for crash_at in 1..200 {
        let disk = Disk::new(crash_at);
        let mut driver = on(&disk);
        begin_with(&mut driver, &["ada"]);
        driver.batch(at(1), |driver| driver.event(at(1), &event("e1", "ada", "Started Checkout"))).expect("is written");
        disk.plan(&[Fault::Crash(crash_at)]);
        let mut left = 0;
        let mut hand_over = |driver: &mut Driver| {
            let jobs = driver.batch(at(2), |driver| driver.claim_due(at(2), 10))?.0;
            for job in jobs {
                let begin = driver.batch(at(3), |driver| driver.begin(at(3), &job.key, job.attempt, Some(b"mail")))?.0;
                if begin == Begin::Go {
                    left += 1;
                    driver.batch(at(4), |driver| driver.settle(at(4), &job.key, job.attempt, &Handed::Done))?;
                }
            }
            Ok::<_, flowloom::engine::store::Error>(())
        };
        let is_over = hand_over(&mut driver).is_ok();
        drop(driver);
        disk.boot(Loss::Power);
        let mut driver = on(&disk);
        driver.batch(at(HOUR), |driver| driver.recover(at(HOUR), &|_| None)).expect("recovers");
        let mut hand_over = |driver: &mut Driver| {
            for job in driver.batch(at(HOUR), |driver| driver.claim_due(at(HOUR), 10)).expect("claims").0 {
                let begin = driver
                    .batch(at(HOUR), |driver| driver.begin(at(HOUR), &job.key, job.attempt, None))
                    .expect("begins");
                if begin.0 == Begin::Go {
                    left += 1;
                    let done = driver.batch(at(HOUR), |d| d.settle(at(HOUR), &job.key, job.attempt, &Handed::Done));
                    done.expect("is settled");
                }
            }
        };
        hand_over(&mut driver);
        let key = driver.store().sends_in(Standing::Settled(Outcome::Sent)).expect("reads");
        let unknown = driver.store().sends_in(Standing::Settled(Outcome::Unknown)).expect("reads");
        assert_eq!(key.len() + unknown.len(), 1, "crash at {crash_at}: it is neither sent nor unknown");
        assert!(left <= 1, "crash at {crash_at}: left {left} times");
        assert!(left == 1 || !unknown.is_empty(), "crash at {crash_at}: says sent, and never left");
        seen.insert((left, unknown.len()));
        if is_over {
            break;
        }
        assert!(crash_at < 199, "it is never over");
    }
    // It left and is known; it may have left, and did; it may have left, and did not.
    assert!(seen.contains(&(1, 0)) && seen.contains(&(1, 1)), "{seen:?}");
}

/// R23: a mail server takes four minutes over a mail. The next input takes the send for late and moves its place ahead
/// of now (R26); nobody else may take it meanwhile, or the contact gets two where one may be.
#[test]
fn a_hand_over_that_takes_minutes_keeps_its_place() {
    let disk = Disk::new(5);
    let mut driver = on(&disk);
    let workspace = r#"(version: 1, caps: [(limit: at_most(1), within: "5 h")])"#;
    let workspace = file::read_workspace(workspace).expect("reads").0;
    let twice = FLOW.replace(r#"id: "demo""#, r#"id: "other""#).replace("Started Checkout", "Viewed Product");
    driver
        .batch(at(0), |driver| {
            for text in [FLOW, &twice] {
                let flow = Box::new(file::read(text).expect("reads").flow);
                let order = Order::Publish { flow, workspace: Box::new(workspace.clone()) };
                driver.order(at(0), "test", &order)?.expect("is published");
            }
            driver.history(at(0), &History { contact: person("ada"), events: Vec::new(), suppressed: false })?;
            driver.history(at(0), &History { contact: person("ben"), events: Vec::new(), suppressed: false })
        })
        .expect("is written");
    let mut begin = |millis: i64, contact: &str, name: &str| {
        let item = event(name, contact, name);
        driver.batch(at(millis), |driver| driver.event(at(millis), &item)).expect("is written");
        let jobs = driver.batch(at(millis), |driver| driver.claim_due(at(millis), 10)).expect("claims").0;
        let go = jobs.iter().filter(|job| {
            let begin = driver.batch(at(millis), |driver| driver.begin(at(millis), &job.key, job.attempt, None));
            begin.expect("is written").0 == Begin::Go
        });
        go.count()
    };
    assert_eq!(begin(1, "ada", "Started Checkout"), 1);
    assert_eq!(begin(2, "ben", "Started Checkout"), 1);
    assert_eq!(begin(30_000, "ben", "Viewed Product"), 0, "half a minute later its place counts");
    assert_eq!(begin(260_000, "ada", "Viewed Product"), 0, "it is still on its way");
}

/// Another program holds the file: said so after five seconds, and nothing in it changes.
#[test]
fn a_file_that_is_held_by_another_program() {
    let dir = tempfile::tempdir().expect("a folder");
    begin_with(&mut Driver::open(dir.path()).expect("opens"), &["ada"]);
    let raw = rusqlite::Connection::open(dir.path().join(FILE)).expect("opens");
    raw.execute_batch("pragma locking_mode = exclusive; begin exclusive; update contact set seen = seen")
        .expect("holds");
    let error = Driver::open(dir.path()).expect_err("is held");
    assert_eq!(error.kind, Kind::Locked, "{error}");
    assert!(error.hint.contains("Close the other program"), "{}", error.hint);
    raw.execute_batch("rollback").expect("lets go");
    drop(raw);
    let driver = Driver::open(dir.path()).expect("opens again");
    assert_eq!(check_replay(&driver, "ada"), Ok(()));
}

/// Old rows go; what is counted goes with them, and an event that comes again is known for 30 days all the same (R2).
#[test]
fn what_is_dropped_is_not_counted_and_ids_stay_known() {
    let disk = Disk::new(6);
    let mut driver = on(&disk);
    begin_with(&mut driver, &["ada", "ben"]);
    let day = |days: i64| at(days * 24 * HOUR);
    let take = |driver: &mut Driver, days: i64, id: &str, contact: &str| {
        let item = event(id, contact, "Started Checkout");
        let answer = driver.batch(day(days), |driver| driver.event(day(days), &item)).expect("is written").0;
        let jobs = driver.batch(day(days), |driver| driver.claim_due(day(days), 10)).expect("claims").0;
        for job in jobs {
            driver.batch(day(days), |d| d.begin(day(days), &job.key, job.attempt, None)).expect("begins");
            driver.batch(day(days), |d| d.settle(day(days), &job.key, job.attempt, &Handed::Done)).expect("settles");
        }
        answer
    };
    assert_eq!(take(&mut driver, 0, "e1", "ada"), Answer::Accepted);
    assert_eq!(take(&mut driver, 15, "e2", "ben"), Answer::Accepted);
    let prune = |driver: &mut Driver, days: u32| {
        driver.batch(day(40), |driver| driver.order(day(40), "test", &Order::Prune { days })).expect("is written").0
    };
    assert!(prune(&mut driver, 7).is_err(), "an id of a fortnight ago is not forgotten");
    let said = prune(&mut driver, 30).expect("drops");
    assert!(said.contains("1 sends older"), "{said}");
    let look = super::look::Look::of(&disk);
    assert_eq!(look.check(driver.flows(), false), Ok(()));
    drop(driver);
    let mut driver = on(&disk);
    assert_eq!(take(&mut driver, 40, "e2", "ben"), Answer::Duplicate);
}

/// A journey that is held, and moved to where it is held for the same reason, is shown where it is.
#[test]
fn what_is_held_is_shown_where_it_is() {
    let disk = Disk::new(7);
    let mut driver = on(&disk);
    begin_with(&mut driver, &["ada"]);
    let order = |driver: &mut Driver, millis: i64, order: Order| {
        driver
            .batch(at(millis), |driver| driver.order(at(millis), "test", &order))
            .expect("is written")
            .0
            .expect("is done")
    };
    order(&mut driver, 1, Order::Pause { flow: "demo".into(), freeze: false });
    driver.batch(at(2), |driver| driver.event(at(2), &event("e1", "ada", "Started Checkout"))).expect("is written");
    let journey = driver.store().decisions("ada").expect("reads").into_iter().find_map(|decision| decision.journey);
    let journey = journey.expect("is in");
    order(&mut driver, 3, Order::Move { contact: "ada".into(), journey, node: "second".into() });
    assert_eq!(super::look::Look::of(&disk).check(driver.flows(), true), Ok(()));
}

/// R29: a contact whose row cannot be read stops no other, and is asked again an hour later.
#[test]
fn a_damaged_contact_stops_no_other() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut driver = Driver::open(dir.path()).expect("opens");
    begin_with(&mut driver, &["ada", "ben"]);
    for id in ["ada", "ben"] {
        let item = event("e1", id, "Started Checkout");
        driver.batch(at(1), |driver| driver.event(at(1), &item)).expect("is written");
    }
    drop(driver);
    let raw = rusqlite::Connection::open(dir.path().join(FILE)).expect("opens");
    raw.execute("update contact set state = '{' where id = 'ben'", []).expect("is damaged");
    drop(raw);
    let mut driver = Driver::open(dir.path()).expect("opens");
    let answers = driver.batch(at(2), |driver| {
        Ok([driver.event(at(2), &event("e2", "ben", "View"))?, driver.event(at(2), &event("e2", "ada", "View"))?])
    });
    let [ben, ada] = answers.expect("is written").0;
    assert!(
        matches!(&ben, Answer::Refused { error, hint } if error.contains("contact 2") && !hint.is_empty()),
        "{ben:?}"
    );
    assert_eq!(ada, Answer::Accepted);
    let jobs = driver.batch(at(3), |driver| driver.claim_due(at(3), 10)).expect("goes on").0;
    assert_eq!(jobs.iter().map(|job| job.contact.contact.id.as_str()).collect::<Vec<_>>(), ["ada"]);
    let held = driver.store().sends_in(Standing::Settled(Outcome::Held)).expect("reads");
    assert_eq!(held.len(), 1, "what cannot be read is shown");
    let day = at(25 * HOUR);
    let woken = driver.batch(day, |driver| driver.wake_due(day, 10)).expect("goes on").0;
    assert_eq!(woken, 2);
    assert!(driver.store().due_contacts(day, 10).expect("reads").is_empty(), "nobody is woken for ever");
    drop(driver);

    // Whoever looks sees who it is and why, until the row can be read again or the contact is forgotten.
    let seen = || {
        let reader = Reader::open(dir.path()).expect("opens");
        let status = reader.status(day).expect("reads");
        let damaged = reader.damaged(10).expect("reads");
        assert_eq!((status.damaged, &status.damaged_contacts), (damaged.len() as u64, &damaged));
        let seen = damaged.iter().map(|one| (one.contact.to_string(), one.since));
        assert!(damaged.iter().all(|one| one.why.contains("contact 2")), "{damaged:?}");
        seen.collect::<Vec<_>>()
    };
    assert_eq!(seen(), [("ben".to_owned(), at(2))], "since it was found out");
    let raw = rusqlite::Connection::open(dir.path().join(FILE)).expect("opens");
    let whole: String =
        raw.query_row("select state from contact where id = 'ada'", [], |row| row.get(0)).expect("is there");
    let set = "update contact set state = ? where id = 'ben'";
    raw.execute(set, [whole.replace("\"ada", "\"ben")]).expect("is mended");
    let mut driver = Driver::open(dir.path()).expect("opens");
    driver.batch(day, |driver| driver.recover(day, &|_| None)).expect("starts");
    assert!(seen().is_empty(), "it can be read again");
    drop(driver);
    raw.execute(set, ["{"]).expect("is damaged");
    let mut driver = Driver::open(dir.path()).expect("opens");
    driver.batch(day, |driver| driver.event(day, &event("e3", "ben", "View"))).expect("is refused");
    assert_eq!(seen(), [("ben".to_owned(), day)]);
    let forget = Order::Forget { contact: "ben".into() };
    driver.batch(day, |driver| driver.order(day, "test", &forget)).expect("is written").0.expect("is forgotten");
    assert!(seen().is_empty(), "it began anew");
}

/// R29, R31: a message whose row cannot be read stops no other; it is held and shown, and after a crash it is
/// *unknown*.
#[test]
fn a_damaged_message_stops_no_other() {
    for standing in ["due", "handing_over"] {
        let dir = tempfile::tempdir().expect("a folder");
        let mut driver = Driver::open(dir.path()).expect("opens");
        begin_with(&mut driver, &["ada", "ben"]);
        for id in ["ada", "ben"] {
            let item = event("e1", id, "Started Checkout");
            driver.batch(at(1), |driver| driver.event(at(1), &item)).expect("is written");
        }
        drop(driver);
        let raw = rusqlite::Connection::open(dir.path().join(FILE)).expect("opens");
        let damage =
            "update outbox set what = '{', standing = ? where contact = (select n from contact where id = 'ben')";
        assert_eq!(raw.execute(damage, [standing]).expect("is damaged"), 1);
        drop(raw);
        let mut driver = Driver::open(dir.path()).expect("opens");
        driver.batch(at(3), |driver| driver.recover(at(3), &|_| None)).expect("recovers");
        let jobs = driver.batch(at(3), |driver| driver.claim_due(at(3), 10)).expect("goes on").0;
        assert_eq!(jobs.iter().map(|job| job.contact.contact.id.as_str()).collect::<Vec<_>>(), ["ada"], "{standing}");
        let outcome = if standing == "due" { Outcome::Held } else { Outcome::Unknown };
        let shown = driver.store().sends_in(Standing::Settled(outcome)).expect("reads");
        assert_eq!(shown.len(), 1, "{standing}: what cannot be read is shown");
    }
}

/// R29: a message whose row says what nobody can read, key, standing or anything else, stops no other either.
#[test]
fn an_unreadable_row_stops_no_other() {
    let whose = "where contact = (select n from contact where id = 'ben')";
    for (damage, outcome) in [
        ("key = 'x'", "held"),
        ("key = x'ff'", "held"),
        ("attempt = 'often'", "held"),
        ("key = 'x', standing = 'claimed'", "held"),
        ("key = 'x', standing = 'handing_over'", "unknown"),
        ("standing = 'handing_ov'", "unknown"),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let mut driver = Driver::open(dir.path()).expect("opens");
        begin_with(&mut driver, &["ada", "ben"]);
        for id in ["ben", "ada"] {
            let item = event("e1", id, "Started Checkout");
            driver.batch(at(1), |driver| driver.event(at(1), &item)).expect("is written");
        }
        drop(driver);
        let raw = rusqlite::Connection::open(dir.path().join(FILE)).expect("opens");
        assert_eq!(raw.execute(&format!("update outbox set {damage} {whose}"), []).expect("is damaged"), 1);
        let recount = "delete from standing where name not in ('contacts', 'waiting'); \
                       insert into standing select standing, count(*) from outbox group by standing";
        raw.execute_batch(recount).expect("is counted");
        drop(raw);
        let mut driver = Driver::open(dir.path()).expect("opens");
        let told = driver.batch(at(3), |driver| driver.recover(at(3), &|_| None)).expect("recovers").1;
        let (jobs, more) = driver.batch(at(3), |driver| driver.claim_due(at(3), 1)).expect("goes on");
        let jobs = if jobs.is_empty() {
            // The damaged one was the first.
            driver.batch(at(4), |driver| driver.claim_due(at(4), 1)).expect("goes on").0
        } else {
            jobs
        };
        assert_eq!(jobs.iter().map(|job| job.contact.contact.id.as_str()).collect::<Vec<_>>(), ["ada"], "{damage}");
        assert_eq!(told.warnings.len() + more.warnings.len(), 1, "{damage}");
        drop(driver);
        let raw = rusqlite::Connection::open(dir.path().join(FILE)).expect("opens");
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
        let (standing, detail) =
            raw.query_row(&format!("select standing, detail from outbox {whose}"), [], row).expect("is there");
        assert_eq!(standing, outcome, "{damage}");
        assert!(detail.contains("cannot be read"), "{damage}: {detail}");
        let counted = "select group_concat(name || ' ' || n, ', ') from \
                       (select name, n from standing where n <> 0 and name not in ('contacts', 'waiting') order by name)";
        let counted: String = raw.query_row(counted, [], |row| row.get(0)).expect("is there");
        assert_eq!(counted, format!("claimed 1, {outcome} 1"), "{damage}");
        drop(raw);
        let shown = Reader::open(dir.path()).expect("opens").held(None, 10).expect("the list can be read");
        let shown: Vec<_> = shown.iter().map(|row| (row.contact.as_str(), row.what.as_str(), row.reason)).collect();
        assert_eq!(shown, [("ben", outcome, Reason::Fault)], "{damage}");
    }
}
