//! What becomes of sends, words and people, also over a restart.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

mod again;
mod limits;
mod people;
mod population;

use super::*;
use crate::{
    audience::{Contact, Value},
    base::SendKey,
    engine::store::ContactRow,
    engine::work::{Begin, Done, Handed, History, Order, Refusal, Standing},
    kinds::runtime::{Change, Outcome, Reason},
    testing::engine::check_replay,
};

const FLOW: &str = r#"(version: 2, id: "demo", name: "Demo", nodes: [
    (id: "start", kind: "trigger", settings: (any: [event(event: "Started Checkout")])),
    (id: "first", kind: "email", settings: (message: "m")),
    (id: "wait", kind: "delay", settings: (wait: for("1 day"))),
    (id: "second", kind: "email", settings: (message: "m")),
], edges: [(from: "start", to: "first"), (from: "first", to: "wait"), (from: "wait", to: "second")],
messages: [(id: "m", subject: "Hello", body: html("Hello"))])"#;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn at(millis: i64) -> Instant {
    Instant::from_millis(1_795_424_400_000 + millis)
}

fn flow(text: &str) -> Flow {
    file::read(text).expect("reads").flow
}

fn workspace(ron: &str) -> Workspace {
    file::read_workspace(ron).expect("reads").0
}

struct World {
    driver: Option<Driver>,
}

impl World {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = Path::new("/").join(format!("driver-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        let store = Store::open_on(&name, "memdb").expect("opens");
        Self { driver: Some(Driver::on(store).expect("reads")) }
    }

    /// With the flow live and one contact.
    fn with(text: &str, workspace: Workspace) -> Self {
        let mut world = Self::new();
        world.order(0, publish(text, workspace)).expect("is published");
        for id in ["ada", "ben"] {
            world.add(id);
        }
        world
    }

    fn add(&mut self, id: &str) {
        let mut contact = Contact::new(id);
        contact.email = Some(format!("{id}@example.com").into());
        contact.consent.email = crate::audience::ConsentStatus::Subscribed;
        let history = History { contact, events: Vec::new(), suppressed: false };
        self.batch(0, |driver, now| driver.history(now, &history));
    }

    #[track_caller]
    fn batch<T>(&mut self, millis: i64, work: impl FnOnce(&mut Driver, Instant) -> Result<T>) -> T {
        let driver = self.driver.as_mut().expect("is there");
        driver.batch(at(millis), |driver| work(driver, at(millis))).expect("is written").0
    }

    #[track_caller]
    fn order(&mut self, millis: i64, order: Order) -> Done {
        self.batch(millis, |driver, now| driver.order(now, "tester", &order))
    }

    #[track_caller]
    fn event(&mut self, millis: i64, id: &str, contact: &str, name: &str) -> Answer {
        let item = NewEvent {
            id: id.into(),
            contact: contact.into(),
            name: name.into(),
            happened: None,
            properties: crate::audience::Properties::new(),
            change: None,
        };
        self.batch(millis, |driver, now| driver.event(now, &item))
    }

    /// The process dies and comes back.
    fn restart(&mut self) {
        let store = self.driver.take().expect("is there").into_store();
        self.driver = Some(Driver::on(store).expect("reads again"));
    }

    #[track_caller]
    fn standing(&self, key: &SendKey) -> Standing {
        self.driver.as_ref().expect("is there").store().send(key).expect("reads").expect("is there").standing
    }

    #[track_caller]
    fn claim(&mut self, millis: i64) -> Vec<(SendKey, u32)> {
        let jobs = self.batch(millis, |driver, now| driver.claim_due(now, 100));
        jobs.into_iter().map(|job| (job.key, job.attempt)).collect()
    }

    #[track_caller]
    fn send(&mut self, millis: i64, handed: &Handed) -> Vec<SendKey> {
        let jobs = self.claim(millis);
        for (key, attempt) in &jobs {
            let begin = self.batch(millis, |driver, now| driver.begin(now, key, *attempt, Some(b"mail")));
            assert_eq!(begin, Begin::Go);
            self.batch(millis, |driver, now| driver.settle(now, key, *attempt, handed));
        }
        jobs.into_iter().map(|(key, _)| key).collect()
    }

    fn trace(&self, id: &str) -> Vec<String> {
        let decisions = self.driver.as_ref().expect("is there").store().decisions(id).expect("reads");
        decisions.iter().map(ToString::to_string).collect()
    }
}

fn publish(text: &str, workspace: Workspace) -> Order {
    Order::Publish { flow: Box::new(flow(text)), workspace: Box::new(workspace) }
}

fn settled(outcome: Outcome) -> Standing {
    Standing::Settled(outcome)
}

#[test]
fn a_send_is_claimed_begun_and_settled_once() {
    let mut world = World::with(FLOW, Workspace::default());
    assert_eq!(world.event(1, "e1", "ada", "Started Checkout"), Answer::Accepted);
    assert_eq!(world.event(2, "e1", "ada", "Started Checkout"), Answer::Duplicate);
    let jobs = world.claim(3);
    let [(key, attempt)] = jobs.as_slice() else { panic!("{jobs:?}") };
    assert!(world.claim(3).is_empty(), "a claim is nobody else's");
    let begin = |world: &mut World, attempt: u32| world.batch(4, |d, now| d.begin(now, key, attempt, None));
    assert_eq!(begin(&mut world, attempt + 1), Begin::No, "another attempt");
    assert_eq!(begin(&mut world, *attempt), Begin::Go);
    assert_eq!(begin(&mut world, *attempt), Begin::No, "twice");
    assert_eq!(world.standing(key), Standing::HandingOver);
    world.batch(5, |d, now| d.settle(now, key, *attempt, &Handed::Done));
    assert_eq!(world.standing(key), settled(Outcome::Sent));
    // What comes twice changes nothing.
    world.batch(6, |d, now| d.settle(now, key, *attempt, &Handed::Unknown { detail: String::new() }));
    assert_eq!(world.standing(key), settled(Outcome::Sent));
}

#[test]
fn a_claim_is_taken_over_and_a_hand_over_is_not() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    world.event(1, "e2", "ben", "Started Checkout");
    let jobs = world.claim(2);
    let [(claimed, _), (begun, attempt)] = jobs.as_slice() else { panic!("{jobs:?}") };
    world.batch(3, |d, now| d.begin(now, begun, *attempt, Some(b"mail")));
    world.restart();
    let unknown = world.batch(HOUR, |d, now| d.recover(now, &|_| None));
    assert_eq!(unknown, 1);
    assert_eq!((world.standing(claimed), world.standing(begun)), (Standing::Due, settled(Outcome::Unknown)));
    assert_eq!(world.send(HOUR, &Handed::Done), std::slice::from_ref(claimed));
    let refused =
        world.order(HOUR, Order::Retry { key: begun.clone(), resend: false }).expect_err("is a person's word");
    assert!(refused.error.contains("may have left"), "{refused:?}");
    world.order(HOUR, Order::Retry { key: begun.clone(), resend: true }).expect("is sent again");
    assert_eq!(world.send(HOUR + 1, &Handed::Done), std::slice::from_ref(begun));
    assert_eq!(world.standing(begun), settled(Outcome::Sent));
}

