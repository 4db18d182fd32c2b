//! The walls of the house: which room may use which (`tests/fixtures/walls.txt`), held against the sources.
//!
//! The one idea: every `crate::…` path in a room's file is an arrow; an arrow that the table does not name fails. Tests
//! inside the sources may look at everything. Exceptions are listed by name in the table and fail once they are gone.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::{SourceFile, sources, without_tests};

#[derive(Debug, Default)]
struct Walls {
    may: BTreeMap<String, (BTreeSet<String>, Vec<String>)>,
    only: Vec<(BTreeSet<String>, String)>,
    except: BTreeSet<(String, String)>,
}

fn walls() -> Walls {
    let mut walls = Walls::default();
    for line in include_str!("fixtures/walls.txt").lines() {
        let line = line.split('#').next().unwrap_or("").trim();
        let Some((head, rest)) = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, ""))) else {
            continue;
        };
        if let Some(rooms) = head.strip_prefix("only ") {
            walls.only.push((rooms.split(' ').map(str::to_owned).collect(), rest.trim().to_owned()));
        } else if let Some(file) = head.strip_prefix("except ") {
            let path = rest.split_whitespace().next().unwrap_or("");
            walls.except.insert((file.to_owned(), path.to_owned()));
        } else {
            let (not, may): (Vec<&str>, Vec<&str>) = rest.split_whitespace().partition(|word| word.starts_with('!'));
            let not = not.iter().map(|path| path[1..].to_owned()).collect();
            walls.may.insert(head.to_owned(), (may.into_iter().map(str::to_owned).collect(), not));
        }
    }
    walls
}

/// The room of a file: the first part of its path below `src/`.
fn room(file: &SourceFile) -> &str {
    let first = file.path.split('/').next().unwrap_or("");
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Code without comments and texts, so that words in them are no arrows.
fn code_of(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => {
                for c in chars.by_ref() {
                    if c == '\n' {
                        out.push('\n');
                        break;
                    }
                }
            }
            '"' => {
                while let Some(c) = chars.next() {
                    match c {
                        '\\' => _ = chars.next(),
                        '"' => break,
                        _ => {}
                    }
                }
                out.push_str("\"\"");
            }
            '\'' => {
                // A character literal may be a quotation mark.
                let mut ahead = chars.clone();
                if ahead.next() == Some('"') && ahead.next() == Some('\'') {
                    chars.nth(1);
                }
                out.push('\'');
            }
            c => out.push(c),
        }
    }
    out
}

/// The paths after every `crate::`, use trees taken apart: `flow::check`, `base`.
fn arrows(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        tree(&code[at + "crate::".len()..], "", &mut found);
    }
    found
}

/// Reads one use tree; gives the number of bytes it takes.
fn tree(code: &str, prefix: &str, found: &mut BTreeSet<String>) -> usize {
    let mut at = code.len() - code.trim_start().len();
    let mut path = prefix.to_owned();
    loop {
        let rest = &code[at..];
        if let Some(inner) = rest.strip_prefix('{') {
            let mut here = at + 1;
            let _ = inner;
            loop {
                here += tree(&code[here..], &path, found);
                here += code[here..].len() - code[here..].trim_start().len();
                match code[here..].chars().next() {
                    Some(',') => here += 1,
                    Some('}') => return here + 1,
                    _ => return here,
                }
            }
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end > 0 {
            path = if path.is_empty() { rest[..end].to_owned() } else { format!("{path}::{}", &rest[..end]) };
        }
        at += end;
        if code[at..].starts_with("::") {
            at += 2;
            continue;
        }
        if !path.is_empty() && path != prefix {
            found.insert(path.clone());
        }
        if let Some(renamed) = code[at..].trim_start().strip_prefix("as ") {
            at = code.len() - renamed.len();
            at += code[at..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(0);
        }
        return at;
    }
}

#[test]
fn use_trees_are_taken_apart() {
    let check = |code: &str, expected: &[&str]| {
        let found: Vec<String> = arrows(&code_of(code)).into_iter().collect();
        assert_eq!(found, expected, "{code}");
    };
    check("use crate::base::Span;", &["base::Span"]);
    check(
        "use crate::{audience::{Contact, condition::{self, Path}}, base::Span as S, flow::Flow};",
        &["audience::Contact", "audience::condition::Path", "audience::condition::self", "base::Span", "flow::Flow"],
    );
    check("let x = crate::kinds::spec(); // crate::gui", &["kinds::spec"]);
}

#[test]
fn rooms_use_only_what_the_table_names() {
    let walls = walls();
    let mut broken = Vec::new();
    let mut unused = walls.except.clone();
    for file in sources() {
        let room = room(&file);
        if room == "lib" || room == "main" {
            continue;
        }
        let code = code_of(without_tests(&file));
        let Some((may, not)) = walls.may.get(room) else {
            broken.push(format!("{}: room `{room}` is not in walls.txt", file.path));
            continue;
        };
        for arrow in arrows(&code) {
            let to = arrow.split("::").next().unwrap_or("");
            // A macro or item at the root of the crate is no room.
            if to == room || !walls.may.contains_key(to) {
                continue;
            }
            let forbidden = not.iter().any(|path| arrow == *path || arrow.starts_with(&format!("{path}::")));
            if may.contains(to) && !forbidden {
                continue;
            }
            if unused.remove(&(file.path.clone(), arrow.clone()))
                || walls.except.contains(&(file.path.clone(), arrow.clone()))
            {
                continue;
            }
            broken.push(format!("{}: `{room}` may not use `{arrow}`", file.path));
        }
    }
    assert!(broken.is_empty(), "walls broken:\n{}", broken.join("\n"));
    assert!(unused.is_empty(), "these exceptions are gone, take them out of walls.txt: {unused:?}");
}

#[test]
fn files_clocks_and_threads_stay_where_they_belong() {
    let walls = walls();
    let mut broken = Vec::new();
    for file in sources() {
        let code = code_of(without_tests(&file));
        for (rooms, path) in &walls.only {
            let stem = file.path.strip_suffix(".rs").unwrap_or("");
            let is_part = |part: &String| stem == *part || stem.starts_with(&format!("{part}/"));
            if rooms.contains(room(&file)) || rooms.iter().any(is_part) {
                continue;
            }
            let named = code.match_indices(path.as_str()).any(|(at, _)| {
                let whole = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
                whole(code[..at].chars().next_back()) && whole(code[at + path.len()..].chars().next())
            });
            if named {
                broken.push(format!("{}: only {rooms:?} may name `{path}`", file.path));
            }
        }
    }
    assert!(broken.is_empty(), "walls broken:\n{}", broken.join("\n"));
}
