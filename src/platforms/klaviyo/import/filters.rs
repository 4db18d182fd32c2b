//! Filters as conditions: the inverse of [`super::super::filters`].
//!
//! Groups are joined by AND, conditions inside a group by OR (references, klaviyo, section 4). What has no words in a
//! condition refuses the whole filter, with its place and reason; nothing is left out of a question.

use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use super::names::{Names, id_of};
use crate::{
    audience::{
        Channel, Condition, ConditionText, ConsentStatus, Path, ResponseKind, Value, ValueType,
        condition::{CompareOp, EventQuery, EventWindow, Measure, Operand, Root, negation},
    },
    base::{Instant, Span},
    flow::RequiredConsent,
    kinds::{CapRule, Limit, Scope},
};

/// What a filter could not be read for.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Refused {
    /// Below the filter.
    pub pointer: String,
    pub why: String,
}

type Object = Map<String, Json>;
type Read<T> = Result<T, String>;

/// Most groups and conditions of one filter. Source: assumption; far over what the editor lets anybody build.
const MOST: usize = 400;

/// Reads filters for one step.
pub(super) struct Asker<'a, 'n> {
    pub names: &'a mut Names<'n>,
    /// What event properties belong to: the trigger's event in a step, the event under test in a trigger.
    pub root: Root,
    /// Makes the shares of this step its own.
    pub salt: &'a str,
}

impl Asker<'_, '_> {
    /// The groups of a filter, each joined by OR; none for null.
    pub fn groups(&mut self, filter: &Json) -> Result<Vec<Vec<Condition>>, Refused> {
        let refused = |pointer: String, why: &str| Refused { pointer, why: why.to_owned() };
        if filter.is_null() {
            return Ok(Vec::new());
        }
        let Some(groups) = filter.get("condition_groups").and_then(Json::as_array) else {
            return Err(refused(String::new(), "a filter holds a list `condition_groups`"));
        };
        let mut out = Vec::new();
        let mut num_left = MOST;
        for (g, group) in groups.iter().enumerate() {
            let here = format!("/condition_groups/{g}");
            let Some(conditions) = group.get("conditions").and_then(Json::as_array) else {
                return Err(refused(here, "a group holds a list `conditions`"));
            };
            let mut any: Vec<Condition> = Vec::new();
            for (c, condition) in conditions.iter().enumerate() {
                let here = format!("{here}/conditions/{c}");
                if num_left == 0 {
                    return Err(refused(here, "the filter has more than 400 conditions"));
                }
                num_left -= 1;
                let Json::Object(condition) = condition else { return Err(refused(here, "a condition is an object")) };
                let leaf = self.leaf(condition).map_err(|why| Refused { pointer: here, why })?;
                if !any.contains(&leaf) {
                    any.push(leaf);
                }
            }
            out.push(any);
        }
        Ok(out)
    }

    fn leaf(&mut self, c: &Object) -> Read<Condition> {
        match word(c, "type") {
            "profile-property" => self.profile_property(c),
            "profile-metric" => self.profile_metric(c),
            "profile-group-membership" => self.membership(c),
            "profile-marketing-consent" => consent(c),
            "profile-sample" => {
                let percent = c.get("percentage").and_then(Json::as_u64).filter(|p| (1..=99).contains(p));
                let percent = percent.ok_or("a sample has 1 to 99 percent")?;
                Ok(Condition::Share { share: percent as u32 * 100, salt: self.salt.into() })
            }
            "metric-property" => {
                let field =
                    c.get("field").and_then(Json::as_str).filter(|f| !f.is_empty()).ok_or("it names no field")?;
                let path = Path { root: self.root, steps: vec![field.into()] };
                filtered(&path, c.get("filter"), &mut None)
            }
            "" => Err("it has no type".into()),
            other => Err(format!("there are no words for `{other}`")),
        }
    }

