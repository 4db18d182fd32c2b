//! From the tree to what Klaviyo and HubSpot read.
//!
//! The one idea: the tree holds only what can be carried over, so an export prints it anew instead of patching text.
//! What a platform cannot say is a finding with its remedy, never left out in silence. Deliberately not here: which
//! message goes where; that is the platforms' own.

mod calendar;
mod hubspot;
pub(super) mod klaviyo;
#[cfg(test)]
mod tests;

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
                        dialect => match self.calendar(expr) {
                            Some(printed) => printed,
                            None if dialect == Dialect::Klaviyo => self.django_print(expr),
                            None => self.hubl_print(expr),
                        },
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
        let mut num_written = 0;
        let mut otherwise = otherwise;
        for (test, body) in arms {
            match self.deadline_test(test) {
                Some(false) => continue,
                Some(true) => {
                    otherwise = body;
                    break;
                }
                None => {}
            }
            let word = if num_written == 0 { "if" } else { "elif" };
            num_written += 1;
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
        if num_written == 0 {
            self.nodes(otherwise);
            return;
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

    fn constant_words(&mut self, field: &Field) -> String {
        let shown = self.constant(field).map(|v| print_value(v, &field.shown_as(), &crate::base::Zone::utc(), None));
        self.words(&shown.unwrap_or_default())
    }

    fn quote(&self, text: &str) -> String {
        match self.dialect {
            Dialect::Canonical => quoted(text),
            Dialect::Klaviyo => klaviyo::django_quote(text, self.part),
            Dialect::Hubspot => hubspot::hubl_quote(text),
        }
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
