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

use super::{Done, Failure, Format, Outcome, Streams};
use crate::engine::{
    client::Line,
    store::{self, Reader},
    work::{Order, Refusal},
};

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
    fn from(error: store::Error) -> Self {
        Self::unusable(error.message, error.hint)
    }
}

/// The data of a folder, for looking.
fn reader(data: &Path) -> Result<Reader, Failure> {
    Ok(Reader::open(data)?)
}

/// Gives an order, and says what became of it.
fn give(data: &Data, order: &Order, format: Format, streams: &mut Streams) -> Outcome {
    let said = Line::to(&data.dir)?.order("command line", order)?;
    match format {
        Format::Text => streams.say(&format!("{}\n", super::show::clean(&said))),
        Format::Json => streams.say_json(&serde_json::json!({"schema": "flowloom/order/1", "done": said})),
    }
    Ok(Done::Well)
}
