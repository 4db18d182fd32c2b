//! What Klaviyo's templates mean in the mail language: names, filters, tags.
//!
//! Source: references, klaviyo, sections 12 and 13. What Klaviyo prints as nothing where a value is missing is a tag
//! without a fallback here, so that the check for fallbacks tells of it.

use super::{
    Book, Losses, Read, Wanted,
    django::{Argument, Base, Piece, Piped, Test, piece_list, piped, test, words},
    expr, filtered, finish, guards, path, too_long, visible,
};
use crate::{
    audience::{Value, ValueType},
    base::TextRange,
    content::{
        FieldSource,
        markup::escape,
        template::{
            RESERVED,
            transpile::{
                Part,
                klaviyo::{contact_access, django_step, dotted},
            },
            tree::{Const, Expr, ExprKind, METHOD_NAMES, Node, Op, Step},
        },
        tracking::unescaped,
    },
};

/// Reads a template of Klaviyo: HTML, or a subject, preview text, text part or SMS.
///
/// Fields that it needs are in `book`; give the same one for all texts of a flow.
pub fn from_klaviyo(source: &str, part: Part, book: &mut Book) -> Read {
    if let Some(read) = too_long(source, part) {
        return read;
    }
    let pieces = piece_list(source);
    let mut reader = Reader {
        pieces: &pieces,
        at: 0,
        part,
        book,
        scope: Vec::new(),
        globals: Vec::new(),
        kept: Losses::new(part),
        depth: 0,
    };
    let mut nodes = Vec::new();
    loop {
        nodes.extend(reader.nodes(&[]));
        match reader.next() {
            None => break,
            // A closing tag without its opening one.
            Some(piece) => nodes.extend(reader.kept.piece(piece, "it closes nothing")),
        }
    }
    let kept = reader.kept.list;
    finish(&nodes, source, part, kept)
}

/// What a name stands for inside a block.
#[derive(Clone)]
enum Meaning {
    /// The name of a loop, under the name it has in our text.
    Loop(String),
    /// What `{% with %}` or `{% today … as %}` gave it.
    Alias(Expr),
    /// It came from something that is not understood.
    Lost,
}

struct Reader<'a, 'b> {
    pieces: &'a [Piece<'a>],
    at: usize,
    part: Part,
    book: &'b mut Book,
    /// Names of the blocks around, innermost last.
    scope: Vec<(String, Meaning)>,
    /// Names that stay until the end of the text.
    globals: Vec<(String, Meaning)>,
    kept: Losses,
    depth: usize,
}

/// Most blocks inside each other. Source: assumption; the mail language's own parser stops a little later.
const MAX_DEPTH: usize = 40;

