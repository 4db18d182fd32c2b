//! Conditions as HubSpot asks them: an OR of ANDs; events are branches below an AND.
//!
//! Source of every shape: the automation v4 flows API and the lists guide (references, HubSpot 6). What cannot be asked
//! becomes a yes/no property that the shop keeps itself, and a loss that says so.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Value as Json, json};

use super::{copies, needed};
use crate::{
    audience::{
        Channel, Condition, ConsentStatus, Path, ResponseKind, Value, ValueType,
        condition::{CompareOp, EventQuery, EventWindow, Measure, Operand, Root},
    },
    base::{Place, Span},
    flow::Workspace,
    platforms::{
        Notes, Unit,
        normal::{Literal, Names, path_text},
        parts_of, slug,
    },
};

/// Part of an AND: a filter, or a branch of its own (events).
#[derive(Clone, PartialEq, Debug)]
enum Part {
    Filter(Json),
    Branch(Json),
}

/// Turns conditions into filter branches for one workflow.
pub(super) struct Asker<'a> {
    pub names: Names<'a>,
    pub workspace: &'a Workspace,
    /// The longest way through the flow, which stands in for "since the entry".
    pub longest: Span,
    /// Event data that conditions read, kept in contact properties: path in the event, property.
    pub copies: RefCell<BTreeSet<(String, String)>>,
    /// Properties that the flow's fields name for event data: path in the event, property.
    pub named: BTreeMap<String, String>,
    /// The contact's own properties, which no copy may overwrite.
    pub own: BTreeSet<String>,
}

pub(super) fn or(children: Vec<Json>) -> Json {
    json!({"filterBranchType": "OR", "filterBranchOperator": "OR", "filters": [], "filterBranches": children})
}

pub(super) fn and(filters: Vec<Json>, branches: Vec<Json>) -> Json {
    json!({"filterBranchType": "AND", "filterBranchOperator": "AND", "filters": filters, "filterBranches": branches})
}

/// An event branch without refinements.
pub(super) fn events_branch(event_type: &str, completed: bool, filters: Vec<Json>) -> Json {
    let operator = if completed { "HAS_COMPLETED" } else { "HAS_NOT_COMPLETED" };
    json!({"filterBranchType": "UNIFIED_EVENTS", "filterBranchOperator": "AND", "eventTypeId": event_type,
        "operator": operator, "filters": filters, "filterBranches": []})
}

pub(super) fn property_filter(property: &str, operation: Json) -> Json {
    json!({"filterType": "PROPERTY", "property": property, "operation": operation})
}

fn constant(yes: bool) -> Part {
    Part::Filter(json!({"filterType": "CONSTANT", "shouldAccept": yes}))
}

pub(super) fn number(n: f64) -> Json {
    if n.fract() == 0.0 && n.abs() < 9e15 {
        json!(n as i64)
    } else {
        serde_json::Number::from_f64(n).map_or(Json::Null, Json::Number)
    }
}

impl<'a> Asker<'a> {
    /// The condition as an OR of ANDs.
    pub fn ask(&self, condition: &Condition, place: &Place, notes: &mut Notes) -> Json {
        let Some(terms) = self.names.dnf(condition) else {
            let part =
                self.outside(&condition.to_string(), false, "it has too many cases when written out", place, notes);
            return or(vec![join(vec![part])]);
        };
        let mut out: Vec<Vec<Part>> = Vec::new();
        for literals in terms {
            let mut products: Vec<Vec<Part>> = vec![Vec::new()];
            for literal in &literals {
                let cases = self.literal(literal, place, notes);
                let mut next = Vec::new();
                for done in &products {
                    for case in &cases {
                        next.push(done.iter().chain(case).cloned().collect());
                    }
                }
                products = next;
            }
            out.extend(products);
            if out.len() > super::MOST_TERMS {
                let part =
                    self.outside(&condition.to_string(), false, "it has too many cases when written out", place, notes);
                return or(vec![join(vec![part])]);
            }
        }
        if out.is_empty() {
            out.push(vec![constant(false)]);
        }
        or(out.into_iter().map(|parts| join(if parts.is_empty() { vec![constant(true)] } else { parts })).collect())
    }

    /// A yes/no property that the shop keeps itself, in place of what HubSpot cannot ask.
    fn outside(&self, what: &str, negated: bool, why: &str, place: &Place, notes: &mut Notes) -> Part {
        let name: String = slug(&format!("flowloom {what}")).chars().take(60).collect();
        notes.impossible(
            "hubspot/condition",
            place.clone(),
            format!("HubSpot cannot ask `{what}`: {why}; the answer is read from the contact property `{name}`, and is no until that is kept"),
            format!("Create the yes/no property `{name}` and let the shop keep it, or ask something else"),
        );
        needed::property(notes, &name, Some(ValueType::Bool));
        Part::Filter(property_filter(&name, operation("BOOL", "IS_EQUAL_TO", Some(json!(!negated)))))
    }

