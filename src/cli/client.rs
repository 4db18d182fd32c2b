//! The part of `flowloom export` that is for a client: the hand-over page, and the flow as a picture.
//!
//! A picture shows what is drawn, so that a flow with errors has one, too; the page says itself what is not finished.

use std::path::{Path, PathBuf};

use super::{Done, Failure, Format, Outcome, Places, Streams, load, show};
use crate::{
    app::client::{Client, ClientFormat, Outside, file},
    audience::Audience,
    base::{ContactId, Instant, Zone, nearest},
    content::format_date,
    disk,
    report::{About, diagram::Paper, font},
};

/// What the export may be told.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    pub flow: &'a Path,
    pub format: ClientFormat,
    pub out: &'a Path,
    pub force: bool,
    pub said: Format,
    pub date: Option<&'a str>,
    pub contacts: &'a [String],
    pub paper: Paper,
    pub scale: f32,
}

/// Writes the file.
pub(super) fn run(wish: &Wish<'_>, places: &Places, streams: &mut Streams) -> Outcome {
    let (home, source) = load::one(wish.flow, places)?;
    let date = wish.date.map(in_words).transpose()?.unwrap_or_default();
    let audience = match wish.format {
        ClientFormat::Document => load::audience(&home, places, streams)?,
        _ => Audience::default(),
    };
    let contacts: Vec<ContactId> = wish.contacts.iter().map(ContactId::new).collect();
    if let Some(unknown) = contacts.iter().find(|id| !audience.contacts.iter().any(|contact| contact.id == **id)) {
        if wish.format != ClientFormat::Document {
            return Err(Failure::unusable("Contacts are chosen for --to html only", "Leave --contact out"));
        }
        let near = nearest::hint(unknown.as_str(), audience.contacts.iter().map(|contact| contact.id.as_str()));
        return Err(Failure::unusable(format!("There is no contact `{unknown}` in the audience"), near));
    }
    let neighbours = disk::neighbours(&source.source.path, &home);
    let client = Client {
        flow: source.flow(),
        workspace: &home.workspace,
        neighbours: &neighbours,
        audience: &audience,
        date: &date,
        paper: wish.paper,
        scale: wish.scale,
        contacts: &contacts,
    };
    let beside = source.source.path.parent().map_or_else(|| PathBuf::from("."), PathBuf::from);
    let folder = home.folder.clone().unwrap_or(beside);
    let mut shop = Shop {
        folder,
        #[cfg(feature = "picture")]
        base: home.workspace.brand.images.clone(),
        notes: Vec::new(),
    };
    let made = file(&client, wish.format, &mut shop);
    let made = made.unwrap_or_else(|| Err("It was stopped".to_owned()));
    let bytes = made.map_err(|why| Failure::refused(why, "Ask for --to svg or --to html"))?;
    disk::file(wish.out, &bytes, wish.force)?;
    let mut notes = shop.notes;
    if matches!(wish.format, ClientFormat::Pdf | ClientFormat::Png) {
        let titles = source.flow().nodes.iter().map(|node| node.title());
        let lacking = font::lacking(titles.chain([source.flow().name.as_str()]));
        if !lacking.is_empty() {
            let letters: String = lacking.into_iter().take(20).collect();
            notes.push(format!("Letters that the bundled face lacks are boxes: {letters}; --to svg shows them"));
        }
    }
    let about = About::new(source.flow(), &home.workspace, &date);
    if wish.said == Format::Json {
        streams.say_json(&serde_json::json!({
            "schema": "flowloom/export/1",
            "target": wish.format.ending(),
            "out": wish.out.display().to_string(),
            "files": [wish.out.file_name().map(|name| name.to_string_lossy())],
            "bytes": bytes.len(),
            "fingerprint": about.fingerprint,
            "notes": notes,
        }));
    }
    let mut text = format!("{}: {}, version {}\n", wish.out.display(), wish.format.title(), about.short_fingerprint());
    for note in &notes {
        text.push_str(&format!("  {note}\n"));
    }
    if wish.format == ClientFormat::Document {
        text.push_str("  To have it as a PDF, open it in a browser and print it\n");
    }
    streams.to_people(wish.said, &show::clean(&text));
    Ok(Done::Well)
}

/// "26 November 2026" for `2026-11-26`; `today` reads the clock, in UTC.
#[expect(clippy::disallowed_methods, reason = "only where the user asks for today")]
fn in_words(date: &str) -> Result<String, Failure> {
    let date = match date {
        "today" => Zone::utc().local(Instant::from_millis(jiff::Timestamp::now().as_millisecond())).date(),
        _ => date.parse::<jiff::civil::Date>().map_err(|_| {
            Failure::unusable(format!("`{date}` is not a date"), "Write it as --date 2026-11-26, or --date today")
        })?,
    };
    Ok(format_date(date.at(0, 0, 0, 0), "%-d %B %Y"))
}

/// The images of the workspace, and the renderer of mails.
struct Shop {
    folder: PathBuf,
    #[cfg(feature = "picture")]
    base: String,
    notes: Vec<String>,
}

/// Most bytes of a logo: larger ones would make a page that mail programs refuse.
const MAX_LOGO_BYTES: usize = 2 * 1024 * 1024;

impl Outside for Shop {
    #[cfg(feature = "picture")]
    fn draw(&mut self, html: &str) -> Option<Vec<u8>> {
        let drawn = super::picture::drawn(self.folder.clone(), self.base.clone(), html, 600, false);
        match drawn.and_then(|picture| super::picture::file(&picture)) {
            Ok(bytes) => Some(bytes),
            Err(failure) => {
                self.notes.push(format!("A mail is shown by the browser instead of a picture: {}", failure.text));
                None
            }
        }
    }

    #[cfg(not(feature = "picture"))]
    fn draw(&mut self, _: &str) -> Option<Vec<u8>> {
        let note = "Mails are shown by the browser: this build draws none (feature `picture`)".to_owned();
        if self.notes.is_empty() {
            self.notes.push(note);
        }
        None
    }

    fn image(&mut self, path: &str) -> Option<Vec<u8>> {
        let image = disk::image(&self.folder, path, MAX_LOGO_BYTES);
        if image.is_err() {
            self.notes.push(format!("The logo images/{path} is not there or too large; the name stands instead"));
        }
        image.ok()
    }

    fn keeps_on(&mut self, _: f32) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_words() {
        assert_eq!(in_words("2026-11-26"), Ok("26 November 2026".to_owned()));
        assert_eq!(in_words("tomorrow").map_err(|failure| failure.exit_code), Err(2));
    }
}
