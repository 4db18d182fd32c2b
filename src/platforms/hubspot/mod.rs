//! HubSpot: bodies for `POST /automation/v4/flows` and `POST /marketing/v3/emails`.
//!
//! Source: references, HubSpot. A workflow has one kind of enrolment, so alternatives that are events share a body and
//! every other one gets its own. Deliberately not here: calling the API.

mod bodies;
mod body;
mod branches;
mod emails;
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
use body::{Body, To, clock, none_within};
use filters::{Asker, and, contact_property, events_branch, list_id, or, property_filter};
use keep::Piece;

use super::{
    Export, Notes, Platform,
    folder::{About, Request},
    json_bytes,
    kept::give_back,
    normal::{Literal, Names, path_text},
    obstacles,
    people::People,
    plan::Plan,
    slug,
};
use crate::{
    audience::{
        Condition, ValueType,
        condition::{CompareOp, EventQuery, EventWindow, Measure, Operand, Root},
    },
    base::{Diagnostic, Place, Span, TimeOfDay, Weekday, Weekdays, Window},
    content::{Dialect, FieldSource, Origin, platform_property},
    flow::{Flow, Reentry, Target, Workspace},
    kinds::{
        Alternative, Settings,
        triggers::{abandonment::Again, engagement::MeasureBy},
    },
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
        let obstacles = obstacles(flow);
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
            for mut diagnostic in lint(&workflow.body) {
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
                format!("A workflow has one kind of enrolment, so the flow is written {} times; a contact who meets two of them is in both, and gets each mail twice", written.len()),
                "Put the first workflow's contacts on the second one's suppression list",
            );
        }
        mailed_properties(&plan, &mut notes);
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
                format!("The quiet hours {quiet} become the workflow's own send times: they hold back every action, in the account's zone, not the contact's{who}"),
                "Set the account's zone, or run one workflow for each zone",
            );
            Some(Window { from: quiet.until, until: quiet.from, weekdays: Weekdays::ALL })
        }
        (None, Some((place, window))) => {
            let who = notes.counted(|people| people.outside(&workspace.zone));
            notes.approximate(
                "hubspot/window",
                place.clone(),
                format!("The window {window} becomes the workflow's own send times: it holds back every action, in the account's zone, not the contact's{who}"),
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
                format!("The window {window} is not kept, a workflow has one set of send times"),
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

/// What enrols, and what stands before the first step.
#[derive(Default)]
struct Enrolment {
    criteria: Json,
    schedule: Option<Json>,
    /// Event branches that end the workflow during a first wait of so long.
    wait: Option<(Span, Vec<Json>)>,
    /// Asked once before the first step.
    gate: Option<Condition>,
    /// Ends the workflow at any time, besides the flow's own goal.
    exits: Vec<Condition>,
}

fn workflow(
    plan: &Plan<'_>,
    workspace: &Workspace,
    group: &Group<'_>,
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
        named: named_copies(plan),
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
    if has_event {
        for (path, property) in printed(plan, body.notes) {
            needed::property(body.notes, &property, None);
            asker.copies.borrow_mut().insert((path, property));
        }
    }
    let before_entry = enrolment.wait.is_some() || enrolment.gate.is_some();
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
        if let Some((span, branches)) = enrolment.wait {
            to = if branches.is_empty() { body.delay(span, &group.place, to) } else { body.wait_branch(branches, span, &group.place, To::End, to) };
        }
        if has_event && !asker.copies.borrow().is_empty() {
            body.notes.approximate(
                "hubspot/event-data",
                group.place.clone(),
                format!("HubSpot mails and branches cannot read the enrolling event, so {} of its properties are copied to the contact first; a second entry overwrites them", asker.copies.borrow().len()),
                "Create the properties and fill in the tokens that `ids.json` names",
            );
            to = body.copies(to);
        }
        to
    });
    let windows = windows(plan, workspace, notes);
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
            out[key] = value;
        }
    }
    give_back(&plan.settings, Origin::Hubspot, None, &mut out);
    let what: Vec<String> = group.alternatives.iter().map(|a| a.summary()).collect();
    Workflow { body: out, origins, what: what.join(", or ") }
}

