//! Guesses what the columns of a CSV file hold, from their headers and first rows.
//!
//! Headers are folded (`E-Mail Address` → `e_mail_address`) and looked up. Where several columns could have a role
//! that only one may have, the one named first in the table here gets it, and the others become properties.
//!
//! The type of a property is that of all its filled cells in the first 200 rows, tried in this order: yes/no (`true`,
//! `false`, `yes`, `no`), date (`2026-11-23`), date and time, money (`129.50 EUR`, `€129.50`), number, list or object
//! (JSON), else text. A number has no leading zero, no sign `+`, and fewer than ten digits before the point: longer
//! ones are phone numbers, article numbers and ids, which must not lose a digit. Columns whose header speaks of a
//! phone, postcode, id, code or number stay text.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::{
    fields::instant,
    mapping::{Column, FileKind, Role},
};
use crate::audience::{Channel, Money, Value, ValueType};

/// How many rows are looked at. Source: issue text; enough to see a type, few enough to hold.
pub(super) const MOST_GUESS_ROWS: usize = 200;

/// Folded headers by role, the likeliest first.
///
/// Sources: column names of contact exports of Klaviyo (lists and segments), HubSpot (contacts) and Shopify
/// (customers), as of 2026.
const CONTACT_HEADERS: &[(&str, &[&str])] = &[
    (
        "id",
        &[
            "id",
            "contact_id",
            "contact",
            "klaviyo_id",
            "record_id",
            "record_id_contact",
            "customer_id",
            "profile_id",
            "external_id",
            "user_id",
            "person_id",
            "$id",
            "hs_object_id",
        ],
    ),
    ("email", &["email", "e_mail", "email_address", "e_mail_address", "mail", "$email", "primary_email"]),
    (
        "phone",
        &[
            "phone",
            "phone_number",
            "mobile_phone_number",
            "mobile_phone",
            "mobile",
            "mobilephone",
            "telephone",
            "sms_number",
            "$phone_number",
            "default_address_phone",
        ],
    ),
    ("zone", &["zone", "time_zone", "timezone", "tz", "hs_timezone", "ip_timezone", "$timezone"]),
    ("language", &["language", "preferred_language", "locale", "locale_language", "lang", "hs_language", "$locale"]),
    (
        "created",
        &[
            "created_at",
            "created",
            "create_date",
            "createdate",
            "profile_created_on",
            "date_created",
            "date_added",
            "signup_date",
            "customer_since",
            "$created",
        ],
    ),
    ("lists", &["lists", "list", "tags", "list_memberships", "static_list_memberships", "segments"]),
    ("properties", &["properties"]),
];

const EVENT_HEADERS: &[(&str, &[&str])] = &[
    ("id", &["id", "event_id", "unique_id", "uuid", "$event_id", "message_id"]),
    (
        "contact",
        &[
            "contact",
            "contact_id",
            "profile_id",
            "klaviyo_id",
            "record_id",
            "customer_id",
            "person_id",
            "user_id",
            "profile",
            "customer",
            "person",
            "email",
            "e_mail",
            "email_address",
            "contact_email",
            "profile_email",
        ],
    ),
    ("name", &["name", "event", "event_name", "metric", "metric_name", "event_type", "action"]),
    (
        "happened",
        &[
            "happened",
            "happened_at",
            "occurred_at",
            "occurred",
            "event_time",
            "event_date",
            "event_timestamp",
            "timestamp",
            "time",
            "datetime",
            "date",
            "created_at",
            "created",
        ],
    ),
    ("accepted", &["accepted", "accepted_at", "received_at", "received", "ingested_at", "arrived_at", "recorded_at"]),
    ("properties", &["properties", "event_properties"]),
];

const RESPONSE_HEADERS: &[(&str, &[&str])] = &[
    ("contact", &["contact", "contact_id", "email", "profile_id", "customer_id", "user_id"]),
    ("flow", &["flow", "flow_id"]),
    ("node", &["node", "message", "step", "mail", "node_id"]),
    ("response", &["response", "kind", "what", "action"]),
    ("after", &["after", "delay"]),
    ("link", &["link", "url"]),
];

