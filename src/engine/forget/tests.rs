//! Folders before and after somebody is forgotten.

use rusqlite::Connection;

use super::*;
use crate::engine::delivery::{Outgoing, Payload, Transport as _};

fn ada() -> Person {
    let key = SendKey { journey: "ada/demo/1".into(), node: "mail".into(), pass: 1 };
    Person {
        id: "ada".into(),
        addresses: ["ada@shop.example".to_owned()].into(),
        keys: [key.to_string()].into(),
        is_under_way: false,
    }
}

fn put(folder: &Path, journey: &str) {
    let payload = Payload::Mail { from: "a@b.example".into(), to: vec![], bytes: b"Hello".to_vec() };
    let key = SendKey { journey: journey.into(), node: "mail".into(), pass: 1 };
    let _ = Folder::new(folder).hand_over(&Outgoing { key, contact: "x".into(), payload });
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("is made");
    fs::write(path, text).expect("writes");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("reads").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn nothing_of_a_person_is_left_in_files() {
    let home = tempfile::tempdir().expect("a folder");
    let (data, out, watched) = (home.path().join("data"), home.path().join("out"), home.path().join("in"));
    fs::create_dir(&data).expect("is made");
    for journey in ["ada/demo/1", "ben/demo/1"] {
        put(&out, journey);
        put(&data.join("mails"), journey);
    }
    let aside = |body: &str| {
        serde_json::json!({"schema": "flowloom/aside/1", "at": "2026-01-01T00:00:00Z", "from": "/hooks/x", "error": "", "hint": "", "headers": {}, "body": body}).to_string()
    };
    write(&data.join("aside/1.json"), &aside(r#"{"customer": {"id": "ada"}}"#));
    write(&data.join("aside/2.json"), &aside(r#"{"email": "Ada@shop.example"}"#));
    write(&data.join("aside/3.json"), &aside(r#"{"email": "ben@shop.example"}"#));
    write(&watched.join("done/a.jsonl"), "{\"contact\":\"ada\"}\n{\"contact\":\"ben\"}\n");
    write(&watched.join("failed/b.jsonl"), "{\"contact\":\"ada\"}\n");
    write(&watched.join("failed/b.jsonl.txt"), "b.jsonl: 0 taken\nline 1: no name\n");
    write(&watched.join("failed/c.json"), "[{\"email\":\"ada@shop.example\"");
    write(&watched.join("done/.d.jsonl.shorter"), "{\"contact\":\"ada\"}\n");
    write(&watched.join("next.jsonl"), "{\"contact\":\"ada\"}\n");
    write(&watched.join("other.jsonl"), "{\"contact\":\"ben\"}\n");
    let copy = |name: &str, sql: &str| {
        let copy = Connection::open(data.join(name)).expect("opens");
        copy.execute_batch(&format!(
            "pragma application_id = {}; create table contact(n integer primary key, id text, email text); \
             create table journal(contact integer); {sql}",
            0x464c_574d
        ))
        .expect("writes");
    };
    copy("flowloom.db.before-restore-1", "insert into contact values (1, 'ada', 'ada@shop.example')");
    copy("flowloom.db.before-restore-2", "insert into contact values (1, 'ada', null)");
    copy("copy.db", "insert into contact values (1, 'ada', null); insert into journal values (1)");
    copy("ben.db", "insert into contact values (1, 'ben', 'ben@shop.example')");
    copy(store::FILE, "insert into contact values (1, 'ada', null)");

    let mut places = Places::default();
    assert!(places.add(Some(&out), Some(&watched)) && !places.add(Some(&out), Some(&watched)));
    let erased = erase(&ada(), &data, &places);
    assert_eq!((erased.mails, erased.aside, erased.items), (2, 2, 2), "{erased:?}");
    assert!(erased.faults.is_empty(), "{erased:?}");
    assert_eq!((names(&out).len(), names(&data.join("mails")).len()), (1, 1));
    assert_eq!(names(&data.join("aside")), ["3.json"]);
    assert_eq!(
        (names(&watched.join("done")), names(&watched.join("failed"))),
        (vec!["a.jsonl".into()], vec!["c.json".into()])
    );
    assert_eq!(fs::read_to_string(watched.join("done/a.jsonl")).expect("reads"), "\n{\"contact\":\"ben\"}\n");
    let left = [
        data.join("copy.db"),
        data.join("flowloom.db.before-restore-1"),
        watched.join("failed/c.json"),
        watched.join("next.jsonl"),
    ];
    assert_eq!(erased.left, left);
    let said = erased.said(&"ada".into());
    for part in [
        "2 files of mails, 2 requests kept aside, 2 items of files that were read",
        "These files still hold data of ada: ",
        "failed/c.json, ",
        "Delete them when you need them no more",
        "flowloom backup",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Twice is once.
    let again = erase(&ada(), &data, &places);
    assert_eq!(again, Erased { left: left.to_vec(), ..Erased::default() });
}

#[test]
fn where_nothing_lies_nothing_is_said_of_files() {
    let data = tempfile::tempdir().expect("a folder");
    let erased = erase(&ada(), data.path(), &Places::default());
    assert_eq!(erased, Erased::default());
    let said = erased.said(&"ada".into());
    assert!(!said.contains("deleted") && said.contains("flowloom backup"), "{said}");
}

#[cfg(unix)]
#[test]
fn what_cannot_be_deleted_is_named() {
    let home = tempfile::tempdir().expect("a folder");
    let watched = home.path().join("in");
    write(&watched.join("done"), "no folder");
    let places = Places { watched: vec![watched.clone()], ..Places::default() };
    let erased = erase(&ada(), home.path(), &places);
    assert_eq!(erased.faults.len(), 1, "{erased:?}");
    assert!(erased.said(&"ada".into()).contains("tried again with the next start"), "{erased:?}");
}

#[test]
fn folders_are_remembered_to_an_end() {
    let mut places = Places::default();
    for n in 0..=MOST_FOLDERS {
        assert!(places.add(Some(&Path::new("/out").join(n.to_string())), None));
    }
    assert_eq!(places.mails.len(), MOST_FOLDERS);
    assert_eq!(places.mails[0], Path::new("/out/1"));
}