/// R21: what nobody knew of has left, as somebody found out; it counts from when it was handed over, and nothing else
/// can be taken as sent.
#[test]
fn what_is_unknown_is_taken_as_sent_by_hand() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let mark =
        |world: &mut World, millis: i64, key: &SendKey| world.order(millis, Order::MarkSent { key: key.clone() });
    let refused = |world: &mut World, key: &SendKey, said: &str| {
        let refusal = mark(world, 2, key).expect_err(said);
        assert!(refusal.error.contains(said) && !refusal.hint.is_empty(), "{said}: {refusal:?}");
    };
    let nobody = SendKey { journey: "demo/eve/1".into(), node: "first".into(), pass: 1 };
    refused(&mut world, &nobody, "There is no send");
    let due = world.driver.as_ref().expect("is there").store().due_sends(at(2), 1).expect("reads").remove(0).key;
    refused(&mut world, &due, "has not left yet");
    let (key, attempt) = world.claim(2).remove(0);
    refused(&mut world, &key, "has not left yet");
    world.batch(3, |d, now| d.begin(now, &key, attempt, None));
    refused(&mut world, &key, "is on its way");
    world.restart();
    world.batch(HOUR, |d, now| d.recover(now, &|_| None));
    let row = |world: &World| world.driver.as_ref().expect("is there").store().send(&key).expect("reads").expect("one");
    assert_eq!((row(&world).standing, row(&world).at), (settled(Outcome::Unknown), at(3)), "handed over then");
    mark(&mut world, 2 * HOUR, &key).expect("is taken as sent");
    assert_eq!((row(&world).standing, row(&world).at), (settled(Outcome::Sent), at(2 * HOUR)));
    refused(&mut world, &key, "is sent already");
    assert!(world.order(2 * HOUR, Order::Retry { key: key.clone(), resend: true }).is_err(), "it is never sent again");
    assert!(world.claim(2 * HOUR).is_empty());
    let store = world.driver.as_ref().expect("is there").store();
    let state = store.contact(1).expect("reads").expect("one").state;
    let place = format!("\"at\":\"{}\"", at(3));
    assert!(state.contains(&place) && state.contains("\"status\":\"sent\""), "{place}: {state}");
    assert_eq!(check_replay(world.driver.as_ref().expect("is there"), "ada"), Ok(()));
    // The journey goes on, and its next message is tested and sent as ever.
    world.batch(DAY + HOUR, |d, now| d.wake_due(now, 10));
    assert_eq!(world.send(DAY + HOUR, &Handed::Done).len(), 1);
    let held = Handed::Held { reason: Reason::Fault, detail: String::new() };
    world.event(DAY + HOUR, "e2", "ben", "Started Checkout");
    let [other] = world.send(DAY + HOUR, &held).try_into().expect("one");
    refused(&mut world, &other, "is held");
    for id in ["ada", "ben"] {
        assert_eq!(check_replay(world.driver.as_ref().expect("is there"), id), Ok(()));
    }
}

