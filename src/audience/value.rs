//! Typed values of properties: what a contact or an event carries, and what merge tags print.

use std::{collections::BTreeMap, fmt};

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

use crate::base::Instant;

/// Properties by name, in name order so that nothing depends on the order of a file.
pub type Properties = BTreeMap<SmolStr, Value>;

/// A typed value. There is no null: a missing value is an absent key.
///
/// In JSON: text, number, boolean, list and object as they are; a text that is exactly a date (`2026-11-23`) or an
/// RFC 3339 instant becomes one; an object of exactly `amount` and `currency` becomes money.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Text of any length.
    Text(SmolStr),
    /// A finite number; what JSON or RON cannot say (NaN, infinities) never gets in.
    Number(f64),
    /// An amount in a currency.
    Money(Money),
    /// Yes or no.
    Bool(bool),
    /// A calendar date without a zone.
    Date(Date),
    /// A point in time.
    Instant(Instant),
    /// Several values in order.
    List(Vec<Value>),
    /// Named values.
    Object(Properties),
}

/// What sort of value a property or field holds; named in files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// Text.
    #[default]
    Text,
    /// Number.
    Number,
    /// Amount with currency.
    Money,
    /// Yes or no.
    Bool,
    /// Calendar date.
    Date,
    /// Point in time.
    Instant,
    /// List.
    List,
    /// Object.
    Object,
}

impl ValueType {
    /// The word people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Money => "money",
            Self::Bool => "yes/no",
            Self::Date => "date",
            Self::Instant => "date and time",
            Self::List => "list",
            Self::Object => "object",
        }
    }
}

impl Value {
    /// A text.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(SmolStr::new(text))
    }

    /// Its type.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Text(_) => ValueType::Text,
            Self::Number(_) => ValueType::Number,
            Self::Money(_) => ValueType::Money,
            Self::Bool(_) => ValueType::Bool,
            Self::Date(_) => ValueType::Date,
            Self::Instant(_) => ValueType::Instant,
            Self::List(_) => ValueType::List,
            Self::Object(_) => ValueType::Object,
        }
    }

    /// The number in it: a number, or the amount of money in main units.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(n) => Some(*n),
            Self::Money(m) => Some(m.to_number()),
            _ => None,
        }
    }

    /// The text in it, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value under a dotted path of names and list indices from 0.
    pub fn at<'a, S: AsRef<str>>(&'a self, steps: &[S]) -> Option<&'a Value> {
        let mut value = self;
        for step in steps {
            value = match value {
                Self::Object(map) => map.get(step.as_ref())?,
                Self::List(list) => list.get(step.as_ref().parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// A text read as the type a mapping or field declares; `None` where it does not fit.
    ///
    /// Numbers take a point as decimal sign, yes/no takes true/false/yes/no/1/0 in any case, money takes
    /// `129.50 EUR`, `EUR 129.50`, or a bare number where `currency` is given. Lists and objects are read as JSON.
    pub fn parse_as(text: &str, wanted: ValueType, currency: Option<Currency>) -> Option<Self> {
        let trimmed = text.trim();
        match wanted {
            ValueType::Text => Some(Self::text(text)),
            ValueType::Number => trimmed.parse::<f64>().ok().filter(|n| n.is_finite()).map(Self::Number),
            ValueType::Money => Money::parse(trimmed, currency).map(Self::Money),
            ValueType::Bool => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Some(Self::Bool(true)),
                "false" | "no" | "0" => Some(Self::Bool(false)),
                _ => None,
            },
            ValueType::Date => parse_date(trimmed).map(Self::Date),
            ValueType::Instant => Instant::parse(trimmed).ok().map(Self::Instant),
            ValueType::List | ValueType::Object => {
                let value: Self = serde_json::from_str(trimmed).ok()?;
                (value.value_type() == wanted).then_some(value)
            }
        }
    }

    /// From JSON by the rule in the type's docs; null, and numbers that are not finite, give `None`.
    pub fn from_json(json: &serde_json::Value) -> Option<Self> {
        Some(match json {
            serde_json::Value::Null => return None,
            serde_json::Value::Bool(b) => Self::Bool(*b),
            serde_json::Value::Number(n) => Self::Number(n.as_f64().filter(|n| n.is_finite())?),
            serde_json::Value::String(text) => Self::from_plain_text(text),
            serde_json::Value::Array(items) => Self::List(items.iter().filter_map(Self::from_json).collect()),
            serde_json::Value::Object(map) => {
                if map.len() == 2
                    && let Some(amount) = map.get("amount").and_then(serde_json::Value::as_f64)
                    && let Some(currency) = map.get("currency").and_then(|c| c.as_str()).and_then(Currency::parse)
                {
                    return Some(Self::Money(Money::from_number(amount, currency)));
                }
                Self::Object(map.iter().filter_map(|(k, v)| Some((SmolStr::new(k), Self::from_json(v)?))).collect())
            }
        })
    }

    /// To JSON; [`Self::from_json`] reads it back.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => serde_json::Value::String(text.to_string()),
            Self::Number(n) => number_to_json(*n),
            Self::Money(money) => {
                serde_json::json!({"amount": number_to_json(money.to_number()), "currency": money.currency.as_str()})
            }
            Self::Bool(b) => serde_json::Value::Bool(*b),
            Self::Date(date) => serde_json::Value::String(date.to_string()),
            Self::Instant(at) => serde_json::Value::String(at.to_string()),
            Self::List(items) => serde_json::Value::Array(items.iter().map(Self::to_json).collect()),
            Self::Object(map) => {
                serde_json::Value::Object(map.iter().map(|(k, v)| (k.to_string(), v.to_json())).collect())
            }
        }
    }

    /// A text without a declared type: a date or instant where it is exactly one, else text.
    pub fn from_plain_text(text: &str) -> Self {
        if text.len() == 10
            && let Some(date) = parse_date(text)
        {
            return Self::Date(date);
        }
        if text.len() >= 16
            && text.as_bytes()[4] == b'-'
            && let Ok(at) = Instant::parse(text)
        {
            return Self::Instant(at);
        }
        Self::text(text)
    }
}

