//! Files that the watched folder has read, without what is a person's.
//!
//! The one idea: a shorter file is written beside, synced, and takes the place of the old one. In JSON Lines an empty
//! line stands for what is gone, so that the numbers in the reasons beside a file stay true. A file in which nothing of
//! others is goes as a whole. (A shortened file is another one to whoever reads it again: its events keep the ids that
//! are written in it, and get new ones where none is.)

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read as _},
    path::{Path, PathBuf},
};

use serde_json::Value as Json;

use super::names::Names;
use crate::engine::intake::watch::{MOST_JSON_BYTES, is_one_text};

/// The ending of files that are being written.
const NEW: &str = ".shorter";

/// What became of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shortened {
    /// There was nothing in it.
    Not,
    /// By so many items.
    By(usize),
    /// It cannot be taken apart, and may hold something.
    Cannot,
}

/// Whether a file may hold events.
pub fn is_events(path: &Path) -> bool {
    let ends = path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    matches!(ends.as_deref(), Some("json" | "jsonl" | "ndjson"))
}

/// Whether a file was put there by the engine: events, or reasons beside them.
pub fn is_ours(path: &Path) -> bool {
    is_events(path) || is_left_over(path) || beside(path).is_some()
}

/// Whether a crash has left a file half written.
pub fn is_left_over(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with('.') && name.ends_with(NEW))
}

/// The file whose reasons stand in this one.
fn beside(path: &Path) -> Option<PathBuf> {
    let of = path.to_str()?.strip_suffix(".txt")?;
    is_events(Path::new(of)).then(|| PathBuf::from(of))
}

/// Where the reasons of a file stand.
fn reasons_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".txt");
    PathBuf::from(name)
}

/// Takes what is a person's out of a file, and out of the reasons beside it.
///
/// Errors: it cannot be read, or not be written.
pub fn shorten(path: &Path, names: &Names) -> io::Result<Shortened> {
    if beside(path).is_some() {
        return reasons(path, names, &BTreeSet::new());
    }
    let taken = Taken::out_of(path, names)?;
    if taken.is_unclear {
        return Ok(Shortened::Cannot);
    }
    if taken.places.is_empty() {
        return Ok(Shortened::Not);
    }
    let beside = reasons_of(path);
    if taken.has_others {
        match taken.text {
            Some(text) => replace(path, |out| out.write_all(&text))?,
            None => replace(path, |out| write_others(path, names, out))?,
        }
        if beside.is_file() {
            reasons(&beside, names, &taken.places)?;
        }
    } else {
        // What cannot be deleted stands there still, with its reasons.
        fs::remove_file(path)?;
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(Shortened::By(taken.places.len()))
}

/// Whether a file that waits to be read speaks of them.
///
/// Errors: it cannot be read.
pub fn holds(path: &Path, names: &Names) -> io::Result<bool> {
    let taken = Taken::out_of(path, names)?;
    Ok(taken.is_unclear || !taken.places.is_empty())
}

/// What is a person's in a file.
#[derive(Default)]
struct Taken {
    /// As the watched folder names them: `line 3`, `item 2`.
    places: BTreeSet<String>,
    /// Whether there is anything else.
    has_others: bool,
    /// It cannot be told what is whose.
    is_unclear: bool,
    /// The new text, where it was one JSON text.
    text: Option<Vec<u8>>,
}

impl Taken {
    fn out_of(path: &Path, names: &Names) -> io::Result<Self> {
        let mut input = BufReader::new(File::open(path)?);
        if is_one_text(input.fill_buf()?) {
            let mut bytes = Vec::new();
            input.take(MOST_JSON_BYTES + 1).read_to_end(&mut bytes)?;
            return Ok(Self::out_of_text(&bytes, names));
        }
        let mut taken = Self::default();
        let mut number = 0_u64;
        let mut line = Vec::new();
        while next_line(&mut input, &mut line)? {
            number += 1;
            if line.len() as u64 > MOST_JSON_BYTES {
                taken.is_unclear = true;
                return Ok(taken);
            }
            if names.in_bytes(&line) {
                taken.places.insert(format!("line {number}"));
            } else {
                taken.has_others |= !line.trim_ascii().is_empty();
            }
        }
        Ok(taken)
    }

    fn out_of_text(bytes: &[u8], names: &Names) -> Self {
        let unclear = |is_unclear| Self { is_unclear, ..Self::default() };
        if bytes.len() as u64 > MOST_JSON_BYTES {
            return unclear(true);
        }
        let bare = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let Ok(mut json) = serde_json::from_slice::<Json>(bare) else {
            return unclear(names.in_bytes(bytes));
        };
        let mut taken = Self::default();
        let items = match &mut json {
            Json::Array(items) => items,
            Json::Object(map) if map.get("contact").is_none() && map.get("events").is_some_and(Json::is_array) => {
                match map.get_mut("events") {
                    Some(Json::Array(items)) => items,
                    _ => return taken,
                }
            }
            other => {
                taken.has_others = !names.in_json(other);
                if !taken.has_others {
                    taken.places.insert("item 1".to_owned());
                }
                return taken;
            }
        };
        let mut number = 0;
        items.retain(|item| {
            number += 1;
            let is_theirs = names.in_json(item);
            if is_theirs {
                taken.places.insert(format!("item {number}"));
            }
            !is_theirs
        });
        taken.has_others = !items.is_empty();
        // What stands beside the list is nobody's; where it speaks of them all the same, the file stays as it is.
        taken.is_unclear = names.in_json(&json);
        taken.text = serde_json::to_vec_pretty(&json).ok();
        taken.is_unclear |= taken.text.is_none();
        taken
    }
}

/// The next line with its end; `false` where there is none. Of one that is too long the rest stays.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    Ok(input.take(MOST_JSON_BYTES + 1).read_until(b'\n', line)? > 0)
}

