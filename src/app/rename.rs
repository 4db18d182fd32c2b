//! Another name for what a flow or its workspace declares, in every place that uses it.
//!
//! The one idea: the places come from [`super::fields_use`], and only the letters of the name are exchanged; a place
//! that cannot be changed so, or a flow that cannot be reached, is a reason to rename nothing. Deliberately not here:
//! doing it ([`super::pages`] does), files.

use std::ops::Range;

use smol_str::SmolStr;

use super::{
    App, Document, DocumentId, Home,
    fields_use::{self, Found, Thing},
    inspector::{leaf::text_ron, raw},
    ops::{
        ron_text::{literals, spliced},
        templates::{self, TagText},
    },
};
use crate::{
    audience::ConditionText,
    content::RESERVED_LINKS,
    flow::{Edit, Flow, file::raw::RawStruct},
};

/// Longest name, in letters. Source: assumption, what still fits a row of a table.
const MOST_LETTERS: usize = 100;

/// What renaming does to one document.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// Which.
    pub document: DocumentId,
    /// Edits of its flow.
    pub edits: Vec<Edit>,
    /// The text of the workspace file after it, where that changes.
    pub workspace: Option<String>,
}

/// Why a name cannot be given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// A sentence for the field.
    pub why: String,
    /// Flows of the workspace that use the name and are not open, by id: opened, they would be changed as well.
    pub closed: Vec<SmolStr>,
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Self { why, closed: Vec::new() }
    }
}

/// What the undo list says.
pub fn label(thing: Thing, from: &str, to: &str) -> String {
    format!("Rename {} {from} to {to}", thing.word())
}

/// Whether a thing belongs to one flow, rather than to all of a workspace.
pub fn is_of_flow(thing: Thing) -> bool {
    matches!(thing, Thing::Field | Thing::Constant)
}

/// Open documents of the same workspace folder, without this one.
pub fn same_workspace<'a>(app: &'a App, document: &'a Document) -> impl Iterator<Item = &'a Document> {
    let folder = document.home.folder.as_ref();
    app.documents
        .iter()
        .filter(move |other| other.id != document.id && folder.is_some() && other.home.folder.as_ref() == folder)
}

/// The other flows of the workspace: those that are open as they are now, the others as on the disk.
pub fn other_flows<'a>(app: &'a App, document: &'a Document) -> Vec<&'a Flow> {
    let open: Vec<&Flow> = same_workspace(app, document).map(Document::flow).collect();
    let is_open = |flow: &&Flow| !open.iter().any(|other| other.id == flow.id);
    let closed = document.home.other_flows.iter().filter(|flow| flow.id != document.flow().id).filter(is_open);
    let closed: Vec<&Flow> = closed.collect();
    open.into_iter().chain(closed).collect()
}

/// Flows of the workspace that use a name and are not open.
pub fn closed_users<'a>(app: &App, document: &'a Document, thing: Thing, name: &str) -> Vec<&'a Flow> {
    // What lies around a sample is in the program, not among the user's files.
    if is_of_flow(thing) || document.home.folder.is_none() {
        return Vec::new();
    }
    let is_open = |flow: &Flow| same_workspace(app, document).any(|other| other.flow().id == flow.id);
    let others = document.home.other_flows.iter().filter(|flow| flow.id != document.flow().id && !is_open(flow));
    others.filter(|flow| !fields_use::uses(flow, thing, name).is_empty()).collect()
}

/// What renaming would do to the document and to the other open ones of its workspace; the document comes first.
///
/// Errors: the name cannot be given, a use cannot be changed, or a flow that uses it is not open. Nothing is to be done
/// then.
pub fn plan(app: &App, document: &Document, thing: Thing, from: &str, to: &str) -> Result<Vec<Change>, Refused> {
    let to = to.trim();
    if from == to {
        return Ok(Vec::new());
    }
    check_name(document, thing, to)?;
    let closed = closed_users(app, document, thing, from);
    if !closed.is_empty() {
        let names: Vec<String> = closed.iter().map(|flow| quoted(&flow.name, &flow.id)).collect();
        let (are, them) = if closed.len() == 1 { ("is", "it") } else { ("are", "them") };
        return Err(Refused {
            why: format!(
                "Used by {} too, which {are} not open: open {them}, so that the name changes there as well",
                names.join(", ")
            ),
            closed: closed.iter().map(|flow| SmolStr::new(flow.id.as_str())).collect(),
        });
    }
    let mut out = vec![of_document(document, thing, from, to)?];
    if !is_of_flow(thing) {
        for other in same_workspace(app, document) {
            let of = |why: String| format!("In {}: {why}", quoted(&other.flow().name, &other.flow().id));
            out.push(of_document(other, thing, from, to).map_err(of)?);
        }
    }
    Ok(out)
}

