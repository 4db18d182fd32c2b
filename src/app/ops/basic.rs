//! Insert, connect, delete, move, mute, and the neighbour of a step.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use crate::{
    app::card::{self, COLUMN_STEP, ROW_STEP},
    base::NodeId,
    flow::{Edge, Edit, Flow, Node},
};

/// "Move 3 steps": a label for the undo list.
pub fn count_label(what: &str, count: usize) -> String {
    if count == 1 { format!("{what} step") } else { format!("{what} {count} steps") }
}

/// Edits that move the selected steps.
pub fn moved(flow: &Flow, selection: &BTreeSet<NodeId>, by: (f32, f32)) -> Vec<Edit> {
    let selected = flow.nodes.iter().filter(|node| selection.contains(&node.id));
    selected.map(|node| Edit::MoveNode { id: node.id.clone(), pos: (node.pos.0 + by.0, node.pos.1 + by.1) }).collect()
}

/// A new step of a kind with the settings of its catalogue entry, wired in behind `after` if given.
///
/// A kind of trigger becomes a trigger node with that alternative. Errors: a kind that is not in the catalogue; a
/// second trigger.
pub fn insert(
    flow: &Flow,
    kind: &str,
    at: Option<(f32, f32)>,
    after: Option<&(NodeId, SmolStr)>,
) -> Result<(NodeId, Vec<Edit>), String> {
    let spec = card::spec(kind).ok_or_else(|| format!("No kind of step is called `{kind}`"))?;
    let is_trigger = card::family(kind) == card::Family::Trigger;
    if is_trigger && let Some(trigger) = flow.trigger() {
        return Err(format!(
            "The flow has a trigger already: add an alternative to \u{201c}{}\u{201d}",
            trigger.title()
        ));
    }
    let (kind, settings) = match kind {
        "trigger" => ("trigger", spec.example.to_owned()),
        _ if is_trigger => ("trigger", format!("(any: [{kind}{}])", spec.example)),
        _ => (kind, spec.example.to_owned()),
    };
    let id = flow.fresh_id(kind);
    let mut node = Node::new(id.clone(), kind, &settings);
    let mut edits = Vec::new();
    let sends = node.settings().and_then(|s| s.message()).map(|(_, channel)| channel);
    if let Some(channel) = sends {
        let message = fresh_message(flow);
        let ron = crate::flow::file::raw::set_field(&settings, "message", Some(&format!("{message:?}")))?;
        node = Node::new(id.clone(), kind, &ron);
        edits.push(Edit::SetMessage(Box::new(crate::content::starter(&message, channel))));
    }
    let from = after.and_then(|(from, port)| Some((flow.node(from.as_str())?, port)));
    let follower = from.and_then(|(node, port)| flow.target(node.id.as_str(), port)).cloned();
    let below = from.map(|(node, _)| (node.pos.0, node.pos.1 + ROW_STEP));
    node.pos = at.or(below).unwrap_or_else(|| beneath_all(flow));
    let first_port = node.ports().first().map(|port| port.name.clone());
    let pos = node.pos;
    edits.push(Edit::AddNode(Box::new(node)));
    if let Some((from, port)) = after.filter(|_| !is_trigger) {
        if follower.is_some() {
            edits.push(Edit::Disconnect { from: from.clone(), port: port.clone() });
        }
        edits.push(Edit::Connect(Edge { from: from.clone(), port: port.clone(), to: id.clone() }));
        if let (Some(follower), Some(first_port)) = (follower, first_port) {
            edits.push(Edit::Connect(Edge { from: id.clone(), port: first_port, to: follower.clone() }));
            edits.extend(make_room(flow, &follower, pos));
        }
    }
    Ok((id, edits))
}

/// An id that no message has yet.
pub fn fresh_message(flow: &Flow) -> crate::base::MessageId {
    let mut n = flow.messages.len() + 1;
    loop {
        let id = crate::base::MessageId::new(format!("mail-{n}"));
        if !flow.messages.iter().any(|m| m.id == id) {
            return id;
        }
        n += 1;
    }
}

/// Moves everything from `follower` on down by a row, unless there is room already.
fn make_room(flow: &Flow, follower: &NodeId, pos: (f32, f32)) -> Vec<Edit> {
    let Some(node) = flow.node(follower.as_str()) else { return Vec::new() };
    let missing = pos.1 + ROW_STEP - node.pos.1;
    if missing <= 0.0 {
        return Vec::new();
    }
    let top = node.pos.1;
    let after = downstream(flow, follower);
    let moved: BTreeSet<NodeId> =
        after.into_iter().filter(|id| flow.node(id.as_str()).is_some_and(|node| node.pos.1 >= top)).collect();
    self::moved(flow, &moved, (0.0, missing))
}

/// A step and all that can be reached from it.
pub fn downstream(flow: &Flow, from: &NodeId) -> BTreeSet<NodeId> {
    let index = flow.index();
    let mut seen = BTreeSet::new();
    let mut stack: Vec<usize> = index.idx(from).into_iter().collect();
    while let Some(at) = stack.pop() {
        if seen.insert(flow.nodes[at].id.clone()) {
            stack.extend(index.out(at).iter().map(|(_, to)| *to));
        }
    }
    seen
}

fn beneath_all(flow: &Flow) -> (f32, f32) {
    let lowest = flow.nodes.iter().max_by(|a, b| a.pos.1.total_cmp(&b.pos.1));
    lowest.map_or((0.0, 0.0), |node| (node.pos.0, node.pos.1 + ROW_STEP))
}

