//! Files by hand: gallery, tabs, questions, pages, found by their names. The disk is a value in memory.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use egui::{Key, Modifiers, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::{
    app::{
        Answer, App, Command, CommandId, Request,
        files::{Draft, Page, Purpose, Task, Told, samples},
        preferences::NumberStyle,
    },
    base::Instant,
    flow::file,
    gui::{Outside, Studio, inline::Inline, testing::WATCH, theme},
};

/// What was asked of the disk, by name.
type Log = Rc<RefCell<Vec<String>>>;

/// A disk that answers at once and writes nothing.
struct Disk {
    inline: Inline,
    answers: Vec<Answer>,
    log: Log,
}

impl Outside for Disk {
    fn now(&self) -> Instant {
        self.inline.now()
    }

    fn perform(&mut self, request: Request, ctx: &egui::Context) {
        let task = match request {
            Request::Files(task) => task,
            Request::AskSave { document, suggested } => {
                let purpose = Purpose::Save { document };
                return self.answers.push(Told::NoDialog { purpose, suggested, folder: "/x".into() }.into());
            }
            Request::Quit => return self.log.borrow_mut().push("Quit".to_owned()),
            other => return self.inline.perform(other, ctx),
        };
        self.log.borrow_mut().push(format!("{task:?}").split([' ', '(']).next().unwrap_or("").to_owned());
        match task {
            Task::Save { document, path, revision, .. } => {
                self.answers.push(Answer::Saved { document, path, revision });
            }
            Task::OpenSample { workspace, flow, loaded } => {
                let home = Arc::new(samples::home(workspace, flow));
                self.answers.push(Told::Sample { workspace, loaded, home }.into());
            }
            Task::Export { document, id, revision, target, flow, home, .. } => {
                let result = crate::platforms::export(target, &flow, &home.workspace).map(Arc::new);
                self.answers.push(Told::Exported { document, id, revision, target, result }.into());
            }
            Task::AskFolder => self.answers.push(Told::Folder("/out".into()).into()),
            Task::WriteFolder { folder, force: false, .. } => self.answers.push(Told::NotEmpty(folder).into()),
            Task::WriteFolder { folder, .. } => self.answers.push(Told::Written(folder).into()),
            Task::List(folder) => {
                let entries = vec![("shop".to_owned(), true), ("old.flow.ron".to_owned(), false)];
                self.answers.push(Told::Listed { folder, entries }.into());
            }
            _ => {}
        }
    }

    fn poll(&mut self) -> Vec<Answer> {
        let mut out = self.inline.poll();
        out.append(&mut self.answers);
        out
    }
}

fn harness(answers: Vec<Answer>, size: egui::Vec2) -> (Harness<'static, Studio>, Log) {
    let log = Log::default();
    let disk = Disk { inline: Inline::default(), answers, log: Rc::clone(&log) };
    let mut app = App::new();
    app.theme = crate::app::Theme::Light;
    let mut harness = Harness::builder()
        .with_size(size)
        .with_theme(egui::Theme::Light)
        .with_context_setup(theme::install)
        .build_ui_state(|ui, studio: &mut Studio| studio.root(ui), Studio::new(app, Box::new(disk)));
    harness.run_steps(4);
    (harness, log)
}

fn opened(name: &str) -> Answer {
    let text = WATCH.replace("Watch left in the cart", name);
    let home = Arc::new(samples::home("watch-shop", "watch-shop"));
    let path = Some(format!("/w/{name}.flow.ron").into());
    Answer::Opened { path, loaded: Box::new(file::read(&text).expect("a flow")), home }
}

/// One open flow in a window of the usual size.
fn one() -> (Harness<'static, Studio>, Log) {
    harness(vec![opened("One")], vec2(1440.0, 900.0))
}

fn click(harness: &mut Harness<'_, Studio>, name: &str) {
    harness.get_by_label(name).click();
    harness.run_steps(4);
}

fn change(harness: &mut Harness<'_, Studio>) {
    harness.state_mut().command_at_once(CommandId::SelectAll.into());
    harness.state_mut().command_at_once(CommandId::Mute.into());
    harness.run_steps(2);
}

fn dialogs(harness: &Harness<'_, Studio>) -> usize {
    harness.state().app.files.dialogs.len()
}

