//! Pages of what keeps a flow from being exported at all. What a target cannot do is a loss with its own remedy.

use super::{CheckSpec, page};
use crate::base::Severity;

/// The pages.
pub(super) const PAGES: &[CheckSpec] = &[
    page(
        "export/no-trigger",
        Severity::Error,
        "Nothing lets contacts in",
        [
            "The flow has no trigger node, or a trigger without alternatives, so there is nothing to export.",
            "A platform takes a flow only with what starts it.",
            "start: trigger(any: [])",
            "Say what lets contacts in, for example an event.",
            "DESIGN 3",
        ],
    ),
    page(
        "export/unreadable",
        Severity::Error,
        "A part that cannot be exported",
        [
            "The settings of a step, or of the flow, cannot be read.",
            "An export that leaves a step out would be a different flow.",
            "wait: delay(wat: 3)",
            "Mend the settings or take the step out; the check of the flow says what is wrong with them.",
            "DESIGN 6",
        ],
    ),
    page(
        "export/condition",
        Severity::Error,
        "A condition that cannot be exported",
        [
            "A condition has a mistake, so it is not known what it asks.",
            "Half a condition would let the wrong people through.",
            "contact.lifetime_value >",
            "Mend the condition; the check of the flow points at the letter.",
            "DESIGN 3",
        ],
    ),
    page(
        "export/no-message",
        Severity::Error,
        "A step without its message",
        [
            "A step sends a message that is not in the flow, or that cannot be read.",
            "There is nothing to make a template of.",
            "email(message: \"mail-9\")",
            "Write the message, or choose another one in the step.",
            "DESIGN 3",
        ],
    ),
    page(
        "export/message",
        Severity::Error,
        "A message that cannot be made",
        [
            "A variant of a message has a mistake in its template or layout, so its exported template is empty.",
            "The client would mail an empty page.",
            "{% if cart_value %}without an end",
            "Mend the message; the check of the flow points at the place.",
            "references, mail rendering, safe subset",
        ],
    ),
];
