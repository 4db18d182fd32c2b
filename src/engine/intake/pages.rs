//! What recipients see: unsubscribing, preferences, the mail in a browser; the pixel, and links on their way.
//!
//! The one idea: the link alone says whose it is, signed, so there is nothing to log in to. Following a link changes
//! nothing, since scanners follow links, too; a button, or the mail program's own (RFC 8058), unsubscribes at once, and
//! the page says so only after the commit. Everything may be done twice.

mod look;

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use self::look::{Choice, Look};
use super::{
    House,
    api::written,
    form,
    pulse::Way,
    server::{Shared, blocking, body_of},
};
use crate::{
    audience::{Channel, ConsentStatus, Contact},
    base::{EventId, SendKey},
    content::Brand,
    engine::{
        delivery::links::{Purpose, Token},
        redact,
        work::{Answer, NewContact, NewEvent},
    },
    kinds::runtime::Change,
};

/// A transparent picture of one pixel: GIF89a. Source: W3C GIF89a specification, smallest valid file.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x21\xf9\x04\x01\x00\x00\x00\x00\x2c\
\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b";
/// So long a reader waits for the writer before they are led on without it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Largest form.
const MOST_FORM_BYTES: usize = 64 * 1_024;

/// Whether a path is one of these.
pub(super) fn is_page(path: &str) -> bool {
    matches!(path.as_bytes(), [b'/', b'u' | b'p' | b'v' | b'o' | b'c', b'/', ..])
}

/// The brand, as far as the store can be read: a page is shown in any case.
async fn look(shared: &Shared) -> Look {
    let house = shared.house.clone();
    let brand = blocking(move || house.reader.workspace().map(|live| live.brand)).await.and_then(|found| found);
    Look::new(&brand.unwrap_or_else(|_| Brand::default()))
}

async fn verified(shared: &Shared, purpose: Purpose, token: &str) -> Result<Token, Response> {
    match shared.house.links.verify(purpose, token) {
        Ok(token) => Ok(token),
        Err(_) => Err(look(shared).await.bad_link()),
    }
}

/// What is known of the contact. A person without a profile here (forgotten, or never known) has an empty one.
///
/// Errors: the store cannot be read; as a page.
async fn person(shared: &Shared, token: &Token) -> Result<Contact, Response> {
    let (house, id) = (shared.house.clone(), token.contact.clone());
    match blocking(move || house.reader.contact(&id)).await.and_then(|found| found) {
        Ok(view) => Ok(view.map_or_else(|| Contact::new(token.contact.clone()), |view| view.contact)),
        Err(_) => Err(look(shared).await.later()),
    }
}

/// Whether marketing of the channel of the link's message has ended, as far as the store can be read. What is kept of
/// the message tells the channel; where nothing is, it could be each, and then all of them have to.
async fn has_left(shared: &Shared, token: &Token) -> bool {
    let (house, id, key) = (shared.house.clone(), token.contact.clone(), token.key.clone());
    let found = blocking(move || {
        let Some(view) = house.reader.contact(&id)? else { return Ok(false) };
        let channels = match channel_of(&house, &key)? {
            Some(Channel::Email) => &[Channel::Email][..],
            Some(Channel::Sms) => &[Channel::Sms],
            None => &[Channel::Email, Channel::Sms],
        };
        Ok(channels.iter().all(|on| view.contact.consent.on(*on) == ConsentStatus::Unsubscribed))
    });
    found.await.and_then(|found: Result<bool, String>| found).unwrap_or(false)
}

/// Whether the link's message is known to have been a mail, as far as the store can be read.
async fn came_by_mail(shared: &Shared, token: &Token) -> bool {
    let (house, key) = (shared.house.clone(), token.key.clone());
    let found = blocking(move || channel_of(&house, &key)).await;
    found.and_then(|found| found).is_ok_and(|channel| channel == Some(Channel::Email))
}