/// Notes the contact's own properties that mails print.
fn mailed_properties(plan: &Plan<'_>, notes: &mut Notes) {
    let mut used: Vec<(String, ValueType)> = Vec::new();
    for field in plan.flow.fields().filter(|field| matches!(field.source, FieldSource::Contact(_))) {
        let Some(property) = platform_property(field, Dialect::Hubspot) else { continue };
        let token = format!("contact.{property}");
        let prints = |text: &String| text.contains(&token);
        let is_printed =
            notes.templates.values().any(|t| [&t.subject, &t.preheader, &t.html, &t.text].into_iter().any(prints));
        if is_printed {
            used.push((property, field.kind));
        }
    }
    for (property, kind) in used {
        needed::property(notes, &property, Some(kind));
    }
}

/// Properties that fields name for event data: path in the event, property.
fn named_copies(plan: &Plan<'_>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for field in plan.flow.fields() {
        let path = match &field.source {
            FieldSource::Trigger(path) | FieldSource::Computed(crate::content::Computed::Stock(path)) => path,
            FieldSource::Contact(_)
            | FieldSource::LastEvent { .. }
            | FieldSource::Computed(_)
            | FieldSource::Constant(_)
            | FieldSource::Code { .. } => continue,
        };
        if let Some(property) = platform_property(field, Dialect::Hubspot) {
            out.entry(path.to_string()).or_insert(property);
        }
    }
    out
}

/// Event data that the messages print, with the property each field reads; properties that nothing here can fill.
fn printed(plan: &Plan<'_>, notes: &mut Notes) -> Vec<(String, String)> {
    let prepared: std::collections::BTreeSet<String> =
        notes.templates.values().flat_map(|template| template.prepared.iter().cloned()).collect();
    let mut out = Vec::new();
    for field in plan.flow.fields().filter(|field| prepared.contains(field.name.as_str())) {
        let Some(property) = platform_property(field, Dialect::Hubspot) else { continue };
        match &field.source {
            FieldSource::Trigger(path) | FieldSource::Computed(crate::content::Computed::Stock(path)) => {
                out.push((path.to_string(), property));
            }
            FieldSource::Contact(_)
            | FieldSource::LastEvent { .. }
            | FieldSource::Computed(_)
            | FieldSource::Code { .. } => {
                needed::property(notes, &property, Some(field.kind));
                notes.impossible(
                    "hubspot/prepared",
                    Place::default().with_field(format!("fields.{}", field.name)),
                    format!("HubSpot cannot work out `{}`; its mails read the contact property `{property}`, which nothing in the workflow fills", field.name),
                    format!("Let the shop keep `{property}`, or give the field a fallback that reads well"),
                );
            }
            FieldSource::Constant(_) => {}
        }
    }
    out
}

fn reenroll(plan: &Plan<'_>, notes: &mut Notes) -> bool {
    let place = Place::default().with_field("settings.reentry");
    match &plan.settings.reentry {
        Reentry::AfterExit => true,
        Reentry::Once => false,
        // Asked of the mark that the workflow keeps itself.
        Reentry::Cooldown(_) => true,
        Reentry::PerKey => {
            let key = plan.settings.reentry_key.as_ref().map_or_else(|| "the key".to_owned(), path_text);
            notes.approximate("hubspot/reentry-key", place, format!("HubSpot cannot tell entries apart by `{key}`: nobody enters while inside, also not with another one, and the same one enters again afterwards"), "Nothing to do where one contact rarely has two at once");
            true
        }
        Reentry::Restart => {
            notes.approximate(
                "hubspot/restart",
                place,
                "A contact never enters while inside, so the running pass goes on instead of starting anew",
                "Choose re-entry after exit, which is what HubSpot does",
            );
            true
        }
    }
}

