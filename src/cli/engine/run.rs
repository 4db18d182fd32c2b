//! `flowloom run`: runs flows, until it is told to stop.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use super::super::{Done, Failure, Outcome, Places, Streams, load, show};
use crate::{
    engine::{
        clock::Clock,
        delivery::{links::Watch, pace::Rates, ways},
        run::{Engine, Settings},
        store::{Kind, Reader},
    },
    flow::Flow,
};

/// Where an engine listens where nothing is said. Source: assumption; free of well-known services.
const LISTEN: &str = "127.0.0.1:7171";

/// Run flows: take events in, wait, decide, send
#[derive(Args, Debug)]
pub struct Arguments {
    /// Flow files of one workspace, or its folder
    #[arg(required = true, value_name = "FLOW")]
    flows: Vec<PathBuf>,
    /// The folder that belongs to this engine; made where it is not there
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to listen for events; beyond this machine only with --secret-file
    #[arg(long, value_name = "ADDRESS:PORT", default_value = LISTEN)]
    listen: SocketAddr,
    /// How mails leave: a folder for .eml files [default: mails/ in the data folder] or smtp://user@host:587, with the
    /// password in FLOWLOOM_SMTP_PASSWORD
    #[arg(long, value_name = "DIR|URL")]
    mail: Option<String>,
    /// Where text messages are posted to
    #[arg(long, value_name = "URL")]
    sms: Option<String>,
    /// A header for that address, as often as wanted; ${NAME} comes from --flow-secrets
    #[arg(long, value_name = "NAME: VALUE", requires = "sms", value_parser = header)]
    sms_header: Vec<(String, String)>,
    /// Call webhooks for real, although mails go into a folder
    #[arg(long)]
    calls: bool,
    /// What keeps the data
    #[arg(long, value_enum, default_value_t)]
    store: StoreKind,
    /// A file with the secret that events must be sent with
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// A file of NAME=value lines for what flows call ${NAME}
    #[arg(long, value_name = "FILE")]
    flow_secrets: Option<PathBuf>,
    /// How webhooks of other systems are read, besides Klaviyo's and Shopify's, which `flowloom explain hooks/shopify`
    /// and `hooks/klaviyo` print
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// A folder whose event files are taken in and moved away
    #[arg(long, value_name = "DIR")]
    watch: Option<PathBuf>,
    /// What links in mails begin with, where the world reaches the engine by another name: https://mail.shop.example.
    /// Without --secret-file only the pages behind these links are open then, and commands on this machine
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Put a picture into mails that says that they were opened
    #[arg(long)]
    track_opens: bool,
    /// Lead links of mails by way of the engine, to see clicks
    #[arg(long)]
    track_clicks: bool,
    /// Let time pass so many times as fast, for demonstrations
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    time_scale: f64,
    /// Messages that are handed over at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    senders: u16,
    /// Mails per minute by a mail server, in all; 0 for no limit [default: 600]
    #[arg(long, value_name = "N")]
    mails_per_minute: Option<u32>,
    /// Mails per minute to one domain by a mail server; 0 for no limit [default: 120]
    #[arg(long, value_name = "N")]
    mails_per_domain: Option<u32>,
    /// Keep traces, events and mails for so many days, at least 30: so long an event that comes again is known
    #[arg(long, value_name = "DAYS", default_value_t = 400, value_parser = clap::value_parser!(u32).range(30..))]
    keep_days: u32,
    /// Run flows although the checks find errors in them
    #[arg(long)]
    force: bool,
    /// How to write the log
    #[arg(long, value_enum, default_value_t)]
    log: LogKind,
}

/// A header as it is typed. Its value may name a secret, and is never a secret itself: other users see it.
fn header(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let (name, value) = pair.filter(|(name, _)| is_name(name)).ok_or("Write it as `Authorization: Bearer ${TOKEN}`")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// What keeps the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum StoreKind {
    /// One SQLite file in the data folder.
    #[default]
    Sqlite,
}

