//! What can be said about a template against the declared fields: unknown names, missing fallbacks, types.

use super::{
    is_known,
    tree::{Const, Expr, ExprKind, Node, Op, Step},
};
use crate::{
    audience::ValueType,
    base::{Diagnostic, Place, nearest},
    content::{Computed, Field, FieldSource, RESERVED_LINKS},
};

/// What a loop tells its body. Source: references, mail rendering, safe subset.
pub(crate) const LOOP_NAMES: [&str; 6] = ["index", "index0", "first", "last", "revindex", "revindex0"];

/// Checks a template's tree. `place` is the text's place; findings add their range.
pub(crate) fn check_nodes(
    nodes: &[Node],
    fields: &[Field],
    present: &[String],
    place: &Place,
    found: &mut Vec<Diagnostic>,
) {
    let mut checker = Checker { fields, place, found, locals: Vec::new(), present: present.to_vec() };
    checker.nodes(nodes);
}

/// Checks a condition's tree.
pub(crate) fn check_condition(expr: &Expr, fields: &[Field], place: &Place, found: &mut Vec<Diagnostic>) {
    Checker { fields, place, found, locals: Vec::new(), present: Vec::new() }.expr(expr);
}

/// The finding for `{name}` that is no known field.
pub(super) fn loose(name: &str, fields: &[Field], place: Place) -> Diagnostic {
    let root = name.split('.').next().unwrap_or(name);
    let near = nearest::nearest(root, names(fields));
    let message = format!("`{{{name}}}` is not a field of this flow and would be printed as it is");
    match near {
        Some(near) => {
            Diagnostic::error("template/unknown-field", place, message).hint(format!("Did you mean `{near}`?"))
        }
        None => Diagnostic::warning("template/unknown-field", place, message)
            .hint("Declare the field, or write the braces as `{{ '{' }}` where they are meant literally"),
    }
}

fn names(fields: &[Field]) -> impl Iterator<Item = &str> {
    fields.iter().map(|field| field.name.as_str()).chain(RESERVED_LINKS)
}

/// Whether a source can have no value. Codes are claimed before a mail is made (SEMANTICS R27).
fn may_be_missing(source: &FieldSource) -> bool {
    !matches!(
        source,
        FieldSource::Constant(_)
            | FieldSource::Code { .. }
            | FieldSource::Computed(
                Computed::UntilMidnight | Computed::Today | Computed::WorkingDaysAhead(_) | Computed::Count { .. }
            )
    )
}

/// Names that are surely there where the condition holds.
pub(crate) fn proves_present(expr: &Expr, out: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::Path { root, .. } => out.push(root.clone()),
        ExprKind::Defined(of) => proves_present(of, out),
        ExprKind::And(left, right) => {
            proves_present(left, out);
            proves_present(right, out);
        }
        ExprKind::Compare(Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::In, left, right) => {
            proves_present(left, out);
            proves_present(right, out);
        }
        ExprKind::Compare(Op::Eq, left, right) => {
            for (side, other) in [(left, right), (right, left)] {
                if matches!(other.kind, ExprKind::Const(_)) {
                    proves_present(side, out);
                }
            }
        }
        _ => {}
    }
}

struct Checker<'a> {
    fields: &'a [Field],
    place: &'a Place,
    found: &'a mut Vec<Diagnostic>,
    locals: Vec<String>,
    present: Vec<String>,
}

