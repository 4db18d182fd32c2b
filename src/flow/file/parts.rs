//! Where the parts of a RON text are, found by its brackets, commas and comments, without reading them.
//!
//! The one idea: RON reads a whole file once and says what is wrong with it; afterwards its parts are only slices, and
//! none of them is read again before somebody wants its meaning. What is not of the plain shape `(key: value, …)` or
//! `[value, …]` is left to RON.

use smol_str::SmolStr;

use super::lexemes::{Lexeme, is_blank, lex};

/// Keys and values of a struct that RON has read already; `None` where it has another shape than `(key: value, …)`.
pub(super) fn split_struct(ron: &str) -> Option<Vec<(SmolStr, &str)>> {
    split(ron, '(')?.into_iter().map(|part| Some((part.key?, part.value))).collect()
}

/// Values of a list that RON has read already; `None` where it has another shape than `[value, …]`.
pub(super) fn split_list(ron: &str) -> Option<Vec<&str>> {
    Some(split(ron, '[')?.into_iter().map(|part| part.value).collect())
}

/// What a string says that is written without escapes; `None` for any other text.
pub(super) fn plain_string(ron: &str) -> Option<&str> {
    let inside = ron.strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains(['"', '\\'])).then_some(inside)
}

/// Two numbers of digits only, with or without a sign and a point: `(100, -20.5)`; `None` for any other text.
pub(super) fn plain_pair(ron: &str) -> Option<(f32, f32)> {
    let (x, y) = ron.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    let number = |text: &str| {
        let text = text.trim();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        (is_plain(whole) && is_plain(part)).then(|| text.parse().ok()).flatten()
    };
    Some((number(x)?, number(y)?))
}

/// What stands between two commas.
struct Part<'a> {
    /// What stands before its first colon, if that is a word and nothing else.
    key: Option<SmolStr>,
    /// What stands after it, or all of it in a list; white space cut off, comments kept.
    value: &'a str,
}

fn split(ron: &str, open: char) -> Option<Vec<Part<'_>>> {
    let is_struct = open == '(';
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    // Where the part began, where its key may begin, and where its value does, if it has a key.
    let (mut start, mut word, mut colon) = (0, 0, None);
    let (mut begin, mut end) = (None, ron.len());
    let mut push = |start: usize, word: usize, colon: Option<usize>, end: usize| {
        let value = colon.unwrap_or(start)..end;
        if colon.is_none() && is_blank(&ron[value.clone()]) {
            return;
        }
        let key = colon.map(|colon| ron[word..colon - 1].trim()).filter(|key| is_word(key));
        parts.push(Part { key: key.map(SmolStr::new), value: ron[value].trim() });
    };
    lex(ron, |range, kind| match kind {
        Lexeme::Open => {
            depth += 1;
            if depth == 1 && begin.is_none() {
                begin = Some(range.start);
                (start, word) = (range.end, range.end);
            }
        }
        Lexeme::Close => {
            depth = depth.saturating_sub(1);
            if depth == 0 && end == ron.len() {
                push(start, word, colon, range.start);
                end = range.end;
            }
        }
        Lexeme::Comma if depth == 1 => {
            push(start, word, colon, range.start);
            (start, word, colon) = (range.end, range.end, None);
        }
        Lexeme::Colon if depth == 1 && is_struct && colon.is_none() => colon = Some(range.end),
        Lexeme::Comment if depth == 1 && colon.is_none() => word = range.end,
        _ => {}
    });
    let begin = begin?;
    let whole = ron[begin..].starts_with(open) && is_blank(&ron[..begin]) && is_blank(&ron[end..]);
    whole.then_some(parts)
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use ron::value::RawValue;

    use super::{super::raw::RawStruct, *};

    /// What is split is what RON finds.
    #[test]
    fn parts_are_as_ron_finds_them() {
        for text in [
            "()",
            "(a: 1)",
            " // head\n (a: 1, /* b: 2, */ b: \"x, (y: \\\" z\", c: [1, 2], d: {\"k\": ':'},)\n// tail",
            "(a: 1 /* after */, // of b\n b: /* before */ f(x: 1, y: 2) // last\n)",
            "(a: r#\"raw \", b: 2\"#, b: ',', c: '\\'', d: -1.5e3, e: Some((1, 2)),)",
            "(\n    a: (b: (c: 1)),\n\n)",
        ] {
            let read = RawStruct::parse(text).expect("RON reads it");
            let split = split_struct(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(split, read.0, "{text}");
        }
        for text in
            ["[]", "[1]", "[ // head\n (a: 1), // of it\n /* b */ (b: 2) /* c */, // end\n]", "[[1, 2], \"],\"]"]
        {
            let read: Vec<&RawValue> = ron::from_str(text).expect("RON reads it");
            let read: Vec<&str> = read.iter().map(|value| value.get_ron().trim()).collect();
            assert_eq!(split_list(text).as_deref(), Some(&read[..]), "{text}");
        }
    }

    /// What is plain is what RON reads.
    #[test]
    fn plain_values_are_as_ron_reads_them() {
        for text in ["\"\"", "\"wait-4h\"", "\"é\n line\""] {
            assert_eq!(plain_string(text).map(str::to_owned), ron::from_str(text).ok(), "{text}");
        }
        for text in ["(0, 0)", "(100,-20.5)", "( 16777217 , 0.1 )", "(-0, 1234567.875)"] {
            let read: (f32, f32) = ron::from_str(text).expect("RON reads it");
            let plain = plain_pair(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((plain.0.to_bits(), plain.1.to_bits()), (read.0.to_bits(), read.1.to_bits()), "{text}");
        }
        for text in ["\"a\\n\"", "r\"a\"", "\"a\" /* \" */", "a", "\"", ""] {
            assert_eq!(plain_string(text), None, "{text}");
        }
        for text in
            ["(1, 2,)", "(1)", "(1e3, 2)", "(inf, 0)", "(1_0, 2)", "(/* x */ 1, 2)", "(0x1, 2)", "(., 1)", "1, 2"]
        {
            assert_eq!(plain_pair(text), None, "{text}");
        }
    }

    #[test]
    fn other_shapes_are_left_to_ron() {
        for text in ["", "1", "Flow(a: 1)", "(1, 2)", "{\"a\": 1}", "#![enable(implicit_some)]\n(a: 1)", "(r#type: 1)"]
        {
            assert_eq!(split_struct(text), None, "{text}");
        }
        for text in ["", "(a: 1)", "f([1])"] {
            assert_eq!(split_list(text), None, "{text}");
        }
    }
}
