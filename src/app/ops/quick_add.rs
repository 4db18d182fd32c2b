//! Which kinds of step fit a place, and the search that finds one by a few typed letters.

use crate::{
    app::card::{self, Family},
    base::nearest::nearest,
    flow::Flow,
    kinds::{CATALOGUE, Group, Spec},
};

/// Where the new step is to stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// Anywhere on the canvas.
    Anywhere,
    /// Behind a port: it needs a way in.
    AfterPort,
    /// Before a step: it needs a way out.
    BeforeStep,
    /// On an edge: it needs both.
    OnEdge,
}

/// Kinds that fit, in the order of the palette. A second trigger fits nowhere.
pub fn fitting_kinds(flow: &Flow, fit: Fit) -> Vec<&'static Spec> {
    let has_trigger = flow.trigger().is_some();
    let fits = |spec: &&Spec| {
        let is_trigger = card::family(spec.name) == Family::Trigger;
        let has_way_in = !is_trigger && spec.name != "note";
        let has_way_out = !spec.ports.is_empty();
        (!is_trigger || !has_trigger)
            && match fit {
                Fit::Anywhere => true,
                Fit::AfterPort => has_way_in,
                Fit::BeforeStep => has_way_out,
                Fit::OnEdge => has_way_in && has_way_out,
            }
    };
    CATALOGUE.iter().filter(fits).collect()
}

/// A kind that was found.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// The kind.
    pub spec: &'static Spec,
    /// 0 is best.
    pub rank: u32,
}

/// Kinds that a search finds among `kinds`, best first; all of them where nothing is typed.
///
/// Each typed word must be found in the title, the search words, the group or the description; a slip of the hand is
/// forgiven from three letters on.
pub fn quick_add(query: &str, kinds: &[&'static Spec]) -> Vec<Hit> {
    let words: Vec<String> = query.split_whitespace().map(plain).filter(|word| !word.is_empty()).collect();
    let rank = |spec: &Spec| words.iter().map(|word| rank_of(word, spec)).sum::<Option<u32>>();
    let mut hits: Vec<Hit> = kinds.iter().filter_map(|spec| Some(Hit { spec, rank: rank(spec)? })).collect();
    // Stable: what is equally good stays in the order of the palette.
    hits.sort_by_key(|hit| hit.rank);
    // What was typed right is what was meant.
    if hits.iter().any(|hit| hit.rank < TYPO) {
        hits.retain(|hit| hit.rank < TYPO);
    }
    hits
}

const TYPO: u32 = 100;

fn rank_of(word: &str, spec: &Spec) -> Option<u32> {
    let title = plain(spec.title);
    let title_words = || spec.title.split(' ').map(plain);
    let search_words = || spec.search.iter().flat_map(|s| s.split([' ', '-'])).map(plain);
    let group = match spec.group {
        Group::Trigger => "trigger",
        Group::Logic => "logic",
        Group::Action => "action",
    };
    if title == word {
        return Some(0);
    }
    if title_words().any(|w| w == word) {
        return Some(1);
    }
    if title.starts_with(word) {
        return Some(2);
    }
    if title_words().any(|w| w.starts_with(word)) {
        return Some(3);
    }
    if search_words().any(|w| w == word) {
        return Some(4);
    }
    if search_words().any(|w| w.starts_with(word)) {
        return Some(5);
    }
    if plain(spec.name).starts_with(word) || title.contains(word) {
        return Some(6);
    }
    if word.len() >= 3 && group.starts_with(word) {
        return Some(7);
    }
    if word.len() >= 4 && spec.docs.what.to_lowercase().contains(word) {
        return Some(8);
    }
    let near: Vec<String> = std::iter::once(title.clone()).chain(title_words()).chain(search_words()).collect();
    (word.chars().count() >= 3 && nearest(word, near.iter().map(String::as_str)).is_some()).then_some(TYPO)
}

/// Letters and digits alone, small: `e-mail` is `email`.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{flow::Edit, flow::Node, testing::flow_gen};

    #[track_caller]
    fn check(query: &str, first: &str) {
        let all: Vec<&Spec> = CATALOGUE.iter().collect();
        let hits = quick_add(query, &all);
        assert_eq!(
            hits.first().map_or("", |hit| hit.spec.name),
            first,
            "{query}: {:?}",
            hits.iter().map(|h| h.spec.name).collect::<Vec<_>>()
        );
    }

    #[test]
    fn kinds_are_found() {
        for (query, first) in [
            ("", "trigger"),
            ("mail", "email"),
            ("e-mail", "email"),
            ("emial", "email"),
            ("del", "delay"),
            ("dealy", "delay"),
            ("if", "condition"),
            ("A/B", "split"),
            ("ab", "split"),
            ("experiment", "split"),
            ("wait event", "wait_for_event"),
            ("cart", "event"),
            ("birthday", "date"),
            ("SMS", "sms"),
            ("colleag", "internal_alert"),
            ("zzzz", ""),
        ] {
            check(query, first);
        }
    }

    /// Every kind is the first or second answer to its own title.
    #[test]
    fn titles_find_their_kind() {
        let all: Vec<&Spec> = CATALOGUE.iter().collect();
        for spec in CATALOGUE {
            let hits = quick_add(spec.title, &all);
            assert!(hits.iter().take(2).any(|hit| hit.spec.name == spec.name), "{}", spec.title);
        }
    }

    #[test]
    fn kinds_fit_their_place() {
        let empty = Flow::new("f", "F");
        let names = |flow: &Flow, fit| fitting_kinds(flow, fit).iter().map(|spec| spec.name).collect::<Vec<_>>();
        assert_eq!(names(&empty, Fit::Anywhere).len(), CATALOGUE.len());
        let node = Node::new("t", "trigger", "(any: [])");
        let flow = empty.apply(&Edit::AddNode(Box::new(node))).expect("applies");
        assert!(!names(&flow, Fit::Anywhere).contains(&"event"));
        assert!(names(&flow, Fit::AfterPort).contains(&"exit") && !names(&flow, Fit::AfterPort).contains(&"note"));
        assert!(!names(&flow, Fit::OnEdge).contains(&"exit"));
        assert!(names(&empty, Fit::BeforeStep).contains(&"event"));
        assert!(fitting_kinds(&flow_gen::flow(3, 9), Fit::OnEdge).len() > 5);
    }
}
