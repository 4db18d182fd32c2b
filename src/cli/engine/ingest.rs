//! `flowloom ingest`: hands events in from a file or from standard input.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::PathBuf,
};

use clap::Args;

use super::{super::show, Data, Done, Failure, Format, Outcome, Streams};
use crate::engine::{
    client::{Client, Line},
    clock::Clock,
    driver::Driver,
    intake::watch::{self, Stopped},
    store,
    work::{Answer, Refusal},
};

/// Lines in one request at most, and bytes. Source: the engine's own limits (1,000 items, 5 MB).
const MOST_LINES: usize = 1_000;
const MOST_BYTES: usize = 4 << 20;
/// Refused events that are told one by one.
const MOST_TOLD: usize = 20;

/// Hand events in: JSON Lines, or one JSON text
#[derive(Args, Debug)]
pub struct Arguments {
    /// The file; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    data: Data,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What became of all of them.
#[derive(Default)]
struct Tally {
    accepted: u64,
    duplicates: u64,
    refused: Vec<(String, Refusal)>,
    num_refused: u64,
}

impl Tally {
    fn add(&mut self, place: String, answer: Answer) {
        match answer {
            Answer::Accepted => self.accepted += 1,
            Answer::Duplicate => self.duplicates += 1,
            Answer::Refused { error, hint } => {
                self.num_refused += 1;
                if self.refused.len() < MOST_TOLD {
                    self.refused.push((place, Refusal { error, hint }));
                }
            }
        }
    }
}

/// Runs it.
pub fn run(args: &Arguments, streams: &mut Streams) -> Outcome {
    let stdin = args.file.as_os_str() == "-";
    let input: Box<dyn BufRead> = if stdin {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let file = File::open(&args.file).map_err(|error| {
            Failure::unusable(format!("{} cannot be read: {error}", args.file.display()), "Name a file of events, or -")
        })?;
        Box::new(BufReader::new(file))
    };
    let mut tally = Tally::default();
    match Line::to(&args.data.dir)? {
        Line::Running(client) => to_running(&client, input, &mut tally)?,
        Line::Resting(mut driver) => to_resting(&mut driver, input, &mut tally)?,
    }
    match args.format {
        Format::Json => {
            let refused = tally.refused.iter().map(
                |(place, refusal)| serde_json::json!({"place": place, "error": refusal.error, "hint": refusal.hint}),
            );
            streams.say_json(&serde_json::json!({
                "schema": "flowloom/ingest/1", "accepted": tally.accepted, "duplicates": tally.duplicates,
                "refused": tally.num_refused, "first_refused": refused.collect::<Vec<_>>(),
            }));
        }
        Format::Text => {
            for (place, refusal) in &tally.refused {
                streams.tell(&show::clean(&format!("{place}: {}\n  hint: {}\n", refusal.error, refusal.hint)));
            }
            streams.say(&format!(
                "{} accepted, {} known already, {} refused\n",
                tally.accepted, tally.duplicates, tally.num_refused
            ));
        }
    }
    Ok(if tally.num_refused > 0 { Done::Errors } else { Done::Well })
}

/// Sends the text as it is, so that the engine judges it; in requests that it takes.
fn to_running(client: &Client, mut input: impl BufRead, tally: &mut Tally) -> Result<(), Failure> {
    let broken = |error: io::Error| {
        Failure::unusable(format!("The file cannot be read on: {error}"), "What was read so far is taken")
    };
    let is_json = input.fill_buf().map_err(broken)?.trim_ascii_start().starts_with(b"[");
    if is_json {
        let mut body = Vec::new();
        input.take((MOST_BYTES + 1) as u64).read_to_end(&mut body).map_err(broken)?;
        if body.len() > MOST_BYTES {
            return Err(Failure::refused("The file is one JSON list of more than 4 MB", "Write one event per line"));
        }
        for (place, answer) in client.hand_in("application/json", &body)? {
            tally.add(place, answer);
        }
        return Ok(());
    }
    let (mut body, mut lines, mut before) = (Vec::new(), 0_u64, 0_u64);
    loop {
        let read = input.read_until(b'\n', &mut body).map_err(broken)?;
        lines += u64::from(read > 0);
        if body.is_empty() {
            return Ok(());
        }
        if read == 0 || lines as usize >= MOST_LINES || body.len() >= MOST_BYTES {
            for (place, answer) in client.hand_in("application/x-ndjson", &body)? {
                let number = place.strip_prefix("line ").and_then(|n| n.parse::<u64>().ok());
                let place = number.map_or(place, |n| format!("line {}", n + before));
                tally.add(place, answer);
            }
            before += lines;
            (lines, body) = (0, Vec::new());
        }
        if read == 0 {
            return Ok(());
        }
    }
}

fn to_resting(driver: &mut Driver, input: impl BufRead, tally: &mut Tally) -> Result<(), Failure> {
    let now = Clock::Real.now();
    let read = watch::read_events(input, now, |batch| {
        for (place, refusal) in batch.refused {
            tally.add(place, Answer::Refused { error: refusal.error, hint: refusal.hint });
        }
        let at = Clock::Real.now();
        let (answers, _) = driver.batch(at, |driver| {
            batch.events.iter().map(|(_, event)| driver.event(at, event)).collect::<store::Result<Vec<_>>>()
        })?;
        for ((place, _), answer) in batch.events.into_iter().zip(answers) {
            tally.add(place, answer);
        }
        Ok::<(), store::Error>(())
    });
    read.map_err(|stopped| match stopped {
        Stopped::Unreadable(refusal) => Failure::unusable(refusal.error, refusal.hint),
        Stopped::Taker(error) => error.into(),
    })
}
