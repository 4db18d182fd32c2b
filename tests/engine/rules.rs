//! The fixtures of SEMANTICS through the engine's driver: also sleep, slow and failing hand-overs, changed profiles and
//! words from outside, which no replay of an audience shows.

use std::sync::Arc;

use flowloom::{
    audience::{Channel, ConsentStatus, Event, Value},
    base::{Instant, SendKey},
    engine::{
        driver::Driver,
        store::Result,
        work::{Begin, Handed, History, NewContact, NewEvent, Order, Standing},
    },
    flow::Flow,
    journey::{Decision, FlowSet, IntentWhat, What},
    kinds::runtime::{Control, Delivery, Input, Outcome},
    testing::{Rng, engine::check_replay},
};

use super::play;
use crate::{
    compare,
    drive::{self, by_flow},
    rules::{difference, fixtures},
    world::{self, Row, World},
};

/// Fixtures of which the engine shows something else, and why that is right.
const OTHERWISE: &[(&str, &str)] = &[];

enum Task {
    Input(Input),
    HandOver(SendKey),
    Answer(SendKey, u32, Handed),
}

struct Stage<'a> {
    world: &'a World,
    driver: Driver,
    tasks: Vec<(Instant, usize, Task)>,
    made: usize,
    /// Decisions that were looked at.
    told: usize,
    rows: Vec<Row>,
}

impl<'a> Stage<'a> {
    fn new(world: &'a World) -> Self {
        let from = world.adopted();
        let mut stage = Self {
            world,
            driver: Driver::on(play::store()).expect("reads"),
            tasks: Vec::new(),
            made: 0,
            told: 0,
            rows: Vec::new(),
        };
        for flow in &world.flows {
            stage.publish(from, flow);
        }
        let history = History { contact: world.contact.clone(), events: Vec::new(), suppressed: false };
        stage.batch(from, |driver| driver.history(from, &history));
        for input in &world.inputs {
            stage.put(input.at(), Task::Input(drive::core_input(input)));
        }
        stage
    }

    fn batch<T>(&mut self, at: Instant, work: impl FnOnce(&mut Driver) -> Result<T>) -> T {
        self.driver.batch(at, work).expect("is written").0
    }

    fn publish(&mut self, at: Instant, flow: &Flow) {
        let workspace = Box::new(self.world.workspace.clone());
        self.order(at, Order::Publish { flow: Box::new(flow.clone()), workspace });
    }

    /// Gives an order, and everybody hears it at once. What cannot be done changes nothing, as in the core.
    fn order(&mut self, at: Instant, order: Order) {
        let _ = self.batch(at, |driver| driver.order(at, "test", &order));
        while self.batch(at, |driver| driver.walk(10)) {}
    }

    fn put(&mut self, at: Instant, task: Task) {
        self.made += 1;
        self.tasks.push((at, self.made, task));
    }

    /// The next task: in order of instant, events of one instant by (happened, id), then as they were made.
    fn next(&self) -> Option<usize> {
        let next = (0..self.tasks.len()).min_by_key(|n| (self.tasks[*n].0, self.tasks[*n].1))?;
        let event = |n: usize| match &self.tasks[n] {
            (at, _, Task::Input(Input::Event(event))) if *at == self.tasks[next].0 => {
                Some((event.happened, event.id.clone()))
            }
            _ => None,
        };
        if event(next).is_none() {
            return Some(next);
        }
        (0..self.tasks.len()).filter(|n| event(*n).is_some()).min_by_key(|n| event(*n))
    }

    fn play(mut self) -> (Vec<Row>, Driver) {
        let mut asleep = self.world.asleep;
        for step in 0.. {
            assert!(step < 10_000, "is woken for ever\n{}", self.world.text);
            let wake = if asleep { None } else { self.driver.due_of(1).expect("reads") };
            let next = self.next();
            let task_at = next.map(|n| self.tasks[n].0);
            let at = match (wake, task_at) {
                (Some(wake), task) if task.is_none_or(|task| wake <= task) => {
                    if wake > self.world.until {
                        break;
                    }
                    self.batch(wake, |driver| driver.wake(1, wake));
                    wake
                }
                (_, Some(at)) if at <= self.world.until => {
                    let Some(n) = next else { break };
                    let task = self.tasks.remove(n).2;
                    asleep &= !matches!(task, Task::Input(Input::Wake { .. }));
                    self.perform(at, task);
                    at
                }
                _ => break,
            };
            self.look(at);
        }
        (self.rows, self.driver)
    }

