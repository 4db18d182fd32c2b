//! `names/unknown-event`

use super::{
    Check, CheckSpec, Context, Finding, Workspace, WorkspaceCheck,
    context::{Written, workspace_conditions},
    ron_of,
};
use crate::{
    audience::condition::Reference,
    base::{Place, Severity, nearest},
    flow::{Edit, Node},
    kinds::{Alternative, EventMatch, Settings},
};

const SPEC: CheckSpec = CheckSpec {
    code: "names/unknown-event",
    severity: Severity::Warning,
    title: "An event that is not in the catalogue",
    what: "A trigger, wait, condition, field or score names an event that the workspace's catalogue does not have. \
           Without a catalogue every name is taken as it is.",
    why: "An event with a misspelt name never comes: nobody enters, nobody leaves, no mail stops.",
    example: "event(event: \"Placed order\") where the catalogue has \"Placed Order\"",
    fix: "Correct the name, or add the event to the catalogue.",
    source: "DESIGN 3 (workspace)",
};

pub(super) const CHECK: Check = Check { spec: SPEC, run };
pub(super) const WORKSPACE: WorkspaceCheck = WorkspaceCheck { spec: SPEC, run: run_workspace };

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    if cx.workspace.events.is_empty() {
        return;
    }
    for (_, node, settings) in cx.steps() {
        match settings {
            Settings::Trigger(trigger) => {
                for (n, alternative) in trigger.any.iter().enumerate() {
                    for (field, metric) in named(alternative) {
                        let place = Place::node(&node.id).with_field(format!("any.{n}.{field}"));
                        let Some((finding, near)) = unknown(cx.workspace, place, metric) else { continue };
                        out.push(mended(finding, node, near, |near| {
                            let mut mended = trigger.clone();
                            mended.any.iter_mut().for_each(|a| rename(a, metric, near));
                            Some(Settings::Trigger(mended).to_ron())
                        }));
                    }
                }
            }
            Settings::WaitForEvent(wait) => {
                let place = Place::node(&node.id).with_field("event");
                let Some((finding, near)) = unknown(cx.workspace, place, &wait.event) else { continue };
                out.push(match near.and_then(|near| Some((near, ron_of(near)?))) {
                    Some((near, value)) => finding.fix(
                        format!("Wait for \u{201c}{near}\u{201d}"),
                        vec![Edit::SetField { id: node.id.clone(), field: "event".into(), value: Some(value) }],
                    ),
                    None => finding,
                });
            }
            _ => {}
        }
    }
    for field in cx.flow.fields() {
        if let Some(metric) = field.source.event() {
            let place = Place::default().with_field(format!("fields.{}", field.name));
            out.extend(unknown(cx.workspace, place, metric).map(|(finding, _)| finding));
        }
    }
    in_conditions(cx.workspace, cx.conditions(), out);
}

fn run_workspace(workspace: &Workspace, out: &mut Vec<Finding>) {
    if workspace.events.is_empty() {
        return;
    }
    for model in &workspace.scores {
        for (n, signal) in model.signals.iter().enumerate() {
            let place = Place::default().with_field(format!("scores.{}.signals.{n}", model.name));
            out.extend(unknown(workspace, place, &signal.event).map(|(finding, _)| finding));
        }
    }
    in_conditions(workspace, &workspace_conditions(workspace), out);
}

fn in_conditions(workspace: &Workspace, conditions: &[Written<'_>], out: &mut Vec<Finding>) {
    for written in conditions {
        for (place, reference) in written.references() {
            if let Reference::Metric(metric) = reference {
                out.extend(unknown(workspace, place, metric).map(|(finding, _)| finding));
            }
        }
    }
}

/// Names that begin with `$` are responses, which every workspace has.
fn unknown<'a>(workspace: &'a Workspace, place: Place, metric: &str) -> Option<(Finding, Option<&'a str>)> {
    if metric.starts_with('$') || workspace.event(metric).is_some() {
        return None;
    }
    let known = || workspace.events.iter().map(|event| event.name.as_str());
    let finding = SPEC.at(place, format!("The catalogue has no event \u{201c}{metric}\u{201d}"));
    Some((finding.hint(nearest::hint(metric, known())), nearest::nearest(metric, known())))
}

