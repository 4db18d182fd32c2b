//! Contacts of the engine: searched for as one types; the chosen one's journeys, mails and decisions, and what can be
//! done by hand.

use egui::{Button, Frame, Label, Margin, Rect, RichText, ScrollArea, TextEdit, Ui, UiBuilder, pos2, vec2};

use super::{held_ui::may_have_left, start_ui::pair};
use crate::{
    app::{
        Command, Document,
        run::{Act, Question, Run, mail::SentMail, words},
    },
    engine::status::{ContactView, JourneyView, SendView},
    gui::{
        icons,
        panels::{
            bottom,
            mails::{Look, Textures, paper},
            pages::parts::{self, RowLook},
        },
        theme::{self, Palette},
        widgets,
    },
    kinds::runtime::Reason,
};

/// What this part keeps for itself.
#[derive(Debug, Default)]
pub struct Draft {
    typed: String,
    /// What was asked for last.
    asked: String,
}

/// Draws it.
pub fn people(ui: &mut Ui, document: &Document, run: &Run, draft: &mut super::Draft, out: &mut Vec<Command>) {
    let super::Draft { people: own, textures, .. } = draft;
    let is_narrow = ui.available_width() < 700.0;
    let chosen = run.people.chosen.is_some();
    if chosen && is_narrow {
        let arrow = RichText::new(icons::glyph("arrow-left")).font(theme::icon(14.0));
        let back = ui.add(Button::new((arrow, "All contacts")).min_size(vec2(0.0, 26.0)));
        if back.accessible_name("Back to the list").clicked() {
            out.push(Act::Contact(None).into());
        }
        contact(ui, document, run, textures, out);
        return;
    }
    // A list of names is narrow, and a mail is wide.
    let whole = ui.available_rect_before_wrap();
    let middle = whole.left() + (whole.width() * 0.34).clamp(240.0, 420.0);
    let left = Rect::from_min_max(whole.min, pos2(middle - 14.0, whole.bottom()));
    let right = Rect::from_min_max(pos2(middle, whole.top()), whole.max);
    list(&mut ui.new_child(UiBuilder::new().max_rect(left)), document, run, own, out);
    let mut right = ui.new_child(UiBuilder::new().max_rect(right));
    match chosen {
        true => contact(&mut right, document, run, textures, out),
        false => bottom::nothing(&mut right, "Choose somebody to see their journeys, their mails and every decision"),
    }
    ui.advance_cursor_after_rect(whole);
}

fn list(ui: &mut Ui, document: &Document, run: &Run, draft: &mut Draft, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    ui.add_space(4.0);
    let search = TextEdit::singleline(&mut draft.typed)
        .hint_text("Id or address")
        .desired_width((ui.available_width() - 24.0).min(300.0));
    let search = ui.add(search.margin(Margin::symmetric(10, 6))).accessible_name("Search contacts of the engine");
    if search.changed() || (draft.asked != draft.typed && !search.has_focus()) {
        draft.asked.clone_from(&draft.typed);
        out.push(Act::Search(draft.typed.clone()).into());
    }
    ui.add_space(4.0);
    match &run.people.found {
        None => bottom::nothing(ui, "Searching\u{2026}"),
        Some(Err(refusal)) => {
            ui.add(Label::new(RichText::new(&refusal.error).color(palette.error)).wrap());
            ui.add(Label::new(RichText::new(&refusal.hint).color(palette.weak)).wrap());
        }
        Some(Ok(found)) if found.is_empty() && run.people.typed.is_empty() => {
            bottom::nothing(ui, "The engine knows nobody yet: contacts come with their first event");
        }
        Some(Ok(found)) if found.is_empty() => {
            bottom::nothing(ui, "No id or address begins with that");
        }
        Some(Ok(found)) => {
            let columns: [parts::Column<'_>; 2] = [("Contact", 0.8, 0.0), ("E-mail", 1.0, 260.0)];
            let look = |at: usize| RowLook {
                name: format!("Contact {}", found[at].id),
                is_chosen: run.people.chosen.as_ref() == Some(&found[at].id),
            };
            let cell = |at: usize, title: &str| match title {
                "Contact" => (found[at].id.to_string(), palette.text),
                _ => (found[at].email.as_ref().map(ToString::to_string).unwrap_or_default(), palette.weak),
            };
            let most = crate::app::run::MOST_FOUND;
            let more = found.len() >= most;
            let high = ui.available_height() - if more { 24.0 } else { 0.0 };
            let clicked = ui
                .allocate_ui(vec2(ui.available_width(), high), |ui| {
                    parts::table(ui, "engine contacts", &columns, found.len(), &look, &cell)
                })
                .inner;
            if let Some(at) = clicked {
                out.push(Act::Contact(Some(found[at].id.clone())).into());
            }
            if more {
                let words = format!("The first {}: type more to find others", document.home.manner.number(most as u64));
                ui.label(RichText::new(words).font(theme::regular(11.5)).color(palette.weak));
            }
        }
    }
}

fn contact(ui: &mut Ui, document: &Document, run: &Run, textures: &mut Textures, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let view = match &run.people.view {
        None => return bottom::nothing(ui, "Looking\u{2026}"),
        Some(Err(refusal)) => {
            ui.add(Label::new(RichText::new(&refusal.error).color(palette.error)).wrap());
            ui.add(Label::new(RichText::new(&refusal.hint).color(palette.weak)).wrap());
            return;
        }
        Some(Ok(view)) => view,
    };
    if let Some((key, mail)) = &run.people.mail {
        return mail_ui(ui, document, view, key, mail.as_ref(), textures, out);
    }
    ScrollArea::vertical().id_salt("engine contact").auto_shrink([false, false]).show(ui, |ui| {
        Frame::new().inner_margin(Margin { left: 4, right: 10, top: 4, bottom: 12 }).show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(view.contact.id.as_str()).font(theme::semibold(15.0)));
                if view.suppressed {
                    bottom::pill(ui, "Never to be written to", palette.error, palette.error_soft);
                } else if view.bounced {
                    bottom::pill(ui, "No mails to this address", palette.warning, palette.warning_soft);
                }
            });
            if let Some(email) = &view.contact.email {
                pair(ui, "E-mail", email);
            }
            if let Some(at) = view.next_wake {
                pair(ui, "Next step due", &words::day_time(document, at));
            }
            ui.add_space(6.0);
            widgets::caption(ui, "Journeys");
            if view.journeys.is_empty() {
                bottom::nothing(ui, "No flow has let them in");
            }
            for journey in view.journeys.iter().rev() {
                journey_ui(ui, document, run, view, journey, out);
            }
            ui.add_space(6.0);
            widgets::caption(ui, "Messages");
            if view.sends.is_empty() {
                bottom::nothing(ui, "Nothing has been sent to them");
            }
            for send in view.sends.iter().rev() {
                send_ui(ui, document, run, view, send, out);
            }
            trace_ui(ui, document, view);
        });
    });
}

