//! From a claimed send to what its transport gets, to the byte.
//!
//! The one idea: the mail is the preview's, with the contact's own codes, links and zone, made from the version that
//! the journey walks and the workspace as it is now. What is not fit to be seen is held with a reason (SEMANTICS R27):
//! a tag without a value, an empty mail, a left-over. What takes long is done once for a version and kept, up to a
//! bound.
//! Deliberately not here: whether it may leave (`journey`), and leaving.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::json;
use smol_str::SmolStr;

use super::{
    Outgoing, Payload, fault,
    links::{Links, Purpose, Token},
    secrets::{PREFIX, Piece, Secrets, pieces},
};
use crate::{
    audience::{Channel, Event},
    base::{MessageId, Severity, VersionHash, Zone},
    content::{
        self, Completeness, Envelope, Escape, FieldValues, FilledText, PreparedMessage, RenderedMail, ResolveContext,
        compose,
    },
    engine::work::{Handed, Job},
    flow::{Sender, Workspace},
    journey::{IntentWhat, RunNode},
    kinds::{InternalAlert, Webhook, prepared::Prepared, runtime::Reason},
};

/// Messages that are kept ready. Source: assumption; one takes some 100 KB at most, so 25 MB.
const MOST_READY: usize = 256;
/// How long an address that is called may take, in milliseconds, where the step does not want it sooner. Source:
/// assumption; common senders of webhooks wait 5 to 30 s.
const CALL_MILLIS: i64 = 30_000;

/// Renders jobs; may be shared by threads.
#[derive(Debug)]
pub struct Renderer {
    links: Links,
    secrets: Secrets,
    ready: Mutex<Ready>,
}

/// What names something that is ready: version, node, and variant (empty for what is no message).
type ReadyKey = (VersionHash, usize, SmolStr);

#[derive(Debug, Default)]
struct Ready {
    uses: u64,
    things: BTreeMap<ReadyKey, (u64, Thing)>,
}

#[derive(Clone, Debug)]
enum Thing {
    /// With the workspace whose brand it was laid out in.
    Message(Arc<PreparedMessage>, Arc<Workspace>),
    Call(Arc<Call>),
    Alert(Arc<[FilledText; 2]>),
}

/// A webhook with its texts ready.
#[derive(Debug)]
struct Call {
    url: FilledText,
    /// `None` where it is the default one.
    body: Option<FilledText>,
    headers: Vec<(String, Vec<HeaderPiece>)>,
}

#[derive(Debug)]
enum HeaderPiece {
    Text(Box<FilledText>),
    Secret(String),
}

impl Renderer {
    /// A renderer with nothing ready yet.
    pub fn new(links: Links, secrets: Secrets) -> Self {
        Self { links, secrets, ready: Mutex::default() }
    }

    /// What the transport gets.
    ///
    /// Errors: why it cannot leave as it is, ready to be settled; nothing was handed over.
    pub fn render(&self, job: &Job) -> Result<Outgoing, Handed> {
        let at = job.version.place_of(&job.key.node);
        let Some((at, node)) = at.and_then(|at| Some((at, job.version.nodes.get(at)?))) else {
            return Err(fault(format!("Step `{}` is not in this version of the flow", job.key.node)));
        };
        let payload = match (&job.what, &node.prepared) {
            (IntentWhat::Message { channel, message, variant }, _) => {
                self.message(job, (at, node), *channel, message, variant)?
            }
            (IntentWhat::Webhook, Prepared::Webhook(webhook)) => self.call(job, at, webhook)?,
            (IntentWhat::Alert, Prepared::InternalAlert(alert)) => self.alert(job, at, alert)?,
            _ => return Err(fault(format!("Step `{}` does nothing of this kind in its version", job.key.node))),
        };
        Ok(Outgoing { key: job.key.clone(), contact: job.contact.contact.id.clone(), payload })
    }