/// Headers that speak about consent.
const CONSENT_HEADERS: &[(&str, Role)] = &[
    ("consent", Role::Consent(Channel::Email)),
    ("consent_email", Role::Consent(Channel::Email)),
    ("email_consent", Role::Consent(Channel::Email)),
    ("email_marketing_consent", Role::Consent(Channel::Email)),
    ("accepts_email_marketing", Role::Consent(Channel::Email)),
    ("accepts_marketing", Role::Consent(Channel::Email)),
    ("marketing_contact_status", Role::Consent(Channel::Email)),
    ("email_subscription_status", Role::Consent(Channel::Email)),
    ("subscribed", Role::Consent(Channel::Email)),
    ("consent_sms", Role::Consent(Channel::Sms)),
    ("sms_consent", Role::Consent(Channel::Sms)),
    ("sms_marketing_consent", Role::Consent(Channel::Sms)),
    ("accepts_sms_marketing", Role::Consent(Channel::Sms)),
    ("sms_subscription_status", Role::Consent(Channel::Sms)),
    ("unsubscribed_from_all_email", Role::OptOut(Channel::Email)),
    ("email_suppressions", Role::OptOut(Channel::Email)),
    ("email_marketing_list_suppressions", Role::OptOut(Channel::Email)),
    ("unsubscribed", Role::OptOut(Channel::Email)),
    ("email_opt_out", Role::OptOut(Channel::Email)),
    ("sms_suppressions", Role::OptOut(Channel::Sms)),
    ("sms_opt_out", Role::OptOut(Channel::Sms)),
];

/// Folded headers whose property has a better-known name.
const PROPERTY_NAMES: &[(&str, &str)] = &[
    ("firstname", "first_name"),
    ("given_name", "first_name"),
    ("$first_name", "first_name"),
    ("vorname", "first_name"),
    ("lastname", "last_name"),
    ("surname", "last_name"),
    ("family_name", "last_name"),
    ("$last_name", "last_name"),
    ("nachname", "last_name"),
    ("state_region", "region"),
    ("$region", "region"),
    ("country_region", "country"),
    ("$city", "city"),
    ("$country", "country"),
    ("zip", "zip_code"),
    ("postal_code", "zip_code"),
];

/// What each column holds. `rows` hold the first cells, in header order.
pub(super) fn columns(kind: FileKind, headers: &[&str], rows: &[Vec<&str>], decimal_comma: bool) -> Vec<Column> {
    let folded: Vec<String> = headers.iter().map(|header| fold(header)).collect();
    let mut roles: Vec<Option<Role>> = vec![None; headers.len()];
    let table = match kind {
        FileKind::Contacts => CONTACT_HEADERS,
        FileKind::Events => EVENT_HEADERS,
        FileKind::Responses => RESPONSE_HEADERS,
    };
    for (word, names) in table {
        let role = role_of(word);
        let mut found = names.iter().filter_map(|name| folded.iter().position(|header| header == name));
        if let Some(idx) = found.find(|idx| roles[*idx].is_none()) {
            roles[idx] = Some(role);
        }
    }
    if kind == FileKind::Contacts {
        for (idx, header) in folded.iter().enumerate() {
            if roles[idx].is_none()
                && let Some((_, role)) = CONSENT_HEADERS.iter().find(|(name, _)| name == header)
            {
                roles[idx] = Some(role.clone());
            }
        }
    }
    let mut taken = Names::default();
    headers
        .iter()
        .enumerate()
        .map(|(idx, header)| {
            let role = roles[idx].take().unwrap_or_else(|| {
                if kind == FileKind::Responses {
                    return Role::Ignore;
                }
                let name = taken.free(property_name(&folded[idx], idx));
                let cells = rows.iter().filter_map(|row| row.get(idx).copied());
                Role::Property { name, value_type: value_type(&folded[idx], cells, decimal_comma) }
            });
            Column { header: (*header).to_owned(), role }
        })
        .collect()
}

fn role_of(word: &str) -> Role {
    match word {
        "id" => Role::Id,
        "email" => Role::Email,
        "phone" => Role::Phone,
        "zone" => Role::Zone,
        "language" => Role::Language,
        "created" => Role::Created,
        "lists" => Role::Lists,
        "properties" => Role::Properties,
        "contact" => Role::Contact,
        "name" => Role::Name,
        "happened" => Role::Happened,
        "accepted" => Role::Accepted,
        "flow" => Role::Flow,
        "node" => Role::Node,
        "response" => Role::Response,
        "after" => Role::After,
        "link" => Role::Link,
        _ => Role::Ignore,
    }
}

/// Whose export it is, where the headers say so.
pub(super) fn looks_like(headers: &[&str]) -> Option<&'static str> {
    let folded: Vec<String> = headers.iter().map(|header| fold(header)).collect();
    let has = |name: &str| folded.iter().any(|header| header == name);
    if has("klaviyo_id") || has("email_marketing_consent") {
        return Some("Klaviyo");
    }
    if has("record_id") || has("record_id_contact") || has("marketing_contact_status") {
        return Some("HubSpot");
    }
    if has("accepts_email_marketing") || has("customer_id") && has("total_spent") {
        return Some("Shopify");
    }
    None
}

