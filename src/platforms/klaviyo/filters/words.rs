//! The words of filters: properties, operands, timeframes, consent and ids, in Klaviyo's JSON.
//!
//! Source: references, Klaviyo 4.1 to 4.4.

use serde_json::{Value as Json, json};
use smol_str::SmolStr;

use super::{number, ranges};
use crate::{
    audience::{
        Channel, Condition, ConsentStatus, Path, Value, ValueType,
        condition::{CompareOp, EventWindow, Operand, Root},
    },
    base::{Place, Span},
    flow::Workspace,
    platforms::{
        Notes, Unit,
        normal::{Literal, path_text},
        parts_of,
    },
};

/// Whether a leaf is about the event that let the contact in (or is under test).
pub(in crate::platforms::klaviyo) fn is_event(literal: &Literal) -> bool {
    match &literal.atom {
        Condition::Compare { left, .. } | Condition::IsSet(left) => matches!(left.root, Root::Trigger | Root::Event),
        Condition::All(parts) => ranges::both(parts).is_some_and(|(path, ..)| path.root != Root::Contact),
        _ => false,
    }
}

/// A condition that never holds: a property that nobody has.
pub(in crate::platforms::klaviyo) fn never() -> Json {
    property("properties['Flowloom: never']", &json!({"type": "existence", "operator": "is-set"}))
}

pub(super) fn property(name: &str, filter: &Json) -> Json {
    json!({"type": "profile-property", "property": name, "filter": filter})
}

pub(in crate::platforms::klaviyo) fn profile_metric(
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
pub(in crate::platforms::klaviyo) fn metric_id(workspace: &Workspace, metric: &str, notes: &mut Notes) -> String {
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

pub(in crate::platforms::klaviyo) fn list_id(workspace: &Workspace, name: &str, notes: &mut Notes) -> String {
    notes.id(&workspace.klaviyo.ids, "list", name, || {
        format!("GET /api/lists, the entry whose name is \u{201c}{name}\u{201d}; create the list if it is missing")
    })
}

pub(in crate::platforms::klaviyo) fn segment_how(name: &str) -> String {
    format!(
        "GET /api/segments, the entry whose name is \u{201c}{name}\u{201d}; build the segment first if it is missing"
    )
}

/// The name of a contact's property in filters.
pub(in crate::platforms::klaviyo) fn property_name(path: &Path) -> Result<String, String> {
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
        other => custom_property(other),
    })
}

/// A property of the account's own.
pub(in crate::platforms::klaviyo) fn custom_property(name: &str) -> String {
    format!("properties['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
}

pub(super) fn numeric_operator(op: CompareOp) -> Option<&'static str> {
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
pub(super) fn filters(
    op: CompareOp,
    value: &Value,
    negated: bool,
    declared: Option<ValueType>,
) -> Result<Vec<Json>, String> {
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
pub(super) fn relative(
    op: CompareOp,
    span: Span,
    negated: bool,
    place: &Place,
    notes: &mut Notes,
) -> Result<Json, String> {
    let op = if negated { op.negated() } else { Some(op) };
    let later = matches!(op, Some(CompareOp::Gt | CompareOp::Ge));
    if !later && !matches!(op, Some(CompareOp::Lt | CompareOp::Le)) {
        return Err("a moving date is compared by before and after only".into());
    }
    if span.about_millis() == 0 {
        let (operator, side) = if later { ("in-the-next", "further ahead") } else { ("in-the-last", "longer ago") };
        notes.approximate(
            "klaviyo/relative-date",
            place.clone(),
            format!(
                "Klaviyo's \u{201c}{}\u{201d} needs a span: dates that lie more than 100 years {side} are left out",
                operator.replace('-', " ")
            ),
            "Nothing to do where the property holds no such dates",
        );
        return Ok(json!({"type": "date", "operator": operator, "unit": "week", "quantity": ranges::CENTURY_IN_WEEKS}));
    }
    let past = span.about_millis() < 0;
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
pub(in crate::platforms::klaviyo) fn window_units(span: Span, place: &Place, notes: &mut Notes) -> (i64, &'static str) {
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

pub(in crate::platforms::klaviyo) fn timeframe(window: EventWindow, place: &Place, notes: &mut Notes) -> Json {
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
pub(super) fn metric_filter(literal: &Literal) -> Result<Json, String> {
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
pub(super) fn consent(channel: Channel, status: ConsentStatus, negated: bool) -> Vec<Json> {
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
pub(in crate::platforms::klaviyo) fn reachable(channel: Channel) -> Json {
    let subscription = if channel == Channel::Email { "any" } else { "subscribed" };
    json!({"type": "profile-marketing-consent",
        "consent": {"channel": channel.name(), "can_receive_marketing": true, "consent_status": {"subscription": subscription}}})
}

/// A random share, in whole percents from 1 to 99.
pub(super) fn sample(share: u32, negated: bool, place: &Place, notes: &mut Notes) -> Json {
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
pub(in crate::platforms::klaviyo) fn quoted(names: &[SmolStr]) -> String {
    names.iter().map(|n| format!("\u{201c}{n}\u{201d}")).collect::<Vec<_>>().join(" or ")
}
