//! The engine at a glance: figures, the flow with what can be done to it, its steps, lateness.

use egui::{Button, RichText, ScrollArea, Ui, vec2};

use super::{banner, figure, warnings_ui};
use crate::{
    app::{
        Command, Document,
        run::{Act, Part, Question, Run, words},
    },
    base::NodeId,
    engine::status::{FlowStatus, NodeStatus, Status},
    gui::{
        panels::{
            bottom,
            pages::parts::{self, RowLook},
        },
        theme::{self, Palette},
        widgets,
    },
};

/// Widest it becomes, in points.
const WIDTH: f32 = 1000.0;

/// Draws it.
pub fn overview(ui: &mut Ui, document: &Document, run: &Run, out: &mut Vec<Command>) {
    let Some(status) = &run.status else { return };
    let flow = run.flow(document);
    ScrollArea::vertical().id_salt("overview").auto_shrink([false, false]).show(ui, |ui| {
        // Wider, the numbers of a step stand too far from its name.
        ui.set_max_width(ui.available_width().min(WIDTH));
        ui.add_space(6.0);
        figures(ui, document, status, flow);
        if let Some(scale) = status.time_scale {
            let words = format!("Time passes {} times as fast: dates run ahead", document.home.manner.decimal(scale));
            ui.label(RichText::new(words).color(Palette::get(ui).weak));
        }
        if let Some((words, rest)) = words::damaged(&document.home.manner, status) {
            let palette = Palette::get(ui);
            ui.add_space(4.0);
            banner(ui, "warning", &words, rest, (palette.error, palette.error_soft), |ui| {
                if bottom::small_button(ui, "Show them").clicked() {
                    out.push(Act::Show(Part::Held).into());
                }
            });
        }
        warnings_ui(ui, run);
        if let Some(flow) = flow {
            ui.add_space(6.0);
            flow_ui(ui, document, run, flow, out);
            ui.add_space(8.0);
            steps(ui, document, run, flow, out);
        }
        ui.add_space(10.0);
        lateness(ui, document, status);
        others(ui, document, status);
        ui.add_space(8.0);
    });
}

fn figures(ui: &mut Ui, document: &Document, status: &Status, flow: Option<&FlowStatus>) {
    let palette = Palette::get(ui);
    let number = |n: u64| document.home.manner.number(n);
    let sent = status.outbox.get("sent").copied().unwrap_or(0);
    let pending: u64 = ["due", "claimed", "handing_over"].iter().filter_map(|name| status.outbox.get(*name)).sum();
    let held = words::held(status);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        figure(ui, &number(status.contacts), "contacts known", palette.text);
        let under_way = flow.map_or_else(|| status.flows.iter().map(|f| f.under_way).sum(), |flow| flow.under_way);
        figure(ui, &number(under_way), "under way", palette.text);
        figure(ui, &number(flow.map_or(0, |flow| flow.entered)), "entered so far", palette.text);
        figure(ui, &number(sent), "messages sent", palette.good);
        figure(ui, &number(pending), "wait to be sent", palette.text);
        let ink = if held > 0 { palette.error } else { palette.text };
        figure(ui, &number(held), "held", ink);
        if let Some(at) = status.next_wake {
            figure(ui, &words::day_time(document, at), "next step is due", palette.text);
        }
    });
}

/// The flow's state, and what can be done to it.
fn flow_ui(ui: &mut Ui, document: &Document, run: &Run, flow: &FlowStatus, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let (state, is_well) = words::state(flow);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(document.title()).font(theme::semibold(14.0)));
        let (ink, fill) =
            if is_well { (palette.good, palette.good_soft) } else { (palette.warning, palette.warning_soft) };
        bottom::pill(ui, state, ink, fill);
        let mut button = |ui: &mut Ui, words: &str, question: Question| {
            let button = Button::new(RichText::new(words).font(theme::medium(12.5))).min_size(vec2(0.0, 26.0));
            if ui.add_enabled(!run.is_ordering, button).clicked() {
                out.push(Act::Ask(question).into());
            }
        };
        match flow.state.as_str() {
            "live" => button(ui, "Pause\u{2026}", Question::Pause { freeze: false }),
            _ => button(ui, "Resume\u{2026}", Question::Resume { held: None }),
        }
        if flow.state != "draining" {
            button(ui, "Drain\u{2026}", Question::Drain);
        }
        if !flow.older.is_empty() {
            button(ui, "Move to this version\u{2026}", Question::Migrate { mapping: Default::default(), plan: None });
        }
        if run.differs(document) != Some(true) {
            button(ui, "Publish again\u{2026}", Question::Publish);
        }
    });
    if !flow.why.is_empty() {
        ui.label(RichText::new(&flow.why).color(palette.warning));
    }
    let older: u64 = flow.older.values().sum();
    if older > 0 {
        let people = words::count(&document.home.manner, older, "journey walks", "journeys walk");
        ui.label(RichText::new(format!("{people} an older version")).color(palette.weak));
    }
}

