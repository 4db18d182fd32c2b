//! Webhooks of others, by a file that people can read and edit: where in their bodies the id, the contact, the name,
//! the time, the properties and the consent lie.
//!
//! The one idea: a rule makes the same object that `POST /v1/events` takes, so that everything after it is the same.
//! Values are texts with places in braces: `"{line_items.0.title}"` is what lies under that path, with its type;
//! `"shopify/{topic}"` is a text; a list of them means the first that is filled. Shipped: `assets/hooks/*.ron`.

mod template;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

pub use self::template::{Given, Path, Templates};
use crate::{
    audience::{Channel, ConsentStatus},
    content::ron_options,
    engine::work::Refusal,
};

/// The mappings that every engine knows: file name and text.
pub const SHIPPED: [(&str, &str); 2] = [
    ("klaviyo.ron", include_str!("../../../assets/hooks/klaviyo.ron")),
    ("shopify.ron", include_str!("../../../assets/hooks/shopify.ron")),
];

/// The version of mapping files that is read.
const VERSION: u32 = 1;
/// Longest mapping file, in bytes. Source: assumption.
const MOST_BYTES: usize = 1 << 20;
/// Most items that one body may hold for a hook.
const MOST_ITEMS: usize = super::layout::MOST_ITEMS;

/// Webhooks by path.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    hooks: BTreeMap<String, Hook>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    hooks: Vec<Hook>,
}

/// One address and what comes there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// Begins with `/hooks/`; what lies below it (`/hooks/shopify/orders`) comes here, too.
    pub path: String,
    /// How the sender shows who it is. Default: the shared secret.
    #[serde(default)]
    pub auth: Auth,
    /// The header that says what sort of thing it is; where left out, everything is of one sort.
    #[serde(default)]
    pub topic_header: Option<String>,
    /// Where the items lie; the body itself where left out.
    #[serde(default)]
    pub items: Option<Path>,
    /// What is made of an item: each rule that fits makes something.
    pub rules: Vec<Rule>,
}

/// How a sender shows who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// The shared secret of the secret file, as for `/v1/events`.
    #[default]
    Shared,
    /// HMAC-SHA256 over the raw body.
    Hmac {
        /// The header that has it.
        header: String,
        /// How it is written.
        encoding: Encoding,
        /// The name of the secret in the secret file.
        secret: SmolStr,
    },
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Base64 with padding.
    Base64,
    /// Hexadecimal digits.
    Hex,
}

/// What is made of an item.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// For these topics; for all where empty.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Only where all of these are filled.
    #[serde(default)]
    pub when: Vec<Path>,
    /// Not where one of these is filled.
    #[serde(default)]
    pub unless: Vec<Path>,
    /// Nothing is made, and this says why.
    #[serde(default)]
    pub ignore: Option<String>,
    /// Where the item may say of nobody whose it is: then nothing is made, and this says why. Where left out, such an
    /// item is kept aside.
    #[serde(default)]
    pub anonymous: Option<String>,
    /// Name of the event; without one the rule says something of the contact only.
    #[serde(default)]
    pub event: Templates,
    /// The event's id; where left out, it is derived from the content.
    #[serde(default)]
    pub id: Templates,
    /// Whose.
    #[serde(default)]
    pub contact: Templates,
    /// When it happened.
    #[serde(default)]
    pub happened: Templates,
    /// Objects whose keys become properties.
    #[serde(default)]
    pub spread: Vec<Path>,
    /// Properties of the event.
    #[serde(default)]
    pub properties: BTreeMap<SmolStr, Templates>,
    /// Objects whose keys become properties of the contact.
    #[serde(default)]
    pub profile_spread: Vec<Path>,
    /// What it says of the contact: `email`, `phone`, `zone`, `language`, `lists`; all else are properties.
    #[serde(default)]
    pub profile: BTreeMap<SmolStr, Templates>,
    /// What it says of consent.
    #[serde(default)]
    pub consent: Vec<ConsentRule>,
}

/// Where consent lies.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentRule {
    /// For which channel.
    pub channel: Channel,
    /// Where.
    pub from: Templates,
    /// What its words mean; words that are not listed say nothing.
    pub words: BTreeMap<String, ConsentStatus>,
}

