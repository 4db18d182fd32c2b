//! One account's API: requests with a key, as fast as the account allows, that can be broken off at any time.
//!
//! The one idea: the client decides what may be tried again. A look and a replacement may always be; a creation only
//! where the server said that it did nothing (429), since a cut line leaves open whether it was done. Whoever creates
//! finds that out by looking (see `run`). The server's own words about its limits are kept: `Retry-After`, and what is
//! left of a window. Deliberately not here: what the requests mean.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use serde_json::Value as Json;

use super::{
    Key,
    error::{Error, Kind},
    form::Form,
};

/// How patient a client is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Patience {
    /// How long one answer may take. Source: assumption; Klaviyo's flows with many steps take several seconds.
    pub answer: Duration,
    /// The first pause before trying again; each next one doubles, with up to half as much again by chance.
    pub first_pause: Duration,
    /// No pause is longer; a server that asks for more gets its error. Source: Klaviyo's steady window is one minute.
    pub longest_pause: Duration,
    /// How often one request is tried in all.
    pub tries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(60),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(75),
            tries: 6,
        }
    }
}

/// What an account's API wants with every request.
#[derive(Clone, Debug)]
pub(in crate::platforms) struct Manner {
    /// Where it lives, without a slash at the end.
    pub base: String,
    /// What stands before the key in the `Authorization` header: `Bearer`.
    pub scheme: &'static str,
    /// Where flows are, below the base.
    pub flows: String,
    /// Sort of the bodies.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// Headers that say how many requests are left in the present window, and in how many milliseconds it ends.
    pub left: (&'static str, &'static str, u64),
}

/// The verb of a request, with whether doing it twice is harmless.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::platforms) enum Verb {
    Get,
    Post,
    Patch,
    Put,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
        }
    }

    fn is_repeatable(self) -> bool {
        self != Self::Post
    }
}

/// An answer is read up to here, in bytes. Source: assumption; the largest known, a page of e-mails, has some 10 MB.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;
/// How often a pause looks whether it is to end.
const GLANCE: Duration = Duration::from_millis(25);
/// HubSpot's name for the limit that no pause helps against. Source: its usage guidelines, 429 errors: the body has
/// `policyName`, `DAILY` or one of some seconds; the daily limit ends at midnight in the account's time zone.
const DAILY: &str = "DAILY";
/// Reasons shown of one refusal.
const MOST_REASONS: usize = 12;

/// A client for one account.
pub struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    manner: Manner,
    key: Key,
    authorization: HeaderValue,
    patience: Patience,
    /// To wait before the next request, since the window is used up.
    pause: Duration,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.manner.base).finish_non_exhaustive()
    }
}

/// What goes with a request.
#[derive(Clone, Copy)]
enum Sent<'a> {
    Nothing,
    Json(&'a Json),
    Form(&'a Form<'a>),
}

/// What came back.
enum Reply {
    Done(Json),
    /// Try again after so long (`None`: by our own measure); the fault, should there be no further try.
    Again(Option<Duration>, Error),
    Failed(Error),
}

impl Client {
    /// A client; nothing is sent yet. `base_url` replaces the platform's own address.
    ///
    /// Errors: an address that is none, or one that would send the key over an open line.
    pub(in crate::platforms) fn with(
        mut manner: Manner,
        base_url: Option<&str>,
        key: Key,
        patience: Patience,
    ) -> Result<Self, Error> {
        if let Some(base) = base_url {
            manner.base = base.trim_end_matches('/').to_owned();
        }
        check_base(&manner.base)?;
        // One process has one crypto library; whoever was first is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let start = |error: &dyn std::fmt::Display| {
            Error::new(
                Kind::Unreachable,
                format!("The network cannot be used: {error}"),
                "Check the system's certificates",
            )
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("push names")
            .build()
            .map_err(|error| start(&error))?;
        let http = reqwest::Client::builder()
            .user_agent(concat!("flowloom/", env!("CARGO_PKG_VERSION")))
            // A key goes to the address that it was given for, and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(patience.answer);
        // Nothing is encrypted on loopback, so the system's certificates need not be read.
        let http = if manner.base.starts_with("http://") { http.tls_certs_only([]) } else { http.https_only(true) };
        let http = http.build().map_err(|error| start(&error))?;
        let mut authorization = HeaderValue::from_str(&format!("{} {}", manner.scheme, key.secret()))
            .map_err(|_| Error::refused("The key cannot be sent", "Copy it again from the account's settings"))?;
        authorization.set_sensitive(true);
        Ok(Self { runtime, http, manner, key, authorization, patience, pause: Duration::ZERO })
    }

