//! `field/empty-pool`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    content::FieldSource,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "field/empty-pool",
        severity: Severity::Error,
        title: "A code pool without codes",
        what: "A field takes its code from a pool that has neither codes nor a shared one.",
        why: "An empty pool holds every mail that shows the code.",
        example: "code_pools: [(name: \"welcome\")]",
        fix: "Fill the pool, or give it one code for everybody: shared: \"WELCOME10\".",
        source: "SEMANTICS R27",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for field in cx.flow.fields() {
        let FieldSource::Code { pool } = &field.source else { continue };
        let found = cx.workspace.code_pools.iter().find(|known| known.name == *pool);
        if found.is_some_and(|pool| pool.codes.is_empty() && pool.shared.as_deref().is_none_or(str::is_empty)) {
            let place = Place::default().with_field(format!("fields.{}", field.name));
            let finding = CHECK
                .spec
                .at(place, format!("The code pool `{pool}` is empty, so mails with `{}` are held", field.name))
                .hint("Fill the pool, or give it one code for everybody");
            // A coupon of Klaviyo has its codes there; only here they are missing.
            let is_elsewhere = found.is_some_and(|pool| pool.klaviyo.is_some());
            out.push(if is_elsewhere { finding.severity(Severity::Warning) } else { finding });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let parts = r#"fields: [(name: "code", source: code(pool: "p"))]"#;
        on(parts).within(r#"code_pools: [(name: "p")]"#).check(&CHECK, &["fields.code"]);
        on(parts).within(r#"code_pools: [(name: "p", klaviyo: "P")]"#).check(&CHECK, &["fields.code"]);
        on(parts).within(r#"code_pools: [(name: "p", codes: ["A"])]"#).silent(&CHECK);
        on(parts).within(r#"code_pools: [(name: "p", shared: "A"), (name: "q")]"#).silent(&CHECK);
        on(parts).silent(&CHECK);
    }
}
