//! Pages of recipients, and what people and machines read.

use serde_json::json;

use super::stage::{KEY, MAIL, Stage};
use crate::{
    audience::{Channel, ConsentStatus, Value},
    engine::{delivery::links::Purpose, work::Busy},
};

#[test]
fn reading() {
    let stage = Stage::new();
    for path in [
        "/v1/status",
        "/v1/contacts?search=a",
        "/v1/contacts/ada",
        "/v1/held",
        "/v1/audit",
        "/v1/contacts/ada/export",
        "/v1/suppression",
        "/v1/flows/shop/migration",
    ] {
        assert_eq!(stage.get(path).status, 401, "{path} needs the token on loopback, too");
    }
    assert_eq!(stage.get_as_admin("/v1/status").json()["contacts"], json!(1));
    let found = stage.get_as_admin("/v1/contacts?search=ada%40example&limit=9").json();
    assert_eq!(found["contacts"][0]["id"], json!("ada"));
    assert_eq!(stage.get_as_admin("/v1/contacts?search=nobody").json()["contacts"], json!([]));
    assert_eq!(stage.get_as_admin("/v1/contacts/ada").json()["schema"], json!("flowloom/contact/1"));
    assert_eq!(stage.get_as_admin("/v1/contacts/eve").status, 404);
    let everything = stage.get_as_admin("/v1/contacts/ada/export").json();
    assert_eq!(everything["events"][0]["name"], json!("Viewed"));
    assert!(everything["mails"][0]["eml"].as_str().is_some_and(|mail| mail.starts_with("From: ")));
    assert_eq!(everything["codes"], json!([{"pool": "Spring", "code": "SPRING-1"}]));
    assert_eq!(everything["profile"][0]["profile"]["set"][0][0], json!("age"));
    let mail = stage.get_as_admin(&format!("/v1/mails/{KEY}"));
    assert_eq!((mail.status, mail.header("content-type")), (200, Some("message/rfc822")));
    assert_eq!(stage.get_as_admin("/v1/mails/a/b/1").status, 404);
    assert_eq!(stage.get_as_admin("/v1/mails/nonsense").status, 400);
    assert_eq!(
        stage.get_as_admin("/v1/held").json(),
        json!({
            "schema": "flowloom/held/1", "rows": [],
            "damaged": [{"contact": "eve", "why": "it is damaged", "since": "1970-01-01T00:00:00Z"}],
        })
    );
    let done = |contact: Option<&str>, what: &str| json!({"at": "1970-01-01T00:00:00Z", "contact": contact, "who": "lena", "what": what});
    let by_hand = [done(Some("ada"), "ended shop/ada/1"), done(None, "shop is paused")];
    assert_eq!(stage.get_as_admin("/v1/audit").json(), json!({"schema": "flowloom/audit/1", "rows": by_hand}));
    assert_eq!(stage.get_as_admin("/v1/audit?limit=1").json()["rows"], json!([by_hand[0]]));
    let addresses = json!({"schema": "flowloom/suppressed/1", "addresses": ["bob@example.com"]});
    assert_eq!(stage.get_as_admin("/v1/suppression").json(), addresses);
    let moves = |query: &str| stage.get_as_admin(&format!("/v1/flows/shop/migration{query}")).json()["moves"].clone();
    assert_eq!(moves(""), json!([{"from": "mail-1", "to": null, "journeys": 2}]));
    assert_eq!(moves("?map=x=y&map=mail-1%3Dmail-2")[0]["to"], json!("mail-2"));
    for (path, status) in [("shop/migration?map=x", 400), ("shop/migration?mop=x=y", 400), ("other/migration", 404)] {
        assert_eq!(stage.get_as_admin(&format!("/v1/flows/{path}")).status, status, "{path}");
    }
    *stage.store.broken.lock().expect("a flag") = true;
    assert_eq!(stage.get_as_admin("/v1/status").status, 503);
}

