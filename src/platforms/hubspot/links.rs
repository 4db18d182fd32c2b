//! Where the links of an action stand, and which way out of a step each of them is.
//!
//! Used in both directions: an import reads the links of actions, an export puts its own in their place when it gives
//! back JSON that an import kept. Source of the shapes: references, HubSpot 4.1.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use smol_str::SmolStr;

use crate::{
    kinds::{
        NEXT, Settings,
        actions::webhook,
        logic::{branch, condition, wait_for_event},
    },
    platforms::import::Taken,
};

/// One link of an action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Out {
    Connection,
    Default,
    List(usize),
    Static(usize),
    Test(usize),
}

impl Out {
    /// The list of arms it stands in, and its place there.
    fn arm(self) -> Option<(&'static str, usize)> {
        match self {
            Self::Connection | Self::Default => None,
            Self::List(n) => Some(("listBranches", n)),
            Self::Static(n) => Some(("staticBranches", n)),
            Self::Test(n) => Some(("testBranches", n)),
        }
    }

    /// The key of a link that stands in the action itself.
    fn key(self) -> &'static str {
        if self == Self::Default { "defaultBranch" } else { "connection" }
    }

    /// The pointer of its link below its action.
    pub fn pointer(self) -> String {
        match self.arm() {
            Some((list, n)) => format!("/{list}/{n}/connection"),
            None => format!("/{}", self.key()),
        }
    }

    /// Its link in an action.
    pub fn link(self, action: &Json) -> Option<&Json> {
        let owner = match self.arm() {
            Some((list, n)) => action.get(list)?.get(n)?,
            None => action,
        };
        owner.get(self.key()).filter(|link| link.is_object())
    }

    /// Writes its link; without a target the link is taken away, since an empty one is refused.
    pub fn set(self, action: &mut Json, link: Option<Json>) {
        let key = self.key();
        let owner = match self.arm() {
            Some((list, n)) => action.get_mut(list).and_then(|list| list.get_mut(n)),
            None => Some(action),
        };
        let Some(Json::Object(owner)) = owner else { return };
        match link {
            Some(link) => {
                owner.insert(key.to_owned(), link);
            }
            None => {
                owner.remove(key);
            }
        }
    }
}

/// A link to an action.
pub(super) fn link_to(id: &str, edge_type: &str) -> Json {
    json!({"edgeType": edge_type, "nextActionId": id})
}

/// All links that an action has or could have.
pub(super) fn outs(action: &Json) -> Vec<Out> {
    let count = |key: &str| action.get(key).and_then(Json::as_array).map_or(0, Vec::len);
    let lists = (0..count("listBranches")).map(Out::List);
    let statics = (0..count("staticBranches")).map(Out::Static);
    let tests = (0..count("testBranches")).map(Out::Test);
    let arms = lists.chain(statics).chain(tests);
    match action.get("type").and_then(Json::as_str).unwrap_or_default() {
        "LIST_BRANCH" | "STATIC_BRANCH" => arms.chain([Out::Default]).collect(),
        "AB_TEST_BRANCH" => arms.collect(),
        _ => {
            let default = action.get("defaultBranch").map(|_| Out::Default);
            [Out::Connection].into_iter().chain(arms).chain(default).collect()
        }
    }
}

/// The ways out of a step that is kept as it is, one for each of [`outs`]: named as the platform names its arms.
pub(super) fn foreign_ports(action: &Json) -> Vec<SmolStr> {
    let mut taken = Taken::default();
    let name = |out: &Out| {
        let Some((list, n)) = out.arm() else {
            return if *out == Out::Default { branch::ELSE.to_owned() } else { NEXT.to_owned() };
        };
        let arm = action.get(list).and_then(|list| list.get(n));
        let said = ["branchName", "branchValue"].iter().find_map(|key| arm?.get(*key)?.as_str());
        word(said.unwrap_or_default(), &arm_name(n))
    };
    outs(action).iter().map(|out| SmolStr::new(free(&mut taken, &name(out)))).collect()
}

