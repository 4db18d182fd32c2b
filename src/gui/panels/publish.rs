//! The page for handing a flow over: for whom, what is lost there, where it goes.

use egui::{Align, Button, Frame, Id, Layout, Margin, Modal, RichText, ScrollArea, Ui, vec2};

use crate::{
    app::{
        App, Command, Document,
        client::ClientFormat,
        files::{
            Act, Page, Publish, PublishAct,
            publish::{Groups, TARGETS, groups, num_errors, place_of, ready, zip_name},
        },
    },
    base::Diagnostic,
    gui::{
        icons,
        theme::{self, Palette},
        widgets,
    },
    platforms::{Export, Loss},
};

/// Draws it where it is open.
pub fn publish(ui: &mut Ui, app: &App, out: &mut Vec<Command>) {
    let Some(publish) = app.files.publish.as_ref().filter(|_| app.files.page == Some(Page::Publish)) else { return };
    let Some(document) = app.documents.iter().find(|document| document.id == publish.document) else { return };
    let screen = ui.ctx().content_rect().size();
    let size = vec2((screen.x - 88.0).min(760.0), (screen.y - 104.0).min(620.0));
    let modal = Modal::new(Id::unique("publish")).frame(super::shortcuts::page_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width(size.x);
        ui.set_height(size.y);
        page(ui, app, document, publish, out);
    });
    if modal.should_close() && app.files.dialogs.is_empty() {
        out.push(Command::Files(Act::Show(None)));
    }
}

fn page(ui: &mut Ui, app: &App, document: &Document, publish: &Publish, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    super::shortcuts::page_head(ui, &format!("Publish {}", document.title()), out);
    ui.horizontal_wrapped(|ui| {
        for (name, target, help) in TARGETS {
            let is_on = publish.target == *target && publish.client.is_none();
            if whom_ui(ui, name, help, is_on) {
                out.push(Command::Files(Act::Publish(PublishAct::Target(*target))));
            }
        }
        if whom_ui(ui, "Client", "A document to read and sign, or a picture of the flow", publish.client.is_some()) {
            out.push(Command::Files(Act::Publish(PublishAct::Client(publish.client.unwrap_or_default()))));
        }
    });
    if let Some(format) = publish.client {
        ui.add_space(12.0);
        return for_client_ui(ui, publish, format, out);
    }
    ui.add_space(8.0);
    let foot = 44.0;
    let high = ui.available_height() - foot;
    ui.allocate_ui(vec2(ui.available_width(), high), |ui| {
        ui.set_min_height(high);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            errors(ui, document, publish, out);
            match publish.made.as_ref().filter(|made| made.target == publish.target).map(|made| &made.result) {
                Some(Ok(export)) => what_comes_of_it(ui, document, export, publish.target.title()),
                Some(Err(found)) => {
                    for found in found {
                        obstacle(ui, document, found);
                    }
                }
                None => {
                    ui.horizontal(|ui| {
                        ui.spinner();
                        ui.label(RichText::new("The export is being made").color(palette.weak));
                    });
                }
            }
        });
    });
    ui.separator();
    bottom(ui, app, document, publish, out);
}

/// A button for whom the flow is; whether it was chosen.
fn whom_ui(ui: &mut Ui, name: &str, help: &str, is_on: bool) -> bool {
    let palette = Palette::get(ui);
    let ink = if is_on { palette.accent } else { palette.text };
    let button = Button::new(RichText::new(name).font(theme::medium(13.5)).color(ink));
    let fill = if is_on { palette.accent_soft } else { palette.card };
    let button = ui.add(button.fill(fill).min_size(vec2(110.0, 36.0)).selected(is_on));
    button.accessible_name(name).on_hover_text(help).clicked()
}

/// What a client can be given, and the button that makes it.
fn for_client_ui(ui: &mut Ui, publish: &Publish, format: ClientFormat, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let foot = 44.0;
    let high = ui.available_height() - foot;
    ui.allocate_ui(vec2(ui.available_width(), high), |ui| {
        ui.set_min_height(high);
        for one in ClientFormat::ALL {
            let is_on = one == format;
            let radio = widgets::radio(ui, is_on, RichText::new(one.title()).font(theme::medium(13.5)));
            if radio.clicked() && !is_on {
                out.push(Command::Files(Act::Publish(PublishAct::Client(one))));
            }
            ui.horizontal(|ui| {
                ui.add_space(24.0);
                ui.label(RichText::new(one.help()).color(palette.weak));
            });
            ui.add_space(6.0);
        }
        if format == ClientFormat::Document {
            ui.add_space(6.0);
            let said = "The document opens in every browser, also offline; its print makes the PDF. Logo and colours are \
                        the brand's on the page Flow settings.";
            ui.label(RichText::new(said).color(palette.weak));
        }
    });
    ui.separator();
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let is_free = publish.running_for_client().is_none();
        let button = widgets::primary(ui, format!("Save the {}…", format.what()), is_free);
        let button = ui.add_enabled(is_free, button.min_size(vec2(0.0, 30.0)));
        if button.on_disabled_hover_text("It is being made").clicked() {
            out.push(Command::Files(Act::Publish(PublishAct::MakeForClient)));
        }
        if let Some(running) = publish.running_for_client() {
            ui.spinner();
            let share = running.progress.share().map_or_else(String::new, |share| format!(" {:.0} %", share * 100.0));
            ui.label(RichText::new(format!("It is being made{share}")).color(palette.weak));
        }
    });
}

