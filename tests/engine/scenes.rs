//! Who lives in the worlds with faults, and what may happen to them, by seed.

use std::{
    collections::{BTreeMap, VecDeque},
    env,
    ops::Range,
};

use flowloom::{
    audience::{Channel, ConsentStatus, Contact, Properties, ResponseKind, Value},
    base::{ContactId, EventId, FlowId, Instant, SendKey},
    engine::work::{Job, NewEvent, Order},
    flow::{Flow, Workspace},
    journey::IntentWhat,
    kinds::runtime::{Change, Outcome},
    testing::Rng,
};

use crate::{compare, samples, world::World};

pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
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

    pub fn person(&self, rng: &mut Rng) -> &Contact {
        &self.people[rng.below(self.people.len())]
    }

    fn flow(&self, rng: &mut Rng) -> FlowId {
        self.flows[rng.below(self.flows.len())].id.clone()
    }

    /// The order of a number up to 14, where there is something to order; `settled` are sends by what became of them.
    pub fn order(&self, dice: usize, rng: &mut Rng, settled: impl Fn(Outcome) -> Vec<SendKey>) -> Option<Order> {
        Some(match dice {
            0 => Order::Pause { flow: self.flow(rng), freeze: rng.percent(40) },
            1..=3 => Order::Resume { flow: self.flow(rng) },
            4 | 5 => {
                let all = [self.flows.as_slice(), &self.later].concat();
                let flow = Box::new(rng.pick(&all)?.clone());
                Order::Publish { flow, workspace: Box::new(self.workspace.clone()) }
            }
            6 => Order::Migrate { flow: self.flow(rng), mapping: Vec::new() },
            7 | 8 => Order::Retry { key: rng.pick(&settled(Outcome::Held))?.clone(), resend: false },
            9 => {
                let key = rng.pick(&settled(Outcome::Unknown))?.clone();
                match rng.below(4) {
                    0 => Order::MarkSent { key },
                    dice => Order::Retry { key, resend: dice < 3 },
                }
            }
            10 if rng.percent(30) => {
                let email = self.person(rng).email.clone()?;
                Order::Suppress { addresses: vec![email.to_string()], lift: rng.percent(50) }
            }
            13 if rng.percent(15) => Order::Drain { flow: self.flow(rng) },
            14 if rng.percent(30) => Order::Forget { contact: self.person(rng).id.clone() },
            _ => return None,
        })
    }
}

/// Events as they come by chance: some of lately once more, some late, some from another century.
#[derive(Debug, Default)]
pub struct Happenings {
    count: usize,
    all: BTreeMap<(ContactId, EventId), NewEvent>,
    /// To be doubled.
    lately: VecDeque<NewEvent>,
}

impl Happenings {
    pub fn next(&mut self, scene: &Scene, now: Instant, rng: &mut Rng) -> NewEvent {
        if rng.percent(20)
            && let Some(item) = rng.pick(self.lately.make_contiguous()).cloned()
        {
            return item;
        }
        self.count += 1;
        let (name, properties) = scene.happenings[rng.below(scene.happenings.len())].clone();
        let happened = match rng.below(20) {
            0 => Some(Instant::from_millis(rng.range(0, DAY))),
            1 => Some(Instant::parse("2100-01-01T00:00:00Z").expect("an instant")),
            2..=5 => Some(now.plus_millis(-rng.range(0, 30 * HOUR))),
            6 => Some(now.plus_millis(rng.range(0, 4 * MINUTE))),
            7 | 8 => Some(now.plus_millis(-rng.range(0, 3 * MINUTE))),
            _ => None,
        };
        let change = rng.percent(10).then(|| change(rng));
        let item = NewEvent {
            id: EventId::new(format!("x{}", self.count)),
            contact: scene.person(rng).id.clone(),
            name: name.into(),
            happened,
            properties,
            change,
        };
        self.all.insert((item.contact.clone(), item.id.clone()), item.clone());
        self.lately.push_back(item.clone());
        if self.lately.len() > 6 {
            self.lately.pop_front();
        }
        item
    }

    /// Those of these names that happened here.
    pub fn all(&self, names: &[(ContactId, EventId)]) -> Vec<NewEvent> {
        names.iter().filter_map(|name| self.all.get(name)).cloned().collect()
    }

    /// Nothing more of somebody.
    pub fn forget(&mut self, contact: &ContactId) {
        self.lately.retain(|item| item.contact != *contact);
    }
}

/// What is said of somebody.
pub fn change(rng: &mut Rng) -> Change {
    let mut change = Change::default();
    match rng.below(7) {
        0 => change.consent.push((Channel::Email, ConsentStatus::Unsubscribed)),
        1 | 2 => change.consent.push((Channel::Email, ConsentStatus::Subscribed)),
        3 => change.zone = rng.pick(&["Europe/Berlin", "Pacific/Honolulu"]).map(|zone| (*zone).into()),
        4 => change.lists_add.push("Hot".into()),
        5 => change.set.push(("vip".into(), Some(Value::Bool(rng.percent(50))))),
        _ => change.set.push(("level".into(), Some(Value::Number(rng.below(20) as f64)))),
    }
    change
}

/// What somebody does with a message; nothing with a call or an alert.
pub fn response(job: &Job, rng: &mut Rng) -> Option<NewEvent> {
    let IntentWhat::Message { message, variant, .. } = &job.what else { return None };
    let kinds = [ResponseKind::Opened, ResponseKind::Opened, ResponseKind::Clicked, ResponseKind::Unsubscribed];
    let most = if rng.percent(20) { 4 } else { 3 };
    let kind = kinds[rng.below(most)];
    let key = job.key.to_string();
    let pairs = [
        ("flow", job.flow.as_str()),
        ("node", job.key.node.as_str()),
        ("journey", job.key.journey.as_str()),
        ("send_key", key.as_str()),
        ("message", message.as_str()),
        ("variant", variant.as_str()),
    ];
    Some(NewEvent {
        id: EventId::new(format!("{}:{key}", kind.name())),
        contact: job.contact.contact.id.clone(),
        name: kind.event_name().into(),
        happened: None,
        properties: pairs.into_iter().map(|(name, value)| (name.into(), Value::text(value))).collect(),
        change: None,
    })
}

/// An order in a line.
pub fn shown(order: &Order) -> String {
    format!("{order:?}").chars().take(80).collect()
}

/// The seeds of a long run: `FLOWLOOM_CASES=17..18`, or all.
pub fn wanted(all: Range<u64>) -> Range<u64> {
    let Ok(wanted) = env::var("FLOWLOOM_CASES") else { return all };
    let range = wanted.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range.unwrap_or_else(|| panic!("FLOWLOOM_CASES is like 17..18, not {wanted:?}"))
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
            ("cart", Value::text(format!("k{}", rng.below(3)))),
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