/// A row per step that anybody came to, in the order of the flow; steps that are gone last.
fn steps(ui: &mut Ui, document: &Document, run: &Run, flow: &FlowStatus, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let there = document.flow().nodes.iter().filter_map(|node| flow.nodes.get_key_value(node.id.as_str()));
    let gone = flow.nodes.iter().filter(|(id, _)| document.flow().node(id.as_str()).is_none());
    let mut rows: Vec<(&NodeId, &NodeStatus)> = there.collect();
    rows.sort_by(|a, b| pos(document, a.0).total_cmp(&pos(document, b.0)));
    rows.extend(gone);
    widgets::caption(ui, "Steps");
    if rows.is_empty() {
        nobody_yet(ui, document, run, out);
        return;
    }
    let number = |n: i64| document.home.manner.number(u64::try_from(n).unwrap_or(0));
    let count = |n: u64| if n == 0 { "\u{2013}".to_owned() } else { document.home.manner.number(n) };
    let columns: [parts::Column<'_>; 7] = [
        ("Step", 1.0, 0.0),
        ("Here", 64.0, 0.0),
        ("Held", 64.0, 300.0),
        ("A minute", 84.0, 480.0),
        ("Came", 76.0, 400.0),
        ("Sent", 76.0, 340.0),
        ("Not sent", 84.0, 560.0),
    ];
    let look = |at: usize| RowLook {
        name: format!(
            "{}: {}, {} came",
            words::step(document, rows[at].0.as_str()),
            words::heard(&document.home.manner, rows[at].1),
            rows[at].1.entered
        ),
        is_chosen: false,
    };
    let cell = |at: usize, title: &str| {
        let (node, seen) = rows[at];
        match title {
            "Step" if document.flow().node(node.as_str()).is_none() => (format!("{node} (gone)"), palette.weak),
            "Step" => (words::step(document, node.as_str()), palette.text),
            "Here" => (number(seen.here), if seen.here > 0 { palette.accent } else { palette.weak }),
            "Held" if seen.open() > 0 => (number(seen.open()), palette.error),
            "Held" => ("\u{2013}".to_owned(), palette.weak),
            "A minute" => (count(seen.per_minute), palette.text),
            "Came" => (count(seen.entered), palette.text),
            "Sent" => (count(seen.sent), palette.text),
            _ => (count(seen.not_sent), palette.text),
        }
    };
    let high = 24.0 + bottom::ROW * rows.len() as f32 + 2.0;
    let clicked = ui
        .allocate_ui(vec2(ui.available_width(), high), |ui| {
            ui.set_min_height(high);
            parts::table(ui, "live steps", &columns, rows.len(), &look, &cell)
        })
        .inner;
    if let Some(at) = clicked
        && document.flow().node(rows[at].0.as_str()).is_some()
    {
        out.push(Command::GoTo(rows[at].0.clone()));
    }
}

/// What to do where nobody has entered: the event that lets the first one in, as it is posted.
fn nobody_yet(ui: &mut Ui, document: &Document, run: &Run, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let example = words::example(document, &run.address).filter(|_| !run.address.is_empty());
    let Some(example) = example else {
        return bottom::nothing(ui, "Nobody has entered yet");
    };
    bottom::nothing(ui, "Nobody has entered yet: post an event, and watch people move on the canvas");
    ui.add_space(2.0);
    ui.horizontal(|ui| {
        let copy = bottom::small_button(ui, "Copy").accessible_name("Copy how an event is posted");
        if copy.on_hover_text("For a shell, where curl is").clicked() {
            out.push(Act::CopyExample.into());
        }
        let line = RichText::new(example).font(theme::mono(12.0)).color(palette.text);
        ui.add(egui::Label::new(line).truncate().selectable(true));
    });
}

