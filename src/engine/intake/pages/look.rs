//! The pages as HTML: small, in the brand's colours, without script, readable by all.
//!
//! The one idea: everything from outside is escaped, and what goes into the style sheet is taken only where it is a
//! plain colour or a plain list of fonts.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use smol_str::SmolStr;

use crate::{
    audience::Channel,
    content::{Brand, escape},
};

/// What these pages may do: show themselves, pictures of the shop, and send their form here.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";
/// What a mail may do in the browser: be looked at, and lead away by a click.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline' https:; img-src http: https: data:; \
                           font-src https:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; \
                           sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";

/// One thing that a recipient may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// A channel, and whether it is allowed.
    Channel(Channel, bool),
    /// A list they are on.
    List(SmolStr),
}

/// How the page tells its form that a channel was ticked there, or not.
pub(super) fn shown_as(channel: Channel, yes: bool) -> String {
    format!("{}:{}", channel.name(), if yes { "yes" } else { "no" })
}

/// The words of the pages in one language.
struct Words {
    tag: &'static str,
    leave: &'static str,
    leave_lead: &'static str,
    leave_button: &'static str,
    left: &'static str,
    left_lead: &'static str,
    choose: &'static str,
    choose_lead: &'static str,
    email: &'static str,
    sms: &'static str,
    lists: &'static str,
    save: &'static str,
    saved: &'static str,
    bad: &'static str,
    bad_lead: &'static str,
    gone: &'static str,
    gone_lead: &'static str,
    later: &'static str,
    later_lead: &'static str,
}

const ENGLISH: Words = Words {
    tag: "en",
    leave: "Unsubscribe",
    leave_lead: "You will get no more marketing mail from us. Mails about orders you have placed still reach you.",
    leave_button: "Unsubscribe now",
    left: "You are unsubscribed",
    left_lead: "We will not write to you any more. You can close this page.",
    choose: "Your preferences",
    choose_lead: "Choose what you would like to get from us.",
    email: "E-mails with news and offers",
    sms: "Text messages with news and offers",
    lists: "Lists you are on",
    save: "Save",
    saved: "Your choice is saved",
    bad: "This link does not work",
    bad_lead: "It is not complete, or not one of ours. Copy the whole link from the mail and try again.",
    gone: "This mail is no longer here",
    gone_lead: "We keep mails for a while only. The one in your mailbox is still complete.",
    later: "That did not work yet",
    later_lead: "Nothing was changed. Please try again in a minute.",
};

const GERMAN: Words = Words {
    tag: "de",
    leave: "Abmelden",
    leave_lead: "Du bekommst dann keine Werbung mehr von uns. Nachrichten zu deinen Bestellungen kommen weiterhin an.",
    leave_button: "Jetzt abmelden",
    left: "Du bist abgemeldet",
    left_lead: "Wir schreiben dir nicht mehr. Du kannst diese Seite schließen.",
    choose: "Deine Einstellungen",
    choose_lead: "Wähle, was du von uns bekommen möchtest.",
    email: "E-Mails mit Neuigkeiten und Angeboten",
    sms: "SMS mit Neuigkeiten und Angeboten",
    lists: "Listen, auf denen du stehst",
    save: "Speichern",
    saved: "Deine Auswahl ist gespeichert",
    bad: "Dieser Link funktioniert nicht",
    bad_lead: "Er ist nicht vollständig oder nicht von uns. Kopiere den ganzen Link aus der E-Mail und versuche es noch einmal.",
    gone: "Diese E-Mail ist nicht mehr hier",
    gone_lead: "Wir bewahren E-Mails nur eine Zeit lang auf. In deinem Postfach ist sie noch vollständig.",
    later: "Das hat noch nicht geklappt",
    later_lead: "Es wurde nichts geändert. Bitte versuche es in einer Minute noch einmal.",
};

/// What all pages of a brand share.
pub(super) struct Look {
    style: String,
    head: String,
    foot: String,
    words: &'static Words,
}

/// A colour as the style sheet takes it, or another.
fn colour<'a>(given: &'a str, other: &'a str) -> &'a str {
    let sound = given
        .strip_prefix('#')
        .is_some_and(|hex| matches!(hex.len(), 3 | 6) && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if sound { given } else { other }
}

/// A font stack as the style sheet takes it, or the system's.
fn font(given: &str) -> &str {
    let sound = !given.is_empty()
        && given.len() <= 300
        && given.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | ',' | '-' | '_' | '\'' | '"' | '.'));
    if sound { given } else { "system-ui, sans-serif" }
}

