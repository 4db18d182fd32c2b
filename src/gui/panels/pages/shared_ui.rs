//! Pages of named things that are not merge tags: constants, segments, score models, events, lists, senders, code
//! pools.

use egui::{Color32, Label, RichText, Ui};
use smol_str::SmolStr;

use super::{
    Stamp,
    editor::{self, About},
    parts, stamp,
};
use crate::{
    app::{
        App, Command, Document,
        inspector::{Change, Route},
        pages::{
            Act, PageKind, constants, is_found,
            rows::{self, PlainRow, ScoreRow, SegmentRow, UsedBy},
            shared,
        },
        rename,
    },
    gui::{
        panels::{
            Drafts,
            inspector::{self, Pen, inputs},
        },
        theme::{self, Palette},
    },
};

/// Rows of one of these pages.
#[derive(Debug)]
enum Rows {
    Segments(Vec<SegmentRow>),
    Scores(Vec<ScoreRow>),
    Plain(Vec<PlainRow>),
}

/// What these pages keep for themselves.
#[derive(Debug, Default)]
pub struct Draft {
    rows: Option<(Stamp, PageKind, Rows)>,
}

impl Rows {
    fn of(app: &App, document: &Document, page: PageKind) -> Self {
        let (flow, home) = (document.flow(), &document.home);
        let (others, chosen) = (rename::other_flows(app, document), document.view.contact.as_ref());
        match page {
            PageKind::Segments => Self::Segments(rows::segments(flow, home, &others, chosen)),
            PageKind::Scores => Self::Scores(rows::scores(flow, home, &others, chosen)),
            _ => Self::Plain(rows::plain(flow, home, &others, page)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Segments(rows) => rows.len(),
            Self::Scores(rows) => rows.len(),
            Self::Plain(rows) => rows.len(),
        }
    }

    fn named(&self, at: usize) -> (&SmolStr, &[UsedBy]) {
        match self {
            Self::Segments(rows) => (&rows[at].name, &rows[at].uses),
            Self::Scores(rows) => (&rows[at].name, &rows[at].uses),
            Self::Plain(rows) => (&rows[at].name, &rows[at].uses),
        }
    }

    fn is_found(&self, at: usize, search: &str) -> bool {
        match self {
            Self::Segments(rows) => is_found(search, &[&rows[at].name, &rows[at].condition, &rows[at].sentence]),
            Self::Scores(rows) => is_found(search, &[&rows[at].name, &signals(&rows[at])]),
            Self::Plain(rows) => {
                let texts: Vec<&str> = rows[at].cells.iter().map(String::as_str).chain([&*rows[at].name]).collect();
                is_found(search, &texts)
            }
        }
    }

    fn columns(&self, page: PageKind) -> Vec<parts::Column<'static>> {
        let between: &[rows::Column] = match self {
            Self::Segments(_) => {
                &[("Who is in it", 1.0, 380.0), ("Contacts", 92.0, 0.0), ("This contact", 92.0, 480.0)]
            }
            Self::Scores(_) => &[("Signals", 1.0, 380.0), ("This contact", 92.0, 0.0), ("Highest", 76.0, 480.0)],
            Self::Plain(_) => rows::columns(page),
        };
        let ends: [rows::Column; 2] = [("Name", 0.6, 0.0), ("Used by", 64.0, 300.0)];
        ends[..1].iter().chain(between).chain(&ends[1..]).copied().collect()
    }

    /// The whole row in words.
    fn words(&self, document: &Document, page: PageKind, at: usize) -> String {
        let word = crate::app::inspector::capital(page.word());
        match self {
            Self::Segments(rows) => format!("{word} {}, {} contacts", rows[at].name, rows[at].num_in),
            Self::Scores(rows) => {
                let points = rows[at].score.map(|points| rows::points(&document.home, points)).unwrap_or_default();
                format!("{word} {}, {points} points", rows[at].name)
            }
            Self::Plain(rows) => {
                let cells: Vec<&str> = rows[at].cells.iter().map(String::as_str).filter(|c| !c.is_empty()).collect();
                format!("{word} {}, {}", rows[at].name, cells.join(", "))
            }
        }
    }

