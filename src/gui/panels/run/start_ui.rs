//! The form that an engine is started with, and what waits in its folder.

use egui::{Frame, Label, Margin, RichText, ScrollArea, TextEdit, Ui, vec2};

use crate::{
    app::{
        Command, Document,
        run::{Act, Form, Run, Standing, words},
    },
    gui::{
        panels::bottom,
        theme::{self, Palette},
        widgets,
    },
};

/// The form as it is being typed.
#[derive(Debug, Default)]
pub struct Draft {
    form: Form,
    /// What it was made from.
    of: Option<Form>,
    /// Mails leave by a server.
    by_server: bool,
}

impl Draft {
    /// The form as it is being typed, where it is another than the one that is known.
    pub fn pending(&self, run: &Run) -> Option<Form> {
        (self.of.as_ref() == Some(&run.form) && self.form != run.form).then(|| self.form.clone())
    }
}

/// Widest the form becomes, in points.
const WIDTH: f32 = 560.0;

/// Draws it.
pub fn start(ui: &mut Ui, document: &Document, run: &Run, draft: &mut Draft, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    if draft.of.as_ref() != Some(&run.form) {
        draft.form = run.form.clone();
        draft.by_server = run.form.mail.contains("://");
        draft.of = Some(run.form.clone());
    }
    ScrollArea::vertical().id_salt("start").auto_shrink([false, false]).show(ui, |ui| {
        Frame::new().inner_margin(Margin { left: 0, right: 12, top: 6, bottom: 12 }).show(ui, |ui| {
            ui.set_max_width(WIDTH.min(ui.available_width()));
            match &run.status {
                Some(status) => {
                    widgets::caption(ui, "What waits");
                    ui.add(Label::new(words::waits(document, status)).wrap());
                }
                None => {
                    let words = "The engine takes events in, waits, decides and sends, day and night, in a program of \
                                 its own. Its data stay in one folder; nothing leaves this machine but the mails.";
                    ui.add(Label::new(RichText::new(words).color(palette.weak)).wrap());
                }
            }
            ui.add_space(8.0);
            let free = matches!(run.standing, Standing::Resting | Standing::Unknown);
            ui.add_enabled_ui(free, |ui| form(ui, document, draft));
        });
    });
    // A folder is looked at when its name is complete.
    let is_typing = ui.ctx().text_edit_focused();
    if !is_typing && let Some(form) = draft.pending(run) {
        out.push(Act::Form(form).into());
    }
}

fn form(ui: &mut Ui, document: &Document, draft: &mut Draft) {
    let palette = Palette::get(ui);
    let small = |ui: &mut Ui, words: &str| {
        ui.add(Label::new(RichText::new(words).font(theme::regular(11.5)).color(palette.weak)).wrap());
        ui.add_space(6.0);
    };
    widgets::caption(ui, "What runs");
    if document.home.folder.is_some() {
        ui.horizontal_wrapped(|ui| {
            for (all, words) in [(false, "This flow"), (true, "All flows of the workspace")] {
                if widgets::radio(ui, draft.form.all_flows == all, words).clicked() {
                    draft.form.all_flows = all;
                }
            }
        });
    } else {
        ui.label("This flow");
    }
    ui.add_space(6.0);
    field(ui, "Folder for its data", "", &mut draft.form.data);
    small(ui, "Contacts, journeys and mails as sent, in one file. The folder keeps itself out of git");
    widgets::caption(ui, "How mails leave");
    let was_by_server = draft.by_server;
    ui.horizontal_wrapped(|ui| {
        for (by_server, words) in [(false, "Into a folder, as files"), (true, "By a mail server")] {
            if widgets::radio(ui, draft.by_server == by_server, words).clicked() {
                draft.by_server = by_server;
            }
        }
    });
    if was_by_server != draft.by_server {
        draft.form.mail.clear();
        draft.form.public.clear();
    }
    if draft.by_server {
        field(ui, "Mail server", "smtp://user@host:587", &mut draft.form.mail);
        small(
            ui,
            "A password is taken from the variable FLOWLOOM_SMTP_PASSWORD of the studio, and never kept. People get \
             these mails for real",
        );
        field(ui, "Links of mails begin with", "https://mail.shop.example", &mut draft.form.public);
        small(ui, "Where people reach this engine from outside: to unsubscribe, and for their preferences");
    } else {
        field(ui, "Folder for mails", "mails/ among the engine's data", &mut draft.form.mail);
        small(ui, "Nobody gets anything: each mail becomes a file that a mail program opens");
    }
    widgets::caption(ui, "More");
    field(ui, "Listens at", crate::app::run::LISTEN, &mut draft.form.listen);
    small(ui, "Where shops and sites post events. Beyond this machine a secret is needed: flowloom run --secret-file");
    field(ui, "Time passes so many times as fast", "1", &mut draft.form.time_scale);
    small(ui, "For demonstrations: 3600 makes an hour of a second");
}

/// A caption with a field below it.
fn field(ui: &mut Ui, name: &str, hint: &str, text: &mut String) {
    let caption = ui.label(RichText::new(name).font(theme::medium(12.5)));
    let field = TextEdit::singleline(text).hint_text(hint).desired_width(f32::INFINITY);
    let field = ui.add(field.margin(Margin::symmetric(10, 6)));
    field.labelled_by(caption.id).accessible_name(name.to_owned());
}

/// A line of names and values.
pub(super) fn pair(ui: &mut Ui, name: &str, value: &str) {
    let palette = Palette::get(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), bottom::ROW), egui::Sense::hover());
    let cells = bottom::cells(rect, &[("", 100.0), ("", 1.0)]);
    bottom::text(ui.painter(), cells[0], name, theme::regular(12.5), palette.weak);
    bottom::text(ui.painter(), cells[1], value, theme::medium(12.5), palette.text);
}
