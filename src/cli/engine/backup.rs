//! `flowloom backup` and `flowloom restore`: copies of an engine's data, while it runs, and back.

use std::path::PathBuf;

use clap::Args;

use super::{Data, Done, Outcome, Streams};
use crate::engine::{clock::Clock, store};

/// Copy an engine's data into a file, also while it runs
#[derive(Args, Debug)]
pub struct Backup {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    data: Data,
}

/// Put a copy in the place of an engine's data; what is overdue then is held and shown
#[derive(Args, Debug)]
pub struct Restore {
    /// A file that backup wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    data: Data,
}

/// Runs `backup`.
pub fn backup(args: &Backup, streams: &mut Streams) -> Outcome {
    store::backup(&args.data.dir, &args.file)?;
    streams.say(&format!("Wrote {}\n", args.file.display()));
    Ok(Done::Well)
}

/// Runs `restore`.
pub fn restore(args: &Restore, streams: &mut Streams) -> Outcome {
    store::restore(&args.data.dir, &args.file, Clock::Real.now())?;
    streams.say(&format!(
        "{} is in place; the former data are kept beside it. Messages that are overdue at the next start are held: \
         flowloom held --data {}\n",
        args.file.display(),
        args.data.dir.display()
    ));
    Ok(Done::Well)
}
