//! Fixtures that name the rule of SEMANTICS they guard.

use crate::{
    drive::{by_flow, drive, replay},
    oracle,
    world::{Input, World},
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
const KNOWN: &[&str] = &[];

/// The expected lines are written from the page by hand; the oracle has to come to the same.
#[test]
fn the_oracle_keeps_the_fixtures() {
    let mut wrong = String::new();
    for (name, world) in fixtures() {
        if world.is_beyond_the_oracle() {
            continue;
        }
        let rows = by_flow(oracle::play(&world, world.adopted()));
        difference(&name, &world, &rows, &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// And so has the core, driven by inputs one at a time.
#[test]
fn the_core_keeps_the_fixtures() {
    let (mut wrong, mut mended) = (String::new(), Vec::new());
    for (name, world) in fixtures() {
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

/// And so has the simulator, where a replay can show it: profile changes and words from outside have no place there.
#[test]
fn the_simulator_keeps_the_fixtures() {
    let mut wrong = String::new();
    for (name, world) in fixtures() {
        let is_replay = world.inputs.iter().all(|input| matches!(input, Input::Event(_)));
        if is_replay && !world.asleep && world.latency == 0 && world.answers.is_empty() {
            difference(&name, &world, &by_flow(replay(&world.set(), &world)), &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Rows that are not what the fixture expects, as text.
pub fn difference(name: &str, world: &World, rows: &[String], out: &mut String) {
    let mut expected = world.expected.clone();
    expected.sort_by_key(|line| {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        (words.first().cloned(), words.get(1).cloned(), words.get(4).is_some_and(|word| word == "sent"))
    });
    if rows != expected {
        *out += &format!("--- {name}\nexpected\n  {}\nfound\n  {}\n", expected.join("\n  "), rows.join("\n  "));
    }
}

/// A rule without a fixture is a rule that two readers may build differently. What is the driver's is shown by what the
/// core keeps for it.
#[test]
fn every_rule_has_a_fixture() {
    let fixtures = fixtures();
    let without: Vec<String> = (0..=31)
        .map(|n| format!("R{n}"))
        .filter(|rule| !fixtures.iter().any(|(name, _)| name.strip_prefix(rule).is_some_and(|n| n.starts_with('-'))))
        .collect();
    assert!(without.is_empty(), "no fixture is named after {}", without.join(", "));
}

/// R3: the same world gives the same trace, whatever order its flows are written in.
#[test]
fn a_world_plays_the_same_again() {
    for (name, world) in fixtures() {
        let once = drive(&world);
        assert_eq!(once, drive(&world), "{name}");
        let mut turned = world.clone();
        turned.flows.reverse();
        assert_eq!(once, drive(&turned), "{name}");
    }
}
