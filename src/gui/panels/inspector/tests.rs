//! The inspector in a window, found by accessible names.

use std::sync::Arc;

use egui::{Key, Modifiers, Role, vec2};
use egui_kittest::{
    Harness,
    kittest::{NodeT, Queryable},
};

use crate::{
    app::{Answer, App, Command, Home, Request},
    audience::ConditionText,
    base::Instant,
    flow::{Workspace, file},
    gui::{Outside, Studio, theme},
};

/// The world outside, done at once; the clock stands still.
#[derive(Default)]
struct Inline(Vec<Answer>);

impl Outside for Inline {
    fn now(&self) -> Instant {
        Instant::from_millis(0)
    }

    fn perform(&mut self, request: Request, _ctx: &egui::Context) {
        if let Request::Start(job) = request {
            self.0.push(Answer::Done(job.run()));
        }
    }

    fn poll(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.0)
    }
}

const FLOW: &str = r#"(version: 2, id: "f", name: "F", settings: (sender: "shop"),
    fields: [(name: "first_name", source: contact("first_name"), fallback: "there", samples: ["Ada"])],
    nodes: [
        (id: "start", kind: "trigger", settings: (any: [event(event: "A")])),
        (id: "wait", kind: "delay", title: "Wait a little", pos: (0, 150), settings: (wait: for("4 h"))),
        (id: "ask", kind: "condition", pos: (0, 300), settings: (condition: "contact.language = \"en\"")),
        (id: "deal", kind: "split", pos: (0, 450), settings: (salt: "s", arms: [(name: "a", weight: 50), (name: "b", weight: 50)])),
        (id: "mail", kind: "email", title: "Hello", pos: (0, 600), settings: (message: "m")),
        (id: "odd", kind: "teleport", pos: (400, 600), settings: (to: "mars")),
    ],
    edges: [(from: "start", to: "wait"), (from: "wait", to: "ask"), (from: "ask", port: "yes", to: "deal"), (from: "deal", port: "a", to: "mail")],
    messages: [(id: "m", subject: "Hi", body: blocks([heading(text: "Hello"), sparkle(much: true), footer()]))],
)"#;

struct Window(Harness<'static, Studio>);

impl Window {
    fn new(select: &[&str]) -> Self {
        Self::sized(select, vec2(1440.0, 1400.0))
    }

    fn sized(select: &[&str], size: egui::Vec2) -> Self {
        let loaded = file::read(FLOW).unwrap_or_else(|found| panic!("{}", found.message));
        let segments = [("VIP".into(), ConditionText::new("contact.vip = true"))].into();
        let workspace = Workspace { segments, ..Workspace::default() };
        let mut app = App::new();
        app.open(None, loaded, Arc::new(Home { workspace, ..Home::default() }));
        let nodes = select.iter().map(|id| (*id).into()).collect();
        app.apply(Command::Select { nodes, toggle: false }, Instant::from_millis(0));
        let studio = Studio::new(app, Box::<Inline>::default());
        let mut harness = Harness::builder()
            .with_size(size)
            .with_theme(egui::Theme::Light)
            .with_context_setup(theme::install)
            .build_ui_state(|ui, studio: &mut Studio| studio.root(ui), studio);
        harness.run_steps(3);
        Self(harness)
    }

    /// The field of this name: panels elsewhere may have words that are the same.
    fn field<'a>(&'a self, label: &'a str) -> egui_kittest::Node<'a> {
        self.0.get_by(|node| {
            matches!(node.role(), Role::TextInput | Role::MultilineTextInput) && node.label().as_deref() == Some(label)
        })
    }

    fn type_over(&mut self, label: &str, text: &str) {
        self.field(label).click();
        self.0.run_steps(2);
        self.0.key_press_modifiers(Modifiers::COMMAND, Key::A);
        self.0.run_steps(1);
        self.field(label).type_text(text);
        self.0.run_steps(3);
    }

    fn click(&mut self, label: &str) {
        self.0.get_by_label(label).click();
        self.0.run_steps(3);
    }

    /// Drags what is called `label` to a point beside the middle of `to`, in a few moves.
    fn drag(&mut self, label: &str, to: &str, beside: egui::Vec2) {
        let from = self.0.get_by_label(label).rect().center();
        let end = self.0.get_by_label(to).rect().center() + beside;
        self.0.hover_at(from);
        self.0.run_steps(1);
        self.0.drag_at(from);
        self.0.run_steps(1);
        for n in 1..=5 {
            self.0.hover_at(from + (end - from) * (n as f32 / 5.0));
            self.0.run_steps(1);
        }
        self.0.drop_at(end);
        self.0.run_steps(3);
    }

    fn press(&mut self, key: Key) {
        self.0.key_press(key);
        self.0.run_steps(3);
    }

    fn blocks(&self) -> Vec<String> {
        let document = self.0.state().app.document().expect("open");
        let message = document.flow().message("m").expect("there");
        let crate::content::Body::Blocks(blocks) = &message.variants[0].body else { panic!("blocks") };
        blocks.iter().map(|block| block.kind_name().to_owned()).collect()
    }

    fn settings(&self, id: &str) -> String {
        let document = self.0.state().app.document().expect("open");
        document.flow().node(id).expect("there").settings.raw().to_owned()
    }

    fn value(&self, label: &str) -> String {
        self.field(label).value().unwrap_or_default()
    }

    fn sees(&self, text: &str) -> bool {
        let says = |node: &egui_kittest::kittest::AccessKitNode<'_>| {
            node.value().is_some_and(|v| v.contains(text)) || node.label().is_some_and(|l| l.contains(text))
        };
        self.0.query_all_by(says).next().is_some()
    }

    fn undo_labels(&self) -> Vec<String> {
        let document = self.0.state().app.document().expect("open");
        document.history.undo_labels().map(str::to_owned).collect()
    }
}

