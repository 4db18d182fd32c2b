//! Merging texts of RON: by the keys of structs and maps and by the names in lists, as deep as they go.
//!
//! What one side alone changed is taken letter by letter. Where the keys stay the same only the values are put into the
//! own text, so comments between them survive.

use std::collections::{BTreeMap, BTreeSet};

use ron::value::RawValue;
use smol_str::SmolStr;

use super::{Conflict, Part, Side};
use crate::{
    flow::file::raw::{RawStruct, offset_in},
    kinds::ron_options,
};

/// Structs inside structs are compared as a whole from here on. Source: workspace, list, entry, its settings.
const MOST_DEPTH: usize = 4;

/// What a merge has found so far.
#[derive(Debug, Default)]
pub(super) struct Merger<'a> {
    pub choices: Option<&'a BTreeMap<Part, Side>>,
    pub conflicts: Vec<Conflict>,
    /// What the others changed and was taken.
    pub taken: BTreeSet<Part>,
    /// What cannot be kept, in words.
    pub left_out: Vec<String>,
}

impl Merger<'_> {
    /// Notes a conflict; whose side is to be taken.
    pub fn conflict(&mut self, part: &Part, mine: String, theirs: String) -> Side {
        self.conflicts.push(Conflict { part: part.clone(), about: String::new(), mine, theirs });
        let side = self.choices.and_then(|choices| choices.get(part)).copied().unwrap_or(Side::Mine);
        if side == Side::Theirs {
            self.taken.insert(part.clone());
        }
        side
    }

    /// Three values of which one is wanted.
    pub fn value<'v, T: PartialEq + ?Sized>(
        &mut self,
        part: &Part,
        [base, mine, theirs]: [&'v T; 3],
        show: impl Fn(&T) -> String,
    ) -> &'v T {
        if mine == theirs || theirs == base {
            return mine;
        }
        if mine == base {
            self.taken.insert(part.clone());
            return theirs;
        }
        match self.conflict(part, show(mine), show(theirs)) {
            Side::Mine => mine,
            Side::Theirs => theirs,
        }
    }

    /// Three texts, each of which may be missing.
    pub fn text(&mut self, part: &Part, depth: usize, [base, mine, theirs]: [Option<&str>; 3]) -> Option<String> {
        if mine == theirs || theirs == base {
            return mine.map(str::to_owned);
        }
        if mine == base {
            self.taken.insert(part.clone());
            return theirs.map(str::to_owned);
        }
        if depth < MOST_DEPTH
            && let (Some(base), Some(own), Some(other)) = (base, mine, theirs)
            && let (Some(base), Some(own), Some(other)) = (Shape::of(base), Shape::of(own), Shape::of(other))
            && let (Some(base), Some(other)) = (base.like(&own), other.like(&own))
        {
            return Some(self.parts(part, depth, mine.unwrap_or_default(), [&base, &own, &other]));
        }
        let side = self.conflict(part, shown(mine), shown(theirs));
        if side == Side::Mine { mine } else { theirs }.map(str::to_owned)
    }

    fn parts(&mut self, part: &Part, depth: usize, whole: &str, [base, mine, theirs]: [&Shape<'_>; 3]) -> String {
        let names = |shape: &Shape<'_>| -> Vec<SmolStr> { shape.rows.iter().map(|(key, _)| key.clone()).collect() };
        let (old, own, other) = (names(base), names(mine), names(theirs));
        let mut values: BTreeMap<SmolStr, String> = BTreeMap::new();
        for key in own.iter().chain(other.iter().filter(|key| !own.contains(key))) {
            let value = self.text(&part.inside(key), depth + 1, [base.get(key), mine.get(key), theirs.get(key)]);
            values.extend(value.map(|value| (key.clone(), value)));
        }
        let order = order(&old, &own, &other, |key| values.contains_key(key));
        if order == own {
            let mut out = whole.to_owned();
            for (key, raw) in mine.rows.iter().rev() {
                if let Some(value) = values.get(key) {
                    let start = offset_in(whole, raw);
                    out.replace_range(start..start + raw.len(), value);
                }
            }
            return out;
        }
        mine.kind.write(order.iter().filter_map(|key| Some((key, values.get(key)?))))
    }
}

/// A value as a dialog shows it: on one line, and not too long.
pub(super) fn shown(text: Option<&str>) -> String {
    /// Characters shown. Source: assumption, two lines of the dialog.
    const MOST: usize = 90;
    let Some(text) = text else { return "removed".to_owned() };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST { line } else { line.chars().take(MOST - 1).chain(['…']).collect() }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Struct,
    Map,
    List,
}

