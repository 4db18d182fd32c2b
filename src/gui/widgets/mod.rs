//! Small parts that several panels use.

pub mod reorder;
pub mod suggest;

use egui::{
    Align, Area, Button, Frame, Id, Key, Layout, Modifiers, Order, Pos2, Rect, Response, RichText, ScrollArea,
    TextEdit, Ui, vec2,
};

use super::{
    canvas::QuickAdd,
    icons,
    theme::{self, Palette},
};
use crate::{
    app::{
        App, Command, CommandId, card,
        command::{available, keys, row},
        ops::quick_add::{Fit, fitting_kinds, quick_add as search_kinds},
    },
    flow::Flow,
    kinds::Spec,
};

/// Height of a bar that shows how far something is, in points.
const BAR: f32 = 6.0;

/// A round-cornered button with an icon only; its name and key are in the tooltip.
pub fn icon_button(ui: &mut Ui, icon: &str, app: &App, id: CommandId) -> Response {
    let row = row(id);
    let can = available(app, id);
    let text = RichText::new(icons::glyph(icon)).font(theme::icon(17.0));
    let button = Button::new(text).frame_when_inactive(false).min_size(vec2(30.0, 30.0));
    let response = ui.add_enabled(can.is_ok(), button).accessible_name(row.label);
    let keys = keys::key(&app.preferences, id);
    let response =
        response.on_hover_text(if keys.is_empty() { row.label.to_owned() } else { format!("{}  {keys}", row.label) });
    match can {
        Ok(()) => response,
        Err(why) => response.on_disabled_hover_text(format!("{}: {}", row.label, why.0)),
    }
}

/// The button that a page is there for. One that cannot be used yet lies flat, so that its words can be read.
pub fn primary(ui: &Ui, text: impl Into<String>, is_enabled: bool) -> Button<'static> {
    let palette = Palette::get(ui);
    let (ink, ground) = if is_enabled { (palette.on_accent, palette.accent) } else { (palette.text, palette.hover) };
    Button::new(RichText::new(text).color(ink)).fill(ground)
}

/// A caption in small capitals.
pub fn caption(ui: &mut Ui, text: &str) {
    let palette = Palette::get(ui);
    ui.label(RichText::new(text.to_uppercase()).font(theme::semibold(10.5)).color(palette.weak));
}

/// The icon of a family on its tint.
pub fn tile(ui: &mut Ui, icon: &str, family: card::Family, size: f32) {
    let palette = Palette::get(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(size, size), egui::Sense::hover());
    ui.painter().rect_filled(rect, theme::CONTROL_RADIUS as f32, palette.family_soft(family));
    let font = theme::icon((size * 0.56).round());
    ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, icons::glyph(icon), font, palette.family(family));
}

/// A box to tick; its outline is seen on every ground.
pub fn checkbox(ui: &mut Ui, on: &mut bool, text: impl Into<egui::WidgetText>) -> Response {
    marked(ui, |ui| ui.checkbox(on, text.into()))
}

/// One of several to choose; its outline is seen on every ground.
pub fn radio(ui: &mut Ui, on: bool, text: impl Into<egui::WidgetText>) -> Response {
    marked(ui, |ui| ui.radio(on, text.into()))
}

/// Outlines as strong as weak words: an empty box would hardly be seen on its card.
fn marked(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> Response) -> Response {
    let ink = Palette::get(ui).weak;
    let scoped = ui.scope(|ui| {
        ui.visuals_mut().widgets.inactive.bg_stroke.color = ink;
        add(ui)
    });
    scoped.inner
}

/// A command as a row of a menu, with its key.
pub fn menu_row(ui: &mut Ui, app: &App, id: CommandId, out: &mut Vec<Command>) {
    let (row, can) = (row(id), available(app, id));
    let keys = keys::keys(&app.preferences, id);
    let keys = keys.split(' ').next().unwrap_or("").to_owned();
    let button = Button::new(row.label).frame_when_inactive(false).shortcut_text(keys);
    let button = ui.add_enabled(can.is_ok(), button.min_size(vec2(ui.available_width(), 28.0)));
    let button = button.accessible_name(row.label);
    let button = match can {
        Ok(()) => button.on_hover_text(row.help),
        Err(why) => button.on_disabled_hover_text(why.0),
    };
    if button.clicked() {
        out.push(id.into());
        ui.close();
    }
}

/// How far some work is, as a share of 0..=1; an empty bar where nobody knows.
pub fn progress(ui: &mut Ui, title: &str, share: Option<f32>) {
    let palette = Palette::get(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), BAR), egui::Sense::hover());
    let radius = BAR / 2.0;
    ui.painter().rect_filled(rect, radius, palette.line);
    let said = match share {
        Some(share) => {
            let done = Rect::from_min_size(rect.min, vec2((rect.width() * share).max(BAR), BAR));
            ui.painter().rect_filled(done, radius, palette.accent);
            format!("{title}: {:.0} %", share * 100.0)
        }
        None => format!("{title}: under way"),
    };
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, &said));
    response.on_hover_text(said);
}

