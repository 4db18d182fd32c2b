//! `tracking/unknown-field`

use std::collections::BTreeSet;

use super::{Check, CheckSpec, Context, Finding, ron_of, texts::Text};
use crate::{
    base::{Place, Severity, nearest},
    content::OF_THE_MAIL,
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "tracking/unknown-field",
        severity: Severity::Error,
        title: "A tracking parameter with an unknown field",
        what: "A parameter that is added to links has a tag that is no field of the flow.",
        why: "Every link of every mail would carry the braces, and statistics would count them.",
        example: "tracking: {\"utm_content\": \"{varaint}\"}",
        fix: "Correct the name, or declare the field.",
        source: "DESIGN 3 (tracking parameters)",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let fields: Vec<&str> = cx.flow.fields().map(|field| field.name.as_str()).chain(OF_THE_MAIL).collect();
    for (parameter, value) in &cx.settings.tracking {
        let mut names = BTreeSet::new();
        Text::Template(value).names(&mut names);
        let Some(unknown) = names.into_iter().find(|name| !fields.contains(name)) else { continue };
        let place = Place::default().with_field(format!("settings.tracking.{parameter}"));
        let finding =
            CHECK.spec.at(place, format!("`{unknown}` in the parameter `{parameter}` is no field of the flow"));
        let finding = finding.hint(nearest::hint(unknown, fields.iter().copied()));
        let mended = nearest::nearest(unknown, fields.iter().copied()).and_then(|near| {
            let mut tracking = cx.settings.tracking.clone();
            tracking.insert(parameter.clone(), value.replace(unknown, near));
            Some((near, ron_of(&tracking)?))
        });
        out.push(match mended {
            Some((near, value)) => finding.fix(
                format!("Write `{near}`"),
                vec![Edit::SetFlowField { field: "tracking".into(), value: Some(value) }],
            ),
            None => finding,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let parts = |value: &str| {
            on(&format!(
                r#"settings: (tracking: {{"utm_content": "{value}"}}), fields: [(name: "tone", source: contact("x"))]"#
            ))
        };
        parts("{toen}").mends(&CHECK, &["settings.tracking.utm_content"]);
        parts("{colour}").check(&CHECK, &["settings.tracking.utm_content"]);
        parts("{tone}-{message}").silent(&CHECK);
        parts("plain").silent(&CHECK);
    }
}
