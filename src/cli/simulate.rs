//! `flowloom simulate`: plays flows over the audience's history, and says what became of each message and why.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, time::Duration};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Done, Failure, Format, Outcome, Places, Streams, load, show};
use crate::{
    audience::Audience,
    base::{ContactId, Instant, Severity, nearest},
    flow::{
        Flow,
        check::{Surroundings, check},
    },
    journey::FlowSet,
    simulate::{Options, Report, replay},
};

/// Play flows over the audience's history
#[derive(Args, Debug)]
pub struct Arguments {
    /// Flow files of one workspace, or its folder
    #[arg(required = true, value_name = "FLOW")]
    flows: Vec<PathBuf>,
    /// Flows go live then [default: just before the first event]
    #[arg(long, value_name = "INSTANT")]
    from: Option<Instant>,
    /// The replay ends then [default: 30 days after the last event]
    #[arg(long, value_name = "INSTANT")]
    until: Option<Instant>,
    /// Only this contact; may be given several times
    #[arg(long, value_name = "ID")]
    contact: Vec<String>,
    /// Tell every decision about this contact, and why
    #[arg(long, value_name = "CONTACT")]
    trace: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Audiences from this size on get a sign of life on a terminal. Source: assumption; below it a replay takes no time
/// that anybody notices.
const PROGRESS_FROM: usize = 500;

/// Runs it.
pub fn run(args: &Arguments, places: &Places, streams: &mut Streams) -> Outcome {
    let project = load::project(&args.flows, places)?;
    let audience = load::audience(&project.home, places, streams)?;
    if audience.contacts.is_empty() {
        return Err(Failure::unusable(
            "There is no audience to play the flow over",
            "Put contacts.jsonl and events.jsonl (or .csv) into audience/ in the workspace, or name a folder with --audience",
        ));
    }
    for id in args.contact.iter().chain(&args.trace) {
        known(&audience, id)?;
    }
    if let (Some(from), Some(until)) = (args.from, args.until)
        && until < from
    {
        return Err(Failure::unusable(format!("--until {until} lies before --from {from}"), "Swap them"));
    }
    if args.from.is_none() && audience.events.is_empty() {
        return Err(Failure::unusable(
            "The audience has no events to take the time from",
            "Say when flows go live: --from 2026-11-23T09:00:00Z",
        ));
    }
    let flows: Vec<Flow> = project.flows.iter().map(|file| file.flow().clone()).collect();
    for file in &project.flows {
        let around = Surroundings { workspace: &project.home.workspace, other_flows: &[], audience: None };
        let findings = check(file.flow(), &around);
        let num_errors = findings.iter().filter(|found| found.diagnostic.severity == Severity::Error).count();
        if num_errors > 0 {
            streams.tell(&format!(
                "note: {} has {}; it is played as far as it makes sense (flowloom check {})\n",
                file.source.shown,
                show::count(num_errors, "error", "errors"),
                file.source.shown
            ));
        }
    }
    let set = FlowSet::new(&project.home.workspace, &flows);
    let mut contacts: Vec<ContactId> = args.contact.iter().map(ContactId::new).collect();
    if let (Some(id), false) = (&args.trace, contacts.is_empty()) {
        contacts.push(ContactId::new(id));
    }
    let options = Options { from: args.from, until: args.until, contacts, ..Options::default() };
    let progress = (streams.interactive && audience.contacts.len() >= PROGRESS_FROM).then(|| spinner(&audience));
    let report = replay(&set, &audience, &options);
    if let Some(progress) = progress {
        progress.finish_and_clear();
    }
    match args.format {
        Format::Json => streams.say_json(&json(&report, args.trace.as_deref())?),
        Format::Text => match &args.trace {
            Some(id) => streams.say(&trace(&report, id)),
            None => streams.say(&table(&report, &flows)),
        },
    }
    Ok(Done::Well)
}

/// A contact that the audience has.
fn known(audience: &Audience, id: &str) -> Result<(), Failure> {
    if audience.contacts.iter().any(|contact| contact.id.as_str() == id) {
        return Ok(());
    }
    Err(Failure::unusable(
        format!("There is no contact `{id}` in the audience"),
        nearest::hint(id, audience.contacts.iter().map(|contact| contact.id.as_str())),
    ))
}

fn spinner(audience: &Audience) -> ProgressBar {
    let progress = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        progress.set_style(style);
    }
    progress.set_message(format!("playing {} events of {} contacts", audience.events.len(), audience.contacts.len()));
    progress.enable_steady_tick(Duration::from_millis(120));
    progress
}

