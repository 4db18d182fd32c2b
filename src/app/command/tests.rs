//! The command table, and every command of it at work: a state before, the command, and what it changed.

use std::collections::BTreeMap;

use super::*;
use crate::{
    app::{
        Request, Screen, Side, View,
        files::{Page, Task},
        fixture,
    },
    flow::Flow,
    kinds::Settings,
};

#[test]
fn the_table_is_well_formed() {
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    for (at, row) in COMMANDS.iter().enumerate() {
        assert_eq!(row.id as usize, at, "{}", row.label);
        assert!(!row.label.ends_with('.') && !row.help.ends_with('.') && !row.help.is_empty(), "{}", row.label);
        for key in row.keys.split(' ').filter(|key| !key.is_empty()) {
            assert_eq!(keys.insert(key, row.label), None, "{key} is taken");
        }
    }
}

/// What a command may change, as it stands at one moment.
#[derive(PartialEq, Debug)]
struct Seen {
    flow: Option<Flow>,
    view: Option<View>,
    screen: Screen,
    theme: Theme,
    num_documents: usize,
    active_idx: usize,
    palette_open: bool,
    page: Option<Page>,
}

fn seen(app: &App) -> Seen {
    Seen {
        flow: app.document().map(|document| document.flow().clone()),
        view: app.document().map(|document| document.view.clone()),
        screen: app.screen,
        theme: app.theme,
        num_documents: app.documents.len(),
        active_idx: app.active_idx,
        palette_open: app.palette_open,
        page: app.files.page,
    }
}

fn select(ids: &[&str]) -> Command {
    Command::Select { nodes: ids.iter().map(|id| NodeId::new(*id)).collect(), toggle: false }
}

fn place(places: &[(&str, f32, f32)]) -> Command {
    Command::Place(places.iter().map(|(id, x, y)| (NodeId::new(*id), (*x, *y))).collect())
}

/// What is done before a command, so that there is something for it to do.
fn before(id: CommandId) -> Vec<Command> {
    use CommandId as Id;
    let scattered = || place(&[("mail-1", 40.0, 300.0), ("wait-4h", 200.0, 20.0), ("mail-2", 90.0, 1000.0)]);
    let three = || select(&["mail-1", "wait-4h", "mail-2"]);
    if mark_of(id).is_some() {
        return vec![select(&["mail-2"])];
    }
    if let Some(n) = bookmark_of(id) {
        let mark = COMMANDS.iter().find(|row| mark_of(row.id) == Some(n)).expect("set by a command");
        return vec![select(&["mail-2"]), mark.id.into(), select(&["done"])];
    }
    match id {
        Id::Revert | Id::Undo => vec![Id::PageTags.into(), select(&["mail-1"]), Id::Mute.into()],
        Id::Redo => vec![select(&["wait-4h"]), Id::Mute.into(), Id::Undo.into()],
        Id::Cut | Id::Copy | Id::Duplicate | Id::Delete | Id::DeleteReconnect | Id::Mute => vec![select(&["wait-4h"])],
        Id::Rename
        | Id::EditStep
        | Id::InsertAfter
        | Id::SelectNone
        | Id::FitSelection
        | Id::NextStep
        | Id::PreviousStep => vec![select(&["wait-4h"])],
        Id::CopyBlock | Id::PasteBlock | Id::SendTest => vec![select(&["mail-1"])],
        Id::Layout | Id::LayoutRight => vec![scattered()],
        Id::AlignLeft
        | Id::AlignCenter
        | Id::AlignRight
        | Id::AlignTop
        | Id::AlignMiddle
        | Id::AlignBottom
        | Id::DistributeAcross
        | Id::DistributeDown
        | Id::FrameSelection
        | Id::NudgeLeft
        | Id::NudgeRight
        | Id::NudgeUp
        | Id::NudgeDown => vec![scattered(), three()],
        Id::FoldFrame => vec![three(), Id::FrameSelection.into()],
        Id::Fit | Id::ZoomActual => vec![Command::SetView { center_in_canvas: (0.0, 0.0), zoom: 0.5 }],
        Id::NextTab | Id::PreviousTab => vec![Id::New.into()],
        Id::FindNext | Id::FindPrevious => vec![Command::Search("mail".to_owned())],
        Id::LeftStep => vec![place(&[("mail-2", 400.0, 140.0)]), select(&["mail-2"])],
        Id::RightStep => vec![place(&[("mail-2", 400.0, 140.0)]), select(&["mail-1"])],
        _ => Vec::new(),
    }
}

