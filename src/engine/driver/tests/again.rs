//! What was put off, held or lost its answer is tried again, and is seen until then.

use super::*;

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
