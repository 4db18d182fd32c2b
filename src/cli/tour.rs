//! `flowloom tour`: the whole program on the watch-shop sample, from anywhere, in one command.
//!
//! The one idea: the tour puts the sample into a folder and then runs the same commands as anybody would, showing each
//! before its output; what can be seen here can be typed. Deliberately not here: anything that only the tour can do.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Done, Failure, Outcome, Places, Streams, load, show};
use crate::{
    disk,
    journey::FlowSet,
    kinds::runtime,
    simulate::{self, MessageRow, Options},
};

/// See all of it at work on a sample: checks, replay, mails, exports
#[derive(Args, Debug)]
pub struct Arguments {
    /// The folder to write; it is written over where an earlier tour made it
    #[arg(long, value_name = "DIR", default_value = DEFAULT_FOLDER)]
    out: PathBuf,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { out: PathBuf::from(DEFAULT_FOLDER) }
    }
}

const DEFAULT_FOLDER: &str = "flowloom-tour";

/// Marks a folder as made by a tour, so that the next one may write over it.
const MARKER: &str = ".flowloom-tour";

/// The sample, so that the tour works from anywhere.
const SAMPLE: &[(&str, &str)] = &[
    ("flowloom.ron", include_str!("../../sample_flows/watch-shop/flowloom.ron")),
    ("watch-shop.flow.ron", include_str!("../../sample_flows/watch-shop/watch-shop.flow.ron")),
    ("watch-shop-plain.flow.ron", include_str!("../../sample_flows/watch-shop/watch-shop-plain.flow.ron")),
    ("audience/contacts.jsonl", include_str!("../../sample_flows/watch-shop/audience/contacts.jsonl")),
    ("audience/events.jsonl", include_str!("../../sample_flows/watch-shop/audience/events.jsonl")),
    ("audience/responses.jsonl", include_str!("../../sample_flows/watch-shop/audience/responses.jsonl")),
];

/// How many contacts' mails are written.
const NUM_CONTACTS: usize = 3;

/// Runs it.
pub fn run(args: &Arguments, streams: &mut Streams) -> Outcome {
    prepare(&args.out)?;
    let mut sample = disk::Files::default();
    sample.add(MARKER, "A tour of Flowloom made this folder; the next one writes over it.\n");
    for (name, text) in SAMPLE {
        sample.add(format!("watch-shop/{name}"), *text);
    }
    disk::folder(&args.out, &sample, true)?;
    let flow = args.out.join("watch-shop").join("watch-shop.flow.ron");
    streams.say(&format!(
        "The watch shop: someone leaves a watch in the cart; up to three mails answer within twelve hours.\n\
         Its flow, workspace and audience are text files in {}\n",
        show::clean(&args.out.join("watch-shop").display().to_string())
    ));

    streams.say("\n1. Is the flow right?\n");
    command(streams, &["check", &text(&flow)])?;

    streams.say("\n2. What happens to the audience?\n");
    command(streams, &["simulate", &text(&flow)])?;

    let chosen = mailed(&flow, streams)?;
    if let Some(row) = chosen.iter().flatten().next() {
        streams.say("\n3. Why did this contact get what they got?\n");
        command(streams, &["simulate", &text(&flow), "--trace", row.contact.as_str()])?;
    }

    streams.say("\n4. What do they read?\n");
    for (n, rows) in chosen.iter().enumerate() {
        let Some(contact) = rows.first().map(|row| row.contact.as_str()) else { continue };
        let folder = args.out.join("mails").join(file_name(contact));
        fs::create_dir_all(&folder).map_err(|error| {
            Failure::refused(
                format!("{} cannot be made: {error}", folder.display()),
                "Check the permissions of its folder",
            )
        })?;
        if n > 0 {
            let shown = show::clean(&folder.display().to_string());
            streams.say(&format!("The same for {}: {shown}\n", show::clean(contact)));
        }
        for row in rows {
            for (format, ending) in [("html", "html"), ("text", "txt"), ("eml", "eml")] {
                let file = text(&folder.join(format!("{}.{ending}", file_name(row.node.as_str()))));
                let at = row.at.to_string();
                let words = [
                    "preview",
                    &text(&flow),
                    "--message",
                    row.node.as_str(),
                    "--contact",
                    contact,
                    "--at",
                    &at,
                    "--format",
                    format,
                    "--out",
                    &file,
                    "--force",
                ];
                // One contact shows how it is done; the others are done the same way.
                if n == 0 { command(streams, &words)? } else { quietly(streams, &words)? }
            }
        }
    }

    streams.say("\n5. How does it get to Klaviyo and HubSpot?\n");
    for target in ["klaviyo", "hubspot"] {
        let folder = args.out.join(target);
        command(streams, &["export", &text(&flow), "--to", target, "--out", &text(&folder), "--force"])?;
    }

    streams.say(&format!(
        "\nNow change a delay in {} with a text editor and run the commands above again.\n\
         The next tour writes the sample afresh.\n",
        show::clean(&flow.display().to_string())
    ));
    Ok(Done::Well)
}

