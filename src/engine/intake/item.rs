//! One object of a request as an event, a contact or a history.
//!
//! The one idea: every way in (HTTP, webhooks, files) makes the same object and comes through here, so all of them take
//! and refuse the same. An event is laid out as in the audience's `events.jsonl`: `id`, `contact`, `name`, `happened`,
//! `properties`; other keys are properties, too. Beside them `email`, `phone` and `profile` may say what the event
//! tells of its contact. What cannot be taken is refused with a way out; nothing is left out in silence.

use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use crate::{
    audience::{
        Channel, ConsentStatus, Contact, Event, Properties, ResponseKind, Value,
        load::{fields, findings::Fault, made_id},
        log::LOG_MILLIS,
    },
    base::{ContactId, EventId, Instant, SendKey, hash, nearest},
    engine::work::{History, NewContact, NewEvent, Refusal},
    kinds::runtime::Change,
};

/// Longest name of an event, in bytes. Source: Klaviyo refuses names of 128 and more (reference, "Create event body").
const MOST_NAME_BYTES: usize = 127;
/// So far ahead an event is still plausible, in milliseconds; past it the acceptance counts (SEMANTICS R2).
const AHEAD_MILLIS: i64 = 5 * 60_000;

const EVENT_KEYS: &[&str] =
    &["id", "contact", "name", "happened", "accepted", "properties", "email", "phone", "profile"];
const CONTACT_KEYS: &[&str] = &[
    "id",
    "email",
    "phone",
    "zone",
    "language",
    "created_at",
    "consent",
    "lists",
    "lists_remove",
    "properties",
    "suppressed",
];

/// What reading an item needs to know besides it.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// Now, on the engine's clock.
    pub now: Instant,
    /// Whether responses (`$opened`, …) may come from here: whoever sends shows a key.
    pub responses: bool,
}

/// An item that can be taken, and what should be said of it all the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken<T> {
    /// The item.
    pub what: T,
    /// For people: taken, but look at this.
    pub note: Option<String>,
}

type Object = Map<String, Json>;

/// Values may stand so deep in one another. Source: assumption; shops send 5 levels. Readers of JSON end at 128, and
/// what is taken is stored some levels deeper.
const MOST_LEVELS: usize = 32;
/// Largest event or contact, in bytes of its names and values. Source: assumption; Klaviyo takes 5 MB for a request of
/// 1,000, and what an event holds is read again whenever its contact is.
const MOST_ITEM_BYTES: usize = 256 * 1_024;

/// Whether it is one that is taken, by its size.
///
/// Errors: there is more in it than anything that means something.
pub fn is_small_enough(map: &Object) -> Result<(), Refusal> {
    fn bytes(value: &Json) -> usize {
        match value {
            Json::String(text) => text.len() + 2,
            Json::Array(items) => items.iter().map(|item| 1 + bytes(item)).sum(),
            Json::Object(map) => of_all(map),
            Json::Null | Json::Bool(_) | Json::Number(_) => 8,
        }
    }
    fn of_all(map: &Object) -> usize {
        map.iter().map(|(name, value)| name.len() + 4 + bytes(value)).sum()
    }
    let found = of_all(map);
    if found <= MOST_ITEM_BYTES {
        return Ok(());
    }
    let error = format!("it has about {} KB; {} KB is the most", found.div_ceil(1_024), MOST_ITEM_BYTES / 1_024);
    Err(Refusal::new(error, "Send what flows use, and addresses of what is large (pictures, documents)"))
}

/// Errors: it is nested deeper than anything that means something.
fn is_flat_enough(map: &Object) -> Result<(), Refusal> {
    fn levels(value: &Json, left: usize) -> bool {
        match value {
            _ if left == 0 => false,
            Json::Array(items) => items.iter().all(|item| levels(item, left - 1)),
            Json::Object(map) => map.values().all(|item| levels(item, left - 1)),
            _ => true,
        }
    }
    if map.values().all(|value| levels(value, MOST_LEVELS)) {
        return Ok(());
    }
    let error = format!("it is nested more than {MOST_LEVELS} levels deep");
    Err(Refusal::new(error, "Send what flows use: names with texts, numbers, lists of them"))
}

