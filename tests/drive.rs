//! The core's own account of a world, in the oracle's words.
//!
//! Two ways: [`drive`] feeds `journey::advance` one input at a time as an engine does, so that profile changes, pauses
//! and sleep can be shown; [`replay`] asks the simulator.

use std::sync::Arc;

use flowloom::{
    audience::{Event, Properties, Value},
    base::{Instant, SendKey},
    journey::{self, ContactState, Decision, FlowSet, HandOver, IntentWhat, What},
    kinds::runtime::{Change, Control, Delivery, Input, Outcome},
    simulate,
};

use crate::world::{self, Row, World};

/// Rows as lines, in order of instant and flow. What one flow does at one instant stays in its order, but what was
/// sent comes last: a journey goes on when a message is on its way, and hears later that it left.
pub fn by_flow(mut rows: Vec<Row>) -> Vec<String> {
    rows.sort_by_key(|row| (row.at, row.flow.clone(), row.what.starts_with("sent ")));
    rows.iter().map(ToString::to_string).collect()
}

/// What the simulator says.
pub fn replay(set: &FlowSet, world: &World) -> Vec<Row> {
    let options = simulate::Options { from: Some(world.adopted()), until: Some(world.until), ..Default::default() };
    let report = simulate::replay(set, &world.audience(), &options);
    let own = report.traces.get(&world.contact.id).into_iter().flatten();
    let rows: Vec<Row> = own.filter_map(|decision| row(world, decision)).collect();
    let messages = rows.iter().filter(|row| is_message(&row.what)).count();
    let listed = report.messages.iter().filter(|message| message.contact == world.contact.id).count();
    assert_eq!(messages, listed, "the report lists the messages of its traces\n{}", world.text);
    rows
}

fn is_message(what: &str) -> bool {
    ["sent ", "skipped ", "held ", "refused ", "unknown "].iter().any(|word| what.starts_with(word))
}

/// Something to do for the driver, in order of instant and then of making.
enum Task {
    Input(Input),
    HandOver(SendKey),
}

/// What `advance` says, input by input; of one contact among many the simulator's account.
pub fn drive(world: &World) -> Vec<Row> {
    let set = world.set();
    if !world.crowd.is_empty() {
        return replay(&set, world);
    }
    let mut state = ContactState::new(world.contact.clone());
    let mut tasks: Vec<(Instant, usize, Task)> = Vec::new();
    let mut made = 0;
    let mut put = |tasks: &mut Vec<(Instant, usize, Task)>, at: Instant, task: Task| {
        made += 1;
        tasks.push((at, made, task));
    };
    for (flow, version) in set.live() {
        let control = Control::Adopt { flow: flow.clone(), version: *version };
        put(&mut tasks, world.adopted(), Task::Input(Input::Control { at: world.adopted(), control }));
    }
    for input in &world.inputs {
        put(&mut tasks, input.at(), Task::Input(core_input(input)));
    }
    let mut rows = Vec::new();
    let mut steps = 0;
    let mut asleep = world.asleep;
    loop {
        steps += 1;
        if steps > 10_000 {
            let what = "is woken for ever".to_owned();
            rows.push(Row { at: state.now, flow: "-".to_owned(), node: "-".to_owned(), pass: 0, what });
            return rows;
        }
        let wake = if asleep { None } else { state.next_wake() };
        let mut next = (0..tasks.len()).min_by_key(|n| (tasks[*n].0, tasks[*n].1));
        // Events of one instant by (happened, id), whatever made them (R2).
        if let Some((at, _, Task::Input(Input::Event(_)))) = next.map(|n| &tasks[n]) {
            let event = |task: &(Instant, usize, Task)| match &task.2 {
                Task::Input(Input::Event(event)) if task.0 == *at => Some((event.happened, event.id.clone())),
                _ => None,
            };
            next = (0..tasks.len()).filter(|n| event(&tasks[*n]).is_some()).min_by_key(|n| event(&tasks[*n]));
        }
        let task_at = next.map(|n| tasks[n].0);
        // Wakes come exactly when they are due, before what arrives at the same instant.
        let input = match (wake, task_at) {
            (Some(wake), at) if at.is_none_or(|at| wake <= at) => {
                if wake > world.until {
                    break;
                }
                Input::Wake { at: wake }
            }
            (_, Some(at)) if at <= world.until => {
                let Some(n) = next else { break };
                match tasks.remove(n).2 {
                    Task::Input(input) => input,
                    Task::HandOver(key) => {
                        let answer = journey::may_hand_over(&set, &state, &key, at);
                        if let HandOver::Defer(until) = answer {
                            put(&mut tasks, until, Task::HandOver(key.clone()));
                        }
                        let stopped: Option<Delivery> = answer.into();
                        let Some(result) = stopped.or_else(|| answer_of(world, &key)) else { continue };
                        Input::Delivered { at, key, result }
                    }
                }
            }
            _ => break,
        };
        // Awake again: from here on it is woken when it asks.
        asleep &= !matches!(input, Input::Wake { .. });
        let effects = journey::advance(&set, &mut state, &input);
        for intent in effects.intents {
            match intent.what {
                IntentWhat::Message { .. } => {
                    put(&mut tasks, intent.at.plus_millis(world.latency), Task::HandOver(intent.key));
                }
                IntentWhat::Webhook => {
                    let at = intent.at.plus_millis(world.latency);
                    if let Some(result) = answer_of(world, &intent.key) {
                        put(&mut tasks, at, Task::Input(Input::Delivered { at, key: intent.key, result }));
                    }
                }
                IntentWhat::Alert => {}
            }
        }
        for decision in &effects.trace {
            if let What::Outcome { outcome: Outcome::Sent, .. } = decision.what {
                for event in responses(world, decision) {
                    put(&mut tasks, event.accepted, Task::Input(Input::Event(Arc::new(event))));
                }
            }
            rows.extend(row(world, decision));
        }
    }
    rows
}

