//! The matrix: every message for every contact, the worst first, a click away from the mail.

use std::sync::{Arc, Weak};

use egui::{Align, Align2, Button, Color32, ComboBox, Key, Layout, Margin, Modifiers, Rect, RichText, ScrollArea};
use egui::{TextEdit, Ui, vec2};

use super::parts;
use crate::{
    app::{
        App, Command, Document,
        files::Act as FilesAct,
        jobs::Kind,
        mails::Part,
        matrix::{
            Row, State,
            sheet::{self, Act, Filter, Look, SavedAs, Sheet},
        },
    },
    base::Severity,
    content::TagState,
    gui::{
        panels::{Drafts, bottom},
        theme::{self, Palette},
    },
};

/// What this page keeps for itself.
#[derive(Debug, Default)]
pub struct Draft {
    found: Vec<usize>,
    of: Option<(Weak<Sheet>, Look)>,
}

/// Draws the page.
pub fn matrix(ui: &mut Ui, app: &App, document: &Document, drafts: &mut Drafts, out: &mut Vec<Command>) {
    if !bottom::has_people(ui, document) {
        return;
    }
    let Some(made) = &document.derived.matrix else {
        waiting(ui, document, out);
        return;
    };
    let is_current = made.revision == document.history.revision();
    let (sheet, look) = (&made.value, &document.view.matrix);
    if sheet.matrix.rows.is_empty() && sheet.matrix.faults.is_empty() {
        bottom::nothing(ui, "No step of this flow sends a mail yet: go back to the canvas and add an e-mail");
        return;
    }
    let draft = &mut drafts.pages.matrix;
    let without_choice = Look { chosen: None, ..look.clone() };
    let is_same = |(of, look): &(Weak<Sheet>, Look)| of.as_ptr() == Arc::as_ptr(sheet) && *look == without_choice;
    if !draft.of.as_ref().is_some_and(is_same) {
        draft.found = sheet.found(&without_choice);
        draft.of = Some((Arc::downgrade(sheet), without_choice));
    }
    let found = &draft.found;
    bar(ui, document, sheet, is_current, out);
    summary(ui, document, sheet, (found.len(), is_current), out);
    if found.is_empty() {
        let words = match (look.filter, look.search.trim().is_empty() && look.node.is_none()) {
            (Filter::Missing, true) => "No mail has a merge tag without a value and without a fallback",
            (Filter::Problems, true) => "No mail would be held, and none has an error or a warning",
            _ => "No mail fits what is searched for",
        };
        if parts::empty(ui, words, "x", "Show all mails") {
            out.extend([
                Act::Search(String::new()).into(),
                Act::ShowNode(None).into(),
                Act::SetFilter(Filter::All).into(),
            ]);
        }
        return;
    }
    let has_keyboard =
        app.files.dialogs.is_empty() && app.files.page.is_none() && !app.palette_open && !ui.ctx().text_edit_focused();
    table(ui, sheet, found, look, has_keyboard, out);
}

/// What stands where there is no matrix yet.
fn waiting(ui: &mut Ui, document: &Document, out: &mut Vec<Command>) {
    if document.has_given_up(Kind::Matrix) {
        if parts::empty(ui, "Making every mail for every contact was cancelled", "arrow-clockwise", "Make it") {
            out.push(Command::Files(FilesAct::RunAgain(document.id, Kind::Matrix)));
        }
        return;
    }
    bottom::nothing(ui, "Making every mail for every contact\u{2026}");
}

