//! A small SMTP server on loopback: it says what a scene wants it to say and notes all it is told.

#![allow(clippy::expect_used, reason = "a test that cannot run should say so at once")]

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
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
