//! The text form of conditions, read back into trees.
//!
//! The one idea: reading never fails. A part that cannot be understood is noted with its place and a hint, counts
//! as `Always(false)` in the tree, and reading goes on after it, so that one look shows all mistakes. Bounded in
//! size, depth and number of mistakes, so that no text can hang or overflow. Deliberately not here: whether names
//! are declared; checks ask that of [`Parsed::references`].
//!
//! ```text
//! condition  = [ "if" ] any
//! any        = all { "or" all }
//! all        = part { "and" part }
//! part       = "not" part | "(" any ")" | "true" | "false" | comparison | events | ...
//! comparison = path ( op operand | "in" list | "is set" | "is not set" )
//! events     = "did" name { clause } | "never did" name { clause }
//!            | ("sum of" path "over" | "max of" path "over" | "count of") name { clause } op number
//! clause     = "where (" any ")" | "at least" n "times" | "in the last" span | "since entry" | "ever"
//! ```

mod facts;
#[cfg(test)]
mod tests;
mod values;

use smol_str::SmolStr;

use super::{CompareOp, Condition, EventWindow, Operand, ParseError, Parsed, Path, Reference, Root};
use crate::{
    audience::{Channel, ResponseKind, Value},
    base::{TextRange, nearest::nearest},
};

/// How deep parentheses, `not`, filters and lists may nest. Source: assumption, far beyond what people write.
pub const MAX_DEPTH: usize = 64;
/// How many bytes a condition may have. Source: assumption, far beyond what people write.
pub const MAX_TEXT_LEN: usize = 64 * 1024;
/// How many mistakes are told of one text.
const MAX_ERRORS: usize = 32;
/// How many steps a path may have.
const MAX_STEPS: usize = 32;

/// Words that may begin a condition, for hints.
const OPENERS: &[&str] = &[
    "not",
    "true",
    "false",
    "did",
    "never",
    "sum",
    "max",
    "count",
    "on",
    "in",
    "email",
    "sms",
    "opened",
    "clicked",
    "replied",
    "bounced",
    "unsubscribed",
    "complained",
    "score",
    "local",
    "share",
    "contact",
    "trigger",
    "event",
    "constant",
];
/// Words that may follow something, for hints.
const FOLLOWERS: &[&str] = &[
    "and",
    "or",
    "where",
    "at least",
    "at most",
    "exactly",
    "more than",
    "fewer than",
    "in the last",
    "since entry",
    "ever",
    "times",
    "contains",
    "starts with",
    "ends with",
    "is set",
    "is not set",
    "link",
    "over",
    "salt",
];

/// Reads a condition; never fails and never panics, see [`Parsed`].
pub fn parse(text: &str) -> Parsed {
    let mut parser = Parser::new(text);
    let condition = parser.whole();
    Parsed { condition, errors: parser.errors, references: parser.references }
}

impl Path {
    /// Reads a path alone: `event.cart_id`, `contact["Favourite colour"].name`.
    ///
    /// Errors: the first mistake, with its place and a hint.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser::new(text);
        let path = if parser.too_long() { Err(Wrong) } else { parser.lone_path() };
        path.map_err(|Wrong| parser.errors.into_iter().next().unwrap_or_default())
    }
}

/// A mistake that has been noted already.
struct Wrong;

type Read<T> = Result<T, Wrong>;

/// What follows a path.
enum Comparison {
    Op(CompareOp),
    IsSet,
    IsNotSet,
}

