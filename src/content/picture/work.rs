//! How much there is to lay out and to paint, counted before it is done.
//!
//! A layout cannot be interrupted, so what would take long is refused first: texts and style rules before the layout,
//! areas and dots before the painting. The bounds are counts, not times, so that a mail is refused on every machine or
//! on none. Deliberately not here: single lengths (`css`, `active`), the size of the tree (`dom`).

use blitz_dom::BaseDocument;
use style::values::{generics::image::GenericImage as Image, specified::BorderStyle};

use super::{
    Error,
    dom::{Data, Dom},
};

/// A sheet of the user agent that no mail can overrule: what the renderer does dot by dot, without looking at how small
/// the dots are (a thickness of nothing never ended), or pixel by pixel several times. Mail programs know none of it.
pub(super) const CALM: &str = "*,*::before,*::after{text-decoration-style:solid!important;\
     text-decoration-thickness:auto!important;filter:none!important;backdrop-filter:none!important;\
     clip-path:none!important;mask-image:none!important}";

/// Most characters outside style sheets. Source: what Gmail shows of a mail (102 KB) if it were all text; 200,000
/// hard spaces took three seconds on a loaded machine without optimisation.
const MAX_TEXT: usize = 102_400;
/// Most checks of a style rule against an element. Source: assumption, 2,400 rules for the 4,100 elements of the
/// largest of 33 measured mails.
const MAX_MATCHES: usize = 10_000_000;
/// How many plain rules a part of a selector counts for that looks at the elements beside or inside.
const WIDE_PARTS: [(&str, usize); 3] = [("~", 100), (":has(", 100), (":nth-", 20)];
/// Most marks on one letter: text shaping compares each with each. Source: Unicode's Stream-Safe Text Format (UAX 15,
/// 13).
const MAX_MARKS: usize = 30;
/// Most pixels that are painted, plain ones: over 40 times the largest picture.
const MAX_PAINTED: f64 = 2e9;
/// How many plain pixels one counts for. Source: assumption, not measured one by one.
const OF_GRADIENT: f64 = 10.0;
const OF_SHADOW: f64 = 20.0;
const OF_LAYER: f64 = 5.0;
/// Most dots and dashes of borders: a thousand boxes of 600 by 300 pixels with dots of one pixel.
const MAX_DOTS: f64 = 1e6;

/// Bounds what a layout gets.
///
/// Errors: too much text, too many style rules for so many elements.
pub(super) fn before_layout(dom: &mut Dom) -> Result<(), Error> {
    let (mut text, mut elements, mut rules) = (0_usize, 0_usize, 0_usize);
    for id in dom.in_order() {
        if dom.is(id, "style") {
            let css = dom.text_in(id);
            rules += css.matches('{').count();
            rules += WIDE_PARTS.iter().map(|(part, weight)| css.matches(part).count() * weight).sum::<usize>();
        }
        let in_style = dom.nodes[id].parent.is_some_and(|parent| dom.is(parent, "style"));
        match &mut dom.nodes[id].data {
            Data::Element(_) => elements += 1,
            Data::Text(own) if !in_style => {
                text += own.chars().count();
                if let Some(short) = unburdened(own) {
                    *own = short;
                }
            }
            _ => {}
        }
    }
    if text > MAX_TEXT {
        return Err(Error::TooMuch(format!("{text} characters of text (most: {MAX_TEXT})")));
    }
    if rules.saturating_mul(elements) > MAX_MATCHES {
        return Err(Error::TooMuch(format!("{rules} style rules for {elements} elements")));
    }
    Ok(())
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
/// Errors: large areas over each other too many times; borders of too many dots.
pub(super) fn before_paint(document: &BaseDocument, size: [f32; 2], scale: f32) -> Result<(), Error> {
    let (mut painted, mut dots) = (0.0_f64, 0.0_f64);
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
        }
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: Option<&str>) {
        let mut dom = Dom::parse(html).unwrap_or_else(|e| panic!("{e}"));
        let said = before_layout(&mut dom).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(!said.is_empty(), expected.is_some(), "{said}");
        assert!(said.contains(expected.unwrap_or("")), "{said}");
    }

    #[test]
    fn texts_and_rules_are_counted() {
        check(&format!("<p>{}", "ü".repeat(MAX_TEXT)), None);
        check(&format!("<p>{}", "x ".repeat(MAX_TEXT)), Some("204800 characters"));
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
