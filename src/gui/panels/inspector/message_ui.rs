//! The message of a step: variants, subject, preheader, blocks.

use egui::{Align, Layout, Popup, RichText, Sense, Ui, vec2};

use super::{
    form::{self, Pen},
    inputs::{self, Around, TextLook},
    tags_ui,
};
use crate::{
    app::{
        Command,
        inspector::{
            Input, Ready, blocks,
            message::{self, BlockForm, BodyForm, Field, MessageChange, MessageForm, Part, VariantForm},
            offers::Sort,
        },
        mails::{self, Act, source::Form},
        pages::PageKind,
    },
    audience::Channel,
    base::{MessageId, NodeId},
    gui::{
        icons,
        theme::{self, Palette},
        widgets::{reorder::Reorder, suggest::Offers},
    },
};

/// Draws the message of a step that sends one.
pub fn message_ui(ui: &mut Ui, pen: &mut Pen<'_>, node: &NodeId) {
    let Some(form) = message::form(pen.document, node) else {
        if let Some((id, channel, why)) = message::missing(pen.document.flow(), node) {
            inputs::caption(ui, "Message");
            inputs::message(ui, crate::base::Severity::Error, &why, "");
            if ui.button("Begin it").accessible_name("Begin the message").clicked() {
                pen.out.push(message::begin(&id, channel).command());
            }
        }
        return;
    };
    ui.add_space(8.0);
    let variant_key = form.id.to_string();
    let chosen = pen.draft.variants.get(&variant_key).copied().unwrap_or(0).min(form.variants.len().saturating_sub(1));
    inputs::low_line(ui, |ui| {
        crate::gui::widgets::caption(ui, if form.channel == Channel::Sms { "Text message" } else { "Mail" });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if inputs::word_button(ui, "plus", "Variant", "Add variant").clicked() {
                act(pen, &form.id, chosen, &MessageChange::CopyVariant);
                pen.draft.variants.insert(variant_key.clone(), chosen + 1);
            }
        });
    });
    if !form.also_sent_by.is_empty() {
        inputs::small(ui, &format!("Also sent by {}", form.also_sent_by.join(", ")));
    }
    let Some(variant) = form.variants.get(chosen) else { return };
    if form.variants.len() > 1 {
        variants(ui, pen, &form, chosen);
    }
    let field = |label, part, field: &Field| (label, part, field.clone());
    if form.channel == Channel::Email {
        for (label, part, field) in [
            field("Subject line", Part::Subject, &variant.subject),
            field("Preheader", Part::Preheader, &variant.preheader),
        ] {
            text(ui, pen, &form, chosen, label, part, &field, 1);
        }
        body(ui, pen, &form, chosen, variant);
        let open_key = format!("plain {}", form.id);
        let is_open = pen.draft.is_open(&open_key) || !variant.text.notes.is_empty();
        if is_open || !variant.text.text.is_empty() {
            text(ui, pen, &form, chosen, "Plain text", Part::Text, &variant.text, 5);
        } else if inputs::word_button(ui, "text-t", "Write a plain text of its own", "Write a plain text").clicked() {
            pen.draft.toggle(&open_key);
        }
    } else {
        text(ui, pen, &form, chosen, "Text", Part::Text, &variant.text, 5);
    }
    text(ui, pen, &form, chosen, "Name in lists", Part::Name, &Field { text: form.name.clone(), notes: vec![] }, 1);
    inputs::notes(ui, None, &form.notes);
}

fn act(pen: &mut Pen<'_>, id: &MessageId, variant_idx: usize, change: &MessageChange) {
    // What cannot be is shown as unusable before; a message that is gone meanwhile is drawn anew in a moment.
    if let Ok(ready) = message::edit(pen.document.flow(), id, variant_idx, change) {
        pen.draft.forget(&format!("message {id} "));
        pen.out.push(ready.command());
    }
}

/// Moves a variant; the one that is shown stays shown.
fn move_variant(pen: &mut Pen<'_>, form: &MessageForm, chosen: usize, from: usize, to: usize) {
    act(pen, &form.id, from, &MessageChange::MoveVariant(to));
    let shown = match chosen {
        at if at == from => to,
        at if from < at && at <= to => at - 1,
        at if to <= at && at < from => at + 1,
        at => at,
    };
    pen.draft.variants.insert(form.id.to_string(), shown);
}