fn mended(finding: Finding, node: &Node, near: Option<&str>, settings: impl Fn(&str) -> Option<String>) -> Finding {
    match near.and_then(|near| Some((near, settings(near)?))) {
        Some((near, ron)) => finding.fix(
            format!("Write \u{201c}{near}\u{201d}"),
            vec![Edit::SetSettings { id: node.id.clone(), kind: None, ron }],
        ),
        None => finding,
    }
}

/// The events that an alternative names, with the settings they stand in.
fn named(alternative: &Alternative) -> Vec<(String, &str)> {
    fn of_list(list: &[EventMatch]) -> impl Iterator<Item = (String, &str)> {
        list.iter().enumerate().map(|(n, m)| (format!("unless.{n}.event"), m.event.as_str()))
    }
    match alternative {
        Alternative::Event(t) => vec![("event".to_owned(), &t.event)],
        Alternative::Abandonment(t) => {
            std::iter::once(("start".to_owned(), t.start.as_str())).chain(of_list(&t.unless)).collect()
        }
        Alternative::Engagement(t) => {
            std::iter::once(("event".to_owned(), t.event.as_str())).chain(of_list(&t.unless)).collect()
        }
        Alternative::Inactivity(t) => {
            t.events.iter().enumerate().map(|(n, event)| (format!("events.{n}"), event.as_str())).collect()
        }
        Alternative::Score(_)
        | Alternative::Segment(_)
        | Alternative::List(_)
        | Alternative::Date(_)
        | Alternative::Foreign(_) => Vec::new(),
    }
}

fn rename(alternative: &mut Alternative, from: &str, to: &str) {
    let change = |name: &mut smol_str::SmolStr| {
        if name == from {
            *name = to.into();
        }
    };
    let all = |list: &mut Vec<EventMatch>| list.iter_mut().for_each(|m| change(&mut m.event));
    match alternative {
        Alternative::Event(t) => change(&mut t.event),
        Alternative::Abandonment(t) => {
            change(&mut t.start);
            all(&mut t.unless);
        }
        Alternative::Engagement(t) => {
            change(&mut t.event);
            all(&mut t.unless);
        }
        Alternative::Inactivity(t) => t.events.iter_mut().for_each(change),
        Alternative::Score(_)
        | Alternative::Segment(_)
        | Alternative::List(_)
        | Alternative::Date(_)
        | Alternative::Foreign(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixture::{check_places, on},
        *,
    };

    const CATALOGUE: &str = r#"events: [(name: "Placed Order"), (name: "Viewed")]"#;

    #[test]
    fn fixtures() {
        on(r#"nodes: [(id: "t", kind: "trigger", settings: (any: [abandonment(start: "Veiwed", unless: [(event: "Placed Ordr")], after: "1 h")])), (id: "w", kind: "wait_for_event", settings: (event: "placed-order", timeout: "1 day"))]"#)
            .within(CATALOGUE)
            .mends(&CHECK, &["step t, any.0.start", "step t, any.0.unless.0.event", "step w, event"]);
        on(r#"settings: (exit_when: "did \"Paid\" ever"), fields: [(name: "n", source: last_event(event: "Veiwed", path: "x"))]"#)
            .within(CATALOGUE)
            .check(&CHECK, &["fields.n", "settings.exit_when"]);
        let good = r#"settings: (exit_when: "did \"Viewed\" ever"), nodes: [(id: "w", kind: "wait_for_event", settings: (event: "$opened", timeout: "1 day")), (id: "v", kind: "wait_for_event", settings: (event: "Viewed", timeout: "1 day"))]"#;
        on(good).within(CATALOGUE).silent(&CHECK);
        on(r#"nodes: [(id: "w", kind: "wait_for_event", settings: (event: "Anything", timeout: "1 day"))]"#)
            .silent(&CHECK);
    }

    #[test]
    fn of_a_workspace() {
        let parts =
            r#"segments: {"A": "did \"Seen\" ever"}, scores: [(name: "s", signals: [(event: "Veiwed", points: 1)])]"#;
        check_places(&WORKSPACE, &format!("{CATALOGUE}, {parts}"), &["scores.s.signals.0", "segments.A"]);
        check_places(&WORKSPACE, parts, &[]);
    }
}
