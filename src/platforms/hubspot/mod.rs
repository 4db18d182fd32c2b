//! HubSpot: bodies for `POST /automation/v4/flows` and `POST /marketing/v3/emails`.
//!
//! Source: references, HubSpot. A workflow has one kind of enrolment, so alternatives that are events share a body and
//! every other one gets its own. Calling the API is `push` alone.

mod actions;
mod bodies;
mod body;
mod branches;
mod copies;
mod emails;
mod enrolment;
mod filters;
mod import;
mod keep;
mod links;
mod lints;
mod needed;
#[cfg(feature = "push")]
mod push;

use std::{cell::RefCell, collections::BTreeMap};

use serde_json::{Map, Value as Json, json};

pub(super) use import::import;
pub use lints::lint;
#[cfg(feature = "push")]
pub(in crate::platforms) use push::HubspotApi;

use bodies::{Workflow, bodies, kept_piece, leaves_segment, workflows};
use body::{Body, To, clock};
use enrolment::{Enrolment, enrolment, mark, may_enter};
use filters::Asker;
use keep::Piece;

use super::{
    Export, Notes, Platform, daily,
    folder::{About, Request},
    json_bytes,
    kept::{KeptPlaces, give_back},
    normal::{Literal, Names},
    obstacles,
    people::People,
    plan::Plan,
    shut_hours,
};
use crate::{
    audience::{
        Condition,
        condition::{Operand, Root},
    },
    base::{Diagnostic, Place, Span, TimeOfDay, Weekday, Weekdays, Window},
    content::Origin,
    flow::{Flow, Target, Workspace},
    kinds::{Alternative, Settings},
};

/// Most cases of a condition when multiplied out. Source: assumption; 250 filters are reported as the most in one
/// branch.
const MOST_TERMS: usize = 60;

/// The platform.
pub struct Hubspot;

/// Alternatives that share a workflow.
struct Group<'a> {
    place: Place,
    alternatives: Vec<&'a Alternative>,
}

impl Platform for Hubspot {
    fn export(&self, flow: &Flow, workspace: &Workspace, people: Option<People>) -> Result<Export, Vec<Diagnostic>> {
        let obstacles = obstacles(flow, Target::Hubspot);
        if !obstacles.is_empty() {
            return Err(obstacles);
        }
        let plan = Plan::new(flow);
        let mut notes = Notes::new(people);
        whole_flow_losses(&plan, workspace, &mut notes);
        notes.kept_elsewhere(Target::Hubspot, flow);
        let mut files = BTreeMap::new();
        let mut requests = emails::files(&plan, workspace, &mut files, &mut notes);
        let written = bodies(&plan, workspace, &mut notes);
        for (n, workflow) in written.iter().enumerate() {
            let file = if n == 0 { "flow.json".to_owned() } else { format!("flow-{}.json", n + 1) };
            for mut diagnostic in lints::lint_kept(&workflow.body, &workflow.kept) {
                diagnostic.message = format!("{file}: {}", diagnostic.message);
                notes.diagnostics.push(diagnostic);
            }
            files.insert(file.clone(), json_bytes(&workflow.body));
            requests.push(Request {
                file,
                method: "POST",
                path: workspace.hubspot.base_path.clone(),
                what: format!("the workflow, started by {}", workflow.what),
            });
        }
        if written.len() > 1 {
            notes.approximate(
                "hubspot/one-enrolment",
                plan.flow.trigger().map_or_else(Place::default, |node| Place::node(&node.id)),
                format!(
                    "A workflow has one kind of enrolment, so the flow is written {} times; {}",
                    written.len(),
                    if mark(&plan, true).is_some() {
                        "who was in one does not enter another before the re-entry rule allows it"
                    } else {
                        "a contact who meets two of them is in both, and gets each mail twice"
                    }
                ),
                "Put the first workflow's contacts on the second one's suppression list",
            );
        }
        copies::mailed_properties(&plan, &mut notes);
        let mut first = needed::files(&notes, workspace, &mut files);
        first.append(&mut requests);
        let requests = first;
        let about = About {
            target: Target::Hubspot,
            version: ("base_path", workspace.hubspot.base_path.clone()),
            flow,
            workspace,
            requests,
            order: vec![
                "Create the properties, custom events and lists that are missing: the first two have a body each in `properties/` and `events/`.".into(),
                "Create the e-mails, look at them, and publish each for automation; the workflow can only send published ones.".into(),
                "Create the workflow; it arrives switched off.".into(),
                "Open it in HubSpot, look at each step, and switch it on by hand.".into(),
            ],
        };
        notes.into_export(files, &about)
    }
}

