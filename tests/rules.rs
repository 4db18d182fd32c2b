//! Fixtures that name the rule of SEMANTICS they guard.

use crate::{
    drive::{by_flow, drive},
    oracle,
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