/// Reads an event.
///
/// Errors: which key, why, and what to write instead.
pub fn event(map: &Object, around: Around) -> Result<Taken<NewEvent>, Refusal> {
    is_flat_enough(map)?;
    is_small_enough(map)?;
    let email = optional(map, "email", fields::email)?;
    let contact = match (map.get("contact"), &email) {
        // Without an id the address stands in, as in the audience's files.
        (None | Some(Json::Null), Some(email)) => fields::stand_in(email),
        _ => needed(map, "contact", fields::contact_id)?,
    };
    let name = needed(map, "name", |text| Ok(SmolStr::new(text.trim())))?;
    let happened = optional(map, "happened", fields::instant)?;
    let properties = properties(map, EVENT_KEYS)?;
    check_name(&name, &properties, around)?;
    let id = match optional(map, "id", |text| id_like(text, "id"))? {
        Some(id) => EventId::new(id),
        None => derived_id(&contact, &name, happened, &properties)?,
    };
    let (mut change, lifts) = match map.get("profile") {
        None | Some(Json::Null) => (Change::default(), None),
        Some(Json::Object(profile)) => {
            (change(profile).map_err(|refusal| within("profile", refusal))?, lifts_nothing(profile))
        }
        Some(other) => return Err(wrong_type("profile", "an object", other)),
    };
    if email.is_some() {
        change.email = email;
    }
    if let Some(phone) = optional(map, "phone", fields::phone)? {
        change.phone = Some(phone);
    }
    let note = both(note(map, happened, around.now), lifts);
    let change = (change != Change::default()).then_some(change);
    Ok(Taken { what: NewEvent { id, contact, name, happened, properties, change }, note })
}

/// Reads a contact: made, or changed to what is given.
///
/// Errors: which key, why, and what to write instead.
pub fn contact(map: &Object) -> Result<Taken<NewContact>, Refusal> {
    is_flat_enough(map)?;
    is_small_enough(map)?;
    let change = change(map)?;
    let id = match (map.get("id"), &change.email) {
        // Without an id the address stands in, as in the audience's files.
        (None | Some(Json::Null), Some(email)) => fields::stand_in(email),
        _ => needed(map, "id", fields::contact_id)?,
    };
    let note = map
        .contains_key("created_at")
        .then(|| "`created_at` is stamped here; send the contact to /v1/histories to bring its past along".to_owned());
    Ok(Taken { what: NewContact { id, change }, note: both(note, lifts_nothing(map)) })
}

/// Reads a contact with a past: `{"contact": {…}, "events": […]}`.
///
/// Errors: which event or key, why, and what to write instead.
pub fn history(map: &Object, around: Around) -> Result<Taken<History>, Refusal> {
    is_flat_enough(map)?;
    let Some(Json::Object(profile)) = map.get("contact") else {
        return Err(Refusal::new(
            "`contact` is missing",
            "Write {\"contact\": {\"id\": …}, \"events\": […]}: the whole contact, then what happened",
        ));
    };
    let Taken { what: NewContact { id, change }, .. } = self::contact(profile).map_err(|r| within("contact", r))?;
    let mut person = Contact::new("");
    person.id = id.clone();
    person.created_at = optional(profile, "created_at", fields::instant).map_err(|r| within("contact", r))?;
    person.email = change.email;
    person.phone = change.phone;
    person.zone = change.zone;
    person.language = change.language;
    person.properties = change.set.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    person.lists = change.lists_add.into_iter().collect();
    for (channel, status) in change.consent {
        person.consent.set(channel, status);
    }
    let list = match map.get("events") {
        None | Some(Json::Null) => &[][..],
        Some(Json::Array(list)) => list.as_slice(),
        Some(other) => return Err(wrong_type("events", "a list", other)),
    };
    let mut events = Vec::with_capacity(list.len());
    for (idx, json) in list.iter().enumerate() {
        let at = |refusal| within(&format!("events[{idx}]"), refusal);
        let Json::Object(map) = json else { return Err(at(wrong_type("it", "an object", json))) };
        events.push(past_event(map, &id, around).map_err(at)?);
    }
    let suppressed = change.suppressed == Some(true);
    Ok(Taken { what: History { contact: person, events, suppressed }, note: lifts_nothing(profile) })
}

