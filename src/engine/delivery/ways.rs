//! Which transport takes what.
//!
//! The one idea: an engine that writes its mails into a folder is one that somebody tries out, so it touches nothing
//! outside: text messages and calls become files beside the mails, and a call counts as answered with success. What was
//! asked for by name is done for real: `--sms URL`, and `--calls` for webhooks. An engine with a mail server calls.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Outgoing, Payload, Transport, fault,
    folder::Folder,
    pace::{Pace, Rates},
    smtp::{Patience, Smtp},
    webhook::{Calls, Texts, Webhooks},
};
use crate::{
    base::{SendKey, hash},
    engine::work::{Handed, Refusal},
    post::Way,
};

/// How things leave.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// A mail server's address or a folder (`--mail`).
    pub mail: String,
    /// The address of a provider of text messages (`--sms`).
    pub texts: Option<String>,
    /// Headers for that address; the engine fills in `${NAME}` from the secrets of flows.
    pub text_headers: Vec<(String, String)>,
    /// Webhooks are called although mails go into a folder (`--calls`).
    pub calls: bool,
    /// Rates, where they are not the default ones: 600 mails a minute and so on by a server, none into a folder.
    pub rates: Option<Rates>,
    /// How long a mail server may take.
    pub patience: Patience,
}

/// The transports of an engine.
pub struct Ways {
    mail: Box<dyn Transport>,
    text: Box<dyn Transport>,
    call: Box<dyn Transport>,
    /// Where nothing can leave but into this folder, it can tell what has left.
    only: Option<Folder>,
    /// Where mails are files.
    folder: Option<PathBuf>,
    reaches_people: bool,
    name: String,
}

impl std::fmt::Debug for Ways {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ways(only {:?})", self.only)
    }
}

/// Says that there is no way.
struct Nowhere(&'static str);

impl Transport for Nowhere {
    fn hand_over(&self, _: &Outgoing) -> Handed {
        fault(self.0)
    }
}

impl Ways {
    /// Opens the ways. Nothing is connected to yet. The pace that they keep comes with them.
    ///
    /// Errors: an address that is none, a client that cannot be made.
    pub fn open(settings: &Settings) -> Result<(Self, Arc<Pace>), Refusal> {
        let way = Way::of(&settings.mail)
            .map_err(|error| Refusal::new(error.to_string(), "Name a folder, or smtp://user@host:587"))?;
        let into_folder = matches!(way, Way::Folder(_));
        let default = if into_folder { Rates::NONE } else { Rates::default() };
        let calls_wanted = settings.calls || !into_folder;
        let rates = settings.rates.unwrap_or(Rates {
            texts: if settings.texts.is_some() { Rates::default().texts } else { default.texts },
            calls_per_host: if calls_wanted { Rates::default().calls_per_host } else { default.calls_per_host },
            ..default
        });
        let pace = Arc::new(Pace::new(rates));
        let refused = |error: String| Refusal::new(error, "Mend it and start again");
        let client = match calls_wanted || settings.texts.is_some() {
            true => Some(Arc::new(Calls::new(pace.clone()).map_err(refused)?)),
            false => None,
        };
        let folder = |path: &PathBuf| Folder::new(path.clone());
        let text: Box<dyn Transport> = match (&settings.texts, &client, &way) {
            (Some(url), Some(client), _) => {
                Box::new(Texts::new(client.clone(), url, settings.text_headers.clone()).map_err(refused)?)
            }
            (_, _, Way::Folder(path)) => Box::new(folder(path)),
            _ => Box::new(Nowhere("There is no way for text messages; start the engine with --sms URL")),
        };
        let call: Box<dyn Transport> = match (&client, &way) {
            (Some(client), _) if calls_wanted => Box::new(Webhooks::new(client.clone())),
            (_, Way::Folder(path)) => Box::new(folder(path)),
            _ => Box::new(Nowhere("There is no way for calls; start the engine with --calls")),
        };
        let only = match &way {
            Way::Folder(path) if !calls_wanted && settings.texts.is_none() => Some(folder(path)),
            _ => None,
        };
        let reaches_people = matches!(&way, Way::Server(server) if !server.is_near());
        let into = match &way {
            Way::Folder(path) => Some(std::path::absolute(path).unwrap_or_else(|_| path.clone())),
            Way::Server(_) => None,
        };
        let of_mail = match (&way, &into) {
            (Way::Server(server), _) => format!("smtp:{}", server.shown()),
            (Way::Folder(path), into) => format!("folder:{}", into.as_ref().unwrap_or(path).display()),
        };
        // Secrets may stand in the address.
        let of_text = settings.texts.as_deref().map(|url| hash::version_hash(url.as_bytes()).to_string());
        let of_text = of_text.as_deref().unwrap_or("as mails");
        let name = format!("{of_mail}; texts {of_text}; calls {}", if calls_wanted { "made" } else { "as mails" });
        let mail: Box<dyn Transport> = match way {
            Way::Folder(path) => Box::new(Folder::new(path)),
            Way::Server(server) => Box::new(Smtp::new(server, settings.patience, pace.clone())),
        };
        Ok((Self { mail, text, call, only, folder: into, reaches_people, name }, pace))
    }

    /// Whether mails leave this machine, so that people follow their links.
    pub fn reaches_people(&self) -> bool {
        self.reaches_people
    }

    /// The folder that mails are written into, where they are.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Which ways these are, in one line: only the same ones know what has left by them. Holds no secret.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn all(&self) -> [&dyn Transport; 3] {
        [&*self.mail, &*self.text, &*self.call]
    }
}

