//! Images of a mail: where an address leads, what may be read, how much of it.
//!
//! The one idea: an address is sorted before anything is done with it. Relative ones and those below the brand's own
//! address are asked from the caller, `data:` is decoded here, all else is refused or counted. Sizes are looked at
//! before pixels are made. Deliberately not here: opening files, which is the caller's.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
};

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use blitz_traits::net::Bytes;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};

/// Most bytes of one image. Source: issue 4; mail programs clip far below.
pub const MAX_IMAGE_BYTES: usize = 10 * 1024 * 1024;
/// Most pixels of one image before it is made smaller: 160 MB of memory for a moment.
const MAX_IMAGE_PIXELS: u64 = 40_000_000;
/// Most pixels of all images of a mail that are read, before any is made smaller: reading them is the work, and a file
/// of some kilobytes may have as many as one may have.
const MAX_READ_PIXELS: u64 = 60_000_000;
/// Most pixels of all images of a mail, as kept.
const MAX_KEPT_PIXELS: u64 = 40_000_000;
/// An image is kept at most so wide and high: twice the widest picture. The renderer's own limit is 65,535.
const KEPT_WIDTH: u32 = 2_400;
const KEPT_HEIGHT: u32 = 8_000;

/// Why there is no image at a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ImageFault {
    /// There is nothing of that name.
    Missing,
    /// It has more bytes than a picture takes (10 MB).
    TooLarge,
    /// It is there and cannot be read; why.
    Unreadable(String),
}

/// Gives the images of a workspace.
pub trait ImageSource {
    /// The bytes of an image file. The path is relative, has `/` between its parts and neither `..` nor an empty part.
    ///
    /// Errors: there is none, it is too large, or it cannot be read.
    fn image(&self, path: &str) -> Result<Vec<u8>, ImageFault>;
}

/// A workspace without images.
pub struct NoImages;

impl ImageSource for NoImages {
    fn image(&self, _: &str) -> Result<Vec<u8>, ImageFault> {
        Err(ImageFault::Missing)
    }
}

/// Where an address leads.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Address {
    /// A file of the workspace.
    Local(String),
    /// It brings its bytes along.
    Data(Vec<u8>),
    /// Somewhere else.
    Remote,
    /// Nowhere: what is wrong with it.
    Refused(&'static str),
}

/// Sorts an address.
pub(super) fn sort(address: &str, base: &str) -> Address {
    let address = address.trim();
    let base = base.trim_end_matches('/');
    if address.is_empty() {
        return Address::Refused("it has no address");
    }
    if !base.is_empty()
        && let Some(rest) = address.strip_prefix(base).and_then(|rest| rest.strip_prefix('/'))
    {
        return local(rest);
    }
    if address.starts_with("//") {
        return Address::Remote;
    }
    let scheme = address.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| {
        scheme.len() > 1
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    });
    match scheme.map(str::to_ascii_lowercase).as_deref() {
        None => local(address),
        Some("http" | "https" | "ftp") => Address::Remote,
        Some("data") => data(&address[5..]),
        Some("cid") => Address::Refused("it is an attachment"),
        Some("file") => Address::Refused("it is a file of this machine"),
        Some(_) => Address::Refused("its address is of no known kind"),
    }
}

fn local(path: &str) -> Address {
    let path = path.split(['?', '#']).next().unwrap_or("");
    let Some(path) = percent_decoded(path) else { return Address::Refused("its address cannot be read") };
    let path = path.trim_start_matches("./");
    // An address may be written from the workspace's folder, too.
    let path = path.strip_prefix("images/").unwrap_or(path);
    if path.contains(['\\', ':', '\0']) || path.starts_with('/') {
        return Address::Refused("its address is not relative to images/");
    }
    if path.split('/').any(|part| part == "..") {
        return Address::Refused("its address leads out of images/");
    }
    if path.split('/').any(|part| part.is_empty() || part == ".") {
        return Address::Refused("its address names no file");
    }
    Address::Local(path.to_owned())
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            out.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

fn data(rest: &str) -> Address {
    let Some((kind, body)) = rest.split_once(',') else { return Address::Refused("its data cannot be read") };
    if kind.to_ascii_lowercase().contains("svg") {
        return Address::Refused("SVG is not drawn");
    }
    if !kind.to_ascii_lowercase().trim_end().ends_with(";base64") {
        return Address::Refused("its data is not an image");
    }
    let bare: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bare = if bare.contains('%') { percent_decoded(&bare).unwrap_or_default() } else { bare };
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    match GeneralPurpose::new(&STANDARD, config).decode(bare) {
        Ok(bytes) => Address::Data(bytes),
        Err(_) => Address::Refused("its data cannot be read"),
    }
}

/// An image ready for the renderer.
#[derive(Clone)]
pub(super) struct Kept {
    /// In a form that is read without work: PAM.
    pub bytes: Bytes,
    /// Width as the file has it, in pixels.
    pub width: u32,
    /// Whether it is kept smaller than the file has it.
    pub shrunk: bool,
}

/// What became of an address.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Outcome {
    /// It is image number n of [`Gallery::kept`].
    Kept(usize),
    /// It lies elsewhere and was not asked.
    Remote,
    /// It is not there or was refused.
    Missing,
}