fn variants(ui: &mut Ui, pen: &mut Pen<'_>, form: &MessageForm, chosen: usize) {
    let palette = Palette::get(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
        let mut order = Reorder::across(("variants", form.id.as_str()));
        for (at, variant) in form.variants.iter().enumerate() {
            let ink = if at == chosen { palette.accent } else { palette.text };
            let words = RichText::new(form.variant_title(at)).font(theme::medium(12.0)).color(ink);
            let tab = egui::Button::selectable(at == chosen, words).min_size(vec2(44.0, 26.0));
            let tab = tab.sense(Sense::click_and_drag());
            let tab = ui.add(tab).accessible_name(format!("Variant {}", variant.id));
            if tab.clicked() {
                pen.draft.variants.insert(form.id.to_string(), at);
            }
            order.drag(ui, &tab, &format!("Variant {}", variant.id));
            order.row(tab.rect);
        }
        if let Some((from, to)) = order.end(ui) {
            move_variant(pen, form, chosen, from, to);
        }
    });
    let variant = &form.variants[chosen];
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Max), |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            if inputs::icon_button(ui, "trash", &format!("Remove variant {}", variant.id)).clicked() {
                act(pen, &form.id, chosen, &MessageChange::RemoveVariant);
            }
            let (left, right) =
                (format!("Move variant {} left", variant.id), format!("Move variant {} right", variant.id));
            if inputs::icon_button_enabled(ui, chosen + 1 < form.variants.len(), "caret-right", &right).clicked() {
                move_variant(pen, form, chosen, chosen, chosen + 1);
            }
            if inputs::icon_button_enabled(ui, chosen > 0, "caret-left", &left).clicked() {
                move_variant(pen, form, chosen, chosen, chosen - 1);
            }
            if inputs::icon_button(ui, "copy", &format!("Duplicate variant {}", variant.id)).clicked() {
                act(pen, &form.id, chosen, &MessageChange::CopyVariant);
                pen.draft.variants.insert(form.id.to_string(), chosen + 1);
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                let named = Field { text: variant.id.clone(), notes: vec![] };
                text(ui, pen, form, chosen, "Variant name", Part::VariantName, &named, 1);
            });
        });
    });
    let language = Field { text: variant.language.clone(), notes: vec![] };
    text(ui, pen, form, chosen, "Language", Part::Language, &language, 1);
    let share = Field { text: variant.weight.to_string(), notes: vec![] };
    text(ui, pen, form, chosen, "Share against the others", Part::Weight, &share, 1);
}

#[expect(clippy::too_many_arguments, reason = "a text of a message, with whose and which it is")]
fn text(
    ui: &mut Ui,
    pen: &mut Pen<'_>,
    form: &MessageForm,
    variant_idx: usize,
    label: &str,
    part: Part,
    field: &Field,
    rows: usize,
) {
    let key = format!("message {} {variant_idx} {part:?}", form.id);
    let around = Around { key: &key, label, name: label, help: "" };
    let takes_tags = matches!(part, Part::Subject | Part::Preheader | Part::Text | Part::Source);
    let offered = match part {
        Part::Source => Some(Sort::Source),
        _ => takes_tags.then_some(Sort::Tags),
    };
    let edit = |text: &str| {
        message::edit(pen.document.flow(), &form.id, variant_idx, &MessageChange::Type(part, text.to_owned()))
    };
    let mut inserted = None;
    let document = pen.document;
    let label = inputs::label(ui, &around, |ui| {
        if takes_tags {
            let mut pen = Pen { document, draft: &mut *pen.draft, out: &mut *pen.out };
            inserted = tags_ui::insert(ui, &mut pen, &around, &field.text);
        }
    });
    let (mut typed, error) = pen.draft.shown(&key, &field.text);
    let wrong: Vec<_> = field.notes.iter().filter_map(|note| note.range).collect();
    let look = TextLook {
        rows,
        is_wrong: error.is_some(),
        wrong: if typed == field.text { &wrong } else { &[] },
        offers: offered.map(|sort| Offers { document, sort }),
        ..TextLook::default()
    };
    let response = around.called(inputs::text_field(ui, pen.draft, &key, &mut typed, look), &label);
    if let Some(text) = inserted {
        let ready = edit(&text);
        pen.out.extend(pen.draft.typed(&key, &text, &field.text, ready).map(Ready::command));
    } else if response.changed() {
        let ready = edit(&typed);
        pen.out.extend(pen.draft.typed(&key, &typed, &field.text, ready).map(Ready::command));
    } else if response.lost_focus() {
        pen.draft.left(&key);
    }
    inputs::notes(ui, error.as_deref(), &field.notes);
}

