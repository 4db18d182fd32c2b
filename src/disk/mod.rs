//! Files: workspaces and flows as they lie on the disk, for the command line and for the window.
//!
//! The one idea: a path becomes a value, or an [`Error`] that names the file, what is wrong with it and a way out; how
//! that is said (lines on a terminal, a word in the window) is the caller's. Reading has limits and opens nothing for
//! writing; writing leaves the old file or the new one, never half of one. Deliberately not here: what a file means
//! (`flow::file`, `audience::load`), dialogs, threads, clocks.

mod audience;
mod drafts;
mod images;
mod lock;
mod own;
mod read;
mod templates;
mod write;
mod zip;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

#[cfg(feature = "picture")]
pub use self::images::ImageFolder;
pub use self::{
    audience::{AudienceFound, MAPPING_FILE, audience, audience_folder},
    drafts::Drafts,
    images::{IMAGES_FOLDER, NoImage, image, pictures},
    lock::{Lock, NoLock, lock_path},
    own::{OwnFolders, own_folders},
    read::{
        FLOW_ENDING, FlowFile, Home, Source, WORKSPACE_FILE, bytes, files_in, flow, flow_even_newer, flow_paths, home,
        home_in, is_same, neighbours, siblings, text,
    },
    templates::{templates, templates_beside},
    write::{Files, file, folder},
    zip::zipped,
};
use crate::base::{Diagnostic, Place, text as texts};

/// A file that could not be read, with what is known of it.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Path as the user knows it.
    pub shown: String,
    /// Its text, where it is one.
    pub text: String,
    /// What is wrong; its place has no file.
    pub diagnostic: Diagnostic,
}

impl Unreadable {
    fn new(path: &Path, message: impl Into<String>, hint: &str) -> Self {
        Self {
            shown: path.display().to_string(),
            text: String::new(),
            diagnostic: Diagnostic::error("file/unreadable", Place::default(), message).hint(hint),
        }
    }

    fn io(path: &Path, error: &io::Error) -> Self {
        let (message, hint) = io_message(error);
        Self::new(path, message, hint)
    }
}

/// Why something was not read or written.
#[derive(Clone, Debug)]
pub enum Error {
    /// A file cannot be read.
    Unreadable(Box<Unreadable>),
    /// Lines of an audience cannot be read; each says file, line and column itself.
    Lines(Vec<Diagnostic>),
    /// What was named is not what is wanted.
    Unusable {
        /// What is wrong; one sentence.
        message: String,
        /// A way out.
        hint: String,
    },
    /// Something is there already, and nobody said to write over it.
    Taken {
        /// What.
        path: PathBuf,
        /// A folder with something in it, rather than a file.
        is_folder: bool,
    },
    /// It was understood and is not done.
    Refused {
        /// Why; one sentence.
        message: String,
        /// A way out.
        hint: String,
    },
}

impl Error {
    fn unusable(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unusable { message: message.into(), hint: hint.into() }
    }

    fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), hint: hint.into() }
    }
}

impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(Box::new(unreadable))
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)?;
        if let Some(range) = self.diagnostic.place.range.filter(|range| range.start <= self.text.len()) {
            let (line, column) = texts::line_and_column(&self.text, range.start);
            write!(f, ", line {line}, column {column}")?;
        }
        write!(f, ": {}", self.diagnostic.message)?;
        if self.diagnostic.hint.is_empty() { Ok(()) } else { write!(f, "\n{}", self.diagnostic.hint) }
    }
}

/// In words, place first, way out on a line of its own.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(unreadable) => unreadable.fmt(f),
            Self::Lines(found) => {
                // A window shows a few; the command line shows all of them.
                const MOST: usize = 3;
                let lines: Vec<&str> = found.iter().take(MOST).map(|found| found.message.as_str()).collect();
                f.write_str(&lines.join("\n"))?;
                if found.len() > MOST { write!(f, "\nand {} more lines", found.len() - MOST) } else { Ok(()) }
            }
            Self::Taken { path, is_folder: true } => write!(f, "{} is not empty", path.display()),
            Self::Taken { path, is_folder: false } => write!(f, "{} is there already", path.display()),
            Self::Unusable { message, hint } | Self::Refused { message, hint } => {
                f.write_str(message)?;
                if hint.is_empty() { Ok(()) } else { write!(f, "\n{hint}") }
            }
        }
    }
}

impl std::error::Error for Unreadable {}
impl std::error::Error for Error {}

/// What the operating system said, for people.
fn io_message(error: &io::Error) -> (String, &'static str) {
    match error.kind() {
        io::ErrorKind::NotFound => {
            ("There is no such file".to_owned(), "Check the path; it is taken from the current folder")
        }
        io::ErrorKind::PermissionDenied => {
            ("Access is denied".to_owned(), "Check the permissions of the file and its folder")
        }
        io::ErrorKind::IsADirectory => ("This is a folder".to_owned(), "Name a file in it"),
        _ => (format!("It cannot be read: {error}"), "Check that the disk is there and the file is whole"),
    }
}
