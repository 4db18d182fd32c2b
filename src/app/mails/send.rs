//! Sending the shown mail to oneself: what is sent, what is remembered, what is said afterwards.
//!
//! The one idea: the very mail of the preview goes out, as a job of its document. Address and way are remembered among
//! the settings, a password never is. Deliberately not here: sending, which is the window's to do (`post`).

use std::{path::Path, sync::Arc};

use crate::{
    app::{
        App, Document, DocumentId, Request,
        files::Page,
        jobs::{Kind, Work},
        stage::{self, Made},
    },
    base::{ContactId, FlowId, Instant, NodeId},
    flow::Sender,
};

/// The dialog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SendTest {
    /// Whose mail is sent.
    pub document: DocumentId,
    /// What went wrong last, with a way out; empty where nothing did.
    pub fault: String,
}

/// A mail to send, by somebody who has a network and a disk.
#[derive(Clone, Debug)]
pub struct TestJob {
    /// The mail.
    pub made: Arc<Made>,
    /// Who it is from.
    pub sender: Option<Sender>,
    /// Of which flow.
    pub flow: FlowId,
    /// Of which step.
    pub node: NodeId,
    /// As who would get it.
    pub contact: ContactId,
    /// The address that it goes to.
    pub to: String,
    /// A mail server, or a folder.
    pub by: String,
}

/// Opens the dialog for the shown document.
pub(in crate::app) fn open(app: &mut App) {
    if let Some(document) = app.document().map(|document| document.id) {
        app.send_test = Some(SendTest { document, fault: String::new() });
        app.files.page = Some(Page::SendTest);
    }
}

/// The mail that would be sent: that of the first pane, as it is now.
///
/// Errors: why there is none, for a tooltip.
pub fn ready(document: &Document) -> Result<(&Arc<Made>, NodeId, ContactId), &'static str> {
    let key = document.preview_key();
    let node = key.node.clone().ok_or("Select a step that sends a mail")?;
    let contact = key.contact.clone().ok_or("Choose a contact")?;
    let stamped = document.derived.preview.as_ref();
    let current = stamped.filter(|made| made.revision == document.history.revision() && made.value.key == key);
    let made = current.ok_or("The mail is being made")?.value.result.as_ref();
    let made = made.map_err(|_| "This mail cannot be made; its preview says why")?;
    if made.mail.html.is_empty() {
        return Err("A text message is no e-mail");
    }
    Ok((made, node, contact))
}

/// Whether a mail of the document is on its way.
pub fn is_sending(document: &Document) -> bool {
    document.is_under_way(Kind::SendTest)
}

/// Begins to send.
pub(super) fn send(app: &mut App, to: String, by: String, now: Instant) -> Vec<Request> {
    match begin(app, to.trim(), by.trim(), now) {
        Ok(requests) => requests,
        Err(fault) => {
            match &mut app.send_test {
                Some(dialog) => dialog.fault = fault,
                None => app.tell(fault, true, now),
            }
            Vec::new()
        }
    }
}

fn begin(app: &mut App, to: &str, by: &str, now: Instant) -> Result<Vec<Request>, String> {
    let Some(dialog) = &mut app.send_test else { return Ok(Vec::new()) };
    dialog.fault.clear();
    let id = dialog.document;
    if to.is_empty() {
        return Err("Type the address that it goes to".to_owned());
    }
    if by.is_empty() {
        return Err("Type the address of a mail server, or a folder for a file".to_owned());
    }
    if !by.contains("://") && !Path::new(by).is_absolute() {
        return Err("Type the whole path of the folder, or the server as smtp://host:587".to_owned());
    }
    let Some(document) = app.by_id(id) else { return Err("The flow was closed".to_owned()) };
    if is_sending(document) {
        return Err("A test is on its way already".to_owned());
    }
    let (made, node, contact) = ready(document)?;
    let flow = document.flow();
    let sender = stage::sender(flow, &document.home.workspace, flow.node(node.as_str()).map(|node| &**node));
    let (made, flow) = (Arc::clone(made), flow.id.clone());
    let job = TestJob { made, sender, flow, node, contact, to: to.to_owned(), by: by.to_owned() };
    let job = document.begin(Work::SendTest(Box::new(job)), now);
    app.preferences.test_to = to.to_owned();
    app.preferences.test_by = without_password(by);
    Ok(vec![Request::Start(job)])
}

/// What came of it. Whoever closed dialog or flow, or cancelled it, is told all the same: a mail that has left has
/// left.
pub(in crate::app) fn sent(app: &mut App, document: DocumentId, result: Result<String, String>, now: Instant) {
    let is_open = app.files.page == Some(Page::SendTest);
    let dialog = app.send_test.as_mut().filter(|dialog| is_open && dialog.document == document);
    match (result, dialog) {
        (Err(fault), Some(dialog)) => dialog.fault = fault,
        (Err(fault), None) => app.tell(fault, true, now),
        (Ok(said), dialog) => {
            if dialog.is_some() {
                app.files.page = None;
                app.send_test = None;
            }
            app.tell(said, false, now);
        }
    }
}

