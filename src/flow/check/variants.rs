//! `message/no-weight`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "message/no-weight",
        severity: Severity::Error,
        title: "Variants that cannot be dealt",
        what: "No variant of a message has any weight.",
        why: "Contacts are dealt to variants by weight; with none, nobody gets the message.",
        example: "variants: [(id: \"a\", weight: 0, …), (id: \"b\", weight: 0, …)]",
        fix: "Give at least one of them a weight above 0.",
        source: "SEMANTICS R19",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for message in cx.flow.messages.iter().filter_map(|m| m.section.value()) {
        let place = || Place::message(&message.id).with_field("variants");
        if message.variants.iter().all(|variant| variant.weight == 0) {
            let text = format!("No variant of `{}` has any weight, so nobody gets one", message.id);
            let mut mended = message.clone();
            mended.variants.iter_mut().for_each(|variant| variant.weight = 1);
            out.push(
                CHECK
                    .spec
                    .at(place(), text)
                    .hint("Give at least one a weight above 0")
                    .fix("Give all the same weight", vec![Edit::SetMessage(Box::new(mended))]),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on(r#"messages: [(id: "m", variants: [(id: "a", weight: 0), (id: "b", weight: 0)])]"#)
            .mends(&CHECK, &["message m, variants"]);
        on(r#"messages: [(id: "m", variants: [(id: "a", weight: 0), (id: "b")]), (id: "n")]"#).silent(&CHECK);
    }
}