impl<'a> Reader<'a, '_> {
    fn next(&mut self) -> Option<Piece<'a>> {
        let piece = self.pieces.get(self.at).copied();
        self.at += 1;
        piece
    }

    /// Nodes until a tag whose word is among `ends`, which is left for the caller; any closing tag ends them at the
    /// top.
    fn nodes(&mut self, ends: &[&str]) -> Vec<Node> {
        let mut out = Vec::new();
        while let Some(piece) = self.pieces.get(self.at).copied() {
            match piece {
                Piece::Raw(text) => out.push(Node::Raw(text.to_owned())),
                Piece::Print { inside, range } => out.push(self.print(inside, range)),
                Piece::Tag { word, .. } if ends.contains(&word) => return out,
                Piece::Tag { word: "if" | "for" | "with", .. } if self.depth >= MAX_DEPTH => {
                    out.extend(self.kept.piece(piece, "blocks lie too deep inside each other"));
                }
                Piece::Tag { word: "else" | "elif" | "empty" | "endif" | "endfor" | "endwith", .. } => {
                    if ends.is_empty() {
                        return out;
                    }
                    out.extend(self.kept.piece(piece, "it closes nothing"));
                }
                Piece::Tag { word, rest, inside, range } => {
                    self.at += 1;
                    self.depth += 1;
                    match word {
                        "if" => out.extend(self.branches(rest, inside, range)),
                        "for" => out.extend(self.each(rest, inside, range)),
                        "with" => out.extend(self.with(rest, inside, range)),
                        _ => out.extend(self.tag(word, rest, inside, range)),
                    }
                    self.depth -= 1;
                    continue;
                }
            }
            self.at += 1;
        }
        out
    }

    fn locals(&self) -> Vec<String> {
        self.scope
            .iter()
            .filter_map(|(_, meaning)| match meaning {
                Meaning::Loop(name) => Some(name.clone()),
                _ => None,
            })
            .collect()
    }

    // Tags

    fn print(&mut self, inside: &str, range: TextRange) -> Node {
        match self.value(inside, Some(range)) {
            Ok(value) => match value.kind {
                // Conditions and parts of lists cannot be printed in the mail language.
                ExprKind::Path { .. } | ExprKind::Filter { .. } | ExprKind::Const(Const::Text(_) | Const::Int(_)) => {
                    Node::Print(value)
                }
                _ => {
                    self.kept.add(range, format!("`{inside}` is no text"));
                    visible(inside, self.part)
                }
            },
            Err(why) => {
                self.kept.add(range, format!("`{inside}`: {why}"));
                visible(inside, self.part)
            }
        }
    }

    fn branches(&mut self, rest: &str, inside: &str, range: TextRange) -> Vec<Node> {
        let mut arms: Vec<(Option<Expr>, String, Vec<Node>)> = Vec::new();
        let mut otherwise: Option<Vec<Node>> = None;
        let mut head = (rest.to_owned(), inside.to_owned(), range);
        loop {
            let test = match self.condition(&head.0) {
                Ok(test) => Some(test),
                Err(why) => {
                    self.kept.add(head.2, format!("`{}`: {why}", head.1));
                    None
                }
            };
            let body = self.nodes(&["elif", "else", "endif"]);
            arms.push((test, head.1.clone(), body));
            match self.next() {
                Some(Piece::Tag { word: "elif", rest, inside, range }) => {
                    head = (rest.to_owned(), inside.to_owned(), range);
                }
                Some(Piece::Tag { word: "else", .. }) => {
                    otherwise = Some(self.nodes(&["endif"]));
                    if self.next().is_none() {
                        self.kept.add(range, format!("`{inside}` is never closed"));
                    }
                    break;
                }
                Some(_) => break,
                None => {
                    self.kept.add(range, format!("`{inside}` is never closed"));
                    break;
                }
            }
        }
        if arms.iter().all(|(test, ..)| test.is_some()) {
            let locals = self.locals();
            if let [(Some(test), _, body)] = arms.as_slice()
                && let Some(node) = guards::collapse(test, body, otherwise.as_deref(), self.part, self.book, &locals)
            {
                return vec![node];
            }
            for (test, ..) in &arms {
                test.iter().for_each(|test| self.compared_with_zero(test));
            }
            let arms = arms.into_iter().filter_map(|(test, _, body)| test.map(|test| (test, body))).collect();
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
        let known = match words(rest).as_slice() {
            [name, "in", list] => self.list(list).map(|items| ((*name).to_owned(), items)),
            _ => Err("loops of this form do not exist in the mail language".into()),
        };
        let num_outer = self.scope.len();
        let head = match known {
            Ok((name, items)) => {
                let mut var = name.clone();
                // A field of the same name would be hidden inside.
                while RESERVED.contains(&var.as_str())
                    || var.starts_with('_')
                    || self.book.found().iter().any(|found| found.field.name == var)
                {
                    var = format!("one_{}", var.trim_start_matches('_'));
                }
                self.scope.push((name, Meaning::Loop(var.clone())));
                Some((var, items))
            }
            Err(why) => {
                self.kept.add(range, format!("`{inside}`: {why}"));
                let names = rest.split(" in ").next().unwrap_or("").split(',').map(|name| name.trim().to_owned());
                self.scope.extend(names.take(4).map(|name| (name, Meaning::Lost)));
                None
            }
        };
        let body = self.nodes(&["empty", "endfor"]);
        self.scope.truncate(num_outer);
        let mut otherwise = Vec::new();
        match self.next() {
            Some(Piece::Tag { word: "empty", .. }) => {
                otherwise = self.nodes(&["endfor"]);
                if self.next().is_none() {
                    self.kept.add(range, format!("`{inside}` is never closed"));
                }
            }
            Some(_) => {}
            None => self.kept.add(range, format!("`{inside}` is never closed")),
        }
        match head {
            Some((var, items)) => vec![Node::For { var, items, body, otherwise }],
            None => {
                let mut out = vec![visible(inside, self.part)];
                out.extend(body);
                out.push(visible("endfor", self.part));
                out
            }
        }
    }

    /// The list of a loop: a field, or a part of one.
    fn list(&mut self, text: &str) -> Result<Expr, String> {
        let mut piped = piped(text)?;
        let slice = match piped.filters.as_slice() {
            [] => None,
            [("slice", Some(Argument::Const(Const::Text(bounds))))] => Some(slice_bounds(bounds)?),
            _ => return Err("a loop goes over a list, or the first so many of it".into()),
        };
        piped.filters.clear();
        let of = self.base(&piped, false)?;
        let ExprKind::Path { root, steps } = &of.kind else { return Err("a loop goes over a list".into()) };
        if steps.is_empty() {
            self.book.evidence(root, ValueType::List);
        }
        Ok(match slice {
            None => of,
            Some((start, stop)) => expr(ExprKind::Slice { of: Box::new(of), start, stop }),
        })
    }

    /// `{% with a=b %}`: the mail language has no such names, so the value takes their place.
    fn with(&mut self, rest: &str, inside: &str, range: TextRange) -> Vec<Node> {
        let num_before = self.scope.len();
        let words = words(rest);
        let pairs: Vec<(&str, &str)> = match words.as_slice() {
            [value, "as", name] => vec![(*name, *value)],
            pairs => pairs.iter().filter_map(|pair| pair.split_once('=')).collect(),
        };
        for (name, value) in pairs {
            let meaning = match self.value(value, None) {
                Ok(value) => Meaning::Alias(value),
                Err(why) => {
                    self.kept.add(range, format!("`{inside}`: {why}"));
                    Meaning::Lost
                }
            };
            self.scope.push((name.to_owned(), meaning));
        }
        let body = self.nodes(&["endwith"]);
        if self.next().is_none() {
            self.kept.add(range, format!("`{inside}` is never closed"));
        }
        self.scope.truncate(num_before);
        body
    }

    fn tag(&mut self, word: &str, rest: &str, inside: &str, range: TextRange) -> Vec<Node> {
        let link = |name: &str| Node::Print(path(name, Vec::new()));
        let now = |pattern: &str| {
            let now = expr(ExprKind::Const(Const::Text("now".into())));
            Node::Print(filtered(now, "date_fmt", vec![Const::Text(pattern.into())]))
        };
        match word {
            "unsubscribe_link" => vec![link("unsubscribe_url")],
            "manage_preferences_link" => vec![link("preferences_url")],
            "web_view_link" => vec![link("view_url")],
            "unsubscribe" => self.link("unsubscribe_url", "Unsubscribe", rest),
            "manage_preferences" => self.link("preferences_url", "Manage preferences", rest),
            "web_view" => self.link("view_url", "View in browser", rest),
            "current_day" => vec![now("%-d")],
            "current_weekday" => vec![now("%A")],
            "current_month" => vec![now("%-m")],
            "current_month_name" => vec![now("%B")],
            "current_year" => vec![now("%Y")],
            // Mails that are no HTML are not escaped here either.
            "autoescape" | "endautoescape" if self.part == Part::Plain => Vec::new(),
            "currency_format" => match self.value(rest, None) {
                Ok(value) => {
                    self.number(&value);
                    vec![Node::Print(filtered(value, "money", Vec::new()))]
                }
                Err(why) => self.unknown(inside, range, &why),
            },
            "today" => {
                let words = words(rest);
                match words.as_slice() {
                    [pattern, "as", name] => match piped(pattern).map(|piped| piped.base) {
                        Ok(Base::Const(Const::Text(pattern))) if is_our_pattern(&pattern) => {
                            let Node::Print(now) = now(&pattern) else { return Vec::new() };
                            self.globals.push(((*name).to_owned(), Meaning::Alias(now)));
                            Vec::new()
                        }
                        _ => self.unknown(inside, range, "a pattern with letters that the mail language lacks"),
                    },
                    _ => self.unknown(inside, range, "this form is not known"),
                }
            }
            "coupon_code" => {
                let words = words(rest);
                match words.first().map(|word| piped(word).map(|piped| piped.base)) {
                    Some(Ok(Base::Const(Const::Text(name)))) if !name.is_empty() => {
                        if words.len() > 1 {
                            self.kept.add(range, format!("`{inside}`: only a code's name is understood"));
                        }
                        let avoid = self.locals();
                        let wanted = Wanted {
                            access: &format!("coupon_code {name}"),
                            source: FieldSource::Code { pool: name.as_str().into() },
                            name: &format!("{name} code"),
                            klaviyo: None,
                            hubspot: None,
                            constant: None,
                        };
                        match self.book.name(wanted, &avoid) {
                            Some(name) => vec![Node::Print(path(name, Vec::new()))],
                            None => self.unknown(inside, range, "the flow has too many fields"),
                        }
                    }
                    _ => self.unknown(inside, range, "it does not name a coupon"),
                }
            }
            _ => self.unknown(inside, range, "the mail language has no such tag"),
        }
    }

    fn unknown(&mut self, inside: &str, range: TextRange, why: &str) -> Vec<Node> {
        self.kept.add(range, format!("`{inside}`: {why}"));
        vec![visible(inside, self.part)]
    }

    /// A link with words, as Klaviyo writes it; in a text the address alone.
    fn link(&mut self, name: &str, words: &str, rest: &str) -> Vec<Node> {
        let address = Node::Print(path(name, Vec::new()));
        if self.part == Part::Plain {
            return vec![address];
        }
        let given = match piped(rest).map(|piped| piped.base) {
            Ok(Base::Const(Const::Text(text))) => Some(text),
            _ => None,
        };
        let words = given.map_or_else(|| escape(words), |text| escape(&unescaped(&text)));
        vec![Node::Raw("<a href=\"".into()), address, Node::Raw(format!("\">{words}</a>"))]
    }

    // Conditions

    fn condition(&mut self, text: &str) -> Result<Expr, String> {
        let test = test(text)?;
        self.test(&test)
    }

    fn test(&mut self, test: &Test<'_>) -> Result<Expr, String> {
        let both = |a: Expr, b: Expr, join: fn(Box<Expr>, Box<Expr>) -> ExprKind| expr(join(Box::new(a), Box::new(b)));
        Ok(match test {
            Test::Value(value) => self.piped(value, None)?,
            Test::Not(of) => expr(ExprKind::Not(Box::new(self.test(of)?))),
            Test::And(a, b) => both(self.test(a)?, self.test(b)?, ExprKind::And),
            Test::Or(a, b) => both(self.test(a)?, self.test(b)?, ExprKind::Or),
            Test::Compare(op, a, b) => self.compare(*op, a, b)?,
            Test::NotIn(a, b) => expr(ExprKind::Not(Box::new(self.compare(Op::In, a, b)?))),
        })
    }

    fn compare(&mut self, op: Op, a: &Piped<'_>, b: &Piped<'_>) -> Result<Expr, String> {
        let (a, b) = (self.piped(a, None)?, self.piped(b, None)?);
        for (side, other) in [(&a, &b), (&b, &a)] {
            let (ExprKind::Path { root, steps }, ExprKind::Const(constant)) = (&side.kind, &other.kind) else {
                continue;
            };
            let kind = match constant {
                // What stands around a tag says nothing of its kind; see `compared_with_zero`.
                Const::Int(0) if op == Op::Eq => continue,
                Const::Int(_) | Const::Float(_) => ValueType::Number,
                Const::Bool(_) => ValueType::Bool,
                Const::Text(_) => continue,
            };
            if steps.is_empty() {
                self.book.evidence(root, kind);
            }
        }
        Ok(expr(ExprKind::Compare(op, Box::new(a), Box::new(b))))
    }

    /// Takes what is compared with 0 for a number, once it is known to be more than a guard of a tag.
    fn compared_with_zero(&mut self, test: &Expr) {
        match &test.kind {
            ExprKind::Not(of) => self.compared_with_zero(of),
            ExprKind::And(a, b) | ExprKind::Or(a, b) => {
                self.compared_with_zero(a);
                self.compared_with_zero(b);
            }
            ExprKind::Compare(Op::Eq, a, b) if b.kind == ExprKind::Const(Const::Int(0)) => self.number(a),
            _ => {}
        }
    }

    // Values

    /// A value with filters. Where `range` is given, a filter that is not known is left out and said; else it refuses
    /// the whole.
    fn value(&mut self, text: &str, range: Option<TextRange>) -> Result<Expr, String> {
        let piped = piped(text)?;
        self.piped(&piped, range)
    }

    fn piped(&mut self, piped: &Piped<'_>, range: Option<TextRange>) -> Result<Expr, String> {
        let mut filters = piped.filters.as_slice();
        let no_none = matches!(
            filters,
            [("default_if_none", Some(Argument::Const(Const::Text(text)))), ..] if text.is_empty()
        );
        if no_none {
            filters = &filters[1..];
        }
        let mut value = self.base(piped, no_none)?;
        while let [(name, argument), rest @ ..] = filters {
            filters = rest;
            // A date is two filters there and one here.
            if *name == "format_date_string"
                && let [("date", Some(Argument::Const(Const::Text(pattern)))), rest @ ..] = filters
                && let Some(pattern) = our_pattern(pattern)
            {
                filters = rest;
                self.evidence(&value, ValueType::Date);
                value = filtered(value, "date_fmt", vec![Const::Text(pattern)]);
                continue;
            }
            match self.filter(name, argument.as_ref()) {
                Some((ours, args)) => {
                    if ours == "number" {
                        self.number(&value);
                    }
                    value = filtered(value, ours, args);
                }
                None => {
                    let why = format!("the mail language has no filter `{name}` of this form");
                    let Some(range) = range else { return Err(why) };
                    self.kept.add(range, format!("`{}`: {why}", piped.written));
                }
            }
        }
        Ok(value)
    }

    fn number(&mut self, value: &Expr) {
        self.evidence(value, ValueType::Number);
    }

    fn evidence(&mut self, value: &Expr, kind: ValueType) {
        if let ExprKind::Path { root, steps } = &value.kind
            && steps.is_empty()
        {
            self.book.evidence(root, kind);
        }
    }

    /// Our filter for one of theirs.
    fn filter(&self, name: &str, argument: Option<&Argument>) -> Option<(&'static str, Vec<Const>)> {
        let constant = match argument {
            None => None,
            Some(Argument::Const(constant)) => Some(constant),
            Some(Argument::Variable) => return None,
        };
        let text = |text: &str| match self.part {
            Part::Html => unescaped(text).into_owned(),
            Part::Plain => text.to_owned(),
        };
        Some(match (name, constant) {
            ("default" | "default_if_none", Some(Const::Text(words))) => {
                ("default", vec![Const::Text(text(words)), Const::Bool(true)])
            }
            ("default", Some(other @ (Const::Int(_) | Const::Float(_)))) => {
                ("default", vec![other.clone(), Const::Bool(true)])
            }
            ("upper" | "upcase", None) => ("upper", Vec::new()),
            ("lower" | "downcase", None) => ("lower", Vec::new()),
            ("length" | "count" | "size", None) => ("length", Vec::new()),
            ("safe", None) => ("safe", Vec::new()),
            ("urlencode", None) => ("urlencode", Vec::new()),
            ("join", Some(Const::Text(separator))) => ("join", vec![Const::Text(text(separator))]),
            ("truncatechars", Some(Const::Int(most))) if *most > 0 => ("truncate_chars", vec![Const::Int(*most)]),
            ("floatformat", Some(Const::Int(decimals))) if (0..=6).contains(decimals) => {
                ("number", vec![Const::Int(*decimals)])
            }
            ("yesno", Some(Const::Text(words))) => match words.split(',').collect::<Vec<_>>().as_slice() {
                [yes, no] => ("yes_no", vec![Const::Text(text(yes)), Const::Text(text(no))]),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// What a value begins with. `inside_object` where the way it is written says that its kind is not known to us.
    fn base(&mut self, piped: &Piped<'_>, inside_object: bool) -> Result<Expr, String> {
        let steps = match &piped.base {
            Base::Const(constant) => return Ok(expr(ExprKind::Const(constant.clone()))),
            Base::Nothing => return Err("`None` is no value of the mail language".into()),
            Base::Path(steps) => steps,
        };
        let Some((Step::Name(root), steps)) = steps.split_first() else { return Err("it begins with no name".into()) };
        if let Some((_, meaning)) =
            self.scope.iter().rev().chain(self.globals.iter().rev()).find(|(name, _)| name == root)
        {
            let (root, before) = match meaning {
                Meaning::Loop(name) => (name.clone(), Vec::new()),
                Meaning::Alias(Expr { kind: ExprKind::Path { root, steps }, .. }) => (root.clone(), steps.clone()),
                Meaning::Alias(other) if steps.is_empty() => return Ok(other.clone()),
                Meaning::Alias(_) => return Err(format!("`{root}` has no parts")),
                Meaning::Lost => return Err(format!("`{root}` comes from what is not understood")),
            };
            let steps = [before, our_steps(steps)?].concat();
            return Ok(path(root, steps));
        }
        if root == "forloop" {
            let ours = match steps {
                [Step::Name(name)] => match name.as_str() {
                    "counter" => "index",
                    "counter0" => "index0",
                    "first" => "first",
                    "last" => "last",
                    "revcounter" => "revindex",
                    "revcounter0" => "revindex0",
                    _ => return Err(format!("`forloop.{name}` does not exist here")),
                },
                _ => return Err("only the counters of the nearest loop exist here".into()),
            };
            return if self.locals().is_empty() {
                Err("there is no loop around it".into())
            } else {
                Ok(path("loop", vec![Step::Name(ours.into())]))
            };
        }
        // "None" is kept away only from what may be no text: a number, or what lies inside an object.
        if inside_object && steps.len() > 1 && matches!(root.as_str(), "event" | "person") {
            let (first, rest) = steps.split_at(1);
            if let Ok(rest) = our_steps(rest) {
                let name = self.field(root, first, None)?;
                self.book.evidence(&name, ValueType::Object);
                return Ok(path(name, rest));
            }
        }
        let name = self.field(root, steps, Some(piped.written))?;
        if inside_object {
            self.book.evidence(&name, ValueType::Number);
        }
        Ok(path(name, Vec::new()))
    }

    /// The field for a value of the profile, the event or the account.
    fn field(&mut self, root: &str, steps: &[Step], written: Option<&str>) -> Result<smol_str::SmolStr, String> {
        let texts: Vec<String> = steps
            .iter()
            .map(|step| match step {
                Step::Name(name) => name.clone(),
                Step::Index(n) => n.to_string(),
            })
            .collect();
        let joined = texts.join(".");
        let (source, name, derived, constant) = match (root, texts.as_slice()) {
            ("first_name" | "last_name" | "full_name" | "email", []) => {
                (FieldSource::Contact(root.into()), root.to_owned(), root.to_owned(), None)
            }
            ("person", [_, ..]) => {
                let path = match joined.as_str() {
                    "City" => "city",
                    "Region" => "region",
                    "Country" => "country",
                    "Zipcode" => "zip",
                    other => other,
                };
                (FieldSource::Contact(path.into()), path.to_owned(), contact_access(path).0, None)
            }
            ("event", [first, rest @ ..]) => {
                // The name says what the value is, not where the shop's app put it.
                let named = if first == "extra" && !rest.is_empty() { rest.join(" ") } else { texts.join(" ") };
                (FieldSource::Trigger(joined.as_str().into()), named, dotted("event", &joined, false).0, None)
            }
            ("organization", [_, ..]) => {
                let name = super::clean_name(&format!("organization {}", texts.join(" ")));
                let stand_in = Value::text(format!("⟨{}⟩", name.replace('_', " ")));
                (FieldSource::Constant(name.as_str().into()), name, String::new(), Some(stand_in))
            }
            _ => return Err(format!("`{root}` is not known: neither profile, event, account nor a name around it")),
        };
        let mut access = root.to_owned();
        let mut looked_up = false;
        for step in steps {
            django_step(&mut access, step, &mut looked_up);
        }
        let written = written.map(tidy);
        // A key with a dot in it has no path of ours; what Klaviyo writes stays with the field.
        let own = match written {
            Some(written) if written != derived => Some(written),
            None if access != derived && root != "person" => Some(access.clone()),
            _ => None,
        };
        let avoid = self.locals();
        let wanted = Wanted { access: &access, source, name: &name, klaviyo: own, hubspot: None, constant };
        self.book.name(wanted, &avoid).ok_or_else(|| "the flow has too many fields".into())
    }
}

/// A value as written, without needless blanks and with single quotes.
fn tidy(written: &str) -> String {
    let parts: Vec<&str> = written.split('|').map(str::trim).collect();
    let joined = parts.join("|");
    if joined.contains('\'') || joined.contains('\\') { joined } else { joined.replace('"', "'") }
}

/// Steps inside what is ours: some names cannot be said there.
fn our_steps(steps: &[Step]) -> Result<Vec<Step>, String> {
    for step in steps {
        if let Step::Name(name) = step
            && (METHOD_NAMES.contains(&name.as_str()) || name.is_empty())
        {
            return Err(format!("a property called `{name}` cannot be read in the mail language"));
        }
    }
    Ok(steps.to_vec())
}

/// `:3`, `1:`, `1:3` or `3`.
fn slice_bounds(text: &str) -> Result<(Option<i64>, Option<i64>), String> {
    let number = |text: &str| match text.trim() {
        "" => Ok(None),
        text => match text.parse::<i64>() {
            Ok(n) if n >= 0 => Ok(Some(n)),
            _ => Err(format!("`{text}` is no number of items")),
        },
    };
    match text.split(':').collect::<Vec<_>>().as_slice() {
        [stop] => Ok((None, number(stop)?)),
        [start, stop] => Ok((number(start)?, number(stop)?)),
        _ => Err("steps in a part of a list do not exist in the mail language".into()),
    }
}

/// Whether a pattern of `strftime` has only letters that ours has.
fn is_our_pattern(pattern: &str) -> bool {
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '%' {
            chars.next_if_eq(&'-');
            if !chars.next().is_some_and(|c| "dmBbYyAaHM%".contains(c)) {
                return false;
            }
        }
    }
    true
}

/// Django's letters of dates as ours; `None` where one has no counterpart.
fn our_pattern(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        out.push_str(match c {
            'd' => "%d",
            'j' => "%-d",
            'm' => "%m",
            'n' => "%-m",
            'F' => "%B",
            'M' | 'N' | 'b' => "%b",
            'Y' => "%Y",
            'y' => "%y",
            'l' => "%A",
            'D' => "%a",
            'H' => "%H",
            'G' => "%-H",
            'i' => "%M",
            '%' => "%%",
            '\\' => {
                out.push(chars.next()?);
                continue;
            }
            c if c.is_ascii_alphabetic() => return None,
            c => {
                out.push(c);
                continue;
            }
        });
    }
    Some(out)
}
