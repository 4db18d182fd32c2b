//! What the run page asks of the machine: engines as processes of their own, looked at and talked to.
//!
//! The one idea: an engine started here is no different from one started in a terminal. It writes its log into its
//! folder and belongs to a process group of its own, so that it outlives the window where the user wants that; it is
//! found by `engine.json`, and told to stop by a signal. Looking reads the folder's file; orders go over the engine's
//! API. One thread looks at one folder, once a second, and ends when nobody looks any more.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use crate::{
    app::run::{Answered, Ask, MOST_FOUND, MOST_HELD, StartJob, Task, Told},
    engine::{
        client::Client,
        intake::door::Door,
        status::Status,
        store::{self, Reader},
        work::{Order, Refusal},
    },
};

/// How often an engine is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The file in an engine's folder that it writes its log to when the studio started it.
pub const LOG: &str = "engine.log";
/// A log of so many bytes is put aside at the next start. Source: assumption, some days of warnings.
const LONG_LOG: u64 = 4 << 20;
/// Bytes of a log that are read at once; what is older than that is not shown.
const MOST_READ: u64 = 64 << 10;
/// How often and how long a start or an end is waited for: a minute, since a large store is recovered first.
const WAIT: Duration = Duration::from_millis(100);
const MOST_WAITS: u32 = 600;
/// Lines of a failed start that are shown.
const MOST_SAID: usize = 6;
/// Who stands in the audit line of an order.
const WHO: &str = "studio";

/// Takes what is told.
pub type Tell = Arc<dyn Fn(Told) + Send + Sync>;

/// Engines, as this window has to do with them.
pub struct Engines {
    /// The program that runs them.
    program: io::Result<PathBuf>,
    watched: Option<(PathBuf, Sender<(u64, Ask)>)>,
    /// Folders whose engine was told to stop: its end is no fault.
    stopping: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Default for Engines {
    fn default() -> Self {
        Self::with(std::env::current_exe())
    }
}

impl Engines {
    /// Engines that are run by a program: this one, outside of tests.
    pub fn with(program: io::Result<PathBuf>) -> Self {
        Self { program, watched: None, stopping: Arc::default() }
    }

