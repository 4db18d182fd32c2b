//! An engine put together: store, writer, senders, intake, watched folder, in one process.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use smol_str::SmolStr;

use super::{
    clock::Clock,
    delivery::{
        Transport,
        links::{Links, Watch as Tracking},
        office::{Desk, MOST_WAITING, Office, SENDERS},
        render::Renderer,
        secrets::Secrets as FlowSecrets,
        ways::{self, Ways},
    },
    driver::{Driver, Told},
    forget::{self, Person, Places},
    handle::Handle,
    intake::{
        self,
        door::{Door, links_warning, public_address},
        guard::{Guard, Secrets},
        mapping::Mapping,
        pulse::Pulse,
        server::{self, Intake, Limits, Parts, Setup},
        watch::Watch,
    },
    readers::Readers,
    redact,
    status::{AuditRow, ContactView, DamagedContact, Export, Found, HeldRow, MoveView, Status},
    store::{self, Reader, WAYS},
    work::{Order, Refusal},
    writer::{self, Writer},
};
use crate::{
    base::{ContactId, FlowId, Instant, NodeId, SendKey, Zone},
    flow::{Flow, Workspace},
    kinds::runtime::Outcome,
};

/// How long requests that are under way may take when the engine stops.
const LAST_REQUESTS: Duration = Duration::from_secs(5);
/// Warnings that status shows, newest last. Source: assumption.
const MOST_WARNINGS: usize = 20;
/// Data that are so far ahead of the clock are worth a word, in milliseconds. Source: assumption.
const AHEAD_MILLIS: i64 = 60_000;
/// Under which name the store keeps the key of the links, so that a copy of it has the key.
const LINKS_KEY: &str = "links_key";
/// What arrives in a minute is shown for the last whole one.
const MINUTE_MILLIS: i64 = 60_000;

/// How an engine runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder that is its own.
    pub data: PathBuf,
    /// Where it has the time from.
    pub clock: Clock,
    /// How things leave.
    pub ways: ways::Settings,
    /// Sender threads.
    pub senders: usize,
    /// Where it listens; port 0 for any that is free.
    pub listen: SocketAddr,
    /// What recipients' links begin with, where a proxy stands before the engine.
    pub public: Option<String>,
    /// Secrets of intake.
    pub secret_file: Option<PathBuf>,
    /// What stands for `${NAME}` in flows.
    pub flow_secrets: Option<PathBuf>,
    /// Webhooks of others, besides the shipped ones.
    pub mapping: Option<PathBuf>,
    /// A folder whose files are taken in.
    pub watch: Option<PathBuf>,
    /// Whether mails tell of being opened and clicked.
    pub tracking: Tracking,
    /// Old rows are dropped after so many days.
    pub keep_days: Option<u32>,
    /// The process, where the engine has one to itself and may be stopped by ending it.
    pub pid: Option<u32>,
}

impl Settings {
    /// Mails into a folder of the data folder, on a free port of loopback.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        let data = data.into();
        let mail = data.join("mails").to_string_lossy().into_owned();
        Self {
            data,
            clock: Clock::Real,
            ways: ways::Settings { mail, ..ways::Settings::default() },
            senders: SENDERS,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public: None,
            secret_file: None,
            flow_secrets: None,
            mapping: None,
            watch: None,
            tracking: Tracking::default(),
            keep_days: Some(400),
            pid: None,
        }
    }
}

/// An engine that runs. It is stopped with [`Self::stop`]; a process that just ends is a crash, which harms nothing.
pub struct Engine {
    data: PathBuf,
    handle: Handle,
    writer: JoinHandle<Driver>,
    office: Office,
    intake: Intake,
    watch: Option<Watch>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({} at {})", self.data.display(), self.intake.address())
    }
}

fn of_store(error: store::Error) -> Refusal {
    Refusal { error: error.message, hint: error.hint }
}

