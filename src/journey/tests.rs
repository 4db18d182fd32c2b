//! The worked cases of SEMANTICS, and what only direct inputs can show.

use std::sync::Arc;

use super::*;
use crate::{
    audience::{Contact, Event, Properties, Value},
    base::{EventId, JourneyId},
    flow::{Flow, Workspace, file},
    kinds::runtime::Change,
};

/// Mails 1 at entry, 2 at 4 h, 3 at 12 h after the entry; the goal is a purchase of the same cart.
pub(super) const WATCH: &str = r#"(version: 2, id: "watch", name: "Watch",
    settings: (goal_when: "did \"Placed Order\" where (event.cart_id = trigger.cart_id) since entry"),
    nodes: [
        (id: "start", kind: "trigger", settings: (any: [event(event: "Checkout Expired")])),
        (id: "mail-1", kind: "email", settings: (message: "m1")),
        (id: "wait-4", kind: "delay", settings: (wait: for("4 h"), after: entry)),
        (id: "mail-2", kind: "email", settings: (message: "m2")),
        (id: "wait-12", kind: "delay", settings: (wait: for("12 h"), after: entry)),
        (id: "mail-3", kind: "email", settings: (message: "m3")),
    ],
    edges: [(from: "start", to: "mail-1"), (from: "mail-1", to: "wait-4"), (from: "wait-4", to: "mail-2"),
        (from: "mail-2", to: "wait-12"), (from: "wait-12", to: "mail-3")],
    messages: [(id: "m1", subject: "One", body: html("1")), (id: "m2", subject: "Two", body: html("2")), (id: "m3", subject: "Three", body: html("3"))])"#;

pub(super) fn flow(source: &str) -> Flow {
    let flow = file::read(source).unwrap_or_else(|d| panic!("{}", d.message)).flow;
    for node in &flow.nodes {
        assert!(node.settings.error().is_none(), "{}: {:?}", node.id, node.settings.error());
    }
    flow
}

struct World {
    flows: FlowSet,
    state: ContactState,
    lines: Vec<String>,
    intents: Vec<Intent>,
}

impl World {
    fn new(flows: &[Flow], workspace: &Workspace) -> Self {
        let mut contact = Contact::new("ada");
        contact.email = Some("ada@example.com".into());
        contact.consent.email = ConsentStatus::Subscribed;
        let mut world = Self {
            flows: FlowSet::new(workspace, flows),
            state: ContactState::new(contact),
            lines: Vec::new(),
            intents: Vec::new(),
        };
        let live: Vec<_> = world.flows.live().map(|(f, v)| (f.clone(), *v)).collect();
        for (flow, version) in live {
            world.feed(&Input::Control { at: hour(-100.0), control: Control::Adopt { flow, version } });
        }
        world
    }

    fn feed(&mut self, input: &Input) {
        let effects = advance(&self.flows, &mut self.state, input);
        self.lines.extend(effects.trace.iter().map(|d| {
            let hours = d.at.since(hour(0.0)) as f64 / 3.6e6;
            let line = d.to_string();
            format!("{hours:.2} {}", line.split_once("  ").map_or("", |(_, rest)| rest).replace("  ", " "))
        }));
        self.intents.extend(effects.intents);
        assert_eq!(effects.wake, self.state.next_wake());
    }

    /// Wakes the contact whenever it asks, hands everything over at once, up to an hour.
    fn run_until(&mut self, end: Instant) {
        loop {
            while let Some(intent) = self.intents.pop() {
                let result = Option::<Delivery>::from(may_hand_over(&self.flows, &self.state, &intent.key, intent.at));
                self.feed(&Input::Delivered {
                    at: intent.at,
                    key: intent.key,
                    result: result.unwrap_or(Delivery::Sent),
                });
            }
            match self.state.next_wake() {
                Some(at) if at <= end => self.feed(&Input::Wake { at }),
                _ => return,
            }
        }
    }

    fn event(&mut self, name: &str, id: &str, happened: f64, accepted: f64) {
        let mut properties = Properties::new();
        properties.insert("cart_id".into(), Value::text("c1"));
        let (happened, accepted) = (hour(happened), hour(accepted));
        let event =
            Event { id: EventId::new(id), contact: "ada".into(), name: name.into(), happened, accepted, properties };
        self.feed(&Input::Event(Arc::new(event)));
    }

    #[track_caller]
    fn check(&self, about: &[&str], expected: &[&str]) {
        let lines: Vec<&str> =
            self.lines.iter().map(String::as_str).filter(|line| about.iter().any(|word| line.contains(word))).collect();
        assert_eq!(lines, expected, "all:\n{}", self.lines.join("\n"));
    }
}

