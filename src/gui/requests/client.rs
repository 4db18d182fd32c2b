//! What a client's file needs of the machine: the renderer of mails and the images of the workspace.

use std::sync::Arc;

use crate::app::{Home, client::Outside, jobs::Progress};
#[cfg(feature = "picture")]
use crate::{
    app::{
        mails::pictures::{PictureJob, PictureKey},
        stage::Made,
    },
    base::Instant,
    content::{RenderedMail, picture::png},
};

/// Width of the mails in the document, in CSS pixels: what most mails are made for.
#[cfg(feature = "picture")]
const WIDTH_PX: u32 = 600;

/// A workspace, and whoever waits.
pub struct Shop<'a> {
    /// Where images lie.
    pub home: &'a Arc<Home>,
    /// Told how far it is; may say no.
    pub progress: &'a Arc<Progress>,
}

impl Outside for Shop<'_> {
    #[cfg(feature = "picture")]
    fn draw(&mut self, html: &str) -> Option<Vec<u8>> {
        let mail = RenderedMail { html: html.to_owned(), ..RenderedMail::default() };
        let at = Instant::from_millis(0);
        let made = Made { mail, variant: Default::default(), event: None, at, lints: Vec::new() };
        let key = PictureKey { html: 0, width_px: WIDTH_PX, dark: false, density_percent: 100 };
        let job = PictureJob { home: Arc::clone(self.home), key, made: Arc::new(made) };
        // What cannot be drawn is shown by the browser.
        png(&*super::pictures::draw(&job).ok()?).ok()
    }

    #[cfg(not(feature = "picture"))]
    fn draw(&mut self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn image(&mut self, path: &str) -> Option<Vec<u8>> {
        super::pictures::image(self.home, path)
    }

    fn keeps_on(&mut self, done: f32) -> bool {
        self.progress.keeps_on(done)
    }
}
