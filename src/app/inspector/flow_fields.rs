//! Settings of the flow as a whole, as the inspector shows them.

use crate::kinds::{
    Case, Editor, FieldSpec, ListSpec,
    logic::cap,
    spec::{bare, field, one},
};

/// A caption and the settings below it.
pub const SECTIONS: &[(&str, &[&str])] = &[
    ("Entry", &["reentry", "reentry_key", "trigger_latest_age", "enrol_current", "consent"]),
    ("Goal and exit", &["goal_when", "conversion_window", "exit_when"]),
    ("Messages", &["sender", "quiet_hours", "caps", "tracking"]),
    ("Values", &["constants"]),
    ("Limits and target", &["pass_limit", "target"]),
    ("Import", &["kept"]),
];

/// The settings.
pub const FIELDS: &[FieldSpec] = &[
    field(
        "reentry",
        "May enter again",
        "Who may enter again, and when; by default whenever the contact is not inside.",
        Editor::OneOf(&[
            bare("after_exit", "When they have left"),
            bare("once", "Never"),
            one("cooldown", "After a time", &COOLDOWN, "(\"30 days\")"),
            bare("per_key", "Once for each key"),
            bare("restart", "At once, and begin anew"),
        ]),
    )
    .or("after_exit"),
    field(
        "reentry_key",
        "Key",
        "What tells two entries apart, such as event.cart_id; one key for all alternatives.",
        Editor::Path,
    )
    .or(""),
    field("exit_when", "Leaves when", "Ends the journey as soon as it holds.", Editor::Condition).or("never"),
    field("goal_when", "Goal", "Ends the journey as converted, from anywhere.", Editor::Condition).or("never"),
    field(
        "conversion_window",
        "Credited within",
        "A conversion counts for the last message handed over so long before it. Default 48 h.",
        Editor::Span,
    )
    .or("48 h"),
    field(
        "trigger_latest_age",
        "Not later than",
        "A trigger later than this lets nobody in. Default 4 h.",
        Editor::Span,
    )
    .or("4 h"),
    field(
        "consent",
        "Needs consent",
        "What a contact must have allowed to enter and stay. Default: subscribed to e-mails.",
        Editor::List(&CONSENT),
    )
    .or("[subscribed(email)]"),
    field("sender", "Sender", "One of the workspace's senders.", Editor::Name("sender")).or(""),
    field(
        "tracking",
        "Tracking",
        "Parameters added to links, such as utm_source.",
        Editor::Map { key: "Parameter", typed: false },
    )
    .or(""),
    field(
        "constants",
        "Constants",
        "Named values for conditions and templates, such as threshold.",
        Editor::Map { key: "Constant", typed: true },
    )
    .or(""),
    field("caps", "Caps", "Of this flow, besides the workspace's.", Editor::List(&CAPS)).or(""),
    field("quiet_hours", "Quiet hours", "Instead of the workspace's, in the contact's zone.", Editor::Window).or(""),
    field("pass_limit", "Passes", "Most arrivals of a journey at one step. Default 10.", Editor::Number)
        .or("10")
        .range(1.0, 1000.0),
    field(
        "enrol_current",
        "Enrol current",
        "Those for whom the trigger holds already, when published.",
        Editor::Switch,
    )
    .or("false"),
    field(
        "target",
        "Made for",
        "Where the flow is going, so that losses show while it is drawn.",
        Editor::Choice(&["klaviyo", "hubspot", "engine"]),
    )
    .or(""),
    field(
        "kept",
        "Kept JSON",
        "What an import could not say otherwise; goes back to its platform.",
        Editor::List(&KEPT),
    )
    .or(""),
];

const COOLDOWN: FieldSpec =
    field("cooldown", "After", "The last entry is at least so long ago, and the contact is not inside.", Editor::Span);

const CHANNEL: FieldSpec = field("channel", "Channel", "E-mail or SMS.", Editor::Choice(&["email", "sms"]));

const CONSENTS: &[Case] = &[
    one("subscribed", "Subscribed", &CHANNEL, "(email)"),
    one("not_unsubscribed", "Not unsubscribed", &CHANNEL, "(email)"),
];

const CONSENT: ListSpec = ListSpec {
    one: "consent",
    item: field("consent", "Consent", "What they must have allowed.", Editor::OneOf(CONSENTS)),
    new: "",
    ordered: false,
    percent: None,
};

const KEPT: ListSpec = ListSpec {
    one: "piece",
    item: field(
        "kept",
        "Piece",
        "JSON of the platform.",
        Editor::Group(&[
            field("origin", "From", "The platform it came from.", Editor::Choice(&["klaviyo", "hubspot"])),
            field("node", "Step", "The step it belongs to; the whole flow where empty.", Editor::Text).or(""),
            field("patch", "JSON", "An object that is merged into what is exported there.", Editor::LongText),
        ]),
    ),
    new: "(origin: klaviyo, patch: \"{}\")",
    ordered: false,
    percent: None,
};

const CAPS: ListSpec = ListSpec {
    one: "cap",
    item: field("cap", "Cap", "The most messages in a window.", Editor::Group(cap::SPEC.fields)),
    new: "(limit: at_most(3), within: \"48 h\")",
    ordered: true,
    percent: None,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowSettings;

    #[test]
    fn every_setting_has_a_row_in_one_section() {
        let mut names: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
        let mut sorted: Vec<&str> = SECTIONS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let mut expected = FlowSettings::NAMES.to_vec();
        names.sort_unstable();
        sorted.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(sorted, expected);
    }
}
