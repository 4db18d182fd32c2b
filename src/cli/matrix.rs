//! `flowloom matrix`: every message for every contact, tag by tag: value, fallback or missing.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Done, Failure, Outcome, Places, Streams, load, show, stage::Stage};
use crate::{
    app::matrix::{Matrix, Plan, Row, State, html, sheet},
    base::{Instant, Severity},
    disk,
};

/// Show every message for every contact, tag by tag
#[derive(Args, Debug)]
pub struct Arguments {
    /// The flow file
    #[arg(value_name = "FLOW")]
    flow: PathBuf,
    /// When they get it [default: the newest event of the audience]
    #[arg(long, value_name = "INSTANT")]
    at: Option<Instant>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: MatrixFormat,
    /// Write it to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

/// How the matrix is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum MatrixFormat {
    /// One JSON object.
    #[default]
    Json,
    /// A page for a client: one file, nothing to fetch.
    Html,
}

/// Mails from which on a terminal a bar shows how far it is. Source: assumption; fewer take no time that is noticed.
const PROGRESS_FROM: usize = 2_000;

/// Runs it.
pub fn run(args: &Arguments, places: &Places, streams: &mut Streams) -> Outcome {
    let stage = Stage::new(&args.flow, args.at, places, streams)?;
    let flow = stage.file.flow();
    let workspace = &stage.home.workspace;
    let plan = Plan::new(flow, workspace, &stage.audience, stage.at);
    let matrix = made(plan, streams.interactive)?;
    let mut num_faults = 0;
    let broken = matrix.rows.iter().filter(|row| row.state == State::Broken).flat_map(|row| &row.lints);
    for found in matrix.faults.iter().flat_map(|fault| &fault.findings).chain(broken) {
        if found.severity == Severity::Error {
            num_faults += 1;
            streams.tell_once(&show::diagnostic(found, load::context(&stage.file)));
        }
    }
    let text = match args.format {
        MatrixFormat::Json => sheet::json(&matrix, &flow.id).map_err(|why| Failure::refused(why, ""))?,
        MatrixFormat::Html => html::page(&matrix, &flow.name, &workspace.brand.name),
    };
    match &args.out {
        Some(path) => disk::file(path, text.as_bytes(), args.force)?,
        None => streams.say(&text),
    }
    if num_faults > 0 {
        return Err(Failure::refused(
            format!("{} keep mails from being made", show::count(num_faults, "error", "errors")),
            "What is wrong with them stands above; all other mails are there",
        ));
    }
    Ok(Done::Well)
}

/// The matrix, made by as many threads as there are processors.
fn made(plan: Plan<'_>, interactive: bool) -> Result<Matrix, Failure> {
    let num_mails = plan.num_mails();
    let bar = (interactive && num_mails >= PROGRESS_FROM).then(|| {
        let style = ProgressStyle::with_template("{bar:40} {pos} of {len} mails");
        ProgressBar::new(num_mails as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    });
    let done = AtomicUsize::new(0);
    let work = |range: std::ops::Range<usize>| {
        plan.rows(range, &mut |_| {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            if let Some(bar) = bar.as_ref().filter(|_| done.is_multiple_of(100)) {
                bar.set_position(done as u64);
            }
            true
        })
        .unwrap_or_default()
    };
    let parts = thread::available_parallelism().map_or(1, usize::from).min(num_mails / 200 + 1);
    let shards = plan.shards(parts);
    let rows: Result<Vec<Vec<Row>>, String> = thread::scope(|scope| {
        let workers: Vec<_> = shards
            .into_iter()
            .map(|range| {
                let work = &work;
                thread::Builder::new().name("matrix".into()).spawn_scoped(scope, move || work(range))
            })
            .collect();
        let joined = workers.into_iter().map(|worker| match worker {
            Ok(worker) => worker.join().map_err(|_| "a worker ended early".to_owned()),
            Err(error) => Err(error.to_string()),
        });
        joined.collect()
    });
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    let rows = rows.map_err(|why| Failure::refused(format!("The matrix could not be made: {why}"), "Try it again"))?;
    Ok(plan.matrix(rows))
}
