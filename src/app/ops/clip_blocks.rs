//! Blocks of a mail as text that can be mailed and put into another message, of this flow or of any other.
//!
//! The text is RON, as for steps:
//!
//! ```text
//! (
//!     flowloom: "blocks/1",
//!     fields: [ … ],     declarations of the merge tags that the blocks use
//!     blocks: [ … ],     the blocks, those that are not understood as written
//! )
//! ```

use std::collections::BTreeSet;

use smol_str::SmolStr;

use super::templates;
use crate::{
    base::MessageId,
    content::{Block, Body, Field, Message, Variant, ron_options},
    flow::{Edit, Flow, file::raw::RawStruct},
};

/// What the envelope says it is.
pub const ENVELOPE: &str = "blocks/1";

/// Largest text that is pasted, in bytes, and the most blocks. Source: assumption; a mail of 100 blocks is endless.
const MOST_BYTES: usize = 1 << 20;
const MOST_BLOCKS: usize = 500;

/// What a paste would do.
#[derive(Clone, PartialEq, Debug)]
pub struct PastedBlocks {
    /// The edits, one step of the history.
    pub edits: Vec<Edit>,
    /// How many blocks.
    pub count: usize,
    /// Merge tags that the flow declares otherwise; its own declaration stays.
    pub clashes: Vec<SmolStr>,
}

/// Whether a text says of itself that it holds blocks.
pub fn is_clip(text: &str) -> bool {
    let envelope = |text: &str| Some(RawStruct::parse(text).ok()?.get("flowloom")?.trim_matches('"') == ENVELOPE);
    text.len() <= MOST_BYTES && envelope(text.trim_start_matches('\u{feff}').trim()).unwrap_or(false)
}

/// One block of a variant as text, or all of them, with the merge tags they use.
///
/// Errors: there is nothing there to copy.
pub fn copy(flow: &Flow, id: &MessageId, variant_idx: usize, at: Option<usize>) -> Result<String, String> {
    let message = flow.message(id.as_str()).ok_or("The message is gone")?;
    let variant = message.variants.get(variant_idx).ok_or("This variant is gone")?;
    let Body::Blocks(all) = &variant.body else { return Err("This body has no blocks".to_owned()) };
    let blocks = match at {
        None => all.as_slice(),
        Some(at) => all.get(at..=at).ok_or("This block is gone")?,
    };
    if blocks.is_empty() {
        return Err("There are no blocks to copy".to_owned());
    }
    let mut written = Vec::new();
    for block in blocks {
        written.push(ron_of(block)?);
    }
    // A message of these blocks alone says which merge tags they use.
    let part = Message {
        variants: vec![Variant { body: Body::Blocks(blocks.to_vec()), ..Variant::default() }],
        ..Message::new(id.clone(), message.channel)
    };
    let used = templates::used_in_message(flow, &part);
    let fields: Vec<&str> = flow
        .fields
        .iter()
        .filter(|section| section.value().is_some_and(|field| used.contains(field.name.as_str())))
        .map(|section| section.raw())
        .collect();
    let list = |rows: &[&str]| rows.iter().map(|row| format!("        {row},\n")).collect::<String>();
    let blocks: Vec<&str> = written.iter().map(String::as_str).collect();
    Ok(format!(
        "(\n    flowloom: \"{ENVELOPE}\",\n    fields: [\n{}    ],\n    blocks: [\n{}    ],\n)\n",
        list(&fields),
        list(&blocks)
    ))
}

fn ron_of(block: &Block) -> Result<String, String> {
    match block {
        Block::Unknown(unknown) => Ok(unknown.raw.clone()),
        known => ron_options().to_string(known).map_err(|error| error.to_string()),
    }
}

/// What pasting a text into a variant would do: the blocks come to `at`, or to the end, before a footer. A second
/// footer is not pasted.
///
/// Errors: the text is no copy of blocks; a sentence that says what and where.
pub fn paste(
    flow: &Flow,
    id: &MessageId,
    variant_idx: usize,
    at: Option<usize>,
    text: &str,
) -> Result<PastedBlocks, String> {
    let (fields, mut blocks) = read(text)?;
    let mut message = flow.message(id.as_str()).ok_or("The message is gone")?.clone();
    let variant = message.variants.get_mut(variant_idx).ok_or("This variant is gone")?;
    let Body::Blocks(list) = &mut variant.body else {
        return Err("This mail is one whole source: blocks cannot be put into it".to_owned());
    };
    let is_footer = |block: &Block| matches!(block, Block::Footer { .. });
    if list.iter().any(is_footer) {
        blocks.retain(|block| !is_footer(block));
    }
    if blocks.is_empty() {
        return Err("There is nothing to paste: the mail has a footer already".to_owned());
    }
    let end = if list.last().is_some_and(is_footer) { list.len() - 1 } else { list.len() };
    let at = at.map_or(end, |at| at.min(list.len()));
    let mut pasted = PastedBlocks { edits: Vec::new(), count: blocks.len(), clashes: Vec::new() };
    list.splice(at..at, blocks);
    for (field, raw) in fields {
        match flow.field(&field.name) {
            Some(there) if *there == field => {}
            Some(_) => pasted.clashes.push(field.name.clone()),
            None => pasted.edits.push(Edit::SetMergeFieldText { name: None, ron: raw }),
        }
    }
    pasted.edits.push(Edit::SetMessage(Box::new(message)));
    Ok(pasted)
}

type Clip = (Vec<(Field, String)>, Vec<Block>);

