//! Conditions as HubSpot writes them, read back: an OR of ANDs; events are branches below an AND.
//!
//! The inverse of `hubspot/filters.rs`, and more: what other people's workflows ask. What is not understood is an
//! [`Unread`] with its place, never a guess; the caller keeps the JSON. Source of every shape: references, HubSpot 6.

use serde_json::Value as Json;
use smol_str::SmolStr;

use super::{
    names::Names,
    operations::{operation, span_of},
    spot::{Spot, Unread, short},
};
use crate::{
    audience::{
        Channel, Condition, ConsentStatus, Value,
        condition::{CompareOp, EventQuery, EventWindow, Measure, Operand, Path, Root},
    },
    base::Span,
};

/// How deep filter branches may nest. Source: assumption; HubSpot's own are two or three deep.
const MOST_DEPTH: usize = 16;

/// A filter branch as a condition. `root` is what its properties are of: the contact, or the event under test.
pub(super) fn condition(branch: &Spot<'_>, names: &mut Names<'_>) -> Result<Condition, Unread> {
    read(branch, names, 0)
}

fn read(branch: &Spot<'_>, names: &mut Names<'_>, depth: usize) -> Result<Condition, Unread> {
    if depth > MOST_DEPTH {
        return Err(branch.unread("the filters are nested too deep"));
    }
    match branch.word("filterBranchType") {
        "OR" => Ok(group(false, parts(branch, names, depth, true)?)),
        "AND" => Ok(group(true, parts(branch, names, depth, false)?)),
        "NOT_ANY" => Ok(Condition::Not(Box::new(group(false, parts(branch, names, depth, false)?)))),
        "NOT_ALL" => Ok(Condition::Not(Box::new(group(true, parts(branch, names, depth, false)?)))),
        "UNIFIED_EVENTS" => events(branch, names),
        "" => Err(branch.get("filterBranchType").unread("the filter branch has no type")),
        other => Err(branch.unread(format!("filter branches of type `{}` are not understood", short(other)))),
    }
}

/// A group without needless layers.
pub(super) fn group(all: bool, mut parts: Vec<Condition>) -> Condition {
    match parts.len() {
        0 => Condition::Always(all),
        1 => parts.remove(0),
        _ if all => Condition::All(parts),
        _ => Condition::Any(parts),
    }
}

/// Filters, then branches. Below an OR two neighbours that only differ in how often an event happened are one count.
fn parts(branch: &Spot<'_>, names: &mut Names<'_>, depth: usize, is_or: bool) -> Result<Vec<Condition>, Unread> {
    let mut out = Vec::new();
    for filter in branch.list("filters")? {
        out.push(self::filter(&filter, names)?);
    }
    let branches = branch.list("filterBranches")?;
    let mut at = 0;
    while at < branches.len() {
        let merged = branches.get(at + 1).filter(|_| is_or).and_then(|next| at_most(&branches[at], next));
        match merged {
            Some(one) => {
                let one = Spot::new(&one, branches[at].at.clone());
                out.push(read(&one, names, depth + 1)?);
                at += 2;
            }
            None => {
                out.push(read(&branches[at], names, depth + 1)?);
                at += 1;
            }
        }
    }
    Ok(out)
}

/// "Never, or at least once and at most so often" is "at most so often": two terms of an OR as one, whose event branch
/// has a count without a lower end.
fn at_most(never: &Spot<'_>, some: &Spot<'_>) -> Option<Json> {
    let (a, b) = (never.json, some.json);
    if a["filterBranchType"] != "AND" || b["filterBranchType"] != "AND" || a["filters"] != b["filters"] {
        return None;
    }
    let (left, right) = (a["filterBranches"].as_array()?, b["filterBranches"].as_array()?);
    if left.len() != right.len() {
        return None;
    }
    let mut different = left.iter().zip(right).enumerate().filter(|(_, (l, r))| l != r);
    let (n, (l, r)) = different.next()?;
    if different.next().is_some() || l["operator"] != "HAS_NOT_COMPLETED" || r["operator"] != "HAS_COMPLETED" {
        return None;
    }
    let count = r.get("coalescingRefineBy")?;
    let most = count["maxOccurrences"].as_i64()?;
    let mut plain = r.clone();
    let map = plain.as_object_mut()?;
    map.remove("coalescingRefineBy");
    map.insert("operator".into(), l["operator"].clone());
    if count["minOccurrences"] != 1 || plain != *l {
        return None;
    }
    let mut out = b.clone();
    out["filterBranches"][n]["coalescingRefineBy"] =
        serde_json::json!({"type": "NUM_OCCURRENCES", "minOccurrences": 0, "maxOccurrences": most});
    Some(out)
}

