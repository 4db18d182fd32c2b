//! The page for fetching a flow from an account: which account, its flows with a search, how far it is. What it shares
//! with the page for pushing is here, too: the account's key and address, waiting, faults.

use egui::{
    Align, Align2, Button, Id, Key as Press, Layout, Modal, Modifiers, RichText, ScrollArea, TextEdit, Ui, vec2,
};

use crate::{
    app::{
        App, Command,
        files::{
            Act, Page,
            account::{Import, ImportAct, Login, Stage},
        },
        jobs::Running,
    },
    gui::{
        canvas::paint,
        icons,
        theme::{self, Palette},
        widgets,
    },
    platforms::push::{Error, Key, KeyPlace, Kind, Listed, variable},
};

/// Height of a row of the list, in points.
const ROW: f32 = 34.0;
/// Height of what stands below a page, in points.
pub(super) const FOOT: f32 = 44.0;

/// What the page keeps for itself.
#[derive(Debug, Default)]
pub struct Draft {
    search: String,
    row: usize,
}

/// Draws it where it is open.
pub fn account(ui: &mut Ui, app: &App, draft: &mut Draft, out: &mut Vec<Command>) {
    let Some(import) = app.files.import.as_ref().filter(|_| app.files.page == Some(Page::Account)) else {
        *draft = Draft::default();
        return;
    };
    let screen = ui.ctx().content_rect().size();
    let size = vec2((screen.x - 88.0).min(640.0), (screen.y - 104.0).min(560.0));
    let modal = Modal::new(Id::unique("account")).frame(super::shortcuts::page_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width(size.x);
        ui.set_height(size.y);
        page(ui, import, draft, out);
    });
    if modal.should_close() && app.files.dialogs.is_empty() {
        out.push(Command::Files(Act::Show(None)));
    }
}

fn act(out: &mut Vec<Command>, act: ImportAct) {
    out.push(Command::Files(Act::Account(act)));
}

fn page(ui: &mut Ui, import: &Import, draft: &mut Draft, out: &mut Vec<Command>) {
    let title = import.login.target.title();
    super::shortcuts::page_head(ui, &format!("Import from {title}"), out);
    let fault = match &import.stage {
        Stage::Failed(error) => Some(error),
        _ => None,
    };
    match login_ui(ui, &import.login, import.key_place, fault, true) {
        Some(LoginAct::Use(login)) => act(out, ImportAct::Login(login)),
        Some(LoginAct::Keep(key)) => act(out, ImportAct::Keep(key)),
        None => {}
    }
    ui.add_space(6.0);
    let high = ui.available_height() - FOOT;
    ui.allocate_ui(vec2(ui.available_width(), high), |ui| {
        ui.set_min_height(high);
        match &import.stage {
            Stage::Listing => waiting(ui, "Listing the account's flows; nothing is changed", import.running()),
            Stage::Fetching => {
                let name = import.chosen.as_ref().map_or("the flow", |flow| flow.name.as_str());
                waiting(ui, &format!("Fetching {name} with its mails and names"), import.running());
            }
            Stage::Failed(error) => {
                ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| failed(ui, error));
            }
            Stage::Choosing => choose_ui(ui, import, draft, out),
        }
    });
    ui.separator();
    foot_ui(ui, import, draft, out);
}

