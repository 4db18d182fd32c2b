//! The axis of the time line: ticks, two lanes of marks, waits as bars, and the handle of the clock.

use egui::{
    Align2, Color32, CornerRadius, EventFilter, Key, Modifiers, Pos2, Rect, Response, Role, Sense, Stroke, Ui,
    WidgetInfo, pos2, vec2,
};

use crate::{
    app::{
        Command, Document,
        act::Act,
        card::Family,
        timeline::{Row, Sort, Timeline},
        when,
    },
    gui::{
        icons,
        theme::{self, Palette},
    },
};

/// Height of the axis.
pub const HEIGHT: f32 = 62.0;
/// Where the lane of the flow and the lane of the contact stand below the top.
const LANES: [f32; 2] = [28.0, 48.0];
/// Marks closer than this would cover each other.
const LEAST_APART: f32 = 15.0;

/// The colour of a sort of rows.
pub fn ink(palette: &Palette, sort: Sort) -> Color32 {
    match sort {
        Sort::Event | Sort::Response => palette.family(Family::Condition),
        Sort::Trigger | Sort::Entered => palette.family(Family::Trigger),
        Sort::Sent => palette.family(Family::Message),
        Sort::NotSent | Sort::NotEntered => palette.error,
        Sort::Waits => palette.family(Family::Delay),
        Sort::Passed => palette.family(Family::Action),
        Sort::Converted => palette.good,
        Sort::Ended => palette.family(Family::Exit),
    }
}

/// How far an arrow key moves the clock, as a share of the axis, and with Shift. Source: assumption, as sliders do.
const STEPS: [f32; 2] = [0.01, 0.1];

/// Draws it; a press or a drag puts the clock there, and so do the arrow keys where it has the focus.
pub fn axis_ui(ui: &mut Ui, document: &Document, line: &Timeline, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click_and_drag());
    let clock = document.view.clock;
    let said = clock.map_or("the end".to_owned(), |at| when::day_time(at, &line.zone));
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Slider, true, format!("Clock of the time line, {said}"));
        info.value = clock.map(|at| f64::from(line.share_of(at)));
        info
    });
    let inner = rect.shrink2(vec2(10.0, 0.0));
    let x_of = |at| inner.left() + inner.width() * line.share_of(at).clamp(0.0, 1.0);
    if (response.dragged() || response.clicked() || response.drag_started())
        && let Some(pointer) = response.interact_pointer_pos()
    {
        let share = (pointer.x - inner.left()) / inner.width().max(1.0);
        // A mark near the pointer is meant, not the minute beside it.
        let near = line.rows.iter().map(|row| row.at).min_by_key(|at| ((x_of(*at) - pointer.x).abs() * 16.0) as i64);
        let at = line.at_share(share);
        let at = near.filter(|at| (x_of(*at) - pointer.x).abs() < 5.0).unwrap_or(at);
        out.push(Act::SetClock(Some(at)).into());
    }
    if response.clicked() || response.drag_started() {
        response.request_focus();
    }
    if response.has_focus() {
        keys(ui, &response, document, line, out);
    }
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, theme::CONTROL_RADIUS as f32, palette.field);
    let mut free_from = f32::MIN;
    for tick in &line.ticks {
        let x = x_of(tick.at).round() + 0.5;
        painter.vline(x, rect.top() + 16.0..=rect.bottom(), Stroke::new(1.0, palette.line));
        let font = if tick.is_day { theme::medium(10.5) } else { theme::regular(10.5) };
        let galley = painter.layout_no_wrap(tick.label.clone(), font, palette.weak);
        let left = (x + 3.0).min(rect.right() - galley.size().x - 3.0);
        if left > free_from {
            free_from = left + galley.size().x + 6.0;
            painter.galley(pos2(left, rect.top() + 2.0), galley, palette.weak);
        }
    }
    for row in &line.rows {
        if let Some(until) = row.until {
            let y = rect.top() + LANES[0];
            let bar =
                Rect::from_min_max(pos2(x_of(row.at), y - 3.0), pos2(x_of(until).max(x_of(row.at) + 2.0), y + 3.0));
            let past = clock.is_none_or(|at| row.at <= at);
            let ink = ink(palette, Sort::Waits);
            let fill = theme::mix(palette.field, ink, if past { 0.45 } else { 0.18 });
            painter.rect_filled(bar, CornerRadius::same(3), fill);
        }
    }
    let places = places(line, rect, &x_of);
    for (row, at) in line.rows.iter().zip(&places).filter(|(row, _)| row.sort != Sort::Waits) {
        let past = clock.is_none_or(|clock| row.at <= clock);
        let ink = ink(palette, row.sort);
        let (fill, ink) = if past { (ink, palette.panel) } else { (theme::mix(palette.field, ink, 0.25), ink) };
        painter.circle(*at, 7.5, fill, Stroke::new(1.0, palette.field));
        painter.text(*at, Align2::CENTER_CENTER, icons::glyph(row.icon), theme::icon(9.5), ink);
    }
    if let Some(at) = clock {
        let x = x_of(at).round() + 0.5;
        painter.vline(x, rect.top() + 2.0..=rect.bottom(), Stroke::new(2.0, palette.accent));
        let knob = Rect::from_center_size(pos2(x, rect.top() + 7.0), vec2(10.0, 12.0));
        painter.rect_filled(knob, 4.0, palette.accent);
    }
    if response.has_focus() {
        let ring = Stroke::new(1.5, palette.accent);
        painter.rect_stroke(rect, theme::CONTROL_RADIUS as f32, ring, egui::StrokeKind::Inside);
    }
    tooltip(response, line, &places);
}

