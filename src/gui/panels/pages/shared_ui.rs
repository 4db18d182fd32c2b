//! Segments and score models: a table of each, and the editor of the chosen row.

use egui::{Align, Button, Label, Layout, RichText, ScrollArea, Ui, vec2};
use smol_str::SmolStr;

use super::{Stamp, parts, stamp};
use crate::{
    app::{
        Command, Document,
        card::group_digits,
        inspector::{Change, Route},
        pages::{
            Act, PageKind, is_found,
            shared::{self, ScoreRow, SegmentRow, UsedBy},
        },
    },
    base::Severity,
    gui::{
        panels::{
            Drafts, bottom,
            inspector::{self, Pen, inputs},
        },
        theme::{self, Palette},
    },
};

/// What these pages keep for themselves.
#[derive(Debug, Default)]
pub struct Draft {
    segments: Vec<SegmentRow>,
    scores: Vec<ScoreRow>,
    of: Option<(Stamp, PageKind)>,
    /// A name being typed, and of which row.
    name: Option<(SmolStr, String)>,
    /// A row that is used and about to be removed.
    removing: Option<SmolStr>,
}

/// Draws the page of segments, or of score models.
pub fn shared(ui: &mut Ui, document: &Document, page: PageKind, drafts: &mut Drafts, out: &mut Vec<Command>) {
    let draft = &mut drafts.pages;
    let made_of = (stamp(document), page);
    if draft.shared.of.as_ref() != Some(&made_of) {
        let chosen = document.view.contact.as_ref();
        if page == PageKind::Segments {
            draft.shared.segments = shared::segments(document.flow(), &document.home, chosen);
        } else {
            draft.shared.scores = shared::scores(document.flow(), &document.home, chosen);
        }
        draft.shared.of = Some(made_of);
    }
    let what = if page == PageKind::Segments { "segments" } else { "score models" };
    parts::bar(ui, document, draft, what, true, out, |ui, out| {
        if parts::main_button(ui, "plus", &format!("Add {}", shared::word(page))).clicked() {
            out.push(Act::Add(page).into());
        }
    });
    let chosen = document.view.page_rows.get(&page).cloned();
    let (segments, scores) = (std::mem::take(&mut draft.shared.segments), std::mem::take(&mut draft.shared.scores));
    let segment = segments.iter().find(|row| page == PageKind::Segments && Some(&row.name) == chosen.as_ref());
    let score = scores.iter().find(|row| page == PageKind::Scores && Some(&row.name) == chosen.as_ref());
    let search = draft.search.clone();
    let mut of_table = Vec::new();
    parts::halves(
        ui,
        segment.is_some() || score.is_some(),
        |ui| {
            let room = ui.available_height() - 24.0;
            ui.scope(|ui| {
                ui.set_max_height(room);
                if page == PageKind::Segments {
                    segment_table(ui, document, &segments, &search, chosen.as_ref(), &mut of_table);
                } else {
                    score_table(ui, &scores, &search, chosen.as_ref(), &mut of_table);
                }
            });
            let place = shared::place(&document.home);
            let small = RichText::new(&place).font(theme::regular(11.5)).color(Palette::get(ui).weak);
            ui.add(Label::new(small).truncate()).on_hover_text(&place);
        },
        |ui| {
            if let Some(row) = segment {
                let about = Chosen { page, name: &row.name, uses: &row.uses };
                editor(ui, document, about, drafts, out, |ui, pen| segment_form(ui, pen, row));
            } else if let Some(row) = score {
                let about = Chosen { page, name: &row.name, uses: &row.uses };
                editor(ui, document, about, drafts, out, |ui, pen| score_form(ui, pen, row));
            }
        },
    );
    out.append(&mut of_table);
    drafts.pages.shared.segments = segments;
    drafts.pages.shared.scores = scores;
}

