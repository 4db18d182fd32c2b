//! The source of a mail in an editor: lines with numbers, colours, what is wrong at its letters, merge tags offered.

use std::sync::Arc;

use egui::{
    Align, Align2, Button, FontSelection, Galley, Id, Label, Margin, RichText, ScrollArea, Stroke, TextEdit,
    TextFormat, Ui,
    text::{CCursor, CCursorRange, LayoutJob},
    vec2,
};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    app::{
        Command, Document,
        inspector::{
            Note, Ready,
            message::{self, BodyForm, MessageChange, Part},
            offers::Sort,
        },
        mails::{self, Pane},
    },
    base::TextRange,
    content::highlight::highlight,
    gui::{
        panels::{bottom as parts, inspector},
        theme::{self, Palette},
        widgets::suggest::{Offers, suggesting},
    },
};

/// Room for the numbers of lines, in points.
const GUTTER: i8 = 46;
/// Height of a line that says what is wrong, in points.
const FAULT: f32 = 22.0;
/// So many of these are in sight at once.
const MOST_FAULTS: usize = 5;

/// What the editor keeps for itself.
#[derive(Debug, Default)]
pub struct Draft {
    /// The coloured text, for the hash it was made for.
    coloured: Option<(u64, LayoutJob)>,
    /// Where the cursor is to go, in letters.
    go_to: Option<usize>,
}

/// Whether the mail that is shown has a source.
pub(super) fn has_source(document: &Document) -> bool {
    let message = mails::message(document);
    let variant = message.and_then(|message| message.variants.get(variant_idx(document)?));
    variant.is_some_and(|variant| !matches!(variant.body, crate::content::Body::Blocks(_)))
}

/// The version that is edited: the one that is shown.
fn variant_idx(document: &Document) -> Option<usize> {
    let message = mails::message(document)?;
    let shown = document.view.mail.variant.clone().or_else(|| mails::shown(document, Pane::First));
    let found = message.variants.iter().position(|variant| Some(variant.id.as_str()) == shown.as_deref());
    Some(found.unwrap_or(0))
}

/// Draws the editor.
pub(super) fn edit_ui(
    ui: &mut Ui,
    document: &Document,
    draft: &mut Draft,
    typing: &mut inspector::Draft,
    out: &mut Vec<Command>,
) {
    let form = document.preview_key().node.and_then(|node| message::form(document, &node));
    let Some((form, variant_idx)) = form.zip(variant_idx(document)) else {
        parts::nothing(ui, "This step sends no mail yet");
        return;
    };
    let Some(BodyForm::Source { language, source }) = form.variants.get(variant_idx).map(|variant| &variant.body)
    else {
        parts::nothing(
            ui,
            "This mail is made of blocks: change them in the inspector, or turn them into a source there",
        );
        return;
    };
    let key = format!("message {} {variant_idx} {:?}", form.id, Part::Source);
    let (mut text, error) = typing.shown(&key, &source.text);
    let before = text.clone();
    let notes: &[Note] = if text == source.text { &source.notes } else { &[] };
    let num_faults = notes.len() + usize::from(error.is_some());
    let below = FAULT * num_faults.min(MOST_FAULTS) as f32 + if num_faults > 0 { 10.0 } else { 0.0 };
    let height = (ui.available_height() - below).max(80.0);
    let wrong: Vec<TextRange> = notes.iter().filter_map(|note| note.range).collect();
    let area = ScrollArea::vertical().id_salt("editor").auto_shrink([false, false]).max_height(height);
    let changed = area.show(ui, |ui| {
        let Draft { coloured, go_to } = draft;
        let palette = Palette::get(ui);
        let mut layouter = |ui: &Ui, buffer: &dyn egui::TextBuffer, wrap_width: f32| -> Arc<Galley> {
            let job = coloured_job(coloured, buffer.as_str(), &wrong, palette, wrap_width);
            ui.fonts_mut(|fonts| fonts.layout_job(job))
        };
        let edit = TextEdit::multiline(&mut text)
            .desired_width(f32::INFINITY)
            .margin(Margin { left: GUTTER, right: 8, top: 8, bottom: 8 })
            .min_size(vec2(0.0, height))
            .font(FontSelection::FontId(theme::mono(12.5)))
            .lock_focus(true)
            .layouter(&mut layouter);
        let id = ui.make_persistent_id(("suggesting", key.as_str()));
        let at = go_to.take();
        if let Some(at) = at {
            set_cursor(ui, id, at);
        }
        let offers = Offers { document, sort: Sort::Source };
        let output = suggesting(ui, edit, &before, &key, offers, &mut typing.typing);
        if let Some(at) = at {
            let place = output.galley.pos_from_cursor(CCursor::new(at)).translate(output.galley_pos.to_vec2());
            ui.scroll_to_rect(place, Some(Align::Center));
        }
        if let Some(range) = output.cursor_range {
            typing.cursors.insert(key.clone(), range.primary.index.into());
        }
        line_numbers(ui, &output.galley, output.galley_pos, palette);
        let response = output.response.response.accessible_name(format!("{language} source"));
        if response.lost_focus() && !response.changed() {
            typing.left(&key);
        }
        response.changed()
    });
    if changed.inner {
        let change = MessageChange::Type(Part::Source, text.clone());
        let ready = message::edit(document.flow(), &form.id, variant_idx, &change);
        out.extend(typing.typed(&key, &text, &source.text, ready).map(Ready::command));
    }
    faults_ui(ui, draft, &text, error.as_deref(), notes);
}

