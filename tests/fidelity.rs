//! Exports rendered by the real template engines, against the preview, byte for byte.
//!
//! The one idea: what a marketer reads in the preview is what Klaviyo and HubSpot will send. Every message of every
//! sample flow, for every sample contact, and made-up templates of the whole mail language are rendered by us, by
//! Django (the Klaviyo export) and by Jinja2 (the HubSpot export); `tests/fidelity/render.py` compares. It runs where
//! Python has both; with `FLOWLOOM_PROOFS` set it fails rather than pass without having run.

mod made_up;

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use flowloom::{
    app::stage::{self, History, Stage},
    audience::{Contact, Event, EventLog, Value, ValueType},
    base::{Diagnostic, Instant, Zone},
    content::{
        Block, Body, Brand, Computed, Dialect, ExportedMail, Field, FieldSource, FieldValues, Format, Links, Message,
        PreparedMessage, RenderedMail, ResolveContext, Scope, Variant, export_variant, is_prepared, platform_property,
    },
    disk,
    flow::Workspace,
};
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;

/// Losses that are dates in other words: a delivery as a span of days, a deadline in the zone of the account.
const OTHER_DATES: [&str; 4] = ["arrival", "deadline", "deadline-zone", "account-zone"];

/// Data of one mail as a platform has them, and how we render it there.
struct Case<'a> {
    name: String,
    contact: &'a Contact,
    log: &'a EventLog,
    trigger: Option<&'a Event>,
    at: Instant,
}

/// What all cases of a template share.
struct Surroundings<'a> {
    fields: &'a [Field],
    constants: &'a BTreeMap<SmolStr, Value>,
    workspace: &'a Workspace,
}