impl Engine {
    /// Starts one, makes flows live in it, and says what happened in words.
    ///
    /// Errors: the folder is another engine's or cannot be used; a setting is none.
    pub fn start(settings: Settings, flows: Vec<Flow>, workspace: &Workspace) -> Result<(Self, Vec<String>), Refusal> {
        let public = settings.public.as_deref().map(public_address).transpose()?;
        let settings = Settings { public, ..settings };
        let mut driver = Driver::open(&settings.data).map_err(of_store)?;
        let reached = driver.store().last_fed().map_err(of_store)?;
        let clock = match reached {
            Some(reached) => settings.clock.clone().gone_on_from(reached),
            None => settings.clock.clone(),
        };
        let ahead = reached.map_or(0, |reached| reached.since(clock.now()));
        let flow_secrets = match &settings.flow_secrets {
            Some(path) => FlowSecrets::of_file(path).map_err(|error| Refusal::new(error, "Mend the file"))?,
            None => FlowSecrets::default(),
        };
        let text_headers = settings.ways.text_headers.iter().map(|(name, value)| {
            let value = flow_secrets.filled(value).map_err(|name| {
                let hint = "Put it into the file of --flow-secrets, or into the variable FLOWLOOM_SECRET_NAME";
                Refusal::new(format!("There is no secret `{name}` for the header of text messages"), hint)
            })?;
            Ok((name.clone(), value))
        });
        let text_headers = text_headers.collect::<Result<_, Refusal>>()?;
        let (ways, pace) = Ways::open(&ways::Settings { text_headers, ..settings.ways.clone() })?;
        if ways.reaches_people() && settings.public.is_none() {
            return Err(Refusal::new(
                "The links of these mails, to unsubscribe above all, would lead nowhere: people cannot reach this machine's \
                 own address",
                "Say with --public-url where the engine is reached from outside, such as https://mail.shop.example",
            ));
        }
        // Links in mails name the address with its port, so it is taken before anything is said.
        let listener = server::bind(settings.listen)?;
        let listen = listener.local_addr().map_err(|error| {
            Refusal::new(format!("{} cannot be used: {error}", settings.listen), "Name another with --listen")
        })?;
        let base = settings.public.clone().unwrap_or_else(|| format!("http://{listen}"));
        let no_links = |error: String| Refusal::new(error, "Look at the data folder");
        let kept = driver.store().meta(LINKS_KEY).map_err(of_store)?;
        let (links, key) =
            Links::of_engine(&settings.data, kept.as_deref(), &base, settings.tracking).map_err(no_links)?;
        if let Some(key) = key {
            driver.store().set_meta(LINKS_KEY, &key).map_err(of_store)?;
        }
        let setup = setup(&settings, listen)?;
        // Before anything is handed over: all that may keep an engine from starting.
        Guard::new(setup.secrets.clone(), setup.admin.clone(), listen.ip(), settings.public.as_deref())?;
        if let Some(folder) = &settings.watch {
            Watch::prepare(folder)?;
        }
        let (pulse, live) = (Arc::new(Pulse::default()), Arc::new(Live::default()));
        let (mut said, told) = begin(&mut driver, &clock, &ways, flows, workspace)?;
        for told in &told {
            live.hear(told, 0, &pulse, clock.now());
            said.extend(told.warnings.iter().map(|warning| format!("warning: {warning}")));
        }
        note_places(&driver, ways.folder(), settings.watch.as_deref())?;
        said.extend(links_warning(settings.public.as_deref(), &base, ways.folder().is_none()));
        let ways: Arc<dyn Transport> = Arc::new(ways);
        if ahead > AHEAD_MILLIS {
            said.push(format!(
                "warning: the data in {} are {} ahead of the clock (was it run with --time-scale?); what is due waits for it",
                settings.data.display(),
                crate::base::Span { millis: ahead / 60_000 * 60_000, ..Default::default() }
            ));
        }

        let (handle, asks) = Handle::new();
        let (jobs, work) = mpsc::channel();
        let hear = {
            let (pulse, live, clock) = (pulse.clone(), live.clone(), clock.clone());
            Box::new(move |told: &Told, items: usize| live.hear(told, items, &pulse, clock.now()))
        };
        let senders = settings.senders.max(1);
        let writer = Writer {
            driver,
            clock: clock.clone(),
            jobs,
            // More than the office holds: a slow domain may fill its lane there, and keeps the others out of nothing.
            most_claimed: MOST_WAITING + 2 * senders,
            keep_days: settings.keep_days,
            hear,
        };
        let no_thread =
            |error: std::io::Error| Refusal::new(format!("No thread can be started: {error}"), "Close other programs");
        let own = handle.clone();
        let writer = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || writer::run(writer, own, &asks))
            .map_err(no_thread)?;
        let desk: Arc<dyn Desk> = Arc::new(handle.clone());
        let renderer = Arc::new(Renderer::new(links.clone(), flow_secrets));
        let office = match Office::open(work, desk, renderer, (ways, pace), senders) {
            Ok(office) => office,
            Err(error) => {
                end(&handle, None, writer)?;
                return Err(Refusal::new(error, "Close other programs"));
            }
        };
        let opened = Self::open_doors(&settings, (listener, setup), &handle, links, (live, pulse, clock));
        match opened {
            Ok((intake, watch)) => {
                said.push(format!("Listening on http://{}", intake.address()));
                erase_rest(&settings.data, &handle);
                Ok((Self { data: settings.data, handle, writer, office, intake, watch }, said))
            }
            // Whoever cannot listen does not send either.
            Err(refusal) => {
                end(&handle, Some(office), writer)?;
                Err(refusal)
            }
        }
    }

    /// Listens, watches, and says where it is found.
    fn open_doors(
        settings: &Settings,
        (listener, setup): (TcpListener, Setup),
        handle: &Handle,
        links: Links,
        (live, pulse, clock): (Arc<Live>, Arc<Pulse>, Clock),
    ) -> Result<(Intake, Option<Watch>), Refusal> {
        let listen = setup.listen;
        let eyes = Eyes {
            readers: Readers::open(&settings.data).map_err(of_store)?,
            live,
            pulse: pulse.clone(),
            clock: clock.clone(),
        };
        let parts = Parts {
            handle: handle.clone(),
            reader: Arc::new(eyes),
            links: Arc::new(links),
            pulse: pulse.clone(),
            clock: clock.clone(),
        };
        let door = Door { address: listen, token: setup.admin.clone(), pid: settings.pid };
        let intake = Intake::start_at(listener, setup, parts)?;
        let watch = match &settings.watch {
            Some(folder) => Some(Watch::start(folder, handle.clone(), pulse, clock)?),
            None => None,
        };
        door.write(&settings.data).map_err(|error| {
            Refusal::new(format!("{} cannot be written: {error}", settings.data.display()), "Look at its rights")
        })?;
        Ok((intake, watch))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.intake.address()
    }

    /// The writer's handle.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Whether its writer is at work: without it nothing is taken in or sent any more.
    pub fn is_alive(&self) -> bool {
        !self.writer.is_finished()
    }

    /// Finishes what is on its way, and stops. What waits goes on with the next start.
    ///
    /// Errors: the writer broke off; what it had answered is durable.
    pub fn stop(self) -> Result<(), Refusal> {
        Door::remove(&self.data);
        if let Some(watch) = self.watch {
            watch.stop();
        }
        self.intake.stop(LAST_REQUESTS);
        end(&self.handle, Some(self.office), self.writer)
    }
}

