//! Merge tags as a table: what each stands for, for whom it has which value, what it is called elsewhere, who uses it.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::{
    app::{
        Document, Home, fields_use,
        inspector::{Change, Input, Ready, Route, Row, capital, change, note, raw, rows, tried},
        stage,
    },
    audience::{Value, ValueType},
    base::{ContactId, Place},
    content::{Computed, Dialect, Field, FieldSource, FieldValues, Format, Part, Scope, transpile},
    flow::{Edit, Flow, Workspace, file::raw::set_field},
    kinds::{
        Case, Editor, FieldSpec, ListSpec,
        spec::{bare, case, field, one},
    },
    platforms,
};

/// A row of the table.
#[derive(Clone, PartialEq, Debug)]
pub struct TagRow {
    /// What templates write.
    pub name: SmolStr,
    /// What people read in lists; empty where it has no title of its own.
    pub title: String,
    /// The word for its type.
    pub kind: &'static str,
    /// Where the value comes from, in words.
    pub source: String,
    /// What stands in for a missing value; `None` where a mail without one is held.
    pub fallback: Option<String>,
    /// What it prints for the chosen contact; empty where the value is missing.
    pub value: String,
    /// What the exporter writes for Klaviyo.
    pub klaviyo: String,
    /// What the exporter writes for HubSpot.
    pub hubspot: String,
    /// Where it is used.
    pub uses: Vec<fields_use::Use>,
}

impl TagRow {
    /// In how many places it is used.
    pub fn num_uses(&self) -> usize {
        self.uses.iter().map(|found| found.count).sum()
    }

    /// Whether what is typed finds it.
    pub fn is_found(&self, typed: &str) -> bool {
        super::is_found(typed, &[&self.name, &self.title, self.kind, &self.source, &self.klaviyo, &self.hubspot])
    }
}

/// The table. Looks through the whole flow and audience: ask when either changed, not each frame.
pub fn table(flow: &Flow, home: &Home, contact: Option<&ContactId>) -> Vec<TagRow> {
    let values = contact.and_then(|id| stage::values(flow, home, id));
    let mut uses = fields_use::uses_of_tags(flow);
    let constants = flow.settings().constants;
    flow.fields()
        .map(|field| TagRow {
            name: field.name.clone(),
            title: field.title.clone().unwrap_or_default(),
            kind: field.kind.title(),
            source: source_in_words(&field.source),
            fallback: field.fallback.clone(),
            value: values
                .as_ref()
                .and_then(|values: &FieldValues| values.get(&field.name))
                .map(|value| value.shown.clone())
                .unwrap_or_default(),
            klaviyo: elsewhere(&as_exported(field, &home.workspace), Dialect::Klaviyo, &constants),
            hubspot: elsewhere(field, Dialect::Hubspot, &constants),
            uses: uses.remove(&field.name).unwrap_or_default(),
        })
        .collect()
}

/// What a tag comes to for the contacts of the audience.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Samples {
    /// A few values, as mails print them, each once.
    pub values: Vec<String>,
    /// For how many contacts there is none.
    pub num_missing: usize,
    /// How many were looked at.
    pub num_contacts: usize,
}

/// Contacts that are looked at for samples. Source: assumption, enough to see what is usual, at once.
const MOST_SAMPLED: usize = 60;
/// Values that are shown.
const MOST_VALUES: usize = 5;

/// Values of a tag in the audience: ask when something changed, not each frame.
pub fn samples(flow: &Flow, home: &Home, name: &str) -> Samples {
    let mut out = Samples::default();
    for contact in home.audience.contacts.iter().take(MOST_SAMPLED) {
        let Some(values) = stage::values(flow, home, &contact.id) else { continue };
        out.num_contacts += 1;
        match values.get(name).map(|value| value.shown.clone()) {
            None => out.num_missing += 1,
            Some(shown) if out.values.len() < MOST_VALUES && !shown.is_empty() && !out.values.contains(&shown) => {
                out.values.push(shown);
            }
            Some(_) => {}
        }
    }
    out
}