/// The channel of a message, by what is kept of it; `None` where nothing is.
fn channel_of(house: &House, key: &SendKey) -> Result<Option<Channel>, String> {
    let kept = house.reader.mail(key)?;
    Ok(kept.map(|kept| if has_sender(&kept) { Channel::Email } else { Channel::Sms }))
}

/// Whether a kept message is a mail: texts are kept with a receiver alone, and no mail is without `From`.
fn has_sender(kept: &[u8]) -> bool {
    let head = kept.split(|byte| *byte == b'\n').take_while(|line| !line.trim_ascii().is_empty());
    head.filter_map(|line| line.get(..5)).any(|name| name.eq_ignore_ascii_case(b"from:"))
}

/// `GET /u/TOKEN`: a page with a button.
pub(super) async fn unsubscribe_page(State(shared): State<Shared>, Path(token): Path<String>) -> Response {
    match verified(&shared, Purpose::Unsubscribe, &token).await {
        Ok(_) => look(&shared).await.unsubscribe(),
        Err(response) => response,
    }
}

/// `POST /u/TOKEN`: at once; by the button, or by the mail program with `List-Unsubscribe=One-Click`.
pub(super) async fn unsubscribe(State(shared): State<Shared>, Path(token): Path<String>, request: Request) -> Response {
    let token = match verified(&shared, Purpose::Unsubscribe, &token).await {
        Ok(token) => token,
        Err(response) => return response,
    };
    // What the form says does not matter: the link says it all. It is read so that the connection can go on.
    if let Err(response) = form_of(&shared, request.into_body()).await {
        return response;
    }
    match leave(&shared, &token, Change::default()).await {
        Ok(()) => look(&shared).await.unsubscribed(),
        Err(response) => response,
    }
}

/// Ends marketing of the channel of the link's mail, durably. What else changes goes into the same commit.
///
/// Errors: nothing was stored; as a page.
async fn leave(shared: &Shared, token: &Token, change: Change) -> Result<(), Response> {
    let now = shared.house.clock.now();
    let Some(mut event) = (Token { purpose: Purpose::Unsubscribe, ..token.clone() }).event(now) else { return Ok(()) };
    // Twice within a minute is one: mail programs ask twice, and each one counts for the flow's breaker.
    event.id = EventId::new(format!("{}/{}/{}", event.name, token.key, now.as_millis() / 60_000));
    event.change = (change != Change::default()).then(|| change.clone());
    if sent(shared, vec![event.clone()]).await? != [Answer::Duplicate] {
        return Ok(());
    }
    // Known already, so nothing was changed now. Whoever came back within the minute says no once more.
    let stands = has_left(shared, token).await;
    if !stands {
        event.id = EventId::new(format!("{}/{}/{}ms", event.name, token.key, now.as_millis()));
        sent(shared, vec![event]).await?;
    } else if change != Change::default() {
        changed(shared, token, change).await?;
    }
    Ok(())
}

async fn sent(shared: &Shared, events: Vec<NewEvent>) -> Result<Vec<Answer>, Response> {
    let answers = page_of(shared, written(shared, shared.house.handle.events_by(Way::Pages, events)).await).await?;
    checked(shared, answers).await
}

async fn changed(shared: &Shared, token: &Token, change: Change) -> Result<(), Response> {
    let items = vec![NewContact { id: token.contact.clone(), change }];
    let answers = page_of(shared, written(shared, shared.house.handle.contacts(items)).await).await?;
    checked(shared, answers).await.map(|_| ())
}

async fn checked(shared: &Shared, answers: Vec<Answer>) -> Result<Vec<Answer>, Response> {
    for answer in &answers {
        match answer {
            Answer::Accepted => shared.house.pulse.items(Way::Pages, 1, 0, 0),
            Answer::Duplicate => shared.house.pulse.items(Way::Pages, 0, 1, 0),
            Answer::Refused { error, .. } => {
                shared.house.pulse.items(Way::Pages, 0, 0, 1);
                tracing::error!(error = redact::text(error), "what a recipient said was refused");
                return Err(look(shared).await.later());
            }
        }
    }
    Ok(answers)
}

