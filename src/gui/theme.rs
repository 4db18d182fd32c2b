//! Colours, fonts, spacing: the one place they come from.
//!
//! Two palettes, one per theme; a test computes the contrast of every pair that carries text. Fonts are bundled, so
//! that pictures are the same on every machine. Deliberately not here: shapes of particular widgets.

use std::sync::Arc;

use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Shadow, Stroke, TextStyle, Theme,
    Vec2,
};

use crate::{
    app::card::Family,
    base::Severity,
    content::highlight::Token,
    report::font::{INTER_MEDIUM, INTER_REGULAR, INTER_SEMIBOLD, PHOSPHOR},
};

/// Every colour of one theme.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Behind the cards.
    pub canvas: Color32,
    /// Dots of the canvas grid.
    pub grid: Color32,
    /// Panels.
    pub panel: Color32,
    /// Cards, menus.
    pub card: Color32,
    /// Inputs.
    pub field: Color32,
    /// Borders.
    pub line: Color32,
    /// Edges between cards.
    pub edge: Color32,
    /// Text.
    pub text: Color32,
    /// Text of less weight.
    pub weak: Color32,
    /// What is chosen, and the main button.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Behind what is chosen.
    pub accent_soft: Color32,
    /// What is well.
    pub good: Color32,
    /// Behind what is well.
    pub good_soft: Color32,
    /// Errors.
    pub error: Color32,
    /// Behind errors.
    pub error_soft: Color32,
    /// Warnings.
    pub warning: Color32,
    /// Behind warnings.
    pub warning_soft: Color32,
    /// Shadow of cards.
    pub shadow: Color32,
    /// What a hovered thing gets.
    pub hover: Color32,
    families: [Color32; 9],
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// The light palette. Source: the look pages; weak and warning text darkened to 4.5:1.
pub const LIGHT: Palette = Palette {
    canvas: rgb(0xF4F5F9),
    grid: rgb(0xD9DDE8),
    panel: rgb(0xFFFFFF),
    card: rgb(0xFFFFFF),
    field: rgb(0xF4F5F9),
    line: rgb(0xE3E6EE),
    edge: rgb(0xA4ABBF),
    text: rgb(0x1B2033),
    weak: rgb(0x616881),
    accent: rgb(0x4F46E5),
    on_accent: rgb(0xFFFFFF),
    accent_soft: rgb(0xEBEAFC),
    good: rgb(0x047857),
    good_soft: rgb(0xDDF3EB),
    error: rgb(0xC81E1E),
    error_soft: rgb(0xFBE3E3),
    warning: rgb(0x9A5B06),
    warning_soft: rgb(0xFBF0DF),
    shadow: Color32::from_rgba_premultiplied(3, 4, 8, 26),
    hover: rgb(0xF0F1F7),
    families: [
        rgb(0x7C3AED),
        rgb(0xB45309),
        rgb(0x0369A1),
        rgb(0xBE185D),
        rgb(0x4F46E5),
        rgb(0x0F766E),
        rgb(0x047857),
        rgb(0x616881),
        rgb(0xC81E1E),
    ],
};

/// The dark palette; step colours are lighter tones of the same hues.
pub const DARK: Palette = Palette {
    canvas: rgb(0x12141C),
    grid: rgb(0x262B3A),
    panel: rgb(0x1A1D28),
    card: rgb(0x202431),
    field: rgb(0x12141C),
    line: rgb(0x2E3344),
    edge: rgb(0x5A627A),
    text: rgb(0xECEEF6),
    weak: rgb(0x969DB4),
    accent: rgb(0x818CF8),
    on_accent: rgb(0x10121A),
    accent_soft: rgb(0x272A44),
    good: rgb(0x34D399),
    good_soft: rgb(0x16342D),
    error: rgb(0xF87171),
    error_soft: rgb(0x3A1D24),
    warning: rgb(0xFBBF24),
    warning_soft: rgb(0x352A1C),
    shadow: Color32::from_rgba_premultiplied(0, 0, 0, 70),
    hover: rgb(0x282D3C),
    families: [
        rgb(0xA78BFA),
        rgb(0xF59E0B),
        rgb(0x38BDF8),
        rgb(0xF472B6),
        rgb(0x818CF8),
        rgb(0x2DD4BF),
        rgb(0x34D399),
        rgb(0x969DB4),
        rgb(0xF87171),
    ],
};

impl Palette {
    /// The way with the changes of the what-if panel; the way as it is has the accent.
    pub fn what_if(&self) -> Color32 {
        self.family(Family::Split)
    }

