//! Pictures of flows by their structure: what is there, that nothing overlaps, that nothing is wider than its card.

use std::sync::Arc;

use super::*;
use crate::{
    app::files::samples,
    flow::{Edge, Flow, Node, Workspace, file},
    report::{
        About,
        font::width,
        look,
        scene::{Anchor, Scene},
    },
    testing::flow_gen,
};

fn about() -> About {
    About {
        name: "A <flow> & more".into(),
        client: "Shop".into(),
        date: "1 May 2026".into(),
        fingerprint: "0123456789ab".into(),
    }
}

fn samples() -> Vec<(String, Flow, Workspace)> {
    let home = |sample: &samples::Sample| samples::home(sample.workspace, sample.flow);
    let read = |sample: &samples::Sample| samples::read(sample.workspace, sample.flow).expect("reads").flow;
    let all = samples::SAMPLES.iter();
    all.map(|sample| (format!("{}/{}", sample.workspace, sample.flow), read(sample), home(sample).workspace)).collect()
}

/// What must hold of every picture.
fn check(name: &str, flow: &Flow, workspace: &Workspace) -> Scene {
    let diagram = Diagram::new(flow, workspace);
    let steps = flow.nodes.iter().filter(|node| node.kind != "note").count();
    assert_eq!(diagram.cards.len(), steps, "{name}: every step has a card");
    for (n, card) in diagram.cards.iter().enumerate() {
        assert_eq!(card.number, n + 1);
        for other in &diagram.cards[..n] {
            assert!(!card.area.overlaps(&other.area), "{name}: {} lies over {}", card.id, other.id);
        }
        for note in &diagram.notes {
            assert!(!card.area.overlaps(&note.area), "{name}: {} lies over the note {}", card.id, note.id);
        }
    }
    for card in &diagram.cards {
        for edge in flow.edges.iter().filter(|edge| edge.from == card.id) {
            let known = diagram.ways.iter().any(|way| way.from == edge.from && way.port == edge.port.as_str());
            assert!(known, "{name}: {}.{} is drawn", edge.from, edge.port);
        }
    }
    for frame in &diagram.frames {
        assert!(diagram.bounds.holds(&frame.area), "{name}");
    }
    let scene = whole(&diagram, &about(), look::accent(&workspace.brand));
    let marks = inner(&diagram, &Marking::new());
    for mark in &marks {
        let crate::report::scene::Mark::Group(group) = mark else { continue };
        let Some(card) = diagram.card(&group.step) else { continue };
        let own = Scene { marks: group.marks.clone(), ..Scene::default() };
        for text in own.texts() {
            let wide = width(&text.text, text.weight, text.size);
            let left = text.at.0
                - match text.anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => wide / 2.0,
                    Anchor::End => wide,
                };
            assert!(
                left >= card.area.left && left + wide <= card.area.right && text.at.1 <= card.area.bottom - 3.0,
                "{name}: {:?} leaves the card of {}",
                text.text,
                card.id
            );
        }
    }
    scene
}

fn check_svg(name: &str, svg: &str, flow: &Flow) {
    let tree = roxmltree::Document::parse(svg).unwrap_or_else(|e| panic!("{name}: {e}"));
    for node in flow.nodes.iter().filter(|node| node.kind != "note") {
        let found = tree.descendants().filter(|part| part.attribute("data-step") == Some(node.id.as_str())).count();
        assert_eq!(found, 1, "{name}: {}", node.id);
    }
    for outside in ["http://", "https://", "<script", "url("] {
        let found = svg.matches(outside).count();
        let own = if outside == "http://" { 1 } else { 0 };
        let clips = if outside == "url(" { svg.matches("url(#clip-").count() } else { 0 };
        let said =
            tree.descendants().filter_map(|part| part.text()).map(|text| text.matches(outside).count()).sum::<usize>();
        assert!(found <= own + clips + said, "{name}: {outside}");
    }
}

#[test]
fn all_samples_are_drawn() {
    for (name, flow, workspace) in samples() {
        let scene = check(&name, &flow, &workspace);
        let svg = svg(&scene, &flow.name);
        check_svg(&name, &svg, &flow);
        assert_eq!(svg, super::svg(&check(&name, &flow, &workspace), &flow.name), "{name}: the same bytes");
        let diagram = Diagram::new(&flow, &workspace);
        for paper in [Paper::Auto, Paper::A4Portrait, Paper::A4Landscape, Paper::A3Portrait, Paper::A3Landscape] {
            let pages = pages(&diagram, &about(), look::INK, paper);
            assert!(!pages.is_empty(), "{name}");
            let file = pdf(&pages, &flow.name).expect("writes");
            assert_eq!(num_pages(&file), pages.len(), "{name}, {paper:?}");
            assert_eq!(file, pdf(&pages, &flow.name).expect("writes"), "{name}: the same bytes");
            let all: String =
                pages.iter().flat_map(Scene::texts).map(|text| text.text.as_str()).collect::<Vec<_>>().join("\n");
            for card in &diagram.cards {
                assert!(all.contains(&card.title[0]), "{name}, {paper:?}: {}", card.id);
            }
        }
        let chart = mermaid(&flow, &workspace);
        assert!(chart.starts_with("flowchart TD\n") && chart.matches(" -->").count() == flow.edges.len(), "{chart}");
    }
}