impl Surroundings<'_> {
    fn values(&self, fields: &[Field], case: &Case<'_>, zone: &Zone) -> FieldValues {
        FieldValues::resolve(
            fields,
            &ResolveContext {
                now: case.at,
                zone,
                contact: case.contact,
                log: case.log,
                trigger: case.trigger,
                constants: self.constants,
                codes: &stage::codes(self.workspace, &case.contact.id),
                links: &Links::placeholders(),
                currency: self.workspace.brand.default_currency(),
            },
        )
    }

    fn own_zone(&self, contact: &Contact) -> Zone {
        let own = contact.zone.as_deref().and_then(|name| Zone::named(name).ok());
        own.unwrap_or_else(|| self.workspace.default_zone())
    }

    /// One template with its cases for Django.
    fn klaviyo(&self, name: &str, message: &Message, variant: &Variant, cases: &[Case<'_>]) -> Json {
        // A coupon has a name of its own there, as the export writes it.
        let coupon = |pool: &str| {
            let known = self.workspace.code_pools.iter().find(|known| known.name == pool);
            known.and_then(|known| known.klaviyo.clone()).unwrap_or_else(|| pool.into())
        };
        let mut renamed = self.fields.to_vec();
        for field in &mut renamed {
            if let FieldSource::Code { pool } = &mut field.source {
                *pool = coupon(pool).into();
            }
        }
        let variant = &self.within_losses(name, message, variant, &renamed, Dialect::Klaviyo);
        let exported = self.export(name, message, variant, &renamed, Dialect::Klaviyo);
        let prepared = self.prepared(name, message, variant);
        let said = |code: &str| exported.losses.iter().any(|loss| loss.code == code);
        let cases: Vec<Json> = cases
            .iter()
            .map(|case| {
                // Instants are printed in UTC there, and the export says so.
                let zone = if said("klaviyo/zone") { Zone::utc() } else { self.own_zone(case.contact) };
                let values = self.values(self.fields, case, &zone);
                let mut context = Map::new();
                for name in ["first_name", "last_name", "full_name", "email"] {
                    context.extend(case.contact.value(&[name]).map(|value| (name.to_owned(), plain(&value))));
                }
                let mut person = object(&case.contact.properties);
                for name in ["id", "zone", "language", "created_at"] {
                    person.extend(case.contact.value(&[name]).map(|value| (name.to_owned(), plain(&value))));
                }
                for (ours, theirs) in [
                    ("phone", "phone_number"),
                    ("phone_number", "phone_number"),
                    ("city", "City"),
                    ("region", "Region"),
                    ("country", "Country"),
                    ("zip", "Zipcode"),
                    ("postal_code", "Zipcode"),
                ] {
                    person.extend(case.contact.value(&[ours]).map(|value| (theirs.to_owned(), plain(&value))));
                }
                if let Some(event) = case.trigger {
                    let mut properties = object(&event.properties);
                    for name in ["id", "name", "happened"] {
                        let value = event.value(&[name]);
                        properties.extend(value.map(|value| (name.to_owned(), plain(&value))));
                    }
                    context.insert("event".into(), Json::Object(properties));
                }
                for field in self.fields {
                    let value = values.get(&field.name).and_then(|value| value.value.as_ref()).map(plain);
                    match &field.source {
                        FieldSource::LastEvent { .. } | FieldSource::Computed(_)
                            if is_prepared(field, Dialect::Klaviyo)
                                && !matches!(field.source, FieldSource::Computed(Computed::Stock(_))) =>
                        {
                            person.extend(value.map(|value| (field.name.to_string(), value)));
                        }
                        // The export asks for whole pieces not below 0.
                        FieldSource::Computed(Computed::Stock(path)) => {
                            if let (Some(Json::Object(event)), Some(value)) = (context.get_mut("event"), value) {
                                event.insert(path.to_string(), value);
                            }
                        }
                        _ => {}
                    }
                }
                context.insert("person".into(), Json::Object(person));
                let links = Links::placeholders();
                context.insert(
                    "_links".into(),
                    json!({"unsubscribe": links.unsubscribe, "preferences": links.preferences, "view": links.view}),
                );
                let codes = stage::codes(self.workspace, &case.contact.id);
                let coupons: Map<String, Json> =
                    codes.iter().map(|(pool, code)| (coupon(pool), json!(code.as_str()))).collect();
                context.insert("_coupons".into(), Json::Object(coupons));
                let currency = self.workspace.brand.default_currency().map(|c| c.as_str().to_owned());
                context.insert("_currency".into(), json!(currency));
                let mail = prepared.render(&values).unwrap_or_else(|e| panic!("{name}: {e:?}"));
                json!({
                    "name": case.name, "context": context, "expected": parts_of_mail(&mail),
                    "plain_thousands": said("klaviyo/thousands"),
                })
            })
            .collect();
        json!({"engine": "django", "name": name, "parts": parts(&exported), "cases": cases})
    }

    /// One template with its cases for Jinja2.
    fn hubspot(&self, name: &str, message: &Message, variant: &Variant, cases: &[Case<'_>]) -> Json {
        let variant = &self.within_losses(name, message, variant, self.fields, Dialect::Hubspot);
        let exported = self.export(name, message, variant, self.fields, Dialect::Hubspot);
        let prepared = self.prepared(name, message, variant);
        // Lists cannot be looped over there, and the export says so: our mail is the one without them.
        let mut fields = self.fields.to_vec();
        for field in fields.iter_mut().filter(|field| field.kind == ValueType::List) {
            field.source = FieldSource::Contact("no such property".into());
        }
        let cases: Vec<Json> = cases
            .iter()
            .map(|case| {
                let values = self.values(&fields, case, &self.own_zone(case.contact));
                let (mut contact, mut spoken) = (Map::new(), Map::new());
                for field in &fields {
                    let Some(property) = platform_property(field, Dialect::Hubspot) else { continue };
                    let Some(value) = values.get(&field.name) else { continue };
                    let Some(typed) = &value.value else { continue };
                    flatten(&property, typed, &mut contact);
                    if !matches!(field.shown_as(), Format::Text | Format::Plain) || field.kind == ValueType::Bool {
                        spoken.insert(property, json!([typed.as_number(), value.shown]));
                    }
                }
                let links = Links::placeholders();
                let context = json!({
                    "contact": contact, "unsubscribe_link_all": links.unsubscribe, "unsubscribe_link": links.preferences,
                    "view_as_page_url": links.view,
                });
                let mail = prepared.render(&values).unwrap_or_else(|e| panic!("{name}: {e:?}"));
                json!({"name": case.name, "context": context, "spoken": spoken, "expected": parts_of_mail(&mail)})
            })
            .collect();
        json!({"engine": "jinja2", "name": name, "parts": parts(&exported), "cases": cases})
    }

    fn export(
        &self,
        name: &str,
        message: &Message,
        variant: &Variant,
        fields: &[Field],
        dialect: Dialect,
    ) -> ExportedMail {
        let scope = Scope { fields, constants: self.constants };
        export_variant(message, variant, &self.workspace.brand, dialect, &scope)
            .unwrap_or_else(|found| panic!("{name}: {found:#?}"))
    }

    /// The variant without the blocks of which the export itself says that the platform cannot work out their dates:
    /// other words stand there, by intent. A block without such a word stays, and is compared.
    fn within_losses(
        &self,
        name: &str,
        message: &Message,
        variant: &Variant,
        fields: &[Field],
        dialect: Dialect,
    ) -> Variant {
        let says = |variant: &Variant| {
            let losses = self.export(name, message, variant, fields, dialect).losses;
            losses.iter().filter(|loss| OTHER_DATES.contains(&loss.code.rsplit('/').next().unwrap_or(""))).count()
        };
        let mut kept = variant.clone();
        let mut said = says(&kept);
        while let Body::Blocks(blocks) = &kept.body
            && said > 0
        {
            let without = (0..blocks.len()).rev().find_map(|at| {
                let mut fewer = kept.clone();
                if let Body::Blocks(blocks) = &mut fewer.body {
                    let block = blocks.remove(at);
                    matches!(block, Block::Delivery { .. } | Block::Countdown { .. } | Block::Columns { .. })
                        .then_some(())?;
                }
                let left = says(&fewer);
                (left < said).then_some((fewer, left))
            });
            let Some(without) = without else { break };
            (kept, said) = without;
        }
        kept
    }

    fn prepared(&self, name: &str, message: &Message, variant: &Variant) -> PreparedMessage {
        PreparedMessage::new(message, variant, self.fields, &self.workspace.brand)
            .unwrap_or_else(|found| panic!("{name}: {found:#?}"))
    }
}

fn parts(mail: &ExportedMail) -> Json {
    json!({"subject": mail.subject, "preheader": mail.preheader, "html": mail.html, "text": mail.text})
}

fn parts_of_mail(mail: &RenderedMail) -> Json {
    json!({"subject": mail.subject, "preheader": mail.preheader, "html": mail.html, "text": mail.text})
}

/// A value as a platform gets it: amounts are numbers.
fn plain(value: &Value) -> Json {
    match value {
        Value::Money(money) => Value::Number(money.to_number()).to_json(),
        Value::List(items) => Json::Array(items.iter().map(plain).collect()),
        Value::Object(map) => Json::Object(object(map)),
        other => other.to_json(),
    }
}

fn object(map: &BTreeMap<SmolStr, Value>) -> Map<String, Json> {
    map.iter().map(|(name, value)| (name.to_string(), plain(value))).collect()
}

/// A value as contact properties; parts of an object are properties of their own.
fn flatten(property: &str, value: &Value, out: &mut Map<String, Json>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let name: String = name
                    .chars()
                    .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
                    .collect();
                flatten(&format!("{property}_{name}"), value, out);
            }
        }
        value => _ = out.insert(property.to_owned(), plain(value)),
    }
}

