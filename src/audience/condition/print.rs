//! Conditions printed in their text form, which [`super::parse()`] reads back to the same tree.
//!
//! The same up to a normal form ([`Condition::normal_form`]): a group of one part is that part, an empty group is
//! `true` or `false`, and a lone value after `in` is a list of one. Not written at all: spans with mixed signs,
//! windows that do not reach back, numbers that are not finite, years outside 0..=9999, empty names.

use std::fmt::{self, Write};

use super::{CompareOp, Condition, EventQuery, EventWindow, Measure, Operand, Path};
use crate::audience::{ResponseKind, Value};

/// How tightly the surroundings bind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binds {
    Or,
    And,
    Not,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_condition(self, Binds::Or, f)
    }
}

fn write_condition(condition: &Condition, binds: Binds, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match condition {
        Condition::Always(yes) => write!(f, "{yes}"),
        Condition::All(parts) => write_group(parts, "true", " and ", Binds::And, binds, f),
        Condition::Any(parts) => write_group(parts, "false", " or ", Binds::Or, binds, f),
        Condition::Not(inner) => match &**inner {
            Condition::IsSet(path) => write!(f, "{path} is not set"),
            inner => {
                f.write_str("not (")?;
                write_condition(inner, Binds::Or, f)?;
                f.write_char(')')
            }
        },
        Condition::Compare { left, op, right } => {
            write!(f, "{left} {} ", op.symbol())?;
            match right {
                Operand::Value(value @ Value::List(_)) => write_value(value, f),
                Operand::Value(value) if matches!(op, CompareOp::In | CompareOp::NotIn) => {
                    f.write_char('[')?;
                    write_value(value, f)?;
                    f.write_char(']')
                }
                Operand::Value(value) => write_value(value, f),
                Operand::Path(path) => write!(f, "{path}"),
                Operand::Now(span) if span.is_zero() => f.write_str("now"),
                Operand::Now(span) if span.months < 0 || span.days < 0 || span.millis < 0 => {
                    write!(f, "now - {}", span.negated())
                }
                Operand::Now(span) => write!(f, "now + {span}"),
            }
        }
        Condition::IsSet(path) => write!(f, "{path} is set"),
        Condition::Events(query) => write_query(query, f),
        Condition::InList(name) => write!(f, "on list {}", Quoted(name)),
        Condition::InSegment(name) => write!(f, "in segment {}", Quoted(name)),
        Condition::Consent { channel, status } => write!(f, "{} consent is {}", channel.name(), status.name()),
        Condition::Response { response, node, link, window } => {
            f.write_str(response.name())?;
            f.write_str(preposition(*response))?;
            match node {
                Some(node) => write!(f, " {}", Quoted(node.as_str()))?,
                None => f.write_str(" any message")?,
            }
            if let Some(link) = link {
                write!(f, " link {}", Quoted(link))?;
            }
            write_window(*window, f)
        }
        Condition::Score { model, op, points } => write!(f, "score {} {} {points}", Quoted(model), op.symbol()),
        Condition::LocalTime(window) => {
            write!(f, "local time from {window}")?;
            if window.weekdays.is_empty() { f.write_str("no day") } else { Ok(()) }
        }
        Condition::Share { share, salt } => {
            write!(f, "share {}", share / 100)?;
            match share % 100 {
                0 => {}
                part if part % 10 == 0 => write!(f, ".{}", part / 10)?,
                part => write!(f, ".{part:02}")?,
            }
            write!(f, " % salt {}", Quoted(salt))
        }
    }
}

fn write_group(
    parts: &[Condition],
    empty: &str,
    word: &str,
    own: Binds,
    binds: Binds,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match parts {
        [] => return f.write_str(empty),
        [one] => return write_condition(one, binds, f),
        _ => {}
    }
    let parens = binds > own;
    if parens {
        f.write_char('(')?;
    }
    for (idx, part) in parts.iter().enumerate() {
        if idx > 0 {
            f.write_str(word)?;
        }
        // One step tighter, so that a group inside a group of its own kind keeps its parentheses and so its place.
        write_condition(part, if own == Binds::Or { Binds::And } else { Binds::Not }, f)?;
    }
    if parens { f.write_char(')') } else { Ok(()) }
}

