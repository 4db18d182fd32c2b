//! `flowloom open`: the studio on a flow. Without a command: the studio on the gallery, or the tour where there is no
//! display.

use std::path::PathBuf;

use super::{Done, Failure, Outcome, Streams, tour};

/// Open the studio on flows, each in a tab
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Flow files [default: the last one, or the gallery]
    #[arg(value_name = "FLOW")]
    flows: Vec<PathBuf>,
}

/// Opens the window on flows.
pub fn run(args: &Arguments) -> Outcome {
    for flow in &args.flows {
        crate::disk::flow_even_newer(flow)?;
    }
    match crate::gui::run(args.flows.clone()) {
        Ok(()) => Ok(Done::Well),
        Err(why) => Err(Failure::refused(why, "The command line does all but drawing: flowloom --help")),
    }
}

/// Opens the window on the gallery; where none can be opened, says what is missing and runs the tour.
pub fn without_a_command(streams: &mut Streams) -> Outcome {
    match crate::gui::run(Vec::new()) {
        Ok(()) => Ok(Done::Well),
        Err(why) => {
            streams.tell(&format!("{why}\nHere is the tour instead.\n"));
            tour::run(&tour::Arguments::default(), streams)
        }
    }
}