fn bar(ui: &mut Ui, document: &Document, sheet: &Sheet, is_current: bool, out: &mut Vec<Command>) {
    let look = &document.view.matrix;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
        let mut words = look.search.clone();
        let wide = (ui.available_width() * 0.16).clamp(110.0, 240.0);
        let field = TextEdit::singleline(&mut words).hint_text("Search").desired_width(wide);
        if ui.add(field.margin(Margin::symmetric(10, 6))).accessible_name("Search mails").changed() {
            out.push(Act::Search(words).into());
        }
        let senders = sheet.senders();
        let title = look.node.as_ref().map_or("All mails", |node| sheet.title(node));
        let combo = ComboBox::from_id_salt("matrix mail").selected_text(title).width(140.0).truncate();
        let combo = combo.show_ui(ui, |ui| {
            ui.set_min_width(240.0);
            if ui.selectable_label(look.node.is_none(), "All mails").clicked() {
                out.push(Act::ShowNode(None).into());
            }
            for (node, title) in senders {
                if ui.selectable_label(look.node.as_ref() == Some(&node), title).clicked() {
                    out.push(Act::ShowNode(Some(node)).into());
                }
            }
        });
        combo.response.accessible_name("Which mail");
        let mut filter = look.filter;
        let filters = [(Filter::All, "All"), (Filter::Problems, "With problems"), (Filter::Missing, "Tags missing")];
        if bottom::choice(ui, &mut filter, &filters.map(|(which, words)| (which, words.to_owned()))) {
            out.push(Act::SetFilter(filter).into());
        }
        ui.add_space(8.0);
        for (words, help, act) in [
            ("Open in browser", "A page for a client, to keep or to print", Act::OpenInBrowser),
            ("Copy JSON", "All of it as text for other programs", Act::CopyJson),
        ] {
            let button = Button::new(RichText::new(words).font(theme::medium(12.0))).min_size(vec2(0.0, 26.0));
            let button = ui.add_enabled(is_current, button).on_hover_text(help);
            if button.on_disabled_hover_text("The matrix is being made again").clicked() {
                out.push(act.into());
            }
        }
        let button = Button::new(RichText::new("Save as\u{2026}").font(theme::medium(12.0))).min_size(vec2(0.0, 26.0));
        let button = ui.add_enabled(is_current, button).on_hover_text("Write it to a file");
        let button = button.on_disabled_hover_text("The matrix is being made again");
        egui::Popup::menu(&button).width(190.0).show(|ui| {
            for (words, help, how) in [
                ("HTML, for a client", "One page, to keep or to print", SavedAs::Html),
                ("JSON, for other programs", "All of it as text", SavedAs::Json),
            ] {
                if ui.button(words).on_hover_text(help).clicked() {
                    out.push(Act::SaveAs(how).into());
                }
            }
        });
    });
}

/// All of it in a sentence, and what keeps it from being that of the flow as it is.
fn summary(
    ui: &mut Ui,
    document: &Document,
    sheet: &Sheet,
    (num_found, is_current): (usize, bool),
    out: &mut Vec<Command>,
) {
    let palette = Palette::get(ui);
    let number = |n: usize| document.home.manner.number(n as u64);
    ui.horizontal(|ui| {
        ui.set_height(26.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if num_found != sheet.matrix.rows.len() {
                let words = format!("{} of {} rows", number(num_found), number(sheet.matrix.rows.len()));
                ui.label(RichText::new(words).font(theme::regular(12.0)).color(palette.weak));
            }
            if !is_current {
                if document.has_given_up(Kind::Matrix) && bottom::small_button(ui, "Make it again").clicked() {
                    out.push(Command::Files(FilesAct::RunAgain(document.id, Kind::Matrix)));
                }
                bottom::pill(ui, "Older than the flow", palette.warning, palette.warning_soft)
                    .on_hover_text("It is made again; until then it shows the flow as it was");
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let words = sheet.sentence(&number);
                let label = egui::Label::new(RichText::new(&words).font(theme::medium(13.0))).truncate();
                ui.add(label).on_hover_text(words);
            });
        });
    });
    for fault in &sheet.matrix.faults {
        let why = fault.findings.iter().find(|found| found.severity == Severity::Error);
        let why = why.map_or("", |found| found.message.as_str());
        let title = document.flow().node(fault.node.as_str()).map_or(fault.node.as_str(), |node| node.title());
        let words = format!("{title}, version {}, cannot be made: {why}", fault.variant);
        ui.add(egui::Label::new(RichText::new(words).color(palette.error)).wrap());
    }
}

