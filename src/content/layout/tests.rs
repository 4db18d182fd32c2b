//! Blocks drawn: what stands in the mail, in its text, and where faults are found.

use std::collections::BTreeMap;

use crate::{
    audience::{Channel, Contact, Currency, Event, EventLog, Value, ValueType},
    base::{Instant, Severity, Zone},
    content::{
        Block, Body, Brand, Completeness, Field, FieldSource, FieldValues, Links, Message, PreparedMessage,
        RenderedMail, ResolveContext, check_message,
    },
};

fn fields() -> Vec<Field> {
    vec![
        Field::new("first_name", ValueType::Text, FieldSource::Contact("first_name".into())).with_fallback("there"),
        Field::new("stock_left", ValueType::Number, FieldSource::Trigger("stock".into())),
        Field::new("sale_ends", ValueType::Date, FieldSource::Contact("sale_ends".into())),
        Field::new("call_at", ValueType::Instant, FieldSource::Contact("call_at".into())),
    ]
}

fn message(blocks: &str) -> Message {
    Message::from_ron(&format!("(id: \"m\", subject: \"Hello {{first_name}}\", body: blocks([{blocks}]))"))
        .unwrap_or_else(|e| panic!("{e}\n{blocks}"))
}

fn values(contact: &str, trigger: &str, now: &str) -> FieldValues {
    let object = |json: &str| match serde_json::from_str(json) {
        Ok(Value::Object(map)) => map,
        other => panic!("{other:?}"),
    };
    let mut ada = Contact::new("ada");
    ada.properties = object(contact);
    let now = Instant::parse(now).expect("instant");
    let event = Event {
        id: "1".into(),
        contact: "ada".into(),
        name: "Cart".into(),
        happened: now,
        accepted: now,
        properties: object(trigger),
    };
    FieldValues::resolve(
        &fields(),
        &ResolveContext {
            now,
            zone: &Zone::named("Europe/Berlin").expect("zone"),
            contact: &ada,
            log: &EventLog::default(),
            trigger: Some(&event),
            constants: &BTreeMap::new(),
            codes: &BTreeMap::new(),
            links: &Links::placeholders(),
            currency: Currency::parse("EUR"),
        },
    )
}

fn render(blocks: &str, contact: &str, trigger: &str, now: &str) -> RenderedMail {
    let message = message(blocks);
    let prepared = PreparedMessage::new(&message, &message.variants[0], &fields(), &brand())
        .unwrap_or_else(|e| panic!("{blocks}\n{e:#?}"));
    let values = values(contact, trigger, now);
    let mail = prepared.render(&values).unwrap_or_else(|e| panic!("{blocks}\n{e:?}"));
    for gone in ["fLtG", "{{", "{%", "<mj-"] {
        assert!(!mail.html.contains(gone) && !mail.text.contains(gone), "{gone}\n{}\n{}", mail.html, mail.text);
    }
    assert!(mail.missing.is_empty(), "{:?}", mail.missing);
    mail
}

fn brand() -> Brand {
    Brand {
        name: "Meridian & Sons".into(),
        website: "https://meridian.example".into(),
        address: "12 Quay Street, 20457 Hamburg".into(),
        images: "https://cdn.example/mail".into(),
        ..Brand::of_theme("editorial")
    }
}

/// The plain text of one block; `-` where there is none.
#[track_caller]
fn check(block: &str, contact: &str, trigger: &str, now: &str, expected: &str) {
    let mail = render(block, contact, trigger, now);
    let text = if mail.text.trim().is_empty() { "-" } else { mail.text.trim() };
    assert_eq!(text, expected, "{block}");
}

const FRIDAY: &str = "2026-11-27T11:30:00Z";

