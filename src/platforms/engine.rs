//! A pinned version for the engine: what a flow means, named by its content, with everything it uses.
//!
//! The file is JSON in the shapes of the document's own parts. Caps, consent and suppression are read live by the
//! engine (SEMANTICS R4); they are in the file so that it can be run anywhere, and are not part of the version's name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use smol_str::SmolStr;

use super::{
    Export, Notes, Platform,
    folder::{About, Request},
    json_bytes, obstacles,
    people::People,
};
use crate::{
    audience::{ConditionText, ScoreModel, condition::Reference},
    base::{Diagnostic, VersionHash, hash},
    flow::{Flow, Target, Workspace},
    kinds::{Alternative, Settings},
};

/// The file of an export that holds the pinned version.
pub const ENGINE_FILE: &str = "flow.json";

/// The engine as a target.
pub struct Engine;

/// The segments and score models that a flow uses, those named by segments included.
pub fn used<'a>(flow: &Flow, workspace: &'a Workspace) -> (BTreeMap<SmolStr, &'a ConditionText>, Vec<&'a ScoreModel>) {
    let mut segments: BTreeMap<SmolStr, &ConditionText> = BTreeMap::new();
    let mut scores: BTreeSet<SmolStr> = BTreeSet::new();
    let mut open: Vec<SmolStr> = Vec::new();
    let settings = flow.settings();
    let look = |text: &ConditionText, open: &mut Vec<SmolStr>, scores: &mut BTreeSet<SmolStr>| {
        for (reference, _) in &text.parsed().references {
            match reference {
                Reference::Segment(name) => open.push(name.clone()),
                Reference::Score(name) => {
                    scores.insert(name.clone());
                }
                Reference::Path(_) | Reference::Metric(_) | Reference::List(_) | Reference::Node(_) => {}
            }
        }
    };
    for (_, text) in settings.conditions() {
        look(text, &mut open, &mut scores);
    }
    for node in &flow.nodes {
        let Some(settings) = node.settings() else { continue };
        for (_, text) in settings.conditions() {
            look(text, &mut open, &mut scores);
        }
        match settings {
            Settings::Trigger(trigger) => {
                for alternative in &trigger.any {
                    match alternative {
                        Alternative::Segment(t) => open.push(t.segment.clone()),
                        Alternative::Score(t) => {
                            scores.insert(t.model.clone());
                        }
                        _ => {}
                    }
                }
            }
            Settings::Cap(rule) => open.extend(rule.segment.clone()),
            _ => {}
        }
    }
    open.extend(settings.caps.iter().filter_map(|cap| cap.segment.clone()));
    while let Some(name) = open.pop() {
        if let Some(text) = workspace.segments.get(&name)
            && segments.insert(name, text).is_none()
        {
            look(text, &mut open, &mut scores);
        }
    }
    let models = workspace.scores.iter().filter(|model| scores.contains(&model.name)).collect();
    (segments, models)
}

/// The name of a flow's version: a hash of what matters to execution and of the segments and scores it uses.
pub fn version(flow: &Flow, workspace: &Workspace) -> VersionHash {
    let (segments, scores) = used(flow, workspace);
    let mut bytes = flow.canonical();
    bytes.push(b'\n');
    bytes.extend(serde_json::to_vec(&segments).unwrap_or_default());
    bytes.push(b'\n');
    bytes.extend(serde_json::to_vec(&scores).unwrap_or_default());
    hash::version_hash(&bytes)
}

impl Platform for Engine {
    fn export(&self, flow: &Flow, workspace: &Workspace, _: Option<People>) -> Result<Export, Vec<Diagnostic>> {
        let obstacles = obstacles(flow, Target::Engine);
        if !obstacles.is_empty() {
            return Err(obstacles);
        }
        let (segments, scores) = used(flow, workspace);
        let canonical: Json = serde_json::from_slice(&flow.canonical()).unwrap_or(Json::Null);
        let parts = json!({
            "zone": workspace.zone, "events": workspace.events, "caps": workspace.caps, "quiet_hours": workspace.quiet_hours,
            "senders": workspace.senders, "brand": workspace.brand, "lists": workspace.lists, "properties": workspace.properties,
            "code_pools": workspace.code_pools.iter().map(|pool| &pool.name).collect::<Vec<_>>(),
        });
        let pinned = json!({
            "schema": "flowloom/pinned/1", "version": version(flow, workspace), "name": flow.name, "flow": canonical,
            "segments": segments, "scores": scores, "workspace": parts,
        });
        let mut files = BTreeMap::new();
        files.insert(ENGINE_FILE.to_owned(), json_bytes(&pinned));
        let about = About {
            target: Target::Engine,
            version: ("version", version(flow, workspace).to_string()),
            flow,
            workspace,
            requests: vec![Request {
                file: ENGINE_FILE.into(),
                method: "PUT",
                path: "version".into(),
                what: "the pinned version".into(),
            }],
            order: vec![
                "Publish `flow.json` to the engine; codes of pools are given to it apart, they are in no file.".into(),
            ],
        };
        Notes::default().into_export(files, &about)
    }
}
