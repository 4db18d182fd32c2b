//! What came in and could not be understood, kept with the reason (SEMANTICS R31): `DIR/aside/*.json`.
//!
//! The one idea: the sender is told "taken" only when the file is durable; where no more is kept, the sender is told to
//! come back, so that nothing is lost in silence. The same body sent again is kept once.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Mutex,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};

use crate::{
    base::{Instant, hash},
    engine::work::Refusal,
};

/// The folder in the data folder.
pub const FOLDER: &str = "aside";
/// Most files that are kept. Source: assumption; more than a person reads.
const MOST_FILES: usize = 1_000;
/// Most bytes of all files together. Source: assumption.
const MOST_BYTES: u64 = 100 << 20;

/// One thing that is kept: `flowloom/aside/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Always `flowloom/aside/1`.
    pub schema: String,
    /// When it came.
    pub at: Instant,
    /// Where: the path of the request.
    pub from: String,
    /// Why it could not be understood.
    pub error: String,
    /// What to do.
    pub hint: String,
    /// Headers that say something of it; never those with secrets.
    pub headers: BTreeMap<String, String>,
    /// The body where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in base64 where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

/// The folder.
#[derive(Debug)]
pub struct Aside {
    folder: PathBuf,
    /// Files and bytes in it.
    held: Mutex<(usize, u64)>,
}

impl Aside {
    /// `aside` in the data folder; made with the first file.
    pub fn new(data: &Path) -> Self {
        let folder = data.join(FOLDER);
        let held = count(&folder).unwrap_or((0, 0));
        Self { folder, held: Mutex::new(held) }
    }

    /// How many things lie there: counted anew, since people empty the folder by hand.
    pub fn count(&self) -> usize {
        let found = count(&self.folder).unwrap_or((0, 0));
        if let Ok(mut held) = self.held.lock() {
            *held = found;
        }
        found.0
    }

    /// Where they lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps a body; durable when this returns. Blocks.
    ///
    /// Errors: nothing more is kept, or the disk does not take it. The sender should come back.
    pub fn keep(
        &self,
        at: Instant,
        from: &str,
        headers: BTreeMap<String, String>,
        body: &[u8],
        why: &Refusal,
    ) -> Result<(), Refusal> {
        let failed = |error: io::Error| {
            Refusal::new(format!("{} cannot be written: {error}", self.folder.display()), "Make room on the disk")
        };
        // What a webhook is about may stand in a header alone: Shopify's topic.
        let topic = headers.iter().find(|(name, _)| name.contains("topic")).map_or("", |(_, topic)| topic.as_str());
        let all = [from.as_bytes(), b"\0", topic.as_bytes(), b"\0", body].concat();
        let name = format!("{}.json", hash::version_hash(&all));
        let path = self.folder.join(name);
        if path.exists() {
            return Ok(());
        }
        let (text, other) = match std::str::from_utf8(body) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(BASE64.encode(body))),
        };
        let kept = Kept {
            schema: "flowloom/aside/1".into(),
            at,
            from: from.to_owned(),
            error: why.error.clone(),
            hint: why.hint.clone(),
            headers,
            body: text,
            body_base64: other,
        };
        let bytes = serde_json::to_vec_pretty(&kept).map_err(|error| failed(io::Error::other(error)))?;
        let mut held = self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if held.0 >= MOST_FILES || held.1 + bytes.len() as u64 > MOST_BYTES {
            // People may have emptied it.
            *held = count(&self.folder).unwrap_or(*held);
        }
        if held.0 >= MOST_FILES || held.1 + bytes.len() as u64 > MOST_BYTES {
            return Err(Refusal::new(
                format!(
                    "{} holds {} things that nobody has looked at; no more are kept",
                    self.folder.display(),
                    held.0
                ),
                "Look at them, mend the mapping or the sender, and empty the folder",
            ));
        }
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let beside = path.with_extension("new");
        let mut file = fs::File::create(&beside).map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&beside, &path).map_err(failed)?;
        // The new name is durable with its folder; where folders cannot be synced (Windows) the system sees to it.
        if let Ok(folder) = fs::File::open(&self.folder) {
            let _ = folder.sync_all();
        }
        *held = (held.0 + 1, held.1 + bytes.len() as u64);
        // The reason, and what stands behind the mapping's name, may name a person; the file says both.
        let hook: Vec<&str> = from.split('/').take(3).collect();
        tracing::warn!(hook = hook.join("/"), "kept aside");
        Ok(())
    }
}

/// The body in a file that is kept, as it came; `None` where the file is none of ours.
pub fn body_of(file: &[u8]) -> Option<Vec<u8>> {
    let kept: Kept = serde_json::from_slice(file).ok()?;
    let decoded = || kept.body_base64.as_ref().and_then(|text| BASE64.decode(text).ok());
    kept.body.clone().map(String::into_bytes).or_else(decoded)
}

fn count(folder: &Path) -> io::Result<(usize, u64)> {
    let mut held = (0, 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|end| end == "json") {
            held.0 += 1;
            held.1 += entry.metadata().map_or(0, |found| found.len());
        }
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_once_with_the_reason_and_up_to_a_limit() {
        let data = tempfile::tempdir().expect("a folder");
        let aside = Aside::new(data.path());
        let why = Refusal::new("no e-mail address", "Mend the mapping");
        let keep = |body: &[u8]| aside.keep(Instant::from_millis(0), "/hooks/x", BTreeMap::new(), body, &why);
        assert_eq!(aside.count(), 0);
        keep(b"{}").expect("keeps");
        keep(b"{}").expect("keeps it once");
        keep(b"\xff\xfe").expect("keeps what is no text");
        assert_eq!(aside.count(), 2);
        // The same body about something else.
        let topic = |topic: &str| BTreeMap::from([("x-shopify-topic".to_owned(), topic.to_owned())]);
        for (name, count) in [("orders/create", 3), ("orders/create", 3), ("customers/update", 4)] {
            aside.keep(Instant::from_millis(0), "/hooks/x", topic(name), b"{}", &why).expect("keeps");
            assert_eq!(aside.count(), count, "{name}");
        }
        let texts: Vec<Kept> = fs::read_dir(aside.folder())
            .expect("a folder")
            .map(|entry| {
                serde_json::from_slice(&fs::read(entry.expect("an entry").path()).expect("bytes")).expect("JSON")
            })
            .collect();
        assert!(texts.iter().all(|kept| kept.error == "no e-mail address"));
        assert!(texts.iter().any(|kept| kept.body.as_deref() == Some("{}")));
        assert!(texts.iter().any(|kept| kept.body_base64.as_deref() == Some("//4=")));
        let bodies = texts.iter().map(|kept| body_of(&serde_json::to_vec(kept).expect("JSON")).expect("a body"));
        assert!(bodies.collect::<Vec<_>>().contains(&b"\xff\xfe".to_vec()));
        for n in aside.count()..MOST_FILES {
            fs::write(aside.folder().join(format!("{n}.json")), "").expect("writes");
        }
        assert_eq!(aside.count(), MOST_FILES);
        assert!(keep(b"one more").is_err_and(|refusal| refusal.error.contains("no more are kept")));
        fs::remove_file(aside.folder().join("9.json")).expect("removes");
        keep(b"one more").expect("there is room again");
    }
}
