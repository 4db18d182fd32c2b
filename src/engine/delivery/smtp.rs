//! Mails by a mail server.
//!
//! The one idea: the place where a hand-over broke decides what is said of it. Until the last line of the mail has been
//! written, the server cannot have taken it: it is tried again. From then on only the server's answer tells; without
//! one the mail may have left, and that is *unknown* (SEMANTICS R21). lettre's transport gives one error for all of
//! these, so its connection is driven command by command here.

use std::{
    cell::Cell,
    error::Error as _,
    fmt::Display,
    slice::Chunks,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant as Monotonic},
};

use lettre::{
    Address,
    transport::smtp::{
        self,
        client::SmtpConnection,
        commands::{Data, Mail, Rcpt, Rset},
        extension::{Extension, MailParameter},
    },
};

use super::{
    Outgoing, Payload, Transport,
    answers::{Meaning, Stage, meaning},
    fault,
    pace::{Lane, Pace, Sort},
};
use crate::{
    engine::work::Handed,
    post::{self, Server},
};

/// How long to wait for answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// For the connection and each command. Default 60 s. Source: assumption; RFC 5321, section 4.5.3.2 says 2 to 5
    /// minutes, but here a later try costs nothing.
    pub answer: Duration,
    /// For the answer to the whole mail. Default 10 min. Source: RFC 5321, section 4.5.3.2.6: who waits less long makes
    /// doubles; here they would be unknowns.
    pub end: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { answer: Duration::from_secs(60), end: Duration::from_secs(600) }
    }
}

/// A connection is used again within so long. Source: assumption; servers close idle ones after 30 s to 5 min.
const IDLE: Duration = Duration::from_secs(25);
/// Mails over one connection. Source: assumption; many servers end one after 100.
const MOST_MAILS: u32 = 90;
/// Connections that are kept open.
const MOST_KEPT: usize = 8;
/// The mail is written in pieces of so many bytes, so that each has its own time.
const PIECE: usize = 16 * 1024;

/// The transport.
#[derive(Debug)]
pub struct Smtp {
    server: Server,
    patience: Patience,
    pace: Arc<Pace>,
    kept: Mutex<Vec<Kept>>,
}

struct Kept {
    line: Line,
    since: Monotonic,
    mails: u32,
}

/// A connection, and whether it takes several commands in one go.
struct Line {
    connection: SmtpConnection,
    pipelines: bool,
}

/// Whether a server hears nothing any more: it is not there, or it has said goodbye.
fn is_goodbye(error: &smtp::Error) -> bool {
    error.status().is_none_or(|code| u16::from(code) == 421)
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({} mails)", self.mails)
    }
}

/// What became of one attempt on one connection.
enum Talk {
    /// It was said what there is to say; the connection goes on.
    Settled(Handed),
    /// The same, and the connection is done.
    Over(Handed),
    /// The connection was dead before anything was said of this mail.
    Stale(smtp::Error),
}

/// Who gets a mail, as the server's language has it.
struct Letter<'a> {
    from: Address,
    to: Vec<Address>,
    bytes: &'a [u8],
    lane: Lane,
}

