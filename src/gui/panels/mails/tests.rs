//! The mail page in a window, found by accessible names.

use egui::{Key, Modifiers, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::{
    app::{Command, fixture, mails::Act, pages::PageKind},
    gui::{Studio, inline, testing},
};

type Window = Harness<'static, Studio>;

fn window(size: egui::Vec2) -> Window {
    let home = std::sync::Arc::unwrap_or_clone(fixture::home());
    let studio = inline::studio(None, crate::flow::file::read(testing::WATCH).expect("a flow"), home, false);
    let harness =
        Harness::builder().allow_missing_glyphs().with_size(size).with_context_setup(crate::gui::theme::install);
    let mut harness = harness.build_ui_state(|ui, studio: &mut Studio| studio.root(ui), studio);
    harness.run_steps(4);
    harness
}

fn command(window: &mut Window, command: impl Into<Command>) {
    let ctx = window.ctx.clone();
    window.state_mut().command(command.into(), &ctx);
    window.run_steps(4);
}

fn click(window: &mut Window, name: &str) {
    window.get_by_label(name).click();
    window.run_steps(4);
}

#[test]
fn the_page_opens_by_its_key_with_the_inspector_beside_it() {
    let mut window = window(vec2(1440.0, 900.0));
    command(&mut window, Command::GoTo("mail-1".into()));
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::E);
    window.run_steps(4);
    assert_eq!(fixture::document(&window.state().app).view.page, Some(PageKind::Mails));
    let _ = window.get_by_label("Subject line");
    for part in ["Inbox", "Text", "Source", "Links", "Tags", "Picture"] {
        click(&mut window, part);
    }
}

#[test]
fn two_mails_stand_side_by_side() {
    let mut window = window(vec2(1440.0, 900.0));
    command(&mut window, Act::Open("mail-1".into()));
    click(&mut window, "Side by side");
    let _ = window.get_by_label_contains("Other contact: ");
    click(&mut window, "375 pixels, a phone of the other mail");
    click(&mut window, "Light colours of the other mail");
    click(&mut window, "Swap sides");
    click(&mut window, "Text");
    click(&mut window, "Side by side");
    assert!(window.query_by_label_contains("Other contact: ").is_none());
}

#[test]
fn links_and_hints_are_found_by_name() {
    let mut window = window(vec2(1100.0, 700.0));
    command(&mut window, Act::Open("mail-1".into()));
    click(&mut window, "Links");
    let _ = window.get_by_label_contains("Unsubscribe: https://example.com/unsubscribe");
}

#[test]
fn subjects_of_all_versions_stand_beside_each_other() {
    let mut window = window(vec2(1440.0, 900.0));
    command(&mut window, Act::Open("mail-1".into()));
    click(&mut window, "Subjects");
    let _ = window.get_all_by_label_contains("Dealt to ").next().expect("who is dealt it");
    let _ = window.get_all_by_label_contains("Inbox on a phone, ").next().expect("the longest");
    let _ = window.get_all_by_label_contains("Inbox on a desktop, ").next().expect("the longest");
    let document = fixture::document(&window.state().app);
    let made = document.derived.lab.as_ref().expect("made").value.1.as_ref().expect("a mail");
    assert_eq!(made.num_contacts, fixture::NUM_CONTACTS);
}