/// Pages by the file's own count and by its page objects.
fn num_pages(file: &[u8]) -> usize {
    assert!(file.starts_with(b"%PDF-1.") && file.trim_ascii_end().ends_with(b"%%EOF"));
    let text = String::from_utf8_lossy(file);
    let objects = text.matches("/Type /Page\n").count();
    let said = text.split("/Count ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok());
    assert_eq!(said, Some(objects));
    objects
}

#[test]
fn any_flow_can_be_drawn() {
    for seed in 0..40 {
        let flow = flow_gen::flow(seed, 5 + seed as usize);
        let scene = check(&format!("seed {seed}"), &flow, &Workspace::default());
        check_svg(&format!("seed {seed}"), &svg(&scene, "x"), &flow);
    }
}

#[test]
fn hostile_flows_are_drawn() {
    let mut flow = Flow::new("f", "F\u{0}\"<&>\u{ffff}");
    for n in 0..30 {
        let mut node = Node::new(format!("n{n}").as_str(), ["delay", "condition", "nope"][n % 3], "(");
        node.title = "<script>alert(1)</script>\u{1}".repeat(n % 4);
        node.pos = [(0.0, 0.0), (f32::NAN, f32::INFINITY), (1e30, -1e30)][n % 3];
        flow.nodes.push(Arc::new(node));
        flow.edges.push(Edge::new(format!("n{n}").as_str(), "next", format!("n{}", (n * 7) % 30).as_str()));
    }
    flow.edges.push(Edge::new("n0", "next", "gone"));
    let scene = check("hostile", &flow, &Workspace::default());
    let text = svg(&scene, &flow.name);
    check_svg("hostile", &text, &flow);
    assert!(!text.contains("<script"));
    let diagram = Diagram::new(&flow, &Workspace::default());
    assert!(!pages(&diagram, &about(), look::INK, Paper::Auto).is_empty());
    assert!(mermaid(&flow, &Workspace::default()).is_ascii());
}

#[test]
fn an_empty_flow_is_a_page() {
    let flow = Flow::new("f", "");
    let scene = check("empty", &flow, &Workspace::default());
    assert!(scene.width > 100.0 && scene.height > 50.0);
    let diagram = Diagram::new(&flow, &Workspace::default());
    assert_eq!(pages(&diagram, &about(), look::INK, Paper::Auto).len(), 1);
}

#[test]
fn a_large_flow_takes_several_pages() {
    let file = file::read(&long_flow(60)).expect("reads");
    let diagram = Diagram::new(&file.flow, &Workspace::default());
    let pages = pages(&diagram, &about(), look::INK, Paper::A4Portrait);
    assert!(pages.len() > 4, "{}", pages.len());
    let said = |n: usize| -> Vec<&str> { pages[n].texts().iter().map(|text| text.text.as_str()).collect() };
    assert!(said(0).contains(&"Overview: the parts and the pages they stand on"));
    assert!(said(1).contains(&"\u{2193} page 3") && said(2).contains(&"\u{2191} page 2"), "{:?}", said(2));
    let last = pages.len();
    assert!(said(last - 1).contains(&format!("Page {last} of {last}").as_str()));
}

fn long_flow(steps: usize) -> String {
    let nodes: Vec<String> = (0..steps)
        .map(|n| {
            format!(
                r#"(id: "n{n}", kind: "delay", title: "Step {n}", pos: (0, {}), settings: (wait: for("4 h")))"#,
                n * 156
            )
        })
        .collect();
    let edges: Vec<String> = (1..steps).map(|n| format!(r#"(from: "n{}", to: "n{n}")"#, n - 1)).collect();
    format!(r#"(version: 2, id: "f", name: "F", nodes: [{}], edges: [{}])"#, nodes.join(","), edges.join(","))
}

#[test]
fn rows_stay_rows_and_make_room() {
    let file = file::read(
        r#"(version: 2, id: "f", name: "F", nodes: [
            (id: "c", kind: "condition", pos: (0, 0), settings: (condition: "contact.lifetime_value > 500 and did \"Placed Order\" in the last 30 days and contact.country in [\"DE\", \"AT\"]")),
            (id: "a", kind: "exit", title: "A title that is far too long for one line", pos: (-156, 156)),
            (id: "b", kind: "exit", pos: (156, 156)),
            (id: "note", kind: "note", pos: (0, 156), settings: (text: "Between them")),
        ], edges: [(from: "c", port: "yes", to: "a"), (from: "c", port: "no", to: "b")])"#,
    )
    .expect("reads");
    let diagram = Diagram::new(&file.flow, &Workspace::default());
    check("rows", &file.flow, &Workspace::default());
    let area = |id: &str| diagram.card(id).expect("there").area;
    assert_eq!(area("a").top, area("b").top);
    assert!(area("a").top >= area("c").bottom + 61.0);
    assert_eq!(diagram.notes.len(), 1);
    let labels: Vec<&str> = diagram.ways.iter().filter_map(|way| way.label.as_ref()).map(|l| l.0.as_str()).collect();
    assert_eq!(labels, ["Yes", "No"]);
}

#[test]
fn only_used_letters_are_kept_in_a_pdf() {
    assert_eq!(super::pdf::kept("aab").len(), 3);
    let scene = Scene {
        width: 100.0,
        height: 100.0,
        marks: vec![crate::report::scene::text(
            (10.0, 50.0),
            "abc 日",
            (crate::report::font::Weight::Regular, 10.0),
            look::INK,
        )],
    };
    let file = pdf(&[scene], "日本").expect("writes");
    assert!(file.len() < 30_000, "{} bytes", file.len());
}

#[cfg(feature = "picture")]
#[test]
fn pixels_are_painted() {
    let file = file::read(&long_flow(3)).expect("reads");
    let scene = check("png", &file.flow, &Workspace::default());
    let bytes = png(&scene, 1.0).expect("draws");
    assert!(bytes.starts_with(b"\x89PNG"));
    assert_eq!(bytes, png(&scene, 1.0).expect("draws"));
}
