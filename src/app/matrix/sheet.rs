//! The matrix in the window: made while its page is open, searched, filtered, and a click away from each mail.
//!
//! The one idea: a [`Sheet`] is made once by a job and never changed; what is looked at in it is a [`Look`], and the
//! rows that it finds are places in the sheet. Deliberately not here: making mails, anything drawn.

use std::{collections::BTreeMap, sync::Arc};

use smol_str::SmolStr;

use super::{Cancelled, Matrix, Plan, Row, State, html};
use crate::{
    app::{
        App, Command, Document, Home, Request,
        files::{Task, TextFile},
        jobs::{Kind, Work},
        mails::{self, Part},
        pages::PageKind,
        stage,
    },
    base::{ContactId, Diagnostic, Instant, NodeId, Severity},
    content::TagState,
    flow::Flow,
};

/// Most mails that the window shows; the first contacts of the audience are taken. Source: assumption; a row is about
/// a kilobyte, and `flowloom matrix` makes all.
const MOST_MAILS: usize = 50_000;

/// The matrix with what its page needs besides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sheet {
    /// The matrix.
    pub matrix: Matrix,
    /// What each contact in it is called.
    pub names: BTreeMap<ContactId, String>,
    /// Contacts of the audience; more than there are names where not all fit.
    pub num_all: usize,
}

/// Which rows are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// Mails that would be held, or with an error or a warning.
    Problems,
    /// Mails with a tag that has neither value nor fallback.
    Missing,
}

/// One mail of the matrix.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// The step that sends it.
    pub node: NodeId,
    /// The version.
    pub variant: SmolStr,
    /// For whom.
    pub contact: ContactId,
}

impl Key {
    /// Of a row.
    pub fn of(row: &Row) -> Self {
        Self { node: row.node.clone(), variant: row.variant.clone(), contact: row.contact.clone() }
    }

    /// Whether it is that row's.
    pub fn is(&self, row: &Row) -> bool {
        self.node == row.node && self.variant == row.variant && self.contact == row.contact
    }
}

/// What is looked at in the matrix; view, never saved.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Look {
    /// Words that are searched for.
    pub search: String,
    /// The step whose mails are shown; all where left out.
    pub node: Option<NodeId>,
    /// Which rows.
    pub filter: Filter,
    /// The chosen row.
    pub chosen: Option<Key>,
}

/// How the matrix is written to a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SavedAs {
    /// The client's page.
    Html,
    /// For other programs.
    Json,
}

/// What the page asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// Search these words.
    Search(String),
    /// Show the mails of a step, or all.
    ShowNode(Option<NodeId>),
    /// Show such rows.
    SetFilter(Filter),
    /// Choose a row.
    Choose(Key),
    /// Show a mail on its page, at this part of it.
    OpenMail(Key, Option<Part>),
    /// Show the client's page in the browser.
    OpenInBrowser,
    /// Put the matrix on the clipboard as JSON.
    CopyJson,
    /// Write it to a file.
    SaveAs(SavedAs),
}

impl From<Act> for Command {
    fn from(act: Act) -> Self {
        Self::Matrix(act)
    }
}

/// Does it; called by [`App::apply`] alone.
pub(in crate::app) fn apply(app: &mut App, act: Act, now: Instant) -> Vec<Request> {
    let Some(document) = app.document_mut() else { return Vec::new() };
    match on_document(document, act) {
        Ok(requests) => requests,
        Err(refused) => {
            app.tell(refused, true, now);
            Vec::new()
        }
    }
}

