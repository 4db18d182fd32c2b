//! Pages at work on a whole studio: names that go through several flows, rows of every page.

use std::{path::PathBuf, sync::Arc};

use super::{Act, Neighbour, PageKind};
use crate::{
    app::{
        Answer, App, Command, CommandId, Home, Request,
        fields_use::Thing,
        files::{Task, Told},
        fixture::{self, document, run},
        inspector::{Change, Input},
        pages::{rows, shared},
        rename,
    },
    flow::file,
};

const PLAIN: &str = include_str!("../../../sample_flows/watch-shop/watch-shop-plain.flow.ron");

/// The watch flow in a folder, whose other flow lies there and is not open.
fn in_folder() -> App {
    let mut app = App::new();
    let requests =
        app.open(Some("/shop/watch-shop.flow.ron".into()), file::read(fixture::text()).expect("a flow"), home());
    drop(requests);
    app
}

fn home() -> Arc<Home> {
    let mut home = Home::clone(&fixture::home());
    home.folder = Some("/shop".into());
    home.other_flows = vec![file::read(PLAIN).expect("a flow").flow, file::read(fixture::text()).expect("a flow").flow];
    Arc::new(home)
}

fn with_both_open() -> App {
    let mut app = in_folder();
    let neighbour = Neighbour {
        path: PathBuf::from("/shop/watch-shop-plain.flow.ron"),
        loaded: Box::new(file::read(PLAIN).expect("a flow")),
        home: home(),
    };
    run(&mut app, Command::Answer(Answer::Files(Told::Neighbours(vec![neighbour]))));
    assert_eq!((app.documents.len(), app.active_idx), (2, 0), "it opens behind the one that is shown");
    app
}

fn rename_event(app: &mut App) {
    let act = Act::Rename { page: PageKind::Events, from: "Checkout Expired".into(), to: "Checkout Left".into() };
    run(app, act);
}

fn texts(app: &App) -> Vec<(String, String)> {
    app.documents.iter().map(|document| (file::write(document.flow()), document.home.source.clone())).collect()
}

#[test]
fn a_name_that_a_closed_flow_uses_stays_until_that_is_open() {
    let mut app = in_folder();
    let before = texts(&app);
    let refused = rename::plan(&app, document(&app), Thing::Event, "Checkout Expired", "Checkout Left");
    let refused = refused.expect_err("another flow uses it");
    assert!(refused.why.contains("not open"), "{}", refused.why);
    assert_eq!(refused.closed, ["watch-shop-plain"]);
    rename_event(&mut app);
    assert_eq!(texts(&app), before);
    assert!(app.toasts.iter().any(|toast| toast.is_error && toast.text.contains("not open")), "{:?}", app.toasts);
    let asked = run(&mut app, Act::OpenNeighbours(refused.closed));
    let is_asked = |request: &Request| matches!(request, Request::Files(Task::OpenNeighbours { flows, .. }) if *flows == ["watch-shop-plain"]);
    assert!(asked.iter().any(is_asked), "{asked:?}");
}

#[test]
fn a_name_changes_in_all_open_flows_and_comes_back_in_all() {
    let mut app = with_both_open();
    let before = texts(&app);
    rename_event(&mut app);
    let after = texts(&app);
    for ((flow, workspace), (old_flow, _)) in after.iter().zip(&before) {
        assert!(!flow.contains("Checkout Expired") && flow != old_flow);
        assert!(workspace.contains("name: \"Checkout Left\"") && workspace.contains("klaviyo: \"Checkout Expired\""));
    }
    assert!(app.toasts.iter().any(|toast| toast.text.contains("another open flow")), "{:?}", app.toasts);
    assert!(app.documents.iter().all(|document| document.history.undo_labels().count() == 1), "one step each");
    run(&mut app, CommandId::Undo);
    assert_eq!(texts(&app), before);
    run(&mut app, CommandId::Redo);
    assert_eq!(texts(&app), after);
    run(&mut app, CommandId::NextTab);
    run(&mut app, CommandId::Undo);
    assert_eq!(texts(&app), before, "from the other flow as well");
}

#[test]
fn a_flow_that_moved_on_keeps_the_new_name_and_says_so() {
    let mut app = with_both_open();
    rename_event(&mut app);
    run(&mut app, CommandId::NextTab);
    run(&mut app, Act::Add(PageKind::Tags));
    run(&mut app, CommandId::NextTab);
    run(&mut app, CommandId::Undo);
    assert!(app.toasts.iter().any(|toast| toast.is_error && toast.text.contains("still has the new name")));
}