fn choose_ui(ui: &mut Ui, import: &Import, draft: &mut Draft, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    if import.flows.is_empty() {
        ui.label(RichText::new("The account has no flows that the key may read").color(palette.weak));
        return;
    }
    let id = Id::unique("search flows");
    let mut enter = false;
    if ui.memory(|memory| memory.focused().is_none_or(|focused| focused == id)) {
        let (up, down, pressed) = ui.input_mut(|i| {
            (
                i.consume_key(Modifiers::NONE, Press::ArrowUp),
                i.consume_key(Modifiers::NONE, Press::ArrowDown),
                i.consume_key(Modifiers::NONE, Press::Enter),
            )
        });
        enter = pressed;
        draft.row = draft.row.saturating_add(usize::from(down)).saturating_sub(usize::from(up));
        ui.memory_mut(|memory| memory.request_focus(id));
    }
    let before = draft.row;
    let field = TextEdit::singleline(&mut draft.search).id(id).hint_text("Search flows by name or id");
    let field = ui.add(field.desired_width(f32::INFINITY).margin(egui::Margin::symmetric(10, 8)));
    if field.accessible_name("Search flows").changed() {
        draft.row = 0;
    }
    ui.add_space(4.0);
    let found = import.found(&draft.search);
    draft.row = draft.row.min(found.len().saturating_sub(1));
    if found.is_empty() {
        ui.label(RichText::new("No flow of the account is called that").color(palette.weak));
        return;
    }
    ui.spacing_mut().item_spacing.y = 1.0;
    ScrollArea::vertical().auto_shrink([false, false]).show_rows(ui, ROW, found.len(), |ui, shown| {
        for n in shown {
            let response = row_ui(ui, found[n], n == draft.row);
            if response.clicked() {
                draft.row = n;
            }
            if response.double_clicked() || (enter && n == draft.row) {
                act(out, ImportAct::Fetch(found[n].id.clone()));
            }
            if n == draft.row && before != n {
                response.scroll_to_me(None);
            }
        }
    });
}

/// A flow of the account: name, id, state.
fn row_ui(ui: &mut Ui, flow: &Listed, is_on: bool) -> egui::Response {
    let palette = Palette::get(ui);
    // Room for the scroll bar, so that it lies on no word.
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width() - 12.0, ROW), egui::Sense::click());
    let name = if flow.name.is_empty() { &flow.id } else { &flow.name };
    let said = format!("Flow {name}");
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, is_on, &said));
    let fill = match (is_on, response.hovered()) {
        (true, _) => palette.accent_soft,
        (_, true) => palette.hover,
        _ => palette.card,
    };
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, theme::CONTROL_RADIUS as f32, fill);
    let right = rect.right_center() - vec2(12.0, 0.0);
    let state = painter.text(right, Align2::RIGHT_CENTER, &flow.status, theme::medium(12.0), palette.weak);
    let at = egui::pos2((rect.right() - 104.0).min(state.left() - 16.0), rect.center().y);
    let id = painter.text(at, Align2::RIGHT_CENTER, &flow.id, theme::regular(12.0), palette.weak);
    let left = rect.left_center() + vec2(12.0, 0.0);
    let room = (id.left() - left.x - 16.0).max(0.0);
    paint::line(&painter, left, Align2::LEFT_CENTER, name, theme::medium(13.0), palette.text, room);
    response
}

fn foot_ui(ui: &mut Ui, import: &Import, draft: &Draft, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let plain = |text: &str| Button::new(text.to_owned()).min_size(vec2(0.0, 30.0));
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| match &import.stage {
        Stage::Listing => {
            if ui.add(plain("Stop")).clicked() {
                out.push(Command::Files(Act::Show(None)));
            }
        }
        Stage::Fetching => {
            if ui.add(plain("Stop")).clicked() {
                act(out, ImportAct::Back);
            }
        }
        Stage::Choosing => {
            let found = import.found(&draft.search);
            let flow = found.get(draft.row);
            let button = widgets::primary(ui, "Import", flow.is_some());
            let button = ui.add_enabled(flow.is_some(), button.min_size(vec2(0.0, 30.0)));
            if let (true, Some(flow)) = (button.on_disabled_hover_text("Choose a flow").clicked(), flow) {
                act(out, ImportAct::Fetch(flow.id.clone()));
            }
            if ui.add(plain("List again")).clicked() {
                act(out, ImportAct::Login(import.login.clone()));
            }
            let count = import.flows.len();
            let text = match (count, found.len()) {
                (1, 1) => "1 flow".to_owned(),
                (count, shown) if count == shown => format!("{count} flows"),
                (count, shown) => format!("{shown} of {count} flows"),
            };
            ui.label(RichText::new(text).color(palette.weak));
        }
        Stage::Failed(_) => {
            if ui.add(plain("Try again")).clicked() {
                act(out, ImportAct::Again);
            }
            if !import.flows.is_empty() && ui.add(plain("Back to the list")).clicked() {
                act(out, ImportAct::Back);
            }
        }
    });
}