#[test]
fn a_sample_is_searched_and_opened_from_the_gallery() {
    let (mut h, _) = harness(Vec::new(), vec2(1440.0, 900.0));
    assert!(h.query_by_label("Sample: Watch left in the cart").is_some());
    h.get_by_label("Search samples").focus();
    h.run_steps(2);
    h.get_by_label("Search samples").type_text("renews coffee");
    h.run_steps(2);
    assert!(h.query_by_label("Sample: Watch left in the cart").is_none());
    click(&mut h, "Sample: Subscription renews");
    let document = h.state().app.document().expect("open");
    assert_eq!((document.flow().id.as_str(), document.path.is_none()), ("renewal", true));
    assert!(!document.home.audience.contacts.is_empty());
}

#[test]
fn a_template_begins_a_flow_of_its_own() {
    let (mut h, _) = harness(Vec::new(), vec2(1440.0, 900.0));
    click(&mut h, "New: Abandoned cart");
    assert_eq!(h.state().app.document().expect("open").title(), "Abandoned cart");
}

#[test]
fn unsaved_work_is_offered_in_the_gallery() {
    let at = Instant::from_millis(1_789_999_000_000);
    let draft = |id: &str, name: &str| Draft { id: id.to_owned(), name: name.to_owned(), path: None, at };
    let drafts = vec![draft("1", "Spring cart"), draft("2", "Old")];
    let told = Told::Started { preferences: Box::default(), words: Vec::new(), drafts, last: None };
    let (mut h, log) = harness(vec![told.into()], vec2(1440.0, 900.0));
    click(&mut h, "Discard Old");
    click(&mut h, "Restore Spring cart");
    assert_eq!(*log.borrow(), ["DropDraft", "Restore"]);
}

#[test]
fn tabs_are_shown_changed_and_closed() {
    let (mut h, _) = harness(vec![opened("One"), opened("Two"), opened("Three")], vec2(1440.0, 900.0));
    click(&mut h, "Tab One");
    assert_eq!(h.state().app.document().expect("open").title(), "One");
    h.key_press_modifiers(Modifiers::COMMAND, Key::PageDown);
    h.run_steps(3);
    assert_eq!(h.state().app.document().expect("open").title(), "Two");
    h.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Tab);
    h.run_steps(3);
    assert_eq!(h.state().app.document().expect("open").title(), "One");
    click(&mut h, "Close Three");
    assert_eq!(h.state().app.documents.len(), 2);
}

#[test]
fn closing_asks_and_saving_goes_on() {
    let (mut h, log) = one();
    change(&mut h);
    h.state_mut().command_at_once(CommandId::CloseTab.into());
    h.run_steps(3);
    click(&mut h, "Cancel");
    assert_eq!((h.state().app.documents.len(), dialogs(&h)), (1, 0));
    h.state_mut().command_at_once(CommandId::Quit.into());
    h.run_steps(3);
    click(&mut h, "Save");
    assert!(log.borrow().iter().any(|task| task == "Quit"), "{log:?}");
}

#[test]
fn escape_leaves_everything_as_it_is() {
    let (mut h, _) = one();
    change(&mut h);
    h.state_mut().command_at_once(CommandId::CloseTab.into());
    h.run_steps(3);
    h.key_press(Key::Escape);
    h.run_steps(3);
    assert_eq!((h.state().app.documents.len(), dialogs(&h)), (1, 0));
    assert!(!h.state().app.document().expect("open").history.is_clean());
}

#[test]
fn our_own_dialog_takes_a_name() {
    let (mut h, log) = one();
    h.state_mut().command_at_once(CommandId::SaveAs.into());
    h.run_steps(4);
    assert!(h.query_by_label("shop").is_some(), "folders are shown");
    click(&mut h, "old.flow.ron");
    click(&mut h, "Save");
    assert_eq!(dialogs(&h), 1, "asks before it writes over a file");
    click(&mut h, "Save");
    assert!(log.borrow().iter().any(|task| task == "Save"));
    let path = h.state().app.document().expect("open").path.clone();
    assert_eq!(path.as_deref(), Some(std::path::Path::new("/x/old.flow.ron")));
}

#[test]
fn the_undo_list_goes_back_several_steps() {
    let (mut h, _) = one();
    for _ in 0..3 {
        change(&mut h);
    }
    click(&mut h, "Undo list");
    let labels: Vec<String> =
        h.state().app.document().expect("open").history.undo_labels().map(str::to_owned).collect();
    assert_eq!(labels.len(), 3);
    let last = h.get_all_by_label(&labels[2]).last().expect("in the list");
    last.click();
    h.run_steps(4);
    assert!(h.state().app.document().expect("open").history.undo_labels().count() <= 2);
}

