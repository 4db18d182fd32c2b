//! Reading values: paths, texts, numbers, money, dates, instants, lists, and spans of time.

use smol_str::SmolStr;

use super::{MAX_STEPS, Parser, Read};
use crate::{
    audience::{
        Currency, Money, Properties, Value,
        condition::{Operand, Path, Reference, Root, print::bare_step_len},
    },
    base::{Instant, Span, TextRange, nearest::nearest},
};

impl Parser<'_> {
    pub(super) fn lone_path(&mut self) -> Read<Path> {
        let word = self.peek_word();
        if !Root::ALL.iter().any(|root| word.eq_ignore_ascii_case(root.name())) {
            let hint = match nearest(word, Root::ALL.map(Root::name)) {
                Some(root) => format!("Did you mean `{root}`?"),
                None => "Values begin with `contact.`, `trigger.`, `event.` or `constant.`".to_owned(),
            };
            return self.fail_here("A value begins with its root", hint);
        }
        let path = self.path()?;
        if self.peek().is_some() {
            let range = TextRange::new(self.at, self.text.len());
            return self.fail(
                range,
                "The value ends before this",
                "Put names with spaces or signs into brackets: `contact[\"Favourite colour\"]`",
            );
        }
        Ok(path)
    }

    /// A path whose root comes next.
    pub(super) fn path(&mut self) -> Read<Path> {
        let word = self.peek_word();
        let start = self.at;
        let Some(root) = Root::ALL.into_iter().find(|root| word.eq_ignore_ascii_case(root.name())) else {
            return self.fail_here(
                "A value such as `event.amount` is missing",
                "Values begin with `contact.`, `trigger.`, `event.` or `constant.`",
            );
        };
        self.at += word.len();
        let mut steps = Vec::new();
        loop {
            if steps.len() > MAX_STEPS {
                let range = TextRange::new(start, self.at);
                return self.fail(range, format!("The value has more than {MAX_STEPS} steps"), "");
            }
            if self.rest().starts_with('.') {
                let len = bare_step_len(&self.rest()[1..]);
                if len == 0 {
                    let range = TextRange::new(self.at, self.at + 1);
                    return self.fail(
                        range,
                        "A name is missing after this dot",
                        "For example `contact.country`, or `contact[\"Favourite colour\"]`",
                    );
                }
                steps.push(SmolStr::new(&self.rest()[1..=len]));
                self.at += 1 + len;
            } else if self.rest().starts_with('[') {
                let open = self.at;
                self.at += 1;
                match self.peek() {
                    Some('"' | '\'') => {
                        let step = self.quoted()?;
                        steps.push(SmolStr::new(step));
                    }
                    Some(c) if c.is_ascii_digit() => {
                        let len = self.rest().find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest().len());
                        steps.push(SmolStr::new(&self.rest()[..len]));
                        self.at += len;
                    }
                    _ => {
                        let range = TextRange::new(open, self.at);
                        return self.fail(
                            range,
                            "A name in quotes is missing in these brackets",
                            "For example `contact[\"Favourite colour\"]`",
                        );
                    }
                }
                if !self.symbol("]") {
                    let range = TextRange::new(open, open + 1);
                    return self.fail(range, "This `[` is not closed", "Add a `]` after the name");
                }
            } else {
                break;
            }
        }
        let range = TextRange::new(start, self.at);
        if steps.is_empty() {
            return self.fail(
                range,
                format!("A name is missing after `{}`", root.name()),
                format!("For example `{}.country`", root.name()),
            );
        }
        let path = Path { root, steps };
        self.references.push((Reference::Path(path.clone()), range));
        Ok(path)
    }

    pub(super) fn operand(&mut self) -> Read<Operand> {
        let word = self.peek_word();
        if Root::ALL.iter().any(|root| word.eq_ignore_ascii_case(root.name())) {
            return self.path().map(Operand::Path);
        }
        if self.word("now") {
            let sign = self.peek();
            return match sign {
                Some('-' | '−' | '+') => {
                    self.at += sign.map_or(0, char::len_utf8);
                    let span = self.span()?;
                    Ok(Operand::Now(if sign == Some('+') { span } else { span.negated() }))
                }
                _ => Ok(Operand::Now(Span::ZERO)),
            };
        }
        self.literal().map(Operand::Value)
    }

    pub(super) fn literal(&mut self) -> Read<Value> {
        let word = self.peek_word();
        match self.peek() {
            Some('"' | '\'') => self.quoted().map(Value::text),
            Some('[') => self.deeper(Self::list),
            Some('{') => self.deeper(Self::object),
            Some(c) if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => self.numeric(),
            Some('€' | '$' | '£') => self.fail_here("Money is written with its code", "For example `129.50 EUR`"),
            _ if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") => {
                self.at += word.len();
                Ok(Value::Bool(word.eq_ignore_ascii_case("true")))
            }
            _ if !word.is_empty() && !matches!(word.to_ascii_lowercase().as_str(), "and" | "or" | "not") => {
                let shown: String = word.chars().take(40).collect();
                let dotted = self.rest()[word.len()..].starts_with('.');
                let hint = match nearest(word, Root::ALL.map(Root::name)).filter(|_| dotted) {
                    Some(root) => format!("Did you mean `{root}`?"),
                    None => format!("Put texts in quotes: `\"{shown}\"`"),
                };
                self.fail_here(format!("`{shown}` is not a value"), hint)
            }
            _ => {
                let shown = self.shown_next();
                self.fail_here(
                    format!("A value is missing before {shown}"),
                    "For example `\"text\"`, `12.5`, `2026-11-23`, `129.50 EUR`, `now - 7 days`",
                )
            }
        }
    }

    pub(super) fn list(&mut self) -> Read<Value> {
        let open = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            if self.symbol("]") {
                return Ok(Value::List(items));
            }
            let word = self.peek_word();
            if Root::ALL.iter().any(|root| word.eq_ignore_ascii_case(root.name())) {
                return self.fail_here(
                    "Lists hold only fixed values",
                    "Compare with the value by itself: `… = contact.… or …`",
                );
            }
            if self.peek().is_none() {
                return self.fail(
                    TextRange::new(open, open + 1),
                    "This `[` is not closed",
                    "Add a `]` where the list ends",
                );
            }
            items.push(self.literal()?);
            if !self.symbol(",") && self.peek() != Some(']') {
                let shown = self.shown_next();
                return self.fail_here(format!("`,` or `]` is missing before {shown}"), "For example `[\"a\", \"b\"]`");
            }
        }
    }

    pub(super) fn object(&mut self) -> Read<Value> {
        let open = self.at;
        self.at += 1;
        let mut map = Properties::new();
        loop {
            if self.symbol("}") {
                return Ok(Value::Object(map));
            }
            if !matches!(self.peek(), Some('"' | '\'')) {
                return self.fail(
                    TextRange::new(open, self.at),
                    "A name in quotes is missing in these braces",
                    "For example `{\"size\": 42}`",
                );
            }
            let name = SmolStr::new(self.quoted()?);
            if !self.symbol(":") {
                return self.fail_here("`:` is missing after the name", "For example `{\"size\": 42}`");
            }
            let value = self.literal()?;
            map.insert(name, value);
            if !self.symbol(",") && self.peek() != Some('}') {
                return self.fail_here("`,` or `}` is missing here", "For example `{\"size\": 42}`");
            }
        }
    }

    /// A number, money, date or instant.
    pub(super) fn numeric(&mut self) -> Read<Value> {
        self.skip_space();
        let start = self.at;
        let bytes = self.rest().as_bytes();
        if bytes.len() >= 5 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-' {
            let rest = self.rest();
            let len = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | ':' | '.' | '+'))
                .unwrap_or(rest.len());
            let text = &rest[..len];
            self.at += len;
            let range = TextRange::new(start, self.at);
            let value = if len == 10 {
                text.parse().ok().map(Value::Date)
            } else {
                Instant::parse(text).ok().map(Value::Instant)
            };
            return match value {
                Some(value) => Ok(value),
                None => self.fail(
                    range,
                    "This is neither a date nor an instant",
                    "Write `2026-11-23` or `2026-11-23T09:00:00Z`",
                ),
            };
        }
        let number = self.number()?;
        let digits = TextRange::new(start, self.at).slice(self.text);
        let end = self.at;
        let word = self.peek_word();
        if word.len() == 3 && word.bytes().all(|b| b.is_ascii_uppercase()) && word != "AND" {
            let Some(currency) = Currency::parse(word) else { return Ok(Value::Number(number)) };
            self.at += word.len();
            let range = TextRange::new(start, self.at);
            return match exact_money(digits, currency) {
                Some(money) => Ok(Value::Money(money)),
                None => {
                    self.fail(range, "This amount of money is too large or has an exponent", "For example `129.50 EUR`")
                }
            };
        }
        self.at = end;
        Ok(Value::Number(number))
    }

    pub(super) fn number(&mut self) -> Read<f64> {
        self.skip_space();
        let start = self.at;
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut len = usize::from(rest.starts_with(['-', '+']));
        let whole = digits(len);
        len += whole;
        let mut fraction = 0;
        if bytes.get(len) == Some(&b'.') {
            fraction = digits(len + 1);
            len += if fraction > 0 { 1 + fraction } else { 0 };
        }
        if whole + fraction == 0 {
            let shown = self.shown_next();
            return self.fail_here(format!("A number is missing before {shown}"), "For example `3` or `12.5`");
        }
        if matches!(bytes.get(len), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
            let exponent = digits(len + 1 + sign);
            len += if exponent > 0 { 1 + sign + exponent } else { 0 };
        }
        let after = rest[len..].chars().next();
        if after.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            return self.fail_here(
                "Letters follow the number without a space",
                "Put texts in quotes, and a space between a number and its unit",
            );
        }
        self.at += len;
        if after == Some(',')
            && bytes.get(len + 1).is_some_and(u8::is_ascii_digit)
            && self.text[..start].trim_end().ends_with(['=', '<', '>'])
        {
            let range = TextRange::new(start, self.at + 1);
            return self.fail(
                range,
                "Numbers have no thousands separators",
                "Write `1000`, and a point before decimals",
            );
        }
        match rest[..len].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => self.fail(TextRange::new(start, self.at), "The number is too large", ""),
        }
    }

    /// `7 days`, `1 day 4 h`, `90min`.
    pub(super) fn span(&mut self) -> Read<Span> {
        self.skip_space();
        let start = self.at;
        let mut end = start;
        loop {
            self.at = end;
            self.skip_space();
            let rest = self.rest();
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            if digits == 0 {
                break;
            }
            self.at += digits;
            let unit = self.peek_word();
            let unit_len = unit.find(|c: char| !c.is_alphabetic()).unwrap_or(unit.len());
            // `did "X" in the last 7 days 3 times`: a second number belongs to the span only with a unit of time.
            if end > start && Span::parse(&format!("1 {}", &unit[..unit_len])).is_err() {
                break;
            }
            end = self.at + unit_len;
        }
        self.at = end;
        let range = if end > start { TextRange::new(start, end) } else { self.next_range() };
        match Span::parse(range.slice(self.text)) {
            Ok(span) if end > start => Ok(span),
            _ => self.fail(range, "A span of time is needed here", "For example `7 days`, `2 h` or `1 day 4 h`"),
        }
    }

    /// A text in quotes, either sort, with escapes.
    pub(super) fn quoted(&mut self) -> Read<String> {
        self.skip_space();
        let start = self.at;
        let rest = self.rest();
        let mut chars = rest.char_indices();
        let quote = chars.next().map_or('"', |(_, c)| c);
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at = start + at + c.len_utf8();
                return Ok(text);
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            let escaped = match chars.next() {
                Some((_, 'n')) => Some('\n'),
                Some((_, 't')) => Some('\t'),
                Some((_, 'r')) => Some('\r'),
                Some((_, c @ ('"' | '\'' | '\\'))) => Some(c),
                Some((at, 'u')) => {
                    let digits =
                        rest[at + 1..].strip_prefix('{').and_then(|hex| hex.split_once('}')).map(|(hex, _)| hex);
                    let code = digits.filter(|hex| hex.len() <= 6).and_then(|hex| u32::from_str_radix(hex, 16).ok());
                    for _ in 0..digits.map_or(0, |hex| hex.chars().count() + 2) {
                        chars.next();
                    }
                    code.and_then(char::from_u32)
                }
                _ => None,
            };
            match escaped {
                Some(c) => text.push(c),
                None => {
                    let range = TextRange::new(start + at, start + at + 1);
                    self.skip_quoted(quote);
                    return self.fail(range, "This escape is unknown", "Known: \\\" \\' \\\\ \\n \\r \\t \\u{20ac}");
                }
            }
        }
        self.at = self.text.len();
        self.fail(TextRange::new(start, start + 1), "This quote is not closed", "Add the closing quote after the text")
    }
}

/// Digits with at most one point as an exact amount, rounded half away from zero to the currency's decimals.
fn exact_money(digits: &str, currency: Currency) -> Option<Money> {
    let negative = digits.starts_with('-');
    let digits = digits.trim_start_matches(['-', '+']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let decimals = currency.decimals() as usize;
    let mut minor: i64 = 0;
    for digit in whole.bytes().chain(fraction.bytes().chain(std::iter::repeat(b'0')).take(decimals)) {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        minor = minor.checked_mul(10)?.checked_add(digit)?;
    }
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if fraction.as_bytes().get(decimals).is_some_and(|digit| *digit >= b'5') {
        minor = minor.checked_add(1)?;
    }
    Some(Money { minor: if negative { -minor } else { minor }, currency })
}