/// Every message of every sample flow for every contact of its audience.
fn sample_jobs() -> Vec<Json> {
    let mut jobs = Vec::new();
    let mut folders: Vec<_> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_flows"))
        .expect("the samples are there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    for folder in folders {
        for path in disk::flow_paths(&folder).expect("flows") {
            let file = disk::flow(&path).expect("a flow");
            let home = disk::home(&path, None).expect("a workspace");
            let audience = disk::audience(&disk::audience_folder(&home).expect("an audience")).expect("loads").audience;
            let flow = file.flow();
            let fields: Vec<Field> = flow.fields().cloned().collect();
            let constants = flow.settings().constants;
            let around = Surroundings { fields: &fields, constants: &constants, workspace: &home.workspace };
            let stage = Stage::new(flow, &home.workspace);
            let at = audience.events.iter().map(|event| event.accepted).max().expect("events");
            let known: Vec<_> = audience
                .contacts
                .iter()
                .map(|contact| {
                    let history = History::of(&audience.events, &contact.id, at);
                    let entry = stage.likely_entry(&history);
                    (contact, history, entry)
                })
                .collect();
            let cases: Vec<Case<'_>> = known
                .iter()
                .map(|(contact, history, entry)| Case {
                    name: contact.id.to_string(),
                    contact,
                    log: &history.log,
                    trigger: entry.as_deref(),
                    at,
                })
                .collect();
            for message in flow.messages.iter().filter_map(|message| message.section.value()) {
                for variant in &message.variants {
                    let name = format!("{}/{}/{}", flow.id, message.id, variant.id);
                    jobs.push(around.klaviyo(&name, message, variant, &cases));
                    jobs.push(around.hubspot(&name, message, variant, &cases));
                }
            }
        }
    }
    jobs
}

