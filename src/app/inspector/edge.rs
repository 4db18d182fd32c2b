//! The selected edge in words.

use smol_str::SmolStr;

use super::Document;
use crate::base::NodeId;

/// Where an edge begins, by which way out, and where it ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EdgeRow {
    /// The step it leaves.
    pub from: NodeId,
    /// What that is called.
    pub from_title: String,
    /// The way out.
    pub port: SmolStr,
    /// What people read for it.
    pub port_title: String,
    /// The step it leads to.
    pub to: NodeId,
    /// What that is called.
    pub to_title: String,
    /// How many journeys of the replay went along it; none without a replay.
    pub taken: Option<u64>,
}

/// The selected edge.
pub fn selected(document: &Document) -> Option<EdgeRow> {
    let (from, port) = document.view.edge.as_ref()?;
    let flow = document.flow();
    let node = flow.node(from.as_str())?;
    let to = flow.target(from.as_str(), port)?;
    let ports = node.ports();
    let port_title = ports.iter().find(|p| p.name == *port).map_or_else(|| port.to_string(), |p| p.title.clone());
    let counts = super::super::overlay::counts(document);
    let taken = counts.and_then(|counts| counts.get(from)).map(|report| report.left.get(port).copied().unwrap_or(0));
    Some(EdgeRow {
        from: from.clone(),
        from_title: node.title().to_owned(),
        port: port.clone(),
        port_title,
        to: to.clone(),
        to_title: flow.node(to.as_str()).map_or_else(|| to.to_string(), |node| node.title().to_owned()),
        taken,
    })
}
