//! The command line: one file per subcommand, files are read and written by the room `disk`.
//!
//! The one idea: a command reads what it needs, asks the core, and says the answer on one of two [`Streams`]; it ends
//! with [`Done`] or a [`Failure`], and only [`main`] turns that into an exit code. The exit codes are a contract:
//! `check` 0 clean or warnings, 1 errors, 2 bad usage or unreadable; all others 0 done, 1 refused, 2 bad usage or
//! unreadable. Deliberately not here: deciding anything about a flow, and reading a clock (`--at` and `--from` stand in
//! for it).

mod check;
mod client;
mod completions;
mod diff;
mod eml;
#[cfg(feature = "engine")]
mod engine;
mod explain;
mod export;
mod import;
#[cfg(feature = "push")]
mod key;
mod kinds;
mod load;
mod locate;
mod man;
mod matrix;
#[cfg(feature = "gui")]
mod open;
#[cfg(feature = "picture")]
mod picture;
mod preview;
#[cfg(feature = "push")]
mod push;
mod send_test;
mod show;
mod simulate;
#[cfg(feature = "gui")]
mod snapshot;
mod stage;
mod streams;
mod tour;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use streams::Streams;

/// How a command ended when nothing stopped it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Done {
    /// All is well: exit code 0.
    Well,
    /// `check` found errors: exit code 1.
    Errors,
    /// `check` could not read something: exit code 2.
    Unreadable,
}

/// Why a command stopped, ready to print.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// 1 refused, 2 bad usage or unreadable.
    pub exit_code: u8,
    /// One or more lines without a line break at the end.
    pub text: String,
}

impl Failure {
    /// It was understood and will not be done: exit code 1.
    pub fn refused(message: impl AsRef<str>, hint: impl AsRef<str>) -> Self {
        Self::with_code(1, message.as_ref(), hint.as_ref())
    }

    /// It was not understood, or something could not be read: exit code 2.
    pub fn unusable(message: impl AsRef<str>, hint: impl AsRef<str>) -> Self {
        Self::with_code(2, message.as_ref(), hint.as_ref())
    }

    fn with_code(exit_code: u8, message: &str, hint: &str) -> Self {
        let mut text = format!("error: {}", show::clean(message));
        if !hint.is_empty() {
            text.push_str("\n  hint: ");
            text.push_str(&show::clean(hint));
        }
        Self { exit_code, text }
    }
}

/// What a command gives back.
pub type Outcome = Result<Done, Failure>;

/// Text for people or one JSON object for programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// Text for people.
    #[default]
    Text,
    /// One JSON object with a `schema` key on standard output.
    Json,
}

