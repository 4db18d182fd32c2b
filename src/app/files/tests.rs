//! What could be lost, and is not: documents before, commands, documents after, and what was asked of the disk.

use std::path::{Path, PathBuf};

use super::*;
use crate::{
    app::{Answer, App, Command, CommandId, Request, Screen, client::ClientFormat, jobs::Kind},
    base::NodeId,
    flow::{Edit, file},
};

pub(super) const TWO: &str = r#"(version: 2, id: "two", name: "Two", nodes: [
    (id: "a", kind: "trigger", pos: (0, 0), settings: (any: [event(event: "X")])),
    (id: "b", kind: "exit", title: "Over", pos: (0, 312), settings: (reason: "over")),
], edges: [(from: "a", to: "b")])"#;

fn at(millis: i64) -> Instant {
    Instant::from_millis(1_790_000_000_000 + millis)
}

pub(super) fn read(text: &str) -> Box<Loaded> {
    Box::new(file::read(text).expect("a flow"))
}

/// A studio that notes what it asks of the disk.
#[derive(Default)]
pub(super) struct Script {
    pub app: App,
    millis: i64,
    pub asked: Vec<Task>,
    has_quit: bool,
    asks_path: bool,
}

impl Script {
    pub fn with_file() -> Self {
        let mut script = Self::default();
        script.open("/w/two.flow.ron", TWO);
        script.take();
        script
    }

    pub fn open(&mut self, path: &str, text: &str) {
        let opened = Answer::Opened { path: Some(path.into()), loaded: read(text), home: Arc::default() };
        self.run(Command::Answer(opened));
    }

    pub fn run(&mut self, command: impl Into<Command>) -> &mut Self {
        for request in self.app.apply(command.into(), at(self.millis)) {
            match request {
                Request::Files(task) => self.asked.push(task),
                Request::Quit => self.has_quit = true,
                Request::AskSave { .. } => self.asks_path = true,
                _ => {}
            }
        }
        self
    }

    pub fn act(&mut self, act: Act) -> &mut Self {
        self.run(Command::Files(act))
    }

    pub fn told(&mut self, told: Told) -> &mut Self {
        self.run(Command::Answer(told.into()))
    }

    pub fn rename(&mut self, title: &str) -> &mut Self {
        let edit = Edit::SetTitle { id: NodeId::new("b"), title: title.to_owned() };
        self.run(Command::Edit { label: "Rename".to_owned(), edits: vec![edit], merge: None })
    }

    pub fn wait(&mut self, millis: i64) -> &mut Self {
        self.millis += millis;
        self
    }

    pub fn id(&self) -> DocumentId {
        self.app.documents[self.app.active_idx].id
    }

    pub fn take(&mut self) -> Vec<String> {
        let short = |task: &Task| format!("{task:?}").split([' ', '(']).next().unwrap_or("").to_owned();
        std::mem::take(&mut self.asked).iter().map(short).collect()
    }

    /// The disk does what it was asked to save.
    pub fn saved(&mut self) -> &mut Self {
        for task in std::mem::take(&mut self.asked) {
            if let Task::Save { document, path, revision, .. } = task {
                self.run(Command::Answer(Answer::Saved { document, path, revision }));
            }
        }
        self
    }

    fn titles(&self) -> Vec<&str> {
        self.app.documents.iter().map(|document| document.title()).collect()
    }

    pub fn said(&self, word: &str) -> bool {
        self.app.toasts.iter().any(|toast| toast.text.contains(word))
    }
}

pub(super) fn theirs(text: &str) -> Theirs {
    Theirs { loaded: read(text), home: Arc::default() }
}

pub(super) fn over(script: &Script) -> String {
    script.app.documents[0].flow().node("b").expect("b").title.clone()
}

#[test]
fn an_opened_file_is_locked_and_remembered() {
    let mut script = Script::default();
    script.open("/w/two.flow.ron", TWO);
    assert_eq!(script.take(), ["Lock", "Prefer"]);
    assert_eq!(script.app.preferences.recent, ["/w/two.flow.ron"]);
    script.open("/w/two.flow.ron", TWO);
    assert_eq!(script.app.documents.len(), 1, "a file has one tab");
}

