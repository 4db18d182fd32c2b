//! Blocks that answer questions: when it ends, what is left, when it comes, whom to ask, where to follow.
//!
//! The one idea: everything is drawn with tables, letters and colours in the elements themselves, so that it holds
//! in every mail program and nothing has to be fetched for it.

use std::fmt::Write as _;

use super::{
    canvas::{Canvas, Texts, attribute, css_value},
    style,
};
use crate::{
    audience::ValueType,
    base::Zone,
    content::{
        Block, SocialStyle, Until,
        filters::{Moment, Names, format_date_in, urlencode},
        markup::{Look, escape, escape_around_tags, to_html, to_text},
    },
};

/// A deadline: what prints it, and what asks whether it is over (`None` where it never is when the mail is made).
struct Deadline {
    words: String,
    is_past: Option<String>,
    /// A field that must be there.
    field: Option<String>,
}

impl Canvas<'_> {
    /// What days and months are called in the mail.
    fn names(&self) -> &'static Names {
        Names::of(&self.brand.language)
    }

    pub(super) fn countdown(&mut self, block: &Block, texts: &mut Texts<'_, '_>) {
        let Block::Countdown { until, label, ended, picture, on, align, on_phone, .. } = block else { return };
        let Some(deadline) = deadline(until, self.names(), texts) else { return };
        let present: Vec<&str> = deadline.field.as_deref().into_iter().collect();
        let label = texts.read("label", label);
        let words = texts.read_where("until", &deadline.words, &present);
        let ended = texts.read_some("ended", ended.as_deref());
        let picture = texts.read_some("picture", picture.as_deref());
        if !on {
            return;
        }
        let brand = self.brand;
        let boxed = |inside: &str| {
            format!(
                "<table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" align=\"{align}\" style=\"border-collapse:separate;\"><tr>\
                 <td align=\"center\" class=\"fl-box\" style=\"padding:14px 24px;border:1px solid {line};border-radius:{radius}px;background:{back};font-family:{font};color:{text};\">{inside}</td></tr></table>",
                align = align.name(),
                line = css_value(&brand.line),
                radius = self.radius(),
                back = css_value(&brand.background),
                font = css_value(&brand.font),
                text = css_value(&brand.text),
            )
        };
        let moving = picture.as_deref().filter(|picture| !picture.is_empty()).map_or_else(String::new, |picture| {
            format!(
                "<img src=\"{}\" alt=\"\" width=\"280\" style=\"display:block;width:280px;max-width:100%;height:auto;border:0;margin:0 auto 8px;\" />",
                escape_around_tags(&self.address(picture))
            )
        });
        let above = if label.is_empty() {
            String::new()
        } else {
            format!(
                "<div class=\"fl-m\" style=\"font-size:13px;line-height:1.4;color:{};\">{}</div>",
                css_value(&brand.muted),
                escape_around_tags(&label)
            )
        };
        let inside =
            format!("{above}{moving}<div style=\"font-size:20px;line-height:1.4;font-weight:700;\">{words}</div>");
        let phone = format!("{} {}", style::TEXT, on_phone.class());
        let row = |html: &str| {
            format!(
                "<tr><td align=\"{}\" class=\"{}\" style=\"padding:0 0 20px;word-break:break-word;\">{html}</td></tr>",
                align.name(),
                phone.trim()
            )
        };
        let running = row(&boxed(&inside));
        let line = if label.is_empty() { format!("{words}\n\n") } else { format!("{label}: {words}\n\n") };
        let over = ended.map(|ended| {
            let html = format!("<div style=\"font-size:16px;line-height:1.4;\">{}</div>", escape_around_tags(&ended));
            (row(&boxed(&html)), format!("{ended}\n\n"))
        });
        let (html, text) = match (&deadline.is_past, over) {
            (None, _) => (running, line),
            (Some(test), None) => (
                format!("{{% if not ({test}) %}}{running}{{% endif %}}"),
                format!("{{% if not ({test}) %}}{line}{{% endif %}}"),
            ),
            (Some(test), Some((over, ended))) => (
                format!("{{% if {test} %}}{over}{{% else %}}{running}{{% endif %}}"),
                format!("{{% if {test} %}}{ended}{{% else %}}{line}{{% endif %}}"),
            ),
        };
        // A contact without a date sees no deadline, rather than a mail that is held for it.
        let (html, text) = match &deadline.field {
            Some(field) => {
                (format!("{{% if {field} %}}{html}{{% endif %}}"), format!("{{% if {field} %}}{text}{{% endif %}}"))
            }
            None => (html, text),
        };
        self.raw(html);
        self.text.push_str(&text);
    }

    pub(super) fn stock(&mut self, block: &Block, texts: &mut Texts<'_, '_>) {
        let Block::Stock { field, levels, sold_out, align, on_phone, .. } = block else { return };
        let Some(known) = texts.field(field) else {
            let message = format!("There is no field `{field}` in this flow");
            texts.fault("field", "template/unknown-field", message, "Choose a number field with the pieces left");
            return;
        };
        if known.kind != ValueType::Number {
            let message = format!("`{field}` is of the kind {} and counts no pieces", known.kind.title());
            texts.fault("field", "template/type-mismatch", message, "Choose a field of the kind number");
            return;
        }
        let brand = self.brand;
        let phone = format!("{} {}", style::TEXT, on_phone.class());
        let badge = |words: &str, ink: &str, ground: &str, class: &str| {
            format!(
                "<tr><td align=\"{align}\" class=\"{phone}\" style=\"padding:0 0 20px;word-break:break-word;\">\
                 <table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" align=\"{align}\" style=\"border-collapse:separate;\"><tr>\
                 <td class=\"{class}\" style=\"padding:6px 14px;border-radius:{radius}px;background:{ground};color:{ink};font-family:{font};font-size:13px;line-height:1.4;font-weight:700;\">{words}</td></tr></table></td></tr>",
                align = align.name(),
                phone = phone.trim(),
                radius = self.radius(),
                font = css_value(&brand.font),
                words = escape_around_tags(words),
            )
        };
        let (ink, ground) = (css_value(&brand.on_primary), css_value(&brand.primary));
        let (quiet_ink, quiet_ground) = (css_value(&brand.text), css_value(&brand.background));
        let mut arms: Vec<(String, String, String)> = Vec::new();
        let mut sorted: Vec<(usize, &crate::content::StockLevel)> = levels.iter().enumerate().collect();
        sorted.sort_by_key(|(_, level)| level.at_most);
        for (n, (at, level)) in sorted.iter().enumerate() {
            let words = texts.read_where(&format!("levels.{at}.text"), &level.text, &[field]);
            // The scarcest level stands out.
            let html = if n == 0 {
                badge(&words, &ink, &ground, style::BUTTON)
            } else {
                badge(&words, &quiet_ink, &quiet_ground, style::BOX)
            };
            arms.push((format!("{field} > 0 and {field} <= {}", level.at_most), html, words));
        }
        if let Some(words) = texts.read_some("sold_out", sold_out.as_deref()) {
            let html = badge(&words, &quiet_ink, &quiet_ground, style::BOX);
            arms.push((format!("{field} == 0"), html, words));
        }
        if arms.is_empty() {
            let hint = "Add a level, such as `(at_most: 3, text: \"Only a few left\")`";
            texts.fault("levels", "mail/no-levels", "This badge has no words to show".to_owned(), hint);
            return;
        }
        let (mut html, mut text) = (String::new(), String::new());
        for (n, (test, row, words)) in arms.iter().enumerate() {
            let word = if n == 0 { "if" } else { "elif" };
            let _ = write!(html, "{{% {word} {test} %}}{row}");
            let _ = write!(text, "{{% {word} {test} %}}{words}\n\n");
        }
        html.push_str("{% endif %}");
        text.push_str("{% endif %}");
        self.raw(html);
        self.text.push_str(&text);
    }

    pub(super) fn delivery(&mut self, block: &Block, texts: &mut Texts<'_, '_>) {
        let Block::Delivery { from, to, cut_off, zone, text, on_phone, .. } = block else { return };
        let (from, to) = (*from, (*to).max(*from));
        if to > 60 {
            let message = format!("{to} working days are more than 60");
            texts.fault("to", "mail/delivery-days", message, "Write 0 to 60 working days");
            return;
        }
        if let Some(zone) = zone
            && let Err(why) = Zone::named(zone)
        {
            texts.fault("zone", "mail/delivery-zone", why, "Write a zone such as `Europe/Berlin`");
            return;
        }
        let mut rule = cut_off.map(|time| time.to_string()).unwrap_or_default();
        if let Some(zone) = zone {
            let _ = write!(rule, " {zone}");
        }
        let language = self.names().argument();
        let first =
            if from == to { format!("arrival({to}{language})") } else { format!("arrival({from}, {to}{language})") };
        let source = text
            .replace("{first}", &format!("{{{{ '{rule}'|{first} }}}}"))
            .replace("{last}", &format!("{{{{ '{rule}'|arrival({to}{language}) }}}}"));
        let words = texts.read("text", &source);
        let brand = self.brand;
        let html = format!(
            "<table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"100%\"><tr>\
             <td class=\"fl-edge\" style=\"padding:12px 0 12px 16px;border-left:3px solid {};font-family:{};font-size:16px;line-height:1.5;color:{};\">{}</td></tr></table>",
            css_value(&brand.primary),
            css_value(&brand.font),
            css_value(&brand.text),
            escape_around_tags(&words)
        );
        self.row(&html, "left", style::TEXT, *on_phone);
        self.paragraph(&words);
    }

    pub(super) fn video(&mut self, block: &Block, texts: &mut Texts<'_, '_>) {
        let Block::Video { poster, href, alt, text, height, on_phone, .. } = block else { return };
        let (poster, href) = (texts.read("poster", poster), texts.read("href", href));
        let (alt, words) = (texts.read("alt", alt), texts.read("text", text));
        let brand = self.brand;
        let height = (*height).clamp(1, 600);
        let (src, link) = (escape_around_tags(&self.address(&poster)), escape_around_tags(&href));
        let (primary, on_primary) = (css_value(&brand.primary), css_value(&brand.on_primary));
        // The picture is the ground of a cell with the button in its middle. Outlook on Windows draws no such grounds:
        // it gets the picture itself.
        let html = format!(
            "<!--[if mso]><a href=\"{link}\"><img src=\"{src}\" alt=\"{alt}\" width=\"{width}\" border=\"0\" /></a><![endif]-->\
             <!--[if !mso]><!-- --><table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"100%\" style=\"border-collapse:separate;\"><tr>\
             <td align=\"center\" valign=\"middle\" height=\"{height}\" background=\"{src}\" style=\"height:{height}px;background-color:{primary};background-image:url('{src}');background-position:center;background-size:cover;border-radius:{radius}px;\">\
             <a href=\"{link}\" title=\"{alt}\" style=\"display:inline-block;width:72px;height:72px;line-height:72px;border-radius:36px;background:{on_primary};color:{primary};font-family:Arial,sans-serif;font-size:28px;text-align:center;text-decoration:none;\">&#9654;&#xFE0E;</a></td></tr></table><!--<![endif]-->\
             <div class=\"{class}\" style=\"padding:12px 0 0;font-family:{font};font-size:16px;line-height:1.5;\"><a href=\"{link}\" style=\"color:{primary};font-weight:600;text-decoration:underline;\">&#9654;&#xFE0E; {words}</a></div>",
            class = style::TEXT,
            width = self.width(),
            alt = escape_around_tags(&alt),
            radius = self.radius(),
            font = css_value(&brand.font),
            words = escape_around_tags(&words),
        );
        self.row(&html, "left", "", *on_phone);
        self.paragraph(&format!("{words} ({href})"));
    }

    pub(super) fn chat(&mut self, block: &Block, texts: &mut Texts<'_, '_>) {
        let Block::Chat { text, href, note, on_phone, .. } = block else { return };
        let (words, href) = (texts.read("text", text), texts.read("href", href));
        let note = texts.read_some("note", note.as_deref());
        let brand = self.brand;
        let small = note.as_ref().map_or_else(String::new, |note| {
            format!(
                "<div class=\"fl-m\" style=\"font-size:14px;line-height:1.5;color:{};\">{}</div>",
                css_value(&brand.muted),
                escape_around_tags(note)
            )
        });
        let html = format!(
            "<table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"100%\" style=\"border-collapse:separate;\"><tr>\
             <td class=\"fl-box\" style=\"padding:16px 20px;border:1px solid {line};border-radius:{radius}px;background:{back};font-family:{font};color:{text};\">\
             <table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\"><tr>\
             <td width=\"40\" valign=\"middle\" style=\"width:40px;\"><div class=\"{button}\" style=\"width:40px;height:40px;border-radius:20px;background:{primary};color:{on_primary};font-size:20px;line-height:40px;font-weight:700;text-align:center;\">?</div></td>\
             <td style=\"padding:0 0 0 16px;font-size:16px;line-height:1.5;\"><a href=\"{link}\" style=\"color:{primary};font-weight:600;text-decoration:underline;\">{words}</a>{small}</td></tr></table></td></tr></table>",
            line = css_value(&brand.line),
            radius = self.radius(),
            back = css_value(&brand.surface),
            font = css_value(&brand.font),
            text = css_value(&brand.text),
            button = style::BUTTON,
            primary = css_value(&brand.primary),
            on_primary = css_value(&brand.on_primary),
            link = escape_around_tags(&href),
            words = escape_around_tags(&words),
        );
        self.row(&html, "left", style::TEXT, *on_phone);
        let line = format!("{words} ({href})");
        self.paragraph(&note.map_or(line.clone(), |note| format!("{line}\n{note}")));
    }

    pub(super) fn sms_opt_in(&mut self, block: &Block, texts: &mut Texts<'_, '_>) {
        let Block::SmsOptIn { text, keyword, number, button, terms, on_phone, .. } = block else { return };
        let digits: String = number.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '/')).collect();
        let is_number = digits.strip_prefix('+').unwrap_or(&digits);
        if is_number.len() < 3 || is_number.len() > 15 || !is_number.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!("`{number}` is no telephone number");
            texts.fault("number", "mail/sms-number", message, "Write it with + and country, such as +49 170 1234567");
            return;
        }
        if keyword.trim().is_empty() || keyword.contains(['{', '}']) {
            let message = "The keyword that is sent must be a plain word".to_owned();
            texts.fault("keyword", "mail/sms-keyword", message, "Write a word such as JOIN");
            return;
        }
        let (words, button) = (texts.read("text", text), texts.read("button", button));
        let terms = texts.read("terms", terms);
        let brand = self.brand;
        // `?&body=` is read by both iOS (which wants `&`) and Android (which wants `?`).
        let link = escape(&format!("sms:{digits}?&body={}", urlencode(keyword.trim())));
        let html = format!(
            "<div style=\"font-family:{font};font-size:16px;line-height:1.5;color:{text};\">{words}</div>\
             <table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" align=\"center\" style=\"border-collapse:separate;margin:14px auto;\"><tr>\
             <td class=\"{class}\" align=\"center\" style=\"border-radius:{radius}px;background:{primary};\"><a class=\"{class}\" href=\"{link}\" style=\"display:inline-block;padding:13px 28px;border-radius:{radius}px;background:{primary};color:{on_primary};font-family:{font};font-size:16px;line-height:1.25;font-weight:600;text-decoration:none;\">{button}</a></td></tr></table>\
             <div style=\"font-family:{font};font-size:14px;line-height:1.5;color:{text};\">Or text <strong>{keyword}</strong> to <strong>{number}</strong></div>\
             <div class=\"fl-m\" style=\"padding:8px 0 0;font-family:{font};font-size:13px;line-height:1.5;color:{muted};\">{terms}</div>",
            font = css_value(&brand.font),
            text = css_value(&brand.text),
            words = escape_around_tags(&words),
            class = style::BUTTON,
            radius = self.radius(),
            primary = css_value(&brand.primary),
            on_primary = css_value(&brand.on_primary),
            button = escape_around_tags(&button),
            keyword = escape(keyword.trim()),
            number = escape(number.trim()),
            muted = css_value(&brand.muted),
            terms = to_html(&terms, Look { link: &brand.muted }),
        );
        self.row(&html, "center", style::TEXT, *on_phone);
        let text = format!("{words}\nText {} to {}\n{}", keyword.trim(), number.trim(), to_text(&terms));
        self.paragraph(&text);
    }

    pub(super) fn social(&mut self, block: &Block, texts: &mut Texts<'_, '_>) {
        let Block::Social { links, style: look, align, on_phone, .. } = block else { return };
        if links.is_empty() {
            let hint = "Add a link, such as `(network: instagram, href: \"https://…\")`";
            texts.fault("links", "mail/no-links", "This row has no links".to_owned(), hint);
            return;
        }
        let brand = self.brand;
        let mut cells = String::new();
        let mut lines = String::new();
        for (n, link) in links.iter().enumerate() {
            let href = texts.read(&format!("links.{n}.href"), &link.href);
            let (name, sign) = link.network.words();
            let name = match &link.label {
                Some(label) => texts.read(&format!("links.{n}.label"), label),
                None => name.to_owned(),
            };
            let (address, words) = (escape_around_tags(&href), escape_around_tags(&name));
            let _ = match look {
                SocialStyle::Signs => write!(
                    cells,
                    "<td style=\"padding:0 6px;\"><a class=\"{class}\" href=\"{address}\" title=\"{words}\" aria-label=\"{words}\" style=\"display:inline-block;width:36px;height:36px;line-height:36px;border-radius:18px;background:{primary};color:{on_primary};font-family:Arial,sans-serif;font-size:14px;font-weight:700;text-align:center;text-decoration:none;\">{sign}</a></td>",
                    class = style::BUTTON,
                    primary = css_value(&brand.primary),
                    on_primary = css_value(&brand.on_primary),
                ),
                SocialStyle::Words => write!(
                    cells,
                    "<td style=\"padding:0 10px;font-family:{};font-size:14px;line-height:1.5;\"><a href=\"{address}\" style=\"color:{};text-decoration:underline;\">{words}</a></td>",
                    css_value(&brand.font),
                    css_value(&brand.primary)
                ),
            };
            let _ = writeln!(lines, "{name}: {href}");
        }
        let html = format!(
            "<table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" align=\"{}\"><tr>{cells}</tr></table>",
            attribute(align.name())
        );
        self.row(&html, align.name(), style::TEXT, *on_phone);
        self.paragraph(&lines);
    }
}

