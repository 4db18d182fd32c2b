//! Inputs with their labels, errors and hints, as every form of the inspector uses them.

use std::sync::Arc;

use egui::{
    Align, Button, Color32, ComboBox, FontSelection, Frame, Galley, Layout, Margin, Popup, Response, RichText,
    ScrollArea, Sense, Stroke, TextEdit, TextFormat, Ui, WidgetInfo, text::LayoutJob, vec2,
};

use super::draft::Draft;
use crate::{
    app::{
        Document,
        inspector::{Note, names},
    },
    base::{Severity, TextRange},
    gui::{
        icons,
        theme::{self, Palette},
        widgets::suggest::{Offers, suggesting},
    },
    kinds::Editor,
};

/// What stands around a field: its key among the drafts, and what it is called.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Key of its draft.
    pub key: &'a str,
    /// What people read above it.
    pub label: &'a str,
    /// What it is called where its label alone would not say whose it is.
    pub name: &'a str,
    /// Help on hover.
    pub help: &'a str,
}

impl Around<'_> {
    /// Names a field: by the label above it, or where that says too little by its own name.
    pub fn called(&self, response: Response, label: &Response) -> Response {
        if self.name == self.label { response.labelled_by(label.id) } else { response.accessible_name(self.name) }
    }
}

/// The label above a field, with room for small things at its right.
pub fn label(ui: &mut Ui, around: &Around<'_>, right: impl FnOnce(&mut Ui)) -> Response {
    let palette = Palette::get(ui);
    ui.add_space(3.0);
    low_line(ui, |ui| {
        let text = RichText::new(around.label).font(theme::regular(12.0)).color(palette.weak);
        let label = ui.add(egui::Label::new(text).truncate().selectable(false));
        let label = if around.help.is_empty() { label } else { label.on_hover_text(around.help) };
        ui.with_layout(Layout::right_to_left(Align::Center), right);
        label
    })
}

/// A line of words and small buttons, lower than one of ordinary buttons.
pub fn low_line<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.y = 18.0;
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.horizontal(add).inner
    })
    .inner
}

/// A caption over a section, with air above.
pub fn caption(ui: &mut Ui, text: &str) {
    ui.add_space(8.0);
    crate::gui::widgets::caption(ui, text);
}

/// A line below a field, with an icon: errors and warnings in their colour.
pub fn message(ui: &mut Ui, severity: Severity, text: &str, hint: &str) {
    let palette = Palette::get(ui);
    let (ink, _) = palette.severity(severity);
    let icon = match severity {
        Severity::Error => "warning-circle",
        Severity::Warning => "warning",
        Severity::Hint => "lightbulb",
    };
    line(ui, icon, ink, text, hint);
}

/// A line of small print with an icon.
pub fn line(ui: &mut Ui, icon: &str, ink: Color32, text: &str, hint: &str) {
    let mut job = LayoutJob::default();
    job.wrap.max_width = ui.available_width();
    let format = |font, color| TextFormat { font_id: font, color, ..TextFormat::default() };
    job.append(icons::glyph(icon), 0.0, format(theme::icon(13.0), ink));
    job.append(text, 5.0, format(theme::regular(11.5), ink));
    let response = ui.add(egui::Label::new(job).wrap());
    if !hint.is_empty() {
        response.on_hover_text(hint);
    }
}

/// Small print.
pub fn small(ui: &mut Ui, text: &str) {
    let palette = Palette::get(ui);
    ui.add(egui::Label::new(RichText::new(text).font(theme::regular(11.5)).color(palette.weak)).wrap());
}

/// Findings at a field: what is wrong as it is typed, else what the checks found.
pub fn notes(ui: &mut Ui, error: Option<&str>, notes: &[Note]) {
    if let Some(error) = error {
        message(ui, Severity::Error, error, "");
        return;
    }
    for note in notes {
        message(ui, note.severity, &note.message, &note.hint);
    }
}

/// A small button with an icon.
pub fn icon_button(ui: &mut Ui, icon: &str, name: &str) -> Response {
    icon_button_enabled(ui, true, icon, name)
}

/// A small button with an icon, which may not be usable now.
pub fn icon_button_enabled(ui: &mut Ui, enabled: bool, icon: &str, name: &str) -> Response {
    let palette = Palette::get(ui);
    let text = RichText::new(icons::glyph(icon)).font(theme::icon(14.0)).color(palette.weak);
    let button = Button::new(text).frame_when_inactive(false).min_size(vec2(20.0, 20.0));
    ui.scope(|ui| {
        ui.spacing_mut().button_padding = vec2(3.0, 1.0);
        ui.spacing_mut().interact_size = vec2(20.0, 20.0);
        ui.add_enabled(enabled, button).accessible_name(name).on_hover_text(name)
    })
    .inner
}

