//! The hand-over page: everything a client has to know of a flow, in one file that opens offline and prints well.
//!
//! The one idea: the page is built from values only ([`Material`]); mails come made and, where there is a renderer,
//! drawn. It holds no script, fetches nothing (a policy in its head says so to the browser) and names no path of the
//! machine it was made on. Deliberately not here: making mails (`app::client`), files, the clock.

mod mails;
mod parts;
mod platforms;
mod style;
#[cfg(test)]
mod tests;
mod timing;

use std::fmt::Write as _;

pub use self::timing::{Timing, timing};
use super::{About, escape, look};
use crate::{
    audience::Audience,
    base::NodeId,
    flow::{Flow, Workspace},
};

/// What the page is made of.
#[derive(Debug)]
pub struct Material<'a> {
    /// The flow.
    pub flow: &'a Flow,
    /// Its workspace.
    pub workspace: &'a Workspace,
    /// The other flows of the workspace: they compete for the same contacts.
    pub neighbours: &'a [Flow],
    /// What it is, for whom, of when.
    pub about: &'a About,
    /// The logo: an image file; `None` shows the name.
    pub logo: Option<&'a [u8]>,
    /// Sample contacts, from whose replay times are taken; may be empty.
    pub audience: &'a Audience,
    /// Mails that were made, by step, variant and contact.
    pub mails: &'a [MailSheet],
}

/// A version of a step's message, as sample contacts read it.
#[derive(Clone, PartialEq, Debug)]
pub struct MailSheet {
    /// The step that sends it.
    pub node: NodeId,
    /// Which version.
    pub variant: String,
    /// As contacts read it; empty where there are no contacts.
    pub samples: Vec<MailSample>,
    /// Why it cannot be shown, for people; empty where it can.
    pub fault: String,
}

/// A mail as a contact reads it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct MailSample {
    /// What the contact is called.
    pub who: String,
    /// Why this contact was chosen: "most is known".
    pub why: String,
    /// Subject line; empty for an SMS.
    pub subject: String,
    /// The line after it in an inbox.
    pub preheader: String,
    /// Plain-text part, or the SMS.
    pub text: String,
    /// HTML part; empty for an SMS.
    pub html: String,
    /// The mail drawn: a PNG file; `None` shows the HTML in a frame of its own.
    pub picture: Option<Vec<u8>>,
    /// Merge tags for which words stand in.
    pub fallbacks: Vec<String>,
    /// Why it would not be sent to this contact; empty where it would.
    pub held: String,
}

/// The sections, in order: anchor and title.
const SECTIONS: [(&str, &str); 9] = [
    ("summary", "In short"),
    ("picture", "The flow"),
    ("steps", "Step by step"),
    ("messages", "Messages"),
    ("times", "When messages arrive"),
    ("limits", "Limits"),
    ("tags", "Personal data in the messages"),
    ("platforms", "What platforms do differently"),
    ("setup", "Setting it up"),
];

/// The page. The same material gives the same bytes.
pub fn page(material: &Material<'_>) -> String {
    let Material { flow, workspace, about, .. } = material;
    let accent = look::accent(&workspace.brand);
    let mut out = String::with_capacity(64 * 1024);
    let whose = if about.client.is_empty() { String::new() } else { format!(" \u{b7} {}", about.client) };
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'; frame-src 'self'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}{}</title>\n\
         <style>{}</style>\n</head>\n<body>\n<main>\n",
        escape(&about.name),
        escape(&whose),
        style::style(&workspace.brand, accent),
    );
    parts::cover(material, &mut out);
    for (number, (anchor, title)) in SECTIONS.iter().enumerate() {
        let _ = write!(out, "<section id=\"{anchor}\">\n<h2><span class=\"no\">{}</span>{title}</h2>\n", number + 1);
        match *anchor {
            "summary" => parts::summary(material, &mut out),
            "picture" => parts::picture(material, accent, &mut out),
            "steps" => parts::steps(flow, workspace, &mut out),
            "messages" => mails::messages(material, &mut out),
            "times" => timing::section(material, &mut out),
            "limits" => parts::limits(flow, workspace, &mut out),
            "tags" => parts::tags(flow, &mut out),
            "platforms" => platforms::losses((flow, workspace, material.audience), &mut out),
            _ => platforms::setup((flow, workspace, material.audience), &mut out),
        }
        out.push_str("</section>\n");
    }
    parts::signatures(about, &mut out);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// An image file as an address that needs no file; `None` where it is of no kind that browsers show.
fn data_url(bytes: &[u8]) -> Option<String> {
    let kind = match bytes {
        [0x89, b'P', b'N', b'G', ..] => "png",
        [0xff, 0xd8, 0xff, ..] => "jpeg",
        [b'G', b'I', b'F', b'8', ..] => "gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "webp",
        _ => return None,
    };
    Some(format!("data:image/{kind};base64,{}", base64(bytes)))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |n: usize| u32::from(three.get(n).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for n in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * n) & 63) as usize];
            out.push(if n <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// A table: titles (those that begin with "#" stand right), rows of cells that are HTML already.
fn table(out: &mut String, class: &str, titles: &[&str], rows: &[Vec<String>]) {
    let _ = write!(out, "<table class=\"{class}\"><thead><tr>");
    for title in titles {
        let (class, title) = title.strip_prefix('#').map_or(("", *title), |title| (" class=\"n\"", title));
        let _ = write!(out, "<th{class}>{}</th>", escape(title));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (cell, title) in row.iter().zip(titles) {
            let class = if title.starts_with('#') { " class=\"n\"" } else { "" };
            let _ = write!(out, "<td{class}>{cell}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>\n");
}
