//! Engine and simulator on the same accepted inputs give the same trace, byte for byte (SEMANTICS R3).

use flowloom::{
    audience::Audience,
    base::Instant,
    flow::{Flow, Workspace},
    journey::{Decision, FlowSet, What},
    simulate::{self, Options},
};

use super::play::{Script, play};
use crate::{compare, drive, oracle, rules::fixtures, samples, world::World};

/// A doubled event is ignored by the engine at its door, and by the replay in its trace.
fn is_kept(decision: &Decision) -> bool {
    !matches!(decision.what, What::Ignored { .. })
}

/// Both, line by line; the number of lines.
#[track_caller]
pub fn check(
    name: &str,
    workspace: &Workspace,
    flows: &[Flow],
    audience: &Audience,
    from: Instant,
    until: Instant,
    reopen_after: usize,
) -> usize {
    let set = FlowSet::new(workspace, flows);
    let options = Options { from: Some(from), until: Some(until), ..Options::default() };
    let report = simulate::replay(&set, audience, &options);
    let found = play(&Script { workspace, flows, audience, from, until, reopen_after });
    let lines = |trace: Option<&Vec<Decision>>| -> Vec<String> {
        let kept = trace.into_iter().flatten().filter(|decision| is_kept(decision));
        kept.map(|decision| serde_json::to_string(decision).expect("writes")).collect()
    };
    let mut count = 0;
    for contact in &audience.contacts {
        let (expected, found) = (lines(report.traces.get(&contact.id)), lines(found.get(&contact.id)));
        count += expected.len();
        let apart = (0..expected.len().max(found.len())).find(|n| expected.get(*n) != found.get(*n));
        if let Some(n) = apart {
            panic!(
                "{name}: {} differs in line {n}\nsimulator {}\nengine    {}\nbefore    {}",
                contact.id,
                expected.get(n).map_or("nothing", String::as_str),
                found.get(n).map_or("nothing", String::as_str),
                n.checked_sub(1).map_or("nothing", |n| expected[n].as_str()),
            );
        }
    }
    count
}

/// The generated worlds of the second interpreter: 2,000 flow sets with their audiences. `FLOWLOOM_SEED` plays one.
#[test]
fn generated_worlds_mean_the_same() {
    let one: Option<u64> = std::env::var("FLOWLOOM_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut lines = 0;
    for seed in one.map_or(0..2_000, |seed| seed..seed + 1) {
        let text = compare::generated(seed);
        let world = World::read(&text).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{text}"));
        let flows = [world.later.as_slice(), &world.flows].concat();
        let reopen_after = [0, 1, 3, 7][seed as usize % 4];
        lines += check(
            &format!("seed {seed}"),
            &world.workspace,
            &flows,
            &world.audience(),
            world.adopted(),
            world.until,
            reopen_after,
        );
    }
    assert!(one.is_some() || lines > 15_000, "{lines} lines: the worlds say too little");
}

/// Rules over the population (SEMANTICS R6, R28): the fixtures with a crowd, whenever the engine begins anew.
#[test]
fn crowds_mean_the_same() {
    let mut played = Vec::new();
    for (name, world) in fixtures().into_iter().filter(|(_, world)| !world.crowd.is_empty()) {
        for reopen_after in [0, 1, 7] {
            let flows = [world.later.as_slice(), &world.flows].concat();
            let (audience, from) = (world.audience(), world.adopted());
            let lines = check(&name, &world.workspace, &flows, &audience, from, world.until, reopen_after);
            assert!(lines > world.crowd.len(), "{name}: {lines} lines: it says too little");
        }
        played.push(name);
    }
    for rule in ["R6-a-flow", "R6-a-winner-counts", "R6-a-winner-waits", "R28-one-person"] {
        assert!(played.iter().any(|name| name.starts_with(rule)), "{rule}: {played:?}");
    }
}

/// The sample workspaces with their audiences, whole.
#[test]
fn samples_mean_the_same() {
    let at = |text: &str| Instant::parse(text).expect("written right");
    for sample in samples::samples() {
        let audience = samples::audience(&sample).0;
        let flows: Vec<Flow> = sample.flows.iter().map(|loaded| loaded.flow.clone()).collect();
        let (from, until) = (at("2026-10-01T00:00:00Z"), at("2026-11-20T00:00:00Z"));
        let lines = check(&sample.name, &sample.workspace, &flows, &audience, from, until, 97);
        assert!(lines > 100, "{}: {lines} lines: it says too little", sample.name);
    }
}

/// The engine against the second interpreter, which shares nothing with it: one in `step` of the counted worlds.
fn check_counted(step: usize) -> usize {
    let mut played = 0;
    compare::counted(step, &mut |_, world| {
        played += 1;
        let script = Script {
            workspace: &world.workspace,
            flows: &world.flows,
            audience: &world.audience(),
            from: world.adopted(),
            until: world.until,
            reopen_after: [0, 2, 5][played % 3],
        };
        let found = play(&script);
        let rows = found.values().flatten().filter_map(|decision| drive::row(world, decision));
        let (found, expected) = (drive::by_flow(rows.collect()), drive::by_flow(oracle::play(world, world.adopted())));
        let told = |rows: &[String]| rows.join("\n  ");
        assert!(
            found == expected,
            "a counted world differs\n{}\noracle\n  {}\nengine\n  {}",
            world.text,
            told(&expected),
            told(&found)
        );
    });
    played
}

#[test]
fn counted_worlds_mean_the_same() {
    let played = check_counted(37);
    assert!(played > 1_900, "{played} worlds");
}

#[test]
#[ignore = "takes some minutes"]
fn all_counted_worlds_mean_the_same() {
    let played = check_counted(1);
    assert!(played > 70_000, "{played} worlds");
}
