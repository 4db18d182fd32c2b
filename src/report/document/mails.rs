//! Each message: what it says, and how chosen contacts read it, as picture and as text.

use std::fmt::Write as _;

use super::{
    MailSample, MailSheet, Material, data_url,
    parts::{percent, shortened, step_link},
};
use crate::{
    audience::Channel,
    content::{Message, Variant},
    report::{escape, order},
};

/// Longest plain text that is printed, in characters. Source: assumption, two pages.
const TEXT_CHARS: usize = 6_000;

/// All messages in reading order.
pub(super) fn messages(material: &Material<'_>, out: &mut String) {
    let flow = material.flow;
    let numbers = order::numbers(flow);
    let mut any = false;
    for node in order::reading_order(flow).into_iter().map(|n| &flow.nodes[n]) {
        let Some((id, channel)) = node.settings().and_then(|settings| settings.message()) else { continue };
        any = true;
        let _ = write!(out, "<article class=\"message\">\n<h3>{}</h3>\n", step_link(flow, &numbers, &node.id));
        let Some(message) = flow.message(id.as_str()) else {
            out.push_str("<p class=\"bad\">The message is missing or cannot be read.</p></article>\n");
            continue;
        };
        let name = message.title();
        let sort = if channel == Channel::Email { "E-mail" } else { "Text message" };
        let _ = write!(out, "<p class=\"muted\">{sort} \u{201c}{}\u{201d}</p>\n", escape(name));
        let total: f64 = message.variants.iter().map(|variant| f64::from(variant.weight)).sum();
        for variant in &message.variants {
            self::variant(message, variant, total, out);
            let sheet = material.mails.iter().find(|sheet| sheet.node == node.id && sheet.variant == variant.id);
            if let Some(sheet) = sheet {
                self::sheet(sheet, channel, out);
            }
        }
        out.push_str("</article>\n");
    }
    if !any {
        out.push_str("<p class=\"muted\">The flow sends nothing.</p>");
    }
}

fn variant(message: &Message, variant: &Variant, total: f64, out: &mut String) {
    if message.variants.len() > 1 {
        let language = variant.language.as_ref().map_or_else(String::new, |tag| format!(", for readers of {tag}"));
        let share = if variant.language.is_some() {
            String::new()
        } else {
            format!(", {}", percent(f64::from(variant.weight), total))
        };
        let _ = write!(out, "<h4>Version {}{}{}</h4>\n", escape(&variant.id), escape(&share), escape(&language));
    }
    if message.channel == Channel::Email {
        let _ = write!(
            out,
            "<dl class=\"lines\"><div><dt>Subject</dt><dd>{}</dd></div><div><dt>Preview line</dt><dd>{}</dd></div></dl>\n",
            tagged(&variant.subject),
            tagged(&variant.preheader)
        );
    }
}

/// A text with its merge tags set apart.
fn tagged(text: &str) -> String {
    if text.trim().is_empty() {
        return "<span class=\"muted\">none</span>".to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}') else { break };
        out.push_str(&escape(&rest[..open]));
        let _ = write!(out, "<span class=\"tag\">{}</span>", escape(&rest[open..=open + close]));
        rest = &rest[open + close + 1..];
    }
    out.push_str(&escape(rest));
    out
}

fn sheet(sheet: &MailSheet, channel: Channel, out: &mut String) {
    if !sheet.fault.is_empty() {
        let _ = write!(out, "<p class=\"bad\">It cannot be shown: {}</p>\n", escape(&sheet.fault));
        return;
    }
    if sheet.samples.is_empty() {
        out.push_str("<p class=\"muted\">There are no sample contacts to show it for.</p>\n");
        return;
    }
    let columns = sheet.samples.len().min(3);
    let _ = write!(out, "<div class=\"mails of-{columns}\">\n");
    for sample in &sheet.samples {
        self::sample(sample, channel, out);
    }
    out.push_str("</div>\n");
    if channel == Channel::Email {
        let _ = write!(out, "<h5>The same without pictures</h5>\n<div class=\"mails texts of-{columns}\">\n");
        for sample in &sheet.samples {
            let text = shortened(sample.text.trim(), TEXT_CHARS);
            let _ =
                write!(out, "<div><p class=\"who\">{}</p><pre>{}</pre></div>\n", escape(&sample.who), escape(&text));
        }
        out.push_str("</div>\n");
    }
}

fn sample(sample: &MailSample, channel: Channel, out: &mut String) {
    let _ = write!(
        out,
        "<figure class=\"mail\"><figcaption><p class=\"who\">{}</p><p class=\"muted\">{}</p>",
        escape(&sample.who),
        escape(&sample.why)
    );
    if !sample.held.is_empty() {
        let _ = write!(out, "<p class=\"bad\">{}</p>", escape(&sample.held));
    }
    if channel == Channel::Email {
        let _ = write!(
            out,
            "<p class=\"subject\">{}</p><p class=\"preheader\">{}</p>",
            escape(&sample.subject),
            escape(&sample.preheader)
        );
    }
    out.push_str("</figcaption>");
    match sample.picture.as_deref().and_then(data_url) {
        Some(picture) => {
            let _ = write!(out, "<img src=\"{picture}\" alt=\"The mail as {} reads it\">", escape(&sample.who));
        }
        None if !sample.html.is_empty() => {
            let _ = write!(
                out,
                "<iframe sandbox=\"\" title=\"The mail as {} reads it\" srcdoc=\"{}\"></iframe>",
                escape(&sample.who),
                escape(&sample.html)
            );
        }
        None => _ = write!(out, "<pre class=\"sms\">{}</pre>", escape(&shortened(sample.text.trim(), TEXT_CHARS))),
    }
    if !sample.fallbacks.is_empty() {
        let _ =
            write!(out, "<p class=\"muted small\">Words stand in for: {}</p>", escape(&sample.fallbacks.join(", ")));
    }
    out.push_str("</figure>\n");
}