/// How a deadline is printed and asked; nothing where it is no date.
fn deadline(until: &Until, names: &Names, texts: &mut Texts<'_, '_>) -> Option<Deadline> {
    let (day, language) = (names.day, names.argument());
    let day_time = format!("{day}, {}", names.time);
    match until {
        Until::Midnight => {
            let words = format!("{{{{ 'now'|date_fmt('{day}'{language}) }}}}, {}", names.midnight());
            Some(Deadline { words, is_past: None, field: None })
        }
        Until::At(text) => {
            let text = text.trim();
            let midnight = jiff::civil::Time::midnight();
            let (at, pattern, kept) = match Moment::parse(text) {
                Some(Moment::At(at)) => {
                    let words = format!("{{{{ '{at}'|date_fmt('{day_time}'{language}) }}}}");
                    return Some(Deadline { words, is_past: Some(format!("'{at}'|is_past")), field: None });
                }
                Some(Moment::Day(date)) => (date.to_datetime(midnight), day, date.to_string()),
                Some(Moment::Wall(at)) => (at, &*day_time, at.to_string()),
                None => {
                    let message = format!("`{text}` is no date and time");
                    let hint =
                        "Write 2026-11-27 18:00 for everybody's own clock, or 2026-11-27T18:00+01:00 for one instant";
                    texts.fault("until", "mail/deadline", message, hint);
                    return None;
                }
            };
            let words = format_date_in(at, pattern, names);
            Some(Deadline { words, is_past: Some(format!("'{kept}'|is_past")), field: None })
        }
        Until::Field(name) => {
            let Some(field) = texts.field(name) else {
                let message = format!("There is no field `{name}` in this flow");
                texts.fault("until", "template/unknown-field", message, "Choose a field of the kind date or instant");
                return None;
            };
            let pattern = match field.kind {
                ValueType::Date => day,
                ValueType::Instant => &day_time,
                other => {
                    let message = format!("`{name}` is of the kind {} and is no date", other.title());
                    let hint = "Choose a field of the kind date or instant";
                    texts.fault("until", "template/type-mismatch", message, hint);
                    return None;
                }
            };
            Some(Deadline {
                words: format!("{{{{ {name}|date_fmt('{pattern}'{language}) }}}}"),
                is_past: Some(format!("{name}|is_past")),
                field: Some(name.clone()),
            })
        }
    }
}
