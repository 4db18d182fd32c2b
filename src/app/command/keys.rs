//! Which keys a command has: those of the table, or the user's; and that no two commands have the same.
//!
//! Deliberately not here: what a key is called by the window, and pressing one.

use super::{COMMANDS, CommandId, CommandRow, row};
use crate::app::preferences::Preferences;

/// The keys of a command as they are now, with a space between several; empty where it has none.
pub fn keys(preferences: &Preferences, id: CommandId) -> &str {
    let table = row(id).keys;
    // Asked for every command in every frame.
    if preferences.keys.is_empty() { table } else { preferences.keys_of(&format!("{id:?}"), table) }
}

/// The first of them, as buttons and menus show it.
pub fn key(preferences: &Preferences, id: CommandId) -> &str {
    keys(preferences, id).split(' ').next().unwrap_or_default()
}

/// The same key, whatever the order of what is held with it.
fn sorted(key: &str) -> Vec<String> {
    let mut parts: Vec<String> = key.split('+').map(str::to_lowercase).collect();
    parts.sort();
    parts
}

fn each(keys: &str) -> impl Iterator<Item = &str> {
    keys.split(' ').filter(|key| !key.is_empty())
}

/// Another command that has one of these keys.
pub fn taken_by(preferences: &Preferences, id: CommandId, wanted: &str) -> Option<(&'static CommandRow, String)> {
    COMMANDS.iter().filter(|row| row.id != id).find_map(|row| {
        let has = |key: &str| each(keys(preferences, row.id)).any(|other| sorted(other) == sorted(key));
        each(wanted).find(|key| has(key)).map(|key| (row, key.to_owned()))
    })
}

/// The settings with other keys of a command; none take them away.
///
/// Errors: another command has them; a sentence that names it.
pub fn with_keys(preferences: &Preferences, id: CommandId, wanted: &str) -> Result<Preferences, String> {
    if let Some((other, key)) = taken_by(preferences, id, wanted) {
        return Err(format!("{key} is the key of \u{201c}{}\u{201d}; take it from there first", other.label));
    }
    let mut out = preferences.clone();
    let name = format!("{id:?}");
    if wanted == row(id).keys {
        out.keys.remove(&name)
    } else {
        out.keys.insert(name, wanted.to_owned())
    };
    Ok(out)
}

/// What is wrong with the keys of a settings file, in words: names of no command, keys that two commands have.
pub fn faults(preferences: &Preferences) -> Vec<String> {
    let mut out = Vec::new();
    for name in preferences.keys.keys() {
        if !COMMANDS.iter().any(|row| format!("{:?}", row.id) == *name) {
            out.push(format!("`keys` in the settings: there is no command `{name}`"));
        }
    }
    for (at, row) in COMMANDS.iter().enumerate() {
        let mine = keys(preferences, row.id);
        let later = COMMANDS[at + 1..].iter().find_map(|other| {
            let has = |key: &&str| each(keys(preferences, other.id)).any(|one| sorted(one) == sorted(key));
            each(mine).find(has).map(|key| (other, key))
        });
        if let Some((other, key)) = later {
            out.push(format!(
                "`keys` in the settings: {key} is for \u{201c}{}\u{201d} and \u{201c}{}\u{201d}; the first has it",
                row.label, other.label
            ));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_users_and_no_two_commands_share_one() {
        let usual = Preferences::default();
        assert_eq!(
            (keys(&usual, CommandId::Redo), key(&usual, CommandId::Redo)),
            ("Ctrl+Shift+Z Ctrl+Y", "Ctrl+Shift+Z")
        );
        assert_eq!(faults(&usual), [""; 0]);
        let refused = with_keys(&usual, CommandId::Mute, "Shift+Ctrl+S");
        assert!(refused.as_ref().is_err_and(|why| why.contains("Save as")), "{refused:?}");
        let mine = with_keys(&usual, CommandId::Mute, "Ctrl+Alt+M").expect("free");
        assert_eq!((key(&mine, CommandId::Mute), key(&usual, CommandId::Mute)), ("Ctrl+Alt+M", "M"));
        let freed = with_keys(&mine, CommandId::Save, "").expect("none");
        let taken = with_keys(&freed, CommandId::Mute, "Ctrl+S").expect("free by now");
        assert_eq!((key(&taken, CommandId::Save), key(&taken, CommandId::Mute)), ("", "Ctrl+S"));
        let back = with_keys(&taken, CommandId::Save, "Ctrl+S");
        assert!(back.is_err_and(|why| why.contains("Mute")), "its usual key is another's now");
        assert_eq!(with_keys(&mine, CommandId::Mute, "M").expect("its own").keys.len(), 0);
        let mut file = usual;
        file.keys.insert("Mute".into(), "Ctrl+S".into());
        file.keys.insert("Fly".into(), "F8".into());
        let said = faults(&file);
        assert!(said.len() == 2 && said[0].contains("`Fly`") && said[1].contains("Ctrl+S"), "{said:?}");
    }
}
