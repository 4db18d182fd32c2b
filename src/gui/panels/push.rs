//! The page for setting a flow up in an account: the list of changes with its choices, how far it is, what came of it.

use egui::{Align, Button, ComboBox, Id, Label, Layout, Modal, RichText, ScrollArea, TextEdit, Ui, vec2};

use crate::{
    app::{
        App, Command,
        files::{
            Act, Page,
            push::{Push, PushAct, Stage},
        },
    },
    gui::{
        icons,
        theme::{self, Palette},
        widgets,
    },
    platforms::push::{Action, Change, Choice, Done, Error, Key, KeyPlace, Kind, Plan, variable},
};

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
    super::shortcuts::page_head(ui, &format!("Push to {}", push.target.title()), out);
    key_ui(ui, push, out);
    ui.add_space(6.0);
    let foot = 44.0;
    let high = ui.available_height() - foot;
    ui.allocate_ui(vec2(ui.available_width(), high), |ui| {
        ui.set_min_height(high);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| match &push.stage {
            Stage::Looking => waiting(ui, "Looking at the account; nothing is changed"),
            Stage::Pushing => waiting(ui, "Pushing; it goes on when this page is closed"),
            Stage::Failed(error) => failed(ui, error),
            Stage::Planned(plan) => plan_ui(ui, plan, push.answers.new_flow, out),
            Stage::Done(done) => done_ui(ui, done, push.target.title()),
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
            let button = Button::new(RichText::new(text).color(palette.on_accent)).fill(palette.accent);
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
        Stage::Looking | Stage::Pushing => {}
    });
}

/// Which key is used, and a field for one where there is none.
fn key_ui(ui: &mut Ui, push: &Push, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let place = match push.key_place {
        Some(KeyPlace::Variable) => format!("Key from the variable {}", variable(push.target)),
        Some(KeyPlace::Keyring) => format!("Key \u{201c}{}\u{201d} from the system's keyring", push.key_name),
        None => "The key stays in the system's keyring; it is never written to a file".to_owned(),
    };
    ui.label(RichText::new(place).font(theme::regular(12.0)).color(palette.weak));
    let Stage::Failed(error) = &push.stage else { return };
    if !(error.kind == Kind::Key || push.key_place.is_none()) {
        return;
    }
    // What is typed lives in the window's memory alone, until it is a key.
    let id = Id::unique("typed key");
    let mut typed = ui.data_mut(|data| data.get_temp::<String>(id)).unwrap_or_default();
    ui.horizontal(|ui| {
        let field = TextEdit::singleline(&mut typed).password(true).hint_text("API key").desired_width(320.0);
        ui.add(field).accessible_name("API key");
        let key = Key::new(&typed);
        let button = ui.add_enabled(key.is_ok(), Button::new("Keep and look").min_size(vec2(0.0, 26.0)));
        if let (true, Ok(key)) = (button.clicked(), key) {
            act(out, PushAct::Keep(key));
            typed.clear();
        }
    });
    ui.data_mut(|data| data.insert_temp(id, typed));
}

fn waiting(ui: &mut Ui, text: &str) {
    let palette = Palette::get(ui);
    ui.horizontal(|ui| {
        ui.spinner();
        ui.label(RichText::new(text).color(palette.weak));
    });
}

fn failed(ui: &mut Ui, error: &Error) {
    let palette = Palette::get(ui);
    ui.horizontal_top(|ui| {
        ui.label(RichText::new(icons::glyph("warning")).font(theme::icon_fill(16.0)).color(palette.error));
        ui.vertical(|ui| {
            ui.label(RichText::new(&error.message).font(theme::medium(13.5)));
            for reason in &error.reasons {
                ui.label(reason);
            }
            ui.label(RichText::new(&error.hint).color(palette.weak));
        });
    });
}

fn plan_ui(ui: &mut Ui, plan: &Plan, new_flow: bool, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let groups: [(&str, fn(&Action) -> bool); 5] = [
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
            change_ui(ui, change, out);
        }
    }
    let flow_is_fixed =
        plan.changes.iter().any(|change| change.sort == "Flow" && matches!(change.action, Action::Cannot { .. }));
    if flow_is_fixed || new_flow {
        ui.add_space(6.0);
        let mut new_flow = new_flow;
        if ui.checkbox(&mut new_flow, "Make a new flow beside the old one").changed() {
            act(out, PushAct::NewFlow(new_flow));
        }
    }
}

fn change_ui(ui: &mut Ui, change: &Change, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let (what, ink) = match &change.action {
        Action::Found { id } | Action::Keep { id } => (id.clone(), palette.weak),
        Action::Create(what) => (format!("New: {what}"), palette.good),
        Action::Update { what, .. } => (format!("Changed: {what}"), palette.warning),
        Action::ByHand(what) => (what.clone(), palette.weak),
        Action::Cannot { why, instead } => (format!("{why}. {instead}"), palette.error),
        Action::Choose(choices) => (format!("{} fit", choices.len()), palette.warning),
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(change.sort).color(palette.weak));
        ui.label(RichText::new(&change.name).font(theme::medium(13.0)));
        ui.add(Label::new(RichText::new(what).color(ink)).wrap());
        if let Action::Choose(choices) = &change.action {
            choices_ui(ui, change, choices, out);
        }
    });
    for difference in &change.changed_there {
        ui.label(
            RichText::new(format!("Changed in the account: {difference}"))
                .font(theme::regular(12.0))
                .color(palette.warning),
        );
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
