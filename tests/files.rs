//! Files of every version: each is read, means the same as the newest one, and is written back as promised.
//!
//! A new version adds a fixture here and leaves the old ones as they are: they stand for files that people have.

use std::fs;

use flowloom::flow::{
    WORKSPACE_VERSION,
    file::{self, FLOW_VERSION, Loaded},
};

use crate::tidy::root;

fn text_of(name: &str) -> String {
    let path = root().join("tests/fixtures/files").join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn flow_of(version: u32) -> (String, Loaded) {
    let text = text_of(&format!("flow-v{version}.flow.ron"));
    let loaded = file::read(&text).unwrap_or_else(|d| panic!("version {version}: {}", d.message));
    (text, loaded)
}

#[test]
fn flows_of_every_version_mean_the_same() {
    let (newest_text, newest) = flow_of(FLOW_VERSION);
    assert_eq!(newest.write(&newest.flow), newest_text, "unedited: the same bytes");
    assert!(newest.flow.invariants().is_empty(), "{:?}", newest.flow.invariants());
    for version in 1..FLOW_VERSION {
        let (text, loaded) = flow_of(version);
        assert_eq!(loaded.version, version);
        assert_eq!(file::write(&loaded.flow), file::write(&newest.flow), "version {version}");
        assert_eq!(loaded.flow.canonical(), newest.flow.canonical(), "version {version}");
        let codes: Vec<&str> = loaded.notes.iter().map(|note| &*note.code).collect();
        assert!(codes.contains(&"file/migrated"), "version {version}: {codes:?}");
        // The comment before the edges is in no part that is kept, and is announced before a save drops it.
        let comments: Vec<_> = loaded.notes.iter().filter(|note| note.code == "file/comments").collect();
        assert_eq!(comments.len(), 1, "version {version}: {:?}", loaded.notes);
        assert!(comments[0].message.starts_with("1 comment stands"), "{}", comments[0].message);
        let saved = loaded.write(&loaded.flow);
        assert_ne!(saved, text);
        for kept in ["// Every cart counts once.", "/* a working day */", "(to: mars)", "Maybe(1)"] {
            assert!(saved.contains(kept), "version {version}: {kept} in {saved}");
        }
        let again = file::read(&saved).unwrap_or_else(|d| panic!("{}", d.message));
        assert_eq!((again.version, &again.flow), (FLOW_VERSION, &loaded.flow));
    }
}

#[test]
fn workspaces_of_every_version_are_read() {
    for version in 1..=WORKSPACE_VERSION {
        let (workspace, notes) = file::read_workspace(&text_of(&format!("workspace-v{version}.ron")))
            .unwrap_or_else(|d| panic!("{}", d.message));
        assert_eq!((workspace.segments.len(), workspace.caps.len(), notes.len()), (1, 2, 0), "version {version}");
    }
}
