//! What if: properties and events of the chosen contact to change, and what it changes in their way.

use std::collections::BTreeMap;

use egui::{ComboBox, Key, Label, Rect, RichText, ScrollArea, TextEdit, Ui, UiBuilder, pos2, vec2};
use smol_str::SmolStr;

use super::parts;
use crate::{
    app::{
        Command, Document,
        act::Act,
        stage,
        what_if::{self, Change},
        when,
    },
    audience::{Channel, ConsentStatus, Event},
    base::{ContactId, Instant, Span},
    gui::{
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// Half-typed values of one contact.
#[derive(Debug, Default)]
pub struct Draft {
    contact: Option<ContactId>,
    /// How many changes there were; a reset empties the fields.
    num_changes: usize,
    properties: BTreeMap<SmolStr, String>,
    shifts: BTreeMap<String, String>,
    metric: SmolStr,
    at: String,
    fault: String,
}

/// Draws it.
pub fn what_if_ui(ui: &mut Ui, document: &Document, draft: &mut super::Draft, out: &mut Vec<Command>) {
    if !parts::has_people(ui, document) {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
        parts::people(ui, document, &mut draft.people, out);
        changes_ui(ui, document, out);
    });
    let Some(contact) = document.view.contact.clone() else { return };
    let draft = &mut draft.what_if;
    let num_changes = document.view.changes.len();
    if draft.contact.as_ref() != Some(&contact) || num_changes < draft.num_changes {
        *draft = Draft { contact: Some(contact.clone()), metric: draft.metric.clone(), ..Draft::default() };
    }
    draft.num_changes = num_changes;
    let whole = ui.available_rect_before_wrap();
    if whole.height() < 8.0 {
        return;
    }
    // Side by side where there is room for both.
    let left_width = if whole.width() >= 640.0 { (whole.width() * 0.44).min(560.0) } else { whole.width() };
    if left_width < whole.width() {
        let left = Rect::from_min_max(whole.min, pos2(whole.left() + left_width, whole.bottom()));
        let right = Rect::from_min_max(pos2(left.right() + 16.0, whole.top()), whole.max);
        ui.scope_builder(UiBuilder::new().max_rect(left), |ui| {
            ScrollArea::vertical().id_salt("knobs").auto_shrink([false, false]).show(ui, |ui| {
                knobs(ui, document, &contact, draft, out);
            });
        });
        ui.scope_builder(UiBuilder::new().max_rect(right), |ui| {
            ScrollArea::vertical().id_salt("differences").auto_shrink([false, false]).show(ui, |ui| {
                differences(ui, document, out);
            });
        });
    } else {
        ScrollArea::vertical().id_salt("both").auto_shrink([false, false]).show(ui, |ui| {
            differences(ui, document, out);
            knobs(ui, document, &contact, draft, out);
        });
    }
}

fn changes_ui(ui: &mut Ui, document: &Document, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let Some(contact) = &document.view.contact else { return };
    for (n, change) in document.view.changes.iter().enumerate() {
        let said = change.sentence(&document.home, contact);
        let words = RichText::new(&said).font(theme::medium(12.0)).color(palette.accent);
        let glyph = RichText::new(icons::glyph("x")).font(theme::icon(12.0)).color(palette.accent);
        let button =
            egui::Button::new((words, glyph)).fill(palette.accent_soft).corner_radius(12.0).min_size(vec2(0.0, 24.0));
        if ui.add(button).accessible_name(format!("Take back: {said}")).clicked() {
            out.push(Act::DropChange(n).into());
        }
    }
    if !document.view.changes.is_empty() && parts::small_button(ui, "Reset").clicked() {
        out.push(Act::ResetWhatIf.into());
    }
}

fn differences(ui: &mut Ui, document: &Document, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    if document.view.changes.is_empty() {
        parts::nothing(ui, "Change something of this contact, and see what becomes of their way");
        return;
    }
    let fresh = document.what_if().filter(|made| made.changes == document.view.changes);
    let Some(made) = fresh else {
        let failed = document.derived.what_if.as_ref().and_then(|stamped| stamped.value.as_ref().err());
        parts::nothing(ui, failed.map_or("Replaying…", String::as_str));
        return;
    };
    if made.differences.is_empty() {
        parts::nothing(ui, "Nothing changes in this flow");
        return;
    }
    let columns = [("Step", 0.3), ("As it is", 0.34), ("What if", 0.36)];
    ui.spacing_mut().item_spacing.y = 0.0;
    parts::header(ui, &columns);
    for difference in &made.differences {
        let old = if difference.old.is_empty() { "does not happen" } else { &difference.old };
        let new = if difference.new.is_empty() { "does not happen" } else { &difference.new };
        let name = format!("{}: {old} → {new}", difference.title);
        let (rect, response) = parts::row(ui, &name, difference.node.is_some(), false);
        let cells = parts::cells(rect, &columns);
        parts::text(ui.painter(), cells[0], &difference.title, theme::medium(12.5), palette.text);
        parts::text(ui.painter(), cells[1], old, theme::regular(12.5), palette.weak);
        parts::text(ui.painter(), cells[2], new, theme::medium(12.5), palette.accent);
        if response.clicked()
            && let Some(node) = &difference.node
        {
            out.push(Command::GoTo(node.clone()));
        }
        response.on_hover_text(name);
    }
}

fn knobs(ui: &mut Ui, document: &Document, contact: &ContactId, draft: &mut Draft, out: &mut Vec<Command>) {
    widgets::caption(ui, "Properties");
    for (name, value) in what_if::properties(&document.home, contact) {
        let old = value.as_ref().map(ToString::to_string).unwrap_or_default();
        let typed = draft.properties.entry(name.clone()).or_insert_with(|| old.clone());
        let is_changed = *typed != old;
        let done = field_row(ui, &name, typed, "missing", is_changed);
        let change = Change::Property { name: name.clone(), value: what_if::typed(typed, value.as_ref()) };
        let asked = document.view.changes.iter().find(|other| change.replaces(other));
        let is_new = asked.map_or(is_changed, |asked| *asked != change);
        if done && is_new {
            out.push(Act::Change(change).into());
        }
    }
    consent(ui, document, contact, out);
    ui.add_space(4.0);
    widgets::caption(ui, "Events");
    add_event(ui, document, draft, out);
    let zone = when::zone_of(&document.home, Some(contact));
    let mut own: Vec<&Event> = document.home.audience.events.iter().filter(|e| e.contact == *contact).collect();
    own.dedup_by(|a, b| a.id == b.id);
    for event in own {
        event_row(ui, event, &when::day_time(event.accepted, &zone), draft, out);
    }
}

/// A name and a field; true when what stands in it is meant.
fn field_row(ui: &mut Ui, name: &str, typed: &mut String, hint: &str, is_changed: bool) -> bool {
    let palette = Palette::get(ui);
    let mut done = false;
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(130.0, 26.0), egui::Sense::hover());
        let ink = if is_changed { palette.accent } else { palette.text };
        parts::text(ui.painter(), rect, name, theme::regular(12.5), ink);
        let width = (ui.available_width() - 8.0).clamp(60.0, 260.0);
        let field = TextEdit::singleline(typed).hint_text(hint).desired_width(width);
        done = ui.add(field).accessible_name(name).lost_focus();
    });
    done
}