fn set_cursor(ui: &Ui, id: Id, at: usize) {
    let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    state.cursor.set_char_range(Some(CCursorRange::one(CCursor::new(at))));
    state.store(ui.ctx(), id);
    ui.memory_mut(|memory| memory.request_focus(id));
}

/// The text in its colours: made anew where it, what is wrong in it, or the palette changed.
fn coloured_job(
    kept: &mut Option<(u64, LayoutJob)>,
    text: &str,
    wrong: &[TextRange],
    palette: &Palette,
    wrap_width: f32,
) -> LayoutJob {
    let wrong: Vec<(usize, usize)> = wrong.iter().map(|range| inspector::inputs::fit(text, *range)).collect();
    let salt = format!("{wrong:?} {:?}", palette.text);
    let hash = xxh3_64(text.as_bytes()) ^ xxh3_64(salt.as_bytes()).rotate_left(1);
    if kept.as_ref().is_none_or(|(of, _)| *of != hash) {
        *kept = Some((hash, colour(text, &wrong, palette)));
    }
    let mut job = kept.as_ref().map(|(_, job)| job.clone()).unwrap_or_default();
    job.wrap.max_width = wrap_width;
    job
}

fn colour(text: &str, wrong: &[(usize, usize)], palette: &Palette) -> LayoutJob {
    let mut job = LayoutJob::default();
    let mut wrong = wrong.to_vec();
    wrong.sort_unstable();
    for (range, token) in highlight(text) {
        let plain = TextFormat { font_id: theme::mono(12.5), color: palette.token(token), ..TextFormat::default() };
        let mut at = range.start;
        for (start, end) in wrong.iter().map(|(start, end)| ((*start).max(range.start), (*end).min(range.end))) {
            if start < at || end <= start {
                continue;
            }
            let marked = TextFormat {
                underline: Stroke::new(2.0, palette.error),
                background: palette.error_soft,
                color: palette.error,
                ..plain.clone()
            };
            job.append(text.get(at..start).unwrap_or(""), 0.0, plain.clone());
            job.append(text.get(start..end).unwrap_or(""), 0.0, marked);
            at = end;
        }
        job.append(text.get(at..range.end).unwrap_or(""), 0.0, plain);
    }
    job
}

/// The number of every line in sight, at its first row.
fn line_numbers(ui: &Ui, galley: &Galley, at: egui::Pos2, palette: &Palette) {
    let clip = ui.clip_rect();
    let (mut number, mut is_first) = (1_usize, true);
    for row in &galley.rows {
        let rect = row.rect().translate(at.to_vec2());
        if is_first && rect.bottom() >= clip.top() && rect.top() <= clip.bottom() {
            let right = egui::pos2(at.x - 10.0, rect.center().y);
            ui.painter().text(right, Align2::RIGHT_CENTER, number.to_string(), theme::regular(11.0), palette.weak);
        }
        is_first = row.ends_with_newline;
        number += usize::from(row.ends_with_newline);
    }
}

/// What is wrong, below the text; a click goes to its place.
fn faults_ui(ui: &mut Ui, draft: &mut Draft, text: &str, error: Option<&str>, notes: &[Note]) {
    if error.is_none() && notes.is_empty() {
        return;
    }
    let palette = Palette::get(ui);
    ui.add_space(4.0);
    let area = ScrollArea::vertical().id_salt("faults").auto_shrink([false, true]);
    area.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        if let Some(error) = error {
            ui.add(Label::new(RichText::new(error).font(theme::regular(12.0)).color(palette.error)).truncate());
        }
        for note in notes {
            let place = note.range.map(|range| inspector::inputs::fit(text, range).0);
            let before = place.and_then(|at| text.get(..at));
            let line = before.map(|before| before.matches('\n').count() + 1);
            let words = line.map_or_else(|| note.message.clone(), |line| format!("Line {line}: {}", note.message));
            let (ink, _) = palette.severity(note.severity);
            let label = RichText::new(&words).font(theme::regular(12.0)).color(ink);
            let button = Button::new(label).frame_when_inactive(false).truncate().min_size(vec2(0.0, FAULT));
            let response = ui.add_enabled(before.is_some(), button).accessible_name(words);
            let hint = if note.hint.is_empty() { &note.message } else { &note.hint };
            if response.on_hover_text(hint).clicked() {
                draft.go_to = before.map(|before| before.chars().count());
            }
        }
    });
}