/// Hours after 2026-11-23T09:00Z.
fn hour(n: f64) -> Instant {
    Instant::from_millis(1_795_424_400_000).plus_millis((n * 3.6e6).round() as i64)
}

/// First worked case: cap 3 in 48 h, another flow's mail 10 h before: 1 and 2 leave, 3 is capped.
#[test]
fn worked_case_cap() {
    let other = r#"(version: 2, id: "other", name: "Other", nodes: [
        (id: "start", kind: "trigger", settings: (any: [event(event: "Signed Up")])), (id: "hello", kind: "email", settings: (message: "h"))],
        edges: [(from: "start", to: "hello")], messages: [(id: "h", subject: "Hello", body: html("h"))])"#;
    let mut world = World::new(&[flow(WATCH), flow(other)], &Workspace::default());
    world.event("Signed Up", "e0", -10.0, -10.0);
    world.run_until(hour(-1.0));
    world.event("Checkout Expired", "e1", 0.0, 0.0);
    world.run_until(hour(100.0));
    world.check(
        &["sent", "skipped", "ended"],
        &[
            "-10.00 ada/other/1 ended: completed",
            "-10.00 ada/other/1 hello sent: ok",
            "0.00 ada/watch/1 mail-1 sent: ok",
            "4.00 ada/watch/1 mail-2 sent: ok",
            "12.00 ada/watch/1 mail-3 skipped: capped",
            "12.00 ada/watch/1 ended: completed",
        ],
    );
}

/// R21, R23: what was unknown and did leave counts from when it was handed over; whoever waits for its place gets it
/// then, not when nobody knew of it any more.
#[test]
fn what_is_found_to_have_left_counts_from_its_hand_over() {
    let waits = |id: &str| {
        format!(
            r#"(version: 2, id: "{id}", name: "{id}", nodes: [
            (id: "start", kind: "trigger", settings: (any: [event(event: "{id}")])),
            (id: "mail", kind: "email", settings: (message: "m", on_cap: wait("3 days")))],
            edges: [(from: "start", to: "mail")], messages: [(id: "m", subject: "Hello", body: html("h"))])"#
        )
    };
    let workspace = file::read_workspace(r#"(version: 1, caps: [(limit: at_most(1), within: "24 h")])"#);
    let workspace = workspace.unwrap_or_else(|found| panic!("{}", found.message)).0;
    let mut world = World::new(&[flow(&waits("One")), flow(&waits("Two"))], &workspace);
    world.event("One", "e1", 0.0, 0.0);
    let key = world.intents.pop().expect("is intended").key;
    world.feed(&Input::Delivered { at: hour(10.0), key: key.clone(), result: Delivery::Unknown });
    world.event("Two", "e2", 11.0, 11.0);
    assert_eq!(world.state.next_wake(), Some(hour(34.0)), "a day after nobody knew of it any more");
    let mark = |at: f64, of: f64| Input::Control {
        at: hour(at),
        control: Control::MarkSent { key: key.clone(), at: hour(of) },
    };
    world.feed(&mark(12.0, 0.5));
    world.run_until(hour(12.0));
    assert_eq!(world.state.next_wake(), Some(hour(24.5)), "a day after it was handed over");
    let send = world.state.send(&key).expect("is there");
    assert_eq!((send.status, send.at), (Status::Sent, hour(0.5)));
    // What is known is not said anew.
    world.feed(&mark(13.0, 9.0));
    assert_eq!(world.state.send(&key).expect("is there").at, hour(0.5));
    world.run_until(hour(100.0));
    world.check(
        &["mark_sent", "mail sent", "unknown"],
        &[
            "10.00 ada/One/1 mail unknown: no_answer",
            "12.00 ada/One/1 mail sent: ok",
            "12.00 control: mark_sent",
            "13.00 control: mark_sent",
            "24.50 ada/Two/1 mail sent: ok",
        ],
    );
}

