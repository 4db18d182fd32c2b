//! Templates of the platforms, read into the mail language.
//!
//! The one idea: a foreign text becomes the same tree that our own texts become, so that what is in the subset is ours
//! from then on, and what is not stands in the text as words that can be seen (`⟨catalog …⟩`), with its place and
//! reason. Merge tags become fields in a [`Book`] that all texts of a flow share, so that one value has one name.
//! Deliberately not here: which text belongs to which message; that is the platforms' own. [`super::transpile`] is the
//! other direction and defines the subset.

mod django;
mod guards;
mod hubl;
#[cfg(test)]
mod hubl_tests;
mod klaviyo;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt::Write as _};

use smol_str::SmolStr;

use super::{
    RESERVED,
    lower::{raw, value},
    read_expanded, shorthand,
    transpile::Part,
    tree::{Const, Expr, ExprKind, MAX_SOURCE, Node, Step},
};
use crate::{
    audience::{Value, ValueType},
    base::TextRange,
    content::{Field, FieldSource, markup},
};

pub use hubl::{from_hubl, hubspot_contact_name};
pub use klaviyo::from_klaviyo;

/// A foreign text that was read.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Read {
    /// The text in the mail language; what is not in the subset is a visible word in it, like `⟨catalog …⟩`.
    pub text: String,
    /// Names of the fields it needs, all of them in the [`Book`].
    pub fields: BTreeSet<SmolStr>,
    /// What was not understood: its place in the source, and why. Empty where the text means the same as the source.
    pub kept: Vec<(TextRange, String)>,
}

impl Read {
    /// Whether the text means what the source means.
    pub fn is_exact(&self) -> bool {
        self.kept.is_empty()
    }
}

/// A merge tag of a platform, and the field it became.
#[derive(Clone, PartialEq, Debug)]
pub struct FoundField {
    /// What the platform writes for the value, without filters: `event.extra.checkout_url`.
    pub access: String,
    /// The field of ours.
    pub field: Field,
    /// The constant that its source names, where it is one: a stand-in to be replaced.
    pub constant: Option<Value>,
}

/// What a reader asks of the book.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Wanted<'a> {
    /// What the platform writes for the value; one access is one field.
    pub access: &'a str,
    /// Where the value comes from.
    pub source: FieldSource,
    /// A name to begin with; it is cleaned and made unique.
    pub name: &'a str,
    /// The expression to keep in [`Field::klaviyo`], where the derived one would be another.
    pub klaviyo: Option<String>,
    /// The property to keep in [`Field::hubspot`], where the derived one would be another.
    pub hubspot: Option<String>,
    /// A stand-in for a source that is a constant.
    pub constant: Option<Value>,
}

/// The fields that the texts of one flow need.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Book {
    found: Vec<FoundField>,
}

/// Most fields of one flow that an import makes. Source: assumption; ten times the largest flow seen.
const MAX_FIELDS: usize = 2_000;

impl Book {
    /// The fields, in the order in which they were met.
    pub fn found(&self) -> &[FoundField] {
        &self.found
    }

    /// The name of the field for a value; the same for the same access. `avoid` are names of loops around it. `None`
    /// when there are too many fields.
    pub(crate) fn name(&mut self, wanted: Wanted<'_>, avoid: &[String]) -> Option<SmolStr> {
        if let Some(known) = self.bare(wanted.access) {
            let name = known.field.name.clone();
            if !avoid.iter().any(|local| *local == name) {
                return Some(name);
            }
        }
        let name = self.free_name(wanted.name, avoid)?;
        let mut field = Field::new(&name, ValueType::Text, wanted.source);
        field.klaviyo = wanted.klaviyo;
        field.hubspot = wanted.hubspot;
        self.found.push(FoundField { access: wanted.access.to_owned(), field, constant: wanted.constant });
        Some(name)
    }

    /// The twin of a field that has this fallback: what a platform says with a condition around a tag.
    pub(crate) fn with_fallback(&mut self, name: &str, fallback: &str, avoid: &[String]) -> Option<SmolStr> {
        let original = self.found.iter().find(|found| found.field.name == name)?.clone();
        let twin = self.found.iter().find(|found| {
            found.access == original.access
                && found.field.fallback.as_deref() == Some(fallback)
                && !avoid.iter().any(|local| *local == found.field.name)
        });
        if let Some(twin) = twin {
            return Some(twin.field.name.clone());
        }
        let name = self.free_name(&original.field.name, avoid)?;
        let mut twin = FoundField { field: Field { name: name.clone(), ..original.field }, ..original };
        twin.field.fallback = Some(fallback.to_owned());
        self.found.push(twin);
        Some(name)
    }

