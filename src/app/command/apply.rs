//! The one place that does what is asked for: commands of the table, commands with a value, answers from outside.

use super::{
    Command, CommandId, Unavailable, available, bookmark_of, mark_of, page_of, selected_frames, selected_message,
};
use crate::{
    app::{
        Answer, App, Done, Panel, Request, Screen, Search, Side, Stamped, Theme, act,
        document::Document,
        files,
        jobs::{GivenUp, JobDone, Kind},
        mails::{self, Pane},
        ops, pages, search,
    },
    base::{Instant, NodeId},
    flow::Edit,
};

/// Does a command; called by `App::apply` alone.
pub(in crate::app) fn apply(app: &mut App, command: Command, now: Instant) -> Vec<Request> {
    match command {
        Command::Run(id) => return run(app, id, now),
        Command::OpenPath(path) => return vec![Request::Read(path)],
        Command::Dismiss(text) => app.toasts.retain(|toast| toast.text != text),
        Command::SetTheme(theme) => app.theme = theme,
        Command::ShowTab(id) => {
            if let Some(at) = app.documents.iter().position(|document| document.id == id) {
                app.active_idx = at;
                app.screen = Screen::Editor;
            }
        }
        Command::Act(act) => return crate::app::act::apply(app, act, now),
        Command::Page(act) => return pages::apply(app, act, now),
        Command::Mails(act) => return mails::apply(app, act, now),
        Command::Matrix(act) => return crate::app::matrix::sheet::apply(app, act, now),
        Command::Files(act) => return files::apply(app, act, now),
        #[cfg(feature = "engine")]
        Command::Engine(act) => return crate::app::run::apply(app, act, now),
        Command::Answer(answer) => return take(app, answer, now),
        Command::Paste { text, .. } if crate::app::import::is_platform_json(&text) => {
            match crate::app::import::open(app, &text, &Default::default(), now) {
                Ok(requests) => return requests,
                Err(why) => app.tell(why, true, now),
            }
        }
        other => {
            let Some(document) = app.document_mut() else { return Vec::new() };
            if let Err(refused) = on_document(document, other, now) {
                app.tell(refused, true, now);
            }
        }
    }
    Vec::new()
}

