//! Operations on a property, read back. Source of fields and operators: references, HubSpot 6.2.

use jiff::civil::{Date, DateTime, Time};

use super::{
    filters::{compare, group},
    names::Names,
    spot::{Spot, Unread, short},
};
use crate::{
    audience::{
        Condition, Value, ValueType,
        condition::{CompareOp, Operand, Path},
    },
    base::{Instant, Span, Zone},
};

/// What an operation asks of the value under `path`; `name` is the property's own name.
pub(super) fn operation(
    operation: &Spot<'_>,
    name: &str,
    path: Path,
    names: &mut Names<'_>,
) -> Result<Condition, Unread> {
    let kind = operation.word("operationType");
    let asked = Asked { operation, name, path: &path, operator: operation.word("operator") };
    let condition = match kind {
        "STRING" => asked.string(operation.text("value")?)?,
        "MULTISTRING" => asked.strings()?,
        "ENUMERATION" => {
            names.note_type(name, "ENUMERATION", path.root, None);
            asked.enumeration()?
        }
        "NUMBER" => {
            names.note_type(name, "", path.root, Some(ValueType::Number));
            asked.number()?
        }
        "NUMBER_RANGED" => {
            names.note_type(name, "", path.root, Some(ValueType::Number));
            let bound = |key: &str| Ok(Value::Number(operation.number(key)?));
            asked.between(bound("lowerBound")?, bound("upperBound")?)?
        }
        "BOOL" => {
            names.note_type(name, "", path.root, Some(ValueType::Bool));
            let yes = operation.json["value"].as_bool();
            let yes = yes.ok_or_else(|| operation.get("value").unread("`value` is neither true nor false"))?;
            match asked.operator {
                "IS_EQUAL_TO" => asked.is(CompareOp::Eq, Value::Bool(yes)),
                "IS_NOT_EQUAL_TO" => asked.is(CompareOp::Ne, Value::Bool(yes)),
                _ => return Err(asked.unknown()),
            }
        }
        "ALL_PROPERTY" => {
            return match asked.operator {
                "IS_KNOWN" | "IS_NOT_BLANK" => Ok(Condition::IsSet(path)),
                "IS_UNKNOWN" | "IS_BLANK" => Ok(Condition::Not(Box::new(Condition::IsSet(path)))),
                _ => Err(asked.unknown()),
            };
        }
        "DATE" => {
            names.note_type(name, "", path.root, Some(ValueType::Date));
            let date = Value::Date(date(operation)?);
            match asked.operator {
                "EQUAL" | "IS_EQUAL_TO" => asked.is(CompareOp::Eq, date),
                "BEFORE" | "IS_BEFORE" => asked.is(CompareOp::Lt, date),
                "AFTER" | "IS_AFTER" => asked.is(CompareOp::Gt, date),
                _ => return Err(asked.unknown()),
            }
        }
        "DATETIME" => {
            names.note_type(name, "", path.root, Some(ValueType::Instant));
            let at = Value::Instant(Instant::from_millis(operation.whole("timestamp")?));
            match asked.operator {
                "IS_BEFORE" => asked.is(CompareOp::Lt, at),
                "IS_AFTER" => asked.is(CompareOp::Gt, at),
                _ => return Err(asked.unknown()),
            }
        }
        "RANGED_DATE" => {
            names.note_type(name, "", path.root, Some(ValueType::Instant));
            let bound = |key: &str| Ok(Value::Instant(Instant::from_millis(operation.whole(key)?)));
            asked.between(bound("lowerBound")?, bound("upperBound")?)?
        }
        "ROLLING_DATE_RANGE" => {
            names.note_type(name, "", path.root, Some(ValueType::Date));
            asked.rolling()?
        }
        "TIME_POINT" => asked.time_point(names)?,
        "TIME_RANGED" => asked.time_ranged(names)?,
        "COMPARATIVE_STRING" | "COMPARATIVE_DATE" => {
            let op = match (kind, asked.operator) {
                ("COMPARATIVE_DATE", "IS_BEFORE") => CompareOp::Lt,
                ("COMPARATIVE_DATE", "IS_AFTER") => CompareOp::Gt,
                ("COMPARATIVE_STRING", "IS_EQUAL_TO") => CompareOp::Eq,
                ("COMPARATIVE_STRING", "IS_NOT_EQUAL_TO") => CompareOp::Ne,
                ("COMPARATIVE_STRING", "CONTAINS") => CompareOp::Contains,
                ("COMPARATIVE_STRING", "STARTS_WITH") => CompareOp::StartsWith,
                ("COMPARATIVE_STRING", "ENDS_WITH") => CompareOp::EndsWith,
                _ => return Err(asked.unknown()),
            };
            if kind == "COMPARATIVE_DATE" {
                names.note_type(name, "", path.root, Some(ValueType::Date));
            }
            let other = operation.text("comparisonPropertyName")?;
            let other = names.contact_path(other).ok_or_else(|| operation.unread("that property has no name here"))?;
            Condition::Compare { left: path.clone(), op, right: Operand::Path(other) }
        }
        other => return Err(operation.unread(format!("operations of type `{}` are not understood", short(other)))),
    };
    if operation.is_true("includeObjectsWithNoValueSet") {
        let missing = Condition::Not(Box::new(Condition::IsSet(path)));
        return Ok(Condition::Any(vec![condition, missing]));
    }
    Ok(condition)
}

