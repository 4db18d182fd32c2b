//! Trigger: a date of the contact, before or after, once or each year.

use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    audience::{Path, Value},
    base::{Instant, Span, TimeOfDay, Zone},
    kinds::spec::{Docs, Editor, Group, Spec, field},
};

/// A date property.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DateTrigger {
    /// The date, such as `contact.birthday`.
    pub property: Path,
    /// Moved by this; negative is before. Calendar parts only.
    #[serde(default)]
    pub offset: Span,
    /// At this time of day in the contact's zone. Default 09:00 (assumption: when offices open).
    #[serde(default = "default_time")]
    pub at: TimeOfDay,
    /// Each year, not only once. 29 February becomes the 28th in other years (SEMANTICS R10).
    #[serde(default)]
    pub yearly: bool,
}

fn default_time() -> TimeOfDay {
    TimeOfDay(jiff::civil::Time::constant(9, 0, 0, 0))
}

impl DateTrigger {
    /// The first due instant strictly after `after` for this value of the property; `None` if there is none.
    pub fn next_due(&self, value: &Value, after: Instant, zone: &Zone) -> Option<Instant> {
        let date = match value {
            Value::Date(date) => *date,
            Value::Instant(at) => zone.local(*at).date(),
            _ => return None,
        };
        let due = |date: Date| {
            let moved =
                date.checked_add(self.offset.months.months()).ok()?.checked_add(self.offset.days.days()).ok()?;
            Some(zone.instant_of(moved.to_datetime(self.at.0)).plus_millis(self.offset.millis))
        };
        if !self.yearly {
            return due(date).filter(|at| *at > after);
        }
        let this_year = zone.local(after).year();
        // The offset may move it by years at most; look a little to both sides.
        (this_year - 2..=this_year + 3)
            .filter_map(|year| {
                let day = if date.month() == 2 && date.day() == 29 && !is_leap(year) { 28 } else { date.day() };
                due(Date::new(year, date.month(), day).ok()?)
            })
            .find(|at| *at > after)
    }
}

fn is_leap(year: i16) -> bool {
    Date::new(year, 2, 29).is_ok()
}

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "date",
    title: "Date",
    group: Group::Trigger,
    icon: "calendar",
    search: &["birthday", "anniversary", "renewal", "before", "after", "yearly"],
    ports: &["next"],
    docs: Docs {
        what: "Lets a contact in on a date they carry, or some days before or after it, once or each year.",
        why: "Birthdays, renewals and warranty ends are known in advance.",
        source: "SEMANTICS R10",
    },
    fields: &[
        field("property", "Date", "A date of the contact, such as contact.birthday.", Editor::Path),
        field("offset", "Moved by", "Days, weeks or months; negative is before. Default none.", Editor::Span).or("0 s"),
        field("at", "At", "Time of day in the contact's zone. Default 09:00.", Editor::Time).or("09:00"),
        field("yearly", "Each year", "29 February becomes the 28th in other years.", Editor::Switch).or("false"),
    ],
    example: r#"(property: "contact.birthday", offset: "-3 days", yearly: true)"#,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_day_and_offset() {
        let trigger = DateTrigger {
            property: Path { root: crate::audience::condition::Root::Contact, steps: vec!["birthday".into()] },
            offset: Span::ZERO,
            at: default_time(),
            yearly: true,
        };
        let born = Value::from_plain_text("2000-02-29");
        let after = Instant::parse("2026-01-01T00:00:00Z").expect("written right");
        let due = trigger.next_due(&born, after, &Zone::utc());
        assert_eq!(due.map(|d| d.to_string()), Some("2026-02-28T09:00:00Z".into()));
        let once = DateTrigger { yearly: false, ..trigger };
        assert_eq!(once.next_due(&born, after, &Zone::utc()), None);
    }
}
