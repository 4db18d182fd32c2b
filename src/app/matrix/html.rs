//! The matrix as one page for a client: nothing to fetch, nothing to run, fit for paper.
//!
//! The one idea: every state is a word first and a colour second, so that the page says the same in black and white.
//! Everything from the flow and the audience is escaped; the page holds no script.

use std::fmt::Write as _;

use super::{Matrix, Row, State, Summary};
use crate::{
    base::{Severity, Zone},
    content::{CLIP_BYTES, TagState, format_date},
};

/// Longest text in a cell; the whole stands in its tooltip. Source: assumption; a column stays readable.
const CELL_CHARS: usize = 60;

/// The page. `flow_name` and `brand_name` are what people read; the brand may be empty.
pub fn page(matrix: &Matrix, flow_name: &str, brand_name: &str) -> String {
    let mut out = String::with_capacity(4_096 + matrix.rows.len() * 512);
    let whose = if brand_name.is_empty() { String::new() } else { format!("{} &middot; ", escape(brand_name)) };
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{name}: every message for every contact</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header><p class=\"over\">{whose}Message check</p><h1>{name}</h1>\
         <p class=\"lead\">What each contact would read at {at}: the value behind every merge tag, the words that stand \
         in for missing ones, and the blocks that are shown.</p></header>\n",
        name = escape(flow_name),
        at = format_date(Zone::utc().local(matrix.at), "%-d %B %Y, %H:%M UTC"),
    );
    figures(matrix, &mut out);
    overview(matrix, &mut out);
    for fault in &matrix.faults {
        let _ = write!(
            out,
            "<section><h2>{} <span class=\"id\">{} {}</span></h2><p><span class=\"mark bad\">cannot be made</span></p><ul>",
            escape(fault.node.as_str()),
            escape(fault.message.as_str()),
            escape(&fault.variant)
        );
        for found in fault.findings.iter().filter(|found| found.severity == Severity::Error) {
            let _ =
                write!(out, "<li>{} <span class=\"muted\">{}</span></li>", escape(&found.message), escape(&found.hint));
        }
        out.push_str("</ul></section>\n");
    }
    for summary in &matrix.summary {
        section(matrix, summary, &mut out);
    }
    out.push_str(LEGEND);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn figures(matrix: &Matrix, out: &mut String) {
    let held = matrix.rows.iter().filter(|row| row.state != State::Complete).count();
    let with_fallback = matrix.rows.iter().filter(|row| row.count(TagState::Fallback) > 0).count();
    let mut contacts: Vec<_> = matrix.rows.iter().map(|row| &row.contact).collect();
    contacts.sort_unstable();
    contacts.dedup();
    let errors = matrix.rows.iter().filter(|row| row.found(Severity::Error) > 0).count();
    out.push_str("<dl class=\"figures\">");
    for (number, title, class) in [
        (matrix.rows.len(), "mails", ""),
        (contacts.len(), "contacts", ""),
        (matrix.rows.len() - held, "ready to leave", "good"),
        (held, "held back", if held > 0 { "bad" } else { "" }),
        (errors, "with an error", if errors > 0 { "bad" } else { "" }),
        (with_fallback, "with a fallback", ""),
    ] {
        let _ = write!(out, "<div class=\"{class}\"><dt>{title}</dt><dd>{number}</dd></div>");
    }
    out.push_str("</dl>\n");
}

fn overview(matrix: &Matrix, out: &mut String) {
    out.push_str(
        "<section><h2>Overview</h2><table><thead><tr><th>Step</th><th>Message</th><th class=\"n\">Mails</th>\
         <th class=\"n\">Ready</th><th class=\"n\">With a fallback</th><th class=\"n\">Longest</th><th>Findings</th></tr></thead><tbody>",
    );
    for one in &matrix.summary {
        let longest = match &one.largest {
            Some((contact, bytes)) => format!(
                "<span title=\"for {}\">{}</span>{}",
                escape(contact.as_str()),
                kilobytes(*bytes),
                if *bytes > CLIP_BYTES { " <span class=\"mark bad\">cut off</span>" } else { "" }
            ),
            None => "&ndash;".to_owned(),
        };
        let findings = if one.findings.is_empty() {
            "<span class=\"mark good\">none</span>".to_owned()
        } else {
            one.findings.iter().map(|code| format!("<code>{}</code>", escape(code))).collect::<Vec<_>>().join(" ")
        };
        let ready = if one.ready == one.mails { "good" } else { "bad" };
        let _ = write!(
            out,
            "<tr><td><a href=\"#{anchor}\">{}</a></td><td>{} <span class=\"id\">{}</span></td><td class=\"n\">{}</td>\
             <td class=\"n\"><span class=\"mark {ready}\">{} of {}</span></td><td class=\"n\">{}</td><td class=\"n\">{longest}</td><td>{findings}</td></tr>",
            escape(&one.title),
            escape(one.message.as_str()),
            escape(&one.variant),
            one.mails,
            one.ready,
            one.mails,
            one.with_fallback,
            anchor = anchor(one),
        );
    }
    out.push_str("</tbody></table></section>\n");
}