#[test]
fn deadlines_stay_true() {
    let at = |until: &str| format!("countdown(until: {until}, label: \"Ends\", ended: \"Over\")");
    check(&at("midnight"), "{}", "{}", FRIDAY, "Ends: Friday, 27 November, 24:00");
    // Already Saturday in Berlin.
    check(&at("midnight"), "{}", "{}", "2026-11-27T23:30:00Z", "Ends: Saturday, 28 November, 24:00");
    check(&at("at(\"2026-11-27 18:00\")"), "{}", "{}", FRIDAY, "Ends: Friday, 27 November, 18:00");
    check(&at("at(\"2026-11-27 18:00\")"), "{}", "{}", "2026-11-27T17:00:00Z", "Over");
    // One instant, on the contact's wall.
    check(&at("at(\"2026-11-27T18:00:00Z\")"), "{}", "{}", FRIDAY, "Ends: Friday, 27 November, 19:00");
    check(&at("at(\"2026-11-27\")"), "{}", "{}", FRIDAY, "Ends: Friday, 27 November");
    check(&at("at(\"2026-11-26\")"), "{}", "{}", FRIDAY, "Over");
    check("countdown(until: at(\"2026-11-26\"))", "{}", "{}", FRIDAY, "-");
    let with = r#"{"sale_ends": "2026-12-01", "call_at": "2026-11-27T18:00:00Z"}"#;
    check(&at("field(\"sale_ends\")"), with, "{}", FRIDAY, "Ends: Tuesday, 1 December");
    check(&at("field(\"call_at\")"), with, "{}", FRIDAY, "Ends: Friday, 27 November, 19:00");
    check(&at("field(\"call_at\")"), with, "{}", "2026-11-28T11:30:00Z", "Over");
    // Nobody is kept from a mail by a date that is not there.
    check(&at("field(\"sale_ends\")"), "{}", "{}", FRIDAY, "-");
    check("countdown(until: midnight, on: false)", "{}", "{}", FRIDAY, "-");
    let mail = render("countdown(until: midnight, picture: \"timer.gif\")", "{}", "{}", FRIDAY);
    assert!(mail.html.contains("https://cdn.example/mail/timer.gif") && mail.html.contains("24:00"), "{}", mail.html);
}

