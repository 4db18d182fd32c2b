//! The way of an edge from a port to the top of a card: down, across, down, around what stands between.
//!
//! The canvas and the picture for a client draw the same ways. Pure numbers; y runs down.

use crate::{
    flow::card::{CARD_SIZE, ROW_STEP},
    report::scene::Area,
};

/// A point in canvas units.
pub type Point = (f32, f32);

/// Length of the straight piece where a way leaves a card or comes to one.
const STUB: f32 = 20.0;

/// What ways are laid through.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Cards, in the order of the flow.
    pub cards: &'a [Area],
    /// Whether a card is a frame or note, which ways may cross.
    pub frames: &'a [bool],
}

/// Where the nth of `count` ports leaves a card: two at 30 % and 70 %, others evenly.
pub fn port_at(card: &Area, idx: usize, count: usize) -> Point {
    let share = match (count, idx) {
        (0 | 1, _) => 0.5,
        (2, 0) => 0.3,
        (2, _) => 0.7,
        _ => (idx as f32 + 0.5) / count as f32,
    };
    (card.left + card.width() * share, card.bottom)
}

/// An orthogonal way from a port to the top of a card; around the side where the card lies above. `look` for cards in
/// the way costs a look at every card.
pub fn route(start: Point, end: Point, field: Field<'_>, (from, to): (usize, usize), look: bool) -> Vec<Point> {
    let dy = end.1 - start.1;
    if dy >= 2.0 * STUB - 8.0 {
        if (start.0 - end.0).abs() < 0.5 {
            let direct = vec![start, end];
            if !look || dy < ROW_STEP || hits(&direct, field, (from, to)) == 0 {
                return direct;
            }
        }
        let across = |y: f32| vec![start, (start.0, y), (end.0, y), end];
        let near_source = across(start.1 + (dy / 2.0).min(31.0));
        if dy <= ROW_STEP || !look {
            return near_source;
        }
        let near_target = across(end.1 - (dy / 2.0).min(36.0));
        let mut best = (hits(&near_source, field, (from, to)), near_source);
        let mut consider = |points: Vec<Point>| {
            let count = hits(&points, field, (from, to));
            if count < best.0 {
                best = (count, points);
            }
        };
        consider(near_target);
        // Past the cards in between, on either side.
        let between = Area {
            left: start.0.min(end.0) - CARD_SIZE.0,
            right: start.0.max(end.0) + CARD_SIZE.0,
            top: start.1,
            bottom: end.1,
        };
        let column = others(field, (from, to))
            .filter(|card| between.overlaps(card))
            .map(|card| (card.left, card.right))
            .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        if let Some((left, right)) = column {
            for x in [right + 24.0, left - 24.0] {
                let (high, low) = (start.1 + STUB, end.1 - STUB);
                consider(vec![start, (start.0, high), (x, high), (x, low), (end.0, low), end]);
            }
        }
        return best.1;
    }
    // Back up, around the right side of both cards.
    let x = field.cards[from].right.max(field.cards[to].right) + 36.0;
    let (low, high) = (start.1 + STUB, end.1 - STUB);
    vec![start, (start.0, low), (x, low), (x, high), (end.0, high), end]
}

fn others<'a>(field: Field<'a>, (from, to): (usize, usize)) -> impl Iterator<Item = &'a Area> {
    let all = field.cards.iter().zip(field.frames).enumerate();
    all.filter(move |(n, (_, frame))| *n != from && *n != to && !**frame).map(|(_, (card, _))| card)
}

/// How many cards a way runs over.
pub fn hits(points: &[Point], field: Field<'_>, ends: (usize, usize)) -> usize {
    let crosses = |card: &Area| {
        let inner = card.grown(-2.0);
        points.windows(2).any(|piece| {
            let (a, b) = (piece[0], piece[1]);
            let (left, right) = (a.0.min(b.0), a.0.max(b.0));
            let (top, bottom) = (a.1.min(b.1), a.1.max(b.1));
            left <= inner.right && right >= inner.left && top <= inner.bottom && bottom >= inner.top
        })
    };
    others(field, ends).filter(|card| crosses(card)).count()
}
