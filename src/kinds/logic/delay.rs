//! Logic: wait for a span, until a time of day, or until a date of the contact.

use serde::{Deserialize, Serialize};

use crate::{
    audience::{Path, Value},
    base::{Diagnostic, Instant, Place, Span, TimeOfDay, Weekdays, Window, Zone},
    kinds::spec::{Docs, Editor, FieldSpec, Group, Spec, case, field, one},
};

/// The settings.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Delay {
    /// What is waited for.
    pub wait: Wait,
    /// Counted from here; for spans only.
    #[serde(default)]
    pub after: Anchor,
    /// Then on into this window on the contact's wall, if the end lies outside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// What a delay waits for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// A span after the anchor.
    For(Span),
    /// The next time the contact's wall shows this.
    Until {
        /// Time of day.
        time: TimeOfDay,
        /// On these days; every day where left out.
        #[serde(default)]
        weekdays: Weekdays,
    },
    /// A date of the contact or the trigger event, moved.
    Date {
        /// The date: `contact.renewal_date`, `trigger.expires_at`.
        property: Path,
        /// Moved by this; negative is before.
        #[serde(default)]
        offset: Span,
        /// For a date without a time: at this time of day in the contact's zone. Default 09:00.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<TimeOfDay>,
        /// When it is past already, by more than `latest_age`, or missing.
        #[serde(default)]
        past: Past,
        /// A date past by at most this still counts as now. Default 24 h (SEMANTICS R18).
        #[serde(default = "default_latest_age")]
        latest_age: Span,
    },
}

fn default_latest_age() -> Span {
    Span::hours(24)
}

/// From when a span counts (SEMANTICS R16).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The instant the previous step was left.
    #[default]
    Previous,
    /// The entry into the flow.
    Entry,
}

/// What a past date does (SEMANTICS R18).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Past {
    /// Messages up to the next delay or wait are skipped.
    #[default]
    Skip,
    /// Go on at once.
    Go,
    /// Leave the flow.
    Leave,
}

/// When a delay ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// At this instant, which may be past.
    At(Instant),
    /// The date is past or missing: do what [`Past`] says.
    Past(Past),
}

impl Delay {
    /// When it ends for a journey that came here at `arrived` (= the previous step was left) and entered at `entry`.
    ///
    /// `value` is the date property's value, where the delay has one. Never before `arrived`.
    pub fn due(&self, arrived: Instant, entry: Instant, zone: &Zone, value: Option<&Value>) -> Due {
        let at = match &self.wait {
            Wait::For(span) => {
                let anchor = if self.after == Anchor::Entry { entry } else { arrived };
                span.after(anchor, zone)
            }
            Wait::Until { time, weekdays } => zone.next_time(arrived, *time, *weekdays),
            Wait::Date { offset, at, past, latest_age, .. } => {
                let day = |date: jiff::civil::Date| {
                    let time = at.map_or(jiff::civil::Time::constant(9, 0, 0, 0), |t| t.0);
                    zone.instant_of(date.to_datetime(time))
                };
                let base = match (value, at) {
                    (Some(Value::Date(date)), _) => day(*date),
                    (Some(Value::Instant(instant)), Some(_)) => day(zone.local(*instant).date()),
                    (Some(Value::Instant(instant)), None) => *instant,
                    _ => return Due::Past(*past),
                };
                let due = offset.after(base, zone);
                if latest_age.after(due, zone) < arrived {
                    return Due::Past(*past);
                }
                due
            }
        };
        let at = at.max(arrived);
        match self.window {
            // A window that never opens is an error of `check`; here it is as good as none, so that nobody is lost.
            Some(window) => Due::At(window.next_open(at, zone).unwrap_or(at)),
            None => Due::At(at),
        }
    }

    /// Whether the end is a wall time, which is computed anew rather than moved (SEMANTICS R17, R26).
    pub fn is_local(&self) -> bool {
        !matches!(self.wait, Wait::For(_)) || self.window.is_some()
    }

    /// The least time a journey spends here, in milliseconds.
    pub fn least_millis(&self) -> i64 {
        match &self.wait {
            Wait::For(span) if self.after == Anchor::Previous => span.least_millis().max(0),
            _ => 0,
        }
    }

    /// Faults visible in the settings alone.
    pub fn check(&self, place: &Place, out: &mut Vec<Diagnostic>) {
        if let Wait::For(span) = &self.wait
            && span.about_millis() < 0
        {
            out.push(
                Diagnostic::error(
                    "delay/negative",
                    place.clone().with_field("wait"),
                    format!("The wait of {span} is negative"),
                )
                .hint("Write a span that lies ahead, such as \"4 h\""),
            );
        }
        let weekdays = match (&self.wait, &self.window) {
            (Wait::Until { weekdays, .. }, _) => Some(*weekdays),
            (_, Some(window)) => Some(window.weekdays),
            _ => None,
        };
        if weekdays.is_some_and(Weekdays::is_empty) {
            out.push(
                Diagnostic::error(
                    "delay/no-weekday",
                    place.clone().with_field("wait"),
                    "No weekday is left on which the wait could end",
                )
                .hint("Name at least one weekday, or leave the list out for every day"),
            );
        }
        if let Some(window) = &self.window
            && window.from == window.until
        {
            out.push(
                Diagnostic::error(
                    "time/empty-window",
                    place.clone().with_field("window"),
                    format!("The window opens and closes at {}", window.from),
                )
                .hint("Give it two different times; a window may pass midnight"),
            );
        }
    }

