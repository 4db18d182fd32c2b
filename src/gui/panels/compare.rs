//! Two versions of a flow side by side, moved together, with what differs in words below.

use std::collections::BTreeMap;

use egui::{
    Align, Button, Color32, Id, Label, Layout, Modal, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2,
    vec2,
};

use crate::{
    app::{
        App, Command, Document,
        compare::{Act, Compare, Compared, Source, Standing},
        files::{self, Page},
    },
    base::NodeId,
    flow::Flow,
    gui::{
        canvas::{
            geometry::{Geometry, Projection},
            note_color,
            paint::{self, CardLook, CardText, EdgeLook},
        },
        icons,
        theme::{self, Palette},
        widgets,
    },
    kinds::Settings,
    report::diff::Sign,
};

/// What is drawn, worked out once per comparison.
#[derive(Debug, Default)]
pub struct Draft {
    of: Option<u64>,
    sides: [Side; 2],
}

#[derive(Debug, Default)]
struct Side {
    geometry: Geometry,
    texts: Vec<CardText>,
}

impl Side {
    fn new(flow: &Flow) -> Self {
        let texts = flow.nodes.iter().map(|node| paint::card_text(flow, node)).collect();
        Self { geometry: Geometry::new(flow, &Default::default()), texts }
    }
}

fn push(out: &mut Vec<Command>, act: Act) {
    out.push(Command::Files(files::Act::Compare(act)));
}

/// Height of a difference in the list, and of what stands above the list, in points.
const ROW: f32 = 26.0;
const LIST_HEAD: f32 = 26.0;

/// Room around a flow that is fitted into its canvas, above it for the name of the version, in points.
const FIT_TOP: f32 = 48.0;
const FIT_MARGIN: f32 = 22.0;

/// What both canvases show: the canvas point in the middle of each, and the zoom.
#[derive(Clone, Copy)]
struct View {
    centers: [(f32, f32); 2],
    zoom: f32,
}

impl View {
    /// All of both, at most at full size; their first rows stand beside each other.
    fn fitting(areas: [Rect; 2], sides: &[Side; 2]) -> Self {
        let nothing = Rect::from_center_size(pos2(0.0, 0.0), vec2(1.0, 1.0));
        let bounds = [0, 1].map(|n: usize| sides[n].geometry.bounds.unwrap_or(nothing));
        let size = bounds[0].size().max(bounds[1].size()).max(vec2(1.0, 1.0));
        let room = (areas[0].size() - vec2(2.0 * FIT_MARGIN, FIT_TOP + FIT_MARGIN)).max(vec2(40.0, 40.0));
        let zoom = (room / size).min_elem().clamp(0.05, 1.0);
        // Points from the middle of the canvas down to the first row.
        let down = FIT_TOP + (room.y - size.y * zoom).max(0.0) / 2.0 - areas[0].height() / 2.0;
        Self { centers: bounds.map(|bounds| (bounds.center().x, bounds.top() - down / zoom)), zoom }
    }

    fn moved(self, by: egui::Vec2) -> Act {
        Act::View { centers: self.centers.map(|(x, y)| (x + by.x, y + by.y)), zoom: self.zoom }
    }
}

