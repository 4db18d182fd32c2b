//! Messages: subject, preview text and template in the mail language, with the source where it says more.

use serde_json::Value as Json;

use super::{
    Reader,
    names::{id_of, placeholder},
};
use crate::{
    audience::Channel,
    base::{MessageId, NodeId},
    content::{Body, MailPart, Message, Origin, Part, Read, Variant, from_klaviyo},
    flow::Target,
    platforms::{
        import::{RemarkKind, Template},
        languages,
        templates::{self, Template as Parts},
    },
};

/// Most reasons of one text in a report; the rest are counted.
const MOST_REASONS: usize = 5;

/// One version of a message, as an action holds it.
pub(super) struct Version<'j> {
    pub message: &'j Json,
    pub weight: u32,
    /// In the document.
    pub pointer: String,
}

impl Reader<'_> {
    /// A new message of these versions; its id.
    pub(super) fn message(&mut self, channel: Channel, versions: &[Version<'_>], node: &NodeId) -> MessageId {
        let named = versions.first().and_then(|v| v.message.get("name")).and_then(Json::as_str).map(str::trim);
        let languages = match versions {
            [one] => languages::parted(Target::Klaviyo, &self.parts(channel, one)),
            _ => None,
        };
        let exported = variants_of(versions, languages.is_some());
        let name = exported.as_ref().map(|(name, _)| *name).or(named).filter(|name| !name.is_empty());
        let variant_of = |n: usize| match &exported {
            Some((_, ids)) => ids.get(n).map_or_else(|| variant_id(n), |id| (*id).to_owned()),
            None => variant_id(n),
        };
        // Copied tails of our exports send one message in several places; its template is named after it.
        let own = versions.first().and_then(|v| id_of(v.message.get("template_id")));
        let first = format!("-{}", variant_of(0));
        let own = own.as_deref().and_then(|id| placeholder("template", id)).and_then(|name| name.strip_suffix(&first));
        let copies = versions.iter().map(|v| v.message.to_string()).collect::<Vec<String>>().join("\n");
        if own.is_some()
            && let Some(known) = self.copies.get(&copies)
        {
            return known.clone();
        }
        let id = self.free_message_id(own.or(name).unwrap_or(node.as_str()));
        if own.is_some() {
            self.copies.insert(copies, id.clone());
        }
        let mut message = Message::new(id.clone(), channel);
        message.name = name.map(str::to_owned);
        message.variants.clear();
        for (n, version) in versions.iter().enumerate() {
            let mut variant = Variant { id: variant_of(n), weight: version.weight, ..Variant::default() };
            let parts = languages.as_ref().map_or_else(|| self.parts(channel, version), |(_, own)| own.clone());
            if channel == Channel::Email {
                self.template_of(version, &variant.id, &id, node);
            }
            self.variant(channel, version, &parts, &mut variant, node);
            message.variants.push(variant);
        }
        // Conditional content of our own exports is a variant for each language.
        for (tag, parts) in languages.into_iter().flat_map(|(others, _)| others) {
            let language = Some(tag.as_str().into());
            let mut variant = Variant { id: tag, language, weight: 1, ..Variant::default() };
            if let [version] = versions {
                self.variant(channel, version, &parts, &mut variant, node);
            }
            message.variants.push(variant);
        }
        self.messages.push(message);
        id
    }

    fn free_message_id(&mut self, wanted: &str) -> MessageId {
        let mut base = super::keep::port_name(&wanted.to_lowercase());
        base.truncate(40);
        MessageId::new(self.taken_messages.free(&base, |n| format!("{base}-{n}")))
    }

    /// What a version says, in Klaviyo's language.
    fn parts(&self, channel: Channel, version: &Version<'_>) -> Parts {
        let text = |key: &str| version.message.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        if channel == Channel::Sms {
            return Parts { text: text("body"), ..Parts::default() };
        }
        let template = id_of(version.message.get("template_id")).and_then(|id| self.template(&id));
        Parts {
            subject: text("subject_line"),
            preheader: text("preview_text"),
            html: template.map(|template| template.html.clone()).unwrap_or_default(),
            text: template.and_then(|template| template.text.clone()).unwrap_or_default(),
            ..Parts::default()
        }
    }

    /// Remembers a version's template; says where there is none.
    fn template_of(&mut self, version: &Version<'_>, variant: &str, message: &MessageId, node: &NodeId) {
        let pointer = format!("{}/template_id", version.pointer);
        let Some(template) = id_of(version.message.get("template_id")) else {
            let what = format!("The message `{message}` has no template, so it is empty");
            return self.say(RemarkKind::Lost, "import/no-template", &pointer, Some(node), what, "Write the mail");
        };
        if placeholder("template", &template).is_none() {
            self.names.workspace.klaviyo.ids.insert(format!("template:{message}-{variant}"), template.clone());
        }
        if self.template(&template).is_none() {
            self.say(
                RemarkKind::Lost,
                "import/no-template",
                &pointer,
                Some(node),
                format!("The template `{template}` was not given, so the message `{message}` is empty here; Klaviyo gets it back as it is"),
                "Import again with the template in `templates/` beside the JSON: `GET /api/templates/{id}` as `{id}.json`, or its HTML as `{id}.html`",
            );
        }
    }

    fn variant(
        &mut self,
        channel: Channel,
        version: &Version<'_>,
        parts: &Parts,
        variant: &mut Variant,
        node: &NodeId,
    ) {
        let here = &version.pointer;
        if channel == Channel::Sms {
            let read = self.read(&parts.text, Part::Plain, &format!("{here}/body"), node);
            variant.text = Some(read.text.clone());
            keep(variant, MailPart::Text, &parts.text, &read);
            return;
        }
        let read = self.read(&parts.subject, Part::Plain, &format!("{here}/subject_line"), node);
        variant.subject = read.text.clone();
        keep(variant, MailPart::Subject, &parts.subject, &read);
        let read = self.read(&parts.preheader, Part::Plain, &format!("{here}/preview_text"), node);
        variant.preheader = read.text.clone();
        keep(variant, MailPart::Preheader, &parts.preheader, &read);
        let id = id_of(version.message.get("template_id"));
        if id.as_deref().and_then(|id| self.template(id)).is_none() {
            // What is not known goes back by its id.
            if let Some(id) = id.filter(|id| placeholder("template", id).is_none()) {
                variant.keep(Origin::Klaviyo, MailPart::Template, id);
            }
            return;
        }
        let pointer = format!("{here}/template_id");
        // The preview text says it already; in the body it would stand twice.
        let html = match parts.preheader.is_empty() {
            true => std::borrow::Cow::Borrowed(parts.html.as_str()),
            false => templates::without_preheader(&parts.html),
        };
        let read = self.read(&html, Part::Html, &pointer, node);
        variant.body = Body::Html(read.text.clone());
        keep(variant, MailPart::Body, &parts.html, &read);
        if !parts.text.trim().is_empty() {
            let read = self.read(&parts.text, Part::Plain, &pointer, node);
            variant.text = Some(read.text.clone());
            keep(variant, MailPart::Text, &parts.text, &read);
        }
    }

    /// A template by its id, or by the name that our exports give it.
    pub(super) fn template(&self, id: &str) -> Option<&Template> {
        let templates = self.given.templates;
        templates.get(id).or_else(|| placeholder("template", id).and_then(|name| templates.get(name)))
    }

    /// A text of Klaviyo as one of ours; what was not understood is said.
    pub(super) fn read(&mut self, source: &str, part: Part, pointer: &str, node: &NodeId) -> Read {
        let read = from_klaviyo(source, part, &mut self.book);
        let reasons: Vec<String> = read.kept.iter().take(MOST_REASONS).map(|(_, why)| why.clone()).collect();
        if !reasons.is_empty() {
            let more = read.kept.len().saturating_sub(MOST_REASONS);
            let more = if more == 0 { String::new() } else { format!(", and {more} more") };
            self.say(
                RemarkKind::Kept,
                "import/kept-template",
                pointer,
                Some(node),
                format!("Klaviyo's own text stands until this part is edited: {}{more}", reasons.join("; ")),
                "Write these places in the mail language when the mail is to leave from elsewhere",
            );
        }
        read
    }
}

