//! The listener: loopback unless told otherwise, in threads of its own, with limits for everything that comes.
//!
//! The one idea: memory and time of a stranger are bounded before anything looks at what is said: connections, time for
//! the head, time and size of the body. Limits wait for nothing that another connection does.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::Response,
    routing::{any, get, post},
};
use http_body_util::BodyExt as _;
use hyper::service::{Service as _, service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use super::{
    House, Reader, api,
    aside::Aside,
    guard::{Guard, Secrets},
    hooks,
    mapping::Mapping,
    pages,
    pulse::Pulse,
};
use crate::engine::{
    clock::Clock,
    delivery::links::Links,
    handle::Handle,
    work::{Busy, Refusal},
};

/// What a stranger may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, in bytes. Default 5 MB. Source: Klaviyo's API takes as much.
    pub body_bytes: usize,
    /// Time for the head of a request, idle time between requests included. Default 10 s.
    pub head: Duration,
    /// Time for the body. Default 30 s.
    pub body: Duration,
    /// Time for the answer of the writer. Default 30 s.
    pub commit: Duration,
    /// Time for a connection as a whole; the first answer after it says that it is the last one, so that who asks
    /// steadily knows. When the time of a head has passed, too, it is closed after the answer under way, and a minute
    /// later cut off. Bounds those who ask and never read. Default 10 min.
    pub connection: Duration,
    /// Open connections; more wait at the door. Default 512.
    pub connections: usize,
    /// Of these, from one address of another machine (of IPv6, from one network of 64 bits); more are closed.
    /// Default 32.
    pub per_peer: usize,
    /// Of these, from one address of this machine, where a proxy may stand for many. Default 256.
    pub per_own: usize,
    /// Bytes of all bodies that are held at the same time; the first 64 KB of each are free, so that forms and single
    /// events pass by whatever lies there. Default 64 MB.
    pub all_bodies_bytes: usize,
}

impl Default for Limits {
    /// Source: assumption, but for the body; a slow phone sends 5 MB in 30 s.
    fn default() -> Self {
        Self {
            body_bytes: 5 << 20,
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            commit: Duration::from_secs(30),
            connection: Duration::from_secs(600),
            connections: 512,
            per_peer: 32,
            per_own: 256,
            all_bodies_bytes: 64 << 20,
        }
    }
}

/// Of each body so much is not counted. Source: assumption; the largest form.
const FREE_BYTES: usize = 64 * 1_024;
/// Room for bodies is given in pieces of so many bytes.
const PIECE_BYTES: usize = 1_024;
/// So long the body of somebody who is sent away is read, so that the answer is heard over it.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// So long the answer under way may take when a connection is to be closed.
const LAST_ANSWER: Duration = Duration::from_secs(60);

/// How to listen.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where; port 0 for any that is free.
    pub listen: SocketAddr,
    /// From the secret file.
    pub secrets: Secrets,
    /// The admin's token (`Door::token`).
    pub admin: String,
    /// Webhooks of others.
    pub mapping: Mapping,
    /// The data folder, for what is kept aside.
    pub data: PathBuf,
    /// What recipients' links begin with, where a proxy stands before the engine: `https://mail.example.com`.
    pub public: Option<String>,
    /// What a stranger may use up.
    pub limits: Limits,
}

impl Setup {
    /// On a free port of loopback, open, with the shipped webhooks.
    ///
    /// Errors: the shipped mappings cannot be read (never).
    pub fn new(admin: String, data: PathBuf) -> Result<Self, Refusal> {
        Ok(Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            secrets: Secrets::default(),
            admin,
            mapping: Mapping::shipped()?,
            data,
            public: None,
            limits: Limits::default(),
        })
    }
}

/// What intake works with.
#[derive(Clone)]
pub struct Parts {
    /// The writer.
    pub handle: Handle,
    /// The store, for reading.
    pub reader: Arc<dyn Reader>,
    /// Recipients' links.
    pub links: Arc<Links>,
    /// Numbers.
    pub pulse: Arc<Pulse>,
    /// The engine's clock.
    pub clock: Clock,
}

/// A running listener; stops when dropped.
pub struct Intake {
    address: SocketAddr,
    runtime: Option<Runtime>,
    stop: watch::Sender<bool>,
    pulse: Arc<Pulse>,
}

/// The house and the limits, for the handlers.
#[derive(Clone)]
pub(super) struct Shared {
    pub house: Arc<House>,
    pub limits: Limits,
    /// Room for bodies, in pieces.
    room: Arc<Semaphore>,
}

