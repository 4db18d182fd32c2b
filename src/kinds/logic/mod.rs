//! Logic kinds: where a journey goes, and when.

pub mod branch;
pub mod cap;
pub mod condition;
pub mod delay;
pub mod exit;
pub mod goal;
pub mod note;
pub mod split;
pub mod wait_for_event;
