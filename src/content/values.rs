//! What the fields of a flow are for one contact at one instant.
//!
//! The one idea: values are made ready once per contact (typed for conditions, printed for tags), and any number of
//! messages are rendered from them. Deliberately not here: a clock; `now` comes in.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use minijinja::{
    Value as EngineValue,
    value::{Enumerator, Object},
};
use smol_str::SmolStr;

use super::{
    Brand, Computed, Field, FieldSource,
    filters::{CURRENCY, NOW, ZONE, engine_value, print_value},
    template::lower::{MISSING_CLOSE, MISSING_OPEN, missing_mark, shown_name},
};
use crate::{
    audience::{Contact, Currency, Event, EventLog, Money, Value, ValueType},
    base::{Instant, Weekday, Zone},
};

/// The recipient's own links.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Links {
    /// Ends all marketing mail.
    pub unsubscribe: String,
    /// Where the recipient chooses what to get.
    pub preferences: String,
    /// The mail in a browser.
    pub view: String,
}

impl Links {
    /// Links for a preview: they lead nowhere real.
    pub fn placeholders() -> Self {
        Self {
            unsubscribe: "https://example.com/unsubscribe".into(),
            preferences: "https://example.com/preferences".into(),
            view: "https://example.com/view".into(),
        }
    }
}

/// All that fields may ask.
#[derive(Clone, Copy, Debug)]
pub struct ResolveContext<'a> {
    /// The instant of the mail.
    pub now: Instant,
    /// The contact's zone, else the workspace's.
    pub zone: &'a Zone,
    /// Who gets it.
    pub contact: &'a Contact,
    /// What they did.
    pub log: &'a EventLog,
    /// The event that let them in, if one did.
    pub trigger: Option<&'a Event>,
    /// The flow's constants.
    pub constants: &'a BTreeMap<SmolStr, Value>,
    /// The claimed code of each pool.
    pub codes: &'a BTreeMap<SmolStr, SmolStr>,
    /// The recipient's links.
    pub links: &'a Links,
    /// Currency of amounts that do not say theirs.
    pub currency: Option<Currency>,
}

/// One field for one contact.
#[derive(Clone, PartialEq, Debug)]
pub struct FieldValue {
    /// The field's name.
    pub name: SmolStr,
    /// Its typed value; `None` where it is missing (an empty text or list counts as missing).
    pub value: Option<Value>,
    /// The value as a bare tag prints it; empty where it is missing.
    pub shown: String,
    /// What stands in for a missing value.
    pub fallback: Option<String>,
}

/// When samples are looked at: noon of 23 November 2026, the day that dates without a sample have.
const SAMPLE_MILLIS: i64 = 1_795_435_200_000;

/// All fields for one contact, ready for rendering.
#[derive(Clone, Debug)]
pub struct FieldValues {
    /// In the order of the flow's fields.
    fields: Vec<FieldValue>,
    pub(super) context: EngineValue,
}

impl FieldValues {
    /// Works out every field.
    pub fn resolve(fields: &[Field], context: &ResolveContext<'_>) -> Self {
        let values = fields.iter().map(|field| (field, value_of(field, context)));
        Self::build(values, context.now, context.zone, context.currency, context.links)
    }

    /// Whether a field has a value, without printing it; the same as [`Self::resolve`] would say.
    pub fn has(field: &Field, context: &ResolveContext<'_>) -> bool {
        value_of(field, context).is_some_and(|value| !is_empty(&value))
    }

    /// Whether a field is a constant or a code that everybody has.
    pub fn has_for_all(
        field: &Field,
        constants: &BTreeMap<SmolStr, Value>,
        codes: &BTreeMap<SmolStr, SmolStr>,
    ) -> bool {
        if !matches!(field.source, FieldSource::Constant(_) | FieldSource::Code { .. }) {
            return false;
        }
        // Nobody, nowhere: these sources ask neither.
        let context = ResolveContext {
            now: Instant::default(),
            zone: &Zone::utc(),
            contact: &Contact::new(""),
            log: &EventLog::default(),
            trigger: None,
            constants,
            codes,
            links: &Links::default(),
            currency: None,
        };
        Self::has(field, &context)
    }

    /// The first sample of every field, for looking at a message without a contact. Fields without samples get a
    /// value that fits their kind.
    pub fn samples(fields: &[Field], brand: &Brand) -> Self {
        let currency = brand.default_currency();
        let values = fields.iter().map(|field| {
            let sample = field.samples.first().and_then(|text| Value::parse_as(text, field.kind, currency));
            (field, Some(sample.unwrap_or_else(|| stand_in(field, currency))))
        });
        Self::build(values, Instant::from_millis(SAMPLE_MILLIS), &Zone::utc(), currency, &Links::placeholders())
    }

