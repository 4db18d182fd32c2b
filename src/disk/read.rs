//! Reading: flow files and the workspace around them. No file is read beyond its limit, and none is opened for writing.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::Unreadable;
use crate::{
    base::{Diagnostic, Place},
    flow::{
        Flow, Workspace,
        file::{self, Loaded, MOST_BYTES},
    },
};

/// Name of the file that makes a folder a workspace.
pub const WORKSPACE_FILE: &str = "flowloom.ron";

/// How the name of a flow file ends.
pub const FLOW_ENDING: &str = ".flow.ron";

/// A text file with the path as the user knows it.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// The path for messages.
    pub shown: String,
    /// Its text, without a byte order mark.
    pub text: String,
}

/// A flow as read.
#[derive(Clone, Debug)]
pub struct FlowFile {
    /// The file.
    pub source: Source,
    /// What is in it.
    pub loaded: Loaded,
}

impl FlowFile {
    /// The flow.
    pub fn flow(&self) -> &Flow {
        &self.loaded.flow
    }
}

/// A workspace folder, or what stands for one where a flow lies alone.
#[derive(Clone, Debug, Default)]
pub struct Home {
    /// The folder; `None` for a lone flow.
    pub folder: Option<PathBuf>,
    /// `flowloom.ron`, if there is one.
    pub source: Option<Source>,
    /// What is in it.
    pub workspace: Workspace,
    /// What is worth knowing about the file.
    pub notes: Vec<Diagnostic>,
}

/// Reads a whole file of at most [`MOST_BYTES`].
///
/// Errors: what the operating system says, or that the file is too large; then hardly any of it was read.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let read = || -> io::Result<Result<Vec<u8>, u64>> {
        let file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        if length > MOST_BYTES as u64 {
            return Ok(Err(length));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        // A pipe or device has no length, hence the second bound.
        file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Ok(if bytes.len() > MOST_BYTES { Err(bytes.len() as u64) } else { Ok(bytes) })
    };
    match read() {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(length)) => Err(Unreadable::new(
            path,
            format!("The file has {} MB, more than {} MB", length >> 20, MOST_BYTES >> 20),
            "No flow or workspace is that large; is it the right file?",
        )),
        Err(error) => Err(Unreadable::io(path, &error)),
    }
}

/// Reads a text file.
///
/// Errors: as [`bytes()`]; NUL bytes and text that is not UTF-8, with line and column.
pub fn text(path: &Path) -> Result<Source, Unreadable> {
    let bytes = bytes(path)?;
    match file::text_of(&bytes) {
        Ok(text) => Ok(Source { path: path.to_owned(), shown: path.display().to_string(), text: text.to_owned() }),
        Err(mut diagnostic) => {
            // The bytes before the fault are text, and so their last line can be shown.
            diagnostic.place.range = None;
            Err(Unreadable { shown: path.display().to_string(), text: String::new(), diagnostic })
        }
    }
}

/// Reads one flow file.
///
/// Errors: why it cannot be read as a whole; a file of a newer version is such a one (DESIGN 6).
pub fn flow(path: &Path) -> Result<FlowFile, Unreadable> {
    let FlowFile { source, loaded } = flow_even_newer(path)?;
    if !loaded.read_only {
        return Ok(FlowFile { source, loaded });
    }
    let newer = loaded.notes.into_iter().find(|note| note.code == "file/newer-version");
    let diagnostic = newer.unwrap_or_else(|| {
        Diagnostic::error("file/newer-version", Place::default(), "The file comes from a newer version")
    });
    Err(Unreadable { shown: source.shown, text: source.text, diagnostic: diagnostic.hint("Get a newer Flowloom") })
}

/// Reads one flow file; one of a newer version as far as it is understood, marked as read-only.
///
/// Errors: why it cannot be read as a whole.
pub fn flow_even_newer(path: &Path) -> Result<FlowFile, Unreadable> {
    if path.is_file() && path.extension().is_none_or(|ending| ending != "ron") {
        return Err(Unreadable::new(
            path,
            format!("This is not a flow file: its name does not end in {FLOW_ENDING}"),
            "Name a flow, or the folder of a workspace",
        ));
    }
    let source = text(path)?;
    match file::read(&source.text) {
        Ok(loaded) => Ok(FlowFile { source, loaded }),
        Err(diagnostic) => Err(Unreadable { shown: source.shown, text: source.text, diagnostic }),
    }
}

