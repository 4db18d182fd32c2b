//! House style that no lint knows: how files open, how long they are, that each belongs to the program.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files longer than this are split by what a reader comes looking for. Source: the longest tenth of files in the
/// packages we learn from begins at about 700 lines; a little room above that.
const MOST_LINES: usize = 900;

/// Files that are longer today, with the lines they may have. The list only shrinks.
const LONG_FILES: &[(&str, usize)] = &[];

/// A source file.
pub struct SourceFile {
    /// Path below `src/`, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The root of the package.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All sources below `src/`, by path.
pub fn sources() -> Vec<SourceFile> {
    files_below(&root().join("src"), "rs")
}

/// All files below a folder with an ending, by path.
pub fn files_below(folder: &Path, ending: &str) -> Vec<SourceFile> {
    let mut out = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(here) = open.pop() {
        for entry in fs::read_dir(&here).unwrap_or_else(|e| panic!("{}: {e}", here.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                let below = path.strip_prefix(folder).expect("below").components();
                let name: Vec<_> = below.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
                let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                out.push(SourceFile { path: name.join("/"), text });
            }
        }
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!out.is_empty(), "no files below {}", folder.display());
    out
}

/// The part of a file that is not tests: nothing of a file that is all tests.
pub fn without_tests(file: &SourceFile) -> &str {
    let name = file.path.rsplit('/').next().unwrap_or("");
    if matches!(name, "tests.rs" | "fixture.rs") || file.path.contains("/tests/") {
        return "";
    }
    file.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("")
}

fn all() -> Vec<SourceFile> {
    let mut out = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for file in files_below(&root().join(folder), "rs") {
            out.push(SourceFile { path: format!("{folder}/{}", file.path), text: file.text });
        }
    }
    out
}

#[test]
fn files_say_what_they_are_for() {
    let silent: Vec<String> = all().into_iter().filter(|f| !f.text.starts_with("//! ")).map(|f| f.path).collect();
    assert!(silent.is_empty(), "these files do not open with `//!`: {silent:#?}");
}

#[test]
fn nothing_is_left_for_later() {
    // Written apart, so that this file does not find itself.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("dbg", "!("),
        concat!("unimplemented", "!("),
    ];
    let mut left = Vec::new();
    for file in all() {
        for (number, line) in file.text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                left.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    assert!(left.is_empty(), "left for later:\n{}", left.join("\n"));
}

#[test]
fn every_file_belongs_to_a_module() {
    let mut orphans = Vec::new();
    for file in sources() {
        let path = Path::new(&file.path);
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let folder = path.parent().unwrap_or(Path::new(""));
        if folder == Path::new("") && (name == "lib" || name == "main") {
            continue;
        }
        let (module, home) = if name == "mod" {
            (
                folder.file_name().expect("a folder").to_string_lossy().into_owned(),
                folder.parent().unwrap_or(Path::new("")),
            )
        } else {
            (name, folder)
        };
        let src = root().join("src");
        let parents = if home == Path::new("") {
            vec![src.join("lib.rs")]
        } else {
            vec![src.join(home).join("mod.rs"), src.join(home).with_extension("rs")]
        };
        let declared =
            parents.iter().filter_map(|parent| fs::read_to_string(parent).ok()).any(|text| declares(&text, &module));
        if !declared {
            orphans.push(file.path);
        }
    }
    assert!(orphans.is_empty(), "no module declares these files: {orphans:#?}");
}

/// `mod name`, or the name in a list that a macro turns into declarations.
fn declares(text: &str, module: &str) -> bool {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .any(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == module))
}

#[test]
fn files_stay_short_enough_to_read() {
    let mut long = Vec::new();
    for file in all() {
        let num_lines = file.text.lines().count();
        let allowed = LONG_FILES.iter().find(|(path, _)| *path == file.path).map(|(_, most)| *most);
        match allowed {
            None if num_lines > MOST_LINES => long.push(format!("{} has {num_lines} lines", file.path)),
            Some(most) if num_lines > most => {
                long.push(format!("{} has grown from {most} to {num_lines} lines", file.path))
            }
            Some(_) if num_lines <= MOST_LINES => {
                long.push(format!("{} is short enough now: take it off the list", file.path));
            }
            _ => {}
        }
    }
    assert!(long.is_empty(), "split these, or say why in the list:\n{}", long.join("\n"));
}

/// Whoever writes a date or groups digits by itself does not obey the settings.
#[test]
fn the_window_writes_dates_in_one_place() {
    let mut found = Vec::new();
    for file in all() {
        let is_of_window = file.path.starts_with("src/app/") || file.path.starts_with("src/gui/");
        // The matrix as a page goes to a client, who has no settings.
        if !is_of_window || ["src/app/when.rs", "src/app/matrix/html.rs"].contains(&file.path.as_str()) {
            continue;
        }
        for word in ["strftime(", "format_date(", ".default_zone()"] {
            if without_tests(&file).contains(word) && !(word == ".default_zone()" && file.path == "src/app/stage.rs") {
                found.push(format!("{}: {word}", file.path));
            }
        }
    }
    assert!(found.is_empty(), "ask app::when instead: {found:#?}");
}

#[test]
fn lines_fit_the_screen() {
    let mut wide = Vec::new();
    for file in all() {
        for (number, line) in file.text.lines().enumerate() {
            // Rows of tables cannot be broken; code and texts are rustfmt's business.
            let comment = line.trim_start().starts_with("//") && !line.contains("//! |") && !line.contains("/// |");
            if line.chars().count() > 120 && comment {
                wide.push(format!("{}:{}", file.path, number + 1));
            }
        }
    }
    assert!(wide.is_empty(), "comments over 120 columns: {wide:#?}");
}
