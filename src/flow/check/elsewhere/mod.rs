//! Pages of codes that other rooms report: files, settings, conditions, templates, audiences.
//!
//! A room that reports a new code adds its page here; a test of the catalogue finds the ones that did not.

mod audience;
mod blocks;
mod documents;
mod exports;
mod hubspot;
mod imports;
mod klaviyo;
mod language;
mod lints;
mod mails;
mod platform_mails;

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
    let platforms = [klaviyo::PAGES, hubspot::PAGES, platform_mails::PAGES, lints::PAGES];
    let others = [
        documents::PAGES,
        audience::PAGES,
        exports::PAGES,
        imports::PAGES,
        language::PAGES,
        mails::PAGES,
        blocks::PAGES,
    ];
    others.into_iter().chain(platforms).flatten().copied()
}

/// The page of a code of a platform that has none of its own, by its area.
pub(super) fn loss_page(code: &str) -> Option<CheckSpec> {
    exports::LOSSES
        .iter()
        .find(|page| code.split_once('/').is_some_and(|(area, _)| page.code.split('/').next() == Some(area)))
        .copied()
}
