//! `flowloom preview`: one mail as one contact gets it.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use super::{
    Done, Failure, Outcome, Places, Streams, eml, load, show,
    stage::{self, Made, One, Stage, Which},
};
use crate::{
    audience::Contact,
    content::{Completeness, Message, TagState},
    disk,
};

/// Show a mail as one contact gets it
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: MailFormat,
    /// Width of the picture in pixels, 320 to 1200
    #[arg(long, value_name = "PX", default_value_t = 600)]
    width: u32,
    /// Draw the picture as a device in dark mode shows it
    #[arg(long)]
    dark: bool,
    /// Write it to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

/// How a mail is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum MailFormat {
    /// Subject, preheader, plain text, and what became of each merge tag.
    #[default]
    Text,
    /// The HTML part.
    Html,
    /// One JSON object.
    Json,
    /// The whole mail as a mail program opens it.
    Eml,
    /// The mail as an approximate picture, drawn without a network.
    Png,
}

/// Runs it.
pub fn run(args: &Arguments, places: &Places, streams: &mut Streams) -> Outcome {
    let stage = args.which.stage(places, streams)?;
    let One { message, contact, made, .. } = stage.one(&args.which)?;
    let bytes = match args.format {
        MailFormat::Text => in_words(&stage, message, contact, &made).into_bytes(),
        MailFormat::Html | MailFormat::Png if !stage::is_email(message) => {
            return Err(Failure::refused("A text message has no HTML part", "Ask for --format text"));
        }
        MailFormat::Html => made.mail.html.clone().into_bytes(),
        MailFormat::Json => json(&made)?,
        MailFormat::Eml => eml::of(&stage, message, contact, &made)?,
        MailFormat::Png => picture(args, &stage, &made.mail.html, streams)?,
    };
    if args.format != MailFormat::Text {
        for found in &made.lints {
            streams.tell(&show::diagnostic(found, load::context(&stage.file)));
        }
    }
    if args.format == MailFormat::Png && args.out.is_none() {
        streams.say_bytes(&bytes);
        return Ok(Done::Well);
    }
    write(streams, args.out.as_deref(), &bytes, args.force)
}

#[cfg(feature = "picture")]
fn picture(args: &Arguments, stage: &Stage, html: &str, streams: &mut Streams) -> Result<Vec<u8>, Failure> {
    super::picture::of(stage, html, args.width, args.dark, streams)
}

#[cfg(not(feature = "picture"))]
fn picture(args: &Arguments, _: &Stage, _: &str, _: &mut Streams) -> Result<Vec<u8>, Failure> {
    let (width, theme) = (args.width, if args.dark { "dark" } else { "light" });
    Err(Failure::refused(
        format!("This build cannot draw mails ({width} pixels, {theme})"),
        "Build it with the feature `picture`: cargo build --release --features picture; or ask for --format html",
    ))
}

fn write(streams: &mut Streams, path: Option<&Path>, bytes: &[u8], force: bool) -> Outcome {
    match path {
        None => {
            streams.say_bytes(bytes);
            if bytes.last() != Some(&b'\n') {
                streams.say("\n");
            }
        }
        Some(path) => disk::file(path, bytes, force)?,
    }
    Ok(Done::Well)
}

fn json(made: &Made) -> Result<Vec<u8>, Failure> {
    let value = serde_json::json!({
        "schema": "flowloom/preview/1",
        "variant": made.variant,
        "event": made.event.as_ref().map(|event| event.id.as_str()),
        "subject": made.mail.subject,
        "preheader": made.mail.preheader,
        "html": made.mail.html,
        "text": made.mail.text,
        "tags": made.mail.tags,
        "missing": made.mail.missing,
        "lints": made.lints,
    });
    let mut bytes = serde_json::to_vec_pretty(&value)
        .map_err(|error| Failure::refused(format!("The mail cannot be written as JSON: {error}"), ""))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn in_words(stage: &Stage, message: &Message, contact: &Contact, made: &Made) -> String {
    let mail = &made.mail;
    let mut out = String::new();
    let address = contact.email.as_deref().unwrap_or("no address");
    let _ = writeln!(out, "To:        {} ({address})", contact.id);
    let _ = writeln!(out, "At:        {}", stage.at);
    if message.variants.len() > 1 {
        let _ = writeln!(out, "Variant:   {}", made.variant);
    }
    match &made.event {
        Some(event) => _ = writeln!(out, "Entered:   {} {} at {}", event.name, event.id, event.happened),
        None => out.push_str("Entered:   without an event; tags of the trigger event fall back\n"),
    }
    if stage::is_email(message) {
        let _ = writeln!(out, "Subject:   {}", mail.subject);
        let _ = writeln!(out, "Preheader: {}", mail.preheader);
    }
    let _ = write!(out, "\n{}\n", mail.text.trim_end());
    if !mail.tags.is_empty() {
        out.push_str("\nMerge tags\n");
    }
    for tag in &mail.tags {
        let said = match tag.state {
            TagState::Value => tag.value.clone(),
            TagState::Fallback => format!("{} (fallback)", tag.value),
            TagState::Missing if mail.missing.contains(&tag.name) => "missing: the mail would be held".to_owned(),
            TagState::Missing => "missing: nothing is shown for it".to_owned(),
        };
        let said: String = said.chars().take(100).collect();
        let _ = writeln!(out, "  {:<18} {said}", tag.name);
    }
    let held = match mail.completeness() {
        Completeness::Complete => None,
        Completeness::Incomplete(tags) => Some(format!("no value and no fallback for {}", tags.join(", "))),
        Completeness::Empty => Some("there is nothing to read in it".to_owned()),
        Completeness::Leftover(text) => Some(format!("something that should have been replaced is left: {text}")),
    };
    if let Some(why) = held {
        let _ = writeln!(out, "\nThis mail would be held: {why}");
    }
    let mut out = show::clean(&out);
    for found in &made.lints {
        out.push_str(&show::diagnostic(found, load::context(&stage.file)));
    }
    out
}
