//! What an account has, field by field beside what was sent.
//!
//! The one idea: all that was sent must be there; what the server adds (defaults, dates, ids of its own) is no
//! difference. A null that was sent and is not there is none either, and numbers are compared by value.

use serde::Serialize;
use serde_json::Value as Json;

/// Differences shown of one thing.
const MOST: usize = 50;
/// Letters shown of a value.
const SHOWN: usize = 80;

/// One field that is not as it was sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// JSON pointer into what was sent.
    pub pointer: String,
    /// What was sent, shortened.
    pub sent: String,
    /// What is there, shortened; `nothing` where it is not.
    pub found: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: sent {}, found {}", self.pointer, self.sent, self.found)
    }
}

/// Compares from a place on. `skip` names keys whose values are the server's.
pub(in crate::platforms) fn compare(
    pointer: &str,
    sent: &Json,
    found: Option<&Json>,
    skip: &dyn Fn(&str) -> bool,
    out: &mut Vec<Difference>,
) {
    if out.len() >= MOST {
        return;
    }
    match (sent, found) {
        (Json::Null, None | Some(Json::Null)) => {}
        (Json::Object(sent), Some(Json::Object(found))) => {
            for (key, value) in sent.iter().filter(|(key, _)| !skip(key)) {
                let part = key.replace('~', "~0").replace('/', "~1");
                compare(&format!("{pointer}/{part}"), value, found.get(key), skip, out);
            }
        }
        (Json::Array(sent), Some(Json::Array(found))) if sent.len() == found.len() => {
            for (n, (sent, found)) in sent.iter().zip(found).enumerate() {
                compare(&format!("{pointer}/{n}"), sent, Some(found), skip, out);
            }
        }
        // What is empty may be left out in an answer.
        (Json::Array(items), None) if items.is_empty() => {}
        (Json::Object(fields), None) if fields.is_empty() => {}
        (Json::Number(a), Some(Json::Number(b))) if a == b || a.as_f64() == b.as_f64() => {}
        (sent, Some(found)) if sent == found => {}
        (sent, found) => {
            out.push(Difference { pointer: pointer.to_owned(), sent: short(Some(sent)), found: short(found) })
        }
    }
}

fn short(value: Option<&Json>) -> String {
    let text = match value {
        None => return "nothing".to_owned(),
        Some(Json::Array(items)) => return format!("{} entries", items.len()),
        Some(Json::String(text)) if text.len() > SHOWN => {
            let start: String = text.chars().take(SHOWN).collect();
            return format!("{start:?}… ({} letters)", text.chars().count());
        }
        Some(value) => value.to_string(),
    };
    if text.chars().count() > SHOWN { text.chars().take(SHOWN).chain(['…']).collect() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(sent: Json, found: Json, expected: &[&str]) {
        let mut out = Vec::new();
        compare("", &sent, Some(&found), &|key| key == "id", &mut out);
        let out: Vec<String> = out.iter().map(ToString::to_string).collect();
        assert_eq!(out, expected);
    }

    #[test]
    fn what_was_sent_must_be_there() {
        check(json!({"a": 1, "b": null, "c": []}), json!({"a": 1.0, "z": "more"}), &[]);
        check(json!({"a": {"x/y": true}}), json!({"a": {"x/y": false}}), &["/a/x~1y: sent true, found false"]);
        check(json!({"a": [1, 2]}), json!({"a": [1]}), &["/a: sent 2 entries, found 1 entries"]);
        check(json!({"a": "x"}), json!({}), &["/a: sent \"x\", found nothing"]);
        check(json!({"a": null}), json!({"a": 3}), &["/a: sent null, found 3"]);
        check(json!({"id": 1, "a": 2}), json!({"id": 2, "a": 2}), &[]);
    }
}
