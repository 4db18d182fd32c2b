//! What Klaviyo reads: Django templates with Klaviyo's own tags.

use std::fmt::Write as _;

use super::*;
use crate::content::filters::{truncate_chars, urlencode};

/// Most terms that a condition may have without parentheses. Source: references, mail rendering, safe subset.
const MAX_TERMS: usize = 16;

impl Printer<'_> {
    pub(super) fn django_print(&mut self, expr: &Expr) -> String {
        let (base, filters) = chain(expr);
        let ExprKind::Path { root, steps } = &base.kind else {
            return match &base.kind {
                ExprKind::Const(Const::Text(text)) if filters.is_empty() => self.words(text),
                ExprKind::Const(other) if filters.is_empty() => literal(other),
                _ => format!("{{{{ {} }}}}", self.django_value(expr)),
            };
        };
        let field = match self.source(root) {
            Source::Link(link) => {
                return match link {
                    "unsubscribe_url" => "{% unsubscribe_link %}",
                    "preferences_url" => "{% manage_preferences_link %}",
                    _ => "{% web_view_link %}",
                }
                .into();
            }
            Source::Field(field) => Some(field),
            Source::Local | Source::Unknown => None,
        };
        if let Some(field) = field
            && matches!(field.source, FieldSource::Constant(_))
            && field.klaviyo.is_none()
        {
            return self.constant_words(field);
        }
        if let Some(Field { source: FieldSource::Code { pool }, klaviyo: None, .. }) = field {
            return format!("{{% coupon_code {} %}}", django_quote(pool, Part::Plain));
        }
        let access = self.django_access(base, root, steps);
        let default = filters
            .iter()
            .find_map(|(name, args)| (*name == "default").then(|| args.first()).flatten())
            .map(const_text);
        // Nothing has a length too: 0, and no fallback.
        let counted = filters.iter().any(|(name, _)| *name == "length");
        let fallback = field
            .filter(|_| !counted && (steps.is_empty() || default.is_none()))
            .and_then(|field| field.fallback.clone());
        // A bare tag has its field's format; a filter in the template takes its place.
        let formatting = match filters.iter().find(|(name, _)| is_formatting(name)) {
            Some((name, args)) => self.django_format(base, &access, name, args),
            None => match field
                .filter(|_| steps.is_empty() && !filters.iter().any(|(name, _)| matches!(*name, "length" | "join")))
            {
                Some(field) => self.django_shown(base, &access, field),
                None => None,
            },
        };
        let rest: Vec<(&str, &[Const])> =
            filters.iter().filter(|(name, _)| *name != "default" && !is_formatting(name)).copied().collect();
        if let Some(formatted) = formatting {
            if !rest.is_empty() && formatted.starts_with("{%") {
                self.lose(
                    "klaviyo/filter",
                    expr,
                    format!("`{}` goes through a filter after its format", value(base)),
                    "Print it without the second filter",
                );
            }
            let zero_counts = default.is_none() && may_be_zero(field, steps);
            let test = if zero_counts { format!("{access} or {access} == 0") } else { access.clone() };
            let words = default.or(fallback);
            return match words {
                Some(words) => format!("{{% if {test} %}}{formatted}{{% else %}}{}{{% endif %}}", self.words(&words)),
                None => format!("{{% if {test} %}}{formatted}{{% endif %}}"),
            };
        }
        // A lookup of what is not there may print "None". Source: references, klaviyo, section 12.
        let nothing = if may_be_zero(field, steps) { "default_if_none" } else { "default" };
        let guarded = if access.contains("|lookup:") && default.is_none() && fallback.is_none() {
            format!("{access}|{nothing}:''")
        } else {
            access.clone()
        };
        // Django takes words in a filter as safe, and what a filter makes of entities is not what was meant: where both
        // meet, the words go through the filters here.
        if self.part == Part::Html
            && let Some((words, after)) = match (&default, &fallback) {
                (Some(words), _) => {
                    let at = filters.iter().position(|(name, _)| *name == "default").unwrap_or(0);
                    Some((words, (filters.get(..at).unwrap_or_default(), filters.get(at + 1..).unwrap_or_default())))
                }
                (None, Some(words)) if !may_be_zero(field, steps) => Some((words, ([].as_slice(), filters.as_slice()))),
                _ => None,
            }
            && words.contains(['&', '<', '>', '"', '\''])
            && let Some(made) = filtered_words(words, after.1)
        {
            let before = if default.is_some() { [after.0, after.1].concat() } else { filters.clone() };
            let with_value = self.django_filters(expr, &access, &before);
            let test = self.django_filters(expr, &access, after.0);
            let words = if after.1.iter().any(|(name, _)| *name == "safe") { made } else { self.words(&made) };
            return format!("{{% if {test} %}}{{{{ {with_value} }}}}{{% else %}}{words}{{% endif %}}");
        }
        let filtered = self.django_filters(expr, &guarded, &filters);
        match (default, fallback) {
            (Some(_), _) => format!("{{{{ {filtered} }}}}"),
            (None, Some(words)) => {
                // What has two halves: the fallback goes through no filter that is not for text.
                if may_be_zero(field, steps) {
                    return format!(
                        "{{% if {access} or {access} == 0 %}}{{{{ {filtered} }}}}{{% else %}}{}{{% endif %}}",
                        self.words(&words)
                    );
                }
                if filters.iter().any(|(name, _)| *name == "join") {
                    return format!(
                        "{{% if {access} %}}{{{{ {filtered} }}}}{{% else %}}{}{{% endif %}}",
                        self.words(&words)
                    );
                }
                let with_fallback = format!("{access}|default:{}", django_quote(&words, self.part));
                let filtered = self.django_filters(expr, &with_fallback, &filters);
                format!("{{{{ {filtered} }}}}")
            }
            (None, None) => format!("{{{{ {filtered} }}}}"),
        }
    }

    /// What stands for a path in Klaviyo, filters like `lookup` included.
    fn django_access(&mut self, expr: &Expr, root: &str, steps: &[Step]) -> String {
        let mut looked_up = false;
        let mut out;
        match self.source(root) {
            Source::Local if root == "loop" => {
                let name = match steps {
                    [Step::Name(name)] => name.as_str(),
                    _ => "",
                };
                return match name {
                    "index" => "forloop.counter",
                    "index0" => "forloop.counter0",
                    "first" => "forloop.first",
                    "last" => "forloop.last",
                    "revindex" => "forloop.revcounter",
                    _ => "forloop.revcounter0",
                }
                .into();
            }
            Source::Local | Source::Unknown => out = root.to_owned(),
            Source::Link(_) => {
                self.lose(
                    "klaviyo/link-condition",
                    expr,
                    format!("`{root}` can only be printed"),
                    "Do not test links: they are always there",
                );
                return "True".into();
            }
            Source::Field(field) => {
                let (text, by_lookup) = self.django_field(expr, field);
                out = text;
                looked_up = by_lookup;
            }
        }
        for step in steps {
            django_step(&mut out, step, &mut looked_up);
        }
        out
    }

    fn django_field(&mut self, expr: &Expr, field: &Field) -> (String, bool) {
        if let Some(own) = &field.klaviyo {
            let bare = own.trim().trim_start_matches("{{").trim_end_matches("}}").trim().to_owned();
            let by_lookup = bare.contains("|lookup:");
            return (bare, by_lookup);
        }
        match &field.source {
            FieldSource::Contact(path) => contact_access(path),
            FieldSource::Trigger(path) => dotted("event", path, false),
            FieldSource::Constant(_) => (self.constant_literal(field), false),
            FieldSource::Code { pool } => {
                self.lose(
                    "klaviyo/code-condition",
                    expr,
                    format!("Whether there is a code in `{pool}` cannot be asked"),
                    "Show the part without a condition on the code",
                );
                ("True".into(), false)
            }
            FieldSource::Computed(Computed::Stock(path)) => {
                self.lose(
                    "klaviyo/stock",
                    expr,
                    format!("`{}` is printed as the event has it, not as pieces left now", field.name),
                    "Send the number of pieces left with the event, whole and not below 0",
                );
                dotted("event", path, false)
            }
            FieldSource::LastEvent { .. } | FieldSource::Computed(_) => {
                self.out.prepared.insert(field.name.clone());
                self.lose("klaviyo/prepared-property", expr,
                    format!("`{}` is worked out from history, which a Klaviyo template cannot do; it is read from the profile property `{}`", field.name, field.name),
                    "Keep this profile property up to date from your own system, or send the value with the event");
                dotted("person", &field.name, true)
            }
        }
    }

    /// How a bare tag with a format is printed; `None` for one that prints as it is.
    fn django_shown(&mut self, expr: &Expr, access: &str, field: &Field) -> Option<String> {
        match field.shown_as() {
            Format::Money => self.django_format(expr, access, "money", &[]),
            Format::Number(decimals) => self.django_format(expr, access, "number", &[Const::Int(decimals.into())]),
            Format::Date(pattern) => self.django_format(expr, access, "date_fmt", &[Const::Text(pattern)]),
            Format::Text if field.kind == ValueType::Bool => Some(format!("{{{{ {access}|yesno:'yes,no' }}}}")),
            Format::Text if field.kind == ValueType::List => Some(format!("{{{{ {access}|join:', ' }}}}")),
            Format::Text | Format::Plain => None,
        }
    }

    fn django_format(&mut self, expr: &Expr, access: &str, name: &str, args: &[Const]) -> Option<String> {
        Some(match name {
            "money" => format!("{{% currency_format {access} %}}"),
            "number" => {
                let decimals = match args.first() {
                    Some(Const::Int(n)) => (*n).clamp(0, 6),
                    _ => 0,
                };
                self.lose(
                    "klaviyo/thousands",
                    expr,
                    format!("`{}` is printed without commas between thousands", value(expr)),
                    "Print it as money, or send it as text",
                );
                format!("{{{{ {access}|floatformat:{decimals} }}}}")
            }
            "date_fmt" => {
                // Inside an object or a loop nobody knows what sort of date it is.
                let sort =
                    self.field(expr).filter(|_| matches!(&expr.kind, ExprKind::Path { steps, .. } if steps.is_empty()));
                if sort.is_none_or(|field| field.kind == ValueType::Instant) {
                    self.lose(
                        "klaviyo/zone",
                        expr,
                        format!("`{}` is printed in UTC, as the event has it, not in the contact's zone", value(expr)),
                        "Send the date as text in the contact's zone, or print only what is the same everywhere",
                    );
                }
                let pattern = args.first().map(const_text).unwrap_or_default();
                let names = calendar::language(args.get(1..).unwrap_or_default());
                self.klaviyo_date(&format!("{access}|format_date_string"), &pattern, names)
            }
            "yes_no" => {
                let words: Vec<String> = args.iter().map(const_text).collect();
                let (yes, no) =
                    (words.first().map_or("yes", String::as_str), words.get(1).map_or("no", String::as_str));
                return Some(format!(
                    "{{% if {access} %}}{}{{% else %}}{}{{% endif %}}",
                    self.words(yes),
                    self.words(no)
                ));
            }
            _ => return None,
        })
    }

    fn django_filters(&mut self, expr: &Expr, access: &str, filters: &[(&str, &[Const])]) -> String {
        let mut out = access.to_owned();
        for (name, args) in filters {
            let _ = match (*name, *args) {
                ("default", [first, ..]) => write!(out, "|default:{}", django_quote(&const_text(first), self.part)),
                ("join", args) => {
                    let separator = args.first().map_or_else(|| ", ".to_owned(), const_text);
                    write!(out, "|join:{}", django_quote(&separator, self.part))
                }
                ("truncate_chars", [Const::Int(n), ..]) => write!(out, "|truncatechars:{n}"),
                ("money" | "number" | "date_fmt" | "yes_no" | "is_past" | "arrival", _) => {
                    self.lose(
                        "klaviyo/filter",
                        expr,
                        format!("`{name}` cannot be used inside a condition"),
                        "Compare the value itself",
                    );
                    Ok(())
                }
                (other, _) => write!(out, "|{other}"),
            };
        }
        out
    }

    pub(super) fn django_value(&mut self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Path { root, steps } => self.django_access(expr, root, steps),
            ExprKind::Const(Const::Text(text)) => django_quote(text, Part::Plain),
            ExprKind::Const(Const::Bool(yes)) => if *yes { "True" } else { "False" }.into(),
            ExprKind::Const(other) => literal(other),
            ExprKind::Slice { of, start, stop } => {
                let bound = |n: &Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
                format!("{}|slice:'{}:{}'", self.django_value(of), bound(start), bound(stop))
            }
            ExprKind::Filter { .. } => {
                let (base, filters) = chain(expr);
                let access = self.django_value(base);
                self.django_filters(expr, &access, &filters)
            }
            _ => self.django_condition(expr),
        }
    }

    /// A condition without parentheses: an or of ands.
    pub(super) fn django_condition(&mut self, expr: &Expr) -> String {
        let Some(terms) = terms(expr, false) else {
            self.lose(
                "klaviyo/condition-size",
                expr,
                format!(
                    "Without parentheses this condition has more than {MAX_TERMS} terms, so this part is never shown"
                ),
                "Split the block in two, or send a property that says it",
            );
            return "False".into();
        };
        let mut alternatives = Vec::new();
        for term in terms {
            let atoms: Vec<String> = term
                .iter()
                .map(|atom| {
                    let not = if atom.negated { "not " } else { "" };
                    format!("{not}{}", self.django_atom(atom))
                })
                .collect();
            alternatives.push(atoms.join(" and "));
        }
        alternatives.join(" or ")
    }

    fn django_atom(&mut self, atom: &Atom<'_>) -> String {
        match &atom.expr.kind {
            ExprKind::Compare(op, left, right) => {
                format!("{} {} {}", self.django_value(left), op.sign(), self.django_value(right))
            }
            ExprKind::Defined(of) if atom.zero => format!("{} == 0", self.django_value(of)),
            ExprKind::Defined(of) => self.django_value(of),
            _ if self.deadline_test(atom.expr) == Some(false) => "False".into(),
            _ => self.django_value(atom.expr),
        }
    }
}