fn write_query(query: &EventQuery, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let EventQuery { metric, filter, measure, window, op, value } = query;
    let times = match op {
        CompareOp::Ge => Some("at least"),
        CompareOp::Le => Some("at most"),
        CompareOp::Eq => Some("exactly"),
        CompareOp::Gt => Some("more than"),
        CompareOp::Lt => Some("fewer than"),
        _ => None,
    };
    let never = *op == CompareOp::Eq && *value == 0.0;
    let mut compared = true;
    match measure {
        Measure::Count if times.is_some() => {
            compared = false;
            write!(f, "{}did {}", if never { "never " } else { "" }, Quoted(metric))?;
        }
        Measure::Count => write!(f, "count of {}", Quoted(metric))?,
        Measure::Sum(path) => write!(f, "sum of {path} over {}", Quoted(metric))?,
        Measure::Max(path) => write!(f, "max of {path} over {}", Quoted(metric))?,
    }
    if let Some(filter) = filter {
        write!(f, " where ({filter})")?;
    }
    if let (false, false, Some(times)) = (compared, never, times)
        && !(*op == CompareOp::Ge && *value == 1.0)
    {
        write!(f, " {times} {value} {}", if *value == 1.0 { "time" } else { "times" })?;
    }
    write_window(*window, f)?;
    if compared { write!(f, " {} {value}", op.symbol()) } else { Ok(()) }
}

fn write_window(window: EventWindow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match window {
        EventWindow::Ever => Ok(()),
        EventWindow::Last(span) => write!(f, " in the last {span}"),
        EventWindow::SinceEntry => f.write_str(" since entry"),
    }
}

pub(super) fn preposition(response: ResponseKind) -> &'static str {
    match response {
        ResponseKind::Opened | ResponseKind::Clicked | ResponseKind::Bounced => "",
        ResponseKind::Replied => " to",
        ResponseKind::Unsubscribed => " from",
        ResponseKind::Complained => " about",
    }
}

fn write_value(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Text(text) => write!(f, "{}", Quoted(text)),
        Value::Number(n) => write!(f, "{n}"),
        Value::Money(money) => write!(f, "{money}"),
        Value::Bool(yes) => write!(f, "{yes}"),
        Value::Date(date) => write!(f, "{date}"),
        Value::Instant(at) => write!(f, "{at}"),
        Value::List(items) => {
            f.write_char('[')?;
            for (idx, item) in items.iter().enumerate() {
                if idx > 0 {
                    f.write_str(", ")?;
                }
                write_value(item, f)?;
            }
            f.write_char(']')
        }
        Value::Object(map) => {
            f.write_char('{')?;
            for (idx, (name, item)) in map.iter().enumerate() {
                if idx > 0 {
                    f.write_str(", ")?;
                }
                write!(f, "{}: ", Quoted(name))?;
                write_value(item, f)?;
            }
            f.write_char('}')
        }
    }
}

/// A text in double quotes with the escapes that the parser reads.
pub(super) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if c.is_control() => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.root.name())?;
        for step in &self.steps {
            if bare_step_len(step) == step.len() && !step.is_empty() {
                write!(f, ".{step}")?;
            } else {
                write!(f, "[{}]", Quoted(step))?;
            }
        }
        Ok(())
    }
}

/// How many bytes at the start of `text` may stand after a dot without quotes: letters, digits, `_`, `$`, and `-`
/// between two of them.
pub(super) fn bare_step_len(text: &str) -> usize {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let mut len = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let joins = c == '-' && at > 0 && chars.peek().is_some_and(|(_, next)| plain(*next));
        if !plain(c) && !joins {
            break;
        }
        len = at + c.len_utf8();
    }
    len
}

