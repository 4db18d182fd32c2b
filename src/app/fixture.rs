//! The watch-shop sample in an editor without a window, whose jobs are done at once.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use super::{Answer, App, Command, Document, Home, Request};
use crate::{
    audience::{Audience, AudienceSources, Source},
    base::{ContactId, Instant},
    flow::file,
};

const FLOW: &str = include_str!("../../sample_flows/watch-shop/watch-shop.flow.ron");
const WORKSPACE: &str = include_str!("../../sample_flows/watch-shop/flowloom.ron");
const CONTACTS: &str = include_str!("../../sample_flows/watch-shop/audience/contacts.jsonl");
const EVENTS: &str = include_str!("../../sample_flows/watch-shop/audience/events.jsonl");
const RESPONSES: &str = include_str!("../../sample_flows/watch-shop/audience/responses.jsonl");

/// How many of the sample's contacts are taken.
pub const NUM_CONTACTS: usize = 16;

/// The clock of all tests here.
pub fn now() -> Instant {
    Instant::parse("2026-11-20T12:00:00Z").expect("an instant")
}

/// What stands around the watch-shop's flows.
pub fn home() -> Arc<Home> {
    let (workspace, _) = file::read_workspace(WORKSPACE).expect("written right");
    let source = |name: &str, text: &'static str| Source::new(name, text.as_bytes());
    let sources = AudienceSources {
        contacts: Some(source("contacts.jsonl", CONTACTS)),
        events: Some(source("events.jsonl", EVENTS)),
        responses: Some(source("responses.jsonl", RESPONSES)),
        mapping: None,
    };
    let (mut audience, _) = Audience::load(sources);
    // A quarter of the people is told apart as well, and replayed four times as fast.
    audience.contacts.truncate(NUM_CONTACTS);
    let ids: BTreeSet<&ContactId> = audience.contacts.iter().map(|contact| &contact.id).collect();
    audience.events.retain(|event| ids.contains(&event.contact));
    audience.responses.retain(|response| ids.contains(&response.contact));
    Arc::new(Home { workspace, audience: Arc::new(audience), source: WORKSPACE.to_owned(), ..Home::default() })
}

/// An editor with the sample open.
pub fn studio() -> App {
    open(FLOW)
}

/// An editor with a flow in the sample's workspace.
pub fn open(text: &str) -> App {
    let mut app = App::new();
    let requests = app.open(Some(Path::new("watch-shop.flow.ron").into()), file::read(text).expect("a flow"), home());
    settle(&mut app, requests);
    app
}

/// The sample's flow as text.
pub fn text() -> &'static str {
    FLOW
}

/// Does a command and every job that follows from it; gives back what else was asked.
pub fn run(app: &mut App, command: impl Into<Command>) -> Vec<Request> {
    let requests = app.apply(command.into(), now());
    settle(app, requests)
}

fn settle(app: &mut App, mut requests: Vec<Request>) -> Vec<Request> {
    let mut others = Vec::new();
    while let Some(request) = requests.pop() {
        match request {
            Request::Start(job) => requests.extend(app.apply(Command::Answer(Answer::Done(job.run())), now())),
            other => others.push(other),
        }
    }
    others
}

/// The open document.
pub fn document(app: &App) -> &Document {
    app.document().expect("a flow is open")
}
