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
//! inside a flow gives it more. `latency 1 min` lets hand-overs take so long; `asleep` lets nobody wake the contact
//! until the first `wake`.

use std::fmt;

use flowloom::{
    audience::{Audience, Channel, ConsentStatus, Contact, Event, Properties, Response, ResponseKind, Value},
    base::{ContactId, Instant, Span},
    flow::{Flow, Workspace},
    kinds::runtime::Control,
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
        for (head, lines) in sections(text) {
            let (word, rest) = split(head);
            match word {
                "workspace" => {
                    let whole = format!("{rest}\n{}", lines.join("\n"));
                    let read = flowloom::flow::file::read_workspace(&whole);
                    workspace = read.map_err(|d| format!("workspace: {}", d.message))?.0;
                }
                "flow" => flows.push(read_flow(rest, &lines)?),
                "contact" => {
                    let whole = format!("{rest}\n{}", lines.join("\n"));
                    contact = serde_json::from_str(&whole).map_err(|e| format!("contact: {e}"))?;
                }
                "inputs" => {
                    for (n, line) in lines.iter().enumerate() {
                        inputs.push(read_input(line, n, &contact.id).map_err(|e| format!("{line}: {e}"))?);
                    }
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
        Ok(Self { text, workspace, flows, contact, inputs, responses, until, asleep, latency, expected })
    }

    /// What a replay needs besides workspace and flows; profile changes and controls have no place in it.
    pub fn audience(&self) -> Audience {
        let mut events: Vec<Event> = Vec::new();
        for input in &self.inputs {
            if let Input::Event(event) = input {
                events.push(event.clone());
            }
        }
        events.sort_by_key(|event| event.accepted);
        Audience { contacts: vec![self.contact.clone()], events, responses: self.responses.clone() }
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
    let (mut nodes, mut edges, mut messages) = (String::new(), String::new(), String::new());
    let mut variants: Vec<(&str, String)> = Vec::new();
    let mut named: Vec<String> = Vec::new();
    for line in lines {
        let (node, rest) = split(line);
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
    let source = format!(
        "(version: 2, id: \"{id}\", name: \"{id}\", settings: {settings}, nodes: [{nodes}], edges: [{edges}], messages: [{messages}])"
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

fn read_input(line: &str, n: usize, contact: &ContactId) -> Result<Input, String> {
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
        "retry" => Input::Control(at, Control::Retry { journey: first.into() }),
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
        self.inputs.iter().map(Input::at).min().unwrap_or(self.until).plus_millis(-1_000)
    }

    /// The same world with other inputs, written as in the section `inputs`.
    pub fn with_inputs(&self, lines: &[String]) -> Result<Self, String> {
        let read = |(n, line): (usize, &String)| read_input(line, n, &self.contact.id);
        let inputs = lines.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        let text = self.text.replacen("\ninputs\n", &format!("\ninputs\n{}\n", lines.join("\n")), 1);
        Ok(Self { text, inputs, ..self.clone() })
    }

    /// Whether it shows what the oracle does not play: words from outside, sleep, hand-overs that take time.
    pub fn is_beyond_the_oracle(&self) -> bool {
        self.asleep || self.latency > 0 || self.inputs.iter().any(|input| matches!(input, Input::Control(..)))
    }
}
