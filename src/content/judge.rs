//! Everything that can be said about a message before it is sent to anybody.
//!
//! The one idea: what is wrong with the templates is the same for everybody, so the mail with sample values is looked
//! at; only how long it gets differs from contact to contact, and that is asked of those with the longest values.

use super::{
    Brand, Field, FieldValues, Message, PreparedMessage, Variant,
    lint::{clipping, lint},
};
use crate::base::{ContactId, Diagnostic, Place};

/// Contacts that mails are made for, to see how long they get.
pub trait Readers {
    /// The variant as the flow sends it: links with their parameters.
    fn as_sent(&self, prepared: PreparedMessage) -> PreparedMessage;

    /// Those who probably get the longest mails of a variant, as few as are worth a rendering each; none where nobody
    /// gets it.
    fn longest(
        &self,
        message: &Message,
        variant: &Variant,
        prepared: &PreparedMessage,
    ) -> Vec<(ContactId, FieldValues)>;
}

/// What is found about a message: its templates, and, where they can be used, the mail with sample values; with
/// `readers` the longest of their mails decides about clipping. Messages without any content are left to the check of
/// that name.
pub fn check_message(
    message: &Message,
    fields: &[Field],
    brand: &Brand,
    readers: Option<&dyn Readers>,
) -> Vec<Diagnostic> {
    let samples = FieldValues::samples(fields, brand);
    let mut found = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    for variant in &message.variants {
        if ids.contains(&variant.id.as_str()) {
            let place = Place::message(&message.id).with_field(format!("variants.{}", variant.id));
            found.push(
                Diagnostic::error("mail/variant-twice", place, format!("Two variants are called `{}`", variant.id))
                    .hint("Give each variant an id of its own"),
            );
        }
        ids.push(&variant.id);
        match PreparedMessage::new(message, variant, fields, brand) {
            Ok(prepared) => {
                found.extend_from_slice(prepared.findings());
                match prepared.render(&samples) {
                    Ok(mail) => found.extend(lint(message, variant, &mail)),
                    Err(fault) => found.push(fault),
                }
                if let Some(readers) = readers {
                    let prepared = readers.as_sent(prepared);
                    let made = readers.longest(message, variant, &prepared).into_iter().filter_map(|(who, values)| {
                        // What cannot be rendered for a contact is a row of the matrix.
                        Some((prepared.render(&values).ok()?.html.len(), who))
                    });
                    // The first of equals, so that the words stay the same.
                    if let Some((size, who)) = made.reduce(|a, b| if b.0 > a.0 { b } else { a }) {
                        found.retain(|found| !is_of_length(found, message, variant));
                        found.extend(clipping(message, variant, size, Some(&who)));
                    }
                }
            }
            Err(faults) => found.extend(faults),
        }
    }
    found.retain(|d| d.code != "mail/empty" && d.code != "mail/no-subject");
    found
}

/// Whether a finding is what the sample mail's length said about this variant.
fn is_of_length(found: &Diagnostic, message: &Message, variant: &Variant) -> bool {
    // Any length has the same place.
    clipping(message, variant, usize::MAX, None).is_some_and(|longest| longest.place == found.place)
        && ["mail/too-large", "mail/large"].contains(&&*found.code)
}
