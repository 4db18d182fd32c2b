//! The engine's driver in the hands of a test: a clock that jumps to whatever is next, hand-overs that take no time,
//! a store in memory, from which the driver may be made anew at any step.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use flowloom::{
    audience::{Audience, Event, Properties, Response, Value},
    base::{ContactId, EventId, Instant, SendKey},
    engine::{
        driver::Driver,
        store::Store,
        work::{Answer, Begin, Handed, History, NewEvent, Order},
    },
    flow::{Flow, Workspace},
    journey::{Decision, IntentWhat},
};

/// A store in memory. Such are named, and stay while anybody has them open.
pub fn store() -> Store {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = Path::new("/").join(format!("engine-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    Store::open_on(&name, "memdb").expect("opens")
}

/// What is played.
pub struct Script<'a> {
    pub workspace: &'a Workspace,
    pub flows: &'a [Flow],
    pub audience: &'a Audience,
    pub from: Instant,
    pub until: Instant,
    /// The store is closed and opened again after so many steps, again and again.
    pub reopen_after: usize,
}

struct Person<'a> {
    id: ContactId,
    inputs: VecDeque<Event>,
    responses: Vec<&'a Response>,
}

/// The order of inputs (SEMANTICS R2).
fn order(event: &Event) -> (Instant, Instant, &EventId) {
    (event.accepted, event.happened, &event.id)
}

/// Traces of all contacts, by the engine.
pub fn play(script: &Script<'_>) -> BTreeMap<ContactId, Vec<Decision>> {
    let mut driver = Driver::on(store()).expect("reads");
    let from = script.from;
    driver
        .batch(from, |driver| {
            for flow in script.flows {
                let order =
                    Order::Publish { flow: Box::new(flow.clone()), workspace: Box::new(script.workspace.clone()) };
                driver.order(from, "test", &order)?.expect("is published");
            }
            Ok(())
        })
        .expect("publishes");
    let mut people = people(script.audience);
    driver
        .batch(from, |driver| {
            for person in &mut people {
                let split = person.inputs.partition_point(|event| event.accepted <= from);
                let events: Vec<Event> = person.inputs.drain(..split).collect();
                let contact = script.audience.contacts.iter().find(|contact| contact.id == person.id);
                let history = History { contact: contact.expect("is there").clone(), events, suppressed: false };
                assert_eq!(driver.history(from, &history)?, Answer::Accepted);
                hand_over_all(driver, from, person)?;
            }
            Ok(())
        })
        .expect("takes the past");
    let mut steps = 0;
    loop {
        let due = driver.store().due_contacts(Instant::MAX, 1).expect("reads").first().map(|(_, due)| *due);
        let sends = driver.store().due_sends(Instant::MAX, 1).expect("reads");
        let send = sends.first().and_then(|_| driver.next_send().expect("reads"));
        let inputs = people.iter().filter_map(|person| person.inputs.front()).map(|event| event.accepted).min();
        let Some(at) = [due, send, inputs].into_iter().flatten().min() else { break };
        if at > script.until {
            break;
        }
        steps += 1;
        assert!(steps < 200_000, "is woken for ever");
        driver
            .batch(at, |driver| {
                // Everybody hears at once what the hour's end brought, as in a replay.
                while driver.walk(1_000)? {}
                Ok(())
            })
            .expect("closes hours");
        driver.batch(at, |driver| step(driver, at, &mut people)).expect("goes on");
        if script.reopen_after > 0 && steps % script.reopen_after == 0 {
            driver = Driver::on(driver.into_store()).expect("reads again");
        }
    }
    people
        .iter()
        .map(|person| (person.id.clone(), driver.store().decisions(person.id.as_str()).expect("reads")))
        .collect()
}

