//! Subject lines of all versions of a mail, as lists of mails show them, and who is dealt which.

use egui::{Frame, Label, Margin, Rect, RichText, ScrollArea, Sense, Stroke, Ui, vec2};

use super::parts_ui::{desktop_ui, phone_ui};
use crate::{
    app::{
        Command, Document,
        files::Act as FilesAct,
        jobs::Kind,
        mails::{
            self,
            lab::{DESKTOP_CHARS, Lab, PHONE_CHARS, Sample, Version},
        },
        preview::{self, Inbox},
        stage,
    },
    base::NodeId,
    gui::{
        panels::bottom as parts,
        theme::{self, Palette},
        widgets,
    },
};

/// Width of a card: a phone's line and its margins.
const CARD: f32 = 368.0;

/// Draws it for the chosen mail.
pub(super) fn lab_ui(ui: &mut Ui, document: &Document, node: &NodeId, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let (result, is_current) = match mails::lab_of(document, node) {
        Some(made) => made,
        None if document.has_given_up(Kind::Lab) => {
            parts::nothing(ui, "Comparing subjects was cancelled");
            again(ui, document, out);
            return;
        }
        None => {
            parts::nothing(ui, "Comparing subjects\u{2026}");
            return;
        }
    };
    let lab = match result {
        Ok(lab) => lab,
        Err(why) => {
            ui.add(Label::new(RichText::new(why).color(palette.error)).wrap());
            return;
        }
    };
    if !is_current {
        ui.horizontal(|ui| {
            parts::pill(ui, "Older than the flow", palette.warning, palette.warning_soft);
            if document.has_given_up(Kind::Lab) {
                again(ui, document, out);
            }
        });
    }
    ScrollArea::vertical().id_salt("subjects").auto_shrink([false, false]).show(ui, |ui| {
        // As many cards beside each other as there is room for; fewer are wider.
        let (gap, width) = (14.0, ui.available_width() - 14.0);
        let num = ((width + gap) / (CARD + gap)).floor().max(1.0) as usize;
        let beside = num.min(lab.versions.len()).max(1) as f32;
        let wide = (width - gap * (beside - 1.0)) / beside;
        for row in lab.versions.chunks(num) {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = gap;
                for version in row {
                    card(ui, document, lab, version, wide);
                }
            });
            ui.add_space(gap);
        }
        desktop(ui, document, lab);
    });
}

fn again(ui: &mut Ui, document: &Document, out: &mut Vec<Command>) {
    if parts::small_button(ui, "Compare subjects").clicked() {
        out.push(Command::Files(FilesAct::RunAgain(document.id, Kind::Lab)));
    }
}

fn inbox(document: &Document, lab: &Lab, sample: &Sample) -> Inbox {
    let preheader = match sample.preheader.trim() {
        "" => "The beginning of the text".to_owned(),
        preheader => preheader.to_owned(),
    };
    preview::line(document, &lab.node, (&sample.subject, preheader), lab.at)
}

fn spoken(inbox: &Inbox) -> String {
    format!("{}: {}, {}", inbox.sender, inbox.subject, inbox.preheader)
}

/// One line for each version, with its longest subject.
fn desktop(ui: &mut Ui, document: &Document, lab: &Lab) {
    let longest = lab.versions.iter().filter_map(|version| Some((version, version.longest.as_ref()?)));
    for (version, sample) in longest {
        let inbox = inbox(document, lab, sample);
        let caption = format!("Desktop, the longest subject of version {}", version.variant);
        desktop_ui(ui, &inbox, &spoken(&inbox), &caption);
    }
}

fn percent(permille: u64) -> String {
    if permille.is_multiple_of(10) {
        format!("{} %", permille / 10)
    } else {
        format!("{}.{} %", permille / 10, permille % 10)
    }
}

fn card(ui: &mut Ui, document: &Document, lab: &Lab, version: &Version, width: f32) {
    let palette = Palette::get(ui);
    let number = |n: usize| document.home.manner.number(n as u64);
    let frame = Frame::new().fill(palette.panel).stroke(Stroke::new(1.0, palette.line));
    let frame = frame.corner_radius(theme::TILE_RADIUS).inner_margin(Margin::same(13));
    frame.show(ui, |ui| {
        ui.vertical(|ui| {
            ui.set_width(width - 28.0);
            ui.spacing_mut().item_spacing.y = 4.0;
            let language = version.language.as_ref().map_or(String::new(), |language| format!(" \u{b7} {language}"));
            let title = format!("Version {}{language}", version.variant);
            ui.add(Label::new(RichText::new(title).font(theme::semibold(14.0))).truncate());
            dealt(ui, version, &number);
            if let Some(fault) = &version.fault {
                ui.add(Label::new(RichText::new(fault).color(palette.error)).wrap());
            }
            if version.made == 0 {
                return;
            }
            for (words, is_bad) in facts(version, &number) {
                let ink = if is_bad { palette.warning } else { palette.text };
                ui.add(Label::new(RichText::new(words).font(theme::regular(12.5)).color(ink)).wrap());
            }
            ui.add_space(4.0);
            samples(ui, document, lab, version);
        });
    });
}

