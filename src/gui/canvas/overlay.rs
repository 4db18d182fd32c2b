//! What stands over the canvas: labels with shares, the zoom bar, the words on an empty canvas.

use egui::{Button, CornerRadius, Frame, Margin, Rect, RichText, Shadow, Stroke, Ui, UiBuilder, vec2};

use super::geometry::{EdgePath, Projection};
use crate::{
    app::{App, Command, CommandId, Document, act, outline, overlay, when},
    base::Severity,
    gui::{
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// "Yes · 21%": the port's name, and the share of arrivals that left by it.
pub fn edge_label(document: &Document, edge: &EdgePath) -> String {
    let node = &document.flow().nodes[edge.from_idx];
    let counts = document.view.overlays.counts.then(|| overlay::counts(document)).flatten();
    let Some(report) = counts.and_then(|counts| counts.get(&node.id)) else { return edge.label.clone() };
    let total: u64 = report.left.values().sum();
    let left = report.left.get(&edge.port).copied().unwrap_or(0);
    match (left * 100 + total / 2).checked_div(total) {
        // A split says its share itself.
        Some(share) if node.kind != "split" => format!("{} \u{b7} {share}%", edge.label),
        _ => edge.label.clone(),
    }
}

/// Minus, percent, plus, fit.
pub fn zoom_bar(ui: &mut Ui, projection: Projection, palette: &Palette, app: &App, out: &mut Vec<Command>) {
    let screen = projection.screen;
    let size = vec2(188.0, 40.0);
    let rect = Rect::from_min_size(screen.right_bottom() - size - vec2(16.0, 16.0), size);
    let painter = ui.painter_at(screen);
    let radius = CornerRadius::same(theme::TILE_RADIUS);
    painter.add(Shadow { offset: [0, 3], blur: 14, spread: 0, color: palette.shadow }.as_shape(rect, radius));
    painter.rect(rect, radius, palette.card, Stroke::new(1.0, palette.line), egui::StrokeKind::Inside);
    let mut bar = ui.new_child(
        UiBuilder::new()
            .max_rect(rect.shrink2(vec2(6.0, 5.0)))
            .layout(egui::Layout::left_to_right(egui::Align::Center)),
    );
    bar.spacing_mut().item_spacing.x = 2.0;
    let mut icon = |ui: &mut Ui, name: &str, id: CommandId| {
        if super::super::widgets::icon_button(ui, name, app, id).clicked() {
            out.push(id.into());
        }
    };
    icon(&mut bar, "minus", CommandId::ZoomOut);
    let percent = format!("{:.0}%", projection.zoom * 100.0);
    let button = Button::new(RichText::new(percent).font(theme::medium(12.5)))
        .frame_when_inactive(false)
        .min_size(vec2(52.0, 28.0));
    let actual = bar.add(button).on_hover_text("Actual size");
    icon(&mut bar, "plus", CommandId::ZoomIn);
    bar.separator();
    icon(&mut bar, "frame-corners", CommandId::Fit);
    if actual.clicked() {
        out.push(CommandId::ZoomActual.into());
    }
}

/// A line of the legend.
#[derive(Clone, Copy)]
enum Key {
    Way,
    WhatIf,
    Person,
}

fn key(ui: &mut Ui, key: Key, palette: &Palette, words: &str) {
    ui.horizontal(|ui| {
        let (at, _) = ui.allocate_exact_size(vec2(26.0, 16.0), egui::Sense::hover());
        sample(ui.painter(), at, key, palette);
        ui.label(RichText::new(words).font(theme::regular(11.5)).color(palette.weak));
    });
}

fn sample(painter: &egui::Painter, at: Rect, key: Key, palette: &Palette) {
    let ends = [at.left_center(), at.right_center()];
    match key {
        Key::Way => _ = painter.line_segment(ends, Stroke::new(2.0, palette.accent)),
        Key::WhatIf => super::paint::dashes(painter, &ends, egui::Vec2::ZERO, 2.0, palette.what_if()),
        Key::Person => super::paint::person(painter, at.center(), 8.0, palette.accent, palette),
    }
}

/// Which line is which, on the canvas for as long as both ways are drawn.
pub fn both_ways(ui: &mut Ui, projection: Projection, palette: &Palette, document: &Document) {
    let (screen, overlays) = (projection.screen, document.view.overlays);
    let has_both = overlays.path && overlays.what_if && document.what_if().is_some();
    if !has_both || screen.width() < 420.0 || screen.height() < 260.0 {
        return;
    }
    let size = vec2(118.0, 48.0);
    let rect = Rect::from_min_size(screen.right_top() + vec2(-12.0 - size.x, 54.0), size);
    let radius = CornerRadius::same(theme::TILE_RADIUS);
    let painter = ui.painter_at(screen);
    painter.rect(rect, radius, palette.card, Stroke::new(1.0, palette.line), egui::StrokeKind::Inside);
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect.shrink2(vec2(10.0, 6.0))));
    child.spacing_mut().item_spacing.y = 2.0;
    child.spacing_mut().interact_size.y = 16.0;
    key(&mut child, Key::Way, palette, "As it is");
    key(&mut child, Key::WhatIf, palette, "What if");
}

