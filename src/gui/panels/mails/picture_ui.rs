//! The picture of a mail: textures for what was drawn, links under the pointer, words where there is no picture.

use std::fmt;

use egui::{
    Align2, Color32, ColorImage, CornerRadius, CursorIcon, Pos2, Rect, RichText, ScrollArea, Sense, Stroke,
    TextureHandle, TextureOptions, Ui, Vec2, pos2, vec2,
};

use crate::{
    app::{
        Command, Document,
        act::Act as Below,
        mails::{self, Act, Pane, PictureKey, pictures::Picture},
    },
    gui::{
        icons,
        theme::{self, Palette},
    },
};

/// After so long a picture that is not there is spoken of, in seconds. Source: references, mail rendering, section 2.
const LONG_SECS: f64 = 2.0;
/// Pixels for a CSS pixel are rounded up to steps of so many percent, so that a little zooming draws nothing anew.
const DENSITY_STEP: u32 = 25;

/// The textures of pictures at hand.
#[derive(Default)]
pub struct Textures {
    kept: Vec<(PictureKey, Vec<Tile>)>,
    /// What is waited for in a pane, and since when.
    waiting: Option<(PictureKey, f64)>,
}

impl fmt::Debug for Textures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Textures").field("kept", &self.kept.len()).finish_non_exhaustive()
    }
}

/// A part of a picture that a graphics card takes.
struct Tile {
    top: usize,
    height: usize,
    texture: TextureHandle,
}

/// The zoom that is used, in points on the screen for a CSS pixel.
pub(super) fn zoom(document: &Document, available: f32, widest_px: u32) -> f32 {
    let fit = (available / widest_px as f32).clamp(0.4, 1.0);
    document.view.mail.zoom.unwrap_or(fit)
}

/// Asks for as many pixels as the screen has.
pub(super) fn density(ui: &Ui, document: &Document, zoom: f32, out: &mut Vec<Command>) {
    let percent = (zoom * ui.ctx().pixels_per_point() * 100.0).ceil() as u32;
    let percent = percent.div_ceil(DENSITY_STEP) * DENSITY_STEP;
    let percent = percent.clamp(50, 300);
    if percent != document.view.mail.density_percent {
        out.push(Act::SetDensity(percent).into());
    }
}

/// Draws the picture of a pane.
pub(super) fn picture_ui(
    ui: &mut Ui,
    document: &Document,
    pane: Pane,
    zoom: f32,
    textures: &mut Textures,
    out: &mut Vec<Command>,
) {
    let Some(key) = mails::pictures::key(document, pane) else {
        super::super::bottom::nothing(ui, "A text message has no picture");
        return;
    };
    let pictures = &document.derived.pictures;
    textures.tidy(|kept| pictures.get(kept).is_some());
    let drawn = pictures.get(&key);
    if let Some(Err(why)) = drawn {
        failed(ui, why, out);
        return;
    }
    let (shown, picture) = match drawn {
        Some(Ok(picture)) => (key, Some(picture)),
        _ => pictures.newest_like(&key).map_or((key, None), |(key, picture)| (*key, Some(picture))),
    };
    let is_stale = shown != key || drawn.is_none();
    if is_stale {
        waiting(ui, &key, picture.is_none(), textures, out);
    } else if textures.waiting.is_some_and(|(waited, _)| waited == key) {
        textures.waiting = None;
    }
    let Some(picture) = picture else { return };
    if !is_stale {
        warnings(ui, picture, out);
    }
    let salt = match pane {
        Pane::First => "picture",
        Pane::Other => "other picture",
    };
    let who = mails::contact(document, pane).map_or("nobody", |contact| contact.as_str());
    let look = Look { zoom, is_stale, name: format!("Picture of the mail for {who}") };
    ScrollArea::both().id_salt(salt).auto_shrink([false, false]).show(ui, |ui| {
        paper(ui, textures, shown, picture, &look);
    });
}

/// How a picture is shown.
pub struct Look {
    /// Points on the screen for a CSS pixel.
    pub zoom: f32,
    /// A newer one is being drawn.
    pub is_stale: bool,
    /// What it is called by those who hear it.
    pub name: String,
}

/// The picture itself, in the middle of what room there is.
pub fn paper(ui: &mut Ui, textures: &mut Textures, key: PictureKey, picture: &Picture, look: &Look) {
    let palette = Palette::get(ui);
    let scale = look.zoom * 100.0 / key.density_percent as f32;
    let size = vec2(picture.width as f32, picture.height as f32) * scale;
    let room = vec2(ui.available_width().max(size.x), size.y + 12.0);
    let (rect, response) = ui.allocate_exact_size(room, Sense::hover());
    let at = pos2((rect.center().x - size.x / 2.0).max(rect.left()).round(), rect.top() + 2.0);
    let paper = Rect::from_min_size(at, size);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &look.name));
    let tint = if look.is_stale { Color32::from_white_alpha(150) } else { Color32::WHITE };
    for tile in tiles(ui, textures, key, picture) {
        let top = paper.top() + tile.top as f32 * scale;
        let part = Rect::from_min_size(pos2(paper.left(), top), vec2(size.x, tile.height as f32 * scale));
        let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        ui.painter().image(tile.texture.id(), part, whole, tint);
    }
    let edge = Stroke::new(1.0, palette.line);
    ui.painter().rect_stroke(paper.expand(1.0), CornerRadius::same(2), edge, egui::StrokeKind::Outside);
    links(ui, &response, picture, paper.min, scale);
}