#[test]
fn a_draft_is_written_a_second_after_the_last_change_and_ten_after_the_first() {
    let mut script = Script::with_file();
    script.rename("A");
    assert_eq!(wake_at(&script.app), Some(at(1_000)));
    script.wait(999).act(Act::Tick);
    assert!(script.take().is_empty());
    script.wait(1).act(Act::Tick);
    assert_eq!(script.take(), ["Journal"]);
    assert_eq!(wake_at(&script.app), None, "nothing wakes the window any more");
    for n in 0..25 {
        script.wait(500).rename(&n.to_string());
    }
    assert_eq!(script.take(), ["Journal"], "work without a pause is written down too");
    script.wait(1_000).act(Act::Tick);
    assert_eq!(script.take(), ["Journal"]);
}

#[test]
fn a_draft_goes_with_saving_undoing_and_discarding() {
    let mut script = Script::with_file();
    script.rename("A").wait(1_000).act(Act::Tick).take();
    script.run(CommandId::Undo);
    assert_eq!(script.take(), ["Forget"], "back at the file");
    script.run(CommandId::Redo).wait(1_000).act(Act::Tick).take();
    script.run(CommandId::Save).saved();
    assert_eq!(script.take(), ["Forget"]);
    script.rename("B").wait(1_000).act(Act::Tick).take();
    let id = script.id();
    script.act(Act::Close(id)).act(Act::Choose(Choice::Discard));
    assert_eq!(script.take(), ["Forget", "Unlock"]);
    assert_eq!((script.app.documents.len(), script.app.screen), (0, Screen::Gallery));
}

#[test]
fn closing_asks_about_unsaved_changes() {
    let mut script = Script::with_file();
    script.rename("A");
    script.run(CommandId::CloseTab);
    assert!(matches!(script.app.files.dialogs[..], [Dialog::Unsaved { quits: false, .. }]));
    script.act(Act::Choose(Choice::Cancel));
    assert_eq!((script.app.documents.len(), over(&script).as_str()), (1, "A"));
    script.run(CommandId::CloseTab).act(Act::Choose(Choice::Save));
    assert_eq!(script.app.documents.len(), 1, "until it is on the disk");
    script.saved();
    assert!(script.app.documents.is_empty());
}

#[test]
fn what_cannot_be_saved_is_not_closed() {
    let mut script = Script::with_file();
    script.rename("A").run(CommandId::Quit).act(Act::Choose(Choice::Save));
    let document = script.id();
    script.told(Told::NotSaved { document, text: "The disk is full".to_owned() });
    assert!(!script.has_quit && script.said("The disk is full"));
    script.saved();
    assert!(!script.has_quit, "the window was not asked to close again");
}

#[test]
fn the_window_closes_when_everything_is_saved_or_discarded() {
    let mut script = Script::with_file();
    script.open("/w/other.flow.ron", &TWO.replace("two", "other").replace("Two", "Other"));
    script.rename("A").run(CommandId::NextTab).rename("B").take();
    script.run(CommandId::Quit);
    let Some(Dialog::Unsaved { documents, quits: true }) = script.app.files.dialogs.first() else { panic!("asks") };
    assert_eq!(documents.len(), 2);
    script.run(CommandId::Quit);
    assert_eq!(script.app.files.dialogs.len(), 1, "asked once");
    script.act(Act::Choose(Choice::Save));
    assert!(!script.has_quit);
    script.saved();
    assert!(script.has_quit && script.app.files.leaving);
    let mut clean = Script::with_file();
    assert!(clean.run(CommandId::Quit).has_quit);
}

#[test]
fn a_changed_file_is_read_again_or_asked_about() {
    let mut script = Script::with_file();
    script.act(Act::Focused);
    assert_eq!(script.take(), ["Look"]);
    let document = script.id();
    let other = TWO.replace("Over", "Theirs");
    script.told(Told::Changed { document, theirs: theirs(&other), while_saving: false });
    assert_eq!(over(&script), "Theirs");
    assert!(script.app.documents[0].history.is_clean() && script.said("read again"));
    script.run(CommandId::Undo);
    assert_eq!(over(&script), "Over", "and can be undone");

    script.rename("Mine").take();
    let third = TWO.replace("Over", "A third");
    script.told(Told::Changed { document, theirs: theirs(&third), while_saving: true });
    assert_eq!(over(&script), "Mine", "nothing is taken unasked");
    script.act(Act::Choose(Choice::KeepMine));
    assert!(matches!(script.asked[..], [Task::Save { force: true, .. }]));
    script.saved();
    script.rename("Mine again");
    script.told(Told::Changed { document, theirs: theirs(&other), while_saving: false });
    script.act(Act::Choose(Choice::TakeTheirs));
    assert_eq!(over(&script), "Theirs");
    script.run(CommandId::Undo);
    assert_eq!(over(&script), "Mine again", "what was given up is one step away");
}