/// Arrows move the clock, with Shift further; Home and End put it at the ends; Space lets it run.
fn keys(ui: &Ui, response: &Response, document: &Document, line: &Timeline, out: &mut Vec<Command>) {
    // Without this the arrows would move the focus over the window.
    let filter = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let mut share = 0.0;
    let (home, end, space) = ui.input_mut(|i| {
        // With Shift first: without is any other key with it too.
        for (modifiers, step) in [(Modifiers::SHIFT, STEPS[1]), (Modifiers::NONE, STEPS[0])] {
            share += step * i.count_and_consume_key(modifiers, Key::ArrowRight) as f32;
            share -= step * i.count_and_consume_key(modifiers, Key::ArrowLeft) as f32;
        }
        let mut pressed = |key| i.consume_key(Modifiers::NONE, key);
        (pressed(Key::Home), pressed(Key::End), pressed(Key::Space))
    });
    if share != 0.0 {
        out.push(Act::SetClock(Some(line.moved(document.view.clock, share))).into());
    }
    if home || end {
        out.push(Act::Jump { to_end: end }.into());
    }
    if space {
        out.push(Act::Play(!document.view.playing).into());
    }
}

/// Where each row's mark stands; marks of one instant stand side by side.
fn places(line: &Timeline, rect: Rect, x_of: &dyn Fn(crate::base::Instant) -> f32) -> Vec<Pos2> {
    let mut taken = [f32::MIN; 2];
    let place = |row: &Row| {
        let lane = usize::from(matches!(row.sort, Sort::Event | Sort::Response));
        let y = rect.top() + LANES[lane];
        if row.sort == Sort::Waits {
            return pos2(x_of(row.at), y);
        }
        let x = x_of(row.at).max(taken[lane] + LEAST_APART).min(rect.right() - 9.0);
        taken[lane] = x;
        pos2(x, y)
    };
    line.rows.iter().map(place).collect()
}

fn tooltip(response: Response, line: &Timeline, places: &[Pos2]) {
    let Some(pointer) = response.hover_pos() else { return };
    let near = places.iter().enumerate().min_by_key(|(_, at)| (at.distance_sq(pointer) * 16.0) as i64);
    let Some((n, _)) = near.filter(|(_, at)| at.distance(pointer) < 10.0) else { return };
    let row = &line.rows[n];
    let detail = if row.detail.is_empty() { String::new() } else { format!("\n{}", row.detail) };
    response.on_hover_text_at_pointer(format!("{}\n{}{detail}", row.when, row.text));
}
