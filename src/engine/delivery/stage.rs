//! What the tests of this room share: a flow with one step of each sort, people who come to all of them, a desk.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use super::{
    links::{Links, Watch},
    office::Desk,
    render::Renderer,
    secrets::Secrets,
};
use crate::{
    audience::{ConsentStatus, Contact, Event, Properties, Value},
    base::{EventId, Instant, SendKey},
    engine::work::{Begin, Handed, Job},
    flow::{CodePool, Flow, Sender, Workspace, file},
    journey::{ContactState, FlowSet, advance},
    kinds::runtime::{Control, Input},
};

/// Alert, text message, mail, receipt and webhook, one after the other, without waits.
pub const FLOW: &str = r##"(version: 2, id: "cart", name: "Cart",
    settings: (tracking: {"utm_source": "loom", "utm_campaign": "{flow}"}),
    fields: [
        (name: "first_name", kind: text, source: contact("first_name"), fallback: "there"),
        (name: "cart_value", kind: money, source: trigger("cart_value")),
        (name: "code", kind: text, source: code(pool: "welcome")),
    ],
    nodes: [
        (id: "start", kind: "trigger", settings: (any: [event(event: "Checkout Expired")])),
        (id: "tell", kind: "internal_alert", settings: (to: ["team@shop.example", "boss@shop.example"], subject: "{first_name} left", text: "Worth {cart_value}, {{ code }}")),
        (id: "text", kind: "sms", settings: (message: "s")),
        (id: "mail", kind: "email", settings: (message: "m")),
        (id: "receipt", kind: "email", settings: (message: "r", transactional: true)),
        (id: "hook", kind: "webhook", settings: (url: "https://crm.example/in?n={first_name}", body: "{\"name\": \"{first_name}\", \"worth\": \"{cart_value}\"}", headers: {"Authorization": "Bearer ${CRM}", "X-Name": "{first_name}"}, timeout: "2 h")),
    ],
    edges: [(from: "start", to: "tell"), (from: "tell", to: "text"), (from: "text", to: "mail"), (from: "mail", to: "receipt"), (from: "receipt", to: "hook")],
    messages: [
        (id: "s", channel: sms, text: "Hi {first_name}, your cart: https://shop.example/c"),
        (id: "m", subject: "{first_name}, {cart_value} wait", body: html("<html><body><p>Hello {first_name}, {cart_value}, code {{ code }}</p><a href=\"https://shop.example/c\">Cart</a> <a href=\"{{ unsubscribe_url }}\">Unsubscribe</a></body></html>")),
        (id: "r", subject: "Receipt", body: html("<p>Your receipt for {cart_value}</p>")),
    ])"##;

/// Half past nine on a Monday.
pub fn now() -> Instant {
    Instant::parse("2026-11-23T09:30:00Z").expect("an instant")
}

/// A workspace with a sender and a pool.
pub fn workspace() -> Workspace {
    let sender = Sender {
        id: "shop".into(),
        name: "Shop".into(),
        email: "hello@shop.example".into(),
        reply_to: Some("help@shop.example".into()),
    };
    let pool = CodePool { name: "welcome".into(), codes: vec!["AAA".into()], shared: None, klaviyo: None };
    Workspace { senders: vec![sender], code_pools: vec![pool], caps: Vec::new(), ..Workspace::default() }
}

/// Someone who may get everything.
pub fn contact(id: &str, email: &str) -> Contact {
    let mut contact = Contact::new(id);
    contact.email = Some(email.into());
    contact.phone = Some("+4917012345".into());
    contact.properties.insert("first_name".into(), Value::text(id));
    contact.consent.email = ConsentStatus::Subscribed;
    contact.consent.sms = ConsentStatus::Subscribed;
    contact
}

