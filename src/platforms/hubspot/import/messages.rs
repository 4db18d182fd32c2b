//! E-mails that a workflow sends, by their content ids.
//!
//! The one idea: a text is taken over where writing it for HubSpot again gives what was read; every other one is kept
//! beside the nearest thing in our own language, and goes back for as long as nobody edits the part.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    names::{Names, clean},
    report::Report,
    spot::{Spot, Unread, short},
};
use crate::{
    audience::Channel,
    base::{MessageId, Place},
    content::{
        Body, Book, Dialect, Field, FieldSource, MailPart, Message, Origin, Part, Read, Scope, Variant, from_hubl,
        transpile,
    },
    flow::{Flow, FlowSettings, MessageSection, Section, Target},
    kinds::ron_options,
    platforms::{
        hubspot::links::{free, word},
        import::{RemarkKind, Taken, Template},
        languages,
        templates::Template as Parts,
    },
};

/// The messages of one flow as they are met.
pub(super) struct Messages<'a> {
    templates: &'a BTreeMap<String, Template>,
    flow_name: &'a str,
    by_content: BTreeMap<String, MessageId>,
    taken: Taken,
    made: Vec<Message>,
    /// Texts that were read, to be held against what goes back.
    read: Vec<Held>,
    book: Book,
    used: BTreeSet<smol_str::SmolStr>,
    report: Report,
}

/// A text of a template and what it became.
struct Held {
    message: usize,
    variant: usize,
    part: MailPart,
    source: String,
    read: Read,
    at: String,
}

impl<'a> Messages<'a> {
    pub fn new(templates: &'a BTreeMap<String, Template>, flow_name: &'a str) -> Self {
        Self {
            flow_name,
            templates,
            by_content: BTreeMap::new(),
            taken: Taken::default(),
            made: Vec::new(),
            read: Vec::new(),
            book: Book::default(),
            used: BTreeSet::new(),
            report: Report::default(),
        }
    }

    /// The message behind a content id; the same for the same e-mail.
    pub fn email(&mut self, content: &Spot<'_>, names: &mut Names<'_>) -> Result<MessageId, Unread> {
        let id = content.as_id().ok_or_else(|| content.unread("the action names no e-mail"))?;
        if let Some(known) = self.by_content.get(&id) {
            return Ok(known.clone());
        }
        // Our own export names an e-mail by its message and variant.
        let own = id.strip_prefix("EMAIL:");
        let wanted = match own {
            Some(own) => word(own.strip_suffix("-a").unwrap_or(own), "mail"),
            None => format!("mail-{}", word(&id, "x")),
        };
        let message_id = MessageId::from(free(&mut self.taken, &wanted).as_str());
        let mut message = Message::new(message_id.clone(), Channel::Email);
        let template = self.templates.get(&id);
        let title = names.given("email", &id).or_else(|| template.map(|t| self.title_of(&t.name, own)));
        message.name = title.map(clean).filter(|title| !title.is_empty());
        if own.is_none() {
            names.remember("email", &format!("{message_id}-a"), &id);
        }
        let at = self.made.len();
        self.made.push(message);
        match template {
            Some(template) => self.fill(at, template, content),
            None => {
                // What is not known goes back by its id.
                let variant = self.made.get_mut(at).and_then(|message| message.variants.first_mut());
                let known = variant.filter(|_| own.is_none()).map(|variant| {
                    variant.keep(Origin::Hubspot, MailPart::Template, id.as_str());
                    " here; HubSpot gets it back as it is"
                });
                let (short, known) = (short(&id), known.unwrap_or_default());
                self.report.lost(
                    "hubspot/no-content",
                    &content.at,
                    None,
                    format!("The content of e-mail `{short}` was not given, so message `{message_id}` is empty{known}"),
                    "Import with the account's key, or give the e-mail's HTML as a template",
                );
            }
        }
        self.by_content.insert(id, message_id.clone());
        Ok(message_id)
    }

