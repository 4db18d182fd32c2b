//! Whether a window can be opened here, found out before winit and eframe would panic over it.
//!
//! The one idea: try what winit is going to try, in its order, and name what is not there. winit 0.30 takes Wayland
//! when `WAYLAND_DISPLAY` or `WAYLAND_SOCKET` is set, else X11 when `DISPLAY` is, and never goes from one to the other.
//! All libraries are opened at run time: those of X11 by the same safe functions that winit uses; for the few without
//! one the loader's cache is asked, and an answer it cannot give counts as "there" (eframe then says what failed).
//! Deliberately not here: whether the driver is any good, and systems other than Unix desktops, which bring a window.

use std::fmt;

/// Debian and Ubuntu packages with what a window on X11 loads. Source: tried in an otherwise empty bookworm root.
const X11_PACKAGES: &str = "libgl1 libgl1-mesa-dri libx11-xcb1 libxkbcommon-x11-0 libxcursor1 libxi6 libxrender1";

/// The same for Wayland. Source: the names of the files that winit and glutin open, and the packages Debian has them
/// in; not tried in an empty root.
const WAYLAND_PACKAGES: &str = "libwayland-client0 libwayland-egl1 libegl1 libgl1-mesa-dri libxkbcommon0";

/// What a window needs and does not find.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Missing {
    /// File names of libraries that cannot be opened.
    pub libraries: Vec<&'static str>,
    /// Why no display answers; none when one does.
    pub display: Option<String>,
    /// Whether Wayland was asked, which needs other packages than X11.
    pub wayland: bool,
}

impl Missing {
    /// What is missing and the one line that installs it on Debian and Ubuntu; several lines, the last without its end.
    pub fn advice(&self) -> String {
        let packages = if self.wayland { WAYLAND_PACKAGES } else { X11_PACKAGES };
        let mut lines = vec!["No window can be opened here.".to_owned()];
        if let Some(why) = &self.display {
            lines.push(format!("No display: {why}. Start from a desktop session, or over `ssh -X`."));
        }
        if self.libraries.is_empty() {
            lines.push(
                "All libraries are there; should one be in doubt, this installs them on Debian or Ubuntu:".into(),
            );
        } else {
            lines.push(format!("Missing: {}. On Debian or Ubuntu, this installs all that is needed:", self.names()));
        }
        lines.push(format!("  sudo apt-get install -y {packages}"));
        lines.join("\n")
    }

    fn names(&self) -> String {
        self.libraries.join(", ")
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.advice())
    }
}

impl std::error::Error for Missing {}

