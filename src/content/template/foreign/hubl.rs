//! HubSpot's templates (HubL) in the mail language.
//!
//! The one idea: HubL is a dialect of the language that ours is a part of, so each tag is read by our own parser; what
//! differs is written the other way first (`personalization_token(…)`, `&&`), and names are given their fields. Whether
//! a text goes back to HubSpot letter by letter is for the caller to find out: not all that is understood is written
//! there. Source: references, hubspot, section 15, and mail rendering, transpile table.

use super::{
    Book, Losses, Read, Wanted,
    django::{Piece, pieces},
    expr, filtered, finish, path, too_long, visible,
};
use crate::{
    audience::{Value, ValueType},
    base::TextRange,
    content::{
        Dialect, Field, FieldSource, platform_property,
        template::{
            RESERVED,
            lower::quoted as quoted_ours,
            shorthand,
            transpile::Part,
            tree::{self, Const, Expr, ExprKind, METHOD_NAMES, Node, Op, Step},
        },
        tracking::unescaped,
    },
};

/// What a contact's property of HubSpot is called in our audiences, where that is not its own name.
///
/// Source: references, hubspot, section 10; the default properties.
pub fn hubspot_contact_name(property: &str) -> &str {
    match property {
        "firstname" => "first_name",
        "lastname" => "last_name",
        "jobtitle" => "job_title",
        "createdate" => "created_at",
        "hs_language" => "language",
        "hs_timezone" => "zone",
        other => other,
    }
}

/// Reads a template of HubSpot: HTML, or a subject, preview text or text part.
///
/// Fields that it needs are in `book`; give the same one for all texts of a flow.
pub fn from_hubl(source: &str, part: Part, book: &mut Book) -> Read {
    if let Some(read) = too_long(source, part) {
        return read;
    }
    let pieces = pieces(source, "raw", "endraw");
    let mut reader =
        Reader { pieces: &pieces, at: 0, part, book, locals: Vec::new(), kept: Losses::new(part), depth: 0 };
    let mut nodes = Vec::new();
    loop {
        nodes.extend(reader.nodes());
        match reader.next() {
            None => break,
            // A closing tag without its opening one.
            Some(piece) => nodes.extend(reader.kept.piece(piece, "it closes nothing")),
        }
    }
    let kept = reader.kept.list;
    finish(&nodes, source, part, kept)
}

/// Most blocks inside each other. Source: assumption; the mail language's own parser stops a little later.
const MAX_DEPTH: usize = 40;

/// A name of a loop: there, and in our text; `None` where the loop was not understood.
type Local = (String, Option<String>);

struct Reader<'a, 'b> {
    pieces: &'a [Piece<'a>],
    at: usize,
    part: Part,
    book: &'b mut Book,
    locals: Vec<Local>,
    kept: Losses,
    depth: usize,
}

