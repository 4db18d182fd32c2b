//! `flowloom push`: sets a flow up in an account of Klaviyo or HubSpot, as a draft.
//!
//! The one idea: nothing is changed before the whole list was shown and confirmed (`--yes` says so beforehand,
//! `--dry-run` only shows it). What was done lies beside the flow after each step, so that the same command goes on
//! where one broke off. Deliberately not here: what is looked at, planned and sent (`platforms::push`).

use std::{
    env,
    fmt::Write as _,
    io::{self, BufRead, IsTerminal},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{
    Done, Failure, Format, Outcome, Places, Streams,
    export::{Checked, checked},
    key::{DEFAULT, To},
    show,
};
use crate::{
    base::{Diagnostic, Severity},
    disk::{self, Lock, NoLock},
    flow::Target,
    platforms::{
        self,
        push::{
            self, Account, Action, Answers, Change, Choice, Draft, Key, Patience, Plan, Pushed, Record, Watch,
            account_label, variable,
        },
    },
};

/// Set a flow up in an account of Klaviyo or HubSpot, as a draft
#[derive(Args, Debug)]
pub struct Arguments {
    /// The flow file
    #[arg(value_name = "FLOW")]
    flow: PathBuf,
    /// Where to
    #[arg(long, value_enum)]
    to: To,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    /// Which account's key of the keyring
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    key_name: String,
    /// Take this id for a name, as the list shows it: --id "metric:Placed Order=AbC123"
    #[arg(long = "id", value_name = "NAME=ID", value_parser = id)]
    ids: Vec<(String, String)>,
    /// Where the flow that is there cannot be changed, make a new one beside it
    #[arg(long)]
    new_flow: bool,
    /// Upload the pictures of the mails to the account, although the brand says where they lie on the web; without such
    /// an address they always are
    #[arg(long)]
    upload_images: bool,
    /// Another address than the platform's own, for tests
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// How to print what was done
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn id(text: &str) -> Result<(String, String), String> {
    let parts = text.rsplit_once('=').filter(|(name, id)| name.contains(':') && !id.trim().is_empty());
    let (name, id) = parts.ok_or("write it as \"metric:Placed Order=AbC123\"")?;
    Ok((name.trim().to_owned(), id.trim().to_owned()))
}

/// Runs it.
pub fn run(args: &Arguments, places: &Places, streams: &mut Streams) -> Outcome {
    let target = args.to.target();
    let Checked { home, file, export } = checked(target, &args.flow, places, "pushed", streams)?;
    let mut workspace = home.workspace;
    let export = if args.upload_images && !workspace.brand.images.is_empty() {
        // Without an address of its own, each picture asks for one of the account's.
        workspace.brand.images.clear();
        platforms::export(target, file.flow(), &workspace).map_err(|found| refused(&found))?
    } else {
        export
    };
    let draft = Draft::new(target, &export, file.flow(), &workspace).map_err(failure)?;
    let (key, _) = Key::find(target, &args.key_name, env::var(variable(target)).ok().as_deref()).map_err(failure)?;
    let base_url = args.base_url.as_deref();
    let pictures = disk::pictures(home.folder.as_deref(), &file.source.path);
    let mut client = push::connect(target, &workspace, base_url, key, Patience::default()).map_err(failure)?;
    let mut shelf =
        Shelf::open(&file.source.path, target, &draft, &account_label(&args.key_name, base_url), !args.dry_run)?;
    let mut pushed = shelf.record.account(&shelf.label);
    let stop = AtomicBool::new(false);
    let mut watch = Terminal::new(streams, &mut shelf);
    let account = Account::look(&draft, &mut client, &pushed, &pictures, &mut watch, &stop);
    watch.end();
    let account = account.map_err(failure)?;
    let mut answers = Answers { ids: args.ids.iter().cloned().collect(), new_flow: args.new_flow };
    if let Some(wrong) = answers.ids.keys().find(|key| draft.item(key).is_none()) {
        let known: Vec<&str> = draft.items.iter().map(|item| item.key.as_str()).collect();
        return Err(Failure::unusable(
            format!("`{wrong}` is nothing that this flow needs"),
            format!("It needs: {}", known.join(", ")),
        ));
    }
    let can_ask = streams.interactive && io::stdin().is_terminal() && !args.yes;
    let mut plan = Plan::new(draft.clone(), &account, &pushed, &answers);
    if can_ask && !args.dry_run {
        while let Some((key, choices)) = next_question(&plan) {
            let chosen = ask_which(&key, &choices, streams, &mut io::stdin().lock())?;
            answers.ids.insert(key, chosen);
            plan = Plan::new(draft.clone(), &account, &pushed, &answers);
        }
    }
    let path = show::clean(&shelf.path.display().to_string());
    streams.to_people(args.format, &in_words(&plan));
    let report = |plan: &Plan, done: Option<&push::Done>| {
        json!({
            "schema": "flowloom/push/1", "target": target.name(), "flow": draft.flow,
            "done": done.is_some(), "ready": plan.is_ready(), "record": path,
            "changes": plan.changes, "made": done.map(|done| &done.made),
            "afterwards": done.map(|done| &done.afterwards),
        })
    };
    if args.dry_run || !plan.is_ready() {
        if args.format == Format::Json {
            streams.say_json(&report(&plan, None));
        }
        return if plan.is_ready() { Ok(Done::Well) } else { Err(not_ready(&plan)) };
    }
    if plan.num_writes() > 0 && !args.yes {
        if !can_ask {
            return Err(Failure::refused(
                "Nothing was changed, since nobody confirmed the list",
                "Push with --yes, or from a terminal",
            ));
        }
        if !confirmed(&plan, streams, &mut io::stdin().lock()) {
            return Err(Failure::refused("Nothing was changed", ""));
        }
    }
    let mut watch = Terminal::new(streams, &mut shelf);
    let done = push::run(&plan, &mut client, &mut pushed, &mut watch, &stop);
    watch.end();
    let done = done.map_err(failure)?;
    if args.format == Format::Json {
        streams.say_json(&report(&plan, Some(&done)));
    }
    streams.to_people(args.format, &done_in_words(&done, &path));
    let differs = done.made.iter().any(|made| !made.differences.is_empty());
    Ok(if differs { Done::Errors } else { Done::Well })
}

/// What an export was refused for.
fn refused(found: &[Diagnostic]) -> Failure {
    let first = found.iter().find(|found| found.severity == Severity::Error).or_else(|| found.first());
    let (message, hint) = first.map(|found| (found.message.clone(), found.hint.clone())).unwrap_or_default();
    Failure::refused(message, hint)
}

/// A fault of a platform as the program says it.
pub fn failure(error: push::Error) -> Failure {
    Failure::refused(error.to_string(), error.hint)
}

/// The record beside the flow, which nobody else writes meanwhile.
struct Shelf {
    _lock: Option<Lock>,
    path: PathBuf,
    record: Record,
    label: String,
}

impl Shelf {
    /// Errors: a record that is none, or of something else; another push of this flow is under way (where `locks`).
    fn open(flow: &Path, target: Target, draft: &Draft, label: &str, locks: bool) -> Result<Self, Failure> {
        let name = flow.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let path = flow.with_file_name(Record::file_name(target, &name));
        let lock = if locks { Some(lock(&path)?) } else { None };
        let record = if path.exists() {
            let text = disk::text(&path)?.text;
            Record::read(&text, target, &draft.flow)
                .map_err(|error| Failure::unusable(format!("{}: {error}", path.display()), error.hint))?
        } else {
            Record::new(target, &draft.flow)
        };
        Ok(Self { _lock: lock, path, record, label: label.to_owned() })
    }
}

fn lock(path: &Path) -> Result<Lock, Failure> {
    Lock::take(&disk::lock_path(path)).map_err(|no| match no {
        NoLock::Held => Failure::refused("Another push of this flow is under way", "Wait until it is done"),
        NoLock::Io(error) => Failure::refused(
            format!("{} cannot be kept: {error}", path.display()),
            "Give the right to write beside the flow, or push a copy of it",
        ),
    })
}

/// Progress on a terminal, the record on the disk.
struct Terminal<'a> {
    bar: ProgressBar,
    shelf: &'a mut Shelf,
}

impl<'a> Terminal<'a> {
    fn new(streams: &Streams, shelf: &'a mut Shelf) -> Self {
        let bar = if streams.interactive { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {wide_msg}") {
            bar.set_style(style);
        }
        Self { bar, shelf }
    }

    fn end(self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Terminal<'_> {
    fn at(&mut self, done: usize, of: usize, what: &str) {
        self.bar.set_length(of as u64);
        self.bar.set_position(done as u64);
        self.bar.set_message(show::clean(what));
    }

    fn keep(&mut self, pushed: &Pushed) -> Result<(), String> {
        self.shelf.record.set(&self.shelf.label, pushed.clone());
        disk::file(&self.shelf.path, &self.shelf.record.bytes(), true).map_err(|error| error.to_string())
    }
}

fn next_question(plan: &Plan) -> Option<(String, Vec<Choice>)> {
    plan.changes.iter().find_map(|change| match &change.action {
        Action::Choose(choices) => Some((change.key.clone(), choices.clone())),
        _ => None,
    })
}

/// Asks which of several; again where the answer is none.
fn ask_which(key: &str, choices: &[Choice], streams: &mut Streams, input: &mut dyn BufRead) -> Result<String, Failure> {
    let mut text = format!("Several fit `{key}`:\n");
    for (n, choice) in choices.iter().enumerate() {
        let _ = writeln!(text, "  {}  {}  {}  {}", n + 1, choice.name, choice.about, choice.id);
    }
    streams.tell(&show::clean(&text));
    loop {
        streams.tell(&format!("Which one (1 to {})? ", choices.len()));
        let mut line = String::new();
        let read = input.read_line(&mut line).unwrap_or(0);
        let number = line.trim().parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        match number.and_then(|n| choices.get(n)) {
            Some(choice) => return Ok(choice.id.clone()),
            None if read == 0 => return Err(not_chosen(key)),
            None => {}
        }
    }
}

fn not_chosen(key: &str) -> Failure {
    Failure::refused(format!("Several fit `{key}`"), format!("Say which one: --id \"{key}=ID\""))
}

fn confirmed(plan: &Plan, streams: &mut Streams, input: &mut dyn BufRead) -> bool {
    let count = show::count(plan.num_writes(), "change", "changes");
    // What nobody saw is not confirmed.
    if !streams.ask(&format!("Make {count} in {}? [y/N] ", plan.target().title())) {
        return false;
    }
    let mut line = String::new();
    let _ = input.read_line(&mut line);
    matches!(line.trim().to_lowercase().as_str(), "y" | "yes")
}

fn not_ready(plan: &Plan) -> Failure {
    let open = plan.changes.iter().find(|change| matches!(change.action, Action::Choose(_) | Action::Cannot { .. }));
    match open {
        Some(Change { key, action: Action::Choose(_), .. }) => not_chosen(key),
        Some(Change { name, action: Action::Cannot { why, instead }, sort, .. }) => {
            let way = if sort == &"Flow" { "; --new-flow makes a new one" } else { "; or give an id with --id" };
            Failure::refused(format!("{name}: {why}"), format!("{instead}{way}"))
        }
        _ => Failure::refused("Nothing was changed", ""),
    }
}

fn in_words(plan: &Plan) -> String {
    let mut out = format!("{}: what a push does\n", plan.target().title());
    for change in &plan.changes {
        let what = match &change.action {
            Action::Found { id } => format!("is there ({id})"),
            Action::Keep { id } => format!("is there as it is here ({id})"),
            Action::Choose(choices) => format!("choose: {} fit", choices.len()),
            Action::Create(what) => format!("CREATE: {what}"),
            Action::Update { id, what } => format!("CHANGE: {what} ({id})"),
            Action::ByHand(what) => format!("by hand afterwards: {what}"),
            Action::Cannot { why, .. } => format!("IN THE WAY: {why}"),
        };
        let _ = writeln!(out, "  {} \u{201c}{}\u{201d}: {what}", change.sort, change.name);
        match &change.action {
            Action::Choose(choices) => {
                for choice in choices {
                    let _ =
                        writeln!(out, "    --id \"{}={}\"  {}  {}", change.key, choice.id, choice.name, choice.about);
                }
            }
            Action::Cannot { instead, .. } => _ = writeln!(out, "    instead: {instead}"),
            _ => {}
        }
        for difference in &change.changed_there {
            let _ = writeln!(out, "    changed there: {difference}");
        }
    }
    if plan.num_writes() == 0 && plan.is_ready() {
        let _ = writeln!(out, "Nothing is changed");
    }
    show::clean(&out)
}

fn done_in_words(done: &push::Done, record: &str) -> String {
    let mut out = format!("Done; what is where stands in {record}\n");
    for made in &done.made {
        let page = made.page.as_ref().map(|page| format!("  {page}")).unwrap_or_default();
        let _ = writeln!(out, "  {} ({}){page}", made.name, made.id);
        for difference in &made.differences {
            let _ = writeln!(out, "    the account has it otherwise: {}#{difference}", made.file);
        }
    }
    for (n, step) in done.afterwards.iter().enumerate() {
        let _ = writeln!(out, "{}. {step}", n + 1);
    }
    show::clean(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices() -> Vec<Choice> {
        let choice = |id: &str| Choice { id: id.into(), name: "Placed Order".into(), about: "Shopify".into() };
        vec![choice("A"), choice("B")]
    }

    #[test]
    fn one_is_chosen() {
        let check = |typed: &str, expected: Option<&str>| {
            let mut streams = Streams::new(Box::new(io::sink()), Box::new(io::sink()));
            let got = ask_which("metric:Placed Order", &choices(), &mut streams, &mut typed.as_bytes());
            assert_eq!(got.ok().as_deref(), expected, "{typed:?}");
        };
        check("2\n", Some("B"));
        check("0\n3\nx\n\n1\n", Some("A"));
        check("", None);
        check("9", None);
    }

    #[test]
    fn ids_are_named() {
        assert_eq!(id("metric:A = B=X1"), Ok(("metric:A = B".into(), "X1".into())));
        assert!(id("Placed Order").is_err() && id("metric:x=").is_err() && id("x=1").is_err());
    }
}
