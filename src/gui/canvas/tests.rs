//! The canvas by hand and by keyboard, through accessible names.

use egui::{Key, Modifiers, PointerButton, Pos2, Vec2, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::{
    base::NodeId,
    gui::{
        Studio,
        testing::{WATCH, flow, studio},
    },
};

const TWO: &str = r#"(version: 2, id: "two", name: "Two", nodes: [
    (id: "a", kind: "trigger", pos: (0, 0), settings: (any: [event(event: "X")])),
    (id: "b", kind: "delay", title: "Wait a bit", pos: (0, 156), settings: (wait: for("4 h"))),
    (id: "c", kind: "exit", title: "Over", pos: (0, 312), settings: (reason: "over")),
], edges: [(from: "a", to: "b")])"#;

fn drag(harness: &mut Harness<'_, Studio>, from: Pos2, by: Vec2) {
    harness.hover_at(from);
    harness.run_steps(1);
    harness.drag_at(from);
    harness.run_steps(1);
    for step in 1..=6 {
        harness.hover_at(from + by * (step as f32 / 6.0));
        harness.run_steps(1);
    }
    harness.drop_at(from + by);
    harness.run_steps(3);
}

fn center(harness: &Harness<'_, Studio>, name: &str) -> Pos2 {
    harness.get_by_label(name).rect().center()
}

fn selected(harness: &Harness<'_, Studio>) -> Vec<String> {
    let document = harness.state().app.document().expect("a document");
    document.view.selection.iter().map(ToString::to_string).collect()
}

#[test]
fn a_card_is_found_by_its_name_and_selected() {
    let mut h = studio(WATCH);
    h.get_by_label("E-mail: Your watch is waiting").click();
    h.run_steps(2);
    assert_eq!(selected(&h), ["mail-1"]);
}

#[test]
fn a_drag_is_one_step_and_escape_takes_it_back() {
    let mut h = studio(TWO);
    let before = flow(&h);
    let at = center(&h, "Delay: Wait a bit");
    drag(&mut h, at, vec2(90.0, 30.0));
    let document = h.state().app.document().expect("a document");
    assert_eq!(document.history.undo_labels().collect::<Vec<_>>(), ["Move step"]);
    assert_ne!(flow(&h), before);
    h.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    h.run_steps(2);
    assert_eq!(flow(&h), before);
}

#[test]
fn a_wire_connects_two_cards() {
    let mut h = studio(TWO);
    let from = center(&h, "Connect Next of Wait a bit");
    let to = center(&h, "Exit: Over");
    drag(&mut h, from, to - from);
    assert_eq!(flow(&h).target("b", "next"), Some(&NodeId::new("c")));
}

#[test]
fn a_wire_dropped_on_nothing_asks_what_comes_next() {
    let mut h = studio(TWO);
    let from = center(&h, "Connect Next of Wait a bit");
    drag(&mut h, from, vec2(-260.0, 60.0));
    h.get_by_label("Search steps to add");
    h.get_by_label("Search steps to add").type_text("e-mail");
    h.run_steps(2);
    h.key_press(Key::Enter);
    h.run_steps(3);
    let flow = flow(&h);
    let added = flow.nodes.iter().find(|node| node.kind == "email").expect("an e-mail");
    assert_eq!(flow.target("b", "next"), Some(&added.id));
    assert_eq!(flow.messages.len(), 1, "with a message of its own");
}

#[test]
fn plus_on_an_edge_inserts_between() {
    let mut h = studio(TWO);
    h.get_by_label("Insert step after Trigger").click();
    h.run_steps(2);
    h.get_by_label("Add Delay").click();
    h.run_steps(3);
    let flow = flow(&h);
    let added = flow.target("a", "next").expect("wired").clone();
    assert_ne!(added.as_str(), "b");
    assert_eq!(flow.target(added.as_str(), "next"), Some(&NodeId::new("b")));
    assert!(flow.node("b").is_some_and(|node| node.pos.1 > 200.0), "what comes after makes room");
}

