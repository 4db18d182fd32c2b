//! What differs between two versions of a flow, in words: "Reminder: wait 2 h → 4 h".
//!
//! The one idea: things are matched first (steps by id, then by what they are and what stands around them), and then
//! compared by what they mean. The order of a file, positions, and an id of a copied step are no differences. Where a
//! kind has words of its own they are used, else the labels of its settings. Deliberately not here: what the two do to
//! contacts, which is a replay's to say, and reading files.

mod matching;
mod messages;
mod settings;
mod steps;
#[cfg(test)]
mod tests;
mod texts;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

pub use self::matching::Matching;
use super::words::{self, quoted};
use crate::{
    base::NodeId,
    flow::{Flow, Index, Node, card},
};

/// What became of something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It says something else.
    Changed,
}

impl Sign {
    /// A letter for it, so that colours are not needed.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Added => "+",
            Self::Removed => "-",
            Self::Changed => "~",
        }
    }
}

/// What sort of thing differs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The flow's name or a setting of the whole.
    Flow,
    /// A step.
    Step,
    /// Where a way out of a step leads.
    Way,
    /// A message.
    Message,
    /// A merge tag.
    Tag,
    /// A note or frame.
    Note,
}

/// One difference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// What became of it.
    pub sign: Sign,
    /// What it is.
    pub sort: Sort,
    /// Of what, as people call it: "Reminder". Empty for the flow itself.
    pub about: String,
    /// What differs: "wait 2 h → 4 h". No full stop.
    pub text: String,
    /// The step in the earlier version that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<NodeId>,
    /// The step in the later version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<NodeId>,
}

impl Difference {
    /// The whole in one line: "Reminder: wait 2 h → 4 h".
    pub fn words(&self) -> String {
        if self.about.is_empty() { words::capital(&self.text) } else { format!("{}: {}", self.about, self.text) }
    }
}

/// Two versions, compared.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Comparison {
    /// Which step became which.
    pub matching: Matching,
    /// What differs: the whole, steps in reading order of the later version (removed ones at their old place), merge
    /// tags.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// Signs of the steps of the earlier and of the later version.
    pub fn signs(&self) -> (BTreeMap<NodeId, Sign>, BTreeMap<NodeId, Sign>) {
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        for difference in &self.differences {
            let whole = matches!(difference.sort, Sort::Step | Sort::Note) && difference.sign != Sign::Changed;
            let sign = if whole { difference.sign } else { Sign::Changed };
            for (id, signs) in [(&difference.before, &mut before), (&difference.after, &mut after)] {
                if let Some(id) = id {
                    let known = signs.entry(id.clone()).or_insert(sign);
                    *known = (*known).min(sign);
                }
            }
        }
        (before, after)
    }
}

/// A change of something, or nothing where both are the same.
fn changed<T: PartialEq + ?Sized>(label: &str, before: &T, after: &T, show: impl Fn(&T) -> String) -> Option<String> {
    (before != after).then(|| format!("{label} {} \u{2192} {}", show(before), show(after)))
}

/// Compares two versions.
pub fn compare(before: &Flow, after: &Flow) -> Comparison {
    compare_while(before, after, &mut |_| true).unwrap_or_default()
}

/// Share of the work that goes into finding out which step is which. Source: measured, flows of 5,000 steps.
const MATCHING_SHARE: f32 = 0.6;

/// Compares two versions; `None` where `keeps_on`, which is told how much is done, 0..=1, says to stop.
pub fn compare_while(before: &Flow, after: &Flow, keeps_on: &mut dyn FnMut(f32) -> bool) -> Option<Comparison> {
    let matching = Matching::new(before, after, &mut |share| keeps_on(share * MATCHING_SHARE))?;
    let mut out: Vec<Difference> = Vec::new();
    let whole = |text: String| Difference {
        sign: Sign::Changed,
        sort: Sort::Flow,
        about: String::new(),
        text,
        before: None,
        after: None,
    };
    out.extend(changed("name", before.name.as_str(), after.name.as_str(), quoted).map(whole));
    out.extend(settings::of_flow(before, after).into_iter().map(whole));
    let sides = [Side::new(before), Side::new(after)];
    let keeps_on = &mut |share| keeps_on(MATCHING_SHARE + share * (1.0 - MATCHING_SHARE));
    steps::compare(&sides, &matching, &mut out, keeps_on)?;
    tags(before, after, &mut out);
    Some(Comparison { matching, differences: out })
}

/// A version, with what is looked up in it for each step.
struct Side<'a> {
    flow: &'a Flow,
    index: Index<'a>,
    /// How many steps are called so.
    titles: HashMap<&'a str, usize>,
}

impl<'a> Side<'a> {
    fn new(flow: &'a Flow) -> Self {
        let mut titles: HashMap<&str, usize> = HashMap::new();
        for node in &flow.nodes {
            *titles.entry(node.title()).or_default() += 1;
        }
        Self { flow, index: flow.index(), titles }
    }

    fn node(&self, id: &NodeId) -> Option<&'a Node> {
        self.index.node(id).map(|node| &**node)
    }

    /// Where a way out leads.
    fn target(&self, id: &NodeId, port: &str) -> Option<&'a NodeId> {
        let out = self.index.out(self.index.idx(id)?);
        out.iter().find(|(name, _)| *name == port).map(|(_, to)| &self.flow.nodes[*to].id)
    }

    /// The first step that leads to a step.
    fn from(&self, id: &NodeId) -> Option<&'a NodeId> {
        let index = &self.index;
        index.into(index.idx(id)?).first().map(|(from, _)| &self.flow.nodes[*from].id)
    }

    /// What a step is called; also its kind where its title alone would not tell it apart.
    fn called(&self, id: &NodeId) -> String {
        let Some(node) = self.node(id) else { return id.to_string() };
        let title = node.title();
        if self.titles.get(title).is_none_or(|twins| *twins < 2) {
            return title.to_owned();
        }
        let kind = card::spec(&node.kind).map_or(node.kind.as_str(), |spec| spec.title);
        format!("{title} ({kind} {id})")
    }
}

/// Merge tags by name.
fn tags(before: &Flow, after: &Flow, out: &mut Vec<Difference>) {
    let names: BTreeSet<&str> = before.fields().chain(after.fields()).map(|field| field.name.as_str()).collect();
    for name in names {
        let tag = |sign, text| Difference {
            sign,
            sort: Sort::Tag,
            about: format!("Merge tag {{{name}}}"),
            text,
            before: None,
            after: None,
        };
        match (before.field(name), after.field(name)) {
            (None, Some(field)) => out.push(tag(Sign::Added, format!("added ({})", words::source(field)))),
            (Some(_), None) => out.push(tag(Sign::Removed, "removed".to_owned())),
            (Some(old), Some(new)) if old != new => {
                let mut said: Vec<String> = Vec::new();
                if old.source != new.source {
                    said.push(format!("comes from {} \u{2192} {}", words::source(old), words::source(new)));
                }
                let (old, new) = (json(old), json(new));
                let skip = ["source", "name"];
                said.extend(settings::by_keys(&old, &new, &|key| {
                    (!skip.contains(&key)).then(|| key.replace('_', " "))
                }));
                out.extend(said.into_iter().map(|text| tag(Sign::Changed, text)));
            }
            _ => {}
        }
    }
}

fn json<T: Serialize>(value: &T) -> serde_json::Value {
    // Settings are plain trees, which JSON can always hold.
    serde_json::to_value(value).unwrap_or_default()
}