    fn cell(
        &self,
        document: &Document,
        page: PageKind,
        at: usize,
        title: &str,
        palette: &Palette,
    ) -> (String, Color32) {
        let (name, uses) = self.named(at);
        match title {
            "Name" => return (name.to_string(), palette.text),
            "Used by" => {
                let ink = if uses.is_empty() { palette.weak } else { palette.text };
                return (document.home.manner.number(uses.len() as u64), ink);
            }
            _ => {}
        }
        let number = |n: usize| document.home.manner.number(n as u64);
        let points = |points: Option<f64>| points.map(|p| rows::points(&document.home, p)).unwrap_or_default();
        match (self, title) {
            (Self::Segments(rows), "Contacts") => {
                let num_all = document.home.audience.contacts.len();
                (format!("{} of {}", number(rows[at].num_in), number(num_all)), palette.text)
            }
            (Self::Segments(rows), "This contact") => {
                (if rows[at].has_chosen { "in it" } else { "" }.to_owned(), palette.good)
            }
            (Self::Segments(rows), _) => (rows[at].sentence.clone(), palette.text),
            (Self::Scores(rows), "This contact") => (points(rows[at].score), palette.text),
            (Self::Scores(rows), "Highest") => (points(rows[at].highest), palette.weak),
            (Self::Scores(rows), _) => (signals(&rows[at]), palette.text),
            (Self::Plain(rows), title) => {
                let column = rows::columns(page).iter().position(|(caption, ..)| *caption == title);
                let words = column.and_then(|column| rows[at].cells.get(column)).cloned().unwrap_or_default();
                (words, if column == Some(0) { palette.text } else { palette.weak })
            }
        }
    }
}

fn signals(row: &ScoreRow) -> String {
    let words: Vec<String> = row.signals.iter().map(|(event, points)| format!("{event} {points}")).collect();
    words.join("; ")
}

/// Draws one of these pages.
pub fn shared(
    ui: &mut Ui,
    app: &App,
    document: &Document,
    page: PageKind,
    drafts: &mut Drafts,
    out: &mut Vec<Command>,
) {
    let stamp = stamp(app, document);
    let kept = drafts.pages.shared.rows.take().filter(|(of, which, _)| (of, *which) == (&stamp, page));
    let all = kept.map_or_else(|| Rows::of(app, document, page), |(.., rows)| rows);
    let chosen = document.view.page_rows.get(&page).cloned();
    let add_words = format!("Add {}", page.word());
    let has_people = matches!(page, PageKind::Segments | PageKind::Scores);
    let what = page.title().to_lowercase();
    let mut adds = false;
    parts::bar(ui, document, &mut drafts.pages, &what, has_people, out, |ui, _| {
        adds = parts::main_button(ui, "plus", &add_words).clicked();
    });
    let search = drafts.pages.search.clone();
    let found: Vec<usize> = (0..all.len()).filter(|at| all.is_found(*at, &search)).collect();
    let shown = (0..all.len()).find(|at| Some(all.named(*at).0) == chosen.as_ref());
    let mut of_table = Vec::new();
    let mut clears = false;
    parts::halves(
        ui,
        shown.is_some(),
        |ui| {
            let is_of_flow = page.thing().is_some_and(rename::is_of_flow);
            let room = ui.available_height() - if is_of_flow { 0.0 } else { 24.0 };
            ui.scope(|ui| {
                ui.set_max_height(room);
                if all.len() == 0 {
                    adds |= parts::empty(ui, page.when_empty(), "plus", &format!("Add the first {}", page.word()));
                } else if found.is_empty() {
                    let words = format!("Of {} {what}, none has that in it", all.len());
                    clears = parts::empty(ui, &words, "x", "Clear the search");
                } else {
                    let palette = Palette::get(ui);
                    let columns = all.columns(page);
                    let look = |at: usize| parts::RowLook {
                        name: all.words(document, page, found[at]),
                        is_chosen: shown == Some(found[at]),
                    };
                    let cell = |at: usize, title: &str| all.cell(document, page, found[at], title, palette);
                    if let Some(at) = parts::table(ui, page.title(), &columns, found.len(), &look, &cell) {
                        let next = Some(found[at]).filter(|at| shown != Some(*at));
                        of_table.push(Act::Choose(page, next.map(|at| all.named(at).0.clone())).into());
                    }
                }
            });
            if !is_of_flow {
                ui.add_space((ui.available_height() - 20.0).max(0.0));
                let place = shared::place(&document.home);
                let small = RichText::new(&place).font(theme::regular(11.5)).color(Palette::get(ui).weak);
                ui.add(Label::new(small).truncate()).on_hover_text(&place);
            }
        },
        |ui| {
            let Some(at) = shown else { return };
            let (name, uses) = all.named(at);
            let lost = lost(page);
            let about = About { page, name, uses, num_uses: uses.len(), lost };
            editor::editor(ui, app, document, about, drafts, out, |ui, pen| form(ui, pen, page, &all, at));
        },
    );
    out.append(&mut of_table);
    if adds {
        drafts.pages.editor.adding(page, chosen.as_ref());
        out.push(Act::Add(page).into());
    }
    if clears {
        drafts.pages.search.clear();
    }
    drafts.pages.shared.rows = Some((stamp, page, all));
}

