//! `flowloom held`: what waits for a person to look at it, and whom nobody can look at.

use clap::Args;

use super::{super::show, Data, Done, Format, Outcome, Streams, reader};
use crate::engine::status::MEND_DAMAGED;

/// Show what waits for somebody: held steps and messages, those that may have left, contacts that cannot be read
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
    let reader = reader(&args.data.dir)?;
    let (rows, damaged) = (reader.held(None, args.limit)?, reader.damaged(args.limit)?);
    match args.format {
        Format::Json => {
            let json = serde_json::json!({"schema": "flowloom/held/1", "rows": rows, "damaged": damaged});
            streams.say_json(&json);
        }
        Format::Text => {
            for row in &rows {
                let detail = if row.detail.is_empty() { String::new() } else { format!(" ({})", row.detail) };
                let line = format!("{}  {}  {}: {}{detail}\n", row.since, row.key, row.what, row.reason.name());
                streams.say(&show::clean(&line));
            }
            for one in &damaged {
                streams.say(&show::clean(&format!("{}  {}  cannot be read: {}\n", one.since, one.contact, one.why)));
            }
            if rows.is_empty() && damaged.is_empty() {
                streams.say("Nothing is held\n");
            }
            if !rows.is_empty() {
                streams.say("Try one again with flowloom retry KEY; one that may have left with --resend, or close it with --sent\n");
            }
            if !damaged.is_empty() {
                streams.say(&format!("{MEND_DAMAGED}\n"));
            }
        }
    }
    Ok(Done::Well)
}
