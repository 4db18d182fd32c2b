//! Search over everything a flow says: steps, settings, conditions, messages, merge tags.
//!
//! Letters are compared without regard to their size. A hit has a place to go to and a snippet to show; the order is
//! that of the file, so that next and previous walk through it.

use std::ops::Range;

use smol_str::SmolStr;

use super::ops::ron_text::literals;
use crate::{
    app::card,
    base::{MessageId, NodeId},
    content::FieldSource,
    flow::Flow,
};

/// Hits that are shown. Source: assumption, more than anybody walks through.
const MOST_HITS: usize = 1_000;

/// Letters shown around a hit.
const AROUND: usize = 32;

/// What a hit stands in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Spot {
    /// A step; what of it, by name: `title`, `note`, `kind`, `id`, or a setting such as `arms.0.condition`.
    Step {
        /// Which.
        id: NodeId,
        /// What of it.
        part: String,
    },
    /// A message; what of it: `name`, `id`, `subject`, `variants.1.body.3.text`.
    Message {
        /// Which.
        id: MessageId,
        /// The first step that sends it.
        sent_by: Option<NodeId>,
        /// What of it.
        part: String,
    },
    /// A declared merge tag, by name.
    Field(SmolStr),
    /// A setting of the flow: `goal_when`.
    Settings(String),
}

/// Something that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// Where.
    pub spot: Spot,
    /// What people call that: the step's or message's title, the field's name.
    pub title: String,
    /// The words around it, on one line.
    pub snippet: String,
    /// The found words in `snippet`, in bytes.
    pub range: Range<usize>,
}

/// Everything in the flow that has the words of `query` one after the other. Nothing where nothing is typed.
pub fn search(flow: &Flow, query: &str) -> Vec<Hit> {
    let query: Vec<char> = query.trim().chars().flat_map(char::to_lowercase).collect();
    let mut out = Vec::new();
    if query.is_empty() {
        return out;
    }
    let mut look = |text: &str, title: &str, spot: &dyn Fn() -> Spot| -> bool {
        let Some(found) = find(text, &query).filter(|_| out.len() < MOST_HITS) else { return false };
        let (snippet, range) = snippet(text, found);
        out.push(Hit { spot: spot(), title: title.to_owned(), snippet, range });
        true
    };
    for node in &flow.nodes {
        let title = node.title();
        let step = |part: &str| Spot::Step { id: node.id.clone(), part: part.to_owned() };
        look(title, title, &|| step("title"));
        let kind = card::spec(&node.kind).map_or(node.kind.as_str(), |spec| spec.title);
        if kind != title {
            look(kind, title, &|| step("kind"));
        }
        look(node.id.as_str(), title, &|| step("id"));
        look(&node.note, title, &|| step("note"));
        for literal in literals(node.settings.raw()) {
            look(&literal.value, title, &|| step(&literal.path));
        }
        for (path, condition) in node.settings().map(|s| s.conditions()).unwrap_or_default() {
            // The sentence only where the text itself has not been found.
            if find(condition.text(), &query).is_none() {
                look(&condition.condition().sentence(), title, &|| step(&path));
            }
        }
    }
    for message in &flow.messages {
        let sent_by = || {
            let sends = |node: &&std::sync::Arc<crate::flow::Node>| {
                node.settings().and_then(|s| s.message()).is_some_and(|(id, _)| *id == message.id)
            };
            flow.nodes.iter().find(sends).map(|node| node.id.clone())
        };
        let title = message.section.value().map_or(message.id.as_str(), |m| m.title());
        for literal in literals(message.section.raw()).into_iter().filter(|literal| !literal.is_key) {
            look(&literal.value, title, &|| Spot::Message {
                id: message.id.clone(),
                sent_by: sent_by(),
                part: literal.path.clone(),
            });
        }
    }
    for field in flow.fields() {
        let spot = || Spot::Field(field.name.clone());
        let words = [field.name.to_string(), field.title().to_owned(), field.fallback.clone().unwrap_or_default()];
        let source = source_words(&field.source);
        let _ = words.iter().map(String::as_str).chain([source.as_str()]).any(|text| look(text, &field.name, &spot));
    }
    look(&flow.name, "Flow", &|| Spot::Settings("name".to_owned()));
    for literal in literals(flow.settings.raw()) {
        look(&literal.value, "Flow", &|| Spot::Settings(literal.path.clone()));
    }
    for text in flow.settings().conditions() {
        if find(text.1.text(), &query).is_none() {
            look(&text.1.condition().sentence(), "Flow", &|| Spot::Settings(text.0.to_owned()));
        }
    }
    out
}

/// Where a field comes from, in the words of the file.
fn source_words(source: &FieldSource) -> String {
    crate::kinds::ron_options().to_string(source).unwrap_or_default()
}

