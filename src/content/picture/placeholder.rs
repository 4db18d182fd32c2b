//! A box with the alt text in place of an image that is not shown.
//!
//! It takes the room that the image would take, so that the rest of the mail stands where it will stand. Deliberately
//! not here: which images are not shown (`images`).

use super::{
    dom::{Dom, Id},
    widths::px,
};

/// An image at most so large is a counter of opens: it takes no room and needs no box.
const COUNTER_PX: f32 = 3.0;
/// Width of an image that does not say its own.
const WIDTH_PX: f32 = 160.0;
/// Up to here an image without a height is taken for a square (a product, an icon), above for a photo.
const SQUARE_PX: f32 = 200.0;
/// Shape of a photo.
const PHOTO: f32 = 16.0 / 9.0;
/// A box below this has no room for words.
const WORDS_PX: f32 = 36.0;
/// Marks the box, so that its words are not expected to be legible.
pub(super) const MARK: &str = "data-fl-box";

/// Puts a box in place of an `<img>`.
pub(super) fn put(dom: &mut Dom, id: Id) {
    let Some(image) = dom.element_mut(id) else { return };
    let alt = image.remove("alt").unwrap_or_default();
    let style = image.attr("style").unwrap_or("").to_ascii_lowercase();
    let (width, height) = (image.remove("width"), image.remove("height"));
    image.remove("src");
    let width = declared(&style, "width").or(width);
    let height = declared(&style, "height").or(height);
    let (width_px, height_px) = (width.as_deref().and_then(px), height.as_deref().and_then(px));
    if [width_px, height_px].into_iter().flatten().any(|px| px <= COUNTER_PX) {
        dom.remove(id);
        return;
    }
    let whole = width.as_deref().map(str::trim).filter(|width| width.ends_with('%'));
    let (across, ratio) = match (whole, width_px, height_px) {
        (Some(share), _, Some(high)) => (share.to_owned(), format!("height:{high}px")),
        (Some(share), _, None) => (share.to_owned(), format!("aspect-ratio:{PHOTO}")),
        (None, Some(wide), Some(high)) => (format!("{wide}px"), format!("aspect-ratio:{}", wide / high)),
        (None, Some(wide), None) => {
            let shape = if wide <= SQUARE_PX { 1.0 } else { PHOTO };
            (format!("{wide}px"), format!("aspect-ratio:{shape}"))
        }
        (None, None, Some(high)) => (format!("{}px", high * PHOTO), format!("height:{high}px")),
        (None, None, None) => (format!("{WIDTH_PX}px"), format!("aspect-ratio:{PHOTO}")),
    };
    let smallest = [width_px, height_px].into_iter().flatten().fold(f32::INFINITY, f32::min);
    let display =
        if style.contains("display:block") || style.contains("display: block") { "flex" } else { "inline-flex" };
    // Last in the style, so it wins over what the image had. Own colours, legible on any ground.
    image.add_style(&format!(
        "display:{display};width:{across};{ratio};max-width:100%;box-sizing:border-box;overflow:hidden;\
         align-items:center;justify-content:center;text-align:center;vertical-align:middle;padding:4px;\
         border:1px dashed #9aa5b1;background:#eef1f4;color:#52606d;font:400 {}px/1.35 Arial,sans-serif;\
         letter-spacing:normal;text-transform:none;text-decoration:none",
        if smallest < 100.0 { 11 } else { 13 }
    ));
    image.set(MARK, "");
    dom.rename(id, "span");
    let words = if smallest < WORDS_PX { String::new() } else { alt };
    let words = if words.trim().is_empty() && smallest >= WORDS_PX { "Image".to_owned() } else { words };
    dom.set_text(id, words);
}

/// A declaration's value in a style in lower case.
fn declared(style: &str, property: &str) -> Option<String> {
    style.split(';').rev().find_map(|declaration| {
        let (name, value) = declaration.split_once(':')?;
        let value = value.trim().trim_end_matches("!important").trim();
        (name.trim() == property && value != "auto").then(|| value.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &[&str]) {
        let mut dom = Dom::parse(html).unwrap_or_else(|e| panic!("{e}"));
        for id in dom.in_order() {
            if dom.is(id, "img") {
                put(&mut dom, id);
            }
        }
        let written = dom.write();
        assert!(!written.contains("<img"), "{written}");
        for part in expected {
            assert!(written.contains(part), "{part} in {written}");
        }
    }

    #[test]
    fn the_box_has_the_size_and_the_words_of_the_image() {
        check("<img src=x alt='A bag' width=500 height=250>", &["width:500px;aspect-ratio:2;", ">A bag</span>"]);
        check("<img src=x width=88>", &["width:88px;aspect-ratio:1;", ">Image</span>"]);
        check(
            "<img src=x style='display:block;width:100%;height:auto' width=520>",
            &["display:flex;width:100%;aspect-ratio:1.7"],
        );
        check("<img src=x style='height:40px'>", &["height:40px"]);
        check("<img src=x width=24 height=24 alt='in'>", &["></span>"]);
    }

    #[test]
    fn a_counter_of_opens_takes_no_room() {
        check("<p>a<img src=http://x width=1 height=1 alt=''></p>", &["<p>a</p>"]);
    }
}