#[test]
fn a_step_is_renamed_in_one_step() {
    let mut window = Window::new(&["wait"]);
    window.type_over("Step name", "A short wait");
    let document = window.0.state().app.document().expect("open");
    assert_eq!(document.flow().node("wait").expect("there").title, "A short wait");
    assert_eq!(window.undo_labels(), ["Rename step"]);
}

#[test]
fn a_wait_is_typed_as_people_write_it() {
    let mut window = Window::new(&["wait"]);
    window.type_over("Span", "1 day 4 h");
    assert_eq!(window.settings("wait"), r#"(wait: for("1 day 4 h"))"#);
    assert!(window.sees("1 day on the calendar, then 4 h"));
}

#[test]
fn a_wait_that_cannot_be_stands_at_its_field_and_keeps_the_flow() {
    let mut window = Window::new(&["wait"]);
    window.type_over("Span", "soon");
    assert_eq!(window.settings("wait"), r#"(wait: for("4 h"))"#);
    assert_eq!(window.value("Span"), "soon");
    assert!(window.sees("is not a span"));
    // It is still there after looking elsewhere.
    window.field("Step name").click();
    window.0.run_steps(3);
    assert_eq!(window.value("Span"), "soon");
    window.type_over("Span", "2 h");
    assert!(!window.sees("is not a span"));
    assert_eq!(window.settings("wait"), r#"(wait: for("2 h"))"#);
}

#[test]
fn weights_keep_100() {
    let mut window = Window::new(&["deal"]);
    window.type_over("Arm 1: Share", "70");
    assert_eq!(window.settings("deal"), r#"(salt: "s", arms: [(name: "a", weight: 70), (name: "b", weight: 30)])"#);
    window.click("Add arm");
    assert!(window.settings("deal").contains(r#"(name: "c", weight: 33.33)"#), "{}", window.settings("deal"));
    window.type_over("Arm 1: Name", "calm");
    let document = window.0.state().app.document().expect("open");
    assert_eq!(document.flow().target("deal", "calm").map(|id| id.as_str()), Some("mail"));
}

#[test]
fn a_condition_says_what_it_means_and_what_is_wrong() {
    let mut window = Window::new(&["ask"]);
    assert!(window.sees("The contact's language is \"en\""));
    window.type_over("Condition", "contact.language == ");
    assert!(window.settings("ask").contains("contact.language =="), "kept letter by letter");
    let document = window.0.state().app.document().expect("open");
    let node = document.flow().node("ask").expect("there");
    let Some(crate::kinds::Settings::Condition(condition)) = node.settings() else { panic!("a condition") };
    let mistake = condition.condition.parsed().errors.first().expect("a mistake").message.clone();
    assert!(window.sees(&crate::app::inspector::capital(&mistake)), "{mistake}");
}

#[test]
fn a_condition_is_built() {
    let mut window = Window::new(&["ask"]);
    window.click("Build condition");
    window.type_over("Condition part 1: Compared with", "it");
    assert!(window.settings("ask").contains(r#"contact.language = \"it\""#), "{}", window.settings("ask"));
    window.click("Add to condition group 1");
    window.click("In a segment");
    assert!(window.settings("ask").contains("in segment"), "{}", window.settings("ask"));
    window.click("Text of condition");
    assert_eq!(window.value("Condition"), r#"contact.language = "it" and in segment "VIP""#);
}

#[test]
fn a_subject_is_written_and_a_tag_inserted() {
    let mut window = Window::new(&["mail"]);
    window.type_over("Subject line", "Hello ");
    window.click("Insert tag into subject line");
    window.click("Insert {first_name}");
    let document = window.0.state().app.document().expect("open");
    let message = document.flow().message("m").expect("there");
    assert_eq!(message.variants[0].subject, "Hello {first_name}");
    assert_eq!(window.value("Subject line"), "Hello {first_name}");
}

#[test]
fn blocks_are_changed_and_unknown_ones_kept() {
    let mut window = Window::new(&["mail"]);
    window.click("Block 1: Heading");
    window.type_over("Block 1: Words", "Good day");
    window.click("Move block 1 down");
    window.click("Add variant");
    let document = window.0.state().app.document().expect("open");
    let message = document.flow().message("m").expect("there");
    assert_eq!(message.variants.len(), 2);
    let ron = message.to_ron().expect("writes");
    let (sparkle, heading) = (ron.find("sparkle(much: true)"), ron.find("Good day"));
    assert!(sparkle.is_some() && sparkle < heading, "{ron}");
}

#[test]
fn several_steps_an_edge_the_flow_and_unknown_steps_have_their_page() {
    let window = Window::new(&["wait", "ask"]);
    assert!(window.sees("Steps of one kind can be changed together"));
    let mut window = Window::new(&[]);
    window.type_over("Passes", "7");
    window.type_over("Flow name", "Two words");
    let flow = window.0.state().app.document().expect("open").flow().clone();
    assert_eq!((flow.settings().pass_limit, flow.name.as_str()), (7, "Two words"));
    assert_eq!(flow.settings().consent.len(), 1);
    let select = Command::SelectEdge { from: "ask".into(), port: "yes".into() };
    window.0.state_mut().app.apply(select, Instant::from_millis(0));
    window.0.run_steps(3);
    window.click("Delete connection");
    assert_eq!(window.0.state().app.document().expect("open").flow().target("ask", "yes"), None);
    let window = Window::new(&["odd"]);
    assert!(window.sees("not known to this version"));
}

/// At the least width nothing pushes the panel wider, whatever is selected.
#[test]
fn nothing_is_wider_than_the_panel() {
    for select in ["start", "wait", "ask", "deal", "mail", "odd", ""] {
        let chosen: Vec<&str> = Some(select).filter(|s| !s.is_empty()).into_iter().collect();
        let mut window = Window::sized(&chosen, vec2(1000.0, 1400.0));
        if select == "ask" {
            window.click("Build condition");
        }
        if select == "mail" {
            window.click("Block 1: Heading");
            window.click("Add variant");
        }
        window.0.run_steps(8);
        let boxes = window.0.root().children_recursive().filter_map(|node| node.accesskit_node().bounding_box());
        let widest = boxes.filter(|rect| rect.x0 > 690.0).map(|rect| rect.x1).fold(0.0, f64::max);
        assert!(widest <= 1001.0, "{select}: something ends at {widest}");
        let name = if select.is_empty() { "Flow name" } else { "Step name" };
        let left = window.field(name).rect().min.x;
        // 300 of the panel and its margins; whatever is selected, it begins at the same place.
        assert!((left - 709.0).abs() < 1.0, "{select}: the panel begins at {left}");
    }
}

#[test]
fn blocks_are_dragged_to_another_place() {
    let mut window = Window::new(&["mail"]);
    let before = window.blocks();
    assert_eq!(before.first().map(String::as_str), Some("heading"));
    window.click("Block 1: Heading");
    window.drag("Drag block 1", "Block 3: Footer", vec2(0.0, 9.0));
    assert_eq!(window.blocks().last().map(String::as_str), Some("heading"));
    assert_eq!(window.undo_labels().len(), 1, "one step of the history");
    assert!(window.sees("Block 3: Words"), "what is folded out stays folded out, with its block");
    window.drag("Drag block 3", "Drag block 1", vec2(0.0, -9.0));
    assert_eq!(window.blocks(), before);
    // A drag that ends where it began changes nothing.
    window.drag("Drag block 1", "Drag block 1", vec2(0.0, 2.0));
    assert_eq!(window.undo_labels().len(), 2);
}

#[test]
fn a_drag_of_a_row_is_taken_back_by_escape() {
    let mut window = Window::new(&["mail"]);
    let before = window.blocks();
    let from = window.0.get_by_label("Drag block 1").rect().center();
    let end = window.0.get_by_label("Block 3: Footer").rect().center() + vec2(0.0, 9.0);
    window.0.hover_at(from);
    window.0.run_steps(1);
    window.0.drag_at(from);
    window.0.run_steps(1);
    window.0.hover_at(end);
    window.0.run_steps(2);
    window.press(Key::Escape);
    window.0.drop_at(end);
    window.0.run_steps(3);
    assert_eq!(window.blocks(), before);
    assert!(window.sees("Subject line"), "the step is still selected");
}

#[test]
fn arms_and_variants_are_dragged_to_another_place() {
    let mut window = Window::new(&["deal"]);
    window.drag("Drag arm 1", "Remove arm 2", vec2(0.0, 90.0));
    let settings = window.settings("deal");
    assert!(settings.find("\"b\"") < settings.find("\"a\""), "{settings}");
    assert_eq!(window.undo_labels().len(), 1);
    let mut window = Window::new(&["mail"]);
    window.click("Add variant");
    window.click("Add variant");
    let ids = |window: &Window| {
        let document = window.0.state().app.document().expect("open");
        document.flow().message("m").expect("there").variants.iter().map(|v| v.id.clone()).collect::<Vec<_>>()
    };
    let before = ids(&window);
    let (first, last) = (format!("Variant {}", before[0]), format!("Variant {}", before[2]));
    window.drag(&first, &last, vec2(16.0, 0.0));
    assert_eq!(ids(&window), [before[1].clone(), before[2].clone(), before[0].clone()]);
    window.click(&first);
    window.click(&format!("Move variant {} left", before[0]));
    assert_eq!(ids(&window), [before[1].clone(), before[0].clone(), before[2].clone()]);
}

#[test]
fn tags_are_offered_behind_a_brace_and_the_field_keeps_the_keyboard() {
    let mut window = Window::new(&["mail"]);
    let subject = |window: &Window| {
        let document = window.0.state().app.document().expect("open");
        document.flow().message("m").expect("there").variants[0].subject.clone()
    };
    window.type_over("Subject line", "Dear {fir");
    assert!(window.sees("Ada"), "the sample stands beside it");
    assert!(window.field("Subject line").is_focused());
    window.press(Key::Tab);
    assert_eq!(subject(&window), "Dear {first_name}");
    assert!(window.field("Subject line").is_focused());
    window.field("Subject line").type_text("!");
    window.0.run_steps(3);
    assert_eq!(subject(&window), "Dear {first_name}!", "the cursor stands behind it");
    window.type_over("Subject line", "Dear {fir");
    window.press(Key::Escape);
    assert!(window.field("Subject line").is_focused(), "Escape closes the list alone");
    window.press(Key::Tab);
    assert_eq!(subject(&window), "Dear {fir", "closed: Tab goes on");
    assert!(!window.field("Subject line").is_focused());
}

#[test]
fn names_are_offered_in_builder_and_condition() {
    let mut window = Window::new(&["ask"]);
    window.type_over("Condition", "in segment \"V");
    window.press(Key::Enter);
    assert_eq!(window.value("Condition"), "in segment \"VIP\"");
    window.type_over("Condition", "contact.lang");
    window.0.get_by_label_contains("contact.language").click();
    window.0.run_steps(4);
    assert_eq!(window.value("Condition"), "contact.language");
    assert!(window.field("Condition").is_focused());
    window.type_over("Condition", "in segment \"VIP\"");
    window.click("Build condition");
    window.type_over("Condition part 1: Segment", "VI");
    window.press(Key::ArrowDown);
    window.press(Key::Enter);
    assert_eq!(window.value("Condition part 1: Segment"), "VIP");
}