    /// Does what is asked, on threads of its own.
    pub fn perform(&mut self, task: Task, tell: &Tell) {
        match task {
            Task::Watch(None) => self.watched = None,
            Task::Watch(Some(data)) => {
                let (asks, asked) = mpsc::channel();
                let (folder, teller) = (data.clone(), Arc::clone(tell));
                self.watched = Some((data.clone(), asks));
                spawn("engine", data, tell, move || watch(&folder, &asked, &teller));
            }
            Task::Ask { data, id, ask } => {
                // Where nobody looks at the folder any more, nobody waits for the answer.
                if let Some((_, asks)) = self.watched.as_ref().filter(|(watched, _)| *watched == data) {
                    let _ = asks.send((id, ask));
                }
            }
            Task::Start(job) => {
                let program = match &self.program {
                    Ok(program) => program.clone(),
                    Err(error) => {
                        let error = format!("The program does not find itself: {error}");
                        let refusal = Refusal::new(error, "Start it in a terminal: flowloom run FLOW --data DIR");
                        return tell(Told::NotStarted { data: job.data, refusal });
                    }
                };
                let (teller, stopping) = (Arc::clone(tell), Arc::clone(&self.stopping));
                spawn("engine start", job.data.clone(), tell, move || start(&program, &job, &stopping, &teller));
            }
            Task::Stop(data) => {
                self.stopping.lock().unwrap_or_else(PoisonError::into_inner).insert(data.clone());
                let (teller, stopping) = (Arc::clone(tell), Arc::clone(&self.stopping));
                spawn("engine stop", data.clone(), tell, move || {
                    if let Err(refusal) = stop(&data) {
                        stopping.lock().unwrap_or_else(PoisonError::into_inner).remove(&data);
                        teller(Told::NotStopped { data, refusal });
                    } else {
                        let status = resting(&data);
                        teller(Told::Resting { data, status });
                    }
                });
            }
        }
    }
}

fn spawn(name: &str, data: PathBuf, tell: &Tell, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(work) {
        let refusal = Refusal::new(format!("No thread can be started: {error}"), "Close other programs");
        tell(Told::NotStarted { data, refusal });
    }
}

/// What the file of an engine that does not run says; `None` where there is none.
fn resting(data: &Path) -> Option<Box<Status>> {
    #[expect(clippy::disallowed_methods, reason = "the clock of a resting engine is the machine's")]
    let now = crate::base::Instant::from_millis(jiff::Timestamp::now().as_millisecond());
    Reader::open(data).and_then(|reader| reader.status(now)).ok().map(Box::new)
}

/// Looks at a folder and answers what is asked, until nobody asks any more.
fn watch(data: &Path, asked: &Receiver<(u64, Ask)>, tell: &Tell) {
    let mut client: Option<Client> = None;
    let mut tail = Tail::new(data.join(LOG));
    let mut was_resting = false;
    loop {
        let status = client.as_ref().map(Client::status);
        let status = match status {
            Some(Ok(status)) => Some(status),
            // It may have been started again, and have another door.
            _ => {
                client = Client::of(data).unwrap_or_default();
                client.as_ref().and_then(|client| client.status().ok())
            }
        };
        let lines = tail.read();
        if !lines.is_empty() {
            tell(Told::Log { data: data.to_owned(), lines });
        }
        match (status, &client) {
            (Some(status), Some(client)) => {
                was_resting = false;
                let door = client.door();
                tell(Told::Running {
                    data: data.to_owned(),
                    address: format!("http://{}", door.address),
                    has_process: door.pid.is_some(),
                    status: Box::new(status),
                });
            }
            _ => {
                client = None;
                if !was_resting {
                    tell(Told::Resting { data: data.to_owned(), status: resting(data) });
                }
                was_resting = true;
            }
        }
        let first = match asked.recv_timeout(LOOK) {
            Ok(ask) => ask,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut asks = vec![first];
        asks.extend(asked.try_iter());
        // Of what is typed only the last word counts.
        let last_search = asks.iter().rposition(|(_, ask)| matches!(ask, Ask::Search(_)));
        for (n, (id, ask)) in asks.into_iter().enumerate() {
            if matches!(ask, Ask::Search(_)) && Some(n) != last_search {
                continue;
            }
            tell(Told::Answered { data: data.to_owned(), id, answer: answer(data, client.as_ref(), ask) });
        }
    }
}

fn answer(data: &Path, client: Option<&Client>, ask: Ask) -> Answered {
    let of_store = |error: store::Error| Refusal { error: error.message, hint: error.hint };
    let reader = || Reader::open(data).map_err(of_store);
    match ask {
        Ask::Order(order) => Answered::Order(match client {
            Some(client) => give(client, &order),
            None => Err(Refusal::new("The engine does not run", "Start it, and ask again")),
        }),
        Ask::Search(text) => Answered::Search(reader().and_then(|r| r.search(&text, MOST_FOUND).map_err(of_store))),
        Ask::Contact(id) => Answered::Contact(
            reader().and_then(|r| r.contact(id.as_str()).map_err(of_store)).map(|view| view.map(Box::new)),
        ),
        Ask::Mail(key) => {
            let mail = reader().and_then(|r| r.mail(&key).map_err(of_store));
            Answered::Mail(key, mail)
        }
        Ask::Held => Answered::Held(reader().and_then(|r| r.held(None, MOST_HELD).map_err(of_store))),
        Ask::HeldOf(flow) => {
            let rows = reader().and_then(|r| r.held(Some(&flow), MOST_HELD).map_err(of_store));
            Answered::HeldOf(flow, rows)
        }
        Ask::Plan { flow, mapping } => {
            let plan = reader().and_then(|r| r.migration(&flow, &mapping).map_err(of_store));
            let none = || Refusal::new("The engine does not run this flow", "Publish it first");
            Answered::Plan(plan.and_then(|plan| plan.ok_or_else(none)))
        }
    }
}

fn give(client: &Client, order: &Order) -> Result<String, Refusal> {
    client.order(WHO, order)
}

/// The end of a log, line by line.
struct Tail {
    path: PathBuf,
    /// What was read; `None` before the first time.
    at: Option<u64>,
    rest: Vec<u8>,
}

impl Tail {
    fn new(path: PathBuf) -> Self {
        Self { path, at: None, rest: Vec::new() }
    }

    /// Whole lines that came since the last time; none where there is no log.
    fn read(&mut self) -> Vec<String> {
        self.bytes().map(|bytes| self.lines(&bytes)).unwrap_or_default()
    }

    fn bytes(&mut self) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        let len = file.metadata()?.len();
        // A log that is shorter than before is a new one.
        let from = self.at.filter(|at| *at <= len).unwrap_or(0).max(len.saturating_sub(MOST_READ));
        if self.at != Some(from) {
            self.rest.clear();
        }
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(MOST_READ).read_to_end(&mut bytes)?;
        self.at = Some(from + bytes.len() as u64);
        Ok(bytes)
    }

    fn lines(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        String::from_utf8_lossy(&whole).lines().map(clean).collect()
    }
}

/// A line of a log without what a window cannot draw.
fn clean(line: &str) -> String {
    line.chars().filter(|c| !c.is_control() || *c == '\t').collect()
}

/// Starts an engine, says how that went, and waits for its end.
fn start(program: &Path, job: &StartJob, stopping: &Mutex<BTreeSet<PathBuf>>, tell: &Tell) {
    let data = job.data.clone();
    let no = |refusal| tell(Told::NotStarted { data: data.clone(), refusal });
    // What was asked of an engine before this one is over.
    stopping.lock().unwrap_or_else(PoisonError::into_inner).remove(&data);
    match Client::of(&data) {
        Ok(None) => {}
        Ok(Some(client)) => {
            let error = format!("An engine runs in this folder already, at {}", client.door().address);
            return no(Refusal::new(error, "It is shown here; stop it first to start another"));
        }
        Err(refusal) => return no(refusal),
    }
    let begun = begin(program, job).map_err(|error| {
        Refusal::new(
            format!("The engine cannot be started in {}: {error}", data.display()),
            "Name another folder, or look at the rights of this one",
        )
    });
    let (mut child, log, from) = match begun {
        Ok(begun) => begun,
        Err(refusal) => return no(refusal),
    };
    for _ in 0..MOST_WAITS {
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(_)) => return no(said_refusal(&log, from)),
            Err(error) => return no(Refusal::new(format!("The engine cannot be waited for: {error}"), "Try again")),
        }
        let is_own = Door::read(&data).is_ok_and(|door| door.pid == Some(child.id()));
        if is_own && let Ok(Some(client)) = Client::of(&data) {
            let door = client.door();
            if let Ok(status) = client.status() {
                let (address, has_process) = (format!("http://{}", door.address), door.pid.is_some());
                tell(Told::Running { data: data.clone(), address, has_process, status: Box::new(status) });
                break;
            }
        }
        // Told to stop before it answers: a start that is broken off harms nothing.
        if stopping.lock().unwrap_or_else(PoisonError::into_inner).contains(&data) {
            let _ = end(child.id());
            break;
        }
        thread::sleep(WAIT);
    }
    let ended = child.wait();
    let was_asked = stopping.lock().unwrap_or_else(PoisonError::into_inner).remove(&data);
    let fault = match ended {
        Ok(status) if was_asked || status.success() => None,
        Ok(status) => Some(format!("{status}. {}", said(&log, from, 1).join(" "))),
        Err(error) => Some(error.to_string()),
    };
    tell(Told::Ended { data, fault });
}

