//! Small worlds as text: a workspace, flows, one contact, what happens to them, and what is expected of it.
//!
//! The one idea: a fixture, a generated case and the print of a failure are the same text, so a failing case can be
//! saved as a fixture as it is. A line at the margin begins a section, indented lines below belong to it, lines
//! that begin with `#` are remarks:
//!
//! ```text
//! workspace (zone: "Europe/Berlin")
//! flow f (reentry: once)
//!   start trigger (any: [event(event: "Cart")]) => mail
//!   mail email (message: "m") =>
//! contact {"id": "ada", "email": "ada@example.com", "consent": {"email": "subscribed"}}
//! inputs
//!   2026-03-02T10:00:00Z event Cart id=e1 happened=2026-03-02T09:00:00Z {"cart_id": "k1"}
//!   2026-03-02T11:00:00Z consent email unsubscribed
//! until 2026-03-04T00:00:00Z
//! expect
//!   2026-03-02T10:00:00Z f - 0 entered
//! ```
//!
//! After `=>` stand targets, `port:node` or a node alone for the ordinary port. Every message a flow names is made
//! with one variant without tags, as plain HTML so that thousands of worlds play quickly; `variants m a=1 b=3`
//! inside a flow gives it more, `wording m subject: …, body: …` says what stands in it, `field name: …, source: …`
//! declares a merge tag. `latency 1 min` lets hand-overs take so long; `asleep` lets nobody wake the contact until the
//! first `wake`.
//!
//! A flow that stands a second time is its next version: the input `adopt f` makes it live, `migrate f old:new` moves
//! journeys to it. `answers` says what the world answers (`mail refused rejected`, `hook nothing`), `tell` asks for
//! decisions that are left out otherwise (`tell ignored held`). `crowd 300` brings 300 more contacts with the events
//! and responses below it (`mail unsubscribed "1 h" every 50`); told is what becomes of the one.

use std::fmt;

use flowloom::{
    audience::{Audience, Channel, ConsentStatus, Contact, Event, Properties, Response, ResponseKind, Value},
    base::{ContactId, FlowId, Instant, NodeId, Span, VersionHash},
    flow::{Flow, Workspace},
    journey::FlowSet,
    kinds::runtime::{Control, Delivery, Reason},
};

/// One line of the outcome: what happened, where, when.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Row {
    pub at: Instant,
    pub flow: String,
    pub node: String,
    pub pass: u32,
    pub what: String,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {} {}", self.at, self.flow, self.node, self.pass, self.what)
    }
}

/// A change of a contact's profile.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    Consent(Channel, ConsentStatus),
    Zone(String),
    Set(String, Value),
    Unset(String),
    AddList(String),
    RemoveList(String),
}

/// What reaches the contact.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    Event(Event),
    Change(Instant, Change),
    Wake(Instant),
    Control(Instant, Control),
}

impl Input {
    pub fn at(&self) -> Instant {
        match self {
            Self::Event(event) => event.accepted,
            Self::Change(at, _) | Self::Wake(at) | Self::Control(at, _) => *at,
        }
    }
}

/// A case.
#[derive(Clone, Debug)]
pub struct World {
    pub text: String,
    pub workspace: Workspace,
    pub flows: Vec<Flow>,
    pub contact: Contact,
    pub inputs: Vec<Input>,
    pub responses: Vec<Response>,
    pub until: Instant,
    /// Nobody wakes the contact but the inputs (the engine slept).
    pub asleep: bool,
    /// How long a hand-over takes, in milliseconds; webhooks are answered as late.
    pub latency: i64,
    pub expected: Vec<String>,
    /// Further versions of the flows, in the order in which they are adopted.
    pub later: Vec<Flow>,
    /// What the world answers at a node; success where nothing stands, silence where `None`.
    pub answers: Vec<(NodeId, Option<Delivery>)>,
    /// Decisions told besides the usual ones, by their names in traces.
    pub told: Vec<String>,
    /// Contacts besides the one.
    pub crowd: Vec<Contact>,
    pub crowd_events: Vec<Event>,
    pub crowd_responses: Vec<Response>,
}