fn on_document(document: &mut Document, command: Command, now: Instant) -> Result<(), String> {
    let said = |error: crate::flow::EditError| {
        let text = error.to_string();
        let mut chars = text.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or(text.clone())
    };
    match command {
        Command::Select { nodes, toggle } => {
            let view = &mut document.view;
            view.edge = None;
            if !toggle {
                view.selection = nodes.into_iter().collect();
            } else {
                for id in nodes {
                    if !view.selection.remove(&id) {
                        view.selection.insert(id);
                    }
                }
            }
        }
        Command::SelectEdge { from, port } => {
            document.view.selection.clear();
            document.view.edge = Some((from, port));
        }
        Command::Begin(label) => document.history.begin(label),
        Command::Commit => document.history.commit(),
        Command::Abort => {
            document.history.abort();
            document.settle();
        }
        Command::MoveSelection { by } => {
            let edits = ops::moved(document.flow(), &document.view.selection, by);
            let label = ops::count_label("Move", document.view.selection.len());
            document.edit(&label, &edits, None).map_err(said)?;
        }
        Command::Edit { label, edits, merge } => {
            let merge = merge.as_deref().map(|key| (key, now));
            document.edit(&label, &edits, merge).map_err(said)?;
        }
        Command::Place(places) => {
            let edits: Vec<Edit> = places.into_iter().map(|(id, pos)| Edit::MoveNode { id, pos }).collect();
            document.edit(&ops::count_label("Move", edits.len()), &edits, None).map_err(said)?;
        }
        Command::Duplicate { by } => {
            let pasted = ops::clipboard::duplicate(document.flow(), &document.view.selection, by)?;
            document.edit(&ops::count_label("Duplicate", pasted.ids.len()), &pasted.edits, None).map_err(said)?;
            document.view.selection = pasted.ids.into_iter().collect();
        }
        Command::Paste { text, .. } if ops::clip_blocks::is_clip(&text) => {
            let message = selected_message(document).ok_or("Select a step that sends: what was copied are blocks")?;
            act::paste_blocks(document, &message, 0, None, &text)?;
        }
        Command::Paste { text, at } => {
            let pasted = ops::clipboard::paste(document.flow(), &text, at)?;
            document.edit(&ops::count_label("Paste", pasted.ids.len()), &pasted.edits, None).map_err(said)?;
            document.view.edge = None;
            document.view.selection = pasted.ids.into_iter().collect();
            act::kept_tags(&pasted.clashes)?;
        }
        Command::Insert { kind, at, after } => {
            let (id, edits) = ops::insert(document.flow(), &kind, at, after.as_ref())?;
            let title = crate::app::card::spec(&kind).map_or(kind.as_str(), |spec| spec.title);
            document.edit(&format!("Add {title}"), &edits, None).map_err(said)?;
            document.view.selection = [id].into();
            document.view.edge = None;
        }
        Command::Connect { from, port, to } => {
            let edits = ops::connect(document.flow(), &from, &port, &to);
            document.edit("Connect", &edits, None).map_err(said)?;
        }
        Command::InsertTaken => document.view.insert_wanted = false,
        Command::SetView { center_in_canvas, zoom } => {
            document.view.center_in_canvas = center_in_canvas;
            document.view.zoom = zoom.clamp(0.05, 3.0);
            document.view.fit_wanted = false;
            document.view.fit_selection_wanted = false;
        }
        Command::ChooseContact(contact) => {
            document.choose_contact(contact);
        }
        Command::ChooseEvent(event) => document.view.event = event,
        Command::ChooseInstant(at) => document.view.at = at,
        Command::SetOverlays(overlays) => document.view.overlays = overlays,
        Command::ShowPanel(panel) => document.view.panel = panel,
        Command::GoTo(id) => go_to(document, id),
        Command::Search(query) => {
            let hits = search::search(document.flow(), &query);
            document.view.search = Search { is_open: true, query, hits, current: None };
            find(document, true);
        }
        Command::Replace { id, kind } => {
            let edits = ops::replace::replace_kind(document.flow(), &id, &kind)?;
            document.edit("Replace step", &edits, None).map_err(said)?;
        }
        Command::DropOnEdge { id, from, port } => {
            let edits = ops::insert_on_edge::insert_on_edge(document.flow(), &id, &from, &port)?;
            document.edit("Insert on edge", &edits, None).map_err(said)?;
        }
        Command::Run(_)
        | Command::OpenPath(_)
        | Command::Dismiss(_)
        | Command::SetTheme(_)
        | Command::ShowTab(_)
        | Command::Act(_)
        | Command::Page(_)
        | Command::Mails(_)
        | Command::Matrix(_)
        | Command::Files(_)
        | Command::Answer(_) => {}
        #[cfg(feature = "engine")]
        Command::Engine(_) => {}
    }
    Ok(())
}

