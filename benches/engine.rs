//! The figures of the engine: events per second, durable, against a bare loop that writes the same rows with the same
//! sync; one event's way from its request to its decision; a million waiting journeys.
//!
//! The one idea: the disk's syncs are the limit, and they vary thirty-fold on one disk (references, engine 2), so what
//! counts is the ratio to a loop of the same writes in the same run, in turn, with the disk's own rate beside it.
//! Goals, printed and not asserted: 60 % of the bare loop; p99 under 50 ms at half load; a start in 2 s and 150 MB with
//! a million waiting, wakes less than 1 s late; a soak without growth beyond the data.
//!
//! `cargo bench --bench engine [batches|http|singles|waiting|soak]`: `batches` calls the driver alone, all others talk
//! to the real program over loopback. `waiting` and `soak` run only by name; `FLOWLOOM_WAITING` says how many wait
//! (1,000,000), `FLOWLOOM_SOAK_MINUTES` how long the soak is (1).

#![allow(clippy::disallowed_methods, reason = "measuring is the one thing that needs a clock")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench that cannot run should say so at once")]

use std::{
    env,
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant as Clock},
};

use flowloom::{
    audience::{Channel, ConsentStatus},
    base::Instant,
    engine::{
        driver::Driver,
        work::{NewEvent, Order},
    },
    flow::{Flow, file},
};
use rusqlite::{Connection, params};

const FLOW: &str = r#"(version: 2, id: "demo", name: "Demo", settings: (reentry: after_exit), nodes: [
    (id: "start", kind: "trigger", settings: (any: [event(event: "Started Checkout", filter: "event.item_count > 1")])),
    (id: "wait", kind: "delay", settings: (wait: for("4 h"))),
    (id: "mail", kind: "email", settings: (message: "m")),
    (id: "later", kind: "delay", settings: (wait: for("8 h"))),
    (id: "rich", kind: "condition", settings: (condition: "did \"Viewed Product\" at least 3 times in the last 7 days")),
    (id: "second", kind: "email", settings: (message: "m")),
], edges: [(from: "start", to: "wait"), (from: "wait", to: "mail"), (from: "mail", to: "later"), (from: "later", to: "rich"), (from: "rich", port: "yes", to: "second")],
messages: [(id: "m", subject: "Hello", body: html("Hello <a href=\"{unsubscribe_url}\">Unsubscribe</a>"))])"#;

/// Without a sender every mail would be held.
const WORKSPACE: &str = r#"(version: 1, senders: [(id: "shop", name: "Shop", email: "shop@shop.example")])"#;

/// People who do things.
const PEOPLE: usize = 20_000;
/// Events of a round.
const EVENTS: usize = 20_000;
const BATCH: usize = 100;
const ROUNDS: usize = 5;

/// Connections that send batches at the same time.
const CLIENTS: usize = 4;
/// Connections that send one event at a time.
const SINGLES: usize = 32;

fn main() {
    let wanted = env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let runs = |name: &str| wanted.is_empty() || wanted == name;
    if runs("batches") {
        batches();
    }
    if runs("http") {
        http();
    }
    if runs("singles") {
        singles();
    }
    if wanted == "waiting" {
        waiting();
    }
    if wanted == "soak" {
        soak();
    }
}

