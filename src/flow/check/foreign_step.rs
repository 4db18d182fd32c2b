//! `import/foreign-step`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    kinds::{Alternative, Settings},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "import/foreign-step",
        severity: Severity::Warning,
        title: "A step only its platform knows",
        what: "An imported step or trigger does something that Flowloom has no kind for.",
        why: "It goes back to its platform unchanged, but here contacts pass it at once, and nobody enters by such a trigger: the simulation shows less than the platform does.",
        example: "(id: \"t\", kind: \"foreign\", settings: (origin: klaviyo, action: \"target-date\", json: \"{...}\"))",
        fix: "Leave it when the flow goes back there; otherwise draw what it does with other steps.",
        source: "DESIGN 6, unknown content is kept",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (_, node, settings) in cx.steps() {
        let Settings::Foreign(step) = settings else { continue };
        let message = format!("Only {} knows what `{}` does; contacts pass it here", step.origin.title(), step.action);
        out.push(CHECK.spec.at(Place::node(&node.id), message).hint("Draw what it does with other steps, or leave it"));
    }
    for (place, alternative) in cx.alternatives() {
        let Alternative::Foreign(trigger) = alternative else { continue };
        let message = format!("Only {} knows when `{}` happens; nobody enters here", trigger.origin.title(), trigger.trigger);
        out.push(CHECK.spec.at(place, message).hint("Choose a trigger of Flowloom, or leave it"));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on(r#"nodes: [(id: "t", kind: "trigger", settings: (any: [foreign(origin: klaviyo, trigger: "price-drop", json: "{}")])), (id: "n", kind: "foreign", settings: (origin: hubspot, action: "0-28", json: "{}"))]"#)
            .check(&CHECK, &["step n", "step t, any.0"]);
        on(r#"nodes: [(id: "t", kind: "trigger", settings: (any: [event(event: "Viewed")])), (id: "n", kind: "exit")]"#)
            .silent(&CHECK);
    }
}
