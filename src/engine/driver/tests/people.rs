//! People who are not written to any more: forgotten, suppressed, taken over so.

use super::*;
use crate::engine::forget::Person;

#[test]
fn people_are_forgotten() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    world.send(1, &Handed::Done);
    world.order(2, Order::Forget { contact: "ada".into() }).expect("forgets");
    assert!(world.trace("ada").is_empty());
    let driver = world.driver.as_ref().expect("is there");
    let row = driver.store().contact(1).expect("reads").expect("stays");
    assert!(row.email.is_none() && !row.state.contains("example.com") && row.due.is_none(), "{row:?}");
    assert_eq!(world.event(3, "e2", "ada", "Started Checkout"), Answer::Accepted);
    assert!(world.claim(4).is_empty(), "stays suppressed");
    let change = Change { email: Some("ada@example.com".into()), ..Change::default() };
    world.batch(5, |d, now| d.change(now, &NewContact { id: "ada".into(), change: change.clone() }));
    assert!(world.order(6, Order::Forget { contact: "nobody".into() }).is_err());
}

#[test]
fn addresses_are_suppressed_before_the_hand_over() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let (key, attempt) = world.claim(2).remove(0);
    let said = world.order(3, Order::Suppress { addresses: vec!["ADA@example.com ".to_owned()], lift: false });
    assert_eq!(said, Ok("1 of 1 addresses added to the suppression list".to_owned()));
    world.restart();
    assert_eq!(world.batch(4, |d, now| d.begin(now, &key, attempt, None)), Begin::No);
    assert!(world.trace("ada").iter().any(|line| line.contains("suppressed")), "{:#?}", world.trace("ada"));
}

#[test]
fn a_list_with_a_wrong_address_changes_nothing() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let addresses = vec!["ada@example.com".to_owned(), "x".repeat(321)];
    let refusal = world.order(2, Order::Suppress { addresses, lift: false }).expect_err("is refused");
    assert!(refusal.error.contains("is no address"), "{refusal:?}");
    let store = world.driver.as_ref().expect("is there").store();
    assert_eq!(store.suppressed(), Ok(Vec::new()));
    assert_eq!(world.claim(3).len(), 1, "she is written to, as the list says");
}

#[test]
fn an_alert_to_nobody_is_not_the_contacts_bounce() {
    let alert = FLOW.replacen(
        r#"(id: "first", kind: "email", settings: (message: "m"))"#,
        r#"(id: "first", kind: "internal_alert", settings: (to: ["team@shop.example"], subject: "Look", text: "Look"))"#,
        1,
    );
    assert_ne!(alert, FLOW);
    let mut world = World::with(&alert, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let no = Handed::No { detail: "550 5.1.1 no such user".to_owned(), bad_address: true };
    assert_eq!(world.send(2, &no).len(), 1);
    world.batch(DAY + 2_000, |d, now| d.wake_due(now, 10));
    assert_eq!(world.claim(DAY + 3_000).len(), 1, "{:#?}", world.trace("ada"));
}

/// Whoever is taken over as somebody never to be written to is not.
#[test]
fn people_come_suppressed_with_their_past() {
    let mut world = World::with(FLOW, Workspace::default());
    let mut contact = Contact { email: Some("eve@example.com".into()), ..Contact::new("eve") };
    contact.consent.email = crate::audience::ConsentStatus::Subscribed;
    let history = History { contact, events: Vec::new(), suppressed: true };
    world.batch(1, |driver, now| driver.history(now, &history));
    world.restart();
    world.event(2, "e1", "eve", "Started Checkout");
    assert!(world.claim(3).is_empty(), "stays suppressed");
    assert!(world.trace("eve").iter().any(|line| line.contains("suppressed")), "{:#?}", world.trace("eve"));
    check_replay(world.driver.as_ref().expect("is there"), "eve").expect("the journal gives the state");
}

/// What files of somebody are known by is noted in the same commit, all that was ever said, until the files are gone.
#[test]
fn whoever_is_forgotten_is_noted_until_the_files_are_gone() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let [first] = world.send(1, &Handed::Done).try_into().expect("one");
    let change = Change { email: Some("new@example.com".into()), phone: Some("+491701".into()), ..Change::default() };
    world.batch(2, |d, now| d.change(now, &NewContact { id: "ada".into(), change: change.clone() }));
    let forget = |world: &mut World, millis| world.order(millis, Order::Forget { contact: "ada".into() });
    let note = |world: &World| -> Option<Person> {
        let text = world.driver.as_ref().expect("is there").store().meta(&Person::meta(&"ada".into())).expect("reads");
        text.map(|text| serde_json::from_str(&text).expect("a note"))
    };
    forget(&mut world, 3).expect("forgets");
    let addresses = ["ada@example.com", "new@example.com", "+491701"].map(str::to_owned).into();
    let expected =
        Person { addresses, keys: [first.to_string()].into(), is_under_way: false, ..Person::new("ada".into()) };
    assert_eq!(note(&world), Some(expected.clone()));
    // A crash before the files are gone, and another word: nothing of the first note is lost.
    world.restart();
    forget(&mut world, 4).expect("forgets again");
    assert_eq!(note(&world), Some(expected));
    world.order(5, Order::Erased { contact: "ada".into() }).expect("is told");
    assert_eq!(note(&world), None);
}

