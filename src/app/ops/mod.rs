//! What gestures and commands mean as edits: pure functions from a flow and a selection to a list of [`Edit`]s.

pub mod arrange;
mod basic;
pub mod clipboard;
pub mod layout;
mod ron_text;
mod templates;

pub use basic::{
    Direction, carried, connect, count_label, delete, delete_reconnect, insert, moved, neighbour, toggle_mute,
};
