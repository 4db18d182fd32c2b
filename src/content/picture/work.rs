//! How much there is to lay out and to paint, counted before it is done.
//!
//! A layout cannot be interrupted, so what would take long is refused first: texts and style rules before the styles
//! are worked out, what the styles make of the elements before the layout, areas and strokes before the painting. The
//! bounds are counts, not times, so that a mail is refused on every machine or on none. Deliberately not here: single
//! lengths (`css`, `active`), the size of the tree (`dom`).

use std::collections::BTreeMap;

use blitz_dom::{BaseDocument, Node, NodeId};
use parley::PositionedLayoutItem;
use style::values::{
    generics::{
        counters::{Content, ContentItem},
        image::GenericImage as Image,
    },
    specified::{BorderStyle, box_::DisplayInside},
};

use super::{
    Error,
    dom::{Data, Dom, MAX_NODES},
};

/// A sheet of the user agent that no mail can overrule: what the renderer does dot by dot, without looking at how small
/// the dots are (a thickness of nothing never ended), or pixel by pixel several times, or for the whole window, or step
/// by step of an animation. Hardly a mail program knows any of it.
pub(super) const CALM: &str = "*,*::before,*::after{text-decoration-style:solid!important;\
     text-decoration-thickness:auto!important;filter:none!important;backdrop-filter:none!important;\
     clip-path:none!important;mask-image:none!important;background-attachment:scroll!important;\
     animation:none!important;transition:none!important}";

/// Most bytes of text outside style sheets, with what styles put before and after elements. Source: what Gmail shows of
/// a mail (102 KB) if it were all text. Measured on 2026-11-26 without optimisation: so many letters take 0.3 s of a
/// processor, as many emoji as that are characters 0.95 s.
const MAX_TEXT: usize = 102_400;
/// Most checks of a style rule against an element. Source: assumption, 2,400 rules for the 4,100 elements of the
/// largest of 33 measured mails.
const MAX_MATCHES: usize = 10_000_000;
/// Most selectors of all rules: a rule with a list of 100,000 classes took over 8 s. Source: twice what the 2,400 rules
/// above have.
const MAX_SELECTORS: usize = 6_000;
/// Most places of a table, rows times columns, filled or not: each is looked at, and each has its lines. Source: a
/// price list of 1,000 rows and 40 columns twice over; nine million places took 4 s of a processor and 600 MB.
const MAX_PLACES: usize = 100_000;
/// Most boxes that float: each is placed among those before it. Measured: 12,000 take 0.9 s of a processor.
const MAX_FLOATS: usize = 3_000;
/// How many plain rules a part of a selector counts for that looks at the elements beside or inside.
const WIDE_PARTS: [(&str, usize); 3] = [("~", 100), (":has(", 100), (":nth-", 20)];
/// Most marks on one letter: text shaping compares each with each. Source: Unicode's Stream-Safe Text Format (UAX 15,
/// 13).
const MAX_MARKS: usize = 30;
/// Most pixels that are painted, plain ones: 25 times the largest picture, 80 times one as usual.
const MAX_PAINTED: f64 = 1e9;
/// How many plain pixels one counts for. Source: assumption, not measured one by one.
const OF_GRADIENT: f64 = 10.0;
const OF_SHADOW: f64 = 20.0;
const OF_LAYER: f64 = 5.0;
/// How many plain pixels each pixel of the picture counts for, for every shadow, wherever it is: the renderer has a
/// layer over all of it for each. Measured: 6,000 on the tallest picture take 2.3 s of a processor.
const OF_SHADOW_ANYWHERE: f64 = 0.1;
/// Most dots and dashes of borders: a hundred boxes of 600 by 300 pixels with dots of one pixel. Measured: 480,000 take
/// 0.7 s of a processor.
const MAX_DOTS: f64 = 1e5;
/// Most lines under, over and through texts. Measured: 1.5 million take 1.7 s of a processor.
const MAX_STROKES: usize = 200_000;

