//! Frames: notes with a size, drawn around steps.
//!
//! The one idea: a frame holds what lies in it, and nothing is written down that could disagree with the picture. A
//! step belongs to a frame when its middle lies inside; a frame belongs to another that holds its whole rectangle.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::{
    app::card::size,
    base::NodeId,
    flow::{Edit, Flow, Node},
    kinds::Settings,
};

/// Room between a frame and what it holds, in canvas units. Source: assumption, a third of a row.
const MARGIN: f32 = 48.0;

/// More room above, where the title stands.
const TITLE: f32 = 32.0;

/// Width and height of a frame; `None` where the step is none.
pub fn frame_size(node: &Node) -> Option<(f32, f32)> {
    match node.settings() {
        Some(Settings::Note(note)) => note.size,
        _ => None,
    }
}

/// The steps in a frame, frames and notes inside it included, in the order of the file.
pub fn contents(flow: &Flow, frame: &NodeId) -> Vec<NodeId> {
    let Some(node) = flow.node(frame.as_str()) else { return Vec::new() };
    flow.nodes.iter().filter(|other| holds(node, other)).map(|other| other.id.clone()).collect()
}

fn holds(frame: &Node, other: &Node) -> bool {
    let Some((width, height)) = frame_size(frame) else { return false };
    if frame.id == other.id {
        return false;
    }
    let (x, y) = ((other.pos.0 - frame.pos.0).abs(), (other.pos.1 - frame.pos.1).abs());
    match frame_size(other) {
        // Two frames of one size in one place hold neither.
        Some((w, h)) => x + w / 2.0 <= width / 2.0 && y + h / 2.0 <= height / 2.0 && (w, h) != (width, height),
        None => x <= width / 2.0 && y <= height / 2.0,
    }
}

/// A frame around the selected steps.
///
/// Errors: nothing is selected.
pub fn frame_selection(flow: &Flow, selection: &BTreeSet<NodeId>, title: &str) -> Result<(NodeId, Vec<Edit>), String> {
    let nodes: Vec<&Node> = flow.nodes.iter().map(|n| &**n).filter(|node| selection.contains(&node.id)).collect();
    if nodes.is_empty() {
        return Err("No step is selected".to_owned());
    }
    let edge = |of: &dyn Fn(&Node) -> f32, pick: fn(f32, f32) -> f32, start: f32| {
        nodes.iter().map(|node| of(node)).fold(start, pick)
    };
    let left = edge(&|n| n.pos.0 - size(n).0 / 2.0, f32::min, f32::MAX) - MARGIN;
    let right = edge(&|n| n.pos.0 + size(n).0 / 2.0, f32::max, f32::MIN) + MARGIN;
    let top = edge(&|n| n.pos.1 - size(n).1 / 2.0, f32::min, f32::MAX) - MARGIN - TITLE;
    let bottom = edge(&|n| n.pos.1 + size(n).1 / 2.0, f32::max, f32::MIN) + MARGIN;
    let id = flow.fresh_id("frame");
    let settings = format!("(text: \"\", size: ({}, {}))", right - left, bottom - top);
    let mut node = Node::new(id.clone(), "note", &settings);
    title.clone_into(&mut node.title);
    node.pos = ((left + right) / 2.0, (top + bottom) / 2.0);
    Ok((id, vec![Edit::AddNode(Box::new(node))]))
}

/// The selection and all that lies in its frames: what moves when it is dragged.
pub fn with_contents(flow: &Flow, selection: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let mut out = selection.clone();
    for node in flow.nodes.iter().filter(|node| selection.contains(&node.id) && frame_size(node).is_some()) {
        out.extend(flow.nodes.iter().filter(|other| holds(node, other)).map(|other| other.id.clone()));
    }
    out
}

/// What a picture with folded frames leaves out, and what stands in for it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Folded {
    /// Steps that are not drawn, each with the frame that is drawn in their place.
    pub hidden: BTreeMap<NodeId, NodeId>,
    /// Edges that begin or end at a hidden step: from and to what is drawn, each pair once.
    pub stand_ins: Vec<StandIn>,
    /// How many steps each folded frame hides, frames and notes not counted.
    pub counts: BTreeMap<NodeId, usize>,
}

/// An edge in place of others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StandIn {
    /// The step or folded frame where it begins.
    pub from: NodeId,
    /// The step or folded frame where it ends.
    pub to: NodeId,
    /// The edges that it stands for: where they begin, by which port.
    pub edges: Vec<(NodeId, SmolStr)>,
}

