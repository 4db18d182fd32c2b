//! Seeded damage through every parser: no panic, no hang, and what still reads survives writing.
//!
//! The one idea: good files are cut, doubled, flipped and salted, always in the same way, so that a failure is a seed.
//! Deliberately not here: looking for new faults for hours; this is the smoke test of every run.

#![expect(clippy::disallowed_methods, reason = "bounds on real time: a hang must fail")]

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use flowloom::{
    audience::{Audience, AudienceSources, ConditionText, Source},
    base::Span,
    content::{Brand, Field, FieldValues, Message, PreparedMessage},
    flow::{Workspace, check, file},
};

use crate::tidy::{files_below, root};

/// SplitMix64: small, well mixed, the same on every machine. Source: Steele, Lea, Flood, OOPSLA 2014.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { usize::try_from(self.next() % end as u64).expect("fits") }
    }
}

/// What hostile or clumsy hands put into files.
const SALT: &[&str] = &[
    "\"",
    "'",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "{{",
    "}}",
    "{%",
    "%}",
    "\\",
    "\\u{110000}",
    "\0",
    "\n",
    "\r",
    ",",
    ":",
    "//",
    "/*",
    "*/",
    "r#\"",
    "\u{feff}",
    "\u{202e}",
    "é",
    "👩‍👩‍👧",
    "-1",
    "1e999",
    "NaN",
    "99999999999999999999",
    "true",
    "none",
    " and ",
    " not ",
    "((((((((",
    "for",
    "{% for x in y %}",
    "=cmd()",
    "\u{85}",
    "\u{2028}",
];

fn damage(good: &str, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = good.as_bytes().to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let length = dice.below(40).min(bytes.len() - at);
        match dice.below(7) {
            0 => bytes.truncate(at),
            1 => _ = bytes.drain(at..at + length),
            2 => {
                let part = bytes[at..at + length].to_vec();
                bytes.splice(at..at, part);
            }
            3 if at < bytes.len() => bytes[at] = dice.next().to_le_bytes()[0],
            4 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            _ => {
                let salt = SALT[dice.below(SALT.len())].as_bytes();
                bytes.splice(at..at, salt.iter().copied());
            }
        }
    }
    bytes
}

/// Feeds damaged copies of good texts to a parser; a panic names the seed and the input.
fn fuzz(name: &str, good: &[String], rounds: u64, parse: impl Fn(&[u8])) {
    assert!(!good.is_empty(), "{name}: nothing to damage");
    let begun = Instant::now();
    for seed in 0..rounds {
        let mut dice = Dice(seed);
        let source = &good[dice.below(good.len())];
        let bad = damage(source, &mut dice);
        let one = Instant::now();
        if catch_unwind(AssertUnwindSafe(|| parse(&bad))).is_err() {
            panic!("{name}: seed {seed} panics on {:?}", String::from_utf8_lossy(&bad));
        }
        assert!(one.elapsed() < Duration::from_secs(5), "{name}: seed {seed} takes {:?}", one.elapsed());
        // A slow machine does less, never forever.
        if begun.elapsed() > Duration::from_secs(8) {
            break;
        }
    }
}

fn flows() -> Vec<String> {
    let files = files_below(&root().join("sample_flows"), "ron");
    files.into_iter().filter(|f| f.path.ends_with(".flow.ron")).map(|f| f.text).collect()
}

fn workspaces() -> Vec<String> {
    let files = files_below(&root().join("sample_flows"), "ron");
    files.into_iter().filter(|f| f.path.ends_with("flowloom.ron")).map(|f| f.text).collect()
}

#[test]
fn flow_files() {
    let workspace = Workspace::default();
    fuzz("flow", &flows(), 1_500, |bytes| {
        let Ok(text) = file::text_of(bytes) else { return };
        let Ok(loaded) = file::read(text) else { return };
        let written = file::write(&loaded.flow);
        let again =
            file::read(&written).unwrap_or_else(|d| panic!("what was written is read: {}\n{written}", d.message));
        assert_eq!(again.flow.canonical(), loaded.flow.canonical(), "what was written means the same");
        let around = check::Surroundings { workspace: &workspace, other_flows: &[], audience: None };
        let _ = check::check(&loaded.flow, &around);
    });
}

#[test]
fn workspace_files() {
    fuzz("workspace", &workspaces(), 1_000, |bytes| {
        if let Ok(text) = file::text_of(bytes)
            && let Ok((workspace, _)) = file::read_workspace(text)
        {
            let _ = check::check_workspace(&workspace);
        }
    });
}

