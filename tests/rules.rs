//! Fixtures that name the rule of SEMANTICS they guard.

use crate::{
    drive::{by_flow, drive},
    oracle::{self, Reading},
    world::World,
};

/// Every fixture with its name.
pub fn fixtures() -> Vec<(String, World)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rules");
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("can be listed").path();
        let name = path.file_stem().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        let text = std::fs::read_to_string(&path).expect("can be read");
        out.push((name.clone(), World::read(&text).unwrap_or_else(|e| panic!("{name}: {e}"))));
    }
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

/// Fixtures that the core does not keep at present, with what it does instead. Each is an open question to its owner;
/// one that is kept again has to leave this list.
const KNOWN: &[&str] = &[
    // One input turns two segments of one trigger; both let the contact in, one after the other.
    "R7-the-first-segment-enters",
    // An entry without a key is let in again and again under `per_key`.
    "R8-per-key-without-a-key",
    // The clock goes back to the older A.
    "R9-an-older-A-that-arrives-late-is-not-the-last",
    // The B of the same millisecond that came first counts as following.
    "R9-a-B-before-its-A-in-the-same-millisecond",
    // A write of another step at the same instant takes a date that is due away.
    "R10-a-write-of-the-same-instant-keeps-a-date",
    // A score that a late event brings over its threshold lets the contact in, however late.
    "R11-a-score-crossed-by-an-event-that-comes-too-late",
    // The journey goes on past its own write, and ends at the next message or rest.
    "R15-exit-at-once-after-its-own-write",
    // Refused at the entry; the page tests suppression before each message.
    "R22-suppressed-and-without-an-address",
    // It leaves, though the contact never said yes.
    "R22-a-flow-that-requires-nothing-still-needs-consent",
    // The segment of the node is not asked.
    "R23-a-cap-node-for-a-segment",
    // It is tried again and again at one instant, for ever: not played, see `HANGS`.
    "R23-a-calendar-window-on-a-long-day",
    // The first of two mails of one instant is put off at its hand-over by the cooldown of the second.
    "R24-a-cooldown-does-not-hold-what-came-before",
    // Skipped at once, where the page has it wait.
    "R23-a-cap-of-nothing",
    "R23-wait-in-vain",
];

/// Fixtures at which the core does not come to an end.
const HANGS: &[&str] = &["R23-a-calendar-window-on-a-long-day"];

/// The expected lines are written from the page by hand; the oracle has to come to the same.
#[test]
fn the_oracle_keeps_the_fixtures() {
    let mut wrong = String::new();
    for (name, world) in fixtures() {
        if world.asleep || world.needs_controls() {
            continue;
        }
        let rows = by_flow(oracle::play(&world, world.adopted(), Reading::PAGE));
        difference(&name, &world, &rows, &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// And so has the core, driven by inputs one at a time.
#[test]
fn the_core_keeps_the_fixtures() {
    let (mut wrong, mut mended) = (String::new(), Vec::new());
    for (name, world) in fixtures() {
        if HANGS.contains(&name.as_str()) {
            continue;
        }
        let mut found = String::new();
        difference(&name, &world, &by_flow(drive(&world)), &mut found);
        match KNOWN.contains(&name.as_str()) {
            true if found.is_empty() => mended.push(name),
            true => {}
            false => wrong += &found,
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(mended.is_empty(), "kept again, to be taken off the list: {mended:?}");
}

fn difference(name: &str, world: &World, rows: &[String], out: &mut String) {
    let mut expected = world.expected.clone();
    expected.sort_by_key(|line| {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        (words.first().cloned(), words.get(1).cloned(), words.get(4).is_some_and(|word| word == "sent"))
    });
    if rows != expected {
        *out += &format!("--- {name}\nexpected\n  {}\nfound\n  {}\n", expected.join("\n  "), rows.join("\n  "));
    }
}
