//! The fields of contacts and events as texts in files have them: addresses, numbers, zones, instants, consent.
//!
//! The one idea: JSON Lines and CSV share these readers, so that both take and refuse the same. What cannot be taken
//! gives a fault; whether the line survives it is the caller's decision.

use jiff::civil::DateTime;
use smol_str::SmolStr;

use super::findings::{Fault, shorten};
use crate::{
    audience::{ConsentStatus, Currency, Value, ValueType},
    base::{ContactId, Instant, Zone},
};

/// A contact id: 1 to 256 bytes, no control characters. Spreadsheet quotes (`'123`) are taken off.
pub(crate) fn contact_id(text: &str) -> Result<ContactId, Fault> {
    let id = without_text_mark(text.trim());
    if id.is_empty() {
        return Err(Fault::new("audience/no-id", "the contact's id is empty", "Give every contact an id of its own"));
    }
    if id.len() > 256 || id.chars().any(char::is_control) {
        return Err(Fault::new(
            "audience/bad-id",
            format!("`{}` cannot be an id", shorten(id, 40)),
            "An id has 1 to 256 bytes and no control characters",
        ));
    }
    Ok(ContactId::new(id))
}

/// The id of a contact that has none: its address (or number) stands in, in small letters, so that one person who is
/// written in two ways stays one.
pub(crate) fn stand_in(address: &str) -> ContactId {
    ContactId::new(address.to_lowercase())
}

/// An e-mail address, by a coarse rule that keeps header injection and mere words out.
///
/// Source: RFC 5321, section 4.5.3.1.3 for the length (254).
pub(crate) fn email(text: &str) -> Result<SmolStr, Fault> {
    let address = text.trim();
    let sound = address.len() <= 254
        && !address.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';'))
        && address.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !local.contains('@') && !domain.is_empty() && !domain.starts_with('.')
        });
    if sound {
        return Ok(SmolStr::new(address));
    }
    Err(Fault::new(
        "audience/bad-email",
        format!("`{}` is not an e-mail address and is left out", shorten(address, 40)),
        "Write it as name@example.com",
    ))
}

/// A phone number; spaces, dashes, dots, brackets and slashes go where a country code is there (`+` or `00`),
/// otherwise the text stays as it is. `Err` where it is no number at all.
pub(crate) fn phone(text: &str) -> Result<SmolStr, Fault> {
    let number = without_text_mark(text.trim());
    if !is_phone_like(number) {
        return Err(Fault::new(
            "audience/bad-phone",
            format!("`{}` is not a phone number and is left out", shorten(number, 40)),
            "Write it with the country code, as +4930123456",
        ));
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if number.starts_with('+') {
        return Ok(SmolStr::new(format!("+{digits}")));
    }
    if let Some(rest) = digits.strip_prefix("00") {
        return Ok(SmolStr::new(format!("+{rest}")));
    }
    Ok(SmolStr::new(number))
}

/// Whether a text reads as a phone number: 5 to 17 digits and otherwise only what people put between them.
pub(crate) fn is_phone_like(text: &str) -> bool {
    let num_digits = text.bytes().filter(u8::is_ascii_digit).count();
    let body = text.strip_prefix('+').unwrap_or(text);
    (5..=17).contains(&num_digits)
        && body.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '/'))
}

/// The IANA name of a zone; HubSpot's spelling `america_slash_new_york` and spaces for underscores are understood.
pub(crate) fn zone(text: &str) -> Result<SmolStr, Fault> {
    let written = text.trim();
    let name = written.replace("_slash_", "/").replace("_hyphen_", "-").replace(' ', "_");
    Zone::named(&name).map(|zone| SmolStr::new(zone.name())).map_err(|_| {
        Fault::new(
            "audience/unknown-zone",
            format!("`{}` is not a time zone and is left out", shorten(written, 40)),
            "Write an IANA name such as Europe/Berlin",
        )
    })
}

