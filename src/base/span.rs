//! Spans as people write them: "4 h", "1 day 4 h", "2 weeks".
//!
//! Calendar units (years, months, weeks, days) and exact units (hours, minutes, seconds) stay apart: "1 day" is a
//! calendar day in somebody's zone, "24 h" is not; "1 day 4 h" is the day, then the hours (SEMANTICS R16).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{instant::Instant, zone::Zone};

/// A calendar part and an exact part. Either may be negative; both parts have the sign that was written.
///
/// Ranges: |months| ≤ 1,200, |days| ≤ 36,525, |millis| ≤ 100 years. Source: assumption, longer than any campaign.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct Span {
    /// Calendar months (a year is 12).
    pub months: i32,
    /// Calendar days (a week is 7).
    pub days: i32,
    /// Exact milliseconds.
    pub millis: i64,
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self { months: 0, days: 0, millis: 0 };

    /// Exact seconds.
    pub const fn seconds(n: i64) -> Self {
        Self { months: 0, days: 0, millis: n * SECOND }
    }

    /// Exact minutes.
    pub const fn minutes(n: i64) -> Self {
        Self { months: 0, days: 0, millis: n * MINUTE }
    }

    /// Exact hours.
    pub const fn hours(n: i64) -> Self {
        Self { months: 0, days: 0, millis: n * HOUR }
    }

    /// Calendar days.
    pub const fn days(n: i32) -> Self {
        Self { months: 0, days: n, millis: 0 }
    }

    /// Whether it has no calendar part, so that no zone is needed.
    pub fn is_exact(self) -> bool {
        self.months == 0 && self.days == 0
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// The same span the other way.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { months: -self.months, days: -self.days, millis: -self.millis }
    }

    /// The instant so much after `start`, calendar part first, in the zone. Gaps and overlaps: see
    /// [`Zone::instant_of`].
    pub fn after(self, start: Instant, zone: &Zone) -> Instant {
        if self.is_exact() {
            return start.plus_millis(self.millis);
        }
        zone.plus_calendar(start, self.months, self.days).plus_millis(self.millis)
    }

    /// The instant so much before `start`, calendar part first.
    pub fn before(self, start: Instant, zone: &Zone) -> Instant {
        self.negated().after(start, zone)
    }

    /// The shortest this span can be in any zone, in milliseconds: a day may have 23 hours (22 with the rare
    /// two-hour shifts), a month 28 days. For bounds in checks, never for scheduling.
    pub fn least_millis(self) -> i64 {
        i64::from(self.months) * 28 * DAY + i64::from(self.days) * DAY + self.millis
            - if self.is_exact() || self.months < 0 || self.days < 0 { 0 } else { HOUR }
    }

    /// About how long it is, in milliseconds: days of 24 h, months of 30 days. For sorting and for people.
    pub fn about_millis(self) -> i64 {
        i64::from(self.months) * 30 * DAY + i64::from(self.days) * DAY + self.millis
    }

    /// Whole minutes, if the span is exact and a whole number of minutes.
    pub fn whole_minutes(self) -> Option<i64> {
        (self.is_exact() && self.millis % MINUTE == 0).then_some(self.millis / MINUTE)
    }

    /// Reads one or more numbers with units, the units from the largest to the smallest, optional sign in front:
    /// `4 h`, `1 day 4 h`, `-2 weeks`, `90min`, `1.5 h` (fractions for exact units only).
    ///
    /// Errors: a sentence that names what is wrong and shows the form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shown: String = text.chars().take(40).collect();
        let fail = |why: &str| Err(format!("`{shown}` is not a span: {why}; write it as \"4 h\" or \"1 day 4 h\""));
        let mut rest = text.trim();
        let negative = rest.starts_with('-');
        if negative || rest.starts_with('+') {
            rest = rest[1..].trim_start();
        }
        if rest.is_empty() {
            return fail("it is empty");
        }
        let mut span = Self::ZERO;
        let mut last_rank = 0;
        while !rest.is_empty() {
            let number_len = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
            let (number, after_number) = rest.split_at(number_len);
            if number.is_empty() {
                return fail("a number is missing");
            }
            let after_number = after_number.trim_start();
            let unit_len = after_number.find(|c: char| !c.is_alphabetic()).unwrap_or(after_number.len());
            let (unit, tail) = after_number.split_at(unit_len);
            let (rank, months, days, millis) = match unit.to_ascii_lowercase().as_str() {
                "y" | "year" | "years" => (1, 12, 0, 0),
                "mo" | "month" | "months" => (2, 1, 0, 0),
                "w" | "week" | "weeks" => (3, 0, 7, 0),
                "d" | "day" | "days" => (4, 0, 1, 0),
                "h" | "hr" | "hour" | "hours" => (5, 0, 0, HOUR),
                "m" | "min" | "minute" | "minutes" => (6, 0, 0, MINUTE),
                "s" | "sec" | "second" | "seconds" => (7, 0, 0, SECOND),
                "ms" => (8, 0, 0, 1),
                "" => return fail("a unit is missing"),
                _ => return fail("the unit is none of year, month, week, day, h, min, s"),
            };
            if rank <= last_rank {
                return fail("units go from the largest to the smallest, each once");
            }
            last_rank = rank;
            let amount = if millis == 0 {
                let Ok(n) = number.parse::<i32>() else { return fail("calendar units take whole numbers") };
                f64::from(n)
            } else {
                let Ok(n) = number.parse::<f64>() else { return fail("the number cannot be read") };
                n
            };
            if amount > 1e12 {
                return fail("the number is too large");
            }
            span.months = span.months.saturating_add((amount * f64::from(months)) as i32);
            span.days = span.days.saturating_add((amount * f64::from(days)) as i32);
            span.millis = span.millis.saturating_add((amount * millis as f64).round() as i64);
            rest = tail.trim_start();
        }
        if span.months > 1_200 || span.days > 36_525 || span.millis > 36_525 * DAY {
            return fail("it is longer than 100 years");
        }
        Ok(if negative { span.negated() } else { span })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0 s");
        }
        let negative = self.months < 0 || self.days < 0 || self.millis < 0;
        let mut parts = Vec::new();
        let mut push = |n: i64, one: &str, many: &str| {
            if n != 0 {
                parts.push(format!("{n} {}", if n == 1 { one } else { many }));
            }
        };
        let months = i64::from(self.months).abs();
        let days = i64::from(self.days).abs();
        let millis = self.millis.abs();
        push(months / 12, "year", "years");
        push(months % 12, "month", "months");
        if days % 7 == 0 {
            push(days / 7, "week", "weeks");
        } else {
            push(days, "day", "days");
        }
        push(millis / HOUR, "h", "h");
        push(millis % HOUR / MINUTE, "min", "min");
        push(millis % MINUTE / SECOND, "s", "s");
        push(millis % SECOND, "ms", "ms");
        write!(f, "{}{}", if negative { "-" } else { "" }, parts.join(" "))
    }
}

