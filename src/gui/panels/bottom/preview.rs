//! Message preview: the mail of the selected step as one contact gets it.

use egui::{
    Align2, Button, ComboBox, CornerRadius, Frame, Label, Margin, Rect, RichText, ScrollArea, Sense, Stroke, TextEdit,
    Ui, pos2, vec2,
};

use super::parts;
use crate::{
    app::{
        Command, Document,
        act::{self, Act},
        preview::{self, Inbox, Moment, Source},
        stage::{self, Made},
        when,
    },
    content::TagState,
    gui::{
        canvas::paint,
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// Which part of a mail is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Tab {
    /// The line in an inbox, wide and narrow.
    #[default]
    Inbox,
    /// The plain text.
    Text,
    /// The HTML with line numbers.
    Source,
    /// Merge tags with their values.
    Tags,
    /// What reading the mail found.
    Hints,
}

/// The open tab, and a half-typed instant.
#[derive(Debug, Default)]
pub struct Draft {
    tab: Tab,
    instant: String,
    fault: String,
}

/// Draws it.
pub fn preview_ui(ui: &mut Ui, document: &Document, draft: &mut super::Draft, out: &mut Vec<Command>) {
    if !parts::has_people(ui, document) {
        return;
    }
    let moment = act::moment(document);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
        parts::people(ui, document, &mut draft.people, out);
        let differs = parts::small_button(ui, "Next that differs");
        if differs
            .on_hover_text("The next contact with other blocks, another variant, or tags without a value")
            .clicked()
        {
            out.push(Act::NextDiffering.into());
        }
        event_ui(ui, document, out);
        instant_ui(ui, document, moment.as_ref(), &mut draft.preview, out);
        let is_page = made(document).is_some_and(|made| !made.mail.html.is_empty());
        ui.add_enabled_ui(is_page, |ui| {
            if parts::small_button(ui, "Open in browser").clicked() {
                out.push(Act::OpenInBrowser.into());
            }
            if parts::small_button(ui, "Copy HTML").clicked() {
                out.push(Act::CopyHtml.into());
            }
        });
    });
    let key = document.preview_key();
    let Some(node) = &key.0 else {
        parts::nothing(ui, "Select a step that sends a message");
        return;
    };
    let previewed = document.derived.preview.as_ref().filter(|s| s.value.key.0 == key.0 && s.value.key.1 == key.1);
    match previewed.map(|stamped| &stamped.value.result) {
        None => parts::nothing(ui, "Rendering…"),
        Some(Err(why)) => {
            let palette = Palette::get(ui);
            ui.add(Label::new(RichText::new(why).color(palette.error)).wrap());
        }
        Some(Ok(made)) => {
            let inbox = preview::inbox(document, node, made);
            mail(ui, document, made, &inbox, moment.as_ref(), &mut draft.preview);
        }
    }
}

fn made(document: &Document) -> Option<&Made> {
    document.derived.preview.as_ref()?.value.result.as_ref().ok().map(|made| &**made)
}

fn event_ui(ui: &mut Ui, document: &Document, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let Some(contact) = &document.view.contact else { return };
    let entries = stage::entries(document.flow(), &document.home, contact);
    let chosen = entries.iter().find(|entry| Some(&entry.id) == document.view.event.as_ref());
    let words = chosen.map_or("Entry: as it happens".to_owned(), |entry| format!("{}, {}", entry.name, entry.when));
    let combo = ComboBox::from_id_salt("event").selected_text(words).width(150.0).truncate();
    let combo = combo.show_ui(ui, |ui| {
        ui.set_min_width(380.0);
        if ui.selectable_label(chosen.is_none(), "As it happens").clicked() {
            out.push(Command::ChooseEvent(None));
        }
        for entry in &entries {
            let is_chosen = chosen.is_some_and(|chosen| chosen.id == entry.id);
            let (rect, response) = parts::row(ui, &format!("{}, {}", entry.name, entry.when), true, is_chosen);
            let cells = parts::cells(rect.shrink2(vec2(4.0, 0.0)), &[("", 120.0), ("", 0.4), ("", 0.6)]);
            parts::text(ui.painter(), cells[0], &entry.when, theme::medium(12.0), palette.text);
            parts::text(ui.painter(), cells[1], &entry.name, theme::regular(12.5), palette.text);
            parts::text(ui.painter(), cells[2], &entry.detail, theme::regular(11.5), palette.weak);
            if response.clicked() {
                out.push(Command::ChooseEvent(Some(entry.id.clone())));
                ui.close();
            }
        }
        if entries.is_empty() {
            ui.label(RichText::new("No event of theirs could have let them in").color(palette.weak));
        }
    });
    combo.response.accessible_name("Event of entry");
}