    /// The property that a value is kept in: the contact's own, or the copy of event data.
    pub fn property(&self, path: &Path, notes: &mut Notes) -> Result<String, String> {
        match path.root {
            Root::Contact => match path.steps.as_slice() {
                [name] => {
                    let property = contact_property(name);
                    needed::property(notes, &property, self.workspace.properties.get(name).copied());
                    Ok(property)
                }
                _ => Err("only properties at the top of a contact can be asked".into()),
            },
            Root::Trigger | Root::Event => {
                let steps: Vec<&str> = path.steps.iter().map(|s| s.as_str()).collect();
                Ok(self.copy(&steps.join("."), notes))
            }
            Root::Constant => Err(format!("`{}` has no value", path_text(path))),
        }
    }

    /// The type that the catalogue gives a property at the top of any event.
    fn event_type_of(&self, event_path: &str) -> Option<ValueType> {
        self.workspace.events.iter().find_map(|event| event.properties.get(event_path).copied())
    }

    /// Notes that event data must be copied to a contact property at the start; gives its name.
    pub fn copy(&self, event_path: &str, notes: &mut Notes) -> String {
        let property = self.named.get(event_path).cloned().unwrap_or_else(|| copies::name_for(event_path, &self.own));
        self.copies.borrow_mut().insert((event_path.to_owned(), property.clone()));
        needed::property(notes, &property, self.event_type_of(event_path));
        property
    }

    /// One leaf as an OR of ANDs.
    fn literal(&self, literal: &Literal, place: &Place, notes: &mut Notes) -> Vec<Vec<Part>> {
        match self.try_literal(literal, place, notes) {
            Ok(cases) => cases,
            Err(why) => vec![vec![self.outside(&literal.atom.to_string(), literal.negated, &why, place, notes)]],
        }
    }

    fn try_literal(&self, literal: &Literal, place: &Place, notes: &mut Notes) -> Result<Vec<Vec<Part>>, String> {
        let negated = literal.negated;
        let one = |json: Json| vec![vec![Part::Filter(json)]];
        Ok(match &literal.atom {
            Condition::Compare { left, op, right } => {
                let property = self.property(left, notes)?;
                match right {
                    Operand::Value(value) => {
                        one(property_filter(&property, self.compare(&property, *op, value, negated)?))
                    }
                    Operand::Now(span) => one(property_filter(&property, self.relative(*op, *span, negated)?)),
                    Operand::Path(path) => {
                        let other = self.property(path, notes)?;
                        one(property_filter(&property, self.comparative(left, *op, &other, negated)?))
                    }
                }
            }
            Condition::IsSet(path) => {
                let property = self.property(path, notes)?;
                let operator = if negated { "IS_UNKNOWN" } else { "IS_KNOWN" };
                let mut operation = operation("ALL_PROPERTY", operator, None);
                operation["includeObjectsWithNoValueSet"] = json!(negated);
                one(property_filter(&property, operation))
            }
            Condition::Events(query) => self.events(query, negated, place, notes)?,
            Condition::InList(name) => {
                let operator = if negated { "NOT_IN_LIST" } else { "IN_LIST" };
                one(
                    json!({"filterType": "IN_LIST", "listId": list_id(self.workspace, name, notes), "operator": operator}),
                )
            }
            Condition::InSegment(name) => {
                let operator = if negated { "NOT_IN_LIST" } else { "IN_LIST" };
                one(
                    json!({"filterType": "IN_LIST", "listId": list_id(self.workspace, name, notes), "operator": operator}),
                )
            }
            Condition::Consent { channel, status } => consent(*channel, *status, negated, place, notes)?,
            Condition::Response { response, node, link, window } => self.response(
                *response,
                node.as_ref().map(|n| n.as_str()),
                link.as_deref(),
                *window,
                negated,
                place,
                notes,
            )?,
            Condition::Score { model, op, points } => {
                let property = slug(&format!("score {model}"));
                notes.impossible(
                    "hubspot/score",
                    place.clone(),
                    format!("HubSpot does not know the score model \u{201c}{model}\u{201d}; the points are read from the number property `{property}`, which has to be kept"),
                    format!("Build a score in HubSpot that writes to `{property}`, or let the shop keep it"),
                );
                needed::property(notes, &property, Some(ValueType::Number));
                one(property_filter(&property, self.compare(&property, *op, &Value::Number(*points), negated)?))
            }
            Condition::LocalTime(_) => return Err("filters do not know the time of day".into()),
            Condition::Share { .. } => return Err("filters have no random share; use an A/B split instead".into()),
            Condition::Always(_) | Condition::All(_) | Condition::Any(_) | Condition::Not(_) => {
                vec![vec![constant(false)]]
            }
        })
    }

