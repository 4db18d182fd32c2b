//! Replays an audience's events and responses through [`crate::journey`] on a given clock.
//!
//! The one idea: the simulator is a thin driver. It feeds inputs in the order of acceptance, wakes contacts when they
//! ask for it, hands over at the intent's instant (or later, if told a latency), and counts what the trace says.
//! Deliberately not here: files, clocks, threads, chance. Same arguments, same report.

mod codes;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    sync::Arc,
};

use serde::Serialize;
use smol_str::SmolStr;

pub use codes::Given;

use crate::{
    audience::{Audience, Event, Properties, Response, Value},
    base::{ContactId, EventId, FlowId, Instant, NodeId, SendKey, Span},
    journey::{self, ContactState, Counts, Decision, Effects, FlowSet, IntentWhat, What},
    kinds::runtime::{Control, Delivery, Input, Outcome, Reason},
};

/// How to replay.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Flows go live at this instant; what was accepted before is history that lets nobody in. Default: just before
    /// the first event.
    pub from: Option<Instant>,
    /// The replay ends here, this instant included. Default: 30 days after the last event (assumption: longer than
    /// any sequence that answers an event).
    pub until: Option<Instant>,
    /// Only these contacts; all where empty. Rules over the population (winners, breakers) then see only them.
    pub contacts: Vec<ContactId>,
    /// How long a hand-over takes. Default: none.
    pub latency: Option<Span>,
}

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// When flows went live.
    pub from: Instant,
    /// Where the replay ended.
    pub until: Instant,
    /// Contacts replayed.
    pub contacts: usize,
    /// Entries into flows.
    pub entered: u64,
    /// What became of each message, by instant, contact and flow.
    pub messages: Vec<MessageRow>,
    /// Counts per flow.
    pub flows: BTreeMap<FlowId, FlowReport>,
    /// Codes of pools that contacts got.
    #[serde(skip_serializing_if = "Given::is_empty")]
    pub codes: Given,
    /// Every decision of every contact.
    #[serde(skip)]
    pub traces: BTreeMap<ContactId, Vec<Decision>>,
}

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MessageRow {
    /// When it became so.
    pub at: Instant,
    /// Whose.
    pub contact: ContactId,
    /// Of which flow.
    pub flow: FlowId,
    /// At which node.
    pub node: NodeId,
    /// Which variant.
    pub variant: SmolStr,
    /// What.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
}

/// Counts of one flow.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FlowReport {
    /// Entries.
    pub entered: u64,
    /// Conversions.
    pub converted: u64,
    /// Triggers that fired and let nobody in, by why.
    pub not_entered: BTreeMap<String, u64>,
    /// Journeys that ended, by how.
    pub ended: BTreeMap<String, u64>,
    /// Journeys under way at the end of the replay.
    pub under_way: u64,
    /// Counts per node.
    pub nodes: BTreeMap<NodeId, NodeReport>,
}

/// Counts of one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NodeReport {
    /// Arrivals.
    pub entered: u64,
    /// Departures by port.
    pub left: BTreeMap<SmolStr, u64>,
    /// Journeys that stand there at the end.
    pub waiting: u64,
}

/// One contact under replay: its state, and what is still to be fed.
struct Player<'a> {
    state: ContactState,
    /// Of the file and made from responses, in order of acceptance, equals by (happened, id) (SEMANTICS R2).
    inputs: VecDeque<Arc<Event>>,
    /// Intents to be handed over, soonest last.
    hand_overs: Vec<(Instant, SendKey)>,
    responses: Vec<&'a Response>,
    trace: Vec<Decision>,
}

/// What all players use in turn.
#[derive(Default)]
struct Shared {
    counts: Counts,
    effects: Effects,
    codes: codes::Ledger,
}

/// Replays an audience.
pub fn replay(flows: &FlowSet, audience: &Audience, options: &Options) -> Report {
    // Nobody ends it early.
    replay_while(flows, audience, options, &mut |_| true).unwrap_or_default()
}

/// Inputs between two looks at whether to go on. Source: assumption, some milliseconds of work.
const INPUTS_PER_LOOK: usize = 64;