/// Where a value comes from, as people say it.
pub fn source_in_words(source: &FieldSource) -> String {
    match source {
        FieldSource::Contact(path) => format!("Contact: {path}"),
        FieldSource::Trigger(path) => format!("Entry event: {path}"),
        FieldSource::LastEvent { event, path } => format!("Last {event}: {path}"),
        FieldSource::Constant(name) => format!("Constant {name}"),
        FieldSource::Code { pool } => format!("Code from {pool}"),
        FieldSource::Computed(computed) => match computed {
            Computed::HoursSince(event) => format!("Hours since {event}"),
            Computed::DaysSince(event) => format!("Days since {event}"),
            Computed::DaysUntil(property) => format!("Days until {property}"),
            Computed::UntilMidnight => "Time left until midnight".to_owned(),
            Computed::Stock(path) => format!("Pieces left: {path}"),
            Computed::Count { event, days: 1 } => format!("{event}, times in the last day"),
            Computed::Count { event, days } => format!("{event}, times in {days} days"),
            Computed::Today => "Today".to_owned(),
            Computed::WorkingDaysAhead(1) => "One working day ahead".to_owned(),
            Computed::WorkingDaysAhead(days) => format!("{days} working days ahead"),
            Computed::ContactDate(property) => format!("Date of the contact: {property}"),
        },
    }
}

/// The field as the exporter takes it: pools by their names on Klaviyo.
fn as_exported(field: &Field, workspace: &Workspace) -> Field {
    let mut field = field.clone();
    if let FieldSource::Code { pool } = &mut field.source {
        *pool = SmolStr::new(platforms::coupon(workspace, pool));
    }
    field
}

/// What the exporter writes for a tag, without what stands in for it and without its format.
pub fn elsewhere(field: &Field, dialect: Dialect, constants: &BTreeMap<SmolStr, Value>) -> String {
    // A constant is written with its value as mails print it; all else by its name.
    let plain = match field.source {
        FieldSource::Constant(_) => field.clone(),
        _ => Field { fallback: None, format: Some(Format::Text), kind: ValueType::Text, ..field.clone() },
    };
    let scope = Scope { fields: std::slice::from_ref(&plain), constants };
    let source = format!("{{{{ {} }}}}", field.name);
    let text = transpile(&source, Part::Plain, dialect, &scope, &Place::default()).map(|made| made.text);
    let text = text.unwrap_or_default();
    let inner = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    match inner {
        Some(inner) if !inner.contains("}}") => inner.trim().trim_end_matches("|default:''").to_owned(),
        _ => text.trim().to_owned(),
    }
}

const TYPES: [ValueType; 8] = [
    ValueType::Text,
    ValueType::Number,
    ValueType::Money,
    ValueType::Bool,
    ValueType::Date,
    ValueType::Instant,
    ValueType::List,
    ValueType::Object,
];

/// What can be set of a merge tag besides its name.
pub const FIELDS: &[FieldSpec] = &[
    field("title", "Title", "What people read in lists; the name where left out.", Editor::Text).or(""),
    field(
        "kind",
        "Type",
        "What sort of value it is; a value that cannot be read as this counts as missing.",
        Editor::Choice(&["text", "number", "money", "bool", "date", "instant", "list", "object"]),
    )
    .or("text"),
    field("format", "Shown as", "How a bare tag prints it; by its type where left out.", Editor::OneOf(FORMATS)).or(""),
    field("source", "Source", "Where the value comes from.", Editor::OneOf(SOURCES)),
    field(
        "fallback",
        "Fallback",
        "Printed where the value is missing; without one, a mail that shows the tag is held.",
        Editor::Text,
    ),
    field("samples", "Samples", "Values to show while writing, the most useful first.", Editor::List(&SAMPLES)).or(""),
    field(
        "klaviyo",
        "On Klaviyo",
        "The expression Klaviyo knows it by, such as event.CartValue; derived from the source where empty.",
        Editor::Text,
    )
    .or(""),
    field(
        "hubspot",
        "On HubSpot",
        "The contact property it is kept in, such as cart_value; derived where empty.",
        Editor::Text,
    )
    .or(""),
];

const FORMATS: &[Case] = &[
    bare("text", "As it is"),
    bare("plain", "Number as short as it is"),
    one("number", "Number with decimals", &DECIMALS, "(2)"),
    bare("money", "Amount with its currency"),
    one("date", "Date by a pattern", &PATTERN, "(\"%-d %B %Y\")"),
];
const DECIMALS: FieldSpec = field("decimals", "Decimals", "0 to 6.", Editor::Number).range(0.0, 6.0);
const PATTERN: FieldSpec =
    field("pattern", "Pattern", "Of %d %-d %m %B %b %Y %y %A %a %H %M, in the contact's zone.", Editor::Text);