/// A word of a tag and its rest, without the signs that take white space away.
fn tag(inside: &str) -> (&str, &str) {
    let inside = plain(inside);
    let (word, rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
    (word, rest.trim())
}

fn plain(inside: &str) -> &str {
    inside.trim().trim_start_matches('-').trim_end_matches('-').trim()
}

impl<'a> Reader<'a, '_> {
    fn next(&mut self) -> Option<Piece<'a>> {
        let piece = self.pieces.get(self.at).copied();
        self.at += 1;
        piece
    }

    /// Nodes until a tag that belongs to a block around, which is left for the caller.
    fn nodes(&mut self) -> Vec<Node> {
        let mut out = Vec::new();
        while let Some(piece) = self.pieces.get(self.at).copied() {
            match piece {
                Piece::Raw(text) => out.push(Node::Raw(text.to_owned())),
                Piece::Print { inside, range } => out.push(self.print(plain(inside), range)),
                Piece::Tag { inside, range, .. } => match tag(inside) {
                    ("if" | "unless" | "for", _) if self.depth >= MAX_DEPTH => {
                        out.extend(self.kept.piece(piece, "blocks lie too deep inside each other"));
                    }
                    ("if", test) => {
                        out.extend(self.block(|reader| reader.branches(test.to_owned(), inside, range)));
                        continue;
                    }
                    ("unless", test) => {
                        let test = format!("not ({test})");
                        out.extend(self.block(|reader| reader.branches(test, inside, range)));
                        continue;
                    }
                    ("for", rest) => {
                        out.extend(self.block(|reader| reader.each(rest, inside, range)));
                        continue;
                    }
                    ("else" | "elif" | "endif" | "endunless" | "endfor", _) => return out,
                    _ => out.extend(self.kept.piece(piece, "the mail language has no such tag")),
                },
            }
            self.at += 1;
        }
        out
    }

    fn block(&mut self, read: impl FnOnce(&mut Self) -> Vec<Node>) -> Vec<Node> {
        self.at += 1;
        self.depth += 1;
        let out = read(self);
        self.depth -= 1;
        out
    }

    fn avoid(&self) -> Vec<String> {
        self.locals.iter().filter_map(|(_, own)| own.clone()).collect()
    }

    // Tags

    fn print(&mut self, inside: &str, range: TextRange) -> Node {
        match self.value(inside) {
            Ok(value) if is_printable(&value) => Node::Print(value),
            Ok(_) => {
                self.kept.add(range, format!("`{inside}` is no text"));
                visible(inside, self.part)
            }
            Err(why) => {
                self.kept.add(range, format!("`{inside}`: {why}"));
                // A filter that is not known leaves the value itself, which is nearer than nothing.
                let bare = before_filters(inside).and_then(|bare| self.value(bare).ok());
                match bare.filter(is_printable) {
                    Some(value) => Node::Print(value),
                    None => visible(inside, self.part),
                }
            }
        }
    }

    /// `{% if %}` up to its end; `first` is what it asks.
    fn branches(&mut self, first: String, inside: &str, range: TextRange) -> Vec<Node> {
        let mut arms: Vec<(Option<Expr>, String, Vec<Node>)> = Vec::new();
        let mut otherwise: Option<Vec<Node>> = None;
        let mut head = (first, inside.to_owned(), range);
        loop {
            let test = match self.condition(&head.0) {
                Ok(test) => Some(test),
                Err(why) => {
                    self.kept.add(head.2, format!("`{}`: {why}", head.1));
                    None
                }
            };
            let body = self.nodes();
            arms.push((test, head.1.clone(), body));
            let Some(Piece::Tag { inside: next, range: place, .. }) = self.next() else {
                self.kept.add(range, format!("`{inside}` is never closed"));
                break;
            };
            match tag(next) {
                ("elif", test) => head = (test.to_owned(), next.to_owned(), place),
                ("else", _) => {
                    otherwise = Some(self.nodes());
                    match self.next() {
                        Some(Piece::Tag { inside, .. }) if matches!(tag(inside).0, "endif" | "endunless") => {}
                        _ => self.kept.add(range, format!("`{inside}` is never closed")),
                    }
                    break;
                }
                ("endif" | "endunless", _) => break,
                _ => {
                    self.kept.add(range, format!("`{inside}` is never closed"));
                    break;
                }
            }
        }
        if arms.iter().all(|(test, ..)| test.is_some()) {
            let mut arms: Vec<(Expr, Vec<Node>)> =
                arms.into_iter().filter_map(|(test, _, body)| test.map(|test| (test, body))).collect();
            // HubL has no `else` of a loop: a condition on the list stands around it.
            if let (1, Some(rest)) = (arms.len(), &otherwise)
                && let (test, body) = &mut arms[0]
                && let [Node::For { items, otherwise, .. }] = body.as_mut_slice()
                && items == test
                && otherwise.is_empty()
            {
                *otherwise = rest.clone();
                return std::mem::take(body);
            }
            return vec![Node::If { arms, otherwise: otherwise.unwrap_or_default() }];
        }
        let mut out = Vec::new();
        for (_, head, body) in arms {
            out.push(visible(&head, self.part));
            out.extend(body);
        }
        if let Some(otherwise) = otherwise {
            out.push(visible("else", self.part));
            out.extend(otherwise);
        }
        out.push(visible("endif", self.part));
        out
    }

    fn each(&mut self, rest: &str, inside: &str, range: TextRange) -> Vec<Node> {
        let known = match rest.split_once(" in ") {
            Some((name, list)) if is_name(name.trim()) => self.list(list.trim()).map(|list| (name.trim(), list)),
            _ => Err("loops of this form do not exist in the mail language".into()),
        };
        let before = self.locals.len();
        let head = match known {
            Ok((name, items)) => {
                let mut var = name.to_owned();
                // A field of the same name would be hidden inside.
                while RESERVED.contains(&var.as_str())
                    || var.starts_with('_')
                    || self.book.found().iter().any(|found| found.field.name == var)
                {
                    var = format!("one_{}", var.trim_start_matches('_'));
                }
                self.locals.push((name.to_owned(), Some(var.clone())));
                Some((var, items))
            }
            Err(why) => {
                self.kept.add(range, format!("`{inside}`: {why}"));
                let names = rest.split(" in ").next().unwrap_or("").split(',');
                self.locals.extend(names.take(4).map(|name| (name.trim().to_owned(), None)));
                None
            }
        };
        let body = self.nodes();
        self.locals.truncate(before);
        match self.next() {
            Some(Piece::Tag { inside, .. }) if tag(inside).0 == "endfor" => {}
            _ => self.kept.add(range, format!("`{inside}` is never closed")),
        }
        match head {
            Some((var, items)) => vec![Node::For { var, items, body, otherwise: Vec::new() }],
            None => {
                let mut out = vec![visible(inside, self.part)];
                out.extend(body);
                out.push(visible("endfor", self.part));
                out
            }
        }
    }

    fn list(&mut self, text: &str) -> Result<Expr, String> {
        let items = self.value(text)?;
        let root = match &items.kind {
            ExprKind::Path { root, steps } if steps.is_empty() => Some(root.clone()),
            ExprKind::Path { .. } => None,
            ExprKind::Slice { of, .. } => match &of.kind {
                ExprKind::Path { root, steps } if steps.is_empty() => Some(root.clone()),
                _ => None,
            },
            _ => return Err("a loop goes over a list, or the first so many of it".into()),
        };
        if let Some(root) = root {
            self.book.evidence(&root, ValueType::List);
        }
        Ok(items)
    }

    // Values and conditions

    fn condition(&mut self, text: &str) -> Result<Expr, String> {
        let text = text.trim();
        let test = self.value(text)?;
        let test = if is_wrapped(text) { test } else { undefine(test) };
        Ok(negated(test, text.contains("not ((")))
    }

    /// A value or condition with its names as fields.
    fn value(&mut self, text: &str) -> Result<Expr, String> {
        let ours = in_our_words(text, self.part)?;
        let read = tree::condition(&shorthand::expand_condition(&ours)).map_err(|refusals| {
            refusals
                .into_iter()
                .next()
                .map_or_else(|| "it cannot be read".to_owned(), |refusal| lower(&refusal.message))
        })?;
        self.named(&read)
    }

    fn named(&mut self, read: &Expr) -> Result<Expr, String> {
        let both = |a: &Expr, b: &Expr, reader: &mut Self| {
            Ok::<_, String>((Box::new(reader.named(a)?), Box::new(reader.named(b)?)))
        };
        Ok(expr(match &read.kind {
            ExprKind::Path { root, steps } => return self.path(root, steps),
            ExprKind::Const(constant) => ExprKind::Const(constant.clone()),
            ExprKind::Slice { of, start, stop } => {
                ExprKind::Slice { of: Box::new(self.named(of)?), start: *start, stop: *stop }
            }
            ExprKind::Filter { of, name, args } => return Ok(filtered(self.named(of)?, name, args.clone())),
            ExprKind::Not(of) => ExprKind::Not(Box::new(self.named(of)?)),
            ExprKind::Defined(of) => ExprKind::Defined(Box::new(self.named(of)?)),
            ExprKind::And(a, b) => {
                let (a, b) = both(a, b, self)?;
                ExprKind::And(a, b)
            }
            ExprKind::Or(a, b) => {
                let (a, b) = both(a, b, self)?;
                // 0 is a value too: this is how an export asks whether something is there.
                match &b.kind {
                    ExprKind::Compare(Op::Eq, again, zero)
                        if *again == a && zero.kind == ExprKind::Const(Const::Int(0)) =>
                    {
                        ExprKind::Defined(a)
                    }
                    _ => ExprKind::Or(a, b),
                }
            }
            ExprKind::Compare(op, a, b) => {
                let (a, b) = both(a, b, self)?;
                for (side, other) in [(&a, &b), (&b, &a)] {
                    self.evidence(side, other, *op);
                }
                ExprKind::Compare(*op, a, b)
            }
        }))
    }

    fn evidence(&mut self, side: &Expr, other: &Expr, op: Op) {
        let (ExprKind::Path { root, steps }, ExprKind::Const(constant)) = (&side.kind, &other.kind) else { return };
        let kind = match constant {
            // What is asked of 0 may be asked of anything.
            Const::Int(0) if op == Op::Eq => return,
            Const::Int(_) | Const::Float(_) => ValueType::Number,
            Const::Bool(_) => ValueType::Bool,
            Const::Text(_) => return,
        };
        if steps.is_empty() {
            self.book.evidence(root, kind);
        }
    }

    /// A name of a loop, a link, or a field.
    fn path(&mut self, root: &str, steps: &[Step]) -> Result<Expr, String> {
        if root == "loop" {
            return Ok(path(root, steps.to_vec()));
        }
        if let Some((_, own)) = self.locals.iter().rev().find(|(name, _)| name == root) {
            let own = own.as_ref().ok_or("it belongs to a loop that is not understood")?;
            return Ok(path(own.clone(), steps.to_vec()));
        }
        let link = match root {
            "unsubscribe_link_all" => Some("unsubscribe_url"),
            "unsubscribe_link" => Some("preferences_url"),
            "view_as_page_url" => Some("view_url"),
            _ => None,
        };
        if let Some(link) = link.filter(|_| steps.is_empty()) {
            return Ok(path(link, Vec::new()));
        }
        let (Some(Step::Name(name)), rest) = (steps.first(), steps.get(1..).unwrap_or_default()) else {
            return Err(format!("`{root}` is not known"));
        };
        if METHOD_NAMES.contains(&name.as_str()) {
            return Err(format!("a property called `{name}` has no name here"));
        }
        let access = format!("{root}.{name}");
        let mut constant = None;
        let (source, wanted) = match root {
            "contact" => {
                let own = hubspot_contact_name(name);
                (FieldSource::Contact(own.into()), own.to_owned())
            }
            // What the company of a contact is called; companies themselves are not known here.
            "company" | "account" => {
                let own = super::clean_name(&format!("company {name}"));
                (FieldSource::Contact(own.as_str().into()), own)
            }
            "site_settings" => {
                let own = super::clean_name(name);
                constant = Some(Value::text(format!("⟨{}⟩", own.replace('_', " "))));
                (FieldSource::Constant(own.as_str().into()), own)
            }
            _ => return Err(format!("`{root}` is not known: neither contact, company, account nor a name around it")),
        };
        let derived = platform_property(&Field::new(&wanted, ValueType::Text, source.clone()), Dialect::Hubspot);
        let hubspot = match root {
            "contact" => (derived.as_deref() != Some(name.as_str())).then(|| name.clone()),
            "site_settings" => None,
            _ => Some(access.clone()),
        };
        let avoid = self.avoid();
        let wanted = Wanted { access: &access, source, name: &wanted, klaviyo: None, hubspot, constant };
        let field = self.book.name(wanted, &avoid).ok_or("the flow has too many fields")?;
        Ok(path(field, rest.to_vec()))
    }
}

