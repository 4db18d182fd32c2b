//! Pictures of mails: which are wanted, which are there, and the few that are kept.

use std::{collections::VecDeque, sync::Arc};

use xxhash_rust::xxh3::xxh3_128;

use super::{Pane, look, made};
pub use crate::content::Picture;
#[cfg(feature = "picture")]
use crate::content::picture::ImageSource;
use crate::{
    app::{Document, Home, jobs::Work, stage::Made},
    content::{self, Links, MailLink},
};

/// Pictures that are kept: both panes, and what was looked at before, so that switching back is at once. Source:
/// assumption; a picture of 600 by 2,000 has 5 MB.
const MOST_KEPT: usize = 6;

/// What a picture depends on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PictureKey {
    /// Hash of the HTML.
    pub html: u128,
    /// Width of the pane in CSS pixels.
    pub width_px: u32,
    /// Drawn for a device that prefers dark colours.
    pub dark: bool,
    /// Pixels for a CSS pixel, in percent.
    pub density_percent: u32,
}

/// A picture, or why there is none.
pub type Drawn = Result<Arc<Picture>, String>;

/// The pictures at hand.
#[derive(Clone, Debug, Default)]
pub struct Pictures {
    kept: VecDeque<(PictureKey, Drawn)>,
}

impl Pictures {
    /// The picture of a key.
    pub fn get(&self, key: &PictureKey) -> Option<&Drawn> {
        self.kept.iter().find(|(kept, _)| kept == key).map(|(_, drawn)| drawn)
    }

    /// The newest picture of this width and these colours: shown while the next one is drawn.
    pub fn newest_like(&self, key: &PictureKey) -> Option<(&PictureKey, &Arc<Picture>)> {
        let like = |kept: &PictureKey| kept.width_px == key.width_px && kept.dark == key.dark;
        let found = self.kept.iter().rev().find(|(kept, drawn)| like(kept) && drawn.is_ok())?;
        Some((&found.0, found.1.as_ref().ok()?))
    }

    /// A picture is there.
    pub(in crate::app) fn take(&mut self, key: PictureKey, drawn: Drawn) {
        self.kept.retain(|(kept, _)| *kept != key);
        self.kept.push_back((key, drawn));
        while self.kept.len() > MOST_KEPT {
            self.kept.pop_front();
        }
    }

    /// What failed is tried again.
    pub(super) fn forget_failures(&mut self) {
        self.kept.retain(|(_, drawn)| drawn.is_ok());
    }
}

/// What the picture of a pane is made from; `None` where there is no mail with HTML.
pub fn key(document: &Document, pane: Pane) -> Option<PictureKey> {
    let made = made(document, pane)?.result.as_ref().ok()?;
    if made.mail.html.is_empty() {
        return None;
    }
    let (width, dark) = look(document, pane);
    let density_percent = document.view.mail.density_percent;
    Some(PictureKey { html: xxh3_128(made.mail.html.as_bytes()), width_px: width.px(), dark, density_percent })
}

/// The work for the picture of a pane, where it is not there.
pub(super) fn wanted(document: &Document, pane: Pane) -> Option<Work> {
    let key = key(document, pane)?;
    if document.derived.pictures.get(&key).is_some() {
        return None;
    }
    let made = Arc::clone(made(document, pane)?.result.as_ref().ok()?);
    Some(Work::Picture(Box::new(PictureJob { home: Arc::clone(&document.home), key, made })))
}

/// A picture to draw, by somebody who has the images and a thread with [`STACK_BYTES`] of stack.
#[derive(Clone, Debug)]
pub struct PictureJob {
    /// Where its images lie.
    pub home: Arc<Home>,
    /// What is wanted.
    pub key: PictureKey,
    /// The mail.
    pub made: Arc<Made>,
}

#[cfg(feature = "picture")]
impl PictureJob {
    /// Draws it, on the calling thread.
    ///
    /// Errors: why there is no picture, and what to do.
    pub fn draw(&self, images: &dyn ImageSource) -> Drawn {
        use crate::content::picture::{Blitz, Request, Scheme, draw};
        // Fonts are read once for each thread that draws; a thread that hangs keeps nobody else from drawing.
        thread_local! {
            static RENDERER: Blitz = Blitz::new();
        }
        let request = Request {
            html: &self.made.mail.html,
            width_px: self.key.width_px,
            scale: self.key.density_percent as f32 / 100.0,
            scheme: if self.key.dark { Scheme::Dark } else { Scheme::Light },
            image_base: &self.home.workspace.brand.images,
            images,
        };
        RENDERER
            .with(|renderer| draw(renderer, &request))
            .map(Arc::new)
            .map_err(|error| format!("{error}. {}", error.hint()))
    }

    /// Draws it where nobody has images, on the calling thread.
    pub fn draw_without_images(&self) -> Drawn {
        self.draw(&content::picture::NoImages)
    }
}

#[cfg(not(feature = "picture"))]
impl PictureJob {
    /// Says that this program draws none.
    pub fn draw_without_images(&self) -> Drawn {
        Err("This program was built without pictures of mails. Open the mail in the browser".to_owned())
    }
}

/// Stack that drawing needs, in bytes.
#[cfg(feature = "picture")]
pub const STACK_BYTES: usize = crate::content::picture::STACK_BYTES;

/// A link of a mail: its words and its target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkRow {
    /// What the reader sees: words, or the words for a picture.
    pub words: String,
    /// Where it leads, after rendering.
    pub target: String,
    /// Links of the recipient, such as the one that unsubscribes, have no real address in a preview.
    pub is_of_recipient: bool,
}

/// The links of a mail, in its order.
pub fn links(made: &Made) -> Vec<LinkRow> {
    let own = Links::placeholders();
    let row = |link: MailLink| {
        let is_of_recipient = [&own.unsubscribe, &own.preferences, &own.view].contains(&&link.target);
        let words = if link.words.is_empty() { "(no words)".to_owned() } else { link.words };
        LinkRow { words, target: link.target, is_of_recipient }
    };
    content::links(&made.mail.html).into_iter().map(row).collect()
}