fn past_event(map: &Object, owner: &ContactId, around: Around) -> Result<Event, Refusal> {
    let mut map = map.clone();
    map.entry("contact").or_insert_with(|| Json::String(owner.to_string()));
    let Taken { what: found, .. } = event(&map, Around { responses: true, ..around })?;
    if found.contact != *owner {
        return Err(Refusal::new(
            format!("it belongs to `{}`, not to `{}`", found.contact, owner),
            "Put each event beside its contact",
        ));
    }
    let Some(happened) = found.happened else {
        return Err(Refusal::new("`happened` is missing", "The past needs its dates: 2026-11-23T09:00:00Z"));
    };
    let accepted = optional(&map, "accepted", fields::instant)?.unwrap_or(happened);
    // A history is taken once: what was left out of it could not be sent again.
    if accepted > around.now {
        return Err(Refusal::new(
            format!("{accepted} lies ahead, which no past does"),
            "Take the event out, and send it to /v1/events when it has happened",
        ));
    }
    Ok(Event {
        id: found.id,
        contact: found.contact,
        name: found.name,
        happened,
        accepted,
        properties: found.properties,
    })
}

fn check_name(name: &SmolStr, properties: &Properties, around: Around) -> Result<(), Refusal> {
    if name.is_empty() || name.len() > MOST_NAME_BYTES || name.chars().any(char::is_control) {
        return Err(Refusal::new(
            format!("`name` has {} bytes or control characters", name.len()),
            format!("Write 1 to {MOST_NAME_BYTES} bytes, such as Started Checkout"),
        ));
    }
    if !name.starts_with('$') {
        return Ok(());
    }
    let is_response = ResponseKind::ALL.iter().any(|kind| kind.event_name() == name);
    let has_key =
        properties.get("send_key").and_then(Value::as_text).is_some_and(|text| SendKey::parse(text).is_some());
    if is_response && has_key && around.responses {
        return Ok(());
    }
    let hint = if is_response && around.responses {
        "Add the property `send_key` of the message that it answers: journey/node/pass"
    } else if is_response {
        "Answers to mails come from whoever shows the secret, with the `send_key` of the message"
    } else {
        "Take the $ away; such names are kept for answers to mails"
    };
    Err(Refusal::new(format!("the name `{}` is reserved", shown(name)), hint))
}

/// What should be said of an event that is taken.
fn note(map: &Object, happened: Option<Instant>, now: Instant) -> Option<String> {
    let at = happened?;
    if at.since(now) > AHEAD_MILLIS {
        return Some(format!("{at} lies ahead: it counts as happened when it was accepted"));
    }
    if now.since(at) > LOG_MILLIS {
        // Seconds taken for milliseconds land in January 1970.
        let misread = at.as_millis().unsigned_abs() < 60 * 86_400_000;
        let why = if misread { "; were these seconds where milliseconds were meant?" } else { "" };
        return Some(format!("{at} is more than 400 days ago: no condition looks back that far{why}"));
    }
    map.contains_key("accepted").then(|| "`accepted` is stamped here; the given one is not used".to_owned())
}

/// What is said of a `suppressed: false`, which is not taken: systems send it of everybody, and whoever was forgotten,
/// complained or bounced here would get mail again.
fn lifts_nothing(profile: &Object) -> Option<String> {
    (profile.get("suppressed") == Some(&Json::Bool(false)))
        .then(|| "`suppressed` false is left out: whoever is never to be written to here stays so".to_owned())
}

fn both(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}; {second}")),
        (first, second) => first.or(second),
    }
}

/// An event that says neither its id nor when it happened, with an id by its place in what can come a second time: a
/// file, or a signed request. `sort` begins the id, `whole` names the file or the request.
pub fn with_id(mut map: Object, sort: &str, whole: &str, place: &str) -> Object {
    let is_given = |key: &str| match map.get(key) {
        None | Some(Json::Null) => false,
        Some(Json::String(text)) => !text.trim().is_empty(),
        Some(_) => true,
    };
    if is_given("id") || is_given("happened") {
        return map;
    }
    let json = Json::Object(map.clone());
    let id = format!("{sort}-{}", hash::version_hash(format!("{whole}\0{place}\0{json}").as_bytes()));
    map.insert("id".to_owned(), Json::String(id));
    map
}

