//! Undo and redo: snapshots that share unchanged parts, cut where a transaction ends.
//!
//! A new edit needs no hand-written inverse, so undo cannot drift. Time is an argument and only merges typing.

use super::{
    edit::{Edit, EditError},
    graph::Flow,
};
use std::sync::Arc;

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
    is_clean: bool,
    /// The text beside the flow, now and as saved.
    aside: Arc<str>,
    saved_aside: Arc<str>,
}

#[derive(Clone, Debug)]
struct Step {
    label: String,
    /// The document on the other side of the step.
    flow: Flow,
    /// The text beside it, on that side.
    aside: Arc<str>,
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
            is_clean: true,
            aside: "".into(),
            saved_aside: "".into(),
        }
    }

    /// The text that is edited together with the flow: its workspace file. Empty where there is none.
    pub fn aside(&self) -> &Arc<str> {
        &self.aside
    }

    /// Whether that text is as saved.
    pub fn is_aside_clean(&self) -> bool {
        self.aside == self.saved_aside
    }

    /// That text as saved.
    pub fn saved_aside(&self) -> &Arc<str> {
        &self.saved_aside
    }

    /// Takes the text beside the flow as it is on the disk; no step. One that was edited and not saved stays.
    ///
    /// Steps that changed the flow alone are taken back and done again beside the new text.
    pub fn read_aside(&mut self, text: &str) {
        // Another document of the workspace may have saved the very same text.
        if *self.aside == *text {
            self.saved_aside = Arc::clone(&self.aside);
        } else if self.is_aside_clean() {
            let (old, new) = (std::mem::replace(&mut self.aside, text.into()), Arc::from(text));
            for steps in [&mut self.past, &mut self.future] {
                for step in steps.iter_mut().rev().take_while(|step| step.aside == old) {
                    step.aside = Arc::clone(&new);
                }
            }
            self.saved_aside = new;
        }
    }

    /// Takes another document's text beside the flow, so that both have the same, as a step; one that only goes back
    /// or forth over such a step does that. `merge` as in [`Self::apply`].
    pub fn share_aside(&mut self, label: &str, text: &str, merge: Option<(&str, Instant)>) {
        self.commit();
        let leads_there = |step: Option<&Step>| {
            step.is_some_and(|step| step.label == label && *step.aside == *text && is_same(&step.flow, &self.now))
        };
        if leads_there(self.past.last()) {
            self.undo();
        } else if leads_there(self.future.last()) {
            self.redo();
        } else {
            self.set_aside(label, text, merge);
        }
    }

    /// Notes that this text is on the disk.
    pub fn mark_aside_saved(&mut self, text: Arc<str>) {
        self.saved_aside = text;
    }

    /// Puts another text beside the flow, as a step. `merge` as in [`Self::apply`].
    pub fn set_aside(&mut self, label: &str, text: &str, merge: Option<(&str, Instant)>) {
        self.commit();
        if *self.aside == *text {
            return;
        }
        let before = std::mem::replace(&mut self.aside, text.into());
        self.revision += 1;
        let merges = self.merges(merge);
        self.last_merge = merge.map(|(key, now)| (key.to_owned(), now));
        if !(merges && self.future.is_empty() && !self.past.is_empty()) {
            self.push(label.to_owned(), self.now.clone(), before);
        }
    }

    /// Applies edits and puts another text beside the flow, as one step.
    ///
    /// Errors: the refusal; the document and the text are as before.
    pub fn apply_with_aside(&mut self, label: &str, edits: &[Edit], text: &str) -> Result<(), EditError> {
        self.commit();
        let next = super::edit::apply_all(&self.now, edits).map_err(|(_, error)| error)?;
        if is_same(&next, &self.now) && *self.aside == *text {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.now, next);
        let aside = std::mem::replace(&mut self.aside, text.into());
        self.changed();
        self.last_merge = None;
        self.push(label.to_owned(), before, aside);
        Ok(())
    }

    fn merges(&self, merge: Option<(&str, Instant)>) -> bool {
        merge.is_some_and(|(key, now)| {
            self.last_merge.as_ref().is_some_and(|(last, at)| last == key && now.since(*at) <= MERGE_MILLIS)
        })
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
        if is_same(&next, &self.now) {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.now, next);
        self.changed();
        if self.open.is_some() {
            return Ok(());
        }
        let merges = self.merges(merge);
        self.last_merge = merge.map(|(key, now)| (key.to_owned(), now));
        if !(merges && self.future.is_empty() && !self.past.is_empty()) {
            self.push(label.to_owned(), before, Arc::clone(&self.aside));
        }
        Ok(())
    }

    /// Ends the transaction; one that changed nothing leaves no step.
    pub fn commit(&mut self) {
        if let Some((label, before)) = self.open.take()
            && before != self.now
        {
            self.last_merge = None;
            self.push(label, before, Arc::clone(&self.aside));
        }
    }

    /// Ends the transaction and takes back what it did.
    pub fn abort(&mut self) {
        if let Some((_, before)) = self.open.take()
            && before != self.now
        {
            self.now = before;
            self.changed();
        }
    }

    /// Takes the last step back; its label, or `None` where there is none.
    pub fn undo(&mut self) -> Option<String> {
        self.commit();
        let step = self.past.pop()?;
        self.last_merge = None;
        let label = step.label.clone();
        let flow = std::mem::replace(&mut self.now, step.flow);
        let aside = std::mem::replace(&mut self.aside, step.aside);
        self.future.push(Step { label: step.label, flow, aside });
        self.changed();
        Some(label)
    }

    /// Does the last undone step again; its label.
    pub fn redo(&mut self) -> Option<String> {
        self.commit();
        let step = self.future.pop()?;
        let label = step.label.clone();
        let flow = std::mem::replace(&mut self.now, step.flow);
        let aside = std::mem::replace(&mut self.aside, step.aside);
        self.past.push(Step { label: step.label, flow, aside });
        self.changed();
        Some(label)
    }

    /// Puts another document in the place of this one, as a step: a file that changed on the disk, work given back.
    pub fn replace(&mut self, label: &str, flow: Flow) {
        self.commit();
        if flow != self.now {
            self.last_merge = None;
            let before = std::mem::replace(&mut self.now, flow);
            self.changed();
            self.push(label.to_owned(), before, Arc::clone(&self.aside));
        }
    }

    /// Puts flow and text of an earlier run in the place of these, as one step. `saved_aside` is what the text began
    /// from.
    pub fn restore(&mut self, label: &str, flow: Flow, aside: Option<(&str, &str)>) {
        self.commit();
        let (before, text) = (self.now.clone(), Arc::clone(&self.aside));
        if let Some((aside, saved)) = aside {
            self.aside = aside.into();
            self.saved_aside = saved.into();
        }
        self.now = flow;
        if before != self.now || text != self.aside {
            self.last_merge = None;
            self.changed();
            self.push(label.to_owned(), before, text);
        }
    }

    /// The file holds `saved` now, and the document becomes `flow`, as a step. The text beside it is left alone.
    pub fn rebase(&mut self, label: &str, flow: Flow, saved: Flow) {
        self.replace(label, flow);
        self.saved = saved;
        self.is_clean = is_same(&self.now, &self.saved);
    }

    /// Labels of the steps that can be undone, last first.
    pub fn undo_labels(&self) -> impl Iterator<Item = &str> {
        self.past.iter().rev().map(|step| step.label.as_str())
    }

    /// The flow before so many of the steps that can be undone (from 1, the last one first).
    pub fn before(&self, steps: usize) -> Option<&Flow> {
        let at = self.past.len().checked_sub(steps).filter(|_| steps > 0)?;
        self.past.get(at).map(|step| &step.flow)
    }

    /// Labels of the steps that can be done again, next first.
    pub fn redo_labels(&self) -> impl Iterator<Item = &str> {
        self.future.iter().rev().map(|step| step.label.as_str())
    }

    /// Whether the document is as saved, also after undoing back to it.
    pub fn is_clean(&self) -> bool {
        self.is_clean && self.is_aside_clean()
    }

    /// Whether the flow is as saved, whatever stands beside it.
    pub fn is_flow_clean(&self) -> bool {
        self.is_clean
    }

    /// The flow as saved: what another version of its file is compared with.
    pub fn saved(&self) -> &Flow {
        &self.saved
    }

    /// Notes that the document was saved as it is.
    pub fn mark_saved(&mut self) {
        self.saved = self.now.clone();
        self.saved_aside = Arc::clone(&self.aside);
        self.is_clean = true;
    }

    /// Counts a change, and notes whether the document is as saved: asked in every frame, worked out once.
    fn changed(&mut self) {
        self.revision += 1;
        self.is_clean = is_same(&self.now, &self.saved);
    }

    fn push(&mut self, label: String, before: Flow, aside: Arc<str>) {
        self.future.clear();
        self.past.push(Step { label, flow: before, aside });
        if self.past.len() > MOST_STEPS {
            self.past.remove(0);
        }
    }
}

