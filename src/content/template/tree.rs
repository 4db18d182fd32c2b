//! The safe subset of the template language as a tree of our own.
//!
//! The one idea: what every platform's engine reads alike is a small language; everything else is refused here, with
//! its place, so that neither rendering nor any export ever meets it. This is the only module that touches the
//! template engine's parser, whose tree is not a stable interface.

use minijinja::{
    Value as EngineValue,
    machinery::{Span, ast, parse, parse_expr},
    value::ValueKind,
};

use super::shorthand::{Expanded, MAX_TAG};
use crate::base::TextRange;

/// A piece of a template.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Node {
    /// Literal text, printed as it is.
    Raw(String),
    /// A value.
    Print(Expr),
    /// Arms in order, then what stands in for all of them.
    If { arms: Vec<(Expr, Vec<Node>)>, otherwise: Vec<Node> },
    /// A loop over a list.
    For { var: String, items: Expr, body: Vec<Node>, otherwise: Vec<Node> },
}

/// A value or condition.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Expr {
    pub kind: ExprKind,
    /// In the source as written.
    pub range: TextRange,
}

/// What it is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum ExprKind {
    /// `product.name`, `items.0`, `a['B c']`
    Path { root: String, steps: Vec<Step> },
    /// A literal.
    Const(Const),
    /// `items[:3]`
    Slice { of: Box<Expr>, start: Option<i64>, stop: Option<i64> },
    /// `x|name(args)`
    Filter { of: Box<Expr>, name: String, args: Vec<Const> },
    /// `not x`
    Not(Box<Expr>),
    /// `a and b`
    And(Box<Expr>, Box<Expr>),
    /// `a or b`
    Or(Box<Expr>, Box<Expr>),
    /// `a < b`
    Compare(Op, Box<Expr>, Box<Expr>),
    /// `x is defined`
    Defined(Box<Expr>),
}

/// One step of a path.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Step {
    Name(String),
    Index(i64),
}

/// A literal.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Const {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
}

/// How two values are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
}

impl Op {
    /// As all engines write it.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::In => "in",
        }
    }
}

/// What was not accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    /// Whether the language has it and we refuse it; else it is no template at all.
    pub refused: bool,
    pub range: TextRange,
    pub message: String,
    pub hint: String,
}

/// Largest template in bytes. Source: assumption; ten times what a mail client shows.
pub(crate) const MAX_SOURCE: usize = 1 << 20;
/// Most `elif` in one template. Source: assumption; each is a level of depth to the parser.
const MAX_ELIFS: usize = 100;

/// Names of properties that are methods elsewhere. Source: references, mail rendering, safe subset.
pub(crate) const METHOD_NAMES: [&str; 4] = ["items", "keys", "values", "get"];

/// Filters of the language: name, number of arguments.
pub(crate) const FILTERS: [(&str, std::ops::RangeInclusive<usize>); 14] = [
    ("default", 2..=2),
    ("upper", 0..=0),
    ("lower", 0..=0),
    ("length", 0..=0),
    ("safe", 0..=0),
    ("urlencode", 0..=0),
    ("join", 0..=1),
    ("money", 0..=0),
    ("number", 0..=1),
    ("date_fmt", 1..=2),
    ("truncate_chars", 1..=1),
    ("yes_no", 0..=2),
    ("is_past", 0..=0),
    ("arrival", 1..=3),
];

/// The template as a tree, or everything in it that is refused.
pub(super) fn template(source: &Expanded) -> Result<Vec<Node>, Vec<Refusal>> {
    let mut reader = Reader { source, refusals: Vec::new() };
    reader.limits();
    if reader.refusals.is_empty() {
        match parse(&source.text, "template", minijinja::syntax::SyntaxConfig::default()) {
            Ok(ast::Stmt::Template(root)) => {
                let nodes = reader.nodes(&root.children);
                if reader.refusals.is_empty() {
                    return Ok(nodes);
                }
            }
            Ok(_) => {}
            Err(error) => reader.syntax(&error),
        }
    }
    Err(reader.refusals)
}

