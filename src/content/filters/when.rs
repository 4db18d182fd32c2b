//! Filters over the calendar: dates in the contact's zone, when something arrives, whether a deadline is over.
//!
//! They look at two names of the rendering context: the instant of the mail and the contact's zone.

use jiff::civil::{Date, DateTime, Time};
use minijinja::{Error, ErrorKind, State, Value as EngineValue, value::Rest};

use super::{NOW, Names, ZONE, format_date_in, is_missing, plain};
use crate::base::{Instant, TimeOfDay, Weekday, Zone};

/// What a text says of a date or time, as values and literals write it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Moment {
    /// A day.
    Day(Date),
    /// A time on everybody's own wall.
    Wall(DateTime),
    /// One instant.
    At(Instant),
}

impl Moment {
    /// Reads `2026-11-27`, `2026-11-27 18:00`, `2026-11-27T18:00:00Z`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() == 10
            && let Ok(date) = text.parse()
        {
            return Some(Self::Day(date));
        }
        match Instant::parse(text) {
            Ok(at) => Some(Self::At(at)),
            Err(_) => text.parse().ok().map(Self::Wall),
        }
    }

    /// On the wall of a zone; a day at its midnight.
    pub(crate) fn local(self, zone: &Zone) -> DateTime {
        match self {
            Self::Day(date) => date.to_datetime(Time::midnight()),
            Self::Wall(at) => at,
            Self::At(at) => zone.local(at),
        }
    }

    /// Whether it is over; a day is over with its midnight.
    fn is_past(self, now: Instant, zone: &Zone) -> bool {
        match self {
            Self::Day(date) => zone.local(now).date() > date,
            Self::Wall(at) => zone.local(now) >= at,
            Self::At(at) => now >= at,
        }
    }
}

fn zone(state: &State) -> Zone {
    state.lookup(ZONE).and_then(|name| Zone::named(name.as_str()?).ok()).unwrap_or_else(Zone::utc)
}

fn now(state: &State) -> Option<Instant> {
    let millis = i64::try_from(state.lookup(NOW)?).ok()?;
    Some(Instant::from_millis(millis))
}

/// `x|date_fmt('%-d %B')`; `'now'` is the instant of the mail. A further text is the language of the names, English
/// where it is left out: `x|date_fmt('%-d. %B', 'de')`.
pub(super) fn date_fmt(
    state: &mut State,
    value: EngineValue,
    pattern: String,
    language: Option<String>,
) -> Result<EngineValue, Error> {
    if is_missing(&value) {
        return Ok(value);
    }
    let text = plain(&value);
    let moment = if text == "now" { now(state).map(Moment::At) } else { Moment::parse(&text) };
    let Some(moment) = moment else {
        let shown: String = text.chars().take(40).collect();
        return Err(Error::new(ErrorKind::InvalidOperation, format!("`{shown}` is not a date")));
    };
    let names = Names::of(language.as_deref().unwrap_or_default());
    Ok(EngineValue::from(format_date_in(moment.local(&zone(state)), &pattern, names)))
}

/// `x|is_past`: whether a date or time is over when the mail is made; a missing one is not.
pub(super) fn is_past(state: &mut State, value: EngineValue) -> bool {
    let moment = value.as_str().and_then(Moment::parse);
    let (Some(moment), Some(now)) = (moment, now(state)) else { return false };
    moment.is_past(now, &zone(state))
}

