//! The sections that come from the flow alone: cover, rules, picture, steps, limits, merge tags, signatures.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Material, SECTIONS, data_url, table};
use crate::{
    audience::{Channel, print_number},
    base::NodeId,
    flow::{Flow, Node, Target, Workspace, card},
    kinds::Settings,
    report::{
        About,
        diagram::{self, Diagram, Paper},
        escape,
        look::{self, Rgb},
        order, words,
    },
};

/// Name, client, date, version, contents.
pub(super) fn cover(material: &Material<'_>, out: &mut String) {
    let about = material.about;
    out.push_str("<header class=\"cover\">\n<div class=\"brand\">");
    match material.logo.and_then(data_url) {
        Some(logo) => {
            let width = material.workspace.brand.logo_width.clamp(16, 320);
            let _ = write!(out, "<img src=\"{logo}\" alt=\"{}\" style=\"max-width:{width}px\">", escape(&about.client));
        }
        None => out.push_str(&escape(&about.client)),
    }
    let _ =
        write!(out, "</div>\n<div class=\"title\"><p class=\"over\">E-mail flow</p><h1>{}</h1>", escape(&about.name));
    let note = material.flow.trigger().map_or("", |node| node.note.trim());
    if !note.is_empty() {
        let _ = write!(out, "<p class=\"lead\">{}</p>", escape(note));
    }
    out.push_str("</div>\n<dl class=\"facts\">");
    let fingerprint = format!("<code>{}</code>", escape(&about.short_fingerprint()));
    for (title, text) in [("Client", escape(&about.client)), ("Date", escape(&about.date)), ("Version", fingerprint)] {
        if !text.is_empty() {
            let _ = write!(out, "<div><dt>{title}</dt><dd>{text}</dd></div>");
        }
    }
    out.push_str("</dl>\n<nav aria-label=\"Contents\"><ol>");
    for (anchor, title) in SECTIONS {
        let _ = write!(out, "<li><a href=\"#{anchor}\">{title}</a></li>");
    }
    out.push_str("</ol></nav>\n</header>\n");
}

/// What lets contacts in, the rules, and what there is in numbers.
pub(super) fn summary(material: &Material<'_>, out: &mut String) {
    let (flow, workspace) = (material.flow, material.workspace);
    let steps = |is: &dyn Fn(&Settings) -> bool| flow.nodes.iter().filter(|n| n.settings().is_some_and(is)).count();
    let mails = steps(&|s| s.message().is_some_and(|(_, channel)| channel == Channel::Email));
    let sms = steps(&|s| s.message().is_some_and(|(_, channel)| channel == Channel::Sms));
    let all = flow.nodes.iter().filter(|node| node.kind != "note").count();
    let asks = steps(&|s| matches!(s, Settings::Condition(_) | Settings::Branch(_) | Settings::Cap(_)));
    let tests = steps(&|s| matches!(s, Settings::Split(_)));
    out.push_str("<ul class=\"figures\">");
    for (n, one, many) in [
        (all, "step", "steps"),
        (mails, "e-mail", "e-mails"),
        (sms, "text message", "text messages"),
        (asks, "question", "questions"),
        (tests, "test", "tests"),
    ] {
        if n > 0 {
            let _ = write!(out, "<li><b>{n}</b> {}</li>", if n == 1 { one } else { many });
        }
    }
    out.push_str("</ul>\n");
    if let Some(trigger) = flow.trigger() {
        let said = words::step(flow, workspace, trigger);
        let _ = write!(out, "<p class=\"say\">{}</p>", escape(&said.sentence));
        list(&said.details, out);
    }
    out.push_str("<dl class=\"rules\">");
    for rule in words::rules(flow, workspace) {
        let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(rule.title), escape(&rule.text));
    }
    out.push_str("</dl>\n");
}

/// The picture: whole on the screen; on paper as many sheets as it needs to be read.
pub(super) fn picture(material: &Material<'_>, accent: Rgb, out: &mut String) {
    let diagram = Diagram::new(material.flow, material.workspace);
    let title = format!("Picture of the flow {}", material.about.name);
    let pages = diagram::pages(&diagram, material.about, accent, Paper::A4Portrait);
    let whole = diagram::svg_within(&diagram::bare(&diagram), &title, "whole");
    if pages.len() <= 1 {
        let _ = writeln!(out, "<figure class=\"flow\">{whole}</figure>");
        return;
    }
    let _ = write!(out, "<figure class=\"flow screen\">{whole}</figure>\n<div class=\"paper\">");
    for (n, page) in pages.iter().enumerate() {
        let said = format!("{title}, sheet {}", n + 1);
        let _ =
            write!(out, "<figure class=\"sheet\">{}</figure>", diagram::svg_within(page, &said, &format!("sheet-{n}")));
    }
    out.push_str("</div>\n");
}