    /// One line for a card.
    pub fn summary(&self) -> String {
        let wait = match &self.wait {
            Wait::For(span) if self.after == Anchor::Entry => format!("{span} after the entry"),
            Wait::For(span) => format!("{span}"),
            Wait::Until { time, .. } => format!("until {time}"),
            Wait::Date { property, offset, .. } if offset.is_zero() => format!("until {property}"),
            Wait::Date { property, offset, .. } => format!("until {property} {offset}"),
        };
        self.window.map_or(wait.clone(), |window| format!("{wait}, only {window}"))
    }
}

const WAIT: Editor = Editor::OneOf(&[
    one("for", "For a span", &FOR, "(\"4 h\")"),
    case(
        "until",
        "Until a time of day",
        &[
            field("time", "Time", "The next time the contact's clock shows this.", Editor::Time),
            field("weekdays", "On", "Days on which it may end. Default every day.", Editor::Weekdays).or(""),
        ],
        "(time: \"09:00\")",
    ),
    case(
        "date",
        "Until a date",
        &[
            field("property", "Date", "A date of the contact or the trigger event.", Editor::Path),
            field("offset", "Moved by", "Negative is before, such as -3 days. Default none.", Editor::Span).or("0 s"),
            field("at", "At", "Of a date without a time, in the contact's zone. Default 09:00.", Editor::Time)
                .or("09:00"),
            field(
                "past",
                "When past or missing",
                "Skips messages up to the next wait (default), goes on at once, or leaves the flow.",
                Editor::Choice(&["skip", "go", "leave"]),
            )
            .or("skip"),
            field("latest_age", "Past from", "A date past by at most this still counts. Default 24 h.", Editor::Span)
                .or("24 h"),
        ],
        "(property: \"contact.renewal_date\")",
    ),
]);

const FOR: FieldSpec =
    field("for", "Span", "Such as 4 h or 1 day 4 h. A day is a calendar day, 24 h is not.", Editor::Span);

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "delay",
    title: "Delay",
    group: Group::Logic,
    icon: "clock",
    search: &["wait", "pause", "hours", "days", "time of day", "weekday", "until", "send window"],
    ports: &["next"],
    docs: Docs {
        what: "Holds a journey for a span after the previous step or the entry, until a time of day, or until a date.",
        why: "A first mail within hours meets the intent; a third one at night meets nobody.",
        source: "SEMANTICS R16, R17, R18",
    },
    fields: &[
        field(
            "wait",
            "Wait",
            "A span, a time of day on some weekdays, or a date. A day is a calendar day, 24 h is not.",
            WAIT,
        ),
        field(
            "after",
            "After",
            "A span counts from the previous step (default) or from the entry.",
            Editor::Choice(&["previous", "entry"]),
        )
        .or("previous"),
        field("window", "Only between", "Then on into this window in the contact's zone.", Editor::Window).or(""),
    ],
    example: r#"(wait: for("4 h"))"#,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ron: &str, arrived: &str, zone: &str, expected: &str) {
        let delay: Delay = crate::kinds::ron_options().from_str(ron).expect("loads");
        let zone = Zone::named(zone).expect("zone");
        let arrived = Instant::parse(arrived).expect("written right");
        let due = match delay.due(
            arrived,
            arrived.plus_millis(-3_600_000),
            &zone,
            Some(&Value::from_plain_text("2026-11-25")),
        ) {
            Due::At(at) => at.to_string(),
            Due::Past(past) => format!("{past:?}"),
        };
        assert_eq!(due, expected, "{ron}");
    }

    #[test]
    fn ends_when_it_says() {
        check(r#"(wait: for("4 h"))"#, "2026-11-23T10:00:00Z", "UTC", "2026-11-23T14:00:00Z");
        check(r#"(wait: for("4 h"), after: entry)"#, "2026-11-23T10:00:00Z", "UTC", "2026-11-23T13:00:00Z");
        check(r#"(wait: for("30 min"), after: entry)"#, "2026-11-23T10:00:00Z", "UTC", "2026-11-23T10:00:00Z");
        check(r#"(wait: for("1 day"))"#, "2026-10-24T10:00:00Z", "Europe/Berlin", "2026-10-25T11:00:00Z");
        check(r#"(wait: for("24 h"))"#, "2026-10-24T10:00:00Z", "Europe/Berlin", "2026-10-25T10:00:00Z");
        check(
            r#"(wait: until(time: "09:00", weekdays: [mon]))"#,
            "2026-11-23T10:00:00Z",
            "UTC",
            "2026-11-30T09:00:00Z",
        );
        check(
            r#"(wait: for("4 h"), window: (from: "09:00", until: "17:00"))"#,
            "2026-11-23T15:00:00Z",
            "UTC",
            "2026-11-24T09:00:00Z",
        );
        check(
            r#"(wait: date(property: "contact.renewal", offset: "-1 day"))"#,
            "2026-11-23T10:00:00Z",
            "UTC",
            "2026-11-24T09:00:00Z",
        );
        check(r#"(wait: date(property: "contact.renewal"))"#, "2026-11-27T10:00:00Z", "UTC", "Skip");
        check(r#"(wait: date(property: "contact.renewal", past: leave))"#, "2026-11-27T10:00:00Z", "UTC", "Leave");
        check(r#"(wait: date(property: "contact.renewal"))"#, "2026-11-25T20:00:00Z", "UTC", "2026-11-25T20:00:00Z");
    }
}