const COLUMNS: [parts::Column<'static>; 9] = [
    ("State", 88.0, 0.0),
    ("Mail", 0.22, 0.0),
    ("Version", 64.0, 900.0),
    ("Contact", 0.17, 0.0),
    ("Worst finding", 0.27, 560.0),
    ("Missing", 0.16, 0.0),
    ("Fallbacks", 0.18, 640.0),
    ("Hidden", 60.0, 760.0),
    ("Found", 52.0, 820.0),
];

/// Captions and rows, of which only those in sight; arrows choose one, Enter and a click open its mail.
fn table(ui: &mut Ui, sheet: &Sheet, found: &[usize], look: &Look, has_keyboard: bool, out: &mut Vec<Command>) {
    let width = ui.available_width();
    let columns = parts::fitting(&COLUMNS, width);
    ui.spacing_mut().item_spacing.y = 0.0;
    parts::header(ui, &columns);
    let rows = &sheet.matrix.rows;
    let is_chosen = |at: usize| look.chosen.as_ref().is_some_and(|key| key.is(&rows[at]));
    let seen = (ui.available_height() / bottom::ROW).floor().max(1.0);
    let mut area = ScrollArea::vertical().id_salt("matrix").auto_shrink([false, false]);
    if has_keyboard
        && let Some(to) = moved(ui, found.len(), seen as usize, &|| found.iter().position(|at| is_chosen(*at)))
    {
        out.push(Act::Choose(sheet::Key::of(&rows[found[to]])).into());
        let id = ui.make_persistent_id("matrix");
        let offset: f32 = egui::scroll_area::State::load(ui.ctx(), id).map_or(0.0, |state| state.clamped_offset().y);
        let top = to as f32 * bottom::ROW;
        let least = (top + bottom::ROW - seen * bottom::ROW).max(0.0);
        area = area.vertical_scroll_offset(offset.clamp(least.min(top), top));
    }
    let may_open = has_keyboard && ui.memory(|memory| memory.focused()).is_none();
    if may_open
        && let Some(key) = look.chosen.as_ref().filter(|_| found.iter().any(|at| is_chosen(*at)))
        && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter))
    {
        out.push(Act::OpenMail(key.clone(), None).into());
    }
    area.show_rows(ui, bottom::ROW, found.len(), |ui, range| {
        ui.set_max_width(width - parts::BAR);
        for at in range {
            let row = &rows[found[at]];
            let (rect, response) = bottom::row(ui, &name(sheet, row), true, is_chosen(found[at]));
            let places = parts::cells(rect, &columns, width);
            let mut part = None;
            let pointer = response.interact_pointer_pos().map_or(0.0, |pos| pos.x);
            for ((title, _), place) in columns.iter().zip(places) {
                cell(ui, sheet, row, title, place);
                if place.x_range().contains(pointer) {
                    part = part_of(title);
                }
            }
            if response.clicked() {
                out.push(Act::OpenMail(sheet::Key::of(row), part).into());
            }
            response.on_hover_ui(|ui| tooltip(ui, row));
        }
    });
}

/// Which part of a mail a cell leads to.
fn part_of(title: &str) -> Option<Part> {
    match title {
        "Missing" | "Fallbacks" => Some(Part::Tags),
        "Worst finding" | "Found" => Some(Part::Hints),
        _ => None,
    }
}

