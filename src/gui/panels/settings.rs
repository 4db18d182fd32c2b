//! Preferences: what the window looks like, how it writes numbers and dates, which keys do what.

use egui::{Align, Button, ComboBox, Event, Id, Key, Layout, Modal, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::Drafts;
use crate::{
    app::{
        App, Command, CommandId, Theme,
        command::{COMMANDS, keys},
        files::{Act, Page},
        preferences::{DateStyle, NumberStyle, Preferences},
    },
    base::Zone,
    gui::{
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// Sizes that are offered; any other may stand in the file.
const SCALES: [f32; 7] = [0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0];

/// Half-typed settings.
#[derive(Debug, Default)]
pub struct Draft {
    zone: Option<String>,
    search: String,
    /// Its next keys are being waited for.
    recording: Option<CommandId>,
    /// Keys that could not be given, and why.
    refused: Option<(CommandId, String)>,
}

/// Draws it where it is open.
pub fn settings(ui: &mut Ui, app: &App, drafts: &mut Drafts, out: &mut Vec<Command>) {
    if app.files.page != Some(Page::Settings) {
        drafts.settings = Draft::default();
        return;
    }
    let screen = ui.ctx().content_rect().size();
    let draft = &mut drafts.settings;
    let mut next = app.preferences.clone();
    // While keys are waited for, Escape is only one of them.
    let was_recording = draft.recording.is_some();
    record(ui, draft, &mut next);
    let modal = Modal::new(Id::unique("settings")).frame(super::shortcuts::page_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width((screen.x - 88.0).min(600.0));
        ui.set_height((screen.y - 104.0).min(600.0));
        super::shortcuts::page_head(ui, "Settings", out);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.set_max_width(ui.available_width() - 12.0);
            look(ui, &mut next);
            words(ui, draft, &mut next);
            keys(ui, draft, &mut next);
        });
    });
    if !was_recording && modal.should_close() {
        out.push(Command::Files(Act::Show(None)));
    }
    if next != app.preferences {
        out.push(Command::Files(Act::Prefer(Box::new(next))));
    }
}

/// A row: what it is on the left, the control on the right.
fn row(ui: &mut Ui, label: &str, help: &str, control: impl FnOnce(&mut Ui)) {
    let palette = Palette::get(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(36.0);
        let label = RichText::new(label).font(theme::medium(13.0));
        if help.is_empty() {
            ui.label(label);
        } else {
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                ui.label(label);
                ui.label(RichText::new(help).font(theme::regular(11.5)).color(palette.weak));
            });
        }
        ui.with_layout(Layout::right_to_left(Align::Center), control);
    });
}

/// One of several words.
fn choice<T: Copy + PartialEq>(ui: &mut Ui, name: &str, value: &mut T, all: &[(T, &str)]) {
    let current = all.iter().find(|(one, _)| one == value).map_or("as in the file", |(_, text)| text);
    let combo = ComboBox::from_id_salt(name).selected_text(current).width(164.0).show_ui(ui, |ui| {
        for (one, text) in all {
            ui.selectable_value(value, *one, *text);
        }
    });
    combo.response.accessible_name(name.to_owned());
}

fn look(ui: &mut Ui, next: &mut Preferences) {
    widgets::caption(ui, "Look");
    let themes = [(Theme::System, "As the system"), (Theme::Light, "Light"), (Theme::Dark, "Dark")];
    row(ui, "Theme", "", |ui| choice(ui, "Theme", &mut next.theme, &themes));
    row(ui, "Size of everything", "1 is as the system says", |ui| {
        let named: Vec<(f32, String)> =
            SCALES.iter().map(|scale| (*scale, format!("{} %", (scale * 100.0).round()))).collect();
        let named: Vec<(f32, &str)> = named.iter().map(|(scale, name)| (*scale, name.as_str())).collect();
        choice(ui, "Size of everything", &mut next.scale, &named);
    });
    row(ui, "Reduced motion", "Nothing glides or fades", |ui| {
        widgets::checkbox(ui, &mut next.reduced_motion, "").accessible_name("Reduced motion");
    });
}

