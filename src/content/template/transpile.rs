//! From the tree to what Klaviyo and HubSpot read.
//!
//! The one idea: the tree holds only what can be carried over, so an export prints it anew instead of patching text.
//! What a platform cannot say is a finding with its remedy, never left out in silence. Deliberately not here: which
//! message goes where; that is the platforms' own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use smol_str::SmolStr;

use super::{
    lower::{chain, is_plain_name, literal, quoted, raw, value},
    read_expanded,
    tree::{Const, Expr, ExprKind, Node, Step},
};
use crate::{
    audience::{Value, ValueType, print_number},
    base::{Diagnostic, Place},
    content::{
        Brand, Computed, Field, FieldSource, Format, Message, RESERVED_LINKS, Variant, filters::print_value,
        layout::lay_out, markup::escape,
    },
};

/// A template language.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Dialect {
    /// Ours, every tag in the long form.
    Canonical,
    /// Django templates with Klaviyo's tags.
    Klaviyo,
    /// HubL, as HubSpot's mails read it.
    Hubspot,
}

/// What kind of text is printed: HTML escapes values, plain text does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The HTML of a mail.
    Html,
    /// Subject, preheader, text part, SMS.
    Plain,
}

/// What an export may ask.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The flow's fields.
    pub fields: &'a [Field],
    /// The flow's constants; their values are written into the export.
    pub constants: &'a BTreeMap<SmolStr, Value>,
}

/// A text in a platform's language.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Transpiled {
    /// The text.
    pub text: String,
    /// What the platform cannot say, with place and remedy.
    pub losses: Vec<Diagnostic>,
    /// Fields that the platform finds in a contact property which must be filled before the mail; names in order.
    pub prepared: BTreeSet<SmolStr>,
}

/// A variant in a platform's language.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ExportedMail {
    /// Subject line.
    pub subject: String,
    /// Preview text.
    pub preheader: String,
    /// HTML part.
    pub html: String,
    /// Plain-text part, or the SMS.
    pub text: String,
    /// What the platform cannot say, with place and remedy, and what the message itself was found guilty of.
    pub losses: Vec<Diagnostic>,
    /// Fields to be kept in contact properties, see [`platform_property`].
    pub prepared: BTreeSet<SmolStr>,
}

/// One text (a subject, an SMS, a webhook's body) in a platform's language. `place` is the text's place.
///
/// Errors: what was found, where the text is no template of the safe subset.
pub fn transpile(
    source: &str,
    part: Part,
    dialect: Dialect,
    scope: &Scope<'_>,
    place: &Place,
) -> Result<Transpiled, Vec<Diagnostic>> {
    let mut found = Vec::new();
    match super::read(source, scope.fields, &[], place, &mut found) {
        Some(template) => Ok(print_nodes(&template.nodes, part, dialect, scope, place)),
        None => Err(found),
    }
}

/// A whole variant in a platform's language.
///
/// Errors: what was found, where the message cannot be made.
pub fn export_variant(
    message: &Message,
    variant: &Variant,
    brand: &Brand,
    dialect: Dialect,
    scope: &Scope<'_>,
) -> Result<ExportedMail, Vec<Diagnostic>> {
    let mut found = Vec::new();
    let Some(sources) = lay_out(message, variant, scope.fields, brand, &mut found) else { return Err(found) };
    let place = Place::message(&message.id);
    let prefix = if message.variants.len() > 1 { format!("variants.{}.", variant.id) } else { String::new() };
    let mut out = ExportedMail::default();
    let mut seen = BTreeSet::new();
    let mut print = |name: &str, source: &str, part: Part| {
        let place = place.clone().with_field(format!("{prefix}{name}"));
        let nodes = match read_expanded(source) {
            Ok(nodes) => nodes,
            Err(detail) => {
                out.losses.push(Diagnostic::error(
                    "template/syntax",
                    place,
                    format!("This part cannot be read: {detail}"),
                ));
                return String::new();
            }
        };
        let printed = print_nodes(&nodes, part, dialect, scope, &place);
        out.prepared.extend(printed.prepared);
        // Ranges would be those of the laid-out source, which nobody wrote; one finding of a kind is enough.
        for mut loss in printed.losses {
            loss.place.range = None;
            if seen.insert((loss.code.clone(), loss.message.clone())) {
                out.losses.push(loss);
            }
        }
        if part == Part::Plain && dialect == Dialect::Klaviyo && printed.text.contains("{{") {
            return format!("{{% autoescape off %}}{}{{% endautoescape %}}", printed.text);
        }
        printed.text
    };
    let subject = print("subject", &sources.subject, Part::Plain);
    let preheader = print("preheader", &sources.preheader, Part::Plain);
    let html = print("body", &sources.html, Part::Html);
    let text = print("text", &sources.text, Part::Plain);
    Ok(ExportedMail { subject, preheader, html, text, ..out })
}

