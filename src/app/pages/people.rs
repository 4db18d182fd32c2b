//! The audience as a table, and what is known of the chosen contact: read-only.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::{
    app::{Home, stage, when},
    audience::{Contact, Value},
    base::ContactId,
};

/// Properties that get a column, at most. Source: assumption, what is still read side by side.
const MOST_COLUMNS: usize = 4;
/// Contacts that are looked at for the most common properties; more of them change little.
const MOST_LOOKED_AT: usize = 2_000;

/// The table.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct People {
    /// Properties with a column of their own, the most common first.
    pub columns: Vec<SmolStr>,
    /// Places of the contacts that were found, in the audience.
    pub found: Vec<usize>,
    /// Events of each contact.
    pub num_events: BTreeMap<ContactId, usize>,
}

/// Contacts that a search finds: every word stands in name, id, address, zone or a property.
pub fn found(home: &Home, typed: &str) -> Vec<usize> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let all = home.audience.contacts.iter().enumerate();
    all.filter(|(_, contact)| {
        words.is_empty() || {
            let text = text_of(contact);
            words.iter().all(|word| text.contains(word.as_str()))
        }
    })
    .map(|(at, _)| at)
    .collect()
}

fn text_of(contact: &Contact) -> String {
    let mut out = format!("{} {} ", stage::name(contact), contact.id);
    for part in [&contact.email, &contact.zone].into_iter().flatten() {
        out.push_str(part);
        out.push(' ');
    }
    for value in contact.properties.values() {
        out.push_str(&short(value));
        out.push(' ');
    }
    out.to_lowercase()
}

/// The table of an audience; ask when it changed, not each frame.
pub fn people(home: &Home, typed: &str) -> People {
    let mut counts: BTreeMap<&SmolStr, usize> = BTreeMap::new();
    for contact in home.audience.contacts.iter().take(MOST_LOOKED_AT) {
        // Names stand in a column already.
        let own = contact.properties.iter().filter(|(name, value)| {
            !matches!(name.as_str(), "first_name" | "last_name" | "name")
                && !matches!(value, Value::List(_) | Value::Object(_))
        });
        for (name, _) in own {
            *counts.entry(name).or_default() += 1;
        }
    }
    let mut columns: Vec<(usize, &SmolStr)> = counts.into_iter().map(|(name, count)| (count, name)).collect();
    columns.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let mut num_events: BTreeMap<ContactId, usize> = BTreeMap::new();
    for event in &home.audience.events {
        *num_events.entry(event.contact.clone()).or_default() += 1;
    }
    let columns = columns.into_iter().take(MOST_COLUMNS).map(|(_, name)| name.clone()).collect();
    People { columns, found: found(home, typed), num_events }
}

/// A value on one line.
pub fn short(value: &Value) -> String {
    match value {
        Value::List(rows) => format!("{} entries", rows.len()),
        Value::Object(_) => value.to_json().to_string(),
        other => other.to_string(),
    }
}

/// A value on one line, numbers and dates as the user writes them.
pub fn shown(home: &Home, value: &Value) -> String {
    match value {
        Value::Number(n) => home.manner.decimal(*n),
        Value::Date(date) => home.manner.date(*date),
        other => short(other),
    }
}

/// What a contact allowed: "e-mail yes, SMS not asked".
pub fn consent(contact: &Contact) -> String {
    use crate::audience::ConsentStatus as Status;
    let word = |status| match status {
        Status::Subscribed => "yes",
        Status::Unknown => "not asked",
        Status::Unsubscribed => "no",
    };
    format!("e-mail {}, SMS {}", word(contact.consent.email), word(contact.consent.sms))
}

/// What is known of a contact.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// What they are called.
    pub name: String,
    /// Names and values: built-in ones first, then properties by name.
    pub facts: Vec<(String, String)>,
    /// What happened, newest first: when, the metric, a few values.
    pub events: Vec<(String, String, String)>,
    /// How they respond to messages of the sample flows.
    pub responses: Vec<String>,
}

