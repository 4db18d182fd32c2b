//! The mail page: the selected step's mail for a contact, alone or beside another one.

mod edit_ui;
mod lab_ui;
mod parts_ui;
mod picture_ui;
pub mod send_ui;
#[cfg(test)]
mod tests;

use egui::{Button, ComboBox, Label, RichText, ScrollArea, Ui, UiBuilder, vec2};

pub use self::picture_ui::{Look, Textures, paper};
use super::{
    Drafts,
    bottom::{self as parts, PeopleDraft},
};
use crate::{
    app::{
        Command, CommandId, Document,
        act::{self, Act as Below},
        mails::{self, Act, Pane, Part, Width},
        preview::{self, Moment, Source},
        stage::{self, Made},
    },
    gui::{
        icons,
        theme::{self, Palette},
    },
};

/// What the page keeps for itself.
#[derive(Debug, Default)]
pub struct Draft {
    textures: Textures,
    other_people: PeopleDraft,
    editor: edit_ui::Draft,
}

/// Draws the page.
pub fn mails(ui: &mut Ui, document: &Document, drafts: &mut Drafts, out: &mut Vec<Command>) {
    if !parts::has_people(ui, document) {
        return;
    }
    let senders = mails::senders(document);
    if senders.is_empty() {
        parts::nothing(ui, "No step of this flow sends a mail yet: go back to the canvas and add an e-mail");
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
        mail_chooser(ui, document, &senders, out);
        parts::for_whom(ui, document, &mut drafts.bottom, out);
    });
    if document.preview_key().node.is_none() {
        parts::nothing(ui, "Choose a mail");
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(2.0, 4.0);
        part_tabs(ui, document, out);
        ui.add_space(8.0);
        if edit_ui::has_source(document) {
            let is_edited = document.view.mail.part == Part::Edit;
            let button = Button::selectable(is_edited, "Edit source").min_size(vec2(0.0, 24.0));
            let button = ui.add(button).accessible_name("Edit source");
            if button.on_hover_text("Type the HTML or MJML beside the picture").clicked() {
                out.push(Act::ShowPart(Part::Edit).into());
            }
        }
        if shown_part(document) == Part::Edit {
            return;
        }
        if document.view.mail.part == Part::Picture {
            zoom_ui(ui, document, out);
        }
        // Subjects are of all versions as it is.
        if shown_part(document) == Part::Lab {
            return;
        }
        let is_compared = document.view.mail.other.is_some();
        let words = (RichText::new(icons::glyph("columns")).font(theme::icon(13.0)), "Side by side");
        let button = Button::selectable(is_compared, words).min_size(vec2(0.0, 24.0));
        let button = ui.add(button).accessible_name("Side by side");
        if button.on_hover_text("Another contact or another version beside this one").clicked() {
            out.push(Act::Compare(!is_compared).into());
        }
        if is_compared && parts::icon_button(ui, "arrows-horizontal", "Swap sides", true).clicked() {
            out.push(Act::Swap.into());
        }
    });
    ui.add_space(2.0);
    if shown_part(document) == Part::Lab
        && let Some(node) = document.preview_key().node
    {
        return lab_ui::lab_ui(ui, document, &node, out);
    }
    let room = ui.available_rect_before_wrap();
    let draft = &mut drafts.mails;
    if shown_part(document) == Part::Edit {
        let gap = 12.0;
        let half = vec2((room.width() - gap) / 2.0, room.height());
        let left = egui::Rect::from_min_size(room.min, half);
        let right = left.translate(vec2(half.x + gap, 0.0));
        let mut child = ui.new_child(UiBuilder::new().id_salt("editor").max_rect(left));
        child.set_clip_rect(left.intersect(ui.clip_rect()));
        edit_ui::edit_ui(&mut child, document, &mut draft.editor, &mut drafts.inspector, out);
        let mut child = ui.new_child(UiBuilder::new().id_salt("beside the editor").max_rect(right));
        child.set_clip_rect(right.intersect(ui.clip_rect()));
        pane_header(&mut child, document, Pane::First, draft, out);
        let zoom = picture_ui::zoom(document, half.x - 14.0, mails::look(document, Pane::First).0.px());
        pane_ui(&mut child, document, Pane::First, zoom, draft, out);
        ui.advance_cursor_after_rect(room);
    } else if document.view.mail.other.is_some() {
        let gap = 12.0;
        let half = vec2((room.width() - gap) / 2.0, room.height());
        let left = egui::Rect::from_min_size(room.min, half);
        let right = left.translate(vec2(half.x + gap, 0.0));
        let widest = [Pane::First, Pane::Other].map(|pane| mails::look(document, pane).0.px());
        let zoom = picture_ui::zoom(document, half.x - 14.0, widest[0].max(widest[1]));
        for (pane, rect) in [(Pane::First, left), (Pane::Other, right)] {
            let mut child = ui.new_child(UiBuilder::new().id_salt(format!("{pane:?}")).max_rect(rect));
            child.set_clip_rect(rect.intersect(ui.clip_rect()));
            pane_header(&mut child, document, pane, draft, out);
            pane_ui(&mut child, document, pane, zoom, draft, out);
        }
        let middle = room.left() + half.x + gap / 2.0;
        ui.painter().vline(middle, room.y_range(), egui::Stroke::new(1.0, Palette::get(ui).line));
        ui.advance_cursor_after_rect(room);
    } else {
        pane_header(ui, document, Pane::First, draft, out);
        let zoom = picture_ui::zoom(document, ui.available_width() - 14.0, mails::look(document, Pane::First).0.px());
        pane_ui(ui, document, Pane::First, zoom, draft, out);
    }
}

