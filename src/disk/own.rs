//! Where Flowloom keeps what is its own: settings and drafts, in the folders that the platform has for them.
//!
//! Three rows of a table; a crate would bring the same table.

use std::{env, path::PathBuf};

/// Flowloom's own folders; neither need be there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnFolders {
    /// Settings: what the user may edit and carry to another machine.
    pub config: PathBuf,
    /// Drafts: what belongs to this machine.
    pub state: PathBuf,
}

/// The folders of this user; `None` where the system does not say who that is.
///
/// Source: XDG Base Directory Specification 0.8; Apple's File System Programming Guide; Windows known folders.
pub fn own_folders() -> Option<OwnFolders> {
    // The specification says that a relative path is to be ignored.
    let named = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let (config, state) = if cfg!(windows) {
        (named("APPDATA")?, named("LOCALAPPDATA")?)
    } else if cfg!(target_os = "macos") {
        let support = named("HOME")?.join("Library/Application Support");
        (support.clone(), support)
    } else {
        let home = named("HOME");
        let below = |name: &str| home.as_ref().map(|home| home.join(name));
        (
            named("XDG_CONFIG_HOME").or_else(|| below(".config"))?,
            named("XDG_STATE_HOME").or_else(|| below(".local/state"))?,
        )
    };
    Some(OwnFolders { config: config.join("flowloom"), state: state.join("flowloom") })
}