/// Draws it where it is open.
pub fn compare(ui: &mut Ui, app: &App, draft: &mut Draft, out: &mut Vec<Command>) {
    let Some(compare) = app.files.compare.as_ref().filter(|_| app.files.page == Some(Page::Compare)) else { return };
    let Some(document) = app.documents.iter().find(|document| document.id == compare.document) else { return };
    if draft.of != Some(compare.stamp) {
        draft.of = Some(compare.stamp);
        draft.sides = [Side::new(&compare.flows[0]), Side::new(&compare.flows[1])];
    }
    let screen = ui.ctx().content_rect().size();
    let modal = Modal::new(Id::unique("compare")).frame(super::shortcuts::page_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width((screen.x - 72.0).max(320.0));
        ui.set_height((screen.y - 80.0).max(280.0));
        super::shortcuts::page_head(ui, &format!("Compare {}", document.title()), out);
        sources_ui(ui, compare, document, out);
        ui.add_space(6.0);
        let standing = compare.standing(document);
        // The list takes what it needs, and not more than a third.
        let num_rows = match standing {
            Standing::Made(made) => made.comparison.differences.len().max(1) as f32,
            Standing::UnderWay(_) | Standing::Cancelled => 1.0,
        };
        let list = (ui.available_height() * 0.34).clamp(90.0, 260.0).min(LIST_HEAD + num_rows * (ROW + 1.0) + 6.0);
        let area = ui.available_rect_before_wrap();
        let high = (area.height() - list - 12.0).max(80.0);
        let gap = 10.0;
        let wide = (area.width() - gap) / 2.0;
        let left = Rect::from_min_size(area.min, vec2(wide, high));
        let right = left.translate(vec2(wide + gap, 0.0));
        canvases_ui(ui, compare, document, draft, [left, right], out);
        ui.allocate_rect(Rect::from_min_max(area.min, pos2(area.right(), left.bottom())), Sense::hover());
        ui.add_space(6.0);
        match standing {
            Standing::Made(made) => list_ui(ui, compare, made, out),
            Standing::UnderWay(share) => under_way_ui(ui, share, out),
            Standing::Cancelled => cancelled_ui(ui, out),
        }
    });
    if modal.should_close() && app.files.dialogs.is_empty() {
        out.push(Command::Files(files::Act::Show(None)));
    }
}

/// With what it is compared.
fn sources_ui(ui: &mut Ui, compare: &Compare, document: &Document, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    // Read on the ground of what is chosen, too.
    let ink = |text: &str| RichText::new(text).color(palette.text);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("With").color(palette.weak));
        if ui.selectable_label(compare.source == Source::Saved, ink("As saved")).clicked() {
            push(out, Act::With(Source::Saved));
        }
        let steps: Vec<&str> = document.history.undo_labels().take(60).collect();
        let is_past = matches!(compare.source, Source::Past(_));
        let shown = if is_past { compare.title(document) } else { "An earlier state".to_owned() };
        ui.add_enabled_ui(!steps.is_empty(), |ui| {
            let menu = egui::ComboBox::from_id_salt("compare past").selected_text(shown).width(200.0);
            let menu = menu.show_ui(ui, |ui| {
                for (n, label) in steps.iter().enumerate() {
                    let text = format!("Before \u{201c}{label}\u{201d}");
                    if ui.selectable_label(compare.source == Source::Past(n + 1), text).clicked() {
                        push(out, Act::With(Source::Past(n + 1)));
                    }
                }
            });
            menu.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "An earlier state"));
        });
        let is_file = matches!(compare.source, Source::File { .. });
        if ui.add(Button::new(ink("A file…")).selected(is_file)).clicked() {
            push(out, Act::AskFile);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Fit both").clicked() {
                push(out, Act::Fit);
            }
        });
    });
}

/// The colour of a sign in the window.
fn color_of(sign: Sign, palette: &Palette) -> Color32 {
    match sign {
        Sign::Added => palette.good,
        Sign::Removed => palette.error,
        Sign::Changed => palette.warning,
    }
}

fn word_of(sign: Sign) -> &'static str {
    match sign {
        Sign::Added => "Added",
        Sign::Removed => "Removed",
        Sign::Changed => "Changed",
    }
}