/// The place of the hit after the current one, or before it; round at the ends. `None` where there are no hits.
pub fn step(num_hits: usize, current: Option<usize>, forward: bool) -> Option<usize> {
    if num_hits == 0 {
        return None;
    }
    Some(match (current, forward) {
        (None, true) => 0,
        (None, false) => num_hits - 1,
        (Some(at), true) => (at + 1) % num_hits,
        (Some(at), false) => (at.min(num_hits) + num_hits - 1) % num_hits,
    })
}

/// Where small letters of a text begin with `query`, in bytes of the text.
fn find(text: &str, query: &[char]) -> Option<Range<usize>> {
    // Small letters with the bytes they come from: some letters become several.
    let small: Vec<(char, usize, usize)> = text
        .char_indices()
        .flat_map(|(at, c)| c.to_lowercase().map(move |small| (small, at, at + c.len_utf8())))
        .collect();
    let fits = |window: &[(char, usize, usize)]| window.iter().zip(query).all(|((c, ..), q)| c == q);
    let window = small.windows(query.len()).find(|window| fits(window))?;
    Some(window.first()?.1..window.last()?.2)
}

/// Some words around a place on one line, and where the place is in them.
fn snippet(text: &str, found: Range<usize>) -> (String, Range<usize>) {
    let before: Vec<char> = text[..found.start].chars().rev().take(AROUND + 1).collect();
    let after: Vec<char> = text[found.end..].chars().take(AROUND + 1).collect();
    let one_line = |c: &char| if c.is_control() { ' ' } else { *c };
    let mut out = String::new();
    if before.len() > AROUND {
        out.push('\u{2026}');
    }
    out.extend(before.iter().take(AROUND).rev().map(one_line));
    let start = out.len();
    out.extend(text[found].chars().map(|c| one_line(&c)));
    let end = out.len();
    out.extend(after.iter().take(AROUND).map(one_line));
    if after.len() > AROUND {
        out.push('\u{2026}');
    }
    (out, start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{flow::file, testing::flow_gen};

    #[track_caller]
    fn check(query: &str, expected: &[&str]) {
        let source = include_str!("../../sample_flows/watch-shop/watch-shop.flow.ron");
        let flow = file::read(source).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        let shown: Vec<String> = search(&flow, query)
            .iter()
            .map(|hit| {
                let place = match &hit.spot {
                    Spot::Step { id, part } => format!("{id}/{part}"),
                    Spot::Message { id, part, sent_by } => {
                        format!("{id}/{part}{}", if sent_by.is_some() { "" } else { " unsent" })
                    }
                    Spot::Field(name) => format!("field {name}"),
                    Spot::Settings(part) => format!("flow/{part}"),
                };
                format!("{place}: {}", &hit.snippet[hit.range.clone()])
            })
            .collect();
        assert_eq!(shown, expected, "{query}");
    }

    #[test]
    fn everything_is_searched() {
        check("hours after", &["wait-4h/title: hours after", "wait-12h/title: hours after"]);
        check("DELAY", &["wait-4h/kind: Delay", "wait-12h/kind: Delay"]);
        check("checkout expired", &["start/any.0.event: Checkout Expired"]);
        check("nobody touches", &["start/note: nobody touches"]);
        check("six weeks", &["mail-2/body.2.text: six weeks"]);
        check("engraving_code", &["mail-1/body.7.code: engraving_code", "field engraving_code: engraving_code"]);
        check("utm_campaign", &["flow/tracking: utm_campaign"]);
        check("since entry", &["flow/goal_when: since entry"]);
        check("", &[]);
        check("no such words", &[]);
    }

    #[test]
    fn snippets_are_one_line() {
        let text = format!("{}\nİstanbul {}", "ä".repeat(50), "b".repeat(50));
        let query: Vec<char> = "STANBUL".chars().flat_map(char::to_lowercase).collect();
        let found = find(&text, &query).expect("found");
        assert_eq!(&text[found.clone()], "stanbul");
        let (snippet, range) = snippet(&text, found);
        assert_eq!(&snippet[range], "stanbul");
        assert!(snippet.starts_with('\u{2026}') && snippet.ends_with('\u{2026}') && !snippet.contains('\n'));
    }

    #[test]
    fn walking_goes_round() {
        for (current, forward, expected) in [
            (None, true, Some(0)),
            (None, false, Some(2)),
            (Some(2), true, Some(0)),
            (Some(0), false, Some(2)),
            (Some(9), false, Some(2)),
        ] {
            assert_eq!(step(3, current, forward), expected);
        }
        assert_eq!(step(0, Some(1), true), None);
    }

    #[test]
    fn any_flow_is_searched() {
        for seed in 0..40 {
            let flow = flow_gen::flow(seed, 20);
            for query in ["a", "\u{5e9}", "ß", "first_name", "\"", "GRÖSSE"] {
                for hit in search(&flow, query) {
                    assert!(hit.snippet.get(hit.range.clone()).is_some());
                }
            }
        }
    }
}
