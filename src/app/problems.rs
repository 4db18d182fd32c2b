//! Rows of the problems panel, and the mark of each card.

use std::collections::BTreeMap;

use super::document::Document;
use crate::{
    base::{NodeId, Severity},
    flow::Finding,
};

/// One row.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The step it is about, directly or through its message.
    pub node: Option<NodeId>,
    /// What that step is called.
    pub title: String,
}

/// The rows of a document, worst first.
pub fn rows(document: &Document) -> Vec<Row<'_>> {
    let Some(stamped) = &document.derived.findings else { return Vec::new() };
    let flow = document.flow();
    let sender_of = |message: &str| {
        let sends =
            |id: &str| flow.node(id).and_then(|n| n.settings()?.message()).is_some_and(|m| m.0.as_str() == message);
        flow.nodes.iter().find(|node| sends(node.id.as_str())).map(|node| node.id.clone())
    };
    stamped
        .value
        .iter()
        .map(|finding| {
            let place = &finding.diagnostic.place;
            let node = place.node.as_deref().map(NodeId::new);
            let node = node.or_else(|| place.message.as_deref().and_then(sender_of));
            let title = node.as_ref().and_then(|id| flow.node(id.as_str())).map(|n| n.title().to_owned());
            Row { finding, node, title: title.unwrap_or_else(|| place.to_string()) }
        })
        .collect()
}

/// The worst finding of each step.
pub fn marks(document: &Document) -> BTreeMap<NodeId, Severity> {
    let mut out: BTreeMap<NodeId, Severity> = BTreeMap::new();
    for row in rows(document) {
        if let Some(node) = row.node {
            let worst = out.entry(node).or_insert(Severity::Hint);
            *worst = (*worst).min(row.finding.diagnostic.severity);
        }
    }
    out
}

/// How many findings of each severity there are: errors, warnings, hints.
pub fn counts(document: &Document) -> [usize; 3] {
    let mut out = [0; 3];
    for finding in document.derived.findings.iter().flat_map(|stamped| stamped.value.iter()) {
        out[finding.diagnostic.severity as usize] += 1;
    }
    out
}
