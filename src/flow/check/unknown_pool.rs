//! `names/unknown-pool`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity, nearest},
    content::FieldSource,
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "names/unknown-pool",
        severity: Severity::Error,
        title: "A code pool that does not exist",
        what: "A field takes its code from a pool that the workspace does not have.",
        why: "There is no code to give, so every mail that shows it is held.",
        example: "source: code(pool: \"welcom\")",
        fix: "Correct the name, or add the pool to the workspace.",
        source: "SEMANTICS R27",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let known = || cx.workspace.code_pools.iter().map(|pool| pool.name.as_str());
    for field in cx.flow.fields() {
        let FieldSource::Code { pool } = &field.source else { continue };
        if known().any(|name| name == pool) {
            continue;
        }
        let place = Place::default().with_field(format!("fields.{}", field.name));
        let finding = CHECK.spec.at(place, format!("The workspace has no code pool `{pool}`"));
        let finding = finding.hint(nearest::hint(pool, known()));
        out.push(match nearest::nearest(pool, known()) {
            Some(near) => {
                let mut mended = field.clone();
                mended.source = FieldSource::Code { pool: near.into() };
                finding.fix(format!("Take codes from `{near}`"), vec![Edit::SetMergeField(Box::new(mended))])
            }
            None => finding,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let pools = r#"code_pools: [(name: "welcome", shared: "HI")]"#;
        let parts = |name: &str| on(&format!(r#"fields: [(name: "code", source: code(pool: "{name}"))]"#));
        parts("welcom").within(pools).mends(&CHECK, &["fields.code"]);
        parts("welcome").check(&CHECK, &["fields.code"]);
        parts("welcome").within(pools).silent(&CHECK);
    }
}