    /// Where flows are, below the base.
    pub(super) fn flows(&self) -> &str {
        &self.manner.flows
    }

    /// What is at a path (with its query, if any).
    pub(in crate::platforms) fn get(&mut self, path: &str, stop: &AtomicBool) -> Result<Json, Error> {
        self.exchange(Verb::Get, path, Sent::Nothing, stop)
    }

    /// Sends a file, once: what came of it shows by looking.
    pub(super) fn upload(&mut self, path: &str, form: &Form<'_>, stop: &AtomicBool) -> Result<Json, Error> {
        self.exchange(Verb::Post, path, Sent::Form(form), stop)
    }

    /// Sends a request with JSON, again where that is harmless, and gives the answer's JSON (null where it has none).
    ///
    /// Errors: what was refused, or kept failing for [`Patience::tries`] times; the user stopped it.
    pub(in crate::platforms) fn send(
        &mut self,
        verb: Verb,
        path: &str,
        body: &Json,
        stop: &AtomicBool,
    ) -> Result<Json, Error> {
        self.exchange(verb, path, Sent::Json(body), stop)
    }

    fn exchange(&mut self, verb: Verb, path: &str, body: Sent<'_>, stop: &AtomicBool) -> Result<Json, Error> {
        let mut pause = self.patience.first_pause;
        for attempt in 1.. {
            let before = std::mem::take(&mut self.pause);
            self.wait(before, stop)?;
            let (wanted, fault) = match self.once(verb, path, body, stop) {
                Reply::Done(json) => return Ok(json),
                Reply::Failed(fault) => return Err(fault),
                Reply::Again(wanted, fault) => (wanted, fault),
            };
            if attempt >= self.patience.tries || wanted.is_some_and(|wanted| wanted > self.patience.longest_pause) {
                return Err(fault);
            }
            self.wait(wanted.unwrap_or_else(|| jittered(pause).min(self.patience.longest_pause)), stop)?;
            pause = pause.saturating_mul(2);
        }
        Err(Error::cancelled())
    }

    /// Pauses as before another try of something that the client itself does not try again.
    pub(super) fn settle(&mut self, attempt: u32, stop: &AtomicBool) -> Result<(), Error> {
        let pause = self.patience.first_pause.saturating_mul(1 << attempt.min(16));
        self.wait(jittered(pause).min(self.patience.longest_pause), stop)
    }

    /// How often something is tried in all.
    pub(super) fn tries(&self) -> u32 {
        self.patience.tries
    }

    fn wait(&self, so_long: Duration, stop: &AtomicBool) -> Result<(), Error> {
        self.runtime.block_on(async {
            let mut left = so_long;
            loop {
                if stop.load(Ordering::Relaxed) {
                    return Err(Error::cancelled());
                }
                if left.is_zero() {
                    return Ok(());
                }
                let now = left.min(GLANCE);
                tokio::time::sleep(now).await;
                left = left.saturating_sub(now);
            }
        })
    }

    fn once(&mut self, verb: Verb, path: &str, body: Sent<'_>, stop: &AtomicBool) -> Reply {
        let request = match self.request(verb, path, body) {
            Ok(request) => request,
            Err(error) => return Reply::Failed(error),
        };
        let answer = self.runtime.block_on(async {
            let work = tokio::time::timeout(self.patience.answer, read(self.http.execute(request)));
            let mut work = std::pin::pin!(work);
            // A slow answer must not keep the user waiting who wants no more of it.
            loop {
                match tokio::time::timeout(GLANCE, work.as_mut()).await {
                    Ok(Ok(answer)) => return answer.map_err(Some),
                    Ok(Err(_)) => return Err(None),
                    Err(_) if stop.load(Ordering::Relaxed) => return Ok((0, HeaderMap::new(), Vec::new())),
                    Err(_) => {}
                }
            }
        });
        let what = format!("{} {}", verb.name(), path.split('?').next().unwrap_or(path));
        match answer {
            Ok((0, ..)) => Reply::Failed(Error::cancelled()),
            Ok((status, headers, bytes)) => {
                self.learn(&headers);
                self.judge(verb, &what, status, &headers, &bytes)
            }
            Err(None) => self.broken(
                verb,
                Kind::Slow,
                format!("{what}: no answer within {} s", self.patience.answer.as_secs_f32()),
            ),
            Err(Some(why)) => {
                let why = self.key.redact(&why);
                self.broken(verb, Kind::Unreachable, format!("{what}: {} cannot be reached: {why}", self.manner.base))
            }
        }
    }