fn body(ui: &mut Ui, pen: &mut Pen<'_>, form: &MessageForm, variant_idx: usize, variant: &VariantForm) {
    match &variant.body {
        BodyForm::Source { language, source } => {
            ui.add_space(3.0);
            inputs::low_line(ui, |ui| {
                form_menu(ui, pen, form, variant_idx, language);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if inputs::word_button(ui, "code", "Open the editor", "Open the editor").clicked()
                        && let Some(node) = pen.document.selected()
                    {
                        pen.out.push(Act::EditSource(node.clone(), Some(variant.id.as_str().into())).into());
                    }
                });
            });
            let view = &pen.document.view;
            let is_edited = view.page == Some(PageKind::Mails) && view.mail.part == mails::Part::Edit;
            if is_edited || source.text.len() > MOST_INLINE {
                inputs::small(ui, if is_edited { "Open in the editor" } else { "Too long for here: open the editor" });
            } else {
                text(ui, pen, form, variant_idx, &format!("{language} source"), Part::Source, source, 10);
            }
        }
        BodyForm::Blocks(list) => {
            ui.add_space(3.0);
            inputs::low_line(ui, |ui| {
                form_menu(ui, pen, form, variant_idx, "Blocks");
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let add = inputs::word_button(ui, "plus", "Add block", "Add block");
                    Popup::menu(&add).width(160.0).show(|ui| {
                        for case in blocks::BLOCKS {
                            if ui.button(case.label).on_hover_text(blocks::help(case.name)).clicked() {
                                act(pen, &form.id, variant_idx, &MessageChange::AddBlock(case.name.to_owned()));
                            }
                        }
                    });
                });
            });
            if list.is_empty() {
                inputs::small(ui, "Nothing yet: add a heading, a text, a button and a footer");
            }
            let mut order = Reorder::down(("blocks", form.id.as_str(), variant_idx));
            for (at, block) in list.iter().enumerate() {
                let start = ui.cursor().min;
                block_ui(ui, pen, form, variant_idx, at, list.len(), block, &order);
                order.row_since(ui, start);
            }
            if let Some((from, to)) = order.end(ui) {
                move_block(pen, form, variant_idx, list.len(), (from, to));
            }
        }
    }
}

/// Longest source in bytes that is typed in the inspector. Source: assumption; some 500 lines.
const MOST_INLINE: usize = 20_000;

/// How the content is written, with a menu of the other ways.
fn form_menu(ui: &mut Ui, pen: &mut Pen<'_>, form: &MessageForm, variant_idx: usize, now: &str) {
    let palette = Palette::get(ui);
    let words = RichText::new("Content").font(theme::regular(12.0)).color(palette.weak);
    ui.add(egui::Label::new(words).selectable(false));
    let button = inputs::word_button(ui, "caret-down", now, "Content written as");
    Popup::menu(&button).width(110.0).show(|ui| {
        for to in Form::ALL {
            let is_now = to.title() == now;
            let row = egui::Button::selectable(is_now, to.title());
            if ui.add_enabled(!is_now, row).accessible_name(format!("Write it as {}", to.title())).clicked() {
                pen.draft.forget(&format!("message {} ", form.id));
                pen.out.push(Act::SwitchBody { message: form.id.clone(), variant_idx, to }.into());
            }
        }
    });
}

/// Moves a block; parts that are folded out are known by their place, and move with it.
fn move_block(pen: &mut Pen<'_>, form: &MessageForm, variant_idx: usize, count: usize, (from, to): (usize, usize)) {
    let key = |at: usize| format!("block {} {variant_idx} {at}", form.id);
    let mut open: Vec<bool> = (0..count).map(|at| pen.draft.is_open(&key(at))).collect();
    if from < count && to < count {
        let moved = open.remove(from);
        open.insert(to, moved);
    }
    for (at, open) in open.into_iter().enumerate() {
        if pen.draft.is_open(&key(at)) != open {
            pen.draft.toggle(&key(at));
        }
    }
    act(pen, &form.id, variant_idx, &MessageChange::MoveBlock(from, to));
}

#[expect(clippy::too_many_arguments, reason = "a block, whose it is, and the list it stands in")]
fn block_ui(
    ui: &mut Ui,
    pen: &mut Pen<'_>,
    form: &MessageForm,
    variant_idx: usize,
    at: usize,
    count: usize,
    block: &BlockForm,
    order: &Reorder,
) {
    let open_key = format!("block {} {variant_idx} {at}", form.id);
    let is_open = pen.draft.is_open(&open_key);
    let name = format!("Block {}", at + 1);
    inputs::boxed(ui, |ui| {
        let header = ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            if count > 1 {
                order.handle(ui, &format!("Drag {}", name.to_lowercase()), &block.title);
            }
            block_header(ui, block, &name, is_open)
        });
        if header.inner.clicked() {
            pen.draft.toggle(&open_key);
        }
        if !is_open {
            let worst = worst_note(block);
            inputs::notes(ui, None, worst.as_slice());
            return;
        }
        let mut as_text = false;
        let change = tools(ui, &name, at, count, &mut as_text);
        if as_text {
            let message = form.id.clone();
            pen.out.push(crate::app::act::Act::CopyBlocks { message, variant_idx, at: Some(at) }.into());
        }
        let id = form.id.clone();
        let document = pen.document;
        let sink = |route: &crate::app::inspector::Route, change: &crate::app::inspector::Change| {
            message::edit(document.flow(), &id, variant_idx, &MessageChange::Block(at, route.clone(), change.clone()))
        };
        let prefix = format!("message {id} {variant_idx} block {at}");
        match &block.row.input {
            Input::OneOf { rows, .. } => form::rows_ui(ui, pen, rows, &prefix, &name, &sink),
            _ => form::row_ui(ui, pen, &block.row, &prefix, &name, &sink),
        }
        inputs::notes(ui, None, &block.notes);
        if let Some(change) = change {
            if let MessageChange::MoveBlock(from, to) = change {
                move_block(pen, form, variant_idx, count, (from, to));
                return;
            }
            if matches!(change, MessageChange::RemoveBlock(_)) {
                pen.draft.toggle(&open_key);
            }
            act(pen, &form.id, variant_idx, &change);
        }
    });
}

