//! What waits for somebody: held steps and messages, messages of which nobody knows whether they arrived, and contacts
//! that cannot be read.

use egui::{Align, Frame, Label, Layout, Margin, RichText, ScrollArea, Ui};

use crate::{
    app::{
        Command, Document,
        run::{Act, MOST_HELD, Question, Run, words},
    },
    base::ContactId,
    engine::status::{DamagedContact, HeldRow},
    gui::{
        panels::bottom,
        theme::{self, Palette},
    },
};

/// Draws it.
pub fn held(ui: &mut Ui, document: &Document, run: &Run, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let rows = match &run.held {
        None => return bottom::nothing(ui, "Looking\u{2026}"),
        Some(Err(refusal)) => {
            ui.add(Label::new(RichText::new(&refusal.error).color(palette.error)).wrap());
            ui.add(Label::new(RichText::new(&refusal.hint).color(palette.weak)).wrap());
            return;
        }
        Some(Ok(rows)) => rows,
    };
    let status = run.status.as_deref();
    let damaged = status.map(|status| status.damaged_contacts.as_slice()).unwrap_or_default();
    if rows.is_empty() && damaged.is_empty() {
        bottom::nothing(ui, "Nothing waits for anybody: every message has left, or waits for its time");
        return;
    }
    ScrollArea::vertical().id_salt("held").auto_shrink([false, false]).show(ui, |ui| {
        Frame::new().inner_margin(Margin { left: 0, right: 12, top: 4, bottom: 8 }).show(ui, |ui| {
            for one in damaged {
                damaged_ui(ui, document, run, one, out);
            }
            let more = status.map_or(0, |status| status.damaged).saturating_sub(damaged.len() as u64);
            if more > 0 {
                let more = document.home.manner.number(more);
                let words = format!("{more} more cannot be read; flowloom held shows them");
                ui.label(RichText::new(words).color(palette.weak));
            }
            for row in rows {
                row_ui(ui, document, run, row, out);
            }
            if rows.len() >= MOST_HELD {
                let words =
                    format!("The oldest {}; flowloom held shows more", document.home.manner.number(MOST_HELD as u64));
                ui.label(RichText::new(words).color(palette.weak));
            }
        });
    });
}

/// A card: what it is about in one line, why in the next, what can be done on the right.
fn card(ui: &mut Ui, run: &Run, why: &str, about: impl FnOnce(&mut Ui), buttons: impl FnOnce(&mut Ui)) {
    let palette = Palette::get(ui);
    let frame = Frame::new().fill(palette.card).stroke(egui::Stroke::new(1.0, palette.line));
    frame.corner_radius(theme::CONTROL_RADIUS as f32).inner_margin(Margin::symmetric(10, 6)).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.set_height(HIGH);
            ui.add_enabled_ui(!run.is_ordering, buttons);
            ui.with_layout(Layout::top_down(Align::LEFT), |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.spacing_mut().interact_size.y = 22.0;
                ui.horizontal(about);
                let label = ui.add(Label::new(RichText::new(why).color(palette.weak)).truncate());
                label.on_hover_text(why);
            });
        });
    });
}

/// A contact that cannot be read.
fn damaged_ui(ui: &mut Ui, document: &Document, run: &Run, one: &DamagedContact, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let about = |ui: &mut Ui| {
        bottom::pill(ui, "Cannot be read", palette.error, palette.error_soft);
        ui.label(RichText::new(one.contact.as_str()).font(theme::medium(13.0)));
        ui.add(Label::new(format!("since {}", words::day_time(document, one.since))).truncate());
    };
    card(ui, run, &one.why, about, |ui| {
        let button = bottom::small_button(ui, "Forget\u{2026}").accessible_name(format!("Forget {}", one.contact));
        if button.on_hover_text("The last backup may have them whole: flowloom restore").clicked() {
            out.push(Act::Ask(Question::Forget { contact: one.contact.clone() }).into());
        }
    });
}

fn row_ui(ui: &mut Ui, document: &Document, run: &Run, row: &HeldRow, out: &mut Vec<Command>) {
    let is_unknown = row.what == "unknown";
    let mut why = words::reason(row.reason).to_owned();
    if !row.detail.is_empty() {
        why = format!("{why}: {}", row.detail);
    }
    let mut asked = Vec::new();
    card(ui, run, &why, |ui| about(ui, document, row, is_unknown, &mut asked), |ui| button(ui, row, is_unknown, out));
    out.append(&mut asked);
}

/// Height of a row without its frame, in points.
const HIGH: f32 = 44.0;

/// Who, where, since when.
fn about(ui: &mut Ui, document: &Document, row: &HeldRow, is_unknown: bool, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let (word, ink, fill) = match is_unknown {
        true => ("May have arrived", palette.warning, palette.warning_soft),
        false => ("Held", palette.error, palette.error_soft),
    };
    bottom::pill(ui, word, ink, fill);
    let person = ui.link(RichText::new(row.contact.as_str()).font(theme::medium(13.0)));
    if person.accessible_name(format!("Look at {}", row.contact)).clicked() {
        out.push(Act::Contact(Some(row.contact.clone())).into());
    }
    let step = match row.flow == document.flow().id {
        true => words::step(document, row.node.as_str()),
        false => format!("{} in {}", row.node, row.flow),
    };
    let since = words::day_time(document, row.since);
    ui.add(Label::new(format!("at {step}, since {since}")).truncate());
}

/// What can be done about it.
fn button(ui: &mut Ui, row: &HeldRow, is_unknown: bool, out: &mut Vec<Command>) {
    if is_unknown {
        may_have_left(ui, &row.contact, &row.key, out);
    } else {
        let button = bottom::small_button(ui, "Retry").accessible_name(format!("Retry {}", row.key));
        if button.clicked() {
            out.push(Act::Retry(row.key.clone()).into());
        }
    }
}

/// What can be said of a message of which nobody knows whether it arrived.
pub fn may_have_left(ui: &mut Ui, contact: &ContactId, key: &str, out: &mut Vec<Command>) {
    let button = bottom::small_button(ui, "It did not arrive: send again\u{2026}");
    if button.accessible_name(format!("Send {key} again")).clicked() {
        let question = Question::Resend { contact: contact.clone(), key: key.to_owned() };
        out.push(Act::Ask(question).into());
    }
    let button = bottom::small_button(ui, "It left\u{2026}").accessible_name(format!("Take {key} as sent"));
    if button.on_hover_text("Found in a mailbox or in the mail server's log: take it as sent").clicked() {
        let question = Question::MarkSent { contact: contact.clone(), key: key.to_owned() };
        out.push(Act::Ask(question).into());
    }
}