/// How Klaviyo writes a property of a contact, and whether by `lookup`.
pub(in crate::content::template) fn contact_access(path: &str) -> (String, bool) {
    match path {
        "first_name" | "last_name" | "full_name" | "email" => (path.to_owned(), false),
        "phone" | "phone_number" => ("person.phone_number".into(), false),
        "organization" | "title" => (format!("person.{path}"), false),
        "city" => ("person.City".into(), false),
        "region" => ("person.Region".into(), false),
        "country" => ("person.Country".into(), false),
        "zip" | "postal_code" => ("person.Zipcode".into(), false),
        _ => dotted("person", path, true),
    }
}

/// A dotted path under a name; `always` by `lookup`.
pub(in crate::content::template) fn dotted(root: &str, path: &str, always: bool) -> (String, bool) {
    let mut out = root.to_owned();
    let mut by_lookup = false;
    for step in path.split('.') {
        let step = match step.parse::<i64>() {
            Ok(n) => Step::Index(n),
            Err(_) => Step::Name(step.to_owned()),
        };
        by_lookup |= always;
        django_step(&mut out, &step, &mut by_lookup);
    }
    (out, by_lookup)
}

pub(in crate::content::template) fn django_step(out: &mut String, step: &Step, looked_up: &mut bool) {
    let _ = match step {
        Step::Name(name) if is_plain_name(name) && !*looked_up && !is_method(name) => write!(out, ".{name}"),
        Step::Name(name) => {
            *looked_up = true;
            write!(out, "|lookup:{}", django_quote(name, Part::Plain))
        }
        Step::Index(n) if *looked_up => write!(out, "|lookup:'{n}'"),
        Step::Index(n) => write!(out, ".{n}"),
    };
}

