//! Talking to an engine by its data folder: over its own API where it runs, else straight to its store.
//!
//! The one idea: commands name a folder, not an address. The folder's `engine.json` says where the engine listens
//! and holds the token of its owner. Where no engine runs, the folder is taken for as long as the command lasts, and
//! what is asked is done by the same driver: the next start goes on from there. Looking needs neither: the file is
//! read.

use std::{path::Path, time::Duration};

use reqwest::{StatusCode, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{
    clock::Clock,
    driver::Driver,
    forget,
    intake::{door::Door, order},
    status::Status,
    store,
    work::{Answer, Done, Order, Refusal},
};
use crate::base::{ContactId, Instant};

/// How long an engine may take to answer. Source: assumption; a full queue on a slow disk is done in some seconds.
const PATIENCE: Duration = Duration::from_secs(35);
/// How long it may take to take the call: it is on this machine.
const CONNECT: Duration = Duration::from_secs(3);

/// A running engine, called over its API.
#[derive(Debug)]
pub struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    door: Door,
}

impl Client {
    /// The engine of a folder, where one answers. `None` where none runs: what is left of a crash counts as none.
    ///
    /// Errors: no client can be made.
    pub fn of(data: &Path) -> Result<Option<Self>, Refusal> {
        let Ok(door) = Door::read(data) else { return Ok(None) };
        let client = Self::with(door)?;
        Ok(client.is_there().then_some(client))
    }

    /// A client for a door.
    ///
    /// Errors: no client can be made.
    pub fn with(door: Door) -> Result<Self, Refusal> {
        let no = |error: &dyn std::fmt::Display| {
            Refusal::new(format!("No client can be made: {error}"), "Close other programs")
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| no(&error))?;
        // A door is on this machine; what stands between programs and the world has no business here.
        // TLS is not needed here; the library wants to know whose it would be.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .build()
            .map_err(|error| no(&error))?;
        Ok(Self { runtime, http, door })
    }

    /// Where it listens.
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// Whether the engine of this door answers there: after a crash another one may listen at its address, which does
    /// not know the token.
    fn is_there(&self) -> bool {
        let request = self.http.get(format!("http://{}/v1/status", self.door.address)).bearer_auth(&self.door.token);
        let asked = self.runtime.block_on(async {
            let response = request.timeout(CONNECT).send().await?;
            let status = response.status();
            Ok::<_, reqwest::Error>((status, response.bytes().await?))
        });
        asked.is_ok_and(|(status, body)| {
            let knows_it = status.is_success() || status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
            let json: Json = serde_json::from_slice(&body).unwrap_or_default();
            knows_it && json.get("schema").and_then(Json::as_str).is_some_and(|schema| schema.starts_with("flowloom/"))
        })
    }

    /// `kind` is the sort of the body, `who` stands in the audit.
    fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        (kind, who): (&str, &str),
        body: Vec<u8>,
    ) -> Result<(StatusCode, Vec<u8>), Refusal> {
        let url = format!("http://{}{path}", self.door.address);
        let request = self.http.request(method, url).bearer_auth(&self.door.token);
        let request = request.header(CONTENT_TYPE, kind).header("x-flowloom-by", who).body(body);
        let asked = self.runtime.block_on(async {
            let response = request.send().await?;
            let status = response.status();
            Ok::<_, reqwest::Error>((status, response.bytes().await?.to_vec()))
        });
        asked.map_err(|error| {
            let why = if error.is_timeout() { "it does not answer" } else { "the connection broke" };
            Refusal::new(
                format!("The engine at {} cannot be asked: {why}", self.door.address),
                "Look whether it runs (flowloom status), and ask again: what is done twice is done once",
            )
        })
    }

    /// Reads something as JSON.
    ///
    /// Errors: the engine cannot be asked, or says no.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Refusal> {
        let (status, bytes) = self.call(reqwest::Method::GET, path, ("application/json", ""), Vec::new())?;
        if !status.is_success() {
            return Err(said(status, &bytes));
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            Refusal::new(format!("The engine's answer cannot be read: {error}"), "Is it of the same version?")
        })
    }

    /// The whole engine.
    ///
    /// Errors: as [`Self::get`].
    pub fn status(&self) -> Result<Status, Refusal> {
        self.get("/v1/status")
    }

    /// Gives an order.
    ///
    /// Errors: as [`Self::get`]; the order was refused.
    pub fn order(&self, who: &str, order: &Order) -> Done {
        let json = order::to_json(order).map_err(|error| Refusal::new(error, "Save the flow and try again"))?;
        let (status, bytes) =
            self.call(reqwest::Method::POST, "/v1/orders", ("application/json", who), json.to_string().into_bytes())?;
        if !status.is_success() {
            return Err(said(status, &bytes));
        }
        let json: Json = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(json.get("done").and_then(Json::as_str).unwrap_or("done").to_owned())
    }

    /// Hands in a text as it is, JSON Lines or one JSON text: events (`/v1/events`), or contacts with their past
    /// (`/v1/histories`). What became of each, with its place. Where the engine says "later", it is asked again for a
    /// minute.
    ///
    /// Errors: as [`Self::get`]; not one item could be read.
    pub fn hand_in(&self, path: &str, kind: &str, body: &[u8]) -> Result<Vec<(String, Answer)>, Refusal> {
        let mut tries = 0;
        loop {
            let (status, bytes) = self.call(reqwest::Method::POST, path, (kind, ""), body.to_vec())?;
            if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) && tries < MOST_TRIES {
                tries += 1;
                std::thread::sleep(Duration::from_secs(1));
                continue;
            }
            let json: Json = serde_json::from_slice(&bytes).unwrap_or_default();
            let items = json.get("items").and_then(Json::as_array);
            let Some(items) = items.filter(|_| matches!(status, StatusCode::ACCEPTED | StatusCode::BAD_REQUEST)) else {
                return Err(said(status, &bytes));
            };
            let place = |item: &Json| match item.get("line").and_then(Json::as_u64) {
                Some(line) => format!("line {line}"),
                None => format!("item {}", item.get("item").and_then(Json::as_u64).unwrap_or(0)),
            };
            return Ok(items.iter().map(|item| (place(item), answer_of(item))).collect());
        }
    }
}

