//! `trigger/not-a-date`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    audience::{Path, ValueType, condition::Root},
    base::{Place, Severity},
    kinds::{Alternative, Settings, logic::delay::Wait},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "trigger/not-a-date",
        severity: Severity::Error,
        title: "A date that is none",
        what: "A date trigger or a delay until a date names a value that the workspace declares as something else, or a \
               trigger names one that is not a property of the contact.",
        why: "Nothing is ever due: the trigger never fires, and the delay treats every contact as past.",
        example: "date(property: \"contact.first_name\")",
        fix: "Name a property of the type date or instant.",
        source: "SEMANTICS R10, R18",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (place, alternative) in cx.alternatives() {
        let Alternative::Date(trigger) = alternative else { continue };
        if trigger.property.root != Root::Contact {
            let message = format!("`{}` is no property of the contact, so no date of it is known", trigger.property);
            out.push(CHECK.spec.at(place, message).hint("Name a property of the contact, such as contact.birthday"));
            continue;
        }
        out.extend(wrong_type(cx, place, &trigger.property));
    }
    for (_, node, settings) in cx.steps() {
        if let Settings::Delay(delay) = settings
            && let Wait::Date { property, .. } = &delay.wait
        {
            out.extend(wrong_type(cx, Place::node(&node.id).with_field("wait"), property));
        }
    }
}

fn wrong_type(cx: &Context<'_>, place: Place, path: &Path) -> Option<Finding> {
    let [name] = path.steps.as_slice() else { return None };
    let kind = match path.root {
        Root::Contact => *cx.workspace.properties.get(name)?,
        Root::Trigger | Root::Event => *cx.entry_properties()?.get(name.as_str())?,
        Root::Constant => cx.settings.constants.get(name)?.value_type(),
    };
    if matches!(kind, ValueType::Date | ValueType::Instant) {
        return None;
    }
    let message = format!("`{path}` is of the type {}, not a date", kind.title());
    Some(CHECK.spec.at(place, message).hint("Name a property of the type date or instant"))
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let workspace = r#"properties: {"name": text, "birthday": date}, events: [(name: "A", properties: {"expires": instant, "size": number})]"#;
        let trigger = |path: &str| {
            on(&format!(r#"nodes: [(id: "t", kind: "trigger", settings: (any: [date(property: "{path}")]))]"#))
                .within(workspace)
        };
        let delay = |path: &str| {
            on(&format!(
                r#"settings: (constants: {{"n": 5, "ends": "2026-11-30"}}), nodes: [(id: "t", kind: "trigger", settings: (any: [event(event: "A")])), (id: "d", kind: "delay", settings: (wait: date(property: "{path}")))]"#
            ))
            .within(workspace)
        };
        trigger("contact.name").check(&CHECK, &["step t, any.0"]);
        trigger("trigger.expires").check(&CHECK, &["step t, any.0"]);
        trigger("contact.birthday").silent(&CHECK);
        trigger("contact.renewal").silent(&CHECK);
        for path in ["contact.name", "trigger.size", "constant.n"] {
            delay(path).check(&CHECK, &["step d, wait"]);
        }
        for path in ["contact.birthday", "trigger.expires", "constant.ends", "contact.a.b"] {
            delay(path).silent(&CHECK);
        }
    }
}