#[test]
fn a_file_that_is_gone_counts_as_unsaved() {
    let mut script = Script::with_file();
    let document = script.id();
    script.told(Told::Gone(document)).run(CommandId::CloseTab);
    assert!(matches!(script.app.files.dialogs[..], [Dialog::Unsaved { .. }]));
}

#[test]
fn comments_that_a_save_would_drop_are_announced() {
    let mut script = Script::default();
    script.open("/w/two.flow.ron", &TWO.replace("nodes: [", "// why\n nodes: ["));
    script.rename("A").take();
    script.run(CommandId::Save);
    assert!(matches!(&script.app.files.dialogs[..], [Dialog::Comments { message, .. }] if message.contains("comment")));
    assert!(script.take().is_empty());
    script.act(Act::Choose(Choice::Save));
    assert_eq!(script.take(), ["Save"]);
}

#[test]
fn a_read_only_file_says_why() {
    let mut script = Script::with_file();
    let document = script.id();
    script.told(Told::Locked { document, read_only: Some(ReadOnly::OpenElsewhere) });
    script.rename("A").take();
    script.run(CommandId::Save);
    assert!(script.take().is_empty() && script.said("Another window"));
    script.run(CommandId::SaveAs);
    assert!(script.asks_path);
    script.told(Told::Locked { document, read_only: None });
    script.run(CommandId::Save);
    assert_eq!(script.take(), ["Save"]);
    let mut newer = Script::default();
    newer.open("/w/new.flow.ron", &TWO.replace("version: 2", "version: 99"));
    newer.run(CommandId::Save);
    assert!(newer.said("newer version"));
}

#[test]
fn saving_under_another_name_keeps_the_ending_and_moves_the_lock() {
    let mut script = Script::with_file();
    let document = script.id();
    script.run(Command::Answer(Answer::SavePath { document, path: "/x/copy".into() }));
    let [Task::Save { path, .. }] = &script.asked[..] else { panic!("{:?}", script.asked) };
    assert_eq!(path, Path::new("/x/copy.flow.ron"));
    assert_eq!(script.app.documents[0].path.as_deref(), Some(Path::new("/w/two.flow.ron")), "until it is written");
    script.saved();
    assert_eq!(script.app.documents[0].path.as_deref(), Some(Path::new("/x/copy.flow.ron")));
    assert_eq!(script.take(), ["Lock", "Prefer"]);
}

#[test]
fn revert_is_a_step_that_can_be_undone() {
    let mut script = Script::with_file();
    script.rename("A").take();
    script.run(CommandId::Revert);
    assert_eq!(script.take(), ["Reread"]);
    let document = script.id();
    script.told(Told::Reread { document, theirs: theirs(TWO) });
    assert!(script.app.documents[0].history.is_clean());
    script.run(CommandId::Undo);
    assert_eq!(over(&script), "A");
}

#[test]
fn work_of_a_run_that_died_is_given_back_as_unsaved() {
    let mut script = Script::default();
    let draft = Draft { id: "1.2.j".to_owned(), name: "Two".to_owned(), path: None, at: at(0) };
    let preferences = Box::new(Preferences { scale: 1.5, ..Preferences::default() });
    script.told(Told::Started {
        preferences,
        words: vec!["`theme` …".to_owned()],
        drafts: vec![draft.clone()],
        last: None,
    });
    assert!(script.app.preferences.scale == 1.5 && script.said("`theme`"));
    assert!(script.take().is_empty(), "settings that were just read are not written");
    script.act(Act::Restore(draft.id.clone()));
    assert_eq!(script.take(), ["Restore"]);
    let path = PathBuf::from("/w/two.flow.ron");
    let work = read(&TWO.replace("Over", "Unsaved"));
    script.told(Told::Restored {
        id: draft.id,
        path: Some(path),
        sample: None,
        work,
        saved: Some(read(TWO)),
        file_changed: true,
        home: Arc::default(),
        workspace: None,
    });
    assert_eq!(over(&script), "Unsaved");
    assert!(!script.app.documents[0].history.is_clean() && script.app.files.drafts.is_empty());
    assert!(script.said("saving asks"));
    script.wait(1_000).act(Act::Tick);
    assert!(script.take().contains(&"Journal".to_owned()), "it is written down again at once");
    script.told(Told::Restored {
        id: String::new(),
        path: None,
        sample: Some("watch-shop".to_owned()),
        work: read(TWO),
        saved: None,
        file_changed: false,
        home: Arc::default(),
        workspace: None,
    });
    let document = script.app.document().expect("open");
    assert!(!document.history.is_clean() && document.on_disk.sample == Some("watch-shop"));
}

