//! Older flow files become the newest version, text by text, before they are read.
//!
//! Each version has a function to the next one and fixtures in `tests/fixtures/files/` (see `tests/files.rs`).

use super::{FLOW_VERSION, raw::RawStruct, spanned};
use crate::base::Diagnostic;

/// Migrates a text step by step.
///
/// Errors: a version that never was, or a text that the step cannot read.
pub fn to_newest(source: &str, version: u32) -> Result<String, Diagnostic> {
    let mut text = source.to_owned();
    for step in version..FLOW_VERSION {
        text = match step {
            1 => one_to_two(&text)?,
            _ => {
                return Err(super::never_was("flow", step));
            }
        };
    }
    Ok(text)
}

/// Version 1 (before the first release) wrote edges as triples `("from", "port", "to")`.
fn one_to_two(source: &str) -> Result<String, Diagnostic> {
    let raw = RawStruct::parse(source).map_err(|error| spanned(source, &error))?;
    let mut rows = Vec::new();
    for (key, value) in &raw.0 {
        let text = match key.as_str() {
            "version" => "2".to_owned(),
            "edges" => {
                let edges: Vec<(String, String, String)> = crate::kinds::ron_options()
                    .from_str(value.get_ron())
                    .map_err(|error| spanned(value.get_ron(), &error))?;
                let quote = |text: &str| ron::to_string(text).unwrap_or_default();
                let edges: Vec<String> = edges
                    .iter()
                    .map(|(from, port, to)| {
                        format!("(from: {}, port: {}, to: {})", quote(from), quote(port), quote(to))
                    })
                    .collect();
                format!("[{}]", edges.join(", "))
            }
            _ => value.get_ron().trim().to_owned(),
        };
        rows.push(format!("    {key}: {text},\n"));
    }
    Ok(format!("(\n{})\n", rows.concat()))
}
