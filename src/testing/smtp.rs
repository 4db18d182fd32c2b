//! A small SMTP server on loopback: it says what a scene wants it to say and notes all it is told.

#![allow(clippy::expect_used, reason = "a test that cannot run should say so at once")]

use std::{
    io::{BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// What a server answers to a command that begins with a word, instead of "250 fine".
pub type Scene = &'static [(&'static str, &'static str)];

/// A server for one connection on this machine: its port, and what it was told when it ends.
///
/// # Panics
///
/// Where there is no port or no thread.
pub fn server(scene: Scene) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let work = move || {
        let mut told = Vec::new();
        let Ok((stream, _)) = listener.accept() else { return told };
        talk(&stream, scene, &mut told);
        told
    };
    (port, thread::Builder::new().name("smtp".into()).spawn(work).expect("a thread"))
}

fn talk(mut stream: &TcpStream, scene: Scene, told: &mut Vec<String>) {
    let mut lines = BufReader::new(stream);
    let mut in_data = false;
    let _ = stream.write_all(b"220 test\r\n");
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|n| n > 0) {
        let command = line.trim_end().to_owned();
        line.clear();
        told.push(command.clone());
        let answer = if in_data {
            if command != "." {
                continue;
            }
            in_data = false;
            "250 kept"
        } else {
            in_data = command == "DATA";
            let planned = scene.iter().find(|(word, _)| command.starts_with(word)).map(|(_, answer)| *answer);
            planned.unwrap_or(if in_data { "354 go on" } else { "250 fine" })
        };
        let _ = stream.write_all(format!("{answer}\r\n").as_bytes());
        if command == "QUIT" {
            return;
        }
    }
}

/// What a [`PostOffice`] does at one command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Say {
    /// What any server would: 250, or 354 to DATA.
    Fine,
    /// This line.
    Line(&'static str),
    /// This line, after so many milliseconds.
    Slowly(u64, &'static str),
    /// Part of a line, then no connection any more.
    Half(&'static str),
    /// No connection any more.
    Cut,
    /// Nothing, for so many milliseconds; then no connection any more.
    Nothing(u64),
}

/// A command as a server hears it. The greeting is the command "", a mail's last line is ".".
#[derive(Clone, Debug)]
pub struct Heard {
    /// Nth connection, from 1.
    pub connection: usize,
    /// Nth mail of all, from 1: how many MAIL commands came so far.
    pub mail: usize,
    /// The line.
    pub command: String,
    /// Whether it was there before the command before it was answered.
    pub is_ahead: bool,
}

/// A mail that a server got in full: its last line was read, whatever was said to it then.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Got {
    /// MAIL FROM, in angle brackets.
    pub from: String,
    /// RCPT TO that were taken, in angle brackets.
    pub to: Vec<String>,
    /// The lines, dots in front taken off.
    pub text: String,
}

/// A mail server for any number of connections on this machine, which plays a part.
#[derive(Debug)]
pub struct PostOffice {
    /// Its port.
    pub port: u16,
    got: Arc<Mutex<Vec<Got>>>,
    heard: Arc<Mutex<Vec<Heard>>>,
    connections: Arc<AtomicUsize>,
}

type Part = Arc<dyn Fn(&Heard) -> Say + Send + Sync>;

impl PostOffice {
    /// A server that asks `part` what to do at each command.
    ///
    /// # Panics
    ///
    /// Where there is no port or no thread.
    pub fn open(part: impl Fn(&Heard) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let office = Self { port, got: Arc::default(), heard: Arc::default(), connections: Arc::default() };
        let part: Part = Arc::new(part);
        let (got, heard, connections) = (office.got.clone(), office.heard.clone(), office.connections.clone());
        // Ends with the test's process.
        let work = move || {
            for stream in listener.incoming().flatten() {
                let connection = connections.fetch_add(1, Ordering::SeqCst) + 1;
                let (part, got, heard) = (part.clone(), got.clone(), heard.clone());
                let talk = move || serve(&stream, connection, &part, &got, &heard);
                let _ = thread::Builder::new().name("smtp talk".into()).spawn(talk);
            }
        };
        thread::Builder::new().name("smtp office".into()).spawn(work).expect("a thread");
        office
    }

    /// Mails that came in full.
    pub fn got(&self) -> Vec<Got> {
        locked(&self.got).clone()
    }

    /// Commands, in the order of their coming.
    pub fn heard(&self) -> Vec<Heard> {
        locked(&self.heard).clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: &TcpStream, connection: usize, part: &Part, got: &Mutex<Vec<Got>>, heard: &Mutex<Vec<Heard>>) {
    let mut lines = BufReader::new(stream);
    let (mut in_data, mut current) = (false, Got::default());
    let (mut command, mut is_ahead) = (String::new(), false);
    loop {
        let told = {
            let mut heard = locked(heard);
            let before = heard.iter().filter(|told| told.command.starts_with("MAIL")).count();
            let mail = before + usize::from(command.starts_with("MAIL"));
            let told = Heard { connection, mail, command: command.clone(), is_ahead };
            heard.push(told.clone());
            told
        };
        let fine = match command.as_str() {
            "" => "220 test",
            "DATA" => "354 go on",
            _ => "250 fine",
        };
        let line = match part(&told) {
            Say::Fine => fine,
            Say::Line(line) => line,
            Say::Slowly(millis, line) => {
                thread::sleep(Duration::from_millis(millis));
                line
            }
            Say::Half(line) => {
                let _ = stream.write_all(line.as_bytes());
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
            Say::Nothing(millis) => {
                thread::sleep(Duration::from_millis(millis));
                return;
            }
            Say::Cut => {
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
        };
        let is_good = line.starts_with(['2', '3']);
        let after = |word: &str| command.get(word.len()..).unwrap_or("").split(' ').next().unwrap_or("").to_owned();
        if command.starts_with("MAIL FROM:") {
            current = Got { from: after("MAIL FROM:"), ..Got::default() };
        } else if command.starts_with("RCPT TO:") && is_good {
            current.to.push(after("RCPT TO:"));
        }
        in_data |= command == "DATA" && is_good;
        if stream.write_all(format!("{line}\r\n").as_bytes()).is_err() || command == "QUIT" {
            return;
        }
        if in_data {
            let mut line = String::new();
            loop {
                line.clear();
                if !lines.read_line(&mut line).is_ok_and(|n| n > 0) {
                    return;
                }
                if line.trim_end() == "." {
                    break;
                }
                current.text.push_str(line.strip_prefix('.').unwrap_or(&line));
            }
            in_data = false;
            locked(got).push(std::mem::take(&mut current));
            (command, is_ahead) = (".".to_owned(), false);
            continue;
        }
        command.clear();
        is_ahead = !lines.buffer().is_empty();
        if !lines.read_line(&mut command).is_ok_and(|n| n > 0) {
            return;
        }
        command.truncate(command.trim_end().len());
    }
}