#[test]
fn samples_and_templates_open_as_new_flows() {
    let mut script = Script::default();
    script.act(Act::OpenSample(&samples::SAMPLES[0]));
    let Some(Task::OpenSample { workspace, loaded, .. }) = script.asked.pop() else { panic!("asks") };
    script.told(Told::Sample { workspace, loaded, home: Arc::default() });
    assert_eq!(script.app.document().map(|d| (d.path.clone(), d.history.is_clean())), Some((None, true)));
    script.run(CommandId::Save);
    assert!(script.asks_path);
    let document = script.id();
    script.run(Command::Answer(Answer::SavePath { document, path: "/x/a.flow.ron".into() }));
    let Some(Task::Save { beside, .. }) = script.asked.pop() else { panic!("saves") };
    assert!(beside.iter().any(|(name, _)| name == "flowloom.ron"), "its workspace comes along");
    script.act(Act::NewFrom(&samples::TEMPLATES[0]));
    assert_eq!(script.titles().len(), 2);
}

#[test]
fn what_is_dropped_is_opened_asked_about_or_answered() {
    let mut script = Script::with_file();
    for (path, asked, word) in [
        ("/x/a.flow.ron", &["OpenAny"][..], ""),
        ("/x/shop", &["OpenAny"], ""),
        ("/x/flow.json", &["ReadJson"], ""),
        ("/x/photo.png", &[], "photo.png"),
        ("/x/people.csv", &[], "audience of a workspace"),
    ] {
        script.act(Act::Dropped(path.into()));
        assert_eq!(script.take(), asked, "{path}");
        assert!(word.is_empty() || script.said(word), "{path}");
    }
    script.told(Told::Json { path: "/x/flow.json".into(), text: "{\"a\": 1}".into(), beside: Default::default() });
    assert!(script.said("flow.json: This JSON is no flow"), "{:?}", script.app.toasts);
    let home = Home { folder: Some("/w".into()), ..Home::default() };
    script.app.documents[0].home = Arc::new(home);
    script.act(Act::Dropped("/x/people.csv".into())).act(Act::Choose(Choice::Table("contacts")));
    assert_eq!(script.take(), ["CopyTable"]);
}

#[test]
fn our_own_dialog_asks_before_it_writes_over_a_file() {
    let mut script = Script::with_file();
    let purpose = Purpose::Save { document: script.id() };
    script.told(Told::NoDialog { purpose, suggested: "two.flow.ron".to_owned(), folder: "/x".into() });
    assert_eq!(script.take(), ["List"]);
    script.told(Told::Listed { folder: "/x".into(), entries: vec![("old.flow.ron".to_owned(), false)] });
    script.act(Act::Choose(Choice::Path("old.flow.ron".to_owned())));
    assert!(script.take().is_empty());
    script.act(Act::Choose(Choice::Path("old.flow.ron".to_owned())));
    assert_eq!(script.take(), ["Save"]);
}

#[test]
fn undo_goes_back_several_steps() {
    let mut script = Script::with_file();
    for title in ["A", "B", "C"] {
        script.rename(title);
    }
    script.act(Act::Undo(2));
    assert_eq!(over(&script), "A");
    script.act(Act::Redo(9));
    assert_eq!(over(&script), "C");
}

