//! Declared merge tags: what `{cart_value}` stands for, how it is printed, what stands in for it.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::audience::ValueType;

/// Tags that every mail has without declaring them: the recipient's own links. Each target has its own way to
/// write them.
pub const RESERVED_LINKS: [&str; 3] = ["unsubscribe_url", "preferences_url", "view_url"];

/// A merge tag of a flow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// What templates write: letters, digits and `_`, beginning with a letter; unique in its flow.
    pub name: SmolStr,
    /// What people read in lists; the name where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What sort of value it is. A value that cannot be read as this counts as missing.
    #[serde(default)]
    pub kind: ValueType,
    /// How a bare tag prints it; by its kind where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Where the value comes from.
    pub source: FieldSource,
    /// Printed where the value is missing. Without one, a mail that shows the tag is held (SEMANTICS R27).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Values to show while writing, in the order of usefulness.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<String>,
    /// The expression Klaviyo knows it by (`event.CartValue`); derived from the source where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klaviyo: Option<String>,
    /// The HubSpot property it is kept in (`cart_value`, or `contact.cart_value`); derived where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hubspot: Option<String>,
}

impl Field {
    /// A field with a name, kind and source, nothing else.
    pub fn new(name: impl AsRef<str>, kind: ValueType, source: FieldSource) -> Self {
        Self {
            name: SmolStr::new(name),
            title: None,
            kind,
            format: None,
            source,
            fallback: None,
            samples: Vec::new(),
            klaviyo: None,
            hubspot: None,
        }
    }

    /// The same with a fallback.
    #[must_use]
    pub fn with_fallback(mut self, fallback: impl Into<String>) -> Self {
        self.fallback = Some(fallback.into());
        self
    }

    /// How a bare tag prints it.
    pub fn shown_as(&self) -> Format {
        self.format.clone().unwrap_or(match self.kind {
            ValueType::Money => Format::Money,
            ValueType::Date | ValueType::Instant => Format::Date("%-d %B %Y".into()),
            ValueType::Number => Format::Plain,
            ValueType::Text | ValueType::Bool | ValueType::List | ValueType::Object => Format::Text,
        })
    }

    /// What people read in lists.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }
}

/// How a bare tag prints a value.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// As it is; lists with commas between, yes/no as words.
    Text,
    /// A number without needless zeros: `3`, `2.5`.
    Plain,
    /// A number with so many decimals (0..=6) and commas between thousands: `1,290.50`.
    Number(u8),
    /// An amount with its sign: `€1,290.00`.
    Money,
    /// A date by a pattern of `%d %-d %m %B %b %Y %y %A %a %H %M`, in the contact's zone. Names are English in every
    /// mail, since Klaviyo and HubSpot print a date so; `date_fmt(pattern, 'de')` in the text asks for others.
    Date(String),
}

/// Where a field's value comes from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldSource {
    /// A property of the contact, by a dotted path.
    Contact(SmolStr),
    /// A property of the event that let the contact in, by a dotted path.
    Trigger(SmolStr),
    /// A property of the contact's last event of a kind.
    LastEvent {
        /// The metric.
        event: SmolStr,
        /// Dotted path in it.
        path: SmolStr,
    },
    /// Worked out when the mail is made.
    Computed(Computed),
    /// A constant of the flow.
    Constant(SmolStr),
    /// A code claimed from a pool for this send (SEMANTICS R27).
    Code {
        /// Name of the pool.
        pool: SmolStr,
    },
}

impl FieldSource {
    /// Whether it needs the event that let the contact in (SEMANTICS R12).
    pub fn needs_trigger(&self) -> bool {
        matches!(self, Self::Trigger(_) | Self::Computed(Computed::Stock(_)))
    }

    /// The metric it reads besides the trigger's.
    pub fn event(&self) -> Option<&str> {
        match self {
            Self::LastEvent { event, .. }
            | Self::Computed(
                Computed::HoursSince(event) | Computed::DaysSince(event) | Computed::Count { event, .. },
            ) => Some(event),
            _ => None,
        }
    }
}

/// What can be worked out. A closed list: each has one meaning here and a remedy for every target.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Computed {
    /// Whole hours since the last event of a kind; missing where there was none.
    HoursSince(SmolStr),
    /// Whole days of 24 h since the last event of a kind; missing where there was none.
    DaysSince(SmolStr),
    /// Calendar days, in the contact's zone, until a date property of the contact; negative once past.
    DaysUntil(SmolStr),
    /// Hours and minutes left of the contact's day, as text: `05:30` at half past six in the evening.
    UntilMidnight,
    /// Pieces left, from a number in the trigger event: whole, never below 0.
    Stock(SmolStr),
    /// How many events of a kind happened in the last so many days (1..=400).
    Count {
        /// The metric.
        event: SmolStr,
        /// Days back from now.
        days: u32,
    },
    /// The contact's date today.
    Today,
    /// The date so many working days (Monday to Friday, 0..=60) after the contact's today: an estimated delivery.
    WorkingDaysAhead(u32),
    /// A date property of the contact as a date, in the contact's zone.
    ContactDate(SmolStr),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::ron_options;

    #[track_caller]
    fn check(ron: &str, expected: &FieldSource) {
        let field: Field = ron_options().from_str(&format!("(name: \"f\", source: {ron})")).expect("reads");
        assert_eq!(&field.source, expected, "{ron}");
        let written = ron_options().to_string(&field).expect("writes");
        assert_eq!(ron_options().from_str::<Field>(&written).expect("reads again"), field, "{written}");
        let json = serde_json::to_string(&field).expect("writes JSON");
        assert_eq!(serde_json::from_str::<Field>(&json).expect("reads JSON"), field, "{json}");
    }

    #[test]
    fn sources_are_read_and_written() {
        check(r#"contact("first_name")"#, &FieldSource::Contact("first_name".into()));
        check(r#"trigger("cart.value")"#, &FieldSource::Trigger("cart.value".into()));
        check(
            r#"last_event(event: "Viewed Product", path: "product_name")"#,
            &FieldSource::LastEvent { event: "Viewed Product".into(), path: "product_name".into() },
        );
        check(r#"computed(until_midnight)"#, &FieldSource::Computed(Computed::UntilMidnight));
        check(r#"computed(hours_since("Viewed"))"#, &FieldSource::Computed(Computed::HoursSince("Viewed".into())));
        check(
            r#"computed(count(event: "Viewed", days: 7))"#,
            &FieldSource::Computed(Computed::Count { event: "Viewed".into(), days: 7 }),
        );
        check(r#"constant("threshold")"#, &FieldSource::Constant("threshold".into()));
        check(r#"code(pool: "welcome")"#, &FieldSource::Code { pool: "welcome".into() });
    }

    #[test]
    fn a_full_field_is_read() {
        let field: Field = ron_options()
            .from_str(
                r#"(name: "cart_value", title: "Cart value", kind: money, format: money, source: trigger("value"),
                    fallback: "your cart", samples: ["1290 EUR"], klaviyo: "event.CartValue", hubspot: "cart_value")"#,
            )
            .expect("reads");
        assert_eq!(field.fallback.as_deref(), Some("your cart"));
        assert_eq!(field.shown_as(), Format::Money);
    }
}
