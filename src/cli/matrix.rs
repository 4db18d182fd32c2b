//! `flowloom matrix`: every message for every contact, tag by tag: value, fallback or missing.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use smol_str::SmolStr;

use super::{Done, Failure, Outcome, Places, Streams, show, stage::Stage};
use crate::{
    base::{ContactId, Instant, MessageId, NodeId},
    content::{Completeness, TagUse},
};

/// Show every message for every contact, tag by tag
#[derive(Args, Debug)]
pub struct Arguments {
    /// The flow file
    #[arg(value_name = "FLOW")]
    flow: PathBuf,
    /// When they get it [default: the newest event of the audience]
    #[arg(long, value_name = "INSTANT")]
    at: Option<Instant>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: MatrixFormat,
}

/// How the matrix is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum MatrixFormat {
    /// One JSON object.
    #[default]
    Json,
}

/// One mail. A branch of the flow that sends has a step of its own, and every variant has a row.
#[derive(Serialize)]
struct Row {
    node: NodeId,
    message: MessageId,
    variant: SmolStr,
    contact: ContactId,
    /// The contact is dealt this variant.
    dealt: bool,
    /// The event that is taken to have let the contact in.
    event: Option<String>,
    /// `complete`, `incomplete`, `empty`, `leftover`: all but the first would be held.
    state: &'static str,
    subject: String,
    tags: Vec<TagUse>,
}

/// Runs it.
pub fn run(args: &Arguments, places: &Places, streams: &mut Streams) -> Outcome {
    let stage = Stage::new(&args.flow, args.at, places, streams)?;
    let mut rows = Vec::new();
    let mut num_faults = 0_usize;
    for (node, message) in stage.sendings() {
        for variant in &message.variants {
            let prepared = match stage.prepare(node, message, variant) {
                Ok(prepared) => prepared,
                Err(fault) => {
                    num_faults += 1;
                    streams.tell(&format!("{}\n", fault.text));
                    continue;
                }
            };
            for contact in &stage.audience.contacts {
                let made = match stage.render(&prepared, message, variant, contact, None) {
                    Ok(made) => made,
                    Err(fault) => {
                        num_faults += 1;
                        streams.tell(&format!("{}\n", fault.text));
                        continue;
                    }
                };
                let state = match made.mail.completeness() {
                    Completeness::Complete => "complete",
                    Completeness::Incomplete(_) => "incomplete",
                    Completeness::Empty => "empty",
                    Completeness::Leftover(_) => "leftover",
                };
                let dealt = stage.variant(node, message, None, contact).is_ok_and(|dealt| dealt.id == variant.id);
                rows.push(Row {
                    node: node.id.clone(),
                    message: message.id.clone(),
                    variant: SmolStr::new(&variant.id),
                    contact: contact.id.clone(),
                    dealt,
                    event: made.event.map(|event| event.id.to_string()),
                    state,
                    subject: made.mail.subject,
                    tags: made.mail.tags,
                });
            }
        }
    }
    match args.format {
        MatrixFormat::Json => streams.say_json(&serde_json::json!({
            "schema": "flowloom/matrix/1",
            "flow": stage.file.flow().id,
            "at": stage.at,
            "rows": rows,
        })),
    }
    if num_faults > 0 {
        return Err(Failure::refused(
            format!("{} could not be made", show::count(num_faults, "mail", "mails")),
            "They are not among the rows; what is wrong with them stands above",
        ));
    }
    Ok(Done::Well)
}
