//! Parts that the panels below the canvas share: table rows, small buttons, the switcher of contacts.

use egui::{
    Align, Align2, Button, Color32, FontId, Key, Layout, Modifiers, Painter, Popup, PopupCloseBehavior, Rect, Response,
    RichText, Role, ScrollArea, Sense, Stroke, TextEdit, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::{
    app::{Command, Document, act::Act, stage},
    base::ContactId,
    gui::{
        canvas::paint,
        icons,
        theme::{self, Palette},
    },
};

/// Height of a row of a table.
pub const ROW: f32 = 26.0;

/// A row of a table: a quiet line below, a tint under the pointer, a ring when it has the focus.
pub fn row(ui: &mut Ui, name: &str, clickable: bool, chosen: bool) -> (Rect, Response) {
    let palette = Palette::get(ui);
    let sense = if clickable { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), sense);
    let role = if clickable { Role::Button } else { Role::Label };
    response.widget_info(|| WidgetInfo::selected(role, true, chosen, name));
    let painter = ui.painter();
    if chosen {
        painter.rect_filled(rect, 4.0, palette.accent_soft);
    } else if clickable && response.hovered() {
        painter.rect_filled(rect, 4.0, palette.hover);
    }
    painter.hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, palette.line));
    if response.has_focus() {
        painter.rect_stroke(rect, 4.0, Stroke::new(1.5, palette.accent), egui::StrokeKind::Inside);
    }
    (rect, response)
}

/// The captions over a table.
pub fn header(ui: &mut Ui, columns: &[(&str, f32)]) {
    let palette = Palette::get(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    for ((title, _), cell) in columns.iter().zip(cells(rect, columns)) {
        text(ui.painter(), cell, &title.to_uppercase(), theme::semibold(10.5), palette.weak);
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, palette.line));
}

/// The rectangles of a row's cells: a width in points above 1, else a share of what is left.
pub fn cells(rect: Rect, columns: &[(&str, f32)]) -> Vec<Rect> {
    let fixed: f32 = columns.iter().map(|(_, w)| if *w > 1.0 { *w } else { 0.0 }).sum();
    let shares: f32 = columns.iter().map(|(_, w)| if *w > 1.0 { 0.0 } else { *w }).sum();
    let free = (rect.width() - fixed).max(0.0);
    let mut left = rect.left();
    let cell = |(_, w): &(&str, f32)| {
        let width = if *w > 1.0 { *w } else { free * *w / shares.max(0.01) };
        let cell = Rect::from_min_max(pos2(left, rect.top()), pos2((left + width).min(rect.right()), rect.bottom()));
        left += width;
        cell
    };
    columns.iter().map(cell).collect()
}

/// A line of text in a cell, cut at its width.
pub fn text(painter: &Painter, cell: Rect, text: &str, font: FontId, ink: Color32) -> Rect {
    let width = cell.width() - 8.0;
    if width < 8.0 || text.is_empty() {
        return Rect::from_min_size(cell.left_center(), vec2(0.0, 0.0));
    }
    paint::line(painter, cell.left_center(), Align2::LEFT_CENTER, text, font, ink, width)
}

/// An icon in the middle of a cell.
pub fn icon(painter: &Painter, cell: Rect, name: &str, ink: Color32) {
    painter.text(cell.center(), Align2::CENTER_CENTER, icons::glyph(name), theme::icon(14.0), ink);
}

/// A button of an icon only.
pub fn icon_button(ui: &mut Ui, icon: &str, name: &str, enabled: bool) -> Response {
    let text = RichText::new(icons::glyph(icon)).font(theme::icon(15.0));
    let high = if ui.spacing().interact_size.y < 24.0 { 22.0 } else { 26.0 };
    let button = Button::new(text).frame_when_inactive(false).min_size(vec2(26.0, high));
    ui.add_enabled(enabled, button).accessible_name(name).on_hover_text(name)
}

/// A small button with words.
pub fn small_button(ui: &mut Ui, words: &str) -> Response {
    ui.add(Button::new(RichText::new(words).font(theme::medium(12.0))).min_size(vec2(0.0, 24.0)))
}

/// A switch among a few: words side by side, the chosen one on a tint.
pub fn choice<T: Copy + PartialEq>(ui: &mut Ui, value: &mut T, choices: &[(T, String)]) -> bool {
    let palette = Palette::get(ui);
    let mut changed = false;
    for (which, title) in choices {
        let chosen = value == which;
        let ink = if chosen { palette.accent } else { palette.weak };
        let words = RichText::new(title).font(theme::medium(12.5)).color(ink);
        let mut button = Button::new(words).min_size(vec2(0.0, 24.0)).frame_when_inactive(chosen);
        if chosen {
            button = button.fill(palette.accent_soft).stroke(Stroke::NONE);
        }
        if ui.add(button).clicked() && !chosen {
            *value = *which;
            changed = true;
        }
    }
    changed
}

