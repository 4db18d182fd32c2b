//! Conditions as Klaviyo asks them: groups joined by AND, conditions inside a group by OR.
//!
//! Source of every shape: the flows API, revision 2026-07-15 (`FlowDefinition` and the schemas below it). What cannot
//! be asked becomes a profile property that the shop keeps itself, and a loss that says so.

use serde_json::{Value as Json, json};
use smol_str::SmolStr;

use crate::{
    audience::{
        Channel, Condition, ConsentStatus, Path, ResponseKind, Value, ValueType,
        condition::{CompareOp, EventQuery, EventWindow, Measure, Operand, Root},
    },
    base::{Place, Span},
    flow::Workspace,
    kinds::{CapRule, Limit, Scope},
    platforms::{
        Notes, Unit,
        normal::{Literal, Names, path_text},
        parts_of,
    },
};

/// A condition in groups, each with what it asks about.
pub(super) struct Asked {
    pub groups: Vec<Group>,
}

/// Conditions joined by OR.
#[derive(Default)]
pub(super) struct Group {
    pub conditions: Vec<Json>,
    pub has_event: bool,
    pub has_profile: bool,
}

/// What a filter may ask about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum About {
    Profile,
    Event,
    Both,
}

impl Asked {
    /// What it asks about altogether; the profile where it asks nothing.
    pub fn about(&self) -> About {
        let event = self.groups.iter().any(|g| g.has_event);
        let profile = self.groups.iter().any(|g| g.has_profile);
        match (event, profile) {
            (true, true) => About::Both,
            (true, false) => About::Event,
            (false, _) => About::Profile,
        }
    }

    /// As JSON; null where it asks nothing.
    pub fn filter(&self) -> Json {
        groups_to_json(self.groups.iter().map(|g| g.conditions.clone()).collect())
    }
}

/// Groups as a filter; null where there are none.
pub(super) fn groups_to_json(groups: Vec<Vec<Json>>) -> Json {
    if groups.is_empty() {
        return Json::Null;
    }
    let groups: Vec<Json> = groups.into_iter().map(|conditions| json!({"conditions": conditions})).collect();
    json!({"condition_groups": groups})
}

/// Turns conditions into filters for one flow body.
pub(super) struct Asker<'a> {
    pub names: Names<'a>,
    pub workspace: &'a Workspace,
    /// Id of the metric that triggers this body; without it event parts never hold (SEMANTICS R12).
    pub metric_id: Option<String>,
}

/// A number as Klaviyo writes it: whole where it is whole.
pub(super) fn number(n: f64) -> Json {
    if n.fract() == 0.0 && n.abs() < 9e15 {
        json!(n as i64)
    } else {
        serde_json::Number::from_f64(n).map_or(Json::Null, Json::Number)
    }
}

impl<'a> Asker<'a> {
    /// The condition in groups. Everything can be asked in the end: what Klaviyo cannot is a property kept outside.
    pub fn ask(&self, condition: &Condition, place: &Place, notes: &mut Notes) -> Asked {
        let Some(cnf) = self.names.cnf(condition) else {
            let json =
                self.outside(&condition.to_string(), false, "it has too many cases when written out", place, notes);
            return Asked { groups: vec![Group { conditions: vec![json], has_event: false, has_profile: true }] };
        };
        let mut groups = Vec::new();
        for literals in cnf {
            let mut group = Group::default();
            for literal in &literals {
                if is_event(literal) {
                    let Some(metric_id) = &self.metric_id else { continue };
                    match self.event_condition(literal, metric_id) {
                        Ok(json) => {
                            group.conditions.push(json);
                            group.has_event = true;
                            continue;
                        }
                        Err(why) => {
                            let text = literal.atom.to_string();
                            group.conditions.push(self.outside(&text, literal.negated, &why, place, notes));
                        }
                    }
                } else {
                    match self.profile_conditions(literal, place, notes) {
                        Ok(list) => group.conditions.extend(list),
                        Err(why) => {
                            let text = literal.atom.to_string();
                            group.conditions.push(self.outside(&text, literal.negated, &why, place, notes));
                        }
                    }
                }
                group.has_profile = true;
            }
            if group.conditions.is_empty() {
                group.conditions.push(never());
                group.has_profile = true;
            }
            groups.push(group);
        }
        Asked { groups }
    }

    /// The condition asked of the profile alone; event parts are left out with a loss.
    pub fn ask_profile(&self, condition: &Condition, place: &Place, notes: &mut Notes) -> Vec<Vec<Json>> {
        let asked = self.ask(condition, place, notes);
        let mut out = Vec::new();
        for group in asked.groups {
            if group.has_event {
                notes.impossible(
                    "klaviyo/event-in-profile-filter",
                    place.clone(),
                    "A filter that Klaviyo checks before every step cannot look at the trigger event, so this part is left out",
                    "Ask it in a condition step at the beginning instead",
                );
            } else {
                out.push(group.conditions);
            }
        }
        out
    }

