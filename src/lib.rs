//! Flowloom (map to follow).
pub mod audience;
pub mod base;
pub mod content;
pub mod flow;
pub mod kinds;
#[doc(hidden)]
pub mod testing;
