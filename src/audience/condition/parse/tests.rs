//! Texts read, and what is said about wrong ones.

use super::*;

/// The canonical text of a condition that has no mistakes.
fn check(text: &str, expected: &str) {
    let parsed = parse(text);
    assert_eq!(parsed.errors, [], "{text}");
    assert_eq!(parsed.condition.to_string(), expected, "{text}");
    assert_eq!(parse(expected).condition, parsed.condition, "{expected}");
}

/// The text under the first mistake, its message and hint.
fn check_wrong(text: &str, expected: &str) {
    let parsed = parse(text);
    let shown: Vec<String> =
        parsed.errors.iter().map(|e| format!("{:?}: {}; {}", e.range.slice(text), e.message, e.hint)).collect();
    assert_eq!(shown.join("\n"), expected, "{text}");
}

#[test]
fn groups() {
    check("true", "true");
    check("TRUE AND not FALSE", "true and not (false)");
    check(
        "If trigger.cart_value > constant.threshold AND did \"Visit\" in the last 24h",
        "trigger.cart_value > constant.threshold and did \"Visit\" in the last 24 h",
    );
    check("true or false and true", "true or false and true");
    check("(true or false) and true", "(true or false) and true");
    check("true and (false and true)", "true and (false and true)");
    check("true or (false and true)", "true or false and true");
    check("((true))", "true");
    check("not not true", "not (not (true))");
    check("not contact.a = 1 and true", "not (contact.a = 1) and true");
}

#[test]
fn comparisons() {
    check("contact.country=\"DE\"", "contact.country = \"DE\"");
    check("contact.country == 'DE'", "contact.country = \"DE\"");
    check("Contact.a <> 1", "contact.a != 1");
    check("contact.a ≥ 1.50", "contact.a >= 1.5");
    check("trigger.cart_id = event.cart_id", "trigger.cart_id = event.cart_id");
    check("contact.a in ['x', 2, true]", "contact.a in [\"x\", 2, true]");
    check("contact.a not in \"x\"", "contact.a not in [\"x\"]");
    check("contact.a in []", "contact.a in []");
    check("contact.a contains \"x\"", "contact.a contains \"x\"");
    check("contact.a starts  with \"x\"", "contact.a starts with \"x\"");
    check("contact.a ends with \"\\u{e4}\\n\\\"\"", "contact.a ends with \"ä\\n\\\"\"");
    check("contact.a is set or contact.a is NOT set", "contact.a is set or contact.a is not set");
    check("contact.d > 2026-11-23", "contact.d > 2026-11-23");
    check("contact.d > 2026-11-23T10:00:00+01:00", "contact.d > 2026-11-23T09:00:00Z");
    check("contact.price >= 129.5 EUR AND true", "contact.price >= 129.50 EUR and true");
    check("contact.price >= 129 AND true", "contact.price >= 129 and true");
    check("contact.price > 1.005 EUR", "contact.price > 1.01 EUR");
    check("contact.price > 129.6 JPY", "contact.price > 130 JPY");
    check("contact.d <= now", "contact.d <= now");
    check("contact.d <= now-7 days", "contact.d <= now - 1 week");
    check("contact.d <= now + 1 day 2 h", "contact.d <= now + 1 day 2 h");
    check("contact.o = {\"a\": [1], 'b': {}}", "contact.o = {\"a\": [1], \"b\": {}}");
    check("contact.a = -1e3", "contact.a = -1000");
    check("constant.threshold < contact.a.b.0", "constant.threshold < contact.a.b.0");
    check(
        "contact[\"Favourite colour\"].x = contact.first-name",
        "contact[\"Favourite colour\"].x = contact.first-name",
    );
    check("contact[ 'ok' ][0] is set", "contact.ok.0 is set");
}

