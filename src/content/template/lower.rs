//! From the tree to what the engine runs: fallbacks, formats and guards written out.
//!
//! The one idea: a bare tag prints a text that was made ready with the values (`_s_name`: formatted, or the
//! fallback, or a mark that says "missing"), so that rendering a mail is little more than copying. Conditions see the
//! typed value. The mark is how a missing tag in a part that is really shown is noticed (SEMANTICS R27).

use std::fmt::Write as _;

use super::{
    check::has_filter,
    tree::{Const, Expr, ExprKind, Node, Op, Step},
};
use crate::content::{Field, RESERVED_LINKS};

/// Opens a mark for a missing tag; its name follows. A private-use character that no data may hold.
pub(crate) const MISSING_OPEN: char = '\u{E000}';
/// Closes a mark.
pub(crate) const MISSING_CLOSE: char = '\u{E001}';

/// Before the name in the mark of a list: without it a part of the mail is left out, which holds nothing.
pub(crate) const LIST: char = '*';

/// What a missing tag prints.
pub(crate) fn missing_mark(name: &str) -> String {
    format!("{MISSING_OPEN}{name}{MISSING_CLOSE}")
}

/// Name under which the text of a bare tag is found.
pub(crate) fn shown_name(name: &str) -> String {
    format!("_s_{name}")
}

/// The tags that a template prints, and the texts that stand in for them where the template says so itself.
pub(crate) type Printed = Vec<(String, Option<String>)>;

/// The runtime form of a template. Names of printed tags are added to `printed`, each once per default.
pub(crate) fn lower(nodes: &[Node], fields: &[Field], printed: &mut Printed) -> String {
    let mut lowering = Lowering { fields, locals: Vec::new(), out: String::new(), printed };
    lowering.nodes(nodes);
    lowering.out
}

struct Lowering<'a> {
    fields: &'a [Field],
    locals: Vec<String>,
    out: String,
    printed: &'a mut Printed,
}

impl Lowering<'_> {
    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Raw(text) => raw(text, "raw", &mut self.out),
                Node::Print(expr) => {
                    let printed = self.print(expr);
                    let _ = write!(self.out, "{{{{ {printed} }}}}");
                }
                Node::If { arms, otherwise } => {
                    for (n, (test, body)) in arms.iter().enumerate() {
                        let word = if n == 0 { "if" } else { "elif" };
                        let _ = write!(self.out, "{{% {word} {} %}}", self.condition(test));
                        self.nodes(body);
                    }
                    if !otherwise.is_empty() {
                        self.out.push_str("{% else %}");
                        self.nodes(otherwise);
                    }
                    self.out.push_str("{% endif %}");
                }
                Node::For { var, items, body, otherwise } => {
                    let _ = write!(self.out, "{{% for {var} in {} %}}", value(items));
                    self.locals.push(var.clone());
                    self.nodes(body);
                    self.locals.pop();
                    let list = self.list(items);
                    if !otherwise.is_empty() || list.is_some() {
                        self.out.push_str("{% else %}");
                        self.out.push_str(&list.unwrap_or_default());
                        self.nodes(otherwise);
                    }
                    self.out.push_str("{% endfor %}");
                }
            }
        }
    }

    fn note(&mut self, name: &str, default: Option<&str>) {
        let entry = (name.to_owned(), default.map(str::to_owned));
        if !self.printed.contains(&entry) {
            self.printed.push(entry);
        }
    }

    /// Notes the list that a loop goes over; the mark that says it is missing where the loop is shown, if nothing else
    /// is to stand there.
    fn list(&mut self, items: &Expr) -> Option<String> {
        let mut base = items;
        while let ExprKind::Slice { of, .. } | ExprKind::Filter { of, .. } = &base.kind {
            base = of;
        }
        let ExprKind::Path { root, steps } = &base.kind else { return None };
        if self.locals.contains(root) {
            return None;
        }
        let field = self.fields.iter().find(|field| field.name == *root)?;
        let name = path(root, steps);
        self.note(&name, None);
        field.fallback.is_none().then(|| missing_mark(&format!("{LIST}{name}")))
    }

    fn print(&mut self, expr: &Expr) -> String {
        let (base, filters) = chain(expr);
        let ExprKind::Path { root, steps } = &base.kind else { return value(expr) };
        if self.locals.contains(root) || RESERVED_LINKS.contains(&root.as_str()) {
            return value(expr);
        }
        let Some(field) = self.fields.iter().find(|field| field.name == *root) else { return value(expr) };
        // Nothing has a length too: 0, as on the platforms.
        if filters.iter().any(|(name, _)| *name == "length") {
            return value(expr);
        }
        let path = path(root, steps);
        let default = filters.iter().find_map(|(name, args)| match (*name, args.first()) {
            ("default", Some(Const::Text(text))) => Some(text.clone()),
            ("default", Some(other)) => Some(literal(other)),
            _ => None,
        });
        let name = if steps.is_empty() { root.clone() } else { path.clone() };
        self.note(&name, default.as_deref());
        let shown = if steps.is_empty() {
            shown_name(root)
        } else {
            quoted(&field.fallback.clone().unwrap_or_else(|| missing_mark(&name)))
        };
        if filters.is_empty() {
            return if steps.is_empty() { shown } else { format!("{path}|_shown if {path} is defined else {shown}") };
        }
        // A filter on text gets what a bare tag prints; a filter on values gets the value.
        let on_text =
            steps.is_empty() && !matches!(filters[0].0, "money" | "number" | "date_fmt" | "length" | "join" | "yes_no");
        if has_filter(expr, &["default"]) {
            let base = if on_text { format!("({shown} if {path} else \"\")") } else { path };
            return format!("{base}{}", written(&filters));
        }
        let base = if on_text { shown.clone() } else { path.clone() };
        if on_text && field.fallback.is_some() {
            return format!("{base}{}", written(&filters));
        }
        format!("{base}{} if {path} is defined else {shown}", written(&filters))
    }

    fn condition(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Not(of) => format!("(not {})", self.condition(of)),
            ExprKind::And(left, right) => format!("({} and {})", self.condition(left), self.condition(right)),
            ExprKind::Or(left, right) => format!("({} or {})", self.condition(left), self.condition(right)),
            ExprKind::Defined(of) => format!("({} is defined)", value(of)),
            ExprKind::Compare(op, left, right) => {
                let (a, b) = (value(left), value(right));
                let mut out = String::from("(");
                // The engine sorts a missing value below all numbers; to people and platforms it compares as false.
                if !matches!(op, Op::Eq | Op::Ne) {
                    for (side, text) in [(left, &a), (right, &b)] {
                        if !matches!(side.kind, ExprKind::Const(_)) {
                            let _ = write!(out, "{text} is defined and ");
                        }
                    }
                }
                let _ = write!(out, "{a} {} {b})", op.sign());
                out
            }
            _ => value(expr),
        }
    }
}

