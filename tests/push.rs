//! Pushes against a real server on loopback: whatever fails at whatever request, nothing is there twice, no key shows.
//!
//! The one idea: a push is a function of account, record and answers, so it is run against a server that keeps state,
//! broken at every request in every way, and run again from the record as it was last kept. Request bodies are held
//! against the platforms' own documents where `FLOWLOOM_SPECS` names their folder.

mod client;
mod form;
mod hubspot;
mod klaviyo;
mod pictures;
mod proofs;
mod server;
#[cfg(feature = "gui")]
mod window;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use flowloom::{
    flow::{Edit, Flow, Target, Workspace},
    platforms::{
        self, import,
        push::{
            self, Account, Action, Answers, Client, Done, Draft, Error, Key, Kind, Patience, Plan, Pushed, ReadPicture,
            Watch,
        },
    },
};
use serde_json::{Value as Json, json};

use self::{
    hubspot::Hubspot,
    klaviyo::Klaviyo,
    proofs::provable,
    server::{Fault, KEY, Server},
};
use crate::schema_proofs::{prove, samples};

const TARGETS: [Target; 2] = [Target::Klaviyo, Target::Hubspot];
/// Where each takes pictures.
const UPLOADS: [&str; 2] = ["/api/image-upload", "/files/v3/files"];

/// Hurried: the server is near.
const PATIENCE: Patience = Patience {
    answer: Duration::from_millis(350),
    first_pause: Duration::from_millis(1),
    longest_pause: Duration::from_secs(3),
    tries: 4,
};

/// Keeps the record as a file would, and may fail or stop at a given time.
#[derive(Default)]
struct Keeper {
    kept: Pushed,
    num_kept: usize,
    /// Fails at this writing, if any.
    full_at: Option<usize>,
    /// Sets the flag at this step, if any.
    stop_at: Option<usize>,
    stop: AtomicBool,
    num_steps: usize,
}

impl Watch for Keeper {
    fn at(&mut self, done: usize, of: usize, _: &str) {
        assert!(done <= of, "{done} of {of}");
        self.num_steps += 1;
        if self.stop_at == Some(self.num_steps) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn keep(&mut self, pushed: &Pushed) -> Result<(), String> {
        self.num_kept += 1;
        if self.full_at == Some(self.num_kept) {
            return Err("the disk is full".into());
        }
        self.kept = pushed.clone();
        let text = serde_json::to_string(pushed).expect("JSON");
        assert!(!text.contains(KEY), "a key in the record");
        Ok(())
    }
}

fn sample(id: &str) -> (Flow, Workspace) {
    samples().into_iter().find(|(flow, _)| flow.id.as_str() == id).unwrap_or_else(|| panic!("no sample {id}"))
}

fn draft(target: Target, flow: &Flow, workspace: &Workspace) -> Draft {
    let export = platforms::export(target, flow, workspace).unwrap_or_else(|found| panic!("{}: {found:#?}", flow.id));
    Draft::new(target, &export, flow, workspace).expect("a draft")
}

fn connect(server: &Server, draft: &Draft) -> Client {
    let key = Key::new(KEY).expect("a key");
    push::connect(draft.target, &Workspace::default(), Some(&server.base), key, PATIENCE).expect("a client")
}

/// A sample whose workspace says nothing of where its pictures lie on the web, so that a push uploads them.
fn pictured(id: &str) -> (Flow, Workspace) {
    let (flow, mut workspace) = sample(id);
    workspace.brand.images.clear();
    (flow, workspace)
}

/// Nothing is read.
fn no_pictures(path: &str, _: usize) -> Result<Vec<u8>, String> {
    panic!("{path} was read")
}

/// The folder of the sample flow's pictures.
fn picture_folder(flow: &str) -> PathBuf {
    let shops = std::fs::read_dir(root().join("sample_flows")).expect("lists");
    let shop = shops.map(|shop| shop.expect("an entry").path()).find(|s| s.join(format!("{flow}.flow.ron")).exists());
    shop.unwrap_or_else(|| panic!("no sample {flow}")).join("images")
}

/// One push, from the record on; the record is as it was last kept.
fn push_with(server: &Server, draft: &Draft, keeper: &mut Keeper, answers: &Answers) -> Result<(Plan, Done), Error> {
    let folder = picture_folder(&draft.flow);
    let read = |path: &str, _: usize| std::fs::read(folder.join(path)).map_err(|error| error.to_string());
    push_showing(server, draft, keeper, answers, &read)
}

fn push_showing(
    server: &Server,
    draft: &Draft,
    keeper: &mut Keeper,
    answers: &Answers,
    pictures: ReadPicture<'_>,
) -> Result<(Plan, Done), Error> {
    let mut client = connect(server, draft);
    let stop = std::mem::take(&mut keeper.stop);
    let pushed = keeper.kept.clone();
    let mut watch = Stopper { keeper, stop: &stop };
    let account = Account::look(draft, &mut client, &pushed, pictures, &mut watch, &stop)?;
    let plan = Plan::new(draft.clone(), &account, &pushed, answers);
    let mut pushed = pushed;
    let done = push::run(&plan, &mut client, &mut pushed, &mut watch, &stop)?;
    Ok((plan, done))
}

/// The keeper's flag has to live outside of it while it is watched.
struct Stopper<'a> {
    keeper: &'a mut Keeper,
    stop: &'a AtomicBool,
}

