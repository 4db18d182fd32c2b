//! Questions that only the user can answer, one at a time, and our own dialog for paths.

use egui::{Align, Button, Id, Key, Layout, Modal, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::Drafts;
use crate::{
    app::{
        App, Command,
        files::{Act, Choice, Dialog, PathDialog, Purpose},
    },
    flow::merge::{Conflict, Side},
    gui::{
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// What is typed into our own dialog.
#[derive(Debug, Default)]
pub struct Draft {
    path: String,
    /// The dialog and folder that the words belong to.
    of: Option<(Purpose, std::path::PathBuf)>,
}

/// Draws the question in front, if there is one.
pub fn dialogs(ui: &mut Ui, app: &App, drafts: &mut Drafts, out: &mut Vec<Command>) {
    let Some(dialog) = app.files.dialogs.first() else {
        drafts.dialog = Draft::default();
        return;
    };
    let title = |id| {
        let document = app.documents.iter().find(|document| document.id == id);
        document.map_or_else(|| "The flow".to_owned(), |document| document.title().to_owned())
    };
    let mut chosen = None;
    let width = (ui.ctx().content_rect().width() - 88.0).min(460.0);
    let modal = Modal::new(Id::unique("question")).frame(super::shortcuts::page_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width(width);
        match dialog {
            Dialog::Unsaved { documents, quits } => {
                let names: Vec<String> = documents.iter().map(|id| title(*id)).collect();
                let head = match names.as_slice() {
                    [one] => format!("Save the changes to {one}?"),
                    many => format!("Save the changes to {} flows?", many.len()),
                };
                let rest = if names.len() > 1 { format!("{}.", names.join(", ")) } else { String::new() };
                let what = if *quits { "The window closes." } else { "The tab closes." };
                let text = format!("{what} Without saving, the changes are gone. {rest}");
                let save = if names.len() > 1 { "Save all" } else { "Save" };
                let choices = [(save, Choice::Save), ("Discard", Choice::Discard), ("Cancel", Choice::Cancel)];
                question(ui, &head, text.trim_end(), &choices, &mut chosen);
            }
            Dialog::Comments { document, message } => question(
                ui,
                &format!("Comments in {}", title(*document)),
                &format!("{message}. Comments inside steps and messages stay."),
                &[("Save anyway", Choice::Save), ("Save as…", Choice::SaveAs), ("Cancel", Choice::Cancel)],
                &mut chosen,
            ),
            Dialog::Changed { document, while_saving, conflicts, .. } if !conflicts.is_empty() => {
                let rest = if *while_saving { "Nothing has been written yet." } else { "" };
                let head = format!("The file of {} changed", title(*document));
                let choices = [("Merge", Choice::Merge), ("Save as…", Choice::SaveAs), ("Cancel", Choice::Cancel)];
                conflicts_ui(ui, &head, rest, conflicts, &choices, &mut chosen);
            }
            Dialog::WorkspaceChanged { folder, conflicts, .. } => {
                let head = format!("The workspace file in {} changed", folder.display());
                let choices = [("Merge", Choice::Merge), ("Cancel", Choice::Cancel)];
                conflicts_ui(ui, &head, "", conflicts, &choices, &mut chosen);
            }
            Dialog::Changed { document, while_saving, .. } => {
                let rest = if *while_saving { " Nothing has been written yet." } else { "" };
                question(
                    ui,
                    &format!("The file of {} changed", title(*document)),
                    &format!(
                        "Somebody else wrote it while you were at work.{rest} What you give up stays one Undo away or \
                         in the other file."
                    ),
                    &[
                        ("Keep mine", Choice::KeepMine),
                        ("Take theirs", Choice::TakeTheirs),
                        ("Save as…", Choice::SaveAs),
                        ("Cancel", Choice::Cancel),
                    ],
                    &mut chosen,
                );
            }
            Dialog::Table { path, folder } => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                question(
                    ui,
                    &format!("What is in {name}?"),
                    &format!("It is copied into {}.", folder.display()),
                    &[
                        ("Contacts", Choice::Table("contacts")),
                        ("Events", Choice::Table("events")),
                        ("Responses", Choice::Table("responses")),
                        ("Cancel", Choice::Cancel),
                    ],
                    &mut chosen,
                );
            }
            #[cfg(feature = "engine")]
            Dialog::EngineRuns => question(
                ui,
                "Should the engine go on?",
                "It was started here and runs on without the window, if you let it: it sends what is due and takes \
                 events in. The Run page finds it again. A stopped engine goes on where it was with its next start.",
                &[("Let it run", Choice::Discard), ("Stop it", Choice::StopEngine), ("Cancel", Choice::Cancel)],
                &mut chosen,
            ),
            Dialog::Needs { folder, what, .. } => needs_ui(ui, folder.as_deref(), what, &mut chosen),
            Dialog::Path(dialog) => path_ui(ui, dialog, &mut drafts.dialog, &mut chosen),
        }
    });
    if chosen.is_none() && modal.should_close() {
        chosen = Some(Choice::Cancel);
    }
    out.extend(chosen.map(|choice| Command::Files(Act::Choose(choice))));
}

/// What the workspace of an imported flow lacks.
fn needs_ui(ui: &mut Ui, folder: Option<&std::path::Path>, what: &[String], chosen: &mut Option<Choice>) {
    let palette = Palette::get(ui);
    let (head, text, go) = match folder {
        Some(folder) => (
            "Add to the workspace what the import needs?",
            format!(
                "The workspace in {} knows nothing of these. What it has already stays as it is.",
                folder.display()
            ),
            "Add to the workspace",
        ),
        None => (
            "Make a workspace for the import?",
            "The flow stands alone in its folder: a workspace file beside it would know these.".to_owned(),
            "Make a workspace",
        ),
    };
    ui.label(RichText::new(head).font(theme::semibold(16.0)));
    ui.add_space(2.0);
    ui.label(RichText::new(text).color(palette.weak));
    ui.add_space(8.0);
    ScrollArea::vertical().max_height(260.0).auto_shrink([false, true]).show(ui, |ui| {
        for one in what {
            ui.label(format!("+ {one}"));
        }
    });
    ui.add_space(12.0);
    buttons(ui, &[(go, Choice::Save), ("Not now", Choice::Discard)], chosen);
}

/// Width of the column that names the sides of a conflict, in points.
const SIDE_WIDTH: f32 = 76.0;

/// What both sides changed, each with a choice; all else is merged.
fn conflicts_ui(
    ui: &mut Ui,
    head: &str,
    rest: &str,
    conflicts: &[(Conflict, Side)],
    choices: &[(&str, Choice)],
    chosen: &mut Option<Choice>,
) {
    let palette = Palette::get(ui);
    ui.label(RichText::new(head).font(theme::semibold(16.0)));
    ui.add_space(2.0);
    let count = match conflicts.len() {
        1 => "One thing was changed here and in the file.".to_owned(),
        many => format!("{many} things were changed here and in the file."),
    };
    let text = format!("{count} All else is merged. Undo takes it back. {rest}");
    ui.label(RichText::new(text.trim_end()).color(palette.weak));
    ui.add_space(8.0);
    if conflicts.len() > 1 {
        ui.horizontal(|ui| {
            for (label, side) in [("All mine", Side::Mine), ("All theirs", Side::Theirs)] {
                if ui.button(label).clicked() {
                    *chosen = Some(Choice::Side { at: None, side });
                }
            }
        });
        ui.add_space(4.0);
    }
    ScrollArea::vertical().max_height(320.0).auto_shrink([false, true]).show(ui, |ui| {
        for (n, (conflict, side)) in conflicts.iter().enumerate() {
            if n > 0 {
                ui.separator();
            }
            ui.label(RichText::new(&conflict.about).font(theme::medium(13.0)));
            for (name, of, said) in [("Mine", Side::Mine, &conflict.mine), ("Theirs", Side::Theirs, &conflict.theirs)] {
                ui.horizontal(|ui| {
                    let column = Layout::left_to_right(Align::Center);
                    let radio = ui.allocate_ui_with_layout(vec2(SIDE_WIDTH, 24.0), column, |ui| {
                        ui.set_min_width(SIDE_WIDTH);
                        widgets::radio(ui, *side == of, name)
                    });
                    if radio.inner.accessible_name(format!("{name}: {}", conflict.about)).clicked() {
                        *chosen = Some(Choice::Side { at: Some(n), side: of });
                    }
                    ui.add(egui::Label::new(RichText::new(said).color(palette.weak)).wrap());
                });
            }
        }
    });
    ui.add_space(12.0);
    buttons(ui, choices, chosen);
}

/// A head, a sentence, buttons; the first is what most people want.
fn question(ui: &mut Ui, head: &str, text: &str, choices: &[(&str, Choice)], chosen: &mut Option<Choice>) {
    let palette = Palette::get(ui);
    ui.label(RichText::new(head).font(theme::semibold(16.0)));
    ui.add_space(2.0);
    ui.label(RichText::new(text).color(palette.weak));
    ui.add_space(12.0);
    buttons(ui, choices, chosen);
}

fn buttons(ui: &mut Ui, choices: &[(&str, Choice)], chosen: &mut Option<Choice>) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        for (n, (label, choice)) in choices.iter().enumerate() {
            let button = if n == 0 { widgets::primary(ui, *label, true) } else { Button::new(*label) };
            if ui.add(button).clicked() {
                *chosen = Some(choice.clone());
            }
        }
    });
}