/// Second worked case: a purchase accepted 2 s after mail 2's timer fired, happened 1 min before it.
#[test]
fn worked_case_late_purchase() {
    let mut world = World::new(&[flow(WATCH)], &Workspace::default());
    world.event("Checkout Expired", "e1", 0.0, 0.0);
    world.run_until(hour(3.0));
    world.feed(&Input::Wake { at: hour(4.0) });
    let intent = world.intents.pop().expect("mail 2 is intended");
    world.event("Placed Order", "e2", 4.0 - 1.0 / 60.0, 4.0 + 2.0 / 3600.0);
    assert_eq!(
        may_hand_over(&world.flows, &world.state, &intent.key, hour(4.001)),
        HandOver::Stop(Outcome::Skipped, Reason::Goal)
    );
    world.check(
        &["converted", "ended", "late"],
        &[
            "4.00 late event e2 happened at 2026-11-23T12:59:00Z, a timer had decided at 2026-11-23T13:00:00Z",
            "4.00 ada/watch/1 converted at 2026-11-23T12:59:00Z, credited to ada/watch/1/mail-1/1",
            "4.00 ada/watch/1 ended: goal",
        ],
    );
    world.run_until(hour(100.0));
    world.check(&["mail-3"], &[]);
}

/// Third worked case: asleep for 13 h. Entered just before: mail 1 at 13 h, 2 at 17 h, 3 at 25 h, each plus jitter.
#[test]
fn worked_case_sleep() {
    let mut world = World::new(&[flow(WATCH)], &Workspace::default());
    world.event("Checkout Expired", "e1", 0.0, 0.0);
    let intent = world.intents.pop().expect("mail 1 is intended");
    world.feed(&Input::Wake { at: hour(13.0) });
    let HandOver::Defer(at) = may_hand_over(&world.flows, &world.state, &intent.key, hour(13.0)) else {
        panic!("mail 1 waits for its jitter");
    };
    let jitter = at.since(hour(13.0));
    assert!((0..600_000).contains(&jitter), "{jitter}");
    world.intents.push(Intent { at, ..intent });
    world.run_until(hour(100.0));
    let sent: Vec<i64> = world.state.sends.iter().map(|send| send.at.since(hour(0.0)) - jitter).collect();
    assert_eq!(sent, [13, 17, 25].map(|h| h * 3_600_000), "{}", world.lines.join("\n"));
}

/// The entry itself was due in the sleep: nothing enters (R11).
#[test]
fn a_clock_that_ran_out_long_ago_lets_nobody_in() {
    let source =
        WATCH.replace("event(event: \"Checkout Expired\")", "abandonment(start: \"Cart Updated\", after: \"6 h\")");
    let mut world = World::new(&[flow(&source)], &Workspace::default());
    world.event("Cart Updated", "e1", 0.0, 0.0);
    world.feed(&Input::Wake { at: hour(13.0) });
    world.check(&["entered"], &["6.00 watch not entered by trigger 1: the wake came too late"]);
}

/// R26: asleep while mail 2 was due; it is tried on waking, and mail 3 keeps its distance.
#[test]
fn catch_up_keeps_the_gap() {
    let mut world = World::new(&[flow(WATCH)], &Workspace::default());
    world.event("Checkout Expired", "e1", 0.0, 0.0);
    world.run_until(hour(1.0));
    world.feed(&Input::Wake { at: hour(14.0) });
    world.run_until(hour(100.0));
    let sent: Vec<i64> = world.state.sends.iter().map(|send| send.at.since(hour(0.0))).collect();
    let jitter = sent[1] - 14 * 3_600_000;
    assert!((0..600_000).contains(&jitter), "{sent:?}");
    assert_eq!(sent[2] - sent[1], 8 * 3_600_000, "{sent:?}");
}

/// R26: a driver that is late at every wake sends all the same: what was spread once is tried at the next wake, and no
/// gap shrinks.
#[test]
fn a_driver_that_is_always_late_sends_all_the_same() {
    for late_hours in [0.1, 1.0, 20.0] {
        let mut world = World::new(&[flow(WATCH)], &Workspace::default());
        world.event("Checkout Expired", "e1", 0.0, 0.0);
        world.run_until(hour(0.0));
        let mut num_wakes = 0;
        while let Some(due) = world.state.next_wake() {
            num_wakes += 1;
            assert!(num_wakes < 40, "{late_hours}: {}", world.lines.join("\n"));
            world.feed(&Input::Wake { at: due.plus_millis((late_hours * 3_600_000.0) as i64) });
            let at = world.state.now;
            world.run_until(at);
        }
        let sent: Vec<i64> = world.state.sends.iter().map(|send| send.at.since(hour(0.0))).collect();
        assert_eq!(sent.len(), 3, "{late_hours}: {}", world.lines.join("\n"));
        assert!(sent[1] - sent[0] >= 4 * 3_600_000 && sent[2] - sent[1] >= 8 * 3_600_000, "{sent:?}");
    }
}

