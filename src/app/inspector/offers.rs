//! What is offered while a name is typed: known names in a field of names, names and paths inside a condition, merge
//! tags inside a text.
//!
//! The one idea: what is known is gathered once when typing begins; each letter only filters it. Pure, so that the
//! window does nothing but draw the list and put the chosen words in.

use std::collections::BTreeMap;

use super::{message, names, names::Choice};
use crate::{app::Document, content::highlight::half_typed_name, kinds::Editor};

/// Most that are offered at once. Source: assumption; who sees so many types another letter.
const MOST: usize = 40;

/// What sort of field is typed in.
#[derive(Clone, Copy, Debug)]
pub enum Sort {
    /// The whole field is one name of this editor.
    Names(Editor),
    /// A condition.
    Condition,
    /// A text with merge tags, which begin with a brace.
    Tags,
    /// A source text, in which braces have other uses too: offers begin with the first letter behind one.
    Source,
}

impl Sort {
    /// What an editor's field offers, where it offers something.
    pub fn of(editor: Editor) -> Option<Self> {
        match editor {
            Editor::Event | Editor::Path | Editor::Name(_) => Some(Self::Names(editor)),
            Editor::Condition => Some(Self::Condition),
            Editor::LongText => Some(Self::Tags),
            _ => None,
        }
    }
}

/// Something to put in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// What people read.
    pub shown: String,
    /// A word about it; may be empty.
    pub about: String,
    /// What takes the place of the word under the cursor.
    pub insert: String,
}

/// What can be offered in a field.
#[derive(Clone, Debug)]
pub struct Known {
    sort: Sort,
    /// By where they belong: events, segments, lists, score models, steps; `""` for what stands alone.
    names: BTreeMap<&'static str, Vec<Choice>>,
}

/// Gathers what is known; looks through the audience, so ask when typing begins.
pub fn known(document: &Document, sort: Sort) -> Known {
    let mut all = BTreeMap::new();
    match sort {
        Sort::Names(editor) => _ = all.insert("", names::options(document, editor)),
        Sort::Condition => {
            all.insert("", names::options(document, Editor::Path));
            all.insert("event", names::options(document, Editor::Event));
            for what in ["segment", "list", "score", "step"] {
                all.insert(what, names::options(document, Editor::Name(what)));
            }
        }
        Sort::Tags | Sort::Source => {
            let about = |tag: &message::Tag| match (tag.sample.as_str(), tag.fallback.as_str()) {
                ("", "") => tag.title.clone(),
                ("", fallback) => format!("else \u{201c}{fallback}\u{201d}"),
                (sample, _) => sample.to_owned(),
            };
            let tags = message::tags(document);
            let tags = tags
                .iter()
                .map(|tag| Choice { name: tag.insert.trim_matches(['{', '}']).to_owned(), about: about(tag) });
            all.insert("", tags.collect());
        }
    }
    Known { sort, names: all }
}

/// Finds where the word under the cursor begins, letter by letter from the beginning of the text on.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    sort: Sort,
    in_quotes: bool,
}

impl Words {
    /// Before the first letter of a text.
    pub fn new(sort: Sort) -> Self {
        Self { sort, in_quotes: false }
    }

    /// Whether the next letter ends the word before it.
    pub fn ends_at(&mut self, letter: char) -> bool {
        match self.sort {
            Sort::Names(_) => false,
            Sort::Tags => matches!(letter, '{' | '}' | '\n'),
            Sort::Source => !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '.'),
            Sort::Condition if letter == '"' => {
                self.in_quotes = !self.in_quotes;
                true
            }
            Sort::Condition => !self.in_quotes && !letter.is_alphanumeric() && !matches!(letter, '_' | '.'),
        }
    }
}

/// What fits the word from `start` to `end`, in letters of the text; the likeliest first, nothing where nothing fits.
pub fn offers(known: &Known, text: &str, start: usize, end: usize) -> Vec<Offer> {
    let before: String = text.chars().take(start).collect();
    let word: String = text.chars().skip(start).take(end.saturating_sub(start)).collect();
    let next = text.chars().nth(end);
    let alone = known.names.get("").map(Vec::as_slice).unwrap_or_default();
    match known.sort {
        // In the middle of a name the rest of it would be left behind what is put in.
        Sort::Names(_) if next.is_some() => Vec::new(),
        Sort::Names(_) => picked(alone, &word, contains, str::to_owned),
        Sort::Source => {
            let is_name =
                !word.is_empty() && half_typed_name(&format!("{before}{word}"), before.len() + word.len()).is_some();
            if !is_name {
                return Vec::new();
            }
            // In `{{ … }}` and `{% … %}` the end stands there or is typed with what follows.
            let is_short = before.ends_with('{') && !before.ends_with("{{");
            let close = if is_short && next != Some('}') { "}" } else { "" };
            picked(alone, &word, contains, |name| format!("{name}{close}"))
        }
        Sort::Tags => {
            let begins = before.ends_with('{') && !word.starts_with(' ');
            if !begins {
                return Vec::new();
            }
            let close = if next == Some('}') { "" } else { "}" };
            picked(alone, &word, contains, |name| format!("{name}{close}"))
        }
        Sort::Condition if before.ends_with('"') && before.matches('"').count() % 2 == 1 => {
            let list = before.trim_end_matches('"').split_whitespace().next_back().and_then(|word| match word {
                "did" | "over" | "of" => Some("event"),
                "segment" | "list" | "score" => Some(word),
                "opened" | "clicked" | "replied" | "bounced" | "complained" | "to" => Some("step"),
                _ => None,
            });
            let names = list.and_then(|list| known.names.iter().find(|(name, _)| **name == list));
            let Some((_, names)) = names else { return Vec::new() };
            let close = if next == Some('"') { "" } else { "\"" };
            picked(names, &word, contains, |name| format!("{name}{close}"))
        }
        Sort::Condition if word.chars().next().is_some_and(char::is_alphabetic) => {
            picked(alone, &word, begins, str::to_owned)
        }
        Sort::Condition => Vec::new(),
    }
}