/// R29: whoever cannot be read cannot be told; that the send left is kept.
#[test]
fn what_is_unknown_is_taken_as_sent_where_its_contact_is_damaged() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let [key] = world.send(2, &Handed::Unknown { detail: "cut".to_owned() }).try_into().expect("one");
    let store = world.driver.as_ref().expect("is there").store();
    let mut row = store.contact(1).expect("reads").expect("one");
    row.state = "{".to_owned();
    store.set_contact(&row, false).expect("writes");
    world.restart();
    world.order(3, Order::MarkSent { key: key.clone() }).expect("is taken as sent");
    assert_eq!(world.standing(&key), settled(Outcome::Sent));
}

#[test]
fn a_transport_that_knows_is_asked() {
    for (said, expected) in [(Some(true), settled(Outcome::Sent)), (Some(false), Standing::Due)] {
        let mut world = World::with(FLOW, Workspace::default());
        world.event(1, "e1", "ada", "Started Checkout");
        let (key, attempt) = world.claim(2).remove(0);
        world.batch(3, |d, now| d.begin(now, &key, attempt, None));
        world.restart();
        assert_eq!(world.batch(4, |d, now| d.recover(now, &|_| said)), 0);
        assert_eq!(world.standing(&key), expected);
    }
}

#[test]
fn what_changed_before_the_hand_over_stops_it() {
    let exit = FLOW.replace("nodes: [", r#"settings: (exit_when: "did \"Placed Order\" since entry"), nodes: ["#);
    let mut world = World::with(&exit, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let (key, attempt) = world.claim(2).remove(0);
    world.event(3, "e2", "ada", "Placed Order");
    assert_eq!(world.batch(4, |d, now| d.begin(now, &key, attempt, None)), Begin::No);
    assert_eq!(world.standing(&key), settled(Outcome::Skipped));
    assert!(world.trace("ada").iter().any(|line| line.contains("skipped: exit")), "{:#?}", world.trace("ada"));
}

#[test]
fn refusals_bounces_and_putting_off() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let later = Handed::Later { detail: "451 later".to_owned(), after_millis: Some(60_000) };
    let [key] = world.send(2, &later).try_into().expect("one");
    assert_eq!(world.standing(&key), Standing::Due);
    assert!(world.claim(59_000).is_empty());
    let no = Handed::No { detail: "550 5.1.1 no such user".to_owned(), bad_address: true };
    assert_eq!(world.send(61_000, &no), std::slice::from_ref(&key));
    assert_eq!(world.standing(&key), settled(Outcome::Refused));
    // Nothing goes to an address that is none: the second mail is stopped at its step.
    world.batch(DAY + 120_000, |d, now| d.wake_due(now, 10));
    assert!(world.trace("ada").iter().any(|line| line.contains("skipped: suppressed")), "{:#?}", world.trace("ada"));
}

#[test]
fn codes_are_given_once_and_an_empty_pool_holds() {
    let workspace = workspace(r#"(version: 1, code_pools: [(name: "p", codes: ["A1"])])"#);
    let text = FLOW
        .replace("nodes: [", r#"fields: [(name: "code", source: code(pool: "p"), fallback: None)], nodes: ["#)
        .replace("html(\"Hello\")", "html(\"Hello {code}\")");
    let mut world = World::with(&text, workspace.clone());
    world.event(1, "e1", "ada", "Started Checkout");
    world.event(2, "e2", "ben", "Started Checkout");
    let jobs = world.batch(3, |driver, now| driver.claim_due(now, 10));
    assert_eq!(jobs.len(), 1, "{:#?}", world.trace("ben"));
    assert_eq!(jobs[0].codes.get("p").map(SmolStr::as_str), Some("A1"));
    let held = world.driver.as_ref().expect("is there").store().sends_in(settled(Outcome::Held)).expect("reads");
    assert_eq!(held.len(), 1);
    // More codes, and somebody who tries again.
    let more = Workspace {
        code_pools: vec![crate::flow::CodePool {
            codes: vec!["A1".into(), "A2".into()],
            ..workspace.code_pools[0].clone()
        }],
        ..workspace
    };
    world.restart();
    world.order(4, publish(&text, more)).expect("takes the workspace");
    world.order(5, Order::Retry { key: held[0].key.clone(), resend: false }).expect("tries again");
    let jobs = world.batch(6, |driver, now| driver.claim_due(now, 10));
    assert_eq!(jobs[0].codes.get("p").map(SmolStr::as_str), Some("A2"));
}

#[test]
fn journeys_keep_their_version_until_somebody_migrates() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    world.send(1, &Handed::Done);
    let other = FLOW.replace("1 day", "2 days").replace("\"second\"", "\"last\"");
    world.order(2, publish(&other, Workspace::default())).expect("is published");
    while world.batch(2, |driver, _| driver.walk(1)) {}
    world.event(3, "e2", "ben", "Started Checkout");
    world.restart();
    world.send(3, &Handed::Done);
    world.batch(DAY + 10, |d, now| d.wake_due(now, 10));
    let sent = world.send(DAY + 10, &Handed::Done);
    assert_eq!(sent.iter().map(|key| key.node.as_str()).collect::<Vec<_>>(), ["second"], "the old version goes on");
    let refused =
        world.order(DAY + 11, Order::Migrate { flow: "demo".into(), mapping: vec![("second".into(), "nope".into())] });
    assert!(matches!(refused, Err(Refusal { error, .. }) if error.contains("no step `nope`")));
    assert!(world.order(DAY + 11, Order::Pause { flow: "domo".into(), freeze: false }).is_err());
}

#[test]
fn a_pause_holds_sends_and_resuming_tries_them() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    world.order(2, Order::Pause { flow: "demo".into(), freeze: false }).expect("pauses");
    assert!(world.claim(3).is_empty());
    // Also who comes later, and who was not told one by one.
    world.add("cem");
    world.event(4, "e3", "cem", "Started Checkout");
    assert!(world.claim(5).is_empty());
    world.restart();
    world.order(6, Order::Resume { flow: "demo".into() }).expect("goes on");
    while world.batch(6, |driver, _| driver.walk(1)) {}
    assert_eq!(world.send(7, &Handed::Done).len(), 2);
}

/// R30: what a pause holds are messages to the contact. Its calls and alerts are made, like its waits, as in a replay.
#[test]
fn a_paused_flow_makes_its_calls_and_alerts() {
    let text = FLOW
        .replace(
            r#"(id: "first", kind: "email", settings: (message: "m")),"#,
            r#"(id: "alert", kind: "internal_alert", settings: (to: ["team@shop.example"], subject: "Look", text: "Look")),
            (id: "hook", kind: "webhook", settings: (url: "https://example.com/")),"#,
        )
        .replace(
            r#"(from: "start", to: "first"), (from: "first", to: "wait")"#,
            r#"(from: "start", to: "alert"), (from: "alert", to: "hook"), (from: "hook", port: "done", to: "wait")"#,
        );
    let mut world = World::with(&text, Workspace::default());
    world.order(1, Order::Pause { flow: "demo".into(), freeze: false }).expect("pauses");
    world.event(2, "e1", "ada", "Started Checkout");
    let nodes: Vec<String> = world.send(3, &Handed::Done).iter().map(|key| key.node.to_string()).collect();
    assert_eq!(nodes, ["alert", "hook"]);
    world.batch(DAY + 10, |d, now| d.wake_due(now, 10));
    assert!(world.claim(DAY + 11).is_empty(), "the message waits");
    assert!(world.trace("ada").iter().any(|line| line.contains("second  held: paused")), "{:#?}", world.trace("ada"));
}

/// R17: who has no zone of their own waits on the workspace's wall, whether the flow is a new one as well or not.
#[test]
fn a_new_default_zone_is_heard() {
    let text = FLOW.replace(r#"for("1 day")"#, r#"until(time: "09:00")"#);
    for later in [text.clone(), text.replace("Demo", "Other")] {
        let mut world = World::with(&text, Workspace::default());
        let due = |world: &mut World| world.batch(2, |driver, _| driver.due_of(1));
        world.event(1, "e1", "ada", "Started Checkout");
        world.send(1, &Handed::Done);
        assert_eq!(due(&mut world), Some(at(DAY)), "09:00 in UTC");
        let moved = workspace(r#"(version: 1, zone: "America/New_York")"#);
        for _ in 0..2 {
            world.order(2, publish(&later, moved.clone())).expect("is published");
        }
        while world.batch(2, |driver, _| driver.walk(1)) {}
        assert_eq!(due(&mut world), Some(at(5 * HOUR)), "09:00 in New York");
        let heard = world.trace("ada").iter().filter(|line| line.contains("control: zones")).count();
        assert_eq!(heard, 1, "{:#?}", world.trace("ada"));
    }
}

#[test]
fn new_zone_data_are_heard_of_once() {
    let mut world = World::with(FLOW, Workspace::default());
    let look = |world: &mut World, millis: i64, zones: &str| world.batch(millis, |d, now| d.look_at_zones(now, zones));
    assert!(!look(&mut world, 1, "2026a"), "nobody waits yet");
    world.event(2, "e1", "ada", "Started Checkout");
    world.restart();
    assert!(!look(&mut world, 3, "2026a"));
    assert!(look(&mut world, 4, "2026b"));
    world.restart();
    assert!(!look(&mut world, 5, "2026b"));
    while world.batch(5, |driver, _| driver.walk(1)) {}
    assert!(world.trace("ada").iter().any(|line| line.contains("control: zones")), "{:#?}", world.trace("ada"));
}

#[test]
fn what_is_overdue_after_a_restore_is_held() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    world.send(1, &Handed::Done);
    // An event just before the copy: its mail is due in the outbox.
    world.event(2, "e2", "ben", "Started Checkout");
    world.batch(3, |d, now| d.store().set_meta("restored", &now.as_millis().to_string()));
    world.restart();
    let start = DAY + 6 * HOUR;
    world.batch(start, Driver::begin_restore);
    while world.batch(start, |driver, _| driver.walk(10)) {}
    for minutes in [0, 1, 11, 60] {
        let now = start + minutes * 60_000;
        world.batch(now, |d, now| d.wake_due(now, 10));
        assert!(world.claim(now).is_empty(), "after {minutes} minutes");
        world.batch(now, |d, _| d.end_restore());
    }
    let held = |world: &World, id: &str| world.trace(id).iter().any(|line| line.contains("held: too_late"));
    assert!(held(&world, "ada") && held(&world, "ben"), "{:#?}", world.trace("ada"));
    // What happens from now on is done; what was held is done where somebody says so.
    world.add("cem");
    world.event(start + 2 * HOUR, "e3", "cem", "Started Checkout");
    assert_eq!(world.send(start + 2 * HOUR, &Handed::Done).len(), 1);
    let key = SendKey { journey: "ada/demo/1".into(), node: "second".into(), pass: 1 };
    world.order(start + 3 * HOUR, Order::Retry { key: key.clone(), resend: false }).expect("tries again");
    assert_eq!(world.send(start + 3 * HOUR, &Handed::Done), [key]);
}

#[test]
fn a_drained_flow_lets_people_in_again_with_its_new_version() {
    let mut world = World::with(FLOW, Workspace::default());
    world.order(1, Order::Drain { flow: "demo".into() }).expect("drains");
    world.event(2, "e1", "ada", "Started Checkout");
    world.add("cem");
    world.event(2, "e1", "cem", "Started Checkout");
    assert!(world.claim(3).is_empty());
    world.order(4, publish(&FLOW.replace("1 day", "2 days"), Workspace::default())).expect("is published");
    world.restart();
    world.add("dora");
    for id in ["ben", "cem", "dora"] {
        world.event(5, "e2", id, "Started Checkout");
    }
    assert_eq!(world.claim(6).len(), 3);
}

#[test]
fn a_used_key_is_not_used_again() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let [key] = world.send(1, &Handed::Done).try_into().expect("one");
    // The step goes, and comes back behind the wait.
    let without = FLOW
        .replace(r#"(id: "first", kind: "email", settings: (message: "m")),"#, "")
        .replace(r#"(from: "start", to: "first"), (from: "first", to: "wait")"#, r#"(from: "start", to: "wait")"#);
    let back = without.replace(r#"(id: "second","#, r#"(id: "first","#).replace(r#"to: "second""#, r#"to: "first""#);
    for (millis, text) in [(2, &without), (4, &back)] {
        world.order(millis, publish(text, Workspace::default())).expect("is published");
        world.order(millis + 1, Order::Migrate { flow: "demo".into(), mapping: Vec::new() }).expect("migrates");
        while world.batch(millis + 1, |driver, _| driver.walk(10)) {}
    }
    world.batch(DAY + 10, |d, now| d.wake_due(now, 10));
    assert!(world.claim(DAY + 10).is_empty(), "{:#?}", world.trace("ada"));
    assert_eq!(world.standing(&key), settled(Outcome::Sent));
}

#[test]
fn a_clock_that_was_far_ahead_does_not_stop_the_hours() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(3_650 * DAY, "e1", "ben", "Viewed Product");
    world.event(2 * HOUR, "e2", "ada", "Viewed Product");
    world.event(4 * HOUR, "e3", "ada", "Viewed Product");
    let hour = world.driver.as_ref().expect("is there").store().meta("hour").expect("reads").expect("is kept");
    assert!(hour.parse::<i64>().expect("a number") <= at(6 * HOUR).as_millis(), "{hour}");
}

#[test]
fn a_mail_goes_to_the_address_that_was_tested() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let (key, attempt) = world.claim(2).remove(0);
    let change = Change { email: Some("ada@elsewhere.example".into()), ..Change::default() };
    world.batch(3, |d, now| d.change(now, &NewContact { id: "ada".into(), change: change.clone() }));
    assert_eq!(world.batch(4, |d, now| d.begin(now, &key, attempt, None)), Begin::No);
    assert_eq!(world.send(5, &Handed::Done), std::slice::from_ref(&key));
}

/// What waits for a place is no attempt: its pauses do not grow.
#[test]
fn a_job_that_was_sent_back_is_no_attempt() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    for at in [2, 3_000, 6_000] {
        let (key, attempt) = world.claim(at).remove(0);
        assert_eq!(attempt, 1);
        let back = Handed::NotYet { detail: "Waits for its turn".to_owned(), after_millis: 1_000 };
        world.batch(at + 1, |d, now| d.settle(now, &key, attempt, &back));
        assert!(world.claim(at + 500).is_empty(), "not before its time");
    }
    assert_eq!(world.send(9_000, &Handed::Done).len(), 1);
}

/// A pause of another kind is not said to be there when it is not.
#[test]
fn a_flow_is_paused_in_one_way() {
    let mut world = World::with(FLOW, Workspace::default());
    let pause = |freeze| Order::Pause { flow: "demo".into(), freeze };
    world.order(1, pause(false)).expect("is paused");
    world.order(2, pause(false)).expect("is paused still");
    let refusal = world.order(3, pause(true)).expect_err("waits go on");
    assert!(refusal.error.contains("another way"), "{refusal:?}");
    world.order(4, Order::Resume { flow: "demo".into() }).expect("goes on");
    world.order(5, pause(true)).expect("is frozen");
}

#[test]
fn old_rows_go_and_their_counts_stay() {
    let counting = r#"(version: 2, id: "demo", name: "Demo", nodes: [
        (id: "start", kind: "trigger", settings: (any: [event(event: "Started Checkout")])),
        (id: "often", kind: "condition", settings: (condition: "did \"Viewed Product\" at least 3 times")),
        (id: "mail", kind: "email", settings: (message: "m")),
    ], edges: [(from: "start", to: "often"), (from: "often", port: "yes", to: "mail")],
    messages: [(id: "m", subject: "Hello", body: html("Hello"))])"#;
    let mut world = World::with(counting, Workspace::default());
    world.event(1, "v1", "ada", "Viewed Product");
    world.event(2, "v2", "ada", "Viewed Product");
    world.restart();
    let said = world.order(40 * DAY, Order::Prune { days: 30 }).expect("drops");
    assert!(!said.starts_with("0 rows"), "{said}");
    assert!(world.order(40 * DAY, Order::Prune { days: 29 }).is_err_and(|no| no.error.contains("30 days")));
    world.event(40 * DAY, "v3", "ada", "Viewed Product");
    world.restart();
    world.event(40 * DAY + 1, "e1", "ada", "Started Checkout");
    assert_eq!(world.send(40 * DAY + 2, &Handed::Done).len(), 1, "{:#?}", world.trace("ada"));
}