/// R26: late for more than a day, the step is held and says so; a retry sends it.
#[test]
fn too_late_is_held_until_somebody_looks() {
    let mut world = World::new(&[flow(WATCH)], &Workspace::default());
    world.event("Checkout Expired", "e1", 0.0, 0.0);
    world.run_until(hour(1.0));
    world.feed(&Input::Wake { at: hour(40.0) });
    world.run_until(hour(100.0));
    world.check(&["mail-2 held", "mail-3"], &["40.00 ada/watch/1 mail-2 held: too_late"]);
    world.feed(&Input::Control {
        at: hour(101.0),
        control: Control::Retry { journey: JourneyId::new("ada/watch/1"), key: None },
    });
    world.run_until(hour(200.0));
    // Mail 3 keeps its eight hours from mail 2.
    world.check(
        &["mail-2 sent", "mail-3 sent"],
        &["101.00 ada/watch/1 mail-2 sent: ok", "109.00 ada/watch/1 mail-3 sent: ok"],
    );
}

/// R30: whoever names what is to be tried again means nothing else of its journey.
#[test]
fn a_retry_of_one_leaves_the_others_held() {
    let key = |node: &str| SendKey { journey: JourneyId::new("ada/watch/1"), node: node.into(), pass: 1 };
    for (named, expected) in [(Some("mail-1"), &["mail-1"][..]), (None, &["mail-1", "mail-2"]), (Some("mail-3"), &[])] {
        let mut world = World::new(&[flow(WATCH)], &Workspace::default());
        world.event("Checkout Expired", "e1", 0.0, 0.0);
        for (at, mail) in [(0.0, "mail-1"), (4.0, "mail-2")] {
            world.feed(&Input::Wake { at: hour(at) });
            let result = Delivery::Held(Reason::Fault);
            world.feed(&Input::Delivered { at: hour(at), key: key(mail), result });
        }
        world.intents.clear();
        let control = Control::Retry { journey: JourneyId::new("ada/watch/1"), key: named.map(key) };
        world.feed(&Input::Control { at: hour(5.0), control });
        let tried: Vec<&str> = world.intents.iter().map(|intent| intent.key.node.as_str()).collect();
        assert_eq!(tried, expected, "{named:?}");
    }
    // What an engine has stored before means all of it.
    let stored = serde_json::from_str::<Control>(r#"{"retry":{"journey":"ada/watch/1"}}"#).expect("reads");
    assert_eq!(stored, Control::Retry { journey: JourneyId::new("ada/watch/1"), key: None });
}

/// R30: the key of a step that is held retries that step, and of another step nothing.
#[test]
fn a_retry_of_a_held_step_goes_by_its_key() {
    for (named, expected) in [("mail-2", 1), ("mail-1", 0)] {
        let mut world = World::new(&[flow(WATCH)], &Workspace::default());
        world.event("Checkout Expired", "e1", 0.0, 0.0);
        world.run_until(hour(1.0));
        world.feed(&Input::Wake { at: hour(40.0) });
        let journey = JourneyId::new("ada/watch/1");
        let key = Some(SendKey { journey: journey.clone(), node: named.into(), pass: 1 });
        world.feed(&Input::Control { at: hour(41.0), control: Control::Retry { journey, key } });
        assert_eq!(world.intents.len(), expected, "{named}");
    }
}

/// R30: a pause holds sends while waits go on; resuming tries them.
#[test]
fn pause_and_resume() {
    for (freeze, expected) in [(false, ["10.00", "12.00"]), (true, ["13.00", "21.00"])] {
        let mut world = World::new(&[flow(WATCH)], &Workspace::default());
        world.event("Checkout Expired", "e1", 0.0, 0.0);
        world.run_until(hour(0.5));
        world.feed(&Input::Control { at: hour(1.0), control: Control::Pause { flow: "watch".into(), freeze } });
        world.run_until(hour(9.0));
        world.feed(&Input::Control { at: hour(10.0), control: Control::Resume { flow: "watch".into() } });
        world.run_until(hour(100.0));
        let sent: Vec<&str> =
            world.lines.iter().filter(|l| l.contains("sent: ok")).skip(1).filter_map(|l| l.split(' ').next()).collect();
        assert_eq!(sent, expected, "{}", world.lines.join("\n"));
    }
}

/// R15: losing required consent ends the journey at once; R22: an intent not handed over is stopped.
#[test]
fn consent_lost() {
    let mut world = World::new(&[flow(WATCH)], &Workspace::default());
    world.event("Checkout Expired", "e1", 0.0, 0.0);
    let key = world.intents[0].key.clone();
    let change = Change { consent: vec![(Channel::Email, ConsentStatus::Unsubscribed)], ..Change::default() };
    world.feed(&Input::Profile { at: hour(0.01), change });
    world.check(&["ended"], &["0.01 ada/watch/1 ended: no_consent"]);
    assert_eq!(
        may_hand_over(&world.flows, &world.state, &key, hour(0.01)),
        HandOver::Stop(Outcome::Skipped, Reason::NoConsent)
    );
}

/// A yes that another system repeats lifts no no; one that is said here does, and a no counts from everywhere.
#[test]
fn a_repeated_yes_lifts_no_no() {
    use ConsentStatus::{Subscribed, Unknown, Unsubscribed};
    let check = |before: ConsentStatus, change: ConsentStatus, repeated: bool, after: ConsentStatus| {
        let mut world = World::new(&[flow(WATCH)], &Workspace::default());
        let first = Change { consent: vec![(Channel::Email, before)], ..Change::default() };
        world.feed(&Input::Profile { at: hour(0.01), change: first });
        let said = Change { consent: vec![(Channel::Email, change)], ..Change::default() };
        let said = if repeated { said.keeping_no() } else { said };
        let stored = serde_json::to_string(&said).expect("JSON");
        assert_eq!(serde_json::from_str::<Change>(&stored).expect("reads"), said);
        world.feed(&Input::Profile { at: hour(0.02), change: said });
        assert_eq!(world.state.contact.consent.email, after, "{before:?}, {change:?}, {repeated}");
    };
    check(Unsubscribed, Subscribed, true, Unsubscribed);
    check(Unsubscribed, Unknown, true, Unsubscribed);
    check(Unsubscribed, Subscribed, false, Subscribed);
    check(Unknown, Subscribed, true, Subscribed);
    check(Subscribed, Unsubscribed, true, Unsubscribed);
}

/// R22: a number on the suppression list keeps texts back, however it is written there; mails are another matter.
#[test]
fn a_suppressed_number_gets_no_texts() {
    let texts = WATCH
        .replace("kind: \"email\", settings: (message: \"m2\")", "kind: \"sms\", settings: (message: \"m2\")")
        .replace("(id: \"m2\", subject: \"Two\", body: html(\"2\"))", "(id: \"m2\", channel: sms, text: \"Two\")");
    let check = |listed: &str, expected: &[&str]| {
        let workspace = Workspace { suppression: vec![listed.to_owned()], ..Workspace::default() };
        let mut world = World::new(&[flow(&texts)], &workspace);
        world.state.contact.phone = Some("+4915112345678".into());
        world.state.contact.consent.sms = ConsentStatus::Subscribed;
        world.event("Checkout Expired", "e1", 0.0, 0.0);
        world.run_until(hour(5.0));
        let said: Vec<&str> =
            world.lines.iter().filter_map(|line| line.rsplit_once(": ").map(|(_, said)| said)).collect();
        let outcomes: Vec<&str> = said.into_iter().filter(|said| ["ok", "suppressed"].contains(said)).collect();
        assert_eq!(outcomes, expected, "{listed}: {:#?}", world.lines);
    };
    check("bob@example.com", &["ok", "ok"]);
    check(" 0049 (151) 123-456-78", &["ok", "suppressed"]);
    check("+49 151 12345678", &["ok", "suppressed"]);
    check("Ada@Example.com ", &["suppressed", "suppressed"]);
}

/// A late, early or doubled wake does no harm (DESIGN 4).
#[test]
fn wakes_do_no_harm() {
    let mut plain = World::new(&[flow(WATCH)], &Workspace::default());
    plain.event("Checkout Expired", "e1", 0.0, 0.0);
    plain.run_until(hour(100.0));
    let mut woken = World::new(&[flow(WATCH)], &Workspace::default());
    woken.event("Checkout Expired", "e1", 0.0, 0.0);
    for n in 0..400 {
        let at = hour(f64::from(n) * 0.25);
        woken.run_until(at);
        woken.feed(&Input::Wake { at });
        woken.feed(&Input::Wake { at: hour(f64::from(n) * 0.1) });
    }
    assert_eq!(plain.lines, woken.lines);
}

/// R4: journeys move to a new version by node id or mapping; a deleted node without one ends them.
#[test]
fn migration() {
    let mut world = World::new(&[flow(WATCH)], &Workspace::default());
    world.event("Checkout Expired", "e1", 0.0, 0.0);
    world.run_until(hour(1.0));
    let renamed = flow(&WATCH.replace("wait-4", "pause-4"));
    let version = world.flows.publish(&renamed);
    let mut lost = ContactState::clone(&world.state);
    let migrate = |mapping| Input::Control {
        at: hour(2.0),
        control: Control::Migrate { flow: "watch".into(), version, mapping },
    };
    world.feed(&migrate(vec![("wait-4".into(), "pause-4".into())]));
    world.run_until(hour(100.0));
    world.check(
        &["sent"],
        &["0.00 ada/watch/1 mail-1 sent: ok", "4.00 ada/watch/1 mail-2 sent: ok", "12.00 ada/watch/1 mail-3 sent: ok"],
    );
    let effects = advance(&world.flows, &mut lost, &migrate(Vec::new()));
    assert!(effects.trace.iter().any(|d| d.to_string().ends_with("ended: removed")), "{:?}", effects.trace);
}

/// R4, R19: an arm goes by its name into a version that lists the arms in another order.
#[test]
fn migration_keeps_the_arm() {
    let source = r#"(version: 2, id: "loop", name: "Loop", nodes: [
        (id: "start", kind: "trigger", settings: (any: [event(event: "Cart")])),
        (id: "split", kind: "split", settings: (salt: "s", arms: [(name: "a", weight: 100), (name: "b", weight: 0)])),
        (id: "wait", kind: "delay", settings: (wait: for("4 h"))),
    ], edges: [(from: "start", to: "split"), (from: "split", port: "a", to: "wait"), (from: "wait", to: "split")])"#;
    let (a, b) = (r#"(name: "a", weight: 100)"#, r#"(name: "b", weight: 0)"#);
    let mut world = World::new(&[flow(source)], &Workspace::default());
    world.event("Cart", "e1", 0.0, 0.0);
    let version = world.flows.publish(&flow(&source.replace(&format!("{a}, {b}"), &format!("{b}, {a}"))));
    let control = Control::Migrate { flow: "loop".into(), version, mapping: Vec::new() };
    world.feed(&Input::Control { at: hour(1.0), control });
    world.run_until(hour(5.0));
    world.check(
        &["left by"],
        &["0.00 ada/loop/1 split left by a", "4.00 ada/loop/1 wait left by next", "4.00 ada/loop/1 split#2 left by a"],
    );
}

