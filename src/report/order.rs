//! The order in which people read a flow: from the trigger along the ports, what joins again after all that leads to
//! it.

use std::collections::BTreeMap;

use crate::{base::NodeId, flow::Flow};

/// Places of the steps in reading order: those the trigger reaches, then the others as the file has them; no notes.
pub fn reading_order(flow: &Flow) -> Vec<usize> {
    let index = flow.index();
    let mut begun = vec![false; flow.nodes.len()];
    let starts = flow.nodes.iter().position(|node| node.kind == "trigger").into_iter();
    let others = (0..flow.nodes.len()).filter(|n| flow.nodes[*n].kind != "note");
    // Ends of depth-first walks, last first, are an order in which every edge that does not lead back leads on.
    let mut out: Vec<usize> = Vec::with_capacity(flow.nodes.len());
    for start in starts.chain(others) {
        if begun[start] {
            continue;
        }
        begun[start] = true;
        let mut ended: Vec<usize> = Vec::new();
        let mut stack: Vec<(usize, Vec<usize>)> = vec![(start, next(&index, flow, start))];
        while let Some((at, rest)) = stack.last_mut() {
            match rest.pop() {
                Some(to) if !begun[to] => {
                    begun[to] = true;
                    stack.push((to, next(&index, flow, to)));
                }
                Some(_) => {}
                None => {
                    ended.push(*at);
                    stack.pop();
                }
            }
        }
        out.extend(ended.into_iter().rev());
    }
    out
}

/// Where the ports of a step lead, the last one to be walked first at the front: `pop` takes from the back.
fn next(index: &crate::flow::Index<'_>, flow: &Flow, at: usize) -> Vec<usize> {
    let ports = flow.nodes[at].ports();
    // The walk's ends are turned round, so the last port has to be walked first to end up last.
    let to = |port: &crate::kinds::Port| index.out(at).iter().find(|(name, _)| **name == port.name).map(|(_, to)| *to);
    ports.iter().filter_map(to).collect()
}

/// The number of each step in reading order, from 1.
pub fn numbers(flow: &Flow) -> BTreeMap<NodeId, usize> {
    reading_order(flow).into_iter().enumerate().map(|(n, at)| (flow.nodes[at].id.clone(), n + 1)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::flow::{Edge, Node};

    fn check(edges: &[(&str, &str, &str)], expected: &str) {
        let mut flow = Flow::new("f", "F");
        for id in ["z", "start", "c", "a", "b", "j", "note"] {
            let (kind, settings) = match id {
                "start" => ("trigger", "()"),
                "c" => ("condition", r#"(condition: "always")"#),
                "note" => ("note", "()"),
                _ => ("exit", "()"),
            };
            let (kind, settings) =
                if ["a", "b", "j"].contains(&id) { ("delay", r#"(wait: for("1 h"))"#) } else { (kind, settings) };
            flow.nodes.push(Arc::new(Node::new(id, kind, settings)));
        }
        flow.edges = edges.iter().map(|(from, port, to)| Edge::new(*from, port, *to)).collect();
        let order: Vec<&str> = reading_order(&flow).into_iter().map(|n| flow.nodes[n].id.as_str()).collect();
        assert_eq!(order.join(" "), expected);
    }

    #[test]
    fn branches_by_their_ports_joins_last() {
        check(&[], "start z c a b j");
        check(
            &[("start", "next", "c"), ("c", "yes", "a"), ("c", "no", "b"), ("a", "next", "j"), ("b", "next", "j")],
            "start c a b j z",
        );
        check(
            &[("start", "next", "c"), ("c", "no", "a"), ("c", "yes", "b"), ("a", "next", "j"), ("b", "next", "j")],
            "start c b a j z",
        );
        // A circle.
        check(&[("start", "next", "a"), ("a", "next", "b"), ("b", "next", "a")], "start a b z c j");
    }
}
