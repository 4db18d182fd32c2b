//! The template language: tags in two spellings, a safe subset as a tree, checks with places, rendering forms.
//!
//! Both `{cart_value}` and `{{ cart_value|default('your cart', true) }}` are read. What comes out is a tree of our
//! own ([`tree`]), from which the runtime form ([`lower`]) and each platform's form ([`transpile`]) are printed.

mod check;
pub(crate) mod foreign;
pub(crate) mod lower;
pub(crate) mod names;
mod shorthand;
pub(crate) mod transpile;
pub(crate) mod tree;

use crate::{
    base::{Diagnostic, Place},
    content::{Field, RESERVED_LINKS},
};

pub(crate) use check::{check_condition, check_nodes, proves_present};
pub(crate) use shorthand::Expanded;
use tree::{Expr, Node, Refusal};

/// Names that a template may not declare.
const RESERVED: [&str; 4] = ["loop", "unsubscribe_url", "preferences_url", "view_url"];

/// A template that was read: the tree, and the text in the long form.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Template {
    pub nodes: Vec<Node>,
    /// Every tag as `{{ … }}` or `{% … %}`.
    pub expanded: String,
}

/// Reads a template. What is found goes to `found`, with ranges in `source`; `None` where it cannot be used.
///
/// `present` names fields that are surely there where this text is shown.
pub(crate) fn read(
    source: &str,
    fields: &[Field],
    present: &[String],
    place: &Place,
    found: &mut Vec<Diagnostic>,
) -> Option<Template> {
    let expanded = long_form(source, fields);
    for (name, range) in &expanded.loose {
        found.push(check::loose(name, fields, place.clone().with_range(*range)));
    }
    match tree::template(&expanded) {
        Ok(nodes) => {
            check_nodes(&nodes, fields, present, place, found);
            Some(Template { nodes, expanded: expanded.text })
        }
        Err(refusals) => {
            report(&refusals, place, found);
            None
        }
    }
}

/// A template in the long form as it stands, with the way back; nothing is checked.
pub(crate) fn long_form(source: &str, fields: &[Field]) -> Expanded {
    shorthand::expand(source, &|name| is_known(name, fields))
}

/// Reads machine-made text in which every tag is in the long form already; checks nothing but the language.
pub(crate) fn read_expanded(source: &str) -> Result<Vec<Node>, String> {
    let expanded = shorthand::expand(source, &|_| false);
    tree::template(&expanded).map_err(|refusals| refusals.first().map_or_else(String::new, |r| r.message.clone()))
}

/// Reads a "show if". The second value is its text in the long form, ready for `{% if … %}`.
pub(crate) fn read_condition(
    source: &str,
    fields: &[Field],
    place: &Place,
    found: &mut Vec<Diagnostic>,
) -> Option<(Expr, String)> {
    let expanded = shorthand::expand_condition(source);
    match tree::condition(&expanded) {
        Ok(expr) => {
            check_condition(&expr, fields, place, found);
            let text = expanded.text.trim().to_owned();
            Some((expr, text))
        }
        Err(refusals) => {
            report(&refusals, place, found);
            None
        }
    }
}

fn report(refusals: &[Refusal], place: &Place, found: &mut Vec<Diagnostic>) {
    for refusal in refusals {
        let code = if refusal.refused { "template/refused" } else { "template/syntax" };
        let place = place.clone().with_range(refusal.range);
        found.push(Diagnostic::error(code, place, refusal.message.clone()).hint(refusal.hint.clone()));
    }
}

/// Whether a name is a field or a reserved link.
pub(crate) fn is_known(name: &str, fields: &[Field]) -> bool {
    RESERVED_LINKS.contains(&name) || fields.iter().any(|field| field.name == name)
}