impl Intake {
    /// Listens, in two threads of its own.
    ///
    /// Errors: it would be open to other machines without a secret; the port is taken; no thread or random number to be
    /// had.
    pub fn start(setup: Setup, parts: Parts) -> Result<Self, Refusal> {
        let listener = bind(setup.listen)?;
        Self::start_at(listener, setup, parts)
    }

    /// The same where somebody listens already; who calls meanwhile waits.
    ///
    /// Errors: it would be open to other machines without a secret; no thread or random number to be had.
    pub fn start_at(listener: std::net::TcpListener, setup: Setup, parts: Parts) -> Result<Self, Refusal> {
        let guard = Guard::new(setup.secrets, setup.admin, setup.listen.ip(), setup.public.as_deref())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(16)
            .thread_name("intake")
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| Refusal::new(format!("no threads for intake: {error}"), "Close other programs"))?;
        let refused = |error: std::io::Error| listen_refusal(setup.listen, &error);
        listener.set_nonblocking(true).map_err(refused)?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener).map_err(refused)?
        };
        let address = listener.local_addr().map_err(refused)?;
        let house = House {
            handle: parts.handle,
            reader: parts.reader,
            links: parts.links,
            pulse: parts.pulse.clone(),
            clock: parts.clock,
            guard,
            mapping: setup.mapping,
            aside: Aside::new(&setup.data),
            data: setup.data,
        };
        let room = Arc::new(Semaphore::new(setup.limits.all_bodies_bytes / PIECE_BYTES));
        let shared = Shared { house: Arc::new(house), limits: setup.limits, room };
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(accept(listener, shared, stopped));
        tracing::info!(%address, "listening");
        Ok(Self { address, runtime: Some(runtime), stop, pulse: parts.pulse })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new connections, lets requests that are under way finish, at most so long, and ends the threads.
    pub fn stop(mut self, most: Duration) {
        self.close(most);
    }

    fn close(&mut self, most: Duration) {
        let Some(runtime) = self.runtime.take() else { return };
        self.stop.send_replace(true);
        let pulse = self.pulse.clone();
        runtime.block_on(async {
            let until = tokio::time::Instant::now() + most;
            while pulse.connections() > 0 && tokio::time::Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        runtime.shutdown_timeout(Duration::from_millis(500));
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.close(Duration::from_secs(2));
    }
}

/// Takes an address to listen at, before anything else is begun.
///
/// Errors: it is taken, or none of this machine.
pub fn bind(listen: SocketAddr) -> Result<std::net::TcpListener, Refusal> {
    std::net::TcpListener::bind(listen).map_err(|error| listen_refusal(listen, &error))
}

fn listen_refusal(listen: SocketAddr, error: &std::io::Error) -> Refusal {
    let hint = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "Another program listens there, perhaps another engine: choose --listen 127.0.0.1:PORT"
        }
        std::io::ErrorKind::PermissionDenied => "Ports below 1024 are for the system: choose a higher one",
        _ => "Choose an address of this machine: --listen 127.0.0.1:8080",
    };
    Refusal::new(format!("{listen} cannot be listened on: {error}"), hint)
}

async fn accept(listener: TcpListener, shared: Shared, mut stopped: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(shared.limits.connections));
    let peers = Arc::new(Peers::default());
    let app = router(shared.clone());
    loop {
        let next = async {
            // A closed semaphore would be our own mistake; none closes it.
            let permit = room.clone().acquire_owned().await.ok();
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let (stream, place) = match accepted {
            Ok((stream, peer)) => match Peers::let_in(&peers, peer.ip(), &shared.limits) {
                Some(place) => (stream, place),
                None => {
                    tracing::debug!("a connection was closed: too many from one address");
                    continue;
                }
            },
            Err(error) => {
                // Out of file handles, or the other side was quicker: wait a little and go on.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Answers are small and whole: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        tokio::spawn(connection(stream, (permit, place), app.clone(), shared.clone(), stopped.clone()));
    }
}

/// Serves one connection until it is closed, too old, or the engine stops.
async fn connection(
    stream: TcpStream,
    _places: (Option<OwnedSemaphorePermit>, Place),
    app: Router,
    shared: Shared,
    mut stopped: watch::Receiver<bool>,
) {
    let _open = Open::new(shared.house.pulse.clone());
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.head)
        .max_headers(64)
        .max_header_size(32 * 1_024);
    let app = TowerToHyperService::new(app);
    let old = tokio::time::Instant::now() + shared.limits.connection;
    let service = service_fn(move |request| {
        let answer = app.call(request);
        async move {
            let mut answer = answer.await?;
            if tokio::time::Instant::now() > old {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut stop = pin!(async {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep_until(old + shared.limits.head.min(shared.limits.connection)) => {}
        }
    });
    let ended = tokio::select! {
        ended = served.as_mut() => Ok(ended),
        () = stop.as_mut() => {
            served.as_mut().graceful_shutdown();
            tokio::time::timeout(LAST_ANSWER, served).await
        }
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection ended"),
        Err(_) => tracing::debug!("a connection was cut off"),
    }
}

/// Open connections by address.
#[derive(Default)]
struct Peers(Mutex<BTreeMap<IpAddr, usize>>);

impl Peers {
    /// A place for a connection from there; `None` where there are enough.
    fn let_in(peers: &Arc<Self>, from: IpAddr, limits: &Limits) -> Option<Place> {
        let from = neighbourhood(from);
        let most = if from.is_loopback() { limits.per_own } else { limits.per_peer };
        let mut open = peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(from).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place(peers.clone(), from))
    }
}

/// Whom one person can call from: an address, and of IPv6 a network of 64 bits, which everybody is given whole.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) if !six.is_loopback() => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        other => other,
    }
}

/// One open connection of an address.
struct Place(Arc<Peers>, IpAddr);

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.1);
            }
        }
    }
}

