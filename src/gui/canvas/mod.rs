//! The canvas: a painter, a pan-and-zoom view and one response per visible card.
//!
//! It reads a document and pushes commands; what it keeps is derived (geometry, texts) or a gesture under way.

mod find;
pub mod geometry;
mod gesture;
#[cfg(feature = "engine")]
mod live;
mod overlay;
pub mod paint;
#[cfg(test)]
mod tests;
mod ways;

use std::{collections::BTreeMap, sync::Arc};

use egui::{Color32, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

pub use self::gesture::QuickAdd;
use self::{
    geometry::{Geometry, Projection},
    gesture::Drag,
    paint::{CardLook, CardText},
};
use crate::{
    app::{
        App, Command, CommandId, Document, DocumentId,
        card::{self, Family},
        problems,
    },
    base::{NodeId, Severity},
    flow::Node,
    gui::theme::Palette,
    kinds::Settings,
};

/// What the canvas keeps between frames.
#[derive(Debug, Default)]
pub struct Canvas {
    stamp: Option<(DocumentId, u64)>,
    folded: std::collections::BTreeSet<NodeId>,
    geometry: Geometry,
    /// How many geometries there were.
    num_geometries: u64,
    texts: Vec<Option<(Arc<Node>, CardText)>>,
    marks: BTreeMap<NodeId, Severity>,
    marks_of: Option<(DocumentId, u64)>,
    ways: ways::Ways,
    drag: Drag,
    crumbs: Vec<crate::app::outline::Crumb>,
    crumbs_of: Option<(DocumentId, u64, Option<NodeId>)>,
    find: find::FindBar,
    /// Lines along which a dragged card is snapped, in canvas units.
    guides: Vec<[egui::Pos2; 2]>,
    /// The list of kinds at the pointer.
    pub quick_add: Option<QuickAdd>,
    /// What of the canvas had the keyboard in the last frame.
    focused: Option<egui::Id>,
    last_zoom: f32,
    last_selected: Option<NodeId>,
}

/// What is being drawn from, for one frame.
struct Frame<'a> {
    app: &'a App,
    document: &'a Document,
    palette: &'static Palette,
    projection: Projection,
    /// Where the canvas takes the pointer: less than it shows, where the edge of a panel is dragged.
    hand: Rect,
    zooming: bool,
}

