//! Files that grow, move, break off and come again, read by a watcher that is told when to look.

use super::*;
use crate::base::EventId;

fn check(text: &str, expected: &str) {
    let mut found = Vec::new();
    let read = read_events(text.as_bytes(), "a", Instant::from_millis(0), |batch| {
        found.extend(batch.events.iter().map(|(place, event)| format!("{place} {}", event.name)));
        found.extend(batch.refused.iter().map(|(place, refusal)| format!("{place}! {}", refusal.error)));
        Ok::<(), ()>(())
    });
    if let Err(Stopped::Unreadable(refusal)) = read {
        found.push(format!("stopped: {}", refusal.error));
    }
    assert_eq!(found.join("; "), expected, "{text}");
}

#[test]
fn files_of_all_layouts() {
    let event = r#"{"contact":"ada","name":"V"}"#;
    check("", "");
    check(event, "line 1 V");
    check(
        &format!("\u{feff}{event}\n\nx\n{event}"),
        "line 1 V; line 4 V; line 3! column 1: not valid JSON: expected value",
    );
    check(&format!("[{event},\n 7]"), "item 1 V; item 2! it is not an object");
    check(&format!("{{\"events\": [{event}]}}\n"), "item 1 V");
    check("{\n\"contact\": \"ada\",\n\"name\": \"V\"\n}", "item 1 V");
    check("[{", "stopped: the body is not JSON: EOF while parsing an object at line 1 column 2");
}

/// Read once more after a crash, events are the same; another file's are not.
#[test]
fn events_without_id_and_time_have_one_id_per_file() {
    let text = "{\"contact\":\"ada\",\"name\":\"V\"}\n".repeat(2);
    let ids = |file: &str| {
        let mut ids = Vec::new();
        let read = read_events(text.as_bytes(), file, Instant::from_millis(0), |batch| {
            ids.extend(batch.events.into_iter().map(|(_, event)| event.id));
            Ok::<(), ()>(())
        });
        assert!(read.is_ok());
        ids
    };
    let found = ids("a");
    assert_eq!(found, ids("a"));
    assert_ne!(found[0], found[1]);
    assert_ne!(found, ids("b"));
}

/// Also by way of a running engine, which sees the objects.
#[test]
fn items_have_the_ids_of_their_events() {
    let lines = [
        r#"{"contact":"ada","name":"V"}"#,
        r#"{"id":" ","contact":"ada","name":"V","happened":null}"#,
        r#"{"id":7,"contact":"ada","name":"V"}"#,
        r#"{"contact":"ada","name":"V","happened":"2026-01-01"}"#,
    ];
    for text in [lines.join("\n"), format!("[{}]", lines.join(","))] {
        let (mut of_items, mut of_events) = (Vec::new(), Vec::new());
        let around = Around { now: Instant::from_millis(0), responses: true };
        let read = read_items(text.as_bytes(), "a", |place, object| {
            of_items.push((place, object.and_then(|map| item::event(&map, around)).expect("an event").what));
            Ok::<(), ()>(())
        });
        assert!(read.is_ok());
        let read = read_events(text.as_bytes(), "a", Instant::from_millis(0), |batch| {
            of_events.extend(batch.events);
            Ok::<(), ()>(())
        });
        assert!(read.is_ok());
        assert_eq!(of_items, of_events);
        let by_place = of_items.iter().filter(|(_, event)| event.id.as_str().starts_with("f-")).count();
        assert_eq!((by_place, of_items[2].1.id.as_str()), (2, "7"));
    }
}

#[test]
fn names_of_people_stay_out_of_the_log() {
    for (path, expected) in [("in/shop-2026.jsonl", "shop-2026.jsonl"), ("in/ada@shop.example.jsonl", "…")] {
        assert_eq!(shown(Path::new(path)), expected);
    }
}

/// One that grows stays the one it was; the next one of its name is another.
#[test]
fn files_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.jsonl");
    let name = |text: &str| {
        let mut file = fs::File::options().create(true).append(true).open(&path).expect("opens");
        file.write_all(text.as_bytes()).expect("writes");
        name_of(&path, &file)
    };
    let first = name("one");
    assert_eq!(name("two"), first);
    fs::rename(&path, folder.path().join("done.jsonl")).expect("renames");
    assert_ne!(name("one"), first);
}

