//! The commands of the engine: `run` is one; the others look at the data of one, or talk to it.
//!
//! The one idea: all name a folder (`--data`). Looking reads the file, whether the engine runs or not; orders go to the
//! running engine, or are carried out at once where none runs.

pub(super) mod backup;
pub(super) mod contact;
pub(super) mod held;
pub(super) mod ingest;
pub(super) mod orders;
pub(super) mod run;
pub(super) mod status;

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Done, Failure, Format, Outcome, Streams, load::Project, show};
use crate::engine::{
    client::Line,
    intake::order,
    store::{self, Kind, Reader},
    work::{Order, Refusal},
};
use crate::{flow::Target, platforms::only_elsewhere};

/// Where an engine's data are.
#[derive(Args, Clone, Debug)]
pub(super) struct Data {
    /// The engine's folder
    #[arg(long = "data", value_name = "DIR")]
    pub dir: PathBuf,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::refused(refusal.error, refusal.hint)
    }
}

impl From<store::Error> for Failure {
    /// What is there and cannot be used has exit code 2; what another program or a full disk stands in the way of, 1.
    fn from(error: store::Error) -> Self {
        match error.kind {
            Kind::Unfit | Kind::Corrupt | Kind::Io => Self::unusable(error.message, error.hint),
            Kind::Locked | Kind::Full => Self::refused(error.message, error.hint),
        }
    }
}

/// The data of a folder, for looking.
fn reader(data: &Path) -> Result<Reader, Failure> {
    Ok(Reader::open(data)?)
}

/// The engine of a folder, running or not.
///
/// Errors: there are no data of ours (exit code 2); nobody can be asked (1).
fn line(data: &Path) -> Result<Line, Failure> {
    reader(data)?;
    Ok(Line::to(data)?)
}

/// Flows in which the checks find errors are not made live without being asked to; `verb` is what would be done.
///
/// Errors: one has errors, and nobody forces it.
fn without_errors(project: &Project, verb: &str, is_forced: bool) -> Result<(), Failure> {
    for file in &project.flows {
        let found = order::errors(file.flow(), &project.home.workspace).map_or(0, |(count, _)| count);
        // A mail whose template only a platform has would be empty here.
        let count = found + only_elsewhere(file.flow(), Target::Engine).len();
        if count > 0 && !is_forced {
            let shown = &file.source.shown;
            return Err(Failure::refused(
                format!("{shown} has {}", show::count(count, "error", "errors")),
                format!("See them with flowloom check {shown}, or {verb} it all the same with --force"),
            ));
        }
    }
    Ok(())
}

/// Who stands in the audit.
const WHO: &str = "command line";

/// Gives an order, and says what became of it.
fn give(data: &Data, order: &Order, format: Format, streams: &mut Streams) -> Outcome {
    let said = line(&data.dir)?.order(WHO, order)?;
    say(&said, format, streams)
}

/// Says what became of an order.
fn say(said: &str, format: Format, streams: &mut Streams) -> Outcome {
    match format {
        Format::Text => streams.say(&format!("{}\n", show::clean(said))),
        Format::Json => streams.say_json(&serde_json::json!({"schema": "flowloom/order/1", "done": said})),
    }
    Ok(Done::Well)
}
