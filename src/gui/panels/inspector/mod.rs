//! The panel on the right: what is selected, and its settings.

mod condition_ui;
mod draft;
mod footer_ui;
mod form;
pub mod inputs;
mod map_ui;
mod message_ui;
mod tags_ui;
#[cfg(test)]
mod tests;

use egui::{Frame, Margin, RichText, ScrollArea, Ui};

use self::inputs::{Around, TextLook};
pub use self::{
    draft::Draft,
    form::{Pen, row_ui, rows_ui},
};
use super::Drafts;
use crate::{
    app::{
        App, Command, CommandId, Document, card,
        inspector::{self, Form, Ready, Target, edge, flow_fields},
    },
    flow::Node,
    gui::{
        theme::{self, Palette},
        widgets,
    },
    kinds::CATALOGUE,
};

/// Draws it.
pub fn inspector(ui: &mut Ui, _app: &App, document: &Document, drafts: &mut Drafts, out: &mut Vec<Command>) {
    let mut pen = Pen { document, draft: &mut drafts.inspector, out };
    Frame::new().inner_margin(Margin { left: 16, right: 6, top: 14, bottom: 4 }).show(ui, |ui| {
        let view = &document.view;
        if let Some(edge) = edge::selected(document) {
            edge_ui(ui, &mut pen, &edge);
        } else if let Some(form) = inspector::form(document) {
            steps(ui, &mut pen, &form);
        } else if view.selection.is_empty() {
            flow(ui, &mut pen);
        } else {
            mixed(ui, &mut pen);
        }
    });
}

/// What scrolls below the header, with room for the bar.
fn scrolled(ui: &mut Ui, salt: &str, add: impl FnOnce(&mut Ui)) {
    ui.add_space(4.0);
    ScrollArea::vertical().id_salt(salt).auto_shrink([false, false]).show(ui, |ui| {
        Frame::new().inner_margin(Margin { left: 0, right: 6, top: 2, bottom: 20 }).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 4.0;
            add(ui);
        });
    });
}

fn header(ui: &mut Ui, icon: &str, family: card::Family, above: &str, title: &str) {
    let palette = Palette::get(ui);
    ui.horizontal(|ui| {
        widgets::tile(ui, icon, family, 36.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.label(RichText::new(above).font(theme::medium(11.5)).color(palette.family(family)));
            ui.add(egui::Label::new(RichText::new(title).font(theme::semibold(16.0))).truncate());
        });
    });
}

/// One step, or several of one kind.
fn steps(ui: &mut Ui, pen: &mut Pen<'_>, form: &Form) {
    let document = pen.document;
    let Target::Nodes(ids) = &form.target else { return };
    let Some(node) = ids.first().and_then(|id| document.flow().node(id.as_str())) else { return };
    let kind = form.spec.map_or("Unknown step", |spec| spec.title);
    let title = if ids.len() == 1 { node.title().to_owned() } else { format!("{} steps", ids.len()) };
    header(ui, form.spec.map_or("question", |s| s.icon), card::family(&node.kind), kind, &title);
    // One place to scroll for each step: another one begins at its top.
    scrolled(ui, &format!("inspector {ids:?}"), |ui| {
        if ids.len() == 1 {
            let named = Line { label: "Step name", key: &format!("title {}", node.id), rows: 1, hint: node.title() };
            line(ui, pen, named, &node.title, &|text| inspector::rename(node, text));
        } else {
            inputs::small(ui, "What they have in common; a change is made in all of them");
        }
        // Of a step that sends, the words come before the circumstances.
        let sends = ids.len() == 1 && node.settings().is_some_and(|settings| settings.message().is_some());
        if sends {
            message_ui::message_ui(ui, pen, &node.id);
            ui.add_space(4.0);
            message_ui::preview_button(ui, pen);
            inputs::caption(ui, "Sending");
        }
        settings(ui, pen, form);
        if ids.len() == 1 {
            step_note(ui, pen, node);
            footer_ui::stats(ui, pen, &node.id);
            footer_ui::step_problems(ui, pen, &node.id);
        }
        if let Some(spec) = form.spec {
            footer_ui::more(ui, spec);
        }
    });
}

/// The rows of settings, or their text where they cannot be read.
fn settings(ui: &mut Ui, pen: &mut Pen<'_>, form: &Form) {
    flow_sections(ui, pen, form, flow_fields::SECTIONS);
}

