//! The panels below the canvas, driven by names: what a hand does to them, and that nothing is cut off.

use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};

use crate::{
    app::{Answer, App, Command, Document, Panel, Request, act::Act, fixture},
    base::Instant,
    gui::{Outside, Studio, theme},
};

/// A world in which jobs are done at once and the clock stands.
#[derive(Default)]
struct Inline {
    answers: Vec<Answer>,
    asked: std::rc::Rc<std::cell::RefCell<Vec<String>>>,
}

impl Outside for Inline {
    fn now(&self) -> Instant {
        fixture::now()
    }

    fn perform(&mut self, request: Request, _: &egui::Context) {
        match request {
            Request::Start(job) => self.answers.push(Answer::Done(job.run())),
            Request::OpenInBrowser { name, html } => {
                self.asked.borrow_mut().push(format!("browser {name} {}", html.starts_with("<!")));
            }
            Request::CopyText(text) => self.asked.borrow_mut().push(format!("copied {}", text.len() > 500)),
            _ => {}
        }
    }

    fn poll(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.answers)
    }
}

type Asked = std::rc::Rc<std::cell::RefCell<Vec<String>>>;

fn window_of(app: App, size: egui::Vec2) -> (Harness<'static, Studio>, Asked) {
    let asked = Asked::default();
    let studio = Studio::new(app, Box::new(Inline { answers: Vec::new(), asked: std::rc::Rc::clone(&asked) }));
    // Names in all scripts: the window takes what Inter lacks from the fonts of the system.
    let harness = Harness::builder()
        .allow_missing_glyphs()
        .with_size(size)
        .with_theme(egui::Theme::Light)
        .with_context_setup(theme::install);
    let mut harness = harness.build_ui_state(|ui, studio: &mut Studio| studio.root(ui), studio);
    harness.run_steps(4);
    (harness, asked)
}

fn window() -> (Harness<'static, Studio>, Asked) {
    window_of(fixture::studio(), egui::vec2(1440.0, 900.0))
}

fn document<'a>(window: &'a Harness<'static, Studio>) -> &'a Document {
    fixture::document(&window.state().app)
}

fn click(window: &mut Harness<'static, Studio>, name: &str) {
    window.get_by_label(name).click();
    window.run_steps(3);
}

fn command(window: &mut Harness<'static, Studio>, command: impl Into<Command>) {
    let ctx = window.ctx.clone();
    window.state_mut().command(command.into(), &ctx);
    window.run_steps(3);
}

fn select(window: &mut Harness<'static, Studio>, id: &str) {
    command(window, Command::Select { nodes: vec![id.into()], toggle: false });
}

#[test]
fn the_mail_of_the_selected_step_is_shown_for_the_chosen_contact() {
    let (mut window, asked) = window();
    select(&mut window, "mail-2");
    click(&mut window, "Preview");
    click(&mut window, "Inbox");
    let _ = window.get_by_label_contains("Inbox on a phone, Meridian Watches: 15 % on the Oak-tanned strap");
    click(&mut window, "Contact: Ada Lindqvist");
    window.get_by_label("Search contacts").type_text("nguy");
    window.run_steps(3);
    click(&mut window, "An Nguyễn");
    assert_eq!(document(&window).view.contact, Some("an".into()));
    click(&mut window, "Source");
    click(&mut window, "Text");
    click(&mut window, "Tags");
    let _ = window.get_by_label_contains("discount_code: value, MERIDIAN15");
    click(&mut window, "Open in browser");
    click(&mut window, "Copy HTML");
    assert_eq!(*asked.borrow(), ["browser flowloom-mail-2-an.html true", "copied true"]);
}

#[test]
fn the_next_contact_for_whom_something_differs_is_found() {
    let (mut window, _) = window();
    select(&mut window, "mail-2");
    click(&mut window, "Preview");
    click(&mut window, "Next that differs");
    let chosen = document(&window).view.contact.clone();
    assert!(chosen.is_some() && chosen != Some("ada".into()), "{chosen:?}");
    let toast = &window.state().app.toasts[0];
    assert!(!toast.is_error && toast.text.contains(": "), "{}", toast.text);
    click(&mut window, "Contact before");
    assert_ne!(document(&window).view.contact, chosen);
}

