//! The user's own settings of the studio, as readable RON in one file.
//!
//! The one idea: the file is the user's. Each key is read for itself, so that one mistake costs one key; what this
//! version does not know is kept, and what is not changed stays as written. Deliberately not here: where the file lies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Theme;
#[cfg(feature = "engine")]
use super::run::options::Options;
use crate::{
    flow::file::{
        self,
        raw::{RawStruct, set_field},
    },
    kinds::ron_options,
};

/// Files that are remembered. Source: assumption, a column of the gallery.
pub const MOST_RECENT: usize = 12;

/// Smallest and largest scale of the window.
pub const SCALES: (f32, f32) = (0.5, 3.0);

/// Largest file that is read, in bytes. Source: assumption, a thousand times what a user writes.
const MOST_BYTES: usize = 1 << 20;

/// How numbers are written in the window. Mails and files have their own ways.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberStyle {
    /// 12,480.5
    #[default]
    Comma,
    /// 12.480,5
    Point,
    /// 12 480,5
    Space,
}

/// How dates are written in the window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateStyle {
    /// 23 November 2026
    #[default]
    Long,
    /// 2026-11-23
    Iso,
    /// 23.11.2026
    DayFirst,
    /// 11/23/2026
    MonthFirst,
}

impl DateStyle {
    /// The pattern of a date with its year, for [`crate::content::format_date`].
    pub fn pattern(self) -> &'static str {
        match self {
            Self::Long => "%-d %B %Y",
            Self::Iso => "%Y-%m-%d",
            Self::DayFirst => "%d.%m.%Y",
            Self::MonthFirst => "%m/%d/%Y",
        }
    }
}

/// The settings.
#[derive(Clone, PartialEq, Debug)]
pub struct Preferences {
    /// Light, dark, or as the system says.
    pub theme: Theme,
    /// Size of everything in the window, within [`SCALES`]; 1 is as the system says.
    pub scale: f32,
    /// Other keys for commands: by the command's name (`DeleteReconnect`), keys as in the command table; empty takes
    /// the key away.
    pub keys: BTreeMap<String, String>,
    /// Zone of contacts that have none, where the workspace names none either: `Europe/Berlin`.
    pub zone: Option<String>,
    /// Nothing glides or fades.
    pub reduced_motion: bool,
    /// How numbers are written.
    pub numbers: NumberStyle,
    /// How dates are written.
    pub dates: DateStyle,
    /// The address that tests of mails went to last.
    pub test_to: String,
    /// The mail server or folder that they went by, never with a password.
    pub test_by: String,
    /// How the mails of the engine left that was started last; the form takes no password.
    pub run_mail: String,
    /// What the links of its mails began with.
    pub run_public: String,
    /// Where that engine listened.
    pub run_listen: String,
    /// What else engines were started with, by their folders, the newest first, at most [`MOST_RECENT`].
    #[cfg(feature = "engine")]
    pub run_options: Vec<(String, Options)>,
    /// Files that were open, the newest first, at most [`MOST_RECENT`].
    pub recent: Vec<String>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            scale: 1.0,
            keys: BTreeMap::new(),
            zone: None,
            reduced_motion: false,
            numbers: NumberStyle::default(),
            dates: DateStyle::default(),
            test_to: String::new(),
            test_by: String::new(),
            run_mail: String::new(),
            run_public: String::new(),
            run_listen: String::new(),
            #[cfg(feature = "engine")]
            run_options: Vec::new(),
            recent: Vec::new(),
        }
    }
}

