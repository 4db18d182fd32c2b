//! The renderer: Blitz, in Rust from the parser to the pixels.
//!
//! The only file that drives it: what it is given (a cleaned document, its fonts, images by number), how often it lays
//! out, what is read off the result. Deliberately not here: the rules, which any renderer needs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyrender::ImageRenderer as _;
use anyrender_vello_cpu::VelloCpuImageRenderer;
use blitz_dom::{BaseDocument, DocumentConfig, FontContext, StyleThreading, UserAgentStylesheet};
use blitz_html::HtmlDocument;
use blitz_paint::paint_scene;
use blitz_traits::{
    net::{Bytes, NetHandler, NetProvider, Request as NetRequest},
    shell::{ColorScheme, Viewport},
};

use super::{
    Error, Link, MAX_HEIGHT_PX, MAX_PIXELS, MailRenderer, Picture, Request, Scheme, extent, fonts,
    guard::{self, Found},
    prepare::{self, Prepared, SCHEME, count},
    rows, work,
};

/// Height of the window that a mail believes to be in, in CSS pixels: what `height:100%` and `100vh` mean.
const WINDOW_HEIGHT_PX: f32 = 600.0;
/// Passes of a layout: images are found in the first.
const PASSES: usize = 2;

/// Draws mails with Blitz. Keeps nothing between two mails but the fonts.
pub struct Blitz {
    fonts: FontContext,
}

impl Default for Blitz {
    fn default() -> Self {
        Self::new()
    }
}

impl Blitz {
    /// Reads the bundled fonts, which takes some milliseconds: build one and keep it.
    pub fn new() -> Self {
        let fonts = fonts::context();
        // The renderer learns some properties (`mask-image`) with its first document: without this one, sheets of the
        // user agent would be read before, and the first mail would look different from all others.
        let config = DocumentConfig { font_ctx: Some(fonts.clone()), ..DocumentConfig::default() };
        drop(HtmlDocument::from_html("", config));
        Self { fonts }
    }

    /// Errors: what would take too long.
    fn lay_out(
        &self,
        html: &str,
        request: &Request<'_>,
        network: Arc<Network>,
        never_stack: bool,
    ) -> Result<HtmlDocument, Error> {
        let mut sheets = vec![UserAgentStylesheet::default_sheet(), UserAgentStylesheet::parse(work::CALM)];
        if never_stack {
            sheets.push(UserAgentStylesheet::parse(rows::NEVER_STACK));
        }
        let scheme = match request.scheme {
            Scheme::Light => ColorScheme::Light,
            Scheme::Dark => ColorScheme::Dark,
        };
        let scale = request.scale;
        let device = |px: f32| (px * scale).round().max(1.0) as u32;
        let viewport = Viewport::new(device(request.width_px as f32), device(WINDOW_HEIGHT_PX), scale, scheme);
        let config = DocumentConfig {
            viewport: Some(viewport),
            // Only so that an address which no rule saw resolves: without a base that can be joined to, it panics.
            base_url: Some("https://mail.invalid/".to_owned()),
            ua_stylesheets: sheets,
            net_provider: Some(network),
            font_ctx: Some(self.fonts.clone()),
            style_threading: StyleThreading::Sequential,
            ..DocumentConfig::default()
        };
        let mut document = HtmlDocument::from_html(html, config);
        // The styles first, and by themselves: what they make of the elements is counted before it is laid out.
        document.handle_messages();
        document.resolve_stylist(0.0);
        work::before_layout(&document)?;
        for _ in 0..PASSES {
            document.resolve(0.0);
        }
        Ok(document)
    }
}

impl MailRenderer for Blitz {
    fn render(&self, request: &Request<'_>) -> Result<Picture, Error> {
        let mut mail = prepare::prepare(request)?;
        let network = Arc::new(Network {
            images: mail.images.iter().map(|kept| kept.bytes.clone()).collect(),
            strays: AtomicUsize::new(0),
        });
        let mut stacked = 0;
        let plain = mail.dom.write();
        let mut html = plain.clone();
        if rows::may_stack(&mail.dom) {
            rows::mark(&mut mail.dom);
            let first = self.lay_out(&mail.dom.write(), request, Arc::new(Network::default()), false)?;
            stacked = rows::unfold(&mut mail.dom, &rows::found(&first));
            html = mail.dom.write();
        }
        let mut document = self.lay_out(&html, request, network.clone(), false)?;
        let mut found = guard::look(&document, request.width_px as f32);
        if stacked > 0 && !found.lost.is_empty() {
            // The second choice: nothing stacks, and nothing disappears. Whichever loses less.
            let second = self.lay_out(&plain, request, network.clone(), true)?;
            let other = guard::look(&second, request.width_px as f32);
            if other.lost.len() < found.lost.len() {
                (document, found) = (second, other);
                mail.notes.push("Columns are shown side by side; a phone may stack them".to_owned());
            }
        }
        paint(&mut document, request, mail, found, network.strays.load(Ordering::Relaxed))
    }
}

