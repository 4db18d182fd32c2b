//! Pictures of mails on their way to an account.
//!
//! The one idea: a picture's name in the account holds a hash of its content, so that a look for the name tells whether
//! this very picture is there, whatever became of the answer to an upload and of our record. What mail programs do not
//! show is refused before anything is sent, with a way out. Deliberately not here: files (the caller reads them), where
//! pictures stand in a mail (`platforms::images`).

use std::sync::Arc;

use crate::{base::hash::version_hash, flow::Target};

/// Reads a picture of the workspace by its path below `images/`, of at most so many bytes.
///
/// Errors: why there is none, as the end of a sentence: "there is no such file".
pub type ReadPicture<'a> = &'a dyn Fn(&str, usize) -> Result<Vec<u8>, String>;

/// Letters of the hash in a name; with a name of its own before it, two pictures never meet.
const HASH_LETTERS: usize = 12;
/// Letters of the file's own name that are kept.
const STEM_LETTERS: usize = 60;

/// A picture that an account takes and mail programs show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::platforms) struct Picture {
    /// Its name in the account: `logo-1f0a2b3c4d5e.png`.
    pub name: String,
    /// Hash of its content.
    pub hash: String,
    /// What it is: `image/png`.
    pub media: &'static str,
    /// What is in it.
    pub bytes: Arc<[u8]>,
}

impl Picture {
    /// Its size and kind, for people: `PNG, 12 kB`.
    pub fn shown(&self) -> String {
        let kind = self.media.trim_start_matches("image/").to_uppercase();
        format!("{kind}, {}", size(self.bytes.len()))
    }
}

/// Most bytes of a picture. Sources: Klaviyo, developers.klaviyo.com/en/reference/images_api_overview, 5 MB, taken as
/// the smaller megabyte; HubSpot, assumption: its limit depends on the account's plan, and no mail shows a larger one.
fn most_bytes(target: Target) -> usize {
    match target {
        Target::Hubspot => 20_000_000,
        Target::Klaviyo | Target::Engine => 5_000_000,
    }
}

/// A picture of a mail, by its address as it stands there, ready to be uploaded.
///
/// Errors: it is not there, too large, or nothing that mail programs show; one sentence without full stop.
pub(super) fn picture(target: Target, address: &str, read: ReadPicture<'_>) -> Result<Picture, String> {
    let most = most_bytes(target);
    let path = path(address).ok_or_else(|| format!("`{address}` names no file below images/"))?;
    let bytes = read(&path, most).map_err(|why| format!("`images/{path}`: {why}"))?;
    if bytes.len() > most {
        return Err(format!("`images/{path}` is larger than the {} that {} takes", size(most), target.title()));
    }
    let (media, ending) = match kind(&bytes) {
        Ok(kind) => kind,
        Err(what) => return Err(format!("`images/{path}` is {what}, which mail programs do not show")),
    };
    let hash = version_hash(&bytes).to_string();
    let file = path.rsplit('/').next().unwrap_or(&path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let plain: String =
        stem.chars().take(STEM_LETTERS).map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let short: String = hash.chars().take(HASH_LETTERS).collect();
    let name = format!("{}-{short}.{ending}", if plain.is_empty() { "picture" } else { &plain });
    Ok(Picture { name, hash, media, bytes: bytes.into() })
}

/// What a file is by its first bytes, whatever its name says; what it is instead, in words.
fn kind(bytes: &[u8]) -> Result<(&'static str, &'static str), &'static str> {
    let head = &bytes[..bytes.len().min(1_024)];
    if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(("image/png", "png"));
    }
    if head.starts_with(b"\xff\xd8\xff") {
        return Ok(("image/jpeg", "jpg"));
    }
    if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        return Ok(("image/gif", "gif"));
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Err("a WebP");
    }
    if String::from_utf8_lossy(head).to_ascii_lowercase().contains("<svg") {
        return Err("an SVG");
    }
    Err("no PNG, JPEG or GIF")
}

/// The path below `images/` that an address means: `my%20logo.png` and `a&amp;b.png` as they were meant. `None` where
/// it leads out.
fn path(address: &str) -> Option<String> {
    let bare = address.split(['?', '#']).next().unwrap_or("").replace("&amp;", "&");
    let mut bytes = Vec::with_capacity(bare.len());
    let mut rest = bare.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    let path = String::from_utf8(bytes).ok()?;
    let is_inside = path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.contains(['\\', ':', '\0']);
    is_inside.then_some(path)
}

fn size(num_bytes: usize) -> String {
    match num_bytes {
        0..1_000 => format!("{num_bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", num_bytes.div_ceil(1_000)),
        _ => format!("{:.1} MB", num_bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, bytes: &[u8], expected: Result<&str, &str>) {
        let read = |path: &str, most: usize| {
            assert!(most >= 5_000_000 && !path.contains('%'), "{path}");
            Ok(bytes.to_vec())
        };
        let got =
            picture(Target::Klaviyo, address, &read).map(|picture| format!("{} {}", picture.name, picture.shown()));
        let hash: String = version_hash(bytes).to_string().chars().take(HASH_LETTERS).collect();
        let expected = expected.map(|name| name.replace('#', &hash)).map_err(str::to_owned);
        assert_eq!(got, expected, "{address}");
    }

    #[test]
    fn pictures_are_what_their_bytes_say() {
        let png = b"\x89PNG\r\n\x1a\n0123";
        check("logo.png", png, Ok("logo-#.png PNG, 12 bytes"));
        check("sub/My%20logo.jpg?v=2", png, Ok("My-logo-#.png PNG, 12 bytes"));
        check("a.jpeg", b"\xff\xd8\xff\xe0", Ok("a-#.jpg JPEG, 4 bytes"));
        check("a.gif", b"GIF89a", Ok("a-#.gif GIF, 6 bytes"));
        check("a.png", b"<?xml?><SVG/>", Err("`images/a.png` is an SVG, which mail programs do not show"));
        check("a", b"RIFF0000WEBPVP8 ", Err("`images/a` is a WebP, which mail programs do not show"));
        check("a", b"", Err("`images/a` is no PNG, JPEG or GIF, which mail programs do not show"));
        let large = vec![0; 5_000_001];
        check("a.png", &large, Err("`images/a.png` is larger than the 5.0 MB that Klaviyo takes"));
        for out in ["../secret.png", "/etc/passwd", "a//b", "%2e%2e/x.png", "c:\\x.png", "%zz", ""] {
            check(out, png, Err(&format!("`{out}` names no file below images/")));
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let got = picture(Target::Hubspot, "a.png", &|_, _| Err("there is no such file".into()));
        assert_eq!(got, Err("`images/a.png`: there is no such file".into()));
    }
}