/// One operation at hand.
struct Asked<'s, 'a> {
    operation: &'s Spot<'a>,
    name: &'s str,
    path: &'s Path,
    operator: &'a str,
}

impl Asked<'_, '_> {
    fn unknown(&self) -> Unread {
        let kind = short(self.operation.word("operationType"));
        self.operation.unread(format!("{kind} `{}` is not understood", short(self.operator)))
    }

    fn is(&self, op: CompareOp, value: Value) -> Condition {
        compare(self.path.clone(), op, value)
    }

    fn string(&self, text: &str) -> Result<Condition, Unread> {
        let value = Value::text(text);
        Ok(match self.operator {
            "IS_EQUAL_TO" => self.is(CompareOp::Eq, value),
            "IS_NOT_EQUAL_TO" => self.is(CompareOp::Ne, value),
            "CONTAINS" => self.is(CompareOp::Contains, value),
            "DOES_NOT_CONTAIN" => Condition::Not(Box::new(self.is(CompareOp::Contains, value))),
            "STARTS_WITH" => self.is(CompareOp::StartsWith, value),
            "ENDS_WITH" => self.is(CompareOp::EndsWith, value),
            _ => return Err(self.unknown()),
        })
    }

    /// The values as texts; at least one.
    fn values(&self) -> Result<Vec<Value>, Unread> {
        let mut out = Vec::new();
        for value in self.operation.list("values")? {
            let text = value.as_id().ok_or_else(|| value.unread("a value is no text"))?;
            out.push(Value::text(text));
        }
        if out.is_empty() {
            return Err(self.operation.get("values").unread("there are no values"));
        }
        Ok(out)
    }

    fn strings(&self) -> Result<Condition, Unread> {
        let values = self.values()?;
        let each = |op| group(false, values.iter().map(|value| self.is(op, value.clone())).collect());
        Ok(match self.operator {
            "IS_EQUAL_TO" => self.is(CompareOp::In, Value::List(values)),
            "IS_NOT_EQUAL_TO" => self.is(CompareOp::NotIn, Value::List(values)),
            "CONTAINS" => each(CompareOp::Contains),
            "DOES_NOT_CONTAIN" => Condition::Not(Box::new(each(CompareOp::Contains))),
            "STARTS_WITH" => each(CompareOp::StartsWith),
            "ENDS_WITH" => each(CompareOp::EndsWith),
            _ => return Err(self.unknown()),
        })
    }

    fn enumeration(&self) -> Result<Condition, Unread> {
        let mut values = self.values()?;
        let single = if values.len() == 1 { values.pop() } else { None };
        Ok(match (self.operator, single) {
            ("IS_ANY_OF" | "IS_EXACTLY", Some(value)) => self.is(CompareOp::Eq, value),
            ("IS_NONE_OF" | "IS_NOT_EXACTLY", Some(value)) => self.is(CompareOp::Ne, value),
            ("IS_ANY_OF", None) => self.is(CompareOp::In, Value::List(values)),
            ("IS_NONE_OF", None) => self.is(CompareOp::NotIn, Value::List(values)),
            ("CONTAINS_ALL", single) => {
                let values = single.into_iter().chain(values);
                group(true, values.map(|value| self.is(CompareOp::Contains, value)).collect())
            }
            _ => return Err(self.unknown()),
        })
    }

    fn number(&self) -> Result<Condition, Unread> {
        let op = match self.operator {
            "IS_EQUAL_TO" => CompareOp::Eq,
            "IS_NOT_EQUAL_TO" => CompareOp::Ne,
            "IS_GREATER_THAN" => CompareOp::Gt,
            "IS_GREATER_THAN_OR_EQUAL_TO" => CompareOp::Ge,
            "IS_LESS_THAN" => CompareOp::Lt,
            "IS_LESS_THAN_OR_EQUAL_TO" => CompareOp::Le,
            _ => return Err(self.unknown()),
        };
        Ok(self.is(op, Value::Number(self.operation.number("value")?)))
    }

