//! What the window asks of the machine: clock, dialogs, files, threads. The only file of this room that touches them.

use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
};

use super::Outside;
use crate::{
    app::{Answer, Home, Request},
    base::Instant,
    disk,
};

/// The machine.
pub struct System {
    send: Sender<Answer>,
    receive: Receiver<Answer>,
}

impl Default for System {
    fn default() -> Self {
        Self::new()
    }
}

impl System {
    /// Nothing under way.
    pub fn new() -> Self {
        let (send, receive) = mpsc::channel();
        Self { send, receive }
    }

    /// Does something on a thread of its own and wakes the window when it is done.
    fn spawn(&self, name: &str, ctx: &egui::Context, work: impl FnOnce() -> Option<Answer> + Send + 'static) {
        let (send, ctx) = (self.send.clone(), ctx.clone());
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            if let Some(answer) = work() {
                // The window is gone when nobody listens, and then nobody needs the answer.
                let _ = send.send(answer);
                ctx.request_repaint();
            }
        });
        if let Err(error) = thread {
            let _ = self.send.send(Answer::Failed(format!("No thread for {name}: {error}")));
        }
    }
}

impl Outside for System {
    #[expect(clippy::disallowed_methods, reason = "the one place of the window that reads the clock")]
    fn now(&self) -> Instant {
        Instant::from_millis(jiff::Timestamp::now().as_millisecond())
    }

    fn perform(&mut self, request: Request, ctx: &egui::Context) {
        match request {
            Request::AskOpen => self.spawn("open dialog", ctx, || {
                let dialog = rfd::FileDialog::new().set_title("Open a flow").add_filter("Flows", &["ron"]);
                let path = dialog.pick_file()?;
                Some(read(&path))
            }),
            Request::AskSave { document, suggested } => self.spawn("save dialog", ctx, move || {
                let dialog = rfd::FileDialog::new().set_title("Save the flow").set_file_name(suggested);
                dialog.save_file().map(|path| Answer::SavePath { document, path })
            }),
            Request::Read(path) => self.spawn("reader", ctx, move || Some(read(&path))),
            Request::Write { document, path, text, revision } => self.spawn("writer", ctx, move || {
                Some(match disk::file(&path, text.as_bytes(), true) {
                    Ok(()) => Answer::Saved { document, path, revision },
                    Err(error) => Answer::Failed(error.to_string()),
                })
            }),
            Request::Start(job) => self.spawn(job.title(), ctx, move || Some(Answer::Done(job.run()))),
            Request::CopyText(text) => ctx.copy_text(text),
            Request::Focus(field) => super::focus(ctx, field),
            Request::AskPaste => ctx.send_viewport_cmd(egui::ViewportCommand::RequestPaste),
            Request::OpenInBrowser { name, html } => {
                let path = std::env::temp_dir().join(name);
                match disk::file(&path, html.as_bytes(), true) {
                    Ok(()) => ctx.open_url(egui::OpenUrl::new_tab(format!("file://{}", path.display()))),
                    Err(error) => {
                        let _ =
                            self.send.send(Answer::Failed(format!("{} cannot be written: {error}", path.display())));
                    }
                }
            }
            Request::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
        }
    }

    fn poll(&mut self) -> Vec<Answer> {
        self.receive.try_iter().collect()
    }
}

/// Reads a flow with what stands around it.
pub fn read(path: &Path) -> Answer {
    let opened = || -> Result<Answer, disk::Error> {
        let file = disk::flow_even_newer(path)?;
        let home = home(path)?;
        Ok(Answer::Opened { path: Some(path.to_owned()), loaded: Box::new(file.loaded), home: Arc::new(home) })
    };
    opened().unwrap_or_else(|error| Answer::Failed(error.to_string()))
}

/// What stands around a flow.
fn home(path: &Path) -> Result<Home, disk::Error> {
    let place = disk::home(path, None)?;
    let found = disk::audience_folder(&place).map(|folder| disk::audience(&folder)).transpose()?;
    let other_flows = disk::neighbours(path, &place);
    let mut notes = place.notes;
    let audience = found.map(|found| {
        notes.extend(found.warnings);
        found.audience
    });
    Ok(Home {
        folder: place.folder,
        source: place.source.map(|source| source.text).unwrap_or_default(),
        workspace: place.workspace,
        audience: audience.unwrap_or_default(),
        other_flows,
        notes,
    })
}
