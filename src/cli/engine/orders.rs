//! `publish`, `pause`, `resume`, `drain`, `migrate`, `retry`, `forget`, `suppress`, `move`, `end`: words to an engine.

use std::{fs, path::PathBuf};

use clap::Args;

use super::{
    super::{Done, Failure, Places, load, show},
    Data, Format, Outcome, Streams, WHO, give, line, reader, say,
};
use crate::{
    base::{ContactId, FlowId, JourneyId, NodeId, SendKey},
    engine::{status::MoveView, work::Order},
    journey::is_suppressible,
};

/// How to print.
#[derive(Args, Clone, Copy, Debug)]
pub struct Print {
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Make flows live in an engine, in a version named by their content
#[derive(Args, Debug)]
pub struct Publish {
    /// Flow files of one workspace, or its folder
    #[arg(required = true, value_name = "FLOW")]
    flows: Vec<PathBuf>,
    #[command(flatten)]
    data: Data,
    /// Make flows live although the checks find errors in them
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    print: Print,
}

/// Runs `publish`.
pub fn publish(args: &Publish, places: &Places, streams: &mut Streams) -> Outcome {
    let project = load::project(&args.flows, places)?;
    super::without_errors(&project, "publish", args.force)?;
    let mut line = line(&args.data.dir)?;
    let mut all = Vec::new();
    for file in &project.flows {
        let flow = Box::new(file.flow().clone());
        let order = Order::Publish { flow, workspace: Box::new(project.home.workspace.clone()) };
        all.push(line.order(WHO, &order)?);
    }
    say(&all.join("\n"), args.print.format, streams)
}

/// A flow that is live in an engine.
#[derive(Args, Debug)]
pub struct OneFlow {
    /// The flow's id
    #[arg(value_name = "FLOW")]
    flow: String,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    print: Print,
}

/// Hold a flow's messages; waits, calls and alerts go on
#[derive(Args, Debug)]
pub struct Pause {
    #[command(flatten)]
    of: OneFlow,
    /// Let waits stand still, too
    #[arg(long)]
    freeze: bool,
}

/// Runs `pause`.
pub fn pause(args: &Pause, streams: &mut Streams) -> Outcome {
    let order = Order::Pause { flow: FlowId::new(&args.of.flow), freeze: args.freeze };
    give(&args.of.data, &order, args.of.print.format, streams)
}

/// Let a paused flow go on; what is overdue is shown first
#[derive(Args, Debug)]
pub struct Resume {
    #[command(flatten)]
    of: OneFlow,
    /// Only show what is held
    #[arg(long)]
    dry_run: bool,
}

/// Runs `resume`.
pub fn resume(args: &Resume, streams: &mut Streams) -> Outcome {
    // What resuming sets free is shown first (SEMANTICS R30).
    let flow = FlowId::new(&args.of.flow);
    let own = reader(&args.of.data.dir)?.held(Some(&flow), MOST_HELD)?.len();
    let shown = match own {
        0 => format!("Nothing of {} is held", args.of.flow),
        1 => format!("1 message or step of {} is held", args.of.flow),
        MOST_HELD => format!("{own} messages or steps of {} are held, or more", args.of.flow),
        _ => format!("{own} messages or steps of {} are held", args.of.flow),
    };
    if args.dry_run {
        return say(&shown, args.of.print.format, streams);
    }
    if own > 0 {
        streams.tell(&format!("{}\n", show::clean(&shown)));
    }
    give(&args.of.data, &Order::Resume { flow }, args.of.print.format, streams)
}

/// Held rows that are counted before resuming.
const MOST_HELD: usize = 10_000;

/// Let nobody into a flow any more; journeys go on
#[derive(Args, Debug)]
pub struct Drain {
    #[command(flatten)]
    of: OneFlow,
}

/// Runs `drain`.
pub fn drain(args: &Drain, streams: &mut Streams) -> Outcome {
    give(&args.of.data, &Order::Drain { flow: FlowId::new(&args.of.flow) }, args.of.print.format, streams)
}

/// Move a flow's journeys to its live version; without --yes only show where each would go
#[derive(Args, Debug)]
pub struct Migrate {
    #[command(flatten)]
    of: OneFlow,
    /// A step that is gone, and where its journeys go: --map old=new; without one they end
    #[arg(long = "map", value_name = "OLD=NEW", value_parser = pair)]
    mapping: Vec<(String, String)>,
    /// Do it
    #[arg(long)]
    yes: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (old, new) = text.split_once('=').ok_or("write it as old=new")?;
    Ok((old.trim().to_owned(), new.trim().to_owned()))
}

/// Runs `migrate`.
pub fn migrate(args: &Migrate, streams: &mut Streams) -> Outcome {
    let mapping: Vec<(NodeId, NodeId)> =
        args.mapping.iter().map(|(old, new)| (NodeId::new(old), NodeId::new(new))).collect();
    let flow = FlowId::new(&args.of.flow);
    let plan = reader(&args.of.data.dir)?.migration(&flow, &mapping)?;
    let Some(plan) = plan else {
        return Err(Failure::unusable(format!("No flow `{flow}` is live here"), "flowloom status lists the flows"));
    };
    let order = Order::Migrate { flow, mapping };
    if args.of.print.format == Format::Json {
        let done = if args.yes { Some(line(&args.of.data.dir)?.order(WHO, &order)?) } else { None };
        let moves: Vec<MoveView> = plan.into_iter().map(MoveView::from).collect();
        streams.say_json(&serde_json::json!({"schema": "flowloom/migrate/1", "moves": moves, "done": done}));
        return Ok(Done::Well);
    }
    for (from, to, count) in &plan {
        let number = usize::try_from(*count).unwrap_or(usize::MAX);
        let (people, stay, go, end) = match number {
            1 => ("1 journey".to_owned(), "stays", "goes", "ends"),
            _ => (format!("{number} journeys"), "stay", "go", "end"),
        };
        let line = match to {
            Some(to) if to == from => format!("{people} {stay} at {to}\n"),
            Some(to) => format!("{people} at {from} {go} to {to}\n"),
            None => format!("{people} at {from} {end}: the step is gone (--map {from}=STEP moves them)\n"),
        };
        streams.say(&show::clean(&line));
    }
    if plan.is_empty() {
        streams.say("Nobody walks an older version\n");
    }
    if !args.yes {
        streams.tell("Nothing was changed; --yes does it\n");
        return Ok(Done::Well);
    }
    give(&args.of.data, &order, args.of.print.format, streams)
}

/// Try a held step or message again, or say what became of one that may have left
#[derive(Args, Debug)]
pub struct Retry {
    /// The key that held shows
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    data: Data,
    /// Send a message again that may have left; it may then arrive twice
    #[arg(long, conflicts_with = "sent")]
    resend: bool,
    /// Take a message that may have left as sent: it was found in a mailbox or in the mail server's log
    #[arg(long)]
    sent: bool,
    #[command(flatten)]
    print: Print,
}

/// Runs `retry`.
pub fn retry(args: &Retry, streams: &mut Streams) -> Outcome {
    let Some(key) = SendKey::parse(&args.key) else {
        return Err(Failure::unusable(
            format!("`{}` is no key", args.key),
            "flowloom held shows them: journey/step/pass",
        ));
    };
    let order = if args.sent { Order::MarkSent { key } } else { Order::Retry { key, resend: args.resend } };
    give(&args.data, &order, args.print.format, streams)
}

/// Put a journey at another step, or end it
#[derive(Args, Debug)]
pub struct Move {
    /// The contact's id
    #[arg(value_name = "ID")]
    contact: String,
    /// The journey, as contact shows it
    #[arg(value_name = "JOURNEY")]
    journey: String,
    /// The step; without one the journey ends
    #[arg(long, value_name = "STEP")]
    to: Option<String>,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    print: Print,
}

/// Runs `move`.
pub fn move_journey(args: &Move, streams: &mut Streams) -> Outcome {
    let (contact, journey) = (ContactId::new(&args.contact), JourneyId::new(&args.journey));
    let order = match &args.to {
        Some(node) => Order::Move { contact, journey, node: NodeId::new(node) },
        None => Order::End { contact, journey },
    };
    give(&args.data, &order, args.print.format, streams)
}

/// Delete a person: history, journeys, mails, and what lies of them in files; the id stays suppressed
#[derive(Args, Debug)]
pub struct Forget {
    /// The contact's id
    #[arg(value_name = "ID")]
    contact: String,
    #[command(flatten)]
    data: Data,
    /// Do it: it cannot be taken back
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    print: Print,
}

/// Runs `forget`.
pub fn forget(args: &Forget, streams: &mut Streams) -> Outcome {
    if !args.yes {
        return Err(Failure::refused(
            format!("Everything about `{}` would be deleted, for good", args.contact),
            "Say --yes to do it; flowloom contact shows what there is",
        ));
    }
    give(&args.data, &Order::Forget { contact: ContactId::new(&args.contact) }, args.print.format, streams)
}

/// Add addresses to the suppression list, take them off, or print the list
#[derive(Args, Debug)]
pub struct Suppress {
    /// A file with an e-mail address or a phone number (+4915112345678) per line
    #[arg(value_name = "FILE", required_unless_present = "list")]
    file: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
    /// Take them off instead; whoever has such an address may be written to again, but for those who complained or were
    /// forgotten
    #[arg(long)]
    lift: bool,
    /// Print the list
    #[arg(long, conflicts_with_all = ["file", "lift"])]
    list: bool,
    #[command(flatten)]
    print: Print,
}

/// Addresses in one order. Source: the engine's limit of 5 MB a request.
const MOST_ADDRESSES: usize = 10_000;

/// Runs `suppress`.
pub fn suppress(args: &Suppress, streams: &mut Streams) -> Outcome {
    let Some(file) = args.file.as_ref().filter(|_| !args.list) else {
        let addresses = reader(&args.data.dir)?.suppressed()?;
        match args.print.format {
            Format::Json => {
                streams.say_json(&serde_json::json!({"schema": "flowloom/suppressed/1", "addresses": addresses}));
            }
            Format::Text => addresses.iter().for_each(|one| streams.say(&show::clean(&format!("{one}\n")))),
        }
        return Ok(Done::Well);
    };
    let text = fs::read_to_string(file).map_err(|error| {
        Failure::unusable(
            format!("{} cannot be read: {error}", file.display()),
            "Name a text file with an address per line",
        )
    })?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let addresses: Vec<String> = lines.map(str::to_owned).collect();
    if let Some(bad) = addresses.iter().find(|address| !is_suppressible(address)) {
        return Err(Failure::unusable(
            format!("`{bad}` is neither an e-mail address nor a phone number with its country code"),
            "Write one per line, such as ada@shop.example or +4915112345678; nothing was changed",
        ));
    }
    if addresses.is_empty() {
        return Err(Failure::unusable(format!("{} names no address", file.display()), "Write one address per line"));
    }
    let mut line = line(&args.data.dir)?;
    let mut all = Vec::new();
    for part in addresses.chunks(MOST_ADDRESSES) {
        all.push(line.order(WHO, &Order::Suppress { addresses: part.to_vec(), lift: args.lift })?);
    }
    say(&all.join("\n"), args.print.format, streams)
}
