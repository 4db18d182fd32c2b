//! The message preview: for whom, when, how an inbox shows it, and who gets something else.
//!
//! The one idea: without a choice the mail is the one that the replay sends: at that instant, by that entry. Choices
//! only narrow it. Deliberately not here: making the mail, which is [`super::stage`]'s.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::{
    document::Document,
    project::Home,
    stage::{self, Made, Stage},
    when,
};
use crate::{
    audience::Event,
    base::{ContactId, EventId, Instant, NodeId},
    content::{Completeness, TagState},
    flow::Flow,
    journey::{Decision, What},
    simulate::Report,
};

/// What a preview depends on besides the document.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PreviewKey {
    /// The step that sends it.
    pub node: Option<NodeId>,
    /// For whom.
    pub contact: Option<ContactId>,
    /// The event that let them in; the newest that fits where left out.
    pub event: Option<EventId>,
    /// When; the newest instant of the audience where left out.
    pub at: Option<Instant>,
    /// The version, instead of the one that the contact is dealt.
    pub variant: Option<SmolStr>,
}

/// Where the instant of a preview comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// It was typed.
    Chosen,
    /// The clock of the time line.
    Clock,
    /// The replay sends it then.
    Sent,
    /// The contact never gets it: the newest event of the audience stands in.
    Newest,
}

/// When a mail is looked at, and by which entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moment {
    /// When.
    pub at: Instant,
    /// Why then.
    pub source: Source,
    /// The event that let them in; the newest that fits where left out.
    pub event: Option<EventId>,
}

/// What was chosen by hand.
#[derive(Clone, Copy, Default, Debug)]
struct Chosen<'a> {
    event: Option<&'a EventId>,
    at: Option<Instant>,
    clock: Option<Instant>,
}

/// The moment of the preview of a step, for the chosen contact.
pub fn moment(document: &Document, node: &NodeId) -> Option<Moment> {
    let view = &document.view;
    let report = document.derived.replay.as_ref().map(|stamped| &*stamped.value);
    let chosen = Chosen { event: view.event.as_ref(), at: view.at, clock: view.clock };
    moment_of(document.flow(), &document.home, report, node, view.contact.as_ref()?, chosen)
}

fn moment_of(
    flow: &Flow,
    home: &Home,
    report: Option<&Report>,
    node: &NodeId,
    contact: &ContactId,
    chosen: Chosen<'_>,
) -> Option<Moment> {
    let own = |event: &&Event| event.contact == *contact;
    let trace = report.and_then(|report| report.traces.get(contact)).map_or(&[][..], Vec::as_slice);
    let trace: Vec<&Decision> = trace.iter().filter(|d| d.flow.as_ref() == Some(&flow.id)).collect();
    let not_before = chosen.event.and_then(|id| home.audience.events.iter().filter(own).find(|e| e.id == *id));
    let not_before = not_before.map(|event| event.accepted);
    let here = |d: &&&Decision| d.node.as_ref() == Some(node) && not_before.is_none_or(|since| d.at >= since);
    let goes = trace.iter().filter(here).find(|d| matches!(d.what, What::Go { .. }));
    let sent = goes.or_else(|| trace.iter().filter(here).find(|d| matches!(d.what, What::Arrived)));
    let (at, source) = match (chosen.at, chosen.clock, sent) {
        (Some(at), ..) => (at, Source::Chosen),
        (None, Some(at), _) => (at, Source::Clock),
        (None, None, Some(sent)) => (sent.at, Source::Sent),
        (None, None, None) => (stage::newest(home)?, Source::Newest),
    };
    let entered = trace.iter().rev().find_map(|d| match d.what {
        What::Entered { alternative, .. } if d.at <= at => match (source, sent) {
            (Source::Sent, Some(sent)) if sent.journey != d.journey => None,
            _ => Some((d.at, alternative)),
        },
        _ => None,
    });
    let event = chosen.event.cloned().or_else(|| {
        let (entered, alternative) = entered?;
        let metrics = stage::metrics(flow, &home.workspace, Some(alternative));
        let before = home.audience.events.iter().filter(own).filter(|e| e.accepted <= entered);
        let listened = before.filter(|event| metrics.contains(&event.name));
        listened.max_by_key(|event| (event.happened, event.accepted, &event.id)).map(|event| event.id.clone())
    });
    Some(Moment { at, source, event })
}

