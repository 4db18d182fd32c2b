//! Short words at the bottom that go away by themselves and never take the focus.

use egui::{Align2, Area, Frame, Id, Margin, Order, RichText, Ui, vec2};

use crate::{
    app::{App, Command},
    base::Instant,
    gui::{
        icons,
        theme::{self, Palette},
    },
};

/// How long a word stays, in milliseconds; failures stay until dismissed. Source: assumption, a sentence and a half.
const STAYS_MILLIS: i64 = 5_000;

/// Draws them.
pub fn toasts(ui: &mut Ui, app: &App, now: Instant, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    if app.toasts.is_empty() {
        return;
    }
    Area::new(Id::unique("toasts")).order(Order::Foreground).anchor(Align2::CENTER_BOTTOM, vec2(0.0, -24.0)).show(
        ui.ctx(),
        |ui| {
            for toast in app.toasts.iter().rev().take(3) {
                let left = STAYS_MILLIS - now.since(toast.since);
                if !toast.is_error && left <= 0 {
                    out.push(Command::Dismiss(toast.text.clone()));
                    continue;
                }
                if !toast.is_error {
                    ui.ctx().request_repaint_after_secs(left as f32 / 1000.0);
                }
                Frame::popup(ui.style()).inner_margin(Margin::symmetric(14, 10)).show(ui, |ui| {
                    ui.set_max_width(560.0);
                    ui.horizontal_top(|ui| {
                        let (icon, ink) =
                            if toast.is_error { ("x-circle", palette.error) } else { ("info", palette.accent) };
                        ui.label(RichText::new(icons::glyph(icon)).font(theme::icon_fill(16.0)).color(ink));
                        ui.add(egui::Label::new(&toast.text).wrap());
                        let close = egui::Button::new(icons::glyph("x")).frame_when_inactive(false).small();
                        if ui.add(close).accessible_name("Dismiss").clicked() {
                            out.push(Command::Dismiss(toast.text.clone()));
                        }
                    });
                });
            }
        },
    );
}
