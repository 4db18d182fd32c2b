//! `flowloom import`: flows of Klaviyo and HubSpot as flow files, with a report of what was understood, kept, guessed.

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use super::{Done, Failure, Format, Outcome, Places, Streams, show};
use crate::{
    app::import as app,
    base::Diagnostic,
    disk,
    flow::{Target, file},
    platforms::import::{Given, Imported, MOST_BYTES, RemarkKind, Template, import, known_names},
};
#[cfg(feature = "push")]
use crate::{cli::push::failure, platforms::push};

/// Read a flow of Klaviyo or HubSpot, from the JSON of its API or of an export of ours
#[derive(Args, Debug)]
pub struct Arguments {
    /// The JSON: a definition, an answer of the API, or a list of either; - for standard input
    #[cfg_attr(feature = "push", arg(value_name = "FILE", required_unless_present_any = ["id", "list"]))]
    #[cfg_attr(not(feature = "push"), arg(value_name = "FILE", required = true))]
    file: Option<PathBuf>,
    /// Instead: fetch the flow of this id from the account, with its mails and names
    #[cfg(feature = "push")]
    #[arg(long, value_name = "ID", conflicts_with = "file")]
    id: Option<String>,
    /// Instead: list the flows of the account
    #[cfg(feature = "push")]
    #[arg(long, conflicts_with_all = ["file", "id"])]
    list: bool,
    /// Which account's key of the keyring
    #[cfg(feature = "push")]
    #[arg(long, value_name = "NAME", default_value = super::key::DEFAULT)]
    key_name: String,
    /// Another address than the platform's own, for tests
    #[cfg(feature = "push")]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Whose it is
    #[arg(long, value_enum)]
    from: Whose,
    /// The flow file to write, or a workspace folder
    #[cfg_attr(feature = "push", arg(long, value_name = "FLOW_OR_DIR", required_unless_present = "list"))]
    #[cfg_attr(not(feature = "push"), arg(long, value_name = "FLOW_OR_DIR", required = true))]
    out: Option<PathBuf>,
    /// Write the report there as JSON, too
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The platform's templates: NAME.json as its API answers, or NAME.html and NAME.txt [default: templates/ or
    /// emails/ beside the JSON]
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Names for ids as JSON: {"metric:AbC12": "Started Checkout"}
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
    /// Write over what is there
    #[arg(long)]
    force: bool,
    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Arguments {
    /// Where to; the parser has seen to it that there is one, unless flows are only listed.
    fn out(&self) -> &Path {
        self.out.as_deref().unwrap_or(Path::new(""))
    }
}

/// Who can be imported from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Whose {
    /// Klaviyo
    Klaviyo,
    /// HubSpot
    Hubspot,
}

/// Runs it.
pub fn run(args: &Arguments, places: &Places, streams: &mut Streams) -> Outcome {
    let target = match args.from {
        Whose::Klaviyo => Target::Klaviyo,
        Whose::Hubspot => Target::Hubspot,
    };
    let to_file = args.out().to_string_lossy().ends_with(".ron");
    let folder = if to_file { args.out().parent().unwrap_or(Path::new("")).to_owned() } else { args.out().to_owned() };
    let home = match &places.workspace {
        // A folder is a workspace of its own, wherever it lies.
        None if !to_file && !folder.join(disk::WORKSPACE_FILE).is_file() => disk::Home::default(),
        named => disk::home(if folder.as_os_str().is_empty() { Path::new(".") } else { &folder }, named.as_deref())?,
    };
    let Some(source) = source(args, target, &home, streams)? else { return Ok(Done::Well) };
    let names = known_names(target, &home.workspace, &source.names);
    let given = Given { json: &source.json, templates: &source.templates, names: &names };
    let mut imported = import(target, &given).map_err(|errors| refused(&errors))?;
    for one in &mut imported {
        one.flow = app::placed(&one.flow);
    }
    if to_file && imported.len() > 1 {
        return Err(Failure::unusable(
            format!("There are {} flows in it, and --out names one file", imported.len()),
            "Name a folder with --out",
        ));
    }
    let written = write(args, &imported, to_file)?;
    let added = workspace(args, &home, &folder, &imported, to_file, streams)?;
    let report = app::report_json(target, &imported, &written, &added);
    if let Some(path) = &args.report {
        let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
        text.push('\n');
        disk::file(path, text.as_bytes(), args.force)?;
    }
    if args.format == Format::Json {
        streams.say_json(&report);
    }
    let mut words = String::new();
    for (one, path) in imported.iter().zip(&written) {
        words.push_str(&format!("{path}\n{}", app::report_text(one)));
    }
    let num_lost = imported.iter().flat_map(|one| &one.report).filter(|r| r.kind == RemarkKind::Lost).count();
    if num_lost > 0 {
        words.push_str(&format!("{} need a look before the flow is used\n", show::count(num_lost, "place", "places")));
    }
    streams.to_people(args.format, &show::clean(&words));
    Ok(Done::Well)
}

