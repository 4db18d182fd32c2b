//! A place in a JSON document: the value and the pointer that leads to it.
//!
//! The one idea: whatever is read carries its pointer along, so that a fault names its place without anyone having to
//! remember it. Reading never panics: a missing key is `null`, a wrong type an [`Unread`].

use serde_json::Value as Json;

static NULL: Json = Json::Null;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Spot<'a> {
    pub json: &'a Json,
    /// JSON pointer (RFC 6901).
    pub at: String,
}

/// Why a part could not be understood, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Unread {
    /// JSON pointer.
    pub at: String,
    /// One sentence without full stop.
    pub why: String,
}

impl<'a> Spot<'a> {
    pub fn new(json: &'a Json, at: impl Into<String>) -> Self {
        Self { json, at: at.into() }
    }

    /// The value of a key; `null` where it is missing.
    pub fn get(&self, key: &str) -> Self {
        let at = format!("{}/{}", self.at, key.replace('~', "~0").replace('/', "~1"));
        Self { json: self.json.get(key).unwrap_or(&NULL), at }
    }

    /// The value of a key that is there and not `null`.
    pub fn has(&self, key: &str) -> Option<Self> {
        Some(self.get(key)).filter(|spot| !spot.json.is_null())
    }

    /// The items of an array; none of anything else.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let at = self.at.clone();
        let items = self.json.as_array().map_or(&[] as &[Json], Vec::as_slice);
        items.iter().enumerate().map(move |(n, json)| Self { json, at: format!("{at}/{n}") })
    }

    /// The items of an array under a key; a missing one has none.
    pub fn list(&self, key: &str) -> Result<Vec<Self>, Unread> {
        let list = self.get(key);
        match list.json {
            Json::Array(_) => Ok(list.items().collect()),
            Json::Null => Ok(Vec::new()),
            _ => Err(list.unread(format!("`{key}` is not a list"))),
        }
    }

    /// The text under a key; empty where it is missing or no text.
    pub fn word(&self, key: &str) -> &'a str {
        self.json.get(key).and_then(Json::as_str).unwrap_or_default()
    }

    /// The text under a key.
    pub fn text(&self, key: &str) -> Result<&'a str, Unread> {
        let spot = self.get(key);
        spot.json.as_str().ok_or_else(|| spot.unread(format!("`{key}` is missing or no text")))
    }

    /// An id: a text, or a number where one is written.
    pub fn id(&self, key: &str) -> Result<String, Unread> {
        let spot = self.get(key);
        spot.as_id().ok_or_else(|| spot.unread(format!("`{key}` is missing or no id")))
    }

    /// The value as an id.
    pub fn as_id(&self) -> Option<String> {
        match self.json {
            Json::String(text) if !text.is_empty() => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A number under a key, also where it is written as a text.
    pub fn number(&self, key: &str) -> Result<f64, Unread> {
        let spot = self.get(key);
        let number = match spot.json {
            Json::Number(number) => number.as_f64(),
            Json::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.filter(|n: &f64| n.is_finite()).ok_or_else(|| spot.unread(format!("`{key}` is missing or no number")))
    }

    /// A whole number under a key, also where it is written as a text.
    pub fn whole(&self, key: &str) -> Result<i64, Unread> {
        let number = self.number(key)?;
        if number.fract() != 0.0 || number.abs() > 9e15 {
            return Err(self.get(key).unread(format!("`{key}` is no whole number")));
        }
        Ok(number as i64)
    }

    pub fn is_true(&self, key: &str) -> bool {
        self.json.get(key).and_then(Json::as_bool) == Some(true)
    }

    /// Keys besides those given, which nobody here reads.
    pub fn others(&self, known: &[&str]) -> Vec<&'a str> {
        let keys = self.json.as_object().into_iter().flat_map(|map| map.iter());
        keys.filter(|(key, value)| !known.contains(&key.as_str()) && !value.is_null())
            .map(|(key, _)| key.as_str())
            .collect()
    }

    pub fn unread(&self, why: impl Into<String>) -> Unread {
        Unread { at: self.at.clone(), why: why.into() }
    }
}

/// A foreign text in a sentence: one line, not too long.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 60;
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= MOST {
        return line;
    }
    let start: String = line.chars().take(MOST).collect();
    format!("{start}…")
}
