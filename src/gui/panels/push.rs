//! The page for setting a flow up in an account: the list of changes with its choices, how far it is, what came of it.

use egui::{Align, Button, ComboBox, Id, Label, Layout, Modal, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::account::{FOOT, LoginAct, failed, login_ui, waiting};
use crate::{
    app::{
        App, Command,
        files::{
            Act, Page,
            push::{Push, PushAct, Stage},
        },
        jobs,
    },
    gui::{
        theme::{self, Palette},
        widgets,
    },
    platforms::push::{Action, Answers, Change, Choice, Done, Plan},
};

/// Width of the column that says what sort of thing a row is, and least height of a row, in points.
const SORT_WIDTH: f32 = 76.0;
const ROW: f32 = 22.0;

/// Draws it where it is open.
pub fn push(ui: &mut Ui, app: &App, out: &mut Vec<Command>) {
    let Some(push) = app.files.push.as_ref().filter(|_| app.files.page == Some(Page::Push)) else { return };
    let screen = ui.ctx().content_rect().size();
    let size = vec2((screen.x - 88.0).min(760.0), (screen.y - 104.0).min(620.0));
    let modal = Modal::new(Id::unique("push")).frame(super::shortcuts::page_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width(size.x);
        ui.set_height(size.y);
        page(ui, push, out);
    });
    if modal.should_close() && app.files.dialogs.is_empty() {
        out.push(Command::Files(Act::Show(None)));
    }
}

fn act(out: &mut Vec<Command>, act: PushAct) {
    out.push(Command::Files(Act::Push(act)));
}

fn page(ui: &mut Ui, push: &Push, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let target = push.login.target.title();
    super::shortcuts::page_head(ui, &format!("Push to {target}"), out);
    let fault = match &push.stage {
        Stage::Failed(error) => Some(error),
        _ => None,
    };
    let is_free = !matches!(push.stage, Stage::Pushing);
    match login_ui(ui, &push.login, push.key_place, fault, is_free) {
        Some(LoginAct::Use(login)) => act(out, PushAct::Login(login)),
        Some(LoginAct::Keep(key)) => act(out, PushAct::Keep(key)),
        None => {}
    }
    ui.add_space(6.0);
    let high = ui.available_height() - FOOT;
    ui.allocate_ui(vec2(ui.available_width(), high), |ui| {
        ui.set_min_height(high);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| match &push.stage {
            Stage::Looking => waiting(ui, "Looking at the account; nothing is changed", None),
            Stage::Pushing => waiting(ui, "Pushing; it goes on when this page is closed", push.running()),
            Stage::Failed(error) => failed(ui, error),
            Stage::Planned(plan) => {
                // What changes the list stands before it.
                pictures_ui(ui, push, out);
                plan_ui(ui, plan, &push.answers, out);
            }
            Stage::Done(done) => done_ui(ui, done, target),
        });
    });
    ui.separator();
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| match &push.stage {
        Stage::Planned(plan) => {
            let count = plan.num_writes();
            let text = match count {
                0 => "Compare with the account".to_owned(),
                1 => "Make 1 change".to_owned(),
                count => format!("Make {count} changes"),
            };
            let button = widgets::primary(ui, text, plan.is_ready());
            let button = ui.add_enabled(plan.is_ready(), button.min_size(vec2(0.0, 30.0)));
            if button.on_disabled_hover_text("Something is to be chosen, or stands in the way").clicked() {
                act(out, PushAct::Confirm);
            }
            if ui.add(Button::new("Look again").min_size(vec2(0.0, 30.0))).clicked() {
                act(out, PushAct::Look);
            }
            ui.label(RichText::new("The flow arrives as a draft, switched off").color(palette.weak));
        }
        Stage::Failed(_) | Stage::Done(_) => {
            if ui.add(Button::new("Look again").min_size(vec2(0.0, 30.0))).clicked() {
                act(out, PushAct::Look);
            }
        }
        Stage::Looking | Stage::Pushing => {
            if ui.add(Button::new("Stop").min_size(vec2(0.0, 30.0))).clicked() {
                out.push(Command::Files(Act::CancelJob(push.document, jobs::Kind::Push)));
            }
        }
    });
}

