//! The engine's commands against a real engine process, and against its folder while none runs.
//!
//! Guards what scripts rely on: exit codes, one JSON object each, hints with a way out, and that the same command does
//! the same whether the engine runs or not.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::{Said, check};

const WORKSPACE: &str = r#"(version: 1, name: "Shop", zone: "UTC", caps: [],
    senders: [(id: "shop", name: "Shop", email: "hello@shop.example")],
    brand: (name: "Shop", address: "1 Harbour Lane, Hamburg", website: "https://shop.example"))"#;

/// A flow that mails at once and again after four hours; `steps` is what follows the first mail.
fn flow(steps: &str, edges: &str) -> String {
    let body =
        r#"html("<p>Hello</p><p><a href=\"{{ unsubscribe_url }}\">Unsubscribe</a>, 1 Harbour Lane, Hamburg</p>")"#;
    format!(
        r#"(version: 2, id: "welcome", name: "Welcome", settings: (reentry: once), nodes: [
    (id: "start", kind: "trigger", settings: (any: [event(event: "Signed Up")])),
    (id: "hello", kind: "email", settings: (message: "hello")),
    {steps}
], edges: [(from: "start", to: "hello"), {edges}],
messages: [(id: "hello", subject: "Welcome", body: {body}), (id: "later", subject: "Later", body: {body})])"#
    )
}

fn first_version() -> String {
    flow(
        r#"(id: "wait", kind: "delay", settings: (wait: for("4 h"))),
    (id: "later", kind: "email", settings: (message: "later")),"#,
        r#"(from: "hello", to: "wait"), (from: "wait", to: "later")"#,
    )
}

/// The wait is another step.
fn second_version() -> String {
    flow(
        r#"(id: "pause", kind: "delay", settings: (wait: for("2 h"))),
    (id: "later", kind: "email", settings: (message: "later")),"#,
        r#"(from: "hello", to: "pause"), (from: "pause", to: "later")"#,
    )
}

/// A fresh folder with the workspace and the flow.
fn home() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("flowloom.ron"), WORKSPACE).expect("writes");
    fs::write(folder.path().join(FLOW), first_version()).expect("writes");
    folder
}

const FLOW: &str = "welcome.flow.ron";
const DATA: [&str; 2] = ["--data", "data"];

fn event(id: &str, contact: &str, name: &str) -> String {
    format!(
        r#"{{"id": "{id}", "contact": "{contact}", "name": "{name}", "profile": {{"email": "{contact}@shop.example", "consent": {{"email": "subscribed"}}}}}}"#
    )
}