#[test]
fn a_batch_that_fails_leaves_nothing_behind() {
    let mut world = World::with(FLOW, Workspace::default());
    let driver = world.driver.as_mut().expect("is there");
    let item = NewEvent {
        id: "e1".into(),
        contact: "ada".into(),
        name: "Started Checkout".into(),
        happened: None,
        properties: crate::audience::Properties::new(),
        change: None,
    };
    let failed = driver.batch(at(1), |driver| {
        driver.event(at(1), &item)?;
        Err::<(), _>(Error::damaged("a test"))
    });
    assert!(failed.is_err());
    assert!(world.trace("ada").is_empty() && world.claim(2).is_empty());
    assert_eq!(world.event(3, "e1", "ada", "Started Checkout"), Answer::Accepted, "is not known");
    assert_eq!(world.claim(4).len(), 1);
}

#[test]
fn the_journal_gives_the_states() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    world.event(1, "e2", "ben", "Started Checkout");
    world.send(1, &Handed::Done);
    world.order(2, Order::Pause { flow: "demo".into(), freeze: true }).expect("pauses");
    world.restart();
    world.event(HOUR, "e3", "ada", "Viewed Product");
    world.order(2 * HOUR, Order::Resume { flow: "demo".into() }).expect("goes on");
    while world.batch(2 * HOUR, |driver, _| driver.walk(1)) {}
    world.batch(2 * DAY, |d, now| d.wake_due(now, 10));
    world.send(2 * DAY, &Handed::Unknown { detail: "cut".to_owned() });
    for id in ["ada", "ben"] {
        assert_eq!(check_replay(world.driver.as_ref().expect("is there"), id), Ok(()));
    }
}