fn on_document(document: &mut Document, act: Act) -> Result<Vec<Request>, String> {
    let look = &mut document.view.matrix;
    match act {
        Act::Search(words) => look.search = words,
        Act::ShowNode(node) => look.node = node,
        Act::SetFilter(filter) => look.filter = filter,
        Act::Choose(key) => look.chosen = Some(key),
        Act::OpenMail(key, part) => open_mail(document, key, part)?,
        Act::OpenInBrowser => {
            let name = format!("{}-matrix.html", document.flow().id);
            return Ok(vec![Request::OpenInBrowser { name, html: page(document)? }]);
        }
        Act::SaveAs(how) => {
            let (ending, text) = match how {
                SavedAs::Html => ("html", page(document)?),
                SavedAs::Json => ("json", json(&current(document)?.matrix, &document.flow().id)?),
            };
            let suggested = format!("{}-matrix.{ending}", document.flow().id);
            let file = TextFile { what: "matrix", ending, bytes: Arc::from(text.into_bytes()) };
            return Ok(vec![Request::Files(Task::AskText { file, suggested })]);
        }
        Act::CopyJson => {
            let sheet = current(document)?;
            return Ok(vec![Request::CopyText(json(&sheet.matrix, &document.flow().id)?)]);
        }
    }
    Ok(Vec::new())
}

/// The client's page of the flow as it is now.
fn page(document: &Document) -> Result<String, String> {
    let brand = &document.home.workspace.brand.name;
    Ok(html::page(&current(document)?.matrix, document.title(), brand))
}

/// The matrix of the flow as it is now; what leaves the window is never an older one.
fn current(document: &Document) -> Result<Arc<Sheet>, String> {
    let made = document.derived.matrix.as_ref().filter(|made| made.revision == document.history.revision());
    made.map(|made| Arc::clone(&made.value)).ok_or_else(|| "The matrix is still being made: wait a moment".to_owned())
}

/// The mail of a row, for its contact, at the instant and by the entry that the matrix took.
fn open_mail(document: &mut Document, key: Key, part: Option<Part>) -> Result<(), String> {
    let made = document.derived.matrix.as_ref().map(|made| Arc::clone(&made.value));
    let made = made.ok_or("The matrix is still being made: wait a moment")?;
    let row = made.matrix.rows.iter().find(|row| key.is(row)).ok_or("This row is gone")?;
    if stage::contact(&document.home, &row.contact).is_none() {
        return Err("This contact is gone".to_owned());
    }
    mails::open(document, row.node.clone())?;
    document.choose_contact(Some(row.contact.clone()));
    let view = &mut document.view;
    view.event = row.event.clone();
    view.at = Some(made.matrix.at);
    view.clock = None;
    view.playing = false;
    view.mail.variant = Some(row.variant.clone()).filter(|_| !row.dealt);
    view.mail.other = None;
    view.mail.part = part.unwrap_or(view.mail.part);
    view.matrix.chosen = Some(key);
    Ok(())
}

/// Makes it; `keeps_on` is told how much is done (0..=1) and ends it by saying no.
pub(in crate::app) fn make(flow: &Flow, home: &Home, keeps_on: &mut dyn FnMut(f32) -> bool) -> Option<Sheet> {
    let at = stage::newest(home).unwrap_or(Instant::from_millis(0));
    let plan = Plan::with_at_most(flow, &home.workspace, &home.audience, at, MOST_MAILS);
    let names = plan.people.iter().map(|person| (person.contact.id.clone(), stage::name(person.contact))).collect();
    let all = plan.num_mails().max(1) as f32;
    match super::matrix(plan, &mut |done| keeps_on(done as f32 / all)) {
        Ok(matrix) => Some(Sheet { matrix, names, num_all: home.audience.contacts.len() }),
        Err(Cancelled) => None,
    }
}

/// Whether the page is open on which it is shown.
pub(in crate::app) fn is_shown(document: &Document) -> bool {
    document.view.page == Some(PageKind::Matrix)
}

/// The job that makes it, where it is looked at and older than the flow.
pub(in crate::app) fn wanted(document: &Document) -> Option<Work> {
    let made = document.derived.matrix.as_ref().map(|made| made.revision);
    let is_free = !document.is_under_way(Kind::Matrix) && !document.is_given_up(Kind::Matrix);
    let has_people = !document.home.audience.contacts.is_empty();
    let wants = is_shown(document) && has_people && is_free && made != Some(document.history.revision());
    wants.then(|| Work::Matrix { flow: Box::new(document.flow().clone()), home: Arc::clone(&document.home) })
}