fn journey_ui(
    ui: &mut Ui,
    document: &Document,
    run: &Run,
    view: &ContactView,
    journey: &JourneyView,
    out: &mut Vec<Command>,
) {
    let palette = Palette::get(ui);
    let is_own = journey.flow == document.flow().id;
    let step = |node: &str| if is_own { words::step(document, node) } else { node.to_owned() };
    let since = words::day_time(document, journey.entered);
    let (head, rest) = match (&journey.ended, &journey.node) {
        (Some((at, how)), _) => (format!("Ended: {how}"), format!("{since} to {}", words::day_time(document, *at))),
        (None, Some(node)) => (
            format!("At {}", step(node.as_str())),
            format!("since {since}; {}", words::local(document, &journey.waiting)),
        ),
        (None, None) => ("Under way".to_owned(), format!("since {since}")),
    };
    let frame = Frame::new().fill(palette.card).stroke(egui::Stroke::new(1.0, palette.line));
    frame.corner_radius(theme::CONTROL_RADIUS as f32).inner_margin(Margin::symmetric(10, 6)).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(head).font(theme::medium(13.0)));
            if !is_own {
                bottom::pill(ui, journey.flow.as_str(), palette.weak, palette.field);
            }
        });
        ui.add(Label::new(RichText::new(rest.trim_end_matches("; ")).color(palette.weak)).wrap());
        if journey.ended.is_none() {
            ui.horizontal(|ui| {
                let (contact, id) = (view.contact.id.clone(), journey.id.clone());
                ui.add_enabled_ui(!run.is_ordering, |ui| {
                    if is_own
                        && bottom::small_button(ui, "Move\u{2026}")
                            .accessible_name(format!("Move {id} to another step"))
                            .clicked()
                    {
                        let question = Question::Move { contact: contact.clone(), journey: id.clone(), to: None };
                        out.push(Act::Ask(question).into());
                    }
                    let end = bottom::small_button(ui, "End\u{2026}").accessible_name(format!("End {id}"));
                    if end.clicked() {
                        out.push(Act::Ask(Question::End { contact, journey: id }).into());
                    }
                });
            });
        }
    });
}

