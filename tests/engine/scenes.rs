//! Who lives in the worlds with faults, and what may happen to them, by seed.

use flowloom::{
    audience::{Contact, Properties, Value},
    base::{ContactId, Instant},
    flow::{Flow, Workspace},
    testing::Rng,
};

use crate::{compare, samples, world::World};

/// Of so many seeds one plays a sample workspace.
const SAMPLE_IN: u64 = 8;

/// The scene of a seed.
pub struct Scene {
    pub workspace: Workspace,
    pub flows: Vec<Flow>,
    /// What may be published later.
    pub later: Vec<Flow>,
    pub people: Vec<Contact>,
    /// Names and properties of events.
    pub happenings: Vec<(String, Properties)>,
    pub from: Instant,
}

impl Scene {
    pub fn of(seed: u64, rng: &mut Rng) -> Self {
        match seed % SAMPLE_IN {
            7 => sample(seed, rng),
            1 | 3 | 5 => made_up([&compare::generated(seed), &compare::generated(seed + 1_000_000)], rng),
            _ => {
                let dice = rng.clone();
                // The later version is drawn like the first up to its steps.
                let (first, later) = (busy(&mut dice.clone(), false), busy(&mut dice.clone(), true));
                made_up([&first, &later], rng)
            }
        }
    }
}

fn made_up(texts: [&str; 2], rng: &mut Rng) -> Scene {
    let [world, later] = texts.map(|text| World::read(text).unwrap_or_else(|error| panic!("{error}\n{text}")));
    let people = (0..3).map(|n| {
        let mut contact = world.contact.clone();
        contact.id = ContactId::new(format!("{}-{n}", contact.id));
        if n > 0 && contact.email.is_some() {
            contact.email = Some(format!("P{n}@example.com").into());
        }
        if rng.percent(30) {
            contact.zone = rng.pick(&["Pacific/Auckland", "America/New_York"]).map(|zone| (*zone).into());
        }
        contact
    });
    let people = people.collect();
    let names = ["Cart", "Cart", "View", "View", "View", "Order", "Visit"];
    let happenings = (0..12).map(|_| {
        let pairs = [
            ("cart", Value::text(&format!("k{}", rng.below(3)))),
            ("n", Value::Number(rng.below(4) as f64)),
            ("item", Value::text(rng.pick(&["a", "b"]).unwrap_or(&"a"))),
            ("amount", Value::Number(rng.below(50) as f64)),
        ];
        let properties = pairs.into_iter().map(|(name, value)| (name.into(), value)).collect();
        (names[rng.below(names.len())].to_owned(), properties)
    });
    let happenings = happenings.collect();
    let from = world.adopted();
    Scene { from, workspace: world.workspace, flows: world.flows, later: later.flows, people, happenings }
}

