//! RON structs as lists of keys and raw texts, so that one key can be changed and all else stay as written.

use ron::value::RawValue;
use serde::{Deserialize, Deserializer, de};
use smol_str::SmolStr;

use super::parts::split_struct;

/// Keys and values of a RON struct in order, values as written, without the white space around them.
#[derive(Debug, Default)]
pub struct RawStruct<'a>(pub Vec<(SmolStr, &'a str)>);

/// A key of a RON struct: an identifier, which RON hands over in its own way.
struct Key(SmolStr);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Key;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a name")
            }
            fn visit_str<E>(self, text: &str) -> Result<Key, E> {
                Ok(Key(SmolStr::new(text)))
            }
        }
        deserializer.deserialize_identifier(Visitor)
    }
}

impl<'de> Deserialize<'de> for RawStruct<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = RawStruct<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("names with values in parentheses: (name: value, …)")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<RawStruct<'de>, A::Error> {
                let mut out = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    if out.iter().any(|(k, _): &(SmolStr, _)| *k == key) {
                        return Err(de::Error::custom(format!("`{key}` stands here twice")));
                    }
                    let value: &RawValue = map.next_value()?;
                    out.push((key, value.get_ron().trim()));
                }
                Ok(RawStruct(out))
            }
        }
        deserializer.deserialize_struct("", &[], Visitor)
    }
}

impl<'a> RawStruct<'a> {
    /// Reads a RON struct.
    ///
    /// Errors: what RON says, with line and column in `ron`.
    pub fn parse(ron: &'a str) -> Result<Self, ron::error::SpannedError> {
        crate::kinds::ron_options().from_str(ron)
    }

    /// Finds the parts of a text that RON has read already, as a part of another; `None` where its shape is unusual or
    /// a key stands in it twice.
    pub(super) fn split(ron: &'a str) -> Option<Self> {
        let parts = split_struct(ron)?;
        let is_twice = |n: usize| parts[..n].iter().any(|(key, _)| *key == parts[n].0);
        (!(0..parts.len()).any(is_twice)).then_some(Self(parts))
    }

    /// As [`Self::parse`], for a text that RON has read already.
    pub(super) fn of_read(ron: &'a str) -> Result<Self, ron::error::SpannedError> {
        Self::split(ron).map_or_else(|| Self::parse(ron), Ok)
    }

    /// The raw text of a key.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, value)| *value)
    }
}

/// Where a part of a text begins, in bytes, if it is a part of it.
pub fn offset_in(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize).filter(|at| *at <= whole.len()).unwrap_or(0)
}

/// A RON struct with one key replaced, added or taken out; all other values as written.
///
/// Errors: a sentence, where the struct or the value cannot be read.
pub fn set_field(ron: &str, field: &str, value: Option<&str>) -> Result<String, String> {
    if let Some(value) = value {
        RawValue::from_ron(value).map_err(|error| error.to_string())?;
    }
    let parsed = RawStruct::parse(ron).map_err(|error| error.to_string())?;
    if let Some(old) = parsed.get(field) {
        let start = offset_in(ron, old);
        if let Some(value) = value {
            return Ok(format!("{}{value}{}", &ron[..start], &ron[start + old.len()..]));
        }
    } else if value.is_none() {
        return Ok(ron.to_owned());
    }
    let mut rows: Vec<String> =
        parsed.0.iter().filter(|(key, _)| key != field).map(|(key, raw)| format!("{key}: {raw}")).collect();
    rows.extend(value.map(|value| format!("{field}: {value}")));
    let one_line = format!("({})", rows.join(", "));
    if one_line.len() <= 100 && !one_line.contains('\n') && !one_line.contains("//") {
        return Ok(one_line);
    }
    let rows: String = rows.iter().map(|row| format!("    {row},\n")).collect();
    Ok(format!("(\n{rows})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ron: &str, field: &str, value: Option<&str>, expected: &str) {
        assert_eq!(set_field(ron, field, value).as_deref(), Ok(expected), "{ron}");
    }

    #[test]
    fn replaces_one_key_and_keeps_the_rest() {
        check(r#"(a: 1, b: "x")"#, "b", Some("\"y\""), r#"(a: 1, b: "y")"#);
        check("(a: 1, later: Some(/* why */ thing(3)))", "a", Some("2"), "(a: 2, later: Some(/* why */ thing(3)))");
        check("(a: 1)", "b", Some("2"), "(a: 1, b: 2)");
        check("()", "b", Some("2"), "(b: 2)");
        check("(a: 1, b: 2)", "a", None, "(b: 2)");
        assert!(set_field("(a: 1", "a", Some("2")).is_err());
        assert!(set_field("(a: 1)", "a", Some("(")).is_err());
    }
}
