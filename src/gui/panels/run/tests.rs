//! The page by its accessible names, with an engine that is told by hand.

use std::{cell::RefCell, path::PathBuf, rc::Rc, sync::Arc};

use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};

use super::*;
use crate::{
    app::{
        Answer, Home, Request, fixture,
        pages::{Act as PageAct, PageKind},
        run::{Answered, Ask, FOLDER, Task, Told, options::Options},
    },
    audience::Contact,
    base::Instant,
    engine::{
        status::{ContactView, DamagedContact, FlowStatus, Found, HeldRow, JourneyView, SendView, Status},
        work::{Order, Refusal, Standing as OfSend},
    },
    flow::file,
    gui::{Outside, Studio, testing},
    kinds::runtime::{Outcome, Reason},
};

/// A saved answer of an engine; also what the pictures of the page are made from.
const STATUS: &str = include_str!("../../../../tests/fixtures/run/status.json");

/// A world whose engine waits to be answered by hand.
#[derive(Clone, Default)]
struct World {
    asked: Rc<RefCell<Vec<Task>>>,
    answers: Rc<RefCell<Vec<Answer>>>,
}

impl Outside for World {
    fn now(&self) -> Instant {
        fixture::now()
    }

    fn perform(&mut self, request: Request, _: &egui::Context) {
        match request {
            Request::Start(job) => self.answers.borrow_mut().push(Answer::Done(job.run())),
            Request::Engine(task) => self.asked.borrow_mut().push(*task),
            _ => {}
        }
    }

    fn poll(&mut self) -> Vec<Answer> {
        self.answers.take()
    }
}

type Window = Harness<'static, Studio>;

fn data() -> PathBuf {
    PathBuf::from("/shop").join(FOLDER)
}

impl World {
    fn tell(&self, window: &mut Window, told: Told) {
        self.answers.borrow_mut().push(Answer::Engine(Box::new(told)));
        window.run_steps(5);
    }

    fn rest(&self, window: &mut Window) {
        self.tell(window, Told::Resting { data: data(), status: None });
    }

    /// The engine answers; with the version on the screen where that is wanted.
    fn run(&self, window: &mut Window, change: impl FnOnce(&mut Status)) {
        let mut status: Status = serde_json::from_str(STATUS).expect("a status");
        change(&mut status);
        let status = Box::new(status);
        let address = "http://127.0.0.1:7171".to_owned();
        self.tell(window, Told::Running { data: data(), address, has_process: true, status });
    }

    /// The last thing that was asked of the engine, and its number.
    fn last(&self) -> (u64, Ask) {
        match self.asked.borrow_mut().pop() {
            Some(Task::Ask { id, ask, .. }) => (id, ask),
            other => panic!("{other:?}"),
        }
    }

    fn answer(&self, window: &mut Window, answer: Answered) {
        let id = self.asked.borrow().iter().rev().find_map(|task| match task {
            Task::Ask { id, .. } => Some(*id),
            _ => None,
        });
        self.tell(window, Told::Answered { data: data(), id: id.unwrap_or(0), answer });
    }
}

fn window_of(world: &World, size: egui::Vec2, theme: egui::Theme) -> Window {
    let mut app = App::new();
    app.theme = if theme == egui::Theme::Dark { crate::app::Theme::Dark } else { crate::app::Theme::Light };
    let loaded = Box::new(file::read(testing::WATCH).expect("a flow"));
    let path = Some(PathBuf::from("/shop/watch-shop.flow.ron"));
    let home = Arc::new(Home { folder: Some("/shop".into()), ..Home::clone(&fixture::home()) });
    world.answers.borrow_mut().push(Answer::Opened { path, loaded, home });
    let studio = Studio::new(app, Box::new(world.clone()));
    let mut harness = Harness::builder()
        .allow_missing_glyphs()
        .with_size(size)
        .with_theme(theme)
        .with_context_setup(theme::install)
        .build_ui_state(|ui, studio: &mut Studio| studio.root(ui), studio);
    harness.run_steps(4);
    harness.state_mut().command_at_once(PageAct::Show(Some(PageKind::Run)).into());
    harness.run_steps(4);
    harness
}