    fn request(&self, verb: Verb, path: &str, body: Sent<'_>) -> Result<reqwest::Request, Error> {
        let url = format!("{}{path}", self.manner.base);
        let url = reqwest::Url::parse(&url).map_err(|error| Error::strange(format!("No address: {error}")))?;
        let method = match verb {
            Verb::Get => reqwest::Method::GET,
            Verb::Post => reqwest::Method::POST,
            Verb::Patch => reqwest::Method::PATCH,
            Verb::Put => reqwest::Method::PUT,
        };
        let mut request = reqwest::Request::new(method, url);
        let headers = request.headers_mut();
        headers.insert(reqwest::header::AUTHORIZATION, self.authorization.clone());
        headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static(self.manner.content_type));
        let form_type =
            if let Sent::Form(form) = body { HeaderValue::from_str(&form.content_type()).ok() } else { None };
        let content_type = form_type.unwrap_or_else(|| HeaderValue::from_static(self.manner.content_type));
        headers.insert(reqwest::header::CONTENT_TYPE, content_type);
        for (name, value) in &self.manner.headers {
            let value = HeaderValue::from_str(value).map_err(|_| {
                Error::refused(format!("`{value}` cannot be sent as `{name}`"), "Mend it in the workspace's settings")
            })?;
            headers.insert(HeaderName::from_static(name), value);
        }
        *request.body_mut() = match body {
            Sent::Nothing => None,
            Sent::Json(json) => Some(json.to_string().into()),
            Sent::Form(form) => Some(form.body().into()),
        };
        Ok(request)
    }

    /// A line that broke: again where that is harmless.
    fn broken(&self, verb: Verb, kind: Kind, message: String) -> Reply {
        let error = Error::new(kind, message, "Check the network and try again; a push goes on where it stopped");
        if verb.is_repeatable() { Reply::Again(None, error) } else { Reply::Failed(error) }
    }

    /// Keeps what the server says about the present window.
    fn learn(&mut self, headers: &HeaderMap) {
        let number = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse().ok());
        let (left, ends, unit_millis) = self.manner.left;
        if number(left) == Some(0_u64) {
            let millis = number(ends).map_or(1_000, |n: u64| n.saturating_mul(unit_millis));
            self.pause = Duration::from_millis(millis).min(self.patience.longest_pause);
        }
    }

    fn judge(&self, verb: Verb, what: &str, status: u16, headers: &HeaderMap, bytes: &[u8]) -> Reply {
        let json = || serde_json::from_slice::<Json>(bytes);
        if (200..300).contains(&status) {
            if bytes.iter().all(u8::is_ascii_whitespace) {
                return Reply::Done(Json::Null);
            }
            return match json() {
                Ok(json) => Reply::Done(json),
                Err(error) => Reply::Failed(Error::strange(format!("{what}: the answer is not JSON: {error}"))),
            };
        }
        let (kind, message, hint) = match status {
            401 => (
                Kind::Key,
                "the key is not taken (401)",
                "Check the key: it may be of another account, or be deleted".to_owned(),
            ),
            403 => (
                Kind::Key,
                "the key may not do this (403)",
                "Give the key the scopes that the README names, or use one that has them; some things need a larger plan"
                    .to_owned(),
            ),
            404 => (Kind::Gone, "it is not there (404)", "Push again; what is gone is made anew".to_owned()),
            409 => (Kind::Conflict, "it is there already, or changed meanwhile (409)", "Push again".to_owned()),
            429 => (
                Kind::Limit,
                "the account's limit is reached (429)",
                "Wait and try again; a push goes on where it stopped".to_owned(),
            ),
            500..=599 => (
                Kind::Server,
                "the server has a fault",
                "Push again in a while; it goes on where it stopped".to_owned(),
            ),
            300..=399 => (
                Kind::Refused,
                "it answers from another address, to which the key is not sent",
                "Check the base address".to_owned(),
            ),
            _ => (Kind::Refused, "it is refused", "See the reasons; what they point at is in the exported file".to_owned()),
        };
        let number = if message.ends_with(')') { String::new() } else { format!(" ({status})") };
        let mut error = Error::new(kind, format!("{what}: {message}{number}"), hint);
        error.reasons = json().map(|json| reasons(&json)).unwrap_or_default();
        for reason in &mut error.reasons {
            *reason = self.key.redact(reason);
        }
        match status {
            429 if json().is_ok_and(|json| json["policyName"] == DAILY) => {
                error.hint = "The account has used up its requests of the day; push again after midnight in the account's time zone, and it goes on where it stopped".to_owned();
                Reply::Failed(error)
            }
            429 => {
                let wanted = retry_after(headers);
                if let Some(wanted) = wanted.filter(|wanted| *wanted > self.patience.longest_pause) {
                    error.hint = format!("Push again in {}; it goes on where it stopped", in_words(wanted));
                }
                Reply::Again(wanted, error)
            }
            500..=599 if verb.is_repeatable() => Reply::Again(retry_after(headers), error),
            _ => Reply::Failed(error),
        }
    }
}

