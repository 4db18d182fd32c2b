//! Whether the system has dialogs for paths. rfd answers as if the user had cancelled where there are none.

use std::{env, path::Path};

/// Whether a dialog of the system will open: a portal on the session's bus, or `zenity`.
///
/// Looks at files only: asking the bus would start a service and wait for it.
pub fn are_there() -> bool {
    if cfg!(not(all(unix, not(target_os = "macos")))) {
        return true;
    }
    has_portal() || env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|dir| is_file(&dir, "zenity")))
}

fn has_portal() -> bool {
    let runtime = env::var_os("XDG_RUNTIME_DIR");
    let has_bus = env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
        || runtime.is_some_and(|dir| Path::new(&dir).join("bus").exists());
    let dirs = env::var_os("XDG_DATA_DIRS").filter(|dirs| !dirs.is_empty());
    let dirs = dirs.unwrap_or_else(|| "/usr/local/share:/usr/share".into());
    let service = "dbus-1/services/org.freedesktop.portal.Desktop.service";
    // The portal itself shows nothing: a desktop's part does.
    let shows =
        |dir: &Path| dir.join("xdg-desktop-portal/portals").read_dir().is_ok_and(|mut all| all.next().is_some());
    has_bus && env::split_paths(&dirs).any(|dir| is_file(&dir, service) && shows(&dir))
}

fn is_file(folder: &Path, name: &str) -> bool {
    folder.join(name).is_file()
}