#[test]
fn the_list_of_steps_is_as_long_as_before_after_a_search() {
    let mut h = studio(TWO);
    h.get_by_label("Insert step after Trigger").click();
    h.run_steps(3);
    h.get_by_label("Search steps to add").type_text("exit");
    h.run_steps(4);
    h.key_press(Key::Escape);
    h.run_steps(3);
    h.get_by_label("Insert step after Trigger").click();
    h.run_steps(4);
    h.get_by_label("Add Goal").click();
    h.run_steps(4);
    assert!(flow(&h).nodes.iter().any(|node| node.kind == "goal"), "a row further down is there to be clicked");
}

#[test]
fn the_list_of_steps_has_the_keyboard_wherever_it_opens() {
    let mut h = studio(TWO);
    h.get_by_label("Delay: Wait a bit").click();
    h.run_steps(3);
    h.get_by_label("Insert step after Trigger").click();
    h.run_steps(4);
    assert!(h.get_by_label("Search steps to add").is_focused());
    // Inside the list, but on none of its rows.
    let beside = h.get_by_label("Search steps to add").rect().left_top() - vec2(3.0, 3.0);
    h.hover_at(beside);
    h.run_steps(1);
    h.drag_at(beside);
    h.drop_at(beside);
    h.run_steps(4);
    assert!(h.get_by_label("Search steps to add").is_focused());
    h.key_press_modifiers(Modifiers::COMMAND, Key::A);
    h.run_steps(2);
    assert_eq!(selected(&h), ["b"], "what is typed there selects no steps");
}

#[test]
fn a_box_selects_and_delete_removes() {
    let mut h = studio(TWO);
    let (b, c) = (center(&h, "Delay: Wait a bit"), center(&h, "Exit: Over"));
    drag(&mut h, b + vec2(-200.0, -30.0), (c - b) + vec2(400.0, 60.0));
    assert_eq!(selected(&h), ["b", "c"]);
    h.key_press(Key::Delete);
    h.run_steps(2);
    assert_eq!(flow(&h).nodes.len(), 1);
}

#[test]
fn a_line_across_an_edge_cuts_it() {
    let mut h = studio(TWO);
    let (a, b) = (center(&h, "Trigger: Trigger"), center(&h, "Delay: Wait a bit"));
    // Beside the "+" in the middle of the edge.
    let at = a + (b - a) * 0.5 + vec2(-80.0, 14.0);
    h.hover_at(at);
    h.run_steps(1);
    let button = |pressed, pos| egui::Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::ALT,
    };
    h.event_modifiers(button(true, at), Modifiers::ALT);
    h.run_steps(1);
    for step in 1..=6 {
        h.event_modifiers(egui::Event::PointerMoved(at + vec2(160.0, 0.0) * (step as f32 / 6.0)), Modifiers::ALT);
        h.run_steps(1);
    }
    h.event_modifiers(button(false, at + vec2(160.0, 0.0)), Modifiers::ALT);
    h.run_steps(3);
    assert!(flow(&h).edges.is_empty());
}

#[test]
fn arrows_follow_the_edges_and_the_card_keeps_the_focus() {
    let mut h = studio(WATCH);
    h.get_by_label("Trigger: Cart left behind").click();
    h.run_steps(2);
    h.key_press(Key::ArrowDown);
    h.run_steps(2);
    h.key_press(Key::ArrowDown);
    h.run_steps(2);
    assert_eq!(selected(&h), ["wait-4h"]);
    assert!(h.get_by_label("Delay: Four hours after entry").is_focused());
    h.key_press(Key::ArrowUp);
    h.run_steps(2);
    assert_eq!(selected(&h), ["mail-1"]);
}

