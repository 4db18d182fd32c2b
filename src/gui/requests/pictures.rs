//! Pictures of mails, on a thread of their own with the images of the workspace.

#[cfg(feature = "picture")]
use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

#[cfg(feature = "picture")]
use crate::{
    app::mails::pictures::STACK_BYTES,
    content::picture::{ImageFault, ImageSource},
    disk::ImageFolder,
};
use crate::{
    app::{
        Home,
        files::samples,
        mails::pictures::{Drawn, PictureJob},
    },
    disk,
};

/// Most bytes of a logo on a client's page: larger ones would make a page that mail programs refuse.
const MAX_LOGO_BYTES: usize = 2 * 1024 * 1024;

/// An image of the workspace as a file; `None` where there is none, or where it is too large for a page.
pub fn image(home: &Home, path: &str) -> Option<Vec<u8>> {
    if let Some(folder) = &home.folder {
        return disk::image(folder, path, MAX_LOGO_BYTES).ok();
    }
    Some(home.sample.and_then(samples::workspace)?.image(path)?.to_vec())
}

/// The images of a workspace: in its folder, or inside the program where it is a sample that has no folder yet.
#[cfg(feature = "picture")]
struct Images(Arc<Home>);

#[cfg(feature = "picture")]
impl ImageSource for Images {
    fn image(&self, path: &str) -> Result<Vec<u8>, ImageFault> {
        if let Some(folder) = &self.0.folder {
            return ImageFolder(folder.clone()).image(path);
        }
        let sample = self.0.sample.and_then(samples::workspace);
        sample.and_then(|sample| sample.image(path)).map(<[u8]>::to_vec).ok_or(ImageFault::Missing)
    }
}

/// Longest wait for one picture. Source: forty times what the slowest sample mail takes without optimisation.
#[cfg(feature = "picture")]
const LIMIT: Duration = Duration::from_secs(10);
/// Most threads that draw something nobody waits for any more; each holds a core and up to some hundred megabytes.
#[cfg(feature = "picture")]
const MOST_STUCK: usize = 2;

/// What a painter is asked: the work, and where the picture goes.
#[cfg(feature = "picture")]
type Order = (Box<dyn FnOnce() -> Drawn + Send>, mpsc::Sender<Drawn>);

/// A thread that draws, kept with its fonts from mail to mail; and those that were left behind with a mail that takes
/// too long, because a layout cannot be interrupted.
#[cfg(feature = "picture")]
struct Painters {
    current: Option<(mpsc::Sender<Order>, JoinHandle<()>)>,
    stuck: Vec<JoinHandle<()>>,
}

#[cfg(feature = "picture")]
impl Painters {
    const fn new() -> Self {
        Self { current: None, stuck: Vec::new() }
    }

    /// Gives the work to the painter and waits; a painter that takes longer is replaced by a new one.
    fn draw(&mut self, limit: Duration, work: Box<dyn FnOnce() -> Drawn + Send>) -> Drawn {
        self.stuck.retain(|thread| !thread.is_finished());
        if self.stuck.len() >= MOST_STUCK {
            return Err(format!(
                "{MOST_STUCK} mails that take too long are still being drawn. Open the mail in the browser, or try again \
                 later"
            ));
        }
        let (orders, _) = match &mut self.current {
            Some(current) if !current.1.is_finished() => current,
            current => {
                let (orders, ordered) = mpsc::channel::<Order>();
                let paint = move || {
                    for (work, tell) in ordered {
                        // Nobody listens any more where it took too long.
                        let _ = tell.send(work());
                    }
                };
                let thread = thread::Builder::new().name("picture".to_owned()).stack_size(STACK_BYTES).spawn(paint);
                let thread = thread.map_err(|error| format!("No thread to draw the mail: {error}. Try again"))?;
                current.insert((orders, thread))
            }
        };
        let (tell, told) = mpsc::channel();
        let failed = || Err("The picture could not be drawn. Open the mail in the browser".to_owned());
        if orders.send((work, tell)).is_err() {
            self.current = None;
            return failed();
        }
        match told.recv_timeout(limit) {
            Ok(drawn) => drawn,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                self.current = None;
                failed()
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                // Without orders it ends by itself as soon as it is done.
                self.stuck.extend(self.current.take().map(|(_, thread)| thread));
                Err(format!(
                    "The mail takes longer than {} s to draw. Shorten it, or open it in the browser",
                    limit.as_secs()
                ))
            }
        }
    }
}

/// Draws a mail and waits for it, at most ten seconds; the work is done on a thread with the stack that a layout needs.
/// One mail is drawn at a time: two at once would only wait for the same cores.
#[cfg(feature = "picture")]
pub fn draw(job: &PictureJob) -> Drawn {
    static PAINTERS: Mutex<Painters> = Mutex::new(Painters::new());
    let job = job.clone();
    let work = move || job.draw(&Images(Arc::clone(&job.home)));
    PAINTERS.lock().unwrap_or_else(PoisonError::into_inner).draw(LIMIT, Box::new(work))
}

/// Says that this program draws none.
#[cfg(not(feature = "picture"))]
pub fn draw(job: &PictureJob) -> Drawn {
    job.draw_without_images()
}

#[cfg(all(test, feature = "picture"))]
mod tests {
    use super::*;

    /// What a picture says that cannot be there.
    fn drawn(word: &'static str) -> Box<dyn FnOnce() -> Drawn + Send> {
        Box::new(move || Err(word.to_owned()))
    }

    #[track_caller]
    fn check(got: &Drawn, expected: &str) {
        let said = got.as_ref().err().map_or("a picture", String::as_str);
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn a_mail_that_takes_too_long_keeps_no_other_waiting() {
        let (short, long) = (Duration::from_millis(1), Duration::from_secs(60));
        let mut painters = Painters::new();
        check(&painters.draw(long, drawn("first")), "first");
        let mut ends = Vec::new();
        for _ in 0..MOST_STUCK {
            let (end, ended) = mpsc::channel::<()>();
            ends.push(end);
            let hangs = Box::new(move || ended.recv().map_or(Err("over".to_owned()), |()| Err("over".to_owned())));
            check(&painters.draw(short, hangs), "takes longer");
            if ends.len() < MOST_STUCK {
                check(&painters.draw(long, drawn("next")), "next");
            }
        }
        check(&painters.draw(long, drawn("not asked")), "still being drawn");
        // The threads end when their mails are done.
        ends.clear();
        while !painters.stuck.iter().all(JoinHandle::is_finished) {
            thread::yield_now();
        }
        check(&painters.draw(long, drawn("last")), "last");
    }

    #[test]
    fn a_painter_that_fails_is_replaced() {
        let mut painters = Painters::new();
        let long = Duration::from_secs(60);
        check(
            &painters.draw(long, Box::new(|| std::panic::resume_unwind(Box::new("over-ripe")))),
            "could not be drawn",
        );
        check(&painters.draw(long, drawn("next")), "next");
    }
}
