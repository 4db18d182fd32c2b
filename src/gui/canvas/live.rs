//! A running engine on the canvas: people at their steps, and the word that another version runs.

use egui::{Button, CornerRadius, Label, Rect, Response, RichText, Shadow, Stroke, Ui, UiBuilder, vec2};

use super::{geometry::Projection, paint::CardLook};
use crate::{
    app::{
        App, Command, Document,
        pages::{Act as PageAct, PageKind},
        run::{self, Act, Question, words},
    },
    flow::Node,
    gui::theme::{self, Palette},
};

/// Puts what the engine says of a step on its card, in the place of what the replay counted.
pub fn look(app: &App, document: &Document, node: &Node, look: &mut CardLook) {
    let Some(live) = run::live(app, document) else { return };
    let Some(seen) = live.flow.and_then(|flow| flow.nodes.get(node.id.as_str())) else {
        look.counts.clear();
        return;
    };
    look.counts = words::card(&document.home.manner, &node.kind, seen);
    look.live = Some((seen.here - seen.held, seen.open()));
}

/// The same for those who hear the canvas, and under the pointer.
pub fn say(response: &Response, app: &App, document: &Document, n: usize) {
    let Some(flow) = run::live(app, document).and_then(|live| live.flow) else { return };
    let Some(node) = document.flow().nodes.get(n) else { return };
    let Some(seen) = flow.nodes.get(node.id.as_str()).filter(|seen| seen.here > 0 || seen.open() > 0) else { return };
    let heard = words::heard(&document.home.manner, seen);
    response.ctx.accesskit_node_builder(response.id, |builder| builder.set_description(heard.clone()));
    response.clone().on_hover_text(heard);
}

/// That an engine runs, in which state, and whether it runs another version than the one that is seen.
pub fn banner(
    ui: &mut Ui,
    projection: Projection,
    palette: &Palette,
    app: &App,
    document: &Document,
    out: &mut Vec<Command>,
) {
    let Some(live) = run::live(app, document) else { return };
    let screen = projection.screen;
    let (words, ink, fill, publishes) = match live.flow {
        None => {
            ("The engine does not run this flow: publish it".to_owned(), palette.warning, palette.warning_soft, true)
        }
        Some(_) if live.differs => {
            ("The engine runs an older version: publish".to_owned(), palette.warning, palette.warning_soft, true)
        }
        Some(flow) => match words::state(flow) {
            (_, true) => {
                let people = words::count(&document.home.manner, flow.under_way, "person", "people");
                (format!("Running: {people} under way"), palette.good, palette.good_soft, false)
            }
            (state, false) => {
                (format!("In the engine: {}", state.to_lowercase()), palette.warning, palette.warning_soft, false)
            }
        },
    };
    let buttons = if publishes { 170.0 } else { 84.0 };
    let text = ui.painter().layout_no_wrap(words.clone(), theme::medium(12.5), ink);
    let wide = (text.size().x + buttons + 24.0).min(screen.width() - 28.0);
    let rect = Rect::from_min_size(screen.left_top() + vec2(14.0, 50.0), vec2(wide, 38.0));
    if !screen.contains_rect(rect) {
        return;
    }
    let radius = CornerRadius::same(theme::TILE_RADIUS);
    let painter = ui.painter_at(screen);
    painter.add(Shadow { offset: [0, 3], blur: 14, spread: 0, color: palette.shadow }.as_shape(rect, radius));
    painter.rect(rect, radius, fill, Stroke::new(1.0, theme::mix(fill, ink, 0.25)), egui::StrokeKind::Inside);
    let left = egui::Layout::right_to_left(egui::Align::Center);
    let mut bar = ui.new_child(UiBuilder::new().max_rect(rect.shrink2(vec2(10.0, 5.0))).layout(left));
    let button = |ui: &mut Ui, words: &str| {
        ui.add(Button::new(RichText::new(words).font(theme::medium(12.0))).min_size(vec2(0.0, 24.0)))
    };
    if button(&mut bar, "Open").accessible_name("Open the Run page").clicked() {
        out.push(PageAct::Show(Some(PageKind::Run)).into());
    }
    if publishes && button(&mut bar, "Publish\u{2026}").accessible_name("Publish to the engine").clicked() {
        out.push(Act::Ask(Question::Publish).into());
    }
    bar.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
        ui.add(Label::new(RichText::new(words).font(theme::medium(12.5)).color(ink)).truncate());
    });
}
