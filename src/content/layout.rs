//! From a variant to the four template sources of a mail: subject, preheader, HTML, text.
//!
//! The one idea: blocks are laid out once, by MJML, with words in place of everything a user wrote; afterwards the
//! tags are put back. What is rendered per contact, and what is carried into a platform, is this one HTML source.

use std::fmt::Write as _;

use super::{
    Block, Body, Brand, Field, Message, Variant,
    markup::{Look, Tokens, escape, escape_around_tags, to_html, to_text},
    mjml, plain,
    template::{self, Template},
};
use crate::{
    audience::Channel,
    base::{Diagnostic, Place, Severity},
};

/// The sources of a variant, every tag in the long form.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Sources {
    pub subject: String,
    pub preheader: String,
    /// Empty for an SMS.
    pub html: String,
    pub text: String,
}

/// Lays a variant out. `None` where an error among `found` prevents it.
pub(crate) fn lay_out(
    message: &Message,
    variant: &Variant,
    fields: &[Field],
    brand: &Brand,
    found: &mut Vec<Diagnostic>,
) -> Option<Sources> {
    let place = Place::message(&message.id);
    let prefix = if message.variants.len() > 1 { format!("variants.{}.", variant.id) } else { String::new() };
    let start = found.len();
    let mut reader = Reader { fields, place: &place, prefix: &prefix, found };
    let mut sources = Sources::default();
    if message.channel == Channel::Sms {
        sources.text = reader.read("text", variant.text.as_deref().unwrap_or(""), &[]);
    } else {
        sources.subject = reader.read("subject", &variant.subject, &[]);
        sources.preheader = reader.read("preheader", &variant.preheader, &[]);
        match &variant.body {
            Body::Blocks(blocks) => {
                let (html, text) = Canvas::new(brand).draw(blocks, &mut reader, &sources);
                sources.html = html;
                sources.text = text;
            }
            Body::Html(source) => {
                let expanded = reader.read("body", source, &[]);
                sources.html = document(&expanded, &sources, brand);
                sources.text = text_from_html(&sources.html);
            }
            Body::Mjml(source) => {
                let expanded = reader.read("body", source, &[]);
                if !expanded.is_empty() {
                    match mjml::compile(&expanded) {
                        Ok((html, warnings)) => {
                            for warning in warnings {
                                let at = reader.at("body");
                                reader.found.push(Diagnostic::warning("mail/mjml", at, warning));
                            }
                            sources.html = with_preheader(&html, &sources.preheader);
                            sources.text = text_from_html(&sources.html);
                        }
                        Err(message) => {
                            let at = reader.at("body");
                            reader
                                .found
                                .push(Diagnostic::error("mail/mjml", at, message).hint("Correct the MJML source"));
                        }
                    }
                }
            }
        }
        if let Some(text) = &variant.text {
            sources.text = reader.read("text", text, &[]);
        }
    }
    let failed = found[start..].iter().any(|d| d.severity == Severity::Error);
    (!failed).then_some(sources)
}

/// Reads the texts of a variant one by one, so that every finding has its place.
struct Reader<'a> {
    fields: &'a [Field],
    place: &'a Place,
    prefix: &'a str,
    found: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn at(&self, part: &str) -> Place {
        self.place.clone().with_field(format!("{}{part}", self.prefix))
    }

    /// The text in the long form; empty where it cannot be read.
    fn read(&mut self, part: &str, source: &str, present: &[String]) -> String {
        let place = self.at(part);
        let read = template::read(source, self.fields, present, &place, self.found);
        read.map(|Template { expanded, .. }| expanded).unwrap_or_default()
    }

    /// A "show if" as text for an `if`, and the fields that are there where it holds.
    fn condition(&mut self, part: &str, source: &str) -> (String, Vec<String>) {
        let place = self.at(part);
        match template::read_condition(source, self.fields, &place, self.found) {
            Some((expr, text)) => {
                let mut present = Vec::new();
                template::proves_present(&expr, &mut present);
                (text, present)
            }
            None => ("false".into(), Vec::new()),
        }
    }
}