impl Textures {
    /// Lets go of pictures that are no longer kept.
    pub fn tidy(&mut self, is_kept: impl Fn(&PictureKey) -> bool) {
        self.kept.retain(|(key, _)| is_kept(key));
    }
}

/// The link under the pointer: its place, and its target in a tooltip.
fn links(ui: &Ui, response: &egui::Response, picture: &Picture, origin: Pos2, scale: f32) {
    let Some(pointer) = response.hover_pos() else { return };
    let place = |rect: [f32; 4]| {
        let min = origin + Vec2::new(rect[0], rect[1]) * scale;
        Rect::from_min_size(min, vec2(rect[2], rect[3]) * scale)
    };
    let Some(link) = picture.links.iter().rev().find(|link| place(link.rect).contains(pointer)) else { return };
    let palette = Palette::get(ui);
    let ring = Stroke::new(1.5, palette.accent);
    ui.painter().rect_stroke(place(link.rect).expand(1.0), 3.0, ring, egui::StrokeKind::Outside);
    ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
    response.clone().on_hover_text_at_pointer(&link.href);
}

/// The textures of a picture, made where they are not there yet.
fn tiles<'a>(ui: &Ui, textures: &'a mut Textures, key: PictureKey, picture: &Picture) -> &'a [Tile] {
    if let Some(at) = textures.kept.iter().position(|(kept, _)| *kept == key) {
        return &textures.kept[at].1;
    }
    let (width, height) = (picture.width as usize, picture.height as usize);
    let most = ui.input(|i| i.max_texture_side).max(64);
    let mut made = Vec::new();
    // A mail is never so wide that a card refuses it: pictures have at most 3,600 pixels across.
    for top in (0..height).step_by(most) {
        let high = most.min(height - top);
        let Some(rows) = picture.rgba.get(top * width * 4..(top + high) * width * 4) else { break };
        let image = ColorImage::from_rgba_premultiplied([width, high], rows);
        let texture = ui.ctx().load_texture(format!("mail {top}"), image, TextureOptions::LINEAR);
        made.push(Tile { top, height: high, texture });
    }
    textures.kept.push((key, made));
    textures.kept.last().map_or(&[], |(_, tiles)| tiles)
}

fn browser_button(ui: &mut Ui, out: &mut Vec<Command>) {
    if ui.button("Open in browser").clicked() {
        out.push(Below::OpenInBrowser.into());
    }
}

fn failed(ui: &mut Ui, why: &str, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    ui.add(egui::Label::new(RichText::new(why).color(palette.error)).wrap());
    ui.horizontal(|ui| {
        browser_button(ui, out);
        if ui.button("Try again").clicked() {
            out.push(Act::Retry.into());
        }
    });
}

/// What is said while a picture is being drawn.
fn waiting(ui: &mut Ui, key: &PictureKey, is_first: bool, textures: &mut Textures, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let now = ui.input(|i| i.time);
    let since = match textures.waiting {
        Some((waited, since)) if waited == *key => since,
        _ => now,
    };
    textures.waiting = Some((*key, since));
    let is_long = now - since >= LONG_SECS;
    if !is_long {
        // Nothing moves meanwhile: the picture's arrival wakes the window, or this does.
        ui.ctx().request_repaint_after_secs((since + LONG_SECS - now) as f32 + 0.02);
    }
    if is_first || is_long {
        ui.horizontal(|ui| {
            let words = if is_long { "Still drawing this mail" } else { "Drawing\u{2026}" };
            ui.label(RichText::new(words).color(palette.weak));
            if is_long {
                browser_button(ui, out);
            }
        });
    }
}

/// What the picture does not show.
fn warnings(ui: &mut Ui, picture: &Picture, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    if !picture.lost_words.is_empty() {
        let words = picture.lost_words.iter().take(6).cloned().collect::<Vec<_>>().join(" ");
        ui.horizontal_wrapped(|ui| {
            let glyph = RichText::new(icons::glyph("warning")).font(theme::icon_fill(14.0)).color(palette.warning);
            ui.label(glyph);
            let words = format!("This picture misses text: \u{201c}{words}\u{201d}");
            ui.label(RichText::new(words).font(theme::regular(12.0)).color(palette.warning));
            browser_button(ui, out);
        });
    }
    let mut said = Vec::new();
    match picture.remote_blocked {
        0 => {}
        1 => said.push("1 remote image blocked".to_owned()),
        n => said.push(format!("{n} remote images blocked")),
    }
    match picture.missing_images.len() {
        0 => {}
        1 => said.push("1 image is missing".to_owned()),
        n => said.push(format!("{n} images are missing")),
    }
    said.extend(picture.notes.iter().cloned());
    if said.is_empty() {
        return;
    }
    let line = said.join(" \u{b7} ");
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &line));
    let drawn = crate::gui::canvas::paint::line(
        ui.painter(),
        rect.left_center(),
        Align2::LEFT_CENTER,
        &line,
        theme::regular(11.5),
        palette.weak,
        rect.width(),
    );
    let _ = drawn;
    if !picture.missing_images.is_empty() {
        response.on_hover_text(picture.missing_images.join("\n"));
    }
}
