//! A studio without a machine: a world that does everything at once and a clock that stands. For pictures and tests.

use std::{path::PathBuf, sync::Arc};

use super::{Outside, Studio};
use crate::{
    app::{
        Answer, App, Command, Home, Request,
        files::{Task, Told},
        hand_over,
    },
    base::Instant,
    flow::file::Loaded,
};

/// A world that does jobs at once, keeps what was written, and answers no dialog.
#[derive(Default)]
pub struct Inline {
    answers: Vec<Answer>,
}

impl Outside for Inline {
    fn now(&self) -> Instant {
        Instant::from_millis(1_790_000_000_000)
    }

    fn perform(&mut self, request: Request, ctx: &egui::Context) {
        match request {
            Request::Start(job) => self.answers.push(Answer::Done(job.run_with(&super::requests::Images))),
            Request::Files(Task::Export { document, id, revision, target, flow, home, .. }) => {
                let result = hand_over::export(target, &flow, &home.workspace, &home.audience).map(Arc::new);
                self.answers.push(Told::Exported { document, id, revision, target, result }.into());
            }
            Request::CopyText(text) => ctx.copy_text(text),
            Request::Focus(field) => super::focus(ctx, field),
            _ => {}
        }
    }

    fn poll(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.answers)
    }
}

/// A studio with a flow open, before its first frame.
pub fn studio(path: Option<PathBuf>, loaded: Loaded, home: Home, dark: bool) -> Studio {
    let mut app = App::new();
    app.theme = if dark { crate::app::Theme::Dark } else { crate::app::Theme::Light };
    let mut studio = Studio::new(app, Box::new(Inline::default()));
    let opened = Answer::Opened { path, loaded: Box::new(loaded), home: Arc::new(home) };
    studio.command_at_once(Command::Answer(opened));
    studio
}

impl Studio {
    /// Does a command where there is no window yet.
    pub fn command_at_once(&mut self, command: Command) {
        self.command(command, &egui::Context::default());
    }

    /// The window as a PNG, in points by points, at so many pixels per point.
    pub fn picture(&mut self, size_in_points: (u32, u32), pixels_per_point: f32, dark: bool) -> Vec<u8> {
        let theme = if dark { egui::Theme::Dark } else { egui::Theme::Light };
        let setup = super::theme::install;
        super::snapshot::snapshot(size_in_points, pixels_per_point, theme, setup, |ui| self.root(ui)).to_png()
    }
}