/// The jobs of a contact whose checkout expired, in the order of the flow; `value` is the cart's.
pub fn jobs(source: &str, workspace: &Workspace, contact: Contact, value: Option<f64>) -> Vec<Job> {
    let flow: Flow = file::read(source).unwrap_or_else(|found| panic!("{}", found.message)).flow;
    for node in &flow.nodes {
        assert!(node.settings.error().is_none(), "{}: {:?}", node.id, node.settings.error());
    }
    let flows = FlowSet::new(workspace, std::slice::from_ref(&flow));
    let mut state = ContactState::new(contact.clone());
    let version = flows.live_version(&flow.id).expect("published").clone();
    let adopt = Control::Adopt { flow: flow.id.clone(), version: version.hash };
    let at = now().plus_millis(-60_000);
    advance(&flows, &mut state, &Input::Control { at, control: adopt });
    let mut properties = Properties::new();
    properties.extend(value.map(|value| ("cart_value".into(), Value::Number(value))));
    let event = Event {
        id: EventId::new("e1"),
        contact: contact.id,
        name: "Checkout Expired".into(),
        happened: at,
        accepted: at,
        properties,
    };
    let effects = advance(&flows, &mut state, &Input::Event(Arc::new(event)));
    let (state, workspace) = (Arc::new(state), Arc::new(workspace.clone()));
    let job = |intent: crate::journey::Intent| Job {
        key: intent.key,
        flow: intent.flow,
        attempt: 1,
        what: intent.what,
        contact: state.clone(),
        version: version.clone(),
        workspace: workspace.clone(),
        codes: BTreeMap::from([("welcome".into(), "CODE-7".into())]),
        now: now(),
    };
    effects.intents.into_iter().map(job).collect()
}

/// The job of one step.
pub fn job(node: &str, contact: Contact, value: Option<f64>) -> Job {
    let jobs = jobs(FLOW, &workspace(), contact, value);
    jobs.into_iter().find(|job| job.key.node.as_str() == node).expect("the step was come to")
}

/// A renderer whose links lead to a shop, with a secret `CRM`.
pub fn renderer(watch: Watch) -> Renderer {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("secrets");
    std::fs::write(&path, "CRM=hunter2\n").expect("writes");
    let links = Links::new(&[1; 32], "https://mail.shop.example", watch);
    Renderer::new(links, Secrets::of_file(&path).expect("secrets"))
}

/// A desk that notes what it is asked and told, and says no to some.
#[derive(Default)]
pub struct FakeDesk {
    /// Hand-overs that began.
    pub begun: Mutex<Vec<SendKey>>,
    /// What was kept of them.
    pub kept: Mutex<BTreeMap<SendKey, Vec<u8>>>,
    /// Settlements.
    pub settled: Mutex<Vec<(SendKey, u32, Handed)>>,
    /// Keys that may not begin.
    pub refuses: BTreeSet<SendKey>,
}

impl FakeDesk {
    /// Settlements as words, by contact and node, sorted.
    pub fn words(&self) -> Vec<String> {
        let settled = self.settled.lock().expect("lock");
        let word = |handed: &Handed| match handed {
            Handed::Done => "done",
            Handed::Later { .. } => "later",
            Handed::Ours { .. } => "ours",
            Handed::NotYet { .. } => "not yet",
            Handed::No { .. } => "no",
            Handed::Unknown { .. } => "unknown",
            Handed::Held { .. } => "held",
        };
        let name = |key: &SendKey| key.journey.as_str().split('/').next().unwrap_or("").to_owned();
        let mut words: Vec<String> =
            settled.iter().map(|(key, _, handed)| format!("{} {} {}", name(key), key.node, word(handed))).collect();
        words.sort();
        words
    }
}

impl Desk for FakeDesk {
    fn begin(&self, key: &SendKey, _: u32, mail: Option<Vec<u8>>) -> Begin {
        if self.refuses.contains(key) {
            return Begin::No;
        }
        self.begun.lock().expect("lock").push(key.clone());
        if let Some(mail) = mail {
            self.kept.lock().expect("lock").insert(key.clone(), mail);
        }
        Begin::Go
    }

    fn settle(&self, key: &SendKey, attempt: u32, handed: Handed) {
        self.settled.lock().expect("lock").push((key.clone(), attempt, handed));
    }
}
