//! What an import kept of HubSpot's JSON, and when it still counts.
//!
//! The one idea: what is kept stands for settings as they were imported. It carries a fingerprint of them; once
//! somebody edits them, the edit counts and not the JSON, and a loss says what no longer goes back. Kept pieces lie in
//! the flow's settings ([`KeptJson`](crate::flow::KeptJson)): for a step the patch holds its `actions`, for the trigger
//! the keys of the workflow that its settings and the flow's stand for; what stands for nothing is a plain merge patch.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::{
    body::{Body, To},
    links::{self, Out},
};
use crate::{
    base::Place,
    content::Origin,
    flow::{Flow, FlowSettings, KeptJson, Node, Target, Workspace},
    kinds::{Alternative, Settings, Wait},
    platforms::{
        kept::{self, Leeway},
        languages,
        plan::{Elapsed, Step},
    },
};

/// Names settings: 16 hexadecimal digits of XXH3-64 over their JSON.
pub(super) fn fingerprint(of: &impl Serialize) -> String {
    // Settings are plain trees, which JSON can always write.
    let text = serde_json::to_string(of).unwrap_or_default();
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
}

/// Keys of a workflow that settings stand for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// Who enters: `enrollmentCriteria`, `enrollmentSchedule`.
    Enrolment,
    /// Who leaves: `goalFilterBranch`.
    Goal,
    /// When: `timeWindows`.
    Windows,
}

impl Piece {
    pub const ALL: [Self; 3] = [Self::Enrolment, Self::Goal, Self::Windows];

    pub fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Enrolment => &["enrollmentCriteria", "enrollmentSchedule"],
            Self::Goal => &["goalFilterBranch"],
            Self::Windows => &["timeWindows"],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Enrolment => "enrolment",
            Self::Goal => "goal",
            Self::Windows => "windows",
        }
    }

    /// Names what it stands for.
    pub fn stands_for(self, flow: &Flow, settings: &FlowSettings, workspace: &Workspace) -> String {
        match self {
            Self::Enrolment => {
                let trigger = flow.trigger().and_then(|node| node.settings());
                let segments: Vec<Option<&str>> = match trigger {
                    Some(Settings::Trigger(trigger)) => {
                        trigger.any.iter().map(|a| segment_text(a, workspace)).collect()
                    }
                    _ => Vec::new(),
                };
                fingerprint(&(trigger, &settings.reentry, segments))
            }
            Self::Goal => fingerprint(&(&settings.goal_when, &settings.exit_when)),
            Self::Windows => fingerprint(&settings.quiet_hours),
        }
    }
}

/// What a segment trigger asks.
fn segment_text<'w>(alternative: &Alternative, workspace: &'w Workspace) -> Option<&'w str> {
    match alternative {
        Alternative::Segment(trigger) => workspace.segments.get(&trigger.segment).map(|text| text.text()),
        _ => None,
    }
}

fn patches<'a>(settings: &'a FlowSettings, node: &'a Node) -> impl Iterator<Item = Json> + use<'a> {
    let own = settings.kept.iter().filter(|k| k.origin == Origin::Hubspot && k.node.as_ref() == Some(&node.id));
    own.filter_map(|kept| serde_json::from_str::<Json>(&kept.patch).ok())
}

/// The actions that an import kept for a step; `Err` where the step was edited since.
pub(super) fn actions(settings: &FlowSettings, node: &Node) -> Option<Result<Vec<Json>, ()>> {
    let patch = patches(settings, node).find(|patch| patch.get("actions").is_some())?;
    let actions = patch.get("actions")?.as_array()?.clone();
    let is_current = node.settings().is_some_and(|own| patch["stands_for"] == fingerprint(own));
    Some(if is_current && !actions.is_empty() { Ok(actions) } else { Err(()) })
}

/// The keys of the workflow that an import kept for a piece; `Err` where what it stood for was edited since.
pub(super) fn piece(
    piece: Piece,
    flow: &Flow,
    settings: &FlowSettings,
    workspace: &Workspace,
) -> Option<Result<Map<String, Json>, ()>> {
    let trigger = flow.trigger()?;
    let patch = patches(settings, trigger).find(|patch| patch["piece"] == piece.name())?;
    let keys = patch.get("keys")?.as_object()?.clone();
    let is_current = patch["stands_for"] == piece.stands_for(flow, settings, workspace);
    Some(if is_current { Ok(keys) } else { Err(()) })
}

/// Keeps the actions of a step.
pub(super) fn keep_actions(node: &Node, actions: &[Json]) -> Option<KeptJson> {
    let patch = json!({"stands_for": fingerprint(node.settings()?), "actions": actions});
    Some(KeptJson { origin: Origin::Hubspot, node: Some(node.id.clone()), patch: patch.to_string() })
}

