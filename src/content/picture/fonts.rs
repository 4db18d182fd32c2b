//! Rule 4: the families that mails name stand for bundled ones.
//!
//! The one idea: no system font is ever read, so every machine draws the same picture; each name that mails use is
//! registered as a family of its own over the bundled files, and a list of families is then followed as in a browser.
//! Mail Sans and Mail Mono have the widths of Arial and Courier New, Mail Serif those of Georgia, so lines break where
//! they break for most readers. Deliberately not here: web fonts, which are elsewhere and not asked; Chinese, Japanese
//! and Korean letters, of which a font has ten times the size of the program: the picture says which are missing.

use std::sync::Arc;

use blitz_dom::FontContext;
use parley::fontique::{
    Blob, Collection, CollectionOptions, FamilyId, FontInfoOverride, FontWeight, GenericFamily, Script, SourceCache,
};

const SANS: [&[u8]; 4] = [
    include_bytes!("../../../assets/fonts/mail/MailSans-Regular.ttf"),
    include_bytes!("../../../assets/fonts/mail/MailSans-Bold.ttf"),
    include_bytes!("../../../assets/fonts/mail/MailSans-Italic.ttf"),
    include_bytes!("../../../assets/fonts/mail/MailSans-BoldItalic.ttf"),
];
const SERIF: [&[u8]; 4] = [
    include_bytes!("../../../assets/fonts/mail/MailSerif-Regular.ttf"),
    include_bytes!("../../../assets/fonts/mail/MailSerif-Bold.ttf"),
    include_bytes!("../../../assets/fonts/mail/MailSerif-Italic.ttf"),
    include_bytes!("../../../assets/fonts/mail/MailSerif-BoldItalic.ttf"),
];
const MONO: [&[u8]; 4] = [
    include_bytes!("../../../assets/fonts/mail/MailMono-Regular.ttf"),
    include_bytes!("../../../assets/fonts/mail/MailMono-Bold.ttf"),
    include_bytes!("../../../assets/fonts/mail/MailMono-Italic.ttf"),
    include_bytes!("../../../assets/fonts/mail/MailMono-BoldItalic.ttf"),
];
const INTERFACE: [&[u8]; 6] = [
    include_bytes!("../../../assets/fonts/Inter-Regular.ttf"),
    include_bytes!("../../../assets/fonts/Inter-Medium.ttf"),
    include_bytes!("../../../assets/fonts/Inter-SemiBold.ttf"),
    include_bytes!("../../../assets/fonts/mail/MailInterface-Bold.otf"),
    include_bytes!("../../../assets/fonts/mail/MailInterface-Italic.otf"),
    include_bytes!("../../../assets/fonts/mail/MailInterface-BoldItalic.otf"),
];
/// Pictures in text, in one colour: one in colours has eleven times the size.
const EMOJI: [&[u8]; 1] = [include_bytes!("../../../assets/fonts/mail/MailEmoji-Regular.ttf")];

/// Names that stand for the sans. Source: families that are installed with Windows, macOS, iOS or Android and that mail
/// builders offer; the first is the family's own.
const SANS_NAMES: [&str; 22] = [
    "Mail Sans",
    "Arial",
    "Helvetica",
    "Helvetica Neue",
    "Liberation Sans",
    "Arimo",
    "Verdana",
    "Geneva",
    "Tahoma",
    "Trebuchet MS",
    "Lucida Grande",
    "Lucida Sans",
    "Lucida Sans Unicode",
    "Century Gothic",
    "Futura",
    "Gill Sans",
    "Gill Sans MT",
    "Calibri",
    "Candara",
    "Optima",
    "Avenir",
    "Avenir Next",
];
/// Names whose every cut is heavy.
const HEAVY_NAMES: [&str; 3] = ["Mail Heavy", "Arial Black", "Impact"];
/// Interface fonts; Inter has the widths of San Francisco within 2 %.
const INTERFACE_NAMES: [&str; 8] = [
    "Mail Interface",
    "Inter",
    "-apple-system",
    "BlinkMacSystemFont",
    "Segoe UI",
    "Roboto",
    "SF Pro Text",
    "SF Pro Display",
];
const SERIF_NAMES: [&str; 20] = [
    "Mail Serif",
    "Georgia",
    "Gelasio",
    "Times",
    "Times New Roman",
    "Palatino",
    "Palatino Linotype",
    "Book Antiqua",
    "Garamond",
    "Baskerville",
    "Cambria",
    "Constantia",
    "Didot",
    "Bodoni MT",
    "Bodoni 72",
    "Hoefler Text",
    "Charter",
    "Iowan Old Style",
    "Rockwell",
    "American Typewriter",
];
/// Emoji of systems; a font in colours is not bundled, and the picture shows them in the text's colour.
const EMOJI_NAMES: [&str; 5] = ["Mail Emoji", "Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", "Noto Emoji"];
const MONO_NAMES: [&str; 9] = [
    "Mail Mono",
    "Courier",
    "Courier New",
    "Consolas",
    "Menlo",
    "Monaco",
    "SF Mono",
    "Lucida Console",
    "Liberation Mono",
];
/// Scripts whose letters the sans has.
const SCRIPTS: [[u8; 4]; 6] = [*b"Latn", *b"Grek", *b"Cyrl", *b"Zyyy", *b"Zinh", *b"Zzzz"];

