//! A listener with a writer that only remembers, and a store that says what it is told.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value as Json, json};

use super::http::{self, Answer as Said};
use crate::{
    audience::{Contact, Event},
    base::{ContactId, FlowId, Instant, NodeId, SendKey},
    content::Brand,
    engine::{
        clock::Clock,
        delivery::links::{Links, Purpose, Token, Watch},
        forget::{Person, Places},
        handle::{Ask, Handle},
        intake::{
            Reader,
            guard::Secrets,
            pulse::Pulse,
            server::{Intake, Parts, Setup},
        },
        status::{
            AuditRow, CodeView, ContactView, DamagedContact, Export, Found, HeldRow, MailView, MoveView, ProfileView,
            SendView, Status,
        },
        work::{Answer, Busy, NewContact, NewEvent, Order, Refusal, Standing},
    },
    flow::Workspace,
    kinds::runtime::{Outcome, Reason},
};

pub(super) const ADMIN: &str = "admin-token-of-the-tests-0123456789";
pub(super) const SECRET: &str = "shared-secret-of-the-tests";
pub(super) const SHOPIFY: &str = "shpss_0123456789abcdef";
pub(super) const NOW: &str = "2026-11-26T12:00:00Z";

/// What the writer got, and how it behaves.
#[derive(Default)]
pub(super) struct Book {
    pub events: Vec<NewEvent>,
    pub contacts: Vec<NewContact>,
    pub histories: usize,
    pub orders: Vec<(String, Order)>,
    seen: BTreeSet<(ContactId, String)>,
    /// Says this instead of working.
    pub busy: Option<Busy>,
    /// Does not answer at all.
    pub silent: bool,
    /// Refuses events of this name.
    pub refuses: Option<String>,
}

pub(super) type Shared = Arc<Mutex<Book>>;

fn writer(asks: std::sync::mpsc::Receiver<(Ask, usize)>, handle: Handle, book: Shared) {
    let mut unanswered = Vec::new();
    for (ask, items) in asks {
        let mut book = book.lock().expect("the book");
        if book.silent {
            unanswered.push(ask);
            continue;
        }
        let busy = book.busy.clone();
        match ask {
            Ask::Events(events, _, reply) => {
                let answers = match busy {
                    Some(busy) => Err(busy),
                    None => Ok(events.into_iter().map(|event| take(&mut book, event)).collect()),
                };
                let _ = reply.send(answers);
            }
            Ask::Contacts(contacts, reply) => {
                let answers = busy.map_or_else(|| Ok(vec![Answer::Accepted; contacts.len()]), Err);
                book.contacts.extend(contacts);
                let _ = reply.send(answers);
            }
            Ask::Histories(histories, reply) => {
                book.histories += histories.len();
                let _ = reply.send(Ok(vec![Answer::Accepted; histories.len()]));
            }
            Ask::Order(by, order, reply) => {
                let done = match &*order {
                    Order::End { contact, .. } => {
                        Err(Refusal::new(format!("{contact} has no such journey, if there is one"), "Look for it"))
                    }
                    Order::Drain { .. } => Err(Refusal::new("no such flow", "Publish it")),
                    _ => Ok("done".to_owned()),
                };
                book.orders.push((by, *order));
                let _ = reply.send(Ok(done));
            }
            Ask::Stop => return,
            _ => {}
        }
        handle.taken(items);
    }
}

fn take(book: &mut Book, event: NewEvent) -> Answer {
    if book.refuses.as_deref() == Some(event.name.as_str()) {
        return Answer::Refused { error: "the writer refuses it".into(), hint: "Ask it why".into() };
    }
    if !book.seen.insert((event.contact.clone(), event.id.to_string())) {
        return Answer::Duplicate;
    }
    book.events.push(event);
    Answer::Accepted
}

/// A store with one contact, `ada`.
pub(super) struct Store {
    pub contact: Mutex<Contact>,
    pub broken: Mutex<bool>,
    /// What is kept of the message.
    pub mail: Mutex<&'static str>,
    pub brand: Brand,
}

pub(super) const KEY: &str = "shop/ada/1/mail-1/1";
pub(super) const MAIL: &str = "From: shop@example.com\r\nTo: ada@example.com\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>Gr=C3=BC=C3=9Fe</p>\r\n";

