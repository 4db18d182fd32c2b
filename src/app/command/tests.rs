//! The command table, and every command of it at work: a state before, the command, and what it changed.

use std::collections::BTreeMap;

use super::*;

#[test]
fn the_table_is_well_formed() {
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    for (at, row) in COMMANDS.iter().enumerate() {
        assert_eq!(row.id as usize, at, "{}", row.label);
        assert!(!row.label.ends_with('.') && !row.help.ends_with('.') && !row.help.is_empty(), "{}", row.label);
        for key in row.keys.split(' ').filter(|key| !key.is_empty()) {
            assert_eq!(keys.insert(key, row.label), None, "{key} is taken");
        }
    }
}
