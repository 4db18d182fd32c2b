//! Pictures of exported mails: an address on the web, or a placeholder that says which file it stands for.
//!
//! The one idea: no mail that leaves may point to somebody's disk. What lies below the brand's image address gets it;
//! everything else that is no address on the web becomes `IMAGE:name`, a loss, and a line in `ids.json`; a push uploads
//! it and puts the address in its place ([`filled`]).

use std::{collections::BTreeMap, ops::Range};

use super::Notes;
use crate::{
    base::{Diagnostic, Place, Severity},
    content::{Piece, Pieces},
    flow::{Target, Workspace},
};

/// What stands in for a picture without an address.
const PLACEHOLDER: &str = "IMAGE:";

/// Where the addresses of pictures that lie on a disk stand in an HTML text, in order.
pub(super) fn local(html: &str) -> Vec<Range<usize>> {
    addresses(html, is_local)
}

/// Where addresses of pictures stand in an HTML text, those that are wanted, in order.
fn addresses(html: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let masked = masked(html);
    let mut found = Vec::new();
    in_markup(&masked, 0, &mut found);
    // What only some programs read stands in comments: `<!--[if mso]>`.
    let mut at = 0;
    while let Some(open) = masked[at..].find("<!--").map(|n| at + n + "<!--".len()) {
        let close = masked[open..].find("-->").map_or(masked.len(), |n| open + n);
        in_markup(&masked[open..close], open, &mut found);
        at = close;
    }
    let mut found: Vec<Range<usize>> = found
        .into_iter()
        .flat_map(|range| arms(html, &masked, range))
        .filter(|r| is_wanted(&html[r.clone()]))
        .collect();
    found.sort_by_key(|range| range.start);
    found.dedup();
    found
}

/// What stands for a statement of the template; white space to HTML, and no sign that mails have.
const STATEMENT: char = '\u{c}';

