//! Segments and score models, which flows of a workspace share: tables, forms, and edits of the workspace file.
//!
//! The one idea: an edit is a new text of `flowloom.ron` in which one value changed and all else stands as written.
//! Deliberately not here: writing the file, and undoing; the document's history holds the text.

use std::{collections::BTreeMap, fmt};

use ron::value::RawValue;
use serde::{Deserialize, Deserializer, de};
use smol_str::SmolStr;

use super::PageKind;
use crate::{
    app::{
        Document, Home,
        fields_use::{self, Thing},
        inspector::{Change, Input, Ready, Route, Row, Step, change, leaf::text_ron, raw, rows},
        stage, when,
    },
    audience::{Compiled, ConditionText, Facts, ScoreModel, print_number, score::CompiledScore},
    base::ContactId,
    flow::{
        Flow,
        file::{
            self,
            raw::{RawStruct, offset_in, set_field},
        },
    },
    kinds::{Editor, FieldSpec, ListSpec, ron_options, spec::field},
};

/// One of several places that use a segment or a score model.
#[derive(Clone, PartialEq, Debug)]
pub struct UsedBy {
    /// What people read.
    pub words: String,
    /// The step to go to, of this flow.
    pub node: Option<crate::base::NodeId>,
}

/// A segment, as the table shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct SegmentRow {
    /// Its name.
    pub name: SmolStr,
    /// Its condition as written.
    pub condition: String,
    /// What that means.
    pub sentence: String,
    /// How many of the sample contacts are in it at the newest instant of the audience.
    pub num_in: usize,
    /// Whether the chosen contact is.
    pub has_chosen: bool,
    /// Where it is used.
    pub uses: Vec<UsedBy>,
}

/// A score model, as the table shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct ScoreRow {
    /// Its name.
    pub name: SmolStr,
    /// Its signals: the event, and the points with what they fade by.
    pub signals: Vec<(String, String)>,
    /// What each signal gives the chosen contact now, and all together.
    pub parts: Vec<f64>,
    /// The score of the chosen contact.
    pub score: Option<f64>,
    /// The highest score of the audience.
    pub highest: Option<f64>,
    /// Where it is used: thresholds of triggers and conditions.
    pub uses: Vec<UsedBy>,
}

/// Facts of every contact at the newest instant.
fn histories(home: &Home) -> Vec<stage::History> {
    let mut at: BTreeMap<&ContactId, usize> = BTreeMap::new();
    let mut out: Vec<stage::History> = Vec::new();
    for contact in &home.audience.contacts {
        at.insert(&contact.id, out.len());
        out.push(stage::History::default());
    }
    for event in &home.audience.events {
        if let Some(at) = at.get(&event.contact) {
            let event = std::sync::Arc::new(event.clone());
            out[*at].log.record(event);
        }
    }
    out
}

/// The segments. Looks through the audience: ask when something changed, not each frame.
pub fn segments(flow: &Flow, home: &Home, chosen: Option<&ContactId>) -> Vec<SegmentRow> {
    let workspace = &home.workspace;
    let (scores, constants) = (workspace.scores_by_name(), flow.settings().constants);
    let book = workspace.book(&scores, &constants);
    let compiled: Vec<Compiled> = workspace.segments.values().map(|text| Compiled::of_text(text, &book)).collect();
    let mut counts = vec![(0_usize, false); compiled.len()];
    let now = stage::newest(home);
    for (contact, history) in home.audience.contacts.iter().zip(histories(home)) {
        let Some(now) = now else { break };
        let zone = when::zone(home, Some(contact));
        let facts = Facts { now, zone: &zone, contact, log: &history.log, entry: None, event: None };
        for (compiled, (count, has)) in compiled.iter().zip(&mut counts) {
            let is_in = compiled.eval(&facts).is_yes();
            *count += usize::from(is_in);
            *has |= is_in && chosen == Some(&contact.id);
        }
    }
    let rows = workspace.segments.iter().zip(counts);
    rows.map(|((name, text), (num_in, has_chosen))| SegmentRow {
        name: name.clone(),
        condition: text.text().to_owned(),
        sentence: crate::app::inspector::capital(&text.condition().sentence()),
        num_in,
        has_chosen,
        uses: uses(flow, home, Thing::Segment, name),
    })
    .collect()
}

