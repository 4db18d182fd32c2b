//! Pointer events to commands: pan, zoom, select, box, move, wire, cut, insert.

use egui::{
    Align2, Color32, Id, Key, PointerButton, Pos2, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use smol_str::SmolStr;

use super::{Canvas, Frame, geometry, paint};
use crate::{
    app::{Command, CommandId, card, ops},
    base::NodeId,
    flow::Flow,
    gui::theme,
};

/// A gesture under way.
#[derive(Debug, Default)]
pub enum Drag {
    /// None.
    #[default]
    Idle,
    /// The canvas moves under the pointer.
    Pan,
    /// A box is drawn; canvas point where it began, and whether it adds to the selection.
    Box {
        /// Canvas point where it began.
        from: Pos2,
        /// Adds to the selection.
        adds: bool,
    },
    /// Selected cards move: where each was and the canvas point of the pointer, from the first moved frame on.
    Cards {
        /// Steps and where they were.
        from: Vec<(NodeId, (f32, f32))>,
        /// Canvas point where the drag began.
        origin: Pos2,
    },
    /// An edge is drawn from a port.
    Wire {
        /// Step it leaves.
        from: NodeId,
        /// By which port.
        port: SmolStr,
        /// Canvas point of the port.
        at: Pos2,
    },
    /// A line that takes away the edges it crosses.
    Cut {
        /// Canvas point where it began.
        from: Pos2,
    },
}

impl Drag {
    /// Whether no gesture is under way.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Idle)
    }
}

/// The list of kinds at the pointer.
#[derive(Debug)]
pub struct QuickAdd {
    /// Canvas point of the new step.
    pub at: Pos2,
    /// Port it follows.
    pub after: Option<(NodeId, SmolStr)>,
    /// What was typed.
    pub query: String,
    /// Which row Enter takes.
    pub row: usize,
    /// The field still needs the keyboard.
    pub is_new: bool,
}

