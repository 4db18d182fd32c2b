//! Damaged mails with fixed seeds through all that reads a mail but the drawing: no panic, nothing left that asks for
//! something from elsewhere. Damaged mails are drawn in `tests/pictures/damage.rs`.

use crate::{
    audience::{Channel, ValueType},
    content::{
        Body, Brand, Field, FieldSource, FieldValues, Message, PreparedMessage, check_message, highlight, links, lint,
        picture::{
            NoImages, Request, Scheme, dom,
            prepare::{SCHEME, prepare},
        },
    },
    testing::mutate_html,
};

/// As many as issue 4 asks for.
const CASES: u64 = 2_000;
const HTML: [&str; 2] = [
    include_str!("../../../../tests/fixtures/picture/traps.html"),
    include_str!("../../../../tests/fixtures/picture/newsletter.html"),
];
const MJML: &str = "<mjml>\n<mj-head><mj-style>p{color:red}</mj-style></mj-head>\n<mj-body width=\"600px\">\n\
    <mj-section>\n<mj-column width=\"50%\">\n<mj-text font-size=\"16px\">Hi {name}, {{ value|money }}</mj-text>\n\
    <mj-button href=\"https://x.example/?a={{ name }}\">Go</mj-button>\n</mj-column>\n\
    <mj-column>\n<mj-image src=\"a.png\" alt=\"A\" />\n<mj-table><tr><td>1</td></tr></mj-table>\n</mj-column>\n\
    </mj-section>\n<mj-raw>{% if value > 3 %}<p>more</p>{% endif %}</mj-raw>\n<mj-hero height=\"100px\" \
    background-width=\"600px\" background-height=\"100px\"><mj-divider /><mj-spacer height=\"9px\" /></mj-hero>\n\
    </mj-body>\n</mjml>\n";

#[test]
fn damaged_mails_are_read_or_refused() {
    let (mut drawable, mut told) = (0, 0);
    for case in 0..CASES {
        let html = mutate_html(HTML[case as usize % HTML.len()], case);
        let scheme = if case.is_multiple_of(2) { Scheme::Light } else { Scheme::Dark };
        let width_px = if case % 4 < 2 { 600 } else { 375 };
        let request = Request { html: &html, width_px, scale: 1.0, scheme, image_base: "", images: &NoImages };
        if let Ok(mail) = prepare(&request) {
            drawable += 1;
            let asks = mail.dom.in_order().into_iter().any(|id| match &mail.dom.nodes[id].data {
                dom::Data::Element(element) => {
                    element.attr("src").is_some_and(|src| !src.starts_with(SCHEME))
                        || element.attr("background").is_some()
                }
                _ => false,
            });
            assert!(!asks, "case {case}: something is asked from elsewhere\n{html}");
        }
        told += usize::from(check(Body::Html(html)));
    }
    assert!(drawable > CASES as usize / 2, "only {drawable} of {CASES} can be drawn");
    assert!(told > CASES as usize / 2, "only {told} of {CASES} can be rendered");
}

#[test]
fn damaged_mjml_is_compiled_or_refused_with_a_place() {
    let mut compiled = 0;
    for case in 0..CASES {
        compiled += usize::from(check(Body::Mjml(mutate_html(MJML, case))));
    }
    assert!(compiled > CASES as usize / 40, "only {compiled} of {CASES} compile");
}

/// A mail through the checks, a contact's rendering and the lints; whether there is a rendering. Places are in the
/// text.
#[track_caller]
fn check(body: Body) -> bool {
    let fields = [
        Field::new("name", ValueType::Text, FieldSource::Contact("name".into())),
        Field::new("value", ValueType::Money, FieldSource::Trigger("value".into())).with_fallback("x"),
    ];
    let (Body::Html(source) | Body::Mjml(source)) = &body else { return false };
    let source = source.clone();
    drop(highlight::highlight(&source));
    let mut message = Message::new("m", Channel::Email);
    message.variants[0].subject = "Hi {name}".into();
    message.variants[0].body = body;
    for found in check_message(&message, &fields, &Brand::default(), None) {
        let Some(range) = found.place.range.filter(|_| found.place.field.as_deref() == Some("body")) else { continue };
        assert!(source.get(range.start..range.end).is_some(), "{found:?}\n{source}");
    }
    let variant = &message.variants[0];
    let Ok(prepared) = PreparedMessage::new(&message, variant, &fields, &Brand::default()) else { return false };
    let Ok(mail) = prepared.render(&FieldValues::samples(&fields, &Brand::default())) else { return false };
    drop(lint(&message, variant, &mail));
    drop(links(&mail.html));
    true
}
