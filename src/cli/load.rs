//! Reading: flow files, the workspace around them, the audience beside it. With `out`, the only place with file IO.
//!
//! The one idea: a path that people type becomes a [`Project`] (one workspace and its flows), or a [`Failure`] that
//! names the file, the line and a way out. No file is read beyond its limit, and none is ever opened for writing here.

use std::{
    fs,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use super::{Failure, Places, Streams, locate::Parts, out, show};
use crate::{
    audience::{Audience, AudienceSources, Mapping, Source as AudienceSource},
    base::{Diagnostic, Place, Severity},
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

    /// What its diagnostics are shown with.
    pub fn context(&self) -> show::Context<'_> {
        show::Context {
            path: &self.source.shown,
            source: &self.source.text,
            // A migrated file was read from another text, so that positions in it are of no use.
            parts: if self.loaded.version >= file::FLOW_VERSION {
                Parts::Flow(&self.loaded.flow)
            } else {
                Parts::Unknown
            },
        }
    }
}

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
    /// Why and where, as a failure with exit code 2.
    pub fn failure(&self) -> Failure {
        let context = show::Context { path: &self.shown, source: &self.text, parts: Parts::Unknown };
        Failure { exit_code: 2, text: show::diagnostic(&self.diagnostic, context).trim_end().to_owned() }
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

/// One workspace and flows in it.
#[derive(Clone, Debug)]
pub struct Project {
    /// The workspace.
    pub home: Home,
    /// The flows asked for, at least one.
    pub flows: Vec<FlowFile>,
}

fn unreadable(path: &Path, message: impl Into<String>, hint: &str) -> Unreadable {
    Unreadable {
        shown: path.display().to_string(),
        text: String::new(),
        diagnostic: Diagnostic::error("file/unreadable", Place::default(), message).hint(hint),
    }
}

/// What the operating system said, for people.
pub fn io_message(error: &io::Error) -> (String, &'static str) {
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
        Ok(Err(length)) => Err(unreadable(
            path,
            format!("The file has {} MB, more than {} MB", length >> 20, MOST_BYTES >> 20),
            "No flow or workspace is that large; is it the right file?",
        )),
        Err(error) => {
            let (message, hint) = io_message(&error);
            Err(unreadable(path, message, hint))
        }
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
/// Errors: why it cannot be read as a whole; a file of a newer version is such a one on the command line (DESIGN 6).
pub fn flow(path: &Path) -> Result<FlowFile, Unreadable> {
    if path.is_file() && path.extension().is_none_or(|ending| ending != "ron") {
        return Err(unreadable(
            path,
            format!("This is not a flow file: its name does not end in {FLOW_ENDING}"),
            "Name a flow, or the folder of a workspace",
        ));
    }
    let source = text(path)?;
    match file::read(&source.text) {
        Ok(loaded) if loaded.read_only => {
            let newer = loaded.notes.into_iter().find(|note| note.code == "file/newer-version");
            let diagnostic = newer.unwrap_or_else(|| {
                Diagnostic::error("file/newer-version", Place::default(), "The file comes from a newer version")
            });
            Err(Unreadable {
                shown: source.shown,
                text: source.text,
                diagnostic: diagnostic.hint("Get a newer Flowloom"),
            })
        }
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
    let paths = siblings(folder).map_err(|error| {
        let (message, hint) = io_message(&error);
        unreadable(folder, message, hint)
    })?;
    if paths.is_empty() {
        return Err(unreadable(
            folder,
            "There is no flow in this folder",
            "Flow files end in .flow.ron; name one, or the folder that holds them",
        ));
    }
    Ok(paths)
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
pub fn home(flow: &Path, places: &Places) -> Result<Home, Unreadable> {
    if let Some(folder) = &places.workspace {
        if !folder.join(WORKSPACE_FILE).is_file() {
            return Err(unreadable(
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

fn home_in(folder: &Path) -> Result<Home, Unreadable> {
    let path = if folder == Path::new(".") { PathBuf::from(WORKSPACE_FILE) } else { folder.join(WORKSPACE_FILE) };
    let source = text(&path)?;
    match file::read_workspace(&source.text) {
        Ok((workspace, notes)) => Ok(Home { folder: Some(folder.to_owned()), source: Some(source), workspace, notes }),
        Err(diagnostic) => Err(Unreadable { shown: source.shown, text: source.text, diagnostic }),
    }
}

/// One workspace and the flows that the paths mean.
///
/// Errors: the first file that cannot be read; flows of different workspaces; two flows with one id.
pub fn project(paths: &[PathBuf], places: &Places) -> Result<Project, Failure> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(flow_paths(path).map_err(|e| e.failure())?);
    }
    let mut home: Option<Home> = None;
    let mut flows: Vec<FlowFile> = Vec::new();
    for path in &files {
        let flow = flow(path).map_err(|e| e.failure())?;
        let its_home = self::home(path, places).map_err(|e| e.failure())?;
        match &home {
            None => home = Some(its_home),
            Some(home) if home.folder != its_home.folder => {
                return Err(Failure::unusable(
                    format!("{} belongs to another workspace than {}", path.display(), files[0].display()),
                    "Name flows of one workspace, or say which one with --workspace",
                ));
            }
            Some(_) => {}
        }
        if let Some(other) = flows.iter().find(|other| other.flow().id == flow.flow().id) {
            return Err(Failure::unusable(
                format!("{} and {} have the same id `{}`", other.source.shown, flow.source.shown, flow.flow().id),
                "Give one of them another id, or name only one",
            ));
        }
        flows.push(flow);
    }
    Ok(Project { home: home.unwrap_or_default(), flows })
}

/// One flow with its workspace.
///
/// Errors: as [`project`]; a folder with several flows.
pub fn one(path: &Path, places: &Places) -> Result<(Home, FlowFile), Failure> {
    let Project { home, mut flows } = project(&[path.to_owned()], places)?;
    match (flows.pop(), flows.is_empty()) {
        (Some(flow), true) => Ok((home, flow)),
        _ => Err(Failure::unusable(
            format!("{} holds several flows, and this command takes one", path.display()),
            "Name the flow file",
        )),
    }
}

/// Names of the files of an audience, in the order they are looked for.
const AUDIENCE_FILES: [(&str, &[&str]); 3] = [
    ("contacts", &["contacts.jsonl", "contacts.csv"]),
    ("events", &["events.jsonl", "events.csv"]),
    ("responses", &["responses.jsonl", "responses.csv"]),
];

/// How the columns of CSV files are to be read, beside them.
const MAPPING_FILE: &str = "mapping.ron";

/// Loads the audience: the named folder, else `audience/` in the workspace, else an empty one.
///
/// What is worth knowing is told on standard error. Errors: a named folder that is none; a file that cannot be read,
/// or lines in it that cannot, all of them with line and column (a replay over half an audience would mislead).
pub fn audience(home: &Home, places: &Places, streams: &mut Streams) -> Result<Audience, Failure> {
    let folder = match (&places.audience, &home.folder) {
        (Some(folder), _) if folder.is_dir() => folder.clone(),
        (Some(folder), _) => {
            return Err(Failure::unusable(
                format!("{} is not a folder", folder.display()),
                "Name the folder that holds contacts, events and responses",
            ));
        }
        (None, Some(folder)) if folder.join("audience").is_dir() => {
            if folder == Path::new(".") {
                PathBuf::from("audience")
            } else {
                folder.join("audience")
            }
        }
        _ => return Ok(Audience::default()),
    };
    let mut sources: [Option<AudienceSource<'static>>; 3] = [None, None, None];
    let mut has_csv = false;
    for (slot, (what, names)) in sources.iter_mut().zip(AUDIENCE_FILES) {
        let there: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).filter(|path| path.exists()).collect();
        let Some(path) = there.first() else { continue };
        if let Some(other) = there.get(1) {
            return Err(Failure::unusable(
                format!("{} and {} both hold {what}", path.display(), other.display()),
                "Keep one of them",
            ));
        }
        let file = fs::File::open(path).map_err(|error| {
            let (message, hint) = io_message(&error);
            unreadable(path, message, hint).failure()
        })?;
        has_csv |= path.extension().is_some_and(|ending| ending == "csv");
        *slot = Some(AudienceSource::new(path.display().to_string(), BufReader::new(file)));
    }
    let saved = folder.join(MAPPING_FILE);
    let mapping = if saved.is_file() {
        let source = text(&saved).map_err(|e| e.failure())?;
        let read = Mapping::from_ron(&source.shown, &source.text);
        let fault = |diagnostic: Box<Diagnostic>| {
            Unreadable { shown: source.shown, text: source.text, diagnostic: *diagnostic }.failure()
        };
        Some(read.map_err(fault)?)
    } else {
        None
    };
    let guessed = mapping.is_none();
    let [contacts, events, responses] = sources;
    let loaded = crate::audience::load::load(AudienceSources { contacts, events, responses, mapping });
    if has_csv && guessed {
        streams.tell("Columns of the CSV files are read as follows:\n");
        for line in loaded.mapping.describe() {
            streams.tell(&format!("  {}\n", show::clean(&line)));
        }
        if places.save_mapping {
            out::file(&saved, loaded.mapping.to_ron().as_bytes(), false)?;
            streams.tell(&format!("Saved as {}\n", saved.display()));
        } else {
            streams.tell("Keep this with --save-mapping, then change it with a text editor\n");
        }
    }
    let (errors, others): (Vec<_>, Vec<_>) =
        loaded.diagnostics.iter().partition(|found| found.severity == Severity::Error);
    for found in others.iter().filter(|found| found.severity == Severity::Warning) {
        streams.tell_once(&show::diagnostic(found, show::Context::default()));
    }
    if errors.is_empty() {
        return Ok(loaded.audience);
    }
    let lines: String = errors.iter().map(|found| show::diagnostic(found, show::Context::default())).collect();
    Err(Failure { exit_code: 2, text: lines.trim_end().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_flow_has_the_implicit_workspace() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.flow.ron");
        fs::write(&path, "(version: 2, id: \"a\", name: \"A\")").expect("writes");
        let (home, flow) = one(&path, &Places::default()).expect("loads");
        assert_eq!((home.folder, flow.flow().name.as_str()), (None, "A"));
    }

    #[test]
    fn the_workspace_is_found_upwards() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("inner")).expect("creates");
        fs::write(folder.path().join(WORKSPACE_FILE), "(version: 1, name: \"W\")").expect("writes");
        let path = folder.path().join("inner/a.flow.ron");
        fs::write(&path, "(version: 2, id: \"a\", name: \"A\")").expect("writes");
        let (home, _) = one(&path, &Places::default()).expect("loads");
        assert_eq!(home.workspace.name, "W");
    }
}
