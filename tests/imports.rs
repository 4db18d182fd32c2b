//! A flow that was imported into the studio, saved by hand: what it needs of its workspace is asked about and added,
//! and nothing that is there is written over. Real files, no window.

use std::{fs, path::Path};

use flowloom::{
    app::{
        Answer, App, Command, CommandId, Request,
        files::{Act, Choice, Dialog, Task, Told},
        import::Beside,
    },
    base::Instant,
    flow::file::read_workspace,
    gui::requests::keeper::Keeper,
};

const KLAVIYO: &str = include_str!("fixtures/platforms/klaviyo/import/answer.json");

/// A studio on a real disk, whose dialogs are answered by the test.
#[derive(Default)]
struct Studio {
    app: App,
    keeper: Keeper,
    millis: i64,
    journals: Vec<String>,
    asks_path: bool,
}

impl Studio {
    fn run(&mut self, command: impl Into<Command>) -> &mut Self {
        let mut waiting = vec![command.into()];
        while let Some(command) = waiting.pop() {
            for request in self.app.apply(command, Instant::from_millis(1_790_000_000_000 + self.millis)) {
                let answers = match request {
                    Request::Files(Task::Journal { work, .. }) => {
                        self.journals.push(work.workspace.map(|workspace| workspace.text).unwrap_or_default());
                        Vec::new()
                    }
                    Request::Files(task) => self.keeper.perform(task),
                    Request::AskSave { .. } => {
                        self.asks_path = true;
                        Vec::new()
                    }
                    _ => Vec::new(),
                };
                // What came first is taken first.
                waiting.extend(answers.into_iter().rev().map(Command::Answer));
            }
        }
        self
    }

    fn imported() -> Self {
        let mut studio = Self::default();
        let (text, beside) = (KLAVIYO.into(), Beside::default());
        studio.run(Command::Answer(Told::Json { path: "answer.json".into(), text, beside }.into()));
        studio
    }

    fn save_to(&mut self, path: &Path) -> &mut Self {
        let document = self.app.document().expect("open").id;
        self.run(Command::Answer(Answer::SavePath { document, path: path.to_owned() }))
    }

    fn choose(&mut self, choice: Choice) -> &mut Self {
        self.run(Command::Files(Act::Choose(choice)))
    }

    /// What is asked to be added.
    fn asked(&self) -> Option<&[String]> {
        match self.app.files.dialogs.first() {
            Some(Dialog::Needs { what, .. }) => Some(what),
            _ => None,
        }
    }
}

const THERE: &str = "(\n    version: 1, // kept\n    name: \"Shop\",\n    events: [\n        (name: \"PlAcEd\", \
                     moment: purchase), // ours\n    ],\n)\n";

#[test]
fn the_workspace_gets_what_is_new_and_keeps_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("flowloom.ron");
    fs::write(&file, THERE).expect("written");
    let mut studio = Studio::imported();
    assert!(studio.app.document().expect("open").is_unsaved(), "it is on no disk");
    studio.save_to(&folder.path().join("cart.flow.ron"));
    let asked = studio.asked().expect("asked").to_vec();
    assert!(asked.iter().any(|one| one.starts_with("event ")), "{asked:?}");
    assert!(!asked.iter().any(|one| one == "event \u{201c}PlAcEd\u{201d}"), "it is there: {asked:?}");
    assert_eq!(fs::read_to_string(&file).expect("reads"), THERE, "nothing is written before the answer");
    studio.choose(Choice::Save);
    let text = fs::read_to_string(&file).expect("reads");
    assert!(text.contains("version: 1, // kept") && text.contains("moment: purchase), // ours"), "{text}");
    let (now, _) = read_workspace(&text).expect("reads");
    assert!(now.events.len() > 1, "{text}");
    let document = studio.app.document().expect("open");
    assert!(!document.is_unsaved() && studio.app.files.dialogs.is_empty());
    assert_eq!(document.home.workspace.events.len(), now.events.len());
    // The same import once more finds all it needs.
    let mut again = Studio::imported();
    again.save_to(&folder.path().join("again.flow.ron"));
    assert_eq!(again.asked(), None);
    assert_eq!(fs::read_to_string(&file).expect("reads"), text);
}

