//! `settings/pass-limit`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "settings/pass-limit",
        severity: Severity::Error,
        title: "A pass limit of 0",
        what: "The most arrivals of a journey at one step are none.",
        why: "A pass is the first, second, … arrival at a step; with none allowed no journey gets anywhere.",
        example: "pass_limit: 0",
        fix: "Write 1 or more, or leave it out for 10.",
        source: "SEMANTICS R20",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    if cx.settings.pass_limit == 0 {
        out.push(
            CHECK
                .spec
                .at(Place::default().with_field("settings.pass_limit"), "No journey may arrive at any step")
                .hint("Write 1 or more, or leave it out for 10")
                .fix("Leave it out", vec![Edit::SetFlowField { field: "pass_limit".into(), value: None }]),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on("settings: (pass_limit: 0)").mends(&CHECK, &["settings.pass_limit"]);
        on("settings: (pass_limit: 1)").silent(&CHECK);
    }
}