/// What the world answers; nothing where it stays silent.
pub fn answer_of(world: &World, key: &SendKey) -> Option<Delivery> {
    let said = world.answers.iter().find(|(node, _)| *node == key.node);
    said.map_or(Some(Delivery::Sent), |(_, answer)| answer.clone())
}

/// What people do with a message that was sent.
pub fn responses(world: &World, decision: &Decision) -> Vec<Event> {
    let (Some(journey), Some(flow), Some(node)) = (&decision.journey, &decision.flow, &decision.node) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for (n, response) in world.responses.iter().enumerate().filter(|(_, response)| response.node == *node) {
        let zone = world.workspace.default_zone();
        let at = response.after.after(decision.at, &zone);
        let pairs = [("journey", journey.as_str()), ("flow", flow.as_str()), ("node", node.as_str())];
        let mut properties: Properties = pairs.map(|(name, text)| (name.into(), Value::text(text))).into();
        let key = SendKey { journey: journey.clone(), node: node.clone(), pass: decision.pass };
        properties.insert("send_key".into(), Value::text(key.to_string()));
        out.push(Event {
            id: format!("{}:{key}:{n}", response.response.event_name()).as_str().into(),
            contact: world.contact.id.clone(),
            name: response.response.event_name().into(),
            happened: at,
            accepted: at,
            properties,
        });
    }
    out
}

/// An input in the core's words.
pub fn core_input(input: &world::Input) -> Input {
    match input {
        world::Input::Event(event) => Input::Event(Arc::new(event.clone())),
        world::Input::Wake(at) => Input::Wake { at: *at },
        world::Input::Control(at, control) => Input::Control { at: *at, control: control.clone() },
        world::Input::Change(at, change) => {
            let mut to = Change::default();
            match change {
                world::Change::Consent(channel, status) => to.consent.push((*channel, *status)),
                world::Change::Zone(name) => to.zone = Some(name.into()),
                world::Change::Set(name, value) => to.set.push((name.into(), Some(value.clone()))),
                world::Change::Unset(name) => to.set.push((name.into(), None)),
                world::Change::AddList(list) => to.lists_add.push(list.into()),
                world::Change::RemoveList(list) => to.lists_remove.push(list.into()),
            }
            Input::Profile { at: *at, change: to }
        }
    }
}

/// A decision as the oracle would put it; nothing where the oracle does not tell.
pub fn row(world: &World, decision: &Decision) -> Option<Row> {
    if let Some(told) = told(world, decision) {
        return Some(told);
    }
    let flow = decision.flow.as_ref()?;
    let drawn = [&world.flows, &world.later].into_iter().flatten().filter(|f| f.id == *flow);
    let here = |what: String| {
        let node = decision.node.as_ref().map_or("-".to_owned(), ToString::to_string);
        Some(Row { at: decision.at, flow: flow.to_string(), node, pass: decision.pass, what })
    };
    let whole =
        |what: String| Some(Row { at: decision.at, flow: flow.to_string(), node: "-".to_owned(), pass: 0, what });
    match &decision.what {
        What::Entered { .. } => whole("entered".to_owned()),
        What::Left { port } => {
            let id = decision.node.as_ref()?;
            let branches = drawn.filter_map(|f| f.node(id.as_str())).any(|node| node.ports().len() > 1);
            branches.then(|| here(format!("left {port}")))?
        }
        What::Outcome { outcome: Outcome::Sent, reason, variant, .. } => {
            here(format!("sent {} {variant}", reason.name()))
        }
        What::Outcome { outcome, reason, .. } => here(format!("{} {}", outcome.name(), reason.name())),
        What::Ended { how } if how == "completed" || how == "goal" => whole(how.to_string()),
        What::Ended { how } => whole(format!("exit {how}")),
        _ => None,
    }
}

/// What the world asks to be told besides.
fn told(world: &World, decision: &Decision) -> Option<Row> {
    let (name, what) = match &decision.what {
        What::Ignored { why, event } => ("ignored", format!("ignored {event} {why}")),
        What::Held { reason, .. } => ("held", format!("held {}", reason.name())),
        What::NotEntered { why, .. } => ("not_entered", format!("not_entered {why}")),
        What::Deferred { until, reason } => ("deferred", format!("deferred {until} {}", reason.name())),
        What::Converted { credited_to, .. } => {
            let to = credited_to.as_ref().map_or("nothing".to_owned(), ToString::to_string);
            ("converted", format!("converted {to}"))
        }
        _ => return None,
    };
    let flow = decision.flow.as_ref().map_or("-".to_owned(), ToString::to_string);
    let node = decision.node.as_ref().map_or("-".to_owned(), ToString::to_string);
    world.told.iter().any(|told| told == name).then_some(Row { at: decision.at, flow, node, pass: decision.pass, what })
}
