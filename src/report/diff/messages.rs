//! What a step sends: subject, preheader, versions, and the body block by block.

use super::{json, quoted, settings, texts};
use crate::{
    content::{Block, Body, Message, Variant},
    flow::{Flow, Node},
};

use super::{Difference, Sign, Sort};

/// The message of a step.
fn message<'a>(flow: &'a Flow, node: &Node) -> Option<&'a Message> {
    let (id, _) = node.settings()?.message()?;
    flow.message(id.as_str())
}

/// What a new step sends, where there is something to say.
pub(super) fn added(side: &super::Side<'_>, node: &Node) -> Option<Difference> {
    let message = message(side.flow, node)?;
    let blocks = match &message.variants.first()?.body {
        Body::Blocks(blocks) if !blocks.is_empty() => super::words::count(blocks.len(), "block", "blocks"),
        Body::Html(_) => "an HTML source".to_owned(),
        Body::Mjml(_) => "an MJML source".to_owned(),
        Body::Blocks(_) => return None,
    };
    Some(Difference {
        sign: Sign::Added,
        sort: Sort::Message,
        about: side.called(&node.id),
        text: format!("message {} with {blocks}", quoted(message.title())),
        before: None,
        after: Some(node.id.clone()),
    })
}

/// What differs in what two matched steps send.
pub(super) fn of_step((before, old): (&Flow, &Node), (after, new): (&Flow, &Node)) -> Vec<String> {
    let (old, new) = match (message(before, old), message(after, new)) {
        (Some(old), Some(new)) => (old, new),
        (None, None) => return Vec::new(),
        (None, Some(_)) => return vec!["has a message now".to_owned()],
        (Some(_), None) => return vec!["has no message any more".to_owned()],
    };
    let mut out = Vec::new();
    if old.title() != new.title() && (old.name.is_some() || new.name.is_some()) {
        out.push(format!("message is called {} \u{2192} {}", quoted(old.title()), quoted(new.title())));
    }
    let several = old.variants.len() > 1 || new.variants.len() > 1;
    for variant in &new.variants {
        let prefix = if several { format!("version {}: ", variant.id) } else { String::new() };
        match old.variants.iter().find(|other| other.id == variant.id) {
            None => out.push(format!("{prefix}added, subject {}", quoted(&texts::cut(&variant.subject)))),
            Some(other) => out.extend(self::variant(other, variant).into_iter().map(|text| format!("{prefix}{text}"))),
        }
    }
    for variant in old.variants.iter().filter(|variant| new.variant(&variant.id).is_none()) {
        out.push(format!("version {}: removed", variant.id));
    }
    out
}

fn variant(old: &Variant, new: &Variant) -> Vec<String> {
    let mut out = Vec::new();
    for (label, old, new) in [
        ("subject", Some(&old.subject), Some(&new.subject)),
        ("preview line", Some(&old.preheader), Some(&new.preheader)),
        ("plain text", old.text.as_ref(), new.text.as_ref()),
    ] {
        let (old, new) = (old.map_or("", String::as_str), new.map_or("", String::as_str));
        if old != new {
            out.push(format!("{label}: {}", texts::change(old, new)));
        }
    }
    if old.weight != new.weight {
        out.push(format!("share {} \u{2192} {}", old.weight, new.weight));
    }
    if old.language != new.language {
        let show = |tag: &Option<String>| tag.clone().unwrap_or_else(|| "every language".to_owned());
        out.push(format!("for {} \u{2192} {}", show(&old.language), show(&new.language)));
    }
    match (&old.body, &new.body) {
        (old, new) if old == new => {}
        (Body::Blocks(old), Body::Blocks(new)) => out.extend(blocks(old, new)),
        (Body::Html(old), Body::Html(new)) | (Body::Mjml(old), Body::Mjml(new)) => {
            out.push(format!("source: {}", texts::lines(old, new)));
        }
        (old, new) => out.push(format!("body is {} \u{2192} {}", sort(old), sort(new))),
    }
    out
}

fn sort(body: &Body) -> &'static str {
    match body {
        Body::Blocks(_) => "blocks",
        Body::Html(_) => "HTML",
        Body::Mjml(_) => "MJML",
    }
}

/// The kind of a block, and its settings as JSON.
fn parts(block: &Block) -> (String, serde_json::Value) {
    match json(block) {
        serde_json::Value::Object(map) if map.len() == 1 => {
            map.into_iter().next().map_or_else(Default::default, |(kind, value)| (kind.replace('_', " "), value))
        }
        serde_json::Value::String(kind) => (kind.replace('_', " "), serde_json::Value::Null),
        other => ("block".to_owned(), other),
    }
}

