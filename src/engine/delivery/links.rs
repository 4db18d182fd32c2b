//! Signed links back to the engine: unsubscribe, preferences, the mail in a browser, opened, clicked.
//!
//! The one idea: a link carries all that its page needs (whose, of which send, where a click leads), signed, so that
//! nothing is looked up and nothing can be made up: a forged, cut or borrowed link is refused, and a redirect goes
//! nowhere but where the mail said (no open redirect). Deliberately not here: pages, which are the intake's.

use std::{
    fmt, fs,
    io::{self, Write},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use smol_str::SmolStr;

use crate::{
    audience::{Properties, ResponseKind, Value},
    base::{ContactId, EventId, FlowId, Instant, MessageId, SendKey, hash},
    content,
    engine::work::NewEvent,
};

/// The file with the key, in the engine's data folder.
pub const KEY_FILE: &str = "links.key";
/// What is signed begins so: a key that is used for anything else signs nothing that passes here.
const DOMAIN: &[u8] = b"flowloom link 1\0";
/// A longer token is not looked at, in bytes. Source: RFC 9110, section 4.1: 8,000 is the least that servers support.
const LONGEST: usize = 8_000;

/// What a link is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Purpose {
    /// Ends all marketing mail (a page for GET, at once for POST; RFC 8058).
    Unsubscribe,
    /// Where the recipient chooses what to get.
    Preferences,
    /// The mail in a browser.
    View,
    /// The picture that says that a mail was opened.
    Opened,
    /// A link of the mail, by way of the engine.
    Clicked,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 5] = [Self::Unsubscribe, Self::Preferences, Self::View, Self::Opened, Self::Clicked];

    /// The first part of its path: `/u/TOKEN`.
    pub fn letter(self) -> char {
        match self {
            Self::Unsubscribe => 'u',
            Self::Preferences => 'p',
            Self::View => 'v',
            Self::Opened => 'o',
            Self::Clicked => 'c',
        }
    }

    /// The purpose of a path's first part.
    pub fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.letter() == letter)
    }
}

/// What a link says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// What it is for.
    pub purpose: Purpose,
    /// Whose.
    pub contact: ContactId,
    /// In the mail of which send.
    pub key: SendKey,
    /// Of which flow.
    pub flow: FlowId,
    /// Which message.
    pub message: MessageId,
    /// Which variant.
    pub variant: SmolStr,
    /// Where a click leads; empty for the others.
    pub link: String,
}

impl Token {
    /// What the visit means as an event, with the properties that SEMANTICS R0 names; `None` for pages that mean
    /// nothing by themselves. Visits within a minute are one event (mail programs fetch twice), but each unsubscribing
    /// counts.
    pub fn event(&self, now: Instant) -> Option<NewEvent> {
        let response = match self.purpose {
            Purpose::Unsubscribe => ResponseKind::Unsubscribed,
            Purpose::Opened => ResponseKind::Opened,
            Purpose::Clicked => ResponseKind::Clicked,
            Purpose::Preferences | Purpose::View => return None,
        };
        let name = response.event_name();
        let id = match self.purpose {
            Purpose::Unsubscribe => format!("{name}/{}/{}", self.key, now.as_millis()),
            _ => {
                let link = hash::chance("link", &self.link);
                format!("{name}/{}/{link:016x}/{}", self.key, now.as_millis() / 60_000)
            }
        };
        let text = |name: &'static str, value: &str| (SmolStr::new_static(name), Value::text(value));
        let mut properties = Properties::from([
            text("flow", self.flow.as_str()),
            text("node", self.key.node.as_str()),
            text("message", self.message.as_str()),
            text("variant", &self.variant),
            text("journey", self.key.journey.as_str()),
            text("send_key", &self.key.to_string()),
        ]);
        if self.purpose == Purpose::Clicked {
            properties.extend([text("link", &self.link)]);
        }
        Some(NewEvent {
            id: EventId::new(id),
            contact: self.contact.clone(),
            name: name.into(),
            happened: Some(now),
            properties,
            change: None,
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let (key, letter) = (self.key.to_string(), self.purpose.letter().to_string());
        let parts = [
            letter.as_str(),
            self.contact.as_str(),
            &key,
            self.flow.as_str(),
            self.message.as_str(),
            &self.variant,
            &self.link,
        ];
        serde_json::to_vec(&parts).unwrap_or_default()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [letter, contact, key, flow, message, variant, link]: [String; 7] = serde_json::from_slice(bytes).ok()?;
        Some(Self {
            purpose: Purpose::of_letter(letter.chars().next()?)?,
            contact: ContactId::new(contact),
            key: SendKey::parse(&key)?,
            flow: FlowId::new(flow),
            message: MessageId::new(message),
            variant: variant.into(),
            link,
        })
    }
}

/// Why a link is not taken; for the page that says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadLink;

impl fmt::Display for BadLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("This link is not complete, or not one of ours; copy the whole link from the mail")
    }
}