/// R4, R15: the exit of the version that a journey moves to holds at once, and by time alone later on.
#[test]
fn migration_to_another_exit() {
    for (exit, expected) in [
        (r#"did \"Checkout Expired\""#, "1.00 ada/watch/1 ended: exit"),
        (r#"not did \"Checkout Expired\" in the last 2 h"#, "2.00 ada/watch/1 ended: exit"),
    ] {
        let mut world = World::new(&[flow(WATCH)], &Workspace::default());
        world.event("Checkout Expired", "e1", 0.0, 0.0);
        world.run_until(hour(0.5));
        let source = WATCH.replace("settings: (goal_when:", &format!("settings: (exit_when: \"{exit}\", goal_when:"));
        let version = world.flows.publish(&flow(&source));
        let control = Control::Migrate { flow: "watch".into(), version, mapping: Vec::new() };
        world.feed(&Input::Control { at: hour(1.0), control });
        world.run_until(hour(5.0));
        world.check(&["ended"], &[expected]);
    }
}

/// R7: of several alternatives that enrol current members the first enters.
#[test]
fn enrolling_enters_once() {
    let source = r#"(version: 2, id: "hello", name: "Hello", settings: (enrol_current: true), nodes: [
        (id: "start", kind: "trigger", settings: (any: [segment(segment: "All"), segment(segment: "Too")])),
        (id: "hello", kind: "email", settings: (message: "h"))],
        edges: [(from: "start", to: "hello")], messages: [(id: "h", subject: "Hello", body: html("h"))])"#;
    let workspace = r#"(version: 1, segments: {"All": "true", "Too": "true"})"#;
    let (workspace, _) = file::read_workspace(workspace).unwrap_or_else(|d| panic!("{}", d.message));
    let world = World::new(&[flow(source)], &workspace);
    world.check(&["entered"], &["-100.00 ada/hello/1 entered by trigger 1"]);
}

