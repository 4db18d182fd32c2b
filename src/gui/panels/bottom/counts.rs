//! Counts: what a replay of the whole audience counted, step by step.

use egui::{Align2, Key, Label, RichText, ScrollArea, TextEdit, Ui, pos2, vec2};

use super::parts;
use crate::{
    app::{
        Command, Document,
        act::Act,
        counts::{self, Counts, Figure},
        when,
    },
    gui::{
        icons,
        theme::{self, Palette},
    },
};

/// Half-typed ends of the span.
#[derive(Debug, Default)]
pub struct Draft {
    from: String,
    until: String,
    fault: String,
}

/// Draws it.
pub fn counts_ui(ui: &mut Ui, document: &Document, draft: &mut Draft, out: &mut Vec<Command>) {
    if !parts::has_people(ui, document) {
        return;
    }
    let palette = Palette::get(ui);
    let counted = counts::counts(document);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
        span_ui(ui, document, draft, out);
        if let Some(counted) = &counted {
            let font = theme::regular(11.5);
            ui.label(RichText::new(&counted.span).font(font).color(palette.weak));
        }
    });
    if !draft.fault.is_empty() {
        ui.add(Label::new(RichText::new(&draft.fault).font(theme::regular(11.5)).color(palette.error)).wrap());
    }
    let Some(counted) = counted else {
        parts::nothing(ui, "Replaying…");
        return;
    };
    ScrollArea::vertical()
        .id_salt("counts")
        .auto_shrink([false, false])
        .show(ui, |ui| table(ui, document, &counted, out));
}

fn span_ui(ui: &mut Ui, document: &Document, draft: &mut Draft, out: &mut Vec<Command>) {
    let zone = when::zone(&document.home, None);
    let report = document.derived.replay.as_ref().map(|stamped| &stamped.value);
    let hints = [report.map(|report| report.from), report.map(|report| report.until)];
    let mut done = false;
    for ((text, name), hint) in [(&mut draft.from, "From"), (&mut draft.until, "Until")].into_iter().zip(hints) {
        ui.label(name);
        let hint = hint.map(|at| when::typed(at, &zone)).unwrap_or_default();
        let field = TextEdit::singleline(text).hint_text(hint).desired_width(132.0);
        let field = ui.add(field).accessible_name(format!("{name}, such as 2026-10-20 03:10"));
        done |= field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    }
    done |= parts::small_button(ui, "Replay").clicked();
    if done {
        let read = |text: &str| match text.trim() {
            "" => Ok(None),
            text => when::parse(text, &zone).map(Some),
        };
        match (read(&draft.from), read(&draft.until)) {
            (Ok(from), Ok(until)) => {
                draft.fault.clear();
                out.push(Act::SetWindow(from, until).into());
            }
            (Err(fault), _) | (_, Err(fault)) => draft.fault = fault,
        }
    }
}

fn figures(ui: &mut Ui, figures: &[Figure], strong: bool) {
    let palette = Palette::get(ui);
    for figure in figures {
        let (ink, fill) = if strong { (palette.text, palette.field) } else { (palette.warning, palette.warning_soft) };
        parts::pill(ui, &format!("{} {}", figure.count, figure.word), ink, fill);
    }
}

fn table(ui: &mut Ui, document: &Document, counted: &Counts, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
        figures(ui, &counted.figures, true);
    });
    if !counted.not_entered.is_empty() {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
            ui.label(RichText::new("Not let in").font(theme::medium(12.0)).color(palette.weak));
            figures(ui, &counted.not_entered, false);
        });
    }
    // Columns that would be empty for this flow are left out.
    let branches = counted.steps.iter().any(|step| !step.left.is_empty());
    let waits = counted.steps.iter().any(|step| !step.waiting.is_empty());
    let columns = [
        ("Step", 0.34),
        ("Came", 62.0),
        if branches { ("Left by", 0.22) } else { ("", 1.5) },
        if waits { ("Still there", 84.0) } else { ("", 1.5) },
        ("Sent", 62.0),
        ("Not sent", 0.44),
    ];
    ui.spacing_mut().item_spacing.y = 0.0;
    parts::header(ui, &columns);
    for step in &counted.steps {
        let name = format!("{}: {} came, {} sent", step.title, step.came, step.sent);
        let (rect, response) = parts::row(ui, &name, true, document.selected() == Some(&step.node));
        let cells = parts::cells(rect, &columns);
        let painter = ui.painter();
        let at = pos2(cells[0].left() + 10.0, rect.center().y);
        let ink = palette.family(step.family);
        painter.text(at, Align2::CENTER_CENTER, icons::glyph(step.icon), theme::icon(14.0), ink);
        let mut title = cells[0];
        title.min.x += 24.0;
        parts::text(painter, title, &step.title, theme::medium(12.5), palette.text);
        parts::text(painter, cells[1], &step.came, theme::regular(12.5), palette.text);
        parts::text(painter, cells[2], &step.left, theme::regular(12.5), palette.weak);
        parts::text(painter, cells[3], &step.waiting, theme::regular(12.5), palette.text);
        parts::text(painter, cells[4], &step.sent, theme::medium(12.5), palette.good);
        parts::text(painter, cells[5], &step.not_sent, theme::regular(12.5), palette.warning);
        if response.clicked() {
            out.push(Command::GoTo(step.node.clone()));
        }
        if !step.not_sent.is_empty() {
            response.on_hover_text(&step.not_sent);
        }
    }
}