/// What is written behind the end while a file is read is read as well, and nothing twice.
#[test]
fn a_file_that_grows_while_it_is_read_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.jsonl");
    let line = "{\"contact\":\"ada\",\"name\":\"V\"}\n";
    fs::write(&path, line).expect("writes");
    Watch::prepare(folder.path()).expect("a folder");
    let (handle, asks) = Handle::new();
    let (stop, stopped) = mpsc::channel();
    let grows = path.clone();
    let writer = std::thread::Builder::new().name("writer".into()).spawn(move || {
        let mut ids: Vec<Vec<EventId>> = Vec::new();
        while let Ok((crate::engine::handle::Ask::Events(events, _, reply), _)) = asks.recv() {
            if ids.is_empty() {
                let mut file = fs::File::options().append(true).open(&grows).expect("opens");
                file.write_all(line.as_bytes()).expect("writes");
            }
            let _ = reply.send(Ok(vec![Answer::Accepted; events.len()]));
            ids.push(events.into_iter().map(|event| event.id).collect());
        }
        ids
    });
    let clock = Clock::fake(Instant::from_millis(0));
    let mut watcher = Watcher::new(folder.path(), handle, Arc::default(), clock, stopped);
    assert!(watcher.take(&path, None).is_ok() && path.exists(), "it stays");
    assert!(watcher.take(&path, None).is_ok() && !path.exists() && folder.path().join("done/a.jsonl").exists());
    drop((watcher, stop));
    let ids = writer.expect("a thread").join().expect("ends");
    assert_eq!(ids.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(ids[0][0], ids[1][0], "the first one is the same");
    assert_ne!(ids[1][0], ids[1][1]);
}

/// A writer that takes everything; how often each event was handed in.
fn counting(asks: mpsc::Receiver<(crate::engine::handle::Ask, usize)>) -> JoinHandle<BTreeMap<EventId, usize>> {
    let work = move || {
        let mut ids: BTreeMap<EventId, usize> = BTreeMap::new();
        while let Ok((crate::engine::handle::Ask::Events(events, _, reply), _)) = asks.recv() {
            let _ = reply.send(Ok(vec![Answer::Accepted; events.len()]));
            events.into_iter().for_each(|event| *ids.entry(event.id).or_default() += 1);
        }
        ids
    };
    std::thread::Builder::new().name("writer".into()).spawn(work).expect("a thread")
}

/// A writer that pauses for longer than a file stands still for: the rest is read where the file lies by then, and
/// nothing twice; half a line, too.
#[test]
fn a_file_that_grows_after_it_was_moved_is_read_on() {
    let folder = tempfile::tempdir().expect("a folder");
    Watch::prepare(folder.path()).expect("a folder");
    let (handle, asks) = Handle::new();
    let (stop, stopped) = mpsc::channel();
    let writer = counting(asks);
    let clock = Clock::fake(Instant::from_millis(0));
    let mut watcher = Watcher::new(folder.path(), handle, Arc::default(), clock, stopped);
    let mut look = |times: u32| (0..times).for_each(|_| assert!(watcher.look().is_ok()));
    let there = |path: &str| folder.path().join(path).exists();
    let mut file = fs::File::create(folder.path().join("a.jsonl")).expect("opens");
    let line = "{\"contact\":\"ada\",\"name\":\"V\"}\n";
    file.write_all(line.as_bytes()).expect("writes");
    look(STILL_LOOKS + 1);
    assert!(there("done/a.jsonl"));
    file.write_all(&line.as_bytes()[..10]).expect("writes");
    look(STILL_LOOKS + 1);
    assert!(there("failed/a.jsonl") && there("failed/a.jsonl.txt") && !there("done/a.jsonl"), "half a line");
    file.write_all(&line.as_bytes()[10..]).expect("writes");
    look(STILL_LOOKS);
    assert!(there("failed/a.jsonl"), "it may not be whole yet");
    look(1);
    assert!(there("done/a.jsonl") && !there("failed/a.jsonl") && !there("failed/a.jsonl.txt"));
    // A copy of somebody's own in its place is left alone.
    fs::write(folder.path().join("done/b.jsonl"), line.repeat(9)).expect("writes");
    fs::rename(folder.path().join("done/b.jsonl"), folder.path().join("done/a.jsonl")).expect("renames");
    look(STILL_LOOKS + 2);
    look(LATER_LOOKS);
    assert!(watcher.moved.is_empty(), "after a while nobody looks any more");
    drop((watcher, stop));
    let ids = writer.join().expect("ends");
    let mut times: Vec<usize> = ids.into_values().collect();
    times.sort_unstable();
    assert_eq!(times, [1, 3], "the first line was read three times, by one id");
}

