//! The window: canvas, panels, widgets, theme. Draws and asks, decides nothing.
//!
//! The one idea: while a frame is drawn the [`App`] is read-only; panels push [`Command`]s, which are applied after
//! drawing, and what they ask of the world goes to [`Outside`]. [`Studio::root`] is the same code in the window, in
//! tests and in pictures. Deliberately not here: anything a test without a window would want to read.

pub mod canvas;
pub use crate::report::icons;
pub mod inline;
mod keys;
mod panels;
pub mod probe;
pub mod raster;
pub mod requests;
pub mod snapshot;
#[cfg(test)]
pub mod testing;
pub mod theme;
pub mod widgets;

use egui::{CentralPanel, Frame, Panel, Ui};

use self::{canvas::Canvas, theme::Palette};
use crate::{
    app::{
        Answer, App, Command, Document, Request, Screen, Theme,
        files::{Act, wake_at},
    },
    base::Instant,
};

/// The world outside: clock, dialogs, files, threads.
pub trait Outside {
    /// The wall clock.
    fn now(&self) -> Instant;
    /// Does what was asked, or begins to.
    fn perform(&mut self, request: Request, ctx: &egui::Context);
    /// What has come back since.
    fn poll(&mut self) -> Vec<Answer>;
}

/// The studio: state, what panels keep for themselves, and the way out.
pub struct Studio {
    /// The state.
    pub app: App,
    canvas: Canvas,
    panels: panels::Drafts,
    outside: Box<dyn Outside>,
    /// The size of everything that was set last, and whether nothing glides.
    scale: Option<f32>,
    is_still: bool,
}

impl Studio {
    /// A studio before its first frame.
    pub fn new(app: App, outside: Box<dyn Outside>) -> Self {
        Self {
            app,
            canvas: Canvas::default(),
            panels: panels::Drafts::default(),
            outside,
            scale: None,
            is_still: false,
        }
    }

    /// Does a command at once, as if a panel had asked for it.
    pub fn command(&mut self, command: Command, ctx: &egui::Context) {
        let requests = self.app.apply(command, self.outside.now());
        for request in requests {
            self.outside.perform(request, ctx);
        }
    }

    /// One frame: take what came back, draw, apply what was asked.
    pub fn root(&mut self, ui: &mut Ui) {
        let ctx = ui.ctx().clone();
        for answer in self.outside.poll() {
            self.command(Command::Answer(answer), &ctx);
        }
        self.window(&ctx);
        self.app.system_is_dark = ctx.system_theme().is_none_or(|theme| theme == egui::Theme::Dark);
        ctx.set_theme(match self.app.theme {
            Theme::System => egui::ThemePreference::System,
            Theme::Light => egui::ThemePreference::Light,
            Theme::Dark => egui::ThemePreference::Dark,
        });
        let mut out = Vec::new();
        keys::take(&ctx, &self.app, self.canvas.has_keyboard(&ctx), &mut out);
        self.draw(ui, &mut out);
        for command in out {
            self.command(command, &ctx);
        }
        // What came back while drawing is shown at once where nothing else would wake the window.
        for answer in self.outside.poll() {
            self.command(Command::Answer(answer), &ctx);
            ctx.request_repaint();
        }
        self.sleep(&ctx);
    }

    /// What happens to the window itself: it is asked to close, gets the focus, has something dropped onto it; time
    /// passes.
    fn window(&mut self, ctx: &egui::Context) {
        let (is_focused, closes, dropped) = ctx.input(|i| {
            let is_focused = i.events.iter().any(|event| matches!(event, egui::Event::WindowFocused(true)));
            let dropped: Vec<_> = i.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect();
            (is_focused, i.viewport().close_requested(), dropped)
        });
        if closes && !self.app.files.leaving {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.command(Command::Files(Act::Quit), ctx);
        }
        if is_focused {
            self.command(Command::Files(Act::Focused), ctx);
        }
        for path in dropped {
            self.command(Command::Files(Act::Dropped(path)), ctx);
        }
        if wake_at(&self.app).is_some_and(|at| at <= self.outside.now()) {
            self.command(Command::Files(Act::Tick), ctx);
        }
        let preferences = &self.app.preferences;
        if (ctx.zoom_factor() - preferences.scale).abs() > 0.001 && self.scale != Some(preferences.scale) {
            ctx.set_zoom_factor(preferences.scale);
        }
        self.scale = Some(preferences.scale);
        if self.is_still != preferences.reduced_motion {
            self.is_still = preferences.reduced_motion;
            let seconds = if self.is_still { 0.0 } else { theme::ANIMATION_SECS };
            ctx.all_styles_mut(|style| style.animation_time = seconds);
        }
    }

    /// The window sleeps until a draft is due.
    fn sleep(&self, ctx: &egui::Context) {
        if let Some(at) = wake_at(&self.app) {
            let millis = at.since(self.outside.now()).max(0);
            ctx.request_repaint_after_secs(millis as f32 / 1000.0 + 0.01);
        }
    }