/// Whether a change belongs to a group of the list.
type IsOf = fn(&Action) -> bool;

fn plan_ui(ui: &mut Ui, plan: &Plan, answers: &Answers, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let groups: [(&str, IsOf); 5] = [
        ("To choose", |action| matches!(action, Action::Choose(_))),
        ("In the way", |action| matches!(action, Action::Cannot { .. })),
        ("Is made or changed", |action| matches!(action, Action::Create(_) | Action::Update { .. })),
        ("By hand afterwards", |action| matches!(action, Action::ByHand(_))),
        ("Is there", |action| matches!(action, Action::Found { .. } | Action::Keep { .. })),
    ];
    if plan.num_writes() == 0 && plan.is_ready() {
        ui.label(RichText::new("Everything is there as it is here").color(palette.good));
    }
    for (title, belongs) in groups {
        let rows: Vec<&Change> = plan.changes.iter().filter(|change| belongs(&change.action)).collect();
        if rows.is_empty() {
            continue;
        }
        ui.add_space(6.0);
        widgets::caption(ui, title);
        for change in rows {
            change_ui(ui, change, answers, out);
        }
    }
    let flow_is_fixed =
        plan.changes.iter().any(|change| change.sort == "Flow" && matches!(change.action, Action::Cannot { .. }));
    if flow_is_fixed || answers.new_flow {
        ui.add_space(6.0);
        let mut new_flow = answers.new_flow;
        if widgets::checkbox(ui, &mut new_flow, "Make a new flow beside the old one").changed() {
            act(out, PushAct::NewFlow(new_flow));
        }
    }
}

/// Whether pictures that lie on the web are uploaded all the same.
fn pictures_ui(ui: &mut Ui, push: &Push, out: &mut Vec<Command>) {
    let Some(at) = &push.pictures_at else { return };
    let (palette, target) = (Palette::get(ui), push.login.target.title());
    widgets::caption(ui, "Pictures");
    let mut uploads = push.uploads;
    if widgets::checkbox(ui, &mut uploads, format!("Upload the pictures of the mails to {target}")).changed() {
        act(out, PushAct::Upload(uploads));
    }
    let text = match push.uploads {
        true => format!("The mails show them from {target}, and no longer from {at}"),
        false => format!("Now the mails show them from {at}, as the brand says"),
    };
    ui.label(RichText::new(text).font(theme::regular(12.0)).color(palette.weak));
}

/// A field for the id of what was not found, as somebody reads it in the account.
fn id_ui(ui: &mut Ui, change: &Change, out: &mut Vec<Command>) {
    let key = Id::unique(("id of", &change.key));
    let mut text = ui.data(|data| data.get_temp::<String>(key)).unwrap_or_default();
    let what = if change.key.starts_with("image:") { "https://…" } else { "Its id there" };
    let field = ui.add(TextEdit::singleline(&mut text).id(key).hint_text(what).desired_width(150.0));
    let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    field.accessible_name(format!("Id of {}", change.name));
    let is_given = !text.trim().is_empty();
    let button = ui.add_enabled(is_given, Button::new("Use"));
    let is_used = button
        .on_disabled_hover_text("Type the id first")
        .accessible_name(format!("Use the id of {}", change.name))
        .clicked();
    if is_given && (is_used || is_entered) {
        act(out, PushAct::Choose { key: change.key.clone(), id: text.trim().to_owned() });
    }
    ui.data_mut(|data| data.insert_temp(key, text));
}