/// What the preview of the selected step depends on.
pub fn key(document: &Document) -> PreviewKey {
    let sends = |id: &&NodeId| {
        let settings = document.flow().node(id.as_str()).and_then(|node| node.settings());
        settings.is_some_and(|settings| settings.message().is_some())
    };
    let node = document.selected().filter(sends);
    let moment = node.and_then(|node| moment(document, node));
    let (event, at) = moment.map_or((None, None), |moment| (moment.event, Some(moment.at)));
    let variant = document.view.mail.variant.clone();
    PreviewKey { node: node.cloned(), contact: document.view.contact.clone(), event, at, variant }
}

/// What the preview of a step for somebody else depends on: when the replay sends it to them.
pub fn key_for(
    document: &Document,
    node: Option<NodeId>,
    contact: Option<&ContactId>,
    variant: Option<SmolStr>,
) -> PreviewKey {
    let report = document.derived.replay.as_ref().map(|stamped| &*stamped.value);
    let moment = node.as_ref().zip(contact).and_then(|(node, contact)| {
        moment_of(document.flow(), &document.home, report, node, contact, Chosen::default())
    });
    let (event, at) = moment.map_or((None, None), |moment| (moment.event, Some(moment.at)));
    PreviewKey { node, contact: contact.cloned(), event, at, variant }
}

/// How an inbox shows a mail; cutting lines to a width is the window's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inbox {
    /// Name of the sender, or its address.
    pub sender: String,
    /// Address of the sender.
    pub address: String,
    /// First letter of the sender.
    pub initial: String,
    /// Subject.
    pub subject: String,
    /// What stands after it; the beginning of the text where the mail has no preheader, as inboxes do it.
    pub preheader: String,
    /// "03:10" on the contact's wall.
    pub time: String,
}

/// The inbox line of a mail.
pub fn inbox(document: &Document, node: &NodeId, made: &Made) -> Inbox {
    let preheader = if made.mail.preheader.trim().is_empty() {
        made.mail.text.split_whitespace().take(24).collect::<Vec<_>>().join(" ")
    } else {
        made.mail.preheader.clone()
    };
    line(document, node, (&made.mail.subject, preheader), made.at)
}

/// The inbox line of a subject and what stands after it.
pub fn line(document: &Document, node: &NodeId, (subject, preheader): (&str, String), at: Instant) -> Inbox {
    let flow = document.flow();
    let node = flow.node(node.as_str());
    let sender = stage::sender(flow, &document.home.workspace, node.map(|node| &**node));
    let (name, address) = sender.map_or_else(
        || ("No sender yet".to_owned(), String::new()),
        |sender| (if sender.name.is_empty() { sender.email.clone() } else { sender.name }, sender.email),
    );
    let zone = when::zone_of(&document.home, document.view.contact.as_ref());
    Inbox {
        initial: name.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default(),
        sender: name,
        address,
        subject: if subject.is_empty() { "No subject".to_owned() } else { subject.to_owned() },
        preheader,
        time: when::time(at, &zone),
    }
}

/// A merge tag as the table shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TagRow {
    /// As the template writes it.
    pub name: String,
    /// What people call the field.
    pub title: String,
    /// Where its text came from.
    pub state: TagState,
    /// What it prints.
    pub value: String,
}

/// The tags of a mail: missing ones first, then fallbacks, then values, each in the order of first use.
pub fn tags(flow: &Flow, made: &Made) -> Vec<TagRow> {
    let titles: BTreeMap<&str, &str> =
        flow.fields().filter_map(|field| Some((field.name.as_str(), field.title.as_deref()?))).collect();
    let rows = made.mail.tags.iter().map(|tag| {
        let root = tag.name.split('.').next().unwrap_or(&tag.name);
        let title = titles.get(root).map_or(String::new(), |title| (*title).to_owned());
        TagRow { name: tag.name.clone(), title, state: tag.state, value: tag.value.clone() }
    });
    let mut rows: Vec<TagRow> = rows.collect();
    rows.sort_by_key(|row| match row.state {
        TagState::Missing => 0,
        TagState::Fallback => 1,
        TagState::Value => 2,
    });
    rows
}

