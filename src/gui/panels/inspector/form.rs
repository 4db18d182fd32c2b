//! Rows of a form, drawn; what is done to them goes to whoever owns the form.

use egui::{Align, Layout, RichText, Ui};

use super::{
    condition_ui,
    draft::Draft,
    inputs::{self, Around, TextLook},
};
use crate::{
    app::{
        Command, Document,
        inspector::{Change, Input, Ready, Route, Row, leaf, names, offers::Sort, rows},
    },
    base::{TimeOfDay, Weekday, Weekdays, Window},
    gui::{
        theme::{self, Palette},
        widgets::{reorder::Reorder, suggest::Offers},
    },
    kinds::{Editor, ListSpec},
};

/// Makes edits of a change to a row.
pub type Sink<'a> = dyn Fn(&Route, &Change) -> Result<Ready, String> + 'a;

/// What a form needs to be drawn.
pub struct Pen<'a> {
    /// The document.
    pub document: &'a Document,
    /// Half-typed texts.
    pub draft: &'a mut Draft,
    /// Where commands go.
    pub out: &'a mut Vec<Command>,
}

impl Pen<'_> {
    /// Why the last thing done at a key could not be, as long as the document is still the same.
    pub fn refused(&self, key: &str) -> Option<String> {
        let (at, why, revision) = self.draft.refused.as_ref()?;
        (at == key && *revision == self.document.history.revision()).then(|| why.clone())
    }

    /// Hands over what a hand did; where it cannot be, the reason stands at the field.
    pub fn act(&mut self, key: &str, ready: Result<Ready, String>) {
        match ready {
            Ok(ready) => {
                self.draft.forget(key);
                self.out.push(ready.command());
            }
            Err(why) => self.draft.refused = Some((key.to_owned(), why, self.document.history.revision())),
        }
    }
}

/// Settings that read as one thing and stand side by side where there is room: "is at least" and its number.
const PAIRS: &[(&str, &str)] = &[
    ("name", "weight"),
    ("op", "right"),
    ("op", "value"),
    ("op", "points"),
    ("window", "span"),
    ("channel", "status"),
    ("share", "salt"),
    ("from", "on_conflict"),
    ("at_least", "within"),
];

/// Draws rows. `prefix` keeps drafts of several forms apart; `owner` says whose rows they are, where that is not plain.
pub fn rows_ui(ui: &mut Ui, pen: &mut Pen<'_>, rows: &[Row], prefix: &str, owner: &str, sink: &Sink<'_>) {
    let mut rest = rows;
    while let [row, tail @ ..] = rest {
        rest = tail;
        let beside = tail.first().filter(|next| PAIRS.contains(&(row.spec.name, next.spec.name)));
        match beside {
            Some(next) if ui.available_width() > 170.0 => {
                rest = &tail[1..];
                ui.columns(2, |columns| {
                    for (ui, row) in columns.iter_mut().zip([row, next]) {
                        // Columns justify their contents; words would be pulled apart.
                        ui.with_layout(Layout::top_down(Align::Min), |ui| row_ui(ui, pen, row, prefix, owner, sink));
                    }
                });
            }
            _ => row_ui(ui, pen, row, prefix, owner, sink),
        }
    }
}

fn name_of(row: &Row, owner: &str) -> String {
    if owner.is_empty() { row.spec.label.to_owned() } else { format!("{owner}: {}", row.spec.label) }
}

