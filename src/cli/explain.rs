//! `flowloom explain`: the page of a diagnostic's code; the mapping files of webhooks that the program brings along.

use std::fmt::Write as _;

use clap::Args;

use super::{Done, Failure, Format, Outcome, Streams};
#[cfg(feature = "engine")]
use crate::engine::intake::mapping::SHIPPED;
use crate::{
    base::nearest,
    flow::check::{CheckSpec, catalogue, explain},
};

/// Explain the code of a diagnostic, list all codes, or print a shipped mapping of webhooks
#[derive(Args, Debug)]
pub struct Arguments {
    /// The code, such as graph/unreachable-node; all where left out. hooks/shopify and hooks/klaviyo print the mapping
    /// files for `flowloom run --mapping`, to be saved and changed
    code: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs it.
pub fn run(args: &Arguments, streams: &mut Streams) -> Outcome {
    #[cfg(feature = "engine")]
    if let Some(name) = args.code.as_deref().and_then(|code| code.strip_prefix("hooks/")) {
        return hooks(name, args.format, streams);
    }
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

/// Prints a shipped mapping as it is: what is saved is a mapping.
///
/// Errors: there is none of that name.
#[cfg(feature = "engine")]
fn hooks(name: &str, format: Format, streams: &mut Streams) -> Outcome {
    let shipped = SHIPPED.iter().filter_map(|(file, text)| Some((file.strip_suffix(".ron")?, *text)));
    let Some((name, text)) = shipped.clone().find(|(own, _)| *own == name) else {
        let names: Vec<String> = shipped.map(|(own, _)| format!("hooks/{own}")).collect();
        let wanted = format!("hooks/{name}");
        return Err(Failure::unusable(
            format!("There is no shipped mapping `{wanted}`"),
            nearest::hint(&wanted, names.iter().map(String::as_str)),
        ));
    };
    match format {
        Format::Text => streams.say(text),
        Format::Json => {
            streams.say_json(&serde_json::json!({"schema": "flowloom/mapping/1", "name": name, "text": text}));
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
