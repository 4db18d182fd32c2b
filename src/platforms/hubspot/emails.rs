//! Marketing e-mails: create bodies, and what a workflow cannot carry of a message's rules.
//!
//! Source: references, HubSpot 8. There is no field for HTML; the text sits in a rich-text widget, whose exact form is
//! read from live e-mails.

use serde_json::{Value as Json, json};

use crate::{
    base::{Place, Span},
    flow::{Target, Workspace},
    kinds::{Email, OnCap, Settings},
    platforms::{Notes, folder::Request, json_bytes, languages, plan::Plan, templates},
};
use std::collections::BTreeMap;

/// What a workflow cannot carry of a message's rules.
pub(super) fn losses(plan: &Plan<'_>, workspace: &Workspace, email: &Email, place: &Place, notes: &mut Notes) {
    let caps: Vec<String> =
        plan.settings.caps.iter().chain(&workspace.caps).map(crate::kinds::CapRule::summary).collect();
    if !email.transactional && !caps.is_empty() {
        notes.impossible(
            "hubspot/cap",
            place.clone(),
            format!(
                "The cap ({}) is not part of a workflow, so the message leaves however many the contact got",
                caps.join("; ")
            ),
            "Turn on the account's e-mail frequency safeguard (Marketing Hub Enterprise)",
        );
    }
    match email.on_cap {
        OnCap::Skip => {}
        OnCap::Wait(_) | OnCap::Leave if email.transactional => {}
        OnCap::Wait(_) | OnCap::Leave => notes.impossible(
            "hubspot/on-cap",
            place.clone().with_field("on_cap"),
            match email.on_cap {
                OnCap::Wait(most) => format!("A message that the frequency safeguard holds back is dropped and the workflow goes on; the flow waits up to {most} for room"),
                OnCap::Leave | OnCap::Skip => "A message that the frequency safeguard holds back is dropped and the workflow goes on; the flow ends there".to_owned(),
            },
            "Skip the message in the flow too, so that both do the same",
        ),
    }
    if email.transactional {
        notes.approximate(
            "hubspot/transactional",
            place.clone().with_field("transactional"),
            "The e-mail is made as a marketing e-mail, which contacts who unsubscribed do not get",
            "Make it a transactional e-mail in HubSpot (add-on)",
        );
    }
    if let Some(cooldown) = &email.cooldown {
        notes.impossible(
            "hubspot/cooldown",
            place.clone().with_field("cooldown"),
            format!(
                "The quiet time of {} after this message is not kept: workflows do not know of each other's e-mails",
                cooldown.lasts
            ),
            "Suppress contacts of this workflow in the others, or use the frequency safeguard",
        );
    }
    if email.smart_sending {
        notes.impossible(
            "hubspot/smart-sending",
            place.clone().with_field("smart_sending"),
            "Smart Sending is a rule of Klaviyo's; HubSpot does not skip this message for whoever got another shortly before",
            "Turn on the account's e-mail frequency safeguard (Marketing Hub Enterprise)",
        );
    }
    if email.send_latest_age != Span::hours(24) {
        notes.impossible(
            "hubspot/latest-age",
            place.clone().with_field("send_latest_age"),
            format!("HubSpot has no latest age for a message, so the limit of {} is not kept", email.send_latest_age),
            "Nothing to do where the workflow has no send window",
        );
    }
}

