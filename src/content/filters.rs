//! How values are printed: money, numbers, dates, and the named filters of the template language.
//!
//! The one idea: what engines print differently (money, dates, cut texts) has a named filter of ours, which every
//! target maps to its own. All filters take a missing value and give one back, so that a fallback after them works.

mod names;
mod when;

use std::fmt::Write as _;

use jiff::civil::DateTime;
use minijinja::{Environment, Error, State, Value as EngineValue, value::ValueKind};

use super::Format;
use crate::{
    audience::{Currency, Money, Value, print_number},
    base::Zone,
};

pub(crate) use names::Names;
pub(crate) use when::Moment;

/// Names in the rendering context that filters look at.
pub(crate) const CURRENCY: &str = "_currency";
pub(crate) const ZONE: &str = "_zone";
/// The instant of the mail, in milliseconds.
pub(crate) const NOW: &str = "_now";

/// An amount with its sign, commas between thousands: `€1,290.00`, `CHF 5.00`, `-$3.50`.
pub fn format_money(money: Money) -> String {
    let digits = money.digits();
    let (minus, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
    let sign = money.currency.sign();
    let gap = if sign.len() == 3 && sign.is_ascii() { " " } else { "" };
    format!("{minus}{sign}{gap}{}", grouped(digits))
}

/// A number with so many decimals (at most 6), rounded half away from zero, commas between thousands.
pub fn format_number(n: f64, decimals: u8) -> String {
    let decimals = usize::from(decimals.min(6));
    if n.abs() >= 1e15 {
        return print_number(n);
    }
    // As money does: 1.005 is a little less in binary, and people mean 1.005.
    let scale = 10_i64.pow(decimals as u32) as f64;
    let scaled = n.abs() * scale;
    let rounded = (scaled + 1e-6).round();
    let whole = (rounded / scale).trunc();
    let part = (rounded - whole * scale).round();
    let minus = if n < 0.0 && rounded > 0.0 { "-" } else { "" };
    let digits = format!("{}", whole as i64);
    let grouped = grouped(&digits);
    if decimals == 0 { format!("{minus}{grouped}") } else { format!("{minus}{grouped}.{:0decimals$}", part as i64) }
}

fn grouped(digits: &str) -> String {
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(w, p)| (w, Some(p)));
    let mut out = String::new();
    for (n, c) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if let Some(part) = part {
        out.push('.');
        out.push_str(part);
    }
    out
}

/// A date by a pattern of `%d %-d %m %-m %B %b %Y %y %A %a %H %M %%` with English names; other letters stay as they
/// are.
pub fn format_date(at: DateTime, pattern: &str) -> String {
    format_date_in(at, pattern, Names::of("en"))
}

/// The same with the names of a language.
pub(crate) fn format_date_in(at: DateTime, pattern: &str, names: &Names) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let bare = chars.next_if_eq(&'-').is_some();
        let two = |out: &mut String, n: i16| {
            let _ = if bare { write!(out, "{n}") } else { write!(out, "{n:02}") };
        };
        match chars.next() {
            Some('d') => two(&mut out, at.day().into()),
            Some('m') => two(&mut out, at.month().into()),
            Some('H') => two(&mut out, at.hour().into()),
            Some('M') => two(&mut out, at.minute().into()),
            Some('y') => two(&mut out, at.year().rem_euclid(100)),
            Some('Y') => {
                let _ = write!(out, "{}", at.year());
            }
            Some('B') => out.push_str(names.month(at.month(), false)),
            Some('b') => out.push_str(names.month(at.month(), true)),
            Some('A') => out.push_str(names.weekday(at.date(), false)),
            Some('a') => out.push_str(names.weekday(at.date(), true)),
            Some('%') => out.push('%'),
            Some(other) => {
                out.push('%');
                out.push(other);
            }
            None => out.push('%'),
        }
    }
    out
}