fn number(name: &str, usual: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
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
    let home = folder();
    println!("events per second in batches of {BATCH}, durable; medians of {ROUNDS} rounds in turn");
    let (mut ours, mut bare, mut syncs) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        syncs.push(syncs_per_second(home.path()));
        let dir = home.path().join(format!("engine-{round}"));
        ours.push(engine_round(&dir));
        let rows = rows_of(&dir);
        bare.push(bare_round(&home.path().join(format!("bare-{round}")), &rows, BATCH));
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

fn publish(driver: &mut Driver, flow: Flow, at: Instant) {
    let workspace = Box::new(file::read_workspace(WORKSPACE).expect("reads").0);
    let order = Order::Publish { flow: Box::new(flow), workspace };
    driver.batch(at, |driver| driver.order(at, "bench", &order)).expect("publishes").0.expect("is published");
}

fn prepare(dir: &Path) -> (Driver, i64) {
    let mut driver = Driver::open(dir).expect("opens");
    let mut now = 1_795_424_400_000;
    publish(&mut driver, flow(), Instant::from_millis(now));
    // Everybody is known: what is measured is what comes every day.
    for chunk in 0..PEOPLE / 1_000 {
        now += 10;
        let at = Instant::from_millis(now);
        let people = (chunk * 1_000..(chunk + 1) * 1_000).map(|n| {
            let mut contact = flowloom::audience::Contact::new(format!("person-{n}").as_str());
            contact.email = Some(format!("person-{n}@example.com").into());
            contact.consent.email = flowloom::audience::ConsentStatus::Subscribed;
            flowloom::engine::work::History { contact, events: Vec::new(), suppressed: false }
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

/// The same schema, rows, syncs and commits, and nothing else: a journal row and a contact's row for each event. Its
/// log goes into the file every 4,000 frames, which makes such a loop quickest (references, engine 2).
fn bare_round(dir: &Path, rows: &Rows, size: usize) -> f64 {
    drop(prepare(dir));
    let connection = Connection::open(dir.join("flowloom.db")).expect("opens");
    connection
        .execute_batch(
            "pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 4000; \
             pragma cache_size = -65536;",
        )
        .expect("is set");
    let begun = Clock::now();
    for chunk in rows.journal.chunks(size) {
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

// ---- over HTTP, against the real program ---------------------------------------------------------------------------

/// The program, running in a folder; killed where the bench ends early.
struct Engine {
    child: Child,
    address: String,
    data: PathBuf,
    /// From its start to its word that it listens.
    start: Duration,
}

impl Engine {
    fn start(data: &Path, flow: &str, more: &[&str]) -> Self {
        let file = data.with_extension("flow.ron");
        fs::write(&file, flow).expect("writes");
        fs::write(file.with_file_name("flowloom.ron"), WORKSPACE).expect("writes");
        let begun = Clock::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_flowloom"))
            .arg("run")
            .arg(&file)
            .arg("--data")
            .arg(data)
            .args(["--listen", "127.0.0.1:0", "--force"])
            .args(more)
            .env("FLOWLOOM_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address =
            lines.map_while(Result::ok).find_map(|line| line.strip_prefix("Listening on http://").map(str::to_owned));
        let address = address.expect("it listens");
        Self { child, address, data: data.to_owned(), start: begun.elapsed() }
    }

    /// A number of `/proc/PID/status`, in MB. 0 on systems that have none.
    fn memory_mb(&self, key: &str) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let kib = text.lines().find_map(|line| line.strip_prefix(key)?.trim().split(' ').next()?.parse::<f64>().ok());
        kib.unwrap_or(0.0) / 1_024.0
    }

    /// What the status command says, as JSON.
    fn status(&self) -> serde_json::Value {
        let said = Command::new(env!("CARGO_BIN_EXE_flowloom"))
            .args(["status", "--format", "json", "--data"])
            .arg(&self.data)
            .output()
            .expect("runs");
        serde_json::from_slice(&said.stdout).expect("JSON")
    }

    /// Items in one commit, on average.
    fn mean_batch(&self) -> usize {
        let mut stream = TcpStream::connect(&self.address).expect("connects");
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").expect("asks");
        let mut page = String::new();
        stream.read_to_string(&mut page).expect("answers");
        let number = |name: &str| -> f64 {
            let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|line| line.trim().parse().ok()).expect("is among the metrics")
        };
        (number("flowloom_batch_items_sum") / number("flowloom_batch_items_count")).round().max(1.0) as usize
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that stays open.
struct Line(BufReader<TcpStream>);

impl Line {
    fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("connects");
        stream.set_nodelay(true).expect("is set");
        Self(BufReader::new(stream))
    }

    /// Sends events, and waits until they are durable and decided.
    fn send(&mut self, body: &str) {
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.0.get_mut().write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).expect("sends");
        let (mut line, mut length, mut is_last) = (String::new(), 0, false);
        self.0.read_line(&mut line).expect("answers");
        assert!(line.contains(" 202 "), "{line}");
        loop {
            line.clear();
            self.0.read_line(&mut line).expect("answers");
            if let Some(found) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = found.trim().parse().expect("a number");
            }
            is_last |= line.trim().eq_ignore_ascii_case("connection: close");
            if line.trim().is_empty() {
                break;
            }
        }
        self.0.read_exact(&mut vec![0; length]).expect("answers");
        if is_last {
            let address = self.0.get_ref().peer_addr().expect("has one");
            *self = Self::to(&address.to_string());
        }
    }
}

fn json_of(event: &NewEvent) -> String {
    let (id, contact, name) = (event.id.as_str(), event.contact.as_str(), event.name.as_str());
    serde_json::json!({"id": id, "contact": contact, "name": name, "properties": event.properties}).to_string()
}

fn bodies(from: usize, count: usize, size: usize) -> Vec<String> {
    let events: Vec<String> = (from..from + count).map(|n| json_of(&event(n))).collect();
    events.chunks(size).map(|chunk| chunk.join("\n")).collect()
}

fn http() {
    let home = folder();
    println!(
        "events per second over HTTP, batches of {BATCH} from {CLIENTS} clients, durable; medians of {ROUNDS} rounds in turn"
    );
    let (mut ours, mut bare, mut syncs, mut sizes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        syncs.push(syncs_per_second(home.path()));
        let dir = home.path().join(format!("engine-{round}"));
        drop(prepare(&dir));
        let engine = Engine::start(&dir, FLOW, &[]);
        let per_client = EVENTS / CLIENTS;
        let work: Vec<Vec<String>> =
            (0..CLIENTS).map(|client| bodies(client * per_client, per_client, BATCH)).collect();
        let begun = Clock::now();
        thread::scope(|scope| {
            for bodies in &work {
                let address = &engine.address;
                scope.spawn(move || {
                    let mut line = Line::to(address);
                    bodies.iter().for_each(|body| line.send(body));
                });
            }
        });
        ours.push(EVENTS as f64 / begun.elapsed().as_secs_f64());
        // What the engine puts into one commit while several clients wait for it, the loop does, too.
        let mean = engine.mean_batch();
        drop(engine);
        let rows = rows_of(&dir);
        assert_eq!(rows.journal.len(), EVENTS, "all are there");
        bare.push(bare_round(&home.path().join(format!("bare-{round}")), &rows, mean));
        sizes.push(mean as f64);
    }
    let (ours, bare, syncs) = (median(&mut ours), median(&mut bare), median(&mut syncs));
    println!("  syncs of 4 KB a second       {syncs:>9.0}");
    println!("  items in one commit          {:>9.0}   of both", median(&mut sizes));
    println!("  bare loop, the same rows     {bare:>9.0}");
    println!("  engine over HTTP             {ours:>9.0}   {:.0} % of it (goal: 60 %)", 100.0 * ours / bare);
}

/// The value below which a share of them lies.
fn share(sorted: &[f64], frac: f64) -> f64 {
    sorted.get(((sorted.len() as f64 * frac) as usize).min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

/// Single events from many connections, each at its turn; the time from when each was to be sent to its answer, in
/// milliseconds. Without a pace as fast as answers come.
fn single_round(address: &str, from: usize, per_second: Option<f64>, seconds: f64) -> Vec<f64> {
    let begun = Clock::now();
    let round = |client: usize| {
        let mut line = Line::to(address);
        let mut late = Vec::new();
        for turn in 0.. {
            let n = turn * SINGLES + client;
            let at = per_second.map_or_else(|| begun.elapsed().as_secs_f64(), |rate| n as f64 / rate);
            if at >= seconds {
                break;
            }
            thread::sleep(Duration::from_secs_f64((at - begun.elapsed().as_secs_f64()).max(0.0)));
            line.send(&json_of(&event(from + n)));
            late.push((begun.elapsed().as_secs_f64() - at) * 1_000.0);
        }
        late
    };
    let round = &round;
    thread::scope(|scope| {
        let clients: Vec<_> = (0..SINGLES).map(|client| scope.spawn(move || round(client))).collect();
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    })
}

fn singles() {
    let home = folder();
    let dir = home.path().join("engine");
    drop(prepare(&dir));
    println!("single events over {SINGLES} connections, from sending to durable and decided");
    println!("  syncs of 4 KB a second       {:>9.0}", syncs_per_second(home.path()));
    let engine = Engine::start(&dir, FLOW, &[]);
    single_round(&engine.address, 0, None, 1.0);
    let most = single_round(&engine.address, 1_000_000, None, 5.0).len() as f64 / 5.0;
    println!("  as fast as they go           {most:>9.0} a second");
    let mut late = single_round(&engine.address, 2_000_000, Some(most / 2.0), 15.0);
    late.sort_by(f64::total_cmp);
    println!(
        "  at half of that              p50 {:.1} ms, p99 {:.1} ms (goal: 50 ms), at most {:.1} ms",
        share(&late, 0.5),
        share(&late, 0.99),
        share(&late, 1.0)
    );
}

// ---- a million waiting ---------------------------------------------------------------------------------------------

/// What is due decides over the history and waits on: timers are measured, not mails.
const WAITING_FLOW: &str = r#"(version: 2, id: "demo", name: "Demo", nodes: [
    (id: "start", kind: "trigger", settings: (any: [event(event: "Started Checkout")])),
    (id: "wait", kind: "delay", settings: (wait: for("4 h"))),
    (id: "rich", kind: "condition", settings: (condition: "did \"Viewed Product\" at least 3 times in the last 7 days")),
    (id: "later", kind: "delay", settings: (wait: for("8 h"))),
], edges: [(from: "start", to: "wait"), (from: "wait", to: "rich"), (from: "rich", port: "no", to: "later")])"#;
/// So many become due each second, for so many seconds.
const DUE_PER_SECOND: usize = 1_000;
const DUE_SECONDS: usize = 30;
const FOUR_HOURS_MILLIS: i64 = 4 * 3_600_000;

fn millis_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("in range")
}

/// People who enter at an instant each, in big batches.
fn enter(driver: &mut Driver, numbers: std::ops::Range<usize>, at_millis: impl Fn(usize) -> i64) {
    let numbers: Vec<usize> = numbers.collect();
    for chunk in numbers.chunks(2_000) {
        let events: Vec<NewEvent> = chunk
            .iter()
            .map(|n| NewEvent {
                id: format!("enter-{n}").as_str().into(),
                contact: format!("waiting-{n}").as_str().into(),
                name: "Started Checkout".into(),
                change: Some(flowloom::kinds::runtime::Change {
                    email: Some(format!("waiting-{n}@example.com").into()),
                    consent: vec![(Channel::Email, ConsentStatus::Subscribed)],
                    ..Default::default()
                }),
                ..event(*n)
            })
            .collect();
        let last = Instant::from_millis(at_millis(*chunk.last().expect("not empty")));
        driver
            .batch(last, |driver| {
                for (n, event) in chunk.iter().zip(&events) {
                    driver.event(Instant::from_millis(at_millis(*n)), event)?;
                }
                Ok(())
            })
            .expect("takes events");
    }
}

fn waiting() {
    let count = usize::try_from(number("FLOWLOOM_WAITING", 1_000_000)).expect("a number");
    let home = folder();
    let dir = home.path().join("engine");
    let soon = (DUE_PER_SECOND * DUE_SECONDS).min(count);
    println!("{count} waiting journeys");
    let begun = Clock::now();
    {
        let mut driver = Driver::open(&dir).expect("opens");
        let now = millis_now();
        publish(&mut driver, file::read(WAITING_FLOW).expect("reads").flow, Instant::from_millis(now - 5 * 3_600_000));
        enter(&mut driver, soon..count, |_| now);
        // The last ones enter as if four hours ago, and become due one by one from ten seconds after now.
        let from = millis_now() - FOUR_HOURS_MILLIS + 10_000 + (soon as i64 / 5);
        enter(&mut driver, 0..soon, |n| from + (n * 1_000 / DUE_PER_SECOND) as i64);
        driver.store().checkpoint().expect("is checkpointed");
    }
    let bytes = fs::metadata(dir.join("flowloom.db")).expect("is there").len();
    println!(
        "  made in                      {:>9.0} s, {:.0} bytes each",
        begun.elapsed().as_secs_f64(),
        bytes as f64 / count as f64
    );
    let engine = Engine::start(&dir, WAITING_FLOW, &[]);
    println!("  start of the program         {:>9.2} s (goal: 2 s)", engine.start.as_secs_f64());
    println!("  memory after it              {:>9.0} MB (goal: 150 MB)", engine.memory_mb("VmRSS:"));
    let before = engine.status()["waiting"].as_u64().unwrap_or(0);
    assert!(before + soon as u64 >= count as u64, "{before} wait");
    thread::sleep(Duration::from_secs(15 + DUE_SECONDS as u64 + soon as u64 / 5_000));
    let status = engine.status();
    let timers = &status["latency"]["timers"];
    println!("  waiting                      {before:>9}");
    println!(
        "  {} woken at {DUE_PER_SECOND} a second     p50 {} ms, p99 {} ms (goal: 1000 ms), at most {} ms",
        timers["count"], timers["p50"], timers["p99"], timers["max"]
    );
    println!("  memory at its highest        {:>9.0} MB (goal: 150 MB)", engine.memory_mb("VmHWM:"));
}

// ---- a soak --------------------------------------------------------------------------------------------------------

/// Events a second of a soak.
const SOAK_RATE: f64 = 500.0;

fn soak() {
    let minutes = number("FLOWLOOM_SOAK_MINUTES", 1);
    let home = folder();
    let dir = home.path().join("engine");
    drop(prepare(&dir));
    println!("{minutes} minutes of {SOAK_RATE} events a second, waits of hours in seconds, mails into a folder");
    // A flow hour in six seconds: lateness that the disk makes stays within what the flow takes for being in time.
    let engine = Engine::start(&dir, FLOW, &["--time-scale", "600"]);
    let size = |name: &str| fs::metadata(dir.join(name)).map_or(0, |found| found.len()) as f64 / 1e6;
    let total = Duration::from_secs(60 * minutes);
    let begun = Clock::now();
    println!(
        "  minute   events   memory MB   file MB   log MB   bytes of the file for each event since the line before"
    );
    thread::scope(|scope| {
        let address = &engine.address;
        let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = sent.clone();
        scope.spawn(move || {
            let mut line = Line::to(address);
            let size = 50;
            for n in 0.. {
                let at = Duration::from_secs_f64((n * size) as f64 / SOAK_RATE);
                if at >= total {
                    break;
                }
                thread::sleep(at.saturating_sub(begun.elapsed()));
                line.send(&bodies(n * size, size, size)[0]);
                count.fetch_add(size, std::sync::atomic::Ordering::Relaxed);
            }
        });
        let mut before = (0, size("flowloom.db"));
        for tenth in 1..=10 {
            thread::sleep((total * tenth / 10).saturating_sub(begun.elapsed()));
            let now = (sent.load(std::sync::atomic::Ordering::Relaxed), size("flowloom.db"));
            println!(
                "  {:>6.1}{:>9}{:>12.1}{:>10.1}{:>9.1}{:>9.0}",
                begun.elapsed().as_secs_f64() / 60.0,
                now.0,
                engine.memory_mb("VmRSS:"),
                now.1,
                size("flowloom.db-wal"),
                (now.1 - before.1) * 1e6 / (now.0 - before.0).max(1) as f64
            );
            before = now;
        }
    });
}