/// Counts an open connection.
struct Open(Arc<Pulse>);

impl Open {
    fn new(pulse: Arc<Pulse>) -> Self {
        pulse.connected();
        Self(pulse)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.disconnected();
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/health", get(api::health))
        .route("/ready", get(api::ready))
        .route("/metrics", get(api::metrics))
        .route("/v1/events", post(api::events))
        .route("/v1/contacts", post(api::contacts).get(api::search))
        .route("/v1/contacts/{id}", get(api::contact))
        .route("/v1/contacts/{id}/export", get(api::export))
        .route("/v1/histories", post(api::histories))
        .route("/v1/status", get(api::status))
        .route("/v1/held", get(api::held))
        .route("/v1/audit", get(api::audit))
        .route("/v1/mails/{*key}", get(api::mail))
        .route("/v1/suppression", get(api::suppression))
        .route("/v1/flows/{id}/migration", get(api::migration))
        .route("/v1/orders", post(api::orders))
        .route("/hooks/{*path}", post(hooks::take))
        .route("/u/{token}", get(pages::unsubscribe_page).post(pages::unsubscribe))
        .route("/p/{token}", get(pages::preferences_page).post(pages::preferences))
        .route("/v/{token}", get(pages::view))
        .route("/o/{file}", get(pages::pixel))
        .route("/c/{token}", get(pages::click))
        .fallback(any(api::nothing_here))
        .method_not_allowed_fallback(api::not_this_way)
        .layer(middleware::from_fn_with_state(shared.clone(), around))
        .with_state(shared)
}

/// Around every request: its id, who sent the browser, the log, the numbers.
async fn around(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let began = tokio::time::Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    let path = shown_path(request.uri().path(), &shared.house.mapping);
    let is_page = pages::is_page(request.uri().path());
    let mut response = match shared.house.guard.origin(request.headers()) {
        // What a recipient's link does is held by its token alone, wherever it was followed.
        Err(denied) if !is_page => api::denied(&shared.house, denied),
        _ => match packed(&request) {
            Some(refusal) => {
                pass_by(&shared, request.into_body()).await;
                let mut response = api::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, &refusal);
                response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
                response
            }
            None => next.run(request).await,
        },
    };
    let status = response.status();
    shared.house.pulse.answered(status.as_u16());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    let millis = began.elapsed().as_millis() as u64;
    if status.is_server_error() {
        tracing::warn!(id, %method, path, status = status.as_u16(), millis, "request");
    } else if matches!(path.as_str(), "/health" | "/ready" | "/metrics" | "/v1/status") && status.is_success() {
        // Whoever watches asks every second: what they see would be hidden by their asking.
        tracing::debug!(id, %method, path, status = status.as_u16(), millis, "request");
    } else {
        tracing::info!(id, %method, path, status = status.as_u16(), millis, "request");
    }
    response
}

/// Why a body that says that it is compressed is not taken: what it would become could be of any size.
fn packed(request: &Request) -> Option<Refusal> {
    let coding = request.headers().get(header::CONTENT_ENCODING)?.to_str().unwrap_or("?").trim();
    if coding.is_empty() || coding.eq_ignore_ascii_case("identity") {
        return None;
    }
    let coding: String = coding.chars().take(40).collect();
    let error = format!("the body is compressed (Content-Encoding: {coding}), which is not taken here");
    Some(Refusal::new(error, "Send it as it is, without Content-Encoding; what is large, in several requests"))
}