fn anchor(one: &Summary) -> String {
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
    };
    format!("{}-{}-{}", plain(one.node.as_str()), plain(one.message.as_str()), plain(&one.variant))
}

/// One message: a row for each contact, a column for each tag and each block with a condition.
fn section(matrix: &Matrix, summary: &Summary, out: &mut String) {
    let rows: Vec<&Row> = matrix
        .rows
        .iter()
        .filter(|row| row.node == summary.node && row.message == summary.message && row.variant == summary.variant)
        .collect();
    let mut tags: Vec<&str> = Vec::new();
    for tag in rows.iter().flat_map(|row| &row.tags) {
        if !tags.contains(&tag.name.as_str()) {
            tags.push(&tag.name);
        }
    }
    // What is the same for everybody needs no column.
    let mut shared = Vec::new();
    tags.retain(|name| {
        let mut values = rows.iter().map(|row| row.tags.iter().find(|tag| tag.name == *name));
        let first = values.next().flatten().filter(|tag| tag.state == TagState::Value);
        match first {
            Some(tag) if rows.len() > 1 && values.all(|other| other == Some(tag)) => {
                shared.push(format!("<code>{}</code> {}", escape(name), shortened(&tag.value)));
                false
            }
            _ => true,
        }
    });
    let blocks = rows.first().map(|row| row.blocks.as_slice()).unwrap_or_default();
    let _ = write!(
        out,
        "<section id=\"{}\"><h2>{} <span class=\"id\">{} &middot; {}</span></h2>",
        anchor(summary),
        escape(&summary.title),
        escape(summary.message.as_str()),
        escape(&summary.variant)
    );
    if !shared.is_empty() {
        let _ = write!(out, "<p class=\"muted\">The same for everybody: {}</p>", shared.join("; "));
    }
    if !blocks.is_empty() {
        out.push_str("<p class=\"muted\">Blocks that not everybody sees: ");
        let listed = blocks.iter().enumerate().map(|(n, block)| {
            let (kind, condition) = (escape(&block.kind), escape(&block.condition));
            let place = block.place.words();
            format!("<strong>{}</strong> {kind} ({place}) where <code>{condition}</code>", letter(n))
        });
        out.push_str(&listed.collect::<Vec<_>>().join("; "));
        out.push_str("</p>");
    }
    let columns = Columns {
        tags,
        has_findings: rows.iter().any(|row| !row.lints.is_empty()),
        has_size: summary.largest.is_some(),
    };
    out.push_str("<div class=\"wide\"><table><thead><tr><th>Contact</th><th>State</th>");
    if columns.has_findings {
        out.push_str("<th>Findings</th>");
    }
    out.push_str("<th>Subject</th>");
    for tag in &columns.tags {
        let _ = write!(out, "<th><code>{}</code></th>", escape(tag));
    }
    for n in 0..blocks.len() {
        let _ = write!(out, "<th>Block {}</th>", letter(n));
    }
    out.push_str(if columns.has_size {
        "<th class=\"n\">Size</th></tr></thead><tbody>"
    } else {
        "</tr></thead><tbody>"
    });
    for row in rows {
        cells(row, &columns, out);
    }
    out.push_str("</tbody></table></div></section>\n");
}

/// What a table of mails has columns for.
struct Columns<'a> {
    tags: Vec<&'a str>,
    has_findings: bool,
    has_size: bool,
}

