//! Where a running engine is found: `DIR/engine.json` with its address and the admin's token, for its owner's eyes.

use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::guard::fresh_token;
use crate::engine::work::Refusal;

/// The file's name in the data folder.
pub const DOOR: &str = "engine.json";
/// Longest file that is read, in bytes.
const MOST_BYTES: u64 = 64 * 1_024;

/// Address and token of a running engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// Where it listens.
    pub address: SocketAddr,
    /// What opens the admin's part of the API; 64 hexadecimal digits.
    pub token: String,
    /// The engine's process, where it has one to itself: whoever wants it to stop tells that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

impl Door {
    /// A door with a token of its own.
    ///
    /// Errors: the system gives no random numbers.
    pub fn new(address: SocketAddr) -> Result<Self, String> {
        Ok(Self { address, token: fresh_token()?, pid: None })
    }

    /// Writes it into the data folder, whole or not at all, readable for its owner only.
    ///
    /// Errors: the folder cannot be written to.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        let beside = folder.join(format!(".{DOOR}.new"));
        // A file that was left behind may be open to others; a new one never is.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&beside, folder.join(DOOR))
    }

    /// Reads it from the data folder.
    ///
    /// Errors: no engine runs there, or the file cannot be understood.
    pub fn read(folder: &Path) -> Result<Self, Refusal> {
        let path = folder.join(DOOR);
        let none = |error: String| Refusal::new(error, "Start an engine there: flowloom run FLOW --data DIR");
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(none(format!("no engine runs in {}", folder.display())));
            }
            Err(error) => return Err(none(format!("{}: {error}", path.display()))),
            Ok(found) if found.len() > MOST_BYTES => {
                return Err(none(format!("{} is no file of an engine", path.display())));
            }
            Ok(_) => {}
        }
        let bytes = fs::read(&path).map_err(|error| none(format!("{}: {error}", path.display())))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Refusal::new(
                format!("{}: {error}", path.display()),
                "Stop the engine and start it again; it writes this file",
            )
        })
    }

    /// Takes it away, when the engine has stopped. One that is gone already is fine.
    pub fn remove(folder: &Path) {
        if let Err(error) = fs::remove_file(folder.join(DOOR))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "engine.json could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_for_the_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Door::read(folder.path()).is_err_and(|refusal| refusal.error.starts_with("no engine runs in")));
        let door = Door::new(SocketAddr::from(([127, 0, 0, 1], 8080))).expect("a door");
        door.write(folder.path()).expect("writes");
        door.write(folder.path()).expect("writes again");
        assert_eq!(Door::read(folder.path()), Ok(door));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &fs::metadata(folder.path().join(DOOR)).expect("there").permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(folder.path().join(DOOR), "{}").expect("writes");
        assert!(Door::read(folder.path()).is_err_and(|refusal| refusal.error.contains("missing field")));
        Door::remove(folder.path());
        Door::remove(folder.path());
    }
}