fn errors(ui: &mut Ui, document: &Document, publish: &Publish, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let count = num_errors(document, publish);
    if count == 0 {
        return;
    }
    let frame = Frame::new().fill(palette.error_soft).corner_radius(theme::TILE_RADIUS as f32);
    frame.inner_margin(Margin::symmetric(14, 10)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            let text = if count == 1 { "1 error stands".to_owned() } else { format!("{count} errors stand") };
            ui.label(RichText::new(format!("{text} in the way")).font(theme::medium(13.0)).color(palette.error));
            if ui.button("Show problems").clicked() {
                out.push(Command::Files(Act::Publish(PublishAct::ShowProblems)));
            }
        });
    });
    ui.add_space(6.0);
}

/// What keeps the flow from being exported: where, what, and a way out.
fn obstacle(ui: &mut Ui, document: &Document, found: &Diagnostic) {
    let hint = (!found.hint.is_empty()).then_some(found.hint.as_str());
    said_ui(ui, &place_of(document, &found.place), &found.message, hint, Palette::get(ui).error);
}

fn what_comes_of_it(ui: &mut Ui, document: &Document, export: &Export, target: &str) {
    let palette = Palette::get(ui);
    let Groups { exact, approximate, not_possible } = groups(document, export);
    ui.horizontal(|ui| {
        widgets::pill(ui, &format!("{} exact", exact.len()), palette.good, palette.good_soft);
        widgets::pill(ui, &format!("{} approximate", approximate.len()), palette.warning, palette.warning_soft);
        widgets::pill(ui, &format!("{} not possible", not_possible.len()), palette.error, palette.error_soft);
    });
    ui.add_space(4.0);
    losses(ui, &format!("Not possible in {target}"), &not_possible, palette.error);
    losses(ui, &format!("Approximate in {target}"), &approximate, palette.warning);
    if !exact.is_empty() {
        ui.add_space(6.0);
        widgets::caption(ui, "Exact");
        ui.label(RichText::new(exact.join(" \u{b7} ")).color(palette.weak));
    }
    if !export.unresolved.is_empty() {
        ui.add_space(6.0);
        widgets::caption(ui, "To fill in from the account");
        for wanted in &export.unresolved {
            ui.label(&wanted.key).on_hover_text(&wanted.how);
        }
    }
}

fn losses(ui: &mut Ui, title: &str, list: &[(String, &Loss)], ink: egui::Color32) {
    if list.is_empty() {
        return;
    }
    ui.add_space(6.0);
    widgets::caption(ui, title);
    for (place, loss) in list {
        said_ui(ui, place, &loss.message, Some(&format!("Instead: {}", loss.remedy)), ink);
    }
}

/// A finding: where, what, and a way out.
fn said_ui(ui: &mut Ui, place: &str, message: &str, way_out: Option<&str>, ink: egui::Color32) {
    let palette = Palette::get(ui);
    ui.horizontal_top(|ui| {
        ui.label(RichText::new(icons::glyph("warning")).font(theme::icon_fill(14.0)).color(ink));
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.label(RichText::new(place).font(theme::medium(13.0)));
            ui.label(message);
            if let Some(way_out) = way_out {
                ui.label(RichText::new(way_out).font(theme::regular(12.0)).color(palette.weak));
            }
        });
    });
    ui.add_space(2.0);
}

fn bottom(ui: &mut Ui, _app: &App, document: &Document, publish: &Publish, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if let Some(folder) = &publish.not_empty {
            if ui.button("Another folder…").clicked() {
                out.push(Command::Files(Act::Publish(PublishAct::Choose)));
            }
            let name = zip_name(document, publish.target);
            if ui.button(if publish.zip { "Write over it" } else { "Write into it" }).clicked() {
                let into = PublishAct::Into { folder: folder.clone(), force: true };
                out.push(Command::Files(Act::Publish(into)));
            }
            let text = if publish.zip {
                format!("{} is there already", folder.join(name).display())
            } else {
                format!("{} is not empty", folder.display())
            };
            ui.add(egui::Label::new(RichText::new(text).color(palette.warning)).truncate());
            return;
        }
        let can = ready(document, publish);
        let button = widgets::primary(ui, "Export to a folder…", can.is_ok());
        let button = ui.add_enabled(can.is_ok(), button.min_size(vec2(0.0, 30.0)));
        if button.on_disabled_hover_text(can.err().unwrap_or("")).clicked() {
            out.push(Command::Files(Act::Publish(PublishAct::Choose)));
        }
        #[cfg(feature = "push")]
        push_ui(ui, document, publish, out);
        let mut zip = publish.zip;
        if widgets::checkbox(ui, &mut zip, "As one ZIP").on_hover_text("For sending it on by mail").changed() {
            out.push(Command::Files(Act::Publish(PublishAct::Zip(zip))));
        }
        if let Some(folder) = &publish.written {
            if ui.button("Open the folder").clicked() {
                out.push(Command::Files(Act::Publish(PublishAct::ShowFolder)));
            }
            let count = can.map_or(0, |export| export.files.len());
            let text = if publish.zip {
                format!("{count} files written to {}", folder.join(zip_name(document, publish.target)).display())
            } else {
                format!("{count} files written to {}", folder.display())
            };
            ui.add(egui::Label::new(RichText::new(text).color(palette.good)).truncate());
        }
    });
}

/// The way to the page for setting the flow up in an account.
#[cfg(feature = "push")]
fn push_ui(ui: &mut Ui, document: &Document, publish: &Publish, out: &mut Vec<Command>) {
    use crate::{
        app::files::push::{PushAct, ready},
        flow::Target,
    };
    if publish.target == Target::Engine {
        return;
    }
    let can = ready(document, publish);
    let button = Button::new(format!("Push to {}…", publish.target.title())).min_size(vec2(0.0, 30.0));
    if ui.add_enabled(can.is_ok(), button).on_disabled_hover_text(can.err().unwrap_or("")).clicked() {
        out.push(Command::Files(Act::Push(PushAct::Open)));
    }
}