fn quoted(name: &str, id: impl std::fmt::Display) -> String {
    if name.is_empty() { format!("\u{201c}{id}\u{201d}") } else { format!("\u{201c}{name}\u{201d}") }
}

fn of_document(document: &Document, thing: Thing, from: &str, to: &str) -> Result<Change, String> {
    let edits = in_flow(document.flow(), thing, from, to)?;
    super::inspector::tried(document.flow(), &edits)?;
    let workspace = if is_of_flow(thing) {
        if let Some((literal, _)) = fields_use::in_workspace(&document.home.source, thing, from).first() {
            let place = literal.path.replacen("segments.", "segment ", 1);
            return Err(format!("The workspace reads it in each of its flows ({place}); its name stays"));
        }
        None
    } else {
        let text = in_workspace(super::pages::shared::source(&document.home), thing, from, to)?;
        crate::flow::file::read_workspace(&text).map_err(|found| found.message)?;
        Some(text).filter(|text| *text != super::pages::shared::source(&document.home))
    };
    Ok(Change { document: document.id, edits, workspace })
}

/// Names of a sort that are declared.
pub fn names(flow: &Flow, home: &Home, thing: Thing) -> Vec<SmolStr> {
    let workspace = &home.workspace;
    match thing {
        Thing::Field => flow.fields().map(|field| field.name.clone()).collect(),
        Thing::Constant => flow.settings().constants.keys().cloned().collect(),
        Thing::Segment => workspace.segments.keys().cloned().collect(),
        Thing::Score => workspace.scores.iter().map(|model| model.name.clone()).collect(),
        Thing::Sender => workspace.senders.iter().map(|sender| sender.id.clone()).collect(),
        Thing::List => workspace.lists.clone(),
        Thing::Event => workspace.events.iter().map(|event| event.name.clone()).collect(),
        Thing::Pool => workspace.code_pools.iter().map(|pool| pool.name.clone()).collect(),
    }
}

/// Whether a name can be given to something of a sort.
fn check_name(document: &Document, thing: Thing, to: &str) -> Result<(), String> {
    let is_word =
        to.starts_with(|c: char| c.is_ascii_alphabetic()) && to.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if thing == Thing::Constant && !is_word {
        return Err("Use letters, digits and _, a letter first".to_owned());
    }
    if to.is_empty() || to.chars().count() > MOST_LETTERS {
        return Err(format!("A name has 1 to {MOST_LETTERS} letters"));
    }
    if to.contains(['"', '\'', '\\']) || to.chars().any(char::is_control) {
        return Err("A name has no quotation marks, backslashes or line breaks".to_owned());
    }
    if names(document.flow(), &document.home, thing).iter().any(|name| name == to) {
        let quotes = if thing == Thing::Field { ("`", "`") } else { ("\u{201c}", "\u{201d}") };
        let article = if thing == Thing::Event { "an" } else { "a" };
        return Err(format!("There is {article} {} {}{to}{} already", thing.word(), quotes.0, quotes.1));
    }
    Ok(())
}

/// The parts of a RON text to exchange.
///
/// Errors: a place that writes the name in a way of its own.
fn exchanged(found: Found, what: &str, to: &str) -> Result<Vec<(Range<usize>, String)>, String> {
    let mut parts = Vec::new();
    for (literal, places) in found {
        for place in places {
            let place = place.ok_or_else(|| format!("{what} writes the name in its own way ({})", literal.path))?;
            parts.push((place, to.to_owned()));
        }
    }
    Ok(parts)
}