/// What came of the part about the account.
pub(super) enum LoginAct {
    /// Use another account.
    Use(Login),
    /// Keep this key in the keyring.
    Keep(Key),
}

/// What is typed about an account; it lives in the window's memory alone.
#[derive(Clone, Debug, Default)]
struct Typed {
    is_open: bool,
    key: String,
    name: String,
    address: String,
}

/// Which key is used, a way to another account, and a field for a key where one is missing or refused.
pub(super) fn login_ui(
    ui: &mut Ui,
    login: &Login,
    place: Option<KeyPlace>,
    fault: Option<&Error>,
    is_free: bool,
) -> Option<LoginAct> {
    let palette = Palette::get(ui);
    let mut out = None;
    let id = Id::unique("typed about an account");
    let mut typed = ui.data_mut(|data| data.get_temp::<Typed>(id)).unwrap_or_default();
    ui.horizontal_wrapped(|ui| {
        let at = login.base_url().map_or_else(String::new, |url| format!(", at {url}"));
        let said = match place {
            Some(KeyPlace::Variable) => format!("Key from the variable {}{at}", variable(login.target)),
            Some(KeyPlace::Keyring) => format!("Key \u{201c}{}\u{201d} from the system's keyring{at}", login.key_name),
            None if !at.is_empty() => format!("Key \u{201c}{}\u{201d}{at}", login.key_name),
            None => "The key stays in the system's keyring; it is never written to a file".to_owned(),
        };
        ui.label(RichText::new(said).font(theme::regular(12.0)).color(palette.weak));
        let button = Button::new(RichText::new("Other account…").font(theme::medium(12.0)));
        if ui.add_enabled(is_free, button).clicked() {
            typed.is_open = !typed.is_open;
            typed.name.clone_from(&login.key_name);
            typed.address.clone_from(&login.address);
        }
    });
    if typed.is_open && is_free {
        ui.horizontal_wrapped(|ui| {
            let name = ui.label("Key named");
            let field = TextEdit::singleline(&mut typed.name).hint_text("default").desired_width(120.0);
            ui.add(field).labelled_by(name.id).accessible_name("Name of the key");
            let address = ui.label("at");
            let hint = format!("{}'s own address", login.target.title());
            let field = TextEdit::singleline(&mut typed.address).hint_text(hint).desired_width(220.0);
            ui.add(field).labelled_by(address.id).accessible_name("Address");
            if ui.add(Button::new("Use").min_size(vec2(0.0, 26.0))).clicked() {
                out = Some(LoginAct::Use(login.with(&typed.name, &typed.address)));
                typed.is_open = false;
            }
        });
    }
    let is_about_the_key =
        fault.is_some_and(|error| error.kind == Kind::Key || (place.is_none() && error.kind == Kind::Refused));
    if is_about_the_key {
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut typed.key).password(true).hint_text("API key").desired_width(320.0);
            ui.add(field.margin(egui::Margin::symmetric(8, 5))).accessible_name("API key");
            let key = Key::new(&typed.key);
            let button = ui.add_enabled(key.is_ok(), Button::new("Keep and look").min_size(vec2(0.0, 28.0)));
            if let (true, Ok(key)) = (button.clicked(), key) {
                out = Some(LoginAct::Keep(key));
                typed.key.clear();
            }
        });
    }
    ui.data_mut(|data| data.insert_temp(id, typed));
    out
}

/// Something is under way.
pub(super) fn waiting(ui: &mut Ui, text: &str, running: Option<&Running>) {
    let palette = Palette::get(ui);
    ui.horizontal(|ui| {
        ui.spinner();
        ui.label(RichText::new(text).color(palette.weak));
    });
    if let Some(share) = running.and_then(|running| running.progress.share()) {
        ui.add_space(6.0);
        widgets::progress(ui, text, Some(share));
    }
}

/// What went wrong, and a way out.
pub(super) fn failed(ui: &mut Ui, error: &Error) {
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
