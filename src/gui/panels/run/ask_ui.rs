//! Questions before an engine does something that matters, with what would come of it.

use std::collections::BTreeMap;

use egui::{Align, ComboBox, Id, Label, Layout, Modal, RichText, ScrollArea, Ui};

use crate::{
    app::{
        App, Command, Document,
        run::{Act, Plan, Question, words},
    },
    base::NodeId,
    engine::{status::HeldRow, work::Refusal},
    gui::{
        panels::shortcuts,
        theme::{self, Palette},
        widgets,
    },
};

/// Held rows that a question lists. Source: assumption; the part "Held" lists all.
const MOST_ROWS: usize = 8;

/// Draws the question where there is one.
pub fn question(ui: &mut Ui, app: &App, out: &mut Vec<Command>) {
    let (Some(question), Some(document)) = (&app.run.question, app.document()) else { return };
    let width = (ui.ctx().content_rect().width() - 88.0).min(500.0);
    let (head, text, go) = words::question(document, question);
    // Each has a size of its own, which the next one would keep.
    let id = Id::unique(("engine question", &head));
    let modal = Modal::new(id).frame(shortcuts::page_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width(width);
        let palette = Palette::get(ui);
        ui.add(Label::new(RichText::new(head).font(theme::semibold(16.0))).wrap());
        ui.add_space(2.0);
        ui.add(Label::new(RichText::new(text).color(palette.weak)).wrap());
        ui.add_space(8.0);
        let can = details(ui, document, question, out);
        ui.add_space(10.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let button = widgets::primary(ui, go, can.is_ok());
            let button = ui.add_enabled(can.is_ok(), button);
            if button.on_disabled_hover_text(can.err().unwrap_or("")).clicked() {
                out.push(Act::Confirm.into());
            }
            if ui.button("Cancel").clicked() {
                out.push(Act::Cancel.into());
            }
        });
    });
    if modal.should_close() {
        out.push(Act::Cancel.into());
    }
}

/// What belongs to a question besides its sentence; whether it can be answered with yes.
fn details(ui: &mut Ui, document: &Document, question: &Question, out: &mut Vec<Command>) -> Result<(), &'static str> {
    match question {
        Question::Pause { freeze } => {
            let mut frozen = *freeze;
            if widgets::checkbox(ui, &mut frozen, "Waits stand still, too").changed() {
                out.push(Act::Ask(Question::Pause { freeze: frozen }).into());
            }
            Ok(())
        }
        Question::Resume { held } => resume(ui, document, held.as_ref()),
        Question::Migrate { mapping, plan } => migrate(ui, document, mapping, plan.as_ref(), out),
        Question::Move { contact, journey, to } => {
            let to_other = |node: &NodeId| Question::Move {
                contact: contact.clone(),
                journey: journey.clone(),
                to: Some(node.clone()),
            };
            if let Some(node) = steps(ui, document, "Step to move to", to.as_ref(), false) {
                out.extend(node.map(|node| Act::Ask(to_other(&node)).into()));
            }
            to.as_ref().map(|_| ()).ok_or("Choose a step")
        }
        Question::Publish
        | Question::Drain
        | Question::End { .. }
        | Question::Resend { .. }
        | Question::MarkSent { .. }
        | Question::Forget { .. }
        | Question::Stop => Ok(()),
    }
}

