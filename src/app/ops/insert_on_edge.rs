//! A loose step dropped on an edge, and edges cut by a stroke across them.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use super::{basic::downstream, moved};
use crate::{
    app::card::ROW_STEP,
    base::NodeId,
    flow::{Edge, Edit, Flow},
};

/// Puts a step that nothing leads to into an edge; what follows is moved away where there is no room.
///
/// Errors: a sentence that says why the step cannot stand there.
pub fn insert_on_edge(flow: &Flow, id: &NodeId, from: &NodeId, port: &str) -> Result<Vec<Edit>, String> {
    let node = flow.node(id.as_str()).ok_or_else(|| format!("There is no step `{id}`"))?;
    let before = flow.node(from.as_str()).ok_or_else(|| format!("There is no step `{from}`"))?;
    let to = flow.target(from.as_str(), port).ok_or_else(|| format!("No edge leaves `{from}` by `{port}`"))?;
    let title = node.title();
    if matches!(node.kind.as_str(), "trigger" | "note") {
        return Err(format!("\u{201c}{title}\u{201d} has no way in"));
    }
    if id == from || id == to || flow.edges.iter().any(|edge| edge.to == *id) {
        return Err(format!("\u{201c}{title}\u{201d} stands in the flow already"));
    }
    let Some(out) = node.ports().into_iter().next() else {
        return Err(format!("\u{201c}{title}\u{201d} has no way out: what follows would be cut off"));
    };
    if flow.target(id.as_str(), &out.name).is_some_and(|there| there != to) {
        return Err(format!("The first way out of \u{201c}{title}\u{201d} leads somewhere already"));
    }
    let mut edits = vec![
        Edit::Disconnect { from: from.clone(), port: SmolStr::new(port) },
        Edit::Connect(Edge::new(from.clone(), port, id.clone())),
    ];
    if flow.target(id.as_str(), &out.name).is_none() {
        edits.push(Edit::Connect(Edge { from: id.clone(), port: out.name, to: to.clone() }));
    }
    let Some(follower) = flow.node(to.as_str()) else { return Ok(edits) };
    let pos = (follower.pos.0, before.pos.1 + ROW_STEP);
    if pos != node.pos {
        edits.push(Edit::MoveNode { id: id.clone(), pos });
    }
    let missing = pos.1 + ROW_STEP - follower.pos.1;
    if missing > 0.0 && follower.pos.1 > before.pos.1 {
        let top = follower.pos.1;
        let is_below = |n: &NodeId| n != id && n != from && flow.node(n.as_str()).is_some_and(|n| n.pos.1 >= top);
        let below: BTreeSet<NodeId> = downstream(flow, to).into_iter().filter(is_below).collect();
        edits.extend(moved(flow, &below, (0.0, missing)));
    }
    Ok(edits)
}

/// Takes edges away; those that are gone already are passed over.
pub fn cut(flow: &Flow, edges: &[(NodeId, SmolStr)]) -> Vec<Edit> {
    let wanted: BTreeSet<&(NodeId, SmolStr)> = edges.iter().collect();
    let there = wanted.into_iter().filter(|(from, port)| flow.target(from.as_str(), port).is_some());
    there.map(|(from, port)| Edit::Disconnect { from: from.clone(), port: port.clone() }).collect()
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
            (id: "x", kind: "exit", pos: (0, 156)),
            (id: "d", kind: "delay", pos: (700, 20), settings: (wait: for("4 h"))),
            (id: "e", kind: "exit", pos: (900, 20)),
        ], edges: [(from: "t", to: "x")])"#;
        file::read(text).unwrap_or_else(|d| panic!("{}", d.message)).flow
    }

    #[test]
    fn a_loose_step_comes_between() {
        let flow = flow();
        let edits = insert_on_edge(&flow, &"d".into(), &"t".into(), "next").expect("fits");
        let next = apply_all(&flow, &edits).expect("applies");
        assert_eq!(next.edges, [Edge::new("t", "next", "d"), Edge::new("d", "next", "x")]);
        let at = |id: &str| next.node(id).map(|n| n.pos);
        assert_eq!((at("d"), at("x")), (Some((0.0, 156.0)), Some((0.0, 312.0))), "what follows makes room");
        assert_eq!(at("e"), Some((900.0, 20.0)), "the rest stays");
    }

    #[track_caller]
    fn check_refused(id: &str, from: &str, expected: &str) {
        let error = insert_on_edge(&flow(), &id.into(), &from.into(), "next").expect_err(id);
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        check_refused("e", "t", "no way out");
        check_refused("x", "t", "already");
        check_refused("t", "t", "no way in");
        check_refused("d", "d", "No edge leaves");
        check_refused("q", "t", "no step `q`");
    }

    #[test]
    fn edges_are_cut_once() {
        let wanted = [("t".into(), "next".into()), ("t".into(), "next".into()), ("d".into(), "next".into())];
        let edits = cut(&flow(), &wanted);
        assert_eq!(edits, [Edit::Disconnect { from: "t".into(), port: "next".into() }], "what is gone is passed over");
    }

    #[test]
    fn inserting_into_made_up_flows() {
        for seed in 0..150 {
            let mut rng = Rng::new(seed);
            let flow = flow_gen::flow(seed, 15);
            let (Some(edge), Some(node)) = (rng.pick(&flow.edges), rng.pick(&flow.nodes)) else { continue };
            let mut history = History::new(flow.clone());
            if let Ok(edits) = insert_on_edge(&flow, &node.id, &edge.from, &edge.port) {
                history.apply("Insert", &edits, None).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
                assert!(history.flow().invariants().is_empty(), "seed {seed}");
                assert_eq!(history.flow().target(edge.from.as_str(), &edge.port), Some(&node.id), "seed {seed}");
                history.undo();
            }
            let all: Vec<_> = flow.edges.iter().map(|e| (e.from.clone(), e.port.clone())).collect();
            history.apply("Cut", &cut(&flow, &all), None).expect("applies");
            assert!(history.flow().edges.is_empty());
            history.undo();
            assert_eq!(*history.flow(), flow, "seed {seed}");
        }
    }
}