/// Looks for the libraries and the display that the window is going to use.
///
/// Takes a few milliseconds: it opens the libraries and says hello to the display. Errors: what is missing.
pub fn probe() -> Result<(), Missing> {
    #[cfg(all(unix, not(target_os = "macos")))]
    {
        // As winit reads them: what is empty or not Unicode counts as not set.
        desktop::probe(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    {
        Ok(())
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
mod desktop {
    use std::{
        fs,
        os::unix::net::UnixStream,
        path::{Path, PathBuf},
    };

    use x11_dl::{glx, xcursor, xinput2, xlib, xlib_xcb, xrender};

    use super::Missing;

    /// A variable of the environment, when it is set to something.
    type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

    /// A library by its file name, and whether it can be opened.
    type Library = (&'static str, fn(Variable<'_>) -> bool);

    const X11: &[Library] = &[
        ("libX11.so.6", |_| xlib::Xlib::open().is_ok()),
        ("libX11-xcb.so.1", |_| xlib_xcb::Xlib_xcb::open().is_ok()),
        ("libXrender.so.1", |_| xrender::Xrender::open().is_ok()),
        ("libXcursor.so.1", |_| xcursor::Xcursor::open().is_ok()),
        ("libXi.so.6", |_| xinput2::XInput2::open().is_ok()),
        ("libxkbcommon.so.0", |_| xkbcommon_dl::xkbcommon_option().is_some()),
        ("libxkbcommon-x11.so.0", |_| xkbcommon_dl::x11::xkbcommon_x11_option().is_some()),
        // Either does: eframe goes on to EGL when there is no GLX.
        ("libGL.so.1", |variable| glx::Glx::open().is_ok() || known_to_loader("libEGL.so.1", variable)),
    ];

    const WAYLAND: &[Library] = &[
        ("libwayland-client.so.0", |variable| known_to_loader("libwayland-client.so.0", variable)),
        ("libwayland-egl.so.1", |variable| known_to_loader("libwayland-egl.so.1", variable)),
        ("libEGL.so.1", |variable| known_to_loader("libEGL.so.1", variable)),
        ("libxkbcommon.so.0", |_| xkbcommon_dl::xkbcommon_option().is_some()),
    ];

    /// What [`super::probe`] does, with the environment as an argument.
    pub fn probe(variable: Variable<'_>) -> Result<(), Missing> {
        let wayland = variable("WAYLAND_DISPLAY").is_some() || variable("WAYLAND_SOCKET").is_some();
        let wanted = if wayland { WAYLAND } else { X11 };
        let libraries: Vec<_> = wanted.iter().filter(|(_, there)| !there(variable)).map(|(name, _)| *name).collect();
        let display = if wayland { wayland_fault(variable) } else { x11_fault(variable) };
        if libraries.is_empty() && display.is_none() {
            return Ok(());
        }
        Err(Missing { libraries, display, wayland })
    }

    fn x11_fault(variable: Variable<'_>) -> Option<String> {
        let Some(display) = variable("DISPLAY") else {
            return Some("neither WAYLAND_DISPLAY nor DISPLAY is set".to_owned());
        };
        let refused = x11rb::connect(Some(&display)).err()?;
        Some(format!("DISPLAY={display} does not answer ({refused})"))
    }

    fn wayland_fault(variable: Variable<'_>) -> Option<String> {
        // A socket that is handed over open cannot be tried without using it up; like winit, it comes after the name.
        let name = variable("WAYLAND_DISPLAY")?;
        let refused = match socket(&name, variable) {
            Some(path) => UnixStream::connect(path).err()?.to_string(),
            None => "XDG_RUNTIME_DIR is not set".to_owned(),
        };
        let mut fault = format!("WAYLAND_DISPLAY={name} does not answer ({refused})");
        if variable("DISPLAY").is_some() && x11_fault(variable).is_none() {
            fault += "; DISPLAY does, so start with WAYLAND_DISPLAY set to nothing";
        }
        Some(fault)
    }

    fn socket(name: &str, variable: Variable<'_>) -> Option<PathBuf> {
        let path = Path::new(name);
        if path.is_absolute() {
            Some(path.to_owned())
        } else {
            Some(Path::new(&variable("XDG_RUNTIME_DIR")?).join(path))
        }
    }

    /// Whether the dynamic loader would find a file; true also when its cache cannot be read (musl, Nix).
    pub fn known_to_loader(file: &str, variable: Variable<'_>) -> bool {
        let paths = variable("LD_LIBRARY_PATH").unwrap_or_default();
        if paths.split(':').any(|folder| !folder.is_empty() && Path::new(folder).join(file).exists()) {
            return true;
        }
        let Ok(cache) = fs::read("/etc/ld.so.cache") else { return true };
        // Names stand in the cache as C strings, alone and as ends of paths.
        let name = format!("{file}\0");
        cache.windows(name.len()).any(|window| window == name.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_what_is_missing_and_one_line_to_type() {
        let missing = Missing { libraries: vec!["libXi.so.6", "libXcursor.so.1"], ..Missing::default() };
        insta::assert_snapshot!(missing.advice(), @r"
        No window can be opened here.
        Missing: libXi.so.6, libXcursor.so.1. On Debian or Ubuntu, this installs all that is needed:
          sudo apt-get install -y libgl1 libgl1-mesa-dri libx11-xcb1 libxkbcommon-x11-0 libxcursor1 libxi6 libxrender1
        ");
        let missing = Missing {
            libraries: vec!["libEGL.so.1"],
            display: Some("WAYLAND_DISPLAY=wayland-0 does not answer (Connection refused)".to_owned()),
            wayland: true,
        };
        insta::assert_snapshot!(missing, @r"
        No window can be opened here.
        No display: WAYLAND_DISPLAY=wayland-0 does not answer (Connection refused). Start from a desktop session, or over `ssh -X`.
        Missing: libEGL.so.1. On Debian or Ubuntu, this installs all that is needed:
          sudo apt-get install -y libwayland-client0 libwayland-egl1 libegl1 libgl1-mesa-dri libxkbcommon0
        ");
        let missing = Missing { display: Some("DISPLAY is not set".to_owned()), ..Missing::default() };
        insta::assert_snapshot!(missing, @r"
        No window can be opened here.
        No display: DISPLAY is not set. Start from a desktop session, or over `ssh -X`.
        All libraries are there; should one be in doubt, this installs them on Debian or Ubuntu:
          sudo apt-get install -y libgl1 libgl1-mesa-dri libx11-xcb1 libxkbcommon-x11-0 libxcursor1 libxi6 libxrender1
        ");
        assert_eq!(missing.advice().matches("apt-get").count(), 1);
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn dead_displays_are_noticed() {
        let check = |variables: &[(&str, &str)], expected: &[&str], wayland: bool| {
            let variable =
                |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            let missing = desktop::probe(&variable).unwrap_err();
            let why = missing.display.clone().unwrap_or_default();
            assert!(expected.iter().all(|part| why.contains(part)), "{variables:?}: {why}");
            assert_eq!(missing.wayland, wayland);
            assert!(missing.advice().contains(&why));
        };
        check(&[], &["neither WAYLAND_DISPLAY nor DISPLAY is set"], false);
        check(&[("DISPLAY", ":987")], &["DISPLAY=:987 does not answer ("], false);
        check(&[("DISPLAY", "nonsense")], &["DISPLAY=nonsense does not answer ("], false);
        check(&[("WAYLAND_DISPLAY", "wayland-9")], &["wayland-9", "XDG_RUNTIME_DIR is not set"], true);
        let dead = [("WAYLAND_DISPLAY", "wayland-9"), ("XDG_RUNTIME_DIR", "/nowhere"), ("DISPLAY", ":987")];
        check(&dead, &["WAYLAND_DISPLAY=wayland-9 does not answer (No such file"], true);
        check(&[("WAYLAND_DISPLAY", "/nowhere/at-all")], &["/nowhere/at-all does not answer (No such file"], true);
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn a_wayland_socket_that_listens_is_a_display() {
        let folder = tempfile::tempdir().unwrap();
        let _listening = std::os::unix::net::UnixListener::bind(folder.path().join("wayland-7")).unwrap();
        let place = folder.path().to_string_lossy().into_owned();
        let variable = |name: &str| match name {
            "WAYLAND_DISPLAY" => Some("wayland-7".to_owned()),
            "XDG_RUNTIME_DIR" => Some(place.clone()),
            _ => None,
        };
        // Libraries may be missing where the tests run; the display is not.
        let display = desktop::probe(&variable).err().and_then(|missing| missing.display);
        assert_eq!(display, None);
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn the_loader_is_asked_for_libraries_by_name() {
        assert!(!desktop::known_to_loader("libno-such-thing.so.7", &|_| None) || !has_cache());
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("libno-such-thing.so.7"), "").unwrap();
        let paths = format!("/nowhere::{}", folder.path().display());
        assert!(desktop::known_to_loader("libno-such-thing.so.7", &|_| Some(paths.clone())));
        assert!(desktop::known_to_loader("libc.so.6", &|_| None));
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    fn has_cache() -> bool {
        std::fs::metadata("/etc/ld.so.cache").is_ok()
    }
}
