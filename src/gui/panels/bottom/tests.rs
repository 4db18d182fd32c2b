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