    /// The same for a property that the account has as an enumeration, which takes no text operators.
    fn enumeration(&self, property: &str, op: CompareOp, value: &Value, negated: bool) -> Option<Json> {
        if self.workspace.hubspot.ids.get(&format!("type:{property}")).is_none_or(|kind| kind != "ENUMERATION") {
            return None;
        }
        let operator = match if negated { op.negated()? } else { op } {
            CompareOp::Eq | CompareOp::In => "IS_ANY_OF",
            CompareOp::Ne | CompareOp::NotIn => "IS_NONE_OF",
            _ => return None,
        };
        let values: Vec<&str> = match value {
            Value::Text(text) => vec![text.as_str()],
            Value::List(items) => items.iter().map(Value::as_text).collect::<Option<_>>()?,
            _ => return None,
        };
        Some(json!({"operationType": "ENUMERATION", "operator": operator, "values": values,
            "includeObjectsWithNoValueSet": false}))
    }

    /// A comparison with a fixed value of a property. A missing value passes none of them, as in a flow.
    fn compare(&self, property: &str, op: CompareOp, value: &Value, negated: bool) -> Result<Json, String> {
        if let Some(operation) = self.enumeration(property, op, value, negated) {
            return Ok(operation);
        }
        use CompareOp::{Contains, EndsWith, Eq, Ge, Gt, In, Le, Lt, Ne, NotIn, StartsWith};
        let plain = if negated { op.negated() } else { Some(op) };
        let wrong = || format!("`{value}` cannot be compared that way");
        Ok(match value {
            Value::Text(text) => {
                let operator = match (plain, op, negated) {
                    (Some(Eq | In), ..) => "IS_EQUAL_TO",
                    (Some(Ne | NotIn), ..) => "IS_NOT_EQUAL_TO",
                    (_, Contains, false) => "CONTAINS",
                    (_, Contains, true) => "DOES_NOT_CONTAIN",
                    (_, StartsWith, false) => "STARTS_WITH",
                    (_, EndsWith, false) => "ENDS_WITH",
                    _ => return Err("that comparison of texts is missing there".into()),
                };
                operation("STRING", operator, Some(json!(text.as_str())))
            }
            Value::Number(_) | Value::Money(_) => {
                let operator = plain.and_then(number_operator).ok_or_else(wrong)?;
                operation("NUMBER", operator, Some(number(value.as_number().unwrap_or(0.0))))
            }
            Value::Bool(yes) => match plain {
                Some(Eq) => operation("BOOL", "IS_EQUAL_TO", Some(json!(yes))),
                Some(Ne) => operation("BOOL", "IS_NOT_EQUAL_TO", Some(json!(yes))),
                _ => return Err(wrong()),
            },
            Value::Date(date) => {
                let point = |hour: i32, minute: i32, second: i32| {
                    json!({"timeType": "DATE", "year": date.year(), "month": date.month(), "day": date.day(),
                        "hour": hour, "minute": minute, "second": second, "millisecond": 0, "zoneId": self.zone()})
                };
                let (start, end) = (point(0, 0, 0), point(23, 59, 59));
                match plain {
                    Some(Lt) => time_point("IS_BEFORE", "EXCLUSIVE", start),
                    Some(Le) => time_point("IS_BEFORE", "INCLUSIVE", end),
                    Some(Gt) => time_point("IS_AFTER", "EXCLUSIVE", end),
                    Some(Ge) => time_point("IS_AFTER", "INCLUSIVE", start),
                    Some(op @ (Eq | Ne)) => {
                        let operator = if op == Eq { "IS_BETWEEN" } else { "IS_NOT_BETWEEN" };
                        json!({"operationType": "TIME_RANGED", "type": "TIME_RANGED", "operator": operator,
                            "lowerBoundTimePoint": start, "upperBoundTimePoint": end, "includeObjectsWithNoValueSet": false})
                    }
                    _ => return Err(wrong()),
                }
            }
            Value::Instant(at) => {
                let operator = match plain {
                    Some(Lt | Le) => "IS_BEFORE",
                    Some(Gt | Ge) => "IS_AFTER",
                    _ => return Err("an instant is compared by before and after only".into()),
                };
                json!({"operationType": "DATETIME", "operator": operator, "timestamp": at.as_millis(),
                    "requiresTimeZoneConversion": false, "includeObjectsWithNoValueSet": false})
            }
            Value::List(items) => {
                let texts: Option<Vec<&str>> = items.iter().map(Value::as_text).collect();
                let operator = match plain {
                    Some(In) => "IS_EQUAL_TO",
                    Some(NotIn) => "IS_NOT_EQUAL_TO",
                    _ => return Err(wrong()),
                };
                json!({"operationType": "MULTISTRING", "operator": operator, "values": texts.ok_or_else(wrong)?,
                    "includeObjectsWithNoValueSet": false})
            }
            Value::Object(_) => return Err(wrong()),
        })
    }