const SOURCES: &[Case] = &[
    one("contact", "Property of the contact", &PROPERTY, "(\"first_name\")"),
    one("trigger", "Property of the entry event", &EVENT_PROPERTY, "(\"value\")"),
    case("last_event", "Property of their last event", LAST_EVENT, "(event: \"\", path: \"\")"),
    one("computed", "Worked out", &COMPUTED, "(today)"),
    one("constant", "Constant of the flow", &CONSTANT, "(\"\")"),
    case("code", "Code from a pool", CODE, "(pool: \"\")"),
];
const PROPERTY: FieldSpec =
    field("property", "Property", "A property of the contact, by a dotted path.", Editor::Name("property"));
const EVENT_PROPERTY: FieldSpec = field(
    "event_property",
    "Event property",
    "A property of the event that let the contact in, by a dotted path.",
    Editor::Name("event property"),
);
const EVENT: FieldSpec = field("event", "Event", "The metric.", Editor::Event);
const LAST_EVENT: &[FieldSpec] =
    &[EVENT, field("path", "Event property", "A property of it, by a dotted path.", Editor::Name("event property"))];
const CONSTANT: FieldSpec = field("constant", "Constant", "One of the flow's constants.", Editor::Name("constant"));
const CODE: &[FieldSpec] =
    &[field("pool", "Pool", "A pool of codes of the workspace; one is claimed for each mail.", Editor::Name("pool"))];
const COMPUTED: FieldSpec = field("computed", "What is worked out", "When the mail is made.", Editor::OneOf(COMPUTEDS));
const COMPUTEDS: &[Case] = &[
    bare("today", "The date today"),
    bare("until_midnight", "Time left until midnight"),
    one("working_days_ahead", "Working days ahead", &DAYS_AHEAD, "(3)"),
    one("hours_since", "Hours since an event", &EVENT, "(\"\")"),
    one("days_since", "Days since an event", &EVENT, "(\"\")"),
    one("days_until", "Days until a date of the contact", &PROPERTY, "(\"\")"),
    one("contact_date", "Date of the contact", &PROPERTY, "(\"\")"),
    one("stock", "Pieces left", &EVENT_PROPERTY, "(\"stock\")"),
    case("count", "How often an event happened", COUNT, "(event: \"\", days: 7)"),
];
const DAYS_AHEAD: FieldSpec =
    field("days", "Days", "Monday to Friday, 0 to 60.", Editor::Number).range(0.0, 60.0).unit("working days");
const COUNT: &[FieldSpec] =
    &[EVENT, field("days", "In the last", "1 to 400 days.", Editor::Number).range(1.0, 400.0).unit("days")];
const SAMPLES: ListSpec = ListSpec {
    one: "sample",
    item: field("sample", "Sample", "A value to show while writing.", Editor::Text),
    new: "\"\"",
    ordered: true,
    percent: None,
};

/// The form of a merge tag: its rows without the name, with what the checks found.
pub fn form(document: &Document, name: &str) -> Option<Vec<Row>> {
    let declared = section(document.flow(), name)?;
    let mut rows = rows::rows(FIELDS, declared, &Route::default());
    // A tag without a fallback has none, which is not an empty one.
    rows.retain(|row| row.spec.name != "fallback" || raw::get(declared, &row.route.0).is_some_and(|raw| raw != "None"));
    for row in &mut rows {
        if let (Input::Choice { options, .. }, "kind") = (&mut row.input, row.spec.name) {
            *options = options
                .iter()
                .map(|(name, label)| {
                    let same = TYPES.iter().find(|kind| format!("{kind:?}").eq_ignore_ascii_case(name));
                    (name.clone(), same.map_or(label.clone(), |kind| capital(kind.title())))
                })
                .collect();
        }
    }
    for finding in document.derived.findings.iter().flat_map(|stamped| stamped.value.iter()) {
        let place = &finding.diagnostic.place;
        let rest = place.field.as_deref().and_then(|field| field.strip_prefix("fields.")?.strip_prefix(name));
        match rest.map(|rest| rest.strip_prefix('.').unwrap_or(rest)) {
            // A longer name begins with this one.
            Some(inner) if rest.is_some_and(|rest| rest.starts_with('.')) => {
                rows::annotate(&mut rows, inner, &note(&finding.diagnostic));
            }
            Some("") => _ = rows::annotate(&mut rows, "source", &note(&finding.diagnostic)),
            _ => {}
        }
    }
    Some(rows)
}

