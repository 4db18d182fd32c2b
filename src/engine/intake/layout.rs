//! How the items lie in a request or a file: one object, a list, an object with a list in it, or one object per line.
//!
//! The one idea: a piece that cannot be read keeps its place in the order, with the reason; only where nothing can be
//! told apart is the whole refused.

use std::io::BufRead;

use serde_json::{Map, Value as Json};

use crate::{
    audience::load::lines::{self, Lines},
    engine::work::Refusal,
};

/// Most items of one request. Source: Klaviyo's bulk events take 1,000 as well.
pub const MOST_ITEMS: usize = 1_000;

/// One item as it lies there.
#[derive(Debug)]
pub struct Piece {
    /// Its line, from 1, where the items lie in lines.
    pub line: Option<u64>,
    /// The object, or why it is none.
    pub object: Result<Map<String, Json>, Refusal>,
}

/// Takes a JSON text apart: an object, a list of objects, or an object whose `key` is a list of objects.
///
/// Errors: it is not JSON, with line and column; or it holds no objects.
pub fn in_json(bytes: &[u8], key: &str) -> Result<Vec<Piece>, Refusal> {
    let json: Json = serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).map_err(|error| {
        let hint = if bytes.trim_ascii().is_empty() {
            "Send an object, a list, or JSON Lines with the content type application/x-ndjson"
        } else if bytes.starts_with(b"\x1f\x8b") {
            "It looks like gzip: unpack it"
        } else if std::str::from_utf8(bytes).is_err() {
            "Send it in UTF-8"
        } else {
            "Send valid JSON; objects in lines need the content type application/x-ndjson"
        };
        Refusal::new(format!("the body is not JSON: {error}"), hint)
    })?;
    let items = match json {
        Json::Array(items) => items,
        Json::Object(mut map) if map.get(key).is_some_and(Json::is_array) && map.get("contact").is_none() => {
            match map.remove(key) {
                Some(Json::Array(items)) => items,
                _ => Vec::new(),
            }
        }
        object @ Json::Object(_) => vec![object],
        _ => {
            return Err(Refusal::new(
                "the body holds neither an object nor a list",
                format!("Send one object, a list of them, or {{\"{key}\": […]}}"),
            ));
        }
    };
    Ok(items.into_iter().map(|item| Piece { line: None, object: object_of(item) }).collect())
}

/// Hands out JSON Lines one after the other, in memory for one line; empty lines are passed over.
pub struct InLines<R>(Lines<R>);

impl<R: BufRead> InLines<R> {
    /// Over a reader.
    pub fn new(input: R) -> Self {
        Self(Lines::new(input))
    }

    /// The next one; `None` at the end.
    ///
    /// Errors: the reader gave up.
    pub fn next_piece(&mut self) -> std::io::Result<Option<Piece>> {
        while let Some(line) = self.0.next_line()? {
            if line.bytes.trim_ascii().is_empty() && !line.too_long {
                continue;
            }
            let object = if line.too_long {
                let fault = lines::too_long();
                Err(Refusal::new(fault.message, fault.hint))
            } else {
                in_line(&line.bytes)
            };
            return Ok(Some(Piece { line: Some(line.number), object }));
        }
        Ok(None)
    }
}

fn in_line(bytes: &[u8]) -> Result<Map<String, Json>, Refusal> {
    let text = lines::as_text(bytes)
        .map_err(|(column, fault)| Refusal::new(format!("column {column}: {}", fault.message), fault.hint))?;
    let json = serde_json::from_str(text).map_err(|error| {
        let said = error.to_string();
        let why = said.split(" at line ").next().unwrap_or("it cannot be read");
        Refusal::new(format!("column {}: not valid JSON: {why}", error.column()), "Write one complete object per line")
    })?;
    object_of(json)
}

fn object_of(json: Json) -> Result<Map<String, Json>, Refusal> {
    match json {
        Json::Object(map) => Ok(map),
        _ => Err(Refusal::new("it is not an object", "Write each item in braces")),
    }
}

/// Takes the body of a request apart.
///
/// Errors: nothing can be read, or there are more than [`MOST_ITEMS`]; the flag says which.
pub fn of_body(bytes: &[u8], content_type: &str, key: &str) -> Result<Vec<Piece>, (bool, Refusal)> {
    let kind = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let many =
        || (true, Refusal::new(format!("there are more than {MOST_ITEMS} items"), "Send them in several requests"));
    if !matches!(kind.as_str(), "application/x-ndjson" | "application/ndjson" | "application/jsonl") {
        let pieces = in_json(bytes, key).map_err(|refusal| (false, refusal))?;
        return if pieces.len() > MOST_ITEMS { Err(many()) } else { Ok(pieces) };
    }
    let mut reader = InLines::new(bytes);
    let mut pieces = Vec::new();
    // Memory does not give up reading.
    while let Ok(Some(piece)) = reader.next_piece() {
        if pieces.len() == MOST_ITEMS {
            return Err(many());
        }
        pieces.push(piece);
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content_type: &str, body: &str, expected: &str) {
        let found = match of_body(body.as_bytes(), content_type, "events") {
            Ok(pieces) => pieces
                .iter()
                .map(|piece| {
                    let line = piece.line.map_or_else(String::new, |line| format!("{line}:"));
                    match &piece.object {
                        Ok(map) => format!("{line}{}", map.len()),
                        Err(refusal) => format!("{line}({})", refusal.error),
                    }
                })
                .collect::<Vec<_>>()
                .join(" "),
            Err((_, refusal)) => format!("refused: {}", refusal.error),
        };
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn all_layouts() {
        check("application/json", r#"{"a":1}"#, "1");
        check("", "\u{feff}[{\"a\":1},{\"a\":1,\"b\":2},7]", "1 2 (it is not an object)");
        check("application/json; charset=utf-8", r#"{"events":[{"a":1}]}"#, "1");
        check("application/json", "7", "refused: the body holds neither an object nor a list");
        check("application/json", "", "refused: the body is not JSON: EOF while parsing a value at line 1 column 0");
        check(
            "application/x-ndjson",
            "{\"a\":1}\n\n{\"a\":\n{}\r\n[]",
            "1:1 3:(column 5: not valid JSON: EOF while parsing a value) 4:0 5:(it is not an object)",
        );
        check("application/x-ndjson", "", "");
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(of_body(deep.as_bytes(), "application/json", "events").is_err());
        let many = format!("[{}{{}}]", "{},".repeat(MOST_ITEMS));
        assert!(of_body(many.as_bytes(), "application/json", "events").is_err_and(|(many, _)| many));
        let many = "{}\n".repeat(MOST_ITEMS + 1);
        assert!(of_body(many.as_bytes(), "application/x-ndjson", "events").is_err_and(|(many, _)| many));
    }
}