/// R17: other zone data reach whatever waits for a wall time: what is armed for a date, and the end of a wait for an
/// event, which keeps what a freeze gave back to it. They are shown by another zone of the workspace.
#[test]
fn new_zone_data_reach_dates_and_waits_for_events() {
    let dated = r#"(version: 2, id: "dated", name: "Dated", nodes: [
        (id: "start", kind: "trigger", settings: (any: [date(property: "contact.renewal")])),
        (id: "hello", kind: "email", settings: (message: "h"))],
        edges: [(from: "start", to: "hello")], messages: [(id: "h", subject: "Hello", body: html("h"))])"#;
    let waits = r#"(version: 2, id: "waits", name: "Waits", nodes: [
        (id: "start", kind: "trigger", settings: (any: [event(event: "Cart")])),
        (id: "wait", kind: "wait_for_event", settings: (event: "Ordered", timeout: "1 day"))],
        edges: [(from: "start", to: "wait")], messages: [])"#;
    let instant = |text: &str| Instant::parse(text).expect("an instant");
    let workspace = |zone: &str| Workspace { zone: zone.into(), ..Workspace::default() };
    let zones = |world: &mut World, flows: &[Flow], at: &str| {
        world.flows = FlowSet::new(&workspace("Europe/Berlin"), flows);
        world.feed(&Input::Control { at: instant(at), control: Control::Zones });
    };

    let flows = [flow(dated)];
    let mut world = World::new(&flows, &workspace("UTC"));
    let set = vec![("renewal".into(), Some(Value::Date("2026-12-03".parse().expect("a date"))))];
    world.feed(&Input::Profile { at: hour(0.0), change: Change { set, ..Change::default() } });
    assert_eq!(world.state.next_wake(), Some(instant("2026-12-03T09:00:00Z")));
    zones(&mut world, &flows, "2026-11-24T00:00:00Z");
    assert_eq!(world.state.next_wake(), Some(instant("2026-12-03T08:00:00Z")));

    // The night on which Berlin's clocks go forward has 23 hours.
    let flows = [flow(waits)];
    for (thawed, before, after) in [
        (None, "2027-03-28T04:00:00Z", "2027-03-28T03:00:00Z"),
        (Some("2027-03-27T08:00:00Z"), "2027-03-28T07:00:00Z", "2027-03-28T06:00:00Z"),
    ] {
        let mut world = World::new(&flows, &workspace("UTC"));
        let cart = Event {
            id: EventId::new("e1"),
            contact: "ada".into(),
            name: "Cart".into(),
            happened: instant("2027-03-27T04:00:00Z"),
            accepted: instant("2027-03-27T04:00:00Z"),
            properties: Properties::new(),
        };
        world.feed(&Input::Event(Arc::new(cart)));
        if let Some(thawed) = thawed {
            let pause = Control::Pause { flow: "waits".into(), freeze: true };
            world.feed(&Input::Control { at: instant("2027-03-27T05:00:00Z"), control: pause });
            world.feed(&Input::Control { at: instant(thawed), control: Control::Resume { flow: "waits".into() } });
        }
        assert_eq!(world.state.next_wake(), Some(instant(before)));
        zones(&mut world, &flows, "2027-03-27T09:00:00Z");
        assert_eq!(world.state.next_wake(), Some(instant(after)), "{thawed:?}");
        zones(&mut world, &flows, "2027-03-27T10:00:00Z");
        assert_eq!(world.state.next_wake(), Some(instant(after)), "heard twice");
    }
}