    fn zone(&self) -> &str {
        &self.workspace.zone
    }

    /// "So long ago, or longer."
    pub fn ago(&self, span: Span) -> Json {
        time_point("IS_BEFORE", "INCLUSIVE", self.moved_now(span.negated()))
    }

    fn moved_now(&self, span: Span) -> Json {
        let minutes = span.millis / 60_000;
        let mut offset = serde_json::Map::new();
        for (name, amount) in [
            ("months", i64::from(span.months)),
            ("days", i64::from(span.days)),
            ("hours", minutes / 60),
            ("minutes", minutes % 60),
        ] {
            if amount != 0 {
                offset.insert(name.into(), json!(amount));
            }
        }
        json!({"timeType": "INDEXED", "indexReference": {"referenceType": "NOW"}, "offset": offset, "zoneId": self.zone()})
    }

    fn relative(&self, op: CompareOp, span: Span, negated: bool) -> Result<Json, String> {
        let operator = match if negated { op.negated() } else { Some(op) } {
            Some(CompareOp::Lt | CompareOp::Le) => "IS_BEFORE",
            Some(CompareOp::Gt | CompareOp::Ge) => "IS_AFTER",
            _ => return Err("a moving date is compared by before and after only".into()),
        };
        Ok(time_point(operator, "INCLUSIVE", self.moved_now(span)))
    }

    fn comparative(&self, left: &Path, op: CompareOp, other: &str, negated: bool) -> Result<Json, String> {
        let declared = left.steps.first().and_then(|first| self.workspace.properties.get(first));
        let is_date = matches!(declared, Some(ValueType::Date | ValueType::Instant));
        let op = if negated { op.negated() } else { Some(op) };
        let (kind, operator) = match op {
            Some(CompareOp::Lt | CompareOp::Le) if is_date => ("COMPARATIVE_DATE", "IS_BEFORE"),
            Some(CompareOp::Gt | CompareOp::Ge) if is_date => ("COMPARATIVE_DATE", "IS_AFTER"),
            Some(CompareOp::Eq) => ("COMPARATIVE_STRING", "IS_EQUAL_TO"),
            Some(CompareOp::Ne) => ("COMPARATIVE_STRING", "IS_NOT_EQUAL_TO"),
            Some(CompareOp::Contains) => ("COMPARATIVE_STRING", "CONTAINS"),
            Some(CompareOp::StartsWith) => ("COMPARATIVE_STRING", "STARTS_WITH"),
            Some(CompareOp::EndsWith) => ("COMPARATIVE_STRING", "ENDS_WITH"),
            _ => return Err("two values are compared there only as texts or dates".into()),
        };
        Ok(
            json!({"operationType": kind, "operator": operator, "comparisonPropertyName": other, "includeObjectsWithNoValueSet": false}),
        )
    }

    /// Filters on the properties of an event, joined by AND; what does not fit is left out with a loss.
    pub fn event_filters(&self, literals: &[Literal], metric: &str, place: &Place, notes: &mut Notes) -> Vec<Json> {
        let mut out = Vec::new();
        for literal in literals {
            match self.event_filter(literal) {
                Ok(json) => out.push(json),
                Err(why) => notes.approximate(
                    "hubspot/event-filter",
                    place.clone(),
                    format!(
                        "Every \u{201c}{metric}\u{201d} counts, since HubSpot cannot ask `{}`: {why}",
                        literal.to_condition()
                    ),
                    "Let the shop send the events that count under a name of their own",
                ),
            }
        }
        out
    }

