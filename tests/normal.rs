//! What two forms of one platform's flow may differ in: the one normaliser of all import tests.
//!
//! Ids become places, in the order in which actions are met from the start; what only an answer holds is left out; then
//! two bodies are compared key by key, up to what a platform fills in or drops.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value as Json, json};

/// How a platform writes a flow.
pub struct Form {
    /// The key of the first action's id.
    pub start: &'static str,
    /// Keys of an action's id; the first is the one that is compared.
    pub ids: &'static [&'static str],
    /// Keys of the flow that only an answer holds, or that an export does not write.
    pub of_answers: &'static [&'static str],
    /// The ids that an action leads to, in their order.
    pub links: fn(&Json) -> Vec<String>,
    /// Gives the ids in an action their places, and takes out what only an answer holds.
    pub rename: fn(&mut Json, &BTreeMap<String, String>),
    /// Whether the platform fills in this key where it is missing.
    pub fills: fn(&str) -> bool,
    /// Whether a value says no more than its absence.
    pub is_nothing: fn(&Json) -> bool,
}

/// An id, also where it is written as a number.
pub fn id_text(json: &Json) -> Option<String> {
    json.as_str().map(str::to_owned).or_else(|| json.as_number().map(ToString::to_string))
}

/// A flow without what is allowed to differ.
pub fn normal(flow: &Json, form: &Form) -> Json {
    let mut out = flow.clone();
    let map = out.as_object_mut().expect("a flow");
    map.retain(|key, _| !form.of_answers.contains(&key.as_str()));
    let actions: Vec<Json> = map.get("actions").and_then(Json::as_array).cloned().unwrap_or_default();
    let id = |action: &Json| form.ids.iter().find_map(|key| id_text(&action[*key])).unwrap_or_default();
    let by_id: BTreeMap<String, &Json> = actions.iter().rev().map(|action| (id(action), action)).collect();
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    let mut order = Vec::new();
    let mut queue: VecDeque<String> = map.get(form.start).and_then(id_text).into_iter().collect();
    while let Some(at) = queue.pop_front() {
        let Some(action) = by_id.get(&at).filter(|_| !places.contains_key(&at)) else { continue };
        places.insert(at, format!("n{}", places.len()));
        order.push((*action).clone());
        queue.extend((form.links)(action));
    }
    for action in &mut order {
        let own = places[&id(action)].clone();
        (form.rename)(action, &places);
        let map = action.as_object_mut().expect("an action");
        map.retain(|key, _| !form.ids.contains(&key.as_str()));
        map.insert(form.ids[0].to_owned(), json!(own));
    }
    if let Some(start) = map.get_mut(form.start) {
        *start = id_text(start).and_then(|id| places.get(&id).cloned()).map_or(Json::Null, Json::String);
    }
    map.insert("actions".into(), Json::Array(order));
    out
}

/// Where what was written differs from what was read, both normal: a key that says nothing is no key, 1 is 1.0.
pub fn differences(read: &Json, written: &Json, form: &Form) -> Vec<String> {
    let mut out = Vec::new();
    let mut stack = vec![(String::new(), read, written)];
    while let Some((at, read, written)) = stack.pop() {
        match (read, written) {
            (Json::Object(a), Json::Object(b)) => {
                let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                for key in keys {
                    match (a.get(key), b.get(key)) {
                        (Some(a), Some(b)) => stack.push((format!("{at}/{key}"), a, b)),
                        (Some(one), None) | (None, Some(one)) if (form.is_nothing)(one) => {}
                        (None, Some(_)) if (form.fills)(key) => {}
                        (a, b) => out.push(format!("{at}/{key}: {a:?} became {b:?}")),
                    }
                }
            }
            (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
                stack.extend(a.iter().zip(b).enumerate().map(|(n, (a, b))| (format!("{at}/{n}"), a, b)));
            }
            (Json::Number(a), Json::Number(b)) if a.as_f64() == b.as_f64() => {}
            (a, b) if a == b || (form.is_nothing)(a) && (form.is_nothing)(b) => {}
            (a, b) => out.push(format!("{at}: {a} became {b}")),
        }
    }
    out
}

/// A normaliser that lets everything pass would prove nothing.
#[test]
fn what_differs_is_found() {
    let form = Form {
        start: "start",
        ids: &["tid", "id"],
        of_answers: &["seen"],
        links: |action| id_text(&action["next"]).into_iter().collect(),
        rename: |action, places| {
            if let Some(place) = id_text(&action["next"]).and_then(|id| places.get(&id).cloned()) {
                action["next"] = json!(place);
            }
        },
        fills: |key| key == "filled",
        is_nothing: Json::is_null,
    };
    let read = json!({"seen": 1, "start": 7, "actions": [{"id": 8, "n": 1}, {"id": "7", "next": 8}, {"id": "9"}]});
    let same =
        json!({"start": "a", "filled": 1, "actions": [{"tid": "a", "next": "b"}, {"tid": "b", "n": 1.0, "x": null}]});
    let check = |written: &Json, expected: usize| {
        let found = differences(&normal(&read, &form), &normal(written, &form), &form);
        assert_eq!(found.len(), expected, "{written}: {found:#?}");
    };
    check(&same, 0);
    for (pointer, value) in [
        ("/actions/1/n", json!(2)),
        ("/actions/1/x", json!(0)),
        ("/actions/0/next", json!("c")),
        ("/start", json!("b")),
    ] {
        let mut other = same.clone();
        *other.pointer_mut(pointer).expect("a place") = value;
        let found = differences(&normal(&read, &form), &normal(&other, &form), &form);
        assert!(!found.is_empty(), "{pointer}");
    }
}
