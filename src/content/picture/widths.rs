//! Rule 3: at phone width, fixed widths that do not fit become 100 %.
//!
//! Phones zoom or reflow such mails; the renderer would cut them off at the right. Deliberately not here: widths in
//! style sheets, which the same pass as addresses rewrites (`css`), told by [`limit_px`].

use super::dom::{Dom, Id};

/// Below this width it is a phone. Source: the widest phone-only breakpoint in use (MJML's and most builders' 480 px).
const PHONE_BELOW_PX: u32 = 480;
/// Share of the pane that a fixed width may take. Source: measured; `mail-rendering`, rule 3.
const SHARE: f32 = 0.7;

/// The widest that may stay; `None` where the pane is no phone.
pub(super) fn limit_px(pane_px: u32) -> Option<f32> {
    (pane_px < PHONE_BELOW_PX).then_some(pane_px as f32 * SHARE)
}

/// Clamps the `width` attribute of an element.
pub(super) fn clamp(dom: &mut Dom, id: Id, limit_px: f32) {
    let Some(element) = dom.element_mut(id) else { return };
    if !matches!(element.name.as_str(), "table" | "td" | "th" | "col" | "img" | "hr" | "tr" | "div") {
        return;
    }
    let is_image = element.name == "img";
    let too_wide = element.attr("width").and_then(px).is_some_and(|px| px > limit_px);
    if too_wide {
        element.set("width", "100%");
    }
    // An image that is narrowed keeps its shape.
    let style_too_wide = element.attr("style").is_some_and(|style| style.replace(' ', "").contains("width:100%"));
    if is_image && (too_wide || style_too_wide) && element.remove("height").is_some() {
        element.add_style("height:auto");
    }
}

/// A length as attributes have it: `550`, `550px`.
pub(super) fn px(value: &str) -> Option<f32> {
    let value = value.trim();
    let number = value.strip_suffix("px").unwrap_or(value);
    number.trim().parse().ok().filter(|px: &f32| px.is_finite() && *px >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let mut dom = Dom::parse(body).unwrap_or_else(|e| panic!("{e}"));
        for id in dom.in_order() {
            clamp(&mut dom, id, limit_px(375).unwrap_or(0.0));
        }
        assert!(dom.write().contains(expected), "{}", dom.write());
    }

    #[test]
    fn only_what_does_not_fit_changes() {
        check("<table width=600>", "<table width=\"100%\">");
        check("<table width='600px'>", "<table width=\"100%\">");
        check("<table width=100%>", "<table width=\"100%\">");
        check("<table width=200>", "<table width=\"200\">");
        check("<img width=600 height=300>", "<img width=\"100%\" style=\"height:auto\">");
        check("<img width=88 height=88>", "<img width=\"88\" height=\"88\">");
        check("<canvas width=600>", "<canvas width=\"600\">");
        assert_eq!(limit_px(600), None);
    }
}