    fn build<'a>(
        values: impl Iterator<Item = (&'a Field, Option<Value>)>,
        now: Instant,
        zone: &Zone,
        currency: Option<Currency>,
        links: &Links,
    ) -> Self {
        let mut fields = Vec::new();
        let mut entries: Vec<(SmolStr, EngineValue)> = vec![
            ("unsubscribe_url".into(), links.unsubscribe.as_str().into()),
            ("preferences_url".into(), links.preferences.as_str().into()),
            ("view_url".into(), links.view.as_str().into()),
            (ZONE.into(), zone.name().into()),
            (NOW.into(), now.as_millis().into()),
        ];
        let mut used = currency;
        for (field, value) in values {
            let value = value.filter(|value| !is_empty(value)).map(clean);
            if let Some(Value::Money(money)) = &value {
                used = Some(money.currency);
            }
            let shown =
                value.as_ref().map(|value| print_value(value, &field.shown_as(), zone, currency)).unwrap_or_default();
            let text = match (&value, &field.fallback) {
                (Some(_), _) => EngineValue::from(shown.as_str()),
                (None, Some(fallback)) => EngineValue::from(fallback.as_str()),
                (None, None) => EngineValue::from(missing_mark(&field.name)),
            };
            if let Some(value) = &value {
                entries.push((field.name.clone(), engine_value(value)));
            }
            entries.push((SmolStr::from(shown_name(&field.name)), text));
            fields.push(FieldValue { name: field.name.clone(), value, shown, fallback: field.fallback.clone() });
        }
        if let Some(currency) = used {
            entries.push((CURRENCY.into(), currency.as_str().into()));
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Self { fields, context: EngineValue::from_object(Context { entries }) }
    }

    /// The field of a name.
    pub fn get(&self, name: &str) -> Option<&FieldValue> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// All fields in the order of the flow.
    pub fn iter(&self) -> impl Iterator<Item = &FieldValue> {
        self.fields.iter()
    }

    /// The values as templates see them.
    pub fn engine_context(&self) -> &EngineValue {
        &self.context
    }
}

/// Names and values in name order; found by halving.
#[derive(Debug)]
struct Context {
    entries: Vec<(SmolStr, EngineValue)>,
}

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &EngineValue) -> Option<EngineValue> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<EngineValue> {
        let at = self.entries.binary_search_by(|(name, _)| name.as_str().cmp(key)).ok()?;
        self.entries.get(at).map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.entries.iter().map(|(name, _)| EngineValue::from(name.as_str())).collect())
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.trim().is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Takes our marks out of data, so that nobody's data can look like a missing tag.
fn clean(value: Value) -> Value {
    const MARKS: [char; 2] = [MISSING_OPEN, MISSING_CLOSE];
    match value {
        Value::Text(text) if text.contains(MARKS) => Value::text(text.replace(MARKS, "")),
        Value::List(items) => Value::List(items.into_iter().map(clean).collect()),
        Value::Object(map) => Value::Object(map.into_iter().map(|(name, value)| (name, clean(value))).collect()),
        value => value,
    }
}

fn steps(path: &str) -> Vec<&str> {
    path.split('.').collect()
}

fn value_of(field: &Field, context: &ResolveContext<'_>) -> Option<Value> {
    let value = match &field.source {
        FieldSource::Contact(path) => context.contact.value(&steps(path)),
        FieldSource::Trigger(path) => context.trigger?.value(&steps(path)),
        FieldSource::LastEvent { event, path } => last(context, event)?.value(&steps(path)),
        FieldSource::Computed(computed) => compute(computed, context),
        FieldSource::Constant(name) => context.constants.get(name).cloned(),
        FieldSource::Code { pool } => context.codes.get(pool).cloned().map(Value::Text),
    }?;
    coerce(value, field.kind, context.zone, context.currency)
}

/// The last event of a kind that happened by now.
fn last<'a>(context: &ResolveContext<'a>, event: &str) -> Option<&'a Arc<Event>> {
    context.log.between(event, Instant::MIN, context.now).last()
}

const HOUR: i64 = 3_600_000;