    fn message(
        &self,
        job: &Job,
        (at, node): (usize, &RunNode),
        channel: Channel,
        id: &MessageId,
        variant: &SmolStr,
    ) -> Result<Payload, Handed> {
        let message = node.message.as_deref().map(|run| &run.message).filter(|message| message.id == *id);
        let Some((message, own)) = message.and_then(|message| Some((message, message.variant(variant)?))) else {
            return Err(fault(format!("Message `{id}` has no variant `{variant}` in this version of the flow")));
        };
        let version = &job.version;
        let current = |thing: &Thing| match thing {
            Thing::Message(_, workspace) => {
                Arc::ptr_eq(workspace, &job.workspace) || workspace.brand == job.workspace.brand
            }
            _ => false,
        };
        let prepare = || {
            let prepared = PreparedMessage::new(message, own, &version.fields, &job.workspace.brand);
            let prepared = prepared.map_err(|found| {
                let first = found.into_iter().find(|found| found.severity == Severity::Error);
                fault(first.map_or_else(|| "The message cannot be laid out".to_owned(), |found| found.message))
            })?;
            let tracking = &version.settings.tracking;
            let prepared = prepared.with_tracking(tracking, &version.fields, &version.flow, &node.id);
            Ok(Thing::Message(Arc::new(prepared), job.workspace.clone()))
        };
        let Thing::Message(prepared, _) = self.ready((version.hash, at, variant.clone()), current, prepare)? else {
            return Err(fault("The message is not ready"));
        };
        let token = token(job, id.clone(), variant.clone());
        let links = self.links.of_mail(&token);
        let values = values(job, &links);
        let mut mail = prepared.render(&values).map_err(|found| fault(format!("{}. {}", found.message, found.hint)))?;
        complete(&mail)?;
        let contact = &job.contact.contact;
        let nobody = |what: &str| Handed::Held {
            reason: Reason::NoConsent,
            detail: format!("{} has no {what} any more", contact.id),
        };
        match channel {
            Channel::Sms => {
                let to = contact.phone.as_deref().map(str::trim).filter(|phone| !phone.is_empty());
                Ok(Payload::Text {
                    to: to.ok_or_else(|| nobody("phone number"))?.to_owned(),
                    body: mail.text.trim().to_owned(),
                })
            }
            Channel::Email => {
                let (own_sender, transactional) = match &node.prepared {
                    Prepared::Email(email) => (email.sender.as_deref(), email.transactional),
                    _ => (None, false),
                };
                let sender = sender(job, own_sender)?;
                let to = contact.email.as_deref().map(str::trim).filter(|email| !email.is_empty());
                let to = to.ok_or_else(|| nobody("e-mail address"))?;
                mail.html = self.links.watched(&mail.html, &token);
                let mut more = vec![AUTOMATIC];
                if !transactional {
                    more.push(BULK);
                }
                let envelope = Envelope {
                    // What somebody asked for is not unsubscribed from (RFC 8058 is about lists).
                    unsubscribe: if transactional { String::new() } else { links.unsubscribe },
                    more: more.into_iter().map(|(name, value)| (name, value.to_owned())).collect(),
                    ..letterhead(job, sender, to)
                };
                // A recipient's address that is none is theirs alone; the rest is the workspace's.
                if to.parse::<lettre::Address>().is_err() {
                    return Err(Handed::No { detail: format!("`{to}` is not an e-mail address"), bad_address: true });
                }
                let bytes = compose(&mail, &envelope).map_err(|reason| fault(format!("{reason}; mend the sender")))?;
                Ok(Payload::Mail { from: sender.email.trim().to_owned(), to: vec![to.to_owned()], bytes })
            }
        }
    }

