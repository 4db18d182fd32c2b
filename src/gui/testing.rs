//! The studio under test: the same code as the window, found by accessible names.

use egui_kittest::Harness;

use super::{Studio, inline, theme};
use crate::{app::Home, flow::file};

/// A studio with a flow of this text open, in a window of 1440 by 900.
pub fn studio(text: &str) -> Harness<'static, Studio> {
    studio_in(text, Home::default(), egui::vec2(1440.0, 900.0), egui::Theme::Light)
}

/// A studio with a flow and its surroundings.
pub fn studio_in(text: &str, home: Home, size: egui::Vec2, theme: egui::Theme) -> Harness<'static, Studio> {
    let studio = inline::studio(None, file::read(text).expect("a flow"), home, theme == egui::Theme::Dark);
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