/// R2: what says that it happens in 2100 happened when it was accepted, also for whoever reads it from the file.
#[test]
fn an_event_of_the_future_is_the_same_after_a_restart() {
    let text = FLOW.replace("event(event: \"Started Checkout\")", r#"segment(segment: "Lately")"#);
    let workspace = workspace(r#"(version: 1, segments: {"Lately": "did \"Visit\" in the last 1 day"})"#);
    let mut world = World::with(&text, workspace);
    let item = NewEvent {
        id: "e1".into(),
        contact: "ada".into(),
        name: "Visit".into(),
        happened: Some(Instant::parse("2100-01-01T00:00:00Z").expect("an instant")),
        properties: crate::audience::Properties::new(),
        change: None,
    };
    world.batch(1, |driver, now| driver.event(now, &item));
    world.restart();
    world.event(HOUR, "e2", "ada", "Other");
    world.batch(3 * DAY, |driver, now| driver.wake_due(now, 10));
    assert_eq!(check_replay(world.driver.as_ref().expect("is there"), "ada"), Ok(()));
    let due = world.driver.as_ref().expect("is there").store().next_due().expect("reads");
    assert!(due.is_none_or(|due| due < at(10 * DAY)), "is woken in 2100: {due:?}");
}

/// R26: a command that speaks to a resting engine after a restore comes before the next start, and so do the words of
/// the hour's end; nothing that was overdue leaves for it.
#[test]
fn whoever_comes_first_after_a_restore_begins_the_care() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    world.event(1, "e2", "ben", "Started Checkout");
    world.send(1, &Handed::Done);
    world.batch(3, |d, now| d.store().set_meta("restored", &now.as_millis().to_string()));
    world.restart();
    world.event(DAY + HOUR, "e3", "ada", "Viewed Product");
    let told = world.trace("ada");
    let place = |what: &str| told.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("{told:#?}"));
    assert!(place("control: restored") < place("held: too_late"), "{told:#?}");
    // Nobody looked for hours more; what became due by then is overdue as well.
    world.event(DAY + HOUR, "e4", "ben", "Viewed Product");
    world.add("cem");
    world.event(DAY + 2 * HOUR, "e5", "cem", "Started Checkout");
    world.restart();
    // By then even more is, whatever the start says first.
    let start = 2 * DAY + 6 * HOUR;
    world.batch(start, |d, now| d.store().set_meta("zones", "2026a").and_then(|()| d.look_at_zones(now, "2026b")));
    world.batch(start, Driver::begin_restore);
    while world.batch(start, |driver, _| driver.walk(10)) {}
    assert!(world.trace("cem").iter().all(|line| !line.contains("deferred")), "{:#?}", world.trace("cem"));
    assert!(world.claim(start).is_empty(), "cem's mail waited in the outbox for hours");
    world.batch(start, |d, now| d.wake_due(now, 10));
    assert!(world.claim(start).is_empty());
    assert!(world.batch(start, |d, _| d.end_restore()));
    world.event(start + HOUR, "e6", "cem", "Viewed Product");
    assert!(!world.batch(start + HOUR, |d, _| d.end_restore()), "the care begins once");
}

