//! `flowloom check`: what is wrong with flows and their workspace, before anyone gets a mail.
//!
//! The one idea: every file is looked at and everything found is said; only then comes the exit code, 0 clean or
//! warnings, 1 errors, 2 something was unreadable (which wins).

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{Done, Format, Outcome, Places, Streams, load, locate, show};
use crate::{
    base::{Diagnostic, Severity},
    disk::{self, Home, Unreadable},
    flow::{
        Flow, Target, Workspace,
        check::{Surroundings, check, check_workspace},
    },
    platforms,
};

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
    for path in &args.paths {
        match disk::flow_paths(path) {
            Ok(files) => files.iter().for_each(|file| one(file, args, places, &mut rows)),
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

fn one(path: &Path, args: &Arguments, places: &Places, rows: &mut Vec<Row>) {
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
        Err(fault) => return push_unreadable(rows, fault),
    };
    let others = disk::neighbours(path, &home);
    let mut diagnostics = file.loaded.notes.clone();
    diagnostics.extend(findings(file.flow(), &home.workspace, &others, args.target.map(PlatformName::target)));
    let flow = matches!(load::context(&file).parts, locate::Parts::Flow(_)).then(|| file.flow().clone());
    rows.push(Row { path: file.source.shown, diagnostics, text: file.source.text, flow, ..Row::default() });
}

/// Everything that is wrong with a flow, and with a target what is lost there.
pub fn findings(flow: &Flow, workspace: &Workspace, others: &[Flow], target: Option<Target>) -> Vec<Diagnostic> {
    let around = Surroundings { workspace, other_flows: others, audience: None };
    let mut found: Vec<Diagnostic> = check(flow, &around).into_iter().map(|finding| finding.diagnostic).collect();
    // A flow with errors is not exported, so what would be lost is not known yet.
    if let Some(target) = target.filter(|_| found.iter().all(|found| found.severity != Severity::Error)) {
        found.extend(platforms::losses(target, flow, workspace));
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
        for found in &row.diagnostics {
            counts[found.severity as usize] += 1;
            out.push_str(&show::diagnostic(found, context));
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
