//! A point on the time line, in whole milliseconds.
//!
//! Instants and calendar spans ([`super::Span`]) are different types: "24 hours later" is arithmetic, "one day
//! later" needs a zone (SEMANTICS R16). Nothing here asks a clock.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Printed, serialised and parsed as RFC 3339 in UTC. Years -9999 to 9999; arithmetic stops at those ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(i64);

impl Instant {
    /// The first instant that can be written.
    pub const MIN: Self = Self(-377_705_023_201_000 + 86_400_000);
    /// The last instant that can be written.
    pub const MAX: Self = Self(253_402_207_200_000 - 86_400_000);

    /// From milliseconds since the epoch, held inside [`Self::MIN`]..=[`Self::MAX`].
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Milliseconds since the epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Later (or earlier) by so many milliseconds; stops at the ends of the range.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to `self`; negative where `self` lies before it.
    pub fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Reads RFC 3339 with any offset, or a date alone (midnight UTC); fractions below a millisecond are cut off.
    ///
    /// Errors: a sentence that names the text and the form that is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::from_millis(stamp.as_millisecond()));
        }
        if let Ok(date) = text.parse::<jiff::civil::Date>()
            && text.len() == 10
            && let Ok(stamp) = jiff::tz::TimeZone::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight()))
        {
            return Ok(Self::from(stamp));
        }
        let shown: String = text.chars().take(40).collect();
        Err(format!("`{shown}` is not an instant; write it as 2026-11-23T09:00:00Z"))
    }

    /// The same instant for jiff.
    pub fn to_timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl From<jiff::Timestamp> for Instant {
    fn from(stamp: jiff::Timestamp) -> Self {
        Self::from_millis(stamp.as_millisecond())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_timestamp(), f)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Instant {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        for (text, expected) in [
            ("2026-11-23T09:00:00Z", "2026-11-23T09:00:00Z"),
            ("2026-11-23T09:00:00.123456+01:00", "2026-11-23T08:00:00.123Z"),
            ("2026-11-23", "2026-11-23T00:00:00Z"),
        ] {
            assert_eq!(Instant::parse(text).map(|i| i.to_string()), Ok(expected.to_owned()), "{text}");
        }
        assert!(Instant::parse("tomorrow").is_err());
    }

    #[test]
    fn the_ends_can_be_written() {
        for end in [Instant::MIN, Instant::MAX] {
            assert_eq!(Instant::parse(&end.to_string()), Ok(end));
        }
        assert_eq!(Instant::MAX.plus_millis(i64::MAX), Instant::MAX);
    }
}
