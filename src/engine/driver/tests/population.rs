//! Rules over the population (SEMANTICS R6, R28): what is counted, what is kept of it, over restarts too.

use super::*;

/// So many send a flow's mails that a breaker may act.
const CROWD: usize = 220;

/// With a crowd whose first mails have left by the first minute.
fn crowded(text: &str) -> World {
    let mut world = World::with(text, Workspace::default());
    for n in 0..CROWD {
        world.add(&format!("c{n}"));
        world.event(n as i64, "e1", &format!("c{n}"), "Started Checkout");
    }
    while !world.send(1_000, &Handed::Done).is_empty() {}
    world
}

/// An answer that says of its message its key alone, as the API asks.
fn answer(world: &mut World, millis: i64, id: &str, contact: &str, name: &str, node: &str) -> Answer {
    let key = format!("{contact}/demo/1/{node}/1");
    let item = NewEvent {
        id: id.into(),
        contact: contact.into(),
        name: name.into(),
        happened: None,
        properties: [("send_key".into(), Value::text(key))].into(),
        change: None,
    };
    world.batch(millis, |driver, now| driver.event(now, &item))
}

/// What the hours' ends have said so far.
fn said(world: &World) -> Vec<Control> {
    let controls = world.driver.as_ref().expect("is there").store().controls().expect("reads");
    let read = controls.into_iter().map(|(_, _, body)| serde_json::from_str(&body).expect("a word"));
    read.filter(|control| matches!(control, Control::Breaker { .. } | Control::Winner { .. })).collect()
}

/// R28: the send key says which flow somebody complains of.
#[test]
fn answers_that_name_their_send_key_alone_count() {
    let mut world = crowded(FLOW);
    for n in 0..20 {
        assert_eq!(answer(&mut world, 2_000, "x", &format!("c{n}"), "$complained", "first"), Answer::Accepted);
    }
    world.event(HOUR, "e2", "ben", "Viewed Product");
    assert!(matches!(said(&world).as_slice(), [Control::Breaker { flow, .. }] if flow.as_str() == "demo"));
    assert_eq!(check_replay(world.driver.as_ref().expect("is there"), "c1"), Ok(()));
}

/// R0: nor is anything else deaf to it.
#[test]
fn conditions_hear_answers_that_name_their_send_key_alone() {
    let text = FLOW
        .replace(
            r#"(id: "second","#,
            r#"(id: "seen", kind: "condition", settings: (condition: "opened \"first\"")), (id: "second","#,
        )
        .replace(
            r#"(from: "wait", to: "second")"#,
            r#"(from: "wait", to: "seen"), (from: "seen", port: "yes", to: "second")"#,
        );
    let mut world = World::with(&text, Workspace::default());
    for id in ["ada", "ben"] {
        world.event(1, "e1", id, "Started Checkout");
    }
    world.send(1, &Handed::Done);
    assert_eq!(answer(&mut world, HOUR, "o", "ada", "$opened", "first"), Answer::Accepted);
    // A key of somebody else's says nothing.
    let foreign = NewEvent {
        id: "o".into(),
        contact: "ben".into(),
        name: "$opened".into(),
        happened: None,
        properties: [("send_key".into(), Value::text("ada/demo/1/first/1"))].into(),
        change: None,
    };
    world.batch(HOUR, |driver, now| driver.event(now, &foreign));
    world.batch(DAY + 10, |d, now| d.wake_due(now, 10));
    let sent = world.send(DAY + 10, &Handed::Done);
    assert_eq!(sent.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ada/demo/1/second/1"]);
    assert_eq!(check_replay(world.driver.as_ref().expect("is there"), "ada"), Ok(()));
}

/// R28: whoever presses the button again and again is one who leaves.
#[test]
fn one_person_does_not_pause_a_flow() {
    let mut world = crowded(FLOW);
    for n in 0..5 {
        let said = answer(&mut world, 60_000 * (n + 1), &format!("u{n}"), "c1", "$unsubscribed", "first");
        assert_eq!(said, Answer::Accepted);
        if n == 2 {
            world.restart();
        }
    }
    world.event(HOUR, "e2", "ben", "Viewed Product");
    assert_eq!(said(&world), []);
    for contact in ["c2", "c3"] {
        answer(&mut world, HOUR + 1, "u", contact, "$unsubscribed", "first");
    }
    world.restart();
    world.event(2 * HOUR, "e3", "ben", "Viewed Product");
    let breakers = said(&world);
    assert!(
        matches!(breakers.as_slice(), [Control::Breaker { why, .. }] if why.starts_with("3 unsubscribed after 220 ")),
        "{breakers:?}"
    );
}

/// 50 % each, the winner by opens, three hours after the first entry.
const RACE: &str = r#"(version: 2, id: "demo", name: "Demo", nodes: [
    (id: "start", kind: "trigger", settings: (any: [event(event: "Started Checkout")])),
    (id: "vip", kind: "condition", settings: (condition: "contact.vip = true")),
    (id: "s", kind: "split", settings: (salt: "tone", arms: [(name: "a", weight: 50), (name: "b", weight: 50)],
        winner: (metric: opened, after_entries: 1, after: "3 h"))),
    (id: "first", kind: "email", settings: (message: "m")),
], edges: [(from: "start", to: "vip"), (from: "vip", port: "no", to: "s"), (from: "s", port: "a", to: "first"),
    (from: "s", port: "b", to: "first")],
messages: [(id: "m", subject: "Hello", body: html("Hello"))])"#;

fn tally(world: &World) -> String {
    world.driver.as_ref().expect("is there").store().tally().expect("reads").concat()
}

/// What people leave is kept only where a winner may come of it.
#[test]
fn steps_that_nobody_counts_are_not_kept() {
    let mut world = World::with(RACE, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    world.event(1, "e1", "ben", "Started Checkout");
    assert_eq!(tally(&world).matches("\"what\":\"left\"").count(), 2, "{}", tally(&world));
    assert!(!tally(&world).contains("vip"), "{}", tally(&world));
    // Nor where nothing is sent.
    let mut world = World::with(&FLOW.replace("Started Checkout", "Ordered"), Workspace::default());
    world.event(1, "e1", "ada", "Ordered");
    assert_eq!(tally(&world), "");
}

/// R6: a winner that falls due in an hour without anything to count is remembered, too.
#[test]
fn a_winner_comes_once_over_restarts() {
    let mut world = World::with(RACE, Workspace::default());
    for n in 0..20 {
        world.add(&format!("c{n}"));
        world.event(n, "e1", &format!("c{n}"), "Started Checkout");
    }
    for hour in 1..=6 {
        world.batch(hour * HOUR, |_, _| Ok(()));
        world.restart();
    }
    let winners = said(&world);
    assert!(matches!(winners.as_slice(), [Control::Winner { .. }]), "{winners:?}");
}

/// R6: an engine that never runs for a whole hour closes hours all the same.
#[test]
fn the_first_hour_is_remembered() {
    let mut world = crowded(FLOW);
    for n in 0..20 {
        answer(&mut world, 2_000, "x", &format!("c{n}"), "$complained", "first");
    }
    world.restart();
    world.event(HOUR + 1, "e2", "ben", "Viewed Product");
    assert!(matches!(said(&world).as_slice(), [Control::Breaker { .. }]), "{:?}", said(&world));
}
