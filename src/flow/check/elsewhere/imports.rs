//! Pages of what keeps a platform's JSON from being imported, and of the remarks in an import's report.

use super::{CheckSpec, page};
use crate::base::Severity;

/// The pages.
pub(super) const PAGES: &[CheckSpec] = &[
    page(
        "import/no-such",
        Severity::Error,
        "A platform that nothing is imported from",
        [
            "An import was asked for from something that writes no flows.",
            "There is nothing to read.",
            "--from engine",
            "Import from klaviyo or hubspot.",
            "DESIGN 7 (import)",
        ],
    ),
    page(
        "import/too-large",
        Severity::Error,
        "JSON that is too large",
        [
            "The JSON is larger than the 64 MB that are read.",
            "A flow of 500 steps has about 1 MB, so this holds something else, or very many flows.",
            "A 200 MB answer of a list",
            "Give the definition of one flow at a time.",
            "DESIGN 7 (import)",
        ],
    ),
];
