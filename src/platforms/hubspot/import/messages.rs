//! E-mails that a workflow sends, by their content ids.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    names::{Names, clean, free, word},
    report::Report,
    spot::{Spot, Unread, short},
};
use crate::{
    audience::Channel,
    base::MessageId,
    content::{Body, MailPart, Message, Origin},
    flow::Edit,
    platforms::import::Template,
};

/// The messages of one flow as they are met.
pub(super) struct Messages<'a> {
    templates: &'a BTreeMap<String, Template>,
    by_content: BTreeMap<String, MessageId>,
    taken: BTreeSet<String>,
    made: Vec<Message>,
    report: Report,
}

impl<'a> Messages<'a> {
    pub fn new(templates: &'a BTreeMap<String, Template>) -> Self {
        let (by_content, taken) = (BTreeMap::new(), BTreeSet::new());
        Self { templates, by_content, taken, made: Vec::new(), report: Report::default() }
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
        let title = names.given("email", &id).map(str::to_owned).or_else(|| template.map(|t| t.name.clone()));
        message.name = title.map(|title| clean(&title)).filter(|title| !title.is_empty());
        if own.is_none() {
            names.remember("email", &format!("{message_id}-a"), &id);
        }
        match template {
            Some(template) => self.fill(&mut message, template, content),
            None => self.report.lost(
                "hubspot/no-content",
                &content.at,
                None,
                format!("The content of e-mail `{}` was not given, so message `{message_id}` is empty", short(&id)),
                "Import with the account's key, or give the e-mail's HTML as a template",
            ),
        }
        self.made.push(message);
        self.by_content.insert(id, message_id.clone());
        Ok(message_id)
    }

    fn fill(&mut self, message: &mut Message, template: &Template, content: &Spot<'_>) {
        let Some(variant) = message.variants.first_mut() else { return };
        variant.subject = template.subject.clone().unwrap_or_default();
        variant.body = Body::Html(template.html.clone());
        variant.keep(Origin::Hubspot, MailPart::Body, &template.html);
        self.report.understood("hubspot/mail", &content.at, None, "x");
    }

    /// A short text with tokens.
    pub fn inline(&mut self, text: &str) -> String {
        text.to_owned()
    }

    /// Fields and messages, as edits of the flow.
    pub fn finish(self, report: &mut Report) -> Vec<Edit> {
        report.remarks.extend(self.report.remarks);
        self.made.into_iter().map(|message| Edit::SetMessage(Box::new(message))).collect()
    }
}