#[test]
fn every_sort_of_shared_name_is_renamed_with_its_uses_as_one_step() {
    for (page, from) in [
        (PageKind::Segments, "VIP"),
        (PageKind::Events, "Placed Order"),
        (PageKind::Lists, "Newsletter"),
        (PageKind::Senders, "shop"),
        (PageKind::Pools, "watch15"),
        (PageKind::Constants, "threshold"),
        (PageKind::Tags, "cart_value"),
    ] {
        let mut app = fixture::studio();
        let before = texts(&app);
        let thing = page.thing().expect("has names");
        let uses = |app: &App, name: &str| {
            let document = document(app);
            rows::uses(document.flow(), &document.home, &[], thing, name).len()
        };
        let num_uses = uses(&app, from);
        run(&mut app, Act::Choose(page, Some(from.into())));
        run(&mut app, Act::Rename { page, from: from.into(), to: "fresh_one".into() });
        assert!(app.toasts.is_empty(), "{page:?} {:?}", app.toasts);
        assert_eq!((uses(&app, from), uses(&app, "fresh_one")), (0, num_uses), "{page:?}");
        assert!(rename::names(document(&app).flow(), &document(&app).home, thing).contains(&"fresh_one".into()));
        assert_eq!(document(&app).view.page_rows[&page], "fresh_one");
        assert_eq!(document(&app).history.undo_labels().count(), 1, "{page:?}");
        run(&mut app, CommandId::Undo);
        assert_eq!(texts(&app), before, "{page:?}");
    }
}

#[test]
fn rows_of_the_workspace_are_added_changed_and_removed() {
    for (page, field, text, found) in [
        (PageKind::Events, "klaviyo", "Other", "klaviyo: \"Other\""),
        (PageKind::Senders, "email", "a@b.example", "email: \"a@b.example\""),
        (PageKind::Pools, "shared", "TEN", "shared: \"TEN\""),
        (PageKind::Lists, "", "", "\"New list\""),
    ] {
        let mut app = fixture::studio();
        let before = texts(&app);
        run(&mut app, Act::Add(page));
        let name = document(&app).view.page_rows[&page].clone();
        if !field.is_empty() {
            let form = shared::form(document(&app), page, &name);
            let row = form.iter().find(|row| row.spec.name == field).expect(field);
            let ready = shared::edit(document(&app), page.word(), &row.route, &Change::Text(text.into()));
            run(&mut app, ready.expect("takes it").command());
        }
        assert!(document(&app).home.source.contains(found), "{page:?} {}", document(&app).home.source);
        let table = rows::plain(document(&app).flow(), &document(&app).home, &[], page);
        assert!(table.iter().any(|row| row.name == name && row.cells.len() == rows::columns(page).len()), "{table:?}");
        run(&mut app, Act::Remove(page, name));
        while document(&app).history.undo_labels().next().is_some() {
            run(&mut app, CommandId::Undo);
        }
        assert_eq!(texts(&app), before);
    }
}

#[test]
fn types_of_an_events_properties_are_changed() {
    let mut app = fixture::studio();
    let row = |app: &App| {
        let form = shared::form(document(app), PageKind::Events, "Placed Order");
        form.into_iter().find(|row| row.spec.name == "properties").expect("a row")
    };
    let Input::Map { mut pairs, .. } = row(&app).input else { panic!("a map") };
    assert_eq!(pairs[0], ("amount".to_owned(), "money".to_owned()));
    pairs[0].1 = "number".to_owned();
    pairs.push(("paid".to_owned(), String::new()));
    let ready = shared::edit(document(&app), "event", &row(&app).route, &Change::Pairs(pairs.clone()));
    run(&mut app, ready.expect("types").command());
    assert!(document(&app).home.source.contains("\"amount\": number"), "{}", document(&app).home.source);
    pairs[0].1 = "colour".to_owned();
    let refused = shared::edit(document(&app), "event", &row(&app).route, &Change::Pairs(pairs));
    assert!(refused.is_err_and(|why| why.contains("no type")));
}

