//! `settings/unknown-kind`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity, nearest},
    kinds::{CATALOGUE, Group, SettingsError},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "settings/unknown-kind",
        severity: Severity::Error,
        title: "A kind of step that is not known",
        what: "The step is of a kind that this version does not have. It is kept as written.",
        why: "What it should do is not known, so a journey ends there.",
        example: "(id: \"a\", kind: \"e-mail\", …)",
        fix: "Write one of the kinds that `flowloom kinds` lists, or get a newer Flowloom.",
        source: "DESIGN 6",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for node in &cx.flow.nodes {
        if node.settings.error() != Some(&SettingsError::UnknownKind) {
            continue;
        }
        let kinds = || CATALOGUE.iter().filter(|spec| spec.group != Group::Trigger || spec.name == "trigger");
        let hint = match nearest::nearest(&node.kind, kinds().map(|spec| spec.name)) {
            Some(near) => format!("Did you mean `{near}`?"),
            None if CATALOGUE.iter().any(|spec| spec.name == node.kind) => {
                format!("`{}` is an alternative of the step `trigger`: any: [{}(…)]", node.kind, node.kind)
            }
            None => "`flowloom kinds` lists the kinds there are".to_owned(),
        };
        let message = format!("`{}` is no kind of step that this version knows", node.kind);
        out.push(CHECK.spec.at(Place::node(&node.id), message).hint(hint));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let fixture = on(
            r#"nodes: [(id: "a", kind: "e-mail"), (id: "b", kind: "teleport", settings: (to: mars)), (id: "c", kind: "abandonment")]"#,
        );
        fixture.check(&CHECK, &["step a", "step b", "step c"]);
        on(r#"nodes: [(id: "a", kind: "goal")]"#).silent(&CHECK);
    }
}