impl Condition {
    /// The tree that its own text gives; see the notes at the top of `print.rs`.
    #[must_use]
    pub fn normal_form(&self) -> Self {
        let group = |parts: &[Self], empty: bool, make: fn(Vec<Self>) -> Self| match parts {
            [] => Self::Always(empty),
            [one] => one.normal_form(),
            _ => make(parts.iter().map(Self::normal_form).collect()),
        };
        match self {
            Self::All(parts) => group(parts, true, Self::All),
            Self::Any(parts) => group(parts, false, Self::Any),
            Self::Not(inner) => Self::Not(Box::new(inner.normal_form())),
            Self::Compare { left, op: op @ (CompareOp::In | CompareOp::NotIn), right: Operand::Value(value) }
                if !matches!(value, Value::List(_)) =>
            {
                let right = Operand::Value(Value::List(vec![value.clone()]));
                Self::Compare { left: left.clone(), op: *op, right }
            }
            Self::Events(query) => Self::Events(EventQuery {
                filter: query.filter.as_ref().map(|filter| Box::new(filter.normal_form())),
                ..query.clone()
            }),
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, test_runner::RngSeed};

    use super::super::{generate, parse};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, rng_seed: RngSeed::Fixed(5), ..ProptestConfig::default() })]

        #[test]
        fn what_is_printed_reads_back(condition in generate::condition()) {
            let text = condition.to_string();
            let parsed = parse(&text);
            prop_assert_eq!(&parsed.errors, &[], "{}", text);
            prop_assert_eq!(&parsed.condition, &condition.normal_form(), "{}", text);
            prop_assert_eq!(parsed.condition.to_string(), condition.normal_form().to_string());
        }

        #[test]
        fn damaged_texts_are_read_without_panic(
            condition in generate::condition(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<char>(), 0_u8..4), 1..6),
        ) {
            let mut letters: Vec<char> = condition.to_string().chars().collect();
            for (at, letter, how) in damage {
                if letters.is_empty() {
                    break;
                }
                let at = at.index(letters.len());
                match how {
                    0 => { letters.remove(at); }
                    1 => letters[at] = letter,
                    2 => letters.insert(at, letter),
                    _ => letters.truncate(at),
                }
            }
            let text: String = letters.into_iter().collect();
            let parsed = parse(&text);
            for error in &parsed.errors {
                prop_assert!(text.get(error.range.start..error.range.end).is_some(), "{:?} in {:?}", error, text);
            }
            let _sentence = parsed.condition.sentence();
        }

        #[test]
        fn random_texts_are_read_without_panic(text in "\\PC{0,60}", words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..20)) {
            let _ = parse(&text);
            let text = words.join(" ");
            let parsed = parse(&text);
            for error in &parsed.errors {
                prop_assert!(text.get(error.range.start..error.range.end).is_some(), "{:?} in {:?}", error, text);
            }
            if parsed.errors.is_empty() {
                let printed = parsed.condition.to_string();
                prop_assert_eq!(parse(&printed).condition, parsed.condition, "{}", printed);
            }
        }
    }

    const WORDS: &[&str] = &[
        "and",
        "or",
        "not",
        "(",
        ")",
        "contact.a",
        "event.b",
        "trigger",
        "=",
        "!=",
        "in",
        "[",
        "]",
        ",",
        "\"x\"",
        "'",
        "5",
        "-",
        "7 days",
        "now",
        "did",
        "never did",
        "where",
        "at least",
        "times",
        "in the last",
        "since entry",
        "ever",
        "sum of",
        "over",
        "score",
        "local time from",
        "09:00",
        "to",
        "on",
        "mon",
        "share",
        "%",
        "salt",
        "opened",
        "any message",
        "link",
        "email consent is",
        "subscribed",
        "2026-11-23",
        "5.00 EUR",
        "is set",
        "is not set",
        "true",
        "{",
        "}",
        ":",
    ];
}
