//! `flowloom ingest`: hands events in from a file or from standard input; or people with their past from a folder.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    super::{Places, load, show},
    Data, Done, Failure, Format, Outcome, Streams, line,
};
use crate::{
    audience::{
        Audience, Event,
        load::{contacts_to_jsonl, events_to_jsonl},
    },
    base::ContactId,
    disk::Home,
    engine::{
        client::{Client, Line},
        clock::Clock,
        driver::Driver,
        intake::watch::{self, Stopped},
        store,
        work::{Answer, History, Refusal},
    },
};

/// Lines in one request at most, and bytes. Source: the engine's own limits (1,000 items, 5 MB).
const MOST_LINES: usize = 1_000;
const MOST_BYTES: usize = 4 << 20;
/// People taken over in one commit where no engine runs. Source: assumption.
const PEOPLE_PER_COMMIT: usize = 500;
/// Refused events that are told one by one.
const MOST_TOLD: usize = 20;

/// Hand events in (JSON Lines, or one JSON text); or people with a past that lets nobody into a flow
#[derive(Args, Debug)]
pub struct Arguments {
    /// The file; - for standard input
    #[arg(value_name = "FILE", required_unless_present = "history")]
    file: Option<PathBuf>,
    /// Take over the people of this folder instead (contacts and events, as of a workspace's audience): what they did
    /// is known from then on, and lets nobody in
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    history: Option<PathBuf>,
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
pub fn run(args: &Arguments, places: &Places, streams: &mut Streams) -> Outcome {
    let mut tally = Tally::default();
    match (&args.history, &args.file) {
        (Some(folder), _) => {
            let people = histories(folder, places, streams)?;
            match line(&args.data.dir)? {
                Line::Running(client) => histories_to_running(&client, &people, &mut tally)?,
                Line::Resting(mut driver) => histories_to_resting(&mut driver, &people, &mut tally)?,
            }
        }
        (None, Some(file)) => {
            let input = open(file)?;
            match line(&args.data.dir)? {
                Line::Running(client) => to_running(&client, input, &mut tally)?,
                Line::Resting(mut driver) => to_resting(&mut driver, input, &named(file), &mut tally)?,
            }
        }
        // The arguments name one of the two.
        (None, None) => {}
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

fn open(file: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let no = |error: io::Error| {
        Failure::unusable(format!("{} cannot be read: {error}", file.display()), "Name a file of events, or -")
    };
    if file.is_dir() {
        return Err(Failure::unusable(
            format!("{} is a folder", file.display()),
            "Name a file of events; --history takes the people of a folder over",
        ));
    }
    Ok(Box::new(BufReader::new(File::open(file).map_err(no)?)))
}

/// The people of an audience's folder, each with what happened to them.
fn histories(folder: &Path, places: &Places, streams: &mut Streams) -> Result<Vec<History>, Failure> {
    let places = Places { audience: Some(folder.to_owned()), ..places.clone() };
    let Audience { contacts, events, responses } = load::audience(&Home::default(), &places, streams)?;
    if contacts.is_empty() {
        return Err(Failure::unusable(
            format!("{} has nobody in it", folder.display()),
            "Name a folder with contacts.jsonl or contacts.csv, and events beside it",
        ));
    }
    if !responses.is_empty() {
        streams.tell("responses.jsonl is for simulations, and is left out\n");
    }
    let now = Clock::Real.now();
    let mut of_whom: BTreeMap<ContactId, Vec<Event>> = BTreeMap::new();
    let (past, to_come): (Vec<Event>, Vec<Event>) = events.into_iter().partition(|event| event.accepted <= now);
    if !to_come.is_empty() {
        streams.tell(&format!("{} in the future left out\n", show::count(to_come.len(), "event", "events")));
    }
    for event in past {
        of_whom.entry(event.contact.clone()).or_default().push(event);
    }
    let with_past = |contact: crate::audience::Contact| {
        let events = of_whom.remove(&contact.id).unwrap_or_default();
        History { contact, events, suppressed: false }
    };
    Ok(contacts.into_iter().map(with_past).collect())
}

/// As the engine's API takes it.
fn line_of(person: &History) -> String {
    let contact = contacts_to_jsonl([&person.contact]);
    let events = events_to_jsonl(&person.events);
    let events: Vec<&str> = events.lines().collect();
    format!("{{\"contact\": {}, \"events\": [{}]}}\n", contact.trim_end(), events.join(","))
}

/// Requests of as many people as one commit takes well.
fn histories_to_running(client: &Client, people: &[History], tally: &mut Tally) -> Result<(), Failure> {
    let (mut body, mut names, mut items) = (String::new(), Vec::new(), 0);
    for (idx, person) in people.iter().enumerate() {
        body += &line_of(person);
        names.push(&person.contact.id);
        items += 1 + person.events.len();
        let is_last = idx + 1 == people.len();
        if is_last || items >= MOST_LINES || body.len() >= MOST_BYTES {
            let answers = client.hand_in("/v1/histories", "application/x-ndjson", body.as_bytes())?;
            for (name, (_, answer)) in names.drain(..).zip(answers) {
                tally.add(name.to_string(), answer);
            }
            (body, items) = (String::new(), 0);
        }
    }
    Ok(())
}

fn histories_to_resting(driver: &mut Driver, people: &[History], tally: &mut Tally) -> Result<(), Failure> {
    let now = Clock::Real.now();
    for part in people.chunks(PEOPLE_PER_COMMIT) {
        let (answers, _) = driver.batch(now, |driver| {
            part.iter().map(|person| driver.history(now, person)).collect::<store::Result<Vec<_>>>()
        })?;
        for (person, answer) in part.iter().zip(answers) {
            tally.add(person.contact.id.to_string(), answer);
        }
    }
    Ok(())
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
        for (place, answer) in client.hand_in("/v1/events", "application/json", &body)? {
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
            for (place, answer) in client.hand_in("/v1/events", "application/x-ndjson", &body)? {
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

/// The file as it is now, so that the same one taken in again brings the same events.
fn named(file: &Path) -> String {
    let found = if file.as_os_str() == "-" { None } else { file.metadata().ok() };
    let changed = found.as_ref().and_then(|found| found.modified().ok());
    match found {
        Some(found) => format!("{} {} {changed:?}", file.display(), found.len()),
        None => format!("stdin {}", Clock::Real.now()),
    }
}

fn to_resting(driver: &mut Driver, input: impl BufRead, file: &str, tally: &mut Tally) -> Result<(), Failure> {
    let now = Clock::Real.now();
    let read = watch::read_events(input, file, now, |batch| {
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
