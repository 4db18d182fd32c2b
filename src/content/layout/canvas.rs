//! The sheet that blocks are drawn on: sections, columns, header, and the mail around them.

use std::fmt::Write as _;

use super::{Reader, Sources, preheader_html, style};
use crate::{
    base::Diagnostic,
    content::{
        Block, Brand, Column, OnPhone, Valign,
        markup::{Tokens, escape, escape_around_tags},
        mjml, template,
    },
};

/// Draws blocks as one MJML document.
pub(super) struct Canvas<'a> {
    pub(super) brand: &'a Brand,
    pub(super) tokens: Tokens,
    /// MJML of the body.
    pub(super) out: String,
    /// Plain text.
    pub(super) text: String,
    /// Whether a section with the mail's surface is open.
    open: bool,
    /// Whether no section was opened yet: the first has round upper corners.
    first: bool,
    /// Where in the MJML the corners of the last section stand.
    corners: Option<std::ops::Range<usize>>,
    /// Whether what is drawn stands in one of several columns.
    in_columns: bool,
}

/// Reads the texts of one block.
pub(super) struct Texts<'r, 'f> {
    reader: &'r mut Reader<'f>,
    /// The block's place: `body.3`, `body.3.columns.0.blocks.1`.
    part: String,
    /// Fields that are there where the block is shown.
    present: Vec<String>,
}

impl Texts<'_, '_> {
    /// A setting in the long form; empty where it cannot be read.
    pub fn read(&mut self, field: &str, source: &str) -> String {
        self.reader.read(&format!("{}.{field}", self.part), source, &self.present)
    }

    /// The same of one that may be left out.
    pub fn read_some(&mut self, field: &str, source: Option<&str>) -> Option<String> {
        source.map(|source| self.read(field, source))
    }

    /// The same, where these fields are there.
    pub fn read_where(&mut self, field: &str, source: &str, present: &[&str]) -> String {
        let before = self.present.len();
        self.present.extend(present.iter().map(|name| (*name).to_owned()));
        let text = self.read(field, source);
        self.present.truncate(before);
        text
    }

    /// The declared field of a name.
    pub fn field(&self, name: &str) -> Option<&crate::content::Field> {
        self.reader.fields.iter().find(|field| field.name == name)
    }

    /// Something is wrong with a setting.
    pub fn fault(&mut self, field: &str, code: &'static str, message: String, hint: &str) {
        let at = self.reader.at(&format!("{}.{field}", self.part));
        self.reader.found.push(Diagnostic::error(code, at, message).hint(hint));
    }
}

/// What is wrong with each MJML block, at its place: the compiler only knows places of the whole document.
fn faults_of_parts(blocks: &[Block], at: &str, reader: &mut Reader<'_>) {
    for (n, block) in blocks.iter().enumerate() {
        match block {
            Block::Mjml { mjml, .. } => {
                let long = template::long_form(mjml, reader.fields);
                if let Some(fault) = mjml::fault_of_part(&long.text) {
                    let at = reader.within(&format!("{at}.{n}.mjml"), mjml, fault.range);
                    let error = Diagnostic::error("mail/mjml", at, fault.message);
                    reader.found.push(error.hint("Correct the MJML of this block"));
                }
            }
            Block::Columns { columns, .. } => {
                for (column, inside) in columns.iter().enumerate() {
                    faults_of_parts(&inside.blocks, &format!("{at}.{n}.columns.{column}.blocks"), reader);
                }
            }
            _ => {}
        }
    }
}

impl<'a> Canvas<'a> {
    pub fn new(brand: &'a Brand) -> Self {
        Self {
            brand,
            tokens: Tokens::default(),
            out: String::new(),
            text: String::new(),
            open: false,
            first: true,
            corners: None,
            in_columns: false,
        }
    }

    /// Everything below the head, drawn.
    fn fill(&mut self, blocks: &[Block], reader: &mut Reader<'_>) {
        self.header();
        for (n, block) in blocks.iter().enumerate() {
            self.block(block, format!("body.{n}"), reader, &[]);
        }
        self.close();
        self.round_off();
    }

    /// The MJML with all tags in it, for people to go on with: an element to a line.
    pub fn draw_mjml(mut self, blocks: &[Block], reader: &mut Reader<'_>, sources: &Sources) -> String {
        self.fill(blocks, reader);
        let mjml = self.document(sources);
        // While the tags and what was written are away: no line breaks get into words.
        self.tokens.restore(&split_lines(&mjml, MJML_LINES))
    }