/// The declaration of a tag, as written.
fn section<'a>(flow: &'a Flow, name: &str) -> Option<&'a str> {
    flow.fields.iter().find(|field| field.value().is_some_and(|f| f.name == name)).map(|field| field.raw())
}

fn ready(flow: &Flow, label: String, name: &str, ron: String, merge: Option<String>) -> Result<Ready, String> {
    let edits = vec![Edit::SetMergeFieldText { name: Some(SmolStr::new(name)), ron }];
    tried(flow, &edits)?;
    Ok(Ready { label, edits, merge, workspace: None })
}

/// The edit of a change to a row of the form.
///
/// Errors: a sentence for the field.
pub fn edit(flow: &Flow, name: &str, route: &Route, change: &Change) -> Result<Ready, String> {
    let declared = section(flow, name).ok_or("The merge tag is gone")?;
    let spec = change::spec_at(FIELDS, &route.0).ok_or("This setting is not known")?;
    let ron = change::changed(declared, &spec, route, change)?;
    let merge = change.is_typing().then(|| format!("tag {name} {route}"));
    ready(flow, format!("Change {name}: {}", spec.label.to_lowercase()), name, ron, merge)
}

/// The edit of a fallback that is typed where its tag stands; joins what is typed in one go. An emptied one is there
/// still, and prints nothing.
///
/// Errors: a sentence for the field.
pub fn type_fallback(flow: &Flow, name: &str, text: &str) -> Result<Ready, String> {
    let declared = section(flow, name).ok_or("The merge tag is gone")?;
    let written = crate::content::ron_options().to_string(text).map_err(|error| error.to_string())?;
    let ron = set_field(declared, "fallback", Some(&written))?;
    ready(flow, format!("Change {name}: fallback"), name, ron, Some(format!("tag {name} fallback")))
}

/// The edit that gives a tag a fallback, empty to begin with, or takes it away.
///
/// Errors: a sentence for the field.
pub fn set_fallback(flow: &Flow, name: &str, is_there: bool) -> Result<Ready, String> {
    let declared = section(flow, name).ok_or("The merge tag is gone")?;
    let ron = set_field(declared, "fallback", is_there.then_some("\"\""))?;
    ready(flow, format!("Change {name}: fallback"), name, ron, None)
}

/// A new tag with a name that is free, and the edit that declares it.
///
/// Errors: the flow does not take it.
pub fn add(flow: &Flow) -> Result<(SmolStr, Ready), String> {
    let free = |name: &SmolStr| flow.field(name).is_none();
    let names = std::iter::once(SmolStr::new("new_tag")).chain((2..).map(|n| SmolStr::new(format!("new_tag_{n}"))));
    let name = names.into_iter().find(free).ok_or("There are too many merge tags")?;
    let ron = format!("(name: \"{name}\", source: contact(\"first_name\"), fallback: \"\")");
    let edits = vec![Edit::SetMergeFieldText { name: None, ron }];
    tried(flow, &edits)?;
    Ok((name, Ready { label: "Add merge tag".to_owned(), edits, merge: None, workspace: None }))
}

/// The edit that takes a tag out; its uses stay, and the checks find them.
///
/// Errors: there is none of that name.
pub fn remove(flow: &Flow, name: &str) -> Result<Ready, String> {
    let edits = vec![Edit::RemoveMergeField(SmolStr::new(name))];
    tried(flow, &edits)?;
    Ok(Ready { label: format!("Remove merge tag {name}"), edits, merge: None, workspace: None })
}