/// What is known of a contact; looks through all events.
pub fn known(home: &Home, id: &ContactId) -> Option<Known> {
    let contact = stage::contact(home, id)?;
    let zone = when::zone(home, Some(contact));
    let text = |value: &Option<SmolStr>| value.as_ref().map(ToString::to_string);
    let created = contact.created_at.map(|at| when::day_time(at, &zone));
    let lists: Vec<&str> = contact.lists.iter().map(SmolStr::as_str).collect();
    let built_in = [
        ("Id", Some(contact.id.to_string())),
        ("E-mail", text(&contact.email)),
        ("Phone", text(&contact.phone)),
        ("Consent", Some(consent(contact))),
        ("Zone", text(&contact.zone).or_else(|| Some(format!("{}, of the workspace", zone.name())))),
        ("Language", text(&contact.language)),
        ("Lists", Some(lists.join(", ")).filter(|lists| !lists.is_empty())),
        ("Known since", created),
    ];
    let built_in = built_in.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let own = contact.properties.iter().map(|(name, value)| (name.to_string(), shown(home, value)));
    let mut events: Vec<_> = home.audience.events.iter().filter(|event| event.contact == *id).collect();
    events.sort_by(|a, b| (b.happened, &b.id).cmp(&(a.happened, &a.id)));
    let events = events
        .into_iter()
        .map(|event| (when::day_time(event.happened, &zone), event.name.to_string(), stage::key_values(event, None)));
    let responses = home.audience.responses.iter().filter(|response| response.contact == *id).map(|response| {
        let link = response.link.as_ref().map(|link| format!(" {link}")).unwrap_or_default();
        let flow = response.flow.as_ref().map(|flow| format!(" of {flow}")).unwrap_or_default();
        format!("{} {}{flow}{link}, {} after it left", response.response, response.node, response.after)
    });
    Some(Known {
        name: stage::name(contact),
        facts: built_in.chain(own).collect(),
        events: events.collect(),
        responses: responses.collect(),
    })
}

/// Where the files of the audience are, or how to begin one.
pub fn place(home: &Home) -> String {
    let folder = home.folder.as_ref().map(|folder| folder.join("audience").display().to_string());
    match (folder, home.audience.contacts.is_empty()) {
        (Some(folder), false) => format!("Read from {folder}; change the files there"),
        (None, false) => "From the sample's own audience; save the flow to get files of your own".to_owned(),
        (Some(folder), true) => format!(
            "There are no sample contacts yet. Put contacts.csv into {folder}, with columns such as id, email and \
             first_name, or drop the file onto this window"
        ),
        (None, true) => "There are no sample contacts yet. Save the flow into a folder, then drop contacts.csv onto \
                         this window: columns such as id, email and first_name"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fixture;

    #[test]
    fn contacts_are_found_by_any_of_their_words() {
        let home = fixture::home();
        let all = people(&home, "");
        assert_eq!(all.found.len(), fixture::NUM_CONTACTS);
        assert!(all.columns.contains(&"lifetime_value".into()), "{:?}", all.columns);
        assert!(!all.columns.contains(&"first_name".into()) && all.columns.len() <= MOST_COLUMNS);
        let ada = &home.audience.contacts[people(&home, "lindqvist ADA").found[0]];
        assert_eq!(ada.id.as_str(), "ada");
        assert!(people(&home, "nobody-of-that-name").found.is_empty());
        assert_eq!(all.num_events.values().sum::<usize>(), home.audience.events.len());
    }

    #[test]
    fn a_contact_has_facts_events_and_responses() {
        let home = fixture::home();
        let known = known(&home, &"ada".into()).expect("is there");
        assert_eq!(known.name, "Ada Lindqvist");
        assert_eq!(known.facts[0], ("Id".to_owned(), "ada".to_owned()));
        assert!(known.facts.iter().any(|(name, value)| name == "Consent" && value.starts_with("e-mail yes")));
        assert!(
            !known.events.is_empty() && known.events.iter().all(|(when, name, _)| !when.is_empty() && !name.is_empty())
        );
        let people: Vec<_> = home.audience.responses.iter().map(|r| r.contact.clone()).collect();
        let one = super::known(&home, &people[0]).expect("is there");
        assert!(one.responses[0].contains("after it left"), "{:?}", one.responses);
        assert_eq!(super::known(&home, &"nobody".into()), None);
    }

    #[test]
    fn an_empty_audience_says_how_to_begin() {
        let mut home = Home::default();
        assert!(place(&home).contains("Save the flow into a folder"));
        home.folder = Some("shop".into());
        assert!(place(&home).contains("contacts.csv into shop"), "{}", place(&home));
        let mut full = Home::clone(&fixture::home());
        full.folder = Some("shop".into());
        assert!(place(&full).starts_with("Read from shop"));
    }
}
