//! What an import gives: a flow, what its workspace must know, and a remark on everything that was not plain.
//!
//! The one idea: nothing is lost in silence in this direction either. What a flow has words for is said in them; the
//! rest is kept as the platform's JSON ([`Foreign`](crate::kinds::Foreign) steps and triggers, [`KeptJson`], [`Kept`]
//! templates) and goes back unchanged. Deliberately not here: reading files and asking accounts (callers give both),
//! and placing the cards (`app` has the layout).
//!
//! [`KeptJson`]: crate::flow::KeptJson
//! [`Kept`]: crate::content::Kept

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;

use crate::{
    base::{Diagnostic, NodeId, Place},
    content::{Field, FieldSource},
    flow::{CodePool, Flow, Section, Target, Workspace},
    kinds::ron_options,
};

/// Most bytes of JSON that are read; a flow of 500 steps has about 1 MB.
pub const MOST_BYTES: usize = 64 << 20;

/// What an import is made from.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// A definition, an answer of the platform's API, or a list of either.
    pub json: &'a str,
    /// Templates and e-mails by the id that messages name.
    pub templates: &'a BTreeMap<String, Template>,
    /// Names by kind and id: `metric:AbC12` is `Started Checkout`.
    pub names: &'a BTreeMap<String, String>,
}

/// A mail as a platform keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Template {
    /// What people called it.
    pub name: String,
    /// Its HTML in the platform's language.
    pub html: String,
    /// Its plain text, where it has one.
    pub text: Option<String>,
    /// Its subject, where the platform keeps it with the template (HubSpot).
    pub subject: Option<String>,
    /// Its preview text, where the platform keeps it with the template (HubSpot).
    pub preheader: Option<String>,
}

/// One imported flow.
#[derive(Clone, PartialEq, Debug)]
pub struct Imported {
    /// The flow; its cards all lie at the origin.
    pub flow: Flow,
    /// Only what the flow needs of a workspace: events, lists, segments, senders, properties, known ids.
    pub workspace: Workspace,
    /// What was understood, kept, guessed.
    pub report: Vec<Remark>,
}

/// How a piece of the platform's JSON fared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RemarkKind {
    /// Said in the flow's own words.
    Understood,
    /// Not understood; kept, and given back unchanged.
    Kept,
    /// Understood one of several ways.
    Guessed,
    /// Neither understood nor kept, such as what only the account knows.
    Lost,
}

impl RemarkKind {
    /// What people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::Understood => "understood",
            Self::Kept => "kept",
            Self::Guessed => "guessed",
            Self::Lost => "lost",
        }
    }
}

/// A line of the report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Remark {
    /// How it fared.
    pub kind: RemarkKind,
    /// Area and name: `import/unknown-action`.
    pub code: &'static str,
    /// Where in the JSON (RFC 6901).
    pub pointer: String,
    /// The step it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// What; one sentence without full stop.
    pub message: String,
    /// What to do about it; empty where nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

/// Names that are taken. A name that is wanted again gets the next number without trying the ones before it, so that
/// thousands of the same name take no longer than thousands of different ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    names: BTreeSet<String>,
    next: BTreeMap<String, usize>,
}

impl Taken {
    /// These are taken already.
    pub fn of(names: &[&str]) -> Self {
        Self { names: names.iter().map(|name| (*name).to_owned()).collect(), next: BTreeMap::new() }
    }

    /// Takes a name if it is free.
    pub fn take(&mut self, name: &str) -> bool {
        self.names.insert(name.to_owned())
    }

