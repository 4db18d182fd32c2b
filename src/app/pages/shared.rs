//! What flows of a workspace share (segments, score models, events, lists, senders, code pools, its settings): forms,
//! and edits of the workspace file.
//!
//! The one idea: an edit is a new text of `flowloom.ron` in which one value changed and all else stands as written.
//! Deliberately not here: rows of the tables ([`super::rows`]), names ([`crate::app::rename`]), writing the file, and
//! undoing; the document's history holds the text.

use std::{collections::BTreeMap, fmt};

use ron::value::RawValue;
use serde::{Deserialize, Deserializer, de};
use smol_str::SmolStr;

use super::PageKind;
use crate::{
    app::{
        Document, Home,
        inspector::{Change, Input, Ready, Route, Row, Step, change, leaf::text_ron, note, raw, rows},
        rename,
    },
    audience::ValueType,
    flow::file::{
        self,
        raw::{RawStruct, offset_in, set_field},
    },
    kinds::{Editor, FieldSpec, ListSpec, logic::cap, ron_options, spec::field},
};

/// Keys and values of a RON map in order, values as written.
#[derive(Debug, Default)]
struct RawMap<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for RawMap<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = RawMap<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names with values in braces")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<RawMap<'de>, A::Error> {
                let mut out = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    out.push(pair);
                }
                Ok(RawMap(out))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// The text of the workspace file; of a flow without one, the least that is one.
pub fn source(home: &Home) -> &str {
    if home.source.trim().is_empty() { "(version: 1)" } else { &home.source }
}

fn segment_map(source: &str) -> Result<RawMap<'_>, String> {
    let parsed = RawStruct::parse(source).map_err(|error| error.to_string())?;
    let text = parsed.get("segments").unwrap_or("{}");
    ron_options().from_str(raw::bare(text)).map_err(|error| error.to_string())
}

fn with_segments(source: &str, rows: &[(String, String)]) -> Result<String, String> {
    let rows: String = rows.iter().map(|(name, raw)| format!("\n        {}: {raw},", text_ron(name))).collect();
    set_field(source, "segments", Some(&format!("{{{rows}\n    }}")))
}

fn rows_of(source: &str) -> Result<Vec<(String, String)>, String> {
    let rows = segment_map(source)?.0;
    Ok(rows.into_iter().map(|(name, raw)| (name, raw.get_ron().trim().to_owned())).collect())
}

/// Where a page keeps its rows: the setting of the workspace, the name within a row (none where the row is the name),
/// and a new row.
struct Kept {
    list: &'static str,
    name: &'static str,
    /// What the new one is called, before a number makes it unique.
    stem: &'static str,
    row: fn(&str) -> String,
}

fn kept(page: PageKind) -> Option<Kept> {
    Some(match page {
        PageKind::Scores => Kept {
            list: "scores",
            name: "name",
            stem: "new_score",
            row: |name| format!("(name: {}, signals: [])", text_ron(name)),
        },
        PageKind::Events => {
            Kept { list: "events", name: "name", stem: "New event", row: |name| format!("(name: {})", text_ron(name)) }
        }
        PageKind::Lists => Kept { list: "lists", name: "", stem: "New list", row: text_ron },
        PageKind::Senders => Kept {
            list: "senders",
            name: "id",
            stem: "new-sender",
            row: |name| format!("(id: {}, name: \"\", email: \"\")", text_ron(name)),
        },
        PageKind::Pools => Kept {
            list: "code_pools",
            name: "name",
            stem: "new-pool",
            row: |name| format!("(name: {}, shared: \"\")", text_ron(name)),
        },
        _ => return None,
    })
}

fn names(document: &Document, page: PageKind) -> Vec<SmolStr> {
    page.thing().map(|thing| rename::names(document.flow(), &document.home, thing)).unwrap_or_default()
}

/// The way to a row.
fn route_of(document: &Document, page: PageKind, name: &str) -> Result<Route, String> {
    let kept = kept(page).ok_or("This page has no rows")?;
    let place = names(document, page).iter().position(|other| other == name);
    let place = place.ok_or_else(|| format!("The {} is gone", page.word()))?;
    Ok(Route::field(kept.list).then(Step::Row(place)))
}

