//! The page of the engine that runs the flow: started and stopped, what it does, whom it does it to, what it says.
//!
//! The one idea: the page shows what the engine said last and asks for what is to be done; both are decided in
//! [`crate::app::run`]. Numbers come once a second, for as long as the page is open or the canvas shows them.

mod ask_ui;
mod held_ui;
mod overview_ui;
mod people_ui;
mod start_ui;
#[cfg(test)]
mod tests;

use egui::{Align, Button, CornerRadius, Frame, Label, Layout, Margin, RichText, ScrollArea, Ui, vec2};

pub use self::ask_ui::question;
use super::{bottom, mails::Textures};
use crate::{
    app::{
        App, Command, CommandId, Document,
        run::{Act, Fault, Part, Question, Run, Standing, can_start, words},
    },
    gui::{
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// What the page keeps for itself.
#[derive(Debug, Default)]
pub struct Draft {
    form: start_ui::Draft,
    people: people_ui::Draft,
    textures: Textures,
}

/// Draws the page.
pub fn page(ui: &mut Ui, app: &App, document: &Document, draft: &mut Draft, out: &mut Vec<Command>) {
    let run = &app.run;
    ui.add_space(4.0);
    head(ui, document, run, &draft.form, out);
    if document.path.is_none() {
        ui.add_space(12.0);
        bottom::nothing(ui, "An engine runs a flow from its file, and keeps its data beside it: save the flow first");
        ui.add_space(8.0);
        if ui.add(Button::new("Save the flow\u{2026}").min_size(vec2(0.0, 28.0))).clicked() {
            out.push(CommandId::SaveAs.into());
        }
        return;
    }
    if let Some(fault) = &run.fault {
        fault_ui(ui, fault, out);
    } else if let Some(said) = &run.said {
        said_ui(ui, said, out);
    }
    version_ui(ui, document, run, out);
    let has_data = run.status.is_some();
    let runs = matches!(run.standing, Standing::Running | Standing::Stopping);
    if has_data || !run.log.is_empty() {
        ui.add_space(2.0);
        parts(ui, document, run, out);
        ui.add_space(2.0);
    }
    match run.part {
        Part::Overview if runs => overview_ui::overview(ui, document, run, out),
        Part::Overview => start_ui::start(ui, document, run, &mut draft.form, out),
        Part::People if has_data => people_ui::people(ui, document, run, draft, out),
        Part::Held if has_data => held_ui::held(ui, document, run, out),
        Part::People | Part::Held => bottom::nothing(ui, "There is nothing yet: start the engine first"),
        Part::Log => log_ui(ui, run),
    }
}

/// Whether it runs, where, and the button that changes that.
fn head(ui: &mut Ui, document: &Document, run: &Run, form: &start_ui::Draft, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let (words, ink, fill) = match run.standing {
        Standing::Unknown => ("Looking\u{2026}", palette.weak, palette.card),
        Standing::Resting => ("Not running", palette.weak, palette.card),
        Standing::Starting => ("Starting\u{2026}", palette.accent, palette.accent_soft),
        Standing::Running => ("Running", palette.good, palette.good_soft),
        Standing::Stopping => ("Stopping\u{2026}", palette.warning, palette.warning_soft),
    };
    let words = if document.path.is_none() { "Not running" } else { words };
    ui.horizontal(|ui| {
        ui.set_height(34.0);
        bottom::pill(ui, words, ink, fill);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            match run.standing {
                Standing::Running if run.can_stop => {
                    let text = RichText::new(format!("{}  Stop", icons::glyph("stop")));
                    let stop = ui.add(Button::new(text).min_size(vec2(0.0, 30.0))).accessible_name("Stop the engine");
                    if stop.clicked() {
                        out.push(Act::Ask(Question::Stop).into());
                    }
                }
                Standing::Running => {
                    ui.label(RichText::new("Stop it where it was started").color(palette.weak));
                }
                Standing::Starting | Standing::Stopping => _ = ui.spinner(),
                Standing::Resting | Standing::Unknown => {
                    let can = can_start(document);
                    let ready = can.is_ok() && run.standing == Standing::Resting;
                    let text = format!("{}  Start", icons::glyph("play"));
                    let button = widgets::primary(ui, text, ready).min_size(vec2(0.0, 30.0));
                    let button = ui.add_enabled(ready, button).accessible_name("Start the engine");
                    if button.on_disabled_hover_text(can.err().unwrap_or("The folder is being looked at")).clicked() {
                        // What is still being typed counts.
                        out.extend(form.pending(run).map(|form| Act::Form(form).into()));
                        out.push(Act::Start.into());
                    }
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let place = match run.address.as_str() {
                    "" => run.form.data.clone(),
                    address => format!("{address}  \u{b7}  {}", run.form.data),
                };
                let label = ui.add(Label::new(RichText::new(&place).color(palette.weak)).truncate().selectable(true));
                label.on_hover_text(place);
            });
        });
    });
}

