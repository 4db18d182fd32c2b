//! `flowloom contact`: one person in an engine: journeys, messages, every decision.

use std::fmt::Write as _;

use clap::Args;

use super::{super::show, Data, Done, Failure, Format, Outcome, Streams, reader};
use crate::engine::{status::ContactView, work::Standing};

/// Show one person in an engine: journeys, messages, trace
#[derive(Args, Debug)]
pub struct Arguments {
    /// The contact's id, or its address
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    data: Data,
    /// Print this mail as it was sent instead: a send key, as listed
    #[arg(long, value_name = "KEY")]
    mail: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Contacts whose id or address begins alike that are looked through.
const MOST_ALIKE: usize = 100;

/// Runs it.
pub fn run(args: &Arguments, streams: &mut Streams) -> Outcome {
    let reader = reader(&args.data.dir)?;
    let found = match reader.contact(&args.id)? {
        Some(view) => Some(view),
        // The whole address: a beginning may be somebody else's.
        None => {
            let found = reader.search(&args.id, MOST_ALIKE)?;
            let is_it = |email: &str| email.eq_ignore_ascii_case(args.id.trim());
            match found.iter().find(|one| one.email.as_deref().is_some_and(is_it)) {
                Some(one) => reader.contact(one.id.as_str())?,
                None => None,
            }
        }
    };
    let none = || {
        Failure::unusable(
            format!("There is no contact `{}`", args.id),
            "Write its id or the whole address; --data names the engine",
        )
    };
    let Some(view) = found else { return Err(none()) };
    if let Some(key) = &args.mail {
        let Some(mail) = reader.mail(key)? else {
            return Err(Failure::unusable(
                format!("No mail is kept under `{key}`"),
                format!("flowloom contact {} lists the keys", args.id),
            ));
        };
        streams.say(&String::from_utf8_lossy(&mail));
        return Ok(Done::Well);
    }
    match args.format {
        Format::Json => {
            // All that is kept, so that it can be handed to the person.
            let Some(export) = reader.export(view.contact.id.as_str())? else { return Err(none()) };
            let mut json = serde_json::to_value(&export.contact).unwrap_or_default();
            json["events"] = serde_json::to_value(export.events).unwrap_or_default();
            json["codes"] = serde_json::to_value(export.codes).unwrap_or_default();
            json["profile"] = serde_json::to_value(export.profile).unwrap_or_default();
            json["mails"] = serde_json::to_value(export.mails).unwrap_or_default();
            streams.say_json(&json);
        }
        Format::Text => streams.say(&show::clean(&text(&view))),
    }
    Ok(Done::Well)
}

fn text(view: &ContactView) -> String {
    let email = view.contact.email.as_deref().unwrap_or("no address");
    let mut out = format!("{} ({email})", view.contact.id);
    if view.suppressed {
        out.push_str(", never to be written to");
    } else if view.bounced {
        out.push_str(", no mails to this address");
    }
    out.push('\n');
    for journey in &view.journeys {
        let _ = write!(out, "  {} since {}", journey.id, journey.entered);
        match (&journey.ended, &journey.node) {
            (Some((at, how)), _) => {
                let _ = writeln!(out, ", ended {at}: {how}");
            }
            (None, Some(node)) => {
                let _ = writeln!(out, ", at {node}, {}", journey.waiting);
            }
            (None, None) => out.push('\n'),
        }
    }
    for send in &view.sends {
        let standing = match send.standing {
            Standing::Due => "due",
            Standing::Claimed => "claimed",
            Standing::HandingOver => "on its way",
            Standing::Settled(outcome) => outcome.name(),
        };
        let _ = write!(out, "  {} {}  {standing}", send.at, send.key);
        if let Some(reason) = send.reason {
            let _ = write!(out, ": {}", reason.name());
        }
        if !send.detail.is_empty() {
            let _ = write!(out, " ({})", send.detail);
        }
        out.push('\n');
    }
    if !view.trace.is_empty() {
        out.push_str("Trace\n");
    }
    for line in &view.trace {
        let _ = writeln!(out, "  {line}");
    }
    if !view.audit.is_empty() {
        out.push_str("By hand\n");
    }
    for (at, who, what) in &view.audit {
        let _ = writeln!(out, "  {at}  {who}: {what}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::Instant,
        engine::{driver::Driver, store::Reader, work::NewContact},
        kinds::runtime::Change,
    };

    /// A bounce stops an address, not the person: texts still leave, and another address is written to.
    #[test]
    fn a_bounce_is_no_ban() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut driver = Driver::open(dir.path()).expect("opens");
        let now = Instant::from_millis(1_795_424_400_000);
        let mut check = |change: Change, expected: (bool, bool), line: &str| {
            let item = NewContact { id: "ada".into(), change };
            driver.batch(now, |driver| driver.change(now, &item)).expect("is written");
            let view = Reader::open(dir.path()).and_then(|reader| reader.contact("ada")).expect("reads");
            let view = view.expect("is there");
            assert_eq!(((view.suppressed, view.bounced), text(&view).lines().next()), (expected, Some(line)));
        };
        let change = |email: &str| Change { email: Some(email.into()), ..Change::default() };
        check(change("Ada@x.example"), (false, false), "ada (Ada@x.example)");
        let bounced = Change { bounced: vec!["ada@x.example".into()], ..Change::default() };
        check(bounced, (false, true), "ada (Ada@x.example), no mails to this address");
        check(change("ada@y.example"), (false, false), "ada (ada@y.example)");
        let never = Change { suppressed: Some(true), ..change("ada@x.example") };
        check(never, (true, true), "ada (ada@x.example), never to be written to");
    }
}
