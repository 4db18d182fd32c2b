//! Single values: what people type, and the RON it becomes.

use crate::{
    audience::{Path, Value, print_number},
    base::{Span, TimeOfDay},
    kinds::{Editor, FieldSpec, ron_options},
};

use super::raw;

/// The text of a value as people edit it; the RON itself where it is not of the expected sort.
pub fn shown(editor: Editor, ron: &str) -> String {
    let ron = raw::bare(ron);
    if ron == "None" {
        return String::new();
    }
    match editor {
        Editor::Number => ron_options().from_str::<f64>(ron).map_or_else(|_| ron.to_owned(), print_number),
        Editor::Value => match ron_options().from_str::<Value>(ron) {
            Ok(Value::Text(text)) if reads_as_other(&text) => format!("{text:?}"),
            Ok(value @ (Value::List(_) | Value::Object(_))) => value.to_json().to_string(),
            Ok(value) => value.to_string(),
            Err(_) => ron.to_owned(),
        },
        Editor::Switch | Editor::Choice(_) => ron.to_owned(),
        _ => ron_options().from_str::<String>(ron).unwrap_or_else(|_| ron.to_owned()),
    }
}

/// Whether a text would be read as a number or a yes or no if it were typed bare.
fn reads_as_other(text: &str) -> bool {
    !matches!(value_of(text), Value::Text(t) if t == text)
}

fn value_of(text: &str) -> Value {
    let trimmed = text.trim();
    if let Some(inner) = trimmed.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        return Value::text(inner);
    }
    match trimmed {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ if trimmed.starts_with('[') || trimmed.starts_with('{') => serde_json::from_str(trimmed)
            .ok()
            .and_then(|json| Value::from_json(&json))
            .unwrap_or_else(|| Value::text(text)),
        _ => match trimmed.parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Number(number),
            _ => Value::from_plain_text(trimmed),
        },
    }
}

/// The RON of what was typed; `None` where it is to be left out.
///
/// Errors: a sentence for the field.
pub fn ron(spec: &FieldSpec, text: &str) -> Result<Option<String>, String> {
    let trimmed = text.trim();
    let may_go = spec.left_out.is_some();
    let needs_words = !matches!(spec.editor, Editor::Text | Editor::LongText | Editor::Condition | Editor::Value);
    if trimmed.is_empty() {
        return match (may_go, needs_words) {
            (true, _) => Ok(None),
            (false, false) => Ok(Some("\"\"".to_owned())),
            (false, true) => Err(format!("{} must not be empty", spec.label)),
        };
    }
    Ok(Some(match spec.editor {
        Editor::Span => {
            Span::parse(trimmed)?;
            text_ron(trimmed)
        }
        Editor::Time => text_ron(&TimeOfDay::parse(trimmed)?.to_string()),
        Editor::Path => {
            Path::parse(trimmed).map_err(|error| error.to_string())?;
            text_ron(trimmed)
        }
        Editor::Number => number(spec, trimmed)?,
        Editor::Value => value_ron(&value_of(text)),
        // Spaces at the ends of a text may be meant.
        Editor::Text | Editor::LongText => text_ron(text),
        _ => text_ron(trimmed),
    }))
}

fn number(spec: &FieldSpec, text: &str) -> Result<String, String> {
    let number: f64 = text
        .replace(',', ".")
        .parse()
        .ok()
        .filter(|n: &f64| n.is_finite())
        .ok_or_else(|| format!("`{text}` is not a number"))?;
    if let Some((least, most)) = spec.range {
        let unit = if spec.unit.is_empty() { String::new() } else { format!(" {}", spec.unit) };
        if number < least {
            return Err(format!("At least {}{unit}", print_number(least)));
        }
        if number > most {
            return Err(format!("At most {}{unit}", print_number(most)));
        }
    }
    Ok(print_number(number))
}

/// A text as RON.
pub fn text_ron(text: &str) -> String {
    ron_options().to_string(text).unwrap_or_else(|_| format!("{text:?}"))
}

