//! One contact, one message, one instant, one mail.
//!
//! The one idea: a mail is worked out from the same facts as in a replay: the contact's history up to the instant, the
//! event that let them in, the variant they are dealt.

use std::{collections::BTreeMap, sync::Arc};

use smol_str::SmolStr;

use super::{document::PreviewKey, project::Home};
use crate::{
    audience::{Event, EventLog},
    base::{Diagnostic, Instant, Zone},
    content::{Field, FieldValues, Links, PreparedMessage, RenderedMail, ResolveContext, lint},
    flow::{Flow, Workspace},
    kinds::{Alternative, Settings},
};

/// A mail for one contact, and how it came about.
#[derive(Debug)]
pub struct Made {
    /// The mail.
    pub mail: RenderedMail,
    /// The variant.
    pub variant: SmolStr,
    /// The event that is taken to have let the contact in.
    pub event: Option<Arc<Event>>,
    /// When it is read.
    pub at: Instant,
    /// What preparing and reading it found.
    pub lints: Vec<Diagnostic>,
}

/// The mail that a preview asks for.
///
/// Errors: a sentence that says what is missing.
pub fn preview(flow: &Flow, home: &Home, key: &PreviewKey) -> Result<Made, String> {
    let (Some(node), Some(contact)) = (&key.0, &key.1) else {
        return Err("Choose a step that sends, and a contact".to_owned());
    };
    let settings = flow.node(node.as_str()).and_then(|node| node.settings());
    let message = settings.and_then(Settings::message).and_then(|(id, _)| flow.message(id.as_str()));
    let message = message.ok_or("The message of this step is missing or cannot be read")?;
    let contact = home.audience.contacts.iter().find(|c| c.id == *contact).ok_or("This contact is gone")?;
    let variant = message.variants.first().ok_or("The message has no content yet")?;
    let fields: Vec<Field> = flow.fields().cloned().collect();
    let said = |found: &Diagnostic| found.message.clone();
    let prepared = PreparedMessage::new(message, variant, &fields, &home.workspace.brand)
        .map_err(|found| found.iter().map(said).collect::<Vec<_>>().join("\n"))?;
    let newest = home.audience.events.iter().map(|event| event.accepted).max();
    let at = key.3.or(newest).unwrap_or(Instant::from_millis(0));
    let mut log = EventLog::default();
    let mut events: Vec<Arc<Event>> = Vec::new();
    for event in home.audience.events.iter().filter(|e| e.contact == contact.id && e.accepted <= at) {
        let event = Arc::new(event.clone());
        if log.record(Arc::clone(&event)) {
            events.push(event);
        }
    }
    let trigger = match &key.2 {
        Some(id) => events.iter().find(|event| event.id == *id).cloned(),
        None => likely_entry(flow, &home.workspace, &events),
    };
    let zone = contact.zone.as_deref().and_then(|name| Zone::named(name).ok());
    let zone = zone.unwrap_or_else(|| home.workspace.default_zone());
    let constants = flow.settings().constants;
    let context = ResolveContext {
        now: at,
        zone: &zone,
        contact,
        log: &log,
        trigger: trigger.as_deref(),
        constants: &constants,
        codes: &codes(&home.workspace),
        links: &Links::placeholders(),
        currency: home.workspace.brand.default_currency(),
    };
    let values = FieldValues::resolve(&fields, &context);
    let mail = prepared.render(&values).map_err(|found| said(&found))?;
    let mut lints = prepared.findings().to_vec();
    lints.extend(lint(message, variant, &mail));
    Ok(Made { mail, variant: SmolStr::new(&variant.id), event: trigger, at, lints })
}

/// The newest event that the trigger listens to; whether its filter holds is the replay's to say.
pub fn likely_entry(flow: &Flow, workspace: &Workspace, events: &[Arc<Event>]) -> Option<Arc<Event>> {
    let Some(Settings::Trigger(trigger)) = flow.trigger().and_then(|node| node.settings()) else {
        return None;
    };
    let mut metrics: Vec<&str> = Vec::new();
    for alternative in &trigger.any {
        match alternative {
            Alternative::Event(t) => metrics.push(&t.event),
            Alternative::Abandonment(t) => metrics.push(&t.start),
            Alternative::Engagement(t) => metrics.push(&t.event),
            Alternative::Score(t) => {
                let model = workspace.scores.iter().find(|model| model.name == t.model);
                metrics.extend(model.into_iter().flat_map(|model| &model.signals).map(|signal| signal.event.as_str()));
            }
            Alternative::Segment(_) | Alternative::List(_) | Alternative::Date(_) | Alternative::Inactivity(_) => {}
        }
    }
    let listened = events.iter().filter(|event| metrics.contains(&event.name.as_str()));
    listened.max_by_key(|event| (event.happened, event.accepted, &event.id)).cloned()
}

/// One code of each pool: the shared one, or the first.
pub fn codes(workspace: &Workspace) -> BTreeMap<SmolStr, SmolStr> {
    let pools = workspace.code_pools.iter();
    pools
        .filter_map(|pool| Some((pool.name.clone(), pool.shared.clone().or_else(|| pool.codes.first().cloned())?)))
        .collect()
}
