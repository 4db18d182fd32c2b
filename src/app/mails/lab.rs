//! Subject lines under test: what each version's subject and preheader come to for the audience, and who is dealt it.
//!
//! The one idea: subjects are rendered for every contact whom the version is for, and counted; the few that are worth
//! looking at, the longest, the shortest and one of each language, are kept.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::{
    app::{
        project::Home,
        stage::{self, History, Stage},
    },
    audience::Event,
    base::{ContactId, Diagnostic, Instant, NodeId},
    content::{Message, PreparedMessage},
    flow::Flow,
};

/// Characters of a subject that a list of mails on a phone shows. Source: assumption; mail programs differ by width
/// and font, about 38 fit on a phone held upright.
pub const PHONE_CHARS: usize = 38;
/// The same on a desktop. Source: assumption, about 70.
pub const DESKTOP_CHARS: usize = 70;
/// Most languages of which an example is kept. Source: assumption; more are not looked at.
const MOST_LANGUAGES: usize = 8;

/// What a contact reads in a list of mails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Who.
    pub contact: ContactId,
    /// The subject.
    pub subject: String,
    /// What stands after it.
    pub preheader: String,
}

impl Sample {
    /// Length of the subject in characters.
    pub fn chars(&self) -> usize {
        self.subject.chars().count()
    }
}

/// The subjects of one version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// The version.
    pub variant: SmolStr,
    /// Its language; none for all others.
    pub language: Option<String>,
    /// Its share among the versions of its language, in thousandths.
    pub declared_permille: u64,
    /// Contacts whom it is for; 0 where nobody of the audience reads its language, and all stand in.
    pub readers: usize,
    /// Contacts who are dealt it.
    pub dealt: usize,
    /// Why it cannot be made; the first reason.
    pub fault: Option<String>,
    /// Subjects that were made.
    pub made: usize,
    /// Different subjects among them.
    pub different: usize,
    /// Different preheaders among them.
    pub different_preheaders: usize,
    /// Mails without a preheader.
    pub without_preheader: usize,
    /// Subjects that a phone cuts.
    pub cut_on_phone: usize,
    /// Subjects that a desktop cuts.
    pub cut_on_desktop: usize,
    /// The longest subject; the first of equals.
    pub longest: Option<Sample>,
    /// The shortest subject; the first of equals.
    pub shortest: Option<Sample>,
    /// One for each language of the contacts, `-` where they have none; the first of each.
    pub by_language: Vec<(String, Sample)>,
}

impl Version {
    /// Its share of those whom it is for, in thousandths; `None` where there is nobody.
    pub fn dealt_permille(&self) -> Option<u64> {
        (self.dealt as u64 * 1_000).checked_div(self.readers as u64)
    }
}

/// All versions of a step's message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lab {
    /// The step.
    pub node: NodeId,
    /// Contacts of the audience.
    pub num_contacts: usize,
    /// When they read it.
    pub at: Instant,
    /// The versions, in their order.
    pub versions: Vec<Version>,
}

struct Trial<'a> {
    prepared: Option<PreparedMessage>,
    version: Version,
    /// It is made for everybody, because it is for nobody.
    for_all: bool,
    subjects: BTreeSet<String>,
    preheaders: BTreeSet<String>,
    variant: &'a crate::content::Variant,
}