/// The fonts of all pictures. Takes some milliseconds; build it once and clone it.
pub(super) fn context() -> FontContext {
    let mut collection = Collection::new(CollectionOptions { shared: false, system_fonts: false });
    let sans = register(&mut collection, &SANS, &SANS_NAMES);
    register(&mut collection, &[SANS[1], SANS[3]], &HEAVY_NAMES);
    let interface = register(&mut collection, &INTERFACE, &INTERFACE_NAMES);
    let serif = register(&mut collection, &SERIF, &SERIF_NAMES);
    let mono = register(&mut collection, &MONO, &MONO_NAMES);
    let emoji = register(&mut collection, &EMOJI, &EMOJI_NAMES);
    for (generic, family) in [
        (GenericFamily::Emoji, emoji),
        (GenericFamily::SansSerif, sans),
        (GenericFamily::SystemUi, interface),
        (GenericFamily::UiSansSerif, interface),
        (GenericFamily::UiRounded, interface),
        (GenericFamily::Serif, serif),
        (GenericFamily::UiSerif, serif),
        (GenericFamily::Cursive, serif),
        (GenericFamily::Fantasy, sans),
        (GenericFamily::Monospace, mono),
        (GenericFamily::UiMonospace, mono),
    ] {
        collection.set_generic_families(generic, family.into_iter());
    }
    for script in SCRIPTS {
        let families = [sans, interface, mono, emoji].into_iter().flatten();
        collection.set_fallbacks(Script::from_bytes(script), families);
    }
    // The signs of lists, as the renderer's own style names them.
    collection.register_fonts(Blob::new(Arc::new(blitz_dom::BULLET_FONT)), None);
    FontContext { collection, source_cache: SourceCache::default() }
}

/// Registers the same files under each name; gives the first.
fn register(collection: &mut Collection, files: &[&'static [u8]], names: &[&str]) -> Option<FamilyId> {
    let blobs: Vec<Blob<u8>> = files.iter().map(|file| Blob::new(Arc::new(*file))).collect();
    for name in names {
        for blob in &blobs {
            let weight = HEAVY_NAMES.contains(name).then_some(FontWeight::NORMAL);
            let named = FontInfoOverride { family_name: Some(name), weight, ..FontInfoOverride::default() };
            collection.register_fonts(blob.clone(), Some(named));
        }
    }
    collection.family_id(names.first()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_cuts() {
        let mut fonts = context().collection;
        for (names, cuts) in [
            (&SANS_NAMES[..], 4),
            (&HEAVY_NAMES[..], 2),
            (&INTERFACE_NAMES[..], 6),
            (&SERIF_NAMES[..], 4),
            (&MONO_NAMES[..], 4),
            (&EMOJI_NAMES[..], 1),
        ] {
            for name in names {
                let family = fonts.family_by_name(name).unwrap_or_else(|| panic!("{name} is not there"));
                assert_eq!(family.fonts().len(), cuts, "{name}");
            }
        }
        assert!(fonts.family_by_name("helvetica neue").is_some(), "names are compared without case");
        for generic in [GenericFamily::SansSerif, GenericFamily::Serif, GenericFamily::Monospace] {
            assert_eq!(fonts.generic_families(generic).count(), 1, "{generic:?}");
        }
    }
}
