//! Which mail programs know a CSS property, an at-rule or an HTML element.
//!
//! The one idea: a reduced table of caniemail (MIT, `assets/caniemail/`) is data, and a feature is worth a word where
//! several families of programs do not have it at all.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    sync::LazyLock,
};

/// Families without a feature from which it is worth a word. Source: assumption; one or two of eight are the programs
/// that every writer of mails knows of, and mails are made to do without there.
const WORTH_A_WORD: usize = 3;

/// The day of the data.
pub const SUPPORT_DATE: &str = "2025-09-09";

/// What a family makes of a feature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Support {
    Yes,
    /// In part, or on some devices.
    Partly,
    No,
    Unknown,
}

/// A feature of CSS or HTML.
pub(super) struct Feature {
    /// What people call it.
    pub title: &'static str,
    support: Vec<Support>,
    page: &'static str,
}

struct Table {
    families: Vec<&'static str>,
    /// By what tells it, in the words of the file: `p gap`.
    features: BTreeMap<&'static str, Feature>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { families: Vec::new(), features: BTreeMap::new() };
    for line in include_str!("../../../assets/caniemail/support.tsv").lines() {
        if let Some(names) = line.strip_prefix("#\t") {
            table.families = names.split('\t').collect();
        }
        let mut parts = line.split('\t');
        let (Some(told), Some(title), Some(letters), Some(page)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if told.starts_with('#') {
            continue;
        }
        let support = letters.bytes().map(|letter| match letter {
            b'y' => Support::Yes,
            b'a' => Support::Partly,
            b'n' => Support::No,
            _ => Support::Unknown,
        });
        table.features.insert(told, Feature { title: title.trim(), support: support.collect(), page });
    }
    table
});

impl Feature {
    /// Families that do not have it.
    pub fn missing_in(&self) -> Vec<&'static str> {
        let without = self.support.iter().zip(&TABLE.families).filter(|(support, _)| **support == Support::No);
        without.map(|(_, family)| *family).collect()
    }

    /// Where more is to be read.
    pub fn address(&self) -> String {
        format!("https://www.caniemail.com/features/{}/", self.page)
    }
}

/// The feature that a word tells, if many programs lack it.
fn poor(told: &str) -> Option<&'static Feature> {
    let feature = TABLE.features.get(told)?;
    (feature.support.iter().filter(|support| **support == Support::No).count() >= WORTH_A_WORD).then_some(feature)
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) { text.to_ascii_lowercase().into() } else { text.into() }
}

/// The element of that name, if many programs lack it.
pub(super) fn element(name: &str) -> Option<&'static Feature> {
    poor(&format!("e {}", name.to_ascii_lowercase()))
}

/// The at-rule of that name, if many programs lack it.
pub(super) fn at_rule(name: &str) -> Option<&'static Feature> {
    poor(&format!("r {}", name.to_ascii_lowercase()))
}

/// Names of properties of which the table says anything, as such or for one of their values.
static PROPERTIES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let told = TABLE.features.keys().filter_map(|told| told.strip_prefix("p ").or_else(|| told.strip_prefix("v ")));
    told.map(|rest| rest.split(' ').next().unwrap_or(rest)).collect()
});

/// What of a declaration many programs lack.
pub(super) fn declaration(name: &str, value: &str) -> Option<&'static Feature> {
    // Most declarations of a mail are of no interest, and every mail of a matrix has hundreds.
    let name = lower(name);
    let is_told = PROPERTIES.contains(&*name);
    if !is_told && !value.contains('(') {
        return None;
    }
    let value = lower(value);
    if is_told && let Some(feature) = poor(&format!("p {name}")).or_else(|| poor(&format!("v {name} {value}"))) {
        return Some(feature);
    }
    let mut rest = &*value;
    while let Some(open) = rest.find('(') {
        // The name of a function is ASCII, so everything else ends before it, whatever its width.
        let before = rest.get(..open).unwrap_or("");
        let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let name_len = before.chars().rev().take_while(is_name).count();
        if let Some(feature) = poor(&format!("f {}", before.get(open - name_len..).unwrap_or(""))) {
            return Some(feature);
        }
        rest = rest.get(open + 1..).unwrap_or("");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_any_script_are_looked_through() {
        let found = declaration("background", "'🎉(ü(' ⟨linear-gradient(");
        assert!(found.is_some_and(|feature| feature.title.contains("linear-gradient")));
    }

    #[test]
    fn the_table_is_whole() {
        assert_eq!(TABLE.families.len(), 8);
        assert!(TABLE.features.len() > 100);
        assert!(TABLE.features.values().all(|feature| feature.support.len() == 8 && !feature.title.is_empty()));
        assert!(include_str!("../../../assets/caniemail/support.tsv").contains(SUPPORT_DATE));
        assert!(include_str!("../../../assets/caniemail/LICENSE.txt").contains("MIT License"));
    }

    #[test]
    fn features() {
        let missing = |feature: Option<&Feature>| feature.map(|f| f.missing_in().join(", "));
        assert_eq!(missing(element("VIDEO")).as_deref(), Some("Gmail, Outlook for Windows, Yahoo and AOL"));
        assert_eq!(
            missing(declaration("display", "grid")).as_deref(),
            Some("Gmail, Outlook for Windows, Yahoo and AOL")
        );
        assert!(declaration("color", "var(--x)").is_some() && at_rule("import").is_some());
        for (name, value) in [("display", "block"), ("border-radius", "4px"), ("max-width", "100%"), ("color", "#fff")]
        {
            assert!(declaration(name, value).is_none(), "{name}");
        }
        assert!(at_rule("media").is_none() && element("table").is_none());
    }
}