/// What is hidden by the folded frames. A frame inside a folded one is hidden with it.
pub fn folded(flow: &Flow, frames: &BTreeSet<NodeId>) -> Folded {
    let mut out = Folded::default();
    let mut folded: Vec<&Node> =
        flow.nodes.iter().map(|n| &**n).filter(|n| frames.contains(&n.id) && frame_size(n).is_some()).collect();
    // The largest first, so that what lies in several stands behind the outermost.
    let area = |node: &Node| frame_size(node).map_or(0.0, |(width, height)| width * height);
    folded.sort_by(|a, b| area(b).total_cmp(&area(a)).then_with(|| a.id.cmp(&b.id)));
    for frame in folded {
        if out.hidden.contains_key(&frame.id) {
            continue;
        }
        let mut count = 0;
        // A frame that is drawn already as a folded one stays drawn.
        for node in flow.nodes.iter().filter(|node| holds(frame, node) && !out.counts.contains_key(&node.id)) {
            if out.hidden.contains_key(&node.id) {
                continue;
            }
            count += usize::from(node.kind != "note");
            out.hidden.insert(node.id.clone(), frame.id.clone());
        }
        out.counts.insert(frame.id.clone(), count);
    }
    let drawn = |id: &NodeId| out.hidden.get(id).unwrap_or(id).clone();
    let mut stand_ins: BTreeMap<(NodeId, NodeId), Vec<(NodeId, SmolStr)>> = BTreeMap::new();
    for edge in &flow.edges {
        let (from, to) = (drawn(&edge.from), drawn(&edge.to));
        if from != to && (from != edge.from || to != edge.to) {
            stand_ins.entry((from, to)).or_default().push((edge.from.clone(), edge.port.clone()));
        }
    }
    out.stand_ins = stand_ins.into_iter().map(|((from, to), edges)| StandIn { from, to, edges }).collect();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        flow::{History, edit::apply_all, file},
        testing::{Rng, flow_gen},
    };

    fn flow() -> Flow {
        let text = r#"(version: 2, id: "f", name: "F", nodes: [
            (id: "t", kind: "trigger", settings: (any: [])),
            (id: "c", kind: "condition", pos: (0, 156), settings: (condition: "true")),
            (id: "a", kind: "goal", pos: (-156, 312)), (id: "b", kind: "goal", pos: (156, 312)),
            (id: "x", kind: "exit", pos: (0, 468)),
            (id: "outer", kind: "note", pos: (0, 234), settings: (size: (700, 300))),
            (id: "inner", kind: "note", pos: (0, 312), settings: (size: (600, 120))),
        ], edges: [(from: "t", to: "c"), (from: "c", port: "yes", to: "a"), (from: "c", port: "no", to: "b"),
            (from: "a", to: "x"), (from: "b", to: "x")])"#;
        file::read(text).unwrap_or_else(|d| panic!("{}", d.message)).flow
    }

    fn ids(text: &str) -> BTreeSet<NodeId> {
        text.split_whitespace().map(NodeId::from).collect()
    }

    #[test]
    fn frames_hold_what_lies_in_them() {
        let flow = flow();
        assert_eq!(contents(&flow, &"outer".into()), ["c", "a", "b", "inner"].map(NodeId::from));
        assert_eq!(contents(&flow, &"inner".into()), ["a", "b"].map(NodeId::from));
        assert_eq!(contents(&flow, &"a".into()), []);
        assert_eq!(with_contents(&flow, &ids("inner t")), ids("inner t a b"));
        let (id, edits) = frame_selection(&flow, &ids("a b"), "Two ways").expect("frames");
        let next = apply_all(&flow, &edits).expect("applies");
        assert_eq!(
            contents(&next, &id).into_iter().collect::<BTreeSet<_>>(),
            ids("a b inner"),
            "{:?}",
            next.node(id.as_str())
        );
        assert_eq!(next.node(id.as_str()).map(|n| n.title()), Some("Two ways"));
        assert!(frame_selection(&flow, &BTreeSet::new(), "").is_err());
    }

    #[test]
    fn folding_hides_and_stands_in() {
        let flow = flow();
        let shown = |frames: &str| {
            let folded = folded(&flow, &ids(frames));
            let edges: Vec<String> =
                folded.stand_ins.iter().map(|e| format!("{}-{} {}", e.from, e.to, e.edges.len())).collect();
            let hidden: Vec<String> = folded.hidden.iter().map(|(id, frame)| format!("{id} in {frame}")).collect();
            format!("{}; {}; {:?}", hidden.join(", "), edges.join(", "), folded.counts.values().collect::<Vec<_>>())
        };
        assert_eq!(shown("inner"), "a in inner, b in inner; c-inner 2, inner-x 2; [2]");
        assert_eq!(
            shown("outer inner"),
            "a in outer, b in outer, c in outer, inner in outer; outer-x 2, t-outer 1; [3]"
        );
        assert_eq!(shown("a"), "; ; []");
    }

    #[test]
    fn framing_made_up_flows() {
        for seed in 0..100 {
            let mut rng = Rng::new(seed);
            let flow = flow_gen::flow(seed, 12);
            let some: BTreeSet<NodeId> =
                flow.nodes.iter().filter(|_| rng.percent(30)).map(|node| node.id.clone()).collect();
            let Ok((id, edits)) = frame_selection(&flow, &some, "F") else { continue };
            let mut history = History::new(flow.clone());
            history.apply("Frame", &edits, None).expect("applies");
            let next = history.flow().clone();
            assert!(next.invariants().is_empty());
            let inside: BTreeSet<NodeId> = contents(&next, &id).into_iter().collect();
            assert!(some.is_subset(&inside), "seed {seed}");
            let folded = folded(&next, &[id.clone()].into());
            assert_eq!(folded.hidden.len(), inside.len());
            assert!(folded.stand_ins.iter().all(|e| e.from != e.to && (e.from == id || e.to == id)));
            history.undo();
            assert_eq!(*history.flow(), flow);
        }
    }
}
