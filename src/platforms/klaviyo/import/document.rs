//! The shapes in which flows of Klaviyo come: create bodies, answers, lists of both, bare definitions.

use serde_json::{Map, Value as Json};

use crate::base::{Diagnostic, Place};

/// A definition, and what stood around it.
pub(super) struct Document<'a> {
    pub name: Option<&'a str>,
    pub definition: &'a Map<String, Json>,
    /// Where the definition stands.
    pub pointer: String,
    /// What stood around it that a flow has no place for: the account's own state.
    pub around: Vec<&'a str>,
}

/// Most flows of one text. Source: assumption; an account's list has 50 to a page.
const MOST_FLOWS: usize = 1_000;

/// Every flow in a text.
///
/// Errors: what is no flow, each with its place. Flows beside it are given all the same.
pub(super) fn documents(json: &Json) -> (Vec<Document<'_>>, Vec<Diagnostic>) {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    let mut stack = vec![(json, String::new(), None)];
    let mut num_left = 10 * MOST_FLOWS;
    while let Some((json, pointer, name)) = stack.pop() {
        num_left -= 1;
        if num_left == 0 || found.len() == MOST_FLOWS {
            errors.push(
                error("import/too-many", &pointer, format!("there are more than {MOST_FLOWS} flows here"))
                    .hint("Give fewer flows at a time"),
            );
            break;
        }
        match json {
            Json::Array(items) => {
                if items.is_empty() {
                    errors.push(no_flow(&pointer, "this list is empty"));
                }
                stack.extend(items.iter().enumerate().rev().map(|(n, item)| (item, format!("{pointer}/{n}"), None)));
            }
            Json::Object(map) => {
                let of = |key: &str| map.get(key).filter(|value| !value.is_null());
                let own_name = of("name").and_then(Json::as_str).or(name);
                if of("actions").is_some() || of("triggers").is_some() {
                    found.push(Document { name: own_name, definition: map, pointer, around: Vec::new() });
                } else if let Some(definition) = of("definition") {
                    let pointer = format!("{pointer}/definition");
                    match definition {
                        Json::Object(definition) => {
                            let known = ["definition", "name"];
                            let around = map.keys().map(String::as_str).filter(|key| !known.contains(key)).collect();
                            found.push(Document { name: own_name, definition, pointer, around });
                        }
                        _ => errors.push(no_flow(&pointer, "the definition is no object")),
                    }
                } else if let Some(inner) = of("attributes").or_else(|| of("data")) {
                    let key = if of("attributes").is_some() { "attributes" } else { "data" };
                    stack.push((inner, format!("{pointer}/{key}"), own_name));
                } else if of("trigger_type").is_some() || map.contains_key("definition") {
                    errors.push(
                        error("import/no-definition", &pointer, "this flow came without its definition".into())
                            .hint("Ask for it with `?additional-fields[flow]=definition`, one flow at a time"),
                    );
                } else {
                    errors.push(no_flow(&pointer, "there is neither a definition nor actions"));
                }
            }
            _ => errors.push(no_flow(&pointer, "this is neither an object nor a list")),
        }
    }
    (found, errors)
}

fn no_flow(pointer: &str, why: &str) -> Diagnostic {
    error("import/no-flow", pointer, why.to_owned())
        .hint("Give the body or answer of Klaviyo's flows API: an object with `data`, or with `triggers` and `actions`")
}

/// An error at a place of the JSON.
pub(super) fn error(code: &'static str, pointer: &str, why: String) -> Diagnostic {
    let at = if pointer.is_empty() { "the whole".to_owned() } else { format!("`{pointer}`") };
    Diagnostic::error(code, Place::default(), format!("At {at}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let json: Json = serde_json::from_str(json).expect("JSON");
        let (found, errors) = documents(&json);
        let mut shown: Vec<String> = found.iter().map(|d| format!("{} {}", d.name.unwrap_or("-"), d.pointer)).collect();
        shown.extend(errors.iter().map(|e| format!("! {} {}", e.code, e.message)));
        assert_eq!(shown.join("; "), expected);
    }

    #[test]
    fn shapes() {
        let definition = r#"{"triggers": [], "actions": []}"#;
        check(definition, "- ");
        check(&format!(r#"{{"name": "N", "definition": {definition}}}"#), "N /definition");
        let whole =
            format!(r#"{{"type": "flow", "id": "1", "attributes": {{"name": "N", "definition": {definition}}}}}"#);
        check(&format!(r#"{{"data": {whole}}}"#), "N /data/attributes/definition");
        check(
            &format!(r#"{{"data": [{whole}, {whole}]}}"#),
            "N /data/0/attributes/definition; N /data/1/attributes/definition",
        );
        check(
            &format!("[{whole}, 3]"),
            "N /0/attributes/definition; ! import/no-flow At `/1`: this is neither an object nor a list",
        );
        check(
            r#"{"data": {"attributes": {"name": "N", "trigger_type": "Metric"}}}"#,
            "! import/no-definition At `/data/attributes`: this flow came without its definition",
        );
        check("{}", "! import/no-flow At the whole: there is neither a definition nor actions");
        check("[]", "! import/no-flow At the whole: this list is empty");
    }
}
