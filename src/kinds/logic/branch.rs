//! Logic: ordered arms, the first that holds wins.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::ConditionText,
    base::{Diagnostic, Place},
    kinds::spec::{Docs, Editor, Group, ListSpec, Spec, field},
};

/// The settings. Ports: the arms' names, then [`ELSE`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Branch {
    /// The arms in order.
    pub arms: Vec<Arm>,
}

/// One arm.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Arm {
    /// Its name, which is its port.
    pub name: SmolStr,
    /// Taken if this holds and no arm before did.
    pub condition: ConditionText,
}

/// Port: no arm holds.
pub const ELSE: &str = "else";

impl Branch {
    /// Faults visible in the settings alone.
    pub fn check(&self, place: &Place, out: &mut Vec<Diagnostic>) {
        super::super::check_port_names(self.arms.iter().map(|arm| arm.name.as_str()), &[ELSE], place, "arms", out);
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
            field("condition", "Condition", "Taken if this holds and no arm before did.", Editor::Condition),
        ]),
    ),
    new: "(name: \"arm\", condition: \"\")",
    ordered: true,
    percent: None,
};

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "branch",
    title: "Branch",
    group: Group::Logic,
    icon: "share",
    search: &["switch", "case", "multi", "arms", "segment"],
    ports: &["(arms)", ELSE],
    docs: Docs {
        what: "Sends a journey down the first arm whose condition holds, else down the last.",
        why: "Segments want different words; one branch keeps them side by side.",
        source: "DESIGN 3",
    },
    fields: &[field("arms", "Arms", "Names and conditions in order; the first that holds wins.", Editor::List(&ARMS))],
    example: r#"(arms: [(name: "vip", condition: "in segment \"VIP\""), (name: "new", condition: "never did \"Placed Order\"")])"#,
};
