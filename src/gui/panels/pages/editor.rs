//! The editor of a chosen row: its name, what is set of it, who uses it, and taking it out.
//!
//! The one idea: every page edits its rows in the same way, and only the form in the middle differs.

use egui::{Align, Button, Label, Layout, RichText, TextEdit, Ui, vec2};
use smol_str::SmolStr;

use super::parts;
use crate::{
    app::{
        App, Command, Document,
        pages::{Act, PageKind, rows::UsedBy},
        rename,
    },
    base::Severity,
    gui::{
        panels::{
            Drafts,
            inspector::{Pen, inputs},
        },
        theme::{self, Palette},
    },
};

/// What the editor keeps for itself.
#[derive(Debug, Default)]
pub struct Draft {
    /// A name being typed, and of which row.
    name: Option<(PageKind, SmolStr, String)>,
    /// A row that is used and about to be removed.
    removing: Option<(PageKind, SmolStr)>,
    /// A row was added while this one was chosen: the next one that is chosen gets the keyboard for its name.
    added_at: Option<(PageKind, Option<SmolStr>)>,
}

impl Draft {
    /// A row is being added while another, or none, is chosen.
    pub fn adding(&mut self, page: PageKind, chosen: Option<&SmolStr>) {
        self.added_at = Some((page, chosen.cloned()));
    }
}

/// The row that is edited.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// Of which page.
    pub page: PageKind,
    /// Its name.
    pub name: &'a SmolStr,
    /// Where it is used.
    pub uses: &'a [UsedBy],
    /// In how many places.
    pub num_uses: usize,
    /// What would be without it, after "It is used twice".
    pub lost: &'a str,
}

/// Draws it.
pub fn editor(
    ui: &mut Ui,
    app: &App,
    document: &Document,
    about: About<'_>,
    drafts: &mut Drafts,
    out: &mut Vec<Command>,
    form: impl FnOnce(&mut Ui, &mut Pen<'_>),
) {
    let About { page, name, uses, num_uses, lost } = about;
    let draft = &mut drafts.pages.editor;
    let this = (page, name.clone());
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if inputs::icon_button(ui, "x", "Close the editor").clicked() {
                out.push(Act::Choose(page, None).into());
            }
            if inputs::icon_button(ui, "trash", &format!("Remove {} {name}", page.word())).clicked() {
                if uses.is_empty() {
                    out.push(Act::Remove(page, name.clone()).into());
                } else {
                    draft.removing = Some(this.clone());
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let mut title = RichText::new(name.as_str()).font(theme::semibold(15.0));
                if page == PageKind::Tags {
                    title = RichText::new(format!("{{{name}}}")).font(theme::semibold(15.0));
                    title = title.color(Palette::get(ui).accent);
                }
                ui.add(Label::new(title).truncate());
            });
        });
    });
    if draft.removing.as_ref() == Some(&this) {
        inputs::boxed(ui, |ui| {
            inputs::message(ui, Severity::Warning, &format!("It is {}. {lost}", parts::used(num_uses)), "");
            ui.horizontal(|ui| {
                if ui.button("Remove anyway").clicked() {
                    out.push(Act::Remove(page, name.clone()).into());
                    draft.removing = None;
                }
                if ui.button("Keep it").clicked() {
                    draft.removing = None;
                }
            });
        });
    }
    parts::scrolled(ui, &format!("{page:?} {name}"), |ui| {
        name_ui(ui, app, document, &about, draft, out);
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

/// The name: while it is typed nothing changes; when the field is left, all uses change with it.
fn name_ui(ui: &mut Ui, app: &App, document: &Document, about: &About<'_>, draft: &mut Draft, out: &mut Vec<Command>) {
    let About { page, name, num_uses, .. } = *about;
    let Some(thing) = page.thing() else { return };
    let help = match page {
        PageKind::Tags => "What mails write in braces; renaming changes every use",
        _ => "What it is called where it is used; renaming changes every use",
    };
    let around = inputs::Around { key: "row name", label: "Name", name: "Name", help };
    inputs::label(ui, &around, |_| {});
    let mut text = match &draft.name {
        Some((of_page, of, text)) if (*of_page, of) == (page, name) => text.clone(),
        _ => name.to_string(),
    };
    // Asked of every flow of the workspace, so only while something else stands there.
    let is_other = text.trim() != name.as_str();
    let refused = is_other.then(|| rename::plan(app, document, thing, name, &text).err()).flatten();
    let id = egui::Id::unique(("row name", page, name));
    let field = TextEdit::singleline(&mut text).id(id).desired_width(f32::INFINITY);
    let field = ui.add(field.margin(egui::Margin::symmetric(10, 6)));
    let field = field.accessible_name(format!("Name of the {}", page.word()));
    let is_new = draft.added_at.as_ref().is_some_and(|(of, chosen)| *of == page && chosen.as_ref() != Some(name));
    if is_new {
        draft.added_at = None;
        field.request_focus();
        // What it is called is only a beginning: typing replaces it.
        let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
        let all =
            egui::text::CCursorRange::two(egui::text::CCursor::new(0), egui::text::CCursor::new(text.chars().count()));
        state.cursor.set_char_range(Some(all));
        state.store(ui.ctx(), id);
    }
    if field.changed() {
        draft.name = Some((page, name.clone(), text.clone()));
    }
    if field.lost_focus() {
        let gives_up = ui.input(|i| i.key_pressed(egui::Key::Escape));
        if refused.is_none() && is_other && !gives_up {
            out.push(Act::Rename { page, from: name.clone(), to: SmolStr::new(text.trim()) }.into());
        }
        if refused.is_none() || gives_up {
            draft.name = None;
        }
    }
    inputs::notes(ui, refused.as_ref().map(|refused| refused.why.as_str()), &[]);
    if let Some(refused) = refused {
        if !refused.closed.is_empty() && ui.button("Open them").clicked() {
            out.push(Act::OpenNeighbours(refused.closed).into());
        }
    } else if is_other {
        if num_uses > 0 {
            inputs::small(ui, &format!("Enter renames it everywhere: it is {}", parts::used(num_uses)));
        }
        if let Some(stays) = rename::stays(&document.home, thing, name) {
            inputs::message(ui, Severity::Hint, &stays, "");
        }
    }
}