impl Preferences {
    /// Reads the settings file. What cannot be read is as by default, with a word about each such place.
    pub fn read(text: &str) -> (Self, Vec<String>) {
        let mut out = Self::default();
        let mut words = Vec::new();
        if text.trim().is_empty() {
            return (out, words);
        }
        if text.len() > MOST_BYTES {
            return (out, vec![format!("The settings file has more than {} MB and is not read", MOST_BYTES >> 20)]);
        }
        let keys = match RawStruct::parse(text) {
            Ok(keys) => keys,
            Err(error) => {
                let fault = file::spanned(text, &error).message;
                return (out, vec![format!("The settings file cannot be read: {fault}")]);
            }
        };
        fn set<T: DeserializeOwned>(keys: &RawStruct<'_>, key: &str, to: &mut T, words: &mut Vec<String>) {
            let Some(raw) = keys.get(key) else { return };
            match ron_options().from_str(raw) {
                Ok(value) => *to = value,
                Err(error) => words.push(format!("`{key}` in the settings cannot be read: {}", error.code)),
            }
        }
        set(&keys, "theme", &mut out.theme, &mut words);
        set(&keys, "scale", &mut out.scale, &mut words);
        set(&keys, "keys", &mut out.keys, &mut words);
        set(&keys, "zone", &mut out.zone, &mut words);
        set(&keys, "reduced_motion", &mut out.reduced_motion, &mut words);
        set(&keys, "numbers", &mut out.numbers, &mut words);
        set(&keys, "dates", &mut out.dates, &mut words);
        set(&keys, "test_to", &mut out.test_to, &mut words);
        set(&keys, "test_by", &mut out.test_by, &mut words);
        set(&keys, "run_mail", &mut out.run_mail, &mut words);
        set(&keys, "run_public", &mut out.run_public, &mut words);
        set(&keys, "run_listen", &mut out.run_listen, &mut words);
        #[cfg(feature = "engine")]
        {
            set(&keys, "run_options", &mut out.run_options, &mut words);
            out.run_options.truncate(MOST_RECENT);
        }
        set(&keys, "recent", &mut out.recent, &mut words);
        if !(SCALES.0..=SCALES.1).contains(&out.scale) {
            words.push(format!("`scale` in the settings is not within {} and {}", SCALES.0, SCALES.1));
            out.scale = 1.0;
        }
        if let Some(zone) = out.zone.take() {
            match crate::base::Zone::named(&zone) {
                Ok(_) => out.zone = Some(zone),
                Err(_) => words.push(format!("`zone` in the settings: there is no zone `{zone}`")),
            }
        }
        out.recent.truncate(MOST_RECENT);
        (out, words)
    }

    /// The text to save: `old` is the file as it is, of which everything stays that was not changed.
    ///
    /// A file that cannot be read at all is begun anew.
    pub fn write(&self, old: &str) -> String {
        let base = if RawStruct::parse(old).is_ok() { old.trim().to_owned() } else { "()".to_owned() };
        let (before, _) = Self::read(&base);
        let ron = ron_options();
        let mut out = base;
        let mut set = |key: &str, is_same: bool, value: Option<Result<String, ron::Error>>| {
            let value = value.and_then(Result::ok);
            if !is_same && let Ok(next) = set_field(&out, key, value.as_deref()) {
                out = next;
            }
        };
        macro_rules! set {
            ($($key:ident)*) => {
                $(set(stringify!($key), self.$key == before.$key, Some(ron.to_string(&self.$key)));)*
            };
        }
        set!(theme scale keys);
        set("zone", self.zone == before.zone, self.zone.as_ref().map(|zone| ron.to_string(zone)));
        set!(reduced_motion numbers dates test_to test_by run_mail run_public run_listen recent);
        #[cfg(feature = "engine")]
        set!(run_options);
        out.push('\n');
        out
    }

    /// What the engine of a folder was started with last; nothing where it was not.
    #[cfg(feature = "engine")]
    pub fn options_of(&self, data: &str) -> Options {
        let known = self.run_options.iter().find(|(folder, _)| folder == data.trim());
        known.map(|(_, options)| options.clone()).unwrap_or_default()
    }

    /// Keeps what the engine of a folder is started with.
    #[cfg(feature = "engine")]
    pub fn remember_options(&mut self, data: &str, options: &Options) {
        let data = data.trim();
        self.run_options.retain(|(folder, _)| folder != data);
        if *options != Options::default() {
            self.run_options.insert(0, (data.to_owned(), options.clone()));
            self.run_options.truncate(MOST_RECENT);
        }
    }

    /// Puts a file at the head of those that were open.
    pub fn remember(&mut self, path: &str) {
        self.recent.retain(|known| known != path);
        self.recent.insert(0, path.to_owned());
        self.recent.truncate(MOST_RECENT);
    }

    /// Takes a file that is gone out of the list.
    pub fn forget(&mut self, path: &str) {
        self.recent.retain(|known| known != path);
    }

