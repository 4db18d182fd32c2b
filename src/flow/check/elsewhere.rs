//! Pages of codes that other rooms report: files, settings, conditions, templates, audiences.

use super::CheckSpec;
use crate::base::Severity;

const fn page(
    code: &'static str,
    severity: Severity,
    title: &'static str,
    [what, why, example, fix, source]: [&'static str; 5],
) -> CheckSpec {
    CheckSpec { code, severity, title, what, why, example, fix, source }
}

/// The pages.
pub(super) const SPECS: &[CheckSpec] = &[
    page("alert/address", Severity::Error, "An alert without an address", [
        "An internal alert names nobody, or something that is not an e-mail address.",
        "Nobody would be told.",
        "to: [\"sales\"]",
        "Name at least one address of the team: to: [\"sales@example.com\"].",
        "DESIGN 3 (actions)",
    ]),
    page("cap/no-window", Severity::Error, "A cap without a window", [
        "The span in which messages are counted is nothing or negative.",
        "Nothing is ever counted, so the cap never holds anything back.",
        "(limit: at_most(3), within: \"0 h\")",
        "Give it a span, such as \"48 h\".",
        "SEMANTICS R23",
    ]),
    page("delay/negative", Severity::Error, "A wait that lies behind", [
        "A delay has a negative span.",
        "Nobody can wait backwards; for a time before a date use date(property: …, offset: \"-1 day\").",
        "wait: for(\"-4 h\")",
        "Write a span that lies ahead.",
        "SEMANTICS R16",
    ]),
    page("delay/no-weekday", Severity::Error, "A wait without a weekday", [
        "The list of weekdays on which a wait may end is empty.",
        "The wait would never end.",
        "wait: until(time: \"09:00\", weekdays: [])",
        "Name a weekday, or leave the list out for every day.",
        "SEMANTICS R17",
    ]),
    page("file/comments", Severity::Hint, "Comments between the parts", [
        "The file has comments outside settings, fields and messages.",
        "Inside those parts comments are kept letter by letter; between them the first save after an edit drops them.",
        "// a comment above a node",
        "Move them into the part they speak of, or into a node's note.",
        "DESIGN 6",
    ]),
    page("file/migrated", Severity::Hint, "An older version", [
        "The file was written by an older version and is read as the newest.",
        "Nothing is lost; older programs cannot read it once it is saved.",
        "version: 1",
        "Save it when everybody who works on it has the newer version.",
        "DESIGN 6",
    ]),
    page("file/newer-version", Severity::Error, "A newer version", [
        "The file was written by a newer version than this one.",
        "It may hold what this version does not understand, so it is shown as far as possible and not saved.",
        "version: 9",
        "Get a newer Flowloom.",
        "DESIGN 6",
    ]),
    page("file/unknown-version", Severity::Error, "A version that never was", [
        "The file names a version that no Flowloom has written.",
        "What the file means cannot be known.",
        "version: 0",
        "Restore the file from a copy, or write the version it was made for.",
        "DESIGN 6",
    ]),
    page("file/unreadable", Severity::Error, "A file that cannot be read", [
        "The file is not the text it should be; the message names line and column.",
        "Nothing can be checked or sent before it is mended; it is left as it is.",
        "A closing parenthesis is missing at the end.",
        "Mend that place with a text editor.",
        "DESIGN 6, STYLE 7",
    ]),
    page("graph/bad-id", Severity::Error, "An id that is not well formed", [
        "The id of a step has characters that ids cannot have, or is too long.",
        "Ids stand in files, addresses and reports and must survive all of them.",
        "(id: \"mail 1\", …)",
        "Use 1 to 64 letters, digits, - _ or .",
        "DESIGN 6",
    ]),
    page("graph/dangling-edge", Severity::Error, "An edge without an end", [
        "An edge begins or ends at a step that does not exist.",
        "A journey that takes it has nowhere to go.",
        "(from: \"start\", to: \"mial-1\")",
        "Name a step that exists, or delete the edge.",
        "STYLE 4 (invariants)",
    ]),
    page("graph/duplicate-field", Severity::Error, "Two fields of one name", [
        "Two fields of the flow have the same name.",
        "A tag with that name would mean two things.",
        "fields: [(name: \"x\", …), (name: \"x\", …)]",
        "Rename or delete one of them.",
        "STYLE 4 (invariants)",
    ]),
    page("graph/duplicate-id", Severity::Error, "Two steps of one id", [
        "Two steps of the flow have the same id.",
        "Edges, conditions and send keys name steps by id; they would mean two.",
        "(id: \"mail-1\", …), (id: \"mail-1\", …)",
        "Give one of them another id, and its edges too.",
        "STYLE 4 (invariants), SEMANTICS R21",
    ]),
    page("graph/duplicate-message", Severity::Error, "Two messages of one id", [
        "Two messages of the flow have the same id.",
        "A step that sends it could mean either.",
        "messages: [(id: \"mail-1\", …), (id: \"mail-1\", …)]",
        "Rename or delete one of them.",
        "STYLE 4 (invariants)",
    ]),
    page("graph/edge-into-start", Severity::Error, "An edge into a trigger or note", [
        "An edge leads into a trigger or a note.",
        "A trigger is where journeys begin, and a note is no step; neither can be arrived at.",
        "(from: \"mail-3\", to: \"start\")",
        "Lead it to the step after the trigger.",
        "STYLE 4 (invariants)",
    ]),
    page("graph/port-twice", Severity::Error, "Two edges at one port", [
        "Two edges leave a step by the same port.",
        "A journey is in one place at a time.",
        "(from: \"start\", to: \"a\"), (from: \"start\", to: \"b\")",
        "Keep one of them; a branch or a split leads several ways.",
        "SEMANTICS R13, STYLE 4 (invariants)",
    ]),
    page("graph/unknown-port", Severity::Error, "A port that does not exist", [
        "An edge leaves a step by a port that it does not have.",
        "No journey ever takes it.",
        "(from: \"is-vip\", port: \"maybe\", to: \"mail-1\")",
        "Name one of the step's ports; an e-mail has `next`, a condition `yes` and `no`.",
        "STYLE 4 (invariants)",
    ]),
    page("settings/arm-name", Severity::Error, "An arm with a name that does not do", [
        "An arm of a branch or split has an empty, malformed or taken name.",
        "The name is the port that edges leave by.",
        "arms: [(name: \"else\", …)]",
        "Give each arm a name of its own of letters, digits, - or _.",
        "DESIGN 3 (logic)",
    ]),
    page("settings/unknown", Severity::Warning, "A setting that is not known", [
        "A file has a key that this version does not know. It is kept and does nothing.",
        "A misspelt setting looks as if it worked.",
        "settings: (reentri: once)",
        "Correct the name, or get the version that knows it.",
        "DESIGN 6",
    ]),
    page("split/no-salt", Severity::Error, "A split without a salt", [
        "The salt of a split is empty.",
        "The salt deals contacts to arms; splits that share one deal the same contacts together.",
        "(salt: \"\", arms: […])",
        "Give it any word of its own.",
        "SEMANTICS R19",
    ]),
    page("split/one-arm", Severity::Error, "A split with one arm", [
        "A split has fewer than two arms.",
        "There is nothing to compare.",
        "arms: [(name: \"a\", weight: 100)]",
        "Add an arm, or take the split out.",
        "SEMANTICS R19",
    ]),
    page("wait/no-time", Severity::Error, "A wait without time", [
        "A wait for an event has no time-out to wait in.",
        "It would always time out at once.",
        "(event: \"Placed Order\", timeout: \"0 h\")",
        "Give it a span such as \"2 days\".",
        "SEMANTICS R13",
    ]),
    page("webhook/address", Severity::Error, "A webhook without https", [
        "The address that a webhook calls does not begin with https://.",
        "What is sent names a person; it must not cross the net in the open.",
        "url: \"http://example.com/hook\"",
        "Write the whole address, with https://.",
        "RFC 9110, section 4.2.2",
    ]),
];
