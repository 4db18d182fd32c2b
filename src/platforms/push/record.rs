//! What was pushed, kept in a file beside the flow: `NAME.klaviyo.json`, `NAME.hubspot.json`.
//!
//! The one idea: neither platform takes a key that would make a creation happen once. So before anything is created,
//! the record says what is about to be, and which things of that name were there already ([`Pending`]); should no
//! answer come, whatever of that name is there later and was not before is ours. That needs no mark in a name that the
//! client would see, and holds when the flow was changed in between. Where the record itself is lost, things of the
//! same name and content are taken for ours. No key is ever in it, accounts are told apart by the label of their key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Error;
use crate::flow::Target;

/// The word for this sort of file.
const SCHEMA: &str = "flowloom/pushed/1";

/// The file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    schema: String,
    /// Klaviyo or HubSpot.
    target: String,
    /// Id of the flow.
    flow: String,
    /// By label of the key, and by address where it is not the platform's own.
    accounts: BTreeMap<String, Pushed>,
}

/// What one account has of a flow.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Pushed {
    /// What the user chose where several fitted, and ids that they named: `metric:Placed Order` to id.
    pub chosen: BTreeMap<String, String>,
    /// What is there: `template:mail-1-a`, `flow:flow.json`.
    pub things: BTreeMap<String, Entry>,
    /// What was about to be created when the last push ended.
    pub pending: BTreeMap<String, Pending>,
    /// Pictures in the account's files: `image:logo.png`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pictures: BTreeMap<String, Uploaded>,
}

/// A picture that was uploaded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Uploaded {
    /// Hash of its content; another content is another picture.
    pub hash: String,
    /// Its id in the account's files.
    pub id: String,
    /// Where it lies on the web.
    pub url: String,
}

/// Something that was pushed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its id in the account.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// Hash of what was sent.
    pub hash: String,
    /// For a flow: which state of its mails it holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub holds: BTreeMap<String, String>,
    /// It was read back, and was as it was sent.
    #[serde(default)]
    pub compared: bool,
}

/// Something that was about to be created.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// Its name.
    pub name: String,
    /// Hash of what was sent.
    pub hash: String,
    /// Ids of things of that name that were there before.
    pub before: Vec<String>,
    /// For a flow: which state of its mails it holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub holds: BTreeMap<String, String>,
}

impl Record {
    /// Of a flow that was never pushed.
    pub fn new(target: Target, flow: &str) -> Self {
        Self { schema: SCHEMA.into(), target: target.name().into(), flow: flow.into(), accounts: BTreeMap::new() }
    }

    /// The name of the file beside a flow: `watch-shop.flow.ron` has `watch-shop.klaviyo.json`.
    pub fn file_name(target: Target, flow_file: &str) -> String {
        let stem = flow_file.strip_suffix(".flow.ron").or_else(|| flow_file.strip_suffix(".ron")).unwrap_or(flow_file);
        format!("{stem}.{}.json", target.name())
    }

    /// Reads the file.
    ///
    /// Errors: not a record, or one of another flow or target; nothing is pushed on a guess.
    pub fn read(text: &str, target: Target, flow: &str) -> Result<Self, Error> {
        let record: Self = serde_json::from_str(text).map_err(|error| {
            Error::refused(
                format!("The record of what was pushed cannot be read: {error}"),
                "Restore the file, or move it away; then things of the same name and content are taken over, others are made anew",
            )
        })?;
        let is_ours = record.schema == SCHEMA && record.target == target.name();
        if !is_ours || record.flow != flow {
            return Err(Error::refused(
                format!("The record beside the flow is of another push (`{}`, {})", record.flow, record.target),
                "Move it away, or give it back its own flow",
            ));
        }
        Ok(record)
    }

    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// What an account has, under its label.
    pub fn account(&self, label: &str) -> Pushed {
        self.accounts.get(label).cloned().unwrap_or_default()
    }

    /// Keeps what an account has.
    pub fn set(&mut self, label: &str, pushed: Pushed) {
        self.accounts.insert(label.to_owned(), pushed);
    }
}

/// What an account is called in the record: the label of its key, with the address where that is not the platform's.
pub fn account_label(key_name: &str, base_url: Option<&str>) -> String {
    base_url.map_or_else(|| key_name.to_owned(), |url| format!("{key_name} at {}", url.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_and_others_are_refused() {
        let mut record = Record::new(Target::Klaviyo, "watch");
        let mut pushed = Pushed::default();
        pushed.chosen.insert("metric:A".into(), "M1".into());
        record.set("default", pushed.clone());
        let text = String::from_utf8(record.bytes()).expect("text");
        let again = Record::read(&text, Target::Klaviyo, "watch").expect("reads");
        assert_eq!((again.account("default"), again.account("other")), (pushed, Pushed::default()));
        for (text, target, flow) in [
            (text.as_str(), Target::Hubspot, "watch"),
            (text.as_str(), Target::Klaviyo, "other"),
            ("{", Target::Klaviyo, "watch"),
            ("[]", Target::Klaviyo, "watch"),
        ] {
            assert!(Record::read(text, target, flow).is_err(), "{text} {flow}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(Record::file_name(Target::Hubspot, "a.flow.ron"), "a.hubspot.json");
        assert_eq!(account_label("shop", None), "shop");
        assert_eq!(account_label("shop", Some("http://127.0.0.1:1/")), "shop at http://127.0.0.1:1");
    }
}
