//! The flow as Mermaid text, for wikis and issue trackers.
//!
//! Source of the syntax: Mermaid's "Flowcharts - Basic Syntax"; entities (`#quot;`) are its own way to write what would
//! end a text.

use std::{collections::BTreeMap, fmt::Write as _};

use super::layout::Diagram;
use crate::{
    flow::{Flow, Workspace, card::Family},
    report::{look, words},
};

/// Longest text of a step's line, in characters. Source: assumption; Mermaid does not break lines well.
const LINE_CHARS: usize = 120;

/// The flow as a chart, steps in reading order. The same flow gives the same text.
pub fn mermaid(flow: &Flow, workspace: &Workspace) -> String {
    let diagram = Diagram::new(flow, workspace);
    let mut out = String::from("flowchart TD\n");
    let names: BTreeMap<&str, String> =
        diagram.cards.iter().map(|card| (card.id.as_str(), format!("s{}", card.number))).collect();
    let mut families: Vec<Family> = Vec::new();
    for card in &diagram.cards {
        let Some(node) = flow.node(card.id.as_str()) else { continue };
        let summary: String = words::summary(flow, workspace, node).chars().take(LINE_CHARS).collect();
        let mut text = format!("<b>{}</b>", escape(node.title()));
        if !summary.is_empty() {
            let _ = write!(text, "<br/>{}", escape(&summary));
        }
        let (open, close) = match card.family {
            Family::Trigger | Family::Exit => ("([", "])"),
            Family::Condition | Family::Split => ("{{", "}}"),
            Family::Delay => ("(", ")"),
            _ => ("[", "]"),
        };
        let _ = writeln!(out, "  {}{open}\"{text}\"{close}:::{}", names[card.id.as_str()], class(card.family));
        families.push(card.family);
    }
    for (n, note) in diagram.notes.iter().enumerate() {
        let _ = writeln!(out, "  n{}[/\"{}\"/]:::note", n + 1, escape(&note.lines.join(" ")));
        families.push(Family::Note);
    }
    for way in &diagram.ways {
        let (Some(from), Some(to)) =
            (names.get(way.from.as_str()), way.to.as_ref().and_then(|to| names.get(to.as_str())))
        else {
            continue;
        };
        let _ = match &way.label {
            Some((label, _)) => writeln!(out, "  {from} -->|\"{}\"| {to}", escape(label)),
            None => writeln!(out, "  {from} --> {to}"),
        };
    }
    families.sort_unstable();
    families.dedup();
    for family in families {
        let color = look::family(family);
        let soft = look::mix(look::PAPER, color, 0.1);
        let _ = writeln!(out, "  classDef {} fill:{soft},stroke:{color},color:{}", class(family), look::INK);
    }
    out
}

fn class(family: Family) -> &'static str {
    match family {
        Family::Trigger => "trigger",
        Family::Delay => "wait",
        Family::Condition => "question",
        Family::Split => "test",
        Family::Message => "message",
        Family::Action => "action",
        Family::Exit => "leave",
        Family::Note => "note",
        Family::Unknown => "unknown",
    }
}

/// A text that ends nothing and marks nothing up: whatever is no letter, digit or plain sign is an entity.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if c.is_whitespace() || c.is_control() => out.push(' '),
            c if c.is_alphanumeric() || ".,:!?%'()+-=/\u{b7}\u{2026}\u{201c}\u{201d}\u{20ac}".contains(c) => {
                out.push(c)
            }
            c => _ = write!(out, "#{};", u32::from(c)),
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_quotes() {
        let check = |text: &str, expected: &str| assert_eq!(escape(text), expected, "{text}");
        check("Wait 4 h", "Wait 4 h");
        check("a\"] --> b", "a#34;#93; --#62; b");
        check("<b>#1</b>\nnext", "#60;b#62;#35;1#60;/b#62; next");
        check("`x` | {y} & \\", "#96;x#96; #124; #123;y#125; #38; #92;");
    }
}