/// The address of a server as it may be kept: without its password. Anything else stays as it is.
fn without_password(by: &str) -> String {
    let parts = || {
        let (scheme, rest) = by.split_once("://")?;
        let (user, host) = rest.rsplit_once('@')?;
        let (user, _) = user.split_once(':')?;
        Some(format!("{scheme}://{user}@{host}"))
    };
    parts().unwrap_or_else(|| by.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Answer, Command, CommandId, Done, JobDone, files::Task, fixture, mails::Act};

    /// A studio with the dialog open for the first mail.
    fn opened() -> App {
        let mut app = fixture::studio();
        fixture::run(&mut app, Command::GoTo("mail-1".into()));
        fixture::run(&mut app, CommandId::SendTest);
        assert_eq!(app.files.page, Some(Page::SendTest));
        app
    }

    /// Asks for a mail to be sent, and does not send it.
    fn asked(app: &mut App, to: &str, by: &str) -> Vec<Request> {
        app.apply(Act::SendTest { to: to.to_owned(), by: by.to_owned() }.into(), fixture::now())
    }

    fn fault(app: &App) -> &str {
        app.send_test.as_ref().map_or("closed", |dialog| &dialog.fault)
    }

    #[test]
    fn what_is_missing_is_said_in_the_dialog() {
        let mut app = opened();
        for (to, by, expected) in [
            ("", "smtp://h", "Type the address that it goes to"),
            ("me@x.example", " ", "Type the address of a mail server"),
            ("me@x.example", "outbox", "Type the whole path"),
        ] {
            assert!(asked(&mut app, to, by).is_empty());
            assert!(fault(&app).starts_with(expected), "{}", fault(&app));
        }
        // Nothing was sent, so nothing is remembered.
        assert_eq!(app.preferences.test_to, "");
        fixture::run(&mut app, CommandId::SelectNone);
        fixture::run(&mut app, CommandId::SelectNone);
        fixture::run(&mut app, CommandId::SendTest);
        assert_eq!(app.files.page, None);
        assert!(app.toasts.iter().any(|toast| toast.text.starts_with("Select a step that sends")), "{:?}", app.toasts);
    }

    #[test]
    fn the_shown_mail_is_sent_once_and_the_password_is_not_kept() {
        let mut app = opened();
        let requests = asked(&mut app, " me@x.example ", "smtp://ada:secret@mail.example:587");
        let mut job = None;
        for request in requests {
            match request {
                Request::Start(started) if started.work.kind() == Kind::SendTest => job = Some(started),
                Request::Files(Task::Prefer(kept)) => {
                    assert_eq!((&*kept.test_to, &*kept.test_by), ("me@x.example", "smtp://ada@mail.example:587"));
                    assert!(!kept.write("").contains("secret"));
                }
                other => panic!("{other:?}"),
            }
        }
        let job = job.expect("a job");
        let Work::SendTest(test) = &job.work else { panic!("{job:?}") };
        let shown = fixture::document(&app).derived.preview.as_ref().expect("made");
        assert!(Arc::ptr_eq(&test.made, shown.value.result.as_ref().expect("a mail")));
        assert_eq!((test.node.as_str(), &*test.by), ("mail-1", "smtp://ada:secret@mail.example:587"));
        assert_eq!(test.sender.as_ref().map(|sender| &*sender.email), Some("hello@meridian-watches.example"));
        assert!(asked(&mut app, "me@x.example", "/out").is_empty(), "one at a time");
        assert_eq!(fault(&app), "A test is on its way already");
        // Without a network it says so, and the dialog stays.
        fixture::run(&mut app, Command::Answer(Answer::Done(job.run())));
        assert!(fault(&app).contains("sends nothing"), "{}", fault(&app));
        assert!(!is_sending(fixture::document(&app)));
    }

    #[test]
    fn whoever_closed_the_dialog_is_told_all_the_same() {
        let mut app = opened();
        let document = fixture::document(&app).id;
        let done = |id, result: Result<&str, &str>| {
            let result = result.map(str::to_owned).map_err(str::to_owned);
            Command::Answer(Answer::Done(Done { document, id, revision: 1, result: Some(JobDone::Tested(result)) }))
        };
        fixture::run(&mut app, CommandId::SelectNone);
        assert_eq!(app.files.page, None);
        fixture::run(&mut app, done(900, Err("No network\nTry again")));
        fixture::run(&mut app, done(901, Ok("Sent it")));
        let said: Vec<_> = app.toasts.iter().map(|toast| (toast.text.as_str(), toast.is_error)).collect();
        assert!(said.ends_with(&[("No network\nTry again", true), ("Sent it", false)]), "{said:?}");
    }

    #[test]
    fn passwords_are_left_out() {
        for (by, expected) in [
            ("smtp://ada:secret@mail.example:587", "smtp://ada@mail.example:587"),
            ("smtps://a%40x.example:se@cret@m.example?tls=required", "smtps://a%40x.example@m.example?tls=required"),
            ("smtp://127.0.0.1:2525", "smtp://127.0.0.1:2525"),
            ("/out/a:b@c", "/out/a:b@c"),
            ("", ""),
        ] {
            assert_eq!(without_password(by), expected);
        }
    }
}