fn parse_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    (bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-').then(|| text.parse().ok()).flatten()
}

fn number_to_json(n: f64) -> serde_json::Value {
    if n.fract() == 0.0 && n.abs() < 9e15 {
        serde_json::Value::from(n as i64)
    } else {
        serde_json::Number::from_f64(n).map_or(serde_json::Value::Null, serde_json::Value::Number)
    }
}

/// A number as people and templates print it: no trailing `.0`, no exponent below 1e15.
pub fn print_number(n: f64) -> String {
    if n.fract() == 0.0 && n.abs() < 1e15 { format!("{}", n as i64) } else { format!("{n}") }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(n) => f.write_str(&print_number(*n)),
            Self::Money(money) => fmt::Display::fmt(money, f),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::Instant(at) => write!(f, "{at}"),
            Self::List(items) => {
                let shown: Vec<String> = items.iter().map(ToString::to_string).collect();
                f.write_str(&shown.join(", "))
            }
            Self::Object(_) => write!(f, "{}", self.to_json()),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(n) if n.fract() == 0.0 && n.abs() < 9e15 => serializer.serialize_i64(*n as i64),
            Self::Number(n) => serializer.serialize_f64(*n),
            Self::Money(money) => {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(Some(2))?;
                let n = money.to_number();
                if n.fract() == 0.0 && n.abs() < 9e15 {
                    map.serialize_entry("amount", &(n as i64))?;
                } else {
                    map.serialize_entry("amount", &n)?;
                }
                map.serialize_entry("currency", money.currency.as_str())?;
                map.end()
            }
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Date(date) => serializer.collect_str(date),
            Self::Instant(at) => serializer.collect_str(at),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(map) => serializer.collect_map(map),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    /// By way of JSON's data model, from JSON and RON alike; null inside lists and objects is left out.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        Self::from_json(&json).ok_or_else(|| serde::de::Error::custom("a value is needed here, not null"))
    }
}