/// An HTML document around what may be a part of one, with the preheader in it.
fn document(html: &str, sources: &Sources, brand: &Brand) -> String {
    let lower = html.get(..html.len().min(4_096)).unwrap_or(html).to_ascii_lowercase();
    if lower.contains("<html") || lower.contains("<body") || html.trim().is_empty() {
        return with_preheader(html, &sources.preheader);
    }
    let title = escape_around_tags(&sources.subject);
    let whole = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n</head>\n\
         <body>\n{html}\n</body>\n</html>\n",
        escape(&brand.language)
    );
    with_preheader(&whole, &sources.preheader)
}

/// Spaces that keep a mail client from showing the first words of the body after a short preheader.
const PREHEADER_FILL: usize = 60;

/// How the hidden preheader of a mail begins; it ends at the next `</div>`.
pub const PREHEADER_OPENS: &str =
    "<div style=\"display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;\">";

fn preheader_html(preheader: &str) -> String {
    format!("{PREHEADER_OPENS}{}{}</div>", escape_around_tags(preheader), "&#847;&zwnj;&nbsp;".repeat(PREHEADER_FILL))
}

/// Puts the hidden preheader behind `<body …>`.
fn with_preheader(html: &str, preheader: &str) -> String {
    if preheader.trim().is_empty() {
        return html.to_owned();
    }
    let at = html
        .to_ascii_lowercase()
        .find("<body")
        .and_then(|body| html[body..].find('>').map(|end| body + end + 1))
        .unwrap_or(0);
    format!("{}{}{}", &html[..at], preheader_html(preheader), &html[at..])
}

/// The text part of an HTML source, tags kept.
fn text_from_html(html: &str) -> String {
    let mut tokens = Tokens::default();
    let bare = tokens.take_tags(html);
    let text = plain::text_of(&bare);
    tidy_statements(&tokens.restore(&text))
}