/// Whether every condition that has the letters of a name in it can be read: in one with a mistake, names are not
/// found.
fn are_read<'a>(conditions: impl Iterator<Item = &'a ConditionText>, name: &str, what: &str) -> Result<(), String> {
    let mut conditions = conditions;
    match conditions.any(|condition| condition.text().contains(name) && !condition.parsed().errors.is_empty()) {
        true => Err(format!("{what} has a condition with a mistake, which may use it; mend that first")),
        false => Ok(()),
    }
}

/// Edits that change a name in a flow: where it is declared there, and in every use.
///
/// Errors: a sentence that says what stands in the way.
pub fn in_flow(flow: &Flow, thing: Thing, from: &str, to: &str) -> Result<Vec<Edit>, String> {
    if thing == Thing::Field {
        return field(flow, from, to);
    }
    let mut edits = Vec::new();
    for node in &flow.nodes {
        let what = format!("Step {}", quoted(node.title(), &node.id));
        let raw = node.settings.raw();
        if node.settings().is_none() && raw.contains(from) {
            return Err(format!("{what} cannot be read and may use it; mend the step first"));
        }
        let conditions = node.settings().map(|settings| settings.conditions()).unwrap_or_default();
        are_read(conditions.into_iter().map(|(_, condition)| condition), from, &what)?;
        let parts = exchanged(fields_use::in_node(node, thing, from), &what, to)?;
        if !parts.is_empty() {
            edits.push(Edit::SetSettings { id: node.id.clone(), kind: None, ron: spliced(raw, parts) });
        }
    }
    for section in &flow.fields {
        let raw = section.raw();
        let Some(declared) = section.value() else {
            if raw.contains(from) {
                return Err("A merge tag cannot be read and may use it; mend it first".to_owned());
            }
            continue;
        };
        let what = format!("Merge tag {}", declared.name);
        let parts = exchanged(fields_use::in_field(raw, thing, from), &what, to)?;
        if !parts.is_empty() {
            edits.push(Edit::SetMergeFieldText { name: Some(declared.name.clone()), ron: spliced(raw, parts) });
        }
    }
    let raw = flow.settings.raw();
    if flow.settings.error().is_some() && raw.contains(from) {
        return Err("The flow settings cannot be read and may use it; mend them first".to_owned());
    }
    let settings = flow.settings();
    are_read(settings.conditions().into_iter().map(|(_, condition)| condition), from, "The flow settings")?;
    let mut parts = exchanged(fields_use::in_settings(flow, thing, from), "The flow settings", to)?;
    if thing == Thing::Constant {
        let keys = literals(raw).into_iter().filter(|l| l.is_key && l.path == "constants" && l.value == from);
        parts.extend(keys.map(|literal| (literal.part(0..literal.value.len()), to.to_owned())));
    }
    edits.extend(settings_edits(raw, parts)?);
    Ok(edits)
}

/// Edits of the flow's settings after parts of their text were exchanged, one for each setting that changed.
fn settings_edits(raw: &str, parts: Vec<(Range<usize>, String)>) -> Result<Vec<Edit>, String> {
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let new = spliced(raw, parts);
    let fault = |error| format!("The settings cannot be read: {error}");
    let (old, new) = (RawStruct::parse(raw).map_err(fault)?, RawStruct::parse(&new).map_err(fault)?);
    let changed = new.0.iter().filter(|(key, value)| old.get(key) != Some(*value));
    Ok(changed
        .map(|(key, value)| Edit::SetFlowField { field: key.clone(), value: Some((*value).to_owned()) })
        .collect())
}

