//! Strangers: too large, too many, too slow, from elsewhere; starting and stopping.

use std::{
    io::{Read, Write},
    net::SocketAddr,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    http,
    stage::{SECRET, Stage},
};
use crate::engine::{
    client::Client,
    delivery::links::Purpose,
    intake::{
        door::Door,
        server::{Intake, Parts, Setup},
    },
};

#[test]
fn too_large_and_too_many() {
    let stage = Stage::with("", |setup| setup.limits.body_bytes = 1 << 20);
    let large = format!("{{\"contact\":\"ada\",\"name\":\"{}\"}}", "x".repeat(1 << 20));
    let said = stage.post_json("/v1/events", &large);
    assert_eq!(said.status, 413, "{}", said.text());
    let many = format!("[{}{{}}]", "{},".repeat(1_000));
    assert_eq!(stage.post_json("/v1/events", &many).status, 413);
    // Chunked, with no length said before.
    let mut stream = http::connect(stage.address());
    let head = "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("writes");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..40 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    assert_eq!(http::answer(&mut stream).status, 413);
    let heads = format!("GET /health HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let mut stream = http::connect(stage.address());
    let _ = stream.write_all(heads.as_bytes());
    assert!([431, 0].contains(&http::answer(&mut stream).status));
    assert_eq!(stage.num_events(), 0);
}

/// A client that sends a byte now and then is sent away, and does not hold up others.
#[test]
fn slow_clients() {
    let stage = Stage::with("", |setup| {
        setup.limits.head = Duration::from_millis(300);
        setup.limits.body = Duration::from_millis(300);
        setup.limits.connections = 4;
    });
    let mut slow: Vec<_> = (0..4).map(|_| http::connect(stage.address())).collect();
    for stream in &mut slow {
        stream.write_all(b"POST /v1/events HTTP/1.1\r\nhost: ").expect("writes");
    }
    let began = Instant::now();
    assert_eq!(stage.get("/health").status, 200, "a place at the door becomes free");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for stream in &mut slow {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!String::from_utf8_lossy(&rest).contains(" 200 "));
    }
    // The head at once, then nothing of the body.
    let mut stream = http::connect(stage.address());
    let head = http::head(stage.address(), "POST", "/v1/events", &[], 100);
    stream.write_all(format!("{head}{{").as_bytes()).expect("writes");
    let said = http::answer(&mut stream);
    assert_eq!(said.status, 408, "{said:?}");
    // A connection that says nothing more is closed, too.
    let mut idle = http::connect(stage.address());
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("writes");
    let began = Instant::now();
    assert_eq!(http::answer(&mut idle).status, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(stage.num_events(), 0);
}

/// Strangers are answered before they have sent anything that takes memory.
#[test]
fn strangers_are_sent_away_at_the_head() {
    let stage = Stage::with(&format!("{SECRET}\nshopify = {SECRET}"), |setup| {
        setup.limits.body = Duration::from_millis(300);
    });
    let ask = |path: &str, headers: &[(&str, &str)]| {
        let mut stream = http::connect(stage.address());
        let head = http::head(stage.address(), "POST", path, headers, 1 << 20);
        stream.write_all(head.as_bytes()).expect("writes");
        http::answer(&mut stream).status
    };
    let key = format!("Bearer {SECRET}");
    for (path, headers, status) in [
        ("/v1/events", &[][..], 401),
        ("/v1/contacts", &[("authorization", "Bearer not-the-secret-of-the-tests")], 401),
        ("/v1/orders", &[("authorization", key.as_str())], 401),
        ("/hooks/klaviyo", &[], 401),
        ("/hooks/shopify", &[], 401),
        ("/v1/events", &[("authorization", key.as_str())], 408),
        ("/v1/events", &[("x-flowloom-signature", "t=1,v1=00")], 408),
        ("/hooks/shopify", &[("x-shopify-hmac-sha256", "eA==")], 408),
    ] {
        assert_eq!(ask(path, headers), status, "{path} {headers:?}");
    }
}

/// Large bodies have room in all; small ones pass by them.
#[test]
fn bodies_take_room_together() {
    let stage = Stage::with("", |setup| setup.limits.all_bodies_bytes = 300 * 1_024);
    let large = format!("[{}]", " ".repeat(200 * 1_024));
    let mut first = http::connect(stage.address());
    let head = http::head(stage.address(), "POST", "/v1/events", &[], large.len() + 1);
    first.write_all(format!("{head}{large}").as_bytes()).expect("writes");
    let busy = (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        let said = stage.post_json("/v1/events", &large[..large.len() - 1].replace('[', "[ ").repeat(2)[..260 * 1_024]);
        said.status == 429 && said.header("retry-after").is_some()
    });
    assert!(busy, "there is room for one of them");
    assert_eq!(stage.post_json("/v1/events", r#"{"contact":"ada","name":"x"}"#).status, 202);
    first.write_all(b" ").expect("writes");
    assert_eq!(http::answer(&mut first).status, 202);
    assert_eq!(stage.post_json("/v1/events", &large).status, 202, "there is room again");
}

#[test]
fn few_connections_from_one_address() {
    let stage = Stage::with("", |setup| setup.limits.per_own = 2);
    let both = [http::connect(stage.address()), http::connect(stage.address())];
    let mut third = http::connect(stage.address());
    let _ = third.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert_eq!(http::answer(&mut third).status, 0, "it is closed unheard");
    drop(both);
    let free = (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        http::ask(stage.address(), "GET", "/health", &[], b"").status == 200
    });
    assert!(free, "their places are free again");
}

/// Who asks steadily over one connection is told by an answer that it was the last one; none is lost.
#[test]
fn an_old_connection_is_closed_with_a_word() {
    let stage = Stage::with("", |setup| setup.limits.connection = Duration::from_millis(300));
    let mut line = http::connect(stage.address());
    let mut num_answers = 0;
    loop {
        line.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("nobody closes it unsaid");
        let said = http::one(&mut line);
        assert_eq!(said.status, 200, "after {num_answers} answers");
        num_answers += 1;
        if said.header("connection").is_some_and(|word| word.eq_ignore_ascii_case("close")) {
            break;
        }
        assert!(num_answers < 200, "it stays open for ever");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(num_answers > 3, "{num_answers}");
    assert_eq!(http::answer(&mut line).status, 0, "and then it is closed");
}

/// An engine at the address that another one left behind is not asked for it.
#[test]
fn a_door_that_was_left_behind() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().expect("a folder");
    let door = |token: &str| {
        Door { address: stage.address(), token: token.into(), pid: None }.write(folder.path()).expect("writes");
        Client::of(folder.path()).expect("a client").is_some()
    };
    assert!(door(super::stage::ADMIN));
    assert!(!door(&"0".repeat(64)));
    let bearer = [("authorization", "Bearer 0000000000000000")];
    let said = stage.ask("POST", "/v1/events", &bearer, br#"{"contact":"ada","name":"x"}"#);
    assert_eq!((said.status, stage.num_events()), (401, 0));
}

/// Whoever keeps a connection for ever loses it, between two requests.
#[test]
fn old_connections() {
    let stage = Stage::with("", |setup| setup.limits.connection = Duration::from_millis(200));
    let mut stream = http::connect(stage.address());
    let began = Instant::now();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("writes");
    assert_eq!(http::answer(&mut stream).status, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn broken_off_bodies() {
    let stage = Stage::new();
    let mut stream = http::connect(stage.address());
    let head = http::head(stage.address(), "POST", "/v1/events", &[], 1_000);
    stream.write_all(format!("{head}{{\"contact\":\"ada\",\"name\":\"x\"}}").as_bytes()).expect("writes");
    stream.shutdown(std::net::Shutdown::Write).expect("closes");
    assert!([400, 0].contains(&http::answer(&mut stream).status));
    let mut stream = http::connect(stage.address());
    stream.write_all(b"\x16\x03\x01 not http\r\n\r\n").expect("writes");
    assert!([400, 0].contains(&http::answer(&mut stream).status));
    assert_eq!((stage.get("/health").status, stage.num_events()), (200, 0));
}

#[test]
fn addresses_and_methods() {
    let stage = Stage::new();
    for (method, path, status) in [
        ("GET", "/", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/events", 405),
        ("DELETE", "/v1/contacts/ada", 405),
        ("POST", "/health", 405),
        ("GET", "/hooks/klaviyo", 405),
        ("POST", "/hooks/", 404),
        ("OPTIONS", "/v1/events", 405),
        ("GET", "/v1/contacts/%ff", 400),
    ] {
        let said = stage.ask(method, path, &[], b"");
        assert_eq!(said.status, status, "{method} {path}: {}", said.text());
        assert_eq!(said.header("access-control-allow-origin"), None);
    }
}

#[test]
fn pages_of_others_and_other_names() {
    let stage = Stage::new();
    let event = br#"{"contact":"ada","name":"x"}"#;
    let post = |headers: &[(&str, &str)]| stage.ask("POST", "/v1/events", headers, event).status;
    assert_eq!(post(&[("origin", "https://evil.example")]), 403);
    assert_eq!(post(&[("origin", &format!("http://{}", stage.address()))]), 202);
    assert_eq!(post(&[("host", "evil.example")]), 403, "a name that leads here (DNS rebinding)");
    assert_eq!(post(&[("host", "localhost:1")]), 202);
    assert_eq!(stage.num_events(), 2);
}

/// A proxy brings the world over loopback, under whatever name: without a secret only what recipients follow is open.
#[test]
fn the_world_sees_the_pages_alone() {
    let public = |secrets: &str| Stage::with(secrets, |setup| setup.public = Some("https://mail.shop.example".into()));
    let stage = public("");
    let contact = br#"{"id":"ada","suppressed":true}"#;
    for host in ["mail.shop.example", "127.0.0.1:7171", "localhost"] {
        let ask = |method: &str, path: &str, body: &[u8]| stage.ask(method, path, &[("host", host)], body).status;
        for path in ["/v1/contacts", "/v1/events", "/v1/histories", "/hooks/klaviyo"] {
            assert_eq!(ask("POST", path, contact), 403, "{host} {path}");
        }
        assert_eq!((ask("GET", "/metrics", b""), ask("POST", "/v1/orders", b"{}")), (403, 401), "{host}");
        assert_eq!((ask("GET", "/health", b""), ask("GET", "/o/x.gif", b"")), (200, 200), "{host}");
        assert_eq!(ask("GET", &stage.link(Purpose::Unsubscribe, ""), b""), 200, "{host}");
    }
    assert_eq!(stage.num_events(), 0);
    let said = stage.ask("POST", "/v1/contacts", &[("host", "mail.shop.example")], contact);
    assert!(said.json()["hint"].as_str().is_some_and(|hint| hint.contains("--secret-file")), "{said:?}");
    let bearer = format!("Bearer {SECRET}");
    let given = [("host", "mail.shop.example"), ("authorization", bearer.as_str())];
    let stage = public(SECRET);
    assert_eq!(stage.ask("POST", "/v1/contacts", &given, contact).status, 202);
    assert_eq!(stage.ask("POST", "/v1/contacts", &given[..1], contact).status, 401);
}

#[test]
fn starting() {
    let stage = Stage::new();
    let start = |listen: SocketAddr, secrets: &str| {
        let mut setup = Setup::new("a".repeat(64), stage.data.path().to_owned()).expect("a setup");
        setup.listen = listen;
        setup.secrets = crate::engine::intake::guard::Secrets::parse(secrets).expect("secrets");
        let parts = Parts {
            handle: stage.handle.clone(),
            reader: stage.store.clone(),
            links: stage.links.clone(),
            pulse: stage.pulse.clone(),
            clock: stage.clock.clone(),
        };
        Intake::start(setup, parts).map(|intake| intake.address())
    };
    let beyond = start(SocketAddr::from(([0, 0, 0, 0], 0)), "").expect_err("refuses");
    assert!(beyond.error.contains("other machines") && beyond.hint.contains("--secret-file"), "{beyond:?}");
    assert!(start(SocketAddr::from(([0, 0, 0, 0], 0)), SECRET).is_ok());
    let taken = start(stage.address(), "").expect_err("the port is taken");
    assert!(taken.hint.contains("Another program"), "{taken:?}");
}

/// What is under way when the engine stops is finished; new callers are not let in.
#[test]
fn stopping() {
    let mut stage = Stage::new();
    let address = stage.address();
    let mut stream = http::connect(address);
    let body = br#"{"contact":"ada","name":"x"}"#;
    let head = http::head(address, "POST", "/v1/events", &[], body.len());
    stream.write_all(head.as_bytes()).expect("writes");
    std::thread::sleep(Duration::from_millis(100));
    let intake = stage.intake.take().expect("runs");
    let stopping = std::thread::Builder::new()
        .name("stopping".into())
        .spawn(move || intake.stop(Duration::from_secs(5)))
        .expect("a thread");
    std::thread::sleep(Duration::from_millis(100));
    stream.write_all(body).expect("writes");
    assert_eq!(http::answer(&mut stream).status, 202);
    stopping.join().expect("stops");
    assert_eq!(stage.num_events(), 1);
    assert!(std::net::TcpStream::connect(address).is_err());
}