    fn draw(&mut self, ui: &mut Ui, out: &mut Vec<Command>) {
        let palette = Palette::get(ui);
        let bare = Frame::new().fill(palette.panel);
        let app = &self.app;
        if app.screen == Screen::Gallery {
            CentralPanel::default().frame(Frame::new().fill(palette.canvas)).show(ui, |ui| {
                panels::gallery(ui, app, &mut self.panels, out);
            });
        } else if let Some(document) = app.document() {
            Panel::top("top bar").exact_size(52.0).resizable(false).frame(bare).show(ui, |ui| {
                panels::top_bar(ui, app, document, out);
            });
            if app.documents.len() > 1 {
                Panel::top("tabs").exact_size(38.0).resizable(false).frame(bare).show(ui, |ui| {
                    panels::tabs(ui, app, out);
                });
            }
            if let Some(panel) = document.view.panel {
                let high = if panel == crate::app::Panel::Problems { 118.0 } else { 300.0 };
                Panel::bottom(("panel", format!("{panel:?}")))
                    .default_size(high)
                    .min_size(80.0)
                    // What is above it can always be pulled down again.
                    .max_size((ui.available_height() - 120.0).max(80.0))
                    .resizable(true)
                    .frame(bare)
                    .show(ui, |ui| panels::bottom(ui, app, document, &mut self.panels, panel, out));
            }
            if let Some(page) = document.view.page {
                // A mail is written beside its picture.
                if page == crate::app::pages::PageKind::Mails {
                    inspector(ui, app, document, &mut self.panels, out);
                }
                CentralPanel::default().frame(Frame::new().fill(palette.canvas)).show(ui, |ui| {
                    panels::page(ui, app, document, page, &mut self.panels, out);
                });
            } else {
                Panel::left("side").exact_size(212.0).resizable(false).frame(bare).show(ui, |ui| {
                    panels::side(ui, app, document, &mut self.panels, out);
                });
                inspector(ui, app, document, &mut self.panels, out);
                CentralPanel::default().frame(Frame::new().fill(palette.canvas)).show(ui, |ui| {
                    self.canvas.ui(ui, app, document, out);
                });
            }
        }
        panels::publish(ui, app, out);
        panels::compare(ui, app, &mut self.panels.compare, out);
        #[cfg(feature = "push")]
        panels::push(ui, app, out);
        #[cfg(feature = "push")]
        panels::account(ui, app, &mut self.panels.account, out);
        #[cfg(feature = "engine")]
        panels::question(ui, app, out);
        panels::send_test(ui, app, &mut self.panels, out);
        panels::settings(ui, app, &mut self.panels, out);
        panels::shortcuts(ui, app, out);
        panels::dialogs(ui, app, &mut self.panels, out);
        panels::command_palette(ui, app, &mut self.panels, out);
        panels::tray(ui, app, self.outside.now(), out);
        panels::toasts(ui, app, self.outside.now(), out);
    }
}

/// The panel at the right: the settings of what is selected.
fn inspector(ui: &mut Ui, app: &App, document: &Document, drafts: &mut panels::Drafts, out: &mut Vec<Command>) {
    let bare = Frame::new().fill(Palette::get(ui).panel);
    Panel::right("inspector").default_size(300.0).size_range(260.0..=520.0).resizable(true).frame(bare).show(
        ui,
        |ui| {
            panels::inspector(ui, app, document, drafts, out);
        },
    );
}

impl eframe::App for Studio {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.root(ui);
    }
}

/// Remembers that a response is the field of this name, which [`focus`] finds.
pub fn is_field(ctx: &egui::Context, name: &str, id: egui::Id) {
    ctx.data_mut(|data| data.insert_temp(egui::Id::unique(("field", name)), id));
}

/// Gives the keyboard to the field of this name.
pub fn focus(ctx: &egui::Context, name: &str) {
    let known = ctx.data(|data| data.get_temp::<egui::Id>(egui::Id::unique(("field", name))));
    // A field that is not drawn yet has the id of its name.
    ctx.memory_mut(|memory| memory.request_focus(known.unwrap_or(egui::Id::unique(name))));
}

/// Opens the window, on a flow or on the gallery; returns when it is closed.
///
/// Errors: no window could be opened, with what is missing and the one line that installs it, or what the system said.
pub fn run(flows: Vec<std::path::PathBuf>) -> Result<(), String> {
    // winit would panic over what this finds.
    probe::probe().map_err(|missing| missing.advice())?;
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Flowloom")
            .with_app_id("flowloom")
            .with_inner_size([1600.0, 1000.0])
            .with_min_inner_size([640.0, 420.0]),
        ..eframe::NativeOptions::default()
    };
    let start = move |creation: &eframe::CreationContext<'_>| {
        theme::install(&creation.egui_ctx);
        let mut studio = Studio::new(App::new(), Box::new(requests::System::new()));
        studio.app.files.opens_last = flows.is_empty();
        for path in flows {
            studio.command(Command::OpenPath(path), &creation.egui_ctx);
        }
        Ok(Box::new(studio) as Box<dyn eframe::App>)
    };
    eframe::run_native("Flowloom", options, Box::new(start)).map_err(|error| {
        // winit names places in its own sources before the reason, which says nothing to a user.
        let said = error.to_string();
        format!("No window can be opened: {}", said.rsplit(": ").next().unwrap_or(&said))
    })
}
