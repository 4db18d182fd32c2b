//! A mail that somebody sends to themselves: to one address by a mail server, or as a file into a folder.
//!
//! The one idea: the mail is the preview's, marked as a test, and it goes to the given address and to nobody else: the
//! contact's own address is never read. The command line and the window send by this room. Deliberately not here: what
//! makes a mail; and the engine's delivery, which has an outbox.

use std::{
    env,
    error::Error as _,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use lettre::{
    Address, SmtpTransport, Transport,
    address::Envelope as Recipients,
    transport::smtp::{self, authentication::Credentials},
};

use crate::{
    base::{ContactId, FlowId, Instant, NodeId},
    content::{Envelope, Links, RenderedMail, compose},
    disk::{self, Error},
    flow::Sender,
};

/// What stands before the subject.
const MARK: &str = "[Test]";
/// How long a server may take to answer. Source: assumption; RFC 5321, section 4.5.3.2 allows minutes, and people wait.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The variable with the password, for a user without one in the address, so that it stands in no list of processes.
pub const PASSWORD: &str = "FLOWLOOM_SMTP_PASSWORD";
/// Said after a mail has left.
pub const LINKS: &str = "Its links to unsubscribe and to preferences lead to example.com, not to the contact's own";

fn unusable(message: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Unusable { message: message.into(), hint: hint.into() }
}

fn refused(message: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Refused { message: message.into(), hint: hint.into() }
}

/// Where a test goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient(Address);

impl Recipient {
    /// Reads `name@example.com`.
    ///
    /// Errors: it is none.
    pub fn of(text: &str) -> Result<Self, Error> {
        text.trim().parse().map(Self).map_err(|_| {
            unusable(format!("`{text}` is not an e-mail address"), "Write one address, such as name@example.com")
        })
    }
}

/// A mail with all that its letterhead needs.
#[derive(Clone, Copy, Debug)]
pub struct TestMail<'a> {
    /// The mail as the contact would get it.
    pub mail: &'a RenderedMail,
    /// Who it is from, where the workspace has one.
    pub sender: Option<&'a Sender>,
    /// Of which flow.
    pub flow: &'a FlowId,
    /// Of which step.
    pub node: &'a NodeId,
    /// In which variant.
    pub variant: &'a str,
    /// As who would get it.
    pub contact: &'a ContactId,
    /// The instant it was made for: the date of a file, which is the same whenever it is written.
    pub at: Instant,
    /// The instant of sending: servers and lists of mails sort by it.
    pub now: Instant,
}

/// How a mail goes.
#[derive(Clone, Debug)]
pub enum Way {
    /// Into a folder, which is made where it is not there.
    Folder(PathBuf),
    /// Host and port as people read it, and what is to be built.
    Server(String, Box<smtp::SmtpTransportBuilder>),
}

impl Way {
    /// Reads `smtp://user:password@host:587`, `smtps://host`, or the name of a folder. A user without a password has it
    /// in the variable [`PASSWORD`].
    ///
    /// Errors: an address of another kind, one that is none, a user without a password.
    pub fn of(mail: &str) -> Result<Self, Error> {
        let mail = mail.trim();
        let Some((scheme, rest)) = mail.split_once("://") else {
            return match mail.is_empty() {
                true => Err(unusable(
                    "There is no mail server and no folder",
                    "Name a server (smtp://host:587) or a folder",
                )),
                false => Ok(Self::Folder(Path::new(mail).to_owned())),
            };
        };
        if scheme != "smtp" && scheme != "smtps" {
            return Err(unusable(
                format!("`{scheme}` is no way to send mail"),
                "Write smtp://host:587, smtps://host, or the name of a folder",
            ));
        }
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = authority.split('/').next().unwrap_or(authority);
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let wrong = || {
            let shown = user.map_or_else(|| mail.to_owned(), |_| format!("{scheme}://…@{host}"));
            unusable(
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
                return Err(unusable(
                    format!("There is no password for `{user}`"),
                    format!("Set the variable {PASSWORD}, or write user:password@host"),
                ));
            };
            builder = builder.credentials(Credentials::new(user.replace("%40", "@"), password));
        }
        Ok(Self::Server(host.to_owned(), Box::new(builder)))
    }

    /// Sends it, and gives back what was done in words: "Wrote …", "Sent …". `force` writes over a file that is there.
    ///
    /// Takes as long as the server does, at most twenty seconds for each of its answers.
    ///
    /// Errors: no sender; a file or folder that cannot be written; what the server or the way to it said.
    pub fn send(self, test: &TestMail<'_>, to: &Recipient, force: bool) -> Result<String, Error> {
        let Recipient(to) = to;
        let sender = test.sender.ok_or_else(|| {
            refused(
                "The workspace has no sender",
                "Add one to flowloom.ron: senders: [(id: \"shop\", name: \"Shop\", email: \"hello@shop.example\")]",
            )
        })?;
        let mut mail = test.mail.clone();
        mail.subject = format!("{MARK} {}", mail.subject);
        let date = if matches!(self, Self::Folder(_)) { test.at } else { test.now };
        let (flow, node, variant, contact) = (test.flow, test.node, test.variant, test.contact);
        let envelope = Envelope {
            from_name: sender.name.clone(),
            from: sender.email.clone(),
            reply_to: sender.reply_to.clone(),
            to: to.to_string(),
            date,
            send_key: format!("test/{flow}/{node}/{variant}/{contact}/{to}/{date}"),
            unsubscribe: Links::placeholders().unsubscribe,
            ..Envelope::default()
        };
        let bytes = compose(&mail, &envelope).map_err(|reason| refused(reason, "Mend it in the workspace"))?;
        let what = format!("\u{201c}{}\u{201d} as {contact} would get it", mail.subject);
        match self {
            Self::Folder(folder) => {
                let name = format!("{}-{variant}-{}.eml", file_part(node.as_str()), file_part(contact.as_str()));
                fs::create_dir_all(&folder).map_err(|error| {
                    refused(format!("{} cannot be made: {error}", folder.display()), "Name another folder")
                })?;
                let path = folder.join(name);
                disk::file(&path, &bytes, force)?;
                Ok(format!("Wrote {}, {what}", path.display()))
            }
            Self::Server(server, builder) => {
                let from: Address = sender.email.trim().parse().map_err(|_| {
                    refused(format!("The sender's address `{}` is none", sender.email), "Mend it in the workspace")
                })?;
                let recipients = Recipients::new(Some(from), vec![to.clone()])
                    .map_err(|error| refused(format!("The mail cannot be addressed: {error}"), ""))?;
                let transport = builder.timeout(Some(TIMEOUT)).build();
                transport.send_raw(&recipients, &bytes).map_err(|error| of_server(&server, &error))?;
                Ok(format!("Sent {what} to {to} by {server}"))
            }
        }
    }
}

/// What a server or the way to it said.
fn of_server(server: &str, error: &smtp::Error) -> Error {
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
            "Check that the sender's address belongs to the account, and that the recipient is one the server takes",
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
    refused(message, hint)
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
            Err(error) => error.to_string(),
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
        check("smtp://ada@mail.example", "There is no password for `ada`");
        check("http://mail.example", "`http` is no way to send mail");
        check("smtp://", "`smtp://` is not the address");
        check("smtp://ada:secret@mail example", "`smtp://…@mail example` is not the address");
        check("", "There is no mail server");
    }

    #[test]
    fn file_names() {
        assert_eq!(file_part("../a b/ü"), "_a_b_ü");
        assert_eq!(file_part(""), "mail");
    }
}