    /// A yes/no property that the shop keeps itself, in place of what Klaviyo cannot ask.
    fn outside(&self, what: &str, negated: bool, why: &str, place: &Place, notes: &mut Notes) -> Json {
        let name: String = format!("Flowloom: {what}").chars().take(120).collect();
        notes.impossible(
            "klaviyo/condition",
            place.clone(),
            format!("Klaviyo cannot ask `{what}`: {why}; the answer is read from the profile property \u{201c}{name}\u{201d}, and is no until that is kept"),
            format!("Let the shop keep the yes/no property \u{201c}{name}\u{201d} on its profiles, or ask something else"),
        );
        let filter = json!({"type": "boolean", "operator": "equals", "value": !negated});
        property(&format!("properties['{}']", name.replace('\'', "\\'")), &filter)
    }

    /// Conditions on the profile, joined by OR.
    fn profile_conditions(&self, literal: &Literal, place: &Place, notes: &mut Notes) -> Result<Vec<Json>, String> {
        let negated = literal.negated;
        Ok(match &literal.atom {
            Condition::Compare { left, op, right } => self.compare_profile(left, *op, right, negated, place, notes)?,
            Condition::IsSet(path) => {
                let operator = if negated { "not-set" } else { "is-set" };
                vec![property(&property_name(path)?, &json!({"type": "existence", "operator": operator}))]
            }
            Condition::Events(query) => vec![self.events(query, negated, place, notes)?],
            Condition::InList(name) => vec![self.in_list(name, !negated, notes)],
            Condition::InSegment(name) => {
                notes.approximate(
                    "klaviyo/segment-filter",
                    place.clone(),
                    format!("Segment \u{201c}{name}\u{201d} is asked by its id; whether flows accept segments there is not documented"),
                    "Add the segment to the workspace so that its condition is written out, or test the imported flow",
                );
                let id = notes.id(&self.workspace.klaviyo.ids, "segment", name, || segment_how(name));
                vec![json!({"type": "profile-group-membership", "is_member": !negated, "group_ids": [id]})]
            }
            Condition::Consent { channel, status } => consent(*channel, *status, negated),
            Condition::Response { response, node, link, window } => {
                vec![self.response(
                    *response,
                    node.as_ref().map(|n| n.as_str()),
                    link.as_deref(),
                    *window,
                    negated,
                    place,
                    notes,
                )?]
            }
            Condition::Share { share, .. } => vec![sample(*share, negated, place, notes)],
            Condition::Score { .. } => return Err("it does not weigh events".into()),
            Condition::LocalTime(_) => return Err("filters do not know the time of day".into()),
            // Gone when multiplied out.
            Condition::Always(_) | Condition::All(_) | Condition::Any(_) | Condition::Not(_) => vec![never()],
        })
    }

    fn in_list(&self, name: &str, is_member: bool, notes: &mut Notes) -> Json {
        let id = list_id(self.workspace, name, notes);
        json!({"type": "profile-group-membership", "is_member": is_member, "group_ids": [id]})
    }

    fn compare_profile(
        &self,
        left: &Path,
        op: CompareOp,
        right: &Operand,
        negated: bool,
        place: &Place,
        notes: &mut Notes,
    ) -> Result<Vec<Json>, String> {
        let name = property_name(left)?;
        let declared = left.steps.first().and_then(|first| self.workspace.properties.get(first)).copied();
        let filters = match right {
            Operand::Value(value) => filters(op, value, negated, declared)?,
            Operand::Now(span) => vec![relative(op, *span, negated, place, notes)?],
            Operand::Path(path) => return Err(format!("it compares with another value, `{}`", path_text(path))),
        };
        if matches!(right, Operand::Value(Value::Money(_))) {
            notes.approximate(
                "klaviyo/currency",
                place.clone(),
                format!("`{}` is compared as a bare number, in whatever currency the profile holds", path_text(left)),
                "Keep the property in one currency",
            );
        }
        Ok(filters.iter().map(|filter| property(&name, filter)).collect())
    }

    fn event_condition(&self, literal: &Literal, metric_id: &str) -> Result<Json, String> {
        let (path, mut filters) = match &literal.atom {
            Condition::Compare { left, op, right: Operand::Value(value) } => {
                (left, filters(*op, value, literal.negated, None)?)
            }
            Condition::Compare { right: Operand::Path(path), .. } => {
                return Err(format!("it compares with another value, `{}`", path_text(path)));
            }
            Condition::IsSet(path) => {
                let operator = if literal.negated { "not-set" } else { "is-set" };
                (path, vec![json!({"type": "existence", "operator": operator})])
            }
            _ => return Err("event properties are compared with fixed values only".into()),
        };
        let [field] = path.steps.as_slice() else {
            return Err("only properties at the top of an event can be filtered".into());
        };
        if filters.len() != 1 {
            return Err("it takes two conditions where one fits".into());
        }
        let filter = filters.remove(0);
        Ok(json!({"type": "metric-property", "metric_id": metric_id, "field": field.as_str(), "filter": filter}))
    }