/// The score models. Looks through the audience, as [`segments`].
pub fn scores(flow: &Flow, home: &Home, chosen: Option<&ContactId>) -> Vec<ScoreRow> {
    let workspace = &home.workspace;
    let (models, constants) = (workspace.scores_by_name(), flow.settings().constants);
    let book = workspace.book(&models, &constants);
    let histories = if workspace.scores.is_empty() { Vec::new() } else { histories(home) };
    let now = stage::newest(home);
    let row = |model: &ScoreModel| {
        let compiled = CompiledScore::new(model, &book);
        let (mut parts, mut score, mut highest) = (Vec::new(), None, None::<f64>);
        for (contact, history) in home.audience.contacts.iter().zip(&histories) {
            let Some(now) = now else { break };
            let zone = when::zone(home, Some(contact));
            let facts = Facts { now, zone: &zone, contact, log: &history.log, entry: None, event: None };
            let value = compiled.value(&facts);
            highest = Some(highest.map_or(value, |highest| highest.max(value)));
            if chosen == Some(&contact.id) {
                score = Some(value);
                parts = compiled.parts(&facts);
            }
        }
        let signals = model.signals.iter().map(|signal| {
            let fades = signal.half_life.map_or("never fades".to_owned(), |span| format!("half after {span}"));
            (signal.event.to_string(), format!("{} points, {fades}", print_number(signal.points)))
        });
        ScoreRow {
            name: model.name.clone(),
            signals: signals.collect(),
            parts,
            score,
            highest,
            uses: uses(flow, home, Thing::Score, &model.name),
        }
    };
    workspace.scores.iter().map(row).collect()
}

/// Points as people read them: one decimal at most.
pub fn points(points: f64) -> String {
    print_number((points * 10.0).round() / 10.0)
}

fn uses(flow: &Flow, home: &Home, thing: Thing, name: &str) -> Vec<UsedBy> {
    let mut out: Vec<UsedBy> = fields_use::uses(flow, thing, name)
        .iter()
        .map(|found| UsedBy {
            words: super::tags::use_in_words(found),
            node: match &found.spot {
                crate::app::search::Spot::Step { id, .. } => Some(id.clone()),
                _ => None,
            },
        })
        .collect();
    for other in home.other_flows.iter().filter(|other| other.id != flow.id) {
        let count = fields_use::uses(other, thing, name).len();
        if count > 0 {
            out.push(UsedBy { words: format!("Flow \u{201c}{}\u{201d}: {count} places", other.name), node: None });
        }
    }
    let in_text = |text: &ConditionText| {
        use crate::audience::condition::Reference;
        text.parsed().references.iter().any(|(reference, _)| match reference {
            Reference::Segment(used) => thing == Thing::Segment && used == name,
            Reference::Score(used) => thing == Thing::Score && used == name,
            _ => false,
        })
    };
    let workspace = &home.workspace;
    let mut own = |words: String| out.push(UsedBy { words, node: None });
    for (other, _) in workspace.segments.iter().filter(|(_, text)| in_text(text)) {
        own(format!("Segment \u{201c}{other}\u{201d}"));
    }
    for model in &workspace.scores {
        if model.signals.iter().any(|signal| signal.filter.as_ref().is_some_and(in_text)) {
            own(format!("Score model \u{201c}{}\u{201d}", model.name));
        }
    }
    let caps = workspace.caps.iter().filter(|cap| cap.segment.as_deref() == Some(name)).count();
    if thing == Thing::Segment && caps > 0 {
        own(format!("Caps of the workspace: {caps}"));
    }
    out
}

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
fn source(document: &Document) -> &str {
    if document.home.source.trim().is_empty() { "(version: 1)" } else { &document.home.source }
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

/// What a page calls one of its rows.
pub fn word(page: PageKind) -> &'static str {
    if page == PageKind::Segments { "segment" } else { "score model" }
}

fn names(document: &Document, page: PageKind) -> Vec<SmolStr> {
    let workspace = &document.home.workspace;
    match page {
        PageKind::Segments => workspace.segments.keys().cloned().collect(),
        _ => workspace.scores.iter().map(|model| model.name.clone()).collect(),
    }
}

fn place_of(document: &Document, name: &str) -> Result<usize, String> {
    let models = &document.home.workspace.scores;
    models.iter().position(|model| model.name == name).ok_or_else(|| "The score model is gone".to_owned())
}

/// The file with a new segment or score model, and its name.
///
/// Errors: the file cannot be read.
pub fn add(document: &Document, page: PageKind) -> Result<(SmolStr, String), String> {
    let stem = if page == PageKind::Segments { "New segment" } else { "new_score" };
    let taken = names(document, page);
    let mut name = SmolStr::new(stem);
    let mut n = 2;
    while taken.contains(&name) {
        name = SmolStr::new(format!("{stem}{}{n}", if page == PageKind::Segments { " " } else { "_" }));
        n += 1;
    }
    let source = source(document);
    let text = if page == PageKind::Segments {
        let mut rows = rows_of(source)?;
        rows.push((name.to_string(), text_ron("")));
        with_segments(source, &rows)?
    } else {
        let parsed = RawStruct::parse(source).map_err(|error| error.to_string())?;
        let mut rows: Vec<String> =
            raw::rows(parsed.get("scores").unwrap_or("[]"))?.into_iter().map(str::to_owned).collect();
        rows.push(format!("(name: {}, signals: [])", text_ron(&name)));
        set_field(source, "scores", Some(&raw::list(&rows)))?
    };
    Ok((name, text))
}