/// The id of an event that came without one: from all that it says, so that the same sent twice is taken once. Where it
/// does not even say when, two that look the same may both be meant, and each gets a number of its own.
fn derived_id(
    contact: &ContactId,
    name: &SmolStr,
    happened: Option<Instant>,
    properties: &Properties,
) -> Result<EventId, Refusal> {
    let Some(happened) = happened else {
        return super::guard::fresh_token()
            .map(|token| EventId::new(format!("n-{}", &token[..32])))
            .map_err(|error| Refusal::new(error, "Give the event an `id`"));
    };
    Ok(made_id(&Event {
        id: EventId::new(""),
        contact: contact.clone(),
        name: name.clone(),
        happened,
        accepted: happened,
        properties: properties.clone(),
    }))
}

/// What an object says of a contact. What is left out stays as it is; null takes a property away.
fn change(map: &Object) -> Result<Change, Refusal> {
    let mut change = Change {
        email: optional(map, "email", fields::email)?,
        phone: optional(map, "phone", fields::phone)?,
        zone: optional(map, "zone", fields::zone)?,
        language: optional(map, "language", fields::language)?,
        lists_add: names(map, "lists")?,
        lists_remove: names(map, "lists_remove")?,
        consent: consent(map)?,
        ..Change::default()
    };
    match map.get("suppressed") {
        None | Some(Json::Null) => {}
        Some(Json::Bool(suppressed)) => change.suppressed = suppressed.then_some(true),
        Some(other) => return Err(wrong_type("suppressed", "true or false", other)),
    }
    let loose = map.iter().filter(|(key, _)| !CONTACT_KEYS.contains(&key.as_str()));
    let nested = match map.get("properties") {
        None | Some(Json::Null) => None,
        Some(Json::Object(nested)) => Some(nested),
        Some(other) => return Err(wrong_type("properties", "an object", other)),
    };
    for (key, json) in loose.chain(nested.into_iter().flatten()) {
        change.set.push((SmolStr::new(key), Value::from_json(json)));
    }
    Ok(change)
}

fn consent(map: &Object) -> Result<Vec<(Channel, ConsentStatus)>, Refusal> {
    let read = |channel: Channel, json: &Json| {
        let word = match json {
            Json::String(word) => word.as_str(),
            Json::Bool(true) => "yes",
            Json::Bool(false) => "no",
            other => return Err(wrong_type("consent", "words such as \"subscribed\"", other)),
        };
        // A word that is not understood must not pass for silence: the sender may have meant "no".
        fields::consent(word).map(|status| (channel, status)).map_err(refusal_of)
    };
    match map.get("consent") {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Object(channels)) => channels
            .iter()
            // Nothing is said of it: a no stays one.
            .filter(|(_, json)| !json.is_null())
            .map(|(name, json)| match name.as_str() {
                "email" => read(Channel::Email, json),
                "sms" => read(Channel::Sms, json),
                other => Err(Refusal::new(
                    format!("`{}` in `consent` is not a channel", shown(other)),
                    nearest::hint(other, ["email", "sms"]),
                )),
            })
            .collect(),
        Some(json) => Ok(vec![read(Channel::Email, json)?]),
    }
}

fn names(map: &Object, key: &str) -> Result<Vec<SmolStr>, Refusal> {
    match map.get(key) {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::String(text)) => Ok(fields::names_in(text)),
        Some(Json::Array(items)) => items
            .iter()
            .map(|item| match item {
                Json::String(name) if !name.trim().is_empty() => Ok(SmolStr::new(name.trim())),
                other => Err(wrong_type(key, "a list of names", other)),
            })
            .collect(),
        Some(other) => Err(wrong_type(key, "a list of names", other)),
    }
}

/// `properties` and every key that is not in `known`; what is in `properties` counts more.
fn properties(map: &Object, known: &[&str]) -> Result<Properties, Refusal> {
    let read = |(key, json): (&String, &Json)| Some((SmolStr::new(key), Value::from_json(json)?));
    let mut out: Properties = map.iter().filter(|(key, _)| !known.contains(&key.as_str())).filter_map(read).collect();
    match map.get("properties") {
        None | Some(Json::Null) => {}
        Some(Json::Object(nested)) => out.extend(nested.iter().filter_map(read)),
        Some(other) => return Err(wrong_type("properties", "an object", other)),
    }
    Ok(out)
}