impl Smtp {
    /// By this server.
    pub fn new(server: Server, patience: Patience, pace: Arc<Pace>) -> Self {
        Self { server, patience, pace, kept: Mutex::default() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that was kept, if there is a fresh one.
    fn fresh(&self) -> Option<Kept> {
        let mut kept = self.kept();
        let old: Vec<Kept> = kept.extract_if(.., |kept| kept.since.elapsed() > IDLE).collect();
        let found = kept.pop();
        drop(kept);
        old.into_iter().for_each(end);
        found
    }

    #[expect(clippy::disallowed_methods, reason = "how long a server keeps a connection is the machine's time")]
    fn keep(&self, line: Line, mails: u32) {
        let kept = Kept { line, since: Monotonic::now(), mails };
        let mut all = self.kept();
        if mails < MOST_MAILS && all.len() < MOST_KEPT {
            all.push(kept);
        } else {
            drop(all);
            end(kept);
        }
    }

    fn later(detail: impl Into<String>) -> Handed {
        Handed::Later { detail: detail.into(), after_millis: None }
    }

    /// What the server's refusal means, or what a broken line means before the mail was said in full.
    fn refused(&self, stage: Stage, error: &smtp::Error, lane: &Lane) -> Handed {
        let Some(code) = error.status().map(u16::from) else {
            self.pace.no_way(Sort::Mail);
            return Self::later(post::of_server(self.server.shown(), error).to_string());
        };
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        let detail = format!("{} said: {code} {text}", self.server.shown());
        match meaning(stage, code, &text) {
            Meaning::No => Handed::No { detail, bad_address: false },
            Meaning::BadAddress => Handed::No { detail, bad_address: true },
            Meaning::Later => Self::later(detail),
            Meaning::Slower => {
                // Before a recipient is named it is the server itself that asks for patience.
                match stage {
                    Stage::Mail => self.pace.no_way(Sort::Mail),
                    Stage::Rcpt | Stage::Data | Stage::End => self.pace.slow_down(lane, None),
                }
                Self::later(detail)
            }
            Meaning::Ours => {
                let hint =
                    "check user, password and port in --mail, and that the sender's address belongs to the account";
                Handed::Ours { detail: format!("{detail}; {hint}"), after_millis: None }
            }
            Meaning::Login => {
                self.pace.no_way(Sort::Mail);
                let detail = format!("{detail}; check user, password and the kind of line in --mail");
                Handed::Ours { detail, after_millis: None }
            }
        }
    }

    fn talk(&self, line: &mut Line, letter: &Letter<'_>) -> Talk {
        let mut options = Vec::new();
        if [&letter.from].into_iter().chain(&letter.to).any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
            if !line.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let detail = format!("{} takes no addresses with letters such as \u{fc}", self.server.shown());
                return Talk::Settled(Handed::No { detail, bad_address: false });
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if let Err(talk) = self.open(line, letter, options) {
            return talk;
        }
        let connection = &mut line.connection;
        let all_is_said = Cell::new(false);
        let _ = connection.set_timeout(Some(self.patience.end));
        let pieces = Pieces { pieces: letter.bytes.chunks(PIECE), all_is_said: &all_is_said };
        let answer = connection.message_iter(pieces);
        let _ = connection.set_timeout(Some(self.patience.answer));
        match answer {
            Ok(_) => {
                self.pace.went_well(&letter.lane);
                Talk::Settled(Handed::Done)
            }
            Err(error) if error.status().is_some() => {
                let handed = self.refused(Stage::End, &error, &letter.lane);
                if is_goodbye(&error) { Talk::Over(handed) } else { Talk::Settled(handed) }
            }
            // Also where the answer's text is not UTF-8 (a `250` in Latin-1): lettre reads a line into a `String`, and
            // its code is lost with it. *Unknown* is the honest word then.
            Err(error) if all_is_said.get() => {
                let why = post::of_server(self.server.shown(), &error);
                let detail = format!("No answer after the whole mail was said; it may have left. {why}");
                Talk::Over(Handed::Unknown { detail })
            }
            Err(error) => Talk::Over(self.refused(Stage::Data, &error, &letter.lane)),
        }
    }

    /// Who sends, who gets it, and that the mail comes; where the server allows it all in one go (RFC 2920), which
    /// saves the way there and back for each command. Not one byte of the mail itself is said.
    fn open(&self, line: &mut Line, letter: &Letter<'_>, options: Vec<MailParameter>) -> Result<(), Talk> {
        let from = Mail::new(Some(letter.from.clone()), options);
        let to: Vec<Rcpt> = letter.to.iter().map(|address| Rcpt::new(address.clone(), Vec::new())).collect();
        let is_group = line.pipelines;
        let mut group =
            is_group.then(|| to.iter().fold(from.to_string(), |all, rcpt| all + &rcpt.to_string()) + &Data.to_string());
        let connection = &mut line.connection;
        // The first of a group says all of it; the others have been said, and are only answered.
        let mut say = |command: &dyn Display| match group.take() {
            Some(group) => connection.command(group),
            None if is_group => connection.read_response(),
            None => connection.command(command),
        };
        let mut no = None;
        if let Err(error) = say(&from) {
            if is_goodbye(&error) {
                return Err(Talk::Stale(error));
            }
            no = Some(self.refused(Stage::Mail, &error, &letter.lane));
        }
        let (has_sender, mut taken) = (no.is_none(), 0);
        for rcpt in to.iter().filter(|_| has_sender || is_group) {
            match say(rcpt) {
                Ok(_) => taken += 1,
                Err(error) if is_goodbye(&error) => {
                    return Err(Talk::Over(no.unwrap_or_else(|| self.refused(Stage::Rcpt, &error, &letter.lane))));
                }
                // One that may still come is not lost for one that never will.
                Err(error) if has_sender && !matches!(no, Some(Handed::Later { .. } | Handed::Ours { .. })) => {
                    no = Some(self.refused(Stage::Rcpt, &error, &letter.lane));
                }
                Err(_) => {}
            }
        }
        if has_sender && taken > 0 {
            let Err(error) = say(&Data) else { return Ok(()) };
            let handed = self.refused(Stage::Data, &error, &letter.lane);
            return Err(if is_goodbye(&error) { Talk::Over(handed) } else { self.reset(connection, handed) });
        }
        let handed = no.unwrap_or_else(|| fault("The mail has no recipient"));
        Err(match is_group.then(|| say(&Data)) {
            // It took recipients from nobody, and would send them whatever comes.
            Some(Ok(_)) if taken > 0 => Talk::Over(handed),
            // It waits for a mail although nobody is to get one: an empty one, as RFC 2920, section 3.1 has it.
            Some(Ok(_)) => match connection.message_iter(std::iter::empty::<&[u8]>()) {
                Err(error) if is_goodbye(&error) => Talk::Over(handed),
                _ => Talk::Settled(handed),
            },
            Some(Err(error)) if is_goodbye(&error) => Talk::Over(handed),
            _ => self.reset(connection, handed),
        })
    }

    /// After a refusal in the middle the server is told to forget what was said so far.
    fn reset(&self, connection: &mut SmtpConnection, handed: Handed) -> Talk {
        match connection.command(Rset) {
            Ok(_) => Talk::Settled(handed),
            Err(_) => Talk::Over(handed),
        }
    }
}

/// Says goodbye in order; nobody waits for long.
fn end(mut kept: Kept) {
    let _ = kept.line.connection.set_timeout(Some(Duration::from_secs(2)));
    let _ = kept.line.connection.quit();
}

/// The mail in pieces. After the last one lettre writes the line that ends the mail, and not before it has asked for
/// one more piece: from that question on the server may have all of it.
struct Pieces<'a> {
    pieces: Chunks<'a, u8>,
    all_is_said: &'a Cell<bool>,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let next = self.pieces.next();
        if next.is_none() {
            self.all_is_said.set(true);
        }
        next
    }
}

