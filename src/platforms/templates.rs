//! Messages in a target's template language: the one place where exporters ask `content` for subject, HTML and text.
//!
//! What a template cannot say there is a loss at the tag; what is wrong with the message itself stays a diagnostic.

use std::borrow::Cow;

use super::{LossKind, Notes, images, languages};
use crate::{
    base::{Diagnostic, Place},
    content::{
        Dialect, Field, FieldSource, MailPart, Message, Origin, PREHEADER_OPENS, Part, Scope, Variant, export_variant,
        transpile,
    },
    flow::{Flow, FlowSettings, Target, Workspace},
};

/// A message as a target takes it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Template {
    pub subject: String,
    pub preheader: String,
    pub html: String,
    pub text: String,
    /// Fields that the target finds only in a property of the contact.
    pub prepared: Vec<String>,
    /// Of a mail that only the target has: its id there, which goes back instead of a template.
    pub known_as: Option<String>,
}

/// HTML of ours without the hidden line before the text, which whoever shows or exports the mail adds.
pub(super) fn without_preheader(html: &str) -> Cow<'_, str> {
    match html.split_once(PREHEADER_OPENS) {
        Some((before, rest)) => {
            let after = rest.split_once("</div>").map_or("", |(_, after)| after);
            Cow::Owned(format!("{before}{after}"))
        }
        None => Cow::Borrowed(html),
    }
}

/// The target's language.
pub(super) fn dialect(target: Target) -> Dialect {
    match target {
        Target::Klaviyo => Dialect::Klaviyo,
        Target::Hubspot => Dialect::Hubspot,
        Target::Engine => Dialect::Canonical,
    }
}

/// A variant of a message in the target's language, those of other languages in it as conditional content.
pub(super) fn message(
    target: Target,
    flow: &Flow,
    workspace: &Workspace,
    message: &Message,
    variant: &Variant,
    notes: &mut Notes,
) -> Template {
    if let Some(id) = origin(target).and_then(|origin| variant.only_there(origin)) {
        return known(target, flow, workspace, message, variant, (id, notes));
    }
    let own = one(target, flow, workspace, message, variant, notes);
    let others = languages::beside(target, message, variant);
    if others.is_empty() {
        return own;
    }
    let others = others
        .into_iter()
        .map(|(condition, other)| (condition, one(target, flow, workspace, message, other, notes)))
        .collect();
    languages::merged(own, others)
}

/// A mail of which the target has the template: subject and preview text are written, nothing else.
fn known(
    target: Target,
    flow: &Flow,
    workspace: &Workspace,
    message: &Message,
    variant: &Variant,
    (id, notes): (&str, &mut Notes),
) -> Template {
    let place = |field: &str| Place::message(&message.id).with_field(field);
    let mut part = |part: MailPart, text: &str| match origin(target).and_then(|origin| variant.kept(origin, part)) {
        Some(source) => source.to_owned(),
        None => inline(target, flow, workspace, text, &place(part_field(part)), notes),
    };
    Template {
        subject: part(MailPart::Subject, &variant.subject),
        preheader: part(MailPart::Preheader, &variant.preheader),
        known_as: Some(id.to_owned()),
        ..Template::default()
    }
}

/// What came from the target is known as its own.
pub(super) fn origin(target: Target) -> Option<Origin> {
    match target {
        Target::Klaviyo => Some(Origin::Klaviyo),
        Target::Hubspot => Some(Origin::Hubspot),
        Target::Engine => None,
    }
}

/// One variant; made once for an export.
fn one(
    target: Target,
    flow: &Flow,
    workspace: &Workspace,
    message: &Message,
    variant: &Variant,
    notes: &mut Notes,
) -> Template {
    let key = (message.id.to_string(), variant.id.clone());
    if let Some(known) = notes.templates.get(&key) {
        return known.clone();
    }
    let fields = fields_for(target, flow, workspace);
    let none = std::collections::BTreeMap::new();
    let constants = flow.settings.value().map_or(&none, |settings| &settings.constants);
    let scope = Scope { fields: &fields, constants };
    let template = match export_variant(message, variant, &workspace.brand, dialect(target), &scope) {
        Ok(mail) => {
            let parts = kept_parts(target, message, variant, notes);
            let stands = |field: &str| parts.iter().any(|(part, _)| part_field(*part) == field);
            let of = |loss: &Diagnostic| loss.place.field.as_deref().and_then(|f| f.rsplit('.').next()).map(stands);
            note(target, mail.losses.into_iter().filter(|loss| of(loss) != Some(true)).collect(), notes);
            let own = |part: MailPart, made: String| {
                parts.iter().find(|(kept, _)| *kept == part).map_or(made, |(_, source)| (*source).to_owned())
            };
            let is_kept = parts.iter().any(|(part, _)| *part == MailPart::Body);
            let place = Place::message(&message.id).with_field("body");
            // What goes back unchanged has pictures of its own.
            let html = if is_kept { mail.html } else { images::placed(target, workspace, mail.html, &place, notes) };
            let html = own(MailPart::Body, html);
            if is_kept {
                notes.kept_html.insert(html.clone());
            }
            Template {
                subject: own(MailPart::Subject, mail.subject),
                preheader: own(MailPart::Preheader, mail.preheader),
                html,
                text: own(MailPart::Text, mail.text),
                prepared: mail.prepared.iter().map(ToString::to_string).collect(),
                known_as: None,
            }
        }
        Err(found) => {
            // An empty template at the client would be worse than no export.
            notes.obstacles.push(
                Diagnostic::error(
                    "export/message",
                    Place::message(&message.id),
                    format!("Variant `{}` cannot be made", variant.id),
                )
                .hint("Mend the message; the findings beside this one point at the place"),
            );
            notes.obstacles.extend(found);
            Template::default()
        }
    };
    notes.templates.insert(key, template.clone());
    template
}