fn window(world: &World) -> Window {
    window_of(world, vec2(1440.0, 900.0), egui::Theme::Light)
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run_steps(5);
}

/// The version on the screen.
fn own(window: &Window) -> String {
    let document = window.state().app.document().expect("open");
    let workspace = file::read_workspace(&document.home.source).expect("a workspace").0;
    crate::journey::FlowSet::new(&workspace, &[]).remember(&workspace, document.flow()).to_string()
}

#[test]
fn an_engine_is_started_found_and_stopped() {
    let world = World::default();
    let mut h = window(&world);
    assert!(matches!(&world.asked.borrow()[..], [Task::Watch(Some(folder))] if *folder == data()));
    world.rest(&mut h);
    let _ = h.get_by_label("Not running");
    click(&mut h, "By a mail server");
    h.get_by_label("Mail server").focus();
    h.run_steps(2);
    h.get_by_label("Mail server").type_text("smtp://me@mail.example:587");
    h.run_steps(2);
    click(&mut h, "Start the engine");
    let asked = world.asked.borrow_mut().pop();
    let Some(Task::Start(job)) = asked else { panic!("{asked:?}") };
    assert_eq!(job.mail.as_deref(), Some("smtp://me@mail.example:587"));
    let _ = h.get_by_label("Starting\u{2026}");
    let refusal = Refusal::new("127.0.0.1:7171 cannot be used: it is taken", "Name another with --listen");
    world.tell(&mut h, Told::NotStarted { data: data(), refusal });
    let _ = h.get_by_label("127.0.0.1:7171 cannot be used: it is taken");
    click(&mut h, "Dismiss");
    assert!(h.query_by_label("127.0.0.1:7171 cannot be used: it is taken").is_none());
    let version = own(&h);
    world.run(&mut h, |status| status.flows[0].version = version);
    let _ = h.get_by_label("Running");
    assert!(h.query_by_label("Publish to the engine").is_none(), "the version on the screen runs");
    click(&mut h, "Stop the engine");
    let _ = h.get_by_label("Stop the engine?");
    click(&mut h, "Stop");
    assert!(matches!(world.asked.borrow_mut().pop(), Some(Task::Stop(folder)) if folder == data()));
    let _ = h.get_by_label("Stopping\u{2026}");
    let status = Box::new(serde_json::from_str(STATUS).expect("a status"));
    world.tell(&mut h, Told::Resting { data: data(), status: Some(status) });
    assert!(h.query_by_label_contains("journeys are under way; the next step is due").is_some(), "what waits");
}

/// An engine nobody has entered: what to do, and the other flows that it runs.
#[test]
fn an_empty_engine_says_how_the_first_one_enters() {
    let world = World::default();
    let mut h = window(&world);
    world.run(&mut h, |status| {
        status.flows[0].nodes.clear();
        let name = "Win back, at the hour when they read".to_owned();
        status.flows.push(FlowStatus {
            id: "win-back".into(),
            name,
            state: "paused".into(),
            under_way: 7,
            ..FlowStatus::default()
        });
    });
    let _ = h.get_by_label("Copy how an event is posted");
    assert!(h.query_by_label_contains("http://127.0.0.1:7171/v1/events").is_some(), "the line is there");
    let _ = h.get_by_label("Win back, at the hour when they read: Paused, 7 under way");
}