/// R17, R11: a date whose day is past on the new wall comes at once, where it is not too late, and else says so; it
/// comes once, and next year on the new wall.
#[test]
fn a_new_zone_takes_no_date_away() {
    let dated = r#"(version: 2, id: "dated", name: "Dated", nodes: [
        (id: "start", kind: "trigger", settings: (any: [date(property: "contact.birthday", yearly: true)])),
        (id: "hello", kind: "email", settings: (message: "h"))],
        edges: [(from: "start", to: "hello")], messages: [(id: "h", subject: "Hello", body: html("h"))])"#;
    let flows = [flow(dated)];
    let workspace = |zone: &str| Workspace { zone: zone.into(), ..Workspace::default() };
    let instant = |text: &str| Instant::parse(text).expect("an instant");
    let told = ["entered"];
    for (at, expected) in [
        ("2026-11-24T09:33:00Z", "24.55 ada/dated/1 entered by trigger 1"),
        ("2026-11-24T13:30:00Z", "28.50 dated not entered by trigger 1: the wake came too late"),
    ] {
        for is_own in [false, true] {
            let mut world = World::new(&flows, &workspace("America/New_York"));
            let set = vec![("birthday".into(), Some(Value::Date("1990-11-24".parse().expect("a date"))))];
            world.feed(&Input::Profile { at: hour(0.0), change: Change { set, ..Change::default() } });
            assert_eq!(world.state.next_wake(), Some(instant("2026-11-24T14:00:00Z")));
            if is_own {
                let change = Change { zone: Some("Europe/Berlin".into()), ..Change::default() };
                world.feed(&Input::Profile { at: instant(at), change });
            } else {
                world.flows = FlowSet::new(&workspace("Europe/Berlin"), &flows);
                // Heard twice, it still comes once.
                for _ in 0..2 {
                    world.feed(&Input::Control { at: instant(at), control: Control::Zones });
                }
            }
            world.run_until(instant("2026-12-24T00:00:00Z"));
            world.check(&told, &[expected]);
            assert_eq!(world.state.next_wake(), Some(instant("2027-11-24T08:00:00Z")));
        }
    }
    // What was missed before anybody watched is not made up for.
    let mut world = World::new(&flows, &workspace("Europe/Berlin"));
    let set = vec![("birthday".into(), Some(Value::Date("1990-11-24".parse().expect("a date"))))];
    world.feed(&Input::Profile { at: instant("2026-11-24T09:00:00Z"), change: Change { set, ..Change::default() } });
    world.feed(&Input::Control { at: instant("2026-11-24T09:33:00Z"), control: Control::Zones });
    world.run_until(instant("2026-12-24T00:00:00Z"));
    world.check(&told, &[]);
}

