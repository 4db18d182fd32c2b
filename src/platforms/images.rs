//! Pictures of exported mails: an address on the web, or a placeholder that says which file it stands for.
//!
//! The one idea: no mail that leaves may point to somebody's disk. What lies below the brand's image address gets it;
//! everything else that is no address on the web becomes `IMAGE:name`, a loss, and a line in `ids.json`; a push uploads
//! it and puts the address in its place ([`filled`]).

use std::{collections::BTreeMap, ops::Range};

use super::Notes;
use crate::{
    base::{Diagnostic, Place},
    flow::{Target, Workspace},
};

/// What stands in for a picture without an address.
const PLACEHOLDER: &str = "IMAGE:";
/// Attributes that hold the address of a picture; `srcset` holds several.
const ATTRIBUTES: &[&str] = &["src=", "background=", "poster=", "srcset="];

/// Where the addresses of pictures that lie on a disk stand in an HTML text, in order.
pub(super) fn local(html: &str) -> Vec<Range<usize>> {
    addresses(html, is_local)
}

/// Where addresses of pictures stand in an HTML text, those that are wanted, in order.
fn addresses(html: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut add = |range: Range<usize>| {
        if let Some(text) = html.get(range.clone())
            && is_wanted(text)
        {
            found.push(range);
        }
    };
    let lower = html.to_ascii_lowercase();
    for name in ATTRIBUTES {
        for (at, _) in lower.match_indices(name) {
            // Not `data-src=`, and not the `src=` inside a word.
            let is_name =
                html[..at].chars().next_back().is_some_and(|c| c.is_whitespace() || matches!(c, '"' | '\'' | ':'));
            let begin = at + name.len();
            let Some(quote) = html[begin..].chars().next().filter(|c| is_name && matches!(c, '"' | '\'')) else {
                continue;
            };
            let Some(len) = html[begin + 1..].find(quote) else { continue };
            let whole = begin + 1..begin + 1 + len;
            if *name == "srcset=" {
                parts(html, whole).into_iter().for_each(&mut add);
            } else {
                add(trimmed(html, whole));
            }
        }
    }
    for (at, _) in lower.match_indices("url(") {
        let begin = at + "url(".len();
        let Some(len) = html[begin..].find(')') else { continue };
        let mut range = trimmed(html, begin..begin + len);
        for quote in ["\"", "'", "&quot;", "&#39;", "&apos;"] {
            if html[range.clone()].len() >= 2 * quote.len()
                && html[range.clone()].starts_with(quote)
                && html[range.clone()].ends_with(quote)
            {
                range = range.start + quote.len()..range.end - quote.len();
            }
        }
        add(range);
    }
    found.sort_by_key(|range| range.start);
    found.dedup();
    found
}

/// The addresses of a `srcset`, without their sizes.
fn parts(html: &str, whole: Range<usize>) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = whole.start;
    for part in html[whole].split(',') {
        let part_range = trimmed(html, at..at + part.len());
        let end = html[part_range.clone()].find(char::is_whitespace).map_or(part_range.end, |n| part_range.start + n);
        out.push(part_range.start..end);
        at += part.len() + 1;
    }
    out
}

fn trimmed(html: &str, range: Range<usize>) -> Range<usize> {
    let text = &html[range.clone()];
    let start = range.start + (text.len() - text.trim_start().len());
    start..start + text.trim().len()
}

/// Whether an address leads to a file rather than to the web, into the mail itself or to a merge tag.
fn is_local(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    if lower.starts_with("file:") {
        return true;
    }
    let elsewhere = ["//", "{{", "{%", "data:", "cid:", "#", "about:"];
    !(address.is_empty()
        || lower.contains("://")
        || address.starts_with(PLACEHOLDER)
        || elsewhere.iter().any(|begin| lower.starts_with(begin)))
}