/// An edge; one that leaves the port already is replaced.
pub fn connect(flow: &Flow, from: &NodeId, port: &SmolStr, to: &NodeId) -> Vec<Edit> {
    let mut edits = Vec::new();
    match flow.target(from.as_str(), port) {
        Some(there) if there == to => return edits,
        Some(_) => edits.push(Edit::Disconnect { from: from.clone(), port: port.clone() }),
        None => {}
    }
    edits.push(Edit::Connect(Edge { from: from.clone(), port: port.clone(), to: to.clone() }));
    edits
}

/// Removes the selected steps, or the selected edge; messages that only they sent go with them.
pub fn delete(flow: &Flow, selection: &BTreeSet<NodeId>, edge: Option<&(NodeId, SmolStr)>) -> (String, Vec<Edit>) {
    if selection.is_empty() {
        let edits = edge.map(|(from, port)| Edit::Disconnect { from: from.clone(), port: port.clone() });
        return ("Delete edge".to_owned(), edits.into_iter().collect());
    }
    let mut edits: Vec<Edit> = Vec::new();
    for node in flow.nodes.iter().filter(|node| selection.contains(&node.id)) {
        edits.push(Edit::RemoveNode(node.id.clone()));
    }
    edits.extend(orphaned_messages(flow, selection).into_iter().map(Edit::RemoveMessage));
    (count_label("Delete", selection.len()), edits)
}

fn orphaned_messages(flow: &Flow, gone: &BTreeSet<NodeId>) -> Vec<crate::base::MessageId> {
    let sent_by = |keep: bool| -> BTreeSet<crate::base::MessageId> {
        let nodes = flow.nodes.iter().filter(|node| gone.contains(&node.id) != keep);
        nodes.filter_map(|node| Some(node.settings()?.message()?.0.clone())).collect()
    };
    let still = sent_by(true);
    let there = |id: &crate::base::MessageId| flow.messages.iter().any(|m| m.id == *id);
    sent_by(false).into_iter().filter(|id| !still.contains(id) && there(id)).collect()
}

/// Removes steps and leads each edge into them on to where their first port led.
pub fn delete_reconnect(flow: &Flow, selection: &BTreeSet<NodeId>) -> Vec<Edit> {
    let (_, mut edits) = delete(flow, selection, None);
    let onward = |from: &NodeId| -> Option<NodeId> {
        let mut at = from.clone();
        for _ in 0..=flow.nodes.len() {
            if !selection.contains(&at) {
                return Some(at);
            }
            let port = flow.node(at.as_str())?.ports().first()?.name.clone();
            at = flow.target(at.as_str(), &port)?.clone();
        }
        None
    };
    for edge in &flow.edges {
        if selection.contains(&edge.to)
            && !selection.contains(&edge.from)
            && let Some(to) = onward(&edge.to)
            && to != edge.from
        {
            edits.push(Edit::Connect(Edge { from: edge.from.clone(), port: edge.port.clone(), to }));
        }
    }
    edits
}

/// Mutes the selected steps, or unmutes them where all are muted. Only steps with one port can be passed through.
///
/// Errors: none of them has one port.
pub fn toggle_mute(flow: &Flow, selection: &BTreeSet<NodeId>) -> Result<(String, Vec<Edit>), String> {
    let nodes = flow.nodes.iter().filter(|node| selection.contains(&node.id));
    let fit: Vec<_> = nodes.filter(|node| node.ports().len() == 1 && node.kind != "trigger").collect();
    if fit.is_empty() {
        return Err("Only a step with one way out can be muted".to_owned());
    }
    let muted = !fit.iter().all(|node| node.muted);
    let edits = fit.iter().map(|node| Edit::SetMuted { id: node.id.clone(), muted }).collect();
    Ok((count_label(if muted { "Mute" } else { "Unmute" }, fit.len()), edits))
}

/// Where an arrow key leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Against the edges.
    Up,
    /// Along the edges.
    Down,
    /// To the sibling on the left.
    Left,
    /// To the sibling on the right.
    Right,
}

/// The step that an arrow key leads to: along the edges up and down, across the row left and right.
pub fn neighbour(flow: &Flow, from: Option<&NodeId>, direction: Direction) -> Option<NodeId> {
    let Some(from) = from else {
        let first = flow.trigger().or(flow.nodes.first());
        return first.map(|node| node.id.clone());
    };
    let index = flow.index();
    let at = index.idx(from)?;
    let here = flow.nodes[at].pos;
    let step = match direction {
        Direction::Down => index.out(at).first().map(|(_, to)| *to),
        Direction::Up => crate::flow::Index::into(&index, at).first().map(|(from, _)| *from),
        Direction::Left | Direction::Right => {
            let sign = if direction == Direction::Left { -1.0 } else { 1.0 };
            let ahead = flow.nodes.iter().enumerate().filter(|(n, node)| {
                *n != at && (node.pos.0 - here.0) * sign > 1.0 && (node.pos.1 - here.1).abs() < ROW_STEP
            });
            let distance = |node: &Node| (node.pos.0 - here.0).abs() + 3.0 * (node.pos.1 - here.1).abs();
            ahead.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1))).map(|(n, _)| n)
        }
    };
    // Where no edge leads on, the nearest card in that direction does.
    let step = step.or_else(|| {
        let sign = match direction {
            Direction::Up => -1.0,
            Direction::Down => 1.0,
            Direction::Left | Direction::Right => return None,
        };
        let ahead = flow.nodes.iter().enumerate().filter(|(n, node)| *n != at && (node.pos.1 - here.1) * sign > 1.0);
        let distance = |node: &Node| (node.pos.1 - here.1).abs() + 2.0 * (node.pos.0 - here.0).abs();
        ahead
            .filter(|(_, node)| (node.pos.0 - here.0).abs() < 2.0 * COLUMN_STEP)
            .min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))
            .map(|(n, _)| n)
    });
    step.map(|n| flow.nodes[n].id.clone())
}