/// Draws one row.
pub fn row_ui(ui: &mut Ui, pen: &mut Pen<'_>, row: &Row, prefix: &str, owner: &str, sink: &Sink<'_>) {
    let key = format!("{prefix} {}", row.route);
    let name = name_of(row, owner);
    let around = Around { key: &key, label: row.spec.label, name: &name, help: row.spec.help };
    match &row.input {
        Input::Text { text, is_there } => {
            if matches!(row.spec.editor, Editor::Condition) {
                condition_ui::condition(ui, pen, &around, row, text, sink);
            } else {
                text_row(ui, pen, &around, row, text, *is_there, sink);
            }
        }
        Input::Switch(on) => {
            if inputs::switch(ui, &around, *on).clicked() {
                pen.act(&key, sink(&row.route, &Change::Switch(!on)));
            }
            after(ui, pen, row, &key);
        }
        Input::Choice { chosen, options } => {
            let label = inputs::label(ui, &around, |_| {});
            let width = ui.available_width();
            if let Some(name) = inputs::combo(ui, &around, Some(&label), chosen, options, width) {
                pen.act(&key, sink(&row.route, &Change::Pick(name)));
            }
            after(ui, pen, row, &key);
        }
        Input::Window(window) => window_row(ui, pen, &around, row, *window, sink),
        Input::Weekdays(days) => {
            inputs::label(ui, &around, |_| {});
            if let Some(days) = weekdays(ui, *days, &name) {
                pen.act(&key, sink(&row.route, &Change::Weekdays(days)));
            }
            after(ui, pen, row, &key);
        }
        Input::Group { is_there, may_go, rows } => {
            if *may_go && inputs::switch(ui, &around, *is_there).clicked() {
                pen.act(&key, sink(&row.route, &Change::There(!is_there)));
            }
            after(ui, pen, row, &key);
            if *is_there {
                let inner = if *may_go { row.spec.label } else { owner };
                inputs::boxed(ui, |ui| rows_ui(ui, pen, rows, prefix, inner, sink));
            }
        }
        Input::OneOf { chosen, cases, rows } => {
            let label = inputs::label(ui, &around, |_| {});
            let mut options: Vec<(String, String)> =
                cases.iter().map(|case| (case.name.to_owned(), case.label.to_owned())).collect();
            if row.spec.left_out == Some("") {
                options.insert(0, (String::new(), "As usual".to_owned()));
            }
            let width = ui.available_width();
            if let Some(name) = inputs::combo(ui, &around, Some(&label), chosen, &options, width) {
                pen.act(&key, sink(&row.route, &Change::Pick(name)));
            }
            after(ui, pen, row, &key);
            one_of(ui, pen, rows, prefix, owner, sink);
        }
        Input::List { items, list } => list_row(ui, pen, &around, row, items, list, prefix, owner, sink),
        Input::Map { key: word, pairs, .. } => super::map_ui::map(ui, pen, &around, row, word, pairs, sink),
        Input::Raw { text, why } => {
            inputs::label(ui, &around, |_| {});
            let (mut typed, error) = pen.draft.shown(&key, text);
            let look = TextLook { rows: 3, is_wrong: true, small: true, ..TextLook::default() };
            let response = inputs::text_field(ui, pen.draft, &key, &mut typed, look).accessible_name(&name);
            if response.changed() {
                let ready = sink(&row.route, &Change::Raw(typed.clone()));
                pen.out.extend(pen.draft.typed(&key, &typed, text, ready).map(Ready::command));
            }
            inputs::notes(ui, Some(error.as_deref().unwrap_or(why)), &[]);
        }
    }
}

/// Rows of a chosen case: one value stands close below, several in a box.
fn one_of(ui: &mut Ui, pen: &mut Pen<'_>, rows: &[Row], prefix: &str, owner: &str, sink: &Sink<'_>) {
    match rows {
        [] => {}
        [one] => row_ui(ui, pen, one, prefix, owner, sink),
        rows => inputs::boxed(ui, |ui| rows_ui(ui, pen, rows, prefix, owner, sink)),
    }
}

/// What stands below a row: why the last thing done to it cannot be, and what was found.
fn after(ui: &mut Ui, pen: &mut Pen<'_>, row: &Row, key: &str) {
    inputs::notes(ui, pen.refused(key).as_deref(), &row.notes);
    if row.differs {
        inputs::small(ui, "Differs between the steps; a change is made in all");
    }
}

