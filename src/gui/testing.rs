//! A studio for tests: the same code as the window, with a world that does everything at once and a clock that stands.

use egui_kittest::Harness;

use super::{Outside, Studio, theme};
use crate::{
    app::{Answer, App, Command, Home, Request},
    base::Instant,
    flow::file,
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
            _ => {}
        }
    }

    fn poll(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.answers)
    }
}

/// A studio with a flow of this text open, in a window of 1440 by 900.
pub fn studio(text: &str) -> Harness<'static, Studio> {
    studio_in(text, Home::default(), egui::vec2(1440.0, 900.0), egui::Theme::Light)
}

/// A studio with a flow and its surroundings.
pub fn studio_in(text: &str, home: Home, size: egui::Vec2, theme: egui::Theme) -> Harness<'static, Studio> {
    let mut app = App::new();
    app.theme = if theme == egui::Theme::Light { crate::app::Theme::Light } else { crate::app::Theme::Dark };
    let mut studio = Studio::new(app, Box::new(Inline::default()));
    let loaded = file::read(text).expect("a flow");
    let opened = Answer::Opened { path: None, loaded: Box::new(loaded), home: std::sync::Arc::new(home) };
    studio.command(Command::Answer(opened), &egui::Context::default());
    let mut harness = Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .with_context_setup(theme::install)
        .build_ui_state(|ui, studio: &mut Studio| studio.root(ui), studio);
    harness.run_steps(4);
    harness
}

/// The watch shop's flow as shipped.
pub const WATCH: &str = include_str!("../../sample_flows/watch-shop/watch-shop.flow.ron");

/// The flow of the open document.
pub fn flow(harness: &Harness<'_, Studio>) -> crate::flow::Flow {
    harness.state().app.document().expect("a document").flow().clone()
}
