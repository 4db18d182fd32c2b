//! A folder as the way out: one file for each send, which mail programs and people can open. The default.
//!
//! The one idea: a file's name follows from the send key, so after a crash the folder itself tells whether a send has
//! left. Files are written beside, synced and renamed: there is never half of one.

use std::path::PathBuf;

use super::{Outgoing, Payload, Transport};
use crate::{base::SendKey, base::hash, engine::work::Handed, post};

/// Endings of the files: mails, text messages, calls.
const ENDINGS: [&str; 3] = ["eml", "sms.txt", "call.txt"];

/// The transport.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Into this folder, which is made at the first file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

/// The name of a send's file without its ending: what people can read of the key, and a hash that keeps two apart.
fn name(key: &SendKey) -> String {
    let text = key.to_string();
    let hash = hash::version_hash(text.as_bytes()).to_string();
    format!("{}-{}", post::file_part(&text), &hash[..16])
}

impl Transport for Folder {
    fn hand_over(&self, outgoing: &Outgoing) -> Handed {
        let [mail, text, call] = ENDINGS;
        let (ending, bytes) = match &outgoing.payload {
            Payload::Mail { bytes, .. } => (mail, bytes.clone()),
            Payload::Text { to, body } => (text, format!("To: {to}\n\n{body}\n").into_bytes()),
            Payload::Call { url, headers, body, .. } => {
                // Secrets are among the values of headers, and this file is for reading.
                let headers: String = headers.iter().map(|(name, _)| format!("{name}: …\n")).collect();
                (call, format!("POST {url}\n{headers}\n{body}\n").into_bytes())
            }
        };
        match post::into_folder(&self.0, &format!("{}.{ending}", name(&outgoing.key)), &bytes, true) {
            Ok(_) => Handed::Done,
            // The rename is the hand-over; before it nothing is there.
            Err(error) => Handed::Later { detail: error.to_string(), after_millis: None },
        }
    }

    fn has_left(&self, key: &SendKey) -> Option<bool> {
        let name = name(key);
        Some(ENDINGS.iter().any(|ending| self.0.join(format!("{name}.{ending}")).exists()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn outgoing(journey: &str, payload: Payload) -> Outgoing {
        let key = SendKey { journey: journey.into(), node: "mail-1".into(), pass: 1 };
        Outgoing { key, contact: "ada".into(), payload }
    }

    fn mail(text: &str) -> Payload {
        Payload::Mail { from: "a@b.example".into(), to: vec!["c@d.example".into()], bytes: text.into() }
    }

    #[test]
    fn a_file_for_each_send_and_the_folder_can_tell() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        let way = Folder::new(&path);
        let one = outgoing("cart/ada/1", mail("one"));
        assert_eq!(way.has_left(&one.key), Some(false));
        assert_eq!(way.hand_over(&one), Handed::Done);
        assert_eq!(way.has_left(&one.key), Some(true));
        // Keys that look alike as names stay apart.
        let other = outgoing("cart_ada/1", mail("two"));
        assert_eq!(way.has_left(&other.key), Some(false));
        assert_eq!(way.hand_over(&other), Handed::Done);
        assert_eq!(way.hand_over(&one), Handed::Done);
        let headers = vec![("Authorization".to_owned(), "Bearer hunter2".to_owned())];
        let call = Payload::Call { url: "https://x.example".into(), headers, body: "{}".into(), timeout_millis: 1 };
        assert_eq!(way.hand_over(&outgoing("a", call)), Handed::Done);
        let text = Payload::Text { to: "+4917012345".into(), body: "Hi".into() };
        assert_eq!(way.hand_over(&outgoing("b", text)), Handed::Done);
        let files = crate::disk::files_in(&path).expect("reads");
        let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).expect("reads")).collect();
        assert_eq!(
            texts,
            ["POST https://x.example\nAuthorization: …\n\n{}\n", "To: +4917012345\n\nHi\n", "two", "one"],
            "{files:?}"
        );
    }

    #[test]
    fn what_cannot_be_written_waits() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("taken");
        fs::write(&path, "a file").expect("writes");
        let way = Folder::new(&path);
        let one = outgoing("cart/ada/1", mail("one"));
        assert!(matches!(way.hand_over(&one), Handed::Later { .. }));
        assert_eq!(way.has_left(&one.key), Some(false));
    }
}
