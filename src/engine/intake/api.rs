//! The API: events, contacts and histories in; status, contacts, held messages and mails out; orders.
//!
//! The one idea: 202 means durable and decided, with one answer per item in the order of the request; a mixture of
//! taken and refused items is 202 as well. 400 means that not one item could be taken as it is. 429 and 503 come with
//! `Retry-After`, and nothing of such a request was stored.

use std::{future::Future, time::Duration};

use axum::{
    body::Body,
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::{
    House, form,
    guard::{Caller, Denied, Guard},
    item::{self, Around, Taken},
    layout::{self, Piece},
    order,
    pulse::Way,
    server::{Shared, Whole, blocking, body_of, pass_by},
};
use crate::{
    base::{ContactId, FlowId, Instant, NodeId, SendKey},
    engine::{
        clock::Clock,
        work::{Answer, Busy, Order, Refusal},
    },
    kinds::runtime::Change,
};

/// Largest order, in bytes. Source: assumption; a workspace of some hundred mails has a few MB.
const MOST_ORDER_BYTES: usize = 64 << 20;
/// So long an answer waits for files to be gone through. Source: assumption; commands wait for 35 s.
const FILES_PATIENCE: Duration = Duration::from_secs(20);
/// Most rows of a list.
const MOST_ROWS: usize = 500;
/// Rows of a list where nobody says how many.
const ROWS: usize = 50;
/// After so many seconds a failing store is tried again by callers.
const STORE_RETRY_SECONDS: u32 = 5;

/// What became of an item of a request.
#[derive(Debug, Serialize)]
pub(super) struct ItemAnswer {
    /// From 1, in the order of the request.
    pub item: usize,
    /// Its line in JSON Lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Its id, given or derived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(flatten)]
    pub answer: Answer,
    /// Taken, but look at this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An answer as JSON.
pub(super) fn answered(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A refusal of the whole request.
pub(super) fn refused(status: StatusCode, refusal: &Refusal) -> Response {
    answered(status, &json!({"schema": "flowloom/error/1", "error": refusal.error, "hint": refusal.hint}))
}

/// A caller who may not.
pub(super) fn denied(house: &House, denied: Denied) -> Response {
    house.pulse.denied();
    let mut response = refused(denied.status, &denied.refusal);
    if denied.status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The writer cannot now.
pub(super) fn busy(house: &House, busy: &Busy) -> Response {
    house.pulse.busy();
    let (status, after, refusal) = match busy {
        Busy::Full { retry_after } => (
            StatusCode::TOO_MANY_REQUESTS,
            *retry_after,
            Refusal::new("too much waits to be written", "Nothing was stored; send the same again after Retry-After"),
        ),
        Busy::Store(why) => (
            StatusCode::SERVICE_UNAVAILABLE,
            STORE_RETRY_SECONDS,
            Refusal::new(
                format!("the store cannot be written to: {why}"),
                "Nothing was stored; look at the disk, and send the same again after Retry-After",
            ),
        ),
        Busy::Stopping => (
            StatusCode::SERVICE_UNAVAILABLE,
            STORE_RETRY_SECONDS,
            Refusal::new("the engine is stopping", "Nothing was stored; send the same again when it runs"),
        ),
    };
    let mut response = refused(status, &refusal);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.max(1)));
    response
}

/// Waits for the writer, but not for ever.
///
/// Errors: as an answer.
pub(super) async fn written<T>(shared: &Shared, asked: impl Future<Output = Result<T, Busy>>) -> Result<T, Response> {
    match tokio::time::timeout(shared.limits.commit, asked).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(why)) => Err(busy(&shared.house, &why)),
        Err(_) => {
            shared.house.pulse.busy();
            let refusal = Refusal::new(
                "the store did not answer in time, and it is not known whether this was stored",
                "Send the same again after Retry-After: what has an id or a time is taken once",
            );
            let mut response = refused(StatusCode::SERVICE_UNAVAILABLE, &refusal);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(STORE_RETRY_SECONDS));
            Err(response)
        }
    }
}

/// The machine's time, which signatures name whatever the engine's clock does.
pub(super) fn machine_now() -> Instant {
    Clock::Real.now()
}