/// Where a use is, as people call it: "Step Wait 4 h: url", "Message Reminder: subject".
pub fn use_in_words(found: &fields_use::Use) -> String {
    use crate::app::search::Spot;
    let (what, part) = match &found.spot {
        Spot::Step { part, .. } => ("Step", part.as_str()),
        Spot::Message { part, .. } => ("Message", part.as_str()),
        Spot::Field(_) => ("Merge tag", ""),
        Spot::Settings(part) => ("Settings", part.as_str()),
    };
    let times = if found.count > 1 { format!(", {} times", found.count) } else { String::new() };
    match (what, part) {
        ("Settings", part) => format!("Settings of the flow: {part}{times}"),
        (what, "") => format!("{what} \u{201c}{}\u{201d}{times}", found.title),
        (what, part) => format!("{what} \u{201c}{}\u{201d}: {}{times}", found.title, part_in_words(part)),
    }
}

/// `body.3.text` as "part 4, text"; `variants.1.subject` as "version 2, subject".
fn part_in_words(part: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut list = "";
    for step in part.split('.') {
        match step.parse::<usize>() {
            Ok(at) => {
                let word = match list {
                    "body" => "part",
                    "variants" => "version",
                    other => {
                        out.pop();
                        other
                    }
                };
                out.push(format!("{word} {}", at + 1));
            }
            Err(_) if matches!(step, "body" | "variants") => list = step,
            Err(_) => {
                list = step;
                out.push(rows::title(step).to_lowercase());
            }
        }
    }
    out.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{
        CommandId,
        fixture::{document, run, studio},
        pages::{Act, PageKind},
    };

    fn rows_of() -> Vec<TagRow> {
        let app = studio();
        let document = document(&app);
        table(document.flow(), &document.home, document.view.contact.as_ref())
    }

    fn tag(name: &str) -> TagRow {
        rows_of().into_iter().find(|row| row.name == name).expect(name)
    }

    #[test]
    fn a_row_says_what_a_tag_is() {
        let name = tag("first_name");
        assert_eq!((name.source.as_str(), name.value.as_str(), name.kind), ("Contact: first_name", "Ada", "text"));
        assert_eq!((name.klaviyo.as_str(), name.hubspot.as_str()), ("first_name", "contact.firstname"));
        assert!(name.num_uses() >= 2, "{:?}", name.uses);
        let cart = tag("cart_value");
        assert_eq!((cart.klaviyo.as_str(), cart.hubspot.as_str()), ("event.cart_value", "contact.cart_value"));
        assert_eq!(cart.fallback.as_deref(), Some("as you left it"));
        assert_eq!(tag("delivery_date").source, "3 working days ahead");
        assert!(tag("discount_code").klaviyo.contains("Watch15"), "{}", tag("discount_code").klaviyo);
        assert_eq!(tag("threshold").fallback, None);
        assert!(rows_of().iter().all(|row| !row.klaviyo.is_empty() && !row.hubspot.is_empty()));
    }

    #[test]
    fn a_table_counts_the_same_uses_as_a_search_for_one() {
        let app = studio();
        let flow = document(&app).flow();
        for row in table(flow, &document(&app).home, None) {
            assert_eq!(row.uses, fields_use::uses(flow, fields_use::Thing::Field, &row.name), "{}", row.name);
        }
    }

    #[test]
    fn rows_are_found_by_several_words() {
        assert!(tag("cart_value").is_found("entry MONEY"));
        assert!(tag("cart_value").is_found(""));
        assert!(!tag("cart_value").is_found("entry list"));
    }

    #[test]
    fn every_source_and_format_of_the_form_can_be_chosen() {
        let app = studio();
        let flow = document(&app).flow();
        let source = Route::field("source");
        for case in SOURCES {
            let ready = edit(flow, "cart_value", &source, &Change::Pick(case.name.to_owned()));
            assert!(ready.is_ok(), "{}: {ready:?}", case.name);
        }
        let computed = edit(flow, "cart_value", &source, &Change::Pick("computed".into())).expect("computed");
        let flow = crate::flow::edit::apply_all(flow, &computed.edits).expect("applies");
        let inner = source.then(crate::app::inspector::Step::Case("computed".into()));
        for case in COMPUTEDS {
            let ready = edit(&flow, "cart_value", &inner, &Change::Pick(case.name.to_owned()));
            assert!(ready.is_ok(), "{}: {ready:?}", case.name);
        }
        for case in FORMATS {
            let ready = edit(&flow, "cart_value", &Route::field("format"), &Change::Pick(case.name.to_owned()));
            assert!(ready.is_ok(), "{}: {ready:?}", case.name);
        }
        let ready = edit(&flow, "delivery_date", &Route::field("format"), &Change::Pick(String::new()));
        assert!(ready.is_ok_and(|ready| !format!("{:?}", ready.edits).contains("format")));
        for kind in TYPES {
            let name = format!("{kind:?}").to_lowercase();
            assert!(edit(&flow, "first_name", &Route::field("kind"), &Change::Pick(name)).is_ok(), "{kind:?}");
        }
    }

    #[test]
    fn a_tag_is_added_changed_renamed_and_removed_by_steps_that_can_be_undone() {
        let mut app = studio();
        let before = document(&app).flow().clone();
        let rename = |from: &str, to: &str| Act::Rename { page: PageKind::Tags, from: from.into(), to: to.into() };
        run(&mut app, CommandId::PageTags);
        assert_eq!(document(&app).view.page, Some(PageKind::Tags));
        run(&mut app, Act::Add(PageKind::Tags));
        assert_eq!(document(&app).view.page_rows[&PageKind::Tags], "new_tag");
        let ready = edit(document(&app).flow(), "new_tag", &Route::field("title"), &Change::Text("City".into()));
        run(&mut app, ready.expect("a title").command());
        run(&mut app, rename("new_tag", "city"));
        assert_eq!(document(&app).flow().field("city").map(|f| f.title().to_owned()).as_deref(), Some("City"));
        assert_eq!(document(&app).view.page_rows[&PageKind::Tags], "city");
        run(&mut app, rename("city", "first_name"));
        assert!(app.toasts[0].text.contains("already"), "{:?}", app.toasts);
        run(&mut app, Act::Remove(PageKind::Tags, "city".into()));
        assert_eq!(document(&app).view.page_rows[&PageKind::Tags], "shipping_code");
        for _ in 0..4 {
            run(&mut app, CommandId::Undo);
        }
        assert_eq!(*document(&app).flow(), before);
        run(&mut app, CommandId::SelectNone);
        assert_eq!(document(&app).view.page, None, "Escape");
    }

    #[test]
    fn an_empty_fallback_is_one() {
        let app = studio();
        let flow = document(&app).flow();
        let ready = set_fallback(flow, "threshold", true).expect("begins");
        let flow = crate::flow::edit::apply_all(flow, &ready.edits).expect("applies");
        assert_eq!(flow.field("threshold").and_then(|f| f.fallback.as_deref()), Some(""));
        let ready = edit(&flow, "threshold", &Route::field("fallback"), &Change::Text("none".into())).expect("typed");
        let flow = crate::flow::edit::apply_all(&flow, &ready.edits).expect("applies");
        assert_eq!(flow.field("threshold").and_then(|f| f.fallback.as_deref()), Some("none"));
        let ready = edit(&flow, "threshold", &Route::field("fallback"), &Change::Text(String::new())).expect("emptied");
        let flow = crate::flow::edit::apply_all(&flow, &ready.edits).expect("applies");
        assert_eq!(flow.field("threshold").and_then(|f| f.fallback.as_deref()), Some(""));
        let ready = set_fallback(&flow, "threshold", false).expect("goes");
        let flow = crate::flow::edit::apply_all(&flow, &ready.edits).expect("applies");
        assert_eq!(flow.field("threshold").and_then(|f| f.fallback.as_deref()), None);
    }

    #[test]
    fn a_fallback_is_typed_where_there_was_none() {
        let app = studio();
        let flow = document(&app).flow();
        for text in ["a \"friend\"", "x", ""] {
            let ready = type_fallback(flow, "threshold", text).expect("types");
            assert!(ready.merge.is_some());
            let flow = crate::flow::edit::apply_all(flow, &ready.edits).expect("applies");
            assert_eq!(flow.field("threshold").and_then(|f| f.fallback.as_deref()), Some(text));
        }
        assert!(type_fallback(flow, "gone", "x").is_err());
    }

    #[test]
    fn uses_in_words() {
        let uses = tag("stock_left").uses;
        assert_eq!(use_in_words(&uses[0]), "Message \u{201c}15 % until tonight\u{201d}: part 1, field");
        assert_eq!(use_in_words(&uses[1]), "Message \u{201c}15 % until tonight\u{201d}: part 1, levels 1, text");
    }
}