/// The images of one mail.
pub(super) struct Gallery<'a> {
    source: &'a dyn ImageSource,
    base: &'a str,
    known: BTreeMap<String, Outcome>,
    /// As kept.
    pixels: u64,
    /// As the files have them.
    read_pixels: u64,
    /// Decoded.
    pub kept: Vec<Kept>,
    /// Addresses elsewhere.
    pub remote: BTreeSet<String>,
    /// Addresses without an image, each with the reason.
    pub missing: Vec<String>,
}

impl<'a> Gallery<'a> {
    pub fn new(source: &'a dyn ImageSource, base: &'a str) -> Self {
        Self {
            source,
            base,
            known: BTreeMap::new(),
            pixels: 0,
            read_pixels: 0,
            kept: Vec::new(),
            remote: BTreeSet::new(),
            missing: Vec::new(),
        }
    }

    /// The image at an address.
    pub fn get(&mut self, address: &str) -> Outcome {
        if let Some(known) = self.known.get(address) {
            return *known;
        }
        let outcome = match sort(address, self.base) {
            Address::Remote => {
                self.remote.insert(address.trim().to_owned());
                Outcome::Remote
            }
            Address::Refused(why) => self.without(address, why),
            Address::Data(bytes) => self.keep(address, &bytes),
            Address::Local(path) => match self.source.image(&path) {
                Ok(bytes) => self.keep(address, &bytes),
                Err(ImageFault::Missing) => self.without(&path, "it is not in images/"),
                Err(ImageFault::TooLarge) => self.without(&path, "it has more than 10 MB"),
                Err(ImageFault::Unreadable(why)) => self.without(&path, &why),
            },
        };
        self.known.insert(address.to_owned(), outcome);
        outcome
    }

    fn without(&mut self, address: &str, why: &str) -> Outcome {
        let shown: String = address.chars().take(80).collect();
        self.missing.push(format!("{shown}: {why}"));
        Outcome::Missing
    }

    fn keep(&mut self, address: &str, bytes: &[u8]) -> Outcome {
        match decode(bytes, &mut self.read_pixels, MAX_KEPT_PIXELS - self.pixels) {
            Ok((kept, pixels)) => {
                self.pixels += pixels;
                self.kept.push(kept);
                Outcome::Kept(self.kept.len() - 1)
            }
            Err(why) => self.without(address, &why),
        }
    }
}

