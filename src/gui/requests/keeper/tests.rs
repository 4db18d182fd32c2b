//! The keeper on real files: what is written, noticed, locked, and given back after a crash.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use super::*;
use crate::{base::Instant, flow::Flow, testing::Rng};

const TWO: &str = r#"(version: 2, id: "two", name: "Two", nodes: [
    (id: "b", kind: "exit", title: "Over", pos: (0, 312), settings: (reason: "over")),
], edges: [])
"#;

const ID: DocumentId = DocumentId(1);

struct World {
    root: tempfile::TempDir,
    keeper: Keeper,
    runs: i64,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        fs::write(root.path().join("two.flow.ron"), TWO).expect("writes");
        let mut world = Self { root, keeper: Keeper::default(), runs: 0 };
        world.start();
        world
    }

    fn own(&self) -> disk::OwnFolders {
        disk::OwnFolders { config: self.root.path().join("config"), state: self.root.path().join("state") }
    }

    /// The program begins anew; gives what is offered back, and what was said about the settings.
    fn start(&mut self) -> (Preferences, Vec<String>, Vec<Draft>) {
        self.runs += 1;
        // The old keeper goes first, as its process would.
        self.keeper = Keeper::default();
        let (keeper, told) = Keeper::start(Some(self.own()), self.runs);
        self.keeper = keeper;
        match told.into_iter().next() {
            Some(Answer::Files(Told::Started { preferences, words, drafts, .. })) => (*preferences, words, drafts),
            other => panic!("{other:?}"),
        }
    }

    fn path(&self) -> PathBuf {
        absolute(&self.root.path().join("two.flow.ron"))
    }

    fn open(&mut self) {
        let path = self.path();
        assert!(matches!(self.keeper.read(&path), Answer::Opened { .. }));
        assert_eq!(self.lock(), None);
    }

    fn lock(&mut self) -> Option<ReadOnly> {
        let path = self.path();
        match self.keeper.perform(Task::Lock { document: ID, path }).pop() {
            Some(Answer::Files(Told::Locked { read_only, .. })) => read_only,
            other => panic!("{other:?}"),
        }
    }

    fn look(&mut self) -> Vec<Answer> {
        let path = self.path();
        self.keeper.perform(Task::Look { files: vec![(ID, path)], folders: BTreeMap::new() })
    }

    fn save(&mut self, text: &str, force: bool) -> Vec<Answer> {
        let (path, text) = (self.path(), text.to_owned());
        self.keeper.perform(Task::Save {
            document: ID,
            path,
            text,
            revision: 1,
            force,
            beside: Vec::new(),
            workspace: None,
        })
    }

    fn journal(&mut self, title: &str, path: Option<PathBuf>) {
        let flow = file::read(&TWO.replace("Over", title)).expect("a flow").flow;
        let workspace = None;
        let work = DraftWork { path, sample: None, at: Instant::from_millis(7), revision: 3, flow, workspace };
        let said = self.keeper.perform(Task::Journal { document: ID, work: Box::new(work) });
        assert!(said.is_empty(), "{said:?}");
    }
}

fn title(flow: &Flow) -> String {
    flow.node("b").expect("b").title.clone()
}

#[test]
fn a_file_that_changed_is_noticed_once_and_never_written_over_unasked() {
    let mut world = World::new();
    world.open();
    assert!(world.look().is_empty());
    let other = TWO.replace("Over", "By somebody else");
    fs::write(world.path(), &other).expect("writes");
    assert!(matches!(&world.save("mine", false)[..], [Answer::Files(Told::Changed { while_saving: true, .. })]));
    assert_eq!(fs::read_to_string(world.path()).expect("reads"), other);
    fs::write(world.path(), TWO).expect("writes");
    let told = world.look();
    let [Answer::Files(Told::Changed { theirs, while_saving: false, .. })] = &told[..] else { panic!("{told:?}") };
    assert_eq!(title(&theirs.loaded.flow), "Over");
    assert!(world.look().is_empty(), "said once");
    // Touched and as before.
    fs::write(world.path(), TWO).expect("writes");
    assert!(world.look().is_empty());
    assert!(matches!(&world.save(&other, false)[..], [Answer::Saved { .. }]));
    assert!(world.look().is_empty(), "our own writing is no news");
    fs::remove_file(world.path()).expect("removes");
    assert!(matches!(&world.look()[..], [Answer::Files(Told::Gone(_))]));
    assert!(matches!(&world.save(&other, false)[..], [Answer::Saved { .. }]));
}

