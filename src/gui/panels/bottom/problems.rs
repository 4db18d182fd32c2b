//! Problems: what the checks found, in groups, with fixes, and the page of each kind.

use egui::{Button, ComboBox, Frame, Margin, Rect, RichText, ScrollArea, Stroke, TextEdit, Ui, pos2, vec2};

use super::parts;
use crate::{
    app::{
        Command, Document,
        act::Act,
        problems::{self, Filter, Grouping, Line, Row},
    },
    base::Severity,
    flow::{CheckSpec, check},
    gui::{
        canvas::paint,
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// Filter, and the page that is open.
#[derive(Debug, Default)]
pub struct Draft {
    filter: Filter,
    page: Option<String>,
}

const NAMES: [(Severity, &str); 3] =
    [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Hint, "hint")];

/// A pill per severity that hides or shows it.
pub fn severities_ui(ui: &mut Ui, document: &Document, draft: &mut Draft) {
    let palette = Palette::get(ui);
    let counts = problems::counts(document);
    // Narrow windows get figures only, so that all tabs stay in sight.
    let is_narrow = ui.ctx().content_rect().width() < 1000.0;
    for ((severity, name), count) in NAMES.into_iter().zip(counts) {
        if count == 0 {
            continue;
        }
        let shown = &mut draft.filter.severities[severity as usize];
        let (ink, fill) = palette.severity(severity);
        let (ink, fill) = if *shown { (ink, fill) } else { (palette.weak, palette.field) };
        let s = if count == 1 { "" } else { "s" };
        let words = if is_narrow { count.to_string() } else { format!("{count} {name}{s}") };
        let button = Button::new(RichText::new(words).font(theme::medium(11.5)).color(ink));
        let button = ui.add(button.fill(fill).stroke(Stroke::NONE).corner_radius(12.0).min_size(vec2(22.0, 22.0)));
        let tip = format!("{} {count} {name}{s}", if *shown { "Hide" } else { "Show" });
        if button.accessible_name(&tip).on_hover_text(&tip).clicked() {
            *shown = !*shown;
        }
    }
    if document.derived.findings.is_some() && counts == [0, 0, 0] {
        parts::pill(ui, "clean", palette.good, palette.good_soft);
    }
    if problems::is_stale(document) {
        ui.label(RichText::new("checking…").font(theme::regular(11.5)).color(palette.weak));
    }
    ui.add_space(4.0);
}

/// Search and grouping, laid out from the right.
pub fn filter_ui(ui: &mut Ui, draft: &mut Draft) {
    let names = [(Grouping::None, "Worst first"), (Grouping::Step, "By step"), (Grouping::Kind, "By kind")];
    let chosen = names.iter().find(|(which, _)| *which == draft.filter.grouping).map_or("", |(_, name)| name);
    let combo = ComboBox::from_id_salt("grouping").selected_text(chosen).width(96.0);
    let combo = combo.show_ui(ui, |ui| {
        for (which, name) in names {
            ui.selectable_value(&mut draft.filter.grouping, which, name);
        }
    });
    combo.response.accessible_name("Group problems");
    let width = (ui.available_width() - 8.0).clamp(40.0, 160.0);
    let field = TextEdit::singleline(&mut draft.filter.text)
        .hint_text("Filter")
        .desired_width(width)
        .align(egui::Align2::LEFT_CENTER);
    ui.add(field).accessible_name("Filter problems");
}

/// Draws the list, and the open page beside it.
pub fn problems_ui(ui: &mut Ui, document: &Document, draft: &mut Draft, out: &mut Vec<Command>) {
    let whole = ui.available_rect_before_wrap();
    let page = draft.page.clone().and_then(|code| Some((check::explain(&code)?, code)));
    let Some((page, code)) = page else {
        list(ui, document, draft, out);
        return;
    };
    // Beside the list where there is room, else instead of it.
    let width = if whole.width() >= 720.0 { (whole.width() * 0.42).clamp(300.0, 480.0) } else { whole.width() };
    let side = Rect::from_min_max(pos2(whole.right() - width, whole.top()), whole.max);
    if width < whole.width() {
        let rest = Rect::from_min_max(whole.min, pos2(side.left() - 12.0, whole.bottom()));
        ui.scope_builder(egui::UiBuilder::new().max_rect(rest), |ui| list(ui, document, draft, out));
    }
    ui.scope_builder(egui::UiBuilder::new().max_rect(side), |ui| {
        if page_ui(ui, document, &page, &code, out) {
            draft.page = None;
        }
    });
}

fn list(ui: &mut Ui, document: &Document, draft: &mut Draft, out: &mut Vec<Command>) {
    let lines = problems::lines(document, &draft.filter);
    if lines.is_empty() {
        let words = match &document.derived.findings {
            None => "Checking…",
            Some(found) if found.value.is_empty() => "Nothing to mend",
            Some(_) => "Nothing that fits the filter",
        };
        parts::nothing(ui, words);
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let area = ScrollArea::vertical().id_salt("problems").auto_shrink([false, false]);
    area.show_rows(ui, parts::ROW, lines.len(), |ui, range| {
        for line in &lines[range] {
            match line {
                Line::Group { title, count, worst, code, fixable } => {
                    group(ui, title, *count, *worst, code.as_deref(), *fixable, out);
                }
                Line::Row(row) => problem(ui, document, row, draft, out),
            }
        }
    });
}

fn group(
    ui: &mut Ui,
    title: &str,
    count: usize,
    worst: Severity,
    code: Option<&str>,
    fixable: usize,
    out: &mut Vec<Command>,
) {
    let palette = Palette::get(ui);
    let (rect, _) = parts::row(ui, &format!("{title}, {count}"), false, false);
    ui.painter().rect_filled(rect, 4.0, palette.field);
    let right = parts::right_end(ui, rect, |ui| {
        if let Some(code) = code
            && fixable > 1
            && parts::small_button(ui, &format!("Fix all {fixable}")).clicked()
        {
            out.push(Act::FixAll(code.to_owned()).into());
        }
    });
    let mut cell = rect.shrink2(vec2(8.0, 0.0));
    cell.max.x = right;
    let end = parts::text(ui.painter(), cell, title, theme::semibold(12.5), palette.text);
    cell.min.x = end.right() + 10.0;
    parts::text(ui.painter(), cell, &count.to_string(), theme::medium(11.5), palette.severity(worst).0);
}

fn problem(ui: &mut Ui, document: &Document, row: &Row<'_>, draft: &mut Draft, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let found = &row.finding.diagnostic;
    let name = format!("{}: {}, {}", found.severity, found.message, row.title);
    let is_chosen = row.node.is_some() && document.selected() == row.node.as_ref();
    let (rect, response) = parts::row(ui, &name, true, is_chosen);
    let right = parts::right_end(ui, rect, |ui| {
        let code = found.code.as_ref();
        if parts::icon_button(ui, "info", &format!("What is {code}?"), check::explain(code).is_some()).clicked() {
            draft.page = Some(code.to_owned());
        }
        if let Some(fix) = &row.finding.fix {
            // What was found before the last edit may not fit any more.
            let fresh = !problems::is_stale(document);
            let button = Button::new(RichText::new(&fix.label).font(theme::medium(12.0))).min_size(vec2(0.0, 21.0));
            if ui.add_enabled(fresh, button).clicked() {
                out.push(Command::Edit { label: fix.label.clone(), edits: fix.edits.clone(), merge: None });
            }
        }
    });
    let stale = problems::is_stale(document);
    let mark = pos2(rect.left() + 14.0, rect.center().y);
    paint::mark(ui.painter(), mark, found.severity, 15.0, palette);
    let mut cell = Rect::from_min_max(pos2(rect.left() + 30.0, rect.top()), pos2(right, rect.bottom()));
    let title = paint_width(ui, &row.title).min(180.0);
    // The message gives way to the step's name, which says where to go.
    let mut message = cell;
    message.max.x = (cell.right() - title - 14.0).max(cell.left() + 80.0).min(cell.right());
    let ink = if stale { palette.weak } else { palette.text };
    let end = parts::text(ui.painter(), message, &found.message, theme::regular(13.0), ink);
    cell.min.x = end.right() + 10.0;
    parts::text(ui.painter(), cell, &row.title, theme::regular(11.5), palette.weak);
    let hint = if found.hint.is_empty() { String::new() } else { format!("\n{}", found.hint) };
    if response.clicked() {
        out.extend(problems::goes_to(document, row));
    }
    response.on_hover_text(format!("{}{hint}\n{}", found.message, found.code));
}

/// How wide the name of a step is.
fn paint_width(ui: &Ui, text: &str) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), theme::regular(11.5), egui::Color32::PLACEHOLDER).size().x + 8.0
}

