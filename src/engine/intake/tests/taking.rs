//! Events, contacts, histories, webhooks and files on their way in.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use proptest::prelude::*;
use ring::hmac;
use serde_json::json;

use super::stage::{ADMIN, SECRET, SHOPIFY, Stage};
use crate::engine::{
    intake::{guard::sign, watch},
    work::{Busy, Order},
};

const EVENT: &str = r#"{"id":"1","contact":"ada","name":"Viewed","happened":"2026-11-26T11:00:00Z"}"#;

#[test]
fn one_event_and_the_same_again() {
    let stage = Stage::new();
    let said = stage.post_json("/v1/events", EVENT);
    assert_eq!(said.status, 202, "{said:?}");
    assert_eq!(
        said.json(),
        json!({"schema": "flowloom/accepted/1", "accepted": 1, "duplicate": 0, "refused": 0,
               "items": [{"item": 1, "id": "1", "status": "accepted"}]})
    );
    let again = stage.post_json("/v1/events", EVENT);
    assert_eq!((again.status, again.json()["items"][0]["status"].clone()), (202, json!("duplicate")));
    assert_eq!(stage.num_events(), 1);
    assert!(again.header("x-request-id").is_some_and(|id| id.starts_with("r-")));
    let named = stage.ask("POST", "/v1/events", &[("x-request-id", "abc-1")], EVENT.as_bytes());
    assert_eq!(named.header("x-request-id"), Some("abc-1"));
}

