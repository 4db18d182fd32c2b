//! Writing: beside, synced, renamed; never over something that is there unless told to.
//!
//! The one idea: a command collects all its files in memory as [`Files`] and writes them at the end, so that a refusal
//! leaves the disk as it was.

use std::{
    fs,
    io::{self, Write},
    path::{Component, Path, PathBuf},
};

use super::Failure;

/// Files to write, by path below a folder, in order.
#[derive(Clone, Debug, Default)]
pub struct Files(pub Vec<(String, Vec<u8>)>);

impl Files {
    /// Adds a file. The path uses `/`.
    pub fn add(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((path.into(), bytes.into()));
    }
}

/// Writes one file.
///
/// Errors: refused where it is there already and `force` is off; what the operating system says.
pub fn file(path: &Path, bytes: &[u8], force: bool) -> Result<(), Failure> {
    if path.is_dir() {
        return Err(Failure::refused(format!("{} is a folder", path.display()), "Name a file"));
    }
    if !force && fs::symlink_metadata(path).is_ok() {
        return Err(exists(path));
    }
    atomically(path, bytes, force).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => cannot_write(path, &error),
    })
}

/// Writes files into a folder, which is created. Files in it that are not among them stay.
///
/// Errors: refused where `force` is off and the folder holds anything, or where it is a file; what the operating
/// system says. Nothing is written before all that can be known beforehand is known.
pub fn folder(path: &Path, files: &Files, force: bool) -> Result<(), Failure> {
    if path.is_file() {
        return Err(Failure::refused(format!("{} is a file", path.display()), "Name a folder"));
    }
    if !force && fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::refused(
            format!("{} is not empty", path.display()),
            "Name a new folder, or write into this one with --force",
        ));
    }
    if let Some((name, _)) = files.0.iter().find(|(name, _)| !stays_inside(name)) {
        return Err(Failure::refused(
            format!("`{name}` would be written outside the folder"),
            "Rename what it is made from",
        ));
    }
    for (name, bytes) in &files.0 {
        let target = path.join(name);
        let parent = target.parent().unwrap_or(path);
        fs::create_dir_all(parent).map_err(|error| cannot_write(parent, &error))?;
        atomically(&target, bytes, true).map_err(|error| cannot_write(&target, &error))?;
    }
    Ok(())
}

/// Whether a relative path has only plain names.
fn stays_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

fn exists(path: &Path) -> Failure {
    Failure::refused(format!("{} is there already", path.display()), "Name another file, or write over it with --force")
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::refused(
        format!("{} cannot be written: {error}", path.display()),
        "Check that its folder is there, the permissions and the room on the disk",
    )
}

/// Writes a file beside the target, syncs it and renames it, so that nobody ever sees half of it.
fn atomically(path: &Path, bytes: &[u8], force: bool) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
    let (beside, mut out) = create_beside(folder, &name)?;
    let written = out.write_all(bytes).and_then(|()| out.sync_all()).and_then(|()| {
        drop(out);
        if force {
            fs::rename(&beside, path)
        } else {
            // A hard link fails where the name is taken, in one step; a rename would write over it.
            match fs::hard_link(&beside, path) {
                Ok(()) => fs::remove_file(&beside),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
                // File systems without hard links: the check before has to do.
                Err(_) => fs::rename(&beside, path),
            }
        }
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written?;
    // The rename itself lasts once the folder is synced; a system that cannot do this loses nothing but that.
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn create_beside(folder: &Path, name: &str) -> io::Result<(PathBuf, fs::File)> {
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for number in 0..100 {
        let path = folder.join(format!(".{name}.{}-{number}.part", std::process::id()));
        match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_without_force() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        file(&path, b"one", false).expect("writes");
        assert_eq!(file(&path, b"two", false).map_err(|f| f.exit_code), Err(1));
        assert_eq!(fs::read(&path).expect("reads"), b"one");
        file(&path, b"two", true).expect("writes");
        assert_eq!(fs::read(&path).expect("reads"), b"two");
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1, "nothing is left beside");
    }

    #[test]
    fn folders_with_something_in_them_are_refused() {
        let root = tempfile::tempdir().expect("a folder");
        let target = root.path().join("out");
        let mut files = Files::default();
        files.add("a/b.txt", "x");
        folder(&target, &files, false).expect("writes");
        assert_eq!(folder(&target, &files, false).map_err(|f| f.exit_code), Err(1));
        folder(&target, &files, true).expect("writes");
        for name in ["../x", "/x", "a/../../x", ""] {
            let mut files = Files::default();
            files.add(name, "x");
            assert!(folder(&target, &files, true).is_err(), "{name}");
        }
    }
}
