//! Who enters: enrolment criteria and schedules as trigger alternatives.
//!
//! The inverse of the enrolment that `hubspot/mod.rs` writes. What is not understood becomes a foreign trigger that
//! holds the criteria. Source: references, HubSpot 3.

use smol_str::SmolStr;

use super::{
    Texts,
    filters::{self, completed, event_filter, group},
    names::Names,
    report::Report,
    spot::{Spot, Unread, short},
};
use crate::{
    audience::{
        Condition,
        condition::{CompareOp, EventQuery, EventWindow, Measure, Operand, Root},
    },
    base::{NodeId, Span, TimeOfDay},
    content::Origin,
    flow::Reentry,
    kinds::{
        Alternative,
        triggers::{
            date::DateTrigger, event::EventTrigger, foreign::ForeignTrigger, inactivity::Inactivity, list::ListTrigger,
            segment::SegmentTrigger,
        },
    },
};

/// What lets contacts in, and what follows from it for the flow.
pub(super) struct Entered {
    pub alternatives: Vec<Alternative>,
    pub reentry: Reentry,
    /// Contacts leave when this holds.
    pub exit_when: Option<Condition>,
}

/// The trigger of a workflow.
pub(super) fn enrolment(flow: &Spot<'_>, name: &str, names: &mut Names<'_>, report: &mut Report) -> Entered {
    let criteria = flow.get("enrollmentCriteria");
    let start = NodeId::from(super::START);
    if criteria.json.is_null() {
        report.guessed(
            "hubspot/no-enrolment",
            &criteria.at,
            Some(&start),
            "The workflow says nothing about who enters, so contacts are enrolled by hand",
            "Choose a trigger if somebody is to enter by themselves",
        );
    }
    match understood(flow, &criteria, name, names, report) {
        Ok(entered) => {
            let what: Vec<String> = entered.alternatives.iter().map(Alternative::summary).collect();
            report.understood(
                "hubspot/enrolment",
                &criteria.at,
                Some(&start),
                format!("Starts by {}", what.join(", or ")),
            );
            entered
        }
        Err(unread) => {
            let kind = criteria.word("type");
            let kind = if kind.is_empty() { "MANUAL" } else { kind };
            let json = if criteria.json.is_object() {
                criteria.json.clone()
            } else {
                serde_json::json!({"type": "MANUAL", "shouldReEnroll": false})
            };
            if !criteria.json.is_null() {
                report.kept("hubspot/foreign-trigger", Some(&start), "Who enters is kept as HubSpot wrote it", &unread);
            }
            let foreign = ForeignTrigger { origin: Origin::Hubspot, trigger: short(kind), json: super::pretty(&json) };
            Entered { alternatives: vec![Alternative::Foreign(foreign)], reentry: reentry(&criteria), exit_when: None }
        }
    }
}

fn reentry(criteria: &Spot<'_>) -> Reentry {
    if criteria.is_true("shouldReEnroll") { Reentry::AfterExit } else { Reentry::Once }
}

fn understood(
    flow: &Spot<'_>,
    criteria: &Spot<'_>,
    name: &str,
    names: &mut Names<'_>,
    report: &mut Report,
) -> Result<Entered, Unread> {
    let schedule = flow.has("enrollmentSchedule");
    let plain = |alternatives| Entered { alternatives, reentry: reentry(criteria), exit_when: None };
    match criteria.word("type") {
        "EVENT_BASED" => Ok(plain(event_based(criteria, names)?)),
        "LIST_BASED" => {
            let branch = criteria.get("listFilterBranch");
            if let Some(schedule) = &schedule
                && let Some(trigger) = date(schedule, &branch, names)?
            {
                return Ok(plain(vec![Alternative::Date(trigger)]));
            }
            let condition = filters::condition(&branch, names)?;
            if let Some(trigger) = inactivity(&condition) {
                return Ok(plain(vec![Alternative::Inactivity(trigger)]));
            }
            let text = condition.text(&branch)?;
            let segment = segment_name(name, names);
            names.workspace.segments.insert(segment.clone(), text);
            let inside = Condition::InSegment(segment.clone());
            let leaves = criteria.is_true("unEnrollObjectsNotMeetingCriteria");
            report.guessed(
                "hubspot/enrolment-segment",
                &branch.at,
                Some(&NodeId::from(super::START)),
                format!("Who meets the criteria is now the segment \u{201c}{segment}\u{201d}; contacts enter when they come into it"),
                "Give the segment a name of your own in the workspace",
            );
            Ok(Entered {
                exit_when: leaves.then(|| Condition::Not(Box::new(inside))),
                ..plain(vec![Alternative::Segment(SegmentTrigger { segment, leaves: false })])
            })
        }
        "MANUAL" => Err(criteria.unread("contacts are enrolled by hand or by another workflow")),
        "DATASET" => Err(criteria.unread("contacts come from a dataset of the account")),
        "" => Err(criteria.unread("the enrolment has no type")),
        other => Err(criteria.unread(format!("enrolment of type `{}` is not understood", short(other)))),
    }
}