impl Canvas {
    /// Pan, zoom, box, quick-add: everything that begins on the background.
    pub(super) fn background(&mut self, ui: &mut Ui, response: &Response, frame: &Frame<'_>, out: &mut Vec<Command>) {
        let projection = &frame.projection;
        let set = |center: Pos2, zoom: f32| Command::SetView { center_in_canvas: (center.x, center.y), zoom };
        let hovers =
            response.contains_pointer() && ui.ctx().pointer_hover_pos().is_some_and(|p| projection.screen.contains(p));
        if hovers && self.quick_add.is_none() {
            let (scroll, zoom_by, pointer) =
                ui.input(|i| (i.smooth_scroll_delta(), i.zoom_delta(), i.pointer.hover_pos()));
            if (zoom_by - 1.0).abs() > 1e-4
                && let Some(pointer) = pointer
            {
                // The canvas point under the pointer stays there.
                let zoom = (projection.zoom * zoom_by).clamp(0.05, 3.0);
                let under = projection.canvas_from_screen(pointer);
                let center = under - (pointer - projection.screen.center()) / zoom;
                out.push(set(center, zoom));
            } else if scroll != egui::Vec2::ZERO {
                out.push(set(projection.center_in_canvas - scroll / projection.zoom, projection.zoom));
            }
        }
        let (middle, delta) = ui.input(|i| (i.pointer.button_down(PointerButton::Middle), i.pointer.delta()));
        let origin_inside = ui.input(|i| i.pointer.press_origin()).is_some_and(|at| projection.screen.contains(at));
        if middle && origin_inside && delta != egui::Vec2::ZERO {
            out.push(set(projection.center_in_canvas - delta / projection.zoom, projection.zoom));
        }
        let typing = ui.ctx().egui_wants_keyboard_input();
        let (space, alt, adds) = ui
            .input(|i| (i.key_down(Key::Space) && !typing, i.modifiers.alt, i.modifiers.shift || i.modifiers.command));
        if response.drag_started_by(PointerButton::Primary)
            && let Some(at) = ui.input(|i| i.pointer.press_origin())
        {
            let from = projection.canvas_from_screen(at);
            self.drag = match (space, alt) {
                (true, _) => Drag::Pan,
                (_, true) => Drag::Cut { from },
                _ => Drag::Box { from, adds },
            };
        }
        match &self.drag {
            Drag::Pan if response.dragged() => {
                out.push(set(projection.center_in_canvas - response.drag_delta() / projection.zoom, projection.zoom));
            }
            Drag::Box { from, adds } if response.drag_stopped() => {
                if let Some(to) = response.interact_pointer_pos() {
                    let area = Rect::from_two_pos(*from, projection.canvas_from_screen(to));
                    let flow = frame.document.flow();
                    let mut nodes: Vec<NodeId> = self
                        .geometry
                        .inside(area)
                        .filter(|n| !self.geometry.frames[*n] || area.contains_rect(self.geometry.cards[*n]))
                        .map(|n| flow.nodes[n].id.clone())
                        .collect();
                    if *adds {
                        nodes.extend(frame.document.view.selection.iter().cloned());
                    }
                    out.push(Command::Select { nodes, toggle: false });
                }
            }
            Drag::Cut { from } if response.drag_stopped() => {
                if let Some(to) = response.interact_pointer_pos() {
                    let to = projection.canvas_from_screen(to);
                    let flow = frame.document.flow();
                    let edges = self.geometry.crossed(*from, to).map(|n| &self.geometry.edges[n]);
                    let edges: Vec<_> = edges.flat_map(|edge| edge.drawn(flow)).collect();
                    let edits = ops::insert_on_edge::cut(flow, &edges);
                    if !edits.is_empty() {
                        let label =
                            if edits.len() == 1 { "Cut edge".to_owned() } else { format!("Cut {} edges", edits.len()) };
                        out.push(Command::Edit { label, edits, merge: None });
                    }
                }
            }
            _ => {}
        }
        if response.drag_stopped() {
            self.drag = Drag::Idle;
        }
        if response.clicked()
            && let Some(at) = response.interact_pointer_pos()
        {
            self.quick_add = None;
            let edge = self.geometry.edge_at(projection.canvas_from_screen(at), 7.0 / projection.zoom);
            match edge.and_then(|n| self.geometry.edges[n].only(frame.document.flow())) {
                Some((from, port)) => out.push(Command::SelectEdge { from, port }),
                None if adds => {}
                None => out.push(Command::Select { nodes: Vec::new(), toggle: false }),
            }
            response.request_focus();
        }
        let tab = hovers
            && !typing
            && self.quick_add.is_none()
            && ui.input_mut(|i| i.consume_key(egui::Modifiers::NONE, Key::Tab));
        if response.double_clicked() || tab {
            let at = response.interact_pointer_pos().or_else(|| ui.ctx().pointer_hover_pos());
            if let Some(at) = at {
                self.open_quick_add(projection.canvas_from_screen(at), None);
            }
        }
    }

    /// While Space is held, a drag pans wherever it begins, cards included.
    pub(super) fn pan_ui(&mut self, ui: &mut Ui, frame: &Frame<'_>, out: &mut Vec<Command>) {
        let space = ui.input(|i| i.key_down(Key::Space)) && !ui.ctx().text_edit_focused() && self.quick_add.is_none();
        if !space {
            return;
        }
        let projection = &frame.projection;
        let response = ui.interact(frame.hand, ui.scope_id().with("pan"), Sense::drag());
        ui.ctx().set_cursor_icon(egui::CursorIcon::Grab);
        if response.dragged() {
            let center = projection.center_in_canvas - response.drag_delta() / projection.zoom;
            out.push(Command::SetView { center_in_canvas: (center.x, center.y), zoom: projection.zoom });
        }
    }

    /// Opens the list of kinds.
    pub fn open_quick_add(&mut self, at: Pos2, after: Option<(NodeId, SmolStr)>) {
        self.quick_add = Some(QuickAdd { at, after, query: String::new(), row: 0, is_new: true });
    }

