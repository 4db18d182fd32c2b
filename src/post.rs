//! A mail that somebody sends to themselves: to one address by a mail server, or as a file into a folder.
//!
//! The one idea: the mail is the preview's, marked as a test, and it goes to the given address and to nobody else: the
//! contact's own address is never read. The command line and the window send by this room. Deliberately not here: what
//! makes a mail; and the engine's delivery, which has an outbox.

use std::{
    env,
    error::Error as _,
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use lettre::{
    Address,
    address::Envelope as Recipients,
    transport::smtp::{
        self,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{SmtpConnection, TlsParameters},
        commands::Ehlo,
        extension::ClientId,
    },
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

/// How the line to a server is kept from being read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// Not at all.
    Open,
    /// Encrypted where the server offers it.
    IfOffered,
    /// Encrypted before anything is said, or not used (STARTTLS).
    StartTls,
    /// Encrypted from the first byte.
    Tls,
}

/// A mail server: where it is, and how to talk to it.
#[derive(Clone)]
pub struct Server {
    shown: String,
    host: String,
    port: u16,
    line: Line,
    is_near: bool,
    hello: ClientId,
    credentials: Option<Credentials>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({}, {:?})", self.shown, self.line)
    }
}

impl Server {
    /// Reads `smtp://user:password@host:587`, `smtps://host`; `?tls=required` or `?tls=opportunistic` says how the line
    /// is kept, a path (`smtp://host/mail.shop.example`) the name that this side says. A user without a password has it
    /// in the variable [`PASSWORD`].
    ///
    /// Errors: an address of another kind, one that is none, a user without a password.
    pub fn of(mail: &str) -> Result<Self, Error> {
        let mail = mail.trim();
        let (scheme, rest) = mail.split_once("://").unwrap_or(("", mail));
        if scheme != "smtp" && scheme != "smtps" {
            return Err(unusable(
                format!("`{scheme}` is no way to send mail"),
                "Write smtp://host:587, smtps://host, or the name of a folder",
            ));
        }
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before.split_once('/').unwrap_or((before, ""));
        let (user, shown) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let wrong = || {
            let shown = user.map_or_else(|| mail.to_owned(), |_| format!("{scheme}://…@{shown}"));
            unusable(
                format!("`{shown}` is not the address of a mail server"),
                "Write smtp://user:password@host:587, with special characters as %40",
            )
        };
        // Of `[::1]:25` the colons inside the brackets are the host's.
        let (host, port) = match shown.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or_else(wrong)?)),
            None => shown.rsplit_once(':').map_or((shown, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map(|port| port.parse::<u16>().map_err(|_| wrong())).transpose()?;
        let is_name = |host: &str| host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
        let ip = host.parse::<std::net::IpAddr>().ok();
        if host.is_empty() || (ip.is_none() && !is_name(host)) {
            return Err(wrong());
        }
        let near = host == "localhost" || ip.is_some_and(|ip| ip.is_loopback());
        let tls = query.split('&').find_map(|part| part.strip_prefix("tls="));
        let line = match (scheme, tls) {
            ("smtps", _) => Line::Tls,
            (_, Some("required")) => Line::StartTls,
            (_, Some("opportunistic")) => Line::IfOffered,
            (_, Some(_)) => return Err(wrong()),
            (_, None) if near => Line::Open,
            // A password never goes over an open line; without one, an open line is taken where there is no other.
            (_, None) if user.is_some() => Line::StartTls,
            (_, None) => Line::IfOffered,
        };
        // Source: RFC 8314, section 3; RFC 6409, section 3.1; RFC 5321, section 2.3.4.
        let port = port.unwrap_or(match line {
            Line::Tls => 465,
            Line::StartTls | Line::IfOffered => 587,
            Line::Open => 25,
        });
        let credentials = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            None => None,
            Some((name, "")) => {
                let Ok(password) = env::var(PASSWORD) else {
                    return Err(unusable(
                        format!("There is no password for `{name}`"),
                        format!("Set the variable {PASSWORD}, or write user:password@host"),
                    ));
                };
                Some(Credentials::new(percent_decoded(name).ok_or_else(wrong)?, password))
            }
            Some((name, password)) => {
                let both = percent_decoded(name).zip(percent_decoded(password)).ok_or_else(wrong)?;
                Some(Credentials::new(both.0, both.1))
            }
        };
        let hello = match path.trim_matches('/') {
            "" => ClientId::default(),
            name if is_name(name) => ClientId::Domain(name.to_owned()),
            _ => return Err(wrong()),
        };
        Ok(Self { shown: shown.to_owned(), host: host.to_owned(), port, line, is_near: near, hello, credentials })
    }

    /// Host and port as people read it; never user or password.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Opens a connection: greeting, encryption, login. `patience` bounds each of the server's answers.
    ///
    /// Errors: what the server or the way to it said.
    pub fn connect(&self, patience: Duration) -> Result<SmtpConnection, smtp::Error> {
        let tls = match self.line {
            Line::Open => None,
            Line::IfOffered | Line::StartTls | Line::Tls => Some(TlsParameters::new(self.host.clone())?),
        };
        let at_once = tls.as_ref().filter(|_| self.line == Line::Tls);
        let server = (self.host.as_str(), self.port);
        let mut connection = SmtpConnection::connect(server, Some(patience), &self.hello, at_once, None)?;
        let later = tls.as_ref().filter(|_| match self.line {
            Line::StartTls => true,
            Line::IfOffered => connection.can_starttls(),
            Line::Open | Line::Tls => false,
        });
        if let Some(tls) = later {
            connection.starttls(tls, &self.hello)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials)?;
        }
        Ok(connection)
    }

    /// Whether it runs on this machine.
    pub fn is_near(&self) -> bool {
        self.is_near
    }

    /// Whether a server takes several commands in one go (RFC 2920). It is asked once more what it can: lettre does not
    /// keep this word of its greeting.
    pub fn pipelines(&self, connection: &mut SmtpConnection) -> bool {
        let answer = connection.command(Ehlo::new(self.hello.clone()));
        answer.is_ok_and(|answer| answer.message().any(|line| line.trim().eq_ignore_ascii_case("PIPELINING")))
    }
}

