//! Where the names of fields stand in a template or condition: for "used by" and for renaming.
//!
//! The one idea: the language's own parser says what is a field and what is the name of a loop or a property. Only a
//! text that it refuses is read word by word, so that a template with a mistake is not left behind by a rename.

use super::{
    shorthand,
    tree::{self, Expr, ExprKind, Node},
};
use crate::base::TextRange;

/// A name in a text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NameUse {
    /// The name, without what follows a dot.
    pub name: String,
    /// Where it stands, in bytes of the text as written.
    pub range: TextRange,
}

/// The fields that a template uses, in the order of the text. `is_known` says which `{name}` are tags; all other
/// braces are literal.
pub fn names_in_template(source: &str, is_known: &dyn Fn(&str) -> bool) -> Vec<NameUse> {
    let expanded = shorthand::expand(source, is_known);
    let mut out = Vec::new();
    match tree::template(&expanded) {
        Ok(nodes) => Reader { source, locals: Vec::new(), out: &mut out }.nodes(&nodes),
        Err(_) => words_in_tags(source, &mut out),
    }
    sorted(out)
}

/// The fields that a "show if" uses, in the order of the text.
pub fn names_in_condition(source: &str) -> Vec<NameUse> {
    let mut out = Vec::new();
    match tree::condition(&shorthand::expand_condition(source)) {
        Ok(expr) => Reader { source, locals: Vec::new(), out: &mut out }.expr(&expr),
        Err(_) => words(source, 0, &mut out),
    }
    sorted(out)
}

fn sorted(mut uses: Vec<NameUse>) -> Vec<NameUse> {
    uses.sort_by_key(|found| found.range);
    // `x in ['a', 'b']` is read as two comparisons of one `x`.
    uses.dedup();
    uses
}

struct Reader<'a> {
    source: &'a str,
    locals: Vec<String>,
    out: &'a mut Vec<NameUse>,
}

impl Reader<'_> {
    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Raw(_) => {}
                Node::Print(expr) => self.expr(expr),
                Node::If { arms, otherwise } => {
                    for (test, body) in arms {
                        self.expr(test);
                        self.nodes(body);
                    }
                    self.nodes(otherwise);
                }
                Node::For { var, items, body, otherwise } => {
                    self.expr(items);
                    self.locals.push(var.clone());
                    self.nodes(body);
                    self.locals.pop();
                    self.nodes(otherwise);
                }
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Path { root, .. } => {
                if !self.locals.contains(root) && root != "loop" {
                    self.path(root, expr.range);
                }
            }
            ExprKind::Const(_) => {}
            ExprKind::Slice { of, .. } | ExprKind::Filter { of, .. } | ExprKind::Not(of) | ExprKind::Defined(of) => {
                self.expr(of)
            }
            ExprKind::And(left, right) | ExprKind::Or(left, right) | ExprKind::Compare(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
        }
    }

    fn path(&mut self, root: &str, range: TextRange) {
        // A path begins with its root, but the engine's spans of parts begin at the dot or bracket.
        let at = if self.source[range.start.min(self.source.len())..].starts_with(root) {
            Some(range.start)
        } else {
            let before = self.source.get(..range.start).unwrap_or("");
            let line = before.rfind(['{', '%']).map_or(0, |at| at + 1);
            before[line..].rfind(root).map(|at| line + at).or_else(|| {
                let inside = self.source.get(range.start..range.end)?;
                inside.find(root).map(|at| range.start + at)
            })
        };
        self.out.extend(at.map(|at| NameUse { name: root.to_owned(), range: TextRange::new(at, at + root.len()) }));
    }
}

/// Words between braces of a text that is no template.
fn words_in_tags(source: &str, out: &mut Vec<NameUse>) {
    let mut at = 0;
    while let Some(open) = source[at..].find('{') {
        let start = at + open + 1;
        let end = source[start..].find('}').map_or(source.len(), |n| start + n);
        if !source[start..end].starts_with('#') {
            words(&source[start..end], start, out);
        }
        at = end;
    }
}

/// Names outside quotes that follow neither a dot nor a bar.
fn words(text: &str, offset: usize, out: &mut Vec<NameUse>) {
    const RESERVED: [&str; 16] = [
        "if", "elif", "else", "endif", "for", "endfor", "in", "and", "or", "not", "is", "defined", "true", "false",
        "AND", "OR",
    ];
    let mut quote: Option<char> = None;
    let mut start: Option<usize> = None;
    let mut before = ' ';
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let is_word = quote.is_none() && (c.is_alphanumeric() || c == '_');
        match (start, is_word) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let word = &text[from..at];
                let is_name = word.starts_with(|c: char| c.is_alphabetic() || c == '_');
                if is_name && !matches!(before, '.' | '|') && !RESERVED.contains(&word) {
                    out.push(NameUse { name: word.to_owned(), range: TextRange::new(offset + from, offset + at) });
                }
                before = 'w';
                start = None;
            }
            _ => {}
        }
        if !is_word {
            match quote {
                Some(open) if open == c => quote = None,
                Some(_) => {}
                None if matches!(c, '"' | '\'') => quote = Some(c),
                None if c.is_whitespace() => {}
                None => before = c,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str, uses: &[NameUse]) -> String {
        for found in uses {
            assert_eq!(found.range.slice(source), found.name, "{source}");
        }
        uses.iter().map(|u| format!("{}@{}", u.name, u.range.start)).collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let known = |name: &str| matches!(name, "name" | "cart" | "items");
        assert_eq!(shown(source, &names_in_template(source, &known)), expected, "{source}");
    }

    #[test]
    fn names_in_templates() {
        check("Hi {name}, {{ name }}!", "name@4 name@14");
        check("{nope} {{nope}} { name } p{color:red}", "nope@9");
        check("{cart.name} {{ cart['B c'].x|default('name', true) }}", "cart@1 cart@15");
        check(
            "ü{% for i in items[:3] %}{i.name}{{ i.name }}{name}{% endfor %}ü{{items.0.name}}",
            "items@14 name@47 items@68",
        );
        check(
            "{% if name and not cart.value > 3 %}{% elif items in ['a', 'b'] %}{% endif %}",
            "name@6 cart@19 items@44",
        );
        check("{# {name} #}<style>{name}</style>{{ 'name' }}", "");
        check("{{ name|upper }} {{ cart.a.b|money }}", "name@3 cart@20");
    }

    #[test]
    fn texts_with_mistakes_are_read_word_by_word() {
        check("{{ name {name} {{ other.name | name }} {{ 'name' }}", "name@3 name@9 other@18");
        check("{% if name %}", "name@6");
        check("{{ name + 1 }}", "name@3");
    }

    #[track_caller]
    fn check_condition(source: &str, expected: &str) {
        assert_eq!(shown(source, &names_in_condition(source)), expected, "{source}");
    }

    #[test]
    fn names_in_conditions() {
        check_condition("cart_value and cart_value > threshold", "cart_value@0 cart_value@15 threshold@28");
        check_condition("{cart} = {threshold} AND {hours} < 24h", "cart@1 threshold@10 hours@26");
        check_condition("not last_viewed_date or a.b == 'last'", "last_viewed_date@4 a@24");
        check_condition("a >", "a@0");
        check_condition("", "");
    }
}
