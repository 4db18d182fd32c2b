//! The actions as a graph: one step for each, edges where their links lead, remarks on links that lead nowhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value as Json;

use super::{
    actions::{Made, Reader, action_name},
    messages::Messages,
    names::Names,
    report::Report,
    spot::{Spot, Unread, short},
};
use crate::{
    base::NodeId,
    content::Origin,
    flow::{Edge, FlowSettings, Node},
    kinds::{Foreign, Settings, actions::webhook},
    platforms::{
        hubspot::links::{foreign_ports, free, links, outs, word},
        import::Taken,
    },
};

/// A step and the actions that it was made of.
pub(super) struct Step<'a> {
    pub node: Arc<Node>,
    pub actions: Vec<Json>,
    pub at: String,
    spots: Vec<Spot<'a>>,
}

/// The graph.
pub(super) struct Steps<'a> {
    pub nodes: Vec<Step<'a>>,
    pub edges: Vec<Edge>,
    pub first: Option<NodeId>,
}

/// Reads the actions of a workflow.
pub(super) fn steps<'a, 'g>(
    flow: &Spot<'a>,
    flow_id: &str,
    names: &mut Names<'g>,
    messages: &mut Messages<'g>,
    settings: &mut FlowSettings,
    report: &mut Report,
) -> Steps<'a> {
    let actions = listed(flow, report);
    let by_id = by_id(&actions, report);
    let start = start(flow, &actions, &by_id, report);
    let waits = waits(&actions, &by_id, start);
    let branches: BTreeSet<usize> = waits.values().copied().collect();

    // Conditions say what properties hold, which fixed values are then read by; so branches come first.
    let mut made: BTreeMap<usize, Result<Made, Unread>> = BTreeMap::new();
    let mut reader = Reader { names, messages, settings, flow_id };
    let is_branch = |n: &usize| actions[*n].word("type").ends_with("_BRANCH");
    let (asking, doing): (Vec<usize>, Vec<usize>) = (0..actions.len()).partition(is_branch);
    for n in asking.into_iter().chain(doing).filter(|n| !branches.contains(n)) {
        let branch = waits.get(&n).map(|branch| &actions[*branch]);
        made.insert(n, reader.action(&actions[n], branch));
    }
    // A wait that is not understood stands alone, and so does its branch.
    for (wait, branch) in &waits {
        if matches!(made.get(wait), Some(Err(_))) {
            made.insert(*branch, Err(actions[*branch].get("inputValue").unread("it reads how a foreign step ended")));
        }
    }

    let mut taken = Taken::of(&[super::START]);
    let mut nodes: Vec<Step<'a>> = Vec::new();
    let mut node_of: BTreeMap<usize, usize> = BTreeMap::new();
    for n in order(&actions, &by_id, start) {
        let Some(made) = made.remove(&n) else { continue };
        let branch = waits.get(&n).copied().filter(|_| made.is_ok());
        let spots: Vec<Spot<'a>> = [Some(n), branch].into_iter().flatten().map(|n| actions[n].clone()).collect();
        let id = free(&mut taken, &format!("a{}", word(&actions[n].id("actionId").unwrap_or_default(), "ction")));
        let step = step(&id, made, spots, report);
        for n in [Some(n), branch].into_iter().flatten() {
            node_of.insert(n, nodes.len());
        }
        nodes.push(step);
    }

    let mut edges = Vec::new();
    for step in &nodes {
        let Some(settings) = step.node.settings() else { continue };
        for (port, k, out) in links(settings, &step.actions).unwrap_or_default() {
            let Some(link) = out.link(&step.actions[k]) else { continue };
            let spot = Spot::new(link, format!("{}{}", step.spots[k].at, out.pointer()));
            let target = spot.id("nextActionId").ok().and_then(|id| by_id.get(&id)).and_then(|n| node_of.get(n));
            let Some(target) = target else {
                report.lost(
                    "hubspot/dangling",
                    &spot.at,
                    Some(&step.node.id),
                    format!(
                        "The way leads to action `{}`, which does not exist",
                        short(&spot.id("nextActionId").unwrap_or_default())
                    ),
                    "Lead it to a step, or leave it open: the journey ends there",
                );
                continue;
            };
            let to = &nodes[*target].node.id;
            if port == webhook::DONE && matches!(settings, Settings::Webhook(_)) {
                edges.push(Edge::new(step.node.id.clone(), webhook::FAILED, to.clone()));
            }
            edges.push(Edge::new(step.node.id.clone(), &port, to.clone()));
        }
    }
    let first = start.and_then(|n| node_of.get(&n)).map(|n| nodes[*n].node.id.clone());
    Steps { nodes, edges, first }
}

/// Actions that are objects.
fn listed<'a>(flow: &Spot<'a>, report: &mut Report) -> Vec<Spot<'a>> {
    let (actions, others): (Vec<_>, Vec<_>) = flow.get("actions").items().partition(|action| action.json.is_object());
    for other in others {
        report.lost(
            "hubspot/no-action",
            &other.at,
            None,
            format!("This is no action: {}", short(&other.json.to_string())),
            "Read the workflow again from HubSpot",
        );
    }
    actions
}

/// Actions by id; the first of two that share one.
fn by_id(actions: &[Spot<'_>], report: &mut Report) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for (n, action) in actions.iter().enumerate() {
        let Ok(id) = action.id("actionId") else {
            report.guessed(
                "hubspot/no-id",
                &action.at,
                None,
                "The action has no id, so nothing can lead to it",
                "Connect the step by hand where it belongs",
            );
            continue;
        };
        if out.contains_key(&id) {
            report.guessed(
                "hubspot/duplicate-id",
                &action.get("actionId").at,
                None,
                format!("Another action has the id `{}` too; what leads there leads to the first of them", short(&id)),
                "Connect the second step by hand where it belongs",
            );
            continue;
        }
        out.insert(id, n);
    }
    out
}

