//! What a replay of the whole audience counted, as a table ready to draw.

use std::collections::BTreeMap;

use super::{
    card::{self, Family},
    document::Document,
    timeline, when,
};
use crate::{
    base::NodeId,
    kinds::runtime::{Outcome, Reason},
};

/// A figure with its word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figure {
    /// "1,204".
    pub count: String,
    /// "entered".
    pub word: String,
}

/// One step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepRow {
    /// Which.
    pub node: NodeId,
    /// What it is called.
    pub title: String,
    /// Icon of its kind.
    pub icon: &'static str,
    /// Colour of its kind.
    pub family: Family,
    /// Arrivals.
    pub came: String,
    /// Still there at the end; empty where nobody is.
    pub waiting: String,
    /// "Yes 21, No 80"; empty where there is one way only.
    pub left: String,
    /// Messages that left; empty for steps that send nothing.
    pub sent: String,
    /// "capped 3, no consent 2".
    pub not_sent: String,
}

/// The whole table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counts {
    /// "Thu 1 Oct 03:58 to Tue 15 Dec 09:00", on the workspace's wall.
    pub span: String,
    /// Contacts, entries, conversions, ends by how, under way.
    pub figures: Vec<Figure>,
    /// Who did not come in, by why.
    pub not_entered: Vec<Figure>,
    /// A row per step, in the order of the flow.
    pub steps: Vec<StepRow>,
}

/// What the replay counted; `None` until there is one.
pub fn counts(document: &Document) -> Option<Counts> {
    let report = &document.derived.replay.as_ref()?.value;
    let manner = &document.home.manner;
    let flow = document.flow();
    let of_flow = report.flows.get(&flow.id)?;
    let figure = |n: u64, word: &str| Figure { count: manner.number(n), word: word.to_owned() };
    let mut figures = vec![
        figure(report.contacts as u64, if report.contacts == 1 { "contact" } else { "contacts" }),
        figure(of_flow.entered, if of_flow.entered == 1 { "entry" } else { "entries" }),
        figure(of_flow.converted, "converted"),
    ];
    figures.extend(of_flow.ended.iter().map(|(how, n)| figure(*n, how)));
    if of_flow.under_way > 0 {
        figures.push(figure(of_flow.under_way, "under way"));
    }
    let mut outcomes: BTreeMap<&NodeId, BTreeMap<(Outcome, Reason), u64>> = BTreeMap::new();
    for row in report.messages.iter().filter(|row| row.flow == flow.id) {
        *outcomes.entry(&row.node).or_default().entry((row.outcome, row.reason)).or_default() += 1;
    }
    let mut steps = Vec::new();
    for node in flow.nodes.iter().filter(|node| card::family(&node.kind) != Family::Note) {
        let counted = of_flow.nodes.get(&node.id).cloned().unwrap_or_default();
        let ports = node.ports();
        let left = ports.iter().filter(|_| ports.len() > 1).map(|port| {
            format!("{} {}", port.title, manner.number(counted.left.get(&port.name).copied().unwrap_or(0)))
        });
        let of_node = outcomes.get(&node.id);
        let sends = node.settings().is_some_and(|settings| settings.message().is_some());
        let sent = of_node.map_or(0, |all| all.iter().filter(|((o, _), _)| *o == Outcome::Sent).map(|(_, n)| n).sum());
        let others = of_node.into_iter().flatten().filter(|((outcome, _), _)| *outcome != Outcome::Sent);
        let others = others.map(|((outcome, reason), n)| {
            let held =
                if *outcome == Outcome::Skipped { String::new() } else { format!("{}: ", timeline::became(*outcome)) };
            format!("{held}{} {}", timeline::said(*reason), manner.number(*n))
        });
        steps.push(StepRow {
            node: node.id.clone(),
            title: node.title().to_owned(),
            icon: card::spec(&node.kind).map_or("question", |spec| spec.icon),
            family: card::family(&node.kind),
            came: manner.number(counted.entered),
            waiting: if counted.waiting > 0 { manner.number(counted.waiting) } else { String::new() },
            left: left.collect::<Vec<_>>().join(", "),
            sent: if sends { manner.number(sent) } else { String::new() },
            not_sent: others.collect::<Vec<_>>().join(", "),
        });
    }
    let zone = when::zone(&document.home, None);
    Some(Counts {
        span: format!("{} to {}", when::day_time(report.from, &zone), when::day_time(report.until, &zone)),
        figures,
        not_entered: of_flow.not_entered.iter().map(|(why, n)| figure(*n, why)).collect(),
        steps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{act::Act, fixture},
        base::Instant,
    };

    #[test]
    fn the_sample_is_counted() {
        let app = fixture::studio();
        let counted = counts(fixture::document(&app)).expect("counted");
        assert_eq!(
            counted.figures[0],
            Figure { count: fixture::NUM_CONTACTS.to_string(), word: "contacts".to_owned() }
        );
        assert_eq!(counted.steps.len(), 7);
        let mail = counted.steps.iter().find(|step| step.node.as_str() == "mail-1").expect("a row");
        assert!(mail.not_sent.contains("capped"), "{}", mail.not_sent);
        let came: u64 = mail.came.parse().expect("a number");
        let sent: u64 = mail.sent.parse().expect("a number");
        assert!(sent < came && sent > 0);
    }

    #[test]
    fn a_narrower_span_counts_less() {
        let mut app = fixture::studio();
        let all = fixture::document(&app).derived.replay.clone().expect("replayed").value.entered;
        let at = |text: &str| Some(Instant::parse(text).expect("an instant"));
        fixture::run(&mut app, Act::SetWindow(at("2026-10-05T00:00:00Z"), at("2026-10-10T00:00:00Z")));
        let some = fixture::document(&app).derived.replay.clone().expect("replayed").value;
        assert!(some.entered > 0 && some.entered < all);
        assert!(counts(fixture::document(&app)).expect("counted").span.starts_with("Mon 5 Oct 02:00 to"));
        fixture::run(&mut app, Act::SetWindow(at("2026-10-10T00:00:00Z"), at("2026-10-05T00:00:00Z")));
        assert!(app.toasts.iter().any(|toast| toast.is_error), "it would end before it begins");
    }
}