impl Watch for Stopper<'_> {
    fn at(&mut self, done: usize, of: usize, what: &str) {
        self.keeper.at(done, of, what);
        if self.keeper.stop.swap(false, Ordering::Relaxed) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn keep(&mut self, pushed: &Pushed) -> Result<(), String> {
        self.keeper.keep(pushed)
    }
}

fn push_again(server: &Server, draft: &Draft, keeper: &mut Keeper) -> (Plan, Done) {
    push_with(server, draft, keeper, &Answers::default()).unwrap_or_else(|error| panic!("{}: {error:?}", draft.flow))
}

/// A server whose account has what only people make.
fn furnished(draft: &Draft) -> Server {
    let server = Server::start(draft.target);
    server.state().platform.furnish(draft);
    server
}

#[track_caller]
fn assert_whole(server: &Server, draft: &Draft, done: &Done) {
    for made in &done.made {
        let shown: Vec<String> = made.differences.iter().map(ToString::to_string).collect();
        assert!(shown.is_empty(), "{} {}: {shown:#?}", draft.flow, made.key);
    }
    assert_eq!(server.doubles(), Vec::<String>::new(), "{}", draft.flow);
    let state = server.state();
    assert_eq!(state.misdeeds, Vec::<String>::new());
    for item in draft.items.iter().filter(|item| !item.file.is_empty()) {
        assert!(done.made.iter().any(|made| made.key == item.key), "{} was not made", item.key);
    }
}

/// All sample flows arrive on both platforms as they were exported, and a second push sends nothing but looks.
#[test]
fn all_samples_arrive_whole_and_a_second_push_changes_nothing() {
    let mut bodies = Vec::new();
    for (flow, workspace) in samples() {
        for target in TARGETS {
            let draft = draft(target, &flow, &workspace);
            let server = furnished(&draft);
            let mut keeper = Keeper::default();
            let (plan, done) = push_again(&server, &draft, &mut keeper);
            assert_whole(&server, &draft, &done);
            assert!(plan.num_writes() > 0);
            assert!(keeper.kept.pending.is_empty(), "{:?}", keeper.kept.pending);
            let so_far = server.num_seen();
            let (plan, done) = push_again(&server, &draft, &mut keeper);
            assert_whole(&server, &draft, &done);
            assert_eq!(server.writes_since(so_far), Vec::<String>::new(), "{} {target:?}", flow.id);
            assert_eq!(plan.num_writes(), 0);
            bodies.extend(provable(target, &server));
        }
    }
    prove("pushed", &bodies);
}

const FAULTS: [Fault; 14] = [
    Fault::Refuse(401),
    Fault::Refuse(403),
    Fault::Refuse(409),
    Fault::Refuse(422),
    Fault::Refuse(500),
    Fault::Refuse(404),
    Fault::TooMuch(Some("0")),
    Fault::TooMuch(None),
    Fault::DoneButBroken,
    Fault::CutBefore,
    Fault::CutAfter,
    Fault::Slow,
    Fault::Nonsense,
    Fault::Nothing,
];

/// Every fault at every request, once and until the end: the next push completes, and nothing is there twice. Requests
/// for pictures are among them.
fn walk_faults(target: Target, id: &str) {
    let (flow, workspace) = pictured(id);
    let draft = draft(target, &flow, &workspace);
    let whole = furnished(&draft);
    push_again(&whole, &draft, &mut Keeper::default());
    let num_requests = whole.num_seen();
    let uploads = whole
        .writes_since(0)
        .into_iter()
        .filter(|write| write.ends_with(UPLOADS[usize::from(target == Target::Hubspot)]));
    assert!(uploads.count() > 0, "no picture was uploaded");
    let mut num_broken = 0;
    for fault in FAULTS {
        for at in 0..num_requests {
            // A slow server costs real time, so it is slow only once.
            let counts: &[usize] = if fault == Fault::Slow { &[1] } else { &[1, 1_000] };
            for count in counts {
                let server = furnished(&draft);
                server.fail(at, *count, fault);
                let mut keeper = Keeper::default();
                let first = push_with(&server, &draft, &mut keeper, &Answers::default());
                if let Err(error) = &first {
                    num_broken += 1;
                    let said = format!("{error} {error:?} {:?}", error.diagnostic());
                    assert!(!said.contains(KEY), "a key in {said}");
                    assert!(!error.hint.is_empty(), "no way out: {said}");
                }
                server.mend();
                let (_, done) = push_again(&server, &draft, &mut keeper);
                let place = format!("{fault:?} x {count} at {at}");
                assert_eq!(server.doubles(), Vec::<String>::new(), "{place}");
                assert_whole(&server, &draft, &done);
            }
        }
    }
    assert!(num_broken > num_requests, "only {num_broken} pushes broke");
}