#[test]
fn two_windows_on_one_file() {
    let mut first = World::new();
    first.open();
    let mut second = Keeper::default();
    let path = first.path();
    let locked = |keeper: &mut Keeper| match keeper.perform(Task::Lock { document: ID, path: path.clone() }).pop() {
        Some(Answer::Files(Told::Locked { read_only, .. })) => read_only,
        other => panic!("{other:?}"),
    };
    assert_eq!(locked(&mut second), Some(ReadOnly::OpenElsewhere));
    first.keeper.perform(Task::Unlock { document: ID });
    second.read(&path);
    let told = second.perform(Task::Look { files: vec![(ID, path.clone())], folders: BTreeMap::new() });
    assert!(matches!(told[..], [Answer::Files(Told::Locked { read_only: None, .. })]), "{told:?}");
    drop(second);
    let names = fs::read_dir(first.root.path()).expect("lists").flatten().map(|entry| entry.file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().ends_with(".lock")), "nothing is left beside");
}

#[test]
fn flows_of_the_folder_are_opened_by_their_ids() {
    let mut world = World::new();
    let root = world.root.path().to_owned();
    fs::write(root.join(disk::WORKSPACE_FILE), "(version: 1)").expect("writes");
    fs::write(root.join("three.flow.ron"), TWO.replace("\"two\"", "\"three\"")).expect("writes");
    fs::write(root.join("bad.flow.ron"), "(").expect("writes");
    let task = Task::OpenNeighbours { path: root.join("two.flow.ron"), flows: vec!["three".into(), "two".into()] };
    let told = world.keeper.perform(task);
    let [Answer::Files(Told::Neighbours(found))] = &told[..] else { panic!("{told:?}") };
    let ids: Vec<&str> = found.iter().map(|one| one.loaded.flow.id.as_str()).collect();
    assert_eq!(ids, ["three"], "not the one that asks");
    assert_eq!(found[0].home.folder.as_deref(), Some(&*root));
}

#[test]
fn a_protected_file_is_not_written() {
    let mut world = World::new();
    let mut permissions = fs::metadata(world.path()).expect("there").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(world.path(), permissions).expect("sets");
    assert_eq!(world.lock(), Some(ReadOnly::Protected));
    let said = world.save("x", true);
    assert!(
        matches!(&said[..], [Answer::Files(Told::NotSaved { text, .. })] if text.contains("protected")),
        "{said:?}"
    );
}

#[test]
fn a_sample_brings_its_workspace_unless_there_is_one() {
    let mut world = World::new();
    let path = world.root.path().join("shop/watch.flow.ron");
    fs::create_dir(world.root.path().join("shop")).expect("makes");
    let text = samples::workspace("watch-shop").and_then(|w| w.file("watch-shop.flow.ron")).expect("there").to_owned();
    let beside = samples::beside("watch-shop");
    let task = Task::Save { document: ID, path: path.clone(), text, revision: 1, force: true, beside, workspace: None };
    let told = world.keeper.perform(task);
    let [Answer::Saved { .. }, Answer::Files(Told::Home { home, .. })] = &told[..] else { panic!("{told:?}") };
    assert!(!home.audience.contacts.is_empty() && !home.workspace.name.is_empty());
}

#[test]
fn settings_survive_and_a_bad_file_is_kept() {
    let mut world = World::new();
    let wanted = Preferences { scale: 1.25, ..Preferences::default() };
    assert!(world.keeper.perform(Task::Prefer(Box::new(wanted.clone()))).is_empty());
    assert_eq!(world.start().0, wanted);
    let file = world.own().config.join("settings.ron");
    fs::write(&file, "(theme: dark").expect("writes");
    let (preferences, words, _) = world.start();
    assert_eq!(preferences, Preferences::default());
    assert!(words.iter().any(|word| word.contains("cannot be read")), "{words:?}");
    world.keeper.perform(Task::Prefer(Box::new(wanted)));
    assert_eq!(fs::read_to_string(file.with_extension("bad.ron")).expect("kept"), "(theme: dark");
}