/// The mail in the panel below the canvas.
pub fn small(ui: &mut Ui, document: &Document, draft: &mut Draft, out: &mut Vec<Command>) {
    let moment = act::moment(document);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        part_tabs(ui, document, out);
        ui.add_space(8.0);
        if document.view.mail.part == Part::Picture {
            look_ui(ui, document, Pane::First, out);
            ui.add_space(8.0);
        }
        said(ui, document, Pane::First, moment.as_ref());
    });
    if shown_part(document) == Part::Lab
        && let Some(node) = document.preview_key().node
    {
        return lab_ui::lab_ui(ui, document, &node, out);
    }
    let zoom = picture_ui::zoom(document, ui.available_width() - 14.0, mails::look(document, Pane::First).0.px());
    pane_ui(ui, document, Pane::First, zoom, draft, out);
}

fn mail_chooser(ui: &mut Ui, document: &Document, senders: &[(crate::base::NodeId, String)], out: &mut Vec<Command>) {
    let chosen = document.preview_key().node;
    let title = senders.iter().find(|(id, _)| Some(id) == chosen.as_ref()).map_or("Choose a mail", |(_, title)| title);
    let combo = ComboBox::from_id_salt("mail").selected_text(title).width(190.0).truncate();
    let combo = combo.show_ui(ui, |ui| {
        ui.set_min_width(260.0);
        for (id, title) in senders {
            if ui.selectable_label(chosen.as_ref() == Some(id), title).clicked() {
                out.push(Act::Open(id.clone()).into());
            }
        }
    });
    combo.response.accessible_name("Mail");
}

/// The parts of a mail, side by side.
fn part_tabs(ui: &mut Ui, document: &Document, out: &mut Vec<Command>) {
    let made = mails::made(document, Pane::First).and_then(|previewed| previewed.result.as_ref().ok());
    let is_email = made.is_none_or(|made| !made.mail.html.is_empty());
    let missing = made.map_or(0, |made| made.mail.missing.len());
    let hints = made.map_or(0, |made| made.lints.len());
    let counted = |words: &str, n: usize, what: &str| match n {
        0 => words.to_owned(),
        n => format!("{words} \u{b7} {n}{what}"),
    };
    let mut tabs = vec![(Part::Inbox, "Inbox".to_owned()), (Part::Text, "Text".to_owned())];
    if is_email {
        tabs.insert(0, (Part::Picture, "Picture".to_owned()));
        tabs.extend([(Part::Source, "Source".to_owned()), (Part::Links, "Links".to_owned())]);
    }
    tabs.extend([(Part::Tags, counted("Tags", missing, " missing")), (Part::Hints, counted("Hints", hints, ""))]);
    if is_email {
        tabs.push((Part::Lab, "Subjects".to_owned()));
    }
    let mut part = shown_part(document);
    if parts::choice(ui, &mut part, &tabs) {
        out.push(Act::ShowPart(part).into());
    }
}

/// The part that is shown: a text message has fewer.
fn shown_part(document: &Document) -> Part {
    let made = mails::made(document, Pane::First).and_then(|previewed| previewed.result.as_ref().ok());
    let is_sms = made.is_some_and(|made| made.mail.html.is_empty());
    match document.view.mail.part {
        Part::Picture | Part::Source | Part::Links | Part::Lab | Part::Edit if is_sms => Part::Inbox,
        // Below the canvas there is no room for it, and blocks have no source.
        Part::Edit if document.view.page.is_none() || !edit_ui::has_source(document) => Part::Picture,
        part => part,
    }
}

