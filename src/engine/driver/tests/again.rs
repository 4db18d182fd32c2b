//! What was put off, held or lost its answer is tried again, and is seen until then.

use super::*;
use crate::{base::NodeId, engine::store::Reader};

/// What the server refuses for our sake is tried again, and who looks at the engine is told, without a person's name.
#[test]
fn a_relay_that_refuses_us_loses_nothing() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let (key, attempt) = world.claim(2).remove(0);
    assert_eq!(world.batch(3, |d, now| d.begin(now, &key, attempt, None)), Begin::Go);
    let detail = "mail.example:587 said: 554 5.7.1 <ada@example.com>: Relay access denied; check --mail".to_owned();
    let ours = Handed::Ours { detail, after_millis: Some(60_000) };
    let driver = world.driver.as_mut().expect("is there");
    let ((), told) = driver.batch(at(4), |driver| driver.settle(at(4), &key, attempt, &ours)).expect("is written");
    assert_eq!(told.warnings, ["mail.example:587 said: 554 5.7.1 \u{2026} Relay access denied; check --mail"]);
    assert_eq!(world.standing(&key), Standing::Due);
    assert!(world.claim(59_000).is_empty());
    let held = Handed::Held { reason: Reason::Rejected, detail: "Given up after 30 tries".to_owned() };
    assert_eq!(world.send(61_000, &held), std::slice::from_ref(&key));
    // Once the server is set right, somebody says so; the person was never blamed.
    world.order(HOUR, Order::Retry { key: key.clone(), resend: false }).expect("tries again");
    assert_eq!(world.send(HOUR, &Handed::Done), [key]);
    assert_eq!(check_replay(world.driver.as_ref().expect("is there"), "ada"), Ok(()));
}

/// Given up by the core, since it is too late now, it still says what the server said.
#[test]
fn what_a_relay_made_too_late_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut world = World { driver: Some(Driver::open(dir.path()).expect("opens")) };
    world.order(0, publish(FLOW, Workspace::default())).expect("is published");
    world.add("ada");
    world.event(1, "e1", "ada", "Started Checkout");
    let later = |detail: &str| Handed::Later { detail: detail.to_owned(), after_millis: Some(60_000) };
    let ours = Handed::Ours { detail: "mail.example said: 554 Relay access denied".to_owned(), after_millis: None };
    for (millis, handed) in [(2, &later("451 later")), (HOUR, &ours)] {
        let (key, attempt) = world.claim(millis).remove(0);
        assert_eq!(world.batch(millis, |d, now| d.begin(now, &key, attempt, None)), Begin::Go);
        world.batch(millis, |d, now| d.settle(now, &key, attempt, handed));
    }
    // Late as it is, it is spread once before it is given up.
    for millis in [26 * HOUR, 26 * HOUR + 700_000] {
        assert!(world.claim(millis).is_empty());
    }
    let held = Reader::open(dir.path()).and_then(|reader| reader.held(None, 10)).expect("reads");
    let found: Vec<_> = held.iter().map(|row| (row.reason.name(), row.detail.as_str())).collect();
    assert_eq!(found, [("too_late", "mail.example said: 554 Relay access denied")]);
}

/// R22: an address that is none is stopped, not the person: with another address they are written to, and with the old
/// one again they are not.
#[test]
fn a_bounce_stops_the_address_and_not_the_person() {
    let mut world = World::with(LOOP, Workspace::default());
    let no = Handed::No { detail: "550 5.1.1 no such user".to_owned(), bad_address: true };
    let moves_to = |world: &mut World, millis: i64, email: &str| {
        let change = Change { email: Some(email.into()), ..Change::default() };
        world.batch(millis, |d, now| d.change(now, &NewContact { id: "ada".into(), change: change.clone() }));
    };
    world.event(1, "e1", "ada", "Started Checkout");
    // It changes while the mail is on its way: the bounce is the old one's.
    let (key, attempt) = world.claim(2).remove(0);
    assert_eq!(world.batch(3, |d, now| d.begin(now, &key, attempt, None)), Begin::Go);
    moves_to(&mut world, 4, "new@example.com");
    world.batch(5, |d, now| d.settle(now, &key, attempt, &no));
    world.restart();
    let due = DAY + 30_000;
    world.batch(due, |d, now| d.wake_due(now, 10));
    assert_eq!(world.send(due, &Handed::Done).len(), 1, "{:#?}", world.trace("ada"));
    moves_to(&mut world, due + 1, "ADA@example.com");
    world.batch(2 * DAY + 30_000, |d, now| d.wake_due(now, 10));
    assert!(world.claim(2 * DAY + 30_000).is_empty());
    assert!(world.trace("ada").iter().any(|line| line.contains("skipped: suppressed")), "{:#?}", world.trace("ada"));
    assert_eq!(check_replay(world.driver.as_ref().expect("is there"), "ada"), Ok(()));
}

