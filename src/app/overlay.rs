//! What is painted over the flow: the way of a contact, and what the replay counted.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::document::Document;
use crate::{
    base::NodeId,
    journey::{Decision, What},
    simulate::NodeReport,
};

/// The way of one contact through the flow, all journeys together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Way {
    /// Steps they came to.
    pub nodes: BTreeSet<NodeId>,
    /// Ports they left by.
    pub edges: BTreeSet<(NodeId, SmolStr)>,
}

/// The way of the chosen contact, if there is a replay of this flow.
pub fn way(document: &Document) -> Way {
    let mut way = Way::default();
    for decision in trace(document) {
        let Some(node) = &decision.node else { continue };
        match &decision.what {
            What::Arrived => {
                way.nodes.insert(node.clone());
            }
            What::Left { port } => {
                way.edges.insert((node.clone(), port.clone()));
            }
            _ => {}
        }
    }
    // The trigger is left, never arrived at.
    if !way.nodes.is_empty()
        && let Some(trigger) = document.flow().trigger()
    {
        way.nodes.insert(trigger.id.clone());
        for port in trigger.ports() {
            way.edges.insert((trigger.id.clone(), port.name));
        }
    }
    way
}

/// Decisions about the chosen contact in this flow, in order.
pub fn trace(document: &Document) -> impl Iterator<Item = &Decision> {
    let id = &document.flow().id;
    let replay = document.derived.replay.as_ref();
    let contact = document.view.contact.as_ref();
    let trace = replay.zip(contact).and_then(|(replay, contact)| replay.value.traces.get(contact));
    trace.into_iter().flatten().filter(move |decision| decision.flow.as_ref() == Some(id))
}

/// What the replay counted at each step of this flow.
pub fn counts(document: &Document) -> Option<&BTreeMap<NodeId, NodeReport>> {
    let replay = document.derived.replay.as_ref()?;
    replay.value.flows.get(&document.flow().id).map(|flow| &flow.nodes)
}