#[test]
fn the_page_for_handing_over_makes_an_export_and_writes_it() {
    let mut script = Script::with_file();
    script.run(CommandId::Publish);
    let Some(Task::Export { document, id, revision, target, flow, home, .. }) = script.asked.pop() else {
        panic!("asks")
    };
    assert!(script.asked.is_empty());
    let result = crate::platforms::export(target, &flow, &home.workspace).map(Arc::new);
    assert!(result.is_ok());
    script.told(Told::Exported { document, id, revision, target, result });
    assert!(script.take().is_empty(), "it is made once");
    script.act(Act::Publish(PublishAct::Choose));
    assert_eq!(script.take(), ["AskFolder"]);
    script.told(Told::Folder("/out".into()));
    assert_eq!(script.take(), ["WriteFolder"]);
    script.told(Told::NotEmpty("/out".into()));
    let publish = script.app.files.publish.as_ref().expect("the page");
    assert_eq!(publish.not_empty.as_deref(), Some(Path::new("/out")));
    script.act(Act::Publish(PublishAct::Into { folder: "/out".into(), force: true }));
    assert!(matches!(script.asked[..], [Task::WriteFolder { force: true, .. }]));
    script.told(Told::Written("/out".into())).take();
    script.act(Act::Publish(PublishAct::Zip(true)));
    script.act(Act::Publish(PublishAct::Into { folder: "/out".into(), force: false }));
    let asked = script.asked.last();
    assert!(matches!(asked, Some(Task::WriteFolder { zip: Some(name), .. }) if name == "two-klaviyo.zip"));
    script.take();
    script.act(Act::Publish(PublishAct::Target(Target::Hubspot)));
    assert_eq!(script.take(), ["Export"]);
    script.rename("A");
    let publish = script.app.files.publish.as_ref().expect("the page");
    assert!(publish::ready(&script.app.documents[0], publish).is_err(), "an old export is not written");
}

#[test]
fn a_file_for_a_client_is_made_then_asked_about() {
    let mut script = Script::with_file();
    script.run(CommandId::Publish).take();
    script.act(Act::Publish(PublishAct::Client(ClientFormat::Svg)));
    script.act(Act::Publish(PublishAct::MakeForClient));
    script.act(Act::Publish(PublishAct::MakeForClient));
    let asked: Vec<Task> = std::mem::take(&mut script.asked);
    let [Task::Client { document, id, format, flow, home, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    let (document, id, format) = (*document, *id, *format);
    let bytes = crate::report::diagram::mermaid(flow, &home.workspace).into_bytes();
    let told = |id, result| Told::Client { document, id, format, result };
    script.told(told(id + 7, Some(Ok(bytes.clone().into()))));
    assert!(script.take().is_empty(), "another job's answer is not taken");
    script.told(told(id, Some(Ok(bytes.into()))));
    assert!(
        matches!(&script.asked[..], [Task::AskText { suggested, .. }] if suggested == "two.svg"),
        "{:?}",
        script.asked
    );
    script.take();
    script.act(Act::Publish(PublishAct::MakeForClient));
    script.act(Act::CancelJob(document, Kind::Client));
    let Some(Task::Client { progress, .. }) = script.asked.last() else { panic!("{:?}", script.asked) };
    assert!(progress.is_cancelled());
    let publish = script.app.files.publish.as_ref().expect("the page");
    assert!(publish.running_for_client().is_none());
}

#[test]
fn settings_are_written_when_they_change() {
    let mut script = Script::default();
    script.run(CommandId::ToggleTheme);
    assert_eq!(script.take(), ["Prefer"]);
    let preferences = Preferences { scale: 1.25, ..script.app.preferences.clone() };
    script.act(Act::Prefer(Box::new(preferences)));
    assert_eq!(script.take(), ["Prefer"]);
    script.act(Act::Tick);
    assert!(script.take().is_empty());
}

#[test]
fn the_studio_begins_where_it_was_left_unless_work_waits() {
    let waiting = Draft { id: "1.2.j".to_owned(), name: "Two".to_owned(), path: None, at: at(0) };
    for (opens_last, drafts, reads) in [(true, 0, true), (true, 1, false), (false, 0, false), (false, 1, false)] {
        let mut app = App::new();
        app.files.opens_last = opens_last;
        let drafts = vec![waiting.clone(); drafts];
        let (preferences, last) = (Box::default(), Some("/w/two.flow.ron".into()));
        let told = Told::Started { preferences, words: Vec::new(), drafts, last };
        let asked = app.apply(Command::Answer(told.into()), at(0));
        assert_eq!(asked.iter().any(|request| matches!(request, Request::Read(_))), reads);
        assert_eq!(app.toasts.len(), usize::from(!opens_last && !app.files.drafts.is_empty()));
    }
}