/// The flow files that a path means: the file itself, or all in a workspace folder, by name.
///
/// Errors: a folder that cannot be read or holds no flow.
pub fn flow_paths(path: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    let folder = if path.is_dir() {
        path
    } else if path.file_name().is_some_and(|name| name == WORKSPACE_FILE) && path.is_file() {
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    } else {
        return Ok(vec![path.to_owned()]);
    };
    let paths = siblings(folder).map_err(|error| Unreadable::io(folder, &error))?;
    if paths.is_empty() {
        return Err(Unreadable::new(
            folder,
            "There is no flow in this folder",
            "Flow files end in .flow.ron; name one, or the folder that holds them",
        ));
    }
    Ok(paths)
}

/// The files of a folder, by name; folders in it are passed over.
///
/// Errors: a folder that cannot be read.
pub fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_file() {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    };
    read().map_err(|error| Unreadable::io(folder, &error))
}

/// All flow files of a folder, by name.
pub fn siblings(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(FLOW_ENDING) && entry.path().is_file() {
            paths.push(if folder == Path::new(".") { PathBuf::from(entry.file_name()) } else { entry.path() });
        }
    }
    paths.sort();
    Ok(paths)
}

/// The workspace of a flow: the folder that was named, else the nearest one upwards that holds [`WORKSPACE_FILE`].
///
/// Errors: a named folder without that file, or a file that cannot be read.
pub fn home(flow: &Path, named: Option<&Path>) -> Result<Home, Unreadable> {
    if let Some(folder) = named {
        if !folder.join(WORKSPACE_FILE).is_file() {
            return Err(Unreadable::new(
                folder,
                format!("There is no {WORKSPACE_FILE} in this folder"),
                "Name the folder of a workspace, or leave --workspace out",
            ));
        }
        return home_in(folder);
    }
    // Upwards from where the file really is, so that a bare name works in any folder.
    let start = fs::canonicalize(flow).unwrap_or_else(|_| flow.to_owned());
    let mut folder = if start.is_dir() { Some(start.as_path()) } else { start.parent() };
    while let Some(here) = folder {
        if here.join(WORKSPACE_FILE).is_file() {
            return home_in(&shortest(here));
        }
        folder = here.parent();
    }
    Ok(Home::default())
}

/// A folder relative to the current one where it lies below it: what people typed, or would have.
fn shortest(folder: &Path) -> PathBuf {
    let Ok(current) = std::env::current_dir().and_then(fs::canonicalize) else { return folder.to_owned() };
    match folder.strip_prefix(&current) {
        Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from("."),
        Ok(rest) => rest.to_owned(),
        Err(_) => folder.to_owned(),
    }
}

/// The workspace of a folder that holds [`WORKSPACE_FILE`].
///
/// Errors: the file cannot be read.
pub fn home_in(folder: &Path) -> Result<Home, Unreadable> {
    let path = if folder == Path::new(".") { PathBuf::from(WORKSPACE_FILE) } else { folder.join(WORKSPACE_FILE) };
    let source = text(&path)?;
    match file::read_workspace(&source.text) {
        Ok((workspace, notes)) => Ok(Home { folder: Some(folder.to_owned()), source: Some(source), workspace, notes }),
        Err(diagnostic) => Err(Unreadable { shown: source.shown, text: source.text, diagnostic }),
    }
}

/// The other flows of the workspace, for checks that look at several; those that cannot be read are passed over,
/// since checking them is their own business.
pub fn neighbours(path: &Path, home: &Home) -> Vec<Flow> {
    let Some(folder) = &home.folder else { return Vec::new() };
    let files = siblings(folder).unwrap_or_default();
    let others = files.iter().filter(|other| !is_same(other, path));
    others.filter_map(|other| flow(other).ok()).map(|file| file.loaded.flow).collect()
}

/// Whether two paths mean one file, links followed.
pub fn is_same(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real(a) == real(b)
}