fn print_nodes(nodes: &[Node], part: Part, dialect: Dialect, scope: &Scope<'_>, place: &Place) -> Transpiled {
    let mut printer = Printer { part, dialect, scope, place, locals: Vec::new(), out: Transpiled::default() };
    printer.nodes(nodes);
    let mut out = printer.out;
    // Django keeps a last line break, the others strip one.
    if dialect == Dialect::Klaviyo && out.text.ends_with('\n') {
        out.text.pop();
    }
    out
}

/// The contact property in which a platform finds a field's value, where it is one: HubSpot keeps everything but
/// constants in properties, Klaviyo what is neither contact nor trigger data.
pub fn platform_property(field: &Field, dialect: Dialect) -> Option<String> {
    let derived = || {
        let name = match &field.source {
            FieldSource::Contact(path) => path.as_str(),
            _ => field.name.as_str(),
        };
        property_name(name)
    };
    match (dialect, &field.source) {
        (Dialect::Canonical, _) | (_, FieldSource::Constant(_)) => None,
        (Dialect::Hubspot, _) => {
            let named = field.hubspot.as_deref().map(|name| name.strip_prefix("contact.").unwrap_or(name).to_owned());
            Some(named.unwrap_or_else(derived))
        }
        (Dialect::Klaviyo, FieldSource::LastEvent { .. } | FieldSource::Computed(_)) => Some(field.name.to_string()),
        (Dialect::Klaviyo, _) => None,
    }
}

/// Whether a platform has the value only if something fills the property before the mail.
pub fn is_prepared(field: &Field, dialect: Dialect) -> bool {
    match (dialect, &field.source) {
        (Dialect::Canonical, _) | (_, FieldSource::Constant(_)) => false,
        (Dialect::Hubspot, FieldSource::Contact(path)) => path.contains('.'),
        (Dialect::Hubspot, _) => true,
        (Dialect::Klaviyo, FieldSource::LastEvent { .. } | FieldSource::Computed(_)) => field.klaviyo.is_none(),
        (Dialect::Klaviyo, _) => false,
    }
}

/// HubSpot's internal name of a property. Source: references, hubspot, section 10; the defaults differ in a few names.
fn property_name(name: &str) -> String {
    match name {
        "first_name" => "firstname".into(),
        "last_name" => "lastname".into(),
        "postal_code" | "zip_code" => "zip".into(),
        "job_title" => "jobtitle".into(),
        "language" => "hs_language".into(),
        _ => name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect(),
    }
}

/// Most terms that a condition may have without parentheses. Source: references, mail rendering, safe subset.
const MAX_TERMS: usize = 16;

struct Printer<'a> {
    part: Part,
    dialect: Dialect,
    scope: &'a Scope<'a>,
    place: &'a Place,
    locals: Vec<String>,
    out: Transpiled,
}

