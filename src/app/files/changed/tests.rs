//! Files that somebody else wrote, workspaces of several tabs: before, what was told, after.

use super::super::{
    Act, Choice, Told,
    tests::{Script, TWO, over, read, theirs},
};
use super::*;
use crate::{
    app::{Answer, Command, CommandId, files::wake_at},
    base::NodeId,
    flow::{Edit, file},
};

const W: &str = "(version: 1, name: \"W\", lists: [\"l\"])";

fn home(source: &str) -> Arc<Home> {
    let (workspace, _) = file::read_workspace(source).expect("a workspace");
    Arc::new(Home { folder: Some("/w".into()), source: source.to_owned(), workspace, ..Home::default() })
}

/// A studio with two flows of one workspace open; the first is in front.
fn two_tabs() -> Script {
    let mut script = Script::default();
    for (path, text) in [("/w/two.flow.ron", TWO.to_owned()), ("/w/b.flow.ron", TWO.replace("\"two\"", "\"b\""))] {
        open(&mut script, path, &text, W);
    }
    script.run(CommandId::NextTab).take();
    script
}

fn open(script: &mut Script, path: &str, text: &str, workspace: &str) {
    let opened = Answer::Opened { path: Some(path.into()), loaded: read(text), home: home(workspace) };
    script.run(Command::Answer(opened));
}

/// Edits the workspace in the tab in front, as its pages do.
fn edit(script: &mut Script, from: &str, to: &str) {
    let active = script.app.active_idx;
    let document = &mut script.app.documents[active];
    let text = document.history.aside().replace(from, to);
    document.edit_workspace("Edit the workspace", &text, None).expect("reads");
    script.act(Act::Tick);
}

/// What the workspace is called in each tab, by the text and by what is made of it; they agree.
fn names(script: &Script) -> Vec<String> {
    let name = |document: &Document| {
        let (workspace, _) = file::read_workspace(document.history.aside()).expect("reads");
        assert_eq!(workspace.name, document.home.workspace.name);
        workspace.name
    };
    script.app.documents.iter().map(name).collect()
}

fn clean(script: &Script) -> Vec<bool> {
    script.app.documents.iter().map(|document| document.history.is_clean()).collect()
}

fn rename_start(script: &mut Script, title: &str) {
    let edit = Edit::SetTitle { id: NodeId::new("a"), title: title.to_owned() };
    script.run(Command::Edit { label: "Rename".to_owned(), edits: vec![edit], merge: None });
}

#[test]
fn changes_of_different_parts_are_merged_unasked_as_one_step() {
    let mut script = Script::with_file();
    let document = script.id();
    rename_start(&mut script, "Mine");
    script.told(Told::Changed { document, theirs: theirs(&TWO.replace("Over", "Theirs")), while_saving: false });
    assert!(script.app.files.dialogs.is_empty() && script.said("1 step changed outside was merged"));
    let flow = script.app.documents[0].flow();
    assert_eq!((flow.nodes[0].title.as_str(), flow.nodes[1].title.as_str()), ("Mine", "Theirs"));
    assert!(!script.app.documents[0].history.is_clean());
    script.run(CommandId::Undo);
    assert_eq!((over(&script), script.app.documents[0].flow().nodes[0].title.as_str()), ("Over".to_owned(), "Mine"));
    // Found while saving: merged, and saved at once.
    let mut script = Script::with_file();
    rename_start(&mut script, "Mine");
    script.run(CommandId::Save).take();
    let document = script.id();
    script.told(Told::Changed { document, theirs: theirs(&TWO.replace("Over", "Theirs")), while_saving: true });
    let Some(Task::Save { text, force: false, .. }) = script.asked.pop() else { panic!("{:?}", script.asked) };
    assert!(text.contains("Mine") && text.contains("Theirs"), "{text}");
    // What was written down before is needed until the merged flow is saved, and no longer.
    let mut script = Script::with_file();
    rename_start(&mut script, "Mine");
    script.wait(1_000).act(Act::Tick).take();
    script.told(Told::Changed { document, theirs: theirs(&TWO.replace("Over", "Theirs")), while_saving: true });
    assert_eq!(script.asked.len(), 1, "{:?}", script.asked);
    script.saved();
    assert_eq!(script.take(), ["Forget"]);
    // Changed to the same: the document is as on the disk.
    let mut script = Script::with_file();
    script.rename("Theirs");
    let document = script.id();
    script.told(Told::Changed { document, theirs: theirs(&TWO.replace("Over", "Theirs")), while_saving: false });
    assert!(script.app.documents[0].history.is_clean());
}

