//! A mail as it was sent, opened to be looked at: what the engine keeps is the message as it left.

use std::sync::Arc;

use mail_parser::{Address, MessageParser};
use smol_str::SmolStr;
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    app::{
        Document,
        jobs::{Kind, Work},
        mails::{PictureKey, pictures::PictureJob},
        stage::Made,
    },
    base::Instant,
    content::RenderedMail,
};

/// Width of the picture in CSS pixels. Source: assumption, the width that most mails are made for.
const WIDTH_PX: u32 = 600;

/// A mail as it was sent.
#[derive(Debug)]
pub struct SentMail {
    /// Who it came from.
    pub from: String,
    /// Who it went to.
    pub to: String,
    /// Subject and both parts, as what draws mails takes them.
    pub made: Arc<Made>,
}

impl SentMail {
    /// Opens a message.
    ///
    /// Errors: why it cannot be shown.
    pub fn open(bytes: &[u8]) -> Result<Self, String> {
        let message = MessageParser::default().parse(bytes).ok_or("What is kept cannot be read as a mail")?;
        let people = |address: Option<&Address<'_>>| {
            let one = address.and_then(Address::first);
            let email = one.and_then(|one| one.address()).unwrap_or_default();
            match one.and_then(|one| one.name()) {
                Some(name) => format!("{name} <{email}>"),
                None => email.to_owned(),
            }
        };
        // The parser makes HTML of a text, and a text of HTML; only what is there counts.
        let html = (message.html_body_count() > 0 && message.html_part(0).is_some_and(|part| part.is_text_html()))
            .then(|| message.body_html(0))
            .flatten();
        let mail = RenderedMail {
            subject: message.subject().unwrap_or_default().to_owned(),
            preheader: String::new(),
            html: html.map(std::borrow::Cow::into_owned).unwrap_or_default(),
            text: message.body_text(0).map(std::borrow::Cow::into_owned).unwrap_or_default(),
            tags: Vec::new(),
            missing: Vec::new(),
        };
        let at =
            message.date().map_or(Instant::from_millis(0), |date| Instant::from_millis(date.to_timestamp() * 1_000));
        let made = Made { mail, variant: SmolStr::default(), event: None, at, lints: Vec::new() };
        Ok(Self { from: people(message.from()), to: people(message.to()), made: Arc::new(made) })
    }

    /// What its picture depends on; `None` where it has no HTML.
    pub fn picture_key(&self, document: &Document) -> Option<PictureKey> {
        let html = &self.made.mail.html;
        let density_percent = document.view.mail.density_percent;
        (!html.is_empty()).then(|| PictureKey {
            html: xxh3_128(html.as_bytes()),
            width_px: WIDTH_PX,
            dark: false,
            density_percent,
        })
    }

    /// The work for its picture, where it is not there and not under way.
    pub(in crate::app) fn picture_wanted(&self, document: &Document) -> Option<Work> {
        let key = self.picture_key(document)?;
        if document.derived.pictures.get(&key).is_some() || document.is_under_way(Kind::Picture) {
            return None;
        }
        let job = PictureJob { home: Arc::clone(&document.home), key, made: Arc::clone(&self.made) };
        Some(Work::Picture(Box::new(job)))
    }
}
