//! `flowloom check`: what is wrong with flows and their workspace, before anyone gets a mail.
//!
//! The one idea: every file is looked at and everything found is said; only then comes the exit code, 0 clean or
//! warnings, 1 errors, 2 something was unreadable (which wins).

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Serialize;

use super::{Done, Failure, Format, Outcome, Places, Streams, load, locate, show};
use crate::{
    audience::Audience,
    base::{Diagnostic, Severity},
    disk::{self, Home, Unreadable},
    flow::{
        Flow, Target,
        check::{Surroundings, check, check_workspace},
    },
    platforms,
};

/// So many findings of one code are shown of a file; a file that is wrong throughout is mended from its beginning, and
/// each one shown costs a look through the file. Source: assumption, a few screens.
const MOST_SHOWN: usize = 50;

/// Find what is wrong with flows and workspaces
#[derive(Args, Debug)]
pub struct Arguments {
    /// Flow files, or folders of workspaces
    #[arg(required = true, value_name = "FLOW")]
    paths: Vec<PathBuf>,
    /// Also list what this platform cannot express
    #[arg(long, value_enum)]
    target: Option<PlatformName>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A platform whose losses can be listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum PlatformName {
    /// Klaviyo.
    Klaviyo,
    /// HubSpot.
    Hubspot,
}

impl PlatformName {
    fn target(self) -> Target {
        match self {
            Self::Klaviyo => Target::Klaviyo,
            Self::Hubspot => Target::Hubspot,
        }
    }
}

/// One file with what was found in it.
#[derive(Default, Serialize)]
struct Row {
    path: String,
    diagnostics: Vec<Diagnostic>,
    #[serde(skip)]
    text: String,
    #[serde(skip)]
    flow: Option<Flow>,
    #[serde(skip)]
    is_workspace: bool,
    #[serde(skip)]
    unreadable: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    files: &'a [Row],
}

/// Runs it.
pub fn run(args: &Arguments, places: &Places, streams: &mut Streams) -> Outcome {
    let mut rows: Vec<Row> = Vec::new();
    let mut audiences = Audiences { places, streams, known: BTreeMap::new() };
    for path in &args.paths {
        match disk::flow_paths(path) {
            Ok(files) => {
                for file in &files {
                    one(file, args, places, &mut audiences, &mut rows)?;
                }
            }
            Err(fault) => push_unreadable(&mut rows, fault),
        }
    }
    if args.format == Format::Json {
        streams.say_json(&Report { schema: "flowloom/check/1", files: &rows });
    } else {
        streams.say(&in_words(&rows));
    }
    let has_error = |row: &Row| row.diagnostics.iter().any(|found| found.severity == Severity::Error);
    Ok(if rows.iter().any(|row| row.unreadable) {
        Done::Unreadable
    } else if rows.iter().any(has_error) {
        Done::Errors
    } else {
        Done::Well
    })
}

/// The audiences beside the flows, each read once. They stand in for a clock and say which properties contacts have.
struct Audiences<'a> {
    places: &'a Places,
    streams: &'a mut Streams,
    known: BTreeMap<Option<PathBuf>, Option<Audience>>,
}

impl Audiences<'_> {
    /// Makes the audience of a workspace known.
    ///
    /// Errors: one that was asked for by name and cannot be read. The workspace's own is left out with a word, since a
    /// flow can be looked at without it.
    fn read(&mut self, home: &Home) -> Result<(), Failure> {
        if self.known.contains_key(&home.folder) {
            return Ok(());
        }
        let audience = load::audience_if_any(home, self.places, "check", self.streams)?;
        self.known.insert(home.folder.clone(), audience);
        Ok(())
    }
}