/// `First Name` → `first_name`, `productId` → `product_id`, `State / Region` → `state_region`.
pub(super) fn fold(header: &str) -> String {
    let mut name = String::new();
    let mut before_lower = false;
    for c in header.trim().chars().take(128) {
        if c.is_alphanumeric() || c == '$' {
            if c.is_uppercase() && before_lower {
                name.push('_');
            }
            name.extend(c.to_lowercase());
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
        before_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    name.trim_end_matches('_').to_owned()
}

fn property_name(folded: &str, column_idx: usize) -> SmolStr {
    if folded.is_empty() {
        return SmolStr::new(format!("column_{}", column_idx + 1));
    }
    PROPERTY_NAMES
        .iter()
        .find(|(name, _)| *name == folded)
        .map_or_else(|| SmolStr::new(folded), |(_, better)| SmolStr::new(better))
}

/// Property names given out so far; a second `city` becomes `city_2`.
#[derive(Default)]
struct Names {
    taken: BTreeSet<SmolStr>,
    next: BTreeMap<SmolStr, usize>,
}

impl Names {
    fn free(&mut self, name: SmolStr) -> SmolStr {
        let mut candidate = name.clone();
        while !self.taken.insert(candidate.clone()) {
            let n = self.next.entry(name.clone()).or_insert(1);
            *n += 1;
            candidate = SmolStr::new(format!("{name}_{n}"));
        }
        candidate
    }
}

/// The type that all filled cells share; see the top of this file.
pub(super) fn value_type<'a>(
    folded_header: &str,
    cells: impl Iterator<Item = &'a str>,
    decimal_comma: bool,
) -> ValueType {
    let filled: Vec<&str> = cells.take(MOST_GUESS_ROWS).map(str::trim).filter(|cell| !cell.is_empty()).collect();
    if filled.is_empty() {
        return ValueType::Text;
    }
    let all = |fits: &dyn Fn(&str) -> bool| filled.iter().all(|cell| fits(cell));
    if all(&|cell| ["true", "false", "yes", "no"].iter().any(|word| cell.eq_ignore_ascii_case(word))) {
        ValueType::Bool
    } else if all(&|cell| Value::parse_as(cell, ValueType::Date, None).is_some()) {
        ValueType::Date
    } else if all(&|cell| cell.len() >= 16 && cell.as_bytes()[4] == b'-' && instant(cell).is_ok()) {
        ValueType::Instant
    } else if all(&is_money) {
        ValueType::Money
    } else if !means_text(folded_header) && all(&|cell| is_number(cell, decimal_comma)) {
        ValueType::Number
    } else if all(&|cell| is_json(cell, '[')) {
        ValueType::List
    } else if all(&|cell| is_json(cell, '{')) {
        ValueType::Object
    } else {
        ValueType::Text
    }
}

fn means_text(folded_header: &str) -> bool {
    folded_header.split('_').any(|word| {
        matches!(
            word,
            "phone"
                | "mobile"
                | "tel"
                | "telephone"
                | "fax"
                | "zip"
                | "postcode"
                | "postal"
                | "plz"
                | "id"
                | "ids"
                | "code"
                | "sku"
                | "ean"
                | "gtin"
                | "isbn"
                | "iban"
                | "vat"
                | "number"
                | "no"
                | "nr"
        )
    })
}

/// A plain decimal number; see the top of this file.
pub(super) fn is_number(cell: &str, decimal_comma: bool) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let point = if decimal_comma && !digits.contains('.') { ',' } else { '.' };
    let (whole, part) = digits.split_once(point).unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole)
        && all_digits(part)
        && whole.len() < 10
        && part.len() <= 12
        && (whole == "0" || !whole.starts_with('0'))
}

/// Codes that make an amount money. Source: ISO 4217, the currencies of larger shops.
const CURRENCIES: &[&str] = &[
    "AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF",
    "IDR", "ILS", "INR", "ISK", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RON", "RSD", "SAR", "SEK",
    "SGD", "THB", "TRY", "TWD", "UAH", "USD", "VND", "ZAR",
];

