//! Scripts of commands as hands give them, in any order: nothing breaks the flow, and undo takes everything back.

use std::sync::Arc;

use super::{App, Command, CommandId, Request, command, fixture};
use crate::{
    base::NodeId,
    flow::{Edit, file},
    testing::Rng,
};

/// What changes the flow, the selection or the view of it, and asks nobody.
fn is_inside(id: CommandId) -> bool {
    use CommandId as Id;
    !matches!(
        id,
        Id::New
            | Id::Open
            | Id::Gallery
            | Id::Save
            | Id::SaveAs
            | Id::Publish
            | Id::Revert
            | Id::CloseTab
            | Id::Settings
            | Id::Quit
            | Id::NextTab
            | Id::PreviousTab
            | Id::Shortcuts
            | Id::CommandPalette
            | Id::ToggleTheme
            | Id::Paste
    )
}

/// A hand at the studio: what it does is drawn from a seed.
struct Hand {
    rng: Rng,
    app: App,
    clipboard: String,
}

impl Hand {
    fn new(seed: u64) -> Self {
        let mut app = App::new();
        // Nobody does the jobs, so the surroundings may be empty.
        app.open(None, file::read(fixture::text()).expect("the sample"), Arc::default());
        Self { rng: Rng::new(seed), app, clipboard: String::new() }
    }

    /// Jobs are left alone: what they derive is not part of the document.
    fn give(&mut self, command: Command) {
        for request in self.app.apply(command, fixture::now()) {
            if let Request::CopyText(text) = request {
                self.clipboard = text;
            }
        }
    }

    fn some_step(&mut self) -> Option<NodeId> {
        let document = self.app.document()?;
        self.rng.pick(&document.flow().nodes).map(|node| node.id.clone())
    }

    fn step(&mut self) {
        match self.rng.below(12) {
            0 | 1 => {
                let count = 1 + self.rng.below(3);
                let nodes = (0..count).filter_map(|_| self.some_step()).collect();
                let toggle = self.rng.percent(30);
                self.give(Command::Select { nodes, toggle });
            }
            2 => {
                let kind =
                    *self.rng.pick(&["delay", "email", "condition", "exit", "note", "split"]).unwrap_or(&"delay");
                let after = self.some_step().filter(|_| self.rng.percent(60)).and_then(|id| {
                    let ports = self.app.document()?.flow().node(id.as_str())?.ports();
                    Some((id, self.rng.pick(&ports)?.name.clone()))
                });
                let at = (self.rng.range(-400, 400) as f32, self.rng.range(0, 900) as f32);
                self.give(Command::Insert { kind: kind.into(), at: Some(at), after });
            }
            3 => {
                let (Some(from), Some(to)) = (self.some_step(), self.some_step()) else { return };
                let ports = self.app.document().and_then(|d| d.flow().node(from.as_str()).map(|n| n.ports()));
                let Some(port) = ports.and_then(|ports| Some(self.rng.pick(&ports)?.name.clone())) else { return };
                self.give(Command::Connect { from, port, to });
            }
            4 => {
                // A drag that is let go, or given up.
                self.give(Command::Begin("Move".to_owned()));
                for _ in 0..3 {
                    let by = (self.rng.range(-60, 60) as f32, self.rng.range(-60, 60) as f32);
                    self.give(Command::MoveSelection { by });
                }
                let is_kept = self.rng.percent(70);
                self.give(if is_kept { Command::Commit } else { Command::Abort });
            }
            5 => self.give(Command::Duplicate { by: (32.0, 32.0) }),
            6 => {
                let text = self.clipboard.clone();
                self.give(Command::Paste { text, at: None });
            }
            7 => {
                let Some(id) = self.some_step() else { return };
                let kind = *self.rng.pick(&["delay", "wait_for_event", "cap", "email"]).unwrap_or(&"delay");
                self.give(Command::Replace { id, kind: kind.into() });
            }
            8 => {
                let Some(id) = self.some_step() else { return };
                let title = format!("Step {}", self.rng.below(99));
                let edits = vec![Edit::SetTitle { id, title }];
                // Typing in a field joins to one step of the history.
                let merge = Some("title".to_owned()).filter(|_| self.rng.percent(50));
                self.give(Command::Edit { label: "Rename".to_owned(), edits, merge });
            }
            _ => {
                let rows: Vec<CommandId> =
                    command::COMMANDS.iter().map(|row| row.id).filter(|id| is_inside(*id)).collect();
                if let Some(id) = self.rng.pick(&rows).copied() {
                    self.give(Command::Run(id));
                }
            }
        }
    }

    fn text(&self) -> String {
        self.app.document().expect("open").text()
    }

    /// What must hold after every command.
    fn check(&self, seed: u64, at: usize) {
        let document = self.app.document().expect("open");
        let broken = document.flow().invariants();
        assert!(broken.is_empty(), "seed {seed}, command {at}: {broken:?}");
        let gone = document.view.selection.iter().find(|id| document.flow().node(id.as_str()).is_none());
        assert_eq!(gone, None, "seed {seed}, command {at}: a step is selected that is gone");
        if let Some((from, port)) = &document.view.edge {
            assert!(document.flow().target(from.as_str(), port).is_some(), "seed {seed}, command {at}: a lost edge");
        }
    }
}

#[test]
fn any_script_is_undone_and_done_again_whole() {
    for seed in 0..150 {
        let mut hand = Hand::new(seed);
        let before = hand.text();
        for at in 0..60 {
            hand.step();
            hand.check(seed, at);
        }
        // A drag that a command broke off is over by now or ends here.
        hand.give(Command::Commit);
        let after = hand.text();
        let undo = |hand: &mut Hand| {
            for at in 0.. {
                if command::available(&hand.app, CommandId::Undo).is_err() {
                    break;
                }
                hand.give(CommandId::Undo.into());
                hand.check(seed, at);
            }
        };
        // What the script itself undid may be done again from here: the way back is what counts.
        undo(&mut hand);
        assert_eq!(hand.text(), before, "seed {seed}: undoing everything gives the first flow back");
        while command::available(&hand.app, CommandId::Redo).is_ok() {
            hand.give(CommandId::Redo.into());
        }
        if hand.text() != after {
            // The script had undone something at its end, which redo does again, too.
            let mut found = false;
            while command::available(&hand.app, CommandId::Undo).is_ok() && !found {
                hand.give(CommandId::Undo.into());
                found = hand.text() == after;
            }
            assert!(found, "seed {seed}: doing everything again comes by the last flow");
        }
        undo(&mut hand);
        assert_eq!(hand.text(), before, "seed {seed}: and back once more");
    }
}

#[test]
fn undo_never_moves_the_view() {
    for seed in 100..130 {
        let mut hand = Hand::new(seed);
        for _ in 0..30 {
            hand.step();
        }
        hand.give(Command::Commit);
        hand.give(Command::SetView { center_in_canvas: (12.0, -7.0), zoom: 0.8 });
        while command::available(&hand.app, CommandId::Undo).is_ok() {
            hand.give(CommandId::Undo.into());
            let view = &hand.app.document().expect("open").view;
            assert_eq!((view.center_in_canvas, view.zoom), ((12.0, -7.0), 0.8), "seed {seed}");
        }
    }
}