/// Keeps a source that says more than what was read of it.
fn keep(variant: &mut Variant, part: MailPart, source: &str, read: &Read) {
    if !read.is_exact() {
        variant.keep(Origin::Klaviyo, part, source);
    }
}

/// The name of a message and the ids of its variants, where the versions are named as our exports name them:
/// `Reminder (warm)`, `Reminder (plain)`; a message of several languages has one version, named the same way.
fn variants_of<'j>(versions: &[Version<'j>], has_languages: bool) -> Option<(&'j str, Vec<&'j str>)> {
    let named: Option<Vec<(&str, &str)>> = versions
        .iter()
        .map(|version| {
            let message: &'j Json = version.message;
            let (name, rest) = message.get("name")?.as_str()?.rsplit_once(" (")?;
            let id = rest.strip_suffix(')').filter(|id| crate::base::id::is_wellformed(id))?;
            Some((name.trim(), id))
        })
        .collect();
    let named = named.filter(|named| named.len() > 1 || has_languages)?;
    let name = named.first()?.0;
    let ids: Vec<&str> = named.iter().map(|(_, id)| *id).collect();
    let unique: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
    (named.iter().all(|(other, _)| *other == name) && unique.len() == ids.len()).then_some((name, ids))
}

/// `a`, `b`, …, `z`, `v27`, …
fn variant_id(n: usize) -> String {
    match u8::try_from(n).ok().filter(|n| *n < 26) {
        Some(n) => char::from(b'a' + n).to_string(),
        None => format!("v{}", n + 1),
    }
}