/// The file without a segment or score model; what used it then names one that is not there, which the checks find.
///
/// Errors: it is gone, or the file cannot be read.
pub fn remove(document: &Document, page: PageKind, name: &str) -> Result<String, String> {
    let source = source(document);
    if page == PageKind::Segments {
        let mut rows = rows_of(source)?;
        rows.retain(|(other, _)| other != name);
        return with_segments(source, &rows);
    }
    let route = Route::field("scores").then(Step::Row(place_of(document, name)?));
    raw::set(source, &route.0, None)
}

/// The file with another name of a segment or score model.
///
/// Errors: the name cannot be given, or something uses the old one (which may be a flow that is not open).
pub fn rename(document: &Document, page: PageKind, from: &str, to: &str) -> Result<String, String> {
    let to = to.trim();
    let source = source(document);
    if from == to {
        return Ok(source.to_owned());
    }
    if to.is_empty() || to.contains('"') {
        return Err("A name has letters, and no quotation marks".to_owned());
    }
    if names(document, page).iter().any(|name| name == to) {
        return Err(format!("There is a {} \u{201c}{to}\u{201d} already", word(page)));
    }
    let thing = if page == PageKind::Segments { Thing::Segment } else { Thing::Score };
    let users = uses(document.flow(), &document.home, thing, from);
    if let Some(first) = users.first() {
        return Err(format!("It is used and keeps its name while it is: {}", first.words));
    }
    if page == PageKind::Segments {
        let mut rows = rows_of(source)?;
        for (name, _) in rows.iter_mut().filter(|(name, _)| name == from) {
            to.clone_into(name);
        }
        return with_segments(source, &rows);
    }
    let route = Route::field("scores").then(Step::Row(place_of(document, from)?)).then(Step::Field("name".into()));
    raw::set(source, &route.0, Some(&text_ron(to)))
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
    let source = source(document);
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

const WORKSPACE: &[FieldSpec] = &[field("scores", "Score models", "What adds points.", Editor::List(&MODELS)).or("")];
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

/// The form of a score model: its signals.
pub fn score_form(document: &Document, name: &str) -> Option<Row> {
    let place = place_of(document, name).ok()?;
    let route = Route::field("scores").then(Step::Row(place)).then(Step::Field("signals".into()));
    let spec = change::spec_at(WORKSPACE, &route.0)?;
    Some(rows::row(spec, raw::get(source(document), &route.0), route))
}

/// A change of a score model.
///
/// Errors: a sentence for the field.
pub fn edit_score(document: &Document, name: &str, route: &Route, change: &Change) -> Result<Ready, String> {
    let spec = change::spec_at(WORKSPACE, &route.0).ok_or("This setting is not known")?;
    let text = change::changed(source(document), &spec, route, change)?;
    let merge = change.is_typing().then(|| format!("score {route}"));
    workspace_ready(format!("Change score model {name}: {}", spec.label.to_lowercase()), text, merge)
}

/// Where segments and score models are kept, in words.
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
        pages::Act,
    };
    use crate::audience::Value;

    fn app_text(app: &crate::app::App) -> String {
        document(app).home.source.clone()
    }

    #[test]
    fn a_segment_row_counts_its_people_and_uses() {
        let app = studio();
        let document = document(&app);
        let rows = segments(document.flow(), &document.home, document.view.contact.as_ref());
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
        run(&mut app, Act::AddTag);
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
        let refused = rename(document(&app), PageKind::Segments, "VIP", "Best");
        assert!(refused.is_err_and(|why| why.contains("Caps")));
    }

    #[test]
    fn a_score_model_is_built_and_counted() {
        let mut app = studio();
        run(&mut app, Act::Add(PageKind::Scores));
        let route = Route::field("scores").then(Step::Row(0)).then(Step::Field("signals".into()));
        let ready = edit_score(document(&app), "new_score", &route, &Change::Add(String::new()));
        run(&mut app, ready.expect("a signal").command());
        let of = |name: &str| route.then(Step::Row(0)).then(Step::Field(name.into()));
        for (name, text) in [("event", "Cart Updated"), ("half_life", "7 days"), ("filter", "event.item_count > 0")] {
            let ready = edit_score(document(&app), "new_score", &of(name), &Change::Text(text.into()));
            run(&mut app, ready.unwrap_or_else(|why| panic!("{name}: {why}")).command());
        }
        let document = document(&app);
        let rows = scores(document.flow(), &document.home, document.view.contact.as_ref());
        assert_eq!(rows[0].signals, [("Cart Updated".to_owned(), "10 points, half after 1 week".to_owned())]);
        assert!(rows[0].highest.is_some_and(|points| points > 0.0), "{rows:?}");
        assert_eq!(rows[0].score.map(points), rows[0].parts.first().copied().map(points));
        let bad = edit_score(document, "new_score", &of("points"), &Change::Text("many".into()));
        assert!(bad.is_err_and(|why| why.contains("not a number")));
        assert!(score_form(document, "new_score").is_some_and(|row| row.inner().len() == 1));
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
