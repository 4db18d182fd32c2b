//! `workspace/duplicate-flow`

use super::{Check, CheckSpec, Context, Finding};
use crate::base::{Place, Severity};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "workspace/duplicate-flow",
        severity: Severity::Error,
        title: "Two flows of one id",
        what: "Another flow of the workspace has the same id.",
        why: "Journeys, caps and goals know a flow by its id, so the two would count as one; they are not played together.",
        example: "A copy of a flow file in which the id was left as it was.",
        fix: "Give one of the two another id.",
        source: "DESIGN 6 (ids are never reused)",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    if let Some(other) = cx.around.other_flows.iter().find(|flow| flow.id == cx.flow.id) {
        let message = format!("Another flow of the workspace, “{}”, has the id `{}` too", other.name, cx.flow.id);
        out.push(CHECK.spec.at(Place::default().with_field("id"), message).hint("Give one of the two another id"));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on("").beside("g", "").silent(&CHECK);
        on("").beside("g", "").beside("f", "").check(&CHECK, &["id"]);
    }
}
