//! The run page's machine with a real engine: the program as a process of its own, over loopback.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver},
    },
    time::Duration,
};

use flowloom::{
    app::run::{Answered, Ask, FOLDER, StartJob, Task, Told, mail::SentMail, options::Options},
    engine::work::Order,
    gui::requests::run::{Engines, LOG, Tell},
};

/// How long anything here may take. Source: assumption; a machine with much to do starts a program in seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Engines as a window has them, and what they tell.
struct Hands {
    engines: Engines,
    tell: Tell,
    told: Receiver<Told>,
    num_asked: u64,
    data: PathBuf,
}

impl Hands {
    fn new(data: PathBuf) -> Self {
        let (send, told) = mpsc::channel();
        let send = Mutex::new(send);
        let tell: Tell = Arc::new(move |told| _ = send.lock().expect("no panic").send(told));
        let program = PathBuf::from(env!("CARGO_BIN_EXE_flowloom"));
        Self { engines: Engines::with(Ok(program)), tell, told, num_asked: 0, data }
    }

    fn perform(&mut self, task: Task) {
        self.engines.perform(task, &self.tell);
    }

    /// The first thing told that is wanted.
    fn wait<T>(&self, what: &str, mut wanted: impl FnMut(Told) -> Option<T>) -> T {
        loop {
            let told = self.told.recv_timeout(PATIENCE);
            if let Some(found) = wanted(told.unwrap_or_else(|error| panic!("{what}: {error}"))) {
                return found;
            }
        }
    }

    fn ask(&mut self, ask: Ask) -> Answered {
        self.num_asked += 1;
        let (id, data) = (self.num_asked, self.data.clone());
        self.perform(Task::Ask { data, id, ask });
        self.wait("an answer", |told| match told {
            Told::Answered { id: of, answer, .. } if of == id => Some(answer),
            _ => None,
        })
    }
}