/// The process, its log, and where in it its first line stands.
fn begin(program: &Path, job: &StartJob) -> io::Result<(Child, PathBuf, u64)> {
    fs::create_dir_all(&job.data)?;
    let ignore = job.data.join(".gitignore");
    if !ignore.exists() {
        fs::write(&ignore, "# Data of a Flowloom engine: contacts, mails, keys. Not for a repository.\n*\n")?;
    }
    let log = job.data.join(LOG);
    if fs::metadata(&log).is_ok_and(|found| found.len() > LONG_LOG) {
        fs::rename(&log, job.data.join(format!("{LOG}.1")))?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&log)?;
    let from = out.metadata()?.len();
    out.flush()?;
    let mut command = Command::new(program);
    command.arg("run").arg(&job.flow).arg("--data").arg(&job.data).arg("--listen").arg(&job.listen);
    if job.time_scale != 1.0 {
        command.arg("--time-scale").arg(job.time_scale.to_string());
    }
    if let Some(mail) = &job.mail {
        command.arg("--mail").arg(mail);
    }
    if let Some(public) = &job.public {
        command.arg("--public-url").arg(public);
    }
    command.args(job.options.arguments());
    // Ctrl-C in the terminal of the window is not meant for the engine.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).spawn()?;
    Ok((child, log, from))
}