fn instant_ui(ui: &mut Ui, document: &Document, moment: Option<&Moment>, draft: &mut Draft, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let zone = when::zone_of(&document.home, document.view.contact.as_ref());
    let at = moment.map(|moment| moment.at).or_else(|| stage::newest(&document.home));
    let words = at.map_or("No instant".to_owned(), |at| when::day_time(at, &zone));
    let glyph = RichText::new(icons::glyph("clock")).font(theme::icon(13.0));
    let button = Button::new((glyph, words)).min_size(vec2(0.0, 26.0));
    let button = ui.add(button).accessible_name("Instant of the preview");
    let popup = egui::Popup::from_toggle_button_response(&button)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .accessible_name("Instants")
        .width(250.0);
    popup.show(|ui| {
        if ui.button("When they get it").clicked() {
            out.push(Command::ChooseInstant(None));
            out.push(Act::SetClock(None).into());
            ui.close();
        }
        if let Some(newest) = stage::newest(&document.home)
            && ui.button("At the newest event").clicked()
        {
            out.push(Command::ChooseInstant(Some(newest)));
            ui.close();
        }
        let hint = at.map(|at| when::typed(at, &zone)).unwrap_or_default();
        let field = TextEdit::singleline(&mut draft.instant).hint_text(hint).desired_width(220.0);
        let field = ui.add(field).accessible_name("Instant, such as 2026-10-20 03:10");
        if field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter)) {
            match when::parse(&draft.instant, &zone) {
                Ok(at) => {
                    draft.fault.clear();
                    out.push(Command::ChooseInstant(Some(at)));
                    ui.close();
                }
                Err(fault) => draft.fault = fault,
            }
        }
        let words = if draft.fault.is_empty() { zone.name() } else { draft.fault.as_str() };
        let ink = if draft.fault.is_empty() { palette.weak } else { palette.error };
        ui.label(RichText::new(words).font(theme::regular(11.5)).color(ink));
    });
}

/// Tabs, what is to be known of the mail, and the open tab.
fn mail(ui: &mut Ui, document: &Document, made: &Made, inbox: &Inbox, moment: Option<&Moment>, draft: &mut Draft) {
    let palette = Palette::get(ui);
    let is_email = !made.mail.html.is_empty();
    let missing = made.mail.missing.len();
    let tags = if missing == 0 { "Tags".to_owned() } else { format!("Tags \u{b7} {missing} missing") };
    let hints = match made.lints.len() {
        0 => "Hints".to_owned(),
        n => format!("Hints \u{b7} {n}"),
    };
    let mut tabs =
        vec![(Tab::Inbox, "Inbox".to_owned()), (Tab::Text, "Text".to_owned()), (Tab::Tags, tags), (Tab::Hints, hints)];
    if is_email {
        tabs.insert(2, (Tab::Source, "Source".to_owned()));
    } else if draft.tab == Tab::Source {
        draft.tab = Tab::Text;
    }
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        parts::choice(ui, &mut draft.tab, &tabs);
        ui.add_space(8.0);
        if let Some(held) = preview::held(made) {
            let words = RichText::new(format!("Would be held: {held}")).font(theme::medium(12.0)).color(palette.error);
            ui.add(Label::new(words).truncate());
            return;
        }
        let from = match moment.map(|moment| moment.source) {
            Some(Source::Sent) => "when the replay sends it",
            Some(Source::Clock) => "as of the clock",
            Some(Source::Chosen) => "as of the chosen instant",
            Some(Source::Newest) | None => "never reaches this step; as of the newest event",
        };
        let mut words = from.to_owned();
        let message = document.preview_key().0.and_then(|id| document.flow().node(id.as_str()).cloned());
        let message = message.and_then(|node| stage::message_of(document.flow(), &node).cloned());
        if message.is_some_and(|message| message.variants.len() > 1) {
            words = format!("variant {} \u{b7} {words}", made.variant);
        }
        if let Some(event) = &made.event {
            words = format!("{words} \u{b7} entered by {}", event.name);
        }
        ui.add(Label::new(RichText::new(words).font(theme::regular(12.0)).color(palette.weak)).truncate());
    });
    match draft.tab {
        Tab::Inbox => inbox_ui(ui, made, inbox, is_email),
        Tab::Text => {
            let area = ScrollArea::vertical().id_salt("text").auto_shrink([false, false]);
            area.show(ui, |ui| {
                ui.set_max_width(620.0);
                ui.add(Label::new(made.mail.text.trim_end()).wrap());
            });
        }
        Tab::Source => source_ui(ui, made),
        Tab::Tags => tags_ui(ui, document, made),
        Tab::Hints => hints_ui(ui, made),
    }
}