/// What the colours say, and a switch for each overlay.
pub fn legend(ui: &mut Ui, projection: Projection, palette: &Palette, document: &Document, out: &mut Vec<Command>) {
    let screen = projection.screen;
    if screen.width() < 420.0 || screen.height() < 260.0 {
        return;
    }
    let rect = Rect::from_min_size(screen.right_top() + vec2(-52.0, 12.0), vec2(40.0, 36.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect));
    let icon = RichText::new(icons::glyph("stack")).font(theme::icon(17.0));
    let button = child.add(Button::new(icon).min_size(vec2(36.0, 34.0))).accessible_name("Overlays");
    let button = button.on_hover_text("What is painted over the flow");
    egui::Popup::menu(&button).show(|ui| {
        ui.set_min_width(220.0);
        let mut overlays = document.view.overlays;
        let before = overlays;
        widgets::checkbox(ui, &mut overlays.problems, "Problems");
        ui.horizontal(|ui| {
            for (severity, word) in
                [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Hint, "hint")]
            {
                let (at, _) = ui.allocate_exact_size(vec2(16.0, 16.0), egui::Sense::hover());
                super::paint::mark(ui.painter(), at.center(), severity, 14.0, palette);
                ui.label(RichText::new(word).font(theme::regular(11.5)).color(palette.weak));
            }
        });
        widgets::checkbox(ui, &mut overlays.path, "Way of the chosen contact");
        let contact = act::contact_name(document).unwrap_or_else(|| "nobody is chosen".to_owned());
        key(ui, Key::Way, palette, &contact);
        widgets::checkbox(ui, &mut overlays.what_if, "Way with the what-if changes");
        let changes = match document.view.changes.len() {
            0 => "nothing is changed yet".to_owned(),
            1 => "1 change".to_owned(),
            count => format!("{count} changes"),
        };
        key(ui, Key::WhatIf, palette, &changes);
        widgets::checkbox(ui, &mut overlays.person, "Where they stand");
        let clock = document.view.clock.map_or_else(
            || "once the clock of the time line stands somewhere".to_owned(),
            |at| when::day_time(at, &when::zone_of(&document.home, document.view.contact.as_ref())),
        );
        key(ui, Key::Person, palette, &clock);
        widgets::checkbox(ui, &mut overlays.counts, "Counts of the replay");
        let words = "entered, waiting, share by port";
        ui.label(RichText::new(words).font(theme::regular(11.5)).color(palette.weak));
        #[cfg(feature = "engine")]
        {
            widgets::checkbox(ui, &mut overlays.live, "Who stands where in the engine");
            let words = "while one runs for this flow: the Run page";
            ui.label(RichText::new(words).font(theme::regular(11.5)).color(palette.weak));
        }
        if overlays != before {
            out.push(Command::SetOverlays(overlays));
        }
    });
}

/// The way from the trigger to the selected step, each part of it to be clicked.
pub fn breadcrumbs(
    ui: &mut Ui,
    projection: Projection,
    palette: &Palette,
    crumbs: &[outline::Crumb],
    out: &mut Vec<Command>,
) {
    let screen = projection.screen;
    if crumbs.len() < 2 || screen.width() < 480.0 {
        return;
    }
    // A long way shows its beginning and its end.
    let num_shown = ((screen.width() - 160.0) / 130.0) as usize;
    let skipped = crumbs.len().saturating_sub(num_shown.max(2));
    let rect = Rect::from_min_size(screen.left_top() + vec2(14.0, 12.0), vec2(screen.width() - 80.0, 30.0));
    let left = egui::Layout::left_to_right(egui::Align::Center);
    let mut bar = ui.new_child(UiBuilder::new().max_rect(rect).layout(left));
    bar.set_clip_rect(rect.expand(4.0).intersect(screen));
    bar.spacing_mut().item_spacing.x = 2.0;
    bar.spacing_mut().button_padding.x = 6.0;
    for (n, crumb) in crumbs.iter().enumerate() {
        if skipped > 0 && n > 0 && n <= skipped {
            if n == 1 {
                bar.label(RichText::new("…").color(palette.weak));
            }
            continue;
        }
        if n > 0 {
            bar.label(RichText::new(icons::glyph("caret-right")).font(theme::icon(11.0)).color(palette.weak));
        }
        let last = n + 1 == crumbs.len();
        let title: String = crumb.title.chars().take(22).collect();
        let title = if title.len() < crumb.title.len() { format!("{title}…") } else { title };
        let ink = if last { palette.text } else { palette.weak };
        let text = RichText::new(title).font(theme::medium(11.5)).color(ink);
        let button = Button::new(text).frame_when_inactive(false).small();
        let response = bar.add(button).accessible_name(format!("Way: {}", crumb.title));
        if response.clicked() {
            out.push(Command::GoTo(crumb.id.clone()));
        }
    }
}

/// What to do with an empty canvas.
pub fn empty(ui: &mut Ui, screen: Rect, palette: &Palette, out: &mut Vec<Command>) {
    let rect = Rect::from_center_size(screen.center(), vec2(380.0, 190.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect).layout(egui::Layout::top_down(egui::Align::Center)));
    Frame::new().inner_margin(Margin::same(16)).show(&mut child, |ui| {
        ui.label(RichText::new(icons::glyph("flow-arrow")).font(theme::icon(34.0)).color(palette.accent));
        ui.label(RichText::new("Every flow begins with a trigger").font(theme::semibold(16.0)));
        ui.add_space(2.0);
        ui.label(RichText::new("Drag a step from the left, or double-click anywhere").color(palette.weak));
        ui.add_space(8.0);
        let text = RichText::new("Add a trigger").color(palette.on_accent);
        if ui.add(Button::new(text).fill(palette.accent).min_size(vec2(0.0, 32.0))).clicked() {
            out.push(Command::Insert { kind: "event".into(), at: Some((0.0, 0.0)), after: None });
        }
    });
}