fn text_row(
    ui: &mut Ui,
    pen: &mut Pen<'_>,
    around: &Around<'_>,
    row: &Row,
    value: &str,
    is_there: bool,
    sink: &Sink<'_>,
) {
    let spec = &row.spec;
    let has_picker = matches!(spec.editor, Editor::Event | Editor::Path | Editor::Name(_));
    let is_long = matches!(spec.editor, Editor::LongText);
    let label = inputs::label(ui, around, |ui| {
        if is_long || is_tagged(row) {
            super::tags_ui::tag_button(ui, pen, around, row, value, sink);
        }
    });
    let (mut text, error) = pen.draft.shown(around.key, value);
    let hint = match spec.left_out {
        _ if row.differs => "Several values",
        Some(default) if !is_there => default,
        _ => "",
    };
    let wrong: Vec<_> = row.notes.iter().filter_map(|note| note.range).collect();
    let look = TextLook {
        rows: if is_long { 4 } else { 1 },
        hint,
        unit: spec.unit,
        is_wrong: error.is_some(),
        wrong: if text == value { &wrong } else { &[] },
        less_width: if has_picker { 36.0 } else { 0.0 },
        small: false,
        grows: false,
        offers: offered(pen.document, row),
    };
    let mut picked = None;
    let response = ui
        .horizontal(|ui| {
            let response = inputs::text_field(ui, pen.draft, around.key, &mut text, look);
            if has_picker {
                picked = inputs::name_picker(ui, pen.document, pen.draft, around, spec.editor, value);
            }
            response
        })
        .inner;
    let response = around.called(response, &label);
    if response.changed() {
        let ready = sink(&row.route, &Change::Text(text.clone()));
        pen.out.extend(pen.draft.typed(around.key, &text, value, ready).map(Ready::command));
    } else if let Some(name) = picked {
        let ready = sink(&row.route, &Change::Text(name));
        pen.act(around.key, ready);
    } else if response.lost_focus() {
        pen.draft.left(around.key);
    }
    let error = error.or_else(|| pen.refused(around.key));
    inputs::notes(ui, error.as_deref(), &row.notes);
    if error.is_none() {
        hints(ui, pen, row, &text);
    }
    if row.differs {
        inputs::small(ui, "Differs between the steps; a change is made in all");
    }
}

/// What is offered while a row is typed in.
fn offered<'a>(document: &'a Document, row: &Row) -> Option<Offers<'a>> {
    let sort = if is_tagged(row) { Some(Sort::Tags) } else { Sort::of(row.spec.editor) }?;
    Some(Offers { document, sort })
}

/// Texts that a reader of mail sees take merge tags.
fn is_tagged(row: &Row) -> bool {
    matches!(row.spec.editor, Editor::Text)
        && matches!(
            row.spec.name,
            "text" | "subject" | "href" | "src" | "alt" | "label" | "note" | "code" | "url" | "body"
        )
}

/// What a value means, where its words leave room.
fn hints(ui: &mut Ui, pen: &Pen<'_>, row: &Row, text: &str) {
    let palette = Palette::get(ui);
    match row.spec.editor {
        Editor::Span if !text.trim().is_empty() => {
            if let Some(meaning) = leaf::meaning(text) {
                inputs::line(ui, "arrow-elbow-down-right", palette.weak, &meaning, "");
            }
        }
        Editor::Name(what) => {
            if let Some(about) = names::about(pen.document, what, text) {
                inputs::line(ui, "arrow-elbow-down-right", palette.weak, &about, "");
            }
        }
        _ => {}
    }
}

