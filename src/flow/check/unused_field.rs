//! `field/unused`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "field/unused",
        severity: Severity::Hint,
        title: "A field that no text uses",
        what: "The flow declares a field that none of its messages, webhooks, alerts or tracking parameters uses.",
        why: "It is exported and explained to the client for nothing, or a tag was forgotten.",
        example: "fields: [(name: \"coupon\", …)] and no {coupon} anywhere",
        fix: "Use it, or delete it.",
        source: "DESIGN 3 (fields)",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for field in cx.flow.fields().filter(|field| !cx.used_names().contains(field.name.as_str())) {
        let place = Place::default().with_field(format!("fields.{}", field.name));
        out.push(
            CHECK
                .spec
                .at(place, format!("No text uses the field `{}`", field.name))
                .hint("Use it, or delete it")
                .fix("Delete the field", vec![Edit::RemoveMergeField(field.name.clone())]),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let fields = r#"settings: (tracking: {"t": "{c}"}), fields: [(name: "a", source: contact("a")), (name: "b", source: contact("b")), (name: "c", source: contact("c")), (name: "d", source: contact("d")), (name: "e", source: contact("e"))]"#;
        on(&format!(
            r#"{fields}, messages: [(id: "m", subject: "{{a}}", body: blocks([products(items: "d"), text(text: "b", show_if: "e > 3")]))]"#
        ))
        .mends(&CHECK, &["fields.b"]);
        on(&format!(
            r#"{fields}, messages: [(id: "m", subject: "{{{{ a }}}} {{b}} {{% if d %}}{{% endif %}} {{e}}")]"#
        ))
        .silent(&CHECK);
    }
}
