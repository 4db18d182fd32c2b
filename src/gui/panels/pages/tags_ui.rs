//! Merge tags: the table, and the editor of the chosen one.

use egui::Ui;
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
            Act, PageKind,
            rows::used_by,
            tags::{self, Samples, TagRow},
        },
    },
    gui::{
        panels::{
            Drafts,
            inspector::{self, Pen, inputs},
        },
        theme::Palette,
    },
};

/// What this page keeps for itself.
#[derive(Debug, Default)]
pub struct Draft {
    rows: Vec<TagRow>,
    of: Option<Stamp>,
    samples: Option<(Stamp, SmolStr, Samples)>,
}

const COLUMNS: &[parts::Column<'_>] = &[
    ("Name", 0.9, 0.0),
    ("Title", 0.9, 760.0),
    ("Type", 96.0, 560.0),
    ("Source", 1.0, 360.0),
    ("Fallback", 0.7, 640.0),
    ("For this contact", 0.7, 430.0),
    ("Klaviyo", 1.0, 860.0),
    ("HubSpot", 1.0, 860.0),
    ("Used", 52.0, 0.0),
];

/// Draws the page.
pub fn tags(ui: &mut Ui, app: &App, document: &Document, drafts: &mut Drafts, out: &mut Vec<Command>) {
    const PAGE: PageKind = PageKind::Tags;
    let draft = &mut drafts.pages;
    let stamp = stamp(app, document);
    if draft.tags.of.as_ref() != Some(&stamp) {
        draft.tags.rows = tags::table(document.flow(), &document.home, document.view.contact.as_ref());
        draft.tags.of = Some(stamp.clone());
    }
    let mut adds = false;
    parts::bar(ui, document, draft, "merge tags", true, out, |ui, _| {
        adds = parts::main_button(ui, "plus", "Add merge tag").clicked();
    });
    let chosen = document.view.page_rows.get(&PAGE).cloned();
    let rows = std::mem::take(&mut draft.tags.rows);
    let row = rows.iter().find(|row| Some(&row.name) == chosen.as_ref());
    if let Some(row) = row
        && !draft.tags.samples.as_ref().is_some_and(|(of, name, _)| (of, name) == (&stamp, &row.name))
    {
        let samples = tags::samples(document.flow(), &document.home, &row.name);
        draft.tags.samples = Some((stamp, row.name.clone(), samples));
    }
    let samples = draft.tags.samples.as_ref().map(|(.., samples)| samples.clone()).unwrap_or_default();
    let search = draft.search.clone();
    let found: Vec<&TagRow> = rows.iter().filter(|row| row.is_found(&search)).collect();
    let mut of_table = Vec::new();
    let mut clears = false;
    parts::halves(
        ui,
        row.is_some(),
        |ui| {
            if rows.is_empty() {
                adds |= parts::empty(ui, PAGE.when_empty(), "plus", "Add the first merge tag");
            } else if found.is_empty() {
                clears = parts::empty(ui, "No merge tag has that in it", "x", "Clear the search");
            } else if let Some(at) = table(ui, document, &found, chosen.as_ref()) {
                let next = Some(found[at].name.clone()).filter(|name| chosen.as_ref() != Some(name));
                of_table.push(Act::Choose(PAGE, next).into());
            }
        },
        |ui| {
            let Some(row) = row else { return };
            let uses: Vec<_> = row.uses.iter().map(used_by).collect();
            let lost = "Mails that show it cannot be made without it.";
            let about = About { page: PAGE, name: &row.name, uses: &uses, num_uses: row.num_uses(), lost };
            editor::editor(ui, app, document, about, drafts, out, |ui, pen| form(ui, pen, row, &samples));
        },
    );
    out.append(&mut of_table);
    if adds {
        drafts.pages.editor.adding(PAGE, chosen.as_ref());
        out.push(Act::Add(PAGE).into());
    }
    if clears {
        drafts.pages.search.clear();
    }
    drafts.pages.tags.rows = rows;
}

fn table(ui: &mut Ui, document: &Document, found: &[&TagRow], chosen: Option<&SmolStr>) -> Option<usize> {
    let palette = Palette::get(ui);
    let look = |at: usize| {
        let row = found[at];
        let used = parts::used(row.num_uses());
        let name = format!("Merge tag {}, {}, {used}", row.name, row.source);
        parts::RowLook { name, is_chosen: chosen == Some(&row.name) }
    };
    let cell = |at: usize, title: &str| {
        let row = found[at];
        match title {
            "Name" => (row.name.to_string(), palette.text),
            "Title" => (row.title.clone(), palette.text),
            "Type" => (row.kind.to_owned(), palette.weak),
            "Source" => (row.source.clone(), palette.text),
            "Fallback" => match &row.fallback {
                Some(fallback) if fallback.is_empty() => ("empty".to_owned(), palette.weak),
                Some(fallback) => (fallback.clone(), palette.text),
                None => ("none: held".to_owned(), palette.warning),
            },
            "For this contact" => (row.value.clone(), palette.text),
            "Klaviyo" => (row.klaviyo.clone(), palette.weak),
            "HubSpot" => (row.hubspot.clone(), palette.weak),
            _ => {
                let ink = if row.uses.is_empty() { palette.warning } else { palette.text };
                (document.home.manner.number(row.num_uses() as u64), ink)
            }
        }
    };
    parts::table(ui, "merge tags", COLUMNS, found.len(), &look, &cell)
}

fn form(ui: &mut Ui, pen: &mut Pen<'_>, row: &TagRow, samples: &Samples) {
    value(ui, row, samples);
    let document = pen.document;
    let sink = |route: &Route, change: &Change| tags::edit(document.flow(), &row.name, route, change);
    let key = format!("tag {}", row.name);
    for form_row in tags::form(document, &row.name).unwrap_or_default() {
        inspector::row_ui(ui, pen, &form_row, &key, "", &sink);
        if form_row.spec.name == "source" {
            fallback(ui, pen, row, &key);
        }
    }
}

/// Whether something stands in for a missing value; the text itself is a row of the form.
fn fallback(ui: &mut Ui, pen: &mut Pen<'_>, row: &TagRow, key: &str) {
    let around = inputs::Around {
        key,
        label: "Has a fallback",
        name: "Has a fallback",
        help: "What stands in for a missing value; without one, a mail that shows the tag is held",
    };
    let is_there = row.fallback.is_some();
    if inputs::switch(ui, &around, is_there).clicked() {
        let ready = tags::set_fallback(pen.document.flow(), &row.name, !is_there);
        pen.act(&format!("{key} has fallback"), ready);
    }
    if !is_there {
        inputs::small(ui, "A mail that shows it is held where the value is missing");
    }
}

/// What it prints now, here and elsewhere.
fn value(ui: &mut Ui, row: &TagRow, samples: &Samples) {
    let value = if row.value.is_empty() { "missing" } else { row.value.as_str() };
    inputs::small(ui, &format!("For this contact: {value}"));
    if samples.num_contacts > 0 {
        let missing = match samples.num_missing {
            0 => String::new(),
            n => format!("; missing for {n} of {}", samples.num_contacts),
        };
        let values = if samples.values.is_empty() { "nothing".to_owned() } else { samples.values.join(", ") };
        inputs::small(ui, &format!("In the audience: {values}{missing}"));
    }
    inputs::small(ui, &format!("Klaviyo: {}", row.klaviyo));
    inputs::small(ui, &format!("HubSpot: {}", row.hubspot));
}