    fn event_filter(&self, literal: &Literal) -> Result<Json, String> {
        let name = |path: &Path| match (path.root, path.steps.as_slice()) {
            (Root::Event | Root::Trigger, [name]) => Ok(slug(name)),
            (Root::Event | Root::Trigger, _) => {
                Err("only properties at the top of an event can be filtered".to_owned())
            }
            _ => Err("only properties of the event itself can be filtered".to_owned()),
        };
        match &literal.atom {
            Condition::Compare { left, op, right: Operand::Value(value) } => {
                let name = name(left)?;
                Ok(property_filter(&name, self.compare(&name, *op, value, literal.negated)?))
            }
            Condition::Compare { left, op, right: Operand::Now(span) } => {
                Ok(property_filter(&name(left)?, self.relative(*op, *span, literal.negated)?))
            }
            Condition::Compare { right: Operand::Path(path), .. } => {
                Err(format!("it compares with another value, `{}`", path_text(path)))
            }
            Condition::IsSet(path) => {
                let operator = if literal.negated { "IS_UNKNOWN" } else { "IS_KNOWN" };
                let mut operation = operation("ALL_PROPERTY", operator, None);
                operation["includeObjectsWithNoValueSet"] = json!(literal.negated);
                Ok(property_filter(&name(path)?, operation))
            }
            _ => Err("only properties of the event itself can be filtered".into()),
        }
    }

    /// "Since then", as HubSpot prunes events.
    fn pruning(&self, window: EventWindow, place: &Place, notes: &mut Notes) -> Option<Json> {
        let span = match window {
            EventWindow::Ever => return None,
            EventWindow::Last(span) => span,
            EventWindow::SinceEntry => {
                notes.approximate(
                    "hubspot/since-entry",
                    place.clone(),
                    format!("HubSpot does not know \u{201c}since the entry\u{201d}; it looks back {}, the longest way through the flow, so an event shortly before the entry counts too", self.longest),
                    "Ask for a fixed time instead",
                );
                self.longest
            }
        };
        let (amount, unit) = offset(span, place, notes);
        Some(json!({"type": "RELATIVE_COMPARATIVE", "comparison": "AFTER",
            "timeOffset": {"amount": amount, "timeUnit": unit, "offsetDirection": "PAST"}}))
    }

    fn events(
        &self,
        query: &EventQuery,
        negated: bool,
        place: &Place,
        notes: &mut Notes,
    ) -> Result<Vec<Vec<Part>>, String> {
        match &query.measure {
            Measure::Count => {}
            Measure::Sum(_) => return Err("events cannot be added up".into()),
            Measure::Max(_) => return Err("events have no largest value there".into()),
        }
        let op =
            if negated { query.op.negated() } else { Some(query.op) }.ok_or("the comparison has no counterpart")?;
        let event_type = event_type(self.workspace, &query.metric, notes);
        let terms = query.filter.as_ref().map(|f| self.names.dnf(f).unwrap_or_default());
        let filters = match terms.as_deref() {
            None => Vec::new(),
            Some([literals]) => self.event_filters(literals, &query.metric, place, notes),
            Some(_) => {
                notes.impossible(
                    "hubspot/event-filter",
                    place.clone(),
                    format!(
                        "HubSpot joins filters on \u{201c}{}\u{201d} by AND only, so every one counts",
                        query.metric
                    ),
                    "Split the condition into one per case",
                );
                Vec::new()
            }
        };
        let pruning = self.pruning(query.window, place, notes);
        let branch = |completed: bool, least: i64, most: Option<i64>, notes: &mut Notes| {
            let mut branch = events_branch(&event_type, completed, filters.clone());
            if let Some(pruning) = &pruning {
                branch["pruningRefineBy"] = pruning.clone();
            }
            if completed && (least > 1 || most.is_some()) {
                let mut count = json!({"type": "NUM_OCCURRENCES", "minOccurrences": least});
                if let Some(most) = most {
                    count["maxOccurrences"] = json!(most);
                }
                branch["coalescingRefineBy"] = count;
                if pruning.is_some() {
                    notes.approximate(
                        "hubspot/count-and-window",
                        place.clone(),
                        format!("\u{201c}{}\u{201d} is asked by count and by time at once, which HubSpot's guide does not allow although the schema does", query.metric),
                        "Test it after the import; if it is refused, ask for the count alone or for the time alone",
                    );
                }
            }
            vec![Part::Branch(branch)]
        };
        let mut out = Vec::new();
        for (least, most) in ranges(op, query.value) {
            match (least, most) {
                (0, None) => out.push(vec![constant(true)]),
                (0, Some(0)) => out.push(branch(false, 0, None, notes)),
                (0, most) => {
                    out.push(branch(false, 0, None, notes));
                    out.push(branch(true, 1, most, notes));
                }
                (least, most) => out.push(branch(true, least, most, notes)),
            }
        }
        if out.is_empty() {
            out.push(vec![constant(false)]);
        }
        Ok(out)
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
    ) -> Result<Vec<Vec<Part>>, String> {
        // Source: references, HubSpot 3.2; bounced and subscription changed are third-party readings.
        let (event_type, what) = match response {
            ResponseKind::Opened => ("4-666440", "opened"),
            ResponseKind::Clicked => ("4-666288", "clicked"),
            ResponseKind::Replied => ("4-665538", "replied to"),
            ResponseKind::Bounced => ("4-5470331", "bounced"),
            ResponseKind::Unsubscribed => ("4-666289", "answered by a change of subscription"),
            ResponseKind::Complained => return Err("complaints are not events there".into()),
        };
        let which = match (node, link) {
            (Some(node), Some(link)) => format!("only that of message step `{node}` by its link `{link}`"),
            (Some(node), None) => format!("only that of message step `{node}`"),
            (None, Some(link)) => format!("only a mail of this flow by its link `{link}`"),
            (None, None) => "only the mails of this flow".to_owned(),
        };
        notes.approximate(
            "hubspot/response",
            place.clone(),
            format!("Any e-mail that was {what} counts, not {which}"),
            "Open the branch in HubSpot after the import and choose the e-mail in it",
        );
        let mut branch = events_branch(event_type, !negated, Vec::new());
        // Answers belong to the journey that sent the message.
        let window = if window == EventWindow::Ever { EventWindow::SinceEntry } else { window };
        if let Some(pruning) = self.pruning(window, place, notes) {
            branch["pruningRefineBy"] = pruning;
        }
        Ok(vec![vec![Part::Branch(branch)]])
    }
}