/// What a rule made.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// An event, laid out as for `/v1/events`.
    Event(Map<String, Json>),
    /// A contact, laid out as for `/v1/contacts`.
    Contact(Map<String, Json>),
    /// Understood, and of no use here: why.
    Ignored(String),
}

impl Mapping {
    /// What is shipped.
    ///
    /// Errors: never, as a test holds.
    pub fn shipped() -> Result<Self, Refusal> {
        SHIPPED.iter().try_fold(Self::default(), |mapping, (name, text)| mapping.with(name, text))
    }

    /// The same with the hooks of a file; one of the same path takes the place of the former.
    ///
    /// Errors: file, line and column or rule, why, and a way out.
    pub fn with(mut self, name: &str, text: &str) -> Result<Self, Refusal> {
        let at = |place: &str, error: String, hint: &str| Refusal::new(format!("{name}{place}: {error}"), hint);
        if text.len() > MOST_BYTES {
            return Err(at("", format!("it has more than {} MB", MOST_BYTES >> 20), "Is it a mapping?"));
        }
        let file: File = ron_options().from_str(text).map_err(|error| {
            let place = format!(", line {}, column {}", error.span.start.line, error.span.start.col);
            at(&place, error.code.to_string(), "A shipped file shows the shape: flowloom explain hooks/shopify")
        })?;
        if file.version != VERSION {
            return Err(at(
                "",
                format!("its version is {}", file.version),
                "Write version: 1, or get a newer Flowloom",
            ));
        }
        let mut here = Vec::new();
        for hook in file.hooks {
            hook.check().map_err(|refusal| at("", refusal.error, &refusal.hint))?;
            if here.contains(&hook.path) {
                return Err(at("", format!("`{}` stands there twice", hook.path), "Put all its rules into one hook"));
            }
            here.push(hook.path.clone());
            self.hooks.insert(hook.path.clone(), hook);
        }
        Ok(self)
    }

    /// The hook of a path: its own, else the nearest one above it.
    pub fn hook(&self, path: &str) -> Option<&Hook> {
        let mut path = path.trim_end_matches('/');
        loop {
            if let Some(hook) = self.hooks.get(path) {
                return Some(hook);
            }
            path = path.rsplit_once('/')?.0;
        }
    }

    /// All paths, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.hooks.keys().map(String::as_str)
    }
}

