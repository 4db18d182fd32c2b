//! A studio without a machine: a world that does everything at once and a clock that stands. For pictures and tests.

use std::{path::PathBuf, sync::Arc};

use super::{Outside, Studio};
use crate::{
    app::{Answer, App, Command, Home, Request},
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
            Request::Start(job) => self.answers.push(Answer::Done(job.run())),
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
pub fn studio(path: Option<PathBuf>, loaded: Loaded, home: Home, theme: egui::Theme) -> Studio {
    let mut app = App::new();
    app.theme = if theme == egui::Theme::Light { crate::app::Theme::Light } else { crate::app::Theme::Dark };
    let mut studio = Studio::new(app, Box::new(Inline::default()));
    let opened = Answer::Opened { path, loaded: Box::new(loaded), home: Arc::new(home) };
    studio.command(Command::Answer(opened), &egui::Context::default());
    studio
}
