//! Pages of what the languages of templates say of a text.

use super::{CheckSpec, page};
use crate::base::Severity;

/// The pages.
pub(super) const PAGES: &[CheckSpec] = &[
    page(
        "template/syntax",
        Severity::Error,
        "A template that cannot be read",
        [
            "A tag or block of a text is not closed, or not written as the template language has it.",
            "The message cannot be made, for anybody.",
            "Hi {{ first_name",
            "Mend the text at the place that is marked.",
            "references, mail rendering, safe subset",
        ],
    ),
    page(
        "template/refused",
        Severity::Error,
        "Outside the safe subset",
        [
            "A text uses something of the template language that not every platform reads alike.",
            "What is right in one system would be printed or dropped in another.",
            "{% set x = 1 %}",
            "Write it with the tags and filters of the subset; a field can compute the rest.",
            "references, mail rendering, safe subset",
        ],
    ),
    page(
        "template/unknown-field",
        Severity::Error,
        "A tag that is no field",
        [
            "A text names a field that the flow does not declare.",
            "The tag would be printed as it stands, or the message be held.",
            "Hi {frist_name}",
            "Correct the name, or declare the field.",
            "DESIGN 3 (fields)",
        ],
    ),
    page(
        "template/no-fallback",
        Severity::Warning,
        "A tag without a fallback",
        [
            "A tag may be missing for some contacts, and nothing stands in for it.",
            "The mail to such a contact is held.",
            "Hi {first_name}, with a field first_name without a fallback",
            "Give the field a fallback, or show the part only where the value is there.",
            "SEMANTICS R27",
        ],
    ),
    page(
        "template/type-mismatch",
        Severity::Error,
        "Kinds that do not fit",
        [
            "A condition of a text compares values of different kinds, or loops over what is no list.",
            "Each platform answers such a comparison differently.",
            "{% if cart_value > '100' %}",
            "Compare numbers without quotes and texts with them.",
            "references, mail rendering, safe subset",
        ],
    ),
];