/// The line of a mail program on a desk, and the card of one on a phone.
fn inbox_ui(ui: &mut Ui, made: &Made, inbox: &Inbox, is_email: bool) {
    let palette = Palette::get(ui);
    ScrollArea::vertical().id_salt("inbox").auto_shrink([false, false]).show(ui, |ui| {
        if !is_email {
            Frame::new().fill(palette.accent_soft).corner_radius(14.0).inner_margin(Margin::symmetric(14, 10)).show(
                ui,
                |ui| {
                    ui.set_max_width(300.0);
                    ui.add(Label::new(made.mail.text.trim_end()).wrap());
                },
            );
            return;
        }
        let name = format!("{}: {}, {}", inbox.sender, inbox.subject, inbox.preheader);
        // Side by side where there is room for a line as long as mail programs show it.
        if ui.available_width() >= 860.0 {
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| phone_ui(ui, inbox, &name));
                ui.add_space(16.0);
                ui.vertical(|ui| desktop_ui(ui, inbox, &name));
            });
        } else {
            desktop_ui(ui, inbox, &name);
            phone_ui(ui, inbox, &name);
        }
        if !inbox.address.is_empty() {
            ui.add_space(2.0);
            ui.label(
                RichText::new(format!("From {} <{}>", inbox.sender, inbox.address))
                    .font(theme::regular(11.5))
                    .color(palette.weak),
            );
        }
    });
}

/// The line of a mail program on a desk.
fn desktop_ui(ui: &mut Ui, inbox: &Inbox, name: &str) {
    let palette = Palette::get(ui);
    widgets::caption(ui, "Desktop");
    let width = ui.available_width().min(900.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 38.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("Inbox on a desktop, {name}")));
    card(ui, rect);
    let sender = if width < 560.0 { 120.0 } else { 170.0 };
    let cells = parts::cells(rect.shrink2(vec2(14.0, 0.0)), &[("", sender), ("", 0.9), ("", 56.0)]);
    let painter = ui.painter();
    parts::text(painter, cells[0], &inbox.sender, theme::semibold(13.0), palette.text);
    let end = parts::text(painter, cells[1], &inbox.subject, theme::semibold(13.0), palette.text);
    let mut rest = cells[1];
    rest.min.x = end.right() + 8.0;
    parts::text(painter, rest, &inbox.preheader, theme::regular(13.0), palette.weak);
    let right = pos2(cells[2].right(), cells[2].center().y);
    painter.text(right, Align2::RIGHT_CENTER, &inbox.time, theme::regular(11.5), palette.weak);
    ui.add_space(4.0);
}

/// The card of a mail program on a phone of 340 points.
fn phone_ui(ui: &mut Ui, inbox: &Inbox, name: &str) {
    let palette = Palette::get(ui);
    widgets::caption(ui, "Phone");
    let (rect, response) = ui.allocate_exact_size(vec2(340.0, 84.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("Inbox on a phone, {name}")));
    card(ui, rect);
    let painter = ui.painter();
    let center = rect.left_top() + vec2(32.0, 30.0);
    painter.circle_filled(center, 17.0, palette.accent_soft);
    painter.text(center, Align2::CENTER_CENTER, &inbox.initial, theme::semibold(14.0), palette.accent);
    let line = |n: f32| {
        let top = rect.top() + 9.0 + n * 22.0;
        Rect::from_min_max(pos2(rect.left() + 60.0, top), pos2(rect.right() - 12.0, top + 22.0))
    };
    let time = pos2(rect.right() - 14.0, line(0.0).center().y);
    let time = painter.text(time, Align2::RIGHT_CENTER, &inbox.time, theme::regular(11.5), palette.weak);
    let mut first = line(0.0);
    first.max.x = time.left() - 4.0;
    parts::text(painter, first, &inbox.sender, theme::semibold(13.5), palette.text);
    parts::text(painter, line(1.0), &inbox.subject, theme::medium(13.0), palette.text);
    parts::text(painter, line(2.0), &inbox.preheader, theme::regular(12.5), palette.weak);
}

