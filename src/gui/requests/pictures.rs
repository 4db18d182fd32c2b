//! Pictures of mails, on a thread of their own with the images of the workspace.

use std::sync::Arc;

use crate::app::{Home, JobDone, mails::pictures::PictureJob};
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
pub fn draw(job: PictureJob) -> JobDone {
    let (document, key) = (job.document, job.key);
    let failed = |why: &str| JobDone::Pictured { document, key, drawn: Err(why.to_owned()) };
    let work = move || job.done(&Images(Arc::clone(&job.home)));
    let thread = std::thread::Builder::new().name("picture".to_owned()).stack_size(STACK_BYTES).spawn(work);
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => failed("The picture could not be drawn. Open the mail in the browser"),
        Err(error) => failed(&format!("No thread to draw the mail: {error}")),
    }
}

/// Says that this program draws none.
#[cfg(not(feature = "picture"))]
pub fn draw(job: PictureJob) -> JobDone {
    job.undone()
}