#[test]
fn a_step_is_built_by_keyboard_alone() {
    let mut h = studio(r#"(version: 2, id: "e", name: "Empty")"#);
    h.get_by_label("Add a trigger").click();
    h.run_steps(3);
    assert_eq!(flow(&h).nodes.len(), 1);
    h.key_press_modifiers(Modifiers::COMMAND, Key::K);
    h.run_steps(2);
    h.get_by_label("Search commands").type_text("Select all");
    h.run_steps(2);
    h.key_press(Key::Enter);
    h.run_steps(2);
    assert!(!h.state().app.palette_open);
    assert_eq!(selected(&h).len(), 1);
}

#[test]
fn zoom_and_fit() {
    let mut h = studio(WATCH);
    let zoom = |h: &Harness<'_, Studio>| h.state().app.document().expect("a document").view.zoom;
    let fitted = zoom(&h);
    assert!(fitted < 1.0);
    h.key_press_modifiers(Modifiers::COMMAND, Key::Num1);
    h.run_steps(2);
    assert!((zoom(&h) - 1.0).abs() < 1e-3);
    h.key_press_modifiers(Modifiers::COMMAND, Key::Num0);
    h.run_steps(3);
    assert!((zoom(&h) - fitted).abs() < 1e-3);
}

#[test]
fn copies_travel_as_text() {
    let mut h = studio(TWO);
    h.get_by_label("Delay: Wait a bit").click();
    h.run_steps(2);
    h.event(egui::Event::Copy);
    h.run_steps(1);
    let copied = h.output().platform_output.commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    let text = copied.expect("a text on the clipboard");
    assert!(text.contains("clip/1") && text.contains("4 h"), "{text}");
    h.event(egui::Event::Paste(text));
    h.run_steps(3);
    assert_eq!(flow(&h).nodes.len(), 4);
    assert_eq!(selected(&h).len(), 1);
    assert_ne!(selected(&h), ["b"], "the copy is selected");
}

#[test]
fn insert_and_bookmarks_by_keyboard() {
    let mut h = studio(TWO);
    h.get_by_label("Delay: Wait a bit").click();
    h.run_steps(2);
    h.key_press_modifiers(Modifiers::COMMAND | Modifiers::ALT, Key::Num1);
    h.run_steps(2);
    h.key_press(Key::Insert);
    h.run_steps(4);
    h.get_by_label("Search steps to add").type_text("goal");
    h.run_steps(2);
    h.key_press(Key::Enter);
    h.run_steps(3);
    assert!(flow(&h).nodes.iter().any(|node| node.kind == "goal"));
    assert_ne!(selected(&h), ["b"]);
    h.key_press_modifiers(Modifiers::ALT, Key::Num1);
    h.run_steps(2);
    assert_eq!(selected(&h), ["b"]);
    h.key_press(Key::F2);
    h.run_steps(2);
    assert!(h.get_by_label("Step name").is_focused());
}

#[test]
fn what_is_searched_for_is_gone_to() {
    let mut h = studio(WATCH);
    h.key_press_modifiers(Modifiers::COMMAND, Key::F);
    h.run_steps(4);
    h.get_by_label("Find in this flow").type_text("half the shipping");
    h.run_steps(3);
    assert_eq!(selected(&h), ["mail-3"], "the step that sends the message");
    h.get_by_label("Close the search").click();
    h.run_steps(2);
    assert!(h.query_by_label("Find in this flow").is_none());
}

#[test]
fn the_outline_stands_in_for_the_picture() {
    let mut h = studio(WATCH);
    h.get_by_label("Outline").click();
    h.run_steps(3);
    h.get_by_label("Outline Sequence over").click();
    h.run_steps(2);
    assert_eq!(selected(&h), ["done"]);
    h.get_by_label("Way: Cart left behind").click();
    h.run_steps(2);
    assert_eq!(selected(&h), ["start"]);
}

#[test]
fn a_frame_is_drawn_folded_and_carries_its_steps() {
    let mut h = studio(TWO);
    h.key_press_modifiers(Modifiers::COMMAND, Key::A);
    h.run_steps(2);
    h.key_press_modifiers(Modifiers::COMMAND, Key::G);
    h.run_steps(3);
    let frame = selected(&h).remove(0);
    let before = flow(&h).node("b").expect("there").pos;
    h.key_press_modifiers(Modifiers::SHIFT, Key::ArrowRight);
    h.run_steps(2);
    assert_eq!(flow(&h).node("b").expect("there").pos.0, before.0 + 8.0, "{frame} carries what is in it");
    assert!(h.query_by_label("Delay: Wait a bit").is_some());
    h.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    h.run_steps(3);
    assert!(h.query_by_label("Delay: Wait a bit").is_none(), "a folded frame hides its steps");
}

#[test]
fn a_loose_step_is_dropped_on_an_edge() {
    let mut h = studio(TWO);
    let at = center(&h, "Exit: Over");
    // A delay stands alone beside the flow; let go on the edge from a to b it is wired in.
    h.state_mut().command_at_once(crate::app::Command::Insert {
        kind: "delay".into(),
        at: Some((400.0, 78.0)),
        after: None,
    });
    h.key_press_modifiers(Modifiers::COMMAND, Key::Num0);
    h.run_steps(4);
    let loose = center(&h, "Delay: Delay");
    let (a, b) = (center(&h, "Trigger: Trigger"), center(&h, "Delay: Wait a bit"));
    drag(&mut h, loose, a + (b - a) * 0.5 - loose);
    let flow = flow(&h);
    let added = flow.target("a", "next").expect("wired").clone();
    assert_ne!(added.as_str(), "b", "{at:?}");
    assert_eq!(flow.target(added.as_str(), "next"), Some(&NodeId::new("b")));
    let document = h.state().app.document().expect("a document");
    assert_eq!(document.history.undo_labels().next(), Some("Move step"), "one step of the history");
}

#[test]
fn steps_are_aligned_and_replaced() {
    let mut h = studio(TWO);
    h.state_mut().command_at_once(crate::app::Command::Place(vec![(NodeId::new("c"), (40.0, 312.0))]));
    h.key_press_modifiers(Modifiers::COMMAND, Key::A);
    h.run_steps(2);
    h.state_mut().command_at_once(crate::app::CommandId::AlignLeft.into());
    h.run_steps(2);
    let xs: std::collections::BTreeSet<i32> = flow(&h).nodes.iter().map(|node| node.pos.0 as i32).collect();
    assert_eq!(xs.len(), 1);
    let replace = crate::app::Command::Replace { id: NodeId::new("b"), kind: "wait_for_event".into() };
    h.state_mut().command_at_once(replace);
    h.run_steps(2);
    assert_eq!(flow(&h).node("b").map(|node| node.kind.as_str()), Some("wait_for_event"));
    assert_eq!(flow(&h).target("a", "next"), Some(&NodeId::new("b")), "the edge into it stays");
}

/// The watch shop with its people, its jobs done at once.
fn shop() -> Harness<'static, Studio> {
    let studio = Studio::new(crate::app::fixture::studio(), Box::new(crate::gui::inline::Inline::default()));
    let harness = Harness::builder()
        .allow_missing_glyphs()
        .with_size(vec2(1440.0, 900.0))
        .with_theme(egui::Theme::Light)
        .with_context_setup(crate::gui::theme::install);
    let mut harness = harness.build_ui_state(|ui, studio: &mut Studio| studio.root(ui), studio);
    harness.run_steps(4);
    harness
}

