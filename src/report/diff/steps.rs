//! Steps and the ways between them.

use std::collections::{HashMap, HashSet};

use smol_str::SmolStr;

use super::{Difference, Matching, Side, Sign, Sort, json, messages, quoted, settings, texts};
use crate::{
    audience::print_number,
    base::NodeId,
    flow::{Flow, Node, Workspace, card},
    kinds::{Alternative, Settings},
    report::{order, words},
};

/// It is asked whether to go on each time so many steps are compared.
const STEPS_PER_LOOK: usize = 64;

/// Everything about steps, in reading order of the later version; what is gone stands where it stood. `None` where
/// `keeps_on` says to stop.
pub(super) fn compare(
    [before, after]: &[Side<'_>; 2],
    matching: &Matching,
    out: &mut Vec<Difference>,
    keeps_on: &mut dyn FnMut(f32) -> bool,
) -> Option<()> {
    let notes =
        |flow: &Flow| -> Vec<usize> { (0..flow.nodes.len()).filter(|n| flow.nodes[*n].kind == "note").collect() };
    let in_order = order::reading_order(after.flow);
    let places: HashMap<&NodeId, usize> =
        in_order.iter().enumerate().map(|(n, at)| (&after.flow.nodes[*at].id, n + 1)).collect();
    let num_all = (before.flow.nodes.len() + after.flow.nodes.len()).max(1);
    let mut num_done = 0;
    let mut goes_on = || {
        num_done += 1;
        num_done % STEPS_PER_LOOK != 0 || keeps_on(num_done as f32 / num_all as f32)
    };
    // (place, whether it is gone): a removed step stands after the one before it.
    let mut all: Vec<((usize, usize), Vec<Difference>)> = Vec::new();
    let mut last = 0;
    for (n, at) in order::reading_order(before.flow).into_iter().chain(notes(before.flow)).enumerate() {
        if !goes_on() {
            return None;
        }
        let node = &before.flow.nodes[at];
        match matching.later(&node.id) {
            Some(later) => last = places.get(later).copied().unwrap_or(last),
            None => all.push(((last, n + 1), vec![whole(before, node, Sign::Removed)])),
        }
    }
    for at in in_order.into_iter().chain(notes(after.flow)) {
        if !goes_on() {
            return None;
        }
        let node = &after.flow.nodes[at];
        let place = (places.get(&node.id).copied().unwrap_or(usize::MAX), 0);
        match matching.earlier(&node.id).and_then(|id| before.node(id)) {
            None => {
                let mut added = vec![whole(after, node, Sign::Added)];
                added.extend(messages::added(after, node));
                all.push((place, added));
            }
            Some(old) => all.push((place, both((before, old), (after, node), matching))),
        }
    }
    all.sort_by_key(|(place, _)| *place);
    out.extend(all.into_iter().flat_map(|(_, differences)| differences));
    Some(())
}

fn kind_title(node: &Node) -> &str {
    card::spec(&node.kind).map_or(node.kind.as_str(), |spec| spec.title)
}

/// A step that is there in one version only.
fn whole(side: &Side<'_>, node: &Node, sign: Sign) -> Difference {
    let word = if sign == Sign::Added { "added" } else { "removed" };
    let is_note = node.kind == "note";
    let from = side.from(&node.id).map(|from| side.called(from));
    let place = from.map_or_else(String::new, |from| format!(" after {}", quoted(&from)));
    let summary = texts::cut(&words::summary(side.flow, &Workspace::default(), node));
    let about = if summary.is_empty() { String::new() } else { format!(", {summary}") };
    Difference {
        sign,
        sort: if is_note { Sort::Note } else { Sort::Step },
        about: side.called(&node.id),
        text: format!("{word}{place} ({}{about})", kind_title(node)),
        before: (sign == Sign::Removed).then(|| node.id.clone()),
        after: (sign == Sign::Added).then(|| node.id.clone()),
    }
}

/// A step that is in both.
fn both((before, old): (&Side<'_>, &Node), (after, new): (&Side<'_>, &Node), matching: &Matching) -> Vec<Difference> {
    let mut said: Vec<(Sort, String)> = Vec::new();
    let sort = if new.kind == "note" { Sort::Note } else { Sort::Step };
    if old.title() != new.title() {
        said.push((sort, format!("was called {}", quoted(old.title()))));
    }
    if old.muted != new.muted {
        said.push((sort, if new.muted { "switched off" } else { "switched on again" }.to_owned()));
    }
    let ways = ways((before, old), (after, new), matching);
    let ways_unchanged = ways.is_empty() && new.ports().len() > 1;
    for text in of_settings((before.flow, old), (after.flow, new)) {
        let asks = matches!(new.settings(), Some(Settings::Condition(_)));
        let ports: Vec<String> = new.ports().iter().map(|port| port.title.clone()).collect();
        let rest = if asks && ways_unchanged { format!(" ({} unchanged)", ports.join("/")) } else { String::new() };
        said.push((sort, format!("{text}{rest}")));
    }
    said.extend(ways.into_iter().map(|text| (Sort::Way, text)));
    said.extend(messages::of_step((before.flow, old), (after.flow, new)).into_iter().map(|text| (Sort::Message, text)));
    if old.note != new.note {
        said.push((sort, format!("remark {}", texts::change(&old.note, &new.note))));
    }
    if said.is_empty() {
        return Vec::new();
    }
    let about = after.called(&new.id);
    let differences = said.into_iter().map(|(sort, text)| Difference {
        sign: Sign::Changed,
        sort,
        about: about.clone(),
        text,
        before: Some(old.id.clone()),
        after: Some(new.id.clone()),
    });
    differences.collect()
}

/// Where each way out leads.
fn ways((before, old): (&Side<'_>, &Node), (after, new): (&Side<'_>, &Node), matching: &Matching) -> Vec<String> {
    let mut out = Vec::new();
    let (mut ports, old_ports) = (new.ports(), old.ports());
    let several = ports.len() > 1 || old_ports.len() > 1;
    let names: HashSet<SmolStr> = ports.iter().map(|port| port.name.clone()).collect();
    ports.extend(old_ports.into_iter().filter(|port| !names.contains(&port.name)));
    for port in ports {
        let (from, to) = (before.target(&old.id, &port.name), after.target(&new.id, &port.name));
        let same = match (from, to) {
            (Some(from), Some(to)) => matching.later(from) == Some(to),
            (None, None) => true,
            _ => false,
        };
        if same {
            continue;
        }
        let end = |side: &Side<'_>, to: Option<&NodeId>| {
            to.map_or_else(|| "the end".to_owned(), |to| quoted(&side.called(to)))
        };
        let label = if several { format!("{} leads", quoted(&port.title)) } else { "leads".to_owned() };
        out.push(format!("{label} to {} \u{2192} {}", end(before, from), end(after, to)));
    }
    out
}