fn segment_table(
    ui: &mut Ui,
    document: &Document,
    rows: &[SegmentRow],
    search: &str,
    chosen: Option<&SmolStr>,
    out: &mut Vec<Command>,
) {
    const COLUMNS: &[parts::Column<'_>] = &[
        ("Name", 0.6, 0.0),
        ("Who is in it", 1.0, 380.0),
        ("Contacts", 92.0, 0.0),
        ("This contact", 92.0, 480.0),
        ("Used by", 64.0, 300.0),
    ];
    let palette = Palette::get(ui);
    let found: Vec<&SegmentRow> =
        rows.iter().filter(|row| is_found(search, &[&row.name, &row.condition, &row.sentence])).collect();
    let width = ui.available_width();
    let columns = parts::fitting(COLUMNS, width);
    let num_all = document.home.audience.contacts.len();
    table(ui, "segments", &columns, rows.len(), found.len(), |ui, at| {
        let row = found[at];
        let words = format!("Segment {}, {} contacts", row.name, row.num_in);
        let (rect, response) = bottom::row(ui, &words, true, chosen == Some(&row.name));
        for ((title, _), cell) in columns.iter().zip(parts::cells(rect, &columns, width)) {
            match *title {
                "Name" => _ = bottom::text(ui.painter(), cell, &row.name, theme::medium(13.0), palette.text),
                "Who is in it" => parts::cell(ui, cell, &row.sentence, palette.text),
                "Contacts" => {
                    let count = format!("{} of {}", group_digits(row.num_in as u64), group_digits(num_all as u64));
                    parts::cell(ui, cell, &count, palette.text);
                }
                "This contact" => parts::cell(ui, cell, if row.has_chosen { "in it" } else { "" }, palette.good),
                _ => parts::cell(ui, cell, &row.uses.len().to_string(), palette.text),
            }
        }
        if response.clicked() {
            out.push(choose(PageKind::Segments, &row.name, chosen));
        }
    });
}

fn score_table(ui: &mut Ui, rows: &[ScoreRow], search: &str, chosen: Option<&SmolStr>, out: &mut Vec<Command>) {
    const COLUMNS: &[parts::Column<'_>] = &[
        ("Name", 0.6, 0.0),
        ("Signals", 1.0, 380.0),
        ("This contact", 92.0, 0.0),
        ("Highest", 76.0, 480.0),
        ("Used by", 64.0, 300.0),
    ];
    let palette = Palette::get(ui);
    let signals = |row: &ScoreRow| {
        let words: Vec<String> = row.signals.iter().map(|(event, points)| format!("{event} {points}")).collect();
        words.join("; ")
    };
    let found: Vec<&ScoreRow> = rows.iter().filter(|row| is_found(search, &[&row.name, &signals(row)])).collect();
    let width = ui.available_width();
    let columns = parts::fitting(COLUMNS, width);
    table(ui, "score models", &columns, rows.len(), found.len(), |ui, at| {
        let row = found[at];
        let points = |points: Option<f64>| points.map(shared::points).unwrap_or_default();
        let words = format!("Score model {}, {} points", row.name, points(row.score));
        let (rect, response) = bottom::row(ui, &words, true, chosen == Some(&row.name));
        for ((title, _), cell) in columns.iter().zip(parts::cells(rect, &columns, width)) {
            match *title {
                "Name" => _ = bottom::text(ui.painter(), cell, &row.name, theme::medium(13.0), palette.text),
                "Signals" => parts::cell(ui, cell, &signals(row), palette.text),
                "This contact" => parts::cell(ui, cell, &points(row.score), palette.text),
                "Highest" => parts::cell(ui, cell, &points(row.highest), palette.weak),
                _ => parts::cell(ui, cell, &row.uses.len().to_string(), palette.text),
            }
        }
        if response.clicked() {
            out.push(choose(PageKind::Scores, &row.name, chosen));
        }
    });
}

fn choose(page: PageKind, name: &SmolStr, chosen: Option<&SmolStr>) -> Command {
    Act::Choose(page, Some(name.clone()).filter(|name| chosen != Some(name))).into()
}

/// Captions and rows, of which only those in sight are drawn.
fn table(
    ui: &mut Ui,
    what: &str,
    columns: &[(&str, f32)],
    num_all: usize,
    num_found: usize,
    mut row: impl FnMut(&mut Ui, usize),
) {
    parts::header(ui, columns);
    match (num_all, num_found) {
        (0, _) if what == "segments" => {
            bottom::nothing(ui, "No segments yet: a segment names a group of contacts by a condition");
        }
        (0, _) => bottom::nothing(ui, "No score models yet: a score model adds points for what contacts do"),
        (_, 0) => bottom::nothing(ui, &format!("Of the {what}, none has that in it")),
        _ => {}
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let list = ScrollArea::vertical().id_salt(what).auto_shrink([false, false]);
    list.show_rows(ui, bottom::ROW, num_found, |ui, range| range.for_each(|at| row(ui, at)));
}

/// The row that is edited.
#[derive(Clone, Copy)]
struct Chosen<'a> {
    page: PageKind,
    name: &'a SmolStr,
    uses: &'a [UsedBy],
}

