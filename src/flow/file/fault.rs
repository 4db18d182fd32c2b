//! Why a file cannot be read, with the line and column at which to mend it.

use ron::value::RawValue;
use serde::Deserialize;

use super::raw::{RawStruct, offset_in};
use crate::{
    base::{Diagnostic, Place, TextRange, text},
    kinds::ron_options,
};

/// What RON says, as a diagnostic with line and column.
pub fn spanned(source: &str, error: &ron::error::SpannedError) -> Diagnostic {
    within(source, source, "", error)
}

/// What RON says of a part of the source, placed in the source.
fn within(source: &str, part: &str, what: &str, error: &ron::error::SpannedError) -> Diagnostic {
    let base = offset_in(source, part);
    let start = base + text::offset_of(part, error.span.start.line, error.span.start.col);
    let end = base + text::offset_of(part, error.span.end.line, error.span.end.col);
    // RON counts the blanks before a value to it.
    let blank = source.get(start..end).map_or(0, |text| text.len() - text.trim_start().len());
    let start = start + blank;
    let (line, column) = text::line_and_column(source, start);
    Diagnostic::error(
        "file/unreadable",
        Place::default().with_range(TextRange::new(start, end)),
        format!("Line {line}, column {column}: {what}{}", error.code),
    )
    .hint("Mend that place with a text editor; nothing was changed")
}

/// Why the outer parts of a flow file cannot be read. RON would name the end of the file for a fault in one of them.
pub(super) fn of_envelope(source: &str, error: &ron::error::SpannedError) -> Diagnostic {
    fn fault<'de, T: Deserialize<'de>>(part: &'de str) -> Option<ron::error::SpannedError> {
        ron_options().from_str::<T>(part).err()
    }
    let keys = RawStruct::parse(source).unwrap_or_default();
    for (key, value) in &keys.0 {
        let part = value.get_ron();
        let found = match key.as_str() {
            "version" => fault::<u32>(part),
            "id" | "name" => fault::<String>(part),
            "fields" | "messages" => fault::<Vec<&RawValue>>(part),
            "nodes" => fault::<Vec<RawStruct<'_>>>(part),
            _ => None,
        };
        if let Some(error) = found {
            return within(source, part, &format!("in `{key}`: "), &error);
        }
    }
    spanned(source, error)
}

/// The version that a file says it has, if that can be read.
pub(super) fn version_in(keys: &RawStruct<'_>) -> Option<u32> {
    ron_options().from_str(keys.get("version")?).ok()
}
