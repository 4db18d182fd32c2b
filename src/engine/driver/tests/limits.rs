//! What is kept of one contact has an end.

use super::*;

/// Who does more than anybody can is not heard any more, except for what they answer to mails; others are.
#[test]
fn a_machine_among_the_contacts_takes_no_memory() {
    let mut world = World::with(FLOW, Workspace::default());
    let item = |n: usize| NewEvent {
        id: format!("e{n}").as_str().into(),
        contact: "ada".into(),
        name: "Viewed Product".into(),
        happened: None,
        properties: crate::audience::Properties::new(),
        change: None,
    };
    const { assert!(MOST_EVENTS > crate::audience::log::LOG_EVENTS, "more than the log says") };
    let answers: Vec<Answer> =
        world.batch(1, |driver, now| (0..MOST_EVENTS).map(|n| driver.event(now, &item(n))).collect());
    assert!(answers.iter().all(|answer| *answer == Answer::Accepted));
    for _ in 0..2 {
        assert_eq!(world.event(HOUR, "e0", "ada", "Viewed Product"), Answer::Duplicate);
        let refused = world.event(HOUR, "more", "ada", "Viewed Product");
        let said = format!("ada has {MOST_EVENTS} events");
        assert!(matches!(&refused, Answer::Refused { error, .. } if error.contains(&said)), "{refused:?}");
        world.restart();
    }
    assert_eq!(world.event(HOUR, "out", "ada", "$unsubscribed"), Answer::Accepted);
    assert_eq!(world.event(HOUR, "e1", "ben", "Viewed Product"), Answer::Accepted);
}

/// So is who does little, but says much with it.
#[test]
fn a_contact_with_huge_events_takes_no_memory() {
    let mut world = World::with(FLOW, Workspace::default());
    let big = |id: &str, contact: &str| NewEvent {
        id: id.into(),
        contact: contact.into(),
        name: "Viewed Product".into(),
        happened: None,
        properties: [("page".into(), Value::text("x".repeat(1_500_000)))].into(),
        change: None,
    };
    for n in 0..3 {
        let item = big(&format!("e{n}"), "ada");
        assert_eq!(world.batch(n, |driver, now| driver.event(now, &item)), Answer::Accepted);
    }
    for _ in 0..2 {
        let refused = world.batch(HOUR, |driver, now| driver.event(now, &big("more", "ada")));
        assert!(matches!(&refused, Answer::Refused { error, .. } if error.contains("KB of events")), "{refused:?}");
        assert_eq!(world.event(HOUR, "e2", "ada", "Viewed Product"), Answer::Duplicate);
        world.restart();
    }
    assert_eq!(world.event(HOUR, "out", "ada", "$unsubscribed"), Answer::Accepted);
    let item = big("e1", "ben");
    assert_eq!(world.batch(HOUR, |driver, now| driver.event(now, &item)), Answer::Accepted);
}