/// The first so many characters, the last of them `…` where something was cut off.
pub fn truncate_chars(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// A value as a bare tag prints it. Names in dates are English whatever the mail speaks: so the platforms print them.
pub fn print_value(value: &Value, format: &Format, zone: &Zone, currency: Option<Currency>) -> String {
    match (format, value) {
        (_, Value::Money(money)) => format_money(*money),
        (Format::Money, Value::Number(n)) => match currency {
            Some(currency) => format_money(Money::from_number(*n, currency)),
            None => format_number(*n, 2),
        },
        (Format::Number(decimals), Value::Number(n)) => format_number(*n, *decimals),
        (Format::Date(pattern), Value::Date(date)) => {
            format_date(date.to_datetime(jiff::civil::Time::midnight()), pattern)
        }
        (Format::Date(pattern), Value::Instant(at)) => format_date(zone.local(*at), pattern),
        (_, Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
        (_, Value::List(items)) => {
            let shown: Vec<String> = items.iter().map(|item| print_value(item, format, zone, currency)).collect();
            shown.join(", ")
        }
        (_, value) => value.to_string(),
    }
}

/// A value as conditions and loops see it.
pub(crate) fn engine_value(value: &Value) -> EngineValue {
    match value {
        Value::Text(text) => EngineValue::from(text.as_str()),
        Value::Number(n) => engine_number(*n),
        Value::Money(money) => engine_number(money.to_number()),
        Value::Bool(yes) => EngineValue::from(*yes),
        Value::Date(date) => EngineValue::from(date.to_string()),
        Value::Instant(at) => EngineValue::from(at.to_string()),
        Value::List(items) => items.iter().map(engine_value).collect::<Vec<_>>().into(),
        Value::Object(map) => EngineValue::from_pairs(map.iter().map(|(k, v)| (k.to_string(), engine_value(v)))),
    }
}

fn engine_number(n: f64) -> EngineValue {
    if n.fract() == 0.0 && n.abs() < 9e15 { EngineValue::from(n as i64) } else { EngineValue::from(n) }
}

/// Gives an environment the filters of the language and nothing else.
pub(crate) fn register(env: &mut Environment<'static>) {
    env.add_filter(
        "default",
        |value: EngineValue, other: EngineValue, _all: bool| if value.is_true() { value } else { other },
    );
    env.add_filter("upper", |value: EngineValue| on_text(value, str::to_uppercase));
    env.add_filter("lower", |value: EngineValue| on_text(value, str::to_lowercase));
    env.add_filter("length", length);
    env.add_filter(
        "safe",
        |value: EngineValue| {
            if is_missing(&value) { value } else { EngineValue::from_safe_string(plain(&value)) }
        },
    );
    env.add_filter("urlencode", |value: EngineValue| on_text(value, urlencode));
    env.add_filter("join", join);
    env.add_filter("money", money);
    env.add_filter("number", |value: EngineValue, decimals: Option<u8>| match f64::try_from(value.clone()) {
        Ok(n) => EngineValue::from(format_number(n, decimals.unwrap_or(0))),
        Err(_) => value,
    });
    env.add_filter("date_fmt", when::date_fmt);
    env.add_filter("is_past", when::is_past);
    env.add_filter("arrival", when::arrival);
    env.add_filter("truncate_chars", |value: EngineValue, most: usize| {
        on_text(value, |text| truncate_chars(text, most))
    });
    env.add_filter("yes_no", |value: EngineValue, yes: Option<String>, no: Option<String>| {
        let word = if value.is_true() { yes.as_deref().unwrap_or("yes") } else { no.as_deref().unwrap_or("no") };
        EngineValue::from(word)
    });
    env.add_filter("_shown", |value: EngineValue| match value.kind() {
        ValueKind::Bool => EngineValue::from(if value.is_true() { "yes" } else { "no" }),
        _ => value,
    });
}

fn is_missing(value: &EngineValue) -> bool {
    value.is_undefined() || value.is_none()
}

fn plain(value: &EngineValue) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn on_text(value: EngineValue, change: impl Fn(&str) -> String) -> EngineValue {
    if is_missing(&value) {
        return value;
    }
    match value.as_str() {
        Some(text) => EngineValue::from(change(text)),
        None => EngineValue::from(change(&value.to_string())),
    }
}

fn length(value: EngineValue) -> usize {
    match value.as_str() {
        Some(text) => text.chars().count(),
        None => value.len().unwrap_or(0),
    }
}

fn join(value: EngineValue, separator: Option<String>) -> Result<EngineValue, Error> {
    if is_missing(&value) {
        return Ok(value);
    }
    let separator = separator.unwrap_or_else(|| ", ".to_owned());
    let items: Vec<String> = value.try_iter()?.map(|item| plain(&item)).collect();
    Ok(EngineValue::from(items.join(&separator)))
}

fn money(state: &mut State, value: EngineValue) -> EngineValue {
    if value.as_str().is_some() {
        return value;
    }
    let currency = state.lookup(CURRENCY).and_then(|code| code.as_str().and_then(Currency::parse));
    match (f64::try_from(value.clone()), currency) {
        (Ok(n), Some(currency)) => EngineValue::from(format_money(Money::from_number(n, currency))),
        (Ok(n), None) => EngineValue::from(format_number(n, 2)),
        (Err(_), _) => value,
    }
}

/// Percent-encodes all but letters, digits, `-`, `_`, `.`, `~` and `/`, as Django and Jinja do.
pub fn urlencode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_numbers() {
        let eur = Currency::parse("EUR").expect("code");
        for (n, expected) in
            [(1290.0, "€1,290.00"), (0.125, "€0.13"), (-3.5, "-€3.50"), (1_234_567.891, "€1,234,567.89")]
        {
            assert_eq!(format_money(Money::from_number(n, eur)), expected);
        }
        assert_eq!(format_money(Money::from_number(5.0, Currency::parse("CHF").expect("code"))), "CHF 5.00");
        assert_eq!(format_money(Money::from_number(1200.0, Currency::parse("JPY").expect("code"))), "¥1,200");
        for (n, decimals, expected) in
            [(1234.5, 0, "1,235"), (1234.5, 2, "1,234.50"), (-0.001, 2, "0.00"), (0.999, 2, "1.00")]
        {
            assert_eq!(format_number(n, decimals), expected, "{n}");
        }
    }

    #[test]
    fn dates() {
        let at: DateTime = "2026-03-05T09:07:00".parse().expect("written right");
        for (pattern, expected) in [
            ("%d %B %Y", "05 March 2026"),
            ("%-d %b %y", "5 Mar 26"),
            ("%A, %H:%M", "Thursday, 09:07"),
            ("%q 100%% %", "%q 100% %"),
        ] {
            assert_eq!(format_date(at, pattern), expected);
        }
    }

    #[test]
    fn texts() {
        assert_eq!(truncate_chars("Grüße aus Köln", 6), "Grüße…");
        assert_eq!(truncate_chars("short", 5), "short");
        assert_eq!(urlencode("a b/ü&'"), "a%20b/%C3%BC%26%27");
    }
}