/// A person lifts what a bounce or a list has stopped, with an audit line; never what people said themselves.
#[test]
fn a_person_lifts_a_suppression() {
    let mut world = World::with(FLOW, Workspace::default());
    for id in ["cem", "dora", "eve"] {
        world.add(id);
    }
    let tell = |world: &mut World, id: &str, change: &Change| {
        world.batch(1, |d, now| d.change(now, &NewContact { id: id.into(), change: change.clone() }));
    };
    world.event(1, "e1", "ada", "Started Checkout");
    world.send(1, &Handed::No { detail: "550 5.1.1 no such user".to_owned(), bad_address: true });
    tell(&mut world, "ben", &Change { suppressed: Some(true), ..Change::default() });
    world.event(1, "e1", "cem", "$complained");
    world.order(1, Order::Forget { contact: "dora".into() }).expect("forgets");
    let mut back = Change { email: Some("dora@example.com".into()), ..Change::default() };
    back.consent.push((crate::audience::Channel::Email, crate::audience::ConsentStatus::Subscribed));
    tell(&mut world, "dora", &back);
    world.restart();
    let addresses = ["ADA@example.com", "ben@example.com", "cem@example.com", "dora@example.com", "eve@example.com"];
    let addresses: Vec<String> = addresses.map(str::to_owned).into();
    let said = world.order(2, Order::Suppress { addresses: addresses.clone(), lift: true }).expect("lifts");
    assert!(said.starts_with("0 of 5 addresses") && said.contains("2 people may be written to again"), "{said}");
    assert!(said.contains("2 people not: whoever complained or was forgotten"), "{said}");
    world.restart();
    assert!(!said.contains("nobody's"), "{said}");
    let nobody = Order::Suppress { addresses: vec!["old@example.com".into()], lift: true };
    let old = world.order(3, nobody).expect("lifts");
    assert!(old.starts_with("0 of 1 addresses") && old.contains("1 on no list and nobody's now"), "{old}");
    let again = world.order(3, Order::Suppress { addresses, lift: true }).expect("lifts");
    assert!(!again.contains("again") && again.contains("2 people not"), "{again}");
    for id in ["ada", "ben", "cem", "dora"] {
        world.event(4, "e2", id, "Started Checkout");
    }
    let sent = |jobs: Vec<(SendKey, u32)>| jobs.iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>();
    assert_eq!(sent(world.claim(5)), ["ben/demo/1/first/1"]);
    // She is under way already, at the wait.
    world.batch(DAY + 30_000, |d, now| d.wake_due(now, 10));
    assert_eq!(sent(world.claim(DAY + 30_000)), ["ada/demo/1/second/1"]);
    for id in ["ada", "ben", "cem"] {
        assert_eq!(check_replay(world.driver.as_ref().expect("is there"), id), Ok(()));
    }
}