fn list(lines: &[String], out: &mut String) {
    if lines.is_empty() {
        return;
    }
    // Lines that count themselves get the page's own numbers instead of a dot before theirs.
    let counted = |(n, line): (usize, &String)| line.strip_prefix(&format!("{}. ", n + 1)).map(str::to_owned);
    let numbered: Option<Vec<String>> = lines.iter().enumerate().map(counted).collect();
    let (tag, lines) = match &numbered {
        Some(numbered) => ("ol", numbered.as_slice()),
        None => ("ul", lines),
    };
    let _ = write!(out, "<{tag} class=\"details\">");
    for line in lines {
        let _ = write!(out, "<li>{}</li>", escape(line));
    }
    let _ = write!(out, "</{tag}>");
}

/// A step's number and name, leading to where it is described.
pub(super) fn step_link(flow: &Flow, numbers: &BTreeMap<NodeId, usize>, id: &NodeId) -> String {
    let title = flow.node(id.as_str()).map_or(id.as_str(), |node| node.title());
    match numbers.get(id) {
        Some(n) => format!("<a href=\"#step-{n}\"><span class=\"badge\">{n}</span> {}</a>", escape(title)),
        None => escape(title),
    }
}

/// The colour of a step's family, as a style.
fn ink(node: &Node) -> Rgb {
    look::family(card::family(&node.kind))
}

/// Each step in words, in reading order.
pub(super) fn steps(flow: &Flow, workspace: &Workspace, out: &mut String) {
    let numbers = order::numbers(flow);
    let order = order::reading_order(flow);
    if order.is_empty() {
        out.push_str("<p class=\"muted\">The flow has no steps yet.</p>");
        return;
    }
    let reachable = flow.index().reachable();
    let mut rows = Vec::with_capacity(order.len());
    for (n, at) in order.iter().enumerate() {
        let node = &flow.nodes[*at];
        let said = words::step(flow, workspace, node);
        let kind = card::spec(&node.kind).map_or("Unknown step", |spec| spec.title);
        let mut what = format!(
            "<p class=\"kind\" style=\"color:{}\">{}</p><p class=\"name\">{}</p><p>{}</p>",
            ink(node),
            escape(kind),
            escape(node.title()),
            escape(&said.sentence)
        );
        list(&said.details, &mut what);
        if !node.note.trim().is_empty() && node.kind != "trigger" {
            let _ = write!(what, "<p class=\"remark\">{}</p>", escape(node.note.trim()));
        }
        if !reachable[*at] {
            what.push_str("<p class=\"remark\">Nothing leads here: no contact comes to this step.</p>");
        }
        let ports = node.ports();
        let mut ways = String::new();
        for port in &ports {
            let label = if ports.len() > 1 {
                format!("<span class=\"port\">{}</span> ", escape(&port.title))
            } else {
                String::new()
            };
            let to = flow.target(node.id.as_str(), &port.name);
            let to = to.map_or_else(|| "the journey ends".to_owned(), |to| step_link(flow, &numbers, to));
            let _ = write!(ways, "<p>{label}{to}</p>");
        }
        let ways = if ways.is_empty() { "<p class=\"muted\">&ndash;</p>".to_owned() } else { ways };
        rows.push(vec![format!("<span class=\"badge\" id=\"step-{0}\">{0}</span>", n + 1), what, ways]);
    }
    table(out, "steps", &["No.", "What happens", "What comes next"], &rows);
}