/// Why the mail would be held; `None` where it may leave.
pub fn held(made: &Made) -> Option<String> {
    match made.mail.completeness() {
        Completeness::Complete => None,
        Completeness::Incomplete(tags) => Some(format!("no value and no fallback for {}", tags.join(", "))),
        Completeness::Empty => Some("there is nothing to read in it".to_owned()),
        Completeness::Leftover(text) => Some(format!("something that should have been replaced is left: {text}")),
    }
}

/// What of a mail can differ between contacts apart from the words of its values.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Shape {
    variant: SmolStr,
    missing: Vec<String>,
    fallbacks: Vec<String>,
    blocks: String,
}

impl Shape {
    fn of(made: &Made) -> Self {
        let fallbacks = made.mail.tags.iter().filter(|tag| tag.state == TagState::Fallback);
        Self {
            variant: made.variant.clone(),
            missing: made.mail.missing.clone(),
            fallbacks: fallbacks.map(|tag| tag.name.clone()).collect(),
            blocks: skeleton(&made.mail.html),
        }
    }

    /// What `other` has that this one has not, in words.
    fn differences(&self, other: &Self) -> Vec<String> {
        let mut out = Vec::new();
        if self.variant != other.variant {
            out.push(format!("variant {}", other.variant));
        }
        let fresh = |old: &[String], new: &[String]| -> Vec<String> {
            new.iter().filter(|name| !old.contains(name)).cloned().collect()
        };
        for (word, old, new) in [
            ("nothing for", &self.missing, &other.missing),
            ("fallback for", &self.fallbacks, &other.fallbacks),
            ("a value for", &other.fallbacks, &self.fallbacks),
        ] {
            let names = fresh(old, new);
            // A tag that is missing now had a fallback nowhere: it is said once.
            let names: Vec<String> =
                names.into_iter().filter(|n| word != "a value for" || !other.missing.contains(n)).collect();
            if !names.is_empty() {
                out.push(format!("{word} {}", names.join(", ")));
            }
        }
        if self.blocks != other.blocks {
            out.push("other blocks".to_owned());
        }
        out
    }
}

