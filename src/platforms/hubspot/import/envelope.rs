//! What was given: one workflow, several, or something that only looks like one.
//!
//! Accepted are bodies for create and put, answers of read and batch read, lists of them, and the `flow.json` of our
//! own export; what is well known and no workflow gets a sentence of its own. Source: references, HubSpot 1, 2 and 16.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::spot::Spot;
use crate::base::{Diagnostic, Place};

/// Most workflows in one file. Source: assumption; accounts have at most 1,000.
const MOST_FLOWS: usize = 2_000;

/// Most actions of one workflow. Source: assumption; twenty times the largest seen.
const MOST_ACTIONS: usize = 10_000;

/// The workflows in a document, each with its place.
pub(super) fn flows(document: &Json) -> Result<Vec<Spot<'_>>, Vec<Diagnostic>> {
    let root = Spot::new(document, "");
    let list: Vec<Spot<'_>> = match document {
        Json::Array(_) => root.items().collect(),
        Json::Object(map) if map.get("results").is_some_and(Json::is_array) => root.get("results").items().collect(),
        Json::Object(_) => vec![root.clone()],
        _ => return Err(vec![wrong(&root, "this is no workflow", GIVE)]),
    };
    if list.is_empty() {
        let failed = root.get("errors").items().next();
        let message = match &failed {
            Some(error) => format!("HubSpot gave no workflow: {}", super::spot::short(error.word("message"))),
            None => "there is no workflow in it".to_owned(),
        };
        return Err(vec![wrong(&failed.unwrap_or(root), &message, GIVE)]);
    }
    if list.len() > MOST_FLOWS {
        return Err(vec![wrong(&root, &format!("more than {MOST_FLOWS} workflows at once"), "Give fewer in one file")]);
    }
    Ok(list)
}

const GIVE: &str = "Give a workflow as GET /automation/v4/flows/{flowId} answers it";

/// An error at a place of the JSON.
pub(super) fn wrong(spot: &Spot<'_>, message: &str, hint: &str) -> Diagnostic {
    let at = if spot.at.is_empty() { "/" } else { &spot.at };
    Diagnostic::error("import/shape", Place::default(), format!("{at}: {message}")).hint(hint)
}

/// What keeps one thing in the list from being a workflow that can be imported.
pub(super) fn obstacle(flow: &Spot<'_>) -> Option<Diagnostic> {
    let Json::Object(map) = flow.json else { return Some(wrong(flow, "this is no workflow", GIVE)) };
    let has = |key: &str| map.get(key).is_some_and(|value| !value.is_null());
    let kind = flow.word("type");
    if matches!(kind, "DRIP_DELAY" | "PROPERTY_ANCHOR" | "STATIC_ANCHOR") {
        return Some(wrong(flow, "this is a workflow of the old version 3", GIVE));
    }
    if kind == "PLATFORM_FLOW" || (has("objectTypeId") && flow.word("objectTypeId") != "0-1") {
        let about = super::spot::short(&flow.id("objectTypeId").unwrap_or_default());
        return Some(wrong(
            flow,
            &format!("the workflow is about records of type `{about}`, not about contacts"),
            "Only workflows about contacts can be drawn here",
        ));
    }
    if has("subject") && has("content") {
        return Some(wrong(flow, "this is an e-mail, not a workflow", "Give it as a template beside a workflow"));
    }
    if let Some(schema) = map.get("schema").and_then(Json::as_str).filter(|schema| schema.starts_with("flowloom/")) {
        return Some(wrong(flow, &format!("this is `{schema}` of an export"), "Choose `flow.json` beside it"));
    }
    if has("data") && has("included") || map.get("data").is_some_and(|data| data.get("attributes").is_some()) {
        return Some(wrong(flow, "this looks like a flow of Klaviyo", "Import it from Klaviyo"));
    }
    if !has("actions") {
        if has("enrollmentCriteria") || kind == "CONTACT_FLOW" || has("flowType") || (has("id") && has("isEnabled")) {
            return Some(wrong(
                flow,
                "the workflow comes without its actions, as lists of workflows give it",
                "Read each workflow by its id, or several with POST /automation/v4/flows/batch/read",
            ));
        }
        return Some(wrong(flow, "this is no workflow", GIVE));
    }
    let actions = map.get("actions").and_then(Json::as_array).map(Vec::len);
    if actions > Some(MOST_ACTIONS) {
        let message = format!("the workflow has more than {MOST_ACTIONS} actions");
        return Some(wrong(&flow.get("actions"), &message, "Split the workflow in HubSpot"));
    }
    if actions.is_none() {
        return Some(wrong(&flow.get("actions"), "the actions are no list", GIVE));
    }
    None
}

/// The workflow with old shapes written as they are today: until 2026-02-10 the ways of a split were bare links.
pub(super) fn modern(flow: &Json) -> Cow<'_, Json> {
    let bare = |action: &Json| {
        let branches = action.get("testBranches").and_then(Json::as_array);
        branches.is_some_and(|branches| branches.iter().any(|branch| branch.get("nextActionId").is_some()))
    };
    let old = flow.get("actions").and_then(Json::as_array).is_some_and(|actions| actions.iter().any(bare));
    if !old {
        return Cow::Borrowed(flow);
    }
    let mut flow = flow.clone();
    let actions = flow.get_mut("actions").and_then(Json::as_array_mut).into_iter().flatten();
    for branches in actions.filter_map(|action| action.get_mut("testBranches").and_then(Json::as_array_mut)) {
        for branch in branches.iter_mut().filter(|branch| branch.get("nextActionId").is_some()) {
            *branch = json!({"connection": branch.take()});
        }
    }
    Cow::Owned(flow)
}