/// The same; of the flow's settings only these sections.
pub fn flow_sections(ui: &mut Ui, pen: &mut Pen<'_>, form: &Form, sections: &[(&str, &[&str])]) {
    let document = pen.document;
    let key = format!("{:?}", form.target);
    if let Some(unreadable) = &form.unreadable {
        let key = format!("{key} raw");
        let around = Around { key: &key, label: "Settings as text", name: "Settings as text", help: "As in the file" };
        let label = inputs::label(ui, &around, |_| {});
        let (mut text, error) = pen.draft.shown(&key, &unreadable.text);
        let look = TextLook { rows: 8, is_wrong: true, small: true, ..TextLook::default() };
        let response = around.called(inputs::text_field(ui, pen.draft, &key, &mut text, look), &label);
        if response.changed() {
            let ready = inspector::edit_raw(document.flow(), &form.target, &text);
            pen.out.extend(pen.draft.typed(&key, &text, &unreadable.text, ready).map(Ready::command));
        }
        inputs::notes(ui, Some(error.as_deref().unwrap_or(&unreadable.why)), &[]);
        return;
    }
    let target = form.target.clone();
    let sink =
        |route: &inspector::Route, change: &inspector::Change| inspector::edit(document.flow(), &target, route, change);
    if form.target == Target::Flow {
        for (title, names) in sections {
            inputs::caption(ui, title);
            for name in *names {
                if let Some(row) = form.rows.iter().find(|row| row.spec.name == *name) {
                    form::row_ui(ui, pen, row, &key, "", &sink);
                }
            }
        }
    } else {
        form::rows_ui(ui, pen, &form.rows, &key, "", &sink);
    }
}

/// A text that is always valid: a title, a note.
struct Line<'a> {
    label: &'a str,
    key: &'a str,
    rows: usize,
    hint: &'a str,
}

fn line(ui: &mut Ui, pen: &mut Pen<'_>, line: Line<'_>, value: &str, ready: &dyn Fn(&str) -> Ready) {
    let Line { label, key, rows, hint } = line;
    let around = Around { key, label, name: label, help: "" };
    let shown = inputs::label(ui, &around, |_| {});
    let (mut text, _) = pen.draft.shown(key, value);
    let look = TextLook { rows, hint, ..TextLook::default() };
    let response = around.called(inputs::text_field(ui, pen.draft, key, &mut text, look), &shown);
    crate::gui::is_field(ui.ctx(), label, response.id);
    if response.changed() {
        let ready = Ok(ready(&text));
        pen.out.extend(pen.draft.typed(key, &text, value, ready).map(Ready::command));
    } else if response.lost_focus() {
        pen.draft.left(key);
    }
}

/// A note to colleagues on the step, folded while there is none.
fn step_note(ui: &mut Ui, pen: &mut Pen<'_>, node: &Node) {
    let key = format!("note {}", node.id);
    if node.kind == "note" {
        return;
    }
    if node.note.is_empty() && !pen.draft.is_open(&key) {
        if inputs::word_button(ui, "note", "Add a note", "Add a note to this step").clicked() {
            pen.draft.toggle(&key);
        }
        return;
    }
    let named = Line { label: "Note", key: &key, rows: 3, hint: "" };
    line(ui, pen, named, &node.note, &|text| inspector::annotate_step(node, text));
}

/// The flow itself.
fn flow(ui: &mut Ui, pen: &mut Pen<'_>) {
    let document = pen.document;
    let flow = document.flow();
    let (steps, messages) = (flow.nodes.len(), flow.messages.len());
    let count = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    header(
        ui,
        "flow-arrow",
        card::Family::Message,
        &format!("Flow \u{b7} {}, {}", count(steps, "step"), count(messages, "message")),
        document.title(),
    );
    scrolled(ui, "inspector flow", |ui| {
        flow_name(ui, pen);
        settings(ui, pen, &inspector::flow_form(document));
        let rows: Vec<_> = crate::app::problems::rows(document).into_iter().filter(|row| row.node.is_none()).collect();
        footer_ui::list(ui, pen, &rows);
    });
}

/// The name of the flow.
pub fn flow_name(ui: &mut Ui, pen: &mut Pen<'_>) {
    let flow = pen.document.flow();
    let named = Line { label: "Flow name", key: "flow name", rows: 1, hint: flow.id.as_str() };
    line(ui, pen, named, &flow.name, &inspector::rename_flow);
}