fn json(report: &Report, traced: Option<&str>) -> Result<serde_json::Value, Failure> {
    let mut out = serde_json::Map::new();
    out.insert("schema".to_owned(), "flowloom/simulate/1".into());
    let fail =
        |error: serde_json::Error| Failure::refused(format!("The report cannot be written as JSON: {error}"), "");
    if let serde_json::Value::Object(map) = serde_json::to_value(report).map_err(fail)? {
        out.extend(map);
    }
    if let Some(id) = traced {
        out.insert("trace".to_owned(), serde_json::to_value(report.traces.get(id)).map_err(fail)?);
    }
    Ok(serde_json::Value::Object(out))
}

fn trace(report: &Report, id: &str) -> String {
    let mut out = String::new();
    let decisions = report.traces.get(id).map(Vec::as_slice).unwrap_or_default();
    for decision in decisions {
        let _ = writeln!(out, "{decision}");
    }
    if decisions.is_empty() {
        let _ = writeln!(out, "Nothing was decided about {id} from {} to {}", report.from, report.until);
    }
    show::clean(&out)
}

fn table(report: &Report, flows: &[Flow]) -> String {
    let mut out = format!(
        "{} from {} to {}: {}\n",
        show::count(report.contacts, "contact", "contacts"),
        report.from,
        report.until,
        show::count(usize::try_from(report.entered).unwrap_or(usize::MAX), "entry", "entries"),
    );
    for (flow, of_flow) in &report.flows {
        let _ = writeln!(
            out,
            "\n{flow}: {} entered, {} converted, {} under way at the end",
            of_flow.entered, of_flow.converted, of_flow.under_way
        );
        let width = of_flow.nodes.keys().map(|id| id.as_str().len()).max().unwrap_or(4).max(4);
        let _ = writeln!(out, "  {:<width$}  {:>7}  left by", "step", "entered");
        // Steps stand in the order of the file, which is the order in which they were drawn.
        let drawn = flows.iter().filter(|drawn| drawn.id == *flow).flat_map(|drawn| &drawn.nodes);
        for (id, node) in drawn.filter_map(|node| Some((&node.id, of_flow.nodes.get(&node.id)?))) {
            let left: Vec<String> = node.left.iter().map(|(port, n)| format!("{port} {n}")).collect();
            let waiting = if node.waiting > 0 { format!("  ({} still there)", node.waiting) } else { String::new() };
            let _ = writeln!(out, "  {:<width$}  {:>7}  {}{waiting}", id.as_str(), node.entered, left.join(", "));
        }
        for (title, counts) in [("not entered", &of_flow.not_entered), ("ended", &of_flow.ended)] {
            if !counts.is_empty() {
                let list: Vec<String> = counts.iter().map(|(why, n)| format!("{why} {n}")).collect();
                let _ = writeln!(out, "  {title}: {}", list.join(", "));
            }
        }
        let mut outcomes: BTreeMap<(&str, &str, &str, &str), usize> = BTreeMap::new();
        for row in report.messages.iter().filter(|row| row.flow == *flow) {
            *outcomes.entry((row.node.as_str(), &row.variant, row.outcome.name(), row.reason.name())).or_default() += 1;
        }
        if !outcomes.is_empty() {
            let _ = writeln!(
                out,
                "  {:<width$}  {:<8} {:<8} {:<14} {:>5}",
                "message", "variant", "outcome", "why", "count"
            );
        }
        for ((node, variant, outcome, reason), n) in outcomes {
            let _ = writeln!(out, "  {node:<width$}  {variant:<8} {outcome:<8} {reason:<14} {n:>5}");
        }
    }
    out.push_str("\nWhy for one contact: add --trace CONTACT\n");
    show::clean(&out)
}