/// What is to be known of a version's subjects; whether it is worth a second look.
fn facts(version: &Version, number: &dyn Fn(usize) -> String) -> Vec<(String, bool)> {
    let chars = |sample: &Option<Sample>| sample.as_ref().map_or(0, Sample::chars);
    let (shortest, longest) = (chars(&version.shortest), chars(&version.longest));
    let subjects = if version.different == 1 { "subject" } else { "different subjects" };
    let length = if shortest == longest { longest.to_string() } else { format!("{shortest} to {longest}") };
    let mut out = vec![(format!("{} {subjects} of {length} characters", number(version.different)), false)];
    let cut = |n: usize, most: usize, place: &str| {
        let who = match n {
            0 => "None".to_owned(),
            n if n == version.made => "All".to_owned(),
            n => format!("{} of {}", number(n), number(version.made)),
        };
        (format!("{who} cut on a {place} (about {most} characters)"), n > 0)
    };
    out.push(cut(version.cut_on_phone, PHONE_CHARS, "phone"));
    out.push(cut(version.cut_on_desktop, DESKTOP_CHARS, "desktop"));
    out.push(match version.without_preheader {
        0 if version.different_preheaders == 1 => ("1 preheader".to_owned(), false),
        0 => (format!("{} different preheaders", number(version.different_preheaders)), false),
        n if n == version.made => ("No preheader: lists show the beginning of the text".to_owned(), true),
        n => (format!("{} of {} without a preheader", number(n), number(version.made)), true),
    });
    out
}

/// Who is dealt the version, beside the share that it declares.
fn dealt(ui: &mut Ui, version: &Version, number: &dyn Fn(usize) -> String) {
    let palette = Palette::get(ui);
    let declared = percent(version.declared_permille);
    let words = match version.dealt_permille() {
        Some(permille) => format!(
            "Dealt to {} of {}: {}, declared {declared}",
            number(version.dealt),
            number(version.readers),
            percent(permille)
        ),
        None => "Nobody in the audience reads this language: all stand in for them".to_owned(),
    };
    ui.add(Label::new(RichText::new(&words).font(theme::regular(12.0)).color(palette.weak)).wrap());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 6.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &words));
    let part = |permille: u64| rect.width() * permille.min(1_000) as f32 / 1_000.0;
    ui.painter().rect_filled(rect, 3.0, palette.line);
    let filled = Rect::from_min_size(rect.min, vec2(part(version.dealt_permille().unwrap_or(0)), rect.height()));
    ui.painter().rect_filled(filled, 3.0, palette.accent);
    let mark = (rect.left() + part(version.declared_permille)).min(rect.right() - 1.0);
    ui.painter().vline(mark, rect.y_range().expand(2.0), Stroke::new(2.0, palette.text));
}

/// The longest, the shortest, and one of each language, as a phone lists them.
fn samples(ui: &mut Ui, document: &Document, lab: &Lab, version: &Version) {
    let mut shown: Vec<(String, &Sample)> = Vec::new();
    shown.extend(version.longest.as_ref().map(|sample| ("Longest".to_owned(), sample)));
    let shortest = version.shortest.as_ref().filter(|_| version.different > 1);
    shown.extend(shortest.map(|sample| ("Shortest".to_owned(), sample)));
    // One language only is no news.
    if version.by_language.len() > 1 {
        for (language, sample) in &version.by_language {
            let language = if language == "-" { "No language".to_owned() } else { format!("Language {language}") };
            shown.push((language, sample));
        }
    }
    let (phone, gap) = (340.0, 12.0);
    let num = ((ui.available_width() + gap) / (phone + gap)).floor().max(1.0) as usize;
    for row in shown.chunks(num) {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for (what, sample) in row {
                let who = stage::contact(&document.home, &sample.contact);
                let who: String = who.map_or(sample.contact.to_string(), stage::name).chars().take(20).collect();
                let inbox = inbox(document, lab, sample);
                let caption = format!("{what}, {} characters, {who}", sample.chars());
                ui.vertical(|ui| phone_ui(ui, &inbox, &spoken(&inbox), &caption));
            }
        });
    }
    if version.made > 0 && version.different == 1 {
        widgets::caption(ui, "The same for everybody");
    }
}