fn change_ui(ui: &mut Ui, change: &Change, answers: &Answers, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let (what, ink) = match &change.action {
        Action::Found { id } | Action::Keep { id } => (id.clone(), palette.weak),
        Action::Create(what) => (format!("New: {what}"), palette.good),
        Action::Update { what, .. } => (format!("Changed: {what}"), palette.warning),
        Action::ByHand(what) => (what.clone(), palette.weak),
        Action::Cannot { why, instead } => (format!("{why}. {instead}"), palette.error),
        Action::Choose(choices) => (format!("{} fit", choices.len()), palette.warning),
    };
    ui.horizontal_top(|ui| {
        ui.spacing_mut().interact_size.y = ROW;
        ui.allocate_ui_with_layout(vec2(SORT_WIDTH, ROW), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(SORT_WIDTH);
            ui.add(Label::new(RichText::new(change.sort).color(palette.weak)).truncate());
        });
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(&change.name).font(theme::medium(13.0)));
            ui.add(Label::new(RichText::new(what).color(ink)).wrap());
            match &change.action {
                Action::Choose(choices) => choices_ui(ui, change, choices, out),
                Action::Cannot { .. } if answers.ids.contains_key(&change.key) => again_ui(ui, change, out),
                // What a flow is cannot be said by an id.
                Action::Cannot { .. } if change.sort != "Flow" => id_ui(ui, change, out),
                Action::Found { .. } if answers.ids.contains_key(&change.key) => again_ui(ui, change, out),
                _ => {}
            }
        });
    });
    for difference in &change.changed_there {
        ui.label(
            RichText::new(format!("Changed in the account: {difference}"))
                .font(theme::regular(12.0))
                .color(palette.warning),
        );
    }
}

fn again_ui(ui: &mut Ui, change: &Change, out: &mut Vec<Command>) {
    let button = ui.add(Button::new("Choose again").small());
    if button.accessible_name(format!("Choose {} again", change.name)).clicked() {
        act(out, PushAct::ChooseAgain(change.key.clone()));
    }
}

fn choices_ui(ui: &mut Ui, change: &Change, choices: &[Choice], out: &mut Vec<Command>) {
    let combo = ComboBox::from_id_salt(&change.key).selected_text("Choose…").show_ui(ui, |ui| {
        for choice in choices {
            let text = format!("{} {} ({})", choice.name, choice.about, choice.id);
            if ui.selectable_label(false, text).clicked() {
                act(out, PushAct::Choose { key: change.key.clone(), id: choice.id.clone() });
            }
        }
    });
    combo.response.accessible_name(format!("Choose {}", change.name));
}