/// Keeps keys of the workflow for a piece.
pub(super) fn keep_piece(
    piece: Piece,
    keys: Map<String, Json>,
    flow: &Flow,
    settings: &FlowSettings,
    workspace: &Workspace,
) -> Option<KeptJson> {
    let stands_for = piece.stands_for(flow, settings, workspace);
    let patch = json!({"piece": piece.name(), "stands_for": stands_for, "keys": keys});
    let node = flow.trigger()?.id.clone();
    Some(KeptJson { origin: Origin::Hubspot, node: Some(node), patch: patch.to_string() })
}

/// Whether JSON says the same, up to what HubSpot fills in where it is left out ([`is_default`]).
pub(super) fn same(read: &Json, written: &Json) -> bool {
    kept::same(read, written, Leeway { fills: is_default, drops: is_empty })
}

/// Whether it says nothing: an empty list or object, false, null.
pub(super) fn is_empty(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        Json::Bool(yes) => !yes,
        Json::Null => true,
        Json::Number(_) | Json::String(_) => false,
    }
}

/// Where two lists of actions differ: keys of the first level and of `fields`, at most four.
pub(super) fn differences(read: &[Json], written: &[Json]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let none = Json::Null;
    for (n, theirs) in read.iter().enumerate() {
        let ours = written.get(n).unwrap_or(&none);
        let Json::Object(map) = theirs else { continue };
        for (key, value) in map {
            let own = ours.get(key).unwrap_or(&none);
            if same(value, own) || own.is_null() && is_empty(value) {
                continue;
            }
            match (key.as_str(), value) {
                ("fields", Json::Object(fields)) => {
                    let other = fields.iter().filter(|(name, value)| !same(value, own.get(*name).unwrap_or(&none)));
                    out.extend(other.map(|(name, _)| name.clone()));
                }
                _ => out.push(key.clone()),
            }
        }
    }
    out.dedup();
    out.truncate(4);
    out.into_iter().map(|key| key.chars().filter(|c| !c.is_control()).take(40).collect()).collect()
}

/// What HubSpot fills in where a key is left out. Source: references, HubSpot 2 and 12, number 4.
fn is_default(key: &str, json: &Json) -> bool {
    match key {
        "filterBranchOperator" => json == "AND" || json == "OR",
        "actionTypeVersion" => json == 0,
        "edgeType" => json == "STANDARD",
        "flowType" => json == "WORKFLOW",
        "objectTypeId" => json == "0-1",
        "type" => json == "CONTACT_FLOW" || json == "TIME_POINT" || json == "TIME_RANGED",
        _ => is_empty(json),
    }
}

impl<'a> Body<'a, '_> {
    /// Writes a step as an import kept it: a foreign one of HubSpot, or one that was not edited since. `None` where it
    /// is to be written by its settings.
    pub fn kept(&mut self, step: &'a Step<'a>, here: Elapsed) -> Option<(To, Elapsed)> {
        let place = Place::node(&step.node.id);
        let actions = match step.settings {
            Settings::Foreign(foreign) if foreign.origin == Origin::Hubspot => {
                vec![serde_json::from_str(&foreign.json).ok().filter(Json::is_object)?]
            }
            Settings::Foreign(_) => return None,
            _ => match actions(&self.plan.settings, step.node)? {
                Ok(actions) => actions,
                Err(()) => {
                    self.notes.approximate(
                        "hubspot/kept-dropped",
                        place,
                        "What HubSpot said of this step and the step does not is gone, since the step was edited",
                        "Look at the step in HubSpot, or import the workflow again",
                    );
                    return None;
                }
            },
        };
        let links = links::links(step.settings, &actions)?;
        if let Settings::Email(email) = step.settings {
            let message = self.plan.flow.message(email.message.as_str())?;
            // Variants that came later are e-mails of their own.
            if languages::arms(Target::Hubspot, message, self.notes).len() > 1 {
                return None;
            }
        }
        let first = self.drafts.len();
        for (k, action) in actions.into_iter().enumerate() {
            let was = action["actionId"]
                .as_str()
                .map(str::to_owned)
                .or_else(|| action["actionId"].as_number().map(ToString::to_string));
            let mut outs: Vec<(Out, To)> = Vec::new();
            for (port, _, out) in links.iter().filter(|(_, action, _)| *action == k) {
                if !outs.iter().any(|(known, _)| known == out) {
                    outs.push((*out, self.to(step, port)));
                }
            }
            let inner = k == 0 && links.iter().all(|(_, action, _)| *action == 1);
            if inner {
                outs.push((Out::Connection, To::Draft(first + 1)));
            }
            let at = self.push(action, outs);
            self.drafts[at].was = was;
            self.drafts[at].is_kept = true;
        }
        let then = match step.settings {
            Settings::Delay(delay) => match delay.wait {
                Wait::For(span) if delay.window.is_none() => here.after_delay(delay, span).1,
                _ => here.vague(),
            },
            Settings::WaitForEvent(_) => here.vague(),
            _ => here,
        };
        Some((To::Draft(first), then))
    }
}
