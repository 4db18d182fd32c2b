//! `flowloom kinds`: every sort of step, from the catalogue.

use std::fmt::Write as _;

use clap::Args;

use super::{Done, Failure, Format, Outcome, Streams};
use crate::{
    base::nearest,
    kinds::{CATALOGUE, Group, Spec},
};

/// List the kinds of steps, or show the page of one
#[derive(Args, Debug, Default)]
pub struct Arguments {
    /// Only this kind, with its settings
    kind: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs it.
pub fn run(args: &Arguments, streams: &mut Streams) -> Outcome {
    let chosen: Vec<&Spec> = match &args.kind {
        None => CATALOGUE.iter().collect(),
        Some(name) => match CATALOGUE.iter().find(|spec| spec.name == name) {
            Some(spec) => vec![spec],
            None => {
                let near = nearest::hint(name, CATALOGUE.iter().map(|spec| spec.name));
                let hint = if near.is_empty() { "See them all with: flowloom kinds".to_owned() } else { near };
                return Err(Failure::unusable(format!("There is no kind `{name}`"), hint));
            }
        },
    };
    match args.format {
        Format::Json => streams.say_json(&serde_json::json!({"schema": "flowloom/kinds/1", "kinds": chosen})),
        Format::Text if args.kind.is_some() => chosen.iter().for_each(|spec| streams.say(&page(spec))),
        Format::Text => streams.say(&list(&chosen)),
    }
    Ok(Done::Well)
}

fn list(specs: &[&Spec]) -> String {
    let mut out = String::new();
    let mut group = None;
    for spec in specs {
        if group.replace(spec.group) != Some(spec.group) {
            let title = match spec.group {
                Group::Trigger => "Triggers (alternatives of the trigger step)",
                Group::Logic => "\nLogic",
                Group::Action => "\nActions",
            };
            let _ = writeln!(out, "{title}");
        }
        let _ = writeln!(out, "  {:<16} {}", spec.name, spec.docs.what);
    }
    out.push_str("\nMore on one: flowloom kinds KIND\n");
    out
}

fn page(spec: &Spec) -> String {
    let mut out = format!("{} ({})\n\n{}\n{}\n", spec.title, spec.name, spec.docs.what, spec.docs.why);
    if !spec.ports.is_empty() {
        let _ = write!(out, "\nPorts: {}\n", spec.ports.join(", "));
    }
    if !spec.fields.is_empty() {
        out.push_str("\nSettings\n");
        for field in spec.fields {
            let _ = writeln!(out, "  {:<16} {}", field.name, field.help);
        }
    }
    let _ = write!(out, "\nExample: {}\nSource: {}\n", spec.example, spec.docs.source);
    out
}