    /// The wanted name, else the first free one of `numbered(2)`, `numbered(3)`, …; taken from now on.
    pub fn free(&mut self, wanted: &str, numbered: impl Fn(usize) -> String) -> String {
        if self.take(wanted) {
            return wanted.to_owned();
        }
        let next = self.next.entry(wanted.to_owned()).or_insert(2);
        loop {
            let name = numbered(*next);
            *next += 1;
            if self.names.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// Names by kind and id for an import into a workspace: those given, and what the workspace knows itself (ids of
/// earlier imports and pushes, the platform's own names of its events).
pub fn known_names(
    target: Target,
    workspace: &Workspace,
    given: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let is_hubspot = target == Target::Hubspot;
    let ids = if is_hubspot { &workspace.hubspot.ids } else { &workspace.klaviyo.ids };
    let mut out = BTreeMap::new();
    for (key, id) in ids {
        if let Some((kind, name)) = key.split_once(':') {
            out.insert(format!("{kind}:{id}"), name.to_owned());
        }
    }
    out.extend(given.iter().map(|(key, name)| (key.clone(), name.clone())));
    for event in &workspace.events {
        let theirs = if is_hubspot { &event.hubspot } else { &event.klaviyo };
        let Some(theirs) = theirs else { continue };
        for (key, name) in &mut out {
            if key.starts_with("metric:") && name == theirs {
                *name = event.name.to_string();
            }
        }
        if is_hubspot {
            out.insert(format!("event:{theirs}"), event.name.to_string());
        }
        // What exports write where the account has to be asked.
        out.insert(format!("metric:METRIC:{theirs}"), event.name.to_string());
    }
    for pool in &workspace.code_pools {
        if let Some(theirs) = pool.klaviyo.as_ref().filter(|_| !is_hubspot) {
            out.insert(format!("coupon:{theirs}"), pool.name.to_string());
        }
    }
    for sender in &workspace.senders {
        out.insert(sender_key(&sender.email, &sender.name, sender.reply_to.as_deref()), sender.id.to_string());
    }
    out
}

/// A sender among names: the same only where all that people see of it is the same.
pub(super) fn sender_key(email: &str, name: &str, reply_to: Option<&str>) -> String {
    let part = |text: &str| text.trim().replace('|', "||");
    let reply_to = part(reply_to.unwrap_or_default()).to_lowercase();
    format!("sender:{} | {} | {reply_to}", part(email).to_lowercase(), part(name))
}

/// The same with the pools that the flows' codes come from, under the names that the workspace has for them. The codes
/// themselves stay in the account's coupons.
fn with_pools(mut imported: Vec<Imported>, names: &BTreeMap<String, String>) -> Vec<Imported> {
    for Imported { flow, workspace, .. } in &mut imported {
        for section in &mut flow.fields {
            let Some(field) = section.value() else { continue };
            let FieldSource::Code { pool: theirs } = &field.source else { continue };
            let (theirs, ours) = (theirs.clone(), names.get(&format!("coupon:{theirs}")));
            if let Some(ours) = ours.filter(|ours| **ours != *theirs) {
                let field = Field { source: FieldSource::Code { pool: ours.as_str().into() }, ..field.clone() };
                // Plain values, which RON can always write.
                let ron = ron_options().to_string(&field).unwrap_or_default();
                *section = Arc::new(Section::new(ron, Ok(field), 0));
            }
            let name = ours.map_or_else(|| theirs.clone(), |ours| ours.as_str().into());
            if !workspace.code_pools.iter().any(|known| known.name == name) {
                let klaviyo = Some(theirs.to_string());
                workspace.code_pools.push(CodePool { name, codes: Vec::new(), shared: None, klaviyo });
            }
        }
    }
    imported
}

/// The same with what the account calls its forms, of which conditions know only the ids: as a note at the step.
fn with_forms(mut imported: Vec<Imported>, names: &BTreeMap<String, String>) -> Vec<Imported> {
    let forms: Vec<(&str, &str)> = names
        .iter()
        .filter_map(|(key, name)| Some((key.strip_prefix("form:")?, name.trim())))
        .filter(|(id, name)| !id.is_empty() && !name.is_empty() && id != name)
        .collect();
    if forms.is_empty() {
        return imported;
    }
    for Imported { flow, report, .. } in &mut imported {
        let settings = flow.settings();
        for node in &mut flow.nodes {
            let mut said = node.settings.raw().to_owned();
            let is_start = node.kind == "trigger";
            for kept in &settings.kept {
                if kept.node.as_ref() == Some(&node.id) || (is_start && kept.node.is_none()) {
                    said.push_str(&kept.patch);
                }
            }
            if !said.contains("form") {
                continue;
            }
            // In a condition, in JSON, and in JSON inside a text.
            let is_named = |id: &str| [format!("\"{id}\""), format!("\"{id}\\\"")].iter().any(|id| said.contains(id));
            let named: Vec<_> = forms.iter().filter(|(id, _)| is_named(id)).collect();
            if named.is_empty() {
                continue;
            }
            let words: Vec<String> =
                named.iter().map(|(id, name)| format!("The form `{id}` is \u{201c}{name}\u{201d}")).collect();
            let id = node.id.clone();
            let node = Arc::make_mut(node);
            node.note = [node.note.as_str(), &words.join("; ")]
                .into_iter()
                .filter(|t| !t.is_empty())
                .collect::<Vec<_>>()
                .join("\n");
            report.extend(words.into_iter().map(|message| Remark {
                kind: RemarkKind::Understood,
                code: "import/form",
                pointer: String::new(),
                node: Some(id.clone()),
                message,
                remedy: String::new(),
            }));
        }
    }
    imported
}

/// Reads what a platform wrote as flows.
///
/// Errors: what keeps it from being read at all (no JSON, too large, another shape, nothing to begin with), each with
/// the JSON pointer in its message.
pub fn import(target: Target, given: &Given<'_>) -> Result<Vec<Imported>, Vec<Diagnostic>> {
    if given.json.len() > MOST_BYTES {
        let message = format!("The JSON has {} MB; at most {} are read", given.json.len() >> 20, MOST_BYTES >> 20);
        return Err(vec![
            Diagnostic::error("import/too-large", Place::default(), message)
                .hint("Give the definition of one flow at a time"),
        ]);
    }
    match target {
        Target::Klaviyo => {
            super::klaviyo::import(given).map(|imported| with_forms(with_pools(imported, given.names), given.names))
        }
        Target::Hubspot => super::hubspot::import(given).map(|imported| with_forms(imported, given.names)),
        Target::Engine => Err(vec![
            Diagnostic::error(
                "import/no-such",
                Place::default(),
                format!("Flows of {} cannot be read", target.title()),
            )
            .hint("Import from Klaviyo or HubSpot"),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_the_next_number() {
        let mut taken = Taken::of(&["a-3"]);
        assert!(!taken.take("a-3"));
        let all: Vec<String> = (0..4).map(|_| taken.free("a", |n| format!("a-{n}"))).collect();
        assert_eq!(all, ["a", "a-2", "a-4", "a-5"]);
    }
}
