//! Instants and lengths of time in words, as a contact's wall shows them.

use super::project::Home;
use crate::{
    audience::Contact,
    base::{ContactId, Instant, Zone},
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The zone of a contact: their own, else the workspace's.
pub fn zone(home: &Home, contact: Option<&Contact>) -> Zone {
    let own = contact.and_then(|contact| contact.zone.as_deref()).and_then(|name| Zone::named(name).ok());
    own.unwrap_or_else(|| home.workspace.default_zone())
}

/// The zone of the contact of that id.
pub fn zone_of(home: &Home, contact: Option<&ContactId>) -> Zone {
    zone(home, contact.and_then(|id| super::stage::contact(home, id)))
}

/// "Tue 20 Oct 03:10".
pub fn day_time(at: Instant, zone: &Zone) -> String {
    format!("{} {}", day(at, zone), time(at, zone))
}

/// "Tue 20 Oct".
pub fn day(at: Instant, zone: &Zone) -> String {
    let local = zone.local(at);
    format!("{} {} {}", local.strftime("%a"), local.day(), local.strftime("%b"))
}

/// "03:10".
pub fn time(at: Instant, zone: &Zone) -> String {
    let local = zone.local(at);
    format!("{:02}:{:02}", local.hour(), local.minute())
}

/// The time where `from` is of the same day, else day and time.
pub fn time_after(from: Instant, at: Instant, zone: &Zone) -> String {
    if zone.local(from).date() == zone.local(at).date() { time(at, zone) } else { day_time(at, zone) }
}

/// "4 h", "1 day 4 h", "12 min", "40 s": the two largest units, rounded to the smaller.
pub fn length(millis: i64) -> String {
    let millis = millis.abs();
    let two = |large: i64, one: &str, many: &str, small: i64, unit: &str| {
        let n = millis / large;
        let rest = (millis % large + small / 2) / small;
        let (n, rest) = if rest * small >= large { (n + 1, 0) } else { (n, rest) };
        let large = if n == 1 { one } else { many };
        if rest == 0 { format!("{n} {large}") } else { format!("{n} {large} {rest} {unit}") }
    };
    if millis >= DAY - HOUR / 2 {
        two(DAY, "day", "days", HOUR, "h")
    } else if millis >= HOUR - MINUTE / 2 {
        two(HOUR, "h", "h", MINUTE, "min")
    } else if millis >= MINUTE {
        format!("{} min", (millis + MINUTE / 2) / MINUTE)
    } else {
        format!("{} s", millis / 1000)
    }
}

/// Reads an instant as people type it: `2026-10-20 03:10` on the wall of the zone, or RFC 3339.
///
/// Errors: a sentence with the form that is expected.
pub fn parse(text: &str, zone: &Zone) -> Result<Instant, String> {
    let text = text.trim();
    if let Ok(at) = Instant::parse(text)
        && text.len() > 10
    {
        return Ok(at);
    }
    for form in ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"] {
        if let Ok(local) = jiff::civil::DateTime::strptime(form, text) {
            return Ok(zone.instant_of(local));
        }
    }
    if let Ok(date) = jiff::civil::Date::strptime("%Y-%m-%d", text) {
        return Ok(zone.instant_of(date.at(0, 0, 0, 0)));
    }
    Err("Write it as 2026-10-20 03:10".to_owned())
}

/// The form that [`parse`] reads.
pub fn typed(at: Instant, zone: &Zone) -> String {
    zone.local(at).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_as_people_say_them() {
        for (millis, expected) in [
            (40_000, "40 s"),
            (12 * MINUTE, "12 min"),
            (4 * HOUR, "4 h"),
            (4 * HOUR + 30 * MINUTE, "4 h 30 min"),
            (5 * HOUR + 59 * MINUTE + 56_000, "6 h"),
            (28 * HOUR, "1 day 4 h"),
            (2 * DAY, "2 days"),
        ] {
            assert_eq!(length(millis), expected);
        }
    }

    #[test]
    fn instants_are_read_on_the_wall_of_the_contact() {
        let zone = Zone::named("Europe/Berlin").expect("a zone");
        let at = parse("2026-10-20 03:10", &zone).expect("reads");
        assert_eq!(
            (at.to_string().as_str(), day_time(at, &zone).as_str()),
            ("2026-10-20T01:10:00Z", "Tue 20 Oct 03:10")
        );
        assert_eq!(parse(&typed(at, &zone), &zone), Ok(at));
        assert_eq!(parse("2026-10-20T01:10:00Z", &zone), Ok(at));
        assert!(parse("soon", &zone).is_err());
    }
}