/// The name with a number behind it that makes it one of its own.
pub(super) fn free_name(stem: &str, taken: &[SmolStr]) -> SmolStr {
    let between = if stem.contains('_') {
        "_"
    } else if stem.contains('-') {
        "-"
    } else {
        " "
    };
    let mut name = SmolStr::new(stem);
    let mut n = 2;
    while taken.contains(&name) {
        name = SmolStr::new(format!("{stem}{between}{n}"));
        n += 1;
    }
    name
}

/// The file with a new row of a page, and its name.
///
/// Errors: the file cannot be read.
pub fn add(document: &Document, page: PageKind) -> Result<(SmolStr, String), String> {
    let source = source(&document.home);
    let taken = names(document, page);
    let Some(kept) = kept(page) else {
        let name = free_name("New segment", &taken);
        let mut rows = rows_of(source)?;
        rows.push((name.to_string(), text_ron("")));
        let text = with_segments(source, &rows)?;
        return Ok((name, text));
    };
    let name = free_name(kept.stem, &taken);
    let parsed = RawStruct::parse(source).map_err(|error| error.to_string())?;
    let mut rows: Vec<String> =
        raw::rows(parsed.get(kept.list).unwrap_or("[]"))?.into_iter().map(str::to_owned).collect();
    rows.push((kept.row)(&name));
    let text = set_field(source, kept.list, Some(&raw::list(&rows)))?;
    Ok((name, text))
}

/// The file without a row of a page; what used it then names one that is not there, which the checks find.
///
/// Errors: it is gone, or the file cannot be read.
pub fn remove(document: &Document, page: PageKind, name: &str) -> Result<String, String> {
    let source = source(&document.home);
    if page == PageKind::Segments {
        let mut rows = rows_of(source)?;
        rows.retain(|(other, _)| other != name);
        return with_segments(source, &rows);
    }
    raw::set(source, &route_of(document, page, name)?.0, None)
}

const CONDITION: FieldSpec = field(
    "condition",
    "Who is in it",
    "Holds for the contacts of the segment; it is asked whenever it matters, so people come and go.",
    Editor::Condition,
);

/// The form of a segment: its condition.
pub fn segment_form(document: &Document, name: &str) -> Option<Row> {
    let text = document.home.workspace.segments.get(name)?.text();
    let row = rows::row(CONDITION, Some(&text_ron(text)), Route::field("condition"));
    matches!(row.input, Input::Text { .. }).then_some(row)
}

/// The change of a segment's condition.
///
/// Errors: a sentence for the field.
pub fn edit_segment(document: &Document, name: &str, change: &Change) -> Result<Ready, String> {
    let source = source(&document.home);
    let Change::Text(text) = change else { return Err("A segment has a condition only".to_owned()) };
    let map = segment_map(source)?;
    let (_, old) = map.0.iter().find(|(other, _)| other == name).ok_or("The segment is gone")?;
    let old = old.get_ron().trim();
    let start = offset_in(source, old);
    let new = format!("{}{}{}", &source[..start], text_ron(text), &source[start + old.len()..]);
    workspace_ready(format!("Change segment {name}"), new, Some(format!("segment {name}")))
}

fn workspace_ready(label: String, text: String, merge: Option<String>) -> Result<Ready, String> {
    file::read_workspace(&text).map_err(|found| found.message)?;
    Ok(Ready { label, edits: Vec::new(), merge, workspace: Some(text) })
}