/// A name for the segment of a workflow, not taken yet.
fn segment_name(flow: &str, names: &Names<'_>) -> SmolStr {
    let flow = if flow.is_empty() { "Workflow" } else { flow };
    let free = |name: &String| !names.workspace.segments.contains_key(name.as_str());
    let mut wanted = format!("Enters {flow}");
    let mut n = 2;
    while !free(&wanted) {
        wanted = format!("Enters {flow} {n}");
        n += 1;
    }
    SmolStr::new(wanted)
}

/// Events and lists that enrol.
fn event_based(criteria: &Spot<'_>, names: &mut Names<'_>) -> Result<Vec<Alternative>, Unread> {
    let refinement = match criteria.has("refinementCriteria") {
        Some(branch) => Some(filters::condition(&branch, names)?).filter(|c| *c != Condition::Always(true)),
        None => None,
    };
    let mut found: Vec<(SmolStr, Option<Vec<Condition>>)> = Vec::new();
    for branch in criteria.list("eventFilterBranches")? {
        if branch.word("filterBranchType") != "UNIFIED_EVENTS" {
            return Err(branch.unread("only events can enrol here"));
        }
        if !completed(&branch)? {
            return Err(branch.unread("an event that did not happen cannot enrol"));
        }
        for key in ["pruningRefineBy", "coalescingRefineBy"] {
            if let Some(refine) = branch.has(key) {
                return Err(refine.unread("an event that is counted cannot enrol"));
            }
        }
        let event = names.event(&branch.id("eventTypeId")?);
        let filter = event_filter(&branch, names)?;
        match (found.last_mut(), filter) {
            // Cases of one event are one alternative: "this or that of it".
            (Some((last, Some(cases))), Some(filter)) if *last == event => cases.push(filter),
            (_, filter) => found.push((event, filter.map(|filter| vec![filter]))),
        }
    }
    let mut out = Vec::new();
    for (event, cases) in found {
        let cases = cases.map(|cases| group(false, cases));
        let filter = match (cases, &refinement) {
            (Some(cases), Some(refinement)) => Some(Condition::All(vec![cases, refinement.clone()])),
            (Some(cases), None) => Some(cases),
            (None, refinement) => refinement.clone(),
        };
        let filter = filter.map(|filter| filter.text(criteria)).transpose()?;
        out.push(Alternative::Event(EventTrigger { event, filter }));
    }
    for branch in criteria.list("listMembershipFilterBranches")? {
        match filters::condition(&branch, names)? {
            Condition::InList(list) if refinement.is_none() => out.push(Alternative::List(ListTrigger { list })),
            _ => return Err(branch.unread("only joining one list can enrol here")),
        }
    }
    if out.is_empty() {
        return Err(criteria.unread("no event and no list enrols"));
    }
    Ok(out)
}

/// "None of these for so long", as our own export asks it.
fn inactivity(condition: &Condition) -> Option<Inactivity> {
    let Condition::All(parts) = condition else { return None };
    let (mut events, mut after, mut created) = (Vec::new(), None, None);
    for part in parts {
        match part {
            Condition::Events(EventQuery {
                metric,
                filter: None,
                measure: Measure::Count,
                window: EventWindow::Last(span),
                op: CompareOp::Eq,
                value: 0.0,
            }) if after.is_none_or(|known| known == *span) => {
                after = Some(*span);
                events.push(metric.clone());
            }
            Condition::Compare { left, op: CompareOp::Lt | CompareOp::Le, right: Operand::Now(span) }
                if left.root == Root::Contact && matches!(left.steps.as_slice(), [name] if name == "created_at") =>
            {
                created = Some(span.negated());
            }
            _ => return None,
        }
    }
    let after: Span = after?;
    // The window of an event has one unit, the age of the contact several.
    (created?.about_millis() == after.about_millis()).then_some(Inactivity { events, after })
}

/// A schedule by a date property, where the criteria ask nothing but whether there is one.
fn date(schedule: &Spot<'_>, branch: &Spot<'_>, names: &mut Names<'_>) -> Result<Option<DateTrigger>, Unread> {
    if schedule.word("type") != "PROPERTY_BASED" {
        return Ok(None);
    }
    let name = schedule.text("dateProperty")?;
    let Some(property) = names.contact_path(name) else { return Ok(None) };
    if filters::condition(branch, names)? != Condition::IsSet(property.clone()) {
        return Ok(None);
    }
    let days = i32::try_from(schedule.whole("daysDelta")?).ok().filter(|days| days.abs() <= 36_525);
    let days = days.ok_or_else(|| schedule.get("daysDelta").unread("these days are too many"))?;
    names.note_type(name, "", Root::Contact, Some(crate::audience::ValueType::Date));
    let at = clock(&schedule.get("timeOfDay"))?;
    Ok(Some(DateTrigger { property, offset: Span::days(days), at, yearly: schedule.is_true("yearly") }))
}

/// A time of day.
pub(super) fn clock(spot: &Spot<'_>) -> Result<TimeOfDay, Unread> {
    let part = |key: &str| Ok(i8::try_from(spot.whole(key)?).unwrap_or(-1));
    let minute = if spot.has("minute").is_some() { part("minute")? } else { 0 };
    TimeOfDay::new(part("hour")?, minute).ok_or_else(|| spot.unread("this is no time of day"))
}
