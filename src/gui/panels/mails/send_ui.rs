//! The dialog that sends the shown mail to the user: to which address, by which server or into which folder.

use egui::{Align, Id, Key, Label, Layout, Margin, Modal, RichText, TextEdit, Ui};

use crate::{
    app::{
        App, Command, Document, DocumentId,
        files::{Act as FilesAct, Page},
        mails::{
            Act,
            send::{self, SendTest},
        },
        stage,
    },
    gui::{
        panels::{Drafts, shortcuts},
        theme::{self, Palette},
        widgets,
    },
    post::PASSWORD,
};

/// What is typed.
#[derive(Debug, Default)]
pub struct Draft {
    to: String,
    by: String,
    /// The document that the words belong to.
    of: Option<DocumentId>,
}

/// Draws it where it is open.
pub fn send_test(ui: &mut Ui, app: &App, drafts: &mut Drafts, out: &mut Vec<Command>) {
    let draft = &mut drafts.send_test;
    let dialog = app.send_test.as_ref().filter(|_| app.files.page == Some(Page::SendTest));
    let of = dialog.and_then(|dialog| Some((dialog, app.documents.iter().find(|d| d.id == dialog.document)?)));
    let Some((dialog, document)) = of else {
        *draft = Draft::default();
        return;
    };
    let is_new = draft.of != Some(document.id);
    if is_new {
        *draft =
            Draft { to: app.preferences.test_to.clone(), by: app.preferences.test_by.clone(), of: Some(document.id) };
    }
    let width = (ui.ctx().content_rect().width() - 88.0).min(460.0);
    let modal = Modal::new(Id::unique("send test")).frame(shortcuts::page_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width(width);
        shortcuts::page_head(ui, "Send a test", out);
        dialog_ui(ui, document, dialog, draft, is_new, out);
    });
    if modal.should_close() && app.files.dialogs.is_empty() {
        out.push(Command::Files(FilesAct::Show(None)));
    }
}

fn dialog_ui(
    ui: &mut Ui,
    document: &Document,
    dialog: &SendTest,
    draft: &mut Draft,
    is_new: bool,
    out: &mut Vec<Command>,
) {
    let palette = Palette::get(ui);
    let ready = send::ready(document);
    if let Ok((made, _, contact)) = &ready {
        let who = stage::contact(&document.home, contact).map_or_else(|| contact.to_string(), stage::name);
        ui.add(Label::new(RichText::new(&made.mail.subject).font(theme::medium(13.5))).truncate());
        let words = format!("As {who} would get it, version {}, with [Test] before the subject", made.variant);
        ui.label(RichText::new(words).color(palette.weak));
    }
    ui.add_space(10.0);
    let to = field(ui, "To", "name@example.com", &mut draft.to);
    let by =
        field(ui, "By mail server or into a folder", "smtp://user@host:587, or the path of a folder", &mut draft.by);
    if is_new {
        // What is known already needs no typing.
        if draft.to.is_empty() { &to } else { &by }.request_focus();
    }
    let words = format!(
        "A password stands behind the user (user:password@host), or in the variable {PASSWORD}; it is not kept. A \
         file there with the same mail is written over."
    );
    ui.label(RichText::new(words).font(theme::regular(11.5)).color(palette.weak));
    if !dialog.fault.is_empty() {
        ui.add_space(6.0);
        ui.label(RichText::new(&dialog.fault).color(palette.error));
    }
    ui.add_space(10.0);
    let is_sending = send::is_sending(document);
    let enter = [&to, &by].iter().any(|field| field.lost_focus()) && ui.input(|i| i.key_pressed(Key::Enter));
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let can = match (&ready, is_sending) {
            (_, true) => Err("It is on its way"),
            (Ok(_), false) => Ok(()),
            (Err(why), false) => Err(*why),
        };
        let button = widgets::primary(ui, "Send", can.is_ok());
        let button = ui.add_enabled(can.is_ok(), button);
        let is_wanted = button.on_disabled_hover_text(can.err().unwrap_or("")).clicked() || enter;
        if is_wanted && can.is_ok() {
            out.push(Act::SendTest { to: draft.to.clone(), by: draft.by.clone() }.into());
        }
        if ui.button("Cancel").clicked() {
            out.push(Command::Files(FilesAct::Show(None)));
        }
        if let Err(why) = can {
            if is_sending {
                ui.spinner();
            }
            ui.add(Label::new(RichText::new(why).color(palette.weak)).truncate());
        }
    });
}

