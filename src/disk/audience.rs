//! Reading the sample contacts of a workspace: contacts, events and responses, as JSON Lines or CSV.

use std::{
    fs,
    io::BufReader,
    path::{Path, PathBuf},
};

use super::{Error, Home, Unreadable, read};
use crate::{
    audience::{
        Audience, AudienceSources, Mapping, Source,
        load::{self, Loaded},
    },
    base::{Diagnostic, Severity},
};

/// Names of the files of an audience, in the order they are looked for.
const AUDIENCE_FILES: [(&str, &[&str]); 3] = [
    ("contacts", &["contacts.jsonl", "contacts.csv"]),
    ("events", &["events.jsonl", "events.csv"]),
    ("responses", &["responses.jsonl", "responses.csv"]),
];

/// How the columns of CSV files are to be read, beside them.
pub const MAPPING_FILE: &str = "mapping.ron";

/// An audience as read.
#[derive(Debug)]
pub struct AudienceFound {
    /// The people and what happened.
    pub audience: Audience,
    /// How the columns of CSV files were read, where that was guessed.
    pub guessed: Option<Mapping>,
    /// What is worth knowing.
    pub warnings: Vec<Diagnostic>,
}

/// Where the audience of a workspace lies; `None` where it has none.
pub fn audience_folder(home: &Home) -> Option<PathBuf> {
    let folder = home.folder.as_deref()?;
    let folder = if folder == Path::new(".") { PathBuf::from("audience") } else { folder.join("audience") };
    folder.is_dir().then_some(folder)
}

/// Loads the audience of a folder.
///
/// Errors: a folder that is none; a file that cannot be read, or lines in it that cannot (a replay over half an
/// audience would mislead).
pub fn audience(folder: &Path) -> Result<AudienceFound, Error> {
    if !folder.is_dir() {
        return Err(Error::unusable(
            format!("{} is not a folder", folder.display()),
            "Name the folder that holds contacts, events and responses",
        ));
    }
    let mut sources: [Option<Source<'static>>; 3] = [None, None, None];
    let mut has_csv = false;
    for (slot, (what, names)) in sources.iter_mut().zip(AUDIENCE_FILES) {
        let there: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).filter(|path| path.exists()).collect();
        let Some(path) = there.first() else { continue };
        if let Some(other) = there.get(1) {
            return Err(Error::unusable(
                format!("{} and {} both hold {what}", path.display(), other.display()),
                "Keep one of them",
            ));
        }
        let file = fs::File::open(path).map_err(|error| Unreadable::io(path, &error))?;
        has_csv |= path.extension().is_some_and(|ending| ending == "csv");
        *slot = Some(Source::new(path.display().to_string(), BufReader::new(file)));
    }
    let saved = folder.join(MAPPING_FILE);
    let mapping = if saved.is_file() {
        let source = read::text(&saved)?;
        let read = Mapping::from_ron(&source.shown, &source.text);
        Some(read.map_err(|found| Unreadable { shown: source.shown, text: source.text, diagnostic: *found })?)
    } else {
        None
    };
    let is_guess = has_csv && mapping.is_none();
    let [contacts, events, responses] = sources;
    let Loaded { audience, mapping, diagnostics } =
        load::load(AudienceSources { contacts, events, responses, mapping });
    let (errors, others): (Vec<_>, Vec<_>) =
        diagnostics.into_iter().partition(|found| found.severity == Severity::Error);
    if !errors.is_empty() {
        return Err(Error::Lines(errors));
    }
    let warnings = others.into_iter().filter(|found| found.severity == Severity::Warning).collect();
    Ok(AudienceFound { audience, guessed: is_guess.then_some(mapping), warnings })
}
