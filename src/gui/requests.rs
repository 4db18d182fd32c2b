//! What the window asks of the machine: clock, dialogs, files, threads. The only part of this room that touches them.
//!
//! Files are the [`keeper`]'s, on one thread, one after the other; what takes long and touches no file has a thread of
//! its own.

mod client;
mod dialogs;
pub mod keeper;
mod machine;
mod pictures;
#[cfg(feature = "push")]
pub mod push;
#[cfg(feature = "engine")]
pub mod run;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread::JoinHandle,
};

use self::keeper::Keeper;
pub use self::machine::{Images, Machine};
use super::Outside;
use crate::{
    app::{
        Answer, Request,
        client::{Client, file},
        files::{Purpose, Task, Told, samples, with_ending},
        hand_over,
    },
    base::Instant,
    disk,
    report::diagram::Paper,
};

/// Work for the keeper.
enum Work {
    Read(PathBuf),
    Task(Task),
}

/// The way to the keeper's thread, and the thread.
type KeeperThread = (Sender<(Work, egui::Context)>, JoinHandle<()>);

/// The machine.
pub struct System {
    send: Sender<Answer>,
    receive: Receiver<Answer>,
    keeper: Option<KeeperThread>,
    has_dialogs: Option<bool>,
    #[cfg(feature = "engine")]
    engines: run::Engines,
}

impl Default for System {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place of the window that reads the clock")]
fn now() -> Instant {
    Instant::from_millis(jiff::Timestamp::now().as_millisecond())
}

impl System {
    /// Nothing under way; what the studio has to know at its start is the first to be polled.
    pub fn new() -> Self {
        let (send, receive) = mpsc::channel();
        let (mut keeper, first) = Keeper::start(disk::own_folders(), now().as_millis());
        for answer in first {
            // The receiver is here.
            let _ = send.send(answer);
        }
        let (post, work) = mpsc::channel::<(Work, egui::Context)>();
        let answers = send.clone();
        let thread = std::thread::Builder::new().name("files".to_owned()).spawn(move || {
            // Ends when the window lets go of its end.
            for (work, ctx) in work {
                let done = match work {
                    Work::Read(path) => vec![keeper.read(&path)],
                    Work::Task(task) => keeper.perform(task),
                };
                if !done.is_empty() {
                    for answer in done {
                        // The window is gone when nobody listens, and then nobody needs the answer.
                        let _ = answers.send(answer);
                    }
                    ctx.request_repaint();
                }
            }
        });
        let keeper = match thread {
            Ok(thread) => Some((post, thread)),
            Err(error) => {
                let _ = send.send(Answer::Failed(format!("No thread for files, nothing can be saved: {error}")));
                None
            }
        };
        Self {
            send,
            receive,
            keeper,
            has_dialogs: None,
            #[cfg(feature = "engine")]
            engines: run::Engines::default(),
        }
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

    fn post(&self, work: Work, ctx: &egui::Context) {
        if let Some((post, _)) = &self.keeper {
            // The thread ends only when this end is dropped.
            let _ = post.send((work, ctx.clone()));
        }
    }

    fn has_dialogs(&mut self) -> bool {
        *self.has_dialogs.get_or_insert_with(dialogs::are_there)
    }

    /// Our own dialog instead of the system's.
    fn no_dialog(&self, purpose: Purpose, suggested: String, ctx: &egui::Context) {
        let folder = std::env::current_dir().or_else(|_| std::path::absolute("."));
        let folder = folder.unwrap_or_else(|_| PathBuf::from("."));
        // The receiver is here.
        let _ = self.send.send(Told::NoDialog { purpose, suggested, folder }.into());
        ctx.request_repaint();
    }

    /// Asks for a file of some ending, and gives it to the keeper.
    fn ask_file(
        &self,
        title: &'static str,
        filter: (&'static str, &'static str),
        task: fn(PathBuf) -> Task,
        ctx: &egui::Context,
    ) {
        let Some((post, _)) = &self.keeper else { return };
        let (post, its_ctx) = (post.clone(), ctx.clone());
        self.spawn("open dialog", ctx, move || {
            let path = rfd::FileDialog::new().set_title(title).add_filter(filter.0, &[filter.1]).pick_file()?;
            // Nobody reads when the window is gone.
            let _ = post.send((Work::Task(task(path)), its_ctx));
            None
        });
    }

    fn files(&mut self, task: Task, ctx: &egui::Context) {
        match task {
            Task::OpenSample { workspace, flow, loaded } => self.spawn("sample", ctx, move || {
                let home = Arc::new(samples::home(workspace, flow));
                Some(Told::Sample { workspace, loaded, home }.into())
            }),
            Task::Export { document, id, revision, target, progress, flow, home } => {
                self.spawn("export", ctx, move || {
                    if progress.is_cancelled() {
                        return None;
                    }
                    let result = hand_over::export(target, &flow, &home.workspace, &home.audience).map(Arc::new);
                    Some(Told::Exported { document, id, revision, target, result }.into())
                })
            }
            #[cfg(feature = "push")]
            Task::Push(task) => self.spawn("account", ctx, move || Some(Told::Push(push::perform(*task)).into())),
            Task::Client { document, id, format, date, progress, flow, home } => {
                self.spawn("client file", ctx, move || {
                    let mut shop = client::Shop { home: &home, progress: &progress };
                    let client = Client {
                        flow: &flow,
                        workspace: &home.workspace,
                        neighbours: &home.other_flows,
                        audience: &home.audience,
                        date: &date,
                        paper: Paper::Auto,
                        scale: 2.0,
                        contacts: &[],
                    };
                    let result = file(&client, format, &mut shop).map(|made| made.map(Arc::from));
                    Some(Told::Client { document, id, format, result }.into())
                })
            }
            #[cfg(feature = "push")]
            Task::Account(task) => {
                self.spawn("account", ctx, move || Some(Told::Account(push::account(*task)).into()));
            }
            Task::AskImport if !self.has_dialogs() => self.no_dialog(Purpose::Import, String::new(), ctx),
            Task::AskImport => self.ask_file("A flow of Klaviyo or HubSpot", ("JSON", "json"), Task::ReadJson, ctx),
            Task::AskCompare if !self.has_dialogs() => self.no_dialog(Purpose::Compare, String::new(), ctx),
            Task::AskCompare => self.ask_file("A flow to compare with", ("Flows", "ron"), Task::ReadToCompare, ctx),
            Task::AskFolder if !self.has_dialogs() => self.no_dialog(Purpose::Export, "export".to_owned(), ctx),
            Task::AskFolder => self.spawn("folder dialog", ctx, || {
                let dialog = rfd::FileDialog::new().set_title("A folder for the export");
                dialog.pick_folder().map(|folder| Told::Folder(folder).into())
            }),
            Task::ShowFolder(folder) => show(&folder, ctx),
            Task::AskText { file, suggested } if !self.has_dialogs() => {
                self.no_dialog(Purpose::Text(file), suggested, ctx);
            }
            Task::AskText { file, suggested } => {
                let Some((post, _)) = &self.keeper else { return };
                let (post, its_ctx) = (post.clone(), ctx.clone());
                self.spawn("save dialog", ctx, move || {
                    let dialog = rfd::FileDialog::new().set_title(format!("Save the {}", file.what));
                    let dialog = dialog.add_filter(file.ending.to_uppercase(), &[file.ending]);
                    let path = with_ending(dialog.set_file_name(suggested).save_file()?, file.ending);
                    // Nobody writes when the window is gone.
                    let _ = post.send((Work::Task(Task::WriteText { path, file }), its_ctx));
                    None
                });
            }
            task => self.post(Work::Task(task), ctx),
        }
    }
}

/// Reads a flow with what stands around it, for whoever has no window.
pub fn read(path: &Path) -> Answer {
    Keeper::default().read(path)
}

/// Shows a page or folder with whatever the system has for it.
fn show(path: &Path, ctx: &egui::Context) {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = path.display().to_string().replace('%', "%25").replace(' ', "%20").replace('#', "%23");
    ctx.open_url(egui::OpenUrl::new_tab(format!("file://{text}")));
}

impl Drop for System {
    fn drop(&mut self) {
        if let Some((post, thread)) = self.keeper.take() {
            drop(post);
            // What was asked for is done before the program ends: a draft, a settings file.
            let _ = thread.join();
        }
    }
}

impl Outside for System {
    fn now(&self) -> Instant {
        now()
    }