/// What the row's worst finding is.
pub fn worst(row: &Row) -> Option<&Diagnostic> {
    row.lints.iter().min_by_key(|found| found.severity)
}

/// Whether a mail would be held, or has an error or a warning.
pub fn is_problem(row: &Row) -> bool {
    row.state != State::Complete || row.lints.iter().any(|found| found.severity != Severity::Hint)
}

/// The tags of a row in a state, as a cell shows them.
pub fn tags(row: &Row, state: TagState) -> String {
    let own = row.tags.iter().filter(|tag| tag.state == state).map(|tag| tag.name.as_str());
    own.collect::<Vec<_>>().join(", ")
}

/// How many blocks of a mail are hidden from its contact.
pub fn hidden(row: &Row) -> usize {
    row.blocks.iter().filter(|block| !block.shown).count()
}

impl Sheet {
    /// What people call the step of a row.
    pub fn title<'a>(&'a self, node: &'a NodeId) -> &'a str {
        let summary = self.matrix.summary.iter().find(|summary| summary.node == *node);
        summary.map_or(node.as_str(), |summary| &summary.title)
    }

    /// What the contact of a row is called.
    pub fn name<'a>(&'a self, contact: &'a ContactId) -> &'a str {
        self.names.get(contact).map_or(contact.as_str(), String::as_str)
    }

    /// Steps in the matrix with their titles, each once, in the order of the flow.
    pub fn senders(&self) -> Vec<(NodeId, String)> {
        let mut out: Vec<(NodeId, String)> = Vec::new();
        for summary in &self.matrix.summary {
            if out.iter().all(|(node, _)| *node != summary.node) {
                out.push((summary.node.clone(), summary.title.clone()));
            }
        }
        out
    }

    /// Places of the rows that are looked at, worst first: every word that is searched for stands in step, contact,
    /// subject, tags or findings.
    pub fn found(&self, look: &Look) -> Vec<usize> {
        let words: Vec<String> = look.search.split_whitespace().map(str::to_lowercase).collect();
        let fits = |row: &Row| {
            let is_of = look.node.as_ref().is_none_or(|node| *node == row.node);
            let is_such = match look.filter {
                Filter::All => true,
                Filter::Problems => is_problem(row),
                Filter::Missing => row.count(TagState::Missing) > 0,
            };
            is_of && is_such && (words.is_empty() || self.has_words(row, &words))
        };
        self.matrix.rows.iter().enumerate().filter(|(_, row)| fits(row)).map(|(at, _)| at).collect()
    }

    fn has_words(&self, row: &Row, words: &[String]) -> bool {
        let mut all = format!(
            "{} {} {} {} {} {}",
            self.title(&row.node),
            row.node,
            row.variant,
            self.name(&row.contact),
            row.contact,
            row.subject
        );
        let tags = row.tags.iter().filter(|tag| tag.state != TagState::Value).map(|tag| tag.name.as_str());
        let found = row.lints.iter().flat_map(|found| [&*found.code, found.message.as_str()]);
        for word in tags.chain(found) {
            all.push(' ');
            all.push_str(word);
        }
        let all = all.to_lowercase();
        words.iter().all(|word| all.contains(word.as_str()))
    }