/// What mails tell of their readers; both off by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Watch {
    /// Mails hold a picture that says that they were opened.
    pub opens: bool,
    /// Links of mails lead by way of the engine.
    pub clicks: bool,
}

/// Makes and checks links.
#[derive(Clone)]
pub struct Links {
    key: hmac::Key,
    /// What signed before, where that was another one: such links still lead where they said.
    former: Option<hmac::Key>,
    base: String,
    watch: Watch,
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").field("base", &self.base).field("watch", &self.watch).finish_non_exhaustive()
    }
}

impl Links {
    /// With a secret of at least 32 bytes. `base` is where recipients reach the engine: `https://mail.shop.example`.
    pub fn new(secret: &[u8], base: &str, watch: Watch) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Self { key, former: None, base: base.trim_end_matches('/').to_owned(), watch }
    }

    /// As [`Self::of_folder`], for an engine whose store keeps the key as well, so that a copy of the store has it: in
    /// a folder without a key that one is used, and beside another one its links are still read. The key is given back
    /// where the store does not keep one yet.
    ///
    /// Errors: as [`Self::of_folder`].
    pub fn of_engine(
        folder: &Path,
        kept: Option<&str>,
        base: &str,
        watch: Watch,
    ) -> Result<(Self, Option<String>), String> {
        let path = folder.join(KEY_FILE);
        let kept = kept.and_then(secret_of);
        if let Some(secret) = &kept {
            match write_key(&path, secret) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(format!("{} cannot be used: {error}", path.display()));
                }
                _ => {}
            }
        }
        let mut links = Self::of_folder(folder, base, watch)?;
        let text = fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let new = match kept {
            Some(secret) => {
                let is_other = secret_of(&text).is_some_and(|own| own != secret);
                links.former = is_other.then(|| hmac::Key::new(hmac::HMAC_SHA256, &secret));
                None
            }
            None => Some(text.trim().to_owned()),
        };
        Ok((links, new))
    }

    /// With the key of a data folder, which is made where there is none, readable to nobody else.
    ///
    /// Errors: a key that cannot be made or read, or is none. It is never written over: links in mails that have left
    /// would lead nowhere.
    pub fn of_folder(folder: &Path, base: &str, watch: Watch) -> Result<Self, String> {
        let path = folder.join(KEY_FILE);
        let wrong = |error: &dyn fmt::Display| format!("{} cannot be used: {error}", path.display());
        match make_key(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(wrong(&error)),
            _ => {}
        }
        let text = fs::read_to_string(&path).map_err(|error| wrong(&error))?;
        let secret = secret_of(&text).ok_or_else(|| {
            wrong(&"it is not a key of 32 bytes; bring it back from a backup, or remove it: links in older mails end then")
        })?;
        Ok(Self::new(&secret, base, watch))
    }

    /// Where recipients reach the engine.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The address of a link.
    pub fn address(&self, token: &Token) -> String {
        let bytes = token.to_bytes();
        let signature = hmac::sign(&self.key, &signed(&bytes));
        let (body, signature) = (URL_SAFE_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(signature));
        format!("{}/{}/{body}.{signature}", self.base, token.purpose.letter())
    }

    /// What the token of an address says, which came as a link for `purpose`. Signatures are compared in constant time.
    ///
    /// Errors: it was not made here, or for another purpose.
    pub fn verify(&self, purpose: Purpose, token: &str) -> Result<Token, BadLink> {
        if token.len() > LONGEST {
            return Err(BadLink);
        }
        let (body, signature) = token.split_once('.').ok_or(BadLink)?;
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| BadLink)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| BadLink)?;
        let is_signed = |key: &hmac::Key| hmac::verify(key, &signed(&bytes), &signature).is_ok();
        if !is_signed(&self.key) && !self.former.as_ref().is_some_and(is_signed) {
            return Err(BadLink);
        }
        Token::from_bytes(&bytes).filter(|token| token.purpose == purpose).ok_or(BadLink)
    }

    /// The links that every mail may show.
    pub fn of_mail(&self, token: &Token) -> content::Links {
        let link = |purpose| self.address(&Token { purpose, link: String::new(), ..token.clone() });
        content::Links {
            unsubscribe: link(Purpose::Unsubscribe),
            preferences: link(Purpose::Preferences),
            view: link(Purpose::View),
        }
    }

    /// A mail's HTML with what tells of opening and clicking, where that is on. Only web addresses of links change;
    /// the recipient's own links, `mailto:` and all else stay.
    pub fn watched(&self, html: &str, token: &Token) -> String {
        let mut html = html.to_owned();
        if html.is_empty() {
            return html;
        }
        if self.watch.clicks {
            let own = format!("{}/", self.base);
            html = content::with_links(&html, |address| {
                let address = address.trim();
                let starts = |start: &str| address.get(..start.len()).is_some_and(|s| s.eq_ignore_ascii_case(start));
                let is_web = starts("https://") || starts("http://");
                if !is_web || address.starts_with(&own) {
                    return None;
                }
                let token = Token { purpose: Purpose::Clicked, link: address.to_owned(), ..token.clone() };
                // Servers need not take a longer one; the reader gets where they want all the same.
                Some(self.address(&token)).filter(|link| link.len() <= LONGEST)
            });
        }
        if self.watch.opens {
            let address = self.address(&Token { purpose: Purpose::Opened, link: String::new(), ..token.clone() });
            let picture = format!("<img src=\"{address}\" alt=\"\" width=\"1\" height=\"1\" border=\"0\">");
            let end = html.to_ascii_lowercase().rfind("</body").unwrap_or(html.len());
            html.insert_str(end, &picture);
        }
        html
    }
}