/// Where a value comes from on a platform.
enum Source<'a> {
    /// A name of a loop, or `loop` itself.
    Local,
    /// A reserved link.
    Link(&'a str),
    Field(&'a Field),
    /// Not declared; checked elsewhere.
    Unknown,
}

impl<'a> Printer<'a> {
    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Raw(text) => {
                    let word = if self.dialect == Dialect::Klaviyo { "verbatim" } else { "raw" };
                    raw(text, word, &mut self.out.text);
                }
                Node::Print(expr) => {
                    let printed = match self.dialect {
                        Dialect::Canonical => format!("{{{{ {} }}}}", value(expr)),
                        Dialect::Klaviyo => self.django_print(expr),
                        Dialect::Hubspot => self.hubl_print(expr),
                    };
                    self.out.text.push_str(&printed);
                }
                Node::If { arms, otherwise } => self.branches(arms, otherwise),
                Node::For { var, items, body, otherwise } => self.each(var, items, body, otherwise),
            }
        }
    }

    fn lose(&mut self, code: &'static str, expr: &Expr, message: String, hint: &str) {
        let place = self.place.clone().with_range(expr.range);
        self.out.losses.push(Diagnostic::warning(code, place, message).hint(hint));
    }

    fn source(&self, root: &str) -> Source<'a> {
        if root == "loop" || self.locals.iter().any(|local| local == root) {
            return Source::Local;
        }
        if let Some(link) = RESERVED_LINKS.into_iter().find(|link| *link == root) {
            return Source::Link(link);
        }
        self.scope.fields.iter().find(|field| field.name == root).map_or(Source::Unknown, Source::Field)
    }

    fn field(&self, expr: &Expr) -> Option<&'a Field> {
        match &expr.kind {
            ExprKind::Path { root, .. } => match self.source(root) {
                Source::Field(field) => Some(field),
                _ => None,
            },
            ExprKind::Filter { of, .. } | ExprKind::Slice { of, .. } => self.field(of),
            _ => None,
        }
    }

    /// Literal words that a platform puts in as they are.
    fn words(&self, text: &str) -> String {
        let text = if self.part == Part::Html { escape(text) } else { text.to_owned() };
        let mut out = String::new();
        raw(&text, if self.dialect == Dialect::Klaviyo { "verbatim" } else { "raw" }, &mut out);
        out
    }

    fn branches(&mut self, arms: &[(Expr, Vec<Node>)], otherwise: &[Node]) {
        for (n, (test, body)) in arms.iter().enumerate() {
            let word = if n == 0 { "if" } else { "elif" };
            let condition = match self.dialect {
                Dialect::Canonical => value(test),
                Dialect::Klaviyo => self.django_condition(test),
                Dialect::Hubspot => {
                    if self.field(test).is_some_and(|f| !matches!(f.source, FieldSource::Constant(_)))
                        || names_field(test)
                    {
                        self.lose(
                            "hubspot/programmable-mail",
                            test,
                            "Conditions in a mail need a coded template with programmable e-mail".into(),
                            "Switch on programmable e-mail for the template, or branch in the workflow and send two mails",
                        );
                    }
                    self.hubl_condition(test)
                }
            };
            let _ = write!(self.out.text, "{{% {word} {condition} %}}");
            self.nodes(body);
        }
        if !otherwise.is_empty() {
            self.out.text.push_str("{% else %}");
            self.nodes(otherwise);
        }
        self.out.text.push_str("{% endif %}");
    }

    fn each(&mut self, var: &str, items: &Expr, body: &[Node], otherwise: &[Node]) {
        if self.dialect == Dialect::Hubspot && self.field(items).is_some() {
            self.lose(
                "hubspot/list-dropped",
                items,
                format!("`{}` is a list, which ordinary mails of HubSpot cannot loop over; this part is left out", value(items)),
                "Put the list into a text property beforehand, or rebuild this part with CRM objects in a programmable mail",
            );
            self.nodes(otherwise);
            return;
        }
        let list = match self.dialect {
            Dialect::Canonical => value(items),
            Dialect::Klaviyo => self.django_value(items),
            Dialect::Hubspot => self.hubl_value(items),
        };
        // HubL has no `else` of a loop.
        let wrap = self.dialect == Dialect::Hubspot && !otherwise.is_empty();
        if wrap {
            let _ = write!(self.out.text, "{{% if {list} %}}");
        }
        let _ = write!(self.out.text, "{{% for {var} in {list} %}}");
        self.locals.push(var.to_owned());
        self.nodes(body);
        self.locals.pop();
        if !otherwise.is_empty() && !wrap {
            self.out.text.push_str(if self.dialect == Dialect::Klaviyo { "{% empty %}" } else { "{% else %}" });
            self.nodes(otherwise);
        }
        self.out.text.push_str("{% endfor %}");
        if wrap {
            self.out.text.push_str("{% else %}");
            self.nodes(otherwise);
            self.out.text.push_str("{% endif %}");
        }
    }

    // Constants

    fn constant(&self, field: &Field) -> Option<&'a Value> {
        match &field.source {
            FieldSource::Constant(name) => self.scope.constants.get(name),
            _ => None,
        }
    }

    /// A constant as it is compared.
    fn constant_literal(&self, field: &Field) -> String {
        match self.constant(field) {
            Some(Value::Number(n)) => print_number(*n),
            Some(Value::Money(money)) => print_number(money.to_number()),
            Some(Value::Bool(yes)) => match self.dialect {
                Dialect::Klaviyo => if *yes { "True" } else { "False" }.into(),
                _ => yes.to_string(),
            },
            Some(other) => self.quote(&other.to_string()),
            None => self.quote(""),
        }
    }

    fn quote(&self, text: &str) -> String {
        match self.dialect {
            Dialect::Canonical => quoted(text),
            Dialect::Klaviyo => django_quote(text, self.part),
            Dialect::Hubspot => hubl_quote(text),
        }
    }

    // Klaviyo

    fn django_print(&mut self, expr: &Expr) -> String {
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
        let fallback = field.filter(|_| steps.is_empty() || default.is_none()).and_then(|field| field.fallback.clone());
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
            let zero_counts =
                default.is_none() && field.is_some_and(|f| matches!(f.kind, ValueType::Number | ValueType::Money));
            let test = if zero_counts { format!("{access} or {access} == 0") } else { access.clone() };
            let words = default.or(fallback);
            return match words {
                Some(words) => format!("{{% if {test} %}}{formatted}{{% else %}}{}{{% endif %}}", self.words(&words)),
                None => format!("{{% if {test} %}}{formatted}{{% endif %}}"),
            };
        }
        let filtered = self.django_filters(expr, &access, &filters);
        match (default, fallback) {
            (Some(_), _) => format!("{{{{ {filtered} }}}}"),
            (None, Some(words)) => {
                let zero_counts = field.is_some_and(|f| matches!(f.kind, ValueType::Number | ValueType::Money));
                if zero_counts {
                    return format!(
                        "{{% if {access} or {access} == 0 %}}{{{{ {filtered} }}}}{{% else %}}{}{{% endif %}}",
                        self.words(&words)
                    );
                }
                let with_fallback = format!("{access}|default:{}", django_quote(&words, self.part));
                let filtered = self.django_filters(expr, &with_fallback, &filters);
                format!("{{{{ {filtered} }}}}")
            }
            // A lookup of what is not there may print "None". Source: references, klaviyo, section 12.
            (None, None) if access.contains("|lookup:") && filters.is_empty() => {
                format!("{{{{ {access}|default:'' }}}}")
            }
            (None, None) => format!("{{{{ {filtered} }}}}"),
        }
    }

    fn constant_words(&mut self, field: &Field) -> String {
        let shown = self.constant(field).map(|v| print_value(v, &field.shown_as(), &crate::base::Zone::utc(), None));
        self.words(&shown.unwrap_or_default())
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
        let dotted = |root: &str, path: &str, always: bool| {
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
        };
        match &field.source {
            FieldSource::Contact(path) => match path.as_str() {
                "first_name" | "last_name" | "full_name" | "email" => (path.to_string(), false),
                "phone" | "phone_number" => ("person.phone_number".into(), false),
                "organization" | "title" => (format!("person.{path}"), false),
                "city" => ("person.City".into(), false),
                "region" => ("person.Region".into(), false),
                "country" => ("person.Country".into(), false),
                "zip" | "postal_code" => ("person.Zipcode".into(), false),
                _ => dotted("person", path, true),
            },
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
                let pattern = args.first().map(const_text).unwrap_or_default();
                let django = date_pattern(&pattern, Dialect::Klaviyo);
                format!("{{{{ {access}|format_date_string|date:{} }}}}", django_quote(&django, Part::Plain))
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
                ("money" | "number" | "date_fmt" | "yes_no", _) => {
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

    fn django_value(&mut self, expr: &Expr) -> String {
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
    fn django_condition(&mut self, expr: &Expr) -> String {
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
            _ => self.django_value(atom.expr),
        }
    }

    // HubSpot

    fn hubl_print(&mut self, expr: &Expr) -> String {
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
        let formatted = steps.is_empty() && !matches!(field.shown_as(), Format::Text | Format::Plain);
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

    fn hubl_value(&mut self, expr: &Expr) -> String {
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

    fn hubl_condition(&mut self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Not(of) => format!("not ({})", self.hubl_condition(of)),
            ExprKind::And(left, right) => format!("{} and {}", self.hubl_operand(left), self.hubl_operand(right)),
            ExprKind::Or(left, right) => format!("{} or {}", self.hubl_operand(left), self.hubl_operand(right)),
            ExprKind::Compare(op, left, right) => {
                format!("{} {} {}", self.hubl_value(left), op.sign(), self.hubl_value(right))
            }
            ExprKind::Defined(of) => self.hubl_value(of),
            _ => self.hubl_value(expr),
        }
    }

    fn hubl_operand(&mut self, expr: &Expr) -> String {
        let text = self.hubl_condition(expr);
        if matches!(expr.kind, ExprKind::And(..) | ExprKind::Or(..)) { format!("({text})") } else { text }
    }
}

fn names_field(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Not(of) | ExprKind::Defined(of) => names_field(of),
        ExprKind::And(a, b) | ExprKind::Or(a, b) | ExprKind::Compare(_, a, b) => names_field(a) || names_field(b),
        ExprKind::Path { root, .. } => root != "loop",
        ExprKind::Filter { of, .. } | ExprKind::Slice { of, .. } => names_field(of),
        ExprKind::Const(_) => false,
    }
}

fn is_formatting(name: &str) -> bool {
    matches!(name, "money" | "number" | "date_fmt" | "yes_no")
}

fn const_text(constant: &Const) -> String {
    match constant {
        Const::Text(text) => text.clone(),
        other => literal(other),
    }
}

fn django_step(out: &mut String, step: &Step, looked_up: &mut bool) {
    let _ = match step {
        Step::Name(name) if is_plain_name(name) && !*looked_up => write!(out, ".{name}"),
        Step::Name(name) => {
            *looked_up = true;
            write!(out, "|lookup:{}", django_quote(name, Part::Plain))
        }
        Step::Index(n) if *looked_up => write!(out, "|lookup:'{n}'"),
        Step::Index(n) => write!(out, ".{n}"),
    };
}

/// A text for Django: single quotes, double ones where it has a single one. Django takes such texts as safe, so in
/// HTML they are escaped here.
fn django_quote(text: &str, part: Part) -> String {
    let text = if part == Part::Html { escape(text) } else { text.replace('\\', "\\\\") };
    if text.contains('\'') && !text.contains('"') {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "\\'"))
    }
}

