//! Merge tags in words: where each comes from, and what a platform calls it.

use super::quoted;
use crate::{
    base::Place,
    content::{Computed, Dialect, Field, FieldSource, Part, Scope, transpile},
    flow::{Flow, Target},
};

/// Where a tag's value comes from.
pub fn source(field: &Field) -> String {
    match &field.source {
        FieldSource::Contact(path) => format!("The contact's {}", spaced(path)),
        FieldSource::Trigger(path) => format!("The event that let the contact in: {}", spaced(path)),
        FieldSource::LastEvent { event, path } => format!("The last {}: {}", quoted(event), spaced(path)),
        FieldSource::Computed(computed) => match computed {
            Computed::HoursSince(event) => format!("Worked out: hours since the last {}", quoted(event)),
            Computed::DaysSince(event) => format!("Worked out: days since the last {}", quoted(event)),
            Computed::Count { event, days } => {
                format!("Worked out: how often {} happened in the last {days} days", quoted(event))
            }
            Computed::Stock(path) => format!("Pieces left, from the event that let the contact in: {}", spaced(path)),
            Computed::DaysUntil(path) => format!("Worked out: days until the contact's {}", spaced(path)),
            Computed::UntilMidnight => "Worked out: hours left of the contact's day".to_owned(),
            Computed::Today => "Worked out: the contact's date today".to_owned(),
            Computed::WorkingDaysAhead(days) => format!("Worked out: the date {days} working days ahead"),
            Computed::ContactDate(path) => format!("The contact's {} as a date", spaced(path)),
        },
        FieldSource::Constant(name) => format!("The constant {}", quoted(name)),
        FieldSource::Code { pool } => format!("A code from the pool {}", quoted(pool)),
    }
}

/// How a platform's templates write the tag: `{{ event.cart_value|default:'your cart' }}`; empty where they cannot.
pub fn platform_name(flow: &Flow, field: &Field, target: Target) -> String {
    let dialect = match target {
        Target::Klaviyo => Dialect::Klaviyo,
        Target::Hubspot => Dialect::Hubspot,
        Target::Engine => Dialect::Canonical,
    };
    let fields: Vec<Field> = flow.fields().cloned().collect();
    let scope = Scope { fields: &fields, constants: &flow.settings().constants };
    let tag = format!("{{{}}}", field.name);
    transpile(&tag, Part::Plain, dialect, &scope, &Place::default()).map(|made| made.text).unwrap_or_default()
}

fn spaced(path: &str) -> String {
    path.replace(['_', '-'], " ")
}
