//! The draft journal: unsaved work that outlives a crash. Bytes in, bytes out; who writes them to a disk is not
//! said here.
//!
//! The one idea: the log is only ever appended to, and every record carries its length and a checksum, so that whatever
//! a crash or a bad disk did to it, all whole records are found again. Of each document the last one counts; a record
//! without text says that the document was saved or closed on purpose.
//!
//! ```text
//! record = F1 0D 4A 01 | length of the payload, u32 LE | XXH64 of the payload, u64 LE | payload (JSON, UTF-8)
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use crate::base::{FlowId, Instant};

/// Begins a record. Its first two bytes stand in no UTF-8, so no payload can have it.
const MARK: [u8; 4] = [0xf1, 0x0d, b'J', 1];

/// Bytes before the payload.
const HEAD: usize = 16;

/// Largest payload, in bytes: a flow file of the largest size with its quotes escaped.
pub const MOST_RECORD_BYTES: usize = 2 * crate::flow::file::MOST_BYTES;

/// From this many bytes on a journal is to be compacted. Source: assumption, some minutes of work on a large flow.
pub const COMPACT_FROM_BYTES: usize = 16 << 20;

/// What is remembered of a document.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The flow.
    pub flow: FlowId,
    /// Its file; `None` where it was never saved. Flow and path together name the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// [`fingerprint`] of the file that the work began from; `None` without a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<u64>,
    /// Revision of the document, counted from its opening.
    pub revision: u64,
    /// When it was written down.
    pub at: Instant,
    /// The unsaved text as a save would write it; `None` says that nothing is unsaved any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The workspace file, where it was edited and not saved. Journals of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceDraft>,
}

/// Unsaved work on a workspace file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WorkspaceDraft {
    /// Its text as a save would write it.
    pub text: String,
    /// The text of the file that the work began from; empty where there was none.
    pub before: String,
}

impl Record {
    fn key(&self) -> (FlowId, Option<String>) {
        (self.flow.clone(), self.path.clone())
    }
}

/// Names the content of a file: XXH64 of its bytes. Tells whether the file was changed behind the draft.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    xxh64(bytes, 0)
}

/// The bytes to append for a record.
///
/// Errors: the text is larger than [`MOST_RECORD_BYTES`].
pub fn encode(record: &Record) -> Result<Vec<u8>, String> {
    let payload = serde_json::to_vec(record).map_err(|error| error.to_string())?;
    let too_large = || format!("The draft has {} MB, too many to be kept", payload.len() >> 20);
    if payload.len() > MOST_RECORD_BYTES {
        return Err(too_large());
    }
    let length = u32::try_from(payload.len()).map_err(|_| too_large())?;
    let mut out = Vec::with_capacity(HEAD + payload.len());
    out.extend_from_slice(&MARK);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&xxh64(&payload, 0).to_le_bytes());
    out.extend_from_slice(&payload);
    Ok(out)
}

/// The last whole record of each document, by document; those whose last record has no text are left out.
///
/// Damaged parts are passed over, a torn end is ignored. Never fails, whatever the bytes.
pub fn recover(bytes: &[u8]) -> Vec<Record> {
    let mut last: BTreeMap<(FlowId, Option<String>), Record> = BTreeMap::new();
    let mut at = 0;
    while at + HEAD <= bytes.len() {
        match read_record(&bytes[at..]) {
            Some((record, length)) => {
                last.insert(record.key(), record);
                at += length;
            }
            // The next mark after a damaged place.
            None => match bytes[at + 1..].windows(MARK.len()).position(|window| window == MARK) {
                Some(step) => at += 1 + step,
                None => break,
            },
        }
    }
    last.into_values().filter(|record| record.text.is_some()).collect()
}

fn read_record(bytes: &[u8]) -> Option<(Record, usize)> {
    let rest = bytes.strip_prefix(&MARK)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<8>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let payload = rest.get(..length).filter(|_| length <= MOST_RECORD_BYTES)?;
    if xxh64(payload, 0) != u64::from_le_bytes(*checksum) {
        return None;
    }
    Some((serde_json::from_slice(payload).ok()?, HEAD + length))
}

/// Whether a journal should be compacted: it is long, and most of it is past.
pub fn wants_compaction(num_bytes: usize, num_live_bytes: usize) -> bool {
    num_bytes >= COMPACT_FROM_BYTES && num_bytes / 2 > num_live_bytes
}

