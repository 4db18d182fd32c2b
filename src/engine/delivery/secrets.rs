//! What stands for `${NAME}` in the headers of calls: from a file of secrets, else from the environment.
//!
//! The one idea: a flow is a file that others may have written, so it can ask only for what was given to the engine on
//! purpose: a line of the secrets file, or a variable that begins with `FLOWLOOM_SECRET_`. No value is ever printed.

use std::{collections::BTreeMap, env, fmt, fs, path::Path};

/// Before a secret's name in the environment.
pub const PREFIX: &str = "FLOWLOOM_SECRET_";
/// The largest file of secrets, in bytes. Source: assumption.
const LARGEST: u64 = 1 << 20;

/// Secrets by name.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} names)", self.0.len())
    }
}

impl Secrets {
    /// Reads a file with a line `NAME=value` each; empty lines and ones that begin with `#` are passed over.
    ///
    /// Errors: a file that cannot be read, is too large or has a line of another kind (its number, never its text).
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let unreadable = |error: &dyn fmt::Display| format!("{} cannot be read: {error}", path.display());
        if fs::metadata(path).map_err(|error| unreadable(&error))?.len() > LARGEST {
            return Err(unreadable(&"it is larger than 1 MB"));
        }
        let text = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
        let mut secrets = BTreeMap::new();
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let pair = line.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
            let Some((name, value)) = pair.filter(|(name, _)| is_name(name)) else {
                return Err(format!("Line {} of {} is not NAME=value", n + 1, path.display()));
            };
            secrets.insert(name.to_owned(), value.to_owned());
        }
        Ok(Self(secrets))
    }

    /// A text with each `${NAME}` filled in.
    ///
    /// Errors: the name that there is no secret of.
    pub fn filled(&self, text: &str) -> Result<String, String> {
        let piece = |piece: Piece<'_>| match piece {
            Piece::Text(text) => Ok(text.to_owned()),
            Piece::Secret(name) => self.get(name).ok_or_else(|| name.to_owned()),
        };
        pieces(text).into_iter().map(piece).collect()
    }

    /// A secret.
    pub fn get(&self, name: &str) -> Option<String> {
        let found = self.0.get(name).cloned().or_else(|| env::var(format!("{PREFIX}{name}")).ok());
        found.filter(|value| !value.is_empty())
    }
}

/// A piece of a text with secrets in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// Text.
    Text(&'a str),
    /// `${NAME}`.
    Secret(&'a str),
}

/// Takes a text apart at each `${NAME}`. Done before tags are filled in, so that nobody's data can name a secret.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(at) = rest.get(from..).and_then(|text| text.find("${")).map(|at| at + from) {
        let Some((name, after)) = rest[at + 2..].split_once('}').filter(|(name, _)| is_name(name)) else {
            from = at + 2;
            continue;
        };
        out.push(Piece::Text(&rest[..at]));
        out.push(Piece::Secret(name));
        (rest, from) = (after, 0);
    }
    out.push(Piece::Text(rest));
    out.retain(|piece| *piece != Piece::Text(""));
    out
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_apart() {
        let check = |text: &str, expected: &[Piece<'_>]| assert_eq!(pieces(text), expected, "{text}");
        check("", &[]);
        check("plain {tag}", &[Piece::Text("plain {tag}")]);
        check("Bearer ${A_1}!", &[Piece::Text("Bearer "), Piece::Secret("A_1"), Piece::Text("!")]);
        check("${A}${B}", &[Piece::Secret("A"), Piece::Secret("B")]);
        check("${a b} ${} ${C", &[Piece::Text("${a b} ${} ${C")]);
        check("${x ${A}", &[Piece::Text("${x "), Piece::Secret("A")]);
    }

    #[test]
    fn files_are_read_and_never_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secrets");
        fs::write(&path, "# for the shop\nTOKEN = abc=1\n\n").expect("writes");
        let secrets = Secrets::of_file(&path).expect("reads");
        assert_eq!(secrets.get("TOKEN").as_deref(), Some("abc=1"));
        assert_eq!(secrets.get("PATH"), None, "the environment is not open to flows");
        assert_eq!(format!("{secrets:?}"), "Secrets(1 names)");
        fs::write(&path, "TOKEN hunter2").expect("writes");
        let error = Secrets::of_file(&path).expect_err("no pair");
        assert!(error.starts_with("Line 1 of") && !error.contains("hunter2"), "{error}");
    }
}
