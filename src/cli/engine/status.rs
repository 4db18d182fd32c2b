//! `flowloom status`: who stands where, what was sent, how late.

use std::fmt::Write as _;

use clap::Args;

use super::{super::show, Data, Done, Failure, Format, Outcome, Streams, reader};
use crate::engine::{
    client::Client,
    clock::Clock,
    status::{AuditRow, Status},
};

/// Show an engine: people per step, messages, latency
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    data: Data,
    /// Also what was done by hand, newest first, at most so many [default: 50]
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "50")]
    audit: Option<usize>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs it.
pub fn run(args: &Arguments, streams: &mut Streams) -> Outcome {
    let (status, running) = match Client::of(&args.data.dir)? {
        Some(client) => (client.status()?, Some(client.door().address)),
        None => (reader(&args.data.dir)?.status(Clock::Real.now())?, None),
    };
    let audit = args.audit.map(|most| reader(&args.data.dir)?.audit(most).map_err(Failure::from)).transpose()?;
    match args.format {
        Format::Json => {
            let mut json = serde_json::to_value(&status).unwrap_or_default();
            if let (Some(audit), Some(map)) = (audit, json.as_object_mut()) {
                map.insert("audit".to_owned(), serde_json::to_value(audit).unwrap_or_default());
            }
            streams.say_json(&json);
        }
        Format::Text => {
            let head = running.map_or_else(|| "does not run".to_owned(), |address| format!("runs at http://{address}"));
            streams.say(&show::clean(&format!("The engine {head}\n{}", text(&status))));
            if let Some(audit) = audit {
                streams.say(&show::clean(&by_hand(&audit)));
            }
        }
    }
    Ok(Done::Well)
}

fn by_hand(audit: &[AuditRow]) -> String {
    if audit.is_empty() {
        return "\nNothing was done by hand\n".to_owned();
    }
    let mut out = "\nBy hand, newest first\n".to_owned();
    for AuditRow { at, contact, who, what } in audit {
        let whom = contact.as_ref().map_or_else(String::new, |contact| format!("{contact}: "));
        let _ = writeln!(out, "  {at}  {who}: {whom}{what}");
    }
    out
}

fn text(status: &Status) -> String {
    let people = show::count(usize::try_from(status.contacts).unwrap_or(usize::MAX), "contact", "contacts");
    let mut out = format!("{people}, {} waiting for a time", status.waiting);
    if let Some(at) = status.next_wake {
        let _ = write!(out, ", the next one at {at}");
    }
    out.push('\n');
    if !status.outbox.is_empty() {
        let counts: Vec<String> =
            status.outbox.iter().filter(|(_, n)| **n > 0).map(|(name, n)| format!("{n} {name}")).collect();
        let _ = writeln!(out, "Messages: {}", counts.join(", "));
    }
    for flow in &status.flows {
        let _ = write!(out, "\n{} ({}): {}", flow.name, flow.id, flow.state);
        if !flow.why.is_empty() {
            let _ = write!(out, " ({})", flow.why);
        }
        let _ = writeln!(out, ", {} entered, {} under way, version {}", flow.entered, flow.under_way, flow.version);
        for (version, n) in &flow.older {
            let _ = writeln!(out, "  {n} in version {version}");
        }
        let width = flow.nodes.keys().map(|node| node.as_str().chars().count()).max().unwrap_or(0).max(4);
        if !flow.nodes.is_empty() {
            let _ = writeln!(
                out,
                "  {:<width$}  {:>6} {:>6} {:>8} {:>8} {:>8} {:>8}",
                "step", "here", "held", "entered", "left", "sent", "not sent"
            );
        }
        for (node, seen) in &flow.nodes {
            let _ = writeln!(
                out,
                "  {:<width$}  {:>6} {:>6} {:>8} {:>8} {:>8} {:>8}",
                node.as_str(),
                seen.here,
                seen.open(),
                seen.entered,
                seen.left,
                seen.sent,
                seen.not_sent
            );
        }
    }
    for (source, latency) in status.latency.iter().filter(|(_, latency)| latency.count > 0) {
        let _ = writeln!(
            out,
            "\nLateness of {}: half within {} ms, 99 % within {} ms, at most {} ms{}",
            source.replace('_', "-"),
            latency.p50,
            latency.p99,
            latency.max,
            if latency.over_10_s > 0 { format!("; {} over 10 s", latency.over_10_s) } else { String::new() }
        );
    }
    if status.damaged > 0 {
        let people = show::count(usize::try_from(status.damaged).unwrap_or(usize::MAX), "contact", "contacts");
        let _ = writeln!(out, "warning: {people} cannot be read, and nothing is done for them (flowloom held)");
    }
    for warning in &status.warnings {
        let _ = writeln!(out, "warning: {warning}");
    }
    out
}
