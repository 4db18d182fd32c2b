//! Who may ask: the shared secret, signatures, the admin's token; and browsers that were sent here by another page.
//!
//! The one idea: comparing takes the same time whatever is wrong. A replayed request is harmless: events have ids.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use axum::http::{HeaderMap, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};

use super::mapping::{Auth, Encoding};
use crate::{base::Instant, engine::work::Refusal};

/// The header of our own signature: `t=SECONDS,v1=HEX`, an HMAC-SHA256 over `SECONDS.BODY`. It names the request, so
/// that one that is sent again counts once: two events that are meant twice, say all the same and are signed in one
/// second are one as well, unless each has an `id` (or a `happened`) of its own.
pub const SIGNATURE: &str = "x-flowloom-signature";
/// So far a signature's time may be off, in seconds. Source: Stripe's libraries use the same five minutes.
const TOLERANCE_SECONDS: i64 = 300;
/// Shortest secret, in bytes. Source: RFC 2104, section 3, would rather have 32; shops hand out 32 and more.
const LEAST_SECRET_BYTES: usize = 16;

/// A token that nobody guesses: 64 hexadecimal digits.
///
/// Errors: the system gives no random numbers.
pub fn fresh_token() -> Result<String, String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the system gives no random numbers".to_owned())?;
    Ok(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// The secrets of a secret file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    shared: Option<Vec<u8>>,
    named: BTreeMap<String, Vec<u8>>,
}

/// Never shows one.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("shared", &self.shared.is_some()).field("named", &self.named.keys()).finish()
    }
}

impl Secrets {
    /// Reads a secret file: `SHARED=secret`, or a line alone, is the shared secret; `NAME=secret` is one that a hook
    /// names, capitals or not; empty lines and lines that begin with `#` are passed over. (What calls of flows show is
    /// in another file, [`crate::engine::delivery::secrets`].)
    ///
    /// Errors: which line, and why; never its text.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut secrets = Self::default();
        for (idx, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, secret) = named(line).unwrap_or_else(|| ("shared".to_owned(), line));
            let at = |error: &str, hint: &str| Refusal::new(format!("secret file, line {}: {error}", idx + 1), hint);
            let bytes = secret.as_bytes().to_vec();
            if name == "shared" && bytes.len() < LEAST_SECRET_BYTES {
                return Err(at(
                    &format!("the secret has fewer than {LEAST_SECRET_BYTES} characters"),
                    "Write a long random one, such as what `openssl rand -hex 32` prints",
                ));
            }
            let before = match name.as_str() {
                "shared" => secrets.shared.replace(bytes),
                _ => secrets.named.insert(name, bytes),
            };
            if before.is_some() {
                return Err(at("this secret stands there twice", "Keep one; others are written NAME=secret"));
            }
        }
        Ok(secrets)
    }

    /// Whether there is a shared secret.
    pub fn has_shared(&self) -> bool {
        self.shared.is_some()
    }
}

/// Name (in small letters) and secret of a line `NAME=secret`; `None` of a secret alone, which may end in `=` itself.
fn named(line: &str) -> Option<(String, &str)> {
    let (name, secret) = line.split_once('=').map(|(name, secret)| (name.trim(), secret.trim()))?;
    let is_name = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    (is_name && !secret.trim_matches('=').is_empty()).then(|| (name.to_ascii_lowercase(), secret))
}

/// Whoever asks, as far as is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    /// Showed the admin's token.
    Admin,
    /// Showed the shared secret, or signed with one.
    Keyed,
    /// No secret is set, and only this machine reaches the engine.
    Open,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// 401 or 403.
    pub status: StatusCode,
    /// Why and what to do.
    pub refusal: Refusal,
}

impl Denied {
    fn new(status: StatusCode, error: &str, hint: &str) -> Self {
        Self { status, refusal: Refusal::new(error, hint) }
    }
}

