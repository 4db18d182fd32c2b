//! The panels around the canvas: each gets the state, its own drafts, and a list to push commands to.

#[cfg(feature = "push")]
mod account;
mod bottom;
mod command_palette;
mod compare;
mod dialogs;
mod gallery;
mod inspector;
mod mails;
mod pages;
mod publish;
#[cfg(feature = "push")]
mod push;
#[cfg(feature = "engine")]
mod run;
mod settings;
mod shortcuts;
mod side;
#[cfg(test)]
mod tests;
mod toasts;
mod top_bar;
mod tray;

#[cfg(feature = "engine")]
pub use self::run::question;
#[cfg(feature = "push")]
pub use self::{account::account, push::push};
pub use self::{
    bottom::bottom,
    command_palette::command_palette,
    compare::compare,
    dialogs::dialogs,
    gallery::gallery,
    inspector::inspector,
    mails::send_ui::send_test,
    pages::page,
    publish::publish,
    settings::settings,
    shortcuts::shortcuts,
    side::side,
    toasts::toasts,
    top_bar::{tabs, top_bar},
    tray::tray,
};

/// What panels keep for themselves: half-typed words, never the document.
#[derive(Debug, Default)]
pub struct Drafts {
    /// Rows of the outline, and what they were made from.
    pub outline: Vec<crate::app::outline::Row>,
    outline_of: Option<(crate::app::DocumentId, u64, Option<u64>)>,
    /// Search of the palette of steps.
    pub step_search: String,
    /// Search of the command palette, and its row.
    pub command_search: String,
    /// The chosen row of the command palette.
    pub command_row: usize,
    /// The page with two versions.
    pub compare: compare::Draft,
    /// Inspector.
    pub inspector: inspector::Draft,
    /// The panels below the canvas.
    pub bottom: bottom::Draft,
    /// Search and pictures of the gallery.
    pub gallery: gallery::Draft,
    /// The page that fetches a flow from an account.
    #[cfg(feature = "push")]
    pub account: account::Draft,
    /// Our own dialog for paths.
    pub dialog: dialogs::Draft,
    /// The pages in the place of the canvas.
    pub pages: pages::Draft,
    /// The mail page and the pictures on it.
    pub mails: mails::Draft,
    /// The dialog that sends a test.
    pub send_test: mails::send_ui::Draft,
    /// The page of the engine.
    #[cfg(feature = "engine")]
    pub run: run::Draft,
    /// Half-typed settings.
    pub settings: settings::Draft,
}