/// Seven buttons. Gives back the new set; the last day stays on.
fn weekdays(ui: &mut Ui, days: Weekdays, name: &str) -> Option<Weekdays> {
    let palette = Palette::get(ui);
    let mut changed = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        ui.spacing_mut().button_padding = egui::vec2(0.0, 4.0);
        let width = ((ui.available_width() - 18.0) / 7.0).floor();
        for day in Weekday::ALL {
            let on = days.has(day);
            let ink = if on { palette.on_accent } else { palette.weak };
            let fill = if on { palette.accent } else { palette.field };
            let letters: String = day.title().chars().take(2).collect();
            let text = RichText::new(letters).font(theme::medium(11.5)).color(ink);
            let button = egui::Button::new(text).fill(fill).min_size(egui::vec2(width, 26.0));
            let response = ui.add(button);
            response.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::CheckBox, true, on, format!("{name}: {}", day.title()))
            });
            if response.on_hover_text(day.title()).clicked() {
                let set: Weekdays = Weekday::ALL.into_iter().filter(|d| days.has(*d) != (*d == day)).collect();
                changed = Some(set).filter(|set| !set.is_empty());
            }
        }
    });
    changed
}

fn window_row(ui: &mut Ui, pen: &mut Pen<'_>, around: &Around<'_>, row: &Row, window: Option<Window>, sink: &Sink<'_>) {
    let may_go = row.spec.left_out.is_some();
    if !may_go {
        inputs::label(ui, around, |_| {});
    } else if inputs::switch(ui, around, window.is_some()).clicked() {
        let new = match (window, TimeOfDay::new(9, 0), TimeOfDay::new(19, 0)) {
            (None, Some(from), Some(until)) => Some(Window { from, until, weekdays: Weekdays::ALL }),
            _ => None,
        };
        pen.act(around.key, sink(&row.route, &Change::Window(new)));
    }
    if let Some(window) = window {
        let mut errors = Vec::new();
        ui.horizontal(|ui| {
            let room = ui.available_width();
            for (which, word) in [("from", "from"), ("until", "until")] {
                let time = if which == "from" { window.from } else { window.until }.to_string();
                let key = format!("{} {which}", around.key);
                let (mut text, error) = pen.draft.shown(&key, &time);
                let look = TextLook {
                    rows: 1,
                    unit: if which == "from" { "to" } else { "" },
                    is_wrong: error.is_some(),
                    less_width: if which == "from" { room / 2.0 + 4.0 } else { 0.0 },
                    ..TextLook::default()
                };
                let response = inputs::text_field(ui, pen.draft, &key, &mut text, look);
                let response = response.accessible_name(format!("{} {word}", around.name));
                if response.changed() {
                    let ready = TimeOfDay::parse(&text).and_then(|time| {
                        let new = if which == "from" {
                            Window { from: time, ..window }
                        } else {
                            Window { until: time, ..window }
                        };
                        sink(&row.route, &Change::Window(Some(new)))
                    });
                    pen.out.extend(pen.draft.typed(&key, &text, &time, ready).map(Ready::command));
                } else if response.lost_focus() {
                    pen.draft.left(&key);
                }
                errors.extend(error);
            }
        });
        for error in errors {
            inputs::notes(ui, Some(&error), &[]);
        }
        if let Some(days) = weekdays(ui, window.weekdays, around.name) {
            pen.act(around.key, sink(&row.route, &Change::Window(Some(Window { weekdays: days, ..window }))));
        }
        let zone = &pen.document.home.workspace.zone;
        inputs::small(ui, &format!("On the contact's clock; {zone} where no zone is known"));
    }
    after(ui, pen, row, around.key);
}