/// A flow whose first step is another one.
fn flow_with(step: &str) -> String {
    let flow = FLOW.replacen(r#"(id: "first", kind: "email", settings: (message: "m"))"#, step, 1);
    assert_ne!(flow, FLOW);
    flow
}

/// R21: an alert of which nobody knows whether it left is sent once more by a person's word. A call is not, once its
/// journey has gone on: that is said.
#[test]
fn an_unknown_alert_is_sent_again_and_a_call_that_nobody_waits_for_is_not() {
    let unknown = Handed::Unknown { detail: "cut".to_owned() };
    let again = |key: &SendKey, resend| Order::Retry { key: key.clone(), resend };
    let alert =
        r#"(id: "first", kind: "internal_alert", settings: (to: ["a@b.example"], subject: "Look", text: "Look"))"#;
    let mut world = World::with(&flow_with(alert), Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let [key] = world.send(2, &unknown).try_into().expect("one");
    assert!(world.order(3, again(&key, false)).is_err_and(|no| no.error.contains("may have left")));
    world.order(3, again(&key, true)).expect("is sent again");
    assert_eq!(world.send(4, &Handed::Done), std::slice::from_ref(&key));
    assert_eq!(world.standing(&key), settled(Outcome::Sent));

    let call = r#"(id: "first", kind: "webhook", settings: (url: "https://crm.example/in", timeout: "2 h"))"#;
    for (handed, resend) in [(unknown, true), (Handed::Held { reason: Reason::Fault, detail: String::new() }, false)] {
        let is_held = !resend;
        let mut world = World::with(&flow_with(call), Workspace::default());
        world.event(1, "e1", "ada", "Started Checkout");
        let [key] = world.send(2, &handed).try_into().expect("one");
        if is_held {
            world.order(3, again(&key, resend)).expect("its step waits");
            assert_eq!(world.send(4, &handed), std::slice::from_ref(&key));
            world.batch(3 * HOUR, |d, now| d.wake_due(now, 10));
        }
        let refused = world.order(3 * HOUR, again(&key, resend)).expect_err("nobody waits");
        assert!(refused.error.contains("Nobody waits for the answer"), "{refused:?}");
        assert!(world.claim(3 * HOUR).is_empty());
    }
}

/// R29: a send that is held since its contact could not be read is tried again once it can.
#[test]
fn what_was_held_for_a_damaged_contact_can_be_tried_again() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let store =
        |world: &World| world.driver.as_ref().expect("is there").store().contact(1).expect("reads").expect("one");
    let whole = store(&world);
    let write = |world: &World, row: &ContactRow| {
        world.driver.as_ref().expect("is there").store().set_contact(row, false).expect("writes");
    };
    write(&world, &ContactRow { state: "{".into(), ..store(&world) });
    world.restart();
    assert!(world.claim(2).is_empty());
    let key = SendKey { journey: "ada/demo/1".into(), node: "first".into(), pass: 1 };
    assert_eq!(world.standing(&key), settled(Outcome::Held));
    write(&world, &whole);
    world.restart();
    world.order(3, Order::Retry { key: key.clone(), resend: false }).expect("tries again");
    assert_eq!(world.send(4, &Handed::Done), std::slice::from_ref(&key));
    assert_eq!(check_replay(world.driver.as_ref().expect("is there"), "ada"), Ok(()));
}

/// R29, R21: a send that became unknown since its contact could not be read is sent once more by a person's word, once
/// the contact can be read; until then that is said.
#[test]
fn what_became_unknown_for_a_damaged_contact_can_be_sent_again() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let (key, attempt) = world.claim(2).remove(0);
    assert_eq!(world.batch(3, |d, now| d.begin(now, &key, attempt, None)), Begin::Go);
    let row = |world: &World| world.driver.as_ref().expect("is there").store().contact(1).expect("reads").expect("one");
    let write = |world: &World, row: &ContactRow| {
        world.driver.as_ref().expect("is there").store().set_contact(row, false).expect("writes");
    };
    let whole = row(&world);
    write(&world, &ContactRow { state: "{".into(), ..whole.clone() });
    world.restart();
    assert_eq!(world.batch(4, |d, now| d.recover(now, &|_| None)), 1);
    assert_eq!(world.standing(&key), settled(Outcome::Unknown));
    let again = Order::Retry { key: key.clone(), resend: true };
    let refused = world.order(5, again.clone()).expect_err("is damaged");
    assert!(refused.error.contains("cannot be read") && refused.hint.contains("restore"), "{refused:?}");
    write(&world, &whole);
    world.restart();
    world.order(6, again).expect("is sent again");
    assert_eq!(world.send(7, &Handed::Done), std::slice::from_ref(&key));
    assert_eq!(check_replay(world.driver.as_ref().expect("is there"), "ada"), Ok(()));
}

