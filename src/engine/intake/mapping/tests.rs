//! The shipped mappings over bodies as the platforms send them; bad mappings; random ones.

use proptest::prelude::*;

use super::*;
use crate::{base::Instant, engine::intake::item};

/// A checkout as shopify.dev describes it, shortened.
const CHECKOUT: &str = include_str!("../../../../tests/fixtures/hooks/shopify-checkout.json");
const CART: &str = include_str!("../../../../tests/fixtures/hooks/shopify-cart.json");
const ORDER: &str = include_str!("../../../../tests/fixtures/hooks/shopify-order.json");
const KLAVIYO: &str = include_str!("../../../../tests/fixtures/hooks/klaviyo-event.json");

fn apply(path: &str, topic: &str, body: &str) -> Vec<Result<Made, Refusal>> {
    let mapping = Mapping::shipped().unwrap_or_else(|refusal| panic!("{}", refusal.error));
    let hook = mapping.hook(path).unwrap_or_else(|| panic!("{path} is a hook"));
    let header = |name: &str| match name {
        "x-shopify-topic" => Some(topic.to_owned()),
        "x-shopify-event-id" => Some("ev-1".to_owned()),
        "x-shopify-webhook-id" => Some("wh-1".to_owned()),
        _ => None,
    };
    hook.apply(&header, &serde_json::from_str(body).expect("JSON")).expect("items")
}

/// What was made, one line each, with events read as `/v1/events` reads them.
fn lines(path: &str, topic: &str, body: &str) -> Vec<String> {
    let around = item::Around { now: Instant::parse("2026-11-26T12:00:00Z").expect("an instant"), responses: false };
    apply(path, topic, body)
        .into_iter()
        .map(|made| match made {
            Ok(Made::Event(map)) => {
                let event = item::event(&map, around).unwrap_or_else(|refusal| panic!("{}", refusal.error)).what;
                let properties: Vec<String> =
                    event.properties.iter().map(|(key, value)| format!("{key}={}", value.to_json())).collect();
                let consent = event.change.map_or(Vec::new(), |change| change.consent);
                format!(
                    "{} {} {} {} {:?}; {}",
                    event.id,
                    event.contact,
                    event.name,
                    event.happened.map_or_else(String::new, |at| at.to_string()),
                    consent,
                    properties.join(" ")
                )
            }
            Ok(Made::Contact(map)) => {
                let contact = item::contact(&map).unwrap_or_else(|refusal| panic!("{}", refusal.error)).what;
                format!("contact {} {:?}", contact.id, contact.change.consent)
            }
            Ok(Made::Ignored(why)) => format!("ignored: {why}"),
            Err(refusal) => format!("refused: {}", refusal.error),
        })
        .collect()
}

#[test]
fn shopify_checkouts() {
    let found = lines("/hooks/shopify", "checkouts/create", CHECKOUT);
    assert_eq!(
        found,
        ["shopify/checkout/3d58ad45d661cd34d882fda5c68a36b8 ada@example.com Started Checkout 2026-11-26T11:13:51Z \
          [(Email, Subscribed)]; cart_id=\"c1-830e691d16f1093cfcde75960320d9cd\" \
          cart_value={\"amount\":398,\"currency\":\"EUR\"} checkout_id=\"3d58ad45d661cd34d882fda5c68a36b8\" \
          item_count=3 items=[\"Diver 300\",\"Strap\"] product_id=\"632910392\" product_name=\"Diver 300\" \
          url=\"https://watches.example/62/checkouts/ac/3d58/recover?key=1\""]
    );
    let found = lines("/hooks/shopify/checkouts", "checkouts/update", CHECKOUT);
    assert_eq!(found.len(), 2, "the first update with an address begins the checkout, and is a change: {found:#?}");
    assert!(found[1].starts_with("shopify/checkouts/update/ev-1 ada@example.com Cart Updated 2026-11-26T11:20:00Z"));
    assert!(found[1].contains(" [(Email, Subscribed)]; "), "a box that was ticked later counts: {found:#?}");
    let later = CHECKOUT.replace("\"phone\": null", "\"phone\": \"+4915112345678\"");
    for made in apply("/hooks/shopify", "checkouts/update", &later) {
        let Ok(Made::Event(event)) = made else { panic!("{made:?}") };
        let profile = &event["profile"];
        assert_eq!((&profile["phone"], &profile["language"]), (&"+4915112345678".into(), &"de-DE".into()), "{event:?}");
    }
    let anonymous = CHECKOUT.replace("\"Ada@Example.com\"", "null");
    assert_eq!(
        lines("/hooks/shopify", "checkouts/create", &anonymous),
        ["ignored: the checkout has no e-mail address yet"]
    );
    let done = CHECKOUT.replace("\"completed_at\": null", "\"completed_at\": \"2026-11-26T11:30:00Z\"");
    assert_eq!(lines("/hooks/shopify", "checkouts/update", &done), ["ignored: no rule asks for it as it is"]);
    assert_eq!(
        lines("/hooks/shopify", "products/update", "{}"),
        ["ignored: no rule asks for the topic `products/update`"]
    );
}