/// A pill with a word, of the height of its word.
pub fn pill(ui: &mut Ui, words: &str, ink: Color32, fill: Color32) -> Response {
    let galley = ui.painter().layout_no_wrap(words.to_owned(), theme::medium(11.5), ink);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(18.0, 7.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    ui.painter().rect_filled(rect, rect.height() / 2.0, fill);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, ink);
    response
}

/// A few words where there is nothing to show.
pub fn nothing(ui: &mut Ui, words: &str) {
    let palette = Palette::get(ui);
    ui.add_space(4.0);
    ui.add(egui::Label::new(RichText::new(words).color(palette.weak)).wrap());
}

/// Half-typed search of contacts.
#[derive(Debug, Default)]
pub struct PeopleDraft {
    query: String,
    row: usize,
    was_open: bool,
}

/// Name of the chosen contact with a list to search in, and buttons for the one before and the next.
pub fn people(ui: &mut Ui, document: &Document, draft: &mut PeopleDraft, out: &mut Vec<Command>) {
    if let Some(id) = people_list(ui, document, document.view.contact.as_ref(), "Contact", draft) {
        out.push(Command::ChooseContact(Some(id)));
    }
    let several = document.home.audience.contacts.len() > 1;
    for (icon, name, forward) in [("caret-left", "Contact before", false), ("caret-right", "Next contact", true)] {
        if icon_button(ui, icon, name, several).clicked() {
            out.push(Act::NeighbourContact { forward }.into());
        }
    }
}

/// Name of a contact with a list to search in; gives back who was chosen from it.
pub fn people_list(
    ui: &mut Ui,
    document: &Document,
    chosen: Option<&ContactId>,
    what: &str,
    draft: &mut PeopleDraft,
) -> Option<ContactId> {
    let palette = Palette::get(ui);
    let contact = chosen.and_then(|id| stage::contact(&document.home, id));
    let name = contact.map_or("Choose a contact".to_owned(), stage::name);
    let short: String = name.chars().take(22).collect();
    let glyph = |name| RichText::new(icons::glyph(name)).font(theme::icon(13.0));
    let button = Button::new((glyph("user"), short, glyph("caret-down"))).min_size(vec2(0.0, 26.0));
    let button = ui.add(button);
    let button = button.accessible_name(format!("{what}: {name}"));
    let popup = Popup::from_toggle_button_response(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .accessible_name("Contacts")
        .width(320.0);
    let mut picked: Option<ContactId> = None;
    let shown = popup.show(|ui| {
        let (up, down, enter) = ui.input_mut(|i| {
            let mut key = |key| i.consume_key(Modifiers::NONE, key);
            (key(Key::ArrowUp), key(Key::ArrowDown), key(Key::Enter))
        });
        let field = TextEdit::singleline(&mut draft.query).hint_text("Search name, id, e-mail").desired_width(300.0);
        let field = ui.add(field).accessible_name("Search contacts");
        if !draft.was_open {
            field.request_focus();
            draft.row = 0;
        }
        if field.changed() {
            draft.row = 0;
        }
        let people = stage::people(&document.home, &draft.query);
        draft.row = if down { draft.row + 1 } else { draft.row.saturating_sub(usize::from(up)) };
        draft.row = draft.row.min(people.len().saturating_sub(1));
        if people.is_empty() {
            ui.label(RichText::new("Nobody is called that").color(palette.weak));
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        let list = ScrollArea::vertical().max_height(264.0).auto_shrink([false, true]);
        list.show_rows(ui, ROW, people.len(), |ui, range| {
            for n in range {
                let person = &people[n];
                let (rect, response) = row(ui, &person.name, true, n == draft.row || chosen == Some(&person.id));
                let parts = cells(rect.shrink2(vec2(6.0, 0.0)), &[("", 0.45), ("", 0.55)]);
                text(ui.painter(), parts[0], &person.name, theme::medium(13.0), palette.text);
                text(ui.painter(), parts[1], &person.detail, theme::regular(11.5), palette.weak);
                if response.clicked() {
                    picked = Some(person.id.clone());
                }
            }
        });
        if enter {
            picked = people.get(draft.row).map(|person| person.id.clone());
        }
        if picked.is_some() {
            ui.close();
        }
    });
    draft.was_open = shown.is_some();
    if shown.is_none() {
        draft.query.clear();
    }
    picked
}

/// Whether there is anybody to show something for; says how to get there where not.
pub fn has_people(ui: &mut Ui, document: &Document) -> bool {
    let some = !document.home.audience.contacts.is_empty();
    if !some {
        nothing(ui, "The workspace has no sample contacts: put contacts.csv into its audience folder");
    }
    some
}

/// Lays out from the right end of a rectangle; gives back where the rest ends.
pub fn right_end(ui: &mut Ui, rect: Rect, contents: impl FnOnce(&mut Ui)) -> f32 {
    let layout = Layout::right_to_left(Align::Center);
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect.shrink2(vec2(4.0, 0.0))).layout(layout));
    child.spacing_mut().item_spacing.x = 4.0;
    child.spacing_mut().button_padding.y = 2.0;
    child.spacing_mut().interact_size.y = 20.0;
    contents(&mut child);
    child.min_rect().left() - 6.0
}