/// The elements of a page without its texts: the same for two contacts who see the same blocks.
fn skeleton(html: &str) -> String {
    let mut out = String::new();
    for part in html.split('<').skip(1) {
        out.extend(part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/'));
        out.push(' ');
    }
    out
}

/// The next contact after `from`, in the order of the audience and around its end, for whom the mail of a step has
/// another variant, other blocks, or tags that fall back or are missing: who, and what differs.
///
/// Each is looked at when the replay sends them the mail, else at the newest event. `keeps_on` is told how much is done
/// (0..=1) and ends the search by saying no. Errors: the mail of `from` itself cannot be made.
pub fn next_differing(
    flow: &Flow,
    home: &Home,
    report: Option<&Report>,
    node: &NodeId,
    from: &ContactId,
    keeps_on: &mut dyn FnMut(f32) -> bool,
) -> Result<Option<(ContactId, String)>, String> {
    let contacts = &home.audience.contacts;
    let start = contacts.iter().position(|contact| contact.id == *from).ok_or("This contact is gone")?;
    let step = flow.node(node.as_str()).ok_or("This step is gone")?;
    let message = stage::message_of(flow, step).ok_or("The message of this step is missing or cannot be read")?;
    let stage = Stage::new(flow, &home.workspace);
    let mut events: BTreeMap<&ContactId, Vec<&Event>> = BTreeMap::new();
    for event in &home.audience.events {
        events.entry(&event.contact).or_default().push(event);
    }
    let mut prepared = BTreeMap::new();
    for variant in &message.variants {
        if let Ok(ready) = stage.prepare(step, message, variant) {
            prepared.insert(variant.id.as_str(), ready);
        }
    }
    let shape = |n: usize| -> Option<Shape> {
        let contact = &contacts[n];
        let moment = moment_of(flow, home, report, node, &contact.id, Chosen::default())?;
        let own = events.get(&contact.id).map_or(&[][..], Vec::as_slice);
        let history = stage::History::of(own.iter().copied(), &contact.id, moment.at);
        let variant = stage.dealt(step, message, contact)?;
        let event = match &moment.event {
            Some(id) => history.events.iter().find(|event| event.id == *id).cloned(),
            None => stage.likely_entry(&history),
        };
        let ready = prepared.get(variant.id.as_str())?;
        let made = stage.render((ready, message, variant), contact, &history, event, moment.at).ok()?;
        Some(Shape::of(&made))
    };
    let own = shape(start).ok_or("The mail of this contact cannot be made")?;
    for step in 1..contacts.len() {
        if !keeps_on(step as f32 / contacts.len() as f32) {
            break;
        }
        let n = (start + step) % contacts.len();
        let Some(other) = shape(n) else { continue };
        let differences = own.differences(&other);
        if other != own {
            let said = if differences.is_empty() { "a value for every tag".to_owned() } else { differences.join(", ") };
            return Ok(Some((contacts[n].id.clone(), said)));
        }
    }
    Ok(None)
}

/// The contact before or after the chosen one, around the ends.
pub fn neighbour(document: &Document, forward: bool) -> Option<ContactId> {
    let contacts = &document.home.audience.contacts;
    let here = contacts.iter().position(|contact| Some(&contact.id) == document.view.contact.as_ref());
    let next = match (here, forward) {
        (Some(n), true) => (n + 1) % contacts.len(),
        (Some(n), false) => (n + contacts.len() - 1) % contacts.len(),
        (None, _) => 0,
    };
    contacts.get(next).map(|contact| contact.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Command, act::Act, fixture};

    fn preview_of(app: &crate::app::App) -> (String, String, Option<String>) {
        let made = fixture::document(app).derived.preview.as_ref().expect("made").value.result.clone().expect("a mail");
        (made.mail.subject.clone(), made.at.to_string(), made.event.as_ref().map(|event| event.id.to_string()))
    }

    #[test]
    fn the_mail_is_the_one_that_the_replay_sends() {
        let mut app = fixture::studio();
        fixture::run(&mut app, Command::Select { nodes: vec!["mail-2".into()], toggle: false });
        let (subject, at, event) = preview_of(&app);
        assert_eq!(at, "2026-10-03T07:10:04.72Z");
        assert!(subject.starts_with("15 % on the"), "{subject}");
        assert!(event.is_some());
        let document = fixture::document(&app);
        assert_eq!(moment(document, &"mail-2".into()).map(|m| m.source), Some(Source::Sent));
    }

    #[test]
    fn a_choice_of_entry_instant_or_clock_narrows_it() {
        let mut app = fixture::studio();
        fixture::run(&mut app, Command::Select { nodes: vec!["mail-1".into()], toggle: false });
        let entries = stage::entries(fixture::document(&app).flow(), &fixture::document(&app).home, &"ada".into());
        assert!(entries.len() > 2 && entries[0].detail.starts_with("cart_id mw-ada-"), "{:?}", entries[0]);
        fixture::run(&mut app, Command::ChooseEvent(Some(entries[0].id.clone())));
        assert_eq!(preview_of(&app).2, Some(entries[0].id.to_string()));
        fixture::run(&mut app, Act::SetClock(Some(fixture::now())));
        assert_eq!(preview_of(&app).1, fixture::now().to_string());
        let typed = fixture::now().plus_millis(60_000);
        fixture::run(&mut app, Command::ChooseInstant(Some(typed)));
        assert_eq!(preview_of(&app).1, typed.to_string());
        fixture::run(&mut app, Command::ChooseContact(Some("an".into())));
        let view = &fixture::document(&app).view;
        assert_eq!((view.clock, view.at, view.event.as_ref()), (None, None, None), "they were Ada's");
    }

    #[test]
    fn people_are_found_by_name_id_and_address() {
        let home = fixture::home();
        for query in ["Nguyễn", "an@example", "AN nguy"] {
            assert!(stage::people(&home, query).iter().any(|person| person.id.as_str() == "an"), "{query}");
        }
        assert!(stage::people(&home, "nobody at all").is_empty());
    }

    #[test]
    fn whoever_differs_really_differs() {
        let app = fixture::studio();
        let document = fixture::document(&app);
        let report = document.derived.replay.as_ref().map(|s| &*s.value);
        let found =
            next_differing(document.flow(), &document.home, report, &"mail-1".into(), &"ada".into(), &mut |_| true);
        let (contact, said) = found.expect("a mail").expect("somebody");
        assert_ne!(contact.as_str(), "ada");
        assert!(!said.is_empty());
        let gone =
            next_differing(document.flow(), &document.home, report, &"mail-9".into(), &"ada".into(), &mut |_| true);
        assert!(gone.is_err());
    }
}