/// Words as filters on text make them; `None` where there is no filter, or one that is not for text.
pub(in crate::content::template) fn filtered_words(words: &str, filters: &[(&str, &[Const])]) -> Option<String> {
    let mut out = words.to_owned();
    for (name, args) in filters {
        out = match (*name, *args) {
            ("upper", _) => out.to_uppercase(),
            ("lower", _) => out.to_lowercase(),
            ("urlencode", _) => urlencode(&out),
            ("truncate_chars", [Const::Int(most), ..]) => truncate_chars(&out, usize::try_from(*most).ok()?),
            ("safe", _) => out,
            _ => return None,
        };
    }
    (!filters.is_empty()).then_some(out)
}

/// Whether a value can be there and yet count as no in a condition: 0, or "no". Of what lies inside an object or a
/// loop nobody knows the kind.
fn may_be_zero(field: Option<&Field>, steps: &[Step]) -> bool {
    field
        .filter(|_| steps.is_empty())
        .is_none_or(|field| matches!(field.kind, ValueType::Number | ValueType::Money | ValueType::Bool))
}

/// Names that Django finds on every dictionary: `event.items` is a method where the event has no such property.
/// Source: Python 3, `dict`.
fn is_method(name: &str) -> bool {
    const METHODS: [&str; 11] =
        ["clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];
    METHODS.contains(&name)
}

/// A text for Django: single quotes, double ones where it has a single one. Django takes such texts as safe, so in
/// HTML they are escaped here.
pub(super) fn django_quote(text: &str, part: Part) -> String {
    let text = text.replace('\\', "\\\\");
    let text = if part == Part::Html { escape(&text) } else { text };
    if text.contains('\'') && !text.contains('"') {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "\\'"))
    }
}

