//! `flowloom held`: what waits for a person to look at it.

use clap::Args;

use super::{super::show, Data, Done, Format, Outcome, Streams, reader};

/// Show what waits for somebody: held steps and messages, and those that may have left
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    data: Data,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs it.
pub fn run(args: &Arguments, streams: &mut Streams) -> Outcome {
    let rows = reader(&args.data.dir)?.held(None, args.limit)?;
    match args.format {
        Format::Json => streams.say_json(&serde_json::json!({"schema": "flowloom/held/1", "rows": rows})),
        Format::Text => {
            for row in &rows {
                let detail = if row.detail.is_empty() { String::new() } else { format!(" ({})", row.detail) };
                let line = format!("{}  {}  {}: {}{detail}\n", row.since, row.key, row.what, row.reason.name());
                streams.say(&show::clean(&line));
            }
            if rows.is_empty() {
                streams.say("Nothing is held\n");
            } else {
                streams.say("Try one again with flowloom retry KEY; one that may have left with --resend, or close it with --sent\n");
            }
        }
    }
    Ok(Done::Well)
}