    fn perform(&mut self, at: Instant, task: Task) {
        let id = self.world.contact.id.clone();
        match task {
            Task::Input(Input::Event(event)) => {
                let item = new_event(&event);
                self.batch(at, |driver| driver.event(at, &item));
            }
            Task::Input(Input::Profile { change, .. }) => {
                self.batch(at, |driver| driver.change(at, &NewContact { id, change }));
            }
            Task::Input(Input::Wake { .. }) => self.batch(at, |driver| driver.wake(1, at)),
            Task::Input(Input::Control { control, .. }) => self.control(at, control),
            Task::Input(Input::Delivered { .. }) => {}
            Task::HandOver(key) => self.hand_over(at, &key),
            Task::Answer(key, attempt, handed) => self.batch(at, |driver| driver.settle(at, &key, attempt, &handed)),
        }
    }

    fn control(&mut self, at: Instant, control: Control) {
        let contact = self.world.contact.id.clone();
        let later = |version| {
            let is_it = |flow: &&Flow| FlowSet::new(&self.world.workspace, &[]).publish(flow) == version;
            self.world.later.iter().chain(&self.world.flows).find(is_it).cloned().expect("a version")
        };
        let order = match control {
            Control::Adopt { version, .. } => return self.publish(at, &later(version)),
            Control::Migrate { flow, version, mapping } => {
                // Journeys move to what is live.
                self.publish(at, &later(version));
                Order::Migrate { flow, mapping }
            }
            Control::Pause { flow, freeze } => Order::Pause { flow, freeze },
            Control::Resume { flow } => Order::Resume { flow },
            Control::Drain { flow } => Order::Drain { flow },
            Control::End { journey } => Order::End { contact, journey },
            Control::Retry { journey, .. } => {
                let held = self.driver.store().sends_in(Standing::Settled(Outcome::Held)).expect("reads");
                let of_it = held.into_iter().map(|row| row.key).find(|key| key.journey == journey);
                let any = SendKey { journey, node: "start".into(), pass: 1 };
                Order::Retry { key: of_it.unwrap_or(any), resend: false }
            }
            other => panic!("{other:?} is no order"),
        };
        self.order(at, order);
    }

    fn hand_over(&mut self, at: Instant, key: &SendKey) {
        let Some(job) = self.batch(at, |driver| driver.claim(at, key)) else { return };
        let begin = self.batch(at, |driver| driver.begin(at, key, job.attempt, None));
        let is_message = matches!(job.what, IntentWhat::Message { .. });
        let Some(answer) = drive::answer_of(self.world, key).filter(|_| begin == Begin::Go) else { return };
        let handed = match answer {
            Delivery::Refused(_) => Handed::No { detail: String::new(), bad_address: false },
            Delivery::Unknown => Handed::Unknown { detail: String::new() },
            _ => Handed::Done,
        };
        // A message has been under way before; a call is answered later.
        let when = if is_message { at } else { at.plus_millis(self.world.latency) };
        if when == at {
            self.batch(at, |driver| driver.settle(at, key, job.attempt, &handed));
        } else {
            self.put(when, Task::Answer(key.clone(), job.attempt, handed));
        }
    }

    /// What was decided since, what is to be handed over, what people do.
    fn look(&mut self, at: Instant) {
        let all = self.driver.store().decisions(self.world.contact.id.as_str()).expect("reads");
        for decision in &all[self.told..] {
            if let What::Outcome { outcome: Outcome::Sent, .. } = decision.what {
                for event in drive::responses(self.world, decision) {
                    self.put(event.accepted, Task::Input(Input::Event(Arc::new(event))));
                }
            }
            self.rows.extend(drive::row(self.world, decision));
        }
        self.told = all.len();
        for row in self.driver.store().due_sends(Instant::MAX, 1_000).expect("reads") {
            let is_planned = |task: &(Instant, usize, Task)| matches!(&task.2, Task::HandOver(key) if *key == row.key);
            if self.tasks.iter().any(is_planned) {
                continue;
            }
            let of_it = |decision: &&Decision| {
                let key = &row.key;
                decision.journey.as_ref() == Some(&key.journey)
                    && decision.node.as_ref() == Some(&key.node)
                    && decision.pass == key.pass
            };
            let when = match all.iter().rev().find(of_it).map(|decision| &decision.what) {
                Some(What::Deferred { until, .. }) => *until,
                _ if row.what.contains("message") => at.plus_millis(self.world.latency),
                _ => at,
            };
            self.put(when, Task::HandOver(row.key));
        }
    }
}