impl Transport for Smtp {
    fn hand_over(&self, outgoing: &Outgoing) -> Handed {
        let Payload::Mail { from, to, bytes } = &outgoing.payload else {
            return fault("A mail server takes nothing but mails");
        };
        let Ok(from) = from.trim().parse::<Address>() else {
            return fault(format!("The sender's address `{from}` is none; mend it in the workspace"));
        };
        let parsed: Result<Vec<Address>, String> =
            to.iter().map(|to| to.trim().parse().map_err(|_| to.clone())).collect();
        let to = match parsed {
            Ok(to) => to,
            Err(wrong) => {
                return Handed::No { detail: format!("`{wrong}` is not an e-mail address"), bad_address: true };
            }
        };
        let letter = Letter { from, to, bytes, lane: Lane::of(outgoing) };
        // What was kept may have been closed from the other side; nothing was said of this mail then.
        while let Some(mut kept) = self.fresh() {
            match self.talk(&mut kept.line, &letter) {
                Talk::Settled(handed) => {
                    self.keep(kept.line, kept.mails + 1);
                    return handed;
                }
                Talk::Over(handed) => return handed,
                // That it was closed says nothing of the way: the next one does, or a new one.
                Talk::Stale(_) => {}
            }
        }
        let mut connection = match self.server.connect(self.patience.answer) {
            Ok(connection) => connection,
            Err(error) => {
                self.pace.no_way(Sort::Mail);
                let detail = post::of_server(self.server.shown(), &error).to_string();
                // It is there, and wants none of this engine: a wrong password, mostly.
                return match error.is_permanent() {
                    true => Handed::Ours { detail, after_millis: None },
                    false => Self::later(detail),
                };
            }
        };
        let pipelines = self.server.pipelines(&mut connection);
        let mut line = Line { connection, pipelines };
        match self.talk(&mut line, &letter) {
            Talk::Settled(handed) => {
                self.keep(line, 1);
                handed
            }
            Talk::Over(handed) => handed,
            Talk::Stale(error) => self.refused(Stage::Mail, &error, &letter.lane),
        }
    }

