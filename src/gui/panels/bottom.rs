//! The panel below the canvas: problems, the mail of the selected step, what happens when.

use egui::{Align, Frame, Label, Layout, Margin, RichText, ScrollArea, Sense, Ui, vec2};

use super::Drafts;
use crate::{
    app::{App, Command, CommandId, Document, Panel, overlay, problems},
    base::Severity,
    gui::{
        canvas::paint,
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// Which part of a mail is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PreviewTab {
    /// The plain text.
    #[default]
    Text,
    /// The HTML as text.
    Source,
    /// Merge tags with their values.
    Tags,
}

/// Draws it.
pub fn bottom(ui: &mut Ui, app: &App, document: &Document, drafts: &mut Drafts, panel: Panel, out: &mut Vec<Command>) {
    Frame::new().inner_margin(Margin { left: 16, right: 12, top: 8, bottom: 6 }).show(ui, |ui| {
        ui.horizontal(|ui| {
            for (which, title) in
                [(Panel::Problems, "Problems"), (Panel::Preview, "Preview"), (Panel::Timeline, "Time line")]
            {
                let palette = Palette::get(ui);
                let ink = if which == panel { palette.text } else { palette.weak };
                let font = if which == panel { theme::semibold(13.5) } else { theme::medium(13.0) };
                let button = egui::Button::new(RichText::new(title).font(font).color(ink)).frame_when_inactive(false);
                if ui.add(button).clicked() {
                    out.push(Command::ShowPanel(Some(which)));
                }
                if which == Panel::Problems {
                    counts(ui, document);
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let id = match panel {
                    Panel::Problems => CommandId::PanelProblems,
                    Panel::Preview => CommandId::PanelPreview,
                    Panel::Timeline | Panel::Outline => CommandId::PanelTimeline,
                };
                if widgets::icon_button(ui, "x", app, id).clicked() {
                    out.push(Command::ShowPanel(None));
                }
            });
        });
        match panel {
            Panel::Problems => problems_ui(ui, document, out),
            Panel::Preview => preview_ui(ui, document, drafts, out),
            Panel::Timeline | Panel::Outline => timeline_ui(ui, document),
        }
    });
}

fn counts(ui: &mut Ui, document: &Document) {
    let palette = Palette::get(ui);
    let counts = problems::counts(document);
    let names = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Hint, "hint")];
    for ((severity, name), count) in names.into_iter().zip(counts) {
        if count > 0 {
            let (ink, fill) = palette.severity(severity);
            let s = if count == 1 { "" } else { "s" };
            widgets::pill(ui, &format!("{count} {name}{s}"), ink, fill);
        }
    }
    if document.derived.findings.is_some() && counts == [0, 0, 0] {
        widgets::pill(ui, "clean", palette.good, palette.good_soft);
    }
}

fn problems_ui(ui: &mut Ui, document: &Document, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let rows = problems::rows(document);
    if rows.is_empty() {
        let word = if document.derived.findings.is_some() { "Nothing to mend" } else { "Checking…" };
        ui.label(RichText::new(word).color(palette.weak));
        return;
    }
    ScrollArea::vertical().auto_shrink([false, false]).show_rows(ui, 24.0, rows.len(), |ui, range| {
        for row in &rows[range] {
            let found = &row.finding.diagnostic;
            ui.horizontal(|ui| {
                ui.set_height(24.0);
                let (rect, _) = ui.allocate_exact_size(vec2(18.0, 18.0), Sense::hover());
                paint::mark(ui.painter(), rect.center(), found.severity, 16.0, palette);
                let label = ui.add(Label::new(&found.message).sense(Sense::click()).truncate());
                let title = RichText::new(&row.title).font(theme::regular(11.5)).color(palette.weak);
                let place = ui.add(Label::new(title).sense(Sense::click()));
                let hover = if found.hint.is_empty() {
                    found.code.to_string()
                } else {
                    format!("{}\n{}", found.hint, found.code)
                };
                let label = label.on_hover_text(hover);
                if (label.clicked() || place.clicked())
                    && let Some(node) = &row.node
                {
                    out.push(Command::GoTo(node.clone()));
                }
                if let Some(fix) = &row.finding.fix
                    && ui.small_button(&fix.label).clicked()
                {
                    out.push(Command::Edit { label: fix.label.clone(), edits: fix.edits.clone(), merge: None });
                }
            });
        }
    });
}

fn preview_ui(ui: &mut Ui, document: &Document, drafts: &mut Drafts, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let contacts = &document.home.audience.contacts;
    if contacts.is_empty() {
        ui.label(
            RichText::new("The workspace has no sample contacts: put contacts.csv into its audience folder")
                .color(palette.weak),
        );
        return;
    }
    ui.horizontal(|ui| {
        let chosen = document.view.contact.as_ref().map_or("", |id| id.as_str());
        egui::ComboBox::new("contact", "Contact").selected_text(chosen).width(180.0).show_ui(ui, |ui| {
            for contact in contacts {
                if ui
                    .selectable_label(document.view.contact.as_ref() == Some(&contact.id), contact.id.as_str())
                    .clicked()
                {
                    out.push(Command::ChooseContact(Some(contact.id.clone())));
                }
            }
        });
        for (tab, title) in [(PreviewTab::Text, "Text"), (PreviewTab::Source, "Source"), (PreviewTab::Tags, "Tags")] {
            ui.selectable_value(&mut drafts.preview_tab, tab, title);
        }
    });
    let previewed = document.derived.preview.as_ref().map(|stamped| &stamped.value.result);
    match previewed {
        None => {
            ui.label(RichText::new("Select a step that sends").color(palette.weak));
        }
        Some(Err(why)) => {
            ui.label(RichText::new(why).color(palette.error));
        }
        Some(Ok(made)) => {
            let mail = &made.mail;
            ui.label(RichText::new(&mail.subject).font(theme::semibold(14.5)));
            ui.label(RichText::new(&mail.preheader).color(palette.weak));
            ui.separator();
            ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| match drafts.preview_tab {
                PreviewTab::Text => {
                    ui.label(&mail.text);
                }
                PreviewTab::Source => {
                    ui.add(Label::new(RichText::new(&mail.html).monospace()).wrap());
                }
                PreviewTab::Tags => {
                    for tag in &mail.tags {
                        ui.label(format!("{tag:?}"));
                    }
                }
            });
        }
    }
}

fn timeline_ui(ui: &mut Ui, document: &Document) {
    let palette = Palette::get(ui);
    let rows: Vec<String> = overlay::trace(document).map(ToString::to_string).collect();
    if rows.is_empty() {
        ui.label(RichText::new("This contact never meets the flow").color(palette.weak));
    }
    ScrollArea::vertical().auto_shrink([false, false]).show_rows(ui, 20.0, rows.len(), |ui, range| {
        for row in &rows[range] {
            ui.label(row);
        }
    });
    let _ = icons::glyph("clock");
}