/// An amount with a currency sign, or with a currency code apart from it: `ABC-123` is an article, not money.
fn is_money(cell: &str) -> bool {
    let has_sign = cell.contains(['€', '$', '£']);
    let mut words = cell.split_whitespace();
    let (first, second, third) = (words.next(), words.next(), words.next());
    let is_code = |word: Option<&str>| word.is_some_and(|word| CURRENCIES.contains(&word));
    let has_code = third.is_none() && (is_code(first) || is_code(second));
    let is_amount = |word: Option<&str>| {
        word.is_some_and(|word| word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-')))
    };
    (has_sign || has_code && (is_amount(first) || is_amount(second))) && Money::parse(cell, None).is_some()
}

fn is_json(cell: &str, open: char) -> bool {
    cell.starts_with(open) && serde_json::from_str::<serde::de::IgnoredAny>(cell).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_roles(kind: FileKind, headers: &str, expected: &[&str]) {
        let headers: Vec<&str> = headers.split('|').collect();
        let shown: Vec<String> = columns(kind, &headers, &[], false).iter().map(|column| column.role.title()).collect();
        assert_eq!(shown, expected);
    }

    fn check_type(header: &str, cells: &[&str], expected: ValueType) {
        assert_eq!(value_type(&fold(header), cells.iter().copied(), false), expected, "{header}: {cells:?}");
    }

    #[test]
    fn klaviyo() {
        check_roles(
            FileKind::Contacts,
            "Email|Klaviyo ID|First Name|Last Name|Phone Number|State / Region|Date Added|Email Marketing Consent|SMS Marketing Consent|Email Suppressions|Locale",
            &[
                "e-mail address",
                "id",
                "property first_name (text)",
                "property last_name (text)",
                "phone number",
                "property region (text)",
                "created at",
                "consent to e-mail",
                "consent to SMS",
                "said no to e-mail",
                "language",
            ],
        );
        assert_eq!(looks_like(&["Email", "Klaviyo ID"]), Some("Klaviyo"));
    }

    #[test]
    fn hubspot() {
        check_roles(
            FileKind::Contacts,
            "Record ID|First Name|Email|Create Date|Marketing contact status|Unsubscribed from all email|Lifecycle Stage|Time Zone",
            &[
                "id",
                "property first_name (text)",
                "e-mail address",
                "created at",
                "consent to e-mail",
                "said no to e-mail",
                "property lifecycle_stage (text)",
                "time zone",
            ],
        );
        assert_eq!(looks_like(&["Record ID", "Email"]), Some("HubSpot"));
    }

    #[test]
    fn shopify() {
        check_roles(
            FileKind::Contacts,
            "Customer ID|First Name|Email|Accepts Email Marketing|Default Address Phone|Phone|Accepts SMS Marketing|Total Spent|Tags",
            &[
                "id",
                "property first_name (text)",
                "e-mail address",
                "consent to e-mail",
                "property default_address_phone (text)",
                "phone number",
                "consent to SMS",
                "property total_spent (text)",
                "lists",
            ],
        );
        assert_eq!(looks_like(&["Customer ID", "Total Spent"]), Some("Shopify"));
    }

    #[test]
    fn our_own_events_and_responses() {
        check_roles(
            FileKind::Events,
            "id|contact|name|happened|accepted|cart_value|email",
            &[
                "id",
                "contact",
                "event name",
                "happened at",
                "accepted at",
                "property cart_value (text)",
                "property email (text)",
            ],
        );
        check_roles(
            FileKind::Responses,
            "contact|flow|node|response|after|link|remark",
            &["contact", "flow", "message step", "response", "after", "link", "not read"],
        );
    }

    #[test]
    fn types() {
        check_type("vip", &["true", "", "No"], ValueType::Bool);
        check_type("born", &["2001-02-03", "1999-12-31"], ValueType::Date);
        check_type("seen", &["2026-11-23 09:00:00", "2026-11-23T09:00:00Z"], ValueType::Instant);
        check_type("value", &["129.50 EUR", "€12"], ValueType::Money);
        check_type("article", &["ABC-123", "DEF-9"], ValueType::Text);
        check_type("orders", &["1", "-2.5", "0"], ValueType::Number);
        check_type("orders", &["1", "n/a"], ValueType::Text);
        check_type("code of shelf", &["12"], ValueType::Text);
        check_type("shelf", &["012"], ValueType::Text);
        check_type("shelf", &["+4930123456"], ValueType::Text);
        check_type("shelf", &["4930123456"], ValueType::Text);
        check_type("shelf", &["1e5"], ValueType::Text);
        check_type("items", &["[1,2]", "[]"], ValueType::List);
        check_type("items", &["{\"a\":1}"], ValueType::Object);
        check_type("empty", &["", " "], ValueType::Text);
    }

    #[test]
    fn names_fold() {
        for (header, expected) in [
            ("First Name", "first_name"),
            ("productId", "product_id"),
            ("State / Region", "state_region"),
            ("SKU", "sku"),
            (" Größe (cm) ", "größe_cm"),
        ] {
            assert_eq!(fold(header), expected);
        }
    }

    #[test]
    fn two_columns_of_one_name_stay_apart() {
        check_roles(FileKind::Contacts, "id|City|city", &["id", "property city (text)", "property city_2 (text)"]);
    }
}