/// Two flows that send much: mails, calls and alerts close to each other, under caps, cooldowns and quiet hours.
fn busy(rng: &mut Rng, is_later: bool) -> String {
    let mut pick = |menu: &[&'static str]| *rng.pick(menu).unwrap_or(&"");
    let caps = pick(&[
        r#"(limit: at_most(3), within: "48 h")"#,
        r#"(limit: at_most(2), within: "5 h")"#,
        r#"(limit: at_most(1), within: "2 h"), (limit: at_most(2), within: "9 h", scope: flow)"#,
        r#"(limit: at_most(5), within: "24 h")"#,
        "(limit: none)",
        "(limit: none)",
    ]);
    let quiet = pick(&["", "", "", r#", quiet_hours: (from: "21:00", until: "08:00")"#]);
    let reentry = pick(&[
        "reentry: restart",
        "reentry: after_exit",
        r#"reentry: per_key, reentry_key: "event.cart""#,
        "reentry: cooldown(\"2 h\")",
    ]);
    let exit =
        pick(&["", r#", exit_when: "did \"Order\" since entry""#, r#", goal_when: "did \"Order\" since entry""#]);
    let age = pick(&["", r#", send_latest_age: "5 h""#, r#", send_latest_age: "2 days""#]);
    let on_cap = pick(&["", ", on_cap: wait(\"7 h\")", ", on_cap: wait(\"2 days\")", ", on_cap: leave"]);
    let cooldown = pick(&[
        "",
        "",
        ", cooldown: (lasts: \"90 min\", from: all)",
        ", cooldown: (lasts: \"2 h\", on_conflict: skip)",
    ]);
    let own = pick(&["", "", r#", caps: [(limit: at_most(2), within: "4 h", scope: flow)]"#]);
    let (wait, last) = if is_later { ("1 h", "") } else { ("41 min", " => m0") };
    format!(
        r#"workspace (zone: "Europe/Berlin", caps: [{caps}]{quiet}, code_pools: [(name: "p", codes: ["A1", "A2", "A3", "A4"])])
flow a ({reentry}{exit}{own}, pass_limit: 3)
  start trigger (any: [event(event: "Cart"), abandonment(start: "View", after: "47 min", unless: [(event: "Order")])]) => m0
  m0 email (message: "m0"{age}{cooldown}) => w0
  w0 delay (wait: for("{wait}")) => hook
  hook webhook (url: "https://x.example/hook", timeout: "1 h") => done:m1 failed:m2
  m1 email (message: "m1"{on_cap}) => w1
  w1 wait_for_event (event: "Order", timeout: "3 h") => happened:m3 timed_out:m2
  m2 email (message: "m2"{on_cap}{age}) => w2
  w2 delay (wait: for("5 h")) => m4
  m3 email (message: "m3", transactional: true) => w2
  m4 email (message: "m4"{cooldown}) => again
  again delay (wait: until(time: "10:00")){last}
  field code: "code", source: code(pool: "p"), fallback: None
  wording m4 subject: "Hello", body: html("<p>Hello {{code}}</p>")
  variants m0 a=2 b=3 c=1
flow b (reentry: after_exit{own})
  start trigger (any: [event(event: "View"), event(event: "Visit")]) => n0
  n0 email (message: "n0"{on_cap}) => n1
  n1 sms (message: "s") => n2
  n2 delay (wait: for("{wait}")) => n3
  n3 email (message: "n3"{age})
contact {{"id": "c", "email": "ada@example.com", "phone": "+4917012345", "consent": {{"email": "subscribed", "sms": "subscribed"}}, "zone": "Europe/Berlin", "created_at": "2026-01-05T07:07:00Z", "properties": {{"vip": true, "level": 1}}}}
inputs
  2026-03-28T06:00:00Z event Visit
until 2026-04-28T06:00:00Z
"#
    )
}

fn sample(seed: u64, rng: &mut Rng) -> Scene {
    let mut samples = samples::samples();
    let sample = samples.swap_remove((seed / SAMPLE_IN) as usize % samples.len());
    let audience = samples::audience(&sample).0;
    let first = rng.below(audience.contacts.len() - 3);
    let people: Vec<Contact> = audience.contacts[first..first + 3].to_vec();
    let theirs = audience.events.iter().filter(|event| people.iter().any(|contact| contact.id == event.contact));
    let happenings: Vec<(String, Properties)> =
        theirs.map(|event| (event.name.to_string(), event.properties.clone())).collect();
    let flows: Vec<Flow> = sample.flows.into_iter().map(|loaded| loaded.flow).collect();
    // Another version has a step less: it is muted.
    let mut later = flows.clone();
    for flow in &mut later {
        if let Some(node) = flow.nodes.iter_mut().find(|node| node.kind == "delay") {
            let node = std::sync::Arc::make_mut(node);
            node.muted = !node.muted;
        }
    }
    let from = audience.events.iter().map(|event| event.accepted).min().expect("something happens");
    Scene { workspace: sample.workspace, flows, later, people, happenings, from }
}
