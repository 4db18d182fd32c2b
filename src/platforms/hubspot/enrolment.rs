//! What lets contacts in: the enrolment of a workflow, and what it keeps of who was in already.
//!
//! Source: references, HubSpot 3. What an enrolment cannot ask stands before the first step.

use serde_json::{Value as Json, json};

use super::{
    Group,
    bodies::leaves_segment,
    body::{Body, clock, none_within},
    filters::{self, Asker, and, contact_property, events_branch, list_id, or, property_filter},
    is_event, needed,
};
use crate::{
    audience::{
        Condition, ValueType,
        condition::{CompareOp, EventQuery, EventWindow, Measure, Operand, Root},
    },
    base::{Place, Span},
    content::Origin,
    flow::{Reentry, Target},
    kinds::{
        Alternative,
        triggers::{abandonment::Again, engagement::MeasureBy},
    },
    platforms::{
        Notes,
        normal::{Literal, path_text},
        plan::Plan,
        slug,
    },
};

/// What enrols, and what stands before the first step.
#[derive(Default)]
pub(super) struct Enrolment {
    pub criteria: Json,
    pub schedule: Option<Json>,
    /// Event branches that end the workflow during a first wait of so long.
    pub wait: Option<(Span, Vec<Json>)>,
    /// Asked once before the first step.
    pub gate: Option<Condition>,
    /// Ends the workflow at any time, besides the flow's own goal.
    pub exits: Vec<Condition>,
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

/// The contact property in which a workflow keeps when it let the contact in last, where re-enrolment alone does not
/// say who may: with a cooldown, and once only where enrolling is not yet an entry (a clock starts, or a question
/// follows) or may be into another workflow of the same flow.
pub(super) fn mark(plan: &Plan<'_>, enrols_before_entry: bool) -> Option<String> {
    let is_marked = match plan.settings.reentry {
        Reentry::Cooldown(_) => true,
        Reentry::Once => enrols_before_entry,
        Reentry::AfterExit | Reentry::PerKey | Reentry::Restart => false,
    };
    is_marked.then(|| slug(&format!("flowloom entered {}", plan.flow.id)))
}

/// "May enter (again)", as an OR of ANDs over the mark.
pub(super) fn may_enter(asker: &Asker<'_>, plan: &Plan<'_>, mark: &str, notes: &mut Notes) -> Json {
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

pub(super) fn enrolment(body: &mut Body<'_, '_>, group: &Group<'_>) -> Enrolment {
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