/// The row that a key leads to.
fn moved(ui: &Ui, num: usize, page: usize, chosen: &dyn Fn() -> Option<usize>) -> Option<usize> {
    let last = num.checked_sub(1)?;
    let keys = [Key::ArrowDown, Key::ArrowUp, Key::PageDown, Key::PageUp, Key::Home, Key::End];
    if egui::Popup::is_any_open(ui.ctx()) {
        return None;
    }
    let key = keys.into_iter().find(|key| ui.input_mut(|i| i.consume_key(Modifiers::NONE, *key)))?;
    let at = chosen();
    let to = match key {
        Key::ArrowDown => at.map_or(0, |at| at + 1),
        Key::ArrowUp => at.map_or(0, |at| at.saturating_sub(1)),
        Key::PageDown => at.unwrap_or(0) + page,
        Key::PageUp => at.unwrap_or(0).saturating_sub(page),
        Key::End => last,
        _ => 0,
    };
    Some(to.min(last))
}

/// A row in words, for those who hear it.
fn name(sheet: &Sheet, row: &Row) -> String {
    let found = sheet::worst(row).map(|found| format!(", {}", found.message)).unwrap_or_default();
    let (title, who) = (sheet.title(&row.node), sheet.name(&row.contact));
    format!("{title}, version {}, for {who}: {}{found}", row.variant, row.state.title())
}

fn cell(ui: &Ui, sheet: &Sheet, row: &Row, title: &str, place: Rect) {
    let palette = Palette::get(ui);
    let painter = ui.painter();
    let plain = |words: &str, ink: Color32| _ = bottom::text(painter, place, words, theme::regular(12.5), ink);
    let count = |n: usize| if n == 0 { String::new() } else { n.to_string() };
    match title {
        "State" => {
            let worst = sheet::worst(row).map(|found| found.severity);
            let (words, ink, fill) = match row.state {
                State::Broken => ("broken", palette.error, palette.error_soft),
                State::Leftover | State::Incomplete | State::Empty => ("held", palette.error, palette.error_soft),
                State::Complete if worst == Some(Severity::Error) => ("error", palette.error, palette.error_soft),
                State::Complete if sheet::is_problem(row) => ("warning", palette.warning, palette.warning_soft),
                State::Complete => ("ready", palette.good, palette.good_soft),
            };
            let pill = Rect::from_min_size(place.left_center() - vec2(0.0, 9.0), vec2(62.0, 18.0));
            painter.rect_filled(pill, 9.0, fill);
            painter.text(pill.center(), Align2::CENTER_CENTER, words, theme::medium(11.0), ink);
        }
        "Mail" => _ = bottom::text(painter, place, sheet.title(&row.node), theme::medium(12.5), palette.text),
        "Version" => plain(&row.variant, if row.dealt { palette.text } else { palette.weak }),
        "Contact" => plain(sheet.name(&row.contact), palette.text),
        "Worst finding" => {
            let Some(found) = sheet::worst(row) else { return };
            let ink = match found.severity {
                Severity::Error => palette.error,
                Severity::Warning => palette.warning,
                Severity::Hint => palette.weak,
            };
            plain(&found.message, ink);
        }
        "Missing" => plain(&sheet::tags(row, TagState::Missing), palette.error),
        "Fallbacks" => plain(&sheet::tags(row, TagState::Fallback), palette.warning),
        "Hidden" => plain(&count(sheet::hidden(row)), palette.weak),
        "Found" => plain(&count(row.lints.len()), palette.weak),
        _ => {}
    }
}

/// Everything of a row that its cells may cut.
fn tooltip(ui: &mut Ui, row: &Row) {
    ui.set_max_width(420.0);
    ui.label(RichText::new(&row.subject).font(theme::semibold(13.0)));
    ui.label(row.state.title());
    if !row.dealt {
        ui.label("This contact is dealt another version");
    }
    for (words, state) in [("Missing", TagState::Missing), ("Fallback", TagState::Fallback)] {
        let tags = sheet::tags(row, state);
        if !tags.is_empty() {
            ui.label(format!("{words}: {tags}"));
        }
    }
    for block in row.blocks.iter().filter(|block| !block.shown) {
        ui.label(format!("Hidden: {} ({}), shown if {}", block.place.words(), block.kind, block.condition));
    }
    for found in &row.lints {
        ui.label(RichText::new(&found.message).font(theme::regular(12.0)));
    }
}