/// Width and colours of a pane.
fn look_ui(ui: &mut Ui, document: &Document, pane: Pane, out: &mut Vec<Command>) {
    let (width, dark) = mails::look(document, pane);
    let mut chosen = width;
    let side = if pane == Pane::Other { " of the other mail" } else { "" };
    for (which, words, name) in
        [(Width::Desktop, "600", "600 pixels, a desktop"), (Width::Phone, "375", "375 pixels, a phone")]
    {
        let button = Button::selectable(chosen == which, RichText::new(words).font(theme::medium(12.0)));
        let button = ui.add(button.min_size(vec2(34.0, 24.0))).accessible_name(format!("{name}{side}"));
        if button.on_hover_text(name).clicked() {
            chosen = which;
        }
    }
    if chosen != width {
        out.push(Act::SetWidth(pane, chosen).into());
    }
    let (icon, name) = if dark { ("moon", "Dark colours") } else { ("sun", "Light colours") };
    let glyph = RichText::new(icons::glyph(icon)).font(theme::icon(14.0));
    let button = ui.add(Button::selectable(dark, glyph).min_size(vec2(28.0, 24.0)));
    let button = button.accessible_name(format!("{name}{side}"));
    if button.on_hover_text(format!("{name}: as a reader's device prefers")).clicked() {
        out.push(Act::SetDark(pane, !dark).into());
    }
}

fn zoom_ui(ui: &mut Ui, document: &Document, out: &mut Vec<Command>) {
    let zoom = document.view.mail.zoom;
    let words = zoom.map_or("Fit".to_owned(), |zoom| format!("{:.0} %", zoom * 100.0));
    let combo = ComboBox::from_id_salt("mail zoom").selected_text(words).width(70.0);
    let combo = combo.show_ui(ui, |ui| {
        for choice in [None, Some(0.5), Some(0.75), Some(1.0), Some(1.5), Some(2.0)] {
            let words = choice.map_or("Fit".to_owned(), |zoom: f32| format!("{:.0} %", zoom * 100.0));
            if ui.selectable_label(zoom == choice, words).clicked() {
                out.push(Act::SetZoom(choice).into());
            }
        }
    });
    combo.response.accessible_name("Zoom of the mail");
    ui.add_space(6.0);
}

/// For whom a pane is, in which version, how wide.
fn pane_header(ui: &mut Ui, document: &Document, pane: Pane, draft: &mut Draft, out: &mut Vec<Command>) {
    let is_compared = document.view.mail.other.is_some();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0, 2.0);
        if is_compared {
            let who = mails::contact(document, pane).and_then(|id| stage::contact(&document.home, id));
            if pane == Pane::Other {
                let chosen = mails::contact(document, pane);
                if let Some(id) = parts::people_list(ui, document, chosen, "Other contact", &mut draft.other_people) {
                    out.push(Act::ChooseOther(id).into());
                }
            } else if let Some(who) = who {
                ui.label(RichText::new(stage::name(who)).font(theme::semibold(13.0)));
            }
        }
        variant_chooser(ui, document, pane, out);
        if matches!(shown_part(document), Part::Picture | Part::Edit) {
            look_ui(ui, document, pane, out);
        }
        ui.add_space(4.0);
        let moment = (pane == Pane::First).then(|| act::moment(document)).flatten();
        said(ui, document, pane, moment.as_ref());
    });
    if matches!(shown_part(document), Part::Picture | Part::Edit)
        && let Some(Ok(made)) = mails::made(document, pane).map(|previewed| previewed.result.as_ref())
    {
        subject(ui, made);
    }
}

/// Subject and preheader over the picture, as a mail program shows them.
fn subject(ui: &mut Ui, made: &Made) {
    let palette = Palette::get(ui);
    let words = if made.mail.subject.is_empty() { "No subject" } else { &made.mail.subject };
    ui.add(Label::new(RichText::new(words).font(theme::semibold(14.0)).color(palette.text)).truncate());
    if !made.mail.preheader.is_empty() {
        let words = RichText::new(&made.mail.preheader).font(theme::regular(12.0)).color(palette.weak);
        ui.add(Label::new(words).truncate());
    }
}

fn variant_chooser(ui: &mut Ui, document: &Document, pane: Pane, out: &mut Vec<Command>) {
    let Some(message) = mails::message(document).filter(|message| message.variants.len() > 1) else { return };
    let chosen = match pane {
        Pane::First => document.view.mail.variant.as_deref(),
        Pane::Other => document.view.mail.other.as_ref().and_then(|other| other.variant.as_deref()),
    };
    let title = |id: &str| {
        let variant = message.variants.iter().find(|variant| variant.id == id);
        variant.map_or(id.to_owned(), |variant| mails::variant_title(variant, message))
    };
    let words = match (chosen, mails::shown(document, pane)) {
        (Some(chosen), _) => title(chosen),
        (None, Some(dealt)) => format!("As dealt: {dealt}"),
        (None, None) => "As dealt".to_owned(),
    };
    let combo = ComboBox::from_id_salt(format!("variant {pane:?}")).selected_text(words).width(110.0).truncate();
    let combo = combo.show_ui(ui, |ui| {
        ui.set_min_width(180.0);
        if ui.selectable_label(chosen.is_none(), "As the contact is dealt").clicked() {
            out.push(Act::ChooseVariant(pane, None).into());
        }
        for variant in &message.variants {
            let words = mails::variant_title(variant, message);
            if ui.selectable_label(chosen == Some(variant.id.as_str()), words).clicked() {
                out.push(Act::ChooseVariant(pane, Some(variant.id.as_str().into())).into());
            }
        }
    });
    combo.response.accessible_name(if pane == Pane::First { "Version" } else { "Version of the other mail" });
}