/// Statements alone on a line take that line with them, so that they leave no gaps in the text.
fn tidy_statements(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let bare = line.trim();
        if bare.starts_with("{%") && bare.ends_with("%}") && !bare[2..bare.len() - 2].contains("%}") {
            out.push_str(bare);
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// Draws blocks as one MJML document.
struct Canvas<'a> {
    brand: &'a Brand,
    tokens: Tokens,
    /// MJML of the body.
    out: String,
    /// Plain text.
    text: String,
    /// Whether a section with the mail's surface is open.
    open: bool,
    /// Whether no section was opened yet: the first has round upper corners.
    first: bool,
}

impl<'a> Canvas<'a> {
    fn new(brand: &'a Brand) -> Self {
        Self { brand, tokens: Tokens::default(), out: String::new(), text: String::new(), open: false, first: true }
    }

    fn draw(mut self, blocks: &[Block], reader: &mut Reader<'_>, sources: &Sources) -> (String, String) {
        self.header();
        for (n, block) in blocks.iter().enumerate() {
            let part = format!("body.{n}");
            if let Block::Unknown(unknown) = block {
                let at = reader.at(&part);
                let message = format!(
                    "The block `{}` is not known to this version and is left out of the mail",
                    block.kind_name()
                );
                reader.found.push(Diagnostic::error("mail/unknown-block", at, message).hint(unknown.reason.clone()));
                continue;
            }
            let (condition, present) = match block.show_if() {
                Some(source) => {
                    let (text, present) = reader.condition(&format!("{part}.show_if"), source);
                    (Some(text), present)
                }
                None => (None, Vec::new()),
            };
            self.block(block, condition.as_deref(), &mut |field, source| {
                reader.read(&format!("{part}.{field}"), source, &present)
            });
        }
        self.close();
        let mjml = self.document(sources);
        let html = match mjml::compile_bare(&mjml) {
            Ok((html, _)) => self.tokens.restore(&html),
            Err(message) => {
                let at = reader.at("body");
                reader
                    .found
                    .push(Diagnostic::error("mail/mjml", at, message).hint("Look at the MJML blocks of this mail"));
                String::new()
            }
        };
        let mut text = self.text;
        text.truncate(text.trim_end().len());
        (html, text)
    }

    fn document(&mut self, sources: &Sources) -> String {
        let brand = self.brand;
        let title = self.tokens.put(escape_around_tags(&sources.subject));
        let preheader = if sources.preheader.trim().is_empty() {
            String::new()
        } else {
            let word = self.tokens.put(preheader_html(&sources.preheader));
            format!("<mj-raw>{word}</mj-raw>")
        };
        let heading_font = if brand.heading_font.is_empty() { &brand.font } else { &brand.heading_font };
        let (font, heading_font) = (attribute(&brand.font), attribute(heading_font));
        let css = self.tokens.put(format!(
            "a{{color:{link};}} h1,h2,h3{{font-family:{heading};}} \
             @media only screen and (max-width:480px){{ .fl-pad>table>tbody>tr>td{{padding-left:24px!important;padding-right:24px!important;}} \
             .fl-price{{display:block!important;text-align:left!important;}} }}",
            link = css_value(&brand.primary),
            heading = css_value(if brand.heading_font.is_empty() { &brand.font } else { &brand.heading_font }),
        ));
        let _ = &heading_font;
        format!(
            "<mjml lang=\"{lang}\"><mj-head><mj-title>{title}</mj-title>\
             <mj-attributes><mj-all font-family=\"{font}\" />\
             <mj-text font-size=\"16px\" line-height=\"1.6\" color=\"{text}\" padding=\"0 0 20px\" />\
             </mj-attributes><mj-raw><meta name=\"color-scheme\" content=\"light\" /><meta name=\"supported-color-schemes\" content=\"light\" /></mj-raw>\
             <mj-style>{css}</mj-style></mj-head>\
             <mj-body width=\"600px\" background-color=\"{background}\">{preheader}{body}</mj-body></mjml>",
            lang = attribute(&brand.language),
            text = attribute(&brand.text),
            background = attribute(&brand.background),
            body = self.out,
        )
    }

    fn header(&mut self) {
        let brand = self.brand;
        let inside = if !brand.logo.is_empty() {
            let src = self.tokens.put(escape(&self.address(&brand.logo)));
            let alt = self.tokens.put(escape(&brand.name));
            let href = self.href(&brand.website);
            format!(
                "<mj-image src=\"{src}\" alt=\"{alt}\" width=\"{}px\" padding=\"0\"{href} />",
                brand.logo_width.clamp(16, 600)
            )
        } else if !brand.name.is_empty() {
            let name = escape(&brand.name);
            let style =
                format!("color:{};text-decoration:none;font-weight:700;letter-spacing:0.04em;", css_value(&brand.text));
            let words = if brand.website.is_empty() {
                format!("<span style=\"{style}\">{name}</span>")
            } else {
                format!("<a href=\"{}\" style=\"{style}\">{name}</a>", escape(&brand.website))
            };
            let words = self.tokens.put(words);
            format!("<mj-text align=\"center\" font-size=\"20px\" line-height=\"1.3\" padding=\"0\">{words}</mj-text>")
        } else {
            let _ = write!(
                self.out,
                "<mj-section padding=\"16px 0 0\"><mj-column><mj-spacer height=\"8px\" /></mj-column></mj-section>"
            );
            return;
        };
        let _ = write!(self.out, "<mj-section padding=\"32px 24px 24px\"><mj-column>{inside}</mj-column></mj-section>");
    }

    fn open(&mut self) {
        if !self.open {
            let radius = self.brand.radius.min(40);
            let corners =
                if self.first { format!(" border-radius=\"{radius}px {radius}px 0 0\"") } else { String::new() };
            let padding = if self.first { "40px 40px 12px" } else { "12px 40px" };
            let _ = write!(
                self.out,
                "<mj-section css-class=\"fl-pad\" background-color=\"{}\" padding=\"{padding}\"{corners}><mj-column>",
                attribute(&self.brand.surface),
            );
            self.open = true;
            self.first = false;
        }
    }

    fn close(&mut self) {
        if self.open {
            self.out.push_str("</mj-column></mj-section>");
            self.open = false;
        }
    }

    fn raw(&mut self, html: String) {
        let word = self.tokens.put(html);
        let _ = write!(self.out, "<mj-raw>{word}</mj-raw>");
    }

    /// A row of the open column, drawn by hand.
    fn row(&mut self, html: &str) {
        self.open();
        self.raw(format!("<tr><td style=\"padding:0 0 20px;word-break:break-word;\">{html}</td></tr>"));
    }

    fn address(&self, src: &str) -> String {
        let absolute = src.contains("://")
            || src.starts_with("{{")
            || src.starts_with("{%")
            || src.starts_with("data:")
            || src.starts_with("cid:");
        if absolute || self.brand.images.is_empty() || src.is_empty() {
            return src.to_owned();
        }
        format!("{}/{}", self.brand.images.trim_end_matches('/'), src.trim_start_matches("./").trim_start_matches('/'))
    }

    /// An `href` attribute, or nothing.
    fn href(&mut self, address: &str) -> String {
        if address.is_empty() {
            return String::new();
        }
        let word = self.tokens.put(escape_around_tags(address));
        format!(" href=\"{word}\"")
    }

    fn paragraph(&mut self, text: &str) {
        self.text.push_str(text.trim());
        self.text.push_str("\n\n");
    }

    fn block(&mut self, block: &Block, condition: Option<&str>, read: &mut dyn FnMut(&str, &str) -> String) {
        let own_section = match block {
            Block::Footer { .. } => true,
            Block::Mjml { mjml, .. } => ["<mj-section", "<mj-wrapper", "<mj-hero"].iter().any(|tag| mjml.contains(tag)),
            _ => false,
        };
        if own_section {
            self.close();
        } else {
            self.open();
        }
        if let Some(condition) = condition {
            self.raw(format!("{{% if {condition} %}}"));
            let _ = write!(self.text, "{{% if {condition} %}}");
        }
        self.inside(block, read);
        if condition.is_some() {
            self.raw("{% endif %}".into());
            self.text.push_str("{% endif %}");
        }
    }

    fn inside(&mut self, block: &Block, read: &mut dyn FnMut(&str, &str) -> String) {
        let brand = self.brand;
        match block {
            Block::Heading { text, level, align, .. } => {
                let text = read("text", text);
                let level = (*level).clamp(1, 3);
                let (size, line) = [("28px", "1.25"), ("22px", "1.3"), ("18px", "1.4")][usize::from(level) - 1];
                let lines: Vec<String> = text.lines().map(escape_around_tags).collect();
                let html = self.tokens.put(format!(
                    "<h{level} style=\"margin:0;font-size:{size};line-height:{line};font-weight:700;\">{}</h{level}>",
                    lines.join("<br />")
                ));
                let _ = write!(
                    self.out,
                    "<mj-text align=\"{}\" font-size=\"{size}\" line-height=\"{line}\" padding=\"0 0 16px\">{html}</mj-text>",
                    align.name()
                );
                self.paragraph(&text);
            }
            Block::Text { text, align, .. } => {
                let text = read("text", text);
                let html = self.tokens.put(to_html(&text, Look { link: &brand.primary }));
                let _ = write!(self.out, "<mj-text align=\"{}\">{html}</mj-text>", align.name());
                self.paragraph(&to_text(&text));
            }
            Block::Image { src, alt, href, width, .. } => {
                let src = read("src", src);
                let alt = alt.as_deref().map(|alt| read("alt", alt));
                let href = href.as_deref().map(|href| read("href", href));
                let address = escape_around_tags(&self.address(&src));
                let src = self.tokens.put(address);
                let alt_attribute = match &alt {
                    Some(alt) => format!(" alt=\"{}\"", self.tokens.put(escape_around_tags(alt))),
                    None => String::new(),
                };
                let link = self.href(href.as_deref().unwrap_or(""));
                let width = width.map(|width| format!(" width=\"{}px\"", width.clamp(1, 600))).unwrap_or_default();
                let radius = brand.radius.min(40);
                let _ = write!(
                    self.out,
                    "<mj-image src=\"{src}\"{alt_attribute}{link}{width} padding=\"0 0 20px\" border-radius=\"{radius}px\" fluid-on-mobile=\"true\" />"
                );
                let words = alt.unwrap_or_default();
                match href.filter(|href| !href.is_empty()) {
                    Some(href) if !words.is_empty() => self.paragraph(&format!("{words} ({href})")),
                    Some(href) => self.paragraph(&href),
                    None if !words.is_empty() => self.paragraph(&format!("[{words}]")),
                    None => {}
                }
            }
            Block::Button { text, href, align, .. } => {
                let (text, href) = (read("text", text), read("href", href));
                let words = self.tokens.put(escape_around_tags(&text));
                // An empty address stays in the mail, where a check finds it.
                let link = self.tokens.put(escape_around_tags(&href));
                let _ = write!(
                    self.out,
                    "<mj-button align=\"{}\" href=\"{link}\" background-color=\"{}\" color=\"{}\" border-radius=\"{}px\" \
                     font-size=\"16px\" font-weight=\"600\" line-height=\"1.25\" inner-padding=\"15px 30px\" padding=\"4px 0 24px\">{words}</mj-button>",
                    align.name(),
                    attribute(&brand.primary),
                    attribute(&brand.on_primary),
                    brand.radius.min(40),
                );
                self.paragraph(&format!("{text} ({href})"));
            }
            Block::Products { .. } => self.products(block, read),
            Block::Code { code, label, note, .. } => {
                let code = read("code", code);
                let label = label.as_deref().map(|label| read("label", label));
                let note = note.as_deref().map(|note| read("note", note));
                let small = |text: &Option<String>, margin: &str| {
                    text.as_ref().map(|text| {
                        format!(
                            "<div style=\"margin:{margin};font-size:13px;line-height:1.4;color:{};\">{}</div>",
                            css_value(&brand.muted),
                            escape_around_tags(text)
                        )
                    })
                };
                let html = format!(
                    "<table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"100%\" style=\"border-collapse:separate;\"><tr>\
                     <td align=\"center\" style=\"padding:20px 24px;border:2px dashed {border};border-radius:{radius}px;background-color:{back};font-family:{font};\">{label}\
                     <div style=\"font-family:'SF Mono',Menlo,Consolas,'Courier New',monospace;font-size:24px;line-height:1.3;font-weight:700;letter-spacing:0.08em;color:{text};\">{code}</div>{note}</td></tr></table>",
                    border = css_value(&brand.primary),
                    radius = brand.radius.min(40),
                    back = css_value(&brand.background),
                    font = css_value(&brand.font),
                    text = css_value(&brand.text),
                    label = small(&label, "0 0 6px").unwrap_or_default(),
                    code = escape_around_tags(&code),
                    note = small(&note, "6px 0 0").unwrap_or_default(),
                );
                self.row(&html);
                let parts: Vec<String> = [label, Some(code), note].into_iter().flatten().collect();
                self.paragraph(&parts.join("\n"));
            }
            Block::Divider { .. } => {
                self.out
                    .push_str("<mj-divider border-color=\"#e2e7ec\" border-width=\"1px\" padding=\"8px 0 28px\" />");
                self.paragraph("---");
            }
            Block::Spacer { height, .. } => {
                let _ = write!(self.out, "<mj-spacer height=\"{}px\" />", (*height).clamp(1, 200));
            }
            Block::Footer { .. } => self.footer(block, read),
            Block::Html { html, .. } => {
                let html = read("html", html);
                self.row(&format!(
                    "<div style=\"font-family:{};font-size:16px;line-height:1.6;color:{};\">{html}</div>",
                    css_value(&brand.font),
                    css_value(&brand.text)
                ));
                let text = text_from_html(&html);
                self.paragraph(&text);
            }
            Block::Mjml { mjml, .. } => {
                let source = read("mjml", mjml).replace("\r\n", "\n");
                let bare = self.tokens.take_tags(&source);
                self.out.push_str(&bare);
                let text = text_from_html(&source);
                self.paragraph(&text);
            }
            Block::Unknown(_) => {}
        }
    }

    fn products(&mut self, block: &Block, read: &mut dyn FnMut(&str, &str) -> String) {
        let Block::Products { items, limit, title, price, image, url, quantity, .. } = block else { return };
        let brand = self.brand;
        let limit = (*limit).clamp(1, 50);
        let item = |property: &str| property_of_item(property);
        // Read as a template first, so that a wrong name is found at its place.
        let opening = read("items", &format!("{{% for item in {items}[:{limit}] %}}{{% endfor %}}"));
        let Some(opening) = opening.strip_suffix("{% endfor %}").map(str::to_owned) else { return };
        let name = format!("{{{{ {} }}}}", item(title));
        let linked = |inside: &str, style: &str| match url {
            Some(url) => format!(
                "{{% if {0} %}}<a href=\"{{{{ {0} }}}}\" style=\"{style}\">{inside}</a>{{% else %}}{inside}{{% endif %}}",
                item(url)
            ),
            None => inside.to_owned(),
        };
        let mut html = format!(
            "<table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"100%\" style=\"font-family:{};color:{};\">{opening}<tr>",
            css_value(&brand.font),
            css_value(&brand.text)
        );
        if let Some(image) = image {
            let picture = format!(
                "<img src=\"{{{{ {} }}}}\" alt=\"{name}\" width=\"88\" style=\"display:block;width:88px;height:auto;border:0;border-radius:{}px;\" />",
                item(image),
                brand.radius.min(40)
            );
            let _ = write!(
                html,
                "<td width=\"88\" valign=\"middle\" style=\"width:88px;padding:10px 16px 10px 0;border-bottom:1px solid #e2e7ec;\">{{% if {} %}}{}{{% endif %}}</td>",
                item(image),
                linked(&picture, "text-decoration:none;")
            );
        }
        let small = |text: &str| {
            format!("<div style=\"font-size:14px;line-height:1.5;color:{};\">{text}</div>", css_value(&brand.muted))
        };
        let words = linked(&name, &format!("color:{};text-decoration:none;", css_value(&brand.text)));
        let amount = quantity.as_ref().map(|quantity| {
            let quantity = item(quantity);
            format!("{{% if {quantity} %}}{}{{% endif %}}", small(&format!("Quantity {{{{ {quantity} }}}}")))
        });
        let _ = write!(
            html,
            "<td valign=\"middle\" style=\"padding:10px 0;border-bottom:1px solid #e2e7ec;font-size:16px;line-height:1.4;\"><strong style=\"font-weight:600;\">{words}</strong>{}</td>",
            amount.as_deref().unwrap_or_default()
        );
        if let Some(price) = price {
            let _ = write!(
                html,
                "<td class=\"fl-price\" valign=\"middle\" align=\"right\" style=\"padding:10px 0 10px 16px;border-bottom:1px solid #e2e7ec;font-size:16px;white-space:nowrap;\">{{% if {0} %}}{{{{ {0}|money }}}}{{% endif %}}</td>",
                item(price)
            );
        }
        html.push_str("</tr>{% endfor %}</table>");
        self.row(&html);
        let mut line = format!("{opening}- {name}");
        if let Some(quantity) = quantity {
            let _ = write!(line, "{{% if {0} %}}, quantity {{{{ {0} }}}}{{% endif %}}", item(quantity));
        }
        if let Some(price) = price {
            let _ = write!(line, "{{% if {0} %}}, {{{{ {0}|money }}}}{{% endif %}}", item(price));
        }
        if let Some(url) = url {
            let _ = write!(line, "{{% if {0} %}} ({{{{ {0} }}}}){{% endif %}}", item(url));
        }
        line.push_str("\n{% endfor %}");
        self.text.push_str(&line);
        self.text.push('\n');
    }

    fn footer(&mut self, block: &Block, read: &mut dyn FnMut(&str, &str) -> String) {
        let Block::Footer { text, address, unsubscribe, preferences, view, .. } = block else { return };
        let brand = self.brand;
        let text = text.as_deref().map(|text| read("text", text));
        let address = match address {
            Some(address) => read("address", address),
            None => brand.address.clone(),
        };
        let mut links = vec![(read("unsubscribe", unsubscribe), "unsubscribe_url")];
        links.extend(preferences.as_deref().map(|words| (read("preferences", words), "preferences_url")));
        links.extend(view.as_deref().map(|words| (read("view", words), "view_url")));
        let mut paragraphs = Vec::new();
        if let Some(text) = &text {
            paragraphs.push(to_html(text, Look { link: &brand.muted }));
        }
        let lines: Vec<String> = address.lines().map(escape_around_tags).collect();
        let who = match (brand.name.is_empty(), lines.is_empty()) {
            (false, false) => format!("{} &middot; {}", escape(&brand.name), lines.join("<br />")),
            (false, true) => escape(&brand.name),
            (true, _) => lines.join("<br />"),
        };
        if !who.is_empty() {
            paragraphs.push(format!("<p style=\"margin:0;\">{who}</p>"));
        }
        let anchors: Vec<String> = links
            .iter()
            .map(|(words, url)| {
                format!(
                    "<a href=\"{{{{ {url} }}}}\" style=\"color:{};text-decoration:underline;\">{}</a>",
                    css_value(&brand.muted),
                    escape_around_tags(words)
                )
            })
            .collect();
        paragraphs.push(format!("<p style=\"margin:0;\">{}</p>", anchors.join(" &nbsp;&middot;&nbsp; ")));
        let html = self.tokens.put(paragraphs.join("<div style=\"height:10px;line-height:10px;\">&nbsp;</div>"));
        let _ = write!(
            self.out,
            "<mj-section css-class=\"fl-pad\" padding=\"28px 40px 40px\"><mj-column><mj-text align=\"center\" font-size=\"13px\" line-height=\"1.6\" color=\"{}\" padding=\"0\">{html}</mj-text></mj-column></mj-section>",
            attribute(&brand.muted)
        );
        if let Some(text) = text {
            let text = to_text(&text);
            self.paragraph(&text);
        }
        let who: Vec<&str> = [brand.name.as_str(), address.as_str()].into_iter().filter(|t| !t.is_empty()).collect();
        let mut lines =
            if who.is_empty() { String::new() } else { format!("{}\n", who.join(", ").replace('\n', ", ")) };
        for (words, url) in &links {
            let _ = writeln!(lines, "{words}: {{{{ {url} }}}}");
        }
        let ruled = format!("--\n{lines}");
        self.paragraph(&ruled);
    }
}

/// A property of the loop's item, by a dotted path.
fn property_of_item(property: &str) -> String {
    let mut out = String::from("item");
    for step in property.split('.') {
        let plain = step.starts_with(|c: char| c.is_ascii_alphabetic())
            && step.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let index = !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit());
        if plain || index {
            let _ = write!(out, ".{step}");
        } else {
            let _ = write!(out, "['{}']", step.replace(['\'', '\\', '{', '}', '%'], ""));
        }
    }
    out
}

/// A setting of the brand inside an attribute of MJML.
fn attribute(text: &str) -> String {
    // Tags and the compiler's own signs have no place here.
    text.replace('"', "'").replace(['<', '>', '&', '{', '}'], "")
}

/// A setting of the brand inside a style.
fn css_value(text: &str) -> String {
    attribute(text).replace(';', "")
}
