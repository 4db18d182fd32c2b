//! The texts of messages and steps in which merge tags stand, and the names used in them.
//!
//! A rough reading, for questions such as "is this field used at all": words between braces. What a template means and
//! what is wrong with it is the template language's to say (`content`).

use std::collections::BTreeSet;

use crate::{
    content::{Block, Body, Variant},
    flow::{Flow, FlowSettings},
    kinds::Settings,
};

/// A text of a message.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Text<'a> {
    /// Words with tags in braces.
    Template(&'a str),
    /// A condition over fields, without braces.
    Expression(&'a str),
    /// The name of a field.
    Name(&'a str),
}

impl<'a> Text<'a> {
    /// Adds the names it uses.
    pub fn names(self, out: &mut BTreeSet<&'a str>) {
        match self {
            Self::Name(name) => {
                out.insert(name.trim());
            }
            Self::Expression(text) => words(text, out),
            Self::Template(text) => {
                let mut rest = text;
                while let Some(open) = rest.find('{') {
                    rest = &rest[open + 1..];
                    let end = rest.find('}').unwrap_or(rest.len());
                    words(&rest[..end], out);
                    rest = &rest[end..];
                }
            }
        }
    }
}

fn words<'a>(text: &'a str, out: &mut BTreeSet<&'a str>) {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    // What follows a dot is a property of something, not a field.
    let mut start = None;
    let mut after_dot = false;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, is_name(c)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                if !after_dot {
                    out.insert(&text[from..at]);
                }
                after_dot = c == '.';
                start = None;
            }
            (None, false) => after_dot = c == '.',
            (Some(_), true) => {}
        }
    }
}

/// The texts of a variant.
pub(super) fn variant_texts(variant: &Variant) -> Vec<Text<'_>> {
    let mut out = vec![Text::Template(&variant.subject), Text::Template(&variant.preheader)];
    out.extend(variant.text.as_deref().map(Text::Template));
    match &variant.body {
        Body::Html(source) | Body::Mjml(source) => out.push(Text::Template(source)),
        Body::Blocks(blocks) => blocks.iter().for_each(|block| block_texts(block, &mut out)),
    }
    out
}

fn block_texts<'a>(block: &'a Block, out: &mut Vec<Text<'a>>) {
    out.extend(block.show_if().map(Text::Expression));
    let mut push = |text: Option<&'a str>| out.extend(text.map(Text::Template));
    match block {
        Block::Heading { text, .. } | Block::Text { text, .. } => push(Some(text)),
        Block::Image { src, alt, href, .. } => {
            push(Some(src));
            push(alt.as_deref());
            push(href.as_deref());
        }
        Block::Button { text, href, .. } => {
            push(Some(text));
            push(Some(href));
        }
        Block::Products { items, .. } => out.push(Text::Name(items)),
        Block::Code { code, label, note, .. } => {
            push(Some(code));
            push(label.as_deref());
            push(note.as_deref());
        }
        Block::Footer { text, address, .. } => {
            push(text.as_deref());
            push(address.as_deref());
        }
        Block::Html { html: source, .. } | Block::Mjml { mjml: source, .. } => push(Some(source)),
        Block::Unknown(unknown) => {
            // Nobody knows which of its words are names.
            out.push(Text::Expression(&unknown.raw));
        }
        Block::Columns { .. } => block.inner().for_each(|inner| block_texts(inner, out)),
        Block::Countdown { until, label, ended, picture, .. } => {
            push(Some(label));
            push(ended.as_deref());
            push(picture.as_deref());
            if let crate::content::Until::Field(name) = until {
                out.push(Text::Name(name));
            }
        }
        Block::Stock { field, levels, sold_out, .. } => {
            levels.iter().for_each(|level| push(Some(&level.text)));
            push(sold_out.as_deref());
            out.push(Text::Name(field));
        }
        Block::Delivery { text, .. } => push(Some(text)),
        Block::Video { poster, href, alt, text, .. } => {
            [poster, href, alt, text].into_iter().for_each(|text| push(Some(text)));
        }
        Block::Chat { text, href, note, .. } => {
            push(Some(text));
            push(Some(href));
            push(note.as_deref());
        }
        Block::SmsOptIn { text, button, terms, .. } => {
            [text, button, terms].into_iter().for_each(|text| push(Some(text)));
        }
        Block::Social { links, .. } => links.iter().for_each(|link| {
            push(Some(&link.href));
            push(link.label.as_deref());
        }),
        Block::Divider { .. } | Block::Spacer { .. } => {}
    }
}

/// Every name that a template of the flow uses.
pub(super) fn used_names<'a>(flow: &'a Flow, settings: &'a FlowSettings) -> BTreeSet<&'a str> {
    let mut out = BTreeSet::new();
    for message in &flow.messages {
        match message.section.value() {
            Some(message) => {
                message.variants.iter().flat_map(variant_texts).for_each(|text| text.names(&mut out));
            }
            None => words(message.section.raw(), &mut out),
        }
    }
    for node in &flow.nodes {
        match node.settings() {
            Some(Settings::Webhook(webhook)) => {
                Text::Template(&webhook.body).names(&mut out);
                Text::Template(&webhook.url).names(&mut out);
                webhook.headers.values().for_each(|value| Text::Template(value).names(&mut out));
            }
            Some(Settings::InternalAlert(alert)) => {
                Text::Template(&alert.subject).names(&mut out);
                Text::Template(&alert.text).names(&mut out);
            }
            Some(_) => {}
            None => words(node.settings.raw(), &mut out),
        }
    }
    settings.tracking.values().for_each(|value| Text::Template(value).names(&mut out));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: Text<'_>, expected: &[&str]) {
        let mut names = BTreeSet::new();
        text.names(&mut names);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), expected, "{text:?}");
    }

    #[test]
    fn names_in_texts() {
        check(Text::Template("Hi {first_name}, {{ cart.value | money }}"), &["cart", "first_name", "money"]);
        check(Text::Template("no braces, an open one { x"), &["x"]);
        check(Text::Template("}{"), &[]);
        check(Text::Expression("cart_value > 3 and äpfel.b"), &["3", "and", "cart_value", "äpfel"]);
        check(Text::Name("cart_items"), &["cart_items"]);
    }
}
