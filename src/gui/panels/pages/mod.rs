//! Pages in the place of the canvas: settings, merge tags and all else that has names, audience.
//!
//! The one idea: a table on the left, what is chosen in it on the right, or below where the window is narrow. What they
//! show is worked out once per change and kept in a [`Draft`].

mod audience_ui;
mod editor;
mod flow_ui;
mod matrix_ui;
pub(super) mod parts;
mod shared_ui;
mod tags_ui;
#[cfg(test)]
mod tests;

use egui::{Button, Frame, Margin, RichText, Ui, vec2};

use super::{Drafts, bottom};
use crate::{
    app::{
        App, Command, Document, DocumentId, Home,
        pages::{Act, PageKind},
    },
    base::ContactId,
    gui::{
        icons,
        theme::{self, Palette},
    },
};

/// What the things that a page shows were made from.
#[derive(Clone, Debug)]
struct Stamp {
    document: DocumentId,
    revision: u64,
    /// Of the other open documents, all together.
    others: u64,
    contact: Option<ContactId>,
    /// The surroundings, by their place in memory; held, so that no others get that place.
    home: std::sync::Weak<Home>,
}

impl PartialEq for Stamp {
    fn eq(&self, other: &Self) -> bool {
        (self.document, self.revision, self.others) == (other.document, other.revision, other.others)
            && self.contact == other.contact
            && self.home.ptr_eq(&other.home)
    }
}

fn stamp(app: &App, document: &Document) -> Stamp {
    let others = app.documents.iter().filter(|other| other.id != document.id);
    Stamp {
        others: others.map(|other| other.history.revision() + 1).sum(),
        document: document.id,
        revision: document.history.revision(),
        contact: document.view.contact.clone(),
        home: std::sync::Arc::downgrade(&document.home),
    }
}

/// What pages keep for themselves.
#[derive(Debug, Default)]
pub struct Draft {
    search: String,
    /// The page it was typed on.
    search_of: Option<PageKind>,
    people: bottom::PeopleDraft,
    tags: tags_ui::Draft,
    audience: audience_ui::Draft,
    shared: shared_ui::Draft,
    matrix: matrix_ui::Draft,
    editor: editor::Draft,
}

/// Draws the page that is open.
pub fn page(ui: &mut Ui, app: &App, document: &Document, page: PageKind, drafts: &mut Drafts, out: &mut Vec<Command>) {
    if drafts.pages.search_of != Some(page) {
        drafts.pages.search.clear();
        drafts.pages.search_of = Some(page);
    }
    Frame::new().inner_margin(Margin { left: 16, right: 16, top: 8, bottom: 8 }).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            tabs(ui, page, out);
        });
        match page {
            PageKind::Flow => flow_ui::flow(ui, document, drafts, out),
            PageKind::Tags => tags_ui::tags(ui, app, document, drafts, out),
            PageKind::Mails => super::mails::mails(ui, document, drafts, out),
            PageKind::Matrix => matrix_ui::matrix(ui, app, document, drafts, out),
            PageKind::Audience => audience_ui::audience(ui, app, document, drafts, out),
            #[cfg(feature = "engine")]
            PageKind::Run => super::run::page(ui, app, document, &mut drafts.run, out),
            #[cfg(not(feature = "engine"))]
            PageKind::Run => bottom::nothing(ui, "This build of Flowloom runs no flows"),
            _ => shared_ui::shared(ui, app, document, page, drafts, out),
        }
    });
}

fn tabs(ui: &mut Ui, page: PageKind, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    ui.spacing_mut().item_spacing.x = 4.0;
    ui.spacing_mut().button_padding.x = 6.0;
    let arrow = RichText::new(icons::glyph("arrow-left")).font(theme::icon(14.0));
    let back = ui.add(Button::new((arrow, "Canvas")).min_size(vec2(0.0, 28.0))).accessible_name("Back to the canvas");
    if back.on_hover_text("Back to the canvas  Escape").clicked() {
        out.push(Act::Show(None).into());
    }
    ui.add_space(4.0);
    for which in PageKind::ALL {
        let shown = which == page;
        let ink = if shown { palette.text } else { palette.weak };
        let font = if shown { theme::semibold(13.5) } else { theme::medium(13.0) };
        let button = Button::new(RichText::new(which.title()).font(font).color(ink)).frame_when_inactive(false);
        let button = ui.add(button.min_size(vec2(0.0, 28.0)));
        if shown {
            let line = button.rect.shrink2(vec2(6.0, 0.0));
            ui.painter().hline(line.x_range(), line.bottom() + 0.5, egui::Stroke::new(2.0, palette.accent));
        }
        let row = crate::app::command::row(crate::app::command::command_of(which));
        if button.on_hover_text(row.help).clicked() && !shown {
            out.push(Act::Show(Some(which)).into());
        }
    }
}