fn is_header(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl Hook {
    fn check(&self) -> Result<(), Refusal> {
        let below = self.path.strip_prefix("/hooks/").unwrap_or("");
        let sound = below.split('/').all(|step| {
            !step.is_empty() && step.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        });
        if !sound {
            return Err(Refusal::new(
                format!("`{}` cannot be a path", self.path),
                "Write /hooks/ and a name of letters, digits, - and _",
            ));
        }
        let headers = [
            self.topic_header.as_deref(),
            match &self.auth {
                Auth::Hmac { header, .. } => Some(header.as_str()),
                Auth::Shared => None,
            },
        ];
        if let Some(bad) = headers.into_iter().flatten().find(|name| !is_header(name)) {
            return Err(Refusal::new(
                format!("{}: `{bad}` cannot be a header", self.path),
                "Write its name in small letters, such as x-shopify-topic",
            ));
        }
        for (idx, rule) in self.rules.iter().enumerate() {
            let at =
                |error: &str, hint: &str| Err(Refusal::new(format!("{}, rule {}: {error}", self.path, idx + 1), hint));
            if rule.ignore.is_some() {
                continue;
            }
            if rule.contact.is_empty() {
                return at("`contact` is missing", "Write where the id or address lies, or ignore: \"why\"");
            }
            if rule.event.is_empty() && !(rule.properties.is_empty() && rule.spread.is_empty() && rule.id.is_empty()) {
                return at("it has properties of an event without one", "Write event: \"Name\", or use profile");
            }
            if self.topic_header.is_none() && !rule.topics.is_empty() {
                return at(
                    "it asks for topics, and there is no topic_header",
                    "Write topic_header: \"x-…\" in the hook",
                );
            }
        }
        if self.rules.is_empty() {
            return Err(Refusal::new(format!("{}: there is no rule", self.path), "Write at least one, or take it out"));
        }
        Ok(())
    }

    /// Makes events and contacts of a body; one result per item and rule, in order. `header` finds a header by its name
    /// in small letters.
    ///
    /// Errors: the items are not where they should be, or there are too many.
    pub fn apply(
        &self,
        header: &dyn Fn(&str) -> Option<String>,
        body: &Json,
    ) -> Result<Vec<Result<Made, Refusal>>, Refusal> {
        let topic = self.topic_header.as_deref().and_then(header).unwrap_or_default();
        let items: Vec<&Json> = match &self.items {
            None => vec![body],
            Some(path) => {
                let found = path.find_all(body);
                match found.as_slice() {
                    [Json::Array(items)] => items.iter().collect(),
                    _ => found,
                }
            }
        };
        if items.is_empty() || items.len() > MOST_ITEMS {
            let place = self.items.as_ref().map_or_else(String::new, |path| format!(" under `{path}`"));
            return Err(Refusal::new(
                format!("there are {} items{place}, not 1 to {MOST_ITEMS}", items.len()),
                "Compare the body with `items` in the mapping",
            ));
        }
        let mut out = Vec::new();
        for item in items {
            let given = Given { body: item, header, topic: &topic };
            let before = out.len();
            let mut fits = false;
            for rule in &self.rules {
                if !rule.topics.is_empty() && !rule.topics.contains(&topic) {
                    continue;
                }
                fits = true;
                if rule.when.iter().all(|path| path.is_filled(item)) && !rule.unless.iter().any(|p| p.is_filled(item)) {
                    out.push(rule.make(&given));
                }
            }
            if out.len() == before {
                let why = if fits { "no rule asks for it as it is".to_owned() } else { no_rule(&topic) };
                out.push(Ok(Made::Ignored(why)));
            }
        }
        Ok(out)
    }
}

fn no_rule(topic: &str) -> String {
    let topic: String = topic.chars().take(60).collect();
    format!("no rule asks for the topic `{topic}`")
}

impl Rule {
    fn make(&self, given: &Given<'_>) -> Result<Made, Refusal> {
        if let Some(why) = &self.ignore {
            return Ok(Made::Ignored(why.clone()));
        }
        let Some(contact) = self.contact.text(given) else {
            return match &self.anonymous {
                Some(why) => Ok(Made::Ignored(why.clone())),
                None => Err(Refusal::new(
                    format!("it does not say whose it is: nothing lies under {}", self.contact),
                    "Mend `contact` in the mapping, or write anonymous: \"why\" to pass over such items",
                )),
            };
        };
        let mut profile = spread(&self.profile_spread, given.body);
        for (key, templates) in &self.profile {
            if let Some(value) = templates.value(given) {
                profile.insert(key.to_string(), value);
            }
        }
        let mut consent = Map::new();
        for rule in &self.consent {
            if let Some(status) = rule.from.text(given).and_then(|word| rule.words.get(&word)) {
                consent.insert(rule.channel.name().into(), Json::from(status.name()));
            }
        }
        if !consent.is_empty() {
            profile.insert("consent".into(), Json::Object(consent));
        }
        if self.event.is_empty() {
            profile.insert("id".into(), Json::String(contact));
            return Ok(Made::Contact(profile));
        }
        let Some(name) = self.event.text(given) else {
            return Err(Refusal::new(
                format!("it has no name: nothing lies under {}", self.event),
                "Mend `event` in the mapping",
            ));
        };
        let mut properties = spread(&self.spread, given.body);
        for (key, templates) in &self.properties {
            if let Some(value) = templates.value(given) {
                properties.insert(key.to_string(), value);
            }
        }
        let mut event = Map::new();
        if let Some(id) = self.id.text(given) {
            event.insert("id".into(), Json::String(id));
        }
        event.insert("contact".into(), Json::String(contact));
        event.insert("name".into(), Json::String(name));
        if let Some(happened) = self.happened.text(given) {
            event.insert("happened".into(), Json::String(happened));
        }
        event.insert("properties".into(), Json::Object(properties));
        if !profile.is_empty() {
            event.insert("profile".into(), Json::Object(profile));
        }
        Ok(Made::Event(event))
    }
}

fn spread(paths: &[Path], body: &Json) -> Map<String, Json> {
    let mut out = Map::new();
    for found in paths.iter().flat_map(|path| path.find_all(body)) {
        if let Json::Object(map) = found {
            out.extend(map.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
    }
    out
}

#[cfg(test)]
mod tests;