/// Caps of workspace and flow, quiet hours beside the rules.
pub(super) fn limits(flow: &Flow, workspace: &Workspace, out: &mut String) {
    let settings = flow.settings();
    out.push_str(
        "<p class=\"intro\">So that nobody is written to too often, each message is counted against these limits. \
         Of the rows for the same channel and count, the first whose segment a contact is in holds.</p>",
    );
    let own = settings.caps.iter().map(|cap| (cap, "This flow"));
    let rows: Vec<Vec<String>> = workspace
        .caps
        .iter()
        .map(|cap| (cap, "All flows"))
        .chain(own)
        .map(|(cap, whose)| {
            let [most, within, counted, whom] = words::cap_row(cap);
            let most = format!("<b>{}</b> {}", escape(&most), escape(&within));
            vec![most, escape(&counted), escape(&whom), whose.to_owned()]
        })
        .collect();
    if rows.is_empty() {
        out.push_str("<p class=\"muted\">There are no caps.</p>");
    } else {
        table(out, "", &["At most", "Counted", "For", "Set for"], &rows);
    }
    let numbers = order::numbers(flow);
    let mut rows = Vec::new();
    for node in order::reading_order(flow).into_iter().map(|n| &flow.nodes[n]) {
        let (cooldown, on_cap) = match node.settings() {
            Some(Settings::Email(email)) if !email.transactional => (&email.cooldown, email.on_cap),
            Some(Settings::Sms(sms)) => (&sms.cooldown, sms.on_cap),
            _ => continue,
        };
        let after =
            cooldown.as_ref().map_or_else(|| "&ndash;".to_owned(), |cooldown| escape(&cooldown.lasts.to_string()));
        let full = match on_cap {
            crate::kinds::OnCap::Skip => "is skipped, the journey goes on".to_owned(),
            crate::kinds::OnCap::Wait(most) => format!("waits for room, at most {most}"),
            crate::kinds::OnCap::Leave => "ends the journey".to_owned(),
        };
        rows.push(vec![step_link(flow, &numbers, &node.id), after, escape(&full)]);
    }
    if !rows.is_empty() {
        out.push_str("<h3>Message by message</h3>");
        table(out, "", &["Message", "Rest after it", "When a limit is reached, it"], &rows);
    }
}

/// Merge tags: what each stands for, from where, and how platforms write it.
pub(super) fn tags(flow: &Flow, out: &mut String) {
    let rows: Vec<Vec<String>> = flow
        .fields()
        .map(|field| {
            let fallback = match field.fallback.as_deref() {
                None => "<span class=\"bad\">none: the mail is held back</span>".to_owned(),
                Some("") => "<span class=\"muted\">nothing</span>".to_owned(),
                Some(text) => escape(&shortened(text, 60)),
            };
            let names = [Target::Klaviyo, Target::Hubspot].map(|target| {
                let name = words::platform_name(flow, field, target);
                if name.is_empty() { "&ndash;".to_owned() } else { format!("<code>{}</code>", escape(&name)) }
            });
            vec![
                format!("{}<br><code>{{{}}}</code>", escape(field.title()), escape(&field.name)),
                escape(&words::source(field)),
                fallback,
                format!(
                    "<p><span class=\"muted\">Klaviyo</span> {}</p><p><span class=\"muted\">HubSpot</span> {}</p>",
                    names[0], names[1]
                ),
            ]
        })
        .collect();
    if rows.is_empty() {
        out.push_str("<p class=\"muted\">The messages are the same for everybody.</p>");
        return;
    }
    out.push_str(
        "<p class=\"intro\">Where a contact has no value, the words in the third column stand in for it. The last column \
         is how the platforms' own templates write the tag.</p>",
    );
    table(out, "tags", &["Tag", "Comes from", "Stands in", "On the platforms"], &rows);
}

/// At most so many characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most).collect();
    format!("{}\u{2026}", head.trim_end())
}

/// Room to sign.
pub(super) fn signatures(about: &About, out: &mut String) {
    let _ = write!(
        out,
        "<footer>\n<h2>Approval</h2>\n<p>This page describes version <code>{}</code>. A change of the flow changes the \
         version.</p>\n<div class=\"sign\"><div>Name</div><div>Date</div><div>Signature</div></div>\n\
         <p class=\"full\">Full version <code>{}</code></p>\n</footer>\n",
        escape(&about.short_fingerprint()),
        escape(&about.fingerprint)
    );
}

/// A share in percent without needless zeros.
pub(super) fn percent(part: f64, whole: f64) -> String {
    if whole <= 0.0 { "0 %".to_owned() } else { format!("{} %", print_number((part / whole * 100.0).round())) }
}