impl Store {
    fn read<T>(&self, found: T) -> Result<T, String> {
        if *self.broken.lock().expect("a flag") { Err("the disk is gone".into()) } else { Ok(found) }
    }
}

impl Reader for Store {
    fn status(&self) -> Result<Status, String> {
        self.read(Status { schema: "flowloom/status/1".into(), contacts: 1, ..Status::default() })
    }

    fn contact(&self, id: &ContactId) -> Result<Option<ContactView>, String> {
        let contact = self.contact.lock().expect("a contact").clone();
        let key = SendKey::parse(KEY).expect("a key");
        let view = ContactView {
            schema: "flowloom/contact/1".into(),
            contact,
            suppressed: false,
            bounced: false,
            journeys: Vec::new(),
            sends: vec![SendView {
                key: KEY.into(),
                flow: "shop".into(),
                node: key.node,
                standing: Standing::Settled(Outcome::Sent),
                reason: Some(Reason::Ok),
                detail: String::new(),
                at: Instant::from_millis(0),
                has_mail: true,
            }],
            trace: Vec::new(),
            audit: Vec::new(),
            next_wake: None,
        };
        self.read((view.contact.id == *id).then_some(view))
    }

    fn export(&self, id: &ContactId) -> Result<Option<Export>, String> {
        let Some(contact) = self.contact(id)? else { return Ok(None) };
        let at = Instant::from_millis(0);
        let event = Event {
            id: "e1".into(),
            contact: id.clone(),
            name: "Viewed".into(),
            happened: at,
            accepted: at,
            properties: Default::default(),
        };
        self.read(Some(Export {
            schema: "flowloom/export/1".into(),
            contact,
            profile: vec![ProfileView { at, profile: json!({"set": [["age", 36]]}) }],
            codes: vec![CodeView { pool: "Spring".into(), code: "SPRING-1".into() }],
            events: vec![event],
            mails: vec![MailView { key: KEY.into(), eml: MAIL.into() }],
        }))
    }

    fn search(&self, text: &str, limit: usize) -> Result<Vec<Found>, String> {
        let found = Found { id: "ada".into(), email: Some("ada@example.com".into()) };
        self.read(if "ada@example.com".contains(text) { vec![found; limit.min(1)] } else { Vec::new() })
    }

    fn held(&self, _limit: usize) -> Result<Vec<HeldRow>, String> {
        self.read(Vec::new())
    }

    fn damaged(&self, _limit: usize) -> Result<Vec<DamagedContact>, String> {
        let since = Instant::from_millis(0);
        self.read(vec![DamagedContact { contact: "eve".into(), why: "it is damaged".into(), since }])
    }

    fn audit(&self, limit: usize) -> Result<Vec<AuditRow>, String> {
        let what = |contact: Option<&str>, what: &str| AuditRow {
            at: Instant::from_millis(0),
            contact: contact.map(ContactId::new),
            who: "lena".into(),
            what: what.into(),
        };
        let mut rows = vec![what(Some("ada"), "ended shop/ada/1"), what(None, "shop is paused")];
        rows.truncate(limit);
        self.read(rows)
    }

    fn knows(&self, id: &ContactId) -> Result<bool, String> {
        self.read(["ada", "eve"].contains(&id.as_str()))
    }

    fn suppressed(&self) -> Result<Vec<String>, String> {
        self.read(vec!["bob@example.com".into()])
    }

    fn migration(&self, flow: &FlowId, mapping: &[(NodeId, NodeId)]) -> Result<Option<Vec<MoveView>>, String> {
        let to = |from: &NodeId| mapping.iter().find(|(old, _)| old == from).map(|(_, new)| new.clone());
        let moved = |from: NodeId| MoveView { to: to(&from), from, journeys: 2 };
        self.read((flow.as_str() == "shop").then(|| vec![moved("mail-1".into())]))
    }

    fn erasing(&self) -> Result<(Vec<Person>, Places), String> {
        let ada = Person { addresses: ["ada@example.com".to_owned()].into(), ..Person::new("ada".into()) };
        self.read((vec![ada], Places::default()))
    }