fn people(audience: &Audience) -> Vec<Person<'_>> {
    audience
        .contacts
        .iter()
        .map(|contact| {
            let own = audience.events.iter().filter(|event| event.contact == contact.id);
            let mut inputs: Vec<Event> = own.cloned().collect();
            inputs.sort_by(|a, b| order(a).cmp(&order(b)));
            let responses = audience.responses.iter().filter(|response| response.contact == contact.id).collect();
            Person { id: contact.id.clone(), inputs: inputs.into(), responses }
        })
        .collect()
}

/// One thing at one instant for the first person who has one: a wake before a hand-over before an event (R1).
fn step(driver: &mut Driver, at: Instant, people: &mut [Person<'_>]) -> flowloom::engine::store::Result<()> {
    for (n, person) in people.iter_mut().enumerate() {
        let n = n as i64 + 1;
        if driver.due_of(n)? == Some(at) {
            driver.wake(n, at)?;
            return hand_over_all(driver, at, person);
        }
        if driver.store().due_sends(at, 1_000)?.iter().any(|row| row.contact == n) {
            return hand_over_all(driver, at, person);
        }
        if person.inputs.front().is_some_and(|event| event.accepted == at) {
            let event = person.inputs.pop_front().expect("is there");
            let item = NewEvent {
                id: event.id,
                contact: event.contact,
                name: event.name,
                happened: Some(event.happened),
                properties: event.properties,
                change: None,
            };
            driver.event(at, &item)?;
            return hand_over_all(driver, at, person);
        }
    }
    panic!("nothing to do at {at}");
}

/// Hands over what is due: what an answer brings goes before what was there already, as in a replay.
fn hand_over_all(driver: &mut Driver, at: Instant, person: &mut Person<'_>) -> flowloom::engine::store::Result<()> {
    let mut stack: Vec<SendKey> = Vec::new();
    let mut known: Vec<SendKey> = Vec::new();
    loop {
        let mut new: Vec<SendKey> = driver.store().due_sends(at, 10_000)?.into_iter().map(|row| row.key).collect();
        new.retain(|key| !known.contains(key) || !stack.contains(key));
        new.retain(|key| !stack.contains(key));
        known.extend(new.iter().cloned());
        stack.extend(new.into_iter().rev());
        let Some(key) = stack.pop() else { return Ok(()) };
        let Some(job) = driver.claim(at, &key)? else { continue };
        if driver.begin(at, &job.key, job.attempt, None)? == Begin::Go {
            if let IntentWhat::Message { .. } = job.what {
                answer(&job, at, person);
            }
            driver.settle(at, &job.key, job.attempt, &Handed::Done)?;
        }
    }
}

/// Turns the fixed responses to a message into events, as the simulator does.
fn answer(job: &flowloom::engine::work::Job, at: Instant, person: &mut Person<'_>) {
    let Some(send) = job.contact.send(&job.key) else { return };
    for (n, response) in person.responses.iter().enumerate() {
        if response.node != job.key.node || response.flow.as_ref().is_some_and(|of| *of != send.flow) {
            continue;
        }
        let zone = job.contact.contact.zone.as_deref().and_then(|name| flowloom::base::Zone::named(name).ok());
        let zone = zone.unwrap_or_else(|| job.workspace.default_zone());
        let when = response.after.after(at, &zone);
        let mut properties = Properties::new();
        let mut set = |name: &str, value: &str| properties.insert(name.into(), Value::text(value));
        set("flow", send.flow.as_str());
        set("node", job.key.node.as_str());
        set("message", send.message.0.as_str());
        set("variant", &send.message.1);
        set("journey", job.key.journey.as_str());
        set("send_key", &job.key.to_string());
        if let Some(link) = &response.link {
            set("link", link);
        }
        let event = Event {
            id: EventId::new(format!("{}:{}:{n}", response.response.event_name(), job.key)),
            contact: person.id.clone(),
            name: response.response.event_name().into(),
            happened: when,
            accepted: when,
            properties,
        };
        let place = person.inputs.partition_point(|other| order(other) <= order(&event));
        person.inputs.insert(place, event);
    }
}
