//! An export as it is handed to a client: the target's bodies, and each mail as three people of the audience get it.
//!
//! The one idea: a client who sets the flow up elsewhere needs something to compare with, so the mails lie beside the
//! bodies as the preview shows them. Deliberately not here: what a target is told ([`crate::platforms`]), and files.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use smol_str::SmolStr;

use super::{
    matrix::{Cancelled, Plan},
    stage::{History, Stage},
};
use crate::{
    audience::{Audience, Contact, Event},
    base::{ContactId, Diagnostic, Instant, MessageId},
    content::Variant,
    flow::{Flow, Target, Workspace},
    platforms::{self, Export, Sample},
};

/// Contacts among which the three are chosen; the first of the audience. Source: assumption, enough for every shape of
/// data, and few enough that an export stays a matter of a moment.
const MOST_CONTACTS: usize = 2_000;

/// Whom a sample stands for.
pub(super) const FILLED: &str = "filled";
const TYPICAL: &str = "typical";
pub(super) const EMPTIEST: &str = "emptiest";

/// Writes a flow as a target takes it, with samples of its mails where there is an audience.
///
/// Errors: as [`platforms::export`].
pub fn export(
    target: Target,
    flow: &Flow,
    workspace: &Workspace,
    audience: &Audience,
) -> Result<Export, Vec<Diagnostic>> {
    let export = platforms::export_for(target, flow, workspace, Some(audience))?;
    Ok(if target == Target::Engine { export } else { export.with_samples(samples(flow, workspace, audience)) })
}

/// The mails of a flow for three contacts of the audience each; the same flow and audience give the same mails. None
/// where there are no contacts or no events to take the time from.
pub fn samples(flow: &Flow, workspace: &Workspace, audience: &Audience) -> Vec<Sample> {
    let newest = audience.events.iter().map(|event| event.accepted).max();
    let newest = newest.or_else(|| audience.contacts.iter().filter_map(|contact| contact.created_at).max());
    let Some(at) = newest.filter(|_| !audience.contacts.is_empty()) else { return Vec::new() };
    made(flow, workspace, audience, at).unwrap_or_default()
}

fn made(flow: &Flow, workspace: &Workspace, audience: &Audience, at: Instant) -> Result<Vec<Sample>, Cancelled> {
    let three = three(flow, workspace, audience, at);
    let contact = |id: &ContactId| audience.contacts.iter().find(|contact| contact.id == *id).cloned();
    let few = Audience {
        contacts: three.iter().filter_map(|(id, _)| contact(id)).collect(),
        events: audience.events.iter().filter(|e| three.iter().any(|(id, _)| *id == e.contact)).cloned().collect(),
        responses: Vec::new(),
    };
    let plan = Plan::new(flow, workspace, &few, at);
    let rows = plan.rows(0..plan.num_mails(), &mut |_| true)?;
    let mut out: Vec<Sample> = Vec::new();
    let mut done: BTreeSet<(MessageId, SmolStr, ContactId)> = BTreeSet::new();
    for (n, row) in rows.iter().enumerate() {
        // Two steps may send one message.
        let variant =
            flow.message(row.message.as_str()).and_then(|m| m.variants.iter().find(|v| *v.id == *row.variant));
        // Nobody can show what only the platform has.
        if variant.and_then(Variant::only_at).is_some() {
            continue;
        }
        if !done.insert((row.message.clone(), row.variant.clone(), row.contact.clone())) {
            continue;
        }
        let whom = three.iter().find(|(id, _)| *id == row.contact).map_or(TYPICAL, |(_, whom)| *whom);
        plan.mails(n..n + 1, &mut |_, contact, mail| {
            // One that cannot be made is among the problems of the flow.
            out.extend(mail.ok().map(|mail| Sample {
                message: row.message.to_string(),
                variant: row.variant.to_string(),
                whom,
                contact: contact.id.to_string(),
                subject: mail.subject,
                preheader: mail.preheader,
                html: mail.html,
                text: mail.text,
            }));
            true
        })?;
    }
    Ok(out)
}

/// Best filled, typical (the middle by how much is filled) and emptiest; fewer where there are fewer people.
pub(super) fn three(
    flow: &Flow,
    workspace: &Workspace,
    audience: &Audience,
    at: Instant,
) -> Vec<(ContactId, &'static str)> {
    let stage = Stage::new(flow, workspace);
    let mut events: BTreeMap<&ContactId, Vec<&Event>> = BTreeMap::new();
    for event in &audience.events {
        events.entry(&event.contact).or_default().push(event);
    }
    let filled = |contact: &Contact| {
        let own = events.get(&contact.id).map(Vec::as_slice).unwrap_or_default();
        let history = History::of(own.iter().copied(), &contact.id, at);
        let entry = stage.likely_entry(&history);
        let values = stage.values(contact, &history, entry.as_deref(), at);
        values.iter().filter(|field| field.value.is_some()).count()
    };
    let people = audience.contacts.iter().take(MOST_CONTACTS);
    let mut order: Vec<(usize, &ContactId)> = people.map(|contact| (filled(contact), &contact.id)).collect();
    order.sort_by_key(|(filled, id)| (Reverse(*filled), *id));
    let picks: &[(usize, &'static str)] = match order.len() {
        0 => &[],
        1 => &[(0, TYPICAL)],
        2 => &[(0, FILLED), (1, EMPTIEST)],
        n => &[(0, FILLED), (n / 2, TYPICAL), (n - 1, EMPTIEST)],
    };
    picks.iter().filter_map(|(at, whom)| Some((order.get(*at)?.1.clone(), *whom))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fixture;

    #[test]
    fn each_mail_stands_for_three_people_and_always_the_same() {
        let app = fixture::open(fixture::text());
        let document = fixture::document(&app);
        let (flow, home) = (document.flow(), &document.home);
        let export = |target| export(target, flow, &home.workspace, &home.audience).expect("an export");
        let one = export(Target::Klaviyo);
        assert_eq!(one, export(Target::Klaviyo));
        let files: Vec<&str> =
            one.files.iter().map(|(path, _)| path.as_str()).filter(|p| p.contains("sample/")).collect();
        let of = |part: &str| files.iter().filter(|path| path.contains(part)).count();
        for message in ["mail-1-a", "mail-2-a", "mail-3-a"] {
            for whom in ["filled", "typical", "emptiest"] {
                for ending in ["html", "txt"] {
                    assert!(files.contains(&format!("sample/{message}-{whom}.{ending}").as_str()), "{files:?}");
                }
            }
        }
        assert_eq!(of(""), 19, "and a list of them: {files:?}");
        let page = String::from_utf8_lossy(one.file("README.md").expect("a page")).into_owned();
        assert!(page.contains("`sample/`"), "{page}");
        let filled = String::from_utf8_lossy(one.file("sample/mail-1-a-filled.txt").expect("a mail")).into_owned();
        assert!(filled.contains("Subject: ") && !filled.contains("{{"), "{filled}");
        assert!(one.files.is_sorted_by(|a, b| a.0 < b.0));
        assert!(export(Target::Engine).files.iter().all(|(path, _)| !path.starts_with("sample/")));
        let nobody = super::export(Target::Hubspot, flow, &home.workspace, &Audience::default()).expect("an export");
        assert!(nobody.files.iter().all(|(path, _)| !path.starts_with("sample/")));
    }
}
