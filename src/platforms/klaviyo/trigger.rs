//! What starts a Klaviyo flow: one body for each trigger alternative, with what must be asked before the first step.

use serde_json::{Value as Json, json};
use smol_str::SmolStr;

use super::{
    body::{Body, Entry},
    filters::{Asked, Asker, Group, metric_id, number, property_name, segment_how},
    keep, profile_filter,
};
use crate::{
    audience::{
        Condition, ConditionText, Path,
        condition::{CompareOp, EventQuery, EventWindow, Measure, Operand, Root},
    },
    base::{Place, Span},
    content::Origin,
    flow::{Target, Workspace},
    kinds::{
        Alternative, EventMatch, Settings,
        triggers::{
            abandonment::{Abandonment, Again},
            date::DateTrigger,
            engagement::{Engagement, MeasureBy},
            foreign::ForeignTrigger,
        },
    },
    platforms::{
        Notes,
        normal::{Names, path_text},
        plan::Plan,
    },
};

/// One body to write: an alternative, and of an inactivity one of its events.
pub(super) struct EntryPlan<'a> {
    place: Place,
    alternative: &'a Alternative,
    event: Option<&'a SmolStr>,
}

impl EntryPlan<'_> {
    /// For people.
    pub fn what(&self) -> String {
        match self.event {
            Some(event) => format!("\u{201c}{event}\u{201d}, then nothing for long"),
            None => self.alternative.summary(),
        }
    }
}

pub(super) fn entries<'a>(plan: &Plan<'a>) -> Vec<EntryPlan<'a>> {
    let Some(node) = plan.flow.trigger() else { return Vec::new() };
    let Some(Settings::Trigger(trigger)) = node.settings() else { return Vec::new() };
    let mut out = Vec::new();
    for (n, alternative) in trigger.any.iter().enumerate() {
        let place = Place::node(&node.id).with_field(format!("any.{n}"));
        if let Alternative::Inactivity(t) = alternative {
            out.extend(t.events.iter().map(|event| EntryPlan {
                place: place.clone(),
                alternative,
                event: Some(event),
            }));
        } else {
            out.push(EntryPlan { place, alternative, event: None });
        }
    }
    out
}

/// What an alternative comes to.
struct Start {
    trigger: Json,
    entry: Entry,
    metric_id: Option<String>,
    /// Waits before the first step.
    wait: Span,
    /// Asked once, after the wait: only those for whom it holds go on.
    gate: Option<Condition>,
    /// Asked before every step besides the flow's own questions.
    always: Vec<Condition>,
    /// A newer entry takes over from an older one.
    restarts: bool,
}

pub(super) fn body(
    plan: &Plan<'_>,
    workspace: &Workspace,
    entry: &EntryPlan<'_>,
    name: &str,
    is_only: bool,
    notes: &mut Notes,
) -> Json {
    let start = start(workspace, entry, notes);
    let asker = Asker { names: Names::new(workspace, &plan.settings), workspace, metric_id: start.metric_id.clone() };
    let mut unless = Vec::new();
    for condition in &start.always {
        unless.extend(asker.ask_profile(condition, &entry.place, notes));
    }
    let filter = profile_filter(plan, &asker, unless, notes);
    let mut trigger = start.trigger;
    let mut gate = Asked { groups: Vec::new() };
    if let Some(condition) = &start.gate {
        let asked = asker.ask(condition, &entry.place, notes);
        let (mut in_trigger, mut in_gate): (Vec<Group>, Vec<Group>) = (Vec::new(), Vec::new());
        for group in asked.groups {
            // Groups about the event alone belong to the trigger, which is asked at entry only.
            if group.has_event && !group.has_profile && start.entry.trigger_type == "metric" {
                in_trigger.push(group);
            } else {
                in_gate.push(group);
            }
        }
        if !in_trigger.is_empty() {
            trigger["trigger_filter"] = Asked { groups: in_trigger }.filter();
        }
        gate.groups = in_gate;
    }
    let is_marked = super::is_marked(plan, start.restarts || !gate.groups.is_empty() || !is_only);
    let reentry = super::reentry(plan, start.restarts, is_marked, start.wait, notes);
    if is_marked {
        let conditions = super::may_enter(plan, notes);
        gate.groups.push(Group { conditions, has_profile: true, has_event: false });
    }
    let mut body = Body::new(plan, workspace, &asker, start.entry, notes);
    body.prelude_delay("start:wait", start.wait, &entry.place);
    body.prelude_gate("start:only-if", &gate);
    if is_marked {
        body.prelude_mark("start:mark", &super::mark(plan));
    }
    body.walk();
    let (actions, first) = (body.actions, body.entry_action);
    let mut definition = json!({"triggers": [trigger], "profile_filter": filter, "reentry_criteria": reentry});
    // What was kept of a flow is of one with one trigger.
    if is_only {
        let over = keep::give_back(&plan.settings, None, &mut definition);
        if !over.is_empty() {
            notes.approximate(
                "klaviyo/kept",
                Place::default().with_field("settings.kept"),
                format!(
                    "What the import kept of `{}` no longer goes back, since the flow says something else now",
                    over.join("`, `")
                ),
                "Look at the trigger and the flow's filters in Klaviyo",
            );
        }
    }
    definition["entry_action_id"] = first;
    definition["actions"] = Json::Array(actions);
    json!({"data": {"type": "flow", "attributes": {"name": name, "definition": definition}}})
}

