//! The panel below the canvas: problems, the mail of the selected step, what happens when, what if, and what a replay
//! counted.

mod axis;
mod counts;
mod parts;
mod preview;
mod problems;
#[cfg(test)]
mod tests;
mod timeline;
mod what_if;

pub use self::{
    parts::{
        PeopleDraft, ROW, cells, choice, has_people, header, icon_button, nothing, people, people_list, pill, row,
        small_button, text,
    },
    preview::for_whom,
};

use egui::{Align, Button, Frame, Layout, Margin, RichText, Ui, vec2};

use super::Drafts;
use crate::{
    app::{App, Command, Document, Panel},
    gui::theme::{self, Palette},
};

/// What these panels keep for themselves: half-typed words, open pages, caches of what is drawn.
#[derive(Debug, Default)]
pub struct Draft {
    problems: problems::Draft,
    preview: preview::Draft,
    timeline: timeline::Draft,
    what_if: what_if::Draft,
    counts: counts::Draft,
    people: parts::PeopleDraft,
}

/// Draws it.
pub fn bottom(ui: &mut Ui, _app: &App, document: &Document, drafts: &mut Drafts, panel: Panel, out: &mut Vec<Command>) {
    let draft = &mut drafts.bottom;
    Frame::new().inner_margin(Margin { left: 16, right: 12, top: 6, bottom: 4 }).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.set_height(30.0);
            tabs(ui, document, draft, panel, out);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if parts::icon_button(ui, "x", "Close the panel", true).clicked() {
                    out.push(Command::ShowPanel(None));
                }
                if panel == Panel::Problems {
                    problems::filter_ui(ui, &mut draft.problems);
                }
            });
        });
        match panel {
            Panel::Problems => problems::problems_ui(ui, document, &mut draft.problems, out),
            Panel::Preview => preview::preview_ui(ui, document, draft, &mut drafts.mails, out),
            Panel::Timeline | Panel::Outline => timeline::timeline_ui(ui, document, draft, out),
            Panel::WhatIf => what_if::what_if_ui(ui, document, draft, out),
            Panel::Counts => counts::counts_ui(ui, document, &mut draft.counts, out),
        }
        // Without this the panel would fall back to what it holds when its edge is let go.
        ui.set_min_height(ui.available_height());
    });
}

fn tabs(ui: &mut Ui, document: &Document, draft: &mut Draft, panel: Panel, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    ui.spacing_mut().item_spacing.x = 4.0;
    ui.spacing_mut().button_padding.x = 6.0;
    for (which, title) in [
        (Panel::Problems, "Problems"),
        (Panel::Preview, "Preview"),
        (Panel::Timeline, "Time line"),
        (Panel::WhatIf, "What if"),
        (Panel::Counts, "Counts"),
    ] {
        let shown = which == panel || (which == Panel::Timeline && panel == Panel::Outline);
        let ink = if shown { palette.text } else { palette.weak };
        let font = if shown { theme::semibold(13.5) } else { theme::medium(13.0) };
        let button = Button::new(RichText::new(title).font(font).color(ink)).frame_when_inactive(false);
        let button = ui.add(button.min_size(vec2(0.0, 28.0)));
        if shown {
            let line = button.rect.shrink2(vec2(6.0, 0.0));
            ui.painter().hline(line.x_range(), line.bottom() + 0.5, egui::Stroke::new(2.0, palette.accent));
        }
        if button.clicked() {
            out.push(Command::ShowPanel(Some(which)));
        }
        if which == Panel::Problems {
            problems::severities_ui(ui, document, &mut draft.problems);
        }
    }
}
