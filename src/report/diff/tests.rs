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