    fn call(&self, job: &Job, at: usize, webhook: &Webhook) -> Result<Payload, Handed> {
        let fields = &job.version.fields;
        let read = |text: &str, escape| FilledText::new(text, fields, escape).map_err(fault);
        let prepare = || {
            let header = |value: &str| {
                let pieces = pieces(value).into_iter().map(|piece| match piece {
                    Piece::Text(text) => read(text, Escape::Plain).map(|text| HeaderPiece::Text(Box::new(text))),
                    Piece::Secret(name) => Ok(HeaderPiece::Secret(name.to_owned())),
                });
                pieces.collect::<Result<Vec<_>, Handed>>()
            };
            let headers = webhook.headers.iter().map(|(name, value)| Ok((name.clone(), header(value)?)));
            let is_default = webhook.body.trim().is_empty();
            Ok(Thing::Call(Arc::new(Call {
                url: read(webhook.url.trim(), Escape::Address)?,
                body: if is_default { None } else { Some(read(&webhook.body, Escape::Json)?) },
                headers: headers.collect::<Result<_, Handed>>()?,
            })))
        };
        let is_call = |thing: &Thing| matches!(thing, Thing::Call(_));
        let Thing::Call(call) = self.ready((job.version.hash, at, SmolStr::default()), is_call, prepare)? else {
            return Err(fault("The call is not ready"));
        };
        let values = values(job, &self.links.of_mail(&token(job, MessageId::new(""), SmolStr::default())));
        let fill = |text: &FilledText| {
            let filled = text.fill(&values).map_err(fault)?;
            match (filled.missing.is_empty(), filled.leftover) {
                (true, None) => Ok(filled.text),
                (true, Some(text)) => Err(incomplete(format!("`{text}` is left in the call"))),
                (false, _) => Err(missing(&filled.missing)),
            }
        };
        let body = match &call.body {
            None => default_body(job),
            Some(body) => {
                let text = fill(body)?;
                serde_json::from_str::<serde::de::IgnoredAny>(&text)
                    .map_err(|error| fault(format!("The body of the call is no JSON: {error}; mend it in the step")))?;
                text
            }
        };
        let mut headers = Vec::with_capacity(call.headers.len());
        for (name, pieces) in &call.headers {
            let mut value = String::new();
            for piece in pieces {
                value.push_str(&match piece {
                    HeaderPiece::Text(text) => fill(text)?.chars().filter(|c| !c.is_control()).collect(),
                    HeaderPiece::Secret(secret) => self.secrets.get(secret).ok_or_else(|| {
                        fault(format!(
                            "There is no secret `{secret}` for header `{name}`: put {secret}=… into the file of \
                             --flow-secrets, or set the variable {PREFIX}{secret}, and start the engine again"
                        ))
                    })?,
                });
            }
            headers.push((name.clone(), value.trim().to_owned()));
        }
        let timeout = webhook.timeout.about_millis().clamp(1, CALL_MILLIS);
        Ok(Payload::Call { url: fill(&call.url)?, headers, body, timeout_millis: timeout.unsigned_abs() })
    }

    fn alert(&self, job: &Job, at: usize, alert: &InternalAlert) -> Result<Payload, Handed> {
        let fields = &job.version.fields;
        let prepare = || {
            let read = |text: &str| FilledText::new(text, fields, Escape::Plain).map_err(fault);
            Ok(Thing::Alert(Arc::new([read(&alert.subject)?, read(&alert.text)?])))
        };
        let is_alert = |thing: &Thing| matches!(thing, Thing::Alert(_));
        let Thing::Alert(texts) = self.ready((job.version.hash, at, SmolStr::default()), is_alert, prepare)? else {
            return Err(fault("The alert is not ready"));
        };
        let values = values(job, &self.links.of_mail(&token(job, MessageId::new(""), SmolStr::default())));
        let [subject, text] = &*texts;
        let (subject, text) = (subject.fill(&values).map_err(fault)?, text.fill(&values).map_err(fault)?);
        let contact = &job.contact.contact;
        // Colleagues hear of it although a value is missing: they can look, a customer could not.
        let mut body = format!("{}\n\n", text.text.trim_end());
        let mut gone = [subject.missing, text.missing].concat();
        gone.dedup();
        if !gone.is_empty() {
            body.push_str(&format!("Without a value: {}\n", gone.join(", ")));
        }
        let email = contact.email.as_deref().unwrap_or("no address");
        body.push_str(&format!("Contact: {} ({email})\nFlow: {}, step {}\n", contact.id, job.flow, job.key.node));
        let subject = subject.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let subject = if subject.is_empty() { format!("{} came to {}", contact.id, job.key.node) } else { subject };
        let to: Vec<String> =
            alert.to.iter().map(|to| to.trim().to_owned()).filter(|to| to.parse::<lettre::Address>().is_ok()).collect();
        let Some(first) = to.first() else {
            return Err(fault("The alert has no e-mail address of the team; name one in the step"));
        };
        let sender = sender(job, None)?;
        let envelope = Envelope { more: vec![(AUTOMATIC.0, AUTOMATIC.1.to_owned())], ..letterhead(job, sender, first) };
        let mail = RenderedMail { subject, text: body.trim_start().to_owned(), ..RenderedMail::default() };
        let bytes = compose(&mail, &envelope).map_err(|reason| fault(format!("{reason}; mend the sender")))?;
        Ok(Payload::Mail { from: sender.email.trim().to_owned(), to, bytes })
    }

