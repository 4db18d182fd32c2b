//! Numbers, instants and lengths of time in words: as the user wants them written, on a contact's wall.
//!
//! The one idea: whoever says a time or a count in the window asks a [`Wall`] or a [`Manner`], which come with what
//! stands around the flow, so that the settings are obeyed everywhere. Deliberately not here: mails and files, which
//! have their own ways.

use std::ops::Deref;

use smol_str::SmolStr;

use super::{
    preferences::{DateStyle, NumberStyle, Preferences},
    project::Home,
};
use crate::{
    audience::{Contact, print_number},
    base::{ContactId, Instant, Zone},
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How the user wants numbers and dates written, and the zone of whoever has none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Manner {
    /// Numbers.
    pub numbers: NumberStyle,
    /// Dates.
    pub dates: DateStyle,
    /// Zone where contact and workspace name none; UTC where this does not either.
    pub zone: Option<SmolStr>,
}

impl Manner {
    /// As the settings say.
    pub fn of(preferences: &Preferences) -> Self {
        let zone = preferences.zone.as_ref().map(SmolStr::new);
        Self { numbers: preferences.numbers, dates: preferences.dates, zone }
    }

    /// A whole number: `12,480`.
    pub fn number(&self, n: u64) -> String {
        let digits = n.to_string();
        let between = match self.numbers {
            NumberStyle::Comma => ',',
            NumberStyle::Point => '.',
            NumberStyle::Space => '\u{202f}',
        };
        let mut out = String::with_capacity(digits.len() + digits.len() / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                out.push(between);
            }
            out.push(digit);
        }
        out
    }

    /// A number with what stands behind its point: `12,480.5`.
    pub fn decimal(&self, n: f64) -> String {
        let text = print_number(n);
        let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
        let (whole, rest) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
        // What has other letters in it (an exponent) is no number that people group.
        let Ok(whole) = whole.parse::<u64>() else { return format!("{sign}{text}") };
        let point = if self.numbers == NumberStyle::Comma { '.' } else { ',' };
        let rest = rest.map(|rest| format!("{point}{rest}")).unwrap_or_default();
        format!("{sign}{}{rest}", self.number(whole))
    }

    /// A part of a whole: `47.9%`, rounded to a tenth.
    pub fn percent(&self, part: u64, whole: u64) -> String {
        let tenths = (part * 1000 + whole / 2).checked_div(whole).unwrap_or(0);
        format!("{}%", self.decimal(tenths as f64 / 10.0))
    }

    /// A calendar date: `20 October 2026`.
    pub fn date(&self, date: jiff::civil::Date) -> String {
        crate::content::format_date(date.at(0, 0, 0, 0), self.dates.pattern())
    }

    /// The wall of a zone.
    pub fn wall(&self, zone: Zone) -> Wall {
        Wall { zone, dates: self.dates }
    }
}

/// A zone, and how dates are written there.
#[derive(Clone, PartialEq, Debug)]
pub struct Wall {
    zone: Zone,
    dates: DateStyle,
}

impl Deref for Wall {
    type Target = Zone;
    fn deref(&self) -> &Zone {
        &self.zone
    }
}

/// The wall of a contact: in their own zone, else the workspace's.
pub fn zone(home: &Home, contact: Option<&Contact>) -> Wall {
    let own = contact.and_then(|contact| contact.zone.as_deref()).and_then(|name| Zone::named(name).ok());
    home.manner.wall(own.unwrap_or_else(|| home.workspace.default_zone()))
}

/// The wall of the contact of that id.
pub fn zone_of(home: &Home, contact: Option<&ContactId>) -> Wall {
    zone(home, contact.and_then(|id| super::stage::contact(home, id)))
}

/// "Tue 20 Oct 03:10".
pub fn day_time(at: Instant, wall: &Wall) -> String {
    format!("{} {}", day(at, wall), time(at, wall))
}

/// "Tue 20 Oct", "2026-10-20", "Tue 20.10.", "Tue 10/20".
pub fn day(at: Instant, wall: &Wall) -> String {
    let local = wall.local(at);
    match wall.dates {
        DateStyle::Long => format!("{} {} {}", local.strftime("%a"), local.day(), local.strftime("%b")),
        DateStyle::Iso => local.strftime("%Y-%m-%d").to_string(),
        DateStyle::DayFirst => local.strftime("%a %d.%m.").to_string(),
        DateStyle::MonthFirst => local.strftime("%a %m/%d").to_string(),
    }
}

/// "20 October 2026".
pub fn date(at: Instant, wall: &Wall) -> String {
    crate::content::format_date(wall.local(at), wall.dates.pattern())
}

/// "03:10".
pub fn time(at: Instant, wall: &Wall) -> String {
    let local = wall.local(at);
    format!("{:02}:{:02}", local.hour(), local.minute())
}

/// The time where `from` is of the same day, else day and time.
pub fn time_after(from: Instant, at: Instant, wall: &Wall) -> String {
    if wall.local(from).date() == wall.local(at).date() { time(at, wall) } else { day_time(at, wall) }
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
        let zone = Manner::default().wall(Zone::named("Europe/Berlin").expect("a zone"));
        let at = parse("2026-10-20 03:10", &zone).expect("reads");
        assert_eq!(
            (at.to_string().as_str(), day_time(at, &zone).as_str()),
            ("2026-10-20T01:10:00Z", "Tue 20 Oct 03:10")
        );
        assert_eq!(parse(&typed(at, &zone), &zone), Ok(at));
        assert_eq!(parse("2026-10-20T01:10:00Z", &zone), Ok(at));
        assert!(parse("soon", &zone).is_err());
    }

    #[test]
    fn numbers_and_dates_are_written_as_the_user_wants() {
        let at = Instant::parse("2026-10-20T01:10:00Z").expect("an instant");
        let zone = || Zone::named("Europe/Berlin").expect("a zone");
        let check = |numbers: NumberStyle, dates: DateStyle, expected: [&str; 5]| {
            let manner = Manner { numbers, dates, zone: None };
            let wall = manner.wall(zone());
            let said = [
                manner.number(1_234_567),
                manner.decimal(-12_480.5),
                manner.percent(1, 3),
                day_time(at, &wall),
                date(at, &wall),
            ];
            assert_eq!(said, expected.map(str::to_owned));
        };
        use {DateStyle as D, NumberStyle as N};
        check(N::Comma, D::Long, ["1,234,567", "-12,480.5", "33.3%", "Tue 20 Oct 03:10", "20 October 2026"]);
        check(N::Point, D::DayFirst, ["1.234.567", "-12.480,5", "33,3%", "Tue 20.10. 03:10", "20.10.2026"]);
        check(N::Comma, D::MonthFirst, ["1,234,567", "-12,480.5", "33.3%", "Tue 10/20 03:10", "10/20/2026"]);
        let narrow = "\u{202f}";
        let spaced = [format!("1{narrow}234{narrow}567"), format!("-12{narrow}480,5")];
        check(N::Space, D::Iso, [&spaced[0], &spaced[1], "33,3%", "2026-10-20 03:10", "2026-10-20"]);
        assert_eq!(Manner::default().percent(1, 0), "0%");
        assert_eq!(Manner::default().decimal(0.0), "0");
    }
}
