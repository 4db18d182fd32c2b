//! Pages of codes that other rooms report: files, settings, conditions, templates, audiences.
//!
//! A room that reports a new code adds its page here; a test of the catalogue finds the ones that did not.

mod audience;
mod documents;
mod exports;
mod language;
mod mails;

use super::CheckSpec;
use crate::base::Severity;

/// A page with its texts in the order of the headings: what, why, example, fix, source.
const fn page(
    code: &'static str,
    severity: Severity,
    title: &'static str,
    [what, why, example, fix, source]: [&'static str; 5],
) -> CheckSpec {
    CheckSpec { code, severity, title, what, why, example, fix, source }
}

/// All pages.
pub(super) fn pages() -> impl Iterator<Item = CheckSpec> {
    [documents::PAGES, audience::PAGES, language::PAGES, mails::PAGES, exports::PAGES].into_iter().flatten().copied()
}