/// Bounds what is worked out before there is a layout.
///
/// Errors: too much text, too many style rules for so many elements, too many selectors.
pub(super) fn before_styles(dom: &mut Dom) -> Result<(), Error> {
    let (mut text, mut elements, mut rules, mut selectors) = (0_usize, 0_usize, 0_usize, 0_usize);
    for id in dom.in_order() {
        if dom.is(id, "style") {
            let css = dom.text_in(id);
            rules += css.matches('{').count();
            selectors += num_selectors(&css);
            rules += WIDE_PARTS.iter().map(|(part, weight)| css.matches(part).count() * weight).sum::<usize>();
        }
        let in_style = dom.nodes[id].parent.is_some_and(|parent| dom.is(parent, "style"));
        match &mut dom.nodes[id].data {
            Data::Element(_) => elements += 1,
            Data::Text(own) if !in_style => {
                text += own.len();
                if let Some(short) = unburdened(own) {
                    *own = short;
                }
            }
            _ => {}
        }
    }
    if text > MAX_TEXT {
        return Err(too_much_text(text));
    }
    if selectors > MAX_SELECTORS {
        return Err(Error::TooMuch(format!("{selectors} selectors in its style sheets (most: {MAX_SELECTORS})")));
    }
    if rules.saturating_mul(elements) > MAX_MATCHES {
        return Err(Error::TooMuch(format!("{rules} style rules for {elements} elements")));
    }
    Ok(())
}

fn too_much_text(bytes: usize) -> Error {
    Error::TooMuch(format!("{} KB of text (most: {} KB)", bytes.div_ceil(1_024), MAX_TEXT / 1_024))
}

/// How many selectors the rules of a sheet have: the commas in front of each `{`, and one.
fn num_selectors(css: &str) -> usize {
    let (mut all, mut commas) = (0, 0);
    for byte in css.bytes() {
        match byte {
            b',' => commas += 1,
            b'{' => {
                all += commas + 1;
                commas = 0;
            }
            b'}' | b';' => commas = 0,
            _ => {}
        }
    }
    all
}

/// Bounds what a layout gets, of a document whose styles are worked out.
///
/// Errors: styles that put too much before and after elements; tables with too many places.
pub(super) fn before_layout(document: &BaseDocument) -> Result<(), Error> {
    let (mut text, mut boxes, mut floats) = (0_usize, 0_usize, 0_usize);
    let mut tables: BTreeMap<NodeId, Table> = BTreeMap::new();
    let mut open: Vec<NodeId> = document.try_root_element().map(|root| root.id).into_iter().collect();
    // In reading order, as rows that reach into later ones need it.
    while let Some(id) = open.pop() {
        let Some(node) = document.get_node(id) else { continue };
        open.extend(node.children.iter().rev());
        boxes += 1;
        if let Some(own) = node.text_data() {
            // Style sheets are text, too, and were counted before.
            let parent = node.parent.and_then(|parent| document.get_node(parent));
            text += if parent.and_then(display_of).is_some_and(|shown| shown != DisplayInside::None) {
                own.content.len()
            } else {
                0
            };
        }
        let data = node.try_stylo_element_data().and_then(|data| data.get());
        for style in data.iter().flat_map(|data| data.styles.pseudos.as_array().iter().flatten()) {
            let Content::Items(content) = &style.get_counters().content else { continue };
            // A box, and the text in it.
            boxes += 2;
            text += content
                .items
                .iter()
                .map(|item| if let ContentItem::String(s) = item { s.len() } else { 0 })
                .sum::<usize>();
        }
        drop(data);
        floats += node.primary_styles().map_or(0, |styles| usize::from(styles.clone_float().is_floating()));
        if display_of(node) == Some(DisplayInside::TableRow) {
            tables.entry(table_of(document, node)).or_default().add_row(document, node);
        }
    }
    if text > MAX_TEXT {
        return Err(too_much_text(text));
    }
    if boxes > MAX_NODES {
        return Err(Error::TooMany(MAX_NODES));
    }
    if floats > MAX_FLOATS {
        return Err(Error::TooMuch(format!("{floats} boxes that float (most: {MAX_FLOATS})")));
    }
    if let Some(table) = tables.values().find(|table| table.rows.saturating_mul(table.columns) > MAX_PLACES) {
        let (rows, columns) = (table.rows, table.columns);
        return Err(Error::TooMuch(format!("a table of {rows} rows and {columns} columns")));
    }
    Ok(())
}

/// How large a table is.
#[derive(Default)]
struct Table {
    rows: usize,
    columns: usize,
    /// Cells that reach into later rows: how many rows are left, and how many columns they take.
    reaching: Vec<(usize, usize)>,
}