/// Create bodies with HTML and text beside them, one for each variant of each message in use.
pub(super) fn files(
    plan: &Plan<'_>,
    workspace: &Workspace,
    files: &mut BTreeMap<String, Vec<u8>>,
    notes: &mut Notes,
) -> Vec<Request> {
    let mut requests = Vec::new();
    for step in &plan.steps {
        let Settings::Email(email) = step.settings else { continue };
        let Some(message) = plan.flow.message(email.message.as_str()) else { continue };
        let sender = email.sender.as_deref().or(plan.settings.sender.as_deref());
        let sender = sender.map_or_else(|| workspace.senders.first(), |id| workspace.sender(id));
        for variant in languages::arms(Target::Hubspot, message, notes) {
            let name = format!("{}-{}", message.id, variant.id);
            let file = format!("emails/{name}.json");
            if files.contains_key(&file) {
                continue;
            }
            let template = templates::message(Target::Hubspot, plan.flow, workspace, message, variant, notes);
            // What only the client's account has stays there as it is.
            if template.known_as.is_some() {
                continue;
            }
            let title = if message.variants.len() > 1 {
                format!("{} ({})", message.title(), variant.id)
            } else {
                message.title().to_owned()
            };
            let title = format!("{}: {title}", plan.flow.name);
            let widget = |order: u32, body: Json| json!({"name": format!("module-{order}"), "order": order, "type": "module", "body": body});
            let rich_text = json!({"path": "@hubspot/rich_text", "module_id": 1_155_639, "schema_version": 2, "html": languages::each(Target::Hubspot, &template.html, module_html)});
            let mut body = json!({
                "name": title, "subject": template.subject, "language": language(&workspace.brand.language),
                "subcategory": "automated", "state": "AUTOMATED_DRAFT",
            });
            if let Some(sender) = sender {
                let mut from = json!({"fromName": sender.name, "replyTo": sender.email});
                if let Some(reply_to) = &sender.reply_to {
                    from["customReplyTo"] = json!(reply_to);
                }
                body["from"] = from;
            } else {
                notes.approximate(
                    "hubspot/sender",
                    Place::node(&step.node.id),
                    "The e-mail has no sender",
                    "Name a sender in the workspace and choose it in the flow",
                );
            }
            body["content"] = json!({
                "templatePath": "@hubspot/email/dnd/Plain_email.html",
                "plainTextVersion": template.text,
                "widgets": {
                    "module-0-1-1": widget(1, rich_text),
                    "preview_text": widget(0, json!({"value": template.preheader})),
                },
                "flexAreas": {"main": {"sections": [{"id": "section-0", "columns": [{"id": "column-0-1", "width": 12, "widgets": ["module-0-1-1"]}]}]}},
            });
            if let Some(id) = workspace.hubspot.ids.get("subscription:marketing") {
                body["subscriptionDetails"] = json!({"subscriptionId": id});
            }
            files.insert(file.clone(), json_bytes(&body));
            files.insert(format!("emails/{name}.html"), template.html.into_bytes());
            files.insert(format!("emails/{name}.txt"), template.text.into_bytes());
            requests.push(Request {
                file,
                method: "POST",
                path: "/marketing/v3/emails".into(),
                what: format!("e-mail \u{201c}{title}\u{201d}"),
            });
        }
    }
    if !requests.is_empty() {
        notes.approximate(
            "hubspot/email-html",
            Place::default(),
            "HubSpot takes no whole HTML by API: the mail is put into one rich-text module of a plain template, whose exact form is read from live e-mails",
            "Where the look matters, make a coded e-mail template from the `.html` file beside each body",
        );
    }
    requests
}

/// A language as HubSpot names it: small letters; the main language where the region is not a plain one.
fn language(tag: &str) -> String {
    let tag = tag.to_ascii_lowercase().replace('_', "-");
    let main = tag.split('-').next().unwrap_or_default();
    match tag.as_str() {
        "en-gb" | "en-us" | "de-de" | "de-at" | "de-ch" | "fr-fr" | "fr-ca" | "es-es" | "es-mx" | "pt-br" | "pt-pt"
        | "it-it" | "nl-nl" => tag,
        _ if main.len() == 2 && main.chars().all(|c| c.is_ascii_lowercase()) => main.to_owned(),
        _ => "en".to_owned(),
    }
}

/// What goes into a rich-text module: the styles and the inside of the body. The template around it has head and body
/// of its own, and shows the preheader from a widget of its own.
fn module_html(document: &str) -> String {
    let lower = document.to_ascii_lowercase();
    let Some(body) = lower.find("<body").and_then(|at| Some(at + lower[at..].find('>')? + 1)) else {
        return document.to_owned();
    };
    let end = lower.rfind("</body").filter(|end| *end >= body).unwrap_or(document.len());
    let mut out = String::new();
    // Styles inside a comment are for old clients and stand between marks that only a head may hold.
    let mut at = 0;
    while at < body {
        let rest = &lower[at..body];
        let Some(style) = rest.find("<style") else { break };
        if let Some(comment) = rest[..style].find("<!--[if ").filter(|at| !rest[*at..].starts_with("<!--[if !mso")) {
            let end = rest[comment..].find("<![endif]-->");
            at += end.map_or(rest.len(), |end| comment + end + "<![endif]-->".len());
            continue;
        }
        let Some(close) = rest[style..].find("</style>").map(|close| style + close + "</style>".len()) else { break };
        out.push_str(&document[at + style..at + close]);
        at += close;
    }
    let inside = &document[body..end];
    // Templates do not keep a line's end behind the last word.
    out.push_str(templates::without_preheader(inside).trim());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::PREHEADER_OPENS;

    #[test]
    fn a_module_holds_no_second_document() {
        let document = format!(
            "<!doctype html><html><head><title>T</title><!--[if mso]><style>m</style><![endif]--><STYLE type=\"text/css\">a{{}}</STYLE>\
             <!--[if lte mso 11]><style>o</style><![endif]--><style>b</style></head><body style=\"x\"><div>{PREHEADER_OPENS}Soon&nbsp;</div><p>Hello</p></div></body></html>"
        );
        assert_eq!(
            module_html(&document),
            "<STYLE type=\"text/css\">a{}</STYLE><style>b</style><div><p>Hello</p></div>"
        );
        assert_eq!(module_html("<p>Hello</p>"), "<p>Hello</p>");
    }
}
