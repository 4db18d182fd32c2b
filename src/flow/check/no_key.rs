//! `reentry/no-key`

use super::{Check, CheckSpec, Context, Finding, context::event_properties, ron_of};
use crate::{
    base::{Place, Severity},
    flow::{Edit, Reentry},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "reentry/no-key",
        severity: Severity::Error,
        title: "Once per key, without a key",
        what: "The flow lets a contact in once for each key, but does not say which value is the key.",
        why: "Without a key all entries are the same one: the first cart lets the contact in, every later one does not.",
        example: "reentry: per_key, without reentry_key",
        fix: "Name it: reentry_key: \"event.cart_id\".",
        source: "SEMANTICS R7, R8",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    if cx.settings.reentry != Reentry::PerKey || cx.settings.reentry_key.is_some() {
        return;
    }
    let place = Place::default().with_field("settings.reentry_key");
    let finding = CHECK.spec.at(place, "Contacts enter once for each key, but no key is named");
    let finding = finding.hint("Name it, such as reentry_key: \"event.cart_id\", or choose another re-entry rule");
    // A property that every event of the trigger has and that is named like an id.
    let metrics = cx.entry_metrics();
    let key = metrics.first().and_then(|first| {
        let common = |name: &&&str| {
            metrics.iter().all(|m| event_properties(cx.workspace, m).is_some_and(|known| known.contains_key(**name)))
        };
        let first = event_properties(cx.workspace, first)?;
        first.keys().filter(|name| name.ends_with("_id")).find(common).map(|name| format!("event.{name}"))
    });
    out.push(match key.and_then(|key| Some((ron_of(&key)?, key))) {
        Some((value, key)) => finding
            .fix(format!("Use `{key}`"), vec![Edit::SetFlowField { field: "reentry_key".into(), value: Some(value) }]),
        None => finding.fix(
            "Let contacts in whenever they are not inside",
            vec![Edit::SetFlowField { field: "reentry".into(), value: None }],
        ),
    });
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let parts = r#"settings: (reentry: per_key), nodes: [(id: "t", kind: "trigger", settings: (any: [event(event: "A")]))]"#;
        on(parts).mends(&CHECK, &["settings.reentry_key"]);
        on(parts)
            .within(r#"events: [(name: "A", properties: {"cart_id": text})]"#)
            .mends(&CHECK, &["settings.reentry_key"]);
        on(r#"settings: (reentry: per_key, reentry_key: "event.cart_id")"#).silent(&CHECK);
        on(r#"settings: (reentry: once)"#).silent(&CHECK);
    }
}
