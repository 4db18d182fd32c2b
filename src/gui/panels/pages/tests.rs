//! The pages in a window, found by accessible names.

use egui::{Key, Modifiers, vec2};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};

use crate::{
    app::{Command, CommandId, Home, fixture, pages::PageKind},
    gui::{Studio, inline, testing},
};

type Window = Harness<'static, Studio>;

fn window_of(home: Home, size: egui::Vec2, theme: egui::Theme) -> Window {
    let dark = theme == egui::Theme::Dark;
    let studio = inline::studio(None, crate::flow::file::read(testing::WATCH).expect("a flow"), home, dark);
    // Names in all scripts: the window takes what Inter lacks from the fonts of the system.
    let harness = Harness::builder()
        .allow_missing_glyphs()
        .with_size(size)
        .with_theme(theme)
        .with_context_setup(crate::gui::theme::install);
    let mut harness = harness.build_ui_state(|ui, studio: &mut Studio| studio.root(ui), studio);
    harness.run_steps(4);
    harness
}

fn home() -> Home {
    std::sync::Arc::unwrap_or_clone(fixture::home())
}

fn window() -> Window {
    window_of(home(), vec2(1440.0, 900.0), egui::Theme::Light)
}

fn click(window: &mut Window, name: &str) {
    window.get_by_label(name).click();
    window.run_steps(3);
}

fn click_containing(window: &mut Window, name: &str) {
    window.get_by_label_contains(name).click();
    window.run_steps(3);
}

fn command(window: &mut Window, command: impl Into<Command>) {
    let ctx = window.ctx.clone();
    window.state_mut().command(command.into(), &ctx);
    window.run_steps(3);
}

fn page(window: &Window) -> Option<PageKind> {
    fixture::document(&window.state().app).view.page
}

fn type_into(window: &mut Window, name: &str, text: &str) {
    window.get_by_label(name).focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.run_steps(2);
    window.get_by_label(name).type_text(text);
    window.run_steps(3);
}

#[test]
fn a_page_opens_by_its_key_and_closes_by_escape() {
    let mut window = window();
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Num1);
    window.run_steps(3);
    assert_eq!(page(&window), Some(PageKind::Tags));
    window.key_press(Key::Escape);
    window.run_steps(3);
    assert_eq!(page(&window), None);
    command(&mut window, CommandId::PageTags);
    click(&mut window, "Back to the canvas");
    assert_eq!(page(&window), None);
}

#[test]
fn a_merge_tag_is_renamed_with_all_its_uses_as_one_step() {
    let mut window = window();
    command(&mut window, CommandId::PageTags);
    click_containing(&mut window, "Merge tag cart_items");
    type_into(&mut window, "Name of the merge tag", "first_name");
    let _ = window.get_by_label_contains("There is a merge tag `first_name` already");
    type_into(&mut window, "Name of the merge tag", "pieces");
    assert!(testing::flow(&window).field("pieces").is_none(), "nothing changes while it is typed");
    window.key_press(Key::Enter);
    window.run_steps(3);
    let flow = testing::flow(&window);
    assert!(flow.field("pieces").is_some() && flow.field("cart_items").is_none());
    assert!(flow.messages[0].section.raw().contains("items: \"pieces\""));
    let _ = window.get_by_label("Remove merge tag pieces");
    command(&mut window, CommandId::Undo);
    assert!(testing::flow(&window).field("cart_items").is_some());
}

#[test]
fn a_merge_tag_is_edited_and_removed_after_a_question() {
    let mut window = window();
    command(&mut window, CommandId::PageTags);
    click_containing(&mut window, "Merge tag threshold");
    type_into(&mut window, "Title", "Large cart");
    assert_eq!(testing::flow(&window).field("threshold").map(|f| f.title().to_owned()).as_deref(), Some("Large cart"));
    click(&mut window, "Has a fallback");
    type_into(&mut window, "Fallback", "500");
    assert_eq!(testing::flow(&window).field("threshold").and_then(|f| f.fallback.clone()).as_deref(), Some("500"));
    click(&mut window, "Remove merge tag threshold");
    assert!(testing::flow(&window).field("threshold").is_some());
    click(&mut window, "Remove anyway");
    assert!(testing::flow(&window).field("threshold").is_none());
    click(&mut window, "Add merge tag");
    assert!(testing::flow(&window).field("new_tag").is_some());
}

#[test]
fn a_use_of_a_tag_leads_to_its_step() {
    let mut window = window();
    command(&mut window, CommandId::PageTags);
    type_into(&mut window, "Search merge tags", "pieces left");
    assert!(window.query_by_label_contains("Merge tag cart_value").is_none());
    click_containing(&mut window, "Merge tag stock_left");
    window.get_by_label_contains("part 1, levels 1, text").scroll_to_me();
    window.run_steps(3);
    click_containing(&mut window, "part 1, levels 1, text");
    assert_eq!(page(&window), None);
    assert_eq!(fixture::document(&window.state().app).selected().map(|id| id.as_str()), Some("mail-2"));
}

#[test]
fn a_contact_is_chosen_in_the_audience() {
    let mut window = window();
    command(&mut window, CommandId::PageAudience);
    type_into(&mut window, "Search contacts", "nguy");
    assert!(window.query_by_label_contains("Contact Ada").is_none());
    let _ = window.get_by_label("1 of 16");
    click_containing(&mut window, "Contact An Nguy");
    assert_eq!(fixture::document(&window.state().app).view.contact, Some("an".into()));
    let _ = window.get_by_label_contains("EVENTS (");
    let mut empty = window_of(Home::default(), vec2(1440.0, 900.0), egui::Theme::Light);
    command(&mut empty, CommandId::PageAudience);
    let _ = empty.get_by_label_contains("contacts.csv");
}