impl Canvas {
    /// Draws the document and takes gestures.
    pub fn ui(&mut self, ui: &mut Ui, app: &App, document: &Document, out: &mut Vec<Command>) {
        let rect = ui.available_rect_before_wrap();
        let palette = Palette::get(ui);
        self.refresh(document);
        let view = &document.view;
        let mut projection = Projection {
            screen: rect,
            center_in_canvas: pos2(view.center_in_canvas.0, view.center_in_canvas.1),
            zoom: view.zoom,
        };
        if view.fit_wanted
            && let Some(bounds) = self.geometry.bounds
        {
            let (center, zoom) = Projection::fitting(rect, bounds);
            projection = Projection { screen: rect, center_in_canvas: center, zoom };
            // Panels have no final size in the first frame.
            if ui.ctx().cumulative_frame_nr() > 1 {
                out.push(Command::SetView { center_in_canvas: (center.x, center.y), zoom });
            } else {
                ui.ctx().request_repaint();
            }
        }
        if view.fit_selection_wanted {
            let cards = view.selection.iter().filter_map(|id| self.geometry.idx(id)).map(|n| self.geometry.cards[n]);
            if let Some(bounds) = cards.reduce(Rect::union) {
                let (center, zoom) = Projection::fitting(rect, bounds);
                out.push(Command::SetView { center_in_canvas: (center.x, center.y), zoom });
            }
        }
        let zooming = (self.last_zoom - projection.zoom).abs() > 1e-4;
        if zooming {
            // Once more when the gesture rests, with crisp text.
            ui.ctx().request_repaint_after_secs(0.12);
        }
        self.last_zoom = projection.zoom;
        let grab = ui.style().interaction.resize_grab_radius_side;
        let hand = Rect::from_min_max(rect.min, (rect.max - vec2(grab, grab)).max(rect.min));
        let frame = Frame { app, document, palette, projection, hand, zooming };
        let painter = ui.painter_at(rect);
        painter.rect_filled(rect, 0.0, palette.canvas);
        paint::grid(&painter, &projection, palette);
        self.focused = None;
        let background = ui.interact(hand, ui.scope_id().with("canvas"), Sense::click_and_drag());
        background.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, format!("Flow {}", document.title())));
        if background.has_focus() {
            self.focused = Some(background.id);
        }
        self.background(ui, &background, &frame, out);
        self.frames_ui(ui, &frame, out);
        self.edges_ui(ui, &frame, out);
        self.cards_ui(ui, &frame, out);
        self.persons_ui(ui, &frame, out);
        self.drag_paint(ui, &frame);
        if document.flow().nodes.is_empty() {
            self.empty_ui(ui, &frame, out);
        } else {
            self.minimap_ui(ui, &frame, out);
        }
        self.zoom_bar(ui, &frame, app, out);
        overlay::legend(ui, projection, palette, document, out);
        overlay::both_ways(ui, projection, palette, document);
        #[cfg(feature = "engine")]
        live::banner(ui, projection, palette, app, document, out);
        if self.crumbs_of.as_ref() != Some(&(document.id, document.history.revision(), document.selected().cloned())) {
            let crumbs = document.selected().map(|id| crate::app::outline::breadcrumbs(document.flow(), id));
            self.crumbs = crumbs.unwrap_or_default();
            self.crumbs_of = Some((document.id, document.history.revision(), document.selected().cloned()));
        }
        overlay::breadcrumbs(ui, projection, palette, &self.crumbs, out);
        self.find.ui(ui, rect, palette, document, out);
        self.pan_ui(ui, &frame, out);
        self.quick_add_ui(ui, &frame, out);
        self.drop_ui(ui, &background, &frame, out);
        if view.insert_wanted {
            out.push(Command::InsertTaken);
            self.insert_after(document);
        }
        self.follow_selection(ui, &frame, out);
    }

    /// A kind dragged here from the palette: onto an edge it is wired in, elsewhere it stands alone.
    fn drop_ui(&mut self, ui: &mut Ui, background: &egui::Response, frame: &Frame<'_>, out: &mut Vec<Command>) {
        let Some(kind) = egui::DragAndDrop::payload::<&'static str>(ui.ctx()) else { return };
        let Some(pointer) = ui.ctx().pointer_latest_pos().filter(|at| frame.projection.screen.contains(*at)) else {
            return;
        };
        let at = frame.projection.canvas_from_screen(pointer);
        let edge = self.geometry.edge_at(at, 24.0).map(|n| &self.geometry.edges[n]);
        let edge = edge.filter(|edge| edge.only(frame.document.flow()).is_some());
        let size = vec2(card::CARD_SIZE.0, card::CARD_SIZE.1);
        let middle = edge.map_or(at, |edge| pos2(self.geometry.cards[edge.to_idx].center().x, at.y));
        let ghost = frame.projection.screen_from_canvas_rect(Rect::from_center_size(middle, size));
        let painter = ui.painter_at(frame.projection.screen);
        let stroke = egui::Stroke::new(1.5, frame.palette.accent);
        if let Some(edge) = edge {
            let look = paint::EdgeLook { selected: true, ..paint::EdgeLook::default() };
            paint::edge(&painter, edge, &frame.projection, frame.palette, look);
        }
        let fill = crate::gui::theme::mix(frame.palette.card, frame.palette.accent, 0.12).gamma_multiply(0.94);
        painter.rect(ghost, 10.0, fill, stroke, egui::StrokeKind::Inside);
        let title = card::spec(&kind).map_or("Step", |spec| spec.title);
        let font = crate::gui::theme::semibold(13.0);
        painter.text(ghost.center(), egui::Align2::CENTER_CENTER, title, font, frame.palette.accent);
        if background.contains_pointer() || ui.input(|i| i.pointer.any_released()) {
            if !ui.input(|i| i.pointer.any_released()) {
                return;
            }
            egui::DragAndDrop::clear_payload(ui.ctx());
            let flow = frame.document.flow();
            let after = edge.and_then(|edge| edge.only(flow));
            let place = edge.map_or(at, |edge| self.geometry.cards[edge.to_idx].center());
            out.push(Command::Insert { kind: (*kind).into(), at: Some((place.x, place.y)), after });
        }
    }

    /// Brings a step that was selected by the keyboard or from another panel into view, and gives it the keyboard.
    fn follow_selection(&mut self, ui: &Ui, frame: &Frame<'_>, out: &mut Vec<Command>) {
        let selected = frame.document.selected().cloned();
        if selected == self.last_selected {
            return;
        }
        self.last_selected.clone_from(&selected);
        let Some(n) = selected.as_ref().and_then(|id| self.geometry.idx(id)) else { return };
        let id = gesture::card_id(&frame.document.flow().nodes[n].id);
        if !ui.ctx().text_edit_focused() && ui.memory(|memory| memory.focused()) != Some(id) {
            ui.memory_mut(|memory| memory.request_focus(id));
        }
        let card = self.geometry.cards[n];
        self.bring_into_view(frame, card, out);
    }

    /// Moves the view as little as shows a card, where no hand moves it.
    fn bring_into_view(&self, frame: &Frame<'_>, card: Rect, out: &mut Vec<Command>) {
        let card = frame.projection.screen_from_canvas_rect(card);
        let screen = frame.projection.screen.shrink(12.0);
        if !screen.contains_rect(card) && self.drag.is_none() && !frame.document.view.fit_wanted {
            let push = |low: f32, high: f32, from: f32, to: f32| {
                if low < from {
                    low - from
                } else if high > to {
                    (high - to).min(low - from)
                } else {
                    0.0
                }
            };
            let by = vec2(
                push(card.left(), card.right(), screen.left(), screen.right()),
                push(card.top(), card.bottom(), screen.top(), screen.bottom()),
            );
            let center = frame.projection.center_in_canvas + by / frame.projection.zoom;
            out.push(Command::SetView { center_in_canvas: (center.x, center.y), zoom: frame.projection.zoom });
        }
    }

    /// Whether the keyboard is the canvas's: nothing else has the focus.
    pub fn has_keyboard(&self, ctx: &egui::Context) -> bool {
        ctx.memory(|memory| memory.focused()).is_none_or(|id| self.focused == Some(id))
    }

    fn refresh(&mut self, document: &Document) {
        let stamp = (document.id, document.history.revision());
        if self.stamp != Some(stamp) || self.folded != document.view.folded {
            let flow = document.flow();
            self.folded.clone_from(&document.view.folded);
            self.geometry = Geometry::new(flow, &self.folded);
            self.num_geometries += 1;
            let same_document = self.stamp.is_some_and(|(id, _)| id == document.id);
            self.texts.resize(flow.nodes.len(), None);
            for (slot, node) in self.texts.iter_mut().zip(&flow.nodes) {
                // A card that sends shows its subject, which is no part of the node.
                let sends = node.settings().is_some_and(|s| s.message().is_some());
                let keep = same_document && !sends && slot.as_ref().is_some_and(|(old, _)| Arc::ptr_eq(old, node));
                if !keep {
                    *slot = None;
                }
            }
            self.stamp = Some(stamp);
        }
        let checked = document.derived.findings.as_ref().map(|s| (document.id, s.revision));
        if self.marks_of != checked {
            self.marks = problems::marks(document);
            self.marks_of = checked;
        }
        self.ways.refresh(document, &self.geometry, self.num_geometries);
    }

    fn text(&mut self, document: &Document, n: usize) -> CardText {
        let flow = document.flow();
        let node = &flow.nodes[n];
        let slot = &mut self.texts[n];
        slot.get_or_insert_with(|| (Arc::clone(node), paint::card_text(flow, node))).1.clone()
    }

    fn family(document: &Document, n: usize) -> Family {
        card::family(&document.flow().nodes[n].kind)
    }

    fn look(&self, frame: &Frame<'_>, n: usize) -> CardLook {
        let document = frame.document;
        let node = &document.flow().nodes[n];
        let overlays = document.view.overlays;
        let over = self.ways.card(n);
        let shows_counts = overlays.counts && frame.projection.zoom >= paint::FULL_ZOOM;
        let counts = if shows_counts { crate::app::overlay::counts(document) } else { None };
        let counts = counts
            .and_then(|counts| counts.get(&node.id))
            .map(|report| card::counts(&document.home.manner, &node.kind, report));
        #[cfg_attr(not(feature = "engine"), expect(unused_mut, reason = "only an engine adds to it"))]
        let mut look = CardLook {
            selected: document.view.selection.contains(&node.id),
            muted: node.muted,
            on_way: over.old,
            what_if: over.new,
            mark: if overlays.problems { self.marks.get(&node.id).copied() } else { None },
            counts: counts.unwrap_or_default(),
            ..CardLook::default()
        };
        #[cfg(feature = "engine")]
        live::look(frame.app, document, node, &mut look);
        look
    }

    fn cards_ui(&mut self, ui: &mut Ui, frame: &Frame<'_>, out: &mut Vec<Command>) {
        let zoom = frame.projection.zoom;
        let painter = ui.painter_at(frame.projection.screen);
        if zoom < paint::PLAIN_ZOOM {
            let selection = &frame.document.view.selection;
            paint::far_cards(&painter, &self.geometry, &frame.projection, |n| {
                let id = &frame.document.flow().nodes[n].id;
                (frame.palette.family(Self::family(frame.document, n)), selection.contains(id))
            });
        }
        let seen = frame.projection.visible_in_canvas().expand(8.0 / zoom);
        for n in 0..self.geometry.cards.len() {
            let card = self.geometry.cards[n];
            if !seen.intersects(card) || self.geometry.frames[n] || self.geometry.hidden[n] {
                continue;
            }
            let rect = frame.projection.screen_from_canvas_rect(card);
            // From far away only what the hand or the keyboard is at needs a response of its own: the outline lists
            // all steps, and thousands of responses would cost more than the picture.
            if zoom < paint::PLAIN_ZOOM && !self.is_at_hand(ui, frame, n, rect) {
                continue;
            }
            let text = self.text(frame.document, n);
            let mut look = self.look(frame, n);
            let response = self.card_response(ui, frame, n, rect, &text, look.selected, out);
            #[cfg(feature = "engine")]
            live::say(&response, frame.app, frame.document, n);
            look.hovered = response.hovered();
            look.focused = response.has_focus();
            if zoom >= paint::FULL_ZOOM {
                paint::full_card(&painter, rect, zoom, frame.zooming, &text, &look, frame.palette);
                self.ports_ui(ui, frame, n, &text, out);
            } else if zoom >= paint::PLAIN_ZOOM {
                paint::plain_card(&painter, rect, zoom, frame.zooming, &text, &look, frame.palette);
            }
            if let Some(live) = look.live.filter(|_| zoom >= paint::PLAIN_ZOOM) {
                paint::crowd(&painter, rect, zoom, live, frame.palette);
            }
        }
    }

    /// Whether a card is under the pointer, selected, dragged or focused.
    fn is_at_hand(&self, ui: &Ui, frame: &Frame<'_>, n: usize, rect: Rect) -> bool {
        let id = &frame.document.flow().nodes[n].id;
        let pointed = ui.ctx().pointer_latest_pos().is_some_and(|at| rect.expand(2.0).contains(at));
        pointed
            || frame.document.selected() == Some(id)
            || (!self.drag.is_none() && frame.document.view.selection.contains(id))
    }

    fn frames_ui(&mut self, ui: &mut Ui, frame: &Frame<'_>, out: &mut Vec<Command>) {
        let painter = ui.painter_at(frame.projection.screen);
        let seen = frame.projection.visible_in_canvas();
        for n in 0..self.geometry.cards.len() {
            if !self.geometry.frames[n] || !seen.intersects(self.geometry.cards[n]) || self.geometry.hidden[n] {
                continue;
            }
            let node = &frame.document.flow().nodes[n];
            let Some(Settings::Note(note)) = node.settings() else { continue };
            let text = self.text(frame.document, n);
            let rect = frame.projection.screen_from_canvas_rect(self.geometry.cards[n]);
            let mut look = self.look(frame, n);
            let response = self.card_response(ui, frame, n, rect, &text, look.selected, out);
            look.focused = response.has_focus();
            let tint = note_color(&note.color, frame.palette);
            let num_folded = self.geometry.num_folded[n];
            let folded_title = format!("{} \u{b7} {num_folded} steps", node.title());
            let title = if num_folded > 0 { folded_title.as_str() } else { node.title.as_str() };
            if response.double_clicked() && note.size.is_some() {
                out.push(CommandId::FoldFrame.into());
            }
            let sheet = paint::Sheet { is_frame: note.size.is_some(), title, text: &note.text, tint };
            paint::note(&painter, rect, frame.projection.zoom, sheet, &look, frame.palette);
        }
    }

    fn edges_ui(&mut self, ui: &mut Ui, frame: &Frame<'_>, out: &mut Vec<Command>) {
        let painter = ui.painter_at(frame.projection.screen);
        let (zoom, palette) = (frame.projection.zoom, frame.palette);
        if zoom < paint::PLAIN_ZOOM {
            paint::far_edges(&painter, &self.geometry, &frame.projection, palette.edge);
            let on_way = self.ways.edges().iter().map(|n| {
                let over = self.ways.edge(*n);
                (
                    &self.geometry.edges[*n],
                    paint::EdgeLook { on_way: over.old, what_if: over.new, ..Default::default() },
                )
            });
            paint::far_way(&painter, on_way, &frame.projection, palette);
            return;
        }
        let seen = frame.projection.visible_in_canvas();
        let pointer = ui.ctx().pointer_hover_pos().filter(|at| frame.projection.screen.contains(*at));
        let over = pointer
            .filter(|_| self.drag.is_none())
            .and_then(|at| self.geometry.edge_at(frame.projection.canvas_from_screen(at), 6.0 / zoom));
        let view = &frame.document.view;
        let mut labels = Vec::new();
        // Where edges meet, the way lies above the others.
        let mut above = Vec::new();
        for (n, edge) in self.geometry.edges.iter().enumerate() {
            if !edge.bounds.expand(20.0).intersects(seen) {
                continue;
            }
            let from = &frame.document.flow().nodes[edge.from_idx].id;
            let over_way = self.ways.edge(n);
            let selected = view.edge.as_ref().is_some_and(|(id, port)| id == from && *port == edge.port);
            let (on_way, what_if) = (over_way.old, over_way.new);
            let look = paint::EdgeLook { selected, hovered: over == Some(n), on_way, what_if };
            if on_way || what_if || selected {
                above.push((n, look));
            } else {
                paint::edge(&painter, edge, &frame.projection, palette, look);
            }
            if !edge.label.is_empty() && zoom >= 0.35 {
                labels.push(n);
            }
        }
        for (n, look) in above {
            paint::edge(&painter, &self.geometry.edges[n], &frame.projection, palette, look);
        }
        for n in labels {
            let edge = &self.geometry.edges[n];
            let at = frame.projection.screen_from_canvas(edge.label_at);
            let text = overlay::edge_label(frame.document, edge);
            let color = port_color(edge, frame.document, palette);
            paint::edge_label(&painter, at, &text, color, zoom, palette);
        }
        if zoom >= paint::FULL_ZOOM {
            self.plus_ui(ui, frame, out);
        }
    }

    fn minimap_ui(&mut self, ui: &mut Ui, frame: &Frame<'_>, out: &mut Vec<Command>) {
        let screen = frame.projection.screen;
        let size = vec2(166.0, 112.0);
        if screen.width() < 560.0 || screen.height() < 320.0 {
            return;
        }
        let rect = Rect::from_min_size(pos2(screen.left() + 16.0, screen.bottom() - 16.0 - size.y), size);
        let response = ui.interact(rect, ui.scope_id().with("minimap"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Minimap"));
        let painter = ui.painter_at(screen);
        let map =
            paint::minimap(&painter, rect, &self.geometry, frame.projection.visible_in_canvas(), frame.palette, |n| {
                frame.palette.family(Self::family(frame.document, n))
            });
        if (response.clicked() || response.dragged())
            && let Some(at) = response.interact_pointer_pos()
        {
            let to = map.canvas_from_screen(at);
            out.push(Command::SetView { center_in_canvas: (to.x, to.y), zoom: frame.projection.zoom });
        }
    }

    fn zoom_bar(&mut self, ui: &mut Ui, frame: &Frame<'_>, app: &App, out: &mut Vec<Command>) {
        overlay::zoom_bar(ui, frame.projection, frame.palette, app, out);
    }

    fn empty_ui(&mut self, ui: &mut Ui, frame: &Frame<'_>, out: &mut Vec<Command>) {
        overlay::empty(ui, frame.projection.screen, frame.palette, out);
    }
}

/// The colour of a note by its name in the file.
/// The colour of a note by its name in the file.
pub fn note_color(name: &str, palette: &Palette) -> Color32 {
    palette.family(match name {
        "violet" => Family::Trigger,
        "blue" => Family::Condition,
        "pink" => Family::Split,
        "green" => Family::Exit,
        "teal" => Family::Action,
        "indigo" => Family::Message,
        "grey" | "gray" => Family::Note,
        _ => Family::Delay,
    })
}

fn port_color(edge: &geometry::EdgePath, document: &Document, palette: &Palette) -> Color32 {
    match edge.port.as_str() {
        "yes" | "happened" | "done" | "under" => palette.good,
        "no" | "timed_out" | "else" => palette.weak,
        "failed" | "capped" => palette.error,
        _ => palette.family(card::family(&document.flow().nodes[edge.from_idx].kind)),
    }
}