/// What an import is made from.
struct Source {
    json: String,
    templates: BTreeMap<String, Template>,
    names: BTreeMap<String, String>,
}

/// What the arguments name: a file, or a flow of an account. `None` where the account's flows were to be listed.
fn source(
    args: &Arguments,
    #[cfg_attr(not(feature = "push"), expect(unused_variables))] target: Target,
    #[cfg_attr(not(feature = "push"), expect(unused_variables))] home: &disk::Home,
    #[cfg_attr(not(feature = "push"), expect(unused_variables))] streams: &mut Streams,
) -> Result<Option<Source>, Failure> {
    let (names, templates) = (names(args.names.as_deref())?, templates(args)?);
    #[cfg(feature = "push")]
    if args.file.is_none() {
        let (mut names, mut templates) = (names, templates);
        let Some(fetched) = fetched(args, target, home, streams)? else { return Ok(None) };
        // What the user gave counts more than what the account says.
        for (key, name) in fetched.names {
            names.entry(key).or_insert(name);
        }
        for (key, template) in fetched.templates {
            templates.entry(key).or_insert(template);
        }
        return Ok(Some(Source { json: fetched.json, templates, names }));
    }
    let json = text(args.file.as_deref().unwrap_or(Path::new("-")))?;
    Ok(Some(Source { json, templates, names }))
}

/// A flow of the account with its mails and names; what could not be had is said. `None` after a list.
#[cfg(feature = "push")]
fn fetched(
    args: &Arguments,
    target: Target,
    home: &disk::Home,
    streams: &mut Streams,
) -> Result<Option<push::Fetched>, Failure> {
    let variable = std::env::var(push::variable(target)).ok();
    let (key, _) = push::Key::find(target, &args.key_name, variable.as_deref()).map_err(failure)?;
    let base_url = args.base_url.as_deref();
    let mut client =
        push::connect(target, &home.workspace, base_url, key, push::Patience::default()).map_err(failure)?;
    let stop = std::sync::atomic::AtomicBool::new(false);
    let Some(id) = &args.id else {
        let flows = push::flows(target, &mut client, &stop).map_err(failure)?;
        if args.format == Format::Json {
            let rows: Vec<_> = flows
                .iter()
                .map(|flow| serde_json::json!({"id": flow.id, "name": flow.name, "status": flow.status}))
                .collect();
            streams
                .say_json(&serde_json::json!({"schema": "flowloom/flows/1", "target": target.name(), "flows": rows}));
        }
        let rows: String = flows.iter().map(|flow| format!("{}  {}  {}\n", flow.id, flow.status, flow.name)).collect();
        streams.to_people(args.format, &show::clean(&rows));
        return Ok(None);
    };
    let fetched = push::fetch(target, &mut client, id, &mut |_, _| {}, &stop).map_err(failure)?;
    for missing in &fetched.missing {
        streams.tell(&format!("{}\n", show::clean(missing)));
    }
    Ok(Some(fetched))
}

/// The JSON, from a file or from standard input.
fn text(path: &Path) -> Result<String, Failure> {
    if path != Path::new("-") {
        return Ok(disk::text(path)?.text);
    }
    let mut bytes = Vec::new();
    let most = MOST_BYTES as u64 + 1;
    std::io::stdin()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::unusable(format!("Standard input cannot be read: {error}"), "Name a file instead"))?;
    match file::text_of(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(found) => Err(Failure::unusable(format!("Standard input: {}", found.message), found.hint)),
    }
}