/// A condition as a tree, or everything in it that is refused.
pub(super) fn condition(source: &Expanded) -> Result<Expr, Vec<Refusal>> {
    let mut reader = Reader { source, refusals: Vec::new() };
    reader.limits();
    if reader.refusals.is_empty() {
        match parse_expr(&source.text) {
            Ok(expr) => {
                if let Some(expr) = reader.expr(&expr)
                    && reader.refusals.is_empty()
                {
                    return Ok(expr);
                }
            }
            Err(error) => reader.syntax(&error),
        }
    }
    Err(reader.refusals)
}

struct Reader<'a> {
    source: &'a Expanded,
    refusals: Vec<Refusal>,
}

impl Reader<'_> {
    fn limits(&mut self) {
        let whole = TextRange::new(0, self.source.source_offset(self.source.text.len()));
        if self.source.text.len() > MAX_SOURCE {
            self.refuse(whole, "This template is longer than 1 MB", "Split it, or take pictures and styles out of it");
        }
        if let Some(range) = self.source.unclosed {
            self.refuse(range, "This tag is not closed", "Write `}}` behind a value, `%}` behind a word such as `if`");
        }
        if let Some(range) = self.source.too_long {
            let message = format!("This tag is longer than {MAX_TAG} bytes");
            self.refuse(range, &message, "Close it, or split the condition into fields or nested blocks");
        }
        if self.source.num_elifs > MAX_ELIFS {
            let message = format!("More than {MAX_ELIFS} `elif` in one template");
            self.refuse(whole, &message, "Put the value into a field of its own");
        }
    }

    fn refuse(&mut self, range: TextRange, message: &str, hint: &str) {
        // One tag may break several rules; a hundred findings are enough to work on.
        if self.refusals.len() < 100 {
            self.refusals.push(Refusal { refused: true, range, message: message.to_owned(), hint: hint.to_owned() });
        }
    }

    fn syntax(&mut self, error: &minijinja::Error) {
        let range = error.range().map_or(TextRange::new(0, 0), |r| TextRange::new(r.start, r.end));
        let detail = error.detail().unwrap_or("this cannot be read").trim();
        let unknown = detail.starts_with("unknown statement");
        let mut message = format!("This template cannot be read: {detail}");
        let mut hint = "Close every `{{`, `{%` and quote, and every `if` with `endif`, every `for` with `endfor`";
        if unknown {
            message = format!("This statement is not part of the mail language: {detail}");
            hint = "Use `if`, `elif`, `else`, `for` and tags; put everything else into fields";
        }
        self.refusals.push(Refusal {
            refused: unknown,
            range: self.source.source_range(range),
            message,
            hint: hint.to_owned(),
        });
    }

    fn range(&self, span: Span) -> TextRange {
        self.source.source_range(TextRange::new(span.start_offset as usize, span.end_offset as usize))
    }

    fn nodes(&mut self, stmts: &[ast::Stmt<'_>]) -> Vec<Node> {
        stmts.iter().filter_map(|stmt| self.node(stmt)).collect()
    }

    fn node(&mut self, stmt: &ast::Stmt<'_>) -> Option<Node> {
        match stmt {
            ast::Stmt::EmitRaw(raw) => Some(Node::Raw(raw.raw.to_owned())),
            ast::Stmt::EmitExpr(emit) => {
                let expr = self.expr(&emit.expr)?;
                self.printable(&expr);
                Some(Node::Print(expr))
            }
            ast::Stmt::IfCond(first) => {
                let mut arms = Vec::new();
                let mut current: &ast::IfCond<'_> = first;
                // An `elif` is an if alone in the else part; a loop here keeps the depth down.
                let otherwise = loop {
                    let test = self.expr(&current.expr);
                    let body = self.nodes(&current.true_body);
                    arms.extend(test.map(|test| (test, body)));
                    match current.false_body.as_slice() {
                        [ast::Stmt::IfCond(next)] => current = next,
                        rest => break self.nodes(rest),
                    }
                };
                (!arms.is_empty()).then_some(Node::If { arms, otherwise })
            }
            ast::Stmt::ForLoop(each) => {
                let range = self.range(each.iter.span());
                let ast::Expr::Var(target) = &each.target else {
                    self.refuse(
                        self.range(each.target.span()),
                        "A loop takes one name",
                        "Write `for item in cart_items`, then `item.name`",
                    );
                    return None;
                };
                if each.recursive || each.filter_expr.is_some() {
                    self.refuse(
                        range,
                        "A loop with a filter or `recursive` does not exist on the platforms",
                        "Put an `if` into the loop",
                    );
                }
                let items = self.expr(&each.iter)?;
                if !matches!(items.kind, ExprKind::Path { .. } | ExprKind::Slice { .. }) {
                    self.refuse(
                        range,
                        "A loop goes over a field or a part of it",
                        "Write `for item in cart_items[:3]`",
                    );
                }
                if super::RESERVED.contains(&target.id) || target.id.starts_with('_') {
                    self.refuse(self.range(target.span()), "This name is taken", "Call the loop's name `item`");
                }
                let body = self.nodes(&each.body);
                let otherwise = self.nodes(&each.else_body);
                Some(Node::For { var: target.id.to_owned(), items, body, otherwise })
            }
            other => {
                let (name, span) = match other {
                    ast::Stmt::WithBlock(s) => ("with", s.span()),
                    ast::Stmt::Set(s) => ("set", s.span()),
                    ast::Stmt::SetBlock(s) => ("set", s.span()),
                    ast::Stmt::AutoEscape(s) => ("autoescape", s.span()),
                    ast::Stmt::FilterBlock(s) => ("filter", s.span()),
                    ast::Stmt::Do(s) => ("do", s.span()),
                    ast::Stmt::Template(s) => ("template", s.span()),
                    _ => ("this", Span::default()),
                };
                self.refuse(
                    self.range(span),
                    &format!("`{name}` is not part of the mail language"),
                    "Make a field of the value and use its tag",
                );
                None
            }
        }
    }

    /// What may stand in `{{ }}`: a value, not a condition.
    fn printable(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Path { .. } | ExprKind::Filter { .. } => {}
            ExprKind::Const(Const::Bool(_)) => {
                self.refuse(expr.range, "Yes and no print differently everywhere", "Write the word, or use an `if`");
            }
            ExprKind::Const(_) => {}
            ExprKind::Slice { .. } => {
                self.refuse(expr.range, "A part of a list cannot be printed", "Loop over it, or add `|join(', ')`");
            }
            _ => {
                self.refuse(expr.range, "A condition cannot be printed", "Write `{% if … %}yes{% else %}no{% endif %}`")
            }
        }
    }

    fn boxed(&mut self, expr: &ast::Expr<'_>) -> Option<Box<Expr>> {
        self.expr(expr).map(Box::new)
    }

    fn expr(&mut self, expr: &ast::Expr<'_>) -> Option<Expr> {
        let range = self.range(expr.span());
        let kind = match expr {
            ast::Expr::Var(var) => ExprKind::Path { root: var.id.to_owned(), steps: Vec::new() },
            ast::Expr::GetAttr(get) => return self.step(&get.expr, Step::Name(get.name.to_owned()), range),
            ast::Expr::GetItem(get) => {
                let step = match get.subscript_expr.as_const().map(|value| constant(&value)) {
                    Some(Some(Const::Text(name))) => Step::Name(name),
                    Some(Some(Const::Int(n))) if n >= 0 => Step::Index(n),
                    _ => {
                        self.refuse(
                            range,
                            "A part is taken by a name or a number from 0",
                            "Write `a['First name']` or `items.0`",
                        );
                        return None;
                    }
                };
                return self.step(&get.expr, step, range);
            }
            ast::Expr::Const(value) => match constant(&value.value) {
                Some(constant) => ExprKind::Const(constant),
                None => {
                    self.refuse(
                        range,
                        "This literal is not part of the mail language",
                        "Use a text, a number, true or false",
                    );
                    return None;
                }
            },
            ast::Expr::Slice(slice) => {
                let mut bound = |bound: &Option<ast::Expr<'_>>| match bound {
                    None => Some(None),
                    Some(expr) => match expr.as_const().and_then(|value| constant(&value)) {
                        Some(Const::Int(n)) if n >= 0 => Some(Some(n)),
                        _ => {
                            self.refuse(range, "A part of a list is taken by numbers from 0", "Write `cart_items[:3]`");
                            None
                        }
                    },
                };
                let (start, stop) = (bound(&slice.start)?, bound(&slice.stop)?);
                if slice.step.is_some() {
                    self.refuse(
                        range,
                        "A step in a part of a list does not exist on the platforms",
                        "Write `cart_items[:3]`",
                    );
                }
                ExprKind::Slice { of: self.boxed(&slice.expr)?, start, stop }
            }
            ast::Expr::UnaryOp(unary) => match unary.op {
                ast::UnaryOpKind::Not => ExprKind::Not(self.boxed(&unary.expr)?),
                ast::UnaryOpKind::Neg => match expr.as_const().and_then(|value| constant(&value)) {
                    Some(constant) => ExprKind::Const(constant),
                    None => return self.arithmetic(range),
                },
            },
            ast::Expr::BinOp(binary) => return self.binary(binary, range),
            ast::Expr::Compare(_) => {
                self.refuse(range, "A chain of comparisons is not read alike everywhere", "Write `a < b and b < c`");
                return None;
            }
            ast::Expr::Filter(filter) => {
                let Some(inner) = &filter.expr else { return self.arithmetic(range) };
                let of = self.boxed(inner);
                let args = self.filter(filter, range);
                let of = of?;
                let range = TextRange::new(of.range.start, range.end);
                return Some(Expr { kind: ExprKind::Filter { of, name: filter.name.to_owned(), args: args? }, range });
            }
            ast::Expr::Test(test) => {
                if test.name != "defined" {
                    self.refuse(
                        range,
                        &format!("`is {}` is not part of the mail language", test.name),
                        "Use a comparison, or `is defined`",
                    );
                    return None;
                }
                ExprKind::Defined(self.boxed(&test.expr)?)
            }
            ast::Expr::IfExpr(_) => {
                self.refuse(
                    range,
                    "A choice inside a tag does not exist on the platforms",
                    "Write `{% if … %}…{% else %}…{% endif %}`",
                );
                return None;
            }
            ast::Expr::Call(_) => {
                self.refuse(
                    range,
                    "Functions are not part of the mail language",
                    "Use a tag with a filter, such as `{{ cart_value|money }}`",
                );
                return None;
            }
            ast::Expr::List(_) | ast::Expr::Tuple(_) | ast::Expr::Map(_) => {
                self.refuse(
                    range,
                    "Lists and maps cannot be written in a template",
                    "Compare with `==` and `or`, or use a list field",
                );
                return None;
            }
        };
        Some(Expr { kind, range })
    }

    fn arithmetic(&mut self, range: TextRange) -> Option<Expr> {
        self.refuse(
            range,
            "Templates do not calculate: the platforms cannot, or do it differently",
            "Make a computed field of it",
        );
        None
    }

    fn step(&mut self, of: &ast::Expr<'_>, step: Step, range: TextRange) -> Option<Expr> {
        if let Step::Name(name) = &step
            && METHOD_NAMES.contains(&name.as_str())
        {
            self.refuse(
                range,
                &format!("A property called `{name}` is a method of every object on the platforms"),
                "Rename the property where the event is made, or use a field with a path",
            );
        }
        let of = self.expr(of)?;
        if let ExprKind::Path { root, mut steps } = of.kind {
            steps.push(step);
            return Some(Expr { kind: ExprKind::Path { root, steps }, range });
        }
        self.refuse(range, "A part can only be taken of a field", "Write `items.0.name`");
        None
    }

    fn binary(&mut self, binary: &ast::BinOp<'_>, range: TextRange) -> Option<Expr> {
        use ast::BinOpKind as Kind;
        let op = match binary.op {
            Kind::Eq => Op::Eq,
            Kind::Ne => Op::Ne,
            Kind::Lt => Op::Lt,
            Kind::Lte => Op::Le,
            Kind::Gt => Op::Gt,
            Kind::Gte => Op::Ge,
            Kind::In => return self.membership(binary),
            Kind::ScAnd | Kind::ScOr => {
                let (left, right) = (self.boxed(&binary.left), self.boxed(&binary.right));
                let (left, right) = (left?, right?);
                let range = TextRange::new(left.range.start, right.range.end);
                let kind = if matches!(binary.op, Kind::ScAnd) {
                    ExprKind::And(left, right)
                } else {
                    ExprKind::Or(left, right)
                };
                return Some(Expr { kind, range });
            }
            Kind::Add | Kind::Sub | Kind::Mul | Kind::Div | Kind::FloorDiv | Kind::Rem | Kind::Pow | Kind::Concat => {
                return self.arithmetic(range);
            }
        };
        let (left, right) = (self.boxed(&binary.left), self.boxed(&binary.right));
        let (left, right) = (left?, right?);
        Some(self.comparison(op, left, right))
    }

    fn comparison(&mut self, op: Op, left: Box<Expr>, right: Box<Expr>) -> Expr {
        let range = TextRange::new(left.range.start, right.range.end);
        for side in [&left, &right] {
            if !matches!(side.kind, ExprKind::Path { .. } | ExprKind::Const(_) | ExprKind::Filter { .. }) {
                self.refuse(side.range, "Only values can be compared", "Join conditions with `and` and `or`");
            }
        }
        Expr { kind: ExprKind::Compare(op, left, right), range }
    }

    /// `x in list_field`, or `x in ['a', 'b']`, which becomes comparisons since not all platforms know such lists.
    fn membership(&mut self, binary: &ast::BinOp<'_>) -> Option<Expr> {
        let left = self.boxed(&binary.left)?;
        let choices: Option<Vec<Expr>> = match &binary.right {
            ast::Expr::List(list) if !list.items.is_empty() && list.items.len() <= 16 => {
                list.items.iter().map(|item| self.expr(item)).collect()
            }
            ast::Expr::Const(value) if matches!(value.value.kind(), ValueKind::Seq) => {
                let range = self.range(binary.right.span());
                let items: Vec<EngineValue> = value.value.try_iter().ok()?.take(17).collect();
                if items.is_empty() || items.len() > 16 {
                    self.refuse(range, "A written list has 1 to 16 values", "Use a list field");
                    return None;
                }
                items.iter().map(|v| constant(v).map(|c| Expr { kind: ExprKind::Const(c), range })).collect()
            }
            other => {
                let right = self.boxed(other)?;
                return Some(self.comparison(Op::In, left, right));
            }
        };
        let mut all: Option<Expr> = None;
        for choice in choices? {
            let one = self.comparison(Op::Eq, left.clone(), Box::new(choice));
            all = Some(match all {
                None => one,
                Some(before) => {
                    let range = TextRange::new(before.range.start, one.range.end);
                    Expr { kind: ExprKind::Or(Box::new(before), Box::new(one)), range }
                }
            });
        }
        all
    }

    fn filter(&mut self, filter: &ast::Filter<'_>, range: TextRange) -> Option<Vec<Const>> {
        let Some((_, count)) = FILTERS.iter().find(|(name, _)| *name == filter.name) else {
            let hint = crate::base::nearest::hint(filter.name, FILTERS.iter().map(|(name, _)| *name));
            self.refuse(range, &format!("There is no filter `{}` in the mail language", filter.name), &hint);
            return None;
        };
        let mut args = Vec::new();
        for arg in &filter.args {
            match arg {
                ast::CallArg::Pos(expr) => match expr.as_const().and_then(|value| constant(&value)) {
                    Some(constant) => args.push(constant),
                    None => {
                        self.refuse(
                            range,
                            "A filter takes written values, not tags",
                            "Write a text or number in quotes or digits",
                        );
                        return None;
                    }
                },
                _ => {
                    self.refuse(range, "A filter takes plain values in order", "Write `default('there', true)`");
                    return None;
                }
            }
        }
        if filter.name == "default" && !matches!(args.as_slice(), [_, Const::Bool(true)]) {
            self.refuse(
                range,
                "`default` with one value treats empty texts differently on each platform",
                "Write `default('there', true)`",
            );
            return None;
        }
        if !count.contains(&args.len()) {
            let wanted = if count.start() == count.end() {
                format!("{}", count.start())
            } else {
                format!("{} to {}", count.start(), count.end())
            };
            self.refuse(range, &format!("`{}` takes {wanted} values", filter.name), "Look at the list of filters");
            return None;
        }
        Some(args)
    }
}

fn constant(value: &EngineValue) -> Option<Const> {
    match value.kind() {
        ValueKind::Bool => Some(Const::Bool(value.is_true())),
        ValueKind::Number => {
            if value.is_integer() {
                i64::try_from(value.clone()).ok().map(Const::Int)
            } else {
                f64::try_from(value.clone()).ok().filter(|n| n.is_finite()).map(Const::Float)
            }
        }
        ValueKind::String => value.as_str().map(|text| Const::Text(text.to_owned())),
        _ => None,
    }
}