/// Lets senders and writer finish what is on its way.
fn end(handle: &Handle, office: Option<Office>, writer: JoinHandle<Driver>) -> Result<(), Refusal> {
    handle.closing();
    if let Some(office) = office {
        office.close();
    }
    handle.stop();
    let driver = writer
        .join()
        .map_err(|_| Refusal::new("The writer broke off", "Start the engine again; what was acknowledged is there"))?;
    let _ = driver.store().checkpoint();
    Ok(())
}

/// Recovers what a crash left, then makes the flows live. In words what happened, and what was done for those who
/// count.
fn begin(
    driver: &mut Driver,
    clock: &Clock,
    ways: &Ways,
    flows: Vec<Flow>,
    workspace: &Workspace,
) -> Result<(Vec<String>, Vec<Told>), Refusal> {
    let now = clock.now();
    let (mut said, mut all) = (Vec::new(), Vec::new());
    let (zones, told) =
        driver.batch(now, |driver| driver.look_at_zones(now, Zone::data_version())).map_err(of_store)?;
    all.push(told);
    if zones {
        said.push(format!(
            "The zone data are new ({}): waits for a time of day are reckoned anew",
            Zone::data_version()
        ));
    }
    all.push(driver.batch(now, |driver| driver.begin_restore(now)).map_err(of_store)?.1);
    // Other ways than those by which it was handed over know nothing of it.
    let known = driver.store().meta(WAYS).map_err(of_store)?.as_deref() == Some(ways.name());
    let recovered = driver.batch(now, |driver| {
        let unknown = driver.recover(now, &|key| ways.has_left(key).filter(|_| known))?;
        driver.store().set_meta(WAYS, ways.name())?;
        Ok(unknown)
    });
    let (unknown, told) = recovered.map_err(of_store)?;
    all.push(told);
    if unknown > 0 {
        said.push(format!("{unknown} messages were handed over when the engine stopped: nobody knows whether they left (flowloom held)"));
    }
    let named: Vec<FlowId> = flows.iter().map(|flow| flow.id.clone()).collect();
    let others = driver.flows().live().map(|(id, _)| id).filter(|id| !named.contains(id));
    let others: Vec<&str> = others.map(FlowId::as_str).collect();
    if !others.is_empty() {
        said.push(format!("Live from before, and going on: {} (flowloom drain FLOW ends one)", others.join(", ")));
    }
    for flow in flows {
        let order = Order::Publish { flow: Box::new(flow), workspace: Box::new(workspace.clone()) };
        let (done, told) = driver.batch(now, |driver| driver.order(now, "start", &order)).map_err(of_store)?;
        said.push(done?);
        all.push(told);
    }
    Ok((said, all))
}