/// What a command changed: whether that is what it promises.
fn does(id: CommandId, old: &Seen, new: &Seen, asked: &[Request]) -> bool {
    use CommandId as Id;
    let (Some(flow), Some(view)) = (&old.flow, &old.view) else { return false };
    let next = new.view.as_ref().unwrap_or(view);
    let after = new.flow.as_ref().unwrap_or(flow);
    let selected = |ids: &[&str]| next.selection.iter().map(|id| id.as_str()).eq(ids.iter().copied());
    let pos = |flow: &Flow, id: &str| flow.node(id).map(|node| node.pos).unwrap_or_default();
    let files = |fits: fn(&Task) -> bool| asked.iter().any(|r| matches!(r, Request::Files(task) if fits(task)));
    let moved = |id: &str| {
        let (from, to) = (pos(flow, id), pos(after, id));
        (
            (to.0 - from.0).signum() * f32::from(u8::from(to.0 != from.0)),
            (to.1 - from.1).signum() * f32::from(u8::from(to.1 != from.1)),
        )
    };
    let three = ["mail-1", "wait-4h", "mail-2"];
    let all_same = |of: fn((f32, f32)) -> f32| {
        let first = of(pos(after, three[0]));
        after != flow && three.iter().all(|id| (of(pos(after, id)) - first).abs() < 0.01)
    };
    let num_nodes = (flow.nodes.len(), after.nodes.len());
    if let Some(n) = mark_of(id) {
        return next.bookmarks.get(&n).is_some_and(|node| node.as_str() == "mail-2");
    }
    if bookmark_of(id).is_some() {
        return selected(&["mail-2"]);
    }
    if let Some(page) = page_of(id) {
        return next.page == Some(page);
    }
    match id {
        Id::New => new.num_documents == old.num_documents + 1 && after.name == "New flow",
        Id::Open => matches!(asked[..], [Request::AskOpen]),
        Id::ImportFile => files(|task| matches!(task, Task::AskImport)),
        #[cfg(feature = "push")]
        Id::ImportKlaviyo | Id::ImportHubspot => files(|task| matches!(task, Task::Account(_))),
        Id::Gallery => new.screen == Screen::Gallery,
        Id::Save => files(|task| matches!(task, Task::Save { .. })),
        Id::SaveAs => matches!(asked[..], [Request::AskSave { .. }]),
        Id::CompareWith => new.page == Some(Page::Compare),
        Id::Publish => new.page == Some(Page::Publish),
        Id::SendTest => new.page == Some(Page::SendTest),
        Id::Revert => files(|task| matches!(task, Task::Reread { .. })),
        Id::CloseTab => new.num_documents == 0 && new.screen == Screen::Gallery,
        Id::Settings => new.page == Some(Page::Settings),
        Id::Shortcuts => new.page == Some(Page::Shortcuts),
        Id::Quit => asked.iter().any(|request| matches!(request, Request::Quit)),
        Id::Undo => !after.nodes.iter().any(|node| node.muted) && flow.nodes.iter().any(|node| node.muted),
        Id::Redo | Id::Mute => after.node("wait-4h").is_some_and(|node| node.muted),
        Id::Cut => {
            after.node("wait-4h").is_none()
                && asked.iter().any(|r| matches!(r, Request::CopyText(t) if t.contains("wait-4h")))
        }
        Id::Copy => after == flow && asked.iter().any(|r| matches!(r, Request::CopyText(t) if t.contains("wait-4h"))),
        Id::CopyMermaid => {
            after == flow && asked.iter().any(|r| matches!(r, Request::CopyText(t) if t.starts_with("flowchart TD")))
        }
        Id::CopyBlock => {
            after == flow && asked.iter().any(|r| matches!(r, Request::CopyText(t) if t.contains("cart_image")))
        }
        // What was asked for comes back as text, and the text says what it is.
        Id::Paste | Id::PasteBlock => asked.iter().any(|request| matches!(request, Request::AskPaste)),
        Id::Rename | Id::EditStep => asked.iter().any(|r| matches!(r, Request::Focus("Step name"))),
        Id::Duplicate => num_nodes.1 == num_nodes.0 + 1 && !selected(&["wait-4h"]),
        Id::Delete => after.node("wait-4h").is_none() && after.target("mail-1", "next").is_none(),
        Id::DeleteReconnect => {
            after.node("wait-4h").is_none() && after.target("mail-1", "next").is_some_and(|to| to.as_str() == "mail-2")
        }
        Id::SelectAll => next.selection.len() == flow.nodes.len(),
        Id::SelectNone => next.selection.is_empty() && !view.selection.is_empty(),
        Id::Layout => {
            pos(after, "mail-1").1 < pos(after, "wait-4h").1 && pos(after, "wait-4h").1 < pos(after, "mail-2").1
        }
        Id::LayoutRight => {
            pos(after, "mail-1").0 < pos(after, "wait-4h").0 && pos(after, "wait-4h").0 < pos(after, "mail-2").0
        }
        Id::AlignLeft | Id::AlignCenter | Id::AlignRight => all_same(|pos| pos.0),
        Id::AlignTop | Id::AlignMiddle | Id::AlignBottom => all_same(|pos| pos.1),
        Id::DistributeAcross => {
            let mut across: Vec<f32> = three.iter().map(|id| pos(after, id).0).collect();
            across.sort_by(f32::total_cmp);
            after != flow && ((across[1] - across[0]) - (across[2] - across[1])).abs() < 1.0
        }
        Id::DistributeDown => {
            let mut down: Vec<f32> = three.iter().map(|id| pos(after, id).1).collect();
            down.sort_by(f32::total_cmp);
            after != flow && ((down[1] - down[0]) - (down[2] - down[1])).abs() < 1.0
        }
        Id::FrameSelection => {
            let frame = next.selection.first().and_then(|id| after.node(id.as_str()));
            num_nodes.1 == num_nodes.0 + 1 && frame.is_some_and(|f| matches!(f.settings(), Some(Settings::Note(_))))
        }
        Id::FoldFrame => next.folded.len() == 1 && next.folded == next.selection,
        Id::NudgeLeft => moved("mail-1") == (-1.0, 0.0),
        Id::NudgeRight => moved("mail-1") == (1.0, 0.0),
        Id::NudgeUp => moved("mail-1") == (0.0, -1.0),
        Id::NudgeDown => moved("mail-1") == (0.0, 1.0),
        Id::Fit => next.fit_wanted && !view.fit_wanted,
        Id::FitSelection => next.fit_selection_wanted && !view.fit_selection_wanted,
        Id::ZoomIn => next.zoom > view.zoom,
        Id::ZoomOut => next.zoom < view.zoom,
        Id::ZoomActual => (next.zoom, view.zoom) == (1.0, 0.5),
        Id::PanelProblems => (view.panel, next.panel) == (Some(Panel::Problems), None),
        Id::PanelPreview => next.panel == Some(Panel::Preview),
        Id::PanelTimeline => next.panel == Some(Panel::Timeline),
        Id::SideOutline => next.side == Side::Outline,
        Id::ToggleTheme => new.theme != old.theme,
        Id::NextTab | Id::PreviousTab => new.active_idx != old.active_idx && after != flow,
        Id::CommandPalette => new.palette_open,
        Id::Find => next.search.is_open && asked.iter().any(|r| matches!(r, Request::Focus("find"))),
        Id::FindNext => next.search.current == view.search.current.map(|at| at + 1),
        Id::FindPrevious => next.search.current == Some(view.search.hits.len() - 1),
        Id::InsertAfter => next.insert_wanted,
        Id::NextStep => selected(&["mail-2"]),
        Id::PreviousStep => selected(&["mail-1"]),
        Id::LeftStep => !selected(&["mail-2"]) && next.selection.len() == 1,
        Id::RightStep => selected(&["mail-2"]),
        // A command without a case here is one that nobody has tried.
        _ => false,
    }
}

