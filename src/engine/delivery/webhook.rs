//! Calls of addresses: webhooks of flows, and text messages by a provider's address.
//!
//! The one idea: every call carries the send key as `Idempotency-Key`, so the other side can tell a second one. A
//! webhook whose answer did not come is therefore called again (*later*); a text message is not, since a person would
//! read it twice: it is *unknown*, like a mail (SEMANTICS R21). Redirects are not followed: what a call carries goes to
//! the address that was given for it.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::json;

use super::{
    Outgoing, Payload, Transport, fault,
    pace::{Lane, Pace},
};
use crate::{base::SendKey, engine::work::Handed};

/// How long a connection may take. Source: assumption.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a text message's provider may take. Source: assumption.
const TEXT_MILLIS: u64 = 30_000;
/// So much of an answer is read, in bytes: what it says of a fault.
const ANSWER: usize = 2_048;
/// The header that names the send. Source: draft-ietf-httpapi-idempotency-key-header, as common providers take it.
const KEY: &str = "idempotency-key";

/// A client for calls.
pub struct Calls {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    pace: Arc<Pace>,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Calls")
    }
}

/// What came back.
enum Answer {
    /// A status, what was said, and after how many milliseconds to come back.
    Said(u16, String, Option<u64>),
    /// Surely nothing was said: there was no connection.
    NoConnection(String),
    /// The call may have arrived.
    Silence(String),
}

impl Calls {
    /// A client; nothing is called yet.
    ///
    /// Errors: no threads, or certificates of the system that cannot be read.
    pub fn new(pace: Arc<Pace>) -> Result<Self, String> {
        // One process has one crypto library; whoever was first is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let wrong =
            |error: &dyn std::fmt::Display| format!("Calls cannot be made: {error}; check the system's certificates");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("calls")
            .enable_all()
            .build()
            .map_err(|error| wrong(&error))?;
        let http = reqwest::Client::builder()
            .user_agent(concat!("flowloom/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .build()
            .map_err(|error| wrong(&error))?;
        Ok(Self { runtime, http, pace })
    }

    /// Posts JSON, once. Blocks until there is an answer, or none.
    ///
    /// Errors: an address or header that is none, as held.
    fn post(
        &self,
        key: &SendKey,
        url: &str,
        headers: &[(String, String)],
        body: String,
        timeout_millis: u64,
    ) -> Result<Answer, Handed> {
        let url = checked(url)?;
        let mut map = HeaderMap::new();
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let wrong = || fault(format!("`{name}` with its value is no header; mend it in the step"));
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            map.insert(header, value);
        }
        let named = HeaderValue::from_bytes(key.to_string().as_bytes());
        map.insert(HeaderName::from_static(KEY), named.map_err(|_| fault("The send key cannot stand in a header"))?);
        let request = self.http.post(url).headers(map).timeout(Duration::from_millis(timeout_millis.max(1))).body(body);
        Ok(self.runtime.block_on(async {
            match request.send().await {
                Ok(mut response) => {
                    let status = response.status().as_u16();
                    let after = retry_after_millis(response.headers());
                    let mut said = Vec::new();
                    // The status is the answer; what comes after it is for people.
                    while said.len() < ANSWER {
                        let Ok(Some(piece)) = response.chunk().await else { break };
                        said.extend_from_slice(&piece);
                    }
                    Answer::Said(status, one_line(&String::from_utf8_lossy(&said)), after)
                }
                Err(error) if error.is_connect() || error.is_builder() => Answer::NoConnection(words(&error)),
                Err(error) => Answer::Silence(words(&error)),
            }
        }))
    }
}

/// An address that may be called: https, or http on this machine.
fn checked(url: &str) -> Result<Url, Handed> {
    let parsed = Url::parse(url).map_err(|error| fault(format!("`{url}` is no address: {error}")))?;
    let near = match parsed.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        None => false,
    };
    match parsed.scheme() {
        "https" => Ok(parsed),
        "http" if near => Ok(parsed),
        _ => Err(fault(format!("`{url}` does not begin with https://; nothing is sent over an open line"))),
    }
}

/// The reasons of an error, one after the other, without its address (there may be a name or a key in it).
fn words(error: &reqwest::Error) -> String {
    let mut out = if error.is_timeout() { "no answer in time".to_owned() } else { "the line broke".to_owned() };
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let text = inner.to_string();
        if !out.contains(&text) {
            out = format!("{out}: {text}");
        }
        source = inner.source();
    }
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

/// What `Retry-After` says: seconds, or a date that is held against the answer's own. Source: RFC 9110, section 10.2.3.
fn retry_after_millis(headers: &HeaderMap) -> Option<u64> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let after = text("retry-after")?;
    if let Ok(seconds) = after.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    let date = |text: &str| jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp().as_millisecond());
    u64::try_from(date(after)? - date(text("date")?)?).ok()
}

/// Webhooks of flows.
#[derive(Clone, Debug)]
pub struct Webhooks(Arc<Calls>);

impl Webhooks {
    /// By this client.
    pub fn new(calls: Arc<Calls>) -> Self {
        Self(calls)
    }
}