fn cells(row: &Row, columns: &Columns<'_>, out: &mut String) {
    let class = if row.state == State::Complete { "good" } else { "bad" };
    let undealt = if row.dealt { "" } else { " <span class=\"muted\">another variant is dealt</span>" };
    let _ = write!(
        out,
        "<tr><td>{}{undealt}</td><td><span class=\"mark {class}\">{}</span></td>",
        escape(row.contact.as_str()),
        row.state.title(),
    );
    if columns.has_findings {
        out.push_str("<td class=\"long\">");
        if row.lints.is_empty() {
            out.push_str("<span class=\"muted\">none</span>");
        }
        for found in &row.lints {
            let class = match found.severity {
                Severity::Error => "bad",
                Severity::Warning => "soft",
                Severity::Hint => "quiet",
            };
            let _ = write!(
                out,
                "<div title=\"{}\"><span class=\"mark {class}\">{}</span> {}</div>",
                escape(&found.hint),
                found.severity,
                escape(&found.message)
            );
        }
        out.push_str("</td>");
    }
    let _ = write!(out, "<td class=\"long\">{}</td>", escape(&row.subject));
    for name in &columns.tags {
        match row.tags.iter().find(|tag| tag.name == *name) {
            None => out.push_str("<td class=\"muted\">not shown</td>"),
            Some(tag) => {
                let (whole, text) = (escape(&tag.value), shortened(&tag.value));
                let _ = match tag.state {
                    TagState::Value => write!(out, "<td title=\"{whole}\">{text}</td>"),
                    TagState::Fallback if tag.value.is_empty() => {
                        write!(out, "<td><span class=\"mark soft\">fallback: nothing</span></td>")
                    }
                    TagState::Fallback => {
                        write!(out, "<td title=\"{whole}\">{text} <span class=\"mark soft\">fallback</span></td>")
                    }
                    TagState::Missing => write!(out, "<td><span class=\"mark bad\">missing</span></td>"),
                };
            }
        }
    }
    for block in &row.blocks {
        out.push_str(if block.shown { "<td>shown</td>" } else { "<td class=\"muted\">not shown</td>" });
    }
    if columns.has_size {
        let size = if row.bytes == 0 { "&ndash;".to_owned() } else { kilobytes(row.bytes) };
        let _ = write!(out, "<td class=\"n\">{size}</td>");
    }
    out.push_str("</tr>");
}

/// A, B, … Z, AA, …
fn letter(n: usize) -> String {
    let last = char::from(b'A' + (n % 26) as u8);
    if n < 26 { last.to_string() } else { format!("{}{last}", letter(n / 26 - 1)) }
}

fn kilobytes(bytes: usize) -> String {
    format!("{}.{} KB", bytes / 1024, bytes % 1024 * 10 / 1024)
}