#[test]
fn conditions() {
    let good: Vec<String> = [
        "contact.lifetime_value > 500 and not did \"Placed Order\" in the last 30 days",
        "did \"Viewed Product\" where (event.product_id = trigger.product_id) at least 3 times in the last 7 days",
        "in list \"VIP\" or in segment \"Recent buyers\" or score \"heat\" >= 20",
        "contact.birthday = now - 1 year or contact.zone starts with \"Europe/\"",
        "event.cart_id = trigger.cart_id since entry and local time between 09:00 and 17:00",
        "((contact.a = 1 and contact.b != 2) or not (contact.c in [\"x\", \"y\"]))",
    ]
    .map(str::to_owned)
    .to_vec();
    fuzz("condition", &good, 6_000, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let read = ConditionText::new(&text);
        for error in &read.parsed().errors {
            assert!(error.range.end <= text.len().max(1), "the place lies in the text");
        }
        if read.parsed().errors.is_empty() {
            let printed = read.condition().to_string();
            let again = ConditionText::new(&printed);
            assert_eq!(again.condition(), read.condition(), "{printed} means the same as {text}");
        }
    });
}

#[test]
fn spans() {
    let good: Vec<String> = ["4 h", "1 d 12 h", "3 months", "-90 min", "P1DT2H"].map(str::to_owned).to_vec();
    fuzz("span", &good, 3_000, |bytes| {
        if let Ok(span) = Span::parse(&String::from_utf8_lossy(bytes)) {
            assert_eq!(Span::parse(&span.to_string()), Ok(span));
        }
    });
}

#[test]
fn templates() {
    let fields: Vec<Field> = ["first_name", "cart_value", "cart_items"]
        .iter()
        .map(|name| {
            Field::new(
                name,
                flowloom::audience::ValueType::Text,
                flowloom::content::FieldSource::Contact((*name).into()),
            )
            .with_fallback("there")
        })
        .collect();
    let brand = Brand::default();
    let good: Vec<String> = [
        "Hi {first_name}, {{ cart_value|upper }} {% if cart_value > 3 %}a{% elif first_name %}b{% else %}c{% endif %}",
        "{% for item in cart_items[:3] %}<p>{{ item.name|default('x') }}</p>{% endfor %}<a href=\"{unsubscribe_url}\">x</a>",
        "<table><tr><td style=\"color:red\">{{ first_name }}</td></tr></table>{# note #}",
    ]
    .map(str::to_owned)
    .to_vec();
    let samples = FieldValues::samples(&fields, &brand);
    fuzz("template", &good, 1_500, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let quoted = ron::to_string(&text).expect("a text can be written");
        for body in
            [format!("html({quoted})"), format!("blocks([text(text: {quoted}), html(html: {quoted}), footer()])")]
        {
            let ron = format!("(id: \"m\", subject: {quoted}, body: {body})");
            let Ok(message) = Message::from_ron(&ron) else { continue };
            for variant in &message.variants {
                if let Ok(prepared) = PreparedMessage::new(&message, variant, &fields, &brand) {
                    let _ = prepared.render(&samples);
                }
            }
        }
    });
}

#[test]
fn audiences() {
    let csv: Vec<String> = vec![
        "id,email,First Name,Lifetime Value,Accepts Marketing\n1,a@example.com,Ada,\"1,290.00\",yes\n2,b@example.com,\"O'Neil, \"\"Bo\"\"\",12,no\n".into(),
        "\u{feff}Email;Name;zone\r\na@example.com;\"Zoë\";Europe/Berlin\r\n".into(),
    ];
    let read = |name: &str, bytes: &[u8], events: bool| {
        let source = Some(Source::new(name.to_owned(), std::io::Cursor::new(bytes.to_vec())));
        let sources = if events {
            AudienceSources { events: source, ..AudienceSources::default() }
        } else {
            AudienceSources { contacts: source, ..AudienceSources::default() }
        };
        let _ = Audience::load(sources);
    };
    fuzz("contacts.csv", &csv, 1_500, |bytes| read("contacts.csv", bytes, false));
    let path = root().join("sample_flows/watch-shop/audience");
    let lines = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(path.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        vec![text.lines().take(12).collect::<Vec<_>>().join("\n")]
    };
    fuzz("contacts.jsonl", &lines("contacts.jsonl"), 1_000, |bytes| read("contacts.jsonl", bytes, false));
    fuzz("events.jsonl", &lines("events.jsonl"), 1_000, |bytes| read("events.jsonl", bytes, true));
}