/// Keeps where files of people may lie, for whoever is to forget them.
fn note_places(driver: &Driver, mails: Option<&Path>, watched: Option<&Path>) -> Result<(), Refusal> {
    let kept = driver.store().meta(Places::META).map_err(of_store)?;
    let mut places: Places = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    if !places.add(mails, watched) {
        return Ok(());
    }
    let text = serde_json::to_string(&places)
        .map_err(|error| Refusal::new(format!("A folder has a name that cannot be kept: {error}"), "Name another"))?;
    driver.store().set_meta(Places::META, &text).map_err(of_store)
}

/// Deletes, in a thread of its own, what a crash has left of forgotten people in files.
fn erase_rest(data: &Path, handle: &Handle) {
    let found = Reader::open(data).and_then(|reader| Ok((reader.erasing()?, reader.places()?)));
    let (people, places) = match found {
        Ok(found) => found,
        Err(error) => return tracing::warn!(error = redact::text(&error.message), "files of people are left"),
    };
    if people.is_empty() {
        return;
    }
    let (data, handle) = (data.to_owned(), handle.clone());
    let work = move || {
        for person in people {
            forget::tell(&handle, &person, &forget::erase(&person, &data, &places));
        }
    };
    if let Err(error) = std::thread::Builder::new().name("forget".to_owned()).spawn(work) {
        tracing::warn!(%error, "files of people are left until the next start");
    }
}

fn setup(settings: &Settings, listen: SocketAddr) -> Result<Setup, Refusal> {
    let text = |path: &Path| {
        fs::read_to_string(path)
            .map_err(|error| Refusal::new(format!("{} cannot be read: {error}", path.display()), "Name another file"))
    };
    let secrets = match &settings.secret_file {
        Some(path) => Secrets::parse(&text(path)?)?,
        None => Secrets::default(),
    };
    let mapping = match &settings.mapping {
        Some(path) => Mapping::shipped()?.with(&path.display().to_string(), &text(path)?)?,
        None => Mapping::shipped()?,
    };
    let usual = Limits::default();
    // A proxy, wherever it stands, speaks for many.
    let per_peer = if settings.public.is_some() { usual.per_own } else { usual.per_peer };
    let door = Door::new(listen).map_err(|error| Refusal::new(error, "Start the engine again"))?;
    Ok(Setup {
        listen,
        secrets,
        admin: door.token,
        mapping,
        data: settings.data.clone(),
        public: settings.public.clone(),
        limits: Limits { per_peer, ..usual },
    })
}

/// What only the running engine knows: rates and warnings.
#[derive(Debug, Default)]
struct Live(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// The minute that is counted, and arrivals in it and in the one before.
    minute: i64,
    now: BTreeMap<(SmolStr, SmolStr), u64>,
    last: BTreeMap<(SmolStr, SmolStr), u64>,
    warnings: VecDeque<String>,
}

impl Live {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a batch did into the numbers.
    fn hear(&self, told: &Told, items: usize, pulse: &Pulse, now: Instant) {
        if items > 0 {
            pulse.batch(items as u64);
        }
        for (source, millis) in &told.latencies {
            pulse.latency(*source, *millis);
        }
        for (name, count) in &told.outcomes {
            let all = [Outcome::Sent, Outcome::Skipped, Outcome::Refused, Outcome::Held, Outcome::Unknown];
            if let Some(outcome) = all.into_iter().find(|outcome| outcome.name() == *name) {
                (0..*count).for_each(|_| pulse.send(outcome));
            }
        }
        if told.arrivals.is_empty() && told.warnings.is_empty() {
            return;
        }
        let mut seen = self.seen();
        seen.turn(now);
        for (at, count) in &told.arrivals {
            *seen.now.entry(at.clone()).or_default() += count;
        }
        for warning in &told.warnings {
            tracing::warn!("{}", redact::text(warning));
            // What is said of every mail is one warning, the newest.
            seen.warnings.retain(|said| about(said) != about(warning));
            if seen.warnings.len() == MOST_WARNINGS {
                seen.warnings.pop_front();
            }
            seen.warnings.push_back(warning.clone());
        }
    }
}

