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
    let restored = store::restore(&args.data.dir, &args.file, Clock::Real.now())?;
    let mut said = format!("{} is in place", args.file.display());
    if let Some(before) = &restored.before {
        said.push_str(&format!("; what happened since that copy is only in {}. ", before.display()));
        said.push_str(&match (&restored.lost, restored.carried) {
            (Some(why), _) => format!(
                "Lost is who unsubscribed, complained, was forgotten or suppressed since then: suppress them anew before \
                 you start ({why}). Nor is it known what left since then: events that are handed in again lead to the same \
                 messages"
            ),
            (None, 0) => "Nobody unsubscribed, complained, was forgotten or suppressed since then".to_owned(),
            (None, num) => {
                format!("Who unsubscribed, complained, was forgotten or suppressed since then stays so: {num} in all")
            }
        });
        if restored.left > 0 {
            let left = restored.left;
            said.push_str(&format!(
                ". What left since then, or may have, is held where it comes up again: {left} in all"
            ));
        }
    }
    streams.say(&format!(
        "{said}. Messages that are overdue at the next start are held: flowloom held --data {}\n",
        args.data.dir.display()
    ));
    Ok(Done::Well)
}
