//! The figures of the window: a frame of the studio, headless, beside the same cards as plain widgets in `egui::Scene`.
//!
//! CPU time of ui and tessellation, medians; goals are printed, never asserted.

#![allow(clippy::disallowed_methods, reason = "measuring is the one thing that needs a clock")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench that cannot run should say so at once")]

use std::time::{Duration, Instant as Clock};

use egui::{Context, Event, Pos2, RawInput, Rect, Vec2};
use flowloom::{
    app::{Command, Home},
    base::NodeId,
    flow::{Edit, file},
    gui::{Studio, inline, theme},
    testing::flow_gen,
};

const SIZE: Vec2 = Vec2::new(1440.0, 900.0);
const NUM_FRAMES: usize = 41;

fn main() {
    println!("one frame (ui + tessellate), median of {NUM_FRAMES}, window {} x {}\n", SIZE.x, SIZE.y);
    for nodes in [200, 500, 1_000, 5_000, 20_000] {
        let mut studio = studio(nodes);
        for (name, zoom) in [("zoom 1", 1.0), ("zoom 0.3", 0.3), ("whole flow", 0.0)] {
            let still = frames(&mut studio, zoom, |_, _| ());
            let panned = frames(&mut studio, zoom, |studio, n| {
                let view = &studio.app.document().expect("open").view;
                let (center, zoom) = (view.center_in_canvas, view.zoom);
                let by = if n % 2 == 0 { 9.0 } else { -9.0 };
                let to = (center.0 + by, center.1 + by);
                studio.command(Command::SetView { center_in_canvas: to, zoom }, &Context::default());
            });
            println!("{nodes:>6} nodes, {name:<10}  still {:>7.2} ms   panning {:>7.2} ms", ms(still), ms(panned));
        }
        if nodes <= 1_000 {
            let edited = frames(&mut studio, 1.0, |studio, n| {
                let document = studio.app.document().expect("open");
                let checked = document.derived.findings.as_ref().map(|findings| findings.revision);
                assert_eq!(checked, Some(document.history.revision()), "the frame before has its checks");
                let id = studio.app.document().expect("open").flow().nodes[n % 50].id.clone();
                let edits = vec![Edit::SetTitle { id, title: format!("Step {n}") }];
                studio.command(Command::Edit { label: "Rename".into(), edits, merge: None }, &Context::default());
            });
            println!(
                "{nodes:>6} nodes, an edit in every frame, checks and all in the same frame: {:>7.2} ms",
                ms(edited)
            );
        }
        if nodes <= 5_000 {
            let scene = scene_frames(nodes);
            let ours = frames(&mut studio, 1.0, |_, _| ());
            let ratio = scene.as_secs_f64() / ours.as_secs_f64();
            println!(
                "{nodes:>6} nodes as plain widgets in egui::Scene, zoom 1: {:>7.2} ms, {ratio:.1} times ours\n",
                ms(scene)
            );
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn studio(nodes: usize) -> Studio {
    let loaded = file::read(&flow_gen::large_flow_text(nodes)).expect("our own text");
    inline::studio(None, loaded, Home::default(), false)
}

fn input(n: usize) -> RawInput {
    RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE)),
        time: Some(n as f64 / 60.0),
        events: vec![Event::PointerMoved(Pos2::new(700.0 + n as f32, 400.0))],
        ..RawInput::default()
    }
}

/// Frames of the studio at a zoom (0 fits the whole flow); `before` runs before each.
fn frames(studio: &mut Studio, zoom: f32, mut before: impl FnMut(&mut Studio, usize)) -> Duration {
    let ctx = Context::default();
    theme::install(&ctx);
    if zoom > 0.0 {
        let trigger: NodeId = studio.app.document().expect("open").flow().nodes[0].id.clone();
        studio.command(Command::GoTo(trigger), &ctx);
        let center_in_canvas = studio.app.document().expect("open").view.center_in_canvas;
        studio.command(Command::SetView { center_in_canvas, zoom }, &ctx);
    } else {
        studio.command(Command::Run(flowloom::app::CommandId::Fit), &ctx);
    }
    let mut times = Vec::new();
    for n in 0..NUM_FRAMES + 6 {
        // What was asked for counts, too: an edit with its checks is part of the frame that shows it.
        let begun = Clock::now();
        before(studio, n);
        let mut output = ctx.run_ui(input(n), |ui| studio.root(ui));
        let primitives = ctx.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point);
        let took = begun.elapsed();
        output.textures_delta.clear();
        std::hint::black_box(primitives);
        // Panels settle and galleys are laid out in the first frames.
        if n >= 6 {
            times.push(took);
        }
    }
    times.sort_unstable();
    times[times.len() / 2]
}

/// The same cards as plain widgets, every one laid out and painted.
fn scene_frames(nodes: usize) -> Duration {
    let flow = flow_gen::large_flow(nodes);
    let ctx = Context::default();
    theme::install(&ctx);
    let mut seen = Rect::from_min_size(Pos2::new(-700.0, -450.0), SIZE);
    let mut times = Vec::new();
    for n in 0..NUM_FRAMES / 4 + 3 {
        let begun = Clock::now();
        let mut output = ctx.run_ui(input(n), |ui| {
            egui::Scene::new().show(ui, &mut seen, |ui| {
                for node in &flow.nodes {
                    let at = Rect::from_center_size(Pos2::new(node.pos.0, node.pos.1), Vec2::new(262.0, 94.0));
                    ui.scope_builder(egui::UiBuilder::new().max_rect(at), |ui| {
                        egui::Frame::window(ui.style()).show(ui, |ui| {
                            ui.label(node.kind.as_str());
                            ui.strong(node.title());
                            ui.label(node.settings.raw());
                            let _ = ui.button("+");
                        });
                    });
                }
            });
        });
        let primitives = ctx.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point);
        if n >= 3 {
            times.push(begun.elapsed());
        }
        output.textures_delta.clear();
        std::hint::black_box(primitives);
    }
    times.sort_unstable();
    times[times.len() / 2]
}