/// How well a name fits a word, 0 best; `None` where it does not.
type Fits = fn(&str, &str) -> Option<usize>;

fn contains(name: &str, word: &str) -> Option<usize> {
    match () {
        () if name == word => Some(0),
        () if name.starts_with(word) => Some(1),
        () if name.contains(word) => Some(2),
        () => None,
    }
}

/// A path from its beginning or from its last name on: `lang` finds `contact.language`, `and` does not find `brand`.
fn begins(path: &str, word: &str) -> Option<usize> {
    match path.rsplit_once('.') {
        _ if path == word => Some(0),
        _ if path.starts_with(word) => Some(1),
        Some((_, last)) if last.starts_with(word) => Some(2),
        _ => None,
    }
}

fn picked(names: &[Choice], word: &str, fits: Fits, insert: impl Fn(&str) -> String) -> Vec<Offer> {
    let word = word.trim_start().to_lowercase();
    // What would break out of quotes or braces is better typed by hand.
    let plain = names.iter().filter(|choice| !choice.name.contains(['"', '{', '}']));
    let mut hits: Vec<(usize, &Choice)> =
        plain.filter_map(|choice| Some((fits(&choice.name.to_lowercase(), &word)?, choice))).collect();
    hits.sort_by_key(|(rank, _)| *rank);
    if let [(0, _)] = hits[..] {
        // The word is there already.
        return Vec::new();
    }
    let offer = |choice: &Choice| Offer {
        shown: choice.name.clone(),
        about: choice.about.clone(),
        insert: insert(&choice.name),
    };
    hits.into_iter().take(MOST).map(|(_, choice)| offer(choice)).collect()
}

/// Whether the first offer is what the word begins to say, so that a key that would leave the field may take it.
pub fn is_sure(offers: &[Offer], word: &str) -> bool {
    let word = word.trim_start().to_lowercase();
    !word.is_empty() && offers.first().is_some_and(|offer| offer.shown.to_lowercase().starts_with(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fixture;

    /// `|` is the cursor; gives what the first offers would make of the text.
    fn made(sort: Sort, text: &str) -> Vec<String> {
        let app = fixture::studio();
        let known = known(fixture::document(&app), sort);
        let end = text.chars().position(|letter| letter == '|').expect("a cursor");
        let text = text.replace('|', "");
        let mut words = Words::new(sort);
        let ends: Vec<bool> = text.chars().take(end).map(|letter| words.ends_at(letter)).collect();
        let start = ends.iter().rposition(|ends| *ends).map_or(0, |at| at + 1);
        let before: String = text.chars().take(start).collect();
        let after: String = text.chars().skip(end).collect();
        let offers = offers(&known, &text, start, end);
        offers.iter().take(3).map(|offer| format!("{before}{}{after}", offer.insert)).collect()
    }

    #[track_caller]
    fn check(sort: Sort, text: &str, expected: &[&str]) {
        assert_eq!(made(sort, text), expected, "{text}");
    }

    #[test]
    fn a_field_of_names_offers_what_fits() {
        let events = Sort::Names(Editor::Event);
        check(events, "checkout|", &["Checkout Expired"]);
        check(events, "EXPIRED|", &["Checkout Expired"]);
        check(events, "Checkout Expired|", &[]);
        check(events, "Chec|kout", &[]);
        check(events, "zzz|", &[]);
        assert!(made(events, "|").len() > 2, "all of them");
        check(Sort::Names(Editor::Path), "contact.lang|", &["contact.language"]);
    }

    #[test]
    fn a_condition_offers_paths_and_names_in_quotes() {
        let check = |text: &str, expected: &[&str]| check(Sort::Condition, text, expected);
        check("contact.lang|", &["contact.language"]);
        check("not lang|", &["not contact.language"]);
        check("did \"Checkout E|", &["did \"Checkout Expired\""]);
        check("did \"checkout e|\" ever", &["did \"Checkout Expired\" ever"]);
        check("true and|", &[]);
        check("contact.language = \"e|", &[]);
        check("3|", &[]);
        check("|", &[]);
    }

    #[test]
    fn a_text_offers_merge_tags_behind_a_brace() {
        let check = |text: &str, expected: &[&str]| check(Sort::Tags, text, expected);
        check("Hello {first|", &["Hello {first_name}"]);
        check("Hello {first|}, hi", &["Hello {first_name}, hi"]);
        check("Hello first|", &[]);
        check("{first_name} and first|", &[]);
        check("{ first|", &[]);
        assert!(made(Sort::Tags, "Hello {|").len() > 2);
        assert!(made(Sort::Source, "p {|").is_empty(), "a brace alone begins other things in a source");
        assert_eq!(made(Sort::Source, "<p>{first|"), ["<p>{first_name}"]);
        assert_eq!(made(Sort::Source, "<p>{{ first|"), ["<p>{{ first_name"]);
        assert!(made(Sort::Source, "<p>first|").is_empty());
    }

    #[test]
    fn a_tag_comes_with_a_sample() {
        let app = fixture::studio();
        let known = known(fixture::document(&app), Sort::Tags);
        let offers = offers(&known, "{first", 1, 6);
        assert_eq!((offers[0].shown.as_str(), offers[0].about.is_empty()), ("first_name", false), "{offers:?}");
        assert!(is_sure(&offers, "fir") && !is_sure(&offers, "name") && !is_sure(&offers, ""));
    }
}