    fn profile_property(&mut self, c: &Object) -> Read<Condition> {
        let name = c.get("property").and_then(Json::as_str).ok_or("it names no property")?;
        if let Some(own) = own_question(name) {
            let yes = match (word_of(c.get("filter"), "type"), word_of(c.get("filter"), "operator")) {
                ("existence", "is-set") if own == "never" => return Ok(Condition::Always(false)),
                ("existence", "not-set") if own == "never" => return Ok(Condition::Always(true)),
                ("boolean", "equals") => c.get("filter").and_then(|f| f.get("value")).and_then(Json::as_bool),
                _ => None,
            };
            // What our exports cannot ask is a property named after the question.
            let asked = ConditionText::new(own);
            if let (Some(yes), true) = (yes, asked.parsed().errors.is_empty()) {
                let asked = asked.condition().clone();
                return Ok(if yes { asked } else { Condition::Not(Box::new(asked)) });
            }
        }
        let path = property_path(name)?;
        let mut kind = None;
        let condition = filtered(&path, c.get("filter"), &mut kind)?;
        if let (Some(kind), Some(first)) = (kind, path.steps.first()) {
            self.names.workspace.properties.insert(first.clone(), kind);
        }
        Ok(condition)
    }

    fn profile_metric(&mut self, c: &Object) -> Read<Condition> {
        let id = id_of(c.get("metric_id")).ok_or("it names no metric")?;
        let measure = match word(c, "measurement") {
            "count" => Measure::Count,
            "sum" => Measure::Sum(Path { root: Root::Event, steps: vec!["value".into()] }),
            other => return Err(format!("`{other}` is no measurement here")),
        };
        let number = c.get("measurement_filter").ok_or("it compares with nothing")?;
        let (op, value) =
            match (numeric_op(word_of(Some(number), "operator")), number.get("value").and_then(Json::as_f64)) {
                (Some(op), Some(value)) => (op, value),
                _ => return Err("its count is compared in a way that there are no words for".into()),
            };
        let window = window(c.get("timeframe_filter"))?;
        let counts = measure == Measure::Count;
        // Counts are whole: "none" is "less than one", "more than none" is "at least one".
        let (op, value) = match (op, value) {
            (CompareOp::Eq, 0.0) if counts => (CompareOp::Lt, 1.0),
            (CompareOp::Gt, 0.0) if counts => (CompareOp::Ge, 1.0),
            other => other,
        };
        let mut parts = Vec::new();
        if let Some(filters) = c.get("metric_filters").filter(|f| !f.is_null()) {
            let filters = filters.as_array().ok_or("its filters are no list")?;
            if filters.len() > MOST {
                return Err(format!("it has more than {MOST} filters of its own"));
            }
            for filter in filters {
                let property = filter.get("property").and_then(Json::as_str).filter(|p| !p.is_empty());
                let property = property.ok_or("a filter of it names no property")?;
                let path = Path { root: Root::Event, steps: vec![property.into()] };
                parts.push(filtered(&path, filter.get("filter"), &mut None)?);
            }
        }
        let metric = self.names.metric(&id);
        if let (Some(response), true) = (response(&metric), parts.is_empty() && counts) {
            let of = Condition::Response { response, node: None, link: None, window };
            match (op, value) {
                (CompareOp::Ge, 1.0) => return Ok(of),
                (CompareOp::Lt, 1.0) => return Ok(Condition::Not(Box::new(of))),
                _ => {}
            }
        }
        let filter = if parts.is_empty() { None } else { Some(Box::new(all(parts))) };
        Ok(Condition::Events(EventQuery { metric, filter, measure, window, op, value }))
    }

    fn membership(&mut self, c: &Object) -> Read<Condition> {
        if c.get("timeframe_filter")
            .is_some_and(|frame| !frame.is_null() && word_of(Some(frame), "operator") != "alltime")
        {
            return Err("there are no words for when somebody joined a list".into());
        }
        let is_member = c.get("is_member").and_then(Json::as_bool).ok_or("it does not say whether in or out")?;
        let ids = c.get("group_ids").and_then(Json::as_array).ok_or("it names no list")?;
        let ids: Vec<String> = ids.iter().filter_map(|id| id_of(Some(id))).collect();
        if ids.is_empty() {
            return Err("it names no list".into());
        }
        let of = ids.iter().map(|id| match self.names.group(id) {
            (name, true) => Condition::InSegment(name),
            (name, false) => Condition::InList(name),
        });
        let of = any(of.collect());
        Ok(if is_member { of } else { Condition::Not(Box::new(of)) })
    }
}