/// Posts JSON, as a shop does.
fn post(address: &str, path: &str, body: &str) -> String {
    let host = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("it listens");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: \
         close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

fn job(folder: &Path, listen: &str) -> StartJob {
    StartJob {
        data: folder.join(FOLDER),
        flow: folder.join("watch-shop.flow.ron"),
        mail: None,
        public: None,
        listen: listen.to_owned(),
        time_scale: 1.0,
        // As the form gives them, the program takes them.
        options: Options {
            watch: folder.join("in").display().to_string(),
            sms: "http://127.0.0.1:9/sms".into(),
            sms_headers: "X-One: 1\nX-Two: 2".into(),
            calls: true,
            track_opens: true,
            track_clicks: true,
            ..Options::default()
        },
    }
}

#[test]
fn an_engine_is_started_asked_and_stopped_from_the_window() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_flows/watch-shop");
    for name in ["watch-shop.flow.ron", "flowloom.ron"] {
        fs::copy(sample.join(name), folder.path().join(name)).expect("copied");
    }
    let data = folder.path().join(FOLDER);
    let mut hands = Hands::new(data.clone());

    // A port that somebody has is said in the engine's own words.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().expect("an address").to_string();
    hands.perform(Task::Start(job(folder.path(), &listen)));
    let refusal = hands.wait("a refusal", |told| match told {
        Told::NotStarted { refusal, .. } => Some(refusal),
        _ => None,
    });
    assert!(refusal.error.contains(&listen) && !refusal.hint.is_empty(), "{refusal:?}");

    hands.perform(Task::Start(job(folder.path(), "127.0.0.1:0")));
    let address = hands.wait("a start", |told| match told {
        Told::Running { address, has_process: true, status, .. } => {
            assert_eq!(status.flows.len(), 1);
            Some(address)
        }
        Told::NotStarted { refusal, .. } => panic!("{refusal:?}"),
        _ => None,
    });
    assert_eq!(fs::read_to_string(data.join(".gitignore")).expect("there").lines().last(), Some("*"));
    assert!(folder.path().join("in/done").is_dir(), "the folder is watched");
    hands.perform(Task::Start(job(folder.path(), "127.0.0.1:0")));
    hands.wait("a second start", |told| match told {
        Told::NotStarted { refusal, .. } => refusal.error.contains("runs in this folder already").then_some(()),
        _ => None,
    });

    hands.perform(Task::Watch(Some(data.clone())));
    hands.wait("its log", |told| match told {
        Told::Log { lines, .. } => lines.iter().any(|line| line.contains("Listening on")).then_some(()),
        _ => None,
    });
    let contact = r#"{"id":"ada","email":"ada@example.com","consent":{"email":"subscribed"}}"#;
    assert!(post(&address, "/v1/contacts", contact).contains("202 Accepted"));
    let event = r#"{"id":"e1","contact":"ada","name":"Checkout Expired","properties":{"cart_id":"c1","item_count":1}}"#;
    assert!(post(&address, "/v1/events", event).contains("202 Accepted"));
    let Answered::Search(Ok(found)) = hands.ask(Ask::Search("ad".into())) else { panic!() };
    assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["ada"]);
    // Somebody stands at the wait once the mail has left.
    let here = |told| match told {
        Told::Running { status, .. } => {
            let nodes = &status.flows[0].nodes;
            let sent = nodes.get("mail-1").map_or(0, |node| node.sent);
            (sent == 1).then(|| nodes.get("wait-4h").map_or(0, |node| node.here))
        }
        _ => None,
    };
    assert_eq!(hands.wait("a mail", here), 1);
    let Answered::Contact(Ok(Some(view))) = hands.ask(Ask::Contact("ada".into())) else { panic!() };
    let key = view.sends[0].key.clone();
    let Answered::Mail(_, Ok(Some(mail))) = hands.ask(Ask::Mail(key)) else { panic!("the mail is kept") };
    let mail = SentMail::open(&mail).expect("a mail");
    assert_eq!(mail.to, "ada@example.com");
    assert!(mail.made.mail.html.contains("<html"), "as it was sent");
    let journey = view.journeys[0].id.clone();
    let end = Order::End { contact: "ada".into(), journey };
    let Answered::Order(Ok(_)) = hands.ask(Ask::Order(Box::new(end))) else { panic!() };
    let Answered::Contact(Ok(Some(view))) = hands.ask(Ask::Contact("ada".into())) else { panic!() };
    assert!(view.journeys[0].ended.is_some());
    assert!(view.audit.iter().any(|(_, who, _)| who == "studio"), "{:?}", view.audit);

    hands.perform(Task::Stop(data.clone()));
    let (mut rests, mut ended) = (false, false);
    while !(rests && ended) {
        hands.wait("its end", |told| match told {
            Told::Resting { status, .. } => {
                rests |= status.is_some();
                Some(())
            }
            Told::Ended { fault, .. } => {
                assert_eq!(fault, None, "it was asked to");
                ended = true;
                Some(())
            }
            _ => None,
        });
    }
    let log = fs::read_to_string(data.join(LOG)).expect("a log");
    assert!(log.contains("Stopping") && !log.contains("/v1/status"), "{log}");
    let Answered::Search(Ok(found)) = hands.ask(Ask::Search(String::new())) else { panic!() };
    assert_eq!(found.len(), 1, "an engine that rests can be looked at");
    let Answered::Order(Err(_)) = hands.ask(Ask::Order(Box::new(Order::Drain { flow: "watch-shop".into() }))) else {
        panic!("and takes no orders from here")
    };

    // It starts again where it was: who was in is there, what left does not leave again, what comes is taken.
    hands.perform(Task::Start(job(folder.path(), "127.0.0.1:0")));
    let address = hands.wait("a start after the stop", |told| match told {
        Told::Running { address, has_process: true, status, .. } => {
            assert_eq!(status.flows[0].nodes.get("mail-1").map(|node| node.sent), Some(1), "{status:?}");
            Some(address)
        }
        Told::NotStarted { refusal, .. } => panic!("{refusal:?}"),
        _ => None,
    });
    let again = event.replace("\"ada\"", "\"ben\"");
    assert!(post(&address, "/v1/contacts", &contact.replace("ada", "ben")).contains("202 Accepted"));
    assert!(post(&address, "/v1/events", event).contains("202 Accepted"), "a doubled one is taken, and known");
    assert!(post(&address, "/v1/events", &again).contains("202 Accepted"));
    hands.wait("a second mail", |told| match told {
        Told::Running { status, .. } => {
            let sent = status.flows[0].nodes.get("mail-1").map_or(0, |node| node.sent);
            assert!(sent <= 2, "{status:?}");
            (sent == 2).then_some(())
        }
        _ => None,
    });
    hands.perform(Task::Stop(data));
    hands.wait("its second end", |told| match told {
        Told::Ended { fault, .. } => {
            assert_eq!(fault, None);
            Some(())
        }
        _ => None,
    });
}