/// An ISO 4217 code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads a code in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphabetic).then(|| Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Digits after the decimal sign. Source: ISO 4217, list one.
    pub fn decimals(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }

    /// The sign people write before an amount, or the code.
    pub fn sign(&self) -> &str {
        match &self.0 {
            b"EUR" => "€",
            b"USD" => "$",
            b"GBP" => "£",
            b"JPY" => "¥",
            _ => self.as_str(),
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in minor units (cents), so that sums and comparisons are exact.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Money {
    /// Minor units: cents for EUR, yen for JPY.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// From main units, rounded half away from zero to the currency's decimals.
    pub fn from_number(amount: f64, currency: Currency) -> Self {
        // `{:.6}` first: 1.005 is 1.00499999999999989 in binary, and people mean 1.005.
        let scale = 10_i64.pow(currency.decimals()) as f64;
        let scaled = amount * scale;
        let nudged = if scaled >= 0.0 { scaled + 1e-6 } else { scaled - 1e-6 };
        Self { minor: nudged.round() as i64, currency }
    }

    /// In main units.
    pub fn to_number(self) -> f64 {
        self.minor as f64 / 10_i64.pow(self.currency.decimals()) as f64
    }

    /// Digits with the currency's decimals, a point, no sign: `1290.50`.
    pub fn digits(self) -> String {
        let decimals = self.currency.decimals();
        let scale = 10_u64.pow(decimals);
        let (whole, part) = (self.minor.unsigned_abs() / scale, self.minor.unsigned_abs() % scale);
        let minus = if self.minor < 0 { "-" } else { "" };
        if decimals == 0 {
            format!("{minus}{whole}")
        } else {
            format!("{minus}{whole}.{part:0width$}", width = decimals as usize)
        }
    }

    /// Reads `129.50 EUR`, `EUR 129.50`, `€129.50`, or a bare number where a currency is given.
    pub fn parse(text: &str, currency: Option<Currency>) -> Option<Self> {
        let text = text.trim();
        let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '-' | '.');
        let start = text.find(is_digit)?;
        let end = text.rfind(is_digit)? + 1;
        let around = format!("{}{}", text[..start].trim(), text[end..].trim());
        let currency = match around.as_str() {
            "" => currency?,
            "€" => Currency::parse("EUR")?,
            "$" => Currency::parse("USD")?,
            "£" => Currency::parse("GBP")?,
            code => Currency::parse(code)?,
        };
        let amount: f64 = text[start..end].parse().ok()?;
        (amount.abs() < 1e13).then(|| Self::from_number(amount, currency))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.digits(), self.currency.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let value: Value = serde_json::from_str(json).expect("valid");
        assert_eq!(format!("{value:?}"), expected, "{json}");
        let back: Value = serde_json::from_str(&serde_json::to_string(&value).expect("writes")).expect("reads");
        assert_eq!(back, value, "{json} comes back");
    }

    #[test]
    fn json_becomes_typed() {
        check(r#""Ada""#, r#"Text("Ada")"#);
        check("12.5", "Number(12.5)");
        check("true", "Bool(true)");
        check(r#""2026-11-23""#, "Date(2026-11-23)");
        check(r#""2026-11-23T10:00:00+01:00""#, "Instant(2026-11-23T09:00:00Z)");
        check(r#"{"amount":129.5,"currency":"EUR"}"#, "Money(Money { minor: 12950, currency: EUR })");
        check(r#"[1,null,"x"]"#, r#"List([Number(1.0), Text("x")])"#);
        check(r#"{"b":1,"a":"x"}"#, r#"Object({"a": Text("x"), "b": Number(1.0)})"#);
    }

    #[test]
    fn money_is_exact() {
        let eur = Currency::parse("eur").expect("code");
        for (amount, expected) in
            [(1.005, "1.01 EUR"), (0.125, "0.13 EUR"), (-2.345, "-2.35 EUR"), (1290.0, "1290.00 EUR")]
        {
            assert_eq!(Money::from_number(amount, eur).to_string(), expected);
        }
        assert_eq!(Money::parse("€129.50", None).map(|m| m.to_string()), Some("129.50 EUR".into()));
        assert_eq!(Money::parse("1200 JPY", None).map(|m| m.to_string()), Some("1200 JPY".into()));
        assert_eq!(Money::parse("12", None), None);
    }
}
