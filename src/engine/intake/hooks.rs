//! `POST /hooks/…`: webhooks of others, by the mapping of their path.
//!
//! The one idea: a sender that shows its key is answered with 202 as soon as what it said is durable: as events, or
//! kept aside with the reason. Only where neither can be done it is told to come back; and a stranger is told to
//! stay away.

use std::collections::BTreeMap;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Map, Value as Json, json};

use super::{
    api::{self, ItemAnswer},
    guard::{Caller, Guard},
    layout::Piece,
    mapping::{Auth, Hook, Made},
    pulse::Way,
    server::{Shared, Whole, blocking, body_of, pass_by},
};
use crate::{
    base::nearest,
    engine::work::{Answer, Refusal},
};

/// Takes a webhook.
pub(super) async fn take(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let Some(hook) = shared.house.mapping.hook(&path) else {
        let hint = nearest::hint(&path, shared.house.mapping.paths());
        let refusal = Refusal::new("no mapping knows this path", format!("{hint}; --mapping FILE adds others"));
        return api::refused(StatusCode::NOT_FOUND, &refusal);
    };
    if let Err(why) = shared.house.guard.hook_head(&hook.auth, &parts.headers) {
        pass_by(&shared, body).await;
        return api::denied(&shared.house, why);
    }
    let body = match body_of(&shared, body).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let caller = match shared.house.guard.hook(&hook.auth, &parts.headers, &body, api::machine_now()) {
        Ok(caller) => caller,
        Err(why) => return api::denied(&shared.house, why),
    };
    taken(&shared, hook, &path, &parts.headers, body, caller).await.unwrap_or_else(|response| response)
}

async fn taken(
    shared: &Shared,
    hook: &Hook,
    path: &str,
    headers: &HeaderMap,
    body: Whole,
    caller: Caller,
) -> Result<Response, Response> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let made = serde_json::from_slice::<Json>(&body)
        .map_err(|error| Refusal::new(format!("the body is not JSON: {error}"), "Ask the sender for JSON"))
        .and_then(|json| hook.apply(&header, &json));
    let mut faults = Vec::new();
    let (mut events, mut contacts, mut ignored) = (Vec::new(), Vec::new(), Vec::new());
    for one in made.unwrap_or_else(|refusal| vec![Err(refusal)]) {
        match one {
            Ok(Made::Event(map)) => events.push(piece(map)),
            Ok(Made::Contact(map)) => contacts.push(piece(map)),
            Ok(Made::Ignored(why)) => {
                shared.house.pulse.ignored(Way::Hooks);
                ignored.push(why);
            }
            Err(refusal) => faults.push(refusal),
        }
    }
    let mut answers: Vec<ItemAnswer> = Vec::new();
    if !contacts.is_empty() {
        answers.extend(api::take_contacts(shared, Way::Hooks, contacts).await?);
    }
    if !events.is_empty() {
        // Others' signatures say no time: the same body may well be meant twice.
        let signed = (hook.auth == Auth::Shared).then(|| Guard::signed_by(headers, caller)).flatten();
        answers.extend(api::take_events(shared, Way::Hooks, events, caller, signed).await?);
    }
    let count = |wanted: fn(&Answer) -> bool| answers.iter().filter(|item| wanted(&item.answer)).count();
    let accepted = count(|answer| *answer == Answer::Accepted);
    let duplicate = count(|answer| *answer == Answer::Duplicate);
    faults.extend(answers.into_iter().filter_map(|item| match item.answer {
        Answer::Refused { error, hint } => Some(Refusal { error, hint }),
        Answer::Accepted | Answer::Duplicate => None,
    }));
    if let Some(first) = faults.first() {
        keep_aside(shared, path, headers, body, first.clone()).await?;
    }
    let kept: Vec<Json> = faults.iter().map(|refusal| json!({"error": refusal.error, "hint": refusal.hint})).collect();
    Ok(api::answered(
        StatusCode::ACCEPTED,
        &json!({
            "schema": "flowloom/hook/1", "accepted": accepted, "duplicate": duplicate, "ignored": ignored,
            "kept_aside": kept,
        }),
    ))
}

fn piece(map: Map<String, Json>) -> Piece {
    Piece { line: None, object: Ok(map) }
}

/// Keeps the whole body: what was made of it has ids and does no harm when it is sent again.
async fn keep_aside(
    shared: &Shared,
    path: &str,
    headers: &HeaderMap,
    body: Whole,
    why: Refusal,
) -> Result<(), Response> {
    // What says something of the content; signatures and keys do not lie about.
    let said: BTreeMap<String, String> = headers
        .iter()
        .filter(|(name, _)| {
            let name = name.as_str();
            name == "content-type"
                || (name.starts_with("x-")
                    && !["hmac", "signature", "token", "key", "secret"].iter().any(|w| name.contains(w)))
        })
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let (house, path, now) = (shared.house.clone(), path.to_owned(), shared.house.clock.now());
    let kept = blocking(move || house.aside.keep(now, &path, said, &body, &why)).await;
    let refusal = match kept {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(refusal)) => refusal,
        Err(error) => Refusal::new(error, "Send the same again"),
    };
    shared.house.pulse.busy();
    Err(api::refused(StatusCode::SERVICE_UNAVAILABLE, &refusal))
}