    /// The keys of a command: the user's, else those of the command table.
    pub fn keys_of<'a>(&'a self, command: &str, table: &'a str) -> &'a str {
        self.keys.get(command).map_or(table, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Rng;

    #[track_caller]
    fn check(text: &str, expected: &Preferences, words: &[&str]) {
        let (found, said) = Preferences::read(text);
        assert_eq!(&found, expected, "{text}");
        assert_eq!(said.len(), words.len(), "{said:?}");
        for (said, word) in said.iter().zip(words) {
            assert!(said.contains(word), "{said}");
        }
    }

    #[test]
    fn files_are_read_key_by_key() {
        let default = Preferences::default();
        check("", &default, &[]);
        check("()", &default, &[]);
        check("(theme: dark, later: Thing(3))", &Preferences { theme: Theme::Dark, ..default.clone() }, &[]);
        check("(theme: pink, scale: 1.5)", &Preferences { scale: 1.5, ..default.clone() }, &["`theme`"]);
        check("(scale: 99)", &default, &["`scale`"]);
        check("(scale: NaN)", &default, &["`scale`"]);
        check("(zone: \"Europe/Berlin\")", &Preferences { zone: Some("Europe/Berlin".into()), ..default.clone() }, &[]);
        check("(zone: \"Mars\")", &default, &["no zone `Mars`"]);
        check("(theme: dark", &default, &["cannot be read: Line 1"]);
        check("nonsense", &default, &["cannot be read"]);
        check(&"(".repeat(10_000), &default, &["cannot be read"]);
    }

    #[test]
    fn what_is_not_changed_stays() {
        let old = "(\n    // by hand\n    theme: dark, later: Thing(3 /* kept */),\n)\n";
        let (mut preferences, _) = Preferences::read(old);
        assert_eq!(preferences.write(old), old);
        preferences.theme = Theme::Light;
        assert_eq!(preferences.write(old), old.replace("dark", "light"));
        preferences.remember("/a.flow.ron");
        preferences.zone = Some("UTC".into());
        let text = preferences.write(old);
        assert!(text.contains("Thing(3 /* kept */)"), "{text}");
        assert_eq!(Preferences::read(&text), (preferences.clone(), Vec::new()));
        preferences.zone = None;
        assert_eq!(Preferences::read(&preferences.write(&text)), (preferences, Vec::new()));
        assert_eq!(Preferences::default().write("broken ("), "()\n");
    }

    #[test]
    fn any_settings_come_back() {
        let mut rng = Rng::new(11);
        for _ in 0..300 {
            let mut text = "()".to_owned();
            for _ in 0..3 {
                let mut some = Preferences {
                    theme: [Theme::System, Theme::Light, Theme::Dark][rng.below(3)],
                    scale: [1.0, 0.75, 2.0][rng.below(3)],
                    reduced_motion: rng.percent(50),
                    numbers: [NumberStyle::Comma, NumberStyle::Point, NumberStyle::Space][rng.below(3)],
                    dates: [DateStyle::Long, DateStyle::Iso, DateStyle::MonthFirst][rng.below(3)],
                    zone: [None, Some("UTC".to_owned()), Some("Europe/Berlin".to_owned())][rng.below(3)].clone(),
                    test_to: ["", "me@x.example"][rng.below(2)].to_owned(),
                    test_by: ["", "smtp://ada@m.example", "C:\\out \"1\""][rng.below(3)].to_owned(),
                    ..Preferences::default()
                };
                if rng.percent(50) {
                    some.keys.insert("Undo".into(), "Ctrl+\"".into());
                }
                #[cfg(feature = "engine")]
                for n in 0..rng.below(15) {
                    let headers = ["", "A: \"${B}\"\nC: d"][rng.below(2)].to_owned();
                    let options = Options { sms_headers: headers, calls: rng.percent(50), ..Options::default() };
                    some.remember_options(&format!("C:\\shop {}", n % 13), &options);
                }
                for n in 0..rng.below(15) {
                    some.remember(&format!("C:\\flows\\{n} ä.flow.ron"));
                }
                text = some.write(&text);
                assert_eq!(Preferences::read(&text), (some, Vec::new()), "{text}");
            }
        }
    }

    #[test]
    fn words_and_lists() {
        let mut preferences = Preferences::default();
        (0..20).for_each(|n| preferences.remember(&n.to_string()));
        preferences.remember("15");
        assert_eq!((preferences.recent.len(), preferences.recent[0].as_str()), (MOST_RECENT, "15"));
        preferences.forget("15");
        assert!(!preferences.recent.contains(&"15".to_owned()));
        preferences.keys.insert("Undo".into(), "Ctrl+U".into());
        assert_eq!(
            (preferences.keys_of("Undo", "Ctrl+Z"), preferences.keys_of("Redo", "Ctrl+Y")),
            ("Ctrl+U", "Ctrl+Y")
        );
    }
}