/// Decides who may ask.
pub struct Guard {
    secrets: Secrets,
    admin: String,
    /// Only for comparing: what is compared goes through it first.
    blind: hmac::Key,
    hosts: Vec<String>,
    public: Option<String>,
    /// The world comes in by way of a proxy.
    is_public: bool,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("secrets", &self.secrets).field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl Guard {
    /// `listens` is where the engine listens, `public` the address that recipients' links begin with. Where that is
    /// not this machine's own, a proxy lets the world in over loopback, whatever name it asks under (some proxies pass
    /// the world's on, some write this machine's): without a shared secret only the pages of recipients are open then.
    ///
    /// Errors: it would listen beyond loopback without a shared secret, or the system gives no random numbers.
    pub fn new(secrets: Secrets, admin: String, listens: IpAddr, public: Option<&str>) -> Result<Self, Refusal> {
        if !listens.is_loopback() && !secrets.has_shared() {
            return Err(Refusal::new(
                format!("{listens} can be reached from other machines, and there is no shared secret"),
                "Give --secret-file FILE with a long random line in it, or listen on 127.0.0.1",
            ));
        }
        if admin.len() < LEAST_SECRET_BYTES {
            return Err(Refusal::new("the admin's token is too short", "Remove engine.json from the data folder"));
        }
        let hosts = vec!["localhost".to_owned(), listens.to_string()];
        let is_public = public.is_some_and(|url| !is_this_machine(url));
        let public = public.map(|url| origin_of(url).to_ascii_lowercase());
        let blind = fresh_token().map_err(|error| Refusal::new(error, "Try again"))?;
        let blind = hmac::Key::new(hmac::HMAC_SHA256, blind.as_bytes());
        Ok(Self { secrets, admin, blind, hosts, public, is_public })
    }

    fn same(&self, given: &[u8], expected: &[u8]) -> bool {
        hmac::verify(&self.blind, given, hmac::sign(&self.blind, expected).as_ref()).is_ok()
    }

    /// What stands in `Authorization`, whatever scheme it names: clients of other platforms bring their own.
    fn bearer(headers: &HeaderMap) -> Option<&str> {
        headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ').map(|(_, token)| token.trim())
    }

    /// May this caller give orders and read about people?
    ///
    /// Errors: no or a wrong token.
    pub fn admin(&self, headers: &HeaderMap) -> Result<(), Denied> {
        match Self::bearer(headers) {
            Some(token) if self.same(token.as_bytes(), self.admin.as_bytes()) => Ok(()),
            given => Err(Denied::new(
                StatusCode::UNAUTHORIZED,
                if given.is_some() { "the token is not the admin's" } else { "the admin's token is missing" },
                "Send `Authorization: Bearer TOKEN` with the token from engine.json in the data folder",
            )),
        }
    }

    /// Who asks, as far as the head of a request tells: strangers are sent away before their body takes memory. `None`
    /// where the body is signed, which [`Self::shared`] looks at.
    ///
    /// Errors: no or a wrong secret.
    pub fn head(&self, headers: &HeaderMap) -> Result<Option<Caller>, Denied> {
        if self.admin(headers).is_ok() {
            return Ok(Some(Caller::Admin));
        }
        let Some(secret) = &self.secrets.shared else {
            // Whoever shows a token means an engine that knows it; this is not that one.
            if Self::bearer(headers).is_some() {
                let hint = "Leave the token out, or ask the engine whose engine.json it stands in";
                return Err(Denied::new(StatusCode::UNAUTHORIZED, "the token is not this engine's", hint));
            }
            if self.is_public {
                return Err(Denied::new(
                    StatusCode::FORBIDDEN,
                    "the world reaches this engine (--public-url), and it has no shared secret",
                    "Start it with --secret-file FILE and send the secret; without one only recipients' pages are open",
                ));
            }
            return self.known_host(headers).map(|()| Some(Caller::Open));
        };
        if headers.contains_key(SIGNATURE) {
            return Ok(None);
        }
        match Self::bearer(headers) {
            Some(token) if self.same(token.as_bytes(), secret) => Ok(Some(Caller::Keyed)),
            given => Err(Denied::new(
                StatusCode::UNAUTHORIZED,
                if given.is_some() { "the secret is wrong" } else { "the shared secret is missing" },
                "Send `Authorization: Bearer SECRET`, or sign the body (X-Flowloom-Signature: t=SECONDS,v1=HEX)",
            )),
        }
    }

    /// May this caller send events and contacts? `now` is the machine's time.
    ///
    /// Errors: no or a wrong secret or signature.
    pub fn shared(&self, headers: &HeaderMap, body: &[u8], now: Instant) -> Result<Caller, Denied> {
        if let Some(caller) = self.head(headers)? {
            return Ok(caller);
        }
        let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let secret = self.secrets.shared.as_deref().unwrap_or_default();
        self.signed(signature, secret, body, now).map(|()| Caller::Keyed)
    }

    /// What names a signed request: the same for the same one sent once more, however the header is written. `caller`
    /// is who [`Self::shared`] found; `None` of a request that was let in by something else.
    pub fn signed_by(headers: &HeaderMap, caller: Caller) -> Option<String> {
        // Whoever shows the secret itself may repeat a header that nobody looked at.
        let signature = headers.get(SIGNATURE).filter(|_| caller == Caller::Keyed)?.to_str().ok()?;
        signature_part(signature, "v1=").and_then(from_hex).map(|tag| hex(&tag))
    }

    fn signed(&self, signature: &str, secret: &[u8], body: &[u8], now: Instant) -> Result<(), Denied> {
        let denied = |error: &str, hint: &str| Err(Denied::new(StatusCode::UNAUTHORIZED, error, hint));
        let part = |name: &str| signature_part(signature, name);
        let (Some(time), Some(given)) = (part("t="), part("v1=").and_then(from_hex)) else {
            return denied("the signature cannot be read", "Write X-Flowloom-Signature: t=SECONDS,v1=HEX");
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let mut context = time.as_bytes().to_vec();
        context.push(b'.');
        context.extend_from_slice(body);
        if hmac::verify(&key, &context, &given).is_err() {
            return denied(
                "the signature is wrong",
                "Sign SECONDS.BODY, the raw bytes, with HMAC-SHA256 and the secret",
            );
        }
        let seconds: i64 = time.parse().unwrap_or(i64::MIN);
        if seconds.saturating_sub(now.as_millis() / 1_000).saturating_abs() > TOLERANCE_SECONDS {
            return denied("the signature is more than 5 minutes old, or ahead", "Sign anew, and set the clock");
        }
        Ok(())
    }

    /// May this webhook's body be read? What its head says is looked at; the signature needs the body.
    ///
    /// Errors: no signature, or no secret for it here; no or a wrong shared secret.
    pub fn hook_head(&self, auth: &Auth, headers: &HeaderMap) -> Result<(), Denied> {
        match auth {
            Auth::Shared => self.head(headers).map(drop),
            Auth::Hmac { header, secret, .. } => {
                self.hook_key(secret)?;
                let is_signed = headers.contains_key(header.as_str());
                if is_signed { Ok(()) } else { Err(bad_signature("missing", header, secret)) }
            }
        }
    }

    /// The secret of a webhook's sender.
    fn hook_key(&self, secret: &str) -> Result<&[u8], Denied> {
        let key = self.secrets.named.get(&secret.to_ascii_lowercase());
        let Some(key) = key.filter(|key| key.len() >= LEAST_SECRET_BYTES) else {
            let wrong = if key.is_some() { "too short to be one" } else { "not set here" };
            let name = secret.to_ascii_uppercase();
            return Err(Denied::new(
                StatusCode::FORBIDDEN,
                &format!("the secret {name} is {wrong}"),
                &format!("Add a line {name}=SECRET to the secret file, and start again with --secret-file"),
            ));
        };
        Ok(key)
    }

    /// May this webhook come in?
    ///
    /// Errors: no or a wrong signature, or its secret is not set here.
    pub fn hook(&self, auth: &Auth, headers: &HeaderMap, body: &[u8], now: Instant) -> Result<Caller, Denied> {
        let Auth::Hmac { header, encoding, secret } = auth else { return self.shared(headers, body, now) };
        let key = self.hook_key(secret)?;
        let given = headers.get(header.as_str()).and_then(|value| value.to_str().ok()).map(str::trim);
        let decoded = given.and_then(|text| match encoding {
            Encoding::Base64 => BASE64.decode(text).ok(),
            Encoding::Hex => from_hex(text),
        });
        match decoded {
            Some(tag) if hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), body, &tag).is_ok() => Ok(Caller::Keyed),
            _ => Err(bad_signature(if given.is_some() { "wrong" } else { "missing" }, header, secret)),
        }
    }

