//! The figures of the engine: events per second, durable, against a bare loop that writes the same rows with the same
//! sync; one event's way from its request to its decision; a million waiting journeys.
//!
//! The one idea: the disk's syncs are the limit, and they vary thirty-fold on one disk (references, engine 2), so what
//! counts is the ratio to a loop of the same writes in the same run, in turn, with the disk's own rate beside it.
//! Goals, printed and not asserted: 60 % of the bare loop; p99 under 50 ms at half load; a start in 2 s and 150 MB with
//! a million waiting, wakes less than 1 s late.
//!
//! `cargo bench --bench engine [batches|singles|waiting|soak]`

#![allow(clippy::disallowed_methods, reason = "measuring is the one thing that needs a clock")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench that cannot run should say so at once")]

use std::{
    env,
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant as Clock},
};

use flowloom::{
    base::Instant,
    engine::{
        driver::Driver,
        work::{NewEvent, Order},
    },
    flow::{Flow, Workspace, file},
};
use rusqlite::{Connection, params};

const FLOW: &str = r#"(version: 2, id: "demo", name: "Demo", settings: (re_entry: after_exit), nodes: [
    (id: "start", kind: "trigger", settings: (any: [event(event: "Started Checkout", filter: "event.item_count > 1")])),
    (id: "wait", kind: "delay", settings: (wait: for("4 h"))),
    (id: "mail", kind: "email", settings: (message: "m")),
    (id: "later", kind: "delay", settings: (wait: for("8 h"))),
    (id: "rich", kind: "condition", settings: (condition: "did \"Viewed Product\" at least 3 times in the last 7 days")),
    (id: "second", kind: "email", settings: (message: "m")),
], edges: [(from: "start", to: "wait"), (from: "wait", to: "mail"), (from: "mail", to: "later"), (from: "later", to: "rich"), (from: "rich", port: "yes", to: "second")],
messages: [(id: "m", subject: "Hello", body: html("Hello"))])"#;

/// People who do things.
const PEOPLE: usize = 20_000;
/// Events of a round.
const EVENTS: usize = 20_000;
const BATCH: usize = 100;
const ROUNDS: usize = 5;

fn main() {
    let wanted = env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let runs = |name: &str| wanted.is_empty() || wanted == name;
    if runs("batches") {
        batches();
    }
}

fn flow() -> Flow {
    file::read(FLOW).expect("reads").flow
}

fn event(n: usize) -> NewEvent {
    let enters = n.is_multiple_of(5);
    let mut properties = flowloom::audience::Properties::new();
    properties.insert("item_count".into(), flowloom::audience::Value::Number(2.0));
    properties.insert("product".into(), flowloom::audience::Value::text("Chronograph 38 mm, steel"));
    properties.insert("url".into(), flowloom::audience::Value::text("https://shop.example/watches/chronograph-38"));
    NewEvent {
        id: format!("event-{n}").as_str().into(),
        contact: format!("person-{}", n * 7_919 % PEOPLE).as_str().into(),
        name: if enters { "Started Checkout" } else { "Viewed Product" }.into(),
        happened: None,
        properties,
        change: None,
    }
}