impl Transport for Ways {
    fn hand_over(&self, outgoing: &Outgoing) -> Handed {
        match &outgoing.payload {
            Payload::Mail { .. } => self.mail.hand_over(outgoing),
            Payload::Text { .. } => self.text.hand_over(outgoing),
            Payload::Call { .. } => self.call.hand_over(outgoing),
        }
    }

    fn has_left(&self, key: &SendKey) -> Option<bool> {
        match &self.only {
            Some(folder) => folder.has_left(key),
            // A file that is there says yes; one that is not says nothing of what goes elsewhere.
            None => self.all().iter().any(|way| way.has_left(key) == Some(true)).then_some(true),
        }
    }

    fn close(&self) {
        self.all().iter().for_each(|way| way.close());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(payload: Payload) -> Outgoing {
        let key = SendKey { journey: "cart/ada/1".into(), node: "hook-1".into(), pass: 1 };
        Outgoing { key, contact: "ada".into(), payload }
    }

    fn call() -> Outgoing {
        // Nobody may be called here: an address for documentation (RFC 5737) that would take its time.
        let url = "https://192.0.2.1/x".to_owned();
        outgoing(Payload::Call { url, headers: Vec::new(), body: "{}".into(), timeout_millis: 50 })
    }

    #[test]
    fn a_folder_calls_nobody_unless_it_is_asked_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let mail = folder.path().display().to_string();
        let (ways, pace) = Ways::open(&Settings { mail: mail.clone(), ..Settings::default() }).expect("opens");
        assert_eq!(ways.has_left(&call().key), Some(false));
        assert_eq!(ways.hand_over(&call()), Handed::Done);
        assert_eq!(ways.has_left(&call().key), Some(true));
        assert_eq!(ways.hand_over(&outgoing(Payload::Text { to: "+49".into(), body: "Hi".into() })), Handed::Done);
        assert!((0..2_000).all(|_| pace.take(&super::super::pace::Lane::texts()).is_ok()), "no rates");

        let settings = Settings { mail: mail.clone(), calls: true, ..Settings::default() };
        let (ways, _) = Ways::open(&settings).expect("opens");
        assert!(matches!(ways.hand_over(&call()), Handed::Later { .. }), "it was really tried");
        let other = SendKey { journey: "cart/bob/1".into(), ..call().key };
        assert_eq!((ways.has_left(&call().key), ways.has_left(&other)), (Some(true), None));
    }

    #[test]
    fn other_ways_have_other_names() {
        let name = |mail: &str, calls: bool, texts: Option<&str>| {
            let texts = texts.map(str::to_owned);
            let (ways, _) =
                Ways::open(&Settings { mail: mail.into(), calls, texts, ..Settings::default() }).expect("opens");
            ways.name().to_owned()
        };
        let texts = Some("https://sms.example/send?key=hunter2");
        let all = [
            name("/tmp/a", false, None),
            name("/tmp/b", false, None),
            name("/tmp/a", true, None),
            name("/tmp/a", false, texts),
            name("smtp://127.0.0.1:2525", false, None),
        ];
        let apart: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(apart.len(), all.len(), "{all:?}");
        assert_eq!(name("/tmp/a", false, None), all[0]);
        assert!(all.iter().all(|name| !name.contains("hunter2")), "{all:?}");
    }

    #[test]
    fn what_cannot_be_opened_says_so() {
        let check = |settings: Settings, expected: &str| {
            let error = Ways::open(&settings).expect_err("refused");
            assert!(error.error.contains(expected), "{error:?}");
        };
        check(Settings::default(), "no mail server and no folder");
        check(Settings { mail: "ftp://x".into(), ..Settings::default() }, "no way to send mail");
        let texts = Some("http://sms.example".to_owned());
        check(Settings { mail: "out".into(), texts, ..Settings::default() }, "open line");
        let (ways, _) =
            Ways::open(&Settings { mail: "smtp://127.0.0.1:1".into(), ..Settings::default() }).expect("opens");
        let text = outgoing(Payload::Text { to: "+49".into(), body: "Hi".into() });
        assert!(matches!(ways.hand_over(&text), Handed::Held { detail, .. } if detail.contains("--sms")));
    }
}
