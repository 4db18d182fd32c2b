//! The sample contacts: a table that holds any number of them, and what is known of the chosen one.

use egui::{RichText, Ui};

use super::{Stamp, parts, stamp};
use crate::{
    app::{
        App, Command, CommandId, Document,
        files::Act,
        pages::people::{self, Known, People},
        stage,
    },
    audience::Contact,
    base::ContactId,
    gui::{
        panels::{Drafts, bottom, inspector::inputs},
        theme::{self, Palette},
    },
};

/// What this page keeps for itself.
#[derive(Debug, Default)]
pub struct Draft {
    people: People,
    known: Option<Known>,
    of: Option<(Stamp, String)>,
}

/// Draws the page.
pub fn audience(ui: &mut Ui, app: &App, document: &Document, drafts: &mut Drafts, out: &mut Vec<Command>) {
    let draft = &mut drafts.pages;
    let home = &document.home;
    // The flow's revision changes nothing here.
    let stamp = (Stamp { revision: 0, ..stamp(app, document) }, draft.search.clone());
    if draft.audience.of.as_ref() != Some(&stamp) {
        draft.audience.people = people::people(home, &draft.search);
        draft.audience.known = document.view.contact.as_ref().and_then(|id| people::known(home, id));
        draft.audience.of = Some(stamp);
    }
    let (num_found, num_all) = (draft.audience.people.found.len(), home.audience.contacts.len());
    let number = |n: usize| home.manner.number(n as u64);
    parts::bar(ui, document, draft, "contacts", false, out, |ui, _| {
        let count = match (num_found == num_all, num_all) {
            (true, 1) => "1 contact".to_owned(),
            (true, _) => format!("{} contacts", number(num_all)),
            (false, _) => format!("{} of {}", number(num_found), number(num_all)),
        };
        ui.label(RichText::new(count).color(Palette::get(ui).weak));
    });
    let place = people::place(home);
    if home.audience.contacts.is_empty() {
        match &home.folder {
            Some(folder) => {
                if parts::empty(ui, &place, "folder-open", "Open the folder") {
                    out.push(Command::Files(Act::ShowFolder(folder.clone())));
                }
            }
            None => {
                if parts::empty(ui, &place, "floppy-disk", "Save the flow\u{2026}") {
                    out.push(CommandId::SaveAs.into());
                }
            }
        }
        return;
    }
    if draft.audience.people.found.is_empty() {
        if parts::empty(ui, "Nobody has that in their name, id, address or properties", "x", "Clear the search") {
            draft.search.clear();
        }
        return;
    }
    let Draft { people, known, .. } = &draft.audience;
    parts::halves(
        ui,
        known.is_some(),
        |ui| {
            let room = ui.available_height() - 24.0;
            ui.scope(|ui| {
                ui.set_max_height(room);
                table(ui, document, people, out);
            });
            let small = RichText::new(&place).font(theme::regular(11.5)).color(Palette::get(ui).weak);
            ui.add(egui::Label::new(small).truncate()).on_hover_text(&place);
        },
        |ui| {
            if let Some(known) = known {
                contact(ui, document.view.contact.as_ref(), known);
            }
        },
    );
}

fn table(ui: &mut Ui, document: &Document, people: &People, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let mut columns: Vec<parts::Column<'_>> = vec![
        ("Name", 0.9, 0.0),
        ("Id", 0.6, 300.0),
        ("E-mail", 1.0, 420.0),
        ("Zone", 0.7, 540.0),
        ("Consent", 0.9, 680.0),
    ];
    let leasts = [780.0, 860.0, 960.0, 1060.0];
    columns.extend(people.columns.iter().zip(leasts).map(|(name, least)| (name.as_str(), 0.6, least)));
    columns.push(("Events", 60.0, 200.0));
    let home = &document.home;
    let contacts = &home.audience.contacts;
    let found: Vec<&Contact> = people.found.iter().filter_map(|at| contacts.get(*at)).collect();
    let look = |at: usize| parts::RowLook {
        name: format!("Contact {}, {}", stage::name(found[at]), found[at].id),
        is_chosen: document.view.contact.as_ref() == Some(&found[at].id),
    };
    let cell = |at: usize, title: &str| {
        let contact = found[at];
        let text = |text: &Option<smol_str::SmolStr>| text.as_deref().unwrap_or_default().to_owned();
        match title {
            "Name" => (stage::name(contact), palette.text),
            "Id" => (contact.id.to_string(), palette.weak),
            "E-mail" => (text(&contact.email), palette.text),
            "Zone" => (text(&contact.zone), palette.text),
            "Consent" => (people::consent(contact), palette.text),
            "Events" => {
                let count = people.num_events.get(&contact.id).copied().unwrap_or(0);
                (home.manner.number(count as u64), palette.text)
            }
            property => {
                let shown = contact.properties.get(property).map(|value| people::shown(home, value));
                (shown.unwrap_or_default(), palette.text)
            }
        }
    };
    if let Some(at) = parts::table(ui, "contacts", &columns, found.len(), &look, &cell) {
        out.push(Command::ChooseContact(Some(found[at].id.clone())));
    }
}

fn contact(ui: &mut Ui, id: Option<&ContactId>, known: &Known) {
    let palette = Palette::get(ui);
    ui.add(egui::Label::new(RichText::new(&known.name).font(theme::semibold(15.0))).truncate());
    inputs::small(ui, "Mails, path and time line are shown for this contact");
    parts::scrolled(ui, &format!("contact {id:?}"), |ui| {
        for (name, value) in &known.facts {
            line(ui, name, value, palette);
        }
        inputs::caption(ui, &format!("Events ({})", known.events.len()));
        if known.events.is_empty() {
            inputs::small(ui, "Nothing happened yet");
        }
        for (when, name, values) in &known.events {
            line(ui, when, name, palette);
            if !values.is_empty() {
                inputs::small(ui, values);
            }
        }
        inputs::caption(ui, &format!("Responses ({})", known.responses.len()));
        if known.responses.is_empty() {
            inputs::small(ui, "None: they neither open nor click");
        }
        for response in &known.responses {
            ui.add(egui::Label::new(RichText::new(response).font(theme::regular(12.5))).wrap());
        }
    });
}

/// A name and a value beside it.
fn line(ui: &mut Ui, name: &str, value: &str, palette: &Palette) {
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 18.0;
        ui.set_height(18.0);
        let (rect, _) = ui.allocate_exact_size(egui::vec2(112.0, 18.0), egui::Sense::hover());
        bottom::text(ui.painter(), rect, name, theme::regular(12.0), palette.weak);
        let text = RichText::new(value).font(theme::regular(12.5));
        ui.add(egui::Label::new(text).truncate()).on_hover_text(value);
    });
}