/// What is to be known of a mail: that it would be held, when it is sent, in which version.
fn said(ui: &mut Ui, document: &Document, pane: Pane, moment: Option<&Moment>) {
    let palette = Palette::get(ui);
    let Some(Ok(made)) = mails::made(document, pane).map(|previewed| previewed.result.as_ref()) else { return };
    if let Some(held) = preview::held(made) {
        let words = RichText::new(format!("Would be held: {held}")).font(theme::medium(12.0)).color(palette.error);
        ui.add(Label::new(words).truncate());
        return;
    }
    let mut words = match moment.map(|moment| moment.source) {
        _ if pane == Pane::Other => String::new(),
        Some(Source::Sent) => "when the replay sends it".to_owned(),
        Some(Source::Clock) => "as of the clock".to_owned(),
        Some(Source::Chosen) => "as of the chosen instant".to_owned(),
        Some(Source::Newest) | None => "never reaches this step; as of the newest event".to_owned(),
    };
    let is_page = document.view.page.is_some();
    if !is_page && mails::message(document).is_some_and(|message| message.variants.len() > 1) {
        words = format!("variant {} \u{b7} {words}", made.variant);
    }
    if let Some(event) = &made.event {
        let between = if words.is_empty() { "" } else { " \u{b7} " };
        words = format!("{words}{between}entered by {}", event.name);
    }
    ui.add(Label::new(RichText::new(words).font(theme::regular(12.0)).color(palette.weak)).truncate());
}

fn pane_ui(ui: &mut Ui, document: &Document, pane: Pane, zoom: f32, draft: &mut Draft, out: &mut Vec<Command>) {
    let Some(previewed) = mails::made(document, pane) else {
        parts::nothing(ui, "Rendering\u{2026}");
        return;
    };
    let made = match &previewed.result {
        Ok(made) => made,
        Err(why) => {
            let palette = Palette::get(ui);
            ui.add(Label::new(RichText::new(why).color(palette.error)).wrap());
            return;
        }
    };
    let part = shown_part(document);
    ui.push_id(pane == Pane::Other, |ui| match part {
        Part::Picture | Part::Edit => {
            if pane == Pane::First {
                picture_ui::density(ui, document, zoom, out);
            }
            picture_ui::picture_ui(ui, document, pane, zoom, &mut draft.textures, out);
        }
        Part::Inbox => {
            if let Some(node) = &previewed.key.node {
                let inbox = preview::inbox(document, node, made);
                parts_ui::inbox_ui(ui, made, &inbox, !made.mail.html.is_empty());
            }
        }
        Part::Text => {
            let area = ScrollArea::vertical().id_salt("text").auto_shrink([false, false]);
            area.show(ui, |ui| {
                ui.set_max_width(620.0);
                ui.add(Label::new(made.mail.text.trim_end()).wrap());
            });
        }
        Part::Source => parts_ui::source_ui(ui, made),
        Part::Links => parts_ui::links_ui(ui, made),
        Part::Tags => parts_ui::tags_ui(ui, document, made, out),
        Part::Hints => parts_ui::hints_ui(ui, made),
        // It is of no contact in particular and has the whole page.
        Part::Lab => {}
    });
}

/// Buttons for what leads out of the window.
pub fn out_of_here(ui: &mut Ui, document: &Document, out: &mut Vec<Command>) {
    let made = mails::made(document, Pane::First).and_then(|previewed| previewed.result.as_ref().ok());
    let is_page = made.is_some_and(|made| !made.mail.html.is_empty());
    for (words, act) in [("Open in browser", Below::OpenInBrowser), ("Copy HTML", Below::CopyHtml)] {
        let button = Button::new(RichText::new(words).font(theme::medium(12.0))).min_size(vec2(0.0, 24.0));
        let button = ui.add_enabled(is_page, button);
        if button.on_disabled_hover_text("There is no HTML mail to show").clicked() {
            out.push(act.into());
        }
    }
    let button = Button::new(RichText::new("Send test\u{2026}").font(theme::medium(12.0))).min_size(vec2(0.0, 24.0));
    let button = ui.add_enabled(is_page, button).on_hover_text("Send it to yourself, or write it to a file");
    if button.on_disabled_hover_text("There is no HTML mail to send").clicked() {
        out.push(CommandId::SendTest.into());
    }
}
