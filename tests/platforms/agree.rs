//! The two accounts of one flow, mail by mail.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use flowloom::{
    audience::{Audience, AudienceSources, Contact, Mapping, Source},
    base::Instant,
    flow::{Flow, Target, Workspace, file},
    journey::{FlowSet, What},
    kinds::{Settings, runtime::Outcome},
    platforms::{self, Export},
    simulate::{self, Options},
};
use serde_json::Value as Json;

use super::{
    allow::{self, Allow},
    hubspot, klaviyo,
    person::Mail,
};

/// How the mails of one flow compare.
#[derive(Default, Debug)]
pub struct Tally {
    pub equal: usize,
    pub moved: usize,
    pub more: usize,
    pub fewer: usize,
    /// What is not equal.
    pub apart: Vec<String>,
    /// What nothing allows.
    pub wrong: Vec<String>,
}

pub const TARGETS: [Target; 2] = [Target::Klaviyo, Target::Hubspot];

/// What our own replay says: mails by contact, and the arm that each contact got at each split.
pub struct Own {
    pub mails: BTreeMap<String, Vec<(String, Mail)>>,
    pub arms: BTreeMap<(String, String), String>,
    from: i64,
    until: i64,
}

impl Own {
    /// When the replay began.
    pub fn from(&self) -> Instant {
        Instant::from_millis(self.from)
    }

    /// Where it ended.
    pub fn until(&self) -> Instant {
        Instant::from_millis(self.until)
    }
}

pub fn own(flow: &Flow, workspace: &Workspace, audience: &Audience) -> Own {
    let set = FlowSet::new(workspace, std::slice::from_ref(flow));
    let report = simulate::replay(&set, audience, &Options::default());
    let mut mails: BTreeMap<String, Vec<(String, Mail)>> = BTreeMap::new();
    for row in report.messages.iter().filter(|row| row.outcome == Outcome::Sent) {
        let message = message_of(flow, row.node.as_str()).unwrap_or_default();
        let mail = Mail { message, at: row.at.as_millis() };
        mails.entry(row.contact.to_string()).or_default().push((row.node.to_string(), mail));
    }
    let mut arms = BTreeMap::new();
    for (contact, trace) in &report.traces {
        for decision in trace {
            if let (What::Left { port }, Some(node)) = (&decision.what, &decision.node) {
                arms.entry((contact.to_string(), node.to_string())).or_insert_with(|| port.to_string());
            }
        }
    }
    Own { mails, arms, from: report.from.as_millis(), until: report.until.as_millis() }
}

pub fn message_of(flow: &Flow, node: &str) -> Option<String> {
    Some(flow.node(node)?.settings()?.message()?.0.to_string())
}

pub fn bodies(export: &Export) -> Vec<Json> {
    let flows = export.files.iter().filter(|(path, _)| path.starts_with("flow") && path.ends_with(".json"));
    flows.map(|(path, bytes)| serde_json::from_slice(bytes).unwrap_or_else(|e| panic!("{path}: {e}"))).collect()
}

/// Split steps of a flow that deal arms by chance, in the order of the file.
fn splits(flow: &Flow) -> Vec<(&str, Vec<String>)> {
    let split = |settings: &Settings| match settings {
        Settings::Split(split) => Some(split.arms.iter().map(|arm| arm.name.to_string()).collect::<Vec<_>>()),
        _ => None,
    };
    flow.nodes.iter().filter_map(|node| Some((node.id.as_str(), split(node.settings()?)?))).collect()
}