/// What differs in the settings of two steps of one kind, in the kind's own words where it has some.
fn of_settings((before, old): (&Flow, &Node), (after, new): (&Flow, &Node)) -> Vec<String> {
    let (Some(a), Some(b)) = (old.settings(), new.settings()) else {
        let same = old.settings.raw() == new.settings.raw();
        return if same { Vec::new() } else { vec!["settings that cannot be read differ".to_owned()] };
    };
    if a == b {
        return Vec::new();
    }
    let spec = b.spec();
    let rest = |skip: &[&str]| settings::of_kind(spec, &json(a), &json(b), skip);
    match (a, b) {
        (Settings::Condition(a), Settings::Condition(b)) => {
            vec![texts::condition(a.condition.text(), b.condition.text())]
        }
        (Settings::Delay(a), Settings::Delay(b))
            if a.window == b.window
                && let (Some(from), Some(to)) = (after_entry(a), after_entry(b)) =>
        {
            vec![format!("wait until {from} \u{2192} {to} after the entry")]
        }
        (Settings::Delay(_), Settings::Delay(_)) => {
            let wait = |flow: &Flow, node: &Node| {
                let sentence = words::step(flow, &Workspace::default(), node).sentence;
                let text = sentence.trim_end_matches('.');
                text.strip_prefix("Waits ").unwrap_or(text).to_owned()
            };
            let (from, to) = (wait(before, old), wait(after, new));
            let mut out = Vec::new();
            if from != to {
                out.push(format!("wait {from} \u{2192} {to}"));
            }
            out.extend(rest(&["wait", "after"]));
            // What a sentence does not say: what a past date does, how old it may be.
            if out.is_empty() {
                out.extend(rest(&[]));
            }
            out
        }
        (Settings::Trigger(a), Settings::Trigger(b)) => alternatives((before, &a.any), (after, &b.any)),
        (Settings::Branch(a), Settings::Branch(b)) => {
            let named = |arms: &[crate::kinds::logic::branch::Arm]| -> Vec<(String, String)> {
                arms.iter().map(|arm| (arm.name.to_string(), arm.condition.text().to_owned())).collect()
            };
            let mut out = arms(&named(&a.arms), &named(&b.arms), texts::condition);
            let order = |arms: &[crate::kinds::logic::branch::Arm]| -> Vec<String> {
                arms.iter().map(|arm| arm.name.to_string()).collect()
            };
            if out.is_empty() {
                out.push(format!(
                    "asks in the order {} \u{2192} {}",
                    order(&a.arms).join(", "),
                    order(&b.arms).join(", ")
                ));
            }
            out
        }
        (Settings::Split(a), Settings::Split(b)) => {
            let named = |split: &crate::kinds::Split| -> Vec<(String, String)> {
                let arm = |arm: &crate::kinds::logic::split::SplitArm| {
                    let hold_out = if arm.hold_out { ", gets nothing" } else { "" };
                    (arm.name.to_string(), format!("{} %{hold_out}", print_number(arm.weight)))
                };
                split.arms.iter().map(arm).collect()
            };
            let mut out = arms(&named(a), &named(b), |a, b| format!("{a} \u{2192} {b}"));
            out.extend(rest(&["arms"]));
            out
        }
        (Settings::Note(a), Settings::Note(b)) => {
            let same = a.text == b.text;
            let mut out: Vec<String> = if same { Vec::new() } else { vec![texts::change(&a.text, &b.text)] };
            // The size of a frame is a position, too.
            out.extend(rest(&["text", "size"]));
            out
        }
        // What it says is compared with the message, not with its id.
        (Settings::Email(_) | Settings::Sms(_), _) => rest(&["message"]),
        // Bodies and headers may hold keys: that they differ is enough.
        (Settings::Webhook(a), Settings::Webhook(b)) => {
            let mut out = rest(&["headers", "body"]);
            if a.headers != b.headers {
                out.push("headers differ".to_owned());
            }
            if a.body != b.body {
                out.push("what is sent differs".to_owned());
            }
            out
        }
        _ => rest(&[]),
    }
}