/// A typed value as RON.
pub fn value_ron(value: &Value) -> String {
    if let Value::Number(number) = value {
        return print_number(*number);
    }
    ron_options().to_string(value).unwrap_or_else(|_| text_ron(&value.to_string()))
}

/// The RON of a value typed for a map.
pub fn typed_ron(text: &str) -> String {
    value_ron(&value_of(text))
}

/// What a span means, where its words leave room: "1 day on the calendar, then 4 h".
pub fn meaning(text: &str) -> Option<String> {
    let span = Span::parse(text).ok()?;
    if span.is_zero() {
        return Some("No time at all".to_owned());
    }
    let is_back = span.months < 0 || span.days < 0 || span.millis < 0;
    let span = if is_back { span.negated() } else { span };
    let calendar = Span { millis: 0, ..span };
    let exact = Span { months: 0, days: 0, ..span };
    let meant = match (calendar.is_zero(), exact.is_zero()) {
        (true, _) => {
            let days = span.millis / 86_400_000;
            let hint = if days > 0 && span.millis % 86_400_000 == 0 { ", not calendar days" } else { "" };
            format!("Exactly {exact}{hint}")
        }
        (false, true) => format!("{calendar} on the calendar, same time of day"),
        (false, false) => format!("{calendar} on the calendar, then {exact}"),
    };
    Some(if is_back { format!("{meant}, before") } else { meant })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::spec::field;

    fn check(editor: Editor, typed: &str, expected: Result<Option<&str>, &str>) {
        let spec = field("x", "X", "help", editor).range(0.0, 100.0).unit("%");
        match (ron(&spec, typed), expected) {
            (Ok(ron), Ok(expected)) => {
                assert_eq!(ron.as_deref(), expected, "{typed}");
                if let Some(ron) = ron {
                    let again = super::ron(&spec, &shown(editor, &ron)).expect("what is shown can be typed");
                    assert_eq!(again.as_deref(), Some(ron.as_str()), "{typed}");
                }
            }
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{typed}: {error}"),
            (got, expected) => panic!("{typed}: {got:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn typed_values_become_ron() {
        check(Editor::Span, " 1 day 4 h ", Ok(Some("\"1 day 4 h\"")));
        check(Editor::Span, "4 hoars", Err("the unit is none of"));
        check(Editor::Span, "", Err("must not be empty"));
        check(Editor::Time, "9", Ok(Some("\"09:00\"")));
        check(Editor::Time, "25:00", Err("not a time of day"));
        check(Editor::Number, "33,5", Ok(Some("33.5")));
        check(Editor::Number, "101", Err("At most 100 %"));
        check(Editor::Number, "many", Err("not a number"));
        check(Editor::Path, "contact.city", Ok(Some("\"contact.city\"")));
        check(Editor::Path, "city", Err(""));
        check(Editor::Text, "a \"b\"", Ok(Some(r#""a \"b\"""#)));
        check(Editor::Text, "", Ok(Some("\"\"")));
        check(Editor::Value, "3", Ok(Some("3")));
        check(Editor::Value, "true", Ok(Some("true")));
        check(Editor::Value, "\"3\"", Ok(Some("\"3\"")));
        check(Editor::Value, "blue", Ok(Some("\"blue\"")));
        check(Editor::Condition, "contact.x > ", Ok(Some("\"contact.x >\"")));
    }

    #[test]
    fn what_may_be_left_out_goes_when_emptied() {
        assert_eq!(ron(&field("x", "X", "h", Editor::Span).or("4 h"), " "), Ok(None));
    }

    #[test]
    fn spans_say_what_they_mean() {
        for (text, expected) in [
            ("1 day 4 h", "1 day on the calendar, then 4 h"),
            ("24 h", "Exactly 24 h, not calendar days"),
            ("90 min", "Exactly 1 h 30 min"),
            ("2 weeks", "2 weeks on the calendar, same time of day"),
            ("-3 days", "3 days on the calendar, same time of day, before"),
        ] {
            assert_eq!(meaning(text).as_deref(), Some(expected), "{text}");
        }
    }
}
