//! `settings/unreadable`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity, TextRange, text},
    flow::Section,
    kinds::SettingsError,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "settings/unreadable",
        severity: Severity::Error,
        title: "A part that cannot be read",
        what: "The settings of a step or of the flow, a field or a message do not have the form they need. The text is \
               kept as written, and the part counts as not there.",
        why: "The rest of the flow is shown and checked, but this part cannot do what it says.",
        example: "(id: \"wait\", kind: \"delay\", settings: (wait: for(\"4 hrs of rest\")))",
        fix: "Mend the text at the line and column that the message names, counted from where the part begins.",
        source: "DESIGN 6, STYLE 7",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    part("The settings of the flow", Place::default().with_field("settings"), &cx.flow.settings, out);
    for node in &cx.flow.nodes {
        part("The settings of the step", Place::node(&node.id), &node.settings, out);
    }
    for (n, field) in cx.flow.fields.iter().enumerate() {
        part("The field", Place::default().with_field(format!("fields.{n}")), field, out);
    }
    for message in &cx.flow.messages {
        part("The message", Place::message(&message.id), &message.section, out);
    }
}

fn part<T>(what: &str, place: Place, section: &Section<T>, out: &mut Vec<Finding>) {
    let Some(SettingsError::Unreadable { message, line_column: (line, column) }) = section.error() else { return };
    let at = text::offset_of(section.raw(), *line, *column);
    out.push(
        CHECK
            .spec
            .at(
                place.with_range(TextRange::new(at, at)),
                format!(
                    "{what} cannot be read at line {line}, column {column} of it: {}",
                    message.trim_end_matches('.')
                ),
            )
            .hint("Mend that place; the text is kept as written until then"),
    );
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on(r#"settings: (reentry: sometimes), fields: [(name: 3)], nodes: [(id: "a", kind: "delay", settings: (wait: for("soon"))), (id: "b", kind: "teleport")], messages: [(id: "m", subjet: "x")]"#)
            .check(&CHECK, &["fields.0", "settings", "message m", "step a"]);
        on(r#"settings: (), nodes: [(id: "a", kind: "delay", settings: (wait: for("4 h")))], messages: [(id: "m")]"#)
            .silent(&CHECK);
    }
}
