//! Tests of forms and edits over every kind of the catalogue.

use std::sync::Arc;

use super::{
    message::{MessageChange, Part},
    *,
};
use crate::{
    app::{DocumentId, Home, new_flow},
    base::{TimeOfDay, Weekday, Window},
    flow::Edge,
    kinds::{CATALOGUE, Editor, Group},
};

/// A document with one step of a kind, selected.
fn one_step(kind: &str, settings: &str) -> Document {
    document(vec![Node::new("n", kind, settings)], vec![])
}

fn document(nodes: Vec<Node>, edges: Vec<Edge>) -> Document {
    let mut document = Document::new(DocumentId(1), None, new_flow("f", "F"), Arc::new(Home::default()));
    let mut edits: Vec<Edit> = nodes.into_iter().map(|node| Edit::AddNode(Box::new(node))).collect();
    edits.extend(edges.into_iter().map(Edit::Connect));
    document.edit("begin", &edits, None).expect("begins");
    document.view.selection = [document.flow().nodes[0].id.clone()].into();
    document
}

fn route(text: &str) -> Route {
    let step = |part: &str| match (part.parse(), part.strip_prefix('<')) {
        (Ok(at), _) => Step::Row(at),
        (_, Some(case)) => Step::Case(case.trim_end_matches('>').into()),
        _ => Step::Field(part.into()),
    };
    Route(text.split('.').map(step).collect())
}

fn do_it(document: &mut Document, change: Result<Ready, String>) {
    let ready = change.expect("can be done");
    document.edit(&ready.label, &ready.edits, None).expect("the flow takes it");
}

fn settings(document: &Document) -> String {
    document.flow().nodes[0].settings.raw().to_owned()
}

#[track_caller]
fn check(kind: &str, before: &str, at: &str, change: Change, after: Result<&str, &str>) {
    let mut document = one_step(kind, before);
    let form = form(&document).expect("a form");
    let got = edit(document.flow(), &form.target, &route(at), &change);
    match (got, after) {
        (Ok(ready), Ok(after)) => {
            do_it(&mut document, Ok(ready));
            assert_eq!(settings(&document), after, "{before}");
        }
        (Err(why), Err(expected)) => assert!(why.contains(expected), "{before}: {why}"),
        (got, after) => panic!("{before}: {got:?} instead of {after:?}"),
    }
}

fn text(text: &str) -> Change {
    Change::Text(text.to_owned())
}

fn pick(name: &str) -> Change {
    Change::Pick(name.to_owned())
}

