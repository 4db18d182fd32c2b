//! The form that an engine is started with, and what waits in its folder.

use egui::{Frame, Label, Margin, Response, RichText, ScrollArea, Sense, TextEdit, Ui, vec2};

use crate::{
    app::{
        Command, Document,
        run::{Act, Fault, Form, Run, Standing, options, words},
    },
    gui::{
        icons,
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
    /// What is seldom needed is unfolded.
    is_open: bool,
    /// What went wrong last.
    fault: Option<Fault>,
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
    // What a word is said about is seen, once.
    if draft.fault != run.fault {
        draft.fault.clone_from(&run.fault);
        draft.is_open |= run.fault.is_some() && options::checked(&run.form).is_err();
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
    if fold(ui, "More", &options::summary(&draft.form), draft.is_open).clicked() {
        draft.is_open = !draft.is_open;
    }
    if draft.is_open {
        ui.add_space(6.0);
        more(ui, draft);
    }
}

/// What is seldom needed.
fn more(ui: &mut Ui, draft: &mut Draft) {
    let form = &mut draft.form;
    widgets::caption(ui, "How events come in");
    field(ui, "Listens at", crate::app::run::LISTEN, &mut form.listen);
    small(ui, "Where shops and sites post events. Beyond this machine they need a secret");
    let options = &mut form.options;
    field(ui, "File with the secret", "/etc/flowloom/secret", &mut options.secret_file);
    small(ui, "A long random line: whoever sends events shows it. What the shops sign with stands there, too");
    field(ui, "Folder that is watched", "events/", &mut options.watch);
    small(ui, "Its .jsonl and .json files are taken in, and move to done/ or failed/ in it");
    field(ui, "File for webhooks of other systems", "hooks.ron", &mut options.mapping);
    small(ui, "Says how their bodies are read. Those of Klaviyo and Shopify are known");
    ui.add_space(6.0);
    widgets::caption(ui, "Text messages and calls");
    field(ui, "Text messages are posted to", "https://sms.example/send", &mut options.sms);
    lines(ui, "Headers of text messages", "Authorization: Bearer ${TOKEN}", &mut options.sms_headers);
    small(ui, "Without an address they become files beside the mails, or are held where a mail server sends");
    field(ui, "File with what flows call ${NAME}", "/etc/flowloom/names", &mut options.flow_secrets);
    small(ui, "Lines of NAME=value, such as TOKEN=abc: no secret needs to be typed here");
    if !draft.by_server {
        widgets::checkbox(ui, &mut options.calls, "Call webhooks for real, although mails become files");
    }
    ui.add_space(6.0);
    widgets::caption(ui, "What mails tell");
    widgets::checkbox(ui, &mut options.track_opens, "A picture tells that a mail was opened");
    widgets::checkbox(ui, &mut options.track_clicks, "Links lead by way of the engine, which sees clicks");
    small(ui, "Many countries want people to be asked first");
    ui.add_space(6.0);
    widgets::caption(ui, "For demonstrations");
    field(ui, "Time passes so many times as fast", "1", &mut form.time_scale);
    small(ui, "3600 makes an hour of a second");
}

/// A line that unfolds what lies below it, with what is set there while it is folded.
fn fold(ui: &mut Ui, title: &str, summary: &str, is_open: bool) -> Response {
    let palette = Palette::get(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::click());
    // The top bar has a button of the same word.
    let name = format!("{title} for the engine");
    let name = if summary.is_empty() { name } else { format!("{name}: {summary}") };
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, is_open, &name));
    let ink = if response.hovered() || response.has_focus() { palette.accent } else { palette.text };
    let caret = if is_open { "caret-down" } else { "caret-right" };
    let cells = bottom::cells(rect, &[("", 18.0), ("", 48.0), ("", 1.0)]);
    let left = egui::Align2::LEFT_CENTER;
    ui.painter().text(cells[0].left_center(), left, icons::glyph(caret), theme::icon(12.0), ink);
    bottom::text(ui.painter(), cells[1], title, theme::medium(13.0), ink);
    if !is_open {
        let usual = "Where it listens, secrets, text messages, tracking";
        let words = if summary.is_empty() { usual } else { summary };
        bottom::text(ui.painter(), cells[2], words, theme::regular(12.0), palette.weak);
    }
    response
}

/// Words below a field.
fn small(ui: &mut Ui, words: &str) {
    let palette = Palette::get(ui);
    ui.add(Label::new(RichText::new(words).font(theme::regular(11.5)).color(palette.weak)).wrap());
    ui.add_space(6.0);
}

/// A caption with a field of some lines below it.
fn lines(ui: &mut Ui, name: &str, hint: &str, text: &mut String) {
    captioned(ui, name, TextEdit::multiline(text).desired_rows(1).hint_text(hint));
}

/// A caption with a field below it.
fn field(ui: &mut Ui, name: &str, hint: &str, text: &mut String) {
    captioned(ui, name, TextEdit::singleline(text).hint_text(hint));
}

fn captioned(ui: &mut Ui, name: &str, field: TextEdit<'_>) {
    let caption = ui.label(RichText::new(name).font(theme::medium(12.5)));
    let field = ui.add(field.desired_width(f32::INFINITY).margin(Margin::symmetric(10, 6)));
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
