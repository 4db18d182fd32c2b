//! Templates that lie beside a flow's JSON, as an export of ours puts them: `templates/` for Klaviyo, `emails/` for
//! HubSpot.
//!
//! The one idea: the files are read here, once for the command line and for the window; what they mean to a platform
//! is said where imports are ([`crate::app`]).

use std::path::{Path, PathBuf};

use super::{Source, Unreadable, files_in, text};

/// Folders beside a flow's JSON that hold its templates.
const FOLDERS: [&str; 2] = ["templates", "emails"];
/// How the name of a template ends: an answer of the API, HTML, plain text.
const ENDINGS: [&str; 4] = ["json", "html", "htm", "txt"];
/// Most templates that are read. Source: assumption; a flow of 500 steps has fewer, and a folder with more is none of
/// ours.
const MOST_FILES: usize = 4_000;
/// Most bytes of all templates of a flow.
const MOST_BYTES: usize = 64 << 20;

/// The folders of templates beside the JSON of a flow; those that are there.
pub fn templates_beside(json: &Path) -> Vec<PathBuf> {
    let beside = json.parent().unwrap_or(Path::new(""));
    FOLDERS.map(|name| beside.join(name)).into_iter().filter(|folder| folder.is_dir()).collect()
}

/// The templates in these folders, by name, and why some could not be read; files of other kinds are passed over.
pub fn templates(folders: &[PathBuf]) -> (Vec<Source>, Vec<Unreadable>) {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    let mut num_bytes = 0_usize;
    for folder in folders {
        let paths = match files_in(folder) {
            Ok(paths) => paths,
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        let is_one = |path: &PathBuf| {
            let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
            ENDINGS.contains(&ending.as_str())
        };
        for path in paths.into_iter().filter(is_one) {
            if found.len() + faults.len() >= MOST_FILES || num_bytes > MOST_BYTES {
                let most = format!("Only the first {MOST_FILES} templates or {} MB are read", MOST_BYTES >> 20);
                faults.push(Unreadable::new(folder, most, "Leave only the templates of this flow in the folder"));
                return (found, faults);
            }
            match text(&path) {
                Ok(source) => {
                    num_bytes += source.text.len();
                    found.push(source);
                }
                Err(fault) => faults.push(fault),
            }
        }
    }
    (found, faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beside_the_json_is_read() {
        let home = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let json = home.path().join("flow.json");
        assert!(templates_beside(&json).is_empty(), "there is no folder yet");
        let put = |path: &str, bytes: &[u8]| {
            let path = home.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(home.path()))
                .and_then(|()| std::fs::write(path, bytes))
                .unwrap_or_else(|e| panic!("{e}"));
        };
        put("templates/b.html", b"<p>");
        put("templates/a.JSON", b"{}");
        put("templates/broken.txt", b"\xff\xfe\0");
        put("templates/photo.png", b"\x89PNG");
        put("emails/m.htm", b"<b>");
        put("other/x.html", b"x");
        let (found, faults) = templates(&templates_beside(&json));
        let names: Vec<_> = found.iter().map(|source| source.path.file_name().unwrap_or_default()).collect();
        assert_eq!(names, ["a.JSON", "b.html", "m.htm"]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].shown.ends_with("broken.txt"), "{faults:?}");
    }
}