fn words(ui: &mut Ui, draft: &mut Draft, next: &mut Preferences) {
    let palette = Palette::get(ui);
    ui.add_space(8.0);
    widgets::caption(ui, "Numbers, dates, zone");
    let numbers =
        [(NumberStyle::Comma, "12,480.5"), (NumberStyle::Point, "12.480,5"), (NumberStyle::Space, "12 480,5")];
    row(ui, "Numbers", "In the window; mails have their own ways", |ui| {
        choice(ui, "Numbers", &mut next.numbers, &numbers);
    });
    let dates = [
        (DateStyle::Long, "23 November 2026"),
        (DateStyle::Iso, "2026-11-23"),
        (DateStyle::DayFirst, "23.11.2026"),
        (DateStyle::MonthFirst, "11/23/2026"),
    ];
    row(ui, "Dates", "", |ui| choice(ui, "Dates", &mut next.dates, &dates));
    row(ui, "Default zone", "Of contacts that have none, where the workspace names none", |ui| {
        let text = draft.zone.get_or_insert_with(|| next.zone.clone().unwrap_or_default());
        let field = TextEdit::singleline(text).hint_text("Europe/Berlin").desired_width(144.0);
        let field = ui.add(field.margin(egui::Margin::symmetric(10, 6))).accessible_name("Default zone");
        let typed = text.trim();
        if field.changed() {
            if typed.is_empty() {
                next.zone = None;
            } else if Zone::named(typed).is_ok() {
                next.zone = Some(typed.to_owned());
            }
        }
        if !typed.is_empty() && Zone::named(typed).is_err() {
            ui.label(RichText::new("No such zone").color(palette.error));
        }
    });
}

fn keys(ui: &mut Ui, draft: &mut Draft, next: &mut Preferences) {
    let palette = Palette::get(ui);
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        widgets::caption(ui, "Keys");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let field = TextEdit::singleline(&mut draft.search).hint_text("Search commands").desired_width(180.0);
            ui.add(field.margin(egui::Margin::symmetric(10, 6))).accessible_name("Search commands");
        });
    });
    let query = draft.search.to_lowercase();
    for row_of in COMMANDS.iter().filter(|row| row.label.to_lowercase().contains(&query)) {
        let name = format!("{:?}", row_of.id);
        let keys = keys::keys(next, row_of.id).to_owned();
        let clash = keys::taken_by(next, row_of.id, &keys);
        let refused = draft.refused.as_ref().filter(|(id, _)| *id == row_of.id).map(|(_, why)| why.clone());
        row(ui, row_of.label, "", |ui| {
            let waits = draft.recording == Some(row_of.id);
            let text = match (waits, keys.is_empty()) {
                (true, _) => "Press the keys…".to_owned(),
                (_, true) => "none".to_owned(),
                _ => keys.replace(' ', "  or  "),
            };
            let fill = if waits { palette.accent_soft } else { palette.field };
            let button = ui.add(Button::new(text).fill(fill).min_size(vec2(150.0, 28.0)));
            if button.accessible_name(format!("Keys of {}", row_of.label)).clicked() {
                draft.recording = if waits { None } else { Some(row_of.id) };
            }
            if next.keys.contains_key(&name) {
                let back = RichText::new(icons::glyph("arrow-counter-clockwise")).font(theme::icon(15.0));
                let back = ui.add(Button::new(back).frame_when_inactive(false));
                let back = back.accessible_name(format!("Usual keys of {}", row_of.label));
                if back.on_hover_text("The usual keys").clicked() {
                    give(draft, next, row_of.id, row_of.keys);
                }
            }
            if let Some((other, _)) = clash {
                ui.label(RichText::new(format!("also {}", other.label)).color(palette.warning));
            }
        });
        if let Some(why) = refused {
            let words = RichText::new(why).font(theme::regular(12.0)).color(palette.error);
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| ui.add(egui::Label::new(words).wrap()));
        }
    }
    ui.add_space(12.0);
}

/// Takes the keys that are pressed while some are waited for: Escape leaves them, Backspace takes them away.
fn record(ui: &Ui, draft: &mut Draft, next: &mut Preferences) {
    let Some(id) = draft.recording else { return };
    let pressed = ui.input_mut(|i| {
        let at = i.events.iter().position(|event| matches!(event, Event::Key { pressed: true, .. }))?;
        match i.events.remove(at) {
            Event::Key { key, modifiers, .. } => Some((key, modifiers)),
            _ => None,
        }
    });
    let Some((key, modifiers)) = pressed else { return };
    draft.recording = None;
    draft.refused = None;
    match key {
        Key::Escape => {}
        Key::Backspace if modifiers.is_none() => give(draft, next, id, ""),
        key => {
            let mut text = String::new();
            for (is_on, word) in [(modifiers.command, "Ctrl+"), (modifiers.shift, "Shift+"), (modifiers.alt, "Alt+")] {
                if is_on {
                    text.push_str(word);
                }
            }
            text.push_str(key.name());
            give(draft, next, id, &text);
        }
    }
}

/// Gives keys to a command, or says why not.
fn give(draft: &mut Draft, next: &mut Preferences, id: CommandId, wanted: &str) {
    match keys::with_keys(next, id, wanted) {
        Ok(with) => *next = with,
        Err(why) => draft.refused = Some((id, why)),
    }
}