    fn mail(&self, key: &SendKey) -> Result<Option<Vec<u8>>, String> {
        self.read((key.to_string() == KEY).then(|| self.mail.lock().expect("a mail").as_bytes().to_vec()))
    }

    fn workspace(&self) -> Result<Workspace, String> {
        self.read(Workspace { brand: self.brand.clone(), ..Workspace::default() })
    }
}

/// A running listener.
pub(super) struct Stage {
    pub intake: Option<Intake>,
    pub book: Shared,
    pub store: Arc<Store>,
    pub links: Arc<Links>,
    pub pulse: Arc<Pulse>,
    pub handle: Handle,
    pub clock: Clock,
    pub data: tempfile::TempDir,
}

impl Stage {
    /// Open, on loopback.
    pub fn new() -> Self {
        Self::with("", |_| {})
    }

    /// With this secret file, and other changes.
    pub fn with(secrets: &str, change: impl FnOnce(&mut Setup)) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let book = Shared::default();
        let (handle, asks) = Handle::new();
        let mut contact = Contact::new("ada");
        contact.email = Some("ada@example.com".into());
        contact.consent.email = crate::audience::ConsentStatus::Subscribed;
        contact.lists = ["Club <b>".into(), "News".into()].into();
        let brand = Brand { name: "Meridian & Co".into(), primary: "#12355b".into(), ..Brand::default() };
        let store =
            Arc::new(Store { contact: Mutex::new(contact), broken: Mutex::new(false), mail: Mutex::new(MAIL), brand });
        let links = Arc::new(Links::new(&[7; 32], "https://mail.example", Watch::default()));
        let pulse = Arc::new(Pulse::default());
        let clock = Clock::fake(Instant::parse(NOW).expect("an instant"));
        std::thread::Builder::new()
            .name("writer".into())
            .spawn({
                let (handle, book) = (handle.clone(), book.clone());
                move || writer(asks, handle, book)
            })
            .expect("a thread");
        let mut setup = Setup::new(ADMIN.into(), data.path().to_owned()).unwrap_or_else(|r| panic!("{}", r.error));
        setup.secrets = Secrets::parse(secrets).unwrap_or_else(|refusal| panic!("{}", refusal.error));
        change(&mut setup);
        let parts = Parts {
            handle: handle.clone(),
            reader: store.clone(),
            links: links.clone(),
            pulse: pulse.clone(),
            clock: clock.clone(),
        };
        let intake = Intake::start(setup, parts).unwrap_or_else(|refusal| panic!("{}", refusal.error));
        Self { intake: Some(intake), book, store, links, pulse, handle, clock, data }
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.intake.as_ref().expect("runs").address()
    }

    /// One request on a connection of its own.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Said {
        http::ask(self.address(), method, path, headers, body)
    }

    pub fn get(&self, path: &str) -> Said {
        self.ask("GET", path, &[], b"")
    }

    /// As the admin.
    pub fn get_as_admin(&self, path: &str) -> Said {
        self.ask("GET", path, &[("authorization", &format!("Bearer {ADMIN}"))], b"")
    }

    pub fn post_json(&self, path: &str, body: &str) -> Said {
        self.ask("POST", path, &[("content-type", "application/json")], body.as_bytes())
    }

    pub fn num_events(&self) -> usize {
        self.book.lock().expect("the book").events.len()
    }

    pub fn aside(&self) -> Vec<Json> {
        let Ok(found) = std::fs::read_dir(self.data.path().join("aside")) else { return Vec::new() };
        found.map(|entry| json_file(&entry.expect("an entry").path())).collect()
    }

    /// The path of a recipient's link to `ada`.
    pub fn link(&self, purpose: Purpose, to: &str) -> String {
        let key = SendKey::parse(KEY).expect("a key");
        let token = Token {
            purpose,
            contact: "ada".into(),
            flow: "shop".into(),
            message: "m1".into(),
            variant: "a".into(),
            link: to.to_owned(),
            key,
        };
        self.links.address(&token).trim_start_matches("https://mail.example").to_owned()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(intake) = self.intake.take() {
            intake.stop(Duration::from_secs(1));
        }
        self.handle.stop();
    }
}

fn json_file(path: &Path) -> Json {
    serde_json::from_slice(&std::fs::read(path).expect("bytes")).expect("JSON")
}
