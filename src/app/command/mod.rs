//! Everything a user can do, as one table.
//!
//! A row of [`COMMANDS`] has label, help and key; menus, the command palette, the keyboard and the page of shortcuts
//! all read it. What needs more than a name (a drag, a typed value) is a [`Command`] of its own. Deliberately not here:
//! doing it, which is `apply`.

mod apply;
pub mod keys;
#[cfg(test)]
mod tests;

pub(super) use self::apply::apply;

use smol_str::SmolStr;

use super::{
    Answer, App, DocumentId, Panel, Theme,
    document::Document,
    files, ops,
    pages::{self, PageKind},
};
use crate::{
    base::{ContactId, EventId, Instant, MessageId, NodeId},
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
        ImportFile "Import from a file…", "", "Open the JSON of a Klaviyo flow or a HubSpot workflow";
        ImportKlaviyo "Import from Klaviyo account…", "", "Choose a flow of a Klaviyo account and open it here";
        ImportHubspot "Import from HubSpot account…", "", "Choose a workflow of a HubSpot account and open it here";
        Gallery "Gallery", "Ctrl+Shift+G", "Samples, templates and recent files";
        Save "Save", "Ctrl+S", "Write the flow to its file";
        SaveAs "Save as…", "Ctrl+Shift+S", "Write the flow to another file";
        Publish "Publish…", "Ctrl+E", "Hand the flow over: Klaviyo, HubSpot, a client, the engine";
        SendTest "Send test…", "", "Send the shown mail to yourself, by a mail server or as a file";
        CompareWith "Compare with…", "", "Show this flow and an earlier version, or another file, side by side";
        CopyMermaid "Copy as Mermaid", "", "Copy the flow as text that wikis and issue trackers draw";
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
        Paste "Paste", "Ctrl+V", "Put copied steps into this flow, copied blocks into the selected step's mail";
        CopyBlock "Copy blocks", "", "Copy all blocks of the selected step's mail as text, with the merge tags they use";
        PasteBlock "Paste blocks", "", "Put copied blocks into the selected step's mail";
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
        PageMatrix "Matrix", "Ctrl+Shift+H", "Show every message for every contact on a page, or the canvas again";
        PageFlow "Flow settings", "", "Show the settings of flow and workspace on a page, or the canvas again";
        PageTags "Merge tags", "Ctrl+Shift+1 Ctrl+Shift+Exclamationmark", "Show every merge tag of the flow on a page, or the canvas again";
        PageConstants "Constants", "", "Show the constants of the flow on a page, or the canvas again";
        PageSegments "Segments", "", "Show the segments of the workspace on a page, or the canvas again";
        PageScores "Score models", "", "Show the score models of the workspace on a page, or the canvas again";
        PageEvents "Events", "", "Show the catalogue of events on a page, or the canvas again";
        PageLists "Lists", "", "Show the lists of the workspace on a page, or the canvas again";
        PageSenders "Senders", "", "Show the senders of the workspace on a page, or the canvas again";
        PagePools "Code pools", "", "Show the code pools of the workspace on a page, or the canvas again";
        PageAudience "Audience", "", "Show the sample contacts on a page, or the canvas again";
        PageRun "Run", "Ctrl+Shift+R", "Show the engine that runs the flow on a page, or the canvas again";
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
    /// What the matrix page asks for.
    Matrix(super::matrix::sheet::Act),
    /// Something about files.
    Files(files::Act),
    /// What the page of the engine asks for.
    #[cfg(feature = "engine")]
    Engine(super::run::Act),
    /// Something came back from outside.
    Answer(Answer),
}

impl From<CommandId> for Command {
    fn from(id: CommandId) -> Self {
        Self::Run(id)
    }
}

/// The message of the one selected step that sends.
fn selected_message(document: &Document) -> Option<MessageId> {
    let node = document.flow().node(document.selected()?.as_str())?;
    Some(node.settings()?.message()?.0.clone())
}

/// Selected frames that can be folded.
fn selected_frames(document: &Document) -> Vec<NodeId> {
    let flow = document.flow();
    let is_frame = |id: &&NodeId| flow.node(id.as_str()).is_some_and(|node| ops::frames::frame_size(node).is_some());
    document.view.selection.iter().filter(is_frame).cloned().collect()
}

/// The command that opens a page.
pub fn command_of(page: PageKind) -> CommandId {
    match page {
        PageKind::Mails => CommandId::PageMails,
        PageKind::Matrix => CommandId::PageMatrix,
        PageKind::Flow => CommandId::PageFlow,
        PageKind::Tags => CommandId::PageTags,
        PageKind::Constants => CommandId::PageConstants,
        PageKind::Segments => CommandId::PageSegments,
        PageKind::Scores => CommandId::PageScores,
        PageKind::Events => CommandId::PageEvents,
        PageKind::Lists => CommandId::PageLists,
        PageKind::Senders => CommandId::PageSenders,
        PageKind::Pools => CommandId::PagePools,
        PageKind::Audience => CommandId::PageAudience,
        PageKind::Run => CommandId::PageRun,
    }
}

/// The page that a command opens.
fn page_of(id: CommandId) -> Option<PageKind> {
    PageKind::ALL.into_iter().find(|page| command_of(*page) == id)
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
        Id::ImportKlaviyo | Id::ImportHubspot if cfg!(not(feature = "push")) => {
            return no("This build of Flowloom talks to no accounts");
        }
        Id::PageRun if cfg!(not(feature = "engine")) => return no("This build of Flowloom runs no flows"),
        Id::New
        | Id::Open
        | Id::ImportFile
        | Id::ImportKlaviyo
        | Id::ImportHubspot
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
        Id::SendTest if selected_message(document).is_none() => no("Select a step that sends a mail"),
        Id::CopyBlock | Id::PasteBlock if selected_message(document).is_none() => no("Select a step that sends"),
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
