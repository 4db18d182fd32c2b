//! What the panels below the canvas ask for: the clock, other contacts, what-if, mending many.

use super::{
    App, Command, Document, Request,
    jobs::Kind,
    ops::clip_blocks,
    preview, problems, stage,
    timeline::{self, Scope},
    what_if::Change,
};
use crate::base::{Instant, MessageId};

/// One of them.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// Put the clock of the time line somewhere, or nowhere.
    SetClock(Option<Instant>),
    /// Put it on the next instant at which something happens, or on the one before.
    Step {
        /// To the later one.
        forward: bool,
    },
    /// Put it on the beginning or the end of the axis.
    Jump {
        /// To the end.
        to_end: bool,
    },
    /// Let it run, or stop it.
    Play(bool),
    /// It hops to the next instant at which something happens, and stops after the last: for people who want no motion.
    Hop,
    /// It ran on by so much of the axis, 0..=1. Stops at the end.
    Tick(f32),
    /// Show all of the contact's history, or one journey.
    SetScope(Scope),
    /// Choose the contact after the chosen one, or the one before.
    NeighbourContact {
        /// The one after.
        forward: bool,
    },
    /// Look for the next contact for whom something of the mail differs, and choose them.
    NextDiffering,
    /// Show the mail's HTML in the browser.
    OpenInBrowser,
    /// Put the mail's HTML on the clipboard.
    CopyHtml,
    /// Put blocks of a mail on the clipboard, as text with the merge tags they use.
    CopyBlocks {
        /// Of which message.
        message: MessageId,
        /// Of which variant.
        variant_idx: usize,
        /// Which block; all where left out.
        at: Option<usize>,
    },
    /// Put copied blocks into a mail.
    PasteBlocks {
        /// Into which message.
        message: MessageId,
        /// Into which variant.
        variant_idx: usize,
        /// Before which block; at the end, before a footer, where left out.
        at: Option<usize>,
        /// What was copied.
        text: String,
    },
    /// Mend every finding of a code, as one step of the history.
    FixAll(String),
    /// Replay from and until these instants; the audience's own where left out.
    SetWindow(Option<Instant>, Option<Instant>),
    /// Change something of the chosen contact.
    Change(Change),
    /// Take back the change at this place.
    DropChange(usize),
    /// Take back all changes.
    ResetWhatIf,
}

impl From<Act> for Command {
    fn from(act: Act) -> Self {
        Self::Act(act)
    }
}

/// Does it; called by [`App::apply`] alone.
pub(super) fn apply(app: &mut App, act: Act, now: Instant) -> Vec<Request> {
    let Some(document) = app.document_mut() else { return Vec::new() };
    match on_document(document, act) {
        Ok(requests) => requests,
        Err(refused) => {
            app.tell(refused, true, now);
            Vec::new()
        }
    }
}

/// Puts copied blocks into a mail, as one step of the history.
///
/// Errors: what cannot be pasted, or, done all the same, which merge tags the flow declares in another way.
pub(super) fn paste_blocks(
    document: &mut Document,
    message: &MessageId,
    variant_idx: usize,
    at: Option<usize>,
    text: &str,
) -> Result<(), String> {
    let pasted = clip_blocks::paste(document.flow(), message, variant_idx, at, text)?;
    let label = if pasted.count == 1 { "Paste block".to_owned() } else { format!("Paste {} blocks", pasted.count) };
    document.edit(&label, &pasted.edits, None).map_err(|error| error.to_string())?;
    kept_tags(&pasted.clashes)
}

/// Says which merge tags of what was pasted the flow declares in another way.
pub(super) fn kept_tags(clashes: &[smol_str::SmolStr]) -> Result<(), String> {
    if clashes.is_empty() {
        return Ok(());
    }
    Err(format!("Merge tags that this flow declares in another way, and keeps: {}", clashes.join(", ")))
}