/// Bad items do not take the good ones along; answers are in order, with their lines.
#[test]
fn lists_and_lines_with_bad_ones_among_them() {
    let stage = Stage::new();
    let said = stage.post_json("/v1/events", &format!("{{\"events\": [{EVENT}, {{\"contact\":\"ada\"}}, 7]}}"));
    let statuses: Vec<String> = said.json()["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| format!("{} {}", item["status"].as_str().expect("a word"), item["error"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(said.status, 202);
    assert_eq!(statuses, ["accepted ", "refused `name` is missing", "refused it is not an object"]);

    let lines = "{\"contact\":\"bob\",\"name\":\"A\"}\n{\"contact\":\"bob\",\n\n{\"contact\":\"bob\",\"name\":\"B\"}\n";
    let said = stage.ask("POST", "/v1/events", &[("content-type", "application/x-ndjson")], lines.as_bytes());
    let found = said.json();
    assert_eq!((said.status, found["accepted"].clone(), found["refused"].clone()), (202, json!(2), json!(1)));
    assert_eq!((found["items"][1]["line"].clone(), found["items"][2]["line"].clone()), (json!(2), json!(4)));
    let all_bad = stage.post_json("/v1/events", "[{}]");
    assert_eq!(
        (all_bad.status, all_bad.json()["items"][0]["hint"].clone()),
        (400, json!("Add \"contact\" to the object"))
    );
    let empty = stage.post_json("/v1/events", "[]");
    assert_eq!((empty.status, empty.json()["items"].clone()), (202, json!([])));
}

#[test]
fn what_cannot_be_read_at_all() {
    let stage = Stage::new();
    for body in ["", "{", "7", "\u{0}", "<xml/>", "[1,"] {
        let said = stage.post_json("/v1/events", body);
        assert_eq!(said.status, 400, "{body:?}: {}", said.text());
        assert!(said.json()["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    }
    assert_eq!(stage.ask("POST", "/v1/events", &[], b"\xff\xfe{}").status, 400);
    // Compressed, whether it says so or not.
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00";
    for path in ["/v1/events", "/v1/contacts", "/hooks/klaviyo", "/v1/orders"] {
        let said = stage.ask("POST", path, &[("content-encoding", "gzip")], gzip);
        assert_eq!((said.status, said.header("accept-encoding")), (415, Some("identity")), "{path}");
        assert!(said.json()["error"].as_str().is_some_and(|error| error.contains("Content-Encoding: gzip")));
    }
    let said = stage.ask("POST", "/v1/events", &[], gzip);
    assert_eq!((said.status, said.json()["hint"].clone()), (400, json!("It looks like gzip: unpack it")));
    assert_eq!(stage.num_events(), 0);
    assert_eq!(stage.ask("POST", "/v1/events", &[("content-encoding", "identity")], EVENT.as_bytes()).status, 202);
}

#[test]
fn contacts_and_histories() {
    let stage = Stage::new();
    let said = stage.post_json("/v1/contacts", r#"[{"id":"ada","first_name":"Ada"},{"email":"x"}]"#);
    assert_eq!(
        (said.status, said.json()["accepted"].clone(), said.json()["refused"].clone()),
        (202, json!(1), json!(1))
    );
    let said = stage
        .post_json("/v1/histories", r#"{"contact":{"id":"ada"},"events":[{"name":"Bought","happened":"2026-01-01"}]}"#);
    assert_eq!((said.status, stage.book.lock().expect("the book").histories), (202, 1));
}

/// Nothing is doubled or lost where the writer cannot: the caller is told when to come back.
#[test]
fn a_busy_writer() {
    let stage = Stage::new();
    for (busy, status) in
        [(Busy::Full { retry_after: 3 }, 429), (Busy::Store("disk full".into()), 503), (Busy::Stopping, 503)]
    {
        stage.book.lock().expect("the book").busy = Some(busy.clone());
        let said = stage.post_json("/v1/events", EVENT);
        assert_eq!(said.status, status, "{busy:?}");
        assert!(said.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok_and(|n| n > 0)));
        assert_eq!(stage.get("/ready").status, status, "{busy:?}");
        assert_eq!(stage.get("/health").status, 200);
    }
    stage.book.lock().expect("the book").busy = None;
    assert_eq!(stage.get("/ready").status, 200);
    assert_eq!(stage.num_events(), 0);
}

#[test]
fn a_silent_writer() {
    let stage = Stage::with("", |setup| setup.limits.commit = std::time::Duration::from_millis(200));
    stage.book.lock().expect("the book").silent = true;
    let said = stage.post_json("/v1/events", EVENT);
    assert_eq!((said.status, said.header("retry-after")), (503, Some("5")));
    assert!(said.json()["error"].as_str().is_some_and(|error| error.contains("not known whether")));
}

#[test]
fn secrets_signatures_and_replays() {
    let stage = Stage::with(SECRET, |_| {});
    let post = |headers: &[(&str, &str)]| stage.ask("POST", "/v1/events", headers, EVENT.as_bytes()).status;
    assert_eq!(post(&[]), 401);
    assert_eq!(post(&[("authorization", "Bearer wrong-secret-of-the-tests")]), 401);
    assert_eq!(post(&[("authorization", &format!("Bearer {SECRET}"))]), 202);
    let seconds = jiff_seconds();
    let signature = sign(SECRET, seconds, EVENT.as_bytes());
    assert_eq!(post(&[("x-flowloom-signature", &signature)]), 202);
    assert_eq!(post(&[("x-flowloom-signature", &signature)]), 202, "a replay does no harm");
    assert_eq!(post(&[("x-flowloom-signature", &sign(SECRET, seconds - 400, EVENT.as_bytes()))]), 401);
    assert_eq!(post(&[("x-flowloom-signature", &sign(SECRET, seconds, b"other"))]), 401);
    assert_eq!(stage.num_events(), 1);
    let answer = r#"{"contact":"ada","name":"$opened","properties":{"send_key":"j/m/1"}}"#;
    let said = stage.ask("POST", "/v1/events", &[("authorization", &format!("Bearer {SECRET}"))], answer.as_bytes());
    assert_eq!(said.status, 202, "answers to mails come with the secret");
    assert_eq!(Stage::new().post_json("/v1/events", answer).status, 400, "and not without");
    assert_eq!(stage.get("/metrics").status, 401);
}

/// Whoever saw a signed request can send it again for five minutes: what has neither id nor time is taken once, too.
#[test]
fn replays_of_what_has_no_id() {
    let stage = Stage::with(SECRET, |_| {});
    let body = r#"[{"contact":"ada","name":"V"},{"contact":"ada","name":"V"}]"#;
    let post = |headers: &[(&str, &str)]| stage.ask("POST", "/v1/events", headers, body.as_bytes()).json();
    let seconds = jiff_seconds();
    let signature = sign(SECRET, seconds, body.as_bytes());
    let first = post(&[("x-flowloom-signature", &signature)]);
    assert_eq!(first["accepted"], json!(2), "two that look the same may both be meant");
    let (time, tag) = signature.split_once(",v1=").expect("two parts");
    let written_anew = format!("v2=x, {time}, v1={}", tag.to_ascii_uppercase());
    for again in [&signature, &written_anew] {
        let found = post(&[("x-flowloom-signature", again)]);
        assert_eq!((&found["duplicate"], &found["items"][0]["id"]), (&json!(2), &first["items"][0]["id"]), "{again}");
    }
    let later = sign(SECRET, seconds - 1, body.as_bytes());
    assert_eq!(post(&[("x-flowloom-signature", &later)])["accepted"], json!(2), "signed anew is meant anew");
    // The admin's token is enough, so that nobody looked at the signature.
    for _ in 0..2 {
        let headers = [("authorization", &*format!("Bearer {ADMIN}")), ("x-flowloom-signature", &signature)];
        assert_eq!(post(&headers)["accepted"], json!(2));
    }
}

fn jiff_seconds() -> i64 {
    crate::engine::clock::Clock::Real.now().as_millis() / 1_000
}

#[test]
fn shopify_is_let_in_by_its_signature() {
    let stage = Stage::with(&format!("shopify = {SHOPIFY}"), |_| {});
    let order = include_str!("../../../../tests/fixtures/hooks/shopify-order.json");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SHOPIFY.as_bytes());
    let signed = |body: &str| BASE64.encode(hmac::sign(&key, body.as_bytes()));
    let post = |topic: &str, body: &str, signature: &str| {
        let headers = [
            ("x-shopify-topic", topic),
            ("x-shopify-event-id", "ev-1"),
            ("x-shopify-hmac-sha256", signature),
            ("content-type", "application/json"),
        ];
        stage.ask("POST", "/hooks/shopify/orders", &headers, body.as_bytes())
    };
    assert_eq!(post("orders/create", order, &signed("other")).status, 401);
    assert_eq!(post("orders/create", order, "").status, 401);
    let said = post("orders/create", order, &signed(order));
    assert_eq!((said.status, said.json()["accepted"].clone()), (202, json!(1)), "{}", said.text());
    assert_eq!(post("orders/create", order, &signed(order)).json()["duplicate"], json!(1));
    {
        let book = stage.book.lock().expect("the book");
        let event = book.events.first().expect("an event");
        assert_eq!((event.name.as_str(), event.contact.as_str()), ("Placed Order", "ada@example.com"));
        assert!(event.change.as_ref().is_some_and(|change| change.email.as_deref() == Some("ada@example.com")));
    }
    let said = post("products/update", "{}", &signed("{}"));
    assert_eq!(
        (said.status, said.json()["ignored"][0].clone()),
        (202, json!("no rule asks for the topic `products/update`"))
    );
    assert!(stage.aside().is_empty());

    // Well signed and not to be understood: kept with the reason, once, without the signature.
    for _ in 0..2 {
        let said = post("orders/create", "{\"broken", &signed("{\"broken"));
        assert_eq!((said.status, said.json()["accepted"].clone()), (202, json!(0)));
        assert!(said.json()["kept_aside"][0]["error"].as_str().is_some_and(|e| e.contains("not JSON")));
    }
    let kept = stage.aside();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0]["body"].clone(), kept[0]["from"].clone()),
        (json!("{\"broken"), json!("/hooks/shopify/orders"))
    );
    assert!(kept[0]["headers"]["x-shopify-topic"].is_string() && kept[0]["headers"]["x-shopify-hmac-sha256"].is_null());
    let status = stage.get_as_admin("/v1/status").json();
    assert_eq!(status["aside"], json!(1));
    assert!(status["warnings"][0].as_str().is_some_and(|warning| warning.contains("could not be understood")));

    stage.book.lock().expect("the book").refuses = Some("Shopify orders/paid".into());
    let said = post("orders/paid", order, &signed(order));
    assert_eq!(
        (said.status, stage.aside().len()),
        (202, 2),
        "what the writer refuses is kept as well: {}",
        said.text()
    );
    stage.book.lock().expect("the book").busy = Some(Busy::Full { retry_after: 1 });
    assert_eq!(post("orders/fulfilled", order, &signed(order)).status, 429);
}

/// Shops repeat "subscribed" with every change of a customer: that lifts no opt-out, which a word of one's own may.
#[test]
fn a_webhooks_yes_lifts_no_no() {
    let stage = Stage::with(&format!("shopify = {SHOPIFY}"), |_| {});
    let key = hmac::Key::new(hmac::HMAC_SHA256, SHOPIFY.as_bytes());
    let post = |topic: &str, body: &str| {
        let signature = BASE64.encode(hmac::sign(&key, body.as_bytes()));
        let headers =
            [("x-shopify-topic", topic), ("x-shopify-event-id", "ev-1"), ("x-shopify-hmac-sha256", &signature)];
        assert_eq!(stage.ask("POST", "/hooks/shopify", &headers, body.as_bytes()).status, 202, "{topic}");
    };
    post(
        "customers/update",
        r#"{"id": 1, "email": "ada@example.com", "email_marketing_consent": {"state": "subscribed"}}"#,
    );
    post(
        "customers/update",
        r#"{"id": 2, "email": "bob@example.com", "email_marketing_consent": {"state": "unsubscribed"}}"#,
    );
    post("orders/create", r#"{"id": 3, "email": "ada@example.com", "buyer_accepts_marketing": true}"#);
    let said = stage.post_json("/v1/contacts", r#"{"id": "ada@example.com", "consent": "subscribed"}"#);
    assert_eq!(said.status, 202);
    let book = stage.book.lock().expect("the book");
    let keeps: Vec<bool> = book.contacts.iter().map(|contact| contact.change.keeps_no).collect();
    assert_eq!(keeps, [true, false, false], "a no counts from everywhere; /v1/contacts means what it says");
    let change = book.events.first().and_then(|event| event.change.as_ref()).expect("a change");
    assert_eq!((change.consent.len(), change.keeps_no), (1, true));
}

#[test]
fn hooks_without_a_secret_or_a_mapping() {
    let stage = Stage::new();
    assert_eq!(stage.post_json("/hooks/shopify", "{}").status, 403, "its secret is not set");
    let klaviyo = include_str!("../../../../tests/fixtures/hooks/klaviyo-event.json");
    assert_eq!(stage.post_json("/hooks/klaviyo", klaviyo).json()["accepted"], json!(1));
    let said = stage.post_json("/hooks/klavyio", klaviyo);
    assert_eq!(said.status, 404);
    assert!(said.json()["hint"].as_str().is_some_and(|hint| hint.contains("/hooks/klaviyo")));
    let guarded = Stage::with(SECRET, |_| {});
    assert_eq!(guarded.post_json("/hooks/klaviyo", klaviyo).status, 401);
    let key = format!("Klaviyo-API-Key {SECRET}");
    assert_eq!(guarded.ask("POST", "/hooks/klaviyo", &[("authorization", &key)], klaviyo.as_bytes()).status, 202);
}

#[test]
fn a_watched_folder() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().expect("a folder");
    let start = || {
        watch::Watch::start(folder.path(), stage.handle.clone(), stage.pulse.clone(), stage.clock.clone())
            .unwrap_or_else(|refusal| panic!("{}", refusal.error))
    };
    std::fs::write(folder.path().join("a.jsonl"), format!("{EVENT}\n")).expect("writes");
    std::fs::write(folder.path().join("b.jsonl"), format!("{EVENT}\nnonsense\n")).expect("writes");
    std::fs::write(folder.path().join("c.json"), "[{").expect("writes");
    std::fs::write(folder.path().join("notes.txt"), "mine").expect("writes");
    let watching = start();
    let there = |path: &str| folder.path().join(path).exists();
    let until = std::time::Duration::from_secs(16);
    let waited = (0..160).any(|_| {
        std::thread::sleep(until / 160);
        there("done/a.jsonl") && there("failed/b.jsonl") && there("failed/c.json")
    });
    watching.stop();
    assert!(waited, "{:?}", std::fs::read_dir(folder.path()).expect("a folder").collect::<Vec<_>>());
    assert!(there("notes.txt") && !there("done/a.jsonl.txt"));
    let reasons = std::fs::read_to_string(folder.path().join("failed/b.jsonl.txt")).expect("reasons");
    assert!(reasons.starts_with("b.jsonl: 0 taken, 1 known already, 1 not taken\nline 2: column "), "{reasons}");
    let reasons = std::fs::read_to_string(folder.path().join("failed/c.json.txt")).expect("reasons");
    assert!(reasons.contains("the body is not JSON"), "{reasons}");
    assert_eq!(stage.num_events(), 1, "the same event in two files is one");
    // The writer cannot: files stay where they are, and stopping does not wait for it.
    stage.book.lock().expect("the book").busy = Some(Busy::Store("disk full".into()));
    std::fs::write(folder.path().join("d.jsonl"), EVENT.replace("\"1\"", "\"2\"")).expect("writes");
    let watching = start();
    std::thread::sleep(std::time::Duration::from_millis(4_500));
    watching.stop();
    assert!(there("d.jsonl") && !there("done/d.jsonl"));
    let missing = watch::Watch::start(
        &folder.path().join("notes.txt"),
        stage.handle.clone(),
        stage.pulse.clone(),
        stage.clock.clone(),
    );
    assert!(missing.is_err_and(|refusal| refusal.hint.contains("--watch")));
}

#[test]
fn orders_need_the_admin() {
    let stage = Stage::with(SECRET, |_| {});
    let admin = format!("Bearer {ADMIN}");
    let post = |token: &str, body: &str| {
        stage.ask("POST", "/v1/orders", &[("authorization", token), ("x-flowloom-by", "lena")], body.as_bytes())
    };
    assert_eq!(post(&format!("Bearer {SECRET}"), r#"{"order":"resume","flow":"a"}"#).status, 401);
    assert_eq!(post("", "{}").status, 401);
    let said = post(&admin, r#"{"order":"resume","flow":"a"}"#);
    assert_eq!((said.status, said.json()["done"].clone()), (200, json!("done")));
    assert_eq!(stage.book.lock().expect("the book").orders[0].0, "lena");
    let said = post(&admin, r#"{"order":"drain","flow":"a"}"#);
    assert_eq!((said.status, said.json()["hint"].clone()), (409, json!("Publish it")));
    assert_eq!(post(&admin, r#"{"order":"dance"}"#).status, 400);
    // Who is not there is not there; who cannot be read is.
    for (whom, status) in [("ada", 409), ("eve", 409), ("nobody", 404)] {
        let said = post(&admin, &format!(r#"{{"order":"end","contact":"{whom}","journey":"j/1"}}"#));
        assert_eq!((said.status, said.json()["hint"].clone()), (status, json!("Look for it")), "{whom}");
    }
    // Whoever is forgotten takes their files along.
    let kept = stage.data.path().join("aside/1.json");
    std::fs::create_dir_all(kept.parent().expect("a folder")).expect("is made");
    std::fs::write(&kept, "{\"email\": \"ada@example.com\"}").expect("writes");
    let said = post(&admin, r#"{"order":"forget","contact":"ada"}"#).json();
    assert!(said["done"].as_str().is_some_and(|done| done.contains("1 request kept aside")), "{said}");
    assert!(!kept.exists());
    let erased = Order::Erased { contact: "ada".into() };
    assert!(stage.book.lock().expect("the book").orders.contains(&("engine".to_owned(), erased)), "the store is told");
    assert_eq!(post(&admin, r#"{"order":"erased","contact":"ada"}"#).status, 400, "nobody else says it");
    // A flow comes with its whole workspace, which may be larger than what shops send.
    let large = format!("{{\"order\":\"suppress\",\"addresses\":[\"{}@b.example\"]}}", "a".repeat(6 << 20));
    assert_eq!(post(&admin, &large).status, 200);
    assert_eq!(post(&format!("Bearer {SECRET}"), &large).status, 401);
    assert_eq!(
        Stage::new().post_json("/v1/orders", r#"{"order":"resume","flow":"a"}"#).status,
        401,
        "on loopback, too"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is sent, the answer is one of those that are promised, and JSON.
    #[test]
    fn damaged_bodies(at in 0..400usize, put in proptest::collection::vec(any::<u8>(), 0..6), cut in 0..9usize, lines: bool) {
        thread_local!(static STAGE: Stage = Stage::new());
        let whole = format!("[{EVENT},{{\"contact\":\"b\",\"name\":\"x\",\"profile\":{{\"consent\":{{\"email\":true}}}}}}]");
        let mut body = whole.into_bytes();
        let at = at.min(body.len());
        body.splice(at..(at + cut).min(body.len()), put);
        let kind = if lines { "application/x-ndjson" } else { "application/json" };
        STAGE.with(|stage| {
            for path in ["/v1/events", "/v1/contacts", "/v1/histories", "/hooks/klaviyo"] {
                let said = stage.ask("POST", path, &[("content-type", kind)], &body);
                assert!([202, 400].contains(&said.status), "{path}: {said:?}");
                assert!(said.json()["schema"].is_string());
            }
        });
    }
}