#[test]
fn pieces_left_in_words() {
    let block = r#"stock(field: "stock_left", levels: [(at_most: 10, text: "Selling fast"), (at_most: 3, text: "Only {stock_left} left")], sold_out: "Back soon")"#;
    for (trigger, expected) in [
        (r#"{"stock": 2}"#, "Only 2 left"),
        (r#"{"stock": 3}"#, "Only 3 left"),
        (r#"{"stock": 4}"#, "Selling fast"),
        (r#"{"stock": 11}"#, "-"),
        (r#"{"stock": 0}"#, "Back soon"),
        ("{}", "-"),
    ] {
        check(block, "{}", trigger, FRIDAY, expected);
    }
}

#[test]
fn delivery_in_working_days() {
    check(
        r#"delivery(cut_off: "14:00")"#,
        "{}",
        "{}",
        FRIDAY,
        "Order now and it arrives between Tue 1 and Thu 3 December",
    );
    check(
        r#"delivery(from: 1, to: 2, cut_off: "12:00", zone: "Europe/London", text: "{first}, {last}")"#,
        "{}",
        "{}",
        FRIDAY,
        "Mon 30 November, Tue 1 December",
    );
    // Half past one in Berlin is after noon there.
    check(r#"delivery(from: 1, to: 1, cut_off: "12:00", text: "On {first}")"#, "{}", "{}", FRIDAY, "On Tue 1 December");
    check(r#"delivery(from: 1, to: 1, text: "On {last}")"#, "{}", "{}", FRIDAY, "On Mon 30 November");
}

#[test]
fn ways_to_go_on() {
    check(
        r#"video(poster: "demo.jpg", href: "https://x.example/v", alt: "The demo")"#,
        "{}",
        "{}",
        FRIDAY,
        "Watch the video (https://x.example/v)",
    );
    check(
        r#"chat(href: "https://x.example/chat", note: "Every day, 9 to 21")"#,
        "{}",
        "{}",
        FRIDAY,
        "Chat with us (https://x.example/chat)\nEvery day, 9 to 21",
    );
    check(
        r#"social(links: [(network: instagram, href: "https://x.example/i"), (network: website, href: "https://x.example", label: "Our shop")])"#,
        "{}",
        "{}",
        FRIDAY,
        "Instagram: https://x.example/i\nOur shop: https://x.example",
    );
    let mail = render(r#"sms_opt_in(number: "+49 170 1234567", keyword: "MORE TEA")"#, "{}", "{}", FRIDAY);
    assert!(mail.html.contains("href=\"sms:+491701234567?&amp;body=MORE%20TEA\""), "{}", mail.html);
    assert!(mail.text.contains("Text MORE TEA to +49 170 1234567") && mail.text.contains("STOP"), "{}", mail.text);
    let mail =
        render(r#"video(poster: "demo.jpg", href: "https://x.example/v", alt: "A \"demo\"")"#, "{}", "{}", FRIDAY);
    for part in
        ["background=\"https://cdn.example/mail/demo.jpg\"", "<!--[if mso]><a href", "title=\"A &quot;demo&quot;\""]
    {
        assert!(mail.html.contains(part), "{part}\n{}", mail.html);
    }
}

#[test]
fn columns_hold_blocks() {
    let block = r#"columns(columns: [
        (width: 40, blocks: [image(src: "a.png", alt: "A"), text(text: "Left {first_name}")]),
        (blocks: [heading(text: "Right", level: 3, show_if: "stock_left and stock_left < 3"), button(text: "Go", href: "https://x.example", on_phone: wide)]),
    ], show_if: "first_name", on_phone: hide), text(text: "Below")"#;
    check(
        block,
        r#"{"first_name": "Ada"}"#,
        r#"{"stock": 1}"#,
        FRIDAY,
        "[A]\n\nLeft Ada\n\nRight\n\nGo (https://x.example)\n\nBelow",
    );
    check(block, "{}", "{}", FRIDAY, "Below");
    let mail = render(block, r#"{"first_name": "Ada"}"#, "{}", FRIDAY);
    for part in ["mj-column-per-40", "mj-column-per-60", "fl-hide", "fl-b fl-wide", "fl-stack"] {
        assert!(mail.html.contains(part), "{part}\n{}", mail.html);
    }
    assert!(!mail.text.contains("Right"), "{}", mail.text);
    let side_by_side = block.replace("show_if: \"first_name\"", "stack: false");
    assert!(!render(&side_by_side, "{}", "{}", FRIDAY).html.contains("class=\"fl-stack"));
}

#[track_caller]
fn check_fault(blocks: &str, expected: &str) {
    let found = check_message(&message(blocks), &fields(), &brand(), None);
    let fault = found.iter().find(|d| d.severity == Severity::Error).unwrap_or_else(|| panic!("{blocks}\n{found:#?}"));
    assert_eq!(format!("{} {}", fault.code, fault.place.field.as_deref().unwrap_or("")), expected, "{fault:#?}");
    assert!(!fault.hint.is_empty(), "{fault:?}");
}

#[test]
fn faults_are_found_at_their_places() {
    check_fault("countdown(until: at(\"soon\"))", "mail/deadline body.0.until");
    check_fault("countdown(until: field(\"nope\"))", "template/unknown-field body.0.until");
    check_fault("countdown(until: field(\"first_name\"))", "template/type-mismatch body.0.until");
    check_fault("stock(field: \"first_name\", levels: [])", "template/type-mismatch body.0.field");
    check_fault("stock(field: \"stock_left\", levels: [])", "mail/no-levels body.0.levels");
    check_fault(
        "stock(field: \"stock_left\", levels: [(at_most: 2, text: \"{{ nope }}\")])",
        "template/unknown-field body.0.levels.0.text",
    );
    check_fault("delivery(to: 90)", "mail/delivery-days body.0.to");
    check_fault("delivery(zone: \"Nowhere/Town\")", "mail/delivery-zone body.0.zone");
    check_fault("sms_opt_in(number: \"call me\")", "mail/sms-number body.0.number");
    check_fault("social(links: [])", "mail/no-links body.0.links");
    check_fault("columns(columns: [(blocks: [])])", "mail/columns body.0.columns");
    check_fault("columns(columns: [(width: 80), (width: 80)])", "mail/columns body.0.columns");
    check_fault(
        "columns(columns: [(blocks: []), (blocks: [footer()])])",
        "mail/block-in-column body.0.columns.1.blocks.0",
    );
    check_fault(
        "columns(columns: [(blocks: []), (blocks: [divider(), text(text: \"{{ nope }}\")])])",
        "template/unknown-field body.0.columns.1.blocks.1.text",
    );
    check_fault("columns(columns: [(blocks: [warp(x: 1)]), ()])", "mail/unknown-block body.0.columns.0.blocks.0");
}

/// A body with one text of MJML in it: where the fault is found, and the part of the text that is marked.
#[track_caller]
fn check_mjml(body: &dyn Fn(&str) -> String, mjml: &str, field: &str, marked: &str) {
    let quoted = ron::to_string(mjml).unwrap_or_else(|e| panic!("{e}"));
    let message = Message::from_ron(&format!("(id: \"m\", subject: \"Hello\", body: {})", body(&quoted)))
        .unwrap_or_else(|e| panic!("{e}\n{mjml}"));
    let found = check_message(&message, &fields(), &brand(), None);
    let fault = found.iter().find(|d| d.code == "mail/mjml").unwrap_or_else(|| panic!("{mjml}\n{found:#?}"));
    let range = fault.place.range.unwrap_or_else(|| panic!("{fault:#?}"));
    assert_eq!((fault.place.field.as_deref(), range.slice(mjml)), (Some(field), marked), "{fault:#?}");
    assert!(!fault.hint.is_empty() || fault.severity == Severity::Warning, "{fault:?}");
}

#[test]
fn faults_of_mjml_are_marked_in_the_text_as_written() {
    let source = |mjml: &str| format!("mjml({mjml})");
    let in_source = |inside: &str| {
        format!("<mjml><mj-body>\r\n<mj-section><mj-column>{inside}</mj-column></mj-section></mj-body></mjml>")
    };
    check_mjml(&source, &in_source("{first_name} ü\r\n<mj-text>{{ stock_left }}<b>x</mj-text>"), "body", "<b");
    check_mjml(&source, &in_source("<mj-text>{first_name}</mj-text><mj-wat>{first_name}</mj-wat>"), "body", "<mj-wat");
    let block = |mjml: &str| format!("blocks([divider(), mjml(mjml: {mjml})])");
    check_mjml(&block, "<mj-text>{first_name}</mj-text>\r\n<mj-image src=x />", "body.1.mjml", "src=x /");
    let column = |mjml: &str| format!("blocks([columns(columns: [(), (blocks: [mjml(mjml: {mjml})])])])");
    check_mjml(&column, "<mj-text>{first_name}<p>ü</mj-text>", "body.0.columns.1.blocks.0.mjml", "<p");
}

const ALL: &str = r#"
    heading(text: "New in the workshop, {first_name}"),
    countdown(until: at("2026-11-27 18:00")),
    video(poster: "demo.jpg", href: "https://x.example/v", alt: "The film"),
    columns(columns: [
        (blocks: [heading(text: "Made by hand", level: 3), text(text: "Every piece passes one pair of hands.")]),
        (blocks: [heading(text: "Made to last", level: 3), text(text: "Ten years of warranty on all of it.")]),
    ]),
    stock(field: "stock_left", levels: [(at_most: 3, text: "Only {stock_left} left"), (at_most: 9, text: "Selling fast")]),
    button(text: "Take a look", href: "https://x.example", on_phone: wide),
    delivery(cut_off: "14:00"),
    code(code: "TIME15", label: "15 % off"),
    divider(),
    chat(href: "https://x.example/chat", note: "Every day, 9 to 21"),
    sms_opt_in(number: "+49 170 1234567"),
    social(links: [(network: instagram, href: "https://x.example/i"), (network: facebook, href: "https://x.example/f"), (network: youtube, href: "https://x.example/y")]),
    footer(text: "You allowed us to write.")"#;

#[test]
fn a_mail_of_all_blocks() {
    let mail = render(ALL, r#"{"first_name": "Ada"}"#, r#"{"stock": 2}"#, FRIDAY);
    assert_eq!(mail.completeness(), Completeness::Complete);
    for part in [
        "name=\"color-scheme\" content=\"light dark\"",
        "@media (prefers-color-scheme:dark)",
        "[data-ogsc] .fl-t",
        "[data-ogsb] .fl-surface",
        &brand().dark.surface,
    ] {
        assert!(mail.html.contains(part), "{part}\n{}", mail.html);
    }
    assert!(mail.html.len() < 60_000, "{}", mail.html.len());
    if let Ok(folder) = std::env::var("FLOWLOOM_SHOW") {
        for theme in crate::content::THEMES {
            let themed = Brand { name: "Meridian".into(), address: "12 Quay Street".into(), ..Brand::of_theme(theme) };
            let message = message(ALL);
            let prepared = PreparedMessage::new(&message, &message.variants[0], &fields(), &themed).expect("prepares");
            let mail = prepared.render(&FieldValues::samples(&fields(), &themed)).expect("renders");
            std::fs::write(format!("{folder}/blocks-{theme}.html"), &mail.html).expect("writes");
        }
    }
}

#[test]
fn every_block_survives_and_says_its_name() {
    let message = message(ALL);
    let Body::Blocks(blocks) = &message.variants[0].body else { panic!("blocks") };
    for block in blocks.iter().flat_map(|block| std::iter::once(block).chain(block.inner())) {
        assert!(!matches!(block, Block::Unknown(_)), "{block:?}");
    }
    let written = message.to_ron().expect("writes");
    assert_eq!(Message::from_ron(&written).ok().as_ref(), Some(&message), "{written}");
    let json = serde_json::to_string(&message).expect("writes JSON");
    assert_eq!(serde_json::from_str::<Message>(&json).expect("reads JSON"), message, "{json}");
    // What a later version may put into a column stays as it is.
    let odd = r#"columns(columns: [(blocks: [warp(x: 1, /* kept */ y: ["z"])]), (width: 30)])"#;
    let block = Block::from_ron(odd);
    assert!(matches!(block.inner().next(), Some(Block::Unknown(u)) if u.raw.contains("kept")), "{block:?}");
    let written = Message {
        variants: vec![crate::content::Variant { body: Body::Blocks(vec![block]), ..Default::default() }],
        ..Message::new("m", Channel::Email)
    };
    assert!(written.to_ron().expect("writes").contains(r#"warp(x: 1, /* kept */ y: ["z"])"#));
}

#[test]
fn the_dark_has_a_logo_of_its_own() {
    let draw = |brand: &Brand| {
        let message = message("text(text: \"Hello\")");
        let prepared = PreparedMessage::new(&message, &message.variants[0], &fields(), brand).expect("prepares");
        prepared.render(&FieldValues::samples(&fields(), brand)).expect("renders").html
    };
    let one = Brand { logo: "logo.png".into(), ..brand() };
    let html = draw(&one);
    assert!(!html.contains("fl-logo"), "a mail with one logo says nothing of two");
    let both = Brand { logo_dark: "night/logo.png".into(), ..one };
    let html = draw(&both);
    for part in [
        "src=\"https://cdn.example/mail/logo.png\"",
        "src=\"https://cdn.example/mail/night/logo.png\" alt=\"Meridian &amp; Sons\"",
        "class=\"fl-logo-dark\" align=\"center\" style=\"display:none;",
        "<!--[if !mso]><!--",
        ".fl-logo{display:none!important;}",
        ".fl-logo-dark{display:table-cell!important;}",
        "[data-ogsc] .fl-logo-dark{display:table-cell!important;}",
    ] {
        assert!(html.contains(part), "{part}\n{html}");
    }
    // Without a logo there is no other.
    assert!(!draw(&Brand { logo: String::new(), ..both }).contains("fl-logo"));
}

/// Deadlines and deliveries speak the language of their variant, the brand's where it names none.
#[test]
fn dates_speak_the_language_of_the_mail() {
    let blocks = r#"countdown(until: midnight, label: ""), countdown(until: at("2026-12-24 18:00"), label: ""),
        countdown(until: field("call_at"), label: ""), delivery(from: 2, to: 4, text: "{first} / {last}"), delivery(from: 8, to: 8, text: "{last}")"#;
    let check = |variant: &str, brand_language: &str, expected: &[&str]| {
        let message = Message::from_ron(&format!(
            "(id: \"m\", variants: [(id: \"a\", {variant} subject: \"Hi\", body: blocks([{blocks}]))])"
        ))
        .expect("reads");
        let brand = Brand { language: brand_language.into(), ..brand() };
        let prepared = PreparedMessage::new(&message, &message.variants[0], &fields(), &brand)
            .unwrap_or_else(|e| panic!("{e:#?}"));
        let mail = prepared.render(&values(r#"{"call_at": "2026-11-27T18:00:00Z"}"#, "{}", FRIDAY)).expect("renders");
        let lines: Vec<&str> = mail.text.lines().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(lines, expected, "{variant} {brand_language}");
        for line in expected {
            assert!(mail.html.contains(line), "{line}\n{}", mail.html);
        }
    };
    let english = [
        "Friday, 27 November, 24:00",
        "Thursday, 24 December, 18:00",
        "Friday, 27 November, 19:00",
        "Tue 1 / Thu 3 December",
        "Wed 9 December",
    ];
    check("", "en", &english);
    check("", "ja", &english);
    check("language: \"en\",", "de", &english);
    let german = [
        "Freitag, 27. November, 24:00",
        "Donnerstag, 24. Dezember, 18:00",
        "Freitag, 27. November, 19:00",
        "Di., 1. / Do., 3. Dezember",
        "Mi., 9. Dezember",
    ];
    check("", "de", &german);
    check("language: \"de-AT\",", "en", &german);
    let finnish = [
        "perjantai 27. marraskuuta, 24.00",
        "torstai 24. joulukuuta, 18.00",
        "perjantai 27. marraskuuta, 19.00",
        "ti 1. / to 3. joulukuuta",
        "ke 9. joulukuuta",
    ];
    check("language: \"fi\",", "en", &finnish);
}