    /// Opens the list of kinds behind the selected step: at its first open port, else on its first edge.
    pub(super) fn insert_after(&mut self, document: &crate::app::Document) {
        let flow = document.flow();
        let Some((id, n)) = document.selected().and_then(|id| Some((id, self.geometry.idx(id)?))) else {
            let (x, y) = document.view.center_in_canvas;
            return self.open_quick_add(pos2(x, y), None);
        };
        let ports = flow.nodes[n].ports();
        let open = ports.iter().find(|port| flow.target(id.as_str(), &port.name).is_none());
        let Some(port) = open.or(ports.first()) else { return };
        let at = self.geometry.cards[n].center() + vec2(0.0, card::ROW_STEP);
        self.open_quick_add(at, Some((id.clone(), port.name.clone())));
    }

    /// One card's response: select, move, open.
    #[expect(clippy::too_many_arguments, reason = "one call, all of it of the frame")]
    pub(super) fn card_response(
        &mut self,
        ui: &mut Ui,
        frame: &Frame<'_>,
        n: usize,
        rect: Rect,
        text: &paint::CardText,
        selected: bool,
        out: &mut Vec<Command>,
    ) -> Response {
        let node = &frame.document.flow().nodes[n];
        let id = card_id(&node.id);
        let hit = rect.intersect(frame.hand);
        let response = ui.interact(hit, id, Sense::click_and_drag());
        response.widget_info(|| {
            WidgetInfo::selected(Role::Button, true, selected, format!("{}: {}", text.kind, text.title))
        });
        if response.has_focus() {
            self.focused = Some(id);
            // Arrows follow the edges here; without this they would move the focus over the window.
            let filter = egui::EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
        }
        let adds = ui.input(|i| i.modifiers.shift || i.modifiers.command);
        if response.clicked() {
            out.push(Command::Select { nodes: vec![node.id.clone()], toggle: adds });
            response.request_focus();
        }
        if response.gained_focus() && !selected && !ui.input(|i| i.pointer.any_down() || i.pointer.any_released()) {
            out.push(Command::Select { nodes: vec![node.id.clone()], toggle: false });
        }
        if response.secondary_clicked() && !selected {
            out.push(Command::Select { nodes: vec![node.id.clone()], toggle: false });
        }
        let alt = ui.input(|i| i.modifiers.alt);
        if response.drag_started_by(PointerButton::Primary)
            && let Some(at) = ui.input(|i| i.pointer.press_origin())
        {
            if !selected {
                out.push(Command::Select { nodes: vec![node.id.clone()], toggle: adds });
            }
            let count = if selected { frame.document.view.selection.len() } else { 1 };
            out.push(Command::Begin(ops::count_label(if alt { "Duplicate" } else { "Move" }, count)));
            if alt {
                out.push(Command::Duplicate { by: (0.0, 0.0) });
            }
            self.drag = Drag::Cards { from: Vec::new(), origin: frame.projection.canvas_from_screen(at) };
        } else if let Drag::Cards { from, origin } = &mut self.drag
            && response.dragged_by(PointerButton::Primary)
        {
            let flow = frame.document.flow();
            if from.is_empty() {
                // Only now the selection is what the drag began with, duplicates included.
                let selection = ops::frames::with_contents(flow, &frame.document.view.selection);
                let moving = flow.nodes.iter().filter(|node| selection.contains(&node.id));
                *from = moving.map(|node| (node.id.clone(), node.pos)).collect();
            }
            if let Some(at) = response.interact_pointer_pos() {
                let by = frame.projection.canvas_from_screen(at) - *origin;
                let free = ui.input(|i| i.modifiers.command);
                let (by, guides) = snapped(flow, from, (by.x, by.y), frame.projection.zoom, free);
                self.guides = guides;
                let places: Vec<_> = from.iter().map(|(id, pos)| (id.clone(), (pos.0 + by.0, pos.1 + by.1))).collect();
                out.push(Command::Place(places));
            }
            if ui.input(|i| i.key_pressed(Key::Escape)) {
                out.push(Command::Abort);
                self.drag = Drag::Idle;
                self.guides.clear();
            }
        }
        if response.drag_stopped() && matches!(self.drag, Drag::Cards { .. }) {
            // A loose step that is let go on an edge is wired into it, as part of the same drag.
            if let Some((from, port)) = self.edge_under(frame, n) {
                out.push(Command::DropOnEdge { id: node.id.clone(), from, port });
            }
            out.push(Command::Commit);
            self.drag = Drag::Idle;
            self.guides.clear();
        }
        response.context_menu(|ui| {
            use CommandId as Id;
            for id in [Id::Cut, Id::Copy, Id::Duplicate, Id::Mute, Id::DeleteReconnect, Id::Delete] {
                let row = crate::app::command::row(id);
                let keys = crate::app::command::keys::key(&frame.app.preferences, id);
                if ui.add(egui::Button::new(row.label).shortcut_text(keys)).clicked() {
                    out.push(id.into());
                    ui.close();
                }
            }
            ui.menu_button("Replace with", |ui| {
                for spec in crate::kinds::CATALOGUE {
                    let is_trigger = card::family(spec.name) == card::Family::Trigger;
                    let fits = is_trigger == (text.family == card::Family::Trigger) && spec.name != node.kind;
                    if fits && spec.name != "trigger" && ui.button(spec.title).clicked() {
                        out.push(Command::Replace { id: node.id.clone(), kind: spec.name.into() });
                        ui.close();
                    }
                }
            });
            ui.menu_button("Arrange", |ui| {
                let arrange = crate::app::command::COMMANDS.iter().filter(|row| row.group == "Arrange");
                for row in arrange {
                    if ui.button(row.label).clicked() {
                        out.push(row.id.into());
                        ui.close();
                    }
                }
            });
        });
        response
    }

