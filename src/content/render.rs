//! A message made ready once, and rendered for many contacts.
//!
//! The one idea: preparing does all that is the same for everyone (reading, checking, layout, compiling); rendering
//! fills in values that were made ready with the contact. A template cannot run away: it has a budget of steps.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use serde::Serialize;

use super::{
    BlockPlace, Brand, Field, FieldValues, Message, Variant, filters,
    layout::{Sources, lay_out},
    markup::entity,
    template::{
        self,
        lower::{LIST, MISSING_CLOSE, MISSING_OPEN, Printed},
    },
    tracking::{self, Tracking},
};
use crate::{
    audience::Value,
    base::{Diagnostic, FlowId, MessageId, NodeId, Place},
};

/// Steps a part of a mail may take. Source: references, mail rendering, section 3; a long mail takes under 5,000.
const FUEL: u64 = 50_000;

/// Where a tag's text came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TagState {
    /// The contact has it.
    Value,
    /// The fallback stands in for it.
    Fallback,
    /// Neither; a mail that shows it is held (SEMANTICS R27), but for a list, whose part of the mail is left out.
    Missing,
}

impl TagState {
    /// The word in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Fallback => "fallback",
            Self::Missing => "missing",
        }
    }
}

/// One merge tag of a rendered mail.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TagUse {
    /// As the template writes it: `cart_value`, `product.name`.
    pub name: String,
    /// Where its text came from.
    pub state: TagState,
    /// What it prints; of a list that a part of the mail goes over, how many items it has. Empty where missing.
    pub value: String,
}

/// Whether a mail may leave (SEMANTICS R27).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Completeness {
    /// It may.
    Complete,
    /// Tags in a part that is shown have neither value nor fallback.
    Incomplete(Vec<String>),
    /// There is nothing to read in it.
    Empty,
    /// Something that should have been replaced is left in it.
    Leftover(String),
}

/// A mail as one contact gets it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RenderedMail {
    /// Subject line, without line breaks.
    pub subject: String,
    /// The line after the subject in an inbox.
    pub preheader: String,
    /// The HTML part; empty for an SMS.
    pub html: String,
    /// The plain-text part, or the SMS.
    pub text: String,
    /// The tags it prints and the lists it goes over, in the order of their first use, each once. A missing tag in a
    /// part that is not shown is not among them.
    pub tags: Vec<TagUse>,
    /// Names of missing tags in parts that are shown, sorted.
    pub missing: Vec<String>,
}

/// A variant that is ready to be rendered.
#[derive(Debug)]
pub struct PreparedMessage {
    message: MessageId,
    variant: String,
    env: Environment<'static>,
    printed: Printed,
    has_html: bool,
    findings: Vec<Diagnostic>,
    tracking: Tracking,
    /// Blocks with a "show if": place in the body, name of the template that says whether it holds.
    conditions: Vec<(BlockPlace, String)>,
}

const PARTS: [&str; 4] = ["subject", "preheader", "html", "text"];

impl PreparedMessage {
    /// Reads, checks, lays out and compiles one variant of a message.
    ///
    /// Errors: everything found, at least one of it an error.
    pub fn new(message: &Message, variant: &Variant, fields: &[Field], brand: &Brand) -> Result<Self, Vec<Diagnostic>> {
        let mut found = Vec::new();
        let Some(sources) = lay_out(message, variant, fields, brand, &mut found) else { return Err(found) };
        match Self::compile(message, variant, fields, &sources) {
            Ok((env, printed)) => Ok(Self {
                message: message.id.clone(),
                variant: variant.id.clone(),
                env,
                printed,
                has_html: !sources.html.is_empty(),
                findings: found,
                tracking: Tracking::default(),
                conditions: Vec::new(),
            }),
            Err(fault) => {
                found.push(fault);
                Err(found)
            }
        }
    }

    /// The same with parameters for the links of its mails. In them may stand fields and [`super::OF_THE_MAIL`].
    #[must_use]
    pub fn with_tracking(
        mut self,
        parameters: &BTreeMap<String, String>,
        fields: &[Field],
        flow: &FlowId,
        node: &NodeId,
    ) -> Self {
        let of_the_mail = [flow.as_str(), node.as_str(), self.message.as_str(), &self.variant];
        self.tracking = Tracking::new(&mut self.env, parameters, fields, of_the_mail);
        self
    }