#[test]
fn a_flow_is_handed_over() {
    let (mut h, log) = one();
    click(&mut h, "Publish…");
    click(&mut h, "HubSpot");
    click(&mut h, "Export to a folder…");
    assert!(h.query_by_label("/out is not empty").is_some());
    click(&mut h, "Write into it");
    assert!(h.query_by_label_contains("files written to /out").is_some());
    click(&mut h, "As one ZIP");
    click(&mut h, "Export to a folder…");
    assert!(h.query_by_label("/out/watch-shop-hubspot.zip is there already").is_some());
    click(&mut h, "Write over it");
    click(&mut h, "Open the folder");
    let log = log.borrow();
    assert_eq!(log.iter().filter(|task| *task == "WriteFolder").count(), 4);
    assert_eq!(log.last().map(String::as_str), Some("ShowFolder"));
}

#[test]
fn something_for_a_client_is_made_from_the_page() {
    let (mut h, log) = one();
    h.state_mut().command_at_once(CommandId::Publish.into());
    h.run_steps(4);
    click(&mut h, "Client");
    let _ = h.get_by_label("Save the document…");
    click(&mut h, "Picture as PDF");
    click(&mut h, "Save the picture…");
    assert_eq!(log.borrow().last().map(String::as_str), Some("Client"));
    let _ = h.get_by_label_contains("It is being made");
    click(&mut h, "Klaviyo");
    let _ = h.get_by_label("Export to a folder…");
}

#[test]
fn two_versions_stand_side_by_side() {
    let (mut h, log) = one();
    h.state_mut().command_at_once(Command::Select { nodes: ["wait-4h".into()].into(), toggle: false });
    h.state_mut().command_at_once(CommandId::Mute.into());
    h.state_mut().command_at_once(CommandId::CompareWith.into());
    h.run_steps(5);
    let _ = h.get_by_label("Before: As saved");
    assert_eq!(h.get_all_by_label("Changed: Four hours after entry").count(), 2, "marked on both sides");
    let before = h.state().app.files.compare.as_ref().map(|compare| compare.centers);
    click(&mut h, "Changed: Four hours after entry: switched off");
    let compare = h.state().app.files.compare.as_ref().expect("is open");
    assert_eq!(compare.chosen, Some(0));
    assert_ne!(Some(compare.centers), before);
    assert_eq!(compare.centers[0], compare.centers[1]);
    // Both move together.
    let from = h.get_by_label("Now").rect().center();
    h.drag_at(from);
    h.run_steps(2);
    h.drop_at(from + vec2(60.0, 30.0));
    h.run_steps(3);
    let moved = h.state().app.files.compare.as_ref().map(|compare| compare.centers).expect("is open");
    assert_eq!(moved[0], moved[1]);
    click(&mut h, "A file…");
    assert_eq!(log.borrow().last().map(String::as_str), Some("AskCompare"));
    h.key_press(Key::Escape);
    h.run_steps(3);
    assert_eq!(h.state().app.files.page, None);
}

#[test]
fn keys_are_recorded_and_given_back() {
    let (mut h, _) = one();
    h.state_mut().command_at_once(CommandId::Settings.into());
    h.run_steps(3);
    h.get_by_label("Search commands").focus();
    h.run_steps(2);
    h.get_by_label("Search commands").type_text("publish");
    h.run_steps(2);
    click(&mut h, "Keys of Publish…");
    h.key_press_modifiers(Modifiers::COMMAND | Modifiers::ALT, Key::P);
    h.run_steps(3);
    assert_eq!(h.state().app.preferences.keys.get("Publish").map(String::as_str), Some("Ctrl+Alt+P"));
    h.key_press(Key::Escape);
    h.run_steps(3);
    assert_eq!(h.state().app.files.page, None);
    h.key_press_modifiers(Modifiers::COMMAND | Modifiers::ALT, Key::P);
    h.run_steps(3);
    assert_eq!(h.state().app.files.page, Some(Page::Publish));
}

#[test]
fn keys_of_another_command_are_refused_with_a_word() {
    let (mut h, _) = one();
    h.state_mut().command_at_once(CommandId::Settings.into());
    h.run_steps(3);
    h.get_by_label("Search commands").focus();
    h.run_steps(2);
    h.get_by_label("Search commands").type_text("mute");
    h.run_steps(2);
    click(&mut h, "Keys of Mute");
    h.key_press_modifiers(Modifiers::COMMAND, Key::S);
    h.run_steps(3);
    assert!(h.state().app.preferences.keys.is_empty());
    let _ = h.get_by_label_contains("is the key of \u{201c}Save\u{201d}");
    click(&mut h, "Keys of Mute");
    h.key_press_modifiers(Modifiers::COMMAND | Modifiers::ALT, Key::M);
    h.run_steps(3);
    assert!(h.query_by_label_contains("is the key of").is_none());
    h.key_press(Key::Escape);
    h.run_steps(3);
    for page in [CommandId::Shortcuts, CommandId::CommandPalette] {
        h.state_mut().command_at_once(page.into());
        h.run_steps(4);
        if page == CommandId::Shortcuts {
            let _ = h.get_by_label("Ctrl+Alt+M");
        }
        h.key_press(Key::Escape);
        h.run_steps(3);
    }
}