#[test]
fn what_is_seldom_needed_lies_folded_until_it_is_wanted() {
    let world = World::default();
    // All of the form is in sight.
    let mut h = window_of(&world, vec2(1440.0, 1700.0), egui::Theme::Light);
    world.rest(&mut h);
    assert!(h.query_by_label("Listens at").is_none(), "the form is calm");
    click(&mut h, "More for the engine");
    let type_into = |h: &mut Window, field: &str, text: &str| {
        h.get_by_label(field).focus();
        h.run_steps(2);
        h.get_by_label(field).type_text(text);
        h.run_steps(2);
    };
    type_into(&mut h, "Folder that is watched", "/in");
    type_into(&mut h, "Headers of text messages", "Authorization: x");
    click(&mut h, "Links lead by way of the engine, which sees clicks");
    click(&mut h, "Start the engine");
    let _ = h.get_by_label("Headers for text messages need the address that they are posted to");
    assert!(!world.asked.borrow().iter().any(|task| matches!(task, Task::Start(_))), "nothing is started");
    type_into(&mut h, "Text messages are posted to", "https://sms.example");
    click(&mut h, "More for the engine: watches a folder \u{b7} text messages \u{b7} sees clicks");
    assert!(h.query_by_label("Folder that is watched").is_none(), "it is folded again");
    click(&mut h, "Start the engine");
    let asked = world.asked.borrow_mut().pop();
    let Some(Task::Start(job)) = asked else { panic!("{asked:?}") };
    let expected = Options {
        watch: "/in".into(),
        sms: "https://sms.example".into(),
        sms_headers: "Authorization: x".into(),
        track_clicks: true,
        ..Options::default()
    };
    assert_eq!(job.options, expected);
}

#[test]
fn people_stand_on_the_canvas_and_another_version_is_told() {
    let world = World::default();
    let mut h = window(&world);
    world.run(&mut h, |status| status.flows[0].version = "an older one".into());
    let _ = h.get_by_label("The engine runs an older version of this flow: publish this one");
    click(&mut h, "Back to the canvas");
    let _ = h.get_by_label("The engine runs an older version: publish");
    let card = h.get_by_label("Delay: Four hours after entry");
    assert_eq!(card.accesskit_node().description().as_deref(), Some("9 here, 2 held"));
    click(&mut h, "Publish to the engine");
    let _ = h.get_by_label("Publish Watch left in the cart?");
    click(&mut h, "Publish");
    let (_, ask) = world.last();
    assert!(matches!(ask, Ask::Order(order) if matches!(*order, Order::Publish { .. })));
    let version = own(&h);
    world.run(&mut h, |status| status.flows[0].version = version);
    let _ = h.get_by_label("Running: 14 people under way");
    h.state_mut()
        .command_at_once(Command::SetOverlays(crate::app::Overlays { live: false, ..crate::app::Overlays::default() }));
    h.run_steps(3);
    assert!(h.query_by_label("Running: 14 people under way").is_none());
    assert!(matches!(world.asked.borrow_mut().pop(), Some(Task::Watch(None))), "nobody looks any more");
}

#[test]
fn a_flow_is_paused_and_resumed_with_what_is_overdue() {
    let world = World::default();
    let mut h = window(&world);
    world.run(&mut h, |_| {});
    click(&mut h, "Pause\u{2026}");
    click(&mut h, "Waits stand still, too");
    click(&mut h, "Pause");
    let (_, ask) = world.last();
    assert!(matches!(ask, Ask::Order(order) if matches!(*order, Order::Pause { freeze: true, .. })));
    world.answer(&mut h, Answered::Order(Ok("watch-shop is frozen".into())));
    let _ = h.get_by_label("watch-shop is frozen");
    world.run(&mut h, |status| status.flows[0].state = "frozen".into());
    let _ = h.get_by_label("Frozen");
    click(&mut h, "Resume\u{2026}");
    let _ = h.get_by_label("Looking what is overdue\u{2026}");
    world.answer(&mut h, Answered::HeldOf("watch-shop".into(), Ok(vec![held("held", Reason::Paused)])));
    let _ = h.get_by_label("1 message or step is held");
    h.key_press(egui::Key::Escape);
    h.run_steps(4);
    assert!(h.state().app.run.question.is_none(), "Escape leaves everything as it is");
    assert!(h.query_by_label("Frozen").is_some(), "and the page open");
}

fn held(what: &str, reason: Reason) -> HeldRow {
    HeldRow {
        contact: "ada".into(),
        flow: "watch-shop".into(),
        node: "mail-1".into(),
        what: what.into(),
        key: format!("ada/watch-shop/1/mail-1/{}", if what == "unknown" { 2 } else { 1 }),
        reason,
        detail: "the connection broke".into(),
        since: fixture::now(),
    }
}