/// The caller's id where it is a sound one, else one of ours.
fn request_id(request: &Request) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let given = request.headers().get("x-request-id").and_then(|value| value.to_str().ok());
    match given {
        Some(id)
            if (1..=64).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) =>
        {
            id.to_owned()
        }
        _ => format!("r-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
    }
}

/// What stands below `/v1/`.
const PARTS: [&str; 9] =
    ["events", "contacts", "histories", "status", "held", "mails", "orders", "suppression", "flows"];

/// The path for the log: without tokens, ids and addresses. Of one that is not known, the first step.
fn shown_path(path: &str, mapping: &Mapping) -> String {
    let mut steps = path.split('/').skip(1);
    match (steps.next().unwrap_or_default(), steps.next(), steps.next()) {
        ("v1", Some(what), None) if PARTS.contains(&what) => format!("/v1/{what}"),
        ("v1", Some(what), Some(_)) if PARTS.contains(&what) => format!("/v1/{what}/…"),
        ("hooks", Some(_), _) if let Some(hook) = mapping.hook(path) => hook.path.clone(),
        (first, rest, _) => {
            let first: String = first.chars().take(32).collect();
            // A name that somebody asks for may be an address.
            let first = if first.contains(['@', '%']) { "…" } else { first.as_str() };
            format!("/{first}{}", if rest.is_some() { "/…" } else { "" })
        }
    }
}

/// A body, and the room that it takes until it is dropped.
#[derive(Debug, Default)]
pub(super) struct Whole {
    bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

impl std::ops::Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a body is not whole.
enum Short {
    TooLarge,
    NoRoom,
    BrokenOff,
}

/// Gathers a body as it comes: room is taken for what is there, not for what was announced.
async fn gather(mut body: Body, most: usize, room: &Arc<Semaphore>) -> Result<Whole, Short> {
    let mut whole = Whole::default();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Short::BrokenOff)?.into_data() else { continue };
        let length = whole.bytes.len() + data.len();
        if length > most {
            return Err(Short::TooLarge);
        }
        let pieces = length.saturating_sub(FREE_BYTES).div_ceil(PIECE_BYTES);
        let more = pieces.saturating_sub(whole.room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if more > 0 {
            let more = u32::try_from(more).map_err(|_| Short::TooLarge)?;
            let more = room.clone().try_acquire_many_owned(more).map_err(|_| Short::NoRoom)?;
            match &mut whole.room {
                Some(held) => held.merge(more),
                None => whole.room = Some(more),
            }
        }
        whole.bytes.extend_from_slice(&data);
    }
    Ok(whole)
}

/// Lets the body of somebody who is sent away pass by, for a moment, in no memory: who still speaks does not hear.
pub(super) async fn pass_by(shared: &Shared, mut body: Body) {
    let mut left = shared.limits.body_bytes;
    let _ = tokio::time::timeout(LAST_WORDS.min(shared.limits.body), async {
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, |data| data.len())) else { return };
            left = rest;
        }
    })
    .await;
}

/// Reads a body whole, within the limits.
///
/// Errors: it is too large, too slow, or broke off; too many others are being read; as an answer.
pub(super) async fn body_of(shared: &Shared, body: Body) -> Result<Whole, Response> {
    let most = shared.limits.body_bytes;
    let say = |status: StatusCode, error: String, hint: &str| {
        let mut response = api::refused(status, &Refusal::new(error, hint));
        // What is left of the body is not read.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    };
    match tokio::time::timeout(shared.limits.body, gather(body, most, &shared.room)).await {
        Ok(Ok(whole)) => Ok(whole),
        Ok(Err(Short::TooLarge)) => {
            let error = format!("the body has more than {} MB", most >> 20);
            Err(say(StatusCode::PAYLOAD_TOO_LARGE, error, "Send it in several requests"))
        }
        Ok(Err(Short::NoRoom)) => {
            let mut response = api::busy(&shared.house, &Busy::Full { retry_after: 1 });
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            Err(response)
        }
        Ok(Err(Short::BrokenOff)) => Err(say(StatusCode::BAD_REQUEST, "the body broke off".into(), "Send it again")),
        Err(_) => {
            let error = format!("the body took longer than {} s", shared.limits.body.as_secs_f32());
            Err(say(StatusCode::REQUEST_TIMEOUT, error, "Send it again, in smaller parts"))
        }
    }
}

/// Runs what blocks (the store, files) where it holds up nobody.
///
/// Errors: the thread was lost, as a sentence.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|_| "the engine is stopping".to_owned())
}
