//! What a card on the canvas says: pure data, ready to draw.

use super::when::Manner;
pub use crate::flow::card::{CARD_SIZE, COLUMN_STEP, Family, ROW_STEP, family, size, spec, summary};
use crate::simulate::NodeReport;

/// The counts under the summary, in words.
pub fn counts(manner: &Manner, kind: &str, report: &NodeReport) -> String {
    let n = manner.number(report.entered);
    let word = match family(kind) {
        Family::Trigger => "entered",
        Family::Delay if report.waiting > 0 => {
            return format!("{n} came \u{b7} {} waiting", manner.number(report.waiting));
        }
        Family::Delay => "waited",
        Family::Condition => "checked",
        Family::Split => "split",
        Family::Message => "arrived",
        Family::Action | Family::Unknown => "passed",
        Family::Exit => "ended",
        Family::Note => return String::new(),
    };
    format!("{n} {word}")
}