    fn perform(&mut self, request: Request, ctx: &egui::Context) {
        match request {
            Request::AskOpen if !self.has_dialogs() => self.no_dialog(Purpose::Open, String::new(), ctx),
            Request::AskOpen => {
                let Some((post, _)) = &self.keeper else { return };
                let (post, its_ctx) = (post.clone(), ctx.clone());
                self.spawn("open dialog", ctx, move || {
                    let dialog = rfd::FileDialog::new().set_title("Open a flow").add_filter("Flows", &["ron"]);
                    // Nobody reads when the window is gone.
                    let _ = post.send((Work::Read(dialog.pick_file()?), its_ctx));
                    None
                });
            }
            Request::AskSave { document, suggested } if !self.has_dialogs() => {
                self.no_dialog(Purpose::Save { document }, suggested, ctx);
            }
            Request::AskSave { document, suggested } => self.spawn("save dialog", ctx, move || {
                let dialog = rfd::FileDialog::new().set_title("Save the flow").set_file_name(suggested);
                dialog.save_file().map(|path| Answer::SavePath { document, path })
            }),
            Request::Read(path) => self.post(Work::Read(path), ctx),
            Request::Files(task) => self.files(task, ctx),
            #[cfg(feature = "engine")]
            Request::Engine(task) => {
                let (send, ctx) = (self.send.clone(), ctx.clone());
                let tell: run::Tell = Arc::new(move |told| {
                    // The window is gone when nobody listens, and then nobody needs the answer.
                    let _ = send.send(Answer::Engine(Box::new(told)));
                    ctx.request_repaint();
                });
                self.engines.perform(*task, &tell);
            }
            Request::Start(job) => self.spawn(job.title(), ctx, move || Some(Answer::Done(job.run_with(&Machine)))),
            Request::CopyText(text) => ctx.copy_text(text),
            Request::Focus(field) => super::focus(ctx, field),
            Request::AskPaste => ctx.send_viewport_cmd(egui::ViewportCommand::RequestPaste),
            Request::OpenInBrowser { name, html } => {
                let path = std::env::temp_dir().join(name);
                match disk::file(&path, html.as_bytes(), true) {
                    Ok(()) => show(&path, ctx),
                    Err(error) => _ = self.send.send(Answer::Failed(error.to_string())),
                }
            }
            Request::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
        }
    }

    fn poll(&mut self) -> Vec<Answer> {
        self.receive.try_iter().collect()
    }
}