fn new_event(event: &Event) -> NewEvent {
    NewEvent {
        id: event.id.clone(),
        contact: event.contact.clone(),
        name: event.name.clone(),
        happened: Some(event.happened),
        properties: event.properties.clone(),
        change: None,
    }
}

/// Every fixture, by the rule in its name: the engine comes to what is expected.
#[test]
fn the_engine_keeps_the_fixtures() {
    let mut wrong = String::new();
    let mut played = 0;
    for (name, mut world) in fixtures() {
        // A crowd is played by audiences (`meaning::crowds_mean_the_same`).
        if !world.crowd.is_empty() || OTHERWISE.iter().any(|(other, _)| *other == name) {
            continue;
        }
        // What is doubled is ignored at the engine's door, and leaves no line.
        world.expected.retain(|line| !line.contains(" ignored "));
        let (rows, driver) = Stage::new(&world).play();
        difference(&name, &world, &by_flow(rows), &mut wrong);
        if let Err(why) = check_replay(&driver, world.contact.id.as_str()) {
            wrong += &format!("--- {name}\n{why}\n");
        }
        played += 1;
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(played > 120, "{played} fixtures");
}

/// Generated worlds into which profiles and flows are changed: the engine against the core, fed by hand.
#[test]
fn worlds_with_words_from_outside_mean_the_same() {
    let one: Option<u64> = std::env::var("FLOWLOOM_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in one.map_or(0..400, |seed| seed..seed + 1) {
        let mut world = World::read(&compare::generated(seed)).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let mut rng = Rng::new(seed);
        let (from, until) = (world.adopted(), world.inputs.last().map_or(world.until, world::Input::at));
        for _ in 0..3 + rng.below(6) {
            let at = from.plus_millis(rng.range(2_000, until.since(from).max(3_000)));
            let flow = world.flows[rng.below(world.flows.len())].id.clone();
            let input = match rng.below(9) {
                0 => world::Input::Control(at, Control::Pause { flow, freeze: rng.percent(50) }),
                1 | 2 => world::Input::Control(at, Control::Resume { flow }),
                3 => world::Input::Control(at, Control::Drain { flow }),
                4 => world::Input::Change(at, world::Change::Consent(Channel::Email, ConsentStatus::Unsubscribed)),
                5 => world::Input::Change(at, world::Change::Consent(Channel::Email, ConsentStatus::Subscribed)),
                6 => world::Input::Change(at, world::Change::Zone("Pacific/Honolulu".to_owned())),
                7 => world::Input::Change(at, world::Change::AddList("Hot".to_owned())),
                _ => world::Input::Change(at, world::Change::Set("vip".to_owned(), Value::Bool(rng.percent(50)))),
            };
            world.inputs.push(input);
        }
        world.inputs.sort_by_key(world::Input::at);
        let expected = by_flow(drive::drive(&world));
        let (rows, driver) = Stage::new(&world).play();
        let found = by_flow(rows);
        let apart = (0..expected.len().max(found.len())).find(|n| expected.get(*n) != found.get(*n));
        if let Some(n) = apart {
            panic!(
                "seed {seed}, line {n}\ncore   {:?}\nengine {:?}\n{}\n{:#?}\ncore\n  {}\nengine\n  {}",
                expected.get(n),
                found.get(n),
                world.text,
                world.inputs,
                expected.join("\n  "),
                found.join("\n  ")
            );
        }
        assert_eq!(check_replay(&driver, world.contact.id.as_str()), Ok(()), "seed {seed}");
    }
}
