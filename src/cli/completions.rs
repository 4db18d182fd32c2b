//! `flowloom completions`: what a shell needs to complete our words.

use clap::Args;

use super::{Done, Outcome, Streams};

/// Print completions for a shell
#[derive(Args, Debug)]
pub struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Runs it.
pub fn run(args: &Arguments, streams: &mut Streams) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "flowloom", &mut script);
    streams.say_bytes(&script);
    Ok(Done::Well)
}