#[derive(Parser, Debug)]
#[command(name = "flowloom", version, about, long_about = None, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Without a command: the studio (the last flow, or the gallery); without a display the tour (flowloom tour).\n\
    Exit codes: 0 done, 1 refused (check: errors found), 2 bad usage or unreadable."
)]
struct Arguments {
    #[command(flatten)]
    places: Places,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Where workspace and audience are, instead of where they are looked for.
#[derive(Args, Clone, Debug, Default)]
pub struct Places {
    /// Workspace folder [default: from the flow's folder upwards to a flowloom.ron]
    #[arg(long, global = true, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Folder with contacts, events and responses [default: audience/ in the workspace]
    #[arg(long, global = true, value_name = "DIR")]
    pub audience: Option<PathBuf>,
    /// Save how the columns of CSV files were guessed, beside them as mapping.ron
    #[arg(long, global = true)]
    pub save_mapping: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    Check(check::Arguments),
    Explain(explain::Arguments),
    Kinds(kinds::Arguments),
    Preview(preview::Arguments),
    Matrix(matrix::Arguments),
    SendTest(send_test::Arguments),
    Simulate(simulate::Arguments),
    Export(export::Arguments),
    Import(import::Arguments),
    #[cfg(feature = "push")]
    Push(push::Arguments),
    #[cfg(feature = "push")]
    Key(key::Arguments),
    #[cfg(feature = "gui")]
    Open(open::Arguments),
    #[cfg(feature = "gui")]
    Snapshot(snapshot::Arguments),
    #[cfg(feature = "engine")]
    Run(engine::run::Arguments),
    #[cfg(feature = "engine")]
    Ingest(engine::ingest::Arguments),
    #[cfg(feature = "engine")]
    Status(engine::status::Arguments),
    #[cfg(feature = "engine")]
    Contact(engine::contact::Arguments),
    #[cfg(feature = "engine")]
    Held(engine::held::Arguments),
    #[cfg(feature = "engine")]
    Retry(engine::orders::Retry),
    #[cfg(feature = "engine")]
    Publish(engine::orders::Publish),
    #[cfg(feature = "engine")]
    Pause(engine::orders::Pause),
    #[cfg(feature = "engine")]
    Resume(engine::orders::Resume),
    #[cfg(feature = "engine")]
    Drain(engine::orders::Drain),
    #[cfg(feature = "engine")]
    Migrate(engine::orders::Migrate),
    #[cfg(feature = "engine")]
    Move(engine::orders::Move),
    #[cfg(feature = "engine")]
    Backup(engine::backup::Backup),
    #[cfg(feature = "engine")]
    Restore(engine::backup::Restore),
    #[cfg(feature = "engine")]
    Forget(engine::orders::Forget),
    #[cfg(feature = "engine")]
    Suppress(engine::orders::Suppress),
    Tour(tour::Arguments),
    Diff(diff::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Runs the program with these arguments (the first is its name) on the standard streams.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut streams = Streams::standard();
    let code = run(args, &mut streams);
    ExitCode::from(streams.finish(code))
}

/// Runs the program on any streams; gives the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>, streams: &mut Streams) -> u8 {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(error) => {
            let text = error.render().to_string();
            if error.use_stderr() {
                streams.tell(&text);
                return 2;
            }
            streams.say(&text);
            return 0;
        }
    };
    let places = &arguments.places;
    let outcome = match arguments.command {
        Some(Command::Check(args)) => check::run(&args, places, streams),
        Some(Command::Explain(args)) => explain::run(&args, streams),
        Some(Command::Kinds(args)) => kinds::run(&args, streams),
        Some(Command::Preview(args)) => preview::run(&args, places, streams),
        Some(Command::Matrix(args)) => matrix::run(&args, places, streams),
        Some(Command::SendTest(args)) => send_test::run(&args, places, streams),
        Some(Command::Simulate(args)) => simulate::run(&args, places, streams),
        Some(Command::Export(args)) => export::run(&args, places, streams),
        Some(Command::Import(args)) => import::run(&args, places, streams),
        #[cfg(feature = "push")]
        Some(Command::Push(args)) => push::run(&args, places, streams),
        #[cfg(feature = "push")]
        Some(Command::Key(args)) => key::run(&args, streams),
        #[cfg(feature = "gui")]
        Some(Command::Open(args)) => open::run(&args),
        #[cfg(feature = "gui")]
        Some(Command::Snapshot(args)) => snapshot::run(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Run(args)) => engine::run::run(&args, places, streams),
        #[cfg(feature = "engine")]
        Some(Command::Ingest(args)) => engine::ingest::run(&args, places, streams),
        #[cfg(feature = "engine")]
        Some(Command::Status(args)) => engine::status::run(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Contact(args)) => engine::contact::run(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Held(args)) => engine::held::run(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Retry(args)) => engine::orders::retry(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Publish(args)) => engine::orders::publish(&args, places, streams),
        #[cfg(feature = "engine")]
        Some(Command::Pause(args)) => engine::orders::pause(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Resume(args)) => engine::orders::resume(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Drain(args)) => engine::orders::drain(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Migrate(args)) => engine::orders::migrate(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Move(args)) => engine::orders::move_journey(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Backup(args)) => engine::backup::backup(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Restore(args)) => engine::backup::restore(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Forget(args)) => engine::orders::forget(&args, streams),
        #[cfg(feature = "engine")]
        Some(Command::Suppress(args)) => engine::orders::suppress(&args, streams),
        Some(Command::Tour(args)) => tour::run(&args, streams),
        Some(Command::Diff(args)) => diff::run(&args, places, streams),
        Some(Command::Completions(args)) => completions::run(&args, streams),
        Some(Command::Man(args)) => man::run(&args, streams),
        #[cfg(feature = "gui")]
        None => open::without_a_command(streams),
        #[cfg(not(feature = "gui"))]
        None => tour::run(&tour::Arguments::default(), streams),
    };
    match outcome {
        Ok(Done::Well) => 0,
        Ok(Done::Errors) => 1,
        Ok(Done::Unreadable) => 2,
        Err(failure) => {
            streams.tell(&failure.text);
            streams.tell("\n");
            failure.exit_code
        }
    }
}

/// The command line as data, for completions and the manual.
fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    /// Every subcommand and every option says what it does.
    #[test]
    fn everything_has_help() {
        for sub in command().get_subcommands() {
            assert!(sub.get_about().is_some(), "{} has no help", sub.get_name());
            for arg in sub.get_arguments() {
                assert!(arg.get_help().is_some(), "{} {} has no help", sub.get_name(), arg.get_id());
            }
        }
    }
}