/// Equality that looks first whether parts are shared, as they are after most edits.
fn is_same(a: &Flow, b: &Flow) -> bool {
    let nodes =
        a.nodes.len() == b.nodes.len() && a.nodes.iter().zip(&b.nodes).all(|(a, b)| Arc::ptr_eq(a, b) || a == b);
    let messages = a.messages.len() == b.messages.len()
        && a.messages.iter().zip(&b.messages).all(|(a, b)| Arc::ptr_eq(a, b) || a == b);
    nodes
        && messages
        && (&a.id, &a.name, &a.settings, &a.fields, &a.edges, &a.extra)
            == (&b.id, &b.name, &b.settings, &b.fields, &b.edges, &b.extra)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        flow::{Node, file},
        testing::{Rng, flow_gen},
    };

    #[test]
    fn the_text_beside_the_flow_goes_back_and_forth_in_order() {
        let mut history = History::new(flow_gen::flow(1, 6));
        history.read_aside("a");
        let first = history.flow().clone();
        history.set_aside("Segment", "b", None);
        history.apply("Name", &[Edit::SetName("Other".into())], None).expect("applies");
        history.set_aside("Segment", "c", None);
        assert_eq!(history.undo_labels().collect::<Vec<_>>(), ["Segment", "Name", "Segment"]);
        assert!(!history.is_clean());
        history.undo();
        assert_eq!((&**history.aside(), history.flow().name.as_str()), ("b", "Other"));
        history.undo();
        assert_eq!((&**history.aside(), history.flow()), ("b", &first));
        history.undo();
        assert!(&**history.aside() == "a" && history.is_clean());
        history.redo();
        assert_eq!(&**history.aside(), "b");
        history.read_aside("z");
        assert_eq!((&**history.aside(), &**history.saved_aside()), ("b", "a"), "what is not saved stays");
        history.mark_saved();
        assert!(history.is_clean());
    }

    /// Applies a made-up script of single edits and transactions; gives the documents after each step.
    fn play(seed: u64, num_edits: usize) -> (History, Vec<Flow>) {
        let mut rng = Rng::new(seed);
        let mut history = History::new(flow_gen::flow(seed, 4 + seed as usize % 12));
        let mut reached = vec![history.flow().clone()];
        for _ in 0..num_edits {
            let edits: Vec<Edit> = (0..1 + rng.below(3)).map(|_| flow_gen::edit(&mut rng, history.flow())).collect();
            let before = history.flow().clone();
            match history.apply("Edit", &edits, None) {
                Ok(()) => {
                    let found = history.flow().invariants();
                    assert!(found.is_empty(), "seed {seed}, {edits:?}: {found:?}");
                    if *history.flow() != before {
                        reached.push(history.flow().clone());
                    }
                }
                Err(error) => {
                    assert_eq!(*history.flow(), before, "seed {seed}: a refused edit changes nothing ({error})")
                }
            }
        }
        (history, reached)
    }

    #[test]
    fn undo_goes_back_and_redo_forth() {
        for seed in 0..40 {
            let (mut history, reached) = play(seed, 30);
            for expected in reached.iter().rev().skip(1) {
                assert_eq!(history.undo().as_deref(), Some("Edit"));
                assert_eq!(history.flow(), expected, "seed {seed}");
            }
            assert_eq!(history.undo(), None);
            assert!(history.is_clean(), "back at the document as saved");
            for expected in &reached[1..] {
                assert!(history.redo().is_some());
                assert_eq!(history.flow(), expected, "seed {seed}");
            }
            assert_eq!(history.redo(), None);
        }
    }

    /// Fresh text of our own printer is indented by the first save; from then on every letter stays.
    #[test]
    fn what_is_saved_is_loaded() {
        for seed in 0..40 {
            let (_, reached) = play(seed, 12);
            for flow in &reached {
                let text = file::write(flow);
                let read =
                    |text: &str| file::read(text).unwrap_or_else(|d| panic!("seed {seed}: {}\n{text}", d.message)).flow;
                let again = read(&text);
                assert_eq!(again.canonical(), flow.canonical(), "seed {seed}\n{text}");
                assert_eq!((&again.name, &again.edges), (&flow.name, &flow.edges), "seed {seed}");
                let envelopes = |flow: &Flow| -> Vec<_> {
                    let envelope =
                        |n: &std::sync::Arc<Node>| (n.id.clone(), n.title.clone(), n.note.clone(), n.pos, n.muted);
                    flow.nodes.iter().map(envelope).collect()
                };
                assert_eq!(envelopes(&again), envelopes(flow), "seed {seed}");
                assert_eq!(file::write(&again), text, "seed {seed}: writing is a fixed point");
                assert_eq!(read(&file::write(&again)), again, "seed {seed}");
            }
        }
    }

    #[test]
    fn transactions_are_one_step_or_none() {
        let flow = flow_gen::flow(3, 8);
        let id = flow.nodes[2].id.clone();
        let moved = |x: f32| [Edit::MoveNode { id: id.clone(), pos: (x, 0.0) }];
        let mut history = History::new(flow.clone());

        history.begin("Move");
        for x in [1.0, 2.0, 3.0] {
            history.apply("part of it", &moved(x), None).expect("applies");
        }
        history.commit();
        assert_eq!(history.undo_labels().collect::<Vec<_>>(), ["Move"]);

        history.begin("Move");
        history.apply("part of it", &moved(9.0), None).expect("applies");
        history.abort();
        assert_eq!(history.undo_labels().count(), 1, "what was aborted left no step");
        assert_eq!(history.flow().node(id.as_str()).map(|node| node.pos), Some((3.0, 0.0)));

        history.begin("Nothing");
        history.commit();
        assert_eq!(history.undo_labels().count(), 1, "a transaction that changed nothing is no step");
        history.undo();
        assert_eq!(*history.flow(), flow);
        history.mark_saved();
        history.redo();
        assert!(!history.is_clean());
    }

    #[test]
    fn another_document_in_its_place_is_one_step() {
        let (first, other) = (flow_gen::flow(3, 8), flow_gen::flow(4, 8));
        let mut history = History::new(first.clone());
        history.replace("Take theirs", other.clone());
        history.mark_saved();
        assert_eq!((history.flow(), history.undo_labels().count()), (&other, 1));
        history.undo();
        assert_eq!(*history.flow(), first);
        assert!(!history.is_clean());
        history.replace("Nothing", first);
        assert_eq!(history.undo_labels().count(), 0);
    }

    #[test]
    fn typing_is_merged_until_a_pause() {
        let mut history = History::new(flow_gen::flow(3, 8));
        let id = history.flow().nodes[2].id.clone();
        let type_at = |history: &mut History, title: &str, millis: i64| {
            let edit = Edit::SetTitle { id: id.clone(), title: title.to_owned() };
            history.apply("Type", &[edit], Some(("title", Instant::from_millis(millis)))).expect("applies");
        };
        for (title, millis) in [("a", 0), ("ab", 400), ("abc", 1_300), ("abcd", 2_400)] {
            type_at(&mut history, title, millis);
        }
        assert_eq!(history.undo_labels().count(), 2, "a pause of more than a second begins a new step");
        history.undo();
        assert_eq!(history.flow().nodes[2].title, "abc");
    }
}
