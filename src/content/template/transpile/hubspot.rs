//! What HubSpot's mails read: HubL.

use std::fmt::Write as _;

use super::*;

impl Printer<'_> {
    pub(super) fn hubl_print(&mut self, expr: &Expr) -> String {
        let (base, filters) = chain(expr);
        let ExprKind::Path { root, steps } = &base.kind else {
            return match &base.kind {
                ExprKind::Const(Const::Text(text)) if filters.is_empty() => self.words(text),
                _ => format!("{{{{ {} }}}}", self.hubl_value(expr)),
            };
        };
        let field = match self.source(root) {
            Source::Link(link) => {
                return match link {
                    "unsubscribe_url" => "{{ unsubscribe_link_all }}",
                    "preferences_url" => "{{ unsubscribe_link }}",
                    _ => "{{ view_as_page_url }}",
                }
                .into();
            }
            Source::Field(field) => field,
            Source::Local | Source::Unknown => return format!("{{{{ {} }}}}", self.hubl_value(expr)),
        };
        if matches!(field.source, FieldSource::Constant(_)) {
            return self.constant_words(field);
        }
        let access = self.hubl_access(base, root, steps);
        let token = access.strip_prefix("contact.").is_some();
        let default = filters
            .iter()
            .find_map(|(name, args)| (*name == "default").then(|| args.first()).flatten())
            .map(const_text);
        let other: Vec<&str> = filters.iter().map(|(name, _)| *name).filter(|name| *name != "default").collect();
        let formatted = steps.is_empty()
            && (!matches!(field.shown_as(), Format::Text | Format::Plain) || field.kind == ValueType::Bool);
        if !other.is_empty() || formatted {
            let how = other.first().map_or_else(|| "its format".to_owned(), |name| format!("`{name}`"));
            self.out.prepared.insert(field.name.clone());
            self.lose(
                "hubspot/format",
                expr,
                format!(
                    "`{}` is printed without {how}: filters do not work on contact tokens in HubSpot's mails",
                    field.name
                ),
                "Fill the property with the text as it is to be read, for example €1,290.00",
            );
        }
        if default.is_some() && matches!(field.kind, ValueType::Number | ValueType::Money) {
            self.lose(
                "hubspot/zero",
                expr,
                format!("Where `{}` is 0, HubSpot prints 0 and not what should stand in for it", field.name),
                "Leave the property empty instead of 0, or give the field a fallback, which stands in for nothing only",
            );
        }
        match default.or_else(|| field.fallback.clone()) {
            Some(words) if token => {
                let words = if self.part == Part::Html { escape(&words) } else { words };
                format!("{{{{ personalization_token({}, {}) }}}}", hubl_quote(&access), hubl_quote(&words))
            }
            Some(words) => format!("{{{{ {access}|default({}, true) }}}}", hubl_quote(&words)),
            None => format!("{{{{ {access} }}}}"),
        }
    }

    fn hubl_access(&mut self, expr: &Expr, root: &str, steps: &[Step]) -> String {
        let mut out = match self.source(root) {
            Source::Local | Source::Unknown => root.to_owned(),
            Source::Link(_) => return "true".into(),
            Source::Field(field) if matches!(field.source, FieldSource::Constant(_)) => {
                return self.constant_literal(field);
            }
            Source::Field(field) => {
                let mut property = platform_property(field, Dialect::Hubspot).unwrap_or_default();
                for step in steps {
                    let _ = match step {
                        Step::Name(name) => write!(property, "_{}", property_name(name)),
                        Step::Index(n) => write!(property, "_{n}"),
                    };
                }
                if is_prepared(field, Dialect::Hubspot) || !steps.is_empty() {
                    if steps.is_empty() {
                        self.out.prepared.insert(field.name.clone());
                    }
                    let shown = value(expr);
                    self.lose(
                        "hubspot/prepared-property",
                        expr,
                        format!(
                            "`{shown}` is read from the contact property `{property}`, which must be filled before the mail"
                        ),
                        "Copy the value to this property by a workflow step or from your own system",
                    );
                }
                return format!("contact.{property}");
            }
        };
        for step in steps {
            let _ = match step {
                Step::Name(name) if is_plain_name(name) => write!(out, ".{name}"),
                Step::Name(name) => write!(out, "[{}]", hubl_quote(name)),
                Step::Index(n) => write!(out, "[{n}]"),
            };
        }
        out
    }

    pub(super) fn hubl_value(&mut self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Path { root, steps } => self.hubl_access(expr, root, steps),
            ExprKind::Const(Const::Text(text)) => hubl_quote(text),
            ExprKind::Const(other) => literal(other),
            ExprKind::Slice { of, start, stop } => {
                let bound = |n: &Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
                format!("{}[{}:{}]", self.hubl_value(of), bound(start), bound(stop))
            }
            ExprKind::Filter { .. } => {
                let (base, filters) = chain(expr);
                let access = self.hubl_value(base);
                self.lose(
                    "hubspot/filter",
                    expr,
                    format!(
                        "`{}` is used without its filters, which do not work on contact tokens in HubSpot's mails",
                        value(base)
                    ),
                    "Fill a property with the value as it is to be compared",
                );
                let mut out = access;
                if self.field(base).is_none() {
                    for (name, args) in filters {
                        let args: Vec<String> = args
                            .iter()
                            .map(|arg| match arg {
                                Const::Text(text) => hubl_quote(text),
                                other => literal(other),
                            })
                            .collect();
                        let _ = if args.is_empty() {
                            write!(out, "|{name}")
                        } else {
                            write!(out, "|{name}({})", args.join(", "))
                        };
                    }
                }
                out
            }
            _ => self.hubl_condition(expr),
        }
    }

    pub(super) fn hubl_condition(&mut self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Not(of) => format!("not ({})", self.hubl_condition(of)),
            ExprKind::And(left, right) => format!("{} and {}", self.hubl_operand(left), self.hubl_operand(right)),
            ExprKind::Or(left, right) => format!("{} or {}", self.hubl_operand(left), self.hubl_operand(right)),
            ExprKind::Compare(op, left, right) => {
                format!("{} {} {}", self.hubl_value(left), op.sign(), self.hubl_value(right))
            }
            // 0 is a value too.
            ExprKind::Defined(of) => {
                let value = self.hubl_value(of);
                format!("({value} or {value} == 0)")
            }
            _ if self.deadline_test(expr) == Some(false) => "false".into(),
            _ => self.hubl_value(expr),
        }
    }

    fn hubl_operand(&mut self, expr: &Expr) -> String {
        let text = self.hubl_condition(expr);
        if matches!(expr.kind, ExprKind::And(..) | ExprKind::Or(..)) { format!("({text})") } else { text }
    }
}

pub(super) fn hubl_quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}