/// Counts that satisfy a comparison, as ranges with both ends included; no upper end is `None`.
fn ranges(op: CompareOp, value: f64) -> Vec<(i64, Option<i64>)> {
    let (down, up) = (value.floor().clamp(-1.0, 1e9) as i64, value.ceil().clamp(0.0, 1e9) as i64);
    let whole = value.fract() == 0.0;
    let below = |n: i64| if n < 0 { Vec::new() } else { vec![(0, Some(n))] };
    match op {
        CompareOp::Eq if whole && down >= 0 => vec![(down, Some(down))],
        CompareOp::Ne if whole && down >= 0 => {
            let mut out = below(down - 1);
            out.push((down + 1, None));
            out
        }
        CompareOp::Ne => vec![(0, None)],
        CompareOp::Lt => below(value.ceil().clamp(-1.0, 1e9) as i64 - 1),
        CompareOp::Le => below(down),
        CompareOp::Gt => vec![((down + 1).max(0), None)],
        CompareOp::Ge => vec![(up, None)],
        _ => Vec::new(),
    }
}

fn join(parts: Vec<Part>) -> Json {
    let (mut filters, mut branches) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Part::Filter(json) => filters.push(json),
            Part::Branch(json) => branches.push(json),
        }
    }
    and(filters, branches)
}

fn operation(kind: &str, operator: &str, value: Option<Json>) -> Json {
    let mut out = json!({"operationType": kind, "operator": operator});
    if let Some(value) = value {
        out["value"] = value;
    }
    out["includeObjectsWithNoValueSet"] = json!(false);
    out
}

fn time_point(operator: &str, endpoint: &str, point: Json) -> Json {
    json!({"operationType": "TIME_POINT", "type": "TIME_POINT", "operator": operator, "timePoint": point,
        "endpointBehavior": endpoint, "includeObjectsWithNoValueSet": false})
}

fn number_operator(op: CompareOp) -> Option<&'static str> {
    Some(match op {
        CompareOp::Eq => "IS_EQUAL_TO",
        CompareOp::Ne => "IS_NOT_EQUAL_TO",
        CompareOp::Lt => "IS_LESS_THAN",
        CompareOp::Le => "IS_LESS_THAN_OR_EQUAL_TO",
        CompareOp::Gt => "IS_GREATER_THAN",
        CompareOp::Ge => "IS_GREATER_THAN_OR_EQUAL_TO",
        CompareOp::In | CompareOp::NotIn | CompareOp::Contains | CompareOp::StartsWith | CompareOp::EndsWith => {
            return None;
        }
    })
}

/// A span as amount and unit: the largest unit that fits exactly.
pub(super) fn offset(span: Span, place: &Place, notes: &mut Notes) -> (i64, &'static str) {
    let (parts, cost) = parts_of(span);
    if !cost.is_empty() {
        notes.approximate("hubspot/window", place.clone(), cost, "Choose a window of whole minutes, hours or days");
    }
    match parts.as_slice() {
        [(n, Unit::Days)] => (*n, "DAYS"),
        [(n, Unit::Hours)] => (*n, "HOURS"),
        [(n, Unit::Minutes)] => (*n, "MINUTES"),
        _ => ((span.about_millis() + 59_999).div_euclid(60_000).max(1), "MINUTES"),
    }
}