    pub fn draw(mut self, blocks: &[Block], reader: &mut Reader<'_>, sources: &Sources) -> (String, String) {
        self.fill(blocks, reader);
        let mjml = self.document(sources);
        let html = match mjml::compile_bare(&mjml) {
            Ok((html, _)) => self.tokens.restore(&html),
            Err(fault) => {
                let before = reader.found.len();
                faults_of_parts(blocks, "body", reader);
                if reader.found.len() == before {
                    let error = Diagnostic::error("mail/mjml", reader.at("body"), fault.message);
                    reader.found.push(error.hint("Look at the MJML blocks of this mail"));
                }
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
        let css = self.tokens.put(style::sheet(brand));
        format!(
            "<mjml lang=\"{lang}\"><mj-head><mj-title>{title}</mj-title>\
             <mj-attributes><mj-all font-family=\"{font}\" />\
             <mj-text font-size=\"16px\" line-height=\"1.6\" color=\"{text}\" padding=\"0 0 20px\" />\
             </mj-attributes><mj-raw><meta name=\"color-scheme\" content=\"light dark\" /><meta name=\"supported-color-schemes\" content=\"light dark\" /></mj-raw>\
             <mj-style>{css}</mj-style></mj-head>\
             <mj-body width=\"600px\" background-color=\"{background}\" css-class=\"{class}\">{preheader}{body}</mj-body></mjml>",
            lang = attribute(&brand.language),
            font = attribute(&brand.font),
            text = attribute(&brand.text),
            background = attribute(&brand.background),
            class = style::BODY,
            body = self.out,
        )
    }

    fn header(&mut self) {
        let brand = self.brand;
        let align = brand.logo_place.name();
        let inside = if !brand.logo.is_empty() {
            let src = self.tokens.put(escape(&self.address(&brand.logo)));
            let alt = self.tokens.put(escape(&brand.name));
            let href = self.href(&brand.website);
            let width = brand.logo_width.clamp(16, 600);
            let (class, dark) = match brand.logo_dark.trim() {
                "" => (String::new(), String::new()),
                logo => (format!(" css-class=\"{}\"", style::LOGO), self.logo_in_the_dark(logo, width)),
            };
            format!(
                "<mj-image src=\"{src}\" alt=\"{alt}\" align=\"{align}\" width=\"{width}px\" padding=\"0\"{class}{href} />{dark}"
            )
        } else if !brand.name.is_empty() {
            let name = escape(&brand.name);
            let style =
                format!("color:{};text-decoration:none;font-weight:700;letter-spacing:0.04em;", css_value(&brand.text));
            // Not a link's colour in the dark: it is a name.
            let words = if brand.website.is_empty() {
                format!("<span style=\"{style}\">{name}</span>")
            } else {
                format!(
                    "<a href=\"{}\" style=\"{style}\"><span style=\"color:{};\">{name}</span></a>",
                    escape(&brand.website),
                    css_value(&brand.text)
                )
            };
            let words = self.tokens.put(words);
            format!(
                "<mj-text css-class=\"{}\" align=\"{align}\" font-size=\"20px\" line-height=\"1.3\" padding=\"0\">{words}</mj-text>",
                style::TEXT
            )
        } else {
            let _ = write!(
                self.out,
                "<mj-section padding=\"16px 0 0\"><mj-column><mj-spacer height=\"8px\" /></mj-column></mj-section>"
            );
            return;
        };
        let room = self.room();
        let _ = write!(
            self.out,
            "<mj-section css-class=\"fl-pad\" padding=\"32px {room}px 24px\"><mj-column>{inside}</mj-column></mj-section>"
        );
    }

    /// The logo for dark devices, hidden until the style sheet shows it in place of the other.
    ///
    /// Apple Mail, Samsung's and the Outlook apps ask `prefers-color-scheme` or set their own marks and change the two.
    /// Gmail knows neither, so it keeps the light one in every mode; Outlook on Windows would show both, so it is not
    /// given this one. Source: caniemail.com, `@media (prefers-color-scheme)`.
    fn logo_in_the_dark(&mut self, logo: &str, width: u32) -> String {
        let brand = self.brand;
        let src = escape(&self.address(logo));
        let image = format!(
            "<img src=\"{src}\" alt=\"{}\" width=\"{width}\" style=\"display:inline-block;width:100%;max-width:{width}px;height:auto;border:0;\" />",
            escape(&brand.name)
        );
        let image = match brand.website.as_str() {
            "" => image,
            website => format!("<a href=\"{}\">{image}</a>", escape_around_tags(website)),
        };
        let word = self.tokens.put(format!(
            "<!--[if !mso]><!-- --><tr><td class=\"{}\" align=\"{}\" style=\"display:none;padding:0;font-size:0;mso-hide:all;\">{image}</td></tr><!--<![endif]-->",
            style::LOGO_DARK,
            brand.logo_place.name()
        ));
        format!("<mj-raw>{word}</mj-raw>")
    }

    /// Room between the edge of the sheet and the words, in pixels.
    pub fn room(&self) -> u32 {
        self.brand.spacing.clamp(16, 80)
    }

    /// Width of the words of the whole sheet, in pixels.
    pub fn width(&self) -> u32 {
        600 - 2 * self.room()
    }

    /// Round corners, in pixels.
    pub fn radius(&self) -> u32 {
        self.brand.radius.min(40)
    }

    /// The beginning of a section with the mail's surface.
    fn section(&mut self, on_phone: OnPhone) {
        let (room, radius) = (self.room(), self.radius());
        let padding = if self.first { format!("{room}px {room}px 12px") } else { format!("12px {room}px") };
        let class = format!("fl-pad {} {}", style::SURFACE, on_phone.class());
        let _ = write!(
            self.out,
            "<mj-section css-class=\"{}\" background-color=\"{}\" padding=\"{padding}\"",
            class.trim_end(),
            attribute(&self.brand.surface),
        );
        let start = self.out.len();
        if self.first {
            let _ = write!(self.out, " border-radius=\"{radius}px {radius}px 0 0\"");
        }
        self.corners = Some(start..self.out.len());
        self.out.push('>');
        self.first = false;
    }

    /// Rounds the lower corners of the sheet.
    fn round_off(&mut self) {
        let radius = self.radius();
        let Some(corners) = self.corners.clone().filter(|_| radius > 0) else { return };
        let upper = if corners.is_empty() { "0 0".to_owned() } else { format!("{radius}px {radius}px") };
        self.out.replace_range(corners, &format!(" border-radius=\"{upper} {radius}px {radius}px\""));
    }

    fn open(&mut self) {
        if !self.open && !self.in_columns {
            self.section(OnPhone::Same);
            self.out.push_str("<mj-column>");
            self.open = true;
        }
    }

    fn close(&mut self) {
        if self.open {
            self.out.push_str("</mj-column></mj-section>");
            self.open = false;
        }
    }

    pub(super) fn raw(&mut self, html: String) {
        let word = self.tokens.put(html);
        let _ = write!(self.out, "<mj-raw>{word}</mj-raw>");
    }

    /// A row of the open column, drawn by hand.
    pub(super) fn row(&mut self, html: &str, align: &str, class: &str, on_phone: OnPhone) {
        let class = format!("{class} {}", on_phone.class());
        self.raw(format!(
            "<tr><td align=\"{align}\" class=\"{}\" style=\"padding:0 0 20px;word-break:break-word;\">{html}</td></tr>",
            class.trim()
        ));
    }

    pub(super) fn address(&self, src: &str) -> String {
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
    pub(super) fn href(&mut self, address: &str) -> String {
        if address.is_empty() {
            return String::new();
        }
        let word = self.tokens.put(escape_around_tags(address));
        format!(" href=\"{word}\"")
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        self.text.push_str(text.trim());
        self.text.push_str("\n\n");
    }

    /// One block. `given` are fields that are surely there where it stands.
    fn block(&mut self, block: &Block, part: String, reader: &mut Reader<'_>, given: &[String]) {
        if let Block::Unknown(unknown) = block {
            let at = reader.at(&part);
            let message =
                format!("The block `{}` is not known to this version and is left out of the mail", block.kind_name());
            reader.found.push(Diagnostic::error("mail/unknown-block", at, message).hint(unknown.reason.clone()));
            return;
        }
        let own_section = match block {
            Block::Footer { .. } | Block::Columns { .. } => true,
            Block::Mjml { mjml, .. } => mjml::begins_section(mjml),
            _ => false,
        };
        if own_section && self.in_columns {
            let at = reader.at(&part);
            let message = format!("`{}` takes the whole width and cannot stand in a column", block.kind_name());
            reader.found.push(
                Diagnostic::error("mail/block-in-column", at, message)
                    .hint("Move it out of the columns, above or below them"),
            );
            return;
        }
        let (condition, mut present) = match block.show_if() {
            Some(source) => {
                let (text, present) = reader.condition(&format!("{part}.show_if"), source);
                (Some(text), present)
            }
            None => (None, Vec::new()),
        };
        present.extend_from_slice(given);
        if own_section {
            self.close();
        } else {
            self.open();
        }
        if let Some(condition) = &condition {
            self.raw(format!("{{% if {condition} %}}"));
            let _ = write!(self.text, "{{% if {condition} %}}");
        }
        if let Block::Columns { columns, stack, gap, valign, on_phone, .. } = block {
            self.columns(columns, (*stack, *gap, *valign, *on_phone), &part, reader, &present);
        } else {
            self.inside(block, &mut Texts { reader, part, present });
        }
        if condition.is_some() {
            self.raw("{% endif %}".into());
            self.text.push_str("{% endif %}");
        }
    }

    fn columns(
        &mut self,
        columns: &[Column],
        (stack, gap, valign, on_phone): (bool, u32, Valign, OnPhone),
        part: &str,
        reader: &mut Reader<'_>,
        present: &[String],
    ) {
        if !(2..=3).contains(&columns.len()) {
            let at = reader.at(&format!("{part}.columns"));
            let message = format!("There are {} columns here; a mail has room for 2 or 3", columns.len());
            reader.found.push(
                Diagnostic::error("mail/columns", at, message)
                    .hint("Add a column, or put the blocks outside of the columns"),
            );
            return;
        }
        let Some(widths) = widths(columns) else {
            let at = reader.at(&format!("{part}.columns"));
            let message = "The widths of these columns come to more than 100 %".to_owned();
            reader.found.push(
                Diagnostic::error("mail/columns", at, message)
                    .hint("Leave one of them out: it gets what the others leave"),
            );
            return;
        };
        self.section(on_phone);
        if !stack {
            self.out.push_str("<mj-group>");
        }
        let half = gap.min(80) / 2;
        self.in_columns = true;
        for (n, (column, width)) in columns.iter().zip(widths).enumerate() {
            let left = if n == 0 { 0 } else { half };
            let right = if n + 1 == columns.len() { 0 } else { half };
            let class = if stack { " css-class=\"fl-stack\"" } else { "" };
            let _ = write!(
                self.out,
                "<mj-column width=\"{width}%\" vertical-align=\"{}\" padding=\"0 {right}px 0 {left}px\"{class}>",
                valign.name()
            );
            for (m, block) in column.blocks.iter().enumerate() {
                self.block(block, format!("{part}.columns.{n}.blocks.{m}"), reader, present);
            }
            self.out.push_str("</mj-column>");
        }
        self.in_columns = false;
        if !stack {
            self.out.push_str("</mj-group>");
        }
        self.out.push_str("</mj-section>");
    }
}

/// What begins a line of MJML where it follows a tag at once.
const MJML_LINES: &[&str] = &[
    "<mj-",
    "</mj-head",
    "</mj-attributes",
    "</mj-body",
    "</mj-section",
    "</mj-wrapper",
    "</mj-group",
    "</mj-column",
    "</mj-hero",
    "</mjml",
];

/// Line breaks between two tags, before every one that begins like one of `begins`.
pub(super) fn split_lines(source: &str, begins: &[&str]) -> String {
    let mut out = String::with_capacity(source.len() + source.len() / 32);
    for (at, part) in source.split('<').enumerate() {
        if at > 0 {
            // `part` has lost its `<`.
            let is_begin = |begin: &&str| begin.strip_prefix('<').is_some_and(|begin| part.starts_with(begin));
            if out.ends_with('>') && begins.iter().any(is_begin) {
                out.push('\n');
            }
            out.push('<');
        }
        out.push_str(part);
    }
    out
}

/// Widths in percent that come to 100: what is given, and equal shares of the rest.
fn widths(columns: &[Column]) -> Option<Vec<u32>> {
    let given = |column: &Column| column.width.map(|width| width.clamp(10, 80));
    let taken: u32 = columns.iter().filter_map(given).sum();
    let open = columns.iter().filter(|column| column.width.is_none()).count() as u32;
    let rest = 100_u32.checked_sub(taken)?;
    if open == 0 {
        // What is missing at 100 goes to the last.
        let mut widths: Vec<u32> = columns.iter().filter_map(given).collect();
        *widths.last_mut()? += rest;
        return Some(widths);
    }
    let share = rest / open;
    (share >= 10).then(|| columns.iter().map(|column| given(column).unwrap_or(share)).collect())
}

/// A setting of the brand inside an attribute of MJML.
pub(super) fn attribute(text: &str) -> String {
    // Tags and the compiler's own signs have no place here.
    text.replace('"', "'").replace(['<', '>', '&', '{', '}'], "")
}

/// A setting of the brand inside a style.
pub(super) fn css_value(text: &str) -> String {
    attribute(text).replace(';', "")
}