const LOOP: &str = r#"(version: 2, id: "demo", name: "Demo", settings: (pass_limit: 5), nodes: [
    (id: "start", kind: "trigger", settings: (any: [event(event: "Started Checkout")])),
    (id: "first", kind: "email", settings: (message: "m")),
    (id: "wait", kind: "delay", settings: (wait: for("1 day"))),
], edges: [(from: "start", to: "first"), (from: "first", to: "wait"), (from: "wait", to: "first")],
messages: [(id: "m", subject: "Hello", body: html("Hello"))])"#;

/// A step of a loop that is held the second time is named by that time, and can be tried again; so can one that an
/// older build has named by the first.
#[test]
fn what_is_held_at_its_second_time_can_be_tried_again() {
    let mut world = World::with(LOOP, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let [first] = world.send(1, &Handed::Done).try_into().expect("one");
    assert_eq!(first.pass, 1);
    for pass in [2, 3] {
        let day = i64::from(pass - 1) * (DAY + 10);
        world.order(day - HOUR, Order::Pause { flow: "demo".into(), freeze: false }).expect("pauses");
        world.batch(day, |d, now| d.wake_due(now, 10));
        let store = world.driver.as_ref().expect("is there").store();
        let key = SendKey { pass, ..first.clone() };
        assert_eq!(store.held_keys().expect("reads"), [key.to_string()]);
        // Nobody resumes it for everybody: this one only, of which the pause holds the try as well.
        let named = if pass == 2 { key.clone() } else { first.clone() };
        let said = world.order(day + 1, Order::Retry { key: named.clone(), resend: false });
        assert!(said.is_ok(), "{said:?}");
        world.order(day + 2, Order::Resume { flow: "demo".into() }).expect("goes on");
        while world.batch(day + 2, |driver, _| driver.walk(10)) {}
        assert_eq!(world.send(day + 3, &Handed::Done), [key]);
        let again = world.order(day + 4, Order::Retry { key: named, resend: false });
        assert!(again.is_err_and(|no| no.error.contains("is not held")));
    }
}

/// What waits for a person at the front of the outbox, and rows of a clock that was ahead at the front of the journal,
/// keep nothing behind them from being dropped.
#[test]
fn retention_goes_on_behind_what_stays() {
    let mut world = World::with(FLOW, Workspace::default());
    world.event(1, "e1", "ada", "Started Checkout");
    let held = Handed::Held { reason: crate::kinds::runtime::Reason::Fault, detail: String::new() };
    world.send(2, &held);
    // A clock that was a year ahead for a moment.
    world.add("cem");
    world.event(365 * DAY, "e1", "cem", "Viewed Product");
    while world.batch(3, |driver, _| driver.prune_page(at(40 * DAY), 30)).0 > 0 {}
    world.event(4, "e1", "ben", "Started Checkout");
    world.send(5, &Handed::Done);
    let store = world.driver.as_ref().expect("is there").store();
    let before = at(10 * DAY);
    assert_eq!(store.with_old_rows(before, 1).expect("reads"), [2], "behind a row of the next year");
    let sends = store.prune_sends(before, 1).expect("drops");
    assert_eq!(sends, [("sent".to_owned(), 1)], "behind one that is held");
}