/// Where contacts begin.
fn start(flow: &Spot<'_>, actions: &[Spot<'_>], by_id: &BTreeMap<String, usize>, report: &mut Report) -> Option<usize> {
    let start = flow.get("startActionId");
    if let Some(found) = start.as_id().and_then(|id| by_id.get(&id)) {
        return Some(*found);
    }
    if actions.is_empty() {
        return None;
    }
    let led_to: BTreeSet<usize> = (0..actions.len()).flat_map(|n| targets(actions, by_id, n)).collect();
    let guess = (0..actions.len()).find(|n| !led_to.contains(n)).unwrap_or(0);
    report.guessed(
        "hubspot/no-start",
        &start.at,
        None,
        "The workflow does not say with which action it begins; the first that nothing leads to is taken",
        "Compare the beginning with HubSpot",
    );
    Some(guess)
}

/// Where the links of an action lead, in their order.
fn targets(actions: &[Spot<'_>], by_id: &BTreeMap<String, usize>, n: usize) -> Vec<usize> {
    let action = &actions[n];
    let links = outs(action.json).into_iter().filter_map(|out| out.link(action.json));
    links.filter_map(|link| by_id.get(&Spot::new(link, "").id("nextActionId").ok()?).copied()).collect()
}

/// Waits for an event with the branch that tells how they ended, where nothing else leads to that branch.
fn waits(actions: &[Spot<'_>], by_id: &BTreeMap<String, usize>, start: Option<usize>) -> BTreeMap<usize, usize> {
    let mut led_to: BTreeMap<usize, usize> = start.into_iter().map(|n| (n, 1)).collect();
    for n in 0..actions.len() {
        for to in targets(actions, by_id, n) {
            *led_to.entry(to).or_default() += 1;
        }
    }
    let mut out = BTreeMap::new();
    for (n, wait) in actions.iter().enumerate().filter(|(_, action)| action.word("actionTypeId") == "0-29") {
        let [branch] = targets(actions, by_id, n)[..] else { continue };
        let (spot, input) = (&actions[branch], actions[branch].get("inputValue"));
        let values: Vec<&str> = spot
            .get("staticBranches")
            .items()
            .map(|arm| arm.json["branchValue"].as_str().unwrap_or_default())
            .collect();
        let is_told = match values.as_slice() {
            ["true"] => true,
            ["true", "false"] => spot.has("defaultBranch").is_none(),
            _ => false,
        };
        let reads_it = input.word("type") == "FIELD_DATA"
            && input.word("dataKey") == "hs_event_criteria_met"
            && input.id("actionId").ok() == wait.id("actionId").ok();
        if spot.word("type") == "STATIC_BRANCH" && is_told && reads_it && branch != n && led_to.get(&branch) == Some(&1)
        {
            out.insert(n, branch);
        }
    }
    out
}

/// Actions in the order in which a contact meets them, then those that nothing leads to.
fn order(actions: &[Spot<'_>], by_id: &BTreeMap<String, usize>, start: Option<usize>) -> Vec<usize> {
    let mut seen = vec![false; actions.len()];
    let mut out = Vec::with_capacity(actions.len());
    for first in start.into_iter().chain(0..actions.len()) {
        let mut stack = vec![first];
        while let Some(n) = stack.pop() {
            if !std::mem::replace(&mut seen[n], true) {
                out.push(n);
                stack.extend(targets(actions, by_id, n).into_iter().rev());
            }
        }
    }
    out
}

/// A step of what an action became; a foreign one where it became nothing.
fn step<'a>(id: &str, made: Result<Made, Unread>, spots: Vec<Spot<'a>>, report: &mut Report) -> Step<'a> {
    let mut actions: Vec<Json> = spots.iter().map(|spot| spot.json.clone()).collect();
    let at = spots.first().map(|spot| spot.at.clone()).unwrap_or_default();
    let node_id = NodeId::from(id);
    let unread = match made {
        Ok(made) => {
            let mut node = Node::new(id, made.settings.spec().name, &made.settings.to_ron());
            node.title = made.title;
            // What cannot be written and read again, or does not fit its links, is no step that could be trusted.
            if node.settings() == Some(&made.settings) && links(&made.settings, &actions).is_some() {
                match made.guess {
                    Some((code, what, remedy)) => report.guessed(code, &at, Some(&node_id), what, remedy),
                    None => {
                        let what = format!("{}: {}", made.settings.spec().title, made.settings.summary());
                        report.understood("hubspot/step", &at, Some(&node_id), what);
                    }
                }
                return Step { node: Arc::new(node), actions, at, spots };
            }
            Unread { at: at.clone(), why: "its settings cannot be written down".to_owned() }
        }
        Err(unread) => unread,
    };
    actions.truncate(1);
    let action = actions.first().cloned().unwrap_or_default();
    let foreign = Settings::Foreign(Foreign {
        origin: Origin::Hubspot,
        action: action_name(&action),
        ports: foreign_ports(&action),
        json: super::pretty(&action),
    });
    report.kept("hubspot/foreign-step", Some(&node_id), "The action is a locked step that keeps its JSON", &unread);
    let node = Node::new(id, foreign.spec().name, &foreign.to_ron());
    Step { node: Arc::new(node), actions, at, spots }
}