fn metric_start(metric: &str, workspace: &Workspace, notes: &mut Notes) -> Start {
    let id = metric_id(workspace, metric, notes);
    Start {
        trigger: json!({"type": "metric", "id": id, "trigger_filter": null}),
        entry: Entry { trigger_type: "metric", trigger_id: id.clone(), date: None },
        metric_id: Some(id),
        wait: Span::ZERO,
        gate: None,
        always: Vec::new(),
        restarts: false,
    }
}

fn plain_start(kind: &'static str, id: String) -> Start {
    Start {
        trigger: json!({"type": kind, "id": id}),
        entry: Entry { trigger_type: kind, trigger_id: id, date: None },
        metric_id: None,
        wait: Span::ZERO,
        gate: None,
        always: Vec::new(),
        restarts: false,
    }
}

fn start(workspace: &Workspace, entry: &EntryPlan<'_>, notes: &mut Notes) -> Start {
    let place = &entry.place;
    let ids = &workspace.klaviyo.ids;
    match entry.alternative {
        Alternative::Event(t) => {
            let mut start = metric_start(&t.event, workspace, notes);
            start.gate = t.filter.as_ref().map(|f| f.condition().clone());
            start
        }
        Alternative::Abandonment(t) => abandonment(t, workspace, place, notes),
        Alternative::Engagement(t) => engagement(t, workspace, place, notes),
        Alternative::Score(t) => {
            let metric = format!("Score {} reached {}", t.model, crate::audience::print_number(t.threshold));
            notes.impossible(
                "klaviyo/score",
                place.clone(),
                format!("Klaviyo does not weigh events: nobody enters until the shop sends \u{201c}{metric}\u{201d} itself"),
                format!("Work out the score outside and send the event \u{201c}{metric}\u{201d} when it crosses the threshold"),
            );
            let mut start = metric_start(&metric, workspace, notes);
            // The tags of the event that crossed the threshold are not in that event.
            start.metric_id = Some(start.entry.trigger_id.clone());
            start
        }
        Alternative::Segment(t) => {
            let name = if t.leaves { format!("not {}", t.segment) } else { t.segment.to_string() };
            let how = match workspace.segments.get(&t.segment) {
                Some(text) => format!(
                    "{}; its condition: {}{}",
                    segment_how(&name),
                    if t.leaves { "not " } else { "" },
                    text.text()
                ),
                None => segment_how(&name),
            };
            let id = notes.id(ids, "segment", &name, || how);
            if t.leaves {
                notes.approximate(
                    "klaviyo/segment-leaves",
                    place.clone(),
                    format!("Klaviyo starts flows on entering a segment only, so \u{201c}{name}\u{201d} has to be built as a segment; whoever was never in \u{201c}{}\u{201d} is in it from the start and does not enter", t.segment),
                    format!("Build the segment \u{201c}{name}\u{201d} with the opposite condition"),
                );
            }
            notes.approximate(
                "klaviyo/segment",
                place.clone(),
                "Messages go only to contacts who are still in the segment when they leave",
                "Take a condition that stays true, or accept that those who left are not mailed",
            );
            plain_start("segment", id)
        }
        Alternative::List(t) => plain_start("list", super::filters::list_id(workspace, &t.list, notes)),
        Alternative::Date(t) => date(t, place, notes),
        Alternative::Foreign(t) => foreign(t, place, notes),
        Alternative::Inactivity(t) => {
            let event = entry.event.cloned().unwrap_or_default();
            let mut start = metric_start(&event, workspace, notes);
            start.wait = t.after;
            start.always = t.events.iter().map(|e| never_since(e, None)).collect();
            start.restarts = true;
            let who = notes.counted(|people| people.did_none(&t.events));
            notes.approximate(
                "klaviyo/inactivity",
                place.clone(),
                format!("The clock starts at an event, so contacts who never did {}{who} do not enter {} after they were created", super::filters::quoted(&t.events), t.after),
                "Send them a flow of their own, started by a segment of profiles without such an event",
            );
            start
        }
    }
}

