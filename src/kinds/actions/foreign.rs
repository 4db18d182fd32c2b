//! Action: a step that only the platform it came from knows. Locked: its JSON is kept and given back unchanged.
//!
//! Not in the catalogue, since nobody draws one: imports make it. Here a journey goes on at once, through its first
//! port.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    base::{Diagnostic, Place},
    content::Origin,
    kinds::spec::{Docs, Editor, Group, ListSpec, NEXT, Spec, field},
};

/// The settings.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Foreign {
    /// Whose step it is.
    pub origin: Origin,
    /// What the platform calls it: `target-date`, `0-28`.
    pub action: String,
    /// Its ways out in the order of the platform; a journey here takes the first. `next` where left out.
    #[serde(default = "one_way", skip_serializing_if = "is_one_way")]
    pub ports: Vec<SmolStr>,
    /// The platform's own JSON of it. Where its links stand, exports write those of the flow.
    pub json: String,
}

fn one_way() -> Vec<SmolStr> {
    vec![SmolStr::new_static(NEXT)]
}

fn is_one_way(ports: &[SmolStr]) -> bool {
    matches!(ports, [only] if only == NEXT)
}

impl Foreign {
    /// Faults visible in the settings alone.
    pub fn check(&self, place: &Place, out: &mut Vec<Diagnostic>) {
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&self.json) {
            out.push(
                Diagnostic::error(
                    "foreign/json",
                    place.clone().with_field("json"),
                    format!("What {} gave for this step is no JSON any more: {error}", self.origin.title()),
                )
                .hint("Import the flow again, or take the step out"),
            );
        }
        // A platform may have ways out whose names are taken nowhere else, so only their form matters.
        super::super::check_port_names(self.ports.iter().map(SmolStr::as_str), &[], place, "ports", out);
    }

    /// One line for a card.
    pub fn summary(&self) -> String {
        format!("{} only: {}", self.origin.title(), self.action)
    }
}

const PORTS: ListSpec = ListSpec {
    one: "way out",
    item: field("port", "Way out", "Its name.", Editor::Text),
    new: "\"next\"",
    ordered: true,
    percent: None,
};

/// What the window and the reference say about it.
pub const SPEC: Spec = Spec {
    name: "foreign",
    title: "Platform step",
    group: Group::Action,
    icon: "lock",
    search: &["foreign", "import", "locked"],
    ports: &["next"],
    docs: Docs {
        what: "A step of Klaviyo or HubSpot that Flowloom has nothing for. It goes back there unchanged; here contacts pass.",
        why: "A flow that was imported must not lose what only its platform can do.",
        source: "DESIGN 6, unknown content is kept",
    },
    fields: &[
        field("origin", "From", "The platform it came from.", Editor::Choice(&["klaviyo", "hubspot"])),
        field("action", "Action", "What the platform calls it.", Editor::Text),
        field("ports", "Ways out", "In the platform's order; contacts here take the first.", Editor::List(&PORTS))
            .or("next"),
        field("json", "JSON", "As the platform gave it.", Editor::LongText),
    ],
    example: r#"(origin: klaviyo, action: "target-date", json: "{\"type\": \"target-date\"}")"#,
};