/// What resuming sets free.
fn resume(ui: &mut Ui, document: &Document, held: Option<&Result<Vec<HeldRow>, Refusal>>) -> Result<(), &'static str> {
    let palette = Palette::get(ui);
    let manner = &document.home.manner;
    match held {
        None => {
            ui.label(RichText::new("Looking what is overdue\u{2026}").color(palette.weak));
            return Err("What is overdue is being looked at");
        }
        Some(Err(refusal)) => {
            let words = format!("What is overdue cannot be told: {}", refusal.error);
            ui.add(Label::new(RichText::new(words).color(palette.warning)).wrap());
        }
        Some(Ok(rows)) if rows.is_empty() => _ = ui.label("Nothing is overdue"),
        Some(Ok(rows)) => {
            let count =
                words::count(manner, rows.len() as u64, "message or step is held", "messages or steps are held");
            ui.label(RichText::new(count).font(theme::medium(13.0)));
            for row in rows.iter().take(MOST_ROWS) {
                let step = words::step(document, row.node.as_str());
                let since = words::day_time(document, row.since);
                ui.add(Label::new(format!("{} at {step}, since {since}", row.contact)).truncate());
            }
            let more = rows.len().saturating_sub(MOST_ROWS);
            if more > 0 {
                let more = words::count(manner, more as u64, "more", "more");
                ui.label(RichText::new(format!("and {more}")).color(palette.weak));
            }
        }
    }
    Ok(())
}

/// Where everybody in an older version would go, with a choice for steps that are gone.
fn migrate(
    ui: &mut Ui,
    document: &Document,
    mapping: &BTreeMap<NodeId, NodeId>,
    plan: Option<&Result<Plan, Refusal>>,
    out: &mut Vec<Command>,
) -> Result<(), &'static str> {
    let palette = Palette::get(ui);
    let plan = match plan {
        None => {
            ui.label(RichText::new("Looking who stands where\u{2026}").color(palette.weak));
            return Err("Who stands where is being looked at");
        }
        Some(Err(refusal)) => {
            ui.add(Label::new(RichText::new(&refusal.error).color(palette.error)).wrap());
            ui.add(Label::new(RichText::new(&refusal.hint).color(palette.weak)).wrap());
            return Err("It cannot be told what would happen");
        }
        Some(Ok(plan)) => plan,
    };
    if plan.is_empty() {
        ui.label("Nobody walks an older version");
        return Err("Nobody walks an older version");
    }
    ScrollArea::vertical().max_height(280.0).auto_shrink([false, true]).show(ui, |ui| {
        for (from, to, count) in plan {
            let people = words::count(&document.home.manner, *count, "journey", "journeys");
            ui.horizontal_wrapped(|ui| {
                ui.label(format!("{people} at {}", words::step(document, from.as_str())));
                let is_there = document.flow().node(from.as_str()).is_some();
                match to {
                    Some(to) if to == from => _ = ui.label(RichText::new("stay there").color(palette.weak)),
                    _ if is_there && !mapping.contains_key(from) => {
                        _ = ui.label(RichText::new("end: the live version has no such step").color(palette.error));
                    }
                    _ => {
                        let name = format!("Where {from} goes");
                        if let Some(chosen) = steps(ui, document, &name, mapping.get(from), true) {
                            let mut mapping = mapping.clone();
                            match chosen {
                                Some(node) => _ = mapping.insert(from.clone(), node),
                                None => _ = mapping.remove(from),
                            }
                            out.push(Act::Ask(Question::Migrate { mapping, plan: None }).into());
                        }
                    }
                }
            });
        }
    });
    Ok(())
}

/// A list of the flow's steps; gives what was chosen, where something was: a step, or with `may_end` none.
fn steps(
    ui: &mut Ui,
    document: &Document,
    name: &str,
    chosen: Option<&NodeId>,
    may_end: bool,
) -> Option<Option<NodeId>> {
    let mut out = None;
    let none = if may_end { "end there" } else { "Choose a step" };
    let shown = chosen.map_or_else(|| none.to_owned(), |node| words::step(document, node.as_str()));
    let combo = ComboBox::from_id_salt(name).selected_text(shown).width(220.0).show_ui(ui, |ui| {
        if may_end && ui.selectable_label(chosen.is_none(), none).clicked() {
            out = Some(None);
        }
        for node in document.flow().nodes.iter().filter(|node| !matches!(&*node.kind, "note" | "trigger")) {
            let title = format!("{} ({})", node.title(), node.id);
            if ui.selectable_label(chosen == Some(&node.id), title).clicked() {
                out = Some(Some(node.id.clone()));
            }
        }
    });
    combo.response.accessible_name(name.to_owned());
    out
}