fn paint(
    document: &mut HtmlDocument,
    request: &Request<'_>,
    mail: Prepared,
    found: Found,
    strays: usize,
) -> Result<Picture, Error> {
    let mut notes = mail.notes;
    let (bottom, right) = extent::of(document);
    let width = (request.width_px as f32 * request.scale).round().max(1.0) as u32;
    // The renderer cuts at 65,535 of its own pixels.
    let most = (MAX_HEIGHT_PX as f32 * request.scale).min(65_000.0).min((MAX_PIXELS / u64::from(width)) as f32);
    let whole = (bottom * request.scale).ceil().max(1.0);
    let height = whole.min(most) as u32;
    if whole > most {
        notes.push(format!("The mail is {bottom:.0} pixels tall; the picture ends at {:.0}", most / request.scale));
    }
    if right > request.width_px as f32 + 1.0 {
        notes.push(format!("The mail is {right:.0} pixels wide; what is beyond {} is cut off", request.width_px));
    }
    if !found.without_glyph.is_empty() {
        let shown: String = found.without_glyph.iter().take(10).collect();
        notes.push(format!(
            "{} {} not in the fonts of the preview and shown as boxes: {shown}",
            found.without_glyph.len(),
            count(found.without_glyph.len(), "character is", "characters are"),
        ));
    }
    work::before_paint(document, [width as f32, height as f32], request.scale)?;
    let mut rgba = Vec::new();
    let mut renderer = VelloCpuImageRenderer::new(width, height);
    let scale = f64::from(request.scale);
    renderer.render_to_vec(|scene| paint_scene(scene, document, scale, width, height, 0, 0), &mut rgba);
    put_behind(&mut rgba, mail.ground);
    Ok(Picture {
        width,
        height,
        rgba,
        links: links(document, request.scale),
        remote_blocked: mail.remote + strays,
        missing_images: mail.missing,
        lost_words: found.lost,
        notes,
    })
}

/// Fills what is not painted, so that the picture has no holes.
fn put_behind(rgba: &mut [u8], ground: [u8; 3]) {
    let [red, green, blue] = ground;
    for pixel in rgba.as_chunks_mut::<4>().0 {
        match *pixel {
            // Nearly every pixel is one of these two, and a tall picture has twelve million.
            [_, _, _, 255] => {}
            [_, _, _, 0] => *pixel = [red, green, blue, 255],
            [r, g, b, alpha] => {
                let rest = 255 - u16::from(alpha);
                let over =
                    |own: u8, behind: u8| (u16::from(own) + (u16::from(behind) * rest + 127) / 255).min(255) as u8;
                *pixel = [over(r, red), over(g, green), over(b, blue), 255];
            }
        }
    }
}

/// Where the links are, in reading order.
fn links(document: &BaseDocument, scale: f32) -> Vec<Link> {
    let mut out = Vec::new();
    let mut open: Vec<_> = document.try_root_element().map(|root| root.id).into_iter().collect();
    while let Some(id) = open.pop() {
        let Some(node) = document.get_node(id) else { continue };
        open.extend(node.children.iter().rev());
        let Some(element) = node.element_data().filter(|element| &*element.name.local == "a") else { continue };
        let href = element.attrs.iter().find(|attr| &*attr.name.local == "href").map(|attr| attr.value.trim());
        let Some(href) = href.filter(|href| !href.is_empty()) else { continue };
        for rect in document.node_client_rects(id) {
            let rect = [rect.x, rect.y, rect.width, rect.height].map(|px| px as f32 * scale);
            if rect[2] > 0.0 && rect[3] > 0.0 {
                out.push(Link { rect, href: href.to_owned() });
            }
        }
    }
    out
}

/// The network as the renderer sees it: images by number, and nothing else.
#[derive(Default)]
struct Network {
    images: Vec<Bytes>,
    strays: AtomicUsize,
}

impl NetProvider for Network {
    fn fetch(&self, _: usize, request: NetRequest, handler: Box<dyn NetHandler>) {
        let address = request.url;
        let image = (address.scheme() == SCHEME)
            .then(|| address.path().parse::<usize>().ok())
            .flatten()
            .map(|number| self.images.get(number).cloned().unwrap_or_default());
        // The list signs of the renderer's own style are `data:`; all else would have been asked from elsewhere.
        if image.is_none() && address.scheme() != "data" {
            self.strays.fetch_add(1, Ordering::Relaxed);
        }
        // An answer always comes: a style sheet that is waited for would hold up the layout for ever.
        handler.bytes(address.into(), image.unwrap_or_default());
    }
}