/// All of them; `true` for none, the only one for one.
pub(super) fn all(mut parts: Vec<Condition>) -> Condition {
    match parts.len() {
        1 => parts.remove(0),
        0 => Condition::Always(true),
        _ => Condition::All(parts),
    }
}

/// One of them; `false` for none, the only one for one.
pub(super) fn any(mut parts: Vec<Condition>) -> Condition {
    match parts.len() {
        1 => parts.remove(0),
        0 => Condition::Always(false),
        _ => Condition::Any(parts),
    }
}

/// A condition as text, if it can be written.
pub(super) fn text(condition: &Condition) -> Read<ConditionText> {
    let text = ConditionText::from(condition);
    match text.parsed().errors.first() {
        None => Ok(text),
        Some(error) => Err(format!("as a condition it cannot be read again: {}", error.message)),
    }
}

/// The opposite, as an exit needs it.
pub(super) fn opposite(group: Vec<Condition>) -> Condition {
    negation(&any(group))
}

fn word<'a>(map: &'a Object, key: &str) -> &'a str {
    map.get(key).and_then(Json::as_str).unwrap_or_default()
}

fn word_of<'a>(json: Option<&'a Json>, key: &str) -> &'a str {
    json.and_then(|json| json.get(key)).and_then(Json::as_str).unwrap_or_default()
}

/// What stands after `Flowloom: ` in the name of a property that our exports ask for.
fn own_question(property: &str) -> Option<String> {
    property.strip_prefix("properties['Flowloom: ")?.strip_suffix("']").map(unescaped)
}

/// A property as a path of the contact.
pub(super) fn property_path(name: &str) -> Read<Path> {
    let step = |name: &str| Path { root: Root::Contact, steps: vec![name.into()] };
    let inside = |prefix: &str| name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix("']"));
    if let Some(own) = inside("properties['") {
        let own = unescaped(own);
        return if own.trim().is_empty() { Err("its property has no name".into()) } else { Ok(step(&own)) };
    }
    if let Some(place) = inside("location['") {
        return Ok(step(if place == "timezone" { "zone" } else { place }));
    }
    Ok(match name {
        "" => return Err("its property has no name".into()),
        "phone_number" => step("phone"),
        "locale" => step("language"),
        "created" => step("created_at"),
        other => step(other),
    })
}

/// A text in which `\'` stands for a quote and `\\` for a backslash.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let escaped = signs.next_if(|next| sign == '\\' && matches!(next, '\\' | '\''));
        out.push(escaped.unwrap_or(sign));
    }
    out
}

fn numeric_op(operator: &str) -> Option<CompareOp> {
    Some(match operator {
        "equals" => CompareOp::Eq,
        "not-equals" => CompareOp::Ne,
        "greater-than" => CompareOp::Gt,
        "greater-than-or-equal" => CompareOp::Ge,
        "less-than" => CompareOp::Lt,
        "less-than-or-equal" => CompareOp::Le,
        _ => return None,
    })
}