/// The mails of one contact on a platform, as message and time.
fn theirs(
    target: Target,
    (flow, workspace, audience): (&Flow, &Workspace, &Audience),
    bodies: &[Json],
    contact: &Contact,
    own: &Own,
) -> Vec<Mail> {
    let arm = |node: &str| own.arms.get(&(contact.id.to_string(), node.to_owned()));
    let splits = splits(flow);
    let between = (own.from, own.until);
    match target {
        Target::Klaviyo => {
            // The kth two-way sample of a split takes its kth arm: `node`, `node:2`, …
            let draw = |step: &str, _: usize| {
                let (node, k) = match step.split_once(':') {
                    Some((node, k)) => (node, k.parse::<usize>().unwrap_or(1)),
                    None => (step, 1),
                };
                let split = splits.iter().find(|(id, _)| *id == node);
                split.is_some_and(|(_, arms)| arm(node).is_some_and(|arm| arms.get(k - 1) == Some(arm)))
            };
            let mails = klaviyo::run(bodies, workspace, audience, contact, between, &draw);
            let named = |mail: Mail| Mail { message: message_of(flow, &mail.message).unwrap_or(mail.message), ..mail };
            mails.into_iter().map(named).collect()
        }
        _ => {
            // Which split a branch stands for is told by its number of arms; what matters is that it is one.
            let deal = |_: &str, arms: usize| {
                let split = splits.iter().find(|(_, names)| names.len() == arms);
                split.and_then(|(node, names)| names.iter().position(|name| Some(name) == arm(node))).unwrap_or(0)
            };
            let node_of = |message: &str| {
                let sends = |node: &str| message_of(flow, node).as_deref() == Some(message);
                flow.nodes
                    .iter()
                    .find(|node| sends(node.id.as_str()))
                    .map_or_else(String::new, |node| node.id.to_string())
            };
            hubspot::run(bodies, workspace, audience, contact, between, (&deal, &node_of))
        }
    }
}

/// Holds the two accounts of a flow against each other.
pub fn compare(target: Target, flow: &Flow, workspace: &Workspace, audience: &Audience) -> Tally {
    let export =
        platforms::export(target, flow, workspace).unwrap_or_else(|e| panic!("{} {target:?}: {e:#?}", flow.id));
    let own = own(flow, workspace, audience);
    let bodies = bodies(&export);
    tally(flow, &export, audience, &own.mails, &|contact| {
        theirs(target, (flow, workspace, audience), &bodies, contact, &own)
    })
}

/// Holds the mails of each contact against what another account of the flow says, within what the export's losses
/// allow.
pub fn tally(
    flow: &Flow,
    export: &Export,
    audience: &Audience,
    own: &BTreeMap<String, Vec<(String, Mail)>>,
    theirs: &dyn Fn(&Contact) -> Vec<Mail>,
) -> Tally {
    let allows = allow::of_steps(flow, export);
    let mut tally = Tally::default();
    // Several steps may send one message: what any of them allows.
    let mut of_message: BTreeMap<String, (Allow, BTreeSet<&str>)> = BTreeMap::new();
    for node in &flow.nodes {
        let Some(message) = message_of(flow, node.id.as_str()) else { continue };
        let (allow, codes) = allows[node.id.as_str()].clone();
        let entry = of_message.entry(message).or_default();
        entry.0.more |= allow.more;
        entry.0.fewer |= allow.fewer;
        entry.0.earlier = entry.0.earlier.max(allow.earlier);
        entry.0.later = entry.0.later.max(allow.later);
        entry.1.extend(codes);
    }
    let none = Vec::new();
    for contact in &audience.contacts {
        let ours = own.get(contact.id.as_str()).unwrap_or(&none);
        let theirs = theirs(contact);
        for (message, (allow, codes)) in &of_message {
            let mut left: Vec<i64> =
                theirs.iter().filter(|mail| mail.message == *message).map(|mail| mail.at).collect();
            left.sort_unstable();
            let mut mine: Vec<i64> =
                ours.iter().filter(|(_, mail)| mail.message == *message).map(|(_, mail)| mail.at).collect();
            mine.sort_unstable();
            // First what is at the same time, then what is nearest within what is allowed.
            let mut take = |tally: &mut Tally, is_near: &dyn Fn(i64) -> bool, moved: bool| {
                mine.retain(|at| {
                    let near = (0..left.len()).filter(|n| is_near(left[*n] - at)).min_by_key(|n| (left[*n] - at).abs());
                    let Some(n) = near else { return true };
                    let there = left.remove(n);
                    if moved {
                        let (here, there) = (Instant::from_millis(*at), Instant::from_millis(there));
                        tally.apart.push(format!("{} `{message}` {here} is sent {there}", contact.id));
                    }
                    *(if moved { &mut tally.moved } else { &mut tally.equal }) += 1;
                    false
                });
            };
            take(&mut tally, &|apart| apart.abs() <= allow::SAME, false);
            take(&mut tally, &|apart| -allow.earlier <= apart && apart <= allow.later, true);
            let show = |at: i64| Instant::from_millis(at).to_string();
            for at in mine {
                tally.fewer += 1;
                tally.apart.push(format!("{} `{message}` {} is left out", contact.id, show(at)));
                if !allow.fewer {
                    tally.wrong.push(format!("{} does not get `{message}` of {} {codes:?}", contact.id, show(at)));
                }
            }
            for at in left {
                tally.more += 1;
                tally.apart.push(format!("{} `{message}` {} is sent besides", contact.id, show(at)));
                if !allow.more {
                    tally.wrong.push(format!("{} gets `{message}` at {} {codes:?}", contact.id, show(at)));
                }
            }
        }
    }
    tally
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let listing = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = listing.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    paths
}

