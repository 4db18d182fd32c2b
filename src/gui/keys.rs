//! The keyboard: the keys of the command table, taken before the panels see them.

use egui::{Context, Key, KeyboardShortcut, Modifiers};

use crate::app::{
    App, Command, CommandId,
    command::{COMMANDS, CommandRow, keys::keys, row},
};

/// A key as the command table writes it.
///
/// Errors: the part that is no key.
pub fn parse(text: &str) -> Result<KeyboardShortcut, String> {
    let mut modifiers = Modifiers::NONE;
    let mut parts = text.split('+').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            let key = Key::from_name(part).ok_or_else(|| format!("`{part}` is no key"))?;
            return Ok(KeyboardShortcut::new(modifiers, key));
        }
        modifiers |= match part {
            "Ctrl" => Modifiers::COMMAND,
            "Shift" => Modifiers::SHIFT,
            "Alt" => Modifiers::ALT,
            other => return Err(format!("`{other}` is no modifier")),
        };
    }
    Err("no key".to_owned())
}

/// Keys pressed in this frame, as commands. While something is typed, only keys with Ctrl that no text field needs;
/// keys without Ctrl or Alt are commands only on the canvas, since elsewhere they press buttons.
pub fn take(ctx: &Context, app: &App, on_canvas: bool, out: &mut Vec<Command>) {
    // A question in front, or a page, has the keyboard for itself.
    if !app.files.dialogs.is_empty() || app.files.page.is_some() {
        return;
    }
    #[cfg(feature = "engine")]
    if app.run.question.is_some() {
        return;
    }
    let typing = ctx.text_edit_focused();
    let has_page = app.document().is_some_and(|document| document.view.page.is_some());
    if !typing && !app.palette_open && !has_page {
        // The clipboard comes as events of its own, not as keys; another key of the user's takes the usual one away.
        let is_usual = |id: CommandId| keys(&app.preferences, id) == row(id).keys;
        ctx.input(|i| {
            for event in &i.events {
                match event {
                    egui::Event::Copy if is_usual(CommandId::Copy) => out.push(CommandId::Copy.into()),
                    egui::Event::Cut if is_usual(CommandId::Cut) => out.push(CommandId::Cut.into()),
                    egui::Event::Paste(text) if is_usual(CommandId::Paste) => {
                        out.push(Command::Paste { text: text.clone(), at: None })
                    }
                    _ => {}
                }
            }
        });
    }
    // The more modifiers the sooner, since egui takes Ctrl+Alt+1 for a Ctrl+1.
    for num_modifiers in [2, 1, 0] {
        let keys_of = |row: &CommandRow| keys(&app.preferences, row.id).split(' ');
        for (row, keys) in COMMANDS.iter().flat_map(|row| keys_of(row).map(move |keys| (row, keys))) {
            if keys.is_empty() || keys.matches('+').count() != num_modifiers {
                continue;
            }
            let Ok(shortcut) = parse(keys) else { continue };
            let plain = !shortcut.modifiers.command;
            let is_text = plain || matches!(row.group, "Edit" | "Clipboard");
            let closes_page = row.id == CommandId::SelectNone && has_page && !typing;
            let closes = (row.id == CommandId::SelectNone && app.palette_open) || closes_page;
            // What is selected on the canvas is not seen: nothing is done to it.
            let is_hidden =
                matches!(row.group, "Edit" | "Arrange") && !matches!(row.id, CommandId::Undo | CommandId::Redo);
            if has_page && is_hidden && !closes {
                continue;
            }
            if typing && is_text && !closes {
                continue;
            }
            let is_bare = plain && !shortcut.modifiers.alt && !is_function_key(shortcut.logical_key);
            // On a page they move in its table.
            if is_bare && (!on_canvas || has_page) && !closes {
                continue;
            }
            if egui::Popup::is_any_open(ctx) && plain {
                continue;
            }
            if app.palette_open && plain && !closes {
                continue;
            }
            if ctx.input_mut(|i| i.consume_shortcut(&shortcut)) {
                out.push(row.id.into());
                return;
            }
        }
    }
}

fn is_function_key(key: Key) -> bool {
    matches!(key, Key::F1 | Key::F2 | Key::F3 | Key::F4 | Key::F5 | Key::F6 | Key::F7 | Key::F8 | Key::F9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_a_key() {
        for row in COMMANDS {
            for keys in row.keys.split(' ').filter(|keys| !keys.is_empty()) {
                assert!(parse(keys).is_ok(), "{}: {:?}", row.label, parse(keys));
            }
        }
    }
}
