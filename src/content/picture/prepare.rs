//! A mail made ready for the renderer: every rule applied in order.
//!
//! Deliberately not here: the rules themselves, and rule 2, which needs a first layout.

use super::{
    Error, Request, active, borders,
    css::Pass,
    dom::{Dom, Id},
    hints,
    images::{Gallery, Kept, Outcome},
    placeholder, scheme, widths, work,
};

/// Scheme of the addresses that the renderer gets in place of all others.
pub(super) const SCHEME: &str = "flowloom-image";

/// A mail ready for the renderer.
pub(super) struct Prepared {
    /// What to lay out.
    pub dom: Dom,
    /// Colour behind the mail.
    pub ground: [u8; 3],
    /// Images by number.
    pub images: Vec<Kept>,
    /// How many addresses elsewhere were wanted.
    pub remote: usize,
    /// Images that are not shown, with reasons.
    pub missing: Vec<String>,
    /// For the reader.
    pub notes: Vec<String>,
}

/// Applies the rules.
///
/// Errors: the mail is larger than can be drawn.
pub(super) fn prepare(request: &Request<'_>) -> Result<Prepared, Error> {
    let mut dom = Dom::parse(request.html)?;
    let mut notes = Vec::new();
    let knows_dark = scheme::knows_dark(&dom);
    if request.scheme == super::Scheme::Dark && !knows_dark {
        notes.push("This mail has no colours of its own for dark mode; mail programs may change them".to_owned());
    }
    let drawings = active::strip(&mut dom);
    if drawings > 0 {
        notes.push(format!("{drawings} {} not drawn, as in most mail programs", count(drawings, "SVG is", "SVGs are")));
    }
    work::before_styles(&mut dom)?;
    let mut gallery = Gallery::new(request.images, request.image_base);
    let limit_px = widths::limit_px(request.width_px);
    let mut taken_out = 0;
    for id in dom.in_order() {
        if dom.element(id).is_none() {
            continue;
        }
        taken_out += styles(&mut dom, id, &mut gallery, limit_px);
        if let Some(limit_px) = limit_px {
            widths::clamp(&mut dom, id, limit_px);
        }
        borders::part(&mut dom, id);
        image(&mut dom, id, &mut gallery);
    }
    if taken_out > 0 {
        notes.push(format!(
            "{taken_out} {} left out; the text is shown in a font of the program",
            count(taken_out, "web font or imported style sheet is", "web fonts or imported style sheets are")
        ));
    }
    let mut sheet = scheme::sheet(request.scheme, knows_dark).to_owned();
    sheet.push_str(&hints::rules(&dom));
    dom.put_sheet_first(sheet);
    Ok(Prepared {
        dom,
        ground: scheme::ground(request.scheme, knows_dark),
        images: gallery.kept,
        remote: gallery.remote.len(),
        missing: gallery.missing,
        notes,
    })
}

pub(super) fn count<'a>(number: usize, one: &'a str, more: &'a str) -> &'a str {
    if number == 1 { one } else { more }
}

/// Style sheets, styles and old background attributes. Returns how many imports were taken out.
fn styles(dom: &mut Dom, id: Id, gallery: &mut Gallery<'_>, limit_px: Option<f32>) -> usize {
    let mut on_url = |address: &str| match gallery.get(address) {
        Outcome::Kept(number) => Some(format!("{SCHEME}:{number}")),
        Outcome::Remote | Outcome::Missing => None,
    };
    let mut pass = Pass { on_url: &mut on_url, width_limit_px: limit_px, taken_out: 0 };
    if dom.is(id, "style") {
        let css = pass.rewrite(&dom.text_in(id));
        // The renderer does not know the attribute.
        let media = dom.element_mut(id).and_then(|style| style.remove("media"));
        let css = match media.as_deref().map(str::trim) {
            Some(media) if !media.is_empty() && !media.contains(['{', '}', ';']) => {
                format!("@media {media}{{{css}}}")
            }
            _ => css,
        };
        let taken_out = pass.taken_out;
        dom.set_text(id, css);
        return taken_out;
    }
    let Some(element) = dom.element_mut(id) else { return 0 };
    if let Some(style) = element.attr("style") {
        let new = pass.rewrite(style);
        element.set("style", new);
    }
    if let Some(address) = element.remove("background")
        && let Some(own) = (pass.on_url)(&address)
    {
        let style = format!("background-image:url(\"{own}\");{}", element.attr("style").unwrap_or(""));
        element.set("style", style);
    }
    pass.taken_out
}

fn image(dom: &mut Dom, id: Id, gallery: &mut Gallery<'_>) {
    let Some(element) = dom.element_mut(id) else { return };
    if element.name != "img" {
        element.attrs.retain(|(name, _)| !matches!(name.as_str(), "src" | "poster" | "data"));
        return;
    }
    let address = element.attr("src").unwrap_or("").to_owned();
    match gallery.get(&address) {
        Outcome::Kept(number) => {
            element.set("src", format!("{SCHEME}:{number}"));
            let kept = &gallery.kept[number];
            let says_width = element.attr("width").is_some()
                || element.attr("height").is_some()
                || element.attr("style").is_some_and(|style| style.contains("width") || style.contains("height"));
            if kept.shrunk && !says_width {
                element.set("width", kept.width.to_string());
            }
        }
        Outcome::Remote | Outcome::Missing => placeholder::put(dom, id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::picture::{NoImages, Scheme};

    fn prepared(html: &str) -> Prepared {
        let request =
            Request { html, width_px: 375, scale: 1.0, scheme: Scheme::Light, image_base: "", images: &NoImages };
        prepare(&request).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn addresses_elsewhere_are_counted_once_and_never_left() {
        let mail = prepared(
            "<style media='screen'>@import url(http://a/b.css);p{background:url(http://a/1.png)}</style>\
             <img src=http://a/1.png><img src='http://a/2.png' width=1 height=1><td background=http://a/3.png>\
             <table background='//a/4.png'><input type=image src=http://a/5.png><video poster=http://a/6.png>x</video>",
        );
        assert_eq!(mail.remote, 3, "what is not an image of a mail is dropped");
        let written = mail.dom.write();
        assert!(!written.contains("http:") && !written.contains("//a"), "{written}");
        assert!(written.contains("@media screen{"), "{written}");
        assert_eq!(mail.notes.len(), 1, "{:?}", mail.notes);
    }

    #[test]
    fn a_missing_image_says_why() {
        let mail = prepared("<img src=hero.jpg alt=Hero><img src='../x.png'><img src=file:///etc/passwd>");
        assert_eq!(
            mail.missing,
            [
                "hero.jpg: it is not in images/",
                "../x.png: its address leads out of images/",
                "file:///etc/passwd: it is a file of this machine"
            ]
        );
    }
}