#[test]
fn what_both_changed_waits_for_a_choice() {
    let clash = |script: &mut Script, while_saving| {
        let document = script.id();
        let other = TWO.replace("Over", "Theirs").replace("\"over\"", "\"late\"");
        script.told(Told::Changed { document, theirs: theirs(&other), while_saving });
    };
    let mut script = Script::with_file();
    script.rename("Mine");
    clash(&mut script, false);
    clash(&mut script, false);
    let [Dialog::Changed { conflicts, .. }] = &script.app.files.dialogs[..] else { panic!("asks once") };
    assert_eq!((conflicts.len(), conflicts[0].1), (1, Side::Mine));
    script.act(Act::Choose(Choice::Side { at: Some(0), side: Side::Theirs }));
    script.act(Act::Choose(Choice::Side { at: None, side: Side::Mine }));
    assert_eq!(script.app.files.dialogs.len(), 1, "it waits");
    script.act(Act::Choose(Choice::Merge));
    assert_eq!(over(&script), "Mine");
    assert!(file::write(script.app.documents[0].flow()).contains("late"), "all else is theirs");
    // Left unanswered, a save asks again before it writes over their work.
    let mut script = Script::with_file();
    script.rename("Mine");
    clash(&mut script, false);
    script.act(Act::Choose(Choice::Cancel)).take();
    script.run(CommandId::Save);
    assert_eq!(script.take(), ["Compare"]);
    clash(&mut script, true);
    script.act(Act::Choose(Choice::Side { at: Some(0), side: Side::Theirs })).act(Act::Choose(Choice::Merge));
    assert_eq!((over(&script), script.take()), ("Theirs".to_owned(), vec!["Save".to_owned()]));
}

#[test]
fn a_workspace_that_is_edited_in_one_tab_is_the_same_in_all() {
    let mut script = two_tabs();
    edit(&mut script, "\"W\"", "\"Mine\"");
    assert_eq!((names(&script), clean(&script)), (vec!["Mine".to_owned(); 2], vec![false, false]));
    script.run(CommandId::Undo);
    assert_eq!((names(&script), clean(&script)), (vec!["W".to_owned(); 2], vec![true, true]));
    let steps = |script: &Script| script.app.documents[1].history.undo_labels().count();
    assert_eq!(steps(&script), 0, "the other tab went back, too");
    script.run(CommandId::Redo).run(CommandId::NextTab);
    assert_eq!((names(&script), steps(&script)), (vec!["Mine".to_owned(); 2], 1));
    script.rename("Mine too");
    edit(&mut script, "\"l\"", "\"l\", \"m\"");
    script.run(CommandId::NextTab).run(CommandId::Undo);
    assert_eq!(names(&script), ["Mine", "Mine"]);
    let lists = |n: usize| script.app.documents[n].home.workspace.lists.len();
    assert_eq!((lists(0), lists(1)), (1, 1), "the newest change of the workspace is taken back, whoever made it");
    assert_eq!(script.app.documents[1].flow().node("b").map(|node| node.title.as_str()), Some("Mine too"));
    script.run(CommandId::Undo);
    assert_eq!(names(&script), ["W", "W"]);
}

#[test]
fn saving_either_tab_saves_the_workspace_and_closing_one_loses_nothing() {
    let mut script = two_tabs();
    edit(&mut script, "\"W\"", "\"Mine\"");
    script.run(CommandId::CloseTab);
    assert!(script.app.files.dialogs.is_empty() && script.app.documents.len() == 1, "the other tab holds it");
    script.run(CommandId::CloseTab);
    assert!(matches!(script.app.files.dialogs[..], [Dialog::Unsaved { .. }]));
    let mut script = two_tabs();
    edit(&mut script, "\"W\"", "\"Mine\"");
    script.run(CommandId::NextTab).take();
    script.run(CommandId::Save);
    assert!(
        matches!(&script.asked[..], [Task::Save { workspace: Some(w), .. }] if w.text.contains("Mine") && w.before == W)
    );
    script.saved();
    assert_eq!(clean(&script), [true, true]);
}

#[test]
fn a_flow_that_is_opened_beside_an_edited_workspace_gets_it() {
    let mut script = two_tabs();
    edit(&mut script, "\"W\"", "\"Mine\"");
    open(&mut script, "/w/c.flow.ron", &TWO.replace("\"two\"", "\"c\""), W);
    assert_eq!((names(&script), clean(&script)), (vec!["Mine".to_owned(); 3], vec![false; 3]));
    // The file was changed, too, before it was opened.
    open(&mut script, "/w/d.flow.ron", &TWO.replace("\"two\"", "\"d\""), &W.replace("\"l\"", "\"l\", \"m\""));
    assert_eq!(names(&script), ["Mine"; 4]);
    assert!(script.app.documents.iter().all(|document| document.home.workspace.lists.len() == 2));
}