/// A pill with a word.
pub fn pill(ui: &mut Ui, text: &str, ink: egui::Color32, fill: egui::Color32) -> Response {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::medium(11.5), ink);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(18.0, 8.0), egui::Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
    ui.painter().rect_filled(rect, rect.height() / 2.0, fill);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, ink);
    response
}

/// What came of the list of kinds in this frame.
#[derive(Debug)]
pub enum Chosen {
    /// Still open.
    Nothing,
    /// Closed without a choice.
    Closed,
    /// A kind.
    Kind(&'static str),
}

/// Kinds that a search finds, best first, for a flow as it is.
pub fn find_kinds(query: &str, flow: &Flow, after_port: bool) -> Vec<&'static Spec> {
    let kinds = fitting_kinds(flow, if after_port { Fit::AfterPort } else { Fit::Anywhere });
    // The trigger node is made by its kinds.
    let kinds: Vec<&'static Spec> = kinds.into_iter().filter(|spec| spec.name != "trigger").collect();
    search_kinds(query, &kinds).into_iter().map(|hit| hit.spec).collect()
}

/// The list of kinds at a point: type to search, arrows and Enter to choose, Escape to close.
pub fn quick_add(ui: &mut Ui, at: Pos2, screen: Rect, open: &mut QuickAdd, flow: &Flow) -> Chosen {
    let palette = Palette::get(ui);
    let size = vec2(264.0, 320.0);
    let corner = Pos2::new(
        at.x.min(screen.right() - size.x - 12.0).max(screen.left() + 8.0),
        at.y.min(screen.bottom() - size.y - 12.0).max(screen.top() + 8.0),
    );
    let kinds = find_kinds(&open.query, flow, open.after.is_some());
    // The click that opened the list is no click beside it.
    let was_new = open.is_new;
    let mut chosen = Chosen::Nothing;
    let (up, down, enter, escape) = ui.input_mut(|i| {
        (
            i.consume_key(Modifiers::NONE, Key::ArrowUp),
            i.consume_key(Modifiers::NONE, Key::ArrowDown),
            i.consume_key(Modifiers::NONE, Key::Enter),
            i.consume_key(Modifiers::NONE, Key::Escape),
        )
    });
    if down {
        open.row += 1;
    }
    if up {
        open.row = open.row.saturating_sub(1);
    }
    open.row = open.row.min(kinds.len().saturating_sub(1));
    let area = Area::new(Id::unique("quick-add")).order(Order::Foreground).fixed_pos(corner);
    let area = area.show(ui.ctx(), |ui| {
        Frame::popup(ui.style()).inner_margin(10.0).show(ui, |ui| {
            ui.set_width(size.x - 22.0);
            let field = TextEdit::singleline(&mut open.query).hint_text("Add a step…").desired_width(f32::INFINITY);
            let field = ui.add(field).accessible_name("Search steps to add");
            // A click between the rows would leave the list without the keyboard.
            if open.is_new || ui.memory(|memory| memory.focused().is_none()) {
                field.request_focus();
                open.is_new = false;
            }
            if field.changed() {
                open.row = 0;
            }
            ui.add_space(4.0);
            if kinds.is_empty() {
                ui.label(RichText::new("No step is called that").color(palette.weak));
            }
            // Else it would stay as small as the list that was shown last.
            let high = size.y - 70.0;
            ScrollArea::vertical().max_height(high).min_scrolled_height(high).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                for (n, spec) in kinds.iter().enumerate() {
                    let response = kind_row(ui, spec, n == open.row);
                    if response.clicked() {
                        chosen = Chosen::Kind(spec.name);
                    }
                    if n == open.row && (up || down) {
                        response.scroll_to_me(None);
                    }
                }
            });
        });
    });
    if enter && let Some(spec) = kinds.get(open.row) {
        chosen = Chosen::Kind(spec.name);
    }
    let left = escape || (!was_new && area.response.clicked_elsewhere());
    if left && matches!(chosen, Chosen::Nothing) {
        chosen = Chosen::Closed;
    }
    chosen
}

/// A row of a list of kinds.
fn kind_row(ui: &mut Ui, spec: &Spec, active: bool) -> Response {
    let palette = Palette::get(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 32.0), egui::Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Add {}", spec.title)));
    let fill = if active {
        palette.accent_soft
    } else if response.hovered() {
        palette.hover
    } else {
        palette.card
    };
    ui.painter().rect_filled(rect, theme::CONTROL_RADIUS as f32, fill);
    let mut child = ui.new_child(
        egui::UiBuilder::new().max_rect(rect.shrink2(vec2(6.0, 3.0))).layout(Layout::left_to_right(Align::Center)),
    );
    tile(&mut child, spec.icon, card::family(spec.name), 24.0);
    child.add_space(2.0);
    child.label(RichText::new(spec.title).font(theme::medium(13.0)));
    response.on_hover_text(spec.docs.what)
}
