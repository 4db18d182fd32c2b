//! Messages in a target's template language: the one place where exporters ask `content` for subject, HTML and text.

use super::Notes;
use crate::{
    base::Place,
    content::{Block, Body, Field, FieldSource, Message, Variant},
    flow::{Flow, Target, Workspace},
};

/// A message as a target takes it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Template {
    pub subject: String,
    pub preheader: String,
    pub html: String,
    pub text: String,
}

/// A variant of a message in the target's language.
pub(super) fn message(
    target: Target,
    flow: &Flow,
    _workspace: &Workspace,
    message: &Message,
    variant: &Variant,
    notes: &mut Notes,
) -> Template {
    let place = Place::message(&message.id);
    let html = match &variant.body {
        Body::Html(html) | Body::Mjml(html) => html.clone(),
        Body::Blocks(blocks) => blocks.iter().map(block).collect::<Vec<_>>().join("\n"),
    };
    Template {
        subject: inline(target, flow, &variant.subject, &place, notes),
        preheader: inline(target, flow, &variant.preheader, &place, notes),
        html: inline(target, flow, &html, &place, notes),
        text: inline(target, flow, variant.text.as_deref().unwrap_or_default(), &place, notes),
    }
}

fn block(block: &Block) -> String {
    match block {
        Block::Heading { text, .. } => format!("<h1>{text}</h1>"),
        Block::Text { text, .. } => format!("<p>{text}</p>"),
        Block::Button { text, href, .. } => format!("<p><a href=\"{href}\">{text}</a></p>"),
        Block::Html { html, .. } => html.clone(),
        Block::Footer { .. } => "<p><a href=\"{unsubscribe_url}\">Unsubscribe</a></p>".to_owned(),
        _ => String::new(),
    }
}

/// A short text with tags (an SMS, a subject, a webhook's body) in the target's language.
pub(super) fn inline(target: Target, flow: &Flow, text: &str, _place: &Place, _notes: &mut Notes) -> String {
    let mut out = text.to_owned();
    for field in flow.fields() {
        out = out.replace(&format!("{{{}}}", field.name), &expression(target, field));
    }
    let unsubscribe = match target {
        Target::Klaviyo => "{% unsubscribe_link %}",
        Target::Hubspot => "{{ unsubscribe_link_all }}",
        Target::Engine => "{{ unsubscribe_url }}",
    };
    out.replace("{unsubscribe_url}", unsubscribe)
}

fn expression(target: Target, field: &Field) -> String {
    let name = match &field.source {
        FieldSource::Contact(path) | FieldSource::Trigger(path) => path.as_str(),
        _ => field.name.as_str(),
    };
    let fallback = field.fallback.clone().unwrap_or_default().replace('\'', "\\'");
    match target {
        Target::Klaviyo => format!("{{{{ event|lookup:'{name}'|default:'{fallback}' }}}}"),
        Target::Hubspot => format!("{{{{ personalization_token('contact.{name}', '{fallback}') }}}}"),
        Target::Engine => format!("{{{{ {name} }}}}"),
    }
}
