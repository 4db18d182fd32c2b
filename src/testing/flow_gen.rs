//! Made-up flows: small ones of every kind and shape for properties, and a large one for benches.
//!
//! The one idea: a flow is a function of a seed. What is made keeps the document's invariants, and is otherwise as
//! wrong as people can make it: loops without waits, open ports, misspelt names, weights that do not come to 100.

use std::sync::Arc;

use super::Rng;
use crate::{
    content::{Field, Message},
    flow::{Edge, Edit, Flow, MessageSection, Node, Section, file},
    kinds::ron_options,
};

/// Settings that people write, per kind; some of them are faulty, one of a kind that does not exist.
const STEPS: &[(&str, &[&str])] = &[
    (
        "delay",
        &[
            r#"(wait: for("4 h"))"#,
            r#"(wait: for("1 day"), after: entry)"#,
            r#"(wait: for("30 s"))"#,
            r#"(wait: for("12 h"), after: entry, window: (from: "09:00", until: "09:05"))"#,
            r#"(wait: until(time: "09:00", weekdays: [mon, tue]))"#,
            r#"(wait: until(time: "09:00", weekdays: []))"#,
            r#"(wait: date(property: "contact.renewal", offset: "-3 days"))"#,
            r#"(wait: date(property: "constant.ends"))"#,
            r#"(wait: for("30 days"))"#,
        ],
    ),
    (
        "wait_for_event",
        &[
            r#"(event: "Placed Order", timeout: "1 day")"#,
            r#"(event: "Cart Updated", filter: "event.cart_id = trigger.cart_id", timeout: "2 h")"#,
            r#"(event: "Plcaed Order", timeout: "0 h", look_back: now)"#,
            r#"(event: "$opened", filter: "true", timeout: "3 days", look_back: previous_message)"#,
        ],
    ),
    (
        "condition",
        &[
            r#"(condition: "contact.lifetime_value > 500")"#,
            r#"(condition: "contact.x > 5 and contact.x < 3")"#,
            r#"(condition: "opened \"n3\" or clicked \"n4\"")"#,
            r#"(condition: "in segment \"VIP\" and not in segment \"Nobody\"")"#,
            r#"(condition: "did \"Placed Order\" at least 2 times in the last 30 days")"#,
            r#"(condition: "local time from 09:00 to 09:00")"#,
            r#"(condition: "contact.x >")"#,
        ],
    ),
    (
        "branch",
        &[
            r#"(arms: [(name: "a", condition: "contact.x > 5"), (name: "b", condition: "contact.x > 5")])"#,
            r#"(arms: [(name: "a", condition: "true"), (name: "b", condition: "score \"intent\" >= 5")])"#,
            "(arms: [])",
        ],
    ),
    (
        "split",
        &[
            r#"(salt: "s", arms: [(name: "a", weight: 50), (name: "b", weight: 50)])"#,
            r#"(salt: "s", arms: [(name: "a", weight: 90), (name: "b", weight: 20, hold_out: true)])"#,
            r#"(salt: "", arms: [(name: "a", weight: 33.333), (name: "b", weight: 0), (name: "c", weight: -1)])"#,
            r#"(salt: "x", arms: [(name: "a", weight: 100)])"#,
        ],
    ),
    (
        "cap",
        &[
            "(limit: at_most(3))",
            "(limit: at_most(0), within: \"0 h\")",
            "(limit: none)",
            r#"(limit: at_most(1), segment: "VPI")"#,
        ],
    ),
    ("goal", &[r#"(name: "bought")"#]),
    ("exit", &["()", r#"(reason: "over")"#]),
    ("note", &[r#"(text: "a note")"#]),
    (
        "email",
        &[
            r#"(message: "m0")"#,
            r#"(message: "m1", cooldown: (lasts: "24 h", from: all))"#,
            r#"(message: "m2", sender: "shpo", transactional: true)"#,
            r#"(message: "gone", send_latest_age: "2 h", on_cap: wait("3 h"))"#,
        ],
    ),
    ("sms", &[r#"(message: "m3")"#, r#"(message: "m0", cooldown: (lasts: "1 h"))"#]),
    ("webhook", &[r#"(url: "https://example.com/hook", body: "{\"name\": \"{first_name}\"}")"#, r#"(url: "ftp://x")"#]),
    (
        "update_contact",
        &[
            r#"(set: [(property: "tier", to: value("gold")), (property: "n", to: add(1))])"#,
            r#"(set: [(property: "seen", to: now)])"#,
        ],
    ),
    ("list_update", &[r#"(add: ["Newsletter"], remove: ["Newsletter"])"#, r#"(add: ["Newsletr"])"#, "()"]),
    ("internal_alert", &[r#"(to: ["sales@example.com"], subject: "{first_name} came")"#, r#"(to: [], subject: "x")"#]),
    ("teleport", &["(to: mars)"]),
];

const TRIGGERS: &[&str] = &[
    r#"event(event: "Checkout Expired", filter: "event.item_count > 0")"#,
    r#"abandonment(start: "Cart Updated", after: "30 s")"#,
    r#"abandonment(start: "Cart Updated", unless: [(event: "Placed Order")], after: "6 h")"#,
    r#"engagement(event: "Viewed Product", at_least: 3, within: "7 days", same: "event.product_id")"#,
    r#"engagement(event: "Veiwed Product", at_least: 0, within: "0 h")"#,
    r#"score(model: "intent", threshold: 50)"#,
    r#"segment(segment: "VIP")"#,
    r#"segment(segment: "Morning")"#,
    r#"list(list: "Newsletter")"#,
    r#"date(property: "contact.birthday", yearly: true)"#,
    r#"inactivity(events: ["Placed Order"], after: "60 days")"#,
    r#"inactivity(events: [], after: "0 days")"#,
];

const SETTINGS: &[&str] = &[
    "()",
    r#"(reentry: per_key, goal_when: "did \"Placed Order\" since entry")"#,
    r#"(reentry: per_key, reentry_key: "event.crat_id", exit_when: "false", sender: "shpo")"#,
    r#"(quiet_hours: (from: "21:00", until: "08:00"), constants: {"ends": "2026-11-30", "threshold": 1000}, pass_limit: 0)"#,
    r#"(quiet_hours: (from: "08:00", until: "08:00"), consent: [], caps: [(limit: at_most(0))], tracking: {"utm": "{first_nmae}"})"#,
    r#"(consent: [subscribed(email), subscribed(sms)], conversion_window: "10 days")"#,
];

const FIELDS: &[&str] = &[
    r#"(name: "first_name", source: contact("first_name"), fallback: "there")"#,
    r#"(name: "cart_value", kind: money, source: trigger("cart_value"))"#,
    r#"(name: "code", source: code(pool: "welcom"))"#,
    r#"(name: "bad-name", source: constant("treshold"))"#,
    r#"(name: "last", source: last_event(event: "Veiwed Product", path: "name"), fallback: "it")"#,
];

const MESSAGES: &[&str] = &[
    r#"(id: "m0", subject: "Hi {first_name}", preheader: "Still yours", body: blocks([text(text: "Your cart of {cart_value}"), footer()]))"#,
    r#"(id: "m1", variants: [(id: "a", weight: 0, subject: "A", body: html("<p>{frist_name}</p>")), (id: "b", weight: 0, subject: "", body: blocks([heading(text: "{code}")]))])"#,
    r#"(id: "m2", subject: "{{ first_name", body: blocks([countdown(to: 3), divider()]))"#,
    r#"(id: "m3", channel: sms, text: "Hi {first_name}")"#,
    r#"(id: "m4", subject: "Nobody sends this")"#,
];

/// The workspace that made-up flows are made for: some of the names that they use are in it.
pub const WORKSPACE: &str = r#"(
    version: 1,
    segments: {"VIP": "contact.lifetime_value > 500", "Morning": "local time from 06:00 to 10:00"},
    scores: [(name: "intent", signals: [(event: "Viewed Product", points: 5)])],
    events: [
        (name: "Cart Updated", moment: cart, properties: {"cart_id": text, "cart_value": money}),
        (name: "Checkout Expired", moment: checkout),
        (name: "Placed Order", moment: purchase),
        (name: "Viewed Product", moment: product),
    ],
    lists: ["Newsletter"],
    properties: {"first_name": text, "lifetime_value": number, "renewal": date, "birthday": date},
    senders: [(id: "shop", name: "Shop", email: "shop@example.com")],
    code_pools: [(name: "welcome")],
)"#;

fn pick<'a, T: ?Sized>(rng: &mut Rng, items: &'a [&'a T]) -> &'a T {
    items[rng.below(items.len())]
}

fn step(rng: &mut Rng, id: &str) -> Node {
    let (kind, settings) = STEPS[rng.below(STEPS.len())];
    let mut node = Node::new(id, kind, pick(rng, settings));
    node.pos = (rng.range(-500, 500) as f32, rng.range(0, 5_000) as f32 / 4.0);
    node.muted = rng.percent(10);
    if rng.percent(30) {
        node.title = pick(rng, &["First", "O'Neil \"quoted\"", "Größe & Maß", "🎉 שלום"]).to_owned();
    }
    node
}

fn settings_of(ron: &str) -> Section<crate::flow::FlowSettings> {
    Section::new(ron, file::read_flow_settings(ron), 0)
}

/// A flow of about `size` steps of all kinds, wired at random. Keeps the invariants of documents.
pub fn flow(seed: u64, size: usize) -> Flow {
    let mut rng = Rng::new(seed);
    let mut flow = Flow::new("made-up", "Made up");
    flow.settings = Arc::new(settings_of(pick(&mut rng, SETTINGS)));
    flow.fields = FIELDS
        .iter()
        .filter(|_| rng.percent(70))
        .map(|ron| Arc::new(Section::new(*ron, ron_options().from_str::<Field>(ron).map_err(unreadable), 0)))
        .collect();
    flow.messages = MESSAGES
        .iter()
        .enumerate()
        .filter(|_| rng.percent(80))
        .map(|(n, ron)| {
            let value = Message::from_ron(ron).map_err(unreadable);
            Arc::new(MessageSection { id: format!("m{n}").as_str().into(), section: Section::new(*ron, value, 0) })
        })
        .collect();
    let num_triggers = rng.below(20).min(2).min(size);
    for n in 0..size {
        let node = if n < num_triggers {
            let any: Vec<&str> = (0..rng.below(4)).map(|_| pick(&mut rng, TRIGGERS)).collect();
            Node::new(format!("n{n}").as_str(), "trigger", &format!("(any: [{}])", any.join(", ")))
        } else {
            step(&mut rng, &format!("n{n}"))
        };
        flow.nodes.push(Arc::new(node));
    }
    let targets: Vec<usize> =
        (0..size).filter(|n| !matches!(flow.nodes[*n].kind.as_str(), "trigger" | "note")).collect();
    for from in 0..size {
        for port in flow.nodes[from].ports() {
            // As a rule forwards, so that most of the flow is reached; sometimes back, for loops.
            let near = rng.percent(85);
            let later = targets.iter().copied().find(|to| *to > from).filter(|_| near && rng.percent(70));
            let Some(to) = later.or_else(|| rng.pick(&targets).copied()) else { continue };
            if rng.percent(85) && to != from {
                let (from, to) = (flow.nodes[from].id.clone(), flow.nodes[to].id.clone());
                flow.edges.push(Edge { from, port: port.name, to });
            }
        }
    }
    flow
}

fn unreadable(error: ron::error::SpannedError) -> crate::kinds::SettingsError {
    crate::kinds::SettingsError::Unreadable {
        message: error.code.to_string(),
        line_column: (error.span.start.line, error.span.start.col),
    }
}

/// An edit that somebody might try on the flow; about one in three is refused.
pub fn edit(rng: &mut Rng, flow: &Flow) -> Edit {
    let any_node = |rng: &mut Rng| match flow.nodes.get(rng.below(flow.nodes.len() + 1)) {
        Some(node) => node.id.clone(),
        None => "nobody".into(),
    };
    let id = any_node(rng);
    match rng.below(17) {
        0 | 1 => {
            let id = if rng.percent(80) { flow.fresh_id("step") } else { id };
            Edit::AddNode(Box::new(step(rng, id.as_str())))
        }
        2 => Edit::RemoveNode(id),
        3 => {
            let pos = (rng.range(-9_999, 9_999) as f32 / 8.0, if rng.percent(5) { f32::NAN } else { 0.5 });
            Edit::MoveNode { id, pos }
        }
        4 | 5 => {
            let ports = flow.node(id.as_str()).map(|node| node.ports()).unwrap_or_default();
            let port = rng.pick(&ports).map_or("next", |port| port.name.as_str()).to_owned();
            Edit::Connect(Edge::new(id, &port, any_node(rng)))
        }
        6 => match rng.pick(&flow.edges) {
            Some(edge) => Edit::Disconnect { from: edge.from.clone(), port: edge.port.clone() },
            None => Edit::Disconnect { from: id, port: "next".into() },
        },
        7 => Edit::SetTitle { id, title: pick(rng, &["", "Two\nlines", "\\ \" ' {}", "日本語"]).to_owned() },
        8 => Edit::SetNote { id, note: pick(rng, &["", "Because", "// no comment"]).to_owned() },
        9 => Edit::SetMuted { id, muted: rng.percent(50) },
        10 => Edit::SetField {
            id,
            field: pick(rng, &["wait", "after", "message", "arms", "limit", "any", "new_one"]).into(),
            value: rng.percent(80).then(|| {
                let values = [
                    r#"for("5 h")"#,
                    "entry",
                    "\"m1\"",
                    "[]",
                    "at_most(2)",
                    "(",
                    "Some(thing(3))",
                    r#"[(name: "c", condition: "true")]"#,
                ];
                pick(rng, &values).to_owned()
            }),
        },
        11 => {
            let (kind, settings) = STEPS[rng.below(STEPS.len())];
            let kind = if rng.percent(20) { "trigger" } else { kind };
            let ron = if kind == "trigger" { "(any: [])" } else { pick(rng, settings) };
            Edit::SetSettings { id, kind: rng.percent(70).then(|| kind.into()), ron: ron.to_owned() }
        }
        12 => Edit::SetFlowField {
            field: pick(rng, &["reentry", "pass_limit", "sender", "exit_when", "later"]).into(),
            value: rng
                .percent(80)
                .then(|| pick(rng, &["once", "3", "\"shop\"", "\"contact.x > 3\"", "[(]"]).to_owned()),
        },
        13 => Edit::SetName(pick(rng, &["A flow", "Ein \"Fluss\"", ""]).to_owned()),
        14 => match Message::from_ron(pick(rng, MESSAGES)) {
            Ok(message) if rng.percent(60) => Edit::SetMessage(Box::new(message)),
            _ => Edit::RemoveMessage(format!("m{}", rng.below(6)).as_str().into()),
        },
        15 => match ron_options().from_str::<Field>(pick(rng, FIELDS)) {
            Ok(field) => Edit::SetMergeField(Box::new(field)),
            Err(_) => Edit::SetName("unreadable field".to_owned()),
        },
        _ => Edit::RemoveMergeField(pick(rng, &["first_name", "code", "nothing"]).into()),
    }
}

/// The text of a realistic large flow: chains of mails and delays with conditions, splits and waits, and one message
/// for each of 40 steps. Clean but for what its size brings with it.
pub fn large_flow_text(num_nodes: usize) -> String {
    use std::fmt::Write as _;
    let (mut nodes, mut edges, mut messages) = (String::new(), String::new(), String::new());
    for n in 0..num_nodes {
        let (x, y) = (n % 40 * 240, n / 40 * 160);
        let (kind, settings, ports): (_, String, &[&str]) = match n % 10 {
            _ if n == 0 => (
                "trigger",
                r#"(any: [event(event: "Checkout Expired", filter: "event.item_count > 0")])"#.into(),
                &["next"],
            ),
            1 | 6 => ("email", format!("(message: \"m{}\")", n / 40), &["next"]),
            3 => (
                "condition",
                format!(
                    r#"(condition: "contact.lifetime_value > {n} and not did \"Placed Order\" in the last 30 days")"#
                ),
                &["yes", "no"],
            ),
            5 => (
                "wait_for_event",
                r#"(event: "Viewed Product", timeout: "2 days", look_back: now)"#.into(),
                &["happened", "timed_out"],
            ),
            8 => (
                "split",
                format!(r#"(salt: "s{n}", arms: [(name: "a", weight: 50), (name: "b", weight: 50)])"#),
                &["a", "b"],
            ),
            _ => ("delay", r#"(wait: for("3 days"))"#.into(), &["next"]),
        };
        let _ = writeln!(
            nodes,
            "(id: \"n{n}\", kind: \"{kind}\", title: \"Step {n}\", pos: ({x}, {y}), settings: {settings}),"
        );
        for (k, port) in ports.iter().enumerate().filter(|_| n + 1 < num_nodes) {
            let port = if *port == "next" { String::new() } else { format!("port: \"{port}\", ") };
            let _ = writeln!(edges, "(from: \"n{n}\", {port}to: \"n{}\"),", (n + 1 + k).min(num_nodes - 1));
        }
        if n % 40 == 0 {
            let _ = writeln!(
                messages,
                "(id: \"m{}\", subject: \"Number {n}, {{first_name}}\", preheader: \"Still yours, and so is the offer\", body: blocks([heading(text: \"Step {n}\"), text(text: \"Hello {{first_name}}\"), button(text: \"Go on\", href: \"https://example.com/{n}\"), footer()])),",
                n / 40
            );
        }
    }
    format!(
        "(version: 2, id: \"large\", name: \"Large\", fields: [(name: \"first_name\", source: contact(\"first_name\"), fallback: \"there\")],\n\
         nodes: [\n{nodes}], edges: [\n{edges}], messages: [\n{messages}])"
    )
}

/// The flow of [`large_flow_text`].
pub fn large_flow(num_nodes: usize) -> Flow {
    match file::read(&large_flow_text(num_nodes)) {
        Ok(loaded) => loaded.flow,
        Err(fault) => panic!("the generator writes flows that can be read: {}", fault.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_are_functions_of_their_seed() {
        assert_eq!(flow(7, 30), flow(7, 30));
        assert_ne!(flow(7, 30), flow(8, 30));
        for seed in 0..50 {
            let flow = flow(seed, 25);
            assert!(flow.invariants().is_empty(), "{seed}: {:?}", flow.invariants());
        }
    }

    #[test]
    fn the_large_flow_can_be_read() {
        let flow = large_flow(500);
        assert_eq!(flow.nodes.len(), 500);
        assert!(flow.nodes.iter().all(|node| node.settings().is_some()));
        assert!(flow.messages.iter().all(|message| message.section.value().is_some()));
    }
}