/// The contact property in which a workflow keeps when it let the contact in last, where re-enrolment alone does not say
/// who may: with a cooldown, and once only where enrolling is not yet an entry (a clock starts, or a question follows).
fn mark(plan: &Plan<'_>, enrols_before_entry: bool) -> Option<String> {
    let is_marked = match plan.settings.reentry {
        Reentry::Cooldown(_) => true,
        Reentry::Once => enrols_before_entry,
        Reentry::AfterExit | Reentry::PerKey | Reentry::Restart => false,
    };
    is_marked.then(|| slug(&format!("flowloom entered {}", plan.flow.id)))
}

/// "May enter (again)", as an OR of ANDs over the mark.
fn may_enter(asker: &Asker<'_>, plan: &Plan<'_>, mark: &str, notes: &mut Notes) -> Json {
    needed::property(notes, mark, Some(ValueType::Instant));
    let unknown =
        json!({"operationType": "ALL_PROPERTY", "operator": "IS_UNKNOWN", "includeObjectsWithNoValueSet": true});
    let mut cases = vec![and(vec![property_filter(mark, unknown)], Vec::new())];
    if let Reentry::Cooldown(span) = plan.settings.reentry {
        cases.push(and(vec![property_filter(mark, asker.ago(span))], Vec::new()));
    }
    notes.approximate(
        "hubspot/reentry-mark",
        Place::default().with_field("settings.reentry"),
        format!("Workflows know no such re-entry rule, so this one keeps the last entry in the contact property `{mark}` and asks for it"),
        "Create the property with the body in `properties/`",
    );
    or(cases)
}

fn event_based(branches: Vec<Json>, lists: Vec<Json>, refinement: Option<Json>, again: bool) -> Json {
    let mut out = json!({"type": "EVENT_BASED", "shouldReEnroll": again, "eventFilterBranches": branches, "listMembershipFilterBranches": lists});
    if let Some(refinement) = refinement {
        out["refinementCriteria"] = refinement;
    }
    out
}