/// `'14:00 Europe/Berlin'|arrival(2)`: the day so many working days (at most 60) after an order now, `Thu 3 December`.
/// With a second number the first of two days, without its month where both have the same: `Tue 1`. A text at the end
/// is the language: `arrival(2, 4, 'de')`.
pub(super) fn arrival(
    state: &mut State,
    rule: String,
    days: u32,
    rest: Rest<EngineValue>,
) -> Result<EngineValue, Error> {
    let wrong = |what: &str| Error::new(ErrorKind::InvalidOperation, what.to_owned());
    let last = rest.iter().find_map(|value| u32::try_from(value.clone()).ok());
    let names = Names::of(rest.iter().find_map(EngineValue::as_str).unwrap_or_default());
    let now = now(state).ok_or_else(|| wrong("nobody knows what time it is"))?;
    let (time, place) = rule.trim().split_once(' ').unwrap_or((rule.trim(), ""));
    // A zone alone, without a cut-off.
    let (time, place) = if time.contains('/') { ("", time) } else { (time, place) };
    let shop = if place.trim().is_empty() { zone(state) } else { Zone::named(place.trim()).map_err(|e| wrong(&e))? };
    let cut_off = if time.is_empty() { None } else { Some(TimeOfDay::parse(time).map_err(|e| wrong(&e))?) };
    let day = |days: u32| arrives(shop.local(now), cut_off, days).ok_or_else(|| wrong("the calendar ends"));
    let (first, last) = (day(days)?, day(last.unwrap_or(days))?);
    let short = first != last && (first.year(), first.month()) == (last.year(), last.month());
    let pattern = if short { names.near_day } else { names.short_day };
    Ok(EngineValue::from(format_date_in(first.to_datetime(Time::midnight()), pattern, names)))
}

/// The day something ordered at `now` arrives. What is ordered on a weekend or after the cut-off counts from the next
/// working day.
fn arrives(now: DateTime, cut_off: Option<TimeOfDay>, days: u32) -> Option<Date> {
    let works = |date: Date| !matches!(Weekday::of(date), Weekday::Sat | Weekday::Sun);
    let next = |mut date: Date| {
        date = date.tomorrow().ok()?;
        while !works(date) {
            date = date.tomorrow().ok()?;
        }
        Some(date)
    };
    let mut date = now.date();
    if !works(date) || cut_off.is_some_and(|time| now.time() > time.0) {
        date = next(date)?;
    }
    for _ in 0..days.min(60) {
        date = next(date)?;
    }
    Some(date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::format_date;

    #[test]
    fn arrivals() {
        let check = |now: &str, cut_off: Option<&str>, days: u32, expected: &str| {
            let cut_off = cut_off.map(|time| TimeOfDay::parse(time).expect("time"));
            let day = arrives(now.parse().expect("written right"), cut_off, days).expect("a day");
            assert_eq!(
                format_date(day.to_datetime(Time::midnight()), "%a %-d %b"),
                expected,
                "{now} {cut_off:?} {days}"
            );
        };
        // Friday
        check("2026-11-27T10:00", Some("14:00"), 2, "Tue 1 Dec");
        check("2026-11-27T14:00", Some("14:00"), 2, "Tue 1 Dec");
        check("2026-11-27T14:01", Some("14:00"), 2, "Wed 2 Dec");
        check("2026-11-27T23:00", None, 2, "Tue 1 Dec");
        check("2026-11-27T10:00", None, 0, "Fri 27 Nov");
        // Saturday
        check("2026-11-28T10:00", None, 0, "Mon 30 Nov");
        check("2026-11-28T23:00", Some("14:00"), 1, "Tue 1 Dec");
    }

    #[test]
    fn moments() {
        let zone = Zone::named("Europe/Berlin").expect("zone");
        let check = |text: &str, now: &str, expected: bool| {
            let now = Instant::parse(now).expect("instant");
            let past = Moment::parse(text).map(|moment| moment.is_past(now, &zone));
            assert_eq!(past, Some(expected), "{text} at {now}");
        };
        check("2026-11-27", "2026-11-27T22:59:00Z", false);
        check("2026-11-27", "2026-11-27T23:00:00Z", true);
        check("2026-11-27 18:00", "2026-11-27T16:59:00Z", false);
        check("2026-11-27T18:00", "2026-11-27T17:00:00Z", true);
        check("2026-11-27T18:00:00Z", "2026-11-27T17:30:00Z", false);
        check("2026-11-27T18:00:00+01:00", "2026-11-27T17:00:00Z", true);
        assert_eq!(Moment::parse("soon"), None);
    }
}