impl Checker<'_> {
    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Raw(_) => {}
                Node::Print(expr) => {
                    self.expr(expr);
                    self.fallback(expr);
                }
                Node::If { arms, otherwise } => {
                    for (test, body) in arms {
                        self.expr(test);
                        let before = self.present.len();
                        proves_present(test, &mut self.present);
                        self.nodes(body);
                        self.present.truncate(before);
                    }
                    self.nodes(otherwise);
                }
                Node::For { var, items, body, otherwise } => {
                    self.expr(items);
                    if let Some(field) = self.field_of(items)
                        && field.kind != ValueType::List
                        && is_bare(items)
                    {
                        let message =
                            format!("`{}` is of the kind {} and cannot be looped over", field.name, field.kind.title());
                        self.push(
                            Diagnostic::error("template/type-mismatch", self.at(items), message)
                                .hint("Declare the field with the kind list, or print it without a loop"),
                        );
                    }
                    self.locals.push(var.clone());
                    self.nodes(body);
                    self.locals.pop();
                    self.nodes(otherwise);
                }
            }
        }
    }

    fn at(&self, expr: &Expr) -> Place {
        self.place.clone().with_range(expr.range)
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// The declared field under a value, if it is one and not a name of a loop.
    fn field_of(&self, expr: &Expr) -> Option<&Field> {
        match &expr.kind {
            ExprKind::Path { root, .. } if !self.locals.contains(root) => self.fields.iter().find(|f| f.name == *root),
            ExprKind::Filter { of, .. } | ExprKind::Slice { of, .. } => self.field_of(of),
            _ => None,
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Path { root, steps } => self.path(expr, root, steps),
            ExprKind::Const(_) => {}
            ExprKind::Slice { of, .. } | ExprKind::Filter { of, .. } | ExprKind::Not(of) | ExprKind::Defined(of) => {
                self.expr(of)
            }
            ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Compare(op, left, right) => {
                self.expr(left);
                self.expr(right);
                self.types(expr, *op, left, right);
            }
        }
    }

    fn path(&mut self, expr: &Expr, root: &str, steps: &[Step]) {
        if root == "loop" {
            let known = matches!(steps, [Step::Name(name)] if LOOP_NAMES.contains(&name.as_str()));
            if self.locals.is_empty() || !known {
                let hint = format!("Inside a loop there are {}", LOOP_NAMES.map(|n| format!("`loop.{n}`")).join(", "));
                self.push(
                    Diagnostic::error("template/refused", self.at(expr), "This is not known of a loop").hint(hint),
                );
            }
            return;
        }
        if self.locals.iter().any(|local| local == root) || is_known(root, self.fields) {
            return;
        }
        let locals = self.locals.clone();
        let candidates = names(self.fields).chain(locals.iter().map(String::as_str));
        let hint = nearest::hint(root, candidates);
        let message = format!("There is no field `{root}` in this flow");
        self.push(Diagnostic::error("template/unknown-field", self.at(expr), message).hint(hint));
    }

    fn fallback(&mut self, expr: &Expr) {
        let Some(field) = self.field_of(expr) else { return };
        if field.fallback.is_some() || !may_be_missing(&field.source) || has_filter(expr, &["default", "length"]) {
            return;
        }
        if self.present.iter().any(|name| *name == field.name) {
            return;
        }
        let name = field.name.clone();
        let message = format!("`{name}` has no fallback: a mail to a contact without this value is held");
        let hint = format!(
            "Give the field a fallback, write `{{{{ {name}|default('…', true) }}}}`, or show this part only where `{name}` is there"
        );
        self.push(Diagnostic::warning("template/no-fallback", self.at(expr), message).hint(hint));
    }

    fn types(&mut self, expr: &Expr, op: Op, left: &Expr, right: &Expr) {
        let (Some(a), Some(b)) = (self.sort(left), self.sort(right)) else { return };
        let fits = match op {
            Op::In => b == Sort::List || (a == Sort::Text && b == Sort::Text),
            Op::Eq | Op::Ne => a == b,
            _ => a == b && matches!(a, Sort::Number | Sort::Text | Sort::Date),
        };
        if !fits {
            let message =
                format!("{} is compared with {}, which each platform answers differently", a.title(), b.title());
            self.push(
                Diagnostic::error("template/type-mismatch", self.at(expr), message)
                    .hint("Compare values of one kind: numbers without quotes, text in quotes"),
            );
        }
    }

    fn sort(&self, expr: &Expr) -> Option<Sort> {
        match &expr.kind {
            ExprKind::Const(Const::Text(_)) => Some(Sort::Text),
            ExprKind::Const(Const::Int(_) | Const::Float(_)) => Some(Sort::Number),
            ExprKind::Const(Const::Bool(_)) => Some(Sort::Bool),
            ExprKind::Filter { name, .. } => match name.as_str() {
                "length" => Some(Sort::Number),
                "upper" | "lower" | "join" | "money" | "number" | "date_fmt" | "truncate_chars" | "urlencode"
                | "arrival" => Some(Sort::Text),
                "is_past" => Some(Sort::Bool),
                _ => None,
            },
            // What lies inside a list or object, or under a name of a loop, has no declared kind.
            ExprKind::Path { steps, .. } if steps.is_empty() => match self.field_of(expr)?.source {
                FieldSource::Constant(_) => None,
                _ => Some(match self.field_of(expr)?.kind {
                    ValueType::Text => Sort::Text,
                    ValueType::Number | ValueType::Money => Sort::Number,
                    ValueType::Bool => Sort::Bool,
                    ValueType::Date | ValueType::Instant => Sort::Date,
                    ValueType::List => Sort::List,
                    ValueType::Object => return None,
                }),
            },
            _ => None,
        }
    }
}

