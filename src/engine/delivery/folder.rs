//! A folder as the way out: one file for each send, which mail programs and people can open. The default.
//!
//! The one idea: a file's name follows from the send key, so after a crash the folder itself tells whether a send has
//! left. Files are written beside, synced and renamed: there is never half of one.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::{Outgoing, Payload, Transport};
use crate::{
    base::{ContactId, SendKey, hash},
    engine::work::Handed,
    post,
};

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

    /// Files of a person's messages: those of these keys, and those whose key is not known any more, by their names.
    /// Where a name says too little, `is_theirs` looks into the file.
    ///
    /// Errors: the folder cannot be read. One that is not there holds nothing.
    pub fn files_of(
        &self,
        contact: &ContactId,
        keys: &[SendKey],
        is_theirs: &dyn Fn(&Path) -> bool,
    ) -> io::Result<Vec<PathBuf>> {
        let known: BTreeSet<String> = keys.iter().map(name).collect();
        // Journeys are named after their contact.
        let start = post::file_part(&format!("{contact}/"));
        let mut out = Vec::new();
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(out),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let Ok(file) = entry.file_name().into_string() else { continue };
            let Some(stem) = ENDINGS.iter().find_map(|end| file.strip_suffix(end)?.strip_suffix('.')) else { continue };
            let is_one = || {
                let Some((part, hash)) = stem.rsplit_once('-').filter(|_| stem.starts_with(&start)) else {
                    return false;
                };
                is_of(contact, part, hash) || is_theirs(&entry.path())
            };
            if known.contains(stem) || is_one() {
                out.push(entry.path());
            }
        }
        Ok(out)
    }
}

/// Places in a name that may have been a slash: more than these are not tried out. Source: assumption; flows and steps
/// have a few words.
const MOST_PLACES: usize = 24;

/// Whether a file's name is that of a send of this person: the hash in it proves where its slashes were.
fn is_of(contact: &ContactId, part: &str, hash: &str) -> bool {
    let start = format!("{contact}/");
    let rest = part.get(post::file_part(&start).len()..).unwrap_or_default();
    let places: Vec<usize> = rest.match_indices('_').map(|(at, _)| at).collect();
    if places.len() > MOST_PLACES {
        return false;
    }
    // flow/nth/node/pass; `nth` and `pass` are numbers.
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some(&last) = places.last().filter(|last| is_number(&rest[**last + 1..])) else { return false };
    places.iter().enumerate().any(|(n, first)| {
        let Some(second) = places.get(n + 1).filter(|second| is_number(&rest[first + 1..**second])) else {
            return false;
        };
        if *second >= last {
            return false;
        }
        let (flow, nth) = (&rest[..*first], &rest[first + 1..*second]);
        let (node, pass) = (&rest[second + 1..last], &rest[last + 1..]);
        let key = format!("{start}{flow}/{nth}/{node}/{pass}");
        hash::version_hash(key.as_bytes()).to_string().starts_with(hash) && hash.len() == HASH_LEN
    })
}

/// Letters of a hash in a name.
const HASH_LEN: usize = 16;

/// The name of a send's file without its ending: what people can read of the key, and a hash that keeps two apart.
fn name(key: &SendKey) -> String {
    let text = key.to_string();
    let hash = hash::version_hash(text.as_bytes()).to_string();
    format!("{}-{}", post::file_part(&text), &hash[..HASH_LEN])
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

    /// By their keys, and by their names alone; what only looks alike stays.
    #[test]
    fn files_of_a_person_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let way = Folder::new(folder.path());
        let id = "ada@shop.example";
        let of = |journey: &str, node: &str| {
            let key = SendKey { journey: journey.into(), node: node.into(), pass: 2 };
            let outgoing = Outgoing { key, contact: id.into(), payload: mail(journey) };
            assert_eq!(way.hand_over(&outgoing), Handed::Done);
            outgoing.key
        };
        let known = of("another/1", "x");
        of("ada@shop.example/cart_saver/3", "mail_1");
        of("ada_shop.example/cart/3", "mail");
        of("ada@shop.example/x/cart/3", "mail");
        of(&format!("{id}/{}/1", "long-".repeat(20)), "mail");
        fs::write(folder.path().join("ada_shop.example_cart_3_mail_2.eml"), "hers, by hand").expect("writes");
        fs::write(folder.path().join("ada_shop.example_cart_3_mail_2-0123456789abcdef.txt"), "").expect("writes");
        let texts = |look: &dyn Fn(&Path) -> bool| {
            let files = way.files_of(&id.into(), std::slice::from_ref(&known), look).expect("reads");
            let texts = files.iter().map(|file| fs::read_to_string(file).expect("reads"));
            texts.collect::<BTreeSet<String>>()
        };
        let by_name = BTreeSet::from(["another/1".to_owned(), "ada@shop.example/cart_saver/3".to_owned()]);
        assert_eq!(texts(&|_| false), by_name, "the hash proves whose it is");
        // Where names are cut off, what is in the file says it.
        let holds = |path: &Path| fs::read_to_string(path).is_ok_and(|text| text.contains("long-"));
        assert_eq!(texts(&holds).len(), 3);
        let none = Folder::new(folder.path().join("none"));
        assert_eq!(none.files_of(&id.into(), &[], &|_| true).expect("nothing is there"), Vec::<PathBuf>::new());
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
