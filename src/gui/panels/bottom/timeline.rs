//! Time line: what happens to the chosen contact and when, with a clock that can be dragged, played and stepped.

use std::sync::Arc;

use egui::{Button, ComboBox, Key, Label, RichText, ScrollArea, Ui, vec2};

use super::{axis, parts};
use crate::{
    app::{
        Command, Document, DocumentId,
        act::Act,
        timeline::{self, Row, Scope, Sort, Timeline},
        when,
    },
    base::{ContactId, Instant},
    gui::theme::{self, Palette},
};

/// How long the clock takes from the beginning to the end of the axis, in seconds. Source: assumption, long enough to
/// follow a handful of steps.
const PLAYS_SECS: f32 = 12.0;

/// How long it stands at each instant where nothing may move, in seconds.
const STANDS_SECS: f64 = 1.2;

/// What the rows were made from: document, revision of the replay and of the document, contact, scope, window.
type Key_ = (DocumentId, u64, u64, Option<ContactId>, Scope, crate::app::Window);

/// The rows as last made, and where the clock stood then.
#[derive(Debug, Default)]
pub struct Draft {
    made: Option<(Key_, Option<Arc<Timeline>>)>,
    clock: Option<Instant>,
    hop_at: f64,
}

impl Draft {
    /// The time line of the chosen contact, made again only when something it depends on has changed.
    fn line(&mut self, document: &Document) -> Option<Arc<Timeline>> {
        let replay = document.derived.replay.as_ref().map_or(u64::MAX, |stamped| stamped.revision);
        let view = &document.view;
        let key = (document.id, replay, document.history.revision(), view.contact.clone(), view.scope, view.window);
        if self.made.as_ref().is_none_or(|(old, _)| *old != key) {
            self.made = Some((key, timeline::timeline(document).map(Arc::new)));
        }
        self.made.as_ref().and_then(|(_, line)| line.clone())
    }
}

/// Draws it.
pub fn timeline_ui(ui: &mut Ui, document: &Document, draft: &mut super::Draft, out: &mut Vec<Command>) {
    if !parts::has_people(ui, document) {
        return;
    }
    let line = draft.timeline.line(document);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
        parts::people(ui, document, &mut draft.people, out);
        if let Some(line) = &line {
            scope_ui(ui, document, line, out);
            transport(ui, document, line, out);
        }
    });
    let Some(line) = line else {
        parts::nothing(ui, "Replaying…");
        return;
    };
    if document.view.playing {
        play(ui, &mut draft.timeline, out);
    }
    axis::axis_ui(ui, document, &line, out);
    let palette = Palette::get(ui);
    if let Some(never) = &line.never {
        ui.add(Label::new(RichText::new(never).font(theme::medium(12.5)).color(palette.warning)).wrap());
    }
    rows_ui(ui, document, &line, &mut draft.timeline, out);
}

fn scope_ui(ui: &mut Ui, document: &Document, line: &Timeline, out: &mut Vec<Command>) {
    if line.journeys.is_empty() {
        return;
    }
    let all = format!("Everything ({} journeys)", line.journeys.len());
    let chosen = line.journey.map_or(all.clone(), |n| format!("Journey {}", line.journeys[n]));
    let combo = ComboBox::from_id_salt("scope").selected_text(chosen).width(170.0).truncate();
    let combo = combo.show_ui(ui, |ui| {
        if ui.selectable_label(document.view.scope == Scope::All, all).clicked() {
            out.push(Act::SetScope(Scope::All).into());
        }
        for (n, label) in line.journeys.iter().enumerate() {
            if ui.selectable_label(line.journey == Some(n), label).clicked() {
                out.push(Act::SetScope(Scope::Journey(n)).into());
            }
        }
    });
    combo.response.accessible_name("Journey");
}

