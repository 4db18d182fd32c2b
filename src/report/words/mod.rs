//! A flow in words that a client reads: each step as a sentence, the rules of the whole, where merge tags come from.
//!
//! The one idea: the same words stand in the document, on the cards of the picture and in differences, and every one
//! follows from the settings alone. Nothing secret is said: of a webhook only the host. Deliberately not here: titles
//! of settings as the inspector has them (`kinds`), dates, and anything measured.

mod fields;
mod rules;
mod step;

pub use fields::{platform_name, source};
pub use rules::{Rule, cap_row, rules};
pub use step::{StepWords, alternative, step, summary};

use crate::{
    audience::ConditionText,
    base::{Span, Weekday, Window},
    flow::Flow,
};

/// In typographic quotes.
pub fn quoted(text: &str) -> String {
    format!("\u{201c}{text}\u{201d}")
}

/// "a, b and c", or with another last word.
pub fn listed(parts: &[String], word: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {word} {last}", most.join(", ")),
    }
}

/// A condition as a sentence without full stop, messages by what their steps are called.
pub fn condition(flow: &Flow, text: &ConditionText) -> String {
    if !text.parsed().errors.is_empty() {
        return format!("{} (cannot be read)", text.text());
    }
    let sentence = text.condition().sentence();
    // The sentence quotes as the text does; typographic quotes open and close in turn.
    let mut out = String::with_capacity(sentence.len() + 8);
    let mut opens = true;
    for c in sentence.chars() {
        if c == '"' {
            out.push(if opens { '\u{201c}' } else { '\u{201d}' });
            opens = !opens;
        } else {
            out.push(c);
        }
    }
    for node in flow.nodes.iter().filter(|node| node.settings().is_some_and(|s| s.message().is_some())) {
        let by_id = format!("the message {}", quoted(node.id.as_str()));
        out = out.replace(&by_id, &format!("the message {}", quoted(node.title())));
    }
    out
}

/// "3 days before", "2 h after"; empty for none.
pub fn offset(span: Span) -> String {
    if span.is_zero() {
        String::new()
    } else if span.about_millis() < 0 {
        format!("{} before", span.negated())
    } else {
        format!("{span} after")
    }
}

/// A daily window: "between 09:00 and 17:00, Monday to Friday".
pub fn window(window: &Window) -> String {
    format!("between {} and {}{}", window.from, window.until, weekdays(window.weekdays))
}

/// ", Monday to Friday", ", Saturday and Sunday"; empty for every day.
pub fn weekdays(days: crate::base::Weekdays) -> String {
    let days: Vec<Weekday> = days.iter().collect();
    let names: Vec<String> = days.iter().map(|day| day.title().to_owned()).collect();
    match days.len() {
        7 => String::new(),
        0 => ", on no day".to_owned(),
        5 if names.first().is_some_and(|first| first == "Monday") && names.last().is_some_and(|l| l == "Friday") => {
            ", Monday to Friday".to_owned()
        }
        _ => format!(", {}", listed(&names, "and")),
    }
}

/// "1 step", "3 steps".
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The first letter as a capital.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