    /// A message's title in the name of an e-mail: our own exports write `Flow: Title`.
    fn title_of<'t>(&self, name: &'t str, own: Option<&str>) -> &'t str {
        let title = name.strip_prefix(self.flow_name).and_then(|rest| rest.strip_prefix(": "));
        title.filter(|_| own.is_some()).unwrap_or(name)
    }

    /// Reads the parts of an e-mail; conditional content of our own exports is a variant for each language.
    fn fill(&mut self, message: usize, template: &Template, content: &Spot<'_>) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let whole = Parts {
            subject: text(&template.subject),
            preheader: text(&template.preheader),
            html: template.html.clone(),
            text: text(&template.text),
            ..Parts::default()
        };
        let (others, own) = languages::parted(Target::Hubspot, &whole).unwrap_or_else(|| (Vec::new(), whole.clone()));
        if let Some(message) = self.made.get_mut(message).filter(|_| !others.is_empty()) {
            // `Title (a)`: the name of the variant for everybody else.
            let title =
                message.name.as_deref().and_then(|name| name.rsplit_once(" (")).map(|(title, _)| title.to_owned());
            message.name = title.or(message.name.take());
        }
        self.variant(message, 0, own, content);
        for (n, (tag, parts)) in others.into_iter().enumerate() {
            if let Some(message) = self.made.get_mut(message) {
                let language = Some(tag.as_str().into());
                message.variants.push(Variant { id: tag, language, weight: 1, ..Variant::default() });
            }
            self.variant(message, n + 1, parts, content);
        }
    }

    fn variant(&mut self, message: usize, variant: usize, parts: Parts, content: &Spot<'_>) {
        let parts = [
            (MailPart::Subject, parts.subject),
            (MailPart::Preheader, parts.preheader),
            (MailPart::Body, parts.html),
            (MailPart::Text, parts.text),
        ];
        for (part, source) in parts.into_iter().filter(|(_, source)| !source.is_empty()) {
            let read = from_hubl(&source, kind_of(part), &mut self.book);
            self.used.extend(read.fields.iter().cloned());
            if let Some(variant) = self.made.get_mut(message).and_then(|message| message.variants.get_mut(variant)) {
                let text = read.text.clone();
                match part {
                    MailPart::Subject => variant.subject = text,
                    MailPart::Preheader => variant.preheader = text,
                    MailPart::Body => variant.body = Body::Html(text),
                    MailPart::Text => variant.text = Some(text),
                    MailPart::Template => {}
                }
            }
            self.read.push(Held { message, variant, part, source, read, at: content.at.clone() });
        }
    }

    /// A short text with tokens, such as the subject of an alert.
    pub fn inline(&mut self, text: &str) -> String {
        let read = from_hubl(text, Part::Plain, &mut self.book);
        self.used.extend(read.fields.iter().cloned());
        read.text
    }

    /// Puts fields and messages into the flow; constants that fields stand for go to the settings.
    pub fn finish(mut self, flow: &mut Flow, settings: &mut FlowSettings, report: &mut Report) {
        self.book.keep_only(&self.used);
        let mut fields: Vec<Field> = Vec::new();
        for found in self.book.found() {
            if let (FieldSource::Constant(name), Some(value)) = (&found.field.source, &found.constant) {
                settings.constants.entry(name.clone()).or_insert_with(|| value.clone());
                self.report.guessed(
                    "hubspot/stand-in",
                    "",
                    None,
                    format!("`{}` is known to the account only; the constant `{name}` stands in for it", found.access),
                    "Give the constant its value in the flow's settings",
                );
            }
            fields.push(found.field.clone());
        }
        let scope = Scope { fields: &fields, constants: &settings.constants };
        for held in &self.read {
            let back = transpile(&held.read.text, kind_of(held.part), Dialect::Hubspot, &scope, &Place::default());
            let same = held.read.is_exact() && back.is_ok_and(|back| back.text == held.source);
            let Some(message) = self.made.get_mut(held.message) else { continue };
            let what = match held.part {
                MailPart::Subject => "subject",
                MailPart::Preheader => "preview text",
                MailPart::Body | MailPart::Template => "body",
                MailPart::Text => "plain text",
            };
            if same {
                let text = format!("The {what} of message `{}` is in the mail language", message.id);
                self.report.understood("hubspot/template", &held.at, None, text);
                continue;
            }
            let why = held.read.kept.first().map(|(_, why)| short(why));
            let why = why.unwrap_or_else(|| "it would be written otherwise".to_owned());
            let text = format!(
                "The {what} of message `{}` is kept as HubSpot wrote it, here stands the nearest thing: {why}",
                message.id
            );
            if let Some(variant) = message.variants.get_mut(held.variant) {
                variant.keep(Origin::Hubspot, held.part, &held.source);
            }
            let remedy = "It is written back to HubSpot for as long as the part is not edited";
            self.report.add(RemarkKind::Kept, "hubspot/template", &held.at, None, text, remedy);
        }
        report.remarks.extend(self.report.remarks);
        // Plain values, which RON can always write.
        for field in fields {
            let ron = ron_options().to_string(&field).unwrap_or_default();
            flow.fields.push(Arc::new(Section::new(ron, Ok(field), 0)));
        }
        for message in self.made {
            let ron = message.to_ron().unwrap_or_default();
            let id = message.id.clone();
            flow.messages.push(Arc::new(MessageSection { id, section: Section::new(ron, Ok(message), 0) }));
        }
    }
}

fn kind_of(part: MailPart) -> Part {
    if part == MailPart::Body { Part::Html } else { Part::Plain }
}
