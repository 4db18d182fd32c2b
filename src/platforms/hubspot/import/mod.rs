//! HubSpot workflows as flows: the inverse of the export, and more, since other people's workflows say more.
//!
//! The one idea: a step counts as understood only if what the exporter would write for it is what was read. Where it is
//! not (an extra key, another unit, an older form), the JSON is kept with the step and goes back for as long as the
//! step is not edited ([`keep`](super::keep)). What has no kind at all is a foreign step that holds its JSON. Nothing
//! is dropped without a remark. Source of every shape: references, HubSpot 2 to 8 and 16.

mod abandonment;
mod actions;
mod enrolment;
mod envelope;
mod filters;
mod messages;
mod names;
mod operations;
mod report;
mod settings;
mod spot;
mod steps;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    keep::{self, Piece},
    links::{free, word},
};
use crate::{
    audience::{Channel, Condition, ConditionText},
    base::{Diagnostic, FlowId, NodeId, Place},
    flow::{Edge, Edit, Flow, FlowSettings, KeptJson, Node, RequiredConsent, Target},
    kinds::{NEXT, Settings, Trigger, ron_options},
    platforms::{
        Notes,
        import::{Given, Imported, RemarkKind, Taken},
        plan::Plan,
    },
};
use messages::Messages;
use names::{Names, clean};
use report::Report;
use serde_json::Value as Json;
use spot::{Spot, Unread};

/// The trigger node.
const START: &str = "start";

/// Reads workflows.
pub(in crate::platforms) fn import(given: &Given<'_>) -> Result<Vec<Imported>, Vec<Diagnostic>> {
    let json = given.json.trim_start_matches('\u{feff}');
    let document: Json = serde_json::from_str(json).map_err(|error| {
        vec![
            Diagnostic::error("import/json", Place::default(), format!("/: this is no JSON that can be read: {error}"))
                .hint("Copy the whole answer, from the first brace to the last"),
        ]
    })?;
    let mut out: Vec<Imported> = Vec::new();
    let mut refused = Vec::new();
    let mut taken = Taken::default();
    for flow in envelope::flows(&document)? {
        match envelope::obstacle(&flow) {
            Some(obstacle) => refused.push((flow.at, obstacle)),
            None => out.push(one(&flow, given, &mut taken)),
        }
    }
    let Some(first) = out.first_mut() else { return Err(refused.into_iter().map(|(_, obstacle)| obstacle).collect()) };
    let mut report = Report::default();
    for (at, obstacle) in refused {
        report.lost("hubspot/other-flow", &at, None, obstacle.message, obstacle.hint);
    }
    first.report.append(&mut report.remarks);
    Ok(out)
}