#[test]
fn events() {
    check("did \"Placed Order\"", "did \"Placed Order\"");
    check("did 'X' at least once ever", "did \"X\"");
    check("did \"X\" at least 1 time", "did \"X\"");
    check("did \"X\" at most 3 times since entry", "did \"X\" at most 3 times since entry");
    check(
        "did \"X\" in the last 7 days exactly twice where (event.a = 1)",
        "did \"X\" where (event.a = 1) exactly 2 times in the last 1 week",
    );
    check("did \"X\" more than 1 time within the last 1 day 2 h", "did \"X\" more than 1 time in the last 1 day 2 h");
    check("did \"X\" in the last 7 days fewer than 3 times", "did \"X\" fewer than 3 times in the last 1 week");
    check("never did \"X\" where (event.a = 1 or event.b = 2)", "never did \"X\" where (event.a = 1 or event.b = 2)");
    check("did \"X\" exactly 0 times", "never did \"X\"");
    check(
        "sum of event.amount over \"Placed Order\" in the last 30 days >= 100",
        "sum of event.amount over \"Placed Order\" in the last 30 days >= 100",
    );
    check(
        "max of event.seconds over \"V\" where (event.a is set) > 120",
        "max of event.seconds over \"V\" where (event.a is set) > 120",
    );
    check("count of \"X\" >= 3", "did \"X\" at least 3 times");
    check("count of \"X\" since entry != 3", "count of \"X\" since entry != 3");
}

#[test]
fn other_facts() {
    check("on list \"VIP\" and not in segment 'New'", "on list \"VIP\" and not (in segment \"New\")");
    check("email consent is subscribed", "email consent is subscribed");
    check("sms consent is not unsubscribed", "not (sms consent is unsubscribed)");
    check("opened \"mail-1\"", "opened \"mail-1\"");
    check(
        "clicked \"mail-1\" link \"https://x.example\" in the last 2 h",
        "clicked \"mail-1\" link \"https://x.example\" in the last 2 h",
    );
    check("opened any message since entry", "opened any message since entry");
    check("replied \"m\" or bounced \"m\"", "replied to \"m\" or bounced \"m\"");
    check(
        "unsubscribed any message or complained about \"m\"",
        "unsubscribed from any message or complained about \"m\"",
    );
    check("score \"intent\" >= 50", "score \"intent\" >= 50");
    check("score \"intent\" at least 50.5", "score \"intent\" >= 50.5");
    check("local time from 9:00 to 17:00", "local time from 09:00 to 17:00");
    check("local time from 21:00 to 08:00 on Tuesday, mon", "local time from 21:00 to 08:00 on mon, tue");
    check("local time between 09:00 and 10:00 on weekends", "local time from 09:00 to 10:00 on sat, sun");
    check("local time from 09:00 to 10:00 on no day", "local time from 09:00 to 10:00 on no day");
    check("share 20 % salt \"x\"", "share 20 % salt \"x\"");
    check("share 0.25%", "share 0.25 % salt \"\"");
}

