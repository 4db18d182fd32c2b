//! Forms with a file, read as strictly as the standard is written (RFC 7578, RFC 2046).

use serde_json::{Map, Value as Json, json};

/// The parts of a form by name: plain ones as text; files as `{filename, type, size, kind, hash}`, where `kind` is
/// what the first bytes say and `hash` tells contents apart.
///
/// Errors: whatever is not as the standard says.
pub fn parts(boundary: &str, body: &[u8]) -> Result<Json, String> {
    let line = format!("--{boundary}\r\n").into_bytes();
    let end = format!("\r\n--{boundary}").into_bytes();
    let mut rest = body.strip_prefix(line.as_slice()).ok_or("it does not begin with its boundary")?;
    let mut out = Map::new();
    loop {
        let head_end = find(rest, b"\r\n\r\n").ok_or("a part has no head")?;
        let head = std::str::from_utf8(&rest[..head_end]).map_err(|_| "a head is no text")?;
        rest = &rest[head_end + 4..];
        let content_end = find(rest, &end).ok_or("a part does not end")?;
        let content = &rest[..content_end];
        rest = &rest[content_end + end.len()..];
        let (name, value) = part(head, content)?;
        if out.insert(name.clone(), value).is_some() {
            return Err(format!("`{name}` is there twice"));
        }
        match rest {
            b"--\r\n" | b"--" => return Ok(json!({"form": out})),
            _ => rest = rest.strip_prefix(b"\r\n").ok_or("something stands behind a boundary")?,
        }
    }
}

fn part(head: &str, content: &[u8]) -> Result<(String, Json), String> {
    let mut disposition = None;
    let mut media = None;
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(": ").ok_or_else(|| format!("no header: {line}"))?;
        match name.to_ascii_lowercase().as_str() {
            "content-disposition" => disposition = Some(value),
            "content-type" => media = Some(value),
            other => return Err(format!("a header `{other}`")),
        }
    }
    let rest = disposition.and_then(|value| value.strip_prefix("form-data; ")).ok_or("no disposition")?;
    let quoted = |key: &str| {
        let rest = rest.split("; ").find_map(|pair| pair.strip_prefix(key)?.strip_prefix("=\""))?;
        rest.strip_suffix('"').filter(|text| !text.contains('"')).map(str::to_owned)
    };
    let name = quoted("name").ok_or("a part without a name")?;
    let Some(filename) = quoted("filename") else {
        let text = std::str::from_utf8(content).map_err(|_| format!("`{name}` is no text"))?;
        return Ok((name, json!(text)));
    };
    let kind = match content {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        _ => "unknown",
    };
    let hash = content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let file = json!({
        "filename": filename, "type": media, "size": content.len(), "kind": kind, "hash": format!("{hash:016x}"),
    });
    Ok((name, file))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// What is wrong with the file of a form, if anything: both platforms take these kinds.
pub fn wrong_file(file: &Json, most_bytes: u64) -> Option<String> {
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    if !file["filename"].as_str().is_some_and(|name| !name.is_empty() && is_plain(name)) {
        return Some("no plain file name".into());
    }
    if file["type"] != file["kind"] || file["kind"] == "unknown" {
        return Some(format!("{} that is {}", file["type"], file["kind"]));
    }
    (file["size"].as_u64()? > most_bytes).then(|| "too large".into())
}

#[test]
fn forms_are_read_strictly() {
    let good = b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n";
    assert_eq!(parts("b", good), Ok(json!({"form": {"a": "1"}})));
    for bad in [
        &b"--c\r\n"[..],
        b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1",
        b"--b\nContent-Disposition: form-data; name=\"a\"\n\n1\n--b--",
        b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n",
        b"--b\r\nX: y\r\n\r\n1\r\n--b--\r\n",
    ] {
        assert!(parts("b", bad).is_err(), "{}", String::from_utf8_lossy(bad));
    }
}