/// The name of an arm that has none: `a`, `b`, …
pub(super) fn arm_name(n: usize) -> String {
    match u8::try_from(n).ok().filter(|n| *n < 26) {
        Some(n) => char::from(b'a' + n).to_string(),
        None => format!("arm-{}", n + 1),
    }
}

/// The ways out of a step with the action of its group and the link that each is. `None` where settings and actions do
/// not belong together.
pub(super) fn links(settings: &Settings, actions: &[Json]) -> Option<Vec<(SmolStr, usize, Out)>> {
    let first = actions.first()?;
    let of = |ports: Vec<&str>| -> Option<Vec<(SmolStr, usize, Out)>> {
        let outs = outs(first);
        (ports.len() == outs.len())
            .then(|| ports.into_iter().zip(outs).map(|(port, out)| (SmolStr::new(port), 0, out)).collect())
    };
    let one = |port: &'static str| Some(vec![(SmolStr::new_static(port), 0, Out::Connection)]);
    match settings {
        Settings::Condition(_) => of(vec![condition::YES, condition::NO]),
        Settings::Branch(node) => of(node.arms.iter().map(|arm| arm.name.as_str()).chain([branch::ELSE]).collect()),
        Settings::Split(node) => of(node.arms.iter().map(|arm| arm.name.as_str()).collect()),
        Settings::Foreign(node) => of(node.ports.iter().map(SmolStr::as_str).collect()),
        Settings::WaitForEvent(_) if actions.len() == 1 => Some(vec![
            (SmolStr::new_static(wait_for_event::HAPPENED), 0, Out::Connection),
            (SmolStr::new_static(wait_for_event::TIMED_OUT), 0, Out::Connection),
        ]),
        Settings::WaitForEvent(_) => {
            let otherwise = if outs(&actions[1]).len() > 2 { Out::Static(1) } else { Out::Default };
            Some(vec![
                (SmolStr::new_static(wait_for_event::HAPPENED), 1, Out::Static(0)),
                (SmolStr::new_static(wait_for_event::TIMED_OUT), 1, otherwise),
            ])
        }
        Settings::Webhook(_) => one(webhook::DONE),
        Settings::Cap(_) => of(vec![crate::kinds::logic::cap::CAPPED, crate::kinds::logic::cap::UNDER]),
        Settings::Delay(_)
        | Settings::Email(_)
        | Settings::Sms(_)
        | Settings::UpdateContact(_)
        | Settings::ListUpdate(_)
        | Settings::InternalAlert(_) => one(NEXT),
        Settings::Trigger(_) | Settings::Goal(_) | Settings::Exit(_) | Settings::Note(_) => None,
    }
}

/// The actions that the values of an action read: "the output of that action".
pub(super) fn reads(action: &Json) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each_text(action, &mut |key, text| {
        if key == "actionId" && !text.is_empty() {
            found.insert(text.to_owned());
        }
        for (_, id) in outputs(text) {
            found.insert(id.to_owned());
        }
    });
    found
}