impl World {
    /// Reads the text form.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut workspace = Workspace::default();
        let mut flows = Vec::new();
        let mut contact = Contact::new("ada");
        contact.email = Some("ada@example.com".into());
        contact.consent.email = ConsentStatus::Subscribed;
        let (mut inputs, mut responses, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        let (mut until, mut asleep, mut latency) = (None, false, 0);
        let (mut later, mut answers, mut told): (Vec<Flow>, Vec<_>, Vec<String>) = Default::default();
        let (mut crowd, mut crowd_events, mut crowd_responses) = Default::default();
        for (head, lines) in sections(text) {
            let (word, rest) = split(head);
            match word {
                "workspace" => {
                    let whole = format!("{rest}\n{}", lines.join("\n"));
                    let read = flowloom::flow::file::read_workspace(&whole);
                    workspace = read.map_err(|d| format!("workspace: {}", d.message))?.0;
                }
                "flow" => {
                    let flow = read_flow(rest, &lines)?;
                    let is_first = flows.iter().all(|other: &Flow| other.id != flow.id);
                    if is_first { flows.push(flow) } else { later.push(flow) }
                }
                "contact" => {
                    let whole = format!("{rest}\n{}", lines.join("\n"));
                    contact = serde_json::from_str(&whole).map_err(|e| format!("contact: {e}"))?;
                }
                "inputs" => {
                    let name = |flow: &Flow| (flow.id.clone(), version_of(&workspace, flow));
                    let mut next = later.iter().map(name).collect();
                    for (n, line) in lines.iter().enumerate() {
                        let input = read_input(line, n, &contact.id, &mut next);
                        inputs.push(input.map_err(|e| format!("{line}: {e}"))?);
                    }
                }
                "answers" => {
                    for line in &lines {
                        answers.push(read_answer(line).ok_or_else(|| format!("{line}: no answer"))?);
                    }
                }
                "tell" => told = rest.split_whitespace().map(str::to_owned).collect(),
                "crowd" => {
                    let num: usize = rest.parse().map_err(|_| format!("`{rest}` is no number"))?;
                    (crowd, crowd_events, crowd_responses) = read_crowd(num, &lines)?;
                }
                "responses" => {
                    for line in &lines {
                        responses.push(read_response(line, &contact.id).ok_or_else(|| format!("{line}: no response"))?);
                    }
                }
                "until" => until = Some(Instant::parse(rest)?),
                "asleep" => asleep = true,
                "latency" => latency = Span::parse(rest)?.about_millis(),
                "expect" => expected = lines.iter().map(|line| line.trim().to_owned()).collect(),
                _ => return Err(format!("`{word}` begins no section")),
            }
        }
        let until = until.ok_or("`until` is missing")?;
        let text = text.to_owned();
        Ok(Self {
            text,
            workspace,
            flows,
            contact,
            inputs,
            responses,
            until,
            asleep,
            latency,
            expected,
            later,
            answers,
            told,
            crowd,
            crowd_events,
            crowd_responses,
        })
    }

    /// What a replay needs besides workspace and flows; profile changes and controls have no place in it.
    pub fn audience(&self) -> Audience {
        let mut events: Vec<Event> = Vec::new();
        for input in &self.inputs {
            if let Input::Event(event) = input {
                events.push(event.clone());
            }
        }
        events.extend(self.crowd_events.iter().cloned());
        events.sort_by_key(|event| event.accepted);
        let contacts = [std::slice::from_ref(&self.contact), self.crowd.as_slice()].concat();
        Audience { contacts, events, responses: [self.responses.as_slice(), &self.crowd_responses].concat() }
    }