#[test]
fn klaviyo_goes_on_after_any_fault_at_any_request() {
    walk_faults(Target::Klaviyo, "bag-care");
}

#[test]
fn hubspot_goes_on_after_any_fault_at_any_request() {
    walk_faults(Target::Hubspot, "circle");
}

/// A full disk at any writing, and a user who stops at any step.
#[test]
fn a_push_goes_on_after_a_full_disk_and_after_a_stop() {
    for target in TARGETS {
        let (flow, workspace) = pictured("bag-care");
        let draft = draft(target, &flow, &workspace);
        let whole = furnished(&draft);
        let mut keeper = Keeper::default();
        push_again(&whole, &draft, &mut keeper);
        for at in 1..=keeper.num_kept {
            let server = furnished(&draft);
            let mut broken = Keeper { full_at: Some(at), ..Keeper::default() };
            let error = push_with(&server, &draft, &mut broken, &Answers::default()).expect_err("no room");
            assert_eq!(error.kind, Kind::Record, "{error:?}");
            broken.full_at = None;
            let (_, done) = push_again(&server, &draft, &mut broken);
            assert_whole(&server, &draft, &done);
        }
        for at in 1..keeper.num_steps {
            let server = furnished(&draft);
            let mut stopped = Keeper { stop_at: Some(at), ..Keeper::default() };
            match push_with(&server, &draft, &mut stopped, &Answers::default()) {
                Err(error) => assert_eq!(error.kind, Kind::Cancelled, "{at}: {error:?}"),
                Ok(_) => assert!(at + 2 >= keeper.num_steps, "a stop at {at} was not heard"),
            }
            let (_, done) = push_again(&server, &draft, &mut stopped);
            assert_whole(&server, &draft, &done);
        }
    }
}

/// A push that broke off, a flow that was changed since: what was made is changed, not made again.
#[test]
fn what_was_changed_after_an_interruption_is_not_made_twice() {
    for target in TARGETS {
        let (flow, workspace) = sample("bag-care");
        let first = draft(target, &flow, &workspace);
        let server = furnished(&first);
        // The first mail is made, its answer is lost, and nothing is reached after it.
        let at = num_looks(&first);
        server.fail(at, 1, Fault::CutAfter);
        server.state().faults.push((at + 1, 1_000, Fault::CutBefore));
        let mut keeper = Keeper::default();
        push_with(&server, &first, &mut keeper, &Answers::default()).expect_err("broken off");
        assert_eq!(keeper.kept.pending.len(), 1, "{:?}", keeper.kept);
        server.mend();
        let changed = draft(target, &reworded(&flow), &workspace);
        let (_, done) = push_again(&server, &changed, &mut keeper);
        assert_whole(&server, &changed, &done);
        // Without a record, what has the same name and content is taken over.
        let so_far = server.num_seen();
        let (plan, done) = push_again(&server, &changed, &mut Keeper::default());
        assert_eq!((plan.num_writes(), server.writes_since(so_far)), (0, Vec::new()));
        assert_whole(&server, &changed, &done);
    }
}

/// A push that is gone may have asked for something that comes about only while the next one is on its way.
#[test]
fn what_was_still_under_way_is_waited_for() {
    for target in TARGETS {
        let (flow, workspace) = sample("bag-care");
        let draft = draft(target, &flow, &workspace);
        let server = furnished(&draft);
        let at = num_looks(&draft);
        server.fail(at, 1_000, Fault::CutBefore);
        let mut keeper = Keeper::default();
        push_with(&server, &draft, &mut keeper, &Answers::default()).expect_err("broken off");
        server.mend();
        assert_eq!(keeper.kept.pending.len(), 1, "{:?}", keeper.kept);
        let key = keeper.kept.pending.keys().next().expect("one").clone();
        // Planned while it is not there yet, carried out when it is.
        let mut client = connect(&server, &draft);
        let stop = AtomicBool::new(false);
        let mut pushed = keeper.kept.clone();
        let quiet = &mut Keeper::default();
        let account = Account::look(&draft, &mut client, &pushed, &no_pictures, quiet, &stop).expect("a look");
        let plan = Plan::new(draft.clone(), &account, &pushed, &Answers::default());
        assert!(matches!(action(&plan, &key), Action::Create(_)));
        let body = &draft.item(&key).expect("a mail").body;
        let path = if target == Target::Klaviyo { "/api/templates" } else { "/marketing/v3/emails" };
        server.state().platform.answer("POST", path, &Default::default(), body);
        let done = push::run(&plan, &mut client, &mut pushed, quiet, &stop).expect("a push");
        assert_whole(&server, &draft, &done);
    }
}

/// How many requests a first push makes before it uploads the first mail.
fn num_looks(draft: &Draft) -> usize {
    let server = furnished(draft);
    push_again(&server, draft, &mut Keeper::default());
    let state = server.state();
    let is_upload = |path: &str| path == "/api/templates" || path == "/marketing/v3/emails";
    state.seen.iter().position(|seen| seen.method == "POST" && is_upload(&seen.path)).expect("an upload")
}