fn act(harness: &mut Harness<'_, Studio>, act: crate::app::act::Act) {
    harness.state_mut().command_at_once(act.into());
    harness.run_steps(3);
}

#[test]
fn somebody_stands_at_a_step_and_follows_the_clock() {
    use crate::app::{Command, Overlays, act::Act};
    let mut h = shop();
    assert!(h.query_by_label_contains("Ada Lindqvist stands at").is_none(), "no clock, nobody");
    let at = crate::base::Instant::parse("2026-10-03T04:00:00Z").expect("an instant");
    act(&mut h, Act::SetClock(Some(at)));
    let badge = h.get_by_label_contains("Ada Lindqvist stands at Four hours after entry since").rect();
    let card = center(&h, "Delay: Four hours after entry");
    assert!((badge.center().y - card.y).abs() < 2.0, "at the card: {badge:?} {card:?}");
    act(&mut h, Act::Step { forward: true });
    assert!(h.query_by_label_contains("stands at Four hours after entry").is_none());
    let before = h.state().app.document().expect("a document").view.overlays;
    act(&mut h, Act::SetClock(Some(at)));
    h.state_mut().command_at_once(Command::SetOverlays(Overlays { person: false, ..before }));
    h.run_steps(2);
    assert!(h.query_by_label_contains("Ada Lindqvist stands at").is_none(), "switched off");
}