/// Settings of the workspace, for all its flows.
const WORKSPACE: &[FieldSpec] = &[
    field("name", "Name", "What people call the workspace.", Editor::Text).or(""),
    field("zone", "Zone", "Of contacts that have none, and of the business, such as Europe/Berlin.", Editor::Text)
        .or(""),
    field("quiet_hours", "Quiet hours", "When nothing leaves, in the contact's zone.", Editor::Window).or(""),
    field(
        "caps",
        "Caps",
        "The most messages in a window; the first row whose segment fits counts. Default 3 e-mails in 48 h.",
        Editor::List(&CAPS),
    )
    .or("[(limit: at_most(3), within: \"48 h\")]"),
    field("scores", "Score models", "What adds points.", Editor::List(&MODELS)).or(""),
    field("events", "Events", "The catalogue.", Editor::List(&EVENTS)).or(""),
    field("senders", "Senders", "Who mails are from.", Editor::List(&SENDERS)).or(""),
    field("code_pools", "Code pools", "Codes to give away.", Editor::List(&POOLS)).or(""),
    field("brand", "Brand", "Look and legal data of mails.", Editor::Group(BRAND)).or(""),
    field("klaviyo", "Klaviyo", "What exports to Klaviyo are made for.", Editor::Group(KLAVIYO)).or(""),
    field("hubspot", "HubSpot", "What exports to HubSpot are made for.", Editor::Group(HUBSPOT)).or(""),
];

const KLAVIYO: &[FieldSpec] =
    &[field("revision", "API revision", "The date of its API, such as 2026-07-15.", Editor::Text).or("2026-07-15")];
const HUBSPOT: &[FieldSpec] =
    &[field("base_path", "Workflow path", "Where its API has workflows.", Editor::Text).or("/automation/v4/flows")];

/// Settings of the workspace that have no page of their own.
const PLAIN: [&str; 7] = ["name", "zone", "quiet_hours", "caps", "brand", "klaviyo", "hubspot"];

const CAPS: ListSpec = ListSpec {
    one: "cap",
    item: field("cap", "Cap", "The most messages in a window.", Editor::Group(cap::SPEC.fields)),
    new: "(limit: at_most(3), within: \"48 h\")",
    ordered: true,
    percent: None,
};
const BRAND: &[FieldSpec] = &[
    field("name", "Business", "Its name, as mails show it.", Editor::Text).or(""),
    field("website", "Website", "Where the logo leads.", Editor::Text).or(""),
    field("address", "Postal address", "Every marketing mail must show one.", Editor::LongText).or(""),
    field("logo", "Logo", "Address of its picture.", Editor::Text).or(""),
    field(
        "logo_dark",
        "Logo in the dark",
        "Address of a picture for devices in dark mode; the logo itself where empty.",
        Editor::Text,
    )
    .or(""),
    field("images", "Pictures", "What addresses of pictures begin with.", Editor::Text).or(""),
    field("primary", "Main colour", "Of buttons and links, such as #12355b.", Editor::Text).or(""),
    field("currency", "Currency", "Of amounts that say none, such as EUR.", Editor::Text).or(""),
];
const MODELS: ListSpec = ListSpec {
    one: "score model",
    item: field("score", "Score model", "Points for behaviour.", Editor::Group(MODEL)),
    new: "(name: \"new_score\", signals: [])",
    ordered: false,
    percent: None,
};
const MODEL: &[FieldSpec] = &[field("signals", "Signals", "What adds points.", Editor::List(&SIGNALS))];
const SIGNALS: ListSpec = ListSpec {
    one: "signal",
    item: field("signal", "Signal", "One behaviour that adds points.", Editor::Group(SIGNAL)),
    new: "(event: \"\", points: 10)",
    ordered: true,
    percent: None,
};
const SIGNAL: &[FieldSpec] = &[
    field("event", "Event", "The metric.", Editor::Event),
    field("points", "Points", "For each such event; below 0 takes points away.", Editor::Number).range(-1e6, 1e6),
    field(
        "half_life",
        "Half-life",
        "After so long an event is worth half; without it points never fade.",
        Editor::Span,
    )
    .or(""),
    field("filter", "Only events", "Which events of it count; event.… is the event.", Editor::Condition).or(""),
    field("at_most", "At most", "The most points this signal gives.", Editor::Number).or(""),
];