fn is_printable(value: &Expr) -> bool {
    matches!(
        value.kind,
        ExprKind::Path { .. } | ExprKind::Filter { .. } | ExprKind::Const(Const::Text(_) | Const::Int(_))
    )
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The refusal of our own parser as the reason in a sentence.
fn lower(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// "Is there" that stands alone without parentheses was a plain "or".
fn undefine(test: Expr) -> Expr {
    match test.kind {
        ExprKind::Defined(of) => {
            let zero = expr(ExprKind::Compare(Op::Eq, of.clone(), Box::new(expr(ExprKind::Const(Const::Int(0))))));
            expr(ExprKind::Or(of, Box::new(zero)))
        }
        kind => expr(kind),
    }
}

/// The same for one that is denied: `not ((x or x == 0))` was asked, `not (x or x == 0)` was written.
fn negated(test: Expr, doubled: bool) -> Expr {
    match test.kind {
        ExprKind::Not(of) if !doubled => expr(ExprKind::Not(Box::new(undefine(*of)))),
        kind => expr(kind),
    }
}

/// Whether the first parenthesis closes with the last one.
fn is_wrapped(text: &str) -> bool {
    if !text.starts_with('(') {
        return false;
    }
    let mut depth = 0_i32;
    for (at, c) in outside_quotes(text) {
        match c {
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1 == text.len();
                }
            }
            _ => {}
        }
    }
    false
}