/// An engine in its own process; killed where a test fails.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    /// Starts one and waits until it says where it listens.
    fn start(folder: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_flowloom"))
            .args(["run", FLOW, "--data", "data", "--listen", "127.0.0.1:0"])
            .args(more)
            .current_dir(folder)
            .env("FLOWLOOM_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Listening on http://").map(str::to_owned));
        let Some(address) = address else {
            let mut err = String::new();
            child.stderr.take().expect("piped").read_to_string(&mut err).expect("reads");
            panic!("it does not start: {err}");
        };
        Self { child, address }
    }

    /// Tells it to stop, as service managers do; what it said on standard error.
    fn stop(mut self) -> String {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(told.success());
        let until = Instant::now() + Duration::from_secs(30);
        while self.child.try_wait().expect("waits").is_none() {
            assert!(Instant::now() < until, "it does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.child.wait().expect("ended").code(), Some(0));
        let mut err = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut err).expect("reads");
        err
    }

    /// Dies at once.
    fn kill(mut self) {
        self.child.kill().expect("kills");
        self.child.wait().expect("ended");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that was stopped has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that talks to the engine of the folder.
#[track_caller]
fn ask(folder: &Path, args: &[&str], code: i32, wanted: &[&str]) -> Said {
    check(folder, &[args, &DATA].concat(), code, wanted)
}

/// Hands a text in by standard input.
#[track_caller]
fn ingest(folder: &Path, text: &str, code: i32, wanted: &[&str]) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_flowloom"))
        .args(["ingest", "-", "--data", "data"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("writes");
    let output = child.wait_with_output().expect("ends");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}");
    for text in wanted {
        assert!(said.contains(text), "{text:?} in {said}");
    }
}

/// Mails that lie in the folder.
fn mails(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("data/mails")).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect()
}

#[track_caller]
fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_engine_is_talked_to_while_it_runs() {
    let home = home();
    let folder = home.path();
    let engine = Running::start(folder, &[]);

    // Events from a file: each line has its answer.
    let lines = [
        event("e1", "ada", "Signed Up"),
        event("e2", "ben", "Viewed Product"),
        "{\"contact\": \"eve\"}".to_owned(),
        event("e1", "ada", "Signed Up"),
    ];
    fs::write(folder.join("events.jsonl"), lines.join("\n")).expect("writes");
    let wanted = ["2 accepted, 1 known already, 1 refused", "line 3:", "hint:"];
    ask(folder, &["ingest", "events.jsonl"], 1, &wanted);
    let said = ask(folder, &["ingest", "events.jsonl", "--format", "json"], 1, &[]).json();
    assert_eq!(
        (&said["schema"], &said["duplicates"], &said["refused"]),
        (&"flowloom/ingest/1".into(), &3.into(), &1.into())
    );
    ingest(
        folder,
        &format!("[{}, {}]", event("e3", "cleo", "Signed Up"), event("e4", "cleo", "Viewed Product")),
        0,
        &["2 accepted, 0 known already, 0 refused"],
    );
    ask(folder, &["ingest", "nothing.jsonl"], 2, &["nothing.jsonl cannot be read", "hint:"]);
    ask(folder, &["ingest", "."], 2, &["is a folder", "--history"]);
    ask(folder, &["ingest"], 2, &["FILE"]);

    wait_for("two mails leave", || mails(folder).len() == 2);
    let address = engine.address.clone();
    ask(
        folder,
        &["status"],
        0,
        &[&format!("The engine runs at http://{address}"), "Welcome (welcome): live", "2 entered", "hello", "2 sent"],
    );
    let status = ask(folder, &["status", "--format", "json"], 0, &[]).json();
    assert_eq!((&status["schema"], &status["contacts"]), (&"flowloom/status/1".into(), &3.into()));

    // A person, by id and by address; the mail as sent.
    wait_for("the mail is settled", || ask(folder, &["contact", "ada"], 0, &[]).out.contains("  sent"));
    ask(folder, &["contact", "ada@shop.example"], 0, &["ada (ada@shop.example)", "welcome", "at wait", "Trace"]);
    let view = ask(folder, &["contact", "ada", "--format", "json"], 0, &[]).json();
    assert_eq!(view["schema"], "flowloom/contact/1");
    let key = view["sends"][0]["key"].as_str().expect("a key").to_owned();
    ask(folder, &["contact", "ada", "--mail", &key], 0, &["Subject: Welcome", "ada@shop.example"]);
    ask(folder, &["contact", "ada", "--mail", "no/such/1"], 2, &["No mail is kept", "lists the keys"]);
    ask(folder, &["contact", "nobody"], 2, &["There is no contact `nobody`"]);

    // What says neither its id nor when it happened is told by its place in its file, as where no engine runs.
    let lines = "{\"contact\": \"ada\", \"name\": \"Viewed Product\"}\n".repeat(2);
    fs::write(folder.join("bare.jsonl"), &lines).expect("writes");
    ask(folder, &["ingest", "bare.jsonl"], 0, &["2 accepted, 0 known already"]);
    ask(folder, &["ingest", "bare.jsonl"], 0, &["0 accepted, 2 known already"]);
    ingest(folder, &lines, 0, &["2 accepted, 0 known already"]);
    fs::write(folder.join("bad.json"), "[{").expect("writes");
    ask(folder, &["ingest", "bad.json"], 2, &["the body is not JSON", "hint:"]);

    // All that is kept of a person.
    let all = ask(folder, &["contact", "ada", "--format", "json"], 0, &[]).json();
    assert_eq!((all["events"][0]["name"].clone(), all["codes"].clone()), ("Signed Up".into(), serde_json::json!([])));
    assert!(all["profile"].to_string().contains("ada@shop.example"), "{}", all["profile"]);
    assert_eq!(all["mails"][0]["key"].as_str(), Some(&*key));
    assert!(all["mails"][0]["eml"].as_str().is_some_and(|mail| mail.contains("Subject: Welcome")), "{}", all["mails"]);

    // A flow with errors: not without being asked to.
    fs::write(folder.join(FLOW), first_version().replace("message: \"later\"", "message: \"none\"")).expect("writes");
    ask(folder, &["publish", FLOW], 1, &["error", "flowloom check", "--force"]);
    fs::write(folder.join(FLOW), first_version()).expect("writes");

    // Words to a flow.
    ask(folder, &["pause", "welcome"], 0, &["welcome is paused"]);
    ask(folder, &["status"], 0, &["Welcome (welcome): paused"]);
    ask(folder, &["pause", "welcom"], 1, &["No flow `welcom` is live here", "welcome"]);
    ask(folder, &["resume", "welcome", "--dry-run"], 0, &["Nothing of welcome is held"]);
    let said = ask(folder, &["resume", "welcome", "--format", "json"], 0, &[]).json();
    assert_eq!((&said["schema"], &said["done"]), (&"flowloom/order/1".into(), &"welcome goes on".into()));
    ask(folder, &["pause", "welcome", "--freeze"], 0, &[]);
    ask(folder, &["status"], 0, &["Welcome (welcome): frozen"]);
    ask(folder, &["resume", "welcome"], 0, &["welcome goes on"]);
    ask(folder, &["publish", FLOW], 0, &["welcome is live already"]);
    ask(folder, &["drain", "welcome"], 0, &["lets nobody in any more"]);
    ask(folder, &["status", "--audit"], 0, &["By hand, newest first", "command line: welcome is paused"]);
    let audit = ask(folder, &["status", "--audit", "1", "--format", "json"], 0, &[]).json()["audit"].clone();
    assert_eq!((audit[0]["who"].clone(), audit[1].clone()), ("command line".into(), serde_json::Value::Null));
    ask(folder, &["status"], 0, &["Welcome (welcome): draining"]);
    ingest(folder, &event("e5", "dora", "Signed Up"), 0, &["1 accepted"]);
    ask(folder, &["status"], 0, &["2 entered"]);
    ask(folder, &["held"], 0, &["Nothing is held"]);
    assert_eq!(ask(folder, &["held", "--format", "json"], 0, &[]).json()["rows"], serde_json::json!([]));
    ask(folder, &["retry", "nonsense"], 2, &["`nonsense` is no key", "flowloom held shows them"]);
    ask(folder, &["retry", "welcome-1/hello/1"], 1, &["Nothing is held"]);
    ask(folder, &["retry", "welcome-1/hello/1", "--sent"], 1, &["There is no send", "flowloom held"]);

    // A journey by hand.
    let journey = view["journeys"][0]["id"].as_str().expect("a journey").to_owned();
    ask(folder, &["move", "ada", &journey, "--to", "nowhere"], 1, &["no step `nowhere`"]);
    ask(folder, &["move", "ada", "no-journey", "--to", "later"], 1, &["no journey `no-journey` under way"]);
    ask(folder, &["move", "ada", &journey, "--to", "later"], 0, &["to later"]);
    wait_for("the second mail leaves", || mails(folder).len() == 3);
    ask(folder, &["contact", "ada"], 0, &["By hand", "command line: moved"]);

    // One folder, one engine; one port, one listener.
    check(
        folder,
        &["run", FLOW, "--data", "data", "--listen", "127.0.0.1:0"],
        1,
        &["Another engine runs in data", "hint:"],
    );
    check(folder, &["run", FLOW, "--data", "other", "--listen", &address], 1, &["cannot be listened on", "--listen"]);

    let said = engine.stop();
    assert!(said.contains("Stopping"), "{said}");
    assert!(!folder.join("data/engine.json").exists());
    ask(folder, &["status"], 0, &["The engine does not run"]);
}

#[test]
fn the_same_commands_work_while_none_runs() {
    let home = home();
    let folder = home.path();
    for args in
        [&["status"][..], &["held"], &["contact", "ada"], &["pause", "welcome"], &["ingest", FLOW], &["backup", "b.db"]]
    {
        ask(folder, args, 2, &["There is no engine's data in data", "hint:"]);
    }
    // An engine that dies leaves nothing that stands in the way.
    Running::start(folder, &[]).kill();
    assert!(folder.join("data/engine.json").exists());
    ask(folder, &["status"], 0, &["The engine does not run"]);

    ingest(
        folder,
        &[event("e1", "ada", "Signed Up"), "not JSON".to_owned()].join("\n"),
        1,
        &["1 accepted", "1 refused", "line 2:"],
    );
    ask(folder, &["contact", "ada"], 0, &["at wait", "hello/1  due"]);
    ask(folder, &["pause", "welcome"], 0, &["welcome is paused"]);
    // What is held of the flow is shown, however much older is held of others.
    let store = Connection::open(folder.join("data/flowloom.db")).expect("opens");
    let add = |flow: &str, count: u32, since: u32| {
        let sql = "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?2) insert into held \
                   select contact.n, ?1 || i, ?1, 'hello', ?1 || i || '/hello/1', 'paused', '', ?3 from n, contact";
        store.execute(sql, (flow, count, since)).expect("writes");
    };
    add("another", 10_001, 1);
    add("welcome", 2, 2);
    ask(folder, &["resume", "welcome", "--dry-run"], 0, &["2 messages or steps of welcome are held"]);
    ask(folder, &["resume", "another", "--dry-run"], 0, &["10000 messages or steps of another are held, or more"]);
    store.execute("delete from held", []).expect("writes");
    drop(store);
    ask(folder, &["resume", "welcome"], 0, &["welcome goes on"]);
    assert!(mails(folder).is_empty());
    let engine = Running::start(folder, &[]);
    wait_for("what was due leaves", || mails(folder).len() == 1);
    // Taken in while none runs, known to one that does.
    fs::write(folder.join("bare.jsonl"), "{\"contact\": \"ada\", \"name\": \"Viewed Product\"}\n").expect("writes");
    ask(folder, &["ingest", "bare.jsonl"], 0, &["1 accepted"]);
    engine.stop();
    ask(folder, &["ingest", "bare.jsonl"], 0, &["0 accepted, 1 known already"]);

    // A flow with errors: not without being asked to, and then it can be taken back.
    fs::write(folder.join(FLOW), first_version().replace("message: \"later\"", "message: \"none\"")).expect("writes");
    ask(folder, &["publish", FLOW], 1, &["error", "flowloom check", "--force"]);
    ask(folder, &["publish", FLOW, "--force"], 0, &["welcome is live in version"]);

    // Another version: people stay in theirs until they are moved.
    fs::write(folder.join(FLOW), second_version()).expect("writes");
    let said = ask(folder, &["publish", FLOW, "--format", "json"], 0, &[]).json();
    assert!(said["done"].as_str().is_some_and(|done| done.starts_with("welcome is live in version")), "{said}");
    ask(
        folder,
        &["migrate", "welcome"],
        0,
        &["1 journey at wait ends: the step is gone (--map wait=STEP", "--yes does it"],
    );
    let said = ask(folder, &["migrate", "welcome", "--map", "wait=pause", "--format", "json"], 0, &[]).json();
    assert_eq!(said["moves"], serde_json::json!([{"from": "wait", "to": "pause", "journeys": 1}]));
    assert!(said["done"].is_null());
    ask(folder, &["migrate", "welcome", "--map", "wait"], 2, &["old=new"]);
    ask(folder, &["migrate", "welcome", "--map", "wait=nowhere", "--yes"], 1, &["no step `nowhere`"]);
    ask(folder, &["migrate", "other"], 2, &["No flow `other` is live here"]);
    ask(
        folder,
        &["migrate", "welcome", "--map", "wait=pause", "--yes"],
        0,
        &["1 journey at wait goes to pause", "moves its journeys"],
    );
    ask(folder, &["contact", "ada"], 0, &["at pause"]);
    ask(folder, &["migrate", "welcome"], 0, &["Nobody walks an older version"]);
}

#[test]
fn copies_go_out_and_come_back() {
    let home = home();
    let folder = home.path();
    let engine = Running::start(folder, &[]);
    ingest(folder, &event("e1", "ada", "Signed Up"), 0, &[]);
    wait_for("a mail leaves", || mails(folder).len() == 1);
    ask(folder, &["backup", "copy.db"], 0, &["Wrote copy.db"]);
    ask(folder, &["backup", "copy.db"], 2, &["is there already"]);
    ingest(folder, &event("e2", "ben", "Signed Up"), 0, &[]);
    ask(folder, &["restore", "copy.db"], 1, &["Another engine runs in data"]);
    engine.stop();
    ask(folder, &["restore", FLOW], 2, &["hint:"]);
    ask(folder, &["restore", "none.db"], 2, &["hint:"]);
    ask(folder, &["restore", "copy.db"], 0, &["copy.db is in place", "flowloom held"]);
    ask(folder, &["contact", "ada"], 0, &["at wait"]);
    ask(folder, &["contact", "ben"], 2, &["There is no contact"]);
    let engine = Running::start(folder, &[]);
    ask(folder, &["status"], 0, &["1 contact,"]);

    // A person is forgotten, and stays unwritten to.
    ask(folder, &["forget", "ada"], 1, &["for good", "--yes"]);
    ask(folder, &["forget", "nobody", "--yes"], 1, &["There is no contact `nobody`"]);
    let said =
        ask(folder, &["forget", "ada", "--yes"], 0, &["ada is forgotten", "1 file of a mail", "before-restore-1"]);
    assert!(!said.out.contains("flowloom.db,") && !said.out.contains("Not deleted"), "{said:?}");
    let said = ask(folder, &["contact", "ada"], 0, &["never to be written to"]);
    assert!(!said.out.contains("ada@shop.example") && !said.out.contains("at wait"), "{said:?}");

    fs::write(folder.join("list.txt"), "# bounced\nEve@shop.example\n\nfinn@shop.example\n+49 151 12345678\n")
        .expect("writes");
    fs::write(folder.join("bad.txt"), "eve@shop.example\nnobody\n").expect("writes");
    fs::write(folder.join("empty.txt"), "# nobody\n").expect("writes");
    ask(folder, &["suppress", "bad.txt"], 2, &["`nobody` is neither", "nothing was changed"]);
    ask(folder, &["suppress", "empty.txt"], 2, &["names no address"]);
    ask(folder, &["suppress", "none.txt"], 2, &["none.txt cannot be read"]);
    ask(folder, &["suppress", "list.txt"], 0, &["3 of 3 addresses added to the suppression list"]);
    let listed = ask(folder, &["suppress", "--list"], 0, &["+4915112345678\neve@shop.example\nfinn@shop.example\n"]);
    assert!(!listed.out.contains("nobody"));
    ingest(folder, &event("e7", "finn", "Signed Up"), 0, &[]);
    wait_for("finn's mail is skipped", || ask(folder, &["contact", "finn"], 0, &[]).out.contains("skipped"));
    ask(folder, &["suppress", "list.txt", "--lift"], 0, &["3 of 3 addresses taken off"]);
    let listed = ask(folder, &["suppress", "--list", "--format", "json"], 0, &[]).json();
    assert_eq!(listed["schema"], "flowloom/suppressed/1");
    ask(folder, &["suppress", "list.txt", "--list"], 2, &["cannot be used with"]);
    engine.stop();
}

/// Nothing of a person outlives them in files, whether the engine runs or not.
#[test]
fn people_are_forgotten_with_their_files() {
    let home = home();
    let folder = home.path();
    let (done, aside) = (folder.join("in/done"), folder.join("data/aside"));
    let engine = Running::start(folder, &["--watch", "in"]);
    let both = format!("{}\n{}\n", event("e1", "ada", "Signed Up"), event("e2", "ben", "Signed Up"));
    fs::write(folder.join("in/a.jsonl"), &both).expect("writes");
    wait_for("the file is read", || done.join("a.jsonl").exists());
    wait_for("both mails leave", || mails(folder).len() == 2);
    fs::create_dir_all(&aside).expect("creates");
    let body = "{\"schema\":\"flowloom/aside/1\",\"body\":\"ADA@shop.example\"}";
    fs::write(aside.join("1.json"), body).expect("writes");
    let wanted = ["ada is forgotten", "1 file of a mail, 1 request kept aside, 1 item of files that were read"];
    let said = ask(folder, &["forget", "ada", "--yes"], 0, &wanted);
    assert!(!said.out.contains("still hold"), "{said:?}");
    let left = fs::read_to_string(done.join("a.jsonl")).expect("reads");
    assert_eq!(left, format!("\n{}\n", event("e2", "ben", "Signed Up")));
    assert_eq!((mails(folder).len(), fs::read_dir(&aside).expect("reads").count()), (1, 0));
    engine.stop();
    let own = Connection::open(folder.join("data/flowloom.db")).expect("opens");
    let notes = "select count(*) from meta where name like 'erase:%'";
    let notes: i64 = own.query_row(notes, [], |row| row.get(0)).expect("reads");
    assert_eq!(notes, 0, "the note is gone with the files");
    drop(own);
    fs::write(folder.join("in/b.json"), event("e3", "ben", "Signed Up")).expect("writes");
    ask(folder, &["forget", "ben", "--yes"], 0, &["ben is forgotten", "1 file of a mail", "b.json", "Delete it when"]);
    assert!(mails(folder).is_empty() && !done.join("a.jsonl").exists());
    // Twice is once.
    ask(folder, &["forget", "ben", "--yes"], 0, &["ben is forgotten", "b.json"]);
    let bytes = fs::read(folder.join("data/flowloom.db")).expect("reads");
    for text in ["ada@shop.example", "ben@shop.example"] {
        assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{text} stands in the file");
    }
}

/// Whoever cannot be read is counted and listed, with a way out.
#[test]
fn damaged_people_are_seen() {
    let home = home();
    let folder = home.path();
    let engine = Running::start(folder, &[]);
    ingest(folder, &event("e1", "ada", "Signed Up"), 0, &["1 accepted"]);
    engine.stop();
    let own = Connection::open(folder.join("data/flowloom.db")).expect("opens");
    own.execute("update contact set state = '{'", []).expect("is damaged");
    drop(own);
    let engine = Running::start(folder, &[]);
    ingest(folder, &event("e2", "ada", "Viewed Product"), 1, &["cannot be read"]);
    ask(folder, &["status"], 0, &["warning: 1 contact cannot be read", "flowloom held"]);
    ask(folder, &["held"], 0, &["ada  cannot be read: ", "flowloom restore", "flowloom forget"]);
    let held = ask(folder, &["held", "--format", "json"], 0, &[]).json();
    assert_eq!(held["damaged"][0]["contact"], "ada");
    assert_eq!(ask(folder, &["status", "--format", "json"], 0, &[]).json()["damaged"], 1);
    ask(folder, &["forget", "ada", "--yes"], 0, &["ada is forgotten"]);
    ask(folder, &["held"], 0, &["Nothing is held"]);
    engine.stop();
}

#[test]
fn other_peoples_files_are_left_alone() {
    let home = home();
    let folder = home.path();
    let check_all = |said: &[&str]| {
        for args in [&["status"][..], &["pause", "welcome"], &["run", FLOW, "--listen", "127.0.0.1:0"], &["held"]] {
            ask(folder, args, 2, &[said, &["hint:"]].concat());
        }
    };
    let path = folder.join("data/flowloom.db");
    fs::create_dir(folder.join("data")).expect("creates");
    fs::write(&path, "name,email\nada,ada@example.com\n".repeat(300)).expect("writes");
    check_all(&["not a database"]);
    fs::remove_file(&path).expect("removes");
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("create table customers(n); insert into customers values (1)").expect("writes");
    check_all(&["another program's database"]);
    drop(other);
    fs::remove_dir_all(folder.join("data")).expect("removes");

    Running::start(folder, &[]).stop();
    let own = Connection::open(&path).expect("opens");
    let version: i32 = own.pragma_query_value(None, "user_version", |row| row.get(0)).expect("reads");
    own.execute_batch("pragma user_version = 1000").expect("writes");
    check_all(&["was written by a newer build (schema 1000", "Run it with that build"]);
    own.pragma_update(None, "user_version", version).expect("writes");
    // Somebody has it open and writes.
    own.execute_batch("begin immediate").expect("locks");
    ask(folder, &["pause", "welcome"], 1, &["Close the other program"]);
    ask(folder, &["status"], 0, &["does not run"]);
    own.execute_batch("rollback").expect("lets go");
    ask(folder, &["pause", "welcome"], 0, &["is paused"]);
    drop(own);

    // A page in the middle is overwritten: nothing panics, and the way back is named.
    let mut bytes = fs::read(&path).expect("reads");
    let from = bytes.len() / 3;
    for byte in bytes.iter_mut().skip(4_096).take(from) {
        *byte = 0xa5;
    }
    fs::write(&path, bytes).expect("writes");
    ask(folder, &["status"], 2, &["hint:"]);
    let said = ask(folder, &["contact", "ada"], 2, &["hint:"]);
    assert!(said.err.contains("flowloom restore"), "{said:?}");
}

#[test]
fn a_workspace_without_a_sender_holds_and_goes_on() {
    let home = home();
    let folder = home.path();
    fs::write(folder.join("flowloom.ron"), "(version: 1, name: \"Shop\", caps: [])").expect("writes");
    let engine = Running::start(folder, &["--force"]);
    ingest(folder, &event("e1", "ada", "Signed Up"), 0, &[]);
    wait_for("it is held", || ask(folder, &["held"], 0, &[]).out.contains("no sender"));
    let said = ask(folder, &["held"], 0, &["senders:", "flowloom retry KEY"]);
    assert!(said.out.contains("/hello/1"), "{said:?}");
    let held = ask(folder, &["held", "--format", "json"], 0, &[]).json();
    let key = held["rows"][0]["key"].as_str().expect("a key").to_owned();
    fs::write(folder.join("flowloom.ron"), WORKSPACE).expect("writes");
    ask(folder, &["publish", FLOW], 0, &["the workspace is the new one"]);
    ask(folder, &["retry", &key], 0, &["is tried again"]);
    wait_for("it leaves", || mails(folder).len() == 1);
    ask(folder, &["held"], 0, &["Nothing is held"]);
    engine.stop();
}

#[test]
fn people_with_a_past_enter_nothing() {
    let home = home();
    let folder = home.path();
    let past = folder.join("past");
    fs::create_dir(&past).expect("creates");
    let people = |names: &[&str]| {
        let lines = names.iter().map(|name| {
            format!("{{\"id\": \"{name}\", \"email\": \"{name}@shop.example\", \"consent\": {{\"email\": \"subscribed\"}}}}\n")
        });
        fs::write(past.join("contacts.jsonl"), lines.collect::<String>()).expect("writes");
        let lines = names.iter().map(|name| {
            format!(
                "{{\"id\": \"past-{name}\", \"contact\": \"{name}\", \"name\": \"Signed Up\", \"happened\": \"2026-01-05T09:00:00Z\"}}\n"
            )
        });
        fs::write(past.join("events.jsonl"), lines.collect::<String>()).expect("writes");
    };
    people(&["ada", "ben"]);
    let engine = Running::start(folder, &[]);
    ask(folder, &["ingest", "--history", "past"], 0, &["2 accepted, 0 known already, 0 refused"]);
    people(&["ada", "ben", "cleo"]);
    ask(folder, &["ingest", "--history", "past"], 0, &["1 accepted, 2 known already, 0 refused"]);
    engine.stop();
    people(&["cleo", "dora"]);
    let said = ask(folder, &["ingest", "--history", "past", "--format", "json"], 0, &[]).json();
    assert_eq!((&said["accepted"], &said["duplicates"]), (&1.into(), &1.into()));
    ask(folder, &["status"], 0, &["4 contacts", "0 entered"]);
    ask(folder, &["contact", "dora"], 0, &["dora (dora@shop.example)"]);
    ask(folder, &["ingest", "--history", "nowhere"], 2, &["nowhere"]);
    ask(folder, &["ingest", "--history", "past", "x.jsonl"], 2, &["cannot be used with"]);
    fs::remove_file(past.join("events.jsonl")).expect("removes");
    fs::write(past.join("contacts.jsonl"), "").expect("writes");
    ask(folder, &["ingest", "--history", "past"], 2, &["has nobody in it", "contacts.jsonl"]);
    // They are known: what they do from now on counts.
    let engine = Running::start(folder, &[]);
    ingest(folder, &event("now-1", "ada", "Signed Up"), 0, &["1 accepted"]);
    wait_for("a mail leaves", || mails(folder).len() == 1);
    engine.stop();
}

/// Time that ran faster does not run a second time after a crash: before, waits began anew with each start.
#[test]
fn faster_time_goes_on_after_a_crash() {
    let home = home();
    let folder = home.path();
    let fast = ["--time-scale", "20000"];
    let engine = Running::start(folder, &fast);
    // Two seconds are half a day.
    std::thread::sleep(Duration::from_secs(2));
    ingest(folder, &event("e1", "ada", "Signed Up"), 0, &["1 accepted"]);
    engine.kill();
    let engine = Running::start(folder, &fast);
    let now = ask(folder, &["status", "--format", "json"], 0, &[]).json()["now"].clone();
    let entered = ask(folder, &["contact", "ada", "--format", "json"], 0, &[]).json()["journeys"][0]["entered"].clone();
    let hour = |text: &serde_json::Value| text.as_str().map(str::to_owned).expect("an instant");
    assert!(hour(&now) > hour(&entered), "{now} is before {entered}");
    engine.stop();
}

#[test]
fn bad_words_to_run_are_said_before_anything_happens() {
    let home = home();
    let folder = home.path();
    let cases: [(&[&str], i32, &[&str]); 8] = [
        (&["run", FLOW], 2, &["--data"]),
        (&["run", "none.flow.ron", "--data", "data"], 2, &["none.flow.ron"]),
        (&["run", FLOW, "--data", "data", "--listen", "somewhere"], 2, &["--listen"]),
        (&["run", FLOW, "--data", "data", "--time-scale", "0"], 2, &["no scale of time"]),
        (&["run", FLOW, "--data", "data", "--senders", "0"], 2, &["--senders"]),
        (&["run", FLOW, "--data", "data", "--mail", "ftp://x.example"], 1, &["hint:", "smtp://"]),
        (&["run", FLOW, "--data", "data", "--secret-file", "none"], 1, &["none cannot be read"]),
        (&["run", FLOW, "--data", "data", "--listen", "0.0.0.0:0"], 1, &["hint:", "--secret-file"]),
    ];
    for (args, code, wanted) in cases {
        check(folder, args, code, wanted);
    }
    // Errors in the flow: not without being asked to.
    fs::write(folder.join(FLOW), first_version().replace("message: \"later\"", "message: \"none\"")).expect("writes");
    check(folder, &["run", FLOW, "--data", "data"], 1, &["error", "flowloom check", "--force"]);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    fs::write(folder.join(FLOW), first_version()).expect("writes");
    check(
        folder,
        &["run", FLOW, "--data", "data", "--listen", &address],
        1,
        &["cannot be listened on", "Another program"],
    );
}

#[test]
fn help_says_what_each_command_is_for() {
    let home = home();
    let commands = [
        ("run", "Run flows"),
        ("ingest", "Hand events in"),
        ("status", "Show an engine"),
        ("contact", "Show one person"),
        ("held", "Show what waits for somebody"),
        ("retry", "Try a held"),
        ("publish", "Make flows live"),
        ("pause", "Hold a flow's messages"),
        ("resume", "Let a paused flow go on"),
        ("drain", "Let nobody into a flow"),
        ("migrate", "Move a flow's journeys"),
        ("move", "Put a journey at another step"),
        ("backup", "Copy an engine's data"),
        ("restore", "Put a copy in the place"),
        ("forget", "Delete a person"),
        ("suppress", "Add addresses"),
    ];
    let all = check(home.path(), &["--help"], 0, &[]).out;
    for (command, about) in commands {
        let said = check(home.path(), &[command, "--help"], 0, &[about, "--data <DIR>"]).out;
        assert!(all.contains(command), "{command}");
        // Every argument says what it is: a line that names one is followed by words, or has them beside it.
        for (idx, line) in said.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("--")) {
            let beside = line.trim().split_once("  ").is_some_and(|(_, text)| !text.trim().is_empty());
            let below = said.lines().nth(idx + 1).is_some_and(|next| next.starts_with("          "));
            assert!(beside || below, "{command}: {line}");
        }
    }
}

/// Whoever has the program alone has its mappings, too: what is printed is one that `run --mapping` reads.
#[test]
fn shipped_mappings_are_printed() {
    let home = home();
    let folder = home.path();
    let explain = |name: &str, status: i32, parts: &[&str]| check(folder, &["explain", name], status, parts);
    let shopify = include_str!("../../assets/hooks/shopify.ron");
    assert_eq!(explain("hooks/shopify", 0, &[]).out, shopify);
    assert_eq!(explain("hooks/klaviyo", 0, &[]).out, include_str!("../../assets/hooks/klaviyo.ron"));
    explain("hooks/shopfy", 2, &["no shipped mapping `hooks/shopfy`", "hooks/shopify"]);
    fs::write(folder.join("own.ron"), shopify).expect("writes");
    Running::start(folder, &["--mapping", "own.ron"]).stop();
    fs::write(folder.join("own.ron"), "(version: 1, hoks: [])").expect("writes");
    let args = ["run", FLOW, "--data", "data", "--listen", "127.0.0.1:0", "--mapping", "own.ron"];
    check(folder, &args, 1, &["own.ron, line 1", "flowloom explain hooks/shopify"]);
}
