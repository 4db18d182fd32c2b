//! Colours for paper: light, few, dark enough in black and white. The hues of the steps are the studio's.
//!
//! The one idea: a client's document has one colour of its own, the brand's; everything else is ink and lines.

use std::fmt;

use crate::{content::Brand, flow::card::Family};

/// A colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

const fn rgb(hex: u32) -> Rgb {
    Rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Paper.
pub const PAPER: Rgb = rgb(0xFFFFFF);
/// Text.
pub const INK: Rgb = rgb(0x1B2033);
/// Text of less weight; 5.5:1 on paper.
pub const WEAK: Rgb = rgb(0x5C6379);
/// Borders.
pub const LINE: Rgb = rgb(0xCBD0DD);
/// Edges between cards; darker than in the window, for printers.
pub const EDGE: Rgb = rgb(0x7D859C);
/// What is added.
pub const ADDED: Rgb = rgb(0x047857);
/// What is taken away.
pub const REMOVED: Rgb = rgb(0xC81E1E);
/// What is changed.
pub const CHANGED: Rgb = rgb(0x9A5B06);

/// The colour of a family of steps. Source: the light palette of the studio.
pub fn family(family: Family) -> Rgb {
    match family {
        Family::Trigger => rgb(0x7C3AED),
        Family::Delay => rgb(0xB45309),
        Family::Condition => rgb(0x0369A1),
        Family::Split => rgb(0xBE185D),
        Family::Message => rgb(0x4F46E5),
        Family::Action => rgb(0x0F766E),
        Family::Exit => rgb(0x047857),
        Family::Note => rgb(0x616881),
        Family::Unknown => rgb(0xC81E1E),
    }
}

/// The colour of a note by its name in the file.
pub fn note(name: &str) -> Rgb {
    match name {
        "violet" => family(Family::Trigger),
        "blue" => family(Family::Condition),
        "pink" => family(Family::Split),
        "green" => family(Family::Exit),
        "teal" => family(Family::Action),
        "indigo" => family(Family::Message),
        "grey" => family(Family::Note),
        _ => family(Family::Delay),
    }
}

/// `share` of `b` over `a`, in sRGB.
pub fn mix(a: Rgb, b: Rgb, share: f32) -> Rgb {
    let part = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round().clamp(0.0, 255.0) as u8;
    Rgb(part(a.0, b.0), part(a.1, b.1), part(a.2, b.2))
}

/// A colour as `#rrggbb` or `#rgb`.
pub fn parse(text: &str) -> Option<Rgb> {
    let hex = text.trim().strip_prefix('#')?;
    let value = u32::from_str_radix(hex, 16).ok().filter(|_| hex.bytes().all(|c| c.is_ascii_hexdigit()))?;
    match hex.len() {
        6 => Some(rgb(value)),
        3 => {
            let double = |n: u32| ((value >> n & 15) * 17) as u8;
            Some(Rgb(double(8), double(4), double(0)))
        }
        _ => None,
    }
}

/// The brand's colour for titles and rules: its buttons' colour, darkened until it can be read on paper.
pub fn accent(brand: &Brand) -> Rgb {
    let mut color = parse(&brand.primary).unwrap_or_else(|| family(Family::Message));
    // A quarter darker each time: black is reached long before the bound.
    for _ in 0..12 {
        if brightness(color) <= 0.42 {
            break;
        }
        color = mix(color, rgb(0), 0.15);
    }
    color
}

/// How bright a colour looks, 0..=1. Source: ITU-R BT.601 luma; enough to choose between dark and light ink.
pub fn brightness(color: Rgb) -> f32 {
    (0.299 * f32::from(color.0) + 0.587 * f32::from(color.1) + 0.114 * f32::from(color.2)) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_and_made_dark_enough() {
        assert_eq!(parse("#12355b"), Some(Rgb(0x12, 0x35, 0x5b)));
        assert_eq!(parse("#fff"), Some(PAPER));
        assert_eq!((parse("red"), parse("#12345"), parse("#+12345")), (None, None, None));
        assert_eq!(mix(PAPER, INK, 0.0).to_string(), "#ffffff");
        let brand = Brand { primary: "#ffee00".into(), ..Brand::default() };
        assert!(brightness(accent(&brand)) <= 0.45, "{}", accent(&brand));
        let brand = Brand { primary: "#12355b".into(), ..Brand::default() };
        assert_eq!(accent(&brand), Rgb(0x12, 0x35, 0x5b), "dark enough as it is");
    }

    /// The window and the paper show a step in the same hue.
    #[cfg(feature = "gui")]
    #[test]
    fn steps_have_the_studios_colours() {
        use crate::gui::theme::LIGHT;
        for of in [
            Family::Trigger,
            Family::Delay,
            Family::Condition,
            Family::Split,
            Family::Message,
            Family::Action,
            Family::Exit,
            Family::Note,
            Family::Unknown,
        ] {
            let (own, studio) = (family(of), LIGHT.family(of));
            assert_eq!([own.0, own.1, own.2], [studio.r(), studio.g(), studio.b()], "{of:?}");
        }
    }
}
