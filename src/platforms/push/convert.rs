//! Pictures that an account does not take, made into ones that it does: a WebP, a photo straight from a camera.
//!
//! The one idea: as little as possible is changed. What is small enough without loss stays without loss (PNG); only
//! where that is too large it becomes a JPEG, and only where that is too large, too, it gets fewer pixels. Moving
//! pictures would stop moving, so they are refused. Deliberately not here: SVG, which nothing that is built in draws.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPDecoder},
    imageops::FilterType,
    metadata::Orientation,
};

/// Most pixels that are read: 50 million, a photo of a good camera. Source: assumption; 200 MB of memory.
const MOST_PIXELS: u64 = 50_000_000;
/// Longest side of a picture that is too large as it is, in pixels. Source: assumption; mails are shown 600 to 700
/// points wide, sharp screens need twice that, and some pictures are wider than a mail.
const LONGEST_SIDE: u32 = 2_000;
/// Up to so many bytes a picture stays without loss. Source: assumption; what a mail program loads over a phone.
const LOSSLESS_BYTES: usize = 1_000_000;
/// Quality of a JPEG, of 100. Source: assumption; the difference is not seen in a mail.
const QUALITY: u8 = 88;
/// How often it is made smaller before it is given up; each time to 70 % of its sides.
const MOST_TRIES: usize = 8;

/// A picture that was made from another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Converted {
    /// What is in it: a PNG or a JPEG.
    pub bytes: Vec<u8>,
    /// Its width and height before, in pixels, where it has fewer now.
    pub size_before: Option<(u32, u32)>,
}

/// The picture as a PNG or JPEG of at most `most_bytes`.
///
/// Errors: it moves, is damaged, or has too many pixels; the end of a sentence that begins with its name.
pub(super) fn converted(bytes: &[u8], most_bytes: usize) -> Result<Converted, String> {
    let damaged = |_| "is damaged".to_owned();
    let Some(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) = image::guess_format(bytes).ok()
    else {
        return Err("can be made into no PNG or JPEG".to_owned());
    };
    if format == ImageFormat::WebP && WebPDecoder::new(Cursor::new(bytes)).map_err(damaged)?.has_animation() {
        return Err("is a WebP that moves; save it as a GIF".to_owned());
    }
    let reader = || ImageReader::with_format(Cursor::new(bytes), format);
    let (width, height) = reader().into_dimensions().map_err(damaged)?;
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(format!("has {width} × {height} pixels; save it with a longest side of {LONGEST_SIDE}"));
    }
    let mut reader = reader();
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_PIXELS * 16);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    // A camera writes beside the pixels which side is up; what is made here holds pixels alone.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);
    let picture = if picture.color().has_alpha() && has_holes(&picture) {
        DynamicImage::ImageRgba8(picture.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(picture.into_rgb8())
    };
    let before = (picture.width(), picture.height());
    let mut side = before.0.max(before.1);
    let is_too_large = bytes.len() > most_bytes;
    if is_too_large {
        side = side.min(LONGEST_SIDE);
    }
    for _ in 0..MOST_TRIES {
        let scaled = if side < before.0.max(before.1) {
            picture.resize(side, side, FilterType::CatmullRom)
        } else {
            picture.clone()
        };
        let made = encoded(&scaled, most_bytes).map_err(|error| format!("cannot be made smaller: {error}"))?;
        if made.len() <= most_bytes {
            let after = (scaled.width(), scaled.height());
            return Ok(Converted { bytes: made, size_before: (after != before).then_some(before) });
        }
        side = (side * 7 / 10).max(1);
    }
    Err("stays too large however it is made smaller".to_owned())
}

/// Without loss where that is small; a picture with holes always, since a JPEG has none.
fn encoded(picture: &DynamicImage, most_bytes: usize) -> image::ImageResult<Vec<u8>> {
    let mut png = Vec::new();
    picture.write_with_encoder(PngEncoder::new(&mut png))?;
    if picture.color().has_alpha() || png.len() <= most_bytes.min(LOSSLESS_BYTES) {
        return Ok(png);
    }
    let mut jpeg = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY))?;
    Ok(if jpeg.len() < png.len() { jpeg } else { png })
}

/// Whether something shows through.
fn has_holes(picture: &DynamicImage) -> bool {
    match picture {
        DynamicImage::ImageRgba8(pixels) => pixels.pixels().any(|pixel| pixel.0[3] < 255),
        other => other.to_rgba8().pixels().any(|pixel| pixel.0[3] < 255),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A picture without a pattern, which no format makes small.
    pub fn noise(width: u32, height: u32, alpha: bool) -> DynamicImage {
        let mut state = 1_u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        DynamicImage::ImageRgba8(image::RgbaImage::from_fn(width, height, |_, _| {
            image::Rgba([byte(), byte(), byte(), if alpha { byte() } else { 255 }])
        }))
    }

    pub fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        picture.write_to(&mut out, format).unwrap_or_else(|error| panic!("{error}"));
        out.into_inner()
    }

    #[track_caller]
    fn check(bytes: &[u8], most_bytes: usize, format: ImageFormat, size: (u32, u32)) -> Converted {
        let made = converted(bytes, most_bytes).unwrap_or_else(|why| panic!("{why}"));
        assert!(made.bytes.len() <= most_bytes, "{}", made.bytes.len());
        assert_eq!(image::guess_format(&made.bytes).ok(), Some(format));
        let read = image::load_from_memory(&made.bytes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((read.width(), read.height()), size);
        assert_eq!(converted(bytes, most_bytes), Ok(made.clone()), "the same gives the same");
        made
    }

    #[test]
    fn pictures_become_what_is_taken() {
        let small = noise(40, 20, true);
        let webp = written(&small, ImageFormat::WebP);
        let made = check(&webp, 5_000_000, ImageFormat::Png, (40, 20));
        assert_eq!(image::load_from_memory(&made.bytes).ok(), Some(small), "nothing is lost");
        assert_eq!(made.size_before, None);
        // A photo: too large for a PNG, so it is a JPEG; too many pixels, so it has fewer.
        let photo = written(&noise(2_400, 1_200, false), ImageFormat::Png);
        assert!(photo.len() > 5_000_000);
        let made = check(&photo, 5_000_000, ImageFormat::Jpeg, (2_000, 1_000));
        assert_eq!(made.size_before, Some((2_400, 1_200)));
        // With holes it stays a PNG, however small.
        check(&written(&noise(400, 400, true), ImageFormat::Png), 100_000, ImageFormat::Png, (137, 137));
    }

    #[test]
    fn what_cannot_be_made_says_why() {
        let refused = |bytes: &[u8]| converted(bytes, 1_000).expect_err("refused");
        assert_eq!(refused(b"<svg/>"), "can be made into no PNG or JPEG");
        assert_eq!(refused(b"\x89PNG\r\n\x1a\n0123"), "is damaged");
        assert_eq!(refused(b"RIFF\x10\0\0\0WEBPVP8 0123"), "is damaged");
        let mut huge = written(&noise(1, 1, false), ImageFormat::Png);
        // The size stands in the header, which has a checksum of its own.
        huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        assert!(
            ["is damaged", "has 65536 × 65536 pixels; save it with a longest side of 2000"].contains(&&*refused(&huge))
        );
    }
}