/// A value and the filters after it, first to last.
pub(super) fn chain(expr: &Expr) -> (&Expr, Vec<(&str, &[Const])>) {
    let mut filters = Vec::new();
    let mut base = expr;
    while let ExprKind::Filter { of, name, args } = &base.kind {
        filters.push((name.as_str(), args.as_slice()));
        base = of;
    }
    filters.reverse();
    (base, filters)
}

fn written(filters: &[(&str, &[Const])]) -> String {
    let mut out = String::new();
    for (name, args) in filters {
        let args: Vec<String> = args.iter().map(literal).collect();
        let _ = if args.is_empty() { write!(out, "|{name}") } else { write!(out, "|{name}({})", args.join(", ")) };
    }
    out
}

/// A value as the engine reads it.
pub(super) fn value(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Path { root, steps } => path(root, steps),
        ExprKind::Const(constant) => literal(constant),
        ExprKind::Slice { of, start, stop } => {
            let bound = |n: &Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
            format!("{}[{}:{}]", value(of), bound(start), bound(stop))
        }
        ExprKind::Filter { .. } => {
            let (base, filters) = chain(expr);
            format!("{}{}", value(base), written(&filters))
        }
        ExprKind::Not(of) => format!("(not {})", value(of)),
        ExprKind::And(a, b) => format!("({} and {})", value(a), value(b)),
        ExprKind::Or(a, b) => format!("({} or {})", value(a), value(b)),
        ExprKind::Compare(op, a, b) => format!("({} {} {})", value(a), op.sign(), value(b)),
        ExprKind::Defined(of) => format!("({} is defined)", value(of)),
    }
}

/// Whether a property can be written after a dot.
pub(super) fn is_plain_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn path(root: &str, steps: &[Step]) -> String {
    let mut out = root.to_owned();
    for step in steps {
        let _ = match step {
            Step::Name(name) if is_plain_name(name) => write!(out, ".{name}"),
            Step::Name(name) => write!(out, "[{}]", quoted(name)),
            Step::Index(n) => write!(out, ".{n}"),
        };
    }
    out
}

pub(super) fn literal(constant: &Const) -> String {
    match constant {
        Const::Text(text) => quoted(text),
        Const::Int(n) => n.to_string(),
        Const::Float(n) => format!("{n:?}"),
        Const::Bool(b) => b.to_string(),
    }
}

/// A text in double quotes with the escapes that the engine and JSON share.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Literal text, wrapped where it would be read as a tag. `word` is the statement for that: `raw`, `verbatim`.
pub(super) fn raw(text: &str, word: &str, out: &mut String) {
    let special = ["{{", "{%", "{#"].iter().any(|tag| text.contains(tag)) || text.ends_with('{');
    if special {
        let _ = write!(out, "{{% {word} %}}{text}{{% end{word} %}}");
    } else {
        out.push_str(text);
    }
}