/// The workspace file with another name: where it is declared, in every use, and in the table of known ids. What a
/// platform knows it by stays.
///
/// Errors: a sentence that says what stands in the way.
pub fn in_workspace(source: &str, thing: Thing, from: &str, to: &str) -> Result<String, String> {
    if let Ok((workspace, _)) = crate::flow::file::read_workspace(source) {
        are_read(workspace.segments.values(), from, "A segment")?;
        let filters = workspace.scores.iter().flat_map(|model| &model.signals).filter_map(|s| s.filter.as_ref());
        are_read(filters, from, "A score model")?;
    }
    let mut parts = exchanged(fields_use::in_workspace(source, thing, from), "The workspace", to)?;
    let (list, name) = match thing {
        Thing::Segment | Thing::Field | Thing::Constant => ("", ""),
        Thing::Score => ("scores.", ".name"),
        Thing::Sender => ("senders.", ".id"),
        Thing::List => ("lists.", ""),
        Thing::Event => ("events.", ".name"),
        Thing::Pool => ("code_pools.", ".name"),
    };
    let id_words: &[&str] = match thing {
        Thing::Event => &["metric", "event"],
        Thing::List => &["list"],
        Thing::Segment => &["segment"],
        Thing::Pool => &["coupon"],
        _ => &[],
    };
    for literal in literals(source) {
        let whole = literal.value == from;
        let is_row = |path: &str| {
            let row = path.strip_prefix(list).and_then(|rest| rest.strip_suffix(name));
            !list.is_empty() && row.is_some_and(|row| row.bytes().all(|b| b.is_ascii_digit()))
        };
        let is_declared = if literal.is_key {
            whole && thing == Thing::Segment && literal.path == "segments"
        } else {
            whole && is_row(&literal.path)
        };
        let length = literal.value.len();
        if is_declared {
            parts.push((literal.part(0..length), to.to_owned()));
        } else if literal.is_key && matches!(literal.path.as_str(), "klaviyo.ids" | "hubspot.ids") {
            let is_it = |word: &&str| {
                literal.value.strip_prefix(*word).is_some_and(|rest| rest[..].strip_prefix(':') == Some(from))
            };
            if id_words.iter().any(is_it) {
                parts.push((literal.part(length - from.len()..length), to.to_owned()));
            }
        }
    }
    let text = spliced(source, parts);
    keep_platform_name(text, thing, from, to)
}

/// What Klaviyo knows an event or a pool by is its name where nothing else is said: it is said then.
fn keep_platform_name(text: String, thing: Thing, from: &str, to: &str) -> Result<String, String> {
    let Ok((workspace, _)) = crate::flow::file::read_workspace(&text) else { return Ok(text) };
    let (list, place) = match thing {
        Thing::Event => ("events", workspace.events.iter().position(|e| e.name == to && e.klaviyo.is_none())),
        Thing::Pool => {
            ("code_pools", workspace.code_pools.iter().position(|pool| pool.name == to && pool.klaviyo.is_none()))
        }
        _ => return Ok(text),
    };
    let Some(place) = place else { return Ok(text) };
    let route = raw::Route::field(list).then(raw::Step::Row(place)).then(raw::Step::Field("klaviyo".into()));
    raw::set(&text, &route.0, Some(&text_ron(from)))
}

/// What stays as it is when something is renamed, in words; `None` where nothing does.
pub fn stays(home: &Home, thing: Thing, name: &str) -> Option<String> {
    let audience = &home.audience;
    let (count, what) = match thing {
        Thing::Event => (audience.events.iter().filter(|event| event.name == name).count(), "events"),
        Thing::List => {
            (audience.contacts.iter().filter(|c| c.lists.iter().any(|list| list == name)).count(), "contacts")
        }
        _ => return None,
    };
    let it = if thing == Thing::Event { "the new name never happens to them" } else { "nobody is on the new name" };
    (count > 0).then(|| {
        format!("{count} {what} of the sample audience keep this name, since its files are not changed here: {it}")
    })
}

