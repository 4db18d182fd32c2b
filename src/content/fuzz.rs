//! Fuzz smoke with fixed seeds: whatever is written in a template, a block or a body, nothing here panics or hangs.

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::*;
use crate::{
    audience::{Channel, ValueType},
    base::Place,
};

const PIECES: [&str; 44] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{",
    "}",
    " if ",
    " elif ",
    " else ",
    " endif ",
    " for i in ",
    "list",
    " endfor ",
    "name",
    "value",
    "|",
    "default('x', true)",
    "upper",
    "money",
    "(",
    ")",
    " and ",
    " or ",
    " not ",
    "<",
    ">",
    "=",
    "==",
    "'",
    "\"",
    "\\",
    "\n",
    "ü",
    "🎉",
    "\0",
    "<style>",
    "</style>",
    "{name}",
    "[:3]",
    ".0",
    "raw",
    "endraw",
];

fn fields() -> Vec<Field> {
    vec![
        Field::new("name", ValueType::Text, FieldSource::Contact("name".into())),
        Field::new("value", ValueType::Money, FieldSource::Trigger("value".into())).with_fallback("x"),
        Field::new("list", ValueType::List, FieldSource::Trigger("list".into())),
    ]
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => proptest::sample::select(PIECES.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Every range of a finding lies in the source, at character boundaries.
fn check_ranges(source: &str, found: &[crate::base::Diagnostic]) {
    for diagnostic in found {
        if let Some(range) = diagnostic.place.range {
            assert!(range.start <= range.end && range.end <= source.len(), "{source:?} {diagnostic:?}");
            assert!(
                source.is_char_boundary(range.start) && source.is_char_boundary(range.end),
                "{source:?} {diagnostic:?}"
            );
        }
    }
}

#[test]
fn templates() {
    let fields = fields();
    let scope = Scope { fields: &fields, constants: &Default::default() };
    let samples = FieldValues::samples(&fields, &Brand::default());
    let tested = runner(3_000).run(&soup(), |source| {
        for dialect in [Dialect::Klaviyo, Dialect::Hubspot] {
            match transpile(&source, Part::Html, dialect, &scope, &Place::default()) {
                Ok(out) => check_ranges(&source, &out.losses),
                Err(found) => check_ranges(&source, &found),
            }
        }
        if let Ok(out) = transpile(&source, Part::Html, Dialect::Canonical, &scope, &Place::default()) {
            let again = transpile(&out.text, Part::Html, Dialect::Canonical, &scope, &Place::default());
            let again = again.unwrap_or_else(|e| panic!("{source:?} became {:?}, which is not read: {e:?}", out.text));
            // Each reading takes one last line break, as the engines do.
            let rest = |text: &str| text.trim_end_matches(['\r', '\n']).to_owned();
            assert_eq!(rest(&again.text), rest(&out.text), "{source:?}");
        }
        let mut message = Message::new("m", Channel::Sms);
        message.variants[0].text = Some(source.clone());
        if let Ok(prepared) = PreparedMessage::new(&message, &message.variants[0], &fields, &Brand::default()) {
            let mail = prepared.render(&samples);
            drop(mail.map(|mail| mail.completeness()));
        }
        Ok(())
    });
    assert_eq!(tested, Ok(()));
}

#[test]
fn blocks_and_bodies() {
    let fields = fields();
    let samples = FieldValues::samples(&fields, &Brand::default());
    let tested = runner(400).run(&(soup(), soup(), soup()), |(one, two, three)| {
        let quote = |text: &str| ron::to_string(text).unwrap_or_default();
        let blocks = [
            format!("heading(text: {}, show_if: {})", quote(&one), quote(&two)),
            format!("text(text: {})", quote(&one)),
            format!("image(src: {}, alt: {}, href: {})", quote(&one), quote(&two), quote(&three)),
            format!("button(text: {}, href: {})", quote(&two), quote(&three)),
            format!("products(items: {}, title: {}, price: {})", quote(&one), quote(&two), quote(&three)),
            format!("html(html: {})", quote(&one)),
            format!("mjml(mjml: {})", quote(&two)),
            format!(
                "columns(columns: [(blocks: [stock(field: {0}, levels: [(at_most: 2, text: {1})])]), (blocks: [delivery(text: {2}), countdown(until: at({0}), label: {1})])])",
                quote(&one),
                quote(&two),
                quote(&three)
            ),
            format!("video(poster: {}, href: {}, alt: {})", quote(&one), quote(&two), quote(&three)),
            format!("sms_opt_in(number: {}, keyword: {}, terms: {})", quote(&one), quote(&two), quote(&three)),
            format!("text({three})"),
            three.clone(),
        ];
        let mut bodies: Vec<Body> = blocks.iter().map(|block| Body::Blocks(vec![Block::from_ron(block)])).collect();
        bodies.push(Body::Html(one.clone()));
        bodies.push(Body::Mjml(format!("<mjml><mj-body>{two}</mj-body></mjml>")));
        for body in bodies {
            let mut message = Message::new("m", Channel::Email);
            message.variants[0].subject = three.clone();
            message.variants[0].body = body;
            drop(check_message(&message, &fields, &Brand::default(), None));
            if let Ok(prepared) = PreparedMessage::new(&message, &message.variants[0], &fields, &Brand::default()) {
                drop(prepared.render(&samples));
            }
        }
        Ok(())
    });
    assert_eq!(tested, Ok(()));
}

#[test]
fn message_files() {
    let source = r#"(id: "m", channel: email, variants: [(id: "a", subject: "S", body: blocks([text(text: "x"), badge(y: [1])]))])"#;
    let tested = runner(2_000).run(&(0..source.len(), 0..source.len(), soup()), |(from, to, with)| {
        let (from, to) = (from.min(to), from.max(to));
        let damaged = format!("{}{with}{}", &source[..from], &source[to..]);
        if let Ok(message) = Message::from_ron(&damaged)
            && let Ok(written) = message.to_ron()
        {
            assert_eq!(Message::from_ron(&written).ok(), Some(message), "{damaged:?}\n{written}");
        }
        Ok(())
    });
    assert_eq!(tested, Ok(()));
}
