//! Rule 2: rows whose cells stack are written as blocks.
//!
//! `display:block` on a table cell is how mails stack columns on a phone, and the renderer drops such a cell with all
//! that is in it. So a mail is laid out twice: the first layout says, from its own computed styles, which cells stack;
//! the second gets a fresh document in which that is said in a way that the renderer follows.
//! Deliberately not here: guessing from CSS.

use std::collections::BTreeMap;

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

/// Writes what stacks as blocks. Returns how many rows do.
///
/// Where all rows of a table stack, the table, its groups and its rows become blocks. Where only some cells do, they
/// get what CSS gives them (CSS 2.2, 17.2.1): a run of them stands in one cell without a style of its own, and a row
/// that is a block in a row of its own.
pub(super) fn unfold(dom: &mut Dom, shown: &BTreeMap<Id, Shown>) -> usize {
    let of = |id: Id| shown.get(&id).copied().unwrap_or(Shown::Hidden);
    let mut tables: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
    for row in dom.in_order() {
        if dom.is(row, "tr") && of(row) != Shown::Hidden {
            tables.entry(table_of(dom, row).unwrap_or(row)).or_default().push(row);
        }
    }
    let mut stacked = 0;
    for (table, rows) in tables {
        let whole = |dom: &Dom, row: Id| {
            of(row) == Shown::Block
                || cells(dom, row).iter().all(|cell| of(*cell) != Shown::Table || is_empty(dom, *cell))
        };
        let stacks = |dom: &Dom, row: Id| {
            of(row) == Shown::Block || cells(dom, row).iter().any(|cell| of(*cell) == Shown::Block)
        };
        let stacking = rows.iter().filter(|row| stacks(dom, **row)).count();
        stacked += stacking;
        if stacking == rows.len() && rows.iter().all(|row| whole(dom, *row)) {
            unfold_table(dom, table, &rows, &of);
            continue;
        }
        for row in rows.into_iter().filter(|row| stacks(dom, *row)).collect::<Vec<_>>() {
            if of(row) == Shown::Block {
                let Some((parent, at)) = place(dom, row) else { continue };
                let around = dom.insert_new(parent, at, "tr");
                let inside = wrap(dom, around, 0, false);
                dom.move_into(row, inside);
                block_row(dom, row, &of);
            } else {
                for run in runs(dom, row, &of) {
                    let Some((parent, at)) = run.first().and_then(|cell| place(dom, *cell)) else { continue };
                    let inside = wrap(dom, parent, at, true);
                    for cell in run {
                        dom.move_into(cell, inside);
                        restyle(dom, cell, "display:block!important");
                    }
                }
            }
        }
    }
    stacked
}

/// A table of which every row stacks.
fn unfold_table(dom: &mut Dom, table: Id, rows: &[Id], of: &dyn Fn(Id) -> Shown) {
    for row in rows {
        block_row(dom, *row, of);
        let mut at = dom.nodes[*row].parent;
        while let Some(id) = at.filter(|id| *id != table) {
            let done = dom.element(id).and_then(|element| element.attr("style")).is_some_and(|s| s.ends_with(BLOCK));
            if !done {
                restyle(dom, id, BLOCK);
            }
            at = dom.nodes[id].parent;
        }
    }
    if dom.is(table, "table") {
        restyle(dom, table, BLOCK);
    }
}

const BLOCK: &str = "display:block!important";

fn block_row(dom: &mut Dom, row: Id, of: &dyn Fn(Id) -> Shown) {
    let cells = cells(dom, row);
    // Cells of a row that is a block stand beside each other in a table of their own.
    if of(row) == Shown::Block && cells.iter().all(|cell| of(*cell) != Shown::Block) {
        restyle(dom, row, "display:table!important;width:100%!important");
        return;
    }
    restyle(dom, row, BLOCK);
    for cell in cells {
        match of(cell) {
            // A spacer beside the columns is nothing above or below them.
            Shown::Table if is_empty(dom, cell) => restyle(dom, cell, "display:none!important"),
            Shown::Table => restyle(dom, cell, "display:block!important;width:auto!important"),
            Shown::Block => restyle(dom, cell, BLOCK),
            Shown::Hidden => {}
        }
    }
}