/// An icon and a word. The icon has its own font: the text font has letters of its own at some of the same places.
pub fn icon_words(icon: &str, words: &str, ink: Color32) -> LayoutJob {
    let mut job = LayoutJob::default();
    let format = |font, color| TextFormat { font_id: font, color, valign: Align::Center, ..TextFormat::default() };
    job.append(icons::glyph(icon), 0.0, format(theme::icon(13.0), ink));
    job.append(words, 5.0, format(theme::medium(12.0), ink));
    job
}

/// A small button with an icon and a word, in the accent colour.
pub fn word_button(ui: &mut Ui, icon: &str, word: &str, name: &str) -> Response {
    let palette = Palette::get(ui);
    let text = icon_words(icon, word, palette.accent);
    ui.scope(|ui| {
        ui.spacing_mut().button_padding = vec2(4.0, 1.0);
        ui.spacing_mut().interact_size.y = 18.0;
        ui.add(Button::new(text).frame_when_inactive(false)).accessible_name(name)
    })
    .inner
}

/// What a text field looks like and what is wrong in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextLook<'a> {
    /// Rows; 1 for one line.
    pub rows: usize,
    /// One line that grows with its text.
    pub grows: bool,
    /// Shown where it is empty.
    pub hint: &'a str,
    /// Behind the text.
    pub unit: &'a str,
    /// Whether it is wrong.
    pub is_wrong: bool,
    /// Parts to underline.
    pub wrong: &'a [TextRange],
    /// Room to leave at the right.
    pub less_width: f32,
    /// Letters of one width in a source text are not needed; smaller ones are.
    pub small: bool,
    /// What is offered while something is typed.
    pub offers: Option<Offers<'a>>,
}

/// A text field over its draft. Gives back the response; `changed()` says that `text` is new.
pub fn text_field(ui: &mut Ui, draft: &mut Draft, key: &str, text: &mut String, look: TextLook<'_>) -> Response {
    let palette = Palette::get(ui);
    let size = if look.small { 12.0 } else { 13.0 };
    let is_multiline = look.rows > 1 || look.grows;
    let mut layouter = |ui: &Ui, buffer: &dyn egui::TextBuffer, wrap_width: f32| -> Arc<Galley> {
        let job = underlined(
            buffer.as_str(),
            look.wrong,
            size,
            palette,
            if is_multiline { wrap_width } else { f32::INFINITY },
        );
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    let width = (ui.available_width() - look.less_width).max(40.0);
    let before = text.clone();
    let mut edit = if is_multiline {
        TextEdit::multiline(text).desired_rows(look.rows.max(1))
    } else {
        TextEdit::singleline(text)
    };
    edit = edit
        .desired_width(width)
        .margin(Margin::symmetric(10, 6))
        .font(FontSelection::FontId(theme::regular(size)))
        .layouter(&mut layouter);
    if !look.hint.is_empty() {
        edit = edit.hint_text(look.hint);
    }
    if !look.unit.is_empty() {
        edit = edit.suffix(RichText::new(look.unit).font(theme::regular(12.0)).color(palette.weak));
    }
    let out = ui
        .scope(|ui| {
            if look.is_wrong {
                let visuals = ui.visuals_mut();
                visuals.widgets.inactive.bg_stroke = Stroke::new(1.0, palette.error);
                visuals.widgets.hovered.bg_stroke = Stroke::new(1.0, palette.error);
                visuals.selection.stroke = Stroke::new(1.5, palette.error);
            }
            match look.offers {
                Some(offers) => suggesting(ui, edit, &before, key, offers, &mut draft.typing),
                None => edit.id_salt(key).show(ui),
            }
        })
        .inner;
    if let Some(range) = out.cursor_range {
        draft.cursors.insert(key.to_owned(), range.primary.index.into());
    }
    out.response.response
}

/// The text with wavy reality kept simple: a line under what is wrong.
fn underlined(text: &str, wrong: &[TextRange], size: f32, palette: &Palette, wrap_width: f32) -> LayoutJob {
    let mut job = LayoutJob::default();
    job.wrap.max_width = wrap_width;
    job.break_on_newline = wrap_width.is_finite();
    let plain = TextFormat { font_id: theme::regular(size), color: palette.text, ..TextFormat::default() };
    let marked = TextFormat { underline: Stroke::new(2.0, palette.error), color: palette.error, ..plain.clone() };
    let mut at = 0;
    let mut ranges: Vec<(usize, usize)> = wrong.iter().map(|range| fit(text, *range)).collect();
    ranges.sort_unstable();
    for (start, end) in ranges {
        if start < at || end <= start {
            continue;
        }
        job.append(&text[at..start], 0.0, plain.clone());
        job.append(&text[start..end], 0.0, marked.clone());
        at = end;
    }
    job.append(&text[at..], 0.0, plain);
    job
}

/// A range inside the text, on letters; at least one letter where there is one.
pub fn fit(text: &str, range: TextRange) -> (usize, usize) {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let mut start = floor(range.start);
    let end = floor(range.end.max(range.start));
    if start == end {
        // A mistake at the end of the text is shown at its last letter.
        match text[start..].chars().next() {
            Some(letter) => return (start, start + letter.len_utf8()),
            None => start = text.char_indices().next_back().map_or(0, |(at, _)| at),
        }
    }
    (start, end)
}

/// A switch with its words on the left.
pub fn switch(ui: &mut Ui, around: &Around<'_>, on: bool) -> Response {
    let palette = Palette::get(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(26.0);
        let text = RichText::new(around.label).font(theme::regular(12.0)).color(palette.weak);
        let label = ui.add(egui::Label::new(text).truncate().selectable(false)).on_hover_text(around.help);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let response = knob(ui, on, around.name);
            if around.name == around.label { response.labelled_by(label.id) } else { response }
        })
        .inner
    })
    .inner
}

