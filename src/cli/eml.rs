//! A mail as a mail program opens it (RFC 5322, multipart/alternative).
//!
//! The one idea: the same mail gives the same bytes, so nothing in it comes from a clock or from chance; its date is
//! the instant it was made for. Deliberately not here: sending.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::{Mailbox, Message as Mail, MultiPart, SinglePart, header::ContentType};

use super::{
    Failure,
    stage::{self, Made, Stage},
};
use crate::{audience::Contact, base::hash, content::Message};

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
    let identity = format!("{}/{}/{}/{}", stage.file.flow().id, message.id, contact.id, stage.at);
    let mark = format!("{:016x}", hash::chance("eml", &identity));
    let millis = u64::try_from(stage.at.as_millis()).unwrap_or(0);
    let mut builder = Mail::builder()
        .from(mailbox(name, from)?)
        .to(mailbox("", to)?)
        .subject(&made.mail.subject)
        .date(UNIX_EPOCH + Duration::from_millis(millis))
        .message_id(Some(format!("<{mark}@flowloom.invalid>")));
    if let Some(address) = answer_to {
        builder = builder.reply_to(mailbox("", address)?);
    }
    let part = |kind: ContentType, text: &str| SinglePart::builder().header(kind).body(text.to_owned());
    let parts = MultiPart::alternative().boundary(format!("flowloom-{mark}"));
    let parts = parts
        .singlepart(part(ContentType::TEXT_PLAIN, &made.mail.text))
        .singlepart(part(ContentType::TEXT_HTML, &made.mail.html));
    let mail = builder.multipart(parts).map_err(|error| {
        Failure::refused(format!("The mail cannot be put together: {error}"), "Look at its subject and sender")
    })?;
    Ok(mail.formatted())
}

fn mailbox(name: &str, address: &str) -> Result<Mailbox, Failure> {
    let parsed = address.parse().map_err(|_| {
        Failure::refused(format!("`{address}` is not an e-mail address"), "Mend it in the workspace or the audience")
    })?;
    Ok(Mailbox::new((!name.is_empty()).then(|| name.to_owned()), parsed))
}