/// Events whose filters are about the event alone, and lists, share one workflow; every other alternative has its own.
fn groups<'a>(plan: &Plan<'a>) -> Vec<Group<'a>> {
    let Some(node) = plan.flow.trigger() else { return Vec::new() };
    let Some(Settings::Trigger(trigger)) = node.settings() else { return Vec::new() };
    let mut out: Vec<Group<'a>> = Vec::new();
    let mut shared: Option<usize> = None;
    for (n, alternative) in trigger.any.iter().enumerate() {
        let place = Place::node(&node.id).with_field(format!("any.{n}"));
        let simple = match alternative {
            Alternative::Event(t) => t.filter.as_ref().is_none_or(|f| only_event(f.condition())),
            Alternative::List(_) => true,
            Alternative::Abandonment(_)
            | Alternative::Engagement(_)
            | Alternative::Score(_)
            | Alternative::Segment(_)
            | Alternative::Date(_)
            | Alternative::Inactivity(_)
            | Alternative::Foreign(_) => false,
        };
        if let Some(at) = shared.filter(|_| simple) {
            out[at].alternatives.push(alternative);
        } else {
            if simple {
                shared = Some(out.len());
            }
            out.push(Group { place, alternatives: vec![alternative] });
        }
    }
    out
}

/// Whether a filter asks about the event alone.
fn only_event(condition: &Condition) -> bool {
    match condition {
        Condition::Always(_) => true,
        Condition::All(parts) | Condition::Any(parts) => parts.iter().all(only_event),
        Condition::Not(inner) => only_event(inner),
        Condition::Compare { left, right, .. } => {
            matches!(left.root, Root::Event | Root::Trigger)
                && !matches!(right, Operand::Path(p) if p.root != Root::Constant)
        }
        Condition::IsSet(path) => matches!(path.root, Root::Event | Root::Trigger),
        _ => false,
    }
}

fn is_event(literal: &Literal) -> bool {
    only_event(&literal.atom)
}