/// As [`replay`]; `keeps_on` is told every few inputs how much is done (0..=1) and ends it by saying no.
pub fn replay_while(
    flows: &FlowSet,
    audience: &Audience,
    options: &Options,
    keeps_on: &mut dyn FnMut(f32) -> bool,
) -> Option<Report> {
    let mut accepted = audience.events.iter().map(|event| event.accepted);
    let first = audience.events.iter().map(|event| event.accepted).min();
    let last = accepted.by_ref().max();
    let from = options.from.unwrap_or_else(|| first.map_or(Instant::from_millis(0), |at| at.plus_millis(-1)));
    let until = options.until.unwrap_or_else(|| last.unwrap_or(from).max(from).plus_millis(30 * 86_400_000));
    let mut shared = Shared::default();
    let mut players = players(flows, audience, options, from, &mut shared, keeps_on)?;
    let mut queue: BinaryHeap<Reverse<(Instant, usize)>> = BinaryHeap::new();
    for (n, player) in players.iter().enumerate() {
        queue.extend(player.next().map(|at| Reverse((at, n))));
    }
    let mut hour = hour_after(from);
    let span_millis = until.since(from).max(1) as f32;
    let mut num_inputs = 0_usize;
    while let Some(Reverse((at, n))) = queue.pop() {
        if at > until {
            break;
        }
        num_inputs += 1;
        if num_inputs.is_multiple_of(INPUTS_PER_LOOK) {
            let share = at.since(from) as f32 / span_millis;
            if !keeps_on(BEGIN_SHARE + (1.0 - BEGIN_SHARE) * share.clamp(0.0, 1.0)) {
                return None;
            }
        }
        while at >= hour {
            let controls = journey::close_hour(flows, &mut shared.counts, hour);
            for control in controls {
                for player in &mut players {
                    player.feed(flows, &Input::Control { at: hour, control: control.clone() }, options, &mut shared);
                }
                // Controls may have armed something sooner than what the queue knows.
                queue.extend(
                    players.iter().enumerate().filter_map(|(n, player)| player.next().map(|at| Reverse((at, n)))),
                );
            }
            // Hours in which nothing happens close nothing: jump to the one before the next work.
            hour = hour_after(hour).max(hour_after(at.plus_millis(-3_600_000)));
        }
        let player = &mut players[n];
        // An entry of the queue may be outdated; the player knows.
        if player.next() != Some(at) {
            queue.extend(player.next().filter(|next| *next > at).map(|next| Reverse((next, n))));
            continue;
        }
        player.step(flows, at, options, &mut shared);
        queue.extend(player.next().map(|next| Reverse((next, n))));
    }
    Some(Report { codes: shared.codes.given, ..report(flows, players, from, until) })
}

/// Share of the work that is done once everybody's history is fed. Source: assumption; it is not known before.
const BEGIN_SHARE: f32 = 0.1;

/// The order of inputs (SEMANTICS R2).
fn order(event: &Event) -> (Instant, Instant, &EventId) {
    (event.accepted, event.happened, &event.id)
}

fn hour_after(at: Instant) -> Instant {
    const HOUR: i64 = 3_600_000;
    Instant::from_millis((at.as_millis().div_euclid(HOUR) + 1) * HOUR)
}

fn players<'a>(
    flows: &FlowSet,
    audience: &'a Audience,
    options: &Options,
    from: Instant,
    shared: &mut Shared,
    keeps_on: &mut dyn FnMut(f32) -> bool,
) -> Option<Vec<Player<'a>>> {
    let wanted = |id: &ContactId| options.contacts.is_empty() || options.contacts.contains(id);
    let mut events: BTreeMap<&ContactId, Vec<Arc<Event>>> = BTreeMap::new();
    for event in audience.events.iter().filter(|event| wanted(&event.contact)) {
        events.entry(&event.contact).or_default().push(Arc::new(event.clone()));
    }
    let mut responses: BTreeMap<&ContactId, Vec<&Response>> = BTreeMap::new();
    for response in &audience.responses {
        responses.entry(&response.contact).or_default().push(response);
    }
    let mut out = Vec::new();
    for (n, contact) in audience.contacts.iter().enumerate().filter(|(_, contact)| wanted(&contact.id)) {
        if n.is_multiple_of(INPUTS_PER_LOOK) && !keeps_on(BEGIN_SHARE * n as f32 / audience.contacts.len() as f32) {
            return None;
        }
        let mut inputs = events.remove(&contact.id).unwrap_or_default();
        inputs.sort_by(|a, b| order(a).cmp(&order(b)));
        let mut player = Player {
            state: ContactState::new(contact.clone()),
            inputs: inputs.into(),
            hand_overs: Vec::new(),
            responses: responses.remove(&contact.id).unwrap_or_default(),
            trace: Vec::new(),
        };
        while let Some(event) = player.inputs.pop_front_if(|event| event.accepted <= from) {
            player.feed(flows, &Input::Event(event), options, shared);
        }
        for (flow, version) in flows.live() {
            let control = Control::Adopt { flow: flow.clone(), version: *version };
            player.feed(flows, &Input::Control { at: from, control }, options, shared);
        }
        out.push(player);
    }
    Some(out)
}

