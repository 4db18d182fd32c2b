//! `names/unknown-property`

use std::collections::BTreeSet;

use super::{
    Check, CheckSpec, Context, Finding,
    context::{event_properties, parts},
};
use crate::{
    audience::{
        Condition, Path,
        condition::{Operand, Reference, Root},
    },
    base::{Place, Severity, nearest},
    content::{Computed, FieldSource},
    kinds::{Settings, logic::delay::Wait},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "names/unknown-property",
        severity: Severity::Warning,
        title: "A property that nobody has",
        what: "A condition, field or delay asks for a property that neither the workspace nor the audience knows of \
               contacts, or that the catalogue does not know of the event. Where nothing is declared, nothing is said.",
        why: "A value that is always missing makes conditions fail and tags fall back, for everybody.",
        example: "contact.lifetime_vlaue > 500",
        fix: "Correct the name, or declare the property in the workspace.",
        source: "SEMANTICS R5 (missing data)",
    },
    run,
};

/// What every contact has besides its properties.
const OF_CONTACTS: [&str; 6] = ["id", "email", "phone", "zone", "language", "created_at"];
/// What every event has besides its properties.
const OF_EVENTS: [&str; 3] = ["id", "name", "happened"];

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let contacts = cx.known_contact_properties();
    let entry: Option<BTreeSet<&str>> = cx.entry_properties().map(|known| known.into_keys().collect());
    let mut check = |place: Place, root: Root, name: &str| {
        let (known, built_in, whose) = match root {
            Root::Contact if !contacts.is_empty() => (&contacts, &OF_CONTACTS[..], "contact"),
            Root::Trigger => match &entry {
                Some(entry) => (entry, &OF_EVENTS[..], "event that lets contacts in"),
                None => return,
            },
            _ => return,
        };
        if known.contains(name) || built_in.contains(&name) {
            return;
        }
        let message = format!("No {whose} is known to have `{name}`");
        out.push(
            CHECK
                .spec
                .at(place, message)
                .hint(nearest::hint(name, known.iter().copied().chain(built_in.iter().copied()))),
        );
    };
    for written in cx.conditions() {
        for (place, reference) in written.references() {
            if let Reference::Path(path) = reference
                && let Some(name) = path.steps.first()
            {
                check(place, path.root, name);
            }
        }
    }
    for (_, node, settings) in cx.steps() {
        if let Settings::Delay(delay) = settings
            && let Wait::Date { property, .. } = &delay.wait
            && let Some(name) = property.steps.first()
        {
            check(Place::node(&node.id).with_field("wait"), property.root, name);
        }
    }
    for field in cx.flow.fields() {
        let (root, path) = match &field.source {
            FieldSource::Contact(path)
            | FieldSource::Computed(Computed::DaysUntil(path) | Computed::ContactDate(path)) => (Root::Contact, path),
            FieldSource::Trigger(path) | FieldSource::Computed(Computed::Stock(path)) => (Root::Trigger, path),
            _ => continue,
        };
        check(Place::default().with_field(format!("fields.{}", field.name)), root, first(path));
    }
    of_events(cx, out);
}

/// Properties of the events that are asked about in conditions and of last events in fields.
fn of_events(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut check = |place: Place, metric: &str, name: &str| {
        let Some(known) = event_properties(cx.workspace, metric) else { return };
        if known.contains_key(name) || OF_EVENTS.contains(&name) {
            return;
        }
        let message = format!("The event \u{201c}{metric}\u{201d} is not known to have `{name}`");
        out.push(CHECK.spec.at(place, message).hint(nearest::hint(name, known.keys().copied().chain(OF_EVENTS))));
    };
    for written in cx.conditions() {
        for part in parts(written.condition.condition()) {
            let Condition::Events(query) = part else { continue };
            let measured = match &query.measure {
                crate::audience::condition::Measure::Count => None,
                crate::audience::condition::Measure::Sum(path) | crate::audience::condition::Measure::Max(path) => {
                    Some(path)
                }
            };
            let filtered = query.filter.as_deref().into_iter().flat_map(parts).flat_map(paths);
            for path in filtered.chain(measured).filter(|path| path.root == Root::Event) {
                check(written.place(), &query.metric, path.steps.first().map_or("", |name| name.as_str()));
            }
        }
    }
    for field in cx.flow.fields() {
        if let FieldSource::LastEvent { event, path } = &field.source {
            check(Place::default().with_field(format!("fields.{}", field.name)), event, first(path));
        }
    }
}

fn first(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

/// The paths of one part of a condition, without those of parts inside it.
fn paths(part: &Condition) -> Vec<&Path> {
    match part {
        Condition::Compare { left, right: Operand::Path(right), .. } => vec![left, right],
        Condition::Compare { left, .. } => vec![left],
        Condition::IsSet(path) => vec![path],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    const WORKSPACE: &str = r#"properties: {"lifetime_value": number, "renewal": date}, events: [(name: "A", properties: {"cart_id": text}), (name: "B")]"#;
    const TRIGGER: &str = r#"(id: "t", kind: "trigger", settings: (any: [event(event: "A")]))"#;

    #[test]
    fn fixtures() {
        on(&format!(
            r#"settings: (exit_when: "contact.lifetime_vlaue > 5 or trigger.cart = \"x\" or did \"A\" where (event.crat_id = trigger.cart_id) since entry"),
            fields: [(name: "a", source: contact("renewl")), (name: "b", source: trigger("cartid.x")), (name: "c", source: last_event(event: "A", path: "x"))],
            nodes: [{TRIGGER}, (id: "d", kind: "delay", settings: (wait: date(property: "contact.renewl")))]"#
        ))
        .within(WORKSPACE)
        .check(
            &CHECK,
            &["fields.a", "fields.b", "fields.c", "settings.exit_when", "settings.exit_when", "settings.exit_when", "step d, wait"],
        );
        let good = format!(
            r#"settings: (exit_when: "contact.lifetime_value > 5 and contact.email is set or did \"B\" where (event.x = trigger.cart_id and event.id = trigger.id) since entry"),
            fields: [(name: "a", source: contact("renewal")), (name: "b", source: trigger("cart_id.x")), (name: "c", source: last_event(event: "B", path: "x"))],
            nodes: [{TRIGGER}, (id: "d", kind: "delay", settings: (wait: date(property: "contact.renewal")))]"#
        );
        on(&good).within(WORKSPACE).silent(&CHECK);
        on(&good).silent(&CHECK);
    }
}