fn run(app: &mut App, id: CommandId, now: Instant) -> Vec<Request> {
    use CommandId as Id;
    if let Err(Unavailable(why)) = available(app, id) {
        app.tell(why, false, now);
        return Vec::new();
    }
    match id {
        Id::New => {
            let loaded = crate::app::new_flow("new-flow", "New flow");
            return app.open(None, loaded, std::sync::Arc::default());
        }
        Id::Open => return vec![Request::AskOpen],
        Id::ImportFile => return vec![Request::Files(files::Task::AskImport)],
        #[cfg(feature = "push")]
        Id::ImportKlaviyo | Id::ImportHubspot => {
            let is_hubspot = id == Id::ImportHubspot;
            let target = if is_hubspot { crate::flow::Target::Hubspot } else { crate::flow::Target::Klaviyo };
            let open = files::account::ImportAct::Open(target);
            return files::apply(app, files::Act::Account(open), now);
        }
        Id::Gallery => app.screen = Screen::Gallery,
        Id::ToggleTheme => {
            let is_dark = app.theme == Theme::Dark || (app.theme == Theme::System && app.system_is_dark);
            app.theme = if is_dark { Theme::Light } else { Theme::Dark };
        }
        Id::CommandPalette => app.palette_open = !app.palette_open,
        Id::CloseTab => {
            let id = app.document().map(|document| document.id);
            return id.map(|id| files::apply(app, files::Act::Close(id), now)).unwrap_or_default();
        }
        Id::NextTab | Id::PreviousTab => {
            let count = app.documents.len();
            let step = if id == Id::NextTab { 1 } else { count - 1 };
            if app.screen == Screen::Editor {
                app.active_idx = (app.active_idx + step) % count;
            }
            app.screen = Screen::Editor;
        }
        Id::Undo => return files::apply(app, files::Act::Undo(1), now),
        Id::Redo => return files::apply(app, files::Act::Redo(1), now),
        Id::Quit => return files::apply(app, files::Act::Quit, now),
        Id::Publish => return files::apply(app, files::Act::Show(Some(files::Page::Publish)), now),
        Id::SendTest => mails::send::open(app),
        Id::CompareWith => return files::apply(app, files::Act::Show(Some(files::Page::Compare)), now),
        Id::Settings => return files::apply(app, files::Act::Show(Some(files::Page::Settings)), now),
        Id::Shortcuts => return files::apply(app, files::Act::Show(Some(files::Page::Shortcuts)), now),
        Id::SelectNone if app.palette_open => app.palette_open = false,
        Id::SelectNone if app.files.page.is_some() => app.files.page = None,
        _ => {
            let Some(document) = app.document_mut() else { return Vec::new() };
            match id {
                Id::Copy | Id::Cut => {
                    let text = ops::clipboard::copy(document.flow(), &document.view.selection);
                    if id == Id::Cut {
                        let (label, edits) = ops::delete(document.flow(), &document.view.selection, None);
                        if let Err(refused) = document.edit(&label.replacen("Delete", "Cut", 1), &edits, None) {
                            app.tell(refused.to_string(), true, now);
                            return Vec::new();
                        }
                    }
                    return vec![Request::CopyText(text)];
                }
                Id::CopyMermaid => {
                    let text = crate::report::diagram::mermaid(document.flow(), &document.home.workspace);
                    return vec![Request::CopyText(text)];
                }
                Id::Paste | Id::PasteBlock => return vec![Request::AskPaste],
                Id::CopyBlock => {
                    let Some(message) = selected_message(document) else { return Vec::new() };
                    let copy = act::Act::CopyBlocks { message, variant_idx: 0, at: None };
                    return act::apply(app, copy, now);
                }
                Id::Find => {
                    document.view.search.is_open = true;
                    return vec![Request::Focus("find")];
                }
                Id::Rename | Id::EditStep => return vec![Request::Focus("Step name")],
                Id::Save | Id::SaveAs => {
                    let document = document.id;
                    return files::save(app, document, id == Id::SaveAs);
                }
                Id::Revert => return files::revert(document),
                _ => {
                    if let Err(refused) = run_on_document(document, id) {
                        app.tell(refused, true, now);
                    }
                }
            }
        }
    }
    Vec::new()
}

