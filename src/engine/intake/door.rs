//! Where a running engine is found: `DIR/engine.json` with its address and the admin's token, for its owner's eyes; and
//! by which address recipients come.

use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    path::Path,
};

use axum::http::Uri;
use serde::{Deserialize, Serialize};

use super::guard::{fresh_token, is_this_machine};
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

/// What links of recipients begin with, as it is typed: `https://host`, also with a port and a path.
///
/// Errors: it is no such address, with what to write instead.
pub fn public_address(typed: &str) -> Result<String, Refusal> {
    let text = typed.trim().trim_end_matches('/');
    let wrong = |why: &str| {
        let shown: String = text.chars().take(80).collect();
        let hint = "Write it whole, with --public-url https://mail.shop.example; a port and a path may stand behind it";
        Err(Refusal::new(format!("Links in mails cannot begin with `{shown}`: {why}"), hint))
    };
    // In the header for one click an address of other letters would be encoded, and mail programs open no such thing.
    if let Some(letter) = text.chars().find(|letter| !letter.is_ascii()) {
        let mut bytes = [0; 4];
        let coded: String = letter.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")).collect();
        let hint = format!(
            "Write `{letter}` in a path as {coded}, and the name of a machine in its form that begins with xn--, with \
             --public-url"
        );
        let error = format!("Links in mails cannot begin with an address that has letters such as `{letter}`");
        return Err(Refusal::new(error, hint));
    }
    let Ok(uri) = text.parse::<Uri>() else { return wrong("it is no address") };
    let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return wrong("neither http:// nor https:// and a name stand at its beginning");
    };
    if uri.query().is_some() || text.contains(['?', '#']) {
        return wrong("what stands behind ? or # has no place before the links' own paths");
    }
    let (host, port) = (authority.host(), authority.port_u16());
    let is_sound = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")) == authority.as_str();
    if host.is_empty() || !is_sound {
        return wrong("the name of a machine, and perhaps a port, stand behind ://, and nothing else");
    }
    Ok(text.to_owned())
}

/// What should be said of the address that links in mails begin with (`base`): `public` where it was named.
/// `by_server` says whether mails leave by a mail server, which may carry them further than this machine.
pub fn links_warning(public: Option<&str>, base: &str, by_server: bool) -> Option<String> {
    match public {
        None if by_server => Some(format!(
            "warning: links in mails lead to {base}, which only this machine opens; name with --public-url where people \
             reach the engine"
        )),
        Some(url) if url.to_ascii_lowercase().starts_with("http://") && !is_this_machine(url) => Some(format!(
            "warning: links in mails begin with {url}: whoever stands on the way can read and change what people do \
             there; put a proxy with https:// before the engine"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_links_begin_with() {
        for (typed, expected) in [
            ("https://mail.shop.example", Ok("https://mail.shop.example")),
            (" HTTP://Mail.shop.example:8080/m/ ", Ok("HTTP://Mail.shop.example:8080/m")),
            ("https://[2001:db8::1]:8443", Ok("https://[2001:db8::1]:8443")),
            ("https://mail.shop.example/m%C3%BCller", Ok("https://mail.shop.example/m%C3%BCller")),
            ("https://xn--mller-kva.example", Ok("https://xn--mller-kva.example")),
            ("https://mail.shop.example/m\u{fc}ller", Err("letters such as `\u{fc}`")),
            ("https://m\u{fc}ller.example", Err("letters such as `\u{fc}`")),
            ("mail.shop.example", Err("neither http://")),
            ("/mails", Err("neither http://")),
            ("ftp://mail.shop.example", Err("neither http://")),
            ("https://", Err("neither http://")),
            ("", Err("it is no address")),
            ("https://mail.shop example", Err("it is no address")),
            ("https://mail.shop.example/?from=mail", Err("behind ? or #")),
            ("https://mail.shop.example/#top", Err("behind ? or #")),
            ("https://ada@mail.shop.example", Err("and nothing else")),
            ("https://mail.shop.example:99999", Err("and nothing else")),
        ] {
            match (public_address(typed), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{typed}"),
                (Err(refusal), Err(why)) => {
                    assert!(refusal.error.contains(why), "{typed}: {}", refusal.error);
                    assert!(refusal.hint.contains("--public-url"));
                }
                (found, _) => panic!("{typed}: {found:?}"),
            }
        }
    }

    #[test]
    fn links_that_lead_nowhere_or_over_an_open_line() {
        let check = |public: Option<&str>, by_server: bool, expected: Option<&str>| {
            let found = links_warning(public, public.unwrap_or("http://127.0.0.1:7171"), by_server);
            let is_as_expected = match (&found, expected) {
                (Some(found), Some(part)) => found.starts_with("warning: ") && found.contains(part),
                (found, expected) => found.is_none() && expected.is_none(),
            };
            assert!(is_as_expected, "{public:?} {by_server}: {found:?}");
        };
        check(None, true, Some("lead to http://127.0.0.1:7171, which only this machine opens"));
        check(None, false, None);
        check(Some("https://mail.shop.example"), true, None);
        check(Some("http://mail.shop.example/m"), true, Some("begin with http://mail.shop.example/m"));
        check(Some("http://mail.shop.example"), false, Some("https://"));
        check(Some("http://localhost:7171"), true, None);
        check(Some("http://[::1]:7171"), true, None);
    }

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
