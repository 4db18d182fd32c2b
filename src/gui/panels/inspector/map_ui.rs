//! Names with values: headers, tracking parameters, constants.

use egui::{Align, Layout, Ui};

use super::{
    form::{Pen, Sink},
    inputs::{self, Around, TextLook},
};
use crate::app::inspector::{Change, Ready, Row};

/// Draws the pairs; a change of one hands over all.
pub fn map(
    ui: &mut Ui,
    pen: &mut Pen<'_>,
    around: &Around<'_>,
    row: &Row,
    word: &str,
    pairs: &[(String, String)],
    sink: &Sink<'_>,
) {
    let mut change: Option<Vec<(String, String)>> = None;
    let lower = word.to_lowercase();
    inputs::label(ui, around, |ui| {
        if inputs::word_button(ui, "plus", "Add", &format!("Add {lower}")).clicked() {
            let mut all = pairs.to_vec();
            let fresh = (1..).map(|n| format!("{lower}_{n}")).find(|name| !pairs.iter().any(|(key, _)| key == name));
            all.push((fresh.unwrap_or_default(), String::new()));
            change = Some(all);
        }
    });
    if pairs.is_empty() {
        inputs::small(ui, "None");
    }
    let mut errors = Vec::new();
    for (at, (name, value)) in pairs.iter().enumerate() {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if inputs::icon_button(ui, "x", &format!("Remove {lower} {name}")).clicked() {
                    let mut all = pairs.to_vec();
                    all.remove(at);
                    change = Some(all);
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let room = ui.available_width();
                    for (is_name, current) in [(true, name), (false, value)] {
                        let key = format!("{} {at} {is_name}", around.key);
                        let (mut text, error) = pen.draft.shown(&key, current);
                        let look = TextLook {
                            rows: 1,
                            is_wrong: error.is_some(),
                            less_width: if is_name { room * 0.55 } else { 0.0 },
                            ..TextLook::default()
                        };
                        let response = inputs::text_field(ui, pen.draft, &key, &mut text, look);
                        let called = if is_name { format!("{word} {}", at + 1) } else { format!("Value of {name}") };
                        let response = response.accessible_name(called);
                        if response.changed() {
                            let mut all = pairs.to_vec();
                            if is_name { &mut all[at].0 } else { &mut all[at].1 }.clone_from(&text);
                            let ready = sink(&row.route, &Change::Pairs(all));
                            pen.out.extend(pen.draft.typed(&key, &text, current, ready).map(Ready::command));
                        } else if response.lost_focus() {
                            pen.draft.left(&key);
                        }
                        errors.extend(error);
                    }
                });
            });
        });
    }
    for error in errors {
        inputs::notes(ui, Some(&error), &[]);
    }
    if let Some(all) = change {
        let key = around.key.to_owned();
        pen.act(&key, sink(&row.route, &Change::Pairs(all)));
    }
    let (_, error) = pen.draft.shown(around.key, "");
    inputs::notes(ui, error.as_deref(), &row.notes);
}