/// The path of a picture below `images/`: no `./`, no drive, of an absolute path the last name.
fn name(address: &str) -> &str {
    let is_absolute = address.to_ascii_lowercase().starts_with("file:") || address.get(1..3) == Some(":\\");
    let own = if is_absolute { address.rsplit(['/', '\\']).next().unwrap_or(address) } else { address };
    own.trim_start_matches("./").trim_start_matches('/').trim_start_matches("images/")
}

/// The HTML of a mail with an address for each picture that can have one.
pub(super) fn placed(target: Target, workspace: &Workspace, html: String, place: &Place, notes: &mut Notes) -> String {
    let found = local(&html);
    if target == Target::Engine || found.is_empty() {
        return html;
    }
    let base = workspace.brand.images.trim();
    let base = Some(base.trim_end_matches('/')).filter(|base| base.contains("://") && !is_local(base));
    let (code, ids) = match target {
        Target::Hubspot => ("hubspot/images", &workspace.hubspot.ids),
        _ => ("klaviyo/images", &workspace.klaviyo.ids),
    };
    let mut out = String::with_capacity(html.len());
    let mut lost: Vec<&str> = Vec::new();
    let mut at = 0;
    for range in found {
        if range.start < at {
            continue;
        }
        out.push_str(&html[at..range.start]);
        at = range.end;
        let own = name(&html[range]);
        match base {
            Some(base) => out.extend([base, "/", own]),
            None => {
                let known = ids.contains_key(&format!("image:{own}"));
                out.push_str(&notes.id(ids, "image", own, || {
                    format!("The address of the picture `images/{own}` of the workspace, once it is uploaded to the account's files")
                }));
                if !known && !lost.contains(&own) {
                    lost.push(own);
                }
            }
        }
    }
    out.push_str(&html[at..]);
    if !lost.is_empty() {
        let names: Vec<String> = lost.iter().map(|name| format!("`{name}`")).collect();
        let message = match names.as_slice() {
            [one] => format!("The picture {one} has no address on the web, so nobody would see it"),
            many => format!(
                "{} pictures have no address on the web, so nobody would see them: {}",
                many.len(),
                many.join(", ")
            ),
        };
        notes.impossible(
            code,
            place.clone(),
            message,
            "Push the flow, which uploads them; or say in the brand where the workspace's pictures lie on the web; or upload them to the account and fill in their addresses",
        );
    }
    out
}

/// The HTML with a picture's address on the web wherever its placeholder stands, and only there.
#[cfg(feature = "push")]
pub(super) fn filled(html: &str, placeholder: &str, address: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut at = 0;
    // Inside an attribute, and in styles inside one.
    let safe = [("&", "&amp;"), ("\"", "%22"), ("'", "%27"), ("<", "%3C"), (">", "%3E"), ("(", "%28"), (")", "%29")];
    let address = safe.iter().fold(address.to_owned(), |text, (from, to)| text.replace(from, to));
    for range in addresses(html, |text| text == placeholder) {
        if range.start < at {
            continue;
        }
        out.extend([&html[at..range.start], &address]);
        at = range.end;
    }
    out.push_str(&html[at..]);
    out
}

/// Whether an address is one on the web, that mail programs can ask for.
#[cfg(feature = "push")]
pub(super) fn is_on_web(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control()))
}