fn id_like(text: &str, key: &str) -> Result<SmolStr, Fault> {
    let id = text.trim();
    if id.is_empty() || id.len() > 256 || id.chars().any(char::is_control) {
        let message = format!("`{key}` has {} bytes or control characters", id.len());
        return Err(Fault::new("intake/bad-id", message, "An id has 1 to 256 bytes and no control characters"));
    }
    Ok(SmolStr::new(id))
}

fn text_at(map: &Object, key: &str) -> Result<Option<String>, Refusal> {
    match map.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        // Ids and times often are numbers.
        Some(Json::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(wrong_type(key, "a text", other)),
    }
}

fn optional<T>(map: &Object, key: &str, read: impl FnOnce(&str) -> Result<T, Fault>) -> Result<Option<T>, Refusal> {
    text_at(map, key)?
        .map(|text| read(&text).map_err(|fault| within(&format!("`{key}`"), refusal_of(fault))))
        .transpose()
}

fn needed<T>(map: &Object, key: &str, read: impl FnOnce(&str) -> Result<T, Fault>) -> Result<T, Refusal> {
    if let Some(value) = optional(map, key, read)? {
        return Ok(value);
    }
    if map.contains_key(key) {
        return Err(Refusal::new(format!("`{key}` is empty"), "Fill it"));
    }
    let others = map.keys().map(String::as_str).take(200);
    let hint = nearest::nearest(key, others).map_or_else(
        || format!("Add \"{key}\" to the object"),
        |near| format!("Did you mean `{key}` where you wrote `{}`?", shown(near)),
    );
    Err(Refusal::new(format!("`{key}` is missing"), hint))
}

/// The loaders' faults speak of a file that is read on; here the item is refused.
fn refusal_of(fault: Fault) -> Refusal {
    let error =
        fault.message.trim_end_matches(" and is left out").trim_end_matches("; it counts as unknown").to_owned();
    Refusal { error, hint: fault.hint }
}

fn within(place: &str, refusal: Refusal) -> Refusal {
    Refusal { error: format!("{place}: {}", refusal.error), hint: refusal.hint }
}

fn wrong_type(key: &str, wanted: &str, found: &Json) -> Refusal {
    let found = match found {
        Json::Null => "null",
        Json::Bool(_) => "a yes/no value",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    };
    Refusal::new(format!("`{key}` must be {wanted}, not {found}"), format!("Write {wanted}, or take the key out"))
}