/// How long after the entry a delay ends, where it says so.
fn after_entry(delay: &crate::kinds::Delay) -> Option<crate::base::Span> {
    match delay.wait {
        crate::kinds::Wait::For(span) if delay.after == crate::kinds::Anchor::Entry => Some(span),
        _ => None,
    }
}

/// Named arms.
fn arms(old: &[(String, String)], new: &[(String, String)], change: impl Fn(&str, &str) -> String) -> Vec<String> {
    let mut out = Vec::new();
    for (name, text) in old {
        match new.iter().find(|(other, _)| other == name) {
            None => out.push(format!("arm {} removed ({text})", quoted(name))),
            Some((_, now)) if now != text => out.push(format!("arm {}: {}", quoted(name), change(text, now))),
            Some(_) => {}
        }
    }
    for (name, text) in new.iter().filter(|(name, _)| !old.iter().any(|(other, _)| other == name)) {
        out.push(format!("arm {} added ({text})", quoted(name)));
    }
    out
}

/// Alternatives of a trigger: equal ones aside, those of one kind are changes of each other.
fn alternatives((before, old): (&Flow, &[Alternative]), (after, new): (&Flow, &[Alternative])) -> Vec<String> {
    let mut gone: Vec<&Alternative> = old.iter().filter(|one| !new.contains(one)).collect();
    let mut out = Vec::new();
    for one in new.iter().filter(|one| !old.contains(one)) {
        let now = words::alternative(after, one);
        match gone.iter().position(|other| other.kind() == one.kind()) {
            Some(at) => {
                let then = words::alternative(before, gone.remove(at));
                if then == now {
                    out.push(format!("enters when {now} (finer settings differ)"));
                } else {
                    out.push(format!("enters when {then} \u{2192} {now}"));
                }
            }
            None => out.push(format!("also enters when {now}")),
        }
    }
    out.extend(gone.into_iter().map(|one| format!("no longer enters when {}", words::alternative(before, one))));
    if out.is_empty() {
        out.push("the alternatives stand in another order".to_owned());
    }
    out
}
