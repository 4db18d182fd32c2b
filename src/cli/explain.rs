//! `flowloom explain`: the page of a diagnostic's code.

use std::fmt::Write as _;

use clap::Args;

use super::{Done, Failure, Format, Outcome, Streams};
use crate::{
    base::nearest,
    flow::check::{CheckSpec, catalogue, explain},
};

/// Explain the code of a diagnostic, or list all codes
#[derive(Args, Debug)]
pub struct Arguments {
    /// The code, such as graph/unreachable-node; all where left out
    code: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs it.
pub fn run(args: &Arguments, streams: &mut Streams) -> Outcome {
    let chosen: Vec<CheckSpec> = match &args.code {
        None => catalogue(),
        Some(code) => match explain(code) {
            Some(spec) => vec![spec],
            None => {
                let near = nearest::hint(code, catalogue().iter().map(|spec| spec.code));
                let hint = if near.is_empty() { "See them all with: flowloom explain".to_owned() } else { near };
                return Err(Failure::unusable(format!("There is no code `{code}`"), hint));
            }
        },
    };
    match (args.format, &args.code) {
        (Format::Json, _) => streams.say_json(&serde_json::json!({"schema": "flowloom/explain/1", "codes": chosen})),
        (Format::Text, Some(_)) => chosen.iter().for_each(|spec| streams.say(&page(spec))),
        (Format::Text, None) => {
            let width = chosen.iter().map(|spec| spec.code.len()).max().unwrap_or(0);
            for spec in &chosen {
                streams.say(&format!("{:<width$}  {:<7}  {}\n", spec.code, spec.severity.to_string(), spec.title));
            }
        }
    }
    Ok(Done::Well)
}

fn page(spec: &CheckSpec) -> String {
    let mut out = format!("{}\n{} ({})\n", spec.title, spec.code, spec.severity);
    for (heading, text) in [
        ("What it finds", spec.what),
        ("Why it matters", spec.why),
        ("Example", spec.example),
        ("What to do", spec.fix),
        ("Source", spec.source),
    ] {
        let _ = write!(out, "\n{heading}\n");
        for line in text.lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}
