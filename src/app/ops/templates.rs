//! Which texts of a flow have merge tags in them, where their names stand, and what a text is called.
//!
//! The one idea: texts are found in the file's own words, so that a name has a place in them. A message or step that
//! this version cannot read in full is looked at as far as its texts go.

use std::{collections::BTreeSet, ops::Range};

use super::ron_text::{Literal, literals};
use crate::{
    content::{Message, RESERVED_LINKS, names_in_condition, names_in_template},
    flow::{Flow, MessageSection, Node, Section},
    kinds::Settings,
};

/// What sort of text it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// Words with tags in braces.
    Template,
    /// A condition over fields, without braces: a block's "show if".
    Expression,
    /// The name of a field: the list of a products block.
    Name,
}

/// A text with tags.
#[derive(Clone, PartialEq, Debug)]
pub struct TagText {
    /// What sort of text it is.
    pub sort: Sort,
    /// The text and its place in the message's, step's or setting's RON.
    pub literal: Literal,
}

impl TagText {
    /// Names of fields in it, with their places in the RON. `{name}` is a tag where the name is in `known`.
    pub fn names(&self, known: &BTreeSet<&str>) -> Vec<(String, Range<usize>)> {
        let text = &self.literal.value;
        let uses = match self.sort {
            Sort::Template => {
                let is_known = |name: &str| known.contains(name) || RESERVED_LINKS.contains(&name);
                names_in_template(text, &is_known)
            }
            Sort::Expression => names_in_condition(text),
            Sort::Name => {
                let name = text.trim();
                let start = text.len() - text.trim_start().len();
                return vec![(name.to_owned(), self.literal.part(start..start + name.len()))];
            }
        };
        uses.into_iter().map(|found| (found.name, self.literal.part(found.range.start..found.range.end))).collect()
    }
}

/// The texts of a message.
pub fn of_message(message: &MessageSection) -> Vec<TagText> {
    let sort_of = |literal: &Literal| -> Option<Sort> {
        let in_block = literal.path.contains("body.");
        Some(match literal.name() {
            _ if literal.is_key => return None,
            "show_if" if in_block => Sort::Expression,
            "items" if literal.owner == "products" => Sort::Name,
            // The rest of a products block names properties of the items.
            "title" | "price" | "image" | "url" | "quantity" if literal.owner == "products" => return None,
            "field" if literal.owner == "stock" => Sort::Name,
            // A deadline at what a field says, or at a date.
            "until" if literal.owner == "field" => Sort::Name,
            "until" => return None,
            // A footer's link words are printed as they are.
            "unsubscribe" | "preferences" | "view" if literal.owner == "footer" => return None,
            "subject" | "preheader" | "text" | "body" => Sort::Template,
            _ if in_block => Sort::Template,
            _ => return None,
        })
    };
    let texts = literals(message.section.raw()).into_iter();
    texts.filter_map(|literal| Some(TagText { sort: sort_of(&literal)?, literal })).collect()
}

/// The texts of a step's settings. The messages it sends are not among them.
pub fn of_node(node: &Node) -> Vec<TagText> {
    let is_text: fn(&Literal) -> bool = match node.settings() {
        Some(Settings::Webhook(_)) => |l| matches!(l.path.as_str(), "url" | "body") || l.path.starts_with("headers."),
        Some(Settings::InternalAlert(_)) => |l| matches!(l.path.as_str(), "subject" | "text"),
        _ => return Vec::new(),
    };
    let texts = literals(node.settings.raw()).into_iter().filter(|l| !l.is_key && is_text(l));
    texts.map(|literal| TagText { sort: Sort::Template, literal }).collect()
}

/// The texts of the flow's settings: values of the parameters added to links.
pub fn of_settings(flow: &Flow) -> Vec<TagText> {
    let texts = literals(flow.settings.raw()).into_iter().filter(|l| !l.is_key && l.path.starts_with("tracking."));
    texts.map(|literal| TagText { sort: Sort::Template, literal }).collect()
}

/// Names of the declared fields.
pub fn field_names(flow: &Flow) -> BTreeSet<&str> {
    flow.fields().map(|field| field.name.as_str()).collect()
}

/// Declared fields that some messages and steps use.
pub fn used_fields(flow: &Flow, messages: &[&MessageSection], nodes: &[&Node]) -> BTreeSet<String> {
    let known = field_names(flow);
    let texts = messages.iter().flat_map(|m| of_message(m)).chain(nodes.iter().flat_map(|n| of_node(n)));
    let names = texts.flat_map(|text| text.names(&known).into_iter().map(|(name, _)| name));
    names.filter(|name| known.contains(name.as_str())).collect()
}

/// Declared fields that a message uses.
pub fn used_in_message(flow: &Flow, message: &Message) -> BTreeSet<String> {
    let Ok(ron) = message.to_ron() else { return BTreeSet::new() };
    let section = MessageSection { id: message.id.clone(), section: Section::new(ron, Ok(message.clone()), 0) };
    used_fields(flow, &[&section], &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::file;

    #[test]
    fn every_text_of_the_watch_flow_is_found() {
        let source = include_str!("../../../sample_flows/watch-shop/watch-shop.flow.ron");
        let flow = file::read(source).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        let messages: Vec<&MessageSection> = flow.messages.iter().map(|m| &**m).collect();
        let used = used_fields(&flow, &messages, &[]);
        let declared: BTreeSet<String> = flow.fields().map(|f| f.name.to_string()).collect();
        assert_eq!(used, declared, "the flow declares no field in vain");
        let paths: Vec<(String, Sort)> =
            of_message(messages[0]).into_iter().map(|t| (t.literal.path, t.sort)).take(6).collect();
        let expected = [
            ("subject", Sort::Template),
            ("preheader", Sort::Template),
            ("body.0.src", Sort::Template),
            ("body.0.alt", Sort::Template),
            ("body.0.href", Sort::Template),
            ("body.1.text", Sort::Template),
        ];
        assert_eq!(paths, expected.map(|(path, sort)| (path.to_owned(), sort)));
    }
}
