//! What a new message begins with: words that can be read, so that a flow under construction can be played and looked
//! at. `message/starter-text` warns for as long as they stand there.

use super::{Message, Variant};
use crate::{audience::Channel, base::MessageId};

/// Subject of a new e-mail.
pub const STARTER_SUBJECT: &str = "Still thinking it over?";

/// Text of a new SMS.
pub const STARTER_SMS: &str = "Everything is as you left it. Answer STOP to hear no more.";

const STARTER_MAIL: &str = r#"(id: "m", subject: "Still thinking it over?", preheader: "Everything is as you left it", body: blocks([
    heading(text: "Everything is as you left it"),
    text(text: "Hello,\n\nyou were looking at something of ours. It is still here, and so are we, should you have a question."),
    footer(text: "You get this mail because you allowed us to write."),
]))"#;

/// A new message of a channel.
pub fn starter(id: &MessageId, channel: Channel) -> Message {
    let mut message = match channel {
        // The text is fixed, and a test reads it.
        Channel::Email => Message::from_ron(STARTER_MAIL).unwrap_or_else(|_| Message::new(id.as_str(), channel)),
        Channel::Sms => {
            let mut message = Message::new(id.as_str(), channel);
            message.variants = vec![Variant { text: Some(STARTER_SMS.to_owned()), ..Variant::default() }];
            message
        }
    };
    message.id = id.clone();
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_message_can_be_read() {
        let mail = starter(&MessageId::new("mail-7"), Channel::Email);
        assert_eq!((mail.id.as_str(), mail.variants.len()), ("mail-7", 1));
        assert_eq!(mail.variants[0].subject, STARTER_SUBJECT);
        assert!(!mail.variants[0].body.is_empty());
        let sms = starter(&MessageId::new("sms-1"), Channel::Sms);
        assert_eq!(sms.variants[0].text.as_deref(), Some(STARTER_SMS));
    }
}