fn card(ui: &Ui, rect: Rect) {
    let palette = Palette::get(ui);
    let radius = CornerRadius::same(theme::TILE_RADIUS);
    ui.painter().rect(rect, radius, palette.card, Stroke::new(1.0, palette.line), egui::StrokeKind::Inside);
}

/// The HTML, line by line: only what is in sight is laid out.
fn source_ui(ui: &mut Ui, made: &Made) {
    let palette = Palette::get(ui);
    let html = &made.mail.html;
    let begins: Vec<usize> = std::iter::once(0).chain(html.match_indices('\n').map(|(at, _)| at + 1)).collect();
    ui.spacing_mut().item_spacing.y = 0.0;
    let area = ScrollArea::both().id_salt("source").auto_shrink([false, false]);
    area.show_rows(ui, 18.0, begins.len(), |ui, range| {
        for n in range {
            let end = begins.get(n + 1).map_or(html.len(), |next| next - 1);
            let line = html.get(begins[n]..end).unwrap_or("");
            ui.horizontal(|ui| {
                ui.set_height(18.0);
                let (rect, _) = ui.allocate_exact_size(vec2(34.0, 18.0), Sense::hover());
                let right = rect.right_center() - vec2(4.0, 0.0);
                let number = (n + 1).to_string();
                ui.painter().text(right, Align2::RIGHT_CENTER, number, theme::regular(11.5), palette.weak);
                let words = RichText::new(line.replace('\t', "  ")).monospace();
                ui.add(Label::new(words).wrap_mode(egui::TextWrapMode::Extend));
            });
        }
    });
}

fn tags_ui(ui: &mut Ui, document: &Document, made: &Made) {
    let palette = Palette::get(ui);
    let rows = preview::tags(document.flow(), made);
    if rows.is_empty() {
        parts::nothing(ui, "This mail has no merge tags");
        return;
    }
    let columns = [("Tag", 0.25), ("Field", 0.25), ("State", 84.0), ("Value", 0.5)];
    ui.spacing_mut().item_spacing.y = 0.0;
    parts::header(ui, &columns);
    let area = ScrollArea::vertical().id_salt("tags").auto_shrink([false, false]);
    area.show_rows(ui, parts::ROW, rows.len(), |ui, range| {
        for tag in &rows[range] {
            let (rect, response) =
                parts::row(ui, &format!("{}: {}, {}", tag.name, tag.state.name(), tag.value), false, false);
            let cells = parts::cells(rect, &columns);
            let (ink, fill) = match tag.state {
                TagState::Value => (palette.good, palette.good_soft),
                TagState::Fallback => (palette.warning, palette.warning_soft),
                TagState::Missing => (palette.error, palette.error_soft),
            };
            let painter = ui.painter();
            parts::text(painter, cells[0], &format!("{{{}}}", tag.name), theme::medium(12.5), palette.text);
            parts::text(painter, cells[1], &tag.title, theme::regular(12.5), palette.weak);
            let pill = Rect::from_min_size(cells[2].left_center() - vec2(0.0, 9.0), vec2(66.0, 18.0));
            painter.rect_filled(pill, 9.0, fill);
            painter.text(pill.center(), Align2::CENTER_CENTER, tag.state.name(), theme::medium(11.0), ink);
            let value = if tag.state == TagState::Missing { "the mail would be held" } else { &tag.value };
            let ink = if tag.state == TagState::Missing { palette.error } else { palette.text };
            parts::text(painter, cells[3], value, theme::regular(12.5), ink);
            response.on_hover_text(value);
        }
    });
}

fn hints_ui(ui: &mut Ui, made: &Made) {
    let palette = Palette::get(ui);
    if made.lints.is_empty() {
        parts::nothing(ui, "Nothing to say about this mail");
        return;
    }
    let area = ScrollArea::vertical().id_salt("hints").auto_shrink([false, false]);
    area.show(ui, |ui| {
        for found in &made.lints {
            ui.horizontal_top(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(18.0, 18.0), Sense::hover());
                paint::mark(ui.painter(), rect.center(), found.severity, 15.0, palette);
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 1.0;
                    ui.add(Label::new(&found.message).wrap());
                    if !found.hint.is_empty() {
                        let hint = RichText::new(&found.hint).font(theme::regular(11.5)).color(palette.weak);
                        ui.add(Label::new(hint).wrap());
                    }
                });
            });
        }
    });
}