#[derive(Default)]
struct Clauses {
    filter: Option<Box<Condition>>,
    times: Option<(CompareOp, f64)>,
    window: Option<EventWindow>,
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    errors: Vec<ParseError>,
    references: Vec<(Reference, TextRange)>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0, depth: 0, errors: Vec::new(), references: Vec::new() }
    }

    // --- letters and words ---

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The next letter after spaces.
    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.rest().chars().next()
    }

    /// The word that comes next; empty where none does.
    fn peek_word(&mut self) -> &'t str {
        self.skip_space();
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return "";
        }
        let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..len]
    }

    fn at_word(&mut self, word: &str) -> bool {
        self.peek_word().eq_ignore_ascii_case(word)
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// All of the words, or none.
    fn words(&mut self, words: &[&str]) -> bool {
        let start = self.at;
        let found = words.iter().all(|word| self.word(word));
        if !found {
            self.at = start;
        }
        found
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    /// The range of what comes next: a word, a run of digits, or one letter.
    fn next_range(&mut self) -> TextRange {
        self.skip_space();
        let rest = self.rest();
        let word = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.')).unwrap_or(rest.len());
        let len = if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) };
        TextRange::new(self.at, self.at + len)
    }

    /// What comes next as people read it in a message.
    fn shown_next(&mut self) -> String {
        let range = self.next_range();
        match range.slice(self.text) {
            "" => "the end".to_owned(),
            text => format!("`{}`", text.chars().take(40).collect::<String>()),
        }
    }

    // --- mistakes ---

    fn note(&mut self, range: TextRange, message: impl Into<String>, hint: impl Into<String>) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(ParseError { range, message: message.into(), hint: hint.into() });
        }
    }

    fn fail<T>(&mut self, range: TextRange, message: impl Into<String>, hint: impl Into<String>) -> Read<T> {
        self.note(range, message, hint);
        Err(Wrong)
    }

    fn fail_here<T>(&mut self, message: impl Into<String>, hint: impl Into<String>) -> Read<T> {
        let range = self.next_range();
        self.fail(range, message, hint)
    }

    /// Runs `inner` one level deeper; too deep, the rest of the text is given up.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_DEPTH {
            let range = self.next_range();
            self.at = self.text.len();
            return self.fail(
                range,
                format!("This nests deeper than {MAX_DEPTH} levels"),
                "Move a part into a segment and write `in segment \"…\"`",
            );
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Goes on to the next `and`, `or` or `)` of this level, or the end.
    fn recover(&mut self) {
        let mut open = 0_usize;
        loop {
            match self.peek() {
                None => return,
                Some(quote @ ('"' | '\'')) => self.skip_quoted(quote),
                Some(c @ ('(' | ')')) => {
                    match (c, open) {
                        ('(', _) => open += 1,
                        (_, 0) => return,
                        _ => open -= 1,
                    }
                    self.at += 1;
                }
                Some(c) => {
                    let word = self.peek_word();
                    if open == 0 && (word.eq_ignore_ascii_case("and") || word.eq_ignore_ascii_case("or")) {
                        return;
                    }
                    self.at += word.len().max(if word.is_empty() { c.len_utf8() } else { 0 });
                }
            }
        }
    }

    fn skip_quoted(&mut self, quote: char) {
        let mut escaped = false;
        for (at, c) in self.rest().char_indices().skip(1) {
            if c == quote && !escaped {
                self.at += at + c.len_utf8();
                return;
            }
            escaped = c == '\\' && !escaped;
        }
        self.at = self.text.len();
    }

    // --- groups ---

    fn too_long(&mut self) -> bool {
        let too_long = self.text.len() > MAX_TEXT_LEN;
        if too_long {
            let message = format!("The condition is longer than {} KB", MAX_TEXT_LEN / 1024);
            self.note(TextRange::new(0, self.text.len()), message, "Move parts into segments");
        }
        too_long
    }

    fn whole(&mut self) -> Condition {
        if self.too_long() {
            return Condition::Always(false);
        }
        // A rule as people say it begins with "If".
        self.word("if");
        let mut condition = self.any();
        while self.peek() == Some(')') {
            self.note(TextRange::new(self.at, self.at + 1), "This `)` closes nothing", "Delete it, or add a `(`");
            self.at += 1;
            let mut parts = vec![condition, Condition::Always(false)];
            let joined = self.word("and") || self.word("or");
            if joined || !matches!(self.peek(), None | Some(')')) {
                parts.push(self.any());
            }
            condition = Condition::All(parts);
            // Each stray parenthesis wraps the tree once; keep hostile rows of them flat.
            if self.errors.len() >= MAX_ERRORS {
                return Condition::Always(false);
            }
        }
        condition
    }

    fn any(&mut self) -> Condition {
        let first = self.all();
        if !self.at_word("or") {
            return first;
        }
        let mut parts = vec![first];
        while self.word("or") {
            parts.push(self.all());
        }
        Condition::Any(parts)
    }

    fn all(&mut self) -> Condition {
        let first = self.part();
        if !self.at_word("and") {
            return first;
        }
        let mut parts = vec![first];
        while self.word("and") {
            parts.push(self.part());
        }
        Condition::All(parts)
    }

    /// One part of a group. What is wrong, or followed by what cannot follow, counts as false.
    fn part(&mut self) -> Condition {
        let read = self.unary().and_then(|condition| self.ended().map(|()| condition));
        read.unwrap_or_else(|Wrong| {
            self.recover();
            Condition::Always(false)
        })
    }

    /// Makes sure that a part is followed by `and`, `or`, `)` or the end.
    fn ended(&mut self) -> Read<()> {
        if matches!(self.peek(), None | Some(')')) || self.at_word("and") || self.at_word("or") {
            return Ok(());
        }
        if self.rest().starts_with("&&") || self.rest().starts_with("||") {
            let range = TextRange::new(self.at, self.at + 2);
            return self.fail(range, "Conditions are joined with words", "Write `and` or `or`");
        }
        let shown = self.shown_next();
        let word = self.peek_word();
        let hint = match nearest(word, FOLLOWERS.iter().copied()).filter(|_| !word.is_empty()) {
            Some(found) if !found.eq_ignore_ascii_case(word) => format!("Did you mean `{found}`?"),
            _ => "Join conditions with `and` or `or`".to_owned(),
        };
        self.fail_here(format!("`and` or `or` is missing before {shown}"), hint)
    }

    fn unary(&mut self) -> Read<Condition> {
        if self.word("not") {
            return self.deeper(|p| Ok(Condition::Not(Box::new(p.unary()?))));
        }
        if self.peek() == Some('(') {
            let open = self.at;
            self.at += 1;
            return self.in_parens(open);
        }
        self.primary()
    }

    /// The rest of a group whose `(` at `open` has been read.
    fn in_parens(&mut self, open: usize) -> Read<Condition> {
        self.deeper(|p| {
            let inner = p.any();
            if !p.symbol(")") {
                p.note(TextRange::new(open, open + 1), "This `(` is not closed", "Add a `)` where the group ends");
            }
            Ok(inner)
        })
    }

    // --- one condition ---

    fn primary(&mut self) -> Read<Condition> {
        let Some(c) = self.peek() else {
            return self.fail_here("A condition is missing here", "For example `contact.country = \"DE\"`");
        };
        if matches!(c, '"' | '\'' | '-' | '[' | '{') || c.is_ascii_digit() {
            let start = self.at;
            self.literal()?;
            let range = TextRange::new(start, self.at);
            return self.fail(
                range,
                "A comparison begins with a value of the contact or an event",
                "Turn it round: `contact.… = …`",
            );
        }
        if c == '!' {
            let range = TextRange::new(self.at, self.at + 1);
            return self.fail(range, "`!` cannot stand here", "Write `not (…)`");
        }
        let start = self.at;
        let word = self.peek_word();
        if word.is_empty() {
            let shown = self.shown_next();
            return self
                .fail_here(format!("A condition is missing before {shown}"), "For example `contact.country = \"DE\"`");
        }
        let lower = word.to_ascii_lowercase();
        if Root::ALL.iter().any(|root| root.name() == lower) {
            return self.comparison();
        }
        if let Some(response) = ResponseKind::ALL.into_iter().find(|kind| kind.name() == lower) {
            self.at += word.len();
            return self.response(response);
        }
        let after = self.text[start + word.len()..].trim_start();
        let opens_name = after.starts_with(['"', '\'']);
        match lower.as_str() {
            "true" | "false" => {
                self.at += word.len();
                Ok(Condition::Always(lower == "true"))
            }
            "did" => {
                self.at += word.len();
                self.did(false)
            }
            "never" => {
                self.at += word.len();
                self.expect_word("did", "For example `never did \"Placed Order\"`")?;
                self.did(true)
            }
            "sum" | "max" | "count" => {
                self.at += word.len();
                self.expect_word("of", "For example `sum of event.amount over \"Placed Order\" >= 100`")?;
                self.measured(&lower)
            }
            "on" => {
                self.at += word.len();
                self.expect_word("list", "For example `on list \"VIP\"`")?;
                let (name, range) = self.name("the list", "on list \"VIP\"")?;
                self.references.push((Reference::List(name.clone()), range));
                Ok(Condition::InList(name))
            }
            "in" => {
                self.at += word.len();
                self.expect_word("segment", "For example `in segment \"VIP\"`")?;
                let (name, range) = self.name("the segment", "in segment \"VIP\"")?;
                self.references.push((Reference::Segment(name.clone()), range));
                Ok(Condition::InSegment(name))
            }
            "email" | "sms" => {
                self.at += word.len();
                self.consent(if lower == "email" { Channel::Email } else { Channel::Sms })
            }
            "score" => {
                self.at += word.len();
                self.score()
            }
            "local" => {
                self.at += word.len();
                self.expect_word("time", "For example `local time from 09:00 to 17:00`")?;
                self.local_time()
            }
            "share" => {
                self.at += word.len();
                self.share()
            }
            "and" | "or" => self
                .fail_here(format!("A condition is missing before `{lower}`"), "Delete the word, or add a condition"),
            "now" => self.fail_here(
                "A comparison begins with a value of the contact or an event",
                "Turn it round: `contact.renewal_date < now`",
            ),
            _ => {
                let range = TextRange::new(start, start + word.len());
                let dotted = after.starts_with(['.', '[']);
                let shown: String = word.chars().take(40).collect();
                if dotted {
                    let hint = match nearest(word, Root::ALL.map(Root::name)) {
                        Some(root) => format!("Did you mean `{root}`?"),
                        None => "Values begin with `contact`, `trigger`, `event` or `constant`".to_owned(),
                    };
                    return self.fail(range, format!("`{shown}` is no root of values"), hint);
                }
                let hint = match nearest(word, OPENERS.iter().copied()) {
                    Some(found) => format!("Did you mean `{found}`?"),
                    None if opens_name => format!("For example `did {}`", after.chars().take(40).collect::<String>()),
                    None => format!(
                        "Write `contact.{shown}` for a property of the contact, `trigger.{shown}` for one of the trigger event"
                    ),
                };
                self.fail(range, format!("`{shown}` stands alone, so it is not clear whose it is"), hint)
            }
        }
    }

    fn expect_word(&mut self, word: &str, hint: &str) -> Read<()> {
        if self.word(word) {
            return Ok(());
        }
        let shown = self.shown_next();
        self.fail_here(format!("`{word}` is missing before {shown}"), hint)
    }

    /// A name in quotes.
    fn name(&mut self, of: &str, example: &str) -> Read<(SmolStr, TextRange)> {
        if let Some('"' | '\'') = self.peek() {
            let start = self.at;
            let name = self.quoted()?;
            let range = TextRange::new(start, self.at);
            if name.is_empty() {
                return self.fail(range, format!("The name of {of} is empty"), format!("For example `{example}`"));
            }
            return Ok((SmolStr::new(name), range));
        }
        let word = self.peek_word();
        let hint = if word.is_empty() {
            format!("For example `{example}`")
        } else {
            format!("Put names in quotes: `\"{}\"`", word.chars().take(40).collect::<String>())
        };
        self.fail_here(format!("The name of {of} is missing"), hint)
    }

    fn comparison(&mut self) -> Read<Condition> {
        let left = self.path()?;
        match self.comparison_word()? {
            Comparison::IsSet => Ok(Condition::IsSet(left)),
            Comparison::IsNotSet => Ok(Condition::Not(Box::new(Condition::IsSet(left)))),
            Comparison::Op(op) => {
                let start = self.peek().map_or(self.text.len(), |_| self.at);
                let mut right = self.operand()?;
                if matches!(op, CompareOp::In | CompareOp::NotIn) {
                    match right {
                        Operand::Value(Value::List(_)) | Operand::Path(_) => {}
                        Operand::Value(value) => right = Operand::Value(Value::List(vec![value])),
                        Operand::Now(_) => {
                            let range = TextRange::new(start, self.at);
                            return self.fail(range, "After `in` comes a list", "For example `in [\"a\", \"b\"]`");
                        }
                    }
                }
                Ok(Condition::Compare { left, op, right })
            }
        }
    }

    fn comparison_word(&mut self) -> Read<Comparison> {
        if let Some(op) = self.symbol_op()? {
            return Ok(Comparison::Op(op));
        }
        let op = if self.word("in") {
            CompareOp::In
        } else if self.words(&["not", "in"]) {
            CompareOp::NotIn
        } else if self.word("contains") {
            CompareOp::Contains
        } else if self.words(&["starts", "with"]) {
            CompareOp::StartsWith
        } else if self.words(&["ends", "with"]) {
            CompareOp::EndsWith
        } else if self.words(&["is", "set"]) {
            return Ok(Comparison::IsSet);
        } else if self.words(&["is", "not", "set"]) {
            return Ok(Comparison::IsNotSet);
        } else {
            let shown = self.shown_next();
            let word = self.peek_word();
            let known = ["in", "not in", "contains", "starts with", "ends with", "is set", "is not set"];
            let hint = match word.to_ascii_lowercase().as_str() {
                "is" => "Write `=` for \"is\", `!=` for \"is not\", or `is set`".to_owned(),
                "not" => "Write `not (…)` around the comparison, or `not in`".to_owned(),
                "starts" | "ends" => format!("Write `{word} with`"),
                "" => "Write `=`, `!=`, `<`, `>`, `in`, `contains` or `is set`".to_owned(),
                _ => match nearest(word, known) {
                    Some(found) => format!("Did you mean `{found}`?"),
                    None => "Write `=`, `!=`, `<`, `>`, `in`, `contains` or `is set`".to_owned(),
                },
            };
            return self.fail_here(format!("A comparison is missing before {shown}"), hint);
        };
        Ok(Comparison::Op(op))
    }

    fn symbol_op(&mut self) -> Read<Option<CompareOp>> {
        self.skip_space();
        for (wrong, right) in [("=>", ">="), ("=<", "<=")] {
            if self.rest().starts_with(wrong) {
                let range = TextRange::new(self.at, self.at + 2);
                return self.fail(range, format!("`{wrong}` is no comparison"), format!("Write `{right}`"));
            }
        }
        for (symbol, op) in [
            ("==", CompareOp::Eq),
            ("=", CompareOp::Eq),
            ("!=", CompareOp::Ne),
            ("<>", CompareOp::Ne),
            ("≠", CompareOp::Ne),
            ("<=", CompareOp::Le),
            ("≤", CompareOp::Le),
            (">=", CompareOp::Ge),
            ("≥", CompareOp::Ge),
            ("<", CompareOp::Lt),
            (">", CompareOp::Gt),
        ] {
            if self.symbol(symbol) {
                return Ok(Some(op));
            }
        }
        Ok(None)
    }

    fn number_op(&mut self) -> Read<CompareOp> {
        if let Some(op) = self.symbol_op()? {
            return Ok(op);
        }
        if let Some(op) = self.times_op() {
            return Ok(op);
        }
        let shown = self.shown_next();
        self.fail_here(
            format!("A comparison is missing before {shown}"),
            "Write `>=`, `>`, `<=`, `<`, `=` or `!=` and a number",
        )
    }

    fn times_op(&mut self) -> Option<CompareOp> {
        [
            (&["at", "least"] as &[&str], CompareOp::Ge),
            (&["at", "most"], CompareOp::Le),
            (&["exactly"], CompareOp::Eq),
            (&["more", "than"], CompareOp::Gt),
            (&["fewer", "than"], CompareOp::Lt),
            (&["less", "than"], CompareOp::Lt),
        ]
        .into_iter()
        .find_map(|(words, op)| self.words(words).then_some(op))
    }
}
