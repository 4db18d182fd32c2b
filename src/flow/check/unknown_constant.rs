//! `names/unknown-constant`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    audience::{
        Path,
        condition::{Reference, Root},
    },
    base::{Place, Severity, nearest},
    content::FieldSource,
    kinds::{Settings, logic::delay::Wait},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "names/unknown-constant",
        severity: Severity::Error,
        title: "A constant that does not exist",
        what: "A condition, field or delay names a constant that the flow's settings do not have.",
        why: "The value is missing for everybody: the condition never holds, the mail is held.",
        example: "contact.cart_value > constant.treshold",
        fix: "Correct the name, or add it: constants: {\"threshold\": 1000}.",
        source: "DESIGN 3 (flow settings)",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut check = |place: Place, name: &str| {
        if !cx.settings.constants.contains_key(name) {
            let hint = nearest::hint(name, cx.settings.constants.keys().map(|known| known.as_str()));
            out.push(CHECK.spec.at(place, format!("The flow has no constant `{name}`")).hint(hint));
        }
    };
    for written in cx.conditions() {
        for (place, reference) in written.references() {
            if let Reference::Path(path) = reference
                && let Some(name) = name_of(path)
            {
                check(place, name);
            }
        }
    }
    for field in cx.flow.fields() {
        if let FieldSource::Constant(name) = &field.source {
            check(Place::default().with_field(format!("fields.{}", field.name)), name);
        }
    }
    for (_, node, settings) in cx.steps() {
        if let Settings::Delay(delay) = settings
            && let Wait::Date { property, .. } = &delay.wait
            && let Some(name) = name_of(property)
        {
            check(Place::node(&node.id).with_field("wait"), name);
        }
    }
}

fn name_of(path: &Path) -> Option<&str> {
    if path.root == Root::Constant { path.steps.first().map(|name| name.as_str()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let parts = |name: &str| {
            on(&format!(
                r#"settings: (constants: {{"threshold": 5, "ends": "2026-11-30"}}, exit_when: "contact.x > constant.{name}"), fields: [(name: "f", source: constant("{name}"))], nodes: [(id: "d", kind: "delay", settings: (wait: date(property: "constant.{name}")))]"#
            ))
        };
        parts("treshold").check(&CHECK, &["fields.f", "settings.exit_when", "step d, wait"]);
        parts("threshold").silent(&CHECK);
        parts("ends").silent(&CHECK);
    }
}