/// A sentence on a tint, with what can be done about it on the right.
fn banner(ui: &mut Ui, icon: &str, words: &str, rest: &str, (ink, fill): Tint, buttons: impl FnOnce(&mut Ui)) {
    let frame = Frame::new().fill(fill).corner_radius(CornerRadius::same(theme::CONTROL_RADIUS));
    frame.inner_margin(Margin::symmetric(10, 6)).outer_margin(Margin::symmetric(0, 3)).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new(icons::glyph(icon)).font(theme::icon_fill(16.0)).color(ink));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                buttons(ui);
                let words = Label::new(RichText::new(words).font(theme::medium(13.0)).color(ink)).wrap();
                if rest.is_empty() {
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| ui.add(words));
                    return;
                }
                ui.with_layout(Layout::top_down(Align::LEFT), |ui| {
                    ui.spacing_mut().item_spacing.y = 1.0;
                    ui.add(words);
                    ui.add(Label::new(RichText::new(rest).font(theme::regular(12.0))).wrap());
                });
            });
        });
    });
}

/// Ink and ground.
type Tint = (egui::Color32, egui::Color32);

fn fault_ui(ui: &mut Ui, fault: &Fault, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    banner(ui, "x-circle", &fault.error, &fault.hint, (palette.error, palette.error_soft), |ui| {
        if bottom::icon_button(ui, "x", "Dismiss", true).clicked() {
            out.push(Act::Dismiss.into());
        }
        if fault.is_of_flow && bottom::small_button(ui, "Show the problems").clicked() {
            out.push(Act::ShowProblems.into());
        }
    });
}

fn said_ui(ui: &mut Ui, said: &str, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    banner(ui, "check-circle", said, "", (palette.good, palette.good_soft), |ui| {
        if bottom::icon_button(ui, "x", "Dismiss", true).clicked() {
            out.push(Act::Dismiss.into());
        }
    });
}

/// Where the engine runs another version than the one on the screen, or none.
fn version_ui(ui: &mut Ui, document: &Document, run: &Run, out: &mut Vec<Command>) {
    if run.standing != Standing::Running || run.status.is_none() {
        return;
    }
    let palette = Palette::get(ui);
    let (words, rest) = match (run.flow(document), run.differs(document)) {
        (None, _) => ("The engine does not run this flow: publish it", ""),
        (Some(_), Some(true)) => (
            "The engine runs an older version of this flow: publish this one",
            "Numbers below are those of the version that runs",
        ),
        _ => return,
    };
    banner(ui, "rocket-launch", words, rest, (palette.warning, palette.warning_soft), |ui| {
        let button = ui.add_enabled(!run.is_ordering, Button::new("Publish\u{2026}").min_size(vec2(0.0, 26.0)));
        if button.accessible_name("Publish to the engine").clicked() {
            out.push(Act::Ask(Question::Publish).into());
        }
    });
}

fn parts(ui: &mut Ui, document: &Document, run: &Run, out: &mut Vec<Command>) {
    let held = match run.status.as_ref().map_or(0, |status| words::held(status)) {
        0 => "Held".to_owned(),
        n => format!("Held {}", document.home.manner.number(n)),
    };
    let mut part = run.part;
    let choices = [
        (Part::Overview, "Overview".to_owned()),
        (Part::People, "People".to_owned()),
        (Part::Held, held),
        (Part::Log, "Log".to_owned()),
    ];
    ui.horizontal(|ui| {
        if bottom::choice(ui, &mut part, &choices) {
            out.push(Act::Show(part).into());
        }
    });
}

fn log_ui(ui: &mut Ui, run: &Run) {
    let palette = Palette::get(ui);
    if run.log.is_empty() {
        bottom::nothing(ui, "An engine that was started here writes its log here; that of another stays where it is");
        return;
    }
    let log = Frame::new().fill(palette.field).corner_radius(CornerRadius::same(theme::CONTROL_RADIUS));
    log.inner_margin(Margin::same(8)).show(ui, |ui| {
        ScrollArea::both().id_salt("log").auto_shrink([false, false]).stick_to_bottom(true).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            for line in &run.log {
                let ink = match line {
                    line if line.contains("ERROR") || line.starts_with("error") => palette.error,
                    line if line.contains("WARN") => palette.warning,
                    _ => palette.text,
                };
                let text = RichText::new(line).monospace().color(ink);
                ui.add(Label::new(text).selectable(true).wrap_mode(egui::TextWrapMode::Extend));
            }
        });
    });
}

/// A number with what it is of, for the top of the page.
fn figure(ui: &mut Ui, number: &str, what: &str, ink: egui::Color32) {
    let palette = Palette::get(ui);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.label(RichText::new(number).font(theme::semibold(19.0)).color(ink));
        ui.label(RichText::new(what).font(theme::regular(11.5)).color(palette.weak));
    });
    ui.add_space(10.0);
}

/// What people should look at, one line each.
fn warnings_ui(ui: &mut Ui, run: &Run) {
    let Some(status) = &run.status else { return };
    let palette = Palette::get(ui);
    for warning in &status.warnings {
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 20.0;
            ui.label(RichText::new(icons::glyph("warning")).font(theme::icon_fill(14.0)).color(palette.warning));
            ui.add(Label::new(RichText::new(warning).color(palette.warning)).wrap());
        });
    }
}
