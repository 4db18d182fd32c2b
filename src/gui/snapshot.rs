//! A picture of any piece of the window, drawn without a screen.
//!
//! The one idea: the same closure that draws in the window draws here, for a few frames on a clock that moves by fixed
//! steps, until nothing asks for another frame; then [`Raster`] paints what egui has left. Deliberately not here:
//! files, and the studio's own start (fonts and theme are the `setup` of the caller; egui comes without any).

use std::time::Duration;

use egui::{Color32, Context, Pos2, RawInput, Rect, Theme, Ui, Vec2, ViewportId, ViewportInfo};

use super::raster::Raster;

/// Frames before a picture counts as settled: panels and scroll areas learn their size in the first.
const LEAST_FRAMES: u32 = 3;

/// Frames after which the picture is taken as it is. Source: assumption; a spinner never comes to rest.
const MOST_FRAMES: u32 = 8;

/// Seconds from frame to frame: egui moves animations by a tenth of a second at most, and its default ones (1/12 s)
/// are over after one step.
const FRAME_SECS: f32 = 0.1;

/// Draws `ui` on a window of `size_in_points` and gives its picture at `pixels_per_point`.
///
/// `setup` installs fonts and style before the first frame; `theme` has the last word over it. The picture has
/// `size_in_points` times `pixels_per_point` pixels, rounded. The ground is the theme's `panel_fill`.
pub fn snapshot(
    size_in_points: (u32, u32),
    pixels_per_point: f32,
    theme: Theme,
    setup: impl FnOnce(&Context),
    mut ui: impl FnMut(&mut Ui),
) -> Raster {
    let size = Vec2::new(size_in_points.0 as f32, size_in_points.1 as f32);
    let pixels = (size * pixels_per_point).round();
    let mut raster = Raster::new(pixels.x as u32, pixels.y as u32);
    let ctx = Context::default();
    setup(&ctx);
    ctx.set_theme(theme);
    for frame in 1..=MOST_FRAMES {
        let mut output = ctx.run_ui(input(frame, size, pixels_per_point, theme), &mut ui);
        raster.apply_textures(&output.textures_delta);
        output.textures_delta.clear();
        let root = output.viewport_output.get(&ViewportId::ROOT);
        let at_rest = root.is_none_or(|root| root.repaint_delay > Duration::ZERO);
        if frame == MOST_FRAMES || (frame >= LEAST_FRAMES && at_rest) {
            let primitives = ctx.tessellate(output.shapes, output.pixels_per_point);
            raster.paint(output.pixels_per_point, &primitives, opaque(ctx.style_of(theme).visuals.panel_fill));
            break;
        }
    }
    raster
}

fn opaque(color: Color32) -> Color32 {
    Color32::from_rgb(color.r(), color.g(), color.b())
}

