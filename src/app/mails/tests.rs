//! The mail page without a window: what the panes show, and what is made for them.

use super::*;
use crate::app::{CommandId, fixture, pages::PageKind};

const TWO_VERSIONS: &str = r#"
    (version: 1, id: "f", name: "F",
     nodes: [
        (id: "t", kind: "trigger", settings: (any: [event(event: "Cart Updated")])),
        (id: "m", kind: "email", settings: (message: "m")),
     ],
     edges: [("t", "next", "m")],
     messages: [(id: "m", variants: [
        (id: "a", subject: "One", body: blocks([text(text: "First")])),
        (id: "b", subject: "Two", body: blocks([text(text: "Second")])),
     ])])"#;

fn opened(app: &mut App, node: &str) {
    fixture::run(app, Act::Open(node.into()));
}

fn subject(app: &App, pane: Pane) -> Option<String> {
    Some(made(fixture::document(app), pane)?.result.as_ref().ok()?.mail.subject.clone())
}

#[test]
fn a_mail_opens_on_its_page_and_other_steps_do_not() {
    let mut app = fixture::studio();
    opened(&mut app, "mail-2");
    let document = fixture::document(&app);
    assert_eq!((document.view.page, document.selected()), (Some(PageKind::Mails), Some(&"mail-2".into())));
    assert!(subject(&app, Pane::First).is_some());
    fixture::run(&mut app, CommandId::PageMails);
    assert_eq!(fixture::document(&app).view.page, None, "the command shows the canvas again");
    opened(&mut app, "no-such-step");
    assert_eq!(fixture::document(&app).view.page, None);
    assert_eq!(app.toasts.last().map(|toast| toast.text.as_str()), Some("This step sends no mail"));
    app.document_mut().expect("a document").view.selection.clear();
    fixture::run(&mut app, CommandId::PageMails);
    let document = fixture::document(&app);
    assert_eq!(document.selected(), Some(&"mail-1".into()), "the page begins with the flow's first mail");
    fixture::run(&mut app, CommandId::PageMails);
    assert_eq!(senders(fixture::document(&app)).len(), 3);
}

#[test]
fn another_contact_stands_beside_where_there_is_one_version() {
    let mut app = fixture::studio();
    opened(&mut app, "mail-1");
    fixture::run(&mut app, Act::Compare(true));
    let document = fixture::document(&app);
    let (first, other) = (contact(document, Pane::First).cloned(), contact(document, Pane::Other).cloned());
    assert!(first.is_some() && other.is_some() && first != other);
    assert_ne!(subject(&app, Pane::First), subject(&app, Pane::Other), "the names differ");
    fixture::run(&mut app, Act::Swap);
    let document = fixture::document(&app);
    assert_eq!((contact(document, Pane::First), contact(document, Pane::Other)), (other.as_ref(), first.as_ref()));
    fixture::run(&mut app, Act::ChooseOther("annie".into()));
    assert_eq!(contact(fixture::document(&app), Pane::Other), Some(&"annie".into()));
    fixture::run(&mut app, Act::Compare(false));
    assert_eq!(key(fixture::document(&app), Pane::Other), None);
}

#[test]
fn another_version_stands_beside_where_there_are_several() {
    let mut app = fixture::open(TWO_VERSIONS);
    opened(&mut app, "m");
    let dealt = subject(&app, Pane::First).expect("a mail");
    fixture::run(&mut app, Act::Compare(true));
    let beside = subject(&app, Pane::Other).expect("a mail");
    assert_ne!(dealt, beside);
    let who = |app: &App, pane| contact(fixture::document(app), pane).cloned();
    assert_eq!(who(&app, Pane::First), who(&app, Pane::Other), "the same contact");
    for (id, words) in [("a", "One"), ("b", "Two")] {
        fixture::run(&mut app, Act::ChooseVariant(Pane::First, Some(id.into())));
        assert_eq!(subject(&app, Pane::First).as_deref(), Some(words));
    }
    fixture::run(&mut app, Act::ChooseVariant(Pane::First, Some("gone".into())));
    assert_eq!(subject(&app, Pane::First), Some(dealt), "a version that is gone gives way to the one that is dealt");
}

