//! Conditions around one tag, as a Django text needs them where ours has a fallback or a format.
//!
//! `{% if a or a == 0 %}{% currency_format a %}{% else %}some{% endif %}` is `{{ a|money }}` of a field with a
//! fallback.
//! Only forms that [`crate::content::transpile`] writes are taken; every other condition stays what it is.

use super::{Book, filtered, path};
use crate::{
    audience::ValueType,
    content::{
        markup::escape,
        template::{
            lower::chain,
            transpile::{Part, klaviyo::filtered_words},
            tree::{Const, Expr, ExprKind, Node, Op},
        },
        tracking::unescaped,
    },
};

/// What a condition around one tag asks.
struct Guard<'a> {
    /// The value asked for.
    of: &'a Expr,
    /// Whether 0 counts as there.
    zero: bool,
}

/// The condition as a tag, where it is one in our language; `None` where it stays a condition. `locals` are names of
/// loops around it.
pub(super) fn collapse(
    test: &Expr,
    body: &[Node],
    otherwise: Option<&[Node]>,
    part: Part,
    book: &mut Book,
    locals: &[String],
) -> Option<Node> {
    let guard = guard(test)?;
    let [Node::Print(printed)] = body else { return None };
    let (base, filters) = chain(printed);
    if base != guard.of {
        return None;
    }
    let ExprKind::Path { root, steps } = &base.kind else { return None };
    // Only a field has a fallback or a kind of its own.
    let field = (steps.is_empty() && !locals.contains(root)).then_some(root.as_str());
    let words = match otherwise {
        None => None,
        Some([]) => Some(String::new()),
        Some([Node::Raw(text)]) => Some(plain(text, part)?),
        Some(_) => return None,
    };
    let only = match filters.as_slice() {
        [(name, args)] => Some((*name, *args)),
        _ => None,
    };
    let joined = |args: &[Const]| args.is_empty() || matches!(args, [Const::Text(separator)] if separator == ", ");
    let print = |expr: Expr| Some(Node::Print(expr));
    match (guard.zero, words, only) {
        (true, None, Some(("money" | "number", _))) => {
            field.into_iter().for_each(|name| book.evidence(name, ValueType::Number));
            print(printed.clone())
        }
        (true, None, Some(("yes_no", [Const::Text(yes), Const::Text(no)]))) if yes == "yes" && no == "no" => {
            book.evidence(field?, ValueType::Bool);
            print(base.clone())
        }
        (true, Some(words), _) => {
            let name = book.with_fallback(field?, &words, locals)?;
            book.evidence(&name, ValueType::Number);
            print(over(path(name, Vec::new()), &filters))
        }
        (false, None, Some(("date_fmt", _))) => {
            book.evidence(field?, ValueType::Date);
            print(printed.clone())
        }
        (false, None, Some(("join", args))) if joined(args) => {
            book.evidence(field?, ValueType::List);
            print(base.clone())
        }
        (false, Some(words), Some(("money" | "number" | "date_fmt", _))) => {
            print(filtered(printed.clone(), "default", vec![Const::Text(words), Const::Bool(true)]))
        }
        (false, Some(words), Some(("join", args))) => {
            let name = book.with_fallback(field?, &words, locals)?;
            book.evidence(&name, ValueType::List);
            let bare = path(name, Vec::new());
            print(if joined(args) { bare } else { over(bare, &filters) })
        }
        (false, Some(words), _) if part == Part::Html && words.contains(['&', '<', '>', '"', '\'']) => {
            // The words stand there as the filters would have made them; they must come out the same again.
            if filtered_words(&words, &filters).as_ref() != Some(&words) {
                return None;
            }
            let with_words = filtered(base.clone(), "default", vec![Const::Text(words), Const::Bool(true)]);
            print(over(with_words, &filters))
        }
        _ => None,
    }
}

/// `a`, or `a or a == 0`.
fn guard(test: &Expr) -> Option<Guard<'_>> {
    match &test.kind {
        ExprKind::Path { .. } => Some(Guard { of: test, zero: false }),
        ExprKind::Or(left, right) => match &right.kind {
            ExprKind::Compare(Op::Eq, again, zero) if again == left && zero.kind == ExprKind::Const(Const::Int(0)) => {
                Some(Guard { of: left, zero: true })
            }
            _ => None,
        },
        _ => None,
    }
}

/// Words as they are without escaping, where escaping them again gives the same.
fn plain(text: &str, part: Part) -> Option<String> {
    if part == Part::Plain {
        return Some(text.to_owned());
    }
    let plain = unescaped(text).into_owned();
    (escape(&plain) == text).then_some(plain)
}

fn over(base: Expr, filters: &[(&str, &[Const])]) -> Expr {
    filters.iter().fold(base, |of, (name, args)| filtered(of, name, args.to_vec()))
}