/// How often the disk can sync 4 KB in a second.
fn syncs_per_second(dir: &Path) -> f64 {
    let mut file = File::create(dir.join("sync")).expect("creates");
    let begun = Clock::now();
    let mut count = 0;
    while begun.elapsed() < Duration::from_millis(500) {
        file.write_all(&[0; 4096]).expect("writes");
        file.sync_data().expect("syncs");
        count += 1;
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

/// Rows as the engine writes them: sizes and counts are taken from what it wrote.
struct Rows {
    journal: Vec<(i64, i64, i64, String, String)>,
    states: Vec<(i64, i64, Option<i64>, String)>,
}

fn batches() {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    println!("events per second in batches of {BATCH}, durable; medians of {ROUNDS} rounds in turn");
    let (mut ours, mut bare, mut syncs) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        syncs.push(syncs_per_second(home.path()));
        let dir = home.path().join(format!("engine-{round}"));
        ours.push(engine_round(&dir));
        let rows = rows_of(&dir);
        bare.push(bare_round(&home.path().join(format!("bare-{round}")), &rows));
    }
    let (ours, bare, syncs) = (median(&mut ours), median(&mut bare), median(&mut syncs));
    println!("  syncs of 4 KB a second       {syncs:>9.0}");
    println!("  bare loop, the same rows     {bare:>9.0}");
    println!("  engine                       {ours:>9.0}   {:.0} % of it (goal: 60 %)", 100.0 * ours / bare);
}

fn median(of: &mut [f64]) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn prepare(dir: &Path) -> (Driver, i64) {
    let mut driver = Driver::open(dir).expect("opens");
    let mut now = 1_795_424_400_000;
    let at = Instant::from_millis(now);
    let order = Order::Publish { flow: Box::new(flow()), workspace: Box::new(Workspace::default()) };
    driver.batch(at, |driver| driver.order(at, "bench", &order)).expect("publishes").0.expect("is published");
    // Everybody is known: what is measured is what comes every day.
    for chunk in 0..PEOPLE / 1_000 {
        now += 10;
        let at = Instant::from_millis(now);
        let people = (chunk * 1_000..(chunk + 1) * 1_000).map(|n| {
            let mut contact = flowloom::audience::Contact::new(format!("person-{n}").as_str());
            contact.email = Some(format!("person-{n}@example.com").into());
            contact.consent.email = flowloom::audience::ConsentStatus::Subscribed;
            flowloom::engine::work::History { contact, events: Vec::new() }
        });
        let people: Vec<_> = people.collect();
        driver
            .batch(at, |driver| {
                for person in &people {
                    driver.history(at, person)?;
                }
                Ok(())
            })
            .expect("takes people");
    }
    (driver, now)
}

fn engine_round(dir: &Path) -> f64 {
    let (mut driver, mut now) = prepare(dir);
    let events: Vec<NewEvent> = (0..EVENTS).map(event).collect();
    let begun = Clock::now();
    for chunk in events.chunks(BATCH) {
        now += 10;
        let at = Instant::from_millis(now);
        driver
            .batch(at, |driver| {
                for event in chunk {
                    driver.event(at, event)?;
                }
                Ok(())
            })
            .expect("takes events");
    }
    EVENTS as f64 / begun.elapsed().as_secs_f64()
}

fn rows_of(dir: &Path) -> Rows {
    let connection = Connection::open(dir.join("flowloom.db")).expect("opens");
    let mut journal = connection
        .prepare("select contact, at, kind, input, trace from journal where kind = 0 order by n")
        .expect("reads");
    let journal = journal.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
    let journal = journal.expect("reads").collect::<Result<_, _>>().expect("reads");
    let mut states = connection.prepare("select n, seen, due, state from contact order by n").expect("reads");
    let states = states.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
    let states = states.expect("reads").collect::<Result<_, _>>().expect("reads");
    Rows { journal, states }
}

/// The same schema, pragmas, rows and batches, and nothing else: a journal row and a contact's row for each event.
fn bare_round(dir: &Path, rows: &Rows) -> f64 {
    drop(prepare(dir));
    let connection = Connection::open(dir.join("flowloom.db")).expect("opens");
    connection
        .execute_batch(
            "pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 4000; \
             pragma cache_size = -65536;",
        )
        .expect("is set");
    let begun = Clock::now();
    for chunk in rows.journal.chunks(BATCH) {
        connection.prepare_cached("begin immediate").unwrap().execute([]).expect("begins");
        for (contact, at, kind, input, trace) in chunk {
            connection
                .prepare_cached("insert into journal(contact, at, kind, input, trace) values (?, ?, ?, ?, ?)")
                .unwrap()
                .execute(params![contact, at, kind, input, trace])
                .expect("writes");
            let (n, seen, due, state) = &rows.states[usize::try_from(*contact).unwrap() - 1];
            connection
                .prepare_cached("update contact set seen = ?, due = ?, state = ? where n = ?")
                .unwrap()
                .execute(params![seen, due, state, n])
                .expect("writes");
        }
        connection.prepare_cached("commit").unwrap().execute([]).expect("commits");
    }
    rows.journal.len() as f64 / begun.elapsed().as_secs_f64()
}