fn enrolment(body: &mut Body<'_, '_>, group: &Group<'_>) -> Enrolment {
    let plan = body.plan;
    let again = reenroll(plan, body.notes);
    let place = &group.place;
    let [alternative] = group.alternatives.as_slice() else {
        let (mut branches, mut lists) = (Vec::new(), Vec::new());
        for alternative in &group.alternatives {
            match alternative {
                Alternative::Event(t) => {
                    branches.extend(body.event_branches(&t.event, t.filter.as_ref().map(|f| f.condition()), place))
                }
                Alternative::List(t) => lists.push(joined_list(body, &t.list, place)),
                // Never in a group of several.
                Alternative::Abandonment(_)
                | Alternative::Engagement(_)
                | Alternative::Score(_)
                | Alternative::Segment(_)
                | Alternative::Date(_)
                | Alternative::Inactivity(_)
                | Alternative::Foreign(_) => {}
            }
        }
        return Enrolment { criteria: event_based(branches, lists, None, again), ..Enrolment::default() };
    };
    match alternative {
        Alternative::Event(t) => {
            let (branches, refinement, gate) =
                event_trigger(body, &t.event, t.filter.as_ref().map(|f| f.condition()), place);
            Enrolment { criteria: event_based(branches, Vec::new(), refinement, again), gate, ..Enrolment::default() }
        }
        Alternative::List(t) => {
            let list = joined_list(body, &t.list, place);
            Enrolment { criteria: event_based(Vec::new(), vec![list], None, again), ..Enrolment::default() }
        }
        Alternative::Abandonment(t) => {
            let (branches, refinement, gate) =
                event_trigger(body, &t.start, t.filter.as_ref().map(|f| f.condition()), place);
            let mut stop = Vec::new();
            let mut exits = Vec::new();
            for unless in &t.unless {
                let filter = unless.filter.as_ref().map(|f| f.condition());
                stop.extend(body.event_branches(&unless.event, filter, place));
                exits.push(Condition::Events(EventQuery {
                    metric: unless.event.clone(),
                    filter: filter.map(|f| Box::new(f.clone())),
                    measure: Measure::Count,
                    window: EventWindow::SinceEntry,
                    op: CompareOp::Ge,
                    value: 1.0,
                }));
            }
            match t.again {
                Again::Keep => {}
                Again::Restart => body.notes.approximate(
                    "hubspot/abandonment-restart",
                    place.clone().with_field("again"),
                    format!("The clock counts from the first \u{201c}{}\u{201d}, since a contact never enters while inside: the first step comes up to {} earlier than in the flow", t.start, t.after),
                    "Make the wait longer, or accept that somebody may still be active",
                ),
                Again::Add => body.notes.approximate(
                    "hubspot/abandonment-add",
                    place.clone().with_field("again"),
                    format!("A second \u{201c}{}\u{201d} while the first is waiting does not start a pass of its own", t.start),
                    "Nothing to do where one contact rarely has two at once",
                ),
            }
            Enrolment {
                criteria: event_based(branches, Vec::new(), refinement, again),
                wait: Some((t.after, stop)),
                gate,
                exits,
                ..Enrolment::default()
            }
        }
        Alternative::Engagement(t) => {
            let mut branches = body.event_branches(&t.event, t.filter.as_ref().map(|f| f.condition()), place);
            let window = EventWindow::Last(t.within);
            let mut refine: Vec<Condition> = Vec::new();
            match &t.measure {
                MeasureBy::Count => refine.push(Condition::Events(EventQuery {
                    metric: t.event.clone(),
                    filter: t.filter.as_ref().map(|f| Box::new(f.condition().clone())),
                    measure: Measure::Count,
                    window,
                    op: CompareOp::Ge,
                    value: t.at_least,
                })),
                MeasureBy::Sum(path) => refine.push(Condition::Events(EventQuery {
                    metric: t.event.clone(),
                    filter: None,
                    measure: Measure::Sum(path.clone()),
                    window,
                    op: CompareOp::Ge,
                    value: t.at_least,
                })),
                MeasureBy::Max(path) => {
                    let name = path.steps.last().map_or_else(String::new, |s| slug(s));
                    let operation = json!({"operationType": "NUMBER", "operator": "IS_GREATER_THAN_OR_EQUAL_TO", "value": t.at_least, "includeObjectsWithNoValueSet": false});
                    for branch in &mut branches {
                        if let Some(filters) = branch["filters"].as_array_mut() {
                            filters.push(property_filter(&name, operation.clone()));
                        }
                    }
                }
            }
            body.notes.approximate(
                "hubspot/engagement-again",
                place.clone(),
                format!(
                    "Every \u{201c}{}\u{201d} after the number was reached enrols too, as far as re-enrolment allows",
                    t.event
                ),
                "Let contacts enter once, or suppress those who were in before",
            );
            if let Some(same) = &t.same {
                body.notes.impossible(
                    "hubspot/engagement-same",
                    place.clone().with_field("same"),
                    format!("HubSpot counts all \u{201c}{}\u{201d} together, not those with the same `{}`, so more contacts enter", t.event, path_text(same)),
                    "Let the shop send an event of its own when the same one was counted often enough",
                );
            }
            for unless in &t.unless {
                refine.push(Condition::Events(EventQuery {
                    metric: unless.event.clone(),
                    filter: unless.filter.as_ref().map(|f| Box::new(f.condition().clone())),
                    measure: Measure::Count,
                    window,
                    op: CompareOp::Eq,
                    value: 0.0,
                }));
            }
            let refinement = (!refine.is_empty()).then(|| body.asker.ask(&Condition::All(refine), place, body.notes));
            Enrolment { criteria: event_based(branches, Vec::new(), refinement, again), ..Enrolment::default() }
        }
        Alternative::Foreign(t) => {
            // HubSpot gets its own enrolment back as it was; what came from elsewhere is to be started by hand.
            let json = serde_json::from_str::<Json>(&t.json).ok().filter(Json::is_object);
            let criteria = match json {
                Some(json) if t.origin == Origin::Hubspot => json,
                _ => {
                    body.notes.foreign_trigger(Target::Hubspot, t, place);
                    json!({"type": "MANUAL", "shouldReEnroll": again})
                }
            };
            Enrolment { criteria, ..Enrolment::default() }
        }
        Alternative::Score(t) => {
            let condition = t.condition();
            Enrolment { criteria: list_based(body, &condition, again, place), ..Enrolment::default() }
        }
        Alternative::Segment(t) => {
            let condition = t.condition();
            body.notes.approximate(
                "hubspot/segment",
                place.clone(),
                "The workflow asks the segment's condition itself: who meets it when it is switched on counts as entering too, if you choose so there",
                "Choose \u{201c}no\u{201d} when asked whether to enrol existing contacts",
            );
            Enrolment { criteria: list_based(body, &condition, again, place), ..Enrolment::default() }
        }
        Alternative::Date(t) => {
            let property = match body.asker.property(&t.property, body.notes) {
                Ok(name) => name,
                Err(why) => {
                    body.notes.impossible(
                        "hubspot/date",
                        place.clone(),
                        format!("`{}` cannot enrol: {why}", path_text(&t.property)),
                        "Keep the date in a property of the contact",
                    );
                    contact_property(&path_text(&t.property))
                }
            };
            needed::property(body.notes, &property, Some(ValueType::Date));
            if t.offset.months != 0 || t.offset.millis != 0 {
                body.notes.approximate(
                    "hubspot/date-offset",
                    place.clone(),
                    format!("{} are written as {} days", t.offset, t.offset.about_millis().div_euclid(86_400_000)),
                    "Choose whole days",
                );
            }
            body.notes.approximate(
                "hubspot/date",
                place.clone(),
                format!("The workflow starts at {} in the account's zone, not the contact's; which enrolment belongs to such a schedule is not documented", t.at),
                "Look at the trigger after the import",
            );
            let days = t.offset.about_millis().div_euclid(86_400_000);
            let known = property_filter(
                &property,
                json!({"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN", "includeObjectsWithNoValueSet": false}),
            );
            Enrolment {
                criteria: json!({"type": "LIST_BASED", "shouldReEnroll": t.yearly && again, "listFilterBranch": or(vec![and(vec![known], Vec::new())]),
                    "reEnrollmentTriggersFilterBranches": [], "unEnrollObjectsNotMeetingCriteria": false}),
                schedule: Some(
                    json!({"type": "PROPERTY_BASED", "dateProperty": property, "daysDelta": days, "timeOfDay": clock(t.at), "yearly": t.yearly}),
                ),
                ..Enrolment::default()
            }
        }
        Alternative::Inactivity(t) => {
            let mut all: Vec<Condition> = t.events.iter().map(|event| none_within(event, t.after)).collect();
            // Creation counts as activity, so that a new contact is not "inactive" at once.
            let created = crate::audience::Path { root: Root::Contact, steps: vec!["created_at".into()] };
            all.push(Condition::Compare { left: created, op: CompareOp::Lt, right: Operand::Now(t.after.negated()) });
            Enrolment { criteria: list_based(body, &Condition::All(all), again, place), ..Enrolment::default() }
        }
    }
}

