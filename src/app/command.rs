//! Everything a user can do, as one table, and the one place that does it.
//!
//! A row of [`COMMANDS`] has label, help and key; menus, the command palette, the keyboard and the page of shortcuts
//! all read it. What needs more than a name (a drag, a typed value) is a [`Command`] of its own.

use smol_str::SmolStr;

use super::{
    Answer, App, DocumentId, Done, Panel, Request, Screen, Search, Side, Stamped, Theme,
    document::Document,
    files,
    jobs::{GivenUp, JobDone, Kind},
    mails::Pane,
    ops,
    pages::{self, PageKind},
};
use crate::{
    base::{ContactId, EventId, Instant, NodeId},
    flow::Edit,
};

/// A row of the command table.
#[derive(Clone, Copy, Debug)]
pub struct CommandRow {
    /// Which command.
    pub id: CommandId,
    /// Sentence case; "…" when something will be asked.
    pub label: &'static str,
    /// One sentence of help.
    pub help: &'static str,
    /// Keys, such as `Ctrl+Shift+Z`; several with a space between.
    pub keys: &'static str,
    /// Where it stands in menus and on the page of shortcuts.
    pub group: &'static str,
}

macro_rules! commands {
    ($($group:literal { $($id:ident $label:literal, $keys:literal, $help:literal;)* })*) => {
        /// A command that needs no argument.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum CommandId {
            $($(#[doc = $help] $id,)*)*
        }

        /// Every command, in the order of the menus.
        pub const COMMANDS: &[CommandRow] = &[
            $($(CommandRow { id: CommandId::$id, label: $label, help: $help, keys: $keys, group: $group },)*)*
        ];
    };
}

commands! {
    "File" {
        New "New flow", "Ctrl+N", "Begin an empty flow";
        Open "Open…", "Ctrl+O", "Open a flow file";
        Gallery "Gallery", "Ctrl+Shift+G", "Samples, templates and recent files";
        Save "Save", "Ctrl+S", "Write the flow to its file";
        SaveAs "Save as…", "Ctrl+Shift+S", "Write the flow to another file";
        Publish "Publish…", "Ctrl+E", "Hand the flow over: Klaviyo, HubSpot, a client, the engine";
        Revert "Revert", "", "Go back to the file as it is on the disk";
        CloseTab "Close", "Ctrl+W", "Close this flow";
        Settings "Settings…", "Ctrl+Comma", "Theme, size, keys, zone, numbers and dates";
        Quit "Quit", "Ctrl+Q", "Close the window";
    }
    "Edit" {
        Undo "Undo", "Ctrl+Z", "Take the last step back";
        Redo "Redo", "Ctrl+Shift+Z Ctrl+Y", "Do the last undone step again";
        Cut "Cut", "Ctrl+X", "Copy the selected steps and remove them";
        Copy "Copy", "Ctrl+C", "Copy the selected steps as text, with their messages and merge tags";
        Paste "Paste", "Ctrl+V", "Put copied steps into this flow";
        Rename "Rename", "F2", "Type a new name for the selected step";
        EditStep "Edit step", "Enter", "Go to the settings of the selected step";
        Duplicate "Duplicate", "Ctrl+D", "Copy the selected steps beside themselves";
        Delete "Delete", "Delete Backspace", "Remove what is selected";
        DeleteReconnect "Delete and reconnect", "Shift+Delete", "Remove the selected steps and join what came before to what comes after";
        Mute "Mute", "M", "Let journeys pass through the selected steps at once, or not any more";
        SelectAll "Select all", "Ctrl+A", "Select every step";
        SelectNone "Select nothing", "Escape", "Clear the selection, close what is open";
    }
    "Arrange" {
        Layout "Arrange top-down", "Ctrl+L", "Lay out the selected steps, or all, from top to bottom";
        AlignLeft "Align left edges", "", "Bring the left edges of the selected steps to one line";
        AlignCenter "Align centres", "", "Bring the middles of the selected steps into one column";
        AlignRight "Align right edges", "", "Bring the right edges of the selected steps to one line";
        AlignTop "Align upper edges", "", "Bring the upper edges of the selected steps to one line";
        AlignMiddle "Align middles", "", "Bring the middles of the selected steps into one row";
        AlignBottom "Align lower edges", "", "Bring the lower edges of the selected steps to one line";
        DistributeAcross "Distribute across", "", "Spread the selected steps evenly from left to right";
        DistributeDown "Distribute down", "", "Spread the selected steps evenly from top to bottom";
        FrameSelection "Frame the selection", "Ctrl+G", "Draw a frame around the selected steps that carries them";
        FoldFrame "Fold or unfold the frame", "Ctrl+Shift+F", "Show a frame as one card, or all that is in it";
        NudgeLeft "Nudge left", "Shift+ArrowLeft", "Move the selected steps by one line of the grid";
        NudgeRight "Nudge right", "Shift+ArrowRight", "Move the selected steps by one line of the grid";
        NudgeUp "Nudge up", "Shift+ArrowUp", "Move the selected steps by one line of the grid";
        NudgeDown "Nudge down", "Shift+ArrowDown", "Move the selected steps by one line of the grid";
        LayoutRight "Arrange left-right", "Ctrl+Alt+L", "Lay out the selected steps, or all, from left to right";
    }
    "View" {
        Fit "Fit the flow", "Ctrl+0 Home", "Show the whole flow";
        FitSelection "Fit the selection", "Ctrl+2", "Show all of what is selected";
        ZoomIn "Zoom in", "Ctrl+Plus Ctrl+Equals", "Larger";
        ZoomOut "Zoom out", "Ctrl+Minus", "Smaller";
        ZoomActual "Actual size", "Ctrl+1", "Zoom to 100 %";
        PanelProblems "Problems", "Ctrl+Shift+M", "Show or hide what the checks found";
        PanelPreview "Message preview", "Ctrl+Shift+P", "Show or hide the mail of the selected step";
        PanelTimeline "Time line", "Ctrl+Shift+T", "Show or hide what happens to the chosen contact";
        PageMails "Mails", "Ctrl+Shift+E", "Show the mail of the selected step on a page, or the canvas again";
        PageTags "Merge tags", "Ctrl+Shift+1 Ctrl+Shift+Exclamationmark", "Show every merge tag of the flow on a page, or the canvas again";
        PageSegments "Segments", "", "Show the segments of the workspace on a page, or the canvas again";
        PageScores "Score models", "", "Show the score models of the workspace on a page, or the canvas again";
        PageAudience "Audience", "", "Show the sample contacts on a page, or the canvas again";
        SideOutline "Outline", "Ctrl+Shift+O", "Show all steps as a tree, or the palette again";
        ToggleTheme "Light or dark", "Ctrl+Shift+L", "Switch between the light and the dark theme";
        NextTab "Next tab", "Ctrl+Tab Ctrl+PageDown", "Show the flow to the right";
        PreviousTab "Tab before", "Ctrl+Shift+Tab Ctrl+PageUp", "Show the flow to the left";
        Shortcuts "Shortcuts…", "Ctrl+Slash", "Every key on one page";
        CommandPalette "All commands…", "Ctrl+K F1", "Search every command by name";
    }
    "Go" {
        Find "Find…", "Ctrl+F", "Search steps, messages, conditions and merge tags";
        FindNext "Find next", "F3", "Go to the next place that was found";
        FindPrevious "Find the one before", "Shift+F3", "Go to the place found before";
        InsertAfter "Insert after…", "Insert", "Add a step behind the selected one, or in the middle of the canvas";
        NextStep "Next step", "ArrowDown", "Select the step that comes after";
        PreviousStep "Step before", "ArrowUp", "Select the step that comes before";
        LeftStep "Step to the left", "ArrowLeft", "Select the neighbour on the left";
        RightStep "Step to the right", "ArrowRight", "Select the neighbour on the right";
    }
    "Bookmarks" {
        Mark1 "Set bookmark 1", "Ctrl+Alt+1", "Remember the selected step as bookmark 1";
        Bookmark1 "Go to bookmark 1", "Alt+1", "Select the step of bookmark 1";
        Mark2 "Set bookmark 2", "Ctrl+Alt+2", "Remember the selected step as bookmark 2";
        Bookmark2 "Go to bookmark 2", "Alt+2", "Select the step of bookmark 2";
        Mark3 "Set bookmark 3", "Ctrl+Alt+3", "Remember the selected step as bookmark 3";
        Bookmark3 "Go to bookmark 3", "Alt+3", "Select the step of bookmark 3";
        Mark4 "Set bookmark 4", "Ctrl+Alt+4", "Remember the selected step as bookmark 4";
        Bookmark4 "Go to bookmark 4", "Alt+4", "Select the step of bookmark 4";
        Mark5 "Set bookmark 5", "Ctrl+Alt+5", "Remember the selected step as bookmark 5";
        Bookmark5 "Go to bookmark 5", "Alt+5", "Select the step of bookmark 5";
        Mark6 "Set bookmark 6", "Ctrl+Alt+6", "Remember the selected step as bookmark 6";
        Bookmark6 "Go to bookmark 6", "Alt+6", "Select the step of bookmark 6";
        Mark7 "Set bookmark 7", "Ctrl+Alt+7", "Remember the selected step as bookmark 7";
        Bookmark7 "Go to bookmark 7", "Alt+7", "Select the step of bookmark 7";
        Mark8 "Set bookmark 8", "Ctrl+Alt+8", "Remember the selected step as bookmark 8";
        Bookmark8 "Go to bookmark 8", "Alt+8", "Select the step of bookmark 8";
        Mark9 "Set bookmark 9", "Ctrl+Alt+9", "Remember the selected step as bookmark 9";
        Bookmark9 "Go to bookmark 9", "Alt+9", "Select the step of bookmark 9";
    }
}

/// Why a command cannot be used now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unavailable(pub &'static str);

/// What a panel, a key or the world outside asks for.
#[derive(Debug)]
pub enum Command {
    /// A command of the table.
    Run(CommandId),
    /// Select steps.
    Select {
        /// Which.
        nodes: Vec<NodeId>,
        /// Add them to the selection, or take them out where they are in it.
        toggle: bool,
    },
    /// Select an edge.
    SelectEdge {
        /// Where it begins.
        from: NodeId,
        /// By which port.
        port: SmolStr,
    },
    /// Begin a transaction, such as a drag.
    Begin(String),
    /// End it.
    Commit,
    /// End it and take back what it did.
    Abort,
    /// Move the selected steps by so many canvas units, inside a transaction.
    MoveSelection {
        /// To the right and down.
        by: (f32, f32),
    },
    /// Apply edits.
    Edit {
        /// What the undo list says.
        label: String,
        /// The edits, all or nothing.
        edits: Vec<Edit>,
        /// Joins typing in one field to one step.
        merge: Option<String>,
    },
    /// Put steps at these places, inside a transaction.
    Place(Vec<(NodeId, (f32, f32))>),
    /// Copy the selected steps beside themselves.
    Duplicate {
        /// So many canvas units to the right and down.
        by: (f32, f32),
    },
    /// Put copied steps into the flow.
    Paste {
        /// What was copied.
        text: String,
        /// Middle of the new steps; beside the old ones where left out.
        at: Option<(f32, f32)>,
    },
    /// Add a step of a kind.
    Insert {
        /// Kind of the step.
        kind: SmolStr,
        /// Where, by its centre.
        at: Option<(f32, f32)>,
        /// From this port on; what it led to comes after the new step.
        after: Option<(NodeId, SmolStr)>,
    },
    /// The list of kinds for [`CommandId::InsertAfter`] is open.
    InsertTaken,
    /// Draw an edge; one that leaves the port already is replaced.
    Connect {
        /// Where it begins.
        from: NodeId,
        /// By which port.
        port: SmolStr,
        /// Where it ends.
        to: NodeId,
    },
    /// Pan and zoom.
    SetView {
        /// Canvas point in the middle of the window.
        center_in_canvas: (f32, f32),
        /// Points on the screen per canvas unit.
        zoom: f32,
    },
    /// Choose the sample contact.
    ChooseContact(Option<ContactId>),
    /// Choose the event that let them in.
    ChooseEvent(Option<EventId>),
    /// Choose the instant of previews.
    ChooseInstant(Option<Instant>),
    /// Switch what is painted over the flow.
    SetOverlays(super::Overlays),
    /// Show a panel below the canvas, or none.
    ShowPanel(Option<Panel>),
    /// Show this tab.
    ShowTab(DocumentId),
    /// Search the flow, and go to the first hit.
    Search(String),
    /// Make another kind of step of one, keeping what fits.
    Replace {
        /// Which.
        id: NodeId,
        /// The new kind.
        kind: SmolStr,
    },
    /// Wire a loose step into an edge.
    DropOnEdge {
        /// The step.
        id: NodeId,
        /// Where the edge begins.
        from: NodeId,
        /// By which port.
        port: SmolStr,
    },
    /// Go to a step: select it and bring it into view.
    GoTo(NodeId),
    /// Open a file.
    OpenPath(std::path::PathBuf),
    /// Dismiss a toast by its text.
    Dismiss(String),
    /// Choose the theme.
    SetTheme(Theme),
    /// What the panels below the canvas ask for.
    Act(super::act::Act),
    /// What a page in the place of the canvas asks for.
    Page(pages::Act),
    /// What the mail page asks for.
    Mails(super::mails::Act),
    /// Something about files.
    Files(files::Act),
    /// Something came back from outside.
    Answer(Answer),
}

impl From<CommandId> for Command {
    fn from(id: CommandId) -> Self {
        Self::Run(id)
    }
}

/// Selected frames that can be folded.
fn selected_frames(document: &Document) -> Vec<NodeId> {
    let flow = document.flow();
    let is_frame = |id: &&NodeId| flow.node(id.as_str()).is_some_and(|node| ops::frames::frame_size(node).is_some());
    document.view.selection.iter().filter(is_frame).cloned().collect()
}

/// Goes to the next hit, or the one before.
fn find(document: &mut Document, forward: bool) {
    let search = &mut document.view.search;
    search.current = super::search::step(search.hits.len(), search.current, forward);
    let Some(hit) = search.current.and_then(|at| search.hits.get(at)) else { return };
    let node = match &hit.spot {
        super::search::Spot::Step { id, .. } => Some(id.clone()),
        super::search::Spot::Message { sent_by, .. } => sent_by.clone(),
        super::search::Spot::Field(_) | super::search::Spot::Settings(_) => None,
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

/// The page that a command opens.
fn page_of(id: CommandId) -> Option<PageKind> {
    match id {
        CommandId::PageMails => Some(PageKind::Mails),
        CommandId::PageTags => Some(PageKind::Tags),
        CommandId::PageSegments => Some(PageKind::Segments),
        CommandId::PageScores => Some(PageKind::Scores),
        CommandId::PageAudience => Some(PageKind::Audience),
        _ => None,
    }
}

/// Which bookmark a command sets.
fn mark_of(id: CommandId) -> Option<u8> {
    let n = (id as usize).checked_sub(CommandId::Mark1 as usize)?;
    (n < 18 && n.is_multiple_of(2)).then_some(n as u8 / 2 + 1)
}

/// Which bookmark a command goes to.
fn bookmark_of(id: CommandId) -> Option<u8> {
    let n = (id as usize).checked_sub(CommandId::Mark1 as usize)?;
    (n < 18 && !n.is_multiple_of(2)).then_some(n as u8 / 2 + 1)
}

/// The row of a command.
pub fn row(id: CommandId) -> &'static CommandRow {
    &COMMANDS[id as usize]
}

/// Whether a command can be used now.
///
/// Errors: why not, as a tooltip says it.
pub fn available(app: &App, id: CommandId) -> Result<(), Unavailable> {
    use CommandId as Id;
    let no = |why| Err(Unavailable(why));
    match id {
        Id::New
        | Id::Open
        | Id::Gallery
        | Id::ToggleTheme
        | Id::CommandPalette
        | Id::Settings
        | Id::Shortcuts
        | Id::Quit => return Ok(()),
        Id::NextTab | Id::PreviousTab if app.documents.len() < 2 => return no("No other flow is open"),
        Id::NextTab | Id::PreviousTab => return Ok(()),
        Id::SelectNone if app.files.page.is_some() => return Ok(()),
        _ => {}
    }
    let Some(document) = app.document() else { return no("No flow is open") };
    match id {
        Id::Save => document.on_disk.read_only.map_or(Ok(()), |why| no(why.why())),
        Id::Revert if document.path.is_none() => no("The flow has no file yet"),
        Id::Revert if document.history.is_clean() => no("The flow is as in its file"),
        Id::Undo if document.history.undo_labels().next().is_none() => no("Nothing to undo"),
        Id::Redo if document.history.redo_labels().next().is_none() => no("Nothing to do again"),
        Id::Delete if document.view.selection.is_empty() && document.view.edge.is_none() => no("Nothing is selected"),
        Id::Cut | Id::Copy | Id::Duplicate | Id::DeleteReconnect | Id::Mute | Id::FitSelection
            if document.view.selection.is_empty() =>
        {
            no("No step is selected")
        }
        Id::AlignLeft | Id::AlignCenter | Id::AlignRight | Id::AlignTop | Id::AlignMiddle | Id::AlignBottom
            if document.view.selection.len() < 2 =>
        {
            no("Select two steps or more")
        }
        Id::DistributeAcross | Id::DistributeDown if document.view.selection.len() < 3 => {
            no("Select three steps or more")
        }
        Id::FrameSelection | Id::NudgeLeft | Id::NudgeRight | Id::NudgeUp | Id::NudgeDown
            if document.view.selection.is_empty() =>
        {
            no("No step is selected")
        }
        Id::FoldFrame if selected_frames(document).is_empty() => no("Select a frame"),
        Id::FindNext | Id::FindPrevious if document.view.search.hits.is_empty() => no("Nothing is searched for"),
        Id::Rename | Id::EditStep if document.selected().is_none() => no("Select one step"),
        id if mark_of(id).is_some() && document.selected().is_none() => no("Select one step"),
        id if bookmark_of(id).is_some_and(|n| !document.view.bookmarks.contains_key(&n)) => {
            no("This bookmark is not set")
        }
        Id::SelectAll | Id::Fit | Id::Layout | Id::LayoutRight if document.flow().nodes.is_empty() => {
            no("The flow has no steps")
        }
        Id::NextStep | Id::PreviousStep | Id::LeftStep | Id::RightStep if document.flow().nodes.is_empty() => {
            no("The flow has no steps")
        }
        _ => Ok(()),
    }
}

/// Does a command; called by [`App::apply`] alone.
pub(super) fn apply(app: &mut App, command: Command, now: Instant) -> Vec<Request> {
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
        Command::Act(act) => return super::act::apply(app, act, now),
        Command::Page(act) => return pages::apply(app, act, now),
        Command::Mails(act) => return super::mails::apply(app, act, now),
        Command::Files(act) => return files::apply(app, act, now),
        Command::Answer(answer) => return take(app, answer, now),
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
        Command::Paste { text, at } => {
            let pasted = ops::clipboard::paste(document.flow(), &text, at)?;
            document.edit(&ops::count_label("Paste", pasted.ids.len()), &pasted.edits, None).map_err(said)?;
            document.view.edge = None;
            document.view.selection = pasted.ids.into_iter().collect();
            if !pasted.clashes.is_empty() {
                let names: Vec<String> = pasted.clashes.iter().map(ToString::to_string).collect();
                return Err(format!(
                    "Merge tags that this flow declares in another way, and keeps: {}",
                    names.join(", ")
                ));
            }
        }
        Command::Insert { kind, at, after } => {
            let (id, edits) = ops::insert(document.flow(), &kind, at, after.as_ref())?;
            let title = super::card::spec(&kind).map_or(kind.as_str(), |spec| spec.title);
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
            let hits = super::search::search(document.flow(), &query);
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
        | Command::Files(_)
        | Command::Answer(_) => {}
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
            let loaded = super::new_flow("new-flow", "New flow");
            return app.open(None, loaded, std::sync::Arc::default());
        }
        Id::Open => return vec![Request::AskOpen],
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
        Id::Quit => return files::apply(app, files::Act::Quit, now),
        Id::Publish => return files::apply(app, files::Act::Show(Some(files::Page::Publish)), now),
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
                Id::Paste => return vec![Request::AskPaste],
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
        document.view.page = Some(page).filter(|page| document.view.page != Some(*page));
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
        Id::Undo => {
            document.history.undo();
            document.settle();
        }
        Id::Redo => {
            document.history.redo();
            document.settle();
        }
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
        | Id::Revert
        | Id::Settings
        | Id::Shortcuts
        | Id::NextTab
        | Id::PreviousTab
        | Id::Quit
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
    }
    Vec::new()
}

fn job_done(app: &mut App, done: Done, now: Instant) {
    let revision = done.revision;
    let Some(document) = app.by_id(done.document) else { return };
    // What was asked before the surroundings changed is waited for by nobody.
    let Some(at) = document.derived.jobs.iter().position(|running| running.id == done.id) else { return };
    let mut running = document.derived.jobs.remove(at);
    let Some(result) = done.result else {
        if running.is_given_up {
            let (kind, revision, key) = (running.kind, running.revision, running.key.take());
            let given_up = GivenUp { kind, revision, is_hidden: false, key, picture: running.picture };
            document.derived.given_up.push(given_up);
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
        JobDone::Previewed { previewed, pane } => {
            let stamped = Some(Stamped { value: previewed, revision });
            match pane {
                Pane::First => document.derived.preview = stamped,
                Pane::Other => document.derived.other = stamped,
            }
        }
        JobDone::Pictured { key, drawn } => document.derived.pictures.take(key, drawn),
        JobDone::WhatIf(result) => document.derived.what_if = Some(Stamped { value: result, revision }),
        JobDone::Sought { from, result } => {
            // Whoever chose somebody else meanwhile wants to see them.
            if document.view.contact.as_ref() != Some(&from) {
                return;
            }
            let (said, is_error) = match result {
                Ok(Some((contact, differences))) => {
                    document.choose_contact(Some(contact));
                    let name = super::act::contact_name(document).unwrap_or_default();
                    (format!("{name}: {differences}"), false)
                }
                Ok(None) => ("Everybody gets the same mail, apart from the values in it".to_owned(), false),
                Err(why) => (why, true),
            };
            app.tell(said, is_error, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

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
}