    /// What is ready and current under a key, else made and kept; what was not used for longest goes.
    fn ready(
        &self,
        key: ReadyKey,
        current: impl Fn(&Thing) -> bool,
        prepare: impl FnOnce() -> Result<Thing, Handed>,
    ) -> Result<Thing, Handed> {
        let lock = || self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut ready = lock();
            ready.uses += 1;
            let uses = ready.uses;
            if let Some((used, thing)) = ready.things.get_mut(&key).filter(|(_, thing)| current(thing)) {
                *used = uses;
                return Ok(thing.clone());
            }
        }
        // Two threads may make the same at once; that is cheaper than one waiting for the other.
        let thing = prepare()?;
        let mut ready = lock();
        if ready.things.len() >= MOST_READY && !ready.things.contains_key(&key) {
            let oldest = ready.things.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            oldest.map(|oldest| ready.things.remove(&oldest));
        }
        let uses = ready.uses;
        ready.things.insert(key, (uses, thing.clone()));
        Ok(thing)
    }
}

/// Says to answering machines that nobody wrote this by hand. Source: RFC 3834, section 5.
const AUTOMATIC: (&str, &str) = ("Auto-Submitted", "auto-generated");
/// Says to older ones that no answer is wanted. Source: RFC 3834, section 2, and long habit of mailing lists.
const BULK: (&str, &str) = ("Precedence", "bulk");

fn token(job: &Job, message: MessageId, variant: SmolStr) -> Token {
    Token {
        purpose: Purpose::View,
        contact: job.contact.contact.id.clone(),
        key: job.key.clone(),
        flow: job.flow.clone(),
        message,
        variant,
        link: String::new(),
    }
}

fn trigger(job: &Job) -> Option<&Event> {
    job.contact.journey(&job.key.journey).and_then(|journey| journey.event.as_deref())
}

fn values(job: &Job, links: &content::Links) -> FieldValues {
    let contact = &job.contact.contact;
    let own = contact.zone.as_deref().and_then(|name| Zone::named(name).ok());
    let zone = own.unwrap_or_else(|| job.workspace.default_zone());
    // What a pool gives to everybody needs no claim.
    let shared = job.workspace.code_pools.iter().filter_map(|pool| Some((pool.name.clone(), pool.shared.clone()?)));
    let codes: BTreeMap<SmolStr, SmolStr> = shared.chain(job.codes.clone()).collect();
    FieldValues::resolve(
        &job.version.fields,
        &ResolveContext {
            now: job.now,
            zone: &zone,
            contact,
            log: &job.contact.log,
            trigger: trigger(job),
            constants: job.version.constants(),
            codes: &codes,
            links,
            currency: job.workspace.brand.default_currency(),
        },
    )
}

/// The step's sender, else the flow's, else the workspace's first.
fn sender<'a>(job: &'a Job, own: Option<&str>) -> Result<&'a Sender, Handed> {
    let named = own.or(job.version.settings.sender.as_deref()).and_then(|id| job.workspace.sender(id));
    named.or(job.workspace.senders.first()).ok_or_else(|| {
        fault(
            "The workspace has no sender; add one to flowloom.ron: senders: [(id: \"shop\", name: \"Shop\", email: …)]",
        )
    })
}

