//! Both versions, what both began from, and what comes of them.

use super::*;
use crate::{
    flow::{Edit, edit::apply_all},
    testing::{Rng, flow_gen},
};

const BASE: &str = r#"(version: 2, id: "f", name: "F",
    settings: (pass_limit: 5, /* kept */ tracking: {"utm_source": "mail", "utm_medium": "e"}, later: Thing(3)),
    fields: [(name: "a", source: contact("a")), (name: "b", source: contact("b"))],
    nodes: [
        (id: "t", kind: "trigger", settings: (any: [event(event: "X")])),
        (id: "w", kind: "wait", title: "Pause", settings: (duration: "1 d")),
        (id: "m", kind: "email", title: "Mail", settings: (message: "m1")),
        (id: "x", kind: "exit", title: "Over", settings: (reason: "over")),
    ],
    edges: [(from: "t", to: "w"), (from: "w", to: "m"), (from: "m", to: "x")],
    messages: [(id: "m1", name: "One", variants: [])],
)"#;

fn flow(text: &str) -> Flow {
    file::read(text).unwrap_or_else(|found| panic!("{}\n{text}", found.message)).flow
}

/// A version of [`BASE`] with texts replaced.
fn version(replaced: &[(&str, &str)]) -> Flow {
    let mut text = BASE.to_owned();
    for (old, new) in replaced {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    flow(&text)
}

fn merged(mine: &[(&str, &str)], theirs: &[(&str, &str)], side: Side) -> Merged<Flow> {
    let (base, mine, theirs) = (flow(BASE), version(mine), version(theirs));
    let first = merge(&base, &mine, &theirs, &BTreeMap::new());
    let choices = first.conflicts.iter().map(|conflict| (conflict.part.clone(), side)).collect();
    let out = merge(&base, &mine, &theirs, &choices);
    assert!(out.value.invariants().is_empty(), "{:?}", out.value.invariants());
    assert_eq!(out.conflicts, first.conflicts, "choices ask nothing new");
    out
}

/// Both changed something: no question, and the flow is `expected`.
fn check(mine: &[(&str, &str)], theirs: &[(&str, &str)], expected: &[(&str, &str)], said: &str) {
    let out = merged(mine, theirs, Side::Mine);
    assert!(out.conflicts.is_empty(), "{:?}", out.conflicts);
    assert_eq!(out.value, version(expected), "{}", file::write(&out.value));
    assert_eq!(out.summary(), said);
}

/// Both changed the same: one question, and either side.
fn check_conflict(mine: &[(&str, &str)], theirs: &[(&str, &str)], said: [&str; 3]) {
    let out = merged(mine, theirs, Side::Mine);
    let words: Vec<[&str; 3]> = out.conflicts.iter().map(|c| [&*c.about, &*c.mine, &*c.theirs]).collect();
    assert_eq!(words, [said]);
    assert_eq!(out.value, version(mine), "{}", file::write(&out.value));
    assert_eq!(merged(mine, theirs, Side::Theirs).value, version(theirs));
}

#[test]
fn what_one_side_changed_is_taken() {
    let title = ("title: \"Pause\"", "title: \"Think\"");
    let span = ("duration: \"1 d\"", "duration: \"2 d\"");
    let over = ("title: \"Over\"", "title: \"Done\"");
    check(&[title], &[over], &[title, over], "1 step");
    check(&[title], &[span], &[title, span], "1 step");
    check(&[title], &[title, span], &[title, span], "1 step");
    let limit = ("pass_limit: 5", "pass_limit: 6");
    let source = ("\"utm_source\": \"mail\"", "\"utm_source\": \"paper\"");
    let medium = ("\"utm_medium\": \"e\"", "\"utm_medium\": \"f\"");
    check(&[limit], &[source], &[limit, source], "1 setting");
    check(&[medium], &[source, over], &[medium, source, over], "1 setting and 1 step");
    let name = ("name: \"One\"", "name: \"Eins\"");
    let later = ("variants: []", "variants: [], later: Thing(4)");
    check(&[title], &[name], &[title, name], "1 message");
    let tag = ("contact(\"b\")", "contact(\"c\")");
    check(&[("contact(\"a\")", "contact(\"z\")")], &[tag], &[("contact(\"a\")", "contact(\"z\")"), tag], "1 merge tag");
    check(&[title], &[later], &[title, later], "1 message");
    let unknown = ("kind: \"exit\", title", "kind: \"exit\", later: \"kept\", title");
    check(&[title], &[unknown], &[title, unknown], "1 step");
    let top = ("name: \"F\",", "name: \"F\", future: [1, 2],");
    let out = merged(&[title], &[top], Side::Mine);
    assert_eq!(out.value.extra, version(&[top]).extra);
}

#[test]
fn steps_and_edges_come_and_go() {
    let reply = ("id: \"x\", kind: \"exit\"", "id: \"y\", kind: \"exit\", title: \"Y\"), (id: \"x\", kind: \"exit\"");
    let other = ("id: \"x\", kind: \"exit\"", "id: \"z\", kind: \"exit\", title: \"Z\"), (id: \"x\", kind: \"exit\"");
    let out = merged(&[reply], &[other], Side::Mine);
    let ids: Vec<&str> = out.value.nodes.iter().map(|node| node.id.as_str()).collect();
    assert!(out.conflicts.is_empty() && ids == ["t", "w", "m", "z", "y", "x"] || ids == ["t", "w", "m", "y", "z", "x"]);
    // They took the wait away, I changed something else.
    let gone = [
        ("        (id: \"w\", kind: \"wait\", title: \"Pause\", settings: (duration: \"1 d\")),\n", ""),
        ("(from: \"t\", to: \"w\"), (from: \"w\", to: \"m\")", "(from: \"t\", to: \"m\")"),
    ];
    let over = ("title: \"Over\"", "title: \"Done\"");
    check(&[over], &gone, &[over, gone[0], gone[1]], "1 step and 1 edge");
    // I changed the wait that they took away.
    let out = merged(&[("1 d", "3 d")], &gone, Side::Mine);
    assert_eq!(out.conflicts[0].about, "Step \u{201c}Pause\u{201d}");
    assert_eq!((&*out.conflicts[0].mine, &*out.conflicts[0].theirs), ("changed or used anew", "removed"));
    assert!(out.value.node("w").is_some());
    assert_eq!(merged(&[("1 d", "3 d")], &gone, Side::Theirs).value, version(&gone));
    // I drew an edge to a step that they took away.
    let led = ("(from: \"m\", to: \"x\")", "(from: \"m\", to: \"w\")");
    let out = merged(&[led], &gone, Side::Mine);
    assert!(out.conflicts.iter().any(|conflict| conflict.part.sort == Sort::Step), "{:?}", out.conflicts);
    assert!(merged(&[led], &gone, Side::Theirs).value.node("w").is_none());
}

#[test]
fn two_new_steps_of_one_id_both_stay() {
    let wait = (
        "id: \"x\", kind: \"exit\"",
        "id: \"n-1\", kind: \"wait\", settings: (duration: \"3 d\")), (id: \"x\", kind: \"exit\"",
    );
    let exit = (
        "id: \"x\", kind: \"exit\"",
        "id: \"n-1\", kind: \"exit\", settings: (reason: \"r\")), (id: \"x\", kind: \"exit\"",
    );
    let led = ("(from: \"m\", to: \"x\")", "(from: \"m\", to: \"n-1\")");
    let out = merged(&[wait], &[exit, led], Side::Mine);
    assert!(out.conflicts.is_empty(), "{:?}", out.conflicts);
    assert_eq!(out.value.node("n-1").map(|node| node.kind.as_str()), Some("wait"));
    let to = out.value.target("m", "next").expect("an edge");
    assert_eq!(out.value.node(to.as_str()).map(|node| node.kind.as_str()), Some("exit"));
    assert_ne!(to.as_str(), "x");
}

#[test]
fn a_message_that_a_new_step_needs_is_not_lost() {
    let gone = [
        ("(id: \"m\", kind: \"email\", title: \"Mail\", settings: (message: \"m1\")),", ""),
        ("(from: \"w\", to: \"m\"), (from: \"m\", to: \"x\")", "(from: \"w\", to: \"x\")"),
        ("(id: \"m1\", name: \"One\", variants: [])", ""),
    ];
    let more = (
        "id: \"x\", kind: \"exit\"",
        "id: \"m2\", kind: \"email\", settings: (message: \"m1\")), (id: \"x\", kind: \"exit\"",
    );
    let out = merged(&gone, &[more], Side::Theirs);
    assert!(out.value.messages.iter().any(|message| message.id.as_str() == "m1"));
    assert_eq!(out.conflicts.len(), 1, "{:?}", out.conflicts);
}

#[test]
fn what_both_changed_is_a_question() {
    check_conflict(
        &[("title: \"Pause\"", "title: \"A\"")],
        &[("title: \"Pause\"", "title: \"B\"")],
        ["Step \u{201c}A\u{201d}, its name", "\u{201c}A\u{201d}", "\u{201c}B\u{201d}"],
    );
    check_conflict(
        &[("duration: \"1 d\"", "duration: \"2 d\"")],
        &[("duration: \"1 d\"", "duration: \"3 d\"")],
        ["Step \u{201c}Pause\u{201d}, `duration`", "\"2 d\"", "\"3 d\""],
    );
    check_conflict(
        &[("pass_limit: 5", "pass_limit: 6")],
        &[("pass_limit: 5", "pass_limit: 7")],
        ["The flow, `pass_limit`", "6", "7"],
    );
    check_conflict(
        &[("(from: \"m\", to: \"x\")", "(from: \"m\", to: \"w\")")],
        &[(", (from: \"m\", to: \"x\")", "")],
        ["The way on from \u{201c}Mail\u{201d}", "to \u{201c}Pause\u{201d}", "removed"],
    );
    check_conflict(
        &[("name: \"F\"", "name: \"G\"")],
        &[("name: \"F\"", "name: \"H\"")],
        ["The name of the flow", "\u{201c}G\u{201d}", "\u{201c}H\u{201d}"],
    );
    check_conflict(
        &[("name: \"One\"", "name: \"Eins\"")],
        &[("name: \"One\"", "name: \"Un\"")],
        ["Message `m1`, `name`", "\"Eins\"", "\"Un\""],
    );
}

#[test]
fn laws_of_merging() {
    let none = BTreeMap::new();
    for seed in 0..40_u64 {
        let base = flow_gen::flow(seed, 4 + seed as usize % 12);
        let edited = |salt: u64| {
            let mut rng = Rng::new(seed * 100 + salt);
            let mut flow = base.clone();
            for _ in 0..1 + rng.below(8) {
                let edit: Edit = flow_gen::edit(&mut rng, &flow);
                // A refused edit changes nothing.
                if let Ok(next) = apply_all(&flow, &[edit]) {
                    flow = next;
                }
            }
            flow
        };
        let (mine, theirs) = (edited(1), edited(2));
        assert_eq!(merge(&base, &mine, &base, &none).value, mine, "seed {seed}");
        assert_eq!(merge(&base, &base, &theirs, &none).value, theirs, "seed {seed}");
        assert_eq!(merge(&base, &mine, &mine, &none).value, mine, "seed {seed}");
        for side in [Side::Mine, Side::Theirs] {
            let asked = merge(&base, &mine, &theirs, &none).conflicts;
            let choices = asked.into_iter().map(|conflict| (conflict.part, side)).collect();
            let out = merge(&base, &mine, &theirs, &choices);
            let found = out.value.invariants();
            assert!(found.is_empty(), "seed {seed}: {found:?}\n{}", file::write(&out.value));
            for conflict in &out.conflicts {
                assert!(!conflict.about.is_empty() && conflict.mine != conflict.theirs, "seed {seed}: {conflict:?}");
            }
            let added = |flow: &Flow| -> usize {
                flow.nodes.iter().filter(|node| base.node(node.id.as_str()).is_none()).count()
            };
            let both = mine.nodes.iter().filter(|node| {
                base.node(node.id.as_str()).is_none()
                    && theirs.node(node.id.as_str()).is_some_and(|other| other == *node)
            });
            let clashes =
                out.conflicts.iter().filter(|c| c.part.sort == Sort::Step && c.theirs == "added in the file too");
            assert_eq!(
                added(&out.value) + both.count() + clashes.count(),
                added(&mine) + added(&theirs),
                "seed {seed}: no new step is lost"
            );
            let again = merge(&mine, &out.value, &mine, &none);
            assert_eq!(again.value, out.value);
            file::read(&file::write(&out.value)).unwrap_or_else(|d| panic!("seed {seed}: {}", d.message));
        }
    }
}

#[test]
fn large_flows_are_merged_quickly() {
    let base = flow_gen::large_flow(5_000);
    let rename = |n: usize, title: &str| {
        let edit = Edit::SetTitle { id: base.nodes[n].id.clone(), title: title.to_owned() };
        base.apply(&edit).expect("applies")
    };
    let out = merge(&base, &rename(10, "A"), &rename(4_000, "B"), &BTreeMap::new());
    assert_eq!((out.value.nodes[10].title.as_str(), out.value.nodes[4_000].title.as_str()), ("A", "B"));
    assert_eq!((out.conflicts.len(), out.summary().as_str()), (0, "1 step"));
}

#[test]
fn workspaces_are_merged_by_segment_and_list_entry() {
    let base = "(version: 1, name: \"W\", // why\n segments: {\"a\": \"plan is \\\"x\\\"\", \"b\": \"plan is \\\"y\\\"\"},\n lists: [\"l\"])";
    let both = |mine: &str, theirs: &str| merge_workspace(base, mine, theirs, &BTreeMap::new());
    let name = base.replace("\"W\"", "\"V\"");
    let segment = base.replace("\"b\":", "\"c\": \"plan is \\\"z\\\"\", \"b\":");
    let out = both(&name, &segment);
    assert!(out.conflicts.is_empty(), "{:?}", out.conflicts);
    let (workspace, _) = file::read_workspace(&out.value).expect("reads");
    assert_eq!((workspace.name.as_str(), workspace.segments.len()), ("V", 3));
    assert!(out.value.contains("// why"), "{}", out.value);
    let out = both(&base.replace("\"l\"", "\"l\", \"m\""), &base.replace("\"l\"", "\"l\", \"n\""));
    assert!(out.conflicts.is_empty());
    assert_eq!(file::read_workspace(&out.value).expect("reads").0.lists.len(), 3);
    let out = both(&name, &base.replace("\"W\"", "\"U\""));
    assert_eq!(out.conflicts.iter().map(|c| c.about.as_str()).collect::<Vec<_>>(), ["The workspace, `name`"]);
    assert_eq!(both(&name, base).value, name);
    assert_eq!(both(base, &segment).value, segment);
}
