//! `flowloom export`: a flow as Klaviyo, HubSpot or the engine take it, with everything that is lost named; for a
//! client, its picture and the hand-over page (`client`).

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use super::{Done, Failure, Format, Outcome, Places, Streams, check, client, load, show};
use crate::{
    app::{client::ClientFormat, hand_over},
    base::{Diagnostic, Severity},
    disk::{self, FlowFile, Home},
    flow::{Target, check::Surroundings},
    platforms::{self, Export},
    report::diagram::Paper,
};

/// Write a flow for Klaviyo, HubSpot or the engine, or a picture or document of it for a client
#[derive(Args, Debug)]
pub struct Arguments {
    /// The flow file
    #[arg(value_name = "FLOW")]
    flow: PathBuf,
    /// For whom
    #[arg(long, value_enum)]
    to: To,
    /// The folder to write (engine: a file, where the name ends in .json; all: one ZIP, where it ends in .zip;
    /// pictures and documents: a file)
    #[arg(long, value_name = "DIR_OR_FILE")]
    out: PathBuf,
    /// Write one ZIP instead of a folder; a name that ends in .zip says the same
    #[arg(long)]
    zip: bool,
    /// Write over what is there
    #[arg(long)]
    force: bool,
    /// The date that pictures and documents show, as 2026-11-26 or today [default: none]
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// Whose mails the document shows; may be given several times [default: three that differ most]
    #[arg(long, value_name = "ID")]
    contact: Vec<String>,
    /// The sheets of a PDF
    #[arg(long, value_enum, default_value_t)]
    paper: Sheets,
    /// Pixels of a PNG for a unit of the canvas, 0.1 to 8
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    scale: f32,
    /// How to print what was done
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Who can be exported to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum To {
    /// Klaviyo
    Klaviyo,
    /// HubSpot
    Hubspot,
    /// The engine that ships with Flowloom
    Engine,
    /// The picture of the flow as vectors, one file
    Svg,
    /// The picture as pixels
    Png,
    /// The picture on sheets of paper, several where it is large; of the whole document a browser's print makes one
    Pdf,
    /// The hand-over page for a client: one file that opens offline and prints well
    Html,
    /// The flow as Mermaid text, for wikis
    Mermaid,
}

/// Sheets of paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Sheets {
    /// A4, upright or across, whichever takes fewer
    #[default]
    Auto,
    /// A4 upright
    A4Portrait,
    /// A4 across
    A4Landscape,
    /// A3 upright
    A3Portrait,
    /// A3 across
    A3Landscape,
}

/// An export without errors, and what it was made from.
pub struct Checked {
    /// The workspace; a push needs it.
    #[cfg_attr(not(feature = "push"), expect(dead_code, reason = "only a push asks for it"))]
    pub home: Home,
    /// The flow.
    pub file: FlowFile,
    /// The export.
    pub export: Export,
}

/// Reads, checks and exports a flow. `done` says what a flow with errors is not: "exported".
///
/// Errors: what cannot be read; every error of the flow and of the export.
pub fn checked(
    target: Target,
    flow: &Path,
    places: &Places,
    done: &str,
    streams: &mut Streams,
) -> Result<Checked, Failure> {
    let (home, file) = load::one(flow, places)?;
    let refuse = |found: &[Diagnostic]| {
        let errors = found.iter().filter(|found| found.severity == Severity::Error);
        let mut text: String = errors.map(|found| show::diagnostic(found, load::context(&file))).collect();
        let path = show::clean(&file.source.shown);
        let _ =
            write!(text, "error: {path} is not {done} while it has errors\n  hint: Mend them; flowloom check {path}");
        Failure { exit_code: 1, text }
    };
    let is_error = |found: &Diagnostic| found.severity == Severity::Error;
    let neighbours = disk::neighbours(&file.source.path, &home);
    let around = Surroundings { workspace: &home.workspace, other_flows: &neighbours, audience: None };
    let findings = check::findings(file.flow(), &around, None);
    if findings.iter().any(is_error) {
        return Err(refuse(&findings));
    }
    let audience = load::audience_if_any(&home, places, "export", streams)?.unwrap_or_default();
    let export = hand_over::export(target, file.flow(), &home.workspace, &audience);
    let export = export.map_err(|errors| refuse(&errors))?;
    if export.diagnostics.iter().any(is_error) {
        return Err(refuse(&export.diagnostics));
    }
    Ok(Checked { home, file, export })
}