/// A flow in which two mails stand alone, one delay is open, and a message nobody sends can be taken out.
fn faulty() -> App {
    let text = fixture::text();
    let unused = r#"(id: "old-1", subject: "Old", body: html("Old")), (id: "old-2", subject: "Older", body: html("Older")),
        (id: "mail-3", name"#;
    fixture::open(&text.replacen(r#"(id: "mail-3", name"#, unused, 1))
}

#[test]
fn a_problem_is_found_explained_mended_and_undone() {
    let (mut window, _) = window_of(faulty(), egui::vec2(1440.0, 900.0));
    let before = document(&window).flow().messages.len();
    let code = "message/unused";
    let info = format!("What is {code}?");
    window.get_all_by_label(&info).next().expect("a row").click();
    window.run_steps(3);
    let _ = window.get_by_label("WHY IT MATTERS");
    // It stands below the fold of a low panel, where a screen reader finds it.
    window.get_by_label("Fix all 2 of this kind").click_accesskit();
    window.run_steps(3);
    assert_eq!(document(&window).flow().messages.len(), before - 2);
    assert_eq!(document(&window).history.undo_labels().count(), 1);
    click(&mut window, "Back to problems");
    click(&mut window, "Undo");
    assert_eq!(document(&window).flow().messages.len(), before);
    window.get_by_label("Filter problems").focus();
    window.run_steps(2);
    window.get_by_label("Filter problems").type_text("nothing like that");
    window.run_steps(3);
    let _ = window.get_by_label("Nothing that fits the filter");
}

#[test]
fn problems_are_grouped_hidden_and_mended_by_their_group() {
    let (mut window, _) = window_of(faulty(), egui::vec2(1440.0, 900.0));
    let before = document(&window).flow().messages.len();
    let group = |window: &mut Harness<'static, Studio>, how: &str| {
        window.get_by_role_and_label(egui::Role::ComboBox, "Group problems").click();
        window.run_steps(4);
        click(window, how);
    };
    let shown = |window: &Harness<'static, Studio>| window.query_all_by_label_contains("hint: ").count();
    let hints = crate::app::problems::counts(document(&window))[2];
    assert!(hints > 0 && shown(&window) > 0);
    let s = if hints == 1 { "" } else { "s" };
    click(&mut window, &format!("Hide {hints} hint{s}"));
    assert_eq!(shown(&window), 0);
    click(&mut window, &format!("Show {hints} hint{s}"));
    window.get_by_label("Filter problems").focus();
    window.run_steps(2);
    window.get_by_label("Filter problems").type_text("message/unused");
    window.run_steps(3);
    group(&mut window, "By step");
    assert!(window.query_by_label("Message old-1, 1").is_some());
    group(&mut window, "By kind");
    click(&mut window, "Fix all 2");
    assert_eq!(document(&window).flow().messages.len(), before - 2);
    click(&mut window, "Undo");
    group(&mut window, "Worst first");
    // One of them by its own button.
    let fix = document(&window).derived.findings.iter().flat_map(|found| found.value.iter());
    let fix = fix.filter(|found| found.diagnostic.code == "message/unused").find_map(|found| found.fix.clone());
    window.get_all_by_label(&fix.expect("a fix").label).next().expect("a button").click();
    window.run_steps(3);
    assert_eq!(document(&window).flow().messages.len(), before - 1);
}

#[test]
fn a_click_on_a_problem_goes_there() {
    let text = fixture::text().replacen(r#"(from: "wait-4h", to: "mail-2"),"#, "", 1);
    let (mut window, _) = window_of(fixture::open(&text), egui::vec2(1440.0, 900.0));
    window.get_all_by_label_contains("warning: ").next().expect("a problem").click();
    window.run_steps(3);
    assert_eq!(document(&window).view.selection.len(), 1);
}

#[test]
fn the_clock_is_stepped_dragged_and_played() {
    let (mut window, _) = window();
    click(&mut window, "Time line");
    click(&mut window, "Next step");
    let first = document(&window).view.clock.expect("a clock");
    click(&mut window, "Next step");
    assert!(document(&window).view.clock.expect("a clock") > first);
    click(&mut window, "Step before");
    assert_eq!(document(&window).view.clock, Some(first));
    let axis = window.get_by_label_contains("Clock of the time line").rect();
    window.hover_at(axis.center());
    window.run_steps(1);
    window.drag_at(axis.center());
    window.run_steps(1);
    for n in 1..=4 {
        window.hover_at(axis.center() + egui::vec2(20.0 * n as f32, 0.0));
        window.run_steps(1);
    }
    window.drop_at(axis.center() + egui::vec2(80.0, 0.0));
    window.run_steps(2);
    let dragged = document(&window).view.clock.expect("a clock");
    assert!(dragged > first);
    click(&mut window, "Play");
    let playing = document(&window).view.clock.expect("a clock");
    window.run_steps(5);
    assert!(document(&window).view.playing && document(&window).view.clock > Some(playing));
    click(&mut window, "Pause");
    let stopped = document(&window).view.clock;
    window.run_steps(5);
    assert_eq!(document(&window).view.clock, stopped);
    click(&mut window, "Whole way");
    assert_eq!(document(&window).view.clock, None);
}

#[test]
fn the_clock_takes_the_arrow_keys_and_the_canvas_keeps_its_selection() {
    let (mut window, _) = window();
    select(&mut window, "mail-1");
    click(&mut window, "Time line");
    window.get_by_label_contains("Clock of the time line").focus();
    window.run_steps(2);
    let clock = |window: &Harness<'static, Studio>| document(window).view.clock.expect("a clock");
    let mut press = |modifiers, key| {
        window.key_press_modifiers(modifiers, key);
        window.run_steps(2);
        clock(&window)
    };
    use egui::{Key, Modifiers};
    let from = press(Modifiers::NONE, Key::Home);
    let small = press(Modifiers::NONE, Key::ArrowRight);
    let far = press(Modifiers::SHIFT, Key::ArrowRight);
    assert!(from < small && far.since(small) > 5 * small.since(from), "{from:?} {small:?} {far:?}");
    assert_eq!(press(Modifiers::SHIFT, Key::ArrowLeft), small);
    assert_eq!(press(Modifiers::NONE, Key::ArrowLeft), from);
    assert_eq!(press(Modifiers::NONE, Key::ArrowLeft), from, "it stops at the end of the axis");
    let until = press(Modifiers::NONE, Key::End);
    assert!(until > far);
    press(Modifiers::NONE, Key::Space);
    assert!(document(&window).view.playing);
    let selected: Vec<_> = document(&window).view.selection.iter().map(|id| id.to_string()).collect();
    assert_eq!(selected, ["mail-1"]);
}

/// A pull at the edge of a panel: the panel gets another size, and the canvas does nothing.
#[test]
fn panels_are_resized_by_their_edges() {
    let check = |panel: Panel, is_right: bool, beside: f32| {
        let (mut window, _) = window();
        select(&mut window, "mail-1");
        command(&mut window, Command::ShowPanel(Some(panel)));
        let canvas = |window: &Harness<'static, Studio>| window.get_by_role(egui::accesskit::Role::Canvas).rect();
        let before = canvas(&window);
        let (at, by) = if is_right {
            (egui::pos2(before.right() + beside, before.center().y), egui::vec2(-60.0, 0.0))
        } else {
            (egui::pos2(before.center().x, before.bottom() + beside), egui::vec2(0.0, -60.0))
        };
        window.hover_at(at);
        window.run_steps(2);
        window.drag_at(at);
        window.run_steps(1);
        for n in 1..=6 {
            window.hover_at(at + by * (n as f32 / 6.0));
            window.run_steps(1);
        }
        window.drop_at(at + by);
        window.run_steps(4);
        let after = canvas(&window);
        let moved = if is_right { before.right() - after.right() } else { before.bottom() - after.bottom() };
        assert!((moved - 60.0).abs() < 8.0, "{panel:?} {is_right} {beside}: {before:?} {after:?}");
        assert!(document(&window).view.selection.contains("mail-1"), "the canvas took the drag");
    };
    for panel in [Panel::Problems, Panel::Preview, Panel::Timeline, Panel::WhatIf, Panel::Counts] {
        // The canvas ends where the panel begins to take the pointer; the edge itself is four points further.
        check(panel, false, 1.0);
        check(panel, false, 5.0);
    }
    check(Panel::Problems, true, 1.0);
    check(Panel::Problems, true, 5.0);
}

#[test]
fn what_if_shows_what_changes_and_is_taken_back() {
    let (mut window, _) = window();
    click(&mut window, "What if");
    let change = crate::app::what_if::Change::Consent {
        channel: crate::audience::Channel::Email,
        status: crate::audience::ConsentStatus::Unsubscribed,
    };
    command(&mut window, Act::Change(change));
    assert!(window.query_all_by_label_contains("Entry: enters").next().is_some());
    let taken_back = "Take back: email consent is unsubscribed";
    click(&mut window, taken_back);
    assert!(document(&window).view.changes.is_empty() && window.query_by_label(taken_back).is_none());
}

#[test]
fn counts_lead_to_their_steps() {
    let (mut window, _) = window();
    click(&mut window, "Counts");
    window.get_by_label_contains("Your watch is waiting: ").click();
    window.run_steps(3);
    assert!(document(&window).view.selection.contains("mail-1"));
}

/// Every panel at its least height, in a small window, in both themes: names are there and nothing reaches beyond.
#[test]
fn panels_fit_into_small_windows() {
    for panel in [Panel::Problems, Panel::Preview, Panel::Timeline, Panel::WhatIf, Panel::Counts] {
        let (mut window, _) = window_of(faulty(), egui::vec2(800.0, 600.0));
        select(&mut window, "mail-2");
        command(&mut window, Command::ShowPanel(Some(panel)));
        for name in ["Problems", "Preview", "Time line", "What if", "Counts"] {
            let rects: Vec<egui::Rect> = window.get_all_by_label(name).map(|node| node.rect()).collect();
            assert!(
                rects.iter().any(|rect| rect.width() > 20.0 && rect.right() <= 800.0),
                "{panel:?}: {name} {rects:?}"
            );
        }
        let beyond = window.root().children_recursive().filter(|node| {
            let node = node.accesskit_node();
            let Some(rect) = node.bounding_box() else { return false };
            node.role() == egui::accesskit::Role::Button && rect.y0 > 300.0 && rect.x0 < 800.0 && rect.x1 > 808.0
        });
        let names: Vec<_> = beyond.map(|node| node.accesskit_node().label()).collect();
        assert!(names.is_empty(), "{panel:?}: {names:?}");
    }
}