impl Player<'_> {
    /// The next instant at which there is something to do.
    fn next(&self) -> Option<Instant> {
        let inputs = self.inputs.front().map(|event| event.accepted);
        let hand_overs = self.hand_overs.last().map(|(at, _)| *at);
        [inputs, hand_overs, self.state.next_wake()].into_iter().flatten().min()
    }

    /// Does one thing at `at`: a wake before a hand-over before an event of the same instant (SEMANTICS R1).
    fn step(&mut self, flows: &FlowSet, at: Instant, options: &Options, shared: &mut Shared) {
        if self.state.next_wake() == Some(at) {
            return self.feed(flows, &Input::Wake { at }, options, shared);
        }
        if let Some((_, key)) = self.hand_overs.pop_if(|(due, _)| *due == at) {
            return self.hand_over(flows, at, &key, options, shared);
        }
        if let Some(event) = self.inputs.pop_front_if(|event| event.accepted == at) {
            let event = journey::answering(&self.state, event);
            if let Some((flow, journey, kind)) = journey::counted(&self.state, &event) {
                shared.counts.response(&flow, &journey, kind);
            }
            self.feed(flows, &Input::Event(event), options, shared);
        }
    }

    fn feed(&mut self, flows: &FlowSet, input: &Input, options: &Options, shared: &mut Shared) {
        journey::advance_into(flows, &mut self.state, input, &mut shared.effects);
        for decision in shared.effects.trace.drain(..) {
            shared.counts.decision(flows, &decision);
            self.trace.push(decision);
        }
        // What is handed over below has effects of its own.
        let mut intents = std::mem::take(&mut shared.effects.intents);
        for intent in intents.drain(..) {
            match (&intent.what, options.latency) {
                (IntentWhat::Message { .. }, None) => self.hand_over(flows, intent.at, &intent.key, options, shared),
                (IntentWhat::Message { .. }, Some(latency)) => {
                    let due = latency.after(intent.at, self.state.zone(flows));
                    self.hand_over_at(due, intent.key);
                }
                // Webhooks are answered with success, alerts need no answer: the replay has no world to ask.
                (IntentWhat::Webhook, _) => {
                    self.feed(
                        flows,
                        &Input::Delivered { at: intent.at, key: intent.key, result: Delivery::Sent },
                        options,
                        shared,
                    );
                }
                (IntentWhat::Alert, _) => {}
            }
        }
        shared.effects.intents = intents;
    }

    fn hand_over_at(&mut self, due: Instant, key: SendKey) {
        let at = self.hand_overs.partition_point(|(other, _)| *other > due);
        self.hand_overs.insert(at, (due, key));
    }

    fn hand_over(&mut self, flows: &FlowSet, at: Instant, key: &SendKey, options: &Options, shared: &mut Shared) {
        let answer = journey::may_hand_over(flows, &self.state, key, at);
        let later = match &answer {
            journey::HandOver::Defer(until) => Some(*until),
            _ => None,
        };
        let result = Option::<Delivery>::from(answer).unwrap_or_else(|| {
            let (pools, wanted) = (&flows.workspace().code_pools, journey::pools_of(flows, &self.state, key));
            let has_codes = shared.codes.claim(pools, &self.state.contact.id, wanted);
            if has_codes { Delivery::Sent } else { Delivery::Held(Reason::Incomplete) }
        });
        let sent = result == Delivery::Sent;
        if sent {
            self.answer(flows, at, key);
        }
        self.feed(flows, &Input::Delivered { at, key: key.clone(), result }, options, shared);
        if let Some(until) = later {
            self.hand_over_at(until, key.clone());
        }
    }

    /// Turns the fixed responses to a message into events (DESIGN 6).
    fn answer(&mut self, flows: &FlowSet, at: Instant, key: &SendKey) {
        let Some(send) = self.state.send(key) else { return };
        let (flow, message) = (send.flow.clone(), send.message.clone());
        for (n, response) in self.responses.iter().enumerate() {
            if response.node != key.node || response.flow.as_ref().is_some_and(|of| *of != flow) {
                continue;
            }
            let when = response.after.after(at, self.state.zone(flows));
            let mut properties = Properties::new();
            let mut set =
                |name: &'static str, value: &str| properties.insert(SmolStr::new_static(name), Value::text(value));
            set("flow", flow.as_str());
            set("node", key.node.as_str());
            set("message", message.0.as_str());
            set("variant", &message.1);
            set("journey", key.journey.as_str());
            set("send_key", &key.to_string());
            if let Some(link) = &response.link {
                set("link", link);
            }
            let event = Event {
                id: EventId::new(format!("{}:{key}:{n}", response.response.event_name())),
                contact: self.state.contact.id.clone(),
                name: SmolStr::new_static(response.response.event_name()),
                happened: when,
                accepted: when,
                properties,
            };
            let place = self.inputs.partition_point(|other| order(other) <= order(&event));
            self.inputs.insert(place, Arc::new(event));
        }
    }
}