/// R29: also of whoever cannot be read.
#[test]
fn whoever_is_damaged_is_noted_as_well() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let (key, attempt) = world.claim(2).remove(0);
    world.batch(3, |d, now| d.begin(now, &key, attempt, None));
    let store = world.driver.as_ref().expect("is there").store();
    let row = store.contact(1).expect("reads").expect("one");
    store.set_contact(&ContactRow { state: "{".into(), ..row }, false).expect("writes");
    world.restart();
    world.order(4, Order::Forget { contact: "ada".into() }).expect("forgets");
    let store = world.driver.as_ref().expect("is there").store();
    let text = store.meta(&Person::meta(&"ada".into())).expect("reads").expect("a note");
    let note: Person = serde_json::from_str(&text).expect("a note");
    assert!(note.is_under_way && note.addresses.contains("ada@example.com") && note.keys.len() == 1, "{note:?}");
}

/// Whoever comes again after being forgotten, and gets another code, can be forgotten again.
#[test]
fn people_are_forgotten_twice() {
    let mut world = World::with(FLOW, Workspace::default());
    for (n, code) in ["A1", "A2", "A3"].into_iter().enumerate() {
        let key = SendKey { journey: "demo/ada/1".into(), node: "first".into(), pass: 1 };
        assert!(world.batch(n as i64, |driver, _| driver.store().give_code("p", code, 1, &key)), "{code}");
        world.order(n as i64, Order::Forget { contact: "ada".into() }).expect("forgets");
        let store = world.driver.as_ref().expect("is there").store();
        assert_eq!(store.code_of("p", 1).expect("reads"), None);
        assert!(store.is_given("p", code).expect("reads"), "{code} stays given");
    }
}

/// Numbers as well as addresses, however they are written; what would keep nothing back is refused.
#[test]
fn numbers_are_suppressed() {
    let mut world = World::with(FLOW, Workspace::default());
    let order = |text: &str, lift: bool| Order::Suppress { addresses: vec![text.to_owned()], lift };
    world.order(1, order("+49 151 12345678", false)).expect("is suppressed");
    let listed = |world: &World| world.driver.as_ref().expect("is there").store().suppressed();
    assert_eq!(listed(&world), Ok(vec!["+4915112345678".to_owned()]));
    for text in ["0151 12345678", "ada"] {
        let refusal = world.order(2, order(text, false)).expect_err(text);
        assert!(refusal.error.contains("country code"), "{refusal:?}");
    }
    world.order(3, order("0049 151 12345678", true)).expect("is lifted");
    assert_eq!(listed(&world), Ok(Vec::new()));
}

/// What the workspace's own list holds is not lifted for a moment only: it says where it stands.
#[test]
fn the_workspaces_own_list_is_not_lifted_behind_its_back() {
    let mut world = World::with(FLOW, workspace("(version: 1, suppression: [\"Ada@example.com\"])"));
    let lift = |addresses: &[&str]| Order::Suppress {
        addresses: addresses.iter().map(|address| (*address).to_owned()).collect(),
        lift: true,
    };
    let refusal = world.order(1, lift(&["ben@example.com", "ada@example.com"])).expect_err("stands in the list");
    assert!(refusal.error.contains("ada@example.com") && refusal.hint.contains("flowloom.ron"), "{refusal:?}");
    world.event(2, "e1", "ada", "Started Checkout");
    assert!(world.claim(3).is_empty(), "stays suppressed");
    world.order(4, publish(FLOW, Workspace::default())).expect("is published");
    assert_eq!(
        world.order(5, lift(&["ada@example.com"])),
        Ok("0 of 1 addresses taken off the suppression list".to_owned())
    );
}

/// Whoever a former build took in under an address with capitals is the same person for whoever names the address only,
/// however it is written now; ids that are said are taken as they are.
#[test]
fn an_address_that_stood_in_with_capitals_is_no_second_person() {
    let mut world = World::with(FLOW, Workspace::default());
    let mut contact = Contact { email: Some("Old@X.example".into()), ..Contact::new("Old@X.example") };
    contact.consent.email = crate::audience::ConsentStatus::Unsubscribed;
    let history = History { contact, events: Vec::new(), suppressed: false };
    world.batch(1, |driver, now| driver.history(now, &history));
    for (millis, email) in [(2, "Old@X.example"), (3, "old@x.example"), (4, "OLD@x.example")] {
        let change = Change { email: Some(email.into()), ..Change::default() };
        let item = NewContact { id: "old@x.example".into(), change: change.clone() };
        assert_eq!(world.batch(millis, |d, now| d.change(now, &item)), Answer::Accepted, "{email}");
        let item = NewEvent {
            id: format!("e{millis}").as_str().into(),
            contact: "old@x.example".into(),
            name: "Started Checkout".into(),
            happened: None,
            properties: crate::audience::Properties::new(),
            change: Some(change),
        };
        assert_eq!(world.batch(millis, |d, now| d.event(now, &item)), Answer::Accepted, "{email}");
        world.restart();
    }
    let mut past = history.clone();
    past.contact.id = "old@x.example".into();
    assert_eq!(world.batch(5, |driver, now| driver.history(now, &past)), Answer::Duplicate);
    let number = |world: &World, id: &str| world.driver.as_ref().expect("is there").store().contact_number(id);
    assert_eq!(number(&world, "old@x.example"), Ok(None));
    assert!(world.claim(6).is_empty(), "the no is heard");
    check_replay(world.driver.as_ref().expect("is there"), "Old@X.example").expect("the journal gives the state");
    let other = Change { email: Some("old@x.example".into()), ..Change::default() };
    world.batch(7, |d, now| d.change(now, &NewContact { id: "customer-7".into(), change: other.clone() }));
    assert!(number(&world, "customer-7").expect("reads").is_some(), "an id that is said is another's");
}