/// What a block says first: its words, or whatever text it has.
fn says(value: &serde_json::Value) -> String {
    let keys = ["text", "alt", "label", "items", "src", "code"];
    let text = keys.iter().find_map(|key| value.get(key)?.as_str()).unwrap_or("");
    if text.is_empty() { String::new() } else { format!(" {}", quoted(&texts::cut(text))) }
}

/// Most blocks of a body that are compared one by one with all others. Source: assumption, ten times the longest mail.
const MOST_BLOCKS: usize = 400;

/// What differs between two lists of blocks: equal ones are found first, in their order; of the rest those of one kind
/// between the same neighbours are changes; what is gone here and new there was moved.
fn blocks(old: &[Block], new: &[Block]) -> Vec<String> {
    if old.len().max(new.len()) > MOST_BLOCKS {
        return vec![format!("body: {} blocks \u{2192} {} blocks", old.len(), new.len())];
    }
    let (mut gone, mut fresh, mut out) = (Vec::new(), Vec::new(), Vec::new());
    for (old_gap, new_gap) in gaps(old, new) {
        let (mut olds, mut news): (Vec<usize>, Vec<usize>) = (old_gap.collect(), new_gap.collect());
        news.retain(|n| {
            let kind = parts(&new[*n]).0;
            let Some(at) = olds.iter().position(|o| parts(&old[*o]).0 == kind) else { return true };
            let o = olds.remove(at);
            out.extend(block_changes(&old[o], &new[*n]));
            false
        });
        gone.extend(olds);
        fresh.extend(news);
    }
    for n in fresh {
        let (kind, value) = parts(&new[n]);
        match gone.iter().position(|o| old[*o] == new[n]) {
            Some(at) => {
                gone.remove(at);
                out.push(format!("{kind}{} moved to place {}", says(&value), n + 1));
            }
            // Moved and changed: between other neighbours, but of the same kind.
            None => match gone.iter().position(|o| parts(&old[*o]).0 == kind) {
                Some(at) => out.extend(block_changes(&old[gone.remove(at)], &new[n])),
                None => out.push(format!("{kind}{} added at place {}", says(&value), n + 1)),
            },
        }
    }
    out.extend(gone.into_iter().map(|o| {
        let (kind, value) = parts(&old[o]);
        format!("{kind}{} removed", says(&value))
    }));
    out
}

/// The stretches between blocks that are equal in both, by the longest common run of them.
fn gaps(old: &[Block], new: &[Block]) -> Vec<(std::ops::Range<usize>, std::ops::Range<usize>)> {
    // lengths[a][b]: of the longest common run of old[a..] and new[b..].
    let mut lengths = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            lengths[a][b] =
                if old[a] == new[b] { lengths[a + 1][b + 1] + 1 } else { lengths[a + 1][b].max(lengths[a][b + 1]) };
        }
    }
    let (mut a, mut b, mut out) = (0, 0, Vec::new());
    let (mut from, mut new_from) = (0, 0);
    while a < old.len() && b < new.len() {
        if old[a] == new[b] {
            out.push((from..a, new_from..b));
            (a, b) = (a + 1, b + 1);
            (from, new_from) = (a, b);
        } else if lengths[a + 1][b] >= lengths[a][b + 1] {
            a += 1;
        } else {
            b += 1;
        }
    }
    out.push((from..old.len(), new_from..new.len()));
    out
}

/// Says what a setting means that only the other one has.
fn left_out(value: &mut serde_json::Value, other: &serde_json::Value) {
    let (Some(map), Some(other)) = (value.as_object_mut(), other.as_object()) else { return };
    for key in other.keys().filter(|key| *key != "text") {
        let meant = if key == "show_if" { "always" } else { "as usual" };
        map.entry(key.clone()).or_insert_with(|| meant.into());
    }
}

/// What differs between two blocks of a kind.
fn block_changes(old: &Block, new: &Block) -> Vec<String> {
    let ((kind, mut old), (_, mut new)) = (parts(old), parts(new));
    left_out(&mut old, &new);
    left_out(&mut new, &old);
    let mut out = Vec::new();
    let text = |value: &serde_json::Value| value.get("text").and_then(|text| text.as_str()).map(str::to_owned);
    let whole = settings::by_keys(&old, &new, &|key| (key != "text").then(|| key.replace('_', " ")));
    match (text(&old), text(&new)) {
        (Some(before), Some(after)) if before != after => {
            out.push(format!("{kind}: {}", texts::change(&before, &after)))
        }
        _ => {}
    }
    let about = if out.is_empty() { says(&new) } else { String::new() };
    out.extend(whole.into_iter().map(|text| format!("{kind}{about}: {text}")));
    out
}