/// Reads a request that shows the shared secret; the body only where the head may be right.
///
/// Errors: as an answer.
async fn keyed(shared: &Shared, request: Request) -> Result<(Caller, HeaderMap, Whole), Response> {
    let (parts, body) = request.into_parts();
    if let Err(why) = shared.house.guard.head(&parts.headers) {
        pass_by(shared, body).await;
        return Err(denied(&shared.house, why));
    }
    let body = body_of(shared, body).await?;
    match shared.house.guard.shared(&parts.headers, &body, machine_now()) {
        Ok(caller) => Ok((caller, parts.headers, body)),
        Err(why) => Err(denied(&shared.house, why)),
    }
}

fn pieces_of(headers: &HeaderMap, body: &[u8], key: &str) -> Result<Vec<Piece>, Response> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    layout::of_body(body, content_type, key).map_err(|(too_many, refusal)| {
        refused(if too_many { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST }, &refusal)
    })
}

/// Reads pieces, gives what can be read to the writer, and puts the answers in order.
///
/// Errors: nothing was stored; as an answer.
async fn taken<T, F: Future<Output = Result<Vec<Answer>, Busy>>>(
    shared: &Shared,
    way: Way,
    pieces: Vec<Piece>,
    read: impl Fn(&Map<String, Json>) -> Result<Taken<T>, Refusal>,
    id_of: impl Fn(&T) -> String,
    send: impl FnOnce(Vec<T>) -> F,
) -> Result<Vec<ItemAnswer>, Response> {
    let mut answers = Vec::with_capacity(pieces.len());
    let mut items = Vec::with_capacity(pieces.len());
    let mut places = Vec::with_capacity(pieces.len());
    for (idx, piece) in pieces.into_iter().enumerate() {
        let mut answer = ItemAnswer { item: idx + 1, line: piece.line, id: None, answer: Answer::Accepted, note: None };
        match piece.object.and_then(|map| read(&map)) {
            Ok(found) => {
                answer.id = Some(id_of(&found.what));
                answer.note = found.note;
                places.push(idx);
                items.push(found.what);
            }
            Err(Refusal { error, hint }) => answer.answer = Answer::Refused { error, hint },
        }
        answers.push(answer);
    }
    if !items.is_empty() {
        let said = written(shared, send(items)).await?;
        for (place, answer) in places.into_iter().zip(said) {
            if let Some(item) = answers.get_mut(place) {
                item.answer = answer;
            }
        }
    }
    let (accepted, duplicate, refused) = counted(&answers);
    shared.house.pulse.items(way, accepted, duplicate, refused);
    Ok(answers)
}

fn counted(answers: &[ItemAnswer]) -> (u64, u64, u64) {
    answers.iter().fold((0, 0, 0), |(a, d, r), item| match item.answer {
        Answer::Accepted => (a + 1, d, r),
        Answer::Duplicate => (a, d + 1, r),
        Answer::Refused { .. } => (a, d, r + 1),
    })
}

fn receipt(answers: Vec<ItemAnswer>) -> Response {
    let (accepted, duplicate, refused) = counted(&answers);
    let nothing = refused > 0 && accepted + duplicate == 0;
    let status = if nothing { StatusCode::BAD_REQUEST } else { StatusCode::ACCEPTED };
    answered(
        status,
        &json!({
            "schema": "flowloom/accepted/1", "accepted": accepted, "duplicate": duplicate, "refused": refused,
            "items": answers,
        }),
    )
}

/// Gives objects laid out as events to the writer; also for webhooks. `signed` names a signed request, which whoever
/// saw it can send again for some minutes: then what says neither its id nor when has one by its place in it.
///
/// Errors: nothing was stored; as an answer.
pub(super) async fn take_events(
    shared: &Shared,
    way: Way,
    mut pieces: Vec<Piece>,
    caller: Caller,
    signed: Option<String>,
) -> Result<Vec<ItemAnswer>, Response> {
    if let Some(signed) = signed {
        let named = pieces.into_iter().enumerate().map(|(idx, piece)| Piece {
            object: piece.object.map(|map| item::with_id(map, "s", &signed, &idx.to_string())),
            ..piece
        });
        pieces = named.collect();
    }
    let around = Around { now: shared.house.clock.now(), responses: caller != Caller::Open };
    let handle = &shared.house.handle;
    taken(
        shared,
        way,
        pieces,
        |map| {
            let mut found = item::event(map, around)?;
            found.what.change = found.what.change.map(|change| said_by(way, change));
            Ok(found)
        },
        |event| event.id.to_string(),
        |items| handle.events_by(way, items),
    )
    .await
}