    /// Without a secret, a page of another site could reach us under its own name (DNS rebinding).
    fn known_host(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).map(host_of).unwrap_or("");
        if is_loopback(host) || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            return Ok(());
        }
        Err(Denied::new(
            StatusCode::FORBIDDEN,
            "this engine is asked under a name that is not its own",
            "Ask it as localhost, or set a shared secret with --secret-file",
        ))
    }

    /// Browsers name the page that sent them; only our own may.
    ///
    /// Errors: another page sent the request.
    pub fn origin(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or("").to_ascii_lowercase();
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("").to_ascii_lowercase();
        let is_own = origin.split_once("://").is_some_and(|(_, rest)| !host.is_empty() && rest == host)
            && self.known_host(headers).is_ok();
        // Of our own pages; what they may do is another question.
        if is_own || self.public.as_deref() == Some(origin.as_str()) {
            return Ok(());
        }
        Err(Denied::new(
            StatusCode::FORBIDDEN,
            "a page of another site sent this request",
            "Send events from your server; browsers are not let in from elsewhere",
        ))
    }
}

/// What stands behind `t=` or `v1=` in a signature.
fn signature_part<'a>(signature: &'a str, name: &str) -> Option<&'a str> {
    signature.split(',').find_map(|part| part.trim().strip_prefix(name))
}