fn whole_flow_losses(plan: &Plan<'_>, workspace: &Workspace, notes: &mut Notes) {
    let settings = &plan.settings;
    daily::limit(Target::Hubspot, plan, workspace, notes);
    for goal in &plan.goals {
        notes.impossible(
            "hubspot/goal",
            Place::node(&goal.id),
            "A workflow has one goal, which ends it; a goal in the middle of a path is passed through",
            "Set a property there if it has to be counted",
        );
    }
    for (from, port, to) in &plan.cut {
        notes.impossible(
            "hubspot/loop",
            Place::edge(from, port),
            format!("The way back to `{to}` is cut: contacts pass once instead of up to {} times", settings.pass_limit),
            "Draw the repeated steps as often as they are needed",
        );
    }
    for consent in &settings.consent {
        let who = notes.counted(|people| people.never_asked(consent.channel()));
        notes.approximate(
            "hubspot/consent",
            Place::default().with_field("settings.consent"),
            format!("HubSpot leaves out contacts who unsubscribed by {}, but mails those who were never asked{who} if they are marketing contacts", consent.channel().name()),
            "Choose the subscription type in each e-mail, and keep contacts without consent as non-marketing",
        );
    }
    if settings.trigger_latest_age != Span::hours(4) {
        notes.impossible(
            "hubspot/latest-age",
            Place::default().with_field("settings.trigger_latest_age"),
            format!("Events that arrive more than {} late enrol contacts too", settings.trigger_latest_age),
            "Nothing to do where events arrive within minutes",
        );
    }
    if settings.conversion_window != Span::hours(48) {
        notes.impossible(
            "hubspot/conversion-window",
            Place::default().with_field("settings.conversion_window"),
            format!(
                "Conversions are not credited within {}, HubSpot counts contacts who met the goal",
                settings.conversion_window
            ),
            "Use HubSpot's attribution reports",
        );
    }
    if settings.enrol_current {
        notes.approximate("hubspot/enrol-current", Place::default().with_field("settings.enrol_current"), "Whether contacts for whom the trigger holds already are enrolled is asked when the workflow is switched on", "Choose \u{201c}yes, enrol existing contacts\u{201d} there");
    }
    if !settings.tracking.is_empty() {
        let names: Vec<&str> = settings.tracking.keys().map(String::as_str).collect();
        notes.impossible(
            "hubspot/tracking",
            Place::default().with_field("settings.tracking"),
            format!("The link parameters {} are not added", names.join(", ")),
            "Choose a campaign in each e-mail, which adds HubSpot's own parameters",
        );
    }
    if !workspace.suppression.is_empty() && suppression(workspace).is_empty() {
        notes.impossible(
            "hubspot/suppression",
            Place::default(),
            format!("The {} addresses of the workspace's suppression list are not kept out: list ids here are numbers, and none is known", workspace.suppression.len()),
            "Import them as a list and give its number as `list:suppression` in the workspace's HubSpot ids",
        );
    }
}

/// The suppression list, where its number is known.
fn suppression(workspace: &Workspace) -> Vec<i64> {
    workspace.hubspot.ids.get("list:suppression").and_then(|id| id.parse().ok()).into_iter().collect()
}

/// Windows of the whole workflow: the complement of quiet hours, else the one window that all delays share.
fn windows(plan: &Plan<'_>, workspace: &Workspace, notes: &mut Notes) -> Vec<Json> {
    let quiet = plan.settings.quiet_hours.or(workspace.quiet_hours);
    let of_delays: Vec<(Place, Window)> = plan
        .steps
        .iter()
        .filter_map(|step| match step.settings {
            // What was kept of a delay has its window in it.
            Settings::Delay(_) if matches!(keep::actions(&plan.settings, step.node), Some(Ok(_))) => None,
            Settings::Delay(delay) => delay.window.map(|w| (Place::node(&step.node.id).with_field("window"), w)),
            _ => None,
        })
        .collect();
    let chosen = match (quiet, of_delays.first()) {
        (Some(quiet), _) => {
            let who = notes.counted(|people| people.outside(&workspace.zone));
            notes.approximate(
                "hubspot/quiet-hours",
                Place::default(),
                format!("The quiet hours {quiet} become the workflow's own send times: they hold back every action by up to {:.1} h, in the account's zone, not the contact's{who}", f64::from((quiet.until.minutes() - quiet.from.minutes()).rem_euclid(1440)) / 60.0),
                "Set the account's zone, or run one workflow for each zone",
            );
            Some(Window { from: quiet.until, until: quiet.from, weekdays: Weekdays::ALL })
        }
        (None, Some((place, window))) => {
            let who = notes.counted(|people| people.outside(&workspace.zone));
            notes.approximate(
                "hubspot/window",
                place.clone(),
                format!("The window {window} becomes the workflow's own send times: it holds back every action by up to {:.1} h, in the account's zone, not the contact's{who}", shut_hours(*window)),
                "Set the account's zone, or run one workflow for each zone",
            );
            Some(*window)
        }
        (None, None) => None,
    };
    for (place, window) in &of_delays {
        if chosen != Some(*window) {
            notes.impossible(
                "hubspot/window",
                place.clone(),
                format!("The window {window} is not kept, a workflow has one set of send times: what follows may leave up to {:.1} h earlier than in the flow", shut_hours(*window)),
                "Use one window for the whole flow",
            );
        }
    }
    let Some(window) = chosen else { return Vec::new() };
    let last = TimeOfDay::new(23, 59).unwrap_or(window.until);
    let midnight = TimeOfDay::new(0, 0).unwrap_or(window.from);
    let mut out = Vec::new();
    for day in Weekday::ALL {
        let name = day.title().to_uppercase();
        let mut add = |from: TimeOfDay, until: TimeOfDay| {
            if from < until {
                out.push(json!({"day": name, "startTime": clock(from), "endTime": clock(until)}));
            }
        };
        let yesterday = Weekday::ALL[(day as usize + 6) % 7];
        if window.from < window.until {
            if window.weekdays.has(day) {
                add(window.from, window.until);
            }
        } else {
            if window.weekdays.has(yesterday) {
                add(midnight, window.until);
            }
            if window.weekdays.has(day) {
                add(window.from, last);
            }
        }
    }
    out
}