/// R26, R17: what a late mail has moved stays moved on a new wall, and what a freeze has.
#[test]
fn a_new_zone_leaves_lateness_to_calendar_days() {
    let source = |after: &str| {
        format!(
            r#"(version: 2, id: "waits", name: "Waits", nodes: [
            (id: "start", kind: "trigger", settings: (any: [event(event: "Cart")])),
            (id: "one", kind: "email", settings: (message: "h")),
            (id: "wait", kind: "delay", settings: (wait: for("1 day"), after: {after})),
            (id: "two", kind: "email", settings: (message: "h"))],
            edges: [(from: "start", to: "one"), (from: "one", to: "wait"), (from: "wait", to: "two")],
            messages: [(id: "h", subject: "Hello", body: html("h"))])"#
        )
    };
    let workspace = |zone: &str| Workspace { zone: zone.into(), ..Workspace::default() };
    for after in ["previous", "entry"] {
        for (frozen, hours) in [(false, 29.35), (true, 30.35)] {
            let flows = [flow(&source(after))];
            let mut world = World::new(&flows, &workspace("UTC"));
            world.event("Cart", "e1", 0.0, 0.0);
            let key = world.intents.pop().expect("one is intended").key;
            world.feed(&Input::Delivered { at: hour(5.35), key, result: Delivery::Sent });
            if frozen {
                let pause = Control::Pause { flow: "waits".into(), freeze: true };
                world.feed(&Input::Control { at: hour(5.5), control: pause });
                world.feed(&Input::Control { at: hour(6.5), control: Control::Resume { flow: "waits".into() } });
            }
            assert_eq!(world.state.next_wake(), Some(hour(hours)), "{after}, {frozen}");
            world.flows = FlowSet::new(&workspace("Europe/Berlin"), &flows);
            world.feed(&Input::Control { at: hour(7.0), control: Control::Zones });
            assert_eq!(world.state.next_wake(), Some(hour(hours)), "{after}, {frozen}");
        }
    }
}

/// R26, R17: a state of an older build, which did not note by how much a wait was moved, tells it by its end.
#[test]
fn an_old_state_tells_by_how_much_it_was_moved() {
    let wait = r#"kind: "wait_for_event", settings: (event: "Ordered", timeout: "1 day")"#;
    for wait in [wait, r#"kind: "delay", settings: (wait: for("1 day"))"#] {
        let source = format!(
            r#"(version: 2, id: "waits", name: "Waits", nodes: [
            (id: "start", kind: "trigger", settings: (any: [event(event: "Cart")])),
            (id: "one", kind: "email", settings: (message: "h")),
            (id: "wait", {wait})],
            edges: [(from: "start", to: "one"), (from: "one", to: "wait")],
            messages: [(id: "h", subject: "Hello", body: html("h"))])"#
        );
        let flows = [flow(&source)];
        let workspace = |zone: &str| Workspace { zone: zone.into(), ..Workspace::default() };
        let mut world = World::new(&flows, &workspace("UTC"));
        world.event("Cart", "e1", 0.0, 0.0);
        let key = world.intents.pop().expect("one is intended").key;
        world.feed(&Input::Delivered { at: hour(5.35), key, result: Delivery::Sent });
        world.state.journeys[0].moved_millis = 0;
        world.flows = FlowSet::new(&workspace("Europe/Berlin"), &flows);
        for at in [7.0, 8.0] {
            world.feed(&Input::Control { at: hour(at), control: Control::Zones });
            assert_eq!(world.state.next_wake(), Some(hour(29.35)), "{wait}");
        }
    }
}
