//! Changes of texts, short enough to read: what stayed the same around them is left out.

use super::quoted;

/// Texts up to this long are shown whole. Source: assumption, half a line each.
const WHOLE_CHARS: usize = 64;
/// Longest piece that is shown of a longer text.
const PIECE_CHARS: usize = 90;

/// "“old” → “new”", or only the part that differs where they are long.
pub fn change(before: &str, after: &str) -> String {
    if before.trim().is_empty() {
        return format!("added {}", quoted(&cut(after)));
    }
    if after.trim().is_empty() {
        return format!("{} removed", quoted(&cut(before)));
    }
    if before.chars().count() <= WHOLE_CHARS && after.chars().count() <= WHOLE_CHARS {
        return format!("{} \u{2192} {}", quoted(before.trim()), quoted(after.trim()));
    }
    let (old, new) = middle(before, after, 3);
    match (old.is_empty(), new.is_empty()) {
        (true, true) => "only spaces differ".to_owned(),
        _ => format!("{} \u{2192} {}", quoted(&cut(&old)), quoted(&cut(&new))),
    }
}

/// A change of a condition: the part that differs, with the sign before it: "> 50 → > 100".
pub fn condition(before: &str, after: &str) -> String {
    let (old, new) = middle(before, after, 0);
    if old.is_empty() || new.is_empty() {
        return if before.len() + after.len() <= 2 * WHOLE_CHARS {
            format!("{} \u{2192} {}", before.trim(), after.trim())
        } else if new.is_empty() {
            format!("without {}", cut(&old))
        } else {
            format!("also {}", cut(&new))
        };
    }
    let prefix = shared(before, after).0;
    let words: Vec<&str> = before.split_whitespace().take(prefix).collect();
    let sign = words.last().filter(|word| word.chars().all(|c| "<>=!".contains(c)));
    match sign {
        Some(sign) => format!("{sign} {} \u{2192} {sign} {}", cut(&old), cut(&new)),
        None => format!("{} \u{2192} {}", cut(&old), cut(&new)),
    }
}

/// How many words two texts share at the beginning and at the end.
fn shared(before: &str, after: &str) -> (usize, usize) {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.split_whitespace().collect(), after.split_whitespace().collect());
    let prefix = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - prefix;
    let suffix = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    (prefix, suffix)
}

/// What differs between two texts, with so many words around it; "…" where something is left out.
fn middle(before: &str, after: &str, around: usize) -> (String, String) {
    let (prefix, suffix) = shared(before, after);
    let piece = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (from, until) = (prefix.saturating_sub(around), (words.len() - suffix + around).min(words.len()));
        let mut out = words[from..until].join(" ");
        if around > 0 && from > 0 {
            out.insert_str(0, "\u{2026} ");
        }
        if around > 0 && until < words.len() {
            out.push_str(" \u{2026}");
        }
        out
    };
    if prefix + suffix >= before.split_whitespace().count().max(after.split_whitespace().count()) {
        return Default::default();
    }
    (piece(before), piece(after))
}

/// At most so much of a text, on one line.
pub fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= PIECE_CHARS {
        return line;
    }
    let head: String = line.chars().take(PIECE_CHARS).collect();
    format!("{}\u{2026}", head.trim_end())
}

/// How two long sources differ: in how many lines.
pub fn lines(before: &str, after: &str) -> String {
    let mut counts: std::collections::BTreeMap<&str, i64> = std::collections::BTreeMap::new();
    for line in after.lines().map(str::trim) {
        *counts.entry(line).or_default() += 1;
    }
    for line in before.lines().map(str::trim) {
        *counts.entry(line).or_default() -= 1;
    }
    let new: i64 = counts.values().filter(|n| **n > 0).sum();
    let gone: i64 = -counts.values().filter(|n| **n < 0).sum::<i64>();
    let count = |n: i64| super::words::count(usize::try_from(n).unwrap_or(0), "line", "lines");
    if new == 0 && gone == 0 {
        "lines in another order".to_owned()
    } else {
        format!("{} new, {} gone", count(new), count(gone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_said() {
        let check = |before: &str, after: &str, expected: &str| assert_eq!(change(before, after), expected);
        check("Hello", "Hi", "“Hello” → “Hi”");
        check("", "Hi", "added “Hi”");
        check("Hi", " ", "“Hi” removed");
        let long = "you looked at it on Monday, and we have kept your cart exactly as you left it for you";
        check(
            long,
            &long.replace("kept", "held"),
            "“… and we have kept your cart exactly …” → “… and we have held your cart exactly …”",
        );
        check(long, &format!("{long}  "), "only spaces differ");
    }

    #[test]
    fn conditions_keep_their_sign() {
        let check = |before: &str, after: &str, expected: &str| assert_eq!(condition(before, after), expected);
        check("contact.cart_value > 50", "contact.cart_value > 100", "> 50 → > 100");
        check("contact.a = 1", "contact.b = 1", "contact.a → contact.b");
        check("contact.a = 1", "contact.a = 1 and contact.b = 2", "contact.a = 1 → contact.a = 1 and contact.b = 2");
    }

    #[test]
    fn sources_differ_by_lines() {
        assert_eq!(lines("a\nb\nc", "a\nx\nc"), "1 line new, 1 line gone");
        assert_eq!(lines("a\nb", "b\na"), "lines in another order");
    }
}