fn canvases_ui(
    ui: &mut Ui,
    compare: &Compare,
    document: &Document,
    draft: &Draft,
    areas: [Rect; 2],
    out: &mut Vec<Command>,
) {
    // The room for the list, and with it the fit, is known once the list is.
    let view = if compare.is_fitted {
        View { centers: compare.centers, zoom: compare.zoom }
    } else {
        let view = View::fitting(areas, &draft.sides);
        if compare.made.is_some() {
            push(out, Act::View { centers: view.centers, zoom: view.zoom });
        }
        view
    };
    let title = compare.title(document);
    let is_past = matches!(compare.source, Source::Past(_));
    let titles = [if is_past { title } else { format!("Before: {title}") }, "Now".to_owned()];
    for n in [0, 1] {
        side_ui(ui, &titles[n], &draft.sides[n], (compare, n), (areas[n], view), out);
    }
}

fn side_ui(
    ui: &mut Ui,
    title: &str,
    side: &Side,
    (compare, n): (&Compare, usize),
    (screen, view): (Rect, View),
    out: &mut Vec<Command>,
) {
    let palette = Palette::get(ui);
    let flow = &*compare.flows[n];
    let center_in_canvas = pos2(view.centers[n].0, view.centers[n].1);
    let projection = &Projection { screen, center_in_canvas, zoom: view.zoom };
    let response = ui.interact(screen, Id::unique(("compare side", n)), Sense::drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Pane, true, title));
    let painter = ui.painter_at(screen);
    painter.rect_filled(screen, f32::from(theme::TILE_RADIUS), palette.canvas);
    let signs = compare.made.as_ref().map(|made| &made.signs[n]);
    paint_flow(ui, flow, side, (signs, n), projection, palette);
    if flow.nodes.is_empty() {
        let said = if n == 0 { "This version has no steps" } else { "The flow has no steps" };
        let response = ui.put(screen, Label::new(RichText::new(said).color(palette.weak)).selectable(false));
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, said));
    }
    let wide = painter.layout_no_wrap(title.to_owned(), theme::medium(12.0), palette.text).size().x + 20.0;
    let chip = Rect::from_min_size(screen.min + vec2(10.0, 10.0), vec2(wide.min(screen.width() - 20.0), 24.0));
    painter.rect_filled(chip, 7.0, palette.card);
    paint::line(
        &painter,
        chip.left_center() + vec2(10.0, 0.0),
        egui::Align2::LEFT_CENTER,
        title,
        theme::medium(12.0),
        palette.text,
        chip.width() - 20.0,
    );
    // Both move by the same, so that what was beside each other stays so.
    if response.dragged() && response.drag_delta() != egui::Vec2::ZERO {
        push(out, view.moved(-response.drag_delta() / view.zoom));
    }
    let Some(pointer) = ui.ctx().pointer_hover_pos().filter(|at| response.contains_pointer() && screen.contains(*at))
    else {
        return;
    };
    let (scroll, zoom_by) = ui.input(|i| (i.smooth_scroll_delta(), i.zoom_delta()));
    if (zoom_by - 1.0).abs() > 1e-4 {
        let zoom = view.zoom * zoom_by;
        // The canvas point under the pointer stays there, on both sides.
        let from_middle = pointer - screen.center();
        push(out, View { zoom, ..view }.moved(from_middle / view.zoom - from_middle / zoom));
    } else if scroll != egui::Vec2::ZERO {
        push(out, view.moved(-scroll / view.zoom));
    }
}