    /// The edge below a dragged card that has no edges of its own.
    fn edge_under(&self, frame: &Frame<'_>, n: usize) -> Option<(NodeId, SmolStr)> {
        let loose = !self.geometry.edges.iter().any(|edge| edge.from_idx == n || edge.to_idx == n);
        if !loose || self.geometry.frames[n] || frame.document.view.selection.len() > 1 {
            return None;
        }
        let at = self.geometry.cards[n].center();
        self.geometry.edges[self.geometry.edge_at(at, 24.0)?].only(frame.document.flow())
    }

    /// Rings below a card, to draw edges from, and the one above, to end them at.
    pub(super) fn ports_ui(
        &mut self,
        ui: &mut Ui,
        frame: &Frame<'_>,
        n: usize,
        text: &paint::CardText,
        out: &mut Vec<Command>,
    ) {
        let node = &frame.document.flow().nodes[n];
        let (projection, palette) = (&frame.projection, frame.palette);
        let painter = ui.painter_at(projection.screen);
        let card = self.geometry.cards[n];
        if text.family != card::Family::Trigger {
            let top = projection.screen_from_canvas(pos2(card.center().x, card.top()));
            let wired = self.geometry.num_into[n] > 0;
            if wired || matches!(self.drag, Drag::Wire { .. }) {
                paint::port(&painter, top, projection.zoom, palette, palette.edge);
            }
        }
        for (p, port) in node.ports().iter().enumerate() {
            let at = geometry::port_at(card, p, text.num_ports);
            let on_screen = projection.screen_from_canvas(at);
            paint::port(&painter, on_screen, projection.zoom, palette, palette.edge);
            let hit = Rect::from_center_size(on_screen, vec2(16.0, 12.0)).intersect(frame.hand);
            if !hit.is_positive() {
                continue;
            }
            let response = ui.interact(hit, card_id(&node.id).with(("port", p)), Sense::drag());
            response.widget_info(|| {
                WidgetInfo::labeled(Role::Button, true, format!("Connect {} of {}", port.title, text.title))
            });
            if response.hovered() {
                painter.circle_filled(on_screen, 5.0 * projection.zoom, palette.accent);
                ui.ctx().set_cursor_icon(egui::CursorIcon::Crosshair);
            }
            if response.drag_started() {
                self.drag = Drag::Wire { from: node.id.clone(), port: port.name.clone(), at };
            }
            if response.drag_stopped()
                && let Drag::Wire { from, port, .. } = std::mem::take(&mut self.drag)
                && let Some(to) = ui.ctx().pointer_latest_pos()
            {
                let to = projection.canvas_from_screen(to);
                let hit = self.geometry.cards.iter().position(|card| card.expand(6.0).contains(to));
                match hit {
                    Some(target) if frame.document.flow().nodes[target].id != from => {
                        let to = frame.document.flow().nodes[target].id.clone();
                        out.push(Command::Connect { from, port, to });
                    }
                    Some(_) => {}
                    None => self.open_quick_add(to + vec2(0.0, card.height() / 2.0), Some((from, port))),
                }
            }
        }
    }