/// Klaviyo gets its own trigger back as it was; what came from elsewhere leaves the flow without one.
fn foreign(t: &ForeignTrigger, place: &Place, notes: &mut Notes) -> Start {
    let mut start = plain_start("metric", String::new());
    let json = serde_json::from_str::<Json>(&t.json).ok().filter(Json::is_object);
    match json {
        Some(json) if t.origin == Origin::Klaviyo => start.trigger = json,
        _ => {
            notes.foreign_trigger(Target::Klaviyo, t, place);
            start.trigger = json!({"type": "metric", "id": null, "trigger_filter": null});
        }
    }
    start
}

/// "None of that since the flow began."
fn never_since(metric: &SmolStr, filter: Option<&ConditionText>) -> Condition {
    count(metric, filter, EventWindow::SinceEntry, CompareOp::Eq, 0.0)
}

fn count(
    metric: &SmolStr,
    filter: Option<&ConditionText>,
    window: EventWindow,
    op: CompareOp,
    value: f64,
) -> Condition {
    Condition::Events(EventQuery {
        metric: metric.clone(),
        filter: filter.map(|f| Box::new(f.condition().clone())),
        measure: Measure::Count,
        window,
        op,
        value,
    })
}

fn none_of(list: &[EventMatch], window: EventWindow) -> Vec<Condition> {
    list.iter().map(|m| count(&m.event, m.filter.as_ref(), window, CompareOp::Eq, 0.0)).collect()
}

fn abandonment(t: &Abandonment, workspace: &Workspace, place: &Place, notes: &mut Notes) -> Start {
    let mut start = metric_start(&t.start, workspace, notes);
    start.wait = t.after;
    start.gate = t.filter.as_ref().map(|f| f.condition().clone());
    start.always = none_of(&t.unless, EventWindow::SinceEntry);
    match t.again {
        Again::Restart => {
            start.restarts = true;
            start.always.push(never_since(&t.start, t.filter.as_ref()));
            notes.approximate(
                "klaviyo/abandonment-restart",
                place.clone().with_field("again"),
                format!("Each \u{201c}{}\u{201d} starts a pass of its own and stops the one before, also one whose mails have begun; in the flow a running sequence goes on", t.start),
                "Nothing to do where the event rarely comes again within the sequence",
            );
        }
        Again::Keep | Again::Add => {}
    }
    if t.grace.about_millis() > t.after.about_millis() {
        notes.approximate(
            "klaviyo/grace",
            place.clone().with_field("grace"),
            format!("The grace of {} after arrival is not kept, the wait is {} after the event", t.grace, t.after),
            "Make the wait at least as long as the grace",
        );
    }
    start
}

