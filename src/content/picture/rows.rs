//! Rule 2: rows whose cells stack are written as blocks.
//!
//! `display:block` on a table cell is how mails stack columns on a phone, and the renderer drops such a cell with all
//! that is in it. So a mail is laid out twice: the first layout says, from its own computed styles, which cells stack;
//! the second gets a fresh document in which their rows, and the tables around them, are blocks in so many words.
//! Deliberately not here: guessing from CSS.

use std::collections::{BTreeMap, BTreeSet};

use blitz_dom::BaseDocument;
use style::values::specified::box_::DisplayInside;

use super::dom::{Data, Dom, Id};

/// Marks rows and cells with their number in the tree.
const MARK: &str = "data-fl";

/// The second user-agent sheet for a mail of which rule 2 lost words: no cell stacks, none disappears.
pub(super) const NEVER_STACK: &str = "td,th{display:table-cell!important} tr{display:table-row!important} \
     tbody{display:table-row-group!important} thead{display:table-header-group!important}";

/// Whether a first layout can find anything: some style speaks of `display`.
pub(super) fn may_stack(dom: &Dom) -> bool {
    dom.nodes.iter().enumerate().any(|(id, node)| match &node.data {
        Data::Element(element) if element.name == "style" => dom.text_in(id).contains("display"),
        Data::Element(element) if matches!(element.name.as_str(), "td" | "th" | "tr") => {
            element.attr("style").is_some_and(|style| style.contains("display"))
        }
        _ => false,
    })
}

/// Marks what [`found`] looks for.
pub(super) fn mark(dom: &mut Dom) {
    for id in 0..dom.nodes.len() {
        if let Some(element) = dom.element_mut(id)
            && matches!(element.name.as_str(), "td" | "th" | "tr")
        {
            element.set(MARK, id.to_string());
        }
    }
}

/// What a first layout says about a row or a cell.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Shown {
    /// Part of a table.
    Table,
    /// Not at all.
    Hidden,
    /// Any other way: it stacks.
    Block,
}

/// How each marked element is shown.
pub(super) fn found(document: &BaseDocument) -> BTreeMap<Id, Shown> {
    let mut out = BTreeMap::new();
    for (_, node) in document.tree().iter() {
        let Some(attrs) = node.attrs() else { continue };
        let Some(mark) = attrs.iter().find(|attr| &*attr.name.local == MARK) else { continue };
        let Ok(id) = mark.value.parse::<Id>() else { continue };
        // What is in something hidden has no style at all.
        let shown = node.primary_styles().map_or(Shown::Hidden, |styles| match styles.clone_display().inside() {
            DisplayInside::None => Shown::Hidden,
            DisplayInside::TableCell | DisplayInside::TableRow | DisplayInside::Contents => Shown::Table,
            _ => Shown::Block,
        });
        out.insert(id, shown);
    }
    out
}

/// Writes the rows that stack as blocks. Returns how many there are.
pub(super) fn unfold(dom: &mut Dom, shown: &BTreeMap<Id, Shown>) -> usize {
    let of = |id: Id| shown.get(&id).copied().unwrap_or(Shown::Hidden);
    let cells = |dom: &Dom, row: Id| -> Vec<Id> {
        let children = dom.nodes[row].children.iter().copied();
        children.filter(|id| dom.is(*id, "td") || dom.is(*id, "th")).collect()
    };
    let rows: Vec<Id> = dom.in_order().into_iter().filter(|id| dom.is(*id, "tr") && of(*id) != Shown::Hidden).collect();
    let stacking: BTreeSet<Id> = rows
        .iter()
        .copied()
        .filter(|row| of(*row) == Shown::Block || cells(dom, *row).iter().any(|cell| of(*cell) == Shown::Block))
        .collect();
    let mut around: BTreeSet<Id> = BTreeSet::new();
    for row in &stacking {
        around.extend(tables_around(dom, *row));
    }
    for row in &rows {
        if stacking.contains(row) {
            restyle(dom, *row, "display:block!important");
            for cell in cells(dom, *row) {
                match of(cell) {
                    // A spacer beside the columns is nothing above or below them.
                    Shown::Table if is_empty(dom, cell) => restyle(dom, cell, "display:none!important"),
                    Shown::Table => restyle(dom, cell, "display:block!important;width:auto!important"),
                    Shown::Block => restyle(dom, cell, "display:block!important"),
                    Shown::Hidden => {}
                }
            }
        } else if tables_around(dom, *row).iter().any(|part| around.contains(part)) {
            restyle(dom, *row, "display:table!important;width:100%!important");
        }
    }
    for part in around {
        restyle(dom, part, "display:block!important");
    }
    stacking.len()
}

/// The row's group and its table.
fn tables_around(dom: &Dom, row: Id) -> Vec<Id> {
    let mut out = Vec::new();
    let mut at = dom.nodes[row].parent;
    while let Some(id) = at {
        let Some(element) = dom.element(id) else { break };
        if !matches!(element.name.as_str(), "tbody" | "thead" | "tfoot" | "table") {
            break;
        }
        out.push(id);
        if element.name == "table" {
            break;
        }
        at = dom.nodes[id].parent;
    }
    out
}

fn is_empty(dom: &Dom, cell: Id) -> bool {
    let mut open = vec![cell];
    while let Some(id) = open.pop() {
        match &dom.nodes[id].data {
            Data::Text(text) if !text.trim_matches(|c: char| c.is_whitespace() || c == '\u{a0}').is_empty() => {
                return false;
            }
            Data::Element(element) if matches!(element.name.as_str(), "img" | "hr" | "input" | "a") => return false,
            Data::Element(element) if element.attr(super::placeholder::MARK).is_some() => return false,
            _ => open.extend(&dom.nodes[id].children),
        }
    }
    true
}

fn restyle(dom: &mut Dom, id: Id, declarations: &str) {
    if let Some(element) = dom.element_mut(id) {
        element.add_style(declarations);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cells: &str, shown: &[Shown], expected: &str) {
        let mut dom = Dom::parse(&format!("<table>{cells}</table>")).unwrap_or_else(|e| panic!("{e}"));
        let marked: Vec<Id> =
            dom.in_order().into_iter().filter(|id| ["tr", "td"].iter().any(|name| dom.is(*id, name))).collect();
        assert_eq!(marked.len(), shown.len(), "one word for each row and cell");
        unfold(&mut dom, &marked.into_iter().zip(shown.iter().copied()).collect());
        assert!(dom.write().contains(expected), "{}", dom.write());
    }

    #[test]
    fn a_row_with_a_cell_that_stacks_becomes_blocks() {
        use Shown::{Block, Table};
        check(
            "<tr><td>a<td>&nbsp;<td>b<tr><td>c",
            &[Table, Block, Table, Table, Table, Table],
            "<table style=\"display:block!important\"><tbody style=\"display:block!important\">\
             <tr style=\"display:block!important\"><td style=\"display:block!important\">a</td>\
             <td style=\"display:none!important\">\u{a0}</td>\
             <td style=\"display:block!important;width:auto!important\">b</td></tr>\
             <tr style=\"display:table!important;width:100%!important\"><td>c</td></tr>",
        );
    }

    #[test]
    fn other_tables_stay_as_they_are() {
        use Shown::{Hidden, Table};
        check(
            "<tr><td>a<tr><td>b",
            &[Table, Table, Hidden, Hidden],
            "<table><tbody><tr><td>a</td></tr><tr><td>b</td></tr>",
        );
    }
}
