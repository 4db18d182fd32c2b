//! What is painted over the flow: the way of a contact, and what the replay counted.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::{
    document::{Document, DocumentId},
    what_if::Change,
};
use crate::{
    base::{ContactId, Instant, JourneyId, NodeId},
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

/// What the ways depend on; whoever keeps one asks again when this has changed.
#[derive(Clone, PartialEq, Debug)]
pub struct WayStamp {
    document: DocumentId,
    replay: Option<u64>,
    contact: Option<ContactId>,
    clock: Option<Instant>,
    what_if: Option<(u64, Vec<Change>)>,
}

/// What the ways of a document depend on now.
pub fn way_stamp(document: &Document) -> WayStamp {
    WayStamp {
        document: document.id,
        replay: document.derived.replay.as_ref().map(|stamped| stamped.revision),
        contact: document.view.contact.clone(),
        clock: document.view.clock,
        what_if: document.what_if().map(|made| {
            (document.derived.what_if.as_ref().map_or(0, |stamped| stamped.revision), made.changes.clone())
        }),
    }
}

/// The way of the chosen contact as far as the clock of the time line stands; the whole way where it stands nowhere.
pub fn way(document: &Document) -> Way {
    way_until(document, document.view.clock.unwrap_or(Instant::MAX))
}

/// The way of the chosen contact up to an instant, that instant included.
pub fn way_until(document: &Document, instant: Instant) -> Way {
    let past = trace(document).take_while(|decision| decision.at <= instant);
    way_of(document, past)
}

/// The way that the chosen contact takes with the changes of the what-if panel; `None` while there are none.
pub fn way_what_if(document: &Document) -> Option<Way> {
    let what_if = document.what_if()?;
    let until = document.view.clock.unwrap_or(Instant::MAX);
    Some(way_of(document, what_if.new.iter().filter(|decision| decision.at <= until)))
}

fn way_of<'a>(document: &Document, decisions: impl Iterator<Item = &'a Decision>) -> Way {
    let mut way = Way::default();
    let mut has_entered = false;
    for decision in decisions {
        has_entered |= matches!(decision.what, What::Entered { .. });
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
    if has_entered && let Some(trigger) = document.flow().trigger() {
        way.nodes.insert(trigger.id.clone());
        for port in trigger.ports() {
            way.edges.insert((trigger.id.clone(), port.name));
        }
    }
    way
}

/// Where the chosen contact stands at an instant, and since when: one step per journey under way.
pub fn standing_at(document: &Document, instant: Instant) -> BTreeMap<NodeId, Instant> {
    standing(trace(document), instant)
}

/// Where the chosen contact would stand at an instant with the changes of the what-if panel; nowhere while there are
/// none.
pub fn standing_what_if(document: &Document, instant: Instant) -> BTreeMap<NodeId, Instant> {
    standing(document.what_if().into_iter().flat_map(|made| &made.new), instant)
}

fn standing<'a>(trace: impl Iterator<Item = &'a Decision>, instant: Instant) -> BTreeMap<NodeId, Instant> {
    let mut journeys: BTreeMap<&JourneyId, Option<(&NodeId, Instant)>> = BTreeMap::new();
    for decision in trace.take_while(|decision| decision.at <= instant) {
        let Some(journey) = &decision.journey else { continue };
        match (&decision.what, &decision.node) {
            (What::Arrived, Some(node)) => _ = journeys.insert(journey, Some((node, decision.at))),
            (What::Ended { .. }, _) => _ = journeys.insert(journey, None),
            _ => {}
        }
    }
    journeys.into_values().flatten().map(|(node, since)| (node.clone(), since)).collect()
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