/// Letters outside of quoted texts with their places.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    text.char_indices().filter(move |(_, c)| match quote {
        Some(_) if escaped => {
            escaped = false;
            false
        }
        Some(_) if *c == '\\' => {
            escaped = true;
            false
        }
        Some(open) => {
            if *c == open {
                quote = None;
            }
            false
        }
        None if *c == '\'' || *c == '"' => {
            quote = Some(*c);
            false
        }
        None => true,
    })
}

/// What stands before the first filter, where there is one.
fn before_filters(text: &str) -> Option<&str> {
    let at = outside_quotes(text).find(|(at, c)| *c == '|' && !text[at + 1..].starts_with('|')).map(|(at, _)| at)?;
    Some(text[..at].trim()).filter(|bare| !bare.is_empty())
}

/// HubL's own ways of saying things in ours.
fn in_our_words(text: &str, part: Part) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 16);
    let mut done = 0;
    for (at, c) in outside_quotes(text).collect::<Vec<_>>() {
        if at < done {
            continue;
        }
        let rest = &text[at..];
        let starts_word = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        let (ours, len) = if rest.starts_with("&&") {
            (" and ".to_owned(), 2)
        } else if rest.starts_with("||") {
            (" or ".to_owned(), 2)
        } else if c == '!' && !rest.starts_with("!=") {
            ("not ".to_owned(), 1)
        } else if c == '?' {
            return Err("a choice inside a tag does not exist in the mail language".into());
        } else if starts_word && rest.starts_with("personalization_token(") {
            call(rest, part, token)?
        } else if starts_word && rest.starts_with("format_datetime(") {
            call(rest, part, date)?
        } else if rest.starts_with("default(") || rest.starts_with("default (") {
            call(rest, part, default)?
        } else {
            continue;
        };
        out.push_str(&text[done..at]);
        out.push_str(&ours);
        done = at + len;
    }
    out.push_str(&text[done..]);
    Ok(out)
}