/// R30: whoever names one of two held messages of a journey means that one.
#[test]
fn what_is_named_is_tried_again_alone() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let held = Handed::Held { reason: Reason::Rejected, detail: "554 no".to_owned() };
    let mut keys = world.send(2, &held);
    world.batch(DAY + 1, |d, now| d.wake_due(now, 10));
    keys.extend(world.send(DAY + 1, &held));
    let [first, second] = keys.try_into().expect("two");
    for (millis, key, other) in [(DAY + 2, &second, settled(Outcome::Held)), (DAY + 4, &first, settled(Outcome::Sent))]
    {
        world.order(millis, Order::Retry { key: key.clone(), resend: false }).expect("tries again");
        assert_eq!(world.send(millis + 1, &Handed::Done), std::slice::from_ref(key));
        assert_eq!(world.standing(if key == &first { &second } else { &first }), other);
    }
    assert_eq!(check_replay(world.driver.as_ref().expect("is there"), "ada"), Ok(()));
}

/// What nobody knows of is not counted as sent, until somebody says so; then once.
#[test]
fn what_is_unknown_is_not_counted_as_sent() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut world = World { driver: Some(Driver::open(dir.path()).expect("opens")) };
    world.order(0, publish(FLOW, Workspace::default())).expect("is published");
    for id in ["ada", "ben"] {
        world.add(id);
        world.event(1, "e1", id, "Started Checkout");
    }
    let first = || {
        let status = Reader::open(dir.path()).and_then(|reader| reader.status(at(0))).expect("reads");
        let seen = status.flows[0].nodes[&NodeId::new("first")];
        (seen.sent, seen.open())
    };
    let keys = world.send(2, &Handed::Unknown { detail: "cut".to_owned() });
    assert_eq!(first(), (0, 2));
    world.order(3, Order::Retry { key: keys[0].clone(), resend: true }).expect("is sent again");
    assert_eq!(world.send(4, &Handed::Done).len(), 1);
    assert_eq!(first(), (1, 1));
    world.order(5, Order::MarkSent { key: keys[1].clone() }).expect("is taken as sent");
    assert_eq!(first(), (2, 0));
}

/// What is held at its hand-over is seen at the step it came from, though its journey has gone on.
#[test]
fn a_step_shows_the_messages_of_it_that_are_held() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut world = World { driver: Some(Driver::open(dir.path()).expect("opens")) };
    world.order(0, publish(FLOW, Workspace::default())).expect("is published");
    for id in ["ada", "ben"] {
        world.add(id);
        world.event(1, "e1", id, "Started Checkout");
    }
    let first = |_: &World| {
        let status = Reader::open(dir.path()).and_then(|reader| reader.status(at(0))).expect("reads");
        let seen = status.flows[0].nodes[&NodeId::new("first")];
        assert_eq!((seen.here, seen.held), (0, 0));
        (seen.held_sends, seen.unknown_sends)
    };
    world.order(2, Order::Pause { flow: "demo".into(), freeze: false }).expect("pauses");
    assert!(world.claim(3).is_empty());
    assert_eq!(first(&world), (2, 0));
    world.order(4, Order::Resume { flow: "demo".into() }).expect("goes on");
    while world.batch(4, |driver, _| driver.walk(10)) {}
    assert_eq!(first(&world), (0, 0));
    world.send(5, &Handed::Unknown { detail: "cut".to_owned() });
    assert_eq!(first(&world), (0, 2));
    world.order(6, Order::Forget { contact: "ben".into() }).expect("forgets");
    assert_eq!(first(&world), (0, 1));
}