#[test]
fn mistakes_point_and_hint() {
    check_wrong("", "\"\": A condition is missing here; For example `contact.country = \"DE\"`");
    check_wrong(
        "lifetime_value > 5",
        "\"lifetime_value\": `lifetime_value` stands alone, so it is not clear whose it is; Write `contact.lifetime_value` for a property of the contact, `trigger.lifetime_value` for one of the trigger event",
    );
    check_wrong("contcat.a = 5", "\"contcat\": `contcat` is no root of values; Did you mean `contact`?");
    check_wrong("contact.a = DE", "\"DE\": `DE` is not a value; Put texts in quotes: `\"DE\"`");
    check_wrong("contact.a => 5", "\"=>\": `=>` is no comparison; Write `>=`");
    check_wrong(
        "contact.a contians \"x\"",
        "\"contians\": A comparison is missing before `contians`; Did you mean `contains`?",
    );
    check_wrong("dd \"X\"", "\"dd\": `dd` stands alone, so it is not clear whose it is; Did you mean `did`?");
    check_wrong("did X", "\"X\": The name of the event is missing; Put names in quotes: `\"X\"`");
    check_wrong(
        "did \"X\" 3 times",
        "\"3\": It is not clear how this number counts; Write `at least 3 times` or `exactly 3 times`",
    );
    check_wrong("did \"X\" wehre (true)", "\"wehre\": `and` or `or` is missing before `wehre`; Did you mean `where`?");
    check_wrong(
        "contact.a = 1 contact.b = 2",
        "\"contact.b\": `and` or `or` is missing before `contact.b`; Join conditions with `and` or `or`",
    );
    check_wrong(
        "contact.a = 1,000",
        "\"1,\": Numbers have no thousands separators; Write `1000`, and a point before decimals",
    );
    check_wrong("contact.a = \"x", "\"\\\"\": This quote is not closed; Add the closing quote after the text");
    check_wrong("(true", "\"(\": This `(` is not closed; Add a `)` where the group ends");
    check_wrong("true)", "\")\": This `)` closes nothing; Delete it, or add a `(`");
    check_wrong(
        "5 < contact.a",
        "\"5\": A comparison begins with a value of the contact or an event; Turn it round: `contact.… = …`",
    );
    check_wrong(
        "sum of contact.a over \"X\" > 1",
        "\"contact.a\": Only values of the event can be measured; For example `sum of event.amount over \"Placed Order\"`",
    );
    check_wrong(
        "contact.a = 2026-13-40",
        "\"2026-13-40\": This is neither a date nor an instant; Write `2026-11-23` or `2026-11-23T09:00:00Z`",
    );
    check_wrong(
        "contact.a is 5",
        "\"is\": A comparison is missing before `is`; Write `=` for \"is\", `!=` for \"is not\", or `is set`",
    );
    check_wrong("contact.a = 1 && true", "\"&&\": Conditions are joined with words; Write `and` or `or`");
}

#[test]
fn reading_goes_on_after_mistakes() {
    let text = "contact.a = and (oops or did X) or contact.b = 1 and contact.c ~ 2";
    let parsed = parse(text);
    assert_eq!(parsed.errors.len(), 4, "{:#?}", parsed.errors);
    assert_eq!(parsed.condition.to_string(), "false and (false or false) or contact.b = 1 and false");
    assert_eq!(parsed.references.len(), 3);
}

#[test]
fn hostile_texts_end() {
    for text in [
        "(".repeat(60_000),
        ")".repeat(60_000),
        "not ".repeat(16_000),
        "[".repeat(60_000),
        format!("contact.a = {}", "[".repeat(60_000)),
        "contact.a = \"\\u{".repeat(4_000),
        "and ".repeat(16_000),
        "a".repeat(MAX_TEXT_LEN + 1),
        "a".repeat(MAX_TEXT_LEN),
        "contact".to_owned() + &".a".repeat(20_000),
        "did \"X\" where (".repeat(4_000),
        "\0\u{feff}\u{202e}".repeat(1_000),
    ] {
        let parsed = parse(&text);
        assert!(!parsed.errors.is_empty() && parsed.errors.len() <= MAX_ERRORS, "{:.40}", text);
        let _printed = parsed.condition.to_string();
    }
}

#[test]
fn paths_alone() {
    for (text, expected) in [
        ("event.cart_id", Ok("event.cart_id")),
        (" contact[\"Favourite colour\"].name ", Ok("contact[\"Favourite colour\"].name")),
        ("contact", Err("A name is missing after `contact`")),
        ("evnt.a", Err("A value begins with its root")),
        ("event.a b", Err("The value ends before this")),
    ] {
        let path = Path::parse(text).map(|p| p.to_string()).map_err(|e| e.message);
        assert_eq!(path, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
    }
    let path: Path = serde_json::from_str("\"event.a.0\"").expect("a path");
    assert_eq!(serde_json::to_string(&path).expect("writes"), "\"event.a.0\"");
}
