//! Logic: a fixed share of contacts down each arm.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    base::{ContactId, Diagnostic, Place, Span, hash},
    kinds::spec::{Docs, Editor, FieldSpec, Group, ListSpec, Spec, field},
};

/// The settings. Ports: the arms' names.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Split {
    /// Salt of the hash that deals contacts; unique, so that two splits are independent (SEMANTICS R19).
    pub salt: SmolStr,
    /// The arms; weights are hundredths of a percent of 10,000 and must come to it, or plain percents that come to 100.
    pub arms: Vec<SplitArm>,
    /// Ends the test by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub winner: Option<Winner>,
}

/// One arm.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SplitArm {
    /// Its name, which is its port.
    pub name: SmolStr,
    /// Percent of contacts, up to two decimals; all arms together 100.
    pub weight: f64,
    /// Gets nothing, to measure against; never wins.
    #[serde(default)]
    pub hold_out: bool,
}

/// When and by what a winner is named (SEMANTICS R6).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Winner {
    /// What counts.
    pub metric: WinnerMetric,
    /// Not before so many entries in each arm.
    pub after_entries: u32,
    /// Not before so long after the first entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Span>,
}

/// What an arm wins by, per entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WinnerMetric {
    /// Contacts who opened a message after it.
    Opened,
    /// Contacts who clicked.
    Clicked,
    /// Contacts who converted.
    Converted,
}

impl Split {
    /// Upper ends of the arms' slots, cumulative, of 10,000. Weights that do not come to 100 are scaled to it, so that
    /// a flow with that fault (an error of `check`) still draws and simulates.
    pub fn cumulative(&self) -> Vec<u32> {
        let cents: Vec<u64> = self.arms.iter().map(|arm| (arm.weight.clamp(0.0, 1e6) * 100.0).round() as u64).collect();
        let total: u64 = cents.iter().sum();
        let mut sum = 0;
        cents
            .iter()
            .map(|c| {
                sum += c;
                (sum * 10_000).checked_div(total).unwrap_or(0) as u32
            })
            .collect()
    }

    /// The arm of a contact by its slot (SEMANTICS R19).
    pub fn arm_of(&self, cumulative: &[u32], contact: &ContactId) -> usize {
        let slot = hash::slot(&self.salt, contact.as_str());
        cumulative.iter().position(|end| slot < *end).unwrap_or(0)
    }

    /// Faults visible in the settings alone.
    pub fn check(&self, place: &Place, out: &mut Vec<Diagnostic>) {
        super::super::check_port_names(self.arms.iter().map(|arm| arm.name.as_str()), &[], place, "arms", out);
        if self.salt.is_empty() {
            out.push(
                Diagnostic::error("split/no-salt", place.clone().with_field("salt"), "The split has no salt")
                    .hint("Give it a word of its own; two splits with one salt deal the same contacts together"),
            );
        }
        if self.arms.len() < 2 {
            out.push(
                Diagnostic::error("split/one-arm", place.clone().with_field("arms"), "A split needs at least two arms")
                    .hint("Add an arm, or take the split out"),
            );
        }
    }
}

const ARMS: ListSpec = ListSpec {
    one: "arm",
    item: field(
        "arm",
        "Arm",
        "A way out of the step.",
        Editor::Group(&[
            field("name", "Name", "Letters, digits, - or _; it names the way out.", Editor::Text),
            field("weight", "Share", "Percent of contacts, up to two decimals.", Editor::Number)
                .unit("%")
                .range(0.0, 100.0),
            field("hold_out", "Hold-out", "Gets nothing, to measure against; never wins.", Editor::Switch).or("false"),
        ]),
    ),
    new: "(name: \"arm\", weight: 0)",
    ordered: true,
    percent: Some("weight"),
};

const WINNER: &[FieldSpec] = &[
    field("metric", "Wins by", "Counted per entry.", Editor::Choice(&["opened", "clicked", "converted"])),
    field("after_entries", "After", "Not before so many entries in each arm.", Editor::Number)
        .unit("entries per arm")
        .range(0.0, 4_294_967_295.0),
    field("after", "And after", "Not before so long after the first entry.", Editor::Span).or(""),
];

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "split",
    title: "A/B split",
    group: Group::Logic,
    icon: "split",
    search: &["ab", "test", "random", "percent", "hold-out", "experiment", "winner"],
    ports: &["(arms)"],
    docs: Docs {
        what: "Deals contacts to arms by a hash of salt and contact, so that one contact always gets the same arm.",
        why: "Two versions can only be compared when nobody sees both.",
        source: "SEMANTICS R19, R6",
    },
    fields: &[
        field("salt", "Salt", "Any word; contacts are dealt anew when it changes.", Editor::Text),
        field("arms", "Arms", "Names and percents, together 100; a hold-out arm gets nothing.", Editor::List(&ARMS)),
        field(
            "winner",
            "Winner",
            "Names a winner by opens, clicks or conversions, after so many entries.",
            Editor::Group(WINNER),
        )
        .or(""),
    ],
    example: r#"(salt: "tone-1", arms: [(name: "a", weight: 50), (name: "b", weight: 50)])"#,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn split(weights: &[f64]) -> Split {
        let arms = weights.iter().enumerate();
        Split {
            salt: "s".into(),
            arms: arms.map(|(n, w)| SplitArm { name: n.to_string().into(), weight: *w, hold_out: false }).collect(),
            winner: None,
        }
    }

    #[test]
    fn weights_become_slots() {
        assert_eq!(split(&[50.0, 50.0]).cumulative(), [5_000, 10_000]);
        assert_eq!(split(&[33.33, 33.33, 33.34]).cumulative(), [3_333, 6_666, 10_000]);
        assert_eq!(split(&[1.0, 1.0]).cumulative(), [5_000, 10_000]);
        assert_eq!(split(&[0.0, 0.0]).cumulative(), [0, 0]);
    }

    #[test]
    fn shares_are_met_and_sticky() {
        let split = split(&[20.0, 80.0]);
        let cumulative = split.cumulative();
        let arm = |n: i32| split.arm_of(&cumulative, &ContactId::new(format!("c{n}")));
        let first = (0..10_000).filter(|n| arm(*n) == 0).count();
        assert!((1_850..2_150).contains(&first), "{first}");
        assert_eq!(arm(7), arm(7));
    }
}