    fn close(&self) {
        let all = std::mem::take(&mut *self.kept());
        all.into_iter().for_each(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::SendKey,
        engine::delivery::pace::Rates,
        testing::smtp::{Heard, PostOffice, Say},
    };

    fn way(office: &PostOffice) -> Smtp {
        let server = Server::of(&format!("smtp://127.0.0.1:{}", office.port)).expect("an address");
        let patience = Patience { answer: Duration::from_millis(700), end: Duration::from_millis(700) };
        Smtp::new(server, patience, Arc::new(Pace::new(Rates::NONE)))
    }

    fn mail(to: &[&str], text: &str) -> Outgoing {
        Outgoing {
            key: SendKey { journey: "cart/ada/1".into(), node: "mail-1".into(), pass: 1 },
            contact: "ada".into(),
            payload: Payload::Mail {
                from: "shop@shop.example".into(),
                to: to.iter().map(|to| (*to).to_owned()).collect(),
                bytes: text.as_bytes().to_vec(),
            },
        }
    }

    fn word(handed: &Handed) -> String {
        match handed {
            Handed::Done => "done".into(),
            Handed::Later { .. } => "later".into(),
            Handed::Ours { .. } => "ours".into(),
            Handed::NotYet { .. } => "not yet".into(),
            Handed::No { bad_address: false, .. } => "no".into(),
            Handed::No { bad_address: true, .. } => "bad address".into(),
            Handed::Unknown { .. } => "unknown".into(),
            Handed::Held { detail, .. } => format!("held {detail}"),
        }
    }

    /// One mail by a server that says something else at a command: what is said of it, and how many mails it has got.
    #[track_caller]
    fn check(at: &'static str, say: Say, expected: &str, num_got: usize) {
        for hello in [Say::Fine, Say::Line(PIPELINES)] {
            let office = PostOffice::open(move |heard: &Heard| match heard.command.as_str() {
                command if command == at || (!at.is_empty() && at != "." && command.starts_with(at)) => say,
                command if command.starts_with("EHLO") => hello,
                _ => Say::Fine,
            });
            let handed = way(&office).hand_over(&mail(&["ada@a.example"], "Subject: x\r\n\r\nHello\r\n"));
            assert_eq!(word(&handed), expected, "{hello:?} {at:?} {say:?}: {handed:?}");
            // The server notes a mail just after its last line; ours may be quicker than that.
            std::thread::sleep(Duration::from_millis(20));
            let got = office.got().into_iter().filter(|got| !got.to.is_empty()).count();
            assert_eq!(got, num_got, "{hello:?} {at:?} {say:?}");
        }
    }

    const PIPELINES: &str = "250-test\r\n250-SIZE 1000000\r\n250 PIPELINING";

    #[test]
    fn a_server_that_allows_it_hears_who_gets_a_mail_in_one_go() {
        for (hello, is_group) in [("250 test", false), (PIPELINES, true)] {
            let office = PostOffice::open(move |heard: &Heard| match heard.command.as_str() {
                command if command.starts_with("EHLO") => Say::Line(hello),
                command if command.contains("nobody@") => Say::Line("550 5.1.1 nobody"),
                _ => Say::Fine,
            });
            let way = way(&office);
            let three = ["ada@a.example", "nobody@a.example", "bob@b.example"];
            assert_eq!(word(&way.hand_over(&mail(&three, "Hello\r\n"))), "done", "{hello}");
            assert_eq!(word(&way.hand_over(&mail(&["nobody@a.example"], "Hello\r\n"))), "bad address", "{hello}");
            assert_eq!(word(&way.hand_over(&mail(&["ada@a.example"], "Hello\r\n"))), "done", "{hello}");
            assert_eq!(office.connections(), 1, "{hello}");
            std::thread::sleep(Duration::from_millis(20));
            let got: Vec<Vec<String>> =
                office.got().into_iter().map(|got| got.to).filter(|to| !to.is_empty()).collect();
            assert_eq!(got, [vec!["<ada@a.example>", "<bob@b.example>"], vec!["<ada@a.example>"]], "{hello}");
            let ahead = |word: &str| {
                office.heard().iter().filter(|h| h.command.starts_with(word)).all(|h| h.is_ahead == is_group)
            };
            assert!(ahead("RCPT") && ahead("DATA"), "{hello}: {:?}", office.heard());
        }
    }

    #[test]
    fn the_place_of_a_fault_decides() {
        check("nothing", Say::Fine, "done", 1);
        // No way to the server.
        check("", Say::Cut, "later", 0);
        check("", Say::Line("554 go away"), "ours", 0);
        check("", Say::Nothing(2_000), "later", 0);
        check("EHLO", Say::Line("421 too many"), "later", 0);
        // Before the mail.
        check("MAIL", Say::Line("451 not now"), "later", 0);
        check("MAIL", Say::Line("550 5.7.1 not you"), "ours", 0);
        check("MAIL", Say::Line("530 5.7.0 who are you"), "ours", 0);
        check("MAIL", Say::Cut, "later", 0);
        check("RCPT", Say::Line("450 4.2.1 too fast"), "later", 0);
        check("RCPT", Say::Line("550 5.1.1 nobody"), "bad address", 0);
        check("RCPT", Say::Line("550 5.7.1 relaying denied"), "ours", 0);
        check("RCPT", Say::Line("550 5.7.1 blocked"), "no", 0);
        check("RCPT", Say::Nothing(2_000), "later", 0);
        check("RCPT", Say::Cut, "later", 0);
        check("DATA", Say::Line("451 not now"), "later", 0);
        check("DATA", Say::Line("554 never"), "no", 0);
        check("DATA", Say::Cut, "later", 0);
        // After the last line only an answer counts.
        check(".", Say::Line("250 kept"), "done", 1);
        check(".", Say::Slowly(300, "250 kept"), "done", 1);
        check(".", Say::Line("451 not now"), "later", 1);
        check(".", Say::Line("421 going down"), "later", 1);
        check(".", Say::Line("550 5.7.1 spam"), "no", 1);
        check(".", Say::Line("550 5.1.1 nobody"), "bad address", 1);
        check(".", Say::Cut, "unknown", 1);
        check(".", Say::Half("25"), "unknown", 1);
        check(".", Say::Half("250 ke"), "unknown", 1);
        check(".", Say::Line("what?"), "unknown", 1);
        check(".", Say::Nothing(2_000), "unknown", 1);
    }

    /// A relay that refuses us, or a sender it does not know, is one flow's or one domain's: the others go on.
    #[test]
    fn what_is_set_wrongly_keeps_nobody_else() {
        for (at, answer) in [("RCPT", "554 5.7.1 <ada@a.example>: Relay access denied"), ("MAIL", "553 not owned")] {
            let office = PostOffice::open(move |heard: &Heard| match heard.command.as_str() {
                command if command.starts_with(at) => Say::Line(answer),
                _ => Say::Fine,
            });
            let way = way(&office);
            let handed = way.hand_over(&mail(&["ada@a.example"], "x"));
            let Handed::Ours { detail, .. } = &handed else { panic!("{handed:?}") };
            let named = ["127.0.0.1", answer.split_once(' ').expect("a code").1, "--mail"];
            assert!(named.iter().all(|named| detail.contains(named)), "{detail}");
            assert_eq!(way.pace.take(&Lane::of_address("x@y.example")), Ok(()), "{answer}");
        }
    }

    #[test]
    fn a_line_that_breaks_inside_the_mail_is_no_hand_over() {
        // The server says "go on" and hangs up; a large mail does not fit into the line's own buffers.
        let office =
            PostOffice::open(|heard| if heard.command == "DATA" { Say::Half("354 go on\r\n") } else { Say::Fine });
        let large = "x".repeat(998) + "\r\n";
        let handed = way(&office).hand_over(&mail(&["ada@a.example"], &large.repeat(20_000)));
        assert_eq!(word(&handed), "later", "{handed:?}");
        assert_eq!(office.got(), []);
    }

    #[test]
    fn connections_are_used_again_and_replaced_when_they_die() {
        let office = PostOffice::open(|heard| match (heard.connection, heard.mail, heard.command.as_str()) {
            (1, 3, command) if command.starts_with("MAIL") => Say::Cut,
            (2, _, ".") if heard.mail == 5 => Say::Line("550 5.7.1 spam"),
            _ => Say::Fine,
        });
        let way = way(&office);
        let said: Vec<String> =
            (0..5).map(|_| word(&way.hand_over(&mail(&["ada@a.example"], "x\r\n.\r\n..y\r\n")))).collect();
        assert_eq!(said, ["done", "done", "done", "no", "done"]);
        assert_eq!(office.connections(), 2);
        let got = office.got();
        assert_eq!(got.len(), 5, "the third came once, over the second connection");
        assert!(got.iter().all(|got| got.text == "x\r\n.\r\n..y\r\n\r\n" && got.to == ["<ada@a.example>"]), "{got:?}");
        way.close();
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(office.heard().iter().filter(|heard| heard.command == "QUIT").count(), 1);
    }

    /// That a kept connection was closed meanwhile keeps nobody else waiting.
    #[test]
    fn a_kept_connection_that_died_is_no_missing_way() {
        let office = PostOffice::open(|heard| match (heard.connection, heard.mail, heard.command.as_str()) {
            (1, 2, command) if command.starts_with("MAIL") => Say::Cut,
            (2, _, command) if command.starts_with("RCPT") => Say::Line("550 5.1.1 nobody"),
            _ => Say::Fine,
        });
        let way = way(&office);
        assert_eq!(word(&way.hand_over(&mail(&["ada@a.example"], "x"))), "done");
        assert_eq!(word(&way.hand_over(&mail(&["ada@a.example"], "x"))), "bad address");
        assert_eq!(office.connections(), 2);
        assert_eq!(way.pace.take(&Lane::of_address("x@y.example")), Ok(()));
    }

    #[test]
    fn a_refusal_leaves_the_connection_in_order() {
        let office = PostOffice::open(|heard| match heard.command.as_str() {
            command if command.contains("nobody@") => Say::Line("550 5.1.1 nobody"),
            _ => Say::Fine,
        });
        let way = way(&office);
        assert_eq!(word(&way.hand_over(&mail(&["nobody@a.example"], "x"))), "bad address");
        assert_eq!(word(&way.hand_over(&mail(&["ada@a.example"], "x"))), "done");
        assert_eq!(word(&way.hand_over(&mail(&["nobody@a.example", "team@a.example"], "x"))), "done");
        assert_eq!(office.connections(), 1);
        assert_eq!(office.got()[1].to, ["<team@a.example>"]);
        assert_eq!(word(&way.hand_over(&mail(&["no address"], "x"))), "bad address");
        let strange = word(&way.hand_over(&mail(&["\u{fc}@a.example"], "x")));
        assert_eq!(strange, "no", "a server without SMTPUTF8");
    }

    #[test]
    fn a_password_is_said_only_as_it_should_be() {
        let login = |query: &str, ehlo: &'static str, auth: &'static str| {
            let office = PostOffice::open(move |heard| match heard.command.as_str() {
                command if command.starts_with("EHLO") => Say::Line(ehlo),
                command if command.starts_with("AUTH") => Say::Line(auth),
                _ => Say::Fine,
            });
            let mut way = way(&office);
            let address = format!("smtp://ada:hunter2@127.0.0.1:{}{query}", office.port);
            way.server = Server::of(&address).expect("an address");
            let handed = way.hand_over(&mail(&["ada@a.example"], "x"));
            assert!(!format!("{handed:?} {way:?}").contains("hunter2"));
            let auths = office.heard().iter().filter(|heard| heard.command.starts_with("AUTH")).count();
            (word(&handed), auths)
        };
        let offers = "250-test\r\n250 AUTH PLAIN LOGIN";
        assert_eq!(login("", offers, "235 welcome"), ("done".to_owned(), 1));
        assert_eq!(login("", offers, "535 5.7.8 no"), ("ours".to_owned(), 1), "nothing is lost for a wrong password");
        assert_eq!(login("?tls=required", offers, "235 welcome"), ("later".to_owned(), 0), "the line is open");
        assert_eq!(login("", "250 test", "235 welcome"), ("later".to_owned(), 0), "there is no login");
    }

    #[test]
    fn nobody_listens() {
        let office = PostOffice::open(|_| Say::Fine);
        let mut way = way(&office);
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = closed.local_addr().expect("an address").port();
        drop(closed);
        way.server = Server::of(&format!("smtp://127.0.0.1:{port}")).expect("an address");
        assert_eq!(word(&way.hand_over(&mail(&["ada@a.example"], "x"))), "later");
        assert!(way.pace.take(&Lane::of_address("x@y.example")).is_err(), "all mails wait a little");
    }
}