fn run_on_document(document: &mut Document, id: CommandId) -> Result<(), String> {
    use CommandId as Id;
    let toggle = |document: &mut Document, panel: Panel| {
        document.view.panel = if document.view.panel == Some(panel) { None } else { Some(panel) };
    };
    let said = |error: crate::flow::EditError| error.to_string();
    if let Some(n) = mark_of(id) {
        document.view.bookmarks.extend(document.selected().cloned().map(|node| (n, node)));
        return Ok(());
    }
    if let Some(node) = bookmark_of(id).and_then(|n| document.view.bookmarks.get(&n).cloned()) {
        return on_document(document, Command::GoTo(node), Instant::from_millis(0));
    }
    if let Some(page) = page_of(id) {
        if document.view.page == Some(page) {
            document.view.page = None;
        } else {
            pages::show(document, page);
        }
        return Ok(());
    }
    use ops::arrange::{Align, Axis};
    let align = match id {
        Id::AlignLeft => Some(Align::Left),
        Id::AlignCenter => Some(Align::Center),
        Id::AlignRight => Some(Align::Right),
        Id::AlignTop => Some(Align::Top),
        Id::AlignMiddle => Some(Align::Middle),
        Id::AlignBottom => Some(Align::Bottom),
        _ => None,
    };
    if let Some(align) = align {
        let edits = ops::arrange::align(document.flow(), &document.view.selection, align);
        return document.edit("Align", &edits, None).map_err(said);
    }
    let nudge = match id {
        Id::NudgeLeft => Some((-1, 0)),
        Id::NudgeRight => Some((1, 0)),
        Id::NudgeUp => Some((0, -1)),
        Id::NudgeDown => Some((0, 1)),
        _ => None,
    };
    if let Some((right, down)) = nudge {
        let moving = ops::frames::with_contents(document.flow(), &document.view.selection);
        let edits = ops::arrange::nudge(document.flow(), &moving, right, down, false);
        return document.edit("Nudge", &edits, None).map_err(said);
    }
    match id {
        Id::DistributeAcross | Id::DistributeDown => {
            let axis = if id == Id::DistributeAcross { Axis::Horizontal } else { Axis::Vertical };
            let edits = ops::arrange::distribute(document.flow(), &document.view.selection, axis);
            document.edit("Distribute", &edits, None).map_err(said)?;
        }
        Id::FrameSelection => {
            let (frame, edits) = ops::frames::frame_selection(document.flow(), &document.view.selection, "Frame")?;
            document.edit("Frame the selection", &edits, None).map_err(said)?;
            document.view.selection = [frame].into();
        }
        Id::FoldFrame => {
            for frame in selected_frames(document) {
                if !document.view.folded.remove(&frame) {
                    document.view.folded.insert(frame);
                }
            }
        }
        Id::FindNext | Id::FindPrevious => find(document, id == Id::FindNext),
        Id::InsertAfter => document.view.insert_wanted = true,
        Id::Delete => {
            let (label, edits) = ops::delete(document.flow(), &document.view.selection, document.view.edge.as_ref());
            document.edit(&label, &edits, None).map_err(said)?;
        }
        Id::DeleteReconnect => {
            let edits = ops::delete_reconnect(document.flow(), &document.view.selection);
            let label = ops::count_label("Delete and reconnect", document.view.selection.len());
            document.edit(&label, &edits, None).map_err(said)?;
        }
        Id::Mute => {
            let (label, edits) = ops::toggle_mute(document.flow(), &document.view.selection)?;
            document.edit(&label, &edits, None).map_err(said)?;
        }
        Id::SelectAll => {
            document.view.selection = document.flow().nodes.iter().map(|node| node.id.clone()).collect();
        }
        Id::SelectNone if document.view.page.is_some() => document.view.page = None,
        Id::SelectNone if document.view.search.is_open => document.view.search = Search::default(),
        Id::SelectNone => {
            document.history.abort();
            document.view.selection.clear();
            document.view.edge = None;
        }
        Id::Duplicate => on_document(document, Command::Duplicate { by: (32.0, 32.0) }, Instant::from_millis(0))?,
        Id::Layout | Id::LayoutRight => {
            let flowing = if id == Id::Layout { ops::layout::Flowing::Down } else { ops::layout::Flowing::Right };
            let edits = ops::layout::layout(document.flow(), &document.view.selection, flowing);
            document.edit("Arrange", &edits, None).map_err(said)?;
            document.view.fit_wanted = document.view.selection.is_empty();
        }
        Id::FitSelection => document.view.fit_selection_wanted = true,
        Id::Fit => document.view.fit_wanted = true,
        Id::ZoomIn => document.view.zoom = (document.view.zoom * 1.2).min(3.0),
        Id::ZoomOut => document.view.zoom = (document.view.zoom / 1.2).max(0.05),
        Id::ZoomActual => document.view.zoom = 1.0,
        Id::PanelProblems => toggle(document, Panel::Problems),
        Id::PanelPreview => toggle(document, Panel::Preview),
        Id::PanelTimeline => toggle(document, Panel::Timeline),
        Id::SideOutline => {
            document.view.side = if document.view.side == Side::Outline { Side::Palette } else { Side::Outline };
        }
        Id::NextStep | Id::PreviousStep | Id::LeftStep | Id::RightStep => {
            let direction = match id {
                Id::NextStep => ops::Direction::Down,
                Id::PreviousStep => ops::Direction::Up,
                Id::LeftStep => ops::Direction::Left,
                _ => ops::Direction::Right,
            };
            if let Some(next) = ops::neighbour(document.flow(), document.selected(), direction) {
                document.view.selection = [next].into();
                document.view.edge = None;
            }
        }
        Id::New
        | Id::Open
        | Id::ImportFile
        | Id::ImportKlaviyo
        | Id::ImportHubspot
        | Id::Gallery
        | Id::Save
        | Id::SaveAs
        | Id::Rename
        | Id::EditStep
        | Id::Cut
        | Id::Copy
        | Id::Paste
        | Id::CloseTab
        | Id::Publish
        | Id::CopyMermaid
        | Id::CompareWith
        | Id::Revert
        | Id::Settings
        | Id::Shortcuts
        | Id::NextTab
        | Id::PreviousTab
        | Id::Quit
        | Id::Undo
        | Id::Redo
        | Id::ToggleTheme
        | Id::CommandPalette => {}
        // Dealt with above: bookmarks, aligning, nudging, and what asks the world outside.
        _ => {}
    }
    Ok(())
}