/// The flow with another text in its first mail.
fn reworded(flow: &Flow) -> Flow {
    let text = flowloom::flow::file::write(flow);
    let place = text.find("text(\"").or_else(|| text.find("text: \"")).expect("a text");
    let at = place + text[place..].find('"').expect("a quote") + 1;
    let text = format!("{}Once more: {}", &text[..at], &text[at..]);
    flowloom::flow::file::read(&text).unwrap_or_else(|d| panic!("{}", d.message)).flow
}

/// A dry run looks and thinks, and sends nothing.
#[test]
fn looking_and_planning_only_read() {
    for target in TARGETS {
        let (flow, workspace) = sample("watch-shop");
        let draft = draft(target, &flow, &workspace);
        let server = furnished(&draft);
        let mut client = connect(&server, &draft);
        let stop = AtomicBool::new(false);
        let keeper = &mut Keeper::default();
        let account = Account::look(&draft, &mut client, &Pushed::default(), &no_pictures, keeper, &stop);
        let plan = Plan::new(draft, &account.expect("a look"), &Pushed::default(), &Answers::default());
        assert!(plan.is_ready() && plan.num_writes() > 0, "{:#?}", plan.changes);
        assert_eq!(server.writes_since(0), Vec::<String>::new());
    }
}

fn action<'a>(plan: &'a Plan, key: &str) -> &'a Action {
    &plan.changes.iter().find(|change| change.key == key).unwrap_or_else(|| panic!("no {key}")).action
}

fn plan_of(server: &Server, draft: &Draft, keeper: &Keeper, answers: &Answers) -> Plan {
    let stop = AtomicBool::new(false);
    let mut client = connect(server, draft);
    let quiet = &mut Keeper::default();
    let account = Account::look(draft, &mut client, &keeper.kept, &no_pictures, quiet, &stop).expect("a look");
    Plan::new(draft.clone(), &account, &keeper.kept, answers)
}

/// Several metrics of a name are asked about, and what was said is kept.
#[test]
fn where_several_fit_somebody_is_asked_once() {
    let (flow, workspace) = sample("bag-care");
    let draft = draft(Target::Klaviyo, &flow, &workspace);
    let server = furnished(&draft);
    let (shop, other) = klaviyo_of(&server, |k| (k.metric("Placed Order", "Shopify"), k.metric("Placed Order", "API")));
    let mut keeper = Keeper::default();
    let plan = plan_of(&server, &draft, &keeper, &Answers::default());
    let key = "metric:Placed Order";
    let Action::Choose(choices) = action(&plan, key) else { panic!("{:?}", action(&plan, key)) };
    let shown: Vec<_> = choices.iter().map(|c| (c.id.as_str(), c.about.as_str())).collect();
    assert_eq!(shown, [(shop.as_str(), "Shopify"), (other.as_str(), "API")]);
    assert!(!plan.is_ready());
    let error = push_with(&server, &draft, &mut keeper, &Answers::default()).expect_err("open question");
    assert_eq!((error.kind, server.writes_since(0).len()), (Kind::Refused, 0));
    let answers = Answers { ids: [(key.to_owned(), shop.clone())].into(), ..Answers::default() };
    push_with(&server, &draft, &mut keeper, &answers).expect("pushes");
    let flow_json = klaviyo_of(&server, |k| k.flows[0].clone());
    assert_eq!(flow_json["attributes"]["definition"]["triggers"][0]["id"], shop);
    let (plan, _) = push_again(&server, &draft, &mut keeper);
    assert_eq!(*action(&plan, key), Action::Found { id: shop });
}

fn klaviyo_of<T>(server: &Server, work: impl FnOnce(&mut Klaviyo) -> T) -> T {
    work(server.state().platform.any().downcast_mut().expect("Klaviyo"))
}

fn hubspot_of<T>(server: &Server, work: impl FnOnce(&mut Hubspot) -> T) -> T {
    work(server.state().platform.any().downcast_mut().expect("HubSpot"))
}

/// What Klaviyo makes itself is not made by an event of that name.
#[test]
fn what_stands_in_the_way_is_named() {
    let (flow, workspace) = sample("bag-care");
    let draft = draft(Target::Klaviyo, &flow, &workspace);
    let server = Server::start(Target::Klaviyo);
    let plan = plan_of(&server, &draft, &Keeper::default(), &Answers::default());
    assert!(matches!(action(&plan, "metric:Received Email"), Action::Cannot { .. }), "{:#?}", plan.changes);
    assert!(matches!(action(&plan, "metric:Placed Order"), Action::Create(_)));
    assert!(!plan.is_ready());
}