/// The image and how many pixels it has as kept.
fn decode(bytes: &[u8], read_pixels: &mut u64, pixels_left: u64) -> Result<(Kept, u64), String> {
    if bytes.len() > MAX_IMAGE_BYTES {
        return Err("it has more than 10 MB".to_owned());
    }
    let format = image::guess_format(bytes).ok();
    let Some(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::WebP)) = format else {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1_000)]).to_ascii_lowercase();
        let what = if head.contains("<svg") { "SVG is not drawn" } else { "it is no PNG, JPEG, GIF or WebP" };
        return Err(what.to_owned());
    };
    let reader = || ImageReader::with_format(Cursor::new(bytes), format);
    let broken = |_| "it is damaged".to_owned();
    let (width, height) = reader().into_dimensions().map_err(broken)?;
    if u64::from(width) * u64::from(height) > MAX_IMAGE_PIXELS {
        return Err(format!("it has {width} by {height} pixels"));
    }
    let too_many = || "the images of this mail have too many pixels together".to_owned();
    if *read_pixels + u64::from(width) * u64::from(height) > MAX_READ_PIXELS {
        return Err(too_many());
    }
    *read_pixels += u64::from(width) * u64::from(height);
    let mut reader = reader();
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_IMAGE_PIXELS * 8);
    reader.limits(limits);
    let mut image = reader.decode().map_err(broken)?;
    let shrunk = width > KEPT_WIDTH || height > KEPT_HEIGHT;
    if shrunk {
        image = image.thumbnail(KEPT_WIDTH, KEPT_HEIGHT);
    }
    let image = DynamicImage::ImageRgba8(image.into_rgba8());
    let pixels = u64::from(image.width()) * u64::from(image.height());
    if pixels > pixels_left {
        return Err(too_many());
    }
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, ImageFormat::Pnm).map_err(broken)?;
    Ok((Kept { bytes: Bytes::from(out.into_inner()), width, shrunk }, pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://cdn.shop.example/mail/";

    #[track_caller]
    fn check(address: &str, expected: &Address) {
        assert_eq!(sort(address, BASE), *expected, "{address}");
    }

    #[test]
    fn addresses_are_sorted() {
        let local = |path: &str| Address::Local(path.to_owned());
        check("hero.jpg", &local("hero.jpg"));
        check(" ./images/a%20b.png?x#y", &local("a b.png"));
        check("https://cdn.shop.example/mail/sub/hero.jpg", &local("sub/hero.jpg"));
        check("https://cdn.shop.example/mailing/hero.jpg", &Address::Remote);
        check("http://x/y.png", &Address::Remote);
        check("//x/y.png", &Address::Remote);
        check("data:image/png;base64,AAEC", &Address::Data(vec![0, 1, 2]));
        check("data:image/svg+xml;base64,AAEC", &Address::Refused("SVG is not drawn"));
        check("", &Address::Refused("it has no address"));
        check("cid:logo", &Address::Refused("it is an attachment"));
        check("file:///etc/passwd", &Address::Refused("it is a file of this machine"));
        check("javascript:alert(1)", &Address::Refused("its address is of no known kind"));
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for path in [
            "../secret.png",
            "a/../../b.png",
            "%2e%2e/secret.png",
            "/etc/passwd",
            "%2Fetc/passwd",
            "..\\secret.png",
            "C:\\secret.png",
            "https://cdn.shop.example/mail/../../secret.png",
            "a//b.png",
            "a%00.png",
            "%zz",
            "%ff",
        ] {
            assert!(matches!(sort(path, BASE), Address::Refused(_)), "{path}: {:?}", sort(path, BASE));
        }
    }

    #[test]
    fn pixels_are_counted_before_they_are_made() {
        // A PNG header that promises 100,000 by 100,000 pixels.
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend(100_000_u32.to_be_bytes());
        png.extend(100_000_u32.to_be_bytes());
        png.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        let error = |bytes: &[u8]| decode(bytes, &mut 0, u64::MAX).err().unwrap_or_default();
        let said = error(&png);
        assert!(said.contains("pixels") || said.contains("damaged"), "{said}");
        assert_eq!(error(b"\x89PNG\r\n\x1a\n"), "it is damaged");
        assert_eq!(error(&vec![0; MAX_IMAGE_BYTES + 1]), "it has more than 10 MB");
    }

    #[test]
    fn svg_is_refused_however_it_comes() {
        let error = |bytes: &[u8]| decode(bytes, &mut 0, u64::MAX).err().unwrap_or_default();
        let bomb: String = (0..20).map(|n| format!("<!ENTITY a{} '&a{n};&a{n};&a{n};&a{n};'>", n + 1)).collect();
        let bomb = format!("<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a0 'x'>{bomb}]><svg><text>&a20;</text></svg>");
        assert_eq!(error(bomb.as_bytes()), "SVG is not drawn");
        assert_eq!(error(b"<svg xmlns='x'/>"), "SVG is not drawn");
        // Packed (svgz): nothing is unpacked.
        assert_eq!(error(b"\x1f\x8b\x08\0\0\0\0\0\0\x03"), "it is no PNG, JPEG, GIF or WebP");
        check("data:image/svg+xml,<svg/>", &Address::Refused("SVG is not drawn"));
        check("data:image/svg+xml;base64,PHN2Zy8+", &Address::Refused("SVG is not drawn"));
    }

    #[test]
    fn the_images_of_a_mail_are_bounded_together() {
        // 9 kilobytes that are 25 million pixels.
        let mut file = Cursor::new(Vec::new());
        let grey = DynamicImage::new_luma8(5_000, 5_000);
        grey.write_to(&mut file, ImageFormat::Png).unwrap_or_else(|e| panic!("{e}"));
        let file = file.into_inner();
        struct Bombs(Vec<u8>);
        impl ImageSource for Bombs {
            fn image(&self, _: &str) -> Result<Vec<u8>, ImageFault> {
                Ok(self.0.clone())
            }
        }
        let bombs = Bombs(file);
        let mut gallery = Gallery::new(&bombs, "");
        let kept = (0..50).filter(|n| matches!(gallery.get(&format!("{n}.png")), Outcome::Kept(_))).count();
        assert_eq!((kept, gallery.missing.len()), (2, 48));
        assert_eq!(gallery.missing[0], "2.png: the images of this mail have too many pixels together");
    }
}