fn done_ui(ui: &mut Ui, done: &Done, target: &str) {
    let palette = Palette::get(ui);
    ui.label(
        RichText::new(format!("The flow is in {target}, as a draft")).font(theme::medium(14.0)).color(palette.good),
    );
    ui.spacing_mut().interact_size.y = ROW;
    for made in &done.made {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(&made.name).font(theme::medium(13.0)));
            ui.label(RichText::new(&made.id).color(palette.weak));
            if let Some(page) = &made.page {
                ui.hyperlink_to(format!("Open in {target}"), page);
            }
        });
        for difference in &made.differences {
            let text = format!("The account has it otherwise: {difference}");
            ui.label(RichText::new(text).font(theme::regular(12.0)).color(palette.warning));
        }
    }
    ui.add_space(6.0);
    widgets::caption(ui, "What is left to do");
    for (n, step) in done.afterwards.iter().enumerate() {
        ui.label(format!("{}. {step}", n + 1));
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc, sync::Arc};

    use egui_kittest::{Harness, kittest::Queryable as _};

    use super::*;
    use crate::{
        app::{
            Answer, Request,
            files::{
                Task, Told,
                push::{PushTask, PushTold},
            },
            fixture,
        },
        base::Instant,
        flow::file,
        gui::{Outside, Studio, testing},
        platforms::{
            self,
            push::{self, Account, Error, KeyPlace, Kind, Pushed},
        },
    };

    /// A world whose account waits to be answered by hand.
    #[derive(Clone, Default)]
    struct World {
        asked: Rc<RefCell<Vec<PushTask>>>,
        answers: Rc<RefCell<Vec<Answer>>>,
    }

    impl Outside for World {
        fn now(&self) -> Instant {
            fixture::now()
        }

        fn perform(&mut self, request: Request, _: &egui::Context) {
            match request {
                Request::Start(job) => self.answers.borrow_mut().push(Answer::Done(job.run())),
                Request::Files(Task::Export { document, id, revision, target, flow, home, .. }) => {
                    let result = platforms::export(target, &flow, &home.workspace).map(Arc::new);
                    self.tell(Told::Exported { document, id, revision, target, result });
                }
                Request::Files(Task::Push(task)) => self.asked.borrow_mut().push(*task),
                _ => {}
            }
        }

        fn poll(&mut self) -> Vec<Answer> {
            self.answers.take()
        }
    }

    impl World {
        fn tell(&self, told: Told) {
            self.answers.borrow_mut().push(told.into());
        }

        /// Answers the look that was asked for.
        fn looked(&self, result: Result<Box<(Account, Pushed, KeyPlace)>, Error>) {
            let Some(PushTask::Look { job, .. }) = self.asked.borrow_mut().pop() else {
                panic!("no look was asked for")
            };
            self.tell(Told::Push(PushTold::Looked { id: job.id, result, draft: None }));
        }
    }

    fn window(world: &World) -> Harness<'static, Studio> {
        // Without its workspace the flow has errors.
        window_in(world, fixture::home())
    }

    fn window_in(world: &World, home: Arc<crate::app::Home>) -> Harness<'static, Studio> {
        let mut app = App::new();
        app.theme = crate::app::Theme::Light;
        let loaded = Box::new(file::read(testing::WATCH).expect("a flow"));
        let path = Some(std::path::PathBuf::from("/nowhere/watch-shop.flow.ron"));
        world.answers.borrow_mut().push(Answer::Opened { path, loaded, home });
        let studio = Studio::new(app, Box::new(world.clone()));
        let mut harness = Harness::builder()
            .with_size(vec2(1440.0, 900.0))
            .with_theme(egui::Theme::Light)
            .with_context_setup(theme::install)
            .build_ui_state(|ui, studio: &mut Studio| studio.root(ui), studio);
        harness.run_steps(4);
        harness
    }

    fn click(h: &mut Harness<'_, Studio>, label: &str) {
        h.get_by_label(label).click();
        h.run_steps(5);
    }

    #[test]
    fn a_flow_is_looked_at_listed_confirmed_and_done() {
        let world = World::default();
        let mut h = window(&world);
        click(&mut h, "Publish…");
        click(&mut h, "HubSpot");
        click(&mut h, "Push to HubSpot…");
        assert!(h.query_by_label("Looking at the account; nothing is changed").is_some());
        // No key: one is typed, and goes to the keyring alone.
        world.looked(Err(Error::new(Kind::Refused, "There is no key for HubSpot", "Store one")));
        h.run_steps(5);
        assert!(h.query_by_label("There is no key for HubSpot").is_some());
        h.get_by_label("API key").focus();
        h.run_steps(2);
        h.get_by_label("API key").type_text("pat-secret-1");
        h.run_steps(3);
        click(&mut h, "Keep and look");
        let asked = world.asked.borrow_mut().pop();
        assert!(matches!(&asked, Some(PushTask::Keep { .. })), "{asked:?}");
        assert!(!format!("{asked:?}").contains("pat-secret-1"), "a key is never shown");
        world.tell(Told::Push(PushTold::Kept(Ok(()))));
        h.run_steps(4);
        // An empty account: everything is made.
        world.looked(Ok(Box::new((Account::default(), Pushed::default(), KeyPlace::Keyring))));
        h.run_steps(5);
        let push = h.state().app.files.push.as_ref().expect("the page");
        let plan = push.plan().expect("a plan");
        assert!(plan.is_ready(), "{:#?}", plan.changes);
        let button = format!("Make {} changes", plan.num_writes());
        assert!(h.query_by_label("IS MADE OR CHANGED").is_some());
        click(&mut h, &button);
        let asked = world.asked.borrow_mut().pop();
        let Some(PushTask::Run { job, .. }) = asked else { panic!("{asked:?}") };
        assert!(h.query_by_label("Pushing; it goes on when this page is closed").is_some());
        // The page is closed, the tray is asked to stop.
        assert_eq!(crate::app::jobs::tray(&h.state().app, fixture::now().plus_millis(500)).len(), 1);
        let done = Done { made: Vec::new(), afterwards: vec!["Switch it on".into()] };
        world.tell(Told::Push(PushTold::Pushed { id: job.id, result: Ok(done) }));
        h.run_steps(5);
        assert!(h.query_by_label("The flow is in HubSpot, as a draft").is_some());
        assert!(h.query_by_label("1. Switch it on").is_some());
        click(&mut h, "Look again");
        assert!(matches!(world.asked.borrow_mut().pop(), Some(PushTask::Look { .. })));
    }

    /// Pictures that lie on the web are uploaded only where that was asked for.
    #[test]
    fn uploading_pictures_is_a_choice_where_they_lie_on_the_web() {
        let world = World::default();
        let mut home = (*fixture::home()).clone();
        home.workspace.brand.images = "https://shop.example/mail/".into();
        let mut h = window_in(&world, Arc::new(home));
        click(&mut h, "Publish…");
        click(&mut h, "HubSpot");
        click(&mut h, "Push to HubSpot…");
        world.looked(Ok(Box::new((Account::default(), Pushed::default(), KeyPlace::Keyring))));
        h.run_steps(5);
        assert!(
            h.query_by_label("Now the mails show them from https://shop.example/mail/, as the brand says").is_some()
        );
        click(&mut h, "Upload the pictures of the mails to HubSpot");
        let asked = world.asked.borrow_mut().pop();
        let Some(PushTask::Look { job, upload: Some(flow), .. }) = asked else { panic!("{asked:?}") };
        assert_eq!(job.flow, flow.id.as_str());
        assert!(h.query_by_label("Looking at the account; nothing is changed").is_some());
        let mut workspace = job.home.workspace.clone();
        workspace.brand.images.clear();
        let export = platforms::export(job.login.target, &flow, &workspace).expect("exports");
        let draft = Some(Box::new(push::Draft::new(job.login.target, &export, &flow, &workspace).expect("a draft")));
        let result = Ok(Box::new((Account::default(), Pushed::default(), KeyPlace::Keyring)));
        world.tell(Told::Push(PushTold::Looked { id: job.id, result, draft }));
        h.run_steps(5);
        let num_pictures = |h: &Harness<'_, Studio>| {
            let plan = h.state().app.files.push.as_ref().and_then(Push::plan).expect("a plan");
            plan.changes.iter().filter(|change| change.key.starts_with("image:")).count()
        };
        assert!(num_pictures(&h) > 0);
        // And back.
        click(&mut h, "Upload the pictures of the mails to HubSpot");
        assert!(matches!(world.asked.borrow().last(), Some(PushTask::Look { upload: None, .. })));
        world.looked(Ok(Box::new((Account::default(), Pushed::default(), KeyPlace::Keyring))));
        h.run_steps(5);
        assert_eq!(num_pictures(&h), 0);
    }

    #[test]
    fn a_push_that_stands_in_its_own_way_cannot_be_confirmed() {
        let world = World::default();
        let mut h = window(&world);
        click(&mut h, "Publish…");
        click(&mut h, "Push to Klaviyo…");
        world.looked(Ok(Box::new((Account::default(), Pushed::default(), KeyPlace::Variable))));
        h.run_steps(5);
        assert!(h.query_by_label("IN THE WAY").is_some(), "Klaviyo's own metrics are missing");
        let push = h.state().app.files.push.as_ref().expect("the page");
        let label = format!("Make {} changes", push.plan().expect("a plan").num_writes());
        click(&mut h, &label);
        assert!(world.asked.borrow().is_empty(), "nothing was begun");
        // An id that somebody reads in the account stands for what was not found; it can be taken back.
        let missing: Vec<String> = {
            let plan = h.state().app.files.push.as_ref().and_then(Push::plan).expect("a plan");
            let cannot = plan.changes.iter().filter(|change| matches!(change.action, Action::Cannot { .. }));
            cannot.map(|change| change.name.clone()).collect()
        };
        for name in &missing {
            h.get_by_label(&format!("Id of {name}")).focus();
            h.run_steps(2);
            h.get_by_label(&format!("Id of {name}")).type_text("XyZ123");
            h.run_steps(2);
            click(&mut h, &format!("Use the id of {name}"));
        }
        let is_ready = |h: &Harness<'_, Studio>| {
            h.state().app.files.push.as_ref().and_then(Push::plan).is_some_and(Plan::is_ready)
        };
        assert!(is_ready(&h));
        click(&mut h, &format!("Choose {} again", missing[0]));
        assert!(!is_ready(&h));
        assert!(h.query_by_label("Key from the variable FLOWLOOM_KLAVIYO_KEY").is_some());
    }
}