#[test]
fn unsaved_work_is_offered_to_the_next_run_and_stays_until_it_is_written_again() {
    let mut world = World::new();
    world.open();
    let path = world.path();
    world.journal("Unsaved", Some(path.clone()));
    let (_, _, drafts) = world.start();
    assert_eq!(
        drafts.iter().map(|draft| (draft.name.as_str(), &draft.path)).collect::<Vec<_>>(),
        [("Two", &Some(path.clone()))]
    );
    let told = world.keeper.perform(Task::Restore(drafts[0].id.clone()));
    let [Answer::Files(Told::Restored { work, saved, file_changed: false, .. })] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((title(&work.flow), saved.is_some()), ("Unsaved".to_owned(), true));
    assert_eq!(world.keeper.left_over().len(), 1, "a crash now would still give it back");
    world.journal("Unsaved", Some(path.clone()));
    assert!(world.keeper.left_over().is_empty());
    // Behind the draft the file changes: saving the restored work asks.
    fs::write(&path, TWO.replace("Over", "Elsewhere")).expect("writes");
    let (_, _, drafts) = world.start();
    let told = world.keeper.perform(Task::Restore(drafts[0].id.clone()));
    assert!(matches!(&told[..], [Answer::Files(Told::Restored { file_changed: true, .. })]));
    assert!(matches!(&world.save("x", false)[..], [Answer::Files(Told::Changed { while_saving: true, .. })]));
    world.keeper.perform(Task::Forget { document: ID });
    assert!(world.start().2.is_empty());
}

#[test]
fn tables_are_taken_in_only_where_they_can_be_read() {
    let mut world = World::new();
    fs::write(world.root.path().join("flowloom.ron"), "(version: 1, name: \"W\")").expect("writes");
    world.open();
    let root = absolute(world.root.path());
    let table = |name: &str, text: &str| {
        let path = root.join(name);
        fs::write(&path, text).expect("writes");
        path
    };
    let mut copy =
        |from: PathBuf| world.keeper.perform(Task::CopyTable { from, folder: root.join("audience"), what: "contacts" });
    let told = copy(table("good.csv", "id,email\nc1,a@example.org\n"));
    let [Answer::Files(Told::Audience { homes, .. })] = &told[..] else { panic!("{told:?}") };
    assert_eq!(homes[0].1.audience.contacts.len(), 1);
    assert!(matches!(&copy(table("other.csv", "id\nc2\n"))[..], [Answer::Failed(why)] if why.contains("already")));
}

/// In a process of its own, see below: appends to a journal until it is killed.
#[test]
fn writes_until_killed() {
    let Some(folder) = std::env::var_os("FLOWLOOM_KILL_TEST") else { return };
    let root = PathBuf::from(folder);
    let own = disk::OwnFolders { config: root.join("config"), state: root.join("state") };
    let (mut keeper, _) = Keeper::start(Some(own), i64::from(std::process::id()));
    let mut out = std::io::stdout();
    for n in 0_u64.. {
        let mut flow = file::read(TWO).expect("a flow").flow;
        // Of very different lengths, so that a kill falls into the middle of some.
        flow.name = format!("{n} {}", "x".repeat((n as usize * 7_919) % 60_000));
        let at = Instant::from_millis(n as i64);
        let work = DraftWork { path: None, sample: None, at, revision: n, flow, workspace: None };
        assert!(keeper.perform(Task::Journal { document: ID, work: Box::new(work) }).is_empty());
        writeln!(out, "journaled {n}").and_then(|()| out.flush()).expect("somebody reads");
    }
}

