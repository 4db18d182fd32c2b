//! Fixtures that name the rule of SEMANTICS they guard.

use crate::{oracle, world::World};

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

/// Before the first input, so that baselines are those of the contact as given.
pub fn adopted(world: &World) -> flowloom::base::Instant {
    world.inputs.iter().map(crate::world::Input::at).min().unwrap_or(world.until)
}

/// The expected lines are written from the page by hand; the oracle has to come to the same.
#[test]
fn the_oracle_keeps_the_fixtures() {
    let mut wrong = String::new();
    for (name, world) in fixtures() {
        if world.asleep || world.needs_controls() {
            continue;
        }
        let lines: Vec<String> = oracle::play(&world, adopted(&world)).iter().map(ToString::to_string).collect();
        if lines != world.expected {
            wrong += &format!("--- {name}\nexpected\n  {}\noracle\n  {}\n", world.expected.join("\n  "), lines.join("\n  "));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
