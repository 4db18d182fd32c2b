//! What gestures and commands mean as edits: pure functions from a flow and a selection to a list of
//! [`Edit`](crate::flow::Edit)s.

pub mod arrange;
mod basic;
pub mod clip_blocks;
pub mod clipboard;
pub mod frames;
pub mod insert_on_edge;
pub mod layout;
pub mod quick_add;
pub mod replace;
pub(in crate::app) mod ron_text;
pub(in crate::app) mod templates;

pub use basic::{Direction, connect, count_label, delete, delete_reconnect, insert, moved, neighbour, toggle_mute};