    /// The flows ready to run, each live in its first version.
    pub fn set(&self) -> FlowSet {
        FlowSet::new(&self.workspace, &[self.later.as_slice(), &self.flows].concat())
    }
}

/// Lines at the margin with the indented lines below them.
fn sections(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut out: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        match out.last_mut() {
            Some((_, lines)) if line.starts_with(' ') => lines.push(line),
            _ => out.push((line, Vec::new())),
        }
    }
    out
}

/// The first word and the rest.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    line.split_once(' ').map_or((line, ""), |(word, rest)| (word, rest.trim()))
}

fn read_flow(head: &str, lines: &[&str]) -> Result<Flow, String> {
    let (id, settings) = split(head);
    let settings = if settings.is_empty() { "()" } else { settings };
    let (mut nodes, mut edges, mut messages, mut fields) = (String::new(), String::new(), String::new(), String::new());
    let mut wordings: Vec<(&str, &str)> = Vec::new();
    let mut variants: Vec<(&str, String)> = Vec::new();
    let mut named: Vec<String> = Vec::new();
    for line in lines {
        let (node, rest) = split(line);
        if node == "wording" {
            wordings.push(split(rest));
            continue;
        }
        if node == "field" {
            fields += &format!("({rest}), ");
            continue;
        }
        if node == "variants" {
            let (message, list) = split(rest);
            let one = |part: &str| {
                let (id, weight) = part.split_once('=').unwrap_or((part, "1"));
                format!(r#"(id: "{id}", weight: {weight}, subject: "Hello", body: html("<p>Hello</p>"))"#)
            };
            variants.push((message, list.split_whitespace().map(one).collect::<Vec<_>>().join(", ")));
            continue;
        }
        let (kind, rest) = split(rest);
        let (settings, targets) = rest.rsplit_once("=>").map_or((rest, ""), |(settings, targets)| (settings, targets));
        let (muted, settings) = match settings.trim().strip_prefix("muted") {
            Some(settings) => (true, settings.trim()),
            None => (false, settings.trim()),
        };
        let settings = if settings.is_empty() { "()" } else { settings };
        nodes += &format!("(id: \"{node}\", kind: \"{kind}\", muted: {muted}, settings: {settings}),\n");
        for target in targets.split_whitespace() {
            edges += &match target.split_once(':') {
                Some((port, to)) => format!("(from: \"{node}\", port: \"{port}\", to: \"{to}\"),"),
                None => format!("(from: \"{node}\", to: \"{target}\"),"),
            };
        }
        if let Some((_, after)) = settings.split_once("message: \"")
            && let Some((message, _)) = after.split_once('"')
            && !named.iter().any(|m| m == message)
        {
            named.push(message.to_owned());
            messages += &if kind == "sms" {
                format!("(id: \"{message}\", channel: sms, text: \"Hello\"),\n")
            } else if lines.iter().any(|l| l.trim().starts_with(&format!("wording {message} "))) {
                format!("(id: \"{message}\", <{message}>),\n")
            } else if lines.iter().any(|l| l.trim().starts_with(&format!("variants {message} "))) {
                format!("(id: \"{message}\", variants: [<{message}>]),\n")
            } else {
                format!("(id: \"{message}\", subject: \"Hello\", body: html(\"<p>Hello</p>\")),\n")
            };
        }
    }
    for (message, list) in variants {
        messages = messages.replace(&format!("<{message}>"), &list);
    }
    for (message, wording) in wordings {
        messages = messages.replace(&format!("<{message}>"), wording);
    }
    let source = format!(
        "(version: 2, id: \"{id}\", name: \"{id}\", settings: {settings}, fields: [{fields}], nodes: [{nodes}], edges: [{edges}], messages: [{messages}])"
    );
    let loaded = flowloom::flow::file::read(&source).map_err(|d| format!("flow {id}: {}\n{source}", d.message))?;
    let flow = loaded.flow;
    if let Some(error) = flow.settings.error() {
        return Err(format!("flow {id}: settings: {error:?}"));
    }
    for node in &flow.nodes {
        if let Some(error) = node.settings.error() {
            return Err(format!("flow {id}: node {}: {error:?}", node.id));
        }
        for (name, condition) in node.settings().map(|s| s.conditions()).unwrap_or_default() {
            if let Some(error) = condition.parsed().errors.first() {
                return Err(format!("flow {id}: node {} {name}: {}", node.id, error.message));
            }
        }
    }
    for message in &flow.messages {
        if let Some(error) = message.section.error() {
            return Err(format!("flow {id}: message {}: {error:?}", message.id));
        }
    }
    if let Some(fault) = flow.invariants().first() {
        return Err(format!("flow {id}: {}", fault.message));
    }
    Ok(flow)
}

/// The name of a version.
fn version_of(workspace: &Workspace, flow: &Flow) -> VersionHash {
    FlowSet::new(workspace, &[]).publish(flow)
}

/// `mail refused rejected`, `mail unknown`, `hook nothing`.
fn read_answer(line: &str) -> Option<(NodeId, Option<Delivery>)> {
    let (node, rest) = split(line);
    let answer = match rest {
        "refused rejected" => Some(Delivery::Refused(Reason::Rejected)),
        "unknown" => Some(Delivery::Unknown),
        "nothing" => None,
        _ => return None,
    };
    Some((node.into(), answer))
}

type Crowd = (Vec<Contact>, Vec<Event>, Vec<Response>);

/// Contacts `p1`, `p2`, …, each with the events of the lines; of the responses every nth gives each.
fn read_crowd(num: usize, lines: &[&str]) -> Result<Crowd, String> {
    let (mut contacts, mut events, mut responses) = Crowd::default();
    for n in 1..=num {
        let mut contact = Contact::new(format!("p{n}").as_str());
        contact.email = Some(format!("p{n}@example.com").as_str().into());
        contact.consent.email = ConsentStatus::Subscribed;
        for (line, text) in lines.iter().enumerate() {
            if let Some((response, every)) = text.split_once(" every ") {
                let every: usize = every.trim().parse().map_err(|_| format!("{text}: no number"))?;
                let response = read_response(response, &contact.id).ok_or_else(|| format!("{text}: no response"))?;
                responses.extend(n.is_multiple_of(every).then_some(response));
            } else if let Input::Event(mut event) = read_input(text, line, &contact.id, &mut Vec::new())? {
                event.id = format!("{}/{}", contact.id, event.id).as_str().into();
                events.push(event);
            }
        }
        contacts.push(contact);
    }
    Ok((contacts, events, responses))
}

/// `versions` are those that may be adopted; the next one of a flow is taken off them.
fn read_input(
    line: &str,
    n: usize,
    contact: &ContactId,
    versions: &mut Vec<(FlowId, VersionHash)>,
) -> Result<Input, String> {
    let (at, rest) = split(line);
    let at = Instant::parse(at)?;
    let (word, rest) = split(rest);
    let (first, second) = split(rest);
    Ok(match word {
        "event" => {
            let mut event = Event {
                id: format!("e{n}").as_str().into(),
                contact: contact.clone(),
                name: first.into(),
                happened: at,
                accepted: at,
                properties: Properties::new(),
            };
            let mut rest = second;
            while !rest.is_empty() && !rest.starts_with('{') {
                let (part, more) = split(rest);
                match part.split_once('=') {
                    Some(("id", id)) => event.id = id.into(),
                    Some(("happened", text)) => event.happened = Instant::parse(text)?,
                    _ => return Err(format!("`{part}` is neither id nor happened")),
                }
                rest = more;
            }
            if !rest.is_empty() {
                event.properties = serde_json::from_str(rest).map_err(|e| e.to_string())?;
            }
            Input::Event(event)
        }
        "consent" => {
            let channel = if first == "sms" { Channel::Sms } else { Channel::Email };
            let status = match second {
                "subscribed" => ConsentStatus::Subscribed,
                "unsubscribed" => ConsentStatus::Unsubscribed,
                _ => ConsentStatus::Unknown,
            };
            Input::Change(at, Change::Consent(channel, status))
        }
        "zone" => Input::Change(at, Change::Zone(first.to_owned())),
        "set" => {
            Input::Change(at, Change::Set(first.to_owned(), serde_json::from_str(second).map_err(|e| e.to_string())?))
        }
        "unset" => Input::Change(at, Change::Unset(first.to_owned())),
        "list" => Input::Change(
            at,
            match first.strip_prefix('-') {
                Some(list) => Change::RemoveList(list.to_owned()),
                None => Change::AddList(first.trim_start_matches('+').to_owned()),
            },
        ),
        "wake" => Input::Wake(at),
        "pause" => Input::Control(at, Control::Pause { flow: first.into(), freeze: false }),
        "freeze" => Input::Control(at, Control::Pause { flow: first.into(), freeze: true }),
        "resume" => Input::Control(at, Control::Resume { flow: first.into() }),
        "retry" => Input::Control(at, Control::Retry { journey: first.into(), key: None }),
        "drain" => Input::Control(at, Control::Drain { flow: first.into() }),
        "end" => Input::Control(at, Control::End { journey: first.into() }),
        "adopt" => {
            let place = versions.iter().position(|(flow, _)| flow.as_str() == first);
            let (flow, version) = versions.remove(place.ok_or("there is no further version")?);
            Input::Control(at, Control::Adopt { flow, version })
        }
        "migrate" => {
            let place = versions.iter().position(|(flow, _)| flow.as_str() == first);
            let (flow, version) = versions[place.ok_or("there is no further version")?].clone();
            let pair = |pair: &str| pair.split_once(':').map(|(old, new)| (old.into(), new.into()));
            let mapping = second.split_whitespace().filter_map(pair).collect();
            Input::Control(at, Control::Migrate { flow, version, mapping })
        }
        _ => return Err(format!("`{word}` is no input")),
    })
}

/// `mail opened "2 h"`.
fn read_response(line: &str, contact: &ContactId) -> Option<Response> {
    let (node, rest) = split(line);
    let (word, after) = split(rest);
    let response = ResponseKind::ALL.into_iter().find(|kind| kind.name() == word)?;
    let after = Span::parse(after.trim_matches('"')).ok()?;
    Some(Response { contact: contact.clone(), flow: None, node: node.into(), response, after, link: None })
}

impl World {
    /// When the flows go live: before the first input, so that baselines are those of the contact as given.
    pub fn adopted(&self) -> Instant {
        let crowd = self.crowd_events.iter().map(|event| event.accepted);
        self.inputs.iter().map(Input::at).chain(crowd).min().unwrap_or(self.until).plus_millis(-1_000)
    }

    /// The same world with other inputs, written as in the section `inputs`.
    pub fn with_inputs(&self, lines: &[String]) -> Result<Self, String> {
        let read = |(n, line): (usize, &String)| read_input(line, n, &self.contact.id, &mut Vec::new());
        let inputs = lines.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        let text = self.text.replacen("\ninputs\n", &format!("\ninputs\n{}\n", lines.join("\n")), 1);
        Ok(Self { text, inputs, ..self.clone() })
    }

    /// Whether it shows what the oracle does not play: words from outside, sleep, hand-overs that take time or fail,
    /// what stands in a mail, other contacts.
    pub fn is_beyond_the_oracle(&self) -> bool {
        let is_worded = self.text.lines().any(|line| line.trim_start().starts_with("wording "));
        let is_more = !self.answers.is_empty() || !self.told.is_empty() || !self.crowd.is_empty();
        self.asleep
            || self.latency > 0
            || is_worded
            || is_more
            || self.inputs.iter().any(|input| matches!(input, Input::Control(..)))
    }
}
