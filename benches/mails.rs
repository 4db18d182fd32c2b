//! The figures of mails in numbers: the matrix of a large flow, ten thousand mails of one flow, and a key typed in a
//! block until its mail is drawn again.
//!
//! The one idea: all are what a user waits for, so the whole wait is measured (making ready included), with the threads
//! that the command line and the window take. Goals, printed and not asserted: a second each for the first two on two
//! processors, 100 ms for a key. `cargo bench --bench mails -- typing` measures the last alone.

#![allow(clippy::disallowed_methods, reason = "measuring is the one thing that needs a clock")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench that cannot run should say so at once")]

#[path = "shared/timing.rs"]
mod timing;

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use flowloom::{
    app::matrix::Plan,
    audience::Audience,
    base::ContactId,
    disk,
    flow::{Flow, Workspace, file},
};

const NUM_CONTACTS: usize = 200;
const NUM_MESSAGES: usize = 50;
const NUM_ROUNDS: usize = 7;

fn main() {
    if std::env::args().any(|arg| arg == "typing") {
        return typing::print();
    }
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (flow, workspace, audience) = large();
    let at = audience.events.iter().map(|event| event.accepted).max().expect("events");
    let plan = || Plan::new(&flow, &workspace, &audience, at);
    println!("{} mails, {threads} threads, medians of {NUM_ROUNDS} rounds\n", plan().num_mails());
    print("making flow and audience ready", || drop(plan()));
    print("the matrix: 50 messages x 200 contacts, lints included (goal: 1 s)", || {
        let plan = plan();
        let rows = parts(&plan, threads, |plan, range| plan.rows(range, &mut |_| true).expect("goes on"));
        let matrix = plan.matrix(rows);
        assert_eq!(matrix.rows.len(), NUM_CONTACTS * NUM_MESSAGES);
        assert!(matrix.faults.is_empty(), "{:?}", matrix.faults.first());
    });
    print("10,000 mails with progress, none kept (goal: 1 s)", || {
        let (plan, done) = (plan(), AtomicUsize::new(0));
        parts(&plan, threads, |plan, range| {
            plan.mails(range, &mut |_, _, mail| {
                assert!(mail.is_ok());
                done.fetch_add(1, Ordering::Relaxed) < usize::MAX
            })
            .expect("goes on");
        });
        assert_eq!(done.into_inner(), NUM_CONTACTS * NUM_MESSAGES);
    });
    typing::print();
}

fn parts<T: Send>(
    plan: &Plan<'_>,
    threads: usize,
    work: impl Fn(&Plan<'_>, std::ops::Range<usize>) -> T + Sync,
) -> Vec<T> {
    thread::scope(|scope| {
        let workers: Vec<_> = plan
            .shards(threads)
            .into_iter()
            .map(|range| thread::Builder::new().spawn_scoped(scope, || work(plan, range)).expect("a thread"))
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("ends")).collect()
    })
}

fn print(title: &str, work: impl FnMut()) {
    timing::print(NUM_ROUNDS, title, work);
}

/// The watch shop's flow with its mails again and again, and its contacts under other names.
fn large() -> (Flow, Workspace, Audience) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_flows/watch-shop/watch-shop.flow.ron");
    let text = std::fs::read_to_string(&path).expect("the sample");
    let mut nodes = String::new();
    for n in 0..NUM_MESSAGES {
        nodes += &format!("(id: \"m{n}\", kind: \"email\", settings: (message: \"mail-{}\")),\n", n % 3 + 1);
    }
    let cut = |from: &str, to: &str| (text.find(from).expect("is there"), text.find(to).expect("is there"));
    let (start, end) = cut("(id: \"mail-1\", kind", "    ],\n    edges:");
    let (from, to) = cut("    edges: [", "    messages: [");
    let source = format!("{}{nodes}{}{}", &text[..start], &text[end..from], &text[to..]);
    let flow = file::read(&source).expect("reads").flow;
    let home = disk::home(&path, None).expect("a workspace");
    let sample = disk::audience(&disk::audience_folder(&home).expect("an audience")).expect("loads").audience;
    let mut audience = Audience::default();
    for n in 0..NUM_CONTACTS {
        let mut contact = sample.contacts[n % sample.contacts.len()].clone();
        let id = ContactId::new(format!("{}-{n}", contact.id));
        for event in sample.events.iter().filter(|event| event.contact == contact.id) {
            let mut event = event.clone();
            event.contact = id.clone();
            audience.events.push(event);
        }
        contact.id = id;
        audience.contacts.push(contact);
    }
    (flow, home.workspace, audience)
}