/// A cell without a style of its own at that place, with a table of blocks in it; gives the innermost part of that.
fn wrap(dom: &mut Dom, parent: Id, at: usize, with_row: bool) -> Id {
    let cell = dom.insert_new(parent, at, "td");
    restyle(dom, cell, "display:table-cell!important;padding:0!important;border:0!important;background:none!important");
    let table = dom.insert_new(cell, 0, "table");
    restyle(
        dom,
        table,
        "display:block!important;width:100%!important;min-width:0!important;max-width:none!important;margin:0!important;\
         padding:0!important;border:0!important;background:none!important;float:none!important",
    );
    let group = dom.insert_new(table, 0, "tbody");
    restyle(dom, group, BLOCK);
    if !with_row {
        return group;
    }
    let row = dom.insert_new(group, 0, "tr");
    restyle(dom, row, BLOCK);
    row
}

/// Cells one after another that stack; hidden ones between them do not part them.
fn runs(dom: &Dom, row: Id, of: &dyn Fn(Id) -> Shown) -> Vec<Vec<Id>> {
    let mut out: Vec<Vec<Id>> = Vec::new();
    let mut open = false;
    for cell in cells(dom, row) {
        match of(cell) {
            Shown::Block if open => out.last_mut().into_iter().for_each(|run| run.push(cell)),
            Shown::Block => {
                out.push(vec![cell]);
                open = true;
            }
            Shown::Table => open = false,
            Shown::Hidden => {}
        }
    }
    out
}

fn cells(dom: &Dom, row: Id) -> Vec<Id> {
    let children = dom.nodes[row].children.iter().copied();
    children.filter(|id| dom.is(*id, "td") || dom.is(*id, "th")).collect()
}

fn place(dom: &Dom, id: Id) -> Option<(Id, usize)> {
    let parent = dom.nodes[id].parent?;
    Some((parent, dom.nodes[parent].children.iter().position(|child| *child == id)?))
}

fn table_of(dom: &Dom, row: Id) -> Option<Id> {
    let mut at = dom.nodes[row].parent;
    while let Some(id) = at {
        match dom.element(id)?.name.as_str() {
            "table" => return Some(id),
            "tbody" | "thead" | "tfoot" => at = dom.nodes[id].parent,
            _ => return None,
        }
    }
    None
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
        // Shorter to read: the styles of what is put around.
        let written = dom.write().replace("!important", "");
        let inside = written.split_once("<table").and_then(|(_, rest)| rest.rsplit_once("</table>"));
        assert_eq!(inside.map(|(inside, _)| inside), Some(expected));
    }

    #[test]
    fn a_table_of_which_every_row_stacks_becomes_blocks() {
        use Shown::{Block, Table};
        check(
            "<tr><td>a<td>&nbsp;<td>b<tr><td>c",
            &[Table, Block, Table, Block, Table, Block],
            " style=\"display:block\"><tbody style=\"display:block\">\
             <tr style=\"display:block\"><td style=\"display:block\">a</td>\
             <td style=\"display:none\">\u{a0}</td><td style=\"display:block\">b</td></tr>\
             <tr style=\"display:block\"><td style=\"display:block\">c</td></tr></tbody>",
        );
        check(
            "<tr><td>a<td>b",
            &[Block, Table, Table],
            " style=\"display:block\"><tbody style=\"display:block\"><tr style=\"display:table;width:100%\">\
             <td>a</td><td>b</td></tr></tbody>",
        );
    }

    #[test]
    fn cells_that_stack_among_others_share_a_cell() {
        use Shown::{Block, Hidden, Table};
        check(
            "<tr><td>a<td>b<td>c<td>d",
            &[Table, Table, Block, Hidden, Block],
            "><tbody><tr><td>a</td><td style=\"display:table-cell;padding:0;border:0;background:none\">\
             <table style=\"display:block;width:100%;min-width:0;max-width:none;margin:0;padding:0;border:0;\
             background:none;float:none\"><tbody style=\"display:block\"><tr style=\"display:block\">\
             <td style=\"display:block\">b</td><td style=\"display:block\">d</td></tr></tbody></table></td>\
             <td>c</td></tr></tbody>",
        );
    }

    #[test]
    fn other_tables_stay_as_they_are() {
        use Shown::{Hidden, Table};
        check(
            "<tr><td>a<tr><td>b",
            &[Table, Table, Hidden, Hidden],
            "><tbody><tr><td>a</td></tr><tr><td>b</td></tr></tbody>",
        );
    }
}