fn signed(bytes: &[u8]) -> Vec<u8> {
    [DOMAIN, bytes].concat()
}

/// Makes a key file; its bytes are on the disk when this returns.
fn make_key(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut secret = [0_u8; 32];
    SystemRandom::new().fill(&mut secret).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    write_key(path, &secret)
}

/// The secret that a text names.
fn secret_of(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim()).ok().filter(|secret| secret.len() == 32)
}

/// Writes a key file where there is none.
fn write_key(path: &Path, secret: &[u8]) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    // Written beside and linked into place, so that a crash leaves no half key and two engines agree on one.
    let mut mark = [0_u8; 8];
    SystemRandom::new().fill(&mut mark).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    let beside = path.with_extension(format!("key.{}.part", URL_SAFE_NO_PAD.encode(mark)));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(URL_SAFE_NO_PAD.encode(secret).as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        // Fails where the other engine was first; a file system without links takes the rename.
        match fs::hard_link(&beside, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(&beside, path),
            done => done,
        }
    });
    let _ = fs::remove_file(&beside);
    written
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn links(watch: Watch) -> Links {
        Links::new(&[7; 32], "https://mail.shop.example/", watch)
    }

    fn token(purpose: Purpose) -> Token {
        Token {
            purpose,
            contact: "ada@\"x\"".into(),
            key: SendKey { journey: "cart/ada/1".into(), node: "mail-1".into(), pass: 2 },
            flow: "cart".into(),
            message: "m1".into(),
            variant: "b".into(),
            link: if purpose == Purpose::Clicked { "https://shop.example/?a=1&b=ü".into() } else { String::new() },
        }
    }

    fn tail(address: &str) -> &str {
        address.rsplit('/').next().unwrap_or_default()
    }

    #[test]
    fn links_say_what_was_signed_for_one_purpose() {
        let links = links(Watch::default());
        for purpose in Purpose::ALL {
            let address = links.address(&token(purpose));
            assert!(address.starts_with(&format!("https://mail.shop.example/{}/", purpose.letter())), "{address}");
            for other in Purpose::ALL {
                let expected = if other == purpose { Ok(token(purpose)) } else { Err(BadLink) };
                assert_eq!(links.verify(other, tail(&address)), expected);
            }
            let stranger = Links::new(&[8; 32], "https://mail.shop.example", Watch::default());
            assert_eq!(stranger.verify(purpose, tail(&address)), Err(BadLink));
        }
        assert_eq!(links.verify(Purpose::View, ""), Err(BadLink));
        assert_eq!(links.verify(Purpose::View, &"a".repeat(LONGEST + 1)), Err(BadLink));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn no_changed_link_passes(at in 0_usize..400, byte in 0_u8..128, cut in 0_usize..400, n in 0_usize..5) {
            let links = links(Watch::default());
            let address = links.address(&token(Purpose::ALL[n]));
            let whole = tail(&address);
            let cut = &whole[..cut.min(whole.len() - 1)];
            prop_assert_eq!(links.verify(Purpose::ALL[n], cut), Err(BadLink));
            let mut bytes = whole.as_bytes().to_vec();
            let at = at % bytes.len();
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            let changed = String::from_utf8(bytes).unwrap_or_default();
            prop_assert_eq!(links.verify(Purpose::ALL[n], &changed), Err(BadLink));
        }

        #[test]
        fn any_text_survives(contact in ".{0,40}", link in ".{0,200}", variant in ".{0,9}") {
            let links = links(Watch::default());
            let token = Token {
                contact: ContactId::new(contact), link, variant: variant.into(), ..token(Purpose::Clicked)
            };
            prop_assert_eq!(links.verify(Purpose::Clicked, tail(&links.address(&token))), Ok(token));
        }
    }

    #[test]
    fn events_have_the_properties_of_responses() {
        let at = Instant::from_millis(120_000);
        let click = token(Purpose::Clicked).event(at).expect("an event");
        assert_eq!(click.name, "$clicked");
        let names: Vec<&str> = click.properties.keys().map(SmolStr::as_str).collect();
        assert_eq!(names, ["flow", "journey", "link", "message", "node", "send_key", "variant"]);
        assert_eq!(click.properties["send_key"], Value::text("cart/ada/1/mail-1/2"));
        assert_eq!(click.properties["link"], Value::text("https://shop.example/?a=1&b=ü"));
        let again = |purpose, millis| token(purpose).event(at.plus_millis(millis)).map(|event| event.id);
        assert_eq!(again(Purpose::Clicked, 59_000).as_ref(), Some(&click.id));
        assert_ne!(again(Purpose::Clicked, 60_000).as_ref(), Some(&click.id));
        assert_ne!(again(Purpose::Unsubscribe, 0), again(Purpose::Unsubscribe, 1));
        assert_eq!(again(Purpose::View, 0), None);
        assert_eq!(again(Purpose::Preferences, 0), None);
    }

    #[test]
    fn mails_are_watched_only_where_that_is_on() {
        let html = "<body><a href=\"https://shop.example/?a=1&amp;b=2\">x</a><a href=\"mailto:a@b.example\">y</a>\
                    <a href=\"https://mail.shop.example/u/t\">z</a><img src=\"https://x.example/p.png\"></BODY></html>";
        let token = token(Purpose::View);
        assert_eq!(links(Watch::default()).watched(html, &token), html);
        let watching = links(Watch { opens: true, clicks: true });
        let watched = watching.watched(html, &token);
        let found = content::links(&watched);
        let first = found.first().expect("a link");
        let to = watching.verify(Purpose::Clicked, tail(&first.target)).expect("ours");
        assert_eq!(to.link, "https://shop.example/?a=1&b=2");
        assert_eq!(found[1].target, "mailto:a@b.example");
        assert_eq!(found[2].target, "https://mail.shop.example/u/t");
        let pixel = watched.split("<img src=\"").last().and_then(|rest| rest.split('"').next()).expect("a picture");
        assert!(watching.verify(Purpose::Opened, tail(pixel)).is_ok());
        assert!(watched.ends_with("</BODY></html>"), "{watched}");
        assert!(watched.contains("https://x.example/p.png"));
        assert_eq!(watching.watched("", &token), "", "a text message has no picture");
    }

    /// The key goes with a copy of the store: into a new folder, and beside another key its links are read.
    #[test]
    fn a_copy_brings_its_key() {
        let of = |folder: &Path, kept: Option<&str>| {
            Links::of_engine(folder, kept, "http://127.0.0.1:8025", Watch::default()).expect("a key")
        };
        let verifies = |links: &Links, address: &str| links.verify(Purpose::Unsubscribe, tail(address)).is_ok();
        let folders = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
        let [old, new, other] = folders.each_ref().map(tempfile::TempDir::path);
        let (links, kept) = of(old, None);
        let kept = kept.expect("is to be kept");
        let address = links.address(&token(Purpose::Unsubscribe));
        assert_eq!(of(old, Some(&kept)).1, None);
        assert!(verifies(&of(new, Some(&kept)).0, &address));
        assert!(verifies(&of(new, None).0, &address), "the folder has it now");
        assert!(!verifies(&of(other, None).0, &address));
        let (both, new) = of(other, Some(&kept));
        assert!(new.is_none() && verifies(&both, &address));
        assert!(verifies(&both, &both.address(&token(Purpose::Unsubscribe))));
        assert_ne!(both.address(&token(Purpose::Unsubscribe)), address, "the folder's own key signs");
        assert!(verifies(&of(other, Some("no key")).0, &both.address(&token(Purpose::Unsubscribe))));
    }

    #[test]
    fn a_folder_keeps_its_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let one = Links::of_folder(folder.path(), "http://127.0.0.1:8025", Watch::default()).expect("a key");
        let two = Links::of_folder(folder.path(), "http://127.0.0.1:8025", Watch::default()).expect("the same");
        let address = one.address(&token(Purpose::View));
        assert!(two.verify(Purpose::View, tail(&address)).is_ok());
        let path = folder.path().join(KEY_FILE);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&path, "broken").expect("writes");
        let error = Links::of_folder(folder.path(), "http://127.0.0.1:8025", Watch::default()).expect_err("no key");
        assert!(error.contains("not a key of 32 bytes") && !error.contains("broken"), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("reads"), "broken");
    }
}