const EVENTS: ListSpec = ListSpec {
    one: "event",
    item: field("event", "Event", "A metric.", Editor::Group(EVENT)),
    new: "(name: \"New event\")",
    ordered: false,
    percent: None,
};
const EVENT: &[FieldSpec] = &[
    field(
        "moment",
        "Micro-moment",
        "What it says about the contact; cart, checkout and exit fade within hours.",
        Editor::Choice(&["cart", "checkout", "content", "product", "exit", "purchase", "visit", "other"]),
    )
    .or("other"),
    field(
        "properties",
        "Properties",
        "Their names and types: text, number, money, bool, date, instant, list, object.",
        Editor::Map { key: "Property", typed: false },
    )
    .or(""),
    field("klaviyo", "On Klaviyo", "The metric\u{2019}s name there; the same where empty.", Editor::Text).or(""),
    field("hubspot", "On HubSpot", "The event\u{2019}s name (pe\u{2026}) or type id (4-\u{2026}) there.", Editor::Text)
        .or(""),
];
const SENDERS: ListSpec = ListSpec {
    one: "sender",
    item: field("sender", "Sender", "Who mails are from.", Editor::Group(SENDER)),
    new: "(id: \"new-sender\", name: \"\", email: \"\")",
    ordered: false,
    percent: None,
};
const SENDER: &[FieldSpec] = &[
    field("name", "Shown as", "The name in the inbox.", Editor::Text),
    field("email", "Address", "What mails are sent from.", Editor::Text),
    field("reply_to", "Answers go to", "The address itself where empty.", Editor::Text).or(""),
];
const POOLS: ListSpec = ListSpec {
    one: "code pool",
    item: field("pool", "Code pool", "Codes to give away.", Editor::Group(POOL)),
    new: "(name: \"new-pool\", shared: \"\")",
    ordered: false,
    percent: None,
};
const POOL: &[FieldSpec] = &[
    field("shared", "One code for everybody", "Instead of codes that are each given once.", Editor::Text).or(""),
    field("codes", "Codes", "Each is given once, in order.", Editor::List(&CODES)).or(""),
    field("klaviyo", "Coupon on Klaviyo", "Its name there; the same where empty.", Editor::Text).or(""),
];
const CODES: ListSpec = ListSpec {
    one: "code",
    item: field("code", "Code", "What the contact types.", Editor::Text),
    new: "\"\"",
    ordered: true,
    percent: None,
};

/// The form of a row without its name. Of segments and constants there are others; of a list there is nothing to set.
pub fn form(document: &Document, page: PageKind, name: &str) -> Vec<Row> {
    let Ok(route) = route_of(document, page, name) else { return Vec::new() };
    let Some(spec) = change::spec_at(WORKSPACE, &route.0) else { return Vec::new() };
    let Editor::Group(specs) = spec.editor else { return Vec::new() };
    let raw = raw::get(source(&document.home), &route.0).unwrap_or("()");
    let mut rows = rows::rows(specs, raw, &route);
    rows.retain(|row| row.spec.name != kept(page).map_or("", |kept| kept.name) || row.spec.label != "Name");
    rows.iter_mut().for_each(|row| shown_types(row, raw));
    rows
}

/// Types of properties are names in the file, without quotes.
fn shown_types(row: &mut Row, raw: &str) {
    if row.spec.name != "properties" {
        return;
    }
    let text = raw::get(raw, &Route::field("properties").0);
    let types: Result<BTreeMap<String, ValueType>, _> =
        text.map_or_else(|| Ok(BTreeMap::new()), |text| ron_options().from_str(raw::bare(text)));
    if let Ok(types) = types {
        let pairs = types.into_iter().map(|(name, kind)| (name, type_name(kind))).collect();
        row.input = Input::Map { key: "Property", pairs, typed: false };
    }
}

/// How files write a type: `text`.
pub(super) fn type_name(kind: ValueType) -> String {
    format!("{kind:?}").to_lowercase()
}