impl Transport for Webhooks {
    fn hand_over(&self, outgoing: &Outgoing) -> Handed {
        let Payload::Call { url, headers, body, timeout_millis } = &outgoing.payload else {
            return fault("This way takes nothing but calls");
        };
        let lane = Lane::of(outgoing);
        match self.0.post(&outgoing.key, url, headers, body.clone(), *timeout_millis) {
            Err(handed) => handed,
            Ok(Answer::NoConnection(detail) | Answer::Silence(detail)) => {
                self.0.pace.slow_down(&lane, None);
                Handed::Later { detail: format!("{}: {detail}", lane.to), after_millis: None }
            }
            Ok(Answer::Said(status, said, after_millis)) => {
                let detail = format!("{} answered {status} {said}", lane.to);
                match status {
                    200..=299 => {
                        self.0.pace.went_well(&lane);
                        Handed::Done
                    }
                    300..=399 => Handed::No {
                        detail: format!("{detail}: it is elsewhere; write that address into the step"),
                        bad_address: false,
                    },
                    // Source: RFC 9110, 15.5.9 and 15.6; RFC 8470, 5.2 (425); RFC 6585, 4 (429).
                    408 | 425 | 429 | 500..=599 => {
                        self.0.pace.slow_down(&lane, after_millis);
                        Handed::Later { detail, after_millis }
                    }
                    _ => Handed::No { detail, bad_address: false },
                }
            }
        }
    }
}

/// Text messages by a provider's address: `{"to", "text", "send_key"}` is posted there.
#[derive(Clone, Debug)]
pub struct Texts {
    calls: Arc<Calls>,
    url: String,
    headers: Vec<(String, String)>,
}

impl Texts {
    /// By this address; `headers` are for the login, secrets filled in.
    ///
    /// Errors: an address that is none, or an open line.
    pub fn new(calls: Arc<Calls>, url: &str, headers: Vec<(String, String)>) -> Result<Self, String> {
        match checked(url) {
            Ok(_) => Ok(Self { calls, url: url.to_owned(), headers }),
            Err(Handed::Held { detail, .. }) => Err(detail),
            Err(_) => Err(format!("`{url}` cannot be called")),
        }
    }
}