#[test]
fn a_workspace_file_that_changed_is_taken_merged_or_asked_about() {
    let told = |script: &mut Script, text: &str| {
        let homes = script.app.documents.iter().map(|document| (document.id, home(text))).collect();
        script.told(Told::Around { folder: "/w".into(), homes });
    };
    let mut script = two_tabs();
    script.rename("Mine");
    told(&mut script, &W.replace("\"W\"", "\"Theirs\""));
    assert_eq!(names(&script), ["Theirs", "Theirs"]);
    assert!(script.said("was read again") && clean(&script) == [false, true]);
    script.run(CommandId::Undo);
    assert_eq!(
        (names(&script), clean(&script)),
        (vec!["Theirs".to_owned(); 2], vec![true; 2]),
        "undo brings nothing old"
    );

    let mut script = two_tabs();
    edit(&mut script, "\"W\"", "\"Mine\"");
    told(&mut script, &W.replace("\"l\"", "\"l\", \"m\""));
    assert_eq!(names(&script), ["Mine", "Mine"]);
    assert!(script.app.documents.iter().all(|document| document.home.workspace.lists.len() == 2));
    assert!(script.said("1 setting changed outside was merged") && script.app.files.dialogs.is_empty());

    told(&mut script, &W.replace("\"W\"", "\"Theirs\"").replace("\"l\"", "\"l\", \"m\""));
    let [Dialog::WorkspaceChanged { conflicts, .. }] = &script.app.files.dialogs[..] else { panic!("asks") };
    assert_eq!(conflicts[0].0.about, "The workspace, `name`");
    assert_eq!(names(&script), ["Mine", "Mine"], "nothing is taken unasked");
    script.act(Act::Choose(Choice::Side { at: Some(0), side: Side::Theirs })).act(Act::Choose(Choice::Merge));
    assert_eq!((names(&script), clean(&script)), (vec!["Theirs".to_owned(); 2], vec![true; 2]));

    script.told(Told::WorkspaceGone("/w".into()));
    assert!(script.said("Save writes it again") && clean(&script) == [false, false]);
}

#[test]
fn focus_looks_at_workspaces_too() {
    let mut script = two_tabs();
    script.act(Act::Focused);
    let [Task::Look { files, folders }] = &script.asked[..] else { panic!("{:?}", script.asked) };
    assert_eq!((files.len(), folders.len(), folders[Path::new("/w")].len()), (2, 1, 2));
}

#[test]
fn unsaved_work_on_the_workspace_is_written_down_and_given_back() {
    let mut script = two_tabs();
    edit(&mut script, "\"W\"", "\"Mine\"");
    assert!(wake_at(&script.app).is_some());
    script.wait(1_000).act(Act::Tick);
    let draft = script.asked.iter().find_map(|task| match task {
        Task::Journal { work, .. } => work.workspace.clone(),
        _ => None,
    });
    let draft = draft.expect("though the flow is as saved");
    assert_eq!((draft.before.as_str(), draft.text.contains("Mine")), (W, true));

    let restored = |script: &mut Script, on_disk: &str, draft: &WorkspaceDraft| {
        script.told(Told::Restored {
            id: String::new(),
            path: Some("/w/two.flow.ron".into()),
            sample: None,
            work: read(TWO),
            saved: Some(read(TWO)),
            file_changed: false,
            home: home(on_disk),
            workspace: Some(draft.clone()),
        });
    };
    let mut next = Script::default();
    restored(&mut next, W, &draft);
    assert_eq!((names(&next), clean(&next)), (vec!["Mine".to_owned()], vec![false]));
    assert!(next.app.documents[0].history.is_flow_clean());
    next.run(CommandId::Undo);
    assert_eq!((names(&next), clean(&next)), (vec!["W".to_owned()], vec![true]));
    // The file was changed since: both are there.
    let mut next = Script::default();
    restored(&mut next, &W.replace("\"l\"", "\"l\", \"m\""), &draft);
    assert_eq!((names(&next), next.app.documents[0].home.workspace.lists.len()), (vec!["Mine".to_owned()], 2));
    // Another flow of the workspace is open already.
    let mut next = Script::default();
    open(&mut next, "/w/b.flow.ron", &TWO.replace("\"two\"", "\"b\""), W);
    restored(&mut next, W, &draft);
    assert_eq!((names(&next), clean(&next)), (vec!["Mine".to_owned(); 2], vec![false; 2]));
}

#[test]
fn work_whose_beginning_is_not_known_is_asked_about_as_a_whole() {
    let mut script = Script::default();
    script.told(Told::Restored {
        id: String::new(),
        path: Some("/w/two.flow.ron".into()),
        sample: None,
        work: read(&TWO.replace("Over", "Mine")),
        saved: Some(read(&TWO.replace("Over", "Theirs"))),
        file_changed: true,
        home: Arc::default(),
        workspace: None,
    });
    let document = script.id();
    script.told(Told::Changed { document, theirs: theirs(&TWO.replace("Over", "Theirs")), while_saving: true });
    assert!(matches!(&script.app.files.dialogs[..], [Dialog::Changed { conflicts, .. }] if conflicts.is_empty()));
    assert_eq!(over(&script), "Mine");
    script.act(Act::Choose(Choice::KeepMine));
    assert!(matches!(script.asked[..], [.., Task::Save { force: true, .. }]));
}
