//! What an import kept as JSON goes back into what is exported to the same platform.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::{
    base::{Diagnostic, NodeId, Severity},
    content::Origin,
    flow::FlowSettings,
};

/// Merges what the settings keep for a step (or, without one, for the whole definition) into its exported JSON.
///
/// Texts that are no JSON object are passed over; nothing can make them but an edit of the file by hand. The answer is
/// the places of the first level that it wrote.
pub fn give_back(settings: &FlowSettings, origin: Origin, node: Option<&NodeId>, json: &mut Json) -> Vec<String> {
    let mut places = Vec::new();
    for kept in settings.kept.iter().filter(|kept| kept.origin == origin && kept.node.as_ref() == node) {
        if let Ok(patch @ Json::Object(_)) = serde_json::from_str(&kept.patch) {
            places.extend(patch.as_object().into_iter().flat_map(Map::keys).map(|key| format!("/{key}")));
            merge(json, &patch);
        }
    }
    places
}

/// JSON Merge Patch: objects are merged by key, `null` takes a key away, everything else replaces. Source: RFC 7396.
pub fn merge(target: &mut Json, patch: &Json) {
    let Json::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Json::Object(Map::new());
    }
    let Json::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Json::Null), value);
        }
    }
}

/// What two forms of the same JSON may differ in.
#[derive(Clone, Copy)]
pub(super) struct Leeway {
    /// Whether a platform fills in this value where the key is left out.
    pub fills: fn(&str, &Json) -> bool,
    /// Whether a value may as well be left out.
    pub drops: fn(&Json) -> bool,
}

/// Whether JSON that was read and JSON that is written say the same, up to the order of keys, how numbers are written
/// (1 and 1.0), null for a missing key, and a platform's leeway.
pub(super) fn same(read: &Json, written: &Json, leeway: Leeway) -> bool {
    match (read, written) {
        (Json::Object(read), Json::Object(written)) => {
            let more = written.keys().filter(|key| !read.contains_key(*key));
            read.keys().chain(more).all(|key| match (read.get(key), written.get(key)) {
                (Some(Json::Null) | None, Some(written)) => written.is_null() || (leeway.fills)(key, written),
                (Some(read), Some(written)) => same(read, written, leeway),
                (Some(read), None) => read.is_null() || (leeway.drops)(read),
                (None, None) => true,
            })
        }
        (Json::Array(read), Json::Array(written)) => {
            read.len() == written.len() && read.iter().zip(written).all(|(read, written)| same(read, written, leeway))
        }
        (Json::Number(read), Json::Number(written)) => read.as_f64() == written.as_f64(),
        _ => read == written,
    }
}

/// Places of a body (JSON pointers) whose JSON an import kept, so that it is the platform's own word.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct KeptPlaces(pub BTreeSet<String>);

impl KeptPlaces {
    /// Whether a place lies in a kept one, or holds one.
    pub fn touch(&self, pointer: &str) -> bool {
        let mut up = Some(pointer);
        while let Some(here) = up {
            if self.0.contains(here) {
                return true;
            }
            up = here.rsplit_once('/').map(|(above, _)| above);
        }
        let below = format!("{pointer}/");
        !pointer.is_empty() && self.0.range(below.clone()..).next().is_some_and(|next| next.starts_with(&below))
    }

    /// A finding of a self-check about a place. What a platform itself gave us is not refused on its way back: there a
    /// fault is a warning.
    pub fn judge(&self, pointer: &str, mut found: Diagnostic) -> Diagnostic {
        if found.severity == Severity::Error && self.touch(pointer) {
            found.severity = Severity::Warning;
            found.hint = "It goes back as it came; look at it there".into();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::KeptJson;

    #[test]
    fn patches_merge_as_the_standard_says() {
        let check = |target: &str, patch: &str, expected: &str| {
            let parse = |text: &str| -> Json { serde_json::from_str(text).expect("JSON") };
            let mut json = parse(target);
            merge(&mut json, &parse(patch));
            assert_eq!(json, parse(expected), "{target} with {patch}");
        };
        // RFC 7396, appendix A, the cases that differ in kind.
        check(r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#);
        check(r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#);
        check(r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#);
        check(r#"["a"]"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#);
    }

    #[test]
    fn places_in_kept_json_and_around_it_are_known() {
        let kept = KeptPlaces(["/a/1/data", "/a/10", "/b"].map(str::to_owned).into());
        let check = |pointer: &str, expected: bool| assert_eq!(kept.touch(pointer), expected, "{pointer}");
        check("/a/1/data/value", true);
        check("/a/1/data", true);
        check("/a/1", true);
        check("/a/1/dat", false);
        check("/a/1/links", false);
        check("/a/10/x/y", true);
        check("/a/2", false);
        check("/b/0", true);
        check("", false);
        let fault = |at| kept.judge(at, Diagnostic::error("x/y", crate::base::Place::default(), "m")).severity;
        assert_eq!((fault("/b"), fault("/c")), (Severity::Warning, Severity::Error));
    }

    #[test]
    fn only_its_own_platform_and_step_get_it() {
        let kept = |origin, node: Option<&str>, patch: &str| KeptJson {
            origin,
            node: node.map(Into::into),
            patch: patch.into(),
        };
        let settings = FlowSettings {
            kept: vec![
                kept(Origin::Klaviyo, Some("mail"), r#"{"data":{"x":1}}"#),
                kept(Origin::Hubspot, Some("mail"), r#"{"y":2}"#),
                kept(Origin::Klaviyo, None, r#"{"z":3}"#),
                kept(Origin::Klaviyo, Some("mail"), "not JSON"),
            ],
            ..FlowSettings::default()
        };
        let mut json = serde_json::json!({"data": {"w": 0}});
        assert_eq!(give_back(&settings, Origin::Klaviyo, Some(&"mail".into()), &mut json), ["/data"]);
        assert_eq!(json, serde_json::json!({"data": {"w": 0, "x": 1}}));
    }
}