/// Whether this build lacks what a command does.
fn is_left_out(id: CommandId) -> bool {
    let (has_accounts, has_engine) = (cfg!(feature = "push"), cfg!(feature = "engine"));
    let talks_to_accounts = matches!(id, CommandId::ImportKlaviyo | CommandId::ImportHubspot);
    talks_to_accounts && !has_accounts || id == CommandId::PageRun && !has_engine
}

/// Every row of the table: a state before it, the command, and the change that it promises; and where it changed the
/// flow, one step back is the flow before it.
#[test]
fn every_command_does_what_it_says() {
    let mut wrong = Vec::new();
    for row in COMMANDS {
        let mut app = fixture::studio();
        before(row.id).into_iter().for_each(|command| _ = fixture::run(&mut app, command));
        let old = seen(&app);
        let can = available(&app, row.id);
        let asked = fixture::run(&mut app, row.id);
        let new = seen(&app);
        if is_left_out(row.id) {
            // A build without the part that does it says so and changes nothing.
            assert!(can.is_err_and(|Unavailable(why)| why.starts_with("This build")), "{:?}", row.id);
            assert_eq!(new, old, "{:?}", row.id);
            continue;
        }
        if can.is_err() || !does(row.id, &old, &new, &asked) {
            wrong.push(format!("{:?}: {can:?} {asked:?}", row.id));
        }
        let is_history = matches!(row.id, CommandId::Undo | CommandId::Redo);
        let same_tab = (old.num_documents, old.active_idx) == (new.num_documents, new.active_idx);
        if !is_history && same_tab && old.flow.is_some() && new.flow.is_some() && old.flow != new.flow {
            fixture::run(&mut app, CommandId::Undo);
            assert_eq!(seen(&app).flow, old.flow, "{:?}: one step", row.id);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A command that cannot be used says why and changes nothing.
#[test]
fn what_cannot_be_done_is_said_and_changes_nothing() {
    let states: [fn() -> App; 2] = [App::new, fixture::studio];
    let mut num_refused = 0;
    for state in states {
        for row in COMMANDS {
            let mut app = state();
            let Err(Unavailable(why)) = available(&app, row.id) else { continue };
            num_refused += 1;
            assert!(!why.is_empty() && !why.ends_with('.'), "{:?}: {why}", row.id);
            let old = seen(&app);
            let asked = fixture::run(&mut app, row.id);
            assert!(asked.is_empty() && seen(&app) == old, "{:?} {asked:?}", row.id);
            assert!(app.toasts.iter().any(|toast| toast.text == why), "{:?}", row.id);
        }
    }
    assert!(num_refused > 60, "{num_refused}");
}