#[test]
fn what_is_held_is_tried_again_and_what_is_unknown_only_after_a_question() {
    let world = World::default();
    let mut h = window(&world);
    world.run(&mut h, |_| {});
    click(&mut h, "Held 3");
    world.answer(&mut h, Answered::Held(Ok(vec![held("held", Reason::Fault), held("unknown", Reason::NoAnswer)])));
    click(&mut h, "Retry ada/watch-shop/1/mail-1/1");
    let (_, ask) = world.last();
    assert!(matches!(ask, Ask::Order(order) if matches!(*order, Order::Retry { resend: false, .. })));
    world.answer(&mut h, Answered::Order(Ok("done".into())));
    click(&mut h, "Send ada/watch-shop/1/mail-1/2 again");
    let _ = h.get_by_label("Send the mail to ada again?");
    click(&mut h, "It did not arrive: send again");
    let (_, ask) = world.last();
    assert!(matches!(ask, Ask::Order(order) if matches!(*order, Order::Retry { resend: true, .. })));
    world.answer(&mut h, Answered::Order(Ok("done".into())));
    click(&mut h, "Take ada/watch-shop/1/mail-1/2 as sent");
    let _ = h.get_by_label("Take the mail to ada as sent?");
    click(&mut h, "It left");
    let (_, ask) = world.last();
    assert!(matches!(ask, Ask::Order(order) if matches!(*order, Order::MarkSent { .. })));
    world.answer(&mut h, Answered::Order(Err(Refusal::new("It is not held any more", "Look again"))));
    let _ = h.get_by_label("It is not held any more");
}

#[test]
fn whoever_cannot_be_read_is_shown_with_a_way_out() {
    let world = World::default();
    let mut h = window(&world);
    world.run(&mut h, |status| {
        status.damaged = 21;
        let one = DamagedContact { contact: "eve".into(), why: "contact 7: EOF".into(), since: fixture::now() };
        status.damaged_contacts = vec![one];
    });
    let _ = h.get_by_label("21 contacts cannot be read: nothing is decided or sent for them");
    click(&mut h, "Show them");
    world.answer(&mut h, Answered::Held(Ok(Vec::new())));
    let _ = (h.get_by_label("contact 7: EOF"), h.get_by_label("20 more cannot be read; flowloom held shows them"));
    world.answer(&mut h, Answered::Held(Ok(vec![held("held", Reason::Fault)])));
    let y = |label: &str| h.get_by_label(label).rect().center().y;
    let apart = y("Retry ada/watch-shop/1/mail-1/1") - y("Forget eve");
    assert!((60.0..120.0).contains(&apart), "rows are as high as they need to be: {apart}");
    click(&mut h, "Forget eve");
    let _ = h.get_by_label("Forget eve?");
    click(&mut h, "Forget for good");
    let (_, ask) = world.last();
    assert!(matches!(ask, Ask::Order(order) if matches!(*order, Order::Forget { .. })));
}

fn contact() -> ContactView {
    let send = SendView {
        key: "ada/watch-shop/1/mail-1/1".into(),
        flow: "watch-shop".into(),
        node: "mail-1".into(),
        standing: OfSend::Settled(Outcome::Sent),
        reason: Some(Reason::Ok),
        detail: String::new(),
        at: fixture::now(),
        has_mail: true,
    };
    let journey = JourneyView {
        id: "ada/watch-shop/1".into(),
        flow: "watch-shop".into(),
        version: "x".into(),
        entered: fixture::now(),
        node: Some("wait-4h".into()),
        waiting: "until 2026-11-20T16:00:00Z".into(),
        ended: None,
    };
    ContactView {
        schema: "flowloom/contact/1".into(),
        contact: Contact::new("ada"),
        suppressed: false,
        bounced: false,
        journeys: vec![journey],
        sends: vec![send],
        trace: vec!["2026-11-20T12:00:00Z  ada/watch-shop/1  mail-1  arrived".into()],
        audit: vec![(fixture::now(), "studio".into(), "moved to wait-4h".into())],
        next_wake: None,
    }
}