/// Renders every version's subject over the audience, at its newest event, by the newest entry of each contact.
///
/// `keeps_on` is told how much is done (0..=1); `Ok(None)` where it said no. Errors: a sentence that says what is
/// missing.
pub fn lab(
    flow: &Flow,
    home: &Home,
    node: &NodeId,
    keeps_on: &mut dyn FnMut(f32) -> bool,
) -> Result<Option<Lab>, String> {
    let step = flow.node(node.as_str()).ok_or("This step is gone")?;
    let message = stage::message_of(flow, step).ok_or("The message of this step is missing or cannot be read")?;
    let stage = Stage::new(flow, &home.workspace);
    let at = stage::newest(home).unwrap_or(Instant::from_millis(0));
    let contacts = &home.audience.contacts;
    let mut trials: Vec<Trial<'_>> = message
        .variants
        .iter()
        .map(|variant| {
            let prepared = stage.prepare(step, message, variant);
            let fault = prepared.as_ref().err().and_then(|found| fault(found));
            let same = message.variants.iter().filter(|other| Message::is_for(other, variant.language.as_deref()));
            let total: u64 = same.map(|other| u64::from(other.weight)).sum();
            let is_reader = |language: Option<&str>| Message::is_for(variant, message.language_for(language));
            let readers = contacts.iter().filter(|contact| is_reader(contact.language.as_deref())).count();
            Trial {
                prepared: prepared.ok(),
                for_all: readers == 0,
                subjects: BTreeSet::new(),
                preheaders: BTreeSet::new(),
                variant,
                version: Version {
                    variant: SmolStr::new(&variant.id),
                    language: variant.language.clone(),
                    declared_permille: (u64::from(variant.weight) * 1_000).checked_div(total).unwrap_or(0),
                    readers,
                    dealt: 0,
                    fault,
                    made: 0,
                    different: 0,
                    different_preheaders: 0,
                    without_preheader: 0,
                    cut_on_phone: 0,
                    cut_on_desktop: 0,
                    longest: None,
                    shortest: None,
                    by_language: Vec::new(),
                },
            }
        })
        .collect();
    let mut events: BTreeMap<&ContactId, Vec<&Event>> = BTreeMap::new();
    for event in &home.audience.events {
        events.entry(&event.contact).or_default().push(event);
    }
    for (n, contact) in contacts.iter().enumerate() {
        if !keeps_on(n as f32 / contacts.len() as f32) {
            return Ok(None);
        }
        let own = events.get(&contact.id).map(Vec::as_slice).unwrap_or_default();
        let history = History::of(own.iter().copied(), &contact.id, at);
        let event = stage.likely_entry(&history);
        let values = stage.values(contact, &history, event.as_deref(), at);
        let dealt = stage.dealt(step, message, contact).map(|variant| variant.id.as_str());
        let language = message.language_for(contact.language.as_deref());
        for trial in &mut trials {
            trial.version.dealt += usize::from(dealt == Some(trial.variant.id.as_str()));
            let Some(prepared) = &trial.prepared else { continue };
            if !trial.for_all && !Message::is_for(trial.variant, language) {
                continue;
            }
            match prepared.head(&values) {
                Ok((subject, preheader)) => {
                    let sample = Sample { contact: contact.id.clone(), subject, preheader };
                    trial.take(sample, contact.language.as_deref());
                }
                Err(found) => _ = trial.version.fault.get_or_insert(found.message),
            }
        }
    }
    let versions = trials.into_iter().map(Trial::done).collect();
    Ok(Some(Lab { node: node.clone(), num_contacts: contacts.len(), at, versions }))
}

fn fault(found: &[Diagnostic]) -> Option<String> {
    let worst = found.iter().min_by_key(|found| found.severity);
    worst.map(|found| found.message.clone())
}