    /// Takes note of what a use says about the kind of a value. The first word that is not "text" stands.
    pub(crate) fn evidence(&mut self, name: &str, kind: ValueType) {
        let Some(access) = self.found.iter().find(|found| found.field.name == name).map(|found| found.access.clone())
        else {
            return;
        };
        for found in self.found.iter_mut().filter(|found| found.access == access) {
            if found.field.kind == ValueType::Text {
                found.field.kind = kind;
            }
        }
    }

    /// Gives up the fields that no text uses: names taken while reading a condition that then had another form.
    pub fn keep_only(&mut self, used: &BTreeSet<SmolStr>) {
        self.found.retain(|found| used.contains(&found.field.name));
    }

    fn bare(&self, access: &str) -> Option<&FoundField> {
        self.found.iter().find(|found| found.access == access && found.field.fallback.is_none())
    }

    fn free_name(&self, wanted: &str, avoid: &[String]) -> Option<SmolStr> {
        if self.found.len() >= MAX_FIELDS {
            return None;
        }
        let base = clean_name(wanted);
        let taken = |name: &str| {
            RESERVED.contains(&name)
                || avoid.iter().any(|local| local == name)
                || self.found.iter().any(|found| found.field.name == name)
        };
        (1..=MAX_FIELDS + avoid.len() + 2)
            .map(|n| if n == 1 { base.clone() } else { format!("{base}_{n}") })
            .find(|name| !taken(name))
            .map(SmolStr::new)
    }
}

/// A name that templates can write: lower case letters, digits and `_`, beginning with a letter, at most 60 long.
pub(crate) fn clean_name(wanted: &str) -> String {
    let mut out = String::new();
    let mut before_is_lower = false;
    for c in wanted.chars().take(120) {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && before_is_lower {
                out.push('_');
            }
            before_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
            out.push(c.to_ascii_lowercase());
        } else {
            before_is_lower = false;
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
        }
    }
    out.truncate(60);
    let out = out.trim_end_matches('_');
    match out.chars().next() {
        None => "value".into(),
        // Words of the language cannot be names.
        Some(_) if ["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "for"].contains(&out) => {
            format!("{out}_value")
        }
        Some(c) if c.is_ascii_digit() => format!("value_{out}"),
        Some(_) => out.to_owned(),
    }
}

/// An expression without a place: what was read from elsewhere has none in our text.
pub(crate) fn expr(kind: ExprKind) -> Expr {
    Expr { kind, range: TextRange::default() }
}

/// A field or a name of a loop.
pub(crate) fn path(root: impl Into<String>, steps: Vec<Step>) -> Expr {
    expr(ExprKind::Path { root: root.into(), steps })
}

/// A value through a filter.
pub(crate) fn filtered(of: Expr, name: &str, args: Vec<Const>) -> Expr {
    expr(ExprKind::Filter { of: Box::new(of), name: name.to_owned(), args })
}

/// What was not understood in a template of one part, with the reasons.
struct Losses {
    list: Vec<(TextRange, String)>,
    part: Part,
}

impl Losses {
    fn new(part: Part) -> Self {
        Self { list: Vec::new(), part }
    }

    fn add(&mut self, range: TextRange, why: impl Into<String>) {
        // A hundred reasons are enough to work on.
        if self.list.len() < 100 {
            self.list.push((range, why.into()));
        }
    }

    /// A tag or value that is lost, and the words that stand in for it.
    fn piece(&mut self, piece: django::Piece<'_>, why: &str) -> Option<Node> {
        match piece {
            django::Piece::Raw(_) => None,
            django::Piece::Print { inside, range } | django::Piece::Tag { inside, range, .. } => {
                self.add(range, format!("`{inside}`: {why}"));
                Some(visible(inside, self.part))
            }
        }
    }
}

/// The words that stand for what is not in the subset. `inside` is the tag without its delimiters.
pub(crate) fn visible(inside: &str, part: Part) -> Node {
    let words: String = inside.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = words.chars().filter(|c| !matches!(c, '{' | '}')).take(80).collect();
    if short.len() < words.len() {
        short.push('…');
    }
    let short = if part == Part::Html { markup::escape(&short) } else { short };
    Node::Raw(format!("⟨{short}⟩"))
}

/// The tree as text of ours, and the proof that it can be read: what could not be is shown as a word, and said.
pub(crate) fn finish(nodes: &[Node], source: &str, part: Part, mut kept: Vec<(TextRange, String)>) -> Read {
    let mut fields = BTreeSet::new();
    let mut text = String::with_capacity(source.len() + 64);
    write(nodes, &mut Vec::new(), &mut fields, &mut text);
    kept.sort_by_key(|(range, _)| *range);
    kept.dedup();
    let reason = match read_expanded(&text) {
        Ok(_) => return Read { text, fields, kept },
        Err(reason) => reason,
    };
    let whole = TextRange::new(0, source.len());
    kept.push((whole, format!("the text has no form in the mail language: {reason}")));
    let mut shown = String::new();
    write(&[visible("this text could not be read", part)], &mut Vec::new(), &mut BTreeSet::new(), &mut shown);
    Read { text: shown, fields: BTreeSet::new(), kept }
}

