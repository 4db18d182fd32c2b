//! The mail page: what a message looks like for a contact, and beside it for another one or in another version.
//!
//! The one idea: two panes, each a [`PreviewKey`]; the second differs from the first in what was chosen for it and in
//! nothing else. Which part of a mail is shown, how wide, light or dark, is the view's and the same in both, so that
//! what differs is the mail. Deliberately not here: making the mail ([`super::stage`]), drawing the window.

pub mod lab;
pub mod pictures;
pub mod send;
pub mod source;
#[cfg(test)]
mod tests;

use smol_str::SmolStr;

pub use self::pictures::{PictureKey, Pictures};
use super::{
    App, Command, Document, Request,
    jobs::{Kind, Previewed, Work},
    preview::{self, PreviewKey},
    stage,
};
use crate::{
    base::{ContactId, Instant, MessageId, NodeId},
    content::{Message, Variant},
};

/// Which part of a mail is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Part {
    /// As a mail program shows it.
    #[default]
    Picture,
    /// The line in an inbox, wide and narrow.
    Inbox,
    /// The plain text.
    Text,
    /// The HTML with line numbers.
    Source,
    /// The source of a body that is HTML or MJML, to type in, beside the picture; on the page only.
    Edit,
    /// Every link with its target.
    Links,
    /// Merge tags with their values.
    Tags,
    /// What reading the mail found.
    Hints,
    /// The subjects of all versions for the whole audience.
    Lab,
}

/// How wide the pane of the mail program is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Width {
    /// 600 pixels, the width mails are made for.
    #[default]
    Desktop,
    /// 375 pixels, a phone held upright.
    Phone,
}

impl Width {
    /// In CSS pixels.
    pub fn px(self) -> u32 {
        match self {
            Self::Desktop => 600,
            Self::Phone => 375,
        }
    }
}

/// One of the two panes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pane {
    /// The left one, or the only one.
    First,
    /// The one beside it.
    Other,
}

/// What the second pane shows; what is left out is as in the first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Other {
    /// For whom.
    pub contact: Option<ContactId>,
    /// Which version.
    pub variant: Option<SmolStr>,
    /// Another width than the first.
    pub width: Option<Width>,
    /// Other colours than the first.
    pub dark: Option<bool>,
}

/// How mails are looked at; view, never saved.
#[derive(Clone, PartialEq, Debug)]
pub struct MailView {
    /// The part that is shown.
    pub part: Part,
    /// Width of the pane.
    pub width: Width,
    /// A reader whose device prefers dark colours.
    pub dark: bool,
    /// Points on the screen for a CSS pixel, 0.5..=2; fits the pane where left out.
    pub zoom: Option<f32>,
    /// Pixels of the screen for a CSS pixel, in percent; the window knows.
    pub density_percent: u32,
    /// The version that is shown instead of the one the contact is dealt.
    pub variant: Option<SmolStr>,
    /// What stands beside it.
    pub other: Option<Other>,
}

impl Default for MailView {
    fn default() -> Self {
        Self {
            part: Part::default(),
            width: Width::default(),
            dark: false,
            zoom: None,
            density_percent: 100,
            variant: None,
            other: None,
        }
    }
}

/// What the mail page asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// Show a part.
    ShowPart(Part),
    /// Show the mail of a step on its page.
    Open(NodeId),
    /// The width of a pane.
    SetWidth(Pane, Width),
    /// Light or dark in a pane.
    SetDark(Pane, bool),
    /// The zoom; `None` fits the pane.
    SetZoom(Option<f32>),
    /// The window draws so many pixels for a CSS pixel, in percent.
    SetDensity(u32),
    /// Show this version in a pane instead of the one that is dealt.
    ChooseVariant(Pane, Option<SmolStr>),
    /// Show something beside it, or not any more.
    Compare(bool),
    /// Who is shown beside it.
    ChooseOther(ContactId),
    /// Let the panes change places.
    Swap,
    /// Draw again what failed.
    Retry,
    /// Write the body of a variant in another form.
    SwitchBody {
        /// Of which message.
        message: MessageId,
        /// Of which variant.
        variant_idx: usize,
        /// In which form.
        to: source::Form,
    },
    /// Send the shown mail to an address.
    SendTest {
        /// Which.
        to: String,
        /// By a mail server, or into a folder.
        by: String,
    },
    /// Show the source of the mail of a step, in this version, in the editor.
    EditSource(NodeId, Option<SmolStr>),
}

impl From<Act> for Command {
    fn from(act: Act) -> Self {
        Self::Mails(act)
    }
}

/// Does it; called by [`App::apply`] alone.
pub(super) fn apply(app: &mut App, act: Act, now: Instant) -> Vec<Request> {
    if let Act::SendTest { to, by } = act {
        return send::send(app, to, by, now);
    }
    let Some(document) = app.document_mut() else { return Vec::new() };
    if let Act::SwitchBody { message, variant_idx, to } = act {
        match source::perform(document, &message, variant_idx, to) {
            Ok(said) => app.tell(said, false, now),
            Err(refused) => app.tell(refused, true, now),
        }
        return Vec::new();
    }
    if let Err(refused) = on_document(document, act) {
        app.tell(refused, true, now);
    }
    Vec::new()
}