#[expect(clippy::too_many_arguments, reason = "a list needs all that a row needs, and its items")]
fn list_row(
    ui: &mut Ui,
    pen: &mut Pen<'_>,
    around: &Around<'_>,
    row: &Row,
    items: &[Row],
    list: &'static ListSpec,
    prefix: &str,
    owner: &str,
    sink: &Sink<'_>,
) {
    let mut change = None;
    inputs::label(ui, around, |ui| change = add_button(ui, list, owner));
    if list.percent.is_some() {
        shares(ui, items);
    }
    if items.is_empty() {
        inputs::small(ui, "None");
    }
    let is_single = !matches!(list.item.editor, Editor::Group(_) | Editor::OneOf(_));
    let mut order = Reorder::down(around.key);
    for (at, item) in items.iter().enumerate() {
        let heading = heading(item, list, at);
        let one = rows::title(list.one);
        let whose = format!("{one} {}", at + 1);
        let whose = if owner.is_empty() { whose } else { format!("{owner}, {}", whose.to_lowercase()) };
        if is_single {
            ui.horizontal_top(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                    // Of the height of the field beside it.
                    let beside = egui::vec2(26.0, 30.0);
                    let centred = Layout::right_to_left(Align::Center);
                    let remove = ui.allocate_ui_with_layout(beside, centred, |ui| {
                        inputs::icon_button(ui, "x", &format!("Remove {}", whose.to_lowercase()))
                    });
                    if remove.inner.clicked() {
                        change = Some(Change::Remove(at));
                    }
                    ui.with_layout(Layout::top_down(Align::Min), |ui| bare_item(ui, pen, item, prefix, &whose, sink));
                });
            });
            continue;
        }
        let start = ui.cursor().min;
        inputs::boxed(ui, |ui| {
            ui.horizontal(|ui| {
                if list.ordered && items.len() > 1 {
                    order.handle(ui, &format!("Drag {}", whose.to_lowercase()), &heading);
                }
                let buttons = if list.ordered { 72.0 } else { 28.0 };
                let room = (ui.available_width() - buttons).max(40.0);
                if let Input::OneOf { chosen, cases, .. } = &item.input {
                    // What one is, is its heading, and the place to make it another.
                    let key = format!("{prefix} {}", item.route);
                    let around = Around { key: &key, label: "", name: &whose, help: "" };
                    let options: Vec<(String, String)> =
                        cases.iter().map(|case| (case.name.to_owned(), case.label.to_owned())).collect();
                    if let Some(name) = inputs::combo(ui, &around, None, chosen, &options, room) {
                        pen.act(&key, sink(&item.route, &Change::Pick(name)));
                    }
                } else {
                    let text = RichText::new(heading).font(theme::semibold(12.5));
                    ui.scope(|ui| {
                        ui.set_max_width(room);
                        ui.add(egui::Label::new(text).truncate().selectable(false));
                    });
                }
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.spacing_mut().item_spacing.x = 1.0;
                    let lower = whose.to_lowercase();
                    if inputs::icon_button(ui, "x", &format!("Remove {lower}")).clicked() {
                        change = Some(Change::Remove(at));
                    }
                    if list.ordered {
                        let is_last = at + 1 == items.len();
                        let down = format!("Move {lower} down");
                        if inputs::icon_button_enabled(ui, !is_last, "caret-down", &down).clicked() {
                            change = Some(Change::Move(at, at + 1));
                        }
                        let up = format!("Move {lower} up");
                        if inputs::icon_button_enabled(ui, at > 0, "caret-up", &up).clicked() {
                            change = Some(Change::Move(at, at - 1));
                        }
                    }
                });
            });
            match &item.input {
                Input::Group { rows, .. } => rows_ui(ui, pen, rows, prefix, &whose, sink),
                Input::OneOf { rows, .. } => rows_ui(ui, pen, rows, prefix, &whose, sink),
                _ => row_ui(ui, pen, item, prefix, &whose, sink),
            }
            inputs::notes(ui, None, &item.notes);
        });
        order.row_since(ui, start);
    }
    if let Some((from, to)) = order.end(ui) {
        change = Some(Change::Move(from, to));
    }
    if let Some(change) = change {
        // Drafts below are keyed by place, which has just moved.
        let key = around.key.to_owned();
        pen.act(&key, sink(&row.route, &change));
    }
    after(ui, pen, row, around.key);
}

