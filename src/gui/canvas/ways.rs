//! The way of the chosen contact over cards and edges, their way with the changes of the what-if panel beside it, and
//! where they stand when the clock of the time line stands somewhere.
//!
//! Worked out once per clock, contact and revision; painting only looks at flags.

use egui::{Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::{Canvas, Frame, geometry::Geometry, paint};
use crate::{
    app::{
        Command, Document, DocumentId, Overlays, act,
        overlay::{self, Way, WayStamp},
        when,
    },
    base::{Instant, NodeId},
};

/// Which ways lead over a card or an edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Over {
    /// The way as it is.
    pub old: bool,
    /// The way with the changes.
    pub new: bool,
}

/// Somebody who stands at a card.
#[derive(Clone, Debug)]
struct Person {
    /// Place of the card.
    card_idx: usize,
    /// The step, which may be hidden behind that card.
    node: NodeId,
    since: Instant,
    /// With the changes of the what-if panel.
    is_new: bool,
    /// How many stand at the same card before.
    slot: usize,
}

/// What is known of the ways.
#[derive(Debug, Default)]
pub struct Ways {
    of: Option<(WayStamp, DocumentId, u64, Overlays)>,
    geometry: u64,
    cards: Vec<Over>,
    edges: Vec<Over>,
    /// Places of the edges on some way.
    on_way: Vec<usize>,
    persons: Vec<Person>,
    /// The step at which somebody stood last, to be followed when it changes.
    last: Option<NodeId>,
}

impl Ways {
    /// Works it out again where something has changed. `geometry_count` says which geometry it is.
    pub fn refresh(&mut self, document: &Document, geometry: &Geometry, geometry_count: u64) {
        let overlays = document.view.overlays;
        let of = (overlay::way_stamp(document), document.id, document.history.revision(), overlays);
        if self.of.as_ref() == Some(&of) && self.geometry == geometry_count {
            return;
        }
        self.of = Some(of);
        self.geometry = geometry_count;
        let old = if overlays.path { overlay::way(document) } else { Way::default() };
        let new = if overlays.what_if { overlay::way_what_if(document) } else { None }.unwrap_or_default();
        self.cards.clear();
        self.cards.resize(geometry.cards.len(), Over::default());
        for (way, is_new) in [(&old, false), (&new, true)] {
            for n in way.nodes.iter().filter_map(|id| geometry.shown_idx(id)) {
                let over = &mut self.cards[n];
                if is_new { over.new = true } else { over.old = true }
            }
        }
        self.edges.clear();
        self.on_way.clear();
        for (n, edge) in geometry.edges.iter().enumerate() {
            let from = self.cards[edge.from_idx];
            let mut over = Over::default();
            if from != Over::default() {
                let drawn = edge.drawn(document.flow());
                over.old = from.old && drawn.iter().any(|edge| old.edges.contains(edge));
                over.new = from.new && drawn.iter().any(|edge| new.edges.contains(edge));
            }
            if over != Over::default() {
                self.on_way.push(n);
            }
            self.edges.push(over);
        }
        self.persons.clear();
        let Some(clock) = document.view.clock.filter(|_| overlays.person) else { return };
        let shows_new = overlays.what_if;
        for (standing, is_new) in [
            (overlay::standing_at(document, clock), false),
            (if shows_new { overlay::standing_what_if(document, clock) } else { Default::default() }, true),
        ] {
            for (node, since) in standing {
                let Some(card_idx) = geometry.shown_idx(&node) else { continue };
                let slot = self.persons.iter().filter(|person| person.card_idx == card_idx).count();
                self.persons.push(Person { card_idx, node, since, is_new, slot });
            }
        }
    }

    /// Which ways lead over a card.
    pub fn card(&self, n: usize) -> Over {
        self.cards.get(n).copied().unwrap_or_default()
    }

    /// Which ways lead over an edge.
    pub fn edge(&self, n: usize) -> Over {
        self.edges.get(n).copied().unwrap_or_default()
    }

    /// Places of the edges that some way leads over.
    pub fn edges(&self) -> &[usize] {
        &self.on_way
    }
}

impl Canvas {
    /// Badges at the cards where the chosen contact stands; they glide from card to card.
    pub(super) fn persons_ui(&mut self, ui: &mut Ui, frame: &Frame<'_>, out: &mut Vec<Command>) {
        let document = frame.document;
        let projection = &frame.projection;
        let painter = ui.painter_at(projection.screen);
        let radius = (13.0 * projection.zoom).clamp(9.0, 16.0);
        let glides = ui.style().animation_time * 2.0;
        for (n, person) in self.ways.persons.iter().enumerate() {
            let card = self.geometry.cards[person.card_idx];
            let id = egui::Id::unique(("person", document.id.0, n, person.is_new));
            let x = ui.ctx().animate_value_with_time(id.with("x"), card.left(), glides);
            let y = ui.ctx().animate_value_with_time(id.with("y"), card.center().y, glides);
            let at = projection.screen_from_canvas(pos2(x, y));
            let at = at + vec2(0.0, radius * 2.2 * person.slot as f32);
            let hit = Rect::from_center_size(at, Vec2::splat(radius * 2.0));
            if !projection.screen.intersects(hit) {
                continue;
            }
            let fill = if person.is_new { frame.palette.what_if() } else { frame.palette.accent };
            paint::person(&painter, at, radius, fill, frame.palette);
            let who = act::contact_name(document).unwrap_or_default();
            let zone = when::zone_of(&document.home, document.view.contact.as_ref());
            let since = when::day_time(person.since, &zone);
            let title = document.flow().node(person.node.as_str()).map_or("", |node| node.title());
            let would = if person.is_new { "would stand" } else { "stands" };
            let said = format!("{who} {would} at {title} since {since}");
            let response = ui.interact(hit.intersect(frame.hand), id, Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, said.clone()));
            response.on_hover_text(said);
        }
        let first = self.ways.persons.first();
        let node = first.map(|person| person.node.clone());
        if node != self.ways.last {
            self.ways.last = node;
            if let Some(person) = first {
                let card = self.geometry.cards[person.card_idx];
                self.bring_into_view(frame, card, out);
            }
        }
    }
}