fn path_ui(ui: &mut Ui, dialog: &PathDialog, draft: &mut Draft, chosen: &mut Option<Choice>) {
    let palette = Palette::get(ui);
    let of = Some((dialog.purpose.clone(), dialog.folder.clone()));
    let is_new = draft.of.as_ref().map(|(purpose, _)| purpose) != Some(&dialog.purpose);
    if is_new {
        draft.path.clone_from(&dialog.text);
    }
    draft.of = of;
    let (head, go) = match &dialog.purpose {
        Purpose::Open => ("Open a flow".to_owned(), "Open"),
        Purpose::Compare => ("A flow to compare with".to_owned(), "Compare"),
        Purpose::Import => ("A flow of Klaviyo or HubSpot, as JSON".to_owned(), "Import"),
        Purpose::Save { .. } => ("Save the flow as".to_owned(), "Save"),
        Purpose::Export => ("A folder for the export".to_owned(), "Export here"),
        Purpose::Text(file) => (format!("Save the {} as", file.what), "Save"),
    };
    ui.label(RichText::new(head).font(theme::semibold(16.0)));
    let label = ui.label(RichText::new(format!("In {}", dialog.folder.display())).color(palette.weak));
    let field = TextEdit::singleline(&mut draft.path).hint_text("Name or path").desired_width(f32::INFINITY);
    let field = ui.add(field.margin(egui::Margin::symmetric(10, 8)));
    let field = field.labelled_by(label.id).accessible_name("Name or path");
    if is_new {
        field.request_focus();
    }
    let enter = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    if !dialog.fault.is_empty() {
        ui.label(RichText::new(&dialog.fault).color(palette.error));
    }
    ui.add_space(4.0);
    let list = Layout::top_down_justified(Align::LEFT);
    let scroll = ScrollArea::vertical().max_height(260.0).auto_shrink([false, true]);
    scroll.show(ui, |ui| {
        ui.with_layout(list, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            if let Some(parent) = dialog.folder.parent()
                && row(ui, "arrow-up", "Folder above").clicked()
            {
                *chosen = Some(Choice::Folder(parent.to_owned()));
            }
            for (name, is_folder) in &dialog.entries {
                let icon = if *is_folder { "folder" } else { "file" };
                let response = row(ui, icon, name);
                if response.clicked() && *is_folder {
                    *chosen = Some(Choice::Folder(dialog.folder.join(name)));
                } else if response.clicked() {
                    draft.path.clone_from(name);
                }
                if response.double_clicked()
                    && !is_folder
                    && matches!(dialog.purpose, Purpose::Open | Purpose::Compare | Purpose::Import)
                {
                    *chosen = Some(Choice::Path(name.clone()));
                }
            }
        })
    });
    ui.add_space(10.0);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let has_name = !draft.path.trim().is_empty();
        if ui.add_enabled(has_name, widgets::primary(ui, go, has_name)).clicked() || (enter && has_name) {
            *chosen = Some(Choice::Path(draft.path.clone()));
        }
        if ui.button("Cancel").clicked() {
            *chosen = Some(Choice::Cancel);
        }
    });
}

fn row(ui: &mut Ui, icon: &str, name: &str) -> egui::Response {
    // In the text's own face these points are other signs.
    let icon = RichText::new(icons::glyph(icon)).font(theme::icon(15.0));
    let button =
        Button::new((icon, RichText::new(name))).frame_when_inactive(false).truncate().min_size(vec2(0.0, 26.0));
    ui.add(button).accessible_name(name.to_owned())
}