/// How far down a step stands: people read a flow from the top.
fn pos(document: &Document, node: &NodeId) -> f32 {
    document.flow().node(node.as_str()).map_or(f32::MAX, |node| node.pos.1)
}

fn lateness(ui: &mut Ui, document: &Document, status: &Status) {
    let palette = Palette::get(ui);
    let rows: Vec<_> = status.latency.iter().filter(|(_, latency)| latency.count > 0).collect();
    if rows.is_empty() {
        return;
    }
    let manner = &document.home.manner;
    widgets::caption(ui, "From happened to decided");
    let columns: [parts::Column<'_>; 6] = [
        ("What", 1.0, 0.0),
        ("Number", 84.0, 420.0),
        ("Half within", 100.0, 0.0),
        ("99 % within", 100.0, 0.0),
        ("At most", 90.0, 360.0),
        ("Over 10 s", 90.0, 520.0),
    ];
    let look = |at: usize| RowLook {
        name: format!(
            "{}: 99 % within {}",
            words::source(rows[at].0),
            words::millis(manner, words::real(status, rows[at].1.p99))
        ),
        is_chosen: false,
    };
    let late = |millis: u64| {
        let millis = words::real(status, millis);
        let ink = if millis > words::LATE_MILLIS { palette.warning } else { palette.text };
        (words::millis(manner, millis), ink)
    };
    let cell = |at: usize, title: &str| {
        let (name, latency) = rows[at];
        match title {
            "What" => (words::source(name).to_owned(), palette.text),
            "Number" => (manner.number(latency.count), palette.text),
            "Half within" => late(latency.p50),
            "99 % within" => late(latency.p99),
            "At most" => late(latency.max),
            // Counted on the engine's clock, where ten seconds may be a moment.
            _ if latency.over_10_s > 0 && status.time_scale.is_none() => {
                (manner.number(latency.over_10_s), palette.warning)
            }
            _ => ("\u{2013}".to_owned(), palette.weak),
        }
    };
    let high = 24.0 + bottom::ROW * rows.len() as f32 + 2.0;
    ui.allocate_ui(vec2(ui.available_width(), high), |ui| {
        ui.set_min_height(high);
        parts::table(ui, "lateness", &columns, rows.len(), &look, &cell)
    });
}

/// The other flows that this engine runs, one line each.
fn others(ui: &mut Ui, document: &Document, status: &Status) {
    let others: Vec<&FlowStatus> = status.flows.iter().filter(|flow| flow.id != document.flow().id.as_str()).collect();
    if others.is_empty() {
        return;
    }
    ui.add_space(10.0);
    widgets::caption(ui, "Other flows of this engine");
    let palette = Palette::get(ui);
    let name = |at: usize| if others[at].name.is_empty() { others[at].id.as_str() } else { &others[at].name };
    let number = |n: u64| document.home.manner.number(n);
    let columns: [parts::Column<'_>; 4] =
        [("Flow", 1.0, 0.0), ("State", 150.0, 0.0), ("Under way", 100.0, 360.0), ("Entered", 90.0, 440.0)];
    let look = |at: usize| RowLook {
        name: format!("{}: {}, {} under way", name(at), words::state(others[at]).0, number(others[at].under_way)),
        is_chosen: false,
    };
    let cell = |at: usize, title: &str| match title {
        "Flow" => (name(at).to_owned(), palette.text),
        "State" => {
            let (state, is_well) = words::state(others[at]);
            (state.to_owned(), if is_well { palette.text } else { palette.warning })
        }
        "Under way" => (number(others[at].under_way), palette.text),
        _ => (number(others[at].entered), palette.text),
    };
    let high = 24.0 + bottom::ROW * others.len() as f32 + 2.0;
    ui.allocate_ui(vec2(ui.available_width(), high), |ui| {
        ui.set_min_height(high);
        parts::table(ui, "other flows", &columns, others.len(), &look, &cell)
    });
}