fn hubl_quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

/// A pattern of ours in a platform's letters. Literal words are kept apart from them.
fn date_pattern(pattern: &str, dialect: Dialect) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            // In Django every letter of a pattern means something; a backslash makes it plain.
            if dialect == Dialect::Klaviyo && c.is_ascii_alphabetic() {
                out.push('\\');
            }
            out.push(c);
            continue;
        }
        let bare = chars.next_if_eq(&'-').is_some();
        out.push_str(match (chars.next(), bare) {
            (Some('d'), false) => "d",
            (Some('d'), true) => "j",
            (Some('m'), false) => "m",
            (Some('m'), true) => "n",
            (Some('B'), _) => "F",
            (Some('b'), _) => "M",
            (Some('Y'), _) => "Y",
            (Some('y'), _) => "y",
            (Some('A'), _) => "l",
            (Some('a'), _) => "D",
            (Some('H'), false) => "H",
            (Some('H'), true) => "G",
            (Some('M'), _) => "i",
            (Some('%'), _) => "%",
            _ => "",
        });
    }
    out
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audience::Channel, content::Block};

    fn fields() -> Vec<Field> {
        let trigger = |path: &str| FieldSource::Trigger(path.into());
        let mut kept = Field::new("city", ValueType::Text, FieldSource::Contact("City".into()));
        kept.klaviyo = Some("person.City".into());
        kept.hubspot = Some("contact.city".into());
        vec![
            Field::new("first_name", ValueType::Text, FieldSource::Contact("first_name".into())).with_fallback("there"),
            Field::new("email", ValueType::Text, FieldSource::Contact("email".into())),
            Field::new("colour", ValueType::Text, FieldSource::Contact("Favourite colour".into()))
                .with_fallback("it's \"blue\""),
            Field::new("plan", ValueType::Text, FieldSource::Contact("plan".into())),
            Field::new("cart_value", ValueType::Money, trigger("value")).with_fallback("your cart"),
            Field::new("count", ValueType::Number, trigger("count")).with_fallback("some"),
            Field::new("total", ValueType::Money, trigger("Cart Total")),
            Field::new("bought", ValueType::Date, trigger("at")),
            Field::new("cart_items", ValueType::List, trigger("cart.line_items")),
            Field::new("product", ValueType::Object, trigger("product")),
            Field::new("threshold", ValueType::Number, FieldSource::Constant("threshold".into())),
            Field::new("discount_code", ValueType::Text, FieldSource::Code { pool: "Welcome".into() }),
            Field::new(
                "viewed",
                ValueType::Text,
                FieldSource::LastEvent { event: "Viewed".into(), path: "name".into() },
            ),
            kept,
        ]
    }

    fn run(source: &str, part: Part, dialect: Dialect) -> Transpiled {
        let constants = [("threshold".into(), Value::Number(1000.0))].into_iter().collect();
        let fields = fields();
        let scope = Scope { fields: &fields, constants: &constants };
        transpile(source, part, dialect, &scope, &Place::default()).unwrap_or_else(|e| panic!("{source}\n{e:#?}"))
    }

    #[track_caller]
    fn check(source: &str, klaviyo: &str, hubspot: &str) {
        assert_eq!(run(source, Part::Html, Dialect::Klaviyo).text, klaviyo, "{source}");
        assert_eq!(run(source, Part::Html, Dialect::Hubspot).text, hubspot, "{source}");
    }

    fn if_(condition: &str) -> String {
        format!("{{% if {condition} %}}x{{% endif %}}")
    }

    #[track_caller]
    fn check_if(condition: &str, klaviyo: &str, hubspot: &str) {
        check(&if_(condition), &if_(klaviyo), &if_(hubspot));
    }

    #[test]
    fn tags() {
        check(
            "Hi {first_name}",
            "Hi {{ first_name|default:'there' }}",
            "Hi {{ personalization_token('contact.firstname', 'there') }}",
        );
        check("{email}", "{{ email }}", "{{ contact.email }}");
        check(
            "{{ email|default('a & b', true) }}",
            "{{ email|default:'a &amp; b' }}",
            "{{ personalization_token('contact.email', 'a &amp; b') }}",
        );
        check(
            "{colour}",
            "{{ person|lookup:'Favourite colour'|default:'it&#x27;s &quot;blue&quot;' }}",
            "{{ personalization_token('contact.favourite_colour', 'it&#x27;s &quot;blue&quot;') }}",
        );
        check("{plan}", "{{ person|lookup:'plan'|default:'' }}", "{{ contact.plan }}");
        check("{city}", "{{ person.City }}", "{{ contact.city }}");
        check(
            "{cart_value}",
            "{% if event.value or event.value == 0 %}{% currency_format event.value %}{% else %}your cart{% endif %}",
            "{{ personalization_token('contact.cart_value', 'your cart') }}",
        );
        check(
            "{{ count }}",
            "{% if event.count or event.count == 0 %}{{ event.count }}{% else %}some{% endif %}",
            "{{ personalization_token('contact.count', 'some') }}",
        );
        check(
            "{total}",
            "{% if event|lookup:'Cart Total' or event|lookup:'Cart Total' == 0 %}{% currency_format event|lookup:'Cart Total' %}{% endif %}",
            "{{ contact.total }}",
        );
        check(
            "{{ bought|date_fmt('%d %B %Y') }}",
            "{% if event.at %}{{ event.at|format_date_string|date:'d F Y' }}{% endif %}",
            "{{ contact.bought }}",
        );
        check(
            "{product.name} {{ product['Full name'] }} {{ cart_items.0.name }}",
            "{{ event.product.name }} {{ event.product|lookup:'Full name'|default:'' }} {{ event.cart.line_items.0.name }}",
            "{{ contact.product_name }} {{ contact.product_full_name }} {{ contact.cart_items_0_name }}",
        );
        check("{threshold}", "1000", "1000");
        check("{discount_code}", "{% coupon_code 'Welcome' %}", "{{ contact.discount_code }}");
        check("{viewed}", "{{ person|lookup:'viewed'|default:'' }}", "{{ contact.viewed }}");
        check(
            "<a href=\"{unsubscribe_url}\">x</a> {preferences_url} {view_url}",
            "<a href=\"{% unsubscribe_link %}\">x</a> {% manage_preferences_link %} {% web_view_link %}",
            "<a href=\"{{ unsubscribe_link_all }}\">x</a> {{ unsubscribe_link }} {{ view_as_page_url }}",
        );
        check(
            "{{ first_name|upper }} {{ first_name|truncate_chars(5) }}",
            "{{ first_name|default:'there'|upper }} {{ first_name|default:'there'|truncatechars:5 }}",
            "{{ personalization_token('contact.firstname', 'there') }} {{ personalization_token('contact.firstname', 'there') }}",
        );
        check(
            "{# note #}{% raw %}{{ x }}{% endraw %}{ y }",
            "{% verbatim %}{{ x }}{% endverbatim %}{ y }",
            "{% raw %}{{ x }}{% endraw %}{ y }",
        );
    }

    #[test]
    fn conditions() {
        check_if("cart_value > threshold", "event.value > 1000", "contact.cart_value > 1000");
        check_if("plan == 'it\\'s'", "person|lookup:'plan' == \"it's\"", "contact.plan == 'it\\'s'");
        check_if(
            "(email or plan) and not (city or bought)",
            "email and not person.City and not event.at or person|lookup:'plan' and not person.City and not event.at",
            "(contact.email or contact.plan) and not (contact.city or contact.bought)",
        );
        check_if("not count > 3", "not event.count > 3", "not (contact.count > 3)");
        check_if("count is defined", "event.count or event.count == 0", "contact.count");
        check_if("count is not defined", "not event.count and not event.count == 0", "not (contact.count)");
        check_if(
            "plan in ['a', 'b']",
            "person|lookup:'plan' == 'a' or person|lookup:'plan' == 'b'",
            "contact.plan == 'a' or contact.plan == 'b'",
        );
        check_if("cart_items|length > 2", "event.cart.line_items|length > 2", "contact.cart_items > 2");
        check(
            "{% if email %}a{% elif plan %}b{% else %}c{% endif %}",
            "{% if email %}a{% elif person|lookup:'plan' %}b{% else %}c{% endif %}",
            "{% if contact.email %}a{% elif contact.plan %}b{% else %}c{% endif %}",
        );
    }

    #[test]
    fn loops() {
        check(
            "{% for i in cart_items[:3] %}{{ loop.index }} {i.name} {{ i['Unit price']|money }}{% if loop.last %}.{% endif %}{% else %}none{% endfor %}",
            "{% for i in event.cart.line_items|slice:':3' %}{{ forloop.counter }} {{ i.name }} {% if i|lookup:'Unit price' %}{% currency_format i|lookup:'Unit price' %}{% endif %}{% if forloop.last %}.{% endif %}{% empty %}none{% endfor %}",
            "none",
        );
    }

    #[test]
    fn plain_parts_are_not_escaped() {
        let plain = |source: &str, dialect| run(source, Part::Plain, dialect).text;
        assert_eq!(plain("{{ email|default('a & b', true) }}", Dialect::Klaviyo), "{{ email|default:'a & b' }}");
        assert_eq!(
            plain("{colour}", Dialect::Klaviyo),
            "{{ person|lookup:'Favourite colour'|default:'it\\'s \"blue\"' }}"
        );
    }

    #[test]
    fn canonical_is_stable() {
        for source in [
            "Hi {{ first_name|default(\"there\", true)|upper }}",
            "{% if cart_value > threshold %}a{% elif plan %}b{% else %}c{% endif %}",
            "{% for i in cart_items[:3] %}{{ i[\"First name\"] }}{% else %}none{% endfor %}",
            "{% if (email or plan) and (not city) %}x{% endif %}",
            "{% raw %}{{ x }}{% endraw %}",
        ] {
            let once = run(source, Part::Html, Dialect::Canonical).text;
            let twice = run(&once, Part::Html, Dialect::Canonical).text;
            assert_eq!(once, twice, "{source}");
        }
        assert_eq!(run("Hi {first_name}", Part::Html, Dialect::Canonical).text, "Hi {{ first_name }}");
    }

    #[track_caller]
    fn check_losses(source: &str, dialect: Dialect, expected: &[&str]) {
        let codes: Vec<String> = run(source, Part::Html, dialect).losses.iter().map(|d| d.code.to_string()).collect();
        assert_eq!(codes, expected, "{source}");
    }

    #[test]
    fn losses() {
        check_losses("{first_name} {cart_value} {{ bought }}", Dialect::Klaviyo, &[]);
        check_losses("{viewed}", Dialect::Klaviyo, &["klaviyo/prepared-property"]);
        check_losses("{% if discount_code %}x{% endif %}", Dialect::Klaviyo, &["klaviyo/code-condition"]);
        check_losses("{{ count|number(2) }}", Dialect::Klaviyo, &["klaviyo/thousands"]);
        let wide = ["(email or plan)"; 5].join(" and ");
        check_losses(&if_(&wide), Dialect::Klaviyo, &["klaviyo/condition-size"]);
        check_losses("{first_name}", Dialect::Hubspot, &[]);
        check_losses("{{ first_name|upper }}", Dialect::Hubspot, &["hubspot/format"]);
        check_losses("{cart_value}", Dialect::Hubspot, &["hubspot/prepared-property", "hubspot/format"]);
        check_losses("{% for i in cart_items %}{i.name}{% endfor %}", Dialect::Hubspot, &["hubspot/list-dropped"]);
        check_losses(&if_("plan"), Dialect::Hubspot, &["hubspot/programmable-mail"]);
        let prepared = run("{cart_value} {viewed} {plan}", Part::Html, Dialect::Hubspot).prepared;
        assert_eq!(prepared.iter().map(SmolStr::as_str).collect::<Vec<_>>(), ["cart_value", "viewed"]);
    }

    #[test]
    fn whole_variants() {
        let mut message = Message::new("m", Channel::Email);
        let variant = &mut message.variants[0];
        variant.subject = "{first_name} & co".into();
        variant.body = crate::content::Body::Blocks(
            [
                "heading(text: \"Hi {first_name}\")",
                "text(text: \"Code\", show_if: \"{cart_value} > {threshold} AND {count} < 24h\")",
                "products(items: \"cart_items\", price: \"price\", url: \"url\")",
                "button(text: \"Go\", href: \"https://x.example/?e={{ email|urlencode }}\")",
                "footer()",
            ]
            .map(Block::from_ron)
            .to_vec(),
        );
        let constants = [("threshold".into(), Value::Number(1000.0))].into_iter().collect();
        let fields = fields();
        let scope = Scope { fields: &fields, constants: &constants };
        let export = |dialect| {
            export_variant(&message, &message.variants[0], &Brand::default(), dialect, &scope)
                .unwrap_or_else(|e| panic!("{e:#?}"))
        };
        let klaviyo = export(Dialect::Klaviyo);
        assert_eq!(klaviyo.subject, "{% autoescape off %}{{ first_name|default:'there' }} & co{% endautoescape %}");
        for part in [
            "Hi {{ first_name|default:'there' }}</h1>",
            "{% if event.value > 1000 and event.count < 24 %}",
            "{% for item in event.cart.line_items|slice:':3' %}",
            "{% if item.price %}{% if item.price %}{% currency_format item.price %}{% endif %}{% endif %}",
            "href=\"https://x.example/?e={{ email|urlencode }}\"",
            "<a href=\"{% unsubscribe_link %}\"",
        ] {
            assert!(klaviyo.html.contains(part), "{part}\n{}", klaviyo.html);
        }
        assert!(klaviyo.text.contains("Unsubscribe: {% unsubscribe_link %}"), "{}", klaviyo.text);
        let hubspot = export(Dialect::Hubspot);
        assert!(
            hubspot.html.contains("{{ unsubscribe_link_all }}") && !hubspot.html.contains("{% for"),
            "{}",
            hubspot.html
        );
        assert_eq!(
            hubspot.losses.iter().filter(|d| d.code == "hubspot/list-dropped").count(),
            1,
            "{:#?}",
            hubspot.losses
        );
        let canonical = export(Dialect::Canonical);
        assert!(canonical.html.contains("{{ unsubscribe_url }}"), "{}", canonical.html);
    }

    /// The templates and data of a proof against the real engines, one JSON object a line, into the folder that
    /// `FLOWLOOM_SHOW` names: `klaviyo` rendered by Django must give `expected`. Without the folder only our side runs.
    #[test]
    fn cases_for_the_real_engines() {
        use crate::{
            audience::{Contact, Currency, Event, EventLog},
            base::{Instant, Zone},
            content::{Body, FieldValues, Links, PreparedMessage, ResolveContext},
        };
        let templates = [
            "Hi {first_name}, {email}",
            "{colour} {plan} {city}",
            "{{ first_name|upper }} {{ first_name|lower }} {{ first_name|truncate_chars(4) }} {{ email|urlencode }}",
            "{{ email|default('a & \"b\" <c>', true) }}",
            "{{ count }} {{ count|default('none', true) }}",
            "{% if count is defined %}yes{% else %}no{% endif %} {% if count %}yes{% else %}no{% endif %}",
            "{% if count > 3 %}a{% elif count < 1 %}b{% else %}c{% endif %}",
            "{% if not count > 3 %}a{% else %}b{% endif %} {% if not count < 3 %}a{% else %}b{% endif %}",
            "{% if (email or plan) and not (city or count) %}x{% else %}y{% endif %}",
            "{% if plan in ['pro', 'it\\'s'] or count == 0 %}x{% else %}y{% endif %}",
            "{% if count >= threshold %}x{% else %}y{% endif %} {threshold}",
            "{% for i in cart_items[:2] %}{{ loop.index }}/{{ loop.revindex }} {i.name} {{ i['Unit price'] }}{% if loop.last %}.{% endif %}{% else %}none{% endfor %}",
            "{{ cart_items|length }} {% if cart_items|length > 2 %}many{% endif %}",
            "{product.name} {{ product['Full name'] }} {{ cart_items.0.name }}",
            "{% raw %}{{ x }} {% y %}{% endraw %} {literal} p{color:red}",
            "{{ product.name|default('-', true)|upper }}",
        ];
        let data = [
            ("{}", "{}"),
            (
                r#"{"first_name":"O'Neil & \"co\" <b>/x","email":"a b@x.example/ü","Favourite colour":"red","plan":"it's","City":"Köln"}"#,
                r#"{"count":0,"product":{"name":"Diver","Full name":"Diver <200>"},"cart":{"line_items":[{"name":"A & B","Unit price":129.5},{"name":"C","Unit price":10},{"name":"D"}]}}"#,
            ),
            (r#"{"first_name":"Ada","plan":"pro"}"#, r#"{"count":5,"cart":{"line_items":[]}}"#),
            (r#"{"email":"x@y.example"}"#, r#"{"count":2.5,"cart":{"line_items":[{"name":"only"}]}}"#),
        ];
        let constants = [("threshold".into(), Value::Number(3.0))].into_iter().collect();
        let fields = fields();
        let scope = Scope { fields: &fields, constants: &constants };
        let mut lines = String::new();
        for template in templates {
            let mut message = Message::new("m", Channel::Email);
            message.variants[0].body = Body::Html(format!("<html>{template}</html>"));
            let prepared = PreparedMessage::new(&message, &message.variants[0], &fields, &Brand::default())
                .unwrap_or_else(|e| panic!("{template} {e:?}"));
            let klaviyo = export_variant(&message, &message.variants[0], &Brand::default(), Dialect::Klaviyo, &scope)
                .expect("exports")
                .html;
            for (person, event) in data {
                let properties = |json: &str| match serde_json::from_str(json) {
                    Ok(Value::Object(map)) => map,
                    other => panic!("{other:?}"),
                };
                let mut contact = Contact::new("c");
                contact.properties = properties(person);
                contact.email = contact.properties.get("email").and_then(Value::as_text).map(SmolStr::new);
                let at = Instant::default();
                let trigger = Event {
                    id: "e".into(),
                    contact: "c".into(),
                    name: "Cart".into(),
                    happened: at,
                    accepted: at,
                    properties: properties(event),
                };
                let values = FieldValues::resolve(
                    &fields,
                    &ResolveContext {
                        now: at,
                        zone: &Zone::utc(),
                        contact: &contact,
                        log: &EventLog::default(),
                        trigger: Some(&trigger),
                        constants: &constants,
                        codes: &BTreeMap::new(),
                        links: &Links::placeholders(),
                        currency: Currency::parse("EUR"),
                    },
                );
                let expected = prepared.render(&values).unwrap_or_else(|e| panic!("{template} {e:?}")).html;
                let person: serde_json::Value = serde_json::from_str(person).expect("JSON");
                let event: serde_json::Value = serde_json::from_str(event).expect("JSON");
                let case = serde_json::json!({"source": template, "klaviyo": klaviyo, "expected": expected, "person": person, "event": event});
                let _ = writeln!(lines, "{case}");
            }
        }
        if let Ok(folder) = std::env::var("FLOWLOOM_SHOW") {
            std::fs::write(format!("{folder}/engines.jsonl"), lines).expect("writes");
        }
    }
}
