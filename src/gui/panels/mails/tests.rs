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

fn body(window: &Window) -> crate::content::Body {
    let document = fixture::document(&window.state().app);
    document.flow().message("mail-1").expect("a message").variants[0].body.clone()
}

#[test]
fn a_source_is_made_typed_in_and_taken_back() {
    let mut window = window(vec2(1440.0, 900.0));
    command(&mut window, Act::Open("mail-1".into()));
    assert!(window.query_by_label("Edit source").is_none(), "blocks have no source");
    let before = body(&window);
    click(&mut window, "Content written as");
    click(&mut window, "Write it as HTML");
    let crate::content::Body::Html(made) = body(&window) else { panic!("HTML") };
    click(&mut window, "Open the editor");
    let editor = window.get_by_label("HTML source");
    editor.focus();
    window.run_steps(2);
    for letters in ["<p>", "Hi {first"] {
        window.get_by_label("HTML source").type_text(letters);
        window.run_steps(2);
    }
    window.key_press(Key::Enter);
    window.run_steps(4);
    let crate::content::Body::Html(typed) = body(&window) else { panic!("HTML") };
    assert!(typed.contains("<p>Hi {first_name}"), "{}", typed.len());
    // One step of the history for what was typed, one for the switch.
    command(&mut window, crate::app::CommandId::Undo);
    assert_eq!(body(&window), crate::content::Body::Html(made));
    command(&mut window, crate::app::CommandId::Undo);
    assert_eq!(body(&window), before);
}

#[test]
fn what_is_wrong_in_a_source_stands_below_it_and_leads_to_its_place() {
    let mut window = window(vec2(1440.0, 900.0));
    command(
        &mut window,
        Act::SwitchBody { message: "mail-1".into(), variant_idx: 0, to: crate::app::mails::source::Form::Html },
    );
    let document = fixture::document(&window.state().app);
    let change = crate::app::inspector::message::MessageChange::Type(
        crate::app::inspector::message::Part::Source,
        "<p>Hi</p>\n<p>{{ first_name|nosuch }}</p>".to_owned(),
    );
    let ready = crate::app::inspector::message::edit(document.flow(), &"mail-1".into(), 0, &change).expect("an edit");
    command(&mut window, ready.command());
    command(&mut window, Act::EditSource("mail-1".into(), None));
    window.get_by_label_contains("Line 2: ").click();
    window.run_steps(4);
    assert!(window.get_by_label("HTML source").is_focused());
}

#[test]
fn a_fallback_is_typed_at_its_row() {
    let mut window = window(vec2(1440.0, 900.0));
    command(&mut window, Act::Open("mail-1".into()));
    click(&mut window, "Tags");
    let field = window.get_by_label("Fallback of first_name");
    field.focus();
    window.run_steps(2);
    window.get_by_label("Fallback of first_name").type_text("!");
    window.run_steps(4);
    let document = fixture::document(&window.state().app);
    let fallback = document.flow().field("first_name").and_then(|field| field.fallback.clone());
    assert!(fallback.as_ref().is_some_and(|fallback| fallback.contains('!')), "{fallback:?}");
}