/// An edge: where it begins and ends, and what can be done with it.
fn edge_ui(ui: &mut Ui, pen: &mut Pen<'_>, edge: &edge::EdgeRow) {
    header(ui, "arrow-elbow-down-right", card::Family::Condition, "Connection", &edge.port_title);
    scrolled(ui, "inspector edge", |ui| {
        let around = Around { key: "edge from", label: "From", name: "From", help: "The step it leaves" };
        inputs::label(ui, &around, |_| {});
        if step_button(ui, &edge.from_title, "Go to the step it leaves").clicked() {
            pen.out.push(Command::GoTo(edge.from.clone()));
        }
        let around = Around { key: "edge port", label: "Way out", name: "Way out", help: "The port of that step" };
        inputs::label(ui, &around, |_| {});
        ui.label(RichText::new(&edge.port_title).font(theme::medium(13.0)));
        if let Some(taken) = edge.taken {
            inputs::small(
                ui,
                &format!("{} journeys of the replay went this way", pen.document.home.manner.number(taken)),
            );
        }
        let around = Around { key: "edge to", label: "Leads to", name: "Leads to", help: "The step it enters" };
        let label = inputs::label(ui, &around, |_| {});
        let flow = pen.document.flow();
        let targets =
            flow.nodes.iter().filter(|node| !matches!(node.kind.as_str(), "trigger" | "note") && node.id != edge.from);
        let options: Vec<(String, String)> =
            targets.map(|node| (node.id.to_string(), node.title().to_owned())).collect();
        let width = ui.available_width();
        if let Some(to) = inputs::combo(ui, &around, Some(&label), edge.to.as_str(), &options, width) {
            pen.out.push(Command::Connect { from: edge.from.clone(), port: edge.port.clone(), to: to.as_str().into() });
            pen.out.push(Command::SelectEdge { from: edge.from.clone(), port: edge.port.clone() });
        }
        if step_button(ui, &edge.to_title, "Go to the step it enters").clicked() {
            pen.out.push(Command::GoTo(edge.to.clone()));
        }
        ui.add_space(8.0);
        ui.horizontal_wrapped(|ui| {
            let insert = ui.button("Insert step…");
            egui::Popup::menu(&insert).width(190.0).show(|ui| {
                ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
                    let fits = |kind: &str| card::family(kind) != card::Family::Trigger && kind != "note";
                    for spec in CATALOGUE.iter().filter(|spec| fits(spec.name)) {
                        if ui.button(spec.title).clicked() {
                            let after = Some((edge.from.clone(), edge.port.clone()));
                            pen.out.push(Command::Insert { kind: spec.name.into(), at: None, after });
                        }
                    }
                });
            });
            if ui.button("Delete").accessible_name("Delete connection").clicked() {
                pen.out.push(CommandId::Delete.into());
            }
        });
    });
}

fn step_button(ui: &mut Ui, title: &str, help: &str) -> egui::Response {
    let width = ui.available_width();
    let button = egui::Button::new(title).truncate().min_size(egui::vec2(width, 28.0));
    ui.add(button).on_hover_text(help)
}

/// Steps of several kinds: how many of each, and what can be done with all.
fn mixed(ui: &mut Ui, pen: &mut Pen<'_>) {
    let palette = Palette::get(ui);
    let document = pen.document;
    let selected = document.flow().nodes.iter().filter(|node| document.view.selection.contains(&node.id));
    let mut kinds: std::collections::BTreeMap<&str, (usize, Vec<&Node>)> = std::collections::BTreeMap::new();
    for node in selected {
        let entry = kinds.entry(node.kind.as_str()).or_default();
        entry.0 += 1;
        entry.1.push(node);
    }
    let total: usize = kinds.values().map(|(count, _)| count).sum();
    header(ui, "selection-all", card::Family::Message, "Selection", &format!("{total} steps"));
    scrolled(ui, "inspector mixed", |ui| {
        inputs::small(ui, "Steps of one kind can be changed together");
        for (kind, (count, nodes)) in &kinds {
            let title = card::spec(kind).map_or(*kind, |spec| spec.title);
            let words = RichText::new(format!("{count} \u{d7} {title}")).color(palette.text);
            let width = ui.available_width();
            let button = egui::Button::new(words).truncate().min_size(egui::vec2(width, 28.0));
            if ui.add(button).on_hover_text("Select only these").clicked() {
                let nodes = nodes.iter().map(|node| node.id.clone()).collect();
                pen.out.push(Command::Select { nodes, toggle: false });
            }
        }
        ui.add_space(6.0);
        ui.horizontal_wrapped(|ui| {
            for (id, word) in [(CommandId::Mute, "Mute"), (CommandId::Delete, "Delete")] {
                if ui.button(word).clicked() {
                    pen.out.push(id.into());
                }
            }
        });
    });
}