#[test]
fn a_pane_follows_what_is_typed() {
    let mut app = fixture::open(TWO_VERSIONS);
    opened(&mut app, "m");
    fixture::run(&mut app, Act::Compare(true));
    let mut message = message(fixture::document(&app)).expect("a message").clone();
    for variant in &mut message.variants {
        variant.subject = format!("New {}", variant.id);
    }
    let edits = vec![crate::flow::Edit::SetMessage(Box::new(message))];
    fixture::run(&mut app, Command::Edit { label: "Type".to_owned(), edits, merge: None });
    for pane in [Pane::First, Pane::Other] {
        assert!(subject(&app, pane).is_some_and(|subject| subject.starts_with("New ")), "{pane:?}");
    }
}

#[test]
fn widths_and_colours_of_the_other_pane_follow_until_they_differ() {
    let mut app = fixture::studio();
    opened(&mut app, "mail-1");
    fixture::run(&mut app, Act::Compare(true));
    fixture::run(&mut app, Act::SetWidth(Pane::First, Width::Phone));
    assert_eq!(look(fixture::document(&app), Pane::Other), (Width::Phone, false));
    fixture::run(&mut app, Act::SetDark(Pane::Other, true));
    assert_eq!(look(fixture::document(&app), Pane::Other), (Width::Phone, true));
    assert_eq!(look(fixture::document(&app), Pane::First), (Width::Phone, false));
    fixture::run(&mut app, Act::SetZoom(Some(9.0)));
    assert_eq!(fixture::document(&app).view.mail.zoom, Some(2.0));
}

#[test]
fn a_picture_is_drawn_once_for_what_it_depends_on() {
    let mut app = fixture::studio();
    opened(&mut app, "mail-1");
    let at = |app: &App| pictures::key(fixture::document(app), Pane::First).expect("a mail");
    let first = at(&app);
    assert!(fixture::document(&app).derived.pictures.get(&first).is_some(), "the job is done at once here");
    fixture::run(&mut app, Act::SetWidth(Pane::First, Width::Phone));
    let phone = at(&app);
    assert_ne!(first, phone);
    let pictures = &fixture::document(&app).derived.pictures;
    assert!(pictures.get(&phone).is_some() && pictures.get(&first).is_some(), "the one before is kept");
    // Another part asks for none, and neither does a closed panel.
    fixture::run(&mut app, Act::ShowPart(Part::Text));
    fixture::run(&mut app, Act::SetDark(Pane::First, true));
    let dark = at(&app);
    assert!(fixture::document(&app).derived.pictures.get(&dark).is_none());
    fixture::run(&mut app, Act::ShowPart(Part::Picture));
    assert!(fixture::document(&app).derived.pictures.get(&dark).is_some());
}

#[test]
fn only_a_few_pictures_are_kept() {
    let mut app = fixture::studio();
    opened(&mut app, "mail-1");
    for percent in (50..300).step_by(10) {
        fixture::run(&mut app, Act::SetDensity(percent));
    }
    let key = pictures::key(fixture::document(&app), Pane::First).expect("a mail");
    let pictures = &fixture::document(&app).derived.pictures;
    assert!(pictures.get(&key).is_some());
    let kept = (50..300).filter(|percent| pictures.get(&PictureKey { density_percent: *percent, ..key }).is_some());
    assert_eq!(kept.count(), 6);
}

#[test]
fn links_are_listed_with_their_targets() {
    let mut app = fixture::studio();
    opened(&mut app, "mail-1");
    let document = fixture::document(&app);
    let mail = made(document, Pane::First).and_then(|made| made.result.as_ref().ok()).expect("a mail");
    let links = pictures::links(mail);
    assert!(
        links.iter().any(|link| link.target.starts_with("https://") && link.target.contains("utm_source=flowloom"))
    );
    assert!(links.iter().any(|link| link.is_of_recipient && link.words == "Unsubscribe"), "{links:?}");
}