fn compute(computed: &Computed, context: &ResolveContext<'_>) -> Option<Value> {
    let number = |n: i64| Some(Value::Number(n as f64));
    let local = context.zone.local(context.now);
    match computed {
        Computed::HoursSince(event) => number(context.now.since(last(context, event)?.happened) / HOUR),
        Computed::DaysSince(event) => number(context.now.since(last(context, event)?.happened) / (24 * HOUR)),
        Computed::DaysUntil(path) => {
            let date = contact_date(path, context)?;
            number(i64::from((date - local.date()).get_days()))
        }
        Computed::UntilMidnight => {
            let midnight = local.date().tomorrow().ok()?.to_datetime(jiff::civil::Time::midnight());
            let minutes = context.zone.instant_of(midnight).since(context.now) / 60_000;
            Some(Value::text(format!("{:02}:{:02}", minutes / 60, minutes % 60)))
        }
        Computed::Stock(path) => {
            let left = context.trigger?.value(&steps(path))?;
            let left = coerce(left, ValueType::Number, context.zone, None)?.as_number()?;
            Some(Value::Number(left.max(0.0).floor()))
        }
        Computed::Count { event, days } => {
            let from = context.now.plus_millis(-i64::from(*days) * 24 * HOUR);
            number(context.log.between(event, from, context.now).len() as i64)
        }
        Computed::Today => Some(Value::Date(local.date())),
        Computed::WorkingDaysAhead(days) => {
            let mut date = local.date();
            let mut left = (*days).min(60);
            while left > 0 {
                date = date.tomorrow().ok()?;
                left -= u32::from(!matches!(Weekday::of(date), Weekday::Sat | Weekday::Sun));
            }
            Some(Value::Date(date))
        }
        Computed::ContactDate(path) => contact_date(path, context).map(Value::Date),
    }
}

fn contact_date(path: &str, context: &ResolveContext<'_>) -> Option<Date> {
    match coerce(context.contact.value(&steps(path))?, ValueType::Date, context.zone, None)? {
        Value::Date(date) => Some(date),
        _ => None,
    }
}

/// A value as the kind its field declares; `None` where it does not fit.
fn coerce(value: Value, wanted: ValueType, zone: &Zone, currency: Option<Currency>) -> Option<Value> {
    if value.value_type() == wanted {
        return Some(value);
    }
    match (value, wanted) {
        (Value::Number(n), ValueType::Money) => currency.map(|currency| Value::Money(Money::from_number(n, currency))),
        (Value::Money(money), ValueType::Number) => Some(Value::Number(money.to_number())),
        (Value::Instant(at), ValueType::Date) => Some(Value::Date(zone.local(at).date())),
        (Value::Date(date), ValueType::Instant) => {
            Some(Value::Instant(zone.instant_of(date.to_datetime(jiff::civil::Time::midnight()))))
        }
        (Value::Bool(_) | Value::Object(_), ValueType::Text) => None,
        (value, ValueType::Text) => Some(Value::text(value.to_string())),
        (Value::Text(text), wanted) => Value::parse_as(&text, wanted, currency),
        _ => None,
    }
}

