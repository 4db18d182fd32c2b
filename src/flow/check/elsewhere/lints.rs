//! Pages of what the self-check of bodies for platforms finds.

use super::{CheckSpec, page};
use crate::base::Severity;

/// A page; all say the same but what they find.
const fn lint(code: &'static str, title: &'static str, what: &'static str, source: &'static str) -> CheckSpec {
    page(
        code,
        Severity::Error,
        title,
        [
            what,
            "The platform would refuse the body, or misread it; its schema does not catch this.",
            "a body that was changed by hand",
            "In our own export this is a fault of ours: please report it. In a body from elsewhere, mend it at the pointer.",
            source,
        ],
    )
}

/// The pages.
pub(super) const PAGES: &[CheckSpec] = &[
    lint(
        "klaviyo/lint-branch",
        "Paths of a branch",
        "A branch on several conditions has no \"everyone else\" at its end, more than 20 paths, or two of one id.",
        "references, Klaviyo 9",
    ),
    lint("klaviyo/lint-cycle", "A loop", "A link leads back to an action before it.", "references, Klaviyo 9"),
    lint(
        "klaviyo/lint-delay",
        "A delay that is refused",
        "A delay below one, or a time of day with a unit other than days.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-email",
        "A message that lacks something",
        "A message has no template, subject, sender or name.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-event",
        "An event that is not the trigger's",
        "A filter asks about an event in a flow that no event starts, or about another one.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-event-tag",
        "A tag that stays empty",
        "A template prints data of the event in a flow that no event starts.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-id",
        "Ids of actions",
        "A temporary id is missing or stands twice, or something only answers have is sent.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-join",
        "A join the editor may not show",
        "Paths meet that are not the two of one split.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-link",
        "A link to nothing",
        "A link names an action that is not there.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-not-in-flow",
        "A filter in the wrong place",
        "\"Not in flow\" is asked at a step; Klaviyo takes it at the flow only.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-revision",
        "Something newer than the revision",
        "A part of the body needs a newer revision of the API than the workspace names.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-sample",
        "A random sample of all or nobody",
        "A sample is not between 1 and 99 percent.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-shape",
        "A body without a definition",
        "The body has no definition where the API expects it.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-test",
        "A test with one variation",
        "A test of content has fewer than two variations.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-trigger",
        "The trigger",
        "There is not exactly one trigger, it has no id, or a split asks another one.",
        "references, Klaviyo 9",
    ),
    lint(
        "klaviyo/lint-unreachable",
        "An action nobody reaches",
        "Nothing leads to an action.",
        "references, Klaviyo 9",
    ),
    lint(
        "hubspot/lint-branch",
        "Too many arms",
        "An if/then branch has more than 20 arms, or a branch on a value more than 250.",
        "references, HubSpot 12",
    ),
    lint("hubspot/lint-cycle", "A loop", "A connection leads back to an action before it.", "references, HubSpot 12"),
    lint(
        "hubspot/lint-filter",
        "Filters in the wrong place",
        "Filters stand directly under OR, an OR has no children, or events stand inside events.",
        "references, HubSpot 12",
    ),
    lint("hubspot/lint-id", "Ids of actions", "An action's id is empty or stands twice.", "references, HubSpot 12"),
    lint("hubspot/lint-key", "A key of answers", "Something that only answers have is sent.", "references, HubSpot 12"),
    lint(
        "hubspot/lint-link",
        "A connection to nothing",
        "A connection names an action that is not there.",
        "references, HubSpot 12",
    ),
    lint(
        "hubspot/lint-object",
        "The wrong object",
        "A contact workflow is not about contacts.",
        "references, HubSpot 12",
    ),
    lint(
        "hubspot/lint-operator",
        "An operator that does not fit",
        "A filter's operator does not belong to its type; the schema lets it pass and the server refuses it.",
        "references, HubSpot 12",
    ),
    lint(
        "hubspot/lint-output",
        "An output that is not there",
        "A value reads the output of an action that is not there.",
        "references, HubSpot 12",
    ),
    lint(
        "hubspot/lint-split",
        "Shares of an A/B branch",
        "The shares do not add up to 100 over all arms, or an arm leads nowhere.",
        "references, HubSpot 12",
    ),
    lint(
        "hubspot/lint-start",
        "The first action",
        "The workflow does not name one of its actions as the first.",
        "references, HubSpot 12",
    ),
    lint(
        "hubspot/lint-unreachable",
        "An action nobody reaches",
        "Nothing leads to an action.",
        "references, HubSpot 12",
    ),
];