fn on_document(document: &mut Document, act: Act) -> Result<(), String> {
    match act {
        Act::ShowPart(part) => document.view.mail.part = part,
        Act::EditSource(node, variant) => {
            on_document(document, Act::Open(node))?;
            document.view.mail.part = Part::Edit;
            document.view.mail.variant = variant;
        }
        Act::Open(node) => open(document, node)?,
        Act::SetWidth(Pane::First, width) => document.view.mail.width = width,
        Act::SetDark(Pane::First, dark) => document.view.mail.dark = dark,
        Act::SetWidth(Pane::Other, width) => {
            let own = document.view.mail.width;
            if let Some(other) = &mut document.view.mail.other {
                other.width = Some(width).filter(|width| *width != own);
            }
        }
        Act::SetDark(Pane::Other, dark) => {
            let own = document.view.mail.dark;
            if let Some(other) = &mut document.view.mail.other {
                other.dark = Some(dark).filter(|dark| *dark != own);
            }
        }
        Act::SetZoom(zoom) => document.view.mail.zoom = zoom.map(|zoom| zoom.clamp(0.5, 2.0)),
        Act::SetDensity(percent) => document.view.mail.density_percent = percent.clamp(50, 300),
        Act::ChooseVariant(Pane::First, variant) => document.view.mail.variant = variant,
        Act::ChooseVariant(Pane::Other, variant) => {
            if let Some(other) = &mut document.view.mail.other {
                other.variant = variant;
            }
        }
        Act::Compare(false) => document.view.mail.other = None,
        Act::Compare(true) => {
            let other = beside(document);
            document.view.mail.other = Some(other);
        }
        Act::ChooseOther(contact) => {
            let own = document.view.contact.clone();
            if let Some(other) = &mut document.view.mail.other {
                other.contact = Some(contact).filter(|contact| own.as_ref() != Some(contact));
            }
        }
        Act::Swap => swap(document),
        Act::Retry => document.derived.pictures.forget_failures(),
        // Done before, with a word about it.
        Act::SwitchBody { .. } | Act::SendTest { .. } => {}
    }
    Ok(())
}

/// Shows the mail of a step on its page.
///
/// Errors: the step sends nothing.
pub(super) fn open(document: &mut Document, node: NodeId) -> Result<(), String> {
    let sends = document.flow().node(node.as_str()).and_then(|node| node.settings());
    if sends.is_none_or(|settings| settings.message().is_none()) {
        return Err("This step sends no mail".to_owned());
    }
    document.view.selection = [node].into();
    document.view.edge = None;
    document.view.page = Some(super::pages::PageKind::Mails);
    Ok(())
}

/// Shows the page of mails: of the selected step where it sends one, else the flow's first mail.
pub(super) fn open_any(document: &mut Document) {
    let first = if document.preview_key().node.is_some() { None } else { senders(document).into_iter().next() };
    match first {
        // It sends, so it opens.
        Some((node, _)) => drop(open(document, node)),
        None => document.view.page = Some(super::pages::PageKind::Mails),
    }
}

/// What is worth showing beside: the next version where there are several, else the next contact.
fn beside(document: &Document) -> Other {
    let shown = shown(document, Pane::First);
    let message = message(document);
    if let Some(message) = message.filter(|message| message.variants.len() > 1) {
        let at = message.variants.iter().position(|variant| Some(variant.id.as_str()) == shown.as_deref()).unwrap_or(0);
        let next = &message.variants[(at + 1) % message.variants.len()];
        return Other { variant: Some(SmolStr::new(&next.id)), ..Other::default() };
    }
    Other { contact: preview::neighbour(document, true), ..Other::default() }
}

fn swap(document: &mut Document) {
    let Some(other) = document.view.mail.other.take() else { return };
    let first = Other {
        contact: document.view.contact.clone().filter(|_| other.contact.is_some()),
        variant: document.view.mail.variant.clone(),
        width: other.width.map(|_| document.view.mail.width),
        dark: other.dark.map(|_| document.view.mail.dark),
    };
    let variant = other.variant.clone();
    if let Some(contact) = other.contact {
        document.choose_contact(Some(contact));
    }
    let mail = &mut document.view.mail;
    mail.variant = variant;
    mail.width = other.width.unwrap_or(mail.width);
    mail.dark = other.dark.unwrap_or(mail.dark);
    mail.other = Some(first);
}

/// The message of the selected step.
pub fn message(document: &Document) -> Option<&Message> {
    let node = document.preview_key().node?;
    let node = document.flow().node(node.as_str())?;
    stage::message_of(document.flow(), node)
}

/// The steps that send something, in the order of the flow, with what people call them.
pub fn senders(document: &Document) -> Vec<(NodeId, String)> {
    let flow = document.flow();
    let sends = |node: &&std::sync::Arc<crate::flow::Node>| {
        node.settings().is_some_and(|settings| settings.message().is_some())
    };
    flow.nodes.iter().filter(sends).map(|node| (node.id.clone(), node.title().to_owned())).collect()
}