/// An address that a key may be sent to.
fn check_base(base: &str) -> Result<(), Error> {
    let refuse = |why: &str| {
        Err(Error::refused(format!("`{base}` {why}"), "Write it as https://host, or http://127.0.0.1:port for tests"))
    };
    let Ok(url) = reqwest::Url::parse(base) else { return refuse("is not an address") };
    if url.password().is_some() || !url.username().is_empty() || url.query().is_some() || url.fragment().is_some() {
        return refuse("has more than a host and a path");
    }
    let host = url.host_str().unwrap_or("").trim_start_matches('[').trim_end_matches(']');
    let near = host == "localhost" || host.parse::<core::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => Ok(()),
        "http" if near => Ok(()),
        "http" => refuse("would send the key over an open line"),
        _ => refuse("is not an address of the web"),
    }
}

type Answer = (u16, HeaderMap, Vec<u8>);

/// Reads an answer whole. Errors: what the line said, causes included.
async fn read(answer: impl Future<Output = reqwest::Result<reqwest::Response>>) -> Result<Answer, String> {
    let mut answer = answer.await.map_err(|error| causes(&error))?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| causes(&error))? {
        if bytes.len() + chunk.len() > LARGEST_ANSWER {
            return Err("the answer does not end".to_owned());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((status, headers, bytes))
}

/// The last cause says most; the first holds the address.
fn causes(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

/// What the server asks for; a date would need a clock, and both platforms send seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(1e6)))
}

fn jittered(pause: Duration) -> Duration {
    let chance = RandomState::new().build_hasher().finish() % 1_024;
    pause + pause.mul_f64(chance as f64 / 2_048.0)
}

fn in_words(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3_600)),
    }
}

/// What a refusal says, in the shapes of both platforms: JSON:API errors with pointers, and HubSpot's message with
/// errors beneath.
fn reasons(json: &Json) -> Vec<String> {
    let text = |value: &Json| value.as_str().map(|text| text.chars().take(400).collect::<String>());
    let mut out = Vec::new();
    for error in json["errors"].as_array().into_iter().flatten() {
        let said = [&error["detail"], &error["message"], &error["title"]].into_iter().find_map(text);
        let Some(said) = said else { continue };
        let place = text(&error["source"]["pointer"]).or_else(|| text(&error["source"]["parameter"]));
        let place = place.or_else(|| text(&error["in"])).map(|place| format!("{place}: ")).unwrap_or_default();
        out.push(format!("{place}{said}"));
    }
    if out.is_empty() {
        out.extend(text(&json["message"]).or_else(|| text(&json["detail"])));
    }
    out.truncate(MOST_REASONS);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses() {
        let check = |base: &str, expected: bool| assert_eq!(check_base(base).is_ok(), expected, "{base}");
        check("https://a.klaviyo.com", true);
        check("http://127.0.0.1:8080", true);
        check("http://[::1]:8080", true);
        check("http://localhost:1", true);
        check("http://a.klaviyo.com", false);
        check("https://user:secret@a.klaviyo.com", false);
        check("https://a.klaviyo.com?x=1", false);
        check("ftp://127.0.0.1", false);
        check("a.klaviyo.com", false);
    }

    #[test]
    fn pauses() {
        for _ in 0..100 {
            let pause = jittered(Duration::from_millis(1_000));
            assert!((1_000..=1_500).contains(&pause.as_millis()), "{pause:?}");
        }
        let header = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            retry_after(&headers)
        };
        assert_eq!(header("2"), Some(Duration::from_secs(2)));
        assert_eq!(header("-1"), None);
        assert_eq!(header("Fri, 27 Nov 2026 10:00:00 GMT"), None);
        assert_eq!(in_words(Duration::from_secs(90_000)), "25 h");
    }

    #[test]
    fn what_servers_say() {
        let klaviyo = json!({"errors": [{"title": "Invalid", "detail": "Too long", "source": {"pointer": "/data/a"}}]});
        assert_eq!(reasons(&klaviyo), ["/data/a: Too long"]);
        let hubspot =
            json!({"status": "error", "message": "Bad", "errors": [{"message": "No such property", "in": "actions"}]});
        assert_eq!(reasons(&hubspot), ["actions: No such property"]);
        assert_eq!(reasons(&json!({"message": "Bad"})), ["Bad"]);
        assert_eq!(reasons(&json!([1])), Vec::<String>::new());
    }
}
