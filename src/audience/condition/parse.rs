//! The text form of conditions, read back into trees.
//!
//! The one idea: reading never fails. A part that cannot be understood is noted with its place and a hint, counts
//! as `Always(false)` in the tree, and reading goes on after it, so that one look shows all mistakes. Bounded in
//! size, depth and number of mistakes, so that no text can hang or overflow. Deliberately not here: whether names
//! are declared; checks ask that of [`Parsed::references`].
//!
//! ```text
//! any        = all { "or" all }
//! all        = part { "and" part }
//! part       = "not" part | "(" any ")" | "true" | "false" | comparison | events | ...
//! comparison = path ( op operand | "in" list | "is set" | "is not set" )
//! events     = "did" name { clause } | "never did" name { clause }
//!            | ("sum of" path "over" | "max of" path "over" | "count of") name { clause } op number
//! clause     = "where (" any ")" | "at least" n "times" | "in the last" span | "since entry" | "ever"
//! ```

use smol_str::SmolStr;

use super::{
    CompareOp, Condition, EventQuery, EventWindow, Measure, Operand, ParseError, Parsed, Path, Reference, Root,
    print::bare_step_len,
};
use crate::{
    audience::{Channel, ConsentStatus, Currency, Money, Properties, ResponseKind, Value},
    base::{Instant, NodeId, Span, TextRange, TimeOfDay, Weekday, Weekdays, Window, nearest::nearest},
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

    // --- events and other facts ---

    fn metric(&mut self) -> Read<SmolStr> {
        let (name, range) = self.name("the event", "did \"Placed Order\"")?;
        self.references.push((Reference::Metric(name.clone()), range));
        Ok(name)
    }

    fn did(&mut self, never: bool) -> Read<Condition> {
        let metric = self.metric()?;
        let Clauses { filter, times, window } = self.clauses(!never, true)?;
        let (op, value) = if never { (CompareOp::Eq, 0.0) } else { times.unwrap_or((CompareOp::Ge, 1.0)) };
        let window = window.unwrap_or(EventWindow::Ever);
        Ok(Condition::Events(EventQuery { metric, filter, measure: Measure::Count, window, op, value }))
    }

    fn measured(&mut self, measure: &str) -> Read<Condition> {
        let measure = if measure == "count" {
            Measure::Count
        } else {
            let range = self.next_range();
            let path = self.path()?;
            if path.root != Root::Event {
                let hint = format!("For example `{measure} of event.amount over \"Placed Order\"`");
                return self.fail(range, "Only values of the event can be measured", hint);
            }
            self.expect_word("over", "For example `sum of event.amount over \"Placed Order\" >= 100`")?;
            if measure == "sum" { Measure::Sum(path) } else { Measure::Max(path) }
        };
        let metric = self.metric()?;
        let Clauses { filter, window, .. } = self.clauses(false, true)?;
        let op = self.number_op()?;
        let value = self.number()?;
        let window = window.unwrap_or(EventWindow::Ever);
        Ok(Condition::Events(EventQuery { metric, filter, measure, window, op, value }))
    }

    fn clauses(&mut self, times_allowed: bool, filter_allowed: bool) -> Read<Clauses> {
        let mut clauses = Clauses::default();
        loop {
            let range = self.next_range();
            let twice;
            if filter_allowed && self.word("where") {
                let open = self.next_range().start;
                if !self.symbol("(") {
                    return self.fail_here("A filter stands in parentheses", "Write `where (event.… = …)`");
                }
                let filter = Box::new(self.in_parens(open)?);
                twice = clauses.filter.replace(filter).is_some();
            } else if times_allowed && let Some(op) = self.times_op() {
                let times = self.times()?;
                twice = clauses.times.replace((op, times)).is_some();
            } else if self.words(&["in", "the"]) || self.words(&["within", "the"]) {
                self.expect_word("last", "For example `in the last 7 days`")?;
                let span = self.span()?;
                if span.is_zero() || span.months < 0 || span.days < 0 || span.millis < 0 {
                    return self.fail(range, "The span is nothing", "For example `in the last 7 days`");
                }
                twice = clauses.window.replace(EventWindow::Last(span)).is_some();
            } else if self.words(&["since", "entry"]) {
                twice = clauses.window.replace(EventWindow::SinceEntry).is_some();
            } else if self.word("ever") {
                twice = clauses.window.replace(EventWindow::Ever).is_some();
            } else {
                if times_allowed && self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    return self.fail_here(
                        "It is not clear how this number counts",
                        "Write `at least 3 times` or `exactly 3 times`",
                    );
                }
                return Ok(clauses);
            }
            if twice {
                return self.fail(range, "This is said twice", "Keep one filter, one number of times and one window");
            }
        }
    }

    /// `3 times`, `once`, `twice`.
    fn times(&mut self) -> Read<f64> {
        if self.word("once") {
            return Ok(1.0);
        }
        if self.word("twice") {
            return Ok(2.0);
        }
        let number = self.number()?;
        if !self.word("times") && !self.word("time") {
            let shown = self.shown_next();
            return self.fail_here(format!("`times` is missing before {shown}"), "For example `at least 3 times`");
        }
        Ok(number)
    }

    fn consent(&mut self, channel: Channel) -> Read<Condition> {
        let example = format!("For example `{} consent is subscribed`", channel.name());
        self.expect_word("consent", &example)?;
        self.expect_word("is", &example)?;
        let negated = self.word("not");
        let all = [ConsentStatus::Subscribed, ConsentStatus::Unknown, ConsentStatus::Unsubscribed];
        let word = self.peek_word();
        let Some(status) = all.into_iter().find(|status| word.eq_ignore_ascii_case(status.name())) else {
            let hint = match nearest(word, all.map(ConsentStatus::name)) {
                Some(found) => format!("Did you mean `{found}`?"),
                None => "Write `subscribed`, `unknown` or `unsubscribed`".to_owned(),
            };
            return self.fail_here("The status of the consent is missing", hint);
        };
        self.at += word.len();
        let consent = Condition::Consent { channel, status };
        Ok(if negated { Condition::Not(Box::new(consent)) } else { consent })
    }

    fn response(&mut self, response: ResponseKind) -> Read<Condition> {
        let _preposition = ["to", "from", "about"].into_iter().any(|word| self.word(word));
        let node = if self.words(&["any", "message"]) {
            None
        } else {
            let example = format!("{response}{} \"mail-1\"", super::print::preposition(response));
            if !matches!(self.peek(), Some('"' | '\'')) {
                let hint = format!(
                    "For example `{example}`, or `{response}{} any message`",
                    super::print::preposition(response)
                );
                return self.fail_here("The message is missing", hint);
            }
            let (name, range) = self.name("the message", &example)?;
            let node = NodeId::new(name);
            self.references.push((Reference::Node(node.clone()), range));
            Some(node)
        };
        let range = self.next_range();
        let link = if self.word("link") { Some(self.name("the link", "link \"https://…\"")?.0) } else { None };
        if link.is_some() && response != ResponseKind::Clicked {
            return self.fail(range, "Only clicks have a link", "Write `clicked \"…\" link \"…\"`");
        }
        let window = self.clauses(false, false)?.window.unwrap_or(EventWindow::Ever);
        Ok(Condition::Response { response, node, link, window })
    }

    fn score(&mut self) -> Read<Condition> {
        let (model, range) = self.name("the score", "score \"intent\" >= 50")?;
        self.references.push((Reference::Score(model.clone()), range));
        let op = self.number_op()?;
        let points = self.number()?;
        Ok(Condition::Score { model, op, points })
    }

    fn local_time(&mut self) -> Read<Condition> {
        if !self.word("between") {
            self.expect_word("from", "For example `local time from 09:00 to 17:00`")?;
        }
        let from = self.time_of_day()?;
        if !self.word("until") && !self.word("and") {
            self.expect_word("to", "For example `local time from 09:00 to 17:00`")?;
        }
        let until = self.time_of_day()?;
        let mut weekdays = Weekdays::ALL;
        if self.word("on") {
            let mut days = Vec::new();
            if self.words(&["no", "day"]) {
            } else if self.word("weekdays") {
                days.extend_from_slice(&Weekday::ALL[..5]);
            } else if self.word("weekends") {
                days.extend_from_slice(&Weekday::ALL[5..]);
            } else {
                days.push(self.weekday()?);
                while self.symbol(",") {
                    days.push(self.weekday()?);
                }
            }
            weekdays = days.into_iter().collect();
        }
        Ok(Condition::LocalTime(Window { from, until, weekdays }))
    }

    fn time_of_day(&mut self) -> Read<TimeOfDay> {
        self.skip_space();
        let rest = self.rest();
        let len = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(rest.len());
        match TimeOfDay::parse(&rest[..len]) {
            Ok(time) => {
                self.at += len;
                Ok(time)
            }
            Err(_) => self.fail_here("A time of day is needed here", "Write it as `09:00`"),
        }
    }

    fn weekday(&mut self) -> Read<Weekday> {
        let word = self.peek_word();
        let found = Weekday::ALL
            .into_iter()
            .find(|day| word.eq_ignore_ascii_case(day.short()) || word.eq_ignore_ascii_case(day.title()));
        match found {
            Some(day) => {
                self.at += word.len();
                Ok(day)
            }
            None => self.fail_here(
                "A day of the week is needed here",
                "Write `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`",
            ),
        }
    }

    fn share(&mut self) -> Read<Condition> {
        let range = self.next_range();
        let percent = self.number()?;
        if !(0.0..=100.0).contains(&percent) {
            return self.fail(range, "A share lies between 0 and 100 %", "For example `share 20 % salt \"test-a\"`");
        }
        if !self.symbol("%") {
            self.expect_word("percent", "For example `share 20 % salt \"test-a\"`")?;
        }
        let salt = if self.word("salt") {
            match self.peek() {
                Some('"' | '\'') => SmolStr::new(self.quoted()?),
                _ => return self.fail_here("The salt is missing", "For example `share 20 % salt \"test-a\"`"),
            }
        } else {
            SmolStr::default()
        };
        Ok(Condition::Share { share: (percent * 100.0).round() as u32, salt })
    }

    // --- values ---

    fn lone_path(&mut self) -> Read<Path> {
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
    fn path(&mut self) -> Read<Path> {
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

    fn operand(&mut self) -> Read<Operand> {
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

    fn literal(&mut self) -> Read<Value> {
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

    fn list(&mut self) -> Read<Value> {
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

    fn object(&mut self) -> Read<Value> {
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
    fn numeric(&mut self) -> Read<Value> {
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

    fn number(&mut self) -> Read<f64> {
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
    fn span(&mut self) -> Read<Span> {
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
    fn quoted(&mut self) -> Read<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The canonical text of a condition that has no mistakes.
    fn check(text: &str, expected: &str) {
        let parsed = parse(text);
        assert_eq!(parsed.errors, [], "{text}");
        assert_eq!(parsed.condition.to_string(), expected, "{text}");
        assert_eq!(parse(expected).condition, parsed.condition, "{expected}");
    }

    /// The text under the first mistake, its message and hint.
    fn check_wrong(text: &str, expected: &str) {
        let parsed = parse(text);
        let shown: Vec<String> =
            parsed.errors.iter().map(|e| format!("{:?}: {}; {}", e.range.slice(text), e.message, e.hint)).collect();
        assert_eq!(shown.join("\n"), expected, "{text}");
    }

    #[test]
    fn groups() {
        check("true", "true");
        check("TRUE AND not FALSE", "true and not (false)");
        check("true or false and true", "true or false and true");
        check("(true or false) and true", "(true or false) and true");
        check("true and (false and true)", "true and (false and true)");
        check("true or (false and true)", "true or false and true");
        check("((true))", "true");
        check("not not true", "not (not (true))");
        check("not contact.a = 1 and true", "not (contact.a = 1) and true");
    }

    #[test]
    fn comparisons() {
        check("contact.country=\"DE\"", "contact.country = \"DE\"");
        check("contact.country == 'DE'", "contact.country = \"DE\"");
        check("Contact.a <> 1", "contact.a != 1");
        check("contact.a ≥ 1.50", "contact.a >= 1.5");
        check("trigger.cart_id = event.cart_id", "trigger.cart_id = event.cart_id");
        check("contact.a in ['x', 2, true]", "contact.a in [\"x\", 2, true]");
        check("contact.a not in \"x\"", "contact.a not in [\"x\"]");
        check("contact.a in []", "contact.a in []");
        check("contact.a contains \"x\"", "contact.a contains \"x\"");
        check("contact.a starts  with \"x\"", "contact.a starts with \"x\"");
        check("contact.a ends with \"\\u{e4}\\n\\\"\"", "contact.a ends with \"ä\\n\\\"\"");
        check("contact.a is set or contact.a is NOT set", "contact.a is set or contact.a is not set");
        check("contact.d > 2026-11-23", "contact.d > 2026-11-23");
        check("contact.d > 2026-11-23T10:00:00+01:00", "contact.d > 2026-11-23T09:00:00Z");
        check("contact.price >= 129.5 EUR AND true", "contact.price >= 129.50 EUR and true");
        check("contact.price >= 129 AND true", "contact.price >= 129 and true");
        check("contact.price > 1.005 EUR", "contact.price > 1.01 EUR");
        check("contact.price > 129.6 JPY", "contact.price > 130 JPY");
        check("contact.d <= now", "contact.d <= now");
        check("contact.d <= now-7 days", "contact.d <= now - 1 week");
        check("contact.d <= now + 1 day 2 h", "contact.d <= now + 1 day 2 h");
        check("contact.o = {\"a\": [1], 'b': {}}", "contact.o = {\"a\": [1], \"b\": {}}");
        check("contact.a = -1e3", "contact.a = -1000");
        check("constant.threshold < contact.a.b.0", "constant.threshold < contact.a.b.0");
        check(
            "contact[\"Favourite colour\"].x = contact.first-name",
            "contact[\"Favourite colour\"].x = contact.first-name",
        );
        check("contact[ 'ok' ][0] is set", "contact.ok.0 is set");
    }

    #[test]
    fn events() {
        check("did \"Placed Order\"", "did \"Placed Order\"");
        check("did 'X' at least once ever", "did \"X\"");
        check("did \"X\" at least 1 time", "did \"X\"");
        check("did \"X\" at most 3 times since entry", "did \"X\" at most 3 times since entry");
        check(
            "did \"X\" in the last 7 days exactly twice where (event.a = 1)",
            "did \"X\" where (event.a = 1) exactly 2 times in the last 1 week",
        );
        check(
            "did \"X\" more than 1 time within the last 1 day 2 h",
            "did \"X\" more than 1 time in the last 1 day 2 h",
        );
        check("did \"X\" in the last 7 days fewer than 3 times", "did \"X\" fewer than 3 times in the last 1 week");
        check(
            "never did \"X\" where (event.a = 1 or event.b = 2)",
            "never did \"X\" where (event.a = 1 or event.b = 2)",
        );
        check("did \"X\" exactly 0 times", "never did \"X\"");
        check(
            "sum of event.amount over \"Placed Order\" in the last 30 days >= 100",
            "sum of event.amount over \"Placed Order\" in the last 30 days >= 100",
        );
        check(
            "max of event.seconds over \"V\" where (event.a is set) > 120",
            "max of event.seconds over \"V\" where (event.a is set) > 120",
        );
        check("count of \"X\" >= 3", "did \"X\" at least 3 times");
        check("count of \"X\" since entry != 3", "count of \"X\" since entry != 3");
    }

    #[test]
    fn other_facts() {
        check("on list \"VIP\" and not in segment 'New'", "on list \"VIP\" and not (in segment \"New\")");
        check("email consent is subscribed", "email consent is subscribed");
        check("sms consent is not unsubscribed", "not (sms consent is unsubscribed)");
        check("opened \"mail-1\"", "opened \"mail-1\"");
        check(
            "clicked \"mail-1\" link \"https://x.example\" in the last 2 h",
            "clicked \"mail-1\" link \"https://x.example\" in the last 2 h",
        );
        check("opened any message since entry", "opened any message since entry");
        check("replied \"m\" or bounced \"m\"", "replied to \"m\" or bounced \"m\"");
        check(
            "unsubscribed any message or complained about \"m\"",
            "unsubscribed from any message or complained about \"m\"",
        );
        check("score \"intent\" >= 50", "score \"intent\" >= 50");
        check("score \"intent\" at least 50.5", "score \"intent\" >= 50.5");
        check("local time from 9:00 to 17:00", "local time from 09:00 to 17:00");
        check("local time from 21:00 to 08:00 on Tuesday, mon", "local time from 21:00 to 08:00 on mon, tue");
        check("local time between 09:00 and 10:00 on weekends", "local time from 09:00 to 10:00 on sat, sun");
        check("local time from 09:00 to 10:00 on no day", "local time from 09:00 to 10:00 on no day");
        check("share 20 % salt \"x\"", "share 20 % salt \"x\"");
        check("share 0.25%", "share 0.25 % salt \"\"");
    }

    #[test]
    fn mistakes_point_and_hint() {
        check_wrong("", "\"\": A condition is missing here; For example `contact.country = \"DE\"`");
        check_wrong(
            "lifetime_value > 5",
            "\"lifetime_value\": `lifetime_value` stands alone, so it is not clear whose it is; Write `contact.lifetime_value` for a property of the contact, `trigger.lifetime_value` for one of the trigger event",
        );
        check_wrong("contcat.a = 5", "\"contcat\": `contcat` is no root of values; Did you mean `contact`?");
        check_wrong("contact.a = DE", "\"DE\": `DE` is not a value; Put texts in quotes: `\"DE\"`");
        check_wrong("contact.a => 5", "\"=>\": `=>` is no comparison; Write `>=`");
        check_wrong(
            "contact.a contians \"x\"",
            "\"contians\": A comparison is missing before `contians`; Did you mean `contains`?",
        );
        check_wrong("dd \"X\"", "\"dd\": `dd` stands alone, so it is not clear whose it is; Did you mean `did`?");
        check_wrong("did X", "\"X\": The name of the event is missing; Put names in quotes: `\"X\"`");
        check_wrong(
            "did \"X\" 3 times",
            "\"3\": It is not clear how this number counts; Write `at least 3 times` or `exactly 3 times`",
        );
        check_wrong(
            "did \"X\" wehre (true)",
            "\"wehre\": `and` or `or` is missing before `wehre`; Did you mean `where`?",
        );
        check_wrong(
            "contact.a = 1 contact.b = 2",
            "\"contact.b\": `and` or `or` is missing before `contact.b`; Join conditions with `and` or `or`",
        );
        check_wrong(
            "contact.a = 1,000",
            "\"1,\": Numbers have no thousands separators; Write `1000`, and a point before decimals",
        );
        check_wrong("contact.a = \"x", "\"\\\"\": This quote is not closed; Add the closing quote after the text");
        check_wrong("(true", "\"(\": This `(` is not closed; Add a `)` where the group ends");
        check_wrong("true)", "\")\": This `)` closes nothing; Delete it, or add a `(`");
        check_wrong(
            "5 < contact.a",
            "\"5\": A comparison begins with a value of the contact or an event; Turn it round: `contact.… = …`",
        );
        check_wrong(
            "sum of contact.a over \"X\" > 1",
            "\"contact.a\": Only values of the event can be measured; For example `sum of event.amount over \"Placed Order\"`",
        );
        check_wrong(
            "contact.a = 2026-13-40",
            "\"2026-13-40\": This is neither a date nor an instant; Write `2026-11-23` or `2026-11-23T09:00:00Z`",
        );
        check_wrong(
            "contact.a is 5",
            "\"is\": A comparison is missing before `is`; Write `=` for \"is\", `!=` for \"is not\", or `is set`",
        );
        check_wrong("contact.a = 1 && true", "\"&&\": Conditions are joined with words; Write `and` or `or`");
    }

    #[test]
    fn reading_goes_on_after_mistakes() {
        let text = "contact.a = and (oops or did X) or contact.b = 1 and contact.c ~ 2";
        let parsed = parse(text);
        assert_eq!(parsed.errors.len(), 4, "{:#?}", parsed.errors);
        assert_eq!(parsed.condition.to_string(), "false and (false or false) or contact.b = 1 and false");
        assert_eq!(parsed.references.len(), 3);
    }

    #[test]
    fn hostile_texts_end() {
        for text in [
            "(".repeat(60_000),
            ")".repeat(60_000),
            "not ".repeat(16_000),
            "[".repeat(60_000),
            format!("contact.a = {}", "[".repeat(60_000)),
            "contact.a = \"\\u{".repeat(4_000),
            "and ".repeat(16_000),
            "a".repeat(MAX_TEXT_LEN + 1),
            "a".repeat(MAX_TEXT_LEN),
            "contact".to_owned() + &".a".repeat(20_000),
            "did \"X\" where (".repeat(4_000),
            "\0\u{feff}\u{202e}".repeat(1_000),
        ] {
            let parsed = parse(&text);
            assert!(!parsed.errors.is_empty() && parsed.errors.len() <= MAX_ERRORS, "{:.40}", text);
            let _printed = parsed.condition.to_string();
        }
    }

    #[test]
    fn paths_alone() {
        for (text, expected) in [
            ("event.cart_id", Ok("event.cart_id")),
            (" contact[\"Favourite colour\"].name ", Ok("contact[\"Favourite colour\"].name")),
            ("contact", Err("A name is missing after `contact`")),
            ("evnt.a", Err("A value begins with its root")),
            ("event.a b", Err("The value ends before this")),
        ] {
            let path = Path::parse(text).map(|p| p.to_string()).map_err(|e| e.message);
            assert_eq!(path, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
        let path: Path = serde_json::from_str("\"event.a.0\"").expect("a path");
        assert_eq!(serde_json::to_string(&path).expect("writes"), "\"event.a.0\"");
    }
}