fn shortened(text: &str) -> String {
    // Of an address the last part tells it from others.
    if text.contains("://")
        && let Some((_, last)) = text.rsplit_once('/')
        && (3..CELL_CHARS).contains(&last.chars().count())
    {
        return format!("&hellip;/{}", escape(last));
    }
    if text.chars().count() <= CELL_CHARS {
        return escape(text);
    }
    let head: String = text.chars().take(CELL_CHARS).collect();
    format!("{}&hellip;", escape(&head))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && c != '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

const LEGEND: &str = "<footer><h2>How to read this</h2><dl>\
    <dt>A plain text</dt><dd>is the contact's own value.</dd>\
    <dt><span class=\"mark soft\">fallback</span></dt><dd>The contact has no value, and these words stand in for it.</dd>\
    <dt><span class=\"mark bad\">missing</span></dt><dd>There is neither; a mail that shows it is held back.</dd>\
    <dt class=\"muted\">not shown</dt><dd>The part of the mail with this tag is not shown to the contact.</dd>\
    <dt><span class=\"mark good\">ready</span></dt><dd>The mail may leave.</dd></dl></footer>\n";

const STYLE: &str = "\
:root{--ink:#1c2430;--muted:#5c6776;--line:#dfe4ea;--soft:#f5f7f9;--good:#0b6b3a;--goodback:#e5f4eb;--bad:#a32117;--badback:#fdecea;--warn:#7a4b00;--warnback:#fdf1da;--accent:#2d4fd1}\
*{box-sizing:border-box}\
body{margin:0;background:#eef1f4;color:var(--ink);font:15px/1.5 Inter,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}\
main{max-width:1240px;margin:0 auto;padding:40px 32px 64px}\
header{margin:0 0 28px}.over{margin:0 0 4px;color:var(--muted);font-size:13px;font-weight:600}\
h1{margin:0 0 8px;font-size:34px;line-height:1.15;letter-spacing:-.01em}h2{margin:0 0 12px;font-size:20px;line-height:1.3}\
.lead{margin:0;max-width:68ch;color:var(--muted)}\
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:12px;margin:0 0 24px}\
.figures div{background:#fff;border:1px solid var(--line);border-radius:10px;padding:14px 16px;display:flex;flex-direction:column-reverse}\
.figures dt{color:var(--muted);font-size:13px}.figures dd{margin:0;font-size:28px;font-weight:650;line-height:1.2;font-variant-numeric:tabular-nums}\
.figures .good dd{color:var(--good)}.figures .bad dd{color:var(--bad)}\
section,footer{background:#fff;border:1px solid var(--line);border-radius:12px;padding:22px 24px;margin:0 0 20px}\
.wide{overflow-x:auto;margin:0 -24px -22px;padding:0 24px 22px}\
table{border-collapse:collapse;width:100%;font-size:13.5px}\
th{text-align:left;color:var(--muted);font-weight:600;border-bottom:2px solid var(--line);padding:6px 14px 6px 0;vertical-align:bottom;white-space:nowrap}\
td{border-bottom:1px solid var(--line);padding:8px 14px 8px 0;vertical-align:top;max-width:320px;overflow-wrap:anywhere}\
td:first-child{white-space:nowrap;font-weight:550}.long{min-width:220px}tbody tr:last-child td{border-bottom:0}\
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
.mark{display:inline-block;border-radius:6px;padding:0 7px;font-size:12.5px;line-height:20px;font-weight:600;white-space:nowrap;border:1px solid transparent}\
.mark.good{color:var(--good);background:var(--goodback)}.mark.bad{color:var(--bad);background:var(--badback);border-color:#f3c6c1}\
.mark.soft{color:var(--warn);background:var(--warnback)}.mark.quiet{color:var(--muted);background:var(--soft)}\
.muted,.id{color:var(--muted);font-weight:400}.id{font-size:14px}\
code{font:12.5px/1.4 'SF Mono',Menlo,Consolas,monospace;background:var(--soft);border-radius:4px;padding:1px 5px}\
a{color:var(--accent);text-decoration-thickness:1px;text-underline-offset:2px}\
footer dl{display:grid;grid-template-columns:max-content 1fr;gap:6px 16px;margin:0}footer dd{margin:0;color:var(--muted)}\
@media print{body{background:#fff;font-size:10pt}main{max-width:none;padding:0}section,footer,.figures div{border-radius:0;border-color:#999}\
section{break-inside:auto}tr,.figures{break-inside:avoid}thead{display:table-header-group}.wide{overflow:visible}table{font-size:8pt}\
.mark{border:1px solid #777;background:none!important}a{color:inherit}@page{size:A4 landscape;margin:12mm}}\
@media (max-width:640px){main{padding:20px 14px}section,footer{padding:16px}.wide{margin:0 -16px -16px;padding:0 16px 16px}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stands_alone_and_escapes() {
        let page = page(&super::super::tests::made(), "F & <G>", "Shop \"1\"");
        for part in [
            "<h1>F &amp; &lt;G&gt;</h1>",
            "Shop &quot;1&quot;",
            "The &lt;first&gt;",
            "Bob &lt;b&gt;",
            "23 November 2026, 09:00 UTC",
            "<span class=\"mark bad\">missing</span>",
            "<span class=\"mark soft\">fallback</span>",
            "held: a value is missing",
            "another variant is dealt",
            "<code>first_name == 'Ada'</code>",
            "<td>shown</td>",
            "cannot be made",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        for gone in ["<script", "http://", "src=", "url(", "<b>"] {
            assert!(!page.contains(gone), "{gone}");
        }
        for (tag, end) in [("<section", "</section>"), ("<table", "</table>"), ("<tr", "</tr>"), ("<td", "</td>")] {
            assert_eq!(page.matches(tag).count(), page.matches(end).count(), "{tag}");
        }
    }

    #[test]
    fn small_parts() {
        assert_eq!(
            (letter(0), letter(25), letter(26), letter(701)),
            ("A".into(), "Z".into(), "AA".into(), "ZZ".into())
        );
        assert_eq!(kilobytes(102 * 1024 + 512), "102.5 KB");
    }
}
