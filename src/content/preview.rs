//! A rendered mail as one JSON object for scripts: `flowloom/preview/1`.

use serde::Serialize;

use super::{RenderedMail, TagUse};
use crate::base::Diagnostic;

/// What `preview --format json` prints. Fields are added, never renamed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Preview<'a> {
    /// Always `flowloom/preview/1`.
    pub schema: &'static str,
    /// Subject line.
    pub subject: &'a str,
    /// The line after the subject in an inbox.
    pub preheader: &'a str,
    /// HTML part; empty for an SMS.
    pub html: &'a str,
    /// Plain-text part, or the SMS.
    pub text: &'a str,
    /// Merge tags with the state and value of each.
    pub tags: &'a [TagUse],
    /// What was found in it.
    pub lints: &'a [Diagnostic],
}

impl<'a> Preview<'a> {
    /// A mail and what was found in it.
    pub fn new(mail: &'a RenderedMail, lints: &'a [Diagnostic]) -> Self {
        Self {
            schema: "flowloom/preview/1",
            subject: &mail.subject,
            preheader: &mail.preheader,
            html: &mail.html,
            text: &mail.text,
            tags: &mail.tags,
            lints,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::TagState;

    #[test]
    fn keys_are_as_scripts_expect() {
        let tag = TagUse { name: "a".into(), state: TagState::Fallback, value: "b".into() };
        let mail = RenderedMail { subject: "S".into(), tags: vec![tag], ..RenderedMail::default() };
        let json = serde_json::to_string(&Preview::new(&mail, &[])).expect("writes");
        assert_eq!(
            json,
            r#"{"schema":"flowloom/preview/1","subject":"S","preheader":"","html":"","text":"","tags":[{"name":"a","state":"fallback","value":"b"}],"lints":[]}"#
        );
    }
}
