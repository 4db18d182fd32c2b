//! The PNG of `flowloom preview`: images from the workspace, a thread with a limit, what the picture lacks in words.
//!
//! Deliberately not here: how a mail is drawn (`content::picture`).

use std::{path::PathBuf, sync::mpsc, thread, time::Duration};

use super::{Failure, Streams, show, stage::Stage};
use crate::{
    content::picture::{Blitz, Error, Picture, Request, STACK_BYTES, Scheme, draw, png},
    disk::ImageFolder,
};

/// How long a picture may take. Source: a hundred times what the slowest sample mail takes without optimisation.
const LIMIT: Duration = Duration::from_secs(10);

/// The mail as a PNG file; what is not in the picture is told.
///
/// Errors: as [`drawn`].
pub fn of(stage: &Stage, html: &str, width_px: u32, dark: bool, streams: &mut Streams) -> Result<Vec<u8>, Failure> {
    let path = &stage.file.source.path;
    let beside = path.parent().map_or_else(|| PathBuf::from("."), PathBuf::from);
    let folder = stage.home.folder.clone().unwrap_or(beside);
    let picture = drawn(folder, stage.home.workspace.brand.images.clone(), html, width_px, dark)?;
    streams.tell(&show::clean(&lacking(&picture)));
    file(&picture)
}

/// The picture of a mail whose workspace lies in `folder`; `base` is where its images lie on the web.
///
/// Errors: what cannot be drawn, and a mail that takes longer than ten seconds.
pub fn drawn(folder: PathBuf, base: String, html: &str, width_px: u32, dark: bool) -> Result<Picture, Failure> {
    let html = html.to_owned();
    let (tell, told) = mpsc::channel();
    let drawing = thread::Builder::new().name("picture".to_owned()).stack_size(STACK_BYTES).spawn(move || {
        let request = Request {
            html: &html,
            width_px,
            scale: 1.0,
            scheme: if dark { Scheme::Dark } else { Scheme::Light },
            image_base: &base,
            images: &ImageFolder(folder),
        };
        // Nobody listens any more where it took too long.
        let _ = tell.send(draw(&Blitz::new(), &request));
    });
    drawing.map_err(|error| Failure::refused(format!("The picture needs a thread: {error}"), "Try again"))?;
    let picture = told.recv_timeout(LIMIT).map_err(|_| {
        let message = format!("The mail took longer than {} s to draw", LIMIT.as_secs());
        Failure::refused(message, "Print it with --format html, and open that in a browser")
    })?;
    picture.map_err(|error| Failure::refused(error.to_string(), error.hint()))
}

/// A picture as a PNG file.
///
/// Errors: what the encoder says.
pub fn file(picture: &Picture) -> Result<Vec<u8>, Failure> {
    png(picture).map_err(|error| {
        let error = Error::Crashed(error);
        Failure::refused(error.to_string(), error.hint())
    })
}

/// What a reader of the picture should know, a line each.
fn lacking(picture: &Picture) -> String {
    let mut lines = Vec::new();
    match picture.remote_blocked {
        0 => {}
        1 => lines.push("1 remote image blocked".to_owned()),
        number => lines.push(format!("{number} remote images blocked")),
    }
    lines.extend(picture.missing_images.iter().map(|image| format!("Image not shown: {image}")));
    if !picture.lost_words.is_empty() {
        let words = picture.lost_words.join(" ");
        lines.push(format!("This picture misses text, open the mail in a browser: {words}"));
    }
    lines.extend(picture.notes.iter().cloned());
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}
