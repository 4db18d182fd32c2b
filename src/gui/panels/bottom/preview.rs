//! Message preview: the mail of the selected step as one contact gets it.

use egui::{Button, ComboBox, RichText, TextEdit, Ui, vec2};

use super::{super::mails, parts};
use crate::{
    app::{
        Command, CommandId, Document,
        act::{self, Act},
        preview::Moment,
        stage, when,
    },
    gui::{
        icons,
        theme::{self, Palette},
    },
};

/// A half-typed instant.
#[derive(Debug, Default)]
pub struct Draft {
    instant: String,
    fault: String,
}

/// Draws it.
pub fn preview_ui(
    ui: &mut Ui,
    document: &Document,
    draft: &mut super::Draft,
    mail: &mut mails::Draft,
    out: &mut Vec<Command>,
) {
    if !parts::has_people(ui, document) {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
        for_whom(ui, document, draft, out);
        let large = parts::small_button(ui, "Open the page");
        if large.on_hover_text("The mail in the whole window  Ctrl+Shift+E").clicked() {
            out.push(CommandId::PageMails.into());
        }
    });
    if document.preview_key().node.is_none() {
        parts::nothing(ui, "Select a step that sends a message");
        return;
    }
    mails::small(ui, document, mail, out);
}

/// For whom, by which entry, when; and the ways out of the window.
pub fn for_whom(ui: &mut Ui, document: &Document, draft: &mut super::Draft, out: &mut Vec<Command>) {
    let moment = act::moment(document);
    parts::people(ui, document, &mut draft.people, out);
    let differs = parts::small_button(ui, "Next that differs");
    if differs.on_hover_text("The next contact with other blocks, another variant, or tags without a value").clicked() {
        out.push(Act::NextDiffering.into());
    }
    event_ui(ui, document, out);
    instant_ui(ui, document, moment.as_ref(), &mut draft.preview, out);
    mails::out_of_here(ui, document, out);
}

fn event_ui(ui: &mut Ui, document: &Document, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let Some(contact) = &document.view.contact else { return };
    let entries = stage::entries(document.flow(), &document.home, contact);
    let chosen = entries.iter().find(|entry| Some(&entry.id) == document.view.event.as_ref());
    let words = chosen.map_or("Entry: as it happens".to_owned(), |entry| format!("{}, {}", entry.name, entry.when));
    let combo = ComboBox::from_id_salt("event").selected_text(words).width(150.0).truncate();
    let combo = combo.show_ui(ui, |ui| {
        ui.set_min_width(380.0);
        if ui.selectable_label(chosen.is_none(), "As it happens").clicked() {
            out.push(Command::ChooseEvent(None));
        }
        for entry in &entries {
            let is_chosen = chosen.is_some_and(|chosen| chosen.id == entry.id);
            let (rect, response) = parts::row(ui, &format!("{}, {}", entry.name, entry.when), true, is_chosen);
            let cells = parts::cells(rect.shrink2(vec2(4.0, 0.0)), &[("", 120.0), ("", 0.4), ("", 0.6)]);
            parts::text(ui.painter(), cells[0], &entry.when, theme::medium(12.0), palette.text);
            parts::text(ui.painter(), cells[1], &entry.name, theme::regular(12.5), palette.text);
            parts::text(ui.painter(), cells[2], &entry.detail, theme::regular(11.5), palette.weak);
            if response.clicked() {
                out.push(Command::ChooseEvent(Some(entry.id.clone())));
                ui.close();
            }
        }
        if entries.is_empty() {
            ui.label(RichText::new("No event of theirs could have let them in").color(palette.weak));
        }
    });
    combo.response.accessible_name("Event of entry");
}

fn instant_ui(ui: &mut Ui, document: &Document, moment: Option<&Moment>, draft: &mut Draft, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let zone = when::zone_of(&document.home, document.view.contact.as_ref());
    let at = moment.map(|moment| moment.at).or_else(|| stage::newest(&document.home));
    let words = at.map_or("No instant".to_owned(), |at| when::day_time(at, &zone));
    let glyph = RichText::new(icons::glyph("clock")).font(theme::icon(13.0));
    let button = Button::new((glyph, words)).min_size(vec2(0.0, 26.0));
    let button = ui.add(button).accessible_name("Instant of the preview");
    let popup = egui::Popup::from_toggle_button_response(&button)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .accessible_name("Instants")
        .width(250.0);
    popup.show(|ui| {
        if ui.button("When they get it").clicked() {
            out.push(Command::ChooseInstant(None));
            out.push(Act::SetClock(None).into());
            ui.close();
        }
        if let Some(newest) = stage::newest(&document.home)
            && ui.button("At the newest event").clicked()
        {
            out.push(Command::ChooseInstant(Some(newest)));
            ui.close();
        }
        let hint = at.map(|at| when::typed(at, &zone)).unwrap_or_default();
        let field = TextEdit::singleline(&mut draft.instant).hint_text(hint).desired_width(220.0);
        let field = ui.add(field).accessible_name("Instant, such as 2026-10-20 03:10");
        if field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter)) {
            match when::parse(&draft.instant, &zone) {
                Ok(at) => {
                    draft.fault.clear();
                    out.push(Command::ChooseInstant(Some(at)));
                    ui.close();
                }
                Err(fault) => draft.fault = fault,
            }
        }
        let words = if draft.fault.is_empty() { zone.name() } else { draft.fault.as_str() };
        let ink = if draft.fault.is_empty() { palette.weak } else { palette.error };
        ui.label(RichText::new(words).font(theme::regular(11.5)).color(ink));
    });
}
