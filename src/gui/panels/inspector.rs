//! The panel on the right: what is selected, and its settings.

use egui::{Frame, Margin, RichText, ScrollArea, TextEdit, Ui};

use super::Drafts;
use crate::{
    app::{App, Command, Document, card},
    base::NodeId,
    flow::Edit,
    gui::{
        theme::{self, Palette},
        widgets,
    },
};

/// Half-typed values.
#[derive(Debug, Default)]
pub struct Draft {
    node: Option<(NodeId, u64)>,
    title: String,
}

/// Draws it.
pub fn inspector(ui: &mut Ui, _app: &App, document: &Document, drafts: &mut Drafts, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    Frame::new().inner_margin(Margin { left: 16, right: 14, top: 14, bottom: 8 }).show(ui, |ui| {
        let Some(node) = document.selected().and_then(|id| document.flow().node(id.as_str())) else {
            ui.label(RichText::new(document.title()).font(theme::semibold(16.0)));
            let flow = document.flow();
            ui.label(
                RichText::new(format!("{} steps, {} messages", flow.nodes.len(), flow.messages.len()))
                    .color(palette.weak),
            );
            return;
        };
        let spec = card::spec(&node.kind);
        let stamp = (node.id.clone(), document.history.revision());
        let draft = &mut drafts.inspector;
        if draft.node.as_ref() != Some(&stamp) {
            draft.title.clone_from(&node.title);
            draft.node = Some(stamp);
        }
        ui.horizontal(|ui| {
            widgets::tile(ui, spec.map_or("question", |s| s.icon), card::family(&node.kind), 36.0);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                let kind = spec.map_or("Unknown step", |s| s.title);
                ui.label(RichText::new(kind).font(theme::medium(11.5)).color(palette.family(card::family(&node.kind))));
                ui.add(egui::Label::new(RichText::new(node.title()).font(theme::semibold(16.0))).truncate());
            });
        });
        ui.add_space(6.0);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            let label = ui.label(RichText::new("Step name").color(palette.weak));
            let field = ui.add(
                TextEdit::singleline(&mut draft.title)
                    .id(egui::Id::unique("step name"))
                    .desired_width(f32::INFINITY)
                    .margin(Margin::symmetric(10, 6)),
            );
            let field = field.labelled_by(label.id);
            if field.changed() {
                out.push(Command::Edit {
                    label: "Rename step".to_owned(),
                    edits: vec![Edit::SetTitle { id: node.id.clone(), title: draft.title.clone() }],
                    merge: Some(format!("title {}", node.id)),
                });
            }
            if let Some(spec) = spec {
                ui.add_space(4.0);
                ui.label(RichText::new(spec.docs.what).font(theme::regular(11.5)).color(palette.weak));
            }
        });
    });
}
