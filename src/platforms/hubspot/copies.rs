//! Contact properties that stand in for event data, and those that mails print.
//!
//! The one idea: a copy never takes the place of something that the contact has anyway. Names come from the flow's
//! fields; where none names the data, from the event's own property, with `event_` before it where that is taken.

use std::collections::{BTreeMap, BTreeSet};

use super::{filters::contact_property, needed};
use crate::{
    audience::{
        Condition,
        condition::{Root, walk_paths},
    },
    base::Place,
    content::{Dialect, FieldSource, platform_property},
    flow::Workspace,
    kinds::{Settings, actions::update_contact::To},
    platforms::{Notes, plan::Plan},
};

/// What every contact has in HubSpot. Source: the columns of an audience under HubSpot's names.
const OF_EVERY_CONTACT: [&str; 8] =
    ["email", "phone", "firstname", "lastname", "jobtitle", "createdate", "hs_language", "hs_timezone"];

/// Properties that are the contact's own: those of the workspace, and all that the flow asks, sets or prints.
pub(super) fn own_properties(plan: &Plan<'_>, workspace: &Workspace) -> BTreeSet<String> {
    let mut out: BTreeSet<String> = OF_EVERY_CONTACT.into_iter().map(str::to_owned).collect();
    out.extend(workspace.properties.keys().map(|name| contact_property(name)));
    let mut asked = |condition: &Condition| {
        walk_paths(condition, &mut |path| {
            if let (Root::Contact, Some(name)) = (path.root, path.steps.first()) {
                out.insert(contact_property(name));
            }
        });
    };
    let segments = workspace.segments.values();
    segments.chain(plan.settings.conditions().into_iter().map(|(_, text)| text)).for_each(|t| asked(t.condition()));
    for settings in plan.flow.nodes.iter().filter_map(|node| node.settings()) {
        settings.conditions().into_iter().for_each(|(_, text)| asked(text.condition()));
        if let Settings::UpdateContact(update) = settings {
            for one in &update.set {
                // What another step copies from the contact is the contact's too.
                if let To::Copy(path) = &one.to {
                    asked(&Condition::IsSet(path.clone()));
                }
                asked(&Condition::IsSet(crate::audience::Path {
                    root: Root::Contact,
                    steps: vec![one.property.clone()],
                }));
            }
        }
    }
    let fields = plan.flow.fields().filter(|field| matches!(field.source, FieldSource::Contact(_)));
    out.extend(fields.filter_map(|field| platform_property(field, Dialect::Hubspot)));
    out
}

/// A property for event data that no field names.
pub(super) fn name_for(event_path: &str, own: &BTreeSet<String>) -> String {
    let mut name = crate::platforms::slug(event_path);
    while own.contains(&name) {
        name.insert_str(0, "event_");
    }
    name
}

/// Properties that fields name for event data: path in the event, property.
pub(super) fn named_copies(plan: &Plan<'_>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for field in plan.flow.fields() {
        let path = match &field.source {
            FieldSource::Trigger(path) | FieldSource::Computed(crate::content::Computed::Stock(path)) => path,
            FieldSource::Contact(_)
            | FieldSource::LastEvent { .. }
            | FieldSource::Computed(_)
            | FieldSource::Constant(_)
            | FieldSource::Code { .. } => continue,
        };
        if let Some(property) = platform_property(field, Dialect::Hubspot) {
            out.entry(path.to_string()).or_insert(property);
        }
    }
    out
}

/// Event data that the messages print, with the property each field reads; properties that nothing here can fill.
pub(super) fn printed(plan: &Plan<'_>, own: &BTreeSet<String>, notes: &mut Notes) -> Vec<(String, String)> {
    let prepared: BTreeSet<String> =
        notes.templates.values().flat_map(|template| template.prepared.iter().cloned()).collect();
    let mut out = Vec::new();
    for field in plan.flow.fields().filter(|field| prepared.contains(field.name.as_str())) {
        let Some(property) = platform_property(field, Dialect::Hubspot) else { continue };
        match &field.source {
            FieldSource::Trigger(path) | FieldSource::Computed(crate::content::Computed::Stock(path)) => {
                if own.contains(&property) {
                    notes.approximate(
                        "hubspot/overwrites",
                        Place::default().with_field(format!("fields.{}", field.name)),
                        format!("The mails read the event's `{path}` from the contact property `{property}`, which the contact has anyway: each entry overwrites it"),
                        "Name another HubSpot property for this field",
                    );
                }
                out.push((path.to_string(), property));
            }
            FieldSource::Contact(_)
            | FieldSource::LastEvent { .. }
            | FieldSource::Computed(_)
            | FieldSource::Code { .. } => {
                needed::property(notes, &property, Some(field.kind));
                notes.impossible(
                    "hubspot/prepared",
                    Place::default().with_field(format!("fields.{}", field.name)),
                    format!("HubSpot cannot work out `{}`; its mails read the contact property `{property}`, which nothing in the workflow fills", field.name),
                    format!("Let the shop keep `{property}`, or give the field a fallback that reads well"),
                );
            }
            FieldSource::Constant(_) => {}
        }
    }
    out
}

/// Notes the contact's own properties that mails print.
pub(super) fn mailed_properties(plan: &Plan<'_>, notes: &mut Notes) {
    const TOKEN: &str = "contact.";
    let mut printed = BTreeSet::new();
    for template in notes.templates.values() {
        for text in [&template.subject, &template.preheader, &template.html, &template.text] {
            for (at, _) in text.match_indices(TOKEN) {
                let rest = &text[at + TOKEN.len()..];
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                printed.insert(rest[..end].to_owned());
            }
        }
    }
    for field in plan.flow.fields().filter(|field| matches!(field.source, FieldSource::Contact(_))) {
        if let Some(property) = platform_property(field, Dialect::Hubspot).filter(|property| printed.contains(property))
        {
            needed::property(notes, &property, Some(field.kind));
        }
    }
}