/// `%40` as `@`; `None` for what is no text.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = |byte: &u8| char::from(*byte).to_digit(16);
        let coded = tail.first().and_then(hex).zip(tail.get(1).and_then(hex)).filter(|_| *first == b'%');
        bytes.push(coded.map_or(*first, |(high, low)| (high * 16 + low) as u8));
        rest = if coded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).ok()
}

/// How a mail goes.
#[derive(Clone, Debug)]
pub enum Way {
    /// Into a folder, which is made where it is not there.
    Folder(PathBuf),
    /// By a server.
    Server(Server),
}

impl Way {
    /// Reads the address of a server ([`Server::of`]), or the name of a folder.
    ///
    /// Errors: an address of another kind, one that is none, a user without a password.
    pub fn of(mail: &str) -> Result<Self, Error> {
        let mail = mail.trim();
        if mail.contains("://") {
            return Server::of(mail).map(Self::Server);
        }
        match mail.is_empty() {
            true => {
                Err(unusable("There is no mail server and no folder", "Name a server (smtp://host:587) or a folder"))
            }
            false => Ok(Self::Folder(Path::new(mail).to_owned())),
        }
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
                let path = into_folder(&folder, &name, &bytes, force)?;
                Ok(format!("Wrote {}, {what}", path.display()))
            }
            Self::Server(server) => {
                let from: Address = sender.email.trim().parse().map_err(|_| {
                    refused(format!("The sender's address `{}` is none", sender.email), "Mend it in the workspace")
                })?;
                let recipients = Recipients::new(Some(from), vec![to.clone()])
                    .map_err(|error| refused(format!("The mail cannot be addressed: {error}"), ""))?;
                let shown = server.shown();
                let mut connection = server.connect(TIMEOUT).map_err(|error| of_server(shown, &error))?;
                connection.send(&recipients, &bytes).map_err(|error| of_server(shown, &error))?;
                let _ = connection.quit();
                Ok(format!("Sent {what} to {to} by {shown}"))
            }
        }
    }
}

/// Writes a file into a folder, which is made where it is not there: beside, synced, renamed. Its path.
///
/// Errors: a folder that cannot be made, a file that is there (unless `force`) or that cannot be written.
pub fn into_folder(folder: &Path, name: &str, bytes: &[u8], force: bool) -> Result<PathBuf, Error> {
    fs::create_dir_all(folder)
        .map_err(|error| refused(format!("{} cannot be made: {error}", folder.display()), "Name another folder"))?;
    let path = folder.join(name);
    disk::file(&path, bytes, force)?;
    Ok(path)
}

/// An error with what caused it, and the sort of fault of the operating system below it.
fn in_full(error: &smtp::Error) -> (String, Option<io::ErrorKind>) {
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
    (why, kind)
}

/// What a server or the way to it said, in words with a way out.
pub fn of_server(server: &str, error: &smtp::Error) -> Error {
    let (why, kind) = in_full(error);
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

/// An id as a part of a file's name: at most 80 letters, digits, `-`, `_` and `.`, never hidden.
pub fn file_part(id: &str) -> String {
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
            Ok(Way::Server(server)) => format!("server {} {} {:?}", server.shown(), server.port, server.line),
            Err(error) => error.to_string(),
        };
        assert!(said.starts_with(expected), "{mail}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }

    #[test]
    fn ways() {
        check("out/mails", "folder out/mails");
        check("smtp://127.0.0.1:2525", "server 127.0.0.1:2525 2525 Open");
        check("smtp://ada:secret@mail.example:587", "server mail.example:587 587 StartTls");
        check("smtps://ada%40x.example:secret@mail.example", "server mail.example 465 Tls");
        check("smtp://[::1]:2525", "server [::1]:2525 2525 Open");
        check("smtp://ada@mail.example", "There is no password for `ada`");
        check("http://mail.example", "`http` is no way to send mail");
        check("smtp://", "`smtp://` is not the address");
        check("smtp://ada:secret@mail example", "`smtp://…@mail example` is not the address");
        check("", "There is no mail server");
        check("smtp://mail.example", "server mail.example 587 IfOffered");
        check("smtp://mail.example?tls=required", "server mail.example 587 StartTls");
        check("smtp://ada:secret@127.0.0.1", "server 127.0.0.1 25 Open");
        check("smtp://mail.example?tls=maybe", "`smtp://mail.example?tls=maybe` is not the address");
        check("smtp://mail.example:99999", "`smtp://mail.example:99999` is not the address");
        check("smtp://[::1]x", "`smtp://[::1]x` is not the address");
    }

    #[test]
    fn percent_signs() {
        assert_eq!(percent_decoded("a%40b%c3%BC%"), Some("a@bü%".to_owned()));
        assert_eq!(percent_decoded("%ff"), None);
    }

    #[test]
    fn file_names() {
        assert_eq!(file_part("../a b/ü"), "_a_b_ü");
        assert_eq!(file_part(""), "mail");
    }
}
