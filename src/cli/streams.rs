//! Standard output for answers, standard error for people; neither can make the program panic.
//!
//! The one idea: a closed pipe (`flowloom simulate … | head`) is no fault and says nothing; any other fault of standard
//! output (a full disk) is told once at the end and gives exit code 2.

use std::{
    collections::BTreeSet,
    io::{self, BufWriter, IsTerminal, Write},
};

/// Where a command speaks.
pub struct Streams {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    fault: Option<io::Error>,
    told: BTreeSet<String>,
    /// Standard error is a terminal, so that progress may be drawn.
    pub interactive: bool,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl Streams {
    /// The streams of the process.
    pub fn standard() -> Self {
        let interactive = io::stderr().is_terminal();
        Self { interactive, ..Self::new(Box::new(BufWriter::new(io::stdout())), Box::new(io::stderr())) }
    }

    /// Any two writers, for tests.
    pub fn new(out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        Self { out, err, fault: None, told: BTreeSet::new(), interactive: false }
    }

    /// Says an answer on standard output.
    pub fn say(&mut self, text: &str) {
        self.say_bytes(text.as_bytes());
    }

    /// Says bytes on standard output as they are.
    pub fn say_bytes(&mut self, bytes: &[u8]) {
        if self.fault.is_none()
            && let Err(error) = self.out.write_all(bytes)
        {
            self.fault = Some(error);
        }
    }

    /// Says one JSON object on standard output, readable, with a line break at the end.
    pub fn say_json(&mut self, value: &impl serde::Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => {
                self.say(&text);
                self.say("\n");
            }
            Err(error) => self.fault = Some(io::Error::other(error)),
        }
    }

    /// Tells people something on standard error, after all that was said before. A closed one is nobody's loss.
    pub fn tell(&mut self, text: &str) {
        if self.fault.is_none() {
            self.fault = self.out.flush().err();
        }
        let _ = self.err.write_all(text.as_bytes());
    }

    /// Asks people something that is about what was said before; whether that arrived.
    pub fn ask(&mut self, question: &str) -> bool {
        self.tell(question);
        self.fault.is_none()
    }

    /// Tells people something that several commands of one run may find, such as the tour's.
    pub fn tell_once(&mut self, text: &str) {
        if self.told.insert(text.to_owned()) {
            self.tell(text);
        }
    }

    /// Says text to people: on standard output, or on standard error where that belongs to a JSON object.
    pub fn to_people(&mut self, format: super::Format, text: &str) {
        match format {
            super::Format::Text => self.say(text),
            super::Format::Json => self.tell(text),
        }
    }

    /// Flushes; gives the exit code, which is 2 where standard output could not be written.
    pub fn finish(mut self, exit_code: u8) -> u8 {
        let fault = self.fault.take().or_else(|| self.out.flush().err());
        match fault {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.tell(&format!("error: standard output cannot be written: {error}\n"));
                2
            }
            _ => exit_code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both streams of a terminal.
    #[derive(Clone, Default)]
    struct Screen(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_question_stands_below_what_it_is_about() {
        let screen = Screen::default();
        let mut streams = Streams::new(Box::new(BufWriter::new(screen.clone())), Box::new(screen.clone()));
        streams.say("a list\n");
        assert!(streams.ask("all of it? "));
        assert_eq!(screen.0.borrow().as_slice(), b"a list\nall of it? ");
        let mut broken = Streams::new(Box::new(Faulty(io::ErrorKind::StorageFull)), Box::new(screen));
        broken.say("a list\n");
        assert!(!broken.ask("all of it? "), "nobody saw the list");
    }

    struct Faulty(io::ErrorKind);

    impl Write for Faulty {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_fault_and_a_full_disk_is() {
        for (kind, expected) in [(io::ErrorKind::BrokenPipe, 0), (io::ErrorKind::StorageFull, 2)] {
            let mut streams = Streams::new(Box::new(Faulty(kind)), Box::new(io::sink()));
            streams.say("x");
            assert_eq!(streams.finish(0), expected, "{kind:?}");
        }
    }
}