fn take(app: &mut App, answer: Answer, now: Instant) -> Vec<Request> {
    match answer {
        Answer::Opened { path, loaded, home } => return app.open(path, *loaded, home),
        Answer::SavePath { document, path } => {
            return files::path_given(app, document, path);
        }
        Answer::Saved { document, path, revision } => {
            return files::saved(app, document, path, revision);
        }
        Answer::Failed(text) => app.tell(text, true, now),
        Answer::Told(text) => app.tell(text, false, now),
        Answer::Done(done) => job_done(app, done, now),
        Answer::Files(told) => return files::take(app, told, now),
        #[cfg(feature = "engine")]
        Answer::Engine(told) => return crate::app::run::take(app, *told, now),
    }
    Vec::new()
}

fn job_done(app: &mut App, done: Done, now: Instant) {
    let revision = done.revision;
    if let Some(JobDone::Tested(result)) = done.result {
        if let Some(document) = app.by_id(done.document) {
            document.derived.jobs.retain(|running| running.id != done.id);
        }
        return mails::send::sent(app, done.document, result, now);
    }
    let Some(document) = app.by_id(done.document) else { return };
    // What was asked before the surroundings changed is waited for by nobody.
    let Some(at) = document.derived.jobs.iter().position(|running| running.id == done.id) else { return };
    let mut running = document.derived.jobs.remove(at);
    let Some(result) = done.result else {
        if running.is_given_up {
            let (kind, revision, key) = (running.kind, running.revision, running.key.take());
            let given_up = GivenUp { kind, revision, is_hidden: false, key };
            // A test is sent again by its dialog.
            if given_up.kind != Kind::SendTest {
                document.derived.given_up.push(given_up);
            }
            app.tell(format!("{} was cancelled", running.kind.title()), false, now);
        } else if running.kind == Kind::WhatIf {
            // It was superseded; whoever goes back to those changes wants them worked out.
            document.derived.what_if_of = None;
        }
        return;
    };
    match result {
        JobDone::Checked(findings) => document.derived.findings = Some(Stamped { value: findings, revision }),
        JobDone::Replayed { window, report } => {
            document.derived.replay_window = window;
            document.derived.replay = Some(Stamped { value: report, revision });
        }
        JobDone::Previewed(previewed, Pane::First) => {
            document.derived.preview = Some(Stamped { value: previewed, revision });
        }
        JobDone::Previewed(previewed, Pane::Other) => {
            document.derived.other = Some(Stamped { value: previewed, revision });
        }
        // Said above, also where nobody waits for it any more.
        JobDone::Tested(_) => {}
        JobDone::Compared(made) => crate::app::compare::made(app, done.document, done.id, made),
        JobDone::Pictured { key, drawn } => document.derived.pictures.take(key, drawn),
        JobDone::Matrix(sheet) => document.derived.matrix = Some(Stamped { value: sheet, revision }),
        JobDone::Lab(node, result) => document.derived.lab = Some(Stamped { value: (node, result), revision }),
        JobDone::WhatIf(result) => document.derived.what_if = Some(Stamped { value: result, revision }),
        JobDone::Sought { from, result } => {
            // Whoever chose somebody else meanwhile wants to see them.
            if document.view.contact.as_ref() != Some(&from) {
                return;
            }
            let (said, is_error) = match result {
                Ok(Some((contact, differences))) => {
                    document.choose_contact(Some(contact));
                    let name = crate::app::act::contact_name(document).unwrap_or_default();
                    (format!("{name}: {differences}"), false)
                }
                Ok(None) => ("Everybody gets the same mail, apart from the values in it".to_owned(), false),
                Err(why) => (why, true),
            };
            app.tell(said, is_error, now);
        }
    }
}

/// Goes to the next hit, or the one before.
fn find(document: &mut Document, forward: bool) {
    let search = &mut document.view.search;
    search.current = search::step(search.hits.len(), search.current, forward);
    let Some(hit) = search.current.and_then(|at| search.hits.get(at)) else { return };
    let node = match &hit.spot {
        search::Spot::Step { id, .. } => Some(id.clone()),
        search::Spot::Message { sent_by, .. } => sent_by.clone(),
        search::Spot::Field(_) | search::Spot::Settings(_) => None,
    };
    match node {
        Some(node) => go_to(document, node),
        None => document.view.selection.clear(),
    }
}

fn go_to(document: &mut Document, id: NodeId) {
    if let Some(node) = document.flow().node(id.as_str()) {
        document.view.center_in_canvas = node.pos;
        document.view.fit_wanted = false;
        document.view.zoom = document.view.zoom.max(0.6);
        document.view.edge = None;
        document.view.page = None;
        document.view.selection = [id].into();
    }
}