/// The settings of the workspace that have no page of their own.
pub fn plain_form(document: &Document) -> Vec<Row> {
    let mut rows = rows::rows(WORKSPACE, source(&document.home), &Route::default());
    rows.retain(|row| PLAIN.contains(&row.spec.name));
    for finding in document.derived.findings.iter().flat_map(|stamped| stamped.value.iter()) {
        let place = &finding.diagnostic.place;
        if place.node.is_none()
            && place.message.is_none()
            && let Some(field) = place.field.as_deref()
            && PLAIN.contains(&field.split('.').next().unwrap_or_default())
        {
            rows::annotate(&mut rows, field, &note(&finding.diagnostic));
        }
    }
    rows
}

/// A change at a place of the workspace file.
///
/// Errors: a sentence for the field.
pub fn edit(document: &Document, about: &str, route: &Route, change: &Change) -> Result<Ready, String> {
    let spec = change::spec_at(WORKSPACE, &route.0).ok_or("This setting is not known")?;
    let text = source(&document.home);
    let text = match change {
        Change::Pairs(pairs) if spec.name == "properties" => {
            raw::set(text, &route.0, Some(&types_ron(pairs)?).filter(|_| !pairs.is_empty()).map(String::as_str))?
        }
        _ => change::changed(text, &spec, route, change)?,
    };
    let merge = change.is_typing().then(|| format!("workspace {route}"));
    workspace_ready(format!("Change {about}: {}", spec.label.to_lowercase()), text, merge)
}

/// Names and types as the file writes them.
fn types_ron(pairs: &[(String, String)]) -> Result<String, String> {
    let mut out = Vec::new();
    for (name, kind) in pairs {
        let kind = kind.trim().to_lowercase();
        // One that was only begun.
        let kind = if kind.is_empty() { "text" } else { &kind };
        if ron_options().from_str::<ValueType>(kind).is_err() {
            return Err(format!("`{kind}` is no type: text, number, money, bool, date, instant, list or object"));
        }
        if name.trim().is_empty() {
            return Err("A property has a name".to_owned());
        }
        let row = format!("{}: {kind}", text_ron(name));
        if out.iter().any(|other: &String| other.split(": ").next() == row.split(": ").next()) {
            return Err(format!("There is a property `{name}` already"));
        }
        out.push(row);
    }
    Ok(format!("{{{}}}", out.join(", ")))
}