/// A condition as a flow holds it.
trait Texts {
    /// Its text. Errors: where the text would not say the same, such as one that is too long.
    fn text(&self, at: &Spot<'_>) -> Result<ConditionText, Unread>;
}

impl Texts for Condition {
    fn text(&self, at: &Spot<'_>) -> Result<ConditionText, Unread> {
        let text = ConditionText::from(self);
        if !text.parsed().errors.is_empty() || *text.condition() != self.normal_form() {
            return Err(at.unread("the condition has no form here, it is too long or too deep"));
        }
        Ok(text)
    }
}

/// JSON as a flow file holds it.
fn pretty(json: &Json) -> String {
    // Writing a value that was read cannot fail.
    serde_json::to_string_pretty(json).unwrap_or_default()
}

/// One workflow.
fn one(given_flow: &Spot<'_>, given: &Given<'_>, taken: &mut Taken) -> Imported {
    let modern = envelope::modern(given_flow.json);
    let flow = Spot::new(modern.as_ref(), given_flow.at.clone());
    abandonment::one(&flow, given, taken).unwrap_or_else(|| plain(&flow, given, taken))
}

/// One workflow, action by action.
fn plain(flow: &Spot<'_>, given: &Given<'_>, taken: &mut Taken) -> Imported {
    let mut report = Report::default();
    let mut names = Names::new(given.names);
    let id = flow.id("id").unwrap_or_default();
    let name = clean(flow.word("name"));
    let name = if name.is_empty() { format!("Workflow {id}").trim().to_owned() } else { name };
    let mut messages = Messages::new(given.templates, &name);
    let flow_id = free(taken, &word(&name.to_lowercase(), "workflow"));
    if !id.is_empty() {
        names.remember("flow", &flow_id, &id);
    }
    let start = NodeId::from(START);
    settings::of_the_account(flow, &mut report, &start);
    let mut settings = FlowSettings {
        // HubSpot writes to whoever has not unsubscribed. Source: references, HubSpot 14.
        consent: vec![RequiredConsent::NotUnsubscribed(Channel::Email)],
        target: Some(Target::Hubspot),
        ..FlowSettings::default()
    };
    let entered = enrolment::enrolment(flow, &name, &mut names, &mut report);
    settings.reentry = entered.reentry;
    settings.exit_when = entered.exit_when.as_ref().map(ConditionText::from);
    settings::goal(flow, &mut names, &mut settings, &mut report);
    settings::windows(flow, &mut settings, &mut report);
    let steps = steps::steps(flow, &flow_id, &mut names, &mut messages, &mut settings, &mut report);

    let mut out = Flow::new(FlowId::from(flow_id.as_str()), &name);
    let trigger = Settings::Trigger(Trigger { any: entered.alternatives });
    out.nodes.push(Arc::new(Node::new(START, "trigger", &trigger.to_ron())));
    out.nodes.extend(steps.nodes.iter().map(|step| Arc::clone(&step.node)));
    if let Some(first) = &steps.first {
        out.edges.push(Edge::new(start.clone(), NEXT, first.clone()));
    }
    out.edges.extend(steps.edges);
    messages.finish(&mut out, &mut settings, &mut report);
    out = with_settings(&out, &settings);
    loops_and_islands(&out, &steps.nodes, &mut report);
    keep_what_differs(&mut out, &mut settings, flow, &steps.nodes, &names, &mut report);
    for at in &names.from_today {
        report.guessed(
            "hubspot/from-today",
            at,
            None,
            "HubSpot counts whole days from today, the flow from the very moment; they are up to 24 h apart",
            "Look at the condition where hours matter",
        );
    }
    for key in &names.unnamed {
        let (kind, id) = key.split_once(':').unwrap_or((key, ""));
        report.guessed(
            "hubspot/unnamed",
            &flow.at,
            None,
            format!("The name of {kind} `{}` is not known, so its id stands in the flow", spot::short(id)),
            "Read the account's names, or give the event or list a name in the workspace",
        );
    }
    Imported { flow: out, workspace: names.workspace, report: report.remarks }
}

/// Says what an export will leave out: ways back, and steps that nothing leads to.
fn loops_and_islands(flow: &Flow, steps: &[steps::Step<'_>], report: &mut Report) {
    let plan = Plan::new(flow);
    let pointers: BTreeMap<&NodeId, &str> = steps.iter().map(|step| (&step.node.id, step.at.as_str())).collect();
    for (from, _, to) in &plan.cut {
        report.lost(
            "hubspot/loop",
            pointers.get(from).copied().unwrap_or_default(),
            Some(from),
            format!("The way back to step `{to}` closes a loop; it is drawn, but an export cuts it"),
            "Draw the repeated steps as often as they are needed",
        );
    }
    let reached: BTreeSet<&NodeId> = plan.steps.iter().map(|step| &step.node.id).collect();
    for step in steps.iter().filter(|step| !reached.contains(&step.node.id)) {
        report.lost(
            "hubspot/unreachable",
            &step.at,
            Some(&step.node.id),
            "Nothing leads to this action; it is drawn, but an export leaves it out",
            "Connect the step, or take it out",
        );
    }
}

/// Writes settings into a flow, only those that are not the default.
fn with_settings(flow: &Flow, settings: &FlowSettings) -> Flow {
    fn ron<T: serde::Serialize + PartialEq>(value: &T, default: &T) -> Option<String> {
        (value != default).then(|| ron_options().to_string(value).ok()).flatten()
    }
    let d = FlowSettings::default();
    let text = |text: &Option<ConditionText>| text.as_ref().and_then(|text| ron_options().to_string(text).ok());
    let fields = [
        ("reentry", ron(&settings.reentry, &d.reentry)),
        ("exit_when", text(&settings.exit_when)),
        ("goal_when", text(&settings.goal_when)),
        ("consent", ron(&settings.consent, &d.consent)),
        ("constants", ron(&settings.constants, &d.constants)),
        ("quiet_hours", settings.quiet_hours.and_then(|window| ron_options().to_string(&window).ok())),
        ("target", settings.target.and_then(|target| ron_options().to_string(&target).ok())),
        ("kept", ron(&settings.kept, &d.kept)),
    ];
    let mut out = flow.clone();
    for (field, value) in fields {
        let edit = Edit::SetFlowField { field: field.into(), value };
        // The values were written by the same code that reads them.
        if let Ok(next) = out.apply(&edit) {
            out = next;
        }
    }
    out
}

/// Holds what the exporter would write against what was read, and keeps the JSON wherever they differ.
fn keep_what_differs(
    flow: &mut Flow,
    settings: &mut FlowSettings,
    read: &Spot<'_>,
    steps: &[steps::Step<'_>],
    names: &Names<'_>,
    report: &mut Report,
) {
    let workspace = &names.workspace;
    let mut notes = Notes::default();
    let written = super::workflows(flow, workspace, &mut notes).unwrap_or_default();
    let (body, origins) = match written.as_slice() {
        [one] => (one.body.clone(), one.origins.clone()),
        // Several workflows, or none: nothing of it can be trusted.
        other => {
            report.guessed(
                "import/unproven",
                &read.at,
                None,
                match other.len() {
                    0 => "The flow cannot be exported as it is, so nothing of it was compared with what came, and all JSON is kept".into(),
                    n => format!("An export would write {n} workflows for this one, so nothing of it was compared with what came, and all JSON is kept"),
                },
                "Run `flowloom check` on it, and compare it with HubSpot before it goes back",
            );
            (Json::Null, Vec::new())
        }
    };
    let actions = body["actions"].as_array().cloned().unwrap_or_default();
    let mut kept: Vec<KeptJson> = Vec::new();
    let is_read: BTreeSet<String> = steps
        .iter()
        .flat_map(|step| step.actions.iter().map(move |action| (step, action)))
        .flat_map(|(step, action)| {
            let own: Vec<&str> = step.actions.iter().filter_map(|a| a["actionId"].as_str()).collect();
            super::links::reads(action).into_iter().filter(move |id| !own.contains(&id.as_str())).collect::<Vec<_>>()
        })
        .collect();
    let mut by_step: BTreeMap<&NodeId, Vec<Json>> = BTreeMap::new();
    for (action, origin) in actions.iter().zip(&origins) {
        if let Some(origin) = origin {
            by_step.entry(origin).or_default().push(bare(action));
        }
    }
    for step in steps.iter().filter(|step| !matches!(step.node.settings(), Some(Settings::Foreign(_)))) {
        let ours = by_step.remove(&step.node.id).unwrap_or_default();
        let theirs: Vec<Json> = step.actions.iter().map(bare).collect();
        let same = theirs.len() == ours.len() && theirs.iter().zip(&ours).all(|(a, b)| keep::same(a, b));
        let named = step.actions.iter().any(|a| a["actionId"].as_str().is_some_and(|id| is_read.contains(id)));
        if same && !named {
            continue;
        }
        kept.extend(keep::keep_actions(&step.node, &step.actions));
        if same {
            continue;
        }
        let parts = keep::differences(&theirs, &ours);
        let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
        report.add(
            RemarkKind::Kept,
            "hubspot/kept-action",
            &step.at,
            Some(&step.node.id),
            format!("The action says more, or says it otherwise, than the step does{parts}; its JSON is kept"),
            report::UNTIL_EDITED,
        );
    }
    for piece in Piece::ALL {
        let mut keys = serde_json::Map::new();
        let mut same = true;
        for key in piece.keys() {
            let (theirs, ours) = (&read.json[*key], &body[*key]);
            if theirs.is_null() && (ours.is_null() || keep::is_empty(ours)) {
                continue;
            }
            same &= keep::same(theirs, ours);
            if !theirs.is_null() {
                keys.insert((*key).to_owned(), theirs.clone());
            }
        }
        if same || keys.is_empty() {
            continue;
        }
        let at = keys.keys().next().map_or_else(|| read.at.clone(), |key| read.get(key).at);
        kept.extend(keep::keep_piece(piece, keys, flow, settings, workspace));
        report.add(
            RemarkKind::Kept,
            "hubspot/kept-setting",
            &at,
            Some(&NodeId::from(START)),
            "HubSpot says this otherwise than the flow does; its JSON is kept",
            "It is written back to HubSpot for as long as what it became is not edited",
        );
    }
    let patch = settings::rest(read, &body, report);
    if !patch.is_empty() {
        let patch = Json::Object(patch).to_string();
        kept.push(KeptJson { origin: crate::content::Origin::Hubspot, node: None, patch });
    }
    if !kept.is_empty() {
        settings.kept = kept;
        *flow = with_settings(flow, settings);
    }
}

/// An action without what the graph says: its number and where its links lead.
fn bare(action: &Json) -> Json {
    let mut out = action.clone();
    for link in super::links::outs(action) {
        if let Some(found) = link.link(action) {
            let edge_type = found.get("edgeType").cloned().unwrap_or_else(|| "STANDARD".into());
            link.set(&mut out, Some(serde_json::json!({"edgeType": edge_type})));
        } else {
            link.set(&mut out, None);
        }
    }
    if let Json::Object(map) = &mut out {
        map.remove("actionId");
        if let Some(Json::Object(input)) = map.get_mut("inputValue") {
            input.remove("actionId");
        }
    }
    out
}
