//! The README's commands run, and its printed output is what they print.
//!
//! Blocks marked `console` hold lines `$ flowloom …` with the output below; after a deliberate change of output run the
//! tests once with `FLOWLOOM_UPDATE=1` and look at the difference.

use std::{fmt::Write as _, fs};

use crate::{
    cli::{copy, run_in},
    tidy::root,
};

/// Words of a command line as a shell takes them, as far as the README needs: single quotes, no expansion.
fn words(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut begun) = (false, false);
    for c in line.chars() {
        match c {
            '\'' => (quoted, begun) = (!quoted, true),
            c if c.is_whitespace() && !quoted => {
                if begun {
                    out.push(std::mem::take(&mut word));
                    begun = false;
                }
            }
            c => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        out.push(word);
    }
    out
}

#[test]
fn commands_print_what_the_readme_says() {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).expect("reads");
    let folder = tempfile::tempdir().expect("a folder");
    copy(&root().join("sample_flows"), &folder.path().join("sample_flows"));
    let mut fresh = String::new();
    let mut num_commands = 0;
    let mut block: Option<&str> = None;
    for line in readme.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            block = if block.is_some() { None } else { Some(kind) };
        } else if block == Some("console") {
            let Some(command) = line.strip_prefix("$ flowloom") else { continue };
            // Long output is shown to its end by `head`, as anybody would.
            let (command, head) = command.split_once(" | head -n ").unwrap_or((command, ""));
            let args = words(command);
            let said = run_in(folder.path(), &args.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(said.code, Some(0), "{line}: {said:?}");
            let _ = writeln!(fresh, "{line}");
            let most = head.trim().parse().unwrap_or(usize::MAX);
            said.out.lines().take(most).for_each(|line| _ = writeln!(fresh, "{}", line.trim_end()));
            num_commands += 1;
            continue;
        } else if let (Some("sh"), Some(command)) = (block, line.strip_prefix("flowloom ")) {
            // An engine runs until it is stopped; what is said to one is tried by the tests of its commands.
            if command.contains(" --data ") {
                let _ = writeln!(fresh, "{line}");
                continue;
            }
            let args = words(command);
            let said = run_in(folder.path(), &args.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(said.code, Some(0), "{line}: {said:?}");
            num_commands += 1;
        }
        let _ = writeln!(fresh, "{line}");
    }
    assert!(num_commands >= 3, "the README shows {num_commands} commands");
    if std::env::var_os("FLOWLOOM_UPDATE").is_some() {
        fs::write(&path, &fresh).expect("writes");
        return;
    }
    for (number, (said, shown)) in fresh.lines().zip(readme.lines()).enumerate() {
        assert_eq!(said, shown, "README.md, line {}", number + 1);
    }
    assert_eq!(fresh.lines().count(), readme.lines().count(), "README.md is longer or shorter than what is printed");
}

#[test]
fn files_that_the_readme_points_to_are_there() {
    let readme = fs::read_to_string(root().join("README.md")).expect("reads");
    for (at, _) in readme.match_indices("](") {
        let target = readme[at + 2..].split(')').next().unwrap_or("");
        if !target.contains("://") && !target.starts_with('#') {
            assert!(root().join(target).exists(), "README.md points to {target}");
        }
    }
}