/// A caption with a field below it.
fn field(ui: &mut Ui, name: &str, hint: &str, text: &mut String) -> egui::Response {
    let caption = ui.label(RichText::new(name).font(theme::medium(12.5)));
    let field = TextEdit::singleline(text).hint_text(hint).desired_width(f32::INFINITY);
    let field = ui.add(field.margin(Margin::symmetric(10, 8))).labelled_by(caption.id).accessible_name(name.to_owned());
    ui.add_space(4.0);
    field
}

#[cfg(test)]
mod tests {
    use egui::{Modifiers, vec2};
    use egui_kittest::{Harness, kittest::Queryable as _};

    use super::*;
    use crate::{
        app::{Answer, CommandId, Request, fixture},
        base::Instant,
        gui::{Outside, Studio, requests::Machine},
        testing::smtp,
    };

    /// A world that does jobs at once, with a network.
    #[derive(Default)]
    struct World {
        answers: Vec<Answer>,
    }

    impl Outside for World {
        fn now(&self) -> Instant {
            fixture::now()
        }

        fn perform(&mut self, request: Request, _ctx: &egui::Context) {
            if let Request::Start(job) = request {
                self.answers.push(Answer::Done(job.run_with(&Machine)));
            }
        }

        fn poll(&mut self) -> Vec<Answer> {
            std::mem::take(&mut self.answers)
        }
    }

    fn window() -> Harness<'static, Studio> {
        let mut app = fixture::studio();
        app.theme = crate::app::Theme::Light;
        fixture::run(&mut app, Command::GoTo("mail-1".into()));
        fixture::run(&mut app, CommandId::PageMails);
        let studio = Studio::new(app, Box::new(World::default()));
        let harness = Harness::builder()
            .allow_missing_glyphs()
            .with_size(vec2(1440.0, 900.0))
            .with_context_setup(crate::gui::theme::install);
        let mut harness = harness.build_ui_state(|ui, studio: &mut Studio| studio.root(ui), studio);
        harness.run_steps(4);
        harness
    }

    fn click(window: &mut Harness<'static, Studio>, name: &str) {
        window.get_by_label(name).click();
        window.run_steps(4);
    }

    fn type_into(window: &mut Harness<'static, Studio>, name: &str, text: &str) {
        click(window, name);
        window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        window.run_steps(2);
        window.get_by_label(name).type_text(text);
        window.run_steps(3);
    }

    const BY: &str = "By mail server or into a folder";

    #[test]
    fn a_mail_leaves_the_window_for_one_address() {
        let (port, told) = smtp::server(&[]);
        let mut window = window();
        click(&mut window, "Send test\u{2026}");
        let _ = window.get_by_label("Send a test");
        type_into(&mut window, "To", "me@agency.example");
        type_into(&mut window, BY, &format!("smtp://127.0.0.1:{port}"));
        click(&mut window, "Send");
        window.run_steps(4);
        assert!(window.query_by_label("Send a test").is_none(), "it closes");
        let told = told.join().expect("ends");
        let said = |word: &str| told.iter().filter(|line| line.starts_with(word)).count();
        assert_eq!(
            (said("RCPT TO:<me@agency.example>"), said("RCPT TO"), said("Subject: [Test]")),
            (1, 1, 1),
            "{told:?}"
        );
        let app = &window.state().app;
        assert!(app.toasts.iter().any(|toast| toast.text.starts_with("Sent ") && !toast.is_error), "{:?}", app.toasts);
        assert_eq!(app.preferences.test_to, "me@agency.example");
    }

    #[test]
    fn what_a_server_refuses_stands_in_the_dialog() {
        let (port, told) = smtp::server(&[("RCPT", "550 5.1.1 no such mailbox")]);
        let mut window = window();
        let ctx = window.ctx.clone();
        window.state_mut().command(CommandId::SendTest.into(), &ctx);
        window.run_steps(4);
        type_into(&mut window, "To", "me@agency.example");
        type_into(&mut window, BY, &format!("smtp://127.0.0.1:{port}"));
        window.key_press(Key::Enter);
        window.run_steps(6);
        let _ = window.get_by_label_contains("no such mailbox");
        assert!(told.join().is_ok());
        // Another way from the same dialog: a file.
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("tests");
        type_into(&mut window, BY, &out.display().to_string());
        click(&mut window, "Send");
        window.run_steps(4);
        let files: Vec<_> = std::fs::read_dir(&out).expect("made").flatten().collect();
        assert_eq!(files.len(), 1);
        assert!(window.query_by_label("Send a test").is_none());
        // Open again it knows both.
        click(&mut window, "Send test\u{2026}");
        assert_eq!(window.get_by_label(BY).value().as_deref(), Some(out.display().to_string().as_str()));
        click(&mut window, "Cancel");
        assert!(window.query_by_label("Send a test").is_none());
    }
}