/// A language tag: letters, digits and hyphens; `de_DE` becomes `de-DE`. Source: BCP 47, section 2.1 (35 characters
/// are enough, section 4.4.1).
pub(crate) fn language(text: &str) -> Result<SmolStr, Fault> {
    let tag = text.trim().replace('_', "-");
    let sound = (2..=35).contains(&tag.len())
        && tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
        && tag.starts_with(|c: char| c.is_ascii_alphabetic());
    if sound {
        return Ok(SmolStr::new(tag));
    }
    Err(Fault::new(
        "audience/bad-language",
        format!("`{}` is not a language tag and is left out", shorten(text, 40)),
        "Write it as `de` or `en-GB`",
    ))
}

/// An instant: RFC 3339; a date alone; date and time without an offset, taken as UTC; seconds (10 digits) or
/// milliseconds (13 digits) since 1970.
pub(crate) fn instant(text: &str) -> Result<Instant, Fault> {
    let written = text.trim();
    let bare = written.strip_suffix(" UTC").unwrap_or(written);
    if bare.bytes().all(|b| b.is_ascii_digit())
        && let Ok(number) = bare.parse::<i64>()
    {
        match bare.len() {
            10 => return Ok(Instant::from_millis(number * 1_000)),
            13 => return Ok(Instant::from_millis(number)),
            _ => {}
        }
    } else if let Ok(at) = Instant::parse(bare) {
        return Ok(at);
    } else if bare.len() >= 16
        && bare.as_bytes()[4] == b'-'
        && let Ok(local) = bare.parse::<DateTime>()
        && let Ok(stamp) = jiff::tz::TimeZone::UTC.to_timestamp(local)
    {
        return Ok(Instant::from(stamp));
    }
    Err(Fault::new(
        "audience/bad-instant",
        format!("`{}` is not a date and time", shorten(written, 40)),
        "Write it as 2026-11-23T09:00:00Z; without an offset it counts as UTC",
    ))
}

/// Consent as the platforms write it. "no" counts as said no, so that nobody is mailed on a guess; a date stands for
/// the moment of consent (some exports write it so).
pub(crate) fn consent(text: &str) -> Result<ConsentStatus, Fault> {
    let word: String =
        text.trim().chars().map(|c| if matches!(c, '_' | '-') { ' ' } else { c.to_ascii_lowercase() }).collect();
    Ok(match word.as_str() {
        "subscribed" | "yes" | "true" | "1" | "opted in" | "opt in" | "optin" | "confirmed" | "granted"
        | "marketing contact" => ConsentStatus::Subscribed,
        "unsubscribed" | "no" | "false" | "0" | "opted out" | "opt out" | "optout" | "suppressed" | "withdrawn"
        | "denied" | "revoked" => ConsentStatus::Unsubscribed,
        ""
        | "unknown"
        | "never subscribed"
        | "not subscribed"
        | "none"
        | "null"
        | "pending"
        | "unconfirmed"
        | "non marketing contact"
        | "not specified" => ConsentStatus::Unknown,
        _ if instant(text).is_ok() => ConsentStatus::Subscribed,
        _ => {
            return Err(Fault::new(
                "audience/unknown-consent",
                format!("`{}` says nothing about consent; it counts as unknown", shorten(text, 40)),
                "Write subscribed, unsubscribed or unknown",
            ));
        }
    })
}

/// The stricter of two statements: no beats yes, yes beats silence.
pub(crate) fn stricter(a: ConsentStatus, b: ConsentStatus) -> ConsentStatus {
    use ConsentStatus::{Subscribed, Unknown, Unsubscribed};
    match (a, b) {
        (Unsubscribed, _) | (_, Unsubscribed) => Unsubscribed,
        (Subscribed, _) | (_, Subscribed) => Subscribed,
        (Unknown, Unknown) => Unknown,
    }
}

/// Whether a cell of a column like "Unsubscribed from all email" or "Email Suppressions" says anything.
pub(crate) fn says_opted_out(text: &str) -> bool {
    let word = text.trim().to_ascii_lowercase();
    !matches!(word.as_str(), "" | "[]" | "{}" | "false" | "no" | "0" | "none" | "null" | "never" | "-")
}

/// The names in a list cell, separated by `,`, `;` or `|`, or written as a JSON list.
pub(crate) fn names_in(text: &str) -> Vec<SmolStr> {
    if text.trim_start().starts_with('[')
        && let Ok(names) = serde_json::from_str::<Vec<String>>(text)
    {
        return names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).map(SmolStr::new).collect();
    }
    text.split([',', ';', '|']).map(str::trim).filter(|name| !name.is_empty()).map(SmolStr::new).collect()
}