/// What a warning is about. Answers of one server with one code are about one thing: in their words is often a number
/// of each mail's own, such as Exchange's, and one fault would push all other warnings out.
fn about(warning: &str) -> &str {
    let Some((server, answer)) = warning.split_once(" said: ") else { return warning };
    let is_code = |word: &&str| word.trim_end().bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let code: usize = answer.split_inclusive(' ').take_while(is_code).map(str::len).sum();
    let end = warning.len() - answer.len() + code;
    warning.get(..end).filter(|_| code > 0 && !server.is_empty()).unwrap_or(warning)
}

impl Seen {
    /// Goes on to the minute of `now`.
    fn turn(&mut self, now: Instant) {
        let minute = now.as_millis().div_euclid(MINUTE_MILLIS);
        if minute != self.minute {
            let now = std::mem::take(&mut self.now);
            self.last = if minute == self.minute + 1 { now } else { BTreeMap::new() };
            self.minute = minute;
        }
    }
}

/// What intake sees: the file, and the running engine's own numbers.
struct Eyes {
    readers: Readers,
    live: Arc<Live>,
    pulse: Arc<Pulse>,
    clock: Clock,
}

fn told(error: store::Error) -> String {
    error.message
}

impl intake::Reader for Eyes {
    fn status(&self) -> Result<Status, String> {
        let now = self.clock.now();
        let mut status = self.readers.look(|reader| reader.status(now)).map_err(told)?;
        status.latency = self.pulse.latencies();
        status.time_scale = Some(self.clock.scale()).filter(|scale| *scale != 1.0);
        let mut seen = self.live.seen();
        seen.turn(now);
        for flow in &mut status.flows {
            for (node, of_node) in &mut flow.nodes {
                let at = (flow.id.clone(), SmolStr::new(node.as_str()));
                of_node.per_minute = seen.last.get(&at).copied().unwrap_or(0);
            }
        }
        let scale = self.clock.scale();
        let late = status.latency.iter().filter_map(|(source, latency)| latency.warning(source, scale));
        status.warnings = late.chain(seen.warnings.iter().cloned()).collect();
        Ok(status)
    }

    fn contact(&self, id: &ContactId) -> Result<Option<ContactView>, String> {
        self.readers.look(|reader| reader.contact(id.as_str())).map_err(told)
    }

    fn export(&self, id: &ContactId) -> Result<Option<Export>, String> {
        self.readers.look(|reader| reader.export(id.as_str())).map_err(told)
    }

    fn search(&self, text: &str, limit: usize) -> Result<Vec<Found>, String> {
        self.readers.look(|reader| reader.search(text, limit)).map_err(told)
    }

    fn held(&self, limit: usize) -> Result<Vec<HeldRow>, String> {
        self.readers.look(|reader| reader.held(None, limit)).map_err(told)
    }

    fn damaged(&self, limit: usize) -> Result<Vec<DamagedContact>, String> {
        self.readers.look(|reader| reader.damaged(limit)).map_err(told)
    }

    fn audit(&self, limit: usize) -> Result<Vec<AuditRow>, String> {
        self.readers.look(|reader| reader.audit(limit)).map_err(told)
    }

    fn knows(&self, id: &ContactId) -> Result<bool, String> {
        self.readers.look(|reader| reader.knows(id.as_str())).map_err(told)
    }

    fn mail(&self, key: &SendKey) -> Result<Option<Vec<u8>>, String> {
        self.readers.look(|reader| reader.mail(&key.to_string())).map_err(told)
    }

    fn suppressed(&self) -> Result<Vec<String>, String> {
        self.readers.look(|reader| reader.suppressed()).map_err(told)
    }

    fn migration(&self, flow: &FlowId, mapping: &[(NodeId, NodeId)]) -> Result<Option<Vec<MoveView>>, String> {
        let moves = self.readers.look(|reader| reader.migration(flow, mapping)).map_err(told)?;
        Ok(moves.map(|moves| moves.into_iter().map(MoveView::from).collect()))
    }

    fn erasing(&self) -> Result<(Vec<Person>, Places), String> {
        let found = self.readers.look(|reader| Ok((reader.erasing()?, reader.places()?)));
        found.map_err(told)
    }

    fn workspace(&self) -> Result<Workspace, String> {
        self.readers.look(|reader| reader.workspace()).map_err(told)
    }
}

#[cfg(test)]
mod tests;