fn read(text: &str) -> Result<Clip, String> {
    if text.len() > MOST_BYTES {
        return Err(format!("What was copied has more than {} MB", MOST_BYTES >> 20));
    }
    let text = text.trim_start_matches('\u{feff}').trim();
    let said = |why: &dyn std::fmt::Display| format!("What was copied are no blocks: {why}");
    let parts = RawStruct::parse(text).map_err(|error| said(&error))?;
    match parts.get("flowloom").map(|envelope| envelope.trim_matches('"')) {
        Some(ENVELOPE) => {}
        Some(other) => return Err(format!("What was copied is \"{other}\", blocks are \"{ENVELOPE}\"")),
        None => return Err(said(&"`flowloom` is missing")),
    }
    let rows = |name: &str| -> Result<Vec<String>, String> {
        let rows: Vec<&ron::value::RawValue> =
            ron_options().from_str(parts.get(name).unwrap_or("[]")).map_err(|error| said(&error))?;
        Ok(rows.into_iter().map(|row| row.get_ron().trim().to_owned()).collect())
    };
    let mut fields = Vec::new();
    let mut names = BTreeSet::new();
    for raw in rows("fields")? {
        let field: Field = ron_options().from_str(&raw).map_err(|error| said(&error))?;
        if names.insert(field.name.clone()) {
            fields.push((field, raw));
        }
    }
    let blocks: Vec<Block> = rows("blocks")?.iter().map(|raw| Block::from_ron(raw)).collect();
    if blocks.is_empty() || blocks.len() > MOST_BLOCKS {
        return Err(said(&format!("there are {} blocks in it, 1 to {MOST_BLOCKS} can be pasted", blocks.len())));
    }
    Ok((fields, blocks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{History, file};

    fn flow(body: &str) -> Flow {
        let text = format!("(version: 2, id: \"f\", name: \"F\", {body})");
        file::read(&text).unwrap_or_else(|d| panic!("{}\n{text}", d.message)).flow
    }

    const FROM: &str = r#"
        fields: [(name: "first_name", source: contact("first_name")), (name: "stock_left", kind: number, source: trigger("stock")), (name: "unused", source: contact("x"))],
        messages: [(id: "m", subject: "S", body: blocks([
            heading(text: "Hi {first_name}"),
            columns(columns: [(blocks: [stock(field: "stock_left", levels: [(at_most: 3, text: "Few")])]), (blocks: [warp(x: 1, /* kept */ y: 2)])]),
            footer(),
        ]))]"#;

    fn blocks(flow: &Flow) -> Vec<String> {
        let message = flow.message("m").expect("there");
        let Body::Blocks(blocks) = &message.variants[0].body else { panic!("blocks") };
        blocks.iter().map(|block| block.kind_name().to_owned()).collect()
    }

    #[track_caller]
    fn check(into: &str, copied: Option<usize>, at: Option<usize>, kinds: &[&str], fields: &[&str]) {
        let text = copy(&flow(FROM), &"m".into(), 0, copied).expect("copies");
        assert!(is_clip(&text), "{text}");
        let target = flow(into);
        let pasted = paste(&target, &"m".into(), 0, at, &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let mut history = History::new(target);
        history.apply("Paste", &pasted.edits, None).expect("fits");
        let after = history.flow();
        assert_eq!(blocks(after), kinds);
        let names: Vec<&str> = after.fields().map(|field| field.name.as_str()).collect();
        assert_eq!(names, fields);
        let message = after.message("m").expect("there").to_ron().expect("writes");
        assert_eq!(message.contains("/* kept */"), kinds.contains(&"columns"), "{message}");
    }

    #[test]
    fn blocks_go_into_another_flow_with_their_tags() {
        let empty = r#"messages: [(id: "m", subject: "T", body: blocks([text(text: "x"), footer()]))]"#;
        check(empty, Some(0), None, &["text", "heading", "footer"], &["first_name"]);
        check(empty, Some(0), Some(0), &["heading", "text", "footer"], &["first_name"]);
        check(empty, Some(1), None, &["text", "columns", "footer"], &["stock_left"]);
        // One footer is enough.
        check(empty, None, None, &["text", "heading", "columns", "footer"], &["first_name", "stock_left"]);
        let bare = r#"messages: [(id: "m", subject: "T")]"#;
        check(bare, None, None, &["heading", "columns", "footer"], &["first_name", "stock_left"]);
        let clash = r#"fields: [(name: "first_name", source: contact("nick"))], messages: [(id: "m", subject: "T")]"#;
        check(clash, Some(0), None, &["heading"], &["first_name"]);
        let text = copy(&flow(FROM), &"m".into(), 0, Some(0)).expect("copies");
        assert_eq!(paste(&flow(clash), &"m".into(), 0, None, &text).expect("pastes").clashes, ["first_name"]);
    }

    #[test]
    fn what_cannot_be_pasted_is_said() {
        let target = flow(
            r#"messages: [(id: "m", subject: "T", body: html("x")), (id: "n", subject: "T", body: blocks([footer()]))]"#,
        );
        let text = copy(&flow(FROM), &"m".into(), 0, Some(0)).expect("copies");
        for (id, text, expected) in [
            ("m", text.as_str(), "whole source"),
            ("gone", text.as_str(), "gone"),
            ("n", "(flowloom: \"blocks/9\")", "blocks/9"),
            ("n", "(flowloom: \"blocks/1\")", "0 blocks"),
            ("n", "hello", "no blocks"),
            ("n", "(flowloom: \"blocks/1\", blocks: [footer()])", "footer already"),
            ("n", "(flowloom: \"blocks/1\", blocks: [", "no blocks"),
        ] {
            let error = paste(&target, &id.into(), 0, None, text).expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
        assert!(copy(&target, &"m".into(), 0, None).is_err() && copy(&target, &"n".into(), 0, Some(7)).is_err());
        assert!(!is_clip("(flowloom: \"clip/1\")") && !is_clip("x"));
    }
}