    /// The palette of a theme.
    pub fn of(theme: Theme) -> &'static Self {
        match theme {
            Theme::Light => &LIGHT,
            Theme::Dark => &DARK,
        }
    }

    /// The palette of what is being drawn.
    pub fn get(ui: &egui::Ui) -> &'static Self {
        Self::of(ui.theme())
    }

    /// The colour of a family of steps.
    pub fn family(&self, family: Family) -> Color32 {
        self.families[family as usize]
    }

    /// Behind the icon of a family: 14 % of its colour on the card.
    pub fn family_soft(&self, family: Family) -> Color32 {
        mix(self.card, self.family(family), 0.14)
    }

    /// The colour of a part of a source text, on the ground of inputs.
    pub fn token(&self, token: Token) -> Color32 {
        match token {
            Token::Text => self.text,
            Token::Tag => self.accent,
            Token::Attribute => self.family(Family::Split),
            Token::Value => self.good,
            Token::Comment => self.weak,
            Token::Merge | Token::Logic => self.warning,
            Token::Style => self.families[2],
        }
    }

    /// The colour of a severity, and what stands behind it.
    pub fn severity(&self, severity: Severity) -> (Color32, Color32) {
        match severity {
            Severity::Error => (self.error, self.error_soft),
            Severity::Warning => (self.warning, self.warning_soft),
            Severity::Hint => (self.accent, self.accent_soft),
        }
    }
}

/// `share` of `b` over `a`, in sRGB as a designer's tool mixes.
pub fn mix(a: Color32, b: Color32, share: f32) -> Color32 {
    let part = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round() as u8;
    Color32::from_rgb(part(a.r(), b.r()), part(a.g(), b.g()), part(a.b(), b.b()))
}

/// Medium weight; egui makes no weights of its own.
pub fn medium(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("medium".into()))
}

/// Semibold.
pub fn semibold(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("semibold".into()))
}

/// Regular.
pub fn regular(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Sources: every letter as wide as the next.
pub fn mono(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

/// Icons.
pub fn icon(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("icon".into()))
}

/// Filled icons.
pub fn icon_fill(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("icon-fill".into()))
}

/// How long something glides or fades, in seconds.
pub const ANIMATION_SECS: f32 = 0.08;
/// Corner of cards, in points.
pub const CARD_RADIUS: u8 = 12;
/// Corner of tiles and menus.
pub const TILE_RADIUS: u8 = 10;
/// Corner of controls.
pub const CONTROL_RADIUS: u8 = 8;

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let faces: [(&str, &'static [u8]); 6] = [
        ("mono", include_bytes!("../../assets/fonts/mail/MailMono-Regular.ttf")),
        ("regular", INTER_REGULAR),
        ("medium", INTER_MEDIUM),
        ("semibold", INTER_SEMIBOLD),
        ("icon", PHOSPHOR),
        ("icon-fill", include_bytes!("../../assets/fonts/phosphor-fill.ttf")),
    ];
    for (name, bytes) in faces {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
        let family = vec![name.to_owned(), "regular".to_owned(), "icon".to_owned()];
        fonts.families.insert(FontFamily::Name(name.into()), family);
    }
    let text = vec!["regular".to_owned(), "icon".to_owned()];
    // Sources are set in the face that mail pictures bring along for `<code>`.
    let code = ["mono", "regular", "icon"].map(str::to_owned);
    fonts.families.insert(FontFamily::Monospace, code.to_vec());
    fonts.families.insert(FontFamily::Proportional, text);
    fonts
}

/// Fonts and both styles; before the first frame.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    for theme in [Theme::Light, Theme::Dark] {
        ctx.style_mut_of(theme, |style| style_of(style, Palette::of(theme), theme == Theme::Dark));
    }
}