    fn between(&self, low: Value, high: Value) -> Result<Condition, Unread> {
        Ok(match self.operator {
            "IS_BETWEEN" => Condition::All(vec![self.is(CompareOp::Ge, low), self.is(CompareOp::Le, high)]),
            "IS_NOT_BETWEEN" => Condition::Any(vec![self.is(CompareOp::Lt, low), self.is(CompareOp::Gt, high)]),
            _ => return Err(self.unknown()),
        })
    }

    fn now(&self, op: CompareOp, span: Span) -> Condition {
        Condition::Compare { left: self.path.clone(), op, right: Operand::Now(span) }
    }

    fn rolling(&self) -> Result<Condition, Unread> {
        let days = self.operation.whole("numberOfDays")?;
        let days = span_of(days, "DAYS").ok_or_else(|| self.operation.unread("these days are too many"))?;
        let ago = days.negated();
        Ok(match self.operator {
            "IS_LESS_THAN_X_DAYS_AGO" => {
                Condition::All(vec![self.now(CompareOp::Gt, ago), self.now(CompareOp::Le, Span::ZERO)])
            }
            "IS_MORE_THAN_X_DAYS_AGO" => self.now(CompareOp::Lt, ago),
            "IS_LESS_THAN_X_DAYS_FROM_NOW" => {
                Condition::All(vec![self.now(CompareOp::Ge, Span::ZERO), self.now(CompareOp::Lt, days)])
            }
            "IS_MORE_THAN_X_DAYS_FROM_NOW" => self.now(CompareOp::Gt, days),
            _ => return Err(self.unknown()),
        })
    }

    fn time_point(&self, names: &mut Names<'_>) -> Result<Condition, Unread> {
        let point = self.operation.get("timePoint");
        let inclusive = self.operation.word("endpointBehavior") == "INCLUSIVE";
        let op = match (self.operator, inclusive) {
            ("IS_BEFORE", true) => CompareOp::Le,
            ("IS_BEFORE", false) => CompareOp::Lt,
            ("IS_AFTER", true) => CompareOp::Ge,
            ("IS_AFTER", false) => CompareOp::Gt,
            _ => return Err(self.unknown()),
        };
        if let Some(parser) = self.operation.has("propertyParser").filter(|parser| parser.json != "VALUE") {
            return Err(parser.unread("only the value itself can be asked here"));
        }
        match point.word("timeType") {
            "INDEXED" => {
                names.note_type(self.name, "", self.path.root, Some(ValueType::Date));
                let reference = point.get("indexReference").word("referenceType");
                if !matches!(reference, "NOW" | "TODAY") {
                    return Err(point.get("indexReference").unread("only days from now can be asked here"));
                }
                if reference == "TODAY" {
                    names.from_today.insert(point.at.clone());
                }
                Ok(self.now(op, index_offset(&point)?))
            }
            "DATE" => {
                let at = date_point(&point)?;
                let (first, last) = (Time::midnight(), Time::constant(23, 59, 59, 0));
                let whole_day = match op {
                    CompareOp::Lt | CompareOp::Ge => at.time() == first,
                    _ => at.time() == last,
                };
                if whole_day {
                    names.note_type(self.name, "", self.path.root, Some(ValueType::Date));
                    return Ok(self.is(op, Value::Date(at.date())));
                }
                names.note_type(self.name, "", self.path.root, Some(ValueType::Instant));
                Ok(self.is(op, Value::Instant(instant(&point, at)?)))
            }
            "PROPERTY_REFERENCED" => {
                let other = point.text("property")?;
                let other = names.contact_path(other).ok_or_else(|| point.unread("that property has no name here"))?;
                Ok(Condition::Compare { left: self.path.clone(), op, right: Operand::Path(other) })
            }
            other => Err(point.unread(format!("moments of type `{}` are not understood", short(other)))),
        }
    }