/// One line of a list of plain values: the field without a label.
fn bare_item(ui: &mut Ui, pen: &mut Pen<'_>, item: &Row, prefix: &str, whose: &str, sink: &Sink<'_>) {
    let Input::Text { text: value, .. } = &item.input else {
        row_ui(ui, pen, item, prefix, whose, sink);
        return;
    };
    let key = format!("{prefix} {}", item.route);
    let around = Around { key: &key, label: "", name: whose, help: item.spec.help };
    let has_picker = matches!(item.spec.editor, Editor::Event | Editor::Path | Editor::Name(_));
    let (mut text, error) = pen.draft.shown(&key, value);
    let mut picked = None;
    let response = ui
        .horizontal(|ui| {
            let less_width = if has_picker { 36.0 } else { 0.0 };
            let is_wrong = error.is_some();
            let offers = offered(pen.document, item);
            let look = TextLook { rows: 1, is_wrong, less_width, offers, ..TextLook::default() };
            let response = inputs::text_field(ui, pen.draft, &key, &mut text, look);
            if has_picker {
                picked = inputs::name_picker(ui, pen.document, pen.draft, &around, item.spec.editor, value);
            }
            response
        })
        .inner
        .accessible_name(whose);
    if response.changed() {
        let ready = sink(&item.route, &Change::Text(text.clone()));
        pen.out.extend(pen.draft.typed(&key, &text, value, ready).map(Ready::command));
    } else if let Some(name) = picked {
        pen.act(&key, sink(&item.route, &Change::Text(name)));
    } else if response.lost_focus() {
        pen.draft.left(&key);
    }
    let error = error.or_else(|| pen.refused(&key));
    inputs::notes(ui, error.as_deref(), &item.notes);
}

fn heading(item: &Row, list: &ListSpec, at: usize) -> String {
    let named = item.inner().iter().find(|row| matches!(row.spec.name, "name" | "event" | "property"));
    match named.map(Row::text).filter(|name| !name.is_empty()) {
        Some(name) if matches!(item.input, Input::Group { .. }) => name,
        _ => item.heading(list.one, at),
    }
}

/// "Add arm", or of cases a menu of them.
fn add_button(ui: &mut Ui, list: &'static ListSpec, owner: &str) -> Option<Change> {
    let name = if owner.is_empty() { format!("Add {}", list.one) } else { format!("{owner}: add {}", list.one) };
    let button = inputs::word_button(ui, "plus", "Add", &name);
    let Editor::OneOf(cases) = list.item.editor else {
        return button.clicked().then(|| Change::Add(String::new()));
    };
    let mut change = None;
    egui::Popup::menu(&button).width(180.0).show(|ui| {
        for case in cases {
            if ui.button(case.label).clicked() {
                change = Some(Change::Add(case.name.to_owned()));
            }
        }
    });
    change
}

/// A bar of the shares of arms.
fn shares(ui: &mut Ui, items: &[Row]) {
    let palette = Palette::get(ui);
    let (rect, _) = ui.allocate_exact_size(egui::vec2(ui.available_width(), 8.0), egui::Sense::hover());
    let weight = |item: &Row| -> f32 {
        let row = item.inner().iter().find(|row| row.spec.name == "weight");
        row.and_then(|row| row.text().parse().ok()).unwrap_or(0.0)
    };
    let total: f32 = items.iter().map(weight).sum();
    if total <= 0.0 {
        return;
    }
    let color = palette.family(crate::app::card::Family::Split);
    let mut x = rect.left();
    for (at, item) in items.iter().enumerate() {
        let width = rect.width() * weight(item) / total;
        let part = egui::Rect::from_min_size(egui::pos2(x, rect.top()), egui::vec2((width - 2.0).max(1.0), 8.0));
        let strength = if at % 2 == 0 { 1.0 } else { 0.45 };
        ui.painter().rect_filled(part, 4.0, theme::mix(palette.panel, color, strength));
        x += width;
    }
}
