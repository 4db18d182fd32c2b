//! Undo and redo: snapshots that share unchanged parts, cut where a transaction ends.
//!
//! A new edit needs no hand-written inverse, so undo cannot drift. Time is an argument and only merges typing.

use super::{
    edit::{Edit, EditError},
    graph::Flow,
};
use crate::base::Instant;

/// Snapshots kept. Source: assumption, more than anybody goes back by hand; shared parts make them cheap.
const MOST_STEPS: usize = 1_000;
/// Edits with one merge key within this many milliseconds become one step. Source: assumption, a pause in typing.
const MERGE_MILLIS: i64 = 1_000;

/// A document with its past and future.
#[derive(Clone, Debug)]
pub struct History {
    now: Flow,
    past: Vec<Step>,
    future: Vec<Step>,
    open: Option<(String, Flow)>,
    last_merge: Option<(String, Instant)>,
    saved: Flow,
    revision: u64,
}

#[derive(Clone, Debug)]
struct Step {
    label: String,
    /// The document on the other side of the step.
    flow: Flow,
}

impl History {
    /// Begins with a document as saved.
    pub fn new(flow: Flow) -> Self {
        Self {
            saved: flow.clone(),
            now: flow,
            past: Vec::new(),
            future: Vec::new(),
            open: None,
            last_merge: None,
            revision: 0,
        }
    }

    /// The document.
    pub fn flow(&self) -> &Flow {
        &self.now
    }

    /// Counts up with every change of the document, undo included.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Begins a transaction, such as a drag. One that is open is committed first.
    pub fn begin(&mut self, label: impl Into<String>) {
        self.commit();
        self.open = Some((label.into(), self.now.clone()));
    }

    /// Applies edits, all or nothing: inside a transaction as part of it, else as a step of its own.
    ///
    /// `merge` joins it to the step before if that had the same key within a second of `now` (typing in one field).
    ///
    /// Errors: the refusal; the document is as before.
    pub fn apply(&mut self, label: &str, edits: &[Edit], merge: Option<(&str, Instant)>) -> Result<(), EditError> {
        let next = super::edit::apply_all(&self.now, edits).map_err(|(_, error)| error)?;
        if next == self.now {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.now, next);
        self.revision += 1;
        if self.open.is_some() {
            return Ok(());
        }
        let merges = merge.is_some_and(|(key, now)| {
            self.last_merge.as_ref().is_some_and(|(last, at)| last == key && now.since(*at) <= MERGE_MILLIS)
        });
        self.last_merge = merge.map(|(key, now)| (key.to_owned(), now));
        if !(merges && self.future.is_empty() && !self.past.is_empty()) {
            self.push(label.to_owned(), before);
        }
        Ok(())
    }

    /// Ends the transaction; one that changed nothing leaves no step.
    pub fn commit(&mut self) {
        if let Some((label, before)) = self.open.take()
            && before != self.now
        {
            self.last_merge = None;
            self.push(label, before);
        }
    }

    /// Ends the transaction and takes back what it did.
    pub fn abort(&mut self) {
        if let Some((_, before)) = self.open.take()
            && before != self.now
        {
            self.now = before;
            self.revision += 1;
        }
    }

    /// Takes the last step back; its label, or `None` where there is none.
    pub fn undo(&mut self) -> Option<String> {
        self.commit();
        let step = self.past.pop()?;
        self.last_merge = None;
        self.revision += 1;
        let label = step.label.clone();
        self.future.push(Step { label: step.label, flow: std::mem::replace(&mut self.now, step.flow) });
        Some(label)
    }

    /// Does the last undone step again; its label.
    pub fn redo(&mut self) -> Option<String> {
        self.commit();
        let step = self.future.pop()?;
        self.revision += 1;
        let label = step.label.clone();
        self.past.push(Step { label: step.label, flow: std::mem::replace(&mut self.now, step.flow) });
        Some(label)
    }

    /// Labels of the steps that can be undone, last first.
    pub fn undo_labels(&self) -> impl Iterator<Item = &str> {
        self.past.iter().rev().map(|step| step.label.as_str())
    }

    /// Whether the document is as saved, also after undoing back to it.
    pub fn is_clean(&self) -> bool {
        self.now == self.saved
    }

    /// Notes that the document was saved as it is.
    pub fn mark_saved(&mut self) {
        self.saved = self.now.clone();
    }

    fn push(&mut self, label: String, before: Flow) {
        self.future.clear();
        self.past.push(Step { label, flow: before });
        if self.past.len() > MOST_STEPS {
            self.past.remove(0);
        }
    }
}
