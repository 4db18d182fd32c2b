//! `flowloom key`: puts the key of an account into the system's keyring, or takes it out.
//!
//! The one idea: a key comes in by standard input, unseen, and never by an argument, which every user of the machine
//! can read in the list of processes. Deliberately not here: showing one.

use std::io::{self, Read as _};

use clap::{Args, Subcommand, ValueEnum};

use super::{Done, Failure, Outcome, Streams, push::failure};
use crate::{
    flow::Target,
    platforms::push::{Key, variable},
};

/// Keep the key of a Klaviyo or HubSpot account in the system's keyring
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Read a key from standard input, without showing it, and keep it
    Set(Whose),
    /// Forget a key
    Remove(Whose),
}

#[derive(Args, Debug)]
struct Whose {
    /// For whom
    #[arg(long = "for", value_enum)]
    target: To,
    /// A name for the account, where there are several
    #[arg(long, default_value = DEFAULT)]
    name: String,
}

/// The name of an account where nobody gives one.
pub const DEFAULT: &str = "default";
/// No more of standard input is read, in bytes.
const MOST: u64 = 64 * 1024;

/// Whose account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum To {
    /// Klaviyo
    Klaviyo,
    /// HubSpot
    Hubspot,
}

impl To {
    /// As the core says it.
    pub fn target(self) -> Target {
        match self {
            Self::Klaviyo => Target::Klaviyo,
            Self::Hubspot => Target::Hubspot,
        }
    }
}

/// Runs it.
pub fn run(args: &Arguments, streams: &mut Streams) -> Outcome {
    match &args.what {
        What::Set(whose) => {
            let target = whose.target.target();
            let key = Key::new(&typed(target, streams)?).map_err(failure)?;
            key.store(target, &whose.name).map_err(failure)?;
            streams.say(&format!("The key for {} is kept under the name `{}`\n", target.title(), whose.name));
        }
        What::Remove(whose) => {
            let target = whose.target.target();
            if !Key::remove(target, &whose.name).map_err(failure)? {
                return Err(Failure::refused(
                    format!("There is no key for {} under the name `{}`", target.title(), whose.name),
                    format!("It may stand in the variable {}", variable(target)),
                ));
            }
            streams.say(&format!("The key for {} under the name `{}` is forgotten\n", target.title(), whose.name));
        }
    }
    Ok(Done::Well)
}

fn typed(target: Target, streams: &mut Streams) -> Result<String, Failure> {
    let terminal = console::Term::stderr();
    let read = if console::user_attended() && terminal.is_term() {
        streams.tell(&format!("Key for {}, not shown: ", target.title()));
        terminal.read_secure_line()
    } else {
        let mut text = String::new();
        io::stdin().lock().take(MOST).read_to_string(&mut text).map(|_| text)
    };
    read.map_err(|error| Failure::unusable(format!("The key cannot be read: {error}"), "Pipe it in, or type it"))
}