impl Look {
    pub(super) fn new(brand: &Brand) -> Self {
        let plain = Brand::default();
        let words = if brand.language.to_ascii_lowercase().starts_with("de") { &GERMAN } else { &ENGLISH };
        let vars = |surface: &str, background: &str, text: &str, muted: &str, line: &str, primary: &str, on: &str| {
            format!(
                "--surface:{surface};--background:{background};--text:{text};--muted:{muted};--line:{line};\
                 --primary:{primary};--on-primary:{on}"
            )
        };
        let light = vars(
            colour(&brand.surface, &plain.surface),
            colour(&brand.background, &plain.background),
            colour(&brand.text, &plain.text),
            colour(&brand.muted, &plain.muted),
            colour(&brand.line, &plain.line),
            colour(&brand.primary, &plain.primary),
            colour(&brand.on_primary, &plain.on_primary),
        );
        let (dark, night) = (&brand.dark, &plain.dark);
        let dark = vars(
            colour(&dark.surface, colour(&night.surface, "#1c1e22")),
            colour(&dark.background, colour(&night.background, "#111316")),
            colour(&dark.text, colour(&night.text, "#f1f2f4")),
            colour(&dark.muted, colour(&night.muted, "#a5acb5")),
            colour(&dark.line, colour(&night.line, "#3a3f46")),
            colour(&dark.primary, colour(&night.primary, "#e8ebef")),
            colour(&dark.on_primary, colour(&night.on_primary, "#15171a")),
        );
        let (font, heading) =
            (font(&brand.font), font(if brand.heading_font.is_empty() { &brand.font } else { &brand.heading_font }));
        let radius = brand.radius.min(40);
        let style = format!(
            ":root{{color-scheme:light dark;{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}\
             *{{box-sizing:border-box}}\
             body{{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;padding:48px 16px;\
             background:var(--background);color:var(--text);font:17px/1.6 {font}}}\
             header{{margin-bottom:28px;font:600 20px/1.3 {heading};letter-spacing:.01em}}\
             header a{{color:inherit;text-decoration:none}}\
             main{{width:100%;max-width:500px;padding:40px 36px;background:var(--surface);border:1px solid var(--line);\
             border-radius:{sheet}px}}\
             h1{{margin:0 0 12px;font:600 27px/1.25 {heading};text-wrap:balance}}\
             p{{margin:0 0 26px}}p:last-child{{margin-bottom:0}}\
             fieldset{{border:0;margin:0 0 26px;padding:0}}legend{{padding:0 0 4px;font-weight:600}}\
             label{{display:flex;gap:14px;align-items:flex-start;padding:13px 0;border-bottom:1px solid var(--line);\
             cursor:pointer}}\
             input{{width:20px;height:20px;margin:4px 0 0;flex:none;accent-color:var(--primary)}}\
             button{{width:100%;min-height:50px;padding:12px 24px;border:0;border-radius:{radius}px;\
             background:var(--primary);color:var(--on-primary);font:600 17px/1.4 {font};cursor:pointer}}\
             button:hover{{filter:brightness(1.08)}}\
             :focus-visible{{outline:3px solid var(--primary);outline-offset:3px}}\
             .done{{padding:12px 16px;border-left:4px solid var(--primary);background:var(--background)}}\
             footer{{max-width:500px;margin-top:28px;color:var(--muted);font-size:14px;text-align:center}}\
             @media(max-width:460px){{body{{padding:24px 12px}}main{{padding:30px 22px}}}}",
            sheet = radius.max(6),
        );
        let name = escape(brand.name.trim());
        let is_web = brand.website.starts_with("https://") || brand.website.starts_with("http://");
        let head = match (name.is_empty(), is_web) {
            (true, _) => String::new(),
            (false, true) => format!("<header><a href=\"{}\">{name}</a></header>", escape(&brand.website)),
            (false, false) => format!("<header>{name}</header>"),
        };
        let address = escape(brand.address.trim());
        let foot = if address.is_empty() { String::new() } else { format!("<footer>{address}</footer>") };
        Self { style, head, foot, words }
    }

    fn page(&self, status: StatusCode, title: &str, body: &str) -> Response {
        let (title, tag) = (escape(title), self.words.tag);
        let html = format!(
            "<!doctype html>\n<html lang=\"{tag}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"robots\" content=\"noindex\"><meta name=\"referrer\" content=\"no-referrer\">\
             <title>{title}</title><style>{}</style></head>\
             <body>{}<main><h1>{title}</h1>{body}</main>{}</body></html>\n",
            self.style, self.head, self.foot
        );
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        (status, headers, html).into_response()
    }

