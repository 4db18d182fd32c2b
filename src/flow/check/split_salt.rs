//! `split/shared-salt`

use std::collections::BTreeMap;

use super::{Check, CheckSpec, Context, Finding, ron_of};
use crate::{
    base::{Place, Severity},
    flow::Edit,
    kinds::Settings,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "split/shared-salt",
        severity: Severity::Warning,
        title: "Two splits with one salt",
        what: "A split has the salt of another split of this flow, or of another flow of the workspace.",
        why: "Both deal the same contacts to the same arms, so that neither test can be told from the other.",
        example: "Two splits with salt: \"tone\", the second pasted from the first.",
        fix: "Give one of them a salt of its own.",
        source: "SEMANTICS R19",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut first: BTreeMap<&str, String> = BTreeMap::new();
    for flow in cx.around.other_flows.iter().filter(|flow| flow.id != cx.flow.id) {
        for node in &flow.nodes {
            if let Some(Settings::Split(split)) = node.settings() {
                first.entry(&split.salt).or_insert_with(|| format!("`{}` of the flow `{}`", node.id, flow.id));
            }
        }
    }
    for (_, node, settings) in cx.steps() {
        let Settings::Split(split) = settings else { continue };
        if split.salt.is_empty() {
            continue;
        }
        match first.get(split.salt.as_str()) {
            None => {
                first.insert(&split.salt, format!("`{}`", node.id));
            }
            Some(other) => {
                let own = format!("{}-{}-{}", cx.flow.id, node.id, split.salt);
                let message = format!(
                    "`{}` deals contacts exactly as {other} does: both have the salt `{}`",
                    node.id, split.salt
                );
                out.push(
                    CHECK
                        .spec
                        .at(Place::node(&node.id).with_field("salt"), message)
                        .hint("Give it a word of its own")
                        .fix(
                            "Give it a salt of its own",
                            vec![Edit::SetField { id: node.id.clone(), field: "salt".into(), value: ron_of(&own) }],
                        ),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    fn split(id: &str, salt: &str) -> String {
        format!(
            r#"(id: "{id}", kind: "split", settings: (salt: "{salt}", arms: [(name: "a", weight: 50), (name: "b", weight: 50)]))"#
        )
    }

    #[test]
    fn fixtures() {
        let two = |a: &str, b: &str| format!("nodes: [{}, {}]", split("x", a), split("y", b));
        on(&two("s", "s")).mends(&CHECK, &["step y, salt"]);
        on(&two("s", "t")).silent(&CHECK);
        on(&two("s", "t")).beside("g", &two("u", "s")).mends(&CHECK, &["step x, salt"]);
    }
}