/// The journal with the last record of each document alone. To be written beside the old one and renamed over it, so
/// that a crash leaves one of the two whole.
pub fn compact(bytes: &[u8]) -> Vec<u8> {
    // What was read fits, so it can be written.
    recover(bytes).iter().filter_map(|record| encode(record).ok()).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Rng, flow_gen};

    fn record(flow: &str, revision: u64, text: Option<&str>) -> Record {
        Record {
            flow: flow.into(),
            path: (flow != "new").then(|| format!("/home/ä/{flow}.flow.ron")),
            base: Some(fingerprint(flow.as_bytes())),
            revision,
            at: Instant::from_millis(1_764_000_000_000 + revision as i64),
            text: text.map(str::to_owned),
            workspace: None,
        }
    }

    fn log() -> (Vec<Record>, Vec<usize>, Vec<u8>) {
        let records = vec![
            record("a", 1, Some("one")),
            record("new", 1, Some("\"quotes\" \u{1F389}\n")),
            record("a", 2, Some("two")),
            record("b", 1, Some("b")),
            record("b", 2, None),
            record("a", 3, Some("three")),
        ];
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for record in &records {
            bytes.extend(encode(record).expect("small"));
            ends.push(bytes.len());
        }
        (records, ends, bytes)
    }

    /// What should be found of some records.
    fn expected<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<Record> {
        let mut last = BTreeMap::new();
        for record in records {
            last.insert(record.key(), record.clone());
        }
        last.into_values().filter(|record| record.text.is_some()).collect()
    }

    #[test]
    fn cut_anywhere_the_last_whole_record_is_found() {
        let (records, ends, bytes) = log();
        for length in 0..=bytes.len() {
            let whole = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(recover(&bytes[..length]), expected(records[..whole].iter()), "{length}");
        }
        let found = recover(&bytes);
        assert_eq!(found.iter().map(|r| (r.flow.as_str(), r.revision)).collect::<Vec<_>>(), [("a", 3), ("new", 1)]);
    }

    #[test]
    fn a_flipped_byte_costs_one_record_at_most() {
        let (records, ends, bytes) = log();
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                let hurt = ends.iter().filter(|end| **end <= at).count();
                let rest = records.iter().enumerate().filter(|(n, _)| *n != hurt).map(|(_, r)| r);
                assert_eq!(recover(&damaged), expected(rest), "byte {at}");
            }
        }
    }

    #[test]
    fn a_record_of_an_older_version_is_read() {
        let payload = r#"{"flow":"a","revision":2,"at":AT,"text":"(…)"}"#;
        let at = serde_json::to_string(&Instant::from_millis(7)).expect("a value");
        let payload = payload.replace("AT", &at);
        let mut bytes = MARK.to_vec();
        bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&xxh64(payload.as_bytes(), 0).to_le_bytes());
        bytes.extend_from_slice(payload.as_bytes());
        let found = recover(&bytes);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].text.as_deref(), &found[0].workspace), (Some("(…)"), &None));
        let workspace = Some(WorkspaceDraft { text: "(version: 1)".to_owned(), before: String::new() });
        let record = Record { workspace, ..found[0].clone() };
        assert_eq!(recover(&encode(&record).expect("small")), [record]);
    }

    #[test]
    fn any_bytes_are_survived() {
        let mut rng = Rng::new(7);
        let (_, _, bytes) = log();
        for _ in 0..2_000 {
            let mut damaged = bytes.clone();
            for _ in 0..rng.below(12) {
                let at = rng.below(damaged.len());
                match rng.below(3) {
                    0 => damaged[at] = rng.below(256) as u8,
                    1 => damaged.truncate(at),
                    _ => damaged.insert(at, MARK[rng.below(4)]),
                }
                if damaged.is_empty() {
                    break;
                }
            }
            recover(&damaged);
        }
    }

    #[test]
    fn compaction_keeps_what_counts() {
        let (_, _, bytes) = log();
        let compacted = compact(&bytes);
        assert_eq!(recover(&compacted), recover(&bytes));
        assert!(compacted.len() < bytes.len());
        assert_eq!(compact(&compacted), compacted);
        assert!(!wants_compaction(1_000, 0));
        assert!(
            wants_compaction(COMPACT_FROM_BYTES, 1_000) && !wants_compaction(COMPACT_FROM_BYTES, COMPACT_FROM_BYTES)
        );
    }

    #[test]
    fn a_large_flow_is_kept() {
        let text = flow_gen::large_flow_text(2_000);
        let record = record("large", 1, Some(&text));
        assert_eq!(recover(&encode(&record).expect("fits")), [record]);
    }
}
