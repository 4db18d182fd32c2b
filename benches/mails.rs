//! The figures of mails in numbers: the matrix of a large flow, and ten thousand mails of one flow.
//!
//! The one idea: both are what a user waits for, so the whole wait is measured (making ready included), with the threads
//! that the command line takes. Goals, printed and not asserted: a second each on two processors.

#![allow(clippy::disallowed_methods, reason = "measuring is the one thing that needs a clock")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench that cannot run should say so at once")]

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant as Clock},
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

fn print(title: &str, mut work: impl FnMut()) {
    let mut times: Vec<Duration> = (0..=NUM_ROUNDS)
        .map(|_| {
            let begun = Clock::now();
            work();
            begun.elapsed()
        })
        .skip(1)
        .collect();
    times.sort_unstable();
    println!("{title}\n  {:.3} s\n", times[times.len() / 2].as_secs_f64());
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