impl Table {
    fn add_row(&mut self, document: &BaseDocument, row: &Node) {
        self.reaching.iter_mut().for_each(|(left, _)| *left -= 1);
        self.reaching.retain(|(left, _)| *left > 0);
        let taken: usize = self.reaching.iter().map(|(_, columns)| columns).sum();
        let mut own = 0;
        for cell in row.children.iter().filter_map(|id| document.get_node(*id)) {
            let Some(element) = cell.element_data() else { continue };
            let span = |name: &str| {
                let value = element.attrs.iter().find(|attr| &*attr.name.local == name);
                value.and_then(|attr| attr.value.parse::<usize>().ok()).unwrap_or(1).max(1)
            };
            let (columns, rows) = (span("colspan"), span("rowspan"));
            own += columns;
            self.reaching.push((rows, columns));
        }
        self.rows += 1;
        self.columns = self.columns.max(own + taken);
    }
}

fn display_of(node: &Node) -> Option<DisplayInside> {
    node.primary_styles().map(|styles| styles.clone_display().inside())
}

/// The table that a row is in, or whatever stands around it for one.
fn table_of(document: &BaseDocument, row: &Node) -> NodeId {
    let mut around = row.parent;
    while let Some(node) = around.and_then(|id| document.get_node(id)) {
        let is_group = matches!(
            display_of(node),
            Some(DisplayInside::TableRowGroup | DisplayInside::TableHeaderGroup | DisplayInside::TableFooterGroup)
        );
        if !is_group {
            return node.id;
        }
        around = node.parent;
    }
    row.id
}

/// The text without what is beyond [`MAX_MARKS`] on one letter; `None` where there is nothing.
fn unburdened(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut run = 0;
    for (at, c) in text.char_indices() {
        run = if is_mark(c) { run + 1 } else { 0 };
        if run > MAX_MARKS && out.is_empty() {
            text[..at].clone_into(&mut out);
        } else if run <= MAX_MARKS && !out.is_empty() {
            out.push(c);
        }
    }
    (!out.is_empty()).then_some(out)
}

/// Signs that stand on the letter before. Source: Unicode's blocks of combining marks and variation selectors.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}')
}

/// Bounds what is painted on a picture of that size in its own pixels.
///
/// Errors: large areas or letters over each other too many times; borders of too many dots; too many lines under text.
pub(super) fn before_paint(document: &BaseDocument, size: [f32; 2], scale: f32) -> Result<(), Error> {
    let (mut painted, mut dots, mut strokes) = (0.0_f64, 0.0_f64, 0_usize);
    for (_, node) in document.tree().iter() {
        let Some(styles) = node.primary_styles().filter(|_| node.has_boxes()) else { continue };
        let own = node.final_layout().size;
        let at = node.absolute_position(0.0, 0.0);
        let whole = f64::from(size[0]) * f64::from(size[1]);
        let moved = !styles.get_box().transform.0.is_empty();
        // The part of the picture under the box, grown by so many CSS pixels on each side.
        let area = |grow: f32| {
            let within = |from: f32, long: f32, most: f32| {
                let end = (from + long + grow) * scale;
                f64::from(end.clamp(0.0, most) - ((from - grow) * scale).clamp(0.0, most)).max(0.0)
            };
            if moved { whole } else { within(at.x, own.width, size[0]) * within(at.y, own.height, size[1]) }
        };
        let images = styles.get_background().background_image.0.iter().filter(|image| !matches!(image, Image::None));
        let colour = styles.clone_background_color().resolve_to_absolute(&styles.clone_color());
        let mut weight = OF_GRADIENT * images.count() as f64;
        weight += if styles.clone_opacity() < 1.0 { OF_LAYER } else { 0.0 };
        weight += if colour.alpha > 0.0 { 1.0 } else { 0.0 };
        painted += weight * area(0.0);
        for shadow in styles.get_effects().box_shadow.0.iter() {
            // As far as the renderer reaches out for the soft edge.
            painted += OF_SHADOW * area(shadow.spread.px() + 2.5 * shadow.base.blur.px());
            painted += OF_SHADOW_ANYWHERE * whole;
        }
        let (letters, lines) = text_of(document, node, scale);
        painted += letters;
        strokes += lines;
        let border = styles.get_border();
        let sides = [
            (border.border_top_style, border.border_top_width.0, own.width),
            (border.border_bottom_style, border.border_bottom_width.0, own.width),
            (border.border_left_style, border.border_left_width.0, own.height),
            (border.border_right_style, border.border_right_width.0, own.height),
        ];
        for (style, thick, long) in sides {
            if matches!(style, BorderStyle::Dotted | BorderStyle::Dashed) && thick.0 > 0 {
                dots += f64::from(long) / f64::from(thick.to_f32_px()) / 2.0;
            }
        }
    }
    if painted.is_nan() || painted > MAX_PAINTED {
        return Err(Error::TooMuch("large coloured areas, shadows or transparent parts over each other".to_owned()));
    }
    if dots.is_nan() || dots > MAX_DOTS {
        return Err(Error::TooMuch(format!("borders of {dots:.0} dots and dashes")));
    }
    if strokes > MAX_STROKES {
        return Err(Error::TooMuch(format!("{strokes} lines under, over or through its texts")));
    }
    Ok(())
}

