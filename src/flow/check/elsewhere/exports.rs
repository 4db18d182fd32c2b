//! Pages of what exporters say: what keeps a flow from being exported, and what a target cannot express.

use super::{CheckSpec, page};
use crate::base::Severity;

/// The pages.
pub(super) const PAGES: &[CheckSpec] = &[
    page(
        "export/condition",
        Severity::Error,
        "A condition that cannot be exported",
        [
            "A condition of the flow cannot be read, so it cannot be written for a target.",
            "An export with a guessed condition would mail the wrong people.",
            "contact.lifetime_value >",
            "Mend the condition; `flowloom check` points at the letter.",
            "DESIGN 7 (export)",
        ],
    ),
    page(
        "export/local-image",
        Severity::Error,
        "A mail that points to a file",
        [
            "A mail of the export shows a picture by the path of a file on somebody's disk.",
            "Nobody else has that file, so every recipient would see a gap.",
            "<img src=\"C:\\pictures\\hero.png\">",
            "Give the picture an address on the web, or say in the brand where the workspace's pictures lie.",
            "DESIGN 7 (export)",
        ],
    ),
    page(
        "export/message",
        Severity::Error,
        "A message that cannot be exported",
        [
            "A template of the message cannot be read, so it cannot be written for a target.",
            "An export with a broken template would be refused, or printed as it stands.",
            "Hi {{ first_name",
            "Mend the template; `flowloom check` points at the letter.",
            "DESIGN 7 (export)",
        ],
    ),
    page(
        "export/no-message",
        Severity::Error,
        "A step without its message",
        [
            "A step sends a message that is missing or cannot be read.",
            "No target accepts a message step without a message.",
            "(id: \"mail-1\", kind: \"email\", settings: (message: \"mial-1\"))",
            "Write the message, or choose another one.",
            "DESIGN 7 (export)",
        ],
    ),
    page(
        "export/no-trigger",
        Severity::Error,
        "A flow without a trigger",
        [
            "The flow has nothing that lets contacts in.",
            "No target accepts a flow without a trigger.",
            "any: []",
            "Say what lets contacts in.",
            "SEMANTICS R7",
        ],
    ),
    page(
        "export/only-elsewhere",
        Severity::Error,
        "A mail that only another platform has",
        [
            "The flow was imported without the template of a message, and goes to another target than it came from.",
            "There the mail would be empty. Its own platform gets its template back by its id, unchanged.",
            "(id: \"mail-1\", subject: \"Hello\", kept: [(origin: klaviyo, part: template, source: \"TmPl01\", …)])",
            "Import the flow again with its templates beside the JSON, or write the mail.",
            "DESIGN 7 (export)",
        ],
    ),
    page(
        "export/unreadable",
        Severity::Error,
        "A part that cannot be exported",
        [
            "The settings of the flow or of a step cannot be read.",
            "What is not understood cannot be written for a target.",
            "(id: \"a\", kind: \"teleport\")",
            "Mend the settings, or take the step out; `flowloom check` says what is wrong.",
            "DESIGN 6",
        ],
    ),
    page(
        "push/failed",
        Severity::Error,
        "A push that did not succeed",
        [
            "A platform refused a call, or could not be reached, while a flow was pushed to it.",
            "Part of the flow may be in the account; what was made is noted beside the flow.",
            "401: the key is not valid",
            "Do what the message says and push again: what is there already is not made twice.",
            "references, Klaviyo 1 and HubSpot 1",
        ],
    ),
];

/// For codes of a platform without a page of their own, such as one of a newer version in a file.
pub(super) const LOSSES: &[CheckSpec] = &[
    page(
        "klaviyo/*",
        Severity::Warning,
        "What Klaviyo cannot express",
        [
            "A part of the flow has no exact counterpart in Klaviyo. The loss names the place and what is different there.",
            "The client should know before they sign, and whoever sets it up should know what to do by hand.",
            "A score trigger, which Klaviyo does not have",
            "Do what the loss itself says; `losses.json` and the README of the export list them all.",
            "references, Klaviyo",
        ],
    ),
    page(
        "hubspot/*",
        Severity::Warning,
        "What HubSpot cannot express",
        [
            "A part of the flow has no exact counterpart in HubSpot. The loss names the place and what is different there.",
            "The client should know before they sign, and whoever sets it up should know what to do by hand.",
            "A cooldown after one mail, which HubSpot does not have",
            "Do what the loss itself says; `losses.json` and the README of the export list them all.",
            "references, HubSpot",
        ],
    ),
];
