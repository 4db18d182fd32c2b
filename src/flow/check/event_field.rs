//! `field/no-trigger-event`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    content::FieldSource,
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "field/no-trigger-event",
        severity: Severity::Error,
        title: "An event tag without an event",
        what: "A field that templates use takes its value from the event that let the contact in, but the trigger has an \
               alternative that no event stands behind: a segment, list, date or inactivity.",
        why: "The value is missing for everybody who enters that way, and a mail without a fallback is held.",
        example: "source: trigger(\"cart_value\") in a flow that begins with a segment",
        fix: "Say which event is meant: source: last_event(event: \"Cart Updated\", path: \"cart_value\").",
        source: "SEMANTICS R12",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let without: Vec<&str> = cx.alternatives().filter(|(_, a)| !a.has_event()).map(|(_, a)| a.kind()).collect();
    let num_alternatives = cx.alternatives().count();
    let Some(kind) = without.first() else { return };
    for field in cx.flow.fields() {
        if !field.source.needs_trigger() || !cx.used_names().contains(field.name.as_str()) {
            continue;
        }
        // Where only some entries come without an event, a fallback stands in for them.
        let for_all = without.len() == num_alternatives;
        if !for_all && field.fallback.is_some() {
            continue;
        }
        let place = Place::default().with_field(format!("fields.{}", field.name));
        let message = format!("`{}` is taken from the trigger event, but an entry by {kind} has none", field.name);
        let finding = CHECK.spec.at(place, message).hint("Take it from the last event of a kind instead");
        let metric = match cx.entry_metrics().first() {
            Some(metric) => Some(*metric),
            None => match &field.source {
                FieldSource::Trigger(path) => {
                    let first = path.split('.').next().unwrap_or(path);
                    let has_it = cx.workspace.events.iter().find(|event| event.properties.contains_key(first));
                    has_it.map(|event| event.name.as_str())
                }
                _ => None,
            },
        };
        out.push(match (metric, &field.source) {
            (Some(metric), FieldSource::Trigger(path)) => {
                let mut mended = field.clone();
                mended.source = FieldSource::LastEvent { event: metric.into(), path: path.clone() };
                let label = format!("Take it from the last \u{201c}{metric}\u{201d}");
                finding.fix(label, vec![Edit::SetMergeField(Box::new(mended))])
            }
            _ => finding,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixture::{Fixture, on},
        *,
    };

    fn flow(any: &str, fallback: &str) -> Fixture {
        on(&format!(
            r#"fields: [(name: "value", source: trigger("cart.value") {fallback}), (name: "unused", source: trigger("x"))],
            nodes: [(id: "t", kind: "trigger", settings: (any: [{any}]))],
            messages: [(id: "m", subject: "Your {{value}}")]"#
        ))
        .within(r#"events: [(name: "Cart Updated", properties: {"cart": object})]"#)
    }

    #[test]
    fn fixtures() {
        flow(r#"list(list: "A")"#, "").mends(&CHECK, &["fields.value"]);
        flow(r#"list(list: "A")"#, r#", fallback: "x""#).mends(&CHECK, &["fields.value"]);
        flow(r#"list(list: "A"), event(event: "B")"#, "").mends(&CHECK, &["fields.value"]);
        flow(r#"list(list: "A"), event(event: "B")"#, r#", fallback: "x""#).silent(&CHECK);
        flow(r#"event(event: "B")"#, "").silent(&CHECK);
    }
}
