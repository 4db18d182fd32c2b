//! What a step's card says and how large it is, wherever it is drawn: on the canvas, in a client's picture.

use super::{Flow, Node};
use crate::kinds::{Settings, Spec, spec_of};

/// Family of a step, which gives its colour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// Lets contacts in.
    Trigger,
    /// Waits.
    Delay,
    /// Asks.
    Condition,
    /// Deals.
    Split,
    /// Sends.
    Message,
    /// Writes or calls.
    Action,
    /// Ends.
    Exit,
    /// Says something to people.
    Note,
    /// Not known to this version.
    Unknown,
}

/// The family of a kind.
pub fn family(kind: &str) -> Family {
    match kind {
        "trigger" | "event" | "abandonment" | "engagement" | "score" | "segment" | "list" | "date" | "inactivity" => {
            Family::Trigger
        }
        "delay" | "wait_for_event" => Family::Delay,
        "condition" | "branch" | "cap" => Family::Condition,
        "split" => Family::Split,
        "email" | "sms" => Family::Message,
        "webhook" | "update_contact" | "list_update" | "internal_alert" | "foreign" => Family::Action,
        "exit" | "goal" => Family::Exit,
        "note" => Family::Note,
        _ => Family::Unknown,
    }
}

/// The catalogue entry of a kind.
pub fn spec(kind: &str) -> Option<&'static Spec> {
    spec_of(kind)
}

/// Width and height of a card, in canvas units. Fixed, so that culling and hits need no layout.
pub const CARD_SIZE: (f32, f32) = (262.0, 94.0);

/// Canvas units from one row of cards to the next; a branch label and a "+" fit between.
pub const ROW_STEP: f32 = 156.0;

/// Canvas units from one column to the next.
pub const COLUMN_STEP: f32 = 312.0;

/// Width and height of a node's card; frames have their own.
pub fn size(node: &Node) -> (f32, f32) {
    match node.settings() {
        Some(Settings::Note(note)) => note.size.unwrap_or((CARD_SIZE.0, 72.0)),
        _ => CARD_SIZE,
    }
}

/// The line under the title: the kind's summary, with the subject instead of a message's id.
pub fn summary(flow: &Flow, node: &Node) -> String {
    let Some(settings) = node.settings() else { return format!("`{}` is not known to this version", node.kind) };
    if let Some((id, _)) = settings.message() {
        let subject = flow.message(id.as_str()).and_then(|m| m.variants.first()).map(|v| v.subject.clone());
        return match subject {
            Some(subject) if !subject.is_empty() => format!("\u{201c}{subject}\u{201d}"),
            _ => "No subject yet".to_owned(),
        };
    }
    if let Settings::Condition(condition) = settings {
        return condition.condition.condition().sentence();
    }
    settings.summary()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::CATALOGUE;

    #[test]
    fn every_kind_has_a_family() {
        for spec in CATALOGUE {
            assert_ne!(family(spec.name), Family::Unknown, "{}", spec.name);
        }
    }
}