    /// "+" on edges and open ports.
    pub(super) fn plus_ui(&mut self, ui: &mut Ui, frame: &Frame<'_>, _out: &mut Vec<Command>) {
        let (projection, palette) = (frame.projection, frame.palette);
        let painter = ui.painter_at(projection.screen);
        let seen = projection.visible_in_canvas().expand(10.0);
        let flow = frame.document.flow();
        let mut places: Vec<(Pos2, usize, SmolStr, String)> = Vec::new();
        let whole = self.geometry.edges.iter().filter(|edge| edge.stands_for.is_empty());
        for edge in whole.filter(|edge| seen.contains(edge.plus_at)) {
            places.push((edge.plus_at, edge.from_idx, edge.port.clone(), edge.label.clone()));
        }
        for open in self.geometry.open_ports.iter().filter(|open| seen.contains(open.at)) {
            let at = open.at + vec2(0.0, 26.0);
            let from = projection.screen_from_canvas(open.at);
            let to = projection.screen_from_canvas(at);
            painter.extend(egui::Shape::dashed_line(&[from, to], Stroke::new(1.2, palette.edge), 3.0, 3.0));
            if !open.label.is_empty() {
                let text = open.label.as_str();
                let at = to + vec2(12.0 * projection.zoom, 0.0);
                let font = egui::FontId { size: (11.0 * projection.zoom * 4.0).round() / 4.0, ..theme::medium(11.0) };
                painter.text(at, Align2::LEFT_CENTER, text, font, palette.weak);
            }
            places.push((at, open.node_idx, open.port.clone(), open.label.clone()));
        }
        for (at, from_idx, port, label) in places {
            let on_screen = projection.screen_from_canvas(at);
            let hit = Rect::from_center_size(on_screen, vec2(20.0, 20.0)).intersect(frame.hand);
            if !hit.is_positive() {
                continue;
            }
            let node = &flow.nodes[from_idx];
            let response = ui.interact(hit, card_id(&node.id).with(("plus", port.as_str())), Sense::click());
            let by = if label.is_empty() { String::new() } else { format!(", {label}") };
            response.widget_info(|| {
                WidgetInfo::labeled(Role::Button, true, format!("Insert step after {}{by}", node.title()))
            });
            paint::plus(&painter, on_screen, projection.zoom, palette, response.hovered() || response.has_focus());
            if response.clicked() {
                let below = self.geometry.cards[from_idx].center()
                    + vec2(at.x - self.geometry.cards[from_idx].center().x, card::ROW_STEP);
                let below =
                    if label.is_empty() { pos2(self.geometry.cards[from_idx].center().x, below.y) } else { below };
                self.open_quick_add(below, Some((node.id.clone(), port)));
            }
        }
    }