#[test]
fn shopify_carts_orders_and_customers() {
    assert_eq!(
        lines("/hooks/shopify", "carts/update", CART),
        ["ignored: Shopify's carts do not say whose they are; checkouts do"]
    );
    let found = lines("/hooks/shopify", "orders/create", ORDER);
    assert!(
        found[0]
            .starts_with("shopify/order/820982911946154508/placed ada@example.com Placed Order 2026-11-26T11:45:00Z"),
        "{found:#?}"
    );
    for part in ["amount={\"amount\":398,\"currency\":\"EUR\"}", "order_id=\"#9999\"", "codes=[\"TENOFF\"]"] {
        assert!(found[0].contains(part), "{part} in {found:#?}");
    }
    let customer = r#"{"id": 1, "email": "Ada@example.com", "email_marketing_consent": {"state": "unsubscribed"},
        "sms_marketing_consent": {"state": "not_subscribed"}}"#;
    assert_eq!(
        lines("/hooks/shopify", "customers/update", customer),
        ["contact ada@example.com [(Email, Unsubscribed)]"]
    );
}

#[test]
fn klaviyo_events() {
    assert_eq!(
        lines("/hooks/klaviyo", "", KLAVIYO),
        [
            "klaviyo/Viewed Product/k-77 sarah.mason@example.com Viewed Product 2026-11-26T11:00:00Z []; ProductName=\"Diver 300\" price=199.5 \
          value={\"amount\":199.5,\"currency\":\"EUR\"}"
        ]
    );
    // One id for two metrics is two events; without one it is derived.
    let refunded = lines("/hooks/klaviyo", "", &KLAVIYO.replace("Viewed Product", "Refunded Order"));
    assert!(refunded[0].starts_with("klaviyo/Refunded Order/k-77 sarah"), "{refunded:?}");
    let without = lines("/hooks/klaviyo", "", &KLAVIYO.replace("\"k-77\"", "null"));
    assert!(without[0].starts_with("e-"), "{without:?}");
    let nobody = r#"{"data":{"type":"event","attributes":{"properties":{},"profile":{"data":{"attributes":{}}}}}}"#;
    let found = lines("/hooks/klaviyo", "", nobody);
    assert!(found[0].starts_with("refused: it does not say whose it is"), "{found:?}");
    let mapping = Mapping::shipped().expect("shipped");
    let hook = mapping.hook("/hooks/klaviyo").expect("a hook");
    assert!(hook.apply(&|_| None, &serde_json::json!([])).is_err_and(|refusal| refusal.error.contains("under `data`")));
}

#[test]
fn files_add_and_replace() {
    let own = r#"(version: 1, hooks: [(path: "/hooks/klaviyo", rules: [(contact: "{who}", event: "Seen")])])"#;
    let mapping = Mapping::shipped().and_then(|shipped| shipped.with("own.ron", own)).expect("a mapping");
    assert_eq!(mapping.paths().collect::<Vec<_>>(), ["/hooks/klaviyo", "/hooks/shopify"]);
    assert_eq!(mapping.hook("/hooks/klaviyo/deep/er/").map(|hook| hook.rules.len()), Some(1));
    assert!(mapping.hook("/hooks").is_none() && mapping.hook("/hooks/klaviyo2").is_none());
}

/// A bad mapping: the place, the reason, a way out.
#[test]
fn bad_files_say_where() {
    let file = |hook: &str| format!("(\n  version: 1,\n  hooks: [{hook}],\n)");
    for (text, expected) in [
        ("".to_owned(), "own.ron, line 1, column 1: "),
        ("(version: 2, hooks: [])".to_owned(), "own.ron: its version is 2"),
        (file("(path: \"/hooks/a\", rlues: [])"), "own.ron, line 3, column "),
        (file("(path: \"/hooks/a\", rules: [(contact: \"{a\", event: \"x\")])"), "own.ron, line 3, column "),
        (file("(path: \"/v1/events\", rules: [])"), "own.ron: `/v1/events` cannot be a path"),
        (file("(path: \"/hooks/a\", rules: [])"), "own.ron: /hooks/a: there is no rule"),
        (file("(path: \"/hooks/a\", rules: [(event: \"x\")])"), "own.ron: /hooks/a, rule 1: `contact` is missing"),
        (
            file("(path: \"/hooks/a\", rules: [(topics: [\"t\"], contact: \"{a}\", event: \"x\")])"),
            "own.ron: /hooks/a, rule 1: it asks for topics, and there is no topic_header",
        ),
        (
            file("(path: \"/hooks/a\", topic_header: \"X Y\", rules: [(contact: \"{a}\", event: \"x\")])"),
            "own.ron: /hooks/a: `X Y` cannot be a header",
        ),
        (
            file("(path: \"/hooks/a\", rules: [(contact: \"{a}\", id: \"{b}\")])"),
            "own.ron: /hooks/a, rule 1: it has properties of an event without one",
        ),
    ] {
        let refusal = Mapping::default().with("own.ron", &text).expect_err(&text);
        assert!(refusal.error.starts_with(expected), "{text}\n{refusal:?}");
        assert!(!refusal.hint.is_empty(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Neither a damaged mapping nor a damaged body ends in a panic.
    #[test]
    fn damaged_files_and_bodies(at in 0..6_000usize, put in "[ -~]{0,4}", cut in 0..8usize, topic in "[a-z/]{0,12}") {
        for (name, text) in SHIPPED {
            let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let end = (at + cut..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
            let damaged = format!("{}{put}{}", &text[..at], &text[end.max(at)..]);
            if let Ok(mapping) = Mapping::default().with(name, &damaged) {
                for path in mapping.paths() {
                    let hook = mapping.hook(path).expect("its own");
                    for body in [CHECKOUT, KLAVIYO, "[]", "{\"data\":[1,null,{}]}"] {
                        let body = serde_json::from_str(body).expect("JSON");
                        let _ = hook.apply(&|_| Some(topic.clone()), &body);
                    }
                }
            }
        }
    }
}