/// Only what the engine or the other side took counts as late: not a pause, nor quiet hours, nor the time that somebody
/// took to look.
#[test]
fn what_waits_by_rule_is_not_late() {
    let late = |world: &mut World, millis: i64| {
        let (key, attempt) = world.claim(millis).remove(0);
        let driver = world.driver.as_mut().expect("is there");
        let begin = |driver: &mut Driver| driver.begin(at(millis), &key, attempt, None);
        let (begun, told) = driver.batch(at(millis), begin).expect("is written");
        assert_eq!(begun, Begin::Go);
        let latencies = told.latencies.iter().filter(|(source, _)| *source == Source::HandOver);
        (key, attempt, latencies.map(|(_, late)| *late).collect::<Vec<_>>())
    };
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    world.order(2, Order::Pause { flow: "demo".into(), freeze: false }).expect("pauses");
    assert!(world.claim(3).is_empty());
    world.order(HOUR, Order::Resume { flow: "demo".into() }).expect("goes on");
    while world.batch(HOUR, |driver, _| driver.walk(1)) {}
    let (key, attempt, found) = late(&mut world, HOUR + 20);
    assert_eq!(found, [20]);
    // What the other side puts off is late, since then.
    let later = Handed::Later { detail: "451".to_owned(), after_millis: Some(60_000) };
    world.batch(HOUR + 30, |d, now| d.settle(now, &key, attempt, &later));
    let (key, attempt, found) = late(&mut world, HOUR + 70_000);
    assert_eq!(found, [70_000]);
    let held = Handed::Held { reason: Reason::Fault, detail: String::new() };
    world.batch(HOUR + 80_000, |d, now| d.settle(now, &key, attempt, &held));
    world.order(3 * HOUR, Order::Retry { key, resend: false }).expect("tries again");
    assert_eq!(late(&mut world, 3 * HOUR + 7).2, [7]);

    // Claimed in the quiet hours only: they defer it.
    let quiet = FLOW.replace("nodes: [", r#"settings: (quiet_hours: (from: "09:30", until: "20:00")), nodes: ["#);
    let mut world = World::with(&quiet, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    assert!(world.claim(HOUR).is_empty());
    let key = SendKey { journey: "ada/demo/1".into(), node: "first".into(), pass: 1 };
    let row = world.driver.as_ref().expect("is there").store().send(&key).expect("reads").expect("one");
    let due = row.not_before.since(at(0));
    assert!((11 * HOUR..11 * HOUR + 600_000).contains(&due), "{row:?}");
    assert_eq!(late(&mut world, due + 5).2, [5]);
}

/// R23: what may have left counts for whoever is tested after it, though the answer came later than the other was
/// intended.
#[test]
fn what_may_have_left_counts_whenever_its_answer_came() {
    let caps = || workspace("(version: 1, caps: [(limit: at_most(1), within: \"2 h\")])");
    let mut world = World::with(FLOW, caps());
    let later = r#"(version: 2, id: "later", name: "Later", nodes: [
        (id: "start", kind: "trigger", settings: (any: [event(event: "Viewed Product")])),
        (id: "wait", kind: "delay", settings: (wait: for("1 h"))),
        (id: "mail", kind: "email", settings: (message: "m")),
    ], edges: [(from: "start", to: "wait"), (from: "wait", to: "mail")],
    messages: [(id: "m", subject: "Hello", body: html("Hello"))])"#;
    world.order(0, publish(later, caps())).expect("is published");
    world.event(1, "e1", "ada", "Started Checkout");
    let held = Handed::Held { reason: Reason::Fault, detail: "cannot be rendered".to_owned() };
    let first = world.send(2, &held).remove(0);
    world.event(3, "e2", "ada", "Viewed Product");
    world.batch(HOUR + 3, |driver, now| driver.wake_due(now, 10));
    // The hand-over is late: the other mail moves ahead by its jitter with the next that is heard.
    world.order(HOUR + 401_000, Order::Retry { key: first.clone(), resend: false }).expect("is tried again");
    assert_eq!(world.claim(HOUR + 401_000), [(first.clone(), 2)], "the other one waits for its jitter");
    assert_eq!(world.batch(HOUR + 401_000, |d, now| d.begin(now, &first, 2, None)), Begin::Go);
    let unknown = Handed::Unknown { detail: "cut".to_owned() };
    world.batch(HOUR + 1_800_000, |d, now| d.settle(now, &first, 2, &unknown));
    assert!(world.claim(HOUR + 1_800_001).is_empty(), "one in two hours");
    let other = SendKey::parse("ada/later/1/mail/1").expect("a key");
    assert_eq!(world.standing(&other), settled(Outcome::Skipped));
}