/// One filter of the contact.
fn filter(filter: &Spot<'_>, names: &mut Names<'_>) -> Result<Condition, Unread> {
    let kind = filter.word("filterType");
    match kind {
        "PROPERTY" => property(filter, Root::Contact, names),
        "IN_LIST" => {
            if let Some(metadata) = filter.has("metadata") {
                return Err(metadata.unread("membership by import or workflow is not understood"));
            }
            let list = Condition::InList(names.list(&filter.id("listId")?));
            match filter.word("operator") {
                "IN_LIST" => Ok(list),
                "NOT_IN_LIST" => Ok(not(list)),
                other => Err(filter.unread(format!("`{}` is no operator of lists", short(other)))),
            }
        }
        "CONSTANT" => Ok(Condition::Always(filter.is_true("shouldAccept"))),
        "COMMUNICATION_SUBSCRIPTION" => subscription(filter),
        "FORM_SUBMISSION" | "FORM_SUBMISSION_ON_PAGE" => {
            let is = |name: &str, value: &str| compare(event_path(name), CompareOp::Eq, Value::text(value));
            let mut parts = Vec::new();
            if filter.has("formId").is_some() {
                parts.push(is("hs_form_id", &filter.id("formId")?));
            }
            if filter.has("pageId").is_some() {
                parts.push(is("hs_page_id", &filter.id("pageId")?));
            }
            let yes = match filter.word("operator") {
                "FILLED_OUT" => true,
                "NOT_FILLED_OUT" => false,
                other => return Err(filter.unread(format!("`{}` is no operator of forms", short(other)))),
            };
            old_event(filter, names.event("4-1639801"), parts, yes)
        }
        "PAGE_VIEW" => {
            let (op, yes) = match filter.word("operator") {
                "HAS_PAGEVIEW_EQ" => (CompareOp::Eq, true),
                "HAS_PAGEVIEW_CONTAINS" => (CompareOp::Contains, true),
                "NOT_HAS_PAGEVIEW_EQ" => (CompareOp::Eq, false),
                "NOT_HAS_PAGEVIEW_CONTAINS" => (CompareOp::Contains, false),
                other => return Err(filter.unread(format!("page views by `{}` are not understood", short(other)))),
            };
            let url = compare(event_path("hs_url"), op, Value::text(filter.text("pageUrl")?));
            old_event(filter, names.event("4-96000"), vec![url], yes)
        }
        other => Err(filter.unread(format!("filters of type `{}` are not understood", short(other)))),
    }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

pub(super) fn compare(left: Path, op: CompareOp, value: Value) -> Condition {
    Condition::Compare { left, op, right: Operand::Value(value) }
}

fn event_path(name: &str) -> Path {
    Path { root: Root::Event, steps: vec![SmolStr::new(name)] }
}

/// A filter of the time before unified events, with its refinements.
fn old_event(filter: &Spot<'_>, metric: SmolStr, parts: Vec<Condition>, yes: bool) -> Result<Condition, Unread> {
    let of = (!parts.is_empty()).then(|| Box::new(group(true, parts)));
    counted(filter, metric, of, yes)
}

fn subscription(filter: &Spot<'_>) -> Result<Condition, Unread> {
    let status = match filter.json["acceptedOptStates"].as_array().map(Vec::as_slice) {
        Some([state]) if state == "OPT_IN" => ConsentStatus::Subscribed,
        Some([state]) if state == "OPT_OUT" => ConsentStatus::Unsubscribed,
        _ => return Err(filter.get("acceptedOptStates").unread("these states of a subscription are not understood")),
    };
    let channel = match filter.word("channel") {
        "EMAIL" => Channel::Email,
        "SMS" => Channel::Sms,
        other => return Err(filter.get("channel").unread(format!("the channel `{}` is not understood", short(other)))),
    };
    let ids = filter.list("subscriptionIds")?;
    if filter.word("subscriptionType") != "PORTAL_WIDE" || !ids.is_empty() {
        return Err(filter.unread("consent to one subscription type alone is not understood"));
    }
    Ok(Condition::Consent { channel, status })
}

/// A property filter; `root` says whose property it is.
pub(super) fn property(filter: &Spot<'_>, root: Root, names: &mut Names<'_>) -> Result<Condition, Unread> {
    if filter.word("filterType") != "PROPERTY" {
        return Err(filter.unread("only properties of the event itself are understood here"));
    }
    let name = filter.text("property")?;
    let path = match root {
        Root::Contact => names.contact_path(name),
        _ => names.event_path(name),
    };
    let path = path.ok_or_else(|| filter.get("property").unread(format!("`{}` is no name here", short(name))))?;
    operation(&filter.get("operation"), name, path, names)
}

/// Filters on one event joined by AND; `None` without any.
pub(super) fn event_filter(branch: &Spot<'_>, names: &mut Names<'_>) -> Result<Option<Condition>, Unread> {
    if let Some(nested) = branch.list("filterBranches")?.first() {
        return Err(nested.unread("groups inside an event are not understood"));
    }
    let mut out = Vec::new();
    for filter in branch.list("filters")? {
        out.push(property(&filter, Root::Event, names)?);
    }
    Ok((!out.is_empty()).then(|| group(true, out)))
}

/// An event branch: "did", "never did", so often, since when.
fn events(branch: &Spot<'_>, names: &mut Names<'_>) -> Result<Condition, Unread> {
    let yes = completed(branch)?;
    let type_id = branch.id("eventTypeId")?;
    let filter = event_filter(branch, names)?;
    let metric = names.event(&type_id);
    counted(branch, metric, filter.map(Box::new), yes)
}

pub(super) fn completed(branch: &Spot<'_>) -> Result<bool, Unread> {
    match branch.word("operator") {
        "HAS_COMPLETED" => Ok(true),
        "HAS_NOT_COMPLETED" => Ok(false),
        other => Err(branch.get("operator").unread(format!("`{}` is no operator of events", short(other)))),
    }
}

fn counted(branch: &Spot<'_>, metric: SmolStr, filter: Option<Box<Condition>>, yes: bool) -> Result<Condition, Unread> {
    let window = window(branch)?;
    let ask = |op, value: i64| {
        Condition::Events(EventQuery {
            metric: metric.clone(),
            filter: filter.clone(),
            measure: Measure::Count,
            window,
            op,
            value: value as f64,
        })
    };
    let Some(count) = branch.has("coalescingRefineBy") else {
        return Ok(if yes { ask(CompareOp::Ge, 1) } else { ask(CompareOp::Eq, 0) });
    };
    if count.word("type") != "NUM_OCCURRENCES" {
        return Err(count.unread("this way of counting is not understood"));
    }
    let end = |key: &str| count.has(key).map(|_| count.whole(key)).transpose();
    let (least, most) = (end("minOccurrences")?, end("maxOccurrences")?);
    let asked = match (least, most) {
        (None, None) => ask(CompareOp::Ge, 1),
        (Some(least), None) => ask(CompareOp::Ge, least),
        (Some(least), Some(most)) if least == most => ask(CompareOp::Eq, most),
        (Some(0), Some(most)) => ask(CompareOp::Le, most),
        (least, Some(most)) => Condition::All(vec![ask(CompareOp::Ge, least.unwrap_or(1)), ask(CompareOp::Le, most)]),
    };
    Ok(if yes { asked } else { not(asked) })
}

fn window(branch: &Spot<'_>) -> Result<EventWindow, Unread> {
    let Some(pruning) = branch.has("pruningRefineBy") else { return Ok(EventWindow::Ever) };
    match pruning.word("type") {
        "ALL_HISTORY" => Ok(EventWindow::Ever),
        "RELATIVE_COMPARATIVE" if pruning.word("comparison") == "AFTER" => {
            let offset = pruning.get("timeOffset");
            if offset.word("offsetDirection") != "PAST" {
                return Err(offset.unread("a window that lies ahead is not understood"));
            }
            let span = offset_span(&offset)?;
            if span.about_millis() <= 0 {
                return Err(offset.unread("the window is empty"));
            }
            Ok(EventWindow::Last(span))
        }
        _ => Err(pruning.unread("this window is not understood; only \u{201c}in the last\u{201d} is")),
    }
}

fn offset_span(offset: &Spot<'_>) -> Result<Span, Unread> {
    span_of(offset.whole("amount")?, offset.word("timeUnit"))
        .ok_or_else(|| offset.unread("this length of time is not understood"))
}