/// The page of a kind of problem; true when it is to be closed.
fn page_ui(ui: &mut Ui, document: &Document, page: &CheckSpec, code: &str, out: &mut Vec<Command>) -> bool {
    let palette = Palette::get(ui);
    let mut close = false;
    let frame =
        Frame::new().fill(palette.field).corner_radius(theme::TILE_RADIUS).inner_margin(Margin::symmetric(12, 6));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            let glyph = RichText::new(icons::glyph("arrow-left")).font(theme::icon(13.0));
            let back = Button::new((glyph, RichText::new("Back").font(theme::medium(12.5))));
            close = ui.add(back.frame_when_inactive(false)).accessible_name("Back to problems").clicked();
            ui.add(egui::Label::new(RichText::new(code).font(theme::regular(11.5)).color(palette.weak)).truncate());
        });
        let area = ScrollArea::vertical().id_salt("page").auto_shrink([false, false]);
        area.show(ui, |ui| {
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(16.0, 16.0), egui::Sense::hover());
                paint::mark(ui.painter(), rect.center(), page.severity, 15.0, palette);
                ui.add(egui::Label::new(RichText::new(page.title).font(theme::semibold(14.0))).wrap());
            });
            for (title, text) in [
                ("What it finds", page.what),
                ("Why it matters", page.why),
                ("Example", page.example),
                ("What to do", page.fix),
                ("Source", page.source),
            ] {
                ui.add_space(2.0);
                widgets::caption(ui, title);
                ui.add(egui::Label::new(RichText::new(text).font(theme::regular(12.5))).wrap());
            }
            let fixable = problems::fixable(document, code);
            if fixable > 0 {
                ui.add_space(4.0);
                let words = if fixable == 1 { "Fix it".to_owned() } else { format!("Fix all {fixable} of this kind") };
                if parts::small_button(ui, &words).clicked() {
                    out.push(Act::FixAll(code.to_owned()).into());
                }
            }
            ui.add_space(6.0);
        });
    });
    close
}
