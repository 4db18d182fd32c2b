//! The client alone: how long it waits, when it gives up, how fast it stops.

use std::{
    io::Read,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use flowloom::{
    flow::{Target, Workspace},
    platforms::push::{Account, Error, Key, Kind, Patience, Pushed, connect},
};

use super::{
    Keeper, PATIENCE, draft, no_pictures, sample,
    server::{Fault, KEY, Server},
};

/// Looks at an account with this much patience; what came of it, how long it took, and how many requests it were.
fn look(server: &Server, patience: Patience, stop: &AtomicBool) -> (Result<Account, Error>, Duration, usize) {
    look_at(Target::Klaviyo, server, patience, stop)
}

fn look_at(
    target: Target,
    server: &Server,
    patience: Patience,
    stop: &AtomicBool,
) -> (Result<Account, Error>, Duration, usize) {
    let (flow, workspace) = sample("bag-care");
    let draft = draft(target, &flow, &workspace);
    let key = Key::new(KEY).expect("a key");
    let mut client = connect(draft.target, &Workspace::default(), Some(&server.base), key, patience).expect("a client");
    let (since, so_far) = (Instant::now(), server.num_seen());
    let found = Account::look(&draft, &mut client, &Pushed::default(), &no_pictures, &mut Keeper::default(), stop);
    (found, since.elapsed(), server.num_seen() - so_far)
}

#[test]
fn a_server_that_says_how_long_is_believed() {
    let server = Server::start(Target::Klaviyo);
    server.fail(0, 1, Fault::TooMuch(Some("1")));
    let (found, took, _) = look(&server, PATIENCE, &AtomicBool::new(false));
    assert!(found.is_ok() && took >= Duration::from_secs(1), "{found:?} {took:?}");
    // Longer than anybody waits is an error at once, with the time in it.
    server.fail(0, 1, Fault::TooMuch(Some("7300")));
    let (found, took, count) = look(&server, PATIENCE, &AtomicBool::new(false));
    let error = found.expect_err("a limit");
    assert_eq!((error.kind, count), (Kind::Limit, 1));
    assert!(error.hint.contains("3 h") && took < Duration::from_secs(1), "{error:?} {took:?}");
}

#[test]
fn pauses_grow_and_end() {
    let server = Server::start(Target::Klaviyo);
    server.fail(0, 1_000, Fault::TooMuch(None));
    let patience = Patience { first_pause: Duration::from_millis(40), tries: 4, ..PATIENCE };
    let (found, took, count) = look(&server, patience, &AtomicBool::new(false));
    assert_eq!((found.expect_err("a limit").kind, count), (Kind::Limit, 4));
    // 40 + 80 + 160, and up to half as much again.
    assert!((280..1_500).contains(&took.as_millis()), "{took:?}");
}

/// Klaviyo counts seconds, HubSpot milliseconds; while something is left, nobody waits.
#[test]
fn what_is_left_of_a_window_is_kept_to() {
    for (target, ends, millis) in [(Target::Klaviyo, "1", 1_000), (Target::Hubspot, "300", 300)] {
        let server = Server::start(target);
        server.state().left = Some(("1", ends));
        let (found, took, count) = look_at(target, &server, PATIENCE, &AtomicBool::new(false));
        assert!(found.is_ok() && took < Duration::from_millis(250 * count as u64), "{target:?}: {took:?} for {count}");
        server.state().left = Some(("0", ends));
        let (found, took, count) = look_at(target, &server, PATIENCE, &AtomicBool::new(false));
        let least = Duration::from_millis(millis * (count as u64 - 1));
        assert!(found.is_ok() && count > 2 && took >= least, "{target:?}: {took:?} for {count}");
    }
}

/// HubSpot says which limit was reached: of some seconds, which a pause helps, or of the day, which none does.
#[test]
fn a_limit_of_the_day_is_not_waited_for() {
    for (policy, tries) in [("TEN_SECONDLY_ROLLING", PATIENCE.tries), ("DAILY", 1)] {
        let server = Server::start(Target::Hubspot);
        server.state().policy = Some(policy);
        server.fail(0, 1_000, Fault::TooMuch(None));
        let (found, _, count) = look_at(Target::Hubspot, &server, PATIENCE, &AtomicBool::new(false));
        let error = found.expect_err("a limit");
        assert_eq!((error.kind, count), (Kind::Limit, tries as usize), "{policy}");
        assert_eq!(error.hint.contains("midnight"), policy == "DAILY", "{error:?}");
    }
}

#[test]
fn a_slow_answer_can_be_broken_off() {
    let server = Server::start(Target::Klaviyo);
    server.fail(0, 1_000, Fault::Slow);
    let patience = Patience { answer: Duration::from_secs(20), ..PATIENCE };
    let stop = Arc::new(AtomicBool::new(false));
    let hand = Arc::clone(&stop);
    let stopper = std::thread::Builder::new().spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        hand.store(true, Ordering::Relaxed);
    });
    let (found, took, _) = look(&server, patience, &stop);
    stopper.expect("a thread").join().expect("ends");
    assert_eq!(found.expect_err("stopped").kind, Kind::Cancelled);
    assert!(took < Duration::from_millis(500), "{took:?}");
}

/// A server that hangs up before it says anything, and one that is not there.
#[test]
fn lines_that_are_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let hang_up = std::thread::Builder::new().spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().expect("a client");
            let _ = stream.read(&mut [0; 64]);
        }
    });
    let (flow, workspace) = sample("bag-care");
    let draft = draft(Target::Klaviyo, &flow, &workspace);
    let mut said = Vec::new();
    for _ in 0..2 {
        let key = Key::new(KEY).expect("a key");
        let patience = Patience { tries: 2, ..PATIENCE };
        let mut client = connect(draft.target, &Workspace::default(), Some(&base), key, patience).expect("a client");
        let stop = AtomicBool::new(false);
        let keeper = &mut Keeper::default();
        let error = Account::look(&draft, &mut client, &Pushed::default(), &no_pictures, keeper, &stop);
        let error = error.expect_err("cut");
        assert_eq!(error.kind, Kind::Unreachable, "{error:?}");
        said.push(error.to_string());
    }
    hang_up.expect("a thread").join().expect("ends");
    assert!(said.iter().all(|said| said.contains(&base) && !said.contains(KEY)), "{said:?}");
}