fn editor(
    ui: &mut Ui,
    document: &Document,
    about: Chosen<'_>,
    drafts: &mut Drafts,
    out: &mut Vec<Command>,
    form: impl FnOnce(&mut Ui, &mut Pen<'_>),
) {
    let Chosen { page, name, uses } = about;
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if inputs::icon_button(ui, "x", "Close the editor").clicked() {
                out.push(Act::Choose(page, None).into());
            }
            if inputs::icon_button(ui, "trash", &format!("Remove {} {name}", shared::word(page))).clicked() {
                if uses.is_empty() {
                    out.push(Act::Remove(page, name.clone()).into());
                } else {
                    drafts.pages.shared.removing = Some(name.clone());
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(RichText::new(name.as_str()).font(theme::semibold(15.0))).truncate());
            });
        });
    });
    if drafts.pages.shared.removing.as_ref() == Some(name) {
        let removing = &mut drafts.pages.shared.removing;
        inputs::boxed(ui, |ui| {
            let words = format!("It is {}; what uses it holds for nobody without it", parts::used(uses.len()));
            inputs::message(ui, Severity::Warning, &words, "");
            ui.horizontal(|ui| {
                if ui.button("Remove anyway").clicked() {
                    out.push(Act::Remove(page, name.clone()).into());
                    *removing = None;
                }
                if ui.button("Keep it").clicked() {
                    *removing = None;
                }
            });
        });
    }
    parts::scrolled(ui, &format!("{page:?} {name}"), |ui| {
        name_ui(ui, document, page, name, &mut drafts.pages.shared.name, out);
        let mut pen = Pen { document, draft: &mut drafts.inspector, out };
        form(ui, &mut pen);
        inputs::caption(ui, "Used by");
        if uses.is_empty() {
            inputs::small(ui, "Nothing uses it");
        }
        for used in uses {
            used_by(ui, used, pen.out);
        }
    });
}

fn used_by(ui: &mut Ui, used: &UsedBy, out: &mut Vec<Command>) {
    let Some(node) = &used.node else {
        inputs::small(ui, &used.words);
        return;
    };
    let button = Button::new(RichText::new(&used.words).font(theme::regular(12.5))).frame_when_inactive(false);
    let button = ui.add(button.truncate().min_size(vec2(ui.available_width(), 26.0)));
    if button.accessible_name(&used.words).on_hover_text("Go to the step").clicked() {
        out.push(Command::GoTo(node.clone()));
    }
}

/// The name: while it is typed nothing changes.
fn name_ui(
    ui: &mut Ui,
    document: &Document,
    page: PageKind,
    name: &SmolStr,
    typed: &mut Option<(SmolStr, String)>,
    out: &mut Vec<Command>,
) {
    let around = inputs::Around { key: "shared name", label: "Name", name: "Name", help: "How conditions call it" };
    inputs::label(ui, &around, |_| {});
    let mut text = match typed {
        Some((of, text)) if of == name => text.clone(),
        _ => name.to_string(),
    };
    let error = shared::rename(document, page, name, &text).err();
    let field = egui::TextEdit::singleline(&mut text)
        .id_salt((page, name))
        .desired_width(f32::INFINITY)
        .margin(egui::Margin::symmetric(10, 6));
    let field = ui.add(field).accessible_name(format!("Name of the {}", shared::word(page)));
    if field.changed() {
        *typed = Some((name.clone(), text.clone()));
    }
    if field.lost_focus() {
        let gives_up = ui.input(|i| i.key_pressed(egui::Key::Escape));
        if error.is_none() && text.trim() != name && !gives_up {
            out.push(Act::Rename { page, from: name.clone(), to: SmolStr::new(text.trim()) }.into());
        }
        if error.is_none() || gives_up {
            *typed = None;
        }
    }
    inputs::notes(ui, error.as_deref(), &[]);
}

fn segment_form(ui: &mut Ui, pen: &mut Pen<'_>, row: &SegmentRow) {
    let document = pen.document;
    let sink = |_: &Route, change: &Change| shared::edit_segment(document, &row.name, change);
    if let Some(form_row) = shared::segment_form(document, &row.name) {
        inspector::row_ui(ui, pen, &form_row, &format!("segment {}", row.name), "", &sink);
    }
    let num_all = document.home.audience.contacts.len();
    inputs::small(ui, &format!("{} of {num_all} sample contacts are in it now", row.num_in));
}

fn score_form(ui: &mut Ui, pen: &mut Pen<'_>, row: &ScoreRow) {
    let document = pen.document;
    if let Some(score) = row.score {
        let parts: Vec<String> = row
            .signals
            .iter()
            .zip(&row.parts)
            .map(|((event, _), points)| format!("{event} {}", shared::points(*points)))
            .collect();
        let of = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        inputs::small(ui, &format!("This contact has {} points now{of}", shared::points(score)));
    }
    let sink = |route: &Route, change: &Change| shared::edit_score(document, &row.name, route, change);
    if let Some(form_row) = shared::score_form(document, &row.name) {
        inspector::row_ui(ui, pen, &form_row, &format!("score {}", row.name), "", &sink);
    }
}