/// Numbers, dates and the default zone of the settings show in every panel that has some.
#[test]
fn settings_are_obeyed_by_every_panel() {
    use crate::app::{
        counts,
        inspector::footer,
        pages::people,
        preferences::{DateStyle, NumberStyle, Preferences},
        stage, timeline, what_if,
    };
    let mut app = fixture::studio();
    run(&mut app, Command::Select { nodes: vec!["mail-1".into()], toggle: false });
    let number = |app: &App| document(app).home.manner.number(12_480);
    assert_eq!(number(&app), "12,480");
    let preferences =
        Preferences { numbers: NumberStyle::Point, dates: DateStyle::DayFirst, ..app.preferences.clone() };
    run(&mut app, Command::Files(crate::app::files::Act::Prefer(Box::new(preferences))));
    assert_eq!(number(&app), "12.480");
    let document = document(&app);
    let home = &document.home;
    let ada = document.view.contact.clone().expect("somebody");
    let has_date = |text: &str| {
        let parts: Vec<&str> = text.split(['.', ' ']).collect();
        parts.len() >= 4 && parts[1].len() == 2 && parts[1].parse::<u8>().is_ok() && parts[2].parse::<u8>().is_ok()
    };
    let check = |what: &str, text: &str| assert!(has_date(text), "{what}: {text}");
    check("counts", &counts::counts(document).expect("counted").span);
    let line = timeline::timeline(document).expect("a time line");
    line.rows.iter().for_each(|row| check("time line", &row.when));
    let days: Vec<_> = line.ticks.iter().filter(|tick| tick.is_day).collect();
    assert!(!days.is_empty() && days.iter().all(|tick| tick.label.ends_with('.')), "{days:?}");
    let known = people::known(home, &ada).expect("is there");
    known.events.iter().for_each(|(when, ..)| check("audience", when));
    let events = stage::entries(document.flow(), home, &ada);
    assert!(!events.is_empty());
    events.iter().for_each(|event| check("events of the preview", &event.when));
    let dropped = home.audience.events.iter().find(|event| event.contact == ada).expect("an event");
    check(
        "what-if",
        what_if::Change::Drop(dropped.id.clone()).sentence(home, &ada).rsplit(" of ").next().unwrap_or(""),
    );
    assert!(footer::stats(document, &"start".into()).iter().all(|stat| !stat.number.contains(',')));
}

/// A workspace that names no zone is in the user's, everywhere; one that names its own stays there.
#[test]
fn the_default_zone_is_where_nobody_names_one() {
    use crate::app::{files::Act as FilesAct, preferences::Preferences, when};
    let mut app = App::new();
    let mut home = Home::clone(&fixture::home());
    home.source = home.source.replace("    zone: \"Europe/Berlin\",\n", "");
    home.workspace = file::read_workspace(&home.source).expect("reads").0;
    let requests = app.open(None, file::read(fixture::text()).expect("a flow"), Arc::new(home));
    drop(requests);
    let zone = |app: &App| when::zone(&document(app).home, None).name().to_owned();
    assert_eq!(zone(&app), "UTC");
    let prefer = |app: &mut App, zone: Option<&str>| {
        let preferences = Preferences { zone: zone.map(str::to_owned), ..app.preferences.clone() };
        run(app, Command::Files(FilesAct::Prefer(Box::new(preferences))));
    };
    prefer(&mut app, Some("Asia/Tokyo"));
    assert_eq!(zone(&app), "Asia/Tokyo");
    run(&mut app, Act::Add(PageKind::Lists));
    assert_eq!(zone(&app), "Asia/Tokyo", "also after an edit of the workspace");
    prefer(&mut app, None);
    assert_eq!(zone(&app), "UTC");
    let mut named = fixture::studio();
    prefer(&mut named, Some("Asia/Tokyo"));
    assert_eq!(zone(&named), "Europe/Berlin");
}

#[test]
fn the_workspace_is_set_beside_the_flow() {
    let mut app = fixture::studio();
    let form = shared::plain_form(document(&app));
    let zone = form.iter().find(|row| row.spec.name == "zone").expect("a zone");
    assert_eq!(zone.text(), "Europe/Berlin");
    let ready = shared::edit(document(&app), "workspace", &zone.route, &Change::Text("Europe/Paris".into()));
    run(&mut app, ready.expect("a zone").command());
    assert_eq!(document(&app).home.workspace.zone, "Europe/Paris");
    let caps = form.iter().find(|row| row.spec.name == "caps").expect("caps");
    assert_eq!(caps.inner().len(), 2);
}