    /// The box, the wire, the cut line under the pointer.
    pub(super) fn drag_paint(&mut self, ui: &mut Ui, frame: &Frame<'_>) {
        let projection = &frame.projection;
        let Some(pointer) = ui.ctx().pointer_latest_pos() else { return };
        let painter = ui.painter_at(projection.screen);
        match &self.drag {
            Drag::Box { from, .. } => {
                let area = Rect::from_two_pos(projection.screen_from_canvas(*from), pointer);
                let fill = frame.palette.accent.gamma_multiply(0.10);
                painter.rect(area, 4.0, fill, Stroke::new(1.0, frame.palette.accent), egui::StrokeKind::Inside);
            }
            Drag::Wire { at, .. } => {
                let from = projection.screen_from_canvas(*at);
                let bend = ((pointer.y - from.y).abs() / 2.0).max(30.0 * projection.zoom);
                let curve = egui::epaint::CubicBezierShape::from_points_stroke(
                    [from, from + vec2(0.0, bend), pointer - vec2(0.0, bend), pointer],
                    false,
                    Color32::TRANSPARENT,
                    Stroke::new(2.0, frame.palette.accent),
                );
                painter.add(curve);
                painter.circle_filled(pointer, 4.0, frame.palette.accent);
            }
            Drag::Cut { from } => {
                painter.line_segment(
                    [projection.screen_from_canvas(*from), pointer],
                    Stroke::new(1.5, frame.palette.error),
                );
            }
            Drag::Cards { .. } => {
                for [a, b] in &self.guides {
                    let line = [projection.screen_from_canvas(*a), projection.screen_from_canvas(*b)];
                    painter.line_segment(line, Stroke::new(1.0, frame.palette.accent));
                }
            }
            Drag::Idle | Drag::Pan => {}
        }
    }

    /// The list of kinds at the pointer: type, choose, Enter.
    pub(super) fn quick_add_ui(&mut self, ui: &mut Ui, frame: &Frame<'_>, out: &mut Vec<Command>) {
        let Some(mut open) = self.quick_add.take() else { return };
        let at = frame.projection.screen_from_canvas(open.at);
        let chosen =
            super::super::widgets::quick_add(ui, at, frame.projection.screen, &mut open, frame.document.flow());
        match chosen {
            super::super::widgets::Chosen::Nothing => self.quick_add = Some(open),
            super::super::widgets::Chosen::Closed => {}
            super::super::widgets::Chosen::Kind(kind) => {
                let place = (open.at.x, open.at.y);
                out.push(Command::Insert { kind: kind.into(), at: Some(place), after: open.after });
            }
        }
    }
}

/// The way of dragged steps from where they were, corrected by grid and neighbours, and the lines that say why.
fn snapped(
    flow: &Flow,
    from: &[(NodeId, (f32, f32))],
    by: (f32, f32),
    zoom: f32,
    free: bool,
) -> ((f32, f32), Vec<[Pos2; 2]>) {
    let Some((first, was)) = from.first() else { return (by, Vec::new()) };
    if free {
        return (by, Vec::new());
    }
    // The flow has the steps where the frame before put them.
    let is = flow.node(first.as_str()).map_or(*was, |node| node.pos);
    let done = (is.0 - was.0, is.1 - was.1);
    let moving = from.iter().map(|(id, _)| id.clone()).collect();
    let (rest, guides) = ops::arrange::snap(flow, &moving, (by.0 - done.0, by.1 - done.1), zoom);
    let lines = guides.iter().map(|guide| match guide.axis {
        ops::arrange::Axis::Vertical => [pos2(guide.at, guide.from), pos2(guide.at, guide.to)],
        ops::arrange::Axis::Horizontal => [pos2(guide.from, guide.at), pos2(guide.to, guide.at)],
    });
    ((done.0 + rest.0, done.1 + rest.1), lines.collect())
}

/// Id of a card's response; the same in every frame and for every test.
pub fn card_id(node: &NodeId) -> Id {
    Id::unique(("card", node.as_str()))
}
