//! A mail as a mail program opens it (RFC 5322, multipart/alternative).
//!
//! The one idea: the same mail gives the same bytes, so nothing in it comes from a clock or from chance; its date is
//! the instant it was made for. Deliberately not here: sending.

use super::{
    Failure,
    stage::{self, Made, Stage},
};
use crate::{
    audience::Contact,
    content::{Envelope, Links, Message, compose},
};

/// The mail as bytes.
///
/// Errors: a contact without an address, an address that is none, a text message.
pub fn of(stage: &Stage, message: &Message, contact: &Contact, made: &Made) -> Result<Vec<u8>, Failure> {
    if !stage::is_email(message) {
        return Err(Failure::refused("A text message is no e-mail", "Ask for --format text"));
    }
    let to = contact.email.as_deref().ok_or_else(|| {
        Failure::refused(format!("Contact `{}` has no e-mail address", contact.id), "Ask for --format html or text")
    })?;
    let settings = stage.file.flow().settings();
    let workspace = &stage.home.workspace;
    let sender = settings.sender.as_deref().and_then(|id| workspace.sender(id)).or(workspace.senders.first());
    let (name, from) =
        sender.map_or(("", "nobody@example.com"), |sender| (sender.name.as_str(), sender.email.as_str()));
    let answer_to = sender.and_then(|sender| sender.reply_to.as_deref());
    let envelope = Envelope {
        from_name: name.to_owned(),
        from: from.to_owned(),
        reply_to: answer_to.map(str::to_owned),
        to: to.to_owned(),
        date: stage.at,
        send_key: format!("{}/{}/{}/{}", stage.file.flow().id, message.id, contact.id, stage.at),
        unsubscribe: Links::placeholders().unsubscribe,
        ..Envelope::default()
    };
    compose(&made.mail, &envelope)
        .map_err(|reason| Failure::refused(reason, "Mend it in the workspace or the audience"))
}