/// How often a full or failing engine is asked again, once a second.
const MOST_TRIES: usize = 60;

fn answer_of(item: &Json) -> Answer {
    let text = |key: &str| item.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    match text("status").as_str() {
        "accepted" => Answer::Accepted,
        "duplicate" => Answer::Duplicate,
        _ => Answer::Refused { error: text("error"), hint: text("hint") },
    }
}

/// What an engine said instead of an answer.
fn said(status: StatusCode, bytes: &[u8]) -> Refusal {
    let json: Json = serde_json::from_slice(bytes).unwrap_or_default();
    let text = |key: &str| json.get(key).and_then(Json::as_str).map(str::to_owned);
    Refusal::new(
        text("error").unwrap_or_else(|| format!("The engine answers {status}")),
        text("hint").unwrap_or_else(|| "Look at its log".to_owned()),
    )
}

/// People who hear a word to everybody in one commit where no engine runs. Source: as in the writer.
const TOLD_AT_ONCE: usize = 500;
/// Such commits for one order. Source: assumption; some seconds.
const MOST_PAGES: usize = 20;

/// Somebody to give orders to.
#[derive(Debug)]
pub enum Line {
    /// A running engine.
    Running(Client),
    /// A folder whose engine does not run.
    Resting(Box<Driver>),
}

impl Line {
    /// The engine of a folder, running or not.
    ///
    /// Errors: there is no engine's data; it is taken, and does not answer.
    pub fn to(data: &Path) -> Result<Self, Refusal> {
        if let Some(client) = Client::of(data)? {
            return Ok(Self::Running(client));
        }
        if !data.join(store::FILE).is_file() {
            return Err(Refusal::new(
                format!("There is no engine's data in {}", data.display()),
                "Name the folder of `flowloom run` with --data",
            ));
        }
        let driver = Driver::open(data).map_err(|error| Refusal { error: error.message, hint: error.hint })?;
        Ok(Self::Resting(Box::new(driver)))
    }

    /// Gives an order.
    ///
    /// Errors: it was refused, or could not be given.
    pub fn order(&mut self, who: &str, order: &Order) -> Done {
        match self {
            Self::Running(client) => client.order(who, order),
            Self::Resting(driver) => {
                let now = Clock::Real.now();
                let refused = |error: store::Error| Refusal { error: error.message, hint: error.hint };
                let (done, mut told) = driver.batch(now, |driver| driver.order(now, who, order)).map_err(refused)?;
                // So that what is looked at next shows it; in a large store the next start tells the rest.
                let mut pages = 0;
                while done.is_ok() && driver.is_walking() && pages < MOST_PAGES {
                    let walked = driver.batch(now, |driver| driver.walk(TOLD_AT_ONCE)).map_err(refused)?;
                    told.warnings.extend(walked.1.warnings);
                    pages += 1;
                }
                let done = match order {
                    Order::Forget { contact } => {
                        done.map(|said| said + &erase(driver, contact, now).unwrap_or_else(|why| why))
                    }
                    _ => done,
                };
                // Nobody else is there to show them.
                done.map(|said| told.warnings.iter().fold(said, |said, warning| format!("{said}\nwarning: {warning}")))
            }
        }
    }
}

/// Deletes what lies of a forgotten person in files; what was done in words, or why it was not.
fn erase(driver: &mut Driver, contact: &ContactId, now: Instant) -> Result<String, String> {
    let not_now = |error: store::Error| format!(". Its files are deleted with the next start: {error}");
    let data = driver.store().path().parent().unwrap_or_else(|| Path::new(".")).to_owned();
    let reader = store::Reader::open(&data).map_err(not_now)?;
    let person = reader.erasing().map_err(not_now)?.into_iter().find(|person| person.id == *contact);
    let Some(person) = person else { return Ok(String::new()) };
    let erased = forget::erase(&person, &data, &reader.places().map_err(not_now)?);
    if erased.faults.is_empty() {
        let order = Order::Erased { contact: contact.clone() };
        driver.batch(now, |driver| driver.order(now, "engine", &order)).map(drop).map_err(not_now)?;
    }
    Ok(erased.said(contact))
}
