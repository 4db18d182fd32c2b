//! `flowloom man`: the manual, one page for all commands, in roff.

use clap::Args;

use super::{Done, Failure, Outcome, Streams};

/// Print the manual page (flowloom man | man -l -)
#[derive(Args, Debug)]
pub struct Arguments {}

/// Runs it.
pub fn run(_: &Arguments, streams: &mut Streams) -> Outcome {
    let mut page = Vec::new();
    let mut write = || -> std::io::Result<()> {
        let root = super::command();
        let main = clap_mangen::Man::new(root.clone());
        main.render(&mut page)?;
        for sub in root.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let name = format!("flowloom {}", sub.get_name());
            let man = clap_mangen::Man::new(sub.clone().bin_name(&name));
            page.extend(format!(".SH {}\n", name.to_uppercase()).bytes());
            man.render_description_section(&mut page)?;
            man.render_synopsis_section(&mut page)?;
            man.render_options_section(&mut page)?;
        }
        Ok(())
    };
    write().map_err(|error| Failure::refused(format!("The page cannot be made: {error}"), ""))?;
    streams.say_bytes(&page);
    Ok(Done::Well)
}