fn paint_flow(
    ui: &Ui,
    flow: &Flow,
    side: &Side,
    (signs, n): (Option<&BTreeMap<NodeId, Sign>>, usize),
    projection: &Projection,
    palette: &Palette,
) {
    let painter = ui.painter_at(projection.screen);
    let (zoom, seen) = (projection.zoom, projection.visible_in_canvas());
    let geometry = &side.geometry;
    let shown = |at: usize| seen.intersects(geometry.cards[at].expand(8.0));
    for (at, node) in flow.nodes.iter().enumerate().filter(|(at, _)| geometry.frames[*at] && shown(*at)) {
        let Some(Settings::Note(note)) = node.settings() else { continue };
        let (is_frame, tint) = (note.size.is_some(), note_color(&note.color, palette));
        let sheet = paint::Sheet { is_frame, title: &node.title, text: &note.text, tint };
        let rect = projection.screen_from_canvas_rect(geometry.cards[at]);
        paint::note(&painter, rect, zoom, sheet, &CardLook::default(), palette);
    }
    if zoom < paint::PLAIN_ZOOM {
        paint::far_edges(&painter, geometry, projection, palette.edge);
        paint::far_cards(&painter, geometry, projection, |at| (palette.family(side.texts[at].family), false));
    } else {
        for edge in geometry.edges.iter().filter(|edge| edge.bounds.expand(20.0).intersects(seen)) {
            paint::edge(&painter, edge, projection, palette, EdgeLook::default());
        }
        for (at, node) in flow.nodes.iter().enumerate().filter(|(at, _)| !geometry.frames[*at] && shown(*at)) {
            let rect = projection.screen_from_canvas_rect(geometry.cards[at]);
            let look = CardLook { muted: node.muted, ..CardLook::default() };
            if zoom >= paint::FULL_ZOOM {
                paint::full_card(&painter, rect, zoom, false, &side.texts[at], &look, palette);
            } else {
                paint::plain_card(&painter, rect, zoom, false, &side.texts[at], &look, palette);
            }
        }
        for edge in geometry.edges.iter().filter(|edge| !edge.label.is_empty() && zoom >= 0.35) {
            let at = projection.screen_from_canvas(edge.label_at);
            if projection.screen.contains(at) {
                paint::edge_label(&painter, at, &edge.label, palette.weak, zoom, palette);
            }
        }
    }
    let Some(signs) = signs else { return };
    for (at, node) in flow.nodes.iter().enumerate().filter(|(at, _)| shown(*at)) {
        let Some(sign) = signs.get(&node.id) else { continue };
        let rect = projection.screen_from_canvas_rect(geometry.cards[at]);
        sign_ui(ui, &painter, rect, *sign, (node.title(), at, n), projection);
    }
}

/// A ring around a card and its sign, so that the colour is not needed.
fn sign_ui(
    ui: &Ui,
    painter: &egui::Painter,
    rect: Rect,
    sign: Sign,
    (title, at, n): (&str, usize, usize),
    projection: &Projection,
) {
    let palette = Palette::get(ui);
    let color = color_of(sign, palette);
    let ring = rect.expand(3.0);
    let radius = (f32::from(theme::CARD_RADIUS) * projection.zoom + 3.0).min(18.0);
    painter.rect_stroke(ring, radius, egui::Stroke::new(2.0, color), egui::StrokeKind::Middle);
    let badge = ring.left_top();
    let size = (9.0 * projection.zoom).clamp(5.0, 10.0);
    painter.circle_filled(badge, size, color);
    let stroke = egui::Stroke::new((size * 0.2).max(1.2), palette.card);
    let arm = size * 0.5;
    let bar = |y: f32| painter.line_segment([badge + vec2(-arm, y), badge + vec2(arm, y)], stroke);
    match sign {
        Sign::Added => {
            bar(0.0);
            painter.line_segment([badge - vec2(0.0, arm), badge + vec2(0.0, arm)], stroke);
        }
        Sign::Removed => _ = bar(0.0),
        Sign::Changed => {
            bar(-arm * 0.45);
            bar(arm * 0.45);
        }
    }
    let hit = rect.intersect(projection.screen);
    if hit.is_positive() {
        let said = format!("{}: {title}", word_of(sign));
        let response = ui.interact(hit, Id::unique(("compare sign", n, at)), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, said.clone()));
        response.on_hover_text(said);
    }
}

/// How far the comparison is, in the place of the list.
fn under_way_ui(ui: &mut Ui, share: Option<f32>, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    widgets::caption(ui, "Comparing");
    ui.horizontal(|ui| {
        ui.spinner();
        let share = share.map_or_else(String::new, |share| format!(": {:.0} %", share * 100.0));
        ui.label(RichText::new(format!("Looking for what differs{share}")).color(palette.weak));
        if ui.button("Cancel").accessible_name("Cancel the comparison").clicked() {
            push(out, Act::Cancel);
        }
    });
}