/// "Joined that list."
fn joined_list(body: &mut Body<'_, '_>, list: &str, place: &Place) -> Json {
    body.notes.approximate(
        "hubspot/list",
        place.clone(),
        "The form of a list trigger is read from live workflows, not promised",
        "Look at the trigger after the import",
    );
    let id = list_id(body.asker.workspace, list, body.notes);
    and(vec![json!({"filterType": "IN_LIST", "listId": id, "operator": "IN_LIST"})], Vec::new())
}

/// An event with its filter: branches, what is asked of the contact at that moment, and what must be asked after.
fn event_trigger(
    body: &mut Body<'_, '_>,
    event: &str,
    filter: Option<&Condition>,
    place: &Place,
) -> (Vec<Json>, Option<Json>, Option<Condition>) {
    let Some(filter) = filter else { return (body.event_branches(event, None, place), None, None) };
    let Some(terms) = body.asker.names.dnf(filter) else {
        return (body.event_branches(event, None, place), None, Some(filter.clone()));
    };
    let split: Vec<(Vec<Literal>, Vec<Literal>)> =
        terms.into_iter().map(|term| term.into_iter().partition(is_event)).collect();
    let Some((_, contact)) = split.first() else {
        // Never true: nobody enters.
        return (body.event_branches(event, None, place), None, Some(Condition::Always(false)));
    };
    if !split.iter().all(|(_, other)| other == contact) {
        return (body.event_branches(event, None, place), None, Some(filter.clone()));
    }
    let type_id = filters::event_type(body.asker.workspace, event, body.notes);
    let mut branches = Vec::new();
    for (literals, _) in &split {
        let filters = body.asker.event_filters(literals, event, place, body.notes);
        branches.push(events_branch(&type_id, true, filters));
    }
    let refinement = (!contact.is_empty()).then(|| {
        let all = Condition::All(contact.iter().map(Literal::to_condition).collect());
        body.asker.ask(&all, place, body.notes)
    });
    (branches, refinement, None)
}

