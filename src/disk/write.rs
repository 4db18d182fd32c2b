//! Writing: beside, synced, renamed; never over something that is there unless told to.
//!
//! The one idea: a command collects all its files in memory as [`Files`] and writes them at the end, so that a refusal
//! leaves the disk as it was.

use std::{
    fs,
    io::{self, Write},
    path::{Component, Path, PathBuf},
};

use super::Error;

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
pub fn file(path: &Path, bytes: &[u8], force: bool) -> Result<(), Error> {
    if path.is_dir() {
        return Err(Error::refused(format!("{} is a folder", path.display()), "Name a file"));
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
pub fn folder(path: &Path, files: &Files, force: bool) -> Result<(), Error> {
    if path.is_file() {
        return Err(Error::refused(format!("{} is a file", path.display()), "Name a folder"));
    }
    if !force && fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::Taken { path: path.to_owned(), is_folder: true });
    }
    if let Some((name, _)) = files.0.iter().find(|(name, _)| !stays_inside(name)) {
        return Err(Error::refused(
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

fn exists(path: &Path) -> Error {
    Error::Taken { path: path.to_owned(), is_folder: false }
}

fn cannot_write(path: &Path, error: &io::Error) -> Error {
    Error::refused(
        format!("{} cannot be written: {error}", path.display()),
        "Check that its folder is there, the permissions and the room on the disk",
    )
}

/// Writes a file beside the target, syncs it and renames it, so that nobody ever sees half of it. A link stays one, and
/// what is written over keeps its permissions.
fn atomically(path: &Path, bytes: &[u8], force: bool) -> io::Result<()> {
    let real = fs::canonicalize(path);
    let path = real.as_deref().unwrap_or(path);
    let permissions = fs::metadata(path).ok().map(|metadata| metadata.permissions());
    if permissions.as_ref().is_some_and(fs::Permissions::readonly) {
        // A rename would replace it all the same, and whoever protected it meant it.
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is write-protected"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
    let (beside, mut out) = create_beside(folder, &name)?;
    let keep = |out: &fs::File| permissions.map_or(Ok(()), |permissions| out.set_permissions(permissions));
    let written = out.write_all(bytes).and_then(|()| keep(&out)).and_then(|()| out.sync_all()).and_then(|()| {
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
        assert!(file(&path, b"two", false).is_err());
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
        assert!(folder(&target, &files, false).is_err());
        folder(&target, &files, true).expect("writes");
        for name in ["../x", "/x", "a/../../x", ""] {
            let mut files = Files::default();
            files.add(name, "x");
            assert!(folder(&target, &files, true).is_err(), "{name}");
        }
    }
}
