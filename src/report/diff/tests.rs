//! Differences as people read them: two flows in, lines out.

use super::*;
use crate::flow::file;

fn flow(nodes: &str, rest: &str) -> Flow {
    let text = format!(r#"(version: 2, id: "f", name: "F", nodes: [{nodes}], {rest})"#);
    file::read(&text).unwrap_or_else(|found| panic!("{}: {text}", found.message)).flow
}

#[track_caller]
fn check(before: &Flow, after: &Flow, expected: &[&str]) {
    let found: Vec<String> =
        compare(before, after).differences.iter().map(|d| format!("{} {}", d.sign.letter(), d.words())).collect();
    assert_eq!(found, expected);
    assert_eq!(compare(after, after).differences, [], "nothing differs from itself");
}

#[track_caller]
fn check_step(kind: &str, before: &str, after: &str, expected: &[&str]) {
    let node = |settings: &str| flow(&format!(r#"(id: "n", kind: "{kind}", title: "It", settings: {settings})"#), "");
    check(&node(before), &node(after), expected);
}

#[test]
fn settings_in_words() {
    check_step("delay", r#"(wait: for("2 h"))"#, r#"(wait: for("4 h"))"#, &["~ It: wait 2 h → 4 h"]);
    check_step(
        "delay",
        r#"(wait: for("2 h"), after: entry)"#,
        r#"(wait: for("4 h"), after: entry)"#,
        &["~ It: wait until 2 h → 4 h after the entry"],
    );
    check_step(
        "delay",
        r#"(wait: for("2 h"))"#,
        r#"(wait: for("2 h"), window: (from: "09:00", until: "17:00"))"#,
        &["~ It: only between none → from 09:00 until 17:00 weekdays mon, tue, wed, thu, fri, sat, sun"],
    );
    check_step(
        "email",
        r#"(message: "m", cooldown: (lasts: "26 h"))"#,
        r#"(message: "m", cooldown: (lasts: "24 h"))"#,
        &["~ It: quiet time after it: lasts 26 h → 24 h"],
    );
    check_step(
        "condition",
        r#"(condition: "contact.cart_value > 50")"#,
        r#"(condition: "contact.cart_value > 100")"#,
        &["~ It: > 50 → > 100 (Yes/No unchanged)"],
    );
    check_step(
        "split",
        r#"(salt: "s", arms: [(name: "a", weight: 50), (name: "b", weight: 50)])"#,
        r#"(salt: "s", arms: [(name: "a", weight: 60), (name: "c", weight: 40)])"#,
        &["~ It: arm “a”: 50 % → 60 %", "~ It: arm “b” removed (50 %)", "~ It: arm “c” added (40 %)"],
    );
    check_step(
        "branch",
        r#"(arms: [(name: "a", condition: "contact.x = 1"), (name: "b", condition: "contact.x = 2")])"#,
        r#"(arms: [(name: "b", condition: "contact.x = 2"), (name: "a", condition: "contact.x = 1")])"#,
        &["~ It: asks in the order a, b → b, a"],
    );
    check_step(
        "trigger",
        r#"(any: [event(event: "A"), list(list: "L")])"#,
        r#"(any: [event(event: "B"), segment(segment: "S")])"#,
        &[
            "~ It: enters when “A” happens → “B” happens",
            "~ It: also enters when the contact comes into the segment “S”",
            "~ It: no longer enters when the contact is added to the list “L”",
        ],
    );
    check_step("cap", r#"(limit: at_most(3))"#, r#"(limit: at_most(4))"#, &["~ It: at most at most 3 → at most 4"]);
    check_step(
        "webhook",
        r#"(url: "https://a.example", headers: {"K": "secret1"})"#,
        r#"(url: "https://b.example", headers: {"K": "secret2"})"#,
        &["~ It: address https://a.example → https://b.example", "~ It: headers differ"],
    );
}

const THREE: &str = r#"(id: "t", kind: "trigger", title: "Start", settings: (any: [event(event: "X")])),
    (id: "w", kind: "delay", title: "Wait a bit", settings: (wait: for("2 h"))),
    (id: "x", kind: "exit", title: "Over")"#;
const CHAIN: &str = r#"edges: [(from: "t", to: "w"), (from: "w", to: "x")]"#;

#[test]
fn order_and_positions_are_no_differences() {
    let before = flow(THREE, CHAIN);
    let after = flow(
        r#"(id: "x", kind: "exit", title: "Over", pos: (9, 9)), (id: "w", kind: "delay", title: "Wait a bit", pos: (1, 2), settings: (wait: for("120 min"))),
        (id: "t", kind: "trigger", title: "Start", settings: (any: [event(event: "X")]))"#,
        r#"edges: [(from: "w", to: "x"), (from: "t", to: "w")]"#,
    );
    check(&before, &after, &[]);
}

#[test]
fn steps_come_and_go() {
    let before = flow(THREE, CHAIN);
    let after = flow(
        r#"(id: "t", kind: "trigger", title: "Start", settings: (any: [event(event: "X")])),
        (id: "c", kind: "condition", title: "Rich?", settings: (condition: "contact.a > 1")),
        (id: "x", kind: "exit", title: "Over", muted: true)"#,
        r#"edges: [(from: "t", to: "c"), (from: "c", port: "yes", to: "x")]"#,
    );
    check(
        &before,
        &after,
        &[
            "~ Start: leads to “Wait a bit” → “Rich?”",
            "- Wait a bit: removed after “Start” (Delay, Waits 2 h)",
            "+ Rich?: added after “Start” (Condition, The contact's a is more than 1?)",
            "~ Over: switched off",
        ],
    );
    let comparison = compare(&before, &after);
    let (old, new) = comparison.signs();
    assert_eq!(old.get(&NodeId::new("w")), Some(&Sign::Removed));
    assert_eq!(new.get(&NodeId::new("c")), Some(&Sign::Added));
    assert_eq!((old.get(&NodeId::new("x")), new.get(&NodeId::new("x"))), (Some(&Sign::Changed), Some(&Sign::Changed)));
}

#[test]
fn a_flow_imported_anew_is_the_same_flow() {
    let before = flow(THREE, CHAIN);
    let renamed = THREE.replace("\"t\"", "\"n1\"").replace("\"w\"", "\"n2\"").replace("\"x\"", "\"n3\"");
    let edges = r#"edges: [(from: "n1", to: "n2"), (from: "n2", to: "n3")]"#;
    check(&before, &flow(&renamed, edges), &[]);
    let longer = renamed.replace("2 h", "3 h").replace("Wait a bit", "Wait longer");
    check(&before, &flow(&longer, edges), &["~ Wait longer: was called “Wait a bit”", "~ Wait longer: wait 2 h → 3 h"]);
}

#[test]
fn messages_block_by_block() {
    let one = |message: &str| {
        flow(
            r#"(id: "m", kind: "email", title: "Reminder", settings: (message: "m"))"#,
            &format!("messages: [{message}]"),
        )
    };
    let before = one(
        r#"(id: "m", subject: "Hello", body: blocks([heading(text: "Hi"), text(text: "One"), image(src: "a.png", alt: "A"), footer()]))"#,
    );
    let after = one(
        r#"(id: "m", subject: "Hi there", preheader: "New", body: blocks([image(src: "a.png", alt: "A"), heading(text: "Hi", level: 2), text(text: "Two"), button(text: "Go", href: "https://x.example"), footer()]))"#,
    );
    check(
        &before,
        &after,
        &[
            "~ Reminder: subject: “Hello” → “Hi there”",
            "~ Reminder: preview line: added “New”",
            "~ Reminder: heading “Hi”: level as usual → 2",
            "~ Reminder: text: “One” → “Two”",
            "~ Reminder: button “Go” added at place 4",
        ],
    );
    let html = |source: &str| one(&format!(r#"(id: "m", subject: "S", body: html("{source}"))"#));
    check(&html("a\\nb"), &html("a\\nc"), &["~ Reminder: source: 1 line new, 1 line gone"]);
    check(&before, &html("x"), &["~ Reminder: subject: “Hello” → “S”", "~ Reminder: body is blocks → HTML"]);
}

#[test]
fn the_whole_and_its_tags() {
    let before = flow(
        "",
        r#"settings: (constants: {"limit": 5}, tracking: {"utm_source": "a"}), fields: [(name: "a", source: contact("a")), (name: "b", source: contact("b"))]"#,
    );
    let mut after = flow(
        "",
        r#"settings: (reentry: once, constants: {"limit": 6}, tracking: {"utm_source": "a"}), fields: [(name: "a", source: contact("a"), fallback: "you"), (name: "c", source: trigger("c"))]"#,
    );
    after.name = "G".to_owned();
    check(
        &before,
        &after,
        &[
            "~ Name “F” → “G”",
            "~ Entering again: As soon as the earlier journey has ended → Never: each contact enters once",
            "~ Constant limit 5 → 6",
            "~ Merge tag {a}: fallback none → you",
            "- Merge tag {b}: removed",
            "+ Merge tag {c}: added (The event that let the contact in: c)",
        ],
    );
}

#[test]
fn any_two_flows_can_be_compared() {
    use crate::testing::flow_gen;
    for seed in 0..12 {
        let (a, b) = (flow_gen::flow(seed, 8), flow_gen::flow(seed + 1, 12));
        assert_eq!(compare(&a, &a).differences, []);
        let (there, back) = (compare(&a, &b), compare(&b, &a));
        assert_eq!(there.differences, compare(&a, &b).differences, "the same each time");
        let count = |sign| there.differences.iter().filter(|d| d.sign == sign && d.sort == Sort::Step).count();
        let steps = |flow: &Flow| flow.nodes.iter().filter(|node| node.kind != "note").count();
        assert_eq!(steps(&a) - count(Sign::Removed), steps(&b) - count(Sign::Added), "seed {seed}");
        assert!(!back.differences.is_empty());
    }
}

/// A trigger, then `kinds` in a row, then an exit; ids begin with `prefix`.
fn chain(prefix: &str, kinds: impl IntoIterator<Item = &'static str>) -> Flow {
    use std::sync::Arc;

    use crate::flow::{Edge, Node};
    let mut out = flow("", r#"messages: [(id: "m", subject: "S", body: html("x"))]"#);
    let kinds = std::iter::once("trigger").chain(kinds).chain(["exit"]);
    for (n, kind) in kinds.enumerate() {
        let settings = match kind {
            "trigger" => r#"(any: [event(event: "X")])"#,
            "delay" => r#"(wait: for("2 h"))"#,
            "email" => r#"(message: "m")"#,
            "sms" => r#"(message: "none")"#,
            _ => "()",
        };
        let id = format!("{prefix}{n}");
        if n > 0 {
            out.edges.push(Edge::new(format!("{prefix}{}", n - 1).as_str(), "next", id.as_str()));
        }
        out.nodes.push(Arc::new(Node::new(id.as_str(), kind, settings)));
    }
    out
}

fn delays_and_mails(steps: usize) -> impl Iterator<Item = &'static str> + Clone {
    ["delay", "email"].into_iter().cycle().take(steps)
}

#[expect(clippy::disallowed_methods, reason = "a test of speed, which no decision of a flow depends on")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[test]
fn long_chains_with_other_ids_are_the_same() {
    for steps in [600, 5_000] {
        let begun = now();
        check(&chain("a", delays_and_mails(steps)), &chain("b", delays_and_mails(steps)), &[]);
        let mixed = chain("b", std::iter::repeat_n("delay", steps));
        check(&chain("a", std::iter::repeat_n("delay", steps)), &mixed, &[]);
        assert!(begun.elapsed().as_secs() < 60, "{steps} steps: {:?}", begun.elapsed());
    }
}

#[test]
fn a_step_in_the_middle_of_a_long_chain_is_one_addition() {
    let check = |before: Vec<&'static str>, after: Vec<&'static str>| {
        let comparison = compare(&chain("a", before), &chain("b", after));
        let words: Vec<String> =
            comparison.differences.iter().map(|d| format!("{} {}", d.sign.letter(), d.words())).collect();
        // What a new mail says has a line of its own.
        let steps = comparison.differences.iter().filter(|d| d.sort != Sort::Message);
        let found: Vec<(Sort, Sign)> = steps.map(|d| (d.sort, d.sign)).collect();
        assert_eq!(found, [(Sort::Way, Sign::Changed), (Sort::Step, Sign::Added)], "{words:?}");
    };
    let with = |mut kinds: Vec<&'static str>, at: usize, kind: &'static str| {
        kinds.insert(at, kind);
        kinds
    };
    let mixed: Vec<&str> = delays_and_mails(600).collect();
    for (at, kind) in [(300, "sms"), (300, "delay"), (301, "delay"), (0, "sms"), (600, "delay")] {
        check(mixed.clone(), with(mixed.clone(), at, kind));
    }
    let same = vec!["delay"; 600];
    check(same.clone(), with(same.clone(), 300, "delay"));
    check(same.clone(), with(same, 300, "email"));
}

#[test]
fn changes_in_a_long_chain_with_other_ids_are_changes() {
    use std::sync::Arc;
    let wait = |flow: &mut Flow, at: usize, wait: &str| {
        let node = Arc::make_mut(&mut flow.nodes[at]);
        *node = crate::flow::Node::new(node.id.clone(), "delay", &format!(r#"(wait: for("{wait}"))"#));
    };
    let mut before = chain("a", std::iter::repeat_n("delay", 300));
    let mut after = chain("b", std::iter::repeat_n("delay", 300));
    wait(&mut after, 150, "4 h");
    check(&before, &after, &["~ Delay (Delay b150): wait 2 h → 4 h"]);
    // What one step says has become what another says: two changes, no move.
    for (flow, waits) in [(&mut before, ["3 h", "4 h"]), (&mut after, ["4 h", "3 h"])] {
        *flow = chain(if waits[0] == "3 h" { "a" } else { "b" }, ["delay", "email", "delay", "email"]);
        for (at, title) in [(2, "First"), (4, "Second")] {
            Arc::make_mut(&mut flow.nodes[at]).title = title.to_owned();
        }
        wait(flow, 1, waits[0]);
        wait(flow, 3, waits[1]);
    }
    check(&before, &after, &["~ Delay (Delay b1): wait 3 h → 4 h", "~ Delay (Delay b3): wait 4 h → 3 h"]);
    let renamed = flow(&THREE.replace("\"w\"", "\"n2\"").replace("Wait a bit", "Pause").replace("2 h", "3 h"), "");
    let edges = |from: &mut Flow, step: &str| {
        from.edges = vec![crate::flow::Edge::new("t", "next", step), crate::flow::Edge::new(step, "next", "x")];
        from.clone()
    };
    let (before, after) = (edges(&mut flow(THREE, ""), "w"), edges(&mut renamed.clone(), "n2"));
    check(&before, &after, &["~ Pause: was called “Wait a bit”", "~ Pause: wait 2 h → 3 h"]);
}

/// The same flow with other ids, its steps in another order where `seed` says so.
fn renamed(flow: &Flow, seed: u64) -> Flow {
    use std::sync::Arc;

    use crate::testing::Rng;
    let mut out = flow.clone();
    let mut rng = Rng::new(seed);
    let new_id = |id: &NodeId| NodeId::new(format!("other-{id}"));
    for node in &mut out.nodes {
        let node = Arc::make_mut(node);
        node.id = new_id(&node.id);
    }
    for edge in &mut out.edges {
        (edge.from, edge.to) = (new_id(&edge.from), new_id(&edge.to));
    }
    if seed > 0 {
        for n in (1..out.nodes.len()).rev() {
            out.nodes.swap(n, rng.below(n + 1));
        }
    }
    out
}

#[test]
fn other_ids_are_no_differences() {
    use crate::testing::flow_gen;
    let large = flow_gen::large_flow(500);
    for seed in 0..150 {
        let flow = flow_gen::flow(seed, 3 + (seed as usize * 7) % 60);
        for order in [0, seed + 1] {
            let found = compare(&flow, &renamed(&flow, order)).differences;
            assert_eq!(found, [], "seed {seed}, order {order}");
        }
    }
    assert_eq!(compare(&large, &renamed(&large, 1)).differences, []);
}

#[test]
fn unlike_and_crowded_flows_take_no_minutes() {
    use std::sync::Arc;

    use crate::flow::{Edge, Node};
    let begun = now();
    // Thousands of ways into one step, and steps that are all a little alike.
    let crowd = |prefix: &str, hours: usize| {
        let mut out = chain(prefix, []);
        let end = out.nodes[1].id.clone();
        for n in 0..3_000 {
            let wait = format!(r#"(wait: for("{} h"))"#, 1 + n % hours);
            let id = format!("{prefix}x{n}");
            out.nodes.push(Arc::new(Node::new(id.as_str(), "delay", &wait)));
            out.edges.push(Edge::new(id.as_str(), "next", end.clone()));
        }
        out
    };
    assert_eq!(compare(&crowd("a", 7), &renamed(&crowd("a", 7), 5)).differences, []);
    assert!(!compare(&crowd("a", 7), &crowd("b", 11)).differences.is_empty());
    assert!(!compare(&crowd("a", 3_000), &chain("b", delays_and_mails(3_000))).differences.is_empty());
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

#[test]
fn comparing_can_be_stopped() {
    let (a, b) = (chain("a", delays_and_mails(2_000)), chain("b", delays_and_mails(2_000)));
    let mut shares: Vec<f32> = Vec::new();
    assert!(
        compare_while(&a, &b, &mut |share| {
            shares.push(share);
            true
        })
        .is_some()
    );
    assert!(shares.is_sorted() && shares.iter().all(|share| (0.0..=1.0).contains(share)) && shares.len() > 50);
    for most in [0, 5, shares.len() - 1] {
        let mut looks = 0;
        let stopped = compare_while(&a, &b, &mut |_| {
            looks += 1;
            looks <= most
        });
        assert!(stopped.is_none() && looks == most + 1, "stops at once: {looks} looks of {most}");
    }
}
