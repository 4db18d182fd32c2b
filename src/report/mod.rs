//! What a client gets: a picture of the flow, a document to read and sign, differences between two versions in words.
//!
//! The one idea: everything is made from values that the caller hands over (the flow, the workspace, mails that were
//! made, the date), so that the same flow gives the same bytes and nothing of the machine gets in: no path, no clock.
//! Pictures are drawn once as [`scene::Scene`]s, which SVG, PDF and PNG write each in its way. Deliberately not here:
//! opening files, and making or drawing mails.

pub mod diagram;
pub mod diff;
pub mod document;
pub mod font;
pub mod icons;
pub mod look;
pub mod order;
pub mod scene;
pub mod words;

use crate::{
    base::hash,
    flow::{Flow, Workspace},
};

/// What stands on every page: what it is, for whom, of when, which version.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// The flow's name.
    pub name: String,
    /// The client: the brand's name, else the workspace's; may be empty.
    pub client: String,
    /// The date in words, as the caller wants it said; empty where there is none.
    pub date: String,
    /// Names the content: 32 hexadecimal digits.
    pub fingerprint: String,
}

impl About {
    /// Of a flow in its workspace, on a date in words.
    pub fn new(flow: &Flow, workspace: &Workspace, date: &str) -> Self {
        let brand = workspace.brand.name.trim();
        Self {
            name: if flow.name.trim().is_empty() { flow.id.to_string() } else { flow.name.trim().to_owned() },
            client: if brand.is_empty() { workspace.name.trim().to_owned() } else { brand.to_owned() },
            date: date.trim().to_owned(),
            fingerprint: hash::version_hash(&crate::journey::pinned(workspace, flow)).to_string(),
        }
    }

    /// The first twelve digits of the fingerprint in groups of four: enough to tell two versions apart by eye.
    pub fn short_fingerprint(&self) -> String {
        let groups: Vec<&str> = [0..4, 4..8, 8..12].into_iter().filter_map(|part| self.fingerprint.get(part)).collect();
        groups.join(" ")
    }
}

/// Text inside HTML, SVG and attributes in double quotes; control characters become spaces.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no way to write these at all (section 2.2).
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() && c != '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