fn style_of(style: &mut egui::Style, palette: &Palette, dark: bool) {
    style.text_styles = [
        (TextStyle::Body, regular(13.0)),
        (TextStyle::Button, medium(13.0)),
        (TextStyle::Small, regular(11.5)),
        (TextStyle::Heading, semibold(16.5)),
        (TextStyle::Monospace, FontId::new(12.5, FontFamily::Monospace)),
    ]
    .into();
    style.spacing.item_spacing = Vec2::new(8.0, 6.0);
    style.spacing.button_padding = Vec2::new(10.0, 5.0);
    style.spacing.interact_size = Vec2::new(32.0, 28.0);
    style.spacing.window_margin = Margin::same(16);
    style.spacing.menu_margin = Margin::same(6);
    style.spacing.combo_width = 60.0;
    // A solid handle has the ground of buttons, which on a card is not seen. This one has the ink of text, fainter
    // while nobody is near, and as much room as a solid one.
    style.spacing.scroll = egui::style::ScrollStyle {
        floating: true,
        bar_width: 8.0,
        floating_width: 6.0,
        floating_allocated_width: 12.0,
        foreground_color: true,
        dormant_background_opacity: 0.0,
        active_background_opacity: 0.0,
        interact_background_opacity: 0.0,
        dormant_handle_opacity: 0.3,
        active_handle_opacity: 0.4,
        interact_handle_opacity: 0.6,
        ..egui::style::ScrollStyle::solid()
    };
    style.animation_time = ANIMATION_SECS;
    style.interaction.resize_grab_radius_side = 4.0;
    let visuals = &mut style.visuals;
    *visuals = if dark { egui::Visuals::dark() } else { egui::Visuals::light() };
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(palette.weak);
    visuals.panel_fill = palette.panel;
    visuals.window_fill = palette.card;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.window_corner_radius = CornerRadius::same(CARD_RADIUS);
    visuals.menu_corner_radius = CornerRadius::same(TILE_RADIUS);
    visuals.window_shadow = Shadow { offset: [0, 8], blur: 28, spread: 0, color: palette.shadow };
    visuals.popup_shadow = Shadow { offset: [0, 4], blur: 18, spread: 0, color: palette.shadow };
    visuals.extreme_bg_color = palette.field;
    visuals.text_edit_bg_color = Some(palette.field);
    visuals.faint_bg_color = palette.canvas;
    visuals.code_bg_color = palette.field;
    visuals.hyperlink_color = palette.accent;
    visuals.error_fg_color = palette.error;
    visuals.warn_fg_color = palette.warning;
    visuals.selection.bg_fill = mix(palette.card, palette.accent, 0.28);
    visuals.selection.stroke = Stroke::new(1.5, palette.accent);
    visuals.striped = false;
    visuals.disabled_alpha = 0.55;
    visuals.slider_trailing_fill = true;
    let radius = CornerRadius::same(CONTROL_RADIUS);
    let widgets = &mut visuals.widgets;
    let line = Stroke::new(1.0, palette.line);
    let text = Stroke::new(1.0, palette.text);
    widgets.noninteractive.bg_fill = palette.card;
    widgets.noninteractive.weak_bg_fill = palette.card;
    widgets.noninteractive.bg_stroke = line;
    widgets.noninteractive.fg_stroke = text;
    for state in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active, &mut widgets.open] {
        state.bg_fill = palette.card;
        state.weak_bg_fill = palette.card;
        state.bg_stroke = line;
        state.fg_stroke = text;
        state.corner_radius = radius;
        state.expansion = 0.0;
    }
    widgets.noninteractive.corner_radius = radius;
    widgets.hovered.weak_bg_fill = palette.hover;
    widgets.hovered.bg_fill = palette.hover;
    widgets.hovered.bg_stroke = Stroke::new(1.0, mix(palette.line, palette.weak, 0.4));
    widgets.active.weak_bg_fill = palette.accent_soft;
    widgets.active.bg_fill = palette.accent_soft;
    widgets.active.bg_stroke = Stroke::new(1.5, palette.accent);
    widgets.open.weak_bg_fill = palette.hover;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(color: Color32) -> f64 {
        let channel = |c: u8| {
            let c = f64::from(c) / 255.0;
            #[expect(clippy::disallowed_methods, reason = "a test of colours, which no decision of a flow depends on")]
            if c <= 0.03928 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(color.r()) + 0.7152 * channel(color.g()) + 0.0722 * channel(color.b())
    }

    /// Source: WCAG 2.2, contrast ratio.
    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_is_readable_in_both_themes() {
        for (name, p) in [("light", &LIGHT), ("dark", &DARK)] {
            let mut pairs = vec![
                ("text on panel", p.text, p.panel),
                ("text on card", p.text, p.card),
                ("text on canvas", p.text, p.canvas),
                ("text on field", p.text, p.field),
                ("text on hover", p.text, p.hover),
                ("weak on panel", p.weak, p.panel),
                ("weak on card", p.weak, p.card),
                ("weak on canvas", p.weak, p.canvas),
                ("weak on field", p.weak, p.field),
                ("accent on card", p.accent, p.card),
                ("accent on soft", p.accent, p.accent_soft),
                ("on accent", p.on_accent, p.accent),
                ("good on soft", p.good, p.good_soft),
                ("error on soft", p.error, p.error_soft),
                ("warning on soft", p.warning, p.warning_soft),
                ("warning on panel", p.warning, p.panel),
                ("error on panel", p.error, p.panel),
            ];
            for token in [
                Token::Text,
                Token::Tag,
                Token::Attribute,
                Token::Value,
                Token::Comment,
                Token::Merge,
                Token::Logic,
                Token::Style,
            ] {
                pairs.push(("token on field", p.token(token), p.field));
            }
            for color in p.families {
                pairs.push(("family on card", color, p.card));
                pairs.push(("family on its soft", color, mix(p.card, color, 0.14)));
            }
            for (what, a, b) in pairs {
                // Icons on their own tint need 3:1 only (WCAG 1.4.11).
                let least = if what.ends_with("its soft") { 3.0 } else { 4.5 };
                assert!(contrast(a, b) >= least, "{name}, {what}: {:.2} of {a:?} on {b:?}", contrast(a, b));
            }
        }
    }
}