/// One part of a condition: a comparison or value, negated or not.
#[derive(Clone, Copy)]
struct Atom<'a> {
    expr: &'a Expr,
    negated: bool,
    /// Of `is defined`: this is its second half, "or it is 0".
    zero: bool,
}

/// The condition as an or of ands; `None` where it has too many terms.
fn terms(expr: &Expr, negated: bool) -> Option<Vec<Vec<Atom<'_>>>> {
    match &expr.kind {
        ExprKind::Not(of) => terms(of, !negated),
        ExprKind::And(left, right) | ExprKind::Or(left, right) => {
            let (a, b) = (terms(left, negated)?, terms(right, negated)?);
            // By De Morgan a negated and is an or.
            let and = matches!(expr.kind, ExprKind::And(..)) != negated;
            let all = if and {
                if a.len() * b.len() > MAX_TERMS {
                    return None;
                }
                a.iter().flat_map(|x| b.iter().map(|y| [x.as_slice(), y.as_slice()].concat())).collect()
            } else {
                [a, b].concat()
            };
            (all.len() <= MAX_TERMS).then_some(all)
        }
        ExprKind::Defined(_) => {
            let (first, second) = (Atom { expr, negated, zero: false }, Atom { expr, negated, zero: true });
            Some(if negated { vec![vec![first, second]] } else { vec![vec![first], vec![second]] })
        }
        _ => Some(vec![vec![Atom { expr, negated, zero: false }]]),
    }
}