#[test]
fn changes_of_settings() {
    check("delay", r#"(wait: for("4 h"))"#, "wait.<for>", text("1 day 4 h"), Ok(r#"(wait: for("1 day 4 h"))"#));
    check("delay", r#"(wait: for("4 h"))"#, "wait.<for>", text("4 hoars"), Err("the unit is none of"));
    check("delay", r#"(wait: for("4 h"))"#, "wait", pick("until"), Ok(r#"(wait: until(time: "09:00"))"#));
    check("delay", r#"(wait: for("4 h"))"#, "after", pick("entry"), Ok(r#"(wait: for("4 h"), after: entry)"#));
    check("delay", r#"(wait: for("4 h"), after: entry)"#, "after", pick("previous"), Ok(r#"(wait: for("4 h"))"#));
    let time = |hour| TimeOfDay::new(hour, 0).expect("a time");
    let window =
        Window { from: time(9), until: time(17), weekdays: [Weekday::Mon, Weekday::Tue].into_iter().collect() };
    check(
        "delay",
        r#"(wait: for("4 h"))"#,
        "window",
        Change::Window(Some(window)),
        Ok(r#"(wait: for("4 h"), window: (from: "09:00", until: "17:00", weekdays: [mon, tue]))"#),
    );
    check(
        "email",
        r#"(message: "m")"#,
        "cooldown",
        Change::There(true),
        Ok(r#"(message: "m", cooldown: (lasts: "24 h"))"#),
    );
    check(
        "email",
        r#"(message: "m")"#,
        "transactional",
        Change::Switch(true),
        Ok(r#"(message: "m", transactional: true)"#),
    );
    check("email", r#"(message: "m")"#, "on_cap", pick("wait"), Ok(r#"(message: "m", on_cap: wait("6 h"))"#));
    check(
        "email",
        r#"(message: "m", on_cap: wait("6 h"))"#,
        "on_cap.<wait>",
        text("2 h"),
        Ok(r#"(message: "m", on_cap: wait("2 h"))"#),
    );
    check(
        "email",
        r#"(message: "m", later: thing(3))"#,
        "sender",
        text("shop"),
        Ok(r#"(message: "m", later: thing(3), sender: "shop")"#),
    );
    check("cap", r#"(limit: at_most(3))"#, "limit.<at_most>", text("5"), Ok("(limit: at_most(5))"));
    check("cap", r#"(limit: at_most(3))"#, "limit.<at_most>", text("2.5"), Err("line 1"));
    check("cap", r#"(limit: at_most(3))"#, "limit", pick("none"), Ok("(limit: none)"));
    check("note", r#"(text: "x")"#, "color", pick("pink"), Ok(r#"(text: "x", color: "pink")"#));
    check(
        "webhook",
        r#"(url: "x")"#,
        "headers",
        Change::Pairs(vec![("X-Key".into(), "${KEY}".into())]),
        Ok(r#"(url: "x", headers: {"X-Key": "${KEY}"})"#),
    );
    check(
        "trigger",
        r#"(any: [event(event: "A")])"#,
        "any",
        Change::Add("list".into()),
        Ok(r#"(any: [event(event: "A"), list(list: "Newsletter")])"#),
    );
    check(
        "trigger",
        r#"(any: [engagement(event: "A", at_least: 3, within: "7 days", filter: "true")])"#,
        "any.0",
        pick("event"),
        Ok(r#"(any: [event(event: "A", filter: "true")])"#),
    );
    check(
        "trigger",
        r#"(any: [abandonment(start: "A", after: "6 h")])"#,
        "any.0.<abandonment>.unless",
        Change::Add(String::new()),
        Ok(r#"(any: [abandonment(start: "A", after: "6 h", unless: [(event: "Placed Order")])])"#),
    );
    check(
        "update_contact",
        r#"(set: [(property: "a", to: now)])"#,
        "set.0.to",
        pick("value"),
        Ok(r#"(set: [(property: "a", to: value("yes"))])"#),
    );
}

#[test]
fn weights_keep_100_and_names_keep_their_edges() {
    let three = r#"(salt: "s", arms: [(name: "a", weight: 50), (name: "b", weight: 25), (name: "c", weight: 25)])"#;
    check(
        "split",
        three,
        "arms.0.weight",
        text("60"),
        Ok(r#"(salt: "s", arms: [(name: "a", weight: 60), (name: "b", weight: 20), (name: "c", weight: 20)])"#),
    );
    check(
        "split",
        three,
        "arms",
        Change::Remove(2),
        Ok(r#"(salt: "s", arms: [(name: "a", weight: 66.67), (name: "b", weight: 33.33)])"#),
    );
    check(
        "split",
        r#"(salt: "s", arms: [(name: "a", weight: 50), (name: "b", weight: 50)])"#,
        "arms",
        Change::Add(String::new()),
        Ok(
            r#"(salt: "s", arms: [(name: "a", weight: 33.34), (name: "b", weight: 33.33), (name: "c", weight: 33.33)])"#,
        ),
    );
    check("split", three, "arms.0.weight", text("101"), Err("At most 100 %"));
    check("split", three, "arms.0.name", text("b"), Err("taken"));
    check("split", three, "arms.0.name", text("a b"), Err("letters, digits"));
    check("branch", r#"(arms: [(name: "a", condition: "true")])"#, "arms.0.name", text("else"), Err("taken"));

    let mut document = document(
        vec![Node::new("s", "split", three), Node::new("x", "exit", "()"), Node::new("y", "exit", "()")],
        vec![Edge::new("s", "a", "x"), Edge::new("s", "b", "y")],
    );
    let target = form(&document).expect("a form").target;
    let ready = edit(document.flow(), &target, &route("arms.0.name"), &text("calm"));
    do_it(&mut document, ready);
    assert_eq!(document.flow().target("s", "calm").map(|id| id.as_str()), Some("x"));
    assert_eq!(document.flow().target("s", "b").map(|id| id.as_str()), Some("y"));
    let ready = edit(document.flow(), &target, &route("arms"), &Change::Move(0, 1));
    do_it(&mut document, ready);
    assert_eq!(document.flow().target("s", "calm").map(|id| id.as_str()), Some("x"));
}

/// Changes that a hand could make in a row, all of which must give settings that load.
fn changes(row: &Row) -> Vec<Change> {
    match &row.input {
        Input::Text { text, .. } => {
            let typed = match row.spec.editor {
                Editor::Span => "1 day 4 h",
                Editor::Time => "10:30",
                Editor::Number => "2",
                Editor::Path => "contact.city",
                Editor::Condition => "contact.city = \"Rome\"",
                _ => "other",
            };
            vec![Change::Text(typed.to_owned()), Change::Text(text.clone())]
        }
        Input::Switch(on) => vec![Change::Switch(!on), Change::Switch(*on)],
        Input::Choice { options, .. } => {
            options.iter().filter(|(name, _)| !name.is_empty()).map(|(name, _)| pick(name)).collect()
        }
        Input::Window(_) => {
            let time = |hour| TimeOfDay::new(hour, 0).expect("a time");
            let window = Window { from: time(9), until: time(17), weekdays: Default::default() };
            vec![Change::Window(Some(window)), Change::Window(None)]
        }
        Input::Weekdays(_) => vec![Change::Weekdays([Weekday::Mon].into_iter().collect())],
        Input::Group { may_go: true, .. } => vec![Change::There(true), Change::There(false)],
        Input::Group { .. } => Vec::new(),
        Input::OneOf { cases, .. } => cases.iter().map(|case| pick(case.name)).collect(),
        Input::List { items, list } => {
            let mut out = vec![Change::Add(String::new())];
            if let Editor::OneOf(cases) = list.item.editor {
                out.extend(cases.iter().map(|case| Change::Add(case.name.to_owned())));
            }
            out.extend((0..items.len()).map(|at| Change::Move(at, 0)));
            out
        }
        Input::Map { .. } => vec![Change::Pairs(vec![("a".into(), "1".into())]), Change::Pairs(Vec::new())],
        Input::Raw { why, .. } => panic!("{}: {why}", row.route),
    }
}

/// Tries every change in every row, and in the rows that come up by it, to a depth.
fn try_all(document: &Document, rows: &[Row], target: &Target, depth: usize, tried: &mut usize) {
    for row in rows {
        for change in changes(row) {
            let ready = edit(document.flow(), target, &row.route, &change)
                .unwrap_or_else(|why| panic!("{target:?} {} {change:?}: {why}", row.route));
            assert!(!ready.label.is_empty());
            *tried += 1;
            let mut next = document.history.flow().clone();
            next = apply_all(&next, &ready.edits).expect("loads");
            if let Change::Text(typed) = &change
                && !typed.is_empty()
            {
                let shown = shown_again(&next, target, &row.route);
                assert_eq!(shown.as_deref(), Some(typed.as_str()), "{target:?} {}", row.route);
            }
            let brings_rows = matches!(change, Change::Pick(_) | Change::There(true) | Change::Add(_));
            if brings_rows && depth > 0 {
                let mut after = Document::new(DocumentId(1), None, new_flow("f", "F"), Arc::default());
                after.history = crate::flow::History::new(next);
                after.view.selection.clone_from(&document.view.selection);
                let form = if *target == Target::Flow { flow_form(&after) } else { form(&after).expect("a form") };
                let inside: Vec<Row> = form.rows.iter().filter_map(|r| r.find(&row.route)).cloned().collect();
                let inner: Vec<Row> = inside.iter().flat_map(|row| row.inner().to_vec()).collect();
                try_all(&after, &inner, target, depth - 1, tried);
            }
        }
        try_all(document, row.inner(), target, depth, tried);
    }
}

fn shown_again(flow: &Flow, target: &Target, route: &Route) -> Option<String> {
    let raw = match target {
        Target::Flow => flow.settings.raw().to_owned(),
        Target::Nodes(ids) => flow.node(ids[0].as_str())?.settings.raw().to_owned(),
    };
    let fields = match target {
        Target::Flow => flow_fields::FIELDS,
        Target::Nodes(ids) => card::spec(&flow.node(ids[0].as_str())?.kind)?.fields,
    };
    let spec = change::spec_at(fields, &route.0)?;
    Some(leaf::shown(spec.editor, raw::get(&raw, &route.0)?))
}

#[test]
fn every_field_of_every_kind_can_be_shown_and_changed() {
    let mut tried = 0;
    for spec in CATALOGUE {
        let is_trigger = spec.group == Group::Trigger && spec.name != "trigger";
        let (kind, settings) = if is_trigger {
            ("trigger", format!("(any: [{}{}])", spec.name, spec.example))
        } else {
            (spec.name, spec.example.to_owned())
        };
        let document = one_step(kind, &settings);
        let form = form(&document).expect("a form");
        assert_eq!(form.unreadable, None);
        assert!(!form.rows.is_empty(), "{}", spec.name);
        try_all(&document, &form.rows, &form.target, 1, &mut tried);
    }
    assert!(tried > 300, "{tried}");
}

#[test]
fn every_setting_of_the_flow_can_be_shown_and_changed() {
    let document = one_step("exit", "()");
    let form = flow_form(&document);
    let mut tried = 0;
    try_all(&document, &form.rows, &form.target, 1, &mut tried);
    assert!(tried > 40, "{tried}");
    let consent = form.rows.iter().find(|row| row.spec.name == "consent").expect("there");
    assert_eq!(consent.inner().len(), 1, "what is meant by default is shown");
    let ready = edit(document.flow(), &Target::Flow, &route("consent"), &Change::Remove(0)).expect("goes");
    assert_eq!(ready.edits, [Edit::SetFlowField { field: "consent".into(), value: Some("[]".into()) }]);
}

#[test]
fn several_steps_are_changed_together() {
    let mut document = document(
        vec![
            Node::new("a", "delay", r#"(wait: for("4 h"))"#),
            Node::new("b", "delay", r#"(wait: for("5 h"), after: entry)"#),
            Node::new("c", "exit", "()"),
        ],
        vec![],
    );
    document.view.selection = ["a".into(), "b".into()].into();
    let common = form(&document).expect("one kind");
    let differs: Vec<(&str, bool)> = common.rows.iter().map(|row| (row.spec.name, row.differs)).collect();
    assert_eq!(differs, [("wait", true), ("after", true), ("window", false)]);
    let ready = edit(document.flow(), &common.target, &route("wait.<for>"), &text("6 h"));
    do_it(&mut document, ready);
    let raw: Vec<&str> = document.flow().nodes.iter().map(|node| node.settings.raw()).collect();
    assert_eq!(raw[..2], [r#"(wait: for("6 h"))"#, r#"(wait: for("6 h"), after: entry)"#]);
    document.view.selection.insert("c".into());
    assert!(form(&document).is_none(), "two kinds have nothing in common");
}

#[test]
fn settings_that_cannot_be_read_are_mended_as_text() {
    let mut document = one_step("delay", "(wait:\n  for(4))");
    let form = form(&document).expect("a form");
    let unreadable = form.unreadable.clone().expect("cannot be read");
    assert_eq!(unreadable.line, Some(2), "{}", unreadable.why);
    assert!(edit_raw(document.flow(), &form.target, "(wait: for(4.5))").is_err());
    let ready = edit_raw(document.flow(), &form.target, r#"(wait: for("4 h"))"#);
    do_it(&mut document, ready);
    assert!(super::form(&document).expect("a form").unreadable.is_none());
    let unknown = one_step("teleport", "(to: \"mars\")");
    let form = super::form(&unknown).expect("a form");
    assert_eq!(form.unreadable.expect("unknown").line, None);
}

#[test]
fn findings_stand_at_their_fields() {
    let mut document = one_step("trigger", r#"(any: [event(event: "A", filter: "contact.x >")])"#);
    let around = Home::default();
    let findings = crate::flow::check::check(document.flow(), &around.around());
    document.derived.findings = Some(crate::app::Stamped { value: Arc::new(findings), revision: 0 });
    let form = form(&document).expect("a form");
    let filter = form.rows.iter().find_map(|row| row.find(&route("any.0.<event>.filter"))).expect("there");
    assert!(!filter.notes.is_empty() && filter.notes[0].range.is_some(), "{:?}", filter.notes);
}

fn mail(variants: &str) -> Document {
    let mut document = one_step("email", r#"(message: "m")"#);
    let message = crate::content::Message::from_ron(&format!("(id: \"m\", {variants})")).expect("reads");
    document.edit("message", &[Edit::SetMessage(Box::new(message))], None).expect("takes it");
    document
}

#[track_caller]
fn check_message(before: &str, variant_idx: usize, change: MessageChange, after: Result<&str, &str>) {
    let mut document = mail(before);
    let got = message::edit(document.flow(), &"m".into(), variant_idx, &change);
    match (got, after) {
        (Ok(ready), Ok(after)) => {
            do_it(&mut document, Ok(ready));
            let expected = crate::content::Message::from_ron(&format!("(id: \"m\", {after})")).expect("reads");
            assert_eq!(document.flow().message("m"), Some(&expected));
        }
        (Err(why), Err(expected)) => assert!(why.contains(expected), "{why}"),
        (got, after) => panic!("{got:?} instead of {after:?}"),
    }
}

#[test]
fn changes_of_messages() {
    let typed = |part, text: &str| MessageChange::Type(part, text.to_owned());
    let two = r#"variants: [(id: "a", subject: "x"), (id: "b", subject: "y")]"#;
    check_message(r#"subject: "x""#, 0, typed(Part::Subject, "Hi {first_name}"), Ok(r#"subject: "Hi {first_name}""#));
    check_message(r#"subject: "x""#, 0, typed(Part::Name, "First"), Ok(r#"name: "First", subject: "x""#));
    check_message(
        two,
        1,
        typed(Part::Language, "de-AT"),
        Ok(r#"variants: [(id: "a", subject: "x"), (id: "b", language: "de-AT", subject: "y")]"#),
    );
    check_message(two, 1, typed(Part::Language, "German!"), Err("de, en-GB"));
    let columns =
        r#"body: blocks([columns(columns: [(blocks: [text(text: "a")]), (blocks: [/* kept */ text(text: "b")])])])"#;
    let inside = |at: &str, change| MessageChange::Block(0, route(&format!("<columns>.columns.{at}")), change);
    check_message(
        columns,
        0,
        inside("1.blocks.0.<text>.text", Change::Text("c".into())),
        Ok(r#"body: blocks([columns(columns: [(blocks: [text(text: "a")]), (blocks: [text(text: "c")])])])"#),
    );
    check_message(
        columns,
        0,
        inside("0.blocks", Change::Add("divider".into())),
        Ok(
            r#"body: blocks([columns(columns: [(blocks: [text(text: "a"), divider()]), (blocks: [text(text: "b")])])])"#,
        ),
    );
    check_message(
        columns,
        0,
        inside("0.width", Change::Text("40".into())),
        Ok(
            r#"body: blocks([columns(columns: [(width: 40, blocks: [text(text: "a")]), (blocks: [text(text: "b")])])])"#,
        ),
    );
    check_message(
        r#"subject: "x""#,
        0,
        MessageChange::CopyVariant,
        Ok(r#"variants: [(id: "a", subject: "x"), (id: "b", subject: "x")]"#),
    );
    check_message(two, 1, MessageChange::RemoveVariant, Ok(r#"subject: "x""#));
    check_message(r#"subject: "x""#, 0, MessageChange::RemoveVariant, Err("at least one"));
    check_message(two, 1, typed(Part::VariantName, "a"), Err("taken"));
    check_message(
        two,
        1,
        typed(Part::VariantName, "warm"),
        Ok(r#"variants: [(id: "a", subject: "x"), (id: "warm", subject: "y")]"#),
    );
    check_message(
        two,
        1,
        typed(Part::Weight, "3"),
        Ok(r#"variants: [(id: "a", subject: "x"), (id: "b", weight: 3, subject: "y")]"#),
    );
    let odd = r#"body: blocks([countdown(until: midnight), text(text: "a"), footer()])"#;
    check_message(
        odd,
        0,
        MessageChange::AddBlock("divider".into()),
        Ok(r#"body: blocks([countdown(until: midnight), text(text: "a"), divider(), footer()])"#),
    );
    check_message(
        odd,
        0,
        MessageChange::MoveBlock(1, 0),
        Ok(r#"body: blocks([text(text: "a"), countdown(until: midnight), footer()])"#),
    );
    let set = |at, kind: &str, name: &str, change| MessageChange::Block(at, message::block_route(kind, name), change);
    check_message(
        odd,
        0,
        set(1, "text", "show_if", text("cart_value > 3")),
        Ok(r#"body: blocks([countdown(until: midnight), text(text: "a", show_if: "cart_value > 3"), footer()])"#),
    );
    check_message(
        odd,
        0,
        MessageChange::Block(0, Route::default(), Change::Raw("spacer(height: 9)".into())),
        Ok(r#"body: blocks([spacer(height: 9), text(text: "a"), footer()])"#),
    );
    check_message(odd, 0, MessageChange::Block(0, Route::default(), Change::Raw("nothing(1".into())), Err(""));
    check_message(odd, 0, MessageChange::RemoveBlock(9), Err("gone"));
}

#[test]
fn every_block_can_be_shown_and_changed() {
    for case in blocks::BLOCKS {
        let mut document = mail("body: blocks([])");
        let added = message::edit(document.flow(), &"m".into(), 0, &MessageChange::AddBlock(case.name.to_owned()));
        do_it(&mut document, added);
        let form = message::form(&document, &"n".into()).expect("a form");
        let message::BodyForm::Blocks(list) = &form.variants[0].body else { panic!("blocks") };
        assert_eq!(list[0].title, case.label);
        assert!(!list[0].row.inner().is_empty(), "{}", case.name);
        for row in list[0].row.inner() {
            for change in changes(row) {
                let change = MessageChange::Block(0, row.route.clone(), change);
                if let Err(why) = message::edit(document.flow(), &"m".into(), 0, &change) {
                    panic!("{} {}: {why}", case.name, row.route);
                }
            }
        }
    }
}

#[test]
fn faults_of_an_mjml_source_stand_at_the_source_with_their_place() {
    let source = "<mjml><mj-body>\n<mj-section><mj-column><mj-text>x<p></mj-text>";
    let mut document = mail(&format!("variants: [(id: \"a\", subject: \"x\", body: mjml({source:?}))]"));
    let findings = crate::flow::check::check(document.flow(), &Home::default().around());
    document.derived.findings = Some(crate::app::Stamped { value: Arc::new(findings), revision: 0 });
    let form = message::form(&document, &"n".into()).expect("a form");
    let message::BodyForm::Source { source: field, .. } = &form.variants[0].body else { panic!("a source") };
    let note = field.notes.iter().find(|note| note.message.contains("not closed")).expect("a note");
    assert_eq!(note.range.map(|range| range.slice(source)), Some("<p"), "{note:?}");
}

#[test]
fn findings_of_a_message_stand_at_its_fields() {
    let mut document =
        mail(r#"variants: [(id: "a", subject: "x"), (id: "b", subject: "", body: blocks([text(text: "{nobody}")]))]"#);
    let findings = crate::flow::check::check(document.flow(), &Home::default().around());
    document.derived.findings = Some(crate::app::Stamped { value: Arc::new(findings), revision: 0 });
    let form = message::form(&document, &"n".into()).expect("a form");
    let message::BodyForm::Blocks(list) = &form.variants[1].body else { panic!("blocks") };
    let row = list[0].row.find(&message::block_route("text", "text")).expect("there");
    assert!(!row.notes.is_empty(), "{:?}", document.derived.findings);
    assert!(form.variants[0].subject.notes.is_empty());
}