/// A key in a text of a mail, from the command that it becomes to HTML, plain text, lints and picture of the mail: the
/// window's own jobs on threads of their own, everything but the frames. Checks and replays of the key before may still
/// be under way, as they are while somebody types.
#[cfg(all(feature = "gui", feature = "picture"))]
mod typing {
    use std::{
        path::Path,
        sync::mpsc,
        thread,
        time::{Duration, Instant as Clock},
    };

    use flowloom::{
        app::{
            Answer, App, Command, Request,
            mails::{self, Act, Pane, pictures},
        },
        base::{Instant, NodeId},
        content::{Block, Body},
        flow::Edit,
        gui::requests::{self, Machine},
    };

    /// Keys in each mail.
    const NUM_KEYS: usize = 40;
    /// Longest wait for one of them.
    const MOST: Duration = Duration::from_secs(60);

    struct Window {
        app: App,
        send: mpsc::Sender<Answer>,
        receive: mpsc::Receiver<Answer>,
    }

    impl Window {
        fn command(&mut self, command: Command) {
            for request in self.app.apply(command, Instant::from_millis(0)) {
                let Request::Start(job) = request else { continue };
                let send = self.send.clone();
                let work = move || {
                    // Nobody listens any more at the end.
                    let _ = send.send(Answer::Done(job.run_with(&Machine)));
                };
                thread::Builder::new().spawn(work).expect("a thread");
            }
        }

        /// Takes answers until the mail as it is now is drawn; gives its HTML and plain text.
        fn drawn(&mut self) -> (String, String) {
            let begun = Clock::now();
            loop {
                if let Some(mail) = self.mail() {
                    return mail;
                }
                let left = MOST.saturating_sub(begun.elapsed());
                let answer = self.receive.recv_timeout(left).expect("the mail is drawn");
                self.command(Command::Answer(answer));
            }
        }

        fn mail(&self) -> Option<(String, String)> {
            let document = self.app.document()?;
            let made = document.derived.preview.as_ref()?;
            if made.revision != document.history.revision() {
                return None;
            }
            let mail = &made.value.result.as_ref().expect("a mail").mail;
            let picture = document.derived.pictures.get(&pictures::key(document, Pane::First)?)?;
            assert!(picture.is_ok(), "{picture:?}");
            Some((mail.html.clone(), mail.text.clone()))
        }

        /// One more word at the end of the first text or heading of the shown mail, in all its versions.
        fn type_word(&mut self, word: &str) {
            let mut message = mails::message(self.app.document().expect("a flow")).expect("a message").clone();
            for variant in &mut message.variants {
                let Body::Blocks(blocks) = &mut variant.body else { panic!("a mail of blocks") };
                let texts = blocks.iter_mut().filter_map(|block| match block {
                    Block::Text { text, show_if: None, .. } | Block::Heading { text, show_if: None, .. } => Some(text),
                    _ => None,
                });
                let text = texts.into_iter().next().expect("a text");
                text.push(' ');
                text.push_str(word);
            }
            let edits = vec![Edit::SetMessage(Box::new(message))];
            let merge = Some("text".to_owned());
            self.command(Command::Edit { label: "Type".to_owned(), edits, merge });
        }
    }

    pub fn print() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_flows/watch-shop/watch-shop.flow.ron");
        let (send, receive) = mpsc::channel();
        let mut window = Window { app: App::new(), send, receive };
        window.command(Command::Answer(requests::read(&path)));
        println!("a key in a text until HTML, plain text, lints and picture are there (goal: 100 ms)");
        for node in ["mail-1", "mail-2", "mail-3"] {
            window.command(Act::Open(NodeId::new(node)).into());
            window.drawn();
            let mut times: Vec<Duration> = (0..NUM_KEYS)
                .map(|n| {
                    let word = format!("key{n}");
                    let begun = Clock::now();
                    window.type_word(&word);
                    let (html, text) = window.drawn();
                    let time = begun.elapsed();
                    assert!(html.contains(&word) && text.to_lowercase().contains(&word), "the key is in the mail");
                    time
                })
                .collect();
            times.sort_unstable();
            let millis = |time: Duration| time.as_secs_f64() * 1e3;
            let (median, worst) = (times[NUM_KEYS / 2], times[NUM_KEYS - 1]);
            println!("  {node}: median {:.1} ms, worst {:.1} ms of {NUM_KEYS} keys", millis(median), millis(worst));
        }
    }
}

/// Says that this build cannot.
#[cfg(not(all(feature = "gui", feature = "picture")))]
mod typing {
    pub fn print() {
        println!("a key in a text until the mail is drawn: needs the features gui and picture");
    }
}