fn write_others(path: &Path, names: &Names, out: &mut dyn io::Write) -> io::Result<()> {
    let mut input = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    while next_line(&mut input, &mut line)? {
        if names.in_bytes(&line) {
            let end = if line.ends_with(b"\r\n") { 2 } else { usize::from(line.ends_with(b"\n")) };
            out.write_all(&line[line.len() - end..])?;
        } else {
            out.write_all(&line)?;
        }
    }
    Ok(())
}

/// Takes lines out of the reasons beside a file: those of places that are gone, and those with an address.
fn reasons(path: &Path, names: &Names, places: &BTreeSet<String>) -> io::Result<Shortened> {
    if fs::metadata(path)?.len() > MOST_JSON_BYTES {
        return Ok(Shortened::Cannot);
    }
    let bytes = fs::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let is_gone =
        |line: &str| names.in_text(line) || line.split_once(':').is_some_and(|(place, _)| places.contains(place));
    let (gone, rest): (Vec<&str>, Vec<&str>) = text.split_inclusive('\n').partition(|line| is_gone(line));
    if gone.is_empty() {
        return Ok(Shortened::Not);
    }
    replace(path, |out| rest.iter().try_for_each(|line| out.write_all(line.as_bytes())))?;
    Ok(Shortened::By(gone.len()))
}