    fn lead(text: &str) -> String {
        format!("<p>{}</p>", escape(text))
    }

    /// The button that unsubscribes.
    pub(super) fn unsubscribe(&self) -> Response {
        let words = self.words;
        let body = format!(
            "{}<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
             <button type=\"submit\">{}</button></form>",
            Self::lead(words.leave_lead),
            escape(words.leave_button)
        );
        self.page(StatusCode::OK, words.leave, &body)
    }

    /// It is done.
    pub(super) fn unsubscribed(&self) -> Response {
        self.page(StatusCode::OK, self.words.left, &Self::lead(self.words.left_lead))
    }

    /// What may come, to be ticked.
    pub(super) fn preferences(&self, choices: &[Choice], saved: bool) -> Response {
        let words = self.words;
        let (mut channels, mut lists) = (String::new(), String::new());
        for choice in choices {
            match choice {
                Choice::Channel(channel, yes) => {
                    let text = match channel {
                        Channel::Email => words.email,
                        Channel::Sms => words.sms,
                    };
                    let checked = if *yes { " checked" } else { "" };
                    channels += &format!(
                        "<label><input type=\"checkbox\" name=\"channel\" value=\"{}\"{checked}>{}</label>\
                         <input type=\"hidden\" name=\"was\" value=\"{}\">",
                        channel.name(),
                        escape(text),
                        shown_as(*channel, *yes)
                    );
                }
                Choice::List(name) => {
                    let name = escape(name);
                    lists += &format!(
                        "<label><input type=\"checkbox\" name=\"list\" value=\"{name}\" checked>{name}</label>\
                         <input type=\"hidden\" name=\"shown\" value=\"{name}\">"
                    );
                }
            }
        }
        if !lists.is_empty() {
            lists = format!("<fieldset><legend>{}</legend>{lists}</fieldset>", escape(words.lists));
        }
        let done = if saved {
            format!("<p class=\"done\" role=\"status\">{}</p>", escape(words.saved))
        } else {
            String::new()
        };
        let body = format!(
            "{done}{}<form method=\"post\"><fieldset>{channels}</fieldset>{lists}\
             <button type=\"submit\">{}</button></form>",
            Self::lead(words.choose_lead),
            escape(words.save)
        );
        self.page(StatusCode::OK, words.choose, &body)
    }

    /// A link that is not ours.
    pub(super) fn bad_link(&self) -> Response {
        self.page(StatusCode::NOT_FOUND, self.words.bad, &Self::lead(self.words.bad_lead))
    }

    /// A mail that is not kept any more.
    pub(super) fn gone(&self) -> Response {
        self.page(StatusCode::GONE, self.words.gone, &Self::lead(self.words.gone_lead))
    }

    /// The store cannot now.
    pub(super) fn later(&self) -> Response {
        let mut page = self.page(StatusCode::SERVICE_UNAVAILABLE, self.words.later, &Self::lead(self.words.later_lead));
        page.headers_mut().insert(header::RETRY_AFTER, axum::http::HeaderValue::from_static("60"));
        page
    }
}

/// A mail in the browser.
pub(super) fn mail(html: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, MAIL_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    (headers, html).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_place() {
        let brand = Brand {
            name: "<script>alert(1)</script>".into(),
            website: "javascript:alert(1)".into(),
            address: "\"><img src=x>".into(),
            primary: "red;}body{display:none".into(),
            font: "x;}</style><script>".into(),
            ..Brand::default()
        };
        let look = Look::new(&brand);
        let all = format!("{}{}{}", look.style, look.head, look.foot);
        for bad in ["<script", "</style", "javascript:", "<img", "display:none"] {
            assert!(!all.contains(bad), "{bad} in {all}");
        }
    }

    #[test]
    fn colours_and_fonts() {
        for (given, expected) in
            [("#12355b", "#12355b"), ("#abc", "#abc"), ("#12345", "#000"), ("", "#000"), ("red", "#000")]
        {
            assert_eq!(colour(given, "#000"), expected);
        }
        assert_eq!(font("'Helvetica Neue', Arial, sans-serif"), "'Helvetica Neue', Arial, sans-serif");
        assert_eq!(font("url(x)"), "system-ui, sans-serif");
    }
}