fn one(
    path: &Path,
    args: &Arguments,
    places: &Places,
    audiences: &mut Audiences<'_>,
    rows: &mut Vec<Row>,
) -> Result<(), Failure> {
    let home = match load::home_of(path, places) {
        Ok(home) => home,
        Err(fault) => {
            push_unreadable(rows, fault);
            Home::default()
        }
    };
    if let Some(source) = &home.source
        && !rows.iter().any(|row| row.path == source.shown)
    {
        let mut diagnostics = home.notes.clone();
        diagnostics.extend(check_workspace(&home.workspace).into_iter().map(|finding| finding.diagnostic));
        rows.push(Row {
            path: source.shown.clone(),
            diagnostics,
            text: source.text.clone(),
            is_workspace: true,
            ..Row::default()
        });
    }
    let file = match disk::flow(path) {
        Ok(file) => file,
        Err(fault) => {
            push_unreadable(rows, fault);
            return Ok(());
        }
    };
    audiences.read(&home)?;
    let around = Surroundings {
        workspace: &home.workspace,
        other_flows: &disk::neighbours(path, &home),
        audience: audiences.known.get(&home.folder).and_then(Option::as_ref),
    };
    let mut diagnostics = file.loaded.notes.clone();
    diagnostics.extend(findings(file.flow(), &around, args.target.map(PlatformName::target)));
    let flow = matches!(load::context(&file).parts, locate::Parts::Flow(_)).then(|| file.flow().clone());
    rows.push(Row { path: file.source.shown, diagnostics, text: file.source.text, flow, ..Row::default() });
    Ok(())
}

/// Everything that is wrong with a flow, and with a target what is lost there.
pub fn findings(flow: &Flow, around: &Surroundings<'_>, target: Option<Target>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = check(flow, around).into_iter().map(|finding| finding.diagnostic).collect();
    // A flow with errors is not exported, so what would be lost is not known yet.
    if let Some(target) = target.filter(|_| found.iter().all(|found| found.severity != Severity::Error)) {
        found.extend(platforms::losses(target, flow, around.workspace, around.audience));
    }
    found
}

fn push_unreadable(rows: &mut Vec<Row>, fault: Unreadable) {
    if rows.iter().any(|row| row.path == fault.shown && row.unreadable) {
        return;
    }
    rows.push(Row {
        path: fault.shown,
        diagnostics: vec![fault.diagnostic],
        text: fault.text,
        unreadable: true,
        ..Row::default()
    });
}

fn in_words(rows: &[Row]) -> String {
    let mut out = String::new();
    let mut counts = [0_usize; 3];
    for row in rows {
        let parts = match &row.flow {
            Some(flow) => locate::Parts::Flow(flow),
            None if row.is_workspace => locate::Parts::Whole,
            None => locate::Parts::Unknown,
        };
        let context = show::Context { path: &row.path, source: &row.text, parts };
        let mut of_code: BTreeMap<&str, usize> = BTreeMap::new();
        for found in &row.diagnostics {
            counts[found.severity as usize] += 1;
            let number = of_code.entry(&found.code).or_default();
            *number += 1;
            if *number <= MOST_SHOWN {
                out.push_str(&show::diagnostic(found, context));
            }
        }
        for (code, number) in of_code.iter().filter(|(_, number)| **number > MOST_SHOWN) {
            let path = show::clean(&row.path);
            let _ = writeln!(out, "{path}: {} more of {code}; --format json lists all", number - MOST_SHOWN);
        }
        if row.diagnostics.is_empty() {
            out.push_str(&format!("{}: clean\n", show::clean(&row.path)));
        }
    }
    let num_unreadable = rows.iter().filter(|row| row.unreadable).count();
    out.push_str(&format!(
        "{}: {}, {}, {}",
        show::count(rows.len(), "file", "files"),
        show::count(counts[0], "error", "errors"),
        show::count(counts[1], "warning", "warnings"),
        show::count(counts[2], "hint", "hints"),
    ));
    if num_unreadable > 0 {
        out.push_str(&format!(" ({num_unreadable} unreadable)"));
    }
    out.push('\n');
    if let Some(code) = rows.iter().flat_map(|row| &row.diagnostics).map(|found| &found.code).next() {
        out.push_str(&format!("More on one: flowloom explain {code}\n"));
    }
    out
}
