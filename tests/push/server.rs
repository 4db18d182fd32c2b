//! A real HTTP server on loopback that plays a platform: keeps state, checks headers, and fails where it is told to.

use std::{
    any::Any,
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Method, Response, Uri},
};
use flowloom::{flow::Target, platforms::push::Draft};
use serde_json::Value as Json;

use super::{form, hubspot::Hubspot, klaviyo::Klaviyo};

/// The key that the server takes.
pub const KEY: &str = "pk_test_0123456789abcdef";

/// What goes wrong with one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Refused with this status; nothing is done.
    Refuse(u16),
    /// 429, with the seconds to wait where it says so; nothing is done.
    TooMuch(Option<&'static str>),
    /// 500 after it was done.
    DoneButBroken,
    /// The line is cut before it is done.
    CutBefore,
    /// The line is cut after it was done.
    CutAfter,
    /// It is done, and the answer comes too late.
    Slow,
    /// 200 with something that is not JSON; it was done.
    Nonsense,
    /// 200 with nothing at all; it was not done.
    Nothing,
}

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub body: Json,
}

/// What a platform answers.
pub struct Answer {
    pub status: u16,
    pub body: Json,
}

impl Answer {
    pub fn new(status: u16, body: Json) -> Self {
        Self { status, body }
    }
}

/// A platform.
pub trait Platform: Send {
    /// The headers that it wants besides the key.
    fn check_headers(&self, headers: &BTreeMap<String, String>) -> Result<(), String>;
    /// Does what is asked. `path` is decoded, queries are by name.
    fn answer(&mut self, method: &str, path: &str, query: &BTreeMap<String, String>, body: &Json) -> Answer;
    /// A refusal in its shape.
    fn refusal(&self, status: u16, detail: &str, pointer: &str) -> Json;
    /// The headers that say what is left of the window, and when that ends.
    fn left_headers(&self) -> (&'static str, &'static str);
    /// Everything that there is only once, by name; each entry twice would be a double.
    fn names(&self) -> Vec<String>;
    /// Puts there what only people and platforms make.
    fn furnish(&mut self, draft: &Draft);
    /// For tests that look inside.
    fn any(&mut self) -> &mut dyn Any;
}

/// What the server knows.
pub struct State {
    pub platform: Box<dyn Platform>,
    pub seen: Vec<Seen>,
    /// What goes wrong from which request on, and with how many.
    pub faults: Vec<(usize, usize, Fault)>,
    /// What the client did that it must not do.
    pub misdeeds: Vec<String>,
    pub base: String,
    /// What every answer says is left of the window, and when that ends, as the platform counts it.
    pub left: Option<(&'static str, &'static str)>,
    /// What the body of a 429 says besides.
    pub policy: Option<&'static str>,
    key_header: String,
}

/// The server; it ends with the test.
#[derive(Clone)]
pub struct Server {
    pub base: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start(target: Target) -> Self {
        let (platform, scheme): (Box<dyn Platform>, &str) = match target {
            Target::Klaviyo => (Box::new(Klaviyo::default()), "Klaviyo-API-Key"),
            _ => (Box::new(Hubspot::default()), "Bearer"),
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        listener.set_nonblocking(true).expect("set");
        let state = Arc::new(Mutex::new(State {
            platform,
            seen: Vec::new(),
            faults: Vec::new(),
            misdeeds: Vec::new(),
            base: base.clone(),
            left: None,
            policy: None,
            key_header: format!("{scheme} {KEY}"),
        }));
        let shared = Arc::clone(&state);
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let handler = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
                    let state = Arc::clone(&shared);
                    async move { handle(&state, &method, &uri, &headers, &body).await }
                };
                let app = axum::Router::new().fallback(handler);
                axum::serve(listener, app).await.expect("serves");
            });
        };
        std::thread::Builder::new().name("server".into()).spawn(serve).expect("a thread");
        Self { base, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panicked in here")
    }

    /// Fails `count` requests from the one of this index on, counted from now.
    pub fn fail(&self, from: usize, count: usize, fault: Fault) {
        let mut state = self.state();
        let now = state.seen.len();
        state.faults = vec![(now + from, count, fault)];
    }

    /// All goes well again.
    pub fn mend(&self) {
        self.state().faults.clear();
    }

    pub fn num_seen(&self) -> usize {
        self.state().seen.len()
    }

    /// Requests since some number that changed something.
    pub fn writes_since(&self, from: usize) -> Vec<String> {
        let state = self.state();
        let writes = state.seen[from..].iter().filter(|seen| seen.method != "GET");
        writes.map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }

    /// What is there, once each; the names that are there more often.
    pub fn doubles(&self) -> Vec<String> {
        let mut names = self.state().platform.names();
        names.sort();
        let twice = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone());
        twice.collect()
    }
}