/// A call at the start of a text, written by `write` from its arguments; and how long it is.
fn call(
    text: &str,
    part: Part,
    write: impl Fn(&[&str], Part) -> Result<String, String>,
) -> Result<(String, usize), String> {
    let open = text.find('(').ok_or("it is no call")?;
    let (mut depth, mut start, mut args) = (0_i32, open + 1, Vec::new());
    for (at, c) in outside_quotes(text).filter(|(at, _)| *at >= open) {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => {
                depth -= 1;
                if depth == 0 {
                    args.push(text[start..at].trim());
                    return Ok((write(&args, part)?, at + 1));
                }
            }
            ',' if depth == 1 => {
                args.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    Err("a parenthesis is never closed".into())
}

/// `personalization_token('contact.firstname', 'there')`
fn token(args: &[&str], part: Part) -> Result<String, String> {
    let (name, words) = match args {
        [name] => (quoted(name), None),
        [name, words] => (quoted(name), Some(quoted(words).ok_or("its fallback is no text")?)),
        _ => return Err("this form of a token is not known".into()),
    };
    let name = name.filter(|name| name.split('.').all(is_name)).ok_or("it does not name a property")?;
    let Some(words) = words else { return Ok(name) };
    let words = if part == Part::Html { unescaped(&words).into_owned() } else { words };
    Ok(format!("{name}|default({}, true)", quoted_ours(&words)))
}

/// `format_datetime(today(), 'd MMMM yyyy')`
fn date(args: &[&str], _: Part) -> Result<String, String> {
    let [now, pattern] = args else { return Err("this form of a date is not known".into()) };
    let pattern = quoted(pattern).and_then(|pattern| our_pattern(&pattern));
    match (now.replace(' ', "") == "today()", pattern) {
        (true, Some(pattern)) => Ok(format!("\"now\"|date_fmt({})", quoted_ours(&pattern))),
        _ => Err("a date with a pattern that the mail language lacks".into()),
    }
}

/// `default('there')` also stands in for nothing, as ours does with its second value.
fn default(args: &[&str], _: Part) -> Result<String, String> {
    match args {
        [words] => Ok(format!("default({words}, true)")),
        args => Ok(format!("default({})", args.join(", "))),
    }
}

/// The text between quotes.
fn quoted(text: &str) -> Option<String> {
    let open = text.chars().next().filter(|c| *c == '\'' || *c == '"')?;
    let inside = text.strip_prefix(open)?.strip_suffix(open)?;
    let mut out = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                other => out.push(other),
            },
            c if c == open => return None,
            c => out.push(c),
        }
    }
    Some(out)
}

/// A pattern in Java's letters as one of ours; the inverse of what an export writes.
fn our_pattern(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            for literal in chars.by_ref() {
                if literal == '\'' {
                    break;
                }
                out.push(literal);
            }
            continue;
        }
        if !c.is_ascii_alphabetic() {
            match c {
                '%' => out.push_str("%%"),
                c => out.push(c),
            }
            continue;
        }
        let mut run = String::from(c);
        while let Some(next) = chars.next_if_eq(&c) {
            run.push(next);
        }
        let ours = match run.as_str() {
            "dd" => "%d",
            "d" => "%-d",
            "MM" => "%m",
            "M" => "%-m",
            "MMMM" => "%B",
            "MMM" => "%b",
            "yyyy" | "y" => "%Y",
            "yy" => "%y",
            "EEEE" => "%A",
            "EEE" | "E" | "EE" => "%a",
            "HH" => "%H",
            "H" => "%-H",
            "mm" => "%M",
            _ => return None,
        };
        out.push_str(ours);
    }
    Some(out)
}