/// Runs it.
pub fn run(args: &Arguments, places: &Places, streams: &mut Streams) -> Outcome {
    let target = match args.to {
        To::Klaviyo => Target::Klaviyo,
        To::Hubspot => Target::Hubspot,
        To::Engine => Target::Engine,
        To::Svg => return for_client(args, ClientFormat::Svg, places, streams),
        To::Png => return for_client(args, ClientFormat::Png, places, streams),
        To::Pdf => return for_client(args, ClientFormat::Pdf, places, streams),
        To::Html => return for_client(args, ClientFormat::Document, places, streams),
        To::Mermaid => return for_client(args, ClientFormat::Mermaid, places, streams),
    };
    let Checked { file, mut export, .. } = checked(target, &args.flow, places, "exported", streams)?;
    let ends_in = |wanted: &str| args.out.extension().is_some_and(|ending| ending == wanted);
    let one_file = ends_in("json") && !args.zip;
    if args.zip || ends_in("zip") {
        let name = format!("{}-{}", file.flow().id, target.name());
        let bytes = disk::zipped(&name, &disk::Files(export.files.clone()))?;
        disk::file(&args.out, &bytes, args.force)?;
    } else if !one_file {
        disk::folder(&args.out, &disk::Files(export.files.clone()), args.force)?;
    } else if target == Target::Engine {
        // The pinned version is all that an engine reads; what lies beside it in a folder is for people.
        export.files.retain(|(name, _)| name == platforms::engine::ENGINE_FILE);
        let bytes = export.files.first().map_or(&[][..], |(_, bytes)| bytes);
        disk::file(&args.out, bytes, args.force)?;
    } else {
        return Err(Failure::unusable(
            format!("An export to {} has several files", target.title()),
            "Name a folder with --out",
        ));
    }
    if args.format == Format::Json {
        streams.say_json(&serde_json::json!({
            "schema": "flowloom/export/1",
            "target": target.name(),
            "out": args.out.display().to_string(),
            "files": export.files.iter().map(|(path, _)| path).collect::<Vec<_>>(),
            "losses": export.losses,
            "unresolved": export.unresolved,
            "diagnostics": export.diagnostics,
        }));
    }
    streams.to_people(args.format, &in_words(args, target, &export, one_file));
    Ok(Done::Well)
}

fn for_client(args: &Arguments, format: ClientFormat, places: &Places, streams: &mut Streams) -> Outcome {
    if !(0.1..=8.0).contains(&args.scale) {
        return Err(Failure::unusable(format!("--scale {} is not possible", args.scale), "Use 0.1 to 8"));
    }
    let paper = match args.paper {
        Sheets::Auto => Paper::Auto,
        Sheets::A4Portrait => Paper::A4Portrait,
        Sheets::A4Landscape => Paper::A4Landscape,
        Sheets::A3Portrait => Paper::A3Portrait,
        Sheets::A3Landscape => Paper::A3Landscape,
    };
    let wish = client::Wish {
        flow: &args.flow,
        format,
        out: &args.out,
        force: args.force,
        said: args.format,
        date: args.date.as_deref(),
        contacts: &args.contact,
        paper,
        scale: args.scale,
    };
    client::run(&wish, places, streams)
}

fn in_words(args: &Arguments, target: Target, export: &Export, one_file: bool) -> String {
    let mut out = format!(
        "{}: {} for {}\n",
        args.out.display(),
        show::count(export.files.len(), "file", "files"),
        target.title()
    );
    for (path, _) in export.files.iter().filter(|_| !one_file) {
        let _ = writeln!(out, "  {path}");
    }
    if !export.losses.is_empty() {
        let _ = writeln!(out, "What {} does differently or not at all", target.title());
    }
    for loss in &export.losses {
        let place = loss.place.to_string();
        let place = if place.is_empty() { "flow".to_owned() } else { place };
        let _ = writeln!(out, "  {} {place}: {}", loss.kind.title(), loss.message);
        let _ = writeln!(out, "    instead: {}", loss.remedy);
    }
    if !export.unresolved.is_empty() {
        let _ = writeln!(
            out,
            "{} must be filled in from the account; they are listed in ids.json",
            show::count(export.unresolved.len(), "id", "ids")
        );
    }
    for found in &export.diagnostics {
        let _ = writeln!(out, "{}[{}] {}: {}", found.severity, found.code, found.place, found.message);
    }
    show::clean(&out)
}