#[test]
fn what_was_journaled_survives_a_kill_at_any_instant() {
    let mut rng = Rng::new(11);
    for round in 0..6 {
        let root = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(std::env::current_exe().expect("a name"))
            .args(["gui::requests::keeper::tests::writes_until_killed", "--exact", "--nocapture"])
            .env("FLOWLOOM_KILL_TEST", root.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        std::thread::sleep(std::time::Duration::from_millis(60 + rng.below(250) as u64));
        child.kill().expect("kills");
        let said = child.wait_with_output().expect("ends");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let last_said = said.lines().filter_map(|line| line.rsplit_once("journaled ")?.1.parse::<i64>().ok()).max();
        let own = disk::OwnFolders { config: root.path().join("config"), state: root.path().join("state") };
        let (keeper, _) = Keeper::start(Some(own), 1);
        let found = keeper.left_over();
        match last_said {
            // Killed before anything was written; a first record may have been on its way.
            None => assert!(found.len() <= 1, "round {round}"),
            Some(last) => {
                let at = found.first().map(|draft| draft.at.as_millis());
                assert!(at.is_some_and(|at| at == last || at == last + 1), "round {round}: {at:?} after {last}");
                assert!(found[0].name.starts_with(&format!("{} x", at.unwrap_or(0))) || at == Some(0), "{round}");
            }
        }
    }
}

#[test]
fn the_workspace_file_is_written_with_the_flow_unless_somebody_else_changed_it() {
    let mut world = World::new();
    world.open();
    let path = world.path().with_file_name("flowloom.ron");
    let save = |world: &mut World, text: &str, before: &str| {
        let workspace = WorkspaceFile { path: path.clone(), text: text.to_owned(), before: before.to_owned() };
        let path = world.path();
        let (text, beside) = (TWO.to_owned(), Vec::new());
        let workspace = Some(workspace);
        world.keeper.perform(Task::Save { document: ID, path, text, revision: 1, force: true, beside, workspace })
    };
    let there = || fs::read_to_string(&path).unwrap_or_default();
    let (one, two) = ("(version: 1)", "(version: 1, name: \"Two\")");
    assert!(matches!(save(&mut world, one, "")[0], Answer::Saved { .. }));
    assert_eq!(there(), one);
    assert!(matches!(save(&mut world, two, one)[0], Answer::Saved { .. }));
    assert_eq!(there(), two);
    let told = save(&mut world, "(version: 1, name: \"Three\")", one);
    let [Answer::Files(Told::NotSaved { text, .. }), Answer::Files(Told::Around { .. })] = &told[..] else {
        panic!("{told:?}")
    };
    assert!(text.contains("changed by something else"), "{text}");
    assert_eq!(there(), two);
}

#[test]
fn a_workspace_or_audience_that_changed_is_noticed_once() {
    let mut world = World::new();
    let root = absolute(world.root.path());
    let write = |name: &str, text: &str| fs::write(root.join(name), text).expect("writes");
    write("flowloom.ron", "(version: 1, name: \"One\")");
    world.open();
    let folder = match home(&world.path()) {
        Ok(home) => home.folder.expect("a workspace"),
        Err(error) => panic!("{error}"),
    };
    let look = |world: &mut World| {
        let path = world.path();
        let folders = [(folder.clone(), vec![(ID, path.clone())])].into();
        world.keeper.perform(Task::Look { files: vec![(ID, path)], folders })
    };
    assert!(look(&mut world).is_empty());
    write("flowloom.ron", "(version: 1, name: \"Two\")");
    let told = look(&mut world);
    let [Answer::Files(Told::Around { homes, .. })] = &told[..] else { panic!("{told:?}") };
    assert_eq!(homes[0].1.workspace.name, "Two");
    assert!(look(&mut world).is_empty(), "said once");
    fs::create_dir(root.join("audience")).expect("makes");
    write("audience/contacts.jsonl", "{\"id\": \"c1\"}\n");
    let told = look(&mut world);
    let [Answer::Files(Told::Around { homes, .. })] = &told[..] else { panic!("{told:?}") };
    assert_eq!(homes[0].1.audience.contacts.len(), 1);
    write("flowloom.ron", "(version: ");
    assert!(matches!(&look(&mut world)[..], [Answer::Failed(why)] if why.contains("cannot be read now")));
    assert!(look(&mut world).is_empty());
    // Our own writing is no news.
    let before = "(version: ".to_owned();
    let text = "(version: 1, name: \"Mine\")".to_owned();
    let workspace = Some(WorkspaceFile { path: root.join("flowloom.ron"), text, before });
    let (path, flow, beside) = (world.path(), TWO.to_owned(), Vec::new());
    let task = Task::Save { document: ID, path, text: flow, revision: 1, force: true, beside, workspace };
    assert!(matches!(world.keeper.perform(task)[0], Answer::Saved { .. }));
    assert!(look(&mut world).is_empty());
    fs::remove_file(root.join("flowloom.ron")).expect("removes");
    assert!(matches!(&look(&mut world)[..], [Answer::Files(Told::WorkspaceGone(_))]));
}

#[test]
fn unsaved_work_on_the_workspace_outlives_the_run() {
    let mut world = World::new();
    world.open();
    let flow = file::read(TWO).expect("a flow").flow;
    let draft = journal::WorkspaceDraft { text: "(version: 1)".to_owned(), before: String::new() };
    let (path, workspace) = (Some(world.path()), Some(draft.clone()));
    let work = DraftWork { path, sample: None, at: Instant::from_millis(7), revision: 3, flow, workspace };
    assert!(world.keeper.perform(Task::Journal { document: ID, work: Box::new(work) }).is_empty());
    let (_, _, drafts) = world.start();
    let told = world.keeper.perform(Task::Restore(drafts[0].id.clone()));
    let [Answer::Files(Told::Restored { workspace, .. })] = &told[..] else { panic!("{told:?}") };
    assert_eq!(workspace, &Some(draft));
}