fn audience_of(folder: &Path) -> Audience {
    let folder = folder.join("audience");
    let source = |names: &[&str]| {
        let path = names.iter().map(|name| folder.join(name)).find(|path| path.exists())?;
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        Some(Source::new(&name, std::io::Cursor::new(read(&path).into_bytes())))
    };
    let mapping = folder.join("mapping.ron");
    let mapping = mapping.exists().then(|| Mapping::from_ron("mapping.ron", &read(&mapping)).expect("a mapping"));
    let sources = AudienceSources {
        contacts: source(&["contacts.jsonl", "contacts.csv"]),
        events: source(&["events.jsonl", "events.csv"]),
        responses: source(&["responses.jsonl"]),
        mapping,
    };
    let (audience, _) = Audience::load(sources);
    assert!(!audience.contacts.is_empty(), "{}", folder.display());
    audience
}

/// All samples, both targets: nobody gets a mail, misses one or gets it at another time without a loss that says so;
/// and how much agrees is what it was. `FLOWLOOM_SHOW=circle` prints what is apart in one flow.
#[test]
fn samples_do_elsewhere_what_they_do_here() {
    check_samples("agreement.txt", &compare);
}

/// Compares all samples in both targets; the counts are those of a fixture.
pub fn check_samples(known: &str, compare: &dyn Fn(Target, &Flow, &Workspace, &Audience) -> Tally) {
    let mut table = String::from("# flow target: equal, moved, more, fewer (mails of the sample audience)\n");
    let mut wrong = String::new();
    for folder in entries(&root().join("sample_flows")).into_iter().filter(|path| path.is_dir()) {
        let (workspace, _) = file::read_workspace(&read(&folder.join("flowloom.ron"))).expect("a workspace");
        let audience = audience_of(&folder);
        for path in entries(&folder).into_iter().filter(|path| path.to_string_lossy().ends_with(".flow.ron")) {
            let flow = file::read(&read(&path)).unwrap_or_else(|d| panic!("{}: {}", path.display(), d.message)).flow;
            for target in TARGETS {
                let tally = compare(target, &flow, &workspace, &audience);
                let Tally { equal, moved, more, fewer, .. } = &tally;
                if std::env::var("FLOWLOOM_SHOW").is_ok_and(|wanted| flow.id.as_str() == wanted) {
                    println!("{}\n{}", target.name(), tally.apart.join("\n"));
                }
                let _ = writeln!(table, "{} {}: {equal} {moved} {more} {fewer}", flow.id, target.name());
                if !tally.wrong.is_empty() {
                    let shown: Vec<&String> = tally.wrong.iter().take(8).collect();
                    let _ = writeln!(wrong, "{} {}: {} wrong\n  {shown:#?}", flow.id, target.name(), tally.wrong.len());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}\n{table}");
    let path = root().join("tests/fixtures/platforms").join(known);
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(table, known, "{} is what is known; if the change is meant, it is now\n{table}", path.display());
}