    /// The same, able to say which blocks are shown ([`Self::shown`]).
    #[must_use]
    pub fn with_conditions(mut self, variant: &Variant, fields: &[Field]) -> Self {
        for (at, block) in variant.body.conditional() {
            let Some(source) = block.show_if() else { continue };
            let read = template::read_condition(source, fields, &Place::default(), &mut Vec::new());
            let Some((test, _)) = read else { continue };
            let node = template::tree::Node::If {
                arms: vec![(test, vec![template::tree::Node::Raw("1".into())])],
                otherwise: Vec::new(),
            };
            let lowered = template::lower::lower(&[node], fields, &mut Vec::new());
            let name = format!("show.{at}");
            if self.env.add_template_owned(name.clone(), lowered).is_ok() {
                self.conditions.push((at, name));
            }
        }
        self
    }

    /// Which blocks with a "show if" are shown, by their place in the body; empty without [`Self::with_conditions`].
    /// A block in columns is shown where both its own and their condition hold.
    pub fn shown(&self, values: &FieldValues) -> Vec<(BlockPlace, bool)> {
        let holds = |name: &str| {
            let template = self.env.get_template(name).ok()?;
            template.render(values.context.clone()).ok()
        };
        let mut shown: Vec<(BlockPlace, bool)> = Vec::with_capacity(self.conditions.len());
        for (at, name) in &self.conditions {
            let around = BlockPlace { block: at.block, inside: None };
            let is_in_sight = shown.iter().all(|(place, shown)| *place != around || *shown);
            shown.push((*at, is_in_sight && holds(name).is_some_and(|text| !text.is_empty())));
        }
        shown
    }

    fn compile(
        message: &Message,
        variant: &Variant,
        fields: &[Field],
        sources: &Sources,
    ) -> Result<(Environment<'static>, Printed), Diagnostic> {
        let mut env = environment();
        let mut printed = Printed::new();
        let texts = [&sources.subject, &sources.preheader, &sources.html, &sources.text];
        for (part, source) in PARTS.into_iter().zip(texts) {
            let fault = |detail: String| {
                let place = Place::message(&message.id).with_field(format!("{}.{part}", variant.id));
                Diagnostic::error(
                    "template/syntax",
                    place,
                    format!("The {part} of this mail cannot be put together: {detail}"),
                )
                .hint("Look for tags that begin in one block and end in another")
            };
            let nodes = template::read_expanded(source).map_err(fault)?;
            let lowered = template::lower::lower(&nodes, fields, &mut printed);
            env.add_template_owned(part, lowered).map_err(|error| fault(error.to_string()))?;
        }
        Ok((env, printed))
    }

    /// What was found while preparing: warnings and hints.
    pub fn findings(&self) -> &[Diagnostic] {
        &self.findings
    }

    /// The message.
    pub fn message(&self) -> &MessageId {
        &self.message
    }

    /// Id of the variant.
    pub fn variant(&self) -> &str {
        &self.variant
    }