    fn events(&self, query: &EventQuery, negated: bool, place: &Place, notes: &mut Notes) -> Result<Json, String> {
        let measurement = match &query.measure {
            Measure::Count => "count",
            Measure::Sum(path) => {
                if !matches!(path.steps.as_slice(), [one] if one == "value" || one == "$value") {
                    notes.approximate(
                        "klaviyo/sum",
                        place.clone(),
                        format!(
                            "Klaviyo adds up the value of each \u{201c}{}\u{201d}, not `{}`",
                            query.metric,
                            path_text(path)
                        ),
                        "Let the shop send that number as the event's value",
                    );
                }
                "sum"
            }
            Measure::Max(_) => return Err("it has no largest value over events".into()),
        };
        let op =
            if negated { query.op.negated() } else { Some(query.op) }.ok_or("the comparison has no counterpart")?;
        let counts = query.measure == Measure::Count;
        // Counts are whole: "less than one" is "none", "at least one" is "more than none", as the editor writes them.
        let (op, value) = match (op, query.value) {
            (CompareOp::Lt, 1.0) if counts => (CompareOp::Eq, 0.0),
            (CompareOp::Ge, 1.0) if counts => (CompareOp::Gt, 0.0),
            other => other,
        };
        let operator = numeric_operator(op).ok_or("the comparison has no counterpart")?;
        let metric_id = metric_id(self.workspace, &query.metric, notes);
        let timeframe = timeframe(query.window, place, notes);
        let mut metric_filters = Vec::new();
        if let Some(filter) = &query.filter {
            self.metric_filters(filter, &query.metric, place, notes, &mut metric_filters);
        }
        Ok(profile_metric(&metric_id, measurement, operator, number(value), &timeframe, metric_filters))
    }