#[test]
fn a_segment_is_edited_with_its_sentence_and_count_and_undone() {
    let mut window = window();
    command(&mut window, CommandId::PageSegments);
    click_containing(&mut window, "Segment VIP");
    type_into(&mut window, "Who is in it", "contact.lifetime_value > 100000");
    let _ = window.get_by_label_contains("Segment VIP, 0 contacts");
    let document = fixture::document(&window.state().app);
    assert_eq!(document.home.workspace.segments["VIP"].text(), "contact.lifetime_value > 100000");
    command(&mut window, CommandId::Undo);
    let document = fixture::document(&window.state().app);
    assert_eq!(document.home.workspace.segments["VIP"].text(), "contact.lifetime_value > 500");
    click(&mut window, "Remove segment VIP");
    click(&mut window, "Keep it");
    click(&mut window, "Add segment");
    type_into(&mut window, "Name of the segment", "Quiet ones");
    window.key_press(Key::Enter);
    window.run_steps(3);
    let _ = window.get_by_label_contains("Segment Quiet ones");
}

#[test]
fn a_score_model_is_built_by_hand() {
    let mut window = window();
    command(&mut window, CommandId::PageScores);
    click(&mut window, "Add score model");
    click(&mut window, "Add signal");
    let document = fixture::document(&window.state().app);
    assert_eq!(document.home.workspace.scores[0].signals.len(), 1);
    let _ = window.get_by_label_contains("Score model new_score, 0 points");
}

#[test]
fn an_event_is_renamed_in_the_catalogue_and_in_every_use() {
    let mut window = window();
    command(&mut window, CommandId::PageEvents);
    click_containing(&mut window, "Event Placed Order");
    type_into(&mut window, "Name of the event", "Cart Updated");
    let _ = window.get_by_label_contains("There is an event \u{201c}Cart Updated\u{201d} already");
    type_into(&mut window, "Name of the event", "Order Placed");
    let _ = window.get_by_label_contains("of the sample audience keep this name");
    window.key_press(Key::Enter);
    window.run_steps(3);
    let document = fixture::document(&window.state().app);
    assert!(document.home.workspace.event("Order Placed").is_some());
    assert!(crate::flow::file::write(document.flow()).contains("Order Placed"));
    assert!(!crate::flow::file::write(document.flow()).contains("Placed Order"));
    command(&mut window, CommandId::Undo);
    let _ = window.get_by_label_contains("Event Placed Order");
}

#[test]
fn an_empty_page_offers_the_first_of_its_kind_and_its_name_is_typed_at_once() {
    let mut window = window_of(Home::default(), vec2(1440.0, 900.0), egui::Theme::Light);
    command(&mut window, CommandId::PageSenders);
    click(&mut window, "Add the first sender");
    window.get_by_label("Name of the sender").type_text("shop");
    window.run_steps(3);
    window.key_press(Key::Enter);
    window.run_steps(3);
    let document = fixture::document(&window.state().app);
    assert_eq!(document.home.workspace.senders[0].id, "shop");
    type_into(&mut window, "Search senders", "nobody of that name");
    click(&mut window, "Clear the search");
    let _ = window.get_by_label_contains("Sender shop");
}

#[test]
fn settings_of_flow_and_workspace_stand_on_one_page() {
    let mut window = window();
    command(&mut window, CommandId::PageFlow);
    type_into(&mut window, "Workspace: Zone", "Europe/Paris");
    type_into(&mut window, "Flow name", "Carts");
    let document = fixture::document(&window.state().app);
    assert_eq!((document.home.workspace.zone.as_str(), document.flow().name.as_str()), ("Europe/Paris", "Carts"));
    command(&mut window, CommandId::Undo);
    command(&mut window, CommandId::Undo);
    let document = fixture::document(&window.state().app);
    assert_eq!(document.home.workspace.zone, "Europe/Berlin");
}

/// Every named thing lies inside the window, at both sizes, in both themes.
#[test]
fn nothing_is_cut_off() {
    for (size, theme) in [(vec2(800.0, 600.0), egui::Theme::Dark), (vec2(1600.0, 1000.0), egui::Theme::Light)] {
        for (open, row) in [
            (CommandId::PageTags, "Merge tag delivery_date"),
            (CommandId::PageAudience, "Contact Ada"),
            (CommandId::PageSegments, "Segment VIP"),
            (CommandId::PageConstants, "Constant threshold"),
            (CommandId::PageEvents, "Event Cart Updated"),
            (CommandId::PageLists, "List Newsletter"),
            (CommandId::PageSenders, "Sender shop"),
            (CommandId::PagePools, "Code pool watch15"),
            (CommandId::PageFlow, ""),
        ] {
            let mut window = window_of(home(), size, theme);
            command(&mut window, open);
            if !row.is_empty() {
                click_containing(&mut window, row);
            }
            for node in window.root().children_recursive() {
                let label = node.accesskit_node().label().unwrap_or_default();
                let Some(rect) = node.accesskit_node().bounding_box() else { continue };
                // What scrolls may end below the window; nothing may stick out to the right.
                let fits = label.is_empty() || rect.x1 <= f64::from(size.x) + 1.0;
                assert!(fits, "{open:?} {size}: {label} {rect:?}");
            }
        }
    }
}