/// Enrolment by a condition, with re-enrolment whenever one of its properties changes.
fn list_based(body: &mut Body<'_, '_>, condition: &Condition, again: bool, place: &Place) -> Json {
    let filter = body.asker.ask(condition, place, body.notes);
    let mut triggers = Vec::new();
    if again {
        let mut properties = std::collections::BTreeSet::new();
        let mut stack = vec![&filter];
        while let Some(value) = stack.pop() {
            match value {
                Json::Array(items) => stack.extend(items),
                Json::Object(map) => {
                    if map.get("filterType").and_then(Json::as_str) == Some("PROPERTY")
                        && let Some(name) = map.get("property").and_then(Json::as_str)
                    {
                        properties.insert(name.to_owned());
                    }
                    // Properties of events are not the contact's.
                    if map.get("filterBranchType").and_then(Json::as_str) != Some("UNIFIED_EVENTS") {
                        stack.extend(map.values());
                    }
                }
                _ => {}
            }
        }
        for name in properties {
            let named = json!({"operationType": "STRING", "operator": "IS_EQUAL_TO", "value": name, "includeObjectsWithNoValueSet": false});
            triggers.push(events_branch("4-655002", true, vec![property_filter("hs_name", named)]));
        }
        if triggers.is_empty() {
            body.notes.impossible(
                "hubspot/reenrol",
                place.clone(),
                "Contacts enter this workflow once: HubSpot enrols again on a change of a property only, and the condition has none",
                "Choose a re-enrolment trigger in HubSpot after the import",
            );
        } else {
            body.notes.approximate(
                "hubspot/reenrol",
                place.clone(),
                "Contacts enter again when one of the condition's properties changes while it holds; the form is read from live workflows",
                "Look at the re-enrolment triggers after the import",
            );
        }
    }
    json!({"type": "LIST_BASED", "shouldReEnroll": again && !triggers.is_empty(), "listFilterBranch": filter,
        "reEnrollmentTriggersFilterBranches": triggers, "unEnrollObjectsNotMeetingCriteria": leaves_segment(body.plan).is_some()})
}
