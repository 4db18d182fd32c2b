//! Below the settings: what was found, what the replay counted, more about the kind.

use smol_str::SmolStr;

use super::super::{Document, card, overlay, problems, when::Manner};
use crate::{audience::ResponseKind, base::NodeId, kinds::runtime::Outcome};

/// A number with a word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stat {
    /// The number as people read it: `4,480`, `47.9%`.
    pub number: String,
    /// What it counts.
    pub word: String,
    /// The whole sentence, for a tooltip and for those who hear it.
    pub help: String,
}

/// Findings about a step, its message included.
pub fn problems<'a>(document: &'a Document, node: &NodeId) -> Vec<problems::Row<'a>> {
    problems::rows(document).into_iter().filter(|row| row.node.as_ref() == Some(node)).collect()
}

/// What the replay of the audience counted at a step; nothing without a replay.
pub fn stats(document: &Document, node: &NodeId) -> Vec<Stat> {
    let flow = document.flow();
    let Some(step) = flow.node(node.as_str()) else { return Vec::new() };
    let Some(counts) = overlay::counts(document) else { return Vec::new() };
    let manner = &document.home.manner;
    let report = counts.get(node).cloned().unwrap_or_default();
    if step.settings().is_some_and(|settings| settings.message().is_some()) {
        return message_stats(document, node);
    }
    let family = card::family(&step.kind);
    let mut out = Vec::new();
    if family != card::Family::Trigger {
        out.push(count(manner, report.entered, "Arrived", "journeys of the replay came here"));
    }
    if report.waiting > 0 {
        out.push(count(manner, report.waiting, "Waiting", "journeys stand here at the end of the replay"));
    }
    let ports = step.ports();
    let left = |name: &SmolStr| report.left.get(name).copied().unwrap_or(0);
    for port in &ports {
        let n = left(&port.name);
        if ports.len() == 1 {
            let word = if family == card::Family::Trigger { "Entered" } else { "Went on" };
            out.push(count(manner, n, word, "journeys of the replay went on from here"));
            continue;
        }
        let title = port.title.split(" \u{b7} ").next().unwrap_or(&port.title).to_owned();
        let share = if report.entered == 0 {
            String::new()
        } else {
            format!(", {} of those who came", manner.percent(n, report.entered))
        };
        let help = format!("{} journeys left by \u{201c}{title}\u{201d}{share}", manner.number(n));
        out.push(Stat { number: manner.number(n), word: title, help });
    }
    out
}

fn count(manner: &Manner, n: u64, word: &str, help: &str) -> Stat {
    let number = manner.number(n);
    Stat { help: format!("{number} {help}"), number, word: word.to_owned() }
}

fn message_stats(document: &Document, node: &NodeId) -> Vec<Stat> {
    let Some(replay) = &document.derived.replay else { return Vec::new() };
    let (flow, manner) = (&document.flow().id, &document.home.manner);
    let rows = replay.value.messages.iter().filter(|row| row.flow == *flow && row.node == *node);
    let (mut sent, mut kept) = (Vec::new(), 0);
    for row in rows {
        if row.outcome == Outcome::Sent { sent.push(&row.contact) } else { kept += 1 }
    }
    let total = sent.len() as u64;
    let mut out = vec![count(manner, total, "Sent", "messages of the replay were handed over")];
    if total > 0 {
        for (kind, word) in [(ResponseKind::Opened, "Opened"), (ResponseKind::Clicked, "Clicked")] {
            let responded = |contact: &&&crate::base::ContactId| {
                document.home.audience.responses.iter().any(|r| {
                    r.contact == ***contact
                        && r.node == *node
                        && r.response == kind
                        && r.flow.as_ref().is_none_or(|f| f == flow)
                })
            };
            let n = sent.iter().filter(responded).count() as u64;
            if n > 0 {
                let help = format!("{} of {} contacts of the replay", manner.number(n), manner.number(total));
                out.push(Stat { number: manner.percent(n, total), word: word.to_owned(), help });
            }
        }
    }
    if kept > 0 {
        out.push(count(manner, kept, "Not sent", "messages were skipped, held or refused in the replay"));
    }
    out
}

/// Whether the counts are of an older state of the flow.
pub fn is_stale(document: &Document) -> bool {
    document.derived.replay.as_ref().is_some_and(|replay| replay.revision != document.history.revision())
}