#[test]
fn the_way_with_changes_is_drawn_beside_the_old_one() {
    use crate::app::{Command, Overlays, act::Act, what_if::Change};
    let mut h = shop();
    let over = |h: &Harness<'_, Studio>, id: &str| {
        let canvas = &h.state().canvas;
        canvas.ways.card(canvas.geometry.idx(&NodeId::new(id)).expect("a card"))
    };
    assert_eq!((over(&h, "mail-1").old, over(&h, "mail-1").new), (true, false));
    // The cart of the first journey is filled five hours earlier: at this clock they are further on.
    let earlier = crate::base::Span { millis: -5 * 3_600_000, ..crate::base::Span::default() };
    for id in ["ada-003", "ada-005"] {
        act(&mut h, Act::Change(Change::Shift { id: crate::base::EventId::new(id), by: earlier }));
    }
    let at = crate::base::Instant::parse("2026-10-03T04:00:00Z").expect("an instant");
    act(&mut h, Act::SetClock(Some(at)));
    h.get_by_label_contains("Ada Lindqvist stands at Four hours after entry since");
    h.get_by_label_contains("Ada Lindqvist would stand at Twelve hours after entry since");
    let canvas = &h.state().canvas;
    let num = |pick: fn(super::ways::Over) -> bool| {
        (0..canvas.geometry.cards.len()).filter(|n| pick(canvas.ways.card(*n))).count()
    };
    assert!(num(|over| over.old) > 0 && num(|over| over.new) > 0, "both are drawn");
    assert!(num(|over| over.old != over.new) > 0, "and they part");
    assert!(canvas.ways.edges().iter().any(|n| canvas.ways.edge(*n).new));
    assert!(h.query_by_label("As it is").is_some(), "the canvas says which is which");
    let overlays = h.state().app.document().expect("a document").view.overlays;
    h.state_mut().command_at_once(Command::SetOverlays(Overlays { what_if: false, ..overlays }));
    h.run_steps(2);
    assert!((0..h.state().canvas.geometry.cards.len()).all(|n| !h.state().canvas.ways.card(n).new));
}

#[test]
fn a_way_behind_a_folded_frame_leads_over_the_frame() {
    let mut h = shop();
    let ids = ["wait-4h", "mail-1"].map(NodeId::new).to_vec();
    h.state_mut().command_at_once(crate::app::Command::Select { nodes: ids, toggle: false });
    h.run_steps(2);
    h.state_mut().command_at_once(crate::app::CommandId::FrameSelection.into());
    h.run_steps(2);
    let frame = NodeId::new(selected(&h).remove(0));
    h.state_mut().command_at_once(crate::app::CommandId::FoldFrame.into());
    h.run_steps(3);
    let canvas = &h.state().canvas;
    let n = canvas.geometry.idx(&frame).expect("a card");
    assert!(canvas.ways.card(n).old, "what it hides is on the way");
    let into = canvas.geometry.edges.iter().position(|edge| edge.to_idx == n).expect("an edge to the frame");
    assert!(canvas.ways.edge(into).old);
    let at = crate::base::Instant::parse("2026-10-03T04:00:00Z").expect("an instant");
    act(&mut h, crate::app::act::Act::SetClock(Some(at)));
    let badge = h.get_by_label_contains("Ada Lindqvist stands at Four hours after entry since").rect();
    let canvas = &h.state().canvas;
    assert_eq!(canvas.geometry.shown_idx(&NodeId::new("wait-4h")), Some(n));
    assert!(badge.is_positive());
}
