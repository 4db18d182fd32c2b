//! `time/past-date`

use super::{Check, CheckSpec, Context, Finding, context::parts};
use crate::{
    audience::{
        Condition, Path, Value,
        condition::{CompareOp, Operand, Root},
    },
    base::{Instant, Place, Severity, Zone},
    content::FieldSource,
    kinds::{Settings, logic::delay::Wait},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "time/past-date",
        severity: Severity::Warning,
        title: "A date that has passed",
        what: "A constant date that the flow uses, or a date that an event should lie before, is older than the newest \
               event of the audience. There is no clock here, so without an audience nothing is said.",
        why: "An offer that has ended is still promised, or a condition on new events is never true again.",
        example: "constants: {\"sale_ends\": \"2024-11-30\"}, and a mail that says so",
        fix: "Write the new date, or take the flow out of use.",
        source: "SEMANTICS R18",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(newest) = cx.around.audience.and_then(|audience| audience.events.iter().map(|event| event.happened).max())
    else {
        return;
    };
    let zone = cx.workspace.default_zone();
    let is_past = |value: &Value| end_of(value, &zone).is_some_and(|end| end <= newest);
    for (name, value) in cx.settings.constants.iter().filter(|(_, value)| is_past(value)) {
        if is_used(cx, name) {
            let place = Place::default().with_field(format!("settings.constants.{name}"));
            let message = format!("`{name}` is {value}, which had passed when the newest event happened");
            out.push(CHECK.spec.at(place, message).hint("Write the new date, or take the flow out of use"));
        }
    }
    for written in cx.conditions() {
        for part in parts(written.condition.condition()) {
            if let Condition::Compare { left, op, right: Operand::Value(value) } = part
                && is_event_time(left)
                && matches!(op, CompareOp::Lt | CompareOp::Le | CompareOp::Eq)
                && is_past(value)
            {
                let message = format!("No new event can lie before {value}, which has passed");
                out.push(CHECK.spec.at(written.place(), message).hint("Write the new date, or take the condition out"));
                break;
            }
        }
    }
}

/// The instant at which a date is over.
fn end_of(value: &Value, zone: &Zone) -> Option<Instant> {
    match value {
        Value::Instant(at) => Some(*at),
        Value::Date(date) => Some(zone.instant_of(date.tomorrow().ok()?.to_datetime(jiff::civil::Time::midnight()))),
        _ => None,
    }
}

fn is_event_time(path: &Path) -> bool {
    matches!(path.root, Root::Event | Root::Trigger) && path.steps.len() == 1 && path.steps[0] == "happened"
}

fn is_constant(path: &Path, name: &str) -> bool {
    path.root == Root::Constant && path.steps.first().is_some_and(|step| step == name)
}

fn is_used(cx: &Context<'_>, name: &str) -> bool {
    let in_condition = |condition: &Condition| {
        parts(condition).into_iter().any(|part| match part {
            Condition::Compare { left, right, .. } => {
                is_constant(left, name) || matches!(right, Operand::Path(path) if is_constant(path, name))
            }
            _ => false,
        })
    };
    cx.conditions().iter().any(|written| in_condition(written.condition.condition()))
        || cx.flow.fields().any(|f| {
            matches!(&f.source, FieldSource::Constant(n) if n == name) && cx.used_names().contains(f.name.as_str())
        })
        || cx.steps().any(|(_, _, settings)| {
            let Settings::Delay(delay) = settings else { return false };
            matches!(&delay.wait, Wait::Date { property, .. } if is_constant(property, name))
        })
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};
    use crate::audience::{Audience, Event};

    fn audience() -> Audience {
        let at = Instant::parse("2026-11-23T12:00:00Z").expect("written right");
        let event = Event {
            id: "e".into(),
            contact: "c".into(),
            name: "A".into(),
            happened: at,
            accepted: at,
            properties: Default::default(),
        };
        Audience { events: vec![event], ..Audience::default() }
    }

    #[test]
    fn fixtures() {
        let parts = |date: &str| {
            on(&format!(
                r#"settings: (constants: {{"ends": "{date}", "unused": "2000-01-01"}}, exit_when: "constant.ends < now"), nodes: [(id: "w", kind: "wait_for_event", settings: (event: "A", filter: "event.happened < {date}", timeout: "1 day"))]"#
            ))
        };
        parts("2026-11-22").with(audience()).check(&CHECK, &["settings.constants.ends", "step w, filter"]);
        parts("2026-11-23").with(audience()).silent(&CHECK);
        parts("2026-11-22").silent(&CHECK);
    }

    #[test]
    fn in_a_mail() {
        let parts = r#"settings: (constants: {"ends": "2026-11-01"}), fields: [(name: "ends", kind: date, source: constant("ends"))], messages: [(id: "m", subject: "Until SUBJECT")]"#;
        on(&parts.replace("SUBJECT", "{ends}")).with(audience()).check(&CHECK, &["settings.constants.ends"]);
        on(&parts.replace("SUBJECT", "soon")).with(audience()).silent(&CHECK);
    }
}