fn transport(ui: &mut Ui, document: &Document, line: &Timeline, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let clock = document.view.clock;
    let (play, word) = if document.view.playing { ("pause", "Pause") } else { ("play", "Play") };
    let some = !line.rows.is_empty();
    for (icon, name, act) in [
        ("skip-back", "To the beginning", Act::Jump { to_end: false }),
        ("rewind", "Step before", Act::Step { forward: false }),
        (play, word, Act::Play(!document.view.playing)),
        ("fast-forward", "Next step", Act::Step { forward: true }),
        ("skip-forward", "To the end", Act::Jump { to_end: true }),
    ] {
        if parts::icon_button(ui, icon, name, some).clicked() {
            out.push(act.into());
        }
    }
    let words = clock.map_or("No clock: the whole way".to_owned(), |at| when::day_time(at, &line.zone));
    let ink = if clock.is_some() { palette.accent } else { palette.weak };
    ui.label(RichText::new(words).font(theme::semibold(12.5)).color(ink));
    ui.label(RichText::new(line.zone.name()).font(theme::regular(11.5)).color(palette.weak));
    if clock.is_some() {
        let button = Button::new(RichText::new("Whole way").font(theme::medium(12.0))).min_size(vec2(0.0, 24.0));
        if ui.add(button).on_hover_text("Take the clock away").clicked() {
            out.push(Act::SetClock(None).into());
        }
    }
}

/// Moves the clock on while it runs, and asks for the next frame only then.
fn play(ui: &Ui, draft: &mut Draft, out: &mut Vec<Command>) {
    // A style without animations is how people say that they want no motion.
    if ui.style().animation_time == 0.0 {
        let now = ui.input(|i| i.time);
        if now >= draft.hop_at {
            draft.hop_at = now + STANDS_SECS;
            out.push(Act::Hop.into());
        }
        ui.ctx().request_repaint_after_secs((draft.hop_at - now).max(0.05) as f32);
        return;
    }
    let elapsed = ui.input(|i| i.stable_dt).min(0.1);
    out.push(Act::Tick(elapsed / PLAYS_SECS).into());
    ui.ctx().request_repaint();
}

fn rows_ui(ui: &mut Ui, document: &Document, line: &Timeline, draft: &mut Draft, out: &mut Vec<Command>) {
    let clock = document.view.clock;
    let here = clock.and_then(|at| line.row_at(at));
    let moved = draft.clock != clock;
    draft.clock = clock;
    if ui.available_height() < 8.0 {
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut area = ScrollArea::vertical().id_salt("rows").auto_shrink([false, false]);
    let high = ui.available_height();
    if let Some(n) = here.filter(|_| moved) {
        // Keeps the row of the clock in the upper half, so that what comes next is in sight.
        area = area.vertical_scroll_offset((n as f32 * parts::ROW - high * 0.4).max(0.0));
    }
    area.show_rows(ui, parts::ROW, line.rows.len(), |ui, range| {
        for n in range {
            let row = &line.rows[n];
            let is_past = clock.is_none_or(|at| row.at <= at);
            if row_ui(ui, row, is_past, here == Some(n)) {
                out.push(Act::SetClock(Some(row.at)).into());
                if let Some(node) = &row.node {
                    out.push(Command::Select { nodes: vec![node.clone()], toggle: false });
                }
            }
        }
    });
}

fn row_ui(ui: &mut Ui, row: &Row, is_past: bool, is_here: bool) -> bool {
    let palette = Palette::get(ui);
    let (rect, response) = parts::row(ui, &format!("{}: {}", row.when, row.text), true, is_here);
    let cells = parts::cells(rect.shrink2(vec2(4.0, 0.0)), &[("", 124.0), ("", 26.0), ("", 0.99)]);
    let painter = ui.painter();
    let ink = if is_past { palette.text } else { palette.weak };
    parts::text(painter, cells[0], &row.when, theme::regular(12.0), palette.weak);
    let mark = if is_past { axis::ink(palette, row.sort) } else { palette.weak };
    parts::icon(painter, cells[1], row.sort.icon(), mark);
    let strong = !matches!(row.sort, Sort::Event | Sort::Trigger | Sort::Passed);
    let font = if strong { theme::medium(13.0) } else { theme::regular(13.0) };
    let mut cell = cells[2];
    let end = parts::text(painter, cell, &row.text, font, ink);
    cell.min.x = end.right() + 10.0;
    parts::text(painter, cell, &row.detail, theme::regular(11.5), palette.weak);
    let enter = response.has_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    let clicked = response.clicked() || enter;
    let detail = if row.detail.is_empty() { String::new() } else { format!("\n{}", row.detail) };
    response.on_hover_text(format!("{}{detail}", row.text));
    clicked
}