/// Looks at a folder as a run of the engine does, so many times; how often each event was handed in, what is
/// counted as refused, and what is looked at again.
fn run(folder: &Path, during: impl FnOnce(&mut dyn FnMut(u32))) -> (BTreeMap<EventId, usize>, u64, usize) {
    let (handle, asks) = Handle::new();
    let (stop, stopped) = mpsc::channel();
    let writer = counting(asks);
    let pulse = Arc::new(Pulse::default());
    let clock = Clock::fake(Instant::from_millis(0));
    let mut watcher = Watcher::new(folder, handle, Arc::clone(&pulse), clock, stopped);
    watcher.recall();
    let recalled = watcher.moved.len();
    during(&mut |times| (0..times).for_each(|_| assert!(watcher.look().is_ok())));
    drop((watcher, stop));
    let refused = pulse.refused_items(Way::Files);
    (writer.join().expect("ends"), refused, recalled)
}

/// A line that is refused is counted once, however often its file is read, as long as an engine runs.
#[test]
fn a_refused_line_is_counted_once() {
    let folder = tempfile::tempdir().expect("a folder");
    Watch::prepare(folder.path()).expect("a folder");
    let (_, refused, _) = run(folder.path(), |look| {
        let mut file = fs::File::create(folder.path().join("a.jsonl")).expect("opens");
        for text in ["no event\n", "{\"contact\":\"ada\",\"name\":\"V\"}\n", "7\n"] {
            file.write_all(text.as_bytes()).expect("writes");
            look(2 * STILL_LOOKS + 2);
        }
    });
    assert_eq!(refused, 2);
    assert_eq!(run(folder.path(), |look| look(2 * STILL_LOOKS)).1, 0, "an earlier run has counted them");
}

/// A file whose writer only paused, while the engine was started anew, is read on: nothing is lost and nothing has
/// another id, whatever name it lies under. What changed long ago, what nobody has moved and what somebody put in a
/// file's place is left alone.
#[test]
fn a_file_that_grows_over_a_restart_is_read_on() {
    let folder = tempfile::tempdir().expect("a folder");
    Watch::prepare(folder.path()).expect("a folder");
    let line = "{\"contact\":\"ada\",\"name\":\"V\"}\n";
    let path = |name: &str| folder.path().join(name);
    let mut files = Vec::new();
    let first = run(folder.path(), |look| {
        for name in ["a.jsonl", "a.jsonl", "old.jsonl", "other.jsonl"] {
            let mut file = fs::File::create(path(name)).expect("opens");
            file.write_all(line.as_bytes()).expect("writes");
            files.push(file);
            look(STILL_LOOKS + 1);
        }
    });
    assert_eq!((first.0.len(), first.2), (4, 0));
    assert!(path("done/a-2.jsonl").exists());
    // Once while nobody looks, and once more after the start.
    files.iter_mut().for_each(|file| file.write_all(line.as_bytes()).expect("writes"));
    files[2].set_modified(SystemTime::UNIX_EPOCH + LATER).expect("is set");
    fs::write(path("done/strange.jsonl"), line).expect("writes");
    fs::write(path("copy"), line.repeat(9)).expect("writes");
    fs::rename(path("copy"), path("done/other.jsonl")).expect("renames");
    let second = run(folder.path(), |look| {
        look(STILL_LOOKS + 1);
        files[..2].iter_mut().for_each(|file| file.write_all(line.as_bytes()).expect("writes"));
        look(STILL_LOOKS + 1);
    });
    assert_eq!((second.0.len(), second.2), (6, 3), "two files of three lines: {:?}", second.0);
    let known = first.0.keys().filter(|id| second.0.contains_key(*id)).count();
    assert_eq!(known, 2, "the first line of each is the same event");
    let third = run(folder.path(), |look| look(STILL_LOOKS + 1));
    assert_eq!((third.0.len(), third.2), (0, 2), "what has not grown is not read again");
}

#[test]
fn names_do_not_push_each_other_out() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(free(folder.path(), "a.jsonl"), folder.path().join("a.jsonl"));
    fs::write(folder.path().join("a.jsonl"), "").expect("writes");
    assert_eq!(free(folder.path(), "a.jsonl"), folder.path().join("a-2.jsonl"));
}
