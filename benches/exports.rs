//! The figures of exports and imports in numbers: a flow of 500 steps with 50 messages for Klaviyo and for HubSpot, the
//! same with samples of its mails for a client, and what was written read again.
//!
//! The one idea: what a user waits for after a click is measured, the bytes of all files included. Goals, printed and
//! not asserted: 200 ms for each platform (without samples, which depend on the audience), and 200 ms for each import,
//! from the text of the definition and of its mails to a flow that is proven to be written alike.

#![allow(clippy::disallowed_methods, reason = "measuring is the one thing that needs a clock")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench that cannot run should say so at once")]

#[path = "shared/timing.rs"]
mod timing;

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use flowloom::{
    app::hand_over,
    audience::Audience,
    disk,
    flow::{Flow, Target, Workspace, file},
    platforms::{
        self, Export,
        import::{Given, Template, import, known_names},
    },
};

const NUM_NODES: usize = 500;
const NUM_MESSAGES: usize = 50;
const NUM_ROUNDS: usize = 9;
/// What each export and each import may take.
const GOAL_SECS: f64 = 0.2;

fn main() {
    let (flow, workspace, audience) = large();
    assert_eq!((flow.nodes.len(), flow.messages.len()), (NUM_NODES, NUM_MESSAGES));
    println!("{NUM_NODES} steps, {NUM_MESSAGES} messages, medians of {NUM_ROUNDS} rounds\n");
    let mut held: Vec<(String, f64)> = Vec::new();
    for target in [Target::Klaviyo, Target::Hubspot] {
        let export = platforms::export(target, &flow, &workspace).expect("an export");
        let bytes: usize = export.files.iter().map(|(_, bytes)| bytes.len()).sum();
        println!(
            "{}: {} files, {} KB, {} losses",
            target.title(),
            export.files.len(),
            bytes / 1024,
            export.losses.len()
        );
        held.push(measure(format!("export to {}", target.title()), || {
            assert!(platforms::export(target, &flow, &workspace).is_ok());
        }));
        print("with losses counted over the audience, and samples", || {
            assert!(hand_over::export(target, &flow, &workspace, &audience).is_ok());
        });
        print("as one ZIP", || {
            let files = disk::Files(export.files.clone());
            assert!(disk::zipped("large", &files).is_ok());
        });
        let body = export.file("flow.json").expect("a flow");
        let json = std::str::from_utf8(body).expect("text");
        let templates = mails_of(target, &export);
        let names = known_names(target, &workspace, &BTreeMap::new());
        let given = Given { json, templates: &templates, names: &names };
        let read = import(target, &given).expect("a flow");
        let locked = read[0].flow.nodes.iter().filter(|node| node.kind == "foreign").count();
        println!(
            "  {} KB come back as {} steps ({locked} locked) and {} messages",
            body.len() / 1024,
            read[0].flow.nodes.len(),
            read[0].flow.messages.len()
        );
        held.push(measure(format!("import from {}", target.title()), || {
            assert!(import(target, &given).is_ok());
        }));
    }
    println!("against the goal of {GOAL_SECS} s");
    for (what, secs) in &held {
        let ratio = secs / GOAL_SECS;
        let word = if ratio <= 1.0 { "kept" } else { "MISSED" };
        println!("  {what:<22} {secs:.3} s, {ratio:>5.2} times the goal: {word}");
    }
}

/// Does some work, prints how long it takes and how that is to the goal, and gives both.
fn measure(what: String, work: impl FnMut()) -> (String, f64) {
    let secs = timing::median_secs(NUM_ROUNDS, work);
    println!("  {what}\n    {secs:.3} s, {:.2} times the goal of {GOAL_SECS} s\n", secs / GOAL_SECS);
    (what, secs)
}

/// The mails of an export by the ids that its bodies give them.
fn mails_of(target: Target, export: &Export) -> BTreeMap<String, Template> {
    let (folder, prefix) = if target == Target::Klaviyo { ("templates/", "") } else { ("emails/", "EMAIL:") };
    let files = export.files.iter().filter_map(|(path, bytes)| {
        let name = path.strip_prefix(folder)?.strip_suffix(".html")?;
        let html = std::str::from_utf8(bytes).ok()?.to_owned();
        let text = export.file(&format!("{folder}{name}.txt")).and_then(|text| std::str::from_utf8(text).ok());
        Some((format!("{prefix}{name}"), Template { html, text: text.map(str::to_owned), ..Template::default() }))
    });
    files.collect()
}

fn print(title: &str, work: impl FnMut()) {
    timing::print(NUM_ROUNDS, title, work);
}

/// The watch shop's mails under fifty names, in a flow of all that platforms have a counterpart for.
fn large() -> (Flow, Workspace, Audience) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_flows/watch-shop/watch-shop.flow.ron");
    let text = std::fs::read_to_string(&path).expect("the sample");
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("`{words}` stands in the sample"));
    let (nodes_at, edges_at, messages_at) =
        (at("        (id: \"mail-1\", kind"), at("    edges: ["), at("    messages: ["));
    let messages = &text[messages_at + "    messages: [".len()..text.rfind("    ],\n)").expect("its end")];
    let mails: Vec<String> = messages.split("        (id: \"mail-").skip(1).map(str::to_owned).collect();
    let (mut nodes, mut edges, mut own) =
        (String::new(), String::from("(from: \"start\", to: \"n1\"),"), String::new());
    for n in 0..NUM_MESSAGES {
        // `1", name: …` of a mail, under another id.
        let (_, rest) = mails[n % mails.len()].split_once('"').expect("an id");
        let _ = write!(own, "(id: \"m{n}\"{rest}");
    }
    for n in 1..NUM_NODES {
        let (kind, settings, ports): (_, String, &[&str]) = match n % 10 {
            1 | 4 | 7 => ("email", format!("(message: \"m{}\")", n * 7 % NUM_MESSAGES), &["next"]),
            2 => (
                "condition",
                format!(
                    "(condition: \"contact.lifetime_value > {n} and did \\\"Placed Order\\\" in the last 30 days\")"
                ),
                &["yes", "no"],
            ),
            5 => {
                ("wait_for_event", "(event: \"Placed Order\", timeout: \"2 days\")".into(), &["happened", "timed_out"])
            }
            8 => ("update_contact", "(set: [(property: \"stage\", to: value(\"late\"))])".into(), &["next"]),
            _ => ("delay", "(wait: for(\"4 h\"))".into(), &["next"]),
        };
        let _ = writeln!(nodes, "(id: \"n{n}\", kind: \"{kind}\", settings: {settings}),");
        // The two ways of a fork meet again at the step after the next.
        for (k, port) in ports.iter().enumerate().filter(|(k, _)| n + 1 + k < NUM_NODES) {
            let _ = writeln!(edges, "(from: \"n{n}\", port: \"{port}\", to: \"n{}\"),", n + 1 + k);
        }
    }
    let source = format!("{}{nodes}],\n edges: [{edges}],\n messages: [{own}],\n)", &text[..nodes_at]);
    assert!(edges_at > nodes_at, "the sample's steps stand before its edges");
    let flow = file::read(&source).unwrap_or_else(|fault| panic!("{}", fault.message)).flow;
    let home = disk::home(&path, None).expect("a workspace");
    let audience = disk::audience(&disk::audience_folder(&home).expect("an audience")).expect("loads").audience;
    (flow, home.workspace, audience)
}