/// Width and colours of a pane.
pub fn look(document: &Document, pane: Pane) -> (Width, bool) {
    let mail = &document.view.mail;
    match (pane, &mail.other) {
        (Pane::Other, Some(other)) => (other.width.unwrap_or(mail.width), other.dark.unwrap_or(mail.dark)),
        _ => (mail.width, mail.dark),
    }
}

/// Who the mail of a pane is for.
pub fn contact(document: &Document, pane: Pane) -> Option<&ContactId> {
    let own = document.view.contact.as_ref();
    match (pane, &document.view.mail.other) {
        (Pane::Other, Some(other)) => other.contact.as_ref().or(own),
        _ => own,
    }
}

/// What a pane asks for; `None` for the second one while nothing stands beside the first.
pub fn key(document: &Document, pane: Pane) -> Option<PreviewKey> {
    match pane {
        Pane::First => Some(document.preview_key()),
        Pane::Other => {
            let other = document.view.mail.other.as_ref()?;
            let first = document.preview_key();
            Some(match &other.contact {
                None => PreviewKey { variant: other.variant.clone(), ..first },
                Some(contact) => preview::key_for(document, first.node, Some(contact), other.variant.clone()),
            })
        }
    }
}

/// The mail of a pane, or why there is none; `None` while it is being made. It may be of an older revision.
pub fn made(document: &Document, pane: Pane) -> Option<&Previewed> {
    let wanted = key(document, pane)?;
    let stamped = match pane {
        Pane::First => document.derived.preview.as_ref(),
        Pane::Other => document.derived.other.as_ref(),
    }?;
    let is_same = stamped.value.key.node == wanted.node && stamped.value.key.contact == wanted.contact;
    is_same.then_some(&stamped.value)
}

/// The version that a pane shows.
pub fn shown(document: &Document, pane: Pane) -> Option<SmolStr> {
    Some(made(document, pane)?.result.as_ref().ok()?.variant.clone())
}

/// What a version is called in a list: its name, language and share.
pub fn variant_title(variant: &Variant, message: &Message) -> String {
    let same = message.variants.iter().filter(|other| Message::is_for(other, variant.language.as_deref()));
    let (num_same, total) = same.fold((0, 0_u32), |(n, total), other| (n + 1, total.saturating_add(other.weight)));
    let percent = (u64::from(variant.weight) * 100).checked_div(u64::from(total)).unwrap_or(0);
    let mut out = variant.id.clone();
    if let Some(language) = &variant.language {
        out = format!("{out} \u{b7} {language}");
    }
    if num_same > 1 { format!("{out} \u{b7} {percent} %") } else { out }
}

/// Whether this part of mails is looked at.
fn shows(document: &Document, part: Part) -> bool {
    let view = &document.view;
    let is_shown = view.page == Some(super::pages::PageKind::Mails)
        || (view.page.is_none() && view.panel == Some(super::Panel::Preview));
    is_shown && view.mail.part == part
}

/// The step whose subjects are looked at.
pub(super) fn lab_node(document: &Document) -> Option<NodeId> {
    if shows(document, Part::Lab) { document.preview_key().node } else { None }
}

/// The subjects of the selected step's message, or why there are none; `None` while they are being made. They may be
/// of an older revision.
pub fn lab_of<'a>(
    document: &'a Document,
    node: &NodeId,
) -> Option<(&'a Result<std::sync::Arc<lab::Lab>, String>, bool)> {
    let made = document.derived.lab.as_ref().filter(|made| made.value.0 == *node)?;
    Some((&made.value.1, made.revision == document.history.revision()))
}

/// Jobs for what the panes show and what is not under way yet.
pub(super) fn wanted(document: &Document) -> Vec<Work> {
    let revision = document.history.revision();
    let is_free = |kind| !document.is_under_way(kind) && !document.is_given_up(kind);
    let mut works = Vec::new();
    if let Some(key) = key(document, Pane::Other) {
        let made = document.derived.other.as_ref().is_some_and(|s| s.revision == revision && s.value.key == key);
        if key.node.is_some() && key.contact.is_some() && !made && is_free(Kind::OtherPreview) {
            let (flow, home) = (Box::new(document.flow().clone()), std::sync::Arc::clone(&document.home));
            works.push(Work::Preview { flow, home, key, pane: Pane::Other });
        }
    }
    if let Some(node) = lab_node(document)
        && !lab_of(document, &node).is_some_and(|(_, is_current)| is_current)
        && is_free(Kind::Lab)
    {
        let (flow, home) = (Box::new(document.flow().clone()), std::sync::Arc::clone(&document.home));
        works.push(Work::Lab { flow, home, node });
    }
    // One at a time.
    // The picture stands beside the source that is edited, too.
    if [Part::Picture, Part::Edit].into_iter().any(|part| shows(document, part)) && is_free(Kind::Picture) {
        works.extend([Pane::First, Pane::Other].into_iter().find_map(|pane| pictures::wanted(document, pane)));
    }
    works
}