/// How the log is written, on standard error; FLOWLOOM_LOG says how much (warn, info, debug).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum LogKind {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Runs it.
pub fn run(args: &Arguments, places: &Places, streams: &mut Streams) -> Outcome {
    let project = load::project(&args.flows, places)?;
    let workspace = project.home.workspace.clone();
    let flows: Vec<Flow> = project.flows.iter().map(|file| file.flow().clone()).collect();
    super::without_errors(&project, "run", args.force)?;
    // A file that can never be this engine's is told apart from what may pass.
    if let Err(error) = Reader::open(&args.data)
        && error.kind == Kind::Unfit
    {
        return Err(error.into());
    }
    let clock = Clock::scaled(args.time_scale).map_err(|error| Failure::unusable(error, ""))?;
    let mut settings = Settings::new(&args.data);
    if let Some(mail) = &args.mail {
        settings.ways.mail.clone_from(mail);
    }
    let rates = (args.mails_per_minute.is_some() || args.mails_per_domain.is_some()).then(|| {
        let usual = Rates::default();
        Rates {
            mails: args.mails_per_minute.unwrap_or(usual.mails),
            mails_per_domain: args.mails_per_domain.unwrap_or(usual.mails_per_domain),
            ..usual
        }
    });
    settings.ways = ways::Settings {
        texts: args.sms.clone(),
        text_headers: args.sms_header.clone(),
        calls: args.calls,
        rates,
        ..settings.ways
    };
    let StoreKind::Sqlite = args.store;
    settings = Settings {
        clock,
        senders: usize::from(args.senders),
        listen: args.listen,
        public: args.public_url.clone(),
        secret_file: args.secret_file.clone(),
        flow_secrets: args.flow_secrets.clone(),
        mapping: args.mapping.clone(),
        watch: args.watch.clone(),
        tracking: Watch { opens: args.track_opens, clicks: args.track_clicks },
        keep_days: Some(args.keep_days),
        pid: Some(std::process::id()),
        ..settings
    };
    log(args.log);
    // Whoever reads the address may tell it to stop at once: the signals are heard before it is said.
    let signals = Signals::listen()?;
    let (engine, said) = Engine::start(settings, flows, &workspace)?;
    for line in said {
        streams.say(&format!("{}\n", show::clean(&line)));
    }
    // Telling writes out what was said before: whoever waits for the address reads it now.
    streams.tell("Running; Ctrl-C stops it\n");
    let ended = signals.wait(|| engine.is_alive());
    streams.tell("Stopping: what is on its way is finished\n");
    engine.stop()?;
    ended?;
    Ok(Done::Well)
}

/// Starts the log. A second call in one process (tests) changes nothing.
fn log(kind: LogKind) {
    let filter = EnvFilter::try_from_env("FLOWLOOM_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let _ = match kind {
        LogKind::Text => registry.with(fmt::layer().with_writer(std::io::stderr).with_ansi(false)).try_init(),
        LogKind::Json => registry.with(fmt::layer().json().with_writer(std::io::stderr)).try_init(),
    };
}

/// Ctrl-C, and the system's word to end.
struct Signals {
    runtime: tokio::runtime::Runtime,
    #[cfg(unix)]
    both: [tokio::signal::unix::Signal; 2],
}

fn deaf(error: std::io::Error) -> Failure {
    Failure::refused(format!("The signals to stop cannot be waited for: {error}"), "Close other programs")
}

impl Signals {
    /// From here on they are heard.
    fn listen() -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(deaf)?;
        #[cfg(unix)]
        let both = {
            use tokio::signal::unix::{SignalKind, signal};
            let _inside = runtime.enter();
            [signal(SignalKind::terminate()).map_err(deaf)?, signal(SignalKind::interrupt()).map_err(deaf)?]
        };
        Ok(Self {
            runtime,
            #[cfg(unix)]
            both,
        })
    }

    /// Waits for one of them, as long as the engine lives: whoever starts it again is to see that it died.
    fn wait(mut self, lives: impl Fn() -> bool) -> Result<(), Failure> {
        while lives() {
            let told = self.within(std::time::Duration::from_secs(1));
            if let Some(told) = told {
                return told;
            }
        }
        Ok(())
    }

    /// Whether one of them comes within a time.
    #[cfg(unix)]
    fn within(&mut self, time: std::time::Duration) -> Option<Result<(), Failure>> {
        let both = &mut self.both;
        let told = std::future::poll_fn(|cx| {
            let is_told = both.iter_mut().any(|signal| signal.poll_recv(cx).is_ready());
            if is_told { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        });
        self.runtime.block_on(async { tokio::time::timeout(time, told).await }).ok().map(Ok)
    }

    /// Whether Ctrl-C comes within a time.
    #[cfg(not(unix))]
    fn within(&mut self, time: std::time::Duration) -> Option<Result<(), Failure>> {
        let told = self.runtime.block_on(async { tokio::time::timeout(time, tokio::signal::ctrl_c()).await });
        told.ok().map(|told| told.map_err(deaf))
    }
}