#[test]
fn a_lone_flow_gets_a_workspace_where_that_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("flowloom.ron");
    let mut studio = Studio::imported();
    studio.save_to(&folder.path().join("cart.flow.ron"));
    assert!(studio.asked().is_some() && !file.exists());
    studio.choose(Choice::Save);
    let (workspace, _) = read_workspace(&fs::read_to_string(&file).expect("written")).expect("reads");
    assert!(!workspace.events.is_empty() && workspace.caps.is_empty());
    let document = studio.app.document().expect("open");
    assert!(document.home.folder.is_some() && !document.is_unsaved());
}

#[test]
fn not_now_writes_nothing_and_is_asked_again_elsewhere() {
    let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut studio = Studio::imported();
    studio.save_to(&one.path().join("cart.flow.ron")).choose(Choice::Discard);
    assert!(!one.path().join("flowloom.ron").exists() && !studio.app.document().expect("open").is_unsaved());
    studio.run(CommandId::Save);
    assert_eq!(studio.asked(), None, "the place is the same");
    studio.save_to(&two.path().join("cart.flow.ron"));
    assert!(studio.asked().is_some());
}

#[test]
fn an_import_is_not_closed_in_silence() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut studio = Studio::imported();
    let id = studio.app.document().expect("open").id;
    studio.run(Command::Files(Act::Close(id)));
    assert!(matches!(studio.app.files.dialogs.first(), Some(Dialog::Unsaved { .. })));
    studio.choose(Choice::Save);
    assert!(studio.asks_path);
    studio.save_to(&folder.path().join("cart.flow.ron"));
    assert_eq!(studio.app.documents.len(), 1, "it waits for the answer about its workspace");
    studio.choose(Choice::Save);
    assert!(studio.app.documents.is_empty());
    assert!(folder.path().join("flowloom.ron").exists());
}

/// A crash before the first save loses neither the flow nor what it needs.
#[test]
fn an_import_is_written_down_at_once() {
    let mut studio = Studio::imported();
    studio.millis += 1_500;
    studio.run(Command::Files(Act::Tick));
    let [workspace] = studio.journals.as_slice() else { panic!("{:?}", studio.journals) };
    assert!(!read_workspace(workspace).expect("a workspace").0.events.is_empty());
}

/// What lies beside the JSON comes along, as on the command line; a file that cannot be read is named and stops
/// nothing.
#[test]
fn templates_beside_the_json_come_along() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = folder.path().join("flow.json");
    fs::write(&json, KLAVIYO).expect("written");
    let bodies = |studio: &Studio| {
        let flow = studio.app.document().expect("open").flow().clone();
        let messages: Vec<_> = flow.messages.iter().filter_map(|m| m.section.value().cloned()).collect();
        messages.iter().filter(|m| !m.variants[0].body.is_empty()).count()
    };
    let mut alone = Studio::default();
    alone.run(Command::Files(Act::Dropped(json.clone())));
    assert_eq!(bodies(&alone), 0);
    let templates = folder.path().join("templates");
    fs::create_dir(&templates).expect("made");
    fs::write(templates.join("TmPl01.html"), "<p>Hello {{ first_name }}</p>").expect("written");
    fs::write(templates.join("broken.json"), "{").expect("written");
    let mut studio = Studio::default();
    studio.run(Command::Files(Act::Dropped(json)));
    assert_eq!(bodies(&studio), 1);
    let said: Vec<&str> = studio.app.toasts.iter().map(|toast| toast.text.as_str()).collect();
    assert!(said.iter().any(|text| text.contains("broken.json is no JSON")), "{said:?}");
}
