//! Keys of accounts: in the system's keyring, or handed in by the caller from an environment variable.
//!
//! The one idea: a key is seen by nobody. Its `Debug` is redacted, it has no `Display`, it goes into one header and
//! into the keyring, and [`Key::redact`] takes it out of every text that came back from outside.

use std::fmt;

use super::Error;
use crate::flow::Target;

/// The keyring's name for us.
const SERVICE: &str = "flowloom";
/// No platform's key is longer; longer is a file that was piped in by mistake. In bytes.
/// Source: assumption; HubSpot's OAuth tokens, the longest known, have a few hundred.
const LONGEST: usize = 8 * 1024;
/// What stands where a key stood.
const REDACTED: &str = "[key]";

/// The key of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

/// Where a key was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyPlace {
    /// In the environment variable of [`variable`].
    Variable,
    /// In the system's keyring.
    Keyring,
}

/// The environment variable that may hold the key of a target.
pub fn variable(target: Target) -> &'static str {
    match target {
        Target::Hubspot => "FLOWLOOM_HUBSPOT_KEY",
        Target::Klaviyo | Target::Engine => "FLOWLOOM_KLAVIYO_KEY",
    }
}

impl Key {
    /// A key as it was typed or piped in; blanks around it are dropped.
    ///
    /// Errors: empty, too long, or with characters that no key has.
    pub fn new(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let fault = if text.is_empty() {
            "It is empty"
        } else if text.len() > LONGEST {
            "It is longer than any key"
        } else if !text.bytes().all(|b| b.is_ascii_graphic()) {
            "It has blanks or characters that no key has"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(Error::refused(
            format!("That is not a key: {fault}"),
            "Copy the key from the account's settings, nothing else",
        ))
    }

    /// The key for an account: `from_variable` where it is set, else what the keyring has under this label.
    ///
    /// Errors: there is none; the keyring cannot be reached, or is locked.
    pub fn find(target: Target, label: &str, from_variable: Option<&str>) -> Result<(Self, KeyPlace), Error> {
        if let Some(text) = from_variable.filter(|text| !text.trim().is_empty()) {
            return Ok((Self::new(text)?, KeyPlace::Variable));
        }
        match entry(target, label).and_then(|entry| entry.get_password()) {
            Ok(text) => Ok((Self::new(&text)?, KeyPlace::Keyring)),
            Err(keyring::Error::NoEntry) => Err(Error::refused(
                format!("There is no key for {} under the name `{label}`", target.title()),
                format!(
                    "Store one with `flowloom key set --for {}{}`, or set the variable {}",
                    target.name(),
                    if label == "default" { String::new() } else { format!(" --name {label}") },
                    variable(target)
                ),
            )),
            Err(error) => Err(no_keyring(target, &error)),
        }
    }

    /// Puts the key into the keyring, over what is there under this label.
    ///
    /// Errors: the keyring cannot be reached, or is locked.
    pub fn store(&self, target: Target, label: &str) -> Result<(), Error> {
        let stored = entry(target, label).and_then(|entry| entry.set_password(&self.0));
        stored.map_err(|error| no_keyring(target, &error))
    }

    /// Takes a key out of the keyring; whether there was one.
    ///
    /// Errors: the keyring cannot be reached, or is locked.
    pub fn remove(target: Target, label: &str) -> Result<bool, Error> {
        match entry(target, label).and_then(|entry| entry.delete_credential()) {
            Ok(()) => Ok(true),
            Err(keyring::Error::NoEntry) => Ok(false),
            Err(error) => Err(no_keyring(target, &error)),
        }
    }

    /// The text without the key, should a server have sent it back.
    pub fn redact(&self, text: &str) -> String {
        if text.contains(&self.0) { text.replace(&self.0, REDACTED) } else { text.to_owned() }
    }

    /// For the one header that carries it.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

/// The entry of the keyring: `klaviyo/default`.
fn entry(target: Target, label: &str) -> keyring::Result<keyring::Entry> {
    keyring::Entry::new(SERVICE, &format!("{}/{label}", target.name()))
}

/// The keyring's own words never hold a secret, but a bad one is left out all the same.
fn no_keyring(target: Target, error: &keyring::Error) -> Error {
    let why = match error {
        keyring::Error::BadEncoding(_) | keyring::Error::BadDataFormat(..) => "what it holds is not a key".to_owned(),
        keyring::Error::NoDefaultStore => match keyring::Entry::store_status() {
            Err(error) => error.to_string(),
            Ok(()) => "none is running".to_owned(),
        },
        keyring::Error::NoStorageAccess(_) => "it is locked, and was not unlocked".to_owned(),
        keyring::Error::PlatformFailure(why) if is_absent(&why.to_string()) => {
            "none is running in this session".to_owned()
        }
        keyring::Error::Ambiguous(_) => "it has several keys under this name".to_owned(),
        error => error.to_string(),
    };
    Error::refused(
        format!("The system's keyring cannot be used: {why}"),
        format!("Unlock or start it, or set the variable {}", variable(target)),
    )
}

/// Whether the system says that there is no keyring at all: no session bus, or nobody on it who keeps secrets. The
/// errors behind it are of a library below, so only their words can be asked. Tried with gnome-keyring and dbus.
fn is_absent(why: &str) -> bool {
    ["ServiceUnknown", "Failed to connect to address", "No such file or directory"].iter().any(|w| why.contains(w))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyring_that_is_not_there_is_said_in_plain_words() {
        let check = |error: keyring::Error, expected: &str| {
            let said = no_keyring(Target::Klaviyo, &error);
            assert_eq!(said.message, format!("The system's keyring cannot be used: {expected}"));
            assert!(said.hint.contains("FLOWLOOM_KLAVIYO_KEY"), "{said:?}");
        };
        let absent = "zbus error: org.freedesktop.DBus.Error.ServiceUnknown: The name is not there";
        check(keyring::Error::PlatformFailure(absent.into()), "none is running in this session");
        check(keyring::Error::NoStorageAccess("SS error".into()), "it is locked, and was not unlocked");
    }

    #[test]
    fn keys_are_checked_and_never_shown() {
        let check = |text: &str, is_key: bool| assert_eq!(Key::new(text).is_ok(), is_key, "{text:?}");
        check(" pk_abc123\n", true);
        check("", false);
        check("two words", false);
        check("ключ", false);
        check(&"x".repeat(LONGEST + 1), false);
        let key = Key::new("pk_abc123").expect("a key");
        assert_eq!(format!("{key:?} {:?}", Some(&key)), "Key(redacted) Some(Key(redacted))");
        assert_eq!(key.redact("no such key pk_abc123!"), "no such key [key]!");
        let error = Key::new("pk_secret with a blank").expect_err("refused");
        assert!(!format!("{error:?}").contains("pk_secret"));
    }

    #[test]
    fn the_variable_comes_first() {
        let (key, place) = Key::find(Target::Klaviyo, "default", Some("pk_1")).expect("a key");
        assert_eq!((key.secret(), place), ("pk_1", KeyPlace::Variable));
    }
}