/// Sorts of values that can be compared with each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Text,
    Number,
    Bool,
    Date,
    List,
}

impl Sort {
    fn title(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Number => "A number",
            Self::Bool => "Yes or no",
            Self::Date => "A date",
            Self::List => "A list",
        }
    }
}

fn is_bare(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Path { steps, .. } => steps.is_empty(),
        ExprKind::Slice { of, .. } => is_bare(of),
        _ => false,
    }
}

/// Whether one of these stands anywhere in the chain of filters.
pub(super) fn has_filter(expr: &Expr, names: &[&str]) -> bool {
    match &expr.kind {
        ExprKind::Filter { of, name, .. } => names.contains(&name.as_str()) || has_filter(of, names),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::template::{read, read_condition};

    fn fields() -> Vec<Field> {
        vec![
            Field::new("first_name", ValueType::Text, FieldSource::Contact("first_name".into())).with_fallback("there"),
            Field::new("cart_value", ValueType::Money, FieldSource::Trigger("value".into())),
            Field::new("cart_items", ValueType::List, FieldSource::Trigger("cart_items".into())),
            Field::new("threshold", ValueType::Number, FieldSource::Constant("threshold".into())),
            Field::new("visited", ValueType::Date, FieldSource::Contact("visited".into())),
        ]
    }

    fn print(found: &[Diagnostic], source: &str) -> String {
        let lines: Vec<String> = found
            .iter()
            .map(|d| format!("{} `{}` {}", d.code, d.place.range.unwrap_or_default().slice(source), d.hint))
            .collect();
        lines.join("\n")
    }

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let mut found = Vec::new();
        read(source, &fields(), &[], &Place::default(), &mut found);
        let printed = print(&found, source);
        assert!(
            if expected.is_empty() { printed.is_empty() } else { printed.starts_with(expected) },
            "{source}\n{printed}\nexpected {expected}"
        );
    }

    #[test]
    fn accepted() {
        for source in [
            "Hi {first_name}",
            "{{ first_name|default('you', true)|upper }}",
            "{% if cart_value %}{cart_value}{% endif %}",
            "{% if cart_value > threshold and not first_name == 'x' %}{{ cart_value|money }}{% elif cart_value %}x{% else %}y{% endif %}",
            "{% for item in cart_items[:3] %}{{ loop.index }} {item.name} {{ item['First name'] }}{% else %}none{% endfor %}",
            "{% if first_name in ['a', 'b'] %}x{% endif %}",
            "{% if cart_items|length > 2 %}x{% endif %}",
            "{# note #}{% raw %}{{ x }}{% endraw %}",
            "{unsubscribe_url} {{ view_url }}",
            "<style>.a{color:red}</style> {\"json\": 1}",
        ] {
            check(source, "");
        }
    }

    #[test]
    fn refused_with_places() {
        check("{{ cart_value + 1 }}", "template/refused `cart_value + 1`");
        check("ü{% set x = 1 %}", "template/refused `");
        check("{{ first_name|title }}", "template/refused `title`");
        check("{{ first_name|defualt('x', true) }}", "template/refused `defualt('x', true)` Did you mean `default`?");
        check("{{ first_name|default('x') }}", "template/refused `default('x')` Write `default('there', true)`");
        check("{{ 'a' if first_name else 'b' }}", "template/refused");
        check("{{ range(10) }}", "template/refused `range(10)`");
        check("{% if 1 < cart_value < 3 %}{% endif %}", "template/refused");
        check("{{ cart_items.items }}", "template/refused");
        check("{% for a, b in cart_items %}{% endfor %}", "template/refused");
        check("{% include 'x' %}", "template/refused");
        check("{% macro x() %}{% endmacro %}", "template/refused");
        check("{{ first_name > 'a' }}", "template/refused");
        check("{{ first_name is string }}", "template/refused");
        check("{{ loop.index }}", "template/refused");
        check("{% for x in cart_items %}{{ loop.depth }}{% endfor %}", "template/refused");
    }

    #[test]
    fn syntax_errors_have_places() {
        check("{{ first_name", "template/syntax");
        check("{% if first_name %}x", "template/syntax");
        check("{{ first_name|default('x }}", "template/syntax");
        check("{first_name} {{ first_name }", "template/syntax");
        // While somebody types a tag into a long source, its first line is marked and not all that follows.
        let long = format!("<p>ü {{% if x</p>\n{}{{{{ first_name }}}}", "<p>Words</p>\n".repeat(200));
        check(&long, "template/refused `{% if x</p>` Write `}}` behind a value");
        let flat = format!("{{% if x <p>{}{{% endif %}}", "<p>Words</p>".repeat(200));
        check(&flat, "template/refused `{% if x ` Write");
    }

    #[test]
    fn unknown_fields() {
        check("Hi {frist_name}", "template/unknown-field `{frist_name}` Did you mean `first_name`?");
        check("{first_name} {{ cart_valu }}", "template/unknown-field `cart_valu` Did you mean `cart_value`?");
        check("{% for i in cart_items %}{% endfor %}{{ i.name }}", "template/unknown-field `i.name`");
        check("{braces}", "template/unknown-field `{braces}` Declare");
    }

    #[test]
    fn fallbacks() {
        check("{first_name} {cart_value}", "template/no-fallback `cart_value`");
        check("{% if cart_value > 3 and first_name %}{cart_value}{% endif %}", "");
        check("{% if not cart_value %}{cart_value}{% endif %}", "template/no-fallback");
        check("{% if first_name or cart_value %}{cart_value}{% endif %}", "template/no-fallback");
        check("{threshold}", "");
    }

    #[test]
    fn types() {
        check("{% if cart_value > '100' %}{% endif %}", "template/type-mismatch `cart_value > '100'`");
        check("{% if first_name == 3 %}{% endif %}", "template/type-mismatch");
        check("{% if visited > cart_value %}{% endif %}", "template/type-mismatch");
        check("{% for x in first_name %}{% endfor %}", "template/type-mismatch `first_name`");
    }

    #[test]
    fn conditions() {
        for (source, expected) in [
            ("{cart_value} > {threshold} AND first_name = 'Ada'", ""),
            ("If {cart_value} > {threshold}", ""),
            ("cart_valeu > 3", "template/unknown-field `cart_valeu` Did you mean `cart_value`?"),
            ("cart_value >", "template/syntax"),
            ("first_name = 3", "template/type-mismatch `first_name = 3`"),
            ("", "template/syntax"),
        ] {
            let mut found = Vec::new();
            read_condition(source, &fields(), &Place::default(), &mut found);
            let printed = print(&found, source);
            assert!(
                if expected.is_empty() { printed.is_empty() } else { printed.starts_with(expected) },
                "{source}\n{printed}\nexpected {expected}"
            );
        }
    }

    #[test]
    fn hostile_input_is_refused_and_not_followed() {
        for source in [
            "{% elif x %}".repeat(5_000),
            format!("{{% if a %}}{}{{% endif %}}", "{% elif x %}".repeat(5_000)),
            format!("{{{{ a{} }}}}", ".b".repeat(50_000)),
            format!("{{{{ {}a }}}}", "not ".repeat(50_000)),
            format!("{{{{ {} }}}}", "(".repeat(50_000)),
            "{% if a %}".repeat(10_000),
            "{% for a in b %}".repeat(10_000),
            "{".repeat(100_000),
            "{{".repeat(50_000),
            "x".repeat(2 << 20),
        ] {
            let mut found = Vec::new();
            read(&source, &fields(), &[], &Place::default(), &mut found);
            assert!(source.starts_with("{{{{{{{{") || source.starts_with('{') || !found.is_empty());
        }
    }
}
