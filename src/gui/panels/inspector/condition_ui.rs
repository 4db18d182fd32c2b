//! A condition: its text with mistakes underlined, the sentence it means, and rows to build it with.

use egui::{Align, Layout, RichText, Ui};

use super::{
    form::{self, Pen, Sink},
    inputs::{self, Around, TextLook},
};
use crate::{
    app::inspector::{
        Change, Ready, Route, Row, capital,
        condition::{self, Line, SORTS, Turn, What},
        offers::Sort,
    },
    audience::ConditionText,
    base::Severity,
    gui::{
        theme::{self, Palette},
        widgets::suggest::Offers,
    },
};

/// Draws a condition's row.
pub fn condition(ui: &mut Ui, pen: &mut Pen<'_>, around: &Around<'_>, row: &Row, value: &str, sink: &Sink<'_>) {
    let palette = Palette::get(ui);
    let open_key = format!("builder {}", around.key);
    let is_built = pen.draft.is_open(&open_key);
    let label = inputs::label(ui, around, |ui| {
        let (icon, word) = if is_built { ("code-simple", "Text") } else { ("list-plus", "Build") };
        let name = if is_built { "Text of" } else { "Build" };
        if inputs::word_button(ui, icon, word, &format!("{name} {}", around.name.to_lowercase())).clicked() {
            pen.draft.toggle(&open_key);
        }
    });
    let (mut text, error) = pen.draft.shown(around.key, value);
    let read = ConditionText::new(&text);
    let is_empty = text.trim().is_empty();
    let mistakes = if is_empty { &[] } else { read.parsed().errors.as_slice() };
    let tree = if is_built { condition::tree(&text) } else { None };
    if let Some(tree) = tree {
        builder(ui, pen, around, &tree, &text, value, row, sink);
    } else {
        let ranges: Vec<_> = mistakes.iter().map(|mistake| mistake.range).collect();
        let hint = match row.spec.left_out {
            Some("") => "Always".to_owned(),
            Some(default) => capital(default),
            None => "contact.language = \"en\"".to_owned(),
        };
        let look = TextLook {
            rows: 1,
            grows: true,
            hint: &hint,
            is_wrong: error.is_some() || !mistakes.is_empty(),
            wrong: &ranges,
            offers: Some(Offers { document: pen.document, sort: Sort::Condition }),
            ..TextLook::default()
        };
        let response = inputs::text_field(ui, pen.draft, around.key, &mut text, look);
        let response = around.called(response, &label);
        if response.changed() {
            // A condition is one line in files; a text with mistakes is kept letter by letter until mended.
            let ready = sink(&row.route, &Change::Text(text.clone()));
            pen.out.extend(pen.draft.typed(around.key, &text, value, ready).map(Ready::command));
        } else if response.lost_focus() {
            pen.draft.left(around.key);
        }
        if is_built {
            inputs::small(ui, "Mend the text first, then it can be built");
        }
    }
    if let Some(error) = error {
        inputs::message(ui, Severity::Error, &error, "");
    } else if let Some(mistake) = mistakes.first() {
        inputs::message(ui, Severity::Error, &capital(&mistake.message), "");
        if !mistake.hint.is_empty() {
            inputs::line(ui, "lightbulb", palette.weak, &capital(&mistake.hint), "");
        }
    } else {
        if !is_empty {
            let sentence = capital(&read.condition().sentence());
            inputs::line(ui, "chat-text", palette.weak, &sentence, "");
        }
        // What the checks say of the language is said above, of the text as it is now.
        for note in row.notes.iter().filter(|note| note.range.is_none() || text == value) {
            inputs::message(ui, note.severity, &note.message, &note.hint);
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "what a row needs, and the tree that was read from it")]
fn builder(
    ui: &mut Ui,
    pen: &mut Pen<'_>,
    around: &Around<'_>,
    tree: &crate::audience::Condition,
    text: &str,
    value: &str,
    row: &Row,
    sink: &Sink<'_>,
) {
    let mut turn: Option<(Vec<usize>, Turn)> = None;
    let lines = condition::lines(tree);
    inputs::boxed(ui, |ui| {
        for (at, line) in lines.iter().enumerate() {
            let depth = line.at.len();
            if at > 0 {
                ui.add_space(2.0);
            }
            ui.horizontal_top(|ui| {
                // Groups inside groups are set in, but never so far that nothing fits any more.
                ui.add_space((depth.saturating_sub(1) as f32 * 10.0).min(40.0));
                ui.vertical(|ui| {
                    let done = line_ui(ui, pen, around, line, at, tree, row, sink);
                    if let Some(done) = done {
                        turn = Some((line.at.clone(), done));
                    }
                });
            });
        }
    });
    if let Some((at, turn)) = turn {
        let ready = condition::turned(tree, &at, &turn).and_then(|tree| {
            let text = condition::text(&tree);
            sink(&row.route, &Change::Text(text))
        });
        pen.draft.forget(around.key);
        pen.out.extend(match ready {
            Ok(ready) => Some(ready.command()),
            Err(why) => pen.draft.typed(around.key, text, value, Err(why)).map(Ready::command),
        });
    }
}

#[expect(clippy::too_many_arguments, reason = "what a row needs, and the line of the tree")]
fn line_ui(
    ui: &mut Ui,
    pen: &mut Pen<'_>,
    around: &Around<'_>,
    line: &Line,
    number: usize,
    tree: &crate::audience::Condition,
    row: &Row,
    sink: &Sink<'_>,
) -> Option<Turn> {
    let palette = Palette::get(ui);
    let mut turn = None;
    match &line.what {
        What::Group { all, parts } => {
            ui.horizontal(|ui| {
                let name = format!("{} group {}", around.name, number + 1);
                let key = format!("{} group {number}", around.key);
                let around = Around { key: &key, label: "", name: &name, help: "" };
                let options = [("all", "All of"), ("any", "Any of"), ("not all", "Not all of"), ("not any", "None of")];
                let options = options.map(|(name, label)| (name.to_owned(), label.to_owned()));
                let chosen = match (line.negated, all) {
                    (false, true) => "all",
                    (false, false) => "any",
                    (true, true) => "not all",
                    (true, false) => "not any",
                };
                if *parts > 1 {
                    if let Some(name) = inputs::combo(ui, &around, None, chosen, &options, 96.0) {
                        turn = Some(Turn::Group { all: name.ends_with("all"), negated: name.starts_with("not") });
                    }
                } else {
                    let word = if *parts == 0 { "Always" } else { "Where" };
                    ui.label(RichText::new(word).font(theme::medium(12.5)).color(palette.weak));
                }
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.spacing_mut().item_spacing.x = 1.0;
                    if !line.at.is_empty() && inputs::icon_button(ui, "x", &format!("Remove {name}")).clicked() {
                        turn = Some(Turn::Remove);
                    }
                    let add = inputs::icon_button(ui, "plus", &format!("Add to {}", name.to_lowercase()));
                    egui::Popup::menu(&add).width(180.0).show(|ui| {
                        for (sort, label, _) in SORTS {
                            if ui.button(*label).clicked() {
                                turn = Some(Turn::Add((*sort).to_owned()));
                            }
                        }
                        ui.separator();
                        if ui.button("A group").clicked() {
                            turn = Some(Turn::AddGroup);
                        }
                    });
                });
            });
        }
        What::Single { sort, rows, .. } => {
            let name = format!("{} part {number}", around.name);
            let key = format!("{} part {number}", around.key);
            inputs::boxed(ui, |ui| {
                ui.horizontal(|ui| {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        ui.spacing_mut().item_spacing.x = 1.0;
                        if inputs::icon_button(ui, "x", &format!("Remove {}", name.to_lowercase())).clicked() {
                            turn = Some(Turn::Remove);
                        }
                        let word = if line.negated { "Not" } else { "Is" };
                        let not = RichText::new(word).font(theme::medium(12.0)).color(if line.negated {
                            palette.error
                        } else {
                            palette.weak
                        });
                        let not = ui.add(egui::Button::new(not).frame_when_inactive(false));
                        not.widget_info(|| {
                            let name = format!("{name}: not");
                            egui::WidgetInfo::selected(egui::Role::CheckBox, true, line.negated, name)
                        });
                        if not.on_hover_text("Turn it into its opposite").clicked() {
                            turn = Some(Turn::Negate(!line.negated));
                        }
                        let sorts: Vec<(String, String)> =
                            SORTS.iter().map(|(sort, label, _)| ((*sort).to_owned(), (*label).to_owned())).collect();
                        let sort_name = format!("{name}: sort");
                        let around = Around { key: &key, label: "", name: &sort_name, help: "" };
                        let width = ui.available_width();
                        if let Some(sort) = inputs::combo(ui, &around, None, sort, &sorts, width) {
                            turn = Some(Turn::Sort(sort));
                        }
                    });
                });
                let part = |route: &Route, change: &Change| -> Result<Ready, String> {
                    let turn = Turn::Part(route.top().to_owned(), change.clone());
                    let tree = condition::turned(tree, &line.at, &turn)?;
                    let mut ready = sink(&row.route, &Change::Text(condition::text(&tree)))?;
                    ready.merge = ready.merge.map(|merge| format!("{merge} {number} {route}"));
                    Ok(ready)
                };
                form::rows_ui(ui, pen, rows, &key, &name, &part);
            });
        }
    }
    turn
}
