//! Lines between the rows of a table with collapsed borders, which the renderer leaves out.
//!
//! With `border-collapse:collapse` (as MJML sets it everywhere) the renderer draws the first cell's border as a grid or
//! nothing, so a line below each row is lost. Where cells of a table have borders on single sides, the table's borders
//! are parted without a gap; that looks the same as long as no two lines meet. Deliberately not here: tables whose
//! cells have whole borders, which collapse as they should.

use super::dom::{Dom, Id};

const SIDES: [&str; 4] = ["border-bottom", "border-top", "border-left", "border-right"];

/// Parts the borders of a table whose cells have lines on single sides.
pub(super) fn part(dom: &mut Dom, cell: Id) {
    let is_lined = dom.element(cell).is_some_and(|element| {
        matches!(element.name.as_str(), "td" | "th")
            && element.attr("style").is_some_and(|style| {
                let style = style.to_ascii_lowercase();
                SIDES.iter().any(|side| style.contains(side))
            })
    });
    if !is_lined {
        return;
    }
    let mut at = dom.nodes[cell].parent;
    while let Some(id) = at {
        if let Some(table) = dom.element_mut(id).filter(|element| element.name == "table") {
            if !table.attr("style").unwrap_or("").contains("border-collapse:separate") {
                table.add_style("border-collapse:separate;border-spacing:0");
            }
            return;
        }
        at = dom.nodes[id].parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: bool) {
        let mut dom = Dom::parse(html).unwrap_or_else(|e| panic!("{e}"));
        for id in dom.in_order() {
            part(&mut dom, id);
        }
        assert_eq!(dom.write().matches("border-collapse:separate").count(), usize::from(expected), "{}", dom.write());
    }

    #[test]
    fn only_tables_with_lines_on_single_sides_change() {
        check("<table><tr><td style='Border-Bottom:1px solid red'>a<td style='border-bottom:1px solid'>b", true);
        check("<table><tr><td style='border:1px solid red'>a", false);
        check("<table><tr><td style='padding:1px'>a<table><tr><td style='border-top:1px solid'>b", true);
        check("<div style='border-top:1px solid'>a</div>", false);
    }
}