fn bad_signature(how: &str, header: &str, secret: &str) -> Denied {
    Denied::new(
        StatusCode::UNAUTHORIZED,
        &format!("the signature in {header} is {how}"),
        &format!("Compare the secret of the sender with {} in the secret file", secret.to_ascii_uppercase()),
    )
}

/// Whether a host is an address that only this machine reaches.
fn is_loopback(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether an address of the web is this machine's own.
pub(super) fn is_this_machine(url: &str) -> bool {
    let name = host_of(url.split_once("://").map_or(url, |(_, rest)| rest));
    name.eq_ignore_ascii_case("localhost") || is_loopback(name)
}

/// What a browser calls the site of an address: `https://host:port`, without the path behind it.
fn origin_of(url: &str) -> &str {
    let from = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(from..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| from + at);
    url.get(..end).unwrap_or(url)
}

/// The name in `name:port` or `name:port/path`.
fn host_of(authority: &str) -> &str {
    let authority = authority.split('/').next().unwrap_or("");
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => authority.split(':').next().unwrap_or(""),
    }
}

/// Our own signature of a body, for clients and tests; `seconds` since 1970.
pub fn sign(secret: &str, seconds: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{seconds}.").as_bytes());
    context.update(body);
    format!("t={seconds},v1={}", hex(context.sign().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123";

    fn guard(secrets: &str) -> Guard {
        guard_of(secrets, Some("https://Mail.example/"))
    }

    fn guard_of(secrets: &str, public: Option<&str>) -> Guard {
        let secrets = Secrets::parse(secrets).expect("secrets");
        Guard::new(secrets, "admin-admin-admin-admin".into(), IpAddr::from([127, 0, 0, 1]), public).expect("a guard")
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn secret_files() {
        for (text, expected) in [
            ("", Ok(false)),
            ("# ours\n\n0123456789abcdef", Ok(true)),
            ("shopify = 0123456789abcdef", Ok(false)),
            ("SHARED=0123456789abcdef", Ok(true)),
            ("MDEyMzQ1Njc4OWFiY2RlZg==", Ok(true)),
            ("SHOPIFY=x\nTWILIO=MDEyMzQ1Njc4OWFiY2RlZg==", Ok(false)),
            ("0123456789abcdef-=\nSHOPIFY=0123456789abcdef", Ok(true)),
            ("short", Err("secret file, line 1: the secret has fewer than 16 characters")),
            ("0123456789abcdef\n0123456789abcdef", Err("secret file, line 2: this secret stands there twice")),
        ] {
            let found = Secrets::parse(text).map(|secrets| secrets.has_shared()).map_err(|refusal| refusal.error);
            assert_eq!(found, expected.map_err(str::to_owned), "{text}");
        }
        let shown = format!("{:?}", Secrets::parse("0123456789abcdef").expect("secrets"));
        assert!(!shown.contains("0123"), "{shown}");
    }

    #[test]
    fn beyond_loopback_needs_a_secret() {
        let any = IpAddr::from([0, 0, 0, 0]);
        let new = |secrets: &str| Guard::new(Secrets::parse(secrets).expect("secrets"), "a".repeat(64), any, None);
        assert!(new("").is_err_and(|refusal| refusal.hint.contains("--secret-file")));
        assert!(new("shopify = 0123456789abcdef").is_err());
        assert!(new(SECRET).is_ok());
    }

    #[test]
    fn secrets_and_signatures() {
        let guard = guard(SECRET);
        let now = Instant::from_millis(1_000_000_000);
        let check = |pairs: &[(&'static str, &str)], body: &str, expected: Option<Caller>| {
            assert_eq!(guard.shared(&headers(pairs), body.as_bytes(), now).ok(), expected, "{pairs:?}");
        };
        check(&[], "x", None);
        check(&[("authorization", &format!("Bearer {SECRET}"))], "x", Some(Caller::Keyed));
        check(&[("authorization", &format!("Klaviyo-API-Key {SECRET}"))], "x", Some(Caller::Keyed));
        check(&[("authorization", "Bearer 0123456789abcdef012x")], "x", None);
        check(&[("authorization", "Bearer admin-admin-admin-admin")], "x", Some(Caller::Admin));
        check(&[("x-flowloom-signature", &sign(SECRET, 1_000_100, b"x"))], "x", Some(Caller::Keyed));
        check(&[("x-flowloom-signature", &sign(SECRET, 1_000_100, b"x"))], "y", None);
        check(&[("x-flowloom-signature", &sign(SECRET, 1_000_301, b"x"))], "x", None);
        check(&[("x-flowloom-signature", &sign("another secret, wrong", 1_000_000, b"x"))], "x", None);
        for odd in ["", "t=1", "v1=00", "t=,v1=", "t=99999999999999999999,v1=00", "t=1,v1=ä0"] {
            assert!(guard.signed(odd, SECRET.as_bytes(), b"x", now).is_err(), "{odd}");
        }
    }

    #[test]
    fn hooks_are_signed_by_their_senders() {
        // Made with: printf '{"id":1}' | openssl dgst -sha256 -hmac 'shpss_0123456789abcdef' -binary | base64
        let guard = guard("shopify = shpss_0123456789abcdef");
        let auth = |secret: &str| Auth::Hmac {
            header: "x-shopify-hmac-sha256".into(),
            encoding: Encoding::Base64,
            secret: secret.into(),
        };
        let now = Instant::from_millis(0);
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"shpss_0123456789abcdef");
        let tag = BASE64.encode(hmac::sign(&key, b"{\"id\":1}"));
        let signed = headers(&[("x-shopify-hmac-sha256", &tag)]);
        assert!(guard.hook(&auth("shopify"), &signed, b"{\"id\":1}", now).is_ok());
        assert!(guard.hook(&auth("shopify"), &signed, b"{\"id\":2}", now).is_err());
        assert!(guard.hook(&auth("shopify"), &headers(&[]), b"{\"id\":1}", now).is_err());
        assert!(
            guard.hook(&auth("other"), &signed, b"{\"id\":1}", now).is_err_and(|d| d.status == StatusCode::FORBIDDEN)
        );
    }

    #[test]
    fn pages_of_others_stay_out() {
        let guard = guard("");
        let check = |pairs: &[(&'static str, &str)], expected: bool| {
            assert_eq!(guard.origin(&headers(pairs)).is_ok(), expected, "{pairs:?}");
        };
        check(&[("host", "127.0.0.1:8080")], true);
        check(&[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")], true);
        check(&[("host", "127.0.0.1:8080"), ("origin", "https://evil.example")], false);
        check(&[("host", "127.0.0.1:8080"), ("origin", "null")], false);
        check(&[("host", "evil.example"), ("origin", "http://evil.example")], false);
        check(&[("host", "10.0.0.1"), ("origin", "https://mail.example")], true);
        // Browsers name a page's site without the path in it.
        let below = guard_of("", Some("https://mail.example:8443/m/"));
        for (origin, expected) in [("https://mail.example:8443", true), ("https://mail.example", false)] {
            let pairs = [("host", "10.0.0.1"), ("origin", origin)];
            assert_eq!(below.origin(&headers(&pairs)).is_ok(), expected, "{origin}");
        }
    }

    /// Where a proxy stands before it, loopback is the world: nobody without a secret sends events.
    #[test]
    fn the_public_name_opens_the_pages_alone() {
        let check = |secrets: &str, public: Option<&str>, pairs: &[(&'static str, &str)], expected: Option<Caller>| {
            let found = guard_of(secrets, public).shared(&headers(pairs), b"", Instant::from_millis(0)).ok();
            assert_eq!(found, expected, "{public:?} {pairs:?}");
        };
        for (host, expected) in [
            ("localhost:1", true),
            ("[::1]:1", true),
            ("127.0.0.1", true),
            ("mail.example", false),
            ("evil.example", false),
            ("", false),
        ] {
            let caller = expected.then_some(Caller::Open);
            check("", None, &[("host", host)], caller);
            for own in ["http://localhost:7171", "http://127.0.0.1:7171/", "http://[::1]:7171"] {
                check("", Some(own), &[("host", host)], caller);
            }
            check("", Some("https://Mail.example/"), &[("host", host)], None);
            check(SECRET, Some("https://mail.example"), &[("host", host)], None);
            let keyed = [("host", host), ("authorization", &*format!("Bearer {SECRET}"))];
            check(SECRET, Some("https://mail.example"), &keyed, Some(Caller::Keyed));
            let admin = [("host", host), ("authorization", "Bearer admin-admin-admin-admin")];
            check("", Some("https://mail.example"), &admin, Some(Caller::Admin));
        }
    }
}