/// A cell read as the type of its column; `None` where it does not fit. With `decimal_comma`, `129,50` is a number.
pub(crate) fn cell_value(
    text: &str,
    value_type: ValueType,
    currency: Option<Currency>,
    decimal_comma: bool,
) -> Option<Value> {
    match value_type {
        ValueType::Text => Some(Value::text(text)),
        ValueType::Instant => instant(text).ok().map(Value::Instant),
        ValueType::Number | ValueType::Money if decimal_comma && text.contains(',') => {
            let with_point = if text.contains('.') { text.replace('.', "") } else { text.to_owned() };
            Value::parse_as(&with_point.replace(',', "."), value_type, currency)
        }
        _ => Value::parse_as(text, value_type, currency),
    }
}

/// Spreadsheets and shops put `'` before a number that is to stay text.
pub(crate) fn without_text_mark(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit() || c == '+') => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_in_all_forms() {
        for (text, expected) in [
            ("2026-11-23T09:00:00+01:00", Some("2026-11-23T08:00:00Z")),
            ("2026-11-23 09:00:00+00:00", Some("2026-11-23T09:00:00Z")),
            ("2026-11-23 09:00", Some("2026-11-23T09:00:00Z")),
            ("2026-11-23 09:00:07 UTC", Some("2026-11-23T09:00:07Z")),
            ("2026-11-23", Some("2026-11-23T00:00:00Z")),
            ("1790000000", Some("2026-09-21T14:13:20Z")),
            ("1790000000123", Some("2026-09-21T14:13:20.123Z")),
            ("11/23/2026", None),
            ("", None),
            ("12", None),
        ] {
            assert_eq!(instant(text).ok().map(|at| at.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn addresses() {
        for (text, sound) in [
            ("ada@example.com", true),
            (" o'neill+x@example.co.uk ", true),
            ("müller@example.com", true),
            ("ada", false),
            ("@example.com", false),
            ("a@b@c", false),
            ("ada@example.com\nBcc: all@example.com", false),
            ("Ada <ada@example.com>", false),
        ] {
            assert_eq!(email(text).is_ok(), sound, "{text:?}");
        }
    }

    #[test]
    fn phones_are_normalised_where_the_country_is_known() {
        for (text, expected) in [
            ("'+1 (541) 754-3000", Some("+15417543000")),
            ("0049 30 123456", Some("+4930123456")),
            ("030 123456", Some("030 123456")),
            ("call me", None),
            ("=1+2", None),
        ] {
            assert_eq!(phone(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn consent_words() {
        use ConsentStatus::{Subscribed, Unknown, Unsubscribed};
        for (text, expected) in [
            ("SUBSCRIBED", Some(Subscribed)),
            ("NEVER_SUBSCRIBED", Some(Unknown)),
            ("UNSUBSCRIBED", Some(Unsubscribed)),
            ("yes", Some(Subscribed)),
            ("no", Some(Unsubscribed)),
            ("Marketing contact", Some(Subscribed)),
            ("Non-marketing contact", Some(Unknown)),
            ("2024-03-05 14:22:11", Some(Subscribed)),
            ("perhaps", None),
        ] {
            assert_eq!(consent(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn zones_as_written() {
        for (text, expected) in [
            ("europe/berlin", Some("Europe/Berlin")),
            ("america_slash_new_york", Some("America/New_York")),
            ("America/New York", Some("America/New_York")),
            ("Mars/Olympus", None),
        ] {
            assert_eq!(zone(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn cells_by_type() {
        let check = |text, value_type, comma, expected: Option<&str>| {
            let value = cell_value(text, value_type, None, comma).map(|value| format!("{value:?}"));
            assert_eq!(value.as_deref(), expected, "{text}");
        };
        check("129,50", ValueType::Number, true, Some("Number(129.5)"));
        check("1.129,50", ValueType::Number, true, Some("Number(1129.5)"));
        check("129,50", ValueType::Number, false, None);
        check("yes", ValueType::Bool, false, Some("Bool(true)"));
        check(" x ", ValueType::Text, false, Some("Text(\" x \")"));
    }
}
