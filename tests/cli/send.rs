//! Test mails over the wire and into a folder, read back by a mail parser.
//!
//! The one idea: a mail goes to `--to` alone, whoever the contact is.

use std::{fs, net::TcpListener, path::Path};

use flowloom::testing::smtp::{Scene, server};
use mail_parser::{MessageParser, MimeHeaders};

use super::{WATCH, check, mailed, samples};

fn send(folder: &Path, mail: &str, code: i32, wanted: &[&str]) -> super::Said {
    let (contact, _) = mailed(folder);
    let args =
        ["send-test", WATCH, "--message", "mail-1", "--contact", &contact, "--to", "me@agency.example", "--mail", mail];
    check(folder, &args, code, wanted)
}

#[track_caller]
fn check_mail(bytes: &[u8], contact: &str) {
    let mail = MessageParser::default().parse(bytes).expect("a mail");
    let subject = mail.subject().expect("a subject");
    assert!(subject.starts_with("[Test] ") && subject.len() > 10, "{subject}");
    let to: Vec<&str> = mail.to().expect("to").iter().filter_map(|address| address.address()).collect();
    assert_eq!(to, ["me@agency.example"]);
    assert!(mail.cc().is_none() && mail.bcc().is_none());
    let from = mail.from().and_then(|from| from.first()).and_then(|from| from.address());
    assert_eq!(from, Some("hello@meridian-watches.example"));
    let header = |name: &str| mail.header_raw(name).map(|value| value.trim().to_owned()).unwrap_or_default();
    assert_eq!(header("List-Unsubscribe"), "<https://example.com/unsubscribe>");
    assert_eq!(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert!(mail.message_id().is_some_and(|id| id.ends_with("@meridian-watches.example")), "{:?}", mail.message_id());
    assert!(mail.date().is_some());
    let kind = mail.content_type().expect("a kind");
    assert_eq!((kind.ctype(), kind.subtype()), ("multipart", Some("alternative")));
    let parts: Vec<&str> =
        mail.parts.iter().skip(1).filter_map(|part| part.content_type().and_then(|kind| kind.subtype())).collect();
    assert_eq!(parts, ["plain", "html"], "text comes first");
    let (text, html) = (mail.body_text(0).expect("text"), mail.body_html(0).expect("HTML"));
    assert!(text.contains("Unsubscribe: https://example.com/unsubscribe"), "{text}");
    assert!(html.contains("</html>") && html.contains("Meridian Watches"), "{html}");
    let address = format!("{contact}@example.com");
    assert!(!String::from_utf8_lossy(bytes).contains(&address), "the contact's own address is nowhere");
}

#[test]
fn a_folder_gets_a_mail_that_programs_open() {
    let folder = samples();
    let (contact, _) = mailed(folder.path());
    send(folder.path(), "outbox", 0, &["Wrote", "[Test]"]);
    let files: Vec<_> =
        fs::read_dir(folder.path().join("outbox")).expect("made").map(|e| e.expect("a file").path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let bytes = fs::read(&files[0]).expect("reads");
    check_mail(&bytes, &contact);
    // The same again is the same file, and nothing is written over unasked.
    send(folder.path(), "outbox", 1, &["--force"]);
    send(folder.path(), "again", 0, &[]);
    let again = fs::read(folder.path().join("again").join(files[0].file_name().expect("a name"))).expect("reads");
    assert_eq!(bytes, again);
}

#[test]
fn a_server_gets_it_for_one_address() {
    let folder = samples();
    let (contact, _) = mailed(folder.path());
    let (port, told) = server(&[]);
    send(folder.path(), &format!("smtp://127.0.0.1:{port}"), 0, &["Sent", "me@agency.example"]);
    let told = told.join().expect("ends");
    let said = |word: &str| told.iter().filter(|line| line.starts_with(word)).map(String::as_str).collect::<Vec<_>>();
    assert_eq!(said("RCPT TO"), ["RCPT TO:<me@agency.example>"]);
    assert_eq!(said("MAIL FROM"), ["MAIL FROM:<hello@meridian-watches.example>"]);
    let start = told.iter().position(|line| line == "DATA").expect("data") + 1;
    let end = told.iter().position(|line| line == ".").expect("an end");
    let lines = told[start..end].iter().map(|line| line.strip_prefix('.').unwrap_or(line));
    check_mail(lines.collect::<Vec<_>>().join("\r\n").as_bytes(), &contact);
}

#[test]
fn what_a_server_refuses_is_said() {
    const NO_LOGIN: Scene = &[("EHLO", "250-test\r\n250 AUTH PLAIN LOGIN"), ("AUTH", "535 5.7.8 no such user")];
    let folder = samples();
    let scenes: [(Scene, &str, &str); 4] = [
        (&[("RCPT", "550 5.1.1 no such mailbox")], "", "no such mailbox"),
        (&[("MAIL", "451 4.7.1 try later")], "", "now: "),
        (NO_LOGIN, "ada:secret@", "user and password"),
        (&[("EHLO", "250 test")], "ada:secret@", "how to talk"),
    ];
    for (scene, user, wanted) in scenes {
        let (port, told) = server(scene);
        let said = send(folder.path(), &format!("smtp://{user}127.0.0.1:{port}"), 1, &[wanted, "hint:"]);
        assert!(!said.err.contains("secret") && !said.out.contains("secret"), "{said:?}");
        let told = told.join().expect("ends");
        assert!(!told.iter().any(|line| line == "DATA"), "{told:?}");
    }
    // Nobody listens, no safe connection, no such name.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    send(folder.path(), &format!("smtp://127.0.0.1:{free}"), 1, &["Nothing listens"]);
    let (port, told) = server(&[]);
    send(folder.path(), &format!("smtps://127.0.0.1:{port}"), 1, &["hint:"]);
    drop(told);
    send(folder.path(), "smtp://no-such-host.invalid:25", 1, &["cannot be reached"]);
}

#[test]
fn bad_usage_is_said_before_anything_is_read() {
    let folder = samples();
    let args = |to: &'static str, mail: &'static str| {
        ["send-test", WATCH, "--message", "mail-1", "--contact", "ada", "--to", to, "--mail", mail]
    };
    check(folder.path(), &args("nobody", "outbox"), 2, &["not an e-mail address", "name@example.com"]);
    check(folder.path(), &args("a@b.example", "http://x.example"), 2, &["no way to send mail"]);
    check(folder.path(), &args("a@b.example\nBcc: c@d.example", "outbox"), 2, &["not an e-mail address"]);
    let none = [
        "send-test",
        WATCH,
        "--message",
        "mail-1",
        "--contact",
        "nobody-at-all",
        "--to",
        "a@b.example",
        "--mail",
        "outbox",
    ];
    check(folder.path(), &none, 2, &["nobody-at-all"]);
    assert!(!folder.path().join("outbox").exists());
}
