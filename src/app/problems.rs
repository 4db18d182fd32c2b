//! Rows of the problems panel, the mark of each card, and mending many at once.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Document;
use crate::{
    base::{NodeId, Severity},
    flow::{Edit, Finding, check, edit},
};

/// One row.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The step it is about, directly or through its message.
    pub node: Option<NodeId>,
    /// What that step is called.
    pub title: String,
}

/// The rows of a document, worst first.
pub fn rows(document: &Document) -> Vec<Row<'_>> {
    let Some(stamped) = &document.derived.findings else { return Vec::new() };
    let flow = document.flow();
    let sender_of = |message: &str| {
        let sends =
            |id: &str| flow.node(id).and_then(|n| n.settings()?.message()).is_some_and(|m| m.0.as_str() == message);
        flow.nodes.iter().find(|node| sends(node.id.as_str())).map(|node| node.id.clone())
    };
    stamped
        .value
        .iter()
        .map(|finding| {
            let place = &finding.diagnostic.place;
            let of_edge = place.edge.as_deref().and_then(|edge| edge.split('.').next());
            let node = place.node.as_deref().or(of_edge).map(NodeId::new);
            let node = node.or_else(|| place.message.as_deref().and_then(sender_of));
            let title = node.as_ref().and_then(|id| flow.node(id.as_str())).map(|n| n.title().to_owned());
            let title = title.unwrap_or_else(|| match place.to_string() {
                text if text.is_empty() => "The flow".to_owned(),
                text => text,
            });
            Row { finding, node, title }
        })
        .collect()
}

/// How rows are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Grouping {
    /// Not at all: worst first.
    #[default]
    None,
    /// By step.
    Step,
    /// By kind of problem.
    Kind,
}

/// What is shown of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// Words that all stand in message, step, hint or code.
    pub text: String,
    /// Errors, warnings, hints.
    pub severities: [bool; 3],
    /// How they are put together.
    pub grouping: Grouping,
}

impl Default for Filter {
    fn default() -> Self {
        Self { text: String::new(), severities: [true; 3], grouping: Grouping::None }
    }
}

/// A line of the panel.
#[derive(Clone, Debug)]
pub enum Line<'a> {
    /// Begins a group.
    Group {
        /// The step or the kind.
        title: String,
        /// How many follow.
        count: usize,
        /// The worst of them.
        worst: Severity,
        /// The code, where all have one.
        code: Option<String>,
        /// How many of them a fix can mend; together where it is more than one.
        fixable: usize,
    },
    /// A problem.
    Row(Row<'a>),
}

/// The lines that a filter leaves.
pub fn lines<'a>(document: &'a Document, filter: &Filter) -> Vec<Line<'a>> {
    let words: Vec<String> = filter.text.split_whitespace().map(str::to_lowercase).collect();
    let fits = |row: &Row<'_>| {
        let found = &row.finding.diagnostic;
        let all = format!("{} {} {} {}", found.message, row.title, found.hint, found.code).to_lowercase();
        filter.severities[found.severity as usize] && words.iter().all(|word| all.contains(word.as_str()))
    };
    let rows: Vec<Row<'a>> = rows(document).into_iter().filter(fits).collect();
    let key = |row: &Row<'_>| match filter.grouping {
        Grouping::None => String::new(),
        Grouping::Step => row.title.clone(),
        Grouping::Kind => row.finding.diagnostic.code.to_string(),
    };
    if filter.grouping == Grouping::None {
        return rows.into_iter().map(Line::Row).collect();
    }
    // Groups in the order of their first row, which is the order of the worst.
    let mut groups: Vec<(String, Vec<Row<'a>>)> = Vec::new();
    for row in rows {
        let key = key(&row);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((key, vec![row])),
        }
    }
    let mut out = Vec::new();
    for (key, rows) in groups {
        let by_kind = filter.grouping == Grouping::Kind;
        let title =
            if by_kind { check::explain(&key).map_or(key.as_str(), |page| page.title).to_owned() } else { key.clone() };
        out.push(Line::Group {
            title,
            count: rows.len(),
            worst: rows.iter().map(|row| row.finding.diagnostic.severity).min().unwrap_or(Severity::Hint),
            code: by_kind.then_some(key),
            fixable: rows.iter().filter(|row| row.finding.fix.is_some()).count(),
        });
        out.extend(rows.into_iter().map(Line::Row));
    }
    out
}

/// How many findings of a code have a fix.
pub fn fixable(document: &Document, code: &str) -> usize {
    let findings = document.derived.findings.iter().flat_map(|stamped| stamped.value.iter());
    findings.filter(|f| f.diagnostic.code == code && f.fix.is_some()).count()
}

/// The edits that mend every finding of a code that can be mended: label and edits for one undo step.
///
/// A fix that no longer applies after the ones before it is left out; checks find it again where it is still needed.
/// Errors: there is nothing to mend.
pub fn fix_all(document: &Document, code: &str) -> Result<(String, Vec<Edit>), String> {
    let findings = document.derived.findings.iter().flat_map(|stamped| stamped.value.iter());
    let fixes = findings.filter(|finding| finding.diagnostic.code == code).filter_map(|finding| finding.fix.as_ref());
    let mut flow = document.flow().clone();
    let mut edits: Vec<Edit> = Vec::new();
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut count = 0_usize;
    for fix in fixes {
        // Two findings may ask for the same edits.
        if !done.insert(format!("{:?}", fix.edits)) {
            continue;
        }
        if let Ok(mended) = edit::apply_all(&flow, &fix.edits) {
            flow = mended;
            edits.extend(fix.edits.iter().cloned());
            count += 1;
        }
    }
    if edits.is_empty() {
        return Err("Nothing of this kind can be mended any more".to_owned());
    }
    let title = check::explain(code).map_or(code, |page| page.title);
    let times = if count == 1 { String::new() } else { format!(" ({count} times)") };
    Ok((format!("Mend: {title}{times}"), edits))
}

/// Whether the findings are of an older revision than what is drawn.
pub fn is_stale(document: &Document) -> bool {
    let revision = document.derived.findings.as_ref().map(|stamped| stamped.revision);
    revision != Some(document.history.revision())
}

/// The worst finding of each step.
pub fn marks(document: &Document) -> BTreeMap<NodeId, Severity> {
    let mut out: BTreeMap<NodeId, Severity> = BTreeMap::new();
    for row in rows(document) {
        if let Some(node) = row.node {
            let worst = out.entry(node).or_insert(Severity::Hint);
            *worst = (*worst).min(row.finding.diagnostic.severity);
        }
    }
    out
}

/// How many findings of each severity there are: errors, warnings, hints.
pub fn counts(document: &Document) -> [usize; 3] {
    let mut out = [0; 3];
    for finding in document.derived.findings.iter().flat_map(|stamped| stamped.value.iter()) {
        out[finding.diagnostic.severity as usize] += 1;
    }
    out
}