/// Writes a file anew, with the rights of the old one: the old one or the new one is there, whole.
fn replace(path: &Path, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let new = path.with_file_name(format!(".{name}{NEW}"));
    let written = (|| {
        let file = File::create(&new)?;
        file.set_permissions(fs::metadata(path)?.permissions())?;
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&new, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::forget::Person;

    fn names() -> Names {
        let addresses = ["ada@shop.example".to_owned()].into();
        Names::of(&Person { addresses, ..Person::new("ada".into()) })
    }

    /// `expected` is what is left in the file; `None` where it is gone.
    #[track_caller]
    fn check(name: &str, text: &str, expected: Option<&str>) -> Shortened {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        fs::write(&path, text).expect("writes");
        let shortened = shorten(&path, &names()).expect("is shortened");
        assert_eq!(fs::read_to_string(&path).ok().as_deref(), expected, "{text}");
        let others = fs::read_dir(folder.path()).expect("reads").flatten().filter(|entry| entry.path() != path);
        assert_eq!(others.count(), 0, "nothing lies beside it");
        // Twice is once.
        if path.exists() && shortened != Shortened::Cannot {
            assert_eq!(shorten(&path, &names()).expect("is looked through"), Shortened::Not, "{text}");
        }
        shortened
    }

    #[test]
    fn lines_of_others_stay() {
        let (ada, ben) = (r#"{"contact":"ada","name":"V"}"#, r#"{"contact":"ben","name":"V"}"#);
        let by = Shortened::By;
        assert_eq!(check("a.jsonl", "", Some("")), Shortened::Not);
        assert_eq!(check("a.jsonl", ben, Some(ben)), Shortened::Not);
        assert_eq!(check("a.jsonl", ada, None), by(1));
        assert_eq!(check("a.jsonl", &format!("\n{ada}\r\n\n{ada}"), None), by(2));
        assert_eq!(
            check("a.ndjson", &format!("{ada}\r\n{ben}\nx {ada}\n{ben}"), Some(&format!("\r\n{ben}\nx {ada}\n{ben}"))),
            by(1)
        );
        let text = format!(
            "{ben}\n{{\"contact\":\"eve\",\"name\":\"V\",\"friend\":\"Ada@shop.example\"}}\nada@shop.example,\n"
        );
        assert_eq!(check("a.jsonl", &text, Some(&format!("{ben}\n\n\n"))), by(2));
        assert_eq!(check("a.jsonl", "{\"email\":\"\\u0061da@shop.example\"}\n", None), by(1));
    }

    #[test]
    fn items_of_others_stay() {
        let text = r#"[{"contact":"ada"},{"contact":"ben","n":1.50},{"email":"ada@shop.example"}]"#;
        let left = "[\n  {\n    \"contact\": \"ben\",\n    \"n\": 1.5\n  }\n]";
        assert_eq!(check("a.json", text, Some(left)), Shortened::By(2));
        assert_eq!(check("a.json", r#"{"events":[{"contact":"ada"}], "from": "shop"}"#, None), Shortened::By(1));
        assert_eq!(check("a.json", "{\n\"contact\":\n\"ada\"}", None), Shortened::By(1));
        let of_ben = "{\n\"contact\":\n\"ben\"}";
        assert_eq!(check("a.json", of_ben, Some(of_ben)), Shortened::Not);
        // What is no JSON cannot be taken apart.
        let broken = r#"[{"contact":"ben"},{"email":"ada@shop.example""#;
        assert_eq!(check("a.json", broken, Some(broken)), Shortened::Cannot);
        assert_eq!(check("a.json", "[{", Some("[{")), Shortened::Not);
        let around = r#"{"events":[{"contact":"ben"}],"by":"ada@shop.example"}"#;
        assert_eq!(check("a.json", around, Some(around)), Shortened::Cannot);
    }

    #[test]
    fn reasons_go_with_their_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        let (ada, ben) = (r#"{"contact":"ada"}"#, r#"{"contact":"ben"}"#);
        let both = |lines: &str, said: &str| {
            fs::write(&path, lines).expect("writes");
            fs::write(reasons_of(&path), said).expect("writes");
        };
        both(
            &format!("{ben}\n{ada}\n{ben}\n"),
            "a.jsonl: 0 taken\nline 1: no name\nline 2: no name\nline 3: not ada@shop.example\n",
        );
        assert_eq!(shorten(&path, &names()).expect("is shortened"), Shortened::By(1));
        let said = fs::read_to_string(reasons_of(&path)).expect("reads");
        assert_eq!(said, "a.jsonl: 0 taken\nline 1: no name\n");
        both(ada, "a.jsonl: 0 taken\nline 1: no name\n");
        assert_eq!(shorten(&path, &names()).expect("is shortened"), Shortened::By(1));
        assert_eq!(fs::read_dir(folder.path()).expect("reads").count(), 0, "both are gone");
        // Reasons whose file is gone.
        let alone = reasons_of(&path);
        fs::write(&alone, "a.jsonl: 0 taken\nline 1: ada@shop.example\n").expect("writes");
        assert!(is_ours(&alone) && !is_ours(&folder.path().join("notes.txt")));
        assert_eq!(shorten(&alone, &names()).expect("is shortened"), Shortened::By(1));
        assert_eq!(fs::read_to_string(&alone).expect("reads"), "a.jsonl: 0 taken\n");
    }
}