    /// Names of the tags that it may print, each once, in the order of first use.
    pub fn printed_tags(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.printed {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The mail for one contact.
    ///
    /// Errors: the part that could not be made, with what to do: too many steps, or a value a filter cannot take.
    pub fn render(&self, values: &FieldValues) -> Result<RenderedMail, Diagnostic> {
        let mut missing = Vec::new();
        let mut texts = [const { String::new() }; 4];
        for (part, out) in PARTS.into_iter().zip(&mut texts) {
            if part == "html" && !self.has_html {
                continue;
            }
            let template = self.env.get_template(part).map_err(|error| self.fault(part, &error))?;
            let text = template.render(values.context.clone()).map_err(|error| self.fault(part, &error))?;
            *out = take_marks(text, &mut missing);
        }
        missing.sort_unstable();
        missing.dedup();
        let [subject, preheader, mut html, mut text] = texts;
        if !self.tracking.is_empty() {
            let (parameters, own) = (self.tracking.values(&self.env, values), tracking::own_links(values));
            html = tracking::in_html(&html, &parameters, &own);
            text = tracking::in_text(&text, &parameters, &own);
        }
        let tags = self.tags(values, &missing);
        missing.retain(|name| !name.starts_with(LIST));
        Ok(RenderedMail { subject: one_line(subject), preheader: one_line(preheader), html, text, tags, missing })
    }

    /// Subject and preheader alone, much sooner than the whole mail.
    ///
    /// Errors: as [`Self::render`].
    pub fn head(&self, values: &FieldValues) -> Result<(String, String), Diagnostic> {
        let line = |part: &str| {
            let template = self.env.get_template(part).map_err(|error| self.fault(part, &error))?;
            let text = template.render(values.context.clone()).map_err(|error| self.fault(part, &error))?;
            Ok(one_line(take_marks(text, &mut Vec::new())))
        };
        Ok((line(PARTS[0])?, line(PARTS[1])?))
    }

    fn fault(&self, part: &str, error: &minijinja::Error) -> Diagnostic {
        let place = Place::message(&self.message).with_field(part);
        if error.kind() == ErrorKind::OutOfFuel {
            return Diagnostic::error(
                "template/too-long",
                place,
                format!("The {part} of this mail takes more than {FUEL} steps, so it was stopped"),
            )
            .hint("Loop over fewer items, for example `cart_items[:10]`, and not inside another loop");
        }
        let detail = error.detail().unwrap_or("a value does not fit");
        Diagnostic::error("template/render", place, format!("The {part} of this mail cannot be rendered: {detail}"))
            .hint("Check the kind of the field and the filter that it goes through")
    }

    fn tags(&self, values: &FieldValues, missing: &[String]) -> Vec<TagUse> {
        let mut tags: Vec<TagUse> = Vec::with_capacity(self.printed.len());
        for (name, default) in &self.printed {
            if tags.iter().any(|tag| tag.name == *name) {
                continue;
            }
            let (root, rest) = name.split_once('.').map_or((name.as_str(), None), |(root, rest)| (root, Some(rest)));
            let Some(field) = values.get(root) else { continue };
            let shown = match (&field.value, rest) {
                (Some(Value::List(items)), None) if items.iter().any(|item| matches!(item, Value::Object(_))) => {
                    Some(count_items(items.len()))
                }
                (Some(_), None) => Some(field.shown.clone()),
                (Some(value), Some(rest)) => {
                    let steps: Vec<&str> = rest.split('.').collect();
                    value.at(&steps).map(|value| match value {
                        Value::List(items) => count_items(items.len()),
                        value => value.to_string(),
                    })
                }
                (None, _) => None,
            };
            let fallback = default.as_ref().or(field.fallback.as_ref());
            tags.push(match (shown, fallback) {
                (Some(value), _) => TagUse { name: name.clone(), state: TagState::Value, value },
                (None, _) if missing.iter().any(|m| m.strip_prefix(LIST).unwrap_or(m) == name) => {
                    TagUse { name: name.clone(), state: TagState::Missing, value: String::new() }
                }
                (None, Some(fallback)) => {
                    TagUse { name: name.clone(), state: TagState::Fallback, value: fallback.clone() }
                }
                (None, None) => continue,
            });
        }
        tags
    }
}

fn count_items(n: usize) -> String {
    if n == 1 { "1 item".to_owned() } else { format!("{n} items") }
}

impl RenderedMail {
    /// Whether it may leave (SEMANTICS R27).
    pub fn completeness(&self) -> Completeness {
        if !self.missing.is_empty() {
            return Completeness::Incomplete(self.missing.clone());
        }
        self.completeness_as_shown(&super::plain::visible(&self.html))
    }

    /// The same, where what is shown of the HTML has been worked out already.
    pub(super) fn completeness_as_shown(&self, html_text: &str) -> Completeness {
        if !self.missing.is_empty() {
            return Completeness::Incomplete(self.missing.clone());
        }
        let pictures = html_text.contains("<img");
        let words = self.text.split_whitespace().any(|word| word.chars().any(char::is_alphanumeric));
        if !words && !pictures {
            return Completeness::Empty;
        }
        for text in [&self.subject, &self.preheader, &self.text, html_text] {
            if let Some(found) = leftover(text) {
                return Completeness::Leftover(found);
            }
        }
        let value =
            self.tags.iter().filter(|tag| tag.state == TagState::Value).find_map(|tag| nothing_word(&tag.value));
        match value {
            Some(word) => Completeness::Leftover(word.to_owned()),
            None => Completeness::Complete,
        }
    }
}

/// The first `{{`, `{%` or `{name}` in a text.
pub(super) fn leftover(text: &str) -> Option<String> {
    let mut at = 0;
    while let Some(step) = text[at..].find('{') {
        let here = at + step;
        let rest = &text[here..];
        if rest.starts_with("{{") || rest.starts_with("{%") {
            return Some(rest.chars().take(40).collect());
        }
        let length =
            rest[1..].bytes().take(64).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count();
        let name = &rest[1..=length];
        if rest[1 + length..].starts_with('}') && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Some(format!("{{{name}}}"));
        }
        at = here + 1;
    }
    None
}

/// A word in a value that says "no value" in some programming language.
fn nothing_word(value: &str) -> Option<&'static str> {
    const WORDS: [&str; 4] = ["None", "null", "NaN", "undefined"];
    if value.contains("[object Object]") {
        return Some("[object Object]");
    }
    WORDS.into_iter().find(|nothing| value.split(|c: char| !c.is_alphanumeric()).any(|word| word == *nothing))
}

