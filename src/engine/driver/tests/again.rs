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
