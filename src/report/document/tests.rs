//! The hand-over page: well formed, complete, the same each time, with nothing of the outside in it.

use super::*;
use crate::{
    app::files::samples,
    flow::{Node, file},
    report::order,
};

fn page_of(flow: &Flow, workspace: &Workspace, audience: &Audience) -> String {
    let about = About::new(flow, workspace, "26 November 2026");
    let sheets: Vec<MailSheet> = flow
        .nodes
        .iter()
        .filter(|node| node.settings().is_some_and(|settings| settings.message().is_some()))
        .map(|node| MailSheet {
            node: node.id.clone(),
            variant: "a".to_owned(),
            samples: vec![MailSample {
                who: "Ada <script>".to_owned(),
                html: "<p>Hi \"you\" <img src=\"https://tracker.example/x.gif\"></p>".to_owned(),
                text: "Hi https://example.com".to_owned(),
                ..MailSample::default()
            }],
            fault: String::new(),
        })
        .collect();
    let material = Material {
        flow,
        workspace,
        neighbours: &[],
        about: &about,
        logo: Some(b"\x89PNG...."),
        audience,
        mails: &sheets,
    };
    page(&material)
}

/// Tags that have no end.
const VOID: [&str; 5] = ["meta", "img", "br", "!doctype", "rect"];

/// Every tag is closed where it should be; gives the values of addresses.
fn check_html(html: &str) -> Vec<String> {
    let (mut open, mut addresses): (Vec<String>, Vec<String>) = Default::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        // The end of the tag: a `>` outside quotes.
        let mut quoted = false;
        let end = rest.char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            *c == '>' && !quoted
        });
        let (end, _) = end.unwrap_or_else(|| panic!("a tag that does not end: {:.60}", rest));
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        for name in ["src=\"", "href=\"", "action=\"", "xlink:href=\""] {
            addresses
                .extend(tag.split(&format!(" {name}")).skip(1).map(|v| v.split('"').next().unwrap_or("").to_owned()));
        }
        let name: String =
            tag.chars().skip_while(|c| *c == '/').take_while(|c| !c.is_whitespace() && *c != '/').collect();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "near {:.80}", rest);
        } else if !tag.ends_with('/') && !VOID.contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<String>::new());
    addresses
}

#[test]
fn every_sample_has_a_page() {
    for sample in samples::SAMPLES {
        let flow = samples::read(sample.workspace, sample.flow).expect("reads").flow;
        let home = samples::home(sample.workspace, sample.flow);
        let html = page_of(&flow, &home.workspace, &home.audience);
        for address in check_html(&html) {
            assert!(address.starts_with('#') || address.starts_with("data:image/"), "{}: {address}", sample.flow);
        }
        assert!(!html.contains("<script"), "{}", sample.flow);
        for n in 1..=order::reading_order(&flow).len() {
            assert!(html.contains(&format!("id=\"step-{n}\"")), "{}: step {n}", sample.flow);
        }
        for (anchor, _) in SECTIONS {
            assert!(html.contains(&format!("<section id=\"{anchor}\">")), "{anchor}");
        }
        assert_eq!(html, page_of(&flow, &home.workspace, &home.audience), "{}: the same bytes", sample.flow);
        for tag in flow.fields() {
            assert!(html.contains(&format!("<code>{{{}}}</code>", tag.name)), "{}", tag.name);
        }
    }
}

#[test]
fn an_empty_and_a_hostile_flow_have_pages() {
    check_html(&page_of(&Flow::new("f", ""), &Workspace::default(), &Audience::default()));
    let mut flow = Flow::new("f", "</title><script>alert(1)</script>");
    let mut node = Node::new("n", "email", r#"(message: "gone")"#);
    node.title = "\"><img src=x onerror=alert(1)>".to_owned();
    node.note = "</p></section>".to_owned();
    flow.nodes.push(std::sync::Arc::new(node));
    let mut workspace = Workspace::default();
    workspace.brand.heading_font = "x;}</style><script>".to_owned();
    workspace.brand.name = "<b>".to_owned();
    let html = page_of(&flow, &workspace, &Audience::default());
    check_html(&html);
    assert!(!html.contains("<script") && !html.contains("onerror=alert(1)>"), "{html}");
}

#[test]
fn times_are_measured_from_the_entry() {
    let flow = samples::read("watch-shop", "watch-shop").expect("reads").flow;
    let home = samples::home("watch-shop", "watch-shop");
    let (entries, timings) = timing(&flow, &[], &home.workspace, &home.audience);
    assert!(entries > 10, "{entries}");
    let hours = |id: &str| timings.get(&NodeId::new(id)).map(|timing| timing.earliest / 3_600_000);
    assert_eq!((hours("mail-1"), hours("mail-2"), hours("mail-3")), (Some(0), Some(4), Some(12)));
}

#[test]
fn secrets_and_paths_stay_outside() {
    let text = r#"(version: 2, id: "f", name: "F", nodes: [
        (id: "t", kind: "trigger", settings: (any: [event(event: "X")])),
        (id: "w", kind: "webhook", settings: (url: "https://me:pw@api.example.com/x?key=s3cret", headers: {"Authorization": "Bearer s3cret"}))],
        edges: [(from: "t", to: "w")])"#;
    let flow = file::read(text).expect("reads").flow;
    let html = page_of(&flow, &Workspace::default(), &Audience::default());
    assert!(!html.contains("s3cret") && !html.contains("pw@") && html.contains("api.example.com"));
}

#[test]
fn images_are_told_by_their_first_bytes() {
    assert_eq!(base64(b"Man"), "TWFu");
    assert_eq!(base64(b"Ma"), "TWE=");
    assert_eq!(base64(b"M"), "TQ==");
    assert_eq!(data_url(b"\xff\xd8\xff\xe0"), Some("data:image/jpeg;base64,/9j/4A==".to_owned()));
    assert_eq!(data_url(b"<svg onload=..."), None);
}