/// A value to look at where a field has no sample.
fn stand_in(field: &Field, currency: Option<Currency>) -> Value {
    match field.kind {
        ValueType::Text => match &field.source {
            FieldSource::Code { .. } => Value::text("SAMPLE-CODE"),
            _ if field.name.ends_with("url") || field.name.ends_with("link") => Value::text("https://example.com/"),
            _ => Value::text(field.title()),
        },
        ValueType::Number => Value::Number(2.0),
        ValueType::Money => match currency {
            Some(currency) => Value::Money(Money::from_number(129.0, currency)),
            None => Value::Number(129.0),
        },
        ValueType::Bool => Value::Bool(true),
        ValueType::Date | ValueType::Instant => Value::Date(jiff::civil::date(2026, 11, 23)),
        ValueType::List => {
            let item = [("name", "Sample product"), ("url", "https://example.com/product")];
            let mut item: crate::audience::Properties =
                item.into_iter().map(|(name, text)| (SmolStr::new(name), Value::text(text))).collect();
            item.insert("title".into(), Value::text("Sample product"));
            item.insert("product_name".into(), Value::text("Sample product"));
            item.insert("image".into(), Value::text("https://example.com/product.png"));
            item.insert("price".into(), Value::Number(129.0));
            item.insert("quantity".into(), Value::Number(1.0));
            Value::List(vec![Value::Object(item.clone()), Value::Object(item)])
        }
        ValueType::Object => Value::Object([("name".into(), Value::text("Sample"))].into_iter().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        contact: Contact,
        log: EventLog,
        trigger: Event,
        constants: BTreeMap<SmolStr, Value>,
        codes: BTreeMap<SmolStr, SmolStr>,
    }

    fn event(id: &str, name: &str, at: &str, json: &str) -> Event {
        let at = Instant::parse(at).expect("written right");
        let Ok(Value::Object(properties)) = serde_json::from_str(json) else { panic!("{json}") };
        Event { id: id.into(), contact: "ada".into(), name: name.into(), happened: at, accepted: at, properties }
    }

    fn world() -> World {
        let mut contact = Contact::new("ada");
        contact.properties.insert("first_name".into(), Value::text("Ada \u{E000}"));
        contact.properties.insert("birthday".into(), Value::from_plain_text("2026-12-01"));
        contact.properties.insert("empty".into(), Value::text("  "));
        let mut log = EventLog::default();
        log.record(Arc::new(event("1", "Viewed", "2026-11-23T09:00:00Z", r#"{"product":"Diver"}"#)));
        log.record(Arc::new(event("2", "Viewed", "2026-11-23T13:30:00Z", r#"{"product":"Pilot"}"#)));
        log.record(Arc::new(event("3", "Viewed", "2026-11-24T13:30:00Z", r#"{"product":"Later"}"#)));
        World {
            contact,
            log,
            trigger: event(
                "9",
                "Cart",
                "2026-11-23T13:00:00Z",
                r#"{"value":1290,"stock":"2.7","items":[{"name":"Pilot","price":99.5}]}"#,
            ),
            constants: [("threshold".into(), Value::Number(1000.0))].into_iter().collect(),
            codes: [("welcome".into(), "W-1".into())].into_iter().collect(),
        }
    }

    #[track_caller]
    fn check(kind: ValueType, source: FieldSource, expected: &str) {
        let world = world();
        let field = Field::new("f", kind, source);
        let zone = Zone::named("Europe/Berlin").expect("zone");
        let values = FieldValues::resolve(
            std::slice::from_ref(&field),
            &ResolveContext {
                now: Instant::parse("2026-11-23T17:30:00Z").expect("instant"),
                zone: &zone,
                contact: &world.contact,
                log: &world.log,
                trigger: Some(&world.trigger),
                constants: &world.constants,
                codes: &world.codes,
                links: &Links::default(),
                currency: Currency::parse("EUR"),
            },
        );
        let value = values.get("f").expect("resolved");
        let shown = if value.value.is_some() { value.shown.as_str() } else { "-" };
        assert_eq!(shown, expected, "{field:?}");
    }

    #[test]
    fn every_source() {
        use ValueType::{Date, List, Money, Number, Text};
        check(Text, FieldSource::Contact("first_name".into()), "Ada ");
        check(Text, FieldSource::Contact("empty".into()), "-");
        check(Text, FieldSource::Contact("nope.deep".into()), "-");
        check(Money, FieldSource::Trigger("value".into()), "€1,290.00");
        check(Number, FieldSource::Trigger("value".into()), "1290");
        check(Number, FieldSource::Contact("first_name".into()), "-");
        check(Money, FieldSource::Trigger("items.0.price".into()), "€99.50");
        check(List, FieldSource::Trigger("items".into()), "{\"name\":\"Pilot\",\"price\":99.5}");
        check(Text, FieldSource::LastEvent { event: "Viewed".into(), path: "product".into() }, "Pilot");
        check(Text, FieldSource::LastEvent { event: "Nope".into(), path: "product".into() }, "-");
        check(Number, FieldSource::Constant("threshold".into()), "1000");
        check(Text, FieldSource::Code { pool: "welcome".into() }, "W-1");
        check(Text, FieldSource::Code { pool: "empty".into() }, "-");
        for (kind, computed, expected) in [
            (Number, Computed::HoursSince("Viewed".into()), "4"),
            (Number, Computed::DaysSince("Viewed".into()), "0"),
            (Number, Computed::HoursSince("Nope".into()), "-"),
            (Number, Computed::DaysUntil("birthday".into()), "8"),
            // 18:30 in Berlin
            (Text, Computed::UntilMidnight, "05:30"),
            (Number, Computed::Stock("stock".into()), "2"),
            (Number, Computed::Count { event: "Viewed".into(), days: 1 }, "2"),
            (Date, Computed::Today, "23 November 2026"),
            // Monday, and five working days on
            (Date, Computed::WorkingDaysAhead(5), "30 November 2026"),
            (Date, Computed::ContactDate("birthday".into()), "1 December 2026"),
        ] {
            check(kind, FieldSource::Computed(computed), expected);
        }
    }

    #[test]
    fn until_midnight_counts_the_hours_of_a_long_day() {
        let world = world();
        let zone = Zone::named("Europe/Berlin").expect("zone");
        let field = Field::new("f", ValueType::Text, FieldSource::Computed(Computed::UntilMidnight));
        let context = ResolveContext {
            now: Instant::parse("2026-10-24T22:00:00Z").expect("instant"),
            zone: &zone,
            contact: &world.contact,
            log: &world.log,
            trigger: None,
            constants: &world.constants,
            codes: &world.codes,
            links: &Links::default(),
            currency: None,
        };
        assert_eq!(FieldValues::resolve(&[field], &context).get("f").expect("f").shown, "25:00");
    }
}