fn cancelled_ui(ui: &mut Ui, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    widgets::caption(ui, "Cancelled");
    ui.horizontal(|ui| {
        ui.label(RichText::new("What differs was not looked for to the end").color(palette.weak));
        if ui.button("Compare again").clicked() {
            push(out, Act::Again);
        }
    });
}

/// What differs, in words; a click goes there on both sides.
fn list_ui(ui: &mut Ui, compare: &Compare, made: &Compared, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let differences = &made.comparison.differences;
    let count = match differences.len() {
        0 => "No difference".to_owned(),
        1 => "1 difference".to_owned(),
        n => format!("{n} differences"),
    };
    widgets::caption(ui, &count);
    if differences.is_empty() {
        ui.horizontal(|ui| {
            let icon = RichText::new(icons::glyph("check")).font(theme::icon(15.0)).color(palette.good);
            ui.add(Label::new(icon).selectable(false));
            let said = "Both say the same; positions, order and ids of steps do not count";
            ui.label(RichText::new(said).color(palette.weak));
        });
        return;
    }
    // The bar is seen on the ground of a page.
    let visuals = ui.visuals_mut();
    visuals.extreme_bg_color = palette.hover;
    visuals.widgets.inactive.bg_fill = theme::mix(palette.line, palette.weak, 0.5);
    visuals.widgets.hovered.bg_fill = palette.weak;
    visuals.widgets.active.bg_fill = palette.weak;
    ui.spacing_mut().item_spacing.y = 1.0;
    ScrollArea::vertical().auto_shrink([false, false]).show_rows(ui, ROW, differences.len(), |ui, rows| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for n in rows {
            let difference = &differences[n];
            let color = color_of(difference.sign, palette);
            let words = difference.words();
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
            let said = format!("{}: {words}", word_of(difference.sign));
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, compare.chosen == Some(n), said.clone()));
            if compare.chosen == Some(n) || response.hovered() || response.has_focus() {
                let fill = if compare.chosen == Some(n) { palette.accent_soft } else { palette.hover };
                ui.painter().rect_filled(rect, f32::from(theme::CONTROL_RADIUS), fill);
            }
            let inner = rect.shrink2(vec2(8.0, 0.0));
            let mut row =
                ui.new_child(egui::UiBuilder::new().max_rect(inner).layout(Layout::left_to_right(Align::Center)));
            let word = RichText::new(word_of(difference.sign)).font(theme::medium(12.0)).color(color);
            row.allocate_ui_with_layout(vec2(62.0, 20.0), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(62.0);
                ui.add(Label::new(word).selectable(false));
            });
            row.add(Label::new(&words).truncate().selectable(false));
            if response.on_hover_text(words).clicked() {
                push(out, Act::GoTo(n));
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc, sync::Arc};

    use egui_kittest::{Harness, kittest::Queryable as _};

    use super::*;
    use crate::{
        app::{Answer, CommandId, Job, Request, fixture, jobs::Kind},
        base::Instant,
        flow::file,
        gui::{Outside, Studio},
    };

    /// A world whose comparisons wait.
    #[derive(Clone, Default)]
    struct World {
        jobs: Rc<RefCell<Vec<Job>>>,
        answers: Rc<RefCell<Vec<Answer>>>,
    }

    impl Outside for World {
        fn now(&self) -> Instant {
            fixture::now()
        }

        fn perform(&mut self, request: Request, _ctx: &egui::Context) {
            match request {
                Request::Start(job) if job.work.kind() == Kind::Compare => self.jobs.borrow_mut().push(job),
                Request::Start(job) => self.answers.borrow_mut().push(Answer::Done(job.run())),
                _ => {}
            }
        }

        fn poll(&mut self) -> Vec<Answer> {
            self.answers.take()
        }
    }

    impl World {
        fn finish(&self) {
            let done = self.jobs.take().into_iter().map(|job| Answer::Done(job.run()));
            self.answers.borrow_mut().extend(done);
        }
    }

    fn window(text: &str) -> (Harness<'static, Studio>, World) {
        let world = World::default();
        let mut app = App::new();
        app.theme = crate::app::Theme::Light;
        let home = Arc::new(crate::app::Home::clone(&fixture::home()));
        let loaded = Box::new(file::read(text).expect("a flow"));
        world.answers.borrow_mut().push(Answer::Opened { path: None, loaded, home });
        let mut h = Harness::builder()
            .with_size(vec2(1000.0, 700.0))
            .with_theme(egui::Theme::Light)
            .with_context_setup(theme::install)
            .build_ui_state(|ui, studio: &mut Studio| studio.root(ui), Studio::new(app, Box::new(world.clone())));
        h.run_steps(4);
        h.state_mut().command_at_once(CommandId::CompareWith.into());
        h.run_steps(5);
        (h, world)
    }

    #[test]
    fn how_far_it_is_is_said_and_it_is_cancelled_and_asked_for_again() {
        let (mut h, world) = window(fixture::text());
        assert!(h.query_by_label("Now").is_some(), "both stand there at once");
        assert!(h.query_by_label("Looking for what differs").is_some());
        assert!(world.jobs.borrow()[0].progress.keeps_on(0.42));
        h.run_steps(2);
        assert!(h.query_by_label("Looking for what differs: 42 %").is_some());
        h.get_by_label("Cancel the comparison").click();
        h.run_steps(3);
        assert!(world.jobs.borrow()[0].progress.is_cancelled());
        world.finish();
        h.run_steps(3);
        assert!(h.query_by_label("What differs was not looked for to the end").is_some());
        h.get_by_label("Compare again").click();
        h.run_steps(3);
        world.finish();
        h.run_steps(4);
        assert!(h.query_by_label_contains("Both say the same").is_some());
        assert!(h.query_by_label("Cancel the comparison").is_none());
    }

    #[test]
    fn a_version_without_steps_says_so() {
        let (mut h, world) = window(r#"(version: 2, id: "e", name: "Empty")"#);
        world.finish();
        h.run_steps(4);
        assert!(h.query_by_label("This version has no steps").is_some());
        assert!(h.query_by_label("The flow has no steps").is_some());
    }

    #[test]
    fn both_are_fitted_with_their_first_rows_beside_each_other() {
        let side = |text: &str| Side::new(&file::read(text).expect("a flow").flow);
        let short = side(r#"(version: 2, id: "f", name: "F", nodes: [(id: "a", kind: "exit", pos: (50, 900))])"#);
        let areas = [Rect::from_min_size(pos2(30.0, 100.0), vec2(450.0, 350.0)), Rect::NOTHING];
        let areas = [areas[0], areas[0].translate(vec2(460.0, 0.0))];
        let sides = [short, side(fixture::text())];
        let view = View::fitting(areas, &sides);
        let shown = [0, 1].map(|n| {
            let center_in_canvas = pos2(view.centers[n].0, view.centers[n].1);
            let projection = Projection { screen: areas[n], center_in_canvas, zoom: view.zoom };
            projection.screen_from_canvas_rect(sides[n].geometry.bounds.expect("steps"))
        });
        assert!((shown[0].top() - shown[1].top()).abs() < 0.01, "{shown:?}");
        for (rect, area) in shown.into_iter().zip(areas) {
            assert!(area.shrink(FIT_MARGIN - 0.1).contains_rect(rect) && rect.top() > area.top() + FIT_TOP - 0.1);
        }
        assert!((shown[1].height() - (350.0 - FIT_TOP - FIT_MARGIN)).abs() < 0.1, "the room is used");
    }
}