/// A machine's answer as one for people; when to come back stays in it.
async fn page_of<T>(shared: &Shared, found: Result<T, Response>) -> Result<T, Response> {
    match found {
        Ok(found) => Ok(found),
        Err(response) => {
            let mut page = look(shared).await.later();
            if let Some(after) = response.headers().get(header::RETRY_AFTER) {
                page.headers_mut().insert(header::RETRY_AFTER, after.clone());
            }
            Err(page)
        }
    }
}

async fn form_of(shared: &Shared, body: Body) -> Result<Vec<(String, String)>, Response> {
    let mut shared = shared.clone();
    shared.limits.body_bytes = shared.limits.body_bytes.min(MOST_FORM_BYTES);
    let bytes = body_of(&shared, body).await?;
    Ok(form::pairs(&String::from_utf8_lossy(&bytes)))
}

fn choices(contact: &Contact) -> Vec<Choice> {
    let yes = |channel| contact.consent.on(channel) == ConsentStatus::Subscribed;
    let mut out = vec![Choice::Channel(Channel::Email, yes(Channel::Email))];
    if contact.phone.is_some() {
        out.push(Choice::Channel(Channel::Sms, yes(Channel::Sms)));
    }
    out.extend(contact.lists.iter().map(|name| Choice::List(name.clone())));
    out
}

/// `GET /p/TOKEN`: what may come, per channel and list.
pub(super) async fn preferences_page(State(shared): State<Shared>, Path(token): Path<String>) -> Response {
    let found = async {
        let token = verified(&shared, Purpose::Preferences, &token).await?;
        person(&shared, &token).await
    };
    match found.await {
        Ok(contact) => look(&shared).await.preferences(&choices(&contact), false),
        Err(response) => response,
    }
}

/// `POST /p/TOKEN`: as ticked. Lists can be left here, not joined: only the shop says who may be on one.
pub(super) async fn preferences(State(shared): State<Shared>, Path(token): Path<String>, request: Request) -> Response {
    let saved = async {
        let token = verified(&shared, Purpose::Preferences, &token).await?;
        let form = form_of(&shared, request.into_body()).await?;
        let before = person(&shared, &token).await?;
        let ticked = |name: &str, value: &str| form.iter().any(|(key, found)| key == name && found == value);
        // Pages of former builds do not say what they showed; they may lie open for long.
        let says_what_was = form.iter().any(|(key, _)| key == "was");
        let mut after = before.clone();
        let mut change = Change::default();
        let mut leaves_mail = false;
        for choice in choices(&before) {
            match choice {
                // Only what was ticked or unticked on the page: whoever unsubscribed while it was open did not come
                // back by that. Where the page does not say what it showed, a no is heard all the same, and a tick is
                // none.
                Choice::Channel(channel, stands) => {
                    let is = ticked("channel", channel.name());
                    let has_chosen = if says_what_was { ticked("was", &look::shown_as(channel, !is)) } else { !is };
                    if has_chosen && is != stands {
                        let status = if is { ConsentStatus::Subscribed } else { ConsentStatus::Unsubscribed };
                        change.consent.push((channel, status));
                        after.consent.set(channel, status);
                        leaves_mail |= !is && channel == Channel::Email;
                    }
                }
                // Only what the page showed: a list joined since then was not unticked.
                Choice::List(name) => {
                    if ticked("shown", &name) && !ticked("list", &name) {
                        after.lists.remove(&name);
                        change.lists_remove.push(name);
                    }
                }
            }
        }
        // The event ends the channel of the link's message: that of a text is not the one that was unticked.
        if leaves_mail && came_by_mail(&shared, &token).await {
            leave(&shared, &token, change).await?;
        } else if change != Change::default() {
            changed(&shared, &token, change).await?;
        }
        Ok::<Contact, Response>(after)
    };
    match saved.await {
        Ok(after) => look(&shared).await.preferences(&choices(&after), true),
        Err(response) => response,
    }
}