#[test]
fn metrics() {
    let stage = Stage::new();
    stage.post_json("/v1/events", r#"[{"id":"1","contact":"a","name":"x"},{"id":"1","contact":"a","name":"x"},{}]"#);
    let said = stage.get("/metrics");
    assert_eq!((said.status, said.header("content-type")), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    for line in [
        "flowloom_items_total{way=\"events\",status=\"accepted\"} 1\n",
        "flowloom_items_total{way=\"events\",status=\"duplicate\"} 1\n",
        "flowloom_items_total{way=\"events\",status=\"refused\"} 1\n",
        "flowloom_requests_total{class=\"2xx\"} 1\n",
    ] {
        assert!(said.text().contains(line), "{line}");
    }
}

/// Scanners follow links: looking changes nothing, the button does, once.
#[test]
fn unsubscribing() {
    let stage = Stage::new();
    let link = stage.link(Purpose::Unsubscribe, "");
    let page = stage.get(&link);
    assert_eq!((page.status, stage.num_events()), (200, 0));
    let html = page.text();
    assert!(
        html.contains("<form method=\"post\">") && html.contains("Meridian &amp; Co") && html.contains("lang=\"en\"")
    );
    assert!(!html.contains("<script"));
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));

    let form = [("content-type", "application/x-www-form-urlencoded"), ("origin", "null")];
    let post = || stage.ask("POST", &link, &form, b"List-Unsubscribe=One-Click");
    let done = post();
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.text().contains("You are unsubscribed"));
    {
        let book = stage.book.lock().expect("the book");
        let event = book.events.first().expect("committed before the answer");
        assert_eq!((event.name.as_str(), event.contact.as_str()), ("$unsubscribed", "ada"));
        assert_eq!(event.properties.get("send_key"), Some(&Value::text(KEY)));
    }
    let consent = |status| stage.store.contact.lock().expect("a contact").consent.email = status;
    // Of text messages they had enough long ago, which says nothing of mails.
    stage.store.contact.lock().expect("a contact").consent.sms = ConsentStatus::Unsubscribed;
    consent(ConsentStatus::Unsubscribed);
    assert_eq!(post().status, 200);
    assert_eq!(stage.num_events(), 1, "twice is once for the breaker");
    consent(ConsentStatus::Subscribed);
    assert_eq!(post().status, 200);
    assert_eq!(stage.num_events(), 2, "who came back and says no again is heard");
}

#[test]
fn links_that_are_not_ours() {
    let stage = Stage::new();
    let unsubscribe = stage.link(Purpose::Unsubscribe, "");
    let token = unsubscribe.trim_start_matches("/u/");
    for path in [format!("/p/{token}"), format!("/u/{}", &token[..token.len() - 1]), "/u/x".into(), "/c/%00".into()] {
        let said = stage.get(&path);
        assert_eq!(said.status, 404, "{path}");
        assert!(said.text().contains("This link does not work"));
    }
    assert_eq!(stage.ask("POST", "/u/x", &[], b"").status, 404);
    assert_eq!(stage.get("/o/x.gif").header("content-type"), Some("image/gif"), "a mail shows no broken picture");
    assert_eq!(stage.num_events(), 0);
}

/// Never "done" before it is.
#[test]
fn unsubscribing_while_the_store_cannot() {
    let stage = Stage::new();
    let link = stage.link(Purpose::Unsubscribe, "");
    stage.book.lock().expect("the book").busy = Some(Busy::Store("disk full".into()));
    *stage.store.broken.lock().expect("a flag") = true;
    let said = stage.ask("POST", &link, &[], b"");
    assert_eq!(said.status, 503);
    assert!(said.header("retry-after").is_some() && said.text().contains("Nothing was changed"));
    assert_eq!(stage.get(&link).status, 200, "the page needs no store");
}

#[test]
fn preferences() {
    let stage = Stage::new();
    let link = stage.link(Purpose::Preferences, "");
    let page = stage.get(&link).text();
    for part in
        ["name=\"channel\" value=\"email\" checked", "name=\"list\" value=\"News\" checked", "value=\"Club &lt;b&gt;\""]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("value=\"sms\""), "no phone number, no text messages");
    let post = |form: &str| stage.ask("POST", &link, &[], form.as_bytes());
    assert_eq!(
        post("channel=email&was=email:yes&shown=News&list=News&shown=Club+%3Cb%3E&list=Club+%3Cb%3E").status,
        200
    );
    assert_eq!(stage.book.lock().expect("the book").contacts.len(), 0, "nothing was changed");
    let said = post("channel=email&was=email%3Ayes&shown=News&shown=Club+%3Cb%3E&list=Club+%3Cb%3E&shown=VIP&list=VIP");
    assert!(said.text().contains("Your choice is saved") && !said.text().contains("value=\"News\""));
    {
        let book = stage.book.lock().expect("the book");
        let change = &book.contacts.first().expect("a change").change;
        assert_eq!((change.lists_remove.clone(), change.lists_add.len()), (vec!["News".into()], 0));
    }
    // No more mail: as an unsubscribe, which counts for the flow, with the rest in one commit.
    assert_eq!(post("was=email:yes&shown=News&list=News").status, 200);
    let book = stage.book.lock().expect("the book");
    let event = book.events.first().expect("an event");
    assert_eq!(event.name, "$unsubscribed");
    let change = event.change.as_ref().expect("a change");
    assert_eq!(change.consent, [(Channel::Email, ConsentStatus::Unsubscribed)]);
}

