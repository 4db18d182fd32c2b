//! From the paths that people type to a [`Project`]: one workspace and its flows, or a [`Failure`] that names the
//! file, the line and a way out. The reading itself is `disk`'s.

use std::path::{Path, PathBuf};

use super::{Failure, Places, Streams, locate::Parts, show};
use crate::{
    audience::Audience,
    base::Diagnostic,
    disk::{self, FlowFile, Home, Unreadable},
    flow::file,
};

/// One workspace and flows in it.
#[derive(Clone, Debug)]
pub struct Project {
    /// The workspace.
    pub home: Home,
    /// The flows asked for, at least one.
    pub flows: Vec<FlowFile>,
}

impl From<Unreadable> for Failure {
    /// Why and where; exit code 2.
    fn from(found: Unreadable) -> Self {
        let context = show::Context { path: &found.shown, source: &found.text, parts: Parts::Unknown };
        Self { exit_code: 2, text: show::diagnostic(&found.diagnostic, context).trim_end().to_owned() }
    }
}

impl From<disk::Error> for Failure {
    fn from(error: disk::Error) -> Self {
        let lines = |found: &[Diagnostic]| -> String {
            found.iter().map(|found| show::diagnostic(found, show::Context::default())).collect()
        };
        match error {
            disk::Error::Unreadable(found) => (*found).into(),
            disk::Error::Lines(found) => Self { exit_code: 2, text: lines(&found).trim_end().to_owned() },
            disk::Error::Taken { is_folder: true, .. } => {
                Self::refused(error.to_string(), "Name a new folder, or write into this one with --force")
            }
            disk::Error::Taken { is_folder: false, .. } => {
                Self::refused(error.to_string(), "Name another file, or write over it with --force")
            }
            disk::Error::Unusable { message, hint } => Self::unusable(message, hint),
            disk::Error::Refused { message, hint } => Self::refused(message, hint),
        }
    }
}

/// What the diagnostics of a flow are shown with.
pub fn context(file: &FlowFile) -> show::Context<'_> {
    show::Context {
        path: &file.source.shown,
        source: &file.source.text,
        // A migrated file was read from another text, so that positions in it are of no use.
        parts: if file.loaded.version >= file::FLOW_VERSION { Parts::Flow(&file.loaded.flow) } else { Parts::Unknown },
    }
}

/// The workspace of a flow: the folder that was named, else the nearest one upwards.
///
/// Errors: as [`disk::home`].
pub fn home_of(flow: &Path, places: &Places) -> Result<Home, Unreadable> {
    disk::home(flow, places.workspace.as_deref())
}

/// One workspace and the flows that the paths mean.
///
/// Errors: the first file that cannot be read; flows of different workspaces; two flows with one id.
pub fn project(paths: &[PathBuf], places: &Places) -> Result<Project, Failure> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(disk::flow_paths(path)?);
    }
    let mut home: Option<Home> = None;
    let mut flows: Vec<FlowFile> = Vec::new();
    for path in &files {
        let flow = disk::flow(path)?;
        let its_home = home_of(path, places)?;
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

/// Loads the audience: the named folder, else `audience/` in the workspace, else an empty one.
///
/// What is worth knowing is told on standard error. Errors: a named folder that is none; a file that cannot be read,
/// or lines in it that cannot, all of them with line and column.
pub fn audience(home: &Home, places: &Places, streams: &mut Streams) -> Result<Audience, Failure> {
    let Some(folder) = places.audience.clone().or_else(|| disk::audience_folder(home)) else {
        return Ok(Audience::default());
    };
    let found = disk::audience(&folder)?;
    if let Some(mapping) = &found.guessed {
        streams.tell("Columns of the CSV files are read as follows:\n");
        for line in mapping.describe() {
            streams.tell(&format!("  {}\n", show::clean(&line)));
        }
        if places.save_mapping {
            let saved = folder.join(disk::MAPPING_FILE);
            disk::file(&saved, mapping.to_ron().as_bytes(), false)?;
            streams.tell(&format!("Saved as {}\n", saved.display()));
        } else {
            streams.tell("Keep this with --save-mapping, then change it with a text editor\n");
        }
    }
    for found in &found.warnings {
        streams.tell_once(&show::diagnostic(found, show::Context::default()));
    }
    Ok(found.audience)
}

/// The audience for a command that can do without: one that was not asked for by name and cannot be read is left out
/// with a word, `what` being what it is left out of.
///
/// Errors: one that was asked for by name and cannot be read.
pub fn audience_if_any(
    home: &Home,
    places: &Places,
    what: &str,
    streams: &mut Streams,
) -> Result<Option<Audience>, Failure> {
    let asked_for = places.audience.is_some() || places.save_mapping;
    // What is to be known of its lines is said where they are played.
    let mut silence = Streams::new(Box::new(std::io::sink()), Box::new(std::io::sink()));
    match audience(home, places, if asked_for { &mut *streams } else { &mut silence }) {
        Ok(audience) => Ok(Some(audience)),
        Err(failure) if asked_for => Err(failure),
        Err(failure) => {
            streams.tell(&format!("{}\nThe audience is left out of this {what}\n", failure.text));
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::disk::WORKSPACE_FILE;

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
