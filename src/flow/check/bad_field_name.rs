//! `field/bad-name`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    content::RESERVED_LINKS,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "field/bad-name",
        severity: Severity::Error,
        title: "A field whose name no template can write",
        what: "The name of a field is not made of letters, digits and _ beginning with a letter, or is one that every \
               mail has already.",
        why: "Every target writes tags by name; one with a space or hyphen is read as something else.",
        example: "(name: \"first-name\", …)",
        fix: "Rename it, and the tags that use it: first_name.",
        source: "references, mail rendering, safe subset",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for field in cx.flow.fields() {
        let name = field.name.as_str();
        let written_right = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && name.len() <= 64;
        let taken = RESERVED_LINKS.contains(&name) || name == "loop";
        if written_right && !taken {
            continue;
        }
        let message = if taken {
            format!("`{name}` is a name that every mail has already")
        } else {
            format!("`{name}` cannot be the name of a field")
        };
        out.push(
            CHECK
                .spec
                .at(Place::default().with_field(format!("fields.{name}")), message)
                .hint("Use letters, digits and _, beginning with a letter"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on(r#"fields: [(name: "first-name", source: contact("a")), (name: "1st", source: contact("a")), (name: "view_url", source: contact("a")), (name: "", source: contact("a"))]"#)
            .check(&CHECK, &["fields.", "fields.1st", "fields.first-name", "fields.view_url"]);
        on(r#"fields: [(name: "first_name2", source: contact("a"))]"#).silent(&CHECK);
    }
}