impl std::str::FromStr for Span {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let printed = match Span::parse(text) {
            Ok(span) => span.to_string(),
            Err(error) => error,
        };
        assert!(printed.starts_with(expected), "{text:?} gave {printed:?}, not {expected:?}");
    }

    #[test]
    fn reads_what_people_write() {
        check("4 h", "4 h");
        check("4h", "4 h");
        check("1 day 4 h", "1 day 4 h");
        check("2 weeks", "2 weeks");
        check("14 days", "2 weeks");
        check("90 min", "1 h 30 min");
        check("1.5 h", "1 h 30 min");
        check("-3 days", "-3 days");
        check("18 months", "1 year 6 months");
        check("0 s", "0 s");
    }

    #[test]
    fn refuses_with_a_reason() {
        check("", "`` is not a span: it is empty");
        check("4", "`4` is not a span: a unit is missing");
        check("h", "`h` is not a span: a number is missing");
        check("4 h 1 day", "`4 h 1 day` is not a span: units go from the largest");
        check("1.5 days", "`1.5 days` is not a span: calendar units take whole numbers");
        check("4 moons", "`4 moons` is not a span: the unit");
        check("9999999999 days", "`9999999999 days` is not a span");
        check("999999 years", "`999999 years` is not a span: it is longer");
    }

    #[test]
    fn a_calendar_day_is_not_24_hours() {
        let berlin = Zone::named("Europe/Berlin").expect("in the zone data");
        let start = Instant::parse("2026-03-28T09:00:00Z").expect("written right");
        assert_eq!(Span::days(1).after(start, &berlin).to_string(), "2026-03-29T08:00:00Z");
        assert_eq!(Span::hours(24).after(start, &berlin).to_string(), "2026-03-29T09:00:00Z");
        assert_eq!(
            Span::parse("1 day 4 h").map(|s| s.after(start, &berlin).to_string()),
            Ok("2026-03-29T12:00:00Z".into())
        );
    }
}