/// Ids of actions in values, written anew; `None` where nothing has that id any more.
pub(super) fn renumber(action: &mut Json, new_id: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut missing = Vec::new();
    let mut stack: Vec<&mut Json> = Vec::new();
    // The action's own id is not a reference.
    if let Json::Object(map) = action {
        stack.extend(map.iter_mut().filter(|(key, _)| *key != "actionId").map(|(_, value)| value));
    }
    while let Some(json) = stack.pop() {
        match json {
            Json::Array(items) => stack.extend(items.iter_mut()),
            Json::Object(map) => {
                if let Some(Json::String(id)) = map.get_mut("actionId") {
                    match new_id(id) {
                        Some(new) => *id = new,
                        None => missing.push(id.clone()),
                    }
                }
                stack.extend(map.iter_mut().filter(|(key, _)| *key != "actionId").map(|(_, value)| value));
            }
            Json::String(text) => {
                let mut out = String::new();
                let mut done = 0;
                for (at, id) in outputs(text) {
                    match new_id(id) {
                        Some(new) => {
                            out.push_str(&text[done..at]);
                            out.push_str(&new);
                            done = at + id.len();
                        }
                        None => missing.push(id.to_owned()),
                    }
                }
                if done > 0 {
                    out.push_str(&text[done..]);
                    *text = out;
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
    missing
}

/// Ids after `action_output_` in a text, with their places. Source: references, HubSpot 15.1.
fn outputs(text: &str) -> Vec<(usize, &str)> {
    const MARK: &str = "action_output_";
    let mut out = Vec::new();
    for (at, _) in text.match_indices(MARK) {
        let rest = &text[at + MARK.len()..];
        let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if len > 0 {
            out.push((at + MARK.len(), &rest[..len]));
        }
    }
    out
}

/// Every text below an action with the key it stands under, the action's own id left out.
fn each_text(action: &Json, visit: &mut dyn FnMut(&str, &str)) {
    let mut stack: Vec<(&str, &Json)> =
        action.as_object().into_iter().flatten().map(|(k, v)| (k.as_str(), v)).collect();
    stack.retain(|(key, _)| *key != "actionId");
    while let Some((key, json)) = stack.pop() {
        match json {
            Json::String(text) => visit(key, text),
            Json::Array(items) => stack.extend(items.iter().map(|item| (key, item))),
            Json::Object(map) => stack.extend(map.iter().map(|(key, item)| (key.as_str(), item))),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
}

/// A foreign text as an id or a port: letters, digits, `-` and `_`, at most 40 of them; `otherwise` where none is left.
pub(super) fn word(text: &str, otherwise: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || (c == '_' && !out.is_empty()) {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() >= 40 {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { otherwise.to_owned() } else { out.to_owned() }
}

/// A word that is not taken yet: itself, else with `-2`, `-3`, …
pub(super) fn free(taken: &mut Taken, wanted: &str) -> String {
    taken.free(wanted, |n| format!("{wanted}-{n}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_and_written_anew() {
        let mut action = json!({"actionId": "4", "inputValue": {"type": "FIELD_DATA", "actionId": "2", "dataKey": "x"},
            "fields": {"a": "{{ action_outputs.action_output_12.y }} and {{ action_outputs.action_output_3.z }}"}});
        let found: Vec<String> = reads(&action).into_iter().collect();
        assert_eq!(found, ["12", "2", "3"]);
        let new_id = |id: &str| (id != "3").then(|| format!("9{id}"));
        assert_eq!(renumber(&mut action, &new_id), ["3"]);
        assert_eq!(action["actionId"], "4");
        assert_eq!(action["inputValue"]["actionId"], "92");
        assert_eq!(
            action["fields"]["a"],
            "{{ action_outputs.action_output_912.y }} and {{ action_outputs.action_output_3.z }}"
        );
    }

    #[test]
    fn every_shape_has_its_links() {
        let check = |action: Json, expected: &[&str]| {
            let pointers: Vec<String> = outs(&action).into_iter().map(Out::pointer).collect();
            assert_eq!(pointers, expected, "{action}");
            assert_eq!(foreign_ports(&action).len(), expected.len());
        };
        check(json!({"type": "SINGLE_CONNECTION"}), &["/connection"]);
        check(
            json!({"type": "LIST_BRANCH", "listBranches": [{"branchName": "A b"}, {"branchName": "A b"}]}),
            &["/listBranches/0/connection", "/listBranches/1/connection", "/defaultBranch"],
        );
        check(
            json!({"type": "AB_TEST_BRANCH", "testBranches": [{}, {}]}),
            &["/testBranches/0/connection", "/testBranches/1/connection"],
        );
        let ports = foreign_ports(&json!({"type": "LIST_BRANCH", "listBranches": [{"branchName": "<b>A</b> b"}, {}]}));
        assert_eq!(ports, ["b-A-b-b", "b", "else"]);
    }
}
