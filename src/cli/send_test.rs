//! `flowloom send-test`: one mail as one contact would get it, to an address of the user's or into a folder.
//!
//! The one idea: the mail is the preview's, marked as a test, and it goes to `--to` and to nobody else: the contact's
//! own address is never read. Deliberately not here: what makes a mail; and the engine's delivery, which has an outbox.

use std::{
    env,
    error::Error as _,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::Args;
use lettre::{
    Address, SmtpTransport, Transport,
    address::Envelope as Recipients,
    transport::smtp::{self, authentication::Credentials},
};

use super::{
    Done, Failure, Outcome, Places, Streams, load, show,
    stage::{self, Stage},
};
use crate::{
    app::stage as mail_stage,
    base::Instant,
    content::{Completeness, Envelope, Links, compose},
    disk,
};

/// Send a mail to yourself as one contact would get it
#[derive(Args, Debug)]
pub struct Arguments {
    /// The flow file
    #[arg(value_name = "FLOW")]
    flow: PathBuf,
    /// The step that sends it, or the message
    #[arg(long, value_name = "NODE")]
    message: String,
    /// The variant [default: the one that the contact is dealt]
    #[arg(long)]
    variant: Option<String>,
    /// As who would get it
    #[arg(long, value_name = "ID")]
    contact: String,
    /// The event that let them in [default: their newest that the trigger listens to]
    #[arg(long, value_name = "ID")]
    event: Option<String>,
    /// When they get it [default: the newest event of the audience]
    #[arg(long, value_name = "INSTANT")]
    at: Option<Instant>,
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

/// What stands before the subject.
const MARK: &str = "[Test]";
/// How long a server may take to answer. Source: assumption; RFC 5321, section 4.5.3.2 allows minutes, and people wait.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The variable with the password, for a user without one in the address, so that it stands in no list of processes.
const PASSWORD: &str = "FLOWLOOM_SMTP_PASSWORD";

/// Runs it.
pub fn run(args: &Arguments, places: &Places, streams: &mut Streams) -> Outcome {
    let to: Address = args.to.trim().parse().map_err(|_| {
        Failure::unusable(format!("`{}` is not an e-mail address", args.to), "Write it as --to name@example.com")
    })?;
    let transport = Way::of(&args.mail)?;
    let stage = Stage::new(&args.flow, args.at, places, streams)?;
    let (node, message) = stage.sending(&args.message)?;
    if !stage::is_email(message) {
        return Err(Failure::refused("A text message is no e-mail", "Look at it with: flowloom preview"));
    }
    let contact = stage.contact(&args.contact)?;
    let variant = stage.variant(node, message, args.variant.as_deref(), contact)?;
    let mut made = stage.make(node, message, variant, contact, args.event.as_deref())?;
    for found in &made.lints {
        streams.tell(&show::diagnostic(found, load::context(&stage.file)));
    }
    if made.mail.completeness() != Completeness::Complete {
        streams.tell("note: an engine would hold this mail back; the findings and flowloom preview say why\n");
    }
    let flow = stage.file.flow();
    let sender = mail_stage::sender(flow, &stage.home.workspace, Some(node)).ok_or_else(|| {
        Failure::refused(
            "The workspace has no sender",
            "Add one to flowloom.ron: senders: [(id: \"shop\", name: \"Shop\", email: \"hello@shop.example\")]",
        )
    })?;
    made.mail.subject = format!("{MARK} {}", made.mail.subject);
    // A server and a list of mails sort by the date of sending; a file is the same whenever it is written.
    let date = if matches!(transport, Way::Folder(_)) { stage.at } else { now() };
    let envelope = Envelope {
        from_name: sender.name.clone(),
        from: sender.email.clone(),
        reply_to: sender.reply_to.clone(),
        to: to.to_string(),
        date,
        send_key: format!("test/{}/{}/{}/{}/{to}/{date}", flow.id, node.id, made.variant, contact.id),
        unsubscribe: Links::placeholders().unsubscribe,
        ..Envelope::default()
    };
    let bytes =
        compose(&made.mail, &envelope).map_err(|reason| Failure::refused(reason, "Mend it in the workspace"))?;
    let what = format!("\u{201c}{}\u{201d} as {} would get it", made.mail.subject, contact.id);
    match transport {
        Way::Folder(folder) => {
            let name =
                format!("{}-{}-{}.eml", file_part(node.id.as_str()), made.variant, file_part(contact.id.as_str()));
            fs::create_dir_all(&folder).map_err(|error| {
                Failure::refused(format!("{} cannot be made: {error}", folder.display()), "Name another folder")
            })?;
            let path = folder.join(name);
            disk::file(&path, &bytes, args.force)?;
            streams.say(&format!("Wrote {}, {what}\n", path.display()));
        }
        Way::Server(server, builder) => {
            let from: Address = sender.email.trim().parse().map_err(|_| {
                Failure::refused(format!("The sender's address `{}` is none", sender.email), "Mend it in the workspace")
            })?;
            let recipients = Recipients::new(Some(from), vec![to.clone()])
                .map_err(|error| Failure::refused(format!("The mail cannot be addressed: {error}"), ""))?;
            let transport = builder.timeout(Some(TIMEOUT)).build();
            transport.send_raw(&recipients, &bytes).map_err(|error| refused(&server, &error))?;
            streams.say(&format!("Sent {what} to {to} by {server}\n"));
            streams.tell("Its links to unsubscribe and to preferences lead to example.com, not to the contact's own\n");
        }
    }
    Ok(Done::Well)
}

/// Where the mail goes.
enum Way {
    Folder(PathBuf),
    /// Host and port as people read it, and what is to be built.
    Server(String, Box<smtp::SmtpTransportBuilder>),
}

impl Way {
    /// Errors: an address of another kind, or one that is none.
    fn of(mail: &str) -> Result<Self, Failure> {
        let Some((scheme, rest)) = mail.split_once("://") else {
            return match mail.trim().is_empty() {
                true => Err(Failure::unusable("--mail is empty", "Name a server (smtp://host:587) or a folder")),
                false => Ok(Self::Folder(Path::new(mail).to_owned())),
            };
        };
        if scheme != "smtp" && scheme != "smtps" {
            return Err(Failure::unusable(
                format!("`{scheme}` is no way to send mail"),
                "Write smtp://host:587, smtps://host, or the name of a folder",
            ));
        }
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = authority.split('/').next().unwrap_or(authority);
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let wrong = || {
            let shown = user.map_or_else(|| mail.to_owned(), |_| format!("{scheme}://…@{host}"));
            Failure::unusable(
                format!("`{shown}` is not the address of a mail server"),
                "Write smtp://user:password@host:587, with special characters as %40",
            )
        };
        if host.is_empty() {
            return Err(wrong());
        }
        let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let bare = bare.map_or(host, |(host, _)| host).trim_start_matches('[').trim_end_matches(']');
        let near = bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        // A password never goes over an open line; without one, an open line is taken where there is no other.
        let tls = match (near || scheme == "smtps" || query.contains("tls="), user.is_some()) {
            (true, _) => String::new(),
            (false, true) => format!("{}tls=required", if query.is_empty() { "?" } else { "&" }),
            (false, false) => format!("{}tls=opportunistic", if query.is_empty() { "?" } else { "&" }),
        };
        let mut builder = SmtpTransport::from_url(&format!("{mail}{tls}")).map_err(|_| wrong())?;
        if let Some(user) = user.filter(|user| !user.contains(':')) {
            let Ok(password) = env::var(PASSWORD) else {
                return Err(Failure::unusable(
                    format!("There is no password for `{user}`"),
                    format!("Set the variable {PASSWORD}, or write user:password@host"),
                ));
            };
            builder = builder.credentials(Credentials::new(user.replace("%40", "@"), password));
        }
        Ok(Self::Server(host.to_owned(), Box::new(builder)))
    }
}

/// What a server or the way to it said.
fn refused(server: &str, error: &smtp::Error) -> Failure {
    let mut why = error.to_string();
    let mut source = error.source();
    let mut kind = None;
    while let Some(inner) = source {
        kind = kind.or_else(|| inner.downcast_ref::<io::Error>().map(io::Error::kind));
        let text = inner.to_string();
        if !why.contains(&text) {
            why = format!("{why}: {text}");
        }
        source = inner.source();
    }
    let code: Option<u16> = error.status().map(Into::into);
    let (message, hint) = match (code, kind) {
        (Some(530 | 534 | 535 | 538), _) => (
            format!("{server} does not take the user and password: {why}"),
            "Check both; many providers want a password made for programs, and special characters written as %40",
        ),
        (Some(_), _) if error.is_transient() => {
            (format!("{server} does not take the mail now: {why}"), "Wait a little and send it again")
        }
        (Some(_), _) => (
            format!("{server} refuses the mail: {why}"),
            "Check that the sender's address belongs to the account, and that --to is one the server takes",
        ),
        (None, _) if error.is_tls() => (
            format!("There is no safe connection to {server}: {why}"),
            "Check name and port (465 for smtps://, 587 for smtp://); a certificate of one's own needs a server on this machine",
        ),
        (None, _) if error.is_timeout() => (
            format!("{server} does not answer within {} s", TIMEOUT.as_secs()),
            "Check name and port; many networks block port 25, try 587 or 465",
        ),
        (None, Some(io::ErrorKind::ConnectionRefused)) => (
            format!("Nothing listens at {server}: {why}"),
            "Check name and port; 587 and 465 are usual, 25 is often blocked",
        ),
        (None, _) if error.is_client() => (
            format!("{server} and this program do not agree on how to talk: {why}"),
            "Try smtps://, or another port; without a login leave user and password out",
        ),
        (None, _) => (format!("{server} cannot be reached: {why}"), "Check the name, the port and the network"),
    };
    Failure::refused(message, hint)
}

#[expect(clippy::disallowed_methods, reason = "a mail that is really sent has the date of its sending")]
fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_millis(i64::try_from(since.as_millis()).unwrap_or(0))
}

/// An id as a part of a file's name.
fn file_part(id: &str) -> String {
    let clean: String = id
        .chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' })
        .take(80)
        .collect();
    let clean = clean.trim_start_matches('.').to_owned();
    if clean.is_empty() { "mail".to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mail: &str, expected: &str) {
        let said = match Way::of(mail) {
            Ok(Way::Folder(path)) => format!("folder {}", path.display()),
            Ok(Way::Server(server, _)) => format!("server {server}"),
            Err(failure) => failure.text,
        };
        assert!(said.starts_with(expected), "{mail}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }

    #[test]
    fn ways() {
        check("out/mails", "folder out/mails");
        check("smtp://127.0.0.1:2525", "server 127.0.0.1:2525");
        check("smtp://ada:secret@mail.example:587", "server mail.example:587");
        check("smtps://ada%40x.example:secret@mail.example", "server mail.example");
        check("smtp://[::1]:2525", "server [::1]:2525");
        check("smtp://ada@mail.example", "error: There is no password for `ada`");
        check("http://mail.example", "error: `http` is no way to send mail");
        check("smtp://", "error: `smtp://` is not the address");
        check("smtp://ada:secret@mail example", "error: `smtp://…@mail example` is not the address");
        check("", "error: --mail is empty");
    }

    #[test]
    fn file_names() {
        assert_eq!(file_part("../a b/ü"), "_a_b_ü");
        assert_eq!(file_part(""), "mail");
    }
}