fn letterhead(job: &Job, sender: &Sender, to: &str) -> Envelope {
    Envelope {
        from_name: sender.name.clone(),
        from: sender.email.clone(),
        reply_to: sender.reply_to.clone(),
        to: to.to_owned(),
        date: job.now,
        send_key: job.key.to_string(),
        ..Envelope::default()
    }
}

fn incomplete(detail: impl Into<String>) -> Handed {
    Handed::Held { reason: Reason::Incomplete, detail: detail.into() }
}

fn missing(names: &[String]) -> Handed {
    incomplete(format!("No value and no fallback for {}", names.join(", ")))
}

/// Whether a mail may be seen (SEMANTICS R27).
fn complete(mail: &RenderedMail) -> Result<(), Handed> {
    match mail.completeness() {
        Completeness::Complete => Ok(()),
        Completeness::Incomplete(names) => Err(missing(&names)),
        Completeness::Empty => {
            Err(Handed::Held { reason: Reason::Empty, detail: "There is nothing to read in it".to_owned() })
        }
        Completeness::Leftover(text) => Err(incomplete(format!("`{text}` is left in it"))),
    }
}

/// The contact and what let them in, as JSON.
fn default_body(job: &Job) -> String {
    let contact = serde_json::to_value(&job.contact.contact).unwrap_or_default();
    let event = trigger(job).and_then(|event| serde_json::to_value(event).ok());
    json!({
        "schema": "flowloom/webhook/1",
        "flow": job.flow,
        "node": job.key.node,
        "journey": job.key.journey,
        "send_key": job.key.to_string(),
        "contact": contact,
        "event": event,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;
    use crate::{
        audience::{Contact, Value},
        engine::delivery::{
            links::Watch,
            stage::{self, contact, job, renderer},
        },
    };

    fn ada() -> Contact {
        contact("ada", "ada@a.example")
    }

    #[track_caller]
    fn mail_of(job: &Job, watch: Watch) -> (Vec<String>, String) {
        match renderer(watch).render(job) {
            Ok(Outgoing { payload: Payload::Mail { to, bytes, .. }, .. }) => {
                (to, String::from_utf8(bytes).expect("ASCII"))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mail_is_the_contacts_own() {
        let (to, text) = mail_of(&job("mail", ada(), Some(120.0)), Watch::default());
        assert_eq!(to, ["ada@a.example"]);
        let mail = MessageParser::default().parse(text.as_bytes()).expect("a mail");
        let (html, plain) = (mail.body_html(0).expect("html"), mail.body_text(0).expect("text"));
        assert!(mail.subject().is_some_and(|subject| subject.starts_with("ada, ") && subject.contains("120")));
        assert!(html.contains("code CODE-7"), "{html}");
        assert!(html.contains("https://shop.example/c?utm_campaign=cart&amp;utm_source=loom"), "{html}");
        assert!(plain.contains("CODE-7"), "{plain}");
        let unsubscribe = text.split("List-Unsubscribe: <").nth(1).expect("a header");
        let link: String = unsubscribe.split('>').next().expect("a link").split_whitespace().collect();
        let links = Links::new(&[1; 32], "https://mail.shop.example", Watch::default());
        let token = link.rsplit('/').next().expect("a token");
        let token = links.verify(Purpose::Unsubscribe, token).expect("ours");
        assert_eq!((token.contact.as_str(), token.variant.as_str(), token.message.as_str()), ("ada", "a", "m"));
        assert!(html.contains(&link), "the same link in the mail");
        for header in [
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Precedence: bulk\r\n",
            "Reply-To: help@shop.example\r\n",
            "Date: Mon, 23 Nov 2026 09:30:00 +0000\r\n",
        ] {
            assert!(text.contains(header), "{header}{text}");
        }
        assert_eq!(mail_of(&job("mail", ada(), Some(120.0)), Watch::default()).1, text, "same send, same bytes");
        let (_, receipt) = mail_of(&job("receipt", ada(), Some(120.0)), Watch::default());
        assert!(!receipt.contains("List-Unsubscribe") && !receipt.contains("Precedence"), "{receipt}");
    }

    #[test]
    fn watched_mails_keep_their_own_links() {
        let (_, text) = mail_of(&job("mail", ada(), Some(1.0)), Watch { opens: true, clicks: true });
        let mail = MessageParser::default().parse(text.as_bytes()).expect("a mail");
        let targets: Vec<String> =
            content::links(&mail.body_html(0).expect("html")).into_iter().map(|l| l.target).collect();
        assert!(targets[0].starts_with("https://mail.shop.example/c/"), "{targets:?}");
        assert!(targets[1].starts_with("https://mail.shop.example/u/"), "{targets:?}");
        assert!(mail.body_html(0).is_some_and(|html| html.contains("https://mail.shop.example/o/")));
        assert!(mail.body_text(0).is_some_and(|text| text.contains("https://shop.example/c")), "the text stays plain");
    }

    #[test]
    fn texts_calls_and_alerts() {
        let rendered = |node: &str, contact: Contact| renderer(Watch::default()).render(&job(node, contact, Some(5.0)));
        let text = rendered("text", ada()).expect("renders").payload;
        let body = "Hi ada, your cart: https://shop.example/c?utm_campaign=cart&utm_source=loom".to_owned();
        assert_eq!(text, Payload::Text { to: "+4917012345".into(), body });
        let call_of = |name: &str| {
            let mut job = job("hook", ada(), Some(5.0));
            let mut state = (*job.contact).clone();
            state.contact.properties.insert("first_name".into(), Value::text(name));
            job.contact = Arc::new(state);
            renderer(Watch::default()).render(&job).map(|outgoing| outgoing.payload)
        };
        let call = call_of("E\"v\\e & /?\r\nX: y").expect("renders");
        assert!(!format!("{call:?}").contains("hunter2"), "secrets are not printed");
        let Payload::Call { url, headers, body, timeout_millis } = call else { panic!("a call") };
        assert_eq!(url, "https://crm.example/in?n=E%22v%5Ce%20%26%20%2F%3F%0D%0AX%3A%20y");
        assert_eq!(headers[0], ("Authorization".to_owned(), "Bearer hunter2".to_owned()));
        assert_eq!(headers[1].1, "E\"v\\e & /?X: y", "data begin no headers");
        let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(json["name"], "E\"v\\e & /?\r\nX: y");
        assert_eq!(timeout_millis, 30_000);
        let secret = call_of("${CRM}");
        assert!(
            matches!(secret, Err(Handed::Held { reason: Reason::Incomplete, .. })),
            "data name no secrets: {secret:?}"
        );
        let (to, alert) = mail_of(&job("tell", ada(), None), Watch::default());
        assert_eq!(to, ["team@shop.example", "boss@shop.example"]);
        assert!(alert.contains("Subject: ada left\r\n") && alert.contains("Without a value: cart_value"), "{alert}");
        assert!(alert.contains("Contact: ada (ada@a.example)") && !alert.contains("List-Unsubscribe"), "{alert}");
    }

    #[test]
    fn the_default_body_says_who_and_why() {
        let source = stage::FLOW.replace(r#"body: "{\"name\": \"{first_name}\", \"worth\": \"{cart_value}\"}", "#, "");
        let jobs = stage::jobs(&source, &stage::workspace(), ada(), Some(5.0));
        let outgoing = renderer(Watch::default()).render(jobs.last().expect("the call")).expect("renders");
        let Payload::Call { body, .. } = outgoing.payload else { panic!("a call") };
        let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(json["schema"], "flowloom/webhook/1");
        assert_eq!((&json["contact"]["id"], &json["event"]["name"]), (&"ada".into(), &"Checkout Expired".into()));
        assert_eq!(json["event"]["properties"]["cart_value"], 5.0);
    }

    #[track_caller]
    fn check_held(source: &str, workspace: &Workspace, node: &str, contact: Contact, expected: &str) {
        let jobs = stage::jobs(source, workspace, contact, None);
        let job = jobs.iter().find(|job| job.key.node.as_str() == node).expect("the step was come to");
        let said = match renderer(Watch::default()).render(job) {
            Err(Handed::Held { reason, detail }) => format!("{}: {detail}", reason.name()),
            Err(Handed::No { detail, bad_address }) => format!("no {bad_address}: {detail}"),
            other => panic!("{other:?}"),
        };
        assert!(said.starts_with(expected), "{said}");
    }

    #[test]
    fn what_is_not_fit_to_be_seen_is_held() {
        let whole = |from: &str, to: &str| stage::FLOW.replace(from, to);
        let workspace = stage::workspace();
        let nobody = Workspace { senders: Vec::new(), ..stage::workspace() };
        let said = whole("Hello {first_name}, {cart_value}", "Hello {first_name}")
            .replace("{first_name}, {cart_value} wait", "Hi");
        check_held(&said, &nobody, "mail", ada(), "fault: The workspace has no sender");
        check_held(&said, &workspace, "mail", contact("ada", "no address"), "no true: `no address` is not");
        let wrong = Workspace {
            senders: vec![Sender { id: "x".into(), name: String::new(), email: "none".into(), reply_to: None }],
            ..stage::workspace()
        };
        check_held(&said, &wrong, "mail", ada(), "fault: `none` is not an e-mail address; mend the sender");
        // A mail of a receipt without the cart's value never came this far; the call did.
        let on = said.replace("Your receipt for {cart_value}", "Your receipt");
        check_held(&on, &workspace, "hook", ada(), "incomplete: No value and no fallback for cart_value");
        let broken = on.replace(r#"\"worth\": \"{cart_value}\"}"#, r#"\"worth\": }"#);
        check_held(&broken, &workspace, "hook", ada(), "fault: The body of the call is no JSON");
        let secret = on.replace("${CRM}", "${GONE}").replace(r#", \"worth\": \"{cart_value}\""#, "");
        check_held(
            &secret,
            &workspace,
            "hook",
            ada(),
            "fault: There is no secret `GONE` for header `Authorization`: put",
        );
        let team = whole("to: [\"team@shop.example\", \"boss@shop.example\"]", "to: [\"team@@x\"]");
        check_held(&team, &workspace, "tell", ada(), "fault: The alert has no e-mail address");
    }

    #[test]
    fn left_overs_and_empty_mails_never_leave() {
        let mut job = job("text", ada(), Some(5.0));
        let said = |job: &Job| renderer(Watch::default()).render(job).map(|_| ());
        assert_eq!(said(&job), Ok(()));
        // Between the gate and here the contact may have lost what the text shows.
        let mut bare = (*job.contact).clone();
        bare.contact.phone = None;
        bare.contact.properties.insert("first_name".into(), Value::text("{{ name }}"));
        job.contact = Arc::new(bare);
        assert!(matches!(said(&job), Err(Handed::Held { reason: Reason::Incomplete, .. })), "a left-over");
        let mut bare = (*job.contact).clone();
        bare.contact.properties.clear();
        job.contact = Arc::new(bare);
        assert!(matches!(said(&job), Err(Handed::Held { reason: Reason::NoConsent, .. })), "no number");
    }

    #[test]
    fn what_is_ready_is_kept_up_to_a_bound_and_follows_the_brand() {
        let renderer = renderer(Watch::default());
        let mut job = job("mail", ada(), Some(5.0));
        let count = || renderer.ready.lock().expect("lock").things.len();
        for _ in 0..3 {
            renderer.render(&job).expect("renders");
        }
        assert_eq!(count(), 1);
        let html = |job: &Job| match renderer.render(job).expect("renders").payload {
            Payload::Mail { bytes, .. } => bytes,
            _ => Vec::new(),
        };
        let before = html(&job);
        job.workspace = Arc::new((*job.workspace).clone());
        assert_eq!(html(&job), before, "an equal workspace changes nothing");
        assert_eq!(count(), 1);
        for n in 0..MOST_READY + 10 {
            let key = (VersionHash(n as u128), 0, SmolStr::default());
            let thing =
                || Ok(Thing::Alert(Arc::new(["", ""].map(|t| FilledText::new(t, &[], Escape::Plain).expect("reads")))));
            renderer.ready(key, |_| true, thing).expect("made");
        }
        assert_eq!(count(), MOST_READY);
    }
}