/// Klaviyo: a changed mail is given to each message again; changed steps are a new flow or nothing.
#[test]
fn klaviyo_updates_mails_and_says_why_not_flows() {
    for id in ["bag-care", "win-back"] {
        let (flow, workspace) = sample(id);
        let first = draft(Target::Klaviyo, &flow, &workspace);
        let server = furnished(&first);
        let mut keeper = Keeper::default();
        push_again(&server, &first, &mut keeper);
        let second = draft(Target::Klaviyo, &reworded(&flow), &workspace);
        let so_far = server.num_seen();
        let (plan, done) = push_again(&server, &second, &mut keeper);
        assert_whole(&server, &second, &done);
        assert!(plan.num_writes() >= 2, "{:#?}", plan.changes);
        let writes = server.writes_since(so_far);
        assert!(writes.iter().all(|write| write.starts_with("PATCH")), "{writes:?}");
        let bodies = provable(Target::Klaviyo, &server);
        assert!(bodies.len() > writes.len(), "every change is among what is proven");
        prove("changed", &bodies);
        // Every message holds a copy of what its template says now.
        klaviyo_of(&server, |k| {
            let html = |id: &Json| k.templates.iter().find(|t| *id == t.0).expect("a copy").1["html"].clone();
            let own: Vec<Json> = k.templates.iter().filter(|t| !t.2).map(|t| t.1["html"].clone()).collect();
            let mut held = Vec::new();
            for flow in &k.flows {
                template_ids(flow, &mut held);
            }
            assert!(!held.is_empty());
            assert!(held.iter().all(|id| own.contains(&html(id))), "a message holds an old mail");
        });
        let so_far = server.num_seen();
        push_again(&server, &second, &mut keeper);
        assert_eq!(server.writes_since(so_far), Vec::<String>::new());
    }
}

fn template_ids(value: &Json, out: &mut Vec<Json>) {
    match value {
        Json::Object(map) => {
            out.extend(map.get("template_id").filter(|id| id.is_string()).cloned());
            map.values().for_each(|value| template_ids(value, out));
        }
        Json::Array(items) => items.iter().for_each(|item| template_ids(item, out)),
        _ => {}
    }
}

/// The flow under another once-only name, so that its steps differ.
fn waiting_longer(flow: &Flow) -> Flow {
    let text = flowloom::flow::file::write(flow);
    let at = text.find("for(\"").expect("a delay") + 5;
    let end = at + text[at..].find('"').expect("a quote");
    let text = format!("{}17 h{}", &text[..at], &text[end..]);
    flowloom::flow::file::read(&text).unwrap_or_else(|d| panic!("{}", d.message)).flow
}

#[test]
fn changed_steps_are_replaced_in_hubspot_and_refused_by_klaviyo() {
    let (flow, workspace) = sample("bag-care");
    let [klaviyo, hubspot] = TARGETS.map(|target| draft(target, &flow, &workspace));
    let later = waiting_longer(&flow);
    // Klaviyo
    let server = furnished(&klaviyo);
    let mut keeper = Keeper::default();
    push_again(&server, &klaviyo, &mut keeper);
    let changed = draft(Target::Klaviyo, &later, &workspace);
    let plan = plan_of(&server, &changed, &keeper, &Answers::default());
    assert!(matches!(action(&plan, "flow:flow.json"), Action::Cannot { .. }), "{:?}", action(&plan, "flow:flow.json"));
    let answers = Answers { new_flow: true, ..Answers::default() };
    push_with(&server, &changed, &mut keeper, &answers).expect("a new flow");
    assert_eq!(klaviyo_of(&server, |k| k.flows.len()), 2, "the old flow stays");
    let so_far = server.num_seen();
    push_again(&server, &changed, &mut keeper);
    assert_eq!(server.writes_since(so_far), Vec::<String>::new());
    // HubSpot
    let server = furnished(&hubspot);
    let mut keeper = Keeper::default();
    push_again(&server, &hubspot, &mut keeper);
    let changed = draft(Target::Hubspot, &later, &workspace);
    let so_far = server.num_seen();
    let (_, done) = push_again(&server, &changed, &mut keeper);
    assert_whole(&server, &changed, &done);
    assert!(
        server.writes_since(so_far).iter().all(|write| write.starts_with("PUT")),
        "{:?}",
        server.writes_since(so_far)
    );
    prove("replaced", &provable(Target::Hubspot, &server));
    // What runs is left alone.
    hubspot_of(&server, |h| h.flows[0]["isEnabled"] = json!(true));
    let plan = plan_of(&server, &hubspot, &keeper, &Answers::default());
    assert!(matches!(action(&plan, "flow:flow.json"), Action::Cannot { .. }), "{:?}", action(&plan, "flow:flow.json"));
}

/// Faults while an earlier push is being changed: every request, every fault.
#[test]
fn updates_go_on_after_any_fault() {
    for target in TARGETS {
        let (flow, workspace) = pictured("bag-care");
        let first = draft(target, &flow, &workspace);
        let changed_flow = if target == Target::Hubspot { waiting_longer(&reworded(&flow)) } else { reworded(&flow) };
        let second = draft(target, &changed_flow, &workspace);
        let num_requests = {
            let server = furnished(&first);
            let mut keeper = Keeper::default();
            push_again(&server, &first, &mut keeper);
            let so_far = server.num_seen();
            push_again(&server, &second, &mut keeper);
            server.num_seen() - so_far
        };
        for fault in FAULTS.into_iter().filter(|fault| *fault != Fault::Slow) {
            for at in 0..num_requests {
                let server = furnished(&first);
                let mut keeper = Keeper::default();
                push_again(&server, &first, &mut keeper);
                server.fail(at, 1_000, fault);
                let _ = push_with(&server, &second, &mut keeper, &Answers::default());
                server.mend();
                let (_, done) = push_again(&server, &second, &mut keeper);
                assert_eq!(server.doubles(), Vec::<String>::new(), "{target:?} {fault:?} at {at}");
                assert_whole(&server, &second, &done);
            }
        }
    }
}