fn worst_note(block: &BlockForm) -> Option<crate::app::inspector::Note> {
    block.notes.iter().chain(block.row.all_notes()).min_by_key(|note| note.severity).cloned()
}

fn tools(ui: &mut Ui, name: &str, at: usize, count: usize, as_text: &mut bool) -> Option<MessageChange> {
    let mut change = None;
    let lower = name.to_lowercase();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if inputs::icon_button(ui, "trash", &format!("Remove {lower}")).clicked() {
                change = Some(MessageChange::RemoveBlock(at));
            }
            if inputs::icon_button(ui, "copy", &format!("Duplicate {lower}")).clicked() {
                change = Some(MessageChange::CopyBlock(at));
            }
            *as_text = inputs::icon_button(ui, "clipboard", &format!("Copy {lower} as text")).clicked();
            let down = format!("Move {lower} down");
            if inputs::icon_button_enabled(ui, at + 1 < count, "caret-down", &down).clicked() {
                change = Some(MessageChange::MoveBlock(at, at + 1));
            }
            if inputs::icon_button_enabled(ui, at > 0, "caret-up", &format!("Move {lower} up")).clicked() {
                change = Some(MessageChange::MoveBlock(at, at - 1));
            }
        });
    });
    change
}

/// The line of a block: icon, sort, words; a click folds it out.
fn block_header(ui: &mut Ui, block: &BlockForm, name: &str, is_open: bool) -> egui::Response {
    let palette = Palette::get(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 24.0), Sense::click());
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::Button, true, is_open, format!("{name}: {}", block.title))
    });
    let ink = if response.hovered() || response.has_focus() { palette.accent } else { palette.text };
    let painter = ui.painter_at(rect);
    let y = rect.center().y;
    let left = egui::Align2::LEFT_CENTER;
    painter.text(egui::pos2(rect.left(), y), left, icons::glyph(block.icon), theme::icon(15.0), palette.weak);
    let title = painter.text(egui::pos2(rect.left() + 22.0, y), left, &block.title, theme::medium(12.5), ink);
    let mut right = rect.right();
    let caret = if is_open { "caret-up" } else { "caret-down" };
    let drawn = painter.text(
        egui::pos2(right, y),
        egui::Align2::RIGHT_CENTER,
        icons::glyph(caret),
        theme::icon(12.0),
        palette.weak,
    );
    right = drawn.left() - 4.0;
    if !block.show_if.is_empty() {
        let eye = painter.text(
            egui::pos2(right, y),
            egui::Align2::RIGHT_CENTER,
            icons::glyph("eye"),
            theme::icon(13.0),
            palette.accent,
        );
        right = eye.left() - 4.0;
    }
    let room = right - title.right() - 8.0;
    if room > 20.0 && !is_open {
        let mut job =
            egui::text::LayoutJob::simple_singleline(block.summary.clone(), theme::regular(12.0), palette.weak);
        job.wrap = egui::text::TextWrapping::truncate_at_width(room);
        let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
        painter.galley(egui::pos2(title.right() + 8.0, y - galley.size().y / 2.0), galley, palette.weak);
    }
    let mut hover = block.summary.clone();
    if !block.show_if.is_empty() {
        hover = format!("{hover}\nShown if {}", block.show_if);
    }
    response.on_hover_text(hover)
}

/// A hint to the panel below: the mail as it reads.
pub fn preview_button(ui: &mut Ui, pen: &mut Pen<'_>) {
    let words = inputs::icon_words("eye", "Preview", Palette::get(ui).text);
    if ui.button(words).accessible_name("Preview the mail").clicked() {
        pen.out.push(Command::ShowPanel(Some(crate::app::Panel::Preview)));
    }
}