/// An HTML text of the same length whose tags of the template neither end a tag nor an attribute.
fn masked(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('{') {
        let (close, mask) = match rest.as_bytes().get(at + 1) {
            Some(b'{') => ("}}", 'x'),
            Some(b'%') => ("%}", STATEMENT),
            Some(b'#') => ("#}", STATEMENT),
            _ => ("", ' '),
        };
        let end = if close.is_empty() { None } else { rest[at + 2..].find(close).map(|n| at + n + 4) };
        let Some(end) = end else {
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        };
        out.push_str(&rest[..at]);
        out.extend(std::iter::repeat_n(mask, end - at));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Adds the addresses of a piece of HTML that begins at `start`.
fn in_markup(html: &str, start: usize, found: &mut Vec<Range<usize>>) {
    let place = |part: &str| {
        let at = part.as_ptr().addr().saturating_sub(html.as_ptr().addr());
        at..at + part.len()
    };
    let mut here = Vec::new();
    for piece in Pieces::of(html) {
        match piece {
            Piece::Open(tag) => {
                for (name, value) in &tag.attributes {
                    // `v:src` of Outlook's own tags is a `src`.
                    let name = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
                    let whole = place(value);
                    if ["srcset", "imagesrcset"].contains(&name.as_str()) {
                        here.extend(parts(html, whole));
                    } else if ["src", "background", "poster"].contains(&name.as_str())
                        || tag.is("image") && name == "href"
                        || tag.is("object") && name == "data"
                    {
                        here.push(trimmed(html, whole));
                    } else {
                        in_style(html, whole, &mut here);
                    }
                }
            }
            Piece::Sheet(sheet) => in_style(html, place(sheet), &mut here),
            Piece::Close(_) | Piece::Text(_) => {}
        }
    }
    found.extend(here.into_iter().map(|range| start + range.start..start + range.end));
}

/// Adds what stands in `url(…)`.
fn in_style(html: &str, whole: Range<usize>, found: &mut Vec<Range<usize>>) {
    let style = html[whole.clone()].to_ascii_lowercase();
    for (at, _) in style.match_indices("url(") {
        let begin = whole.start + at + "url(".len();
        let inside = &html[begin..whole.end];
        // A bracket inside quotes belongs to the address.
        let lead = inside.len() - inside.trim_start().len();
        let quote = ["\"", "'", "&quot;", "&#39;", "&#x27;", "&apos;"]
            .into_iter()
            .find(|quote| inside[lead..].starts_with(quote))
            .and_then(|quote| Some((lead + quote.len(), inside[lead + quote.len()..].find(quote)?)));
        match quote {
            Some((from, len)) => found.push(trimmed(html, begin + from..begin + from + len)),
            None => {
                let Some(len) = inside.find(')') else { continue };
                found.push(trimmed(html, begin..begin + len));
            }
        }
    }
}

/// The addresses that one may become: `{% if a %}x.png{% else %}y.png{% endif %}` is two. One that begins with words
/// and goes on with a statement is one.
fn arms(html: &str, masked: &str, range: Range<usize>) -> Vec<Range<usize>> {
    if !masked[range.clone()].contains(STATEMENT) {
        return vec![range];
    }
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut at = range.start;
    for piece in masked[range.clone()].split(STATEMENT) {
        let here = trimmed(masked, at..at + piece.len());
        at += piece.len() + STATEMENT.len_utf8();
        if here.is_empty() {
            continue;
        }
        // After the end of a question its arms go on.
        let before = html[range.start..here.start].rsplit("{%").next().unwrap_or_default();
        let before = before.trim_start_matches('-').trim_start();
        if here.start == range.start || !before.starts_with("end") {
            out.push(here.clone());
        }
        if here.start == range.start {
            break;
        }
    }
    out
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

/// A last look at what is written: a mail that points to a disk is an error, whatever made it so; where the platform
/// itself gave us the mail, a warning.
pub(super) fn lint(files: &BTreeMap<String, Vec<u8>>, notes: &mut Notes) {
    for (path, bytes) in files.iter().filter(|(path, _)| path.ends_with(".html")) {
        let html = String::from_utf8_lossy(bytes);
        if let Some(range) = local(&html).into_iter().next() {
            let message = format!("{path}: `{}` points to a file on a disk", &html[range]);
            let is_kept = notes.kept_html.contains(html.as_ref());
            let severity = if is_kept { Severity::Warning } else { Severity::Error };
            let found = Diagnostic::new(severity, "export/local-image", Place::default(), message);
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
        for (html, expected) in [
            ("<img src=hero.png alt=x>", "<img src=IMAGE:hero.png alt=x>"),
            ("<img src = \"hero.png\">", "<img src = \"IMAGE:hero.png\">"),
            ("<IMG SRC='hero.png'/>", "<IMG SRC='IMAGE:hero.png'/>"),
            ("<td background=hero.png>", "<td background=IMAGE:hero.png>"),
            ("<td background = ' hero.png '>", "<td background = ' IMAGE:hero.png '>"),
            (
                "<p style=\"background-image: URL( hero.png )\">",
                "<p style=\"background-image: URL( IMAGE:hero.png )\">",
            ),
            ("<style>p{background:url(\"hero.png\")}</style>", "<style>p{background:url(\"IMAGE:hero.png\")}</style>"),
            (
                "<p style=\"background:url(&quot;hero.png&quot;)\">",
                "<p style=\"background:url(&quot;IMAGE:hero.png&quot;)\">",
            ),
            ("<img srcset=hero.png>", "<img srcset=IMAGE:hero.png>"),
            ("<source srcset = 'hero.png, hero.png 2x'>", "<source srcset = 'IMAGE:hero.png, IMAGE:hero.png 2x'>"),
            (
                "<!--[if mso]><v:fill src=\"hero.png\"/><![endif]-->",
                "<!--[if mso]><v:fill src=\"IMAGE:hero.png\"/><![endif]-->",
            ),
            ("<svg><image xlink:href='hero.png'/></svg>", "<svg><image xlink:href='IMAGE:hero.png'/></svg>"),
            (
                "<td {% if a > 1 %}background='hero.png'{% endif %}>",
                "<td {% if a > 1 %}background='IMAGE:hero.png'{% endif %}>",
            ),
            (
                "<img src=\"{% if a %}hero.png{% else %}https://x.example/a.png{% endif %}\">",
                "<img src=\"{% if a %}IMAGE:hero.png{% else %}https://x.example/a.png{% endif %}\">",
            ),
        ] {
            check("", html, expected, &["image:hero.png"]);
        }
        for same in [
            r#"<img src="https://x.example/{% if a %}a{% endif %}.png">"#,
            r#"<img src="{% if a %}https://a.example{% else %}https://b.example{% endif %}/x.png">"#,
            r#"<p>background=a.png url(b.png) src="c.png"</p>"#,
            r#"<a href="a.png" title="src=x.png">"#,
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
