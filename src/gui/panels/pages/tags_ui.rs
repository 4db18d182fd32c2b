//! Merge tags: the table, and the editor of the chosen one.

use egui::{Button, RichText, ScrollArea, Ui, vec2};
use smol_str::SmolStr;

use super::{Stamp, parts, stamp};
use crate::{
    app::{
        App, Command, Document,
        inspector::{Change, Route},
        pages::{
            Act, PageKind,
            tags::{self, TagRow},
        },
        search::Spot,
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

/// What this page keeps for itself.
#[derive(Debug, Default)]
pub struct Draft {
    rows: Vec<TagRow>,
    of: Option<Stamp>,
    /// A name being typed, and of which tag.
    name: Option<(SmolStr, String)>,
    /// A tag that is used and about to be removed.
    removing: Option<SmolStr>,
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
pub fn tags(ui: &mut Ui, _app: &App, document: &Document, drafts: &mut Drafts, out: &mut Vec<Command>) {
    let draft = &mut drafts.pages;
    let stamp = stamp(document);
    if draft.tags.of.as_ref() != Some(&stamp) {
        draft.tags.rows = tags::table(document.flow(), &document.home, document.view.contact.as_ref());
        draft.tags.of = Some(stamp);
    }
    parts::bar(ui, document, draft, "merge tags", true, out, |ui, out| {
        if parts::main_button(ui, "plus", "Add merge tag").clicked() {
            out.push(Act::AddTag.into());
        }
    });
    let chosen = document.view.page_rows.get(&PageKind::Tags).cloned();
    let rows = std::mem::take(&mut draft.tags.rows);
    let row = rows.iter().find(|row| Some(&row.name) == chosen.as_ref());
    let search = draft.search.clone();
    let mut of_table = Vec::new();
    parts::halves(
        ui,
        row.is_some(),
        |ui| table(ui, &rows, &search, chosen.as_ref(), &mut of_table),
        |ui| {
            if let Some(row) = row {
                editor(ui, document, row, drafts, out);
            }
        },
    );
    out.append(&mut of_table);
    drafts.pages.tags.rows = rows;
}

fn table(ui: &mut Ui, rows: &[TagRow], search: &str, chosen: Option<&SmolStr>, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let found: Vec<&TagRow> = rows.iter().filter(|row| row.is_found(search)).collect();
    let width = ui.available_width();
    let columns = parts::fitting(COLUMNS, width);
    parts::header(ui, &columns);
    if found.is_empty() {
        bottom::nothing(
            ui,
            if rows.is_empty() {
                "No merge tags yet: a merge tag puts a value into mails, such as the name of who gets it"
            } else {
                "No merge tag has that in it"
            },
        );
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().auto_shrink([false, false]).show_rows(ui, bottom::ROW, found.len(), |ui, range| {
        for row in &found[range] {
            let is_chosen = chosen == Some(&row.name);
            let used = parts::used(row.num_uses());
            let name = format!("Merge tag {}, {}, {used}", row.name, row.source);
            let (rect, response) = bottom::row(ui, &name, true, is_chosen);
            for ((title, _), cell) in columns.iter().zip(parts::cells(rect, &columns, width)) {
                match *title {
                    "Name" => _ = bottom::text(ui.painter(), cell, &row.name, theme::medium(13.0), palette.text),
                    "Title" => parts::cell(ui, cell, &row.title, palette.text),
                    "Type" => parts::cell(ui, cell, row.kind, palette.weak),
                    "Source" => parts::cell(ui, cell, &row.source, palette.text),
                    "Fallback" => match row.fallback.as_deref() {
                        Some("") => parts::cell(ui, cell, "(nothing)", palette.weak),
                        fallback => parts::cell(ui, cell, fallback.unwrap_or_default(), palette.text),
                    },
                    "For this contact" => parts::cell(ui, cell, &row.value, palette.text),
                    "Klaviyo" => parts::cell(ui, cell, &row.klaviyo, palette.weak),
                    "HubSpot" => parts::cell(ui, cell, &row.hubspot, palette.weak),
                    _ => {
                        let ink = if row.uses.is_empty() { palette.warning } else { palette.text };
                        parts::cell(ui, cell, &row.num_uses().to_string(), ink);
                    }
                }
            }
            if response.clicked() {
                let next = Some(row.name.clone()).filter(|_| !is_chosen);
                out.push(Act::Choose(PageKind::Tags, next).into());
            }
        }
    });
}

fn editor(ui: &mut Ui, document: &Document, row: &TagRow, drafts: &mut Drafts, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    ui.horizontal(|ui| {
        let title = RichText::new(format!("{{{}}}", row.name)).font(theme::semibold(15.0)).color(palette.accent);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if inputs::icon_button(ui, "x", "Close the editor").clicked() {
                out.push(Act::Choose(PageKind::Tags, None).into());
            }
            if inputs::icon_button(ui, "trash", &format!("Remove merge tag {}", row.name)).clicked() {
                if row.uses.is_empty() {
                    out.push(Act::RemoveTag(row.name.clone()).into());
                } else {
                    drafts.pages.tags.removing = Some(row.name.clone());
                }
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                ui.add(egui::Label::new(title).truncate());
            });
        });
    });
    if drafts.pages.tags.removing.as_ref() == Some(&row.name) {
        confirm(ui, row, &mut drafts.pages.tags.removing, out);
    }
    parts::scrolled(ui, &format!("tag {}", row.name), |ui| {
        name(ui, document, row, &mut drafts.pages.tags.name, out);
        value(ui, row);
        let mut pen = Pen { document, draft: &mut drafts.inspector, out };
        let flow = document.flow();
        let sink = |route: &Route, change: &Change| tags::edit(flow, &row.name, route, change);
        let key = format!("tag {}", row.name);
        for form_row in tags::form(document, &row.name).unwrap_or_default() {
            inspector::row_ui(ui, &mut pen, &form_row, &key, "", &sink);
            if form_row.spec.name == "source" {
                fallback(ui, &mut pen, row, &key);
            }
        }
        uses(ui, row, pen.out);
    });
}

/// Asks before a tag goes that is used.
fn confirm(ui: &mut Ui, row: &TagRow, removing: &mut Option<SmolStr>, out: &mut Vec<Command>) {
    inputs::boxed(ui, |ui| {
        let words = format!("It is {}. Mails that show it cannot be made without it.", parts::used(row.num_uses()));
        inputs::message(ui, Severity::Warning, &words, "");
        ui.horizontal(|ui| {
            if ui.button("Remove anyway").clicked() {
                out.push(Act::RemoveTag(row.name.clone()).into());
                *removing = None;
            }
            if ui.button("Keep it").clicked() {
                *removing = None;
            }
        });
    });
}

/// The name: while it is typed nothing changes; when the field is left, all uses change with it.
fn name(ui: &mut Ui, document: &Document, row: &TagRow, typed: &mut Option<(SmolStr, String)>, out: &mut Vec<Command>) {
    let around = inputs::Around {
        key: "tag name",
        label: "Name",
        name: "Merge tag name",
        help: "What mails write in braces; renaming changes every use",
    };
    inputs::label(ui, &around, |_| {});
    let mut text = match typed {
        Some((of, text)) if *of == row.name => text.clone(),
        _ => row.name.to_string(),
    };
    let error = tags::rename(document.flow(), &row.name, text.trim()).err();
    let field = egui::TextEdit::singleline(&mut text)
        .id_salt(("tag name", &row.name))
        .desired_width(f32::INFINITY)
        .margin(egui::Margin::symmetric(10, 6));
    let field = ui.add(field).accessible_name("Merge tag name");
    crate::gui::is_field(ui.ctx(), "Merge tag name", field.id);
    if field.changed() {
        *typed = Some((row.name.clone(), text.clone()));
    }
    if field.lost_focus() {
        let gives_up = ui.input(|i| i.key_pressed(egui::Key::Escape));
        if error.is_none() && text.trim() != row.name && !gives_up {
            out.push(Act::RenameTag { from: row.name.clone(), to: SmolStr::new(text.trim()) }.into());
        }
        if error.is_none() || gives_up {
            *typed = None;
        }
    }
    inputs::notes(ui, error.as_deref(), &[]);
    if error.is_none() && text.trim() != row.name && !row.uses.is_empty() {
        inputs::small(ui, &format!("Enter renames it everywhere: it is {}", parts::used(row.num_uses())));
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
fn value(ui: &mut Ui, row: &TagRow) {
    let value = if row.value.is_empty() { "missing" } else { row.value.as_str() };
    inputs::small(ui, &format!("For this contact: {value}"));
    inputs::small(ui, &format!("Klaviyo: {}", row.klaviyo));
    inputs::small(ui, &format!("HubSpot: {}", row.hubspot));
}

fn uses(ui: &mut Ui, row: &TagRow, out: &mut Vec<Command>) {
    inputs::caption(ui, "Used by");
    if row.uses.is_empty() {
        inputs::small(ui, "Nothing uses it");
    }
    for found in &row.uses {
        let words = tags::use_in_words(found);
        let node = match &found.spot {
            Spot::Step { id, .. } => Some(id),
            Spot::Message { sent_by, .. } => sent_by.as_ref(),
            Spot::Field(_) | Spot::Settings(_) => None,
        };
        let Some(node) = node else {
            inputs::small(ui, &words);
            continue;
        };
        let button = Button::new(RichText::new(&words).font(theme::regular(12.5))).frame_when_inactive(false);
        let button = ui.add(button.truncate().min_size(vec2(ui.available_width(), 26.0)));
        if button.accessible_name(&words).on_hover_text("Go to the step").clicked() {
            out.push(Command::GoTo(node.clone()));
        }
    }
}
