//! `reentry/unknown-key`

use super::{Check, CheckSpec, Context, Finding, context::event_properties, ron_of};
use crate::{
    audience::condition::Root,
    base::{Place, Severity, nearest},
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "reentry/unknown-key",
        severity: Severity::Warning,
        title: "A key that an entry does not have",
        what: "The re-entry key is a value that an event of the trigger does not have by the catalogue, or no value of an \
               event at all.",
        why: "Entries without the key all count as one: the second cart finds the first still inside.",
        example: "reentry_key: \"event.cartid\" where the events have cart_id",
        fix: "Name a property that every event of the trigger has.",
        source: "SEMANTICS R7, R8, R9",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(key) = &cx.settings.reentry_key else { return };
    let place = Place::default().with_field("settings.reentry_key");
    if !matches!(key.root, Root::Event | Root::Trigger) {
        let message = format!("The key `{key}` is the same for all entries of a contact");
        out.push(CHECK.spec.at(place, message).hint("Name a value of the event, such as event.cart_id"));
        return;
    }
    let Some(name) = key.steps.first() else { return };
    for metric in cx.entry_metrics() {
        let Some(known) = event_properties(cx.workspace, metric) else { continue };
        if known.contains_key(name.as_str()) || ["id", "name", "happened"].contains(&name.as_str()) {
            continue;
        }
        let message = format!("The event \u{201c}{metric}\u{201d} is not known to have the key `{name}`");
        let finding = CHECK.spec.at(place.clone(), message).hint(nearest::hint(name, known.keys().copied()));
        let near = nearest::nearest(name, known.keys().copied()).filter(|near| {
            cx.entry_metrics().iter().all(|m| event_properties(cx.workspace, m).is_none_or(|k| k.contains_key(near)))
        });
        out.push(match near.and_then(|near| Some((near, ron_of(&format!("event.{near}"))?))) {
            Some((near, value)) => finding.fix(
                format!("Use `event.{near}`"),
                vec![Edit::SetFlowField { field: "reentry_key".into(), value: Some(value) }],
            ),
            None => finding,
        });
        return;
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let parts = |key: &str| {
            on(&format!(
                r#"settings: (reentry: per_key, reentry_key: "{key}"), nodes: [(id: "t", kind: "trigger", settings: (any: [event(event: "A"), event(event: "B")]))]"#
            ))
            .within(r#"events: [(name: "A", properties: {"cart_id": text}), (name: "B")]"#)
        };
        parts("event.cartid").mends(&CHECK, &["settings.reentry_key"]);
        parts("event.order").check(&CHECK, &["settings.reentry_key"]);
        parts("contact.email").check(&CHECK, &["settings.reentry_key"]);
        parts("event.cart_id").silent(&CHECK);
        parts("event.id").silent(&CHECK);
    }
}
