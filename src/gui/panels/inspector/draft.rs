//! Half-typed texts and open parts of the inspector: view state, never the document.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    app::inspector::{Ready, names::Choice},
    gui::widgets::suggest::Typing,
};

/// What the inspector keeps for itself.
#[derive(Debug, Default)]
pub struct Draft {
    typed: BTreeMap<String, Typed>,
    /// What is offered where somebody types.
    pub typing: Option<Typing>,
    /// What could not be done: at which field, why, and to which revision of the document.
    pub refused: Option<(String, String, u64)>,
    /// Parts that are folded out: blocks, builders, sections.
    pub open: BTreeSet<String>,
    /// The list of names that is open, with what it is for.
    pub choices: Option<(String, Vec<Choice>)>,
    /// What is searched in it.
    pub choice_search: String,
    /// Where the text cursor stood last in a field, in characters.
    pub cursors: BTreeMap<String, usize>,
    /// The version of each message that is shown.
    pub variants: BTreeMap<String, usize>,
}

/// A text under the hand.
#[derive(Debug, Default)]
struct Typed {
    text: String,
    /// What the document says there; when it says something else, somebody else changed it and the draft goes.
    value: String,
    /// Why the text cannot be.
    error: Option<String>,
    /// It has just been handed over: the next value of the document is what came of it.
    settles: bool,
}

impl Draft {
    /// The text to show where the document says `value`, and why it cannot be.
    pub fn shown(&mut self, key: &str, value: &str) -> (String, Option<String>) {
        let Some(typed) = self.typed.get_mut(key) else { return (value.to_owned(), None) };
        if typed.settles {
            typed.settles = false;
            value.clone_into(&mut typed.value);
        }
        if typed.value == value {
            return (typed.text.clone(), typed.error.clone());
        }
        self.typed.remove(key);
        (value.to_owned(), None)
    }

    /// Keeps a text that was typed, with what came of it; gives back the edits to hand over.
    pub fn typed(&mut self, key: &str, text: &str, value: &str, ready: Result<Ready, String>) -> Option<Ready> {
        let (error, ready) = match ready {
            Ok(ready) => (None, Some(ready)),
            Err(why) => (Some(why), None),
        };
        let settles = ready.is_some();
        self.typed.insert(key.to_owned(), Typed { text: text.to_owned(), value: value.to_owned(), error, settles });
        ready
    }

    /// The field is left: a text that is valid gives way to what the document says, one that is not stays.
    pub fn left(&mut self, key: &str) {
        if self.typed.get(key).is_some_and(|typed| typed.error.is_none() && !typed.settles) {
            self.typed.remove(key);
        }
    }

    /// Drops what is typed at a key and below it.
    pub fn forget(&mut self, key: &str) {
        self.typed.retain(|other, _| !other.starts_with(key));
    }

    /// Whether a part is folded out.
    pub fn is_open(&self, key: &str) -> bool {
        self.open.contains(key)
    }

    /// Folds a part out or in.
    pub fn toggle(&mut self, key: &str) {
        if !self.open.remove(key) {
            self.open.insert(key.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> Result<Ready, String> {
        Ok(Ready { label: "x".to_owned(), edits: Vec::new(), merge: None, workspace: None })
    }

    #[test]
    fn a_draft_lives_as_long_as_the_value_it_was_typed_over() {
        let mut draft = Draft::default();
        draft.typed("k", "4 hoars", "4 h", Err("no unit".to_owned()));
        draft.left("k");
        assert_eq!(draft.shown("k", "4 h"), ("4 hoars".to_owned(), Some("no unit".to_owned())));
        assert_eq!(draft.shown("k", "5 h"), ("5 h".to_owned(), None), "undone or changed elsewhere");
        draft.typed("k", "6 h ", "5 h", ready());
        assert_eq!(draft.shown("k", "6 h").0, "6 h ", "what is typed stays as typed");
        draft.left("k");
        assert_eq!(draft.shown("k", "6 h").0, "6 h");
    }
}