/// Edits that rename a merge tag: its declaration and every use, and not a letter more.
///
/// Errors: a sentence that says why the name cannot be given.
fn field(flow: &Flow, old: &str, new: &str) -> Result<Vec<Edit>, String> {
    let declared = flow.fields.iter().find(|f| f.value().is_some_and(|f| f.name == old));
    let declared = declared.ok_or_else(|| format!("There is no merge tag `{old}`"))?;
    if old == new {
        return Ok(Vec::new());
    }
    let is_name = (1..=64).contains(&new.len())
        && new.starts_with(|c: char| c.is_ascii_alphabetic())
        && new.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err(format!("`{new}` cannot name a merge tag: use letters, digits and _, a letter first"));
    }
    if RESERVED_LINKS.contains(&new) || ["loop", "true", "false", "and", "or", "not", "in", "is"].contains(&new) {
        return Err(format!("`{new}` has a meaning of its own in every mail"));
    }
    if flow.field(new).is_some() {
        return Err(format!("There is a merge tag `{new}` already"));
    }
    let mut known = templates::field_names(flow);
    known.insert(old);
    // A loop's own name would catch the tag inside it.
    let is_caught = |text: &str| {
        let words: Vec<&str> =
            text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect();
        words.windows(3).any(|w| w[0] == "for" && w[1] == new && w[2] == "in")
    };
    let parts_of = |texts: Vec<TagText>, what: &str| -> Result<Vec<(Range<usize>, String)>, String> {
        let mut parts = Vec::new();
        for text in texts {
            let ranges: Vec<Range<usize>> =
                text.names(&known).into_iter().filter(|(name, _)| name == old).map(|(_, range)| range).collect();
            if !ranges.is_empty() && is_caught(&text.literal.value) {
                return Err(format!("A loop of {what} calls its item `{new}`; rename that first"));
            }
            parts.extend(ranges.into_iter().map(|range| (range, new.to_owned())));
        }
        Ok(parts)
    };

    let mut edits = Vec::new();
    let raw = declared.raw();
    let name = literals(raw).into_iter().find(|l| l.path == "name").ok_or("The declaration has no name in quotes")?;
    let ron = spliced(raw, vec![(name.part(0..name.value.len()), new.to_owned())]);
    edits.push(Edit::SetMergeFieldText { name: Some(SmolStr::new(old)), ron });
    for message in &flow.messages {
        let parts = parts_of(templates::of_message(message), &format!("message `{}`", message.id))?;
        if !parts.is_empty() {
            edits.push(Edit::SetMessageText { id: message.id.clone(), ron: spliced(message.section.raw(), parts) });
        }
    }
    for node in &flow.nodes {
        let parts = parts_of(templates::of_node(node), &format!("step `{}`", node.id))?;
        if !parts.is_empty() {
            let ron = spliced(node.settings.raw(), parts);
            edits.push(Edit::SetSettings { id: node.id.clone(), kind: None, ron });
        }
    }
    let parts = parts_of(templates::of_settings(flow), "the settings")?;
    if !parts.is_empty() {
        let raw = spliced(flow.settings.raw(), parts);
        let keys = RawStruct::parse(&raw).map_err(|error| format!("The settings cannot be read: {error}"))?;
        let value = keys.get("tracking").map(str::to_owned);
        edits.push(Edit::SetFlowField { field: "tracking".into(), value });
    }
    Ok(edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        flow::{History, edit::apply_all, file},
        testing::flow_gen,
    };

    fn watch() -> Flow {
        let source = include_str!("../../sample_flows/watch-shop/watch-shop.flow.ron");
        file::read(source).unwrap_or_else(|d| panic!("{}", d.message)).flow
    }

    /// A flow and a workspace that use every sort of name in every way.
    const USERS: &str = r#"(version: 2, id: "f", name: "F",
        settings: (sender: "old", constants: {"old": 1, "older": 2}, caps: [(limit: none, segment: "old")],
            exit_when: "in segment \"old\" or score 'old' > 3 or on list \"old\" or contact.old > constant.old",
            goal_when: "contact.x < constant[\"old\"] or did \"old\" where (event.old = \"old\")"),
        fields: [
            (name: "a", source: constant("old")),
            (name: "b", source: last_event(event: "old", path: "old")),
            (name: "c", source: computed(hours_since("old"))),
            (name: "d", source: computed(count(event: "old", days: 3))),
            (name: "e", source: code(pool: "old"), fallback: "old"),
        ],
        nodes: [
            (id: "t", kind: "trigger", title: "old", settings: (any: [
                list(list: "old"), segment(segment: "old"), score(model: "old", threshold: 3),
                inactivity(events: ["old", "other"], after: "1 day"),
                abandonment(start: "old", filter: "event.old > constant.old", unless: [(event: "old")], after: "6 h"),
            ])),
            (id: "l", kind: "list_update", settings: (add: ["old"], remove: ["older"])),
            (id: "c", kind: "condition", settings: (condition: r"in segment 'old' " /* old */)),
            (id: "d", kind: "delay", settings: (wait: date(property: "constant.old"))),
            (id: "m", kind: "email", settings: (message: "m", sender: "old")),
            (id: "w", kind: "wait_for_event", settings: (event: "old", timeout: "1 day")),
        ],
        messages: [(id: "m", subject: "old", body: html("old"))])"#;

    const WORKSPACE: &str = r#"(version: 1,
        // old stays in words
        segments: {"old": "contact.old > 1", "Other": "in segment \"old\" and did \"old\" or score \"old\" > 1 or on list \"old\""},
        scores: [(name: "old", signals: [(event: "old", points: 1, filter: "event.old = \"old\" or in segment \"old\"")])],
        events: [(name: "old"), (name: "older")], lists: ["old"], senders: [(id: "old", name: "old", email: "a@b.example")],
        code_pools: [(name: "old", shared: "old")], caps: [(limit: at_most(3), segment: "old")],
        klaviyo: (ids: {"metric:old": "old", "list:old": "x"}))"#;

    /// What a rename exchanges in flow and workspace, as `old: new` of the lines that differ.
    #[track_caller]
    fn check_renamed(thing: Thing, num_in_flow: usize, num_in_workspace: usize) {
        let flow = file::read(USERS).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        let count = |text: &str| text.matches("fresh").count();
        let edits = in_flow(&flow, thing, "old", "fresh").unwrap_or_else(|why| panic!("{thing:?}: {why}"));
        let mut history = History::new(flow.clone());
        history.apply("Rename", &edits, None).expect("applies");
        let text = file::write(history.flow());
        assert_eq!(count(&text), num_in_flow, "{thing:?} {text}");
        assert_eq!(text.replace("fresh", "old"), file::write(&flow), "{thing:?}");
        assert_eq!(fields_use::uses(history.flow(), thing, "old"), [], "{thing:?}");
        assert_eq!(fields_use::uses(history.flow(), thing, "fresh"), fields_use::uses(&flow, thing, "old"));
        history.undo();
        assert_eq!(*history.flow(), flow);
        if is_of_flow(thing) {
            return;
        }
        let text = in_workspace(WORKSPACE, thing, "old", "fresh").unwrap_or_else(|why| panic!("{thing:?}: {why}"));
        assert_eq!(count(&text), num_in_workspace, "{thing:?} {text}");
        let kept = text.replace(", klaviyo: \"old\"", "").replace("fresh", "old");
        assert_eq!(kept, WORKSPACE, "{thing:?}");
        file::read_workspace(&text).expect("still reads");
        assert!(fields_use::in_workspace(&text, thing, "old").is_empty(), "{thing:?} {text}");
    }

    #[test]
    fn each_sort_of_name_is_changed_in_every_use() {
        check_renamed(Thing::Segment, 4, 4);
        check_renamed(Thing::Score, 2, 2);
        check_renamed(Thing::List, 3, 3);
        check_renamed(Thing::Sender, 2, 1);
        check_renamed(Thing::Constant, 6, 0);
        check_renamed(Thing::Event, 8, 4);
        check_renamed(Thing::Pool, 1, 1);
    }

    #[test]
    fn what_a_platform_knows_stays() {
        let known = |thing| {
            let text = in_workspace(WORKSPACE, thing, "old", "fresh").expect("renames");
            file::read_workspace(&text).expect("reads").0
        };
        assert_eq!(known(Thing::Event).events[0].klaviyo.as_deref(), Some("old"));
        assert_eq!(known(Thing::Event).klaviyo.ids["metric:fresh"], "old");
        assert_eq!(known(Thing::Pool).code_pools[0].klaviyo.as_deref(), Some("old"));
        assert!(known(Thing::List).klaviyo.ids.contains_key("list:fresh"));
    }

    #[test]
    fn what_cannot_be_read_stops_a_rename() {
        let broken = USERS.replacen("(list: \"old\")", "(lisst: \"old\")", 1);
        let flow = file::read(&broken).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        let refused = in_flow(&flow, Thing::List, "old", "fresh");
        assert!(refused.as_ref().is_err_and(|why| why.contains("cannot be read")), "{refused:?}");
        let broken = USERS.replacen("in segment 'old' ", "in segment 'old' and ", 1);
        let flow = file::read(&broken).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        let refused = in_flow(&flow, Thing::Segment, "old", "fresh");
        assert!(refused.as_ref().is_err_and(|why| why.contains("mistake")), "{refused:?}");
        let refused = in_workspace(&WORKSPACE.replacen("and did", "and and did", 1), Thing::Event, "old", "fresh");
        assert!(refused.as_ref().is_err_and(|why| why.contains("mistake")), "{refused:?}");
    }

    const FLOW: &str = r#"(version: 2, id: "f", name: "F", settings: (tracking: {"u": "{old}" /* k */}),
        fields: [(name: "old", /* kept */ source: contact("old"), fallback: "old")],
        nodes: [
            (id: "w", kind: "webhook", settings: (url: "https://x/old/{old}", body: "{\"old\": \"{old}\"}")),
            (id: "c", kind: "condition", settings: (condition: "contact.old = \"old\"")),
        ],
        messages: [(id: "old", subject: "{old} old {{ old }} {{old|upper}} {older}", /* {old} */ body: blocks([
            text(text: "{% for old in items %}{old}{% endfor %}{{ x.old }}{{ old.old }}", show_if: "old and x = 'old'"),
            products(items: "old", title: "old"), countdown(to: "{old}"), html(html: r"<style>{old}</style>{old}"),
        ]))])"#;

    #[test]
    fn a_rename_changes_uses_and_nothing_else() {
        let flow = file::read(FLOW).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        let next = apply_all(&flow, &field(&flow, "old", "fresh").expect("renames")).expect("applies");
        assert_eq!(next.fields[0].raw(), r#"(name: "fresh", /* kept */ source: contact("old"), fallback: "old")"#);
        assert_eq!(next.settings.raw(), r#"(tracking: {"u": "{fresh}" /* k */})"#);
        assert_eq!(next.nodes[0].settings.raw(), r#"(url: "https://x/old/{fresh}", body: "{\"old\": \"{fresh}\"}")"#);
        assert_eq!(next.nodes[1], flow.nodes[1]);
        assert_eq!(
            next.messages[0].section.raw(),
            r#"(id: "old", subject: "{fresh} old {{ fresh }} {{fresh|upper}} {older}", /* {old} */ body: blocks([
            text(text: "{% for old in items %}{old}{% endfor %}{{ x.old }}{{ fresh.old }}", show_if: "fresh and x = 'old'"),
            products(items: "fresh", title: "old"), countdown(to: "{fresh}"), html(html: r"<style>{old}</style>{fresh}"),
        ]))"#
        );
    }

    #[track_caller]
    fn check_refused(new: &str, expected: &str) {
        let error = field(&watch(), "cart_value", new).expect_err(new);
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn names_that_cannot_be_given() {
        check_refused("first_name", "already");
        check_refused("view_url", "meaning of its own");
        check_refused("loop", "meaning of its own");
        check_refused("a b", "letters, digits");
        check_refused("1a", "letters, digits");
        check_refused("", "letters, digits");
        assert!(field(&watch(), "nothing", "x").is_err());
        assert_eq!(field(&watch(), "cart_value", "cart_value"), Ok(Vec::new()));
        let flow =
            file::read(&FLOW.replace("for old in", "for fresh in")).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        assert!(field(&flow, "old", "fresh").is_err_and(|e| e.contains("loop")));
    }

    /// There and back again is the same flow, letter by letter; the uses move from one name to the other.
    #[test]
    fn renames_of_made_up_flows() {
        let flows = (0..120).map(|seed| flow_gen::flow(seed, 12)).chain([watch()]);
        for (seed, flow) in flows.enumerate() {
            let names: Vec<SmolStr> = flow.fields().map(|f| f.name.clone()).filter(|n| !n.contains('-')).collect();
            for name in names {
                let mut history = History::new(flow.clone());
                let edits = field(&flow, &name, "zz_other").unwrap_or_else(|e| panic!("{seed}: {e}"));
                history.apply("Rename", &edits, None).unwrap_or_else(|e| panic!("{seed}: {e}"));
                let next = history.flow().clone();
                assert!(next.invariants().is_empty());
                assert_eq!(
                    fields_use::uses(&next, Thing::Field, "zz_other"),
                    fields_use::uses(&flow, Thing::Field, &name),
                    "{seed} {name}"
                );
                assert_eq!(fields_use::uses(&next, Thing::Field, &name), [], "{seed} {name}");
                let back = field(&next, "zz_other", &name).expect("back");
                assert_eq!(apply_all(&next, &back).expect("applies"), flow, "{seed} {name}");
                history.undo();
                assert_eq!(*history.flow(), flow);
            }
        }
    }
}