/// What a form that was sent later says of the channels: the changes, and whether they came as an unsubscribe.
#[test]
fn preferences_say_what_was_done_on_the_page() {
    use ConsentStatus::{Subscribed, Unsubscribed};
    let check =
        |message: &'static str, stands: ConsentStatus, form: &str, expected: &[(Channel, ConsentStatus)], left| {
            let stage = Stage::new();
            *stage.store.mail.lock().expect("a mail") = message;
            {
                let mut contact = stage.store.contact.lock().expect("a contact");
                contact.phone = Some("+491701234567".into());
                (contact.consent.email, contact.consent.sms) = (stands, Subscribed);
            }
            let link = stage.link(Purpose::Preferences, "");
            let said = stage.ask("POST", &link, &[], form.as_bytes());
            assert_eq!(said.status, 200, "{}", said.text());
            let book = stage.book.lock().expect("the book");
            let of_events = book.events.iter().filter_map(|event| event.change.as_ref());
            let all = of_events.chain(book.contacts.iter().map(|contact| &contact.change));
            let changes: Vec<(Channel, ConsentStatus)> = all.flat_map(|change| change.consent.clone()).collect();
            assert_eq!((changes.as_slice(), book.events.len()), (expected, left), "{form}");
        };
    let no_mails = [(Channel::Email, Unsubscribed)];
    check(MAIL, Subscribed, "was=email:yes&channel=sms&was=sms:yes", &no_mails, 1);
    // By the link of a text: its `$unsubscribed` would end texts, too.
    check("To: +491701234567\r\n\r\nHello", Subscribed, "was=email:yes&channel=sms&was=sms:yes", &no_mails, 0);
    // Unsubscribed by one click while the page was open, which still showed a tick.
    check(MAIL, Unsubscribed, "channel=email&was=email:yes&channel=sms&was=sms:yes", &[], 0);
    check(MAIL, Unsubscribed, "channel=email&was=email:no&channel=sms&was=sms:yes", &[(Channel::Email, Subscribed)], 0);
    // A page of a former build, which does not say what it showed.
    check(MAIL, Subscribed, "channel=sms", &no_mails, 1);
    check(MAIL, Unsubscribed, "channel=email&channel=sms", &[], 0);
    check(MAIL, Subscribed, "channel=email&channel=sms&shown=News&list=News", &[], 0);
    // The number was not known when the page was shown.
    check(MAIL, Subscribed, "channel=email&was=email:yes", &[], 0);
}

#[test]
fn the_mail_in_a_browser() {
    let stage = Stage::new();
    let said = stage.get(&stage.link(Purpose::View, ""));
    assert_eq!(said.status, 200);
    assert!(said.text().contains("<p>Grüße</p>"), "{}", said.text());
    assert!(said.header("content-security-policy").is_some_and(|policy| policy.contains("sandbox")));
    *stage.store.broken.lock().expect("a flag") = true;
    assert_eq!(stage.get(&stage.link(Purpose::View, "")).status, 503);
}

#[test]
fn opens_and_clicks() {
    let stage = Stage::new();
    let pixel = stage.link(Purpose::Opened, "");
    for path in [pixel.clone(), format!("{pixel}.gif")] {
        let said = stage.get(&path);
        assert_eq!((said.status, said.header("content-type")), (200, Some("image/gif")));
        assert_eq!(said.header("cache-control"), Some("no-store"));
    }
    assert_eq!(stage.num_events(), 1);
    assert_eq!(stage.ask("HEAD", &stage.link(Purpose::Clicked, "https://a.example/"), &[], b"").status, 302);
    assert_eq!(stage.num_events(), 1, "whoever only looks does not click");
    let said = stage.get(&stage.link(Purpose::Clicked, "https://a.example/?q=ü&x=1"));
    assert_eq!((said.status, said.header("location")), (302, Some("https://a.example/?q=%C3%BC&x=1")));
    let book = stage.book.lock().expect("the book");
    assert_eq!(
        book.events.last().and_then(|event| event.properties.get("link")),
        Some(&Value::text("https://a.example/?q=ü&x=1"))
    );
    drop(book);
    assert_eq!(stage.get(&stage.link(Purpose::Clicked, "javascript:alert(1)")).status, 404);
    stage.book.lock().expect("the book").busy = Some(Busy::Full { retry_after: 1 });
    assert_eq!(stage.get(&stage.link(Purpose::Clicked, "https://b.example/")).status, 302, "the reader is led on");
    assert!(stage.get("/metrics").text().contains("flowloom_lost_responses_total 1\n"));
}