fn workflow(
    plan: &Plan<'_>,
    workspace: &Workspace,
    (group, is_one_of_many): (&Group<'_>, bool),
    name: &str,
    kept: Option<&Map<String, Json>>,
    notes: &mut Notes,
) -> Workflow {
    let extra = group
        .alternatives
        .iter()
        .map(|a| if let Alternative::Abandonment(t) = a { t.after.about_millis() } else { 0 })
        .max()
        .unwrap_or(0);
    let minutes = (plan.longest_millis().saturating_add(extra) + 59_999).div_euclid(60_000).max(60);
    let asker = Asker {
        names: Names::new(workspace, &plan.settings),
        workspace,
        longest: Span::minutes(minutes),
        copies: RefCell::default(),
        named: copies::named_copies(plan),
        own: copies::own_properties(plan, workspace),
    };
    let mut body = Body::new(plan, &asker, notes);
    let mut enrolment = match kept {
        Some(keys) => Enrolment {
            criteria: keys.get("enrollmentCriteria").cloned().unwrap_or_default(),
            schedule: keys.get("enrollmentSchedule").cloned(),
            ..Enrolment::default()
        },
        None => enrolment(&mut body, group),
    };
    let mut exits = std::mem::take(&mut enrolment.exits);
    for (setting, text) in plan.settings.conditions() {
        if setting == "exit_when" {
            // Who leaves the trigger's segment is taken out by the enrolment itself.
            if leaves_segment(plan).is_some() {
                continue;
            }
            body.notes.approximate(
                "hubspot/exit-is-goal",
                Place::default().with_field("settings.exit_when"),
                "HubSpot ends a workflow by its goal only, so whoever leaves counts as having met it",
                "Read the goal's numbers with that in mind",
            );
        }
        exits.push(text.condition().clone());
    }
    let mut goal = Json::Null;
    if !exits.is_empty() {
        let place = Place::default().with_field("settings.goal_when");
        goal = asker.ask(&Condition::Any(exits), &place, body.notes);
        body.notes.approximate(
            "hubspot/goal",
            place,
            "Whoever meets the goal already is not enrolled at all, and who meets it later leaves before the next action",
            "Nothing to do in most flows",
        );
    }
    let mut has_event = group.alternatives.iter().any(|a| a.has_event());
    if group.alternatives.iter().all(|a| matches!(a, Alternative::Score(_))) {
        has_event = false;
    }
    let copies_first = !asker.copies.borrow().is_empty();
    if has_event {
        for (path, property) in copies::printed(plan, &asker.own, body.notes) {
            needed::property(body.notes, &property, None);
            asker.copies.borrow_mut().insert((path, property));
        }
    }
    let before_entry = enrolment.wait.is_some() || enrolment.gate.is_some() || is_one_of_many;
    if before_entry && mark(plan, true).is_some() {
        enrolment.criteria["shouldReEnroll"] = json!(true);
    }
    let (actions, start) = body.write(|body, first| {
        let mut to = first;
        if let Some(mark) = mark(plan, before_entry) {
            let filter = may_enter(&asker, plan, &mark, body.notes);
            to = body.keep_time(&mark, to);
            to = body.list_branch(vec![("May enter".into(), filter, to)], "Was in already", To::End);
        }
        if let Some(condition) = &enrolment.gate {
            let filter = asker.ask(condition, &group.place, body.notes);
            to = body.list_branch(vec![("Enrolled".into(), filter, to)], "Not enrolled", To::End);
        }
        // Whoever stops in time keeps nothing of the event, unless the wait itself or the goal asks for it.
        let (wait, later) = if copies_first { (enrolment.wait, None) } else { (None, enrolment.wait) };
        let write_wait = |body: &mut Body<'_, '_>, wait: Option<(Span, Vec<Json>)>, to: To| match wait {
            Some((span, branches)) if branches.is_empty() => body.delay(span, &group.place, to),
            Some((span, branches)) => body.wait_branch(branches, span, &group.place, To::End, to),
            None => to,
        };
        to = write_wait(body, wait, to);
        if has_event && !asker.copies.borrow().is_empty() {
            body.notes.approximate(
                "hubspot/event-data",
                group.place.clone(),
                format!("HubSpot mails and branches cannot read the enrolling event, so {} of its properties are copied to the contact first; a second entry overwrites them", asker.copies.borrow().len()),
                "Create the properties and fill in the tokens that `ids.json` names",
            );
            to = body.copies(to);
        }
        write_wait(body, later, to)
    });
    let windows = windows(plan, workspace, notes);
    let kept_actions = actions.iter().enumerate().filter(|(_, action)| action.is_kept);
    let mut kept_places = KeptPlaces(kept_actions.map(|(n, _)| format!("/actions/{n}")).collect());
    kept_places.0.extend(kept.into_iter().flat_map(|keys| keys.keys()).map(|key| format!("/{key}")));
    let (actions, steps): (Vec<Json>, Vec<Option<usize>>) = actions.into_iter().map(|w| (w.action, w.step)).unzip();
    let origins = steps.into_iter().map(|step| Some(plan.steps.get(step?)?.node.id.clone())).collect();
    let mut out = json!({
        "name": name, "type": "CONTACT_FLOW", "flowType": "WORKFLOW", "objectTypeId": "0-1", "isEnabled": false,
        "actions": actions, "blockedDates": [], "timeWindows": windows, "customProperties": {}, "dataSources": [],
        "suppressionListIds": suppression(workspace), "canEnrollFromSalesforce": false,
        "enrollmentCriteria": enrolment.criteria,
    });
    if let Some(start) = start {
        out["startActionId"] = json!(start);
    }
    if let Some(schedule) = enrolment.schedule {
        out["enrollmentSchedule"] = schedule;
    }
    if !goal.is_null() {
        out["goalFilterBranch"] = goal;
    }
    if out["enrollmentCriteria"].is_null()
        && let Json::Object(map) = &mut out
    {
        map.remove("enrollmentCriteria");
    }
    for piece in [Piece::Goal, Piece::Windows] {
        for (key, value) in kept_piece(piece, plan, workspace, notes).into_iter().flatten() {
            kept_places.0.insert(format!("/{key}"));
            out[key] = value;
        }
    }
    kept_places.0.extend(give_back(&plan.settings, Origin::Hubspot, None, &mut out));
    let what: Vec<String> = group.alternatives.iter().map(|a| a.summary()).collect();
    Workflow { body: out, origins, kept: kept_places, what: what.join(", or ") }
}