/// What was changed or deleted in the account since shows, and is made again.
#[test]
fn what_people_did_in_the_account_shows() {
    let (flow, workspace) = sample("bag-care");
    let draft = draft(Target::Klaviyo, &flow, &workspace);
    let server = furnished(&draft);
    let mut keeper = Keeper::default();
    push_again(&server, &draft, &mut keeper);
    klaviyo_of(&server, |k| {
        k.flows[0]["attributes"]["definition"]["actions"][0]["data"]["message"]["subject_line"] = json!("Mine");
        let own = k.templates.iter().position(|t| !t.2).expect("a template");
        k.templates.remove(own);
    });
    let plan = plan_of(&server, &draft, &keeper, &Answers::default());
    let of_flow = plan.changes.iter().find(|change| change.key == "flow:flow.json").expect("the flow");
    assert_eq!(of_flow.changed_there.len(), 1, "{of_flow:#?}");
    assert!(of_flow.changed_there[0].pointer.ends_with("/subject_line"));
    let (_, done) = push_again(&server, &draft, &mut keeper);
    assert_eq!(server.doubles(), Vec::<String>::new());
    assert_eq!(done.made.iter().map(|made| made.differences.len()).sum::<usize>(), 1, "the user's subject stays");
}

/// What was pushed is listed, fetched with its mails and names, and read by the import.
#[test]
fn what_was_pushed_is_fetched_and_imported() {
    for (flow, workspace) in samples() {
        for target in TARGETS {
            let draft = draft(target, &flow, &workspace);
            let server = furnished(&draft);
            let (_, done) = push_again(&server, &draft, &mut Keeper::default());
            let mut client = connect(&server, &draft);
            let stop = AtomicBool::new(false);
            let so_far = server.num_seen();
            let listed = push::flows(target, &mut client, &stop).expect("a list");
            let flows: Vec<_> = done.made.iter().filter(|made| made.key.starts_with("flow:")).collect();
            assert_eq!(listed.len(), flows.len());
            for (listed, made) in listed.iter().zip(flows) {
                assert_eq!((&listed.id, &listed.name), (&made.id, &made.name));
                let fetched = push::fetch(target, &mut client, &listed.id, &mut |_, _| {}, &stop).expect("a flow");
                assert_eq!(fetched.missing, Vec::<String>::new());
                let given = import::Given { json: &fetched.json, templates: &fetched.templates, names: &fetched.names };
                let imported = import::import(target, &given).unwrap_or_else(|found| panic!("{}: {found:#?}", flow.id));
                let [one] = imported.as_slice() else { panic!("{} flows", imported.len()) };
                assert_eq!(one.flow.name, made.name);
                let lost: Vec<_> = one.report.iter().filter(|remark| remark.code.ends_with("no-content")).collect();
                assert!(lost.is_empty(), "{lost:#?}");
            }
            let writes = server.writes_since(so_far);
            assert!(writes.iter().all(|write| write.ends_with("/search")), "{writes:?}");
        }
    }
}

/// What somebody wrote into a mail of an imported flow reaches the account when the flow is pushed; the mail that was
/// there stays as it is.
#[test]
fn an_edited_mail_of_an_imported_flow_reaches_the_account() {
    for target in TARGETS {
        let (flow, workspace) = sample("bag-care");
        let first = draft(target, &flow, &workspace);
        let server = furnished(&first);
        let (_, done) = push_again(&server, &first, &mut Keeper::default());
        let made = done.made.iter().find(|made| made.key.starts_with("flow:")).expect("a flow");
        let mut client = connect(&server, &first);
        let fetched =
            push::fetch(target, &mut client, &made.id, &mut |_, _| {}, &AtomicBool::new(false)).expect("a flow");
        let given = import::Given { json: &fetched.json, templates: &fetched.templates, names: &fetched.names };
        let imported = import::import(target, &given).expect("imported").remove(0);
        let mut edited = imported.flow.clone();
        for message in &imported.flow.messages {
            let mut message = imported.flow.message(message.id.as_str()).expect("is there").clone();
            for variant in &mut message.variants {
                variant.body = flowloom::content::Body::Html("Quite <b>another</b> mail {unsubscribe_url}".to_owned());
            }
            edited = edited.apply(&Edit::SetMessage(Box::new(message))).expect("an edit");
        }
        edited.id = flow.id.clone();
        let second = draft(target, &edited, &imported.workspace);
        let (_, done) = push_again(&server, &second, &mut Keeper::default());
        let made = done.made.iter().find(|made| made.key.starts_with("flow:")).expect("a flow");
        let fetched =
            push::fetch(target, &mut client, &made.id, &mut |_, _| {}, &AtomicBool::new(false)).expect("a flow");
        let is_new: Vec<bool> = fetched.templates.values().map(|template| template.html.contains("another")).collect();
        assert!(!is_new.is_empty() && !is_new.contains(&false), "{target:?}: {is_new:?}");
    }
}

