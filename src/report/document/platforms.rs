//! What platforms do differently, and what has to be set up in the client's account.

use std::fmt::Write as _;

use super::{parts::step_link, table};
use crate::{
    audience::Audience,
    base::{Diagnostic, NodeId},
    flow::{Flow, Target, Workspace},
    platforms::{self, Export, LossKind, Unresolved},
    report::{escape, order, words},
};

/// A flow, its workspace, and people to count losses by.
type Whole<'a> = (&'a Flow, &'a Workspace, &'a Audience);

/// The platforms, the one that the flow is made for first.
fn targets(flow: &Flow) -> [Target; 2] {
    match flow.settings().target {
        Some(Target::Hubspot) => [Target::Hubspot, Target::Klaviyo],
        _ => [Target::Klaviyo, Target::Hubspot],
    }
}

fn exported(target: Target, (flow, workspace, audience): Whole<'_>, out: &mut String) -> Option<Export> {
    let _ = write!(out, "<h3>{}</h3>", target.title());
    match platforms::export_for(target, flow, workspace, Some(audience)) {
        Ok(export) => Some(export),
        Err(errors) => {
            let errors: Vec<&Diagnostic> = errors.iter().collect();
            out.push_str("<p class=\"bad\">The flow cannot be handed over yet:</p><ul>");
            for error in errors {
                let _ = write!(out, "<li>{}</li>", escape(&error.message));
            }
            out.push_str("</ul>");
            None
        }
    }
}

/// Losses of each platform.
pub(super) fn losses(whole: Whole<'_>, out: &mut String) {
    let (flow, ..) = whole;
    out.push_str(
        "<p class=\"intro\">Platforms differ in what they can do. Each difference from what is described here is listed, \
         with what to do about it.</p>",
    );
    let numbers = order::numbers(flow);
    for target in targets(flow) {
        let Some(export) = exported(target, whole, out) else { continue };
        if export.losses.is_empty() {
            let _ = write!(out, "<p>{} does everything as described.</p>", target.title());
            continue;
        }
        let mut losses: Vec<_> = export.losses.iter().collect();
        losses.sort_by_key(|loss| std::cmp::Reverse(loss.kind));
        let rows: Vec<Vec<String>> = losses
            .into_iter()
            .map(|loss| {
                let place = match &loss.place.node {
                    Some(node) => step_link(flow, &numbers, &NodeId::new(node)),
                    None => "The whole flow".to_owned(),
                };
                let (class, title) = match loss.kind {
                    LossKind::Approximate => ("warn", "differs"),
                    LossKind::NotPossible => ("bad", "not possible"),
                };
                vec![
                    place,
                    format!(
                        "<span class=\"mark {class}\">{title}</span> {}<p class=\"muted\">{}</p>",
                        escape(&loss.message),
                        escape(&loss.remedy)
                    ),
                ]
            })
            .collect();
        table(out, "losses", &["Where", "What is different, and what to do"], &rows);
    }
}

/// The sorts of names that an account must have, in the order in which they are made, and what they are called.
const SORTS: [(&str, &str); 12] = [
    ("metric", "Events that the shop must send"),
    ("event", "Events that the shop must send"),
    ("event-property", "Properties of events"),
    ("property", "Properties of contacts"),
    ("list", "Lists"),
    ("segment", "Segments"),
    ("form", "Forms"),
    ("coupon", "Coupons"),
    ("template", "Templates of the mails"),
    ("email", "Mails"),
    ("user", "People who are told"),
    ("secret", "Keys for other systems"),
];

/// What to do in the account, in order.
pub(super) fn setup(whole: Whole<'_>, out: &mut String) {
    let (flow, workspace, _) = whole;
    out.push_str(
        "<p class=\"intro\">What has to be there in the account before the flow goes live, in this order. Nothing here is \
         a key or a password.</p>",
    );
    for target in targets(flow) {
        let Some(export) = exported(target, whole, out) else { continue };
        out.push_str("<ol class=\"setup\">");
        let mut rest: Vec<&Unresolved> = export.unresolved.iter().collect();
        let mut said: Vec<&str> = Vec::new();
        for (_, title) in SORTS {
            if said.contains(&title) {
                continue;
            }
            said.push(title);
            let (own, others): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|wanted| SORTS.iter().any(|(sort, of)| *of == title && is_of(wanted, sort)));
            rest = others;
            wanted(title, &own, out);
        }
        wanted("Besides", &rest, out);
        if let Some(sender) =
            flow.settings().sender.as_deref().and_then(|id| workspace.sender(id)).or(workspace.senders.first())
        {
            let _ = write!(
                out,
                "<li><b>Sender</b><p>Confirm {} &lt;{}&gt; as a sender, with the records of its domain.</p></li>",
                escape(&sender.name),
                escape(&sender.email)
            );
        }
        let mails = flow.nodes.iter().filter(|node| node.settings().is_some_and(|s| s.message().is_some())).count();
        let (files, live) = match target {
            Target::Hubspot => (
                "Create the mails, then the workflow, from the files of the export; both arrive switched off.",
                "Publish the mails, check the workflow's suppression lists, then turn it on.",
            ),
            _ => (
                "Create the templates, then the flow, from the files of the export; it arrives as a draft.",
                "Look through each mail in the flow's editor, set the messages from draft to live, then the flow.",
            ),
        };
        let _ = write!(out, "<li><b>Flow</b><p>{}</p></li>", escape(files));
        let test = format!(
            "Enter with a test address of your own and compare {} with this page.",
            words::count(mails, "message", "messages")
        );
        let _ = write!(
            out,
            "<li><b>Test</b><p>{}</p></li><li><b>Go live</b><p>{}</p></li></ol>\n",
            escape(&test),
            escape(live)
        );
    }
}

fn is_of(wanted: &Unresolved, sort: &str) -> bool {
    wanted.key.split_once(':').is_some_and(|(kind, _)| kind == sort)
}

fn wanted(title: &str, all: &[&Unresolved], out: &mut String) {
    if all.is_empty() {
        return;
    }
    let _ = write!(out, "<li><b>{title}</b><ul>");
    for wanted in all {
        let name = wanted.key.split_once(':').map_or(wanted.key.as_str(), |(_, name)| name);
        let _ = write!(out, "<li>{}<p class=\"muted\">{}</p></li>", escape(name), escape(&wanted.how));
    }
    out.push_str("</ul></li>");
}