/// A comparison of a value. `kind` learns what the filter says of it.
fn filtered(path: &Path, filter: Option<&Json>, kind: &mut Option<ValueType>) -> Read<Condition> {
    let Some(Json::Object(f)) = filter else { return Err("it has no filter".into()) };
    let compare = |op: CompareOp, right: Operand| Condition::Compare { left: path.clone(), op, right };
    let value = |op: CompareOp, value: Value| compare(op, Operand::Value(value));
    let not = |condition: Condition| Condition::Not(Box::new(condition));
    let operator = word(f, "operator");
    let unknown = || format!("there are no words for `{operator}` of `{}`", word(f, "type"));
    match word(f, "type") {
        "string" => {
            if let Some(Json::Array(items)) = f.get("value") {
                let texts: Option<Vec<Value>> = items.iter().map(|item| item.as_str().map(Value::text)).collect();
                let texts = texts.filter(|texts| !texts.is_empty()).ok_or("its values are no texts")?;
                return Ok(match operator {
                    "in" => value(CompareOp::In, Value::List(texts)),
                    "not-in" => value(CompareOp::NotIn, Value::List(texts)),
                    _ => return Err(unknown()),
                });
            }
            let text = f.get("value").and_then(Json::as_str).ok_or("it compares with no text")?;
            let text = Value::text(text);
            Ok(match operator {
                "equals" => value(CompareOp::Eq, text),
                "not-equals" => value(CompareOp::Ne, text),
                "contains" => value(CompareOp::Contains, text),
                "not-contains" => not(value(CompareOp::Contains, text)),
                "starts-with" => value(CompareOp::StartsWith, text),
                "not-starts-with" => not(value(CompareOp::StartsWith, text)),
                "ends-with" => value(CompareOp::EndsWith, text),
                "not-ends-with" => not(value(CompareOp::EndsWith, text)),
                _ => return Err(unknown()),
            })
        }
        "numeric" => {
            let number = |key: &str| f.get(key).and_then(Json::as_f64).map(Value::Number);
            if operator == "between" {
                let (start, end) = (number("start").ok_or_else(unknown)?, number("end").ok_or_else(unknown)?);
                return Ok(Condition::All(vec![value(CompareOp::Ge, start), value(CompareOp::Le, end)]));
            }
            let op = numeric_op(operator).ok_or_else(unknown)?;
            Ok(value(op, number("value").ok_or("it compares with no number")?))
        }
        "boolean" => match (operator, f.get("value").and_then(Json::as_bool)) {
            ("equals", Some(yes)) => Ok(value(CompareOp::Eq, Value::Bool(yes))),
            _ => Err(unknown()),
        },
        "list" => {
            let text = match f.get("value") {
                Some(Json::String(text)) => Value::text(text),
                _ => return Err(unknown()),
            };
            *kind = Some(ValueType::List);
            match operator {
                "contains" => Ok(value(CompareOp::Contains, text)),
                "not-contains" => Ok(not(value(CompareOp::Contains, text))),
                _ => Err(unknown()),
            }
        }
        "existence" => match operator {
            "is-set" => Ok(Condition::IsSet(path.clone())),
            "not-set" => Ok(not(Condition::IsSet(path.clone()))),
            _ => Err(unknown()),
        },
        "date" => date(path, f, operator),
        other => Err(format!("there are no words for a filter of the type `{other}`")),
    }
}

fn date(path: &Path, f: &Object, operator: &str) -> Read<Condition> {
    let compare = |op: CompareOp, right: Operand| Condition::Compare { left: path.clone(), op, right };
    let at = |key: &str| f.get(key).and_then(Json::as_str).ok_or_else(|| format!("`{key}` is no date"));
    // A whole day is written by its first and last second.
    let day = |text: &str, time: &str| {
        let (date, rest) = text.split_at_checked(10)?;
        (rest.trim_end_matches("+00:00").trim_end_matches('Z').split('.').next() == Some(time))
            .then(|| date.parse::<jiff::civil::Date>().ok().map(Value::Date))?
    };
    let instant = |text: &str| Instant::parse(text).map(Value::Instant).map_err(|_| format!("`{text}` is no date"));
    match operator {
        "before" => {
            let text = at("date")?;
            Ok(compare(CompareOp::Lt, Operand::Value(day(text, "T00:00:00").map_or_else(|| instant(text), Ok)?)))
        }
        "after" => {
            let text = at("date")?;
            Ok(compare(CompareOp::Gt, Operand::Value(day(text, "T23:59:59").map_or_else(|| instant(text), Ok)?)))
        }
        "between-static" => {
            let (start, end) = (at("start")?, at("end")?);
            match (day(start, "T00:00:00"), day(end, "T23:59:59")) {
                (Some(first), Some(last)) if first == last => Ok(compare(CompareOp::Eq, Operand::Value(first))),
                (first, last) => Ok(Condition::All(vec![
                    compare(CompareOp::Ge, Operand::Value(first.map_or_else(|| instant(start), Ok)?)),
                    compare(CompareOp::Le, Operand::Value(last.map_or_else(|| instant(end), Ok)?)),
                ])),
            }
        }
        // Both ends: neither takes what lies on the other side of now.
        "in-the-last" => Ok(Condition::All(vec![
            compare(CompareOp::Ge, Operand::Now(span(f)?.negated())),
            compare(CompareOp::Le, Operand::Now(Span::ZERO)),
        ])),
        "at-least" => Ok(compare(CompareOp::Lt, Operand::Now(span(f)?.negated()))),
        "in-the-next" => Ok(Condition::All(vec![
            compare(CompareOp::Ge, Operand::Now(Span::ZERO)),
            compare(CompareOp::Le, Operand::Now(span(f)?)),
        ])),
        other => Err(format!("there are no words for the date `{other}`")),
    }
}