/// Gives objects laid out as contacts to the writer; also for webhooks.
///
/// Errors: nothing was stored; as an answer.
pub(super) async fn take_contacts(shared: &Shared, way: Way, pieces: Vec<Piece>) -> Result<Vec<ItemAnswer>, Response> {
    let handle = &shared.house.handle;
    let read = |map: &Map<String, Json>| {
        let mut found = item::contact(map)?;
        found.what.change = said_by(way, found.what.change);
        Ok(found)
    };
    taken(shared, way, pieces, read, |contact| contact.id.to_string(), |items| handle.contacts(items)).await
}

/// A shop's webhook says "subscribed" with every change of a customer, also long after they unsubscribed here: that is
/// no new yes. Who sends to `/v1/contacts` or `/v1/events` means what it says.
fn said_by(way: Way, change: Change) -> Change {
    if way == Way::Hooks { change.keeping_no() } else { change }
}

/// `POST /v1/events`.
pub(super) async fn events(State(shared): State<Shared>, request: Request) -> Response {
    let made = async {
        let (caller, headers, body) = keyed(&shared, request).await?;
        let signed = Guard::signed_by(&headers, caller);
        take_events(&shared, Way::Events, pieces_of(&headers, &body, "events")?, caller, signed).await
    };
    made.await.map_or_else(|response| response, receipt)
}

/// `POST /v1/contacts`.
pub(super) async fn contacts(State(shared): State<Shared>, request: Request) -> Response {
    let made = async {
        let (_, headers, body) = keyed(&shared, request).await?;
        take_contacts(&shared, Way::Contacts, pieces_of(&headers, &body, "contacts")?).await
    };
    made.await.map_or_else(|response| response, receipt)
}

/// `POST /v1/histories`.
pub(super) async fn histories(State(shared): State<Shared>, request: Request) -> Response {
    let made = async {
        let (_, headers, body) = keyed(&shared, request).await?;
        let pieces = pieces_of(&headers, &body, "histories")?;
        let around = Around { now: shared.house.clock.now(), responses: true };
        let handle = &shared.house.handle;
        taken(
            &shared,
            Way::Histories,
            pieces,
            |map| item::history(map, around),
            |history| history.contact.id.to_string(),
            |items| handle.histories(items),
        )
        .await
    };
    made.await.map_or_else(|response| response, receipt)
}

/// `GET /health`: the process answers.
pub(super) async fn health() -> Response {
    answered(StatusCode::OK, &json!({"schema": "flowloom/health/1", "status": "ok"}))
}

/// `GET /ready`: the writer answers after a commit.
pub(super) async fn ready(State(shared): State<Shared>) -> Response {
    let asked = tokio::time::timeout(Duration::from_secs(5), shared.house.handle.events(Vec::new()));
    match asked.await {
        Ok(Ok(_)) => answered(StatusCode::OK, &json!({"schema": "flowloom/ready/1", "status": "ready"})),
        Ok(Err(why)) => busy(&shared.house, &why),
        Err(_) => busy(&shared.house, &Busy::Store("it did not answer within 5 s".into())),
    }
}

/// `GET /metrics`: Prometheus.
pub(super) async fn metrics(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    if let Err(why) = shared.house.guard.shared(&headers, b"", machine_now()) {
        return denied(&shared.house, why);
    }
    let house = shared.house.clone();
    let page = blocking(move || house.pulse.prometheus(house.handle.waiting() as u64, house.aside.count() as u64));
    match page.await {
        Ok(page) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response(),
        Err(error) => unreadable(error),
    }
}

fn unreadable(error: String) -> Response {
    refused(StatusCode::SERVICE_UNAVAILABLE, &Refusal::new(error, "Try again; look at the engine's log"))
}

fn not_found(what: String) -> Response {
    refused(StatusCode::NOT_FOUND, &Refusal::new(what, "Look for it with GET /v1/contacts?search=TEXT"))
}

/// Reads something of the store for the admin.
///
/// Errors: as an answer.
async fn read<T: Send + 'static>(
    shared: &Shared,
    headers: &HeaderMap,
    ask: impl FnOnce(&House) -> Result<T, String> + Send + 'static,
) -> Result<T, Response> {
    shared.house.guard.admin(headers).map_err(|why| denied(&shared.house, why))?;
    let house = shared.house.clone();
    blocking(move || ask(&house)).await.and_then(|found| found).map_err(unreadable)
}

