//! "A, and then no B for so long", in the very form in which exports write it.
//!
//! The one idea: the wait that begins such a workflow is taken out, what is left is read as any other workflow, and the
//! trigger becomes an abandonment. It counts only if writing that flow gives the very workflow that was read; else the
//! workflow is an event and a wait, as somebody else may have meant it.

use serde_json::Value as Json;

use super::{
    Texts, actions,
    filters::{self, group},
    names::Names,
    plain,
    spot::Spot,
    with_settings,
};
use crate::{
    audience::{Condition, condition::EventQuery},
    base::Span,
    flow::{Node, Workspace},
    kinds::{
        Alternative, Settings, Trigger,
        triggers::{
            EventMatch,
            abandonment::{Abandonment, Again},
        },
    },
    platforms::{
        Notes,
        hubspot::{keep, links::outs, workflows},
        import::{Given, Imported, Taken},
    },
};
use std::{collections::BTreeSet, sync::Arc};

/// What of a workflow must come out the same.
const PROVEN: [&str; 5] = ["actions", "startActionId", "enrollmentCriteria", "goalFilterBranch", "timeWindows"];

/// A workflow of ours that waits for B first; `None` where it is not exactly that.
pub(super) fn one(read: &Spot<'_>, given: &Given<'_>, taken: &mut Taken) -> Option<Imported> {
    let actions = read.get("actions").items().collect::<Vec<_>>();
    let at = |id: &str| actions.iter().position(|action| action.id("actionId").is_ok_and(|own| own == id));
    let wait = at(&read.id("startActionId").ok()?)?;
    if actions[wait].word("actionTypeId") != "0-29" {
        return None;
    }
    let branch = at(&actions[wait].get("connection").id("nextActionId").ok()?)?;
    let first = actions[branch].get("defaultBranch").id("nextActionId").ok()?;
    let is_end = actions[branch].get("staticBranches").items().all(|arm| arm.has("connection").is_none());
    if branch == wait || actions[branch].word("type") != "STATIC_BRANCH" || !is_end {
        return None;
    }
    // What is left without the wait.
    let mut rest = read.json.clone();
    let list = rest.get_mut("actions").and_then(Json::as_array_mut)?;
    let mut cut = [wait, branch];
    cut.sort_unstable();
    list.remove(cut[1]);
    list.remove(cut[0]);
    let ids: BTreeSet<String> =
        list.iter().filter_map(|action| Some(action.get("actionId")?.as_str()?.into())).collect();
    let leads_out = |action: &Json| {
        let to = outs(action)
            .into_iter()
            .filter_map(|out| out.link(action)?.get("nextActionId")?.as_str().map(str::to_owned));
        to.into_iter().any(|id| !ids.contains(&id))
    };
    if list.iter().any(leads_out) {
        return None;
    }
    rest["startActionId"] = first.into();
    if let Json::Object(map) = &mut rest {
        map.remove("goalFilterBranch");
    }
    let mut known = taken.clone();
    let mut imported = plain(&Spot::new(&rest, read.at.clone()), given, &mut known);
    let mut names = Names::new(given.names);
    let trigger = abandonment(&imported, &actions[wait].get("fields"), &mut names)?;
    let goal = rest_of_goal(&read.get("goalFilterBranch"), &trigger, &mut names)?;
    let Workspace { events, properties, .. } = names.workspace;
    imported.workspace.hubspot.ids.extend(names.workspace.hubspot.ids);
    for event in events {
        if imported.workspace.event(&event.name).is_none() {
            imported.workspace.events.push(event);
        }
    }
    for (name, kind) in properties {
        imported.workspace.properties.entry(name).or_insert(kind);
    }

    let alternative = Alternative::Abandonment(trigger);
    let said = format!("Starts by {}", alternative.summary());
    let node = imported.flow.nodes.iter_mut().find(|node| node.kind == "trigger")?;
    let settings = Settings::Trigger(Trigger { any: vec![alternative] });
    *node = Arc::new(Node::new(node.id.clone(), "trigger", &settings.to_ron()));
    if let Some(goal) = goal {
        let mut settings = imported.flow.settings();
        settings.goal_when = Some(goal.text(&read.get("goalFilterBranch")).ok()?);
        imported.flow = with_settings(&imported.flow, &settings);
    }
    let written = workflows(&imported.flow, &imported.workspace, &mut Notes::default()).ok()?;
    let [written] = written.as_slice() else { return None };
    if PROVEN.iter().any(|key| !keep::same(&read.json[*key], &written.body[*key])) {
        return None;
    }
    for remark in &mut imported.report {
        if remark.code == "hubspot/enrolment" {
            remark.message.clone_from(&said);
        }
        // Places in what was read, not in what was left of it.
        let prefix = format!("{}/actions/", read.at);
        let Some(rest) = remark.pointer.strip_prefix(&prefix) else { continue };
        let (number, deeper) = rest.split_once('/').map_or((rest, String::new()), |(n, rest)| (n, format!("/{rest}")));
        let Ok(number) = number.parse::<usize>() else { continue };
        let number = cut.iter().fold(number, |n, cut| if n >= *cut { n + 1 } else { n });
        remark.pointer = format!("{prefix}{number}{deeper}");
    }
    *taken = known;
    Some(imported)
}

/// The trigger: the event that lets contacts in, and what the wait waits for.
fn abandonment(imported: &Imported, fields: &Spot<'_>, names: &mut Names<'_>) -> Option<Abandonment> {
    let Some(Settings::Trigger(Trigger { any })) = imported.flow.trigger()?.settings() else { return None };
    let [Alternative::Event(start)] = any.as_slice() else { return None };
    let (events, after) = actions::awaited(fields, names).ok()?;
    let mut unless = Vec::new();
    for (event, cases) in events {
        let filter = cases.map(|cases| group(false, cases).text(fields));
        unless.push(EventMatch { event, filter: filter.transpose().ok()? });
    }
    Some(Abandonment {
        start: start.event.clone(),
        filter: start.filter.clone(),
        unless,
        after,
        // A contact who is inside does not enter again, so another A changes nothing.
        again: Again::Keep,
        grace: Span::seconds(60),
    })
}

/// The goal without the events that end an abandonment anyway. `None` where it cannot be read.
fn rest_of_goal(goal: &Spot<'_>, trigger: &Abandonment, names: &mut Names<'_>) -> Option<Option<Condition>> {
    if goal.json.is_null() {
        return Some(None);
    }
    let parts = match filters::condition(goal, names).ok()? {
        Condition::Any(parts) => parts,
        one => vec![one],
    };
    let is_exit = |part: &Condition| {
        matches!(part, Condition::Events(EventQuery { metric, .. })
            if trigger.unless.iter().any(|unless| unless.event == *metric))
    };
    let rest: Vec<Condition> = parts.into_iter().filter(|part| !is_exit(part)).collect();
    Some((!rest.is_empty()).then(|| group(false, rest)))
}