fn input(frame: u32, size: Vec2, pixels_per_point: f32, theme: Theme) -> RawInput {
    let mut input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size)),
        time: Some(f64::from(frame) * f64::from(FRAME_SECS)),
        predicted_dt: FRAME_SECS,
        focused: true,
        system_theme: Some(theme),
        ..RawInput::default()
    };
    let native_pixels_per_point = Some(pixels_per_point);
    input.viewports.insert(ViewportId::ROOT, ViewportInfo { native_pixels_per_point, ..ViewportInfo::default() });
    input
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use egui::{
        Align2, CentralPanel, FontData, FontDefinitions, FontFamily, FontId, Frame, Panel, RichText, ScrollArea,
        Shadow, StrokeKind, epaint::CubicBezierShape,
    };

    use super::*;

    fn fonts(ctx: &Context) {
        let mut fonts = FontDefinitions::empty();
        let inter = FontData::from_static(include_bytes!("../../assets/fonts/Inter-Regular.ttf"));
        fonts.font_data.insert("inter".to_owned(), Arc::new(inter));
        for family in [FontFamily::Proportional, FontFamily::Monospace] {
            fonts.families.insert(family, vec!["inter".to_owned()]);
        }
        ctx.set_fonts(fonts);
    }

    fn picture(pixels_per_point: f32, theme: Theme) -> Raster {
        snapshot((320, 200), pixels_per_point, theme, fonts, |ui| {
            Panel::left("left").exact_size(100.0).show(ui, |ui| {
                ScrollArea::vertical().show(ui, |ui| {
                    for row in 0..40 {
                        ui.label(format!("Row {row} that is wider than its panel"));
                    }
                });
            });
            CentralPanel::default().show(ui, |ui| {
                ui.heading("Wait 4 hours");
                ui.label(RichText::new("Only if no order was placed").small());
                _ = ui.button("Check");
            });
        })
    }

    fn num_unlike(raster: &Raster, ground: Color32) -> usize {
        raster.rgba().chunks_exact(4).filter(|pixel| **pixel != ground.to_array()).count()
    }

    #[test]
    fn text_stands_on_the_ground_of_either_theme() {
        for (theme, ground, light_text) in [(Theme::Light, 248, false), (Theme::Dark, 27, true)] {
            let raster = picture(1.0, theme);
            assert_eq!(raster.size(), [320, 200]);
            let ground = Color32::from_gray(ground);
            assert_eq!(raster.pixel(319, 199), Some(ground), "{theme:?}");
            let unlike = num_unlike(&raster, ground);
            assert!((1500..20_000).contains(&unlike), "{theme:?}: {unlike}");
            let far =
                raster.rgba().chunks_exact(4).filter(|p| if light_text { p[0] > 120 } else { p[0] < 120 }).count();
            assert!(far > 400, "{theme:?}: {far} pixels of text");
            assert!(raster.rgba().chunks_exact(4).all(|pixel| pixel[3] == 255));
        }
    }

    #[test]
    fn twice_the_pixels_are_as_many_words() {
        let raster = picture(2.0, Theme::Light);
        assert_eq!(raster.size(), [640, 400]);
        assert_eq!(raster.pixel(639, 399), Some(Color32::from_gray(248)));
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        assert_eq!(picture(1.5, Theme::Dark).to_png(), picture(1.5, Theme::Dark).to_png());
    }

    #[test]
    fn frames_run_until_nothing_asks_for_another() {
        let check = |rest_after: u32, expected: u32| {
            let mut frames = 0;
            snapshot((50, 50), 1.0, Theme::Light, fonts, |ui| {
                frames += 1;
                if frames < rest_after {
                    ui.ctx().request_repaint();
                }
            });
            assert_eq!(frames, expected, "at rest after {rest_after}");
        };
        check(1, 3);
        check(5, 6);
        check(u32::MAX, 8);
    }

    /// About as much as the studio shows at once: cards with shadows and text, wires, panels full of rows.
    fn busy(ui: &mut Ui) {
        Panel::left("left").exact_size(212.0).show(ui, |ui| {
            for row in 0..30 {
                _ = ui.button(format!("Step to drag, number {row}"));
            }
        });
        Panel::right("right").exact_size(300.0).show(ui, |ui| {
            for row in 0..40 {
                ui.label(format!("{row}. A line of help about the chosen step and its settings"));
            }
        });
        CentralPanel::default().show(ui, |ui| {
            let (area, painter) = (ui.max_rect(), ui.painter());
            let visuals = ui.visuals();
            for (column, row) in (0..4).flat_map(|column| (0..7).map(move |row| (column, row))) {
                let at = area.min + Vec2::new(20.0 + column as f32 * 220.0, 10.0 + row as f32 * 122.0);
                let card = Rect::from_min_size(at, Vec2::new(200.0, 80.0));
                let shadow = Shadow { offset: [0, 4], blur: 18, spread: 0, color: Color32::from_black_alpha(40) };
                painter.add(shadow.as_shape(card, 12));
                let line = visuals.widgets.noninteractive.bg_stroke;
                painter.rect(card, 12, visuals.extreme_bg_color, line, StrokeKind::Inside);
                let wire = [0.0, 20.0, 25.0, 42.0].map(|down| card.center_bottom() + Vec2::new(down / 3.0, down));
                let stroke = (2.0, visuals.text_color());
                painter.add(CubicBezierShape::from_points_stroke(wire, false, Color32::TRANSPARENT, stroke));
                for (line, text) in ["Email", "Reminder, 10% off", "Your watch is waiting"].into_iter().enumerate() {
                    let at = at + Vec2::new(14.0, 12.0 + 20.0 * line as f32);
                    painter.text(at, Align2::LEFT_TOP, text, FontId::proportional(13.0), visuals.text_color());
                }
            }
        });
    }

    /// `cargo test --release --lib the_time_of_a_picture -- --ignored --nocapture`; with `FLOWLOOM_PICTURES` set to a
    /// folder the pictures are left there.
    #[test]
    #[ignore = "measures; nothing can fail"]
    #[expect(clippy::disallowed_methods, reason = "the wall clock is what is measured")]
    fn the_time_of_a_picture() {
        for (pixels_per_point, theme) in [(1.0, Theme::Light), (1.0, Theme::Dark), (2.0, Theme::Light)] {
            let start = std::time::Instant::now();
            let mut raster = snapshot((1440, 900), pixels_per_point, theme, fonts, busy);
            let all = start.elapsed();
            let ctx = Context::default();
            fonts(&ctx);
            let mut output = ctx.run_ui(input(1, Vec2::new(1440.0, 900.0), pixels_per_point, theme), busy);
            output
                .textures_delta
                .append(ctx.run_ui(input(2, Vec2::new(1440.0, 900.0), pixels_per_point, theme), busy).textures_delta);
            raster.apply_textures(&output.textures_delta);
            output.textures_delta.clear();
            let primitives = ctx.tessellate(output.shapes, pixels_per_point);
            let mut millis: Vec<u128> = (0..11)
                .map(|_| {
                    let start = std::time::Instant::now();
                    raster.paint(pixels_per_point, &primitives, Color32::WHITE);
                    start.elapsed().as_micros()
                })
                .collect();
            millis.sort_unstable();
            let start = std::time::Instant::now();
            let png = snapshot((1440, 900), pixels_per_point, theme, fonts, busy).to_png();
            println!(
                "1440x900 at {pixels_per_point}, {theme:?}: snapshot {all:?}, paint alone {} us (median of 11), \
                 snapshot and PNG {:?}, {} bytes",
                millis[5],
                start.elapsed(),
                png.len()
            );
            if let Some(folder) = std::env::var_os("FLOWLOOM_PICTURES") {
                let name = format!("busy-{theme:?}-{pixels_per_point}.png");
                std::fs::write(std::path::Path::new(&folder).join(name), png).unwrap();
            }
        }
    }

    #[test]
    fn new_glyphs_in_a_later_frame_are_drawn() {
        // The second frame's letters reach the raster as a patch of the atlas.
        let text = |late: bool| {
            let mut frames = 0;
            snapshot((200, 40), 1.0, Theme::Light, fonts, move |ui| {
                frames += 1;
                Frame::NONE.show(ui, |ui| ui.label(if late && frames < 3 { "aaaa" } else { "Quartz, jumbled" }));
            })
        };
        assert_eq!(text(true).rgba(), text(false).rgba());
    }
}
