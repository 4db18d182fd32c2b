//! A text field that offers known names below it while something is typed.
//!
//! The list never takes the keyboard: letters go on into the field, arrows walk the list, Enter and Tab take what is
//! chosen, Escape closes it. What is offered is decided in `app::inspector::offers`.

use std::cell::Cell;

use egui::{CompletionPopup, Key, RectAlign, RichText, Suggestion, TextEdit, Ui, text_edit::TextEditOutput};

use crate::{
    app::{
        Document,
        inspector::offers::{self, Known, Sort},
    },
    gui::theme,
};

/// Letters of an offer and the word about it: more would not stand on one line of the narrowest inspector.
const MOST_LETTERS: usize = 32;

/// Letters that the word about an offer has at least.
const LEAST_ABOUT: usize = 6;

/// Somebody types in a field.
#[derive(Debug)]
pub struct Typing {
    key: String,
    known: Known,
    /// An arrow key was pressed: what is chosen is meant.
    walked: bool,
    /// What the word begins to say is offered first.
    sure: bool,
}

/// Which field it is, and what is offered in it.
#[derive(Clone, Copy, Debug)]
pub struct Offers<'a> {
    /// Where names come from.
    pub document: &'a Document,
    /// What sort of field it is.
    pub sort: Sort,
}

/// Draws a field over `before`, the text as it is. An offer that is taken counts as a change of the text.
pub fn suggesting(
    ui: &mut Ui,
    edit: TextEdit<'_>,
    before: &str,
    key: &str,
    offers: Offers<'_>,
    typing: &mut Option<Typing>,
) -> TextEditOutput {
    let Offers { document, sort } = offers;
    let id = ui.make_persistent_id(("suggesting", key));
    let focused = ui.memory(|memory| memory.has_focus(id));
    let walks = focused && ui.input(|i| i.key_pressed(Key::ArrowDown) || i.key_pressed(Key::ArrowUp));
    let begin = || Typing { key: key.to_owned(), known: offers::known(document, sort), walked: false, sure: false };
    match typing {
        Some(typing) if typing.key == key => typing.walked |= walks,
        // In a field of one name the arrow down asks for the list.
        _ if walks && matches!(sort, Sort::Names(_)) => *typing = Some(Typing { walked: true, ..begin() }),
        _ => {}
    }
    let takes = typing.as_ref().is_some_and(|typing| typing.key == key && (typing.walked || typing.sure));
    let words = Cell::new(offers::Words::new(sort));
    let popup = CompletionPopup::new(id)
        .align(RectAlign::BOTTOM_START)
        .max_height(220.0)
        .accept_keys(if takes { vec![Key::Enter, Key::Tab] } else { Vec::new() })
        .word_boundary(move |letter| {
            let mut walk = words.get();
            let ends = walk.ends_at(letter);
            words.set(walk);
            ends
        });
    let out = popup.show(ui, edit, |query| {
        if query.text != before && typing.as_ref().is_none_or(|typing| typing.key != key) {
            *typing = Some(begin());
        }
        let Some(typing) = typing.as_mut().filter(|typing| typing.key == key) else { return Vec::new() };
        let found = offers::offers(&typing.known, query.text, query.word_range.start.0, query.word_range.end.0);
        typing.sure = offers::is_sure(&found, query.word);
        if query.text != before {
            typing.walked = false;
        }
        found.into_iter().map(suggestion).collect()
    });
    let mut output = out.text_edit;
    if out.accepted.is_some() {
        output.response.response.mark_changed();
    }
    let is_done = out.accepted.is_some() || output.response.response.lost_focus();
    if is_done && typing.as_ref().is_some_and(|typing| typing.key == key) {
        *typing = None;
    }
    output
}

fn suggestion(offer: offers::Offer) -> Suggestion {
    let room = MOST_LETTERS.saturating_sub(offer.shown.chars().count()).max(LEAST_ABOUT);
    let shown = RichText::new(offer.shown).font(theme::regular(13.0));
    let suggestion = Suggestion::new(offer.insert).content(shown);
    if offer.about.is_empty() {
        return suggestion;
    }
    let mut about: String = offer.about.lines().next().unwrap_or_default().chars().take(room).collect();
    if about.len() < offer.about.len() {
        about.push('…');
    }
    suggestion.description(RichText::new(about).font(theme::regular(11.5)))
}