/// Parts of which the target's own source still stands; what another platform's source says is a loss.
fn kept_parts<'v>(
    target: Target,
    message: &Message,
    variant: &'v Variant,
    notes: &mut Notes,
) -> Vec<(MailPart, &'v str)> {
    let origin = origin(target);
    let mut out = Vec::new();
    for part in [MailPart::Subject, MailPart::Preheader, MailPart::Body, MailPart::Text] {
        match variant.kept_by_anyone(part) {
            Some(kept) if Some(kept.origin) == origin => out.push((part, kept.source.as_str())),
            Some(kept) => {
                let code = match target {
                    Target::Klaviyo => "klaviyo/foreign-template",
                    Target::Hubspot => "hubspot/foreign-template",
                    Target::Engine => "engine/foreign-template",
                };
                notes.approximate(
                    code,
                    Place::message(&message.id).with_field(part_field(part)),
                    format!("This part came from {} and says more there than is written here; what could not be read stands in it as \u{27e8}…\u{27e9}", kept.origin.title()),
                    "Write these places in the mail language",
                );
            }
            None => {}
        }
    }
    out
}

fn part_field(part: MailPart) -> &'static str {
    match part {
        MailPart::Subject => "subject",
        MailPart::Preheader => "preheader",
        MailPart::Body | MailPart::Template => "body",
        MailPart::Text => "text",
    }
}

/// A short text with tags (an SMS, a webhook's body, an alert) in the target's language.
pub(super) fn inline(
    target: Target,
    flow: &Flow,
    workspace: &Workspace,
    text: &str,
    place: &Place,
    notes: &mut Notes,
) -> String {
    let fields = fields_for(target, flow, workspace);
    let FlowSettings { constants, .. } = flow.settings();
    let scope = Scope { fields: &fields, constants: &constants };
    match transpile(text, Part::Plain, dialect(target), &scope, place) {
        Ok(done) => {
            note(target, done.losses, notes);
            done.text
        }
        Err(found) => {
            note(target, found, notes);
            text.to_owned()
        }
    }
}

/// The flow's fields as the target's templates name what is behind them: Klaviyo looks a coupon up by its own name.
fn fields_for(target: Target, flow: &Flow, workspace: &Workspace) -> Vec<Field> {
    let mut fields: Vec<Field> = flow.fields().cloned().collect();
    if target == Target::Klaviyo {
        for field in &mut fields {
            if let FieldSource::Code { pool } = &mut field.source {
                *pool = coupon(workspace, pool).into();
            }
        }
    }
    fields
}

/// What a code pool is called in Klaviyo: its name there, its own where the workspace gives none.
pub fn coupon<'a>(workspace: &'a Workspace, pool: &'a str) -> &'a str {
    let known = workspace.code_pools.iter().find(|known| known.name == pool);
    known.and_then(|known| known.klaviyo.as_deref()).unwrap_or(pool)
}

/// Findings of the target become losses, all others stay what they are.
fn note(target: Target, found: Vec<Diagnostic>, notes: &mut Notes) {
    for finding in found {
        let of_target = finding.code.split('/').next() == Some(target.name());
        match finding.code {
            Cow::Borrowed(code) if of_target => {
                let gone = ["hubspot/list-dropped", "klaviyo/condition-size", "klaviyo/code-condition"].contains(&code);
                let kind = if gone { LossKind::NotPossible } else { LossKind::Approximate };
                notes.loss(kind, code, finding.place, finding.message, finding.hint);
            }
            _ if notes.diagnostics.contains(&finding) => {}
            _ => notes.diagnostics.push(finding),
        }
    }
}