    /// Filters on the events of a metric, joined by AND; what does not fit is left out with a loss.
    fn metric_filters(&self, filter: &Condition, metric: &str, place: &Place, notes: &mut Notes, out: &mut Vec<Json>) {
        let terms = self.names.dnf(filter).unwrap_or_default();
        let [literals] = terms.as_slice() else {
            notes.impossible(
                "klaviyo/event-filter",
                place.clone(),
                format!("Klaviyo joins filters on \u{201c}{metric}\u{201d} by AND only, so `{filter}` is left out and every one counts"),
                "Split the condition into one per case",
            );
            return;
        };
        for literal in literals {
            match metric_filter(literal) {
                Ok(json) => out.push(json),
                Err(why) => notes.approximate(
                    "klaviyo/event-filter",
                    place.clone(),
                    format!(
                        "Every \u{201c}{metric}\u{201d} counts, since Klaviyo cannot ask `{}`: {why}",
                        literal.to_condition()
                    ),
                    "Let the shop send the events that count under a name of their own",
                ),
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one leaf")]
    fn response(
        &self,
        response: ResponseKind,
        node: Option<&str>,
        link: Option<&str>,
        window: EventWindow,
        negated: bool,
        place: &Place,
        notes: &mut Notes,
    ) -> Result<Json, String> {
        let metric = match response {
            ResponseKind::Opened => "Opened Email",
            ResponseKind::Clicked => "Clicked Email",
            ResponseKind::Bounced => "Bounced Email",
            ResponseKind::Unsubscribed => "Unsubscribed",
            ResponseKind::Complained => "Marked Email as Spam",
            ResponseKind::Replied => return Err("replies are not events there".into()),
        };
        let which = match (node, link) {
            (Some(node), Some(link)) => format!("only of message step `{node}` by its link `{link}`"),
            (Some(node), None) => format!("only of message step `{node}`"),
            (None, Some(link)) => format!("only by the link `{link}` in a mail of this flow"),
            (None, None) => "only of the mails of this flow".to_owned(),
        };
        notes.approximate(
            "klaviyo/response",
            place.clone(),
            format!("\u{201c}{metric}\u{201d} of any e-mail since the flow began counts, not {which}"),
            "Open the split in Klaviyo after the import and choose the message in it",
        );
        let operator = if negated { "equals" } else { "greater-than" };
        let metric_id = metric_id(self.workspace, metric, notes);
        // Answers belong to the journey that sent the message.
        let window = if window == EventWindow::Ever { EventWindow::SinceEntry } else { window };
        let timeframe = timeframe(window, place, notes);
        Ok(profile_metric(&metric_id, "count", operator, json!(0), &timeframe, Vec::new()))
    }

    /// "There is room under these caps", for `channel`: rows in order, the first whose segment matches counts.
    pub fn room(&self, caps: &[CapRule], channel: Channel, place: &Place, notes: &mut Notes) -> Vec<Vec<Json>> {
        let mut groups = Vec::new();
        for scope in [Scope::Workspace, Scope::Flow] {
            let mut earlier: Vec<Condition> = Vec::new();
            for cap in caps.iter().filter(|cap| cap.channel == channel && cap.scope == scope) {
                let segment = cap.segment.clone().map(Condition::InSegment);
                if let Limit::AtMost(most) = cap.limit {
                    if scope == Scope::Flow {
                        notes.approximate(
                            "klaviyo/cap-scope",
                            place.clone(),
                            format!("The cap of {most} in {} counts the messages of all flows and campaigns, not only of this flow", cap.within),
                            "Raise the number, or leave the flow's own cap out",
                        );
                    }
                    let mut any = earlier.clone();
                    any.extend(segment.clone().map(|s| Condition::Not(Box::new(s))));
                    any.push(received_fewer(channel, most, cap.within));
                    groups.extend(self.ask_profile(&Condition::Any(any), place, notes));
                }
                match segment {
                    Some(segment) => earlier.push(segment),
                    None => break,
                }
            }
        }
        groups
    }
}

/// "Received fewer than so many messages of a channel within so long", as a condition over the platform's own metric.
fn received_fewer(channel: Channel, most: u32, within: Span) -> Condition {
    let metric = if channel == Channel::Email { "Received Email" } else { "Received SMS" };
    Condition::Events(EventQuery {
        metric: metric.into(),
        filter: None,
        measure: Measure::Count,
        window: EventWindow::Last(within),
        op: CompareOp::Lt,
        value: f64::from(most),
    })
}

/// A cap rule as the question whether there is room.
pub(super) fn room_condition(cap: &CapRule) -> Condition {
    match cap.limit {
        Limit::None => Condition::Always(true),
        Limit::AtMost(most) => {
            let fewer = received_fewer(cap.channel, most, cap.within);
            match &cap.segment {
                None => fewer,
                Some(segment) => {
                    Condition::Any(vec![Condition::Not(Box::new(Condition::InSegment(segment.clone()))), fewer])
                }
            }
        }
    }
}

/// Whether a leaf is about the event that let the contact in (or is under test).
pub(super) fn is_event(literal: &Literal) -> bool {
    match &literal.atom {
        Condition::Compare { left, .. } | Condition::IsSet(left) => matches!(left.root, Root::Trigger | Root::Event),
        _ => false,
    }
}

/// A condition that never holds: a property that nobody has.
pub(super) fn never() -> Json {
    property("properties['Flowloom: never']", &json!({"type": "existence", "operator": "is-set"}))
}

fn property(name: &str, filter: &Json) -> Json {
    json!({"type": "profile-property", "property": name, "filter": filter})
}

pub(super) fn profile_metric(
    metric_id: &str,
    measurement: &str,
    operator: &str,
    value: Json,
    timeframe: &Json,
    metric_filters: Vec<Json>,
) -> Json {
    let filters = if metric_filters.is_empty() { Json::Null } else { Json::Array(metric_filters) };
    json!({
        "type": "profile-metric", "metric_id": metric_id, "measurement": measurement,
        "measurement_filter": {"type": "numeric", "operator": operator, "value": value},
        "timeframe_filter": timeframe, "metric_filters": filters,
    })
}

/// The metric's id, or its placeholder. The catalogue of the workspace knows the platform's name of an event.
pub(super) fn metric_id(workspace: &Workspace, metric: &str, notes: &mut Notes) -> String {
    let name = workspace.event(metric).and_then(|e| e.klaviyo.as_deref()).unwrap_or(metric);
    if let Some(id) = workspace.klaviyo.ids.get(&format!("metric:{metric}")) {
        return id.clone();
    }
    notes.id(&workspace.klaviyo.ids, "metric", name, || {
        format!(
            "GET /api/metrics, all pages, the entry whose name is \u{201c}{name}\u{201d}; a metric exists only after one such event \
             has arrived, and a name may be there once for each integration"
        )
    })
}

pub(super) fn list_id(workspace: &Workspace, name: &str, notes: &mut Notes) -> String {
    notes.id(&workspace.klaviyo.ids, "list", name, || {
        format!("GET /api/lists, the entry whose name is \u{201c}{name}\u{201d}; create the list if it is missing")
    })
}

pub(super) fn segment_how(name: &str) -> String {
    format!(
        "GET /api/segments, the entry whose name is \u{201c}{name}\u{201d}; build the segment first if it is missing"
    )
}

/// The name of a contact's property in filters.
pub(super) fn property_name(path: &Path) -> Result<String, String> {
    if path.root != Root::Contact {
        return Err(format!("`{}` is not a value of the profile", path_text(path)));
    }
    let [name] = path.steps.as_slice() else {
        return Err("only properties at the top of a profile can be asked".into());
    };
    Ok(match name.as_str() {
        "email" | "first_name" | "last_name" | "title" | "organization" => name.to_string(),
        "phone" => "phone_number".into(),
        "city" | "country" | "region" | "zip" | "address1" | "address2" => format!("location['{name}']"),
        "zone" => "location['timezone']".into(),
        "language" => "locale".into(),
        "created_at" => "created".into(),
        other => format!("properties['{}']", other.replace('\\', "\\\\").replace('\'', "\\'")),
    })
}

fn numeric_operator(op: CompareOp) -> Option<&'static str> {
    Some(match op {
        CompareOp::Eq => "equals",
        CompareOp::Ne => "not-equals",
        CompareOp::Lt => "less-than",
        CompareOp::Le => "less-than-or-equal",
        CompareOp::Gt => "greater-than",
        CompareOp::Ge => "greater-than-or-equal",
        CompareOp::In | CompareOp::NotIn | CompareOp::Contains | CompareOp::StartsWith | CompareOp::EndsWith => {
            return None;
        }
    })
}

/// Filters for a comparison with a fixed value, joined by OR. A missing value passes none of them, as in a flow.
fn filters(op: CompareOp, value: &Value, negated: bool, declared: Option<ValueType>) -> Result<Vec<Json>, String> {
    use CompareOp::{Contains, EndsWith, Eq, Ge, Gt, In, Le, Lt, Ne, NotIn, StartsWith};
    let plain = if negated { op.negated() } else { Some(op) };
    let wrong = || Err(format!("`{value}` cannot be compared that way"));
    Ok(match value {
        Value::Text(text) => {
            let operator = match (plain, op, negated) {
                (Some(Eq), ..) => "equals",
                (Some(Ne), ..) => "not-equals",
                (_, Contains, _) if declared == Some(ValueType::List) => {
                    let operator = if negated { "not-contains" } else { "contains" };
                    return Ok(vec![json!({"type": "list", "operator": operator, "value": text.as_str()})]);
                }
                (_, Contains, false) => "contains",
                (_, Contains, true) => "not-contains",
                (_, StartsWith, false) => "starts-with",
                (_, StartsWith, true) => "not-starts-with",
                (_, EndsWith, false) => "ends-with",
                (_, EndsWith, true) => "not-ends-with",
                (Some(In), ..) => {
                    return Ok(vec![json!({"type": "string", "operator": "in", "value": [text.as_str()]})]);
                }
                (Some(NotIn), ..) => {
                    return Ok(vec![json!({"type": "string", "operator": "not-in", "value": [text.as_str()]})]);
                }
                _ => return Err("texts have no order there".into()),
            };
            vec![json!({"type": "string", "operator": operator, "value": text.as_str()})]
        }
        Value::Number(_) | Value::Money(_) => {
            let Some(operator) = plain.and_then(numeric_operator) else { return wrong() };
            vec![json!({"type": "numeric", "operator": operator, "value": number(value.as_number().unwrap_or(0.0))})]
        }
        Value::Bool(yes) => match plain {
            Some(Eq) => vec![json!({"type": "boolean", "operator": "equals", "value": yes})],
            Some(Ne) => vec![json!({"type": "boolean", "operator": "equals", "value": !yes})],
            _ => return wrong(),
        },
        Value::Date(date) => {
            let (Ok(before), Ok(after)) = (date.yesterday(), date.tomorrow()) else { return wrong() };
            let start = |d: jiff::civil::Date| format!("{d}T00:00:00Z");
            let end = |d: jiff::civil::Date| format!("{d}T23:59:59Z");
            let before_day = |d: jiff::civil::Date| json!({"type": "date", "operator": "before", "date": start(d)});
            let after_day = |d: jiff::civil::Date| json!({"type": "date", "operator": "after", "date": end(d)});
            match plain {
                Some(Eq) => vec![
                    json!({"type": "date", "operator": "between-static", "start": start(*date), "end": end(*date)}),
                ],
                Some(Ne) => vec![before_day(*date), after_day(*date)],
                Some(Lt) => vec![before_day(*date)],
                Some(Le) => vec![before_day(after)],
                Some(Gt) => vec![after_day(*date)],
                Some(Ge) => vec![after_day(before)],
                _ => return wrong(),
            }
        }
        Value::Instant(at) => match plain {
            Some(Lt | Le) => vec![json!({"type": "date", "operator": "before", "date": at.to_string()})],
            Some(Gt | Ge) => vec![json!({"type": "date", "operator": "after", "date": at.to_string()})],
            _ => return Err("an instant is compared by before and after only".into()),
        },
        Value::List(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_text).collect();
            match (plain, texts) {
                (Some(In), Some(texts)) => vec![json!({"type": "string", "operator": "in", "value": texts})],
                (Some(NotIn), Some(texts)) => vec![json!({"type": "string", "operator": "not-in", "value": texts})],
                _ => return wrong(),
            }
        }
        Value::Object(_) => return wrong(),
    })
}

/// A comparison with now, moved by a span.
fn relative(op: CompareOp, span: Span, negated: bool, place: &Place, notes: &mut Notes) -> Result<Json, String> {
    let op = if negated { op.negated() } else { Some(op) };
    let later = matches!(op, Some(CompareOp::Gt | CompareOp::Ge));
    if !later && !matches!(op, Some(CompareOp::Lt | CompareOp::Le)) {
        return Err("a moving date is compared by before and after only".into());
    }
    let past = span.about_millis() <= 0;
    let (quantity, unit) = window_units(if past { span.negated() } else { span }, place, notes);
    let operator = match (past, later) {
        (true, true) => "in-the-last",
        (true, false) => "at-least",
        (false, false) => "in-the-next",
        (false, true) => return Err("dates that lie further ahead than a span cannot be asked".into()),
    };
    if operator != "at-least" {
        let side = if past { "in the future" } else { "in the past" };
        notes.approximate(
            "klaviyo/relative-date",
            place.clone(),
            format!("Klaviyo's \u{201c}{}\u{201d} leaves out dates that lie {side}", operator.replace('-', " ")),
            "Nothing to do where the property holds no such dates",
        );
    }
    Ok(json!({"type": "date", "operator": operator, "unit": unit, "quantity": quantity}))
}

/// A span in whole hours, days or weeks, rounded up.
pub(super) fn window_units(span: Span, place: &Place, notes: &mut Notes) -> (i64, &'static str) {
    let (parts, mut cost) = parts_of(span);
    let (mut quantity, mut unit) = match parts.as_slice() {
        [(n, Unit::Days)] => (*n, "day"),
        [(n, Unit::Hours)] => (*n, "hour"),
        _ => {
            let hours = span.about_millis().max(1).div_euclid(3_600_000);
            let exact = span.about_millis() == hours * 3_600_000;
            let hours = if exact { hours } else { hours + 1 };
            if !exact {
                let minutes = hours * 60 - span.about_millis() / 60_000;
                cost = format!(
                    "{span} are rounded up to {hours} h, {minutes} min more, since Klaviyo has no minutes there"
                );
            }
            (hours.max(1), "hour")
        }
    };
    if unit == "day" && quantity % 7 == 0 && quantity > 0 {
        (quantity, unit) = (quantity / 7, "week");
    }
    if !cost.is_empty() {
        notes.approximate("klaviyo/window", place.clone(), cost, "Choose a window of whole hours or days");
    }
    (quantity, unit)
}

pub(super) fn timeframe(window: EventWindow, place: &Place, notes: &mut Notes) -> Json {
    match window {
        EventWindow::Ever => json!({"type": "date", "operator": "alltime"}),
        EventWindow::SinceEntry => json!({"type": "date", "operator": "flow-start"}),
        EventWindow::Last(span) => {
            let (quantity, unit) = window_units(span, place, notes);
            json!({"type": "date", "operator": "in-the-last", "unit": unit, "quantity": quantity})
        }
    }
}

/// A filter on a property of counted events; no dates, no two values compared.
fn metric_filter(literal: &Literal) -> Result<Json, String> {
    let (path, filter) = match &literal.atom {
        Condition::Compare { right: Operand::Path(other), .. } => {
            return Err(format!("it compares with another value, `{}`", path_text(other)));
        }
        Condition::Compare { left, op, right: Operand::Value(value) } if left.root == Root::Event => {
            if matches!(value, Value::Date(_) | Value::Instant(_)) {
                return Err("dates cannot be filtered there".into());
            }
            let mut list = filters(*op, value, literal.negated, None)?;
            if list.len() != 1 || list[0]["type"] == "list" {
                return Err("it has no counterpart there".into());
            }
            (left, list.remove(0))
        }
        Condition::IsSet(path) if path.root == Root::Event => {
            let operator = if literal.negated { "not-set" } else { "is-set" };
            (path, json!({"type": "existence", "operator": operator}))
        }
        _ => return Err("only properties of the event itself can be filtered".into()),
    };
    let [name] = path.steps.as_slice() else {
        return Err("only properties at the top of an event can be filtered".into());
    };
    Ok(json!({"property": name.as_str(), "filter": filter}))
}

/// Consent on a channel, joined by OR.
fn consent(channel: Channel, status: ConsentStatus, negated: bool) -> Vec<Json> {
    if negated {
        let all = [ConsentStatus::Subscribed, ConsentStatus::Unknown, ConsentStatus::Unsubscribed];
        return all.into_iter().filter(|s| *s != status).flat_map(|s| consent(channel, s, false)).collect();
    }
    let one = |can: bool, status: Json| {
        json!({"type": "profile-marketing-consent",
            "consent": {"channel": channel.name(), "can_receive_marketing": can, "consent_status": status}})
    };
    match (channel, status) {
        (_, ConsentStatus::Subscribed) => vec![one(true, json!({"subscription": "subscribed"}))],
        (_, ConsentStatus::Unsubscribed) => vec![one(false, json!({"subscription": "unsubscribed"}))],
        (Channel::Email, ConsentStatus::Unknown) => vec![
            one(true, json!({"subscription": "never_subscribed"})),
            one(false, json!({"subscription": "never_subscribed", "filters": []})),
        ],
        (Channel::Sms, ConsentStatus::Unknown) => vec![one(false, json!({"subscription": "never_subscribed"}))],
    }
}

/// "Can get marketing, subscribed or not": required consent `not_unsubscribed`.
pub(super) fn reachable(channel: Channel) -> Json {
    let subscription = if channel == Channel::Email { "any" } else { "subscribed" };
    json!({"type": "profile-marketing-consent",
        "consent": {"channel": channel.name(), "can_receive_marketing": true, "consent_status": {"subscription": subscription}}})
}

/// A random share, in whole percents from 1 to 99.
fn sample(share: u32, negated: bool, place: &Place, notes: &mut Notes) -> Json {
    let share = if negated { 10_000_u32.saturating_sub(share) } else { share };
    let percent = ((share + 50) / 100).clamp(1, 99);
    let rounding = if percent * 100 == share {
        String::new()
    } else {
        format!("{} % become {percent} %, and ", f64::from(share) / 100.0)
    };
    notes.approximate(
        "klaviyo/share",
        place.clone(),
        format!("{rounding}Klaviyo draws its own sample, so other contacts are in it than in the preview"),
        "Nothing to do, unless two shares have to fall on the same contacts",
    );
    json!({"type": "profile-sample", "percentage": percent})
}

/// The name of the thing a span of names stands for, for texts.
pub(super) fn quoted(names: &[SmolStr]) -> String {
    names.iter().map(|n| format!("\u{201c}{n}\u{201d}")).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowSettings;

    fn workspace() -> Workspace {
        let source = r#"(version: 1, segments: {"VIP": "contact.lifetime_value > 500"}, properties: {"tags": list})"#;
        crate::flow::file::read_workspace(source).expect("a workspace").0
    }

    /// A condition as groups: `a | b` is OR, ` & ` is AND; the losses' codes after `#`.
    fn ask(text: &str) -> String {
        let workspace = workspace();
        let parsed = crate::audience::condition::parse(text);
        assert!(parsed.errors.is_empty(), "{text}: {:?}", parsed.errors);
        let asker = Asker {
            names: Names::new(&workspace, &FlowSettings::default()),
            workspace: &workspace,
            metric_id: Some("M".into()),
        };
        let mut notes = Notes::default();
        let asked = asker.ask(&parsed.condition, &Place::default(), &mut notes);
        let group = |g: &Group| g.conditions.iter().map(short).collect::<Vec<_>>().join(" | ");
        let mut out = asked.groups.iter().map(group).collect::<Vec<_>>().join(" & ");
        for loss in &notes.losses {
            out.push_str(" #");
            out.push_str(loss.code.trim_start_matches("klaviyo/"));
        }
        out
    }

    /// A condition in few words.
    fn short(json: &Json) -> String {
        let filter = |f: &Json| {
            let amount = ["value", "date", "start", "quantity"].iter().find_map(|key| f.get(*key));
            let unit = f["unit"].as_str().unwrap_or_default();
            format!(
                "{}{}{unit}",
                f["operator"].as_str().unwrap_or_default(),
                amount.map_or_else(String::new, |a| format!(" {a}"))
            )
        };
        match json["type"].as_str().unwrap_or_default() {
            "profile-property" => {
                format!("{} {}", json["property"].as_str().unwrap_or_default(), filter(&json["filter"]))
            }
            "metric-property" => {
                format!("event.{} {}", json["field"].as_str().unwrap_or_default(), filter(&json["filter"]))
            }
            "profile-metric" => {
                let inner = json["metric_filters"].as_array().into_iter().flatten();
                let inner: Vec<String> = inner
                    .map(|f| format!("[{} {}]", f["property"].as_str().unwrap_or_default(), filter(&f["filter"])))
                    .collect();
                format!(
                    "{} {} {} {}{}",
                    json["measurement"].as_str().unwrap_or_default(),
                    json["metric_id"].as_str().unwrap_or_default(),
                    filter(&json["measurement_filter"]),
                    filter(&json["timeframe_filter"]),
                    inner.concat(),
                )
            }
            "profile-group-membership" => format!(
                "{} {}",
                if json["is_member"] == true { "in" } else { "not in" },
                json["group_ids"][0].as_str().unwrap_or_default()
            ),
            "profile-marketing-consent" => format!(
                "{} {}",
                json["consent"]["can_receive_marketing"],
                json["consent"]["consent_status"]["subscription"].as_str().unwrap_or_default()
            ),
            other => format!("{other} {}", json["percentage"]),
        }
    }

    #[test]
    fn conditions_become_groups() {
        let check = |text: &str, expected: &str| assert_eq!(ask(text), expected, "{text}");
        check("contact.first_name = \"Ada\"", "first_name equals \"Ada\"");
        check("not (contact.city contains \"n\")", "location['city'] not-contains \"n\"");
        check("contact.plan in [\"a\", \"b\"]", "properties['plan'] in [\"a\",\"b\"]");
        check("contact.n in [1, 2]", "properties['n'] equals 1 | properties['n'] equals 2");
        check("contact.n not in [1, 2]", "properties['n'] not-equals 1 & properties['n'] not-equals 2");
        check("contact.tags contains \"x\"", "properties['tags'] contains \"x\"");
        check("contact.phone is not set", "phone_number not-set");
        check("contact.born <= 2000-01-01", "properties['born'] before \"2000-01-02T00:00:00Z\"");
        check("contact.seen > now - 7 days", "properties['seen'] in-the-last 1week #relative-date");
        check("contact.seen < now - 90 min", "properties['seen'] at-least 2hour #window");
        check("trigger.n > 1 or contact.a = 1", "event.n greater-than 1 | properties['a'] equals 1");
        check("did \"A\"", "count METRIC:A greater-than 0 alltime");
        check("never did \"A\" since entry", "count METRIC:A equals 0 flow-start");
        check(
            "did \"A\" at least 2 times in the last 30 days",
            "count METRIC:A greater-than-or-equal 2 in-the-last 30day",
        );
        check(
            "did \"A\" where (event.n > 1 and event.v = \"x\")",
            "count METRIC:A greater-than 0 alltime[n greater-than 1][v equals \"x\"]",
        );
        check(
            "did \"A\" where (event.n > 1 or event.v = \"x\")",
            "count METRIC:A greater-than 0 alltime[n greater-than 1] | count METRIC:A greater-than 0 alltime[v equals \"x\"]",
        );
        check("did \"A\" where (event.id = trigger.id)", "count METRIC:A greater-than 0 alltime #event-filter");
        check(
            "in segment \"VIP\" and not on list \"L\"",
            "properties['lifetime_value'] greater-than 500 & not in LIST:L",
        );
        check("not in segment \"VIP\"", "properties['lifetime_value'] less-than-or-equal 500");
        check("email consent is subscribed", "true subscribed");
        check("not email consent is unsubscribed", "true subscribed | true never_subscribed | false never_subscribed");
        check("share 12.5 % salt \"x\"", "profile-sample 13 #share");
        check("score \"s\" >= 5", "properties['Flowloom: score \"s\" >= 5'] equals true #condition");
        check(
            "contact.a = 1 or (contact.b = 2 and contact.c = 3)",
            "properties['a'] equals 1 | properties['b'] equals 2 & properties['a'] equals 1 | properties['c'] equals 3",
        );
    }

    #[test]
    fn caps_take_the_first_row_that_matches() {
        let workspace = workspace();
        let asker =
            Asker { names: Names::new(&workspace, &FlowSettings::default()), workspace: &workspace, metric_id: None };
        let row = |most: u32, segment: Option<&str>| CapRule {
            limit: Limit::AtMost(most),
            segment: segment.map(Into::into),
            ..CapRule::default()
        };
        let mut notes = Notes::default();
        let groups = asker.room(
            &[row(5, Some("VIP")), row(3, None), row(1, None)],
            Channel::Email,
            &Place::default(),
            &mut notes,
        );
        let shown: Vec<String> = groups.iter().map(|g| g.iter().map(short).collect::<Vec<_>>().join(" | ")).collect();
        assert_eq!(
            shown,
            [
                "properties['lifetime_value'] less-than-or-equal 500 | count METRIC:Received Email less-than 5 in-the-last 48hour",
                "properties['lifetime_value'] greater-than 500 | count METRIC:Received Email less-than 3 in-the-last 48hour",
            ]
        );
    }
}