/// `GET /v/TOKEN`: the mail as it was sent, in the browser, where nothing in it can do anything.
pub(super) async fn view(State(shared): State<Shared>, Path(token): Path<String>) -> Response {
    let token = match verified(&shared, Purpose::View, &token).await {
        Ok(token) => token,
        Err(response) => return response,
    };
    let (house, key) = (shared.house.clone(), token.key.clone());
    let found = blocking(move || house.reader.mail(&key).map(|mail| mail.as_deref().and_then(html_of))).await;
    match found.and_then(|found| found) {
        Ok(Some(html)) => look::mail(html),
        Ok(None) => look(&shared).await.gone(),
        Err(_) => look(&shared).await.later(),
    }
}

/// The HTML of a mail; of a text mail, its text as HTML.
fn html_of(mail: &[u8]) -> Option<String> {
    mail_parser::MessageParser::default().parse(mail)?.body_html(0).map(std::borrow::Cow::into_owned)
}

/// Tells the writer what a reader did, and does not let the reader wait for long.
async fn respond(shared: &Shared, method: &Method, token: &Token) {
    if method != Method::GET {
        return;
    }
    let Some(event) = token.event(shared.house.clock.now()) else { return };
    let told = tokio::time::timeout(PATIENCE, shared.house.handle.events_by(Way::Pages, vec![event])).await;
    match told {
        Ok(Ok(answers)) => {
            let _ = checked(shared, answers).await;
        }
        _ => shared.house.pulse.lost_response(),
    }
}

/// `GET /o/TOKEN`, also with `.gif` behind it: a mail was opened.
pub(super) async fn pixel(State(shared): State<Shared>, method: Method, Path(file): Path<String>) -> Response {
    // A picture is shown in any case: a broken one in a mail helps nobody.
    if let Ok(token) = shared.house.links.verify(Purpose::Opened, file.trim_end_matches(".gif")) {
        respond(&shared, &method, &token).await;
    }
    ([(header::CONTENT_TYPE, "image/gif")], PIXEL).into_response()
}

/// `GET /c/TOKEN`: a link of a mail; leads nowhere but where the mail said.
pub(super) async fn click(State(shared): State<Shared>, method: Method, Path(token): Path<String>) -> Response {
    let token = match verified(&shared, Purpose::Clicked, &token).await {
        Ok(token) => token,
        Err(response) => return response,
    };
    let is_web = ["https://", "http://"]
        .iter()
        .any(|start| token.link.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start)));
    let target = HeaderValue::from_bytes(ascii(&token.link).as_bytes());
    let (true, Ok(target)) = (is_web, target) else { return look(&shared).await.bad_link() };
    respond(&shared, &method, &token).await;
    (StatusCode::FOUND, [(header::LOCATION, target)]).into_response()
}

/// An address as it may stand in a header: what is not plain ASCII is percent-encoded.
fn ascii(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for byte in address.bytes() {
        if byte.is_ascii_graphic() {
            out.push(byte as char);
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_headers() {
        for (address, expected) in [
            ("https://a.example/?x=1", "https://a.example/?x=1"),
            ("https://a.example/ü\r\nSet-Cookie: x", "https://a.example/%C3%BC%0D%0ASet-Cookie:%20x"),
        ] {
            assert_eq!(ascii(address), expected);
        }
    }

    #[test]
    fn pages_are_told_apart() {
        for (path, expected) in [("/u/x", true), ("/c/", true), ("/v1/events", false), ("/u", false), ("/", false)] {
            assert_eq!(is_page(path), expected, "{path}");
        }
    }

    #[test]
    fn mails_and_texts_are_told_apart() {
        for (kept, expected) in [
            ("Date: today\r\nFROM: a@b.example\r\n\r\nx", true),
            ("To: +49151\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nFrom: us\r\n", false),
            ("", false),
        ] {
            assert_eq!(has_sender(kept.as_bytes()), expected, "{kept}");
        }
    }
}