/// Whether the proofs must run; else they are skipped with a word where Python lacks something.
fn python() -> Option<String> {
    let python = std::env::var("FLOWLOOM_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let ready = Command::new(&python).args(["-c", "import django, jinja2"]).output();
    if ready.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    assert!(
        std::env::var_os("FLOWLOOM_PROOFS").is_none(),
        "FLOWLOOM_PROOFS is set, but {python} has no django and jinja2"
    );
    println!("skipped: {python} has no django and jinja2, so the exports were not held against the real engines");
    None
}

/// Runs the engines over the jobs; what they print. Panics with the differences.
fn compare(jobs: Vec<Json>) {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("jobs.json");
    fs::write(&file, Json::Array(jobs).to_string()).expect("written");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fidelity/render.py");
    let output = Command::new(&python).env("PYTHONUTF8", "1").arg(script).arg(&file).output().expect("the engines run");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", said.trim());
}

#[test]
fn fidelity_of_the_samples() {
    compare(sample_jobs());
}

#[test]
fn fidelity_of_the_mail_language() {
    compare(made_up::jobs());
}

/// Instants that a template prints are in the contact's zone here and in UTC there; the export must say so.
#[test]
fn a_zone_that_a_platform_does_not_have_is_said() {
    let mut message = Message::new("m", flowloom::audience::Channel::Email);
    message.variants[0].body = Body::Html("<p>{seen} {on} {{ seen|date_fmt('%A') }}</p>".into());
    let constants = BTreeMap::new();
    let field = |name: &str, kind| Field::new(name, kind, FieldSource::Trigger(name.into())).with_fallback("then");
    let zones = |fields: Vec<Field>| -> usize {
        let scope = Scope { fields: &fields, constants: &constants };
        let exported = export_variant(&message, &message.variants[0], &Brand::default(), Dialect::Klaviyo, &scope)
            .expect("exports");
        exported.losses.iter().filter(|loss: &&Diagnostic| loss.code == "klaviyo/zone").count()
    };
    assert_eq!(zones(vec![field("seen", ValueType::Instant), field("on", ValueType::Date)]), 1);
    assert_eq!(zones(vec![field("seen", ValueType::Date), field("on", ValueType::Date)]), 0);
}