    /// All of it in a sentence, of the versions that contacts are dealt: "3 mails × 64 contacts: 2 would be held, 14
    /// use a fallback". `number` writes a number.
    pub fn sentence(&self, number: &dyn Fn(usize) -> String) -> String {
        let (num_mails, num_versions) = (self.senders().len(), self.matrix.summary.len());
        let people = self.names.len();
        let counted = |n: usize, one: &str, many: &str| format!("{} {}", number(n), if n == 1 { one } else { many });
        let dealt = || self.matrix.rows.iter().filter(|row| row.dealt);
        let held = dealt().filter(|row| row.state != State::Complete).count();
        let fallback = dealt().filter(|row| row.count(TagState::Fallback) > 0).count();
        let mut out = counted(num_mails, "mail", "mails");
        if num_versions > num_mails {
            out = format!("{out} in {}", counted(num_versions, "version", "versions"));
        }
        out = format!("{out} \u{d7} {}: ", counted(people, "contact", "contacts"));
        out += &match held {
            0 => "none would be held".to_owned(),
            held => format!("{} would be held", number(held)),
        };
        if fallback > 0 {
            out += &format!(", {}", counted(fallback, "uses a fallback", "use a fallback"));
        }
        if !self.matrix.faults.is_empty() {
            out += &format!(", {} cannot be made at all", counted(self.matrix.faults.len(), "version", "versions"));
        }
        if people < self.num_all {
            out += &format!("; the first of {} contacts", number(self.num_all));
        }
        out
    }
}