async fn handle(state: &Mutex<State>, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Response<Body> {
    let (fault, answer, left, (left_header, ends_header)) = {
        let mut state = state.lock().expect("no test panicked in here");
        let (fault, answer) = work(&mut state, method, uri, headers, body);
        (fault, answer, state.left, state.platform.left_headers())
    };
    if fault == Some(Fault::Slow) {
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let mut response = Response::builder().status(answer.status).header("content-type", "application/json");
    if let Some(Fault::TooMuch(Some(seconds))) = fault {
        response = response.header("retry-after", seconds);
    }
    if let Some((left, seconds)) = left {
        response = response.header(left_header, left).header(ends_header, seconds);
    }
    let text = if answer.body.is_null() { String::new() } else { answer.body.to_string() };
    let body = match fault {
        Some(Fault::CutBefore | Fault::CutAfter) => Body::new(Cut(Some(text.into()))),
        Some(Fault::Nonsense) => Body::from("<html>down for maintenance</html>"),
        _ => Body::from(text),
    };
    response.body(body).expect("a response")
}

/// A body that breaks off.
struct Cut(Option<Bytes>);

impl http_body::Body for Cut {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        let frame = self.0.take().map(http_body::Frame::data);
        Poll::Ready(Some(frame.ok_or_else(|| std::io::ErrorKind::ConnectionReset.into())))
    }
}

fn work(state: &mut State, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> (Option<Fault>, Answer) {
    let index = state.seen.len();
    let media = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
    let json = match media.strip_prefix("multipart/form-data; boundary=") {
        Some(boundary) => form::parts(boundary, body).unwrap_or_else(|why| {
            state.misdeeds.push(format!("{}: {why}", uri.path()));
            Json::Null
        }),
        None if body.is_empty() => Json::Null,
        None => serde_json::from_slice(body).unwrap_or(Json::Null),
    };
    let path = decoded(uri.path());
    let pairs = uri.query().unwrap_or("").split('&').filter_map(|pair| pair.split_once('='));
    let query: BTreeMap<String, String> = pairs.map(|(name, value)| (decoded(name), decoded(value))).collect();
    state.seen.push(Seen { method: method.to_string(), path: path.clone(), body: json.clone() });
    let headers: BTreeMap<String, String> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("").to_owned())).collect();
    let fault = state.faults.iter().find(|(from, count, _)| (*from..from + count).contains(&index)).map(|f| f.2);
    let refuse =
        |state: &State, status: u16, detail: &str| Answer::new(status, state.platform.refusal(status, detail, "/data"));
    if headers.get("authorization") != Some(&state.key_header) {
        // A server that echoes a key is the worst case.
        let detail = format!("No such key: {}", headers.get("authorization").map_or("", String::as_str));
        return (None, refuse(state, 401, &detail));
    }
    if let Err(why) = state.platform.check_headers(&headers) {
        state.misdeeds.push(format!("{method} {path}: {why}"));
        return (None, refuse(state, 400, &why));
    }
    match fault {
        Some(Fault::Refuse(status)) => {
            (fault, refuse(state, status, &format!("Told to refuse {}", headers["authorization"])))
        }
        Some(Fault::TooMuch(_)) => {
            let mut answer = refuse(state, 429, "Too many requests");
            answer.body["policyName"] = state.policy.into();
            (fault, answer)
        }
        Some(Fault::CutBefore | Fault::Nothing) => (fault, Answer::new(200, Json::Null)),
        Some(Fault::DoneButBroken) => {
            state.platform.answer(method.as_str(), &path, &query, &json);
            (fault, refuse(state, 500, "Something broke"))
        }
        Some(Fault::CutAfter | Fault::Slow | Fault::Nonsense) | None => {
            let base = state.base.clone();
            let mut answer = state.platform.answer(method.as_str(), &path, &query, &json);
            // Links to further pages are whole addresses.
            if let Some(next) = answer.body["links"]["next"].as_str().map(|next| format!("{base}{next}")) {
                answer.body["links"]["next"] = next.into();
            }
            (fault, answer)
        }
    }
}

/// `%XX` and `+` as they were meant.
fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let hex: Vec<u8> = bytes.by_ref().take(2).collect();
                let hex = std::str::from_utf8(&hex).unwrap_or("");
                out.push(u8::from_str_radix(hex, 16).unwrap_or(b'?'));
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether a text anywhere in a body still stands for an id that nobody filled in.
pub fn placeholder(body: &Json) -> Option<String> {
    const WORDS: &[&str] = &["METRIC:", "LIST:", "SEGMENT:", "TEMPLATE:", "EMAIL:", "EVENT:", "USER:"];
    match body {
        Json::String(text) if text.contains("IMAGE:") => Some(text.clone()),
        Json::String(text) => WORDS.iter().any(|word| text.starts_with(word)).then(|| text.clone()),
        Json::Array(items) => items.iter().find_map(placeholder),
        Json::Object(map) => map.values().find_map(placeholder),
        _ => None,
    }
}