/// The name of a contact's property in HubSpot.
pub(super) fn contact_property(name: &str) -> String {
    match name {
        "first_name" => "firstname".into(),
        "last_name" => "lastname".into(),
        "job_title" => "jobtitle".into(),
        "created_at" => "createdate".into(),
        "language" => "hs_language".into(),
        "zone" => "hs_timezone".into(),
        other => slug(other),
    }
}

/// The id of an event type, or its placeholder. The catalogue of the workspace may know it.
pub(super) fn event_type(workspace: &Workspace, metric: &str, notes: &mut Notes) -> String {
    let named = workspace.event(metric).and_then(|e| e.hubspot.as_deref());
    if let Some(id) = named.filter(|id| id.starts_with(|c: char| c.is_ascii_digit()) && id.contains('-')) {
        return id.to_owned();
    }
    let known = workspace.hubspot.ids.contains_key(&format!("event:{metric}"));
    let name = if known { String::new() } else { needed::event(notes, workspace, metric) };
    notes.id(&workspace.hubspot.ids, "event", metric, || {
        format!("GET /events/v3/event-definitions, the custom event `{name}` for \u{201c}{metric}\u{201d}, its `objectTypeId`; if it is missing, POST there with `events/{name}.json` first (Enterprise)")
    })
}

pub(super) fn list_id(workspace: &Workspace, name: &str, notes: &mut Notes) -> String {
    notes.id(&workspace.hubspot.ids, "list", name, || {
        format!("GET /crm/v3/lists/object-type-id/0-1/name/{name}; create the list if it is missing")
    })
}