#[test]
fn a_contact_is_found_looked_at_moved_and_ended() {
    let world = World::default();
    let mut h = window(&world);
    world.run(&mut h, |_| {});
    click(&mut h, "People");
    h.get_by_label("Search contacts of the engine").focus();
    h.run_steps(2);
    h.get_by_label("Search contacts of the engine").type_text("ad");
    h.run_steps(3);
    let found = Found { id: "ada".into(), email: Some("ada@example.com".into()) };
    world.answer(&mut h, Answered::Search(Ok(vec![found])));
    click(&mut h, "Contact ada");
    world.answer(&mut h, Answered::Contact(Ok(Some(Box::new(contact())))));
    let _ = h.get_by_label("At Four hours after entry");
    let _ = h.get_by_label("Your watch is waiting: arrived");
    assert!(h.query_by_label_contains("studio: moved to wait-4h").is_some(), "the audit line");
    click(&mut h, "Move ada/watch-shop/1 to another step");
    click(&mut h, "Step to move to");
    click(&mut h, "15 % for a quick decision (mail-2)");
    click(&mut h, "Move");
    let (_, ask) = world.last();
    assert!(
        matches!(ask, Ask::Order(order) if matches!(&*order, Order::Move { node, .. } if node.as_str() == "mail-2"))
    );
    world.answer(&mut h, Answered::Order(Ok("moved".into())));
    click(&mut h, "End ada/watch-shop/1");
    click(&mut h, "End the journey");
    let (_, ask) = world.last();
    assert!(matches!(ask, Ask::Order(order) if matches!(*order, Order::End { .. })));
    world.answer(&mut h, Answered::Order(Ok("ended".into())));
    click(&mut h, "Show the mail ada/watch-shop/1/mail-1/1");
    let (_, ask) = world.last();
    let Ask::Mail(key) = ask else { panic!("{ask:?}") };
    let mail = b"From: Shop <shop@example.com>\r\nTo: ada@example.com\r\nSubject: Still yours\r\n\
                 Content-Type: text/html\r\n\r\n<p>Hello Ada</p>\r\n";
    world.answer(&mut h, Answered::Mail(key, Ok(Some(mail.to_vec()))));
    h.run_steps(4);
    let _ = h.get_by_label("Still yours");
    let _ = h.get_by_label("Picture of the mail as ada got it");
    click(&mut h, "Back to the contact");
    let _ = h.get_by_label("At Four hours after entry");
}

#[test]
fn a_narrow_window_shows_a_contact_alone() {
    let world = World::default();
    let mut h = window_of(&world, vec2(660.0, 600.0), egui::Theme::Light);
    world.run(&mut h, |_| {});
    click(&mut h, "People");
    world.answer(&mut h, Answered::Search(Ok(vec![Found { id: "ada".into(), email: None }])));
    click(&mut h, "Contact ada");
    let bounced = ContactView { bounced: true, ..contact() };
    world.answer(&mut h, Answered::Contact(Ok(Some(Box::new(bounced)))));
    let _ = (h.get_by_label("At Four hours after entry"), h.get_by_label("No mails to this address"));
    assert!(h.query_by_label("Contact ada").is_none());
    click(&mut h, "Back to the list");
    let _ = h.get_by_label("Contact ada");
}

#[test]
fn everything_fits_a_small_window_in_both_themes() {
    for theme in [egui::Theme::Light, egui::Theme::Dark] {
        let world = World::default();
        let mut h = window_of(&world, vec2(800.0, 600.0), theme);
        world.rest(&mut h);
        let _ = h.get_by_label("Start the engine");
        world.run(&mut h, |status| status.warnings = vec!["A request could not be understood".into()]);
        for part in ["Overview", "People", "Held 3", "Log"] {
            click(&mut h, part);
            let stop = h.get_by_label("Stop the engine").rect();
            assert!(stop.right() <= 800.0 && stop.left() > 600.0, "{part}: {stop:?}");
        }
        click(&mut h, "People");
        world.answer(&mut h, Answered::Search(Ok(vec![Found { id: "ada".into(), email: None }])));
        click(&mut h, "Contact ada");
        world.answer(&mut h, Answered::Contact(Ok(Some(Box::new(contact())))));
        let _ = h.get_by_label("At Four hours after entry");
    }
}