/// Whether a source is too long to be read at all; the answer to give then.
pub(crate) fn too_long(source: &str, part: Part) -> Option<Read> {
    (source.len() > MAX_SOURCE).then(|| {
        let reason = "this template is longer than 1 MB".to_owned();
        finish(&[visible(&reason, part)], source, part, vec![(TextRange::new(0, source.len()), reason.clone())])
    })
}

fn write(nodes: &[Node], locals: &mut Vec<String>, fields: &mut BTreeSet<SmolStr>, out: &mut String) {
    for node in nodes {
        match node {
            Node::Raw(text) => write_raw(text, out),
            Node::Print(expr) => {
                note(expr, locals, fields);
                let _ = write!(out, "{{{{ {} }}}}", value(expr));
            }
            Node::If { arms, otherwise } => {
                for (n, (test, body)) in arms.iter().enumerate() {
                    note(test, locals, fields);
                    let _ = write!(out, "{{% {} {} %}}", if n == 0 { "if" } else { "elif" }, value(test));
                    write(body, locals, fields, out);
                }
                if !otherwise.is_empty() {
                    out.push_str("{% else %}");
                    write(otherwise, locals, fields, out);
                }
                out.push_str("{% endif %}");
            }
            Node::For { var, items, body, otherwise } => {
                note(items, locals, fields);
                let _ = write!(out, "{{% for {var} in {} %}}", value(items));
                locals.push(var.clone());
                write(body, locals, fields, out);
                locals.pop();
                if !otherwise.is_empty() {
                    out.push_str("{% else %}");
                    write(otherwise, locals, fields, out);
                }
                out.push_str("{% endfor %}");
            }
        }
    }
}

/// Literal text: a `{name}` of the source is no tag of ours, whatever fields the flow will have.
fn write_raw(text: &str, out: &mut String) {
    let mut rest = 0;
    for (_, range) in shorthand::expand(text, &|_| false).loose {
        raw(&text[rest..range.start], "raw", out);
        let _ = write!(out, "{{% raw %}}{}{{% endraw %}}", range.slice(text));
        rest = range.end;
    }
    raw(&text[rest..], "raw", out);
}

fn note(expr: &Expr, locals: &[String], fields: &mut BTreeSet<SmolStr>) {
    match &expr.kind {
        ExprKind::Path { root, .. } => {
            if !locals.contains(root) && root != "loop" {
                fields.insert(SmolStr::new(root));
            }
        }
        ExprKind::Const(_) => {}
        ExprKind::Slice { of, .. } | ExprKind::Filter { of, .. } | ExprKind::Not(of) | ExprKind::Defined(of) => {
            note(of, locals, fields);
        }
        ExprKind::And(a, b) | ExprKind::Or(a, b) | ExprKind::Compare(_, a, b) => {
            note(a, locals, fields);
            note(b, locals, fields);
        }
    }
}

#[cfg(test)]
mod book_tests {
    use super::*;

    #[test]
    fn names_are_clean_and_unique() {
        for (wanted, expected) in [
            ("Favorite Color", "favorite_color"),
            ("checkout_url", "checkout_url"),
            ("ViewedItems", "viewed_items"),
            ("$value", "value"),
            ("1st", "value_1st"),
            ("", "value"),
            ("é", "value"),
            ("for", "for_value"),
        ] {
            assert_eq!(clean_name(wanted), expected, "{wanted}");
        }
        let mut book = Book::default();
        let wanted = |access| Wanted {
            access,
            source: FieldSource::Contact("x".into()),
            name: "x",
            klaviyo: None,
            hubspot: None,
            constant: None,
        };
        assert_eq!(book.name(wanted("person.x"), &[]).as_deref(), Some("x"));
        assert_eq!(book.name(wanted("event.x"), &[]).as_deref(), Some("x_2"));
        assert_eq!(book.name(wanted("person.x"), &[]).as_deref(), Some("x"));
        assert_eq!(book.name(wanted("person.x"), &["x".into()]).as_deref(), Some("x_3"));
        assert_eq!(book.with_fallback("x", "there", &[]).as_deref(), Some("x_4"));
        assert_eq!(book.with_fallback("x", "there", &[]).as_deref(), Some("x_4"));
        assert_eq!(book.name(wanted("person.x"), &[]).as_deref(), Some("x"));
    }

    #[test]
    fn literal_braces_stay_literal() {
        let read = finish(&[Node::Raw("a {name} {{ x }} p{color:red}".into())], "", Part::Html, Vec::new());
        assert_eq!(read.text, "a {% raw %}{name}{% endraw %}{% raw %} {{ x }} p{color:red}{% endraw %}");
        assert!(read.is_exact() && read.fields.is_empty());
    }
}