    fn time_ranged(&self, names: &mut Names<'_>) -> Result<Condition, Unread> {
        let bound = |key: &str| {
            let point = self.operation.get(key);
            if point.word("timeType") != "DATE" {
                return Err(point.unread("only fixed dates are understood in a range"));
            }
            Ok((date_point(&point)?, point))
        };
        let (low, low_point) = bound("lowerBoundTimePoint")?;
        let (high, high_point) = bound("upperBoundTimePoint")?;
        let whole = low.time() == Time::midnight() && high.time() == Time::constant(23, 59, 59, 0);
        names.note_type(self.name, "", self.path.root, Some(if whole { ValueType::Date } else { ValueType::Instant }));
        if whole && low.date() == high.date() {
            let date = Value::Date(low.date());
            return match self.operator {
                "IS_BETWEEN" => Ok(self.is(CompareOp::Eq, date)),
                "IS_NOT_BETWEEN" => Ok(self.is(CompareOp::Ne, date)),
                _ => Err(self.unknown()),
            };
        }
        if whole {
            return self.between(Value::Date(low.date()), Value::Date(high.date()));
        }
        self.between(Value::Instant(instant(&low_point, low)?), Value::Instant(instant(&high_point, high)?))
    }
}

/// So many of a unit; `None` beyond what a span may hold, or for an unknown unit.
pub(super) fn span_of(amount: i64, unit: &str) -> Option<Span> {
    // Source: the ranges of `Span`.
    const MOST_DAYS: i64 = 36_525;
    let days = |n: i64| (n.abs() <= MOST_DAYS).then(|| i32::try_from(n).ok().map(Span::days)).flatten();
    match unit {
        "MINUTES" => (amount.abs() <= MOST_DAYS * 1_440).then(|| Span::minutes(amount)),
        "HOURS" => (amount.abs() <= MOST_DAYS * 24).then(|| Span::hours(amount)),
        "DAYS" => days(amount),
        "WEEKS" => days(amount.checked_mul(7)?),
        _ => None,
    }
}

/// Moved from now by months, days, hours and minutes.
fn index_offset(point: &Spot<'_>) -> Result<Span, Unread> {
    let Some(offset) = point.has("offset") else { return Ok(Span::ZERO) };
    let known = ["years", "months", "weeks", "days", "hours", "minutes"];
    if let Some(key) = offset.others(&known).first() {
        return Err(offset.get(key).unread("this unit is not understood"));
    }
    let part = |key: &str| offset.has(key).map_or(Ok(0), |_| offset.whole(key));
    let months = part("years")?.saturating_mul(12).saturating_add(part("months")?);
    let days = part("weeks")?.saturating_mul(7).saturating_add(part("days")?);
    let minutes = part("hours")?.saturating_mul(60).saturating_add(part("minutes")?);
    let parts = [months.signum(), days.signum(), minutes.signum()];
    if months.abs() > 1_200 || days.abs() > 36_525 || minutes.abs() > 36_525 * 1_440 {
        return Err(offset.unread("this lies too far away"));
    }
    if parts.contains(&1) && parts.contains(&-1) {
        return Err(offset.unread("forward and back at once is not understood"));
    }
    Ok(Span { months: months as i32, days: days as i32, millis: minutes * 60_000 })
}

fn number_in(spot: &Spot<'_>, key: &str) -> Result<i64, Unread> {
    if spot.has(key).is_some() { spot.whole(key) } else { Ok(0) }
}

fn date(spot: &Spot<'_>) -> Result<Date, Unread> {
    let (year, day) = (spot.whole("year")?, spot.whole("day")?);
    let month = match spot.json["month"].as_str() {
        Some(name) if name.parse::<i64>().is_err() => month_number(name),
        _ => i8::try_from(spot.whole("month")?).ok(),
    };
    let date = match (i16::try_from(year), month, i8::try_from(day)) {
        (Ok(year), Some(month), Ok(day)) => Date::new(year, month, day).ok(),
        _ => None,
    };
    date.filter(|date| (0..=9999).contains(&date.year())).ok_or_else(|| spot.unread("this is no date"))
}

/// A month by its English name, in any case.
pub(super) fn month_number(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "JANUARY",
        "FEBRUARY",
        "MARCH",
        "APRIL",
        "MAY",
        "JUNE",
        "JULY",
        "AUGUST",
        "SEPTEMBER",
        "OCTOBER",
        "NOVEMBER",
        "DECEMBER",
    ];
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    i8::try_from(at + 1).ok()
}

fn date_point(point: &Spot<'_>) -> Result<DateTime, Unread> {
    let part = |key: &str| number_in(point, key).map(|n| i8::try_from(n).unwrap_or(-1));
    let time = Time::new(part("hour")?, part("minute")?, part("second")?, 0);
    let time = time.map_err(|_| point.unread("this is no time of day"))?;
    Ok(date(point)?.to_datetime(time))
}

fn instant(point: &Spot<'_>, at: DateTime) -> Result<Instant, Unread> {
    let zone = Zone::named(point.word("zoneId")).map_err(|why| point.get("zoneId").unread(why))?;
    Ok(zone.instant_of(at))
}
