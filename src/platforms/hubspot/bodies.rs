//! The workflows that a flow becomes, with what an import kept of them.

use serde_json::{Map, Value as Json};

use super::{
    Group, groups,
    keep::{self, Piece},
    workflow,
};
use crate::{
    audience::Condition,
    base::{Diagnostic, NodeId, Place},
    flow::{Flow, Target, Workspace},
    kinds::{Alternative, Settings},
    platforms::{Notes, kept::KeptPlaces, obstacles, plan::Plan},
};

/// A workflow as it is created.
pub(super) struct Workflow {
    pub body: Json,
    /// The step that each action stands for.
    pub origins: Vec<Option<NodeId>>,
    /// Where it holds what an import kept.
    pub kept: KeptPlaces,
    /// What starts it, for people.
    pub what: String,
}

/// The workflows of a flow, without its e-mails. Errors: what keeps it from being exported.
pub(super) fn workflows(
    flow: &Flow,
    workspace: &Workspace,
    notes: &mut Notes,
) -> Result<Vec<Workflow>, Vec<Diagnostic>> {
    let obstacles = obstacles(flow, Target::Hubspot);
    if !obstacles.is_empty() {
        return Err(obstacles);
    }
    Ok(bodies(&Plan::new(flow), workspace, notes))
}

pub(super) fn bodies(plan: &Plan<'_>, workspace: &Workspace, notes: &mut Notes) -> Vec<Workflow> {
    let enrolment = kept_piece(Piece::Enrolment, plan, workspace, notes);
    let mut groups: Vec<Group<'_>> = groups(plan);
    if enrolment.is_some() && groups.len() > 1 {
        // It was one workflow, whatever lets contacts in.
        let rest: Vec<&Alternative> = groups.drain(1..).flat_map(|group| group.alternatives).collect();
        groups[0].alternatives.extend(rest);
    }
    let many = groups.len() > 1;
    let mut out = Vec::new();
    for (n, group) in groups.iter().enumerate() {
        let name = if many { format!("{} ({})", plan.flow.name, n + 1) } else { plan.flow.name.clone() };
        out.push(workflow(plan, workspace, (group, many), &name, enrolment.as_ref(), notes));
    }
    out
}

/// What an import kept for a piece of the workflow, as long as what it stands for was not edited.
pub(super) fn kept_piece(
    piece: Piece,
    plan: &Plan<'_>,
    workspace: &Workspace,
    notes: &mut Notes,
) -> Option<Map<String, Json>> {
    match keep::piece(piece, plan.flow, &plan.settings, workspace)? {
        Ok(keys) => Some(keys),
        Err(()) => {
            notes.approximate(
                "hubspot/kept-dropped",
                Place::default().with_field("settings"),
                format!(
                    "What HubSpot said in {} and the flow does not is gone, since it was edited",
                    piece.keys().join(", ")
                ),
                "Look at it in HubSpot, or import the workflow again",
            );
            None
        }
    }
}

/// The segment whose members enter, where leaving it is all that ends the flow.
pub(super) fn leaves_segment<'a>(plan: &'a Plan<'_>) -> Option<&'a str> {
    let Some(Settings::Trigger(trigger)) = plan.flow.trigger()?.settings() else { return None };
    let [Alternative::Segment(trigger)] = trigger.any.as_slice() else { return None };
    let outside = Condition::Not(Box::new(Condition::InSegment(trigger.segment.clone())));
    let exits = plan.settings.exit_when.as_ref()?;
    (!trigger.leaves && *exits.condition() == outside).then_some(trigger.segment.as_str())
}