/// `GET /v1/status`.
pub(super) async fn status(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let found = read(&shared, &headers, |house| {
        let mut status = house.reader.status()?;
        status.aside = house.aside.count() as u64;
        if status.aside > 0 {
            let (things, lie) = if status.aside == 1 { ("request", "lies") } else { ("requests", "lie") };
            status.warnings.push(format!(
                "{} {things} could not be understood and {lie} in {}",
                status.aside,
                house.aside.folder().display()
            ));
        }
        for (source, latency) in house.pulse.latencies() {
            status.latency.entry(source).or_insert(latency);
        }
        Ok(status)
    });
    found.await.map_or_else(|response| response, |status| answered(StatusCode::OK, &status))
}

/// How many rows a query asks for.
fn rows(query: &str) -> usize {
    form::value(query, "limit").and_then(|text| text.parse().ok()).unwrap_or(ROWS).clamp(1, MOST_ROWS)
}

/// `GET /v1/contacts?search=TEXT&limit=N`.
pub(super) async fn search(State(shared): State<Shared>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    let found = read(&shared, &headers, move |house| {
        let text: String = form::value(&query, "search").unwrap_or_default().chars().take(256).collect();
        house.reader.search(text.trim(), rows(&query))
    });
    let say = |contacts| answered(StatusCode::OK, &json!({"schema": "flowloom/contacts/1", "contacts": contacts}));
    found.await.map_or_else(|response| response, say)
}

/// `GET /v1/contacts/ID`.
pub(super) async fn contact(State(shared): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let key = ContactId::new(&id);
    match read(&shared, &headers, move |house| house.reader.contact(&key)).await {
        Ok(Some(view)) => answered(StatusCode::OK, &view),
        Ok(None) => not_found(format!("there is no contact `{id}`")),
        Err(response) => response,
    }
}

/// `GET /v1/contacts/ID/export`: everything that is known of a person (GDPR, articles 15 and 20).
pub(super) async fn export(State(shared): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let key = ContactId::new(&id);
    match read(&shared, &headers, move |house| house.reader.export(&key)).await {
        Ok(Some(everything)) => answered(StatusCode::OK, &everything),
        Ok(None) => not_found(format!("there is no contact `{id}`")),
        Err(response) => response,
    }
}

/// `GET /v1/held?limit=N`.
pub(super) async fn held(State(shared): State<Shared>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let most = rows(&query.unwrap_or_default());
    let found = read(&shared, &headers, move |house| Ok((house.reader.held(most)?, house.reader.damaged(most)?)));
    let say = |(rows, damaged)| {
        answered(StatusCode::OK, &json!({"schema": "flowloom/held/1", "rows": rows, "damaged": damaged}))
    };
    found.await.map_or_else(|response| response, say)
}

/// `GET /v1/audit?limit=N`: what people did by hand, newest first.
pub(super) async fn audit(State(shared): State<Shared>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let most = rows(&query.unwrap_or_default());
    let found = read(&shared, &headers, move |house| house.reader.audit(most));
    let say = |rows| answered(StatusCode::OK, &json!({"schema": "flowloom/audit/1", "rows": rows}));
    found.await.map_or_else(|response| response, say)
}

/// `GET /v1/suppression`: addresses that never get anything.
pub(super) async fn suppression(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let found = read(&shared, &headers, |house| house.reader.suppressed());
    let say = |addresses| answered(StatusCode::OK, &json!({"schema": "flowloom/suppressed/1", "addresses": addresses}));
    found.await.map_or_else(|response| response, say)
}

/// `GET /v1/flows/ID/migration?map=OLD=NEW&map=…`: where journeys of older versions would go; nothing is changed.
pub(super) async fn migration(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let mut mapping = Vec::new();
    for (name, value) in form::pairs(&query.unwrap_or_default()) {
        match value.split_once('=').map(|(old, new)| (old.trim(), new.trim())) {
            Some((old, new)) if name == "map" && !old.is_empty() && !new.is_empty() => {
                mapping.push((NodeId::new(old), NodeId::new(new)));
            }
            _ => {
                let error = format!("`{name}={value}` says nothing of a step");
                let hint = "Write ?map=OLD=NEW for a step that is gone, as often as it takes";
                return refused(StatusCode::BAD_REQUEST, &Refusal::new(error, hint));
            }
        }
    }
    let flow = FlowId::new(&id);
    match read(&shared, &headers, move |house| house.reader.migration(&flow, &mapping)).await {
        Ok(Some(moves)) => {
            answered(StatusCode::OK, &json!({"schema": "flowloom/migrate/1", "moves": moves, "done": null}))
        }
        Ok(None) => {
            let refusal = Refusal::new(format!("no flow `{id}` is live here"), "GET /v1/status lists the flows");
            refused(StatusCode::NOT_FOUND, &refusal)
        }
        Err(response) => response,
    }
}