fn consent(ui: &mut Ui, document: &Document, contact: &ContactId, out: &mut Vec<Command>) {
    let Some(person) = stage::contact(&document.home, contact) else { return };
    for channel in [Channel::Email, Channel::Sms] {
        let changed = document.view.changes.iter().find_map(|change| match change {
            Change::Consent { channel: of, status } if *of == channel => Some(*status),
            _ => None,
        });
        let now = changed.unwrap_or(person.consent.on(channel));
        let name = format!("{} consent", channel.name());
        ui.horizontal(|ui| {
            let palette = Palette::get(ui);
            let (rect, _) = ui.allocate_exact_size(vec2(130.0, 26.0), egui::Sense::hover());
            let ink = if changed.is_some() { palette.accent } else { palette.text };
            parts::text(ui.painter(), rect, &name, theme::regular(12.5), ink);
            let combo = ComboBox::from_id_salt(&name).selected_text(now.name()).width(130.0);
            let combo = combo.show_ui(ui, |ui| {
                for status in [ConsentStatus::Subscribed, ConsentStatus::Unknown, ConsentStatus::Unsubscribed] {
                    if ui.selectable_label(now == status, status.name()).clicked() && now != status {
                        out.push(Act::Change(Change::Consent { channel, status }).into());
                    }
                }
            });
            combo.response.accessible_name(&name);
        });
    }
}