fn on_document(document: &mut Document, act: Act) -> Result<Vec<Request>, String> {
    match act {
        Act::SetClock(at) => {
            document.view.clock = at;
            document.view.playing &= at.is_some();
        }
        Act::Step { forward } => {
            document.view.playing = false;
            step(document, forward);
        }
        Act::Hop => {
            let before = document.view.clock;
            step(document, true);
            document.view.playing &= document.view.clock != before;
        }
        Act::Jump { to_end } => {
            document.view.playing = false;
            if let Some(line) = timeline::timeline(document) {
                document.view.clock = Some(if to_end { line.until } else { line.from });
            }
        }
        Act::Play(playing) => {
            document.view.playing = playing;
            if playing && let Some(line) = timeline::timeline(document) {
                let inside = document.view.clock.is_some_and(|at| at >= line.from && at < line.until);
                if !inside {
                    document.view.clock = Some(line.from);
                }
            }
        }
        Act::Tick(share) => {
            if let Some(line) = timeline::timeline(document)
                && let Some(at) = document.view.clock
            {
                let next = line.at_share(line.share_of(at) + share.clamp(0.0, 1.0));
                document.view.clock = Some(next);
                document.view.playing &= next < line.until;
            }
        }
        Act::SetScope(scope) => {
            document.view.scope = scope;
            document.view.clock = None;
            document.view.playing = false;
        }
        Act::NeighbourContact { forward } => {
            if let Some(contact) = preview::neighbour(document, forward) {
                document.choose_contact(Some(contact));
            }
        }
        Act::NextDiffering => {
            if document.preview_key().node.is_none() {
                return Err("Select a step that sends".to_owned());
            }
            document.derived.seek_wanted = true;
        }
        Act::OpenInBrowser => {
            let (name, html) = html(document)?;
            return Ok(vec![Request::OpenInBrowser { name, html }]);
        }
        Act::CopyHtml => return Ok(vec![Request::CopyText(html(document)?.1)]),
        Act::CopyBlocks { message, variant_idx, at } => {
            let text = clip_blocks::copy(document.flow(), &message, variant_idx, at)?;
            return Ok(vec![Request::CopyText(text)]);
        }
        Act::PasteBlocks { message, variant_idx, at, text } => {
            paste_blocks(document, &message, variant_idx, at, &text)?;
        }
        Act::FixAll(code) => {
            let (label, edits) = problems::fix_all(document, &code)?;
            document.edit(&label, &edits, None).map_err(|error| error.to_string())?;
        }
        Act::SetWindow(from, until) => {
            if let (Some(from), Some(until)) = (from, until)
                && until < from
            {
                return Err("The replay would end before it begins".to_owned());
            }
            document.view.window = (from, until);
            document.derived.given_up.retain(|given_up| given_up.kind != Kind::Replay);
        }
        Act::Change(change) => {
            let changes = &mut document.view.changes;
            match changes.iter_mut().find(|older| change.replaces(older)) {
                Some(older) => *older = change,
                None => changes.push(change),
            }
        }
        Act::DropChange(n) => {
            if n < document.view.changes.len() {
                document.view.changes.remove(n);
            }
        }
        Act::ResetWhatIf => document.view.changes.clear(),
    }
    Ok(Vec::new())
}

fn step(document: &mut Document, forward: bool) {
    let Some(line) = timeline::timeline(document) else { return };
    if let Some(stop) = line.stop(document.view.clock, forward) {
        document.view.clock = Some(stop);
    }
}

/// Name and page of the mail that is shown.
fn html(document: &Document) -> Result<(String, String), String> {
    let previewed = document.derived.preview.as_ref().map(|stamped| &stamped.value);
    let previewed = previewed.ok_or("There is no mail to show")?;
    let made = previewed.result.as_ref().map_err(Clone::clone)?;
    if made.mail.html.is_empty() {
        return Err("A text message has no HTML".to_owned());
    }
    let node = previewed.key.node.as_ref().map_or("mail", |node| node.as_str());
    let who = previewed.key.contact.as_ref().map_or("nobody", |contact| contact.as_str());
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(40).collect()
    };
    Ok((format!("flowloom-{}-{}.html", plain(node), plain(who)), made.mail.html.clone()))
}

/// The moment of the mail of the selected step.
pub fn moment(document: &Document) -> Option<preview::Moment> {
    let node = document.preview_key().node?;
    preview::moment(document, &node)
}

/// What the chosen contact is called.
pub fn contact_name(document: &Document) -> Option<String> {
    let contact = stage::contact(&document.home, document.view.contact.as_ref()?)?;
    Some(stage::name(contact))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{CommandId, fixture},
        content::Body,
    };

    fn kinds(app: &App, message: &str) -> Vec<String> {
        let message = fixture::document(app).flow().message(message).expect("there");
        let Body::Blocks(blocks) = &message.variants[0].body else { panic!("blocks") };
        blocks.iter().map(|block| block.kind_name().to_owned()).collect()
    }

    #[test]
    fn blocks_go_from_mail_to_mail_as_text() {
        let mut app = fixture::studio();
        let before = kinds(&app, "mail-3");
        let copied = fixture::run(&mut app, Act::CopyBlocks { message: "mail-2".into(), variant_idx: 0, at: Some(0) });
        let [Request::CopyText(text)] = copied.as_slice() else { panic!("{copied:?}") };
        let select = Command::Select { nodes: vec!["mail-3".into()], toggle: false };
        fixture::run(&mut app, select);
        fixture::run(&mut app, Command::Paste { text: text.clone(), at: None });
        let after = kinds(&app, "mail-3");
        let mut expected = before.clone();
        expected.insert(before.len() - 1, "stock".into());
        assert_eq!(after, expected);
        fixture::run(&mut app, CommandId::Undo);
        assert_eq!(kinds(&app, "mail-3"), before);
        let paste = |at| Act::PasteBlocks { message: "mail-3".into(), variant_idx: 0, at, text: text.clone() };
        fixture::run(&mut app, paste(Some(0)));
        assert_eq!(kinds(&app, "mail-3")[0], "stock");
        // All blocks of the selected step's mail.
        let all = fixture::run(&mut app, CommandId::CopyBlock);
        assert!(matches!(all.as_slice(), [Request::CopyText(text)] if text.contains("sms_opt_in")), "{all:?}");
        assert!(matches!(fixture::run(&mut app, CommandId::PasteBlock).as_slice(), [Request::AskPaste]));
        // Without a step that sends there is nowhere to paste.
        fixture::run(&mut app, Command::Select { nodes: vec!["wait-4h".into()], toggle: false });
        fixture::run(&mut app, Command::Paste { text: text.clone(), at: None });
        assert!(app.toasts.iter().any(|toast| toast.is_error && toast.text.contains("blocks")), "{:?}", app.toasts);
        assert!(crate::app::command::available(&app, CommandId::CopyBlock).is_err());
    }
}