/// A text of the sender's in a message: not too long, no line breaks.
fn shown(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-26T12:00:00Z";

    fn object(text: &str) -> Object {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn around(responses: bool) -> Around {
        Around { now: Instant::parse(NOW).expect("an instant"), responses }
    }

    /// Reads an event and says it in one line: taken, with its note, or refused.
    fn check(text: &str, expected: &str) {
        let found = match event(&object(text), around(false)) {
            Ok(taken) => {
                let NewEvent { id, contact, name, happened, properties, change } = taken.what;
                let happened = happened.map_or_else(|| "-".to_owned(), |at| at.to_string());
                let mut line = format!("{contact} {name} {happened} {}", properties.len());
                if !id.as_str().starts_with("n-") && !id.as_str().starts_with("e-") {
                    line += &format!(" id={id}");
                }
                if let Some(change) = change {
                    line += &format!(" email={:?} set={}", change.email, change.set.len());
                }
                taken.note.map_or(line.clone(), |note| format!("{line} ({note})"))
            }
            Err(refusal) => format!("refused: {} | {}", refusal.error, refusal.hint),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn more_than_means_something() {
        let deep = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!(r#"{{"contact":"ada","name":"V","id":"1","a":{open}1{close}}}"#)
        };
        check(&deep(31), "ada V - 1 id=1");
        check(
            &deep(32),
            "refused: it is nested more than 32 levels deep | Send what flows use: names with texts, numbers, lists of them",
        );
        let large = |kb: usize| {
            let text = "x".repeat(1_024);
            let texts = vec![format!("\"{text}\""); kb].join(",");
            format!(r#"{{"contact":"ada","name":"V","id":"1","a":[{texts}]}}"#)
        };
        check(&large(250), "ada V - 1 id=1");
        check(
            &large(300),
            "refused: it has about 301 KB; 256 KB is the most | \
             Send what flows use, and addresses of what is large (pictures, documents)",
        );
        let history = format!(r#"{{"contact":{{"id":"ada"}},"events":[{}]}}"#, large(300));
        let found = super::history(&object(&history), around(false)).expect_err("too large");
        assert!(found.error.starts_with("events[0]: it has"), "{found:?}");
    }

    #[test]
    fn events_as_they_come() {
        check(
            r#"{"id":"1","contact":"ada","name":"Viewed","happened":"2026-11-26T11:00:00Z","properties":{"a":1},"b":2}"#,
            "ada Viewed 2026-11-26T11:00:00Z 2 id=1",
        );
        check(r#"{"contact":7,"name":" Viewed "}"#, "7 Viewed - 0");
        check(
            r#"{"contact":"ada","name":"Viewed","email":"ada@example.com","profile":{"first_name":"Ada","old":null}}"#,
            "ada Viewed - 0 email=Some(\"ada@example.com\") set=2",
        );
        check(
            r#"{"contact":"ada","name":"Viewed","happened":1,"id":"x"}"#,
            "refused: `happened`: `1` is not a date and time | \
             Write it as 2026-11-23T09:00:00Z; without an offset it counts as UTC",
        );
        check(
            r#"{"contct":"ada","name":"V"}"#,
            "refused: `contact` is missing | Did you mean `contact` where you wrote `contct`?",
        );
        check(
            r#"{"email":"ada@example.com","name":"V"}"#,
            "ada@example.com V - 0 email=Some(\"ada@example.com\") set=0",
        );
        check(
            r#"{"email":"Ada@Example.COM","name":"V"}"#,
            "ada@example.com V - 0 email=Some(\"Ada@Example.COM\") set=0",
        );
        check(r#"{"contact":" ","name":"V"}"#, "refused: `contact` is empty | Fill it");
        check(
            r#"{"contact":"ada","name":"V","properties":[1]}"#,
            "refused: `properties` must be an object, not a list | Write an object, or take the key out",
        );
        check(
            r#"{"contact":"ada","name":"V","email":"ada"}"#,
            "refused: `email`: `ada` is not an e-mail address | Write it as name@example.com",
        );
    }

    #[test]
    fn times_far_away_are_taken_with_a_word() {
        check(
            r#"{"id":"a","contact":"ada","name":"V","happened":"2100-01-01"}"#,
            "ada V 2100-01-01T00:00:00Z 0 id=a (2100-01-01T00:00:00Z lies ahead: it counts as happened when it was accepted)",
        );
        check(
            r#"{"id":"a","contact":"ada","name":"V","happened":1790000}"#,
            "refused: `happened`: `1790000` is not a date and time | \
             Write it as 2026-11-23T09:00:00Z; without an offset it counts as UTC",
        );
        check(
            r#"{"id":"a","contact":"ada","name":"V","happened":"1970-01-21T16:00:00Z"}"#,
            "ada V 1970-01-21T16:00:00Z 0 id=a (1970-01-21T16:00:00Z is more than 400 days ago: no condition looks back \
             that far; were these seconds where milliseconds were meant?)",
        );
    }

    /// Nobody gets mail again because a system says of everybody that they are not suppressed.
    #[test]
    fn suppression_is_not_lifted_from_outside() {
        let left_out = "`suppressed` false is left out: whoever is never to be written to here stays so";
        let check = |value: &str, suppressed: Option<bool>, note: Option<&str>| {
            let profile = format!(r#"{{"id":"ada","age":36,"suppressed":{value}}}"#);
            let found = contact(&object(&profile)).expect("a contact");
            assert_eq!((found.what.change.suppressed, found.note.as_deref()), (suppressed, note), "{profile}");
            let text = format!(r#"{{"id":"1","contact":"ada","name":"V","profile":{profile}}}"#);
            let found = event(&object(&text), around(true)).expect("an event");
            let change = found.what.change.expect("an age");
            assert_eq!((change.suppressed, found.note.as_deref()), (suppressed, note), "{text}");
        };
        check("true", Some(true), None);
        check("false", None, Some(left_out));
        check("null", None, None);
        let ahead = r#"{"id":"1","contact":"a","name":"V","happened":"2100-01-01","profile":{"suppressed":false}}"#;
        let note = event(&object(ahead), around(true)).expect("an event").note.expect("two notes");
        assert!(note.contains("lies ahead") && note.ends_with(&format!("; {left_out}")), "{note}");
        let past = |value: &str| {
            history(&object(&format!(r#"{{"contact":{{"id":"a","suppressed":{value}}}}}"#)), around(true))
        };
        assert_eq!(past("false").expect("a history").note.as_deref(), Some(left_out));
        assert!(past("true").expect("a history").what.suppressed);
    }

    /// A history is taken once, so what cannot be in it is said, not dropped.
    #[test]
    fn a_past_that_lies_ahead() {
        let check = |event: &str, expected: Option<&str>| {
            let text =
                format!(r#"{{"contact":{{"id":"a"}},"events":[{{"name":"Old","happened":"2026-01-01"}},{event}]}}"#);
            let found = history(&object(&text), around(false));
            assert_eq!(found.err().map(|refusal| refusal.error).as_deref(), expected, "{text}");
        };
        check(r#"{"name":"V","happened":"2026-11-26T12:00:00Z"}"#, None);
        check(
            r#"{"name":"V","happened":"2026-11-26T12:00:01Z"}"#,
            Some("events[1]: 2026-11-26T12:00:01Z lies ahead, which no past does"),
        );
        check(
            r#"{"name":"V","happened":"2026-11-26","accepted":"2100-01-01"}"#,
            Some("events[1]: 2100-01-01T00:00:00Z lies ahead, which no past does"),
        );
    }

    #[test]
    fn reserved_names_need_a_key_and_a_secret() {
        let answer = object(r#"{"contact":"ada","name":"$opened","properties":{"send_key":"j/mail-1/1"}}"#);
        assert!(event(&answer, around(false)).is_err());
        assert!(event(&answer, around(true)).is_ok());
        let without = object(r#"{"contact":"ada","name":"$opened"}"#);
        assert!(event(&without, around(true)).is_err_and(|refusal| refusal.hint.contains("send_key")));
        assert!(event(&object(r#"{"contact":"ada","name":"$anything"}"#), around(true)).is_err());
    }

    /// The same sent twice is taken once; without a time each stands for itself.
    #[test]
    fn ids_are_derived() {
        let id = |text: &str| event(&object(text), around(false)).expect("an event").what.id;
        let timed = r#"{"contact":"ada","name":"V","happened":"2026-11-26T11:00:00Z","properties":{"a":1}}"#;
        assert_eq!(id(timed), id(timed));
        assert_ne!(id(timed), id(&timed.replace("1}", "2}")));
        let untimed = r#"{"contact":"ada","name":"V"}"#;
        assert_ne!(id(untimed), id(untimed));
    }

    #[test]
    fn contacts_and_histories() {
        let found = contact(&object(
            r#"{"email":"ada@example.com","consent":{"email":"subscribed","sms":false},"lists":["News"],"age":36,"x":null}"#,
        ))
        .expect("a contact");
        assert_eq!(found.what.id.as_str(), "ada@example.com");
        let shouted = contact(&object(r#"{"email":"ADA@Example.com"}"#)).expect("a contact");
        assert_eq!(shouted.what.id, found.what.id, "one person, however written");
        assert_eq!(
            found.what.change.consent,
            [(Channel::Email, ConsentStatus::Subscribed), (Channel::Sms, ConsentStatus::Unsubscribed)]
        );
        assert_eq!(found.what.change.set, [("age".into(), Some(Value::Number(36.0))), ("x".into(), None)]);
        let unclear = contact(&object(r#"{"id":"a","consent":{"email":"perhaps"}}"#));
        assert!(unclear.is_err(), "what may be a no is not taken for silence");
        let silent = contact(&object(r#"{"id":"a","consent":{"email":null,"sms":"no"}}"#)).expect("a contact");
        assert_eq!(silent.what.change.consent, [(Channel::Sms, ConsentStatus::Unsubscribed)], "null takes no no back");

        let past = object(
            r#"{"contact":{"id":"ada","created_at":"2025-01-01"},
                "events":[{"name":"Bought","happened":"2025-02-01"},{"name":"$opened","happened":"2025-02-02",
                "properties":{"send_key":"j/m/1"}}]}"#,
        );
        let found = history(&past, around(false)).expect("a history").what;
        assert_eq!((found.events.len(), found.contact.created_at.is_some()), (2, true));
        let undated = history(&object(r#"{"contact":{"id":"ada"},"events":[{"name":"Bought"}]}"#), around(false));
        assert!(undated.is_err_and(|refusal| refusal.error.starts_with("events[0]: `happened` is missing")));
    }
}
