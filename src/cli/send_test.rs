//! `flowloom send-test`: one mail as one contact would get it, to an address of the user's or into a folder.
//!
//! Deliberately not here: how it is sent (`post`, which the window uses, too), what makes a mail.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;

use super::{
    Done, Failure, Outcome, Places, Streams, load, show,
    stage::{self, Which},
};
use crate::{
    app::stage as mail_stage,
    base::Instant,
    content::Completeness,
    post::{self, Recipient, TestMail, Way},
};

/// Send a mail to yourself as one contact would get it
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Where it goes, and nowhere else
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// The server (smtp://user:password@host:587, smtps://…), or a folder for a file that a mail program opens
    #[arg(long, value_name = "smtp://…|DIR")]
    mail: String,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

/// Runs it.
pub fn run(args: &Arguments, places: &Places, streams: &mut Streams) -> Outcome {
    let to = Recipient::of(&args.to)?;
    let way = Way::of(&args.mail)?;
    let stage = args.which.stage(places, streams)?;
    let one = stage.one(&args.which)?;
    if !stage::is_email(one.message) {
        return Err(Failure::refused("A text message is no e-mail", "Look at it with: flowloom preview"));
    }
    let made = one.made;
    for found in &made.lints {
        streams.tell(&show::diagnostic(found, load::context(&stage.file)));
    }
    if made.mail.completeness() != Completeness::Complete {
        streams.tell("note: an engine would hold this mail back; the findings and flowloom preview say why\n");
    }
    let flow = stage.file.flow();
    let sender = mail_stage::sender(flow, &stage.home.workspace, Some(one.node));
    let test = TestMail {
        mail: &made.mail,
        sender: sender.as_ref(),
        flow: &flow.id,
        node: &one.node.id,
        variant: &made.variant,
        contact: &one.contact.id,
        at: stage.at,
        now: now(),
    };
    let goes_out = matches!(way, Way::Server(..));
    streams.say(&format!("{}\n", way.send(&test, &to, args.force)?));
    if goes_out {
        streams.tell(&format!("{}\n", post::LINKS));
    }
    Ok(Done::Well)
}

#[expect(clippy::disallowed_methods, reason = "a mail that is really sent has the date of its sending")]
fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_millis(i64::try_from(since.as_millis()).unwrap_or(0))
}