#[test]
fn settings_are_chosen_from_lists() {
    let (mut h, log) = one();
    h.state_mut().command_at_once(CommandId::Settings.into());
    h.run_steps(3);
    h.get_by_role_and_label(egui::Role::ComboBox, "Numbers").click();
    h.run_steps(4);
    click(&mut h, "12.480,5");
    assert_eq!(h.state().app.preferences.numbers, NumberStyle::Point);
    h.get_by_role_and_label(egui::Role::CheckBox, "Reduced motion").click();
    h.run_steps(4);
    assert!(h.state().app.preferences.reduced_motion);
    assert!(log.borrow().iter().any(|task| task == "Prefer"));
}

/// Every button of the pages lies inside the smallest window that people use.
#[test]
fn nothing_is_cut_off_in_a_small_window() {
    let size = vec2(800.0, 600.0);
    let inside = |h: &Harness<'_, Studio>, name: &str| {
        let rect = h.get_all_by_label(name).next().expect("there").rect();
        assert!(egui::Rect::from_min_size(egui::Pos2::ZERO, size).contains_rect(rect), "{name}: {rect:?}");
    };
    let (h, _) = harness(Vec::new(), size);
    ["New flow", "Open…", "Settings…", "New: Win-back"].iter().for_each(|name| inside(&h, name));
    let (mut h, _) =
        harness(vec![opened("A flow whose name is far too long for the bar at the top"), opened("Two")], size);
    click(&mut h, "Tab A flow whose name is far too long for the bar at the top");
    ["Gallery", "Undo", "Redo", "More", "Simulate", "Publish…"].iter().for_each(|name| inside(&h, name));
    for (id, names) in [
        (CommandId::Publish, &["Klaviyo", "Client", "Export to a folder…", "Close"][..]),
        (CommandId::Settings, &["Size of everything", "Close"]),
        (CommandId::Shortcuts, &["Change keys…", "Close"]),
    ] {
        h.state_mut().command_at_once(Command::Run(id));
        h.run_steps(4);
        names.iter().for_each(|name| inside(&h, name));
        h.key_press(Key::Escape);
        h.run_steps(3);
    }
}

#[test]
fn what_both_changed_is_chosen_one_by_one_in_the_dialog() {
    let (mut h, _) = one();
    let id = h.state().app.documents[0].id;
    let (first, second) = {
        let flow = h.state().app.document().expect("open").flow();
        (flow.nodes[1].id.clone(), flow.nodes[2].id.clone())
    };
    let title =
        |id: &crate::base::NodeId, title: &str| crate::flow::Edit::SetTitle { id: id.clone(), title: title.to_owned() };
    let edits = vec![title(&first, "Mine 1"), title(&second, "Mine 2")];
    let theirs = {
        let flow = h.state().app.document().expect("open").flow();
        let edits = [title(&first, "Theirs 1"), title(&second, "Theirs 2")];
        let flow = crate::flow::edit::apply_all(flow, &edits).expect("applies");
        let loaded = Box::new(file::read(&file::write(&flow)).expect("a flow"));
        crate::app::files::Theirs { loaded, home: Arc::clone(&h.state().app.documents[0].home) }
    };
    let state = h.state_mut();
    state.command_at_once(Command::Edit { label: "Rename".to_owned(), edits, merge: None });
    let told = Told::Changed { document: id, theirs, while_saving: false };
    state.command_at_once(Command::Answer(told.into()));
    h.run_steps(5);
    assert!(h.query_by_label_contains("2 things were changed here and in the file").is_some());
    click(&mut h, "All theirs");
    click(&mut h, "Mine: Step \u{201c}Mine 2\u{201d}, its name");
    click(&mut h, "Merge");
    assert_eq!(dialogs(&h), 0);
    let flow = h.state().app.document().expect("open").flow().clone();
    let titles = [&first, &second].map(|id| flow.node(id.as_str()).expect("there").title.clone());
    assert_eq!(titles, ["Theirs 1", "Mine 2"]);
}
