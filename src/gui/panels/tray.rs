//! The tray: long work with how far it is and a way to stop it, at the lower right; what was stopped, with a way to
//! have it after all. Draws nothing, and wakes nobody, while nothing takes long.

use egui::{Align, Align2, Area, Button, Frame, Id, Layout, Margin, Order, RichText, Ui, vec2};

use crate::{
    app::{
        App, Command,
        files::Act,
        jobs::{self, TrayRow},
    },
    base::Instant,
    gui::{
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// Width of the tray, in points.
const WIDTH: f32 = 324.0;
/// Least size of a button, in points.
const BUTTON: egui::Vec2 = vec2(0.0, 26.0);

/// Draws it, and asks to be drawn again while something is under way.
pub fn tray(ui: &mut Ui, app: &App, now: Instant, out: &mut Vec<Command>) {
    if let Some(millis) = jobs::redraw_in_millis(app, now) {
        ui.ctx().request_repaint_after_secs(millis as f32 / 1_000.0);
    }
    let rows = jobs::tray(app, now);
    if rows.is_empty() {
        return;
    }
    let area = Area::new(Id::unique("tray")).order(Order::Foreground).anchor(Align2::RIGHT_BOTTOM, vec2(-16.0, -16.0));
    area.show(ui.ctx(), |ui| {
        Frame::popup(ui.style()).inner_margin(Margin::symmetric(14, 10)).show(ui, |ui| {
            ui.set_width(WIDTH);
            for (n, row) in rows.iter().enumerate() {
                if n > 0 {
                    ui.add_space(6.0);
                }
                row_ui(ui, row, out);
            }
        });
    });
}

fn row_ui(ui: &mut Ui, row: &TrayRow, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let mut act = |act: Act| out.push(Command::Files(act));
    ui.horizontal(|ui| {
        let icon = RichText::new(icons::glyph("hourglass")).font(theme::icon(15.0)).color(palette.weak);
        ui.add(egui::Label::new(icon).selectable(false));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if row.is_cancelled {
                let close = Button::new(icons::glyph("x")).frame_when_inactive(false).small();
                if ui.add(close).accessible_name(format!("Dismiss: {}", row.title)).clicked() {
                    act(Act::HideJob(row.document, row.kind));
                }
                let again = ui.add(Button::new("Run again").min_size(BUTTON));
                if again.accessible_name(format!("Run again: {}", row.title)).clicked() {
                    act(Act::RunAgain(row.document, row.kind));
                }
            } else {
                let cancel = ui.add(Button::new("Cancel").min_size(BUTTON));
                if cancel.accessible_name(format!("Cancel: {}", row.title)).clicked() {
                    act(Act::CancelJob(row.document, row.kind));
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(&row.title).truncate().selectable(false));
            });
        });
    });
    if row.is_cancelled {
        ui.label(RichText::new("Cancelled").font(theme::regular(12.0)).color(palette.weak));
    } else {
        widgets::progress(ui, &row.title, row.share);
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc, sync::Arc};

    use egui_kittest::{Harness, kittest::Queryable as _};

    use super::*;
    use crate::{
        app::{Answer, Job, Request, fixture, jobs::Kind},
        flow::file,
        gui::{Outside, Studio},
    };

    /// A world whose jobs wait and whose clock is moved by hand.
    #[derive(Clone, Default)]
    struct World {
        jobs: Rc<RefCell<Vec<Job>>>,
        answers: Rc<RefCell<Vec<Answer>>>,
        millis: Rc<RefCell<i64>>,
    }

    impl Outside for World {
        fn now(&self) -> Instant {
            fixture::now().plus_millis(*self.millis.borrow())
        }

        fn perform(&mut self, request: Request, _ctx: &egui::Context) {
            if let Request::Start(job) = request {
                self.jobs.borrow_mut().push(job);
            }
        }

        fn poll(&mut self) -> Vec<Answer> {
            self.answers.take()
        }
    }

    impl World {
        /// What waits is done, but for one sort.
        fn work(&self, but: Option<Kind>) {
            let (stays, goes): (Vec<Job>, Vec<Job>) =
                self.jobs.take().into_iter().partition(|job| Some(job.work.kind()) == but);
            *self.jobs.borrow_mut() = stays;
            self.answers.borrow_mut().extend(goes.into_iter().map(|job| Answer::Done(job.run())));
        }
    }

    fn window(world: &World) -> Harness<'static, Studio> {
        let mut app = App::new();
        app.theme = crate::app::Theme::Light;
        let loaded = Box::new(file::read(fixture::text()).expect("a flow"));
        let home = Arc::new(crate::app::Home::clone(&fixture::home()));
        world.answers.borrow_mut().push(Answer::Opened { path: None, loaded, home });
        let studio = Studio::new(app, Box::new(world.clone()));
        let mut harness = Harness::builder()
            .with_size(vec2(1440.0, 900.0))
            .with_theme(egui::Theme::Light)
            .with_context_setup(theme::install)
            .build_ui_state(|ui, studio: &mut Studio| studio.root(ui), studio);
        harness.run_steps(4);
        harness
    }

    #[test]
    fn long_work_shows_its_progress_is_cancelled_and_asked_for_again() {
        let world = World::default();
        let mut h = window(&world);
        assert!(h.query_by_label("Cancel: Replaying the audience").is_none(), "not yet");
        world.work(Some(Kind::Replay));
        *world.millis.borrow_mut() = 500;
        assert!(world.jobs.borrow()[0].progress.keeps_on(0.42));
        h.run_steps(4);
        assert!(h.query_by_label("Replaying the audience: 42 %").is_some());
        h.get_by_label("Cancel: Replaying the audience").click();
        h.run_steps(2);
        assert!(world.jobs.borrow()[0].progress.is_cancelled());
        world.work(None);
        h.run_steps(4);
        assert!(h.query_by_label("Replaying the audience was cancelled").is_some(), "it says so");
        h.get_by_label("Run again: Replaying the audience").click();
        h.run_steps(2);
        assert_eq!(world.jobs.borrow().len(), 1);
        world.work(None);
        h.run_steps(4);
        assert!(h.query_by_label("Run again: Replaying the audience").is_none());
        assert!(h.state().app.documents[0].derived.replay.is_some());
        assert_eq!(jobs::redraw_in_millis(&h.state().app, world.now()), None, "the window sleeps");
    }
}