/// Where the proofs' documents are.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn no_key_and_no_platform_answer_lies_in_the_repository() {
    let text = std::fs::read_to_string(root().join("tests/push/server.rs")).expect("reads");
    assert_eq!(text.matches(KEY).count(), 1, "the test's key is invented, and stands once");
}

mod command {
    //! The command: what it prints, what it refuses, what it leaves beside the flow.

    use std::{fs, path::Path, process::Command};

    use super::*;
    use crate::cli::{Said, copy};

    const FLOW: &str = "leather-bags/bag-care.flow.ron";

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        copy(&root().join("sample_flows/leather-bags"), &folder.path().join("leather-bags"));
        folder
    }

    /// Runs `flowloom push` with the key in the environment, against the server.
    fn pushes(folder: &Path, server: &Server, target: Target, more: &[&str]) -> Said {
        runs(folder, server, &[&["push", FLOW, "--to", target.name()], more].concat())
    }

    fn runs(folder: &Path, server: &Server, args: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_flowloom"))
            .args(args)
            .args(["--base-url", &server.base])
            .env("FLOWLOOM_KLAVIYO_KEY", KEY)
            .env("FLOWLOOM_HUBSPOT_KEY", KEY)
            .current_dir(folder)
            .output()
            .expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) };
        assert!(!said.out.contains(KEY) && !said.err.contains(KEY), "a key in {said:?}");
        said
    }

    fn files(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder.join("leather-bags")).expect("lists");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_list_first_then_the_push_then_nothing_to_do() {
        for target in TARGETS {
            let (flow, workspace) = sample("bag-care");
            let server = furnished(&draft(target, &flow, &workspace));
            let folder = folder();
            let before = files(folder.path());
            // Nobody confirmed.
            let said = pushes(folder.path(), &server, target, &[]);
            assert_eq!(said.code, Some(1), "{said:?}");
            assert!(said.out.contains("CREATE") && said.err.contains("--yes"), "{said:?}");
            let said = pushes(folder.path(), &server, target, &["--dry-run", "--format", "json"]);
            let list: Json = serde_json::from_str(&said.out).expect("JSON");
            assert_eq!(
                (said.code, &list["schema"], &list["done"]),
                (Some(0), &json!("flowloom/push/1"), &json!(false))
            );
            assert_eq!(server.writes_since(0), Vec::<String>::new());
            assert_eq!(files(folder.path()), before, "a list leaves nothing behind");
            // Broken off, and gone on.
            server.fail(num_looks(&draft(target, &flow, &workspace)) + 1, 1_000, Fault::Refuse(401));
            let said = pushes(folder.path(), &server, target, &["--yes"]);
            assert!(said.code == Some(1) && said.err.contains("401"), "{said:?}");
            server.mend();
            let said = pushes(folder.path(), &server, target, &["--yes", "--format", "json"]);
            let done: Json = serde_json::from_str(&said.out).expect("JSON");
            assert_eq!((said.code, &done["done"]), (Some(0), &json!(true)), "{said:?}");
            assert_eq!(server.doubles(), Vec::<String>::new());
            let record = folder.path().join("leather-bags").join(format!("bag-care.{}.json", target.name()));
            assert!(!fs::read_to_string(&record).expect("a record").contains(KEY));
            let so_far = server.num_seen();
            let said = pushes(folder.path(), &server, target, &[]);
            assert_eq!((said.code, server.writes_since(so_far)), (Some(0), Vec::new()), "{said:?}");
            assert!(said.out.contains("Nothing is changed"), "{said:?}");
            // A record of something else is not written over.
            fs::write(&record, "{}").expect("writes");
            let said = pushes(folder.path(), &server, target, &["--yes"]);
            assert!(said.code == Some(2) && said.err.contains("record"), "{said:?}");
        }
    }

    /// What was pushed is listed, fetched and a flow again, with its mails and names.
    #[test]
    fn flows_are_listed_and_imported_from_the_account() {
        for target in TARGETS {
            let (flow, workspace) = sample("bag-care");
            let server = furnished(&draft(target, &flow, &workspace));
            let folder = folder();
            let said = pushes(folder.path(), &server, target, &["--yes"]);
            assert_eq!(said.code, Some(0), "{said:?}");
            let so_far = server.num_seen();
            let said = runs(folder.path(), &server, &["import", "--list", "--from", target.name(), "--format", "json"]);
            let list: Json = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("JSON: {said:?}"));
            let id = list["flows"][0]["id"].as_str().expect("an id").to_owned();
            let args = ["import", "--id", &id, "--from", target.name(), "--out", "back"];
            let said = runs(folder.path(), &server, &args);
            // HubSpot is asked for its lists by a POST.
            let mut writes = server.writes_since(so_far);
            writes.retain(|request| !request.ends_with("/search"));
            assert_eq!((said.code, writes), (Some(0), Vec::new()), "{said:?}");
            let flows: Vec<_> = fs::read_dir(folder.path().join("back"))
                .expect("lists")
                .filter_map(|entry| {
                    Some(entry.ok()?.path()).filter(|path| path.to_string_lossy().ends_with(".flow.ron"))
                })
                .collect();
            let text = fs::read_to_string(&flows[0]).expect("a flow");
            let mails = flow.messages.len();
            assert!(text.matches("kind:").count() + text.matches("kind: ").count() > mails, "{text}");
            assert!(text.contains("subject"), "{target:?}: the mails came along\n{text}");
            let said =
                runs(folder.path(), &server, &["import", "--id", "no-such", "--from", target.name(), "--out", "x"]);
            assert!(said.code == Some(1) && said.err.contains("no flow `no-such`"), "{said:?}");
        }
    }

    #[test]
    fn questions_are_answered_by_ids() {
        let (flow, workspace) = sample("bag-care");
        let server = furnished(&draft(Target::Klaviyo, &flow, &workspace));
        let shop = klaviyo_of(&server, |k| {
            k.metric("Placed Order", "API");
            k.metric("Placed Order", "Shopify")
        });
        let folder = folder();
        let said = pushes(folder.path(), &server, Target::Klaviyo, &["--yes"]);
        assert!(said.code == Some(1) && said.out.contains(&format!("--id \"metric:Placed Order={shop}\"")), "{said:?}");
        let answer = format!("metric:Placed Order={shop}");
        let said = pushes(folder.path(), &server, Target::Klaviyo, &["--yes", "--id", &answer]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let said = pushes(folder.path(), &server, Target::Klaviyo, &["--yes", "--id", "metric:Nothing=X"]);
        assert_eq!(said.code, Some(2), "{said:?}");
        let said = pushes(folder.path(), &server, Target::Klaviyo, &["--yes", "--base-url", "http://klaviyo.example"]);
        assert_eq!(said.code, Some(2), "an option given twice: {said:?}");
    }

    /// With no address in the brand, or on demand, the list names the pictures, and the push uploads them.
    #[test]
    fn pictures_are_listed_and_uploaded() {
        for (target, on_demand) in [(Target::Klaviyo, true), (Target::Hubspot, false)] {
            let (flow, workspace) = pictured("bag-care");
            let server = furnished(&draft(target, &flow, &workspace));
            let folder = folder();
            let mut args = vec!["--yes"];
            if on_demand {
                args.push("--upload-images");
            } else {
                let file = folder.path().join("leather-bags/flowloom.ron");
                let text = fs::read_to_string(&file).expect("reads");
                let base = format!("images: \"{}\"", sample("bag-care").1.brand.images);
                assert!(text.contains(&base));
                fs::write(&file, text.replace(&base, "images: \"\"")).expect("writes");
            }
            let said = pushes(folder.path(), &server, target, &[&args[..], &["--dry-run"]].concat());
            assert_eq!((said.code, server.writes_since(0)), (Some(0), Vec::new()), "{said:?}");
            assert!(
                said.out.contains("Picture \u{201c}logo.png") && said.out.contains("uploaded (PNG, 3 kB)"),
                "{said:?}"
            );
            let said = pushes(folder.path(), &server, target, &args);
            assert_eq!(said.code, Some(0), "{said:?}");
            let upload = UPLOADS[usize::from(target == Target::Hubspot)];
            let num_uploads =
                |so_far| server.writes_since(so_far).iter().filter(|write| write.ends_with(upload)).count();
            assert!(num_uploads(0) > 0);
            let so_far = server.num_seen();
            let said = pushes(folder.path(), &server, target, &args);
            assert_eq!((said.code, num_uploads(so_far)), (Some(0), 0), "{said:?}");
            fs::write(folder.path().join("leather-bags/images/logo.png"), "<svg/>").expect("writes");
            let said = pushes(folder.path(), &server, target, &args);
            assert!(
                said.code == Some(1) && said.err.contains("is an SVG") && said.err.contains("600 pixels"),
                "{said:?}"
            );
        }
    }

    #[test]
    fn no_key_and_open_lines_are_refused() {
        let folder = folder();
        let run = |key: &str, url: &str| {
            let output = Command::new(env!("CARGO_BIN_EXE_flowloom"))
                .args(["push", FLOW, "--to", "klaviyo", "--yes", "--base-url", url])
                .env("FLOWLOOM_KLAVIYO_KEY", key)
                // No session, so that the machine's own keyring is not asked.
                .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
                .current_dir(folder.path())
                .output()
                .expect("the program starts");
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let (code, said) = run("", "http://127.0.0.1:9");
        assert!(code == Some(1) && said.contains("FLOWLOOM_KLAVIYO_KEY"), "{said}");
        let (code, said) = run(KEY, "http://klaviyo.example");
        assert!(code == Some(1) && said.contains("open line") && !said.contains(KEY), "{said}");
    }
}
