//! A small client that can also misbehave.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value as Json;

/// What the server said.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("connects");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    stream
}

/// The head of a request with a body of this length.
pub(super) fn head(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head += &format!("host: {address}\r\n");
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head + &format!("content-length: {length}\r\nconnection: close\r\n\r\n")
}

pub(super) fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = connect(address);
    stream.write_all(head(address, method, path, headers, body.len()).as_bytes()).expect("writes");
    // A server that has heard enough closes; what it said is read all the same.
    let _ = stream.write_all(body);
    answer(&mut stream)
}

/// Everything that comes until the connection is closed.
pub(super) fn answer(stream: &mut TcpStream) -> Answer {
    read(stream, |_| false)
}

/// One answer over a connection that may stay open; its body is short and comes with its head.
pub(super) fn one(stream: &mut TcpStream) -> Answer {
    read(stream, |all| all.windows(4).any(|four| four == b"\r\n\r\n"))
}

fn read(stream: &mut TcpStream, is_enough: impl Fn(&[u8]) -> bool) -> Answer {
    let mut all = Vec::new();
    let mut chunk = [0; 16_384];
    while !is_enough(&all) {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(n) => all.extend_from_slice(&chunk[..n]),
        }
    }
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(all.len());
    let head = String::from_utf8_lossy(&all[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    Answer { status, head, body: all.get(end + 4..).unwrap_or(&[]).to_vec() }
}