fn report(flows: &FlowSet, players: Vec<Player<'_>>, from: Instant, until: Instant) -> Report {
    let mut out = Report { from, until, contacts: players.len(), ..Report::default() };
    for (flow, hash) in flows.live() {
        let nodes =
            flows.version(hash).map(|v| v.nodes.iter().map(|n| (n.id.clone(), NodeReport::default())).collect());
        out.flows.insert(flow.clone(), FlowReport { nodes: nodes.unwrap_or_default(), ..FlowReport::default() });
    }
    for player in players {
        let id = player.state.contact.id.clone();
        for decision in &player.trace {
            let Some(flow) = &decision.flow else { continue };
            let of_flow = out.flows.entry(flow.clone()).or_default();
            match &decision.what {
                What::Entered { .. } => {
                    of_flow.entered += 1;
                    out.entered += 1;
                }
                What::NotEntered { why, .. } => *of_flow.not_entered.entry(why.to_string()).or_default() += 1,
                What::Arrived => {
                    if let Some(node) = &decision.node {
                        of_flow.nodes.entry(node.clone()).or_default().entered += 1;
                    }
                }
                What::Left { port } => {
                    if let Some(node) = &decision.node {
                        *of_flow.nodes.entry(node.clone()).or_default().left.entry(port.clone()).or_default() += 1;
                    }
                }
                What::Converted { .. } => of_flow.converted += 1,
                What::Ended { how } => *of_flow.ended.entry(how.to_string()).or_default() += 1,
                What::Outcome { outcome, reason, variant, .. } => {
                    if let Some(node) = &decision.node {
                        out.messages.push(MessageRow {
                            at: decision.at,
                            contact: id.clone(),
                            flow: flow.clone(),
                            node: node.clone(),
                            variant: variant.clone(),
                            outcome: *outcome,
                            reason: *reason,
                        });
                    }
                }
                _ => {}
            }
        }
        for journey in player.state.journeys.iter().filter(|journey| journey.is_active()) {
            let of_flow = out.flows.entry(journey.flow.clone()).or_default();
            of_flow.under_way += 1;
            let node = flows.version(&journey.version).and_then(|version| journey.node_id(version));
            if let Some(node) = node {
                of_flow.nodes.entry(node.clone()).or_default().waiting += 1;
            }
        }
        out.traces.insert(id, player.trace);
    }
    // The trigger node lets journeys in and is walked by none.
    for (flow, hash) in flows.live() {
        let start = flows.version(hash).and_then(|version| version.trigger_id().cloned());
        if let (Some(start), Some(of_flow)) = (start, out.flows.get_mut(flow)) {
            let entered = of_flow.entered;
            let node = of_flow.nodes.entry(start).or_default();
            node.entered = entered;
            if entered > 0 {
                node.left.insert(SmolStr::new_static(crate::kinds::NEXT), entered);
            }
        }
    }
    out.messages.sort();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audience::{ConsentStatus, Contact, ResponseKind},
        flow::{Workspace, file},
    };

    const FLOW: &str = r#"(version: 2, id: "demo", name: "Demo", nodes: [
        (id: "start", kind: "trigger", settings: (any: [event(event: "Started Checkout")])),
        (id: "mail", kind: "email", settings: (message: "m")),
        (id: "wait", kind: "delay", settings: (wait: for("1 day"))),
        (id: "opened", kind: "condition", settings: (condition: "opened \"mail\"")),
        (id: "second", kind: "email", settings: (message: "m")),
    ], edges: [(from: "start", to: "mail"), (from: "mail", to: "wait"), (from: "wait", to: "opened"), (from: "opened", port: "yes", to: "second")],
    messages: [(id: "m", subject: "Hello", body: html("Hello"))])"#;

    fn audience(people: usize) -> Audience {
        let mut audience = Audience::default();
        for n in 0..people {
            let mut contact = Contact::new(ContactId::new(format!("c{n}")));
            contact.email = Some("c@example.com".into());
            contact.consent.email = if n % 5 == 4 { ConsentStatus::Unsubscribed } else { ConsentStatus::Subscribed };
            let at = Instant::from_millis(1_795_424_400_000 + n as i64 * 60_000);
            audience.events.push(Event {
                id: EventId::new(format!("e{n}")),
                contact: contact.id.clone(),
                name: "Started Checkout".into(),
                happened: at,
                accepted: at,
                properties: Properties::new(),
            });
            if n % 2 == 0 {
                audience.responses.push(Response {
                    contact: contact.id.clone(),
                    flow: None,
                    node: "mail".into(),
                    response: ResponseKind::Opened,
                    after: Span::hours(2),
                    link: None,
                });
            }
            audience.contacts.push(contact);
        }
        audience
    }

    fn flows() -> FlowSet {
        let loaded = file::read(FLOW).unwrap_or_else(|d| panic!("{}", d.message));
        FlowSet::new(&Workspace::default(), &[loaded.flow])
    }

    #[test]
    fn responses_answer_messages() {
        let report = replay(&flows(), &audience(10), &Options::default());
        assert_eq!((report.contacts, report.entered), (10, 8));
        let flow = &report.flows["demo"];
        assert_eq!(flow.not_entered["no consent"], 2);
        let opened = &flow.nodes["opened"];
        // c0, c2, c6, c8 open; c4 has no consent.
        assert_eq!((opened.left["yes"], opened.left["no"]), (4, 4));
        assert_eq!(report.messages.iter().filter(|m| m.outcome == Outcome::Sent).count(), 12);
        assert_eq!(flow.ended["completed"], 8);
    }

    /// Answers of a file that name their send key alone are those to that message (SEMANTICS R0).
    #[test]
    fn answers_of_the_file_know_their_message() {
        let mut audience = audience(2);
        let at = Instant::from_millis(1_795_424_400_000 + 3_600_000);
        audience.events.push(Event {
            id: "o".into(),
            contact: "c1".into(),
            name: "$opened".into(),
            happened: at,
            accepted: at,
            properties: [("send_key".into(), Value::text("c1/demo/1/mail/1"))].into(),
        });
        let opened = &replay(&flows(), &audience, &Options::default()).flows["demo"].nodes["opened"];
        assert_eq!((opened.left.get("yes"), opened.left.get("no")), (Some(&2), None));
    }

    #[test]
    fn the_same_arguments_give_the_same_report() {
        let audience = audience(50);
        let once = replay(&flows(), &audience, &Options::default());
        assert_eq!(once, replay(&flows(), &audience, &Options::default()));
        let some = Options { contacts: vec!["c6".into()], ..Options::default() };
        let alone = replay(&flows(), &audience, &some);
        assert_eq!(alone.traces["c6"].len(), once.traces["c6"].len());
    }

    /// With a latency the second test comes later than the first; a purchase in between would stop the mail.
    #[test]
    fn latency_delays_the_hand_over() {
        let slow = Options { latency: Some(Span::minutes(1)), ..Options::default() };
        let report = replay(&flows(), &audience(1), &slow);
        assert_eq!(report.messages[0].at, Instant::from_millis(1_795_424_400_000 + 60_000));
    }

    #[test]
    fn history_before_from_lets_nobody_in() {
        let from = Instant::from_millis(1_795_424_400_000 + 5 * 60_000 - 1);
        let report = replay(&flows(), &audience(10), &Options { from: Some(from), ..Options::default() });
        assert_eq!(report.entered, 4);
    }

    /// Language first, then the split inside it; the same contact is always dealt the same.
    #[test]
    fn variants_are_dealt_inside_the_contacts_language() {
        let body = r#"messages: [(id: "m", variants: [
            (id: "a", subject: "Hello", body: html("Hello")), (id: "b", subject: "Hi", body: html("Hi")),
            (id: "d", language: "de", subject: "Hallo", body: html("Hallo")),
            (id: "e", language: "de", weight: 0, subject: "Guten Tag", body: html("Guten Tag")),
        ])])"#;
        let flow = format!("{}{body}", FLOW.split("messages: [").next().expect("there"));
        let loaded = file::read(&flow).unwrap_or_else(|d| panic!("{}", d.message));
        let flows = FlowSet::new(&Workspace::default(), &[loaded.flow]);
        let mut audience = audience(60);
        for (n, contact) in audience.contacts.iter_mut().enumerate() {
            contact.language = [Some("de-AT"), Some("fr"), None][n % 3].map(SmolStr::new);
        }
        let report = replay(&flows, &audience, &Options::default());
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &report.messages {
            let n: usize = row.contact.as_str()[1..].parse().expect("a number");
            assert_eq!(row.variant == "d", n.is_multiple_of(3), "{row:?}");
            *seen.entry(&row.variant).or_default() += 1;
        }
        assert!(seen["a"] > 5 && seen["b"] > 5 && seen["d"] > 10 && !seen.contains_key("e"), "{seen:?}");
        assert_eq!(report, replay(&flows, &audience, &Options::default()));
    }

    /// R27: each contact gets the next code once; an empty pool holds.
    #[test]
    fn codes_are_given_once_and_an_empty_pool_holds() {
        let mail = r#"fields: [(name: "code", source: code(pool: "p"))], messages: [(id: "m", subject: "Hello", body: html("Yours: {code}"))])"#;
        let flow = format!("{}{mail}", FLOW.split("messages: [").next().expect("there"));
        let loaded = file::read(&flow).unwrap_or_else(|d| panic!("{}", d.message));
        let pool = "(code_pools: [(name: \"p\", codes: [\"A\", \"B\", \"C\"])])";
        let workspace: Workspace = crate::kinds::ron_options().from_str(pool).expect("reads");
        let flows = FlowSet::new(&workspace, &[loaded.flow]);
        let audience = audience(7);
        let report = replay(&flows, &audience, &Options::default());
        let given: Vec<String> =
            report.codes.iter().map(|(contact, codes)| format!("{contact} {}", codes["p"])).collect();
        assert_eq!(given, ["c0 A", "c1 B", "c2 C"]);
        let of = |contact: &str, outcome| {
            report.messages.iter().filter(|m| m.contact.as_str() == contact && m.outcome == outcome).count()
        };
        // Two mails show the same contact the same code; who comes later waits for codes.
        assert_eq!((of("c0", Outcome::Sent), of("c2", Outcome::Sent)), (2, 2));
        assert_eq!((of("c3", Outcome::Sent), of("c3", Outcome::Held)), (0, 1));
        assert_eq!(report, replay(&flows, &audience, &Options::default()));
    }

    /// R28: 300 people, 4 in 100 unsubscribe: from 200 sends on the flow pauses itself, and nothing leaves any more.
    #[test]
    fn it_says_how_far_it_is_and_ends_when_told() {
        let (flows, audience) = (flows(), audience(200));
        let mut shares = Vec::new();
        let whole = replay_while(&flows, &audience, &Options::default(), &mut |share| {
            shares.push(share);
            true
        });
        assert_eq!(whole, Some(replay(&flows, &audience, &Options::default())));
        assert!(shares.len() > 4 && shares.is_sorted(), "{shares:?}");
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{shares:?}");
        let mut looks = 0;
        let ended = replay_while(&flows, &audience, &Options::default(), &mut |_| {
            looks += 1;
            looks < 3
        });
        assert_eq!((ended, looks), (None, 3), "at once");
    }

    #[test]
    fn a_flow_people_leave_pauses_itself() {
        let mut audience = audience(400);
        for (n, contact) in audience.contacts.iter_mut().enumerate() {
            contact.consent.email = ConsentStatus::Subscribed;
            if n % 25 == 0 {
                audience.responses.push(Response {
                    contact: contact.id.clone(),
                    flow: None,
                    node: "mail".into(),
                    response: ResponseKind::Unsubscribed,
                    after: Span::minutes(1),
                    link: None,
                });
            }
        }
        let report = replay(&flows(), &audience, &Options::default());
        let held = report.messages.iter().filter(|m| m.outcome == Outcome::Held && m.reason == Reason::Breaker).count();
        let sent = report.messages.iter().filter(|m| m.outcome == Outcome::Sent).count();
        assert!(held > 100 && (200..300).contains(&sent), "{held} held, {sent} sent");
    }
}