/// `quantity` and `unit`.
pub(super) fn span(f: &Object) -> Read<Span> {
    let quantity = f.get("quantity").and_then(Json::as_i64).ok_or("it has no quantity")?;
    units(quantity, word(f, "unit")).ok_or_else(|| format!("{quantity} `{}` is no span of time", word(f, "unit")))
}

/// So many hours, days or weeks (or minutes), at least one.
pub(super) fn units(quantity: i64, unit: &str) -> Option<Span> {
    // A century is enough, and keeps sums in range.
    let small = i32::try_from(quantity).ok().filter(|n| (1..=36_500).contains(n));
    match unit {
        "minute" | "minutes" => (1..=52_560_000).contains(&quantity).then(|| Span::minutes(quantity)),
        "hour" | "hours" => (1..=876_000).contains(&quantity).then(|| Span::hours(quantity)),
        "day" | "days" => small.map(Span::days),
        "week" | "weeks" => small.filter(|n| *n <= 5_200).map(|n| Span::days(n * 7)),
        _ => None,
    }
}

fn window(frame: Option<&Json>) -> Read<EventWindow> {
    let Some(Json::Object(frame)) = frame else { return Err("it has no time frame".into()) };
    match word(frame, "operator") {
        "alltime" => Ok(EventWindow::Ever),
        "flow-start" => Ok(EventWindow::SinceEntry),
        "in-the-last" => Ok(EventWindow::Last(span(frame)?)),
        other => Err(format!("there are no words for the time frame `{other}`")),
    }
}

/// The response that a metric of Klaviyo's own stands for.
pub(super) fn response(metric: &str) -> Option<ResponseKind> {
    Some(match metric {
        "Opened Email" => ResponseKind::Opened,
        "Clicked Email" => ResponseKind::Clicked,
        "Bounced Email" => ResponseKind::Bounced,
        "Unsubscribed" => ResponseKind::Unsubscribed,
        "Marked Email as Spam" => ResponseKind::Complained,
        _ => return None,
    })
}

fn consent(c: &Object) -> Read<Condition> {
    let consent = c.get("consent").and_then(Json::as_object).ok_or("it says nothing of consent")?;
    let channel = match word(consent, "channel") {
        "email" => Channel::Email,
        "sms" => Channel::Sms,
        other => return Err(format!("there are no words for consent on `{other}`")),
    };
    let status = consent.get("consent_status");
    if status.and_then(|s| s.get("filters")).and_then(Json::as_array).is_some_and(|filters| !filters.is_empty()) {
        return Err("there are no words for how consent was given".into());
    }
    let can = consent.get("can_receive_marketing").and_then(Json::as_bool).unwrap_or(true);
    let is = |status: ConsentStatus| Condition::Consent { channel, status };
    match (can, word_of(status, "subscription")) {
        (true, "subscribed") => Ok(is(ConsentStatus::Subscribed)),
        (true, "any") => Ok(Condition::Not(Box::new(is(ConsentStatus::Unsubscribed)))),
        (_, "never_subscribed") => Ok(is(ConsentStatus::Unknown)),
        (false, "unsubscribed") => Ok(is(ConsentStatus::Unsubscribed)),
        (false, "any") => Ok(Condition::Not(Box::new(is(ConsentStatus::Subscribed)))),
        (_, other) => Err(format!("there are no words for the consent `{other}`")),
    }
}