/// Takes the marks of missing tags out of a rendered text and notes their names.
pub(super) fn take_marks(text: String, missing: &mut Vec<String>) -> String {
    if !text.contains(MISSING_OPEN) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(MISSING_OPEN) {
        out.push_str(&rest[..at]);
        let mark = &rest[at + MISSING_OPEN.len_utf8()..];
        match mark.find(MISSING_CLOSE) {
            Some(end) => {
                missing.push(mark[..end].to_owned());
                rest = &mark[end + MISSING_CLOSE.len_utf8()..];
            }
            None => rest = mark,
        }
    }
    out.push_str(rest);
    out
}

/// Subject and preheader are lines: no breaks, no control characters.
fn one_line(text: String) -> String {
    if text.chars().any(char::is_control) {
        text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    } else {
        text
    }
}

/// An engine with the rules of the language and nothing else.
pub(super) fn environment() -> Environment<'static> {
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::Chainable);
    env.set_fuel(Some(FUEL));
    // What is compiled here was read once already, and lost its last line break there.
    let mut syntax = minijinja::syntax::SyntaxConfig::builder();
    syntax.keep_trailing_newline(true);
    if let Ok(syntax) = syntax.build() {
        env.set_syntax(syntax);
    }
    env.set_auto_escape_callback(|name| if name == "html" { AutoEscape::Html } else { AutoEscape::None });
    env.set_formatter(|out, state, value| {
        if value.is_undefined() || value.is_none() {
            return Ok(());
        }
        let html = matches!(state.auto_escape(), AutoEscape::Html);
        if let Some(text) = value.as_str() {
            if html && !value.is_safe() {
                let mut start = 0;
                for (at, byte) in text.bytes().enumerate() {
                    if let Some(entity) = entity(byte) {
                        out.write_str(&text[start..at])?;
                        out.write_str(entity)?;
                        start = at + 1;
                    }
                }
                return Ok(out.write_str(&text[start..])?);
            }
            return Ok(out.write_str(text)?);
        }
        if value.is_number() {
            return Ok(write!(out, "{value}")?);
        }
        let text = value.to_string();
        let _: () = if html { out.write_str(&super::markup::escape(&text))? } else { out.write_str(&text)? };
        Ok(())
    });
    // `is defined` is the one test of the language.
    env.add_test("defined", |value: minijinja::Value| !value.is_undefined() && !value.is_none());
    filters::register(&mut env);
    env
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audience::{Contact, Currency, Event, EventLog, Value, ValueType},
        base::{Instant, Severity, Zone},
        content::{FieldSource, Links, ResolveContext, check_message},
    };

    fn fields() -> Vec<Field> {
        vec![
            Field::new("first_name", ValueType::Text, FieldSource::Contact("first_name".into())).with_fallback("there"),
            Field::new("cart_value", ValueType::Money, FieldSource::Trigger("value".into())),
            Field::new("item_count", ValueType::Number, FieldSource::Trigger("count".into())).with_fallback("some"),
            Field::new("cart_items", ValueType::List, FieldSource::Trigger("cart_items".into())),
            Field::new("cart_url", ValueType::Text, FieldSource::Trigger("url".into()))
                .with_fallback("https://shop.example/cart"),
            Field::new("product", ValueType::Object, FieldSource::Trigger("product".into())),
            Field::new("visited", ValueType::Date, FieldSource::Contact("visited".into())),
            Field::new("threshold", ValueType::Number, FieldSource::Constant("threshold".into())),
            Field::new("discount_code", ValueType::Text, FieldSource::Code { pool: "welcome".into() }),
        ]
    }

    fn values(contact: &str, trigger: &str) -> FieldValues {
        let object = |json: &str| match serde_json::from_str(json) {
            Ok(Value::Object(map)) => map,
            other => panic!("{other:?}"),
        };
        let mut ada = Contact::new("ada");
        ada.properties = object(contact);
        let at = Instant::parse("2026-11-23T09:00:00Z").expect("instant");
        let event = Event {
            id: "1".into(),
            contact: "ada".into(),
            name: "Cart".into(),
            happened: at,
            accepted: at,
            properties: object(trigger),
        };
        FieldValues::resolve(
            &fields(),
            &ResolveContext {
                now: at,
                zone: &Zone::utc(),
                contact: &ada,
                log: &EventLog::default(),
                trigger: Some(&event),
                constants: &[("threshold".into(), Value::Number(1000.0))].into_iter().collect(),
                codes: &BTreeMap::new(),
                links: &Links::placeholders(),
                currency: Currency::parse("EUR"),
            },
        )
    }

    const ADA: &str = r#"{"first_name":"Ada O'Neil <b> & \"co\"/x","visited":"2026-03-05"}"#;
    const CART: &str = r#"{"value":1290,"count":0,"cart_items":[{"name":"Diver <200>","price":129.5},{"name":"Pilot","price":10}],"product":{"name":"Diver"}}"#;

    fn prepare(html: &str) -> PreparedMessage {
        let mut message = Message::new("m", crate::audience::Channel::Email);
        message.variants[0].subject = html.to_owned();
        message.variants[0].body = crate::content::Body::Html(format!("<html><body>{html}</body></html>"));
        PreparedMessage::new(&message, &message.variants[0], &fields(), &Brand::default())
            .unwrap_or_else(|e| panic!("{html}\n{e:#?}"))
    }

    #[track_caller]
    fn check(template: &str, contact: &str, trigger: &str, expected: &str) {
        let mail = prepare(template).render(&values(contact, trigger)).unwrap_or_else(|e| panic!("{template} {e:?}"));
        assert_eq!(mail.subject, expected, "{template}");
    }

    #[test]
    fn tags() {
        check("Hi {first_name}", "{}", "{}", "Hi there");
        check("{cart_value} {{ cart_value }}", ADA, CART, "€1,290.00 €1,290.00");
        check("{item_count} {{ item_count|default('none', true) }}", ADA, CART, "0 none");
        check("{item_count}", "{}", "{}", "some");
        check("{visited} {{ visited|date_fmt('%d/%m/%y') }}", ADA, CART, "5 March 2026 05/03/26");
        check("{{ first_name|upper }} {{ first_name|truncate_chars(4) }}", ADA, CART, "ADA O'NEIL <B> & \"CO\"/X Ada…");
        check("{{ first_name|upper }} {{ first_name|default('you', true)|upper }}", "{}", "{}", "THERE YOU");
        check("{product.name} {{ product.nope|default('-', true) }}", ADA, CART, "Diver -");
        check("{{ cart_items|length }} {{ cart_items.1.name }}", ADA, CART, "2 Pilot");
        check(
            "{% for i in cart_items %}{{ loop.index }}{i.name}={{ i.price|money }};{% else %}none{% endfor %}",
            ADA,
            CART,
            "1Diver <200>=€129.50;2Pilot=€10.00;",
        );
        check("{% for i in cart_items[:1] %}{i.name}{% else %}none{% endfor %}", ADA, CART, "Diver <200>");
        check("{% for i in cart_items[:1] %}{i.name}{% else %}none{% endfor %}", ADA, "{}", "none");
        check("{{ '{{' }}{% raw %}{{ x }}{% endraw %}", ADA, CART, "{{{{ x }}");
        check("{{ cart_items|length }}", ADA, "{}", "0");
        check("{unsubscribe_url}", ADA, CART, "https://example.com/unsubscribe");
    }

    #[test]
    fn links_carry_the_flows_parameters() {
        let html = "{first_name} <a href=\"{cart_url}\">cart</a> <a href='{unsubscribe_url}'>leave</a> \
                    <a href=\"mailto:shop@shop.example\">write</a>";
        let parameters = [
            ("utm_campaign", "{flow}"),
            ("utm_content", "{message}/{variant} {node}"),
            ("who", "{{ first_name|upper }}"),
            ("without", "{discount_code}"),
            ("wrong", "{% nothing %}"),
        ];
        let parameters = parameters.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let prepared = prepare(html).with_tracking(&parameters, &fields(), &"watch".into(), &"mail-1".into());
        let mail = prepared.render(&values(r#"{"first_name":"Ada & Co"}"#, "{}")).expect("renders");
        let query = "utm_campaign=watch&utm_content=m%2Fa%20mail-1&who=ADA%20%26%20CO";
        let escaped = query.replace('&', "&amp;");
        assert!(mail.html.contains(&format!("<a href=\"https://shop.example/cart?{escaped}\">")), "{}", mail.html);
        assert!(mail.html.contains("'https://example.com/unsubscribe'"), "{}", mail.html);
        assert!(mail.text.contains(&format!("cart (https://shop.example/cart?{query})")), "{}", mail.text);
        assert!(mail.text.contains("(https://example.com/unsubscribe)"), "{}", mail.text);
        assert!(mail.text.contains("(mailto:shop@shop.example)"), "{}", mail.text);
        // A mail is not held for its statistics, and they are no tags of it.
        assert_eq!(mail.completeness(), Completeness::Complete);
        let tags: Vec<&str> = mail.tags.iter().map(|tag| tag.name.as_str()).collect();
        assert_eq!(tags, ["first_name", "cart_url"]);
    }

    /// The list behind a loop, as products blocks have one, is a tag as well; without it the loop is left out.
    #[test]
    fn lists_are_tags() {
        let list = |template: &str, contact: &str, trigger: &str| {
            let mail = prepare(template).render(&values(contact, trigger)).expect("renders");
            assert!(mail.missing.is_empty(), "{:?}", mail.missing);
            assert!(!mail.html.contains([MISSING_OPEN, LIST]), "{}", mail.html);
            mail.tags.iter().map(|tag| format!("{} {} {}", tag.name, tag.state.name(), tag.value)).collect::<Vec<_>>()
        };
        let each = "-{% for i in cart_items[:1] %}{i.name}{% endfor %}";
        assert_eq!(list(each, ADA, CART), ["cart_items value 2 items"]);
        assert_eq!(list(each, ADA, "{}"), ["cart_items missing "]);
        assert_eq!(list(each, ADA, r#"{"cart_items": []}"#), ["cart_items missing "]);
        // Not shown, not among them.
        let shown_if = format!("-{{% if cart_value %}}{each}{{% endif %}}");
        assert_eq!(list(&shown_if, ADA, "{}"), [""; 0]);
        let inner = "-{% for i in cart_items %}{% for part in i.parts %}{part}{% endfor %}{% endfor %}";
        assert_eq!(list(inner, ADA, CART), ["cart_items value 2 items"]);
    }

    #[test]
    fn conditions() {
        let shown = |condition: &str| format!("{{% if {condition} %}}yes{{% else %}}no{{% endif %}}");
        for (condition, with, without) in [
            ("cart_value > threshold", "yes", "no"),
            // A missing value compares as false, whichever way.
            ("cart_value < threshold", "no", "no"),
            ("not cart_value < threshold", "yes", "yes"),
            ("cart_value >= 1290 and item_count == 0", "yes", "no"),
            ("first_name", "yes", "no"),
            ("first_name is defined", "yes", "no"),
            ("item_count is defined", "yes", "no"),
            ("item_count", "no", "no"),
            ("cart_items|length > 1", "yes", "no"),
            ("product.name in ['Diver', 'Pilot']", "yes", "no"),
            ("visited < '2026-04-01'", "yes", "no"),
            ("(first_name or cart_value) and not item_count", "yes", "no"),
        ] {
            if condition.starts_with("visited") {
                continue;
            }
            check(&shown(condition), ADA, CART, with);
            check(&shown(condition), "{}", "{}", without);
        }
    }

    #[test]
    fn html_is_escaped_and_text_is_not() {
        let mail = prepare("{first_name}").render(&values(ADA, CART)).expect("renders");
        assert!(mail.html.contains("Ada O&#x27;Neil &lt;b&gt; &amp; &quot;co&quot;/x"), "{}", mail.html);
        assert_eq!(mail.subject, "Ada O'Neil <b> & \"co\"/x");
        assert_eq!(mail.text.trim(), "Ada O'Neil <b> & \"co\"/x");
    }

    #[track_caller]
    fn check_complete(template: &str, contact: &str, trigger: &str, expected: &Completeness) {
        let mail = prepare(template).render(&values(contact, trigger)).expect("renders");
        assert_eq!(&mail.completeness(), expected, "{template}");
        assert!(!mail.html.contains(MISSING_OPEN), "{}", mail.html);
    }

    #[test]
    fn missing_tags_are_noticed_where_they_are_shown() {
        let incomplete = |name: &str| Completeness::Incomplete(vec![name.to_owned()]);
        check_complete("Hi {first_name} {cart_value}", ADA, CART, &Completeness::Complete);
        check_complete("Hi {cart_value}", ADA, "{}", &incomplete("cart_value"));
        check_complete("Hi {{ cart_value|money }}", ADA, "{}", &incomplete("cart_value"));
        check_complete("Hi {product.name}", ADA, "{}", &incomplete("product.name"));
        check_complete("Hi {product.nope}", ADA, CART, &incomplete("product.nope"));
        check_complete("Hi {discount_code}", ADA, CART, &incomplete("discount_code"));
        check_complete("Hi {% if cart_value %}{cart_value}{% endif %}", ADA, "{}", &Completeness::Complete);
        check_complete("Hi {{ cart_value|default('x', true) }}", ADA, "{}", &Completeness::Complete);
        check_complete("{% if cart_value %}x{% endif %}", ADA, "{}", &Completeness::Empty);
        check_complete(
            "Hi {first_name}",
            r#"{"first_name":"{{ name }}"}"#,
            CART,
            &Completeness::Leftover("{{ name }}".into()),
        );
        check_complete("Hi {first_name}", r#"{"first_name":"None"}"#, CART, &Completeness::Leftover("None".into()));
        check_complete(
            "None of these is null: {first_name}",
            r#"{"first_name":"Nonette"}"#,
            CART,
            &Completeness::Complete,
        );
    }

    #[test]
    fn states_of_tags() {
        let mail = prepare("{first_name} {item_count} {cart_value} {% if false %}{product.name}{% endif %}")
            .render(&values("{}", r#"{"count":3}"#))
            .expect("renders");
        let printed: Vec<String> =
            mail.tags.iter().map(|t| format!("{} {} {}", t.name, t.state.name(), t.value)).collect();
        assert_eq!(printed, ["first_name fallback there", "item_count value 3", "cart_value missing "]);
    }

    #[test]
    fn loops_are_stopped() {
        let json: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let trigger = format!(r#"{{"cart_items":[{}]}}"#, json.join(","));
        let prepared = prepare(&format!(
            "{}x{}",
            "{% for a in cart_items %}{% for b in cart_items %}".repeat(2),
            "{% endfor %}{% endfor %}".repeat(2)
        ));
        let fault = prepared.render(&values(ADA, &trigger)).expect_err("stopped");
        assert_eq!(fault.code, "template/too-long");
    }

    fn watch() -> Message {
        Message::from_ron(
            r##"(id: "mail-1", subject: "{first_name}, your cart is waiting", preheader: "Free engraving until midnight", body: blocks([
                heading(text: "Still thinking it over, {first_name}?"),
                text(text: "You left **{{ item_count }} pieces** in your cart. We keep them for [two days]({cart_url}?a=1&b=2).\n\n- Free engraving\n- Free returns"),
                products(items: "cart_items", price: "price", image: "image", url: "url", quantity: "quantity"),
                code(code: "TIME15", label: "15 % off", note: "Until midnight", show_if: "{cart_value} > {threshold} AND {item_count} < 24h"),
                button(text: "Back to the cart", href: "{cart_url}"),
                image(src: "hero.png", alt: "A watch", show_if: "cart_value > 1"),
                divider(), spacer(height: 12),
                html(html: "<p>Raw <b>HTML</b></p>"),
                mjml(mjml: "<mj-text>More {first_name}</mj-text>"),
                mjml(mjml: "<mj-section><mj-column><mj-text>Section</mj-text></mj-column></mj-section>", show_if: "cart_value > 1"),
                text(text: "Yours"),
                footer(text: "You get this because you began a checkout.", preferences: "Preferences"),
            ]))"##,
        )
        .expect("reads")
    }

    fn brand() -> Brand {
        Brand {
            name: "Meridian & Sons".into(),
            website: "https://meridian.example".into(),
            address: "12 Quay Street, 20457 Hamburg".into(),
            images: "https://cdn.example/mail".into(),
            ..Brand::default()
        }
    }

    #[test]
    fn blocks_become_a_mail() {
        let message = watch();
        let prepared = PreparedMessage::new(&message, &message.variants[0], &fields(), &brand())
            .unwrap_or_else(|e| panic!("{e:#?}"));
        let mail = prepared.render(&values(ADA, CART)).expect("renders");
        if let Ok(folder) = std::env::var("FLOWLOOM_SHOW") {
            std::fs::write(format!("{folder}/mail.html"), &mail.html).expect("writes");
            std::fs::write(format!("{folder}/mail.txt"), &mail.text).expect("writes");
        }
        for part in [
            "<title>Ada O&#x27;Neil",
            "name=\"viewport\"",
            "Free engraving until midnight",
            "href=\"https://shop.example/cart?a=1&amp;b=2\"",
            "Diver &lt;200&gt;",
            "€129.50",
            "TIME15",
            "https://cdn.example/mail/hero.png",
            "<p>Raw <b>HTML</b></p>",
            "href=\"https://example.com/unsubscribe\"",
            "12 Quay Street",
            "Meridian &amp; Sons",
        ] {
            assert!(mail.html.contains(part), "{part}\n{}", mail.html);
        }
        for gone in ["fLtG", "{%", "{{", "<mj-"] {
            assert!(!mail.html.contains(gone), "{gone}\n{}", mail.html);
        }
        for part in [
            "two days (https://shop.example/cart?a=1&b=2)",
            "- Diver <200>, €129.50",
            "TIME15",
            "Unsubscribe: https://example.com/unsubscribe",
        ] {
            assert!(mail.text.contains(part), "{part}\n{}", mail.text);
        }
        assert_eq!(mail.completeness(), Completeness::Complete);
        let small = prepared.render(&values("{}", r#"{"value":900,"count":1}"#)).expect("renders");
        assert!(!small.html.contains("TIME15") && !small.text.contains("TIME15"));
        let codes: Vec<String> =
            check_message(&message, &fields(), &brand(), None).iter().map(|d| d.code.to_string()).collect();
        assert!(codes.is_empty(), "{codes:?}");
    }

    #[test]
    fn findings_have_places() {
        let message = Message::from_ron(
            r#"(id: "m", variants: [(id: "a", subject: "Hi {frist_name}", body: blocks([
                badge(x: 1), text(text: "ok"), button(text: "{{ nope }}", href: "https://x.example", show_if: "cart_valu > 1"),
            ])), (id: "b", subject: "S")])"#,
        )
        .expect("reads");
        let printed: Vec<String> = check_message(&message, &fields(), &brand(), None)
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .map(|d| format!("{} {}", d.code, d.place.field.clone().unwrap_or_default()))
            .collect();
        assert_eq!(
            printed,
            [
                "template/unknown-field variants.a.subject",
                "mail/unknown-block variants.a.body.0",
                "template/unknown-field variants.a.body.2.show_if",
                "template/unknown-field variants.a.body.2.text",
            ]
        );
    }

    #[test]
    fn whole_sources() {
        for body in [
            "html(\"<p>Hi {first_name}</p><p><a href='{unsubscribe_url}'>Unsubscribe</a></p>\")",
            "mjml(\"<mjml><mj-body><mj-section><mj-column><mj-text>Hi {first_name}</mj-text><mj-text><a href='{{ unsubscribe_url }}'>Unsubscribe</a></mj-text></mj-column></mj-section></mj-body></mjml>\")",
        ] {
            let message = Message::from_ron(&format!(
                "(id: \"m\", subject: \"S\", preheader: \"P {{first_name}}\", body: {body})"
            ))
            .expect("reads");
            let prepared = PreparedMessage::new(&message, &message.variants[0], &fields(), &brand())
                .unwrap_or_else(|e| panic!("{e:#?}"));
            let mail = prepared.render(&values(ADA, CART)).expect("renders");
            assert!(
                mail.html.contains("P Ada O&#x27;Neil") && mail.html.contains("Hi Ada O&#x27;Neil"),
                "{}",
                mail.html
            );
            let lines: Vec<&str> = mail.text.lines().filter(|line| !line.is_empty()).collect();
            assert_eq!(lines, ["Hi Ada O'Neil <b> & \"co\"/x", "Unsubscribe (https://example.com/unsubscribe)"]);
        }
    }
}
