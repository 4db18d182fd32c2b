//! The loaders on small files: what is read, what is named as a fault, and what any bytes do.

use std::io::BufReader;

use proptest::prelude::*;

use super::*;

fn sources<'a>(
    contacts: (&str, &'a [u8]),
    events: (&str, &'a [u8]),
    responses: (&str, &'a [u8]),
) -> AudienceSources<'a> {
    let source = |(name, bytes): (&str, &'a [u8])| (!name.is_empty()).then(|| Source::new(name, bytes));
    AudienceSources { contacts: source(contacts), events: source(events), responses: source(responses), mapping: None }
}

fn messages(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(|d| format!("{} {}: {}", d.severity, d.code, d.message)).collect()
}

/// Contacts as JSON Lines, then the findings.
fn check_contacts(name: &str, input: &str, expected: &[&str]) {
    let (audience, diagnostics) = Audience::load(sources((name, input.as_bytes()), ("", b""), ("", b"")));
    let mut shown: Vec<String> = contacts_to_jsonl(&audience.contacts).lines().map(str::to_owned).collect();
    shown.extend(messages(&diagnostics));
    assert_eq!(shown, expected, "{input}");
}

/// Events of the contacts `ada` and `bo`, then the findings.
fn check_events(name: &str, input: &str, expected: &[&str]) {
    let contacts = b"{\"id\":\"ada\",\"email\":\"Ada@example.com\"}\n{\"id\":\"bo\"}\n";
    let (audience, diagnostics) = Audience::load(sources(("c.jsonl", contacts), (name, input.as_bytes()), ("", b"")));
    let mut shown: Vec<String> = events_to_jsonl(&audience.events).lines().map(str::to_owned).collect();
    shown.extend(messages(&diagnostics));
    assert_eq!(shown, expected, "{input}");
}

const NO_CONSENT: &str = r#""consent":{"email":"unknown","sms":"unknown"}"#;

#[test]
fn contacts_in_json_lines() {
    check_contacts(
        "c.jsonl",
        "\u{feff}{\"id\":\"bo\",\"shoe\":42}\r\n\n{\"id\":7,\"email\":\"ada@example.com\",\"phone\":\"+49 30 123456\",\"zone\":\"europe/berlin\",\
         \"language\":\"de_AT\",\"created_at\":\"2026-01-02\",\"consent\":{\"email\":\"subscribed\",\"sms\":false},\
         \"lists\":[\"vip\",\"news\"],\"properties\":{\"first_name\":\"Ada\",\"value\":{\"amount\":12.5,\"currency\":\"eur\"},\"none\":null}}",
        &[
            r#"{"id":"7","email":"ada@example.com","phone":"+4930123456","zone":"Europe/Berlin","language":"de-AT","created_at":"2026-01-02T00:00:00Z","consent":{"email":"subscribed","sms":"unsubscribed"},"lists":["news","vip"],"properties":{"first_name":"Ada","value":{"amount":12.5,"currency":"EUR"}}}"#,
            &format!(r#"{{"id":"bo",{NO_CONSENT},"properties":{{"shoe":42}}}}"#),
        ],
    );
}

#[test]
fn bad_json_lines_name_line_and_column() {
    check_contacts(
        "c.jsonl",
        "{\"id\":\"a\"}\n{\"id\":\"ü\" 1}\n[1]\n{\"id\":[]}\n{\"emial\":\"a@b.c\",\"id\":\"b\"}\n{\"id\":\"a\"}\n{\"x\":1}\n{\"id\":\"c",
        &[
            &format!(r#"{{"id":"a",{NO_CONSENT}}}"#),
            &format!(r#"{{"id":"b",{NO_CONSENT},"properties":{{"emial":"a@b.c"}}}}"#),
            "error audience/bad-json: c.jsonl, line 2, column 11: not valid JSON: expected `,` or `}`; the line is left out",
            "error audience/not-an-object: c.jsonl, line 3, column 1: the line holds a list, not an object",
            "error audience/wrong-type: c.jsonl, line 4, column 2: `id` must be a text, not a list",
            "warning audience/unknown-key: c.jsonl, line 5: the key `emial` is not one of ours (1 line)",
            "error audience/duplicate-contact: c.jsonl, line 6: the contact `a` was on line 1 already; the first one is kept",
            "error audience/missing-value: c.jsonl, line 7: `id` is missing; the line is left out",
            "error audience/bad-json: c.jsonl, line 8, column 8: the file ends in the middle of this line",
        ],
    );
}

#[test]
fn fields_that_cannot_be_taken_leave_the_contact() {
    check_contacts(
        "c.jsonl",
        r#"{"id":"a","email":"nobody","zone":"Mars/X","consent":{"email":"perhaps","fax":"yes"},"lists":5}"#,
        &[
            &format!(r#"{{"id":"a",{NO_CONSENT}}}"#),
            "warning audience/bad-email: c.jsonl, line 1, column 11: `nobody` is not an e-mail address and is left out",
            "warning audience/unknown-zone: c.jsonl, line 1, column 28: `Mars/X` is not a time zone and is left out",
            "warning audience/unknown-consent: c.jsonl, line 1, column 44: `perhaps` says nothing about consent; it counts as unknown",
            "warning audience/unknown-consent: c.jsonl, line 1, column 44: `fax` is not a channel",
            "error audience/wrong-type: c.jsonl, line 1, column 86: `lists` must be a list of texts, not a number",
        ],
    );
}

/// One person, however the address is written: the engine derives the same id.
#[test]
fn an_address_stands_in_in_small_letters() {
    let expected = [
        format!(r#"{{"id":"ada@example.com","email":"Ada@Example.COM",{NO_CONSENT}}}"#),
        "error audience/duplicate-contact: FILE, line 3: the contact `ada@example.com` was on line 2 already; the first \
         one is kept"
            .to_owned(),
    ];
    for (name, input) in [
        ("c.jsonl", "\n{\"email\":\"Ada@Example.COM\"}\n{\"email\":\"ada@example.com\"}\n"),
        ("c.csv", "email\nAda@Example.COM\nada@example.com\n"),
    ] {
        let expected = expected.each_ref().map(|line| line.replace("FILE", name));
        check_contacts(name, input, &expected.each_ref().map(String::as_str));
    }
}

#[test]
fn other_layouts_are_told_apart() {
    check_contacts(
        "c.json",
        "[{\"id\":\"a\"}]",
        &["error audience/not-json-lines: c.json, line 1: the file is a JSON array"],
    );
    check_contacts(
        "c.json",
        "{\n \"id\": \"a\"\n}\n",
        &["error audience/not-json-lines: c.json, line 1: the objects are spread over several lines"],
    );
    check_contacts("no-end", "{\"id\":\"a\"}", &[&format!(r#"{{"id":"a",{NO_CONSENT}}}"#)]);
    check_contacts("no-end", "id\na\n", &[&format!(r#"{{"id":"a",{NO_CONSENT}}}"#)]);
    check_contacts(
        "c.csv",
        "PK\u{3}\u{4}xx",
        &["error audience/not-text: c.csv: the file is a ZIP archive or a spreadsheet workbook, not text"],
    );
    check_contacts("c.csv", "", &[]);
    check_contacts("c.jsonl", "\u{feff}", &[]);
}

#[test]
fn deep_nesting_and_long_lines_are_refused() {
    let deep = format!("{{\"id\":\"a\",\"x\":{}", "[".repeat(100_000));
    let (audience, diagnostics) = Audience::load(sources(("c.jsonl", deep.as_bytes()), ("", b""), ("", b"")));
    assert!(audience.contacts.is_empty());
    assert_eq!(diagnostics[0].code, "audience/too-deep");

    let mut long = b"{\"id\":\"a\"}\n{\"id\":\"".to_vec();
    long.extend(std::iter::repeat_n(b'x', 2 << 20));
    long.extend(b"\"}\n{\"id\":\"b\"}\n");
    let (audience, diagnostics) = Audience::load(sources(("c.jsonl", &long), ("", b""), ("", b"")));
    assert_eq!(audience.contacts.len(), 2);
    assert_eq!(
        messages(&diagnostics),
        ["error audience/line-too-long: c.jsonl, line 2: the line is longer than 1 MB and is left out"]
    );
}

#[test]
fn only_fifty_findings_of_a_severity() {
    let input = "{}\n".to_owned() + &"x\n".repeat(60);
    let (_, diagnostics) = Audience::load(sources(("c.jsonl", input.as_bytes()), ("", b""), ("", b"")));
    assert_eq!(diagnostics.len(), 51);
    assert_eq!(diagnostics[50].message, "c.jsonl: and 11 more errors");
}

#[test]
fn a_reader_that_fails_is_reported() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    for name in ["c.csv", "c.jsonl", "c"] {
        let sources =
            AudienceSources { contacts: Some(Source::new(name, BufReader::new(Broken))), ..AudienceSources::default() };
        let (_, diagnostics) = Audience::load(sources);
        assert!(diagnostics[0].message.ends_with("the file could not be read on: the disk is gone"), "{diagnostics:?}");
    }
}

#[test]
fn klaviyo_contacts() {
    check_contacts(
        "c.csv",
        "Email,Klaviyo ID,First Name,Phone Number,Email Marketing Consent,SMS Marketing Consent,Email Suppressions,Date Added,State / Region\n\
         ada@example.com,01HX,Ada,'+15417543000,SUBSCRIBED,NEVER_SUBSCRIBED,[],2024-03-05 14:22:11,\n\
         bo@example.com,01HY,\"O'Neill, \"\"Bo\"\"\",,SUBSCRIBED,SUBSCRIBED,USER_SUPPRESSED,2024-03-05 14:22:11+00:00,Wien\n",
        &[
            r#"{"id":"01HX","email":"ada@example.com","phone":"+15417543000","created_at":"2024-03-05T14:22:11Z","consent":{"email":"subscribed","sms":"unknown"},"properties":{"first_name":"Ada"}}"#,
            r#"{"id":"01HY","email":"bo@example.com","created_at":"2024-03-05T14:22:11Z","consent":{"email":"unsubscribed","sms":"subscribed"},"properties":{"first_name":"O'Neill, \"Bo\"","region":"Wien"}}"#,
        ],
    );
}

#[test]
fn hubspot_contacts() {
    check_contacts(
        "c.csv",
        "\u{feff}\"Record ID\",\"First Name\",\"Email\",\"Create Date\",\"Marketing contact status\",\"Unsubscribed from all email\",\"Lifecycle Stage\",\"Time Zone\"\r\n\
         \"101\",\"Ada\",\"ada@example.com\",\"2026-01-02 09:15\",\"Marketing contact\",\"\",\"Customer\",\"america_slash_new_york\"\r\n\
         \"102\",\"Bo\",\"bo@example.com\",\"2026-01-02 09:15\",\"Marketing contact\",\"true\",\"Lead\",\"\"\r\n",
        &[
            r#"{"id":"101","email":"ada@example.com","zone":"America/New_York","created_at":"2026-01-02T09:15:00Z","consent":{"email":"subscribed","sms":"unknown"},"properties":{"first_name":"Ada","lifecycle_stage":"Customer"}}"#,
            r#"{"id":"102","email":"bo@example.com","created_at":"2026-01-02T09:15:00Z","consent":{"email":"unsubscribed","sms":"unknown"},"properties":{"first_name":"Bo","lifecycle_stage":"Lead"}}"#,
        ],
    );
}

#[test]
fn shopify_contacts() {
    check_contacts(
        "c.csv",
        "Customer ID,First Name,Email,Accepts Email Marketing,Default Address Zip,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Tags\n\
         '7001,Ada,ada@example.com,yes,'01067,'+49301234567,no,1290.50,3,\"VIP, newsletter\"\n",
        &[
            r#"{"id":"7001","email":"ada@example.com","phone":"+49301234567","consent":{"email":"subscribed","sms":"unsubscribed"},"lists":["VIP","newsletter"],"properties":{"default_address_zip":"'01067","first_name":"Ada","total_orders":3,"total_spent":1290.5}}"#,
        ],
    );
}

#[test]
fn our_own_contacts_in_any_order_with_semicolons() {
    check_contacts(
        "c.csv",
        "lifetime_value;vip;zone;id;consent_email;lists;born\n12,50;yes;Pacific/Apia;a;subscribed;x|y;2001-02-03\n7;no;;b;;;\n",
        &[
            r#"{"id":"a","zone":"Pacific/Apia","consent":{"email":"subscribed","sms":"unknown"},"lists":["x","y"],"properties":{"born":"2001-02-03","lifetime_value":12.5,"vip":true}}"#,
            &format!(r#"{{"id":"b",{NO_CONSENT},"properties":{{"lifetime_value":7,"vip":false}}}}"#),
        ],
    );
}

#[test]
fn formulas_stay_text_and_are_said_once() {
    check_contacts(
        "c.csv",
        "id,note\na,=1+1\nb,@x\nc,-3\n",
        &[
            &format!(r#"{{"id":"a",{NO_CONSENT},"properties":{{"note":"=1+1"}}}}"#),
            &format!(r#"{{"id":"b",{NO_CONSENT},"properties":{{"note":"@x"}}}}"#),
            &format!(r#"{{"id":"c",{NO_CONSENT},"properties":{{"note":"-3"}}}}"#),
            "hint audience/suspicious-cell: c.csv, line 2, column 2 `note`: 2 cells begin like a formula (first here: `=1+1`), kept as text exactly",
        ],
    );
}

#[test]
fn cells_after_the_guessed_rows_may_not_fit() {
    let mut input = "id,n\n".to_owned();
    for n in 0..210 {
        input += &format!("c{n},{}\n", if n < 205 { "1" } else { "many" });
    }
    let (audience, diagnostics) = Audience::load(sources(("c.csv", input.as_bytes()), ("", b""), ("", b"")));
    assert_eq!(audience.contacts.len(), 210);
    assert_eq!(
        messages(&diagnostics),
        [
            "warning audience/wrong-type: c.csv, line 207, column 2 `n`: 5 cells are not read as number (first here: `many`), kept as text"
        ]
    );
}

#[test]
fn a_file_without_what_it_needs() {
    check_contacts(
        "c.csv",
        "name,city\nAda,Wien\n",
        &[
            "error audience/missing-column: c.csv, line 1: the contacts have no column for id, e-mail address or phone number",
        ],
    );
    check_events(
        "e.csv",
        "contact,metrik,happened\nada,x,2026-10-01\n",
        &["error audience/missing-column: e.csv, line 1: the events have no column for name"],
    );
    check_contacts(
        "c.csv",
        "id,city\n,Wien\n",
        &[
            "error audience/no-id: c.csv, line 2: the contact has neither id nor e-mail address nor phone number; it is left out",
        ],
    );
}

#[test]
fn events_in_both_formats_are_the_same() {
    let expected = [
        r#"{"id":"e2","contact":"ada","name":"Viewed Product","happened":"2026-10-01T10:00:00Z","properties":{"price":12.5,"product_name":"Watch"}}"#,
        r#"{"id":"e1","contact":"bo","name":"Placed Order","happened":"2026-10-01T09:00:00Z","accepted":"2026-10-01T20:00:00Z","properties":{"order_id":"0012"}}"#,
    ];
    check_events(
        "e.jsonl",
        "{\"id\":\"e1\",\"contact\":\"bo\",\"name\":\"Placed Order\",\"happened\":\"2026-10-01T09:00:00Z\",\"accepted\":\"2026-10-01T20:00:00Z\",\"properties\":{\"order_id\":\"0012\"}}\n\
         {\"id\":\"e2\",\"contact\":\"ADA@example.com\",\"name\":\"Viewed Product\",\"happened\":\"2026-10-01T12:00:00+02:00\",\"product_name\":\"Watch\",\"properties\":{\"price\":12.5}}\n",
        &expected,
    );
    check_events(
        "e.csv",
        "id,contact,name,happened,accepted,order_id,price,product_name\n\
         e1,bo,Placed Order,2026-10-01T09:00:00Z,2026-10-01T20:00:00Z,0012,,\n\
         e2,ada,Viewed Product,2026-10-01T12:00:00+02:00,,,12.5,Watch\n",
        &expected,
    );
    check_events(
        "e.csv",
        "id,contact,name,happened,accepted,properties\n\
         e1,bo,Placed Order,2026-10-01T09:00:00Z,2026-10-01T20:00:00Z,\"{\"\"order_id\"\":\"\"0012\"\"}\"\n\
         e2,ada,Viewed Product,2026-10-01T12:00:00+02:00,,\"{\"\"price\"\":12.5,\"\"product_name\"\":\"\"Watch\"\"}\"\n",
        &expected,
    );
}

/// Webhooks deliver twice (SEMANTICS R2): that is nothing to say a word about.
#[test]
fn an_event_delivered_twice_counts_once_in_silence() {
    check_events(
        "e.csv",
        "id,contact,name,happened,accepted\n\
         1,ada,A,2026-10-01,2026-10-01\n\
         1,ada,A,2026-10-01,2026-10-02\n",
        &[r#"{"id":"1","contact":"ada","name":"A","happened":"2026-10-01T00:00:00Z"}"#],
    );
}

#[test]
fn events_that_cannot_be_used() {
    check_events(
        "e.csv",
        "id,contact,name,happened,accepted\n\
         1,ada,A,2026-10-01,\n\
         1,ada,A,2026-10-02,\n\
         1,bo,A,2026-10-02,\n\
         2,adaa,A,2026-10-01,\n\
         3,adaa,A,2026-10-01,\n\
         4,ada,,yesterday,\n\
         5,ada,$odd,2026-10-03T10:00:00Z,2026-10-03T09:00:00Z\n",
        &[
            r#"{"id":"1","contact":"ada","name":"A","happened":"2026-10-01T00:00:00Z"}"#,
            r#"{"id":"1","contact":"bo","name":"A","happened":"2026-10-02T00:00:00Z"}"#,
            r#"{"id":"5","contact":"ada","name":"$odd","happened":"2026-10-03T10:00:00Z","accepted":"2026-10-03T09:00:00Z"}"#,
            "warning audience/duplicate-event: e.csv, line 3: 1 event has an id that another event of the contact had before; the first one is kept (first here: `1`)",
            "warning audience/unknown-contact: e.csv, line 5: no contact `adaa`; 2 events left out",
            "error audience/missing-value: e.csv, line 7, column 3 `name`: the cell for event name is empty; the row is left out",
            "error audience/bad-instant: e.csv, line 7, column 4 `happened`: `yesterday` is not a date and time",
            "warning audience/accepted-early: e.csv, line 8: 1 event was accepted more than 5 min before it happened (first here: `5`)",
            "warning audience/reserved-name: e.csv, line 8: 1 event has a name that begins with `$`, which is kept for responses (first here: `$odd`)",
        ],
    );
}

#[test]
fn the_nearest_contact_is_named() {
    let (_, diagnostics) = Audience::load(sources(
        ("c.csv", b"id\nada\nbo\n"),
        ("e.jsonl", b"{\"contact\":\"adaa\",\"name\":\"A\",\"happened\":\"2026-10-01\"}"),
        ("", b""),
    ));
    assert_eq!(diagnostics[0].hint, "Did you mean `ada`?");
}

#[test]
fn event_ids_are_made_from_what_the_event_says() {
    let input = "contact,name,happened,n\nada,A,2026-10-01,1\nada,A,2026-10-01,2\nada,A,2026-10-01,1\n";
    let load = || Audience::load(sources(("", b""), ("e.csv", input.as_bytes()), ("", b""))).0;
    let audience = load();
    assert_eq!(audience.events.len(), 2, "the third says what the first says");
    assert_eq!(audience, load());
    assert_eq!(audience.contacts, [Contact::new("ada")], "made up, since there is no file of contacts");
    assert_eq!(audience.events[0].id.as_str(), "e-a8bb606bd918133a");
}

#[test]
fn responses() {
    let check = |name: &str, input: &str, expected: &[&str]| {
        let (audience, diagnostics) =
            Audience::load(sources(("c.csv", b"id\nada\n"), ("", b""), (name, input.as_bytes())));
        let mut shown: Vec<String> = responses_to_jsonl(&audience.responses).lines().map(str::to_owned).collect();
        shown.extend(messages(&diagnostics));
        assert_eq!(shown, expected, "{input}");
    };
    let good = r#"{"contact":"ada","flow":"watch","node":"mail-1","response":"clicked","after":"2 h","link":"https://example.com"}"#;
    check("r.jsonl", good, &[good]);
    check(
        "r.csv",
        "contact,flow,node,response,after,link\nada,watch,mail-1,Clicked,120 min,https://example.com\n",
        &[good],
    );
    check(
        "r.jsonl",
        "{\"contact\":\"bob\",\"node\":\"m\",\"response\":\"opened\",\"after\":\"1 h\"}\n\
         {\"contact\":\"ada\",\"node\":\"m\",\"response\":\"opend\",\"after\":\"-1 h\"}\n",
        &[
            "warning audience/unknown-contact: r.jsonl, line 1: no contact `bob`; 1 response left out",
            "error audience/unknown-response: r.jsonl, line 2, column 29: `opend` is not a response; the line is left out",
            "error audience/bad-span: r.jsonl, line 2, column 48: `-1 h` goes back in time; the line is left out",
        ],
    );
}

#[test]
fn a_saved_mapping_rules() {
    let input = b"key,Stadt,Neu\n1,Wien,x\n".as_slice();
    let property = |name: &str| Role::Property { name: name.into(), value_type: crate::audience::ValueType::Text };
    let column = |header: &str, role| Column { header: header.into(), role };
    let mapping = Mapping {
        contacts: vec![column("key", Role::Id), column("Stadt", property("city")), column("Gone", property("gone"))],
        ..Mapping::default()
    };
    let loaded = load(AudienceSources {
        contacts: Some(Source::new("c.csv", input)),
        mapping: Some(mapping),
        ..AudienceSources::default()
    });
    assert_eq!(
        contacts_to_jsonl(&loaded.audience.contacts),
        format!("{{\"id\":\"1\",{NO_CONSENT},\"properties\":{{\"city\":\"Wien\",\"neu\":\"x\"}}}}\n")
    );
    assert_eq!(
        messages(&loaded.diagnostics),
        [
            "hint audience/new-column: c.csv, line 1, column 3 `Neu`: the mapping does not know this column; taken as property neu (text)",
            "warning audience/missing-column: c.csv, line 1: the mapping names a column `Gone` that the file does not have",
        ]
    );
    assert_eq!(loaded.mapping.contacts.len(), 3);
    // What was used, saved and used again, says nothing more.
    let again = load(AudienceSources {
        contacts: Some(Source::new("c.csv", input)),
        mapping: Mapping::from_ron("mapping.ron", &loaded.mapping.to_ron()).ok(),
        ..AudienceSources::default()
    });
    assert_eq!(again.diagnostics, []);
    assert_eq!(again.audience, loaded.audience);
}

const CONTACTS_JSONL: &str = "{\"id\":\"a\",\"email\":\"ä@example.com\",\"consent\":{\"email\":\"subscribed\"},\"lists\":[\"x\"],\"properties\":{\"n\":1.5,\"o\":{\"p\":[1,{\"q\":null}]}}}\n{\"id\":\"b\",\"zone\":\"Asia/Tokyo\"}\n";
const CONTACTS_CSV: &str = "\u{feff}Record ID,First Name,Email,Total Spent,Tags,Note\r\n1,\"Zoë \"\"Z\"\"\",z@example.com,12.50,\"a, b\",\"line\r\nbreak\"\r\n2,Bo,,7,,=1\r\n";
const EVENTS_JSONL: &str = "{\"id\":\"1\",\"contact\":\"a\",\"name\":\"A\",\"happened\":\"2026-10-01T10:00:00Z\",\"properties\":{\"items\":[{\"name\":\"x\"}]}}\n{\"contact\":\"b\",\"name\":\"B\",\"happened\":\"2026-10-02\"}\n";
const EVENTS_CSV: &str = "id;contact;name;happened;accepted;value;items\n1;a;A;2026-10-01 10:00;2026-10-01 11:00;12,5;\"[{\"\"a\"\":1}]\"\n2;b;B;1790000000;;;\n";
const RESPONSES: &str = "{\"contact\":\"a\",\"node\":\"m\",\"response\":\"opened\",\"after\":\"2 h\"}\n";

/// Loads bytes as each kind in each format; what counts is that it comes back, in bounds.
fn check_survives(bytes: &[u8]) {
    for (kind, format) in [
        (FileKind::Contacts, Format::Csv),
        (FileKind::Contacts, Format::JsonLines),
        (FileKind::Events, Format::Csv),
        (FileKind::Events, Format::JsonLines),
        (FileKind::Responses, Format::Csv),
        (FileKind::Responses, Format::JsonLines),
    ] {
        let source = Some(Source::new("f", bytes).with_format(format));
        let mut all = AudienceSources::default();
        match kind {
            FileKind::Contacts => all.contacts = source,
            FileKind::Events => all.events = source,
            FileKind::Responses => all.responses = source,
        }
        let loaded = load(all);
        assert!(loaded.diagnostics.len() <= 3 * (MOST_FINDINGS + 1));
        assert!(Mapping::from_ron("m", &loaded.mapping.to_ron()).is_ok());
        // What was taken can be written and read again without a word about its form.
        let (again, findings) = Audience::load(AudienceSources {
            contacts: Some(Source::new("c.jsonl", contacts_to_jsonl(&loaded.audience.contacts).as_bytes())),
            events: Some(Source::new("e.jsonl", events_to_jsonl(&loaded.audience.events).as_bytes())),
            ..AudienceSources::default()
        });
        let errors: Vec<_> = findings.iter().filter(|d| d.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(again.contacts.len(), loaded.audience.contacts.len());
        assert_eq!(again.events.len(), loaded.audience.events.len());
    }
}

#[test]
fn valid_files_survive() {
    for text in [CONTACTS_JSONL, CONTACTS_CSV, EVENTS_JSONL, EVENTS_CSV, RESPONSES] {
        check_survives(text.as_bytes());
    }
}

fn fixed(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(20_261_123),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(fixed(200))]

    /// Guards: no panic and no hang on bytes of any kind.
    #[test]
    fn random_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        check_survives(&bytes);
    }

    /// Guards: the same on what files are made of.
    #[test]
    fn random_marks_do_no_harm(text in "[\"',;:|=+@\\-\\[\\]{}\r\n\t 0a\u{e4}\u{0}]{0,80}") {
        check_survives(text.as_bytes());
        check_survives(format!("id,contact,name,happened,n\n{text}").as_bytes());
    }

    /// Guards: the same on valid files with a few bytes changed, put in, or cut off.
    #[test]
    fn damaged_files_do_no_harm(
        which in 0..5_usize,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..3_u8), 1..5),
    ) {
        let mut bytes = [CONTACTS_JSONL, CONTACTS_CSV, EVENTS_JSONL, EVENTS_CSV, RESPONSES][which].as_bytes().to_vec();
        for (idx, byte, how) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = idx.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b"\"\n,;{}[]\\\0"[usize::from(byte) % 10]),
                _ => bytes.truncate(at),
            }
        }
        check_survives(&bytes);
    }
}