impl Trial<'_> {
    fn take(&mut self, sample: Sample, language: Option<&str>) {
        let (version, chars) = (&mut self.version, sample.chars());
        version.made += 1;
        version.cut_on_phone += usize::from(chars > PHONE_CHARS);
        version.cut_on_desktop += usize::from(chars > DESKTOP_CHARS);
        version.without_preheader += usize::from(sample.preheader.trim().is_empty());
        self.subjects.insert(sample.subject.clone());
        self.preheaders.insert(sample.preheader.clone());
        let language = language.unwrap_or("-");
        let is_new = version.by_language.iter().all(|(known, _)| known != language);
        if is_new && version.by_language.len() < MOST_LANGUAGES {
            version.by_language.push((language.to_owned(), sample.clone()));
        }
        if version.shortest.as_ref().is_none_or(|shortest| chars < shortest.chars()) {
            version.shortest = Some(sample.clone());
        }
        if version.longest.as_ref().is_none_or(|longest| chars > longest.chars()) {
            version.longest = Some(sample);
        }
    }

    fn done(self) -> Version {
        Version { different: self.subjects.len(), different_preheaders: self.preheaders.len(), ..self.version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audience::Value, flow::file};

    const FLOW: &str = r#"(version: 2, id: "f", name: "F",
        fields: [(name: "first_name", source: contact("first_name"), fallback: "there")],
        nodes: [
            (id: "start", kind: "trigger", settings: (any: [event(event: "Cart")])),
            (id: "one", kind: "email", settings: (message: "m")),
        ],
        messages: [(id: "m", variants: [
            (id: "a", weight: 3, subject: "Hi {first_name}", preheader: "P", body: blocks([text(text: "A")])),
            (id: "b", subject: "One subject for everybody, and it is longer than any phone shows, or any list on a desktop",
             body: blocks([text(text: "B")])),
            (id: "d", language: "de", subject: "Hallo {first_name}", preheader: "P", body: blocks([text(text: "D")])),
            (id: "x", language: "fr", subject: "{{ nope }}", body: blocks([text(text: "X")])),
        ])])"#;

    fn home(num: usize) -> Home {
        let mut home = Home::default();
        let mut audience = crate::audience::Audience::default();
        for n in 0..num {
            let mut contact = crate::audience::Contact::new(&*format!("c{n:03}"));
            contact.properties.insert("first_name".into(), Value::text("x".repeat(n % 5 + 1)));
            contact.language = (n % 4 == 0).then(|| "de-AT".into());
            audience.contacts.push(contact);
        }
        home.audience = std::sync::Arc::new(audience);
        home
    }

    fn made(num: usize) -> Lab {
        let flow = file::read(FLOW).expect("reads").flow;
        lab(&flow, &home(num), &"one".into(), &mut |_| true).expect("a mail").expect("goes on")
    }

    #[test]
    fn subjects_are_counted_and_the_ends_kept() {
        let lab = made(40);
        let [a, b, d, x] = lab.versions.as_slice() else { panic!("{lab:?}") };
        assert_eq!((a.readers, a.made, a.different, a.different_preheaders), (30, 30, 5, 1));
        let ends = |version: &Version| {
            let chars = |sample: &Option<Sample>| sample.as_ref().map(Sample::chars);
            (chars(&version.shortest), chars(&version.longest))
        };
        assert_eq!(ends(a), (Some(4), Some(8)));
        assert_eq!((a.cut_on_phone, a.cut_on_desktop, a.without_preheader), (0, 0, 0));
        assert_eq!((b.different, b.cut_on_phone, b.cut_on_desktop, b.without_preheader), (1, 30, 30, 30));
        assert_eq!((d.readers, d.made, ends(d)), (10, 10, (Some(7), Some(11))));
        assert_eq!(d.by_language.iter().map(|(language, _)| language.as_str()).collect::<Vec<_>>(), ["de-AT"]);
        assert!(x.fault.is_some() && (x.readers, x.made) == (0, 0), "{x:?}");
    }

    #[test]
    fn everybody_is_dealt_one_version_of_their_language() {
        let lab = made(400);
        assert_eq!(lab.versions.iter().map(|version| version.dealt).sum::<usize>(), 400);
        let shares: Vec<_> = lab.versions.iter().map(|v| (v.declared_permille, v.dealt_permille())).collect();
        assert_eq!((shares[0].0, shares[1].0), (750, 250));
        assert!(shares[0].1.is_some_and(|dealt| (650..850).contains(&dealt)), "{shares:?}");
        assert_eq!(shares[2], (1_000, Some(1_000)));
        assert_eq!(shares[3].1, None, "nobody reads French");
    }

    #[test]
    fn it_is_stopped_and_says_what_is_missing() {
        let flow = file::read(FLOW).expect("reads").flow;
        assert_eq!(lab(&flow, &home(9), &"one".into(), &mut |_| false), Ok(None));
        assert_eq!(lab(&flow, &home(9), &"two".into(), &mut |_| true), Err("This step is gone".to_owned()));
        assert_eq!(made(0).versions.len(), 4);
    }
}