/// A last look at what is written: a mail that points to a disk is an error, whatever made it so.
pub(super) fn lint(files: &BTreeMap<String, Vec<u8>>, notes: &mut Notes) {
    for (path, bytes) in files.iter().filter(|(path, _)| path.ends_with(".html")) {
        let html = String::from_utf8_lossy(bytes);
        if let Some(range) = local(&html).into_iter().next() {
            let message = format!("{path}: `{}` points to a file on a disk", &html[range]);
            let found = Diagnostic::error("export/local-image", Place::default(), message);
            notes.diagnostics.push(found.hint("Give the picture an address on the web"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Brand;

    fn check(base: &str, html: &str, expected: &str, lost: &[&str]) {
        let workspace = Workspace { brand: Brand { images: base.into(), ..Brand::default() }, ..Workspace::default() };
        let mut notes = Notes::default();
        let got = placed(Target::Klaviyo, &workspace, html.to_owned(), &Place::default(), &mut notes);
        assert_eq!(got, expected);
        let keys: Vec<&str> = notes.unresolved.keys().map(String::as_str).collect();
        assert_eq!((keys.as_slice(), notes.losses.len()), (lost, usize::from(!lost.is_empty())), "{html}");
        assert_eq!(local(&got), Vec::<Range<usize>>::new(), "{got}");
    }

    #[test]
    fn pictures_get_an_address_or_a_placeholder() {
        let base = "https://cdn.example/mail/";
        check(
            base,
            r#"<img src="a.png"><img src='./b/c.png'>"#,
            r#"<img src="https://cdn.example/mail/a.png"><img src='https://cdn.example/mail/b/c.png'>"#,
            &[],
        );
        check(base, r#"<img src="images/a.png">"#, r#"<img src="https://cdn.example/mail/a.png">"#, &[]);
        check(
            "",
            r#"<img src="a.png"><img src="a.png">"#,
            r#"<img src="IMAGE:a.png"><img src="IMAGE:a.png">"#,
            &["image:a.png"],
        );
        check("images/", r#"<td background="bg.jpg">"#, r#"<td background="IMAGE:bg.jpg">"#, &["image:bg.jpg"]);
        check(
            "",
            r#"<img src="file:///home/ada/x.png"><img src="C:\pics\y.png">"#,
            r#"<img src="IMAGE:x.png"><img src="IMAGE:y.png">"#,
            &["image:x.png", "image:y.png"],
        );
        check(
            base,
            r#"<p style="background:url('a.png')">"#,
            r#"<p style="background:url('https://cdn.example/mail/a.png')">"#,
            &[],
        );
        check(
            base,
            r#"<img srcset="a.png 1x, https://x.example/b.png 2x">"#,
            r#"<img srcset="https://cdn.example/mail/a.png 1x, https://x.example/b.png 2x">"#,
            &[],
        );
        for same in [
            r#"<img src="https://x.example/a.png">"#,
            r#"<img src="{{ event.image }}">"#,
            r#"<img src="data:image/png;base64,AA">"#,
            r#"<p data-src="a.png">src="</p>"#,
            "url(",
            "src=",
        ] {
            check("", same, same, &[]);
        }
    }

    #[cfg(feature = "push")]
    #[test]
    fn placeholders_are_filled_in_where_they_are_whole() {
        let html = r#"<img src="IMAGE:a.png"><img src='IMAGE:a.png.bak'><p style="background:url('IMAGE:a.png')">IMAGE:a.png</p>"#;
        assert_eq!(
            filled(html, "IMAGE:a.png", "https://x.example/1.png?a=1&b=(2)"),
            r#"<img src="https://x.example/1.png?a=1&amp;b=%282%29"><img src='IMAGE:a.png.bak'><p style="background:url('https://x.example/1.png?a=1&amp;b=%282%29')">IMAGE:a.png</p>"#
        );
        for (address, expected) in [
            ("https://x.example/a", true),
            ("file:///a", false),
            ("a.png", false),
            ("https://", false),
            ("https://x y", false),
        ] {
            assert_eq!(is_on_web(address), expected, "{address}");
        }
    }

    #[test]
    fn what_is_known_in_the_account_is_no_loss() {
        let mut workspace = Workspace::default();
        workspace.klaviyo.ids.insert("image:a.png".into(), "https://cdn.klaviyo.example/1.png".into());
        let mut notes = Notes::default();
        let html = placed(Target::Klaviyo, &workspace, "<img src=\"a.png\">".into(), &Place::default(), &mut notes);
        assert_eq!((html.as_str(), notes.losses.len()), ("<img src=\"https://cdn.klaviyo.example/1.png\">", 0));
    }
}