fn consent(
    channel: Channel,
    status: ConsentStatus,
    negated: bool,
    place: &Place,
    notes: &mut Notes,
) -> Result<Vec<Vec<Part>>, String> {
    let state = match (status, negated) {
        (ConsentStatus::Subscribed, false) => "OPT_IN",
        (ConsentStatus::Unsubscribed, false) => "OPT_OUT",
        _ => return Err("only \u{201c}subscribed\u{201d} and \u{201c}unsubscribed\u{201d} can be asked".into()),
    };
    notes.approximate(
        "hubspot/consent",
        place.clone(),
        format!(
            "Consent is asked of the whole account by {}; the words HubSpot takes for the states are not documented",
            channel.name()
        ),
        "Open the branch in HubSpot after the import and choose the subscription type",
    );
    let channel = if channel == Channel::Email { "EMAIL" } else { "SMS" };
    Ok(vec![vec![Part::Filter(
        json!({"filterType": "COMMUNICATION_SUBSCRIPTION", "acceptedOptStates": [state], "channel": channel,
        "subscriptionIds": [], "subscriptionType": "PORTAL_WIDE"}),
    )]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_as_ranges() {
        let check =
            |op, value, expected: &[(i64, Option<i64>)]| assert_eq!(ranges(op, value), expected, "{op:?} {value}");
        check(CompareOp::Ge, 1.0, &[(1, None)]);
        check(CompareOp::Gt, 1.5, &[(2, None)]);
        check(CompareOp::Eq, 0.0, &[(0, Some(0))]);
        check(CompareOp::Eq, 2.0, &[(2, Some(2))]);
        check(CompareOp::Ne, 0.0, &[(1, None)]);
        check(CompareOp::Ne, 2.0, &[(0, Some(1)), (3, None)]);
        check(CompareOp::Lt, 3.0, &[(0, Some(2))]);
        check(CompareOp::Lt, 0.0, &[]);
        check(CompareOp::Le, 0.0, &[(0, Some(0))]);
        check(CompareOp::Ge, 0.0, &[(0, None)]);
    }

    /// A condition as an OR (` / `) of ANDs (` & `); the losses' codes after `#`.
    fn ask(text: &str) -> String {
        let source = r#"(version: 1, segments: {"VIP": "contact.lifetime_value > 500"}, properties: {"tags": list, "born": date}, events: [(name: "B", hubspot: "4-7")])"#;
        let workspace = crate::flow::file::read_workspace(source).expect("a workspace").0;
        let parsed = crate::audience::condition::parse(text);
        assert!(parsed.errors.is_empty(), "{text}: {:?}", parsed.errors);
        let asker = Asker {
            names: Names::new(&workspace, &crate::flow::FlowSettings::default()),
            workspace: &workspace,
            longest: Span::hours(12),
            copies: RefCell::default(),
            named: BTreeMap::new(),
            own: BTreeSet::new(),
        };
        let mut notes = Notes::default();
        let asked = asker.ask(&parsed.condition, &Place::default(), &mut notes);
        let list = |json: &Json, key: &str| json[key].as_array().cloned().unwrap_or_default();
        let term = |term: &Json| {
            let filters = list(term, "filters").into_iter().map(|f| short(&f));
            let branches = list(term, "filterBranches").into_iter().map(|b| {
                let inner: Vec<String> = list(&b, "filters").iter().map(short).collect();
                let count = b
                    .get("coalescingRefineBy")
                    .map_or_else(String::new, |c| format!(" x{}..{}", c["minOccurrences"], c["maxOccurrences"]));
                let since = b.get("pruningRefineBy").map_or_else(String::new, |p| {
                    format!(" in {} {}", p["timeOffset"]["amount"], p["timeOffset"]["timeUnit"])
                });
                format!(
                    "{} {}{count}{since}{}",
                    b["operator"],
                    b["eventTypeId"],
                    if inner.is_empty() { String::new() } else { format!(" [{}]", inner.join(" & ")) }
                )
            });
            filters.chain(branches).collect::<Vec<_>>().join(" & ")
        };
        let mut out = list(&asked, "filterBranches").iter().map(term).collect::<Vec<_>>().join(" / ").replace('"', "");
        for loss in &notes.losses {
            out.push_str(" #");
            out.push_str(loss.code.trim_start_matches("hubspot/"));
        }
        out
    }

    fn short(filter: &Json) -> String {
        match filter["filterType"].as_str().unwrap_or_default() {
            "PROPERTY" => {
                let o = &filter["operation"];
                let value = ["value", "values", "comparisonPropertyName"].iter().find_map(|key| o.get(*key));
                let value = value.map_or_else(String::new, |v| format!(" {v}"));
                format!("{} {}{value}", filter["property"], o["operator"])
            }
            "CONSTANT" => filter["shouldAccept"].to_string(),
            "IN_LIST" => format!("{} {}", filter["operator"], filter["listId"]),
            other => other.to_owned(),
        }
    }

    #[test]
    fn conditions_become_an_or_of_ands() {
        let check = |text: &str, expected: &str| assert_eq!(ask(text), expected, "{text}");
        check("contact.first_name = \"Ada\"", "firstname IS_EQUAL_TO Ada");
        check(
            "contact.a > 1 and (contact.b = 2 or contact.c = 3)",
            "a IS_GREATER_THAN 1 & b IS_EQUAL_TO 2 / a IS_GREATER_THAN 1 & c IS_EQUAL_TO 3",
        );
        check("contact.plan in [\"a\", \"b\"]", "plan IS_EQUAL_TO [a,b]");
        check("contact.born < contact.renewal", "born IS_BEFORE renewal");
        check("contact.x is not set", "x IS_UNKNOWN");
        check("trigger.vendor = contact.vendor", "vendor IS_EQUAL_TO vendor");
        check("did \"B\"", "HAS_COMPLETED 4-7");
        check("never did \"A\" in the last 30 days", "HAS_NOT_COMPLETED EVENT:A in 30 DAYS");
        check("did \"B\" at least 3 times", "HAS_COMPLETED 4-7 x3..null");
        check(
            "did \"B\" at least 3 times in the last 7 days",
            "HAS_COMPLETED 4-7 x3..null in 7 DAYS #count-and-window",
        );
        check(
            "did \"B\" where (event.n > 1 or event.m = 2)",
            "HAS_COMPLETED 4-7 [n IS_GREATER_THAN 1] / HAS_COMPLETED 4-7 [m IS_EQUAL_TO 2]",
        );
        check("did \"B\" since entry", "HAS_COMPLETED 4-7 in 12 HOURS #since-entry");
        check("not in segment \"VIP\"", "lifetime_value IS_LESS_THAN_OR_EQUAL_TO 500");
        check("on list \"L\" and not on list \"M\"", "IN_LIST LIST:L & NOT_IN_LIST LIST:M");
        check("true", "true");
        check("false", "false");
        check("opened any message", "HAS_COMPLETED 4-666440 in 12 HOURS #response #since-entry");
        check("score \"s\" >= 5", "score_s IS_GREATER_THAN_OR_EQUAL_TO 5 #score");
        check("share 10 % salt \"x\"", "flowloom_share_10_salt_x IS_EQUAL_TO true #condition");
    }
}