/// `GET /v1/mails/JOURNEY/NODE/PASS`: a mail as it was sent.
pub(super) async fn mail(State(shared): State<Shared>, Path(text): Path<String>, headers: HeaderMap) -> Response {
    let Some(key) = SendKey::parse(&text) else {
        let hint = "Write the send key as a contact's page shows it: journey/node/pass";
        return refused(StatusCode::BAD_REQUEST, &Refusal::new(format!("`{text}` is not a send key"), hint));
    };
    match read(&shared, &headers, move |house| house.reader.mail(&key)).await {
        Ok(Some(bytes)) => {
            let kind = [
                (header::CONTENT_TYPE, "message/rfc822"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"mail.eml\""),
            ];
            (kind, Body::from(bytes)).into_response()
        }
        Ok(None) => not_found(format!("the mail of `{text}` is not kept")),
        Err(response) => response,
    }
}

/// `POST /v1/orders`; `X-Flowloom-By` says who gives it, for the audit line.
pub(super) async fn orders(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Err(why) = shared.house.guard.admin(&parts.headers) {
        pass_by(&shared, body).await;
        return denied(&shared.house, why);
    }
    // A flow comes with its whole workspace.
    let mut of_orders = shared.clone();
    of_orders.limits.body_bytes = of_orders.limits.body_bytes.max(MOST_ORDER_BYTES);
    let body = match body_of(&of_orders, body).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    // Reading and checking a large flow takes a while.
    let house = shared.house.clone();
    let order = match blocking(move || order::from_json(&body, || house.reader.workspace())).await {
        Ok(Ok(order)) => order,
        Ok(Err(refusal)) => return refused(StatusCode::BAD_REQUEST, &refusal),
        Err(error) => return unreadable(error),
    };
    let by = parts.headers.get("x-flowloom-by").and_then(|value| value.to_str().ok()).unwrap_or("api");
    let by: String = by.chars().filter(|c| !c.is_control()).take(100).collect();
    let whom = match &order {
        Order::Move { contact, .. } | Order::End { contact, .. } | Order::Forget { contact } => Some(contact.clone()),
        _ => None,
    };
    let forgets = match &order {
        Order::Forget { contact } => Some(contact.clone()),
        _ => None,
    };
    match written(&shared, shared.house.handle.order(&by, order)).await {
        Ok(Ok(mut done)) => {
            if let Some(contact) = forgets {
                let house = shared.house.clone();
                // Who hangs up does not stop it: the thread goes on.
                let files = tokio::time::timeout(FILES_PATIENCE, blocking(move || house.erase(&contact)));
                done += &match files.await {
                    Ok(said) => said.unwrap_or_default(),
                    Err(_) => {
                        ". Its files are being gone through still; give the order again to hear what is left".to_owned()
                    }
                };
            }
            answered(StatusCode::OK, &json!({"schema": "flowloom/order/1", "done": done}))
        }
        Ok(Err(refusal)) => {
            // Who is not there is not there, whatever was to be done with them.
            let house = shared.house.clone();
            let knows = blocking(move || whom.is_none_or(|id| house.reader.knows(&id).unwrap_or(true)));
            let is_known = knows.await.unwrap_or(true);
            refused(if is_known { StatusCode::CONFLICT } else { StatusCode::NOT_FOUND }, &refusal)
        }
        Err(response) => response,
    }
}

/// An address that there is not.
pub(super) async fn nothing_here() -> Response {
    let hint = "There are /v1/events, /v1/contacts, /v1/histories, /v1/status, /v1/held, /v1/audit, /v1/mails/KEY, \
                /v1/orders, /v1/suppression, /v1/flows/ID/migration, /hooks/…, /health, /ready, /metrics";
    refused(StatusCode::NOT_FOUND, &Refusal::new("there is nothing at this address", hint))
}

/// An address that is asked the wrong way.
pub(super) async fn not_this_way() -> Response {
    let refusal = Refusal::new("this address is not asked this way", "Events are sent with POST, and read with GET");
    refused(StatusCode::METHOD_NOT_ALLOWED, &refusal)
}