/// Where what flows share is kept, in words.
pub fn place(home: &Home) -> String {
    match &home.folder {
        Some(folder) => format!(
            "Kept in {}, for all flows of the folder; saved together with the flow",
            folder.join("flowloom.ron").display()
        ),
        None => "Kept in flowloom.ron beside the flow, written when it is saved into a folder without one".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{
        CommandId,
        fixture::{document, run, studio},
        pages::{
            Act,
            rows::{points, scores, segments},
        },
    };
    use crate::audience::Value;

    fn app_text(app: &crate::app::App) -> String {
        document(app).home.source.clone()
    }

    #[test]
    fn a_segment_row_counts_its_people_and_uses() {
        let app = studio();
        let document = document(&app);
        let rows = segments(document.flow(), &document.home, &[], document.view.contact.as_ref());
        let vip = rows.iter().find(|row| row.name == "VIP").expect("VIP");
        let by_hand = document.home.audience.contacts.iter().filter(|contact| {
            contact.properties.get("lifetime_value").and_then(Value::as_number).is_some_and(|value| value > 500.0)
        });
        assert_eq!(vip.num_in, by_hand.count());
        assert!(vip.sentence.contains("500") && vip.uses.iter().any(|used| used.words.contains("Caps")), "{vip:?}");
    }

    #[test]
    fn a_segment_is_edited_in_its_place_and_undone_in_order() {
        let mut app = studio();
        let before = app_text(&app);
        let ready = edit_segment(document(&app), "VIP", &Change::Text("contact.lifetime_value > 900".into()));
        run(&mut app, ready.expect("a condition").command());
        assert_eq!(app_text(&app), before.replace("lifetime_value > 500", "lifetime_value > 900"));
        assert_eq!(document(&app).home.workspace.segments["VIP"].text(), "contact.lifetime_value > 900");
        run(&mut app, Act::Add(PageKind::Tags));
        run(&mut app, Act::Add(PageKind::Segments));
        run(&mut app, Act::Rename { page: PageKind::Segments, from: "New segment".into(), to: "Quiet ones".into() });
        assert!(document(&app).home.workspace.segments.contains_key("Quiet ones"));
        assert_eq!(document(&app).view.page_rows[&PageKind::Segments], "Quiet ones");
        run(&mut app, Act::Remove(PageKind::Segments, "Quiet ones".into()));
        assert!(!document(&app).home.workspace.segments.contains_key("Quiet ones"));
        assert!(!document(&app).history.is_clean());
        for _ in 0..4 {
            run(&mut app, CommandId::Undo);
        }
        assert!(document(&app).flow().field("new_tag").is_none(), "in order with edits of the flow");
        assert!(app_text(&app).contains("> 900"));
        run(&mut app, CommandId::Undo);
        assert_eq!(app_text(&app), before);
        assert!(document(&app).history.is_clean());
    }

    #[test]
    fn a_score_model_is_built_and_counted() {
        let mut app = studio();
        run(&mut app, Act::Add(PageKind::Scores));
        let route = Route::field("scores").then(Step::Row(0)).then(Step::Field("signals".into()));
        let ready = edit(document(&app), "score model new_score", &route, &Change::Add(String::new()));
        run(&mut app, ready.expect("a signal").command());
        let of = |name: &str| route.then(Step::Row(0)).then(Step::Field(name.into()));
        for (name, text) in [("event", "Cart Updated"), ("half_life", "7 days"), ("filter", "event.item_count > 0")] {
            let ready = edit(document(&app), "score model new_score", &of(name), &Change::Text(text.into()));
            run(&mut app, ready.unwrap_or_else(|why| panic!("{name}: {why}")).command());
        }
        let document = document(&app);
        let rows = scores(document.flow(), &document.home, &[], document.view.contact.as_ref());
        assert_eq!(rows[0].signals, [("Cart Updated".to_owned(), "10 points, half after 1 week".to_owned())]);
        assert!(rows[0].highest.is_some_and(|points| points > 0.0), "{rows:?}");
        let said = |n: f64| points(&document.home, n);
        assert_eq!(rows[0].score.map(said), rows[0].parts.first().copied().map(said));
        let bad = edit(document, "score model new_score", &of("points"), &Change::Text("many".into()));
        assert!(bad.is_err_and(|why| why.contains("not a number")));
        assert_eq!(form(document, PageKind::Scores, "new_score")[0].inner().len(), 1);
    }

    /// Saving writes the flow and, only where it was edited, the workspace file.
    #[test]
    fn the_workspace_file_is_saved_together_with_the_flow() {
        use crate::app::{Request, files::Task};
        let mut app = studio();
        let mut home = Home::clone(&document(&app).home);
        home.folder = Some("shop".into());
        let told = crate::app::files::Told::Home { document: document(&app).id, home: std::sync::Arc::new(home) };
        run(&mut app, crate::app::Command::Answer(crate::app::Answer::Files(told)));
        let saved = |requests: Vec<Request>| {
            requests.into_iter().find_map(|request| match request {
                Request::Files(Task::Save { workspace, .. }) => Some(workspace),
                _ => None,
            })
        };
        assert_eq!(saved(run(&mut app, CommandId::Save)), Some(None));
        let before = app_text(&app);
        run(&mut app, Act::Add(PageKind::Segments));
        let file = saved(run(&mut app, CommandId::Save)).flatten().expect("the workspace file");
        assert_eq!((file.path.display().to_string(), file.before), ("shop/flowloom.ron".to_owned(), before));
        assert!(file.text.contains("New segment"));
        let (id, revision) = (document(&app).id, document(&app).history.revision());
        let path = "shop/watch-shop.flow.ron".into();
        run(&mut app, crate::app::Command::Answer(crate::app::Answer::Saved { document: id, path, revision }));
        assert!(document(&app).history.is_clean());
    }
}