fn send_ui(ui: &mut Ui, document: &Document, run: &Run, view: &ContactView, send: &SendView, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let is_own = send.flow == document.flow().id;
    let title = if is_own { words::step(document, send.node.as_str()) } else { send.node.to_string() };
    let stands = words::standing(send);
    let ink = match stands {
        "Sent" => palette.good,
        "Held" | "Refused" => palette.error,
        text if text.starts_with("Nobody") => palette.warning,
        _ => palette.weak,
    };
    let mut detail = words::day_time(document, send.at);
    if let Some(reason) = send.reason.filter(|reason| *reason != Reason::Ok) {
        detail.push_str(&format!(" \u{b7} {}", words::reason(reason)));
    }
    if !send.detail.is_empty() {
        detail.push_str(&format!(" \u{b7} {}", send.detail));
    }
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&title).font(theme::medium(13.0)));
        ui.label(RichText::new(stands).color(ink));
        ui.label(RichText::new(detail).font(theme::regular(12.0)).color(palette.weak));
        if send.has_mail {
            let button = bottom::small_button(ui, "Show").accessible_name(format!("Show the mail {}", send.key));
            if button.clicked() {
                out.push(Act::Mail(Some(send.key.clone())).into());
            }
        }
        ui.add_enabled_ui(!run.is_ordering, |ui| {
            if stands == "Held" {
                let button = bottom::small_button(ui, "Retry").accessible_name(format!("Retry {}", send.key));
                if button.clicked() {
                    out.push(Act::Retry(send.key.clone()).into());
                }
            }
            if stands.starts_with("Nobody") {
                may_have_left(ui, &view.contact.id, &send.key, out);
            }
        });
    });
}

/// Every decision, the newest last, and what was done by hand.
fn trace_ui(ui: &mut Ui, document: &Document, view: &ContactView) {
    let palette = Palette::get(ui);
    if !view.audit.is_empty() {
        ui.add_space(6.0);
        widgets::caption(ui, "By hand");
        for (at, who, what) in &view.audit {
            let words = format!("{}  {who}: {what}", words::day_time(document, *at));
            ui.add(Label::new(RichText::new(words).font(theme::regular(12.0))).wrap());
        }
    }
    ui.add_space(6.0);
    widgets::caption(ui, "Time line");
    if view.trace.is_empty() {
        bottom::nothing(ui, "Nothing has been decided about them");
    }
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.spacing_mut().interact_size.y = 16.0;
    for line in &view.trace {
        let (at, what) = words::decision(document, line);
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(at).font(theme::regular(12.0)).color(palette.weak));
            ui.add(Label::new(RichText::new(what).font(theme::regular(12.0))).wrap());
        });
    }
}

/// A mail as it was sent.
fn mail_ui(
    ui: &mut Ui,
    document: &Document,
    view: &ContactView,
    key: &str,
    mail: Option<&Result<std::sync::Arc<SentMail>, String>>,
    textures: &mut Textures,
    out: &mut Vec<Command>,
) {
    let palette = Palette::get(ui);
    let arrow = RichText::new(icons::glyph("arrow-left")).font(theme::icon(14.0));
    ui.horizontal(|ui| {
        let back = Button::new((arrow, view.contact.id.as_str())).min_size(vec2(0.0, 26.0));
        if ui.add(back).accessible_name("Back to the contact").clicked() {
            out.push(Act::Mail(None).into());
        }
        ui.add(Label::new(RichText::new(key).font(theme::regular(11.5)).color(palette.weak)).truncate());
    });
    let mail = match mail {
        None => return bottom::nothing(ui, "Looking\u{2026}"),
        Some(Err(why)) => {
            ui.add(Label::new(RichText::new(why).color(palette.error)).wrap());
            return;
        }
        Some(Ok(mail)) => mail,
    };
    ui.add(Label::new(RichText::new(&mail.made.mail.subject).font(theme::semibold(15.0))).wrap());
    pair(ui, "From", &mail.from);
    pair(ui, "To", &mail.to);
    ui.add_space(4.0);
    textures.tidy(|kept| document.derived.pictures.get(kept).is_some());
    let drawn = mail.picture_key(document).map(|key| (key, document.derived.pictures.get(&key)));
    ScrollArea::both().id_salt("sent mail").auto_shrink([false, false]).show(ui, |ui| match drawn {
        Some((key, Some(Ok(picture)))) => {
            let zoom = (ui.available_width() / key.width_px as f32).clamp(0.4, 1.0);
            let name = format!("Picture of the mail as {} got it", view.contact.id);
            paper(ui, textures, key, picture, &Look { zoom, is_stale: false, name });
        }
        Some((_, None)) => bottom::nothing(ui, "Drawing\u{2026}"),
        // A mail without HTML, or one that cannot be drawn: its text.
        other => {
            if let Some((_, Some(Err(why)))) = other {
                ui.add(Label::new(RichText::new(why).color(palette.warning)).wrap());
            }
            ui.add(Label::new(RichText::new(&mail.made.mail.text).monospace()).selectable(true).wrap());
        }
    });
}