fn engagement(t: &Engagement, workspace: &Workspace, place: &Place, notes: &mut Notes) -> Start {
    let mut start = metric_start(&t.event, workspace, notes);
    let window = EventWindow::Last(t.within);
    let mut gate: Vec<Condition> = t.filter.iter().map(|f| f.condition().clone()).collect();
    match &t.measure {
        MeasureBy::Count => {
            // Exactly so many at this event is what "reaches" means; of all of them together where only those that
            // share something count, that instant says nothing.
            let op = if t.same.is_some() { CompareOp::Ge } else { CompareOp::Eq };
            if t.same.is_some() {
                notes.approximate(
                    "klaviyo/engagement-again",
                    place.clone(),
                    format!(
                        "Every \u{201c}{}\u{201d} after the number was reached enters too, as far as re-entry allows",
                        t.event
                    ),
                    "Choose a cooldown as the re-entry rule",
                );
            }
            gate.push(count(&t.event, t.filter.as_ref(), window, op, t.at_least.ceil()));
        }
        MeasureBy::Sum(path) => {
            notes.approximate(
                "klaviyo/engagement-again",
                place.clone(),
                format!(
                    "Every \u{201c}{}\u{201d} after the sum was reached enters too, as far as re-entry allows",
                    t.event
                ),
                "Choose a cooldown as the re-entry rule",
            );
            gate.push(Condition::Events(EventQuery {
                metric: t.event.clone(),
                filter: t.filter.as_ref().map(|f| Box::new(f.condition().clone())),
                measure: Measure::Sum(path.clone()),
                window,
                op: CompareOp::Ge,
                value: t.at_least,
            }));
        }
        MeasureBy::Max(path) => {
            notes.approximate(
                "klaviyo/engagement-again",
                place.clone(),
                format!(
                    "Every \u{201c}{}\u{201d} of at least {} enters, not only the first within {}",
                    t.event,
                    number(t.at_least),
                    t.within
                ),
                "Choose a cooldown as the re-entry rule",
            );
            gate.push(Condition::Compare {
                left: Path { root: Root::Event, steps: path.steps.clone() },
                op: CompareOp::Ge,
                right: Operand::Value(crate::audience::Value::Number(t.at_least)),
            });
        }
    }
    if let Some(same) = &t.same {
        notes.impossible(
            "klaviyo/engagement-same",
            place.clone().with_field("same"),
            format!(
                "Klaviyo counts all \u{201c}{}\u{201d} together, not those with the same `{}`, so more contacts enter",
                t.event,
                path_text(same)
            ),
            format!(
                "Let the shop send an event of its own when the same `{}` was counted {} times",
                path_text(same),
                number(t.at_least)
            ),
        );
    }
    gate.extend(none_of(&t.unless, window));
    start.gate = Some(Condition::All(gate));
    start
}

fn date(t: &DateTrigger, place: &Place, notes: &mut Notes) -> Start {
    let property = match property_name(&t.property) {
        Ok(name) => name,
        Err(why) => {
            notes.impossible(
                "klaviyo/date",
                place.clone(),
                format!("`{}` cannot be a date trigger: {why}", path_text(&t.property)),
                "Keep the date in a property of the profile",
            );
            path_text(&t.property)
        }
    };
    let before = t.offset.negated();
    let (value, unit) = if before.days == 0 && before.months > 0 && before.millis == 0 {
        (before.months, "months")
    } else if before.about_millis() <= 0 {
        (0, "days")
    } else {
        if before.months != 0 || before.millis != 0 {
            notes.approximate(
                "klaviyo/date-offset",
                place.clone(),
                format!("{} before the date are written as {} whole days", before, before.about_millis() / 86_400_000),
                "Choose whole days, weeks or months",
            );
        }
        ((before.about_millis() / 86_400_000) as i32, "days")
    };
    let wait = if t.offset.about_millis() > 0 { t.offset } else { Span::ZERO };
    Start {
        trigger: json!({
            "type": "date", "date_field_type": "profile-property", "date_profile_property": property,
            "timedelta_unit_before_date": unit, "timedelta_value_before_date": value,
            "recurrence_frequency": if t.yearly { "annually" } else { "never" },
            "timezone": "profile", "trigger_time": format!("{}:00", t.at),
        }),
        entry: Entry { trigger_type: "date", trigger_id: String::new(), date: property_name(&t.property).ok() },
        metric_id: None,
        wait,
        gate: None,
        always: Vec::new(),
        restarts: false,
    }
}