/// What would be without one that is used.
fn lost(page: PageKind) -> &'static str {
    match page {
        PageKind::Segments => "What uses it holds for nobody without it",
        PageKind::Scores => "What uses it counts no points without it",
        PageKind::Events => "What uses it names an event that is not in the catalogue then",
        PageKind::Lists => "What uses it names a list that is not there then",
        PageKind::Senders => "What uses it has no sender then, and cannot be sent",
        PageKind::Pools => "Mails that show its code cannot be made without it",
        _ => "What uses it has no value without it",
    }
}

fn form(ui: &mut Ui, pen: &mut Pen<'_>, page: PageKind, all: &Rows, at: usize) {
    let document = pen.document;
    let name = all.named(at).0;
    let key = format!("{page:?} {name}");
    match all {
        Rows::Segments(rows) => {
            let sink = |_: &Route, change: &Change| shared::edit_segment(document, name, change);
            if let Some(row) = shared::segment_form(document, name) {
                inspector::row_ui(ui, pen, &row, &key, "", &sink);
            }
            let num_all = document.home.audience.contacts.len();
            inputs::small(ui, &format!("{} of {num_all} sample contacts are in it now", rows[at].num_in));
        }
        Rows::Plain(_) if page == PageKind::Constants => {
            let sink = |_: &Route, change: &Change| constants::edit(document.flow(), name, change);
            if let Some(row) = constants::form(document, name) {
                inspector::row_ui(ui, pen, &row, &key, "", &sink);
            }
        }
        _ => {
            if let Rows::Scores(rows) = all {
                score(ui, document, &rows[at]);
            }
            let about = format!("{} {name}", page.word());
            let sink = |route: &Route, change: &Change| shared::edit(document, &about, route, change);
            let rows = shared::form(document, page, name);
            inspector::rows_ui(ui, pen, &rows, &key, "", &sink);
            if page == PageKind::Lists {
                let Rows::Plain(rows) = all else { return };
                let count = rows[at].cells.first().map_or("0", String::as_str);
                inputs::small(ui, &format!("Sample contacts on it: {count}"));
            }
        }
    }
}

/// What a score comes to for the chosen contact.
fn score(ui: &mut Ui, document: &Document, row: &ScoreRow) {
    let Some(score) = row.score else { return };
    let parts: Vec<String> = row
        .signals
        .iter()
        .zip(&row.parts)
        .map(|((event, _), points)| format!("{event} {}", rows::points(&document.home, *points)))
        .collect();
    let of = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    inputs::small(ui, &format!("This contact has {} points now{of}", rows::points(&document.home, score)));
}