/// The switch itself.
pub fn knob(ui: &mut Ui, on: bool, name: &str) -> Response {
    let palette = Palette::get(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(32.0, 18.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(egui::Role::CheckBox, ui.is_enabled(), on, name));
    let how_on = ui.ctx().animate_bool_responsive(response.id, on);
    let fill = theme::mix(palette.edge, palette.accent, how_on);
    ui.painter().rect_filled(rect, 9.0, fill);
    if response.has_focus() {
        ui.painter().rect_stroke(rect.expand(2.0), 11.0, Stroke::new(1.5, palette.accent), egui::StrokeKind::Inside);
    }
    let x = egui::lerp((rect.left() + 9.0)..=(rect.right() - 9.0), how_on);
    ui.painter().circle_filled(egui::pos2(x, rect.center().y), 6.5, palette.card);
    response
}

/// A closed list. Gives back the chosen name.
pub fn combo(
    ui: &mut Ui,
    around: &Around<'_>,
    label: Option<&Response>,
    chosen: &str,
    options: &[(String, String)],
    width: f32,
) -> Option<String> {
    let shown = options.iter().find(|(name, _)| name == chosen).map_or(chosen, |(_, label)| label);
    let mut picked = None;
    let combo = ComboBox::from_id_salt((around.key, "combo")).width(width).truncate().selected_text(shown);
    let response = combo.show_ui(ui, |ui| {
        for (name, label) in options {
            if ui.selectable_label(name == chosen, label).clicked() && name != chosen {
                picked = Some(name.clone());
            }
        }
    });
    match label {
        Some(label) => around.called(response.response, label),
        None => response.response.accessible_name(around.name),
    };
    picked
}

/// The button that opens a list of names, and the list. Gives back the chosen name.
pub fn name_picker(
    ui: &mut Ui,
    document: &Document,
    draft: &mut Draft,
    around: &Around<'_>,
    editor: Editor,
    current: &str,
) -> Option<String> {
    let palette = Palette::get(ui);
    let name = format!("Choose {}", around.name.to_lowercase());
    let text = RichText::new(icons::glyph("caret-down")).font(theme::icon(13.0));
    let button = ui
        .scope(|ui| {
            ui.spacing_mut().button_padding.x = 6.0;
            ui.spacing_mut().interact_size.x = 28.0;
            ui.add(Button::new(text).min_size(vec2(28.0, 28.0)))
        })
        .inner
        .accessible_name(name.clone())
        .on_hover_text(name);
    if button.clicked() {
        draft.choices = Some((around.key.to_owned(), names::options(document, editor)));
        draft.choice_search.clear();
    }
    let mut picked = None;
    Popup::menu(&button).width(248.0).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        let choices = match &draft.choices {
            Some((key, choices)) if key == around.key => choices.as_slice(),
            _ => &[],
        };
        if choices.len() > 8 {
            let search =
                TextEdit::singleline(&mut draft.choice_search).hint_text("Search").desired_width(f32::INFINITY);
            ui.add(search.margin(Margin::symmetric(8, 5))).accessible_name("Search names");
        }
        if choices.is_empty() {
            small(ui, "The workspace has none yet: type a name");
        }
        ScrollArea::vertical().max_height(280.0).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            for choice in names::found(choices, &draft.choice_search, 200) {
                if choice_row(ui, choice, choice.name == current, palette).clicked() {
                    picked = Some(choice.name.clone());
                    ui.close();
                }
            }
        });
    });
    picked
}

fn choice_row(ui: &mut Ui, choice: &names::Choice, is_chosen: bool, palette: &Palette) -> Response {
    let mut job = LayoutJob::default();
    let format = |font, color| TextFormat { font_id: font, color, ..TextFormat::default() };
    job.append(&choice.name, 0.0, format(theme::regular(13.0), palette.text));
    if !choice.about.is_empty() {
        job.append(&choice.about, 8.0, format(theme::regular(11.5), palette.weak));
    }
    let button = Button::selectable(is_chosen, job).truncate().min_size(vec2(ui.available_width(), 26.0));
    ui.add(button).accessible_name(&choice.name)
}

/// A box around rows that belong together.
pub fn boxed<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let palette = Palette::get(ui);
    Frame::new()
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(theme::TILE_RADIUS as f32)
        .inner_margin(Margin { left: 10, right: 10, top: 6, bottom: 8 })
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            add(ui)
        })
        .inner
}
