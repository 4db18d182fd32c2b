//! What gestures and commands mean as edits: pure functions from a flow and a selection to a list of [`Edit`]s.

pub mod arrange;
mod basic;
pub mod clipboard;
pub mod insert_on_edge;
pub mod layout;
pub mod quick_add;
pub mod replace;
mod ron_text;
mod templates;

pub use basic::{Direction, connect, count_label, delete, delete_reconnect, insert, moved, neighbour, toggle_mute};