fn add_event(ui: &mut Ui, document: &Document, draft: &mut Draft, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let zone = when::zone_of(&document.home, document.view.contact.as_ref());
    let metrics = what_if::metrics(&document.home);
    if draft.metric.is_empty() {
        draft.metric = metrics.first().cloned().unwrap_or_default();
    }
    ui.horizontal_wrapped(|ui| {
        let combo = ComboBox::from_id_salt("metric").selected_text(draft.metric.as_str()).width(140.0).truncate();
        let combo = combo.show_ui(ui, |ui| {
            for metric in &metrics {
                ui.selectable_value(&mut draft.metric, metric.clone(), metric.as_str());
            }
        });
        combo.response.accessible_name("Event to add");
        let shown: Option<Instant> = document.view.clock.or_else(|| stage::newest(&document.home));
        let hint = shown.map(|at| when::typed(at, &zone)).unwrap_or_default();
        let field = TextEdit::singleline(&mut draft.at).hint_text(&hint).desired_width(120.0);
        let field = ui.add(field).accessible_name("When it happens");
        let enter = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        if parts::small_button(ui, "Add event").clicked() || enter {
            let text = if draft.at.trim().is_empty() { &hint } else { &draft.at };
            match when::parse(text, &zone) {
                Ok(at) => {
                    draft.fault.clear();
                    out.push(Act::Change(Change::Add { name: draft.metric.clone(), at }).into());
                }
                Err(fault) => draft.fault = fault,
            }
        }
    });
    if !draft.fault.is_empty() {
        ui.add(Label::new(RichText::new(&draft.fault).font(theme::regular(11.5)).color(palette.error)).wrap());
    }
}

fn event_row(ui: &mut Ui, event: &Event, when: &str, draft: &mut Draft, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let (rect, response) = parts::row(ui, &format!("{when}: {}", event.name), false, false);
    let mut dropped = false;
    let right = parts::right_end(ui, rect, |ui| {
        dropped = parts::icon_button(ui, "trash", &format!("Drop {} of {when}", event.name), true).clicked();
        let typed = draft.shifts.entry(event.id.to_string()).or_default();
        let field = TextEdit::singleline(typed).hint_text("+2 h").desired_width(56.0).margin(vec2(6.0, 2.0));
        let name = format!("Shift {} of {when} by", event.name);
        let field =
            ui.add(field).accessible_name(&name).on_hover_text("Later by a span such as 2 h, earlier by -1 day");
        if field.lost_focus() && !typed.trim().is_empty() {
            match Span::parse(typed) {
                Ok(by) => {
                    draft.fault.clear();
                    out.push(Act::Change(Change::Shift { id: event.id.clone(), by }).into());
                }
                Err(fault) => draft.fault = fault,
            }
        }
    });
    if dropped {
        out.push(Act::Change(Change::Drop(event.id.clone())).into());
    }
    let mut cell = rect;
    cell.max.x = right;
    let cells = parts::cells(cell, &[("", 118.0), ("", 0.99)]);
    parts::text(ui.painter(), cells[0], when, theme::regular(12.0), palette.weak);
    let mut rest = cells[1];
    let end = parts::text(ui.painter(), rest, &event.name, theme::regular(12.5), palette.text);
    rest.min.x = end.right() + 8.0;
    let detail = stage::key_values(event, None);
    parts::text(ui.painter(), rest, &detail, theme::regular(11.5), palette.weak);
    response.on_hover_text(detail);
}