fn names(path: Option<&Path>) -> Result<BTreeMap<String, String>, Failure> {
    let Some(path) = path else { return Ok(BTreeMap::new()) };
    serde_json::from_str(&disk::text(path)?.text).map_err(|error| {
        Failure::unusable(
            format!("{} is no list of names: {error}", path.display()),
            "Write a JSON object of texts, such as {\"metric:AbC12\": \"Started Checkout\"}",
        )
    })
}

/// The templates of a folder: the one that was named, else what our exports put beside the flow.
fn templates(args: &Arguments) -> Result<BTreeMap<String, Template>, Failure> {
    let folders = match (&args.templates, &args.file) {
        (Some(folder), _) => vec![folder.clone()],
        // Nothing lies beside an account.
        (None, None) => Vec::new(),
        (None, Some(file)) => disk::templates_beside(file),
    };
    let (found, unreadable) = disk::templates(&folders);
    if let Some(fault) = unreadable.into_iter().next() {
        return Err(fault.into());
    }
    let files: Vec<_> = found.into_iter().map(|source| (source.path, source.text)).collect();
    let (templates, faults) = app::templates(&files);
    match faults.into_iter().next() {
        Some(fault) => Err(Failure::unusable(
            fault,
            "Give each template as the platform's API answered it, or its HTML in a file that ends in .html",
        )),
        None => Ok(templates),
    }
}

fn refused(errors: &[Diagnostic]) -> Failure {
    let lines: String = errors.iter().map(|found| show::diagnostic(found, show::Context::default())).collect();
    Failure { exit_code: 2, text: lines.trim_end().to_owned() }
}

/// Writes the flows; gives their paths.
fn write(args: &Arguments, imported: &[Imported], to_file: bool) -> Result<Vec<String>, Failure> {
    let paths: Vec<PathBuf> = imported
        .iter()
        .map(|one| {
            if to_file {
                args.out().to_owned()
            } else {
                args.out().join(format!("{}{}", one.flow.id, disk::FLOW_ENDING))
            }
        })
        .collect();
    if let Some(taken) = paths.iter().find(|path| !args.force && path.exists()) {
        return Err(Failure::refused(
            format!("{} is there already", taken.display()),
            "Name another place, or write over it with --force",
        ));
    }
    let texts = imported.iter().map(|one| file::write(&one.flow));
    if to_file {
        for (path, text) in paths.iter().zip(texts) {
            disk::file(path, text.as_bytes(), args.force)?;
        }
    } else {
        let files = imported
            .iter()
            .zip(texts)
            .map(|(one, text)| (format!("{}{}", one.flow.id, disk::FLOW_ENDING), text.into_bytes()));
        // What else is in the folder stays.
        disk::folder(args.out(), &disk::Files(files.collect()), true)?;
    }
    Ok(paths.iter().map(|path| path.display().to_string()).collect())
}

/// Adds to the workspace what the flows need, after saying so; a folder without one gets one.
fn workspace(
    args: &Arguments,
    home: &disk::Home,
    folder: &Path,
    imported: &[Imported],
    to_file: bool,
    streams: &mut Streams,
) -> Result<Vec<String>, Failure> {
    let needs = app::needs(imported);
    let cannot =
        |why: String| Failure::refused(format!("The workspace cannot be added to: {why}"), "Mend flowloom.ron first");
    let (path, there) = match (&home.folder, &home.source) {
        (Some(home_folder), Some(source)) => (home_folder.join(disk::WORKSPACE_FILE), source.text.as_str()),
        _ if to_file => {
            if let Ok(Some(added)) = app::with_additions("(version: 1)", &crate::flow::Workspace::default(), &needs) {
                streams.tell(&format!(
                    "A lone flow has no workspace that could know these; a folder with --out gets one: {}\n",
                    show::clean(&added.what.join(", "))
                ));
            }
            return Ok(Vec::new());
        }
        _ => (args.out().join(disk::WORKSPACE_FILE), ""),
    };
    let is_new = there.is_empty();
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(app::Added { text, what }) = app::workspace_for(there, &name, &needs).map_err(cannot)? else {
        return Ok(Vec::new());
    };
    let made = if is_new { "is made" } else { "is added to" };
    let words = if what.is_empty() { String::new() } else { format!(": {}", what.join(", ")) };
    streams.tell(&format!("{} {made}{}\n", path.display(), show::clean(&words)));
    disk::file(&path, text.as_bytes(), !is_new)?;
    Ok(what)
}