impl Transport for Texts {
    fn hand_over(&self, outgoing: &Outgoing) -> Handed {
        let Payload::Text { to, body } = &outgoing.payload else {
            return fault("This way takes nothing but text messages");
        };
        let lane = Lane::texts();
        let json = json!({"to": to, "text": body, "send_key": outgoing.key.to_string()}).to_string();
        match self.calls.post(&outgoing.key, &self.url, &self.headers, json, TEXT_MILLIS) {
            Err(handed) => handed,
            Ok(Answer::NoConnection(detail)) => {
                self.calls.pace.no_way(lane.sort);
                Handed::Later { detail, after_millis: None }
            }
            Ok(Answer::Silence(detail)) => Handed::Unknown { detail },
            Ok(Answer::Said(status, said, after_millis)) => {
                let detail = format!("the provider answered {status} {said}");
                match status {
                    200..=299 => {
                        self.calls.pace.went_well(&lane);
                        Handed::Done
                    }
                    // These say that nothing was taken.
                    408 | 425 | 429 | 503 => {
                        self.calls.pace.slow_down(&lane, after_millis);
                        Handed::Later { detail, after_millis }
                    }
                    // The login is wrong for all of them: nothing is lost for it.
                    401 | 403 => {
                        self.calls.pace.no_way(lane.sort);
                        Handed::Later { detail: format!("{detail}; check the login of --sms"), after_millis: None }
                    }
                    // A gateway that heard nothing from behind it says such; it may have been taken there.
                    500..=599 => Handed::Unknown { detail },
                    _ => Handed::No { detail, bad_address: false },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::{
        body::Bytes,
        http::{HeaderMap as Headers, Response, StatusCode},
    };

    use super::*;
    use crate::engine::delivery::pace::Rates;

    type Seen = Arc<Mutex<Vec<(Headers, String)>>>;

    /// A server on this machine that answers by the path: `/429`, `/slow`, `/cut`. Its address, and what it saw.
    fn server() -> (String, Seen) {
        let seen: Seen = Arc::default();
        let noted = seen.clone();
        let (port, told) = std::sync::mpsc::channel();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
                port.send(listener.local_addr().expect("an address").port()).expect("told");
                let answer = move |uri: axum::http::Uri, headers: Headers, body: Bytes| async move {
                    noted.lock().expect("lock").push((headers, String::from_utf8_lossy(&body).into_owned()));
                    let path = uri.path().trim_start_matches('/').to_owned();
                    if path == "slow" {
                        tokio::time::sleep(Duration::from_secs(5)).await;
                    }
                    let status = path.split('-').next().and_then(|path| path.parse().ok()).unwrap_or(200);
                    let mut response = Response::builder().status(StatusCode::from_u16(status).expect("a status"));
                    if path.ends_with("-after") {
                        response = response.header("retry-after", "7");
                    }
                    if path.ends_with("-date") {
                        response = response
                            .header("date", "Wed, 21 Oct 2015 07:28:00 GMT")
                            .header("retry-after", "Wed, 21 Oct 2015 07:29:30 GMT");
                    }
                    response.header("location", "https://elsewhere.example").body("because".to_owned()).expect("built")
                };
                axum::serve(listener, axum::Router::new().fallback(answer)).await.expect("serves");
            });
        };
        std::thread::Builder::new().name("http".into()).spawn(work).expect("a thread");
        (format!("http://127.0.0.1:{}", told.recv().expect("a port")), seen)
    }

    fn calls() -> Arc<Calls> {
        Arc::new(Calls::new(Arc::new(Pace::new(Rates::NONE))).expect("a client"))
    }

    fn outgoing(payload: Payload) -> Outgoing {
        let key = SendKey { journey: "cart/ada/1".into(), node: "hook-1".into(), pass: 1 };
        Outgoing { key, contact: "ada".into(), payload }
    }

    fn word(handed: &Handed) -> String {
        match handed {
            Handed::Done => "done".into(),
            Handed::Later { after_millis, .. } => after_millis.map_or("later".into(), |after| format!("later {after}")),
            Handed::Ours { .. } => "ours".into(),
            Handed::NotYet { .. } => "not yet".into(),
            Handed::No { .. } => "no".into(),
            Handed::Unknown { .. } => "unknown".into(),
            Handed::Held { detail, .. } => format!("held {detail}"),
        }
    }

    #[test]
    fn answers_of_webhooks_and_text_providers() {
        let (base, seen) = server();
        let calls = calls();
        let check = |path: &str, webhook: &str, text: &str| {
            let url = format!("{base}/{path}");
            let headers = vec![("Authorization".to_owned(), "Bearer hunter2".to_owned())];
            let payload = Payload::Call { url: url.clone(), headers, body: "{\"a\":1}".into(), timeout_millis: 400 };
            let handed = Webhooks::new(calls.clone()).hand_over(&outgoing(payload));
            assert_eq!(word(&handed), webhook, "{path}: {handed:?}");
            assert!(!format!("{handed:?}").contains("hunter2"));
            if !text.is_empty() {
                let texts = Texts::new(calls.clone(), &url, Vec::new()).expect("an address");
                let handed = texts.hand_over(&outgoing(Payload::Text { to: "+491".into(), body: "Hi".into() }));
                assert_eq!(word(&handed), text, "{path}: {handed:?}");
            }
        };
        check("200", "done", "done");
        check("204", "done", "done");
        check("302", "no", "no");
        check("400", "no", "no");
        check("401", "no", "later");
        check("404", "no", "no");
        check("408", "later", "later");
        check("425", "later", "later");
        check("429-after", "later 7000", "later 7000");
        check("503-date", "later 90000", "later 90000");
        check("500", "later", "unknown");
        check("502", "later", "unknown");
        check("slow", "later", "");
        let seen = seen.lock().expect("lock");
        let (headers, body) = &seen[0];
        assert_eq!(headers["idempotency-key"], "cart/ada/1/hook-1/1");
        assert_eq!(headers["authorization"], "Bearer hunter2");
        assert_eq!(body, "{\"a\":1}");
        let (headers, body) = &seen[1];
        assert_eq!(headers["idempotency-key"], "cart/ada/1/hook-1/1");
        assert_eq!(body, r#"{"to":"+491","text":"Hi","send_key":"cart/ada/1/hook-1/1"}"#);
    }

    #[test]
    fn silence_after_a_text_message_is_unknown() {
        // Takes the call and hangs up.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let work = move || {
            for stream in listener.incoming().take(2).flatten() {
                let _ = std::io::Read::read(&mut &stream, &mut [0_u8; 4_096]);
            }
        };
        std::thread::Builder::new().name("cut".into()).spawn(work).expect("a thread");
        let texts = Texts::new(calls(), &url, Vec::new()).expect("an address");
        let message = outgoing(Payload::Text { to: "+491".into(), body: "Hi".into() });
        assert_eq!(word(&texts.hand_over(&message)), "unknown");
    }

    #[test]
    fn nobody_there_and_addresses_that_are_none() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", closed.local_addr().expect("an address"));
        drop(closed);
        let texts = Texts::new(calls(), &url, Vec::new()).expect("an address");
        let message = outgoing(Payload::Text { to: "+491".into(), body: "Hi".into() });
        assert_eq!(word(&texts.hand_over(&message)), "later");
        assert!(Texts::new(calls(), "http://sms.example", Vec::new()).is_err_and(|e| e.contains("open line")));
        let call = |url: &str, name: &str| {
            let headers = vec![(name.to_owned(), "x".to_owned())];
            let payload = Payload::Call { url: url.into(), headers, body: "{}".into(), timeout_millis: 100 };
            word(&Webhooks::new(calls()).hand_over(&outgoing(payload)))
        };
        assert!(call("no address", "X").starts_with("held `no address` is no address"));
        assert!(call(&url, "bad header").starts_with("held `bad header` with its value"));
    }
}
