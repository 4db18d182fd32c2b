//! Blocks that say and show: headings, texts, pictures, buttons, products, codes, footers.

use std::fmt::Write as _;

use super::{
    canvas::{Canvas, Texts, attribute, css_value},
    style, text_from_html,
};
use crate::content::{
    Block,
    markup::{Look, escape, escape_around_tags, to_html, to_text},
};

impl Canvas<'_> {
    /// What a block shows, its condition apart.
    pub(super) fn inside(&mut self, block: &Block, texts: &mut Texts<'_, '_>) {
        let brand = self.brand;
        let phone = block.on_phone();
        let class = |base: &str| match format!("{base} {}", phone.class()).trim() {
            "" => String::new(),
            classes => format!(" css-class=\"{classes}\""),
        };
        match block {
            Block::Heading { text, level, align, .. } => {
                let text = texts.read("text", text);
                let level = (*level).clamp(1, 3);
                let (size, line) = [("28px", "1.25"), ("22px", "1.3"), ("18px", "1.4")][usize::from(level) - 1];
                let lines: Vec<String> = text.lines().map(escape_around_tags).collect();
                let weight = brand.heading_weight.clamp(100, 900);
                let html = self.tokens.put(format!(
                    "<h{level} style=\"margin:0;font-size:{size};line-height:{line};font-weight:{weight};\">{}</h{level}>",
                    lines.join("<br />")
                ));
                let _ = write!(
                    self.out,
                    "<mj-text align=\"{}\" font-size=\"{size}\" line-height=\"{line}\" padding=\"0 0 16px\"{}>{html}</mj-text>",
                    align.name(),
                    class(style::TEXT)
                );
                self.paragraph(&text);
            }
            Block::Text { text, align, .. } => {
                let text = texts.read("text", text);
                let html = self.tokens.put(to_html(&text, Look { link: &brand.primary }));
                let _ = write!(self.out, "<mj-text align=\"{}\"{}>{html}</mj-text>", align.name(), class(style::TEXT));
                self.paragraph(&to_text(&text));
            }
            Block::Image { src, alt, href, width, .. } => {
                let src = texts.read("src", src);
                let alt = texts.read_some("alt", alt.as_deref());
                let href = texts.read_some("href", href.as_deref());
                let address = escape_around_tags(&self.address(&src));
                let src = self.tokens.put(address);
                let alt_attribute = match &alt {
                    Some(alt) => format!(" alt=\"{}\"", self.tokens.put(escape_around_tags(alt))),
                    None => String::new(),
                };
                let link = self.href(href.as_deref().unwrap_or(""));
                let width = width.map(|width| format!(" width=\"{}px\"", width.clamp(1, 600))).unwrap_or_default();
                let radius = self.radius();
                let _ = write!(
                    self.out,
                    "<mj-image src=\"{src}\"{alt_attribute}{link}{width} padding=\"0 0 20px\" border-radius=\"{radius}px\" fluid-on-mobile=\"true\"{} />",
                    class("")
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
                let (text, href) = (texts.read("text", text), texts.read("href", href));
                let words = self.tokens.put(escape_around_tags(&text));
                // An empty address stays in the mail, where a check finds it.
                let link = self.tokens.put(escape_around_tags(&href));
                let _ = write!(
                    self.out,
                    "<mj-button align=\"{}\" href=\"{link}\" background-color=\"{}\" color=\"{}\" border-radius=\"{}px\" \
                     font-size=\"16px\" font-weight=\"600\" line-height=\"1.25\" inner-padding=\"15px 30px\" padding=\"4px 0 24px\"{}>{words}</mj-button>",
                    align.name(),
                    attribute(&brand.primary),
                    attribute(&brand.on_primary),
                    self.radius(),
                    class(style::BUTTON),
                );
                self.paragraph(&format!("{text} ({href})"));
            }
            Block::Products { .. } => self.products(block, texts),
            Block::Code { code, label, note, .. } => {
                let code = texts.read("code", code);
                let label = texts.read_some("label", label.as_deref());
                let note = texts.read_some("note", note.as_deref());
                let small = |text: &Option<String>, margin: &str| {
                    text.as_ref().map(|text| {
                        format!(
                            "<div class=\"fl-m\" style=\"margin:{margin};font-size:13px;line-height:1.4;color:{};\">{}</div>",
                            css_value(&brand.muted),
                            escape_around_tags(text)
                        )
                    })
                };
                let html = format!(
                    "<table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"100%\" style=\"border-collapse:separate;\"><tr>\
                     <td align=\"center\" class=\"fl-box fl-edge\" style=\"padding:20px 24px;border:2px dashed {border};border-radius:{radius}px;background-color:{back};font-family:{font};\">{label}\
                     <div style=\"font-family:'SF Mono',Menlo,Consolas,'Courier New',monospace;font-size:24px;line-height:1.3;font-weight:700;letter-spacing:0.08em;color:{text};\">{code}</div>{note}</td></tr></table>",
                    border = css_value(&brand.primary),
                    radius = self.radius(),
                    back = css_value(&brand.background),
                    font = css_value(&brand.font),
                    text = css_value(&brand.text),
                    label = small(&label, "0 0 6px").unwrap_or_default(),
                    code = escape_around_tags(&code),
                    note = small(&note, "6px 0 0").unwrap_or_default(),
                );
                self.row(&html, "center", style::TEXT, phone);
                let parts: Vec<String> = [label, Some(code), note].into_iter().flatten().collect();
                self.paragraph(&parts.join("\n"));
            }
            Block::Divider { .. } => {
                let _ = write!(
                    self.out,
                    "<mj-divider border-color=\"{}\" border-width=\"1px\" padding=\"8px 0 28px\"{} />",
                    attribute(&brand.line),
                    class(style::LINE)
                );
                self.paragraph("---");
            }
            Block::Spacer { height, .. } => {
                let _ = write!(self.out, "<mj-spacer height=\"{}px\"{} />", (*height).clamp(1, 200), class(""));
            }
            Block::Footer { .. } => self.footer(block, texts),
            Block::Html { html, .. } => {
                let html = texts.read("html", html);
                let html_row = format!(
                    "<div style=\"font-family:{};font-size:16px;line-height:1.6;color:{};\">{html}</div>",
                    css_value(&brand.font),
                    css_value(&brand.text)
                );
                self.row(&html_row, "left", "", phone);
                let text = text_from_html(&html);
                self.paragraph(&text);
            }
            Block::Mjml { mjml, .. } => {
                let source = texts.read("mjml", mjml).replace("\r\n", "\n");
                let bare = self.tokens.take_tags(&source);
                self.out.push_str(&bare);
                let text = text_from_html(&source);
                self.paragraph(&text);
            }
            Block::Countdown { .. } => self.countdown(block, texts),
            Block::Stock { .. } => self.stock(block, texts),
            Block::Delivery { .. } => self.delivery(block, texts),
            Block::Video { .. } => self.video(block, texts),
            Block::Chat { .. } => self.chat(block, texts),
            Block::SmsOptIn { .. } => self.sms_opt_in(block, texts),
            Block::Social { .. } => self.social(block, texts),
            // Drawn by whoever knows the sections.
            Block::Columns { .. } | Block::Unknown(_) => {}
        }
    }

    fn products(&mut self, block: &Block, texts: &mut Texts<'_, '_>) {
        let Block::Products { items, limit, title, price, image, url, quantity, on_phone, .. } = block else { return };
        let brand = self.brand;
        let line = css_value(&brand.line);
        let limit = (*limit).clamp(1, 50);
        let item = |property: &str| property_of_item(property);
        // Read as a template first, so that a wrong name is found at its place.
        let opening = texts.read("items", &format!("{{% for item in {items}[:{limit}] %}}{{% endfor %}}"));
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
                self.radius()
            );
            let _ = write!(
                html,
                "<td width=\"88\" class=\"fl-line\" valign=\"middle\" style=\"width:88px;padding:10px 16px 10px 0;border-bottom:1px solid {line};\">{{% if {} %}}{}{{% endif %}}</td>",
                item(image),
                linked(&picture, "text-decoration:none;")
            );
        }
        let small = |text: &str| {
            format!(
                "<div class=\"fl-m\" style=\"font-size:14px;line-height:1.5;color:{};\">{text}</div>",
                css_value(&brand.muted)
            )
        };
        let words = linked(&name, &format!("color:{};text-decoration:none;", css_value(&brand.text)));
        let amount = quantity.as_ref().map(|quantity| {
            let quantity = item(quantity);
            format!("{{% if {quantity} %}}{}{{% endif %}}", small(&format!("Quantity {{{{ {quantity} }}}}")))
        });
        let _ = write!(
            html,
            "<td class=\"fl-line\" valign=\"middle\" style=\"padding:10px 0;border-bottom:1px solid {line};font-size:16px;line-height:1.4;\"><strong style=\"font-weight:600;\">{words}</strong>{}</td>",
            amount.as_deref().unwrap_or_default()
        );
        if let Some(price) = price {
            let _ = write!(
                html,
                "<td class=\"fl-line\" valign=\"middle\" align=\"right\" style=\"padding:10px 0 10px 16px;border-bottom:1px solid {line};font-size:16px;white-space:nowrap;\">{{% if {0} %}}{{{{ {0}|money }}}}{{% endif %}}</td>",
                item(price)
            );
        }
        html.push_str("</tr>{% endfor %}</table>");
        self.row(&html, "left", style::TEXT, *on_phone);
        let mut row = format!("{opening}- {name}");
        if let Some(quantity) = quantity {
            let _ = write!(row, "{{% if {0} %}}, quantity {{{{ {0} }}}}{{% endif %}}", item(quantity));
        }
        if let Some(price) = price {
            let _ = write!(row, "{{% if {0} %}}, {{{{ {0}|money }}}}{{% endif %}}", item(price));
        }
        if let Some(url) = url {
            let _ = write!(row, "{{% if {0} %}} ({{{{ {0} }}}}){{% endif %}}", item(url));
        }
        row.push_str("\n{% endfor %}");
        self.text.push_str(&row);
        self.text.push('\n');
    }

    fn footer(&mut self, block: &Block, texts: &mut Texts<'_, '_>) {
        let Block::Footer { text, address, unsubscribe, preferences, view, .. } = block else { return };
        let brand = self.brand;
        let text = texts.read_some("text", text.as_deref());
        let address = match address {
            Some(address) => texts.read("address", address),
            None => brand.address.clone(),
        };
        let mut links = vec![(texts.read("unsubscribe", unsubscribe), "unsubscribe_url")];
        links.extend(preferences.as_deref().map(|words| (texts.read("preferences", words), "preferences_url")));
        links.extend(view.as_deref().map(|words| (texts.read("view", words), "view_url")));
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
        let room = self.room();
        let html = self.tokens.put(paragraphs.join("<div style=\"height:10px;line-height:10px;\">&nbsp;</div>"));
        let _ = write!(
            self.out,
            "<mj-section css-class=\"fl-pad\" padding=\"28px {room}px 40px\"><mj-column><mj-text css-class=\"{}\" align=\"center\" font-size=\"13px\" line-height=\"1.6\" color=\"{}\" padding=\"0\">{html}</mj-text></mj-column></mj-section>",
            style::MUTED,
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