/// The last lines of a log from a place on.
fn said(log: &Path, from: u64, most: usize) -> Vec<String> {
    let mut tail = Tail { path: log.to_owned(), at: Some(from), rest: Vec::new() };
    let lines = tail.bytes().map(|bytes| String::from_utf8_lossy(&bytes).lines().map(clean).collect::<Vec<_>>());
    let lines = lines.unwrap_or_default();
    let lines: Vec<String> = lines.into_iter().map(|line| line.trim().to_owned()).filter(|l| !l.is_empty()).collect();
    lines[lines.len().saturating_sub(most)..].to_vec()
}

/// Why an engine ended before it answered, from its own words: `error: …` and `hint: …`.
fn said_refusal(log: &Path, from: u64) -> Refusal {
    let lines = said(log, from, MOST_SAID);
    let after = |word: &str| lines.iter().find_map(|line| line.strip_prefix(word)).map(|text| text.trim().to_owned());
    let error = after("error:").or_else(|| lines.last().cloned());
    let hint = after("hint:").or_else(|| after("help:"));
    Refusal::new(
        error.unwrap_or_else(|| "The engine ended without a word".to_owned()),
        hint.unwrap_or_else(|| "Its log says more".to_owned()),
    )
}

/// Tells the engine of a folder to stop, and waits until it has.
///
/// Errors: none answers there; it does not say which process it is; it does not end.
fn stop(data: &Path) -> Result<(), Refusal> {
    let Some(client) = Client::of(data)? else { return Ok(()) };
    // Whoever answers with its token is the one that wrote the file.
    client.status()?;
    let Some(pid) = client.door().pid else {
        let error = format!("The engine at {} does not say which process it is", client.door().address);
        return Err(Refusal::new(error, "Stop it where it was started, with Ctrl-C"));
    };
    end(pid)?;
    for _ in 0..MOST_WAITS {
        if !is_alive(pid) {
            return Ok(());
        }
        thread::sleep(WAIT);
    }
    Err(Refusal::new("The engine is still finishing what is on its way", "Wait, or look at its log"))
}

#[cfg(unix)]
fn process(pid: u32) -> Option<rustix::process::Pid> {
    i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw)
}

/// Asks a process to end.
#[cfg(unix)]
fn end(pid: u32) -> Result<(), Refusal> {
    let told = process(pid).map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::TERM));
    match told {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => {
            Err(Refusal::new(format!("Process {pid} cannot be told to stop: {error}"), "Stop it where it was started"))
        }
        None => Err(Refusal::new(format!("{pid} is no process"), "Stop the engine where it was started")),
    }
}

#[cfg(unix)]
fn is_alive(pid: u32) -> bool {
    process(pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

/// Ends a process: this system has no word to ask it with, and an engine that just ends loses nothing.
#[cfg(not(unix))]
fn end(pid: u32) -> Result<(), Refusal> {
    let told = Command::new("taskkill").args(["/F", "/PID", &pid.to_string()]).status();
    match told {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Refusal::new(format!("Process {pid} cannot be ended"), "Stop the engine where it was started")),
    }
}

#[cfg(not(unix))]
fn is_alive(_: u32) -> bool {
    false
}