/// Refuses a folder that no tour made; empties what earlier tours wrote besides the sample.
fn prepare(folder: &Path) -> Result<(), Failure> {
    if folder.is_file() {
        return Err(Failure::refused(
            format!("{} is a file", folder.display()),
            "Name a folder: flowloom tour --out DIR",
        ));
    }
    let used = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if !used {
        return Ok(());
    }
    if !folder.join(MARKER).is_file() {
        return Err(Failure::refused(
            format!("{} is not empty, and no tour made it", folder.display()),
            "Name another folder: flowloom tour --out DIR",
        ));
    }
    for made in ["mails", "klaviyo", "hubspot"] {
        let path = folder.join(made);
        if path.is_dir() {
            fs::remove_dir_all(&path).map_err(|error| {
                Failure::refused(format!("{} cannot be emptied: {error}", path.display()), "Check its permissions")
            })?;
        }
    }
    Ok(())
}

/// Shows a command as it can be typed, and runs it.
fn command(streams: &mut Streams, args: &[&str]) -> Result<(), Failure> {
    let shown: Vec<String> = args.iter().map(|arg| quoted(arg)).collect();
    streams.say(&format!("$ flowloom {}\n", shown.join(" ")));
    quietly(streams, args)
}

/// Runs a command.
fn quietly(streams: &mut Streams, args: &[&str]) -> Result<(), Failure> {
    let all = ["flowloom"].iter().chain(args).map(OsString::from);
    match super::run(all, streams) {
        0 => Ok(()),
        exit_code => {
            Err(Failure { exit_code, text: "error: the tour stops here; what went wrong stands above".to_owned() })
        }
    }
}

/// The first contacts who got the most mails, each with the mails that were sent to them.
fn mailed(flow: &Path, streams: &mut Streams) -> Result<Vec<Vec<MessageRow>>, Failure> {
    let places = Places::default();
    let project = load::project(&[flow.to_owned()], &places)?;
    let audience = load::audience(&project.home, &places, streams)?;
    let flows: Vec<_> = project.flows.iter().map(|file| file.flow().clone()).collect();
    let report = simulate::replay(&FlowSet::new(&project.home.workspace, &flows), &audience, &Options::default());
    let mut by_contact: Vec<Vec<MessageRow>> = Vec::new();
    for contact in &audience.contacts {
        let mut rows: Vec<MessageRow> = Vec::new();
        for row in report.messages.iter().filter(|row| row.contact == contact.id) {
            // One of each step: somebody may have left several carts.
            if row.outcome == runtime::Outcome::Sent && rows.iter().all(|other| other.node != row.node) {
                rows.push(row.clone());
            }
        }
        if !rows.is_empty() && contact.email.is_some() {
            by_contact.push(rows);
        }
    }
    by_contact.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    by_contact.truncate(NUM_CONTACTS);
    Ok(by_contact)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// An id as a file name: ids of contacts may be any text.
fn file_name(id: &str) -> String {
    let name: String =
        id.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '@') { c } else { '_' }).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_can_be_typed() {
        for (word, expected) in [("a/b.ron", "a/b.ron"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''")] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn ids_become_file_names() {
        assert_eq!(file_name("../a b"), "___a_b");
    }
}