/// The areas of the letters in an element, in pixels of the picture, and the lines that decorate them: one for each
/// element around a piece of text that has one.
fn text_of(document: &BaseDocument, node: &Node, scale: f32) -> (f64, usize) {
    let Some(inline) = node.element_data().and_then(|element| element.inline_layout_data.as_ref()) else {
        return (0.0, 0);
    };
    let (mut area, mut strokes) = (0.0, 0);
    // Whether an element has a line, by its number: many pieces are in the same elements.
    let mut known: BTreeMap<NodeId, usize> = BTreeMap::new();
    for item in inline.layout.lines().flat_map(|line| line.items()) {
        let PositionedLayoutItem::GlyphRun(glyphs) = item else { continue };
        let size = f64::from(glyphs.run().font_size() * scale);
        area += size * size * glyphs.glyphs().count() as f64;
        let of = glyphs.style().brush.id;
        strokes += match known.get(&of) {
            Some(lines) => *lines,
            None => {
                let lines = lines_around(document, of, node.id);
                known.insert(of, lines);
                lines
            }
        };
    }
    (area, strokes)
}

/// How many elements from `id` up to `root` draw a line at their text.
fn lines_around(document: &BaseDocument, id: NodeId, root: NodeId) -> usize {
    let mut lines = 0;
    let mut at = Some(id);
    while let Some(node) = at.and_then(|id| document.get_node(id)) {
        lines += node.primary_styles().map_or(0, |styles| usize::from(!styles.clone_text_decoration_line().is_empty()));
        at = node.parent.filter(|_| node.id != root);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: Option<&str>) {
        let mut dom = Dom::parse(html).unwrap_or_else(|e| panic!("{e}"));
        let said = before_styles(&mut dom).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(!said.is_empty(), expected.is_some(), "{said}");
        assert!(said.contains(expected.unwrap_or("")), "{said}");
    }

    #[test]
    fn texts_and_rules_are_counted() {
        check(&format!("<p>{}", "x".repeat(MAX_TEXT)), None);
        check(&format!("<p>{}", "ü".repeat(MAX_TEXT)), Some("200 KB of text"));
        check(&format!("<style>{}b{{color:rgb(1,2,3)}}</style>", ".a,".repeat(5_000)), None);
        check(&format!("<style>{}{{c:d}}</style>", ".a,".repeat(10_000)), Some("10001 selectors"));
        check(&format!("<style>{}</style>{}", "b{c:d}".repeat(1_000), "<p>x".repeat(4_000)), None);
        check(&format!("<style>{}</style>{}", "b{c:d}".repeat(5_000), "<p>x".repeat(4_000)), Some("5000 style rules"));
        check(&format!("<style>{}</style>{}", "b~b{c:d}".repeat(100), "<p>x".repeat(4_000)), Some("style rules"));
    }

    #[test]
    fn marks_beyond_reason_go() {
        assert_eq!(unburdened("Über e\u{301}\u{301} \u{1f600}\u{fe0f} 中文"), None);
        let marks = "\u{301}".repeat(MAX_MARKS);
        assert_eq!(unburdened(&format!("e{marks}")), None);
        assert_eq!(unburdened(&format!("e{marks}\u{301}\u{301}xe{marks}")), Some(format!("e{marks}xe{marks}")));
    }
}
