//! A mail as a picture: what a mail client would show, drawn without a browser, a network or system fonts.
//!
//! The one idea: a mail is first *cleaned* into HTML that the renderer reads well (one module per rule), then laid out
//! and painted by whatever stands behind [`MailRenderer`], and last *checked*: words that got no place in the picture
//! are named, because a preview that silently loses text is worse than none. The picture is approximate and says so;
//! a browser is the fall-back for every mail.
//!
//! | module | rule |
//! | --- | --- |
//! | `dom` | 1: always the HTML parser, whatever the doctype; bounded in nodes, depth and attributes |
//! | `rows` | 2: rows whose cells stack are written as blocks, found from the renderer's own computed styles |
//! | `widths` | 3: at phone width, fixed widths that do not fit become 100 % |
//! | `fonts` | 4: families of mails stand for bundled ones |
//! | `active` | 5: nothing that runs or asks for something from elsewhere |
//! | `extent` | 6: the deepest bottom of all boxes is the height |
//! | `borders` | lines between rows of a table with collapsed borders |
//! | `hints` | attributes of old HTML that the renderer does not know (`cellpadding`, `valign`, `<font>`) |
//! | `images`, `placeholder` | images from the caller, within limits; a box with the alt text for the rest |
//! | `guard` | words that are not in the picture |
//! | `work` | how much there is to lay out and to paint: refused before it takes long |
//!
//! Deliberately not here: files, threads, clocks. The caller hands over images through [`ImageSource`] and runs
//! [`draw`] on a thread of its own with a stack of [`STACK_BYTES`], because a layout cannot be interrupted.

mod active;
mod blitz;
mod borders;
mod css;
mod dom;
mod encode;
mod extent;
mod fonts;
mod guard;
mod hints;
mod images;
mod placeholder;
mod prepare;
mod rows;
mod scheme;
#[cfg(test)]
mod tests;
mod widths;
mod work;

pub use super::drawn::{Link, Picture};
pub use blitz::Blitz;
pub use encode::png;
pub use images::{ImageFault, ImageSource, MAX_IMAGE_BYTES, NoImages};

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// HTML above this is refused. Source: four times what the largest of 33 measured mails had.
pub const MAX_HTML_BYTES: usize = 2 * 1024 * 1024;
/// Widths a picture may have, in CSS pixels: from the narrowest phone to a wide window.
pub const WIDTHS: std::ops::RangeInclusive<u32> = 320..=1200;
/// Device pixels for a CSS pixel.
pub const SCALES: std::ops::RangeInclusive<f32> = 0.5..=3.0;
/// A taller mail is cut here, in CSS pixels, and a note says so. Source: ten screens beyond what anyone reads; the
/// renderer's own limit is 65,535 device pixels.
pub const MAX_HEIGHT_PX: u32 = 20_000;
/// Most pixels of a picture: 160 MB of memory.
pub const MAX_PIXELS: u64 = 40_000_000;
/// Stack of the thread that calls [`draw`]: layout recurses over nested elements. Source: measured on the deepest mail
/// that is accepted, without optimisation, times two.
pub const STACK_BYTES: usize = 32 * 1024 * 1024;

/// The colours that the reader's device prefers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Scheme {
    /// Dark text on light ground.
    #[default]
    Light,
    /// Light text on dark ground: the mail's own `prefers-color-scheme: dark` rules apply.
    Dark,
}

/// What to draw.
pub struct Request<'a> {
    /// The HTML part of a mail, at most [`MAX_HTML_BYTES`].
    pub html: &'a str,
    /// Width of the mail client's pane in CSS pixels, within [`WIDTHS`].
    pub width_px: u32,
    /// Device pixels for a CSS pixel, within [`SCALES`].
    pub scale: f32,
    /// Light or dark.
    pub scheme: Scheme,
    /// Where pictures of the brand lie (`https://cdn.example.com/mail/`): what begins so is asked from `images` by the
    /// rest of its address. Empty where there is none.
    pub image_base: &'a str,
    /// Gives images by relative path.
    pub images: &'a dyn ImageSource,
}

/// Why there is no picture.
#[derive(Clone, PartialEq, Debug)]
pub enum Error {
    /// More than [`MAX_HTML_BYTES`].
    TooLarge(usize),
    /// Elements nested deeper than the renderer can follow.
    TooDeep(usize),
    /// More elements and texts than can be laid out in a short time.
    TooMany(usize),
    /// One tag with more attributes than any mail has.
    TooManyAttributes(usize),
    /// More of something than can be drawn in a short time; what, as the end of "The mail has …".
    TooMuch(String),
    /// A width or a scale outside [`WIDTHS`] and [`SCALES`].
    Size(String),
    /// The renderer failed on this mail; what it said.
    Crashed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(bytes) => write!(
                f,
                "The HTML has {:.1} MB, and a picture is drawn of at most {} MB",
                *bytes as f64 / 1_048_576.0,
                MAX_HTML_BYTES / 1_048_576
            ),
            Self::TooDeep(most) => write!(f, "The HTML nests elements more than {most} deep"),
            Self::TooMany(most) => write!(f, "The HTML has more than {most} elements and texts"),
            Self::TooManyAttributes(most) => write!(f, "A tag of the HTML has more than {most} attributes"),
            Self::TooMuch(what) => write!(f, "The mail has {what}, which would take too long to draw"),
            Self::Size(why) => f.write_str(why),
            Self::Crashed(why) => write!(f, "The picture could not be drawn: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Size(_) => "Ask for another size",
            Self::Crashed(_) => "Open the mail in the browser, and report this with the mail",
            _ => "Shorten the mail, or open it in the browser",
        }
    }
}

/// Draws mails. One trait, so that another renderer can take its place.
pub trait MailRenderer {
    /// The picture of a mail.
    ///
    /// May panic on inputs that it does not understand: callers use [`draw`].
    ///
    /// Errors: a mail beyond the limits of this module; a size outside its ranges.
    fn render(&self, request: &Request<'_>) -> Result<Picture, Error>;
}

/// Draws a mail; nothing panics. May take seconds on a hostile mail and cannot be interrupted, so call it on a thread
/// of your own (with [`STACK_BYTES`] of stack) and stop waiting for it when you like.
///
/// Errors: what [`MailRenderer::render`] refuses, and [`Error::Crashed`] where it panics.
pub fn draw(renderer: &impl MailRenderer, request: &Request<'_>) -> Result<Picture, Error> {
    if request.html.len() > MAX_HTML_BYTES {
        return Err(Error::TooLarge(request.html.len()));
    }
    if !WIDTHS.contains(&request.width_px) {
        return Err(Error::Size(format!(
            "A picture is {} to {} pixels wide, not {}",
            WIDTHS.start(),
            WIDTHS.end(),
            request.width_px
        )));
    }
    if !SCALES.contains(&request.scale) {
        return Err(Error::Size(format!(
            "A picture is drawn {} to {} times as large, not {}",
            SCALES.start(),
            SCALES.end(),
            request.scale
        )));
    }
    // Whatever was half done is dropped with the panic: a renderer keeps nothing between two mails but its fonts.
    catch_unwind(AssertUnwindSafe(|| renderer.render(request))).unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::Crashed(said.unwrap_or_else(|| "it gave no reason".to_owned())))
    })
}