impl Kind {
    fn write<'a>(self, rows: impl Iterator<Item = (&'a SmolStr, &'a String)>) -> String {
        let mut out = String::new();
        for (key, value) in rows {
            let value = value.replace('\n', "\n    ");
            match self {
                Self::Struct => out.push_str(&format!("    {key}: {value},\n")),
                // A string as Rust writes it is one that RON reads.
                Self::Map => out.push_str(&format!("    {:?}: {value},\n", key.as_str())),
                Self::List => out.push_str(&format!("    {value},\n")),
            }
        }
        let (open, close) = match self {
            Self::Struct => ('(', ')'),
            Self::Map => ('{', '}'),
            Self::List => ('[', ']'),
        };
        if out.is_empty() { format!("{open}{close}") } else { format!("{open}\n{out}{close}") }
    }
}

/// A text with parts that have names, each once.
struct Shape<'a> {
    kind: Kind,
    rows: Vec<(SmolStr, &'a str)>,
}

impl<'a> Shape<'a> {
    fn of(text: &'a str) -> Option<Self> {
        // Comments before the first bracket only make a conflict of what would else be merged.
        let (kind, rows) = match text.trim_start().chars().next()? {
            '(' => (Kind::Struct, RawStruct::parse(text).ok()?.0),
            '{' => {
                let rows: Vec<(SmolStr, &str)> = map(text)?;
                (Kind::Map, rows)
            }
            '[' => {
                let items: Vec<&RawValue> = ron_options().from_str(text).ok()?;
                let items = items.into_iter().map(|item| item.get_ron().trim());
                (Kind::List, items.map(|item| Some((name_of(item)?, item))).collect::<Option<Vec<_>>>()?)
            }
            _ => return None,
        };
        let names: BTreeSet<&SmolStr> = rows.iter().map(|(key, _)| key).collect();
        (names.len() == rows.len()).then_some(Self { kind, rows })
    }

    fn like(self, other: &Self) -> Option<Self> {
        (self.kind == other.kind).then_some(self)
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        self.rows.iter().find(|(known, _)| known == key).map(|(_, value)| *value)
    }
}

/// Entries of a map with texts as keys, in order.
fn map(text: &str) -> Option<Vec<(SmolStr, &str)>> {
    struct Rows<'a>(Vec<(SmolStr, &'a str)>);
    impl<'de> serde::Deserialize<'de> for Rows<'de> {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Rows<'de>;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a map")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Rows<'de>, A::Error> {
                    let mut out = Vec::new();
                    while let Some(key) = map.next_key::<SmolStr>()? {
                        let value: &RawValue = map.next_value()?;
                        out.push((key, value.get_ron().trim()));
                    }
                    Ok(Rows(out))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }
    ron_options().from_str::<Rows<'_>>(text).ok().map(|rows| rows.0)
}

/// What an entry of a list is called: its `id`, else its `name`, else, for a plain text, the text.
pub(super) fn name_of(item: &str) -> Option<SmolStr> {
    if let Ok(text) = ron_options().from_str::<SmolStr>(item) {
        return Some(text);
    }
    let keys = RawStruct::parse(item).ok()?;
    let name = keys.get("id").or_else(|| keys.get("name"))?;
    ron_options().from_str(name).ok()
}

/// The order of what is kept: the one that was changed, the own where both were; what the other side added stands
/// behind what it stood behind there.
pub(super) fn order<K: Ord + Clone>(base: &[K], mine: &[K], theirs: &[K], keep: impl Fn(&K) -> bool) -> Vec<K> {
    let [in_base, in_mine, in_theirs] = [base, mine, theirs].map(|keys| keys.iter().collect::<BTreeSet<&K>>());
    let is_common = |key: &&K| in_base.contains(key) && in_mine.contains(key) && in_theirs.contains(key);
    let is_moved = !mine.iter().filter(is_common).eq(base.iter().filter(is_common));
    let (first, second) = if is_moved { (mine, theirs) } else { (theirs, mine) };
    let mut out: Vec<K> = first.iter().filter(|key| keep(key)).cloned().collect();
    let mut placed: BTreeSet<K> = out.iter().cloned().collect();
    for (n, key) in second.iter().enumerate() {
        if keep(key) && placed.insert(key.clone()) {
            let before = second[..n].iter().rev().find(|key| placed.contains(key));
            let at = before.and_then(|before| out.iter().position(|key| key == before));
            out.insert(at.map_or(0, |at| at + 1), key.clone());
        }
    }
    out
}