#[cfg(test)]
mod tests {
    use egui_kittest::{Harness, kittest::Queryable as _};

    use super::*;
    use crate::{
        app::{CommandId, fixture, pages::PageKind},
        gui::{Studio, inline, testing},
    };

    fn window(size: egui::Vec2) -> Harness<'static, Studio> {
        let home = Arc::unwrap_or_clone(fixture::home());
        let studio = inline::studio(None, crate::flow::file::read(testing::WATCH).expect("a flow"), home, false);
        let harness =
            Harness::builder().allow_missing_glyphs().with_size(size).with_context_setup(crate::gui::theme::install);
        let mut window = harness.build_ui_state(|ui, studio: &mut Studio| studio.root(ui), studio);
        window.run_steps(4);
        let ctx = window.ctx.clone();
        window.state_mut().command(CommandId::PageMatrix.into(), &ctx);
        window.run_steps(4);
        window
    }

    fn document<'a>(window: &'a Harness<'static, Studio>) -> &'a Document {
        fixture::document(&window.state().app)
    }

    #[test]
    fn mails_are_searched_filtered_and_opened() {
        let mut window = window(vec2(1440.0, 900.0));
        let _ = window.get_by_label_contains("3 mails");
        window.get_by_label("Search mails").click();
        window.run_steps(2);
        window.get_by_label("Search mails").type_text("nguy");
        window.run_steps(4);
        assert_eq!(document(&window).view.matrix.search, "nguy");
        let all: Vec<_> = window.query_all_by_label_contains(", version ").collect();
        assert!(!all.is_empty() && all.len() <= 6, "{}", all.len());
        all[0].click();
        window.run_steps(4);
        let document = document(&window);
        assert_eq!(document.view.page, Some(PageKind::Mails));
        assert_eq!(document.view.contact, Some("an".into()));
    }

    #[test]
    fn it_is_saved_from_its_page() {
        let mut window = window(vec2(1440.0, 900.0));
        for words in ["HTML, for a client", "JSON, for other programs"] {
            window.get_by_label("Save as\u{2026}").click();
            window.run_steps(4);
            window.get_by_label(words).click();
            window.run_steps(4);
            assert!(window.query_by_label(words).is_none(), "the menu closes");
        }
        assert_eq!(window.state().app.toasts, []);
    }

    #[test]
    fn the_keyboard_chooses_and_opens() {
        let mut window = window(vec2(900.0, 600.0));
        for key in [Key::ArrowDown, Key::ArrowDown, Key::End, Key::ArrowUp] {
            window.key_press(key);
            window.run_steps(3);
        }
        let chosen = document(&window).view.matrix.chosen.clone().expect("a row");
        let rows = &document(&window).derived.matrix.as_ref().expect("made").value.matrix.rows;
        assert!(chosen.is(&rows[rows.len() - 2]));
        let shown = window.query_all_by_label_contains(", version ").count();
        assert!(shown < rows_of(&window), "only what is in sight is drawn");
        window.key_press(Key::Enter);
        window.run_steps(4);
        assert_eq!(document(&window).view.page, Some(PageKind::Mails));
        assert_eq!(document(&window).view.contact, Some(chosen.contact));
    }

    fn rows_of(window: &Harness<'static, Studio>) -> usize {
        document(window).derived.matrix.as_ref().map_or(0, |made| made.value.matrix.rows.len())
    }

    #[test]
    fn what_is_not_there_is_said_with_a_way_back() {
        let mut window = window(vec2(1440.0, 900.0));
        let ctx = window.ctx.clone();
        window.state_mut().command(Act::Search("nobody at all".to_owned()).into(), &ctx);
        window.run_steps(4);
        window.get_by_label("Show all mails").click();
        window.run_steps(4);
        assert_eq!(document(&window).view.matrix.search, "");
        assert!(window.query_all_by_label_contains(", version ").count() > 10);
    }
}