/// The matrix as one JSON object, as `flowloom matrix` prints it.
///
/// Errors: a sentence, where it cannot be written.
pub fn json(matrix: &Matrix, flow: &impl serde::Serialize) -> Result<String, String> {
    let json = serde_json::json!({
        "schema": "flowloom/matrix/1",
        "flow": flow,
        "at": matrix.at,
        "summary": matrix.summary,
        "faults": matrix.faults,
        "rows": matrix.rows,
    });
    let text = serde_json::to_string_pretty(&json);
    Ok(text.map_err(|error| format!("The matrix cannot be written as JSON: {error}"))? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{
        CommandId,
        files::{self, Choice, Dialog, Purpose, Told},
        fixture,
    };

    fn sheet(app: &App) -> Arc<Sheet> {
        Arc::clone(&fixture::document(app).derived.matrix.as_ref().expect("made").value)
    }

    #[test]
    fn it_is_made_while_its_page_is_open() {
        let mut app = fixture::studio();
        assert!(fixture::document(&app).derived.matrix.is_none());
        fixture::run(&mut app, CommandId::PageMatrix);
        let made = sheet(&app);
        assert_eq!(made.matrix.rows.len(), made.matrix.summary.len() * fixture::NUM_CONTACTS);
        // On another page it stays as it is, and is made again for whoever comes back.
        fixture::run(&mut app, CommandId::PageTags);
        let edit = crate::flow::Edit::SetTitle { id: "mail-1".into(), title: "Anew".to_owned() };
        fixture::run(&mut app, Command::Edit { label: "Rename".to_owned(), edits: vec![edit], merge: None });
        assert!(Arc::ptr_eq(&made, &sheet(&app)));
        fixture::run(&mut app, CommandId::PageMatrix);
        assert_eq!(sheet(&app).title(&"mail-1".into()), "Anew");
    }

    #[test]
    fn rows_are_found_by_words_step_and_state() {
        let mut app = fixture::studio();
        fixture::run(&mut app, CommandId::PageMatrix);
        let made = sheet(&app);
        let num = |look: Look| made.found(&look).len();
        let (people, all) = (fixture::NUM_CONTACTS, made.matrix.rows.len());
        assert_eq!(num(Look::default()), all);
        assert!(num(Look { node: Some("mail-1".into()), ..Look::default() }) < all);
        assert!(num(Look { search: "AN nguy".to_owned(), ..Look::default() }) < people);
        assert_eq!(num(Look { search: "nobody at all".to_owned(), ..Look::default() }), 0);
        let missing = made.found(&Look { filter: Filter::Missing, ..Look::default() });
        assert!(missing.iter().all(|at| made.matrix.rows[*at].count(TagState::Missing) > 0));
        let problems = num(Look { filter: Filter::Problems, ..Look::default() });
        assert!(problems >= missing.len() && problems <= all);
        let said = made.sentence(&|n| n.to_string());
        assert!(said.starts_with("3 mails") && said.contains("\u{d7} 16 contacts: "), "{said}");
    }

    #[test]
    fn a_row_opens_its_mail() {
        let mut app = fixture::studio();
        fixture::run(&mut app, CommandId::PageMatrix);
        let made = sheet(&app);
        let row = made.matrix.rows.iter().find(|row| row.contact.as_str() == "an").expect("a row");
        fixture::run(&mut app, Act::OpenMail(Key::of(row), Some(Part::Tags)));
        let document = fixture::document(&app);
        assert_eq!((document.view.page, document.view.mail.part), (Some(PageKind::Mails), Part::Tags));
        assert_eq!((document.view.contact.as_ref(), document.selected()), (Some(&row.contact), Some(&row.node)));
        let mail =
            mails::made(document, mails::Pane::First).and_then(|made| made.result.as_ref().ok()).expect("a mail");
        assert_eq!((&mail.mail.subject, &mail.mail.tags), (&row.subject, &row.tags), "the very mail of the row");
        assert_eq!(mail.variant, row.variant);
        let gone = Key { contact: "nobody".into(), ..Key::of(row) };
        fixture::run(&mut app, Act::OpenMail(gone, None));
        assert_eq!(app.toasts.last().map(|toast| toast.text.as_str()), Some("This row is gone"));
    }

    #[test]
    fn it_leaves_as_a_page_and_as_json() {
        let mut app = fixture::studio();
        let asked = fixture::run(&mut app, Act::CopyJson);
        assert!(asked.is_empty() && app.toasts.iter().any(|toast| toast.is_error), "there is none yet");
        fixture::run(&mut app, CommandId::PageMatrix);
        let asked = fixture::run(&mut app, Act::CopyJson);
        let [Request::CopyText(text)] = asked.as_slice() else { panic!("{asked:?}") };
        let json: serde_json::Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(json["rows"].as_array().map(Vec::len), Some(sheet(&app).matrix.rows.len()));
        let asked = fixture::run(&mut app, Act::OpenInBrowser);
        let [Request::OpenInBrowser { name, html }] = asked.as_slice() else { panic!("{asked:?}") };
        assert!(name.ends_with("-matrix.html") && html.starts_with("<!doctype html>"), "{name}");
    }

    #[test]
    fn it_is_saved_where_the_user_says() {
        let mut app = fixture::studio();
        let asked = fixture::run(&mut app, Act::SaveAs(SavedAs::Html));
        assert!(asked.is_empty() && app.toasts.iter().any(|toast| toast.is_error), "there is none yet");
        fixture::run(&mut app, CommandId::PageMatrix);
        for (how, name, begins) in [
            (SavedAs::Html, "watch-shop-matrix.html", "<!doctype html>"),
            (SavedAs::Json, "watch-shop-matrix.json", "{"),
        ] {
            let mut asked = fixture::run(&mut app, Act::SaveAs(how));
            let Some(Request::Files(Task::AskText { file, suggested })) = asked.pop() else { panic!("{asked:?}") };
            assert_eq!(suggested, name);
            assert!(file.bytes.starts_with(begins.as_bytes()) && suggested.ends_with(file.ending), "{suggested}");
            // Without a dialog of the system ours asks, and once more before it writes over something.
            let told = Told::NoDialog { purpose: Purpose::Text(file.clone()), suggested, folder: "/out".into() };
            fixture::run(&mut app, Command::Answer(told.into()));
            let listed = Told::Listed {
                folder: "/out".into(),
                entries: vec![("old.html".into(), false), ("old.json".into(), false)],
            };
            fixture::run(&mut app, Command::Answer(listed.into()));
            let choose = |name: &str| Command::Files(files::Act::Choose(Choice::Path(name.to_owned())));
            assert!(fixture::run(&mut app, choose("old")).is_empty());
            assert!(matches!(&app.files.dialogs[..], [Dialog::Path(dialog)] if !dialog.fault.is_empty()));
            let asked = fixture::run(&mut app, choose("new"));
            let [Request::Files(Task::WriteText { path, file: written })] = asked.as_slice() else {
                panic!("{asked:?}")
            };
            assert_eq!((path.display().to_string(), written), (format!("/out/new.{}", file.ending), &file));
            assert!(app.files.dialogs.is_empty());
        }
    }
}
