//! Pictures of mails on their way to an account.
//!
//! The one idea: a picture's name in the account holds a hash of its content, so that a look for the name tells whether
//! this very picture is there, whatever became of the answer to an upload and of our record. What mail programs do not
//! show is converted where that can be done (feature `picture`), else refused before anything is sent, with a way out.
//! Deliberately not here: files (the caller reads them), where pictures stand in a mail (`platforms::images`).

use std::sync::Arc;

use crate::{
    base::{VersionHash, hash::version_hash},
    flow::Target,
};

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
    /// What it was made from, in words; nothing where it is sent as it lies in the workspace.
    pub made_from: Option<String>,
}

impl Picture {
    /// Its size and kind, for people: `PNG, 12 kB`, or `JPEG, 400 kB, made from a WebP of 6.1 MB`.
    pub fn shown(&self) -> String {
        let kind = self.media.trim_start_matches("image/").to_uppercase();
        let made = self.made_from.as_ref().map(|from| format!(", made from {from}")).unwrap_or_default();
        format!("{kind}, {}{made}", size(self.bytes.len()))
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

/// Most bytes of a file that is converted. Source: assumption; photos of cameras have 5 to 30 MB.
const MOST_SOURCE_BYTES: usize = 40_000_000;
/// Goes into the hash of what is converted, so that another way of converting gives another picture.
#[cfg(feature = "picture")]
const CONVERSION: &[u8] = b"flowloom-conversion-1";

/// A picture of a mail, by its address as it stands there, ready to be uploaded.
///
/// Errors: it is not there, too large, or nothing that mail programs show; one sentence without full stop.
pub(super) fn picture(target: Target, address: &str, read: ReadPicture<'_>) -> Result<Picture, String> {
    let most = most_bytes(target);
    let path = path(address).ok_or_else(|| format!("`{address}` names no file below images/"))?;
    let bytes = read(&path, most.max(MOST_SOURCE_BYTES)).map_err(|why| format!("`images/{path}`: {why}"))?;
    let found = kind(&bytes);
    let is_too_large = bytes.len() > most;
    let too_large = || format!("`images/{path}` is larger than the {} that {} takes", size(most), target.title());
    let (bytes, (media, ending), hash, made_from) = match found {
        Ok(kind) if !is_too_large => {
            let hash = version_hash(&bytes);
            (bytes, kind, hash, None)
        }
        Ok(("image/gif", _)) => return Err(format!("{}; save a smaller GIF", too_large())),
        Ok((media, _)) => {
            let was = format!("a {}", media.trim_start_matches("image/").to_uppercase());
            converted(&bytes, most, &was).map_err(|why| format!("{}, and {why}", too_large()))?
        }
        Err("a WebP") => converted(&bytes, most, "a WebP")
            .map_err(|why| format!("`images/{path}` is a WebP, which mail programs do not show, and {why}"))?,
        Err("an SVG") => {
            return Err(format!(
                "`images/{path}` is an SVG, which mail programs do not show; save it as a PNG, twice as wide as it is shown"
            ));
        }
        Err(_) if is_too_large => return Err(too_large()),
        Err(what) => return Err(format!("`images/{path}` is {what}, which mail programs do not show")),
    };
    let hash = hash.to_string();
    let file = path.rsplit('/').next().unwrap_or(&path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let plain: String =
        stem.chars().take(STEM_LETTERS).map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let short: String = hash.chars().take(HASH_LETTERS).collect();
    let name = format!("{}-{short}.{ending}", if plain.is_empty() { "picture" } else { &plain });
    Ok(Picture { name, hash, media, bytes: bytes.into(), made_from })
}

/// What is sent: its content, its kind, its hash, and what it was made from.
type Sent = (Vec<u8>, (&'static str, &'static str), VersionHash, Option<String>);

/// The picture as the account takes it. Its hash is that of the file that it was made from.
///
/// Errors: why not, as the end of a sentence about it.
#[cfg(feature = "picture")]
fn converted(bytes: &[u8], most: usize, was: &str) -> Result<Sent, String> {
    let made = super::convert::converted(bytes, most).map_err(|why| format!("it {why}"))?;
    let kind = kind(&made.bytes).map_err(|what| format!("it became {what}"))?;
    let pixels = made.size_before.map(|(width, height)| format!(" and {width} × {height} px")).unwrap_or_default();
    let hash = version_hash(&[CONVERSION, bytes].concat());
    Ok((made.bytes, kind, hash, Some(format!("{was} of {}{pixels}", size(bytes.len())))))
}

/// Without a decoder nothing is converted.
#[cfg(not(feature = "picture"))]
fn converted(_: &[u8], _: usize, _: &str) -> Result<Sent, String> {
    Err("this build of Flowloom converts no pictures; save it as a smaller PNG or JPEG".to_owned())
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
        check(
            "a.png",
            b"<?xml?><SVG/>",
            Err(
                "`images/a.png` is an SVG, which mail programs do not show; save it as a PNG, twice as wide as it is shown",
            ),
        );
        let webp = "`images/a` is a WebP, which mail programs do not show, and";
        let why = if cfg!(feature = "picture") { "it is damaged" } else { NOT_HERE };
        check("a", b"RIFF0000WEBPVP8 ", Err(&format!("{webp} {why}")));
        check("a", b"", Err("`images/a` is no PNG, JPEG or GIF, which mail programs do not show"));
        let large = [png.as_slice(), &vec![0; 5_000_001]].concat();
        let too_large = "`images/a.png` is larger than the 5.0 MB that Klaviyo takes, and";
        check("a.png", &large, Err(&format!("{too_large} {why}")));
        let gif = [b"GIF89a".as_slice(), &vec![0; 5_000_001]].concat();
        check("a.gif", &gif, Err("`images/a.gif` is larger than the 5.0 MB that Klaviyo takes; save a smaller GIF"));
        for out in ["../secret.png", "/etc/passwd", "a//b", "%2e%2e/x.png", "c:\\x.png", "%zz", ""] {
            check(out, png, Err(&format!("`{out}` names no file below images/")));
        }
    }

    const NOT_HERE: &str = "this build of Flowloom converts no pictures; save it as a smaller PNG or JPEG";

    /// What was converted is said, and is the same picture as long as its file is the same.
    #[cfg(feature = "picture")]
    #[test]
    fn what_is_not_taken_is_converted() {
        use super::super::convert::tests::{noise, written};
        let of = |bytes: &[u8], target| {
            picture(target, "a.webp", &|_, _| Ok(bytes.to_vec())).unwrap_or_else(|why| panic!("{why}"))
        };
        let webp = written(&noise(20, 10, true), image::ImageFormat::WebP);
        let made = of(&webp, Target::Klaviyo);
        assert!(made.name.ends_with(".png") && made.media == "image/png", "{}", made.name);
        assert!(
            made.shown().starts_with("PNG, ") && made.shown().contains(", made from a WebP of "),
            "{}",
            made.shown()
        );
        assert_eq!(made, of(&webp, Target::Klaviyo));
        let photo = written(&noise(2_400, 1_200, false), image::ImageFormat::Png);
        let made = of(&photo, Target::Klaviyo);
        assert!(
            made.shown().starts_with("JPEG, ") && made.shown().ends_with(" MB and 2400 × 1200 px"),
            "{}",
            made.shown()
        );
        let whole = of(&photo, Target::Hubspot);
        assert_eq!((whole.made_from.as_deref(), whole.bytes.len()), (None, photo.len()), "HubSpot takes it as it is");
        assert_ne!(whole.name, made.name);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let got = picture(Target::Hubspot, "a.png", &|_, _| Err("there is no such file".into()));
        assert_eq!(got, Err("`images/a.png`: there is no such file".into()));
    }
}
