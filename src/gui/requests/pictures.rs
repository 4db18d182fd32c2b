//! Pictures of mails, on a thread of their own with the images of the workspace.

#[cfg(feature = "picture")]
use std::sync::Arc;

#[cfg(feature = "picture")]
use crate::app::Home;
use crate::app::mails::pictures::{Drawn, PictureJob};
#[cfg(feature = "picture")]
use crate::{
    app::{files::samples, mails::pictures::STACK_BYTES},
    content::picture::{ImageFault, ImageSource, MAX_IMAGE_BYTES},
    disk,
};

/// The images of a workspace: in its folder, or inside the program where it is a sample that has no folder yet.
#[cfg(feature = "picture")]
struct Images(Arc<Home>);

#[cfg(feature = "picture")]
impl ImageSource for Images {
    fn image(&self, path: &str) -> Result<Vec<u8>, ImageFault> {
        if let Some(folder) = &self.0.folder {
            return disk::image(folder, path, MAX_IMAGE_BYTES).map_err(|fault| match fault {
                disk::NoImage::Missing => ImageFault::Missing,
                disk::NoImage::TooLarge => ImageFault::TooLarge,
                disk::NoImage::Unreadable(why) => ImageFault::Unreadable(why),
            });
        }
        let sample = self.0.sample.and_then(samples::workspace);
        sample.and_then(|sample| sample.image(path)).map(<[u8]>::to_vec).ok_or(ImageFault::Missing)
    }
}

/// Draws a mail and waits for it; the work is done on a thread with the stack that a layout needs.
#[cfg(feature = "picture")]
pub fn draw(job: &PictureJob) -> Drawn {
    let work = || job.draw(&Images(Arc::clone(&job.home)));
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("picture".to_owned()).stack_size(STACK_BYTES);
        match thread.spawn_scoped(scope, work).map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(drawn)) => drawn,
            Ok(Err(_)) => Err("The picture could not be drawn. Open the mail in the browser".to_owned()),
            Err(error) => Err(format!("No thread to draw the mail: {error}")),
        }
    })
}

/// Says that this program draws none.
#[cfg(not(feature = "picture"))]
pub fn draw(job: &PictureJob) -> Drawn {
    job.draw_without_images()
}