/// The consent that a flow as a whole asks for, where a group says only that.
pub(super) fn required_consent(group: &[Condition]) -> Option<RequiredConsent> {
    match group {
        [Condition::Consent { channel, status: ConsentStatus::Subscribed }] => {
            Some(RequiredConsent::Subscribed(*channel))
        }
        [Condition::Not(inner)] => match &**inner {
            Condition::Consent { channel, status: ConsentStatus::Unsubscribed } => {
                Some(RequiredConsent::NotUnsubscribed(*channel))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The caps that groups ask for, one row each: "in the segment of an earlier row, or not in the row's own, or fewer
/// messages received than so many in the last so long". A segment that an export wrote out becomes one of the
/// workspace; without `names` such rows are no caps.
pub(super) fn caps(groups: &[Vec<Condition>], mut names: Option<&mut Names<'_>>) -> Option<Vec<CapRule>> {
    let mut rows: Vec<CapRule> = Vec::new();
    // What stands for the segments of the rows so far.
    let mut earlier: Vec<(Condition, SmolStr)> = Vec::new();
    let mut found: Vec<(SmolStr, ConditionText)> = Vec::new();
    for group in groups {
        let (limits, mut rest): (Vec<&Condition>, Vec<&Condition>) = group.iter().partition(|c| cap(c).is_some());
        let limit = limits.first().filter(|_| limits.len() == 1).and_then(|c| cap(c))?;
        rest.retain(|condition| !earlier.iter().any(|(known, _)| known == *condition));
        // Rows without a limit leave nothing of their own but their segment.
        rest.retain(|condition| {
            let Condition::InSegment(segment) = condition else { return true };
            earlier.push(((*condition).clone(), segment.clone()));
            let unlimited = CapRule { limit: Limit::None, channel: limit.channel, ..CapRule::default() };
            rows.push(CapRule { segment: Some(segment.clone()), ..unlimited });
            false
        });
        let segment = match rest.as_slice() {
            [] => None,
            [Condition::Not(inner)] if matches!(inner.as_ref(), Condition::InSegment(_)) => match inner.as_ref() {
                Condition::InSegment(segment) => Some((inner.as_ref().clone(), segment.clone())),
                _ => None,
            },
            _ => {
                names.as_ref()?;
                let condition = opposite(rest.into_iter().cloned().collect());
                let name = SmolStr::new(format!("Cap for {condition}").chars().take(80).collect::<String>());
                found.push((name.clone(), text(&condition).ok()?));
                Some((condition, name))
            }
        };
        rows.push(CapRule { segment: segment.as_ref().map(|(_, name)| name.clone()), ..limit });
        earlier.extend(segment);
    }
    if let Some(names) = &mut names {
        names.workspace.segments.extend(found);
    }
    Some(rows)
}

fn cap(condition: &Condition) -> Option<CapRule> {
    let Condition::Events(EventQuery {
        metric,
        filter: None,
        measure: Measure::Count,
        window,
        op: CompareOp::Lt,
        value,
    }) = condition
    else {
        return None;
    };
    let channel = match metric.as_str() {
        "Received Email" => Channel::Email,
        "Received SMS" => Channel::Sms,
        _ => return None,
    };
    let EventWindow::Last(within) = *window else { return None };
    let whole = value.fract() == 0.0 && (1.0..=1_000_000.0).contains(value);
    whole.then_some(CapRule {
        limit: Limit::AtMost(*value as u32),
        within,
        channel,
        scope: Scope::Workspace,
        segment: None,
    })
}

/// The share of a filter that asks nothing but whether somebody is in a random sample.
pub(super) fn share(groups: &[Vec<Condition>]) -> Option<u32> {
    match groups {
        [group] => match group.as_slice() {
            [Condition::Share { share, .. }] => Some(*share),
            _ => None,
        },
        _ => None,
    }
}
